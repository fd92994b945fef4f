package delivery

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"sluice/e2e/stack/loopback"
)

// API is the service's endpoint on the loopback interface: PutRecord and PutRecordBatch of some streams, in the AWS JSON
// 1.1 protocol. It asks for a signature of the service and does not check it.
type API struct {
	server  *loopback.Server
	streams map[string]*Stream
	calls   atomic.Int64
}

const (
	apiTarget       = "Firehose_20150804."
	apiContentType  = "application/x-amz-json-1.1"
	maxAPIBodyBytes = 8 << 20 // ours: over base64 of MaxPutBytes
)

// StartAPI starts the endpoint for the streams. Close it.
func StartAPI(streams ...*Stream) (*API, error) {
	api := &API{streams: make(map[string]*Stream, len(streams))}
	for _, s := range streams {
		api.streams[s.cfg.Name] = s
	}
	var err error
	api.server, err = loopback.Serve(api)
	if err != nil {
		return nil, fmt.Errorf("start the API of %d streams: %w", len(streams), err)
	}
	return api, nil
}

// URL is the endpoint, without a path.
func (a *API) URL() string { return a.server.URL() }

// Env is what a function needs in its environment to reach the endpoint. It is a new map.
func (a *API) Env() map[string]string { return map[string]string{"AWS_ENDPOINT_URL_FIREHOSE": a.URL()} }

// Close ends every connection.
func (a *API) Close() error { return a.server.Close() }

// ServeHTTP answers one call.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", apiContentType)
	w.Header().Set("X-Amzn-Requestid", fmt.Sprintf("00000000-0000-4000-8000-%012x", a.calls.Add(1)))
	answer, err := a.call(r)
	status := http.StatusOK
	if err != nil {
		var refused *PutError
		if !errors.As(err, &refused) {
			refused = &PutError{"InternalFailure", "the call was not read"}
		}
		status = statusOf(refused.Code)
		answer = map[string]string{"__type": refused.Code, "message": refused.Message}
	}
	body, err := marshal(answer)
	if err != nil {
		status, body = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away puts again
}

func statusOf(code string) int {
	switch code {
	case "ServiceUnavailableException":
		return http.StatusServiceUnavailable
	case "InternalFailure":
		return http.StatusInternalServerError
	case "RequestEntityTooLargeException":
		return http.StatusRequestEntityTooLarge
	default:
		return http.StatusBadRequest
	}
}

type putData struct {
	Data *[]byte `json:"Data"`
}

type putCall struct {
	Stream  string    `json:"DeliveryStreamName"`
	Record  putData   `json:"Record"`
	Records []putData `json:"Records"`
}

type putResponse struct {
	ID      string `json:"RecordId,omitempty"`
	Code    string `json:"ErrorCode,omitempty"`
	Message string `json:"ErrorMessage,omitempty"`
}

// call runs one operation and returns its output. A refusal is a *PutError.
func (a *API) call(r *http.Request) (any, error) {
	operation, found := strings.CutPrefix(r.Header.Get("X-Amz-Target"), apiTarget)
	known := found && (operation == "PutRecord" || operation == "PutRecordBatch")
	switch {
	case r.Method != http.MethodPost || !known || r.Header.Get("Content-Type") != apiContentType:
		return nil, &PutError{"UnknownOperationException", "only PutRecord and PutRecordBatch are played"}
	case !signed(r.Header.Get("Authorization")):
		return nil, &PutError{"MissingAuthenticationTokenException", "the request is not signed for firehose"}
	}
	call, err := readCall(r.Body)
	if err != nil {
		return nil, err
	}
	stream := a.streams[call.Stream]
	if stream == nil {
		return nil, &PutError{"ResourceNotFoundException", fmt.Sprintf("there is no stream %.64q", call.Stream)}
	}
	if operation == "PutRecord" {
		return stream.putOne(call.Record)
	}
	return stream.putMany(call.Records)
}

// signed looks for the scope of a Signature Version 4.
func signed(authorization string) bool {
	return strings.HasPrefix(authorization, "AWS4-HMAC-SHA256 ") && strings.Contains(authorization, "/firehose/aws4_request")
}

func readCall(r io.Reader) (putCall, error) {
	var call putCall
	body, err := io.ReadAll(io.LimitReader(r, maxAPIBodyBytes+1))
	if err != nil {
		return call, fmt.Errorf("read a call: %w", err)
	}
	if len(body) > maxAPIBodyBytes {
		return call, &PutError{"RequestEntityTooLargeException", "the request is too large"}
	}
	if json.Unmarshal(body, &call) != nil {
		return call, &PutError{"SerializationException", "the request is not what the operation takes"}
	}
	return call, nil
}

func (s *Stream) putOne(data putData) (any, error) {
	entries, err := entriesOf([]putData{data})
	if err != nil {
		return nil, err
	}
	results, err := s.putUnnamed(entries)
	if err != nil {
		return nil, err
	}
	if code := results[0].Code; code != "" {
		return nil, &PutError{code, results[0].Message}
	}
	return struct {
		ID        string `json:"RecordId"`
		Encrypted bool   `json:"Encrypted"`
	}{ID: results[0].ID}, nil
}

func (s *Stream) putMany(list []putData) (any, error) {
	entries, err := entriesOf(list)
	if err != nil {
		return nil, err
	}
	results, err := s.putUnnamed(entries)
	if err != nil {
		return nil, err
	}
	output := struct {
		Failed    int           `json:"FailedPutCount"`
		Encrypted bool          `json:"Encrypted"`
		Responses []putResponse `json:"RequestResponses"`
	}{Responses: make([]putResponse, len(results))}
	for i, result := range results {
		output.Responses[i] = putResponse(result)
		if result.Code != "" {
			output.Failed++
		}
	}
	return output, nil
}

func entriesOf(list []putData) ([]Entry, error) {
	entries := make([]Entry, len(list))
	for i, one := range list {
		if one.Data == nil {
			return nil, &PutError{"ValidationException", fmt.Sprintf("record %d has no Data", i)}
		}
		entries[i].Data = *one.Data
	}
	return entries, nil
}
