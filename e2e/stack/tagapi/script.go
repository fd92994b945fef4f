package tagapi

import (
	"math"
	"net/http"
	"time"
)

// Script chooses what happens to a call when it has been read. It is called under the server's lock, once per call, in order
// of arrival; it may keep state and must not call the server.
type Script func(Call) Step

// Step is what happens to one call. The zero Step is a server that works.
type Step struct {
	Delay   time.Duration // before it is answered; UntilReleased is for ever
	Refusal *Refusal      // answered instead of tags
}

// UntilReleased delays until the client goes away or Release is called.
const UntilReleased time.Duration = math.MaxInt64

// Refusal is an error answer.
type Refusal struct {
	Status  int
	Kind    string // "ThrottlingException"
	Message string
}

// Always does the same to every call.
func Always(step Step) Script { return func(Call) Step { return step } }

// Throttle is the answer to too many calls.
func Throttle() Step { return refuse(http.StatusBadRequest, "ThrottlingException", "Rate exceeded") }

// Fail is the answer of a service that is not well.
func Fail() Step {
	return refuse(http.StatusInternalServerError, "InternalServiceException", "The request processing failed because of an unknown error")
}

// Deny is the answer to a missing permission.
func Deny() Step {
	return refuse(http.StatusBadRequest, "AccessDeniedException",
		"User: arn:aws:sts::123456789012:assumed-role/sluice/sluice-cloudwatch is not authorized to perform this operation")
}

// Slow answers after some time.
func Slow(d time.Duration) Step { return Step{Delay: d} }

// Hang is silent until the client goes away or Release is called.
func Hang() Step { return Slow(UntilReleased) }

func refuse(status int, kind, message string) Step {
	return Step{Refusal: &Refusal{Status: status, Kind: kind, Message: message}}
}
