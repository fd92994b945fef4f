package firehose

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"sluice/internal/compress"
	"sluice/internal/event"
	"sluice/internal/jsonwalk"
	"sluice/internal/record"
	"sluice/internal/secret"
)

// Limits of a delivery. Firehose developer guide, "Understand HTTP endpoint delivery request and response specifications".
const (
	MaxDeliveryBytes      = 64 << 20 // of a body, before it is packed
	MaxDeliveryRecords    = 10_000
	maxCommonAttributes   = 50
	maxErrorMessageLength = 8192 // characters
	// maxRequestIDBytes is ours: the id is a GUID of 36 bytes, and an answer that repeats it must stay small.
	maxRequestIDBytes = 256
)

// Headers of a delivery, and the one version of the protocol there is.
const (
	headerVersion    = "X-Amz-Firehose-Protocol-Version"
	headerRequestID  = "X-Amz-Firehose-Request-Id"
	headerSource     = "X-Amz-Firehose-Source-Arn"
	headerAccessKey  = "X-Amz-Firehose-Access-Key"
	headerAttributes = "X-Amz-Firehose-Common-Attributes"

	protocolVersion = "1.0"
)

// DeliveryLimits say how large a delivery may be. The zero value stands for Firehose's own limits.
type DeliveryLimits struct {
	BodyBytes int64 // of the body, unpacked; 0: MaxDeliveryBytes
	Records   int   // 0: MaxDeliveryRecords
}

// Delivery is one request of Firehose to an HTTP endpoint. Texts are empty where the request has none.
type Delivery struct {
	RequestID       string // the same for each attempt at one delivery; the answer must repeat it
	TimestampMillis int64  // when Firehose made the request, ms since the Unix epoch; 0 when it does not say
	StreamARN       string
	AccessKey       secret.Value // as the stream is configured; the caller compares it
	// CommonAttributes are the stream's parameters, in their order; of two with one name the last counts.
	CommonAttributes []Attribute

	records []byte // the JSON array, a view of the body
	count   int
}

// Attribute is one of a stream's parameters. Both texts are valid UTF-8.
type Attribute struct{ Name, Value string }

// ReadDelivery reads a request of Firehose to an HTTP endpoint, whose body it reads to the end. A body that is gzip is
// unpacked, whatever the header says. The names in header are canonical, as http.Header.Set writes them.
//
// The unpacked body is held as long as the Delivery is; its records are decoded one by one, by Records. An error is about
// the whole request and says what is wrong and where: a header, the body's JSON, a limit. It quotes no record, attribute
// or key. What is wrong with one record, Records tells.
//
// Firehose takes any answer but status 200 for a failure and tries again, with one exception: after a 413 it gives up and
// the records are lost. So whatever the error is, a body that is too large included, the status must never be 413.
// Format: Firehose developer guide, "Understand HTTP endpoint delivery request and response specifications".
func ReadDelivery(header http.Header, body io.Reader, limits DeliveryLimits) (*Delivery, error) {
	if limits.BodyBytes <= 0 {
		limits.BodyBytes = MaxDeliveryBytes
	}
	if limits.Records <= 0 {
		limits.Records = MaxDeliveryRecords
	}
	var d Delivery
	if err := d.readHeader(header); err != nil {
		return nil, fmt.Errorf("firehose delivery: %w", err)
	}
	doc, err := readBody(header, body, limits.BodyBytes)
	if err != nil {
		return nil, fmt.Errorf("firehose delivery %q: %w", d.RequestID, err)
	}
	if err := d.readDocument(doc, limits.Records); err != nil {
		return nil, fmt.Errorf("firehose delivery %q: body of %d bytes: %w", d.RequestID, len(doc), err)
	}
	return &d, nil
}

func (d *Delivery) readHeader(header http.Header) error {
	switch version := header.Get(headerVersion); version {
	case protocolVersion:
	case "":
		return fmt.Errorf("no header %s: this is no request of Firehose", headerVersion)
	default:
		return fmt.Errorf("header %s is %q: only %s can be read", headerVersion, firstBytes(version, 16), protocolVersion)
	}
	d.RequestID = header.Get(headerRequestID)
	if d.RequestID == "" {
		return fmt.Errorf("no header %s: the request cannot be answered", headerRequestID)
	}
	if len(d.RequestID) > maxRequestIDBytes {
		return fmt.Errorf("header %s has %d bytes: at most %d are read", headerRequestID, len(d.RequestID), maxRequestIDBytes)
	}
	d.StreamARN = header.Get(headerSource)
	d.AccessKey = secret.NewValue(header.Get(headerAccessKey))
	if err := d.readAttributes(header.Get(headerAttributes)); err != nil {
		return fmt.Errorf("header %s: %w", headerAttributes, err)
	}
	return nil
}

// readAttributes reads {"commonAttributes":{"name":"value"}}; an empty text has none.
func (d *Delivery) readAttributes(text string) error {
	if text == "" {
		return nil
	}
	doc := []byte(text)
	if !json.Valid(doc) {
		return syntaxError(doc)
	}
	members := jsonwalk.Object(doc)
	for members.Next() {
		if string(members.Name()) != "commonAttributes" || isNull(members.Value()) {
			continue
		}
		if err := d.addAttributes(members.Value()); err != nil {
			return fmt.Errorf("commonAttributes: %w", err)
		}
	}
	return members.Err()
}

func (d *Delivery) addAttributes(doc []byte) error {
	members := jsonwalk.Object(doc)
	for members.Next() {
		value, ok := attributeText(members.Value())
		if !ok {
			return fmt.Errorf("value %d, from 0, is no text", len(d.CommonAttributes))
		}
		if err := d.setAttribute(repaired(members.Name()), value); err != nil {
			return err
		}
	}
	return members.Err()
}

// attributeText returns the text of a value; false for an object or a list. Null is an empty text.
func attributeText(value []byte) (string, bool) {
	if text, isString := jsonwalk.Text(value); isString {
		return repaired(text), true
	}
	if isNull(value) {
		return "", true
	}
	return string(value), value[0] != '{' && value[0] != '['
}

func (d *Delivery) setAttribute(name, value string) error {
	for i := range d.CommonAttributes {
		if d.CommonAttributes[i].Name == name {
			d.CommonAttributes[i].Value = value
			return nil
		}
	}
	if len(d.CommonAttributes) == maxCommonAttributes {
		return fmt.Errorf("more than %d of them", maxCommonAttributes)
	}
	d.CommonAttributes = append(d.CommonAttributes, Attribute{Name: name, Value: value})
	return nil
}

// readBody returns the plain body, of at most limit bytes.
func readBody(header http.Header, body io.Reader, limit int64) ([]byte, error) {
	if coding := header.Get("Content-Encoding"); !isReadable(coding) {
		return nil, fmt.Errorf("Content-Encoding %q: only gzip can be read", firstBytes(coding, 32))
	}
	in := bufio.NewReader(body)
	var plain io.Reader = in
	if magic, _ := in.Peek(2); compress.IsGzip(magic) {
		var gunzip compress.Gunzip
		if err := gunzip.ResetReader(in, 0); err != nil { // the limit is below, with an error that fits
			return nil, fmt.Errorf("body: %w", err)
		}
		plain = &gunzip
	}
	var doc bytes.Buffer
	// Room for what the sender announces, so that a plain body is not copied as it grows. A lie costs what a body may.
	if length, err := strconv.ParseInt(header.Get("Content-Length"), 10, 64); err == nil && length > 0 {
		doc.Grow(int(min(length, limit)) + bytes.MinRead)
	}
	_, err := doc.ReadFrom(io.LimitReader(plain, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("body behind byte %d: %w", doc.Len(), err)
	case int64(doc.Len()) > limit:
		return nil, fmt.Errorf("body has more than %d bytes: let the stream buffer less", limit)
	}
	return doc.Bytes(), nil
}

func isReadable(coding string) bool {
	coding = strings.TrimSpace(coding)
	return coding == "" || strings.EqualFold(coding, "gzip") || strings.EqualFold(coding, "identity")
}

// readDocument reads {"requestId":"…","timestamp":…,"records":[…]}, but for what is inside the records.
func (d *Delivery) readDocument(doc []byte, maxRecords int) error {
	var id []byte
	members := jsonwalk.Object(doc)
	for members.Next() {
		switch string(members.Name()) {
		case "requestId":
			id, _ = jsonwalk.Text(members.Value())
		case "timestamp":
			d.TimestampMillis, _ = readCount(members.Value())
		case "records":
			d.records = members.Value()
		}
	}
	if members.Err() != nil || len(trimSpace(members.Rest())) > 0 {
		return syntaxError(doc)
	}
	if len(id) > 0 && string(id) != d.RequestID {
		return fmt.Errorf("its requestId is not that of the header %s", headerRequestID)
	}
	switch {
	case d.records == nil:
		return errors.New(`it has no "records"`)
	case isNull(d.records):
		return nil
	}
	elements := jsonwalk.Array(d.records)
	for elements.Next() {
		if d.count++; d.count > maxRecords {
			return fmt.Errorf("it has more than %d records", maxRecords)
		}
	}
	if elements.Err() != nil {
		return syntaxError(doc)
	}
	return nil
}

// syntaxError says where doc stops being the JSON it should be. It quotes nothing.
func syntaxError(doc []byte) error {
	var syntax *json.SyntaxError
	if err := json.Unmarshal(doc, new(json.RawMessage)); errors.As(err, &syntax) {
		return fmt.Errorf("no JSON, as seen when %d of %d bytes were read", syntax.Offset, len(doc))
	}
	return errors.New("it is JSON, but no object with a list of records")
}

// Len is how many records there are, whatever is in them.
func (d *Delivery) Len() int { return d.count }

// Records yields the bytes of each record, in order and Len in number; they are valid until the next. A record without
// data has no bytes. With an error, which quotes nothing, the bytes are the record's JSON as it came, so that the caller
// can keep it; those that follow are not touched by it.
//
// CloudWatch Logs records are gzip documents, as they were put into the stream.
func (d *Delivery) Records() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var buf []byte
		elements := jsonwalk.Array(d.records)
		for i := 0; elements.Next(); i++ {
			element := elements.Value()
			data, err := deliveredData(buf[:0], element)
			if err != nil {
				data, err = element, fmt.Errorf("records[%d] of %d bytes: %w", i, len(element), err)
			} else {
				buf = data
			}
			if !yield(data, err) {
				return
			}
		}
	}
}

// deliveredData appends the bytes of the record in doc to dst.
func deliveredData(dst, doc []byte) ([]byte, error) {
	var value []byte
	members := jsonwalk.Object(doc)
	for members.Next() {
		if string(members.Name()) == "data" {
			value = members.Value()
		}
	}
	if err := members.Err(); err != nil {
		return dst, err
	}
	if value == nil || isNull(value) {
		return dst, nil
	}
	text, isString := jsonwalk.Text(value)
	if !isString {
		return dst, errors.New("data is not a string: expected base64")
	}
	out, err := event.DecodeBase64(dst, text)
	if err != nil {
		return dst, fmt.Errorf("data: %w", err)
	}
	return out, nil
}

// AppendDeliveryAnswer appends the body that answers a delivery, and returns the extended slice. errorMessage says why it
// failed and is cut at 8,192 characters; it is empty for a success, and only then may the status be 200.
//
// The answer needs the header Content-Type: application/json, a Content-Length and no Content-Encoding. A status other than
// 200 makes Firehose try again, but 413, which must not be used: Firehose would drop the records. Without the right
// requestID even a 200 is a failure.
// Format: Firehose developer guide, "Understand HTTP endpoint delivery request and response specifications".
func AppendDeliveryAnswer(dst []byte, requestID string, at time.Time, errorMessage string) []byte {
	dst, _ = record.AppendRepaired(append(dst, `{"requestId":"`...), []byte(requestID))
	dst = strconv.AppendInt(append(dst, `","timestamp":`...), at.UnixMilli(), 10)
	if errorMessage != "" {
		dst = append(dst, `,"errorMessage":"`...)
		dst, _ = record.AppendRepaired(dst, []byte(firstCharacters(errorMessage, maxErrorMessageLength)))
		dst = append(dst, '"')
	}
	return append(dst, '}')
}

// firstCharacters cuts text behind limit characters. A character beyond U+FFFF counts as two, as it does in Java and
// JavaScript, so the text is short enough however it is counted.
func firstCharacters(text string, limit int) string {
	length := 0
	for at, r := range text {
		if length += utf16.RuneLen(r); length > limit {
			return text[:at]
		}
	}
	return text
}
