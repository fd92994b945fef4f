package format

import (
	"bytes"
	"strconv"

	"sluice/internal/record"
)

// Layouts of the control plane's logs as text.
var (
	// Lines have no year, and so no time.
	// Source: klog, "Log line format": Lmmdd hh:mm:ss.uuuuuu threadid file:line] msg.
	klogLog = layout{
		attributes: klogAttributes,
		fields:     []string{"level", "time", "thread", "file", "line", "message"},
	}
	// Source: aws-iam-authenticator, whose lines are those of logrus' text formatter.
	authenticatorLog = layout{
		millis:     authenticatorMillis,
		attributes: authenticatorAttributes,
		fields:     []string{"time", "level", "msg", "arn", "client", "groups", "method", "path", "sts", "uid", "username", "error"},
		time:       "time",
	}
)

var (
	keyKlogTime = named("time")
	keyThread   = mapped("thread", "process.thread.id", "thread.id")
	keyFile     = mapped("file", "log.origin.file.name", "code.file.path")
)

// klogLine is what a line is made of.
type klogLine struct {
	letter                            byte
	time, thread, file, line, message []byte
}

// cutKlog reads "I0201 00:00:00.123456      10 controller.go:615] text".
func cutKlog(line []byte) (k klogLine, ok bool) {
	const layout = "I0102 15:04:05.000000 "
	if len(line) < len(layout) || klogLevel(line[0]) == "" || two(line[1], line[2]) > 12 || two(line[3], line[4]) > 31 || line[5] != ' ' {
		return k, false
	}
	if _, ok := parseClock(line[6:]); !ok || line[14] != '.' {
		return k, false
	}
	head, message, ok := bytes.Cut(line[len("I0102 "):], []byte("] "))
	if !ok {
		return k, false
	}
	time, rest, _ := bytes.Cut(head, []byte(" "))
	thread, place, ok := bytes.Cut(bytes.TrimLeft(rest, " "), []byte(" "))
	at := bytes.LastIndexByte(place, ':')
	if !ok || at < 0 || !isNumber(thread) {
		return k, false
	}
	return klogLine{line[0], line[1 : len("I0102 ")+len(time)], thread, place[:at], place[at+1:], message}, true
}

func klogLevel(letter byte) string {
	switch letter {
	case 'I':
		return "INFO"
	case 'W':
		return "WARNING"
	case 'E':
		return "ERROR"
	case 'F':
		return "FATAL"
	}
	return ""
}

func klogAttributes(_ *Attributes, w *writer, _, line []byte) bool {
	k, ok := cutKlog(line)
	if !ok {
		return false
	}
	w.text(keyLevel, []byte(klogLevel(k.letter)))
	w.text(keyKlogTime, k.time)
	w.number(keyThread, k.thread)
	w.text(keyFile, k.file)
	w.number(keyLine, k.line)
	w.text(keyMessage, k.message)
	return true
}

func klogSeverity(line []byte) record.Severity {
	k, _ := cutKlog(line)
	return levelOf([]byte(klogLevel(k.letter)))
}

// cutPair cuts the first pair, name=value or name="value", off a line of logrus' text formatter; quoted tells which.
func cutPair(line []byte) (name, value, rest []byte, quoted, ok bool) {
	name, rest, ok = bytes.Cut(line, []byte("="))
	if !ok || len(name) == 0 || bytes.ContainsAny(name, " \"") {
		return nil, nil, nil, false, false
	}
	if byteAt(rest, 0) != '"' {
		value, rest, _ = bytes.Cut(rest, []byte(" "))
		return name, value, rest, false, true
	}
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			return name, rest[1:i], bytes.TrimPrefix(rest[i+1:], []byte(" ")), true, true
		}
	}
	return nil, nil, nil, false, false
}

func authenticatorMillis(_ *Clock, line []byte) int64 {
	name, value, _, _, _ := cutPair(line)
	if string(name) != "time" {
		return 0
	}
	return wholeISO(value)
}

// authenticatorNames are the pairs that standards have other names for.
var authenticatorNames = renamed(
	keyLevel,
	mapped("msg", "message", "message"),
	mapped("client", "client.address", "client.address"),
	mapped("method", "http.request.method", "http.request.method"),
	mapped("path", "url.path", "url.path"),
	mapped("username", "user.name", "user.name"),
	mapped("accountid", "cloud.account.id", "cloud.account.id"),
	mapped("error", "error.message", "error.message"),
)

// authenticatorAttributes reads pairs, the first of which is the time. Values in quotes are unquoted, unless escapes are kept.
func authenticatorAttributes(a *Attributes, w *writer, _, line []byte) bool {
	if authenticatorMillis(nil, line) == 0 {
		return false
	}
	for len(line) > 0 {
		name, value, rest, quoted, ok := cutPair(line)
		if !ok {
			return false
		}
		if quoted && !a.KeepEscapes && bytes.IndexByte(value, '\\') >= 0 {
			plain, err := strconv.Unquote(`"` + string(value) + `"`)
			if err != nil {
				return false
			}
			value = bytes.ToValidUTF8([]byte(plain), []byte("\uFFFD"))
		}
		if k := authenticatorNames.of(name); k != nil {
			w.text(k, value)
		} else {
			w.memberText(name, value)
		}
		line = rest
	}
	a.objects.settle(w)
	return true
}

func authenticatorSeverity(line []byte) record.Severity {
	for len(line) > 0 {
		name, value, rest, _, ok := cutPair(line)
		if !ok {
			return ""
		}
		if string(name) == "level" || string(name) == "lvl" {
			return levelOf(value)
		}
		line = rest
	}
	return ""
}
