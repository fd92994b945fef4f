package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/generate"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/notify"
)

const (
	ownKey   = "00000000000000000000000000000000"
	otherKey = "11111111111111111111111111111111"
)

// items is a body of n lines, and their texts.
func items(n int) (body string, messages []string) {
	var list []map[string]string
	o := generate.New(1, start).Object(n, generate.JSONLines(generate.Random(20)))
	for line := range strings.SplitSeq(strings.TrimSuffix(string(o.Body), "\n"), "\n") {
		list = append(list, map[string]string{"message": line})
		messages = append(messages, line)
	}
	text, _ := json.Marshal(list) // texts always encode
	return string(text), messages
}

type post struct {
	method, path, key, contentType, coding, body string
}

func good(body string) post {
	return post{method: http.MethodPost, path: "/api/v2/logs", key: ownKey, contentType: "application/json", body: body}
}

func (p post) send(t *testing.T, s *sink) (int, error) {
	t.Helper()
	return p.sendTo(t.Context(), s)
}

func (p post) sendTo(ctx context.Context, s *sink) (int, error) {
	req, err := http.NewRequestWithContext(ctx, p.method, s.URL()+p.path, strings.NewReader(p.body))
	if err != nil {
		return 0, err
	}
	for name, value := range map[string]string{
		keyHeader: p.key, "Content-Type": p.contentType, "Content-Encoding": p.coding, "X-Forwarder-Batch": "batch-1",
	} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

func newSink(t *testing.T) *sink {
	t.Helper()
	s, err := startSink(ownKey, otherKey)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text)) // a buffer does not fail
	_ = w.Close()
	return b.String()
}

func TestSinkTakesAndRefuses(t *testing.T) {
	body, messages := items(3)
	for name, tc := range map[string]struct {
		change func(*post)
		status int
		lines  int
		broken int
	}{
		"three lines":        {func(*post) {}, 202, 3, 0},
		"compressed":         {func(p *post) { p.coding, p.body = "gzip", zipped(body) }, 202, 3, 0},
		"no zip":             {func(p *post) { p.coding = "gzip" }, 400, 0, 0},
		"an unknown coding":  {func(p *post) { p.coding = "br" }, 400, 0, 0},
		"another path":       {func(p *post) { p.path = "/v1/logs" }, 404, 0, 0},
		"another method":     {func(p *post) { p.method = http.MethodPut }, 404, 0, 0},
		"no key":             {func(p *post) { p.key = "" }, 403, 0, 0},
		"a key of yesterday": {func(p *post) { p.key = "22222222222222222222222222222222" }, 403, 0, 0},
		"no JSON":            {func(p *post) { p.contentType = "text/plain" }, 415, 0, 0},
		"too large":          {func(p *post) { p.body += strings.Repeat(" ", maxBodyBytes) }, 413, 0, 0},
		"no array":           {func(p *post) { p.body = "{}" }, 400, 0, 1},
		"an empty array":     {func(p *post) { p.body = "[]" }, 400, 0, 1},
		"two arrays":         {func(p *post) { p.body += "[]" }, 400, 0, 1},
		"too many items":     {func(p *post) { p.body = "[" + strings.Repeat("{},", maxItems) + "{}]" }, 400, 0, 1},
		"a line without a mark": {
			func(p *post) { p.body = `[{"message":"hello"}]` }, 202, 0, 1,
		},
		"a member twice": {func(p *post) { p.body = `[{"message":"a","message":"b"}]` }, 202, 0, 1},
		"a changed line": {
			func(p *post) {
				p.body = strings.Replace(body, messages[1][len(messages[1])-6:len(messages[1])-4], "~~", 1)
			}, 202, 2, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSink(t)
			p := good(body)
			tc.change(&p)

			status, err := p.send(t, s)

			require.NoError(t, err)
			assert.Equal(t, tc.status, status)
			assert.Equal(t, tc.lines, s.arrivals.count())
			broken, examples := s.arrivals.bad()
			assert.Equal(t, tc.broken, broken)
			assert.Len(t, examples, broken)
			for _, a := range s.arrivals.all() {
				assert.True(t, a.answered)
				assert.Equal(t, "batch-1", a.batch)
			}
		})
	}
}

func TestSinkPlaysScripts(t *testing.T) {
	body, _ := items(3)
	for name, tc := range map[string]struct {
		step     intake.Step
		status   int // 0: no answer
		taken    int
		answered bool
		end      string
	}{
		"works":                   {intake.Step{}, 202, 3, true, "answered 202, taken"},
		"refuses":                 {intake.Refuse(503), 503, 0, false, "answered 503, not taken"},
		"asks to wait":            {intake.RefuseFor(429, "1"), 429, 0, false, "answered 429, not taken"},
		"takes small bodies only": {intake.Step{Checks: []intake.Check{intake.TooLargeAbove(func() int { return 10 })}}, 413, 0, false, "answered 413, not taken"},
		"is slow":                 {intake.Step{Delay: time.Millisecond}, 202, 3, true, "answered 202, taken"},
		"resets before the body":  {intake.Step{Fault: intake.ResetBeforeBody}, 0, 0, false, "reset before its body was read"},
		"resets after the body":   {intake.Step{Fault: intake.ResetAfterBody}, 0, 0, false, "reset, not taken"},
		"takes it and resets":     {intake.Step{Fault: intake.ResetAfterBody, Commit: true}, 0, 3, false, "reset, taken"},
		"takes nothing with a refusal of ours": {
			intake.Step{Answer: intake.Refuse(500).Answer, Commit: true}, 500, 0, false, "answered 500, not taken",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSink(t)
			s.SetScript(intake.Always(tc.step))

			status, err := good(body).send(t, s)

			assert.Equal(t, tc.status, status)
			assert.Equal(t, tc.status == 0, err != nil)
			assert.Equal(t, tc.taken, s.arrivals.count())
			for _, a := range s.arrivals.all() {
				assert.Equal(t, tc.answered, a.answered)
			}
			assert.Equal(t, 1, s.Requests())
			require.Len(t, s.Log(), 1)
			assert.Equal(t, tc.end, s.Log()[0].end)
			assert.Equal(t, "batch-1", s.Log()[0].batch)
		})
	}
}

func TestSinkKnowsItsSenders(t *testing.T) {
	body, _ := items(1)
	s := newSink(t)
	p := good(body)
	p.key = otherKey
	_, err := p.send(t, s)
	require.NoError(t, err)
	assert.Equal(t, 1, s.arrivals.all()[0].sender)

	s.SetKeys("22222222222222222222222222222222")
	status, err := p.send(t, s)
	require.NoError(t, err)
	assert.Equal(t, http.StatusForbidden, status)
}

func TestSinkGoesDownBetweenRequests(t *testing.T) {
	body, _ := items(3)
	s := newSink(t)
	arrived, goOn := make(chan struct{}), make(chan struct{})
	s.SetScript(func(intake.Arrival) intake.Step {
		close(arrived)
		<-goOn
		return intake.Step{}
	})
	answered := make(chan int, 1)
	go func() {
		status, _ := good(body).sendTo(t.Context(), s) // no answer is status 0
		answered <- status
	}()
	<-arrived
	down := make(chan error, 1)
	go func() { down <- s.Down() }()
	close(goOn)

	assert.Equal(t, http.StatusAccepted, <-answered, "a request that is there has its answer")
	require.NoError(t, <-down)
	s.SetScript(intake.Always(intake.Step{}))
	_, err := good(body).send(t, s)
	require.Error(t, err)
	require.NoError(t, s.Up())
	status, err := good(body).send(t, s)
	require.NoError(t, err)
	assert.Equal(t, http.StatusAccepted, status)
	assert.Equal(t, 6, s.arrivals.count())
}

// A request came when it came, however long it waits at the gate: its sender may be gone by then.
func TestSinkTakesTheTimeBeforeItsGate(t *testing.T) {
	body, _ := items(1)
	s := newSink(t)
	asked, free := 0, false
	s.now = func() time.Time {
		if asked++; asked == 1 && s.gate.TryLock() {
			free = true
			s.gate.Unlock()
		}
		return at(float64(asked))
	}
	_, err := good(body).send(t, s)
	require.NoError(t, err)
	assert.True(t, free, "the time was asked for behind the gate")
	assert.Equal(t, at(1), s.arrivals.all()[0].at)
	assert.Equal(t, at(1), s.Log()[0].at)
}

// keeper remembers what was put.
type keeper struct{ keys []string }

func (k *keeper) PutObject(
	_ context.Context, bucket, key string, _ io.Reader, _ ...func(*s3.PutObjectInput),
) (notify.Object, error) {
	k.keys = append(k.keys, key)
	return notify.Object{Bucket: bucket, Key: key}, nil
}

func TestArchive(t *testing.T) {
	_, messages := items(3)
	var body strings.Builder
	for _, m := range messages {
		item, _ := json.Marshal(map[string]string{"message": m}) // a text always encodes
		body.Write(append(item, '\n'))
	}
	kept := &keeper{}
	a := &archive{store: kept, arrivals: &arrivals{}, now: func() time.Time { return start }}
	put := func(key, text string) {
		t.Helper()
		_, err := a.PutObject(t.Context(), "example-logs", key, strings.NewReader(text))
		require.NoError(t, err)
	}

	put(deliveredPrefix+"1", body.String())
	put(failedPrefix+"processing-failed/1", "{}")

	assert.Equal(t, []string{failedPrefix + "processing-failed/1"}, kept.keys, "what was delivered is read and not kept")
	require.Len(t, a.arrivals.all(), 1)
	assert.Equal(t, 3, a.arrivals.count())
	assert.Equal(t, []stretch{{"s3", 1, 3}}, a.arrivals.all()[0].runs)
	put(deliveredPrefix+"2", strings.TrimSuffix(body.String(), "\n"))
	broken, _ := a.arrivals.bad()
	assert.Equal(t, 1, broken)
}

func TestMaker(t *testing.T) {
	made := func(seed uint64) []parcel {
		m := newMaker(seed, start)
		var list []parcel
		for range 3 {
			for _, e := range []string{"cloudwatch", "s3"} {
				list = append(list, m.next(entryNamed(e)))
			}
		}
		return list
	}
	first := made(1)
	assert.Equal(t, first, made(1))
	assert.NotEqual(t, first, made(2))
	last := 0
	for _, p := range first {
		assert.Greater(t, p.first, last, "numbers grow")
		assert.GreaterOrEqual(t, p.n, leastLines)
		last = p.first + p.n - 1
	}
}

func TestPadIsUsuallyShort(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	long := 0
	for range 1000 {
		if len(pad(random)) > 200 {
			long++
		}
	}
	assert.Less(t, long, 100)
	assert.Positive(t, long)
}

func TestKeyOfAPayload(t *testing.T) {
	id, ours := payloadOf(keyOf("object-000001"))
	assert.True(t, ours)
	assert.Equal(t, "object-000001", id)
	_, ours = payloadOf(failedPrefix + "processing-failed/x")
	assert.False(t, ours)
}
