package deliver

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sluice/internal/batch"
)

// Parker keeps what a destination did not get. It is used concurrently.
type Parker interface {
	// Park makes the items durable before it returns nil; an error, or a panic, means that they go back to their owner. It
	// gives up when ctx ends, which outlives the flight's own: it ends when the answer is due.
	Park(ctx context.Context, g *GivenUp) error
}

// GivenUp is what one batch came to that could not be delivered, for one reason. It is the parker's until Park returns;
// its batches must not be changed.
type GivenUp struct {
	Batch *batch.Batch // as it was submitted: its ID and Span
	// Parts are the items given up, in order: Batch itself when these are all of its items, else parts of it.
	Parts  []*batch.Batch
	Reason string // stable name: http_503, deadline, breaker_open, http_400; 1 to 40 of a-z, 0-9 and _
	Status int    // of the answer that gave the reason; 0 when none did
	// Permanent says that the destination will never take these records as they are (they are dead); else they are due
	// again (pending).
	Permanent bool
	// Wait is for how long, from now on, the destination asked to be left alone; 0 when it did not.
	Wait time.Duration
	// Cause has words for a person beyond the reason, such as why there are no credentials; nil when there are none.
	Cause error
}

// Count is the number of items in all parts.
func (g *GivenUp) Count() int {
	n := 0
	for _, part := range g.Parts {
		n += part.Count()
	}
	return n
}

// loss is a part of a batch that was not delivered, and why.
type loss struct {
	part      *batch.Batch
	end       *ending
	permanent bool
}

// lose ends a part of the batch that cannot be delivered now.
func (t *trip) lose(part *batch.Batch, end *ending) {
	t.losses = append(t.losses, loss{part: part, end: end})
	t.f.trouble()
}

// refuse ends a part of one record that the destination will not take, now or ever.
func (t *trip) refuse(part *batch.Batch, end *ending) {
	t.losses = append(t.losses, loss{part: part, end: end, permanent: true})
}

// conclude accounts for what the trip has lost: it is parked, or else goes back to its owner.
func (t *trip) conclude() {
	if t.f.o.Parker == nil {
		for _, l := range t.losses {
			t.f.returned(l.part, code(l.end.Reason), l.permanent, l.end.cause)
		}
		return
	}
	for _, g := range t.groups() {
		t.f.park(g)
	}
}

// groups are the losses as they are parked: those that are due again in one, whatever reasons they have, and those that
// never will be by reason. So what is parked of a batch depends on its answers alone, and few objects are written.
func (t *trip) groups() []*GivenUp {
	var all []*GivenUp
	for _, l := range t.losses {
		reason := code(l.end.Reason)
		i := slices.IndexFunc(all, func(g *GivenUp) bool {
			return g.Permanent == l.permanent && (!l.permanent || g.Reason == reason)
		})
		if i < 0 {
			i = len(all)
			all = append(all, &GivenUp{
				Batch: t.whole, Reason: reason, Status: l.end.status, Permanent: l.permanent, Cause: l.end.cause,
			})
		}
		g := all[i]
		g.Parts = append(g.Parts, l.part)
		g.Wait = max(g.Wait, l.end.Wait)
	}
	for _, g := range all {
		if g.Count() == t.whole.Count() {
			g.Parts = []*batch.Batch{t.whole}
		}
	}
	return all
}

// park parks what was given up and counts it: as parked, or as returned when that failed. It takes no lock while it parks.
func (f *Flight) park(g *GivenUp) {
	n := g.Count() // before it is anyone else's
	parts, reason, permanent, cause := g.Parts, g.Reason, g.Permanent, g.Cause
	if err := f.parkGuarded(g); err != nil {
		f.notParked(err)
		for _, part := range parts {
			f.returned(part, reason, permanent, cause)
		}
		return
	}
	f.o.Account.Parked(reason, n)
}

// parkGuarded takes a panic for a failure. Its text is left out: it could quote a line.
func (f *Flight) parkGuarded(g *GivenUp) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("park batch %s: panic of type %T", g.Batch.ID, p)
		}
	}()
	ctx := f.o.Store
	if ctx == nil {
		ctx = f.ctx
	}
	return f.o.Parker.Park(ctx, g)
}

// notParked keeps the first error of the parker.
func (f *Flight) notParked(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.unparked == nil {
		f.unparked = err
	}
}

const (
	maxCodeBytes = 40 // of a reason, which is a part of the keys it is parked under (delivery contract 2.7)
	unknownCode  = "unknown"
)

// code makes a reason one that can be parked under: destinations are free to give others.
func code(reason string) string {
	if reason == "" {
		return unknownCode
	}
	if len(reason) <= maxCodeBytes && isCode(reason) {
		return reason
	}
	b := []byte(reason[:min(len(reason), maxCodeBytes)])
	for i, c := range b {
		switch {
		case 'A' <= c && c <= 'Z':
			b[i] = c - 'A' + 'a'
		case !isCodeByte(c):
			b[i] = '_'
		}
	}
	return string(b)
}

func isCode(s string) bool {
	for i := range len(s) {
		if !isCodeByte(s[i]) {
			return false
		}
	}
	return true
}

func isCodeByte(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' }
