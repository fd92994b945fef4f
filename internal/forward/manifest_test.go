package forward

import (
	"fmt"
	"testing"
)

// A manifest is no log. The objects that it lists are read when the settings say so: in its own bucket, or in one that
// they name.
func TestManifest(t *testing.T) {
	const key = "errors/manifests/2026/02/01/09/redshift-1-2026-02-01-09-30-00-11111111-2222-4333-8444-555555555555"
	text := fmt.Sprintf(`{"entries":[{"url":"s3://%s/data/a b+%%41.log","mandatory":true},{"url":"s3://example-other/data/b.log","mandatory":true}]}`, logBucket)
	follow := func(more string) string { return with("follow_manifests: true"+more, both) }
	for name, tc := range map[string]struct {
		settings string
		want     ending
	}{
		"not followed": {both, ending{answer: "null", dropped: tally{"not_a_log": 1}, gets: 1}},
		"followed in the same bucket, not in another": {
			follow(""), ending{answer: "null", lines: []string{"a"}, dropped: tally{"not_a_log": 1, "not_allowed_source": 1}, gets: 2},
		},
		"followed in a bucket that is named": {
			follow(", buckets: [example-logs, example-other]"), ending{answer: "null", lines: []string{"a", "b"}, dropped: tally{"not_a_log": 1}, gets: 3},
		},
		"followed in none but those that are named": {
			follow(", buckets: [example-logs]"), ending{answer: "null", lines: []string{"a"}, dropped: tally{"not_a_log": 1, "not_allowed_source": 1}, gets: 2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, tc.settings)
			r.s3.lines("data/a b+%41.log", "a")
			r.s3.put("example-other", "data/b.log", []byte("b"))
			r.comesTo(t, []byte(native(r.s3.put(logBucket, key, []byte(text)))), tc.want)
		})
	}
	t.Run("an object of it is gone, another forbidden", func(t *testing.T) {
		r := newRig(t, follow(", buckets: [example-logs, example-other]"))
		r.s3.refuse = func(n int, _ string) error { return map[int]error{3: errForbidden}[n] }
		r.comesTo(t, inQueue(native(r.s3.put(logBucket, key, []byte(text)))), ending{
			answer: failedMessages(0), err: "AccessDenied", dropped: tally{"not_a_log": 1, "source_gone": 1}, returned: tally{"s3_forbidden": 1}, gets: 3,
		})
	})
	t.Run("a manifest in a manifest leads no further", func(t *testing.T) {
		r := newRig(t, follow(""))
		inner := r.s3.put(logBucket, key+"-2", []byte(`{"entries":[{"url":"s3://example-logs/`+key+`","mandatory":true}]}`))
		r.s3.put(logBucket, key, []byte(`{"entries":[{"url":"s3://example-logs/`+inner.Key+`","mandatory":true}]}`))
		r.comesTo(t, []byte(native(inner)), ending{answer: "null", dropped: tally{"not_a_log": 2}, gets: 2})
	})
	t.Run("our own store is not read by it", func(t *testing.T) {
		r := newRig(t, with("follow_manifests: true, park_bucket: example-logs", both))
		list := r.s3.put(logBucket, key, []byte(`{"entries":[{"url":"s3://example-logs/sluice/v1/dead/x","mandatory":true}]}`))
		r.comesTo(t, []byte(native(list)), ending{answer: "null", dropped: tally{"not_a_log": 1, "own_store_object": 1}, gets: 1})
	})
	t.Run("one that cannot be read is noted", func(t *testing.T) {
		r := newRig(t, parkingBoth)
		list := r.s3.put(logBucket, key, []byte(`{"entries":[{"url":"s3://`+logBucket+`/a"},{"url":"ftp://x"}]}`))
		r.comesTo(t, []byte(native(list)), ending{
			answer: "null", dropped: tally{"not_a_log": 1}, parked: tally{"manifest": 1}, gets: 1,
		})
	})
}

// A list that looks like a manifest is one only where it is all that the object holds: nothing behind it gets lost.
func TestLinesBehindAManifest(t *testing.T) {
	const list = `{"entries":[{"url":"s3://example-logs/a","mandatory":true}]}`
	for _, key := range []string{"app/a.log", "errors/manifests/2026/02/01/09/redshift-1-2026-02-01-09-30-00-11111111-2222-4333-8444-555555555555"} {
		r := newRig(t, parkingBoth)
		r.comesTo(t, []byte(native(r.s3.put(logBucket, key, []byte(list+"\nb\nc\n")))), ending{
			answer: "null", lines: []string{list, "b", "c"}, gets: 1,
		})
		r = newRig(t, parkingBoth)
		r.comesTo(t, []byte(native(r.s3.put(logBucket, key, []byte(list+"\n \n")))), ending{
			answer: "null", dropped: tally{"not_a_log": 1}, gets: 1,
		})
	}
}
