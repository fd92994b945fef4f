package agent

import "fmt"

// logToJSON makes a JSON object of a line whose format is known, or is a pattern of the user's.
type logToJSON struct {
	match  matcher
	groups int
	// dash says that a group that is a dash alone has no value. It is so in Apache's formats, whatever the pattern.
	dash   bool
	object object
}

// matcher finds the groups of a line. It reports false when the line as a whole does not match.
type matcher func(line []byte, groups []span) bool

// logFormat is a format that the agent knows.
type logFormat struct {
	names  []string
	match  matcher
	apache bool
}

// formatOf returns the format of a name; known is false where there is none.
func formatOf(name string) (f logFormat, known bool) {
	common := []string{"host", "ident", "authuser", "datetime", "request", "response", "bytes"}
	syslog := []string{"timestamp", "hostname", "program", "processid", "message"}
	switch name {
	case CommonApacheLog:
		return logFormat{common, matchCommon, true}, true
	case CombinedApacheLog:
		return logFormat{append(common, "referer", "agent"), matchCombined, true}, true
	case ApacheErrorLog:
		names := []string{"timestamp", "module", "severity", "processid", "threadid", "client", "message"}
		return logFormat{names, matchApacheError, true}, true
	case Syslog:
		return logFormat{syslog, matchSyslog, false}, true
	case RFC3339Syslog:
		return logFormat{syslog, matchRFC3339Syslog, false}, true
	}
	return logFormat{}, false
}

func newLogToJSON(o *Option, pretty bool, at place) step {
	const formats = "want one of COMMONAPACHELOG, COMBINEDAPACHELOG, APACHEERRORLOG, SYSLOG, RFC3339SYSLOG"
	format, known := formatOf(o.LogFormat)
	switch {
	case known:
	case o.LogFormat == "":
		at.fail("logFormat", "is missing, and is needed beside a matchPattern too: "+formats)
	default:
		at.fail("logFormat", quote(o.LogFormat)+": "+formats)
	}
	names := o.CustomFieldNames
	if names != nil {
		checkNames(names, at)
	}
	if o.MatchPattern != "" {
		match, err := newPattern(o.MatchPattern, names)
		if err != nil {
			at.fail("matchPattern", err.Error())
		}
		return &logToJSON{match: match, groups: len(names), dash: format.apache, object: newObject(names, pretty)}
	}
	switch {
	case names == nil:
		names = format.names
	case known && len(names) != len(format.names):
		at.fail("customFieldNames", fmt.Sprintf("has %d names: %s has %d, unless a matchPattern says otherwise",
			len(names), o.LogFormat, len(format.names)))
	}
	return &logToJSON{match: format.match, groups: len(names), dash: format.apache, object: newObject(names, pretty)}
}

// newPattern compiles a matchPattern that has a group for each name. The agent would start with another number of them, and
// drop every line.
func newPattern(pattern string, names []string) (matcher, error) {
	re, err := compileJava(pattern, `\A(?:`, `)\z`, `\z`)
	switch {
	case err != nil:
		return nil, err
	case names == nil:
		return nil, fmt.Errorf("%s: want customFieldNames beside it, a name for each of its groups", quote(pattern))
	case re.NumSubexp() != len(names):
		return nil, fmt.Errorf("%s has %d groups: want one for each of the %d customFieldNames", quote(pattern),
			re.NumSubexp(), len(names))
	}
	return func(line []byte, groups []span) bool {
		found := re.FindSubmatchIndex(line)
		if found == nil {
			return false
		}
		for i := range groups {
			groups[i] = span{found[2*i+2], found[2*i+3]}
		}
		return true
	}, nil
}

func (l *logToJSON) apply(w *workspace, dst, text []byte) (out []byte, ok bool) {
	text = withoutNewline(text)
	groups := w.spans(l.groups)
	if !l.match(text, groups) {
		return dst, false
	}
	if l.dash {
		for i, g := range groups {
			if g.end == g.start+1 && text[g.start] == '-' {
				groups[i] = none
			}
		}
	}
	return l.object.append(dst, text, groups), true
}
