package format

import (
	"bytes"

	"sluice/internal/record"
)

// lambdaLog is the layout of functions' logs: lines of the platform and of applications, as text or as JSON. The names of
// what platform lines say as text are those that they have as JSON.
// Sources: Lambda developer guide, "Lambda function logging" of each runtime, "JSON log format"; Lambda Telemetry API
// reference, "Event schema".
var lambdaLog = layout{
	millis:     lambdaMillis,
	attributes: lambdaAttributes,
	fields: []string{
		"type", "requestId", "version", "durationMs", "billedDurationMs", "memorySizeMB", "maxMemoryUsedMB",
		"initDurationMs", "restoreDurationMs", "status", "errorType", "runtimeVersion", "runtimeVersionArn",
		"xrayTraceId", "segmentId", "sampled", "timestamp", "level", "message", "time", "record", "logger",
	},
	time: "time or timestamp of JSON; the time in front of a line of text",
}

var (
	keyType       = named("type")
	keyStatus     = named("status")
	keyVersion    = mapped("version", "faas.version", "faas.version")
	keyLambdaID   = mapped("requestId", "faas.execution", "faas.invocation_id")
	lambdaNames   = renamed(keyLambdaID, keyLevel, keyLogger)
	platformKinds = []struct{ start, kind string }{
		{"START RequestId: ", "platform.start"},
		{"END RequestId: ", "platform.end"},
		{"REPORT RequestId: ", "platform.report"},
		{"INIT_START ", "platform.initStart"},
		{"INIT_REPORT ", "platform.initReport"},
		{"RESTORE_START ", "platform.restoreStart"},
		{"RESTORE_REPORT ", "platform.restoreReport"},
	}
)

// lambdaLine is what a line of an application or a report of an error is made of. Any may be empty.
type lambdaLine struct{ time, id, level, status, message []byte }

// cutLambda reads the lines that a runtime, or the platform when a function fails, puts something in front of:
//
//	2024-02-01T00:00:00.173Z<tab>6234bffe-…<tab>INFO<tab>text       Node.js
//	[INFO]<tab>2024-02-01T00:00:00.173Z<tab>6234bffe-…<tab>text     Python
//	[ERROR] text                                                    Python, an exception
//	2024-02-01T00:00:03.000Z 6234bffe-… Task timed out after 3.00 seconds
//	RequestId: 6234bffe-… Error: text
func cutLambda(line []byte) (l lambdaLine, ok bool) {
	if rest, ok := bytes.CutPrefix(line, []byte("RequestId: ")); ok {
		l.id, l.message, _ = bytes.Cut(rest, []byte(" "))
		return l, isUUID(l.id) && len(l.message) > 0
	}
	if byteAt(line, 0) == '[' {
		return cutPython(line)
	}
	separator := lambdaTime(line)
	if separator < 0 {
		return l, false
	}
	l.time, l.message = line[:separator], line[separator+1:]
	if line[separator] == ' ' {
		l.id, l.message, _ = bytes.Cut(l.message, []byte(" "))
		l.status = []byte("timeout")
		return l, isUUID(l.id) && bytes.HasPrefix(l.message, []byte("Task timed out"))
	}
	id, rest, ok := bytes.Cut(l.message, []byte("\t"))
	if !ok || !isUUID(id) && string(id) != "undefined" && len(id) > 0 {
		return l, false
	}
	if isUUID(id) {
		l.id = id
	}
	l.level, l.message, ok = bytes.Cut(rest, []byte("\t"))
	return l, ok && levelOf(l.level) != ""
}

func cutPython(line []byte) (l lambdaLine, ok bool) {
	end := bytes.IndexByte(line, ']')
	if end < 0 {
		return l, false
	}
	l.level, l.message = line[1:end], line[end+1:]
	if levelOf(l.level) == "" || len(l.message) == 0 || l.message[0] != '\t' && l.message[0] != ' ' {
		return l, false
	}
	l.message = l.message[1:]
	at := lambdaTime(l.message)
	if at < 0 || l.message[at] != '\t' {
		return l, true
	}
	id, text, ok := bytes.Cut(l.message[at+1:], []byte("\t"))
	if ok && (isUUID(id) || len(id) == 0) {
		l.time, l.id, l.message = l.message[:at], id, text
	}
	return l, true
}

// lambdaTime returns where the time that a line begins with, in UTC, ends, before a tab or a space; -1 when there is none.
func lambdaTime(line []byte) int {
	_, rest, ok := parseISO(line)
	at := len(line) - len(rest)
	if !ok || len(rest) == 0 || rest[0] != '\t' && rest[0] != ' ' || line[at-1] != 'Z' {
		return -1
	}
	return at
}

// isUUID reports whether text is a UUID, as most request ids are.
func isUUID(text []byte) bool {
	const layout = "00000000-0000-0000-0000-000000000000"
	if len(text) != len(layout) {
		return false
	}
	for i, c := range text {
		if layout[i] == '-' && c != '-' || layout[i] != '-' && !isHex(c) {
			return false
		}
	}
	return true
}

func lambdaMillis(_ *Clock, line []byte) int64 {
	if isObject(line) {
		if ms := isoMember("time")(nil, line); ms != 0 {
			return ms
		}
		return isoMember("timestamp")(nil, line)
	}
	l, ok := cutLambda(line)
	if !ok {
		return 0
	}
	return wholeISO(l.time)
}

func lambdaAttributes(a *Attributes, w *writer, _, line []byte) bool {
	if isObject(line) {
		return a.objects.append(w, line, lambdaNames)
	}
	for _, platform := range platformKinds {
		if bytes.HasPrefix(line, []byte(platform.start)) {
			_, rest, _ := bytes.Cut(line, []byte(" "))
			w.text(keyType, []byte(platform.kind))
			return a.platform(w, rest)
		}
	}
	l, ok := cutLambda(line)
	if !ok {
		return false
	}
	w.text(keyTimestamp, l.time)
	w.text(keyLambdaID, l.id)
	w.text(keyLevel, l.level)
	w.text(keyStatus, l.status)
	w.text(keyMessage, l.message)
	return true
}

// platform reads what follows the first word of a platform line: "RequestId: 6234bffe-… Version: $LATEST", or members with
// tabs between them. A line of X-Ray's may follow.
func (a *Attributes) platform(w *writer, b []byte) bool {
	if rest, ok := bytes.CutPrefix(b, []byte("RequestId: ")); ok {
		if id, version, ok := bytes.Cut(rest, []byte(" Version: ")); ok && isUUID(id) {
			w.text(keyLambdaID, id)
			w.text(keyVersion, version)
			return true
		}
	}
	for len(b) > 0 {
		end := bytes.IndexAny(b, "\t\n\r")
		if end < 0 {
			end = len(b)
		}
		if member := bytes.TrimSpace(b[:end]); len(member) > 0 && !a.reported(w, member) {
			return false
		}
		b = b[min(end+1, len(b)):]
	}
	a.objects.settle(w)
	return true
}

// reported reads a member such as "Max Memory Used: 72 MB", which becomes maxMemoryUsedMB: 72.
func (a *Attributes) reported(w *writer, member []byte) bool {
	label, value, ok := bytes.Cut(member, []byte(": "))
	if !ok || len(label) == 0 || !isLabel(label) {
		return false
	}
	name := a.scratch[:0]
	for i, c := range label {
		switch {
		case c == ' ':
			continue
		case isCapital(c) && (i == 0 || isCapital(label[i-1])):
			c |= ' ' // the first letter, and all of XRAY and ARN but theirs
		}
		name = append(name, c)
	}
	a.scratch = name
	amount, unit, _ := bytes.Cut(value, []byte(" "))
	switch {
	case isNumber(amount) && string(unit) == "ms":
		name = append(name, "Ms"...)
		w.member(name, amount)
	case isNumber(amount) && string(unit) == "MB":
		name = append(name, "MB"...)
		w.member(name, amount)
	case string(name) == "requestId":
		w.text(keyLambdaID, value)
	default:
		w.memberText(name, value)
	}
	return true
}

func isCapital(c byte) bool { return c >= 'A' && c <= 'Z' }

// isLabel reports whether text is the name of a member in a report: words of letters and digits.
func isLabel(text []byte) bool {
	for _, c := range text {
		if c != ' ' && !isDigit(c) && !isLetter(c) {
			return false
		}
	}
	return true
}

// lambdaSeverity reads the level of an application's line; what the platform reports as failed is an error.
func lambdaSeverity(line []byte) record.Severity {
	if isObject(line) {
		return objectSeverity(line)
	}
	if bytes.HasPrefix(line, []byte("REPORT ")) || bytes.HasPrefix(line, []byte("INIT_REPORT ")) {
		_, status, _ := bytes.Cut(line[:min(len(line), maxReportBytes)], []byte("\tStatus: "))
		return statusSeverity(status)
	}
	l, ok := cutLambda(line)
	switch {
	case !ok:
		return textSeverity(line)
	case len(l.level) > 0:
		return levelOf(l.level)
	}
	return record.Error
}

// maxReportBytes is more than any report has.
const maxReportBytes = 2048

// statusSeverity reads how an invocation ended.
func statusSeverity(status []byte) record.Severity {
	for _, word := range [...]string{"error", "timeout", "failure"} {
		if bytes.HasPrefix(status, []byte(word)) {
			return record.Error
		}
	}
	return ""
}
