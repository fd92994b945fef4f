package park

import (
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// list collects what is yielded, by the last part of keys.
func list(t *testing.T, entries iter.Seq2[Entry, error]) (names []string, all []Entry) {
	t.Helper()
	for e, err := range entries {
		require.NoError(t, err)
		names, all = append(names, e.Key[strings.LastIndex(e.Key, "/")+1:]), append(all, e)
	}
	return names, all
}

func TestDestinations(t *testing.T) {
	fake := newBucket()
	shelf := NewShelf(fake, testOptions)
	for _, key := range []string{
		"pending/dd-main/1789999999-A.a01.jsonl.gz", "pending/dd-main/1789999999-B.a01.jsonl.gz", "pending/loki/1789999999-A.a01.jsonl.gz",
		"pending/otlp-2/x", "pending/z/", "pending/NOT A DESTINATION/x", "pending/file", "dead/only-dead/invalid/2026/07/01/A.a01.jsonl.gz",
		"dead-raw/cwl/2026/07/01/ab.json", "dead-raw/async_failure/2026/07/01/cd.json", "dead-raw/other_thing/x",
	} {
		fake.lay("sluice/v1/"+key, nil)
	}
	for state, want := range map[State][]string{
		Pending: {"dd-main", "loki", "otlp-2", "z"}, Dead: {"only-dead"}, DeadRaw: {"async_failure", "cwl"},
	} {
		got, err := shelf.Destinations(t.Context(), state)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := shelf.Destinations(t.Context(), "progress")
	require.ErrorContains(t, err, `the state is "progress"`)
	fake.fail = on("LIST", 1, refusal(http.StatusForbidden, "AccessDenied"))
	_, err = shelf.Destinations(t.Context(), Pending)
	require.ErrorContains(t, err, "list s3://example-park/sluice/v1/pending/: ")
	require.ErrorContains(t, err, "grant s3:ListBucket on example-park, with the prefix sluice/v1/")
}

func TestEntriesOfWhatIsPending(t *testing.T) {
	fake := newBucket()
	fake.modified = failedAt
	shelf := NewShelf(fake, testOptions)
	const first = 1_789_999_990
	for i := range 9 {
		fake.lay(fmt.Sprintf("sluice/v1/pending/dd-main/%d-B%d.a01.jsonl.gz", first+i, i), []byte("12345"))
	}
	fake.lay("sluice/v1/pending/dd-main/", nil)
	fake.lay("sluice/v1/pending/dd-main/0-early", nil)
	fake.lay("sluice/v1/pending/dd-main/folder/1789999999-A.a01.jsonl.gz", nil)
	fake.lay("sluice/v1/pending/dd-main/note.txt", nil)
	fake.lay("sluice/v1/pending/dd-main2/1789999990-C.a01.jsonl.gz", nil)
	at := func(seconds int64) time.Time { return time.Unix(first+seconds, 999_999_999) }

	names, all := list(t, shelf.Entries(t.Context(), Pending, "dd-main", "", at(3)))
	assert.Equal(t, []string{
		"0-early", "1789999990-B0.a01.jsonl.gz", "1789999991-B1.a01.jsonl.gz", "1789999992-B2.a01.jsonl.gz", "1789999993-B3.a01.jsonl.gz",
	}, names)
	assert.Equal(t, Entry{
		Key: "sluice/v1/pending/dd-main/1789999992-B2.a01.jsonl.gz", ETag: fake.objects["sluice/v1/pending/dd-main/1789999992-B2.a01.jsonl.gz"].etag,
		Size: 5, LastModified: failedAt, State: Pending, Dest: "dd-main", ID: "B2", Attempt: 1, NotBefore: time.Unix(first+2, 0).UTC(),
	}, all[3])
	assert.Len(t, all[0].ID, 26, "made of its key")
	assert.Zero(t, all[0].NotBefore)
	assert.Len(t, fake.asked, 4, "it reads no pages that are not due, but the one that says so")

	names, _ = list(t, shelf.Entries(t.Context(), Pending, "dd-main", "", at(-1)))
	assert.Equal(t, []string{"0-early"}, names)
	names, all = list(t, shelf.Entries(t.Context(), Pending, "dd-main", "", at(99_999)))
	assert.Len(t, names, 12)
	assert.Equal(t, "note.txt", names[11])
	assert.Zero(t, all[10].NotBefore, "in a folder nobody has made it is due at once")
	names, _ = list(t, shelf.Entries(t.Context(), Pending, "dd-main", "", time.Time{}))
	assert.Len(t, names, 12)
	names, _ = list(t, shelf.Entries(t.Context(), Pending, "", "", time.Time{}))
	assert.Len(t, names, 13)

	asked := len(fake.asked)
	for range shelf.Entries(t.Context(), Pending, "dd-main", "", time.Time{}) {
		break
	}
	assert.Len(t, fake.asked, asked+1, "it asks for what is wanted")
}

func TestEntriesOfWhatIsDead(t *testing.T) {
	fake := newBucket()
	shelf := NewShelf(fake, testOptions)
	for _, key := range []string{
		"dead/dd-main/invalid/2026/07/01/A.0.pabc.a02.jsonl.gz", "dead/dd-main/invalid/2026/07/02/1789999999-B.a03.jsonl.gz",
		"dead/dd-main/invalid_2/2026/07/02/C.a04.jsonl.gz", "dead/dd-main/store_corrupt/2026/07/02/D.object",
		"dead/loki/invalid/2026/07/02/E.a04.jsonl.gz",
		"dead-raw/cwl/2026/07/01/ab12.json", "dead-raw/async_failure/2026/07/01/not-an-id.json",
	} {
		fake.lay("sluice/v1/"+key, nil)
	}
	_, all := list(t, shelf.Entries(t.Context(), Dead, "dd-main", "invalid", failedAt))
	require.Len(t, all, 2)
	assert.Equal(t, []any{"A.0.pabc", 2, "invalid", "dd-main"}, []any{all[0].ID, all[0].Attempt, all[0].Reason, all[0].Dest})
	assert.Equal(t, []any{"B", 3}, []any{all[1].ID, all[1].Attempt})
	names, all := list(t, shelf.Entries(t.Context(), Dead, "dd-main", "", time.Time{}))
	assert.Len(t, names, 4)
	assert.Equal(t, []any{"store_corrupt", 0, 26}, []any{all[3].Reason, all[3].Attempt, len(all[3].ID)})
	names, _ = list(t, shelf.Entries(t.Context(), Dead, "", "", failedAt))
	assert.Len(t, names, 5)

	_, all = list(t, shelf.Entries(t.Context(), DeadRaw, "", "", failedAt))
	require.Len(t, all, 2)
	assert.Equal(t, []any{"async_failure", 26}, []any{all[0].Dest, len(all[0].ID)})
	assert.Equal(t, []any{"cwl", "ab12"}, []any{all[1].Dest, all[1].ID})
	names, _ = list(t, shelf.Entries(t.Context(), DeadRaw, "async_failure", "", failedAt))
	assert.Len(t, names, 1)
}

func TestEntriesRefuse(t *testing.T) {
	fake := newBucket()
	shelf := NewShelf(fake, testOptions)
	for name, tc := range map[string]struct {
		state        State
		dest, reason string
		due          time.Time
		err          string
	}{
		"an unknown state":              {"lease", "dd-main", "", failedAt, "the state is"},
		"a destination of a path":       {Pending, "../x", "", failedAt, "the destination is"},
		"an entry for a destination":    {Dead, EntryAsyncFailure, "", failedAt, "the destination is"},
		"a reason of what is pending":   {Pending, "dd-main", "http_503", failedAt, "only what is dead"},
		"a reason of what is raw":       {DeadRaw, "", "decode_gzip", failedAt, "only what is dead"},
		"a reason without destination":  {Dead, "", "invalid", failedAt, "only what is dead"},
		"a reason of a path":            {Dead, "dd-main", "a/b", failedAt, "only what is dead"},
		"what is due for all, in order": {Pending, "", "", failedAt, "name a destination"},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			for e, err := range shelf.Entries(t.Context(), tc.state, tc.dest, tc.reason, tc.due) {
				require.ErrorContains(t, err, tc.err)
				assert.Equal(t, Entry{}, e)
				n++
			}
			assert.Equal(t, 1, n)
		})
	}
	assert.Empty(t, fake.asked)
}

func TestEntriesEndWithAnError(t *testing.T) {
	fake := newBucket()
	shelf := NewShelf(fake, testOptions)
	for i := range 4 {
		fake.lay(fmt.Sprintf("sluice/v1/pending/dd-main/1789999999-B%d.a01.jsonl.gz", i), nil)
		fake.lay(fmt.Sprintf("aws/lambda/async/f/%d", i), nil)
	}
	for name, entries := range map[string]iter.Seq2[Entry, error]{
		"entries": shelf.Entries(t.Context(), Pending, "dd-main", "", time.Time{}),
		"foreign": shelf.Foreign(t.Context(), "aws/lambda/"),
	} {
		asked := 0
		fake.fail = func(string) error {
			if asked++; asked == 2 {
				return refusal(http.StatusServiceUnavailable, "SlowDown")
			}
			return nil
		}
		var errs []error
		for _, err := range entries {
			errs = append(errs, err)
		}
		require.Len(t, errs, 3, name)
		require.NoError(t, errs[0])
		require.NoError(t, errs[1])
		require.ErrorContains(t, errs[2], "try again later")
	}
}

func TestForeign(t *testing.T) {
	fake := newBucket()
	shelf := NewShelf(fake, testOptions)
	keys := []string{
		"aws/lambda/async/f/2026/07/01/a", "aws/lambda/async/f/2026/07/01/b c", "aws/lambda/async/f/", "aws/lambda/async/g/2026/07/01/a",
		"sluice/v1/pending/dd-main/1789999999-A.a01.jsonl.gz", "sluice/v2/x",
	}
	for _, key := range keys {
		fake.lay(key, []byte("12"))
	}
	_, all := list(t, shelf.Foreign(t.Context(), "aws/lambda/"))
	require.Len(t, all, 3)
	assert.Equal(t, keys[1], all[1].Key)
	assert.Equal(t, []any{State(""), "", int64(2)}, []any{all[1].State, all[1].Dest, all[1].Size})
	assert.True(t, isBatchID(all[1].ID))
	assert.NotEqual(t, all[0].ID, all[2].ID)
	raw, err := shelf.Raw(t.Context(), all[1])
	require.NoError(t, err)
	assert.Equal(t, "12", string(raw))
	lease, ours, err := shelf.Take(t.Context(), all[1].ID, failedAt, time.Minute)
	require.NoError(t, err)
	require.True(t, ours)
	require.NoError(t, lease.Release(t.Context()))
	require.NoError(t, shelf.Delete(t.Context(), all[1]))
	assert.False(t, slices.Contains(fake.keys(), keys[1]))

	names, _ := list(t, shelf.Foreign(t.Context(), "sluice/"))
	assert.Equal(t, []string{"x"}, names, "what is the store's own is none of them")
	for range shelf.Foreign(t.Context(), "aws/lambda/") {
		break
	}
}
