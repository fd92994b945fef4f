package tagapi

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	maxRequestBytes = 1 << 20
	maxResources    = 100 // of a call: Resource Groups Tagging API reference, "GetResources", ResourceARNList
)

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	op := Operation(r.Header.Get("X-Amz-Target"))
	// What is left unread hides that the client goes away.
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequestBytes))
	if err != nil {
		return // the client went away
	}
	in, refused := read(op, body)
	call, step := s.arrive(op, in.resources())
	if !s.pause(r, step.Delay) {
		s.end(call, 0)
		return
	}
	switch {
	case step.Refusal != nil:
		refused = step.Refusal
	case refused == nil:
		refused = signed(op, r)
	}
	var answer any
	if refused == nil {
		answer, refused = s.answer(op, in)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if refused == nil {
		s.end(call, http.StatusOK)
		_ = json.NewEncoder(w).Encode(answer)
		return
	}
	s.end(call, refused.Status)
	w.Header().Set("X-Amzn-Errortype", refused.Kind)
	w.WriteHeader(refused.Status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": refused.Kind, "message": refused.Message})
}

// pause waits, and says whether the client is still there.
func (s *Server) pause(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.released:
	case <-r.Context().Done():
		return false
	}
	return true
}

// request is what either call may ask for. Members of GetResources that are not known here are refused.
type request struct {
	List *[]string `json:"ResourceARNList"`
	One  string    `json:"resourceArn"`
}

func (q *request) resources() []string {
	if q.List != nil {
		return *q.List
	}
	if q.One != "" {
		return []string{q.One}
	}
	return nil
}

// badRequest is an answer of status 400.
func badRequest(kind, message string) *Refusal {
	return &Refusal{Status: http.StatusBadRequest, Kind: kind, Message: message}
}

// read reads the body of a call.
func read(op Operation, body []byte) (request, *Refusal) {
	var q request
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	err := dec.Decode(&q)
	_, wrong := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case op != GetResources && op != ListTagsForResource:
		return q, badRequest("UnknownOperationException", "only GetResources and ListTagsForResource are answered")
	case wrong || err != nil && !strings.Contains(err.Error(), "unknown field"):
		return q, badRequest("SerializationException", "the body is not the JSON of this operation")
	case err != nil:
		return q, badRequest("InvalidParameterException", err.Error())
	}
	return q, nil
}

// signed objects to a request that is not signed for the service of its operation.
func signed(op Operation, r *http.Request) *Refusal {
	credential, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=")
	if !ok {
		return badRequest("MissingAuthenticationTokenException", "the request is not signed")
	}
	service := "tagging"
	if op == ListTagsForResource {
		service = "logs"
	}
	scope, _, _ := strings.Cut(credential, ",")
	if !strings.HasSuffix(scope, "/"+service+"/aws4_request") {
		return badRequest("InvalidSignatureException", "Credential should be scoped to correct service: '"+service+"'")
	}
	return nil
}

func (s *Server) answer(op Operation, q request) (any, *Refusal) {
	if op == ListTagsForResource {
		return s.listTagsForResource(q)
	}
	return s.getResources(q)
}

// tag is one of the tags of a mapping.
type tag struct{ Key, Value string }

// mapping is a resource in the answer of GetResources.
type mapping struct {
	ResourceARN string
	Tags        []tag
}

// getResources leaves out what has no tags, and what is not there. Format: Resource Groups Tagging API reference,
// "GetResources".
func (s *Server) getResources(q request) (any, *Refusal) {
	if q.List == nil || len(*q.List) == 0 || len(*q.List) > maxResources {
		return nil, badRequest("InvalidParameterException", "ResourceARNList: want 1 to 100 ARNs")
	}
	found := []mapping{}
	for _, arn := range *q.List {
		if !strings.HasPrefix(arn, "arn:aws:") {
			return nil, badRequest("InvalidParameterException", "ResourceARNList: not an ARN")
		}
		tags, _ := s.known(arn)
		if len(tags) == 0 {
			continue
		}
		m := mapping{ResourceARN: arn}
		for _, key := range slices.Sorted(maps.Keys(tags)) {
			m.Tags = append(m.Tags, tag{key, tags[key]})
		}
		found = append(found, m)
	}
	return map[string]any{"PaginationToken": "", "ResourceTagMappingList": found}, nil
}

// listTagsForResource does not take the `:*` that other calls end the ARN of a log group in. Format: CloudWatch Logs API
// reference, "ListTagsForResource".
func (s *Server) listTagsForResource(q request) (any, *Refusal) {
	if !strings.HasPrefix(q.One, "arn:aws:logs:") || strings.HasSuffix(q.One, ":*") {
		return nil, badRequest("InvalidParameterException", "resourceArn: not the ARN of a log group or destination")
	}
	tags, ok := s.known(q.One)
	if !ok {
		return nil, badRequest("ResourceNotFoundException", "The specified resource does not exist.")
	}
	if tags == nil {
		tags = map[string]string{}
	}
	return map[string]any{"tags": tags}, nil
}
