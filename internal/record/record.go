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
	CloudWatch  Kind = "cwl"
	Kinesis     Kind = "kinesis"
	Firehose    Kind = "firehose"
	S3          Kind = "s3"
	SQS         Kind = "sqs"
	SNS         Kind = "sns"
	EventBridge Kind = "eventbridge"
)

// Record is one log line.
//
// The byte slices belong to the source and are valid until it is asked for the next record.
type Record struct {
	Origin *Origin // shared by all records of a payload; never nil

	// EventID tells this record from the others of its origin: the CloudWatch event id, a Kinesis record's eventID, a
	// Firehose record's recordId, the id of a message. A line of an S3 object has none: its Offset tells it.
	EventID Text
	// Offset is where in the plain bytes of an S3 object the line starts, or the document that the record stands in.
	Offset int64
	// Index counts the records that share an EventID or an Offset, from 0: the lines of one Kinesis record, or the elements
	// of an array in a CloudWatch event. The further elements of an array in a line have numbers far above those of lines.
	Index int

	// TimeMillis is when the event happened, in ms since the Unix epoch; 0 when the source has no time.
	TimeMillis int64
	Message    Text
	// Structured says that the message is one JSON object, whose members are what the record has to say: a destination that
	// takes objects may give them in place of the text.
	Structured bool
	// Header says that the line names columns or is a comment of its format: it is no log.
	Header bool
	// Columns is the line that named the columns of this one, without its end; nil where none did. Records that share it
	// share its bytes.
	Columns []byte
	// Severity is what the line says about how grave it is; empty when nobody has asked, or it says nothing.
	Severity Severity
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

	// S3 coordinates, for everything that was read from an object.
	Bucket, Key     string // the key as it is, not encoded
	VersionID, ETag string // of the object; the version is empty in a bucket without versions, the ETag has no quotes

	// StreamARN is the Kinesis or delivery stream, for everything that came through one; for a message, its queue or topic.
	StreamARN string

	Region string // region of the log group, as far as it is known

	// What the service table and the settings made of it.
	Source, Service, Host string
	// Found are the source and the service before the settings replaced them, by which an origin that comes back is judged
	// again. Empty until package process has seen it.
	Found     struct{ Source, Service string }
	Log       string // the shape of the lines, a service.Log; empty when it is not known
	Tags      Tags
	LambdaARN string // of the function that wrote the log; empty when no function did

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
	Truncated      Marks = 1 << iota // the end of the message was cut to fit the intake's limit
	Chunked                          // the message was cut into several records
	UTF8Repaired                     // bytes that are no UTF-8, or no character, were replaced by U+FFFD or escaped
	BrokenEnvelope                   // what the line stood in was damaged; the line is what could be saved
	Redacted                         // text was replaced by a rule of the settings
	AgentRaw                         // an option of the Kinesis Agent does not match the line, which is kept as it came
	NotExpanded                      // an array in the message has too many elements to be made records of
)

var markNames = [...]string{"truncated", "chunked", "utf8_repaired", "broken_envelope", "redacted", "agent_raw", "not_expanded"}

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
