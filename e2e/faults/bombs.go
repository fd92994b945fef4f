package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/klauspost/compress/gzip"

	"sluice/e2e/generate"
	"sluice/e2e/rig"
	"sluice/e2e/stack"
)

// F20.
func bombs() row {
	return row{
		id: "F20", fault: "bombs: 128 MiB of one message, 10 GiB of gzip, 150,000 empty members, a zstd window of 2 GiB",
		end: "the lines around are delivered; the bomb is put aside, as it came or as a pointer; 60 % of the memory is enough",
		cells: []cell{
			{
				on: ofPayloads(), short: []path{cloudWatch}, what: "a message of 128 MiB", feed: among(longMessage),
				then: []expectation{othersDelivered, keptRaw(1), under(usualMemory * 60 / 100)},
			},
			{
				on: ofObjects(), short: []path{s3Queue}, what: "10 GiB; members; window", deliver: deliverFilling,
				feed: among(bomb("large", tenGiB), bomb("members", emptyMembers), bomb("window", wideWindow)),
				then: []expectation{acknowledged, othersDelivered, deadObjects(3), under(usualMemory * 60 / 100)},
			},
		},
		not: []exception{{[]path{replay}, "what it reads was made by the functions, or is an object as in F20 of s3"}},
	}
}

const usualMemory = 256 // MiB, of the rig's functions

const filling = "a" // what bombs consist of

// longMessage sends a document with one message that no memory is meant for.
func longMessage(r *run) error {
	const length = 128 << 20
	head := fmt.Sprintf(`{"messageType":"DATA_MESSAGE","owner":%q,"logGroup":"checkout","logStream":"a","subscriptionFilters":["b"],`+
		`"logEvents":[{"id":%q,"timestamp":1767225600000,"message":"`, stack.Account, eventID(1))
	data := inflating(head, length, `"}]}`)
	return r.sendBomb(rig.Payload{ID: "bomb", Data: data})
}

// sendBomb sends something that stands for one line.
func (r *run) sendBomb(p rig.Payload) error {
	r.spoiled++
	p.Lines = []generate.Line{{Message: "bomb " + p.ID}}
	if p.Key != "" {
		return r.opaque(p)
	}
	return r.Send(r.ctx, r.source(), p)
}

// inflating is gzip of much.
func inflating(head string, length int, tail string) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // a level of the package
	_, _ = w.Write([]byte(head))                          // a buffer does not fail
	block := bytes.Repeat([]byte(filling), 1<<20)
	for range length / len(block) {
		_, _ = w.Write(block)
	}
	_, _ = w.Write([]byte(tail))
	_ = w.Close()
	return b.Bytes()
}

// bomb sends an object.
func bomb(name string, made func() []byte) step {
	return func(r *run) error {
		return r.sendBomb(rig.Payload{ID: name, Key: "app/bomb-" + name + ".log", Data: made()})
	}
}

// tenGiB is 160 members of 64 MiB.
func tenGiB() []byte { return bytes.Repeat(inflating("", 64<<20, ""), 160) }

func emptyMembers() []byte { return bytes.Repeat(packed(nil), 150_000) }

// wideWindow is the head of a frame of zstd that wants a window of 2 GiB, and an empty block (RFC 8878, section 3.1.1).
func wideWindow() []byte {
	const windowLog = 31
	return []byte{0x28, 0xb5, 0x2f, 0xfd, 0, (windowLog - 10) << 3, 1, 0, 0}
}

// deliverFilling delivers, and puts the lines that a bomb has become, up to where it was given up, into the manifest.
func deliverFilling(r *run) error {
	if err := r.Drain(r.ctx); err != nil {
		return err
	}
	p := rig.Payload{ID: "filling"}
	for _, entry := range r.Intake().Entries() {
		if entry.Message != "" && strings.Trim(entry.Message, filling) == "" {
			p.Lines = append(p.Lines, generate.Line{Message: entry.Message})
		}
	}
	r.Expect(p)
	return nil
}
