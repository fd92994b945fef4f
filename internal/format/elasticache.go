package format

import (
	"bytes"

	"sluice/internal/jsonwalk"
	"sluice/internal/record"
)

// Layouts of ElastiCache's logs, each JSON or text.
// Source: ElastiCache user guide, "Log delivery": contents of the slow log and of the engine log.
var (
	elastiCacheSlowLog = layout{
		millis:     slowMillis,
		attributes: slowAttributes,
		fields: []string{
			"CacheClusterId", "CacheNodeId", "Id", "Timestamp", "Duration (us)", "Command", "ClientAddress", "ClientName",
		},
		time: "Timestamp",
	}
	elastiCacheEngineLog = layout{
		millis:     engineMillis,
		attributes: engineAttributes,
		fields:     []string{"CacheClusterId", "CacheNodeId", "LogLevel", "Role", "Time", "Message"},
		time:       "Time",
	}
)

var (
	keyCluster  = named("CacheClusterId")
	keyNode     = named("CacheNodeId")
	slowKeys    = [...]*key{keyCluster, keyNode, named("Timestamp"), named("Duration (us)")}
	keyCommand  = named("Command")
	keyAddress  = mapped("ClientAddress", "client.address", "client.address")
	keyName     = named("ClientName")
	keyRole     = named("Role")
	keyTime     = named("Time")
	keyLogLevel = mapped("LogLevel", "log.level", "")
	keyText     = mapped("Message", "message", "")
	slowNames   = renamed(keyAddress)
	engineNames = renamed(keyLogLevel, keyText)
)

func slowMillis(_ *Clock, line []byte) int64 {
	if isObject(line) {
		return epochMember("Timestamp", inSeconds)(nil, line)
	}
	text, _ := column(line, 2, ',')
	ms, _ := parseEpoch(text, inSeconds)
	return ms
}

// slowAttributes reads "cluster,node,timestamp,duration,command,client address,client name". The command may hold commas,
// so the columns are counted from both ends.
func slowAttributes(a *Attributes, w *writer, _, line []byte) bool {
	if isObject(line) {
		return a.objects.append(w, line, slowNames)
	}
	const timestamp = 2
	rest := line
	for i, k := range slowKeys {
		value, behind, ok := bytes.Cut(rest, []byte(","))
		if !ok || i >= timestamp && !isNumber(value) {
			return false
		}
		if i < timestamp {
			w.text(k, value)
		} else {
			w.number(k, value)
		}
		rest = behind
	}
	name := bytes.LastIndexByte(rest, ',')
	if name < 0 {
		return false
	}
	address := bytes.LastIndexByte(rest[:name], ',')
	if address < 0 {
		return false
	}
	w.text(keyCommand, rest[:address])
	w.text(keyAddress, rest[address+1:name])
	w.text(keyName, rest[name+1:])
	return true
}

// engineTime is how the engine log writes times.
const engineTime = "02 Jan 2006 15:04:05.000 UTC"

func engineMillis(_ *Clock, line []byte) int64 {
	if isObject(line) {
		text, _ := jsonwalk.Text(memberOf(line, "Time"))
		return parseEngineTime(text)
	}
	return parseEngineTime(cutEngine(line).time)
}

// parseEngineTime reads "12 Nov 2020 01:28:57.994 UTC".
func parseEngineTime(b []byte) int64 {
	if len(b) != len(engineTime) || b[2] != ' ' || string(b[len(b)-len(" UTC"):]) != " UTC" {
		return 0
	}
	return dayTime(two(b[0], b[1]), b[2:len(b)-len(" UTC")], '.')
}

// engineLine is what a line of the engine log as text is made of.
type engineLine struct {
	cluster, node, role, time, message []byte
	mark                               byte
}

// cutEngine reads "<cluster>/<node>:<role> <time> <mark> <message>"; the time is nil when the line is not so.
func cutEngine(line []byte) engineLine {
	head, rest, _ := bytes.Cut(line, []byte(" "))
	cluster, node, ok := bytes.Cut(head, []byte("/"))
	if !ok || len(rest) < len(engineTime)+len(" * ") {
		return engineLine{}
	}
	node, role, ok := bytes.Cut(node, []byte(":"))
	text, rest := rest[:len(engineTime)], rest[len(engineTime):]
	if !ok || rest[0] != ' ' || rest[2] != ' ' || parseEngineTime(text) == 0 {
		return engineLine{}
	}
	return engineLine{cluster, node, role, text, rest[len(" * "):], rest[1]}
}

// engineLevel is the level that a mark stands for in the form in JSON.
func engineLevel(mark byte) string {
	switch mark {
	case '.':
		return "DEBUG"
	case '-':
		return "VERBOSE"
	case '*':
		return "NOTICE"
	case '#':
		return "WARNING"
	}
	return ""
}

func engineAttributes(a *Attributes, w *writer, _, line []byte) bool {
	if isObject(line) {
		return a.objects.append(w, line, engineNames)
	}
	e := cutEngine(line)
	level := engineLevel(e.mark)
	if e.time == nil || level == "" {
		return false
	}
	w.text(keyCluster, e.cluster)
	w.text(keyNode, e.node)
	w.text(keyLogLevel, []byte(level))
	w.text(keyRole, e.role)
	w.text(keyTime, e.time)
	w.text(keyText, e.message)
	return true
}

func engineSeverity(line []byte) record.Severity {
	if isObject(line) {
		return objectSeverity(line)
	}
	if e := cutEngine(line); e.time != nil {
		return levelOf([]byte(engineLevel(e.mark)))
	}
	return ""
}
