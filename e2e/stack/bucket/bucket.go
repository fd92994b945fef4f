// Package bucket is Amazon S3 on the loopback interface: a real S3 server behind a proxy that fails on demand and keeps
// a log of every request.
//
// It promises what the server checks: signatures, checksums, ranges, conditions, versions, the expected owner of a bucket
// (every bucket belongs to stack.Account). What a test does through the methods of Server goes past the proxy: it never
// fails by script and is in no log.
//
// It sends no notifications (package notify builds them) and checks no permissions: a 403 for want of one is scripted.
// Keys live in a file system: one cannot end in a slash and hold bytes, have an empty or dotted part or one over 255
// bytes, or be a folder of another.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sluice/e2e/stack"
	"sluice/e2e/stack/loopback"
)

// The credentials the server accepts. They are invented. The server takes the access key for the owner of a bucket, so
// it is the account.
const (
	AccessKey = stack.Account
	Secret    = "an-invented-secret-of-the-local-stack"
)

// Request is one request the proxy saw.
type Request struct {
	Arrival
	Count  int    // of a PUT: the header x-amz-meta-count, 0 without one
	Status int    // sent, 0 when no answer left
	Bytes  int64  // body bytes handed to the connection; at most that many arrived
	Whole  bool   // the answer was handed over in full
	Reason string // why it was refused or cut
}

// Server is one S3 endpoint. Its methods may be called from any goroutine.
type Server struct {
	gateway  *gateway
	shared   bool            // the gateway is another server's
	direct   *http.Transport // for the client, past the proxy
	client   *s3.Client
	proxy    *loopback.Server
	released chan struct{}
	release  func()

	mu       sync.Mutex // guards what follows
	script   Script
	requests []*Request
	seen     map[place]int
	puts     int
}

// place is what requests are counted by.
type place struct{ method, bucket, key string }

// Start starts an endpoint without buckets. Close it. The first start after a change of the server's modules compiles
// them, which takes a minute that ctx does not bound; after that it ends the wait for the server, not the server.
func Start(ctx context.Context) (*Server, error) {
	g, err := startGateway(ctx)
	if err != nil {
		return nil, err
	}
	s, err := serve(g) //nolint:contextcheck // ctx is for the start, not for requests
	if err != nil {
		return nil, errors.Join(err, g.close())
	}
	return s, nil
}

// Door starts one more endpoint to the same buckets, with a script and a log of its own. Close it before s.
func (s *Server) Door() (*Server, error) {
	door, err := serve(s.gateway)
	if err != nil {
		return nil, err
	}
	door.shared = true
	return door, nil
}

// serve starts a proxy in front of a gateway.
func serve(g *gateway) (*Server, error) {
	s := &Server{
		gateway:  g,
		direct:   &http.Transport{DialContext: g.dial, DisableCompression: true},
		released: make(chan struct{}),
		script:   Always(Step{}),
		seen:     map[place]int{},
	}
	s.release = sync.OnceFunc(func() { close(s.released) })
	s.client = newClient(s.direct)
	var err error
	if s.proxy, err = loopback.Serve(http.HandlerFunc(s.serve)); err != nil {
		return nil, fmt.Errorf("start an S3 endpoint: %w", err)
	}
	return s, nil
}

// URL is the endpoint, without a path.
func (s *Server) URL() string { return s.proxy.URL() }

// Env is what a function needs in its environment to reach the endpoint and be let in. It is a new map.
func (s *Server) Env() map[string]string {
	return map[string]string{
		"AWS_ENDPOINT_URL_S3":   s.URL(),
		"AWS_REGION":            stack.Region,
		"AWS_ACCESS_KEY_ID":     AccessKey,
		"AWS_SECRET_ACCESS_KEY": Secret,
		"AWS_SESSION_TOKEN":     "",
	}
}

// Close releases what stalls, ends every connection and, unless s is a door, removes all objects.
func (s *Server) Close() error {
	s.Release()
	err := s.proxy.Close()
	s.direct.CloseIdleConnections()
	if s.shared {
		return err
	}
	return errors.Join(err, s.gateway.close())
}

// Down refuses every connection until Up. What a test does through the methods of Server works all the same.
func (s *Server) Down() error { return s.proxy.Down() }

// Up ends what Down began.
func (s *Server) Up() error { return s.proxy.Up() }

// Release lets every stalled or delayed request go on, and every later one.
func (s *Server) Release() { s.release() }

// SetScript changes what happens to the requests from now on. Arrival.Nth goes on counting.
func (s *Server) SetScript(script Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = script
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

// RequestsOf are the requests seen so far for one object, in order of arrival.
func (s *Server) RequestsOf(bucket, key string) []Request {
	return slices.DeleteFunc(s.Requests(), func(r Request) bool { return r.Bucket != bucket || r.Key != key })
}
