package format

import (
	"bytes"
)

// mySQLSlowLog is the layout of the slow query log: a block of lines for each statement, whose numbers differ with version
// and settings. The names are those of MySQL's table mysql.slow_log where it has them, else the block's in lower case.
// Source: MySQL 8.0 reference manual, "The Slow Query Log"; MariaDB documentation, "Slow Query Log Overview".
var mySQLSlowLog = layout{
	millis:     slowQueryMillis,
	attributes: slowQueryAttributes,
	fields: []string{
		"time", "user", "host", "ip", "thread_id", "query_time", "lock_time", "rows_sent", "rows_examined", "db",
		"timestamp", "sql_text",
	},
	time: "# Time:",
}

var (
	keySlowTime = named("time")
	keySlowUser = mapped("user", "user.name", "user.name")
	keySlowHost = mapped("host", "client.address", "client.address")
	keySlowIP   = mapped("ip", "client.ip", "")
	keySlowDB   = mapped("db", "", "db.namespace")
	keySQLText  = mapped("sql_text", "", "db.query.text")
)

// slowQueryMillis reads "# Time: 2024-02-01T00:00:07.246083Z", which stands first.
func slowQueryMillis(_ *Clock, line []byte) int64 {
	text, ok := bytes.CutPrefix(line, []byte("# Time: "))
	if !ok {
		return 0
	}
	text, _, _ = bytes.Cut(text, []byte("\n"))
	return wholeISO(bytes.TrimSpace(text))
}

// slowQueryAttributes reads a block: lines that begin with #, perhaps "use db;" and "SET timestamp=n;", the statement.
func slowQueryAttributes(a *Attributes, w *writer, _, block []byte) bool {
	known, numbers := false, false
	for len(block) > 0 {
		line, rest, _ := bytes.Cut(block, []byte("\n"))
		line = trimEnd(line)
		comment, ok := bytes.CutPrefix(line, []byte("# "))
		if !ok {
			break
		}
		block = rest
		switch {
		case bytes.HasPrefix(comment, []byte("Time: ")):
			w.text(keySlowTime, bytes.TrimSpace(comment[len("Time: "):]))
		case bytes.HasPrefix(comment, []byte("User@Host: ")):
			slowQueryUser(a, w, comment[len("User@Host: "):])
			known = true
		default:
			a.pairs(w, comment)
			numbers = true
		}
	}
	if !known || !numbers {
		return false
	}
	if line, rest, _ := bytes.Cut(block, []byte("\n")); bytes.HasPrefix(line, []byte("use ")) {
		w.text(keySlowDB, bytes.TrimSuffix(trimEnd(line[len("use "):]), []byte(";")))
		block = rest
	}
	if line, rest, _ := bytes.Cut(block, []byte("\n")); bytes.HasPrefix(line, []byte("SET timestamp=")) {
		w.number(keyTimestamp, bytes.TrimSuffix(trimEnd(line[len("SET timestamp="):]), []byte(";")))
		block = rest
	}
	w.text(keySQLText, trimEnd(block))
	a.objects.settle(w)
	return true
}

// slowQueryUser reads "admin[admin] @ localhost [10.0.0.12]  Id:    13".
func slowQueryUser(a *Attributes, w *writer, b []byte) {
	user, rest, _ := bytes.Cut(b, []byte(" @ "))
	if at := bytes.LastIndexByte(user, '['); at >= 0 {
		user = bytes.TrimSuffix(user[at+1:], []byte("]")) // the account that applies stands before the bracket
	}
	host, rest, _ := bytes.Cut(rest, []byte("["))
	ip, rest, _ := bytes.Cut(rest, []byte("]"))
	w.text(keySlowUser, user)
	w.text(keySlowHost, bytes.TrimSpace(host))
	w.text(keySlowIP, ip)
	if id, ok := bytes.CutPrefix(bytes.TrimSpace(rest), []byte("Id:")); ok {
		w.number(keyThreadID, bytes.TrimSpace(id))
		return
	}
	a.pairs(w, rest)
}

// pairs reads "Query_time: 10.000221  Lock_time: 0.000000 Rows_sent: 1".
func (a *Attributes) pairs(w *writer, b []byte) {
	for {
		name, rest, ok := bytes.Cut(b, []byte(":"))
		if !ok {
			return
		}
		name = bytes.TrimSpace(name)
		value, behind, _ := bytes.Cut(bytes.TrimLeft(rest, " "), []byte(" "))
		a.scratch = append(a.scratch[:0], name...)
		for i, c := range a.scratch {
			if isCapital(c) {
				a.scratch[i] = c | ' '
			}
		}
		w.member(a.scratch, value)
		b = behind
	}
}
