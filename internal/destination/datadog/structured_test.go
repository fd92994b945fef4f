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

// trail is a record of CloudTrail, cut down.
const trail = `{"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/deploy/ci"},` +
	`"eventTime":"2023-11-14T22:13:20Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-1",` +
	`"sourceIPAddress":"203.0.113.77","userAgent":"[aws-cli/2.13 \"x\"]","requestParameters":{"bucketName":"shop","key":"a\u00e9 b"},` +
	`"responseElements":null,"readOnly":true,"eventID":"7c3b1f0e-5f5d-4f0a-9d0e-2b8f6f1f9a11","recipientAccountId":"111122223333"}`

// Members of a structured record stand at the root, between the head and what the item has of its own.
func TestStructuredItem(t *testing.T) {
	const head, tail = `{"ddsourcecategory":"aws",`, `"aws":{"s3":{"bucket":"b","key":"k"}},`
	origin := &record.Origin{Kind: record.S3, Bucket: "b", Key: "k"}
	id := idOf(record.Record{Origin: origin})
	for name, tc := range map[string]struct {
		encoder encoder
		message string
		change  func(*record.Record)
		want    string
	}{
		"CloudTrail": {
			message: trail,
			change:  func(r *record.Record) { r.TimeMillis = event },
			want:    head + tail + strings.TrimSuffix(trail[1:], "}") + `,"id":"` + id + `","timestamp":1700000000123}`,
		},
		"as text, by setting": {
			encoder: encoder{asText: true},
			message: `{"id":"1","a":[1]}`,
			want:    head + tail + `"id":"` + id + `","message":"{\"id\":\"1\",\"a\":[1]}"}`,
		},
		"id of its own stands for ours": {
			message: `{"version":"0","id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718","detail":{}}`,
			want:    head + tail + `"version":"0","id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718","detail":{}}`,
		},
		"id of its own, and the settings want none of ours": {
			encoder: encoder{eventID: NoID}, message: `{"id":"6a7e"}`, want: head + tail + `"id":"6a7e"}`,
		},
		"id of its own, spelled with an escape": {
			message: `{"i\u0064":"6a7e"}`, want: head + tail + `"id":"6a7e"}`,
		},
		"names like id are not it": {
			encoder: encoder{eventID: ShortID}, message: `{"ID":1,"_id":2,"eventID":3,"detail":{"id":4}}`,
			want: head + tail + `"ID":1,"_id":2,"eventID":3,"detail":{"id":4},"id":"` + id[:16] + `"}`,
		},
		"names that are ours get an underscore": {
			encoder: encoder{eventID: NoID},
			message: `{"aws":1,"ddsource":2,"ddsourcecategory":3,"ddtags":4,"event_time":5,"host":6,"lambda":7,"message":8,"service":9,` +
				`"sluice":10,"timestamp":11}`,
			want: head + tail + `"_aws":1,"_ddsource":2,"_ddsourcecategory":3,"_ddtags":4,"_event_time":5,"_host":6,"_lambda":7,` +
				`"_message":8,"_service":9,"_sluice":10,"_timestamp":11}`,
		},
		"names that are ours, spelled with an escape": {
			encoder: encoder{eventID: NoID}, message: `{"h\u006fst":1}`, want: head + tail + `"_host":1}`,
		},
		"no two names become one": {
			encoder: encoder{eventID: NoID}, message: `{"host":1,"_host":2,"__host":3,"_other":4}`,
			want: head + tail + `"_host":1,"__host":2,"___host":3,"_other":4}`,
		},
		"names that Datadog reads stay, as with the Datadog Forwarder": {
			encoder: encoder{eventID: NoID}, message: `{"status":"ok","date":"x","hostname":"h","eventTime":"y","Timestamp":1}`,
			want: head + tail + `"status":"ok","date":"x","hostname":"h","eventTime":"y","Timestamp":1}`,
		},
		"late: what Datadog takes a date from goes aside": {
			encoder: encoder{eventID: NoID}, message: `{"eventTime":"x","date":1,"_date":2,"@timestamp":3,"id":"4","other":5}`,
			change: func(r *record.Record) { r.TimeMillis = 1 },
			want: head + `"ddtags":"late:true",` + tail +
				`"_eventTime":"x","_date":1,"__date":2,"_@timestamp":3,"id":"4","other":5,"event_time":1}`,
		},
		"late, and the date is to be kept": {
			encoder: encoder{eventID: NoID, late: KeepDate}, message: `{"eventTime":"x"}`,
			change: func(r *record.Record) { r.TimeMillis = 1 },
			want:   head + tail + `"eventTime":"x","timestamp":1}`,
		},
		"values stay byte for byte": {
			encoder: encoder{eventID: NoID}, message: ` { "a" : 1.50 , "b":12345678901234567890,"c":"\u00e9\/","d":{ "x" : [ 1,2 ] } } `,
			want: head + tail + `"a":1.50,"b":12345678901234567890,"c":"\u00e9\/","d":{ "x" : [ 1,2 ] }}`,
		},
		"names are written in their shortest form": {
			encoder: encoder{eventID: NoID}, message: `{"\u0061\"\n\u00e9":1,"":2}`, want: head + tail + `"a\"\né":1,"":2}`,
		},
		"no members": {
			message: `{}`, want: head + tail + `"id":"` + id + `"}`,
		},
		"no members, no id": {
			encoder: encoder{eventID: NoID}, message: `{}`, want: head + tail[:len(tail)-1] + `}`,
		},
		"marks and further members stand behind": {
			encoder: encoder{eventID: NoID}, message: `{"a":1}`,
			change: func(r *record.Record) {
				r.Marks, r.Members = record.UTF8Repaired, members("firehose", `{"x":1}`, "host", `"y"`)
			},
			want: head + tail + `"a":1,"firehose":{"x":1},"_host":"y","sluice":{"marks":["utf8_repaired"]}}`,
		},
		"no object after all: its text is sent": {
			message: `[{"a":1}]`, want: head + tail + `"id":"` + id + `","message":"[{\"a\":1}]"}`,
		},
		"object that does not end: its text is sent, with our id": {
			message: `{"id":"1","a":`, want: head + tail + `"id":"` + id + `","message":"{\"id\":\"1\",\"a\":"}`,
		},
		"no text at all": {
			message: ``, want: head + tail + `"id":"` + id + `","message":""}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for form, text := range map[string]record.Text{
				"plain":   record.Plain([]byte(tc.message)),
				"escaped": record.Escaped(record.AppendEscaped(nil, tc.message)),
			} {
				r := record.Record{Origin: origin, Structured: true, Message: text}
				if tc.change != nil {
					tc.change(&r)
				}
				assert.Equal(t, tc.want, item(t, &tc.encoder, r), form)
				assert.Equal(t, tc.want, item(t, &tc.encoder, r), "%s, once more", form)
			}
		})
	}
}

// Structured records and lines take turns without a trace of each other.
func TestStructuredBetweenLines(t *testing.T) {
	e := encoder{eventID: NoID}
	o := objectOrigin()
	for range 2 {
		for _, r := range []record.Record{
			{Origin: o, Structured: true, Message: record.Escaped([]byte(`{\"a\":1}`))},
			{Origin: o, Message: record.Plain([]byte(`{"a":1}`))},
			{Origin: o, Structured: true, Message: record.Plain([]byte(`{"b":2}`))},
		} {
			fresh := encoder{eventID: NoID}
			assert.Equal(t, item(t, &fresh, r), item(t, &e, r))
		}
	}
}

// FuzzStructured: of any JSON object, every member is in the item with its value, under its name or one with more
// underscores; of any other text, the text is. Either way it is one valid JSON object that says where it came from.
func FuzzStructured(f *testing.F) {
	f.Add([]byte(trail), false, false)
	f.Add([]byte(`{"host":1,"_host":{"a":[null]},"id":"x","date":"d","aws":{}}`), true, true)
	f.Add([]byte(` {"\u0061\"\n":1e999 , "":""} `), false, true)
	f.Add([]byte(`[1]`), true, false)
	f.Fuzz(func(t *testing.T, text []byte, escaped, isLate bool) {
		if len(text) > 1<<12 || !json.Valid(text) {
			return // a source gives valid JSON
		}
		text = bytes.ToValidUTF8(text, []byte("?"))
		r := record.Record{Origin: objectOrigin(), TimeMillis: event, Structured: true, Message: record.Plain(text)}
		if escaped {
			r.Message = record.Escaped(record.AppendEscaped(nil, text))
		}
		if isLate {
			r.TimeMillis = 1
		}
		var e encoder
		got := e.append(nil, &r, clock)
		var decoded map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(got, &decoded), "%s", got)
		require.JSONEq(t, `"cloudtrail"`, string(decoded["ddsource"]))
		require.JSONEq(t, `{"s3":{"bucket":"`+bucket+`","key":"`+key+`"},"invoked_function_arn":"`+ownARN+`"}`, string(decoded["aws"]))

		var fields map[string]json.RawMessage
		if json.Unmarshal(text, &fields) != nil || fields == nil {
			var message string
			require.NoError(t, json.Unmarshal(decoded["message"], &message))
			require.Equal(t, string(text), message)
			return
		}
		requireFields(t, fields, decoded, isLate)
		if _, has := fields["id"]; !has {
			require.Equal(t, `"`+idOf(r)+`"`, string(decoded["id"]))
		}
	})
}

// requireFields finds every field of a record in the item that was made of it.
func requireFields(t *testing.T, fields, item map[string]json.RawMessage, isLate bool) {
	t.Helper()
	for name, value := range fields {
		bare := strings.TrimLeft(name, "_")
		if name != "id" && (isOurs([]byte(bare)) || isLate && isReserved([]byte(bare))) {
			name = "_" + name
		}
		require.Equal(t, string(value), string(item[name]), "member %q", name)
	}
}
