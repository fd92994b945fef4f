package cloudwatch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"sluice/internal/record"
)

// reference decodes a payload by another principle than the decoder: raw control characters in strings are escaped first,
// then encoding/json reads it token by token. It is strict, slow and holds everything.
type reference struct {
	input    []byte // without raw control characters in strings
	controls []int  // where in input they were
	dec      *json.Decoder
	events   []event
}

func referenceEvents(payload []byte) ([]event, error) {
	r := &reference{}
	r.escapeControls(payload)
	r.dec = json.NewDecoder(bytes.NewReader(r.input))
	r.dec.UseNumber()
	for documents := 0; ; documents++ {
		token, err := r.dec.Token()
		switch {
		case err == io.EOF && documents == 0:
			return nil, errors.New("empty")
		case err == io.EOF:
			return r.events, nil
		case err != nil:
			return r.events, err
		case token != json.Delim('{'):
			return r.events, errors.New("no object")
		}
		if err := r.document(); err != nil {
			return r.events, err
		}
	}
}

func (r *reference) escapeControls(payload []byte) {
	inString, escape := false, false
	for _, c := range payload {
		switch {
		case escape:
			escape = false
		case inString && c == '\\':
			escape = true
		case c == '"':
			inString = !inString
		case inString && c < 0x20:
			r.controls = append(r.controls, len(r.input))
			r.input = fmt.Appendf(r.input, `\u%04x`, c)
			continue
		}
		r.input = append(r.input, c)
	}
}

// document reads a document behind its brace. Its events are known as soon as all that makes their origin has been read.
func (r *reference) document() error {
	header := map[string]json.RawMessage{}
	var waiting []event
	var hasEvents bool
	for r.dec.More() {
		name, err := r.dec.Token()
		if err != nil {
			return err
		}
		if name != "logEvents" {
			if err := r.headerMember(header, name.(string)); err != nil {
				return err
			}
			continue
		}
		hasEvents = true
		ready := len(waiting) == 0
		for _, needed := range []string{"messageType", "owner", "logGroup", "logStream", "subscriptionFilters"} {
			ready = ready && header[needed] != nil
		}
		if ready {
			err = r.logEvents(func(e event) error { return r.emit(header, e) })
		} else {
			err = r.logEvents(func(e event) error { waiting = append(waiting, e); return nil })
		}
		if err != nil {
			return err
		}
	}
	if _, err := r.dec.Token(); err != nil {
		return err
	}
	if _, err := originBy(header); err != nil || !hasEvents {
		return errors.New("no subscription document")
	}
	for _, e := range waiting {
		if err := r.emit(header, e); err != nil {
			return err
		}
	}
	return nil
}

func (r *reference) headerMember(header map[string]json.RawMessage, name string) error {
	value, err := r.value()
	if err != nil || header[name] != nil {
		return err
	}
	switch name {
	case "messageType", "owner", "logGroup", "logStream":
		if value[0] != '"' && string(value) != "null" {
			return errors.New("no string")
		}
		var text string
		if json.Unmarshal(value, &text) == nil && len(text) > maxNameBytes {
			return errors.New("too long")
		}
	}
	header[name] = value
	return nil
}

// value reads a value of the depth that is allowed.
func (r *reference) value() (json.RawMessage, error) {
	var value json.RawMessage
	if err := r.dec.Decode(&value); err != nil {
		return nil, err
	}
	depth := 0
	for _, token := range tokens(value) {
		switch token {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > maxDepth {
				return nil, errors.New("too deep")
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
	return value, nil
}

func tokens(value []byte) []json.Token {
	var all []json.Token
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.UseNumber()
	for {
		token, err := dec.Token()
		if err != nil {
			return all
		}
		all = append(all, token)
	}
}

// canonical writes a JSON value so that two that mean the same are the same.
func canonical(value []byte) string {
	var b strings.Builder
	for _, token := range tokens(value) {
		fmt.Fprintf(&b, "%T %q ", token, fmt.Sprint(token))
	}
	return b.String()
}

func originBy(header map[string]json.RawMessage) (o record.Origin, err error) {
	o = *base()
	o.Kind = record.CloudWatch
	var kind string
	for name, to := range map[string]*string{"messageType": &kind, "owner": &o.Owner, "logGroup": &o.LogGroup, "logStream": &o.LogStream} {
		if header[name] != nil {
			err = errors.Join(err, json.Unmarshal(header[name], to))
		}
	}
	o.Control = kind == "CONTROL_MESSAGE"
	if kind != "DATA_MESSAGE" && kind != "CONTROL_MESSAGE" {
		err = errors.New("unknown type")
	}
	var filters []*string // a pointer tells null from the empty string
	if json.Unmarshal(header["subscriptionFilters"], &filters) == nil && !slices.Contains(filters, nil) {
		for _, f := range filters {
			o.SubscriptionFilters = append(o.SubscriptionFilters, *f)
		}
	}
	return o, err
}

func (r *reference) emit(header map[string]json.RawMessage, e event) (err error) {
	if e.origin, err = originBy(header); err == nil {
		r.events = append(r.events, e)
	}
	return err
}

func (r *reference) logEvents(emit func(event) error) error {
	token, err := r.dec.Token()
	if err != nil || token == nil {
		return err
	}
	if token != json.Delim('[') {
		return errors.New("no array")
	}
	for r.dec.More() {
		e, err := r.logEvent()
		if err != nil {
			return err
		}
		if err := emit(e); err != nil {
			return err
		}
	}
	_, err = r.dec.Token()
	return err
}

func (r *reference) logEvent() (e event, err error) {
	if token, err := r.dec.Token(); err != nil || token != json.Delim('{') {
		return e, errors.Join(err, errors.New("no object"))
	}
	start, count := r.dec.InputOffset()-1, 0
	values := map[string]json.RawMessage{}
	var order []string
	for r.dec.More() {
		name, err := r.dec.Token()
		if err != nil {
			return e, err
		}
		value, err := r.value()
		if count++; err != nil || count > maxMembers {
			return e, errors.Join(err, errors.New("no member"))
		}
		if key := name.(string); values[key] == nil && string(value) != "null" {
			values[key] = value
			order = append(order, key)
		}
	}
	if _, err := r.dec.Token(); err != nil {
		return e, err
	}
	e.repaired = r.wounded(int(start), int(r.dec.InputOffset()))
	for _, name := range order {
		e.set(name, values[name])
	}
	return e, nil
}

// set takes a member as the reference has it. Values are kept in their canonical form.
func (e *event) set(name string, value json.RawMessage) {
	text, isString := string(value), value[0] == '"'
	if isString {
		_ = json.Unmarshal(value, &text)
	}
	switch name {
	case "id":
		if e.id, e.jsonID = text, !isString; !isString {
			e.id = canonical(value)
		}
	case "message":
		if e.message, e.jsonMessage = text, !isString; !isString {
			e.message = canonical(value)
		}
	case "timestamp":
		e.millis = referenceMillis(text)
	default:
		e.members = append(e.members, member{name, canonical(value)})
	}
}

var number = regexp.MustCompile(`^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$`)

func referenceMillis(text string) int64 {
	if millis, err := strconv.ParseInt(text, 10, 64); err == nil {
		return millis
	}
	if !number.MatchString(text) {
		return 0
	}
	if millis, err := json.Number(text).Float64(); err == nil && millis > -1e15 && millis < 1e15 {
		return int64(millis)
	}
	return 0
}

var escapes = regexp.MustCompile(`(?s)\\(?:u([0-9a-fA-F]{4})|[^u])`)

// wounded reports whether something between two places of the input is no text: a raw control character in a string, a
// byte that is no UTF-8, or half of a surrogate pair.
func (r *reference) wounded(start, end int) bool {
	if slices.ContainsFunc(r.controls, func(at int) bool { return start <= at && at < end }) || !utf8.Valid(r.input[start:end]) {
		return true
	}
	high, highEnd := rune(0), -1 // the last escape, when it is a high surrogate that waits for its other half
	for _, m := range escapes.FindAllSubmatchIndex(r.input[start:end], -1) {
		var c rune
		if m[2] >= 0 {
			code, _ := strconv.ParseUint(string(r.input[start+m[2]:start+m[3]]), 16, 32)
			c = rune(code)
		}
		switch {
		case highEnd == m[0] && utf16.DecodeRune(high, c) != utf8.RuneError:
			highEnd = -1
			continue
		case highEnd >= 0 || 0xdc00 <= c && c <= 0xdfff:
			return true
		case utf16.IsSurrogate(c):
			high, highEnd = c, m[1]
		}
	}
	return highEnd >= 0
}
