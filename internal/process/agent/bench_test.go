package agent

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// measure converts a record again and again.
func measure(b *testing.B, list, line string) {
	b.Helper()
	c, err := New(options(b, list), true)
	require.NoError(b, err)
	record, dst := []byte(line+"\n"), []byte(nil)
	b.SetBytes(int64(len(record)))
	b.ReportAllocs()
	for b.Loop() {
		var outcome Outcome
		if dst, outcome = c.Append(dst[:0], record); outcome != Converted {
			b.Fatal(outcome)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	for name, tc := range map[string][2]string{
		"single":   {`[{"optionName":"SINGLELINE"}]`, "{\n  \"eventName\": \"GetObject\",\n  \"eventID\": \"6234bffe-149a-b642-81ff\"\n}"},
		"csv":      {`[{"optionName":"CSVTOJSON","customFieldNames":["a","b","c","d","e"]}]`, "2024-02-01,192.0.2.1,GET,/cart?a=1&b=2,200"},
		"spaces":   {`[{"optionName":"CSVTOJSON","customFieldNames":["a","b","c","d","e"],"delimiter":"\\s+"}]`, "2024-02-01 192.0.2.1 GET /cart?a=1&b=2 200"},
		"common":   {`[{"optionName":"LOGTOJSON","logFormat":"COMMONAPACHELOG"}]`, accessLine},
		"combined": {`[{"optionName":"LOGTOJSON","logFormat":"COMBINEDAPACHELOG"}]`, accessLine + ` "https://example.com/" "Mozilla/5.0 (X11; Linux x86_64)"`},
		"error":    {`[{"optionName":"LOGTOJSON","logFormat":"APACHEERRORLOG"}]`, errorLine},
		"syslog":   {`[{"optionName":"LOGTOJSON","logFormat":"SYSLOG"}]`, mailLine},
		"pattern": {`[{"optionName":"LOGTOJSON","logFormat":"COMMONAPACHELOG","customFieldNames":["a","b","c","d","e","f"],` +
			`"matchPattern":"^([\\d.]+) (\\S+) (\\S+) \\[([\\w:/]+\\s[+\\-]\\d{4})\\] \"(.+?)\" (\\d{3}).*"}]`, accessLine},
	} {
		b.Run(name, func(b *testing.B) { measure(b, tc[0], tc[1]) })
	}
}

// BenchmarkMatch compares the matchers by hand with regular expressions.
func BenchmarkMatch(b *testing.B) {
	for name, line := range map[string]string{
		CommonApacheLog: accessLine, CombinedApacheLog: accessLine + ` "-" "Mozilla/5.0 (X11; Linux x86_64)"`,
		ApacheErrorLog: errorLine, Syslog: mailLine, RFC3339Syslog: "2024-02-01T00:00:05.123+01:00 h p[1]: m",
	} {
		format, _ := formatOf(name)
		text, groups := []byte(line), make([]span, len(format.names))
		b.Run(name+"/by hand", func(b *testing.B) {
			for b.Loop() {
				if !format.match(text, groups) {
					b.Fatal("no match")
				}
			}
		})
		b.Run(name+"/regexp", func(b *testing.B) {
			for b.Loop() {
				if oracle[name].FindSubmatchIndex(text) == nil {
					b.Fatal("no match")
				}
			}
		})
	}
}

func BenchmarkSplit(b *testing.B) {
	text := strings.Repeat(accessLine+"\n    at example.Cart.add(Cart.java:12)\n", 1000)
	for name, pattern := range map[string]string{"lines": "", "records of lines": `[\d.]+ `} {
		b.Run(name, func(b *testing.B) {
			sp, err := NewSplitter(Splitting{MultiLineStartPattern: pattern})
			require.NoError(b, err)
			src := strings.NewReader(text)
			records := sp.Records(src)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				src.Reset(text)
				records.Reset(src)
				for err = nil; err == nil; {
					_, err = records.Next()
				}
				require.Equal(b, io.EOF, err)
			}
		})
	}
}
