package bucket

import (
	"math"
	"net/http"
	"time"
)

// Script chooses what happens to a request when its headers are in. It is called under the server's lock, once per
// request, in order of arrival; it may keep state and must not call the server.
type Script func(Arrival) Step

// Arrival is what a script may choose by, and what the log keeps of a request.
type Arrival struct {
	Number int // of all requests, counts from 1
	Nth    int // of the requests with this method, bucket and key, counts from 1
	At     time.Time
	Method string
	Bucket string // "" when the request is for none
	Key    string // decoded, "" when the request is for the bucket
	Query  string // as sent

	VersionID     string // of the query
	Range         string // "bytes=5-9"
	IfMatch       string // with its quotes
	IfNoneMatch   string
	ExpectedOwner string // x-amz-expected-bucket-owner
	Agent         string // User-Agent
}

// Step is what happens to one request. The zero Step is a server that works.
//
// After, Do, Stall and End concern the body of the answer, whatever its status. They happen when the body has After
// bytes at least; a shorter one passes as it is.
type Step struct {
	Delay   time.Duration // before the server is asked and anything is sent
	Refusal *Refusal      // answered instead of asking the server
	After   int64         // body bytes to hand over before what follows
	Do      func()        // called once then; it may call the server
	Stall   time.Duration // silence then; UntilReleased is for ever
	End     End           // how the answer ends then
}

// UntilReleased stalls or delays until the client goes away or Release is called.
const UntilReleased time.Duration = math.MaxInt64

// End is how an answer ends.
type End int

// The ends.
const (
	Whole End = iota // as it should
	Reset            // by RST
	Short            // by FIN, although Content-Length promised more
)

// Refusal is an error answer. Codes: Amazon S3 API reference, "Error responses".
type Refusal struct {
	Status  int
	Code    string
	Message string
}

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

// Rule is a step for the requests it fits. An empty or zero member fits all.
type Rule struct {
	Method, Bucket, Key string
	Nth                 int
	Step                Step
}

func (r Rule) fits(a Arrival) bool {
	return (r.Method == "" || r.Method == a.Method) && (r.Bucket == "" || r.Bucket == a.Bucket) &&
		(r.Key == "" || r.Key == a.Key) && (r.Nth == 0 || r.Nth == a.Nth)
}

// Rules plays the step of the first rule that fits.
func Rules(rules ...Rule) Script {
	return func(a Arrival) Step {
		for _, rule := range rules {
			if rule.fits(a) {
				return rule.Step
			}
		}
		return Step{}
	}
}

// CutAfter ends the connection by RST when n body bytes were handed over; at most that many arrive.
func CutAfter(n int64) Step { return Step{After: n, End: Reset} }

// ShortAfter ends the connection in order when n body bytes were sent, although Content-Length promised more.
func ShortAfter(n int64) Step { return Step{After: n, End: Short} }

// StallAfter is silent for a while when n body bytes were sent.
func StallAfter(n int64, d time.Duration) Step { return Step{After: n, Stall: d} }

// SlowFirstByte keeps everything back for a while, the status too.
func SlowFirstByte(d time.Duration) Step { return Step{Delay: d} }

// During calls do when n body bytes were sent and the rest was not, such as to overwrite the object that is being read.
func During(n int64, do func()) Step { return Step{After: n, Do: do} }

// Refuse answers with an error document.
func Refuse(status int, code, message string) Step {
	return Step{Refusal: &Refusal{Status: status, Code: code, Message: message}}
}

// SlowDown is the answer to too many requests.
func SlowDown() Step {
	return Refuse(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
}

// AccessDenied is the answer to a missing permission; without s3:ListBucket, to a missing key too.
func AccessDenied() Step { return Refuse(http.StatusForbidden, "AccessDenied", "Access Denied") }

// KMSDenied is the answer when the object's key may not be used.
func KMSDenied() Step {
	return Refuse(http.StatusForbidden, "AccessDenied", "User: arn:aws:sts::123456789012:assumed-role/sluice/sluice-s3"+
		" is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext")
}

// KMSDisabled is the answer when the object's key is disabled.
func KMSDisabled() Step {
	return Refuse(http.StatusBadRequest, "KMS.DisabledException",
		"arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000001 is disabled.")
}

// NoSuchKey is the answer when the object is gone.
func NoSuchKey() Step {
	return Refuse(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
}

// PreconditionFailed is the answer when the object is another by now.
func PreconditionFailed() Step {
	return Refuse(http.StatusPreconditionFailed, "PreconditionFailed",
		"At least one of the pre-conditions you specified did not hold")
}
