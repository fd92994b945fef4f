package delivery

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"sluice/e2e/stack/envelope"
)

// Limits of PutRecord and PutRecordBatch. API reference, "PutRecordBatch".
const (
	MaxPutRecords     = 500
	MaxPutBytes       = 4 << 20   // of all data of a call, before base64
	MaxPutRecordBytes = 1_024_000 // of one record, before base64
)

// Entry is one record to put.
type Entry struct {
	Payload string // what Invocations, Attempts and Failures name it by; "" when it has no name
	Data    []byte // kept: do not change it
}

// PutResult is what became of one record: it has an id or an error code.
type PutResult struct {
	ID      string // 56 digits
	Code    string
	Message string
}

// PutError is the refusal of a whole call.
type PutError struct {
	Code    string
	Message string
}

func (e *PutError) Error() string { return e.Code + ": " + e.Message }

// PutArrival is what a PutScript may choose by.
type PutArrival struct {
	Number  int // of the call, counts from 1
	Records int
}

// PutStep is what happens to one call. The zero PutStep takes all records.
type PutStep struct {
	Refuse string         // error code of the whole call, such as "ServiceUnavailableException"
	Fail   map[int]string // error codes of single records, by index
}

// PutScript chooses what happens to a put. It is called under the stream's lock and must not call the stream.
type PutScript func(PutArrival) PutStep

// PutSteps plays one step per call from the next call on, and takes everything afterwards. It is good for one use.
func PutSteps(steps ...PutStep) PutScript {
	return func(PutArrival) PutStep {
		if len(steps) == 0 {
			return PutStep{}
		}
		step := steps[0]
		steps = steps[1:]
		return step
	}
}

// SetPutScript changes what happens to the puts from now on, by method and by API. nil takes everything.
func (s *Stream) SetPutScript(script PutScript) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = script
}

// Put puts one record, as PutRecord does, and returns its id. The error is a *PutError.
func (s *Stream) Put(payload string, data []byte) (string, error) {
	results, err := s.PutBatch([]Entry{{payload, data}})
	if err != nil {
		return "", err
	}
	if results[0].Code != "" {
		return "", &PutError{results[0].Code, results[0].Message}
	}
	return results[0].ID, nil
}

// PutBatch puts records, as PutRecordBatch does. The results are parallel to the entries; a record with an error code was
// not taken. The error is a *PutError and means that none was taken.
func (s *Stream) PutBatch(entries []Entry) ([]PutResult, error) {
	return s.put(entries, func(e Entry) []string { return named(e.Payload) })
}

// putUnnamed puts records that came over the API. Bytes that were put before keep their payload ids; others are the
// function's own work and carry all ids of the batch it is transforming.
func (s *Stream) putUnnamed(entries []Entry) ([]PutResult, error) {
	return s.put(entries, func(e Entry) []string {
		if ids, known := s.known[fingerprint(e.Data)]; known {
			return ids
		}
		return payloadsOf(s.inFlight)
	})
}

func (s *Stream) put(entries []Entry, payloads func(Entry) []string) ([]PutResult, error) {
	if refused := refusal(entries); refused != nil {
		return nil, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cfg.Source != "" {
		return nil, &PutError{"InvalidArgumentException", "the stream reads a Kinesis stream and takes no puts"}
	}
	s.puts++
	var step PutStep
	if s.script != nil {
		step = s.script(PutArrival{Number: s.puts, Records: len(entries)})
	}
	if step.Refuse != "" {
		return nil, &PutError{step.Refuse, "refused by script"}
	}
	results := make([]PutResult, len(entries))
	for i, e := range entries {
		if code := step.Fail[i]; code != "" {
			results[i] = PutResult{Code: code, Message: "refused by script"}
			continue
		}
		r := &record{id: s.nextID(), payloads: payloads(e), arrived: s.now(), source: e.Data, data: e.Data}
		s.take(r)
		results[i].ID = r.id
	}
	return results, nil
}

// refusal is the limit a call breaks. One record too large refuses all.
func refusal(entries []Entry) *PutError {
	if len(entries) == 0 || len(entries) > MaxPutRecords {
		return &PutError{"ValidationException", fmt.Sprintf("a call has 1 to %d records, this one %d", MaxPutRecords, len(entries))}
	}
	total := 0
	for i, e := range entries {
		if len(e.Data) > MaxPutRecordBytes {
			return &PutError{
				"ValidationException",
				fmt.Sprintf("record %d has %d bytes, the limit is %d", i, len(e.Data), MaxPutRecordBytes),
			}
		}
		total += len(e.Data)
	}
	if total > MaxPutBytes {
		return &PutError{"InvalidArgumentException", fmt.Sprintf("the records have %d bytes, the limit is %d", total, MaxPutBytes)}
	}
	return nil
}

// KinesisRecord is one user record of the source stream. KPL aggregates are split by who puts them: siblings share the
// sequence number.
type KinesisRecord struct {
	envelope.Record
	Subsequence int64
	Payload     string // "" means the sequence number
}

// Read takes records the stream read from its Kinesis source.
func (s *Stream) Read(records ...KinesisRecord) error {
	if s.cfg.Source == "" {
		return fmt.Errorf("read %d Kinesis records into stream %s: its source is Direct PUT, set Config.Source", len(records), s.cfg.Name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range records {
		payload := k.Payload
		if payload == "" {
			payload = k.Sequence
		}
		s.take(&record{
			id: s.nextID(), payloads: named(payload), arrived: s.now(), source: k.Data, data: k.Data,
			kinesis: newMetadata(k, s.cfg.AsText),
		})
	}
	return nil
}

func named(payload string) []string {
	if payload == "" {
		return nil
	}
	return []string{payload}
}

// nextID is a record id: 56 digits that grow.
func (s *Stream) nextID() string {
	s.sequence++
	return fmt.Sprintf("4965%046d%06d", s.sequence, 0)
}

func fingerprint(data []byte) string {
	sum := sha256.Sum256(data)
	return string(sum[:])
}

// take buffers a record and closes the buffer that is full. It never delivers: the put may come from the function whose
// answer a delivery waits for. The caller holds mu.
func (s *Stream) take(r *record) {
	if key := fingerprint(r.source); s.known[key] == nil {
		s.known[key] = slices.Clone(r.payloads)
	}
	limit, records := s.cfg.Transform.limits()
	size := eventBytes(r)
	if len(s.buffer) > 0 && (s.bufferSize+len(r.source) > limit || s.eventSize+size > maxEventBytes) {
		s.closeBuffer()
	}
	s.buffer = append(s.buffer, r)
	s.bufferSize += len(r.source)
	s.eventSize += size
	if s.bufferSize >= limit || len(s.buffer) == records {
		s.closeBuffer()
	}
}

func (s *Stream) closeBuffer() {
	if len(s.buffer) > 0 {
		s.ready = append(s.ready, s.buffer)
	}
	s.buffer, s.bufferSize, s.eventSize = nil, 0, 0
}
