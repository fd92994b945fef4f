package park

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// A mark is a small document of JSON that may be lost: a marker of progress, a lease, a hint.

const maxMarkBytes = 64 << 10 // as they are written, they have a few hundred

// mark reads a mark into v. It reports an ETag when there is an object, and an error with it when that is no sound mark:
// an *unsoundError.
func (s *Store) mark(ctx context.Context, key string, v interface{ check() error }) (etag string, err error) {
	if s.o.Bucket == "" {
		return "", errNoBucket
	}
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &s.o.Bucket, Key: &key, ExpectedBucketOwner: optional(s.o.Owner),
	})
	if err != nil {
		return "", s.explain(reading, key, err)
	}
	defer out.Body.Close()
	data, err := io.ReadAll(io.LimitReader(out.Body, maxMarkBytes+1))
	if err != nil {
		return "", s.explain(reading, key, err)
	}
	if out.ETag != nil {
		etag = *out.ETag
	}
	if len(data) > maxMarkBytes {
		return etag, &unsoundError{fmt.Errorf("more than %d bytes", maxMarkBytes)}
	}
	if err := decodeJSON(data, v, "a mark"); err != nil {
		return etag, &unsoundError{err}
	}
	if err := v.check(); err != nil {
		return etag, &unsoundError{err}
	}
	return etag, nil
}

// unsoundError says that a mark is there and cannot be read.
type unsoundError struct{ err error }

func (e *unsoundError) Error() string { return e.err.Error() }

// isUnsound reports whether a mark counts as none because of its content.
func isUnsound(err error) bool {
	_, ok := errors.AsType[*unsoundError](err)
	return ok
}

// isAbsent reports whether a mark is not there. A function that may not list the bucket is answered 403 for that.
func isAbsent(err error) bool {
	status := statusOf(err)
	return status == http.StatusNotFound || status == http.StatusForbidden
}

// decodeJSON reads one value of JSON, strictly: another member, or anything behind it, is an error.
func decodeJSON(data []byte, v any, what string) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("it is not the JSON of %s: %.200s", what, err.Error()) // which may quote a name of any length
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows its JSON")
	}
	return nil
}
