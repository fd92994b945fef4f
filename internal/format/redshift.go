package format

import "bytes"

// redshiftLog are three audit logs: of connections, users and what users do. Serverless workgroups and clusters write them
// alike.
// Source: Redshift management guide, "Database audit logging".
var redshiftLog = layout{
	millis: redshiftMillis, attributes: redshiftAttributes,
	fields: attributes(newTable(textual, connectionAudit, userAudit, activityAudit).fields), time: "the column recordtime",
}

var connectionAudit = fieldsOf([]entry{
	{"event", "event.action", "", textual, nil},
	{"recordtime", "", "", textual, nil},
	{"remotehost", "source.ip", "client.address", textual, nil},
	{"remoteport", "source.port", "client.port", numeric, nil},
	{"pid", "process.pid", "process.pid", numeric, nil},
	{"dbname", "", "db.namespace", textual, nil},
	{"username", "user.name", "user.name", textual, nil},
	{"authmethod", "", "", textual, nil},
	{"duration", "", "", numeric, nil},
	{"sslversion", "", "", textual, nil},
	{"sslcipher", "tls.cipher", "tls.cipher", textual, nil},
	{"mtu", "", "", numeric, nil},
	{"sslcompression", "", "", textual, nil},
	{"sslexpansion", "", "", textual, nil},
	{"iamauthguid", "", "", textual, nil},
	{"application_name", "", "", textual, nil},
	{"driver_version", "", "", textual, nil},
	{"os_version", "", "", textual, nil},
	{"plugin_name", "", "", textual, nil},
	{"protocol_version", "", "", textual, nil},
	{"sessionid", "", "", textual, nil},
	{"compression", "", "", textual, nil},
})

var userAudit = fieldsOf([]entry{
	{"userid", "", "", textual, nil},
	{"username", "user.name", "user.name", textual, nil},
	{"oldusername", "", "", textual, nil},
	{"action", "event.action", "", textual, nil},
	{"usecreatedb", "", "", numeric, nil},
	{"usesuper", "", "", numeric, nil},
	{"usecatupd", "", "", numeric, nil},
	{"valuntil", "", "", textual, nil},
	{"pid", "process.pid", "process.pid", numeric, nil},
	{"xid", "", "", textual, nil},
	{"recordtime", "", "", textual, nil},
})

// activityAudit are the parts of a line of user activity. All but the first and the last are written as name=value.
var activityAudit = fieldsOf([]entry{
	{"recordtime", "", "", textual, nil},
	{"db", "", "db.namespace", textual, nil},
	{"user", "user.name", "user.name", textual, nil},
	{"pid", "process.pid", "process.pid", numeric, nil},
	{"userid", "", "", textual, nil},
	{"xid", "", "", textual, nil},
	{"query", "", "db.query.text", textual, nil},
})

// redshiftAttributes tells the logs as redshiftMillis does.
func redshiftAttributes(a *Attributes, w *writer, _, line []byte) bool {
	if len(line) > 0 && line[0] == '\'' {
		return a.activity(w, line[1:])
	}
	const leastOfConnection = 9 // up to duration
	if second, _ := column(line, 1, '|'); recordTime(bytes.TrimRight(second, " ")) != 0 {
		return a.barredLine(w, connectionAudit, line) >= leastOfConnection
	}
	if last, rest := column(line, len(userAudit)-1, '|'); recordTime(bytes.TrimRight(last, " ")) == 0 || len(rest) > 0 {
		return false
	}
	return a.barredLine(w, userAudit, line) == len(userAudit)
}

// barredLine writes columns that bars separate and spaces pad, and returns how many there were, -1 for too many. A bar that
// ends the line begins no column.
func (a *Attributes) barredLine(w *writer, fields []field, line []byte) int {
	n := 0
	for ; len(line) > 0; n++ {
		value, rest, _ := bytes.Cut(line, []byte("|"))
		if !a.column(w, fields, n, bytes.TrimSpace(value)) {
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
	var values [7][]byte // of activityAudit
	last := len(values) - 1
	values[0], values[last] = when, bytes.TrimSpace(query)
	for i := last - 1; i > 0; i-- { // from the end, as the names that users choose come first
		name := activityAudit[i].name
		at := lastMember(who, name)
		if at < 0 {
			return false
		}
		values[i] = bytes.TrimSpace(who[at+len(name)+len("="):])
		who = bytes.TrimRight(who[:at], " ")
	}
	for i, value := range values {
		if !a.column(w, activityAudit, i, value) {
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
