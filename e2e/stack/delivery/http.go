package delivery

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"syscall"
	"time"

	"sluice/e2e/stack/owner"
)

// Limits of HTTP endpoint delivery. Developer guide, "HTTP endpoint delivery request and response specifications" and
// "Configure destination settings", HTTP endpoint.
const (
	MaxRequestBytes      = 64 << 20 // of a body, before compression
	MaxRequestRecords    = 10_000
	MaxRecordChars       = 1_365_336 // of data, in base64
	maxResponseBytes     = 1 << 20
	maxErrorChars        = 8_192
	maxKeyBytes          = 4_096
	maxAttributes        = 50
	maxAttributeName     = 256
	maxAttributeValue    = 1_024
	maxRetryDuration     = 7_200 * time.Second
	defaultRetryDuration = 300 * time.Second
	defaultRequestBytes  = 5 << 20
	defaultTimeout       = 3 * time.Minute
	firstBackoff         = time.Second
	maxBackoff           = 120 * time.Second
	backoffJitter        = 0.15
)

// The headers of a request.
const (
	headerVersion    = "X-Amz-Firehose-Protocol-Version"
	headerRequestID  = "X-Amz-Firehose-Request-Id"
	headerSource     = "X-Amz-Firehose-Source-Arn"
	headerKey        = "X-Amz-Firehose-Access-Key"
	headerAttributes = "X-Amz-Firehose-Common-Attributes"
	protocolVersion  = "1.0"
)

// HTTP is an endpoint as the destination.
type HTTP struct {
	URL           string // with path and query; http is allowed here, the service asks for https
	AccessKey     string // "" sends none
	Attributes    map[string]string
	Gzip          bool
	BufferBytes   int           // of the records of a request, before base64; 0 means 5 MiB, at most 64 MiB of body
	BufferRecords int           // 0 means 10,000, which is the limit
	Retry         time.Duration // how long to try again after the first failure; 0 means 300 s, negative not at all
	Timeout       time.Duration // of one attempt, in real time; 0 means 3 minutes
	client        *http.Client
}

func (h *HTTP) withDefaults() *HTTP {
	c := *h
	if c.BufferBytes == 0 {
		c.BufferBytes = defaultRequestBytes
	}
	if c.BufferRecords == 0 {
		c.BufferRecords = MaxRequestRecords
	}
	if c.Retry == 0 {
		c.Retry = defaultRetryDuration
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	c.client = &http.Client{
		Timeout:   c.Timeout,
		Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}, // nothing stays open behind a stream
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	return &c
}

func (h *HTTP) check() error {
	var errs []error
	if u, err := url.Parse(h.URL); err != nil || u.Host == "" {
		errs = append(errs, fmt.Errorf("HTTP.URL %q: write https://host/path", h.URL))
	}
	if len(h.AccessKey) > maxKeyBytes {
		errs = append(errs, fmt.Errorf("HTTP.AccessKey has %d bytes, the limit is %d", len(h.AccessKey), maxKeyBytes))
	}
	if h.BufferBytes < 1 || h.BufferBytes > MaxRequestBytes/2 {
		errs = append(errs, fmt.Errorf("HTTP.BufferBytes %d: set 1 to %d, so that the body fits", h.BufferBytes, MaxRequestBytes/2))
	}
	if h.BufferRecords < 1 || h.BufferRecords > MaxRequestRecords {
		errs = append(errs, fmt.Errorf("HTTP.BufferRecords %d: set 1 to %d", h.BufferRecords, MaxRequestRecords))
	}
	if h.Retry > maxRetryDuration {
		errs = append(errs, fmt.Errorf("HTTP.Retry %s: set at most %s", h.Retry, maxRetryDuration))
	}
	return errors.Join(append(errs, checkAttributes(h.Attributes))...)
}

func checkAttributes(attributes map[string]string) error {
	if len(attributes) > maxAttributes {
		return fmt.Errorf("%d common attributes, the limit is %d", len(attributes), maxAttributes)
	}
	for name, value := range attributes {
		if name == "" || len(name) > maxAttributeName || len(value) > maxAttributeValue {
			return fmt.Errorf("common attribute %.20q: a name has 1 to %d characters, a value at most %d",
				name, maxAttributeName, maxAttributeValue)
		}
	}
	return nil
}

// Attempt is one request to the endpoint.
type Attempt struct {
	RequestID string // the same for all attempts of one batch
	Payloads  []string
	Records   int
	Attempt   int // counts from 1
	At        time.Time
	Status    int    // that counts; 500 for an answer that breaks the rules, 0 without an answer
	Code      string // error code, "" when it was delivered
	Error     string
	Permanent bool // 413: the batch is lost, and in no failed object
}

// send delivers records to the endpoint, with retries. Its error is the end of ctx: the records were not settled then.
func (s *Stream) send(ctx context.Context, records []*record) error {
	h := s.cfg.HTTP
	id := s.uuid()
	var firstFailure time.Time
	for attempt := 1; ; attempt++ {
		a := Attempt{RequestID: id, Payloads: payloadsOf(records), Records: len(records), Attempt: attempt, At: s.Now()}
		if err := s.try(ctx, &a, records); err != nil {
			return err
		}
		s.noteAttempt(a)
		if a.Code == "" || a.Permanent {
			return nil
		}
		if attempt == 1 {
			firstFailure = s.Now()
		}
		wait := s.backoff(attempt)
		if s.Now().Add(wait).Sub(firstFailure) > h.Retry {
			s.failDelivery(records, a)
			return nil
		}
		s.pass(wait)
	}
}

// noteAttempt keeps an attempt and, of one that loses its batch, the loss.
func (s *Stream) noteAttempt(a Attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts = append(s.attempts, a)
	if a.Permanent {
		s.failures = append(s.failures, owner.Failure{Payloads: a.Payloads, Attempts: a.Attempt, Error: a.Code + ": " + a.Error})
	}
}

func (s *Stream) failDelivery(records []*record, last Attempt) {
	for _, r := range records {
		s.fail(&failedRecord{
			kind: HTTPEndpointFailed, id: r.id, payloads: r.payloads, data: r.data, arrived: r.arrived, ended: s.Now(),
			attempts: last.Attempt, code: last.Code, message: last.Error,
		})
	}
}

// backoff is the wait after an attempt: 1 s, doubled each time, at most 120 s, ±15 %.
func (s *Stream) backoff(attempt int) time.Duration {
	wait := maxBackoff
	if attempt <= 7 { // 2^7 s is over the limit
		wait = min(firstBackoff<<(attempt-1), maxBackoff)
	}
	return time.Duration(float64(wait) * (1 + backoffJitter*(2*s.random.Float64()-1)))
}

// try makes one attempt and writes its end into a.
func (s *Stream) try(ctx context.Context, a *Attempt, records []*record) error {
	request, err := s.request(ctx, a, records)
	if err != nil {
		return err
	}
	response, err := s.cfg.HTTP.client.Do(request)
	if err == nil {
		defer response.Body.Close()
		err = a.read(response)
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("deliver %d records of stream %s: %w", len(records), s.cfg.Name, context.Cause(ctx))
	}
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		a.Code, a.Error = "HttpEndpoint.RequestTimeout", "The endpoint did not answer in time."
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		a.Code, a.Error = "HttpEndpoint.ConnectionReset", "The endpoint ended the connection."
	default:
		a.Code, a.Error = "HttpEndpoint.ConnectionFailed", "The endpoint was not reached."
	}
	return nil
}

// deliveryBody is the body of a request.
type deliveryBody struct {
	RequestID string           `json:"requestId"`
	Timestamp int64            `json:"timestamp"` // epoch milliseconds
	Records   []deliveryRecord `json:"records"`
}

type deliveryRecord struct {
	Data []byte `json:"data"` // never nil, which would be null
}

func (s *Stream) request(ctx context.Context, a *Attempt, records []*record) (*http.Request, error) {
	h := s.cfg.HTTP
	content := deliveryBody{a.RequestID, a.At.UnixMilli(), make([]deliveryRecord, len(records))}
	for i, r := range records {
		content.Records[i].Data = append([]byte{}, r.data...)
	}
	body, err := marshal(content)
	if err != nil {
		return nil, err
	}
	if h.Gzip {
		body, err = appendWritten(nil, func(b *bytes.Buffer) error {
			w := gzip.NewWriter(b)
			_, _ = w.Write(body) // Close says it again
			return w.Close()
		})
		if err != nil {
			return nil, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make a request to the endpoint: %w", err)
	}
	return request, s.setHeaders(request, a.RequestID)
}

func (s *Stream) setHeaders(request *http.Request, id string) error {
	h := s.cfg.HTTP
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Amazon Kinesis Data Firehose Agent/1.0")
	request.Header.Set(headerVersion, protocolVersion)
	request.Header.Set(headerRequestID, id)
	request.Header.Set(headerSource, s.ARN())
	if h.AccessKey != "" {
		request.Header.Set(headerKey, h.AccessKey)
	}
	if h.Gzip {
		request.Header.Set("Content-Encoding", "gzip")
	}
	if len(h.Attributes) == 0 {
		return nil
	}
	text, err := marshal(map[string]map[string]string{"commonAttributes": h.Attributes})
	if err != nil {
		return err
	}
	request.Header.Set(headerAttributes, string(text))
	return nil
}

// Attempts are the requests to the endpoint so far.
func (s *Stream) Attempts() []Attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.attempts)
}

// Failures are the batches that are in no failed object: those the endpoint answered with 413.
func (s *Stream) Failures() []owner.Failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.failures)
}

// History are the invocations of the transformation as package audit reads them.
func (s *Stream) History() []owner.Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	history := make([]owner.Delivery, len(s.invocations))
	for i, inv := range s.invocations {
		history[i] = inv.Delivery
	}
	return history
}
