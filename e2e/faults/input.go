package main

import (
	"bytes"
	"slices"

	"github.com/klauspost/compress/gzip"

	"sluice/e2e/generate"
	"sluice/e2e/rig"
)

// F12.
func subscriptions() row {
	return row{
		id: "F12", fault: "subscription payloads: cut, a wrong checksum, two members, two documents, bad base64, no JSON",
		end: "two members and two documents are delivered whole; what cannot be read is kept as it came, and what was read" +
			" before it is delivered; the others in the batch are not touched",
		cells: []cell{
			{
				on: ofPayloads(), short: []path{kinesis}, what: "gzip cut; wrong checksum",
				feed: among(spoiled(cutShort), spoiled(wrongSum)),
				then: []expectation{othersDelivered, keptRaw(2)},
			},
			{
				on: ofPayloads(), what: "two members; two documents", feed: among(sent(twoMembers), sent(twoDocuments)),
				then: []expectation{deliveredAtOnce, neverDead, deliveredAll},
			},
			{
				on: []path{cloudWatch}, short: []path{cloudWatch}, what: "bad base64; no JSON; no gzip",
				feed: among(
					rawEvent(`{"awslogs":{"data":"H4sI*AAA"}}`), spoiled(func([]byte) []byte { return packed([]byte("no document")) }),
					spoiled(func([]byte) []byte { return []byte("no document") }),
				),
				then: []expectation{acknowledged, othersDelivered, keptRaw(3)},
			},
		},
		not: []exception{
			{ofObjects(), "objects have F13"},
			{[]path{replay}, "what it reads was made by the functions: F28 has what is broken"},
		},
	}
}

func cutShort(data []byte) []byte { return data[:len(data)*2/3] }

// wrongSum changes a byte of the checksum at the end (RFC 1952, section 2.3.1).
func wrongSum(data []byte) []byte {
	spoilt := slices.Clone(data)
	spoilt[len(spoilt)-8] ^= 0xff
	return spoilt
}

func packed(plain []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(plain) // a buffer does not fail
	_ = w.Close()
	return b.Bytes()
}

func twoMembers(r *run) rig.Payload {
	return r.joined(func(a, b generate.Payload) []byte { return append(a.Gzip(), b.Gzip()...) })
}

func twoDocuments(r *run) rig.Payload {
	return r.joined(func(a, b generate.Payload) []byte { return packed(append(slices.Clone(a.Document), b.Document...)) })
}

// joined makes one payload of two.
func (r *run) joined(join func(a, b generate.Payload) []byte) rig.Payload {
	var p rig.Payload
	r.Generate(func(g *generate.Generator, pad generate.Pad) {
		a, b := whole(g, pad), whole(g, pad)
		p = rig.Payload{ID: a.ID, Data: join(a, b), Lines: append(a.Lines, b.Lines...)}
	})
	return p
}

// whole makes a payload without empty messages: they have nothing but their payload to be told apart by.
func whole(g *generate.Generator, pad generate.Pad) generate.Payload {
	for {
		p := g.Filled(spoiledLines, pad)
		if !slices.ContainsFunc(p.Lines, func(l generate.Line) bool { return l.Mark == generate.Mark{} }) {
			return p
		}
	}
}

// control sends the probe of a new subscription.
func control(r *run) error {
	return sent(func(r *run) rig.Payload {
		var p generate.Payload
		r.Generate(func(g *generate.Generator, _ generate.Pad) { p = g.Control() })
		return rig.Payload{ID: p.ID, Data: p.Gzip(), Lines: p.Lines}
	})(r)
}

// rawEvent has Lambda invoke the function with an event of any form. It stands for one line.
func rawEvent(event string) step {
	return func(r *run) error {
		r.spoiled++
		id := "event-" + event
		return r.SendEvent([]byte(event), rig.Payload{ID: id, Lines: []generate.Line{{Message: id}}})
	}
}

// othersDelivered wants everything delivered but lines of what was spoiled, and those in no more than one place.
func othersDelivered(r *run) {
	aside := r.end.Dead + r.end.DeadRaw
	r.expect(aside <= r.spoiled, "%d lines are dead, and only %d were spoiled", aside, r.spoiled)
	want := r.deliverable() - aside
	r.expect(r.end.Delivered == want && r.end.Returned == 0, "%d lines delivered instead of %d, %d returned",
		r.end.Delivered, want, r.end.Returned)
}

// keptRaw wants so many objects that hold what could not be read. A delivery stream has its own: what it keeps comes back as
// objects, and of those it is notes.
func keptRaw(n int) expectation {
	return func(r *run) {
		got := r.end.Stored["dead-raw"]
		if r.path == transform || r.path == tee {
			got += r.end.Stored["dead"]
		}
		r.expect(got == n, "%d objects hold what cannot be read, instead of %d: %v", got, n, r.end.Stored)
	}
}

// F25.
func controls() row {
	return row{
		id: "F25", fault: "control messages alone and among others", end: "dropped(control_message), and nothing else",
		cells: []cell{
			{
				on: ofPayloads(), what: "alone", feed: control,
				then: []expectation{acknowledged, droppedBy(generate.RuleControlMessage, 1), deliveredAtOnce, neverDead},
			},
			{
				on: ofPayloads(), short: []path{transform}, what: "among others", feed: among(control, control), //nolint:gocritic // two of them
				then: []expectation{acknowledged, droppedBy(generate.RuleControlMessage, 2), deliveredAtOnce, deliveredAll, neverDead},
			},
		},
		not: []exception{
			{ofObjects(), "CloudWatch Logs sends them to subscriptions; in an object they are what F12 and F13 are about"},
			{[]path{replay}, "they are dropped before anything is parked"},
		},
	}
}
