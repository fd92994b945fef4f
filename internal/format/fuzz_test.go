package format_test

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"sluice/internal/format"
	"sluice/internal/service"
)

// written are the layouts of times as package time knows them, and the line that a time stands in.
var written = []struct {
	log           service.Log
	before, after string
	layouts       []string
	ends          string // bytes that would end the time in its line
}{
	{service.ALB, "http ", " app/x", []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05.999999999Z0700"}, " \r\n"},
	{service.CLB, "", " shop", []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05.999999999Z0700"}, " \r\n"},
	{service.CloudFront, "", "\tLAX1", []string{"2006-01-02\t15:04:05"}, "{\r\n"},
	{service.EC2Spot, "", "\tSpotUsage", []string{"2006-01-02 15:04:05 UTC"}, "\t\r\n"},
	{service.S3Access, "o b ", " 192.0.2.1", []string{"[02/Jan/2006:15:04:05 -0700]"}, "]\r\n"},
	{service.MSKBroker, "", " INFO x", []string{"[2006-01-02 15:04:05,000]"}, "]W\r\n"},
	{service.Redshift, "authenticated |", "|192.0.2.1", []string{"Mon, 2 Jan 2006 15:04:05.000"}, "|\r\n"},
	{service.Redshift, "'", " UTC [ db=", []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05.999999999Z0700"}, " |\r\n"},
	{service.Route53Resolver, `{"query_timestamp":"`, `"}`, []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05.999999999Z0700"}, "\"\\\r\n"},
}

// parsed is what package time makes of a text, which has a leap second counted into the next minute.
func parsed(layouts []string, text string) (millis int64, exact, ok bool) {
	for _, layout := range layouts {
		if when, err := time.Parse(layout, text); err == nil {
			// Package time reads zones beyond a day from UTC, which RFC 3339 does not have.
			_, zone := when.Zone()
			return when.UnixMilli(), when.Format(layout) == text && max(zone, -zone) < 24*60*60, true
		}
		for at := strings.Index(text, ":60"); at >= 0; at = next(text, at) {
			if when, err := time.Parse(layout, text[:at]+":59"+text[at+3:]); err == nil {
				return when.UnixMilli() + 1000, false, true
			}
		}
	}
	return 0, false, false
}

func next(text string, at int) int {
	if further := strings.Index(text[at+1:], ":60"); further >= 0 {
		return at + 1 + further
	}
	return -1
}

// FuzzMillis puts a text where a log has its time. Where package time reads one, the clock reads the same or none; a time
// as package time would write it, it has to read.
func FuzzMillis(f *testing.F) {
	times := []string{
		"2024-02-29T23:59:59.123456Z", "2024-02-29T23:59:60Z", "2023-02-29T00:00:00Z", "2024-02-01T00:00:00+0130",
		"2024-02-01T00:00:00-09:30", "2024-02-01T00:00:00", "9999-12-31T23:59:59-00:01", "1970-01-01T00:00:00.001Z",
		"2024-02-01\t21:02:31", "2024-03-17 20:14:32 UTC", "[06/Feb/2019:00:00:38 +0000]", "[2024-02-01 00:00:00,151]",
		"Thu, 1 Feb 2024 00:00:00.482", "Mon, 12 Feb 2024 00:00:60.482", "2024-02-01T00:00:00,5Z",
	}
	for i := range written {
		for _, text := range times {
			f.Add(uint(i), text)
		}
	}
	f.Fuzz(func(t *testing.T, n uint, text string) {
		w := written[n%uint(len(written))]
		inside := strings.TrimSuffix(text, "]")
		if strings.ContainsAny(inside, w.ends) {
			t.Skip("such a text ends its field, so the clock is shown another one")
		}
		want, exact, ok := parsed(w.layouts, text)
		if w.log == service.Redshift && w.before != "'" { // which has a colon where package time needs a dot
			if at := strings.LastIndexByte(text, '.'); at >= 0 {
				text = text[:at] + ":" + text[at+1:]
			}
		}
		got := format.NewClock(w.log).Millis([]byte(w.before + text + w.after))
		if got != 0 {
			assert.True(t, ok, "package time reads none in %q", text)
			assert.Equal(t, want, got, "%q", text)
		}
		if exact && want > 0 && want < 253_402_300_800_000 {
			assert.Equal(t, want, got, "%q", text)
		}
	})
}

// FuzzClock shows any lines to the clock of any log: a header and a line after it. A flow log's column is the one that
// splitting the lines finds.
func FuzzClock(f *testing.F) {
	logs := everyLog
	for i := range logs {
		f.Add(uint(i), []byte("srcaddr start end"), []byte("192.0.2.1 1706745600 1706745660"))
		f.Add(uint(i), []byte("#Fields: c-ip date time"), []byte("192.0.2.1\t2024-02-01\t21:02:31"))
		f.Add(uint(i), []byte(gaHeader), []byte(gaLine))
		f.Add(uint(i), []byte(tgwHeader), []byte(tgwLine))
		for _, line := range freeLines {
			f.Add(uint(i), []byte("end"), []byte(line))
		}
		for _, s := range samples {
			f.Add(uint(i), []byte("end"), []byte(s.line))
		}
	}
	f.Fuzz(func(t *testing.T, n uint, header, line []byte) {
		log := logs[n%uint(len(logs))]
		clock := format.NewClock(log)
		named := clock.IsHeader(header)
		got := clock.Millis(line)
		assert.GreaterOrEqual(t, got, int64(0))
		assert.Less(t, got, int64(253_402_300_800_000))
		assert.Equal(t, got, clock.Millis(line), "the same every time")
		if log == service.VPCFlow && named && !bytes.HasPrefix(line, []byte("{")) {
			assert.Equal(t, flowMillis(header, line), got)
		}
	})
}

// flowMillis is the slow way to the time of a flow log's line.
func flowMillis(header, line []byte) int64 {
	names, columns := split(header), split(line)
	at := slices.Index(names, "end")
	if at < 0 {
		at = slices.Index(names, "start")
	}
	if at < 0 || at >= len(columns) {
		return 0
	}
	if !regexp.MustCompile(`^\d+(\.\d+)?$`).MatchString(columns[at]) {
		return 0
	}
	seconds, fraction, _ := strings.Cut(columns[at], ".")
	ms, err := strconv.ParseInt(seconds+(fraction + "000")[:3], 10, 64)
	if err != nil || ms >= 253_402_300_800_000 {
		return 0
	}
	return ms
}

func split(line []byte) []string {
	return strings.FieldsFunc(strings.TrimRight(string(line), "\r\n"), func(r rune) bool { return r == ' ' })
}
