package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"sluice/e2e/stack/loopback"
)

// maxBodyBytes is more than any request may hold: 5 MB before compression; Datadog Logs API v2.
const maxBodyBytes = 6 << 20

// sink is an intake that takes everything after a while. It keeps the bodies in a file and looks at none of them, so that it
// takes little processor time from what is measured.
type sink struct {
	latency time.Duration
	server  *loopback.Server
	file    *os.File
	buffers sync.Pool // of *bytes.Buffer

	mu     sync.Mutex // guards what follows
	end    int64      // of what is reserved in the file
	bodies []body
	err    error // the first reason for which a body could not be kept
}

// body is where the body of one request stands.
type body struct {
	offset, length int64
	encoding       string // Content-Encoding
}

// newSink starts an intake. Close it.
func newSink(latency time.Duration) (*sink, error) {
	file, err := os.CreateTemp("", "sluice-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a file for bodies: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil { // it lives as long as it is open
		return nil, errors.Join(fmt.Errorf("unlink the file for bodies: %w", err), file.Close())
	}
	s := &sink{latency: latency, file: file, buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }}}
	if s.server, err = loopback.Serve(s); err != nil {
		return nil, errors.Join(fmt.Errorf("start the intake: %w", err), file.Close())
	}
	return s, nil
}

// URL is the intake's root.
func (s *sink) URL() string { return s.server.URL() }

// Close ends the server and gives up the bodies.
func (s *sink) Close() error { return errors.Join(s.server.Close(), s.file.Close()) }

// ServeHTTP keeps the body and answers late.
func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := s.keep(w, r); err != nil {
		s.note(err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	time.Sleep(s.latency)
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, "{}") // the function may be gone
}

func (s *sink) keep(w http.ResponseWriter, r *http.Request) error {
	buffer, _ := s.buffers.Get().(*bytes.Buffer)
	defer s.buffers.Put(buffer)
	buffer.Reset()
	if _, err := buffer.ReadFrom(http.MaxBytesReader(w, r.Body, maxBodyBytes)); err != nil {
		return fmt.Errorf("read a body: %w", err)
	}
	length := int64(buffer.Len())
	offset := s.reserve(length)
	if _, err := s.file.WriteAt(buffer.Bytes(), offset); err != nil {
		return fmt.Errorf("keep a body of %d bytes: %w", length, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies = append(s.bodies, body{offset: offset, length: length, encoding: r.Header.Get("Content-Encoding")})
	return nil
}

func (s *sink) reserve(n int64) (offset int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	offset = s.end
	s.end += n
	return offset
}

func (s *sink) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
}

// taken is what was answered with 202, once the function has ended.
func (s *sink) taken() ([]body, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bodies, s.err
}

// open reads one body as it came.
func (s *sink) open(b body) io.Reader { return io.NewSectionReader(s.file, b.offset, b.length) }
