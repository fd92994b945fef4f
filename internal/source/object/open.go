package object

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Ref names one version of an object. It mostly comes from a message, so nothing in it is trusted: see [Open].
type Ref struct {
	Bucket string // name of the bucket: never an ARN
	Key    string // as it is, decoded

	VersionID string // empty: not known, or a bucket without versions
	ETag      string // of the notification, with or without quotes; empty: not known
	SizeBytes int64  // of the notification; -1: not known. What counts for reading is the size that S3 answers
	Owner     string // account of 12 digits that must own the bucket; empty: not checked
	Region    string // of the bucket; empty: the client's own
}

// Getter is the client of S3 as far as it is needed here: *s3.Client has it.
type Getter interface {
	GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// NullVersion is the version id of what was written while the bucket kept no versions. Unlike other versions it is
// overwritten (Amazon S3 user guide, "Adding objects to versioning-suspended buckets").
const NullVersion = "null"

// Open asks S3 for the version that ref names and returns its bytes, from the first on.
//
// The version is held by its id when that is known, else by If-Match on the notification's ETag: a newer object under the
// same key is never read in its place. Bucket, owner and region are checked for their form before anything is sent. The
// region picks among the endpoints that the SDK knows; no part of a message becomes an endpoint.
//
// The error is a *[Fault]. ctx bounds the reading of the body too. The caller closes the body.
func Open(ctx context.Context, g Getter, ref Ref) (*Body, error) {
	return reading{stall: stallAfter, jitter: rand.Float64}.open(ctx, g, ref)
}

// reading is what tests change about the way an object is read.
type reading struct {
	stall  time.Duration  // a read that brings no byte for so long is given up
	jitter func() float64 // in [0, 1): the share of a wait that is waited
}

func (r reading) open(ctx context.Context, g Getter, ref Ref) (*Body, error) {
	ref.ETag = strings.Trim(ref.ETag, `"`)
	b := &Body{reading: r, ctx: ctx, getter: g, ref: ref}
	if err := ref.check(); err != nil {
		return nil, b.fault(Malformed, err)
	}
	in := ref.input()
	if (ref.VersionID == "" || ref.VersionID == NullVersion) && ref.ETag != "" {
		in.IfMatch = aws.String(quotedETag(ref.ETag))
	}
	a, out, err := b.request(ctx, in)
	if err != nil {
		return nil, b.faultOf(err)
	}
	// Without a length nobody could tell a whole body from the start of one. S3 always sends it.
	if out.ContentLength == nil || *out.ContentLength < 0 {
		a.close()
		return nil, b.fault(Broken, errors.New("the answer has no Content-Length, so its end could not be told from a cut"))
	}
	b.attempt = a
	b.SizeBytes = *out.ContentLength
	b.ContentEncoding = aws.ToString(out.ContentEncoding)
	b.ContentType = aws.ToString(out.ContentType)
	b.ETag = strings.Trim(aws.ToString(out.ETag), `"`)
	b.VersionID = aws.ToString(out.VersionId)
	b.LastModified = aws.ToTime(out.LastModified)
	return b, nil
}

// input is the request that every attempt starts from.
//
// ChecksumMode stays unset, and [NewClient] keeps the SDK from setting it: the checksum that S3 stores is that of the whole
// object, so it can check neither a range nor a body that is put together from several answers. A cut is found by the
// length, a changed object by its ETag, a changed byte by TLS and by the checksum of what is inside (gzip, zstd).
func (r *Ref) input() *s3.GetObjectInput {
	in := &s3.GetObjectInput{Bucket: &r.Bucket, Key: &r.Key}
	if r.VersionID != "" {
		in.VersionId = &r.VersionID
	}
	if r.Owner != "" {
		in.ExpectedBucketOwner = &r.Owner
	}
	return in
}

// inRegion calls the bucket where it is. The SDK makes the endpoint of it; a client for each region would cost a
// connection pool each.
func (r *Ref) inRegion(o *s3.Options) {
	if r.Region != "" {
		o.Region = r.Region
	}
}

const (
	maxKeyBytes    = 1024 // Amazon S3 User Guide, "Naming Amazon S3 objects"
	minBucketBytes = 3    // User Guide, "General purpose bucket naming rules"
	maxBucketBytes = 255  // the same, for buckets made before 2018 in us-east-1; newer ones end at 63
	maxRegionBytes = 32   // the longest region known has 14
	maxTokenBytes  = 1024 // User Guide, "How S3 Versioning works": version ids; ETags are far shorter
	accountDigits  = 12
)

// check refuses what cannot name an object of S3. It keeps a forged message from choosing an endpoint: the SDK takes the
// ARN of an access point for a bucket, and a region becomes a part of the host's name.
func (r *Ref) check() error {
	switch {
	case !isBucket(r.Bucket):
		return fmt.Errorf("%s is not the name of a bucket", excerpt(r.Bucket, maxPlaceBytes))
	case r.Key == "":
		return errors.New("the key is empty")
	case len(r.Key) > maxKeyBytes:
		return fmt.Errorf("the key has %d bytes where S3 takes %d", len(r.Key), maxKeyBytes)
	case r.Region != "" && !isRegion(r.Region):
		return fmt.Errorf("%s is not an AWS region", excerpt(r.Region, maxRegionBytes))
	case r.Owner != "" && (len(r.Owner) != accountDigits || strings.Trim(r.Owner, "0123456789") != ""):
		return fmt.Errorf("owner %s is not an account of %d digits", excerpt(r.Owner, maxRegionBytes), accountDigits)
	case !isHeaderToken(r.VersionID):
		return fmt.Errorf("%s is not a version id", excerpt(r.VersionID, maxRegionBytes))
	case !isHeaderToken(r.ETag):
		return fmt.Errorf("%s is not an ETag", excerpt(r.ETag, maxRegionBytes))
	default:
		return nil
	}
}

// isBucket takes every name that S3 ever gave out, and nothing with the colon or slash of an ARN.
func isBucket(name string) bool {
	if len(name) < minBucketBytes || len(name) > maxBucketBytes || strings.Contains(name, "..") {
		return false
	}
	for _, c := range []byte(name) {
		if !isAlphanumeric(c) && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return isAlphanumeric(name[0]) && isAlphanumeric(name[len(name)-1])
}

// isRegion takes names such as eu-west-1, us-gov-east-1 and eusc-de-east-1: words of lower case, then a number.
func isRegion(name string) bool {
	words := strings.Split(name, "-")
	last := len(words) - 1
	if len(name) > maxRegionBytes || last < 2 || len(words[last]) > 2 || !isOf(words[last], '0', '9') {
		return false
	}
	for _, word := range words[:last] {
		if !isOf(word, 'a', 'z') {
			return false
		}
	}
	return true
}

// isOf reports whether s has bytes and all of them lie in [low, high].
func isOf(s string, low, high byte) bool {
	for _, c := range []byte(s) {
		if c < low || c > high {
			return false
		}
	}
	return s != ""
}

// isHeaderToken takes what may stand in a header between quotes, and the empty text.
func isHeaderToken(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || c == '"' {
			return false
		}
	}
	return len(s) <= maxTokenBytes
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// quotedETag is an ETag as HTTP writes it (RFC 9110, section 8.8.3).
func quotedETag(etag string) string { return `"` + etag + `"` }

var _ io.ReadCloser = (*Body)(nil)
