package httpjson_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/destination/httpjson"
	"sluice/internal/record"
)

// withoutID leaves out what no reader of a table can check by eye.
func withoutID() httpjson.Options {
	o := options()
	o.Fields = map[string]string{"id": ""}
	return o
}

func TestAppend(t *testing.T) {
	nowhere := &record.Origin{Kind: record.CloudWatch}
	for name, tc := range map[string]struct {
		fields map[string]string
		record record.Record
		want   string
	}{
		"record without a time has no time": {
			record: record.Record{Origin: nowhere, Message: record.Plain([]byte("m"))},
			want:   `{"message":"m"}`,
		},
		"empty message is a member, empty text elsewhere is none": {
			record: record.Record{Origin: nowhere},
			want:   `{"message":""}`,
		},
		"everything left out is an empty object": {
			fields: map[string]string{
				"time": "", "message": "", "severity": "", "source": "", "service": "", "host": "", "tags": "", "aws": "", "attrs": "",
				"marks": "", "truncated_bytes": "", "part": "", "parts": "",
			},
			record: sample()[1],
			want:   `{}`,
		},
		"first member left out leaves no comma": {
			fields: map[string]string{"time": "", "message": ""},
			record: record.Record{Origin: &record.Origin{Kind: record.CloudWatch, Service: "web"}, TimeMillis: 1},
			want:   `{"service":"web"}`,
		},
		"swapped names": {
			fields: map[string]string{"message": "source", "source": "message"},
			record: record.Record{
				Origin: &record.Origin{Kind: record.CloudWatch, Source: "s"}, Message: record.Plain([]byte("m")),
			},
			want: `{"source":"m","message":"s"}`,
		},
		"time on the second": {
			record: record.Record{Origin: nowhere, TimeMillis: 1_700_000_000_000},
			want:   `{"time":"2023-11-14T22:13:20.000Z","message":""}`,
		},
		"fraction with leading zeros": {
			record: record.Record{Origin: nowhere, TimeMillis: 1_700_000_000_009},
			want:   `{"time":"2023-11-14T22:13:20.009Z","message":""}`,
		},
		"time before 1970": {
			record: record.Record{Origin: nowhere, TimeMillis: -1},
			want:   `{"time":"1969-12-31T23:59:59.999Z","message":""}`,
		},
		"last time that RFC 3339 can write": {
			record: record.Record{Origin: nowhere, TimeMillis: 253_402_300_799_999},
			want:   `{"time":"9999-12-31T23:59:59.999Z","message":""}`,
		},
		"time beyond it is left out": {
			record: record.Record{Origin: nowhere, TimeMillis: 253_402_300_800_000},
			want:   `{"message":""}`,
		},
		"first time that RFC 3339 can write": {
			record: record.Record{Origin: nowhere, TimeMillis: -62_167_219_200_000},
			want:   `{"time":"0000-01-01T00:00:00.000Z","message":""}`,
		},
		"time before it is left out": {
			record: record.Record{Origin: nowhere, TimeMillis: -62_167_219_200_001},
			want:   `{"message":""}`,
		},
		"event id without other coordinates": {
			record: record.Record{Origin: nowhere, EventID: record.Plain([]byte(`1"2`))},
			want:   `{"message":"","aws":{"event_id":"1\"2"}}`,
		},
		"coordinates without an event id": {
			record: record.Record{Origin: &record.Origin{Kind: record.CloudWatch, LogGroup: `g"`, Region: "eu-west-1"}},
			want:   `{"message":"","aws":{"region":"eu-west-1","log_group":"g\""}}`,
		},
		"bytes of the origin that are no UTF-8 are replaced": {
			record: record.Record{Origin: &record.Origin{
				Kind: record.CloudWatch, Host: "h\xff", Tags: record.Tags{{Key: "k\xfe", Value: "v\n"}},
			}},
			want: `{"message":"","host":"h` + "\uFFFD" + `","tags":["k` + "\uFFFD" + `:v\n"]}`,
		},
		"line breaks between tokens of a member become spaces, those in its text stay": {
			record: record.Record{Origin: nowhere, Members: []record.Member{
				{Name: []byte("a"), Value: []byte("{\n\"b\":\r\n\"c\\n\"}")},
				{Name: []byte("d"), Value: []byte("\n1\n")},
			}},
			want: `{"message":"","attrs":{"a":{ "b":  "c\n"},"d": 1 }}`,
		},
		"line of an object says where it stands": {
			record: record.Record{
				Origin: &record.Origin{
					Kind: record.S3, Owner: "123456789012", Region: "eu-west-1", Bucket: "b", Key: `a "b"/é+c.gz`, VersionID: "v1", ETag: "e1",
				},
				Offset: 9_007_199_254_740_993, Message: record.Plain([]byte("m")),
			},
			want: `{"message":"m","aws":{"account":"123456789012","region":"eu-west-1",` +
				`"s3":{"bucket":"b","key":"a \"b\"/é+c.gz","version":"v1","etag":"e1"},"offset":9007199254740993}}`,
		},
		"first line of an object has an offset, too": {
			record: record.Record{Origin: &record.Origin{Kind: record.S3, Bucket: "b", Key: "k"}},
			want:   `{"message":"","aws":{"s3":{"bucket":"b","key":"k"},"offset":0}}`,
		},
		"object in a bucket without versions": {
			record: record.Record{Origin: &record.Origin{Kind: record.S3, Bucket: "b", Key: "k", ETag: "e"}, Offset: 7, Index: 2},
			want:   `{"message":"","aws":{"s3":{"bucket":"b","key":"k","etag":"e"},"offset":7}}`,
		},
		"object's key that is no UTF-8 is mended": {
			record: record.Record{Origin: &record.Origin{Kind: record.S3, Bucket: "b", Key: "k\xff\n"}},
			want:   `{"message":"","aws":{"s3":{"bucket":"b","key":"k` + "\uFFFD" + `\n"},"offset":0}}`,
		},
		"log group that Firehose kept in an object: both, and no offset": {
			record: record.Record{
				Origin: &record.Origin{
					Kind: record.CloudWatch, LogGroup: "g", Bucket: "b", Key: "k", StreamARN: "arn:aws:firehose:eu-west-1:123456789012:deliverystream/d",
				},
				Offset: 12, EventID: record.Plain([]byte("1")),
			},
			want: `{"message":"","aws":{"log_group":"g","stream_arn":"arn:aws:firehose:eu-west-1:123456789012:deliverystream/d",` +
				`"s3":{"bucket":"b","key":"k"},"event_id":"1"}}`,
		},
		"aws left out takes object and offset along": {
			fields: map[string]string{"aws": ""},
			record: record.Record{Origin: &record.Origin{Kind: record.S3, Bucket: "b", Key: "k"}, Offset: 7},
			want:   `{"message":""}`,
		},
		"message of a queue": {
			record: record.Record{
				Origin:  &record.Origin{Kind: record.SQS, StreamARN: "arn:aws:sqs:eu-west-1:123456789012:logs", Source: "sqs"},
				EventID: record.Plain([]byte("m-1")), Message: record.Plain([]byte("m")),
			},
			want: `{"message":"m","source":"sqs","aws":{"stream_arn":"arn:aws:sqs:eu-west-1:123456789012:logs","event_id":"m-1"}}`,
		},
		"structured record is a message like any other": {
			record: record.Record{Origin: nowhere, Structured: true, Message: record.Plain([]byte(`{"id":"1"}`))},
			want:   `{"message":"{\"id\":\"1\"}"}`,
		},
		"line saved from a damaged envelope is marked": {
			record: record.Record{Origin: nowhere, Marks: record.BrokenEnvelope},
			want:   `{"message":"","marks":["broken_envelope"]}`,
		},
		"repaired text is marked": {
			record: record.Record{Origin: nowhere, Marks: record.UTF8Repaired},
			want:   `{"message":"","marks":["utf8_repaired"]}`,
		},
		"mark without a name is an empty list": {
			record: record.Record{Origin: nowhere, Marks: 1 << 7},
			want:   `{"message":"","marks":[]}`,
		},
		"numbered piece": {
			record: record.Record{Origin: nowhere, Marks: record.Chunked, Part: 2, Parts: 3},
			want:   `{"message":"","marks":["chunked"],"part":2,"parts":3}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := withoutID()
			maps.Copy(o.Fields, tc.fields)
			d := newDestination(t, o)
			got := string(d.Append([]byte("before"), &tc.record))
			assert.Equal(t, "before"+tc.want, got)
			assert.True(t, json.Valid([]byte(strings.TrimPrefix(got, "before"))))
		})
	}
}

// Origins come and come again, and some more than are remembered.
func TestAppendKeepsOriginsApart(t *testing.T) {
	origins := make([]*record.Origin, 200)
	for i := range origins {
		origins[i] = &record.Origin{Kind: record.CloudWatch, Host: "h" + strconv.Itoa(i)}
	}
	d := newDestination(t, withoutID())
	for range 2 {
		for i, o := range origins {
			for _, pair := range []struct {
				origin *record.Origin
				host   int
			}{{o, i}, {origins[0], 0}, {o, i}} {
				item := d.Append(nil, &record.Record{Origin: pair.origin})
				require.Equal(t, `{"message":"","host":"h`+strconv.Itoa(pair.host)+`"}`, string(item))
			}
		}
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	d := newDestination(t, options())
	records := sample()
	var buf []byte
	round := func() {
		buf = buf[:0]
		for i := range records {
			buf = d.Append(buf, &records[i])
		}
	}
	round()
	assert.Zero(t, testing.AllocsPerRun(100, round))
}

// item is what a reader makes of one.
type item struct {
	ID      string         `json:"id"`
	Time    string         `json:"time"`
	Message *string        `json:"message"`
	Host    string         `json:"host"`
	AWS     map[string]any `json:"aws"`
	Attrs   map[string]any `json:"attrs"`
	Marks   []string       `json:"marks"`
}

func FuzzAppend(f *testing.F) {
	f.Add([]byte(`{"a":"b"}`), true, []byte("1"), int64(1_700_000_000_123), "name", []byte("{\n\"b\": [1e999]\n}"), "h",
		uint8(0))
	f.Add([]byte("é\xff\x00\n\u2028"), false, []byte{}, int64(0), "", []byte("no JSON"), "\xff\"", uint8(7))
	f.Add([]byte(`\`), true, []byte(`"`), int64(-1), "\xff\n", []byte(`"\n"`), "", uint8(255))

	f.Fuzz(func(t *testing.T, message []byte, escaped bool, eventID []byte, millis int64, name string, value []byte,
		host string, marks uint8,
	) {
		r := record.Record{
			Origin:     &record.Origin{Kind: record.CloudWatch, Host: host},
			EventID:    record.Plain(bytes.ToValidUTF8(eventID, []byte("?"))),
			TimeMillis: millis,
			Message:    record.Plain(bytes.ToValidUTF8(message, []byte("?"))),
			Marks:      record.Marks(marks),
		}
		want := string(r.Message.Bytes)
		if escaped {
			r.Message = record.Escaped(record.AppendEscaped(nil, want))
		}
		if len(value) < 1<<10 && json.Valid(value) { // longer ones could nest deeper than encoding/json reads
			escapedName, _ := record.AppendRepaired(nil, []byte(name))
			r.Members = []record.Member{{Name: escapedName, Value: value}}
		}

		got := newDestination(t, options()).Append(nil, &r)
		require.True(t, json.Valid(got), "%q", got)
		require.NotContains(t, string(got), "\n")
		require.NotContains(t, string(got), "\r")
		var read item
		require.NoError(t, unmarshal(got, &read))
		require.NotNil(t, read.Message)
		require.Equal(t, want, *read.Message)
		require.Equal(t, string(r.AppendID(nil)), read.ID)
		require.Equal(t, r.Marks.Names(), nilIfEmpty(read.Marks))
		if utf8.ValidString(host) {
			require.Equal(t, host, read.Host)
		}
		if read.Time != "" {
			at, err := time.Parse(time.RFC3339, read.Time)
			require.NoError(t, err)
			require.Equal(t, millis, at.UnixMilli())
		}
		requireAttrs(t, &r, read.Attrs)
	})
}

// unmarshal reads JSON with numbers as they are written: any JSON number is valid, and float64 holds few of them.
func unmarshal(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(into)
}

func nilIfEmpty(names []string) []string {
	if len(names) == 0 {
		return nil
	}
	return names
}

// requireAttrs compares the members of a record with what was read of them.
func requireAttrs(t *testing.T, r *record.Record, attrs map[string]any) {
	t.Helper()
	require.Len(t, attrs, len(r.Members))
	for _, m := range r.Members {
		var want any
		require.NoError(t, unmarshal(m.Value, &want))
		got, ok := attrs[string(record.AppendUnescaped(nil, m.Name))]
		require.True(t, ok, "member %q", m.Name)
		require.Equal(t, want, got)
	}
}

func BenchmarkAppend(b *testing.B) {
	line := `{\"level\":\"info\",\"msg\":\"` + strings.Repeat("request served ", 20) + `\"}`
	r := record.Record{
		Origin:     lambdaOrigin(),
		EventID:    record.Escaped([]byte("37908012345678901234567890123456789012345678901234567890")),
		TimeMillis: 1_700_000_000_123,
		Message:    record.Escaped([]byte(line)),
	}
	for name, o := range map[string]httpjson.Options{"full": options(), "without id": withoutID()} {
		b.Run(name, func(b *testing.B) {
			d := newDestination(b, o)
			buf := d.Append(nil, &r)
			b.SetBytes(int64(len(buf)))
			b.ReportAllocs()
			for b.Loop() {
				buf = d.Append(buf[:0], &r)
			}
		})
	}
}
