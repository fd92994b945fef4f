package event

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"sluice/internal/jsonwalk"
)

// Kinesis is what an event source mapping for a Kinesis data stream hands over in one invocation: records of one shard,
// in sequence order.
type Kinesis struct {
	Records []KinesisRecord
}

// KinesisRecord is one record of a stream. Text members are empty where the event has none.
type KinesisRecord struct {
	EventID        string // "<shard id>:<sequence number>"
	EventSourceARN string // the stream; in a cross-account set-up the recipient's, not the log group's owner
	Region         string // of the stream, which need not be the log group's
	SequenceNumber string // decimal; the itemIdentifier of a partial batch response. Read from EventID when it is missing
	PartitionKey   string
	ArrivalMillis  int64 // approximate arrival, epoch milliseconds; 0 when unknown

	data []byte // base64, a view of the event
	err  error  // why the record has no payload
}

// ParseKinesis reads a Kinesis event. The records keep views of payload, which must stay unchanged while they are in use.
//
// The error is about the event as a whole: not JSON, no Records, or Records is not a list. It names the members the event
// has instead, so that a function with the wrong trigger can be told from its log. What is wrong with one record is told
// by its Payload.
// Format: Lambda developer guide, "Using Lambda with Kinesis".
func ParseKinesis(payload []byte) (Kinesis, error) {
	list, err := member(payload, "Records")
	if err != nil {
		return Kinesis{}, fmt.Errorf("read Kinesis event of %d bytes: %w", len(payload), err)
	}
	if list == nil {
		return Kinesis{}, fmt.Errorf("event has members [%s]: expected \"Records\"", memberNames(payload))
	}
	if isNull(list) {
		return Kinesis{}, nil
	}
	var event Kinesis
	var last KinesisRecord
	elements := jsonwalk.Array(list)
	for elements.Next() {
		r := parseKinesisRecord(elements.Value(), &last)
		if r.err != nil {
			r.err = fmt.Errorf("Records[%d] %q: %w", len(event.Records), r.EventID, r.err)
		}
		event.Records = append(event.Records, r)
		last = r
	}
	if err := elements.Err(); err != nil {
		return Kinesis{}, fmt.Errorf("read Records of a Kinesis event: %w", err)
	}
	return event, nil
}

// parseKinesisRecord reads one element of Records. last is the record before it, which usually shares the stream's name.
func parseKinesisRecord(doc []byte, last *KinesisRecord) KinesisRecord {
	var r KinesisRecord
	var kinesis []byte
	members := jsonwalk.Object(doc)
	for members.Next() {
		switch string(members.Name()) {
		case "kinesis":
			kinesis = members.Value()
		case "eventID":
			r.EventID = scalar(members.Value())
		case "eventSourceARN":
			r.EventSourceARN = sharedScalar(members.Value(), last.EventSourceARN)
		case "awsRegion":
			r.Region = sharedScalar(members.Value(), last.Region)
		}
	}
	switch {
	case members.Err() != nil:
		r.err = members.Err()
	case kinesis == nil || isNull(kinesis):
		r.err = errors.New(`no member "kinesis": expected a record of a Kinesis data stream`)
	default:
		r.err = r.parseStream(kinesis)
	}
	if r.SequenceNumber == "" {
		_, r.SequenceNumber, _ = strings.Cut(r.EventID, ":")
	}
	return r
}

// parseStream reads the member that holds what the stream itself knows of the record.
func (r *KinesisRecord) parseStream(doc []byte) error {
	var wrong error
	members := jsonwalk.Object(doc)
	for members.Next() {
		switch string(members.Name()) {
		case "data":
			r.data, wrong = dataText(members.Value())
		case "sequenceNumber":
			r.SequenceNumber = scalar(members.Value())
		case "partitionKey":
			r.PartitionKey = scalar(members.Value())
		case "approximateArrivalTimestamp":
			r.ArrivalMillis = secondsToMillis(scalar(members.Value()))
		}
	}
	if err := members.Err(); err != nil {
		return fmt.Errorf("kinesis: %w", err)
	}
	return wrong
}

// dataText returns the base64 text of a data member: empty for null, an error for what is not a string.
func dataText(value []byte) ([]byte, error) {
	if isNull(value) {
		return nil, nil
	}
	text, ok := jsonwalk.Text(value)
	if !ok {
		return nil, errors.New("kinesis.data is not a string: expected base64")
	}
	return text, nil
}

// Payload appends the record's bytes to dst and returns the extended slice; see DecodeBase64 for how dst is reused. A
// record without data has no bytes. On an error, which names the record, dst is returned as it was.
func (r *KinesisRecord) Payload(dst []byte) ([]byte, error) {
	if r.err != nil {
		return dst, r.err
	}
	out, err := DecodeBase64(dst, r.data)
	if err != nil {
		return dst, fmt.Errorf("record %q: kinesis.data: %w", r.EventID, err)
	}
	return out, nil
}

// Text is the base64 text of the payload as it stands in the event, for whoever keeps what cannot be decoded; a view.
func (r *KinesisRecord) Text() []byte { return r.data }

// sharedScalar is scalar, but returns shared when that is the text, so that a batch holds one copy of its stream's name.
func sharedScalar(value []byte, shared string) string {
	if text, ok := jsonwalk.Text(value); ok && string(text) == shared {
		return shared
	}
	return scalar(value)
}

// secondsToMillis converts epoch seconds with a fraction to epoch milliseconds, rounded; 0 when the text is no such time.
func secondsToMillis(seconds string) int64 {
	const lastSecond = 253402300799 // the end of the year 9999
	s, err := strconv.ParseFloat(seconds, 64)
	if err != nil || !(0 <= s && s <= lastSecond) {
		return 0
	}
	return int64(math.Round(s * 1000))
}
