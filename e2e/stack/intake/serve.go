package intake

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"sluice/e2e/generate"
)

// serve runs one request through the script, the strict checks, the ledger and the planned fault, in that order.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	req, step := s.arrive(r)
	if step.Fault == ResetBeforeBody {
		s.note(req, "reset before the body was read")
		cut(w, true)
		return
	}
	answer, entries := s.judge(req, r, step)
	if !pause(r, step.Delay, s.released) {
		s.note(req, "the client went away during the delay")
		return
	}
	mark := func() {}
	if step.Commit || step.Fault == NoFault && answer.taken() {
		mark = s.commit(req, entries)
	}
	if step.Fault != NoFault {
		s.fail(w, r, req, step.Fault)
		return
	}
	s.answer(w, r, req, answer, mark, step.Speak)
}

// slowReader waits before each KiB.
type slowReader struct {
	io.Reader
	wait  time.Duration
	pause func(time.Duration) bool
}

func (s *slowReader) Read(p []byte) (int, error) {
	if !s.pause(s.wait) {
		return 0, io.ErrUnexpectedEOF
	}
	return s.Reader.Read(p[:min(len(p), 1<<10)])
}

func (s *Server) arrive(r *http.Request) (*Request, Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	req := &Request{
		Number:   len(s.requests) + 1,
		At:       time.Now(),
		Remote:   r.RemoteAddr,
		Header:   r.Header.Clone(),
		Key:      s.keyState(r.Header.Get(keyHeader)),
		Sender:   s.sender(r.Header),
		Batch:    r.Header.Get("X-Forwarder-Batch"),
		Encoding: r.Header.Get("Content-Encoding"),
	}
	req.Header.Del(keyHeader)
	s.requests = append(s.requests, req)
	return req, s.script(Arrival{Number: req.Number, At: req.At, Header: req.Header})
}

// sender is the position of the key, or what the header says. The caller holds mu.
func (s *Server) sender(h http.Header) int {
	if n, err := strconv.Atoi(h.Get("X-Sender")); err == nil {
		return n
	}
	return max(0, slices.Index(s.keys, h.Get(keyHeader)))
}

func (s *Server) keyState(key string) KeyState {
	switch {
	case key == "":
		return KeyNone
	case slices.Contains(s.keys, key):
		return KeyOK
	default:
		return KeyBad
	}
}

// judge reads the request and decides its answer: the script's own, or what the strict checks say.
func (s *Server) judge(req *Request, r *http.Request, step Step) (Answer, []Entry) {
	body := io.Reader(r.Body)
	if step.Listen > 0 {
		body = &slowReader{body, step.Listen, func(d time.Duration) bool { return pause(r, d, s.released) }}
	}
	plain, wire, refused := readBody(body, req.Encoding, s.dialect.limitBytes())
	if refused == nil {
		refused = s.dialect.admit(r, req.Key)
	}
	var entries []Entry
	if refused == nil {
		entries, refused = s.dialect.decode(plain)
	}
	s.mu.Lock()
	req.WireBytes, req.PlainBytes, req.Items = wire, len(plain), len(entries)
	s.mu.Unlock()

	if step.Answer != nil {
		return *step.Answer, entries
	}
	if refused != nil {
		return *refused, nil
	}
	content := Content{Encoding: req.Encoding, Plain: plain, Items: len(entries)}
	for _, check := range step.Checks {
		if objection := check(content); objection != nil {
			return *objection, entries
		}
	}
	return Answer{Status: s.dialect.success(), Body: []byte("{}")}, entries
}

// commit writes the entries into the ledger and returns what marks them as answered.
func (s *Server) commit(req *Request, entries []Entry) func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := len(s.entries)
	for _, e := range entries {
		e.Batch, e.Request, e.At, e.Sender = req.Batch, req.Number, req.At, req.Sender
		if s.compact {
			e = e.compact()
		}
		s.entries = append(s.entries, e)
	}
	last := len(s.entries)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for i := first; i < last; i++ {
			s.entries[i].Answered = true
		}
	}
}

// compact is an entry without the texts that its mark stands for.
func (e *Entry) compact() Entry {
	mark, found, intact := generate.FindMark(e.Message)
	if !found {
		return *e
	}
	return Entry{
		Mark: mark, Intact: intact, Millis: e.Millis, Batch: e.Batch, Request: e.Request, At: e.At, Truncated: e.Truncated,
		Sender: e.Sender,
	}
}

// answer sends the answer. The entries count as answered before the last byte leaves, so that whoever has the answer
// finds them so; a client that was gone already takes that back.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, req *Request, a Answer, mark func(), speak time.Duration) {
	gone := r.Context().Err() != nil
	s.mu.Lock()
	req.Status, req.Answered, req.Reason = a.Status, !gone, a.Reason
	s.mu.Unlock()
	if gone {
		return
	}
	if a.taken() {
		mark()
	}
	maps.Copy(w.Header(), a.Header)
	w.WriteHeader(a.Status)
	if speak == 0 {
		_, _ = w.Write(a.Body) // a client that reads only a part of an error body is right to
		return
	}
	for i := range a.Body {
		_ = http.NewResponseController(w).Flush()
		if !pause(r, speak, s.released) {
			return
		}
		_, _ = w.Write(a.Body[i : i+1])
	}
}

// readBody returns the decoded body and the bytes read from the wire.
func readBody(body io.Reader, encoding string, limit int) (plain []byte, wire int, refused *Answer) {
	raw, err := io.ReadAll(io.LimitReader(body, maxWireBytes))
	if err != nil {
		return nil, len(raw), refuse(http.StatusBadRequest, "the body ended early")
	}
	plain, err = inflate(raw, encoding, limit)
	switch {
	case errors.Is(err, errTooLarge):
		return nil, len(raw), refuse(http.StatusRequestEntityTooLarge, err.Error())
	case errors.Is(err, errEncoding):
		return nil, len(raw), refuse(http.StatusUnsupportedMediaType, err.Error())
	case err != nil:
		return nil, len(raw), refuse(http.StatusBadRequest, "the body does not decompress: "+err.Error())
	}
	return plain, len(raw), nil
}
