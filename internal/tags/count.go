package tags

import (
	"errors"
	"fmt"
)

// Counts is what happened since it was last asked for.
type Counts struct {
	Lookups  [Failed + 1]int // by Status
	Untagged int64           // records that went without tags because those were not known (see Untagged)

	Calls     int // of the APIs; a caller's own retries count once
	Throttled int // of these, those that AWS refused for being too many
	Failures  int // of these, those that failed for any reason

	StoreReads, StoreWrites int
	StoreFailures           int // of these, those that failed
}

func (n *Counts) add(s Status) {
	if int(s) < len(n.Lookups) {
		n.Lookups[s]++
	}
}

// TakeCounts returns the counts and starts them anew.
func (c *Cache) TakeCounts() Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := c.counts
	c.counts = Counts{}
	return counts
}

// CountUntagged counts the records of an origin whose lookup ended in s, if that means that they go without tags they may
// have. A lookup is made once for an origin, and only the caller knows how many records that has.
func (c *Cache) CountUntagged(s Status, records int64) {
	if s != Pending && s != Failed {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Untagged += records
}

// Trouble says what keeps tags from being known or shared at present, and what to do about it; nil when all is well. The
// text has AWS's own words in it, which name roles and resources.
func (c *Cache) Trouble() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, k := range c.keepers {
		if k == nil {
			continue
		}
		if k.err != nil {
			errs = append(errs, fmt.Errorf("tags of %ss: %w", k.kind, k.err))
		}
		if k.storeErr != nil {
			errs = append(errs, fmt.Errorf("shared tags of %ss: %w", k.kind, k.storeErr))
		}
	}
	return errors.Join(errs...)
}
