package e2e

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/notify"
	"sluice/e2e/stack/owner"
)

// An object that is not there any more is dropped, and its neighbours know nothing of it.
func TestS3ObjectGone(t *testing.T) {
	r := newS3Rig(t, setup{})
	gone := r.putUnlisted("gone.log", r.generate.Object(10, generate.ALB), []byte("gone\n"))
	require.NoError(t, r.s3.Delete(t.Context(), logBucket, gone.Key))
	r.announce(r.access("before.log", 20), gone, r.access("after.log", 30))
	r.dropped(gone.id, "source_gone")

	report := r.audit()

	assert.Equal(t, 50, report.Delivered)
	assert.Zero(t, report.TotalDuplicates())
	assert.Equal(t, map[string]int{"source_gone": 1}, r.drops())
	assert.Equal(t, []owner.Outcome{owner.Taken}, r.outcomes())
}

// An object that was replaced before it was read is dropped: the one that replaced it has a message of its own.
func TestS3ObjectOverwritten(t *testing.T) {
	r := newS3Rig(t, setup{})
	first := r.generate.Object(10, generate.ALB)
	r.announce(r.putUnlisted("same.log", first, first.Body))
	r.dropped(first.ID, "source_overwritten")
	r.announce(r.access("same.log", 20))

	report := r.audit()

	assert.Equal(t, 20, report.Delivered)
	assert.Zero(t, report.TotalDuplicates())
	assert.Equal(t, map[string]int{"source_overwritten": 1}, r.drops())
}

// What is read of an object before it is replaced stands. A connection that ends then must not go on in the new one.
func TestS3ObjectOverwrittenWhileItIsRead(t *testing.T) {
	for name, tc := range map[string]struct {
		versioned bool
		end       bucket.End
		whole     bool // all of the first object arrives
	}{
		"the connection goes on":                           {end: bucket.Whole, whole: true},
		"the connection ends":                              {end: bucket.Short},
		"the connection is cut, the bucket keeps versions": {versioned: true, end: bucket.Reset, whole: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newS3Rig(t, setup{versioned: tc.versioned})
			first := r.generate.Object(3_000, generate.ALB)
			old := r.put("same.log", first, first.Body)
			r.s3.SetScript(bucket.Rules(bucket.Rule{Method: http.MethodGet, Nth: 1, Step: bucket.Step{
				After: old.Size / 2, End: tc.end, Do: func() { r.announce(r.access(old.Key, 40)) },
			}}))
			r.announce(old)
			r.receive()
			if !tc.whole {
				// Behind the place of the cut there is nothing to be read any more.
				arrived := bytes.Count(first.Body[:old.Size/2], []byte("\n"))
				require.Len(t, idsByMark(t, r.intake.Entries()), arrived)
				for i := range first.Lines[arrived:] {
					r.lines[arrived+i].Rule = "source_overwritten"
				}
			}

			report := r.audit()

			assert.Equal(t, deliverable(r.lines), report.Delivered)
			assert.Zero(t, report.TotalDuplicates())
			want := map[string]int{"source_overwritten": 1}
			if tc.whole {
				want = map[string]int{}
			}
			assert.Equal(t, want, r.drops())
			assert.Equal(t, []owner.Outcome{owner.Taken, owner.Taken}, r.outcomes())
		})
	}
}

// What the function may not read goes back to its queue until that is about to give it up: then it is parked, for replay.
// Its neighbours are delivered once.
func TestS3Forbidden(t *testing.T) {
	for name, tc := range map[string]struct {
		step   bucket.Step
		reason string
	}{
		"S3 says 403":             {bucket.AccessDenied(), "s3_forbidden"},
		"the key may not be used": {bucket.KMSDenied(), "s3_kms_denied"},
		"the key is disabled":     {bucket.KMSDisabled(), "s3_kms_denied"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newS3Rig(t, setup{})
			bad := r.access("forbidden.log", 10)
			r.s3.SetScript(bucket.Rules(bucket.Rule{Key: bad.Key, Step: tc.step}))
			r.announce(r.access("before.log", 20), bad, r.access("after.log", 30))

			report := r.audit()

			assert.Equal(t, 50, report.Delivered)
			assert.Equal(t, 10, report.Parked)
			assert.Zero(t, report.TotalDuplicates())
			assert.Empty(t, r.objects.Failures)
			assert.Equal(t, append(slices.Repeat([]owner.Outcome{owner.Partly}, maxReceives-2), owner.Taken), r.outcomes())
			assert.Len(t, r.s3.RequestsOf(logBucket, bad.Key), maxReceives-1, "a refusal is not asked for again")
			ledgers := r.function.Ledgers()
			for _, l := range ledgers[:maxReceives-2] {
				assert.Equal(t, map[string]int{tc.reason: 1}, l.Destinations[defaultDest].Returned)
			}
			assert.Equal(t, map[string]int{tc.reason: 1}, ledgers[maxReceives-2].Destinations[defaultDest].Parked)
		})
	}
}

// S3 asks for patience: first within the invocation, then by way of the queue.
func TestS3SlowDown(t *testing.T) {
	for name, tc := range map[string]struct {
		refusals int
		outcomes []owner.Outcome
	}{
		"once":                              {1, []owner.Outcome{owner.Taken}},
		"for as long as the function tries": {2, []owner.Outcome{owner.Partly, owner.Taken}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newS3Rig(t, setup{env: map[string]string{"AWS_MAX_ATTEMPTS": "2"}})
			var rules []bucket.Rule
			for nth := range tc.refusals {
				rules = append(rules, bucket.Rule{Key: "slow.log", Nth: nth + 1, Step: bucket.SlowDown()})
			}
			r.s3.SetScript(bucket.Rules(rules...))
			r.announce(r.access("before.log", 20), r.access("slow.log", 10), r.access("after.log", 30))

			report := r.audit()

			assert.Equal(t, 60, report.Delivered)
			assert.Zero(t, report.TotalDuplicates())
			assert.Equal(t, tc.outcomes, r.outcomes())
			assert.Len(t, r.s3.RequestsOf(logBucket, "slow.log"), tc.refusals+1)
		})
	}
}

// A connection that breaks anywhere is replaced by one that goes on at that byte.
func TestS3BrokenConnections(t *testing.T) {
	for name, tc := range map[string]struct {
		cut    func(int64) bucket.Step
		packed bool
	}{
		"reset, plain":           {bucket.CutAfter, false},
		"reset, compressed":      {bucket.CutAfter, true},
		"short body":             {bucket.ShortAfter, false},
		"short body, compressed": {bucket.ShortAfter, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newS3Rig(t, setup{})
			o := r.generate.Object(2_000, generate.ALB)
			body := o.Body
			if tc.packed {
				body = o.Gzip()
			}
			hurt := r.put("hurt.log", o, body)
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			random := rand.New(rand.NewPCG(seed, 0))
			var rules []bucket.Rule
			for nth := range 3 {
				n := random.Int64N(hurt.Size / 4) // what is left is never less
				rules = append(rules, bucket.Rule{Method: http.MethodGet, Key: hurt.Key, Nth: nth + 1, Step: tc.cut(n)})
			}
			r.s3.SetScript(bucket.Rules(rules...))
			r.announce(hurt, r.access("well.log", 10))

			report := r.audit()

			assert.Equal(t, 2_010, report.Delivered)
			assert.Zero(t, report.TotalDuplicates())
			assert.Equal(t, []owner.Outcome{owner.Taken}, r.outcomes())
			gets := r.s3.RequestsOf(logBucket, hurt.Key)
			require.Len(t, gets, 4)
			for _, get := range gets[1:] {
				assert.NotEmpty(t, get.Range)
				assert.Equal(t, `"`+hurt.ETag+`"`, get.IfMatch)
			}
		})
	}
}

// A connection that never gets anywhere is given up. What was read stands, and the rest of the object is parked.
func TestS3ConnectionsThatAlwaysBreak(t *testing.T) {
	r := newS3Rig(t, setup{})
	o := r.generate.Object(2_000, generate.ALB)
	hurt := r.put("hurt.log", o, o.Body)
	r.s3.SetScript(func(a bucket.Arrival) bucket.Step {
		if a.Key == hurt.Key && a.Nth <= 4 {
			return bucket.CutAfter(hurt.Size / 8)
		}
		return bucket.Step{}
	})
	r.announce(hurt, r.access("well.log", 10))

	report := r.audit()

	assert.Equal(t, 2_010, report.Delivered+report.Parked)
	assert.Greater(t, report.Delivered, 10+500, "four eighths of the object were read")
	assert.Positive(t, report.Parked)
	assert.Zero(t, report.TotalDuplicates())
	assert.Equal(t, []owner.Outcome{owner.Taken}, r.outcomes())
}

// Without a park store, the queue gives the whole object again.
func TestS3ConnectionsThatAlwaysBreakAndNoParkStore(t *testing.T) {
	r := newS3Rig(t, setup{env: map[string]string{"SLUICE_PARK_BUCKET": ""}})
	o := r.generate.Object(2_000, generate.ALB)
	hurt := r.put("hurt.log", o, o.Body)
	r.s3.SetScript(func(a bucket.Arrival) bucket.Step {
		if a.Key == hurt.Key && a.Nth <= 4 {
			return bucket.CutAfter(hurt.Size / 8)
		}
		return bucket.Step{}
	})
	r.announce(hurt, r.access("well.log", 10))

	report := r.audit()

	assert.Equal(t, 2_010, report.Delivered)
	assert.Equal(t, []owner.Outcome{owner.Partly, owner.Taken}, r.outcomes())
	assert.Equal(t, []audit.Class{audit.D4}, report.Classes())
	assert.Less(t, report.TotalDuplicates(), 2_000, "no more than was read before")
	for mark, ids := range idsByMark(t, r.intake.Entries()) {
		assert.Len(t, slices.Compact(ids), 1, "line %s has the same id each time", mark)
	}
}

// The results of S3 Batch Operations say what is worth another attempt.
func TestS3JobResults(t *testing.T) {
	gone, forbidden, slow, broken := "gone.log", "forbidden.log", "slow.log", "broken.log"
	for _, schema := range []string{"1.0", "2.0"} {
		t.Run(schema, func(t *testing.T) {
			r := newS3Rig(t, setup{env: map[string]string{"AWS_MAX_ATTEMPTS": "1"}})
			tasks := []stored{r.access("a.log", 20)}
			lost := r.generate.Object(5, generate.ALB)
			tasks = append(tasks, r.putUnlisted(gone, lost, lost.Body))
			require.NoError(t, r.s3.Delete(t.Context(), logBucket, gone))
			r.dropped(lost.ID, "source_gone")
			tasks = append(tasks, r.access(forbidden, 10), r.access(slow, 30))
			damaged := r.generate.Object(40, generate.ALB)
			packed := damaged.Gzip()
			tasks = append(tasks, r.put(broken, damaged, packed[:len(packed)/2]))
			r.s3.SetScript(bucket.Rules(
				bucket.Rule{Key: forbidden, Step: bucket.AccessDenied()},
				bucket.Rule{Key: slow, Nth: 1, Step: bucket.SlowDown()},
			))
			request := notify.BatchOperations1
			if schema == "2.0" {
				request = func(id string, o ...notify.Object) []byte { return notify.BatchOperations2(id, nil, o...) }
			}
			var objects []notify.Object
			for _, o := range tasks {
				objects = append(objects, o.Object)
			}

			results := r.job(request(jobInvocation, objects...), schema, tasks...)

			var codes []string
			for _, result := range results {
				codes = append(codes, result.Code)
			}
			assert.Equal(t, []string{"Succeeded", "PermanentFailure", "PermanentFailure", "TemporaryFailure", "Succeeded"}, codes)
			assert.Equal(t, "lines: 20", results[0].Text)
			assert.Equal(t, "lines: 0, dropped: source_gone", results[1].Text)
			assert.Contains(t, results[2].Text, "grant s3:GetObject")
			assert.Contains(t, results[3].Text, "SlowDown")
			r.succeed(r.job(request(jobInvocation, objects[3]), schema, tasks[3]), tasks[3])
			report := r.audit()
			assert.Zero(t, report.TotalDuplicates())
			assert.Equal(t, 10, report.Returned)
			assert.Positive(t, report.Dead)
			assert.Len(t, r.pointers(), 1)
		})
	}
}

// One message that cannot be read is kept as it came, and holds up no other.
func TestS3OneBadMessageInTen(t *testing.T) {
	object := notify.Object{Bucket: logBucket, Key: "k", Size: 1, Sequencer: "01", Time: now()}
	native := notify.Native(object)
	for name, body := range map[string][]byte{
		"no key":        bytes.Replace(native, []byte(`"key":"k"`), []byte(`"key":""`), 1),
		"no bucket":     bytes.Replace(native, []byte(`"name":"`+logBucket+`"`), []byte(`"name":""`), 1),
		"a list":        bytes.Replace(native, []byte(`"s3":{`), []byte(`"s3":[],"x":{`), 1),
		"no event name": bytes.Replace(native, []byte(`"eventName"`), []byte(`"name"`), 1),
	} {
		t.Run(name, func(t *testing.T) {
			require.NotEqual(t, string(native), string(body))
			r := newS3Rig(t, setup{})
			for i := range 10 {
				if i == 6 {
					r.message(body, stored{id: "bad"})
					continue
				}
				r.announce(r.access(string(rune('a'+i))+".log", 10))
			}
			r.lines = append(r.lines, generate.Line{Payload: "bad", EventID: "bad"})

			report := r.audit()

			assert.Equal(t, 90, report.Delivered)
			assert.Equal(t, 1, report.DeadRaw)
			assert.Zero(t, report.TotalDuplicates())
			assert.Equal(t, []owner.Outcome{owner.Taken}, r.outcomes())
			assert.Len(t, r.gets(), 9)
		})
	}
}
