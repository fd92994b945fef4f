package firehose

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"sluice/internal/event"
	"sluice/internal/jsonwalk"
	"sluice/internal/record"
)

// Limits of what Failed.Other keeps. They are ours: envelopes have up to six such members of some hundred bytes.
const (
	maxOthers     = 64
	maxOtherBytes = 16 << 10 // names and values together
)

// noAttempts is AttemptsMade of an envelope that does not say.
const noAttempts = -1

// Parser reads envelopes. It keeps its buffers from one to the next, so the zero value may be used for a whole object.
// It is not safe for concurrent use.
type Parser struct {
	data  []byte // the record of the last envelope
	names []byte // escaped names in its Other

	// The texts of earlier envelopes: those of one object mostly say the same, and are then not allocated again.
	code, message, lambda string

	seen       signs
	raw        []byte // the base64 text of rawData
	refused    error  // why rawData cannot be used
	otherBytes int
}

// Parse reads one envelope: a JSON object, with white space around it. What f held before is overwritten; the room in its
// Other is used again.
//
// Names may be in any case of letters, members in any order, and numbers may be strings. Of two members for one thing the
// first that says something counts. An envelope that is cut or is not valid JSON, as where Firehose's guide prints an
// error message with bare quotes, is read as far as it goes and searched for rawData: f.Broken then says what was wrong.
//
// An error means that no record can be had from doc, so that the caller has to keep doc itself: there is no rawData and it
// is no whole envelope, its base64 does not decode, or there are several. An envelope whose rawData is missing, null or
// empty is none: f.Data is empty. Errors, f.Broken included, say sizes and offsets and quote nothing.
// Format: Firehose developer guide, "Handle data delivery failures".
func (p *Parser) Parse(doc []byte, f *Failed) error {
	*f = Failed{AttemptsMade: noAttempts, Other: f.Other[:0]}
	p.names, p.seen, p.raw, p.refused, p.otherBytes = p.names[:0], 0, nil, nil, 0

	p.readMembers(doc, f)
	if f.Broken != nil {
		p.salvage(doc, f)
	}
	err := p.refused
	if err == nil && f.Broken == nil && !p.seen.has(signRawData) && p.seen.telling() < 3 {
		err = errors.New("it has neither rawData nor three other members of an envelope")
	}
	if err == nil && len(p.raw) > 0 {
		p.data, err = event.DecodeBase64(p.data[:0], p.raw)
		f.Data = p.data
	}
	if err != nil {
		f.Data = nil
		return fmt.Errorf("firehose envelope of %d bytes: %w", len(doc), err)
	}
	return nil
}

// readMembers reads the members up to the first byte that is not JSON.
func (p *Parser) readMembers(doc []byte, f *Failed) {
	members := jsonwalk.Object(doc)
	for i := 0; members.Next(); i++ {
		value := members.Value()
		if value == nil {
			break // it does not end: members.Err says where it began
		}
		one := signOf(members.Name())
		p.seen = p.seen.with(one)
		if one == signRawData {
			p.rawData(value)
			continue
		}
		valid := json.Valid(value)
		if !valid {
			f.broken(fmt.Errorf("envelope with a value that is not valid JSON: member %d of it, from 0", i))
		}
		if known := p.known(one, value, f); valid && !known {
			p.other(members.Name(), value, f)
		}
	}
	if err := members.Err(); err != nil {
		f.broken(fmt.Errorf("envelope that is cut or not valid: %w", err))
	} else if rest := trimSpace(members.Rest()); len(rest) > 0 {
		f.broken(fmt.Errorf("envelope with %d bytes behind its end", len(rest)))
	}
}

// known reads the value of a member that has a field, and reports false when it has none or the value does not fit there.
func (p *Parser) known(one sign, value []byte, f *Failed) bool {
	if one != signOther && isNull(value) {
		return true
	}
	switch one {
	case signAttempts:
		n, ok := readCount(value)
		if ok = ok && f.AttemptsMade == noAttempts && n <= math.MaxInt32; ok {
			f.AttemptsMade = int(n)
		}
		return ok
	case signArrival:
		n, ok := readCount(value)
		if ok = ok && f.ArrivalMillis == 0; ok {
			f.ArrivalMillis = n
		}
		return ok
	case signErrorCode:
		return setText(&f.ErrorCode, &p.code, value)
	case signMessage:
		return setText(&f.ErrorMessage, &p.message, value)
	case signLambda:
		return setText(&f.LambdaARN, &p.lambda, value)
	default:
		return false
	}
}

func (p *Parser) rawData(value []byte) {
	text, isString := jsonwalk.Text(value)
	switch {
	case isNull(value), isString && len(text) == 0:
	case !isString:
		p.refused = errors.New("its rawData is not a string")
	case p.raw != nil:
		p.refused = errManyRecords
	default:
		p.raw = text
	}
}

var errManyRecords = errors.New("it has several rawData, of which one would be lost")

// other keeps a member that has no field.
func (p *Parser) other(name, value []byte, f *Failed) {
	if record.PlainRun(name) != len(name) {
		start := len(p.names)
		p.names, _ = record.AppendRepaired(p.names, name)
		name = p.names[start:len(p.names):len(p.names)]
	}
	if !utf8.Valid(value) {
		value = []byte(repaired(value))
	}
	for i := range f.Other {
		if bytes.Equal(f.Other[i].Name, name) {
			return // the first counts
		}
	}
	if len(f.Other) == maxOthers || p.otherBytes+len(name)+len(value) > maxOtherBytes {
		f.broken(fmt.Errorf("envelope with more than %d further members, or %d bytes of them", maxOthers, maxOtherBytes))
		return
	}
	p.otherBytes += len(name) + len(value)
	f.Other = append(f.Other, record.Member{Name: name, Value: value})
}

// broken keeps the first reason: later ones mostly follow from it.
func (f *Failed) broken(why error) {
	if f.Broken == nil {
		f.Broken = why
	}
}

// setText gives field the text of value, a string or a number, by way of the text kept from earlier envelopes. It reports
// false when value is something else, or field has another text already.
func setText(field, kept *string, value []byte) bool {
	text, isString := jsonwalk.Text(value)
	if !isString {
		if !isNumber(value) {
			return false
		}
		text = value
	}
	if *field != "" || len(text) == 0 {
		return *field == string(text) || len(text) == 0
	}
	if *kept != string(text) {
		*kept = repaired(text)
	}
	*field = *kept
	return true
}

// repaired returns text with U+FFFD for each byte that is no UTF-8, as record.AppendRepaired has it.
func repaired(text []byte) string {
	if utf8.Valid(text) {
		return string(text)
	}
	return string([]rune(string(text)))
}

// readCount reads a number, as such or in a string, that is whole and not negative.
func readCount(value []byte) (int64, bool) {
	if text, isString := jsonwalk.Text(value); isString {
		value = bytes.TrimSpace(text)
	}
	if n, err := strconv.ParseInt(string(value), 10, 64); err == nil {
		return n, n >= 0
	}
	const exact = 1 << 53 // a float64 holds every whole number up to here
	n, err := strconv.ParseFloat(string(value), 64)
	if err != nil || n < 0 || n > exact || n != math.Trunc(n) {
		return 0, false // NaN is not its own truncation
	}
	return int64(n), true
}

func isNumber(value []byte) bool { return len(value) > 0 && (value[0] == '-' || isDigit(value[0])) }

func isNull(value []byte) bool { return string(value) == "null" }
