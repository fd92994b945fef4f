package format

import (
	"bytes"

	"sluice/internal/jsonwalk"
)

// fieldsDirective opens the comment that names the columns of an extended log.
const fieldsDirective = "#Fields:"

// isDirective knows a comment of the W3C extended log format: "#Version: 1.0", "#Fields: …". Values never begin with #.
// Source: W3C working draft "Extended Log File Format", directives.
func isDirective(_ *Clock, line []byte) bool {
	name, _, ok := bytes.Cut(line, []byte(":"))
	if !ok || len(name) < 2 || name[0] != '#' {
		return false
	}
	for _, b := range name[1:] {
		if letter := b | ' '; (letter < 'a' || letter > 'z') && b != '-' {
			return false
		}
	}
	return true
}

// isCloudFrontHeader remembers which columns a #Fields directive puts date and time in, or an epoch time in a log whose
// fields a user has chosen. A merged object may have several.
func isCloudFrontHeader(c *Clock, line []byte) bool {
	if !isDirective(c, line) {
		return false
	}
	fields, ok := bytes.CutPrefix(line, []byte(fieldsDirective))
	if !ok {
		return true
	}
	c.named, c.names = true, cloudFrontNames(fields)
	return true
}

// cloudFrontMillis reads the columns that tabs separate: date and time, both UTC, come first unless a header says
// otherwise.
// Source: CloudFront developer guide, "Standard logging", log file fields.
func cloudFrontMillis(c *Clock, line []byte) int64 {
	if len(line) > 0 && line[0] == '{' {
		return cloudFrontObjectMillis(line)
	}
	at := names{date: 0, time: 1, epoch: -1}
	if c.named {
		at = c.names
	}
	if at.date >= 0 && at.time >= 0 {
		date, _ := column(line, at.date, '\t')
		clock, _ := column(line, at.time, '\t')
		return dateAndClock(date, clock)
	}
	return tabbedEpoch(line, at)
}

// cloudFrontObjectMillis reads a line of a log that is delivered as JSON.
func cloudFrontObjectMillis(line []byte) int64 {
	var date, clock []byte
	members := jsonwalk.Object(line)
	for (date == nil || clock == nil) && members.Next() {
		switch string(members.Name()) {
		case "date":
			date, _ = jsonwalk.Text(members.Value())
		case "time":
			clock, _ = jsonwalk.Text(members.Value())
		}
	}
	return dateAndClock(date, clock)
}

func dateAndClock(date, clock []byte) int64 {
	days, ok := parseDate(date)
	if !ok || len(date) != dateBytes {
		return 0
	}
	seconds, ok := parseClock(clock)
	if !ok || len(clock) != clockBytes {
		return 0
	}
	return (days*86400 + seconds) * 1000
}

// isSpotHeader knows the comments of a Spot Instance data feed, one of which names the columns.
func isSpotHeader(c *Clock, line []byte) bool {
	if !isDirective(c, line) {
		return false
	}
	c.named = bytes.HasPrefix(line, []byte(fieldsDirective))
	return true
}

// spotMillis reads the first column of a Spot Instance data feed: "2024-02-01 20:00:00 UTC".
// Source: EC2 user guide, "Track your Spot Instance costs using the Spot Instance data feed".
func spotMillis(_ *Clock, line []byte) int64 {
	text, _ := column(line, 0, '\t')
	seconds, ok := parseCivil(text, ' ')
	if !ok || string(text[civilBytes:]) != " UTC" {
		return 0
	}
	return seconds * 1000
}
