package audit

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

// transformed is a ledger line of the transformation for the invocation of delivered.
func transformed(d stack.Destination) []stack.Ledger {
	return []stack.Ledger{{RequestID: "t", Destinations: map[string]stack.Destination{transformation: d}}}
}

// invoked are invocations of the transformation with payload "p".
func invoked(outcomes ...owner.Outcome) []owner.Delivery {
	history := delivered(outcomes...)
	for i := range history {
		history[i].RequestID = "t"
	}
	return history
}

func TestJoinOfAStream(t *testing.T) {
	two := transformed(stack.Destination{In: 2, Delivered: 2})
	for name, tc := range map[string]struct {
		lines      []generate.Line // "a" and "b" when nil
		intake     []intake.Entry
		stream     Stream
		failures   []owner.Failure
		want       string
		duplicates map[Class]int
		verdict    string
	}{
		"the endpoint took one line, the intake the other": {
			intake: arrived(9, "b"), stream: Stream{Entries: arrived(1, "a"), Ledgers: two, History: invoked(owner.Taken)},
			want: "ledger: in=2 delivered=2 dropped=0 parked=0 dead=0 returned=0 duplicates=0 lost=0",
		},
		"the endpoint's answer was lost, and Firehose sent the request again": {
			stream: Stream{Entries: together(unanswered(arrived(1, "a", "b")), arrived(2, "a", "b")), Ledgers: two, History: invoked(owner.Taken)},
			want:   "ledger: in=2 delivered=2 dropped=0 parked=0 dead=0 returned=0 duplicates=2 lost=0", duplicates: map[Class]int{D5: 2},
		},
		"every answer was lost, and Firehose wrote a failed object": {
			intake: arrived(9, "a", "b"),
			stream: Stream{Entries: unanswered(arrived(1, "a", "b")), Ledgers: two, History: invoked(owner.Taken)},
			want:   "ledger: in=2 delivered=2 dropped=0 parked=0 dead=0 returned=0 duplicates=2 lost=0", duplicates: map[Class]int{D5: 2},
		},
		"a line that the endpoint took with an answer has no business in an object": {
			intake: arrived(9, "a"),
			stream: Stream{Entries: arrived(1, "a", "b"), Ledgers: two, History: invoked(owner.Taken)},
			want:   "ledger: in=2 delivered=2 dropped=0 parked=0 dead=0 returned=0 duplicates=1 lost=0", duplicates: map[Class]int{Unexplained: 1},
			verdict: "1 unexplained, such as event id-a",
		},
		"a transformation that ended does not deliver": {
			stream:     Stream{Entries: arrived(1, "a", "a", "b"), Ledgers: two, History: invoked(owner.Ended, owner.Taken)},
			want:       "ledger: in=2 delivered=2 dropped=0 parked=0 dead=0 returned=0 duplicates=1 lost=0",
			duplicates: map[Class]int{Unexplained: 1}, verdict: "1 unexplained",
		},
		"but it may have put its records back": {
			stream:     Stream{Entries: arrived(1, "a", "a", "b"), Ledgers: two, History: invoked(owner.Ended, owner.Taken), Reingest: true},
			want:       "ledger: in=2 delivered=2 dropped=0 parked=0 dead=0 returned=0 duplicates=1 lost=0",
			duplicates: map[Class]int{D5: 1},
		},
		"both of which may come by an object": {
			intake:     arrived(9, "a", "a", "b"),
			stream:     Stream{Ledgers: two, History: invoked(owner.Ended, owner.Taken), Reingest: true},
			want:       "ledger: in=2 delivered=2 dropped=0 parked=0 dead=0 returned=0 duplicates=1 lost=0",
			duplicates: map[Class]int{D5: 1},
		},
		"three copies are one more than it may have put back": {
			intake:     arrived(9, "a", "b"),
			stream:     Stream{Entries: arrived(1, "a", "a"), Ledgers: two, History: invoked(owner.Ended, owner.Taken), Reingest: true},
			want:       "ledger: in=2 delivered=2 dropped=0 parked=0 dead=0 returned=0 duplicates=2 lost=0",
			duplicates: map[Class]int{D5: 1, Unexplained: 1}, verdict: "1 unexplained",
		},
		"Firehose gave a batch up": {
			stream:   Stream{Ledgers: two, History: invoked(owner.Taken)},
			failures: []owner.Failure{{Payloads: []string{"p"}}},
			want:     "ledger: in=2 delivered=0 dropped=0 parked=0 dead=0 returned=2 duplicates=0 lost=0",
		},
		"a line that Firehose got is gone": {
			stream: Stream{Entries: arrived(1, "a"), Ledgers: two, History: invoked(owner.Taken)},
			want:   "ledger: in=2 delivered=1 dropped=0 parked=0 dead=0 returned=0 duplicates=0 lost=1", verdict: "1 lost, such as event id-b",
		},
		"the transformation overstates": {
			lines:  lines("a"),
			stream: Stream{Entries: arrived(1, "a"), Ledgers: two, History: invoked(owner.Taken)},
			want:   "ledger: in=1 delivered=1 dropped=0 parked=0 dead=0 returned=0 duplicates=0 lost=0", verdict: "counts 2 lines given to Firehose, only 1",
		},
		"what an answer that was not read said does not count": {
			lines:  lines("a"),
			stream: Stream{Entries: arrived(1, "a"), Ledgers: two, History: invoked(owner.Ended)},
			want:   "ledger: in=1 delivered=1 dropped=0 parked=0 dead=0 returned=0 duplicates=0 lost=0",
		},
		"the ledger of the transformation does not add up": {
			lines: lines("a"),
			stream: Stream{
				Entries: arrived(1, "a"), Ledgers: transformed(stack.Destination{In: 2, Delivered: 1}), History: invoked(owner.Taken),
			},
			want: "ledger: in=1 delivered=1 dropped=0 parked=0 dead=0 returned=0 duplicates=0 lost=0", verdict: "destination firehose: in is not",
		},
		"a transformation without a ledger line": {
			lines:  lines("a"),
			stream: Stream{Entries: arrived(1, "a"), History: invoked(owner.Taken)},
			want:   "ledger: in=1 delivered=1 dropped=0 parked=0 dead=0 returned=0 duplicates=0 lost=0", verdict: "1 transformations finished, 0 printed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.lines == nil {
				tc.lines = lines("a", "b")
			}
			if tc.duplicates == nil {
				tc.duplicates = map[Class]int{}
			}

			got := Join(Evidence{Destination: "dd", Lines: tc.lines, Entries: tc.intake, Failures: tc.failures, Stream: &tc.stream})

			assert.Equal(t, tc.want, got.String())
			assert.Equal(t, tc.duplicates, got.Duplicates)
			if tc.verdict == "" {
				require.NoError(t, got.Verdict())
				return
			}
			require.ErrorContains(t, got.Verdict(), tc.verdict)
		})
	}
}
