package format

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/service"
)

// columnLogs are the logs whose lines are read on the desk.
var columnLogs = []service.Log{
	service.VPCFlow, service.GlobalAccelerator, service.NLB, service.ALB, service.CLB, service.ELBConnection, service.S3Access,
}

// withoutDesk reads a line as if it were too long for a desk.
func withoutDesk(naming Naming, log service.Log, line []byte) ([]byte, bool) {
	a := NewAttributes(naming)
	a.desk = &desk{limit: -1}
	return a.Append(nil, log, nil, line)
}

// Names that do not fit would be read the long way for each line.
func TestHeadsOfTablesFit(t *testing.T) {
	for log, l := range layouts {
		for _, table := range l.columns {
			for naming := range namings {
				for _, f := range table.in(naming) {
					assert.NotZero(t, f.keep, "%s: %s", log, f.name)
					for _, h := range append(f.more, f.head) {
						assert.NotZero(t, h.n, "%s: %s", log, h.text)
						assert.Equal(t, h.text, string(h.bytes[:h.n]))
					}
				}
			}
		}
	}
}

// sameWithoutDesk checks that a line says the same on a desk, which has seen others.
func sameWithoutDesk(t *testing.T, used *Attributes, log service.Log, line string) {
	t.Helper()
	want, wantOK := withoutDesk(AWS, log, []byte(line))
	got, ok := used.Append(nil, log, nil, []byte(line))
	require.Equal(t, wantOK, ok, "%s: %.300q", log, line)
	require.Equal(t, string(want), string(got), "%s: %.300q", log, line)
}

const deskALB = `http 2024-02-01T00:00:05.8Z app/x 10.0.0.1:1 10.0.0.2:80 0.1 0.2 -1 200 200 5 6 "GET https://example.com:443/a HTTP/1.1" ` +
	`"curl/8" TLS_AES_128_GCM_SHA256 TLSv1.3 arn:x "Root=1" "api.example.com" "-" 0 2024-02-01T00:00:05Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-"`

// The size of a column decides which way it goes: each one, at each place, with what stands around it.
func TestDeskAtEverySize(t *testing.T) {
	_, tail, _ := strings.Cut(deskALB, `"curl/8"`)
	used := NewAttributes(AWS)
	sizes := []int{1, 2, 6, 7, 8, 9, 14, 15, 16, 17, 23, 24, 25, 31, 32, 33, 48, 64, 100, 2040, 2048, 2049, 3900, 4095, 5000}
	for size := 600; size < 700; size += 7 { // so that what the names add is too much
		sizes = append(sizes, size, size+660, size+2900, size+3350)
	}
	for _, size := range sizes {
		for _, fill := range []string{"a", "7", "0", "-", "!", `"`, `\`, "\x01", "ü", "[", ":", "7.", "ab]", `" `, `\ `, "! ", "]"} {
			value := strings.ToValidUTF8(strings.Repeat(fill, size/len(fill)+1)[:size], "x")
			for log, lines := range map[service.Log][]string{
				service.VPCFlow: {
					"2 " + value + " eni-1 " + value + " 10.0.0.1 " + value + " 443 6 1 2 1706745600 1706745660 ACCEPT OK",
					"2 " + value + " eni-1 10.0.0.2 10.0.0.1 80 443 6 1 2 1706745600 1706745660 ACCEPT OK",
				},
				service.ALB: {
					value + strings.TrimPrefix(deskALB, "http"),
					"http 2024-02-01T00:00:05.8Z " + value + " 10.0.0.1:" + value + " " + value + ":80 0.1 " + value + ` -1 200 200 5 6 "GET ` + value + ` HTTP/1.1" "` + value + `"` + tail,
					"http 2024-02-01T00:00:05" + value + " app/x 10.0.0.1:1 - 0.1 0.2 -1 200 200 5 6 " + `"` + value + `" "` + value + ` "` + tail,
				},
				service.S3Access: {"a b [" + value + "] 192.0.2.3 " + value + " id OP key " + `"` + value + `" 200 - ` + value + ` - 7 - "` + value + `" "-" - x`},
			} {
				for _, line := range lines {
					sameWithoutDesk(t, used, log, line)
				}
			}
		}
	}
}

// A hyphen is absence wherever it stands.
func TestDeskWithHyphens(t *testing.T) {
	used := NewAttributes(AWS)
	for _, request := range []string{"- https://x HTTP/1.1", "GET https://x -", "GET - HTTP/1.1", "- - -", "GET  x", "G x H", " GET x H", "GET x H ", "GET x", "-"} {
		sameWithoutDesk(t, used, service.ALB, strings.Replace(deskALB, "GET https://example.com:443/a HTTP/1.1", request, 1))
	}
	for _, address := range []string{"-", ":", "-:-", "-:80", "10.0.0.1:-", "10.0.0.1", "[::1]:80", "::1:80", "x:", "a:-1", "a:1.5", "a:08"} {
		sameWithoutDesk(t, used, service.ALB, strings.Replace(deskALB, "10.0.0.1:1", address, 1))
	}
}

// What is left of a line that was longer must not show in the next, wherever that ends.
func TestDeskForgets(t *testing.T) {
	a := NewAttributes(AWS)
	for n := len(deskALB); n > 0; n-- {
		for _, log := range columnLogs {
			for _, longer := range []string{strings.Repeat("9", 600), strings.Repeat(`" `, 300), strings.Repeat(` "`, 300), strings.Repeat("] ", 300)} {
				_, _ = a.Append(nil, log, nil, []byte(longer))
				sameWithoutDesk(t, a, log, deskALB[:n])
			}
		}
	}
}

// FuzzDesk reads any line on a desk that has seen others and without one.
func FuzzDesk(f *testing.F) {
	for i := range columnLogs {
		for _, line := range []string{
			"2 123456789012 eni-0123456789abcdef0 10.0.0.1 2001:db8::1 41234 443 6 2301 3912345 1706745600 1706745660 ACCEPT OK",
			`https 2024-02-01T00:00:05.812345Z app/x/0 [2001:db8::17]:51820 10.0.0.1:80 0.1 -1 0.000 200 - 5 123456789 "GET https://example.com:443/?q="a" b HTTP/1.1" "say \"hi\"" - - arn:x "Root=1" "-" "-" 0 2024-02-01T00:00:05Z "waf,forward" "-" "-" "-" "-" "-" "-" TID_1`,
			`o b [29/Feb/2024:23:59:59 +0000] 192.0.2.3 - id REST.GET.OBJECT a%2520b! "GET /a HTTP/1.1" 200 - 113 007 7 1234567890123456 "-" "x" - x= SigV4`,
			`tls 2.0 2024-02-01T00:00:42 net/x g 203.0.113.154:51341 :443 5 2 98 246 - - - - - - - - "h2","http/1.1"`,
		} {
			f.Add(uint(i), uint8(i), []byte(line))
		}
	}
	used := [namings]*Attributes{NewAttributes(AWS), NewAttributes(ECS), NewAttributes(OTel)}
	f.Fuzz(func(t *testing.T, n uint, which uint8, line []byte) {
		if !utf8.Valid(line) {
			t.Skip("lines are valid UTF-8")
		}
		log, naming := columnLogs[n%uint(len(columnLogs))], Naming(which)%namings
		want, wantOK := withoutDesk(naming, log, bytes.Clone(line))
		got, ok := used[naming].Append(nil, log, nil, line)
		require.Equal(t, wantOK, ok)
		require.Equal(t, string(want), string(got))
	})
}

// Tables are made by whoever comes first, and that may be several.
func TestTablesAreMadeByManyAtATime(t *testing.T) {
	fresh := &table{entries: albColumns.entries, least: albColumns.least}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			assert.Equal(t, "client_ip", fresh.in(AWS)[3].head.name())
			assert.Equal(t, "source.ip", fresh.in(ECS)[3].head.name())
			at, ok := fresh.place([]byte("user_agent"))
			assert.True(t, ok)
			assert.Equal(t, 13, at)
		})
	}
	all.Wait()
}
