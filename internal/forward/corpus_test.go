package forward

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/klauspost/compress/gzip"

	"sluice/internal/record"
)

// corpus is a subscription payload made for measuring: the same bytes in every run.
type corpus struct {
	name   string
	events int
	plain  []byte // the JSON document
	packed []byte // gzip of it, as CloudWatch Logs sends it: level 6
}

// event is the Lambda event that carries the payload.
func (c *corpus) event() []byte {
	return []byte(`{"awslogs":{"data":"` + base64.StdEncoding.EncodeToString(c.packed) + `"}}`)
}

func newCorpus(name, group, stream string, events int, line func(r *rand.Rand, i int) string) *corpus {
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":%q,"logStream":%q,"subscriptionFilters":["sluice"],"logEvents":[`, group, stream)
	at := int64(1_700_000_000_000)
	for i := range events {
		if i > 0 {
			b.WriteByte(',')
		}
		at += r.Int64N(50)
		// The service's ids are timestamp × 2^144 and a counter: 56 digits, of which the first 17 or so follow the time.
		fmt.Fprintf(&b, `{"id":"%017d%039d","timestamp":%d,"message":"`, at*22_300, r.Uint64(), at)
		b.Write(record.AppendEscaped(nil, line(r, i)))
		b.WriteString(`"}`)
	}
	b.WriteString("]}")
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, 6)
	_, _ = w.Write(b.Bytes())
	_ = w.Close()
	return &corpus{name: name, events: events, plain: b.Bytes(), packed: packed.Bytes()}
}

// vpcCorpus has flow log lines of about 115 bytes.
func vpcCorpus() *corpus {
	return newCorpus("vpc", "/vpc/flow-logs", "eni-0a1b2c3d4e5f60718-all", 10_000, func(r *rand.Rand, i int) string {
		start := 1_700_000_000 + i/100
		return fmt.Sprintf("2 123456789012 eni-%017x 10.0.%d.%d 192.0.2.%d %d %d 6 %d %d %d %d %s OK",
			r.IntN(40)*7919, r.IntN(4), r.IntN(256), r.IntN(256), 1024+r.IntN(60000), []int{443, 80, 22, 5432}[r.IntN(4)],
			1+r.IntN(40), 40+r.IntN(60000), start, start+60, []string{"ACCEPT", "ACCEPT", "ACCEPT", "REJECT"}[r.IntN(4)])
	})
}

// appCorpus has JSON application logs of about 400 bytes, full of quotes to be escaped.
func appCorpus() *corpus {
	words := strings.Fields("order payment checkout inventory customer shipped accepted declined retried cached expired")
	return newCorpus("app", "/aws/lambda/checkout", "2023/11/14/[$LATEST]94fa867e5374431291a7fc14e2f56ae7", 5_000, func(r *rand.Rand, _ int) string {
		word := func() string { return words[r.IntN(len(words))] }
		return fmt.Sprintf(`{"level":"%s","time":"2023-11-14T22:13:%02d.%03dZ","requestId":"%08x-%04x-4%03x-9%03x-%012x","logger":"com.example.%s.%sService",`+
			`"message":"%s %s for %s %d","duration_ms":%d.%02d,"http":{"method":"POST","path":"/api/v1/%s/%d","status":%d},`+
			`"user":{"id":%d,"tier":"%s"},"trace_id":"%016x","span_id":"%016x","tags":["%s","%s"]}`,
			[]string{"INFO", "INFO", "DEBUG", "WARN"}[r.IntN(4)], r.IntN(60), r.IntN(1000), r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<12), r.Uint64()>>16,
			word(), word(), word(), word(), word(), r.IntN(100000), r.IntN(900), r.IntN(100), word(), r.IntN(1000000), []int{200, 201, 404, 500}[r.IntN(4)],
			r.IntN(1000000), word(), r.Uint64(), r.Uint64(), word(), word())
	})
}
