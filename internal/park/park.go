// Package park is the durable store of what could not be forwarded: objects in a bucket of S3, readable with any tool.
//
// It promises that what was put is durable when Put returns nil, that putting the same thing twice leaves one object, and
// that an object is read back whole or not at all. Its layout is that of the delivery contract, 2.7:
//
//	<prefix>/v1/pending/<dest>/<not before, 10 digits>-<batch id>.a<attempt>.jsonl.gz   retried; key order is due order
//	<prefix>/v1/dead/<dest>/<reason>/<yyyy>/<mm>/<dd>/<batch id>.a<attempt>.jsonl.gz    waits for a person
//	<prefix>/v1/dead-raw/<entry>/<yyyy>/<mm>/<dd>/<source id>.json                      input that cannot be read
//	<prefix>/v1/progress/<source id>.json                                               how far an object has been read
//	<prefix>/v1/lease/<batch id>.json                                                   who is at a parked object
//	<prefix>/v1/breaker/<dest>.json                                                     until when to leave a destination alone
//
// A parked object is gzip of JSON lines, the first of which is the [Header]. Of the kind items, the encoded items follow,
// one a line; of the kind pointer, nothing does: the header says what is to be read again.
//
// A [Store] is the writing side, which every function has. It never deletes. A [Shelf] is the reading side, for replay: it
// lists, takes, reads, puts again, buries and deletes.
//
// It keeps no API keys, no headers and no paths of URLs. It does not decide what is parked, what is tried again or when,
// and it sends nothing to a destination. Time comes in from outside, but for that at which a breaker's hint is found ended.
package park

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sluice/internal/compress"
)

// Putter is the client of S3 as far as parking needs it. It retries by itself.
type Putter interface {
	PutObject(ctx context.Context, in *s3.PutObjectInput, opts ...func(*s3.Options)) (*s3.PutObjectOutput, error)
}

// GetPutter is the client of S3 that a [Store] needs: *s3.Client has it. Objects are read for markers and hints only.
type GetPutter interface {
	Putter
	GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// Options say where the store is.
type Options struct {
	Bucket string // required
	Prefix string // of every key; slashes around it do not count; may be empty
	Owner  string // account that must own the bucket; empty: not checked
	KMSKey string // id or ARN of the key to encrypt with; empty: as the bucket encrypts by default
}

// Store is a park store. It is safe for concurrent use.
type Store struct {
	client GetPutter
	o      Options
	root   string // of every key: "<prefix>/v1/"
	packed compress.Codec
	jitter func() float64
	now    func() time.Time // asked only whether a hint has ended
}

// New returns the store that o describes. Nothing is asked of S3 before something is put or looked up.
func New(client GetPutter, o Options) *Store {
	root := "v1/"
	if prefix := strings.Trim(o.Prefix, "/"); prefix != "" {
		root = prefix + "/v1/"
	}
	packed, _ := compress.Gzip(gzipLevel) // the level is one that it knows
	return &Store{client: client, o: o, root: root, packed: packed, jitter: rand.Float64, now: time.Now}
}

// lambdaRoot is where Lambda puts what it could not hand to a function (OnFailure destination); it fixes the prefix.
const lambdaRoot = "aws/lambda/"

// Owns reports whether an object is the store's own, or Lambda's in the same bucket. Such an object must not be read as a
// source of logs (rule own_store_object): each failure would be the cause of the next.
func (s *Store) Owns(bucket, key string) bool {
	return bucket == s.o.Bucket && (strings.HasPrefix(key, s.root) || strings.HasPrefix(key, lambdaRoot))
}

// State is where a stored thing stands, and the value of its tag fwd-state, which its lifecycle goes by.
type State string

// The states of what is stored.
const (
	Pending State = "pending"  // waits for replay, for ever
	Dead    State = "dead"     // waits for a person, until its lifecycle ends
	DeadRaw State = "dead-raw" // likewise, with a shorter lifecycle: it was never redacted

	progressing State = "progress"
	leased      State = "lease" // leases, and hints of breakers, which end by themselves too
)

// PutDead parks p for a person. It returns the key of the object that is now durable.
func (s *Store) PutDead(ctx context.Context, p Pointer) (key string, err error) {
	h := p.header()
	return s.put(ctx, Dead, &h, nil)
}

// PutPending parks p for replay, not before a time, which is cut to whole seconds. It returns the key of the object that
// is now durable.
func (s *Store) PutPending(ctx context.Context, p Pointer, notBefore time.Time) (key string, err error) {
	h := p.header()
	h.NotBefore = notBefore.Unix()
	return s.put(ctx, Pending, &h, nil)
}

// put parks a header and the packed lines behind it.
func (s *Store) put(ctx context.Context, state State, h *Header, lines []byte) (string, error) {
	switch {
	case state != Pending && state != Dead:
		return "", fmt.Errorf("park: the state is %.40q, want %q or %q", state, Pending, Dead)
	case state == Pending && h.NotBefore == 0:
		return "", fmt.Errorf("park: what is %s needs the time from which on it is due", Pending)
	}
	object, err := appendObject(nil, s.packed, h)
	if err != nil {
		return "", fmt.Errorf("park: %w", err)
	}
	key := s.key(state, h)
	_, err = s.create(ctx, &write{
		state: state, key: key, contentType: gzipType, body: append(object, lines...), metadata: metadataOf(h),
	})
	if err != nil {
		return "", err
	}
	return key, nil
}

// key depends on the header alone, so that the same thing is never parked twice.
func (s *Store) key(state State, h *Header) string {
	name := fmt.Sprintf("%s.a%02d.jsonl.gz", h.BatchID, h.Attempt)
	if state == Pending {
		return fmt.Sprintf("%s%s/%s/%010d-%s", s.root, Pending, h.Dest.ID, h.NotBefore, name)
	}
	return s.deadRoot(h.Dest.ID, h.Reason.Code, h.FirstFailedAt) + name
}

// deadRoot is in front of the names of what has died for a reason on one day.
func (s *Store) deadRoot(dest, reason string, at time.Time) string {
	return fmt.Sprintf("%s%s/%s/%s/%s/", s.root, Dead, dest, reason, at.UTC().Format(dayLayout))
}

const dayLayout = "2006/01/02" // of keys
