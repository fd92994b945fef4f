package forward

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"sluice/internal/event"
	"sluice/internal/format"
	"sluice/internal/park"
	"sluice/internal/record"
	"sluice/internal/service"
	"sluice/internal/source/kinesis"
)

// kinesisWindow is how far batches of a shard may be ahead of the oldest one that has not been answered: after a failure
// the shard is read again from the first record that failed, and no more than these are then sent twice (delivery
// contract D6).
const kinesisWindow = 4

// batchResponse is a partial batch response: the owner gives the named items again.
type batchResponse struct {
	BatchItemFailures []batchItemFailure `json:"batchItemFailures"`
}

type batchItemFailure struct {
	ItemIdentifier string `json:"itemIdentifier"`
}

// Kinesis answers the batches of an event source mapping for a Kinesis stream with ReportBatchItemFailures: with the
// lowest sequence number that is not accounted for, from which on Lambda gives the records again.
func Kinesis(f *Forwarder) Handler {
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		f := f.ready()
		if f.refusal != nil {
			return nil, f.refusal
		}
		inv, end := f.begin(ctx, plan{entry: park.EntryKinesis, window: kinesisWindow})
		defer end()
		return inv.kinesis(payload)
	}
}

// kinesis forwards a batch of stream records.
func (inv *invocation) kinesis(payload []byte) ([]byte, error) {
	records, at := inv.takeStream(payload)
	return answer(records, inv.finish(at))
}

func (inv *invocation) takeStream(payload []byte) (records []event.KinesisRecord, at failure) {
	inv.readOn()
	var batch event.Kinesis
	at.err = guarded(func() (err error) {
		batch, err = event.ParseKinesis(payload)
		return err
	})
	switch {
	case at.err == nil:
		at.unit, at.err = inv.stream(batch.Records)
	case inv.parkRaw(payload, at.err):
		at.err = nil
	default:
		inv.unreadable(reasonOf(at.err))
	}
	at.ofRecord = at.err != nil && !errors.Is(at.err, errDeadline)
	return batch.Records, at
}

// answer is the response to a batch: from the failed record on it comes again, if there was an error.
//
// It is not for a first record that is itself at fault. Lambda cuts a batch at the record that is named, so naming the
// first one would bring the whole batch again, and at last give all of it up. An error makes Lambda halve the batch
// instead, until that record is alone.
func answer(records []event.KinesisRecord, at failure) ([]byte, error) {
	response := batchResponse{BatchItemFailures: []batchItemFailure{}}
	if at.err != nil {
		if at.unit == 0 && at.ofRecord || at.unit >= len(records) || records[at.unit].SequenceNumber == "" {
			return nil, at.err // or there is no record to name: the whole batch comes again
		}
		response.BatchItemFailures = append(response.BatchItemFailures,
			batchItemFailure{ItemIdentifier: records[at.unit].SequenceNumber})
	}
	text, err := json.Marshal(response)
	if err != nil {
		return nil, fmt.Errorf("partial batch response: %w", err)
	}
	return text, nil
}

// stream forwards records in order until one fails. What stands behind that one is given again with it, so sending it
// now would only send it twice. The result is the number of the record that could not be read, with the error.
func (inv *invocation) stream(records []event.KinesisRecord) (failed int, err error) {
	origins := inv.origins()
	for i := range records {
		if inv.failed() {
			return 0, nil // finish knows which one
		}
		r := &records[i]
		err := guarded(func() error { return inv.streamRecord(r, i, origins) })
		if err == nil || inv.parkRaw(rawOf(r), err) {
			continue
		}
		inv.unreadable(reasonOf(err))
		return i, fmt.Errorf("kinesis record %s: %w", r.SequenceNumber, err)
	}
	return 0, nil
}

// failed reports whether a destination has given up items.
func (inv *invocation) failed() bool {
	for _, lane := range inv.lanes {
		if lane.flight.Failed() {
			return true
		}
	}
	return false
}

// rawOf is what is kept of a record that cannot be read: its payload, or the text that none could be made of.
func rawOf(r *event.KinesisRecord) []byte {
	if data, err := r.Payload(nil); err == nil {
		return data
	}
	return r.Text()
}

// streamRecord forwards what is in one stream record.
func (inv *invocation) streamRecord(r *event.KinesisRecord, unit int, origins *origins) error {
	if inv.reading.Err() != nil {
		return errDeadline
	}
	data, err := r.Payload(inv.f.packed[:0])
	if err != nil {
		return err
	}
	inv.f.packed = data
	inv.base.StreamARN = r.EventSourceARN
	if r.Region != "" {
		inv.base.Region = r.Region
	}
	return inv.streamPayload(data, kinesis.UserRecord{EventID: r.EventID, TimeMillis: r.ArrivalMillis}, unit, origins)
}

// streamPayload forwards one user record, or those that a producer aggregated. text has what its plain lines share.
func (inv *invocation) streamPayload(data []byte, text kinesis.UserRecord, unit int, origins *origins) error {
	inv.ledger.BytesIn(len(data))
	users, _, err := kinesis.Deaggregate(data)
	if err != nil {
		return err
	}
	for user := range users {
		if err := inv.userRecord(user, &text, unit, origins); err != nil {
			return err
		}
	}
	return nil
}

// origins are those of plain records: the lines of a stream that are of one log share one.
type origins struct {
	routes routes
	known  map[originOf]*streamLog
	clock  format.Clock // of the user record that is being read: what one names is nothing to the next
}

// originOf is what tells the origins of plain records apart.
type originOf struct {
	stream string
	log    service.Identity
}

// streamLog is one of the logs in a stream.
type streamLog struct {
	origin *record.Origin
	clock  format.Clock // at the start of a user record
}

func (inv *invocation) origins() *origins {
	return &origins{routes: inv.f.objects.routes, known: make(map[originOf]*streamLog)}
}

// begin gives text the origin and the clock for a user record that begins with head. Any producer may write to a stream, so
// each record is looked at, once: its first line that is not empty tells.
func (o *origins) begin(text *kinesis.UserRecord, base *record.Origin, head []byte) {
	first, _, _ := bytes.Cut(bytes.TrimLeft(head, "\r\n"), []byte("\n"))
	key := originOf{base.StreamARN, service.FromStream(base.StreamARN, first)}
	log := o.known[key]
	if log == nil {
		log = o.routes.streamLog(base, &key.log)
		o.known[key] = log
	}
	o.clock = log.clock
	text.Origin, text.Clock = log.origin, &o.clock
}

// streamLog is a log in the stream of base, whose lines are read as a route says, if one holds for it.
func (list routes) streamLog(base *record.Origin, found *service.Identity) *streamLog {
	o := *base
	o.Kind = record.Kinesis
	o.Source, o.Service, o.Log = cmp.Or(found.Source, string(record.Kinesis)), found.Service, string(found.Log)
	rules := list.lines(&o)
	made := &streamLog{origin: &o}
	made.clock.Reset(cmp.Or(rules.Log, found.Log))
	made.clock.Name(rules.Columns)
	return made
}

// headBytes is how much of a compressed user record is looked at to tell what it is. CloudWatch Logs names the events of a
// payload within its first hundred bytes or so.
const headBytes = 4 << 10

// userRecord forwards a subscription payload, or lines of text, packed or not.
func (inv *invocation) userRecord(user []byte, text *kinesis.UserRecord, unit int, origins *origins) error {
	switch kinesis.Sniff(user) {
	case kinesis.Subscription:
		return inv.forward(inv.joined(inv.f.decoder.Records(bytes.NewReader(user), &inv.base)), unit)
	case kinesis.Lines:
		text.Data = kinesis.Text(user)
		origins.begin(text, &inv.base, text.Data)
		err := inv.forward(inv.joined(kinesis.Records(*text)), unit)
		text.FirstIndex += kinesis.CountLines(text.Data)
		return err
	case kinesis.Gzip:
	}
	if err := inv.f.gunzip.Reset(user, inv.f.maxInflated); err != nil {
		return err
	}
	head, err := io.ReadAll(io.LimitReader(&inv.f.gunzip, headBytes))
	if err == nil && kinesis.Sniff(head) != kinesis.Subscription && kinesis.IsOpen(head) {
		// Members in an unusual order, or a very long line.
		more, _ := io.ReadAll(io.LimitReader(&inv.f.gunzip, maxTextBytes))
		head = append(head, more...)
	}
	// A fault so far is met again by whoever reads on: what stands before it is forwarded first.
	if kinesis.Sniff(head) == kinesis.Subscription {
		plain := io.MultiReader(bytes.NewReader(head), &inv.f.gunzip)
		return inv.forward(inv.joined(inv.f.decoder.Records(plain, &inv.base)), unit)
	}
	head = kinesis.Text(head)
	origins.begin(text, &inv.base, head)
	return inv.forward(inv.joined(linesOf(io.MultiReader(bytes.NewReader(head), &inv.f.gunzip), text)), unit)
}

// Text that is unpacked on the way is read in pieces: memory is bounded by the longest line.
const (
	pieceBytes   = 128 << 10
	maxTextBytes = 16 << 20
)

// linesOf yields the lines of a text as it is read, all pieces as one sequence: what is joined may reach over them. A
// record is valid until the next one is asked for. An error comes last, after the whole lines before it.
func linesOf(plain io.Reader, text *kinesis.UserRecord) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) {
		for piece, err := range piecesOf(plain) {
			if err != nil {
				yield(nil, err)
				return
			}
			text.Data = piece
			for r, err := range kinesis.Records(*text) {
				if !yield(r, err) {
					return
				}
			}
			text.FirstIndex += kinesis.CountLines(piece)
		}
	}
}

// piecesOf yields a text in pieces of whole lines; the last line may have no end. A piece is valid until the next one is
// asked for. An error comes last: what stands before it is yielded up to the last line's end.
func piecesOf(plain io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		buf := make([]byte, 0, pieceBytes)
		for {
			if len(buf) == cap(buf) {
				if len(buf) >= maxTextBytes {
					yield(nil, fmt.Errorf("a line of more than %d bytes", maxTextBytes))
					return
				}
				buf = slices.Grow(buf, len(buf))
			}
			n, readErr := plain.Read(buf[len(buf):cap(buf)])
			buf = buf[:len(buf)+n]
			end := bytes.LastIndexByte(buf, '\n') + 1
			if readErr == io.EOF {
				end = len(buf)
			}
			if end > 0 && !yield(buf[:end], nil) {
				return
			}
			buf = buf[:copy(buf, buf[end:])]
			switch {
			case readErr == io.EOF:
				return
			case readErr != nil:
				yield(nil, fmt.Errorf("lines: %w", readErr))
				return
			}
		}
	}
}
