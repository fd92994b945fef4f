package stack

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"sluice/e2e/stack/loopback"
)

// runtimeAPI serves the Lambda Runtime API, version 2018-06-01, to one process.
type runtimeAPI struct {
	arn        string
	server     *loopback.Server
	events     chan *invocation   // taken by GET next, which is how a process says it is ready
	initErrors chan FunctionError // holds the first one

	mu      sync.Mutex
	current *invocation // what the process works on
}

func startRuntimeAPI(arn string) (*runtimeAPI, error) {
	api := &runtimeAPI{
		arn:        arn,
		events:     make(chan *invocation),
		initErrors: make(chan FunctionError, 1),
	}
	const root = "/2018-06-01/runtime"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+root+"/invocation/next", api.next)
	mux.HandleFunc("POST "+root+"/invocation/{id}/response", api.response)
	mux.HandleFunc("POST "+root+"/invocation/{id}/error", api.invocationError)
	mux.HandleFunc("POST "+root+"/init/error", api.initError)
	var err error
	api.server, err = loopback.Serve(mux)
	if err != nil {
		return nil, fmt.Errorf("start the runtime api: %w", err)
	}
	return api, nil
}

// invocation is one event on its way through the Runtime API.
type invocation struct {
	id      string
	trace   string
	payload []byte
	timeout time.Duration
	taken   chan time.Time // the deadline, once the process has the event
	answers chan answer    // the first answer
}

func newInvocation(payload []byte, timeout time.Duration) *invocation {
	id := randomHex(16)
	return &invocation{
		id:      fmt.Sprintf("%s-%s-%s-%s-%s", id[:8], id[8:12], id[12:16], id[16:20], id[20:]),
		trace:   fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", time.Now().Unix(), randomHex(12), randomHex(8)),
		payload: payload,
		timeout: timeout,
		taken:   make(chan time.Time, 1),
		answers: make(chan answer, 1),
	}
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return hex.EncodeToString(b)
}

// answer is what the process said about an invocation: a response or an error.
type answer struct {
	response []byte
	err      *FunctionError
}

func (a answer) into(r *Result) { r.Response, r.Error = a.response, a.err }

// next blocks until there is an event. The deadline starts here, after init, as it does in the service.
func (a *runtimeAPI) next(w http.ResponseWriter, r *http.Request) {
	var inv *invocation
	select {
	case inv = <-a.events:
	case <-r.Context().Done():
		return
	}
	a.mu.Lock()
	a.current = inv
	a.mu.Unlock()

	deadline := time.Now().Add(inv.timeout)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", a.arn)
	h.Set("Lambda-Runtime-Trace-Id", inv.trace)
	inv.taken <- deadline
	_, _ = w.Write(inv.payload) // a process that is gone shows in exited
}

func (a *runtimeAPI) response(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxSyncBytes+1))
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequest", "the response body could not be read")
		return
	}
	if len(body) <= MaxSyncBytes {
		a.accept(w, r.PathValue("id"), answer{response: body})
		return
	}
	tooLarge := &FunctionError{
		Type:    "Function.ResponseSizeTooLarge",
		Message: fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", MaxSyncBytes),
	}
	if a.settle(r.PathValue("id"), answer{err: tooLarge}) {
		refuse(w, http.StatusRequestEntityTooLarge, tooLarge.Type, tooLarge.Message)
		return
	}
	refuse(w, http.StatusBadRequest, "InvalidRequestID", "no such invocation")
}

func (a *runtimeAPI) invocationError(w http.ResponseWriter, r *http.Request) {
	told, err := readError(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidErrorShape", err.Error())
		return
	}
	a.accept(w, r.PathValue("id"), answer{err: &told})
}

func (a *runtimeAPI) initError(w http.ResponseWriter, r *http.Request) {
	told, err := readError(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidErrorShape", err.Error())
		return
	}
	select {
	case a.initErrors <- told:
	default:
	}
	accepted(w)
}

// readError takes the type from the header when the body has none, as the service does.
func readError(r *http.Request) (FunctionError, error) {
	told := FunctionError{Type: r.Header.Get("Lambda-Runtime-Function-Error-Type")}
	err := json.NewDecoder(io.LimitReader(r.Body, MaxSyncBytes)).Decode(&told)
	if err != nil && !errors.Is(err, io.EOF) {
		return told, fmt.Errorf("decode the error document: %w", err)
	}
	return told, nil
}

func (a *runtimeAPI) accept(w http.ResponseWriter, id string, ans answer) {
	if !a.settle(id, ans) {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "no such invocation")
		return
	}
	accepted(w)
}

// settle records the answer to the current invocation; a second answer or one for another id is refused.
func (a *runtimeAPI) settle(id string, ans answer) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current == nil || a.current.id != id {
		return false
	}
	a.current.answers <- ans
	a.current = nil
	return true
}

func accepted(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(FunctionError{Type: kind, Message: message})
}
