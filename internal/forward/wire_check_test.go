package forward

import (
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/config"
)

// called makes a check of the first destination's name.
func called(want string) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		assert.Equal(t, want, r.lanes[0].sender.Destination().ID())
	}
}

// manifestOfItself lists an object that is not there.
const manifestOfItself = `{"entries":[{"url":"s3://` + logBucket + `/b.log","mandatory":true}]}`

// objectLines makes a check of how many lines an object becomes and, if they are given, of which keys are asked for.
func objectLines(key, body string, want int, asked ...string) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		_, ledger, _ := r.invoke(t, S3, inQueue(native(r.s3.put(logBucket, key, []byte(body)))))
		assert.Equal(t, want, ledger.Destinations["archive"].Delivered)
		var got []string
		for _, get := range r.s3.gets {
			got = append(got, get.Key)
		}
		if len(asked) > 0 {
			assert.Equal(t, asked, got)
		}
	}
}

// refusesOwner checks that lines of our own account are not taken.
func refusesOwner(t *testing.T, r *rig) {
	t.Helper()
	_, ledger, err := r.invoke(t, CloudWatch, direct(packed(t, document(t, "x"))))
	require.NoError(t, err)
	assert.Equal(t, tally{"not_allowed_source": 1}, ledger.Destinations["archive"].Dropped)
}

// parkedAt makes a check of where an object is noted that cannot be read.
func parkedAt(bucket, owner, prefix string) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		_, _, err := r.invoke(t, S3, []byte(native(r.s3.put(logBucket, "a", []byte("PAR1\x15\x04..PAR1")))))
		require.NoError(t, err)
		require.Len(t, r.s3.parked, 1)
		assert.Equal(t, []string{bucket, owner}, []string{r.s3.parked[0].Bucket, r.s3.parked[0].Owner})
		assert.True(t, strings.HasPrefix(r.s3.parked[0].Key, prefix), r.s3.parked[0].Key)
	}
}

// encryptedWith makes a check of the key that what is parked is encrypted with.
func encryptedWith(want string) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		parkedAt("kept", ownAccount, "sluice/v1/dead/archive/parquet/")(t, r)
		assert.Equal(t, want, r.s3.objects["kept/"+r.s3.parked[0].Key].kmsKey)
	}
}

// unread makes a check of what becomes of an event that cannot be read: an error, or nothing but that it is kept.
func unread(want string) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		_, _, err := r.invoke(t, CloudWatch, []byte(`{"awslogs":{"data":"****"}}`))
		kept := r.s3.keysBelow("sluice/v1/dead-raw/cwl/")
		if want == "" {
			require.NoError(t, err)
			assert.Len(t, kept, 1)
			return
		}
		require.ErrorContains(t, err, want)
		assert.Empty(t, kept)
	}
}

// continuedBy makes a check of how many messages hand on the rest of an object that there is no time for.
func continuedBy(want int) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		r.Forwarder.now = time.Now
		o := r.s3.put(logBucket, "a.log", nil)
		o.hangs, o.Size = true, 1000
		_, _, _ = r.invokeWithin(within(t, 10*time.Second), t, S3, []byte(native(o)))
		assert.Len(t, r.sqs.take(), want)
	}
}

// waitsInQueue makes a check of the receive from which on an object that cannot be read is parked.
func waitsInQueue(want int) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		r.s3.refuse = always(errForbidden)
		o := r.s3.lines("a.log", "x")
		for receive := 1; receive <= want; receive++ {
			assert.Empty(t, r.s3.parked)
			answer, _, err := r.invoke(t, S3, receivedFor(receive, native(o)))
			require.NoError(t, err)
			assert.Equal(t, receive < want, answer != allTaken)
		}
		assert.Len(t, r.s3.parked, 1)
	}
}

// trailItem makes a check of the item of a CloudTrail record.
func trailItem(part string) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		_, _, err := r.invoke(t, S3, []byte(native(r.s3.put(logBucket, trailKey, []byte(`{"Records":[`+trailCall("A")+`]}`)))))
		require.NoError(t, err)
		assert.Contains(t, string(r.intake.got[0].body), part)
	}
}

// streamed makes a check of what a line in a delivery stream becomes: how it starts, and what is said beside it.
func streamed(start, metadata string) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		answer, _, err := r.invoke(t, Firehose, []byte(`{"deliveryStreamArn":"arn:aws:firehose:eu-west-1:123456789012:deliverystream/logs",
			"records":[{"recordId":"1","data":"YSBsaW5l"}]}`))
		require.NoError(t, err)
		var got struct {
			Records []struct {
				Result   string
				Data     []byte
				Metadata json.RawMessage
			}
		}
		require.NoError(t, json.Unmarshal([]byte(answer), &got))
		require.Len(t, got.Records, 1)
		assert.Equal(t, "Ok", got.Records[0].Result)
		assert.True(t, strings.HasPrefix(string(got.Records[0].Data), start), "%s", got.Records[0].Data)
		assert.Equal(t, metadata, string(got.Records[0].Metadata))
	}
}

// coarse makes a check of the source of a group that RDS writes.
func coarse(want string) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		_, _, err := r.invoke(t, CloudWatch, direct(packed(t, documentOf(t, "DATA_MESSAGE", "/aws/rds/instance/shop/postgresql", "x"))))
		require.NoError(t, err)
		assert.Contains(t, string(r.intake.got[0].body), `"ddsource":"`+want+`"`)
	}
}

func TestEverySettingIsWired(t *testing.T) {
	shown := map[string]bool{}
	all := rows()
	maps.Copy(all, processingRows())
	for name, row := range all {
		for field := range strings.FieldsSeq(row.field) {
			shown[field] = true
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { row.check(t, newRig(t, row.document)) })
		})
	}
	for prefix, of := range map[string]reflect.Type{
		"":             reflect.TypeFor[config.Config](),
		"Destination.": reflect.TypeFor[config.Destination](),
		"Datadog.":     reflect.TypeFor[config.Datadog](),
		"HTTP.":        reflect.TypeFor[config.HTTP](),
	} {
		for _, field := range reflect.VisibleFields(of) {
			assert.True(t, shown[prefix+field.Name], "no row shows what %s%s does", prefix, field.Name)
		}
	}
}

// become makes a check of what lines become.
func become(lines []string, want ...string) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		_, _, err := r.invoke(t, CloudWatch, direct(packed(t, document(t, lines...))))
		require.NoError(t, err)
		assert.Equal(t, append([]string{}, want...), r.intake.messages(t, archiveHost))
	}
}
