// Package intake is a log intake on the loopback interface that is as strict as the real one and misbehaves on demand.
//
// It promises to refuse what the real intake refuses, to write every record it takes into its ledger before it answers
// 202, and to keep that entry when the answer is then lost on purpose. A script chooses per request what goes wrong.
//
// It is written from the published limits and answers (Datadog "Send logs", API v2). It is a stand-in, not proof
// against the live service.
package intake

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"sluice/e2e/generate"
	"sluice/e2e/stack/loopback"
)

// Entry is one record the intake took.
type Entry struct {
	Message   string
	ID        string
	Millis    int64 // the record's own time, epoch milliseconds; that of a late record is in event_time
	Host      string
	Service   string
	Source    string
	Tags      string
	Batch     string    // X-Forwarder-Batch of the request that brought it
	Request   int       // number of that request
	At        time.Time // when that request arrived; the commit may come later than the death of its sender
	Answered  bool      // the 2xx for it was sent in full
	Truncated bool      // over the record limit: the real intake keeps a part and says 202

	// Sender tells senders apart: the position of the request's key among those that are accepted. For the generic intake it
	// is the number in the header X-Sender.
	Sender int

	// Of an entry that was made compact: the mark of its message, and whether that was whole. Its texts are empty then.
	Mark   generate.Mark
	Intact bool
}

// KeyState is what the ledger keeps of the API key.
type KeyState string

// The states of a key.
const (
	KeyOK   KeyState = "ok"
	KeyBad  KeyState = "bad"
	KeyNone KeyState = "none"
)

// Request is one request the intake saw.
type Request struct {
	Number     int // counts from 1 in order of arrival
	At         time.Time
	Remote     string // the connection it came on
	Header     http.Header
	Key        KeyState
	Sender     int // see Entry
	Batch      string
	Encoding   string
	WireBytes  int
	PlainBytes int
	Items      int
	Status     int    // sent, 0 when no answer left
	Answered   bool   // the answer was sent in full
	Reason     string // why it was refused or cut
}

// Server is one intake. Its methods may be called from any goroutine.
type Server struct {
	dialect  dialect
	server   *loopback.Server
	released chan struct{}
	release  func()

	mu       sync.Mutex // guards what follows
	keys     []string
	script   Script
	requests []*Request
	entries  []Entry
	idle     map[net.Conn]bool
	compact  bool
}

// StartDatadog starts an intake for POST /api/v2/logs that accepts the given API keys. Close it.
func StartDatadog(keys ...string) (*Server, error) { return start(datadog{}, keys) }

// StartHTTP starts an intake for the generic HTTP destination: JSON lines or a JSON array on any path, no key.
func StartHTTP() (*Server, error) { return start(generic{}, nil) }

// StartDatadogTLS is StartDatadog with a certificate of the configuration.
func StartDatadogTLS(config *tls.Config, keys ...string) (*Server, error) {
	return start(datadog{}, keys, loopback.TLS(config))
}

func start(d dialect, keys []string, options ...loopback.Option) (*Server, error) {
	s := &Server{
		dialect:  d,
		released: make(chan struct{}),
		keys:     keys,
		script:   Always(Step{}),
		idle:     map[net.Conn]bool{},
	}
	s.release = sync.OnceFunc(func() { close(s.released) })
	var err error
	s.server, err = loopback.Serve(http.HandlerFunc(s.serve), append(options, loopback.Watch(s.track))...)
	if err != nil {
		return nil, fmt.Errorf("start an intake: %w", err)
	}
	return s, nil
}

// URL is the root of the intake, without a path.
func (s *Server) URL() string { return s.server.URL() }

// Close releases what hangs and ends every connection.
func (s *Server) Close() error {
	s.Release()
	return s.server.Close()
}

// Release lets every hanging request end, and every later one.
func (s *Server) Release() { s.release() }

// Down refuses every connection until Up.
func (s *Server) Down() error { return s.server.Down() }

// Up ends what Down began.
func (s *Server) Up() error { return s.server.Up() }

// Compact keeps of every record from now on whose message has a mark the mark and no texts: a long run takes a fraction of
// the memory.
func (s *Server) Compact() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.compact = true
}

// SetKeys changes the accepted API keys, as a rotation does.
func (s *Server) SetKeys(keys ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = keys
}

// SetScript changes what happens to the requests from now on.
func (s *Server) SetScript(script Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = script
}

// Entries are the records taken so far, in order of commitment.
func (s *Server) Entries() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.entries)
}

// Taken is how many records were taken so far.
func (s *Server) Taken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.entries)
}

// Requests are the requests seen so far, in order of arrival.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := make([]Request, len(s.requests))
	for i, r := range s.requests {
		requests[i] = *r
	}
	return requests
}

// DropIdle closes the connections no request is on, as a server does while the function is frozen, and returns how
// many there were.
func (s *Server) DropIdle() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.idle)
	for conn := range s.idle {
		conn.Close()
	}
	clear(s.idle)
	return n
}

func (s *Server) track(conn net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state == http.StateIdle {
		s.idle[conn] = true
		return
	}
	delete(s.idle, conn)
}
