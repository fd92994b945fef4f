package format_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/format"
	"sluice/internal/process/redact"
	"sluice/internal/record"
	"sluice/internal/service"
)

// TestKeepEscapes has a row for every log with escapes of its own: what a value is, decoded and kept.
func TestKeepEscapes(t *testing.T) {
	const auth, audit = `time="2024-02-01T00:00:00Z" level=info `, "20240201 00:00:00,h,u,c,1,2,QUERY,db,"
	cloudFront := "2024-02-01\t00:00:01\tIAD\t10\t-\tGET\td.example.com\t/%e6%97%a5\t200\t-\ta%2520b%22\t%2D"
	for name, tc := range map[string]struct {
		log           service.Log
		header, line  string
		member        string
		decoded, kept string
	}{
		"CloudFront, path":           {service.CloudFront, "", cloudFront, "cs-uri-stem", "/日", "/%e6%97%a5"},
		"CloudFront, agent":          {service.CloudFront, "", cloudFront, "cs(User-Agent)", `a%20b"`, "a%2520b%22"},
		"CloudFront, absent decoded": {service.CloudFront, "", cloudFront, "cs-uri-query", "-", "%2D"},
		"CloudFront, no UTF-8":       {service.CloudFront, "#Fields: cs-uri-stem", "/%ff", "cs-uri-stem", "/%ff", "/%ff"},
		"CloudFront, unknown column": {service.CloudFront, "#Fields: date new", "2024-02-01\t%41", "new", "A", "%41"},
		"CloudFront as JSON":         {service.CloudFront, "", `{"cs-uri-stem":"/a%20\u0025\u00341b"}`, "cs-uri-stem", "/a Ab", "/a%20%41b"},
		"real-time":                  {service.CloudFrontRealtime, "timestamp\tcs-uri-query", "1700000000.123\tm=john%40example.com", "cs-uri-query", "m=john@example.com", "m=john%40example.com"},
		"authenticator":              {service.EKSAuthenticator, "", auth + `msg="john\x40example.com \"\055\" \u00e9\n"`, "msg", "john@example.com \"-\" é\n", `john\x40example.com \"\055\" \u00e9\n`},
		"authenticator, own pair":    {service.EKSAuthenticator, "", auth + `a="\101"`, "a", "A", `\101`},
		"audit, quote":               {service.MySQLAudit, "", audit + `'select \'a,b\'',0`, "object", "select 'a,b'", `select \'a,b\'`},
		"audit, others":              {service.MySQLAudit, "", audit + `'a\n\\\q` + "\n" + `',0`, "object", "a\n\\\\q\n", `a\n\\\q` + "\n"},
		"audit, nothing escaped":     {service.MySQLAudit, "", audit + `'select 1',0`, "object", "select 1", "select 1"},
	} {
		t.Run(name, func(t *testing.T) {
			for keep, want := range map[bool]string{false: tc.decoded, true: tc.kept} {
				a := format.NewAttributes(format.AWS)
				a.KeepEscapes = keep
				var header []byte
				if tc.header != "" {
					header = []byte(tc.header)
				}
				for range 2 { // its buffers are used again
					out, ok := a.Append(nil, tc.log, header, []byte(tc.line))
					require.True(t, ok)
					assert.Contains(t, inOrder(t, out), namedValue{tc.member, "'" + want + "'"}, "kept: %t", keep)
				}
			}
		})
	}
}

// A rule that has left a line as it is finds nothing in its attributes either.
func TestAttributesShowNothingThatRedactionDidNotSee(t *testing.T) {
	rules, err := redact.Compile(redact.IP("ip"), redact.Email("email"),
		redact.Rule{Name: "canary", Pattern: `CANARY-[0-9]+`, Replacement: "gone"}, redact.Rule{Name: "quoted", Pattern: `'secret'`, Replacement: "gone"})
	require.NoError(t, err)
	for name, tc := range map[string]struct {
		log          service.Log
		header, line string
		broken       bool // JSON that is none has no attributes
	}{
		"CloudFront":    {log: service.CloudFront, line: "2024-02-01\t00:00:01\tIAD\t10\t-\tGET\td.example.com\t/x\t200\t-\tMozilla\tm=john%40example.com&ip=192%2E0%2E2%2E1&c=CANARY%2D123"},
		"real-time":     {log: service.CloudFrontRealtime, header: "timestamp\tcs-uri-query", line: "1700000000.123\tm=john%40example.com&ip=192%2E0%2E2%2E1&c=CANARY%2D123"},
		"authenticator": {log: service.EKSAuthenticator, line: `time="2024-02-01T00:00:00Z" level=info msg="john\x40example.com 192\x2e0\x2e2\x2e1 CANARY\055123"`},
		"audit":         {log: service.MySQLAudit, line: `20240201 00:00:00,h,u,c,1,2,QUERY,db,'select \'secret\' \\CANARY-123',0`},
		"flow log": {
			log: service.VPCFlow, header: "srcaddr dstaddr", line: `{"message":"[\u0027secret'] john\u0040example.com"}`,
		},
		"flow log, broken": {
			log: service.VPCFlow, header: "srcaddr dstaddr", line: `{"message":"'sec\u005cu0072et'\ta`, broken: true,
		},
		"flow log, almost JSON": {
			log: service.VPCFlow, header: "srcaddr dstaddr", line: `{"message":"a \"b",}`, broken: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := redact.New(rules)
			line, _ := r.Message(record.Plain([]byte(tc.line)))
			a := format.NewAttributes(format.AWS)
			a.KeepEscapes = true
			var header []byte
			if tc.header != "" {
				header = []byte(tc.header)
			}
			out, ok := a.Append(nil, tc.log, header, line.AppendPlain(nil))
			require.Equal(t, !tc.broken, ok, "%s", line.Bytes)
			if !ok {
				return
			}
			for _, m := range inOrder(t, out) {
				for _, secret := range []string{"john@example.com", "192.0.2.1", "CANARY-123", "'secret'"} {
					assert.NotContains(t, m.value, secret, m.name)
				}
			}
		})
	}
}

// wordsOfOurs are values that stand in no line.
var wordsOfOurs = []string{
	"INFO", "WARNING", "ERROR", "FATAL", "timeout", "platform.start", "platform.end", "platform.report", "platform.initStart",
	"platform.initReport", "platform.restoreStart", "platform.restoreReport",
}

// FuzzKeepEscapes: where escapes are kept, each value of a line of text is a part of it, and so is nothing that redaction has
// not seen.
func FuzzKeepEscapes(f *testing.F) {
	lines := append([]string{
		albLine, clbLine, nlbLine, s3Line, vpcLine, tgwLine, gaLine, cfLine + "%20%ff%2", connLine, authLine,
		`time="2024-02-01T00:00:00Z" a="\x40\"" b=c a="\055"`, `20240201 00:00:00,h,u,c,1,2,QUERY,db,'a \'b\' \n\\',0,x`,
		"100 |awsuser | |alter|1|1|0|infinity |32453|1861|Thu, 1 Feb 2024 00:00:02:111",
		"'2024-02-01T00:00:05Z UTC [ db=dev user=awsuser pid=32453 userid=100 xid=1864 ]' LOG: select 1",
	}, freeLines...)
	headers := []string{"", vpcHeader, gaHeader, cfHeader, "#Fields: cs(Cookie) new", "timestamp cs-uri-query"}
	for i := range everyLog {
		for j, line := range lines {
			f.Add(uint(i), []byte(headers[(i+j)%len(headers)]), []byte(line))
		}
	}
	f.Fuzz(func(t *testing.T, n uint, header, line []byte) {
		if !utf8.Valid(line) || bytes.Contains(line, []byte("{")) {
			t.Skip("lines are valid UTF-8; JSON has escapes that redaction reads")
		}
		if len(header) == 0 {
			header = nil
		}
		a := format.NewAttributes(format.AWS)
		a.KeepEscapes = true
		out, ok := a.Append(nil, everyLog[n%uint(len(everyLog))], header, line)
		if !ok {
			return
		}
		for _, m := range inOrder(t, out) {
			value := strings.TrimSuffix(strings.TrimPrefix(m.value, "'"), "'")
			if !slices.Contains(wordsOfOurs, value) {
				require.Contains(t, string(line), value, "%s of %q", m.name, line)
			}
		}
	})
}
