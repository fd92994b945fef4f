package forward

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Events are joined within their payload where the settings say so, by whatever way the payload comes.
func TestEventsAreJoinedOnEveryWay(t *testing.T) {
	payloads := [][]byte{of(t, ownAccount, "2024 a", " b", "2025 c"), of(t, ownAccount, " d", "2026 e", " f")}
	apart := []string{"2024 a", " b", "2025 c", " d", "2026 e", " f"}
	together := []string{"2024 a\n b", "2025 c", " d", "2026 e\n f"}
	ways := channels()
	ways["transformation"], ways["tee"] = throughItems, throughTee
	for name, tc := range map[string]struct {
		env  map[string]string
		want []string
	}{
		"no setting":        {nil, apart},
		"for objects alone": {map[string]string{"SLUICE_MULTILINE_START": `\d{4} `}, apart},
		"for events too":    {map[string]string{"SLUICE_MULTILINE_START": `\d{4} `, "SLUICE_MULTILINE_EVENTS": "true"}, together},
		"a route":           {map[string]string{"SLUICE_CONFIG": with(`routes: [{log_group: '*', multiline_start: '\d{4} '}]`, httpWith(""))}, together},
		"a route by source": {map[string]string{"SLUICE_CONFIG": with(`routes: [{from_source: cloudwatch, multiline_start: '\d{4} '}]`, httpWith(""))}, together},
		"another route": {map[string]string{
			"SLUICE_CONFIG":          with(`routes: [{log_group: '*'}, {owner: '*', multiline_start: '\d{4} '}]`, httpWith("")),
			"SLUICE_MULTILINE_START": `\d{4} `, "SLUICE_MULTILINE_EVENTS": "true",
		}, apart},
	} {
		for way, through := range ways {
			t.Run(name+"/"+way, func(t *testing.T) {
				env := maps.Clone(tc.env)
				if env == nil {
					env = map[string]string{}
				}
				got, c := through(t, env, payloads)
				assert.Equal(t, tc.want, got)
				assert.Equal(t, len(tc.want), c.Delivered)
			})
		}
	}
}

// throughItems takes payloads through the transformation, and returns the messages of its items.
func throughItems(t *testing.T, env map[string]string, payloads [][]byte) (messages []string, c counts) {
	t.Helper()
	env["SLUICE_FIREHOSE_OUTPUT"] = "json"
	all, c := newStreamRig(t, env).transformAll(t, puts(payloads...))
	for _, v := range all {
		require.Equal(t, ok, v.Result)
		for line := range strings.Lines(v.text()) {
			var item struct{ Message string }
			require.NoError(t, json.Unmarshal([]byte(line), &item))
			messages = append(messages, item.Message)
		}
	}
	return messages, c
}

// throughTee takes payloads through the transformation to a destination.
func throughTee(t *testing.T, env map[string]string, payloads [][]byte) (messages []string, c counts) {
	t.Helper()
	env["SLUICE_FIREHOSE_OUTPUT"], env["SLUICE_FIREHOSE_TEE"] = "original", "true"
	if env["SLUICE_CONFIG"] == "" {
		env["SLUICE_CONFIG"] = httpWith("")
	}
	r := newStreamRig(t, env)
	_, ledger, err := r.invoke(t, Firehose, transformationOf("", puts(payloads...)))
	require.NoError(t, err)
	return r.intake.messages(t, archiveHost), ledger.Destinations["archive"]
}

// What cannot be read of a record is told behind what was joined before it, and what can be read goes on behind that.
func TestEventsAreJoinedAroundDamage(t *testing.T) {
	bad := broken(packed(t, document(t, "start one", " of it", "start two", " of it")), -8)
	good := packed(t, document(t, "start three", " of it"))
	r := newRig(t, with("multiline_start: start, multiline_events: true", parkingBoth))
	r.comesTo(t, inQueue(native(r.s3.put(logBucket, "errors/processing-failed/a", []byte(envelopeOf(bad)+envelopeOf(good))))), ending{
		answer: allTaken, parked: tally{"undecodable": 1}, gets: 1,
		lines: []string{"start one\n of it", "start two\n of it", "start three\n of it"},
	})
	got, c := newStreamRig(t, map[string]string{
		"SLUICE_FIREHOSE_OUTPUT": "message", "SLUICE_MULTILINE_START": "start", "SLUICE_MULTILINE_EVENTS": "true",
	}).transformAll(t, puts(good, bad, good))
	assert.Equal(t, []string{ok, failed, ok}, resultsOf(got))
	assert.Equal(t, 2, c.Delivered)
}
