package format

import (
	"bytes"

	"sluice/internal/jsonwalk"
)

// guardDutyLog is a finding. It comes by itself from S3, and in an event of EventBridge as its detail; what it says has the
// same names either way. The event's own members are kept under theirs, too: its id, as the finding has one, as
// eventbridge_id, its region, which is the finding's, not at all.
// Sources: GuardDuty user guide, "GuardDuty finding format"; EventBridge user guide, "Events: structure".
var guardDutyLog = layout{
	millis:     firstOf(isoMember("updatedAt"), findingMillis),
	attributes: findingAttributes,
	fields: []string{
		"schemaVersion", "accountId", "region", "partition", "id", "arn", "type", "resource", "service", "severity",
		"createdAt", "updatedAt", "title", "description", "version", keyEventID, "detail-type", "source", "account", "time",
		"resources",
	},
	time: "updatedAt",
}

const keyEventID = "eventbridge_id"

// findingNames map no account but the finding's: that of an event is the administrator's, where there is one.
var findingNames = renamed(
	mapped("accountId", "cloud.account.id", "cloud.account.id"),
	mapped("region", "cloud.region", "cloud.region"),
	mapped("id", "event.id", ""),
	mapped("source", "event.provider", ""),
)

// findingMillis reads the time of the finding in an event.
func findingMillis(c *Clock, line []byte) int64 {
	return isoMember("updatedAt")(c, memberOf(line, "detail"))
}

func findingAttributes(a *Attributes, w *writer, _, line []byte) bool {
	if memberOf(line, "detail-type") == nil {
		return a.objects.append(w, line, findingNames)
	}
	finding, ok := a.unwrapped(line)
	if !ok {
		return a.objects.append(w, line, findingNames)
	}
	return a.objects.append(w, finding, findingNames)
}

// unwrapped makes one object of an event and the finding in it; false for an event without. It is valid until the next call.
// Where both have a name, the finding's comes last, which is the one that counts.
func (a *Attributes) unwrapped(event []byte) (finding []byte, ok bool) {
	finding = a.scratch[:0]
	var detail []byte
	members := jsonwalk.Object(event)
	for members.Next() {
		name := members.Name()
		switch string(name) {
		case "detail":
			detail = members.Value()
			continue
		case "id":
			name = []byte(keyEventID)
		}
		finding = append(appendKey(finding, name), members.Value()...)
	}
	inner := jsonwalk.Object(detail)
	for inner.Next() {
		finding = append(appendKey(finding, inner.Name()), inner.Value()...)
	}
	if members.Err() != nil || inner.Err() != nil || len(finding) == 0 {
		return nil, false
	}
	finding[0] = '{' // in place of the first comma
	finding = append(finding, '}')
	a.scratch = finding
	return finding, len(bytes.TrimSpace(members.Rest())) == 0
}
