package forward

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/config"
	"sluice/internal/event"
)

const (
	batchCases    = 10_000
	bigEvery      = 500     // one batch in so many outgrows the answer
	inflatedLimit = 2 << 20 // plain bytes of one record
)

// made is a record with what has to become of it.
type made struct {
	put
	lines  []string // that are logs, in order
	broken bool     // it cannot be read
}

// TestFirehoseProperty makes batches of whatever may be in a delivery stream and holds every answer to what Firehose asks
// of it, and to what the records said.
func TestFirehoseProperty(t *testing.T) {
	m := newMaker(1)
	rigs := map[config.Output]*rig{}
	for _, form := range forms {
		rigs[form] = newStreamRig(t, map[string]string{
			"SLUICE_FIREHOSE_OUTPUT": string(form), "SLUICE_MAX_INFLATED_BYTES": fmt.Sprint(inflatedLimit),
		})
	}
	seen := map[string]int{}
	for i := range batchCases {
		if t.Failed() {
			t.Logf("batch %d of seed 1", i-1)
			return
		}
		form := forms[i%len(forms)]
		batch := m.batch()
		if i/len(forms)%bigEvery == 0 {
			batch = m.bigBatch()
		}
		p := proof{T: t, r: rigs[form], form: form, batch: batch}
		p.check()
		for _, result := range resultsOf(p.got) {
			seen[result]++
		}
		seen["no room"] += p.noRoom
	}
	for what, atLeast := range map[string]int{"Ok": 10_000, "Dropped": 1_000, "ProcessingFailed": 1_000, "no room": 50} {
		assert.Greater(t, seen[what], atLeast, "%s: the generator makes enough of them: %v", what, seen)
	}
}

// proof is one batch and its answer.
type proof struct {
	*testing.T
	r      *rig
	form   config.Output
	batch  []made
	size   int // of the answer
	got    []verdict
	noRoom int
	lines  int // in the answer
}

func (p *proof) check() {
	p.Helper()
	p.r.out.Reset()
	response, err := Firehose(p.r.Forwarder).Invoke(lambdaContext(p.T), transformationOf("", putsOf(p.batch)))
	require.NoError(p, err)
	p.size = len(response)
	require.LessOrEqual(p, p.size, answerBudget)
	require.Less(p, p.size, event.MaxTransformAnswerBytes)
	p.got = verdicts(p.T, string(response))

	var asked []made
	ids := map[string]bool{"": true}
	for _, m := range p.batch {
		if !ids[m.id] {
			asked = append(asked, m)
		}
		ids[m.id] = true
	}
	require.Len(p, p.got, len(asked), "each id has its answer")
	for i, v := range p.got {
		require.Equal(p, asked[i].id, v.ID, "in the batch's order")
		p.record(asked[i], v)
	}
	p.ledger(len(p.batch) - len(asked))
}

func putsOf(batch []made) []put {
	list := make([]put, len(batch))
	for i, m := range batch {
		list[i] = m.put
	}
	return list
}

// record holds one verdict to what its record is.
func (p *proof) record(m made, v verdict) {
	p.Helper()
	switch {
	case v.Result == "Ok":
		require.False(p, m.broken, "what cannot be read is left to Firehose")
		require.NotEmpty(p, m.lines, "nothing that is a log must not stay")
		require.LessOrEqual(p, len(*v.Data), maxTransformedBytes)
		p.lines += len(m.lines)
		p.text(m, v.text())
	case v.Result == "Dropped":
		require.False(p, m.broken, "what cannot be read must not go")
		require.Empty(p, m.lines, "a log must not go")
	case !m.broken:
		p.noRoom++
		p.overBudget(m)
	}
}

// text holds the text of a record to its lines, all of them and in order.
func (p *proof) text(m made, text string) {
	p.Helper()
	switch p.form {
	case config.OutputOriginal:
		require.Equal(p, string(m.data), text)
	case config.OutputMessage:
		want := ""
		for _, line := range m.lines {
			want += strings.TrimSuffix(line, "\n") + "\n"
		}
		require.Equal(p, want, text)
	case config.OutputDatadog, config.OutputJSON:
		items := itemsOf(p, text)
		require.Len(p, items, len(m.lines))
		for i, line := range m.lines {
			p.item(line, items[i])
		}
	}
}

// item holds an item to its line. A record of CloudTrail may be in it member by member.
func (p *proof) item(line string, item map[string]any) {
	p.Helper()
	if message, ok := item["message"].(string); ok {
		require.Equal(p, line, message)
		return
	}
	var members map[string]any
	require.NoError(p, json.Unmarshal([]byte(line), &members))
	if message, ok := item["message"].(map[string]any); ok {
		item = message
	}
	for _, name := range []string{"eventVersion", "eventName", "eventID", "sourceIPAddress"} {
		require.Equal(p, members[name], item[name], name)
	}
}

// overBudget shows that there was no room for a record: alone it becomes so large that one text may not be, or that it
// does not go into the answer as it is now.
func (p *proof) overBudget(m made) {
	p.Helper()
	response, err := Firehose(p.r.Forwarder).Invoke(lambdaContext(p.T), transformationOf("", []put{m.put}))
	require.NoError(p, err)
	if alone := verdicts(p.T, string(response))[0]; alone.Result == "Ok" {
		require.Greater(p, p.size+len(response), answerBudget, "it would have had room")
	} else {
		require.Greater(p, len(strings.Join(m.lines, "\n"))+200*len(m.lines), maxTransformedBytes, "it is not too large")
	}
}

// ledger holds the invocation's line to the answer.
func (p *proof) ledger(unanswered int) {
	p.Helper()
	line, _, _ := bytes.Cut(p.r.out.Bytes(), []byte("\n")) // those of overBudget follow
	if len(line) == 0 {
		for _, m := range p.batch {
			require.Empty(p, m.lines, "only a batch of our own log is passed over in silence")
		}
		return
	}
	var said statement
	require.NoError(p, json.Unmarshal(line, &said))
	require.Zero(p, said.Unaccounted)
	require.Empty(p, said.Error)
	c := said.Destinations[streamAccount]
	require.Equal(p, c.In, c.Delivered+sum(c.Dropped)+sum(c.Returned))
	require.Equal(p, p.lines, c.Delivered)
	failed := 0
	for _, v := range p.got {
		if v.Result == "ProcessingFailed" {
			failed++
		}
	}
	require.Equal(p, failed+unanswered, sum(c.Returned), "%v", c.Returned)
}
