package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/owner"
)

// Bounds of what is told of duplicates without a cause.
const (
	maxStories = 3
	maxMoments = 60 // of one story
)

// moment is something that happened.
type moment struct {
	at   time.Time
	text string
}

// chronicle is what is known of a run beside what an audit needs: who can tell how a line came to where it is.
type chronicle struct {
	evidence *evidence
	requests []request        // of the intake, by number - 1
	store    []bucket.Request // of the park bucket
	ledgers  map[string]stack.Ledger
	answers  map[string]string // of replays, by request id
	lives    []moment          // starts and ends of processes
	started  time.Time
}

// stories tells of a few lines everything that has to do with them. marks are texts of marks.
func (c *chronicle) stories(marks []string) []string {
	var told []string
	seen := map[string]bool{}
	for _, text := range marks {
		src, number, _ := strings.Cut(text, "/")
		seq, err := strconv.Atoi(number)
		if err != nil || len(told) == maxStories {
			continue
		}
		p := c.payloadOf(generate.Mark{Src: src, Seq: seq})
		if p == nil || seen[p.id] {
			continue
		}
		seen[p.id] = true
		told = append(told, c.story(p, seq))
	}
	return told
}

// payloadOf is where a line came from; nil when nobody sent it.
func (c *chronicle) payloadOf(m generate.Mark) *payload {
	for i := range c.evidence.payloads {
		p := &c.evidence.payloads[i]
		if p.src == m.Src && p.first <= m.Seq && m.Seq < p.first+p.n {
			return p
		}
	}
	return nil
}

// story is what happened to a line, its payload and its batches, in order of time.
func (c *chronicle) story(p *payload, seq int) string {
	arrivals := slices.Concat(c.arrivalsOf(p, seq, c.evidence.intake, "the intake"),
		c.arrivalsOf(p, seq, c.evidence.archived, "the archive"))
	roots := c.rootsOf(p, seq)
	moments := slices.Concat(arrivals, c.requestsOf(roots), c.storeOf(roots), c.deliveriesOf(p))
	moments = append(moments, c.replaysOf(moments)...)
	moments = append(moments, c.livesBetween(moments)...)
	slices.SortStableFunc(moments, func(a, b moment) int { return a.at.Compare(b.at) })

	var text strings.Builder
	fmt.Fprintf(&text, "%s/%d: one of the %d lines of payload %s, %s", p.src, seq, p.n, p.id, p.entry)
	for i, m := range moments {
		if i == maxMoments {
			fmt.Fprintf(&text, "\n  and %d more", len(moments)-i)
			break
		}
		fmt.Fprintf(&text, "\n  %8.3fs %s", m.at.Sub(c.started).Seconds(), strings.TrimSpace(m.text))
	}
	return text.String()
}

func holds(a *arrival, src string, seq int) bool {
	return slices.ContainsFunc(a.runs, func(r stretch) bool { return r.src == src && r.first <= seq && seq < r.first+r.n })
}

// arrivalsOf are the copies of a line.
func (c *chronicle) arrivalsOf(p *payload, seq int, from []arrival, where string) []moment {
	var list []moment
	for i := range from {
		a := &from[i]
		if holds(a, p.src, seq) {
			list = append(list, moment{a.at, fmt.Sprintf("COPY at %s: request %d, batch %s of %d lines, %s, answered %t", where,
				a.number, a.batch, a.lines, senderName(a.sender), a.answered)})
		}
	}
	return list
}

func senderName(sender int) string {
	switch sender {
	case ingestSender:
		return "from the function of its entry"
	case replaySender:
		return "from replay"
	default:
		return "with an unknown key"
	}
}

// rootsOf are the ids of the batches that a line was in, without those of their parts.
func (c *chronicle) rootsOf(p *payload, seq int) map[string]bool {
	roots := map[string]bool{}
	for i := range c.evidence.intake {
		if a := &c.evidence.intake[i]; holds(a, p.src, seq) {
			roots[rootOf(a.batch)] = true
		}
	}
	return roots
}

// rootOf is the id of the batch that a part was made of: parts have names behind a dot.
func rootOf(batch string) string {
	id, _, _ := strings.Cut(batch, ".")
	return id
}

// requestsOf are all requests with batches of these ids and their parts.
func (c *chronicle) requestsOf(roots map[string]bool) []moment {
	var list []moment
	for i, r := range c.requests {
		if roots[rootOf(r.batch)] {
			list = append(list, moment{r.at, fmt.Sprintf("request %d, batch %s, %s: %s after %.3fs", i+1, r.batch, senderName(r.sender),
				r.end, r.ended.Sub(r.at).Seconds())})
		}
	}
	return list
}

// storeOf are all requests for parked objects of these batches and their parts.
func (c *chronicle) storeOf(roots map[string]bool) []moment {
	var list []moment
	for i := range c.store {
		r := &c.store[i]
		for root := range roots {
			if root != "" && strings.Contains(r.Key, root) {
				list = append(list, moment{r.At, fmt.Sprintf("park store: %s %s, status %d %s", r.Method, r.Key, r.Status, r.Reason)})
				break
			}
		}
	}
	return list
}

// deliveriesOf are all invocations that were given a payload.
func (c *chronicle) deliveriesOf(p *payload) []moment {
	var list []moment
	for _, history := range [][]owner.Delivery{c.evidence.history, c.evidence.transforms} {
		for i := range history {
			if d := &history[i]; slices.Contains(d.Payloads, p.id) {
				list = append(list, c.invocation("delivery of it", d)...)
			}
		}
	}
	return list
}

// invocation is its start and its end.
func (c *chronicle) invocation(what string, d *owner.Delivery) []moment {
	outcome := string(d.Outcome)
	if d.Error != "" {
		outcome += fmt.Sprintf(" with %.200s", d.Error)
	}
	return []moment{
		{d.Started, fmt.Sprintf("%s begins: %s, attempt %d, %d payloads", what, d.RequestID, d.Attempt, len(d.Payloads))},
		{d.Finished, fmt.Sprintf("%s ends: %s, %s; %s", what, d.RequestID, outcome, c.countsOf(d.RequestID))},
	}
}

// countsOf is what an invocation said about itself.
func (c *chronicle) countsOf(requestID string) string {
	l, found := c.ledgers[requestID]
	if !found {
		return "it has printed no counts"
	}
	d := l.Destinations[destination]
	text := fmt.Sprintf("in %d, delivered %d, parked %s, returned %s", d.In, d.Delivered, list(d.Parked), list(d.Returned))
	if answer := c.answers[requestID]; answer != "" {
		text += fmt.Sprintf("; it answered %.300s", answer)
	}
	return text
}

// replaysOf are the replays in which one of the moments lies.
func (c *chronicle) replaysOf(moments []moment) []moment {
	var list []moment
	for i := range c.evidence.replays {
		r := &c.evidence.replays[i]
		if slices.ContainsFunc(moments, func(m moment) bool { return within(m.at, r) }) {
			list = append(list, c.invocation("replay", &r.Delivery)...)
		}
	}
	return list
}

func within(at time.Time, r *audit.Replay) bool {
	return !at.Before(r.Started) && !at.After(r.Finished)
}

// livesBetween are the starts and ends of processes from the first moment to the last.
func (c *chronicle) livesBetween(moments []moment) []moment {
	if len(moments) == 0 {
		return nil
	}
	earlier := func(a, b moment) int { return a.at.Compare(b.at) }
	first, last := slices.MinFunc(moments, earlier), slices.MaxFunc(moments, earlier)
	var some []moment
	for _, m := range c.lives {
		if !m.at.Before(first.at) && !m.at.After(last.at) {
			some = append(some, m)
		}
	}
	return some
}
