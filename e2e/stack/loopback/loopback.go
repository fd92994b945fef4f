// Package loopback serves HTTP on a free port of the loopback interface, for the stand-ins of the local stack.
package loopback

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Server is a running server.
type Server struct {
	listener net.Listener
	server   *http.Server
	ended    chan error // how Serve ended
}

// Option changes a server before it starts.
type Option func(*http.Server)

// Watch calls track at every change of a connection.
func Watch(track func(net.Conn, http.ConnState)) Option {
	return func(s *http.Server) { s.ConnState = track }
}

// Serve starts a server. Close it.
func Serve(handler http.Handler, options ...Option) (*Server, error) {
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen on the loopback interface: %w", err)
	}
	s := &Server{
		listener: listener,
		server:   &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute},
		ended:    make(chan error, 1),
	}
	for _, option := range options {
		option(s.server)
	}
	go func() { s.ended <- s.server.Serve(listener) }()
	return s, nil
}

// Address is host and port.
func (s *Server) Address() string { return s.listener.Addr().String() }

// URL is the root, without a path.
func (s *Server) URL() string { return "http://" + s.Address() }

// Close ends every connection, then says whether the server ran until now.
func (s *Server) Close() error {
	err := s.server.Close()
	ended := <-s.ended
	s.ended <- ended // for the next Close
	if errors.Is(ended, http.ErrServerClosed) {
		ended = nil
	}
	if err := errors.Join(err, ended); err != nil {
		return fmt.Errorf("close the server at %s: %w", s.Address(), err)
	}
	return nil
}
