package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/notify"
	"sluice/e2e/stack/owner"
)

const otherAccount = "111122223333"

// Every way an object can be announced: each object is asked for once, by what holds its content, of its owner alone.
func TestS3Routes(t *testing.T) {
	for name, send := range map[string]func(*s3Rig, stored, stored){
		"S3 itself": func(r *s3Rig, a, b stored) { r.event(notify.Native(a.Object, b.Object), a, b) },
		"SNS": func(r *s3Rig, a, b stored) {
			r.event(notify.SNS(now(), notify.Native(a.Object), notify.Native(b.Object)), a, b)
		},
		"EventBridge": func(r *s3Rig, a, b stored) {
			r.event(notify.EventBridge(a.Object), a)
			r.event(notify.EventBridge(b.Object), b)
		},
		"SQS, both in one message": func(r *s3Rig, a, b stored) { r.message(notify.Native(a.Object, b.Object), a, b) },
		"SQS behind SNS": func(r *s3Rig, a, b stored) {
			r.message(notify.SNSBody(now(), notify.Native(a.Object, b.Object)), a, b)
		},
		"SQS behind EventBridge": func(r *s3Rig, a, b stored) {
			r.message(notify.EventBridge(a.Object), a)
			r.message(notify.EventBridge(b.Object), b)
		},
		"SQS behind SNS behind EventBridge": func(r *s3Rig, a, b stored) {
			r.message(notify.SNSBody(now(), notify.EventBridge(a.Object)), a)
			r.message(notify.SNSBody(now(), notify.EventBridge(b.Object)), b)
		},
		"S3 Batch Operations 1.0": func(r *s3Rig, a, b stored) {
			r.succeed(r.job(notify.BatchOperations1(jobInvocation, a.Object, b.Object), "1.0", a, b), a, b)
		},
		"S3 Batch Operations 2.0": func(r *s3Rig, a, b stored) {
			request := notify.BatchOperations2(jobInvocation, map[string]string{"reason": "backfill"}, a.Object, b.Object)
			r.succeed(r.job(request, "2.0", a, b), a, b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newS3Rig(t, setup{})
			json := r.generate.Object(50, generate.JSONLines(generate.Mixed))
			send(r, r.access("AWSLogs/a b/1+1.log.gz", 60), r.put("app/b.json", json, json.Body))

			report := r.audit()

			assert.Equal(t, 110, report.Delivered)
			assert.Zero(t, report.TotalDuplicates())
			require.Len(t, r.asked(), 2)
			for _, get := range r.gets() {
				assert.Equal(t, stack.Account, get.ExpectedOwner)
			}
			assert.Len(t, idsOfEntries(r), 110, "every line has an id of its own")
		})
	}
}

// succeed says that every task was done, and how many lines each of them has.
func (r *s3Rig) succeed(results []taskResult, objects ...stored) {
	r.t.Helper()
	for i, o := range objects {
		want := taskResult{TaskID: fmt.Sprintf("task-%d", i+1), Code: "Succeeded", Text: fmt.Sprintf("lines: %d", len(o.lines))}
		assert.Equal(r.t, want, results[i])
	}
}

func idsOfEntries(r *s3Rig) map[string]bool {
	ids := map[string]bool{}
	for _, e := range r.intake.Entries() {
		ids[e.ID] = true
	}
	return ids
}

// A batch may hold messages of every kind, several objects in each, and texts that announce nothing.
func TestS3MixedBatch(t *testing.T) {
	r := newS3Rig(t, setup{})
	var o []stored
	for i := range 7 {
		o = append(o, r.access(fmt.Sprintf("AWSLogs/%d.log.gz", i), 40))
	}
	r.message(notify.Native(o[0].Object, o[1].Object, o[2].Object), o[:3]...)
	r.message(notify.SNSBody(now(), notify.Native(o[3].Object, o[4].Object)), o[3:5]...)
	r.message(notify.EventBridge(o[5].Object), o[5])
	r.message(notify.SNSBody(now(), notify.EventBridge(o[6].Object)), o[6])
	r.message(notify.TestEvent(logBucket, now()))
	r.dropped("test", "s3_test_event")
	text := r.generate.Object(1, generate.ALB)
	r.lines = append(r.lines, text.Lines...)
	r.message(bytes.TrimSpace(text.Body), stored{id: text.ID})

	report := r.audit()

	assert.Equal(t, 7*40+1, report.Delivered)
	assert.Zero(t, report.TotalDuplicates())
	assert.Equal(t, []owner.Outcome{owner.Taken}, r.outcomes())
	assert.Len(t, r.gets(), 7)
	assert.Equal(t, map[string]int{"s3_test_event": 1}, r.drops())
}

func TestS3OddKeys(t *testing.T) {
	keys := []string{
		"a b.log", "1+1=2.log", "100%.log", "100%25/%2F%2f.log", "naïve/日本語/🚚.log", "year=2026/month=02/x.log",
		"a&b?c#d;e,f@g!h'i(j)*k~l.log", `back\slash"quote".log`, "+", "%20 +%2B",
	}
	for name, announcement := range map[string]func(...notify.Object) []byte{
		"S3":                      notify.Native,
		"EventBridge":             func(o ...notify.Object) []byte { return notify.EventBridge(o[0]) },
		"SNS":                     func(o ...notify.Object) []byte { return notify.SNSBody(now(), notify.Native(o...)) },
		"S3 Batch Operations 1.0": nil,
	} {
		t.Run(name, func(t *testing.T) {
			r := newS3Rig(t, setup{})
			for _, key := range keys {
				o := r.access(key, 5)
				if announcement == nil {
					r.succeed(r.job(notify.BatchOperations1(jobInvocation, o.Object), "1.0", o), o)
					continue
				}
				r.message(announcement(o.Object), o)
			}

			report := r.audit()

			assert.Equal(t, 5*len(keys), report.Delivered)
			assert.Zero(t, report.TotalDuplicates())
			for _, key := range keys {
				assert.Len(t, r.s3.RequestsOf(logBucket, key), 1, key)
			}
		})
	}
}

// In a bucket with versions it is the announced one that is read, whatever came after it.
func TestS3Versions(t *testing.T) {
	r := newS3Rig(t, setup{versioned: true})
	first, second, third := r.access("same.log", 30), r.access("same.log", 40), r.access("same.log", 50)
	r.announce(first, second)
	r.message(notify.EventBridge(third.Object), third)
	require.NoError(t, r.s3.Delete(t.Context(), logBucket, "same.log"))

	report := r.audit()

	assert.Equal(t, 120, report.Delivered)
	assert.Zero(t, report.TotalDuplicates())
	assert.Len(t, idsOfEntries(r), 120, "ids of one version are not those of another")
	for i, get := range r.gets() {
		assert.Equal(t, r.stored[i].VersionID, get.VersionID)
	}
}

// What brings no object is dropped by a rule that has a name, and nothing is asked of S3.
func TestS3NothingToRead(t *testing.T) {
	some := notify.Object{Bucket: logBucket, Key: "a.log", Size: 10, ETag: strings.Repeat("0", 32), Sequencer: "01", Time: now()}
	folder, empty, parked, failed := some, some, some, some
	folder.Key, folder.Size = "app/", 0
	empty.Size = 0
	parked.Bucket, parked.Key = parkBucket, parkRoot+"dead/datadog/corrupt/2026/02/01/A.a01.jsonl.gz"
	failed.Bucket, failed.Key = parkBucket, "aws/lambda/async/sluice-s3/2026/02/01/x"
	stranger, elsewhere := some, some
	stranger.Bucket, elsewhere.Bucket = "example-secrets", "arn:aws:s3:eu-west-1:"+otherAccount+":accesspoint/x"
	for name, tc := range map[string]struct {
		body []byte
		rule string
	}{
		"a test event":            {notify.TestEvent(logBucket, now()), "s3_test_event"},
		"a delete":                {notify.Removed(some), "not_object_created"},
		"a delete by EventBridge": {notify.EventBridgeRemoved(some), "not_object_created"},
		"a restore":               {notify.Named("ObjectRestore:Completed", some), "not_object_created"},
		"a folder":                {notify.Native(folder), "empty_line"},
		"an empty object":         {notify.Native(empty), "empty_line"},
		"what was parked":         {notify.Native(parked), "own_store_object"},
		"what Lambda kept":        {notify.Native(failed), "own_store_object"},
		"a bucket nobody named":   {notify.Native(stranger), "not_allowed_source"},
		"that, by EventBridge":    {notify.EventBridge(stranger), "not_allowed_source"},
		"a bucket of another account": {
			bytes.ReplaceAll(notify.EventBridge(some), []byte(stack.Account), []byte(otherAccount)), "not_allowed_source",
		},
		"no records": {[]byte(`{"Records":[]}`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newS3Rig(t, setup{env: map[string]string{"SLUICE_BUCKETS": logBucket + "," + parkBucket}})
			for _, way := range []func([]byte, ...stored){r.event, r.message} {
				way(tc.body)
				if tc.rule != "" {
					r.dropped(name, tc.rule)
				}
			}

			report := r.audit()

			assert.Empty(t, r.asked())
			assert.Zero(t, report.Delivered)
			want := map[string]int{}
			if tc.rule != "" {
				want[tc.rule] = 2
			}
			assert.Equal(t, want, r.drops())
			assert.Len(t, r.history(), 2, "nothing comes again")
		})
	}
	t.Run("an access point for a bucket", func(t *testing.T) {
		r := newS3Rig(t, setup{})
		r.message(notify.Native(elsewhere), stored{id: "forged"})
		r.lines = append(r.lines, generate.Line{Payload: "forged", EventID: "forged"})

		assert.Equal(t, 1, r.audit().DeadRaw)
		assert.Empty(t, r.gets())
	})
}

// Objects that no message says are empty: they are asked for, and that is all.
func TestS3EmptyObject(t *testing.T) {
	r := newS3Rig(t, setup{})
	for key, o := range map[string]generate.Object{"empty": {ID: "empty"}, "empty.gz": {ID: "packed"}} {
		body := o.Body
		if key == "empty.gz" {
			body = o.Gzip()
		}
		s := r.putUnlisted(key, o, body)
		results := r.job(notify.BatchOperations2(jobInvocation, nil, s.Object), "2.0", s)
		assert.Equal(t, taskResult{"task-1", "Succeeded", "lines: 0, dropped: empty_line"}, results[0])
		r.dropped(o.ID, "empty_line")
	}

	assert.Equal(t, 2, r.audit().Dropped)
	assert.Equal(t, map[string]int{"empty_line": 2}, r.drops())
}

// A bucket that changed hands is not read: S3 is told whose it has to be, and refuses.
func TestS3ForgedOwner(t *testing.T) {
	r := newS3Rig(t, setup{env: map[string]string{"SLUICE_BUCKETS": logBucket + "=" + otherAccount}})
	r.announce(r.access("a.log", 10))

	report := r.audit()

	assert.Equal(t, 10, report.Parked)
	require.Len(t, r.gets(), maxReceives-1)
	for _, get := range r.gets() {
		assert.Equal(t, otherAccount, get.ExpectedOwner)
		assert.Equal(t, http.StatusForbidden, get.Status)
	}
}

// Many small objects cost one request each, and nothing is written while all is well.
func TestS3TinyObjects(t *testing.T) {
	const objects = 300
	r := newS3Rig(t, setup{})
	for i := range objects {
		o := r.generate.Object(1+i%3, generate.JSONLines(generate.Mixed))
		r.announce(r.put(fmt.Sprintf("tiny/%03d.json", i), o, o.Body))
	}

	report := r.audit()

	assert.Equal(t, len(r.lines), report.Delivered)
	assert.Equal(t, map[audit.Class]int{}, report.Duplicates)
	assert.Len(t, r.asked(), objects)
	assert.Len(t, r.gets(), objects)
	assert.Len(t, r.objects.History, objects/10)
	assert.Len(t, r.intake.Requests(), objects/10, "the objects of a batch share their requests")
}
