package object

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// FaultKind says what keeps an object from being read. Its text is a stable name for counts and for reasons of parking.
type FaultKind string

// The kinds of fault. Gone and Overwritten are final, and named as the rules that drop such a source.
const (
	Gone        FaultKind = "source_gone"        // no such key or version, or a delete marker
	Overwritten FaultKind = "source_overwritten" // another object has the key now; a notification of its own follows
	Malformed   FaultKind = "s3_ref_malformed"   // nothing was asked for: it cannot be the name of an object
	NoBucket    FaultKind = "s3_no_bucket"
	Forbidden   FaultKind = "s3_forbidden" // also what a bucket of another owner answers: S3 does not tell them apart
	KMSDenied   FaultKind = "s3_kms_denied"
	Archived    FaultKind = "s3_archived"     // in a Glacier class: not readable before a person restores it
	WrongRegion FaultKind = "s3_wrong_region" // a redirect is never followed
	Refused     FaultKind = "s3_refused"      // another answer of 400 to 499
	Throttled   FaultKind = "s3_throttled"    // 429 or 5xx, after the retries of the SDK
	Broken      FaultKind = "s3_broken"       // the network, after the retries of the SDK or after the resumes
	Cancelled   FaultKind = "s3_cancelled"    // the caller's context ended
)

// Fault is the error of everything in this package that asks S3.
//
// Kind decides what to do. errors.Is with context.Canceled or context.DeadlineExceeded holds for Cancelled; a time limit of
// the network may be a DeadlineExceeded too, so ask for Kind first.
type Fault struct { //nolint:errname // callers speak of faults and their kinds
	Kind   FaultKind
	Place  string // "s3://bucket/key", quoted, control characters escaped, long keys cut
	Offset int64  // byte of the object that could not be read; those before it were
	Err    error

	resumes int
	checked bool // the request named the account that must own the bucket
}

// Error says where, why and what to do. It holds nothing of the object, and no more than a few hundred bytes of what
// others wrote.
func (f *Fault) Error() string {
	text := fmt.Sprintf("%s at byte %d: %s", f.Place, f.Offset, causeOf(f.Err))
	if f.resumes > 0 {
		text += fmt.Sprintf(" (after %d resumes)", f.resumes)
	}
	return text + ": " + f.advice()
}

// Unwrap returns what the SDK, the network or the context said.
func (f *Fault) Unwrap() error { return f.Err }

func (f *Fault) advice() string {
	switch f.Kind {
	case Gone:
		return "the object is gone, nothing is left to read"
	case Overwritten:
		return "the object was replaced, its own notification follows"
	case Malformed:
		return "check who may send such messages"
	case NoBucket:
		return "remove the bucket from the settings, or create it"
	case Forbidden:
		advice := "grant s3:GetObject and s3:GetObjectVersion on it; without s3:ListBucket on the bucket a missing object is answered so too"
		if f.checked {
			advice += ", and so is a bucket of another account than expected"
		}
		return advice
	case KMSDenied:
		return "grant kms:Decrypt on the key that encrypts the object, and see that the key is enabled"
	case Archived:
		return "restore the object from its archive class, then send its notification again"
	case WrongRegion:
		return "name the region of the bucket"
	case Refused:
		return "check the credentials and the clock of the function"
	case Throttled, Broken:
		return "try again later"
	case Cancelled:
		return "try again with more time"
	default:
		return "try again later"
	}
}

func (b *Body) fault(kind FaultKind, err error) *Fault {
	return &Fault{Kind: kind, Place: placeOf(b.ref.Bucket, b.ref.Key), Offset: b.offset, Err: err, checked: b.ref.Owner != ""}
}

// faultOf sorts an error of a request or of a read. An error after the context has ended is the context's.
func (b *Body) faultOf(err error) *Fault {
	if ended := b.ctx.Err(); ended != nil {
		return b.fault(Cancelled, ended)
	}
	return b.fault(kindOf(err), err)
}

// kindOf reads the status and the code of an answer; what has neither comes from the network.
// Codes: Amazon S3 API Reference, "Error responses".
func kindOf(err error) FaultKind {
	status := statusOf(err)
	code, message := "", ""
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		code, message = api.ErrorCode(), api.ErrorMessage()
	}
	if kind, known := kindByCode[code]; known {
		return kind
	}
	switch {
	// A refusal of KMS has a code of its own, or is an AccessDenied that names the action.
	case strings.HasPrefix(code, "KMS."), status == http.StatusForbidden && strings.Contains(message, "kms:"):
		return KMSDenied
	case status == http.StatusTooManyRequests, status >= http.StatusInternalServerError:
		return Throttled
	default:
		return kindByStatus(status)
	}
}

var kindByCode = map[string]FaultKind{
	"NoSuchKey":                    Gone,
	"NoSuchVersion":                Gone,
	"NoSuchBucket":                 NoBucket,
	"PreconditionFailed":           Overwritten,
	"InvalidRange":                 Overwritten, // the object ends before the byte reached
	"InvalidObjectState":           Archived,
	"PermanentRedirect":            WrongRegion,
	"TemporaryRedirect":            WrongRegion,
	"AuthorizationHeaderMalformed": WrongRegion, // signed for another region
	"SlowDown":                     Throttled,
}

func kindByStatus(status int) FaultKind {
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed: // the latter is a delete marker asked for by its version
		return Gone
	case http.StatusPreconditionFailed, http.StatusRequestedRangeNotSatisfiable:
		return Overwritten
	case http.StatusUnauthorized, http.StatusForbidden:
		return Forbidden
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return WrongRegion
	}
	if status >= http.StatusBadRequest {
		return Refused
	}
	return Broken
}

// statusOf is the status of the answer that err is about; 0 when there was none.
func statusOf(err error) int {
	if answer, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return answer.HTTPStatusCode()
	}
	return 0
}

const (
	maxPlaceBytes = 256 // delivery contract, threat S11
	maxCauseBytes = 256 // likewise
)

// causeOf is the part of an error that helps: the SDK adds the operation, the host id and the whole URL with the key.
func causeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		text := api.ErrorCode() + " " + excerpt(api.ErrorMessage(), maxCauseBytes)
		if answer, ok := errors.AsType[*awshttp.ResponseError](err); ok && answer.ServiceRequestID() != "" {
			text += " (request " + excerpt(answer.ServiceRequestID(), maxRegionBytes) + ")"
		}
		return text
	}
	if transport, ok := errors.AsType[*url.Error](err); ok {
		err = transport.Err
	}
	if status := statusOf(err); status != 0 {
		return fmt.Sprintf("S3 answered %d %s", status, http.StatusText(status))
	}
	text := err.Error()
	if len(text) > maxCauseBytes || strings.ContainsFunc(text, isUnprintable) {
		return excerpt(text, maxCauseBytes)
	}
	return text
}

func isUnprintable(r rune) bool { return !strconv.IsPrint(r) }

// placeOf names an object in messages.
func placeOf(bucket, key string) string {
	return excerpt("s3://"+bucket+"/"+key, len("s3://")+len(bucket)+1+maxPlaceBytes)
}

// excerpt quotes a text that others wrote, at most limit bytes of it.
func excerpt(s string, limit int) string {
	if len(s) <= limit {
		return strconv.Quote(s)
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return strconv.Quote(s[:limit]) + "…"
}
