package park

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPutOverHTTP speaks to a server through the SDK's client: what arrives is what S3 checks.
func TestPutOverHTTP(t *testing.T) {
	var mu sync.Mutex
	stored := map[string][]byte{}
	var requests []*http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		mu.Lock()
		defer mu.Unlock()
		requests = append(requests, r)
		_, there := stored[r.URL.Path]
		sum := sha256.Sum256(body)
		switch {
		case len(requests) == 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.Header.Get("X-Amz-Checksum-Sha256") != base64.StdEncoding.EncodeToString(sum[:]):
			w.WriteHeader(http.StatusBadRequest)
		case there && r.Header.Get("If-None-Match") == "*":
			w.WriteHeader(http.StatusPreconditionFailed)
		default:
			stored[r.URL.Path] = body
		}
	}))
	defer server.Close()
	client := s3.New(s3.Options{
		Region: "eu-west-1", BaseEndpoint: &server.URL, UsePathStyle: true,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "example"}, nil
		}),
		Retryer: retry.AddWithMaxBackoffDelay(retry.NewStandard(), time.Millisecond),
	})
	store := New(client, Options{Bucket: "example-park", Prefix: "sluice", Owner: "123456789012"})
	for range 2 {
		key, err := store.PutDead(t.Context(), tail())
		require.NoError(t, err)
		h, err := Decode(bytes.NewReader(stored["/example-park/"+key]))
		require.NoError(t, err)
		assert.Equal(t, "AWSLogs/a b&<ü>.gz", h.Sources[0].Key)
	}
	require.Len(t, requests, 3)
	assert.Len(t, stored, 1)
	for _, r := range requests {
		assert.Equal(t, http.MethodPut, r.Method)
		assert.Equal(t, "fwd-state=dead", r.Header.Get("X-Amz-Tagging"))
		assert.Equal(t, "decode_gzip", r.Header.Get("X-Amz-Meta-Reason"))
		assert.Equal(t, "123456789012", r.Header.Get("X-Amz-Expected-Bucket-Owner"))
		assert.Equal(t, "application/gzip", r.Header.Get("Content-Type"))
		assert.NotContains(t, r.Header.Get("Content-Encoding"), "aws-chunked")
		assert.Empty(t, r.Header.Get("X-Amz-Trailer"))
	}
}
