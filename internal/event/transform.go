package event

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"sluice/internal/jsonwalk"
)

// Transform is what Firehose hands to its transformation function in one invocation. Texts are empty where the event has
// none.
type Transform struct {
	InvocationID    string // another one for each attempt at the same batch
	StreamARN       string // the delivery stream
	SourceStreamARN string // the Kinesis stream that feeds it; empty for other sources
	Region          string
	Records         []TransformRecord

	WithoutID  int // records that have no id, so that no answer can name them
	Duplicates int // records whose id an earlier one has
}

// TransformRecord is one record of a batch. Texts are empty where the event has none.
type TransformRecord struct {
	// ID names the record in the answer, which must hold each id once. It is opaque and kept as it is, but for bytes that
	// are no UTF-8: each becomes U+FFFD, as it does in the answer.
	ID string
	// Duplicate says that an earlier record of the batch has the same ID, and with it the answer.
	Duplicate     bool
	ArrivalMillis int64 // approximate arrival, epoch milliseconds; 0 when unknown

	// With a Kinesis source only. Records that were one aggregate share the sequence number and differ in the
	// subsequence number, which is decimal and starts at 0.
	ShardID           string
	PartitionKey      string
	SequenceNumber    string
	SubsequenceNumber string

	data []byte // base64, a view of the event
	err  error  // why the record has no payload
}

// Answerable reports whether the answer has to name this record: it has an ID, and is the first that has it.
func (r *TransformRecord) Answerable() bool { return r.ID != "" && !r.Duplicate }

// Payload appends the record's bytes to dst and returns the extended slice; see DecodeBase64 for how dst is reused. A
// record without data has no bytes. On an error, which names the record, dst is returned as it was.
func (r *TransformRecord) Payload(dst []byte) ([]byte, error) {
	if r.err != nil {
		return dst, r.err
	}
	out, err := DecodeBase64(dst, r.data)
	if err != nil {
		return dst, fmt.Errorf("record %q: data: %w", r.ID, err)
	}
	return out, nil
}

// ParseTransform reads the event of a Firehose transformation. The records keep views of payload, which must stay
// unchanged while they are in use.
//
// The error is about the event as a whole: not JSON, no records, or records is not a list. It says what the event looks
// like instead, so that a function with the wrong trigger can be told from its log. Every element of the list is a record,
// whatever is in it; what is wrong with one is told by its Payload.
// Format: Firehose developer guide, "Transform source data in Amazon Data Firehose".
func ParseTransform(payload []byte) (Transform, error) {
	var t Transform
	var list []byte
	members := jsonwalk.Object(payload)
	for members.Next() {
		switch string(members.Name()) {
		case "invocationId":
			t.InvocationID = scalar(members.Value())
		case "deliveryStreamArn":
			t.StreamARN = scalar(members.Value())
		case "sourceKinesisStreamArn":
			t.SourceStreamARN = scalar(members.Value())
		case "region":
			t.Region = scalar(members.Value())
		case "records":
			list = members.Value()
		}
	}
	if err := members.Err(); err != nil {
		return Transform{}, fmt.Errorf("read Firehose transformation of %d bytes: %w", len(payload), err)
	}
	if list == nil {
		const expected = `expected "records" of a Firehose transformation; check the function's trigger`
		return Transform{}, fmt.Errorf("event has members [%s]%s: %s", memberNames(payload), looksLike(payload), expected)
	}
	if isNull(list) {
		return t, nil
	}
	if err := t.readRecords(list); err != nil {
		return Transform{}, fmt.Errorf("read records of a Firehose transformation with members [%s]: %w",
			memberNames(payload), err)
	}
	return t, nil
}

// usualRecords are made room for at once; no more, as the size of the first may mislead.
const usualRecords = 8192

func (t *Transform) readRecords(list []byte) error {
	var keep texts
	var none TransformRecord
	last := &none
	elements := jsonwalk.Array(list)
	for elements.Next() {
		if t.Records == nil { // most records of a batch are much alike
			first := elements
			size := len(first.Value()) + len(",")
			t.Records = make([]TransformRecord, 0, min(len(list)/size+1, usualRecords))
		}
		t.Records = append(t.Records, TransformRecord{})
		r := &t.Records[len(t.Records)-1]
		members := elements.Object()
		r.parse(&members, last, &keep)
		if members.Err() != nil { // the reason is that of the element alone
			*r = TransformRecord{}
			members = jsonwalk.Object(elements.Value())
			r.parse(&members, last, &keep)
		}
		elements.Passed(&members)
		if r.err != nil {
			r.err = fmt.Errorf("records[%d] %q: %w", len(t.Records)-1, r.ID, r.err)
		}
		if r.ID == "" {
			t.WithoutID++
		}
		last = r
	}
	t.markDuplicates()
	return elements.Err()
}

// parse reads one element of records. last is the record before it, which usually shares texts with it.
func (r *TransformRecord) parse(members *jsonwalk.Walk, last *TransformRecord, keep *texts) {
	var wrong error
	for members.Next() {
		switch string(members.Name()) {
		case "recordId":
			r.ID = keep.valid(scalarText(members.Value()))
		case "approximateArrivalTimestamp":
			r.ArrivalMillis = arrivalMillis(scalarText(members.Value()))
		case "data":
			r.data, wrong = transformData(members.Value())
		case "kinesisRecordMetadata":
			r.readKinesis(members.Value(), last, keep)
		}
	}
	if r.err = members.Err(); r.err == nil {
		r.err = wrong
	}
}

// readKinesis reads what the Kinesis stream knew of the record. It is about the record, not the record itself, so what is
// wrong with it fails nothing.
func (r *TransformRecord) readKinesis(doc []byte, last *TransformRecord, keep *texts) {
	members := jsonwalk.Object(doc)
	for members.Next() {
		switch string(members.Name()) {
		case "shardId":
			r.ShardID = keep.shared(scalarText(members.Value()), last.ShardID)
		case "partitionKey":
			r.PartitionKey = keep.shared(scalarText(members.Value()), last.PartitionKey)
		case "sequenceNumber":
			r.SequenceNumber = keep.shared(scalarText(members.Value()), last.SequenceNumber)
		case "subsequenceNumber":
			r.SubsequenceNumber = keep.shared(scalarText(members.Value()), last.SubsequenceNumber)
		case "approximateArrivalTimestamp":
			if r.ArrivalMillis == 0 {
				r.ArrivalMillis = arrivalMillis(scalarText(members.Value()))
			}
		}
	}
}

// transformData returns the base64 text of a data member: empty for null, an error for what is not a string.
func transformData(value []byte) ([]byte, error) {
	if isNull(value) {
		return nil, nil
	}
	text, ok := jsonwalk.Text(value)
	if !ok {
		return nil, errors.New("data is not a string: expected base64")
	}
	return text, nil
}

// markDuplicates finds the records whose id an earlier one has. Firehose's ids ascend, which proves them different without
// a look at every other.
func (t *Transform) markDuplicates() {
	ascends := true
	for i := 1; i < len(t.Records) && ascends; i++ {
		ascends = t.Records[i-1].ID < t.Records[i].ID
	}
	if ascends {
		return
	}
	seen := make(map[string]struct{}, len(t.Records))
	for i := range t.Records {
		r := &t.Records[i]
		if r.ID == "" {
			continue
		}
		if _, r.Duplicate = seen[r.ID]; r.Duplicate {
			t.Duplicates++
		}
		seen[r.ID] = struct{}{}
	}
}

// looksLike says, for an error message, which other event payload is; "" when it is none that is known.
func looksLike(payload []byte) string {
	e, _ := readEnvelope(payload)
	switch {
	case e.awslogs != nil:
		return ", it looks like a CloudWatch Logs subscription"
	case e.tasks != nil:
		return ", it looks like an S3 Batch Operations job"
	case e.shape() == eventBridgeShape:
		return ", it looks like an EventBridge event"
	}
	elements := jsonwalk.Array(e.records)
	if !elements.Next() {
		return ""
	}
	switch first := readRecord(elements.Value()); first.source {
	case "aws:kinesis":
		return ", it looks like a Kinesis event"
	case "aws:s3":
		return ", it looks like an S3 notification"
	case "aws:sqs":
		return ", it looks like an SQS event"
	case "aws:sns":
		return ", it looks like an SNS event"
	default:
		return ""
	}
}

// arrivalMillis reads epoch milliseconds or, as one of the published examples has it, an ISO time; 0 when text is neither.
func arrivalMillis(text []byte) int64 {
	const lastMilli = 253402300799999 // the end of the year 9999
	if millis, plain := digits(text); plain && millis <= lastMilli {
		return millis
	}
	if millis, err := strconv.ParseFloat(string(text), 64); err == nil {
		if 0 <= millis && millis <= lastMilli {
			return int64(math.Round(millis))
		}
		return 0
	}
	return timeToMillis(string(text))
}

// digits reads a number as it is nearly always written.
func digits(text []byte) (n int64, ok bool) {
	const most = 15 // as many as fit into the type, and into a year of four digits
	if len(text) == 0 || len(text) > most {
		return 0, false
	}
	for _, c := range text {
		if !isDigit(c) {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// scalarText is scalar without a copy: a view of value, unless it holds an escape.
func scalarText(value []byte) []byte {
	if text, ok := jsonwalk.Text(value); ok {
		return text
	}
	if len(value) > 0 && (value[0] == '-' || isDigit(value[0])) {
		return value
	}
	return nil
}

// textPieceBytes holds the texts of some tens of records.
const textPieceBytes = 4 << 10

// texts makes the short texts of a batch out of a few pieces of memory: a batch may have thousands of records.
type texts struct {
	piece strings.Builder // never grows beyond what it was made with, so that texts cut from it share its memory
}

func (t *texts) keep(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	if len(text) > t.piece.Cap()-t.piece.Len() {
		t.piece.Reset()
		t.piece.Grow(max(textPieceBytes, len(text)))
	}
	start := t.piece.Len()
	t.piece.Write(text)
	return t.piece.String()[start:]
}

// shared is keep, but returns last when that is the text.
func (t *texts) shared(text []byte, last string) string {
	if string(text) == last {
		return last
	}
	return t.keep(text)
}

// valid is keep, with U+FFFD for each byte that is no UTF-8.
func (t *texts) valid(text []byte) string {
	if utf8.Valid(text) {
		return t.keep(text)
	}
	return string([]rune(string(text)))
}
