package forward

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/park"
)

// hidden stands in all that must not be parked: secrets, and what follows the host of a URL.
const hidden = "h1dd3n"

// keeping are two destinations with secrets, and a bucket for what they do not take.
const keeping = `{park_bucket: example-parked, tags: ["env:test"], destinations: [
	{id: datadog, type: datadog, site: datadoghq.eu, api_key: "plain:` + hidden + `0123456789abcdef"},
	{id: archive, type: http, url: "https://logs.example.com/` + hidden + `?token=` + hidden + `", headers: {Authorization: "plain:` + hidden + `"}}]}`

var hosts = map[string]string{"archive": archiveHost, "datadog": datadogHost}

// other is the destination beside one.
var other = map[string]string{"archive": "datadog", "datadog": "archive"}

// way is a way in for lines, with the source that is noted of them.
type way struct {
	handler func(*Forwarder) Handler
	event   func(t *testing.T, r *rig, lines []string) []byte
	taken   string
	source  func(n int) park.Source
}

func ways() map[string]way {
	return map[string]way{
		"cloudwatch": {
			CloudWatch, func(t *testing.T, _ *rig, lines []string) []byte {
				t.Helper()
				return direct(packed(t, document(t, lines...)))
			}, "null",
			func(n int) park.Source {
				return park.Source{
					Entry: park.EntryCloudWatch, Owner: ownAccount, Region: "eu-west-1", LogGroup: "shop", LogStream: "main",
					EventIDs: [2]string{fmt.Sprintf("%056d", 0), fmt.Sprintf("%056d", n-1)},
				}
			},
		},
		"kinesis": {
			Kinesis, func(_ *testing.T, _ *rig, lines []string) []byte {
				records := make([][]byte, len(lines))
				for i := range lines {
					records[i] = []byte(lines[i])
				}
				return batchOf(records...)
			}, allTaken,
			func(n int) park.Source {
				const shard = "shardId-000000000000:"
				return park.Source{
					Entry: park.EntryKinesis, Region: "eu-west-1", StreamARN: streamARN, EventIDs: [2]string{shard + sequence(0), shard + sequence(n-1)},
				}
			},
		},
		"s3": {
			S3, func(_ *testing.T, r *rig, lines []string) []byte {
				return inQueue(native(r.s3.lines("app/a b.log", lines...)))
			}, allTaken,
			func(n int) park.Source {
				o := (&fakeS3{}).lines("app/a b.log", numbered(n)...)
				return park.Source{Entry: park.EntryS3, Region: "eu-west-1", Bucket: logBucket, Key: "app/a b.log", ETag: o.ETag}
			},
		},
	}
}

// refusal is how a destination does not take lines, and what is parked then.
type refusal struct {
	lines  int
	answer func(r received) int // of the destination in trouble
	after  string               // its Retry-After
	before func(t *testing.T, r *rig)
	dead   bool
	reason park.Reason
	parked []int         // numbers of lines; nil: all
	wait   time.Duration // until it is due
	left   time.Duration // for the function; 0: for ever
}

func always503(received) int { return http.StatusServiceUnavailable }

// refusals are the ways in which a destination does not take lines.
func refusals() map[string]refusal {
	status := func(status int) func(received) int { return func(received) int { return status } }
	return map[string]refusal{
		"down": {
			lines: 20, answer: always503, wait: time.Minute, reason: park.Reason{Code: "http_503", Class: "retriable", HTTPStatus: 503},
		},
		"left alone": {
			lines: 20, answer: always503, wait: time.Minute, reason: park.Reason{Code: "breaker_open", Class: "retriable"},
			before: func(t *testing.T, r *rig) {
				t.Helper()
				for i := range 2 { // their attempts open the breaker
					_, _, _ = r.invoke(t, CloudWatch, direct(packed(t, document(t, fmt.Sprintf("before %d", i)))))
				}
			},
		},
		"refuses the key": {
			lines: 20, answer: status(403), wait: time.Minute, reason: park.Reason{Code: "http_403", Class: "retriable", HTTPStatus: 403},
		},
		"finds one line of a thousand invalid": {
			lines: 1000, answer: statusFor("line 500 ", 400), dead: true, parked: []int{500},
			reason: park.Reason{Code: "http_400", Class: "permanent", HTTPStatus: 400},
		},
		"finds all lines invalid": {
			lines: 20, answer: status(400), wait: time.Minute, reason: park.Reason{Code: "http_400", Class: "retriable", HTTPStatus: 400},
		},
		"finds one line too large": {
			lines: 20, answer: statusFor("line 7 ", 413), dead: true, parked: []int{7},
			reason: park.Reason{Code: "http_413", Class: "permanent", HTTPStatus: 413},
		},
		"falls silent": {
			lines: 20, answer: status(0), left: 10 * time.Second, reason: park.Reason{Code: "deadline", Class: "retriable"},
		},
		"asks to be left alone": {
			lines: 20, answer: status(429), after: "120", wait: 2 * time.Minute,
			reason: park.Reason{Code: "http_429", Class: "retriable", HTTPStatus: 429, RetryAfterSeconds: 120},
		},
	}
}

// What a destination does not take is parked as it would have been sent, and the event is done with. The other
// destination never notices.
func TestItems(t *testing.T) {
	for entry, w := range ways() {
		for name, c := range refusals() {
			for down := range hosts {
				t.Run(entry+", "+down+" "+name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						untilStart()
						testItems(t, w, c, down)
					})
				})
			}
		}
	}
}

func testItems(t *testing.T, w way, c refusal, down string) {
	t.Helper()
	lines := numbered(c.lines)
	well := newRig(t, keeping)
	_, _, err := well.invoke(t, w.handler, w.event(t, well, lines))
	require.NoError(t, err)

	r, ctx := c.rig(t, keeping, down)
	answer, ledger, err := r.invokeWithin(ctx, t, w.handler, w.event(t, r, lines))
	require.NoError(t, err)
	require.NoError(t, ctx.Err(), "answered in time")
	assert.Equal(t, w.taken, answer)
	assert.Empty(t, ledger.Error)

	parked := c.parked
	if parked == nil {
		for i := range c.lines {
			parked = append(parked, i)
		}
	}
	got := ledger.Destinations[down]
	assert.Equal(t, tally{c.reason.Code: len(parked)}, got.Parked)
	assert.Equal(t, c.lines-len(parked), got.Delivered)
	assert.Empty(t, got.Returned)
	assert.Equal(t, c.lines, ledger.Destinations[other[down]].Delivered)
	assert.Equal(t, well.intake.batches(t, hosts[other[down]]), r.intake.batches(t, hosts[other[down]]), "the other one gets all it gets otherwise")
	assert.Len(t, r.intake.messages(t, hosts[other[down]]), c.lines, "each line once")
	r.checkItems(t, w, c, down, well.intake.batches(t, hosts[down]))
	r.checkNothingHidden(t)
}

// rig has a destination that does not take lines, and the context of the invocation to come.
func (c *refusal) rig(t *testing.T, settings, down string) (*rig, context.Context) {
	t.Helper()
	r := newRig(t, settings)
	r.intake.after = c.after
	r.intake.answer = func(got received) int {
		if !strings.Contains(got.url, hosts[down]) {
			return http.StatusAccepted
		}
		return c.answer(got)
	}
	if c.before != nil {
		c.before(t, r)
	}
	r.s3.parked, r.intake.got = nil, nil
	if c.left == 0 {
		return r, lambdaContext(t)
	}
	return r.ticking(), within(t, c.left)
}

// What cannot be parked goes back to its owner as if there were no bucket to park in, and is never taken for done.
func TestItemsThatCannotBeParked(t *testing.T) {
	unkept := strings.Replace(keeping, "park_bucket: example-parked, ", "", 1)
	for entry, w := range ways() {
		for name, c := range refusals() {
			t.Run(entry+", "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					untilStart()
					lines := numbered(c.lines)
					r, ctx := c.rig(t, unkept, "archive")
					want, wanted, wantErr := r.invokeWithin(ctx, t, w.handler, w.event(t, r, lines))

					r, ctx = c.rig(t, keeping, "archive")
					r.s3.refusePut = errNoBucket
					answer, ledger, err := r.invokeWithin(ctx, t, w.handler, w.event(t, r, lines))
					require.NoError(t, ctx.Err(), "answered in time")
					assert.Equal(t, want, answer)
					assert.NotContains(t, []string{"null", allTaken}, answer)
					assert.Equal(t, wantErr == nil, err == nil)
					assert.Contains(t, ledger.Error, "parking them failed too: park in s3://example-parked")
					assert.NotContains(t, ledger.Error, hidden)
					for id := range hosts {
						assert.Equal(t, wanted.Destinations[id].Returned, ledger.Destinations[id].Returned)
						assert.Equal(t, wanted.Destinations[id].Delivered, ledger.Destinations[id].Delivered)
						assert.Empty(t, ledger.Destinations[id].Parked)
					}
				})
			})
		}
	}
}

// checkItems compares what is parked with what would have been sent.
func (r *rig) checkItems(t *testing.T, w way, c refusal, down string, sent map[string][]string) {
	t.Helper()
	require.NotEmpty(t, r.s3.parked)
	for _, o := range r.s3.parked {
		h := o.Header
		whole, part, partial := strings.Cut(h.BatchID, ".")
		require.Contains(t, sent, whole, "the batch as it would have been sent")
		if c.parked == nil {
			assert.False(t, partial)
			assert.Equal(t, sent[whole], texts(o.Items))
		} else {
			assert.Regexp(t, "^p[0-9a-f]{12}$", part, "a name of its own: other parts of the batch may be parked too")
			require.Len(t, o.Items, 1)
			assert.Contains(t, sent[whole], string(o.Items[0]))
			assert.Contains(t, string(o.Items[0]), fmt.Sprintf("line %d ", c.parked[0]))
		}
		place := `^sluice/v1/pending/` + down + fmt.Sprintf(`/%010d-`, h.NotBefore)
		if c.dead {
			place = `^sluice/v1/dead/` + down + "/" + c.reason.Code + "/2026/02/01/"
		}
		assert.Regexp(t, place+strings.ReplaceAll(h.BatchID, ".", `\.`)+`\.a01\.jsonl\.gz$`, o.Key)
		assert.Equal(t, ownAccount, o.Owner)
		assert.Equal(t, park.KindItems, h.Kind)
		assert.Equal(t, 1, h.Attempt)
		assert.Equal(t, c.reason, h.Reason)
		assert.Equal(t, r.placeOf(down), h.Dest)
		assert.Equal(t, h.BatchID, h.IdempotencyKey)
		assert.Equal(t, []string{requestID, Version, r.park.config}, []string{h.RequestID, h.Forwarder, h.ConfigSHA})
		assert.False(t, h.FirstFailedAt.Before(start))
		assert.False(t, h.LastFailedAt.Before(h.FirstFailedAt))
		if !c.dead {
			assert.Equal(t, h.LastFailedAt.Add(c.wait).Unix(), h.NotBefore)
		}
		assert.Equal(t, r.maxAge(down, w), h.MaxAgeAt)
		if len(sent) == 1 {
			assert.Equal(t, []park.Source{w.source(c.lines)}, h.Sources)
		}
	}
}

func (r *rig) placeOf(id string) park.Destination {
	return map[string]park.Destination{
		"datadog": {ID: "datadog", Type: "datadog", Host: "http-intake.logs.datadoghq.eu"},
		"archive": {ID: "archive", Type: "http", Host: "logs.example.com"},
	}[id]
}

// maxAge is when a destination takes the lines no more: Datadog's, which are 18 hours old then.
func (r *rig) maxAge(id string, w way) time.Time {
	if id != "datadog" {
		return time.Time{}
	}
	switch w.taken + w.source(1).Entry {
	case "null" + park.EntryCloudWatch:
		return start.Add(-time.Second + 18*time.Hour)
	case allTaken + park.EntryKinesis:
		return start.Add(-time.Minute + 123*time.Millisecond + 18*time.Hour)
	default: // lines without a time
		return r.s3.parked[0].Header.LastFailedAt.Add(18 * time.Hour)
	}
}

func texts(items [][]byte) []string {
	list := make([]string, len(items))
	for i := range items {
		list[i] = string(items[i])
	}
	return list
}

// checkNothingHidden looks through all that is in the park bucket.
func (r *rig) checkNothingHidden(t *testing.T) {
	t.Helper()
	for _, key := range r.s3.keysBelow("") {
		text := string(r.s3.objects[parkBucket+"/"+key].body)
		if strings.HasSuffix(key, ".gz") {
			gz, err := gzip.NewReader(strings.NewReader(text))
			require.NoError(t, err)
			plain, err := io.ReadAll(gz)
			require.NoError(t, err)
			text = string(plain)
		}
		assert.NotContains(t, key+text, hidden)
	}
}
