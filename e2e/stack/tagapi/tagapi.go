// Package tagapi answers the two calls a function reads the tags of resources with: GetResources of the Resource Groups
// Tagging API and ListTagsForResource of CloudWatch Logs, both over AWS JSON 1.1. It keeps every call, so that a test can see
// what was asked for, how often, and whether anything waited for the answer. A script throttles, refuses or delays.
//
// It checks that a request is signed for the service it goes to, not that the signature is right. Of GetResources it knows
// lists of ARNs alone: no filters, and no pages, which a list of ARNs has none of.
//
// It is written from the published references of both APIs. It is a stand-in, not proof against the live services.
package tagapi

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"sluice/e2e/stack/loopback"
)

// Operation names a call, as X-Amz-Target does.
type Operation string

// The calls that are answered.
const (
	GetResources        Operation = "ResourceGroupsTaggingAPI_20170126.GetResources"
	ListTagsForResource Operation = "Logs_20140328.ListTagsForResource"
)

// Call is one request, whatever came of it. What a client sends again by itself is a call of its own.
type Call struct {
	Number    int // counts from 1 in order of arrival
	Operation Operation
	Resources []string // ARNs that were asked for, as they were spelled
	At        time.Time
	Ended     time.Time // when it was answered or the client went away; zero while it is held
	Status    int       // sent; 0 while it is held, and when the client went away first
}

// Server holds the tags of resources by ARN. Its methods may be called from any goroutine.
type Server struct {
	server   *loopback.Server
	released chan struct{}
	release  func()

	mu     sync.Mutex // guards what follows
	tags   map[string]map[string]string
	calls  []*Call
	script Script
}

// Start starts a server without resources on the loopback interface. Close it.
func Start() (*Server, error) {
	s := &Server{released: make(chan struct{}), tags: map[string]map[string]string{}, script: Always(Step{})}
	s.release = sync.OnceFunc(func() { close(s.released) })
	var err error
	s.server, err = loopback.Serve(http.HandlerFunc(s.serve))
	if err != nil {
		return nil, fmt.Errorf("start the APIs of tags: %w", err)
	}
	return s, nil
}

// Env is what a function needs in its environment to ask here. It is a new map.
func (s *Server) Env() map[string]string {
	return map[string]string{
		"AWS_ENDPOINT_URL_RESOURCE_GROUPS_TAGGING_API": s.URL(),
		"AWS_ENDPOINT_URL_CLOUDWATCH_LOGS":             s.URL(),
	}
}

// URL is the endpoint of both APIs.
func (s *Server) URL() string { return s.server.URL() }

// Close releases what is held and ends every connection.
func (s *Server) Close() error {
	s.Release()
	return s.server.Close()
}

// Down refuses every connection until Up.
func (s *Server) Down() error { return s.server.Down() }

// Up ends what Down began.
func (s *Server) Up() error { return s.server.Up() }

// Release lets every delayed call go on, and every later one.
func (s *Server) Release() { s.release() }

// Put gives a resource these tags, in place of those it had. With none it is a resource without tags.
func (s *Server) Put(arn string, tags map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tags[arn] = maps.Clone(tags)
}

// SetScript changes what happens to the calls from now on.
func (s *Server) SetScript(script Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = script
}

// Calls are those seen so far, in order of arrival.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := make([]Call, len(s.calls))
	for i, c := range s.calls {
		calls[i] = *c
	}
	return calls
}

// Asked is how often each resource was asked for, by its ARN.
func (s *Server) Asked() map[string]int {
	asked := map[string]int{}
	for _, c := range s.Calls() {
		for _, arn := range c.Resources {
			asked[arn]++
		}
	}
	return asked
}

// arrive puts a call into the ledger and asks the script.
func (s *Server) arrive(op Operation, resources []string) (*Call, Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &Call{Number: len(s.calls) + 1, Operation: op, Resources: slices.Clone(resources), At: time.Now()}
	s.calls = append(s.calls, c)
	return c, s.script(*c)
}

// end notes how a call ended, before its answer leaves: whoever has the answer finds it here.
func (s *Server) end(c *Call, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Ended, c.Status = time.Now(), status
}

// known returns a copy of the tags of a resource, and whether there is such a resource.
func (s *Server) known(arn string) (map[string]string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tags, ok := s.tags[arn]
	return maps.Clone(tags), ok
}
