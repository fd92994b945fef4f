package park

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"sluice/internal/failpoint"
)

// write is an object to be written.
type write struct {
	state       State
	key         string
	contentType string
	body        []byte
	metadata    map[string]string // for head-object: a few hundred bytes where S3 takes 2 KB
	ifNoneMatch bool              // only when there is none of this key
	ifMatch     string            // only over the object with this ETag
}

const (
	gzipType = "application/gzip" // and no Content-Encoding: tools would unpack what is named .gz
	jsonType = "application/json"
)

func metadataOf(h *Header) map[string]string {
	return map[string]string{
		"batch-id":        h.BatchID,
		"attempt":         strconv.Itoa(h.Attempt),
		"dest":            h.Dest.ID,
		"reason":          h.Reason.Code,
		"count":           strconv.Itoa(h.Count),
		"first-failed-at": h.FirstFailedAt.Format(time.RFC3339),
	}
}

// A write that another one got in the way of is tried again.
const (
	maxConflicts = 3
	conflictWait = 200 * time.Millisecond // before the first of them; doubles
)

var errNoBucket = errors.New("park: no bucket is set to park in: name one in the settings")

// create parks an object unless its key is taken already, which it reports by created. Both leave something durable.
func (s *Store) create(ctx context.Context, w *write) (created bool, err error) {
	if s.o.Bucket == "" {
		return false, errNoBucket
	}
	w.ifNoneMatch = true
	failpoint.Hit(failpoint.BeforePark)
	for n := 0; ; n++ {
		_, err := s.client.PutObject(ctx, s.input(w))
		switch status := statusOf(err); {
		case err == nil, status == http.StatusPreconditionFailed:
			failpoint.Hit(failpoint.AfterPark)
			return err == nil, nil
		case status != http.StatusConflict || n == maxConflicts:
			return false, s.explain(parking, w.key, err)
		}
		// Another write of this object is on its way; when it is done, it is ours as well.
		if err := s.pause(ctx, conflictWait<<n); err != nil {
			return false, s.explain(parking, w.key, err)
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
func (s *Store) input(w *write) *s3.PutObjectInput {
	sum := sha256.Sum256(w.body)
	in := &s3.PutObjectInput{
		Bucket:              &s.o.Bucket,
		Key:                 &w.key,
		Body:                bytes.NewReader(w.body),
		ContentLength:       aws.Int64(int64(len(w.body))),
		ContentType:         &w.contentType,
		ChecksumAlgorithm:   types.ChecksumAlgorithmSha256,
		ChecksumSHA256:      aws.String(base64.StdEncoding.EncodeToString(sum[:])),
		Tagging:             aws.String("fwd-state=" + string(w.state)),
		Metadata:            w.metadata,
		ExpectedBucketOwner: optional(s.o.Owner),
		IfMatch:             optional(w.ifMatch),
	}
	if w.ifNoneMatch {
		in.IfNoneMatch = aws.String("*")
	}
	if s.o.KMSKey != "" {
		in.ServerSideEncryption, in.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, &s.o.KMSKey
		in.BucketKeyEnabled = aws.Bool(true)
	}
	return in
}

// optional is a member of a request that is left out when it is empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
