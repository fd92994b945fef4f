package record

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// wantID is the definition of an id, word for word and slow.
func wantID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x1f")))
	return hex.EncodeToString(sum[:])[:32]
}

func lambdaOrigin() *Origin {
	return &Origin{
		Kind: CloudWatch, Owner: "123456789012", LogGroup: "/aws/lambda/f", LogStream: "2023/11/14/[$LATEST]abc",
		StreamARN: "arn:aws:kinesis:eu-west-1:123456789012:stream/s",
	}
}

func streamOrigin() *Origin {
	return &Origin{Kind: Kinesis, StreamARN: "arn:aws:kinesis:eu-west-1:123456789012:stream/s", LogGroup: "not a part"}
}

const (
	cloudwatchEventID = "37908012345678901234567890123456789012345678901234567890"
	kinesisEventID    = "shardId-000000000000:49590338271490256608559692538361571095921575989136588898"
)

func TestAppendID(t *testing.T) {
	for name, tc := range map[string]struct {
		record Record
		want   string
	}{
		"published vector: CloudWatch event": {
			Record{Origin: lambdaOrigin(), EventID: Escaped([]byte(cloudwatchEventID))},
			"f1209026af669fcc1af033b3fa5e5f8f",
		},
		"published vector: Kinesis record": {
			Record{Origin: streamOrigin(), EventID: Plain([]byte(kinesisEventID))},
			"db57861ea4eff84b83a7dfba72365567",
		},
		"an index tells lines of one Kinesis record apart": {
			Record{Origin: streamOrigin(), EventID: Plain([]byte(kinesisEventID)), Index: 12},
			wantID("kinesis", "arn:aws:kinesis:eu-west-1:123456789012:stream/s", kinesisEventID, "12"),
		},
		"an index tells elements of one CloudWatch event apart": {
			Record{Origin: lambdaOrigin(), EventID: Escaped([]byte(cloudwatchEventID)), Index: 3},
			wantID("cwl", "123456789012", "/aws/lambda/f", "2023/11/14/[$LATEST]abc", cloudwatchEventID, "3"),
		},
		"an escaped event id counts as it is read": {
			Record{Origin: lambdaOrigin(), EventID: Escaped([]byte(`a\"b\u00e9`))},
			wantID("cwl", "123456789012", "/aws/lambda/f", "2023/11/14/[$LATEST]abc", `a"bé`),
		},
		"neither text, time nor tags count": {
			Record{
				Origin:  lambdaOrigin().With(ParseTags("env:prod"), "shop"),
				EventID: Escaped([]byte(cloudwatchEventID)), TimeMillis: 1, Message: Plain([]byte("redacted")),
			},
			"f1209026af669fcc1af033b3fa5e5f8f",
		},
		"published vector: line of an S3 object": {
			Record{Origin: &Origin{Kind: S3, Bucket: "my-bucket", Key: "AWSLogs/a b+c.gz", VersionID: "v1abc", ETag: "not a part"}},
			"e1ac0bdc8e50bb60dddb7fdfdf0119ec",
		},
		"the ETag stands in for a version, and the event id of a line means nothing": {
			Record{
				Origin: &Origin{Kind: S3, Bucket: "b", Key: "k", ETag: "e"}, Offset: 12, Index: 3, EventID: Plain([]byte("other")),
			},
			wantID("s3", "b", "k", "e", "12", "3"),
		},
		"a message of a queue": {
			Record{Origin: &Origin{Kind: SQS, StreamARN: "arn:aws:sqs:eu-west-1:123456789012:q"}, EventID: Plain([]byte("m-1"))},
			wantID("sqs", "arn:aws:sqs:eu-west-1:123456789012:q", "m-1", "0"),
		},
		"no coordinates at all": {
			Record{Origin: &Origin{Kind: CloudWatch}},
			wantID("cwl", "", "", "", ""),
		},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, "id="+tc.want, string(tc.record.AppendID([]byte("id="))))
			assert.Equal(t, tc.want, string(tc.record.AppendID(nil)), "asked again")
		})
	}
}

func TestAppendIDOfOriginsInTurn(t *testing.T) {
	a, b := lambdaOrigin(), streamOrigin()
	for _, event := range []string{"", "1", "2", strings.Repeat("3", 200), "1"} {
		id := Plain([]byte(event))
		assert.Equal(t, wantID("cwl", a.Owner, a.LogGroup, a.LogStream, event),
			string((&Record{Origin: a, EventID: id}).AppendID(nil)))
		assert.Equal(t, wantID("kinesis", b.StreamARN, event, "0"),
			string((&Record{Origin: b, EventID: id}).AppendID(nil)))
	}
}

func TestOriginWith(t *testing.T) {
	o := lambdaOrigin()
	o.Tags, o.Service = ParseTags("env:prod"), "old"
	o.Found.Source, o.Found.Service = "lambda", "f"
	r := Record{Origin: o, EventID: Plain([]byte("1"))}
	before := string(r.AppendID(nil))

	c := o.With(ParseTags("env:test"), "new")
	c.LogStream = "other"
	assert.Equal(t, ParseTags("env:test"), c.Tags)
	assert.Equal(t, "new", c.Service)
	assert.Equal(t, o.LogGroup, c.LogGroup)
	assert.Empty(t, c.Found, "it has not been judged yet")
	assert.Equal(t, "lambda", o.Found.Source)
	assert.Equal(t, wantID("cwl", o.Owner, o.LogGroup, "other", "1"),
		string((&Record{Origin: c, EventID: r.EventID}).AppendID(nil)), "the copy hashes its own coordinates")

	assert.Equal(t, ParseTags("env:prod"), o.Tags)
	assert.Equal(t, "old", o.Service)
	assert.Equal(t, before, string(r.AppendID(nil)), "the first origin stays what it was")
}

func TestAppendIDAllocatesNothing(t *testing.T) {
	a := Record{Origin: lambdaOrigin(), EventID: Escaped([]byte(cloudwatchEventID))}
	b := Record{Origin: streamOrigin(), EventID: Plain([]byte(kinesisEventID))}
	dst := make([]byte, 0, 2*IDLen)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		dst = b.AppendID(a.AppendID(dst[:0]))
	}))
}

func BenchmarkAppendID(b *testing.B) {
	r := Record{Origin: lambdaOrigin(), EventID: Escaped([]byte(cloudwatchEventID))}
	dst := make([]byte, 0, IDLen)
	b.ReportAllocs()
	for b.Loop() {
		dst = r.AppendID(dst[:0])
	}
}

func TestAppendHexIsEncodeOfThePackage(t *testing.T) {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	for _, n := range []int{0, 1, 3, 4, 5, 16, 32, 256} {
		for start := range len(b) - n + 1 {
			assert.Equal(t, hex.EncodeToString(b[start:start+n]), string(appendHex(nil, b[start:start+n])))
		}
	}
}
