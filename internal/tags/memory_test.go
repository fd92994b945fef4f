package tags

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"sluice/internal/record"
)

// large is an entry that a few thousand of fill the memory.
func large(n int, at time.Time) *entry {
	return &entry{arn: "arn-" + strconv.Itoa(n), at: at, tags: record.Tags{{Key: "k", Value: strings.Repeat("v", 1000)}}}
}

func TestMemoryKeepsWhatIsLookedUp(t *testing.T) {
	m, now := newMemory(), time.Now()
	const n = 5000
	for i := range n {
		m.put(large(i, now))
		m.get("arn-7")
		m.peek("arn-8")
		assert.LessOrEqual(t, m.bytes, maxMemoryBytes)
	}
	assert.Nil(t, m.get("arn-8"))
	assert.NotNil(t, m.get("arn-7"))
	assert.NotNil(t, m.get("arn-"+strconv.Itoa(n-1)))
	assert.Greater(t, m.bytes, maxMemoryBytes*9/10)
	assert.Len(t, m.all(), len(m.places))
}

func TestMemoryTakesOffersWhenThereIsRoom(t *testing.T) {
	m, now := newMemory(), time.Now()
	m.put(large(0, now))
	for i := range 5000 {
		m.offer(large(1+i, now))
		assert.LessOrEqual(t, m.bytes, maxMemoryBytes)
	}
	assert.NotNil(t, m.get("arn-0"), "what was asked for stays")
	assert.Nil(t, m.get("arn-5000"))

	m = newMemory()
	for i := range 5000 {
		m.put(&entry{arn: large(i, now).arn, at: now})
	}
	for i := range 5000 {
		m.offer(large(i, now.Add(time.Second)))
		assert.LessOrEqual(t, m.bytes, maxMemoryBytes, "newer answers may be larger")
	}

	m = newMemory()
	m.put(&entry{arn: "a", at: now, tags: record.Tags{{Key: "mine"}}})
	for at, want := range map[time.Time]string{now.Add(-time.Second): "mine", now: "mine"} {
		m.offer(&entry{arn: "a", at: at, tags: record.Tags{{Key: "theirs"}}})
		assert.Equal(t, want, textOf(m.get("a").tags))
	}
	m.offer(&entry{arn: "a", at: now.Add(time.Second), tags: record.Tags{{Key: "theirs"}}})
	assert.Equal(t, "theirs", textOf(m.get("a").tags))
}

// TestMemoryCountsItsBytes compares the running count with one from the start, after whatever was done.
func TestMemoryCountsItsBytes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	m, now := newMemory(), time.Now()
	for range 20_000 {
		e := large(random.IntN(4000), now.Add(time.Duration(random.IntN(100))*time.Second))
		e.tags[0].Value = e.tags[0].Value[:random.IntN(1000)]
		switch random.IntN(4) {
		case 0:
			m.put(e)
		case 1:
			m.offer(e)
		case 2:
			m.get(e.arn)
		default:
			m.remove(e.arn)
		}
	}
	bytes := 0
	for _, e := range m.all() {
		bytes += e.size()
		assert.Same(t, e, m.peek(e.arn))
	}
	assert.Equal(t, bytes, m.bytes)
	assert.LessOrEqual(t, bytes, maxMemoryBytes)
	assert.Len(t, m.places, m.order.Len())
}

func TestQueue(t *testing.T) {
	var q queue
	for i := range maxQueued {
		assert.True(t, q.add(strconv.Itoa(i)))
		assert.True(t, q.add("0"), "it is there already")
	}
	assert.False(t, q.add("one more"))
	assert.Equal(t, []string{"0", "1"}, q.first(2))
	assert.Len(t, q.first(2*maxQueued), maxQueued)
	q.drop(func(arn string) bool { return arn != "5" && arn != "3" })
	assert.Equal(t, []string{"3", "5"}, q.first(10))
	assert.Len(t, q.in, 2)
	assert.True(t, q.add("0"))
	assert.Equal(t, []string{"3", "5", "0"}, q.first(10))
}

func TestCircuit(t *testing.T) {
	now := time.Now().Round(0)
	var c circuit
	assert.Zero(t, c.delay(now))
	for _, seconds := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300, 300} {
		want := time.Duration(seconds) * time.Second
		c.fail(now, false, 0)
		assert.Equal(t, want/2, c.delay(now))
		c.failures--
		c.fail(now, false, 0.999999)
		assert.InDelta(t, want, c.delay(now), float64(time.Millisecond))
	}
	assert.Equal(t, maxPause, c.delay(now.Add(-24*time.Hour)), "the clock was set back")
	assert.Zero(t, c.delay(now.Add(maxPause)))
	c.succeed()
	assert.Zero(t, c.delay(now))
	c.fail(now, true, 0)
	assert.Equal(t, maxPause/2, c.delay(now))
}

func TestTokens(t *testing.T) {
	now := time.Now().Round(0)
	var b tokens
	for range callsAtOnce {
		assert.Zero(t, b.delay(now))
		b.take(now)
	}
	assert.Equal(t, 200*time.Millisecond, b.delay(now))
	now = now.Add(200 * time.Millisecond)
	assert.LessOrEqual(t, b.delay(now), time.Millisecond)
	b.take(now)
	assert.InDelta(t, 200*time.Millisecond, b.delay(now), float64(time.Millisecond))
	assert.InDelta(t, 200*time.Millisecond, b.delay(now.Add(-time.Hour)), float64(time.Millisecond), "the clock was set back")
	now = now.Add(time.Hour)
	for range callsAtOnce {
		assert.Zero(t, b.delay(now), "not more than are taken at once come back")
		b.take(now)
	}
	assert.Positive(t, b.delay(now))
}
