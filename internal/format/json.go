package format

import "sluice/internal/jsonwalk"

// isoMember returns the millis of a log of JSON objects that have an ISO time as a member of their own.
func isoMember(name string) func(c *Clock, line []byte) int64 {
	return func(_ *Clock, line []byte) int64 {
		text, ok := jsonwalk.Text(memberOf(line, name))
		if !ok {
			return 0
		}
		return wholeISO(text)
	}
}

// epochMember returns the millis of a log of JSON objects that have an epoch time as a member of their own, as a number or
// as a string. A service that changes to ISO times is understood.
func epochMember(name string, u unit) func(c *Clock, line []byte) int64 {
	return func(_ *Clock, line []byte) int64 {
		value := memberOf(line, name)
		if text, ok := jsonwalk.Text(value); ok {
			value = text
		}
		if ms, ok := parseEpoch(value, u); ok {
			return ms
		}
		return wholeISO(value)
	}
}

// memberOf returns the value of the first member of this name, nil when there is none. What follows it is not looked at.
func memberOf(line []byte, name string) []byte {
	members := jsonwalk.Object(line)
	for members.Next() {
		if string(members.Name()) == name {
			return members.Value()
		}
	}
	return nil
}

func wholeISO(text []byte) int64 {
	ms, rest, ok := parseISO(text)
	if !ok || len(rest) > 0 {
		return 0
	}
	return ms
}
