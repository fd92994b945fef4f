package format

import (
	"bytes"

	"sluice/internal/record"
)

// Layouts of Kafka's logs.
var (
	// Source: Kafka's config/log4j.properties: [%d] %p %m (%c).
	mskBrokerLog = layout{
		millis: log4jMillis,
		attributes: func(_ *Attributes, w *writer, _, line []byte) bool {
			return log4jAttributes(w, line)
		},
		fields: []string{"timestamp", "level", "message", "logger"},
		time:   "the time in brackets, in UTC",
	}
	// Source: MSK developer guide, "Logging for MSK Connect"; Kafka's config/connect-log4j.properties: [%d] %p %m (%c:%L).
	mskConnectLog = layout{
		millis:     log4jMillis,
		attributes: connectAttributes,
		fields:     []string{"worker", "timestamp", "level", "message", "logger", "line"},
		time:       "the time in brackets, in UTC",
	}
)

var (
	keyWorker = named("worker")
	keyLine   = mapped("line", "log.origin.file.line", "code.line.number")
)

// connectAttributes reads a worker's line. One that goes on where another ended has the worker and text alone.
func connectAttributes(_ *Attributes, w *writer, _, line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("[Worker-"))
	if !ok {
		return false
	}
	worker, rest, ok := bytes.Cut(rest, []byte("] "))
	if !ok || bytes.IndexByte(worker, ' ') >= 0 {
		return false
	}
	w.text(keyWorker, worker)
	if !log4jAttributes(w, rest) {
		w.text(keyMessage, rest)
	}
	return true
}

// log4jAttributes reads "[2024-02-01 00:00:00,151] INFO text (class)". Text of several lines stays whole; the class then
// stands behind the first of them.
func log4jAttributes(w *writer, line []byte) bool {
	const layout = "[2006-01-02 15:04:05,000]"
	if log4jMillis(nil, line) == 0 {
		return false
	}
	level, message, _ := bytes.Cut(bytes.TrimPrefix(line[len(layout):], []byte(" ")), []byte(" "))
	if levelOf(level) == "" {
		return false
	}
	first, _, isLong := bytes.Cut(message, []byte("\n"))
	text, class := cutClass(trimEnd(first))
	if isLong {
		text = message
	}
	w.text(keyTimestamp, line[1:len(layout)-1])
	w.text(keyLevel, level)
	w.text(keyMessage, text)
	name, number, ok := bytes.Cut(class, []byte(":"))
	w.text(keyLogger, name)
	if ok {
		w.number(keyLine, number)
	}
	return true
}

// cutClass cuts off the class in brackets that a line may end with, perhaps with a line number behind a colon.
func cutClass(line []byte) (text, class []byte) {
	at := bytes.LastIndexByte(line, '(')
	if at < 0 || line[len(line)-1] != ')' || at > 0 && line[at-1] != ' ' {
		return line, nil
	}
	class = line[at+1 : len(line)-1]
	if bytes.IndexByte(class, '.') < 0 {
		return line, nil
	}
	for _, c := range class {
		isName := isDigit(c) || isLetter(c) || c == '.' || c == '_' || c == '$' || c == ':' || c == '-'
		if !isName {
			return line, nil
		}
	}
	return line[:max(at-1, 0)], class
}

func log4jSeverity(line []byte) record.Severity {
	const layout = "[2006-01-02 15:04:05,000] "
	if rest, ok := bytes.CutPrefix(line, []byte("[Worker-")); ok {
		_, line, _ = bytes.Cut(rest, []byte("] "))
	}
	if len(line) < len(layout) || log4jMillis(nil, line) == 0 {
		return ""
	}
	level, _, _ := bytes.Cut(line[len(layout):], []byte(" "))
	return levelOf(level)
}
