package firehose

import (
	"strings"

	"sluice/internal/jsonwalk"
	"sluice/internal/record"
)

// Failed is the envelope of a record that Firehose could not transform, convert or deliver.
//
// Parser.Parse fills it. Data belongs to the parser, Other to the parser and to the document that was parsed: both are valid
// until the next Parse, and while the document stays as it is. The texts are its own.
type Failed struct {
	// Data is the record: for processing-failed and decompression-failed as it entered Firehose, otherwise as it would have
	// been delivered. It may be compressed, and text may be several lines. It is empty when the envelope has no rawData.
	Data []byte
	// AttemptsMade is how often Firehose tried; 0 is a number it writes, -1 means that it does not say.
	AttemptsMade int
	// ArrivalMillis is when the record arrived at Firehose, in ms since the Unix epoch; 0 when it does not say. It is the
	// event time of a record that has none of its own.
	ArrivalMillis int64
	// ErrorCode and ErrorMessage say what went wrong. The message may quote what a destination answered: it is not for our
	// own log. Both are valid UTF-8.
	ErrorCode, ErrorMessage string
	// LambdaARN is the transforming function, with its version or alias.
	LambdaARN string
	// Other are the members not named above, in their order: `attemptEndingTimestamp` (never an event time: Firehose writes
	// dates in the far future there), the es*, os* and sequence members, `dataCatalogTable` as JSON, and a member named above
	// whose value is of another type or stands a second time. No name repeats.
	Other []record.Member
	// Broken says why the envelope was not read as a whole; nil when it was. What could be saved is here, and Data is right as
	// far as it goes, but it may be cut where the envelope is.
	Broken error
}

// sign is a member by which an envelope is known or that has a field of its own.
type sign uint8

const (
	signOther sign = iota
	signRawData
	signAttempts
	signArrival
	signErrorCode
	signEnding
	signMessage
	signLambda
)

// signNames are the names of those members, in the spellings of all guides, apart from case. Firehose developer guide,
// "Handle data delivery failures", "Data transformation failure handling" and "Record format conversion error handling".
var signNames = [...]struct {
	name string
	sign sign
}{
	{"rawData", signRawData},
	{"attemptsMade", signAttempts},
	{"arrivalTimestamp", signArrival},
	{"errorCode", signErrorCode},
	{"lastErrorCode", signErrorCode},
	{"attemptEndingTimestamp", signEnding},
	{"errorMessage", signMessage},
	{"lastErrorMessage", signMessage},
	{"lambdaArn", signLambda},
}

func signOf(name []byte) sign {
	for i := range signNames {
		if known := signNames[i].name; len(known) == len(name) && strings.EqualFold(known, string(name)) {
			return signNames[i].sign
		}
	}
	return signOther
}

// IsMember reports whether name, in any case, is that of a member by which an envelope is known. An object whose first
// member has another name need not be looked at any further, unless it is one of a kind.
func IsMember(name string) bool { return signOf([]byte(name)) != signOther }

// signs is the set of those that were seen.
type signs uint8

func (s signs) has(one sign) bool { return s&(1<<one) != 0 }

func (s signs) with(one sign) signs { return s | 1<<one }

// envelope reports whether members like these make an envelope. whole says that there are no others.
func (s signs) envelope(whole bool) bool {
	told := s.has(signErrorCode) || s.has(signEnding)
	if s.has(signRawData) {
		return told || s.has(signAttempts) || s.has(signArrival)
	}
	return s.has(signAttempts) && s.has(signArrival) && (told || !whole)
}

// IsFailed reports whether a JSON object looks like the envelope of a failed record. head is the object or its beginning.
//
// It is one that has rawData, a string or null, and one of attemptsMade, arrivalTimestamp, attemptEndingTimestamp and
// errorCode or lastErrorCode, in any case of letters and any order. As rawData may come late, a head that ends, or stops
// being JSON, before it needs attemptsMade and arrivalTimestamp. An object that is whole and has no rawData needs an error
// code or attemptEndingTimestamp as well: it is an envelope without data.
func IsFailed(head []byte) bool {
	var seen signs
	members := jsonwalk.Object(head)
	for members.Next() {
		one := signOf(members.Name())
		if one == signRawData && !couldBeRawData(members.First()) {
			continue // other software has a member of this name, too
		}
		seen = seen.with(one)
		if seen.has(signRawData) && seen.envelope(false) {
			return true
		}
	}
	return seen.envelope(members.Err() == nil)
}

// couldBeRawData reports whether a value that starts with c is a string, null, or cut off.
func couldBeRawData(c byte) bool { return c == '"' || c == 'n' || c == 0 }
