package forward

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// birdFates are what destinations do with requests.
var birdFates = map[string]func(received) int{
	"taken":           nil,
	"down":            always503,
	"all invalid":     func(received) int { return http.StatusBadRequest },
	"the key refused": func(received) int { return http.StatusForbidden },
	"too large": func(got received) int { // until each item comes alone
		if strings.Count(string(got.body), `"message":`) > 1 {
			return http.StatusRequestEntityTooLarge
		}
		return http.StatusAccepted
	},
	"one invalid": func(got received) int { // which is searched for
		if strings.Contains(string(got.body), "neighbour between") {
			return http.StatusBadRequest
		}
		return http.StatusAccepted
	},
}

// What is to be redacted is nowhere, on whatever way it came, in whatever form it is sent, whatever destinations do with it,
// and when it is sent again.
func TestCanary(t *testing.T) {
	for name, w := range birdWays() {
		for which, rules := range birdRules {
			for fate, answer := range birdFates {
				t.Run(name+", "+which+", "+fate, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						untilStart()
						r := newRig(t, aviary(rules, "")).ticking()
						r.intake.answer = answer
						_, ledger, err := r.invoke(t, w.handler, w.event(t, r, birdLines()))
						require.NoError(t, err)
						r.checkFate(t, ledger, answer == nil)
						r.sendAgain(t)
						r.checkNoBird(t)
						r.checkNeighbours(t)
					})
				})
			}
		}
	}
}

// checkFate holds an invocation to what its line says, and looks for what should not be in anything it has made.
func (r *rig) checkFate(t *testing.T, ledger statement, taken bool) {
	t.Helper()
	sensitive := len(birdLines()) - len(birdNeighbours())
	require.Len(t, ledger.Destinations, len(aviaryIDs))
	for id, c := range ledger.Destinations {
		assert.Equal(t, []int{len(birdLines()), len(birdLines())}, []int{c.In, c.Delivered + sum(c.Parked)}, id)
		if taken {
			assert.Equal(t, c.In, c.Delivered, id)
		}
		assert.Equal(t, tally{"redacted": sensitive}, c.Marked, id)
		assert.Len(t, r.parkedFor(t, id), sum(c.Parked), id)
		birdMessages(t, r.parkedFor(t, id))
	}
	counts := r.redactions(t)
	assert.Equal(t, birdRuleNames, slices.Sorted(maps.Keys(counts)))
	for name, n := range counts {
		assert.GreaterOrEqual(t, n, sensitive, name)
	}
	r.checkNoBird(t)
}

// sendAgain has all that is parked delivered.
func (r *rig) sendAgain(t *testing.T) {
	t.Helper()
	r.drain(t)
	_, _, err := r.replays(t, `{"replay":{"state":"dead","dry_run":false}}`)
	require.NoError(t, err)
	require.Empty(t, r.s3.keysBelow("sluice/v1/dead/"))
}

// An event that goes back to its owner leaves nothing behind: not in the error, nor in what we say.
func TestCanaryOfWhatIsReturned(t *testing.T) {
	for name, w := range birdWays() {
		for which, rules := range birdRules {
			t.Run(name+", "+which, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					untilStart()
					r := newRig(t, strings.Replace(aviary(rules, ""), "park_bucket: example-parked, ", "", 1)).ticking()
					r.intake.answer = always503
					answer, ledger, err := r.invoke(t, w.handler, w.event(t, r, birdLines()))
					if err != nil {
						assert.False(t, holdsBird(err.Error()), err)
					}
					assert.False(t, holdsBird(answer), answer)
					assert.Equal(t, len(birdLines()), sum(ledger.Destinations["dd"].Returned))
					r.checkNoBird(t)
				})
			})
		}
	}
}

// A text that is cut, or sent in parts, is redacted before: no part of a canary is left at an edge. (A line that a source
// has cut already, of more than 1 MiB in an object, is looked at part by part.)
func TestCanaryOfWhatIsTooLarge(t *testing.T) {
	short, _, _ := strings.Cut(birds, " password")
	large := []string{
		strings.Repeat(short+"\v\v\v\v\v\v\v\v\v\v", 12_200) + "password=" + birdPassword,
		`{"a":"` + strings.Repeat(hiddenBirds+`\b\b\b\b\b\b\b\b\b\t`, 3_300) + `","b":"` + birds + `"}`,
		"neighbour",
	}
	ways := birdWays()
	for _, name := range []string{"CloudWatch", "Kinesis, lines", "S3 by a queue", "S3, what Firehose could not deliver"} {
		w := ways[name]
		for _, oversize := range []string{"truncate", "split"} {
			t.Run(name+", "+oversize, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					untilStart()
					document := strings.ReplaceAll(aviary(birdRules["all at the top"], ""), "type: datadog,", "type: datadog, oversize: "+oversize+",")
					document = strings.ReplaceAll(document, "type: http,", "type: http, max_record_bytes: 5000, oversize: "+oversize+",")
					r := newRig(t, document).ticking()
					r.intake.answer = always503
					_, ledger, err := r.invoke(t, w.handler, w.event(t, r, large))
					require.NoError(t, err)
					r.checkTooLarge(t, ledger, oversize)
					r.sendAgain(t)
					r.checkNoBird(t)
					for _, id := range aviaryIDs {
						last := r.birdItems(t, id, false)
						assert.Equal(t, 1, countOf(last, `"message":"neighbour"`), id)
					}
				})
			})
		}
	}
}

// checkTooLarge checks that large lines were cut or split, and are redacted.
func (r *rig) checkTooLarge(t *testing.T, ledger statement, oversize string) {
	t.Helper()
	mark := map[string]string{"truncate": "truncated", "split": "chunked"}[oversize]
	for id, c := range ledger.Destinations {
		assert.GreaterOrEqual(t, c.Marked[mark], 1, id)
	}
	r.checkNoBird(t)
}

// countOf counts the items that hold a text.
func countOf(items [][]byte, text string) (n int) {
	for _, item := range items {
		if strings.Contains(string(item), text) {
			n++
		}
	}
	return n
}

// The rest of an object is parked as a pointer, and what is read again is redacted again.
func TestCanaryOfPointers(t *testing.T) {
	for which, rules := range birdRules {
		t.Run(which, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP(rules+", ")).ticking()
				lines := someLines(birds, 2000)
				o := r.s3.slowly("a.log", lines)
				o.slow = time.Second // attempts are repeated for a while
				r.intake.answer = failingFrom(3, "a.example.com", 503)
				_, _, err := r.invoke(t, S3, inQueue(native(o)))
				require.NoError(t, err)
				require.NotEmpty(t, r.pointersFor(t, "pending", "a"))
				r.checkNoBird(t)
				r.drain(t)
				r.checkNoBird(t)
				assert.Len(t, r.intake.taken(t, "a.example.com"), len(lines))
				assert.Len(t, r.intake.taken(t, "b.example.com"), len(lines))
			})
		})
	}
}

// An event that Lambda has kept of a failed invocation is redacted when it is forwarded.
func TestCanaryOfFailures(t *testing.T) {
	for which, rules := range birdRules {
		t.Run(which, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, aviary(rules, "")).ticking()
				r.failed(1, asyncFailure(logsFunctionARN, direct(packed(t, document(t, birdLines()...)))))
				_, _, err := r.replays(t, "{}")
				require.NoError(t, err)
				require.Empty(t, r.s3.keysBelow("aws/"), "what Lambda has kept is deleted")
				r.checkNoBird(t)
				r.checkNeighbours(t)
			})
		})
	}
}

// The search finds what it is to find, or the tests here show nothing.
func TestCanaryIsFound(t *testing.T) {
	for name, w := range birdWays() {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, aviary("redact_email: true", ""))
			_, _, err := r.invoke(t, w.handler, w.event(t, r, birdLines()))
			require.NoError(t, err)
			for _, id := range aviaryIDs {
				found := 0
				for _, item := range r.birdItems(t, id, false) {
					assert.True(t, json.Valid(item))
					if holdsBird(string(item)) {
						found++
					}
				}
				assert.Equal(t, len(birdLines())-len(birdNeighbours()), found, id)
			}
		})
	}
	for _, text := range []string{
		birds, hiddenBirds, quoted(quoted(hiddenBirds)), "a192.0.2.7", birdForms[0], "x" + birdForms[len(birdForms)-1], quoted(`"` + birdPassword),
	} {
		assert.True(t, holdsBird(text), text)
	}
	assert.False(t, holdsBird("xxx.xxx.xxx.xxx xxxxx@xxxxx.com password=***"))
}
