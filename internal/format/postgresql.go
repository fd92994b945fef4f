package format

import (
	"bytes"

	"sluice/internal/record"
)

// postgreSQLLog is the layout of PostgreSQL's log with the prefix %t:%r:%u@%d:[%p]: that RDS sets; the names are those of
// PostgreSQL's own form in JSON.
// Sources: RDS user guide, "RDS for PostgreSQL database log files"; PostgreSQL documentation, "Error Reporting and
// Logging", table of keys and values of JSON log entries.
var postgreSQLLog = layout{
	millis:     postgresMillis,
	attributes: postgresAttributes,
	fields: []string{
		"timestamp", "remote_host", "remote_port", "user", "dbname", "pid", "error_severity", "message", "statement",
		"detail", "hint", "context",
	},
	time: "the time that the line begins with, where it is in UTC",
}

var (
	keyRemoteHost    = mapped("remote_host", "client.address", "client.address")
	keyRemotePort    = mapped("remote_port", "client.port", "client.port")
	keyPostgresUser  = mapped("user", "user.name", "user.name")
	keyDatabase      = mapped("dbname", "", "db.namespace")
	keyProcess       = mapped("pid", "process.pid", "process.pid")
	keyErrorSeverity = mapped("error_severity", "log.level", "")
	keyStatement     = mapped("statement", "", "db.query.text")
	keyDetail        = named("detail")
	keyHint          = named("hint")
	keyContext       = named("context")
)

// postgresLine is what a line is made of.
type postgresLine struct{ time, host, port, user, database, pid, word, text []byte }

// cutPostgres reads "2024-02-01 00:00:00 UTC:10.0.0.5(51234):postgres@mydb:[1234]:LOG:  text". Host and user of background
// processes are empty. A host may be an IPv6 address, and a user may have an @.
func cutPostgres(line []byte) (p postgresLine, ok bool) {
	if _, ok := parseCivil(line, ' '); !ok || byteAt(line, civilBytes) != ' ' {
		return p, false
	}
	zone := bytes.IndexByte(line[civilBytes:], ':')
	if zone < 0 {
		return p, false
	}
	rest := line[civilBytes+zone+1:]
	p.time = line[:civilBytes+zone]
	head, pid, tail, ok := cutProcess(rest)
	if !ok {
		return p, false
	}
	p.pid = pid
	remote, identity, ok := cutRemote(head)
	if !ok {
		return p, false
	}
	p.host, p.port = cutPort(remote)
	at := bytes.LastIndexByte(identity, '@')
	if at < 0 {
		return p, false
	}
	p.user, p.database = identity[:at], identity[at+1:]
	p.word, p.text, ok = bytes.Cut(tail, []byte(":"))
	p.text = bytes.TrimLeft(p.text, " ")
	return p, ok && isWord(p.word)
}

// cutProcess cuts ":[1234]:" out of what stands behind the time. Users and databases may have brackets as well: a connection
// that has just come is "[unknown]@[unknown]".
func cutProcess(rest []byte) (head, pid, tail []byte, ok bool) {
	for from := 0; ; {
		at := bytes.Index(rest[from:], []byte(":["))
		if at < 0 {
			return nil, nil, nil, false
		}
		at += from
		from = at + len(":[")
		end := digitsBehind(rest, from)
		if end > 0 && bytes.HasPrefix(rest[end:], []byte("]:")) && isNumber(rest[from:end]) {
			return rest[:at], rest[from:end], rest[end+len("]:"):], true
		}
	}
}

// cutRemote cuts "10.0.0.5(51234):postgres@mydb" behind the remote end, "::1(51234)", "[local]" or nothing.
func cutRemote(head []byte) (remote, identity []byte, ok bool) {
	if at := bytes.Index(head, []byte("):")); at >= 0 {
		return head[:at+1], head[at+2:], true
	}
	return bytes.Cut(head, []byte(":"))
}

// cutPort cuts the port in brackets off a host.
func cutPort(remote []byte) (host, port []byte) {
	at := bytes.LastIndexByte(remote, '(')
	if at < 0 || remote[len(remote)-1] != ')' {
		return remote, nil
	}
	return remote[:at], remote[at+1 : len(remote)-1]
}

// isWord reports whether text is in capital letters and digits, as the kinds of lines are.
func isWord(text []byte) bool {
	for _, c := range text {
		if (c < 'A' || c > 'Z') && !isDigit(c) {
			return false
		}
	}
	return len(text) > 0
}

// postgresMillis reads times in UTC. What other zones are called says nothing reliable about their offset.
func postgresMillis(_ *Clock, line []byte) int64 {
	seconds, ok := parseCivil(line, ' ')
	if !ok {
		return 0
	}
	rest := line[civilBytes:]
	if !bytes.HasPrefix(rest, []byte(" UTC:")) && !bytes.HasPrefix(rest, []byte(" GMT:")) {
		return 0
	}
	return seconds * 1000
}

func postgresAttributes(_ *Attributes, w *writer, _, line []byte) bool {
	p, ok := cutPostgres(line)
	if !ok {
		return false
	}
	w.text(keyTimestamp, p.time)
	w.text(keyRemoteHost, p.host)
	w.number(keyRemotePort, p.port)
	w.text(keyPostgresUser, p.user)
	w.text(keyDatabase, p.database)
	w.number(keyProcess, p.pid)
	switch string(p.word) { // lines that add to the one before them have no severity
	case "STATEMENT":
		w.text(keyStatement, p.text)
	case "DETAIL":
		w.text(keyDetail, p.text)
	case "HINT":
		w.text(keyHint, p.text)
	case "CONTEXT":
		w.text(keyContext, p.text)
	default:
		w.text(keyErrorSeverity, p.word)
		w.text(keyMessage, p.text)
	}
	return true
}

func postgresSeverity(line []byte) record.Severity {
	p, ok := cutPostgres(line)
	if !ok {
		return ""
	}
	return levelOf(p.word)
}
