package bucket

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// serve runs one request through the script, the server and the fault in its answer, in that order.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	req, step := s.arrive(r)
	if !pause(r, step.Delay, s.released) {
		s.note(req, "the client went away during the delay")
		return
	}
	resp, err := s.answer(r, req, step)
	if err != nil {
		s.note(req, err.Error())
		cut(w, false)
		return
	}
	defer resp.Body.Close()
	maps.Copy(w.Header(), resp.Header)
	s.mu.Lock()
	req.Status = resp.StatusCode
	s.mu.Unlock()
	w.WriteHeader(resp.StatusCode)
	s.body(w, r, req, step, resp.Body)
}

func (s *Server) arrive(r *http.Request) (*Request, Step) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	at := place{r.Method, bucket, key}
	s.seen[at]++
	req := &Request{Arrival: Arrival{
		Number:        len(s.requests) + 1,
		Nth:           s.seen[at],
		At:            time.Now(),
		Method:        r.Method,
		Bucket:        bucket,
		Key:           key,
		Query:         r.URL.RawQuery,
		VersionID:     r.URL.Query().Get("versionId"),
		Range:         r.Header.Get("Range"),
		IfMatch:       r.Header.Get("If-Match"),
		IfNoneMatch:   r.Header.Get("If-None-Match"),
		ExpectedOwner: r.Header.Get("X-Amz-Expected-Bucket-Owner"),
		Agent:         r.UserAgent(),
	}}
	req.Count, _ = strconv.Atoi(r.Header.Get("X-Amz-Meta-Count")) // 0 is none
	s.requests = append(s.requests, req)
	return req, s.script(req.Arrival)
}

// answer is the script's or the server's.
func (s *Server) answer(r *http.Request, req *Request, step Step) (*http.Response, error) {
	if step.Refusal == nil {
		return s.gateway.ask(r)
	}
	s.note(req, step.Refusal.Code)
	drain(r)
	return refuse(r, *step.Refusal)
}

// drain reads the rest of the body, so that a client that sends before it listens gets its answer.
func drain(r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }

// errorDocument is the body of an error answer.
type errorDocument struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string   `xml:"Code"`
	Message   string   `xml:"Message"`
	Resource  string   `xml:"Resource"`
	RequestID string   `xml:"RequestId"`
}

// refuse makes the answer S3 would give.
func refuse(r *http.Request, refusal Refusal) (*http.Response, error) {
	const requestID = "EXAMPLE123456789"
	body, err := xml.Marshal(errorDocument{
		Code: refusal.Code, Message: refusal.Message, Resource: r.URL.Path, RequestID: requestID,
	})
	if err != nil {
		return nil, fmt.Errorf("write a refusal: %w", err)
	}
	body = append([]byte(xml.Header), body...)
	if r.Method == http.MethodHead {
		body = nil
	}
	return &http.Response{
		StatusCode: refusal.Status,
		Header: http.Header{
			"Content-Type":     {"application/xml"},
			"Content-Length":   {strconv.Itoa(len(body))},
			"X-Amz-Request-Id": {requestID},
		},
		Body: io.NopCloser(bytes.NewReader(body)),
	}, nil
}

// body hands over the body, with what the step has for it.
func (s *Server) body(w http.ResponseWriter, r *http.Request, req *Request, step Step, body io.Reader) {
	if step.Do != nil || step.Stall > 0 || step.End != Whole {
		n, err := io.CopyN(w, body, step.After)
		s.count(req, n)
		if err != nil {
			s.end(w, req, err)
			return
		}
		if !s.middle(w, r, req, step) {
			return
		}
	}
	n, err := io.Copy(w, body)
	s.count(req, n)
	if err == nil {
		err = io.EOF
	}
	s.end(w, req, err)
}

// middle does what the step has for the place After, and says whether the body goes on.
func (s *Server) middle(w http.ResponseWriter, r *http.Request, req *Request, step Step) bool {
	_ = http.NewResponseController(w).Flush() // a client that is gone is found out by the next write
	if step.Do != nil {
		step.Do()
	}
	if !pause(r, step.Stall, s.released) {
		s.note(req, "the client went away while it was stalled")
		return false
	}
	switch step.End {
	case Whole:
		return true
	case Reset:
		s.note(req, "reset")
		cut(w, true)
	case Short:
		s.note(req, "cut short")
		cut(w, false)
	}
	return false
}

// end notes how a body ended: io.EOF is in full.
func (s *Server) end(w http.ResponseWriter, req *Request, err error) {
	if !errors.Is(err, io.EOF) {
		s.note(req, "the client or the server went away: "+err.Error())
		cut(w, false)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	req.Whole = true
}

func (s *Server) count(req *Request, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	req.Bytes += n
}

func (s *Server) note(req *Request, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	req.Reason = reason
}

// cut ends the connection where it stands: by RST when reset, else by FIN.
func cut(w http.ResponseWriter, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	conn.Close()
}

// pause waits, and says whether the client is still there.
func pause(r *http.Request, d time.Duration, released <-chan struct{}) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-released:
		return true
	case <-r.Context().Done():
		return false
	}
}
