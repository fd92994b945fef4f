package deliver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"
	"time"

	"sluice/internal/batch"
	"sluice/internal/destination"
)

// maxAnswerBytes is how much of an answer is read; what an intake says beyond it has no meaning for us.
const maxAnswerBytes = 64 << 10

// ending is how an attempt ended, or why none was made.
type ending struct {
	destination.Outcome
	status int   // of the answer; 0: there was none
	cause  error // what a person has to know beyond the reason; nil: nothing
}

// failed is the ending of a batch that nothing more can be done for now.
func failed(reason string) *ending {
	return &ending{Outcome: destination.Outcome{Verdict: destination.Refused, Reason: reason}}
}

// attempt sends a batch once, and gives up on an answer after a time.
func (f *Flight) attempt(b *batch.Batch, n int, within time.Duration) (end *ending) {
	ctx, cancel := context.WithTimeout(f.ctx, within)
	defer cancel()

	var written atomic.Bool // the whole request has left: it may have been taken
	// A panic of the destination is an answer like any other, so that nothing is left half counted: neither the batch,
	// of which parts may have been delivered, nor the breaker's probe.
	defer func() {
		if recover() != nil {
			if written.Load() {
				f.o.Account.PossibleDuplicate(b.Count())
			}
			end = failed("panic")
		}
	}()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(info httptrace.WroteRequestInfo) { written.Store(info.Err == nil) },
	})
	req, err := f.s.dest.Request(ctx, destination.Body{
		Bytes: b.Body, Codec: b.Codec, BatchID: b.ID, Records: b.Count(), Attempt: n,
	})
	if err != nil {
		if f.ctx.Err() != nil { // which is why there are none
			return &ending{Outcome: destination.Outcome{Verdict: destination.Retry, Reason: "deadline"}}
		}
		end = failed("no_credentials")
		end.cause = err
		return end
	}

	start := time.Now()
	resp, answer, err := f.s.exchange(req) //nolint:bodyclose // exchange has closed it
	f.o.Account.Attempt(len(b.Body), time.Since(start), n > 1)
	if err != nil {
		end = f.unanswered(err, written.Load())
	} else {
		end = &ending{Outcome: f.s.dest.Outcome(resp, answer), status: resp.StatusCode}
	}
	if end.Verdict == destination.Ambiguous {
		f.o.Account.PossibleDuplicate(b.Count())
	}
	return end
}

// exchange sends a request and reads the start of its answer. An answer that breaks off behind its status line is no
// error: it is judged by that.
func (s *Sender) exchange(req *http.Request) (resp *http.Response, answer []byte, err error) {
	resp, err = s.client.Do(req)
	if err != nil {
		return nil, nil, fmt.Errorf("send: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, _ = io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	return resp, answer, nil
}

// unanswered is the ending of an attempt that got no answer.
func (f *Flight) unanswered(err error, written bool) *ending {
	if errors.Is(err, errAddress) {
		return failed("address_not_allowed")
	}
	reason := reasonOf(err)
	if f.ctx.Err() != nil {
		reason = "deadline"
	}
	if written {
		return &ending{Outcome: destination.Outcome{Verdict: destination.Ambiguous, Reason: reason}}
	}
	return &ending{Outcome: destination.Outcome{Verdict: destination.Retry, Reason: reason}}
}

// reasonOf gives a transport error a stable name. The error's own text is not used: it can hold a URL.
func reasonOf(err error) string {
	var (
		dns     *net.DNSError
		network net.Error
	)
	switch {
	case errors.As(err, &dns):
		return "dns"
	case isTLS(err):
		return "tls"
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "connect"
	case errors.As(err, &network) && network.Timeout():
		return "timeout"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed): // the transport saw the reset first
		return "reset"
	}
	return "transport"
}

// isTLS reports whether a handshake failed: on the certificate, on an alert of either side, or because the server does
// not speak TLS.
func isTLS(err error) bool {
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       *net.OpError
	)
	return errors.As(err, &certificate) || errors.As(err, &record) || errors.Is(err, http.ErrSchemeMismatch) ||
		errors.As(err, &alert) && (alert.Op == "remote error" || alert.Op == "local error")
}

// noRedirects answers a redirect with itself: following one would hand the credentials to another host.
func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
