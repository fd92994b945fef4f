package format

import (
	"bytes"

	"sluice/internal/record"
)

// Layouts of the logs of MySQL and MariaDB.
var (
	// Sources: MySQL 8.0 reference manual, "The Error Log", of which 5.7 has neither code nor subsystem; MariaDB
	// documentation, "Error Log: format", whose time is that of the server's system, UTC in RDS.
	mySQLErrorLog = layout{
		millis:     errorMillis,
		attributes: errorAttributes,
		fields:     []string{"timestamp", "thread_id", "level", "error_code", "subsystem", "message"},
		time:       "the time that the line begins with",
	}
	// Sources: MariaDB documentation, "MariaDB Audit Plugin: log format"; Aurora user guide, "Audit log details".
	mySQLAuditLog = layout{
		millis:     auditMillis,
		attributes: auditAttributes,
		fields: []string{
			"timestamp", "serverhost", "username", "host", "connectionid", "queryid", "operation", "database", "object",
			"retcode",
		},
		time: "timestamp, in UTC",
	}
)

var (
	keyThreadID  = mapped("thread_id", "process.thread.id", "thread.id")
	keyErrorCode = mapped("error_code", "error.code", "error.type")
	keySubsystem = named("subsystem")

	auditKeys = [...]*key{
		keyTimestamp,
		mapped("serverhost", "host.name", "host.name"),
		mapped("username", "user.name", "user.name"),
		mapped("host", "client.address", "client.address"),
		named("connectionid"),
		named("queryid"),
		mapped("operation", "event.action", ""),
		mapped("database", "", "db.namespace"),
	}
	keyObject  = mapped("object", "", "db.query.text")
	keyRetcode = named("retcode")
)

// errorLine is what a line of the error log is made of.
type errorLine struct{ time, thread, level, code, subsystem, message []byte }

func errorMillis(_ *Clock, line []byte) int64 {
	ms, _ := errorTime(line)
	return ms
}

// errorTime reads the time that a line begins with, and says how long it is: MySQL's in ISO 8601, or MariaDB's
// "2024-02-01  0:00:05", whose hour a space pads. 0 for a line that begins otherwise.
func errorTime(line []byte) (ms int64, size int) {
	if ms = isoColumn(0)(nil, line); ms != 0 {
		if size = bytes.IndexByte(line, ' '); size < 0 {
			size = len(line)
		}
		return ms, size
	}
	if len(line) < civilBytes || len(line) > civilBytes && line[civilBytes] != ' ' {
		return 0, 0
	}
	var padded [civilBytes]byte
	copy(padded[:], line)
	if hour := &padded[dateBytes+len(" ")]; *hour == ' ' {
		*hour = '0'
	}
	seconds, ok := parseCivil(padded[:], ' ')
	if !ok {
		return 0, 0
	}
	return seconds * 1000, civilBytes
}

// cutError reads "2024-02-01T00:00:05.000001Z 12 [Warning] [MY-010055] [Server] text", and what MariaDB writes,
// "2024-02-01  0:00:05 12 [Warning] text".
func cutError(line []byte) (e errorLine, ok bool) {
	ms, size := errorTime(line)
	if ms == 0 {
		return e, false
	}
	e.time = line[:size]
	rest := bytes.TrimPrefix(line[size:], []byte(" "))
	e.thread, rest, _ = bytes.Cut(rest, []byte(" "))
	if !isNumber(e.thread) {
		return e, false
	}
	e.level, e.message = cutBracket(rest)
	if e.level == nil {
		return e, false
	}
	if code, rest := cutBracket(e.message); bytes.HasPrefix(code, []byte("MY-")) {
		e.code = code
		e.subsystem, e.message = cutBracket(rest)
	}
	return e, true
}

// cutBracket cuts "[text] " off the start of b; text is nil when b does not start so.
func cutBracket(b []byte) (text, rest []byte) {
	if byteAt(b, 0) != '[' {
		return nil, b
	}
	end := bytes.IndexByte(b, ']')
	if end < 0 {
		return nil, b
	}
	return b[1:end], bytes.TrimPrefix(b[end+1:], []byte(" "))
}

func errorAttributes(_ *Attributes, w *writer, _, line []byte) bool {
	e, ok := cutError(line)
	if !ok {
		return false
	}
	w.text(keyTimestamp, e.time)
	w.number(keyThreadID, e.thread)
	w.text(keyLevel, e.level)
	w.text(keyErrorCode, e.code)
	w.text(keySubsystem, e.subsystem)
	w.text(keyMessage, e.message)
	return true
}

func errorSeverity(line []byte) record.Severity {
	e, _ := cutError(line)
	return levelOf(e.level)
}

// auditMillis reads "20240201 00:00:00", or Aurora's microseconds since the epoch.
func auditMillis(_ *Clock, line []byte) int64 {
	const micros, layout = 16, len("20060102 15:04:05")
	text, _, _ := bytes.Cut(line, []byte(","))
	switch len(text) {
	case micros:
		ms, _ := parseEpoch(text[:micros-3], inMillis)
		if digitsBehind(text, 0) != micros {
			return 0
		}
		return ms
	case layout:
		century, year := two(text[0], text[1]), two(text[2], text[3])
		if text[8] != ' ' || century == bad || year == bad {
			return 0
		}
		days, ok := daysOf(century*100+year, two(text[4], text[5]), two(text[6], text[7]))
		clock, good := parseClock(text[9:])
		if !ok || !good {
			return 0
		}
		return (days*86400 + clock) * 1000
	}
	return 0
}

// auditAttributes reads "timestamp,serverhost,username,host,connectionid,queryid,operation,database,'object',retcode". The
// object may be empty or, between its quotes, have commas and line breaks.
func auditAttributes(a *Attributes, w *writer, _, line []byte) bool {
	const connection, query = 4, 5
	if auditMillis(nil, line) == 0 {
		return false
	}
	rest := line
	for i, k := range auditKeys {
		value, behind, ok := bytes.Cut(rest, []byte(","))
		if !ok {
			return false
		}
		if i == connection || i == query {
			w.number(k, value)
		} else {
			w.text(k, value)
		}
		rest = behind
	}
	object, rest, ok := a.cutObject(rest)
	if !ok {
		return false
	}
	w.text(keyObject, object)
	retcode, rest, more := bytes.Cut(rest, []byte(","))
	w.number(keyRetcode, retcode)
	for n := len(auditKeys) + 3; more; n++ {
		var value []byte
		value, rest, more = bytes.Cut(rest, []byte(","))
		w.extra(n, value)
	}
	return true
}

// cutObject cuts the object off, without its quotes and the comma behind it, and without its escapes unless they are kept.
func (a *Attributes) cutObject(b []byte) (object, rest []byte, ok bool) {
	if byteAt(b, 0) != '\'' {
		object, rest, ok = bytes.Cut(b, []byte(","))
		return object, rest, ok
	}
	a.scratch = a.scratch[:0]
	for i := 1; i < len(b); i++ {
		switch c := b[i]; c {
		case '\'':
			if object = a.scratch; a.KeepEscapes {
				object = b[1:i]
			}
			return object, bytes.TrimPrefix(b[i+1:], []byte(",")), byteAt(b, i+1) == ','
		case '\\':
			i++
			a.scratch = append(a.scratch, unescapedAudit(byteAt(b, i))...)
		default:
			a.scratch = append(a.scratch, c)
		}
	}
	return nil, nil, false
}

// unescapedAudit is what the byte behind a backslash stands for.
func unescapedAudit(c byte) []byte {
	switch c {
	case 'n':
		return []byte{'\n'}
	case 'r':
		return []byte{'\r'}
	case 't':
		return []byte{'\t'}
	case '\'', '"', '\\':
		return []byte{c}
	}
	return []byte{'\\', c}
}
