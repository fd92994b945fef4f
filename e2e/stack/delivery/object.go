package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sluice/e2e/stack/notify"
)

// Limits of objects. Developer guide, "Data delivery", buffering hints and file extensions.
const (
	defaultObjectBytes = 5 << 20
	maxObjectBytes     = 128 << 20
	maxExtensionLength = 128
)

// Putter stores an object and returns it as its announcement names it. bucket.Server is one.
type Putter interface {
	PutObject(
		ctx context.Context, bucket, key string, body io.Reader, changes ...func(*s3.PutObjectInput),
	) (notify.Object, error)
}

// Objects is a place for objects.
type Objects struct {
	Store       Putter
	Bucket      string
	Prefix      string         // of delivered records and of backups
	ErrorPrefix string         // of failed records; "" means Prefix, the error type and the time path
	Zone        *time.Location // of the times in keys; nil means UTC
	Compression Compression
	Extension   string // replaces that of the compression, with its dot
	BufferBytes int    // of one object, before compression; 0 means 5 MiB, at most 128 MiB
}

func (o *Objects) setDefaults() {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Compression == "" {
		o.Compression = Uncompressed
	}
	if o.BufferBytes == 0 {
		o.BufferBytes = defaultObjectBytes
	}
}

func (o *Objects) check(name string) error {
	var errs []error
	if o.Store == nil || o.Bucket == "" {
		errs = append(errs, fmt.Errorf("%s: set Store and Bucket", name))
	}
	if _, known := formats[o.Compression]; !known {
		errs = append(errs, fmt.Errorf("%s.Compression %q: use one of the constants", name, o.Compression))
	}
	if o.Extension != "" && !strings.HasPrefix(o.Extension, ".") || len(o.Extension) > maxExtensionLength {
		errs = append(errs, fmt.Errorf("%s.Extension %q: start with a dot, at most %d characters", name, o.Extension, maxExtensionLength))
	}
	if o.BufferBytes < 1 || o.BufferBytes > maxObjectBytes {
		errs = append(errs, fmt.Errorf("%s.BufferBytes %d: set 1 to %d", name, o.BufferBytes, maxObjectBytes))
	}
	return errors.Join(errs...)
}

func (o *Objects) extension() string {
	if o.Extension != "" {
		return o.Extension
	}
	return formats[o.Compression].extension
}

// Written is an object the stream stored. A callback that is given one may put, Read, and ask for what was done; anything
// that moves records or makes objects, and Pending, would wait for itself.
type Written struct {
	notify.Object
	Kind     Kind     // what it is; Delivered, SourceBackup, RedshiftManifest or a failed kind
	Payloads []string // whose records it holds
	Records  int
}

// object is one that has a key and is to be stored.
type object struct {
	place    *Objects
	key      string
	kind     Kind
	plain    []byte
	entry    string // name of the file in a ZIP archive
	payloads []string
	records  int
}

// packGood makes objects of delivered records, one for each set of partition keys.
func (s *Stream) packGood(records []*record) {
	names := s.prefix.good.partitionKeys()
	var order []string
	groups := map[string][]*record{}
	for _, r := range records {
		var id strings.Builder
		for _, name := range names {
			fmt.Fprintf(&id, "%q", r.keys[name])
		}
		if groups[id.String()] == nil {
			order = append(order, id.String())
		}
		groups[id.String()] = append(groups[id.String()], r)
	}
	for _, id := range order {
		s.pack(&s.cfg.Objects, s.prefix.good, Delivered, groups[id], func(r *record) []byte { return r.data })
	}
}

// packCopies makes an object of the source records that wait for their backup.
func (s *Stream) packCopies() {
	if len(s.copies) > 0 {
		s.pack(s.cfg.Backup, s.backup.good, SourceBackup, s.copies, func(r *record) []byte { return r.source })
	}
	s.copies = nil
}

// pack queues an object of records, one behind the other with nothing between.
func (s *Stream) pack(o *Objects, prefix template, kind Kind, records []*record, data func(*record) []byte) {
	parts := make([][]byte, len(records))
	oldest := records[0].arrived
	for i, r := range records {
		parts[i] = data(r)
		if r.arrived.Before(oldest) {
			oldest = r.arrived
		}
	}
	s.queue(o, prefix, object{kind: kind, plain: bytes.Join(parts, nil), payloads: payloadsOf(records), records: len(records)},
		place{at: oldest, kind: kind, keys: records[0].keys})
}

// queue names an object. Its times are those of its oldest record.
func (s *Stream) queue(o *Objects, prefix template, made object, p place) {
	p.at = p.at.In(o.Zone)
	made.place = o
	made.key = prefix.evaluate(p, s.random) + s.name(p.at, o.extension())
	made.entry = s.uuid()
	s.outbox = append(s.outbox, made)
}

// store stores the queued objects in order. What was not stored stays queued under its key.
func (s *Stream) store(ctx context.Context) error {
	for len(s.outbox) > 0 {
		if err := s.storeOne(ctx, s.outbox[0]); err != nil {
			return fmt.Errorf("store an object of stream %s: %w", s.cfg.Name, err)
		}
		s.outbox = s.outbox[1:]
	}
	return nil
}

func (s *Stream) storeOne(ctx context.Context, o object) error {
	compression := o.place.Compression
	if o.kind == RedshiftManifest {
		compression = Uncompressed
	}
	body, err := appendPacked(nil, o.plain, compression, o.entry)
	if err != nil {
		return err
	}
	stored, err := o.place.Store.PutObject(ctx, o.place.Bucket, o.key, bytes.NewReader(body), func(in *s3.PutObjectInput) {
		in.ContentType = aws.String("application/octet-stream")
		if encoding := formats[compression].encoding; encoding != "" {
			in.ContentEncoding = &encoding
		}
	})
	if err != nil {
		return err
	}
	w := Written{Object: stored, Kind: o.kind, Payloads: o.payloads, Records: o.records}
	s.mu.Lock()
	s.written = append(s.written, w)
	s.mu.Unlock()
	if s.cfg.Written != nil {
		s.cfg.Written(w)
	}
	return nil
}

// Objects are those stored so far, in order.
func (s *Stream) Objects() []Written {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.written)
}
