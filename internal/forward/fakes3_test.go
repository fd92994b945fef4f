package forward

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/park"
)

const (
	ownAccount   = "123456789012" // of the function
	otherAccount = "111122223333"
	logBucket    = "example-logs"
	parkBucket   = "example-parked"
)

// fakeS3 is S3 in memory, with buckets of one account. It answers as the SDK's client does: what S3 refuses is an error of
// that client's types. It is safe for concurrent use.
type fakeS3 struct {
	account     string                            // that owns the buckets; empty: ownAccount
	refuse      func(n int, key string) error     // of the GET with this number, from 1; nil: none is refused
	refusePut   error                             // of every PUT
	refusePutTo string                            // the destination whose notes alone are refused
	takes       time.Duration                     // each PUT
	before      func(operation, key string) error // called before each request for the park bucket; an error is its answer
	written     func(key string)                  // called when an object was put, with the lock held

	mu      sync.Mutex
	objects map[string]*s3Object // by bucket/key
	gets    []s3Request
	puts    int
	parked  []parkedObject
	log     []string // what changed the park bucket: "PUT key", "PUT412 key", "DELETE key"
}

// s3Object is an object, with what is wrong with it.
type s3Object struct {
	Bucket, Key   string
	ETag, Version string
	Size          int64
	body          []byte
	coding        string
	stream        func() io.Reader // instead of body
	cuts          []int            // the connection with this number breaks after so many bytes
	newer         []byte           // what is put in its place when it has been asked for once
	hangs         bool             // after its bytes nothing comes, and no end
	panics        bool             // reading does, after its bytes
	slow          time.Duration    // each slowBytes of it
	quick         int              // bytes of it that are not slow
	kmsKey, tag   string           // that it was put with
}

// s3Request is a GET as it was asked for.
type s3Request struct{ Bucket, Key, Version, IfMatch, Range, Owner, Region string }

// parkedObject is a PUT.
type parkedObject struct {
	Bucket, Key, Owner string
	Header             park.Header
	Items              [][]byte
}

// put keeps an object, and returns it to be announced or changed.
func (f *fakeS3) put(bucket, key string, body []byte) *s3Object {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.keep(bucket, key, body)
}

// keep is put with the lock held.
func (f *fakeS3) keep(bucket, key string, body []byte) *s3Object {
	sum := md5.Sum(body)
	o := &s3Object{Bucket: bucket, Key: key, ETag: hex.EncodeToString(sum[:]), Size: int64(len(body)), body: body}
	if f.objects == nil {
		f.objects = make(map[string]*s3Object)
	}
	f.objects[bucket+"/"+key] = o
	return o
}

// lines keeps an object of these lines.
func (f *fakeS3) lines(key string, lines ...string) *s3Object {
	return f.put(logBucket, key, []byte(strings.Join(lines, "\n")+"\n"))
}

// s3Error is an error as the client gives it.
func s3Error(operation string, status int, code, message string) error {
	return &smithy.OperationError{ServiceID: "S3", OperationName: operation, Err: &awshttp.ResponseError{
		RequestID: "C3D13FE58DE4C810",
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: http.Header{}}},
			Err:      &smithy.GenericAPIError{Code: code, Message: message},
		},
	}}
}

var (
	errNoSuchKey  = s3Error("GetObject", 404, "NoSuchKey", "The specified key does not exist.")
	errForbidden  = s3Error("GetObject", 403, "AccessDenied", "Access Denied")
	errKMS        = s3Error("GetObject", 403, "AccessDenied", "User is not authorized to perform: kms:Decrypt on this resource")
	errArchived   = s3Error("GetObject", 403, "InvalidObjectState", "The operation is not valid for the object's storage class")
	errSlowDown   = s3Error("GetObject", 503, "SlowDown", "Please reduce your request rate.")
	errChanged    = s3Error("GetObject", 412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	errNoBucket   = s3Error("PutObject", 404, "NoSuchBucket", "The specified bucket does not exist")
	errConnection = errors.New("read tcp 192.0.2.1:443: connection reset by peer")
)

// always refuses every GET.
func always(err error) func(int, string) error { return func(int, string) error { return err } }

func (f *fakeS3) GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	options := s3.Options{Region: "eu-west-1"}
	for _, set := range opts {
		set(&options)
	}
	if err := f.beforehand("GET", in.Bucket, in.Key); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := s3Request{
		Bucket: *in.Bucket, Key: *in.Key, Version: aws.ToString(in.VersionId), IfMatch: aws.ToString(in.IfMatch),
		Range: aws.ToString(in.Range), Owner: aws.ToString(in.ExpectedBucketOwner), Region: options.Region,
	}
	if strings.Contains(asked.Key, "/v1/") { // of the park store
		if err := ctx.Err(); err != nil {
			return nil, &smithy.CanceledError{Err: err}
		}
		o := f.objects[asked.Bucket+"/"+asked.Key]
		if err := f.refuses(asked, o); err != nil {
			return nil, err
		}
		return f.answer(ctx, asked, o)
	}
	f.gets = append(f.gets, asked)
	if err := ctx.Err(); err != nil {
		return nil, &smithy.CanceledError{Err: err}
	}
	if f.refuse != nil {
		if err := f.refuse(len(f.gets), asked.Key); err != nil {
			return nil, err
		}
	}
	o := f.objects[asked.Bucket+"/"+asked.Key]
	if err := f.refuses(asked, o); err != nil {
		return nil, err
	}
	return f.answer(ctx, asked, o)
}

func (f *fakeS3) refuses(asked s3Request, o *s3Object) error {
	account := f.account
	if account == "" {
		account = ownAccount
	}
	switch {
	case asked.Owner != "" && asked.Owner != account:
		return errForbidden
	case o == nil:
		return errNoSuchKey
	case asked.Version != "" && asked.Version != o.Version:
		return s3Error("GetObject", 404, "NoSuchVersion", "The specified version does not exist.")
	case asked.IfMatch != "" && asked.IfMatch != `"`+o.ETag+`"`:
		return errChanged
	}
	return nil
}

// answer gives an object, from the range on that is asked for. The lock is held.
func (f *fakeS3) answer(ctx context.Context, asked s3Request, o *s3Object) (*s3.GetObjectOutput, error) {
	var from int64
	out := &s3.GetObjectOutput{ETag: aws.String(`"` + o.ETag + `"`)}
	if asked.Range != "" {
		if _, err := fmt.Sscanf(asked.Range, "bytes=%d-", &from); err != nil {
			return nil, err
		}
		out.ContentRange = aws.String(fmt.Sprintf("bytes %d-%d/%d", from, o.Size-1, o.Size))
	}
	if o.Version != "" {
		out.VersionId = aws.String(o.Version)
	}
	if o.coding != "" {
		out.ContentEncoding = aws.String(o.coding)
	}
	out.ContentLength = aws.Int64(o.Size - from)
	b := &s3Body{ctx: ctx, object: o, cut: -1, quick: o.quick}
	if o.stream != nil {
		b.rest = o.stream()
	} else {
		b.rest = bytes.NewReader(o.body[from:])
	}
	if len(o.cuts) > 0 {
		b.cut, o.cuts = o.cuts[0], o.cuts[1:]
	}
	out.Body = b
	if o.newer != nil {
		sum := md5.Sum(o.newer)
		f.objects[o.Bucket+"/"+o.Key] = &s3Object{
			Bucket: o.Bucket, Key: o.Key, ETag: hex.EncodeToString(sum[:]), Size: int64(len(o.newer)), body: o.newer,
		}
	}
	return out, nil
}

// slowBytes come at a time of an object that is slow.
const slowBytes = 4 << 10

// s3Body is the body of an answer.
type s3Body struct {
	ctx    context.Context
	rest   io.Reader
	object *s3Object
	cut    int // bytes after which the connection breaks; -1 for never
	quick  int // bytes that are still to come at once
}

func (b *s3Body) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	if b.cut == 0 {
		return 0, errConnection
	}
	if b.quick > 0 {
		p = p[:min(len(p), b.quick)]
	} else if b.object.slow > 0 {
		select {
		case <-time.After(b.object.slow):
		case <-b.ctx.Done():
			return 0, b.ctx.Err()
		}
		p = p[:min(len(p), slowBytes)]
	}
	if b.cut > 0 && len(p) > b.cut {
		p = p[:b.cut]
	}
	n, err := b.rest.Read(p)
	b.quick = max(b.quick-n, 0)
	if b.cut > 0 {
		b.cut -= n
	}
	switch {
	case err == io.EOF && b.object.panics:
		panic("boom " + canary)
	case err == io.EOF && b.object.hangs:
		<-b.ctx.Done()
		return n, b.ctx.Err()
	}
	return n, err
}

func (*s3Body) Close() error { return nil }

func (f *fakeS3) PutObject(ctx context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	// Without the lock: who waits for it in a bubble of synctest keeps its clock from going on.
	if err := f.taking(ctx); err != nil {
		return nil, err
	}
	if err := f.beforehand("PUT", in.Bucket, in.Key); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.puts++
	switch {
	case f.refusePut != nil:
		return nil, f.refusePut
	case f.refusePutTo != "" && strings.Contains(*in.Key, "/"+f.refusePutTo+"/"):
		return nil, errNoBucket
	}
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	if base64.StdEncoding.EncodeToString(sum[:]) != aws.ToString(in.ChecksumSHA256) {
		return nil, s3Error("PutObject", 400, "BadDigest", "The SHA256 you specified did not match the calculated checksum.")
	}
	name := *in.Bucket + "/" + *in.Key
	switch known := f.objects[name]; {
	case known != nil && aws.ToString(in.IfNoneMatch) == "*",
		in.IfMatch != nil && (known == nil || *in.IfMatch != `"`+known.ETag+`"`):
		f.log = append(f.log, "PUT412 "+*in.Key)
		return nil, s3Error("PutObject", 412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	}
	if (strings.Contains(*in.Key, "/pending/") || strings.Contains(*in.Key, "/dead/")) && !strings.Contains(*in.Key, "/store_corrupt/") {
		o, err := park.Read(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		f.parked = append(f.parked, parkedObject{*in.Bucket, *in.Key, aws.ToString(in.ExpectedBucketOwner), o.Header, o.Items})
	}
	o := f.keep(*in.Bucket, *in.Key, body)
	o.kmsKey, o.tag = aws.ToString(in.SSEKMSKeyId), aws.ToString(in.Tagging)
	f.log = append(f.log, "PUT "+*in.Key)
	if f.written != nil {
		f.written(*in.Key)
	}
	return &s3.PutObjectOutput{ETag: aws.String(`"` + o.ETag + `"`)}, nil
}

// taking is how long a PUT takes.
func (f *fakeS3) taking(ctx context.Context) error {
	if f.takes > 0 {
		select {
		case <-time.After(f.takes):
		case <-ctx.Done():
		}
	}
	if err := ctx.Err(); err != nil {
		return &smithy.CanceledError{Err: err}
	}
	return nil
}

// beforehand asks the test about a request for the park bucket.
func (f *fakeS3) beforehand(operation string, bucket, key *string) error {
	if f.before == nil || *bucket != parkBucket {
		return nil
	}
	return f.before(operation, *key)
}

// The fake refuses what S3 refuses, or the tests that rely on it show nothing.
func TestFakeS3(t *testing.T) {
	f := &fakeS3{}
	o := f.lines("a", "x")
	get := func(change func(*s3.GetObjectInput)) error {
		in := &s3.GetObjectInput{Bucket: aws.String(logBucket), Key: aws.String("a")}
		change(in)
		out, err := f.GetObject(t.Context(), in)
		if err == nil {
			text, err := io.ReadAll(out.Body)
			require.NoError(t, err)
			assert.Equal(t, o.body, text)
		}
		return err
	}
	require.NoError(t, get(func(*s3.GetObjectInput) {}))
	require.NoError(t, get(func(in *s3.GetObjectInput) { in.IfMatch = aws.String(`"` + o.ETag + `"`) }))
	for code, change := range map[string]func(*s3.GetObjectInput){
		"NoSuchKey":          func(in *s3.GetObjectInput) { in.Key = aws.String("b") },
		"NoSuchVersion":      func(in *s3.GetObjectInput) { in.VersionId = aws.String("b") },
		"PreconditionFailed": func(in *s3.GetObjectInput) { in.IfMatch = aws.String(`"b"`) },
		"AccessDenied":       func(in *s3.GetObjectInput) { in.ExpectedBucketOwner = aws.String(otherAccount) },
	} {
		var api smithy.APIError
		require.ErrorAs(t, get(change), &api)
		assert.Equal(t, code, api.ErrorCode())
	}
}

// at is when objects were put.
var at = time.Date(2026, 2, 1, 9, 30, 0, 0, time.UTC)
