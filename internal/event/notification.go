package event

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sluice/internal/jsonwalk"
)

// record is an element of Records: the members by which its kind is told, and those of S3 and SQS records.
type record struct {
	doc   []byte
	shape recordShape
	err   error // doc is not an object

	source string // eventSource, or EventSource as SNS spells it

	s3, sns, body, kinesis, attributes []byte

	eventName, eventTime, region string // S3
	messageID, queueARN          string // SQS
}

type recordShape uint8

const (
	unknownRecord recordShape = iota
	s3Record
	snsRecord
	sqsRecord
)

// readRecord goes once over the members of an element of Records and tells what it is.
func readRecord(doc []byte) record {
	r := record{doc: doc}
	members := jsonwalk.Object(doc)
	for members.Next() {
		r.read(string(members.Name()), &members)
	}
	if r.err = members.Err(); r.err == nil {
		r.shape = r.tell()
	}
	return r
}

func (r *record) read(name string, at *jsonwalk.Walk) {
	switch name {
	case "eventSource", "EventSource":
		r.source = scalar(at.Value())
	case "s3":
		r.s3 = at.Value()
	case "Sns":
		r.sns = at.Value()
	case "body":
		r.body = at.Value()
	case "kinesis":
		r.kinesis = at.Value()
	case "attributes":
		r.attributes = at.Value()
	case "eventName":
		r.eventName = scalar(at.Value())
	case "eventTime":
		r.eventTime = scalar(at.Value())
	case "awsRegion":
		r.region = scalar(at.Value())
	case "messageId":
		r.messageID = scalar(at.Value())
	case "eventSourceARN":
		r.queueARN = scalar(at.Value())
	}
}

// tell decides by content first: the source is missing in events made by hand.
func (r *record) tell() recordShape {
	switch {
	case isObject(r.s3) || r.source == "aws:s3":
		return s3Record
	case isObject(r.sns) || r.source == "aws:sns":
		return snsRecord
	case r.source == "aws:sqs" || r.body != nil && r.messageID != "":
		return sqsRecord
	default:
		return unknownRecord
	}
}

func isObject(value []byte) bool { return len(value) > 0 && value[0] == '{' }

// notices reads the record. depth is how many texts are around it.
func (r *record) notices(depth int) []Notice {
	switch r.shape {
	case s3Record:
		return []Notice{r.s3Notice()}
	case snsRecord:
		e, err := readEnvelope(r.sns)
		if err != nil {
			return []Notice{{Err: fmt.Errorf("read Sns: %w", err), Raw: r.doc}}
		}
		return e.snsNotices(r.doc, depth)
	case sqsRecord:
		m := r.message(depth)
		if m.Err != nil {
			return []Notice{{Err: m.Err, Raw: m.Raw}}
		}
		return m.Notices
	default:
		return []Notice{{Err: r.unexpected(), Raw: r.doc}}
	}
}

// message reads an SQS record. depth is how many texts are around it.
// Format: Lambda developer guide, "Using Lambda with Amazon SQS".
func (r *record) message(depth int) Message {
	m := Message{ID: r.messageID, QueueARN: r.queueARN, FIFO: strings.HasSuffix(r.queueARN, ".fifo")}
	from := Source{Kind: SourceSQS, ARN: r.queueARN, ID: r.messageID}
	attributes := jsonwalk.Object(r.attributes)
	for attributes.Next() {
		switch string(attributes.Name()) {
		case "ApproximateReceiveCount":
			m.ReceiveCount = int(max(0, count(attributes.Value())))
		case "SentTimestamp":
			from.Millis = max(0, count(attributes.Value()))
		}
	}
	text, ok := jsonwalk.Text(r.body)
	if !ok {
		m.Err, m.Raw = errors.New("the SQS message has no text in body"), r.doc
		return m
	}
	if depth == 0 { // we send it to the queue that gives it to us, and no other way
		if n, ok := continuation(text); ok {
			m.Notices = []Notice{n}
			return m
		}
	}
	m.Notices = unwrap(text, from, depth+1)
	return m
}

// s3Notice reads a native notification. Its key is form-encoded, once, however many texts are around it.
// Format: S3 user guide, "Event message structure".
func (r *record) s3Notice() Notice {
	o, err := readObject(r.s3)
	o.Key = decodeKey(o.Key)
	o.EventName = strings.TrimPrefix(r.eventName, "s3:") // the prefix belongs to configurations; some tools send it
	o.EventMillis = timeToMillis(r.eventTime)
	o.Region = knownRegion(r.region)
	if o.EventName == "" {
		return Notice{Err: errors.New("eventName is missing: it may tell of a new object"), Raw: r.doc}
	}
	if err != nil {
		err = fmt.Errorf("s3: %w", err)
	}
	return objectNotice(&o, strings.HasPrefix(o.EventName, "ObjectCreated:"), err, r.doc)
}

// unexpected is the error for a record of none of the kinds.
func (r *record) unexpected() error {
	const expected = `expected "s3", "Sns", or "body" of SQS; check the function's trigger`
	switch {
	case r.err != nil:
		return fmt.Errorf("read a record: %w", r.err)
	case r.kinesis != nil:
		return fmt.Errorf("a record has members [%s], it looks like a Kinesis stream: %s", memberNames(r.doc), expected)
	case r.source != "":
		return fmt.Errorf("a record of %+.80q has members [%s]: %s", r.source, memberNames(r.doc), expected)
	default:
		return fmt.Errorf("a record has members [%s]: %s", memberNames(r.doc), expected)
	}
}

// readObject reads what says where an object is: s3 of a native notification, or detail of EventBridge, which differ in
// the spelling of two names. The key is as it stands; check is still to be called.
func readObject(doc []byte) (Object, error) {
	o := Object{SizeBytes: -1}
	var bucket, object []byte
	members := jsonwalk.Object(doc)
	for members.Next() {
		switch string(members.Name()) {
		case "bucket":
			bucket = members.Value()
		case "object":
			object = members.Value()
		}
	}
	if err := members.Err(); err != nil {
		return o, err
	}
	if bucket == nil || object == nil {
		return o, fmt.Errorf("members are [%s]: expected \"bucket\" and \"object\"", memberNames(doc))
	}
	name, err := member(bucket, "name")
	if err != nil {
		return o, fmt.Errorf("bucket: %w", err)
	}
	o.Bucket = scalar(name)
	if err := o.read(object); err != nil {
		return o, fmt.Errorf("object: %w", err)
	}
	return o, nil
}

func (o *Object) read(doc []byte) error {
	members := jsonwalk.Object(doc)
	for members.Next() {
		switch string(members.Name()) {
		case "key":
			o.Key = scalar(members.Value())
		case "size":
			o.SizeBytes = max(-1, count(members.Value()))
		case "eTag", "etag":
			o.ETag = strings.Trim(scalar(members.Value()), `"`)
		case "versionId", "version-id":
			o.VersionID = scalar(members.Value())
		case "sequencer":
			o.Sequencer = scalar(members.Value())
		}
	}
	return members.Err()
}

// count reads a whole number that may be a string; -1 when there is none.
func count(value []byte) int64 {
	n, err := strconv.ParseInt(scalar(value), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// timeToMillis converts an RFC 3339 time, with or without a fraction, to epoch milliseconds; 0 when it is none.
func timeToMillis(text string) int64 {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0
	}
	return max(0, t.UnixMilli())
}
