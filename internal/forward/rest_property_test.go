package forward

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// contents are bodies of objects that decode to these messages, in many forms.
func contents(t *testing.T, random *rand.Rand, name string, n int) (key string, body []byte, messages []string) {
	t.Helper()
	lines := someLines(name, n)
	text := []byte(strings.Join(lines, "\n") + "\n")
	switch random.IntN(7) {
	case 0:
		return name + ".log.gz", packed(t, text), lines
	case 1:
		half := len(text) / 3
		return name + ".log.gz", joined(packed(t, text[:half]), packed(t, text[half:])), lines
	case 2:
		for i := range lines {
			lines[i] = fmt.Sprintf(`{"n":%q}`, lines[i])
		}
		return name + ".json.gz", packed(t, []byte(`{"Records":[`+strings.Join(lines, ",")+`]}`)), lines
	case 3:
		for i := range lines {
			lines[i] += "\n  and more"
		}
		return name + ".multi", []byte(strings.Join(lines, "\n") + "\n"), lines
	case 4:
		for i := range lines {
			lines[i] += "\n  and more"
		}
		id := fmt.Sprintf(`"id":"%x3`, name)
		return name + ".events", packed(t, bytes.ReplaceAll(document(t, separately(lines)...), []byte(`"id":"00000`), []byte(id))), lines
	case 5:
		half := n / 2
		payload := func(part string, lines []string) []byte { // whose events have ids that no others have
			id := fmt.Sprintf(`"id":"%x%s`, name, part)
			return packed(t, bytes.ReplaceAll(document(t, lines...), []byte(`"id":"00000`), []byte(id)))
		}
		return name + ".backup", joined(payload("1", lines[:half]), payload("2", lines[half:])), lines
	default:
		return name + ".log", text, lines
	}
}

// separately are the lines of these texts, each by itself.
func separately(texts []string) []string { return strings.Split(strings.Join(texts, "\n"), "\n") }

// trouble is a destination that does not take some of its requests.
func trouble(random *rand.Rand) func(n int) int {
	statuses := []int{503, 404, 403, 400, 429, 0}
	status, from := statuses[random.IntN(len(statuses))], random.IntN(40)
	until := from + random.IntN(60)
	switch random.IntN(4) {
	case 0:
		return func(int) int { return 202 }
	case 1:
		until = 1 << 30
	}
	return func(n int) int {
		if n >= from && n < until {
			return status
		}
		return 202
	}
}

// Whatever goes wrong, at whichever record, at which destination and how often: each line is in one place for each
// destination, or the message that it is from comes again with nothing of it taken. In the end each has been delivered
// once.
func TestEachLineOnce(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				testEachLineOnce(t, rand.New(rand.NewPCG(seed, 5)))
			})
		})
	}
}

func testEachLineOnce(t *testing.T, random *rand.Rand) {
	t.Helper()
	settings := `routes: [{key: "*.multi", multiline_start: "[a-z] line"}, {key: "*.events", multiline_start: "[a-z] line"}],`
	if random.IntN(2) == 0 {
		settings += withQueue
	}
	r := newRig(t, twoHTTP(settings)).ticking()
	objects, bodies := map[string][]string{}, []string{}
	var all []*s3Object
	for i := range 1 + random.IntN(3) {
		key, body, messages := contents(t, random, string(rune('x'+i)), 1+random.IntN(1500))
		o := r.s3.put(logBucket, key, body)
		o.slow = []time.Duration{0, time.Millisecond, 100 * time.Millisecond, time.Second}[random.IntN(4)]
		for range random.IntN(5) * random.IntN(2) {
			o.cuts = append(o.cuts, random.IntN(len(body)))
		}
		objects[key], all, bodies = messages, append(all, o), append(bodies, native(o))
	}
	ofA, ofB, sent := trouble(random), trouble(random), map[bool]int{}
	r.intake.answer = func(got received) int {
		isA := strings.Contains(got.url, "a.example.com")
		of := map[bool]func(int) int{true: ofA, false: ofB}[isA]
		r.intake.mu.Lock()
		n := sent[isA]
		sent[isA]++
		r.intake.mu.Unlock()
		return of(n)
	}
	if refused := random.IntN(12); refused < 4 {
		faults := []error{errForbidden, errKMS, errSlowDown, errConnection}
		r.s3.refuse = func(n int, _ string) error {
			if n > refused {
				return faults[refused]
			}
			return nil
		}
	}
	left := []time.Duration{12 * time.Second, 30 * time.Second, 15 * time.Minute}[random.IntN(3)]
	receive := 1 + random.IntN(5)
	answer, _, err := r.invokeWithin(within(t, left), t, S3, receivedFor(receive, bodies...))
	require.NoError(t, err)

	taken, again := map[string][]string{}, []string{}
	for i, o := range all {
		o.slow, o.cuts = 0, nil
		if strings.Contains(answer, messageID(i)) {
			again = append(again, bodies[i])
			assert.Less(t, receive, 4, "the last but one receive is the last one that is needed")
		} else {
			taken[o.Key] = objects[o.Key]
		}
	}
	r.exactlyOnce(t, "a", taken)
	r.exactlyOnce(t, "b", taken)

	r.intake.answer, r.s3.refuse = nil, nil
	time.Sleep(time.Hour)
	if len(again) > 0 {
		answer, _, err = r.invoke(t, S3, inQueue(again...))
		require.NoError(t, err)
		require.JSONEq(t, allTaken, answer)
	}
	r.drain(t)
	r.exactlyOnce(t, "a", objects)
	r.exactlyOnce(t, "b", objects)
}
