// Package sqs answers the one call a function sends a message with: SendMessage of Amazon SQS, over AWS JSON 1.0. What
// becomes of the message is up to the queue that is given.
//
// It checks the limits of a message, the protocol and that a request is signed, not that the signature is right. A script
// makes calls fail. Format: Amazon SQS developer guide, "Making query API requests using AWS JSON protocol".
package sqs

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"unicode/utf8"

	"sluice/e2e/stack"
	"sluice/e2e/stack/loopback"
)

const (
	sendMessage     = "AmazonSQS.SendMessage"
	contentType     = "application/x-amz-json-1.0"
	maxMessageBytes = 1_048_576 // Amazon SQS quotas since 2025-08
	maxCallBytes    = 8 << 20   // ours: a message whose every byte is escaped
)

// Send puts a message into a queue and returns its id.
type Send func(body []byte) (id string, err error)

// Refusal is an error answer.
type Refusal struct {
	Status int
	Kind   string // "KmsAccessDenied"
	Lost   bool   // the message is taken all the same, and the connection ends without an answer
}

// Server is one endpoint. Its methods may be called from any goroutine.
type Server struct {
	server *loopback.Server

	mu     sync.Mutex // guards what follows
	queues map[string]Send
	script func(call int) *Refusal
	calls  int
}

// Start starts an endpoint without queues. Close it.
func Start() (*Server, error) {
	s := &Server{queues: map[string]Send{}}
	var err error
	if s.server, err = loopback.Serve(http.HandlerFunc(s.serve)); err != nil {
		return nil, fmt.Errorf("start an SQS endpoint: %w", err)
	}
	return s, nil
}

// Queue makes a queue and returns its URL.
func (s *Server) Queue(name string, send Send) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := "/" + stack.Account + "/" + name
	s.queues[path] = send
	return s.server.URL() + path
}

// Env is what a function needs in its environment to reach the endpoint. It is a new map.
func (s *Server) Env() map[string]string {
	return map[string]string{"AWS_ENDPOINT_URL_SQS": s.server.URL()}
}

// SetScript has every call from now on answered with what script returns, by its number, which counts from 1; nil lets it
// work. A nil script lets all work.
func (s *Server) SetScript(script func(call int) *Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = script
}

// Calls is how often a message was sent, whatever came of it.
func (s *Server) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// Down refuses every connection until Up.
func (s *Server) Down() error { return s.server.Down() }

// Up ends what Down began.
func (s *Server) Up() error { return s.server.Up() }

// Close ends every connection.
func (s *Server) Close() error { return s.server.Close() }

// apiError is an error answer of the protocol.
type apiError struct {
	status        int
	kind, message string
}

func (e *apiError) Error() string { return e.kind + ": " + e.message }

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	refusal := s.arrive()
	if refusal != nil && !refusal.Lost {
		_, _ = io.Copy(io.Discard, r.Body)
		tell(w, &apiError{refusal.Status, refusal.Kind, "scripted"})
		return
	}
	answer, err := s.call(r)
	if refusal != nil {
		panic(http.ErrAbortHandler) // ends the connection
	}
	var told *apiError
	switch {
	case err == nil:
		w.Header().Set("Content-Type", contentType)
		_ = json.NewEncoder(w).Encode(answer)
	case errors.As(err, &told):
		tell(w, told)
	default:
		tell(w, &apiError{http.StatusInternalServerError, "InternalFailure", err.Error()})
	}
}

// arrive counts a call and says what the script has for it.
func (s *Server) arrive() *Refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.script == nil {
		return nil
	}
	return s.script(s.calls)
}

func tell(w http.ResponseWriter, e *apiError) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Amzn-Query-Error", e.kind+";Sender")
	w.WriteHeader(e.status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": "com.amazonaws.sqs#" + e.kind, "message": e.message})
}

type response struct {
	MD5 string `json:"MD5OfMessageBody"`
	ID  string `json:"MessageId"`
}

// call sends the message of a request. A refusal is an *apiError.
func (s *Server) call(r *http.Request) (*response, error) {
	authorization := r.Header.Get("Authorization")
	switch {
	case r.Method != http.MethodPost || r.Header.Get("X-Amz-Target") != sendMessage || r.Header.Get("Content-Type") != contentType:
		return nil, &apiError{http.StatusBadRequest, "UnknownOperationException", "only SendMessage over AWS JSON 1.0 is played"}
	case !strings.HasPrefix(authorization, "AWS4-HMAC-SHA256 ") || !strings.Contains(authorization, "/sqs/aws4_request"):
		return nil, &apiError{http.StatusForbidden, "MissingAuthenticationToken", "the request is not signed for sqs"}
	}
	var in struct {
		QueueURL string  `json:"QueueUrl"`
		Body     *string `json:"MessageBody"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, maxCallBytes)).Decode(&in); err != nil {
		return nil, &apiError{http.StatusBadRequest, "SerializationException", "the call is no JSON"}
	}
	send, err := s.queue(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if err := checkBody(in.Body); err != nil {
		return nil, err
	}
	id, err := send([]byte(*in.Body))
	if err != nil {
		return nil, fmt.Errorf("send a message: %w", err)
	}
	sum := md5.Sum([]byte(*in.Body))
	return &response{MD5: hex.EncodeToString(sum[:]), ID: id}, nil
}

// queue finds a queue by its URL, whatever host that names.
func (s *Server) queue(url string) (Send, error) {
	at := strings.Index(url, "/"+stack.Account+"/")
	s.mu.Lock()
	defer s.mu.Unlock()
	if at >= 0 {
		if send := s.queues[url[at:]]; send != nil {
			return send, nil
		}
	}
	return nil, &apiError{http.StatusBadRequest, "QueueDoesNotExist", "the specified queue does not exist"}
}

// checkBody knows what SQS takes: text that is valid in XML 1.0, and not too much of it.
func checkBody(body *string) error {
	switch {
	case body == nil || *body == "":
		return &apiError{http.StatusBadRequest, "MissingParameter", "the request must contain the parameter MessageBody"}
	case len(*body) > maxMessageBytes:
		return &apiError{http.StatusBadRequest, "InvalidParameterValue", "one or more parameters are invalid: the message is too long"}
	case !utf8.ValidString(*body) || strings.ContainsFunc(*body, notInXML):
		return &apiError{http.StatusBadRequest, "InvalidMessageContents", "the message contains characters outside the allowed set"}
	}
	return nil
}

func notInXML(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}
