package bucket

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/stack"
)

const logs = "example-logs"

func start(t *testing.T) *Server {
	t.Helper()
	s, err := Start(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.CreateBucket(t.Context(), logs, false))
	return s
}

// client is what a function would use, without retries.
func client(s *Server) *s3.Client {
	return s3.New(s3.Options{
		Region:       stack.Region,
		BaseEndpoint: aws.String(s.URL()),
		Retryer:      aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: AccessKey, SecretAccessKey: Secret}, nil
		}),
	})
}

func get(key string, change func(*s3.GetObjectInput)) *s3.GetObjectInput {
	in := &s3.GetObjectInput{Bucket: aws.String(logs), Key: &key}
	if change != nil {
		change(in)
	}
	return in
}

// read gets an object as a function would: what arrived and how it ended.
func read(ctx context.Context, c *s3.Client, in *s3.GetObjectInput) ([]byte, error) {
	out, err := c.GetObject(ctx, in)
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	return io.ReadAll(out.Body)
}

func code(t *testing.T, err error) string {
	t.Helper()
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	return api.ErrorCode()
}

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it does not fail
	return b
}

func TestTheServerBehindTheProxy(t *testing.T) {
	s := start(t)
	c := client(s)
	ctx := t.Context()

	t.Run("odd keys keep their signatures", func(t *testing.T) {
		for _, key := range []string{
			"plain.log", "my app/a+b/naïve (copy).log", "100%25/%2F", "PAWSLogs/2024-02-01T00:00.gz", "year=2024/*~'!@", "a&b?c#d",
		} {
			_, err := s.PutObject(ctx, logs, key, strings.NewReader(key))
			require.NoError(t, err, key)
			body, err := read(ctx, c, get(key, nil))
			require.NoError(t, err, key)
			assert.Equal(t, key, string(body))
			require.Len(t, s.RequestsOf(logs, key), 1)
			seen := s.RequestsOf(logs, key)[0]
			assert.Equal(t, http.MethodGet, seen.Method)
			assert.Equal(t, http.StatusOK, seen.Status)
			assert.Equal(t, int64(len(key)), seen.Bytes)
			assert.True(t, seen.Whole)
		}
	})
	t.Run("what the test puts is described and in no log", func(t *testing.T) {
		before := len(s.Requests())
		o, err := s.PutObject(ctx, logs, "folder/described", bytes.NewReader([]byte("12345")), func(in *s3.PutObjectInput) {
			in.ContentEncoding = aws.String("gzip")
		})
		require.NoError(t, err)
		next, err := s.PutObject(ctx, logs, "folder/described", bytes.NewReader([]byte("123456")))
		require.NoError(t, err)
		assert.Equal(t, int64(5), o.Size)
		assert.Equal(t, "827ccb0eea8a706c4c34a16891f84e7b", o.ETag)
		assert.Regexp(t, `^[0-9A-F]{18}$`, o.Sequencer)
		assert.Less(t, o.Sequencer, next.Sequencer)
		list, err := s.List(ctx, logs, "folder/")
		require.NoError(t, err)
		require.Len(t, list, 1)
		assert.Equal(t, next.ETag, list[0].ETag)
		assert.Equal(t, int64(6), list[0].Size)
		body, err := s.Get(ctx, logs, "folder/described")
		require.NoError(t, err)
		assert.Equal(t, "123456", string(body))
		require.NoError(t, s.Delete(ctx, logs, "folder/described"))
		_, err = s.Get(ctx, logs, "folder/described")
		assert.Equal(t, "NoSuchKey", code(t, err))
		assert.Len(t, s.Requests(), before)
	})
	t.Run("ranges and conditions are the server's", func(t *testing.T) {
		o, err := s.PutObject(ctx, logs, "ranged", strings.NewReader("0123456789"))
		require.NoError(t, err)
		part := func(in *s3.GetObjectInput) {
			in.Range, in.IfMatch = aws.String("bytes=5-"), aws.String(`"`+o.ETag+`"`)
		}
		body, err := read(ctx, c, get("ranged", part))
		require.NoError(t, err)
		assert.Equal(t, "56789", string(body))
		_, err = s.PutObject(ctx, logs, "ranged", strings.NewReader("another"))
		require.NoError(t, err)
		_, err = read(ctx, c, get("ranged", part))
		assert.Equal(t, "PreconditionFailed", code(t, err))
		seen := s.RequestsOf(logs, "ranged")
		require.Len(t, seen, 2)
		assert.Equal(t, "bytes=5-", seen[0].Range)
		assert.Equal(t, `"`+o.ETag+`"`, seen[0].IfMatch)
		assert.Equal(t, http.StatusPartialContent, seen[0].Status)
		assert.Equal(t, http.StatusPreconditionFailed, seen[1].Status)
	})
	t.Run("a bucket belongs to the account of the stack", func(t *testing.T) {
		_, err := s.PutObject(ctx, logs, "owned", strings.NewReader("mine"))
		require.NoError(t, err)
		body, err := read(ctx, c, get("owned", func(in *s3.GetObjectInput) { in.ExpectedBucketOwner = aws.String(stack.Account) }))
		require.NoError(t, err)
		assert.Equal(t, "mine", string(body))
		_, err = read(ctx, c, get("owned", func(in *s3.GetObjectInput) { in.ExpectedBucketOwner = aws.String("111122223333") }))
		assert.Equal(t, "AccessDenied", code(t, err))
		assert.Equal(t, "111122223333", s.RequestsOf(logs, "owned")[1].ExpectedOwner)
	})
	t.Run("the secret counts", func(t *testing.T) {
		_, err := read(ctx, c, get("owned", nil))
		require.NoError(t, err)
		forger := s3.New(s3.Options{Region: stack.Region, BaseEndpoint: aws.String(s.URL()), Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: AccessKey, SecretAccessKey: "guessed"}, nil
		})})
		_, err = read(ctx, forger, get("owned", nil))
		assert.Equal(t, "SignatureDoesNotMatch", code(t, err))
	})
	t.Run("a function writes, once where it asks for that", func(t *testing.T) {
		put := func(body []byte) error {
			_, err := c.PutObject(ctx, &s3.PutObjectInput{
				Bucket: aws.String(logs), Key: aws.String("parked"), Body: bytes.NewReader(body), IfNoneMatch: aws.String("*"),
			})
			return err
		}
		large := noise(3 << 20)
		require.NoError(t, put(large))
		for range 10 {
			assert.Equal(t, "PreconditionFailed", code(t, put(large)), "whoever is faster")
		}
		body, err := s.Get(ctx, logs, "parked")
		require.NoError(t, err)
		assert.Equal(t, large, body)
	})
	t.Run("a large body for a missing bucket", func(t *testing.T) {
		for _, size := range []int{1 << 10, 1 << 20, 5 << 20} {
			_, err := c.PutObject(ctx, &s3.PutObjectInput{
				Bucket: aws.String("no-such-logs"), Key: aws.String("k"), Body: bytes.NewReader(make([]byte, size)),
			})
			assert.Equal(t, "NoSuchBucket", code(t, err))
		}
	})
	t.Run("a missing key and a head of one", func(t *testing.T) {
		_, err := read(ctx, c, get("missing", nil))
		assert.Equal(t, "NoSuchKey", code(t, err))
		_, err = c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String(logs), Key: aws.String("missing")})
		assert.Equal(t, "NotFound", code(t, err))
	})
	t.Run("a body that cannot seek", func(t *testing.T) {
		want := noise(1 << 20)
		o, err := s.PutObject(ctx, logs, "piped", io.MultiReader(bytes.NewReader(want[:5]), bytes.NewReader(want[5:])))
		require.NoError(t, err)
		assert.Equal(t, int64(len(want)), o.Size)
		body, err := read(ctx, c, get("piped", nil))
		require.NoError(t, err)
		assert.Equal(t, want, body)
	})
	t.Run("folder markers and empty objects", func(t *testing.T) {
		for _, key := range []string{"marked/", "nothing"} {
			o, err := s.PutObject(ctx, logs, key, strings.NewReader(""))
			require.NoError(t, err, key)
			assert.Zero(t, o.Size)
			body, err := read(ctx, c, get(key, nil))
			require.NoError(t, err, key)
			assert.Empty(t, body)
			assert.True(t, s.RequestsOf(logs, key)[0].Whole)
		}
	})
	t.Run("keys the server would change are refused", func(t *testing.T) {
		for _, key := range []string{"a//b", "/a", "a/./b", "a/../b", "..", "a//"} {
			_, err := s.PutObject(ctx, logs, key, strings.NewReader("x"))
			assert.ErrorContains(t, err, "dotted part", key)
		}
	})
	t.Run("a body that fails is not stored", func(t *testing.T) {
		_, err := s.PutObject(ctx, logs, "failing", io.MultiReader(strings.NewReader("some"), failing{}))
		require.ErrorIs(t, err, errBody)
		_, err = s.Get(ctx, logs, "failing")
		assert.Equal(t, "NoSuchKey", code(t, err))
	})
	t.Run("a versioned bucket keeps what is overwritten", func(t *testing.T) {
		require.NoError(t, s.CreateBucket(ctx, "versioned-logs", true))
		first, err := s.PutObject(ctx, "versioned-logs", "k", strings.NewReader("first"))
		require.NoError(t, err)
		second, err := s.PutObject(ctx, "versioned-logs", "k", strings.NewReader("second"))
		require.NoError(t, err)
		assert.NotEqual(t, first.VersionID, second.VersionID)
		body, err := read(ctx, c, get("k", func(in *s3.GetObjectInput) {
			in.Bucket, in.VersionId = aws.String("versioned-logs"), &first.VersionID
		}))
		require.NoError(t, err)
		assert.Equal(t, "first", string(body))
		assert.Equal(t, first.VersionID, s.RequestsOf("versioned-logs", "k")[0].VersionID)
	})
}

var errBody = errors.New("no more")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errBody }

func TestNthCountsByMethodAndKey(t *testing.T) {
	s := start(t)
	c := client(s)
	for _, key := range []string{"a", "b", "a"} {
		_, err := read(t.Context(), c, get(key, nil))
		assert.Error(t, err)
	}
	var nth []int
	for _, r := range s.Requests() {
		nth = append(nth, r.Nth)
	}
	assert.Equal(t, []int{1, 1, 2}, nth)
}

func TestServersAreIndependentAndLeaveNothing(t *testing.T) {
	a, b := start(t), start(t)
	_, err := a.PutObject(t.Context(), logs, "k", strings.NewReader("a"))
	require.NoError(t, err)
	_, err = b.Get(t.Context(), logs, "k")
	assert.Equal(t, "NoSuchKey", code(t, err))
	folder := a.gateway.folder
	assert.DirExists(t, folder)
	require.NoError(t, a.Close())
	assert.NoDirExists(t, folder)
	require.NoError(t, a.Close(), "closing twice does no harm")
}

func TestStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Start(ctx)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestEnvLetsAFunctionIn(t *testing.T) {
	s := &Server{}
	s.proxy = start(t).proxy
	env := s.Env()
	assert.Equal(t, s.URL(), env["AWS_ENDPOINT_URL_S3"])
	assert.Equal(t, Secret, env["AWS_SECRET_ACCESS_KEY"])
	token, set := env["AWS_SESSION_TOKEN"]
	assert.True(t, set && token == "", "else the function sends the invented one")
}
