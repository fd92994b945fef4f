package event

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sluice/internal/jsonwalk"
	"sluice/internal/ledger"
)

// envelope is the members of a document by which the shapes are told apart; nil for a member that is not there.
type envelope struct {
	records []byte

	detail, detailType, source, account, region, id, time []byte // EventBridge

	event []byte // S3's test event

	typ, message, messageID, topicARN, timestamp []byte // SNS

	awslogs, deliveryStream, tasks []byte // other functions' events

	sluice []byte // what says that a message is one of ours

	count int // of all members
}

// readEnvelope goes once over the members of doc. Of two with one name the last counts.
func readEnvelope(doc []byte) (envelope, error) {
	var e envelope
	members := jsonwalk.Object(doc)
	for members.Next() {
		e.count++
		if field := e.field(members.Name()); field != nil {
			*field = members.Value()
		}
	}
	return e, members.Err()
}

// field returns where the member called name is kept, nil when nobody asks for it.
func (e *envelope) field(name []byte) *[]byte {
	switch string(name) {
	case "Records":
		return &e.records
	case "detail":
		return &e.detail
	case "detail-type":
		return &e.detailType
	case "source":
		return &e.source
	case "account":
		return &e.account
	case "region":
		return &e.region
	case "id":
		return &e.id
	case "time":
		return &e.time
	case "Event":
		return &e.event
	default:
		return e.otherField(string(name))
	}
}

// otherField is field for the members of SNS and of events that belong elsewhere.
func (e *envelope) otherField(name string) *[]byte {
	switch name {
	case "Type":
		return &e.typ
	case "Message":
		return &e.message
	case "MessageId":
		return &e.messageID
	case "TopicArn":
		return &e.topicARN
	case "Timestamp":
		return &e.timestamp
	case "awslogs":
		return &e.awslogs
	case "deliveryStreamArn":
		return &e.deliveryStream
	case "tasks":
		return &e.tasks
	case "sluice":
		return &e.sluice
	default:
		return nil
	}
}

type shape uint8

const (
	unknownShape shape = iota
	eventBridgeShape
	testEventShape
	recordsShape
	snsShape // as SNS writes it into a queue
)

func (e *envelope) shape() shape {
	switch {
	case e.detail != nil && e.detailType != nil && e.source != nil:
		return eventBridgeShape
	case scalar(e.event) == "s3:TestEvent":
		return testEventShape
	case len(e.records) > 0 && (e.records[0] == '[' || isNull(e.records)):
		return recordsShape
	case e.message != nil && scalar(e.typ) == "Notification":
		return snsShape
	default:
		return unknownShape
	}
}

// isEmptyList reports whether the document is a list of no records and nothing else, which asks for nothing.
func (e *envelope) isEmptyList() bool {
	if e.count != 1 {
		return false
	}
	list := jsonwalk.Array(e.records)
	return isNull(e.records) || !list.Next()
}

// notices reads doc, whose members e holds, when its shape is known and no list. depth is how many texts are around it.
func (e *envelope) notices(doc []byte, depth int) []Notice {
	switch e.shape() {
	case eventBridgeShape:
		return []Notice{e.eventBridgeNotice(doc)}
	case testEventShape:
		return []Notice{{Rule: ledger.S3TestEvent}}
	default:
		return e.snsNotices(doc, depth)
	}
}

// snsNotices reads an SNS message, doc, by the members it has both in an event of its own and in a queue.
func (e *envelope) snsNotices(doc []byte, depth int) []Notice {
	text, ok := jsonwalk.Text(e.message)
	if !ok {
		return []Notice{{Err: errors.New("the SNS message has no text in Message"), Raw: doc}}
	}
	from := Source{
		Kind:   SourceSNS,
		ARN:    scalar(e.topicARN),
		ID:     scalar(e.messageID),
		Millis: timeToMillis(scalar(e.timestamp)),
	}
	return unwrap(text, from, depth+1)
}

// eventBridgeNotice reads an EventBridge event. S3 itself calls its events "Object Created", "Object Deleted" and so on;
// what comes from aws.s3 by another name, such as an API call that CloudTrail saw, is a log like any other.
// Format: S3 user guide, "EventBridge event message structure" and "Amazon S3 event types for EventBridge".
func (e *envelope) eventBridgeNotice(doc []byte) Notice {
	detailType, source := scalar(e.detailType), scalar(e.source)
	millis := timeToMillis(scalar(e.time))
	if source != "aws.s3" || !strings.HasPrefix(detailType, "Object ") {
		return Notice{Text: slices.Clip(doc), Source: Source{
			Kind:        SourceEventBridge,
			ID:          scalar(e.id),
			Millis:      millis,
			EventSource: source,
			DetailType:  detailType,
		}}
	}
	o, err := readObject(e.detail)
	o.EventName, o.EventMillis = detailType, millis
	o.Region, o.Account = knownRegion(scalar(e.region)), knownAccount(scalar(e.account))
	if err != nil {
		err = fmt.Errorf("detail: %w", err)
	}
	return objectNotice(&o, detailType == "Object Created", err, doc)
}

// objectNotice is the notice of doc, an event about o. err is why o cannot be read: that matters only for an arrival.
func objectNotice(o *Object, created bool, err error, doc []byte) Notice {
	if err == nil {
		err = o.check()
	}
	switch {
	case created && err != nil:
		return Notice{Err: err, Raw: doc}
	case err != nil:
		return Notice{Rule: ledger.NotObjectCreated, Object: Object{EventName: o.EventName, SizeBytes: -1}}
	case !created:
		return Notice{Rule: ledger.NotObjectCreated, Object: *o}
	default:
		return Notice{Object: *o}
	}
}

// unexpected is the error for an event of none of the shapes.
func (e *envelope) unexpected(payload []byte) error {
	const expected = `expected "Records" with S3, SNS or SQS records, or an EventBridge event; check the function's trigger`
	looks := ""
	switch {
	case e.awslogs != nil:
		looks = ", it looks like a CloudWatch Logs subscription"
	case e.deliveryStream != nil:
		looks = ", it looks like a Firehose transformation"
	case bytes.HasPrefix(e.tasks, []byte("[")):
		looks = ", it looks like an S3 Batch Operations job"
	}
	return fmt.Errorf("event has members [%s]%s: %s", memberNames(payload), looks, expected)
}
