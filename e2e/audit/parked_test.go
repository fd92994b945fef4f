package audit

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

const replaySender = 1

// replayed are entries that replay brought.
func replayed(entries []intake.Entry) []intake.Entry {
	for i := range entries {
		entries[i].Sender = replaySender
	}
	return entries
}

// replays are invocations of replay at these seconds, each of nine seconds.
func replays(outcome owner.Outcome, seconds ...int) []Replay {
	var list []Replay
	for _, s := range seconds {
		list = append(list, Replay{Delivery: owner.Delivery{Started: at(s), Finished: at(s + 9), Outcome: outcome}})
	}
	return list
}

// continued says that a delivery goes on with the payload.
func continued(history []owner.Delivery, i int) []owner.Delivery {
	history[i].Continued = history[i].Payloads
	return history
}

func byFirehose(history []owner.Delivery) []owner.Delivery {
	for i := range history {
		history[i].Firehose = true
	}
	return history
}

// What replay and the park store add to the places of the line "a".
func TestSettleParked(t *testing.T) {
	a := lines("a")
	for name, tc := range map[string]struct {
		evidence   Evidence
		want       Report // its counts
		duplicates map[Class]int
		problem    string
	}{
		"parked": {
			evidence: Evidence{Parked: &ParkStore{Pending: a}, History: delivered(owner.Taken)},
			want:     Report{Parked: 1},
		},
		"dead":                       {evidence: Evidence{Parked: &ParkStore{Dead: a}}, want: Report{Dead: 1}},
		"in what points to its part": {evidence: Evidence{Parked: &ParkStore{Loose: a}}, want: Report{Dead: 1}},
		"in raw input":               {evidence: Evidence{Parked: &ParkStore{Raw: a}}, want: Report{DeadRaw: 1}},
		"in raw input, and delivered before what could not be read": {
			evidence: Evidence{Entries: arrived(1, "a"), Parked: &ParkStore{Raw: a, Loose: a}}, want: Report{Delivered: 1},
		},
		"replayed": {
			evidence: Evidence{Entries: replayed(arrived(21, "a")), History: delivered(owner.Taken), Replays: replays(owner.Taken, 20)},
			want:     Report{Delivered: 1},
		},
		"delivered and pending, without a reason": {
			evidence: Evidence{Entries: arrived(1, "a"), Parked: &ParkStore{Pending: a}, History: delivered(owner.Taken)},
			want:     Report{Delivered: 1}, problem: "the park store holds it without a cause",
		},
		"delivered and dead, without a reason": {
			evidence: Evidence{Entries: arrived(1, "a"), Parked: &ParkStore{Dead: a}, History: delivered(owner.Taken)},
			want:     Report{Delivered: 1}, problem: "the park store holds it without a cause",
		},
		"delivered and replayed, without a reason": {
			evidence: Evidence{Entries: together(arrived(1, "a"), replayed(arrived(21, "a"))), History: delivered(owner.Taken), Replays: replays(owner.Taken, 20)},
			want:     Report{Delivered: 1}, duplicates: map[Class]int{Unexplained: 1},
		},
		"replayed twice, without a reason": {
			evidence: Evidence{Entries: replayed(arrived(21, "a", "a")), History: delivered(owner.Taken), Replays: replays(owner.Taken, 20)},
			want:     Report{Delivered: 1}, duplicates: map[Class]int{Unexplained: 1},
		},
		"pending twice, without a reason": {
			evidence: Evidence{Parked: &ParkStore{Pending: append(a, a...)}, History: delivered(owner.Taken)},
			want:     Report{Parked: 1}, problem: "is parked 2 times, and nothing repeated it",
		},
		"killed after it was parked, then delivered": {
			evidence: Evidence{Entries: arrived(11, "a"), Parked: &ParkStore{Pending: a}, History: delivered(owner.Ended, owner.Taken)},
			want:     Report{Delivered: 1},
		},
		"killed after it was parked, then delivered, then replayed": {
			evidence: Evidence{
				Entries: together(arrived(11, "a"), replayed(arrived(21, "a"))), History: delivered(owner.Ended, owner.Taken), Replays: replays(owner.Taken, 20),
			},
			want: Report{Delivered: 1}, duplicates: map[Class]int{D1: 1},
		},
		"killed after it was parked, then parked again": {
			evidence: Evidence{Parked: &ParkStore{Pending: append(a, a...)}, History: delivered(owner.Ended, owner.Taken)},
			want:     Report{Parked: 1},
		},
		"a stream restarted after it was parked": {
			evidence: Evidence{Entries: replayed(arrived(31, "a", "a")), History: streamed(delivered(owner.Partly, owner.Taken)), Replays: replays(owner.Taken, 30)},
			want:     Report{Delivered: 1}, duplicates: map[Class]int{D6: 1},
		},
		"Firehose invoked its transformation again": {
			evidence: Evidence{Entries: arrived(11, "a"), Parked: &ParkStore{Pending: a}, History: byFirehose(delivered(owner.Ended, owner.Taken))},
			want:     Report{Delivered: 1},
		},
		"an answer was lost, then it was parked and replayed": {
			evidence: Evidence{
				Entries: together(unanswered(arrived(1, "a")), replayed(arrived(21, "a"))), History: delivered(owner.Taken), Replays: replays(owner.Taken, 20),
			},
			want: Report{Delivered: 1}, duplicates: map[Class]int{D2: 1},
		},
		"an answer was lost twice, and it is parked": {
			evidence: Evidence{Entries: unanswered(arrived(1, "a", "a")), Parked: &ParkStore{Pending: a}, History: delivered(owner.Taken)},
			want:     Report{Delivered: 1}, duplicates: map[Class]int{D2: 1},
		},
		"the answer to replay was lost": {
			evidence: Evidence{
				Entries: replayed(together(unanswered(arrived(21, "a")), arrived(22, "a"))), History: delivered(owner.Taken), Replays: replays(owner.Taken, 20),
			},
			want: Report{Delivered: 1}, duplicates: map[Class]int{D2: 1},
		},
		"replay was killed before it deleted": {
			evidence: Evidence{
				Entries: replayed(together(arrived(21, "a"), arrived(31, "a"))), History: delivered(owner.Taken),
				Replays: append(replays(owner.Ended, 20), replays(owner.Taken, 30)...),
			},
			want: Report{Delivered: 1}, duplicates: map[Class]int{D3: 1},
		},
		"replay was killed before it deleted, and it is pending still": {
			evidence: Evidence{
				Entries: replayed(arrived(21, "a")), Parked: &ParkStore{Pending: a}, History: delivered(owner.Taken), Replays: replays(owner.Ended, 20),
			},
			want: Report{Delivered: 1},
		},
		"replay was killed at another time": {
			evidence: Evidence{
				Entries: replayed(together(arrived(21, "a"), arrived(31, "a"))), History: delivered(owner.Taken),
				Replays: append(replays(owner.Ended, 40), replays(owner.Taken, 20, 30)...),
			},
			want: Report{Delivered: 1}, duplicates: map[Class]int{Unexplained: 1},
		},
		"replay stood still for longer than its lease": {
			evidence: Evidence{
				Entries: replayed(together(arrived(21, "a"), arrived(31, "a"))), History: delivered(owner.Taken),
				Replays: []Replay{{Delivery: replays(owner.Taken, 20)[0].Delivery, Expired: true}, replays(owner.Taken, 30)[0]},
			},
			want: Report{Delivered: 1}, duplicates: map[Class]int{D3: 1},
		},
		"replay could not store the rest": {
			evidence: Evidence{
				Entries: replayed(together(arrived(21, "a"), arrived(31, "a"))), History: delivered(owner.Taken), Replays: kept(replays(owner.Taken, 20, 30), "p"),
			},
			want: Report{Delivered: 1}, duplicates: map[Class]int{D3: 1},
		},
		"replay could not store the rest of another payload": {
			evidence: Evidence{
				Entries: replayed(together(arrived(21, "a"), arrived(31, "a"))), History: delivered(owner.Taken), Replays: kept(replays(owner.Taken, 20, 30), "q"),
			},
			want: Report{Delivered: 1}, duplicates: map[Class]int{Unexplained: 1},
		},
		"another replay could not store the rest": {
			evidence: Evidence{
				Entries: replayed(together(arrived(21, "a"), arrived(31, "a"))), History: delivered(owner.Taken), Replays: kept(replays(owner.Taken, 10, 20, 30), "p"),
			},
			want: Report{Delivered: 1}, duplicates: map[Class]int{Unexplained: 1},
		},
		"replay was killed between parking the rest and deleting": {
			evidence: Evidence{
				Entries: replayed(together(arrived(31, "a"), arrived(41, "a"))), History: delivered(owner.Taken),
				Replays: doubled(replays(owner.Ended, 20), "p"),
			},
			want: Report{Delivered: 1}, duplicates: map[Class]int{D3: 1},
		},
		"replay was killed there, and both are pending": {
			evidence: Evidence{Parked: &ParkStore{Pending: append(a, a...)}, History: delivered(owner.Taken), Replays: doubled(replays(owner.Ended, 20), "p")},
			want:     Report{Parked: 1},
		},
		"replay was killed there with another payload": {
			evidence: Evidence{
				Entries: replayed(together(arrived(31, "a"), arrived(41, "a"))), History: delivered(owner.Taken),
				Replays: doubled(replays(owner.Ended, 20), "q"),
			},
			want: Report{Delivered: 1}, duplicates: map[Class]int{Unexplained: 1},
		},
		"given up by Lambda and replayed from there": {
			evidence: Evidence{
				Entries: together(arrived(1, "a"), replayed(arrived(31, "a"))), History: delivered(owner.Failed),
				Replayed: []owner.Failure{{Payloads: []string{"p"}, Key: "aws/lambda/x"}}, Replays: replays(owner.Taken, 30),
			},
			want: Report{Delivered: 1}, duplicates: map[Class]int{D4: 1},
		},
		"given up by Lambda, replayed from there, and gone": {
			evidence: Evidence{
				History: delivered(owner.Failed), Replayed: []owner.Failure{{Payloads: []string{"p"}}}, Replays: replays(owner.Taken, 30),
				Parked: &ParkStore{},
			},
			want: Report{Lost: 1},
		},
		"a continuation repeats": {
			evidence: Evidence{Entries: together(arrived(1, "a"), arrived(11, "a")), History: continued(delivered(owner.Taken, owner.Taken), 1)},
			want:     Report{Delivered: 1}, duplicates: map[Class]int{Unexplained: 1},
		},
		"a continuation repeats after a kill": {
			evidence: Evidence{Entries: together(arrived(1, "a"), arrived(11, "a")), History: continued(delivered(owner.Ended, owner.Taken), 1)},
			want:     Report{Delivered: 1}, duplicates: map[Class]int{D1: 1},
		},
		"a continuation is no reason to be parked too": {
			evidence: Evidence{
				Entries: arrived(11, "a"), Parked: &ParkStore{Pending: a}, History: continued(delivered(owner.Taken, owner.Taken), 1),
			},
			want: Report{Delivered: 1}, problem: "the park store holds it without a cause",
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := tc.evidence
			e.Destination, e.Lines, e.Sender = "dd", a, replaySender
			for range e.History {
				e.Ledgers = append(e.Ledgers, counted(stack.Destination{})...)
			}

			r := Join(e)

			if tc.duplicates == nil {
				tc.duplicates = map[Class]int{}
			}
			assert.Equal(t, tc.duplicates, r.Duplicates)
			if tc.problem == "" {
				assert.Empty(t, r.Problems)
			} else {
				assert.ErrorContains(t, r.Verdict(), tc.problem)
			}
			r.Duplicates, r.Examples, r.Problems = nil, nil, nil
			tc.want.In = 1
			assert.Equal(t, tc.want, *r)
		})
	}
}

func TestPutsAgainstLedgers(t *testing.T) {
	for name, tc := range map[string]struct {
		claimed, least, most int
		ended                bool
		problem              bool
	}{
		"as many":                             {claimed: 5, least: 5, most: 5},
		"fewer written than claimed":          {claimed: 5, least: 4, most: 4, problem: true},
		"it was there already":                {claimed: 5, least: 3, most: 5},
		"more written than claimed":           {claimed: 4, least: 5, most: 5, problem: true},
		"more written than a dead one told":   {claimed: 4, least: 5, most: 5, ended: true},
		"fewer written than a dead one could": {claimed: 6, least: 5, most: 5, ended: true, problem: true},
	} {
		t.Run(name, func(t *testing.T) {
			e := Evidence{
				Destination: "dd", Parked: &ParkStore{Puts: &Puts{Least: tc.least, Most: tc.most}}, History: delivered(owner.Taken),
				Ledgers: counted(stack.Destination{In: tc.claimed, Parked: map[string]int{"http_503": tc.claimed}}),
			}
			if tc.ended {
				e.History = delivered(owner.Ended)
			}

			err := Join(e).Verdict()

			assert.Equal(t, tc.problem, err != nil, "%v", err)
		})
	}
}

// kept has the first of some replays refused by the park store.
func kept(list []Replay, payload string) []Replay {
	list[0].Kept = []string{payload}
	return list
}

// doubled has the first of some replays end before it deletes.
func doubled(list []Replay, payload string) []Replay {
	list[0].Doubled = []string{payload}
	return list
}

// What replay counts as delivered has to have been answered too.
func TestReplayLedgers(t *testing.T) {
	e := Evidence{
		Destination: "dd", Lines: lines("a"), Entries: replayed(arrived(1, "a")), Sender: replaySender,
		ReplayLedgers: counted(stack.Destination{In: 2, Delivered: 2}),
	}
	assert.ErrorContains(t, Join(e).Verdict(), "counts 2 lines delivered, the intake answered for 1")
}

// A compact entry has a mark and no text.
func TestCompactEntries(t *testing.T) {
	mark := generate.Mark{Src: "s3", Seq: 7}
	e := Evidence{Destination: "dd", Lines: []generate.Line{{Payload: "p", Mark: mark}}, Entries: []intake.Entry{
		{Mark: mark, Intact: true, Answered: true, At: at(1)}, {Mark: mark, At: at(2)}, {Mark: generate.Mark{Src: "s3", Seq: 8}, Intact: true},
	}}

	r := Join(e)

	assert.Equal(t, [3]int{1, 1, 1}, [3]int{r.Delivered, r.Corrupted, r.Unknown})
	assert.NotEqual(t, time.Time{}, e.Entries[0].At)
}
