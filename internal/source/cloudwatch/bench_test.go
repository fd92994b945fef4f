package cloudwatch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

// corpus is a payload of n events, whose messages and further members are made by event.
func corpus(n int, event func(random *rand.Rand) (message, members string)) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	out := bytes.NewBufferString(head + `[`)
	for i := range n {
		if i > 0 {
			out.WriteByte(',')
		}
		message, members := event(random)
		escaped := record.AppendEscaped(nil, message)
		fmt.Fprintf(out, `{"id":"3806169874921943145575100149%028d","timestamp":%d,"message":"%s"%s}`,
			i, 1_706_745_600_000+i, escaped, members)
	}
	out.WriteString(`]}`)
	return out.Bytes()
}

// vpcLine is a VPC flow log line of 115 bytes.
func vpcLine(random *rand.Rand) (message, members string) {
	line := fmt.Sprintf("2 123456789012 eni-0%016x 192.0.2.%d 198.51.100.%d %d 443 6 %d %d 1706745600 1706745660 ACCEPT OK",
		random.Uint64(), random.IntN(256), random.IntN(256), random.IntN(65536), random.IntN(100), random.IntN(1_000_000))
	return line + strings.Repeat(" ", max(115-len(line), 0)), ""
}

func vpcFields(random *rand.Rand) (message, members string) {
	message, _ = vpcLine(random)
	f := strings.Fields(message)
	return message, fmt.Sprintf(`,"extractedFields":{"version":"2","account_id":"123456789012","interface_id":"%s","srcaddr":"%s",`+
		`"dstaddr":"%s","srcport":"%s","dstport":"443","action":"ACCEPT","log_status":"OK"}`, f[2], f[3], f[4], f[5])
}

// appLine is a line of an application that logs JSON: 400 bytes, in which every fifth or so is a quote.
func appLine(random *rand.Rand) (message, members string) {
	words := []string{"order", "shipped", "to", "customer", "with", "status", "pending", "after", "retry", "of", "payment"}
	line := fmt.Sprintf(`{"level":"info","time":"2024-02-01T00:00:00.%03dZ","requestId":"6234bffe-149a-b642-81ff-%012x","logger":"shop.orders"`,
		random.IntN(1000), random.Uint64()>>16)
	for key := 0; len(line) < 340; key++ {
		line += fmt.Sprintf(`,"%s_%d":"%s"`, words[random.IntN(len(words))], key, words[random.IntN(len(words))])
	}
	line += `,"msg":"`
	for len(line) < 397 {
		line += words[random.IntN(len(words))] + " "
	}
	return line[:397] + "\"}\n", ""
}

func unicodeLine(*rand.Rand) (message, members string) {
	return strings.Repeat("注文 42 は発送されました。", 10), ""
}

// naive are the shapes that a decoder with encoding/json unmarshals into.
type naive struct {
	MessageType         string   `json:"messageType"`
	Owner               string   `json:"owner"`
	LogGroup            string   `json:"logGroup"`
	LogStream           string   `json:"logStream"`
	SubscriptionFilters []string `json:"subscriptionFilters"`
	LogEvents           []struct {
		ID        string `json:"id"`
		Timestamp int64  `json:"timestamp"`
		Message   string `json:"message"`
	} `json:"logEvents"`
}

func BenchmarkRecords(b *testing.B) {
	for _, c := range []struct {
		name   string
		events int
		event  func(*rand.Rand) (message, members string)
	}{
		{"vpc", 10_000, vpcLine},
		{"vpc fields", 10_000, vpcFields},
		{"app", 5_000, appLine},
		{"beyond ASCII", 5_000, unicodeLine},
	} {
		payload := corpus(c.events, c.event)
		b.Run(c.name+"/decoder", func(b *testing.B) {
			var d Decoder
			r, origin := bytes.NewReader(payload), base()
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				r.Reset(payload)
				n := 0
				for _, err := range d.Records(r, origin) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				require.Equal(b, c.events, n)
			}
			b.ReportMetric(float64(c.events), "events/op")
		})
		b.Run(c.name+"/encoding-json", func(b *testing.B) {
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				var doc naive
				require.NoError(b, json.Unmarshal(payload, &doc))
				require.Len(b, doc.LogEvents, c.events)
			}
			b.ReportMetric(float64(c.events), "events/op")
		})
	}
}
