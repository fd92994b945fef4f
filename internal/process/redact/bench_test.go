package redact

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

// corpora are lines as they are forwarded: none is matched by a pattern of benchmarked.
func corpora() map[string][][]byte {
	return map[string][][]byte{"vpc": vpcLines(256), "alb": albLines(256), "app": appLines(256)}
}

// vpcLines are lines of a flow log, about 115 bytes each.
func vpcLines(n int) (lines [][]byte) {
	random := rand.New(rand.NewPCG(1, 2))
	for range n {
		start := 1706745600 + random.IntN(1e6)
		lines = append(lines, fmt.Appendf(nil, "2 123456789012 eni-%017x 192.0.2.%d 198.51.100.%d %d 443 6 %d %d %d %d ACCEPT OK",
			random.Uint64()>>1, random.IntN(256), random.IntN(256), 1024+random.IntN(64000), random.IntN(100), random.IntN(1e6),
			start, start+60))
	}
	return lines
}

// albLines are lines of a load balancer, about 450 bytes each.
func albLines(n int) (lines [][]byte) {
	random := rand.New(rand.NewPCG(1, 2))
	for range n {
		lines = append(lines, fmt.Appendf(nil, `https 2024-02-01T00:00:%02d.%06dZ app/shop/50dc6c495c0c9188 192.0.2.%d:%d 198.51.100.%d:80 `+
			`0.086 0.048 0.037 200 200 %d 57 "GET https://www.example.com:443/cart/%x HTTP/1.1" "curl/8.4.0" `+
			`ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/shop/73e2d6bc24d8a067 `+
			`"Root=1-58337281-%024x" "www.example.com" "-" 1 2024-02-01T00:00:00.000000Z "forward" "-" "-" "198.51.100.7:80" "200" "-" "-"`,
			random.IntN(60), random.IntN(1e6), random.IntN(256), 1024+random.IntN(64000), random.IntN(256), random.IntN(5000),
			random.Uint64(), random.Uint64()))
	}
	return lines
}

// appLines are JSON lines of an application, about 400 bytes each.
func appLines(n int) (lines [][]byte) {
	random := rand.New(rand.NewPCG(1, 2))
	words := []string{"order", "shipped", "to", "customer", "with", "status", "pending", "after", "retry", "of", "payment"}
	for range n {
		line := fmt.Appendf(nil, `{"level":"info","time":"2024-02-01T00:00:00.%03dZ","requestId":"6234bffe-149a-b642-81ff-%012x","logger":"shop.orders"`,
			random.IntN(1000), random.Uint64()>>16)
		for key := 0; len(line) < 300; key++ {
			line = fmt.Appendf(line, `,"%s_%d":"%s"`, words[random.IntN(len(words))], key, words[random.IntN(len(words))])
		}
		line = fmt.Appendf(line, `,"attempt":%d,"cached":%t,"msg":"`, random.IntN(100), random.IntN(2) == 0)
		for len(line) < 390 {
			line = append(append(line, words[random.IntN(len(words))]...), ' ')
		}
		lines = append(lines, append(line, `"}`...))
	}
	return lines
}

// benchmarked are patterns that people redact by.
var benchmarked = []struct{ name, pattern string }{
	{"literal", `password=\S+`},
	{"words", `(?i)(?:password|passwd|secret|api[_-]?key|token)["']?\s*[=:]\s*["']?[^\s"',]+`},
	{"bearer", `(?i)\bbearer\s+[a-z0-9._~+/-]+=*`},
	{"ssn", `\b\d{3}-\d{2}-\d{4}\b`},
	{"card", `\b(?:\d{4}[ -]){3}\d{4}\b`},
	{"aws-key", `\b(?:AKIA|ASIA)[0-9A-Z]{16}\b`},
	{"jwt", `eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`},
	{"phone", `\+\d{1,3}[ -]?\d{6,12}`},
}

// BenchmarkMiss gives, for lines that a pattern does not match, the cost of a redactor and that of the standard library,
// in one run. "redact" takes a line as text, "message" as a record's message: JSON if it is JSON.
func BenchmarkMiss(b *testing.B) {
	for corpus, lines := range corpora() {
		for _, bench := range benchmarked {
			compareCosts(b, corpus+"/"+bench.name, lines, Rule{Name: "x", Pattern: bench.pattern}, regexp.MustCompile(bench.pattern))
		}
	}
}

// BenchmarkKnown is the same for the rules that are written by hand. Addresses are in the lines of vpc and alb.
func BenchmarkKnown(b *testing.B) {
	for corpus, lines := range corpora() {
		compareCosts(b, corpus+"/ipv4", lines, IPv4("x"), ipv4Pattern)
		compareCosts(b, corpus+"/email", lines, Email("x"), emailPattern)
		compareCosts(b, corpus+"/ipv6", lines, IPv6("x"), nil)
	}
}

// BenchmarkAll applies all patterns together.
func BenchmarkAll(b *testing.B) {
	rules := []Rule{IPv6("ipv6"), Email("email")}
	for _, bench := range benchmarked {
		rules = append(rules, Rule{Name: bench.name, Pattern: bench.pattern})
	}
	for corpus, lines := range corpora() {
		compareCosts(b, corpus, lines, rules[0], nil, rules[1:]...)
	}
}

func compareCosts(b *testing.B, name string, lines [][]byte, first Rule, standard *regexp.Regexp, more ...Rule) {
	b.Helper()
	rules, err := Compile(append([]Rule{first}, more...)...)
	require.NoError(b, err)
	redactor := New(rules)
	size := 0
	for _, line := range lines {
		size += len(line)
	}
	run := func(what string, redact func(line []byte)) {
		b.Run(name+"/"+what, func(b *testing.B) {
			b.SetBytes(int64(size / len(lines)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				redact(lines[i%len(lines)])
			}
		})
	}
	var out []byte
	run("redact", func(line []byte) { out, _ = redactor.AppendText(out[:0], line) })
	run("message", func(line []byte) { redactor.Message(record.Plain(line)) })
	if standard != nil {
		run("regexp", func(line []byte) { standard.ReplaceAll(line, []byte("xxx")) })
	}
}

// BenchmarkCompile is a part of a cold start.
func BenchmarkCompile(b *testing.B) {
	for _, bench := range append(benchmarked, struct{ name, pattern string }{"long", `[ab]{70}`}) {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				_, err := Compile(Rule{Name: "x", Pattern: bench.pattern})
				require.NoError(b, err)
			}
		})
	}
}
