package awsenv

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Service is a service of the JSON protocol.
type Service struct {
	Name     string // as it is signed, and in its host name: "secretsmanager"
	SDKID    string // as it is in the names of variables: "Secrets Manager"
	Target   string // before the operation in X-Amz-Target: "secretsmanager"
	Protocol string // version of the JSON protocol; empty for 1.1
}

// APIError is a refusal by AWS.
type APIError struct {
	Status  int
	Code    string // "AccessDeniedException"
	Message string // AWS's own words: they name roles and resources, never what is in them
}

func (e *APIError) Error() string {
	return fmt.Sprintf("aws answered %d %s: %s", e.Status, e.Code, e.Message)
}

const (
	callTimeout     = 5 * time.Second // of one attempt
	retryWait       = 100 * time.Millisecond
	maxAnswerBytes  = 1 << 20 // the largest secret has 64 KiB
	usualProtocol   = "1.1"
	jsonContentType = "application/x-amz-json-" // and the version of the protocol
)

// Call makes one call and decodes its answer into out. region may be empty for the function's own. A throttled or failed
// call is made again, AWS_MAX_ATTEMPTS times in all. The error is an *[APIError] when AWS refused; it quotes nothing of
// the answer otherwise.
func (e *Environment) Call(ctx context.Context, s Service, region, operation string, in, out any) error {
	if region == "" {
		region = e.region()
	}
	if region == "" {
		return errors.New("AWS_REGION is not set: want the region to call AWS in")
	}
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("%s %s: %w", s.Name, operation, err)
	}
	for n := 1; ; n++ {
		answer, err := e.attempt(ctx, s, region, operation, body)
		if err == nil {
			return decode(answer, out)
		}
		if n >= e.attempts() || !transient(err) {
			return fmt.Errorf("%s %s in %s: %w", s.Name, operation, region, err)
		}
		wait := time.Duration(rand.Int64N(int64(retryWait << (n - 1))))
		if err := e.sleep(ctx, wait); err != nil {
			return fmt.Errorf("%s %s in %s: %w", s.Name, operation, region, err)
		}
	}
}

// attempt makes the call once and returns the body of a good answer.
func (e *Environment) attempt(ctx context.Context, s Service, region, operation string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url(s, region), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the endpoint is no URL")
	}
	req.Header.Set("Content-Type", jsonContentType+cmp.Or(s.Protocol, usualProtocol))
	req.Header.Set("X-Amz-Target", s.Target+"."+operation)
	credentials, err := e.credentials(ctx)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	if err := e.signer.SignHTTP(ctx, credentials, req, hex.EncodeToString(sum[:]), s.Name, region, time.Now()); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	resp, err := e.client.Do(req)
	if err != nil {
		return nil, err //nolint:wrapcheck // Call says what was called
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	if err != nil {
		return nil, err //nolint:wrapcheck // likewise
	}
	if resp.StatusCode != http.StatusOK {
		return nil, refusal(resp, answer)
	}
	return answer, nil
}

func decode(answer []byte, out any) error {
	if json.Unmarshal(answer, out) != nil {
		return fmt.Errorf("aws answered %d bytes that are not the JSON of this operation", len(answer))
	}
	return nil
}

// refusal reads an error of the JSON protocol: a code in a header or in the body, where it may have a namespace in front
// and a URL behind.
func refusal(resp *http.Response, answer []byte) *APIError {
	var body struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"` // in any case: "Message" is written too
	}
	_ = json.Unmarshal(answer, &body) // what is no JSON says nothing more than the status
	code := resp.Header.Get("X-Amzn-Errortype")
	for _, other := range []string{body.Type, body.Code, http.StatusText(resp.StatusCode)} {
		if code == "" {
			code = other
		}
	}
	code, _, _ = strings.Cut(code, ":")
	if i := strings.LastIndexByte(code, '#'); i >= 0 {
		code = code[i+1:]
	}
	return &APIError{Status: resp.StatusCode, Code: code, Message: body.Message}
}

// transient reports whether the same call may succeed a moment later.
func transient(err error) bool {
	if api, ok := errors.AsType[*APIError](err); ok {
		return api.Status >= 500 || api.Status == http.StatusTooManyRequests ||
			strings.Contains(api.Code, "Throttl") || api.Code == "RequestLimitExceeded"
	}
	var transport *url.Error
	return errors.As(err, &transport) && !errors.Is(err, context.Canceled)
}
