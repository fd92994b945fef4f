package park

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

// bucket is a bucket in memory that takes conditions as S3 does.
type bucket struct {
	mu      sync.Mutex
	objects map[string]*lying
	writes  int
	asked   []string // "PUT key"

	fail     func(request string) error // instead of what was asked for
	lose     func(request string) error // after it was done: the answer is lost
	body     func(io.Reader) io.Reader  // of what is read
	plain    bool                       // it knows no conditional deletes
	modified time.Time                  // of all that is written
}

// lying is an object in a bucket.
type lying struct {
	body []byte
	etag string
	put  *s3.PutObjectInput
	at   time.Time
}

func newBucket() *bucket { return &bucket{objects: map[string]*lying{}} }

var testOptions = Options{Bucket: "example-park", Prefix: "sluice", Owner: "123456789012", KMSKey: "alias/park"}

// ask notes a request, and fails it if that is wanted.
func (b *bucket) ask(method, key string, name, owner *string) error {
	b.asked = append(b.asked, method+" "+key)
	switch {
	case aws.ToString(name) != testOptions.Bucket:
		return refusal(http.StatusNotFound, "NoSuchBucket")
	case aws.ToString(owner) != testOptions.Owner:
		return refusal(http.StatusForbidden, "AccessDenied")
	case b.fail != nil:
		return b.fail(method + " " + key)
	}
	return nil
}

func (b *bucket) answered(method, key string) error {
	if b.lose != nil {
		return b.lose(method + " " + key)
	}
	return nil
}

// conditions are those of a request on an object; there is none when it is nil.
func conditions(o *lying, ifNoneMatch, ifMatch *string) error {
	switch {
	case ifMatch != nil && o == nil:
		return refusal(http.StatusNotFound, "NoSuchKey")
	case ifMatch != nil && *ifMatch != o.etag, ifNoneMatch != nil && o != nil:
		return refusal(http.StatusPreconditionFailed, "PreconditionFailed")
	}
	return nil
}

func (b *bucket) PutObject(_ context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.ask("PUT", *in.Key, in.Bucket, in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(body); base64.StdEncoding.EncodeToString(sum[:]) != *in.ChecksumSHA256 {
		return nil, refusal(http.StatusBadRequest, "BadDigest")
	}
	if err := conditions(b.objects[*in.Key], in.IfNoneMatch, in.IfMatch); err != nil {
		return nil, err
	}
	b.writes++
	o := &lying{body: body, etag: fmt.Sprintf(`"%032x"`, b.writes), put: in, at: b.modified}
	b.objects[*in.Key] = o
	return &s3.PutObjectOutput{ETag: &o.etag}, b.answered("PUT", *in.Key)
}

func (b *bucket) GetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.ask("GET", *in.Key, in.Bucket, in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	o := b.objects[*in.Key]
	if o == nil {
		return nil, refusal(http.StatusNotFound, "NoSuchKey")
	}
	if err := conditions(o, nil, in.IfMatch); err != nil {
		return nil, err
	}
	var body io.Reader = bytes.NewReader(o.body)
	if b.body != nil {
		body = b.body(body)
	}
	return &s3.GetObjectOutput{Body: io.NopCloser(body), ETag: &o.etag, Metadata: o.put.Metadata}, nil
}

func (b *bucket) DeleteObject(_ context.Context, in *s3.DeleteObjectInput, _ ...func(*s3.Options)) (*s3.DeleteObjectOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.ask("DELETE", *in.Key, in.Bucket, in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	if b.plain && in.IfMatch != nil {
		return nil, refusal(http.StatusNotImplemented, "NotImplemented")
	}
	if err := conditions(b.objects[*in.Key], nil, in.IfMatch); err != nil {
		return nil, err
	}
	delete(b.objects, *in.Key)
	return &s3.DeleteObjectOutput{}, b.answered("DELETE", *in.Key)
}

// ListObjectsV2 answers in pages of two.
func (b *bucket) ListObjectsV2(_ context.Context, in *s3.ListObjectsV2Input, _ ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	prefix := aws.ToString(in.Prefix)
	if err := b.ask("LIST", prefix, in.Bucket, in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	out := &s3.ListObjectsV2Output{IsTruncated: aws.Bool(false)}
	folder := ""
	for _, key := range b.keys() {
		after := aws.ToString(in.ContinuationToken)
		if !strings.HasPrefix(key, prefix) || key <= after || strings.HasSuffix(after, "/") && strings.HasPrefix(key, after) {
			continue
		}
		name, within := key, false
		if i := strings.Index(key[len(prefix):], "/"); in.Delimiter != nil && i >= 0 {
			if name, within = key[:len(prefix)+i+1], true; name == folder {
				continue
			}
		}
		if len(out.Contents)+len(out.CommonPrefixes) == 2 {
			out.IsTruncated = aws.Bool(true)
			break
		}
		out.NextContinuationToken = aws.String(name)
		if folder = name; within {
			out.CommonPrefixes = append(out.CommonPrefixes, types.CommonPrefix{Prefix: aws.String(name)})
			continue
		}
		o := b.objects[key]
		out.Contents = append(out.Contents, types.Object{
			Key: aws.String(key), ETag: &o.etag, Size: aws.Int64(int64(len(o.body))), LastModified: &o.at,
		})
	}
	return out, nil
}

func (b *bucket) keys() []string {
	var keys []string
	for key := range b.objects {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// lay puts bytes into the bucket by hand.
func (b *bucket) lay(key string, body []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writes++
	b.objects[key] = &lying{body: body, etag: fmt.Sprintf(`"%032x"`, b.writes), put: &s3.PutObjectInput{}, at: b.modified}
}

// on answers requests that start with a text by an error, the given number of times.
func on(start string, times int, err error) func(string) error {
	return func(request string) error {
		if times > 0 && strings.HasPrefix(request, start) {
			times--
			return err
		}
		return nil
	}
}

// object is what lies under a key.
func (b *bucket) object(tb testing.TB, key string) *Object {
	tb.Helper()
	require.Contains(tb, b.objects, key)
	o, err := Read(bytes.NewReader(b.objects[key].body))
	require.NoError(tb, err)
	return o
}

// entry is a parked object as it is listed.
func (b *bucket) entry(tb testing.TB, state State, key string) Entry {
	tb.Helper()
	for e, err := range NewShelf(b, testOptions).Entries(tb.Context(), state, "dd-main", "", time.Time{}) {
		require.NoError(tb, err)
		if e.Key == key {
			return e
		}
	}
	require.Fail(tb, "it is not listed", key)
	return Entry{}
}
