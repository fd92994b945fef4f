package rig

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/klauspost/compress/gzip"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack/delivery"
	"sluice/e2e/stack/envelope"
	"sluice/e2e/stack/notify"
)

// Feed puts n generated lines where an entry takes them from. They wait there for Drain.
//
// Parked is another thing: the lines come in by CloudWatch while every destination is down, so that they are in the park
// store when Feed returns. The intakes' scripts are then as they were set up, without faults.
func (r *Rig) Feed(ctx context.Context, e Entry, n int) error {
	if e == Parked {
		return r.feedParked(ctx, n)
	}
	for n > 0 {
		some := min(n, r.options.LinesPerPayload)
		if err := r.Send(ctx, e, r.Next(e, some)); err != nil {
			return err
		}
		n -= some
	}
	return nil
}

func (r *Rig) feedParked(ctx context.Context, n int) error {
	r.Outage()
	err := r.Feed(ctx, CloudWatch, n)
	if err == nil {
		err = r.DrainEntry(ctx, CloudWatch)
	}
	if err != nil {
		return fmt.Errorf("park %d lines: %w", n, err)
	}
	return r.Heal() //nolint:contextcheck // a listener outlives the call
}

// Payload is what one event, record or object brings. Whoever spoils its bytes says in its lines what then has to become
// of them: see generate.Line.
type Payload struct {
	ID    string
	Data  []byte // as the source has it: a gzipped subscription document, or a gzipped object
	Lines []generate.Line
	Key   string // of the object; empty means one made of the ID
	Plain []byte // what the lines of an object are in, decompressed, where Data is neither that nor gzip of it
}

// Next makes the next payload for an entry. It is in no manifest before it was sent.
func (r *Rig) Next(e Entry, lines int) Payload {
	r.mu.Lock()
	defer r.mu.Unlock()
	pad := r.pad()
	switch e {
	case S3, S3Queue:
		o := r.generate.Object(lines, generate.JSONLines(pad))
		return Payload{ID: o.ID, Data: o.Gzip(), Lines: o.Lines}
	case Firehose:
		p := r.marked(lines, pad)
		return Payload{ID: p.ID, Data: p.Gzip(), Lines: p.Lines}
	default:
		p := r.generate.Filled(lines, pad)
		return Payload{ID: p.ID, Data: p.Gzip(), Lines: p.Lines}
	}
}

// pad fills a line with the canary and what the options say.
func (r *Rig) pad() generate.Pad {
	return func(random *rand.Rand) string { return `"canary":"` + r.canary + `",` + r.options.Pad(random) }
}

// marked makes a payload without empty messages: in what Firehose fails with, they have nothing to be told apart by.
func (r *Rig) marked(lines int, pad generate.Pad) generate.Payload {
	for {
		p := r.generate.Filled(lines, pad)
		if !slices.ContainsFunc(p.Lines, func(l generate.Line) bool { return l.Mark == generate.Mark{} }) {
			return p
		}
	}
}

// Send puts one payload where an entry takes it from, and its lines into the manifest.
func (r *Rig) Send(ctx context.Context, e Entry, p Payload) error {
	r.expect(p)
	return r.hand(ctx, e, p)
}

// Resend hands a payload over once more that was sent before, as a source may do by itself.
func (r *Rig) Resend(ctx context.Context, e Entry, p Payload) error {
	if e != S3 && e != S3Queue {
		return r.hand(ctx, e, p)
	}
	r.mu.Lock()
	at := slices.IndexFunc(r.objects, func(o stored) bool { return slices.Contains(o.payloads, p.ID) })
	if at < 0 {
		r.mu.Unlock()
		return fmt.Errorf("announce %s again: it was never sent", p.ID)
	}
	again := r.objects[at].Object
	r.mu.Unlock()
	return r.Announce(e, notify.Native(again), p.ID)
}

// hand puts a payload where an entry takes it from.
func (r *Rig) hand(ctx context.Context, e Entry, p Payload) error {
	switch e {
	case CloudWatch:
		event, err := envelope.CloudWatch(p.Data)
		if err != nil {
			return err
		}
		r.keepsAs(event, p.ID)
		r.turns[e].Lock()
		defer r.turns[e].Unlock()
		return r.Async.Send(p.ID, event)
	case Kinesis:
		r.mu.Lock()
		defer r.mu.Unlock()
		r.shard = append(r.shard, envelope.Record{
			Shard: shardID, Sequence: p.ID, PartitionKey: p.ID[max(0, len(p.ID)-32):], Data: p.Data, Arrived: time.Now(),
		})
		return nil
	case Firehose:
		_, err := r.Stream.Put(p.ID, p.Data)
		if err != nil {
			return fmt.Errorf("put payload %s into the delivery stream: %w", p.ID, err)
		}
		return nil
	case S3, S3Queue:
		put, err := r.Put(ctx, p)
		if err != nil {
			return err
		}
		return r.Announce(e, notify.Native(put), p.ID)
	default:
		return fmt.Errorf("send payload %s: nothing takes it by entry %q", p.ID, e)
	}
}

// expect puts the lines of a payload into the manifest.
func (r *Rig) expect(p Payload) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range p.Lines {
		line.Payload = p.ID
		r.lines = append(r.lines, line)
	}
	sum := sha256.Sum256(p.Data)
	r.raw[sum] = append(r.raw[sum], p.ID)
}

// keepsAs names one more form in which payloads may be kept as input that could not be read.
func (r *Rig) keepsAs(raw []byte, payloads ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.raw[sha256.Sum256(raw)] = payloads
}

// stored is an object of the bucket of logs, as it was put there.
type stored struct {
	notify.Object

	payloads []string
	lines    []generate.Line
	starts   []int64 // of the lines, decompressed; nil where nobody can say
}

// Put stores the object of a payload and announces nothing. Send does both.
func (r *Rig) Put(ctx context.Context, p Payload) (notify.Object, error) {
	key := p.Key
	if key == "" {
		key = "app/" + p.ID + ".log.gz"
	}
	put, err := r.S3.PutObject(ctx, r.LogBucket, key, bytes.NewReader(p.Data))
	if err != nil {
		return put, err
	}
	r.remember(stored{Object: put, payloads: []string{p.ID}, lines: p.Lines, starts: startsOf(p)})
	return put, nil
}

func (r *Rig) remember(s stored) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range s.lines {
		s.lines[i].Payload = s.payloads[0]
	}
	r.objects = append(r.objects, s)
}

// startsOf is where the lines of an object start in what it holds. Of an object that is damaged, the lines behind the
// damage count as starting at its end: nobody can read further.
func startsOf(p Payload) []int64 {
	source := io.Reader(bytes.NewReader(p.Data))
	if p.Plain != nil {
		source = bytes.NewReader(p.Plain)
	} else if unpacked, err := gzip.NewReader(bytes.NewReader(p.Data)); err == nil {
		source = unpacked
	}
	plain := bufio.NewReader(source)
	starts := make([]int64, 0, len(p.Lines))
	offset, ended := int64(0), false
	for len(starts) < len(p.Lines) {
		starts = append(starts, offset)
		for whole := ended; !whole; {
			part, err := plain.ReadSlice('\n')
			offset += int64(len(part))
			ended = err != nil && !errors.Is(err, bufio.ErrBufferFull)
			whole = ended || err == nil
		}
	}
	return starts
}

// Needle is the text by which a body, or a parked item, holds a line that has a mark: its quotes are escaped there.
func Needle(line generate.Line) string { return fmt.Sprintf(`{\"seq\":%d,`, line.Mark.Seq) }

// Announce hands an announcement of objects to the function, or to the queue, as the body of a message.
func (r *Rig) Announce(e Entry, body []byte, payloads ...string) error {
	r.keepsAs(body, payloads...)
	r.mu.Lock()
	r.told = append(r.told, told{body, payloads})
	r.mu.Unlock()
	if e == S3Queue {
		_, err := r.Queue.Send(body, payloads...)
		return err
	}
	r.turns[S3].Lock()
	defer r.turns[S3].Unlock()
	return r.Objects.SendMany(body, payloads...)
}

// told is a message that announces payloads.
type told struct {
	body     []byte
	payloads []string
}

// written announces what the delivery stream failed with. What it delivered is at its end there.
func (r *Rig) written(w delivery.Written) {
	if w.Kind == delivery.Delivered {
		return
	}
	r.mu.Lock()
	var lines []generate.Line
	for _, line := range r.lines {
		if slices.Contains(w.Payloads, line.Payload) {
			lines = append(lines, line)
		}
	}
	r.objects = append(r.objects, stored{Object: w.Object, payloads: w.Payloads, lines: lines})
	r.mu.Unlock()
	r.fault(r.Announce(S3Queue, notify.Native(w.Object), w.Payloads...))
}

// proceed takes a message that a function sends: the rest of an object.
func (r *Rig) proceed(body []byte) (string, error) {
	var rest struct {
		Source struct {
			Bucket    string `json:"bucket"`
			Key       string `json:"key"`
			VersionID string `json:"version_id"`
		} `json:"src"`
	}
	if err := json.Unmarshal(body, &rest); err != nil {
		return "", fmt.Errorf("read a continuation: %w", err)
	}
	r.mu.Lock()
	var payloads []string
	for _, o := range r.objects {
		if o.Bucket == rest.Source.Bucket && o.Key == rest.Source.Key && o.VersionID == rest.Source.VersionID {
			payloads = o.payloads
		}
	}
	r.mu.Unlock()
	if payloads == nil {
		return "", fmt.Errorf("a continuation of s3://%s/%s, which has never been there", rest.Source.Bucket, rest.Source.Key)
	}
	return r.Queue.Continue(body, payloads...)
}

// sources are the objects that pointers may name.
func (r *Rig) sources() []audit.Source {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]audit.Source, len(r.objects))
	for i, o := range r.objects {
		list[i] = audit.Source{Bucket: o.Bucket, Key: o.Key, VersionID: o.VersionID, ETag: o.ETag, Starts: o.starts, Lines: o.lines}
	}
	return list
}
