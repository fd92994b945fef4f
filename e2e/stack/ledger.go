package stack

import (
	"bytes"
	"encoding/json"
	"time"
)

// Ledger is the one line a function prints per invocation, in CloudWatch's embedded metric format. Counts are lines
// unless their name says otherwise.
type Ledger struct {
	FunctionName string                 `json:"FunctionName"`
	RequestID    string                 `json:"request_id"`
	In           int                    `json:"LinesIn"`
	Delivered    int                    `json:"LinesDelivered"`
	Dropped      int                    `json:"LinesDropped"`
	Parked       int                    `json:"LinesParked"`
	Returned     int                    `json:"LinesReturned"`
	Unaccounted  int                    `json:"Unaccounted"`
	Requests     int                    `json:"Requests"`
	Retries      int                    `json:"Retries"`
	BytesIn      int64                  `json:"BytesIn"`
	BytesSent    int64                  `json:"BytesSent"`
	RemainingMs  float64                `json:"RemainingMs"`
	Destinations map[string]Destination `json:"destinations"`
}

// Destination is the part of a Ledger that belongs to one destination.
type Destination struct {
	In        int            `json:"in"`
	Delivered int            `json:"delivered"`
	Dropped   map[string]int `json:"dropped"`  // by rule
	Parked    map[string]int `json:"parked"`   // by reason
	Returned  map[string]int `json:"returned"` // by reason
	Marked    map[string]int `json:"marked"`   // altered and sent, by what was done
	Requests  int            `json:"requests"`
	Retries   int            `json:"retries"`
	BytesSent int64          `json:"bytes_sent"`
}

// Balanced says whether in = delivered + dropped + parked + returned.
func (d Destination) Balanced() bool {
	return d.In == d.Delivered+Sum(d.Dropped)+Sum(d.Parked)+Sum(d.Returned)
}

// Sum adds up the counts of all rules or reasons.
func Sum(counts map[string]int) int {
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}

// parseLedger tells a ledger line from anything else a function may print.
func parseLedger(line []byte) (Ledger, bool) {
	var ledger Ledger
	if !bytes.HasPrefix(line, []byte("{")) || !bytes.Contains(line, []byte(`"LinesIn"`)) {
		return ledger, false
	}
	if err := json.Unmarshal(line, &ledger); err != nil {
		return ledger, false
	}
	return ledger, ledger.RequestID != ""
}

// Usage is what a function's processes used.
type Usage struct {
	Starts       int           // processes started
	Exits        []string      // how each ended process ended
	PeakRSSBytes int64         // highest resident set of any of them, as of the last invocation
	CPU          time.Duration // user and system time of the ended ones
}
