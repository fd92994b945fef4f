package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"sluice/e2e/stack"
	"sluice/e2e/stack/notify"
)

// newClient is a client that reaches the gateway past the proxy.
func newClient(transport http.RoundTripper) *s3.Client {
	return s3.New(s3.Options{
		Region:       stack.Region,
		BaseEndpoint: aws.String("http://gateway"),
		UsePathStyle: true, // the name is no domain
		HTTPClient:   &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: AccessKey, SecretAccessKey: Secret}, nil
		}),
	})
}

// CreateBucket makes an empty bucket that belongs to stack.Account. A versioned one keeps what is overwritten.
func (s *Server) CreateBucket(ctx context.Context, name string, versioned bool) error {
	_, err := s.client.CreateBucket(ctx, &s3.CreateBucketInput{
		Bucket: &name,
		CreateBucketConfiguration: &types.CreateBucketConfiguration{
			LocationConstraint: types.BucketLocationConstraint(stack.Region),
		},
	})
	if err != nil {
		return fmt.Errorf("create bucket %s: %w", name, err)
	}
	if !versioned {
		return nil
	}
	_, err = s.client.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket:                  &name,
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		return fmt.Errorf("turn on versioning of bucket %s: %w", name, err)
	}
	return nil
}

// PutObject stores an object and returns it as its announcement names it. A body that cannot seek goes through a file,
// so its size is bounded by the disk and not by memory. Changes are for headers such as Content-Encoding.
func (s *Server) PutObject(
	ctx context.Context, bucket, key string, body io.Reader, changes ...func(*s3.PutObjectInput),
) (notify.Object, error) {
	if strings.TrimSuffix(key, "/") != strings.TrimPrefix(path.Clean("/"+key), "/") {
		return notify.Object{}, fmt.Errorf("put s3://%s/%s: the server would change the key: it has an empty or dotted part", bucket, key)
	}
	seeker, done, err := seekable(body)
	if err != nil {
		return notify.Object{}, fmt.Errorf("put s3://%s/%s: %w", bucket, key, err)
	}
	defer done()
	size, err := remaining(seeker)
	if err != nil {
		return notify.Object{}, fmt.Errorf("put s3://%s/%s: %w", bucket, key, err)
	}
	in := &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: seeker, ContentLength: &size}
	for _, change := range changes {
		change(in)
	}
	out, err := s.client.PutObject(ctx, in, s3.WithAPIOptions(
		v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)) // the checksum of the body is enough
	if err != nil {
		return notify.Object{}, fmt.Errorf("put s3://%s/%s: %w", bucket, key, err)
	}
	return notify.Object{
		Bucket: bucket, Key: key, Size: size, ETag: unquote(out.ETag), VersionID: aws.ToString(out.VersionId),
		Sequencer: s.nextSequencer(), Time: time.Now().UTC(),
	}, nil
}

// nextSequencer grows with every object put, as that of one key does.
func (s *Server) nextSequencer() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.puts++
	return fmt.Sprintf("0069%014X", s.puts)
}

// seekable is body itself or a file of its bytes, and what to call when it is no longer needed.
func seekable(body io.Reader) (io.ReadSeeker, func(), error) {
	if seeker, ok := body.(io.ReadSeeker); ok {
		return seeker, func() {}, nil
	}
	file, err := os.CreateTemp("", "sluice-put-")
	if err != nil {
		return nil, nil, fmt.Errorf("make a file for the body: %w", err)
	}
	done := func() { file.Close() }
	if err := os.Remove(file.Name()); err != nil { // it lives as long as it is open
		done()
		return nil, nil, fmt.Errorf("unlink the file for the body: %w", err)
	}
	if _, err := io.Copy(file, body); err != nil {
		done()
		return nil, nil, fmt.Errorf("copy the body to a file: %w", err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		done()
		return nil, nil, fmt.Errorf("rewind the file of the body: %w", err)
	}
	return file, done, nil
}

// remaining is how many bytes are left of a body.
func remaining(body io.Seeker) (int64, error) {
	here, err := body.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, fmt.Errorf("find the place in the body: %w", err)
	}
	end, err := body.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, fmt.Errorf("find the end of the body: %w", err)
	}
	if _, err := body.Seek(here, io.SeekStart); err != nil {
		return 0, fmt.Errorf("go back in the body: %w", err)
	}
	return end - here, nil
}

// Get is the current content of an object.
func (s *Server) Get(ctx context.Context, bucket, key string) ([]byte, error) {
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return nil, fmt.Errorf("get s3://%s/%s: %w", bucket, key, err)
	}
	body, err := io.ReadAll(out.Body)
	if err := errors.Join(err, out.Body.Close()); err != nil {
		return nil, fmt.Errorf("read s3://%s/%s: %w", bucket, key, err)
	}
	return body, nil
}

// Delete removes an object; in a versioned bucket its versions stay. A missing key is no error.
func (s *Server) Delete(ctx context.Context, bucket, key string) error {
	if _, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &key}); err != nil {
		return fmt.Errorf("delete s3://%s/%s: %w", bucket, key, err)
	}
	return nil
}

// List is every object whose key starts with prefix, in order of the keys, without versions and sequencers.
func (s *Server) List(ctx context.Context, bucket, prefix string) ([]notify.Object, error) {
	var list []notify.Object
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list s3://%s/%s: %w", bucket, prefix, err)
		}
		for _, o := range page.Contents {
			list = append(list, notify.Object{
				Bucket: bucket, Key: aws.ToString(o.Key), Size: aws.ToInt64(o.Size), ETag: unquote(o.ETag),
				Time: aws.ToTime(o.LastModified),
			})
		}
	}
	return list, nil
}

// Metadata is the user metadata of an object, with names in lower case.
func (s *Server) Metadata(ctx context.Context, bucket, key string) (map[string]string, error) {
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return nil, fmt.Errorf("head s3://%s/%s: %w", bucket, key, err)
	}
	named := make(map[string]string, len(out.Metadata))
	for name, value := range out.Metadata {
		named[strings.ToLower(name)] = value
	}
	return named, nil
}

// RemoveBucket removes a bucket with all its objects, at once and past the server. Nobody may use it any more.
func (s *Server) RemoveBucket(name string) error {
	if name == "" || strings.ContainsAny(name, "/\\.") {
		return fmt.Errorf("remove bucket %q: want a name of letters, digits and hyphens", name)
	}
	for _, folder := range []string{"objects", "versions"} {
		if err := os.RemoveAll(filepath.Join(s.gateway.folder, folder, name)); err != nil {
			return fmt.Errorf("remove bucket %s: %w", name, err)
		}
	}
	return nil
}

func unquote(etag *string) string { return strings.Trim(aws.ToString(etag), `"`) }
