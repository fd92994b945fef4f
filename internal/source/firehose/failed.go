package firehose

import (
	"math/bits"
	"slices"
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

// tellingSigns are what every envelope has beside its record, and other software seldom has two of.
const tellingSigns signs = 1<<signAttempts | 1<<signArrival | 1<<signErrorCode | 1<<signEnding

// telling is how many of those were seen.
func (s signs) telling() int { return bits.OnesCount8(uint8(s & tellingSigns)) }

// IsFailed reports whether a JSON object looks like the envelope of a failed record. head is the object or its beginning.
//
// It is one that has rawData, a string, and two of attemptsMade, arrivalTimestamp, attemptEndingTimestamp and errorCode or
// lastErrorCode, in any case of letters and any order: a log of other software may well have rawData and an error code. As
// rawData may come late, a head that ends, or stops being JSON, before it needs attemptsMade and arrivalTimestamp. An
// envelope without data is not told by its content from a log that has the same members.
func IsFailed(head []byte) bool {
	var seen signs
	members := jsonwalk.Object(head)
	for members.Next() {
		one := signOf(members.Name())
		if one == signRawData && !couldBeRawData(members.First()) {
			return false // other software has a member of this name, too
		}
		seen = seen.with(one)
		if seen.has(signRawData) && seen.telling() >= 2 {
			return true
		}
	}
	return members.Err() != nil && !seen.has(signRawData) && seen.has(signAttempts) && seen.has(signArrival)
}

// couldBeRawData reports whether a value that starts with c is a string, or cut off.
func couldBeRawData(c byte) bool { return c == '"' || c == 0 }

// otherNames are the members that envelopes have beside those with a field of their own: of OpenSearch and Elasticsearch,
// Splunk, Snowflake, and streams that Firehose reads from or converts for. Firehose developer guide, "Handle data delivery
// failures" and "Record format conversion error handling".
var otherNames = []string{
	"esDocumentId", "esIndexName", "esTypeName", "osDocumentId", "osIndexName", "osTypeName", "EventId",
	"dataId", "dataCatalogTable", "sequenceNumber", "subSequenceNumber",
}

// HasOnlyUsual reports whether the envelope says nothing but what Firehose writes: without data, it is then no log.
func (f *Failed) HasOnlyUsual() bool {
	for i := range f.Other {
		name := string(f.Other[i].Name)
		if signOf(f.Other[i].Name) != signEnding && !slices.ContainsFunc(otherNames, func(known string) bool { return strings.EqualFold(known, name) }) {
			return false
		}
	}
	return f.Broken == nil
}
