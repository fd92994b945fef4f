package agent

import "regexp"

// oracle has a regular expression for each format, put together from the tokens of the agent's formats. The matchers by
// hand have to agree with them.
var oracle = func() map[string]*regexp.Regexp {
	const (
		space    = `[\t-\r ]`
		rest     = `[^\n\r\x{85}\x{2028}\x{2029}]*`
		user     = `[A-Za-z0-9._-]+`
		host     = `(?:[\w-]+(?:\.[\w-]+)*\.?|[\d.]+)`
		number   = `(?:[+-]?\d+|-)`
		monthDay = `(?:0[1-9]|[12]\d|3[01]|[1-9])`
		month    = `(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:tember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)`
		day      = `(?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?)`
		clock    = `(?:2[0-3]|[01]?\d):[0-5]\d:(?:60|[0-5]?\d)(?:[:.,]\d+)?`
		common   = `(` + host + `) (` + user + `) (` + user + `) \[(` + monthDay + `/` + month + `/[1-9]\d*:` + clock + space +
			`[+-]?\d+)\] "([^"]+)" (` + number + `) (` + number + `)`
		message = ` (?:<\d+[^\n\r\x{85}\x{2028}\x{2029}]\d+> )?(` + user + `) ([\w./%-]+)(?:\[([1-9]\d*)\])?: (` + rest + `)`
	)
	list := map[string]*regexp.Regexp{}
	for name, pattern := range map[string]string{
		CommonApacheLog:   common + rest,
		CombinedApacheLog: common + ` "([^"]+)" "([^"]+)"` + rest,
		ApacheErrorLog: `\[(` + day + space + `+` + month + space + `+` + monthDay + space + `+` + clock + space + `+[1-9]\d*)\] ` +
			`\[(?:(\w+):)?(\w+)\] \[pid (\d+)(?::tid (\d+))?\] \[client (` + host + `(?::[1-9]\d*)?)\] (` + rest + `)`,
		Syslog:        `(` + month + space + `+` + monthDay + space + `+` + clock + `)` + message,
		RFC3339Syslog: `(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[-+]\d\d:\d\d))` + message,
	} {
		list[name] = regexp.MustCompile(`\A(?:` + pattern + `)\z`)
	}
	return list
}()
