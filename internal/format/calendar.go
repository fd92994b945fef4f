package format

// maxMillis is the last millisecond of the year 9999.
const maxMillis = 253_402_300_799_999

// Lengths of what is parsed at fixed places.
const (
	dateBytes  = len("2006-01-02")
	clockBytes = len("15:04:05")
	civilBytes = len("2006-01-02T15:04:05")
)

// bad is what two digits are worth that are none: more than any of their ranges allows.
const bad = 100

// two returns the number that two digits write.
func two(tens, ones byte) int {
	t, o := tens-'0', ones-'0'
	if t > 9 || o > 9 {
		return bad
	}
	return int(t)*10 + int(o)
}

// parseDate returns the days from the epoch to a date such as 2006-01-02, at the start of b.
func parseDate(b []byte) (days int64, ok bool) {
	if len(b) < dateBytes || b[4] != '-' || b[7] != '-' {
		return 0, false
	}
	century, year := two(b[0], b[1]), two(b[2], b[3])
	if century == bad || year == bad {
		return 0, false
	}
	return daysOf(century*100+year, two(b[5], b[6]), two(b[8], b[9]))
}

// parseClock returns the seconds of the day of a time such as 15:04:05, at the start of b. The second may be a leap second.
func parseClock(b []byte) (seconds int64, ok bool) {
	if len(b) < clockBytes || b[2] != ':' || b[5] != ':' {
		return 0, false
	}
	hour, minute, second := two(b[0], b[1]), two(b[3], b[4]), two(b[6], b[7])
	if hour > 23 || minute > 59 || second > 60 {
		return 0, false
	}
	return int64(hour*3600 + minute*60 + second), true
}

// parseCivil returns the seconds from the epoch to a date and a time at the start of b, with a separator between them.
func parseCivil(b []byte, separator byte) (seconds int64, ok bool) {
	if len(b) < civilBytes || b[dateBytes] != separator {
		return 0, false
	}
	days, ok := parseDate(b)
	if !ok {
		return 0, false
	}
	clock, ok := parseClock(b[dateBytes+1:])
	return days*86400 + clock, ok
}

var monthDays = [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// daysOf returns the days from the epoch to a date, and false when there is no such date from 1970 to 9999.
// The arithmetic counts from 1 March, so that the leap day is the last of a year, in years of the Gregorian calendar.
func daysOf(year, month, day int) (days int64, ok bool) {
	if year < 1970 || month < 1 || month > 12 || day < 1 {
		return 0, false
	}
	leap := year%4 == 0 && (year%100 != 0 || year%400 == 0)
	if day > monthDays[month-1] && (!leap || month != 2 || day != 29) {
		return 0, false
	}
	month -= 3
	if month < 0 {
		month += 12
		year--
	}
	const epoch = 719_468 // 1970-01-01 in days since 1 March of the year 0
	return int64(365*year + year/4 - year/100 + year/400 + (153*month+2)/5 + day - 1 - epoch), true
}

// parseISO returns the time, in ms, that b begins with and what follows it: 2006-01-02T15:04:05, perhaps a fraction of
// any length, perhaps a zone: Z, +01:00 or +0100. Without one it is UTC.
// Source: ISO 8601, extended format; the zone without a colon is as Suricata writes it.
func parseISO(b []byte) (ms int64, rest []byte, ok bool) {
	seconds, ok := parseCivil(b, 'T')
	if !ok {
		return 0, nil, false
	}
	fraction, rest, ok := parseFraction(b[civilBytes:])
	if !ok {
		return 0, nil, false
	}
	ms = seconds*1000 + fraction
	if len(rest) == 0 {
		return ms, rest, true
	}
	switch rest[0] {
	case 'Z':
		return ms, rest[1:], true
	case '+', '-':
		offset, rest, ok := parseOffset(rest)
		return ms - offset*1000, rest, ok
	}
	return ms, rest, true
}

// parseFraction returns the milliseconds of a fraction of a second that b may begin with.
func parseFraction(b []byte) (ms int64, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '.' {
		return 0, b, true
	}
	n := 1
	for n < len(b) && b[n]-'0' <= 9 {
		if n <= len("000") {
			ms = ms*10 + int64(b[n]-'0')
		}
		n++
	}
	for range len(".000") - n {
		ms *= 10
	}
	return ms, b[n:], n > 1
}

// parseOffset returns the seconds that a zone such as +0100 or -09:30 is ahead of UTC.
func parseOffset(b []byte) (seconds int64, rest []byte, ok bool) {
	const short = len("+0100")
	if len(b) < short {
		return 0, nil, false
	}
	sign, digits := b[0], b[3:]
	if digits[0] == ':' {
		digits = digits[1:]
	}
	if len(digits) < 2 || sign != '+' && sign != '-' {
		return 0, nil, false
	}
	hours, minutes := two(b[1], b[2]), two(digits[0], digits[1])
	if hours > 23 || minutes > 59 {
		return 0, nil, false
	}
	seconds = int64(hours*3600 + minutes*60)
	if sign == '-' {
		seconds = -seconds
	}
	return seconds, digits[2:], true
}

// unit is what a number of an epoch time counts, in ms.
type unit int64

const (
	inMillis  unit = 1
	inSeconds unit = 1000
)

// parseEpoch returns the time, in ms, of a whole number that counts from the epoch, perhaps with a fraction.
func parseEpoch(b []byte, u unit) (ms int64, ok bool) {
	n := 0
	for ; n < len(b) && b[n]-'0' <= 9; n++ {
		if ms = ms*10 + int64(b[n]-'0'); ms > maxMillis {
			return 0, false
		}
	}
	if n == 0 {
		return 0, false
	}
	fraction, rest, ok := parseFraction(b[n:])
	if !ok || len(rest) > 0 {
		return 0, false
	}
	return ms*int64(u) + fraction*int64(u)/1000, true
}

// monthOf returns the month that three letters name, 0 when they name none.
func monthOf(b []byte) int {
	switch string(b) {
	case "Jan":
		return 1
	case "Feb":
		return 2
	case "Mar":
		return 3
	case "Apr":
		return 4
	case "May":
		return 5
	case "Jun":
		return 6
	case "Jul":
		return 7
	case "Aug":
		return 8
	case "Sep":
		return 9
	case "Oct":
		return 10
	case "Nov":
		return 11
	case "Dec":
		return 12
	}
	return 0
}
