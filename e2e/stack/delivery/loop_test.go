package delivery

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/notify"
)

// items stands for a transformation: the events of a CloudWatch Logs payload become Datadog items, one a line.
func items(data []byte) []byte {
	var lines []byte
	for _, entry := range Lines(data) {
		lines = append(appendObject(lines, []member{{"message", entry.Message}, {"id", entry.ID}}), '\n')
	}
	return lines
}

// The parts fit: payloads are put and transformed, an invocation fails, the endpoint goes down in the middle, and what
// could not be delivered is found in the announced objects, so that every line is found once.
func TestClosedLoop(t *testing.T) {
	endpoint, err := StartEndpoint(accessKey, nil)
	require.NoError(t, err)
	defer func() { assert.NoError(t, endpoint.Close()) }()
	n := 0
	var announced []string
	var failed []Written
	s, m := rig(t, func(c *Config) {
		c.Now = time.Now
		c.HTTP = &HTTP{URL: endpoint.URL(), AccessKey: accessKey, Gzip: true, BufferBytes: 16 << 10}
		c.Transform = &Transform{BufferRecords: 4, Function: invoker(func(payload []byte) (stack.Result, error) {
			if n++; 5 <= n && n <= 8 { // all attempts of one batch
				return stack.Result{TimedOut: true}, nil
			}
			return each("Ok", items)(payload)
		})}
		c.Written = func(w Written) {
			failed = append(failed, w)
			announced = append(announced, string(notify.Native(w.Object)))
		}
	})
	endpoint.SetScript(func(a intake.Arrival) Step {
		if 4 <= a.Number && a.Number < 30 {
			return Outage()
		}
		return Step{}
	})
	g := generate.New(7, time.Now())
	var lines []generate.Line
	for range 40 {
		p := g.Payload(20)
		lines = append(lines, p.Lines...)
		_, err := s.Put(p.ID, p.Gzip())
		require.NoError(t, err)
	}

	require.NoError(t, s.Drain(t.Context()))

	entries := endpoint.Entries()
	var rescued int
	for i, w := range failed { // what functions/s3 does with the announcements
		assert.Contains(t, announced[i], w.Key)
		at := slices.IndexFunc(m.objects, func(o stored) bool { return o.key == w.Key })
		for _, e := range envelopes(t, string(m.objects[at].body)) {
			var data []byte
			require.NoError(t, json.Unmarshal([]byte(`"`+e["rawData"].(string)+`"`), &data))
			read := Lines(data)
			rescued += len(read)
			entries = append(entries, read...)
		}
	}
	kinds := map[Kind]bool{}
	for _, w := range s.Objects() {
		kinds[w.Kind] = true
	}
	assert.Equal(t, map[Kind]bool{ProcessingFailed: true, HTTPEndpointFailed: true}, kinds)
	assert.Positive(t, rescued)
	assert.Less(t, rescued, len(lines))
	for i := range entries {
		entries[i].Answered = true
	}
	report := audit.Join(audit.Evidence{
		Destination: "here", Lines: lines, Entries: entries, Failures: s.Failures(),
		Ledgers: []stack.Ledger{{Destinations: map[string]stack.Destination{"here": {In: len(lines), Delivered: len(entries)}}}},
	})
	require.NoError(t, report.Verdict())
	assert.Zero(t, report.TotalDuplicates())
}
