// Package record holds the normalised log record: one line of log, where it came from, and what was learned about it.
//
// Every source yields records and every destination encodes them; this package imports neither. It promises that a
// record's id depends only on its coordinates (never on its text or on the clock), and that a [Text] is valid inside a
// JSON string as it stands. It holds no buffers of its own: a record borrows its bytes from the source that made it.
package record

import "time"

// Kind names the coordinates that an origin's records are identified by (the first part of every id).
type Kind string

// The kinds of origin. Their parts are listed in [Record.AppendID].
const (
	CloudWatch Kind = "cwl"
	Kinesis    Kind = "kinesis"
)

// Record is one log line.
//
// The byte slices belong to the source and are valid until it is asked for the next record.
type Record struct {
	Origin *Origin // shared by all records of a payload; never nil

	// EventID tells this record from the others of its origin: the CloudWatch event id, or a Kinesis record's eventID.
	EventID Text
	// Index counts the records that share an EventID, from 0: the lines of one Kinesis record.
	Index int

	// TimeMillis is when the event happened, in ms since the Unix epoch; 0 when the source has no time.
	TimeMillis int64
	Message    Text
	// Members are further members of the source's event, such as `extractedFields`. No name repeats.
	Members []Member

	Marks Marks
	// TruncatedBytes is how many bytes of the message were cut (see [Truncated]).
	TruncatedBytes int
	// Part and Parts number the pieces of a message that was cut into several records (see [Chunked]); 0 otherwise.
	Part, Parts int
}

// Member is a named JSON value.
type Member struct {
	Name  []byte // escaped: the inside of a JSON string
	Value []byte // valid JSON
}

// Origin is what all records of one payload share. Sources fill in the coordinates, package process the rest; a
// destination sees it complete and unchanging, so it may encode it once and keep the result for as long as it sees the
// same pointer.
type Origin struct {
	Kind Kind

	// CloudWatch Logs coordinates; empty for other kinds.
	Owner               string // account that owns the log group
	LogGroup, LogStream string
	SubscriptionFilters []string
	Control             bool // the payload is a probe of CloudWatch Logs itself, not a log

	StreamARN string // of the Kinesis stream, for everything that came through one

	Region string // region of the log group, as far as it is known

	// What the service table and the settings made of it.
	Source, Service, Host string
	Tags                  Tags
	LambdaARN             string // of the function that wrote the log; empty when no function did

	// The forwarder itself.
	FunctionARN     string // as invoked
	FunctionVersion string

	id identity
}

// Time returns the event time in UTC; the zero time when the source has none.
func (r *Record) Time() time.Time {
	if r.TimeMillis == 0 {
		return time.Time{}
	}
	return time.UnixMilli(r.TimeMillis).UTC()
}

// Marks say what was altered on the way (contract R9). An altered line is still the line: it is counted, not dropped.
type Marks uint8

// The alterations.
const (
	Truncated    Marks = 1 << iota // the end of the message was cut to fit the intake's limit
	Chunked                        // the message was cut into several records
	UTF8Repaired                   // bytes that are no UTF-8, or no character, were replaced by U+FFFD or escaped
)

var markNames = [...]string{"truncated", "chunked", "utf8_repaired"}

// Names lists the marks that are set, in a fixed order.
func (m Marks) Names() []string {
	var names []string
	for i, name := range markNames {
		if m&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}
