package tags

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// GetPutter is the client of S3 that Objects needs: *s3.Client has it.
type GetPutter interface {
	GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	PutObject(ctx context.Context, in *s3.PutObjectInput, opts ...func(*s3.Options)) (*s3.PutObjectOutput, error)
}

// ObjectsOptions say where objects are.
type ObjectsOptions struct {
	Bucket string // required
	Prefix string // of every key; slashes around it do not count; may be empty
	Owner  string // account that must own the bucket; empty: not checked
	KMSKey string // id or ARN of the key to encrypt with; empty: as the bucket encrypts by default
}

// Objects is a store in a bucket of S3, that of the park store: a document is the object
// `<prefix>/v1/tags/<partition>/<account>/<region>/<kind>.json`, and its version is the object's ETag. Nothing is lost with
// it, so it may have a lifecycle. The function needs s3:GetObject and s3:PutObject on `<prefix>/v1/tags/*`.
type Objects struct {
	client GetPutter
	o      ObjectsOptions
	root   string
}

var _ Store = (*Objects)(nil)

// NewObjects returns the store that o describes.
func NewObjects(client GetPutter, o ObjectsOptions) *Objects {
	root := "v1/tags/"
	if prefix := strings.Trim(o.Prefix, "/"); prefix != "" {
		root = prefix + "/" + root
	}
	return &Objects{client: client, o: o, root: root}
}

func (s *Objects) key(name string) string { return s.root + name + ".json" }

// Get implements [Store]. A function that may not list the bucket is answered 403 for an object that is not there, so that
// counts as none.
func (s *Objects) Get(ctx context.Context, name string) (body []byte, version string, err error) {
	key := s.key(name)
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &s.o.Bucket, Key: &key, ExpectedBucketOwner: optional(s.o.Owner),
	})
	if status := statusOf(err); status == http.StatusNotFound || status == http.StatusForbidden {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("read s3://%s/%s: %w", s.o.Bucket, key, err)
	}
	defer out.Body.Close()
	body, err = io.ReadAll(io.LimitReader(out.Body, MaxDocumentBytes+1))
	if err != nil {
		return nil, "", fmt.Errorf("read s3://%s/%s at byte %d: %w", s.o.Bucket, key, len(body), err)
	}
	if version = aws.ToString(out.ETag); version == "" {
		return nil, "", fmt.Errorf("read s3://%s/%s: the answer has no ETag, so it did not come from S3", s.o.Bucket, key)
	}
	return body, version, nil
}

// Put implements [Store].
func (s *Objects) Put(ctx context.Context, name string, body []byte, version string) error {
	key, contentType := s.key(name), "application/json"
	sum := sha256.Sum256(body)
	in := &s3.PutObjectInput{
		Bucket:              &s.o.Bucket,
		Key:                 &key,
		Body:                bytes.NewReader(body),
		ContentLength:       aws.Int64(int64(len(body))),
		ContentType:         &contentType,
		ChecksumAlgorithm:   types.ChecksumAlgorithmSha256,
		ChecksumSHA256:      aws.String(base64.StdEncoding.EncodeToString(sum[:])),
		ExpectedBucketOwner: optional(s.o.Owner),
		IfMatch:             optional(version),
	}
	if version == "" {
		in.IfNoneMatch = aws.String("*")
	}
	if s.o.KMSKey != "" {
		in.ServerSideEncryption, in.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, &s.o.KMSKey
		in.BucketKeyEnabled = aws.Bool(true)
	}
	_, err := s.client.PutObject(ctx, in)
	switch status := statusOf(err); {
	case err == nil:
		return nil
	case status == http.StatusPreconditionFailed, status == http.StatusConflict,
		version != "" && status == http.StatusNotFound:
		return fmt.Errorf("write s3://%s/%s: %w; if it goes on, grant the function s3:GetObject on it", s.o.Bucket, key, ErrChanged)
	case status == http.StatusForbidden:
		return fmt.Errorf("write s3://%s/%s: %w; grant the function s3:GetObject and s3:PutObject on %s/%s*, and "+
			"kms:GenerateDataKey and kms:Decrypt on its key", s.o.Bucket, key, err, s.o.Bucket, s.root)
	default:
		return fmt.Errorf("write s3://%s/%s: %w", s.o.Bucket, key, err)
	}
}

// optional is a member of a request that is left out when it is empty.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// statusOf is the status of the answer that err is about; 0 when there was none.
func statusOf(err error) int {
	if answer, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return answer.HTTPStatusCode()
	}
	return 0
}
