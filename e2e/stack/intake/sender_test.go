package intake

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/generate"
	"sluice/e2e/stack/certificate"
)

func TestSender(t *testing.T) {
	s, err := StartDatadog(key, "the-other-key")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	client := newClient(t)
	first, second := good(`[{"message":"a"}]`), good(`[{"message":"b"}]`)
	second.key = "the-other-key"
	for _, p := range []post{first, second} {
		_, err := p.send(t, client, s)
		require.NoError(t, err)
	}
	s.SetKeys("rotated", "rotated-too")
	second.key = "rotated-too"
	_, err = second.send(t, client, s)
	require.NoError(t, err)

	var senders []int
	for _, e := range s.Entries() {
		senders = append(senders, e.Sender)
	}
	assert.Equal(t, []int{0, 1, 1}, senders)
	assert.Equal(t, 1, s.Requests()[2].Sender)
}

func TestSenderOfTheGenericIntake(t *testing.T) {
	s, err := StartHTTP()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	req := good("{\"message\":\"a\"}\n").request(t, s)
	req.Header.Set("X-Sender", "1")

	resp, err := newClient(t).Do(req)

	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, 1, s.Entries()[0].Sender)
}

func TestCompact(t *testing.T) {
	s := newDatadog(t)
	s.Compact()
	o := generate.New(1, time.Now()).Object(1, generate.Text("INFO ", 10))
	line := strings.TrimSuffix(string(o.Body), "\n")
	body := `[{"message":"` + line + `","id":"1"},{"message":"` + strings.Replace(line, "INFO", "WARN", 1) + `"},{"message":"no mark","id":"3"}]`

	_, err := good(body).send(t, newClient(t), s)

	require.NoError(t, err)
	entries := s.Entries()
	require.Len(t, entries, 3)
	assert.Equal(t, Entry{Mark: o.Lines[0].Mark, Intact: true, Batch: "batch-1", Request: 1, At: entries[0].At, Answered: true}, entries[0])
	assert.Equal(t, o.Lines[0].Mark, entries[1].Mark)
	assert.False(t, entries[1].Intact)
	assert.Equal(t, "no mark", entries[2].Message)
	assert.Equal(t, "3", entries[2].ID)
}

func TestItem(t *testing.T) {
	for name, tc := range map[string]struct {
		kind, item string
		want       Entry
		says       string
	}{
		"for Datadog": {
			kind: "datadog", item: `{"message":"m","id":"i","ddsource":"s","ddtags":"a:b","timestamp":5}`,
			want: Entry{Message: "m", ID: "i", Source: "s", Tags: "a:b", Millis: 5},
		},
		"for the generic intake": {
			kind: "http", item: `{"message":"m","id":"i","source":"s","tags":["a:b"]}`,
			want: Entry{Message: "m", ID: "i", Source: "s", Tags: `["a:b"]`},
		},
		"for nobody":       {kind: "smoke", item: `{}`, says: `no intake for a destination of type "smoke"`},
		"no object":        {kind: "http", item: `[]`, says: "not an object"},
		"a member twice":   {kind: "http", item: `{"a":1,"a":2}`, says: "twice"},
		"not JSON at all":  {kind: "datadog", item: `{`, says: "not JSON"},
		"nothing whatever": {kind: "datadog", says: "not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Item(tc.kind, []byte(tc.item))
			if tc.says != "" {
				require.ErrorContains(t, err, tc.says)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestIntakeDown(t *testing.T) {
	s := newDatadog(t)
	client := newClient(t)
	require.NoError(t, s.Down())
	_, err := good(`[{"message":"a"}]`).send(t, client, s)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.NoError(t, s.Up())

	_, err = good(`[{"message":"a"}]`).send(t, client, s)

	require.NoError(t, err)
	assert.Equal(t, 1, s.Taken())
}

func TestTLS(t *testing.T) {
	authority, err := certificate.New()
	require.NoError(t, err)
	config, err := authority.Server(time.Now(), "127.0.0.1")
	require.NoError(t, err)
	s, err := StartDatadogTLS(config, key)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })

	_, err = good(`[{"message":"a"}]`).send(t, newClient(t), s)

	assert.True(t, strings.HasPrefix(s.URL(), "https://127.0.0.1:"))
	require.ErrorContains(t, err, "certificate", "a client that does not know the authority")
	assert.Empty(t, s.Requests())
}

// A server that is slow in either direction takes what a patient client sends.
func TestSlow(t *testing.T) {
	for name, step := range map[string]Step{"to listen": {Listen: time.Millisecond}, "to speak": {Speak: time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			s := newDatadog(t)
			s.SetScript(Always(step))
			p := good(`[{"message":"` + strings.Repeat("x", 10_000) + `"}]`)

			resp, err := p.send(t, newClient(t), s)

			require.NoError(t, err)
			assert.Equal(t, http.StatusAccepted, resp.StatusCode)
			assert.Equal(t, 1, s.Taken())
		})
	}
}

// A client that does not wait for a slow listener has not been heard.
func TestSlowListenerIsReleased(t *testing.T) {
	s := newDatadog(t)
	s.SetScript(Always(Step{Listen: time.Hour}))
	done, client, request := make(chan error, 1), newClient(t), good(`[{"message":"a"}]`).request(t, s)
	go func() {
		resp, err := client.Do(request)
		if err == nil {
			err = resp.Body.Close()
		}
		done <- err
	}()
	require.Eventually(t, func() bool { return len(s.Requests()) == 1 }, 10*time.Second, time.Millisecond)

	s.Release()

	require.NoError(t, <-done)
	assert.Equal(t, 1, s.Taken(), "released, it listens as fast as others")
}
