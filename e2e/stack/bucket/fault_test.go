package bucket

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const waiting = 10 * time.Second

func TestFaults(t *testing.T) {
	s := start(t)
	c := client(s)
	content := noise(1 << 20)
	const key = "some/object.gz"
	_, err := s.PutObject(t.Context(), logs, key, bytes.NewReader(content))
	require.NoError(t, err)

	t.Run("refusals read as S3's own", func(t *testing.T) {
		for want, step := range map[string]Step{
			"SlowDown": SlowDown(), "AccessDenied": AccessDenied(), "KMS.DisabledException": KMSDisabled(), "NoSuchKey": NoSuchKey(),
			"PreconditionFailed": PreconditionFailed(), "InvalidObjectState": Refuse(http.StatusForbidden, "InvalidObjectState", "archived"),
		} {
			s.SetScript(Sequence(step))
			_, err := read(t.Context(), c, get(key, nil))
			assert.Equal(t, want, code(t, err))
			_, err = read(t.Context(), c, get(key, nil))
			require.NoError(t, err, "after %s", want)
		}
		s.SetScript(Sequence(KMSDenied(), AccessDenied()))
		_, err := read(t.Context(), c, get(key, nil))
		assert.ErrorContains(t, err, "kms:Decrypt")
		_, err = c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String(logs), Key: aws.String(key)})
		assert.Equal(t, "Forbidden", code(t, err))
	})
	t.Run("a large body is refused", func(t *testing.T) {
		for _, size := range []int{1 << 20, 5 << 20} {
			s.SetScript(Sequence(SlowDown()))
			_, err := c.PutObject(t.Context(), &s3.PutObjectInput{
				Bucket: aws.String(logs), Key: aws.String("refused"), Body: bytes.NewReader(make([]byte, size)),
			})
			assert.Equal(t, "SlowDown", code(t, err))
		}
	})
	t.Run("reset in mid-body", func(t *testing.T) {
		s.SetScript(Sequence(CutAfter(300_000)))
		body, err := read(t.Context(), c, get(key, nil))
		assert.ErrorIs(t, err, syscall.ECONNRESET)
		assert.LessOrEqual(t, len(body), 300_000)
		assert.True(t, bytes.HasPrefix(content, body))
		seen := last(s)
		assert.Equal(t, int64(300_000), seen.Bytes)
		assert.False(t, seen.Whole)
	})
	t.Run("short body", func(t *testing.T) {
		s.SetScript(Sequence(ShortAfter(300_000)))
		body, err := read(t.Context(), c, get(key, nil))
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
		assert.Equal(t, content[:300_000], body)
	})
	t.Run("a body shorter than the fault passes", func(t *testing.T) {
		s.SetScript(Sequence(ShortAfter(1 << 30)))
		body, err := read(t.Context(), c, get(key, nil))
		require.NoError(t, err)
		assert.Equal(t, content, body)
		assert.True(t, last(s).Whole)
	})
	t.Run("overwritten in mid-read", func(t *testing.T) {
		etag := ""
		s.SetScript(Sequence(Step{After: 100_000, End: Reset, Do: func() {
			o, err := s.PutObject(t.Context(), logs, key, strings.NewReader("new"))
			assert.NoError(t, err)
			etag = o.ETag
		}}))
		out, err := c.GetObject(t.Context(), get(key, nil))
		require.NoError(t, err)
		body, err := io.ReadAll(out.Body)
		assert.Error(t, err)
		assert.True(t, bytes.HasPrefix(content, body), "what was begun is the old content")
		_, err = read(t.Context(), c, get(key, func(in *s3.GetObjectInput) {
			in.Range, in.IfMatch = aws.String("bytes=1-"), out.ETag
		}))
		assert.Equal(t, "PreconditionFailed", code(t, err))
		assert.NotEqual(t, aws.ToString(out.ETag), `"`+etag+`"`)

		_, err = s.PutObject(t.Context(), logs, key, bytes.NewReader(content))
		require.NoError(t, err)
		s.SetScript(Sequence(During(100_000, func() {
			_, err := s.PutObject(t.Context(), logs, key, bytes.NewReader(content))
			assert.NoError(t, err)
		})))
		body, err = read(t.Context(), c, get(key, nil))
		require.NoError(t, err)
		assert.Equal(t, content, body, "and may be read to its end")
	})
	t.Run("a stall that the client gives up", func(t *testing.T) {
		s.SetScript(Sequence(StallAfter(1_000, UntilReleased), SlowFirstByte(UntilReleased)))
		ctx, cancel := context.WithCancel(t.Context())
		out, err := c.GetObject(ctx, get(key, nil))
		require.NoError(t, err)
		_, err = io.ReadFull(out.Body, make([]byte, 1_000))
		require.NoError(t, err, "what was sent before arrives")
		cancel()
		_, err = out.Body.Read(make([]byte, 1))
		assert.ErrorIs(t, err, context.Canceled)
		require.Eventually(t, func() bool { return strings.Contains(last(s).Reason, "stalled") }, waiting, time.Millisecond)

		ctx, cancel = context.WithCancel(t.Context())
		refused := make(chan error, 1)
		go func() { _, err := read(ctx, c, get(key, nil)); refused <- err }()
		require.Eventually(t, func() bool { return last(s).Reason == "" }, waiting, time.Millisecond)
		cancel()
		assert.ErrorIs(t, <-refused, context.Canceled)
		require.Eventually(t, func() bool { return strings.Contains(last(s).Reason, "delay") }, waiting, time.Millisecond)
		assert.Zero(t, last(s).Status)
	})
	t.Run("a stall that ends by itself, then one that is released", func(t *testing.T) {
		s.SetScript(Sequence(StallAfter(10, time.Millisecond), Step{Delay: time.Millisecond, Stall: UntilReleased}))
		_, err := read(t.Context(), c, get(key, nil))
		require.NoError(t, err)
		done := make(chan error, 1)
		go func() { _, err := read(t.Context(), c, get(key, nil)); done <- err }()
		require.Eventually(t, func() bool { return last(s).Status == http.StatusOK }, waiting, time.Millisecond)
		s.Release()
		assert.NoError(t, <-done)
	})
}

func last(s *Server) Request {
	requests := s.Requests()
	return requests[len(requests)-1]
}

func TestRulesChooseByRequest(t *testing.T) {
	script := Rules(
		Rule{Method: http.MethodGet, Bucket: "b", Key: "k", Nth: 2, Step: SlowDown()},
		Rule{Method: http.MethodPut, Step: AccessDenied()},
		Rule{Key: "gone", Step: NoSuchKey()},
	)
	for name, tc := range map[string]struct {
		arrival Arrival
		want    Step
	}{
		"the second get":       {Arrival{Method: http.MethodGet, Bucket: "b", Key: "k", Nth: 2}, SlowDown()},
		"the first get":        {Arrival{Method: http.MethodGet, Bucket: "b", Key: "k", Nth: 1}, Step{}},
		"another bucket":       {Arrival{Method: http.MethodGet, Bucket: "c", Key: "k", Nth: 2}, Step{}},
		"any put":              {Arrival{Method: http.MethodPut, Bucket: "c", Key: "k", Nth: 9}, AccessDenied()},
		"any request of a key": {Arrival{Method: http.MethodHead, Bucket: "c", Key: "gone"}, NoSuchKey()},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tc.want, script(tc.arrival)) })
	}
}
