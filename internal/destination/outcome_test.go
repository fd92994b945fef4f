package destination_test

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/destination"
)

// codes lists the status codes from first to last.
func codes(first, last int) []int {
	var list []int
	for code := first; code <= last; code++ {
		list = append(list, code)
	}
	return list
}

// The rows are those of http-intakes 2.2, as delivery contract 2.4 amends it (401 and 403 are worth one look at the
// secret, 431 is configuration, any other 5xx is transient). Each code from 100 to 599 stands in exactly one row.
func TestOfStatus(t *testing.T) {
	seen := make(map[int]string)
	for name, tc := range map[string]struct {
		statuses [][]int
		want     destination.Verdict
	}{
		"interim answers end nothing": {
			statuses: [][]int{codes(100, 199)},
			want:     destination.Refused,
		},
		"success": {
			statuses: [][]int{codes(200, 206), codes(208, 259), codes(261, 299)},
			want:     destination.Delivered,
		},
		"207 and 260 do not say that all is in": {
			statuses: [][]int{{207, 260}},
			want:     destination.Refused,
		},
		"redirects are never followed": {
			statuses: [][]int{codes(300, 399)},
			want:     destination.Refused,
		},
		"perhaps one bad record": {
			statuses: [][]int{{400, 422}},
			want:     destination.Invalid,
		},
		"perhaps a rotated key": {
			statuses: [][]int{{401, 403}},
			want:     destination.Unauthorized,
		},
		"too large": {
			statuses: [][]int{{413}},
			want:     destination.TooLarge,
		},
		"content coding refused": {
			statuses: [][]int{{415}},
			want:     destination.Unsupported,
		},
		"come again later, also behind a cold proxy": {
			statuses: [][]int{{407, 408, 425, 429}},
			want:     destination.Retry,
		},
		"account, address or request are wrong": {
			statuses: [][]int{{402, 404, 405, 406, 410, 411, 421, 426, 431, 451}},
			want:     destination.Refused,
		},
		"other 4xx: somebody has to look": {
			statuses: [][]int{
				{409, 412, 414, 423, 424}, codes(416, 420), {427, 428, 430}, codes(432, 450), codes(452, 499),
			},
			want: destination.Refused,
		},
		"servers and gateways in trouble": {
			statuses: [][]int{{500, 502, 503, 504, 507, 508}, codes(520, 527), {529, 530}},
			want:     destination.Retry,
		},
		"the server cannot do this at all": {
			statuses: [][]int{{501, 505, 511}},
			want:     destination.Refused,
		},
		"other 5xx are taken as transient": {
			statuses: [][]int{{506, 509, 510, 528}, codes(512, 519), codes(531, 599)},
			want:     destination.Retry,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, list := range tc.statuses {
				for _, status := range list {
					assert.Equal(t, tc.want, destination.OfStatus(status), status)
					assert.Empty(t, seen[status], "%d stands in two rows", status)
					seen[status] = name
				}
			}
		})
	}
	assert.Len(t, seen, 500, "codes in the table")
}

func TestAnswer(t *testing.T) {
	now := time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC)
	for name, tc := range map[string]struct {
		verdict    destination.Verdict
		status     int
		retryAfter string
		want       destination.Outcome
	}{
		"delivered needs no reason and no wait": {
			verdict: destination.Delivered, status: 202, retryAfter: "7",
			want: destination.Outcome{Verdict: destination.Delivered},
		},
		"reason is the status": {
			verdict: destination.Refused, status: 404,
			want: destination.Outcome{Verdict: destination.Refused, Reason: "http_404"},
		},
		"wait in seconds; 429 alone asks for less at a time": {
			verdict: destination.Retry, status: 429, retryAfter: "7",
			want: destination.Outcome{
				Verdict: destination.Retry, Reason: "http_429", Wait: 7 * time.Second, Throttled: true,
			},
		},
		"wait until a date, measured from now": {
			verdict: destination.Retry, status: 503, retryAfter: "Fri, 02 Jan 2026 03:05:05 GMT",
			want: destination.Outcome{Verdict: destination.Retry, Reason: "http_503", Wait: time.Minute},
		},
		"wait that cannot be read is none": {
			verdict: destination.Retry, status: 503, retryAfter: "soon",
			want: destination.Outcome{Verdict: destination.Retry, Reason: "http_503"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			resp := &http.Response{StatusCode: tc.status, Header: http.Header{}}
			if tc.retryAfter != "" {
				resp.Header.Set("Retry-After", tc.retryAfter)
			}
			assert.Equal(t, tc.want, destination.Answer(tc.verdict, resp, now))
		})
	}
}

func TestIsHTML(t *testing.T) {
	for name, tc := range map[string]struct {
		contentType, body string
		want              bool
	}{
		"declared":                            {contentType: "text/html; charset=utf-8", body: "hello", want: true},
		"declared in capitals":                {contentType: "Text/HTML", body: "", want: true},
		"declared as XHTML":                   {contentType: "application/xhtml+xml", body: "<?xml?>", want: true},
		"page without a type":                 {body: "\r\n <!doctype html><title>Sign in</title>", want: true},
		"page that claims to be JSON":         {contentType: "application/json", body: "<html></html>", want: true},
		"page that claims to be text":         {contentType: "text/plain", body: "<meta http-equiv=refresh>", want: true},
		"XML data is an answer":               {contentType: "application/xml", body: "<ok/>"},
		"XML data of the older type":          {contentType: "text/xml; charset=utf-8", body: "<ok/>"},
		"JSON":                                {contentType: "application/json", body: `{"html":"<p>"}`},
		"no body":                             {},
		"type that only starts like a page's": {contentType: "text/html-template", body: "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			resp := &http.Response{Header: http.Header{"Content-Type": {tc.contentType}}}
			assert.Equal(t, tc.want, destination.IsHTML(resp, []byte(tc.body)))
		})
	}
}

// longest is the most that any answer can make us wait.
const longest = 24 * time.Hour

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, time.January, 2, 3, 4, 5, 500_000_000, time.UTC)
	const untilDate = 29*time.Second + 500*time.Millisecond // from now to the dates ahead
	for name, tc := range map[string]struct {
		value string
		want  time.Duration
		ok    bool
	}{
		"seconds":                                {value: "120", want: 2 * time.Minute, ok: true},
		"zero":                                   {value: "0", ok: true},
		"leading zeros":                          {value: "007", want: 7 * time.Second, ok: true},
		"fraction":                               {value: "1.25", want: 1250 * time.Millisecond, ok: true},
		"fraction alone":                         {value: ".5", want: 500 * time.Millisecond, ok: true},
		"white space around":                     {value: " \t30 ", want: 30 * time.Second, ok: true},
		"a day":                                  {value: "86400", want: longest, ok: true},
		"more than a day is cut":                 {value: "86401", want: longest, ok: true},
		"more than a Duration holds":             {value: "9223372036854775807", want: longest, ok: true},
		"more than an int64 holds":               {value: "9223372036854775808", want: longest, ok: true},
		"more than a float64 holds":              {value: strings.Repeat("9", 400), want: longest, ok: true},
		"date ahead":                             {value: "Fri, 02 Jan 2026 03:04:35 GMT", want: untilDate, ok: true},
		"date ahead, RFC 850":                    {value: "Friday, 02-Jan-26 03:04:35 GMT", want: untilDate, ok: true},
		"date ahead, asctime":                    {value: "Fri Jan  2 03:04:35 2026", want: untilDate, ok: true},
		"date ahead, white space around":         {value: " Fri, 02 Jan 2026 03:04:35 GMT ", want: untilDate, ok: true},
		"date far ahead is cut":                  {value: "Fri, 31 Dec 9999 23:59:59 GMT", want: longest, ok: true},
		"date past is no wait":                   {value: "Fri, 02 Jan 2026 03:04:05 GMT", ok: true},
		"date long past is no wait":              {value: "Mon, 01 Jan 0001 00:00:00 GMT", ok: true},
		"empty":                                  {value: ""},
		"white space alone":                      {value: "  "},
		"negative":                               {value: "-1"},
		"minus zero":                             {value: "-0"},
		"sign":                                   {value: "+1"},
		"not a number":                           {value: "NaN"},
		"infinity":                               {value: "Inf"},
		"infinity as JavaScript prints it":       {value: "Infinity"},
		"exponent":                               {value: "1e3"},
		"hexadecimal":                            {value: "0x10"},
		"digits of another script":               {value: "١٢"},
		"two dots":                               {value: "1.2.3"},
		"dot alone":                              {value: "."},
		"unit":                                   {value: "30s"},
		"two values":                             {value: "30, 60"},
		"date that is none":                      {value: "Fri, 32 Jan 2026 03:04:35 GMT"},
		"date of another kind":                   {value: "2026-01-02T03:04:35Z"},
		"epoch seconds read as a very long wait": {value: "1767323075", want: longest, ok: true},
	} {
		t.Run(name, func(t *testing.T) {
			wait, ok := destination.RetryAfter(tc.value, now)
			assert.Equal(t, tc.ok, ok, "ok")
			assert.Equal(t, tc.want, wait)
		})
	}
}

func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC)
	for _, seed := range []string{
		"", "0", "120", "1.5", " 30\t", "86400", "86401", "-1", "+1", "NaN", "Inf", "1e9", "0x1p4", "1_000",
		strings.Repeat("9", 400), "." + strings.Repeat("0", 400) + "1",
		"Fri, 02 Jan 2026 03:04:35 GMT", "Friday, 02-Jan-26 03:04:35 GMT", "Fri Jan  2 03:04:35 2026",
		"Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "soon",
	} {
		f.Add(seed, now.Unix())
	}
	f.Fuzz(func(t *testing.T, value string, nowSeconds int64) {
		now := time.Unix(nowSeconds%(1<<40), 0)
		wait, ok := destination.RetryAfter(value, now)
		require.GreaterOrEqual(t, wait, time.Duration(0))
		require.LessOrEqual(t, wait, longest)
		if !ok {
			require.Zero(t, wait)
		}

		trimmed := strings.TrimSpace(value)
		if seconds, err := strconv.ParseInt(trimmed, 10, 64); err == nil && trimmed[0] != '+' && trimmed[0] != '-' {
			require.True(t, ok)
			require.Equal(t, time.Duration(min(seconds, 86_400))*time.Second, wait)
			return
		}
		if at, err := http.ParseTime(trimmed); err == nil {
			require.True(t, ok)
			switch ahead := at.Unix() - now.Unix(); {
			case ahead <= 0:
				require.Zero(t, wait)
			case ahead >= 86_400:
				require.Equal(t, longest, wait)
			default:
				require.Equal(t, time.Duration(ahead)*time.Second, wait)
			}
			return
		}
		if ok { // what is left is a fraction, or a number beyond an int64
			seconds, _ := strconv.ParseFloat(trimmed, 64)
			require.GreaterOrEqual(t, seconds, 0.0)
			require.InDelta(t, math.Min(seconds, 86_400), wait.Seconds(), 1e-6)
		}
	})
}
