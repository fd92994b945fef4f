package intake

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const key = "00000000000000000000000000000000"

// post is a request that works unless a test changes it.
type post struct {
	method, path, key, contentType, encoding string
	body                                     []byte
}

func good(body string) post {
	return post{method: http.MethodPost, path: "/api/v2/logs", key: key, contentType: "application/json", body: []byte(body)}
}

func (p post) request(t *testing.T, s *Server) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), p.method, s.URL()+p.path, bytes.NewReader(p.body))
	require.NoError(t, err)
	for name, value := range map[string]string{
		"DD-API-KEY": p.key, "Content-Type": p.contentType, "Content-Encoding": p.encoding, "X-Forwarder-Batch": "batch-1",
	} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	return req
}

func (p post) send(t *testing.T, client *http.Client, s *Server) (*http.Response, error) {
	t.Helper()
	resp, err := client.Do(p.request(t, s))
	if err == nil {
		t.Cleanup(func() { resp.Body.Close() })
	}
	return resp, err
}

func newClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func newDatadog(t *testing.T) *Server {
	t.Helper()
	s, err := StartDatadog(key)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func gzipped(t *testing.T, plain string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, plain)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func zstandard(t *testing.T, plain string) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	return w.EncodeAll([]byte(plain), nil)
}

func TestDatadogIsAsStrictAsTheRealOne(t *testing.T) {
	const one = `[{"message":"a"}]`
	long := `[{"message":"` + strings.Repeat("x", maxRecordBytes) + `"}]`
	brokenGzip := gzipped(t, one)
	brokenGzip[len(brokenGzip)-5] ^= 1
	for name, tc := range map[string]struct {
		change    func(*post)
		status    int
		items     int
		truncated bool
	}{
		"a plain array":                      {change: func(*post) {}, status: 202, items: 1},
		"a gzip body":                        {change: func(p *post) { p.body, p.encoding = gzipped(t, one), "gzip" }, status: 202, items: 1},
		"a zstd body":                        {change: func(p *post) { p.body, p.encoding = zstandard(t, one), "zstd" }, status: 202, items: 1},
		"1000 items":                         {change: func(p *post) { p.body = []byte("[{}" + strings.Repeat(",{}", 999) + "]") }, status: 202, items: 1000},
		"a record over 1 MB is cut silently": {change: func(p *post) { p.body = []byte(long) }, status: 202, items: 1, truncated: true},
		"another path":                       {change: func(p *post) { p.path = "/v1/input" }, status: 404},
		"another method":                     {change: func(p *post) { p.method = http.MethodPut }, status: 405},
		"no key":                             {change: func(p *post) { p.key = "" }, status: 401},
		"a wrong key":                        {change: func(p *post) { p.key = "f" + key[1:] }, status: 403},
		"a wrong content type":               {change: func(p *post) { p.contentType = "text/html" }, status: 415},
		"an unknown encoding":                {change: func(p *post) { p.encoding = "br" }, status: 415},
		"5 MB and one byte": {
			change: func(p *post) {
				p.body, p.encoding = gzipped(t, "["+strings.Repeat(" ", maxBodyBytes-len(one)+1)+one[1:]), "gzip"
			},
			status: 413,
		},
		"1001 items":                    {change: func(p *post) { p.body = []byte("[{}" + strings.Repeat(",{}", 1000) + "]") }, status: 413},
		"nothing":                       {change: func(p *post) { p.body = nil }, status: 400},
		"an empty array":                {change: func(p *post) { p.body = []byte("[]") }, status: 400},
		"a single object":               {change: func(p *post) { p.body = []byte("{}") }, status: 400},
		"an array of texts":             {change: func(p *post) { p.body = []byte(`["a"]`) }, status: 400},
		"an array that does not end":    {change: func(p *post) { p.body = []byte(`[{}`) }, status: 400},
		"something after the array":     {change: func(p *post) { p.body = []byte(one + one) }, status: 400},
		"a member twice":                {change: func(p *post) { p.body = []byte(`[{"a":1,"a":1}]`) }, status: 400},
		"a member twice, deeper":        {change: func(p *post) { p.body = []byte(`[{"a":[{"b":{"c":1,"d":[],"c":2}}]}]`) }, status: 400},
		"one name in two objects":       {change: func(p *post) { p.body = []byte(`[{"a":{"a":"a"},"b":[{"a":1},{"a":2}]}]`) }, status: 202, items: 1},
		"invalid UTF-8":                 {change: func(p *post) { p.body = []byte("[{\"message\":\"\xff\"}]") }, status: 400},
		"a raw control character":       {change: func(p *post) { p.body = []byte("[{\"message\":\"\x01\"}]") }, status: 400},
		"a gzip checksum that is wrong": {change: func(p *post) { p.body, p.encoding = brokenGzip, "gzip" }, status: 400},
		"a gzip body cut short": {
			change: func(p *post) { p.body, p.encoding = gzipped(t, one)[:20], "gzip" }, status: 400,
		},
		"plain text called zstd": {change: func(p *post) { p.encoding = "zstd" }, status: 400},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := newDatadog(t), good(one)
			tc.change(&p)

			resp, err := p.send(t, newClient(t), s)

			require.NoError(t, err)
			assert.Equal(t, tc.status, resp.StatusCode)
			entries := s.Entries()
			require.Len(t, entries, tc.items)
			if tc.items > 0 {
				assert.Equal(t, tc.truncated, entries[0].Truncated)
				assert.True(t, entries[0].Answered)
			}
			requests := s.Requests()
			require.Len(t, requests, 1)
			assert.Equal(t, tc.status, requests[0].Status)
		})
	}
}

func TestLedgerKeepsWhatWasSent(t *testing.T) {
	s := newDatadog(t)
	body := `[{"ddsource":"lambda","ddtags":"env:prod,a:b","service":"orders","host":"h","id":"37","timestamp":1700000000123,` +
		`"aws":{"awslogs":{"logGroup":"g"}},"message":"é \"quoted\" \u0001\n"}]`

	_, err := good(body).send(t, newClient(t), s)

	require.NoError(t, err)
	entries := s.Entries()
	require.Len(t, entries, 1)
	got := entries[0]
	assert.False(t, got.At.IsZero())
	got.At = time.Time{}
	assert.Equal(t, Entry{
		Message: "é \"quoted\" \x01\n", ID: "37", Millis: 1_700_000_000_123, Host: "h", Service: "orders", Source: "lambda",
		Tags: "env:prod,a:b", Batch: "batch-1", Request: 1, Answered: true,
	}, got)
	request := s.Requests()[0]
	assert.Equal(t, KeyOK, request.Key)
	assert.Empty(t, request.Header.Get("DD-API-KEY"), "the key itself is not kept")
	assert.Equal(t, len(body), request.PlainBytes)
}

func TestKeysCanBeRotated(t *testing.T) {
	s, client := newDatadog(t), newClient(t)
	s.SetKeys("new")
	resp, err := good(`[{}]`).send(t, client, s)
	require.NoError(t, err)
	assert.Equal(t, 403, resp.StatusCode)

	p := good(`[{}]`)
	p.key = "new"
	resp, err = p.send(t, client, s)
	require.NoError(t, err)
	assert.Equal(t, 202, resp.StatusCode)
}

func TestFaults(t *testing.T) {
	for name, tc := range map[string]struct {
		step     Step
		status   int // 0: no answer
		items    int
		answered bool
	}{
		"works":                          {step: Step{}, status: 202, items: 1, answered: true},
		"a status":                       {step: Refuse(503), status: 503},
		"a status although it took it":   {step: Step{Answer: Refuse(500).Answer, Commit: true}, status: 500, items: 1},
		"reset before the body":          {step: Step{Fault: ResetBeforeBody}},
		"reset after the body":           {step: Step{Fault: ResetAfterBody}},
		"reset after the commit":         {step: Step{Fault: ResetAfterBody, Commit: true}, items: 1},
		"closed without an answer":       {step: Step{Fault: CloseWithoutAnswer, Commit: true}, items: 1},
		"poisoned":                       {step: Step{Checks: []Check{Poison("bad")}}, status: 202, items: 1, answered: true},
		"poison found":                   {step: Step{Checks: []Check{Poison("needle")}}, status: 400},
		"under the moving limit":         {step: Step{Checks: []Check{TooLargeAbove(func() int { return 100 })}}, status: 202, items: 1, answered: true},
		"over the moving limit":          {step: Step{Checks: []Check{TooLargeAbove(func() int { return 10 })}}, status: 413},
		"an encoding that is not wanted": {step: Step{Checks: []Check{RefuseEncoding("", 415)}}, status: 415},
		"a delay is only a delay":        {step: Step{Delay: time.Millisecond}, status: 202, items: 1, answered: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newDatadog(t)
			s.SetScript(Sequence(tc.step))

			resp, err := good(`[{"message":"needle"}]`).send(t, newClient(t), s)

			entries := s.Entries()
			if tc.status == 0 {
				require.Error(t, err)
				assert.NotEmpty(t, s.Requests()[0].Reason)
			} else {
				require.NoError(t, err)
				assert.Equal(t, tc.status, resp.StatusCode)
			}
			require.Len(t, entries, tc.items)
			for _, e := range entries {
				assert.Equal(t, tc.answered, e.Answered)
			}
		})
	}
}

func TestSequenceWorksAfterItsLastStep(t *testing.T) {
	s, client := newDatadog(t), newClient(t)
	s.SetScript(Sequence(RefuseFor(429, "1"), Redirect(307, "http://elsewhere.example.com/")))

	var got []int
	for range 3 {
		resp, err := good(`[{}]`).send(t, client, s)
		require.NoError(t, err)
		got = append(got, resp.StatusCode)
		if resp.StatusCode == http.StatusTooManyRequests {
			assert.Equal(t, "1", resp.Header.Get("Retry-After"))
		}
	}
	assert.Equal(t, []int{429, 307, 202}, got)
}

func TestLargeError(t *testing.T) {
	for name, compressed := range map[string]bool{"plain": false, "gzip": true} {
		t.Run(name, func(t *testing.T) {
			s := newDatadog(t)
			s.SetScript(Always(LargeError(500, 10_000_000, compressed)))
			resp, err := good(`[{}]`).send(t, newClient(t), s)
			require.NoError(t, err)
			body := io.Reader(resp.Body)
			if compressed {
				require.Equal(t, "gzip", resp.Header.Get("Content-Encoding"))
				body, err = gzip.NewReader(body)
				require.NoError(t, err)
			}
			n, err := io.Copy(io.Discard, body)
			require.NoError(t, err)
			assert.EqualValues(t, 10_000_000, n)
		})
	}
}

func TestHangEndsWhenReleased(t *testing.T) {
	s := newDatadog(t)
	s.SetScript(Always(Step{Fault: Hang}))
	req := good(`[{}]`).request(t, s)
	client := newClient(t)
	ended := make(chan error, 1)
	go func() {
		resp, err := client.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		ended <- err
	}()
	require.Eventually(t, func() bool { return len(s.Requests()) == 1 && s.Requests()[0].Reason != "" }, 10*time.Second, time.Millisecond)
	assert.Empty(t, ended)
	s.Release()
	assert.Error(t, <-ended)
}

func TestDropIdleMakesTheClientDialAgain(t *testing.T) {
	s, client := newDatadog(t), newClient(t)
	send := func() {
		resp, err := good(`[{}]`).send(t, client, s)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
	}
	send()
	send()
	require.Eventually(t, func() bool { return s.DropIdle() == 1 }, 10*time.Second, time.Millisecond)
	client.CloseIdleConnections()
	send()
	requests := s.Requests()
	assert.Equal(t, requests[0].Remote, requests[1].Remote)
	assert.NotEqual(t, requests[1].Remote, requests[2].Remote)
}

func TestGenericIntake(t *testing.T) {
	for name, tc := range map[string]struct {
		contentType, body string
		status            int
		messages          []string
	}{
		"json lines":              {"application/x-ndjson", `{"message":"a"}` + "\n" + `{"message":"b"}` + "\n", 200, []string{"a", "b"}},
		"a json array":            {"application/json", `[{"message":"a"},{"message":"b"}]`, 200, []string{"a", "b"}},
		"no newline at the end":   {"application/x-ndjson", `{"message":"a"}`, 400, nil},
		"two values on a line":    {"application/x-ndjson", `{"message":"a"}{}` + "\n", 400, nil},
		"another content type":    {"text/plain", `{"message":"a"}` + "\n", 415, nil},
		"a member twice in a row": {"application/x-ndjson", `{"a":1,"a":2}` + "\n", 400, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := StartHTTP()
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, s.Close()) })
			p := good(tc.body)
			p.path, p.key, p.contentType = "/", "", tc.contentType

			resp, err := p.send(t, newClient(t), s)

			require.NoError(t, err)
			assert.Equal(t, tc.status, resp.StatusCode)
			var messages []string
			for _, e := range s.Entries() {
				messages = append(messages, e.Message)
			}
			assert.Equal(t, tc.messages, messages)
		})
	}
}
