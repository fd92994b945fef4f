package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"sluice/internal/compress"
	"sluice/internal/deliver"
)

// world is a destination with everything that can be wrong with one, made of a seed. What it answers depends on the batch
// and on how often it came, and not on the order in which goroutines run, so that a seed tells the same story each time.
type world struct {
	seed     uint64
	trouble  int           // percent of the requests that get a random fault
	slow     time.Duration // answers take up to this
	poison   map[int]bool
	huge     map[int]bool // items that are too large alone
	limits   []int        // for plain bytes, one after the other; 0 is none
	zstdCode int          // what a body in zstd is answered; 0 when it is read
	badKey   atomic.Bool  // until it is read anew
}

func newWorld(r *rand.Rand) *world {
	w := &world{
		seed: r.Uint64(), trouble: []int{0, 5, 30, 90, 100}[r.IntN(5)], slow: time.Duration(r.Int64N(int64(12 * time.Second))),
		poison: map[int]bool{}, huge: map[int]bool{}, zstdCode: []int{0, 0, 400, 415}[r.IntN(4)], limits: []int{0},
	}
	w.badKey.Store(r.IntN(8) == 0)
	for range []int{0, 0, 1, 2, 5}[r.IntN(5)] {
		w.poison[r.IntN(80)] = true
	}
	for range []int{0, 0, 1, 2}[r.IntN(4)] {
		w.huge[r.IntN(80)] = true
	}
	for range []int{0, 0, 1, 4}[r.IntN(4)] {
		w.limits = append(w.limits, 50+r.IntN(2000))
	}
	return w
}

// faults are what can happen to any request. Some of them happen after the items were taken.
func faults(r *rand.Rand) answer {
	switch r.IntN(10) {
	case 0:
		return throttled(strconv.Itoa(r.IntN(30)))
	case 1:
		return answer{err: syscall.ECONNREFUSED, unwritten: true}
	case 2, 3:
		return answer{err: syscall.ECONNRESET, taken: r.IntN(2) == 0}
	case 4:
		return answer{after: time.Hour, taken: true}
	case 5:
		return status([]int{404, 501, 307, 408, 425}[r.IntN(5)])
	case 6:
		return status([]int{401, 403, 400, 413, 415}[r.IntN(5)])
	}
	return status([]int{500, 502, 503, 504, 529}[r.IntN(5)])
}

func (w *world) answer(c call) answer {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d %s", c.id, c.nth, c.coding)
	r := rand.New(rand.NewPCG(w.seed, h.Sum64()))
	a := answer{}
	switch {
	case r.IntN(100) < w.trouble:
		a = faults(r)
	case w.badKey.Load():
		a = status(http.StatusForbidden)
	case c.coding == string(zstd) && w.zstdCode != 0:
		a = status(w.zstdCode)
	}
	limit := w.limits[c.number/5%len(w.limits)]
	for _, n := range c.items {
		switch {
		case a.status != 0 || a.err != nil:
		case w.huge[n], limit > 0 && c.bytes > limit:
			a = status(http.StatusRequestEntityTooLarge)
		case w.poison[n]:
			a = status(http.StatusBadRequest)
		}
	}
	if a.after == 0 && w.slow > 0 {
		a.after = time.Duration(r.Int64N(int64(w.slow)))
	}
	return a
}

// requireConserved checks, from what the server saw and from what lies parked, what became of n items.
func (w *wire) requireConserved(t *testing.T, n int, got sent, parked ...int) {
	t.Helper()
	delivered, unsure := 0, 0
	ends := make([]int, n) // how often each item has come to one
	for i := range n {
		require.LessOrEqual(t, w.confirmed[i], 1, "item %d was sent again after it had been confirmed", i)
		delivered += w.confirmed[i]
		unsure += w.taken[i] - w.confirmed[i]
		ends[i] = w.confirmed[i]
	}
	for _, i := range slices.Concat(parked, got.Units) { // every item is a unit of its own
		ends[i]++
	}
	require.Equal(t, slices.Repeat([]int{1}, n), ends, "each item is delivered, parked or returned")
	require.Equal(t, delivered, got.Delivered, "confirmed and counted")
	require.Equal(t, len(parked), sum(got.Parked), "parked and counted")
	require.Equal(t, len(got.Units), sum(got.Returned), "returned and counted")
	require.GreaterOrEqual(t, got.PossibleDuplicates, unsure, "taken and not confirmed")
	require.Equal(t, len(w.calls), got.Requests)
	contents := map[string]string{}
	for _, c := range w.calls {
		require.Less(t, c.nth, 4, "attempts")
		items := fmt.Sprint(c.items)
		require.Contains(t, []string{"", items}, contents[c.id], "one id for two batches")
		contents[c.id] = items
	}
}

// randomShelf fails in a share of the cases: with an error, with a panic, or by taking all the time there is.
func (w *world) randomShelf(r *rand.Rand) *shelf {
	share := []int{0, 0, 20, 100}[r.IntN(4)]
	return &shelf{fault: func(ctx context.Context, _ int, g *deliver.GivenUp) error {
		h := fnv.New64a()
		fmt.Fprintf(h, "%s %s %t", g.Batch.ID, g.Reason, g.Permanent)
		r := rand.New(rand.NewPCG(w.seed, h.Sum64()))
		if r.IntN(100) >= share {
			return pause(ctx, time.Duration(r.Int64N(int64(time.Second))))
		}
		switch r.IntN(3) {
		case 0:
			return errors.New("no")
		case 1:
			panic("broken")
		}
		return pause(ctx, time.Hour)
	}}
}

// requireFew checks that each batch has one object for what is due again at most, and one for each reason of what is
// dead, and that no reason is one that a key cannot have.
func (s *shelf) requireFew(t *testing.T) {
	t.Helper()
	seen := map[string]bool{}
	for _, p := range s.objects() {
		require.Regexp(t, "^[a-z0-9_]{1,40}$", p.Reason)
		require.True(t, slices.IsSorted(p.Items), "in order")
		object := p.Batch
		if p.Permanent {
			object += " " + p.Reason
		}
		require.False(t, seen[object], "two objects where one would do")
		seen[object] = true
	}
}

// randomHint knows something, late or never.
func randomHint(r *rand.Rand) *board {
	return &board{
		after: time.Duration(r.Int64N(int64(time.Second))), broke: r.IntN(4) == 0,
		until: time.Now().Add(time.Duration(r.Int64N(int64(time.Minute))) - 30*time.Second),
	}
}

// Whatever a destination answers, when, and however often, and whatever comes of parking: in = delivered + parked +
// returned, and each item is one of them; what was confirmed is never sent again, and nothing is sent when time is up.
func TestLedgerBalancesForAnySchedule(t *testing.T) {
	const schedules = 2500
	for seed := range uint64(schedules) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runSchedule(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

// runSchedule takes some invocations through one sender.
func runSchedule(t *testing.T, r *rand.Rand) {
	t.Helper()
	world := newWorld(r)
	d, w := &intake{}, &wire{answer: world.answer}
	if r.IntN(2) == 0 {
		d.codecs = []compress.Codec{zstd, gzip}
	}
	d.reauthorize = func(context.Context) (bool, error) {
		return world.seed%2 == 0 && world.badKey.CompareAndSwap(true, false), nil
	}
	jitter := r.Float64()
	options := deliver.Options{MaxInFlight: r.IntN(9), Jitter: func() float64 { return jitter }}
	if r.IntN(3) == 0 {
		options.Hint = randomHint(r)
	}
	s := deliver.NewSender(d, w.client(), options)
	for range 1 + r.IntN(3) {
		l := load{items: 1 + r.IntN(80), each: 1 + r.IntN(30), size: r.IntN(200)}
		limit := time.Duration(r.Int64N(int64(90 * time.Second)))
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		o := deliver.FlightOptions{Window: r.IntN(5), Probe: r.IntN(2) == 0}
		most, shelf := limit, &shelf{}
		if r.IntN(3) > 0 {
			shelf = world.randomShelf(r)
			o.Parker = shelf
			most += time.Duration(r.Int64N(int64(6 * time.Second)))
		}
		store, cancelStore := context.WithTimeout(t.Context(), most)
		o.Store = store
		begun := time.Now()
		got := send(ctx, t, s, o, l.batches(d)...)
		cancel()
		cancelStore()

		w.requireConserved(t, l.items, got, shelf.items()...)
		shelf.requireFew(t)
		require.LessOrEqual(t, got.elapsed, most)
		for _, c := range w.calls {
			require.Less(t, w.start.Add(c.at).Sub(begun), limit, "sent when time was up")
		}
		if o.Window > 0 {
			require.LessOrEqual(t, w.most, o.Window)
		}
		w.forget()
		time.Sleep(time.Duration(r.Int64N(int64(30 * time.Second))))
	}
}

// FuzzSplit413: whatever the sizes of the items and however the limit moves, splitting ends, conserves every item, and
// gives up only items that were refused alone.
func FuzzSplit413(f *testing.F) {
	f.Add([]byte{10, 20, 30, 40, 50, 60, 70}, []byte{9})
	f.Add([]byte{255, 1, 1, 1, 1, 1, 1, 1}, []byte{3, 50})
	f.Add([]byte{0}, []byte{})
	f.Add(make([]byte, 150), []byte{1, 200, 4, 90})
	f.Fuzz(func(t *testing.T, sizes, limits []byte) {
		if len(sizes) == 0 || len(sizes) > 300 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			alone := map[int]bool{} // refused so
			w := &wire{answer: func(c call) answer {
				if len(limits) == 0 || c.bytes <= 20*int(limits[c.number%len(limits)]) {
					return answer{}
				}
				if len(c.items) == 1 {
					alone[c.items[0]] = true
				}
				return status(http.StatusRequestEntityTooLarge)
			}}
			d := &intake{}
			s := deliver.NewSender(d, w.client(), deliver.Options{MaxInFlight: 1})
			for range 2 { // the second time with what the first one taught
				clear(alone)
				w.forget()
				batches := pack(d, compress.Plain{}, len(sizes), 50, func(n int) int { return int(sizes[n]) })
				got := send(t.Context(), t, s, deliver.FlightOptions{}, batches...)
				w.requireConserved(t, len(sizes), got)
				require.Equal(t, len(alone), got.Returned["http_413"])
				require.Equal(t, len(sizes), got.Delivered+len(alone))
				require.LessOrEqual(t, got.Requests, 2*len(sizes), "a tree has fewer knots than twice its leaves")
			}
		})
	})
}
