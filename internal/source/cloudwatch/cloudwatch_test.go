package cloudwatch

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

// row is a payload and what has to come out of it.
type row struct {
	payload string
	want    []string // the records before the end or the error, as line writes them
	err     string   // part of the error, with its place
}

// head is the usual header, up to the value of logEvents.
const head = `{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/aws/lambda/f","logStream":"s",` +
	`"subscriptionFilters":["to-sluice"],"logEvents":`

// document is a payload of the usual order around these events.
func document(events ...string) string { return head + `[` + strings.Join(events, ",") + `]}` }

const (
	firstEvent  = `{"id":"e1","timestamp":1700000000001,"message":"one"}`
	secondEvent = `{"id":"e2","timestamp":1700000000002,"message":"two"}`
	firstLine   = "e1@1700000000001 one"
	secondLine  = "e2@1700000000002 two"
)

// base is an origin as an entry hands it in: it knows the stream, but none of the document's coordinates.
func base() *record.Origin {
	return &record.Origin{StreamARN: "arn:aws:kinesis:eu-west-1:123456789012:stream/s", Region: "eu-west-1"}
}

// event is a record with nothing borrowed in it.
type event struct {
	origin              record.Origin
	id, message, line   string
	jsonID, jsonMessage bool // it was no string
	millis              int64
	members             []member
	repaired            bool
}

type member struct{ name, value string }

// decode reads a payload to its end and checks what holds for every record.
func decode(tb testing.TB, d *Decoder, r io.Reader) (events []event, err error) {
	tb.Helper()
	for rec, e := range d.Records(r, base()) {
		require.NoError(tb, err, "something was yielded behind an error")
		if err = e; err != nil {
			require.Nil(tb, rec)
			continue
		}
		events = append(events, eventOf(tb, rec))
	}
	return events, err
}

func eventOf(tb testing.TB, rec *record.Record) event {
	tb.Helper()
	for _, text := range []record.Text{rec.EventID, rec.Message} {
		require.True(tb, utf8.Valid(text.Bytes), "%q", text.Bytes)
		require.True(tb, json.Valid(quoted(text.AppendJSON(nil))), "%q", text.Bytes)
	}
	e := event{
		origin:      *rec.Origin,
		id:          string(rec.EventID.AppendPlain(nil)),
		message:     string(rec.Message.AppendPlain(nil)),
		jsonID:      rec.EventID.Bytes != nil && !rec.EventID.Escaped,
		jsonMessage: rec.Message.Bytes != nil && !rec.Message.Escaped,
		millis:      rec.TimeMillis,
		repaired:    rec.Marks == record.UTF8Repaired,
	}
	require.Zero(tb, rec.Marks&^record.UTF8Repaired)
	for _, m := range rec.Members {
		require.True(tb, utf8.Valid(m.Value) && json.Valid(m.Value), "%q", m.Value)
		require.True(tb, utf8.Valid(m.Name) && json.Valid(quoted(m.Name)), "%q", m.Name)
		e.members = append(e.members, member{string(m.Name), string(m.Value)})
	}
	e.line = line(e)
	return e
}

func quoted(text []byte) []byte { return append(append([]byte{'"'}, text...), '"') }

// line writes an event as `id@millis message`, then its members and its mark.
func line(e event) string {
	text := fmt.Sprintf("%s@%d %s", e.id, e.millis, e.message)
	for _, m := range e.members {
		text += " +" + m.name + "=" + m.value
	}
	if e.repaired {
		text += " (repaired)"
	}
	return text
}

func lines(events []event) []string {
	var all []string
	for _, e := range events {
		all = append(all, e.line)
	}
	return all
}

// run holds every row against a new decoder, one that has read all rows before, and one that is fed byte by byte.
func run(t *testing.T, rows map[string]row) {
	t.Helper()
	var used Decoder
	for name, tc := range rows {
		t.Run(name, func(t *testing.T) {
			for how, read := range map[string]func() ([]event, error){
				"new":         func() ([]event, error) { return decode(t, new(Decoder), strings.NewReader(tc.payload)) },
				"used":        func() ([]event, error) { return decode(t, &used, strings.NewReader(tc.payload)) },
				"byte a time": func() ([]event, error) { return decode(t, &used, iotest.OneByteReader(strings.NewReader(tc.payload))) },
			} {
				events, err := read()
				assert.Equal(t, tc.want, lines(events), how)
				if tc.err == "" {
					assert.NoError(t, err, how)
					continue
				}
				assert.ErrorContains(t, err, tc.err, how)
				var placed *Error
				assert.ErrorAs(t, err, &placed, how)
			}
		})
	}
}

func TestRecordsSamples(t *testing.T) {
	read := func(name string) []event {
		f, err := os.Open("testdata/" + name)
		require.NoError(t, err)
		defer f.Close()
		events, err := decode(t, new(Decoder), f)
		require.NoError(t, err)
		return events
	}

	lambda := read("lambda.json")
	require.Len(t, lambda, 2)
	assert.Equal(t, "38061698749219431455751001495820049367524088225485291520@1706745600220 REPORT RequestId: "+
		"6234bffe-149a-b642-81ff-2e8e376d8aff\tDuration: 46.84 ms\tBilled Duration: 47 ms\tMemory Size: 192 MB\t"+
		"Max Memory Used: 72 MB\t\n", lambda[0].line)
	assert.Equal(t, "second line\n", lambda[1].message)
	assert.Equal(t, record.Origin{
		Kind: record.CloudWatch, Owner: "111122223333", LogGroup: "/aws/lambda/orders",
		LogStream:           "2024/02/01/[$LATEST]94fa867e5374431291a7fc14e2f56ae7",
		SubscriptionFilters: []string{"to-forwarder"}, StreamARN: base().StreamARN, Region: "eu-west-1",
	}, lambda[0].origin)

	control := read("control.json")
	require.Len(t, control, 1)
	assert.True(t, control[0].origin.Control)
	assert.Equal(t, "CloudwatchLogs", control[0].origin.Owner)
	assert.Contains(t, control[0].message, "CWL CONTROL MESSAGE")

	extracted := read("extracted-fields.json")
	require.NotEmpty(t, extracted)
	require.Len(t, extracted[0].members, 1)
	assert.Equal(t, "extractedFields", extracted[0].members[0].name)
	assert.Contains(t, extracted[0].members[0].value, `"@aws.account":"`)
}

func ExampleDecoder_Records() {
	payload := `{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/aws/lambda/f","logStream":"s",
		"subscriptionFilters":["to-sluice"],"logEvents":[
		{"id":"e1","timestamp":1700000000000,"message":"say \"hi\""}, {"id":"e2","timestamp":17000000000`

	var d Decoder
	for rec, err := range d.Records(strings.NewReader(payload), &record.Origin{}) {
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Printf("%s %s\n", rec.Origin.LogGroup, rec.Message.AppendPlain(nil))
	}
	// Output:
	// /aws/lambda/f say "hi"
	// subscription payload at byte 212: unexpected end
}
