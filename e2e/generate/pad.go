package generate

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
)

// Pad makes the members that fill a line, as JSON text without braces.
type Pad func(*rand.Rand) string

// Mixed is a bit of everything logs hold.
func Mixed(r *rand.Rand) string { return mixed[r.IntN(len(mixed))](r) }

// Random fills every line with about n bytes that do not compress below three quarters.
func Random(n int) Pad {
	return func(r *rand.Rand) string { return `"pad":"` + noise(r, n) + `"` }
}

// Repetitive fills every line with n bytes that compress to almost nothing.
func Repetitive(n int) Pad {
	filling := `"pad":"` + strings.Repeat("all work and no play ", n/21+1)[:n] + `"`
	return func(*rand.Rand) string { return filling }
}

var mixed = []Pad{
	func(r *rand.Rand) string {
		return fmt.Sprintf(`"level":"info","method":"GET","path":"/orders/%d","status":%d,"ms":%d.%d0`,
			r.IntN(100_000), 200+r.IntN(4), r.IntN(900), r.IntN(10))
	},
	func(r *rand.Rand) string {
		return fmt.Sprintf(`"pad":"2 123456789012 eni-0123456789abcdef0 192.0.2.%d 198.51.100.%d %d 443 6 %d %d ACCEPT OK"`,
			r.IntN(256), r.IntN(256), 1024+r.IntN(60_000), r.IntN(100), r.IntN(100_000))
	},
	func(r *rand.Rand) string { return `"pad":"` + noise(r, 20+r.IntN(400)) + `"` },
	func(r *rand.Rand) string { return `"pad":"` + noise(r, 2_000+r.IntN(6_000)) + `"` },
	func(*rand.Rand) string { return `"pad":""` },
	func(*rand.Rand) string {
		return `"pad":"Zürich, 東京, Ελλάδα, עברית, 🚚📦, e\u0301, \ud83d\ude80"`
	},
	func(*rand.Rand) string { return `"pad":"a \"quoted\" C:\\path\\file, tab\tline\nreturn\rslash\/"` },
	func(*rand.Rand) string {
		return `"pad":"\u0000\u0001\u0007\b\f\u001b[31mred\u001b[0m\u007f\u2028\u2029"`
	},
	func(*rand.Rand) string {
		return `"pad":"<b>&amp;</b>", "wide" : [ 1.10 , 9007199254740993 , 1e400 , null ]`
	},
	func(r *rand.Rand) string {
		return fmt.Sprintf(`"ddtags":"team:shop,env:e2e,request:%d","pad":{"a":{"b":[{"c":"deep"}]}}`, r.IntN(1000))
	},
	func(*rand.Rand) string { return `"ddtags":"service:checkout, version:1.2.3","pad":true` },
}

// noise is n characters of base64.
func noise(r *rand.Rand, n int) string {
	raw := make([]byte, n*3/4+3)
	for i := range raw {
		raw[i] = byte(r.Uint32())
	}
	return base64.RawStdEncoding.EncodeToString(raw)[:n]
}
