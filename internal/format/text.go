package format

import (
	"bytes"
	"strings"
)

// accessMillis reads the third column of an S3 server access log: [06/Feb/2019:00:00:38 +0000].
// Source: S3 user guide, "Amazon S3 server access log format".
func accessMillis(_ *Clock, line []byte) int64 {
	const layout = "[02/Jan/2006:15:04:05 -0700]"
	_, b := column(line, 1, ' ')
	if len(b) < len(layout) || b[0] != '[' || b[len(layout)-1] != ']' {
		return 0
	}
	return parseRequestTime(b[1 : len(layout)-1])
}

// parseRequestTime reads "06/Feb/2019:00:00:38 +0000", the time of the Common Log Format; 0 when b is not one.
func parseRequestTime(b []byte) int64 {
	const layout = "02/Jan/2006:15:04:05 -0700"
	if len(b) != len(layout) || b[2] != '/' || b[6] != '/' || b[11] != ':' || b[20] != ' ' {
		return 0
	}
	century, year := two(b[7], b[8]), two(b[9], b[10])
	if century == bad || year == bad {
		return 0
	}
	days, ok := daysOf(century*100+year, monthOf(b[3:6]), two(b[0], b[1]))
	if !ok {
		return 0
	}
	clock, ok := parseClock(b[12:20])
	if !ok {
		return 0
	}
	offset, _, ok := parseOffset(b[21:])
	if !ok {
		return 0
	}
	return (days*86400 + clock - offset) * 1000
}

// log4jMillis reads the time that Kafka's lines begin with, in UTC: [2024-02-01 00:00:00,151]. Workers of MSK Connect have
// their id before it. Lines that continue another have no time.
// Source: Kafka's config/log4j.properties, whose pattern begins with %d.
func log4jMillis(_ *Clock, line []byte) int64 {
	const layout = "[2006-01-02 15:04:05,000]"
	if rest, ok := bytes.CutPrefix(line, []byte("[Worker-")); ok {
		_, line, _ = bytes.Cut(rest, []byte("] "))
	}
	if len(line) < len(layout) || line[0] != '[' || line[len(layout)-1] != ']' {
		return 0
	}
	seconds, ok := parseCivil(line[1:], ' ')
	if !ok {
		return 0
	}
	ms, ok := parseMillis(line[1+civilBytes:len(layout)-1], ',')
	if !ok {
		return 0
	}
	return seconds*1000 + ms
}

// parseMillis reads three digits behind a separator.
func parseMillis(b []byte, separator byte) (ms int64, ok bool) {
	if len(b) != len(",000") || b[0] != separator || b[1]-'0' > 9 {
		return 0, false
	}
	ones := two(b[2], b[3])
	return int64(b[1]-'0')*100 + int64(ones), ones != bad
}

// redshiftMillis reads each of the three audit logs. What a line begins with tells a user activity log; the others have
// recordtime as their second column of many, or as the eleventh. A query that goes on over several lines has its
// time in the first.
// Source: Redshift management guide, "Database audit logging".
func redshiftMillis(_ *Clock, line []byte) int64 {
	if len(line) > 0 && line[0] == '\'' {
		return activityMillis(line[1:])
	}
	const connectionTime, userTime = 1, 10
	for _, n := range [...]int{connectionTime, userTime} {
		text, _ := column(line, n, '|')
		if ms := recordTime(bytes.TrimRight(text, " ")); ms != 0 {
			return ms
		}
	}
	return 0
}

// activityMillis reads "2024-02-01T00:00:05Z UTC [ db=…".
func activityMillis(b []byte) int64 {
	ms, rest, ok := parseISO(b)
	if !ok || !bytes.HasPrefix(rest, []byte(" UTC [")) {
		return 0
	}
	return ms
}

// recordTime reads "Thu, 1 Feb 2024 00:00:00:482": a colon before the milliseconds, the day not padded.
func recordTime(b []byte) int64 {
	const weekdays = "MonTueWedThuFriSatSun"
	if len(b) < len("Mon, 2 Jan 2006 15:04:05:000") || b[3] != ',' || b[4] != ' ' {
		return 0
	}
	if at := strings.Index(weekdays, string(b[:3])); at < 0 || at%3 != 0 {
		return 0
	}
	b = b[len("Mon, "):]
	if b[1] == ' ' {
		return dayTime(two('0', b[0]), b[1:], ':')
	}
	return dayTime(two(b[0], b[1]), b[2:], ':')
}

// dayTime reads what follows the day of a month: " Feb 2024 00:00:00:482", with a separator before the milliseconds.
func dayTime(day int, b []byte, separator byte) int64 {
	const layout = " Jan 2006 15:04:05:000"
	if len(b) != len(layout) || b[0] != ' ' || b[4] != ' ' || b[9] != ' ' {
		return 0
	}
	century, year := two(b[5], b[6]), two(b[7], b[8])
	if century == bad || year == bad || day == bad {
		return 0
	}
	days, ok := daysOf(century*100+year, monthOf(b[1:4]), day)
	if !ok {
		return 0
	}
	clock, ok := parseClock(b[10:18])
	if !ok {
		return 0
	}
	ms, ok := parseMillis(b[18:], separator)
	if !ok {
		return 0
	}
	return (days*86400+clock)*1000 + ms
}
