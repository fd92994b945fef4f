package forward

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/config"
)

// flowsOf is a payload of so many lines of a flow log, each with two addresses.
func flowsOf(lines int) []byte {
	r := rand.New(rand.NewPCG(7, 8))
	list := make([]string, lines)
	for i := range list {
		list[i] = vpcLine(r, i)
	}
	return flowPayload(list...)
}

// adorned is how many items have attributes.
func adorned(all []verdict) (items []int) {
	for _, v := range all {
		items = append(items, strings.Count(v.text(), `,"attrs":{`))
	}
	return items
}

// Attributes cost no record its place in the answer: they are left out of a record that they make too large, and of all
// records when the answer has no room for all of them. What was done twice then is counted once.
func TestFirehoseAttributesWithoutRoom(t *testing.T) {
	huge, large, small := flowsOf(1_690), flowsOf(1_000), flowsOf(2)
	full := []byte(sized(1_000_000))
	far := flowsOf(4_000) // too large with and without
	for name, tc := range map[string]struct {
		records [][]byte
		results []string
		adorned []int // items with attributes
	}{
		"what fits":                         {[][]byte{small, large, small}, []string{ok, ok, ok}, []int{2, 1_000, 2}},
		"a record that is too large":        {[][]byte{small, huge, small}, []string{ok, ok, ok}, []int{2, 0, 2}},
		"a record that is too large anyway": {[][]byte{small, far, small}, []string{ok, failed, ok}, []int{2, 0, 2}},
		"a full answer":                     {[][]byte{large, small, large, large, large, large, large}, []string{ok, ok, ok, ok, ok, ok, ok}, []int{0, 0, 0, 0, 0, 0, 0}},
		"an answer that is full anyway": {
			[][]byte{huge, huge, huge, huge, huge, huge, huge, small}, []string{ok, ok, ok, ok, failed, failed, failed, ok}, []int{0, 0, 0, 0, 0, 0, 0, 0},
		},
		"full of what has no attributes": {
			[][]byte{full, full, full, full, []byte("x"), []byte(sized(200_000))},
			[]string{ok, ok, ok, ok, ok, failed},
			[]int{0, 0, 0, 0, 0, 0},
		},
	} {
		for _, form := range []config.Output{config.OutputJSON, config.OutputDatadog} {
			t.Run(name+", "+string(form), func(t *testing.T) {
				event := transformationOf("", puts(tc.records...))
				answer, with, r := roomFor(t, form, "aws", event)
				got := verdicts(t, answer)
				assert.Equal(t, tc.results, resultsOf(got))
				assert.Equal(t, tc.adorned, adorned(got))
				for _, v := range got {
					itemsOf(t, v.text())
				}
				again, _, err := r.invoke(t, Firehose, event)
				require.NoError(t, err)
				assert.Equal(t, answer, again, "the next batch is read like the first")

				bare, without, off := roomFor(t, form, "off", event)
				assert.Equal(t, resultsOf(verdicts(t, bare)), resultsOf(got))
				assert.Equal(t, without, with, "the counts are the same")
				assert.Equal(t, off.redactions(t), r.redactions(t))
				if slices.Max(tc.adorned) == 0 {
					assert.Equal(t, bare, answer, "byte for byte")
				}
			})
		}
	}
}

// roomFor is the answer to an event with these attributes.
func roomFor(t *testing.T, form config.Output, attributes string, event []byte) (answer string, said statement, r *rig) {
	t.Helper()
	r = newStreamRig(t, map[string]string{
		"SLUICE_FIREHOSE_OUTPUT": string(form), "SLUICE_ATTRIBUTES": attributes, "SLUICE_EVENT_ID": "none",
		"SLUICE_CONFIG": `{redact: [{name: port, pattern: ' 443 ', replacement: ' 80 '}]}`,
	})
	answer, said, err := r.invoke(t, Firehose, event)
	require.NoError(t, err)
	require.LessOrEqual(t, len(answer), answerBudget)
	return answer, said, r
}

// Whatever is in a batch, its records have the results that they have without attributes, and so have the counts.
func TestFirehoseAttributesProperty(t *testing.T) {
	m := newMaker(3)
	for i := range 3 {
		data := flowsOf(700 + 300*i)
		m.big = append(m.big, made{put: put{data: data}}, made{put: put{data: m.packed(data)}})
	}
	without := 0
	for i := range 24 {
		batch := m.batch()
		if i%2 == 0 {
			batch = m.bigBatch()
		}
		event := transformationOf("", putsOf(batch))
		form := []config.Output{config.OutputJSON, config.OutputDatadog}[i/2%2]
		answer, with, r := roomFor(t, form, "aws", event)
		bare, off, plain := roomFor(t, form, "off", event)
		got := verdicts(t, answer)
		require.Equal(t, resultsOf(verdicts(t, bare)), resultsOf(got), "batch %d of seed 3", i)
		require.Equal(t, off, with)
		require.Equal(t, plain.redactions(t), r.redactions(t))
		if r.transformer.bare {
			without++
		}
	}
	assert.Positive(t, without, "some have no room")
}

// What is read twice, for the stream and for the destinations, is counted once, and what Firehose keeps is counted when it
// comes from there.
func TestTeeCountsOnce(t *testing.T) {
	texts := []string{"from 192.0.2.1 to 192.0.2.2\nby a@example.com", string(documentOf(t, "DATA_MESSAGE", "shop", "192.0.2.3", "plain"))}
	for name, tc := range map[string]struct{ last, want string }{
		"records that stay": {"192.0.2.4", "map[redact_email:1 redact_ip:4] {2}"},
		"one that fails":    {"192.0.2.4\n" + strings.Repeat("x", maxTransformedBytes), "map[redact_email:1 redact_ip:3] {2}"},
	} {
		t.Run(name, func(t *testing.T) {
			event := transformationOf("", putTexts(append(texts, tc.last)...))
			var said [2]string
			for i, tee := range []string{"false", "true"} {
				r := newStreamRig(t, map[string]string{
					"SLUICE_FIREHOSE_TEE": tee, "SLUICE_REDACT_IP": "true", "SLUICE_REDACT_EMAIL": "true", "SLUICE_FETCH_LOG_GROUP_TAGS": "true",
					"SLUICE_CONFIG": twoHTTP(""),
				})
				_, _, err := r.invoke(t, Firehose, event)
				require.NoError(t, err)
				var lines struct{ LinesUntagged int }
				require.NoError(t, json.Unmarshal(r.out.Bytes(), &lines))
				said[i] = fmt.Sprint(r.redactions(t), lines)
			}
			assert.Equal(t, tc.want, said[0])
			assert.Equal(t, said[0], said[1])
		})
	}
}

// A record that goes back into the stream goes once, also when the batch is read again without attributes.
func TestReingestWithAttributes(t *testing.T) {
	s := &streams{}
	r := newReingestRig(t, config.OutputJSON, s)
	full := []byte(sized(1_000_000))
	answer, ledger, err := r.invoke(t, Firehose, transformationOf("", puts(full, full, full, full, []byte(sized(300_000)), flowsOf(60), flowsOf(130))))
	require.NoError(t, err)
	got := verdicts(t, answer)
	assert.Equal(t, []string{ok, ok, ok, ok, dropped, ok, ok}, resultsOf(got))
	assert.Zero(t, slices.Max(adorned(got)), "there is no room for attributes")
	assert.Len(t, s.packed, 1)
	assert.Equal(t, 4+60+130, ledger.Destinations[streamAccount].Delivered)
	assert.Equal(t, map[string]int{"reingested": 1}, ledger.Destinations[streamAccount].Returned)
}
