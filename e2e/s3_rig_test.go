package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/notify"
	"sluice/e2e/stack/owner"
)

const (
	logBucket  = "example-logs"
	parkBucket = "example-park"
	parkRoot   = "sluice/v1/" // of what the function keeps there, by its usual settings

	maxReceives = 5 // of a message, as the queue of the rig has it
)

// s3Rig is functions/s3 between S3, what announces objects, and an intake.
type s3Rig struct {
	*rig

	s3     *bucket.Server
	stored []stored
	bodies map[string][]string // payload ids, by the body of the message that announced them

	mu    sync.Mutex
	items []map[string]json.RawMessage // the intake was sent, in no order
}

// stored is an object in the bucket.
type stored struct {
	notify.Object

	id    string
	lines []generate.Line
	plain []byte // what its lines are in
}

// newS3Rig starts S3 with a bucket of logs, which may have versions, and one to park in.
func newS3Rig(t *testing.T, s setup) *s3Rig {
	t.Helper()
	server, err := bucket.Start(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	require.NoError(t, server.CreateBucket(t.Context(), logBucket, s.versioned))
	require.NoError(t, server.CreateBucket(t.Context(), parkBucket, false))
	env := server.Env()
	env["SLUICE_BUCKETS"], env["SLUICE_PARK_BUCKET"] = logBucket, parkBucket
	maps.Copy(env, s.env)
	s.function, s.env = "s3", env
	return &s3Rig{rig: newRig(t, s), s3: server, bodies: map[string][]string{}}
}

// keep is a check that keeps what the intake is sent, and objects to nothing.
func (r *s3Rig) keep(c intake.Content) *intake.Answer {
	var items []map[string]json.RawMessage
	if json.Unmarshal(c.Plain, &items) != nil {
		return intake.Refuse(http.StatusBadRequest).Answer
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.items = append(r.items, items...)
	return nil
}

// access makes an object of n lines of an access log and stores it compressed.
func (r *s3Rig) access(key string, n int) stored {
	r.t.Helper()
	o := r.generate.Object(n, generate.ALB)
	return r.put(key, o, o.Gzip())
}

// put stores an object as body and puts its lines into the manifest.
func (r *s3Rig) put(key string, o generate.Object, body []byte) stored {
	r.t.Helper()
	r.lines = append(r.lines, o.Lines...)
	return r.putUnlisted(key, o, body)
}

// putUnlisted stores an object whose lines are not expected anywhere.
func (r *s3Rig) putUnlisted(key string, o generate.Object, body []byte) stored {
	r.t.Helper()
	put, err := r.s3.PutObject(r.t.Context(), logBucket, key, bytes.NewReader(body))
	require.NoError(r.t, err)
	s := stored{Object: put, id: o.ID, lines: o.Lines, plain: o.Body}
	r.stored = append(r.stored, s)
	return s
}

// dropped puts a line into the manifest that stands for what a rule drops as a whole.
func (r *s3Rig) dropped(id, rule string) {
	r.lines = append(r.lines, generate.Line{Payload: id, Rule: rule})
}

// message queues a message with this body.
func (r *s3Rig) message(body []byte, objects ...stored) {
	r.t.Helper()
	_, err := r.objects.Send(body, idsOf(objects)...)
	require.NoError(r.t, err)
	r.bodies[string(body)] = idsOf(objects)
}

// announce queues a message for each object, as S3 writes it.
func (r *s3Rig) announce(objects ...stored) {
	r.t.Helper()
	for _, o := range objects {
		r.message(notify.Native(o.Object), o)
	}
}

// event queues an event that the function is invoked with, asynchronously.
func (r *s3Rig) event(body []byte, objects ...stored) {
	r.t.Helper()
	require.NoError(r.t, r.queue.SendMany(body, idsOf(objects)...))
}

// receive delivers the next batch of messages.
func (r *s3Rig) receive() owner.Delivery {
	r.t.Helper()
	more, err := r.objects.Step(r.t.Context())
	require.NoError(r.t, err)
	require.True(r.t, more, "the queue is empty")
	return r.objects.History[len(r.objects.History)-1]
}

// settle delivers until every queue is empty.
func (r *s3Rig) settle() {
	r.t.Helper()
	r.drain()
	require.NoError(r.t, r.objects.Drain(r.t.Context()))
}

// audit settles, ends the function and joins everything, the park store included.
func (r *s3Rig) audit() *audit.Report {
	r.t.Helper()
	r.settle()
	return r.judge(r.evidence(defaultDest, r.intake))
}

// judge joins the evidence and what the park store holds.
func (r *s3Rig) judge(e audit.Evidence) *audit.Report {
	r.t.Helper()
	from := make([]audit.Source, len(r.stored))
	for i, o := range r.stored {
		from[i] = audit.Source{Bucket: o.Bucket, Key: o.Key, VersionID: o.VersionID, ETag: o.ETag, Lines: o.lines, Starts: o.starts()}
	}
	store := audit.NewStore(parkRoot, e.Lines, from)
	for body, payloads := range r.bodies {
		store.Announced([]byte(body), payloads...)
	}
	for key, body := range r.parked() {
		store.Add(key, body)
	}
	require.Empty(r.t, store.Problems)
	e.Parked = store.Of(defaultDest)
	report := audit.Join(e)
	require.NoError(r.t, report.Verdict())
	return report
}

// starts are where the lines of an object start in what they are in.
func (o *stored) starts() []int64 {
	starts, offset := make([]int64, 0, len(o.lines)), int64(0)
	for line := range bytes.Lines(o.plain) {
		starts = append(starts, offset)
		offset += int64(len(line))
	}
	return starts[:min(len(starts), len(o.lines))]
}

// parked is everything in the park store, by key.
func (r *s3Rig) parked() map[string][]byte {
	r.t.Helper()
	ctx := context.WithoutCancel(r.t.Context())
	list, err := r.s3.List(ctx, parkBucket, "")
	require.NoError(r.t, err)
	kept := map[string][]byte{}
	for _, o := range list {
		kept[o.Key], err = r.s3.Get(ctx, parkBucket, o.Key)
		require.NoError(r.t, err)
	}
	return kept
}

// pointer is what the park store says of a part of an object. Format: delivery contract 2.7, the members that count here.
type pointer struct {
	Kind   string `json:"kind"`
	Reason struct {
		Code  string `json:"code"`
		Class string `json:"class"`
	} `json:"reason"`
	Sources []struct {
		Bucket    string   `json:"bucket"`
		Key       string   `json:"key"`
		VersionID string   `json:"version_id"`
		ETag      string   `json:"etag"`
		ByteRange [2]int64 `json:"byte_range"` // of the plain bytes; the end may be -1
	} `json:"sources"`
}

// pointers are those below dead/ for the usual destination, where nothing else is.
func (r *s3Rig) pointers() []pointer {
	r.t.Helper()
	var pointers []pointer
	for key, body := range r.parked() {
		if !strings.HasPrefix(key, parkRoot+"dead/") {
			continue
		}
		unpacked, err := gzip.NewReader(bytes.NewReader(body))
		require.NoError(r.t, err)
		var p pointer
		require.NoError(r.t, json.NewDecoder(unpacked).Decode(&p))
		assert.Equal(r.t, "pointer", p.Kind)
		assert.Equal(r.t, "permanent", p.Reason.Class)
		assert.Regexp(r.t, "^"+parkRoot+"dead/"+defaultDest+"/"+p.Reason.Code+`/\d{4}/\d\d/\d\d/[A-Z2-7]{26}\.a01\.jsonl\.gz$`, key)
		require.Len(r.t, p.Sources, 1)
		pointers = append(pointers, p)
	}
	return pointers
}

// asked are the requests of the function, but for its looks at what others know of the destination: one an invocation at
// most, and it costs no line anything.
func (r *s3Rig) asked() []bucket.Request {
	return slices.DeleteFunc(r.s3.Requests(), func(q bucket.Request) bool {
		return q.Bucket == parkBucket && q.Method == http.MethodGet && strings.HasPrefix(q.Key, parkRoot+"breaker/")
	})
}

// gets are the requests for objects of the bucket of logs.
func (r *s3Rig) gets() []bucket.Request {
	return slices.DeleteFunc(r.s3.Requests(), func(q bucket.Request) bool {
		return q.Method != http.MethodGet || q.Bucket != logBucket
	})
}

// drops are what the function says it dropped, by rule.
func (r *s3Rig) drops() map[string]int {
	sum := map[string]int{}
	for _, l := range r.function.Ledgers() {
		for rule, n := range l.Destinations[defaultDest].Dropped {
			sum[rule] += n
		}
	}
	return sum
}

// outcomes are how the deliveries of messages ended.
func (r *s3Rig) outcomes() []owner.Outcome {
	var list []owner.Outcome
	for _, d := range r.objects.History {
		list = append(list, d.Outcome)
	}
	return list
}

// taskResult is what the function answers S3 Batch Operations for a task.
type taskResult struct {
	TaskID string `json:"taskId"`
	Code   string `json:"resultCode"`
	Text   string `json:"resultString"`
}

// job has the function do the tasks of a request of S3 Batch Operations, which are these objects. What fails for good is
// in the job's report: S3 gives it no more.
func (r *s3Rig) job(request []byte, schema string, objects ...stored) []taskResult {
	r.t.Helper()
	called, err := r.function.Invoke(r.t.Context(), request)
	require.NoError(r.t, err)
	r.jobs = append(r.jobs, owner.Delivery{
		Payloads: idsOf(objects), Attempt: 1, RequestID: called.RequestID, Started: called.Started,
		Finished: called.Started.Add(called.Duration), Outcome: owner.Taken,
	})
	require.Nil(r.t, called.Error)
	var answer struct {
		Schema       string       `json:"invocationSchemaVersion"`
		Missing      string       `json:"treatMissingKeysAs"`
		InvocationID string       `json:"invocationId"`
		Results      []taskResult `json:"results"`
	}
	require.NoError(r.t, json.Unmarshal(called.Response, &answer))
	assert.Equal(r.t, schema, answer.Schema)
	assert.Equal(r.t, jobInvocation, answer.InvocationID)
	assert.Equal(r.t, "PermanentFailure", answer.Missing)
	require.Len(r.t, answer.Results, len(objects))
	for i, result := range answer.Results {
		if result.Code == "PermanentFailure" {
			r.queue.Failures = append(r.queue.Failures, owner.Failure{Payloads: idsOf(objects[i : i+1]), Error: result.Text})
		}
	}
	return answer.Results
}

const jobInvocation = "YXNkbGZqYWRmaiBhc2RmdW9hZHNmZGpmaGFzbGtkaGZza2RmaAo"

func idsOf(objects []stored) []string {
	ids := make([]string, len(objects))
	for i, o := range objects {
		ids[i] = o.id
	}
	return ids
}

// idsByMark are the ids that each line arrived with.
func idsByMark(t *testing.T, entries []intake.Entry) map[generate.Mark][]string {
	t.Helper()
	ids := map[generate.Mark][]string{}
	for _, e := range entries {
		mark, found, _ := generate.FindMark(e.Message)
		require.True(t, found)
		ids[mark] = append(ids[mark], e.ID)
	}
	return ids
}

// now is the time that wrappings of announcements carry.
func now() time.Time { return time.Now().Truncate(time.Second) }
