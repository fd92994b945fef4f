package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sluice/internal/jsonwalk"
)

// Resume is where the reading of an object goes on: what a continuation says beside the object.
type Resume struct {
	Records int64 // of the object that are done with, at least 0
	Offset  int64 // bytes of the object's plain content that are done with, at least 0
	Hop     int   // how often the object was handed on, this time included: 1 to 99
	// Dests are the ids of the destinations that still want the rest: 64 at most, each 1 to 32 of a-z, 0-9 and '-'.
	// The list may be empty; what that means is the caller's.
	Dests           []string
	Decode          string // what the rest has to be read with, opaque: up to 128 printable characters of ASCII
	FirstSeenMillis int64  // when the object was first seen, epoch milliseconds; 0 when unknown
}

// The limits of a continuation, and what tells one from a log.
const (
	continueMark      = "continue" // the value of the member "sluice"
	continueVersion   = 1
	maxHop            = 99
	maxDests          = 64
	maxDestBytes      = 32
	maxDecodeBytes    = 128
	lastMilli         = 253402300799999 // the end of the year 9999
	continuationStamp = "2006-01-02T15:04:05.999Z"
)

// AppendContinuation appends the message that hands the rest of o, from r on, to a queue, and returns the extended slice.
// What comes back in an SQS event is read by ParseObjects. EventName and the Resume of o are not in it. What is no UTF-8
// becomes U+FFFD.
//
// Its bytes are those that SQS takes: the control characters and the two noncharacters that it does not are escaped.
// Format: ours; delivery contract 2.3.
func AppendContinuation(dst []byte, o *Object, r *Resume) []byte {
	start := len(dst)
	dst = append(dst, `{"sluice":"`+continueMark+`","v":`...)
	dst = strconv.AppendInt(dst, continueVersion, 10)
	dst = appendText(append(dst, `,"src":{"bucket":`...), o.Bucket)
	dst = appendText(append(dst, `,"key":`...), o.Key)
	dst = appendText(append(dst, `,"version_id":`...), o.VersionID)
	dst = appendText(append(dst, `,"etag":`...), o.ETag)
	if o.SizeBytes >= 0 {
		dst = strconv.AppendInt(append(dst, `,"size":`...), o.SizeBytes, 10)
	}
	dst = appendText(append(dst, `,"region":`...), o.Region)
	dst = appendText(append(dst, `,"sequencer":`...), o.Sequencer)
	dst = appendText(append(dst, `,"account":`...), o.Account)
	dst = strconv.AppendInt(append(dst, `,"event_ms":`...), o.EventMillis, 10)
	dst = strconv.AppendInt(append(dst, `},"records":`...), r.Records, 10)
	dst = strconv.AppendInt(append(dst, `,"offset":`...), r.Offset, 10)
	dst = strconv.AppendInt(append(dst, `,"hop":`...), int64(r.Hop), 10)
	dst = append(dst, `,"dests":[`...)
	for i, id := range r.Dests {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(dst, id)
	}
	dst = appendText(append(dst, `],"decode":`...), r.Decode)
	if r.FirstSeenMillis > 0 {
		dst = append(dst, `,"first_seen":"`...)
		dst = time.UnixMilli(r.FirstSeenMillis).UTC().AppendFormat(dst, continuationStamp)
		dst = append(dst, '"')
	}
	return escapeNoncharacters(append(dst, '}'), start)
}

// escapeNoncharacters escapes what JSON takes as it is and SQS does not, in the part of dst from start on.
// Source: SQS API reference, SendMessage, MessageBody.
func escapeNoncharacters(dst []byte, start int) []byte {
	if !bytes.Contains(dst[start:], []byte("\xEF\xBF\xBE")) && !bytes.Contains(dst[start:], []byte("\xEF\xBF\xBF")) {
		return dst
	}
	escaped := strings.NewReplacer("\uFFFE", `\ufffe`, "\uFFFF", `\uffff`).Replace(string(dst[start:]))
	return append(dst[:start], escaped...)
}

// isContinuation reports whether a document says of itself that it is a continuation.
func (e *envelope) isContinuation() bool { return scalar(e.sluice) == continueMark }

// continuationNotice reads a continuation, a valid document. It is ours, so it is read strictly: what is missing or wrong is
// an error. Members that are not known are ignored, as a change of meaning raises the version.
func continuationNotice(doc []byte) Notice {
	o, err := readContinuation(doc)
	if err != nil {
		return Notice{Err: fmt.Errorf("continuation: %w", err), Raw: doc}
	}
	return Notice{Object: o}
}

func readContinuation(doc []byte) (Object, error) {
	o := Object{SizeBytes: -1}
	var m struct{ v, src, records, offset, hop, dests, decode, firstSeen []byte }
	members := jsonwalk.Object(doc)
	for members.Next() {
		switch string(members.Name()) {
		case "v":
			m.v = members.Value()
		case "src":
			m.src = members.Value()
		case "records":
			m.records = members.Value()
		case "offset":
			m.offset = members.Value()
		case "hop":
			m.hop = members.Value()
		case "dests":
			m.dests = members.Value()
		case "decode":
			m.decode = members.Value()
		case "first_seen":
			m.firstSeen = members.Value()
		}
	}
	if v, err := whole(m.v, "v"); err != nil || v != continueVersion {
		return o, fmt.Errorf("v is not %d: it was written by another version of this function", continueVersion)
	}
	if err := o.readSource(m.src); err != nil {
		return o, err
	}
	r, problems := &Resume{}, make([]error, 6)
	r.Records, problems[0] = whole(m.records, "records")
	r.Offset, problems[1] = whole(m.offset, "offset")
	r.Hop, problems[2] = readHop(m.hop)
	r.Dests, problems[3] = readDests(m.dests)
	r.Decode, problems[4] = readDecode(m.decode)
	r.FirstSeenMillis, problems[5] = readFirstSeen(m.firstSeen)
	o.Resume = r
	return o, errors.Join(problems...)
}

// readSource reads the member src: where the object is. Its key is as it is, in no encoding but that of JSON.
func (o *Object) readSource(doc []byte) error {
	var size, millis []byte
	members := jsonwalk.Object(doc)
	for members.Next() {
		switch string(members.Name()) {
		case "bucket":
			o.Bucket = textOf(members.Value())
		case "key":
			o.Key = textOf(members.Value())
		case "version_id":
			o.VersionID = textOf(members.Value())
		case "etag":
			o.ETag = textOf(members.Value())
		case "size":
			size = members.Value()
		case "region":
			o.Region = knownRegion(textOf(members.Value()))
		case "sequencer":
			o.Sequencer = textOf(members.Value())
		case "account":
			o.Account = knownAccount(textOf(members.Value()))
		case "event_ms":
			millis = members.Value()
		}
	}
	if err := members.Err(); err != nil {
		return fmt.Errorf("src: %w", err)
	}
	var err error
	if size != nil {
		if o.SizeBytes, err = whole(size, "src.size"); err != nil {
			return err
		}
	}
	if o.EventMillis, err = whole(millis, "src.event_ms"); err != nil {
		return err
	}
	if o.EventMillis > lastMilli {
		return fmt.Errorf("src.event_ms is %d: expected epoch milliseconds", o.EventMillis)
	}
	if err := o.check(); err != nil {
		return fmt.Errorf("src: %w", err)
	}
	return nil
}

// textOf returns the text of a string, and "" for anything else.
func textOf(value []byte) string {
	t, _ := jsonwalk.Text(value)
	return string(t)
}

// whole reads a number that has to be one of JSON, whole and not below 0.
func whole(value []byte, name string) (int64, error) {
	n, err := strconv.ParseInt(string(value), 10, 64)
	switch {
	case value == nil:
		return 0, fmt.Errorf("%s is missing", name)
	case err != nil || n < 0:
		return 0, fmt.Errorf("%s is %+.40q: expected a whole number, 0 or more", name, value)
	default:
		return n, nil
	}
}

func readHop(value []byte) (int, error) {
	n, err := whole(value, "hop")
	if err != nil {
		return 0, err
	}
	if n < 1 || n > maxHop {
		return 0, fmt.Errorf("hop is %d: expected 1 to %d", n, maxHop)
	}
	return int(n), nil
}

func readDests(list []byte) ([]string, error) {
	var dests []string
	elements := jsonwalk.Array(list)
	for elements.Next() {
		id := textOf(elements.Value())
		if !isDestinationID(id) {
			return nil, fmt.Errorf("dests[%d] is %+.40q: expected 1 to %d of a-z, 0-9 and '-'", len(dests), id, maxDestBytes)
		}
		if len(dests) == maxDests {
			return nil, fmt.Errorf("dests has more than %d ids", maxDests)
		}
		dests = append(dests, id)
	}
	if err := elements.Err(); err != nil {
		return nil, fmt.Errorf("dests: %w", err)
	}
	return dests, nil
}

// isDestinationID reports whether id is spelled as ids of destinations are; they are parts of keys.
func isDestinationID(id string) bool {
	return id != "" && len(id) <= maxDestBytes && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

func readDecode(value []byte) (string, error) {
	if value == nil {
		return "", nil
	}
	decoded, ok := jsonwalk.Text(value)
	if !ok || len(decoded) > maxDecodeBytes {
		return "", fmt.Errorf("decode is no text of up to %d characters", maxDecodeBytes)
	}
	for _, c := range decoded {
		if c < ' ' || c > '~' {
			return "", errors.New("decode has characters that are not printable ASCII")
		}
	}
	return string(decoded), nil
}

func readFirstSeen(value []byte) (int64, error) {
	if value == nil {
		return 0, nil
	}
	at := textOf(value)
	t, err := time.Parse(time.RFC3339, at)
	if err != nil || t.UnixMilli() < 0 || t.UnixMilli() > lastMilli {
		return 0, fmt.Errorf("first_seen is %+.40q: expected a time such as 2026-01-02T03:04:05Z", at)
	}
	return t.UnixMilli(), nil
}

// continuation reads the body of an SQS message when it is a continuation.
func continuation(body []byte) (n Notice, ok bool) {
	e, err := readEnvelope(body)
	if err != nil || !e.isContinuation() || !json.Valid(body) {
		return Notice{}, false
	}
	return continuationNotice(body), true
}
