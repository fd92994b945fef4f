package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"sluice/e2e/generate"
	"sluice/e2e/rig"
)

// Sizes of payloads, in lines. Now and then an object is so large that an invocation may have no time for all of it.
const (
	leastLines  = 50
	mostLines   = 350
	largeLines  = 8_000
	largeObject = 50 // one of so many objects is large
)

// parcel is a payload with its bytes, on the way to its entry.
type parcel struct {
	payload

	data []byte // as the source has it
}

// maker makes payloads. The same seed gives the same ones.
type maker struct {
	generate *generate.Generator
	random   *rand.Rand
}

func newMaker(seed uint64, now time.Time) *maker {
	return &maker{generate: generate.New(seed, now), random: rand.New(rand.NewPCG(seed, feedSalt))}
}

// pad fills a line: most are short, and now and then one has what generated lines have at worst.
func pad(r *rand.Rand) string {
	if r.IntN(10) == 0 {
		return generate.Mixed(r)
	}
	return short(r)
}

var short = generate.Random(100)

// next makes the next payload for an entry. All its lines have marks.
func (m *maker) next(e rig.Entry) parcel {
	n := leastLines + m.random.IntN(mostLines-leastLines+1)
	if e == rig.S3 || e == rig.S3Queue {
		if m.random.IntN(largeObject) == 0 {
			n = largeLines
		}
		o := m.generate.Object(n, generate.JSONLines(pad))
		return newParcel(o.ID, e, o.Lines, o.Gzip())
	}
	for {
		p := m.generate.Filled(n, pad)
		if !slices.ContainsFunc(p.Lines, func(l generate.Line) bool { return l.Mark == generate.Mark{} }) {
			return newParcel(p.ID, e, p.Lines, p.Gzip())
		}
	}
}

func newParcel(id string, e rig.Entry, lines []generate.Line, data []byte) parcel {
	first := lines[0].Mark
	return parcel{payload{id: id, entry: e, src: first.Src, first: first.Seq, n: len(lines)}, data}
}

// feed gives the entries lines at a rate, in turn, until ctx ends. An entry that is behind is passed over; when all are, the
// rate falls.
func feed(ctx context.Context, m *maker, to []*entry, linesPerSecond int, in *manifest) {
	const tick = 20 * time.Millisecond
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	owed := 0.0 // lines
	turn := 0
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			owed = min(owed+now.Sub(last).Seconds()*float64(linesPerSecond), float64(linesPerSecond)) // a second of it at most
			last = now
		}
		for owed > 0 {
			e := nextFree(to, &turn)
			if e == nil {
				break
			}
			p := m.next(e.name)
			owed -= float64(p.n)
			in.add(p.payload)
			e.waiting <- p // there is room: nobody else sends
		}
	}
}

// nextFree is the next entry in turn that has room.
func nextFree(list []*entry, turn *int) *entry {
	for range list {
		e := list[*turn%len(list)]
		*turn++
		if len(e.waiting) < cap(e.waiting) {
			return e
		}
	}
	return nil
}
