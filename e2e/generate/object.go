package generate

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

// Object is one object of a bucket: lines of text, each with a mark and ended by "\n". A line ending is not part of what
// its checksum covers.
type Object struct {
	ID    string // unique among payloads and objects
	Body  []byte // nil when it was written elsewhere
	Lines []Line
}

// Style makes one line of an object, without its ending.
type Style func(r *rand.Rand, at time.Time, mark Mark) string

// JSONLines is a JSON object in each line, filled by pad.
func JSONLines(pad Pad) Style {
	return func(r *rand.Rand, _ time.Time, mark Mark) string { return mark.message(pad(r), "") }
}

// ALB is an access log line of an Application Load Balancer with the mark in its user agent. Format: user guide of
// Application Load Balancers, "Access logs", 29 fields.
func ALB(r *rand.Rand, at time.Time, mark Mark) string {
	const layout = "2006-01-02T15:04:05.000000Z"
	created := at.Add(-time.Duration(r.IntN(900_000)) * time.Microsecond)
	target := fmt.Sprintf("192.0.2.%d:8080", r.IntN(256))
	head := fmt.Sprintf(`https %s app/shop/50dc6c495c0c9188 203.0.113.%d:%d %s 0.000 0.0%02d 0.000 200 200 %d %d`+
		` "GET https://www.example.com:443/orders/%d?q=a%%20b HTTP/2.0" "Mozilla/5.0 `,
		at.UTC().Format(layout), r.IntN(256), 1024+r.IntN(60_000), target, r.IntN(100), 30+r.IntN(900), r.IntN(100_000),
		r.IntN(100_000))
	rest := fmt.Sprintf(`" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2`+
		` arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop/73e2d6bc24d8a067`+
		` "Root=1-%08x-%024x" "www.example.com" "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-4000-8000-000000000001"`+
		` 1 %s "forward" "-" "-" %q "200" "-" "-"`, at.Unix(), r.Uint64(), created.UTC().Format(layout), target)
	return mark.text(head, rest)
}

// Text is any line of text: head, the mark, and n bytes that hardly compress. It is the style for large objects: it costs
// a fraction of the others a byte.
func Text(head string, n int) Style {
	const blockBytes = 1 << 20 // larger than what a compressor looks back
	block := noise(rand.New(rand.NewPCG(uint64(n), 0)), blockBytes+n)
	return func(r *rand.Rand, _ time.Time, mark Mark) string {
		from := r.IntN(blockBytes)
		return mark.text(head, " "+block[from:from+n])
	}
}

// Object returns the next object of n lines.
func (g *Generator) Object(n int, style Style) Object {
	var b bytes.Buffer
	o, _ := g.WriteObject(&b, n, style) // a buffer does not fail
	o.Body = b.Bytes()
	return o
}

// WriteObject writes the next object of n lines to w, such as a pipe or a compressor: what it holds is a line at a time
// and the list of lines. The object it returns has no body.
func (g *Generator) WriteObject(w io.Writer, n int, style Style) (Object, error) {
	g.payloads++
	o := Object{ID: fmt.Sprintf("object-%06d", g.payloads), Lines: make([]Line, 0, n)}
	var line []byte
	for range n {
		g.seq++
		mark := Mark{Src: "s3", Seq: g.seq}
		at := g.now.Add(-time.Duration(g.random.IntN(60_000)) * time.Millisecond)
		line = append(append(line[:0], style(g.random, at, mark)...), '\n')
		if _, err := w.Write(line); err != nil {
			return Object{}, fmt.Errorf("write line %s of %s: %w", mark, o.ID, err)
		}
		o.Lines = append(o.Lines, Line{Payload: o.ID, Mark: mark})
	}
	return o, nil
}

// Gzip is the body compressed, as one member. The header carries no time, so equal bodies give equal bytes.
func (o Object) Gzip() []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(o.Body) // a buffer does not fail
	_ = w.Close()
	return b.Bytes()
}

// A mark inside a text: it has no quotes, which log formats escape.
const (
	textSeq = "(seq:"
	textSrc = "; src:"
	textCRC = "; crc:"
	textEnd = ")"
)

// text is head, the mark and rest. The checksum is CRC-32 over all of it with zeros in its place.
func (m Mark) text(head, rest string) string {
	head += textSeq + strconv.Itoa(m.Seq) + textSrc + m.Src + textCRC
	rest = textEnd + rest
	return head + checksum(head, rest) + rest
}

// FindMark is ReadMark for messages that may carry their mark anywhere in a text. A text cut before the end of its mark
// has none.
func FindMark(message string) (mark Mark, found, intact bool) {
	if mark, found, intact = ReadMark(message); found {
		return mark, found, intact
	}
	_, after, _ := strings.Cut(message, textSeq)
	number, after, _ := strings.Cut(after, textSrc)
	src, after, _ := strings.Cut(after, textCRC)
	seq, err := strconv.Atoi(number)
	if err != nil || src == "" || len(after) < sumLen {
		return Mark{}, false, false
	}
	head, rest := message[:len(message)-len(after)], after[sumLen:]
	return Mark{Src: src, Seq: seq}, true, after[:sumLen] == checksum(head, rest)
}
