package owner

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"sluice/e2e/stack/envelope"
)

// Limits of the event source mapping ("Lambda and Kinesis", parameters).
const (
	defaultBatchRecords = 100
	maxBatchBytes       = 6_000_000 // the event in its envelope
	recordOverheadBytes = 600       // envelope of one record, an upper bound
)

// MappingConfig is the event source mapping. ReportBatchItemFailures is always on.
type MappingConfig struct {
	Stream     envelope.Stream
	BatchSize  int  // records of a batch; 0 means 100
	MaxRetries int  // MaximumRetryAttempts of a batch; 0 means none
	Bisect     bool // BisectBatchOnFunctionError
	Backoff    Backoff

	// MaxAge is MaximumRecordAgeInSeconds: a record that arrived longer ago is not tried again. 0 means no limit.
	MaxAge    time.Duration
	OnFailure *OnFailure // keeps what is given up; nil means that nobody does
}

// Mapping is a Kinesis event source mapping. It is not safe for use by several goroutines.
type Mapping struct {
	function Invoker
	cfg      MappingConfig

	// History and Failures grow as shards are drained.
	History  []Delivery
	Failures []Failure
}

// NewMapping returns a mapping that has read nothing yet.
func NewMapping(f Invoker, cfg MappingConfig) *Mapping {
	if cfg.BatchSize == 0 {
		cfg.BatchSize = defaultBatchRecords
	}
	if cfg.Backoff == nil {
		cfg.Backoff = noBackoff
	}
	return &Mapping{function: f, cfg: cfg}
}

// Drain delivers the records of one shard in order, in batches, until each was taken or given up.
func (m *Mapping) Drain(ctx context.Context, shard []envelope.Record) error {
	for len(shard) > 0 {
		n := m.batchLength(shard)
		if err := m.batch(ctx, shard[:n]); err != nil {
			return err
		}
		shard = shard[n:]
	}
	return nil
}

// batchLength is how many records fit: at most BatchSize and 6 MB, at least one.
func (m *Mapping) batchLength(shard []envelope.Record) int {
	total := 0
	for i, r := range shard {
		total += len(r.Data)*4/3 + len(r.PartitionKey) + recordOverheadBytes
		if i == m.cfg.BatchSize || i > 0 && total > maxBatchBytes {
			return i
		}
	}
	return len(shard)
}

// batch delivers records until none is left, blocking the shard meanwhile. A reported sequence number moves the
// checkpoint to just before it; only what is left is delivered again, with a new count of attempts. Bisecting follows an
// error, not a report: a report that names the first record says where to split already ("Configuring partial batch
// response with Kinesis Data Streams").
func (m *Mapping) batch(ctx context.Context, records []envelope.Record) error {
	for attempt := 1; len(records) > 0; attempt++ {
		done, d, err := m.try(ctx, records, attempt)
		switch {
		case err != nil:
			return err
		case done > 0:
			records, attempt = records[done:], 0
			continue
		case m.cfg.Bisect && d.Outcome != Partly && len(records) > 1:
			return m.bisect(ctx, records)
		case attempt > m.cfg.MaxRetries:
			return m.giveUp(ctx, records, d, retryAttemptsExhausted)
		}
		if old := m.tooOld(records); old > 0 {
			if err := m.giveUp(ctx, records[:old], d, recordAgeExceeded); err != nil {
				return err
			}
			records, attempt = records[old:], 0
			continue
		}
		if err := wait(ctx, m.cfg.Backoff(attempt+1)); err != nil {
			return fmt.Errorf("wait for attempt %d of %d records: %w", attempt+1, len(records), err)
		}
	}
	return nil
}

// tooOld is how many records from the front are past their age.
func (m *Mapping) tooOld(records []envelope.Record) int {
	if m.cfg.MaxAge <= 0 {
		return 0
	}
	now := time.Now()
	for i, r := range records {
		if now.Sub(r.Arrived) <= m.cfg.MaxAge {
			return i
		}
	}
	return len(records)
}

// giveUp hands records to the on-failure destination, after their last delivery.
func (m *Mapping) giveUp(ctx context.Context, records []envelope.Record, last Delivery, condition string) error {
	f := Failure{Payloads: sequencesOf(records), Attempts: last.Attempt, Error: last.Error}
	var err error
	if m.cfg.OnFailure != nil {
		f.Key, err = m.cfg.OnFailure.batch(ctx, m.cfg.Stream, records, &last, condition)
	}
	m.Failures = append(m.Failures, f)
	return err
}

func sequencesOf(records []envelope.Record) []string {
	ids := make([]string, len(records))
	for i, r := range records {
		ids[i] = r.Sequence
	}
	return ids
}

func (m *Mapping) bisect(ctx context.Context, records []envelope.Record) error {
	half := len(records) / 2
	if err := m.batch(ctx, records[:half]); err != nil {
		return err
	}
	return m.batch(ctx, records[half:])
}

// try makes one invocation and returns how many records from the front the function took.
func (m *Mapping) try(ctx context.Context, records []envelope.Record, attempt int) (int, Delivery, error) {
	payload, err := envelope.Kinesis(m.cfg.Stream, records)
	if err != nil {
		return 0, Delivery{}, err
	}
	ids := sequencesOf(records)
	d, result, err := deliver(ctx, m.function, payload, ids, attempt)
	if err != nil {
		return 0, d, err
	}
	d.Stream = true
	done := 0
	if d.Outcome == Taken {
		done = checkpoint(result.Response, ids)
		switch {
		case done < 0:
			done, d.Outcome, d.Error = 0, Failed, "the response names an unknown or empty item"
		case done < len(records):
			d.Outcome = Partly
		}
	}
	m.History = append(m.History, d)
	return done, d, nil
}

// checkpoint reads a response: how many records from the front are done, or -1 when the response makes the whole batch
// a failure. An empty, null or missing list is success; an empty or unknown identifier is not.
func checkpoint(response []byte, ids []string) int {
	var answer struct {
		Failures []struct {
			Identifier string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if len(response) > 0 && json.Unmarshal(response, &answer) != nil {
		return -1
	}
	position := make(map[string]int, len(ids))
	for i, id := range ids {
		position[id] = i
	}
	lowest := len(ids)
	for _, failure := range answer.Failures {
		at, known := position[failure.Identifier]
		if !known {
			return -1
		}
		lowest = min(lowest, at)
	}
	return lowest
}
