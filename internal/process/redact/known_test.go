package redact

import (
	"bytes"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The patterns of the Datadog Forwarder.
var (
	ipv4Pattern  = regexp.MustCompile(`\d{1,3}(\.\d{1,3}){3}`)
	emailPattern = regexp.MustCompile(`[a-zA-Z0-9_.+-]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+`)
)

// IPv4 and IPv6 are the halves of [IP].
func IPv4(name string) Rule { return Rule{Name: name, known: ipv4{}} }
func IPv6(name string) Rule { return Rule{Name: name, known: ipv6{}} }

// Both versions are found in one go, as each is on its own.
func TestIP(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1 2001:db8::1 192.0.2.2 ::1": "xxx.xxx.xxx.xxx xxxx::xxxx xxx.xxx.xxx.xxx xxxx::xxxx",
		"::1 ::2 192.0.2.1":                   "xxxx::xxxx xxxx::xxxx xxx.xxx.xxx.xxx",
		"::ffff:192.0.2.1 192.0.2.2":          "xxxx::xxxx xxx.xxx.xxx.xxx",
		"192.0.2.1::1":                        "xxx.xxx.xxx.xxx::1",
		"::1.192.0.2.1":                       "xxxx::xxxx.xxx.xxx.xxx.xxx",
		"12:34:56 1.2.3 std::a":               "12:34:56 1.2.3 std::a",
		"":                                    "",
	} {
		t.Run(text, func(t *testing.T) { assert.Equal(t, want, redactText(t, IP("ip"), text)) })
	}
}

// A text with addresses of one version alone is what the rule for that one makes of it; any text keeps no more than that of
// version 6 would leave for that of version 4.
func FuzzIP(f *testing.F) {
	for _, seed := range []string{"192.0.2.1 2001:db8::1", "::ffff:192.0.2.1", "1.2.3.4::1", "::1.2.3.4.5.6.7.8", "::1 1.2.3.4"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, text := range [][]byte{text, only("0123456789abcF:::::::....  ", text)} {
			got := redactText(t, IP("ip"), string(text))
			four, six := redactText(t, IPv4("ip"), string(text)), redactText(t, IPv6("ip"), string(text))
			switch string(text) {
			case six:
				require.Equal(t, four, got)
			case four:
				require.Equal(t, six, got)
			}
			require.Equal(t, got, redactText(t, IPv4("ip"), got), "no address of version 4 is left")
		}
	})
}

func TestIPv4(t *testing.T) {
	const x = "xxx.xxx.xxx.xxx"
	for text, want := range map[string]string{
		"192.0.2.1":             x,
		"from 192.0.2.1 to":     "from " + x + " to",
		"192.0.2.1,192.0.2.2":   x + "," + x,
		"1.2.3.4.5.6.7.8":       x + "." + x,
		"1.2.3.4.5":             x + ".5",
		"1.2.3.4.":              x + ".",
		"..1.2.3.4":             ".." + x,
		"1..2.3.4.5":            "1.." + x,
		"999.999.999.999":       x,
		"1234.1.1.1":            "1" + x,
		"1.1.1.1234":            x + "4",
		"1.1234.1.1.1":          "1.1" + x,
		"1.2.3":                 "1.2.3",
		"1.2.3.x.4.5.6.7":       "1.2.3.x." + x,
		"":                      "",
		".":                     ".",
		"...":                   "...",
		"\xff1.2.3.4\xff":       "\xff" + x + "\xff",
		"1.2.3.٤":               "1.2.3.٤",
		"x1.2.3.4x":             "x" + x + "x",
		"1.2.3.41.2.3.4":        x + ".2.3.4",
		"10.0.0.1:443->10.0.0.": x + ":443->10.0.0.",
	} {
		t.Run(text, func(t *testing.T) {
			require.Equal(t, want, string(ipv4Pattern.ReplaceAll([]byte(text), []byte(x))), "the row is wrong")
			assert.Equal(t, want, redactText(t, IPv4("ip"), text))
		})
	}
}

func FuzzIPv4(f *testing.F) {
	for _, seed := range []string{"1.2.3.4.5.6.7.8", "1.2.3.41.2.3.4", "1234.1.1.1", "1.1.1.1234", "1..2.3.4.5", "a1.2.3.4\x80.5"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		requireSame(t, IPv4("ip"), ipv4Pattern, "xxx.xxx.xxx.xxx", text)
		requireSame(t, IPv4("ip"), ipv4Pattern, "xxx.xxx.xxx.xxx", only("0123456789..... a", text))
	})
}

func TestEmail(t *testing.T) {
	const x = "xxxxx@xxxxx.com"
	for text, want := range map[string]string{
		"bob@example.com":         x,
		"<bob.b+x@example.com>":   "<" + x + ">",
		"bob@example.com.":        x,
		"bob@example.com, a@b.c":  x + ", " + x,
		"bob@example":             "bob@example",
		"bob@example.":            "bob@example.",
		"bob@.com":                "bob@.com",
		"@example.com":            "@example.com",
		"a@b@c.d":                 "a@" + x,
		"a@b.c@d.e":               x + "@d.e",
		"a@b.c_@d.e":              x + x,
		"a@b..":                   x,
		"a@b.-":                   x,
		"@":                       "@",
		"@@":                      "@@",
		"bøb@example.com":         "bø" + x,
		"bob@exämple.com":         "bob@exämple.com",
		"a\xff@b.c":               "a\xff@b.c",
		"user=bob@example.com\n@": "user=" + x + "\n@",
	} {
		t.Run(text, func(t *testing.T) {
			require.Equal(t, want, string(emailPattern.ReplaceAll([]byte(text), []byte(x))), "the row is wrong")
			assert.Equal(t, want, redactText(t, Email("email"), text))
		})
	}
}

func FuzzEmail(f *testing.F) {
	for _, seed := range []string{"a@b.c@d.e", "a@b@c.d", "a@b.c_@d.e", "a@b..", "@", "x@y.\x80"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		requireSame(t, Email("email"), emailPattern, "xxxxx@xxxxx.com", text)
		requireSame(t, Email("email"), emailPattern, "xxxxx@xxxxx.com", only("aZ0_.+-@@@.. ", text))
	})
}

func TestIPv6(t *testing.T) {
	const x = "xxxx::xxxx"
	for text, want := range map[string]string{
		"2001:db8::1": x,
		"2001:0DB8:0000:0000:0000:0000:0000:0001": x,
		"from 2001:db8::1 to ::1":                 "from " + x + " to " + x,
		"[2001:db8::1]:443":                       "[" + x + "]:443",
		"2001:db8::1: refused":                    x + ": refused",
		"2001:db8::1.":                            x + ".",
		"2001:db8::1...":                          x + "...",
		"2001:db8::1.443 > 2001:db8::2.80:":       x + ".443 > " + x + ".80:",
		"client:2001:db8::1":                      "client:" + x,
		"fe80::1%eth0":                            x + "%eth0",
		"2001:db8::/32":                           x + "/32",
		"::ffff:192.0.2.1":                        x,
		"64:ff9b::192.0.2.1":                      x,
		"1:2:3:4:5:6:192.0.2.1":                   x,
		"1:2:3:4:5:6:7::":                         x,
		"::2:3:4:5:6:7:8":                         x,
		"::":                                      "::",
		"1:2:3:4:5:6:7:8:9":                       "1:2:3:4:5:6:7:8:9",
		"1:2:3:4::5:6:7:8":                        "1:2:3:4::5:6:7:8",
		"1::2::3":                                 "1::2::3",
		"12345::1":                                "12345::1",
		"12:34:56":                                "12:34:56",
		"2024-02-01T00:00:00.000Z":                "2024-02-01T00:00:00.000Z",
		"00:1a:2b:3c:4d:5e":                       "00:1a:2b:3c:4d:5e",
		"std::a":                                  "std::a",
		"Foo::Bar":                                "Foo::Bar",
		"Foo::bad":                                "Foo::bad",
		"abc::def_":                               "abc::def_",
		"dead::beef":                              "dead::beef",
		"Face::add(1)":                            "Face::add(1)",
		"::abc ::Abc":                             "::abc ::Abc",
		"dead::beef.443":                          "dead::beef.443",
		"fdaa::a FCab:cdef::b":                    x + " " + x,
		"fd::a":                                   "fd::a",
		"ab::c1":                                  x,
		"core::fmt::Display":                      "core::fmt::Display",
		"Vec3::add Foo2::a1":                      "Vec3::add Foo2::a1",
		"main.cc:12: a::b::c1":                    "main.cc:12: a::b::c1",
		"12:34:56.789 12:34:56,789":               "12:34:56.789 12:34:56,789",
		"01/Feb/2024:12:34:56 +0000":              "01/Feb/2024:12:34:56 +0000",
		"2024:02:01:12:34:56":                     "2024:02:01:12:34:56",
		"00-1a-2b-3c-4d-5e 001a.2b3c.4d5e":        "00-1a-2b-3c-4d-5e 001a.2b3c.4d5e",
		"SHA1 " + strings.Repeat("ab:", 19) + "0c": "SHA1 " + strings.Repeat("ab:", 19) + "0c",
		"MD5:" + strings.Repeat("d4:", 15) + "8c":  "MD5:" + strings.Repeat("d4:", 15) + "8c",
		"arn:aws:iam::aws:policy/a1":               "arn:aws:iam::aws:policy/a1",
		"arn:aws:s3:::bucket1/a":                   "arn:aws:s3:::bucket1/a",
		"arn:aws:s3:::1a":                          "arn:aws:s3:::1a",
		"arn:aws:cloudfront::123456789012:a/E1":    "arn:aws:cloudfront::123456789012:a/E1",
		"sha256:9f86d081884c7d65":                  "sha256:9f86d081884c7d65",
		"10.0.0.1:8080 localhost:443":              "10.0.0.1:8080 localhost:443",
		"http://[::1]:80/ ip=::1, (fe80::1)":       "http://[" + x + "]:80/ ip=" + x + ", (" + x + ")",
		"arn:aws:s3:::a":                           "arn:aws:s3:::a",
		"arn:aws:iam::123456789012:role/a":         "arn:aws:iam::123456789012:role/a",
		`"time":"12:00","ip":"2001:db8::1"`:        `"time":"12:00","ip":"` + x + `"`,
		":::1":                                     ":::1",
		":":                                        ":",
		"":                                         "",
		"é2001:db8::1é":                            "é" + x + "é",
		strings.Repeat("a:", 30) + ":1":            strings.Repeat("a:", 30) + ":1",
	} {
		t.Run(text, func(t *testing.T) {
			assert.Equal(t, want, redactText(t, IPv6("ip"), text))
		})
	}
}

// What package netip takes for an address and what isIPv6 takes for one is the same, but for zones and the address that
// has no digit of any base; and an address is found wherever white space is around it, unless it may be a name.
func FuzzIPv6(f *testing.F) {
	for _, seed := range []string{
		"2001:db8::1", "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::", "1::2::3", "::01.2.3.4", "1:2:3:4:5:6:7:1.2.3.4",
		"::1.2.3.4.5", "0X::", ":::", ":1::2", "1:", "::1:",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, s := range [][]byte{text, only("0123456789abcF:::::::.", text)} {
			address, err := netip.ParseAddr(string(s))
			want := err == nil && address.Is6() && address.Zone() == "" && string(s) != "::"
			require.Equal(t, want, isIPv6(s), "%q", s)
			if want && !isWords(s) {
				require.Equal(t, "at xxxx::xxxx !", redactText(t, IPv6("ip"), "at "+string(s)+" !"))
				require.Equal(t, `"xxxx::xxxx"`, redactText(t, IPv6("ip"), `"`+string(s)+`"`))
			}
			redactText(t, IPv6("ip"), string(s))
		}
	})
}

// only maps each byte to one of alphabet, so that a fuzzer's text is nearly one that matches.
func only(alphabet string, text []byte) []byte {
	out := make([]byte, len(text))
	for i, c := range text {
		out[i] = alphabet[int(c)%len(alphabet)]
	}
	return out
}

// redactText redacts text by one rule in every way there is, and requires that they agree.
func redactText(t *testing.T, rule Rule, text string) string {
	t.Helper()
	rules, err := Compile(rule)
	require.NoError(t, err)
	r := New(rules)
	out, hits := r.AppendText([]byte("before "), []byte(text))
	out, found := bytes.CutPrefix(out, []byte("before "))
	require.True(t, found, "what was there stays")
	requireCount(t, r, hits)
	return string(out)
}

func requireCount(t *testing.T, r *Redactor, want int) {
	t.Helper()
	sum := 0
	for _, n := range r.Counts {
		sum += n
	}
	require.Equal(t, want, sum)
}

// requireSame requires that a rule does what the standard library does.
func requireSame(t *testing.T, rule Rule, standard *regexp.Regexp, replacement string, text []byte) {
	t.Helper()
	requireSameBy(t, compiled(t, rule), standard, replacement, text)
}

func requireSameBy(t *testing.T, r *Redactor, standard *regexp.Regexp, replacement string, text []byte) {
	t.Helper()
	r.Reset()
	r.allow(len(text))
	out, hits := r.apply(text, nil) // not what escapes in it stand for
	require.Equal(t, string(standard.ReplaceAll(text, []byte(replacement))), string(out), "%q", text)
	require.Len(t, standard.FindAllIndex(text, -1), hits)
	requireCount(t, r, hits)
}
