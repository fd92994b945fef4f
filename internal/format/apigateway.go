package format

import (
	"bytes"

	"sluice/internal/jsonwalk"
)

// Layouts of API Gateway's logs.
var (
	// Users write the template of access logs. These are the presets of the console; the names are those of the preset in
	// JSON.
	// Source: API Gateway developer guide, "Set up CloudWatch logging for REST APIs"; CloudFormation user guide,
	// "AWS::ApiGateway::Stage AccessLogSetting".
	apiGatewayAccessLog = layout{
		millis:     requestMillis,
		attributes: requestAttributes,
		fields: []string{
			"requestId", "extendedRequestId", "ip", "caller", "user", "requestTime", "httpMethod", "resourcePath",
			"status", "protocol", "responseLength",
		},
		time: "requestTimeEpoch, else requestTime",
	}
	// Source: API Gateway developer guide, "CloudWatch log formats for API Gateway": execution logging.
	apiGatewayExecutionLog = layout{
		attributes: executionAttributes,
		fields:     []string{"requestId", "message"},
	}
)

var (
	keyRequestID      = mapped("requestId", "http.request.id", "aws.request_id")
	keyExtendedID     = mapped("extendedRequestId", "", "aws.extended_request_id")
	keyIP             = mapped("ip", "source.ip", "client.address")
	keyCaller         = named("caller")
	keyUser           = mapped("user", "user.name", "user.name")
	keyRequestTime    = named("requestTime")
	keyMethod         = mapped("httpMethod", "http.request.method", "http.request.method")
	keyPath           = mapped("resourcePath", "", "http.route")
	keyProtocol       = named("protocol")
	keyHTTPStatus     = mapped("status", "http.response.status_code", "http.response.status_code")
	keyResponseLength = mapped("responseLength", "http.response.body.bytes", "http.response.body.size")

	requestNames = renamed(
		keyRequestID, keyExtendedID, keyIP, keyCaller, keyUser, keyRequestTime, keyMethod, keyPath, keyProtocol,
		keyHTTPStatus, keyResponseLength,
	).without(func(_ []byte, depth int) bool { return depth == 1 })
	// requestColumns are the columns of the preset in CSV.
	requestColumns = [...]*key{
		keyIP, keyCaller, keyUser, keyRequestTime, keyMethod, keyPath, keyProtocol, keyHTTPStatus, keyResponseLength,
		keyRequestID, keyExtendedID,
	}
)

// requestMillis finds the time in each of the presets, and the epoch time that a template in JSON may have.
func requestMillis(_ *Clock, line []byte) int64 {
	switch {
	case isObject(line):
		if ms := epochMember("requestTimeEpoch", inMillis)(nil, line); ms != 0 {
			return ms
		}
		text, _ := jsonwalk.Text(memberOf(line, "requestTime"))
		return parseRequestTime(text)
	case byteAt(line, 0) == '<':
		_, line, _ = bytes.Cut(line, []byte("<requestTime>"))
		line, _, _ = bytes.Cut(line, []byte("<"))
		return parseRequestTime(line)
	}
	if text, _ := column(line, 3, ','); parseRequestTime(text) != 0 {
		return parseRequestTime(text)
	}
	_, line, _ = bytes.Cut(line, []byte(" ["))
	line, _, _ = bytes.Cut(line, []byte("]"))
	return parseRequestTime(line)
}

func requestAttributes(a *Attributes, w *writer, _, line []byte) bool {
	switch {
	case isObject(line):
		return a.objects.append(w, line, requestNames)
	case byteAt(line, 0) == '<':
		return a.requestXML(w, line)
	}
	if text, _ := column(line, 3, ','); parseRequestTime(text) != 0 {
		return requestCSV(w, line)
	}
	return requestCLF(w, line)
}

// request writes a member by its key, as a number where it is one by definition.
func (w *writer) request(k *key, value []byte) {
	if k == keyHTTPStatus || k == keyResponseLength {
		w.number(k, value)
		return
	}
	w.text(k, value)
}

func requestCSV(w *writer, line []byte) bool {
	var value []byte
	more := true
	for _, k := range requestColumns {
		if !more {
			return false
		}
		value, line, more = bytes.Cut(line, []byte(","))
		w.request(k, value)
	}
	for n := len(requestColumns) + 1; more; n++ {
		value, line, more = bytes.Cut(line, []byte(","))
		w.extra(n, value)
	}
	return true
}

// requestCLF reads `ip caller user [time] "method path protocol" status length requestId extendedRequestId`, in which the
// two ids may have changed places, or the second stand before all else.
func requestCLF(w *writer, line []byte) bool {
	head, rest, _ := bytes.Cut(line, []byte(" ["))
	time, rest, _ := bytes.Cut(rest, []byte(`] "`))
	call, rest, ok := bytes.Cut(rest, []byte(`" `))
	if !ok || parseRequestTime(time) == 0 {
		return false
	}
	spaces := bytes.Count(head, []byte(" "))
	extended := spaces == 3
	if extended {
		var id []byte
		id, head, _ = bytes.Cut(head, []byte(" "))
		w.text(keyExtendedID, id)
	} else if spaces != 2 {
		return false
	}
	ip, head, _ := bytes.Cut(head, []byte(" "))
	caller, user, _ := bytes.Cut(head, []byte(" "))
	w.text(keyIP, ip)
	w.text(keyCaller, caller)
	w.text(keyUser, user)
	w.text(keyRequestTime, time)
	first, last := bytes.IndexByte(call, ' '), bytes.LastIndexByte(call, ' ')
	if first < 0 || first == last {
		return false
	}
	w.text(keyMethod, call[:first])
	w.text(keyPath, call[first+1:last])
	w.text(keyProtocol, call[last+1:])
	return requestTail(w, rest, extended)
}

// requestTail reads "status length requestId extendedRequestId" and whatever follows. extended says that the last of these
// has been read.
func requestTail(w *writer, rest []byte, extended bool) bool {
	status, rest, ok := bytes.Cut(rest, []byte(" "))
	if !ok || !isAbsent(status) && !isNumber(status) {
		return false
	}
	length, rest, ok := bytes.Cut(rest, []byte(" "))
	w.number(keyHTTPStatus, status)
	w.number(keyResponseLength, length)
	id, rest, more := bytes.Cut(rest, []byte(" "))
	if !extended {
		var other []byte
		other, rest, more = bytes.Cut(rest, []byte(" "))
		if isUUID(other) && !isUUID(id) {
			id, other = other, id
		}
		w.text(keyExtendedID, other)
	}
	w.text(keyRequestID, id)
	for n := len(requestColumns) - 1; more; n++ { // the request is one column, not three
		var value []byte
		value, rest, more = bytes.Cut(rest, []byte(" "))
		w.extra(n, value)
	}
	return ok
}

// requestXML reads `<request id="…"> <ip>…</ip> … </request>`, each element on the same line.
func (a *Attributes) requestXML(w *writer, line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte(`<request id="`))
	if !ok {
		return false
	}
	id, rest, ok := bytes.Cut(rest, []byte(`">`))
	if !ok {
		return false
	}
	w.text(keyRequestID, id)
	for {
		rest = bytes.TrimSpace(rest)
		if string(rest) == "</request>" {
			a.objects.settle(w)
			return true
		}
		name, value, behind, ok := cutElement(rest)
		if !ok {
			return false
		}
		if k := requestNames.of(name); k != nil {
			w.request(k, value)
		} else {
			w.memberText(name, value)
		}
		rest = behind
	}
}

// cutElement cuts `<name>value</name>` off b. Values are not escaped by API Gateway, so they stay as they are.
func cutElement(b []byte) (name, value, rest []byte, ok bool) {
	if byteAt(b, 0) != '<' {
		return nil, nil, nil, false
	}
	end := bytes.IndexByte(b, '>')
	if end < 2 || !isName(b[1:end]) {
		return nil, nil, nil, false
	}
	name, b = b[1:end], b[end+1:]
	for from := 0; ; {
		at := bytes.Index(b[from:], []byte("</"))
		if at < 0 {
			return nil, nil, nil, false
		}
		at += from
		if closing := b[at+2:]; bytes.HasPrefix(closing, name) && byteAt(closing, len(name)) == '>' {
			return name, b[:at], closing[len(name)+1:], true
		}
		from = at + 2
	}
}

// isName reports whether text is letters, digits and marks that names have.
func isName(text []byte) bool {
	for _, c := range text {
		if !isDigit(c) && !isLetter(c) && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return len(text) > 0
}

// executionAttributes reads "(b4e1ab3b-0000-4a4a-9b9b-c0ffee00abcd) text".
func executionAttributes(_ *Attributes, w *writer, _, line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("("))
	if !ok {
		return false
	}
	id, text, ok := bytes.Cut(rest, []byte(") "))
	if !ok || !isName(id) {
		return false
	}
	w.text(keyRequestID, id)
	w.text(keyMessage, text)
	return true
}
