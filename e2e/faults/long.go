package main

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"sluice/e2e/generate"
	"sluice/e2e/rig"
)

// F23.
func longLines() row {
	return row{
		id: "F23", fault: "lines of 64 KB less one, 64 KB, 1 MB, 1 MB and a word, 6 MB, and of 32 MB without an end",
		end: "delivered whole up to the intake's limit, above it cut or in parts, which is marked; memory is bounded",
		cells: []cell{{
			on: ofObjects(), what: "64 KB to 6 MB, and 32 MB", deliver: deliverLong, feed: feedLong, lines: 250,
			then: []expectation{acknowledged, deliveredAtOnce, neverDead, under(128), deliveredAll},
		}, {
			on: without(ofPayloads(), transform), short: []path{tee}, what: "64 KB to 250 KB", feed: feedWider, lines: 250,
			then: []expectation{acknowledged, deliveredAtOnce, neverDead, under(128), deliveredAll},
		}},
		not: []exception{
			{[]path{transform}, "what a record becomes may have 1 MB: F30 has what does not fit"},
			{[]path{replay}, "what is parked has been cut already"},
		},
	}
}

// under bounds the memory of each process.
func under(mib int64) expectation {
	return func(r *run) {
		peak := r.end.PeakRSSBytes >> 20
		r.expect(peak < mib, "a process took %d MiB: %d and more are too many", peak, mib)
	}
}

// feedWider feeds lines as long as events take, an event has 1 MB at most.
func feedWider(r *run) error {
	long := func(n int) step { return sent(func(r *run) rig.Payload { return r.payload(1, generate.Random(n)) }) }
	return among(long(64<<10-1), long(64<<10), long(250_000))(r)
}

// Sizes of lines, in bytes. Those from wholeBelow on are cut: the intake takes 1 MB with all that is around a line.
const (
	wholeBelow = 900_000
	endless    = 32 << 20
)

func longSizes() []int {
	return []int{64<<10 - 1, 64 << 10, wholeBelow - 1, 1 << 20, 1<<20 + wordBytes, 6 << 20, endless}
}

// A long line is made of words that say which line it is and where they stand, so that a part of it can be told.
const wordBytes = 16 // "0000001:0000000 "

func longLine(number, size int) []byte {
	line := make([]byte, 0, size+wordBytes)
	for at := 0; len(line) < size; at++ {
		line = fmt.Appendf(line, "%07d:%07d ", number, at)
	}
	return line[:size]
}

// placeOf is which long line a piece is of, and where it starts there.
func placeOf(piece string) (number, at int, ok bool) {
	if len(piece) < wordBytes || piece[7] != ':' || piece[wordBytes-1] != ' ' {
		return 0, 0, false
	}
	number, err := strconv.Atoi(piece[:7])
	if err != nil {
		return 0, 0, false
	}
	word, err := strconv.Atoi(piece[8 : wordBytes-1])
	return number, word * wordBytes, err == nil
}

// feedLong puts objects of one long line each, the last one without an end.
func feedLong(r *run) error {
	if err := r.Feed(r.ctx, r.path.entry(), r.lines); err != nil {
		return err
	}
	for number, size := range longSizes() {
		body := longLine(number, size)
		if size != endless {
			body = append(body, '\n')
		}
		id := fmt.Sprintf("long-%d", number)
		if err := r.opaque(rig.Payload{ID: id, Key: "app/" + id + ".log", Data: body}); err != nil {
			return err
		}
	}
	return nil
}

// deliverLong delivers, holds what arrived of each long line against it, and puts that into the manifest, from which the
// audit then knows that nothing came twice.
func deliverLong(r *run) error {
	if err := r.Drain(r.ctx); err != nil {
		return err
	}
	pieces := map[int]map[int]string{}
	for _, entry := range r.Intake().Entries() {
		if number, at, ok := placeOf(entry.Message); ok {
			if pieces[number] == nil {
				pieces[number] = map[int]string{}
			}
			pieces[number][at] = entry.Message
		}
	}
	for number, size := range longSizes() {
		r.checkLong(number, size, pieces[number])
	}
	return nil
}

// checkLong wants the pieces of a line to be all of it or, of one that is too long, its start.
func (r *run) checkLong(number, size int, pieces map[int]string) {
	line, end := longLine(number, size), 0
	p := rig.Payload{ID: fmt.Sprintf("long-%d", number)}
	for at, piece := range pieces {
		r.expect(at+len(piece) <= size && bytes.Equal(line[at:at+len(piece)], []byte(piece)), "a piece of %s is not what stands at %d", p.ID, at)
		p.Lines = append(p.Lines, generate.Line{Message: piece})
	}
	for {
		piece, found := pieces[end]
		if !found {
			break
		}
		end += len(piece)
	}
	cut := size >= wholeBelow && len(pieces) == 1 && end >= wholeBelow
	r.expect(end == size || cut, "of %s, %d bytes, %d pieces reach to byte %d", p.ID, size, len(pieces), end)
	slices.SortFunc(p.Lines, func(a, b generate.Line) int { return len(a.Message) - len(b.Message) })
	r.Expect(p)
}
