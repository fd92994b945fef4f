package deliver_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"
)

// wire plays the network and the server behind it: a transport whose answers a test gives.
type wire struct {
	// answer is called for each request as it arrives; nil accepts everything.
	answer func(call) answer

	mu        sync.Mutex
	start     time.Time
	calls     []call
	taken     map[int]int // how often the server took each item
	confirmed map[int]int // how often it said so
	inFlight  int
	most      int // requests in flight at a time, at most
}

// call is a request as the server sees it.
type call struct {
	number int           // from 0
	at     time.Duration // since the first one
	nth    int           // of this batch, from 0
	id     string        // of the batch
	coding string
	items  []int
	bytes  int // of the plain body
}

// answer is what comes back. The zero value is a 202.
type answer struct {
	status    int
	header    http.Header
	body      string
	after     time.Duration
	err       error // in place of an answer
	unwritten bool  // the error came before the request had left
	taken     bool  // the server took the items although it does not say so
}

func status(code int) answer { return answer{status: code} }

// throttled is a 429 with a value for Retry-After.
func throttled(retryAfter string) answer {
	return answer{status: http.StatusTooManyRequests, header: http.Header{"Retry-After": {retryAfter}}}
}

// script answers with one after the other; the last one is repeated.
func script(answers ...answer) func(call) answer {
	return func(c call) answer { return answers[min(c.number, len(answers)-1)] }
}

func (w *wire) client() *http.Client { return &http.Client{Transport: w} }

// RoundTrip takes the request in, waits as long as the answer wants, and answers.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	c, err := w.receive(req)
	if err != nil {
		return nil, err
	}
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.inFlight--
	}()
	var a answer
	if w.answer != nil {
		a = w.answer(c)
	}
	if a.status == 0 {
		a.status = http.StatusAccepted
	}
	if trace := httptrace.ContextClientTrace(req.Context()); !a.unwritten && trace != nil {
		trace.WroteRequest(httptrace.WroteRequestInfo{})
	}
	timer := time.NewTimer(a.after)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	confirmed := a.err == nil && a.status == http.StatusAccepted
	if a.taken || confirmed {
		w.take(c.items, confirmed)
	}
	if a.err != nil {
		return nil, a.err
	}
	if a.header == nil {
		a.header = http.Header{}
	}
	return &http.Response{
		StatusCode: a.status, Header: a.header, Body: io.NopCloser(strings.NewReader(a.body)), Request: req,
	}, nil
}

// receive reads a request.
func (w *wire) receive(req *http.Request) (call, error) {
	defer req.Body.Close()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return call{}, err
	}
	c := call{id: req.Header.Get("Idempotency-Key"), coding: req.Header.Get("Content-Encoding")}
	plain, err := coding(c.coding).Unpack(nil, body)
	if err == nil {
		c.bytes = len(plain)
		c.items, err = numbers(plain)
	}
	if err != nil {
		return call{}, fmt.Errorf("body of %s: %w", c.id, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calls == nil {
		w.start, w.taken, w.confirmed = time.Now(), map[int]int{}, map[int]int{}
	}
	c.number, c.at = len(w.calls), time.Since(w.start)
	for _, earlier := range w.calls {
		if earlier.id == c.id {
			c.nth++
		}
	}
	w.calls = append(w.calls, c)
	w.inFlight++
	w.most = max(w.most, w.inFlight)
	return c, nil
}

func (w *wire) take(items []int, confirmed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range items {
		w.taken[n]++
		if confirmed {
			w.confirmed[n]++
		}
	}
}

// forget begins anew, between two flights.
func (w *wire) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls, w.taken, w.confirmed, w.most = nil, nil, nil, 0
}

// requests are the calls so far.
func (w *wire) requests() []call {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]call(nil), w.calls...)
}

// times are those of the calls.
func (w *wire) times() []time.Duration {
	var all []time.Duration
	for _, c := range w.requests() {
		all = append(all, c.at)
	}
	return all
}
