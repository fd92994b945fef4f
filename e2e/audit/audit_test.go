package audit

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

var start = time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }

// Lines of payload "p", told apart by their text.
func lines(texts ...string) []generate.Line {
	var list []generate.Line
	for _, text := range texts {
		line := generate.Line{Payload: "p", EventID: "id-" + text, Message: text}
		if text == "" {
			line.Rule = generate.RuleEmptyLine
		}
		list = append(list, line)
	}
	return list
}

func arrived(second int, texts ...string) []intake.Entry {
	var list []intake.Entry
	for _, text := range texts {
		list = append(list, intake.Entry{Message: text, ID: "id-" + text, At: at(second), Batch: "b", Answered: true})
	}
	return list
}

func unanswered(entries []intake.Entry) []intake.Entry {
	for i := range entries {
		entries[i].Answered = false
	}
	return entries
}

func inBatch(batch string, entries []intake.Entry) []intake.Entry {
	for i := range entries {
		entries[i].Batch = batch
	}
	return entries
}

func together(parts ...[]intake.Entry) []intake.Entry {
	var all []intake.Entry
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

// delivered says that payload "p" was handed over at these seconds, each with its outcome.
func delivered(outcomes ...owner.Outcome) []owner.Delivery {
	var history []owner.Delivery
	for i, outcome := range outcomes {
		history = append(history, owner.Delivery{
			Payloads: []string{"p"}, Attempt: i + 1, Started: at(10 * i), Finished: at(10*i + 9), Outcome: outcome,
		})
	}
	return history
}

func streamed(history []owner.Delivery) []owner.Delivery {
	for i := range history {
		history[i].Stream = true
	}
	return history
}

func counted(d stack.Destination) []stack.Ledger {
	return []stack.Ledger{{RequestID: "r", Destinations: map[string]stack.Destination{"dd": d}}}
}

func TestJoin(t *testing.T) {
	all := counted(stack.Destination{In: 2, Delivered: 2})
	twice := slices.Concat(all, all)
	for name, tc := range map[string]struct {
		evidence   Evidence
		want       Report // its counts
		duplicates map[Class]int
		verdict    string
	}{
		"everything arrived once": {
			evidence: Evidence{Lines: lines("a", "b"), Entries: arrived(1, "b", "a"), Ledgers: all, History: delivered(owner.Taken)},
			want:     Report{In: 2, Delivered: 2},
		},
		"a line is gone": {
			evidence: Evidence{Lines: lines("a", "b"), Entries: arrived(1, "a"), History: delivered(owner.Ended)},
			want:     Report{In: 2, Delivered: 1, Lost: 1},
			verdict:  "1 lost, such as event id-b of payload p",
		},
		"an empty line was dropped": {
			evidence: Evidence{Lines: lines("a", ""), Entries: arrived(1, "a")},
			want:     Report{In: 2, Delivered: 1, Dropped: 1},
		},
		"an empty line that arrives should not have": {
			evidence: Evidence{Lines: lines("a", ""), Entries: arrived(1, "a", "")},
			want:     Report{In: 2, Delivered: 1, Dropped: 1, Unknown: 1},
			verdict:  "1 unknown",
		},
		"a missing line may be parked": {
			evidence: Evidence{
				Lines: lines("a", "b"), Entries: arrived(1, "a"),
				Ledgers: counted(stack.Destination{In: 2, Delivered: 1, Parked: map[string]int{"http_503": 1}}),
			},
			want: Report{In: 2, Delivered: 1, Parked: 1},
		},
		"the owner gave up and kept it": {
			evidence: Evidence{Lines: lines("a", "b"), Entries: arrived(1, "a"), Failures: []owner.Failure{{Payloads: []string{"p"}}}},
			want:     Report{In: 2, Delivered: 1, Returned: 1},
		},
		"another text under a known event id": {
			evidence: Evidence{Lines: lines("a"), Entries: []intake.Entry{{Message: "A", ID: "id-a"}}},
			want:     Report{In: 1, Corrupted: 1, Lost: 1},
			verdict:  "1 corrupted, such as event id-a of payload p",
		},
		"a record the intake cut": {
			evidence: Evidence{Lines: lines("a"), Entries: []intake.Entry{{Message: "a", ID: "id-a", Truncated: true}}},
			want:     Report{In: 1, Corrupted: 1, Lost: 1},
			verdict:  "1 corrupted",
		},
		"something nobody sent": {
			evidence: Evidence{Lines: lines("a"), Entries: arrived(1, "a", "z")},
			want:     Report{In: 1, Delivered: 1, Unknown: 1},
			verdict:  "1 unknown, such as event id-z",
		},
		"equal texts are lines of their own": {
			evidence: Evidence{Lines: lines("a", "a"), Entries: []intake.Entry{{Message: "a"}, {Message: "a"}}},
			want:     Report{In: 2, Delivered: 2},
		},
		"a lost answer": {
			evidence: Evidence{
				Lines: lines("a", "b"), Entries: together(unanswered(arrived(1, "a", "b")), arrived(2, "a", "b")),
				History: delivered(owner.Taken), Ledgers: all,
			},
			want: Report{In: 2, Delivered: 2}, duplicates: map[Class]int{D2: 2},
		},
		"a lost answer, then a part of the batch": {
			evidence: Evidence{Lines: lines("a"), Entries: together(unanswered(arrived(1, "a")), inBatch("b.0", arrived(2, "a")))},
			want:     Report{In: 1, Delivered: 1}, duplicates: map[Class]int{D2: 1},
		},
		"a lost answer does not excuse another batch": {
			evidence: Evidence{Lines: lines("a"), Entries: together(unanswered(arrived(1, "a")), inBatch("c", arrived(2, "a")))},
			want:     Report{In: 1, Delivered: 1}, duplicates: map[Class]int{Unexplained: 1}, verdict: "1 unexplained",
		},
		"sent twice although it was answered": {
			evidence: Evidence{Lines: lines("a"), Entries: arrived(1, "a", "a"), History: delivered(owner.Taken, owner.Taken)},
			want:     Report{In: 1, Delivered: 1}, duplicates: map[Class]int{Unexplained: 1}, verdict: "1 unexplained, such as event id-a",
		},
		"delivered again after an error": {
			evidence: Evidence{
				Lines: lines("a", "b"), Entries: together(arrived(1, "a"), arrived(11, "a", "b")), History: delivered(owner.Failed, owner.Taken),
			},
			want: Report{In: 2, Delivered: 2}, duplicates: map[Class]int{D4: 1},
		},
		"delivered again after a kill": {
			evidence: Evidence{Lines: lines("a"), Entries: together(arrived(1, "a"), arrived(11, "a")), History: delivered(owner.Ended, owner.Taken)},
			want:     Report{In: 1, Delivered: 1}, duplicates: map[Class]int{D1: 1},
		},
		"a stream restarts": {
			evidence: Evidence{
				Lines: lines("a"), Entries: together(arrived(1, "a"), arrived(11, "a"), arrived(21, "a")),
				History: streamed(delivered(owner.Partly, owner.Failed, owner.Taken)),
			},
			want: Report{In: 1, Delivered: 1}, duplicates: map[Class]int{D6: 2},
		},
		"the ledger counts more than was answered": {
			evidence: Evidence{Lines: lines("a"), Entries: arrived(1, "a"), Ledgers: twice},
			want:     Report{In: 1, Delivered: 1}, verdict: "counts 4 lines delivered, the intake answered for 1",
		},
		"the ledger does not add up": {
			evidence: Evidence{Lines: lines("a"), Entries: arrived(1, "a"), Ledgers: counted(stack.Destination{In: 3, Delivered: 1})},
			want:     Report{In: 1, Delivered: 1}, verdict: "in is not delivered + dropped + parked + returned",
		},
		"the ledger knows no such destination": {
			evidence: Evidence{Lines: lines("a"), Entries: arrived(1, "a"), Ledgers: []stack.Ledger{{RequestID: "r"}}},
			want:     Report{In: 1, Delivered: 1}, verdict: "no counts for destination dd",
		},
		"the ledger admits unaccounted lines": {
			evidence: Evidence{Lines: lines("a"), Entries: arrived(1, "a"), Ledgers: func() []stack.Ledger {
				l := counted(stack.Destination{})
				l[0].Unaccounted = 2
				return l
			}()},
			want: Report{In: 1, Delivered: 1}, verdict: "2 lines unaccounted",
		},
		"an invocation without a ledger line": {
			evidence: Evidence{Lines: lines("a"), Entries: arrived(1, "a"), History: delivered(owner.Taken)},
			want:     Report{In: 1, Delivered: 1}, verdict: "1 invocations finished, 0 printed a ledger line",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tc.evidence.Destination = "dd"
			if tc.evidence.Ledgers == nil && tc.verdict != "1 invocations finished, 0 printed a ledger line" {
				for range tc.evidence.History {
					tc.evidence.Ledgers = append(tc.evidence.Ledgers, counted(stack.Destination{})...)
				}
			}

			got := Join(tc.evidence)

			verdict := got.Verdict()
			if tc.verdict == "" {
				require.NoError(t, verdict)
			} else {
				require.ErrorContains(t, verdict, tc.verdict)
			}
			if tc.duplicates == nil {
				tc.duplicates = map[Class]int{}
			}
			assert.Equal(t, tc.duplicates, got.Duplicates)
			got.Duplicates, got.Examples, got.Problems = nil, nil, nil
			assert.Equal(t, tc.want, *got)
			assert.Equal(t, got.In, got.Delivered+got.Dropped+got.Parked+got.Returned+got.Lost, "every line is counted once")
		})
	}
}

func TestMarkedLines(t *testing.T) {
	p := generate.New(3, start).Payload(200)
	var entries []intake.Entry
	texts := messages(t, p)
	for i, line := range p.Lines {
		if line.Rule == "" {
			entries = append(entries, intake.Entry{Message: texts[i], ID: line.EventID, Answered: true})
		}
	}
	r := Join(Evidence{Lines: p.Lines, Entries: entries})
	require.NoError(t, r.Verdict())
	assert.Equal(t, len(entries), r.Delivered)

	whole := entries[7].Message
	for name, message := range map[string]string{"cut": whole[:len(whole)-1], "empty": ""} {
		entries[7].Message = message
		r = Join(Evidence{Lines: p.Lines, Entries: entries})
		assert.Equal(t, 1, r.Corrupted, name)
		assert.ErrorContains(t, r.Verdict(), p.Lines[7].Mark.String(), name)
	}
}

func TestReportInWords(t *testing.T) {
	r := &Report{
		In: 7, Delivered: 5, Dropped: 1, Lost: 1, Duplicates: map[Class]int{D4: 3, D2: 1},
		Examples: map[string][]string{"lost": {"x", "y"}}, Problems: []string{"odd"},
	}

	assert.Equal(t, "ledger: in=7 delivered=5 dropped=1 parked=0 dead=0 returned=0 duplicates=4 lost=1", r.String())
	assert.Equal(t, []Class{D2, D4}, r.Classes())
	assert.ErrorContains(t, r.Verdict(), "1 lost, such as x, y\nodd")
	for _, class := range []Class{D1, D2, D4, D5, D6} {
		assert.NotEqual(t, Unexplained.Cause(), class.Cause())
	}
}
