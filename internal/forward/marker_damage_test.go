package forward

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// withDamage keeps a large object of parts, whose middle one cannot be read, and returns the lines of the others. Its
// records are the lines, and one for the damage, which is behind the first half of them.
func withDamage(t *testing.T, r *rig, parts, linesOfPart int) (o *s3Object, lines []string) {
	t.Helper()
	var body []byte
	for part := range parts {
		if part == parts/2 {
			body = append(body, packed(t, documentOf(t, "OTHER", "shop", canary))...)
		}
		some := someLines(fmt.Sprintf("part%d", part), linesOfPart)
		for i := range some {
			some[i] += strings.Repeat(".", 1<<10)
		}
		lines = append(lines, some...)
		body = append(body, stored(t, document(t, some...))...)
	}
	require.Greater(t, len(body), markedBytes)
	o = r.s3.put(logBucket, "backup/a", body)
	o.slow = time.Second
	return o, lines
}

// A marker does not pass a damaged place of which no note could be written: the message comes again, the place is met
// again, and noted.
func TestMarkerStopsAtDamageThatCannotBeNoted(t *testing.T) {
	for name, refused := range map[string]string{"for one destination": "a", "for the last of them": "b"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				const parts, linesOfPart = 10, 500
				r := newRig(t, twoHTTP("")).ticking()
				o, lines := withDamage(t, r, parts, linesOfPart)
				r.s3.refusePutTo = refused
				answer, ledger, err := r.invoke(t, S3, inQueue(native(o)))
				require.NoError(t, err)
				require.JSONEq(t, failedMessages(0), answer)
				assert.Equal(t, tally{"undecodable": 1}, ledger.Destinations[refused].Returned)
				marks := r.progress(t)
				require.Len(t, marks, 1, "it was marked on its way")
				assert.Positive(t, marks[0].Line)
				assert.LessOrEqual(t, marks[0].Line, parts*linesOfPart/2, "nothing behind the damage is marked")

				again := newRig(t, twoHTTP("")).ticking()
				again.s3, r.s3.refusePutTo, o.slow = r.s3, "", 0
				answer, _, err = again.invoke(t, S3, receivedFor(2, native(o)))
				require.NoError(t, err)
				require.JSONEq(t, allTaken, answer)
				for _, id := range []string{"a", "b"} {
					notes := again.pointersFor(t, "dead", id)
					require.Len(t, notes, 1, "the damage is noted for %s", id)
					assert.Equal(t, "undecodable", notes[0].Reason.Code)
					sent := append(r.intake.taken(t, hostOfLane(id)), again.intake.taken(t, hostOfLane(id))...)
					slices.Sort(sent)
					want := slices.Sorted(slices.Values(lines))
					assert.True(t, slices.Equal(want, slices.Compact(sent)), "every line that can be read is at %s", id)
				}
			})
		})
	}
}

// A marker passes damage that is noted: without that the test above would show nothing.
func TestMarkerPassesDamageThatIsNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		const parts, linesOfPart = 10, 500
		r := newRig(t, twoHTTP("")).ticking()
		o, _ := withDamage(t, r, parts, linesOfPart)
		answer, _, err := r.invoke(t, S3, inQueue(native(o)))
		require.NoError(t, err)
		require.JSONEq(t, allTaken, answer)
		marks := r.progress(t)
		require.Len(t, marks, 1)
		assert.Equal(t, parts*linesOfPart+1, marks[0].Line)
	})
}
