package event

import (
	"encoding/json"
	"fmt"
	"slices"

	"sluice/internal/jsonwalk"
	"sluice/internal/ledger"
)

// Object is an S3 object that an event names. Its bucket is spelled as a bucket can be and its key is not empty; whether
// they may be read is for the caller to decide: a message can be forged by whoever may write to the queue or topic.
type Object struct {
	Bucket      string // 3 to 255 letters, digits, '.', '-' and '_'
	Key         string // as GetObject takes it: decoded once if its route encodes it; opaque, 1 to 1024 bytes
	VersionID   string // empty when unknown. Read this version, or the object may be a newer one
	ETag        string // without quotes; empty when unknown
	Sequencer   string // hexadecimal; orders the events of one key. Empty when unknown
	Region      string // of the bucket; empty when unknown or not spelled like a region
	Account     string // 12 digits, owner of the bucket as EventBridge says; empty when unknown, as in native notifications
	SizeBytes   int64  // -1 when the event does not say
	EventName   string // "ObjectCreated:Put", or EventBridge's detail-type; empty for a batch task
	EventMillis int64  // epoch milliseconds; 0 when unknown
	// Resume is where reading goes on, when the notice is a continuation that AppendContinuation wrote; usually nil. It can
	// be forged like the rest.
	Resume *Resume
}

// Notice is one thing that an event tells. Exactly one of its members decides what it is, looked at in this order: Err,
// Rule, Text; when none of them is set it is Object, an arrival to read.
type Notice struct {
	Object Object      // with the rule not_object_created: what the event was about, as far as it can be told
	Rule   ledger.Rule // what drops it: s3_test_event, not_object_created, or empty_line for an empty text
	Text   []byte      // the notice is a log itself, its bytes out of their wrapping; a view of the event where it can be
	Source Source      // where Text came from
	Err    error       // the notice cannot be read; it says which member is missing or wrong
	Raw    []byte      // beside Err: the JSON that cannot be read, a view, for whoever keeps it
}

// Source is what wrapped a text: the innermost wrapping where there are several.
type Source struct {
	Kind        SourceKind
	ARN         string // of the queue or topic; empty for EventBridge. As the message says: not a thing to call
	ID          string // messageId, MessageId or the id of the EventBridge event; the same when it is delivered again
	Millis      int64  // when it was sent, epoch milliseconds; 0 when unknown
	EventSource string // EventBridge alone: its source, such as "aws.guardduty"
	DetailType  string // EventBridge alone: its detail-type
}

// SourceKind names what wrapped a text.
type SourceKind string

// The kinds.
const (
	SourceSQS         SourceKind = "sqs"
	SourceSNS         SourceKind = "sns"
	SourceEventBridge SourceKind = "eventbridge"
)

// Message is what its owner gives again as a whole when one of its notices fails: an SQS message, or else the event.
type Message struct {
	ID           string // SQS messageId; empty when only the event as a whole can be returned
	ReceiveCount int    // how often SQS has given it, this time included; 0 when unknown
	QueueARN     string // empty for other routes
	FIFO         bool   // SQS: what follows a failure in the batch has to be returned with it
	Notices      []Notice
	Err          error  // the message as a whole cannot be read; it has no notices then
	Raw          []byte // beside Err: the JSON that cannot be read, a view
}

// Objects is what an event tells: its SQS messages in their order, and what has come by other routes as one message.
type Objects struct {
	Messages []Message
	Partial  bool // an SQS batch: answered with the ids of the messages that failed, see AppendBatchItemFailures
}

// maxWrappings is how many texts may be wrapped around a notification. Real routes have at most two, SQS around SNS; the
// rest is for queues that hold copies of other queues' events.
const maxWrappings = 4

// ParseObjects reads an event of any route that announces S3 objects: S3 itself, SNS, SQS, EventBridge, and each of them
// wrapped in others, mixed at will. What a record is gets decided for each record alone, and a bad one is a Notice or
// Message with Err beside good neighbours.
//
// Texts are views of payload where they need no unescaping: payload must stay unchanged while they are in use. A text in
// SNS or SQS that is no JSON, or JSON of another shape, is a log; so is an EventBridge event that S3 did not send.
// S3's test events and events other than the creation of an object are notices with a Rule. No records is no messages.
// An SQS message that AppendContinuation wrote is the Object that it names, with Resume; it is read strictly, and nowhere
// but as the body of a message of the event itself.
//
// The error is about the event as a whole: not JSON, or of no shape that belongs here. It names the members the event
// has, and what it looks like, so that a wrong trigger can be told from the log.
// Format: S3 user guide, "Event message structure" and "Using EventBridge"; Lambda developer guide for SNS and SQS.
func ParseObjects(payload []byte) (Objects, error) {
	e, err := readEnvelope(payload)
	if err != nil {
		return Objects{}, fmt.Errorf("read S3 event of %d bytes: %w", len(payload), err)
	}
	switch e.shape() {
	case unknownShape:
		return Objects{}, e.unexpected(payload)
	case recordsShape:
		return readBatch(e.records)
	default:
		return Objects{Messages: []Message{{Notices: e.notices(payload, 0)}}}, nil
	}
}

// readBatch reads the Records of the event itself. SQS messages stand alone; all other records are given again together.
// Where no record belongs here, the function has the wrong trigger, and the first record's error tells what it looks like.
func readBatch(list []byte) (Objects, error) {
	if isNull(list) {
		return Objects{}, nil
	}
	var objects Objects
	var whole []Notice
	known := false
	elements := jsonwalk.Array(list)
	for i := 0; elements.Next(); i++ {
		r := readRecord(elements.Value())
		known = known || r.shape != unknownRecord
		if r.shape == sqsRecord {
			objects.Partial = true
			m := r.message(0)
			m.locate(i)
			objects.Messages = append(objects.Messages, m)
			continue
		}
		whole = append(whole, located(i, r.notices(0))...)
	}
	if err := elements.Err(); err != nil {
		return Objects{}, fmt.Errorf("read Records of an S3 event: %w", err)
	}
	if !known && len(whole) > 0 {
		return Objects{}, whole[0].Err
	}
	if len(whole) > 0 {
		objects.Messages = append(objects.Messages, Message{Notices: whole})
	}
	return objects, nil
}

// unwrap reads the text of an SNS message or an SQS body, which may be a notification, wrap one, or be a log. depth is
// how many texts are around it, itself included.
func unwrap(text []byte, from Source, depth int) []Notice {
	if len(text) == 0 {
		return []Notice{{Rule: ledger.EmptyLine}}
	}
	log := []Notice{{Text: slices.Clip(text), Source: from}}
	if !json.Valid(text) {
		return log
	}
	e, err := readEnvelope(text)
	if err != nil { // JSON, but not an object
		return log
	}
	if e.shape() == unknownShape {
		return log
	}
	if depth > maxWrappings {
		return []Notice{{Err: fmt.Errorf("a notification is wrapped more than %d times", maxWrappings), Raw: text}}
	}
	if e.shape() != recordsShape {
		return e.notices(text, depth)
	}
	notices, known := readRecords(e.records, depth)
	if !known && !e.isEmptyList() {
		return log
	}
	return notices
}

// readRecords reads the Records of a valid text inside an event. known is false when none of them belongs here.
func readRecords(list []byte, depth int) (notices []Notice, known bool) {
	elements := jsonwalk.Array(list)
	for i := 0; elements.Next(); i++ {
		r := readRecord(elements.Value())
		known = known || r.shape != unknownRecord
		notices = append(notices, located(i, r.notices(depth))...)
	}
	return notices, known
}

// located adds the place in Records to the errors of notices.
func located(i int, notices []Notice) []Notice {
	for n := range notices {
		if notices[n].Err != nil {
			notices[n].Err = fmt.Errorf("Records[%d]: %w", i, notices[n].Err)
		}
	}
	return notices
}

func (m *Message) locate(i int) {
	if m.Err != nil {
		m.Err = fmt.Errorf("Records[%d]: %w", i, m.Err)
	}
	m.Notices = located(i, m.Notices)
}
