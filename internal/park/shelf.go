package park

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sluice/internal/failpoint"
)

// Client is the client of S3 that a [Shelf] needs: *s3.Client has it. It retries by itself.
type Client interface {
	GetPutter
	ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input, opts ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	DeleteObject(ctx context.Context, in *s3.DeleteObjectInput, opts ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
}

// Shelf is a park store as replay sees it. It is safe for concurrent use.
type Shelf struct {
	client Client
	store  *Store
}

// NewShelf returns the reading side of the store that o describes. Nothing is asked of S3 before something is wanted.
func NewShelf(client Client, o Options) *Shelf { return &Shelf{client: client, store: New(client, o)} }

// ErrGone says that an object is not there any more, or that another one is in its place.
var ErrGone = errors.New("the parked object is not there any more")

// CorruptError says that a parked object is not as a store writes it. Reading it again finds the same.
type CorruptError struct {
	Key string
	Err error
}

func (e *CorruptError) Error() string { return fmt.Sprintf("%q: %v", e.Key, e.Err) }

func (e *CorruptError) Unwrap() error { return e.Err }

// Get reads a parked object, whole or not at all. The error is a [*CorruptError] when it is no sound object or is one for
// another destination, [ErrGone] when it was deleted or replaced since it was listed, and otherwise one to try again after.
// It holds at most 64 MiB of plain bytes.
func (s *Shelf) Get(ctx context.Context, e Entry) (*Object, error) {
	out, err := s.open(ctx, e)
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	body := &watched{r: out.Body}
	o, err := Read(body)
	switch {
	case body.err != nil: // whatever was made of it
		return nil, s.store.explain(reading, e.Key, body.err)
	case err != nil:
		return nil, &CorruptError{e.Key, err}
	case o.Header.Dest.ID != e.Dest:
		return nil, &CorruptError{e.Key, fmt.Errorf("its header says that it is for %q", o.Header.Dest.ID)}
	}
	return o, nil
}

// watched tells errors of a connection from those of what came over it.
type watched struct {
	r   io.Reader
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err //nolint:wrapcheck // a reader hands on errors as they are
}

// Raw reads the bytes of an object as they are, of any state or foreign: at most 64 MiB. The error is [ErrGone] when it was
// deleted or replaced since it was listed.
func (s *Shelf) Raw(ctx context.Context, e Entry) ([]byte, error) {
	data, _, err := s.fetch(ctx, e)
	return data, err
}

func (s *Shelf) fetch(ctx context.Context, e Entry) (data []byte, metadata map[string]string, err error) {
	out, err := s.open(ctx, e)
	if err != nil {
		return nil, nil, err
	}
	defer out.Body.Close()
	data, err = io.ReadAll(io.LimitReader(out.Body, maxPlainBytes+1))
	switch {
	case err != nil:
		return nil, nil, s.store.explain(reading, e.Key, err)
	case len(data) > maxPlainBytes:
		return nil, nil, fmt.Errorf("read s3://%s/%s: it has more than %d bytes: see to it by hand", s.store.o.Bucket, e.Key, maxPlainBytes)
	}
	return data, out.Metadata, nil
}

func (s *Shelf) open(ctx context.Context, e Entry) (*s3.GetObjectOutput, error) {
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &s.store.o.Bucket, Key: &e.Key, IfMatch: optional(e.ETag), ExpectedBucketOwner: optional(s.store.o.Owner),
	})
	switch {
	case err == nil:
		return out, nil
	case isGone(err), statusOf(err) == http.StatusPreconditionFailed:
		return nil, fmt.Errorf("read s3://%s/%s: %w", s.store.o.Bucket, e.Key, ErrGone)
	default:
		return nil, s.store.explain(reading, e.Key, err)
	}
}

// isGone reports whether an object is not there; a bucket that is not there is something else.
func isGone(err error) bool {
	return statusOf(err) == http.StatusNotFound && codeOf(err) != "NoSuchBucket"
}

// Delete deletes an object as it was listed. One that is gone is no error; one that was replaced stays, and is.
func (s *Shelf) Delete(ctx context.Context, e Entry) error {
	failpoint.Hit(failpoint.BeforeDelete)
	if err := s.remove(ctx, e.Key, e.ETag); err != nil {
		return s.store.explain(deleting, e.Key, err)
	}
	failpoint.Hit(failpoint.AfterDelete)
	return nil
}

// ClearHint forgets what was said of a destination's breaker.
func (s *Shelf) ClearHint(ctx context.Context, dest string) error {
	key, err := s.store.hintKey(dest)
	if err != nil {
		return err
	}
	if err := s.remove(ctx, key, ""); err != nil {
		return s.store.explain(deleting, key, err)
	}
	return nil
}

// remove deletes an object, if its ETag is still this one. Servers that do not know conditional deletes are asked for a
// plain one.
func (s *Shelf) remove(ctx context.Context, key, etag string) error {
	in := &s3.DeleteObjectInput{
		Bucket: &s.store.o.Bucket, Key: &key, IfMatch: optional(etag), ExpectedBucketOwner: optional(s.store.o.Owner),
	}
	_, err := s.client.DeleteObject(ctx, in)
	if in.IfMatch != nil && (statusOf(err) == http.StatusNotImplemented || codeOf(err) == "NotImplemented") {
		in.IfMatch = nil
		_, err = s.client.DeleteObject(ctx, in)
	}
	if isGone(err) {
		return nil
	}
	return err
}

// Bury moves a parked object to where it waits for a person: its bytes as they are, under its own file name without
// the time that it was due at, on the day of now. It is for what is broken or has been tried enough. It returns the key of the object that is now durable, also when
// only the deletion of the old one has failed.
func (s *Shelf) Bury(ctx context.Context, e Entry, reason string, now time.Time) (key string, err error) {
	switch {
	case !isMadeOf(reason, "_", maxCodeBytes):
		return "", fmt.Errorf("bury %q: the reason is %.40q, want 1 to %d of a-z, 0-9 and _", e.Key, reason, maxCodeBytes)
	case !isMadeOf(e.Dest, "-", maxIDBytes) || e.State != Pending && e.State != Dead:
		return "", fmt.Errorf("bury %q: it is parked for no destination", e.Key)
	}
	data, metadata, err := s.fetch(ctx, e)
	if err != nil {
		return "", err
	}
	kept := map[string]string{"dest": e.Dest}
	maps.Copy(kept, metadata)
	kept["reason"] = reason
	root := s.store.deadRoot(e.Dest, reason, now)
	for _, name := range []string{e.fileName(), hexOf(data) + "-" + e.fileName()} {
		key = root + name
		created, err := s.store.create(ctx, &write{state: Dead, key: key, contentType: gzipType, body: data, metadata: kept})
		if err != nil {
			return "", err
		}
		// Only the second name says which bytes it is for.
		if created || name != e.fileName() || s.holds(ctx, key, data) {
			return key, s.Delete(ctx, e)
		}
	}
	return key, s.Delete(ctx, e)
}

// holds reports whether an object has these bytes.
func (s *Shelf) holds(ctx context.Context, key string, data []byte) bool {
	there, err := s.Raw(ctx, Entry{Key: key})
	return err == nil && bytes.Equal(there, data)
}
