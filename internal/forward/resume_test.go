package forward

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/event"
	"sluice/internal/park"
)

// continuation is the message by which an object goes on.
func continuation(o *s3Object, resume event.Resume) string {
	return string(event.AppendContinuation(nil, &event.Object{
		Bucket: o.Bucket, Key: o.Key, VersionID: o.Version, ETag: o.ETag, SizeBytes: o.Size, Region: "eu-west-1", EventMillis: at.UnixMilli(),
	}, &resume))
}

// resumable is an object, with the messages of its records in order; "" is one that is dropped or cannot be read.
type resumable struct {
	key     string
	body    []byte
	records []string
}

func resumables(t *testing.T) map[string]resumable {
	t.Helper()
	lines := someLines("x", 600)
	text := []byte(strings.Join(lines, "\n") + "\n")
	elements := make([]string, len(lines))
	for i, line := range lines {
		elements[i] = fmt.Sprintf(`{"n":%q}`, line)
	}
	stacks := make([]string, 300)
	for i := range stacks {
		stacks[i] = lines[i] + "\n  at one\n  at two"
	}
	gaps := slices.Clone(lines)
	for i := 0; i < len(gaps); i += 7 {
		gaps[i] = ""
	}
	gapText := []byte(strings.Join(gaps, "\n") + "\n")
	flow := append([]string{""}, slices.Repeat([]string{flowText}, 30)...)
	flowBody := "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n" +
		strings.Join(flow[1:], "\n") + "\n"
	bad := packed(t, documentOf(t, "OTHER", "shop", canary))
	first, second := numbered(20), []string{"after 0", "after 1", "after 2"}
	return map[string]resumable{
		"lines":             {"a.log", text, lines},
		"gzip":              {"a.log.gz", packed(t, text), lines},
		"gzip, two members": {"a.log.gz", joined(packed(t, text[:1000]), packed(t, text[1000:])), lines},
		"zstd":              {"a.zst", zstdOf(t, text), lines},
		"Records":           {"a.json.gz", packed(t, []byte(`{"Records":[`+strings.Join(elements, ",")+`]}`)), elements},
		"JSON lines":        {"a.json", []byte(strings.Join(elements, "\n")), elements},
		"an array":          {"a.json", []byte("[" + strings.Join(elements, ",\n") + "]"), elements},
		"joined lines":      {"a.multi", []byte(strings.Join(stacks, "\n") + "\n"), stacks},
		"joined events":     {"backup/a.events", packed(t, document(t, separately(stacks)...)), stacks},
		"empty lines":       {"a.log", gapText, gaps},
		"a header":          {flowKey, packed(t, []byte(flowBody)), flow},
		"a damaged part": {
			"backup/a", joined(packed(t, document(t, first...)), bad, packed(t, document(t, second...))),
			append(append(slices.Clone(first), ""), second...),
		},
		"a damaged end": {"a.log.gz", stored(t, text)[:5000], nil},
	}
}

// An object that goes on from some record gives exactly the records from there on, as they were to be sent; what is damaged
// before it is not noted again.
func TestResume(t *testing.T) {
	settings := with(`park_bucket: example-parked, routes: [{key: "*.multi", multiline_start: "[a-z] line"}, {key: "*.events", multiline_start: "[a-z] line"}]`, httpWith("max_records: 100000, max_body_bytes: 4MB"))
	for name, tc := range resumables(t) {
		t.Run(name, func(t *testing.T) {
			whole := newRig(t, settings)
			o := whole.s3.put(logBucket, tc.key, tc.body)
			_, _, err := whole.invoke(t, S3, inQueue(native(o)))
			require.NoError(t, err)
			all := allItems(t, whole)
			if tc.records == nil { // up to the end of what can be read
				tc.records = append(whole.intake.messages(t, archiveHost), "")
			}
			n := len(tc.records)
			for _, from := range []int{0, 1, 2, n / 3, n/2 + 1, n - 4, n - 1, n, n + 5} {
				r := newRig(t, settings)
				r.s3.put(logBucket, tc.key, tc.body)
				resume := event.Resume{Records: int64(from), Hop: 1, Decode: r.objects.decodeID}
				answer, ledger, err := r.invoke(t, S3, inQueue(continuation(o, resume)))
				require.NoError(t, err)
				require.JSONEq(t, allTaken, answer)
				want := 0
				for _, record := range tc.records[min(from, n):] {
					if record != "" {
						want++
					}
				}
				require.Equal(t, append([]string{}, all[len(all)-want:]...), allItems(t, r), "from record %d on", from)
				again := slices.Contains([]string{"a damaged part", "a damaged end"}, name) && slices.Contains(tc.records[min(from, n):], "")
				assert.Equal(t, again, sum(ledger.Destinations["archive"].Parked) == 1, "damage behind record %d", from)
			}
		})
	}
}

// allItems are those that were sent, in order.
func allItems(t *testing.T, r *rig) []string {
	t.Helper()
	items := []string{}
	for _, got := range r.intake.got {
		items = append(items, itemTexts(t, got.body)...)
	}
	return items
}

// With other settings records may be counted otherwise: the object is read from its start.
func TestResumeWithOtherSettings(t *testing.T) {
	const joinedLines, halves = `multiline_start: "[a-z] line",`, `multiline_start: "[a-z] line|  and",`
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		lines := someLines("x", 2000)
		for i := range lines {
			lines[i] += "\n  and more"
		}
		r := newRig(t, twoHTTP(joinedLines)).ticking()
		o := r.s3.slowly("a.log", lines)
		r.intake.answer = failingFrom(3, "a.example.com", 404)
		_, _, err := r.invoke(t, S3, inQueue(native(o)))
		require.NoError(t, err)
		pointers := r.pointersFor(t, park.Pending, "a")
		require.Len(t, pointers, 1)
		require.Positive(t, (*pointers[0].Sources[0].Records)[0])

		other := newRig(t, twoHTTP(halves)).ticking()
		other.s3 = r.s3
		other.drain(t)
		got := map[string]bool{}
		for _, message := range other.intake.taken(t, "a.example.com") {
			got[message] = true
		}
		for i, line := range someLines("x", 2000) {
			require.True(t, got[line] || got[lines[i]], "line %d, alone or with the other half", i)
		}
		assert.True(t, got["  and more"], "the settings of today count")
	})
	t.Run("a continuation", func(t *testing.T) {
		for decode, want := range map[string]int{"": 10, "0123456789abcdef": 10} {
			r := newRig(t, twoHTTP(""))
			o := r.s3.lines("a.log", someLines("x", 10)...)
			_, _, err := r.invoke(t, S3, inQueue(continuation(o, event.Resume{Records: 7, Hop: 1, Decode: decode})))
			require.NoError(t, err)
			assert.Len(t, r.intake.taken(t, "a.example.com"), want)
		}
	})
}

// A continuation goes to the destinations that still want the rest, and to no other.
func TestResumeForSomeDestinations(t *testing.T) {
	for name, tc := range map[string]struct {
		dests  []string
		answer string
		a, b   int
	}{
		"one":                 {[]string{"a"}, allTaken, 3, 0},
		"both":                {[]string{"b", "a"}, allTaken, 3, 3},
		"none named: all":     {nil, allTaken, 3, 3},
		"one that is no more": {[]string{"gone"}, failedMessages(0), 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, twoHTTP(""))
			o := r.s3.lines("a.log", someLines("x", 10)...)
			resume := event.Resume{Records: 7, Hop: 1, Decode: r.objects.decodeID, Dests: tc.dests}
			answer, ledger, err := r.invoke(t, S3, inQueue(continuation(o, resume)))
			require.NoError(t, err)
			assert.JSONEq(t, tc.answer, answer)
			assert.Len(t, r.intake.taken(t, "a.example.com"), tc.a)
			assert.Len(t, r.intake.taken(t, "b.example.com"), tc.b)
			if tc.answer != allTaken {
				assert.Contains(t, ledger.Error, "add them again")
				assert.Empty(t, r.s3.gets)
			}
		})
	}
}

// A forged continuation has us read nothing that an announcement could not, and costs no request.
func TestForgedContinuations(t *testing.T) {
	valid := event.Resume{Records: 1, Hop: 1, Dests: []string{"a"}}
	good := &s3Object{Bucket: logBucket, Key: "a.log", ETag: "0123", Size: 4}
	for name, tc := range map[string]struct {
		body    string
		dropped string
		raw     bool // it cannot be read, and is kept for a person
	}{
		"another bucket":         {continuation(&s3Object{Bucket: "example-other", Key: "a.log", Size: 4}, valid), "not_allowed_source", false},
		"another account":        {strings.Replace(continuation(good, valid), `"account":""`, `"account":"`+otherAccount+`"`, 1), "not_allowed_source", false},
		"what is parked":         {continuation(&s3Object{Bucket: parkBucket, Key: "sluice/v1/pending/a/x.gz", Size: 4}, valid), "not_allowed_source", false},
		"no bucket at all":       {continuation(&s3Object{Bucket: "arn:aws:s3:::x", Key: "a.log", Size: 4}, valid), "", true},
		"a negative record":      {strings.Replace(continuation(good, valid), `"records":1`, `"records":-1`, 1), "", true},
		"too many hops":          {strings.Replace(continuation(good, valid), `"hop":1`, `"hop":1000`, 1), "", true},
		"a destination's path":   {strings.Replace(continuation(good, valid), `["a"]`, `["../a"]`, 1), "", true},
		"a version of tomorrow":  {strings.Replace(continuation(good, valid), `"v":1`, `"v":2`, 1), "", true},
		"a size that is no size": {strings.Replace(continuation(good, valid), `"size":4`, `"size":"4"`, 1), "", true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, twoHTTP("buckets: [example-logs],"))
			answer, ledger, err := r.invoke(t, S3, inQueue(tc.body))
			require.NoError(t, err)
			assert.JSONEq(t, allTaken, answer)
			assert.Empty(t, r.s3.gets, "no request")
			assert.Empty(t, r.intake.got)
			assert.Empty(t, r.s3.keysBelow("sluice/v1/pending"))
			assert.Equal(t, tc.raw, len(r.s3.keysBelow("sluice/v1/dead-raw/s3/")) == 1)
			if tc.dropped != "" {
				assert.Equal(t, 1, ledger.Destinations["a"].Dropped[tc.dropped])
			}
		})
	}
	t.Run("what is parked, where every bucket may be read", func(t *testing.T) {
		r := newRig(t, twoHTTP(""))
		o := &s3Object{Bucket: parkBucket, Key: "sluice/v1/pending/a/x.gz", Size: 4}
		_, ledger, err := r.invoke(t, S3, inQueue(continuation(o, valid)))
		require.NoError(t, err)
		assert.Empty(t, r.s3.gets)
		assert.Equal(t, 1, ledger.Destinations["a"].Dropped["own_store_object"])
	})
	t.Run("behind the end of its object", func(t *testing.T) {
		r := newRig(t, twoHTTP(""))
		o := r.s3.lines("a.log", "x")
		valid.Records, valid.Decode = 1<<62, r.objects.decodeID
		answer, _, err := r.invoke(t, S3, inQueue(continuation(o, valid)))
		require.NoError(t, err)
		assert.JSONEq(t, allTaken, answer)
		assert.Empty(t, r.intake.got)
	})
}
