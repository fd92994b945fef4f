package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/stack/owner"
)

// A function that is set up wrongly gives every event back, and says with each what is wrong.
func TestWrongConfiguration(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string
		says []string
	}{
		"no key":             {env: map[string]string{"DD_API_KEY": ""}, says: []string{"SLUICE_API_KEY", "missing"}},
		"an unknown setting": {env: map[string]string{"SLUICE_CONFIG": "destination: []"}, says: []string{"destination (line 1)", "destinations?"}},
		"two faults are told at once": {
			env:  map[string]string{"SLUICE_CONFIG": "destinations:\n- {id: a, type: http, url: 'ftp://192.0.2.1/'}\n- {id: a, type: carrier-pigeon}\n"},
			says: []string{"destinations[0].url", "destinations[1].type"},
		},
	} {
		for _, function := range []string{"cloudwatch", "kinesis"} {
			t.Run(name+", "+function, func(t *testing.T) {
				r := newRig(t, setup{function: function, env: tc.env, retries: 2})
				var failures []owner.Failure
				if function == "kinesis" {
					require.NoError(t, r.mapping.Drain(t.Context(), r.shard(3, 10)))
					failures = r.mapping.Failures
				} else {
					r.send(10)
					r.drain()
					failures = r.queue.Failures
				}

				require.Len(t, failures, 1)
				for _, text := range tc.says {
					assert.Contains(t, failures[0].Error, text)
				}
				assert.Equal(t, 3, failures[0].Attempts, "the process lived through all of them")
				assert.Equal(t, 1, r.function.Usage().Starts)
				assert.Empty(t, r.intake.Requests())
			})
		}
	}
}
