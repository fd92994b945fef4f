// Package loopback serves HTTP on a free port of the loopback interface, for the stand-ins of the local stack.
package loopback

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// Server is a running server. Its methods may be called from any goroutine.
type Server struct {
	address string // set by the first listen, as secure is
	secure  bool
	handler http.Handler
	options []Option

	mu     sync.Mutex // guards what follows
	server *http.Server
	ended  chan error // how Serve ended
	held   func()     // gives the port up; nil unless the server is down
}

// Option changes a server before it starts.
type Option func(*http.Server)

// Watch calls track at every change of a connection.
func Watch(track func(net.Conn, http.ConnState)) Option {
	return func(s *http.Server) { s.ConnState = track }
}

// TLS serves with a certificate of the configuration. That clients refuse it is not printed.
func TLS(config *tls.Config) Option {
	return func(s *http.Server) {
		s.TLSConfig = config.Clone()
		s.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	}
}

// Serve starts a server. Close it.
func Serve(handler http.Handler, options ...Option) (*Server, error) {
	s := &Server{handler: handler, options: options}
	listener, err := s.listen("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.address = listener.Addr().String()
	return s, nil
}

// listen starts to serve at an address.
func (s *Server) listen(address string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on the loopback interface: %w", err)
	}
	server := &http.Server{Handler: s.handler, ReadHeaderTimeout: time.Minute}
	for _, option := range s.options {
		option(server)
	}
	ended := make(chan error, 1)
	secure := server.TLSConfig != nil // asked now: to serve sets it
	s.server, s.ended, s.secure = server, ended, secure
	go func() {
		if secure {
			ended <- server.ServeTLS(listener, "", "")
			return
		}
		ended <- server.Serve(listener)
	}()
	return listener, nil
}

// Down ends every connection and refuses new ones, until Up.
func (s *Server) Down() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held != nil {
		return nil
	}
	if err := s.stop(); err != nil {
		return err
	}
	var err error
	s.held, err = hold(s.address)
	return err
}

// hold keeps a port without listening: a connection to it is refused, and nobody else gets it meanwhile.
func hold(address string) (release func(), err error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("hold %s: %w", address, err)
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("hold %s: %w", address, err)
	}
	err = errors.Join(
		syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1), // connections of before are in TIME_WAIT
		syscall.Bind(fd, &syscall.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}),
	)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("hold %s: %w", address, err), syscall.Close(fd))
	}
	return func() { _ = syscall.Close(fd) }, nil
}

// Up serves again at the address it had before Down.
func (s *Server) Up() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		return nil
	}
	s.held()
	s.held = nil
	_, err := s.listen(s.address)
	return err
}

// Address is host and port.
func (s *Server) Address() string { return s.address }

// URL is the root, without a path.
func (s *Server) URL() string {
	if s.secure {
		return "https://" + s.Address()
	}
	return "http://" + s.Address()
}

// Close ends every connection, then says whether the server ran until now.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held != nil {
		s.held()
		s.held = nil
	}
	return s.stop()
}

func (s *Server) stop() error {
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
