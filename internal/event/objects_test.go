package event_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/event"
	"sluice/internal/ledger"
)

const (
	queue  = "arn:aws:sqs:eu-west-1:111122223333:new-objects"
	topic  = "arn:aws:sns:eu-west-1:111122223333:new-objects"
	sqsID  = "c0ffee00-0000-4000-8000-00000000000"
	snsID  = "7a1d2c3b-0000-4000-8000-000000000002"
	ruleID = "0b1d6e55-0000-4000-8000-000000000003"
)

func load(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "objects", name+".json"))
	require.NoError(tb, err)
	return data
}

// native is the object that the native notifications in testdata name.
func native(key string) event.Object {
	return event.Object{
		Bucket:      "example-access-logs",
		Key:         key,
		ETag:        "0cc175b9c0f1b6a831c399e269772661",
		Sequencer:   "0067C6E1A2B3C4D5E6",
		Region:      "eu-west-1",
		SizeBytes:   2048,
		EventName:   "ObjectCreated:Put",
		EventMillis: 1741064767089,
	}
}

// bridged is the object that the EventBridge events in testdata name.
func bridged(key string) event.Object {
	return event.Object{
		Bucket:      "example-access-logs",
		Key:         key,
		VersionID:   "v.Example_1",
		ETag:        "0cc175b9c0f1b6a831c399e269772661",
		Sequencer:   "0067C6E1A2B3C4D5E7",
		Region:      "eu-west-1",
		Account:     "111122223333",
		SizeBytes:   7,
		EventName:   "Object Created",
		EventMillis: 1741064767000,
	}
}

func created(o event.Object) event.Notice { return event.Notice{Object: o} }

func ruled(rule ledger.Rule) event.Notice { return event.Notice{Rule: rule} }

func whole(notices ...event.Notice) event.Objects {
	return event.Objects{Messages: []event.Message{{Notices: notices}}}
}

// queued is a batch of one message.
func queued(notices ...event.Notice) event.Objects {
	return event.Objects{Partial: true, Messages: []event.Message{message(1, notices...)}}
}

func message(n int, notices ...event.Notice) event.Message {
	return event.Message{ID: fmt.Sprint(sqsID, n), ReceiveCount: 1, QueueARN: queue, Notices: notices}
}

func sqsText(n int, text string) event.Notice {
	return event.Notice{Text: []byte(text), Source: event.Source{Kind: event.SourceSQS, ARN: queue, ID: fmt.Sprint(sqsID, n), Millis: 1741064769500}}
}

const alb = "AWSLogs/123456789012/elasticloadbalancing/eu-west-1/2025/03/04/part.log.gz"

func TestParseObjectsOfEveryRoute(t *testing.T) {
	versioned := native(alb)
	versioned.VersionID = "v.Example_1"
	deleted := native(alb)
	deleted.ETag, deleted.SizeBytes, deleted.EventName = "", -1, "ObjectRemoved:Delete"
	tagged := native(alb)
	tagged.EventName = "ObjectTagging:Put"
	gone := bridged("my app/a+b 100%25.log")
	gone.EventName = "Object Deleted"
	again := queued(created(native(alb)))
	again.Messages[0].ReceiveCount = 3
	several := queued(created(native("a.log")), created(native("b.log")),
		event.Notice{Rule: ledger.NotObjectCreated, Object: tagged})
	several.Messages[0].FIFO = true
	several.Messages[0].QueueARN += ".fifo"

	for name, want := range map[string]event.Objects{
		"s3":                  whole(created(versioned)),
		"s3-encoded-key":      whole(created(native("my app/a+b/café (copy) 100%.log"))),
		"s3-deleted":          whole(event.Notice{Rule: ledger.NotObjectCreated, Object: deleted}),
		"s3-test-event":       whole(ruled(ledger.S3TestEvent)),
		"s3-empty":            {},
		"sns-s3":              whole(created(native(alb))),
		"sns-s3-test-event":   whole(ruled(ledger.S3TestEvent)),
		"sns-text":            whole(event.Notice{Text: []byte("disk \"a\" is full\n"), Source: event.Source{Kind: event.SourceSNS, ARN: topic, ID: snsID, Millis: 1741064768250}}),
		"sns-eventbridge":     whole(created(bridged("my app/a+b 100%25.log"))),
		"sqs-s3":              again,
		"sqs-s3-several":      several,
		"sqs-s3-test-event":   queued(ruled(ledger.S3TestEvent)),
		"sqs-sns-s3":          queued(created(native("my app/a+b.log"))),
		"sqs-sns-raw-s3":      queued(created(native(alb))),
		"sqs-eventbridge":     queued(created(bridged("my app/a+b 100%25.log"))),
		"sqs-text":            {Partial: true, Messages: []event.Message{message(1, sqsText(1, "plain words")), message(2, sqsText(2, `{"level":"info","msg":"tab\there"}`))}},
		"eventbridge":         whole(created(bridged("my app/a+b 100%25.log"))),
		"eventbridge-deleted": whole(event.Notice{Rule: ledger.NotObjectCreated, Object: gone}),
		"eventbridge-guardduty": whole(event.Notice{
			Text:   load(t, "eventbridge-guardduty"),
			Source: event.Source{Kind: event.SourceEventBridge, ID: ruleID, Millis: 1741064767000, EventSource: "aws.guardduty", DetailType: "GuardDuty Finding"},
		}),
	} {
		t.Run(name, func(t *testing.T) {
			payload := load(t, name)
			assert.False(t, event.IsBatchJob(payload))
			got, err := event.ParseObjects(payload)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}

func TestParseObjectsOfAMixedBatch(t *testing.T) {
	got, err := event.ParseObjects(load(t, "sqs-mixed"))
	require.NoError(t, err)
	assert.True(t, got.Partial)
	require.Len(t, got.Messages, 6)
	assert.Equal(t, message(1, created(native("one.log"))), got.Messages[0])
	assert.Equal(t, message(2, ruled(ledger.S3TestEvent)), got.Messages[1])
	assert.Equal(t, message(3, created(bridged("two.log"))), got.Messages[2])
	assert.Equal(t, message(4, sqsText(4, "not a notification")), got.Messages[3])
	assert.Equal(t, message(6), got.Messages[5], "no records in a body ask for nothing")

	bad := got.Messages[4].Notices
	require.Len(t, bad, 2)
	require.EqualError(t, bad[0].Err, "Records[4]: Records[0]: the bucket has no name")
	assert.True(t, json.Valid(bad[0].Raw))
	assert.Contains(t, string(bad[0].Raw), `"bucket":{}`)
	assert.Equal(t, created(native("three.log")), bad[1], "the neighbour is not touched")
}

func TestNativeRecord(t *testing.T) {
	for name, tc := range map[string]struct {
		record string // %s stands for a bucket
		want   string // what tell says of the notice
	}{
		"key with spaces":                      {record: s3Doc(`"key":"a+b%20c"`), want: "s3://logs/a b c"},
		"key with an encoded plus":             {record: s3Doc(`"key":"a%2Bb"`), want: "s3://logs/a+b"},
		"key with an encoded percent sign":     {record: s3Doc(`"key":"a%2525b"`), want: "s3://logs/a%25b"},
		"key with an encoded equals sign":      {record: s3Doc(`"key":"year%3D2025/x"`), want: "s3://logs/year=2025/x"},
		"key with an encoded colon":            {record: s3Doc(`"key":"redshift_%3A.gz"`), want: "s3://logs/redshift_:.gz"},
		"key with two slashes":                 {record: s3Doc(`"key":"//a//b"`), want: "s3://logs///a//b"},
		"key with other scripts":               {record: s3Doc(`"key":"%E6%97%A5%E6%9C%AC.log"`), want: "s3://logs/日本.log"},
		"key with a bad escape is as it is":    {record: s3Doc(`"key":"100%+b%2"`), want: "s3://logs/100%+b%2"},
		"key with JSON escapes":                {record: s3Doc(`"key":"a\u002fb\/c"`), want: "s3://logs/a/b/c"},
		"key with dots":                        {record: s3Doc(`"key":"../../a"`), want: "s3://logs/../../a"},
		"key of 1024 bytes":                    {record: s3Doc(`"key":"` + strings.Repeat("%20", 1024) + `"`), want: "s3://logs/" + strings.Repeat(" ", 1024)},
		"key of 1025 bytes":                    {record: s3Doc(`"key":"` + strings.Repeat("+", 1025) + `"`), want: "Records[0]: the object's key has 1025 bytes: S3 allows 1024"},
		"folder marker":                        {record: s3Doc(`"key":"a/","size":0`), want: "s3://logs/a/ 0 bytes"},
		"size as a string":                     {record: s3Doc(`"key":"a","size":"12"`), want: "s3://logs/a 12 bytes"},
		"size that is no number":               {record: s3Doc(`"key":"a","size":{}`), want: "s3://logs/a"},
		"size below zero":                      {record: s3Doc(`"key":"a","size":-5`), want: "s3://logs/a"},
		"no key":                               {record: s3Doc(`"size":1`), want: "Records[0]: the object has no key"},
		"empty key":                            {record: s3Doc(`"key":""`), want: "Records[0]: the object has no key"},
		"null key":                             {record: s3Doc(`"key":null`), want: "Records[0]: the object has no key"},
		"s3: before the event's name":          {record: `{"eventName":"s3:ObjectCreated:Post","s3":{"bucket":{"name":"logs"},"object":{"key":"k"}}}`, want: "s3://logs/k"},
		"no event name":                        {record: `{"s3":{"bucket":{"name":"logs"},"object":{"key":"k"}}}`, want: "Records[0]: eventName is missing: it may tell of a new object"},
		"unknown event name":                   {record: `{"eventName":"ObjectAdmired:Twice","s3":{"bucket":{"name":"logs"},"object":{"key":"k"}}}`, want: "not_object_created"},
		"event name that only looks like it":   {record: `{"eventName":"ObjectCreated","s3":{"bucket":{"name":"logs"},"object":{"key":"k"}}}`, want: "not_object_created"},
		"another event without a key":          {record: `{"eventName":"ReducedRedundancyLostObject","s3":{"bucket":{"name":"logs"}}}`, want: "not_object_created"},
		"no bucket":                            {record: `{"eventName":"ObjectCreated:Put","s3":{"object":{"key":"k"}}}`, want: `Records[0]: s3: members are [object]: expected "bucket" and "object"`},
		"bucket null":                          {record: `{"eventName":"ObjectCreated:Put","s3":{"bucket":null,"object":{"key":"k"}}}`, want: `Records[0]: s3: bucket: json at byte 0 of 4: expected an object`},
		"object is a text":                     {record: `{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"logs"},"object":"secret"}}`, want: `Records[0]: s3: object: json at byte 0 of 8: expected an object`},
		"no s3, but S3 has sent it":            {record: `{"eventName":"ObjectCreated:Put","eventSource":"aws:s3"}`, want: "Records[0]: s3: json at byte 0 of 0: expected an object"},
		"members AWS may add":                  {record: `{"eventVersion":"9.9","new":[{}],"eventName":"ObjectCreated:Put","s3":{"x":null,"bucket":{"name":"logs","y":1},"object":{"z":[],"key":"k"}}}`, want: "s3://logs/k"},
		"bucket of two characters":             {record: s3In("ab"), want: `Records[0]: bucket name "ab" of 2 bytes is none that S3 allows`},
		"bucket of three characters":           {record: s3In("a.1"), want: "s3://a.1/k"},
		"bucket of old with upper case":        {record: s3In("Old_Bucket"), want: "s3://Old_Bucket/k"},
		"bucket of old with 255 characters":    {record: s3In(strings.Repeat("b", 255)), want: "s3://" + strings.Repeat("b", 255) + "/k"},
		"bucket that would leave the host":     {record: s3In("a/../b@evil.example.com"), want: `Records[0]: bucket name "a/../b@evil.example.com" of 23 bytes is none that S3 allows`},
		"bucket that would break a log line":   {record: s3In(`a\nb\u202e`), want: `Records[0]: bucket name "a\nb\u202e" of 6 bytes is none that S3 allows`},
		"bucket name that would flood the log": {record: s3In(strings.Repeat("b", 256)), want: `Records[0]: bucket name "` + strings.Repeat("b", 80) + `" of 256 bytes is none that S3 allows`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := event.ParseObjects(fmt.Appendf(nil, `{"Records":[%s,%s]}`, tc.record, s3In("neighbour")))
			require.NoError(t, err)
			require.Len(t, got.Messages, 1)
			notices := got.Messages[0].Notices
			require.Len(t, notices, 2)
			assert.Equal(t, tc.want, tell(&notices[0]))
			assert.Equal(t, notices[0].Err != nil, notices[0].Raw != nil)
			assert.Equal(t, "s3://neighbour/k", tell(&notices[1]))
		})
	}
}

// s3Doc is a native record with these members of its object.
func s3Doc(object string) string {
	return `{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"logs"},"object":{` + object + `}}}`
}

func s3In(bucket string) string {
	return `{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"` + bucket + `"},"object":{"key":"k"}}}`
}

// tell writes a notice in a line.
func tell(n *event.Notice) string {
	switch {
	case n.Err != nil:
		return n.Err.Error()
	case n.Rule != "":
		return string(n.Rule)
	case n.Text != nil:
		return string(n.Source.Kind) + " text " + string(n.Text)
	case n.Object.SizeBytes >= 0:
		return fmt.Sprintf("s3://%s/%s %d bytes", n.Object.Bucket, n.Object.Key, n.Object.SizeBytes)
	default:
		return fmt.Sprintf("s3://%s/%s", n.Object.Bucket, n.Object.Key)
	}
}

func TestETagLosesItsQuotes(t *testing.T) {
	got, err := event.ParseObjects([]byte(`{"Records":[` + s3Doc(`"key":"k","eTag":"\"abc-2\"","versionId":null`) + `]}`))
	require.NoError(t, err)
	assert.Equal(t, "abc-2", got.Messages[0].Notices[0].Object.ETag)
	assert.Empty(t, got.Messages[0].Notices[0].Object.VersionID)
}

func TestRegionAndAccountAndTime(t *testing.T) {
	for name, tc := range map[string]struct {
		region, account, time string
		want                  event.Object
	}{
		"commercial region":          {region: "ap-southeast-4", want: event.Object{Region: "ap-southeast-4"}},
		"government region":          {region: "us-gov-west-1", want: event.Object{Region: "us-gov-west-1"}},
		"sovereign region":           {region: "eusc-de-east-1", want: event.Object{Region: "eusc-de-east-1"}},
		"a host name":                {region: "evil.example.com/x-1"},
		"no digit":                   {region: "eu-west-"},
		"two digits":                 {region: "eu-west-12"},
		"upper case":                 {region: "EU-WEST-1"},
		"too few words":              {region: "eu-1"},
		"an empty word":              {region: "eu--1"},
		"a long word":                {region: "eu-" + strings.Repeat("w", 40) + "-1"},
		"twelve digits":              {account: "111122223333", want: event.Object{Account: "111122223333"}},
		"account of eleven digits":   {account: "11112222333"},
		"account with a letter":      {account: "11112222333x"},
		"time with a fraction":       {time: "2025-03-04T05:06:07.089Z", want: event.Object{EventMillis: 1741064767089}},
		"time without a fraction":    {time: "2025-03-04T05:06:07Z", want: event.Object{EventMillis: 1741064767000}},
		"time with an offset":        {time: "2025-03-04T06:06:07+01:00", want: event.Object{EventMillis: 1741064767000}},
		"region with a digit inside": {region: "eu-w3st-1"},
		"first word too long":        {region: "europe-west-1"},
		"time that is none":          {time: "yesterday"},
		"time long before the disk":  {time: "0001-01-01T00:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			payload := fmt.Appendf(nil, `{"source":"aws.s3","detail-type":"Object Created","region":%q,"account":%q,"time":%q,`+
				`"detail":{"bucket":{"name":"logs"},"object":{"key":"k"}}}`, tc.region, tc.account, tc.time)
			got, err := event.ParseObjects(payload)
			require.NoError(t, err)
			tc.want.Bucket, tc.want.Key, tc.want.SizeBytes, tc.want.EventName = "logs", "k", -1, "Object Created"
			assert.Equal(t, whole(created(tc.want)), got)
		})
	}
}
