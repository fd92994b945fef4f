// Package config turns the environment and one YAML document into a Config.
//
// It promises to report everything that is wrong at once, each with its place and with what would be right; that an
// accepted Config is valid as it stands; and that no secret is in an error, a warning, or a printed Config. One table
// (settings.go, forwarder.go) is behind reading, behind the check for unknown names, and behind docs/settings.md.
//
// It reads no secret (they stay references), opens no connection but to fetch the document, and does not judge whether a
// Datadog site exists or a host may be dialled.
package config

import (
	"time"

	"sluice/internal/secret"
)

// Config is what the user wants. Load makes it; nothing changes it afterwards.
type Config struct {
	// Tags are put on every record in this order, each "name:value" or a bare "name". Zero value: none.
	// Setting: tags, SLUICE_TAGS; Datadog: DD_TAGS.
	Tags []string

	// Source replaces the source name that is found for a record. Zero value: found.
	// Setting: source, SLUICE_SOURCE; Datadog: DD_SOURCE.
	Source string

	// SourceNames says how finely sources are named. Never empty; default SourceNamesSluice.
	// Setting: source_names, SLUICE_SOURCE_NAMES.
	SourceNames SourceNames

	// MaxInflatedBytes bounds one inline payload after decompression, in bytes from 1 MiB to 1 GiB. Default 64 MiB.
	// Setting: max_inflated_bytes, SLUICE_MAX_INFLATED_BYTES.
	MaxInflatedBytes int64

	// Processing is what happens to the records of logs without a route. Its settings stand at the top of the document.
	Processing

	// TagRules hold for all records. Setting: tag_rules.
	TagRules TagRules

	// ResourceTags are those that are looked up in AWS.
	ResourceTags ResourceTags

	// RedactIP and RedactEmail say that IP addresses and e-mail addresses are replaced in messages. Default false.
	// Setting: redact_ip, redact_email; SLUICE_REDACT_IP, SLUICE_REDACT_EMAIL; Datadog: REDACT_IP, REDACT_EMAIL.
	RedactIP, RedactEmail bool

	// AllowedOwners are the accounts whose payloads of CloudWatch Logs are taken, each of 12 digits and once. Zero value:
	// every one. Setting: allowed_owners, SLUICE_ALLOWED_OWNERS.
	AllowedOwners []string

	// Buckets are those whose objects are read. Zero value: every one. Setting: buckets, SLUICE_BUCKETS.
	Buckets []Bucket

	// MaxObjectBytes bounds one S3 object after decompression, in bytes from 1 MiB to 1 TiB. Default 16 GiB.
	// Setting: max_object_bytes, SLUICE_MAX_OBJECT_BYTES.
	MaxObjectBytes int64

	// FollowManifests says that the objects a Redshift manifest lists are read. Default false.
	// Setting: follow_manifests, SLUICE_FOLLOW_MANIFESTS.
	FollowManifests bool

	// Multiline holds for logs without a route. Default: line by line, else at most 500 lines and 256 KiB a record.
	// Setting: multiline_start, multiline_max_lines, multiline_max_bytes; SLUICE_MULTILINE_START,
	// SLUICE_MULTILINE_MAX_LINES, SLUICE_MULTILINE_MAX_BYTES; Datadog: DD_MULTILINE_LOG_REGEX_PATTERN.
	Multiline Multiline

	// MultilineEvents says that Multiline also joins events of CloudWatch Logs and lines of streams that have no route.
	// Default false. Setting: multiline_events, SLUICE_MULTILINE_EVENTS.
	MultilineEvents bool

	// Routes are tried in order; the first that matches a log counts. Setting: routes.
	Routes []Route

	// ParkBucket is where everything is kept that could not be delivered or read. Zero value: nowhere, it goes back to AWS.
	// Setting: park_bucket, SLUICE_PARK_BUCKET.
	ParkBucket Bucket

	// ParkPrefix starts the keys in ParkBucket. Never empty; default sluice. Setting: park_prefix, SLUICE_PARK_PREFIX.
	ParkPrefix string

	// ParkKMSKey is the id or the ARN of the KMS key that parked objects are encrypted with, or of an alias of it. Zero
	// value: as ParkBucket encrypts. Setting: park_kms_key, SLUICE_PARK_KMS_KEY.
	ParkKMSKey string

	// DeadRaw says that input which cannot be read is kept in ParkBucket, as it came and before any redaction. Default
	// true; if not, it goes back to AWS. Setting: dead_raw, SLUICE_DEAD_RAW.
	DeadRaw bool

	// ContinueQueue is the URL of the SQS queue for the rest of an object that there is no time for: https://host/account/name,
	// or http on loopback. Zero value: none, the rest is parked. Setting: continue_queue, SLUICE_CONTINUE_QUEUE.
	ContinueQueue string

	// MaxReceives is the maxReceiveCount of the queue that announces objects, 2 to 1000. Default 5. On the last but one
	// receive, what cannot be delivered or read is parked. Setting: max_receives, SLUICE_MAX_RECEIVES.
	MaxReceives int

	// Firehose is what the transformation function does. Setting: firehose_output, firehose_partition_keys,
	// firehose_reingest, firehose_tee; SLUICE_FIREHOSE_OUTPUT, SLUICE_FIREHOSE_PARTITION_KEYS, SLUICE_FIREHOSE_REINGEST,
	// SLUICE_FIREHOSE_TEE. The variables of its items are those of destinations.
	Firehose Firehose

	// CABundle is the path of a PEM file whose certificates are trusted beside the system's. Zero value: only those.
	// There is no setting that switches the check of certificates off. Setting: ca_bundle, SLUICE_CA_BUNDLE.
	CABundle string

	// Destinations are where records go, at least one, in the document's order; none of LoadTransform without Firehose.Tee.
	Destinations []Destination

	// Warnings are about what was accepted and is ignored or unwise, a line each.
	Warnings []string
}

// SourceNames is a set of names for sources.
type SourceNames string

// The sets of names.
const (
	SourceNamesSluice    SourceNames = "sluice"            // one name per AWS service
	SourceNamesForwarder SourceNames = "datadog-forwarder" // the coarse names of the Datadog Forwarder
)

// Destination is one intake. Which of Datadog and HTTP is filled follows from Type.
type Destination struct {
	// ID names the destination in counts and in the park store: 1 to 32 of a-z, 0-9 and -, unique. Setting: id.
	ID string

	// Type says what kind of intake it is. Never empty. Setting: type.
	Type Type

	// URL is where requests go. For TypeDatadog it is a base that the API's path is added to, and zero means the intake
	// of Datadog.Site; for TypeHTTP it is the whole URL and never zero.
	// Setting: url; for Datadog also SLUICE_URL, and DD_URL with DD_PORT and DD_NO_SSL.
	URL URL

	// Compression of request bodies. Never empty; default CompressionAuto.
	// Setting: compression, SLUICE_COMPRESSION; Datadog: DD_USE_COMPRESSION.
	Compression Compression

	// CompressionLevel is from 1 (fast) to 9 (small) for whatever coding is used. Zero value: the coding's default.
	// Setting: compression_level, SLUICE_COMPRESSION_LEVEL; Datadog: DD_COMPRESSION_LEVEL.
	CompressionLevel int

	// Oversize says what becomes of a record that is too large for the intake. Never empty; default OversizeTruncate.
	// Setting: oversize, SLUICE_OVERSIZE.
	Oversize Oversize

	// MaxInFlight bounds the requests under way at once, 1 to 64. Default 8. Setting: max_in_flight, SLUICE_MAX_IN_FLIGHT.
	MaxInFlight int

	// Attributes says whether what a line says is sent beside it. Never empty; default AttributesAWS for TypeHTTP,
	// AttributesOff for TypeDatadog. Setting: attributes, SLUICE_ATTRIBUTES.
	Attributes Attributes

	// AttemptTimeout bounds one request with its answer, 1 s to 60 s. Default 15 s.
	// Setting: attempt_timeout, SLUICE_ATTEMPT_TIMEOUT.
	AttemptTimeout time.Duration

	// AllowInsecureHTTP permits http:// to other machines than this one. Default false.
	// Setting: allow_insecure_http, SLUICE_ALLOW_INSECURE_HTTP.
	AllowInsecureHTTP bool

	// AllowPrivate permits addresses of private networks (RFC 1918, RFC 4193). Default false.
	// Setting: allow_private, SLUICE_ALLOW_PRIVATE.
	AllowPrivate bool

	Datadog Datadog // of TypeDatadog, else zero
	HTTP    HTTP    // of TypeHTTP, else zero
}

// Type is a kind of intake.
type Type string

// The kinds of intake.
const (
	TypeDatadog Type = "datadog" // Datadog Logs API v2
	TypeHTTP    Type = "http"    // anything that takes JSON over HTTP
)

// Compression is a content coding of request bodies.
type Compression string

// The content codings.
const (
	CompressionAuto Compression = "auto" // what suits the intake best
	CompressionZstd Compression = "zstd"
	CompressionGzip Compression = "gzip"
	CompressionNone Compression = "none"
)

// Oversize says what becomes of a record that is too large for the intake.
type Oversize string

// What may become of a record that is too large.
const (
	OversizeTruncate Oversize = "truncate" // its message is cut and the record marked
	OversizeSplit    Oversize = "split"    // its message is sent in numbered parts
)

// Attributes says whether what a line says is sent beside it, and under which names.
type Attributes string

// The names of attributes.
const (
	AttributesOff  Attributes = "off"
	AttributesAWS  Attributes = "aws"  // as the documentation of the service calls them
	AttributesECS  Attributes = "ecs"  // Elastic Common Schema
	AttributesOTel Attributes = "otel" // OpenTelemetry semantic conventions
)

// Datadog is what only a Datadog destination has.
type Datadog struct {
	// Site is a Datadog site, such as datadoghq.eu: a well-formed host name, not known to exist. Default datadoghq.com.
	// Setting: site, SLUICE_SITE; Datadog: DD_SITE.
	Site string

	// APIKey refers to the API key. Never zero.
	// Setting: api_key, SLUICE_API_KEY; Datadog: DD_API_KEY_SECRET_ARN, DD_API_KEY_SSM_NAME, DD_KMS_API_KEY, DD_API_KEY.
	APIKey secret.Ref

	// Late says how records are sent that are too old for Datadog's index. Never empty; default LateDropDate.
	// Setting: late, SLUICE_LATE.
	Late Late

	// Structured says how CloudTrail and EventBridge records are sent. Never empty; default StructuredFields.
	// Setting: structured, SLUICE_STRUCTURED.
	Structured Structured

	// Reshape says that lists in WAF logs become objects and findings of Security Hub items of their own. Default true.
	// Setting: reshape, SLUICE_RESHAPE.
	Reshape bool

	// EventID says which id an item carries. Never empty; default EventIDFull. Setting: event_id, SLUICE_EVENT_ID.
	EventID EventID
}

// Late is a way to send records that are too old.
type Late string

// The ways to send records that are too old.
const (
	LateDropDate Late = "drop-date" // without timestamp, the event's time in an attribute
	LateSend     Late = "send"      // as they are
)

// Structured is a way to send records that are JSON objects of AWS.
type Structured string

// The ways to send structured records.
const (
	StructuredFields Structured = "fields"  // their members at the root of the item
	StructuredText   Structured = "message" // the text as the message
)

// EventID is a form of the id that an item carries.
type EventID string

// The forms of an item's id.
const (
	EventIDFull  EventID = "full"
	EventIDShort EventID = "short"
	EventIDNone  EventID = "none"
)

// HTTP is what only a generic HTTP destination has.
type HTTP struct {
	// Method is POST or PUT. Default POST. Setting: method.
	Method string

	// Headers are sent with every request, in this order. Names are valid, unique and none that Sluice sets itself.
	// Zero value: none. Setting: headers.
	Headers []Header

	// Format is the shape of a body. Never empty; default FormatJSONArray. Setting: format.
	Format Format

	// Fields gives members of an item another name; an empty one leaves the member out. Names do not repeat. Zero value:
	// the usual names. Setting: fields.
	Fields map[string]string

	// SuccessCodes are the answers that mean delivered. Default 200 to 299 except 207 and 260. Setting: success_codes.
	SuccessCodes Codes

	// MaxBodyBytes bounds a body before compression, 1 kB to 32 MB. Default 1 MB. Setting: max_body_bytes.
	MaxBodyBytes int

	// MaxRecords bounds the items in a body, 1 to 100,000. Default 1000. Setting: max_records.
	MaxRecords int

	// MaxRecordBytes bounds one item before compression, 1 kB to MaxBodyBytes. Default MaxBodyBytes.
	// Setting: max_record_bytes.
	MaxRecordBytes int
}

// Header is a header of a request. Its value may be a secret, so it is a reference whatever the document says; a text that
// is none is a reference of the kind secret.Plain.
type Header struct {
	Name  string
	Value secret.Ref
}

// Format is the shape of a body.
type Format string

// The shapes of a body.
const (
	FormatJSONArray Format = "json_array" // one array of items
	FormatJSONLines Format = "json_lines" // an item a line
)
