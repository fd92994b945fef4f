package intake

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"time"
)

// Script chooses what happens to a request when its headers are in. It is called under the server's lock, once per
// request, in order of arrival; it may keep state and must not call the server.
type Script func(Arrival) Step

// Arrival is what a script may choose by.
type Arrival struct {
	Number int // counts from 1
	At     time.Time
	Header http.Header // without the key
}

// Step is what happens to one request. The zero Step is an intake that works.
type Step struct {
	Delay  time.Duration // before the records are taken and the answer is sent
	Listen time.Duration // wait before each KiB of the body is read: a server that listens slowly
	Speak  time.Duration // wait before each byte of the answer's body: a server that speaks slowly
	Answer *Answer       // sent whatever the request is; nil lets the checks decide
	Checks []Check       // objections to the content, after the strict checks passed
	Fault  Fault         // ends the connection instead of answering
	Commit bool          // take the records although the answer is lost or an error
}

// Fault is a way to not answer.
type Fault int

// The faults.
const (
	NoFault            Fault = iota
	ResetBeforeBody          // RST when the headers are in
	ResetAfterBody           // RST when the whole body was read
	CloseWithoutAnswer       // FIN when the whole body was read
	Hang                     // silence until the client goes away or the server is released
)

// Answer is one HTTP answer.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Reason string // for the ledger, not sent
}

func (a Answer) taken() bool { return a.Status >= 200 && a.Status < 300 }

// Always does the same to every request.
func Always(step Step) Script { return func(Arrival) Step { return step } }

// Sequence plays the steps from the next request on, one each, and works afterwards. A sequence is good for one use.
func Sequence(steps ...Step) Script {
	return func(Arrival) Step {
		if len(steps) == 0 {
			return Step{}
		}
		step := steps[0]
		steps = steps[1:]
		return step
	}
}

// Refuse answers with a status and a small error document.
func Refuse(status int) Step {
	return Step{Answer: refuse(status, "scripted")}
}

// RefuseFor answers with a status and a Retry-After, which is seconds or an HTTP date.
func RefuseFor(status int, retryAfter string) Step {
	step := Refuse(status)
	step.Answer.Header.Set("Retry-After", retryAfter)
	return step
}

// Redirect points to another place.
func Redirect(status int, location string) Step {
	step := Refuse(status)
	step.Answer.Header.Set("Location", location)
	return step
}

// LargeError answers with an error body of n bytes, compressed when gzipped.
func LargeError(status, n int, gzipped bool) Step {
	step := Refuse(status)
	step.Answer.Body = bytes.Repeat([]byte("x"), n)
	if gzipped {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write(step.Answer.Body) // a buffer does not fail
		_ = w.Close()
		step.Answer.Body = b.Bytes()
		step.Answer.Header.Set("Content-Encoding", "gzip")
	}
	return step
}

func refuse(status int, reason string) *Answer {
	return &Answer{
		Status: status,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   fmt.Appendf(nil, `{"errors":[{"status":"%d","title":%q}]}`, status, http.StatusText(status)),
		Reason: reason,
	}
}

// Content is what a check may object to.
type Content struct {
	Encoding string
	Plain    []byte
	Items    int
}

// Check returns the answer to content it objects to, else nil.
type Check func(Content) *Answer

// TooLargeAbove answers 413 to a decoded body of more bytes than limit says at that moment.
func TooLargeAbove(limit func() int) Check {
	return func(c Content) *Answer {
		if len(c.Plain) <= limit() {
			return nil
		}
		return refuse(http.StatusRequestEntityTooLarge, "over the moving limit")
	}
}

// Poison answers 400 to a body that holds the text.
func Poison(text string) Check {
	return func(c Content) *Answer {
		if !bytes.Contains(c.Plain, []byte(text)) {
			return nil
		}
		return refuse(http.StatusBadRequest, "poisoned")
	}
}

// RefuseEncoding answers with status to a body in that Content-Encoding.
func RefuseEncoding(encoding string, status int) Check {
	return func(c Content) *Answer {
		if c.Encoding != encoding {
			return nil
		}
		return refuse(status, "encoding refused")
	}
}
