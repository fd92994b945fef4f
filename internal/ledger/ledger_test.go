package ledger

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func Example() {
	l := New("datadog", "loki")
	for _, id := range []string{"datadog", "loki"} {
		l.Account(id).In(3)
	}
	l.Account("datadog").Delivered(2)
	l.Account("datadog").Dropped(EmptyLine, 1)
	l.Account("loki").Parked("http_503", 2)
	fmt.Println(l.Check())
	// Output:
	// ledger of destination "loki" does not balance: in=3 delivered=0 dropped=0 parked=2 returned=0 difference=1: return the whole event
}

func TestCheck(t *testing.T) {
	for name, tc := range map[string]struct {
		count       func(l *Ledger)
		unaccounted int
		errs        []string
	}{
		"nothing happened": {
			count: func(*Ledger) {},
		},
		"every kind of end counts": {
			count: func(l *Ledger) {
				a := l.Account("a")
				a.In(10)
				a.Delivered(4)
				a.Dropped(FilterExclude, 1)
				a.Dropped(HeaderLine, 1)
				a.Parked("http_503", 1)
				a.Parked("timeout", 1)
				a.Returned("deadline", 2)
			},
		},
		"a deficit is named with its numbers": {
			count: func(l *Ledger) {
				a := l.Account("a")
				a.In(10)
				a.Delivered(4)
				a.Dropped(TooOld, 3)
				a.Parked("http_503", 1)
				a.Returned("deadline", 1)
			},
			unaccounted: 1,
			errs:        []string{`"a" does not balance: in=10 delivered=4 dropped=3 parked=1 returned=1 difference=1`},
		},
		"a surplus is an error too": {
			count: func(l *Ledger) {
				l.Account("a").In(1)
				l.Account("a").Delivered(3)
			},
			unaccounted: 2,
			errs:        []string{`"a" does not balance: in=1 delivered=3 dropped=0 parked=0 returned=0 difference=-2`},
		},
		"a surplus does not hide a deficit elsewhere": {
			count: func(l *Ledger) {
				l.Account("b").In(1)
				l.Account("a").Delivered(1)
			},
			unaccounted: 2,
			errs:        []string{`"a" does not balance`, `difference=-1`, `"b" does not balance`, `difference=1`},
		},
		"an unknown destination has to balance": {
			count: func(l *Ledger) {
				l.Account("new").In(1)
			},
			unaccounted: 1,
			errs:        []string{`"new" does not balance`},
		},
		"marks, attempts and possible duplicates are no end of a line": {
			count: func(l *Ledger) {
				a := l.Account("a")
				a.In(1)
				a.Marked("redacted", 1)
				a.PossibleDuplicate(1)
				a.Attempt(100, time.Second, false)
			},
			unaccounted: 1,
			errs:        []string{`difference=1`},
		},
		"an answer refusing more than was sent cannot be evened out": {
			count: func(l *Ledger) {
				a := l.Account("a")
				a.In(10)
				a.Dropped(DestRejected, 12)
				a.Delivered(10 - 12)
			},
			unaccounted: 2,
			errs:        []string{`delivered=0 dropped=12 parked=0 returned=0 difference=-2`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := New("a", "b")
			tc.count(l)
			err := l.Check()
			assert.Equal(t, tc.unaccounted, l.Unaccounted())
			if len(tc.errs) == 0 {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			rest := err.Error()
			for _, want := range tc.errs {
				_, after, found := strings.Cut(rest, want)
				require.True(t, found, "%q in this order in %q", want, err)
				rest = after
			}
		})
	}
}

// TestCheckAgreesWithSums counts at random and compares with sums kept beside the ledger.
func TestCheckAgreesWithSums(t *testing.T) {
	const seed = 20
	random := rand.New(rand.NewPCG(seed, seed))
	for range 500 {
		l := New("a", "b", "c")
		want := map[string]int{"a": 0, "b": 0, "c": 0} // difference by destination
		for range random.IntN(30) {
			id := string(rune('a' + random.IntN(3)))
			want[id] += countAtRandom(l.Account(id), random)
		}
		if random.IntN(2) == 0 { // settle what is open, as an invocation does at its end
			for id, open := range want {
				l.Account(id).Returned("deadline", open)
				want[id] = min(open, 0)
			}
		}
		requireDifferences(t, l, want)
	}
}

// countAtRandom does one random thing to an account and returns by how much the difference has to change.
func countAtRandom(a *Account, random *rand.Rand) int {
	n := random.IntN(5)
	switch random.IntN(8) {
	case 0, 1, 2:
		a.In(2 * n)
		return 2 * n
	case 3:
		a.Delivered(n)
	case 4:
		a.Dropped([]Rule{EmptyLine, FilterSampled}[random.IntN(2)], n)
	case 5:
		a.Parked([]string{"http_503", "timeout"}[random.IntN(2)], n)
	case 6:
		a.Returned([]string{"deadline", "store"}[random.IntN(2)], n)
	default:
		a.Marked("truncated", n)
		a.Attempt(n, time.Duration(n), true)
		a.PossibleDuplicate(n)
		return 0
	}
	return -n
}

func requireDifferences(t *testing.T, l *Ledger, want map[string]int) {
	t.Helper()
	unaccounted, message := 0, ""
	if err := l.Check(); err != nil {
		message = err.Error() + "\n"
	}
	for id, difference := range want {
		unaccounted += max(difference, -difference)
		if difference == 0 {
			require.NotContains(t, message, fmt.Sprintf("destination %q", id))
			continue
		}
		_, line, found := strings.Cut(message, fmt.Sprintf("destination %q", id))
		require.True(t, found, "%q in %q", id, message)
		line, _, _ = strings.Cut(line, "\n")
		require.Contains(t, line, fmt.Sprintf("difference=%d:", difference))
	}
	require.Equal(t, unaccounted, l.Unaccounted())
}

func TestCounts(t *testing.T) {
	a := New().Account("a")
	a.In(5)
	a.In(2)
	a.Delivered(3)
	a.Delivered(1)
	a.Dropped(EmptyLine, 1)
	a.Dropped(EmptyLine, 1)
	a.Parked("http_400", 1)
	a.Returned("deadline", 1)
	a.Marked("chunked", 4)
	a.Attempt(100, time.Second, false)
	a.Attempt(50, time.Second, true)
	a.PossibleDuplicate(6)
	want := Counts{
		In: 7, Delivered: 4,
		Dropped:  map[Rule]int{EmptyLine: 2},
		Parked:   map[string]int{"http_400": 1},
		Returned: map[string]int{"deadline": 1},
		Marked:   map[string]int{"chunked": 4},
		Requests: 2, Retries: 1, BytesSent: 150, PossibleDuplicates: 6,
	}
	got := a.Counts()
	require.Equal(t, want, got)

	got.Dropped[TooOld] = 1
	got.Parked["x"], got.Returned["x"], got.Marked["x"] = 1, 1, 1
	require.Equal(t, want, a.Counts(), "a snapshot belongs to the caller")
}

func TestNumbersBelowOneCountNothing(t *testing.T) {
	l := New("a")
	empty := l.Account("a").Counts()
	for _, n := range []int{0, -1, -1000} {
		a := l.Account("a")
		a.In(n)
		a.Delivered(n)
		a.Dropped(EmptyLine, n)
		a.Parked("x", n)
		a.Returned("x", n)
		a.Marked("x", n)
		a.PossibleDuplicate(n)
		l.BytesIn(n)
	}
	assert.Equal(t, empty, l.Account("a").Counts())
	assert.Zero(t, l.bytesIn.Load())
}

func TestNamesAreBounded(t *testing.T) {
	for name, tc := range map[string]struct {
		names []string
		want  map[string]int
	}{
		"plain": {
			names: []string{"http_503", "http_503"},
			want:  map[string]int{"http_503": 2},
		},
		"names alike after 256 bytes are one": {
			names: []string{strings.Repeat("a", 256), strings.Repeat("a", 257)},
			want:  map[string]int{strings.Repeat("a", 256): 2},
		},
		"a rune is not cut in two": {
			names: []string{strings.Repeat("a", 255) + "é"},
			want:  map[string]int{strings.Repeat("a", 255): 1},
		},
		"broken UTF-8 is replaced": {
			names: []string{"a\xff", "a\xfe"},
			want:  map[string]int{"a\uFFFD": 2},
		},
		"too many names go under other, known ones stay": {
			names: append(numbered(70), "0", "69"),
			want: func() map[string]int {
				m := map[string]int{"other": 7}
				for _, name := range numbered(64) {
					m[name] = 1
				}
				m["0"] = 2
				return m
			}(),
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := New().Account("a")
			for _, name := range tc.names {
				a.Parked(name, 1)
			}
			assert.Equal(t, tc.want, a.Counts().Parked)
		})
	}
}

func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint(i)
	}
	return names
}

func TestAccountIsTheSameForOneDestination(t *testing.T) {
	l := New("a")
	first := l.Account("a")
	assert.Same(t, first, l.Account("a"))
	assert.NotSame(t, l.Account("a"), l.Account("b"))
	assert.Equal(t, []string{"a", "b"}, []string{l.statements()[0].destination, l.statements()[1].destination})
}

func TestConcurrentUse(t *testing.T) {
	const workers, rounds = 8, 200
	l := New("a")
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			id := string(rune('a' + w%2))
			for range rounds {
				a := l.Account(id)
				a.In(4)
				a.Delivered(1)
				a.Dropped(FilterSampled, 1)
				a.Parked("http_503", 1)
				a.Returned("deadline", 1)
				a.Marked("redacted", 1)
				a.Attempt(10, time.Millisecond, false)
				a.PossibleDuplicate(1)
				l.BytesIn(100)
			}
		})
	}
	wg.Go(func() {
		for range rounds {
			l.AppendEMF(nil, Invocation{})
		}
	})
	wg.Wait()

	require.NoError(t, l.Check())
	a, b := l.Account("a").Counts(), l.Account("b").Counts()
	assert.Equal(t, a, b)
	assert.Equal(t, workers*rounds*4, a.In+b.In)
	assert.Equal(t, workers*rounds, a.Requests+b.Requests)
	assert.EqualValues(t, workers*rounds*100, l.bytesIn.Load())
}

// TestRules holds the names that alarms and dashboards use.
func TestRules(t *testing.T) {
	rules := []Rule{
		FilterExclude, FilterSampled, ControlMessage, OwnLogGroup, OwnStoreObject, S3TestEvent, NotObjectCreated,
		NotAllowedSource, SourceGone, SourceOverwritten, EmptyLine, NotALog, HeaderLine, DestRejected, TooOld,
	}
	assert.Equal(t, []Rule{
		"filter_exclude", "filter_sampled", "control_message", "own_log_group", "own_store_object", "s3_test_event",
		"not_object_created", "not_allowed_source", "source_gone", "source_overwritten", "empty_line", "not_a_log",
		"header_line", "dest_rejected", "too_old",
	}, rules)
}

func TestInDoesNotAllocate(t *testing.T) {
	a := New().Account("a")
	assert.Zero(t, testing.AllocsPerRun(1000, func() { a.In(1) }))
}

func TestKnownNamesDoNotAllocate(t *testing.T) {
	a := New().Account("a")
	assert.Zero(t, testing.AllocsPerRun(1000, func() {
		a.Dropped(FilterSampled, 1)
		a.Marked("redacted", 1)
	}))
}

func BenchmarkIn(b *testing.B) {
	a := New().Account("a")
	b.ReportAllocs()
	for b.Loop() {
		a.In(1)
	}
}

func BenchmarkDropped(b *testing.B) {
	a := New().Account("a")
	b.ReportAllocs()
	for b.Loop() {
		a.Dropped(FilterSampled, 1)
	}
}
