package httpjson

import (
	"errors"
	"fmt"
	"net/http"
)

// StatusRange is a range of status codes, both ends included.
type StatusRange struct{ First, Last int }

// StatusSet is a set of status codes.
type StatusSet []StatusRange

// statusBlocked is how Loki says that it takes nothing from this tenant (http-intakes 3).
const statusBlocked = 260

// DefaultSuccess is 200 to 299 without 207, which reports on each item, and 260, which confirms nothing (http-intakes 3
// and 12).
func DefaultSuccess() StatusSet {
	return StatusSet{
		{http.StatusOK, http.StatusMultiStatus - 1},
		{http.StatusMultiStatus + 1, statusBlocked - 1},
		{statusBlocked + 1, 299},
	}
}

// Has reports whether status is in the set.
func (s StatusSet) Has(status int) bool {
	for _, r := range s {
		if r.First <= status && status <= r.Last {
			return true
		}
	}
	return false
}

// check reports ranges that no final answer is in.
func (s StatusSet) check() error {
	if len(s) == 0 {
		return errors.New("success codes: want at least one")
	}
	for _, r := range s {
		if r.First < 200 || r.Last > 599 || r.First > r.Last {
			return fmt.Errorf("success codes %d-%d: want a range within 200-599", r.First, r.Last)
		}
	}
	return nil
}
