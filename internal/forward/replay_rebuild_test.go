package forward

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/compress"
)

// A bug that is met while a parked object is cut into batches costs no line and no account: what is on its way is waited
// for, the object stays, and the other destinations get theirs.
func TestReplayPanicBetweenBatches(t *testing.T) {
	for at := 1; at <= 4; at++ {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP("")).ticking()
				keys := r.shelve(t, stock{dest: "a", id: "X", due: -time.Minute, messages: few("x", 200)}, stock{dest: "b", id: "Z", messages: few("z", 3)})
				codec, n := r.lanes[0].options.Codec, 0
				r.lanes[0].options.Codec = func() compress.Codec {
					if n++; n == at {
						panic("boom " + canary)
					}
					return codec()
				}
				got, ledger, err := r.replays(t, `{"replay":{}}`)
				require.NoError(t, err)
				assert.Contains(t, got.Destinations["a"].Stopped, "panic")
				a := ledger.Destinations["a"]
				assert.Equal(t, 200, a.In)
				assert.Equal(t, tally{"panic": 200 - a.Delivered}, a.Returned)
				assert.Len(t, r.intake.taken(t, "a.example.com"), a.Delivered)
				assert.Equal(t, keys[:1], r.s3.keysBelow("sluice/v1/pending/"), "it stays")
				assert.Len(t, r.intake.taken(t, "b.example.com"), 3)
			})
		})
	}
}
