package audit

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

// entriesOf are the lines of an object as an intake takes them: no id of the source is in them.
func entriesOf(o generate.Object, second int) []intake.Entry {
	var list []intake.Entry
	for line := range strings.SplitSeq(strings.TrimSuffix(string(o.Body), "\n"), "\n") {
		list = append(list, intake.Entry{Message: line, At: at(second), Batch: "b", Answered: true})
	}
	return list
}

func TestLinesOfObjectsAreFoundByTheirMarks(t *testing.T) {
	g := generate.New(1, start)
	for name, style := range map[string]generate.Style{"JSON": generate.JSONLines(generate.Mixed), "text": generate.ALB} {
		t.Run(name, func(t *testing.T) {
			o := g.Object(20, style)
			entries := entriesOf(o, 1)
			entries[3].Message = strings.Replace(entries[3].Message, "1", "2", 1)
			changed := entries[3].Message
			entries[4].Message = "a stranger"

			r := Join(Evidence{Destination: "dd", Lines: o.Lines, Entries: entries})

			assert.Equal(t, 18, r.Delivered, "but for %q", changed)
			assert.Equal(t, 2, r.Lost)
			assert.Equal(t, 2, r.Corrupted+r.Unknown, "a changed byte may be in the mark")
		})
	}
}

func TestDuplicatesOfAnnouncedObjects(t *testing.T) {
	o := generate.New(1, start).Object(3, generate.ALB)
	// announced is a delivery ten seconds after the one before, which names the object so many times.
	announced := func(times ...int) []owner.Delivery {
		var history []owner.Delivery
		for i, n := range times {
			d := owner.Delivery{Attempt: i + 1, Started: at(10 * i), Finished: at(10*i + 9), Outcome: owner.Taken}
			for range n {
				d.Payloads = append(d.Payloads, o.ID)
			}
			history = append(history, d)
		}
		return history
	}
	ledgers := []stack.Ledger{
		{RequestID: "1", Destinations: map[string]stack.Destination{"dd": {}}},
		{RequestID: "2", Destinations: map[string]stack.Destination{"dd": {}}},
	}
	for name, tc := range map[string]struct {
		entries [][]intake.Entry
		history []owner.Delivery
		want    map[Class]int
	}{
		"announced twice in one batch": {
			entries: [][]intake.Entry{entriesOf(o, 1), entriesOf(o, 2)}, history: announced(2), want: map[Class]int{D4: 3},
		},
		"announced twice, delivered once": {
			entries: [][]intake.Entry{entriesOf(o, 1)}, history: announced(2), want: map[Class]int{},
		},
		"announced twice, delivered three times": {
			entries: [][]intake.Entry{entriesOf(o, 1), entriesOf(o, 2), entriesOf(o, 3)}, history: announced(2),
			want: map[Class]int{D4: 3, Unexplained: 3},
		},
		"announced in two batches": {
			entries: [][]intake.Entry{entriesOf(o, 1), entriesOf(o, 11)}, history: announced(1, 1), want: map[Class]int{D4: 3},
		},
		"announced twice and lost an answer": {
			entries: [][]intake.Entry{unanswered(entriesOf(o, 1)), entriesOf(o, 2), entriesOf(o, 3)}, history: announced(2),
			want: map[Class]int{D4: 3, D2: 3},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := Join(Evidence{
				Destination: "dd", Lines: o.Lines, Entries: together(tc.entries...), History: tc.history,
				Ledgers: ledgers[:len(tc.history)],
			})
			require.Equal(t, 3, r.Delivered)
			assert.Equal(t, tc.want, r.Duplicates)
		})
	}
}

// What is missing of an object has to be covered by a pointer: that something was parked excuses no other line.
func TestPointersInTheParkStore(t *testing.T) {
	o := generate.New(1, start).Object(4, generate.ALB)
	all, parked := entriesOf(o, 1), map[string]int{"corrupt": 1}
	for name, tc := range map[string]struct {
		entries []intake.Entry
		store   ParkStore
		claimed map[string]int
		ended   bool
		want    Report // its counts
		verdict string
	}{
		"the rest of an object": {
			entries: all[:2], store: ParkStore{Objects: 1, Dead: o.Lines[2:]}, claimed: parked,
			want: Report{Delivered: 2, Dead: 2},
		},
		"a line between what arrived and what is parked": {
			entries: all[:2], store: ParkStore{Objects: 1, Dead: o.Lines[3:]}, claimed: parked,
			want: Report{Delivered: 2, Dead: 1, Lost: 1}, verdict: "1 lost",
		},
		"a pointer without lines": {
			entries: all, store: ParkStore{Objects: 1}, claimed: parked, want: Report{Delivered: 4},
		},
		"a line that is parked and delivered": {
			entries: all[:3], store: ParkStore{Objects: 1, Dead: o.Lines[2:]}, claimed: parked,
			want: Report{Delivered: 3, Dead: 1}, verdict: "the park store holds it without a cause",
		},
		"parked, as the function says": {
			entries: all, claimed: parked, want: Report{Delivered: 4}, verdict: "counts 1 pointers parked, the store holds 0",
		},
		"parked without a word": {
			entries: all[:2], store: ParkStore{Objects: 1, Dead: o.Lines[2:]},
			want: Report{Delivered: 2, Dead: 2}, verdict: "counts 0 pointers parked, the store holds 1",
		},
		"parked by a process that was killed then": {
			entries: all[:2], store: ParkStore{Objects: 1, Dead: o.Lines[2:]}, ended: true,
			want: Report{Delivered: 2, Dead: 2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := stack.Destination{In: len(tc.entries) + len(tc.claimed), Delivered: len(tc.entries), Parked: tc.claimed}
			history := []owner.Delivery{{Payloads: []string{o.ID}, Attempt: 1, Started: at(0), Finished: at(9), Outcome: owner.Taken}}
			if tc.ended {
				history[0].Outcome = owner.Ended
			}
			r := Join(Evidence{
				Destination: "dd", Lines: o.Lines, Entries: tc.entries, Ledgers: counted(d), History: history, Parked: &tc.store,
			})
			assert.Equal(t, [3]int{tc.want.Delivered, tc.want.Dead, tc.want.Lost}, [3]int{r.Delivered, r.Dead, r.Lost})
			if tc.verdict == "" {
				require.NoError(t, r.Verdict())
				return
			}
			require.ErrorContains(t, r.Verdict(), tc.verdict)
		})
	}
}
