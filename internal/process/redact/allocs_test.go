//go:build !race

// The race detector makes sync.Pool forget things, and regexp keeps its machines there.

package redact

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"sluice/internal/record"
)

// No rule allocates where it does not match, and only one whose replacement names groups does where it matches.
func TestAllocations(t *testing.T) {
	rules := []Rule{IPv4("ip"), IPv6("ip6"), Email("email")}
	for _, b := range benchmarked {
		rules = append(rules, Rule{Name: b.name, Pattern: b.pattern, Replacement: "x"})
	}
	rules = append(rules, Rule{Name: "start", Pattern: `^\w+`, Replacement: "x"}, Rule{Name: "across", Pattern: `"c":\W*\w+`, Replacement: "x"},
		Rule{Name: "member", Member: "token", Replacement: "x"}, Rule{Name: "path", Attribute: "x.y", Pattern: `\d`, Replacement: "x"})
	hit := `password=x bob@example.com 192.0.2.1 2001:db8::1 123-45-6789 123-45-6789 4111-1111-1111-1111`
	for name, tc := range map[string]string{
		"nothing":                  `GET /index.html 200`,
		"nothing, gates open":      `no password= here`,
		"hits":                     hit,
		"object":                   `{"a":"b","c":[1,2,3.5]}`,
		"object, hits":             `{"a":"` + hit + `","b":"\u0031.2.3.4","c":["password=\n\/"]}`,
		"object, members":          `{"token":{"a":1},"x":[{"y":[1,"2"]}],"b":"{\"token\":\"x\"}","c":[true,"\n"],"\u0063":null}`,
		"object that is no object": `{"a":` + hit,
	} {
		t.Run(name, func(t *testing.T) {
			r := compiled(t, rules...)
			plain, escaped := []byte(tc), record.AppendEscaped(nil, tc)
			out := make([]byte, 0, 1<<10)
			assert.Zero(t, testing.AllocsPerRun(100, func() {
				r.AppendText(out, plain)
				r.AppendJSON(out, plain)
				r.Message(record.Plain(plain))
				r.Message(record.Escaped(escaped))
			}))
		})
	}
}
