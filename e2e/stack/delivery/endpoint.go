package delivery

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/loopback"
)

// Endpoint is the receiving end of HTTP endpoint delivery. It refuses what breaks the protocol with 400 and a wrong access
// key with 401, writes every line of what it takes into its ledger before it answers 200, and misbehaves by script. It
// takes a request again that it took before: the audit sees the copies. Its methods may be called from any goroutine.
type Endpoint struct {
	server   *loopback.Server
	key      string
	read     Reader
	released chan struct{}
	release  func()

	mu       sync.Mutex // guards what follows
	script   Script
	requests []*Received
	entries  []intake.Entry
}

// Reader returns the lines of one record's bytes. Lines is one.
type Reader func(data []byte) []intake.Entry

// Received is one request the endpoint saw.
type Received struct {
	Number     int // counts from 1 in order of arrival
	At         time.Time
	ID         string
	Source     string // ARN of the stream
	Attributes map[string]string
	Key        intake.KeyState
	Encoding   string
	WireBytes  int
	PlainBytes int
	Records    int
	Status     int    // sent, 0 when no answer left
	Answered   bool   // the answer was sent in full
	Reason     string // why it was refused or cut
}

// Script chooses what happens to a request when its headers are in. It is called under the endpoint's lock, once per
// request, in order of arrival; it may keep state and must not call the endpoint.
type Script func(intake.Arrival) Step

// Step is what happens to one request. The zero Step is an endpoint that works.
type Step struct {
	Delay   time.Duration  // before the records are taken and the answer is sent
	Status  int            // of an answer in the protocol's form; 0 lets the checks decide
	Message string         // errorMessage of that answer
	Raw     *intake.Answer // sent as it is, in no form of the protocol
	Reset   bool           // the connection ends when the body was read, in place of an answer
	Commit  bool           // take the records although the answer is lost or an error
}

// Outage answers 500.
func Outage() Step { return Step{Status: http.StatusInternalServerError, Message: "scripted"} }

// TooLarge answers 413, which is permanent.
func TooLarge() Step { return Step{Status: http.StatusRequestEntityTooLarge, Message: "scripted"} }

// WrongJSON answers 200 with a body that is none of the protocol's.
func WrongJSON() Step { return NotTheProtocol(http.StatusOK, "application/json", `{"status":"ok"}`) }

// NotTheProtocol answers with any body.
func NotTheProtocol(status int, contentType, body string) Step {
	return Step{Raw: &intake.Answer{Status: status, Header: http.Header{"Content-Type": {contentType}}, Body: []byte(body)}}
}

// Slow works after a delay.
func Slow(d time.Duration) Step { return Step{Delay: d} }

// Always does the same to every request.
func Always(step Step) Script { return func(intake.Arrival) Step { return step } }

// Sequence plays the steps from the next request on, one each, and works afterwards. A sequence is good for one use.
func Sequence(steps ...Step) Script {
	return func(intake.Arrival) Step {
		if len(steps) == 0 {
			return Step{}
		}
		step := steps[0]
		steps = steps[1:]
		return step
	}
}

// StartEndpoint starts an endpoint that wants the access key; "" wants none. A nil reader means Lines. Close it.
func StartEndpoint(key string, reader Reader) (*Endpoint, error) {
	if reader == nil {
		reader = Lines
	}
	e := &Endpoint{key: key, read: reader, released: make(chan struct{}), script: Always(Step{})}
	e.release = sync.OnceFunc(func() { close(e.released) })
	var err error
	e.server, err = loopback.Serve(e)
	if err != nil {
		return nil, fmt.Errorf("start an HTTP endpoint: %w", err)
	}
	return e, nil
}

// URL is where to deliver. Any path is taken.
func (e *Endpoint) URL() string { return e.server.URL() + "/firehose" }

// Close lets delayed requests go on and ends every connection.
func (e *Endpoint) Close() error {
	e.release()
	return e.server.Close()
}

// SetScript changes what happens to the requests from now on.
func (e *Endpoint) SetScript(script Script) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.script = script
}

// Entries are the lines taken so far, in order of commitment. Their batch is the request's id.
func (e *Endpoint) Entries() []intake.Entry {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.entries)
}

// Requests are the requests seen so far, in order of arrival.
func (e *Endpoint) Requests() []Received {
	e.mu.Lock()
	defer e.mu.Unlock()
	requests := make([]Received, len(e.requests))
	for i, r := range e.requests {
		requests[i] = *r
		requests[i].Attributes = maps.Clone(r.Attributes)
	}
	return requests
}

// ServeHTTP runs one request through the script, the checks and the ledger, in that order.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, step := e.arrive(r)
	d, refused := readDelivery(r, e.key)
	entries := make([]intake.Entry, 0, len(d.data))
	for _, data := range d.data {
		entries = append(entries, e.read(data)...)
	}
	e.describe(req, d, refused)
	if !e.pause(r, step.Delay) {
		return
	}
	status := step.status(refused)
	taken := step.Commit || status == http.StatusOK && step.Raw == nil && !step.Reset
	if taken && refused == nil {
		e.commit(req, entries, status == http.StatusOK && step.Raw == nil && !step.Reset)
	}
	switch {
	case step.Reset:
		e.settle(req, 0)
		panic(http.ErrAbortHandler)
	case step.Raw != nil:
		e.settle(req, step.Raw.Status)
		maps.Copy(w.Header(), step.Raw.Header)
		w.WriteHeader(step.Raw.Status)
		_, _ = w.Write(step.Raw.Body) // the sender decides what a part of it is worth
	default:
		e.settle(req, status)
		message := step.Message
		if refused != nil && step.Status == 0 {
			message = refused.message
		}
		writeReply(w, status, d.id, message)
	}
}

// status is what to answer in the protocol's form.
func (s Step) status(refused *protocolError) int {
	switch {
	case s.Status != 0:
		return s.Status
	case refused != nil:
		return refused.status
	default:
		return http.StatusOK
	}
}

func (e *Endpoint) arrive(r *http.Request) (*Received, Step) {
	e.mu.Lock()
	defer e.mu.Unlock()
	header := r.Header.Clone()
	header.Del(headerKey)
	req := &Received{
		Number: len(e.requests) + 1, At: time.Now(), Encoding: header.Get("Content-Encoding"),
		ID: header.Get(headerRequestID), Source: header.Get(headerSource), Key: keyState(r.Header.Get(headerKey), e.key),
	}
	e.requests = append(e.requests, req)
	return req, e.script(intake.Arrival{Number: req.Number, At: req.At, Header: header})
}

func keyState(given, wanted string) intake.KeyState {
	switch given {
	case wanted:
		return intake.KeyOK
	case "":
		return intake.KeyNone
	default:
		return intake.KeyBad
	}
}

func (e *Endpoint) describe(req *Received, d received, refused *protocolError) {
	e.mu.Lock()
	defer e.mu.Unlock()
	req.Attributes, req.WireBytes, req.PlainBytes, req.Records = d.attributes, d.wire, d.plain, len(d.data)
	if refused != nil {
		req.Reason = refused.message
	}
}

// pause waits, and says whether the sender is still there.
func (e *Endpoint) pause(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-e.released:
	case <-r.Context().Done():
		return false
	}
	return true
}

func (e *Endpoint) commit(req *Received, entries []intake.Entry, answered bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, entry := range entries {
		entry.Batch, entry.Request, entry.At, entry.Answered = req.ID, req.Number, req.At, answered
		e.entries = append(e.entries, entry)
	}
}

func (e *Endpoint) settle(req *Received, status int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	req.Status, req.Answered = status, status != 0
}

// writeReply answers in the protocol's form.
func writeReply(w http.ResponseWriter, status int, id, message string) {
	members := []member{{"requestId", id}, {"timestamp", time.Now().UnixMilli()}}
	if status != http.StatusOK {
		members = append(members, member{"errorMessage", message})
	}
	body := appendObject(nil, members)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a sender that went away sends again
}
