package destination

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Verdict is what has to happen to a body after an answer. The set is closed: deliver switches over it once.
type Verdict uint8

// The verdicts (http-intakes: every response maps to exactly one).
const (
	Delivered    Verdict = iota + 1 // the intake confirmed that it took every record
	Retry                           // transient, and certainly not taken
	Ambiguous                       // perhaps taken, the answer was lost: retry, and say that it may be a duplicate
	TooLarge                        // halve the body
	Invalid                         // perhaps one bad record: bisect
	Unauthorized                    // fetch the credentials anew once
	Unsupported                     // the content coding is refused: use the next one
	Refused                         // nothing will get through until a person acts
)

// Outcome is the meaning of one answer.
type Outcome struct {
	Verdict   Verdict
	Reason    string        // stable, for counters: "http_503"
	Wait      time.Duration // do not try again before; 0 when the answer does not say
	Throttled bool          // the intake is well, and asks for less at a time
}

// OfStatus reads a status code as most intakes mean it (delivery contract 2.4).
func OfStatus(status int) Verdict {
	switch {
	case status >= 200 && status <= 299 && status != http.StatusMultiStatus && status != 260:
		return Delivered
	case status == http.StatusBadRequest, status == http.StatusUnprocessableEntity:
		return Invalid
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Unauthorized
	case status == http.StatusRequestEntityTooLarge:
		return TooLarge
	case status == http.StatusUnsupportedMediaType:
		return Unsupported
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests,
		status == http.StatusProxyAuthRequired: // a proxy may refuse while a network interface is cold
		return Retry
	case status == http.StatusNotImplemented, status == http.StatusHTTPVersionNotSupported,
		status == http.StatusNetworkAuthenticationRequired:
		return Refused
	case status >= 500:
		return Retry
	}
	return Refused
}

// Answer makes an outcome of a verdict and the answer that led to it. now is what an HTTP date in Retry-After is
// measured against. The intake's own words are left out: they may quote a line.
func Answer(v Verdict, resp *http.Response, now time.Time) Outcome {
	if v == Delivered {
		return Outcome{Verdict: v}
	}
	out := Outcome{Verdict: v, Reason: "http_" + strconv.Itoa(resp.StatusCode)}
	out.Throttled = resp.StatusCode == http.StatusTooManyRequests
	out.Wait, _ = RetryAfter(resp.Header.Get("Retry-After"), now)
	return out
}

// IsHTML reports whether an answer is a web page: that of a proxy, a login or a captive portal, and no intake's,
// whatever its status says. An answer that is declared as XML data is none.
func IsHTML(resp *http.Response, body []byte) bool {
	declared, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	switch strings.ToLower(strings.TrimSpace(declared)) {
	case "text/html", "application/xhtml+xml":
		return true
	case "text/xml", "application/xml":
		return false
	}
	return bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
}

// maxWait is the longest wait an answer can ask for; more is cut, so that sums cannot overflow.
const maxWait = 24 * time.Hour

// RetryAfter reads the value of a Retry-After header: seconds, leniently with a fraction, or an HTTP date (RFC 9110,
// section 10.2.3). A date in the past is no wait. What is neither is reported as not ok.
func RetryAfter(value string, now time.Time) (wait time.Duration, ok bool) {
	value = strings.TrimSpace(value)
	if strings.Trim(value, "0123456789.") != "" { // a sign, an exponent and "Infinity" are no seconds either
		at, err := http.ParseTime(value)
		if err != nil {
			return 0, false
		}
		return min(max(at.Sub(now), 0), maxWait), true
	}
	seconds, err := strconv.ParseFloat(value, 64)
	if errors.Is(err, strconv.ErrSyntax) {
		return 0, false
	}
	// The other error is that of a number beyond float64, which comes as +Inf.
	return time.Duration(min(seconds, maxWait.Seconds()) * float64(time.Second)), true
}
