package service

import "bytes"

// Access logs of API Gateway have what the user's template has. The text ones that can be told are those of the console's
// presets, with or without columns of the user's: by the request id that only API Gateway makes.
// Source: API Gateway developer guide, "Set up CloudWatch logging", examples of access logs.

// accessTime is the outline of $context.requestTime.
const accessTime = "dd/???/dddd:dd:dd:dd ?dddd"

// isAccessCLF knows the Common Log Format with one or two ids behind it, of which one is the extended one:
// `203.0.113.7 - - [01/Feb/2024:00:00:00 +0000] "GET /pets HTTP/1.1" 200 1024 6b1f6c1e-… SBLqPHuyoAMFk_g=`.
func isAccessCLF(message []byte) bool {
	at := bytes.IndexByte(message, '[')
	if at < 1 || message[at-1] != ' ' || !matches(message[at:], "["+accessTime+`] "`) {
		return false
	}
	rest, _, _ := bytes.Cut(message[at:], []byte("\n"))
	rest = rest[bytes.LastIndexByte(rest, '"')+1:]
	if !matches(rest, " ddd ") { // the status, behind the request
		return false
	}
	_, ids, ok := bytes.Cut(rest[len(" ddd "):], []byte(" ")) // behind the length
	if !ok {
		return false
	}
	first, second, two := bytes.Cut(bytes.TrimSpace(ids), []byte(" "))
	switch {
	case !two:
		return isExtendedID(first)
	case isExtendedID(first):
		return isUUID(second)
	default:
		return isExtendedID(second) && isUUID(first)
	}
}

// isAccessCSV knows
// "203.0.113.7,-,-,01/Feb/2024:00:00:00 +0000,GET,/pets,HTTP/1.1,200,1024,6b1f6c1e-…,SBLqPHuyoAMFk_g=".
func isAccessCSV(message []byte) bool {
	line, _, _ := bytes.Cut(message, []byte("\n"))
	line = bytes.TrimSpace(line)
	at := len(line) - extendedIDBytes - 1
	if at < 0 || line[at] != ',' || !isExtendedID(line[at+1:]) {
		return false
	}
	for column := range bytes.SplitSeq(line, []byte(",")) {
		if len(column) == len(accessTime) && matches(column, accessTime) {
			return true
		}
	}
	return false
}

// isAccessXML knows `<request id="6b1f6c1e-…"> … <httpMethod>GET</httpMethod> … </request>`.
func isAccessXML(message []byte) bool {
	return bytes.HasPrefix(message, []byte(`<request id="`)) && bytes.Contains(message, []byte("<httpMethod>"))
}

// extendedIDBytes is the length of $context.extendedRequestId: 11 bytes in the URL's base64, and the padding.
const extendedIDBytes = 16

func isExtendedID(id []byte) bool {
	const last = extendedIDBytes - 1
	return len(id) == extendedIDBytes && id[last] == '=' && only(id[:last], isNameByte)
}
