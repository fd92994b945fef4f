package deliver_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/compress"
	"sluice/internal/deliver"
)

func zstdAndGzip() []compress.Codec { return []compress.Codec{zstd, gzip} }

// refusing answers bodies in a coding with a status, and hands the others on.
func refusing(c coding, code int, next func(call) answer) func(call) answer {
	return func(got call) answer {
		if got.coding == string(c) {
			return answer{status: code, after: time.Second}
		}
		a := next(got)
		a.after = time.Second
		return a
	}
}

func accepting(call) answer { return answer{} }

// codings are those of the calls, in their order.
func (w *wire) codings() (all []string) {
	for _, c := range w.requests() {
		all = append(all, c.coding)
	}
	return all
}

func TestCoding(t *testing.T) {
	for name, tc := range map[string]struct {
		load    load
		answer  func(call) answer
		codings []string
		lost    []int
		after   coding // in use when all is over
	}{
		"taken as it is": {
			load: load{items: 8, each: 4}, answer: accepting, codings: []string{"zstd", "zstd"}, after: zstd,
		},
		"refused by name": {
			load: load{items: 4, each: 4}, answer: refusing(zstd, 415, accepting), codings: []string{"zstd", "gzip"}, after: gzip,
		},
		"refused by name: what was packed before is packed anew": {
			load: load{items: 12, each: 4}, answer: refusing(zstd, 415, accepting),
			codings: []string{"zstd", "gzip", "gzip", "gzip"}, after: gzip,
		},
		"refused as invalid, one item": {
			load: load{items: 1, each: 1}, answer: refusing(zstd, 400, accepting), codings: []string{"zstd", "gzip"}, after: gzip,
		},
		"refused as invalid, several items: the halves try the other one": {
			load: load{items: 8, each: 4}, answer: refusing(zstd, 400, accepting),
			codings: []string{"zstd", "gzip", "gzip", "gzip"}, after: gzip,
		},
		"poison in the first batch is not the coding's fault": {
			load: load{items: 12, each: 4}, answer: poison(1),
			codings: []string{"zstd", "gzip", "gzip", "gzip", "gzip", "zstd", "zstd"}, lost: []int{1}, after: zstd,
		},
		"poison alone in the first batch": {
			load: load{items: 3, each: 1}, answer: poison(0),
			codings: []string{"zstd", "gzip", "zstd", "zstd"}, lost: []int{0}, after: zstd,
		},
		"poison when the coding has been taken": {
			load: load{items: 8, each: 4}, answer: poison(5),
			codings: []string{"zstd", "zstd", "zstd", "zstd", "zstd", "zstd"}, lost: []int{5}, after: zstd,
		},
		"refused as invalid, and poison in the first batch": {
			load: load{items: 12, each: 4}, answer: refusing(zstd, 400, poison(1)),
			codings: []string{"zstd", "gzip", "gzip", "gzip", "gzip", "zstd", "gzip", "gzip", "gzip"}, lost: []int{1}, after: gzip,
		},
		"refused after a while, as a load balancer with mixed servers does": {
			load: load{items: 8, each: 4}, answer: func(c call) answer {
				if c.number == 1 {
					return status(http.StatusUnsupportedMediaType)
				}
				return answer{}
			},
			codings: []string{"zstd", "zstd", "gzip"}, after: gzip,
		},
		"every coding refused": {
			load: load{items: 8, each: 4}, answer: script(status(http.StatusUnsupportedMediaType)),
			codings: []string{"zstd", "gzip"}, lost: upToN(8), after: zstd,
		},
		"invalid in every coding is configuration": {
			load: load{items: 8, each: 4}, answer: script(status(http.StatusBadRequest)),
			codings: []string{"zstd", "gzip", "gzip"}, lost: upToN(8), after: zstd,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, w := &intake{codecs: zstdAndGzip()}, &wire{answer: tc.answer}
				s := deliver.NewSender(d, w.client(), deliver.Options{MaxInFlight: 1})
				require.Equal(t, zstd, s.Codec())
				got := send(t.Context(), t, s, deliver.FlightOptions{}, tc.load.batches(d)...)
				assert.Equal(t, tc.codings, w.codings())
				assert.Equal(t, tc.after, s.Codec())
				assert.Equal(t, len(tc.lost) > 0, got.Err != nil)
				assert.Equal(t, tc.load.items-len(tc.lost), got.Delivered)
				if got.Delivered > 0 {
					w.requireTaken(t, tc.load.items, tc.lost...)
				}
			})
		})
	}
}

// Several bodies are on their way when the first one is refused: each finds the other coding by itself, whatever the
// others have found by then.
func TestCodingRefusedInParallel(t *testing.T) {
	for name, code := range map[string]int{"by name": http.StatusUnsupportedMediaType, "as invalid": http.StatusBadRequest} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answered := refusing(zstd, code, accepting)
				d := &intake{codecs: zstdAndGzip()}
				w := &wire{answer: func(c call) answer {
					a := answered(c)
					a.after += time.Duration(c.number) * time.Second // the last answers come when the first ones have been acted on
					return a
				}}
				s := deliver.NewSender(d, w.client(), deliver.Options{})
				got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 80, each: 8}.batches(d)...)
				require.NoError(t, got.Err)
				w.requireTaken(t, 80)
				assert.Equal(t, gzip, s.Codec())
				assert.LessOrEqual(t, w.refused(answered, code), 2, "those that were on their way")
			})
		})
	}
}
