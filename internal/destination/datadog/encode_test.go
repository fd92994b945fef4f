package datadog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

const (
	eventID   = "37908012345678901234567890123456789012345678901234567890"
	streamARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/s"
	ownARN    = "arn:aws:lambda:eu-west-1:123456789012:function:sluice"
)

// now is the clock of these tests; event is when the logs in them happened.
var (
	now   = time.UnixMilli(1_700_000_600_000)
	event = int64(1_700_000_000_123)
)

func clock() time.Time { return now }

func lambdaOrigin() *record.Origin {
	const arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
	return &record.Origin{
		Kind: record.CloudWatch, Owner: "123456789012", LogGroup: "/aws/lambda/orders", LogStream: "2023/11/14/[$LATEST]abc",
		Source: "lambda", Service: "orders", Host: arn, LambdaARN: arn, Tags: record.ParseTags("env:prod,functionname:orders"),
		FunctionARN: ownARN, FunctionVersion: "$LATEST",
	}
}

func groupOrigin() *record.Origin {
	return &record.Origin{
		Kind: record.CloudWatch, Owner: "111122223333", LogGroup: "/aws/rds/instance/shop/postgresql", LogStream: "shop.0",
		Source: "postgresql", Service: "db", Host: "/aws/rds/instance/shop/postgresql", Tags: record.ParseTags("service:db"),
		FunctionARN: ownARN + ":live", FunctionVersion: "7", StreamARN: streamARN,
	}
}

func streamOrigin() *record.Origin {
	return &record.Origin{
		Kind: record.Kinesis, StreamARN: streamARN, Source: "kinesis", Service: "kinesis", FunctionARN: ownARN, FunctionVersion: "$LATEST",
	}
}

// item is a record as an encoder without any setting writes it, or as one with those that are given.
func item(t *testing.T, e *encoder, r record.Record) string {
	t.Helper()
	got := string(e.append([]byte("["), &r, clock))
	require.True(t, json.Valid([]byte(got[1:])), got)
	return got[1:]
}

// The shapes are those of the Datadog Forwarder (datadog-compat 2.1).
func TestItem(t *testing.T) {
	const (
		lambdaHead = `{"ddsourcecategory":"aws","ddsource":"lambda","ddtags":"env:prod,functionname:orders","service":"orders",` +
			`"host":"arn:aws:lambda:eu-west-1:123456789012:function:orders",` +
			`"aws":{"awslogs":{"logGroup":"/aws/lambda/orders","logStream":"2023/11/14/[$LATEST]abc","owner":"123456789012"},` +
			`"invoked_function_arn":"` + ownARN + `"},"lambda":{"arn":"arn:aws:lambda:eu-west-1:123456789012:function:orders"},`
		streamHead = `{"ddsourcecategory":"aws","ddsource":"kinesis","service":"kinesis",` +
			`"aws":{"kinesis":{"streamArn":"` + streamARN + `"},"invoked_function_arn":"` + ownARN + `"},`
	)
	cloudwatchID, kinesisID := record.Escaped([]byte(eventID)), record.Plain([]byte("shardId-000000000000:49590338271490256608559692538361571095921575989136588898"))
	for name, tc := range map[string]struct {
		encoder encoder
		record  record.Record
		want    string
	}{
		"Lambda": {
			encoder{},
			record.Record{Origin: lambdaOrigin(), EventID: cloudwatchID, TimeMillis: event, Message: record.Escaped([]byte(`say \"hi\"\n`))},
			lambdaHead + `"id":"` + eventID + `","timestamp":1700000000123,"message":"say \"hi\"\n"}`,
		},
		"CloudWatch, through Kinesis, a numbered version of ours": {
			encoder{},
			record.Record{Origin: groupOrigin(), EventID: cloudwatchID, TimeMillis: event, Message: record.Escaped([]byte("LOG:  x"))},
			`{"ddsourcecategory":"aws","ddsource":"postgresql","ddtags":"service:db","service":"db","host":"/aws/rds/instance/shop/postgresql",` +
				`"aws":{"awslogs":{"logGroup":"/aws/rds/instance/shop/postgresql","logStream":"shop.0","owner":"111122223333"},` +
				`"invoked_function_arn":"` + ownARN + `:live","function_version":"7"},` +
				`"id":"` + eventID + `","timestamp":1700000000123,"message":"LOG:  x"}`,
		},
		"line of a stream": {
			encoder{},
			record.Record{Origin: streamOrigin(), EventID: kinesisID, TimeMillis: event, Message: record.Plain([]byte(`a "b" \ ` + "\x00\t<é>"))},
			streamHead + `"id":"` + kinesisVector + `","timestamp":1700000000123,"message":"a \"b\" \\ \u0000\t<é>"}`,
		},
		"nothing is known": {
			encoder{},
			record.Record{Origin: &record.Origin{Kind: record.CloudWatch}},
			`{"ddsourcecategory":"aws","aws":{"awslogs":{}},"id":"` + idOf(record.Record{Origin: &record.Origin{Kind: record.CloudWatch}}) + `","message":""}`,
		},
		"an origin of another kind": {
			encoder{},
			record.Record{Origin: &record.Origin{Kind: "x", Source: "y", FunctionVersion: "7"}, Message: record.Plain([]byte("z"))},
			`{"ddsourcecategory":"aws","ddsource":"y","aws":{"function_version":"7"},"id":"` + idOf(record.Record{Origin: &record.Origin{Kind: "x"}}) + `","message":"z"}`,
		},
		"short id": {
			encoder{eventID: ShortID},
			record.Record{Origin: streamOrigin(), EventID: kinesisID},
			streamHead + `"id":"db57861ea4eff84b","message":""}`,
		},
		"short id of CloudWatch is not a part of the event's": {
			encoder{eventID: ShortID},
			record.Record{Origin: lambdaOrigin(), EventID: cloudwatchID},
			lambdaHead + `"id":"` + idOf(record.Record{Origin: lambdaOrigin(), EventID: cloudwatchID})[:16] + `","message":""}`,
		},
		"no id": {
			encoder{eventID: NoID},
			record.Record{Origin: streamOrigin(), EventID: kinesisID, TimeMillis: event},
			streamHead + `"timestamp":1700000000123,"message":""}`,
		},
		"id with an escape": {
			encoder{},
			record.Record{Origin: lambdaOrigin(), EventID: record.Escaped([]byte(`1\"\u00e9`))},
			lambdaHead + `"id":"1\"\u00e9","message":""}`,
		},
		"members at the root": {
			encoder{eventID: NoID},
			record.Record{Origin: streamOrigin(), Members: members(`extractedFields`, `{"status":"200"}`, `a\"b`, `1.50`)},
			streamHead + `"extractedFields":{"status":"200"},"a\"b":1.50,"message":""}`,
		},
		"members that would pass for ours": {
			encoder{eventID: NoID},
			record.Record{Origin: streamOrigin(), Members: members("host", `"evil"`, "_host", `1`, "ddtags", `"env:x"`, "__aws", `{}`, "status", `"ok"`, "Timestamp", `1`, "_x", `2`)},
			streamHead + `"_host":"evil","__host":1,"_ddtags":"env:x","___aws":{},"_status":"ok","_Timestamp":1,"_x":2,"message":""}`,
		},
		"truncated": {
			encoder{eventID: NoID},
			record.Record{Origin: streamOrigin(), Marks: record.Truncated, TruncatedBytes: 17, Message: record.Plain([]byte("cut"))},
			streamHead + `"sluice":{"marks":["truncated"],"truncated_bytes":17},"message":"cut"}`,
		},
		"a part": {
			encoder{eventID: NoID},
			record.Record{Origin: streamOrigin(), Marks: record.Chunked | record.UTF8Repaired, Part: 2, Parts: 12},
			streamHead + `"sluice":{"marks":["chunked","utf8_repaired"],"part":2,"parts":12},"message":""}`,
		},
		"names that are no UTF-8": {
			encoder{eventID: NoID},
			record.Record{Origin: &record.Origin{Kind: record.Kinesis, StreamARN: "a\xffb"}},
			`{"ddsourcecategory":"aws","aws":{"kinesis":{"streamArn":"a` + "\uFFFD" + `b"}},"message":""}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, item(t, &tc.encoder, tc.record))
			assert.Equal(t, tc.want, item(t, &tc.encoder, tc.record), "once more")
		})
	}
}

// kinesisVector is the published id of the Kinesis record in these tests (http-intakes 1.1).
const kinesisVector = "db57861ea4eff84b83a7dfba72365567"

func idOf(r record.Record) string { return string(r.AppendID(nil)) }

// members makes members of names and values, all as they stand in JSON.
func members(pairs ...string) []record.Member {
	var list []record.Member
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, record.Member{Name: []byte(pairs[i]), Value: []byte(pairs[i+1])})
	}
	return list
}

// Datadog indexes no event at its date when that is more than 18 hours ago.
func TestLateEvents(t *testing.T) {
	const head, tail = `{"ddsourcecategory":"aws",`, `"aws":{"kinesis":{}},`
	edge := now.Add(-18 * time.Hour).UnixMilli()
	for name, tc := range map[string]struct {
		late Late
		at   int64
		tags string
		want string
	}{
		"in time":                       {DropDate, event, "", head + tail + `"timestamp":1700000000123,"message":""}`},
		"exactly 18 hours":              {DropDate, edge, "", fmt.Sprintf(head+tail+`"timestamp":%d,"message":""}`, edge)},
		"a millisecond more":            {DropDate, edge - 1, "", fmt.Sprintf(head+`"ddtags":"late:true",`+tail+`"event_time":%d,"message":""}`, edge-1)},
		"a millisecond more, kept":      {KeepDate, edge - 1, "", fmt.Sprintf(head+tail+`"timestamp":%d,"message":""}`, edge-1)},
		"other tags stay, late is ours": {DropDate, 1, "a:b,late:no", head + `"ddtags":"a:b,late:true",` + tail + `"event_time":1,"message":""}`},
		"before the epoch":              {DropDate, -5, "", head + `"ddtags":"late:true",` + tail + `"event_time":-5,"message":""}`},
		"in the future":                 {DropDate, 4_102_444_800_000, "", head + tail + `"timestamp":4102444800000,"message":""}`},
		"no time":                       {DropDate, 0, "", head + tail + `"message":""}`},
	} {
		t.Run(name, func(t *testing.T) {
			e := encoder{eventID: NoID, late: tc.late}
			o := &record.Origin{Kind: record.Kinesis, Tags: record.ParseTags(tc.tags)}
			assert.Equal(t, tc.want, item(t, &e, record.Record{Origin: o, TimeMillis: tc.at}))
		})
	}
}

func TestLateEventsBetweenOthers(t *testing.T) {
	e := encoder{eventID: NoID}
	a, b := lambdaOrigin(), groupOrigin()
	for _, at := range []int64{event, 1, event, 1} {
		for _, o := range []*record.Origin{a, b} {
			got := item(t, &e, record.Record{Origin: o, TimeMillis: at})
			assert.Equal(t, at == 1, strings.Contains(got, `late:true`), got)
			assert.Equal(t, at == 1, strings.Contains(got, `"event_time":1,`), got)
			assert.Contains(t, got, `"logGroup":"`+o.LogGroup+`"`)
		}
	}
}

// What is late is asked of the clock when an origin is entered, so a container that lives long does not keep its idea.
func TestLateFollowsTheClock(t *testing.T) {
	at := now
	e := encoder{eventID: NoID}
	r := func(o *record.Origin) record.Record { return record.Record{Origin: o, TimeMillis: event} }
	first := r(lambdaOrigin())
	assert.NotContains(t, string(e.append(nil, &first, func() time.Time { return at })), "late:true")
	at = at.Add(19 * time.Hour)
	next := r(lambdaOrigin())
	assert.Contains(t, string(e.append(nil, &next, func() time.Time { return at })), "late:true")
}

// However many origins take turns, each has its own constants, and few are remembered.
func TestOriginsTakeTurns(t *testing.T) {
	for _, n := range []int{2, maxHeads, maxHeads + 1, 3 * maxHeads} {
		e := encoder{eventID: NoID}
		origins := make([]*record.Origin, n)
		for i := range origins {
			origins[i] = lambdaOrigin().With(record.ParseTags(fmt.Sprintf("n:%d", i)), fmt.Sprintf("s%d", i))
		}
		for range 3 {
			for i, o := range origins {
				at := event
				if i%3 == 0 {
					at = 1
				}
				fresh := encoder{eventID: NoID}
				r := record.Record{Origin: o, TimeMillis: at, Message: record.Plain([]byte("x"))}
				require.Equal(t, item(t, &fresh, r), item(t, &e, r))
				require.LessOrEqual(t, len(e.heads), maxHeads)
			}
		}
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	id := record.Escaped([]byte(eventID))
	a, b := lambdaOrigin(), streamOrigin()
	fields := members("extractedFields", `{"a":"b"}`, "host", `"x"`)
	for name, tc := range map[string]struct {
		encoder encoder
		records []record.Record
	}{
		"one origin":                 {encoder{}, []record.Record{{Origin: a, EventID: id, TimeMillis: event, Message: record.Escaped([]byte(`a\nb`))}}},
		"two in turn":                {encoder{}, []record.Record{{Origin: a, EventID: id}, {Origin: b, EventID: record.Plain([]byte("x:1"))}}},
		"late":                       {encoder{}, []record.Record{{Origin: a, EventID: id, TimeMillis: 1}, {Origin: b, TimeMillis: 1}}},
		"members":                    {encoder{}, []record.Record{{Origin: a, EventID: id, Members: fields}}},
		"short id":                   {encoder{eventID: ShortID}, []record.Record{{Origin: a, EventID: id}}},
		"line of an object":          {encoder{}, []record.Record{{Origin: objectOrigin(), Offset: 4096, Index: 2, TimeMillis: event, Message: record.Plain([]byte(`GET "/" 200`))}}},
		"structured":                 {encoder{}, []record.Record{{Origin: objectOrigin(), TimeMillis: event, Structured: true, Message: record.Plain([]byte(trail))}}},
		"structured, escaped, late":  {encoder{}, []record.Record{{Origin: objectOrigin(), TimeMillis: 1, Structured: true, Message: record.Escaped(record.AppendEscaped(nil, trail))}}},
		"structured, as text":        {encoder{asText: true}, []record.Record{{Origin: objectOrigin(), TimeMillis: event, Structured: true, Message: record.Plain([]byte(trail))}}},
		"text to escape":             {encoder{}, []record.Record{{Origin: b, Message: record.Plain([]byte("a\"b\n"))}}},
		"64 in turn, 2 of them late": {encoder{}, turns()},
	} {
		t.Run(name, func(t *testing.T) {
			dst := make([]byte, 0, 1<<20)
			assert.Zero(t, testing.AllocsPerRun(100, func() {
				out := dst
				for i := range tc.records {
					out = tc.encoder.append(out, &tc.records[i], clock)
				}
			}))
		})
	}
}

// turns are records of as many origins as are remembered; those of the first two are late.
func turns() []record.Record {
	list := make([]record.Record, maxHeads)
	for i := range list {
		list[i] = record.Record{Origin: lambdaOrigin(), TimeMillis: event}
		if i < 2 {
			list[i].TimeMillis = 1
		}
	}
	return list
}

// FuzzAppend: whatever a record holds, it becomes one valid JSON object with its message and its id.
func FuzzAppend(f *testing.F) {
	f.Add([]byte("plain"), []byte("1"), []byte("name"), "env:prod", int64(1), uint8(0))
	f.Add([]byte("\x00\"\\\n\xff\u2028"), []byte("\""), []byte("_host"), "a,b:c,\xff", int64(-1), uint8(255))
	f.Add([]byte(`\ud800`), []byte{}, []byte("message"), "", int64(1<<62), uint8(0b1010_0110))
	f.Fuzz(func(t *testing.T, message, id, name []byte, tags string, at int64, bits uint8) {
		text := func(b []byte) record.Text { // as a source makes it
			escaped, _ := record.AppendRepaired(nil, b)
			if bits&1 == 0 && utf8.Valid(b) {
				return record.Plain(b)
			}
			return record.Escaped(escaped)
		}
		value, err := json.Marshal(string(message))
		require.NoError(t, err)
		member, _ := record.AppendRepaired(nil, name)
		o := lambdaOrigin()
		if bits&2 != 0 {
			o = streamOrigin()
		}
		o.Tags, o.Service, o.LogStream = record.ParseTags(tags), tags, string(name)
		r := record.Record{
			Origin: o, EventID: text(id), Message: text(message), TimeMillis: at, Index: int(bits),
			Marks: record.Marks(bits >> 5), TruncatedBytes: int(bits), Part: int(bits), Parts: int(bits),
		}
		if bits&4 != 0 {
			r.Members = []record.Member{{Name: member, Value: value}}
		}
		e := encoder{eventID: EventID(bits >> 3 & 1), late: Late(bits >> 4 & 1)}
		got := e.append([]byte("head"), &r, clock)
		require.True(t, bytes.HasPrefix(got, []byte("head")))
		got = got[len("head"):]
		require.True(t, utf8.Valid(got), "%q", got)

		var decoded map[string]any
		require.NoError(t, json.Unmarshal(got, &decoded), "%s", got)
		require.Equal(t, string(r.Message.AppendPlain(nil)), decoded["message"])
		want := string(r.EventID.AppendPlain(nil))
		if e.eventID == ShortID {
			want = idOf(r)[:16]
		} else if want == "" || r.Index > 0 || o.Kind == record.Kinesis {
			want = idOf(r)
		}
		require.Equal(t, want, decoded["id"])
		require.Equal(t, "aws", decoded["ddsourcecategory"])
		require.Equal(t, o.Source, decoded["ddsource"])
		require.Equal(t, got, e.append(nil, &r, clock), "the same record gives the same bytes")
	})
}

func BenchmarkAppend(b *testing.B) {
	id := record.Escaped([]byte(eventID))
	line := record.Escaped([]byte("2 123456789012 eni-0a1b2c3d4e5f60718 10.0.1.2 192.0.2.15 443 50000 6 10 840 1700000000 1700000060 ACCEPT OK"))
	for name, r := range map[string]record.Record{
		"flow line":      {Origin: lambdaOrigin(), EventID: id, TimeMillis: event, Message: line},
		"line of stream": {Origin: streamOrigin(), EventID: id, TimeMillis: event, Message: record.Plain(line.Bytes)},
		"line of object": {Origin: objectOrigin(), Offset: 4096, TimeMillis: event, Message: record.Plain(line.Bytes)},
		"structured":     {Origin: objectOrigin(), Offset: 4096, TimeMillis: event, Structured: true, Message: record.Plain([]byte(trail))},
	} {
		b.Run(name, func(b *testing.B) {
			var e encoder
			dst := e.append(nil, &r, clock)
			b.SetBytes(int64(len(dst)))
			b.ReportAllocs()
			for b.Loop() {
				dst = e.append(dst[:0], &r, clock)
			}
		})
	}
}
