package forward

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// birdMembers are lines in which only the name of a member tells what is to be redacted, by what becomes of them under
// memberRules.
var birdMembers = map[string]string{
	`{"user":"a","password":"` + birdPassword + `","kept":"neighbour"}`:                 `{"user":"a","password":"***","kept":"neighbour"}`,
	`{"a":[{"password" : "` + birdPassword + ` b"}],"kept":1.0}`:                        `{"a":[{"password" : "*** b"}],"kept":1.0}`,
	`{"p\u0061ssword":"h\u0075nter2x4711"}`:                                             `{"p\u0061ssword":"***"}`,
	`{"passwords":["` + birdPassword + `","` + birdPassword + `"],"kept":["a"]}`:        `{"passwords":["***","***"],"kept":["a"]}`,
	`{"card":` + birdCard + `,"kept":"a"}`:                                              `{"card":"","kept":"a"}`,
	`{"a":{"Secret":{"b":["` + birdPassword + `",` + birdCard + `]}},"kept":{"c":{}}}`:  `{"a":{"Secret":"gone"},"kept":{"c":{}}}`,
	`{"body":"{\"secret\":\"` + birdPassword + `\",\"kept\":1.0}","kept":1.50}`:         `{"body":"{\"secret\":\"gone\",\"kept\":1.0}","kept":1.50}`,
	`{"user":{"key":["x` + birdCard + `",{"y":"` + birdCard + `"}]},"key":"neighbour"}`: `{"user":{"key":["x0",{"y":"0"}]},"key":"neighbour"}`,
	`{"secret":null,"kept":true}`:                                                       `{"secret":null,"kept":true}`,
	`neighbour password`:                                                                `neighbour password`,
}

const memberRules = `redact: [{name: across, pattern: '"?passwords?"?\W+\w+', replacement: '***'}, {name: greedy, pattern: '"card".*'},
	{name: member, member: secret, replacement: gone}, {name: path, attribute: user.key, pattern: '\d{16}', replacement: "0"}]`

// What the name of a member tells is redacted on every way, and nothing beside it is.
func TestCanaryOfMembers(t *testing.T) {
	lines := make([]string, 0, len(birdMembers))
	for line := range birdMembers {
		lines = append(lines, line)
	}
	for name, w := range birdWays() {
		for which, rules := range map[string]string{"top": memberRules, "route": `routes: [{tags: ["route:last"], ` + memberRules + `}]`} {
			for _, fate := range []string{"taken", "down", "all invalid"} {
				t.Run(name+", "+which+", "+fate, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						untilStart()
						r := newRig(t, aviary(rules, "")).ticking()
						r.intake.answer = birdFates[fate]
						_, ledger, err := r.invoke(t, w.handler, w.event(t, r, lines))
						require.NoError(t, err)
						for id, c := range ledger.Destinations {
							assert.Equal(t, tally{"redacted": len(lines) - 2}, c.Marked, id)
						}
						assert.Equal(t, map[string]int{"across": 5, "greedy": 1, "member": 2, "path": 2}, r.redactions(t))
						r.checkNoBird(t)
						r.sendAgain(t)
						r.checkNoBird(t)
						r.checkMembers(t)
					})
				})
			}
		}
	}
}

// checkMembers checks what destinations have got in the end.
func (r *rig) checkMembers(t *testing.T) {
	t.Helper()
	want := make([]string, 0, len(birdMembers))
	for _, line := range birdMembers {
		want = append(want, line)
	}
	for _, id := range aviaryIDs {
		assert.ElementsMatch(t, want, birdMessages(t, r.birdItems(t, id, false)), id)
	}
}
