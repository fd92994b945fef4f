// Package delivery is a small Amazon Data Firehose: a stream that takes records, has a function transform them, delivers
// them to an HTTP endpoint or as objects, and writes what it could not process or deliver as failed objects. Endpoint is
// the other end of its HTTP protocol.
//
// It promises the documented limits, events, retries, judgements, keys, compression and envelopes, and a history of what it
// did. The same seed, clock and calls give the same bytes. No record leaves it unnamed: it is pending, delivered, dropped
// by the function, in a failed object, or in Failures.
//
// Time is virtual: a buffer's interval ends when Flush is called, and a wait between attempts moves the stream's clock and
// nothing else. Decompression, extraction, delimiters, format conversion and parallel invocations are left out; what the
// service writes when they or another destination fail is made by Failed and Manifest.
//
// Formats: Amazon Data Firehose developer guide, "Transform source data", "HTTP endpoint delivery request and response
// specifications", "Amazon S3 object name format", "Custom prefixes for Amazon S3 objects", "Handle data delivery
// failures"; Amazon Data Firehose API reference, "PutRecordBatch".
package delivery

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/e2e/stack"
	"sluice/e2e/stack/owner"
)

// Config describes one stream.
type Config struct {
	Name      string           // 1 to 64 letters, digits, "_", "." and "-"
	Version   int              // configuration version, part of every key; 0 means 1
	Seed      uint64           // of ids and jitter
	Now       func() time.Time // nil means time.Now; the time spent in virtual waits is added to it
	Source    string           // ARN of the Kinesis stream it reads; "" means Direct PUT
	AsText    bool             // kinesisRecordMetadata in the published form with texts for numbers
	Transform *Transform       // nil means none
	HTTP      *HTTP            // nil means that records are delivered as objects
	Objects   Objects          // where failed records go and, without HTTP, the delivered ones
	Backup    *Objects         // where a copy of every source record goes; nil means nowhere
	Written   func(Written)    // called for each object once it is stored, in turn; see Written; nil means not called
}

// Stream is one delivery stream. Its methods may be called from any goroutine; deliveries queue up.
type Stream struct {
	cfg    Config
	prefix prefixes
	backup prefixes

	turn     sync.Mutex // held while records move; guards what follows
	random   *rand.Rand
	outgoing []*record                // transformed, not delivered
	failed   map[Kind][]*failedRecord // not written
	copies   []*record                // for the source backup, not written
	outbox   []object                 // named, not stored

	mu          sync.Mutex // guards what follows; never held while something is called
	script      PutScript
	puts        int
	sequence    int
	buffer      []*record
	bufferSize  int
	eventSize   int
	ready       [][]*record // full or flushed buffers
	inFlight    []*record   // being transformed
	known       map[string][]string
	waited      time.Duration
	invocations []Invocation
	attempts    []Attempt
	failures    []owner.Failure
	written     []Written
}

// record is one record on its way.
type record struct {
	id       string
	payloads []string
	arrived  time.Time
	source   []byte // as it was put
	data     []byte // as it is delivered
	kinesis  *metadata
	keys     map[string]string // of the function, for dynamic partitioning
}

// New returns a stream that has taken nothing yet. The error names everything that is wrong with cfg.
func New(cfg Config) (*Stream, error) {
	cfg.setDefaults()
	s := &Stream{
		cfg:    cfg,
		random: rand.New(rand.NewPCG(cfg.Seed, streamSalt)),
		failed: map[Kind][]*failedRecord{},
		known:  map[string][]string{},
	}
	errs := cfg.check()
	var err error
	s.prefix, err = newPrefixes(cfg.Objects)
	errs = append(errs, err)
	if cfg.Backup != nil {
		s.backup, err = newPrefixes(*cfg.Backup)
		errs = append(errs, err)
	}
	if s.prefix.good.partitioned() && (cfg.HTTP != nil || cfg.Transform == nil) || s.backup.good.partitioned() {
		errs = append(errs, errors.New("Prefix: partition keys need objects as the destination and a transformation"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("delivery.Config: %w", err)
	}
	return s, nil
}

const streamSalt = 0x66697265 // keeps the stream's random numbers apart from those of others with the same seed

func (c *Config) setDefaults() {
	if c.Version == 0 {
		c.Version = 1
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Transform != nil {
		c.Transform = c.Transform.withDefaults()
	}
	if c.HTTP != nil {
		c.HTTP = c.HTTP.withDefaults()
	}
	c.Objects.setDefaults()
	if c.Backup != nil {
		backup := *c.Backup
		backup.setDefaults()
		c.Backup = &backup
	}
}

const maxNameLength = 64 // CreateDeliveryStream, DeliveryStreamName

func (c *Config) check() []error {
	var errs []error
	if c.Name == "" || len(c.Name) > maxNameLength || strings.ContainsFunc(c.Name, notInName) {
		errs = append(errs, fmt.Errorf(`Name %q: write 1 to 64 letters, digits, "_", "." and "-"`, c.Name))
	}
	errs = append(errs, c.Objects.check("Objects"))
	if c.Backup != nil {
		errs = append(errs, c.Backup.check("Backup"))
	}
	if c.Transform != nil {
		errs = append(errs, c.Transform.check())
	}
	if c.HTTP != nil {
		errs = append(errs, c.HTTP.check())
	}
	return errs
}

func notInName(r rune) bool {
	return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-", r)
}

// ARN names the stream.
func (s *Stream) ARN() string {
	return fmt.Sprintf("arn:aws:firehose:%s:%s:deliverystream/%s", stack.Region, stack.Account, s.cfg.Name)
}

// Now is the stream's clock: the time given by Config, and the virtual waits so far.
func (s *Stream) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// now is Now for who holds mu.
func (s *Stream) now() time.Time { return s.cfg.Now().Add(s.waited) }

// pass lets time pass at once.
func (s *Stream) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waited += d
}

// Pending is how many records and objects were taken or made and have no end yet.
func (s *Stream) Pending() int {
	s.turn.Lock()
	defer s.turn.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.buffer) + len(s.outgoing) + len(s.copies) + len(s.outbox)
	for _, batch := range s.ready {
		n += len(batch)
	}
	for _, list := range s.failed {
		n += len(list)
	}
	return n
}

// Deliver moves what fills a buffer: transforms each full batch and delivers each full request or object. Failed records
// are written at its end.
//
// Its error is that of the surroundings: the Invoker's own, a store that did not take an object, or the end of ctx. What
// was not done then stays pending and is done by the next call.
func (s *Stream) Deliver(ctx context.Context) error { return s.move(ctx, false) }

// Flush is Deliver after the interval of every buffer has ended: it moves all that was put before the call. What the
// function puts meanwhile stays for the next call.
func (s *Stream) Flush(ctx context.Context) error { return s.move(ctx, true) }

const maxRounds = 100

// Drain flushes until nothing is pending. It gives up when records keep coming back.
func (s *Stream) Drain(ctx context.Context) error {
	for range maxRounds {
		if err := s.Flush(ctx); err != nil {
			return err
		}
		if s.Pending() == 0 {
			return nil
		}
	}
	return fmt.Errorf("drain stream %s: records were put again in each of %d rounds: the function sends them in a circle",
		s.cfg.Name, maxRounds)
}

func (s *Stream) move(ctx context.Context, everything bool) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if err := s.store(ctx); err != nil {
		return err
	}
	for range s.closed(everything) {
		if err := s.transformNext(ctx); err != nil {
			return err
		}
		if err := s.deliverOutgoing(ctx, false); err != nil {
			return err
		}
	}
	if err := s.deliverOutgoing(ctx, everything); err != nil {
		return err
	}
	s.packFailed()
	s.packCopies()
	return s.store(ctx)
}

// closed is how many batches are ready, after closing the buffer when everything has to go.
func (s *Stream) closed(everything bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if everything {
		s.closeBuffer()
	}
	return len(s.ready)
}

// transformNext moves the first ready batch to the outgoing and failed records. After an error the batch is ready still.
func (s *Stream) transformNext(ctx context.Context) error {
	s.mu.Lock()
	batch := s.ready[0] // puts only append
	s.inFlight = batch
	s.mu.Unlock()
	good, bad, err := s.transform(ctx, batch)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight = nil
	if err != nil {
		return err
	}
	s.ready = s.ready[1:]
	s.outgoing = append(s.outgoing, good...)
	s.fail(bad...)
	if s.cfg.Backup != nil {
		s.copies = append(s.copies, batch...)
	}
	return nil
}

// deliverOutgoing sends the outgoing records in full portions and, when everything has to go, the rest.
func (s *Stream) deliverOutgoing(ctx context.Context, everything bool) error {
	for len(s.outgoing) > 0 {
		n, full := s.portion()
		if !full && !everything {
			return nil
		}
		if s.cfg.HTTP == nil {
			s.packGood(s.outgoing[:n])
		} else if err := s.send(ctx, s.outgoing[:n]); err != nil {
			return err
		}
		s.outgoing = s.outgoing[n:] // they have an end, or an object that is pending
		if err := s.store(ctx); err != nil {
			return err
		}
	}
	return nil
}

// portion is how many records from the front make a request or an object, and whether they fill it.
func (s *Stream) portion() (n int, full bool) {
	limitBytes, limitRecords := s.cfg.Objects.BufferBytes, 0
	if s.cfg.HTTP != nil {
		limitBytes, limitRecords = s.cfg.HTTP.BufferBytes, s.cfg.HTTP.BufferRecords
	}
	total := 0
	for i, r := range s.outgoing {
		total += len(r.data)
		if i > 0 && total > limitBytes || limitRecords > 0 && i == limitRecords {
			return i, true
		}
	}
	return len(s.outgoing), total >= limitBytes
}

// payloadsOf are the payload ids of records, each once, in order.
func payloadsOf(records []*record) []string {
	var ids []string
	seen := map[string]bool{}
	for _, r := range records {
		for _, id := range r.payloads {
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// uuid is a lower-case UUID. The caller holds turn.
func (s *Stream) uuid() string {
	hi, lo := s.random.Uint64(), s.random.Uint64()
	hi = hi&^0xf000 | 0x4000    // version 4, RFC 9562 section 5.4
	lo = lo&^(3<<62) | 0b10<<62 // variant, section 4.1
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", hi>>32, hi>>16&0xffff, hi&0xffff, lo>>48, lo&0xffff_ffff_ffff)
}

// Invocations are those of the transformation so far.
func (s *Stream) Invocations() []Invocation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.invocations)
}
