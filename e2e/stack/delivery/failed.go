package delivery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"sluice/e2e/stack"
	"sluice/e2e/stack/notify"
)

// Kind is what an object holds. That of failed records is their folder, the error output type.
type Kind string

// The folders of failed records. Developer guide, "Handle data delivery failures"; those of decompression, OpenSearch
// Serverless, Snowflake and Iceberg are seen in practice.
const (
	ProcessingFailed       Kind = "processing-failed"
	DecompressionFailed    Kind = "decompression-failed"
	FormatConversionFailed Kind = "format-conversion-failed"
	ElasticsearchFailed    Kind = "elasticsearch-failed"
	OpenSearchFailed       Kind = "AmazonOpenSearchService-failed"
	ServerlessFailed       Kind = "AmazonOpenSearchServerlessService-failed"
	SplunkFailed           Kind = "splunk-failed"
	HTTPEndpointFailed     Kind = "http-endpoint-failed"
	SnowflakeFailed        Kind = "snowflake-failed"
	IcebergFailed          Kind = "iceberg-failed"
)

// The kinds of other objects. They are no folders.
const (
	Delivered        Kind = "delivered"
	SourceBackup     Kind = "source-backup"
	RedshiftManifest Kind = "errors/manifests"
)

// FailedKinds are the folders of failed records.
func FailedKinds() []Kind {
	return []Kind{
		ProcessingFailed, DecompressionFailed, FormatConversionFailed, ElasticsearchFailed, OpenSearchFailed, ServerlessFailed,
		SplunkFailed, HTTPEndpointFailed, SnowflakeFailed, IcebergFailed,
	}
}

// FailedRecord is a record that some service could not process or deliver.
type FailedRecord struct {
	Data      []byte
	Payload   string
	Arrived   time.Time // zero means now
	Attempts  int       // 0 is written as it is
	Code      string    // "" means one that is usual for the kind
	Message   string    // "" likewise
	AsPrinted bool      // spelled as the guides print it where real objects differ: numbers as texts, lambdaArn, ErrorCode
}

// Failed stores an object of failed records of any kind, as the stream that had failed with them would, and returns it.
func (s *Stream) Failed(ctx context.Context, kind Kind, records ...FailedRecord) (Written, error) {
	if !slices.Contains(FailedKinds(), kind) || len(records) == 0 {
		return Written{}, fmt.Errorf("make an object of %d failed records of kind %q: use a kind of FailedKinds and a record",
			len(records), kind)
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	list := make([]*failedRecord, len(records))
	s.mu.Lock()
	for i, r := range records {
		list[i] = s.made(kind, r)
	}
	s.mu.Unlock()
	s.packEnvelopes(kind, list)
	return s.storeLast(ctx)
}

// made is a failed record with what the caller left out. The caller holds mu.
func (s *Stream) made(kind Kind, r FailedRecord) *failedRecord {
	f := &failedRecord{
		kind: kind, id: s.nextID(), payloads: named(r.Payload), data: r.Data, arrived: r.Arrived, ended: s.now(),
		attempts: r.Attempts, code: r.Code, message: r.Message, asPrinted: r.AsPrinted,
		function: fmt.Sprintf("arn:aws:lambda:%s:%s:function:transform:$LATEST", stack.Region, stack.Account),
	}
	if s.cfg.Transform != nil {
		f.function = s.cfg.Transform.ARN
	}
	if f.arrived.IsZero() {
		f.arrived = f.ended
	}
	usual := usualReasons[kind]
	if f.code == "" {
		f.code = usual.code
	}
	if f.message == "" {
		f.message = usual.message
	}
	return f
}

var usualReasons = map[Kind]reason{
	ProcessingFailed:       {"Lambda.FunctionError", "The function answered with an error."},
	DecompressionFailed:    {"Decompression failed.", "Decompression failed."},
	FormatConversionFailed: {"DataFormatConversion.ParseError", "Unexpected character ('x' (code 120))"},
	ElasticsearchFailed:    {"429", `{"type":"es_rejected_execution_exception","reason":"queue <full> & busy"}`},
	OpenSearchFailed:       {"OS.DocumentFailed", `{"type":"mapper_parsing_exception"}`},
	ServerlessFailed:       {"400", `{"type":"mapper_parsing_exception"}`},
	SplunkFailed:           {"Splunk.AckTimeout", "No acknowledgement came before the HEC timeout."},
	HTTPEndpointFailed:     {"HttpEndpoint.RequestTimeout", "The endpoint did not answer in time."},
	SnowflakeFailed:        {"Snowflake.InvalidColumns", "A column has a default value."},
	IcebergFailed:          {"Iceberg.MissingColumnWithinRecord", "A column is missing."},
}

// Manifest stores the COPY manifest Firehose writes when Redshift did not load objects, and returns it. The objects have
// to be in the bucket already.
func (s *Stream) Manifest(ctx context.Context, objects ...notify.Object) (Written, error) {
	type entry struct {
		URL       string `json:"url"`
		Mandatory bool   `json:"mandatory"`
	}
	document := struct {
		Entries []entry `json:"entries"`
	}{make([]entry, len(objects))}
	for i, o := range objects {
		document.Entries[i] = entry{"s3://" + o.Bucket + "/" + o.Key, true} // the key is not escaped
	}
	body, err := marshal(document)
	if err != nil {
		return Written{}, err
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	at := s.Now().In(s.cfg.Objects.Zone)
	place := s.cfg.Objects
	place.Extension = ""
	s.outbox = append(s.outbox, object{
		place: &place, kind: RedshiftManifest, plain: body, records: len(objects),
		key: string(RedshiftManifest) + "/" + at.Format(timePath) + s.name(at, ""),
	})
	return s.storeLast(ctx)
}

// storeLast stores what is queued and returns the last object of it.
func (s *Stream) storeLast(ctx context.Context) (Written, error) {
	if err := s.store(ctx); err != nil {
		return Written{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written[len(s.written)-1], nil
}

// failedRecord is one line of a failed object.
type failedRecord struct {
	kind      Kind
	id        string
	payloads  []string
	data      []byte
	arrived   time.Time
	ended     time.Time
	attempts  int
	code      string
	message   string
	function  string // of processing-failed
	asPrinted bool
}

// fail keeps failed records until their object is written.
func (s *Stream) fail(records ...*failedRecord) {
	for _, f := range records {
		s.failed[f.kind] = append(s.failed[f.kind], f)
	}
}

// packFailed makes an object of each kind of failed records.
func (s *Stream) packFailed() {
	for _, kind := range FailedKinds() {
		for list := s.failed[kind]; len(list) > 0; {
			n := fitting(list, s.cfg.Objects.BufferBytes)
			s.packEnvelopes(kind, list[:n])
			list = list[n:]
		}
		delete(s.failed, kind)
	}
}

// fitting is how many records from the front an object holds, by their data: at least one.
func fitting(list []*failedRecord, limit int) int {
	total := 0
	for i, f := range list {
		total += len(f.data)
		if i > 0 && total > limit {
			return i
		}
	}
	return len(list)
}

func (s *Stream) packEnvelopes(kind Kind, list []*failedRecord) {
	var plain []byte
	oldest := list[0].arrived
	records := make([]*record, len(list))
	for i, f := range list {
		plain = f.appendLine(plain)
		if f.arrived.Before(oldest) {
			oldest = f.arrived
		}
		records[i] = &record{payloads: f.payloads}
	}
	s.queue(&s.cfg.Objects, s.prefix.bad,
		object{kind: kind, plain: plain, payloads: payloadsOf(records), records: len(list)}, place{at: oldest, kind: kind})
}

// member is one of a JSON object whose order is kept.
type member struct {
	name  string
	value any
}

// appendLine appends the record's envelope and a newline.
func (f *failedRecord) appendLine(dst []byte) []byte {
	raw := append([]byte{}, f.data...) // never null
	members := []member{
		{"attemptsMade", f.number(int64(f.attempts))},
		{"arrivalTimestamp", f.number(f.arrived.UnixMilli())},
		{f.errorMember("Code"), f.code},
		{f.errorMember("Message"), f.message},
		{"attemptEndingTimestamp", f.number(f.ended.UnixMilli())},
	}
	documentID := []member{{"esDocumentId", f.id + ".0"}, {"esIndexName", "logs"}, {"esTypeName", ""}}
	data := member{"rawData", raw}
	switch f.kind {
	case ProcessingFailed:
		members = append(members, data, member{f.functionMember(), f.function})
	case FormatConversionFailed:
		members = append(members, data, member{"sequenceNumber", f.id}, member{"subSequenceNumber", nil},
			member{"dataCatalogTable", catalogTable{
				Database: "logs", Table: "events", Region: stack.Region, Version: "LATEST",
			}})
	case ElasticsearchFailed, OpenSearchFailed:
		members = append(append(members, documentID...), data)
	case ServerlessFailed:
		members = append(members, data, member{"osDocumentId", url.QueryEscape("1:0:" + f.id)}, member{"osIndexName", "logs"})
	case SplunkFailed:
		members = append(members, data, member{"EventId", f.id + ".0"})
	case HTTPEndpointFailed:
		members = append(members, data, member{"subsequenceNumber", 0}, member{"dataId", f.id + ".0"})
	case IcebergFailed:
		members = append(members, data, member{"EventId", f.id}, member{"SubsequenceNumber", nil},
			member{"ApproximateArrivalTimestamp", f.arrived.UnixMilli()})
	default:
		members = append(members, data)
	}
	return append(appendObject(dst, members), '\n')
}

type catalogTable struct {
	Catalog    *string `json:"catalogId"`
	Database   string  `json:"databaseName"`
	Table      string  `json:"tableName"`
	Region     string  `json:"region"`
	Version    string  `json:"versionId"`
	CatalogARN *string `json:"catalogArn"`
}

// number is a number, or the text the guides print for it.
func (f *failedRecord) number(n int64) any {
	if f.asPrinted {
		return fmt.Sprint(n)
	}
	return n
}

func (f *failedRecord) functionMember() string {
	if f.asPrinted {
		return "lambdaArn"
	}
	return "lambdaARN"
}

// errorMember is the name of a member about the error. Format conversion has two spellings: that of the older guide, and
// that of the newer one.
func (f *failedRecord) errorMember(name string) string {
	switch {
	case f.kind != FormatConversionFailed:
		return "error" + name
	case f.asPrinted:
		return "Error" + name
	default:
		return "lastError" + name
	}
}

// appendObject appends a JSON object with its members in order.
func appendObject(dst []byte, members []member) []byte {
	for i, m := range members {
		separator := byte(',')
		if i == 0 {
			separator = '{'
		}
		dst = append(dst, separator)
		dst = appendJSON(dst, m.name)
		dst = append(dst, ':')
		dst = appendJSON(dst, m.value)
	}
	return append(dst, '}')
}

func appendJSON(dst []byte, v any) []byte {
	text, _ := marshal(v) // texts, numbers and bytes always encode
	return append(dst, text...)
}

// marshal writes JSON the way AWS does: <, > and & stand as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, errors.Join(errors.New("write a JSON value"), err)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
