package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"sluice/e2e/generate"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/loopback"
)

// Limits of the Datadog Logs API v2 ("Send logs").
const (
	keyHeader    = "DD-API-KEY"
	maxBodyBytes = 5_000_000 // uncompressed
	maxItems     = 1_000
)

// sink is the intake of a soak. It reads scripts and items as package intake does and is as strict about keys, paths and
// sizes, but its ledger grows with the requests and not with the lines, so that a run may last. What it takes is in the
// ledger before it is answered.
type sink struct {
	server   *loopback.Server
	arrivals *arrivals
	now      func() time.Time

	// gate is held for reading by every request until its answer is on its way, so that going down cuts none off between the
	// two: nobody could say then what the sender knows.
	gate sync.RWMutex
	down bool // guarded by gate

	mu     sync.Mutex // guards what follows
	keys   []string   // by sender
	script intake.Script
	log    []request // by number - 1
}

// request is one that came, taken or not.
type request struct {
	at     time.Time
	batch  string
	sender int
	ended  time.Time
	end    string // what the intake did with it, in words; empty when it did not come to that
}

// startSink starts an intake that accepts the given API keys. Close it.
func startSink(keys ...string) (*sink, error) {
	s := &sink{arrivals: &arrivals{}, keys: keys, script: intake.Always(intake.Step{}), now: time.Now}
	var err error
	if s.server, err = loopback.Serve(s); err != nil {
		return nil, fmt.Errorf("start the intake: %w", err)
	}
	return s, nil
}

// URL is the root of the intake.
func (s *sink) URL() string { return s.server.URL() }

// Close ends every connection.
func (s *sink) Close() error { return s.server.Close() }

// Down refuses every connection until Up. It waits for the requests that are there.
func (s *sink) Down() error {
	s.gate.Lock()
	defer s.gate.Unlock()
	s.down = true
	return s.server.Down()
}

// Up ends what Down began.
func (s *sink) Up() error {
	s.gate.Lock()
	defer s.gate.Unlock()
	s.down = false
	return s.server.Up()
}

// SetScript changes what happens to the requests from now on.
func (s *sink) SetScript(script intake.Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = script
}

// SetKeys changes the accepted API keys.
func (s *sink) SetKeys(keys ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = keys
}

// Requests is how many there were.
func (s *sink) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.log)
}

// Log is what became of every request so far, in the order of their numbers.
func (s *sink) Log() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

// ended notes what became of a request.
func (s *sink) ended(number int, how string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log[number-1].ended, s.log[number-1].end = s.now(), how
}

// ServeHTTP runs one request through the script, the checks and the ledger.
func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	came := s.now() // at the gate a request may outlive its sender
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.down {
		cut(w)
		return
	}
	req, step := s.arrive(r, came)
	if step.Fault == intake.ResetBeforeBody {
		s.ended(req.number, "reset before its body was read")
		cut(w)
		return
	}
	refusal := s.read(r, step, &req)
	if !pause(r, step.Delay) {
		s.ended(req.number, "its sender went away, not taken")
		return // nobody waits for an answer, and nothing was taken
	}
	at := -1
	if refusal == nil && (step.Commit || step.Fault == intake.NoFault) {
		at = s.arrivals.take(req)
	}
	if step.Fault != intake.NoFault {
		s.ended(req.number, "reset, "+takenOrNot(at))
		cut(w)
		return
	}
	s.answer(w, r, &req, at, refusal)
}

// takenOrNot is for people.
func takenOrNot(at int) string {
	if at < 0 {
		return "not taken"
	}
	return "taken"
}

// arrive numbers a request and asks the script about it.
func (s *sink) arrive(r *http.Request, came time.Time) (arrival, intake.Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := arrival{
		number: len(s.log) + 1, at: came, batch: r.Header.Get("X-Forwarder-Batch"),
		sender: slices.Index(s.keys, r.Header.Get(keyHeader)),
	}
	s.log = append(s.log, request{at: a.at, batch: a.batch, sender: a.sender})
	return a, s.script(intake.Arrival{Number: a.number, At: a.at})
}

// read takes the body of a request and says why it is refused, if it is.
func (s *sink) read(r *http.Request, step intake.Step, req *arrival) *intake.Answer {
	plain, err := inflate(r)
	switch {
	case err != nil:
		return intake.Refuse(http.StatusBadRequest).Answer
	case r.URL.Path != "/api/v2/logs" || r.Method != http.MethodPost:
		return intake.Refuse(http.StatusNotFound).Answer
	case req.sender < 0:
		return intake.Refuse(http.StatusForbidden).Answer
	case mediaType(r) != "application/json":
		return intake.Refuse(http.StatusUnsupportedMediaType).Answer
	case len(plain) > maxBodyBytes:
		return intake.Refuse(http.StatusRequestEntityTooLarge).Answer
	case step.Answer != nil:
		return step.Answer
	}
	for _, check := range step.Checks {
		if objection := check(intake.Content{Plain: plain}); objection != nil {
			return objection
		}
	}
	items, err := splitArray(plain)
	if err != nil || len(items) > maxItems {
		s.arrivals.fault("request " + strconv.Itoa(req.number) + ": no array of 1 to 1,000 items")
		return intake.Refuse(http.StatusBadRequest).Answer
	}
	s.arrivals.readItems(items, req)
	return nil
}

// readItems adds the lines of items, as Datadog takes them, to what a request brought.
func (l *arrivals) readItems(items [][]byte, to *arrival) {
	for i, item := range items {
		entry, err := intake.Item("datadog", item)
		if err != nil {
			l.fault(fmt.Sprintf("item %d of arrival %d is no item", i+1, to.number))
			continue
		}
		mark, found, intact := generate.FindMark(entry.Message)
		if !found || !intact {
			l.fault(fmt.Sprintf("item %d of arrival %d is no whole line, mark %q", i+1, to.number, mark))
			continue
		}
		to.lines++
		to.runs = appendMark(to.runs, mark)
	}
}

// answer sends the answer, and notes whether it was sent in full.
func (s *sink) answer(w http.ResponseWriter, r *http.Request, req *arrival, at int, refusal *intake.Answer) {
	status, body := http.StatusAccepted, []byte("{}")
	if refusal != nil {
		status, body = refusal.Status, refusal.Body
		maps.Copy(w.Header(), refusal.Header)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	gone := r.Context().Err() != nil
	if at >= 0 && !gone {
		s.arrivals.answer(at, true) // before the last byte leaves: the sender may act on it at once
	}
	s.ended(req.number, fmt.Sprintf("answered %d, %s", status, takenOrNot(at)))
	w.WriteHeader(status)
	_, err := w.Write(body)
	if err == nil {
		err = http.NewResponseController(w).Flush()
	}
	if err != nil && at >= 0 {
		s.arrivals.answer(at, false)
	}
	if err != nil || gone {
		s.ended(req.number, fmt.Sprintf("answered %d in vain, %s", status, takenOrNot(at)))
	}
}

// inflate reads a body, one byte more than is allowed at most.
func inflate(r *http.Request) ([]byte, error) {
	var plain io.Reader = r.Body
	switch r.Header.Get("Content-Encoding") {
	case "":
	case "gzip":
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, err
		}
		plain = unpacked
	case "zstd":
		unpacked, err := zstd.NewReader(r.Body, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		defer unpacked.Close()
		plain = unpacked
	default:
		return nil, fmt.Errorf("content encoding %.20q is not known", r.Header.Get("Content-Encoding"))
	}
	return io.ReadAll(io.LimitReader(plain, maxBodyBytes+1))
}

func mediaType(r *http.Request) string {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return strings.ToLower(kind)
}

// cut ends the connection by RST.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a connection that is gone is cut already
	}
	conn.Close()
}

// pause waits, and says whether the client is still there.
func pause(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return r.Context().Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}
