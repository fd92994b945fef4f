package config

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"sluice/internal/secret"
)

// The beginnings of a reference to a document.
const (
	objectPrefix    = "s3://"
	parameterPrefix = "ssm:"
	filePrefix      = "file:"
)

// isReference reports whether text says where the document is, rather than being it.
func isReference(text string) bool {
	text = strings.TrimSpace(text)
	if strings.ContainsRune(text, '\n') {
		return false
	}
	for _, prefix := range []string{objectPrefix, parameterPrefix, filePrefix} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

// parameterReader reads Systems Manager parameters; secret.Stores is one.
type parameterReader interface {
	Parameter(ctx context.Context, ref secret.Ref) (string, error)
}

// Documents reads documents from files, Parameter Store and S3. It touches AWS only for references that point there.
type Documents struct {
	parameters parameterReader
	load       func() (aws.Config, error)
}

// NewDocuments returns a Fetcher that reads parameters from parameters and asks load, usually awsenv.Environment.Config, for
// the AWS configuration when it reads from S3.
func NewDocuments(parameters parameterReader, load func() (aws.Config, error)) *Documents {
	return &Documents{parameters: parameters, load: load}
}

// Fetch returns the document that reference names, at most 1 MiB.
func (d *Documents) Fetch(ctx context.Context, reference string) ([]byte, error) {
	switch {
	case strings.HasPrefix(reference, objectPrefix):
		return d.object(ctx, reference)
	case strings.HasPrefix(reference, parameterPrefix):
		return d.parameter(ctx, reference)
	}
	file, err := os.Open(strings.TrimPrefix(reference, filePrefix))
	if err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	defer file.Close() // opened for reading: closing cannot lose anything
	return readAll(reference, file)
}

func (d *Documents) parameter(ctx context.Context, reference string) ([]byte, error) {
	ref, err := secret.ParseRef(reference)
	if err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	text, err := d.parameters.Parameter(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	return readAll(reference, strings.NewReader(text))
}

func (d *Documents) object(ctx context.Context, reference string) ([]byte, error) {
	input, err := parseObject(reference)
	if err != nil {
		return nil, err
	}
	cfg, err := d.load()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", reference, err)
	}
	return readObject(ctx, s3.NewFromConfig(cfg), input, reference)
}

type objectGetter interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

func readObject(ctx context.Context, client objectGetter, input *s3.GetObjectInput, reference string) ([]byte, error) {
	out, err := client.GetObject(ctx, input)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w%s", reference, err, advice(err))
	}
	defer out.Body.Close() // a body that was read: closing cannot lose anything
	return readAll(reference, out.Body)
}

// advice says what a person can do about an answer of S3.
func advice(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return ""
	}
	switch api.ErrorCode() {
	case "AccessDenied":
		return " (allow the role s3:GetObject on it, s3:GetObjectVersion with a version, and check owner)"
	case "NoSuchKey", "NoSuchBucket", "NoSuchVersion":
		return " (check bucket, key and version)"
	}
	return ""
}

// parseObject reads s3://bucket/key[?owner=account&version=id]. The key is what it is: nothing in it is decoded.
func parseObject(reference string) (*s3.GetObjectInput, error) {
	location, query, _ := strings.Cut(strings.TrimPrefix(reference, objectPrefix), "?")
	bucket, key, _ := strings.Cut(location, "/")
	values, err := url.ParseQuery(query)
	input := &s3.GetObjectInput{Bucket: &bucket, Key: &key}
	for name := range values {
		switch value := values.Get(name); name {
		case "owner":
			input.ExpectedBucketOwner = &value
		case "version":
			input.VersionId = &value
		default:
			err = errors.New("unknown")
		}
	}
	if err != nil || bucket == "" || key == "" {
		return nil, errors.New("want s3://bucket/key, with ?owner=<account>&version=<version id> or without")
	}
	return input, nil
}

// unpinned reports whether the reference names an object without saying whose it is and which version.
func unpinned(reference string) bool {
	if !strings.HasPrefix(reference, objectPrefix) {
		return false
	}
	input, err := parseObject(reference)
	return err == nil && (input.ExpectedBucketOwner == nil || input.VersionId == nil)
}

func readAll(reference string, r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxDocumentBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", reference, err)
	}
	if len(text) > maxDocumentBytes {
		return nil, fmt.Errorf("read %s: it has more than %d bytes", reference, maxDocumentBytes)
	}
	return text, nil
}
