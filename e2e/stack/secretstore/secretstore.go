// Package secretstore answers the two calls a function reads a secret with: GetSecretValue of Secrets Manager and
// GetParameter of Systems Manager, both over AWS JSON 1.1. Values can change at run time and calls are counted, so
// that a test can rotate a key and see how often the function asked.
//
// It checks that a request is signed, not that the signature is right.
package secretstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"sluice/e2e/stack/loopback"
)

// Operation names a call.
type Operation string

// The calls that are answered.
const (
	GetSecretValue Operation = "secretsmanager.GetSecretValue"
	GetParameter   Operation = "AmazonSSM.GetParameter"
)

const maxRequestBytes = 64 << 10

// Server holds secrets and parameters by name or ARN.
type Server struct {
	server *loopback.Server

	mu     sync.Mutex // guards what follows
	values map[string]string
	calls  map[Operation]int
	total  int
	script func(call int) *Refusal
}

// Refusal is an error answer.
type Refusal struct {
	Status int
	Kind   string // "ThrottlingException"
}

// Start starts an empty store on the loopback interface. Close it.
func Start() (*Server, error) {
	s := &Server{values: map[string]string{}, calls: map[Operation]int{}}
	var err error
	s.server, err = loopback.Serve(http.HandlerFunc(s.serve))
	if err != nil {
		return nil, fmt.Errorf("start a secret store: %w", err)
	}
	return s, nil
}

// URL is the endpoint, for AWS_ENDPOINT_URL_SECRETS_MANAGER and AWS_ENDPOINT_URL_SSM.
func (s *Server) URL() string { return s.server.URL() }

// Close ends every connection.
func (s *Server) Close() error { return s.server.Close() }

// Put sets the value of a secret or parameter, which is how it is rotated.
func (s *Server) Put(name, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[name] = value
}

// SetScript has every call from now on answered with what script returns, by its number, which counts all calls from 1;
// nil lets it work. A nil script lets all work.
func (s *Server) SetScript(script func(call int) *Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = script
}

// Calls is how often a call was made, whatever came of it.
func (s *Server) Calls(op Operation) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[op]
}

// apiError is an error answer of the AWS JSON protocol.
type apiError struct {
	kind, message string
}

func (e *apiError) Error() string { return e.kind + ": " + e.message }

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	op := Operation(r.Header.Get("X-Amz-Target"))
	s.mu.Lock()
	s.calls[op]++
	s.total++
	var refusal *Refusal
	if s.script != nil {
		refusal = s.script(s.total)
	}
	s.mu.Unlock()

	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if refusal != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		tell(w, refusal.Status, &apiError{refusal.Kind, "scripted"})
		return
	}
	answer, err := s.call(op, r)
	if err == nil {
		_ = json.NewEncoder(w).Encode(answer)
		return
	}
	told := &apiError{kind: "SerializationException"}
	if !errors.As(err, &told) {
		told.message = err.Error()
	}
	tell(w, http.StatusBadRequest, told)
}

func tell(w http.ResponseWriter, status int, told *apiError) {
	w.Header().Set("X-Amzn-Errortype", told.kind)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": told.kind, "message": told.message})
}

func (s *Server) call(op Operation, r *http.Request) (any, error) {
	if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ") {
		return nil, &apiError{"MissingAuthenticationTokenException", "the request is not signed"}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequestBytes))
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	switch op {
	case GetSecretValue:
		return s.secret(body)
	case GetParameter:
		return s.parameter(body)
	default:
		return nil, &apiError{"UnknownOperationException", "only GetSecretValue and GetParameter are answered"}
	}
}

func (s *Server) secret(body []byte) (any, error) {
	var in struct {
		SecretID string `json:"SecretId"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("decode GetSecretValue: %w", err)
	}
	value, found := s.value(in.SecretID)
	if !found {
		return nil, &apiError{"ResourceNotFoundException", "Secrets Manager can't find the specified secret."}
	}
	return map[string]any{
		"ARN": in.SecretID, "Name": in.SecretID, "SecretString": value,
		"VersionId": "00000000-0000-4000-8000-000000000001", "VersionStages": []string{"AWSCURRENT"},
		"CreatedDate": 1_767_225_600,
	}, nil
}

func (s *Server) parameter(body []byte) (any, error) {
	var in struct {
		Name           string `json:"Name"`
		WithDecryption bool   `json:"WithDecryption"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("decode GetParameter: %w", err)
	}
	value, found := s.value(in.Name)
	if !found {
		return nil, &apiError{"ParameterNotFound", "no such parameter"}
	}
	if !in.WithDecryption {
		value = "still-encrypted" // a SecureString read without decryption is no key
	}
	return map[string]any{"Parameter": map[string]any{
		"Name": in.Name, "Type": "SecureString", "Value": value, "Version": 1, "DataType": "text",
		"LastModifiedDate": 1_767_225_600,
	}}, nil
}

func (s *Server) value(name string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, found := s.values[name]
	return value, found
}
