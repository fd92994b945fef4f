// Package object reads S3 objects as logs: Open fetches one, however long that takes, and a Decoder turns its bytes into
// records, whatever AWS service or delivery stream wrote them.
//
// It promises constant memory for an object of any size; that what an object is gets decided by its content, with the key
// as a hint; that every byte ends in a record or in a [Damage] that says from where to where nothing could be read; and
// ids that depend on nothing but the object's name, its version, and where in the plain bytes a line stands.
//
// It does not know destinations, does not count, and keeps nothing: package forward does.
package object

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"

	"sluice/internal/compress"
	"sluice/internal/format"
	"sluice/internal/lines"
	"sluice/internal/record"
	"sluice/internal/service"
	"sluice/internal/source/cloudwatch"
	"sluice/internal/source/firehose"
)

// Input is an object to be decoded.
type Input struct {
	Body            io.Reader // the bytes as S3 keeps them
	Data            []byte    // in place of Body, where they are in memory; must stay unchanged until the last record
	ContentEncoding string    // as S3 says; only chooses between packings that look alike
	// Origin has the object's coordinates. The decoder adds what it finds out: source, service, account and region.
	Origin *record.Origin
	// Name is what the service table is asked about, beside the content: a stream's name, for a record that is in no
	// object. Empty: the key.
	Name string
	// Lines says how the lines of a log are read; nil for one record a line. It is asked when the origin says which log it is.
	Lines func(o *record.Origin) LineRules
	// Strict says that the envelope of a failed record that cannot be read is damage, and not a line: it may hold, packed,
	// what is to be redacted.
	Strict bool
	// MaxPlainBytes bounds the object after decompression; 0 for no bound.
	MaxPlainBytes int64
}

// Content says what an object is, when it is not simply records.
type Content struct {
	Empty    bool               // it has no bytes
	NotALog  bool               // it is recognised as something that is no log, such as a digest
	Joined   bool               // lines are made records of several
	Packings []compress.Packing // what it is packed with, the outermost first

	IsManifest bool             // it lists other objects, and is no log either
	Manifest   []firehose.Entry // those objects, which may be none; never nil for a manifest
}

// LineRules say how lines become records.
type LineRules struct {
	Joiner *lines.Joiner // makes records of several lines; nil when every line is one
	Skip   int           // lines at the start of a text that are headers

	// What the times of lines are read by: a log in place of the one that was found, and the names of the columns of lines
	// without a header. Empty for what was found, and for what the log has.
	Log     service.Log
	Columns []byte
}

// Damage is a part of an object that cannot be read as logs. The records before it stand.
type Damage struct { //nolint:errname // it is a part of an object, and an error where one is wanted
	Reason string // a stable name: corrupt, bomb, too_large, undecodable, parquet, orc, avro, manifest
	Offset int64  // of its first byte, in the plain bytes of the object
	End    int64  // behind its last byte; -1 for all the rest of the object. If it is not, records may follow
	Err    error
}

func (d *Damage) Error() string {
	if d.End < 0 {
		return fmt.Sprintf("%s from byte %d of the plain text on: %v", d.Reason, d.Offset, d.Err)
	}
	return fmt.Sprintf("%s from byte %d to %d of the plain text: %v", d.Reason, d.Offset, d.End, d.Err)
}

// Unwrap returns what was wrong.
func (d *Damage) Unwrap() error { return d.Err }

// maxDepth is how deep failed records may be packed into each other: one that failed on its way, was kept, read by another
// stream, and failed again is two deep.
const maxDepth = 3

// Decoder decodes one object at a time. Its buffers are kept between them. The zero value is ready; it is not safe for
// concurrent use.
type Decoder struct {
	unpacker   compress.Unpacker
	data       bytes.Reader
	text       lines.Decoder
	window     lines.Window
	cloudwatch cloudwatch.Decoder
	parser     firehose.Parser
	inner      *Decoder // of what failed records hold
	depth      int      // of this decoder among those

	in         Input
	rules      LineRules
	name       firehose.Name
	key        service.Key // of keyText
	keyText    string
	keyed      bool // key is set
	log        service.Log
	clock      format.Clock
	structured bool // elements of the object are records of CloudTrail

	pending *lines.Piece // a document that was read to tell what it is
	record  record.Record
	members []record.Member // of the object's name, or of the failed record
	attrs   []byte
	reasons []byte // attributes of the failed record
	first   bool   // no document has been read
	isText  bool   // the object begins with a text, so that few lines are looked at for JSON
	header  bool   // the line whose parts are being read names columns
	mended  []byte // of a record whose bytes had to be mended
	millis  int64  // of the line whose parts are being read
	scanned int64  // by the window, before it looked at the document
	walked  int64  // bytes of the document that were walked through to tell what it is
	wasted  int64  // bytes that were looked at for JSON in vain
	failed  firehose.Failed
	stopped bool // the consumer wants no more records
	yield   emitFunc
	emit    emitFunc // hands on to yield, and notes when that wants no more
}

// Enter starts to read an object and tells what it is. Records has to be called for its records, unless the content says
// that it has none. An error is a *[Damage] when the object cannot be read as logs at all, or else what the body ended
// with. Beside a Damage of a manifest the content has the entries that could be read.
func (d *Decoder) Enter(in Input) (Content, error) {
	d.in, d.pending, d.stopped, d.first, d.isText, d.wasted, d.millis, d.header = in, nil, false, true, false, 0, 0, false
	d.members, d.attrs = d.members[:0], d.attrs[:0]
	content := Content{}
	packed := d.open()
	head := d.window.Peek(headBytes)
	if packed {
		content.Packings = d.unpacker.Packings()
	}
	if err := d.window.Err(); err != nil && len(head) == 0 {
		return content, d.fault(err)
	}
	if reason, err := refused(head); err != nil {
		return content, &Damage{Reason: reason, End: -1, Err: err}
	}
	if key := cmp.Or(in.Name, in.Origin.Key); !d.keyed || key != d.keyText {
		d.key, d.keyText, d.keyed = service.ForKey(key), key, true
	}
	known := d.key.Object(head)
	d.identify(known)
	d.rules = LineRules{}
	if in.Lines != nil {
		d.rules = in.Lines(in.Origin)
	}
	d.clock.Reset(cmp.Or(d.rules.Log, d.log))
	d.clock.Name(d.rules.Columns)
	content.Joined = d.rules.Joiner != nil
	if d.depth > 0 || in.Origin.Kind != record.S3 {
		content.Empty = len(head) == 0
		return content, nil
	}
	content.Empty = len(head) == 0
	var err error
	switch {
	case !known.NotALog:
		err = d.manifest(&content, head)
	case d.key.NotALog():
		content.NotALog = true
	default:
		content.NotALog, err = d.isAlone()
	}
	return content, err
}

// open opens the input and reports whether it may be packed.
func (d *Decoder) open() (packed bool) {
	in := &d.in
	if in.Body == nil && in.ContentEncoding == "" && compress.IsPlain(in.Data) && !lines.MayHaveMark(in.Data) &&
		(in.MaxPlainBytes <= 0 || int64(len(in.Data)) <= in.MaxPlainBytes) {
		d.window.ResetText(in.Data)
		return false
	}
	if in.Body == nil {
		d.data.Reset(in.Data)
		in.Body = &d.data
	}
	d.unpacker.Reset(in.Body, in.ContentEncoding, compress.Limits{PlainBytes: in.MaxPlainBytes})
	d.text.Reset(&d.unpacker)
	d.window.Reset(&d.text)
	return true
}

// Adopt makes origin that of the records to come, in place of the one that the input had, which says the same: records
// that share one are encoded for less.
func (d *Decoder) Adopt(origin *record.Origin) { d.in.Origin = origin }

// headBytes is how much of an object's plain text is looked at to tell what it is.
const headBytes = 64 << 10

// identify notes what the service table says of the object.
func (d *Decoder) identify(known service.Object) {
	o := d.in.Origin
	o.Source, o.Service, o.Log = known.Source, known.Service, string(known.Log)
	if known.Account != "" {
		o.Owner = known.Account
	}
	if known.Region != "" {
		o.Region = known.Region
	}
	d.log = known.Log
	d.structured = known.Log == service.CloudTrail || known.Log == service.CloudTrailInsight
	d.name = firehose.Name{}
	if o.Key == "" {
		return
	}
	var delivered bool
	if d.name, delivered = firehose.ParseKey(o.Key); delivered {
		d.attrs = d.name.AppendAttributes(d.attrs)
		d.members = append(d.members, record.Member{Name: []byte("firehose"), Value: d.attrs})
	}
}

// binaries are formats that analytics services write to S3, by their first bytes. The bytes of those that a text may begin
// with tell nothing alone: what follows is no text.
var binaries = []struct {
	magic, reason, name string
	isText              bool
}{
	{"PAR1", "parquet", "a Parquet file", true},            // Apache Parquet, "File format"
	{"PARE", "parquet", "an encrypted Parquet file", true}, // Apache Parquet, "Modular encryption", section 5.4
	{"ORC", "orc", "an ORC file", true},                    // Apache ORC specification, "File tail"
	{"Obj\x01", "avro", "an Avro container file", false},   // Apache Avro specification, "Object container files"
}

// refused names what an object is that has no lines.
func refused(head []byte) (reason string, err error) {
	for _, b := range binaries {
		if hasPrefix(head, b.magic) && (!b.isText || !isText(head[len(b.magic):min(len(head), len(b.magic)+textBytes)])) {
			return b.reason, fmt.Errorf("%s has columns or fields and no lines: let the service write text or JSON, or have another tool read it", b.name)
		}
	}
	return "", nil
}

// textBytes are looked at to tell a text. Each of the formats has a length, a tag or a zero in far fewer: ORC goes on with
// the length of a chunk, whose third and highest byte is small.
const textBytes = 16

// isText reports whether b has no control characters but white space and the escapes of terminals.
func isText(b []byte) bool {
	return !bytes.ContainsFunc(b, func(c rune) bool { return c < ' ' && (c < '\t' || c > '\r') && c != '\x1b' })
}

func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

// Records yields what the object that was entered holds, in order. The record is the decoder's own and changes with the
// next one.
//
// An error may stand between records: a *[Damage] with an End. Any other error is the last thing yielded: a Damage of the
// rest of the object, or what the body ended with.
func (d *Decoder) Records() iter.Seq2[*record.Record, error] { return d.Each }

// Each is Records for those who call it for many small inputs: it allocates nothing.
func (d *Decoder) Each(yield func(*record.Record, error) bool) {
	if d.emit == nil {
		d.emit = func(r *record.Record, err error) bool {
			d.stopped = d.stopped || !d.yield(r, err)
			return !d.stopped
		}
	}
	d.yield = yield
	if p := d.pending; p != nil {
		d.pending = nil
		d.emitJSON(d.emit, *p, 0)
	}
	if d.stopped {
		return
	}
	if err := d.documents(d.emit); err != nil && !d.stopped {
		d.emit(nil, err)
	}
}

// emitFunc takes a record or a damage, and reports whether more are wanted.
type emitFunc func(*record.Record, error) bool

// fault says what an error of the stream is: damage of the rest of the object, or what the body ended with.
func (d *Decoder) fault(err error) error { return d.faultAt(err, d.window.Offset()) }

// faultAt is fault with the place from which on nothing was read.
func (d *Decoder) faultAt(err error, offset int64) error {
	if err == nil {
		return nil
	}
	var reason string
	var (
		corrupt *compress.CorruptError
		bomb    *compress.BombError
		large   *compress.TooLargeError
		deep    *compress.LayersError
	)
	switch {
	case errors.As(err, &corrupt):
		reason = "corrupt"
	case errors.As(err, &bomb):
		reason = "bomb"
	case errors.As(err, &large):
		reason = "too_large"
	case errors.As(err, &deep):
		reason = "undecodable"
	default:
		return err
	}
	return &Damage{Reason: reason, Offset: offset, End: -1, Err: err}
}
