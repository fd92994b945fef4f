package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/stack/intake"
)

func TestPrepare(t *testing.T) {
	w, err := prepare(filepath.Join("..", "..", "events"))
	require.NoError(t, err)
	assert.Greater(t, len(w.lines), 2*payloads*linesPerPayload)
	ids := map[string]bool{}
	for _, e := range w.direct {
		ids[e.id] = true
	}
	for _, shard := range w.shards {
		for _, r := range shard {
			ids[r.Sequence] = true
		}
	}
	for _, o := range w.objects {
		ids[o.key] = true
	}
	for _, r := range w.records {
		ids[r.id] = true
	}
	assert.Len(t, ids, w.events, "the audit tells events apart by their id")
	for _, line := range w.lines {
		assert.True(t, ids[line.Payload])
	}
}

func TestOutage(t *testing.T) {
	o, start := &outage{}, time.Now()
	status := func(number int, after time.Duration) int {
		step := o.script(intake.Arrival{Number: number, At: start.Add(after)})
		if step.Answer == nil {
			return 202
		}
		return step.Answer.Status
	}
	assert.Equal(t, 202, status(outageStart, 0))
	assert.Equal(t, "up", o.state(start))
	assert.Equal(t, 503, status(outageStart+1, time.Second))
	assert.Equal(t, 503, status(outageStart+2, time.Second+outageLength-1))
	assert.Equal(t, "down, answers 503", o.state(start.Add(2*time.Second)))
	assert.Contains(t, o.state(start.Add(time.Hour)), "up again; the functions hold back")
	assert.Equal(t, 429, status(outageStart+3, time.Second+outageLength))
	assert.Contains(t, o.state(start), "asked for patience")
	assert.Equal(t, 202, status(outageStart+4, time.Second+outageLength))
	assert.Equal(t, "up", o.state(start))
}

func TestShowRecords(t *testing.T) {
	w, err := prepare(filepath.Join("..", "..", "events"))
	require.NoError(t, err)
	long := strings.Repeat("x", 300) + "\n\x1b[31m"
	w.lines[0].Message = long
	var out bytes.Buffer

	showRecords(&out, []intake.Entry{
		{Message: "not a sample", Source: "generated"},
		{Message: long, Source: "lambda", Service: "orders", Host: "h", Tags: "a:b,c:d", Millis: 1_769_938_200_000},
		{Message: long, Source: "lambda", Service: "again"},
	}, w)

	text := out.String()
	assert.NotContains(t, text, "generated")
	assert.NotContains(t, text, "again")
	assert.NotContains(t, text, "\x1b")
	assert.Contains(t, text, "  source   lambda\n  service  orders\n  host     h\n  time     2026-02-01T09:30:00Z\n  tags     a:b, c:d\n")
	assert.Contains(t, text, strings.Repeat("x", maxShownText-1)+"…\n")
}

func TestShowSources(t *testing.T) {
	var out bytes.Buffer
	showSources(&out, []intake.Entry{{Source: "waf", Service: "waf"}, {Source: "eks", Service: "b"}, {Source: "eks", Service: "a"}, {Source: "waf", Service: "waf"}})
	assert.Equal(t, "\nwho wrote them, as Sluice has found out:\n\nsource  service  lines\neks     a        1\neks     b        1\nwaf     waf      2\n", out.String())
}

func TestShowSum(t *testing.T) {
	var out bytes.Buffer
	showSum(&out, &audit.Report{In: 115, Delivered: 110, Dropped: 4, Dead: 1, Duplicates: map[audit.Class]int{audit.D2: 2}},
		sum{named: 7, large: 100, stream: 5})
	assert.Equal(t, `
    7  lines in this table
  100  of the large object, which an intake of its own counts
    5  of the closed loop, which Firehose sent to its own endpoint
   -2  that arrived again
    4  dropped by a rule that has a name
    1  dead: kept for a person to look at
  115  lines came in: the ledger's in=
`, out.String())
}

func TestShowLedgerEndsWithTheLedger(t *testing.T) {
	var out bytes.Buffer
	showLedger(&out, &audit.Report{In: 3, Delivered: 3, Duplicates: map[audit.Class]int{audit.D2: 2}})
	assert.Equal(t, "\n2 lines arrived again: the intake took them but its answer was lost (D2)\n"+
		"ledger: in=3 delivered=3 dropped=0 parked=0 dead=0 returned=0 duplicates=2 lost=0\n", out.String())
}
