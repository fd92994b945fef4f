package park

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// parkedItems are read back from a store of their own.
func parkedItems(t *testing.T, attempt int, items ...string) (*bucket, *Shelf, *Object) {
	t.Helper()
	fake := newBucket()
	it := lost(items...)
	it.Attempt = attempt
	key, err := New(fake, testOptions).PutItems(t.Context(), Pending, it, dueAt)
	require.NoError(t, err)
	o := fake.object(t, key)
	clear(fake.objects)
	return fake, NewShelf(fake, testOptions), o
}

var refused = Next{
	State: Pending, NotBefore: dueAt.Add(10 * time.Second), At: failedAt.Add(time.Hour), RequestID: "run-2",
	Reason: Reason{Code: "http_429", Class: "retriable", HTTPStatus: 429, Message: "post https://in.example.com/canary: 429"},
}

func TestAgainItems(t *testing.T) {
	fake, shelf, o := parkedItems(t, 3, `{"n":1}`, `{"n":2}`, `{"n":3}`)
	before := o.Header
	key, err := shelf.Again(t.Context(), o, refused)
	require.NoError(t, err)
	assert.Equal(t, "sluice/v1/pending/dd-main/1790000009-MZXW6YTBOI2DKNRXHA4TAMJSGM.0.a04.jsonl.gz", key)
	again := fake.object(t, key)
	assert.Equal(t, o.Items, again.Items)
	want := before
	want.Attempt, want.NotBefore, want.LastFailedAt, want.RequestID = 4, 1_790_000_009, stamp(refused.At), "run-2"
	want.Reason = refused.Reason
	want.Reason.Message = "post https://in.example.com/… 429"
	assert.Equal(t, want, again.Header)
	assert.Equal(t, before, o.Header, "what was read stays as it is")

	n := refused
	n.State, n.Reason, n.RequestID = Dead, Reason{Code: "exhausted"}, ""
	key, err = shelf.Again(t.Context(), o, n)
	require.NoError(t, err)
	assert.Equal(t, "sluice/v1/dead/dd-main/exhausted/2026/07/01/MZXW6YTBOI2DKNRXHA4TAMJSGM.0.a04.jsonl.gz", key)
	assert.Zero(t, fake.object(t, key).Header.NotBefore)
	assert.Equal(t, before.RequestID, fake.object(t, key).Header.RequestID)
}

func TestAgainParts(t *testing.T) {
	fake, shelf, o := parkedItems(t, 0, `{"n":1}`, "\n", `{"n":3}`)
	put := func(state State, code string, items ...[]byte) *Object {
		n := refused
		n.State, n.Reason.Code, n.Items = state, code, items
		key, err := shelf.Again(t.Context(), o, n)
		require.NoError(t, err)
		return fake.object(t, key)
	}
	first, second := put(Pending, "http_503", o.Items[0]), put(Pending, "http_503", o.Items[1:]...)
	dead := put(Dead, "invalid", o.Items[1])
	assert.Len(t, fake.objects, 3)
	assert.Equal(t, []string{`{"n":1}`}, textsOf(first.Items))
	assert.Equal(t, []string{"\n", `{"n":3}`}, textsOf(second.Items))
	assert.Equal(t, []string{"\n"}, textsOf(dead.Items))
	assert.Equal(t, []any{"", 1, int64(7)}, []any{first.Header.Encoding, first.Header.Count, first.Header.Bytes})
	assert.Equal(t, "base64", second.Header.Encoding)
	ids := []string{o.Header.SendID(), first.Header.SendID(), second.Header.SendID(), dead.Header.SendID()}
	for _, id := range ids[1:] {
		assert.True(t, strings.HasPrefix(id, ids[0]+".p"), id)
	}
	slices.Sort(ids)
	assert.Len(t, slices.Compact(ids), 4, "all have different ids to send with")

	whole := put(Pending, "http_503", slices.Clone(o.Items)...)
	assert.Equal(t, o.Header.SendID(), whole.Header.SendID(), "all of them are no part")

	// All of a part keeps the part's id, and a part of it is called by its own bytes.
	n := refused
	key, err := shelf.Again(t.Context(), second, n)
	require.NoError(t, err)
	assert.Equal(t, second.Header.SendID(), fake.object(t, key).Header.SendID())
	n.Items = second.Items[1:]
	key, err = shelf.Again(t.Context(), second, n)
	require.NoError(t, err)
	assert.Len(t, fake.object(t, key).Header.SendID(), len(second.Header.SendID()))
	assert.NotEqual(t, second.Header.SendID(), fake.object(t, key).Header.SendID())
}

// Parts with the same bytes are parked apart when the caller tells them apart, and once when the same one comes again.
func TestAgainPartsOfTheSameBytes(t *testing.T) {
	fake, shelf, o := parkedItems(t, 0, `{"n":1}`, `{"n":2}`, `{"n":1}`)
	put := func(part string, items ...[]byte) (key, id string) {
		n := refused
		n.Items, n.Part = items, part
		key, err := shelf.Again(t.Context(), o, n)
		require.NoError(t, err)
		return key, fake.object(t, key).Header.SendID()
	}
	first, firstID := put("ID.r1", o.Items[0])
	second, secondID := put("ID.r1.2", o.Items[2])
	assert.NotEqual(t, first, second)
	assert.NotEqual(t, firstID, secondID)
	other, otherID := put("ID.r1", o.Items[1])
	assert.NotContains(t, []string{first, second}, other, "the bytes count as well")
	assert.NotContains(t, []string{firstID, secondID}, otherID)
	again, _ := put("ID.r1", o.Items[0])
	assert.Equal(t, first, again)
	assert.Len(t, fake.objects, 3)
	assert.Len(t, secondID, len(firstID), "ids do not grow")
}

func TestAgainRefuses(t *testing.T) {
	fake, shelf, o := parkedItems(t, 99, `{"n":1}`)
	key, err := shelf.Again(t.Context(), o, Next{State: Dead, Reason: Reason{Code: "exhausted"}, At: failedAt})
	require.NoError(t, err)
	assert.Contains(t, key, ".a99.", "the end of it is reached whatever the number is")
	fake.asked = nil
	pointer := &Object{Header: o.Header}
	pointer.Header.Kind = KindPointer
	for name, tc := range map[string]struct {
		o      *Object
		change func(*Next)
		err    string
	}{
		"once too often":           {o, func(*Next) {}, "attempt is 100"},
		"no state":                 {o, func(n *Next) { n.State = "" }, "the state is"},
		"no reason":                {o, func(n *Next) { n.Reason.Code, n.State = "", Dead }, "reason.code"},
		"no items":                 {o, func(n *Next) { n.Items = [][]byte{} }, "there are no items"},
		"a pointer":                {pointer, func(*Next) {}, "of the kind \"pointer\""},
		"a time that is not known": {o, func(n *Next) { n.At, n.State = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), Dead }, "in the year 10000"},
	} {
		n := refused
		tc.change(&n)
		_, err := shelf.Again(t.Context(), tc.o, n)
		require.ErrorContains(t, err, tc.err, name)
	}
	assert.Empty(t, fake.asked)
}
