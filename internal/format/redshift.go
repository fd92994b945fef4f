package format

import "bytes"

// redshiftLog are three audit logs: of connections, users and what users do. Serverless workgroups and clusters write them
// alike.
// Source: Redshift management guide, "Database audit logging".
var redshiftLog = layout{
	millis: redshiftMillis, attributes: redshiftAttributes,
	columns: []*table{connectionAudit, userAudit, activityAudit}, time: "the column recordtime",
}

var connectionAudit = &table{entries: []entry{
	{"event", "event.action", "", textual},
	{"recordtime", "", "", textual},
	{"remotehost", "source.ip", "client.address", textual},
	{"remoteport", "source.port", "client.port", numeric},
	{"pid", "process.pid", "process.pid", numeric},
	{"dbname", "", "db.namespace", textual},
	{"username", "user.name", "user.name", textual},
	{"authmethod", "", "", textual},
	{"duration", "", "", numeric},
	{"sslversion", "", "", textual},
	{"sslcipher", "tls.cipher", "tls.cipher", textual},
	{"mtu", "", "", numeric},
	{"sslcompression sslexpansion iamauthguid application_name driver_version os_version plugin_name", "", "", textual},
	{"protocol_version sessionid compression", "", "", textual},
}}

var userAudit = &table{entries: []entry{
	{"userid", "", "", textual},
	{"username", "user.name", "user.name", textual},
	{"oldusername", "", "", textual},
	{"action", "event.action", "", textual},
	{"usecreatedb usesuper usecatupd", "", "", numeric},
	{"valuntil", "", "", textual},
	{"pid", "process.pid", "process.pid", numeric},
	{"xid recordtime", "", "", textual},
}}

// activityAudit are the parts of a line of user activity. Those between the time and the query are written as name=value. Of a
// query that goes on over several lines, the first alone says so by its name.
var activityAudit = &table{entries: []entry{
	{"recordtime", "", "", textual},
	{"db", "", "db.namespace", textual},
	{"user", "user.name", "user.name", textual},
	{"pid", "process.pid", "process.pid", numeric},
	{"userid xid", "", "", textual},
	{"query", "", "db.query.text", textual},
	{"query_first_line", "", "", textual},
}}

// redshiftAttributes tells the logs as redshiftMillis does.
func redshiftAttributes(a *Attributes, w *writer, _, line []byte) bool {
	if len(line) > 0 && line[0] == '\'' {
		return a.activity(w, line[1:])
	}
	const leastOfConnection = 9 // up to duration
	if second, _ := column(line, 1, '|'); recordTime(bytes.TrimRight(second, " ")) != 0 {
		return a.barredLine(w, connectionAudit.in(a.naming), line) >= leastOfConnection
	}
	fields := userAudit.in(a.naming)
	if last, _ := column(line, len(fields)-1, '|'); recordTime(bytes.TrimRight(last, " ")) == 0 {
		return false
	}
	return a.barredLine(w, fields, line) >= len(fields)
}

// barredLine writes columns that bars separate and spaces pad, and returns how many there were, -1 for too many. A bar that
// ends the line begins no column.
func (a *Attributes) barredLine(w *writer, fields []field, line []byte) int {
	n := 0
	for ; len(line) > 0; n++ {
		value, rest, _ := bytes.Cut(line, []byte("|"))
		if value = bytes.TrimSpace(value); !a.column(w, fields, n, value, isPlain(value)) {
			return -1
		}
		line = rest
	}
	return n
}

// activity reads "2024-02-01T00:00:05Z UTC [ db=dev user=awsuser pid=32453 userid=100 xid=1864 ]' LOG: select 1".
// A name in there may have spaces, so the one that follows ends it.
func (a *Attributes) activity(w *writer, line []byte) bool {
	if activityMillis(line) == 0 {
		return false
	}
	when, rest, _ := bytes.Cut(line, []byte(" UTC [ "))
	who, query, ok := bytes.Cut(rest, []byte(" ]' LOG: "))
	if !ok {
		return false
	}
	fields := activityAudit.in(a.naming)
	var values [8][]byte // of fields
	whole, first := len(values)-2, len(values)-1
	query = bytes.TrimSpace(query)
	if values[0], values[whole] = when, query; goesOn(query) {
		values[whole], values[first] = nil, query
	}
	for i := whole - 1; i > 0; i-- { // from the end, as the names that users choose come first
		name := fields[i].name
		at := lastMember(who, name)
		if at < 0 {
			return false
		}
		values[i] = bytes.TrimSpace(who[at+len(name)+len("="):])
		who = bytes.TrimRight(who[:at], " ")
	}
	for i, value := range values {
		if !a.column(w, fields, i, value, isPlain(value)) {
			return false
		}
	}
	return len(who) == 0
}

// lastMember returns where the last name= stands in text, at its start or behind a space; -1 if nowhere.
func lastMember(text []byte, name string) int {
	for end := len(text); ; {
		at := bytes.LastIndex(text[:end], []byte(name))
		if at < 0 {
			return -1
		}
		if (at == 0 || text[at-1] == ' ') && at+len(name) < len(text) && text[at+len(name)] == '=' {
			return at
		}
		end = at
	}
}
