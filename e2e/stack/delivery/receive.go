package delivery

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"sluice/e2e/stack/intake"
)

// received is one request as it was read.
type received struct {
	id          string
	attributes  map[string]string
	data        [][]byte
	wire, plain int // bytes of the body
}

// protocolError is why a request is refused.
type protocolError struct {
	status  int
	message string
}

func wrongf(format string, args ...any) *protocolError {
	return &protocolError{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// readDelivery reads a request and checks everything the guide says of it. The refused one is read as far as it went.
func readDelivery(r *http.Request, key string) (received, *protocolError) {
	d := received{id: r.Header.Get(headerRequestID)}
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxRequestBytes+1))
	d.wire = len(body)
	if err != nil {
		return d, wrongf("the body ended early")
	}
	if refused := d.readHeader(r, key); refused != nil {
		return d, refused
	}
	if r.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gunzip(body, MaxRequestBytes); err != nil {
			return d, wrongf("the body is not gzip: %s", err)
		}
	}
	d.plain = len(body)
	if d.plain > MaxRequestBytes {
		return d, wrongf("the body is over %d bytes", MaxRequestBytes)
	}
	refused := d.readBody(body)
	return d, refused
}

func (d *received) readHeader(r *http.Request, key string) *protocolError {
	encoding := r.Header.Get("Content-Encoding")
	switch {
	case r.Method != http.MethodPost:
		return wrongf("the method is %s", r.Method)
	case key != "" && r.Header.Get(headerKey) != key:
		return &protocolError{http.StatusUnauthorized, "the access key is wrong"}
	case r.Header.Get(headerVersion) != protocolVersion:
		return wrongf("the protocol version is not %s", protocolVersion)
	case d.id == "":
		return wrongf("the header has no request id")
	case !strings.HasPrefix(r.Header.Get(headerSource), "arn:"):
		return wrongf("the source is no ARN")
	case r.Header.Get("Content-Type") != "application/json":
		return wrongf("the content type is not application/json")
	case encoding != "" && encoding != "gzip":
		return wrongf("the content encoding is neither gzip nor absent")
	}
	text := r.Header.Get(headerAttributes)
	if text == "" {
		return nil
	}
	var attributes struct {
		Common map[string]string `json:"commonAttributes"`
	}
	if json.Unmarshal([]byte(text), &attributes) != nil {
		return wrongf("the common attributes are no JSON")
	}
	if err := checkAttributes(attributes.Common); err != nil {
		return wrongf("%s", err)
	}
	d.attributes = attributes.Common
	return nil
}

func (d *received) readBody(body []byte) *protocolError {
	var document struct {
		RequestID string `json:"requestId"`
		Timestamp *int64 `json:"timestamp"`
		Records   []struct {
			Data *string `json:"data"`
		} `json:"records"`
	}
	if json.Unmarshal(body, &document) != nil {
		return wrongf("the body is not the JSON of a delivery")
	}
	switch n := len(document.Records); {
	case document.RequestID != d.id:
		return wrongf("the request id of the body is not that of the header")
	case document.Timestamp == nil:
		return wrongf("the body has no timestamp")
	case n == 0 || n > MaxRequestRecords:
		return wrongf("%d records, 1 to %d are allowed", n, MaxRequestRecords)
	}
	data := make([][]byte, len(document.Records))
	for i, record := range document.Records {
		if record.Data == nil || len(*record.Data) > MaxRecordChars {
			return wrongf("record %d has no data, or over %d characters of it", i, MaxRecordChars)
		}
		var err error
		if data[i], err = base64.StdEncoding.Strict().DecodeString(*record.Data); err != nil {
			return wrongf("the data of record %d is not base64", i)
		}
	}
	d.data = data
	return nil
}

var errInflated = errors.New("it inflates beyond the limit")

// gunzip reads every member, and one byte more than limit at most.
func gunzip(data []byte, limit int64) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("gunzip: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("gunzip: %w", err)
	}
	if int64(len(plain)) > limit {
		return nil, errInflated
	}
	return plain, nil
}

// Lines reads a record as a log intake would: gzip is opened; a CloudWatch Logs document gives its events; a line that is a
// JSON object with the text member "message" is read as a Datadog log item; any other line that is not empty is a message.
// Bytes that do not inflate are one message as they are.
func Lines(data []byte) []intake.Entry {
	if bytes.HasPrefix(data, []byte("\x1f\x8b")) {
		plain, err := gunzip(data, MaxRequestBytes)
		if err != nil {
			return []intake.Entry{{Message: string(data)}}
		}
		data = plain
	}
	var entries []intake.Entry
	for line := range bytes.Lines(data) {
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		if len(line) > 0 {
			entries = append(entries, readLine(line)...)
		}
	}
	return entries
}

// value is a JSON object of a line: a CloudWatch Logs document or a Datadog log item.
type value struct {
	MessageType string `json:"messageType"`
	LogEvents   []struct {
		ID      string `json:"id"`
		Millis  int64  `json:"timestamp"`
		Message string `json:"message"`
	} `json:"logEvents"`
	Message *string `json:"message"`
	ID      string  `json:"id"`
	Host    string  `json:"hostname"`
	Service string  `json:"service"`
	Source  string  `json:"ddsource"`
	Tags    string  `json:"ddtags"`
	Millis  int64   `json:"timestamp"`
}

// readLine reads the JSON objects that touch in a line, or the line as text. A control message gives nothing.
func readLine(line []byte) []intake.Entry {
	var entries []intake.Entry
	dec := json.NewDecoder(bytes.NewReader(line))
	for n := 0; ; n++ {
		var v value
		err := dec.Decode(&v)
		if n > 0 && errors.Is(err, io.EOF) {
			return entries
		}
		if err != nil || v.MessageType == "" && v.Message == nil {
			return []intake.Entry{{Message: string(line)}}
		}
		entries = append(entries, v.entries()...)
	}
}

func (v *value) entries() []intake.Entry {
	if v.MessageType == "" {
		return []intake.Entry{{
			Message: *v.Message, ID: v.ID, Host: v.Host, Service: v.Service, Source: v.Source, Tags: v.Tags, Millis: v.Millis,
		}}
	}
	var entries []intake.Entry
	if v.MessageType != "CONTROL_MESSAGE" {
		for _, e := range v.LogEvents {
			entries = append(entries, intake.Entry{Message: e.Message, ID: e.ID, Millis: e.Millis})
		}
	}
	return entries
}
