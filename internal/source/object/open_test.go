package object

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errReset = errors.New("read tcp 192.0.2.1:443: connection reset by peer")

// getStep is what becomes of one GetObject.
type getStep struct {
	refuse   error         // GetObject fails so
	gives    int           // bytes, before the body ends as ends says; -1: all that were asked for
	ends     error         // nil: as a body ends, with io.EOF
	idles    bool          // after its bytes the body gives neither bytes nor an error
	hangs    bool          // after its bytes the body is silent until its context ends
	slowly   time.Duration // before each Read
	from     int64         // added to the offset that the answer starts at
	etag     string        // of the answer, when it is another
	noRange  bool          // the answer has no Content-Range
	size     int           // that the answer claims the object has, when it is another
	noLength bool
}

func wholeBody() getStep      { return getStep{gives: -1} }
func cutAfter(n int) getStep  { return getStep{gives: n, ends: errReset} }
func endsAfter(n int) getStep { return getStep{gives: n} }

// fakeGetter plays one step after another, the last one for ever, and keeps what it was asked.
type fakeGetter struct {
	content []byte
	etag    string
	version string
	steps   []getStep
	asked   []*s3.GetObjectInput
	regions []string
	at      []time.Duration
	start   time.Time
	open    int // bodies that are not closed
}

func newFake(content []byte, steps ...getStep) *fakeGetter {
	return &fakeGetter{content: content, etag: "0123456789abcdef", steps: steps, start: time.Now()}
}

func (f *fakeGetter) GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	s := f.steps[min(len(f.asked), len(f.steps)-1)]
	f.asked = append(f.asked, in)
	f.at = append(f.at, time.Since(f.start))
	o := s3.Options{Region: "eu-west-1"}
	for _, opt := range opts {
		opt(&o)
	}
	f.regions = append(f.regions, o.Region)
	if s.refuse != nil {
		return nil, s.refuse
	}
	var offset int64
	out := &s3.GetObjectOutput{ETag: aws.String(`"` + f.etag + `"`)}
	if f.version != "" {
		out.VersionId = &f.version
	}
	if s.etag != "" {
		out.ETag = &s.etag
	}
	if in.Range != nil {
		if _, err := fmt.Sscanf(*in.Range, "bytes=%d-", &offset); err != nil {
			return nil, err
		}
		offset += s.from
		size := len(f.content)
		if s.size != 0 {
			size = s.size
		}
		if !s.noRange {
			out.ContentRange = aws.String(fmt.Sprintf("bytes %d-%d/%d", offset, size-1, size))
		}
	}
	rest := f.content[min(int(offset), len(f.content)):]
	if !s.noLength {
		out.ContentLength = aws.Int64(int64(len(rest)))
	}
	if s.gives >= 0 {
		rest = rest[:min(s.gives, len(rest))]
	}
	f.open++
	out.Body = &fakeBody{ctx: ctx, rest: rest, step: s, closed: func() { f.open-- }}
	return out, nil
}

type fakeBody struct {
	ctx    context.Context
	rest   []byte
	step   getStep
	closed func()
}

func (b *fakeBody) Read(p []byte) (int, error) {
	if b.step.slowly > 0 {
		select {
		case <-time.After(b.step.slowly):
		case <-b.ctx.Done():
			return 0, b.ctx.Err()
		}
	}
	if len(b.rest) == 0 && b.step.idles {
		return 0, nil
	}
	if len(b.rest) == 0 && b.step.hangs {
		<-b.ctx.Done()
		return 0, b.ctx.Err()
	}
	if len(b.rest) == 0 && b.step.ends != nil {
		return 0, b.step.ends
	}
	if len(b.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	if len(b.rest) == 0 && b.step.ends != nil {
		return n, b.step.ends // bytes and an error at once, as io.Reader allows
	}
	return n, nil
}

func (b *fakeBody) Close() error {
	if b.closed != nil {
		b.closed()
		b.closed = nil
	}
	return nil
}

// s3Refusal is an error as the SDK's client gives it.
func s3Refusal(status int, code, message string) error {
	return &smithy.OperationError{ServiceID: "S3", OperationName: "GetObject", Err: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: http.Header{}}},
		Err:      &smithy.GenericAPIError{Code: code, Message: message},
	}}
}

var logsRef = Ref{Bucket: "logs", Key: "AWSLogs/a b.gz", ETag: "0123456789abcdef", SizeBytes: -1}

// fullWaits waits as long as it may.
func fullWaits() reading { return reading{stall: stallAfter, jitter: func() float64 { return 0.999 }} }

func randomBytes(n int) []byte {
	r := rand.New(rand.NewPCG(7, uint64(n)))
	content := make([]byte, n)
	for i := range content {
		content[i] = byte(r.Uint32())
	}
	return content
}

func TestBody(t *testing.T) {
	const mib = 1 << 20
	for name, tc := range map[string]struct {
		size    int
		steps   []getStep
		got     int // bytes handed out
		kind    FaultKind
		message string
		resumes int
	}{
		"whole object in one answer":           {size: 1000, steps: []getStep{wholeBody()}, got: 1000},
		"empty object":                         {size: 0, steps: []getStep{wholeBody()}, got: 0},
		"reset in the middle":                  {size: 1000, steps: []getStep{cutAfter(400), wholeBody()}, got: 1000, resumes: 1},
		"reset before the first byte":          {size: 1000, steps: []getStep{cutAfter(0), wholeBody()}, got: 1000, resumes: 1},
		"reset after the last byte is the end": {size: 1000, steps: []getStep{cutAfter(1000)}, got: 1000},
		"early end is no end":                  {size: 1000, steps: []getStep{endsAfter(999), wholeBody()}, got: 1000, resumes: 1},
		"three cuts":                           {size: 1000, steps: []getStep{cutAfter(1), cutAfter(1), endsAfter(0), wholeBody()}, got: 1000, resumes: 3},
		"four cuts in one MiB are too many": {
			size: 1000, steps: []getStep{cutAfter(1)}, got: 4, kind: Broken, resumes: 3,
			message: `"s3://logs/AWSLogs/a b.gz" at byte 4: read tcp 192.0.2.1:443: connection reset by peer (after 3 resumes): try again later`,
		},
		"a MiB of progress ends a streak": {size: 9 * mib, steps: []getStep{cutAfter(mib)}, got: 9 * mib, resumes: 8},
		"three cuts in each MiB":          {size: 3 * mib, steps: []getStep{cutAfter(mib/3 + 1)}, got: 3 * mib, resumes: 8},
		"a hundred resumes are enough":    {size: 103 * mib, steps: []getStep{cutAfter(mib)}, got: 101 * mib, kind: Broken, resumes: 100, message: "after 100 resumes"},
		"busy while it resumes":           {size: 10, steps: []getStep{cutAfter(5), {refuse: s3Refusal(503, "SlowDown", "")}, wholeBody()}, got: 10, resumes: 2},
		"busy for ever": {
			size: 10, steps: []getStep{cutAfter(5), {refuse: s3Refusal(503, "SlowDown", "Reduce your request rate.")}}, got: 5, kind: Throttled, resumes: 3,
			message: `at byte 5: SlowDown "Reduce your request rate." (after 3 resumes): try again later`,
		},
		"no connection while it resumes":   {size: 10, steps: []getStep{cutAfter(5), {refuse: errReset}, wholeBody()}, got: 10, resumes: 2},
		"overwritten in the middle":        {size: 10, steps: []getStep{cutAfter(5), {refuse: s3Refusal(412, "PreconditionFailed", "")}}, got: 5, kind: Overwritten, resumes: 1},
		"deleted in the middle":            {size: 10, steps: []getStep{cutAfter(5), {refuse: s3Refusal(404, "NoSuchKey", "")}}, got: 5, kind: Gone, resumes: 1},
		"shorter now":                      {size: 10, steps: []getStep{cutAfter(5), {refuse: s3Refusal(416, "InvalidRange", "")}}, got: 5, kind: Overwritten, resumes: 1},
		"another ETag in the middle":       {size: 10, steps: []getStep{cutAfter(5), {gives: -1, etag: `"other"`}}, got: 5, kind: Overwritten, resumes: 1},
		"another size in the middle":       {size: 10, steps: []getStep{cutAfter(5), {gives: -1, size: 11}}, got: 5, kind: Overwritten, resumes: 1},
		"an answer from elsewhere is none": {size: 10, steps: []getStep{cutAfter(5), {gives: -1, from: -1}, {gives: -1, from: 1}, wholeBody()}, got: 10, resumes: 3},
		"an answer that heeds no range": {
			size: 10, steps: []getStep{cutAfter(5), {gives: -1, noRange: true}}, got: 5, kind: Broken, resumes: 3, message: `Content-Range is ""`,
		},
		"stalls once": {size: 10, steps: []getStep{{gives: 5, hangs: true}, wholeBody()}, got: 10, resumes: 1},
		"stalls always": {
			size: 10, steps: []getStep{{gives: 5, hangs: true}, {hangs: true}}, got: 5, kind: Broken, resumes: 3, message: "no byte came for too long",
		},
		"slow is not stalled":        {size: 40 * 8192, steps: []getStep{{gives: -1, slowly: 19 * time.Second}}, got: 40 * 8192},
		"neither bytes nor an error": {size: 10, steps: []getStep{{gives: 5, idles: true}, wholeBody()}, got: 10, resumes: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				content := randomBytes(tc.size)
				fake := newFake(content, tc.steps...)
				body, err := fullWaits().open(t.Context(), fake, logsRef)
				require.NoError(t, err)
				got, err := readBySteps(body, 8192)
				require.True(t, bytes.Equal(content[:tc.got], got), "got %d bytes", len(got))
				assert.Equal(t, tc.resumes, body.Resumes())
				if tc.kind == "" {
					require.NoError(t, err)
				} else {
					fault, ok := errors.AsType[*Fault](err)
					require.True(t, ok, "%v", err)
					assert.Equal(t, tc.kind, fault.Kind)
					assert.Equal(t, int64(tc.got), fault.Offset)
					require.ErrorContains(t, err, tc.message)
					_, again := body.Read(make([]byte, 1))
					assert.Equal(t, err, again, "an error stays")
				}
				require.NoError(t, body.Close())
				assert.Zero(t, fake.open, "bodies that are not closed")
			})
		})
	}
}

// readBySteps is io.ReadAll with reads of one size.
func readBySteps(r io.Reader, step int) ([]byte, error) {
	var got []byte
	p := make([]byte, step)
	for {
		n, err := r.Read(p)
		got = append(got, p[:n]...)
		if err == io.EOF {
			return got, nil
		}
		if err != nil {
			return got, err
		}
	}
}

func TestBodyAsksForTheSameObject(t *testing.T) {
	for name, tc := range map[string]struct {
		ref           Ref
		answersWith   string // version
		first, resume s3.GetObjectInput
		region        string
	}{
		"by ETag where no version is known": {
			ref:    Ref{Bucket: "logs", Key: "k", ETag: `"0123456789abcdef"`},
			first:  s3.GetObjectInput{IfMatch: aws.String(`"0123456789abcdef"`)},
			resume: s3.GetObjectInput{IfMatch: aws.String(`"0123456789abcdef"`)}, region: "eu-west-1",
		},
		"by version": {
			ref: Ref{Bucket: "logs", Key: "k", VersionID: "3HL4", ETag: "stale", Region: "us-gov-east-1"}, answersWith: "3HL4",
			first:  s3.GetObjectInput{VersionId: aws.String("3HL4")},
			resume: s3.GetObjectInput{VersionId: aws.String("3HL4"), IfMatch: aws.String(`"0123456789abcdef"`)}, region: "us-gov-east-1",
		},
		"by the version null, which is overwritten": {
			ref: Ref{Bucket: "logs", Key: "k", VersionID: "null", ETag: "0123456789abcdef"}, answersWith: "null",
			first:  s3.GetObjectInput{VersionId: aws.String("null"), IfMatch: aws.String(`"0123456789abcdef"`)},
			resume: s3.GetObjectInput{VersionId: aws.String("null"), IfMatch: aws.String(`"0123456789abcdef"`)}, region: "eu-west-1",
		},
		"whatever is there, then that": {
			ref: Ref{Bucket: "logs", Key: "k", Owner: "123456789012"}, answersWith: "9xY",
			first: s3.GetObjectInput{ExpectedBucketOwner: aws.String("123456789012")},
			resume: s3.GetObjectInput{
				ExpectedBucketOwner: aws.String("123456789012"), VersionId: aws.String("9xY"), IfMatch: aws.String(`"0123456789abcdef"`),
			}, region: "eu-west-1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake := newFake(randomBytes(10), cutAfter(3), wholeBody())
				fake.version = tc.answersWith
				body, err := fullWaits().open(t.Context(), fake, tc.ref)
				require.NoError(t, err)
				_, err = readBySteps(body, 64)
				require.NoError(t, err)
				for _, in := range []*s3.GetObjectInput{&tc.first, &tc.resume} {
					in.Bucket, in.Key = aws.String("logs"), aws.String("k")
				}
				tc.resume.Range = aws.String("bytes=3-")
				assert.Equal(t, []*s3.GetObjectInput{&tc.first, &tc.resume}, fake.asked)
				assert.Equal(t, []string{tc.region, tc.region}, fake.regions)
				assert.Equal(t, tc.answersWith, body.VersionID)
				assert.Equal(t, "0123456789abcdef", body.ETag)
				assert.Equal(t, int64(10), body.SizeBytes)
			})
		})
	}
}

func TestBodyWaitsBetweenResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := newFake(randomBytes(10), getStep{hangs: true})
		r := fullWaits()
		r.jitter = func() float64 { return 0.5 }
		body, err := r.open(t.Context(), fake, logsRef)
		require.NoError(t, err)
		time.Sleep(time.Hour) // the consumer's time is not the network's
		_, err = body.Read(make([]byte, 1))
		require.ErrorIs(t, err, errStalled)
		const s, ms = time.Second, time.Millisecond
		assert.Equal(t, []time.Duration{0, time.Hour + 20*s + 100*ms, time.Hour + 40*s + 300*ms, time.Hour + 60*s + 700*ms}, fake.at)
	})
}

func TestBodyEndsWithItsContext(t *testing.T) {
	for name, steps := range map[string][]getStep{
		"while it reads":    {{gives: 5, hangs: true}},
		"while it waits":    {cutAfter(5), {refuse: errReset}},
		"while it is asked": {cutAfter(5), {refuse: errReset}, {refuse: errReset}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
				defer cancel()
				fake := newFake(randomBytes(10), steps...)
				body, err := fullWaits().open(ctx, fake, logsRef)
				require.NoError(t, err)
				got, err := readBySteps(body, 64)
				assert.Len(t, got, 5)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				fault, ok := errors.AsType[*Fault](err)
				require.True(t, ok)
				assert.Equal(t, Cancelled, fault.Kind)
				assert.Zero(t, fake.open)
			})
		})
	}
}

func TestBodyClosedReadsNoMore(t *testing.T) {
	fake := newFake(randomBytes(10), wholeBody())
	body, err := Open(t.Context(), fake, logsRef)
	require.NoError(t, err)
	n, err := body.Read(nil)
	require.NoError(t, err)
	assert.Zero(t, n)
	require.NoError(t, body.Close())
	require.NoError(t, body.Close())
	_, err = body.Read(make([]byte, 1))
	require.ErrorContains(t, err, "closed")
	assert.Zero(t, fake.open)
}

// TestBodyGivesEachByteOnce cuts connections at random places in random ways: what was asked for is what comes.
func TestBodyGivesEachByteOnce(t *testing.T) {
	for seed := range uint64(300) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			content := randomBytes(r.IntN(200_000))
			var steps []getStep
			for range r.IntN(4) {
				steps = append(steps, []getStep{
					cutAfter(r.IntN(len(content) + 1)), endsAfter(r.IntN(len(content) + 1)),
					{gives: r.IntN(len(content) + 1), hangs: true},
					{refuse: errReset},
					{gives: 1, noRange: true, ends: errReset},
				}[r.IntN(5)])
			}
			if len(steps) > 0 && steps[0].refuse != nil {
				steps[0] = cutAfter(0) // the first answer is the SDK's to retry
			}
			body, err := fullWaits().open(t.Context(), newFake(content, append(steps, wholeBody())...), logsRef)
			require.NoError(t, err)
			got, err := readBySteps(body, 1+r.IntN(70_000))
			require.NoError(t, err, "seed %d: %v", seed, steps)
			require.True(t, bytes.Equal(content, got), "seed %d: %v", seed, steps)
		})
	}
}

func TestOpenRefusesWhatNamesNoObject(t *testing.T) {
	good := Ref{Bucket: "logs.example.com", Key: "k", Region: "eu-west-1", Owner: "111122223333", VersionID: "null", ETag: "abc-12"}
	for name, tc := range map[string]struct {
		change func(*Ref)
		err    string
	}{
		"a good one":                 {func(*Ref) {}, ""},
		"an old name":                {func(r *Ref) { r.Bucket = "Old_Logs" }, ""},
		"a region of two words":      {func(r *Ref) { r.Region = "eusc-de-east-1" }, ""},
		"the ARN of an access point": {func(r *Ref) { r.Bucket = "arn:aws:s3:us-east-1:111122223333:accesspoint/x" }, "is not the name of a bucket"},
		"a path for a bucket":        {func(r *Ref) { r.Bucket = "a/../b" }, "is not the name of a bucket"},
		"dots for a bucket":          {func(r *Ref) { r.Bucket = "a..b" }, "is not the name of a bucket"},
		"no bucket":                  {func(r *Ref) { r.Bucket = "" }, "is not the name of a bucket"},
		"a dot for a bucket":         {func(r *Ref) { r.Bucket = ".logs" }, "is not the name of a bucket"},
		"no key":                     {func(r *Ref) { r.Key = "" }, "the key is empty"},
		"a key too long":             {func(r *Ref) { r.Key = strings.Repeat("k", 1025) }, "the key has 1025 bytes where S3 takes 1024"},
		"a host for a region":        {func(r *Ref) { r.Region = "eu-west-1.example.com/" }, "is not an AWS region"},
		"a word for a region":        {func(r *Ref) { r.Region = "us-1" }, "is not an AWS region"},
		"a region without number":    {func(r *Ref) { r.Region = "us-east-one" }, "is not an AWS region"},
		"a region with a gap":        {func(r *Ref) { r.Region = "us--1" }, "is not an AWS region"},
		"a user for an owner":        {func(r *Ref) { r.Owner = "AIDAEXAMPLE0" }, "is not an account of 12 digits"},
		"a line break in a version":  {func(r *Ref) { r.VersionID = "a\r\nX: y" }, `"a\r\nX: y" is not a version id`},
		"a quote in an ETag":         {func(r *Ref) { r.ETag = `a", "b` }, "is not an ETag"},
	} {
		t.Run(name, func(t *testing.T) {
			r := good
			tc.change(&r)
			fake := newFake([]byte("x"), wholeBody())
			_, err := Open(t.Context(), fake, r)
			if tc.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.err)
			fault, ok := errors.AsType[*Fault](err)
			require.True(t, ok)
			assert.Equal(t, Malformed, fault.Kind)
			assert.Empty(t, fake.asked)
		})
	}
}

func TestOpenWantsALength(t *testing.T) {
	fake := newFake([]byte("x"), getStep{gives: -1, noLength: true})
	_, err := Open(t.Context(), fake, logsRef)
	require.ErrorContains(t, err, "no Content-Length")
	assert.Zero(t, fake.open)
}

func TestParseContentRange(t *testing.T) {
	for s, want := range map[string][]int64{
		"bytes 0-0/1": {0, 1}, "bytes 5-9/10": {5, 10}, "bytes 5-9/*": {5, -1}, "bytes 5-9/9": nil, "bytes 9-5/10": nil, "5-9/10": nil,
		"": nil, "bytes */10": nil, "bytes 5-/10": nil, "bytes -5/10": nil, "bytes +5-9/10": nil, "bytes 5-9": nil,
		"bytes 5-9/99999999999999999999": nil, "bytes 5-9/-1": nil,
	} {
		start, size, ok := parseContentRange(s)
		assert.Equal(t, want != nil, ok, s)
		if want != nil {
			assert.Equal(t, want, []int64{start, size}, s)
		}
	}
}

// FuzzParseContentRange: what is accepted says itself again.
func FuzzParseContentRange(f *testing.F) {
	f.Add("bytes 5-9/10")
	f.Add("bytes 0-0/*")
	f.Fuzz(func(t *testing.T, s string) {
		start, size, ok := parseContentRange(s)
		if !ok {
			return
		}
		require.GreaterOrEqual(t, start, int64(0))
		require.True(t, size == -1 || size > start)
		var first, last int64
		n, err := fmt.Sscanf(s, "bytes %d-%d/", &first, &last)
		require.NoError(t, err)
		require.Equal(t, 2, n)
		require.Equal(t, start, first)
		require.True(t, size == -1 || last < size)
	})
}

func TestFault(t *testing.T) {
	long := strings.Repeat("é", 200)
	for name, tc := range map[string]struct {
		err   error
		owner string
		kind  FaultKind
		text  string
	}{
		"no such key":          {err: s3Refusal(404, "NoSuchKey", "The specified key does not exist."), kind: Gone, text: `NoSuchKey "The specified key does not exist.": the object is gone`},
		"no such version":      {err: s3Refusal(404, "NoSuchVersion", ""), kind: Gone},
		"delete marker":        {err: s3Refusal(405, "MethodNotAllowed", ""), kind: Gone},
		"no such bucket":       {err: s3Refusal(404, "NoSuchBucket", ""), kind: NoBucket},
		"overwritten":          {err: s3Refusal(412, "PreconditionFailed", ""), kind: Overwritten},
		"denied":               {err: s3Refusal(403, "AccessDenied", "Access Denied"), kind: Forbidden, text: "without s3:ListBucket"},
		"denied, or theirs":    {err: s3Refusal(403, "AccessDenied", ""), owner: "123456789012", kind: Forbidden, text: "a bucket of another account than expected"},
		"KMS denied":           {err: s3Refusal(403, "AccessDenied", "User: x is not authorized to perform: kms:Decrypt on y"), kind: KMSDenied, text: "grant kms:Decrypt"},
		"KMS key disabled":     {err: s3Refusal(400, "KMS.DisabledException", ""), kind: KMSDenied},
		"archived":             {err: s3Refusal(403, "InvalidObjectState", ""), kind: Archived},
		"moved":                {err: s3Refusal(301, "PermanentRedirect", ""), kind: WrongRegion},
		"signed elsewhere":     {err: s3Refusal(400, "AuthorizationHeaderMalformed", ""), kind: WrongRegion},
		"denied, no code":      {err: s3Refusal(401, "", ""), kind: Forbidden},
		"overwritten, no code": {err: s3Refusal(412, "", ""), kind: Overwritten},
		"moved, no code":       {err: s3Refusal(307, "", ""), kind: WrongRegion},
		"slow down":            {err: s3Refusal(503, "SlowDown", ""), kind: Throttled},
		"internal error":       {err: s3Refusal(500, "InternalError", ""), kind: Throttled},
		"too many":             {err: s3Refusal(429, "", ""), kind: Throttled},
		"old token":            {err: s3Refusal(400, "ExpiredToken", ""), kind: Refused},
		"no network":           {err: errReset, kind: Broken, text: "connection reset by peer: try again later"},
		"a text with control characters is quoted": {
			err: errors.New("a\x1b[31mb\nc"), kind: Broken, text: `"a\x1b[31mb\nc"`,
		},
		"a long message is cut between characters": {
			err: s3Refusal(403, "AccessDenied", "x"+long), kind: Forbidden, text: `"x` + strings.Repeat("é", 127) + `"…`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := logsRef
			r.Key, r.Owner = "a\nb", tc.owner
			_, err := Open(t.Context(), newFake(nil, getStep{refuse: tc.err}), r)
			fault, ok := errors.AsType[*Fault](err)
			require.True(t, ok)
			assert.Equal(t, tc.kind, fault.Kind)
			require.ErrorIs(t, err, tc.err)
			assert.True(t, strings.HasPrefix(err.Error(), `"s3://logs/a\nb" at byte 0: `), err)
			require.ErrorContains(t, err, tc.text)
			assert.Regexp(t, `^[a-z0-9_]{1,40}$`, string(fault.Kind))
		})
	}
}

func TestFaultCutsLongKeys(t *testing.T) {
	r := logsRef
	r.Key = strings.Repeat("k", 1024)
	_, err := Open(t.Context(), newFake(nil, getStep{refuse: errReset}), r)
	require.ErrorContains(t, err, strings.Repeat("k", 256)+`"… at byte 0`)
	assert.NotContains(t, err.Error(), strings.Repeat("k", 257))
}

func TestFaultKindsHaveAdvice(t *testing.T) {
	seen := map[string]bool{}
	for _, kind := range []FaultKind{
		Gone, Overwritten, Malformed, NoBucket, Forbidden, KMSDenied, Archived, WrongRegion, Refused, Throttled, Cancelled,
	} {
		seen[(&Fault{Kind: kind, Err: errReset}).advice()] = true
	}
	assert.Len(t, seen, 11)
	assert.True(t, slices.Contains([]string{"try again later"}, (&Fault{Kind: "unknown"}).advice()))
}
