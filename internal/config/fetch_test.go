package config

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/awsenv"
	"sluice/internal/secret"
)

// bucket starts a stand-in for S3 on the loopback interface and points the SDK at it. It returns what was asked.
func bucket(t *testing.T, status int, body string) *[]*http.Request {
	t.Helper()
	var seen []*http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r)
		w.WriteHeader(status)
		_, err := io.WriteString(w, body)
		assert.NoError(t, err)
	}))
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_S3": server.URL, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
		"AWS_SECRET_ACCESS_KEY": "example", "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
		"AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	return &seen
}

func TestFetchObject(t *testing.T) {
	seen := bucket(t, http.StatusOK, "source: a\n")
	documents := NewDocuments(nil, awsenv.New(os.Getenv).Config)
	text, err := documents.Fetch(t.Context(), "s3://config/a/../b%20c.yaml?owner=123456789012&version=v1")
	require.NoError(t, err)
	assert.Equal(t, "source: a\n", string(text))
	require.Len(t, *seen, 1)
	asked := (*seen)[0]
	assert.Equal(t, "/config/a/../b%2520c.yaml", asked.RequestURI[:strings.IndexByte(asked.RequestURI, '?')], "the key is what it is")
	assert.Equal(t, "v1", asked.URL.Query().Get("versionId"))
	assert.Equal(t, "123456789012", asked.Header.Get("X-Amz-Expected-Bucket-Owner"))
}

func TestFetchObjectFails(t *testing.T) {
	for name, tc := range map[string]struct {
		reference string
		status    int
		body      string
		want      string
	}{
		"not allowed": {
			reference: "s3://b/k", status: 403, body: "<Error><Code>AccessDenied</Code></Error>",
			want: "(allow the role s3:GetObject on it",
		},
		"missing": {
			reference: "s3://b/k", status: 404, body: "<Error><Code>NoSuchKey</Code></Error>", want: "(check bucket, key and version)",
		},
		"unavailable":  {reference: "s3://b/k", status: 500, want: "read s3://b/k: "},
		"too large":    {reference: "s3://b/k", status: 200, body: strings.Repeat("#", maxDocumentBytes+1), want: "more than 1048576 bytes"},
		"no key":       {reference: "s3://b", want: "want s3://bucket/key"},
		"no bucket":    {reference: "s3:///k", want: "want s3://bucket/key"},
		"unknown name": {reference: "s3://b/k?region=x", want: "want s3://bucket/key"},
		"broken query": {reference: "s3://b/k?version=%zz", want: "want s3://bucket/key"},
	} {
		t.Run(name, func(t *testing.T) {
			seen := bucket(t, tc.status, tc.body)
			_, err := NewDocuments(nil, awsenv.New(os.Getenv).Config).Fetch(t.Context(), tc.reference)
			require.ErrorContains(t, err, tc.want)
			assert.Equal(t, tc.status != 0, len(*seen) == 1)
		})
	}
}

func TestFetchWithoutAnAWSConfiguration(t *testing.T) {
	errConfig := errors.New("no region")
	documents := NewDocuments(nil, func() (aws.Config, error) { return aws.Config{}, errConfig })
	_, err := documents.Fetch(t.Context(), "s3://b/k")
	require.ErrorIs(t, err, errConfig)
	require.ErrorContains(t, err, "read s3://b/k: ")
}

// parameters stands in for secret.Stores.
type parameters struct{ asked secret.Ref }

func (p *parameters) Parameter(_ context.Context, ref secret.Ref) (string, error) {
	p.asked = ref
	if ref.Locator() == "/missing" {
		return "", errors.New("read ssm:/missing: ParameterNotFound")
	}
	return "source: a\n", nil
}

func TestFetchParameter(t *testing.T) {
	var from parameters
	documents := NewDocuments(&from, nil)
	text, err := documents.Fetch(t.Context(), "ssm:/sluice/config")
	require.NoError(t, err)
	assert.Equal(t, "source: a\n", string(text))
	assert.Equal(t, "ssm:/sluice/config", from.asked.String())

	_, err = documents.Fetch(t.Context(), "ssm:/missing")
	require.ErrorContains(t, err, "ssm:/missing")
	_, err = documents.Fetch(t.Context(), "ssm:no name")
	require.ErrorContains(t, err, "name of a parameter")
}

func TestFetchFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sluice.yaml")
	documents := NewDocuments(nil, nil)
	_, err := documents.Fetch(t.Context(), "file:"+path)
	require.ErrorIs(t, err, os.ErrNotExist)

	require.NoError(t, os.WriteFile(path, []byte("source: a\n"), 0o600))
	text, err := documents.Fetch(t.Context(), "file:"+path)
	require.NoError(t, err)
	assert.Equal(t, "source: a\n", string(text))

	require.NoError(t, os.WriteFile(path, make([]byte, maxDocumentBytes+1), 0o600))
	_, err = documents.Fetch(t.Context(), "file:"+path)
	require.ErrorContains(t, err, "more than 1048576 bytes")
}
