package loopback

import (
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestServe(t *testing.T) {
	s, err := Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") }))
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(s.URL(), "http://127.0.0.1:"))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func() (*http.Response, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL(), http.NoBody)
		require.NoError(t, err)
		return client.Do(req)
	}

	resp, err := get()

	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "here", string(body))
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "closing twice is harmless")
	after, err := get()
	if err == nil {
		after.Body.Close()
	}
	assert.Error(t, err)
}

func TestDownAndUp(t *testing.T) {
	s, err := Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") }))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	get := func() error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL(), http.NoBody)
		require.NoError(t, err)
		resp, err := new(http.Client).Do(req)
		if err == nil {
			err = resp.Body.Close()
		}
		return err
	}
	require.NoError(t, get())
	for range 3 {
		require.NoError(t, s.Down())
		require.NoError(t, s.Down(), "twice is harmless")
		require.ErrorIs(t, get(), syscall.ECONNREFUSED)

		require.NoError(t, s.Up())
		require.NoError(t, s.Up(), "twice is harmless")
		require.NoError(t, get(), "it is where it was")
	}
	require.NoError(t, s.Down())
}
