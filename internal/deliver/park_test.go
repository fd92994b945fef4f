package deliver_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"sluice/internal/deliver"
	"sluice/internal/destination"
)

// Every reason for which a batch is given up, and whether it is due again or dead.
func TestParkedFor(t *testing.T) {
	const s = time.Second
	noAnswer := func(err error) func(call) answer { return script(answer{err: err, unwritten: true}) }
	coded := func(code int) func(call) answer { return script(status(code)) }
	for name, tc := range map[string]struct {
		answer func(call) answer
		items  int // in one batch; 0 for 4
		size   int
		change func(d *intake)
		limit  time.Duration // of the flight; 0 for a minute
		want   parked        // without batch, parts and items, which are all
	}{
		"500":                       {answer: coded(500), want: parked{Reason: "http_500", Status: 500}},
		"503":                       {answer: coded(503), want: parked{Reason: "http_503", Status: 503}},
		"408":                       {answer: coded(408), want: parked{Reason: "http_408", Status: 408}},
		"429":                       {answer: coded(429), want: parked{Reason: "http_429", Status: 429}},
		"429 with a wait in budget": {answer: script(throttled("7")), want: parked{Reason: "http_429", Status: 429, Wait: 7 * s}},
		"429 with a wait beyond":    {answer: script(throttled("120")), want: parked{Reason: "http_429", Status: 429, Wait: 120 * s}},
		"429 with a wait of days":   {answer: script(throttled("999999")), want: parked{Reason: "http_429", Status: 429, Wait: 24 * time.Hour}},

		"connection refused": {answer: noAnswer(syscall.ECONNREFUSED), want: parked{Reason: "connect"}},
		"no such name":       {answer: noAnswer(&net.DNSError{Err: "no such host"}), want: parked{Reason: "dns"}},
		"no certificate":     {answer: noAnswer(&tls.CertificateVerificationError{Err: errors.New("expired")}), want: parked{Reason: "tls"}},
		"reset":              {answer: script(answer{err: syscall.ECONNRESET}), want: parked{Reason: "reset"}},
		"no answer":          {answer: script(answer{after: time.Hour}), want: parked{Reason: "timeout"}},
		"another error":      {answer: noAnswer(errors.New("broken")), want: parked{Reason: "transport"}},

		"401: the key": {answer: coded(401), want: parked{Reason: "http_401", Status: 401}},
		"403: the key": {answer: coded(403), want: parked{Reason: "http_403", Status: 403}},
		"307":          {answer: coded(307), want: parked{Reason: "http_307", Status: 307}},
		"404":          {answer: coded(404), want: parked{Reason: "http_404", Status: 404}},
		"415 in every coding": {
			answer: coded(415), change: func(d *intake) { d.codecs = zstdAndGzip() }, want: parked{Reason: "http_415", Status: 415},
		},
		"400 for both halves: configuration": {answer: coded(400), want: parked{Reason: "http_400", Status: 400}},
		"422 for both halves: configuration": {answer: coded(422), want: parked{Reason: "http_422", Status: 422}},

		"400 for a single record": {answer: coded(400), items: 1, want: parked{Reason: "http_400", Status: 400, Permanent: true}},
		"413 for a single record": {answer: coded(413), items: 1, want: parked{Reason: "http_413", Status: 413, Permanent: true}},
		"413 for every record":    {answer: coded(413), want: parked{Reason: "http_413", Status: 413, Permanent: true}},

		"out of time":           {limit: 100 * time.Millisecond, want: parked{Reason: "deadline"}},
		"time ends while asked": {answer: script(answer{after: 10 * s}), limit: 5 * s, want: parked{Reason: "deadline"}},
		"no credentials": {
			change: func(d *intake) { d.request = func() error { return errors.New("secret is not there") } },
			want:   parked{Reason: "no_credentials", Cause: "secret is not there"},
		},
		"panic in a request": {
			change: func(d *intake) { d.request = func() error { panic("broken") } }, want: parked{Reason: "panic"},
		},
		"panic between two attempts": {
			answer: coded(401), change: func(d *intake) {
				d.reauthorize = func(context.Context) (bool, error) { panic("broken") }
			},
			want: parked{Reason: "panic"},
		},
		"a reason that no key can have": {
			change: func(d *intake) {
				d.outcome = func(*http.Response, []byte) destination.Outcome {
					return destination.Outcome{Verdict: destination.Refused, Reason: "Not Found/../" + strings.Repeat("é", 40)}
				}
			},
			want: parked{Reason: "not_found_____" + strings.Repeat("_", 26), Status: 202},
		},
		"no reason": {
			change: func(d *intake) {
				d.outcome = func(*http.Response, []byte) destination.Outcome { return destination.Outcome{} }
			},
			want: parked{Reason: "unknown", Status: 202},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, w, shelf := &intake{}, &wire{answer: tc.answer}, &shelf{}
				if tc.change != nil {
					tc.change(d)
				}
				if tc.items == 0 {
					tc.items = 4
				}
				if tc.limit == 0 {
					tc.limit = time.Minute
				}
				batches := load{items: tc.items, each: tc.items, size: tc.size}.batches(d)
				ctx, cancel := context.WithTimeout(t.Context(), tc.limit)
				defer cancel()
				sender := deliver.NewSender(d, w.client(), deliver.Options{Jitter: never, AttemptTimeout: 9 * s})
				got := send(ctx, t, sender, deliver.FlightOptions{Parker: shelf, Store: t.Context()}, batches...)

				tc.want.Batch, tc.want.Parts, tc.want.Items = batches[0].ID, []string{batches[0].ID}, upToN(tc.items)
				assert.Equal(t, []parked{tc.want}, shelf.objects())
				assert.NoError(t, got.Err)
				assert.Equal(t, map[string]int{tc.want.Reason: tc.items}, got.Parked)
				assert.Empty(t, got.Returned)
			})
		})
	}
}

func TestOversizedIsParkedAsDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, w, shelf := &intake{}, &wire{}, &shelf{}
		batches := load{items: 3, each: 1, size: 10}.batches(d)
		batches[1] = load{items: 1, each: 1, size: 100}.batches(&stubborn{*d})[0]
		got := send(t.Context(), t, deliver.NewSender(d, w.client(), deliver.Options{}),
			deliver.FlightOptions{Parker: shelf}, batches...)
		assert.NoError(t, got.Err)
		assert.Equal(t, map[string]int{"oversize": 1}, got.Parked)
		assert.Equal(t, 2, got.Delivered)
		id := batches[1].ID
		assert.Equal(t, []parked{{Batch: id, Parts: []string{id}, Items: []int{0}, Reason: "oversize", Permanent: true}}, shelf.objects())
	})
}

// What is parked of a batch that was split: few objects, made of the batch's answers alone.
func TestParkedParts(t *testing.T) {
	type object struct {
		reason    string
		permanent bool
		items     []int
		parts     []string // suffixes of the batch's id
		wait      int      // seconds
	}
	tooLarge := func(most int, otherwise func(call) answer) func(call) answer {
		return func(c call) answer {
			if len(c.items) > most {
				return status(http.StatusRequestEntityTooLarge)
			}
			return otherwise(c)
		}
	}
	for name, tc := range map[string]struct {
		items  int
		answer func(call) answer
		want   []object
	}{
		"one poisoned record": {
			8, poison(5), []object{{"http_400", true, []int{5}, []string{".1.0.1"}, 0}},
		},
		"two poisoned records are one object": {
			64, poison(40, 41), []object{{"http_400", true, []int{40, 41}, []string{".1.0.1.0.0.0", ".1.0.1.0.0.1"}, 0}},
		},
		"one half of a large batch": {
			8, tooLarge(4, func(c call) answer {
				if c.items[0] == 4 {
					return status(http.StatusServiceUnavailable)
				}
				return answer{}
			}), []object{{"http_503", false, []int{4, 5, 6, 7}, []string{".1"}, 0}},
		},
		"both halves are the batch": {
			8, tooLarge(4, script(status(http.StatusServiceUnavailable))),
			[]object{{"http_503", false, upToN(8), []string{""}, 0}},
		},
		"several reasons to try again: the first one counts, and the longest wait": {
			8, tooLarge(2, func(c call) answer {
				switch c.items[0] {
				case 2:
					return answer{status: http.StatusServiceUnavailable, header: http.Header{"Retry-After": {"1"}}}
				case 4:
					return throttled("3")
				case 6:
					return throttled("2")
				}
				return answer{}
			}), []object{{"http_503", false, []int{2, 3, 4, 5, 6, 7}, []string{".0.1", ".1.0", ".1.1"}, 3}},
		},
		"dead for two reasons, and due again": {
			8, tooLarge(2, func(c call) answer {
				switch c.items[0] {
				case 0:
					return poison(0)(c)
				case 2:
					return status(http.StatusServiceUnavailable)
				case 6, 7:
					return status(http.StatusRequestEntityTooLarge)
				}
				return answer{}
			}), []object{
				{"http_400", true, []int{0}, []string{".0.0.0"}, 0},
				{"http_503", false, []int{2, 3}, []string{".0.1"}, 0},
				{"http_413", true, []int{6, 7}, []string{".1.1.0", ".1.1.1"}, 0},
			},
		},
		"all of it is given up, in two states": {
			4, tooLarge(2, func(c call) answer {
				if c.items[0] < 2 {
					return status(http.StatusBadRequest)
				}
				return status(http.StatusNotFound)
			}), []object{
				{"http_400", true, []int{0, 1}, []string{".0.0", ".0.1"}, 0},
				{"http_404", false, []int{2, 3}, []string{".1"}, 0},
			},
		},
		"the destination goes away during the search": {
			8, func(c call) answer {
				if c.number == 0 {
					return status(http.StatusBadRequest)
				}
				return status(http.StatusServiceUnavailable)
			}, []object{{"http_503", false, upToN(8), []string{""}, 0}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, w, shelf := &intake{}, &wire{answer: tc.answer}, &shelf{}
				s := deliver.NewSender(d, w.client(), deliver.Options{MaxInFlight: 1, Jitter: never})
				b := load{items: tc.items, each: tc.items}.batches(d)[0]
				got := send(t.Context(), t, s, deliver.FlightOptions{Parker: shelf}, b)
				assert.NoError(t, got.Err)
				var objects []object
				for _, p := range shelf.parked { // in the order of their first items
					assert.Equal(t, b.ID, p.Batch)
					o := object{reason: p.Reason, permanent: p.Permanent, items: p.Items, wait: int(p.Wait.Seconds())}
					for _, part := range p.Parts {
						o.parts = append(o.parts, strings.TrimPrefix(part, b.ID))
					}
					objects = append(objects, o)
				}
				assert.Equal(t, tc.want, objects)
				assert.Equal(t, tc.items, got.Delivered+len(shelf.items()))
			})
		})
	}
}

// What follows a wait that the destination asked for knows how much of it is left.
func TestWaitOfWhatFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, w, shelf := &intake{}, &wire{answer: script(throttled("1200"))}, &shelf{}
		s := deliver.NewSender(d, w.client(), deliver.Options{MaxInFlight: 1})
		o := deliver.FlightOptions{Parker: shelf}
		send(t.Context(), t, s, o, load{items: 2, each: 1}.batches(d)...)
		time.Sleep(100 * time.Second)
		send(t.Context(), t, s, o, load{items: 1, each: 1}.batches(d)...)
		var waits []time.Duration
		for _, p := range shelf.parked {
			waits = append(waits, p.Wait)
		}
		assert.Equal(t, []time.Duration{1200 * time.Second, 1200 * time.Second, 1100 * time.Second}, waits)
		assert.Len(t, w.requests(), 1)

		time.Sleep(200 * time.Second) // longer than a breaker is open, and one asks again: all is well
		w.answer, shelf.parked = nil, nil
		send(t.Context(), t, s, o, load{items: 1, each: 1}.batches(d)...)
		w.answer = script(status(http.StatusNotFound))
		send(t.Context(), t, s, o, load{items: 2, each: 1}.batches(d)...)
		assert.Equal(t, "breaker_open", shelf.parked[1].Reason)
		assert.Zero(t, shelf.parked[1].Wait, "what was asked for then is over")
	})
}
