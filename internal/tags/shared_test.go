package tags

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

const functionsDocument = "aws/123456789012/eu-west-1/function"

// TestShared: the second container asks AWS nothing.
func TestShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(Function, 150)
		aws.tags[arns[5]] = nil
		store := &shelf{latency: 20 * time.Millisecond}
		first := newCache(Options{AWS: aws, Store: store})
		known(t, first, Function, arns)
		passOn(t, first)
		assert.Equal(t, slices.Sorted(slices.Values(arns)), store.arnsIn(t, functionsDocument))
		n := len(aws.made())

		second := newCache(Options{AWS: aws, Store: store})
		second.Begin(t.Context(), own)
		_, s, took := hear(t, second, Function, arns[0])
		assert.Equal(t, Fresh, s)
		assert.Equal(t, 20*time.Millisecond, took)
		for i, arn := range arns {
			tags, s := look(t, second, Function, arn)
			assert.Equal(t, Fresh, s)
			assert.Equal(t, i == 5, tags == "", "that there are none is shared as well")
		}
		settle(time.Minute)
		second.End()
		assert.Len(t, aws.made(), n)
		assert.Equal(t, Counts{Lookups: [6]int{Fresh: 151}, StoreReads: 1}, second.TakeCounts())
	})
}

// TestSharedByMany: containers that start together and those that come later make few calls, in an hour and in all.
func TestSharedByMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const containers, groups = 30, 20
		arns, aws := fleet(LogGroup, groups)
		store := &shelf{latency: 20 * time.Millisecond}
		var all sync.WaitGroup
		for i := range containers {
			c := newCache(Options{AWS: aws, Store: store})
			c.jitter = func() float64 { return float64(i*7%containers) / containers }
			all.Go(func() {
				settle(time.Duration(i) * 200 * time.Millisecond)
				for start := time.Now(); time.Since(start) < 20*time.Minute; {
					c.Begin(t.Context(), own)
					for _, arn := range arns {
						c.Lookup(t.Context(), LogGroup, arn)
					}
					settle(5 * time.Second)
					c.End()
					settle(5 * time.Second)
				}
			})
		}
		settle(time.Minute)
		cold := len(aws.made())
		assert.Less(t, cold, groups*containers/2)
		all.Wait()
		assert.Less(t, len(aws.made())-cold, 3*groups*20*60/300, "not much more than one container alone would make")
		assert.Less(t, store.puts, 20*60/5)
	})
}

// TestSharedByTwoAtATime: neither loses what the other one has written.
func TestSharedByTwoAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(Function, 4)
		store := &shelf{latency: 100 * time.Millisecond}
		a, b := newCache(Options{AWS: aws, Store: store}), newCache(Options{AWS: aws, Store: store})
		for n := 0; n < len(arns); n += 2 {
			a.Begin(t.Context(), own)
			b.Begin(t.Context(), own)
			a.Lookup(t.Context(), Function, arns[n])
			b.Lookup(t.Context(), Function, arns[n+1])
			settle(time.Minute)
			a.End()
			b.End()
			a.Begin(t.Context(), own)
			b.Begin(t.Context(), own)
			settle(time.Minute)
			a.End()
			b.End()
		}
		assert.Equal(t, arns, store.arnsIn(t, functionsDocument))
		assert.Greater(t, store.puts, 4, "they did meet")
		require.NoError(t, errors.Join(a.Trouble(), b.Trouble()))
	})
}

// TestStoreInTrouble: tags are known without it, and it is left alone for a while.
func TestStoreInTrouble(t *testing.T) {
	for name, store := range map[string]*shelf{
		"it cannot be read":             {get: errors.New("denied")},
		"it cannot be written":          {put: errors.New("denied")},
		"somebody is always faster":     {put: fmt.Errorf("put: %w", ErrChanged)},
		"it does not answer":            {latency: time.Hour},
		"it answers after its time out": {latency: callTimeout + 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				arns, aws := fleet(Function, 1)
				c := newCache(Options{AWS: aws, Store: store, TTL: 24 * time.Hour})
				c.Begin(t.Context(), own)
				c.Lookup(t.Context(), Function, arns[0])
				settle(4 * time.Second)
				_, s := look(t, c, Function, arns[0])
				assert.Equal(t, Fresh, s)
				c.End()
				passOn(t, c)
				require.ErrorContains(t, c.Trouble(), "shared tags of functions")
				assert.Positive(t, c.TakeCounts().StoreFailures)
				assert.Len(t, aws.made(), 1)

				start, waited := time.Now(), time.Duration(0)
				for time.Since(start) < time.Hour {
					c.Begin(t.Context(), own)
					look(t, c, Function, arns[0])
					settle(time.Millisecond)
					waited += stopwatch(c.End)
					settle(time.Second)
				}
				counts := c.TakeCounts()
				assert.Positive(t, counts.StoreReads, "it is tried on")
				assert.LessOrEqual(t, counts.StoreReads+counts.StoreWrites, 120, "4 every 150 s")
				assert.Less(t, waited, 20*time.Second, "at the ends of 3,600 invocations")
			})
		})
	}
}

// TestStoreThatIsWellAgain: what others were faster with, and what went wrong once, is forgotten.
func TestStoreThatIsWellAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(Function, 2)
		store := &shelf{faster: 1}
		c := newCache(Options{AWS: aws, Store: store})
		c.Begin(t.Context(), own)
		c.Lookup(t.Context(), Function, arns[0])
		settle(time.Second)
		assert.Equal(t, arns[:1], store.arnsIn(t, functionsDocument), "it is tried again at once")
		c.End()
		require.NoError(t, c.Trouble())
		assert.Zero(t, c.keepers[Function].storeCircuit.failures)
	})
}

// TestWritesAreFew: what is learned in a while is written together.
func TestWritesAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(LogGroup, 60)
		store := &shelf{}
		c := newCache(Options{AWS: aws, Store: store, Wait: -1})
		c.Begin(t.Context(), own)
		for _, arn := range arns {
			look(t, c, LogGroup, arn)
			settle(time.Second)
		}
		c.End()
		assert.LessOrEqual(t, store.puts, 7)
		assert.Len(t, aws.made(), 60)
		passOn(t, c)
		assert.Len(t, store.arnsIn(t, "aws/123456789012/eu-west-1/log-group"), 60)
	})
}

// TestSharedForLong: a container whose answers grow old at the same time as others have newer ones asks AWS for none.
func TestSharedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(Function, 3)
		store := &shelf{}
		first, second := newCache(Options{AWS: aws, Store: store}), newCache(Options{AWS: &fakeAWS{refuse: always(denied)}, Store: store})
		second.jitter = func() float64 { return 0.9 }
		known(t, first, Function, arns)
		passOn(t, first)
		second.Begin(t.Context(), own)
		for range 20 {
			for _, arn := range arns {
				tags, _, _ := hear(t, second, Function, arn)
				assert.NotEmpty(t, tags)
			}
			settle(100 * time.Second)
			known(t, first, Function, arns)
			passOn(t, first)
		}
		second.End()
		assert.Zero(t, second.TakeCounts().Calls)
	})
}

// TestReadWhileAWSIsLeftAlone: others may have what this container may not ask for.
func TestReadWhileAWSIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(Function, 1)
		store := &shelf{}
		deniedOne := newCache(Options{AWS: &fakeAWS{refuse: always(denied)}, Store: store})
		deniedOne.Begin(t.Context(), own)
		_, s, _ := hear(t, deniedOne, Function, arns[0])
		assert.Equal(t, Failed, s)
		settle(40 * time.Second)
		other := newCache(Options{AWS: aws, Store: store})
		known(t, other, Function, arns)
		passOn(t, other)
		settle(readEvery + time.Second)
		_, s = look(t, deniedOne, Function, arns[0])
		assert.Equal(t, Fresh, s)
		deniedOne.End()
		assert.Equal(t, 1, deniedOne.TakeCounts().Calls)
	})
}

// TestReadBeforeEachTry: a container that was throttled hears from one that was not.
func TestReadBeforeEachTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(Function, 1)
		aws.refuse = always(throttled)
		store := &shelf{}
		unlucky := newCache(Options{AWS: aws, Store: store})
		unlucky.Begin(t.Context(), own)
		_, s, _ := hear(t, unlucky, Function, arns[0])
		assert.Equal(t, Failed, s)
		n := len(aws.made())

		document := `{"schema":1,"resources":{"` + arns[0] + `":{"at":` + strconv.FormatInt(time.Now().Unix(), 10) + `,"tags":["team:a"]}}}`
		store.lay(functionsDocument, document)
		settle(time.Second)
		tags, s := look(t, unlucky, Function, arns[0])
		assert.Equal(t, Fresh, s)
		assert.Equal(t, "team:a", tags)
		assert.Len(t, aws.made(), n)
		unlucky.End()
	})
}

// TestShortAndRareInvocations: what is begun in one of them goes on in the next one.
func TestShortAndRareInvocations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(Function, 1)
		store := &shelf{latency: 20 * time.Millisecond}
		c := newCache(Options{AWS: aws, Store: store, TTL: 24 * time.Hour, Wait: -1})
		var heard []Status
		for range 4 {
			c.Begin(t.Context(), own)
			_, s := look(t, c, Function, arns[0])
			heard = append(heard, s)
			settle(time.Millisecond)
			c.End()
			settle(5 * time.Minute)
		}
		assert.Equal(t, []Status{Pending, Pending, Fresh, Fresh}, heard)
		assert.Equal(t, arns, store.arnsIn(t, functionsDocument))
	})
}

// TestWhatOthersWrote: a document is not trusted further than AWS is.
func TestWhatOthersWrote(t *testing.T) {
	arn, other := own.ARN(Function, "f"), own.ARN(Function, "g")
	for name, tc := range map[string]struct {
		document string // %d: now, in s
		want     string
		status   Status
	}{
		"tags":                      {document: `{"schema":1,"resources":{"` + arn + `":{"at":%d,"tags":["a:1","b"]}}}`, want: "a:1,b", status: Fresh},
		"no tags":                   {document: `{"schema":1,"resources":{"` + arn + `":{"at":%d}}}`, status: Fresh},
		"members of a later time":   {document: `{"schema":1,"x":[],"resources":{"` + arn + `":{"at":%d,"tags":["a"],"y":1}}}`, want: "a", status: Fresh},
		"a clock that is ahead":     {document: `{"schema":1,"resources":{"` + arn + `":{"at":99%d,"tags":["a"]}}}`, want: "a", status: Fresh},
		"another container's":       {document: `{"schema":1,"resources":{"` + other + `":{"at":%d,"tags":["a"]}}}`, status: Pending},
		"tags that are not clean":   {document: `{"schema":1,"resources":{"` + arn + `":{"at":%d,"tags":["a:1,env:prod"]}}}`, status: Pending},
		"an empty tag":              {document: `{"schema":1,"resources":{"` + arn + `":{"at":%d,"tags":[""]}}}`, status: Pending},
		"another schema":            {document: `{"schema":2,"resources":{"` + arn + `":{"at":%d,"tags":["a"]}}}`, status: Pending},
		"no JSON":                   {document: `%d`, status: Pending},
		"nothing":                   {document: ``, status: Pending},
		"null":                      {document: `null`, status: Pending},
		"a time that is none":       {document: `{"schema":1,"resources":{"` + arn + `":{"at":"%d","tags":["a"]}}}`, status: Pending},
		"no time":                   {document: `{"schema":1,"resources":{"` + arn + `":{"tags":["a"]}},"x":%d}`, status: Pending},
		"a time before all times":   {document: `{"schema":1,"resources":{"` + arn + `":{"at":-9223372036854775808,"tags":["a"]}},"x":%d}`, status: Pending},
		"a time after all times":    {document: `{"schema":1,"resources":{"` + arn + `":{"at":9223372036854775807,"tags":["a"]}},"x":%d}`, status: Pending},
		"larger than a document is": {document: `{"schema":1,"resources":{"` + arn + `":{"at":%d,"tags":["a"]}}}` + strings.Repeat(" ", MaxDocumentBytes), status: Pending},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				body := tc.document
				if strings.Contains(body, "%d") {
					body = fmt.Sprintf(body, time.Now().Unix())
				}
				store := &shelf{}
				store.lay(functionsDocument, body)
				aws := &fakeAWS{latency: time.Second}
				c := newCache(Options{AWS: aws, Store: store})
				c.Begin(t.Context(), own)
				_, _, _ = hear(t, c, Function, arn)
				tags, s := look(t, c, Function, arn)
				assert.Equal(t, tc.status, s)
				assert.Equal(t, tc.want, tags)
				settle(time.Minute)
				c.End()
				passOn(t, c)
				assert.Contains(t, store.arnsIn(t, functionsDocument), arn, "it is written over in the end")
			})
		})
	}
}

// TestOldAnswersAreNotShared: they may be about what is gone.
func TestOldAnswersAreNotShared(t *testing.T) {
	now := time.Now().Round(0)
	entries := func(age time.Duration) []*entry { return []*entry{{arn: "a", at: now.Add(-age)}} }
	assert.Nil(t, news(nil, nil, now))
	assert.Nil(t, news(nil, entries(shareFor+1), now))
	assert.Len(t, news(nil, entries(shareFor), now), 1)
	assert.Nil(t, news(entries(1), entries(1), now), "nothing is new")
	assert.Nil(t, news(entries(1), entries(2), now))
	merged := news(entries(2), entries(1), now)
	require.Len(t, merged, 1)
	assert.Equal(t, now.Add(-1), merged[0].at)

	c := newCache(Options{})
	at := strconv.FormatInt(now.Add(-shareFor-time.Second).Unix(), 10)
	decoded, err := c.decodeDocument(Bucket, own, []byte(`{"schema":1,"resources":{"arn:aws:s3:::example":{"at":`+at+`}}}`), now)
	require.NoError(t, err)
	assert.Empty(t, decoded)
}

// TestDocumentIsBounded: the newest answers are in it, and it can be read.
func TestDocumentIsBounded(t *testing.T) {
	now := time.Now().Round(0).Truncate(time.Second)
	var entries []*entry
	for i := range 20_000 {
		entries = append(entries, &entry{
			arn: own.ARN(Function, "f-"+strconv.Itoa(i)), at: now.Add(-time.Duration(i) * time.Second),
			tags: record.Tags{{Key: "k", Value: strings.Repeat("v", 190)}},
		})
	}
	data := encodeDocument(slices.Clone(entries))
	assert.LessOrEqual(t, len(data), MaxDocumentBytes)
	assert.Greater(t, len(data), MaxDocumentBytes-1000)
	c := newCache(Options{})
	decoded, err := c.decodeDocument(Function, own, data, now)
	require.NoError(t, err)
	assert.Greater(t, len(decoded), 5000)
	for _, e := range decoded {
		assert.False(t, e.at.Before(now.Add(-time.Duration(len(decoded))*time.Second)))
	}
}

// FuzzDocument: what is taken from a document is what could have been asked for, and what is written is read the same.
func FuzzDocument(f *testing.F) {
	arn := own.ARN(Function, "f")
	f.Add([]byte(`{"schema":1,"resources":{"` + arn + `":{"at":946684800,"tags":["a:1","b"]}}}`))
	f.Add([]byte(`{"schema":1,"resources":{"` + arn + `:$LATEST":{"at":946684800},"` + arn + `":{"at":99946684800,"tags":["k:v:ü"]}}}`))
	f.Add([]byte(`{"schema":1,"resources":{"` + arn + `":{"at":1e9,"tags":[null]}}}`))
	f.Add([]byte(`{"schema":1,"resources":null}`))
	f.Add([]byte(`[]`))
	now := time.Unix(946684800, 0).Add(time.Hour)
	c := newCache(Options{})
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := c.decodeDocument(Function, own, data, now)
		if err != nil {
			assert.Empty(t, entries)
			assert.Less(t, len(err.Error()), 200)
			return
		}
		for _, e := range entries {
			spelled, ok := own.owned(Function, e.arn)
			assert.True(t, ok && spelled == e.arn)
			assert.False(t, e.at.After(now))
			assert.LessOrEqual(t, len(e.tags), 50)
			for _, tag := range e.tags {
				assert.Equal(t, Clean(tag.Key, tag.Value), tag.String())
			}
		}
		written := encodeDocument(slices.Clone(entries))
		assert.True(t, json.Valid(written))
		read, err := c.decodeDocument(Function, own, written, now)
		require.NoError(t, err)
		assert.ElementsMatch(t, entries, read)
	})
}
