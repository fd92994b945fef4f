package forward

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRefusingReturnsEveryEvent(t *testing.T) {
	wrong := errors.New("SLUICE_SITE is wrong")
	f := Refusing(wrong)
	for name, h := range handlers(t) {
		for _, event := range [][]byte{h.event, h.event, nil, []byte("{")} {
			answer, err := h.handler(f).Invoke(lambdaContext(t), event)
			assert.ErrorIs(t, err, wrong, name)
			assert.ErrorContains(t, err, "not configured, event returned: ")
			assert.Nil(t, answer)
		}
	}
}

// stderr is what run writes to the process's standard error.
func stderr(t *testing.T, run func()) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	require.NoError(t, err)
	usual := os.Stderr
	defer func() { os.Stderr = usual }()
	os.Stderr = file
	run()
	require.NoError(t, file.Close())
	text, err := os.ReadFile(file.Name())
	require.NoError(t, err)
	return string(text)
}

func TestFromEnvironment(t *testing.T) {
	t.Setenv("SLUICE_API_KEY", "plain:"+canary)
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "sluice")
	t.Setenv("AWS_REGION", "eu-west-1")

	t.Run("wrong settings refuse every event, and say so once", func(t *testing.T) {
		t.Setenv("SLUICE_COMPRESSION", "brotli")
		t.Setenv("SLUICE_MAX_IN_FLIGHT", "many")
		var f *Forwarder
		log := stderr(t, func() { f = FromEnvironment(t.Context()) })
		assert.Equal(t, 1, strings.Count(log, "\n"), log)
		assert.Contains(t, log, "every event is returned")
		_, err := CloudWatch(f).Invoke(lambdaContext(t), handlers(t)["cloudwatch"].event)
		for _, text := range []string{log, err.Error()} {
			assert.Contains(t, text, "SLUICE_COMPRESSION")
			assert.Contains(t, text, "SLUICE_MAX_IN_FLIGHT", "everything at once")
			assert.NotContains(t, text, canary)
		}
	})
	t.Run("what cannot be wired refuses every event", func(t *testing.T) {
		bundle := filepath.Join(t.TempDir(), "ca.pem")
		t.Setenv("SLUICE_CA_BUNDLE", bundle)
		log := stderr(t, func() { assert.Error(t, FromEnvironment(t.Context()).refusal) })
		assert.Contains(t, log, "SLUICE_CA_BUNDLE")
	})
	t.Run("good settings", func(t *testing.T) {
		t.Setenv("DD_MAX_WORKERS", "5")
		var f *Forwarder
		log := stderr(t, func() { f = FromEnvironment(t.Context()) })
		require.NoError(t, f.refusal)
		assert.Equal(t, Function{Name: "sluice", Region: "eu-west-1"}, f.function)
		assert.Equal(t, "datadog", f.lanes[0].sender.Destination().ID())
		assert.Contains(t, log, "DD_MAX_WORKERS", "warnings are written")
		assert.NotContains(t, log, canary)
	})
}

// Settings that could not be fetched when the container started are fetched again: it is not lost for good.
func TestSettingsAreReadAgain(t *testing.T) {
	r := newRig(t, oneHTTP)
	var err error
	reads := 0
	now := start // of the clock
	f := Refusing(errors.New("the store does not answer"))
	f.out, f.now = io.Discard, func() time.Time { return now }
	f.reload = func() (*Forwarder, error) {
		if reads++; reads < 2 {
			return nil, errors.New("still not")
		}
		return r.Forwarder, nil
	}
	event := direct(packed(t, document(t, "one")))
	for range 3 {
		_, err = CloudWatch(f).Invoke(lambdaContext(t), event)
		require.ErrorContains(t, err, "the store does not answer")
	}
	assert.Equal(t, 1, reads, "not at every event")

	now = now.Add(reloadEvery)
	for range 2 {
		_, err = CloudWatch(f).Invoke(lambdaContext(t), event)
		require.NoError(t, err)
	}
	assert.Equal(t, 2, reads)
	assert.Len(t, r.intake.messages(t, archiveHost), 2)
}
