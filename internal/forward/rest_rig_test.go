package forward

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/event"
	"sluice/internal/park"
)

// twoHTTP are two destinations that take small batches, and a bucket for what they do not take.
func twoHTTP(settings string) string {
	return `{park_bucket: example-parked, ` + settings + ` destinations: [
		{id: a, type: http, url: "https://a.example.com/", max_records: 40}, {id: b, type: http, url: "https://b.example.com/", max_records: 40}]}`
}

// withQueue is a setting of twoHTTP.
const withQueue = "continue_queue: '" + continueQueue + "',"

func hostOfLane(id string) string { return id + ".example.com" }

// someLines are n lines of an object, of 40 bytes or so.
func someLines(name string, n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf("%s line %06d xxxxxxxxxxxxxxxxxxxxx", name, i)
	}
	return lines
}

// slowly keeps an object whose reading gives destinations time to answer.
func (f *fakeS3) slowly(key string, lines []string) *s3Object {
	o := f.lines(key, lines...)
	o.slow = time.Millisecond
	return o
}

// failingFrom answers the requests to a host from the n-th on, which is 0 for the first, with a status.
func failingFrom(n int, host string, status int) func(received) int {
	sent := 0
	return func(r received) int {
		if !strings.Contains(r.url, host) {
			return 202
		}
		sent++
		if sent > n {
			return status
		}
		return 202
	}
}

// pointersFor are the pointers that wait for a destination.
func (r *rig) pointersFor(t *testing.T, state park.State, id string) (pointers []park.Header) {
	t.Helper()
	for _, o := range r.shelved(t, state, id) {
		if o.Header.Kind == park.KindPointer {
			pointers = append(pointers, o.Header)
		}
	}
	return pointers
}

// shelved is what is parked for a destination, as it lies in the bucket now.
func (r *rig) shelved(t *testing.T, state park.State, id string) (list []*park.Object) {
	t.Helper()
	for _, key := range r.s3.keysBelow("sluice/v1/" + string(state) + "/" + id + "/") {
		o, err := park.Read(bytes.NewReader(r.s3.objects[parkBucket+"/"+key].body))
		require.NoError(t, err, key)
		list = append(list, o)
	}
	return list
}

// continuations are the messages in the queue.
func (r *rig) continuations(t *testing.T) (list []event.Object) {
	t.Helper()
	for _, body := range r.sqs.sent {
		objects, err := event.ParseObjects(inQueue(body))
		require.NoError(t, err)
		for _, m := range objects.Messages {
			for _, n := range m.Notices {
				require.NoError(t, n.Err)
				require.NotNil(t, n.Object.Resume, "it is a continuation: %s", body)
				list = append(list, n.Object)
			}
		}
	}
	return list
}

// whereabouts counts, for a destination, where each line of the objects with these keys is: with it, parked, or in what
// is to be read again.
func (r *rig) whereabouts(t *testing.T, id string, objects map[string][]string) map[string]int {
	t.Helper()
	found := map[string]int{}
	count := func(lines []string) {
		for _, line := range lines {
			found[line]++
		}
		delete(found, "") // which stands for a record that is dropped
	}
	count(r.intake.taken(t, hostOfLane(id)))
	for _, state := range []park.State{park.Pending, park.Dead} {
		for _, o := range r.shelved(t, state, id) {
			for _, item := range o.Items {
				found[messageOf(t, item)]++
			}
			if at := o.Header.Sources[0].Records; o.Header.Kind == park.KindPointer && at != nil {
				require.LessOrEqual(t, int(at[0]), len(objects[o.Header.Sources[0].Key]), "%+v", o.Header)
				count(objects[o.Header.Sources[0].Key][at[0]:])
			}
		}
	}
	for _, o := range r.continuations(t) {
		for _, dest := range o.Resume.Dests {
			if dest == id {
				count(objects[o.Key][o.Resume.Records:])
			}
		}
	}
	return found
}

// exactlyOnce checks that each line is in one place, and that there are no others.
func (r *rig) exactlyOnce(t *testing.T, id string, objects map[string][]string) {
	t.Helper()
	found, wrong := r.whereabouts(t, id, objects), []string{}
	for _, lines := range objects {
		for _, line := range lines {
			if line != "" && found[line] != 1 {
				wrong = append(wrong, fmt.Sprintf("%s: %d times", line, found[line]))
			}
			delete(found, line)
		}
	}
	assert.Empty(t, wrong, "lines of %s", id)
	assert.Empty(t, found, "lines of nowhere at %s", id)
}

// gauges is the line about the park store.
type gauges struct {
	PendingObjects, DeadObjects int
	PendingOldestSeconds        float64
}

// replays runs replay by an event, {} for the schedule's. It checks what holds for every run.
func (r *rig) replays(t *testing.T, wish string) (report replayReport, ledger statement, err error) {
	t.Helper()
	report, ledger, _, err = r.replaysWithin(t, 15*time.Minute, wish)
	return report, ledger, err
}

func (r *rig) replaysWithin(t *testing.T, left time.Duration, wish string) (report replayReport, ledger statement, g gauges, err error) {
	t.Helper()
	ctx := within(t, left)
	r.out.Reset()
	answer, err := Replay(r.Forwarder).Invoke(ctx, []byte(wish))
	require.NoError(t, ctx.Err(), "answered in time")
	for line := range strings.Lines(r.out.String()) {
		if strings.Contains(line, "PendingObjects") {
			require.NoError(t, json.Unmarshal([]byte(line), &g))
			continue
		}
		ledger = statementOf(t, line)
	}
	assert.LessOrEqual(t, strings.Count(r.out.String(), "\n"), 2, "one line of the run and one of the store")
	if err == nil {
		require.NoError(t, json.Unmarshal(answer, &report))
	}
	return report, ledger, g, err
}

// drain has what is parked or in the queue delivered, by destinations that are well again.
func (r *rig) drain(t *testing.T) {
	t.Helper()
	r.intake.answer, r.intake.after, r.s3.refuse = nil, "", nil
	for range 30 {
		time.Sleep(7 * time.Hour) // more than anything is left alone
		for _, body := range r.sqs.take() {
			answer, _, err := r.invokeWithin(within(t, 15*time.Minute), t, S3, inQueue(body))
			require.NoError(t, err)
			require.JSONEq(t, allTaken, answer)
		}
		_, _, err := r.replays(t, "{}")
		require.NoError(t, err)
		if len(r.sqs.sent)+len(r.s3.keysBelow("sluice/v1/pending/")) == 0 {
			return
		}
	}
	require.Fail(t, "it does not come to an end", "%v", r.s3.keysBelow("sluice/v1/pending/"))
}
