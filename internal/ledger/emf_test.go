package ledger

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sample returns a ledger with something in every place of the line, counted in no particular order of names.
func sample() (*Ledger, Invocation) {
	l := New("splunk-audit", "datadog")
	l.BytesIn(48_211)
	d := l.Account("datadog")
	d.In(1_000)
	d.Delivered(940)
	d.Dropped(HeaderLine, 1)
	d.Dropped(FilterExclude, 29)
	d.Parked("http_413", 20)
	d.Parked("decode_json", 10)
	d.Marked("truncated", 2)
	d.Marked("redacted", 17)
	d.Attempt(9_120, 84_250*time.Microsecond, false)
	d.Attempt(9_120, 31*time.Millisecond, true)
	d.PossibleDuplicate(500)
	s := l.Account("splunk-audit")
	s.In(1_000)
	s.Delivered(900)
	s.Returned("deadline", 98)
	s.Attempt(8_000, 12_007*time.Microsecond, false)
	return l, Invocation{
		FunctionName:    "sluice-s3",
		FunctionVersion: "$LATEST",
		RequestID:       "00000000-0000-4000-8000-000000000001",
		At:              time.Date(2026, time.January, 2, 3, 4, 5, 678_000_000, time.UTC),
		Remaining:       51_500 * time.Millisecond,
		Elapsed:         8_500_125 * time.Microsecond,
		ColdStart:       true,
		Error:           "ledger of destination \"splunk-audit\" does not balance:\nreturn the whole event",
	}
}

func TestAppendEMFGolden(t *testing.T) {
	const golden = "testdata/emf.golden"
	l, inv := sample()
	got := l.AppendEMF(nil, inv)
	if *update {
		require.NoError(t, os.WriteFile(golden, got, 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
	assert.Equal(t, "before "+string(want), string(l.AppendEMF([]byte("before "), inv)), "it appends")
}

// TestAppendEMFRules reads the line as CloudWatch does and holds it against the rules of the specification.
func TestAppendEMFRules(t *testing.T) {
	odd := "a\"b\\c\x00\x1b[31m\r\n\u2028\U000E0001é\xff" + strings.Repeat("x", 300)
	for name, tc := range map[string]struct {
		count func(l *Ledger)
		inv   Invocation
	}{
		"nothing counted": {
			count: func(*Ledger) {},
			inv:   Invocation{FunctionName: "f", At: time.Unix(1, 0)},
		},
		"no function name": {
			count: func(*Ledger) {},
			inv:   Invocation{FunctionName: " ", At: time.Unix(1, 0)},
		},
		"odd characters in every name": {
			count: func(l *Ledger) {
				a := l.Account(odd)
				a.Dropped(Rule(odd), 1)
				a.Parked(odd, 1)
				a.Returned(odd, 1)
				a.Marked(odd, 1)
			},
			inv: Invocation{FunctionName: "f", FunctionVersion: odd, RequestID: odd, Error: odd, At: time.Unix(1, 0)},
		},
		"more attempts than values allowed": {
			count: func(l *Ledger) {
				for i := range 1_000 {
					l.Account("a").Attempt(1, time.Duration(i)*time.Microsecond, false)
				}
			},
			inv: Invocation{FunctionName: "f", At: time.Unix(1, 0), Remaining: -time.Second},
		},
		"more names than an account keeps": {
			count: func(l *Ledger) {
				for _, name := range numbered(500) {
					l.Account("a").Parked(name, 1)
				}
			},
			inv: Invocation{FunctionName: "f", At: time.Unix(1, 0)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := New("a")
			tc.count(l)
			requireEMF(t, l.AppendEMF(nil, tc.inv))
		})
	}
}

func requireEMF(t *testing.T, line []byte) {
	t.Helper()
	require.True(t, bytes.HasSuffix(line, []byte("}\n")))
	require.Equal(t, 1, bytes.Count(line, []byte("\n")), "one line")
	require.Less(t, len(line), 256<<10, "smallest limit of a log event that AWS has had")
	for _, r := range string(line[:len(line)-1]) {
		require.True(t, unicode.IsPrint(r), "%U prints", r)
	}
	var root map[string]any
	require.NoError(t, json.Unmarshal(line, &root))
	var doc struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
	}
	require.NoError(t, json.Unmarshal(line, &doc))
	require.Positive(t, doc.AWS.Timestamp)
	require.Len(t, doc.AWS.CloudWatchMetrics, 1)
	directive := doc.AWS.CloudWatchMetrics[0]
	require.Equal(t, "Sluice", directive.Namespace)
	require.Equal(t, [][]string{{"FunctionName"}}, directive.Dimensions)
	value, isString := root["FunctionName"].(string)
	require.True(t, isString)
	require.NotEmpty(t, strings.TrimSpace(value))

	require.NotEmpty(t, directive.Metrics)
	require.LessOrEqual(t, len(directive.Metrics), 100)
	seen := map[string]bool{}
	for _, m := range directive.Metrics {
		require.False(t, seen[m.Name], "%s is defined once", m.Name)
		seen[m.Name] = true
		require.Contains(t, []string{"Count", "Bytes", "Milliseconds"}, m.Unit)
		requireMetricValue(t, root[m.Name])
	}
}

func requireMetricValue(t *testing.T, value any) {
	t.Helper()
	values, isArray := value.([]any)
	if !isArray {
		require.IsType(t, float64(0), value)
		return
	}
	require.NotEmpty(t, values)
	require.LessOrEqual(t, len(values), 100)
	for _, v := range values {
		require.IsType(t, float64(0), v)
	}
}

func TestAppendEMFValues(t *testing.T) {
	l, inv := sample()
	l.Account("datadog").Dropped(OwnLogGroup, 3)
	l.Account("datadog").Dropped(NotAllowedSource, 2)
	l.Account("datadog").In(4)
	l.Account("datadog").Returned(Continued, 3)
	l.Account("datadog").Returned(Reingested, 1)
	l.StoreFailed()
	var root map[string]any
	require.NoError(t, json.Unmarshal(l.AppendEMF(nil, inv), &root))
	for name, want := range map[string]any{
		"LinesIn": 2004.0, "LinesDelivered": 1840.0, "LinesDropped": 35.0, "LinesParked": 30.0, "LinesReturned": 98.0,
		"LinesHandedOn": 4.0, "StorePutErrors": 1.0,
		"Unaccounted": 7.0, "OwnLogGroup": 3.0, "NotAllowedSource": 2.0,
		"BytesIn": 48211.0, "BytesSent": 26240.0, "Requests": 3.0, "Retries": 1.0, "PossibleDuplicates": 500.0,
		"LatencyMs": []any{12.007, 31.0, 84.25}, "RemainingMs": 51500.0, "DurationMs": 8500.125,
		"cold_start": true, "error": inv.Error,
	} {
		assert.Equal(t, want, root[name], name)
	}

	inv.Error = ""
	assert.NotContains(t, string(New().AppendEMF(nil, inv)), `"error"`, "no error, no member")
	assert.NotContains(t, string(New().AppendEMF(nil, inv)), `"LatencyMs"`, "no attempt, no latency")
}

func TestAppendText(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"plain":                         {"http_503", `"http_503"`},
		"empty":                         {"", `""`},
		"quote and backslash":           {`a"b\c`, `"a\"b\\c"`},
		"control characters":            {"\x00\n\r\t\x1b\x7f\u0085", `"\u0000\u000a\u000d\u0009\u001b\u007f\u0085"`},
		"line separator and bidi":       {"\u2028\u202e", `"\u2028\u202e"`},
		"letters of any script stay":    {"é漢😀", `"é漢😀"`},
		"does not print, above U+FFFF":  {"\U000E0001", `"\udb40\udc01"`},
		"broken UTF-8":                  {"a\xc3", `"a` + "\uFFFD" + `"`},
		"cut at 256 bytes":              {strings.Repeat("a", 300), `"` + strings.Repeat("a", 256) + `"`},
		"cut before a rune of 4 bytes":  {strings.Repeat("a", 253) + "😀", `"` + strings.Repeat("a", 253) + `"`},
		"256 bytes that end in a quote": {strings.Repeat("a", 255) + `""`, `"` + strings.Repeat("a", 255) + `\""`},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, string(appendText(nil, tc.text)))
		})
	}
}

// FuzzAppendText reads back with encoding/json what was written.
func FuzzAppendText(f *testing.F) {
	for _, seed := range []string{"", "http_503", "a\"b\\c", "\x00\n\u2028\U000E0001\xff", strings.Repeat("é", 200)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var back string
		require.NoError(t, json.Unmarshal(appendText(nil, text), &back))
		require.Equal(t, clean(text), back)
		require.LessOrEqual(t, len(back), 256)
		if utf8.ValidString(text) {
			require.True(t, strings.HasPrefix(text, back))
			require.Greater(t, len(back), min(len(text), 256)-utf8.UTFMax)
		}
	})
}

func BenchmarkAppendEMF(b *testing.B) {
	l, inv := sample()
	line := l.AppendEMF(nil, inv)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		line = l.AppendEMF(line[:0], inv)
	}
}
