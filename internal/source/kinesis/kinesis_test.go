package kinesis_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/source/kinesis"
)

func TestSniff(t *testing.T) {
	for name, tc := range map[string]struct {
		data string
		want kinesis.Kind
	}{
		"gzip":                              {"\x1f\x8b\x08\x00", kinesis.Gzip},
		"gzip cut to its magic number":      {"\x1f\x8b", kinesis.Gzip},
		"half of gzip's magic number":       {"\x1f", kinesis.Lines},
		"white space is not skipped before": {" \x1f\x8b", kinesis.Lines},
		"subscription": {
			`{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"g","logStream":"s","subscriptionFilters":["f"],"logEvents":[{"id":"1","timestamp":1,"message":"m"}]}`, kinesis.Subscription,
		},
		"subscription, members the other way round": {`{"logEvents":[{"message":"}"}],"owner":"1","messageType":"DATA_MESSAGE"}`, kinesis.Subscription},
		"subscription with white space":             {"\r\n {\n \"messageType\" : \"CONTROL_MESSAGE\",\n\"logEvents\" : [ ] }\n", kinesis.Subscription},
		"two subscriptions back to back":            {`{"messageType":"DATA_MESSAGE","logEvents":[]}{"messageType":"DATA_MESSAGE","logEvents":[]}`, kinesis.Subscription},
		"subscription cut inside its events":        {`{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1`, kinesis.Subscription},
		"JSON line":                                 {`{"level":"info","msg":"x"}` + "\n", kinesis.Lines},
		"JSON line with one of the members":         {`{"messageType":"order","order":1}`, kinesis.Lines},
		"members one level deeper":                  {`{"wrapped":{"messageType":"DATA_MESSAGE","logEvents":[]}}`, kinesis.Lines},
		"members quoted in a string":                {`{"message":"{\"messageType\":\"DATA_MESSAGE\",\"logEvents\":[]}"}`, kinesis.Lines},
		"members split over two lines":              {`{"messageType":"x"}` + "\n" + `{"logEvents":[]}`, kinesis.Lines},
		"messageType is a number":                   {`{"messageType":1,"logEvents":[]}`, kinesis.Lines},
		"logEvents is a number":                     {`{"messageType":"x","logEvents":3}`, kinesis.Lines},
		"list of subscriptions":                     {`[{"messageType":"DATA_MESSAGE","logEvents":[]}]`, kinesis.Lines},
		"text":                                      {"messageType logEvents {", kinesis.Lines},
		"opening brace alone":                       {"{", kinesis.Lines},
		"empty":                                     {"", kinesis.Lines},
		"white space":                               {" \n", kinesis.Lines},
		"binary":                                    {"\x00\x01\x02", kinesis.Lines},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, kinesis.Sniff([]byte(tc.data)))
		})
	}
}

// FuzzSniff holds Sniff to encoding/json's tokens for every valid document.
func FuzzSniff(f *testing.F) {
	for _, seed := range []string{
		"\x1f\x8b", `{"messageType":"x","logEvents":[]}`, ` {"logEvents":[1],"messageType":"\u0022"} `,
		`{"message\u0054ype":"x","logEvents":[{}]}`, `{"messageType":"x","messageType":1,"logEvents":[]}`, `[]`, `{"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got := kinesis.Sniff(data)
		if json.Valid(data) {
			require.Equal(t, slowSniff(t, data), got)
			return
		}
		require.Equal(t, bytes.HasPrefix(data, []byte("\x1f\x8b")), got == kinesis.Gzip)
	})
}

func slowSniff(t *testing.T, data []byte) kinesis.Kind {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return kinesis.Lines
	}
	found := map[string]bool{}
	for dec.More() {
		name, err := dec.Token()
		require.NoError(t, err)
		var value json.RawMessage
		require.NoError(t, dec.Decode(&value))
		if name == "messageType" && value[0] == '"' || name == "logEvents" && value[0] == '[' {
			found[name.(string)] = true
		}
	}
	if len(found) == 2 {
		return kinesis.Subscription
	}
	return kinesis.Lines
}

func BenchmarkSniff(b *testing.B) {
	events := `[` + strings.Repeat(`{"id":"36","timestamp":1,"message":"a line of text"},`, 1000) + `{}]`
	for name, doc := range map[string]string{
		"subscription":            `{"messageType":"DATA_MESSAGE","owner":"123456789012","logEvents":` + events + `}`,
		"subscription, type last": `{"logEvents":` + events + `,"messageType":"DATA_MESSAGE"}`,
		"one JSON line of 400 B":  `{"level":"info","msg":"` + strings.Repeat("x", 370) + `"}`,
		"text that is not JSON":   strings.Repeat("x", 400),
	} {
		b.Run(name, func(b *testing.B) {
			data := []byte(doc)
			b.ReportAllocs()
			for b.Loop() {
				kinesis.Sniff(data)
			}
		})
	}
}
