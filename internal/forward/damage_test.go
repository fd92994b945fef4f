package forward

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/park"
)

// An object that breaks off is delivered up to the last thing in it that is whole, whatever it holds, and the note says
// where the next one starts.
func TestContentThatBreaksOff(t *testing.T) {
	const elements = 2000
	list := make([]string, elements)
	for i := range list {
		list[i] = fmt.Sprintf(`{"n":%d,"text":"%x"}`, i, i*7919)
	}
	failed := make([]string, elements)
	for i := range failed {
		failed[i] = fmt.Sprintf(`{"attemptsMade":1,"arrivalTimestamp":1769938200123,"errorCode":"x","rawData":%q}`,
			base64.StdEncoding.EncodeToString([]byte(list[i])))
	}
	for name, tc := range map[string]struct {
		settings, key string
		plain         string
		pieces        []string // of plain, one a line
	}{
		"JSON lines":      {"", "a.log", strings.Join(list, "\n"), list},
		"JSON, touching":  {"", "a.log", strings.Join(list, ""), list},
		"a JSON array":    {"", "a.json", "[" + strings.Join(list, ",\n") + "]", list},
		"Records":         {"", trailKey, `{"Records":[` + strings.Join(list, ",") + "]}", list},
		"an indented one": {"", "a.json", "{\n  \"Records\" : [\n" + strings.Join(list, "  ,\n") + "\n]}", list},
		"failed records":  {"", "errors/splunk-failed/a", strings.Join(failed, "\n"), failed},
		"joined lines":    {"multiline_start: 'line', ", "a.log", "line " + strings.Join(list, "\n more\nline ") + "\n more\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			gz := stored(t, []byte(tc.plain)) // so that half of it is half of the text
			r := newRig(t, with(tc.settings+"park_bucket: "+parkBucket, httpWith("max_body_bytes: 4MB, max_records: 100000")))
			answer, ledger, err := r.invoke(t, S3, inQueue(native(r.s3.put(logBucket, tc.key, gz[:len(gz)/2]))))
			require.NoError(t, err)
			assert.JSONEq(t, allTaken, answer)
			assert.Equal(t, tally{"corrupt": 1}, ledger.Destinations["archive"].Parked)
			require.Len(t, r.s3.parked, 1)
			from := int((*r.s3.parked[0].Header.Sources[0].ByteRange)[0])
			got := r.intake.messages(t, archiveHost)
			assert.InDelta(t, elements/2, len(got), elements/10)
			if tc.pieces == nil {
				assert.Equal(t, tc.plain[:from], strings.Join(got, "\n")+"\n", "records of whole lines, up to the byte that is noted")
				return
			}
			assert.Equal(t, list[:len(got)], got)
			rest := strings.TrimLeft(tc.plain[from:], ", \n")
			assert.True(t, strings.HasPrefix(rest, tc.pieces[len(got)]), "%.60s", rest)
		})
	}
}

// A payload in the midst of others that cannot be read is noted with its place, and those around it are delivered.
func TestPayloadThatCannotBeRead(t *testing.T) {
	good, other := document(t, "m1"), documentOf(t, "OTHER", "shop", canary)
	body := joined(packed(t, good), packed(t, other), packed(t, document(t, "m2")))
	r := newRig(t, parkingBoth)
	r.comesTo(t, inQueue(native(r.s3.put(logBucket, "backup/a", body))), ending{
		answer: allTaken, lines: []string{"m1", "m2"}, parked: tally{"undecodable": 1}, gets: 1,
	})
	at := *r.s3.parked[0].Header.Sources[0].ByteRange
	assert.GreaterOrEqual(t, at[0], int64(len(good)))
	assert.Equal(t, int64(len(good)+len(other)), at[1])
	assert.NotContains(t, r.s3.parked[0].Header.Reason.Message, canary)

	r = newRig(t, both)
	r.comesTo(t, inQueue(native(r.s3.put(logBucket, "backup/a", body))), ending{
		answer: failedMessages(0), err: "undecodable from byte", lines: []string{"m1", "m2"}, returned: tally{"undecodable": 1}, gets: 1,
	})
}

// An object with damage in more places than are noted one by one is given up at the last of them, and all behind that place
// is noted as one.
func TestDamageInManyPlaces(t *testing.T) {
	bad := documentOf(t, "OTHER", "shop", canary)
	for name, tc := range map[string]struct {
		places int
		lines  []string
		parked int
	}{
		"one less":  {99, []string{"m1", "m2"}, 99},
		"as many":   {100, []string{"m1"}, 100},
		"many more": {300, []string{"m1"}, 100},
	} {
		t.Run(name, func(t *testing.T) {
			first, last := document(t, "m1"), document(t, "m2")
			body := joined(first, bytes.Repeat(bad, tc.places), last)
			r := newRig(t, with("park_bucket: "+parkBucket, httpWith("")))
			answer, ledger, err := r.invoke(t, S3, inQueue(native(r.s3.put(logBucket, "backup/a", body))))
			require.NoError(t, err)
			assert.JSONEq(t, allTaken, answer)
			assert.Equal(t, tc.lines, r.intake.messages(t, archiveHost))
			assert.Equal(t, tally{"undecodable": tc.parked}, ledger.Destinations["archive"].Parked)
			require.Len(t, r.s3.parked, tc.parked)
			for i, note := range r.s3.parked {
				end := int64(len(first) + (i+1)*len(bad))
				if i == 99 {
					end = park.ToEnd
				}
				assert.Equal(t, end, (*note.Header.Sources[0].ByteRange)[1])
			}
		})
	}
}

// S3 may be busy, too, when the rest of an object is asked for.
func TestThrottledInTheMiddle(t *testing.T) {
	text, all := textLines(3000)
	for name, tc := range map[string]struct {
		refusals int
		answer   string
	}{
		"twice":    {2, allTaken},
		"for good": {100, failedMessages(0)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, httpWith("max_records: 100000"))
				o := r.s3.put(logBucket, "a.log", text)
				o.cuts = []int{30_000}
				r.s3.refuse = func(n int, _ string) error {
					if n > 1 && n <= 1+tc.refusals {
						return errSlowDown
					}
					return nil
				}
				answer, ledger, err := r.invoke(t, S3, inQueue(native(o)))
				require.NoError(t, err)
				assert.JSONEq(t, tc.answer, answer)
				got := r.intake.messages(t, archiveHost)
				assert.Equal(t, all[:len(got)], got)
				assert.Equal(t, len(got) == len(all), answer == allTaken)
				assert.Equal(t, tc.answer != allTaken, ledger.Destinations["archive"].Returned["s3_throttled"] == 1)
			})
		})
	}
}

// An event that comes twice gives the same ids and batches: who can tell them apart by these gets each line once.
func TestEventThatComesTwice(t *testing.T) {
	r := newRig(t, both)
	event := inQueue(native(r.s3.lines("a.log", "x", "y"), r.s3.lines("b.log", "z")))
	_, _, err := r.invoke(t, S3, event)
	require.NoError(t, err)
	first := bodies(r.intake)
	r.intake.got = nil
	_, _, err = r.invoke(t, S3, event)
	require.NoError(t, err)
	assert.ElementsMatch(t, first, bodies(r.intake))
}

// A hundred messages are no other than one: nothing of an object is left to the next, the tags of its origin included.
func TestManyObjects(t *testing.T) {
	r := newRig(t, both)
	var bodies, want []string
	for i := range 100 {
		lines := []string{fmt.Sprintf("%d a", i), fmt.Sprintf("%d b", i)}
		key := fmt.Sprintf("AWSLogs/%012d/vpcflowlogs/eu-west-1/%d.log", 100_000_000_000+i, i)
		bodies, want = append(bodies, native(r.s3.lines(key, lines...))), append(want, lines...)
	}
	r.comesTo(t, inQueue(bodies...), ending{answer: allTaken, lines: want, gets: 100})
	items := r.intake.items(t, datadogHost)
	for i, item := range items {
		assert.Contains(t, item["ddtags"], fmt.Sprintf("aws_account:%012d", 100_000_000_000+i/2))
		assert.Contains(t, item["aws"].(map[string]any)["s3"].(map[string]any)["key"], fmt.Sprintf("/%d.log", i/2))
	}
	assert.Len(t, uniqueIDs(items), len(want))
}

// Wherever an object is cut, and wherever its connections break: every line in front of the cut comes once and in order,
// and the note says how far that is.
func TestEveryCut(t *testing.T) {
	text, all := textLines(300)
	lineBytes := len(all[0]) + 1
	gz := stored(t, text)
	random := rand.New(rand.NewPCG(16, 13))
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, with("park_bucket: "+parkBucket, httpWith("")))
		for i := range 200 {
			end := 20 + random.IntN(len(gz)-20)
			r.intake.got, r.s3.parked = nil, nil
			o := r.s3.put(logBucket, fmt.Sprintf("%d.log", i), gz[:end])
			o.cuts = []int{random.IntN(end), random.IntN(end), random.IntN(end)}
			answer, ledger, err := r.invoke(t, S3, inQueue(native(o)))
			require.NoError(t, err)
			require.JSONEq(t, allTaken, answer)
			got := r.intake.messages(t, archiveHost)
			require.Equal(t, all[:len(got)], got)
			require.Equal(t, tally{"corrupt": 1}, ledger.Destinations["archive"].Parked)
			require.Equal(t, int64(len(got)*lineBytes), (*r.s3.parked[0].Header.Sources[0].ByteRange)[0])
		}
	})
}

// What is wrong with an object is noted once for each destination, however often it is announced.
func TestOneObjectAnnouncedTwice(t *testing.T) {
	r := newRig(t, parkingBoth)
	text, _ := textLines(2000)
	gz := packed(t, text)
	o := r.s3.put(logBucket, "a.gz", gz[:len(gz)-100])
	_, ledger, err := r.invoke(t, S3, inQueue(native(o), bridged(o)))
	require.NoError(t, err)
	assert.Equal(t, tally{"corrupt": 2}, ledger.Destinations["archive"].Parked)
	assert.Len(t, r.s3.parked, 2, "one for each destination")
}
