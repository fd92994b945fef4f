package cloudwatch

import "sluice/internal/jsonwalk"

// IsPayload reports whether a JSON document is a subscription payload, from its beginning: an object with a string
// messageType and a list logEvents among its own members, in any order. Text that only quotes such a payload, or holds it
// one level deeper, is none. The scan ends where both have been seen, or where the text stops being a JSON object.
func IsPayload(head []byte) bool {
	var messageType, logEvents bool
	members := jsonwalk.Object(head)
	for members.Next() {
		switch string(members.Name()) {
		case "messageType":
			messageType = messageType || members.First() == '"'
		case "logEvents":
			logEvents = logEvents || members.First() == '['
		}
		if messageType && logEvents {
			return true
		}
	}
	return false
}
