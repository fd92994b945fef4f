package forward

import (
	"encoding/base64"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/park"
)

// unreadable is input of which a part cannot be read.
type unreadable struct {
	handler func(*Forwarder) Handler
	event   []byte
	entry   string
	raw     []byte // what is kept
	reason  string
	lines   []string // of what can be read
	back    string   // the answer when it is not kept; empty: an error
}

func unreadables(t *testing.T) map[string]unreadable {
	t.Helper()
	gz := packed(t, document(t, numbered(50)...))
	half := stored(t, document(t, numbered(50)...))
	half = half[:len(half)/2]
	bomb := packed(t, document(t, strings.Repeat("x", 1<<21)))
	badMessage := `{"Records":[{"eventSource":"aws:s3","s3":"` + canary + `"}]}`
	good, broken1 := base64.StdEncoding.EncodeToString([]byte("good")), "****"+canary
	return map[string]unreadable{
		"CloudWatch Logs, no base64":     {CloudWatch, []byte(`{"awslogs":{"data":"****` + canary + `"}}`), "cwl", nil, "decode", nil, ""},
		"CloudWatch Logs, breaks off":    {CloudWatch, direct(half), "cwl", nil, "decode", numbered(50), ""},
		"CloudWatch Logs, bad checksum":  {CloudWatch, direct(broken(gz, -8)), "cwl", nil, "decode", numbered(50), ""},
		"CloudWatch Logs, bomb":          {CloudWatch, direct(bomb), "cwl", nil, "decode_bomb", nil, ""},
		"CloudWatch Logs, another event": {CloudWatch, []byte(`{"x":1}`), "cwl", nil, "decode", nil, ""},
		"CloudWatch Logs, no JSON":       {CloudWatch, []byte(canary), "cwl", nil, "decode", nil, ""},
		"Kinesis, one record of three":   {Kinesis, batchOf([]byte("a"), half[:30], []byte("b")), "kinesis", half[:30], "decode", []string{"a", "b"}, from(1)},
		"Kinesis, the first record":      {Kinesis, batchOf(half[:30], []byte("a"), []byte("b")), "kinesis", half[:30], "decode", []string{"a", "b"}, ""},
		"Kinesis, the last record":       {Kinesis, batchOf([]byte("a"), []byte("b"), half[:30]), "kinesis", half[:30], "decode", []string{"a", "b"}, from(2)},
		"Kinesis, a record's own bomb":   {Kinesis, batchOf([]byte("a"), bomb, []byte("b")), "kinesis", bomb, "decode_bomb", []string{"a", "b"}, from(1)},
		"Kinesis, no base64":             {Kinesis, batchOfTexts(good, broken1, good), "kinesis", []byte(broken1), "decode", []string{"good", "good"}, from(1)},
		"Kinesis, an aggregate":          {Kinesis, batchOf([]byte("a"), aggregate([]byte("b"), half[:30]), []byte("c")), "kinesis", aggregate([]byte("b"), half[:30]), "decode", []string{"a", "b", "c"}, from(1)},
		"Kinesis, no JSON":               {Kinesis, []byte(canary), "kinesis", nil, "decode", nil, ""},
		"SQS, one message of three": {
			S3, inQueue(native(&s3Object{Bucket: logBucket, Key: "a.log", Size: 4}), badMessage, native(&s3Object{Bucket: logBucket, Key: "b.log", Size: 4})), "s3", []byte(`{"eventSource":"aws:s3","s3":"` + canary + `"}`), "decode",
			[]string{"in a", "in b"},
			failedMessages(1),
		},
		"SQS, a continuation of tomorrow": {S3, inQueue(`{"sluice":"continue","v":9}`), "s3", []byte(`{"sluice":"continue","v":9}`), "decode", nil, failedMessages(0)},
		"S3, no JSON":                     {S3, []byte(`{"Records":[` + canary), "s3", nil, "decode", nil, ""},
	}
}

const keepingRaw = `{park_bucket: example-parked, max_inflated_bytes: 1MiB, destinations: [
	{id: a, type: http, url: "https://a.example.com/"}, {id: b, type: http, url: "https://b.example.com/"}]}`

// Input that cannot be read is kept as it came, and is done with: it costs its neighbours nothing, and blocks nothing.
func TestDeadRaw(t *testing.T) {
	for name, tc := range unreadables(t) {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, keepingRaw)
			r.s3.lines("a.log", "in a")
			r.s3.lines("b.log", "in b")
			answer, ledger, err := r.invoke(t, tc.handler, tc.event)
			require.NoError(t, err)
			assert.Contains(t, []string{"null", allTaken}, answer)
			assert.Empty(t, ledger.Error)
			for _, id := range []string{"a", "b"} {
				got := r.intake.taken(t, hostOfLane(id))
				if len(tc.lines) > 10 { // a part of them
					assert.NotEmpty(t, got)
					assert.Equal(t, tc.lines[:len(got)], got)
				} else {
					assert.Equal(t, tc.lines, got)
				}
				assert.Equal(t, tally{tc.reason: 1}, ledger.Destinations[id].Parked)
				assert.Equal(t, len(got), ledger.Destinations[id].Delivered)
			}
			kept := r.rawBelow(t, "")
			require.Len(t, kept, 1, "once, for all destinations")
			assert.Equal(t, []string{tc.entry, tc.reason, requestID}, []string{kept[0].Entry, kept[0].Reason.Code, kept[0].RequestID})
			assert.Equal(t, start, kept[0].At)
			assert.NotContains(t, kept[0].Reason.Message, canary)
			if tc.raw == nil {
				tc.raw = tc.event
			}
			assert.Equal(t, string(tc.raw), string(kept[0].Payload), "as it came")
			key := r.s3.keysBelow("sluice/v1/dead-raw/")[0]
			assert.Equal(t, "fwd-state=dead-raw", r.s3.objects[parkBucket+"/"+key].tag)

			// The same again is kept once.
			_, _, err = r.invoke(t, tc.handler, tc.event)
			require.NoError(t, err)
			assert.Len(t, r.rawBelow(t, ""), 1)
		})
	}
}

// Where it is not to be kept, or cannot be, it goes back to its owner as if there were no place for it.
func TestDeadRawIsReturned(t *testing.T) {
	for name, tc := range unreadables(t) {
		for why, change := range map[string]func(r *rig){
			"switched off":       nil,
			"nothing is parked":  nil,
			"the bucket is gone": func(r *rig) { r.s3.refusePut = errNoBucket },
		} {
			t.Run(name+", "+why, func(t *testing.T) {
				settings := map[string]string{
					"switched off": with("dead_raw: false", keepingRaw), "nothing is parked": strings.Replace(keepingRaw, "park_bucket: example-parked, ", "", 1),
					"the bucket is gone": keepingRaw,
				}[why]
				r := newRig(t, settings)
				if change != nil {
					change(r)
				}
				r.s3.lines("a.log", "in a")
				r.s3.lines("b.log", "in b")
				answer, ledger, err := r.invoke(t, tc.handler, tc.event)
				if tc.back == "" {
					require.Error(t, err)
				} else {
					require.NoError(t, err)
					assert.JSONEq(t, tc.back, answer)
				}
				for id := range ledger.Destinations {
					assert.Equal(t, tally{tc.reason: 1}, ledger.Destinations[id].Returned)
					assert.Empty(t, ledger.Destinations[id].Parked)
				}
				assert.Empty(t, r.rawBelow(t, ""))
			})
		}
	}
}

// A panic says nothing about the input: it may be read at another attempt, so it goes back.
func TestPanicIsNotDeadRaw(t *testing.T) {
	for entry, h := range handlers(t) {
		t.Run(entry, func(t *testing.T) {
			r := newRig(t, parkingBoth)
			breakLane(r, panicking{at: "line 1", value: "boom " + canary})
			_, ledger, err := r.invoke(t, h.handler, h.event)
			require.ErrorContains(t, err, "panic")
			assert.Empty(t, r.s3.keysBelow("sluice/v1/dead-raw/"))
			assert.Empty(t, r.s3.keysBelow("sluice/v1/pending/"))
			for id, c := range ledger.Destinations {
				assert.Positive(t, c.Returned["panic"], id)
			}
		})
	}
}

// What there was no time to read is not what cannot be read.
func TestDeadlineIsNotDeadRaw(t *testing.T) {
	for entry, h := range handlers(t) {
		t.Run(entry, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, parkingBoth).ticking()
				ctx := within(t, time.Second)
				time.Sleep(2 * time.Second)
				_, ledger, _ := r.invokeWithin(ctx, t, h.handler, h.event)
				assert.Empty(t, r.s3.keysBelow("sluice/v1/"))
				assert.Positive(t, sum(ledger.Destinations["archive"].Returned))
			})
		})
	}
}

// Several records of a batch that cannot be read are kept one by one, and the shard goes on.
func TestDeadRawRecords(t *testing.T) {
	r := newRig(t, keepingRaw)
	var records [][]byte
	for i := range 20 {
		records = append(records, []byte{0x1f, 0x8b, byte(i)}, []byte("line"))
	}
	answer, ledger, err := r.invoke(t, Kinesis, batchOf(records...))
	require.NoError(t, err)
	assert.JSONEq(t, allTaken, answer)
	assert.Equal(t, tally{"decode": 20}, ledger.Destinations["a"].Parked)
	assert.Equal(t, 20, ledger.Destinations["b"].Delivered)
	assert.Len(t, r.rawBelow(t, park.EntryKinesis), 20)
}
