package forward

import (
	"sluice/internal/ledger"
	"sluice/internal/tags"
)

// asides are counts of what was done beside forwarding. The zero value is none.
type asides struct {
	redactions map[string]int        // texts that were replaced, by rule
	untagged   map[tags.Status]int64 // records without tags that they may have, by why
}

// add adds what other has counted.
func (a *asides) add(other asides) {
	a.redactions = added(a.redactions, other.redactions)
	a.untagged = added(a.untagged, other.untagged)
}

// added adds more to a tally, which may be nil, and returns it.
func added[K comparable, N int | int64](tally, more map[K]N) map[K]N {
	if tally == nil && len(more) > 0 {
		tally = make(map[K]N, len(more))
	}
	for name, n := range more {
		tally[name] += n
	}
	return tally
}

// takeAsides returns what was done beside forwarding since this was last asked, which is counted only if it is added to
// what is noted: what is read twice is counted once.
func (inv *invocation) takeAsides() asides {
	inv.processor.Close()
	taken := asides{redactions: inv.processor.TakeRedactions()}
	if inv.resources != nil {
		taken.untagged, inv.resources.untagged = inv.resources.untagged, nil
	}
	return taken
}

// aside counts what was done beside forwarding: what was redacted, and what looking up tags has come to.
func (inv *invocation) aside() {
	inv.noted.add(inv.takeAsides())
	for rule, n := range inv.noted.redactions {
		inv.ledger.Redacted(rule, n)
	}
	cache := inv.f.tags
	if cache == nil {
		return
	}
	for status, n := range inv.noted.untagged {
		cache.CountUntagged(status, n)
	}
	cache.End()
	counts := cache.TakeCounts()
	t := ledger.Tags{
		Untagged: int(counts.Untagged), Calls: counts.Calls, Throttled: counts.Throttled, Failures: counts.Failures,
	}
	if err := cache.Trouble(); err != nil {
		t.Trouble = err.Error()
	}
	inv.ledger.Tagged(t)
}
