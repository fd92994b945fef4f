package forward

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/config"
	"sluice/internal/park"
)

// newTeeRig wires a transformation that delivers to two destinations too.
func newTeeRig(t *testing.T, form config.Output, settings string) *rig {
	t.Helper()
	r := newStreamRig(t, map[string]string{
		"SLUICE_CONFIG": twoHTTP(settings), "SLUICE_FIREHOSE_TEE": "true", "SLUICE_FIREHOSE_OUTPUT": string(form),
	})
	require.Len(t, r.lanes, 2)
	return r
}

// plainAnswer is the answer to an event without tee.
func plainAnswer(t *testing.T, form config.Output, event []byte) string {
	t.Helper()
	r := newStreamRig(t, map[string]string{"SLUICE_FIREHOSE_OUTPUT": string(form)})
	answer, _, err := r.invoke(t, Firehose, event)
	require.NoError(t, err)
	assert.Empty(t, r.intake.got)
	return answer
}

// What Firehose is told to keep in the stream is delivered to the destinations too, and nothing else: what comes back is
// delivered then, and what is dropped is no log. The answer is that of a transformation alone.
func TestTee(t *testing.T) {
	records := putTexts("one\ntwo", string(flowPayload("of a payload")), controlPayload, "\n", "\x1f\x8b bad", "three")
	records = append(records, put{id: recordID(9), raw: `"****"`}, put{id: recordID(5), data: []byte("the same id again")})
	event := transformationOf("", records)
	for _, form := range forms {
		t.Run(string(form), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newTeeRig(t, form, "")
				answer, ledger, err := r.invoke(t, Firehose, event)
				require.NoError(t, err)
				assert.Equal(t, plainAnswer(t, form, event), answer)
				assert.Empty(t, ledger.Error)
				want := []string{"one", "two", "of a payload", "three"}
				for _, id := range []string{"a", "b"} {
					assert.Equal(t, want, r.intake.taken(t, hostOfLane(id)))
					c := ledger.Destinations[id]
					assert.Equal(t, []int{len(want) + sum(c.Dropped), len(want)}, []int{c.In, c.Delivered})
					assert.Empty(t, c.Returned)
				}
				assert.Equal(t, len(want), ledger.Destinations[streamAccount].Delivered)
				assert.Equal(t, 3, sum(ledger.Destinations[streamAccount].Returned))
				assert.Len(t, uniqueIDs(r.intake.items(t, "a.example.com")), len(want))
			})
		})
	}
}

// Whatever a destination does, the answer is the same, and every line is accounted for. Only when nothing can be parked
// either, the batch comes again.
func TestTeeToDestinationsThatFail(t *testing.T) {
	records := make([]put, 120)
	var want []string
	for i := range records {
		want = append(want, fmt.Sprintf("line %d.", i))
		records[i] = put{id: recordID(i), data: []byte(want[i])}
	}
	event := transformationOf("", records)
	for name, tc := range map[string]struct {
		settings string
		change   func(r *rig)
		left     time.Duration
		parked   int // of a
		returned int
		err      string
	}{
		"down": {change: func(r *rig) { r.intake.answer = failingFrom(1, "a.example.com", 503) }, parked: 80},
		"refuses the key": {
			change: func(r *rig) { r.intake.answer = failingFrom(0, "a.example.com", 403) }, parked: 120,
		},
		"finds one line invalid": {
			change: func(r *rig) {
				r.intake.answer = func(got received) int {
					if strings.Contains(got.url, "a.example.com") && strings.Contains(string(got.body), "line 50.") {
						return http.StatusBadRequest
					}
					return http.StatusAccepted
				}
			}, parked: 1,
		},
		"falls silent": {
			change: func(r *rig) {
				r.intake.answer = func(got received) int {
					if strings.Contains(got.url, "a.example.com") {
						return 0
					}
					return http.StatusAccepted
				}
			}, left: 12 * time.Second, parked: 120,
		},
		"down, and nothing can be parked": {
			change: func(r *rig) {
				r.intake.answer, r.s3.refusePutTo = failingFrom(0, "a.example.com", 404), "a"
			}, returned: 120, err: "parking them failed too",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newTeeRig(t, config.OutputJSON, tc.settings)
				tc.change(r)
				if tc.left == 0 {
					tc.left = 5 * time.Minute
				}
				ctx := within(t, tc.left)
				answer, ledger, err := r.invokeWithin(ctx, t, Firehose, event)
				require.NoError(t, ctx.Err(), "answered in time")
				if tc.err == "" {
					require.NoError(t, err)
					assert.Equal(t, plainAnswer(t, config.OutputJSON, event), answer, "byte for byte")
				} else {
					require.ErrorContains(t, err, tc.err, "Firehose gives the batch again")
				}
				a, b := ledger.Destinations["a"], ledger.Destinations["b"]
				assert.Equal(t, []int{120, 120 - tc.parked - tc.returned, tc.parked, tc.returned}, []int{a.In, a.Delivered, sum(a.Parked), sum(a.Returned)})
				assert.Equal(t, 120, b.Delivered)
				assert.Len(t, r.intake.taken(t, "b.example.com"), 120)
				assert.Contains(t, ledger.Error, tc.err)
				assert.Equal(t, tc.err == "", ledger.Error == "")
				if tc.returned > 0 {
					return
				}
				for _, state := range []park.State{park.Pending, park.Dead} {
					for _, o := range r.shelved(t, state, "a") {
						assert.Equal(t, []string{park.EntryFirehose, shopStream}, []string{o.Header.Sources[0].Entry, o.Header.Sources[0].StreamARN})
					}
				}
				r.ticking().drain(t)
				r.intake.answer = nil
				_, _, err = r.replays(t, `{"replay":{"state":"dead","dry_run":false}}`)
				require.NoError(t, err)
				assert.ElementsMatch(t, want, r.intake.taken(t, "a.example.com"))
			})
		})
	}
}

// A bug that some line meets on its way to a destination costs the stream nothing: the record is kept as it came. Where
// that fails, the batch comes again, as nobody else has what the destinations did not get.
func TestTeePanics(t *testing.T) {
	records := putTexts("one\ntwo", "bad", "three")
	event := transformationOf("", records)
	r := newTeeRig(t, config.OutputJSON, "")
	breakLane(r, panicking{at: "bad", value: "boom " + canary})
	answer, ledger, err := r.invoke(t, Firehose, event)
	require.NoError(t, err)
	assert.Equal(t, plainAnswer(t, config.OutputJSON, event), answer)
	assert.Contains(t, ledger.Error, "tee: record")
	assert.Contains(t, ledger.Error, "panic of type string")
	assert.Equal(t, tally{"panic": 1}, ledger.Destinations["b"].Parked)
	kept := r.rawBelow(t, park.EntryFirehose)
	require.Len(t, kept, 1)
	assert.Equal(t, "bad", string(kept[0].Payload))
	assert.Equal(t, []string{"one", "two", "three"}, r.intake.taken(t, "b.example.com"))
	assert.Equal(t, []string{"one", "two", "three"}, r.intake.taken(t, "a.example.com"))

	r = newTeeRig(t, config.OutputJSON, "")
	breakLane(r, panicking{at: "bad", value: "boom " + canary})
	r.s3.refusePut = errNoBucket
	_, ledger, err = r.invoke(t, Firehose, event)
	require.ErrorContains(t, err, "tee: record")
	assert.Equal(t, tally{"panic": 1}, ledger.Destinations["b"].Returned)
}

// Records for which the answer has no room are not delivered now: they come again, by the stream or by their objects.
func TestTeeWithoutRoom(t *testing.T) {
	event := transformationOf("", putTexts(overflowTexts()...))
	r := newTeeRig(t, config.OutputJSON, "")
	answer, ledger, err := r.invoke(t, Firehose, event)
	require.NoError(t, err)
	assert.Equal(t, plainAnswer(t, config.OutputJSON, event), answer)
	ok := 0
	for _, v := range verdicts(t, answer) {
		if v.Result == "Ok" {
			ok++
		}
	}
	assert.Positive(t, ok)
	assert.Positive(t, ledger.Destinations[streamAccount].Returned["response_budget"])
	assert.Equal(t, ok, ledger.Destinations["a"].Delivered)
	assert.Len(t, r.intake.taken(t, "b.example.com"), ok)
}

// overflowTexts are records of which no answer holds all.
func overflowTexts() []string {
	texts := make([]string, 12)
	for i := range texts {
		texts[i] = fmt.Sprint(i, " ", strings.Repeat("x", 600_000))
	}
	return texts
}

// A batch that cannot be read is an error, with or without destinations.
func TestTeeOfAnEventThatCannotBeRead(t *testing.T) {
	r := newTeeRig(t, config.OutputJSON, "")
	_, ledger, err := r.invoke(t, Firehose, []byte("hello"))
	require.Error(t, err)
	assert.Empty(t, r.s3.keysBelow("sluice/"))
	assert.Equal(t, tally{"decode": 1}, ledger.Destinations[streamAccount].Returned)
}
