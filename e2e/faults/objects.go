package main

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"sluice/e2e/generate"
	"sluice/e2e/rig"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/notify"
)

// noObjects are the reasons for which faults of objects do not concern the other paths.
func noObjects() []exception {
	return []exception{
		{[]path{cloudWatch, kinesis}, "the event brings the lines: no object is read"},
		{[]path{transform, tee}, "the event brings the lines; what comes back as an object is read by functions/s3"},
	}
}

// F13.
func damagedObjects() row {
	return row{
		id: "F13", fault: "objects that are cut or damaged in their midst: gzip, zstd, snappy",
		end: "the complete lines are delivered, and there is one dead pointer to the rest",
		cells: []cell{
			{
				on: ofObjects(), short: []path{s3Queue}, what: "gzip cut", feed: among(spoiled(cutShort)),
				then: []expectation{acknowledged, othersDelivered, deadObjects(1), someDead},
			},
			{
				on: ofObjects(), what: "zstd damaged", feed: among(damagedAs(zstdOf, nextFrame)),
				then: []expectation{acknowledged, othersDelivered, deadObjects(1), someDead},
			},
			{
				on: ofObjects(), what: "snappy damaged", feed: among(damagedAs(snappyOf, oneByte)),
				then: []expectation{acknowledged, othersDelivered, deadObjects(1), someDead},
			},
		},
		not: append(noObjects(), exception{[]path{replay}, "a dead pointer waits for a person"}),
	}
}

// someDead wants that some lines could not be read.
func someDead(r *run) { r.expect(r.end.Dead > 0, "no line is dead: was anything damaged?") }

// damagedAs sends an object that is compressed in some way, damaged two thirds on.
func damagedAs(compress func([]byte) []byte, damage func([]byte, int)) step {
	return sent(func(r *run) rig.Payload {
		var o generate.Object
		r.Generate(func(g *generate.Generator, pad generate.Pad) { o = g.Object(20*spoiledLines, generate.JSONLines(pad)) })
		data := compress(o.Body)
		damage(data, len(data)*2/3)
		r.spoiled += len(o.Lines)
		return rig.Payload{ID: o.ID, Key: "app/" + o.ID + ".log", Data: data, Plain: o.Body, Lines: o.Lines}
	})
}

// oneByte changes the byte there.
func oneByte(data []byte, at int) { data[at] ^= 0xff }

// nextFrame changes the start of the first frame from there on. Within a frame, zstd has a checksum at the end alone, when
// what it is of has been handed on.
func nextFrame(data []byte, at int) {
	if i := bytes.Index(data[at:], []byte{0x28, 0xb5, 0x2f, 0xfd}); i >= 0 { // RFC 8878, section 3.1.1
		data[at+i] ^= 0xff
	}
}

// opaque sends an object that the equipment does not look into.
func (r *run) opaque(p rig.Payload) error {
	r.Expect(p)
	put, err := r.PutOpaque(r.ctx, p)
	if err != nil {
		return err
	}
	return r.Announce(r.path.entry(), notify.Native(put), p.ID)
}

// zstdOf is text as frames of zstd.
func zstdOf(plain []byte) []byte {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err) // of options alone
	}
	var b []byte
	for piece := range slices.Chunk(plain, frameBytes) {
		b = append(b, w.EncodeAll(piece, nil)...)
	}
	return b
}

const frameBytes = 30_000

// snappyOf is text as a stream of snappy, each of whose chunks has a checksum.
func snappyOf(plain []byte) []byte {
	var b bytes.Buffer
	w := s2.NewWriter(&b, s2.WriterSnappyCompat(), s2.WriterConcurrency(1))
	_, _ = w.Write(plain) // a buffer does not fail
	_ = w.Close()
	return b.Bytes()
}

// F14.
func vanishing() row {
	return row{
		id: "F14", fault: "objects deleted before they are read, overwritten meanwhile, forbidden, with a key that is",
		end: "source_gone and source_overwritten are dropped; what is forbidden is returned, then kept for replay",
		cells: []cell{
			{
				on: ofObjects(), short: []path{s3Direct}, what: "deleted", feed: among(deleted),
				then: []expectation{acknowledged, droppedBy(ruleGone, 1), neverDead, deliveredAll},
			},
			{
				on: []path{replay}, short: []path{replay}, what: "deleted behind a pointer", feed: pointers(ruleGone, perPointer), inject: deleteAll,
				then: []expectation{droppedBy(ruleGone, usualLines/perPointer), neverDead},
			},
			{
				on: ofObjects(), what: "overwritten meanwhile", feed: nothing, deliver: overwritten,
				then: []expectation{acknowledged, droppedBy(ruleOverwritten, 1), neverDead, func(r *run) {
					r.expect(r.end.Delivered >= r.deliverable(), "%d lines delivered, and the second object has %d", r.end.Delivered, r.deliverable())
				}},
			},
			forbidden("403", bucket.AccessDenied()),
			forbidden("KMS denied", bucket.KMSDenied()),
		},
		not: noObjects(),
	}
}

const (
	ruleGone        = "source_gone"
	ruleOverwritten = "source_overwritten"

	perPointer = 250 // lines of an object behind a pointer
)

// ruled makes an object whose lines a rule drops; "" for none.
func (r *run) ruled(rule string, lines int) rig.Payload {
	p := r.Next(rig.S3, lines)
	for i := range p.Lines {
		p.Lines[i].Rule = rule
	}
	p.Key = "app/" + p.ID + ".log.gz"
	return p
}

// deleted sends an object and deletes it.
func deleted(r *run) error {
	p := r.ruled(ruleGone, spoiledLines)
	if err := r.Send(r.ctx, r.path.entry(), p); err != nil {
		return err
	}
	return r.S3.Delete(r.ctx, r.LogBucket, p.Key)
}

// pointers parks pointers: to objects that could not be read for as long as their queue gave them.
func pointers(rule string, each int) step {
	return func(r *run) error {
		r.S3.SetScript(bucket.Rules(bucket.Rule{Method: http.MethodGet, Bucket: r.LogBucket, Step: bucket.AccessDenied()}))
		for range r.lines / each {
			p := r.ruled(rule, each)
			r.keys = append(r.keys, p.Key)
			if err := r.Send(r.ctx, rig.S3Queue, p); err != nil {
				return err
			}
		}
		if err := r.DrainEntry(r.ctx, rig.S3Queue); err != nil {
			return err
		}
		return r.Heal()
	}
}

func deleteAll(r *run) error {
	for _, key := range r.keys {
		if err := r.S3.Delete(r.ctx, r.LogBucket, key); err != nil {
			return err
		}
	}
	return nil
}

// overwritten delivers an object that is replaced when a part of it has been read, and then the one in its place.
func overwritten(r *run) error {
	first, second := r.ruled(ruleOverwritten, 2*r.lines), r.ruled("", r.lines)
	second.Key = first.Key
	var put notify.Object
	var fault error
	r.S3.SetScript(bucket.Rules(bucket.Rule{Method: http.MethodGet, Key: first.Key, Nth: 1, Step: bucket.Step{
		After: int64(len(first.Data) / 2), End: bucket.Reset, Do: func() { put, fault = r.Put(r.ctx, second) },
	}}))
	if err := errors.Join(r.Send(r.ctx, r.path.entry(), first), r.Drain(r.ctx), fault); err != nil {
		return err
	}
	r.Expect(second)
	if err := r.Announce(r.path.entry(), notify.Native(put), second.ID); err != nil {
		return err
	}
	return r.Drain(r.ctx)
}

// forbidden is a cell in which no object may be read.
func forbidden(what string, answer bucket.Step) cell {
	return cell{
		on: []path{s3Direct, s3Queue, replay}, what: what, feed: objectsOrPointers,
		inject: func(r *run) error {
			r.S3.SetScript(bucket.Rules(bucket.Rule{Method: http.MethodGet, Bucket: r.LogBucket, Step: answer}))
			return nil
		},
		then: []expectation{keptWhereItWas, neverDead, deliveredAll},
	}
}

// objectsOrPointers feeds objects, and on the path of replay pointers to them.
func objectsOrPointers(r *run) error {
	if r.path == replay {
		return pointers("", perPointer)(r)
	}
	return feed(r)
}

// keptWhereItWas wants the lines of objects that nobody can read with their owner, where that has no more than a few
// retries, and else behind pointers.
func keptWhereItWas(r *run) {
	if r.path == s3Direct {
		returnedAll(r)
		return
	}
	parkedAll(r)
	r.expect(r.mid.DLQ == 0, "%d messages came to the dead-letter queue", r.mid.DLQ)
}

// F16.
func cuts() row {
	return row{
		id: "F16", fault: "the reading of an object cut at random bytes, three times", end: "resumed by ranges: no hole, no duplicate",
		cells: []cell{{
			on: []path{s3Direct, s3Queue, replay}, short: []path{s3Direct}, what: "RST", lines: 4000, feed: oneLarge, inject: cutThrice,
			options: func(_ *run, o *rig.Options) error {
				o.LinesPerPayload = 4000
				return nil
			},
			then: []expectation{deliveredAtOnce, neverDead, readInRanges, deliveredAll},
		}},
		not: noObjects(),
	}
}

// oneLarge feeds one object, or a pointer to one.
func oneLarge(r *run) error {
	if r.path == replay {
		return pointers("", r.lines)(r)
	}
	return feed(r)
}

const timesCut = 3

// cutThrice cuts the first readings of each object.
func cutThrice(r *run) error {
	random := rand.New(rand.NewPCG(r.random.Uint64(), 0))
	left := map[string]int{}
	r.S3.SetScript(func(a bucket.Arrival) bucket.Step {
		if a.Method != http.MethodGet || a.Bucket != r.LogBucket || a.Key == "" || left[a.Key] == timesCut {
			return bucket.Step{}
		}
		left[a.Key]++
		return bucket.CutAfter(1 + random.Int64N(mostBeforeCut))
	})
	return nil
}

const mostBeforeCut = 60_000 // bytes; the smallest object has more than three times as many

// readInRanges wants that objects were read in four pieces.
func readInRanges(r *run) {
	pieces := map[string]int{}
	for _, q := range r.S3.Requests() {
		if q.Method == http.MethodGet && q.Bucket == r.LogBucket && q.Status < http.StatusMultipleChoices {
			pieces[q.Key]++
		}
	}
	for key, n := range pieces {
		r.expect(n == timesCut+1, "%s was read in %d pieces", key, n)
	}
	r.expect(len(pieces) > 0, "no object was read")
}
