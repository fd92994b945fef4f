// Package park is the durable store of what could not be forwarded: objects in a bucket of S3, readable with any tool.
//
// It promises that what was put is durable when Put returns nil, that putting the same thing twice leaves one object, and
// that an object is read back whole or not at all. Its layout is that of the delivery contract, 2.7:
//
//	<prefix>/v1/pending/<dest>/<not before, 10 digits>-<batch id>.a<attempt>.jsonl.gz   retried; key order is due order
//	<prefix>/v1/dead/<dest>/<reason>/<yyyy>/<mm>/<dd>/<batch id>.a<attempt>.jsonl.gz    waits for a person
//
// An object is gzip of JSON lines, the first of which is the [Header]. At present it parks pointers to objects of S3: the
// header says what to read again, and no line follows.
//
// It keeps no API keys, no headers and no paths of URLs, and does not decide what is parked, read lists or delete.
package park

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"sluice/internal/compress"
)

// Putter is the client of S3 as far as it is needed here: *s3.Client has it. It retries by itself.
type Putter interface {
	PutObject(ctx context.Context, in *s3.PutObjectInput, opts ...func(*s3.Options)) (*s3.PutObjectOutput, error)
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
	client Putter
	o      Options
	root   string // of every key: "<prefix>/v1/"
	packed compress.Codec
	jitter func() float64
}

// New returns the store that o describes. Nothing is asked of S3 before something is put.
func New(client Putter, o Options) *Store {
	root := "v1/"
	if prefix := strings.Trim(o.Prefix, "/"); prefix != "" {
		root = prefix + "/v1/"
	}
	packed, _ := compress.Gzip(gzipLevel) // the level is one that it knows
	return &Store{client: client, o: o, root: root, packed: packed, jitter: rand.Float64}
}

// lambdaRoot is where Lambda puts what it could not hand to a function (OnFailure destination); it fixes the prefix.
const lambdaRoot = "aws/lambda/"

// Owns reports whether an object is the store's own, or Lambda's in the same bucket. Such an object must not be read as a
// source of logs (rule own_store_object): each failure would be the cause of the next.
func (s *Store) Owns(bucket, key string) bool {
	return bucket == s.o.Bucket && (strings.HasPrefix(key, s.root) || strings.HasPrefix(key, lambdaRoot))
}

// State is where a parked thing stands, and the value of its tag fwd-state, which its lifecycle goes by.
type State string

// The states of what is parked.
const (
	Dead    State = "dead"    // waits for a person, until its lifecycle ends
	Pending State = "pending" // waits for replay, for ever
)

// PutDead parks p for a person. It returns the key of the object that is now durable.
func (s *Store) PutDead(ctx context.Context, p Pointer) (key string, err error) {
	h := p.header()
	return s.put(ctx, Dead, &h)
}

// PutPending parks p for replay, not before a time, which is cut to whole seconds. It returns the key of the object that
// is now durable.
func (s *Store) PutPending(ctx context.Context, p Pointer, notBefore time.Time) (key string, err error) {
	h := p.header()
	h.NotBefore = notBefore.Unix()
	return s.put(ctx, Pending, &h)
}

// key depends on the header alone, so that the same thing is never parked twice.
func (s *Store) key(state State, h *Header) string {
	name := fmt.Sprintf("%s.a%02d.jsonl.gz", h.BatchID, h.Attempt)
	if state == Pending {
		return fmt.Sprintf("%spending/%s/%010d-%s", s.root, h.Dest.ID, h.NotBefore, name)
	}
	return fmt.Sprintf("%sdead/%s/%s/%s/%s", s.root, h.Dest.ID, h.Reason.Code, h.FirstFailedAt.UTC().Format("2006/01/02"), name)
}

// maxConflicts is how often a write that another one got in the way of is tried again.
const (
	maxConflicts = 3
	conflictWait = 200 * time.Millisecond // before the first of them; doubles
)

func (s *Store) put(ctx context.Context, state State, h *Header) (string, error) {
	if s.o.Bucket == "" {
		return "", errors.New("park: no bucket is set to park in: name one in the settings")
	}
	if state == Pending && h.NotBefore == 0 {
		return "", errors.New("park: what is pending needs the time from which on it is due")
	}
	object, err := appendObject(nil, s.packed, h)
	if err != nil {
		return "", fmt.Errorf("park: %w", err)
	}
	key := s.key(state, h)
	for n := 0; ; n++ {
		_, err = s.client.PutObject(ctx, s.input(state, key, h, object))
		switch status := statusOf(err); {
		case err == nil, status == http.StatusPreconditionFailed:
			return key, nil // the latter: this very object is there already
		case status != http.StatusConflict || n == maxConflicts:
			return "", s.explain(key, status, err)
		}
		// Another write of this object is on its way; when it is done, it is ours as well.
		if err := s.pause(ctx, conflictWait<<n); err != nil {
			return "", s.explain(key, 0, err)
		}
	}
}

func (s *Store) pause(ctx context.Context, most time.Duration) error {
	timer := time.NewTimer(time.Duration(s.jitter() * float64(most)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// input is the request. The checksum is ours, not the SDK's: it is taken before the bytes leave, goes in a header instead
// of a trailer, and S3 stores nothing that does not match it.
func (s *Store) input(state State, key string, h *Header, object []byte) *s3.PutObjectInput {
	sum := sha256.Sum256(object)
	in := &s3.PutObjectInput{
		Bucket:            &s.o.Bucket,
		Key:               &key,
		Body:              bytes.NewReader(object),
		ContentLength:     aws.Int64(int64(len(object))),
		ContentType:       aws.String("application/gzip"), // no Content-Encoding: tools would unpack what is named .gz
		IfNoneMatch:       aws.String("*"),
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
		ChecksumSHA256:    aws.String(base64.StdEncoding.EncodeToString(sum[:])),
		Tagging:           aws.String("fwd-state=" + string(state)),
		Metadata: map[string]string{ // for head-object: a few hundred bytes where S3 takes 2 KB
			"batch-id":        h.BatchID,
			"attempt":         strconv.Itoa(h.Attempt),
			"dest":            h.Dest.ID,
			"reason":          h.Reason.Code,
			"count":           strconv.Itoa(h.Count),
			"first-failed-at": h.FirstFailedAt.Format(time.RFC3339),
		},
	}
	if s.o.Owner != "" {
		in.ExpectedBucketOwner = &s.o.Owner
	}
	if s.o.KMSKey != "" {
		in.ServerSideEncryption, in.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, &s.o.KMSKey
		in.BucketKeyEnabled = aws.Bool(true)
	}
	return in
}

// explain says which bucket refused and what to do about it.
func (s *Store) explain(key string, status int, err error) error {
	return fmt.Errorf("park in s3://%s/%s: %w: %s", s.o.Bucket, key, err, s.advice(status, err))
}

func (s *Store) advice(status int, err error) string {
	code := ""
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		code = api.ErrorCode()
	}
	switch {
	case strings.HasPrefix(code, "KMS."):
		return "see that the key which encrypts the bucket is enabled, and grant kms:GenerateDataKey on it"
	case status == http.StatusForbidden:
		return fmt.Sprintf("grant s3:PutObject and s3:PutObjectTagging on %s/%s*, and kms:GenerateDataKey on its key; "+
			"a bucket of another account than expected is answered so too", s.o.Bucket, s.root)
	case status == http.StatusNotFound:
		return "create the bucket, or correct its name in the settings"
	case status >= http.StatusMultipleChoices && status < http.StatusBadRequest:
		return "the bucket is in another region: it has to be in that of the function"
	default:
		return "nothing is parked: return the event"
	}
}

// statusOf is the status of the answer that err is about; 0 when there was none.
func statusOf(err error) int {
	if answer, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return answer.HTTPStatusCode()
	}
	return 0
}
