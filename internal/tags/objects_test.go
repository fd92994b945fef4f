package tags

import (
	"context"
	"crypto/md5" // as S3 makes ETags
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bucketServer is a server of S3 with one bucket, as far as objects need it.
type bucketServer struct {
	objects map[string][]byte
	status  int // instead of an answer; 0: none
	header  http.Header
}

func etagOf(body []byte) string { return fmt.Sprintf(`"%x"`, md5.Sum(body)) }

func (b *bucketServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	b.header = r.Header
	there, found := b.objects[r.URL.Path]
	match := r.Header.Get("If-Match")
	sum := sha256.Sum256(body)
	switch {
	case b.status != 0:
		w.WriteHeader(b.status)
	case r.Header.Get("X-Amz-Expected-Bucket-Owner") != "123456789012":
		w.WriteHeader(http.StatusForbidden)
	case r.Method == http.MethodGet && !found, match != "" && !found:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodGet:
		w.Header().Set("ETag", etagOf(there))
		_, _ = w.Write(there)
	case found && r.Header.Get("If-None-Match") == "*", match != "" && match != etagOf(there):
		w.WriteHeader(http.StatusPreconditionFailed)
	case r.Header.Get("X-Amz-Checksum-Sha256") != base64.StdEncoding.EncodeToString(sum[:]):
		w.WriteHeader(http.StatusBadRequest)
	default:
		b.objects[r.URL.Path] = body
		w.Header().Set("ETag", etagOf(body))
	}
}

func newObjects(t *testing.T, o ObjectsOptions) (*Objects, *bucketServer) {
	t.Helper()
	b := &bucketServer{objects: map[string][]byte{}}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	client := s3.New(s3.Options{
		Region: "eu-west-1", BaseEndpoint: &server.URL, UsePathStyle: true,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "example"}, nil
		}),
		Retryer: retry.AddWithMaxBackoffDelay(retry.NewStandard(), time.Millisecond),
	})
	o.Bucket, o.Owner = "example-park", "123456789012"
	return NewObjects(client, o), b
}

func TestObjects(t *testing.T) {
	s, b := newObjects(t, ObjectsOptions{Prefix: "/sluice/", KMSKey: "alias/park"})
	body, version, err := s.Get(t.Context(), "aws/123456789012/eu-west-1/bucket")
	require.NoError(t, err)
	assert.Empty(t, body)
	assert.Empty(t, version)

	put := func(text, version string) error {
		return s.Put(t.Context(), "aws/123456789012/eu-west-1/bucket", []byte(text), version)
	}
	require.ErrorIs(t, put("x", `"0"`), ErrChanged, "it was deleted")
	require.NoError(t, put("first", ""))
	assert.Equal(t, "aws:kms", b.header.Get("X-Amz-Server-Side-Encryption"))
	assert.Equal(t, "alias/park", b.header.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"))
	require.ErrorIs(t, put("second", ""), ErrChanged)
	body, version, err = s.Get(t.Context(), "aws/123456789012/eu-west-1/bucket")
	require.NoError(t, err)
	assert.Equal(t, "first", string(body))
	require.NoError(t, put("second", version))
	require.ErrorIs(t, put("third", version), ErrChanged)
	assert.Equal(t, map[string][]byte{"/example-park/sluice/v1/tags/aws/123456789012/eu-west-1/bucket.json": []byte("second")}, b.objects)

	s, b = newObjects(t, ObjectsOptions{})
	require.NoError(t, s.Put(t.Context(), "n", nil, ""))
	assert.Contains(t, b.objects, "/example-park/v1/tags/n.json")
}

func TestObjectsInTrouble(t *testing.T) {
	s, b := newObjects(t, ObjectsOptions{})
	for status, want := range map[int]struct{ get, put string }{
		http.StatusForbidden:           {"", "grant the function s3:GetObject and s3:PutObject on example-park/v1/tags/*"},
		http.StatusNotFound:            {"", "write s3://example-park/v1/tags/n.json"},
		http.StatusInternalServerError: {"read s3://example-park/v1/tags/n.json", "write s3://example-park/v1/tags/n.json"},
		http.StatusConflict:            {"read s3://example-park/v1/tags/n.json", "somebody else has written it since it was read"},
	} {
		b.status = status
		_, version, err := s.Get(t.Context(), "n")
		assert.Empty(t, version)
		if want.get == "" {
			require.NoError(t, err, "it counts as none")
		} else {
			require.ErrorContains(t, err, want.get)
		}
		err = s.Put(t.Context(), "n", nil, "")
		require.ErrorContains(t, err, want.put)
		require.Equal(t, status == http.StatusConflict, strings.Contains(err.Error(), ErrChanged.Error()))
	}

	b.status = 0
	b.objects["/example-park/v1/tags/n.json"] = make([]byte, 2*MaxDocumentBytes)
	body, _, err := s.Get(t.Context(), "n")
	require.NoError(t, err)
	assert.Len(t, body, MaxDocumentBytes+1, "no more than shows that it is too large")
}

// answers is a client of S3 that answers what it is told.
type answers struct{ body io.Reader }

func (a answers) GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	return &s3.GetObjectOutput{Body: io.NopCloser(a.body)}, nil
}

func (answers) PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	return &s3.PutObjectOutput{}, nil
}

type cutShort struct{}

func (cutShort) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestObjectsThatAreNone(t *testing.T) {
	_, _, err := NewObjects(answers{strings.NewReader("x")}, ObjectsOptions{Bucket: "b"}).Get(t.Context(), "n")
	require.ErrorContains(t, err, "no ETag")
	_, _, err = NewObjects(answers{cutShort{}}, ObjectsOptions{Bucket: "b"}).Get(t.Context(), "n")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}
