package datadog

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

// says returns attributes that are always the same; empty for a line that is not known.
func says(object string) func([]byte, *record.Record) ([]byte, bool) {
	return func(dst []byte, _ *record.Record) ([]byte, bool) { return append(dst, object...), object != "" }
}

func TestAttributes(t *testing.T) {
	const head = `{"ddsourcecategory":"aws","aws":{"kinesis":{}},`
	for name, tc := range map[string]struct {
		attributes string
		change     func(*encoder, *record.Record)
		want       string
	}{
		"next to the message":       {`{"host":"x","n":1.50}`, nil, head + `"message":"a \"b\"","attrs":{"host":"x","n":1.50}}`},
		"nothing is known":          {``, nil, head + `"message":"a \"b\""}`},
		"behind members and marks":  {`{"a":1}`, func(_ *encoder, r *record.Record) { r.Members, r.Marks = members("m", `2`), record.Redacted }, head + `"m":2,"sluice":{"marks":["redacted"]},"message":"a \"b\"","attrs":{"a":1}}`},
		"a member of the same name": {`{"a":1}`, func(_ *encoder, r *record.Record) { r.Members = members("attrs", `2`, "_attrs", `3`) }, head + `"_attrs":2,"__attrs":3,"message":"a \"b\"","attrs":{"a":1}}`},
		"no attributes are asked for, and a member is called so": {
			`{}`, func(e *encoder, r *record.Record) { e.attributes, r.Members = nil, members("attrs", `2`) }, head + `"attrs":2,"message":"a \"b\""}`,
		},
		"a line that was cut":   {`{"a":1}`, func(_ *encoder, r *record.Record) { r.Marks = record.Truncated }, head + `"sluice":{"marks":["truncated"]},"message":"a \"b\""}`},
		"a piece of a line":     {`{"a":1}`, func(_ *encoder, r *record.Record) { r.Marks, r.Part = record.Chunked, 1 }, head + `"sluice":{"marks":["chunked"],"part":1},"message":"a \"b\""}`},
		"structured, as fields": {`{"a":1}`, func(_ *encoder, r *record.Record) { structure(r, `{"attrs":2,"b":3}`) }, head + `"attrs":2,"b":3}`},
		"structured, as text":   {`{"a":1}`, func(e *encoder, r *record.Record) { e.asText = true; structure(r, `{"b":3}`) }, head + `"message":"{\"b\":3}","attrs":{"a":1}}`},
		"structured, no object": {`{"a":1}`, func(_ *encoder, r *record.Record) { structure(r, `[3]`) }, head + `"message":"[3]","attrs":{"a":1}}`},
	} {
		t.Run(name, func(t *testing.T) {
			e := encoder{eventID: NoID, attributes: says(tc.attributes), maxBytes: 1000}
			r := record.Record{Origin: &record.Origin{Kind: record.Kinesis}, Message: record.Plain([]byte(`a "b"`))}
			if tc.change != nil {
				tc.change(&e, &r)
			}
			assert.Equal(t, tc.want, item(t, &e, r))
			assert.Equal(t, tc.want, item(t, &e, r), "once more")
		})
	}
}

func structure(r *record.Record, text string) {
	r.Structured, r.Message = true, record.Plain([]byte(text))
}

// Attributes go before any text does: an item has them as long as it fits with them, wherever in a body it stands.
func TestAttributesThatMakeAnItemTooLarge(t *testing.T) {
	r := record.Record{Origin: streamOrigin(), Message: record.Plain([]byte("line"))}
	plain := item(t, &encoder{}, r)
	whole := strings.TrimSuffix(plain, "}") + `,"attrs":{"a":1}}`
	for limit, want := range map[int]string{len(whole): whole, len(whole) - 1: plain, 1: plain} {
		e := encoder{attributes: says(`{"a":1}`), maxBytes: limit}
		got := e.append(bytes.Repeat([]byte("x"), 1000), &r, clock)
		assert.Equal(t, want, string(got[1000:]), limit)
	}
}

// The function is given the record as it is sent, and writes right into the body.
func TestAttributesOfDestination(t *testing.T) {
	d := New(Options{Attributes: func(dst []byte, r *record.Record) ([]byte, bool) {
		dst = append(dst, `{"line":"`...)
		return append(r.Message.AppendJSON(dst), `"}`...), true
	}, EventID: NoID, Now: clock})
	r := record.Record{Origin: &record.Origin{}, Message: record.Plain([]byte(`"q"`))}
	got := string(d.Append(nil, &r))
	assert.True(t, strings.HasSuffix(got, `,"message":"\"q\"","attrs":{"line":"\"q\""}}`), got)

	large := record.Record{Origin: &record.Origin{}, Message: record.Plain(bytes.Repeat([]byte("m"), maxRecordBytes/2))}
	assert.Less(t, len(d.Append(nil, &large)), maxRecordBytes)
}

func TestSeverity(t *testing.T) {
	const head = `{"ddsourcecategory":"aws",`
	const usual = head + `"aws":{"kinesis":{}},`
	for name, tc := range map[string]struct {
		change func(*record.Record)
		want   string
	}{
		"of a line":                     {nil, usual + `"status":"error","message":"m"}`},
		"behind the time":               {func(r *record.Record) { r.TimeMillis = event }, usual + `"timestamp":1700000000123,"status":"error","message":"m"}`},
		"none":                          {func(r *record.Record) { r.Severity = "" }, usual + `"message":"m"}`},
		"a member called status":        {func(r *record.Record) { r.Members = members("status", `"ok"`) }, usual + `"status":"error","_status":"ok","message":"m"}`},
		"structured":                    {func(r *record.Record) { structure(r, `{"a":1,"_status":2}`) }, usual + `"a":1,"_status":2,"status":"error"}`},
		"structured, has its own":       {func(r *record.Record) { structure(r, `{"st\u0061tus":"ok"}`) }, usual + `"status":"ok"}`},
		"structured, late, its own":     {func(r *record.Record) { structure(r, `{"status":"ok"}`); r.TimeMillis = 1 }, head + `"ddtags":"late:true","aws":{"kinesis":{}},"_status":"ok","event_time":1,"status":"error"}`},
		"structured, no object, status": {func(r *record.Record) { structure(r, `{"status":"ok",`) }, usual + `"status":"error","message":"{\"status\":\"ok\","}`},
		"a severity of no known word":   {func(r *record.Record) { r.Severity = "a\"b" }, usual + `"status":"a\"b","message":"m"}`},
	} {
		t.Run(name, func(t *testing.T) {
			r := record.Record{Origin: &record.Origin{Kind: record.Kinesis}, Severity: record.Error, Message: record.Plain([]byte("m"))}
			if tc.change != nil {
				tc.change(&r)
			}
			assert.Equal(t, tc.want, item(t, &encoder{eventID: NoID}, r))
		})
	}
}

// Records that were made of one log event share its id; only the first can have it.
func TestIDsOfOneEvent(t *testing.T) {
	ids := make(map[string]bool)
	for i := range 3 {
		r := record.Record{Origin: lambdaOrigin(), EventID: record.Escaped([]byte(eventID)), Index: i}
		var got struct{ ID string }
		require.NoError(t, json.Unmarshal([]byte(item(t, &encoder{}, r)), &got))
		want := eventID
		if i > 0 {
			want = idOf(r)
		}
		assert.Equal(t, want, got.ID)
		ids[got.ID] = true
	}
	assert.Len(t, ids, 3)
}

func TestAttributesAllocateNothing(t *testing.T) {
	d := New(Options{Attributes: says(`{"a":1}`), Now: clock})
	r := record.Record{Origin: lambdaOrigin(), EventID: record.Escaped([]byte(eventID)), Severity: record.Error, Message: record.Plain([]byte("m"))}
	dst := make([]byte, 0, 4096)
	d.Append(dst, &r)
	assert.Zero(t, testing.AllocsPerRun(100, func() { d.Append(dst, &r) }))
}
