package delivery

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"unicode/utf8"
)

// read judges the endpoint's answer. Its error is that of the connection. An answer that breaks the protocol counts as a
// 500 without body, whatever its status: a 413 is permanent only when it is spelled as the protocol says.
func (a *Attempt) read(response *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(response.Body, maxResponseBytes+1))
	if err != nil {
		return fmt.Errorf("read the endpoint's answer: %w", err)
	}
	if len(body) > maxResponseBytes {
		a.Status, a.Code = http.StatusInternalServerError, "HttpEndpoint.ResponseTooLarge"
		a.Error = "The answer is over the limit."
		return nil
	}
	text, err := readReply(response, body, a.RequestID)
	if err != nil {
		a.Status, a.Code = http.StatusInternalServerError, "HttpEndpoint.InvalidResponseFromDestination"
		a.Error = fmt.Sprintf("The endpoint answered %d, which does not count: %s.", response.StatusCode, err)
		return nil
	}
	a.Status = response.StatusCode
	if a.Status == http.StatusOK {
		return nil
	}
	a.Code = "HttpEndpoint.DestinationException"
	a.Error = fmt.Sprintf("The endpoint answered %d: %s", a.Status, text)
	a.Permanent = a.Status == http.StatusRequestEntityTooLarge
	return nil
}

// readReply checks an answer against the response format and returns its body as text.
func readReply(response *http.Response, body []byte, id string) (string, error) {
	switch {
	case response.Header.Get("Content-Type") != "application/json":
		return "", errors.New("its content type is not application/json")
	case response.ContentLength < 0:
		return "", errors.New("it has no content length")
	case response.Header.Get("Content-Encoding") != "":
		return "", errors.New("it has a content encoding")
	case !utf8.Valid(body):
		return "", errors.New("it is not UTF-8")
	}
	var members map[string]json.RawMessage // a struct would take names in another case
	if json.Unmarshal(body, &members) != nil {
		return "", errors.New("it is not a JSON object")
	}
	var (
		requestID *string
		timestamp *int64
		message   string
	)
	switch {
	case json.Unmarshal(members["requestId"], &requestID) != nil || requestID == nil || *requestID != id:
		return "", errors.New("its requestId is not that of the request")
	case json.Unmarshal(members["timestamp"], &timestamp) != nil || timestamp == nil:
		return "", errors.New("its timestamp is not a whole number")
	}
	if raw, found := members["errorMessage"]; found && json.Unmarshal(raw, &message) != nil {
		return "", errors.New("its errorMessage is not a text")
	}
	if utf8.RuneCountInString(message) > maxErrorChars {
		return "", errors.New("its errorMessage is too long")
	}
	return string(body), nil
}
