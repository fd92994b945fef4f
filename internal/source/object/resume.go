package object

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	stallAfter      = 20 * time.Second // a healthy read waits for milliseconds
	maxResumes      = 100              // of one body
	resumesInARow   = 3                // delivery contract 2.2; a whole streak brings less than progressBytes
	progressBytes   = 1 << 20          // so many bytes since a streak began end it
	resumeWait      = 100 * time.Millisecond
	maxEmptyReads   = 100 // of a reader that gives neither bytes nor an error; the figure of bufio
	contentRangeTag = "bytes "
)

var errStalled = errors.New("no byte came for too long")

// Body reads one version of an object, each byte once and in order.
//
// A connection that breaks, ends early or stalls is replaced by another that starts at the byte reached, on the condition
// that the object is still the same. That is tried three times for each MiB and 100 times for each body, with small waits
// between. What cannot be read is a *[Fault], and it stays; the bytes before it stand.
//
// It holds one connection and no buffer. It is not safe for concurrent use.
type Body struct {
	SizeBytes       int64  // of the object as it is stored: compressed, if it is
	ContentEncoding string // as it was stored with the object; a hint at best
	ContentType     string // likewise
	ETag            string // without quotes
	VersionID       string // empty in a bucket without versions
	LastModified    time.Time

	reading
	ctx     context.Context // a Read has none; this one bounds the life of the body
	getter  Getter
	ref     Ref
	attempt *attempt // nil when the connection is to be replaced, and after the end

	offset  int64 // of the next byte
	cut     error // why the connection cannot go on, while bytes before it are handed out
	err     error // the end
	resumes int
	inARow  int   // resumes since streakAt
	streak  int64 // offset at which the streak of resumes began
}

// attempt is one answer of S3 and the watch over it.
type attempt struct {
	ctx    context.Context // ends with the answer
	cancel context.CancelCauseFunc
	body   io.ReadCloser
	watch  *time.Timer
	stall  time.Duration
}

// request makes one request and sets a watch on its answer, which is not yet running.
func (b *Body) request(ctx context.Context, in *s3.GetObjectInput) (*attempt, *s3.GetObjectOutput, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	out, err := b.getter.GetObject(ctx, in, b.ref.inRegion)
	if err != nil {
		cancel(nil)
		return nil, nil, err
	}
	watch := time.AfterFunc(b.stall, func() { cancel(errStalled) })
	watch.Stop()
	return &attempt{ctx: ctx, cancel: cancel, body: out.Body, watch: watch, stall: b.stall}, out, nil
}

// read is a Read that ends when no byte comes for too long. The time between reads is the consumer's and does not count.
func (a *attempt) read(p []byte) (int, error) {
	a.watch.Reset(a.stall)
	n, err := a.body.Read(p)
	a.watch.Stop()
	if err != nil && context.Cause(a.ctx) == errStalled { //nolint:errorlint // it is this very value, set in request
		err = errStalled
	}
	return n, err
}

func (a *attempt) close() {
	a.watch.Stop()
	a.cancel(nil)
	_ = a.body.Close() // what was read is checked by its length
}

// Resumes is how often the connection had to be replaced so far.
func (b *Body) Resumes() int { return b.resumes }

// Close ends the connection. It does not fail.
func (b *Body) Close() error {
	b.end(errors.New("the body of an object is closed"))
	return nil
}

// Read reads as [io.Reader] says. It returns io.EOF after SizeBytes bytes and never before; any other error is a *[Fault].
func (b *Body) Read(p []byte) (int, error) {
	for empty := 0; ; empty++ {
		switch {
		case b.err != nil:
			return 0, b.err
		case b.offset == b.SizeBytes:
			b.end(io.EOF)
			return 0, io.EOF
		case len(p) == 0:
			return 0, nil
		case b.cut != nil:
			if err := b.resume(b.cut); err != nil {
				b.end(err)
				return 0, err
			}
			b.cut, empty = nil, 0
		}
		n, err := b.attempt.read(p[:min(int64(len(p)), b.SizeBytes-b.offset)])
		b.offset += int64(n)
		b.cut = reasonToResume(err, empty)
		if n > 0 {
			return n, nil
		}
	}
}

// reasonToResume says why a connection that ended with err cannot go on; nil while it can. That the body is whole is checked first.
func reasonToResume(err error, emptyReads int) error {
	switch {
	case err == io.EOF: //nolint:errorlint // io.Reader returns it as it is
		return io.ErrUnexpectedEOF
	case err == nil && emptyReads >= maxEmptyReads:
		return io.ErrNoProgress
	default:
		return err
	}
}

// end closes the connection and makes err the answer of every later Read, if there is none yet.
func (b *Body) end(err error) {
	if b.err == nil {
		b.err = err
	}
	b.drop()
}

func (b *Body) drop() {
	if b.attempt != nil {
		b.attempt.close()
		b.attempt = nil
	}
}

// resume replaces the connection that ended for cause. It gives up when S3 has said something final, when the context
// ends, or when too little came of the last ones.
func (b *Body) resume(cause error) error {
	b.drop()
	if b.offset-b.streak >= progressBytes {
		b.inARow, b.streak = 0, b.offset
	}
	last := b.faultOf(cause)
	for {
		if last.Kind != Broken && last.Kind != Throttled {
			return last
		}
		if b.inARow >= resumesInARow || b.resumes >= maxResumes {
			last.resumes = b.resumes
			return last
		}
		b.inARow++
		b.resumes++
		if err := b.pause(); err != nil {
			return b.faultOf(err)
		}
		if last = b.reopen(); last == nil {
			return nil
		}
	}
}

// pause waits before a resume: full jitter under a cap that doubles within a streak.
func (b *Body) pause() error {
	wait := time.Duration(b.jitter() * float64(resumeWait<<b.inARow))
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-b.ctx.Done():
	}
	return b.ctx.Err()
}

// reopen asks for the rest of the very object that the first answer began.
func (b *Body) reopen() *Fault {
	in := b.ref.input()
	in.Range = aws.String("bytes=" + strconv.FormatInt(b.offset, 10) + "-")
	if b.ETag != "" {
		in.IfMatch = aws.String(quotedETag(b.ETag))
	}
	if in.VersionId == nil && b.VersionID != "" {
		in.VersionId = &b.VersionID // so an object that is replaced meanwhile is read to its end
	}
	a, out, err := b.request(b.ctx, in)
	if err != nil {
		return b.faultOf(err)
	}
	if fault := b.continues(out); fault != nil {
		a.close()
		return fault
	}
	b.attempt = a
	return nil
}

// continues checks that an answer goes on where the last one ended, in the same object.
func (b *Body) continues(out *s3.GetObjectOutput) *Fault {
	etag := strings.Trim(aws.ToString(out.ETag), `"`)
	if b.ETag != "" && etag != "" && etag != b.ETag {
		return b.fault(Overwritten, errors.New("the rest has another ETag than the start"))
	}
	start, size, ok := parseContentRange(aws.ToString(out.ContentRange))
	switch {
	case !ok:
		return b.fault(Broken, fmt.Errorf("asked for the rest of the object, but the answer's Content-Range is %s",
			excerpt(aws.ToString(out.ContentRange), maxPlaceBytes)))
	case start != b.offset:
		return b.fault(Broken, fmt.Errorf("asked for the rest of the object, but the answer starts at byte %d", start))
	case size >= 0 && size != b.SizeBytes:
		return b.fault(Overwritten, fmt.Errorf("the object has %d bytes now, it had %d", size, b.SizeBytes))
	default:
		return nil
	}
}

// parseContentRange reads the first byte and the whole size of "bytes 5-9/10"; the size is -1 where it is "*".
// Format: RFC 9110, section 14.4.
func parseContentRange(s string) (start, size int64, ok bool) {
	s, ok = strings.CutPrefix(s, contentRangeTag)
	span, whole, slash := strings.Cut(s, "/")
	first, last, dash := strings.Cut(span, "-")
	if !ok || !slash || !dash {
		return 0, 0, false
	}
	start, ok = parseOffset(first)
	end, endOK := parseOffset(last)
	if !ok || !endOK || end < start {
		return 0, 0, false
	}
	if whole == "*" {
		return start, -1, true
	}
	size, ok = parseOffset(whole)
	return start, size, ok && end < size
}

func parseOffset(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && isOf(s, '0', '9')
}
