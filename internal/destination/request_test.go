package destination_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/compress"
	"sluice/internal/destination"
)

func gzipCodec(t *testing.T) compress.Codec {
	t.Helper()
	codec, err := compress.Gzip(2)
	require.NoError(t, err)
	return codec
}

func TestNewRequestHeaders(t *testing.T) {
	for name, tc := range map[string]struct {
		codec    compress.Codec
		encoding []string
	}{
		"plain bytes have no Content-Encoding": {codec: compress.Plain{}},
		"packed bytes name their coding":       {codec: gzipCodec(t), encoding: []string{"gzip"}},
	} {
		t.Run(name, func(t *testing.T) {
			packed := tc.codec.Append(nil, []byte("[{}]"))
			req, err := destination.NewRequest(t.Context(), http.MethodPut, "https://intake.example.com/logs?a=b",
				destination.Body{Bytes: packed, Codec: tc.codec, BatchID: "batch.0"})
			require.NoError(t, err)

			assert.Equal(t, http.MethodPut, req.Method)
			assert.Equal(t, "https://intake.example.com/logs?a=b", req.URL.String())
			assert.Equal(t, t.Context(), req.Context())
			assert.EqualValues(t, len(packed), req.ContentLength)
			want := http.Header{"Idempotency-Key": {"batch.0"}, "X-Forwarder-Batch": {"batch.0"}}
			if tc.encoding != nil {
				want["Content-Encoding"] = tc.encoding
			}
			assert.Equal(t, want, req.Header)
			sent, err := io.ReadAll(req.Body)
			require.NoError(t, err)
			assert.Equal(t, packed, sent)
			assert.Nil(t, req.GetBody)
		})
	}
}

func TestNewRequestErrorHidesURL(t *testing.T) {
	for name, tc := range map[string]struct{ method, url string }{
		"URL that cannot be read":          {http.MethodPost, "https://intake.example.com/%zz/tok3n"},
		"password that reads like a port":  {http.MethodPost, "https://user:tok3n/x@intake.example.com"},
		"method that is no token":          {"PO ST", "https://intake.example.com/tok3n"},
		"control character inside the URL": {http.MethodPost, "https://intake.example.com/tok3n\n"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := destination.NewRequest(t.Context(), tc.method, tc.url, destination.Body{Codec: compress.Plain{}})
			require.ErrorContains(t, err, "check the url")
			assert.NotContains(t, err.Error(), "tok3n")
		})
	}
}

// hangUp ends the connection of a request without an answer.
func hangUp(t *testing.T, w http.ResponseWriter) {
	t.Helper()
	conn, _, err := http.NewResponseController(w).Hijack()
	if assert.NoError(t, err) {
		conn.Close()
	}
}

// The hidden second attempt is one that no ledger sees: one request in, one request out.
func TestNewRequestIsNotRepeatedByNetHTTP(t *testing.T) {
	for name, tc := range map[string]struct {
		second func(t *testing.T, w http.ResponseWriter)
		status int // of the answer; 0 when there is none
	}{
		"kept connection dies: the error comes back": {second: hangUp},
		"redirect that keeps the method: not followed": {
			second: func(_ *testing.T, w http.ResponseWriter) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(http.StatusTemporaryRedirect)
			},
			status: http.StatusTemporaryRedirect,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var seen atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got, err := io.ReadAll(r.Body)
				assert.NoError(t, err)
				assert.Equal(t, "[{}]", string(got))
				if seen.Add(1) > 1 { // the first request leaves a connection that is kept
					tc.second(t, w)
				}
			}))
			defer server.Close()

			send := func() (*http.Response, error) {
				req, err := destination.NewRequest(context.WithoutCancel(t.Context()), http.MethodPost, server.URL,
					destination.Body{Bytes: []byte("[{}]"), Codec: compress.Plain{}, BatchID: "batch"})
				require.NoError(t, err)
				resp, err := server.Client().Do(req)
				if err == nil {
					_, copyErr := io.Copy(io.Discard, resp.Body)
					require.NoError(t, copyErr)
					resp.Body.Close()
				}
				return resp, err
			}
			_, err := send()
			require.NoError(t, err)
			resp, err := send()
			if tc.status == 0 {
				require.Error(t, err)
				assert.True(t, strings.Contains(err.Error(), "EOF") || strings.Contains(err.Error(), "reset"), err)
			} else {
				require.NoError(t, err)
				assert.Equal(t, tc.status, resp.StatusCode)
			}
			assert.EqualValues(t, 2, seen.Load(), "requests the server saw")
		})
	}
}
