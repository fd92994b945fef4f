package object

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"sluice/internal/lines"
	"sluice/internal/source/firehose"
)

// isAlone reports whether the document that comes next is all that the object holds. If it is not, nothing is lost: the
// document is the first of the records.
func (d *Decoder) isAlone() (bool, error) {
	p, err := d.window.Value()
	if err != nil {
		return false, nil //nolint:nilerr // nothing is consumed; whoever reads on meets the same
	}
	p.Text = slices.Clone(p.Text) // the window moves on
	if d.window.SkipSpace() {
		d.pending = &p
		return false, nil
	}
	return true, d.faultAt(d.window.Err(), p.Offset)
}

// manifest reads the list of objects that a Redshift delivery stream failed to load, if the object is one. head is the
// start of it.
func (d *Decoder) manifest(content *Content, head []byte) error {
	head = bytes.TrimLeft(head, " \t\r\n")
	if !hasPrefix(head, "{") || string(firstName(head)) != "entries" {
		return nil
	}
	key := d.in.Origin.Key
	p, err := d.window.Value()
	switch {
	case errors.Is(err, lines.ErrNotJSON), errors.Is(err, lines.ErrTooLong):
		if firehose.IsManifestKey(key) && firehose.IsManifest(key, head) {
			return d.entries(content)
		}
		return nil
	case err != nil:
		return nil //nolint:nilerr // nothing is consumed; whoever reads on meets the same
	case !firehose.IsManifest(key, p.Text):
		d.pending = &p
		return nil
	}
	p.Text = slices.Clone(p.Text) // the window moves on
	if d.window.SkipSpace() {
		d.pending = &p // a line like a manifest, and others behind it
		return nil
	}
	if err := d.window.Err(); err != nil {
		return d.faultAt(err, p.Offset)
	}
	entries, err := firehose.ParseManifest(p.Text)
	content.IsManifest, content.Manifest = true, append([]firehose.Entry{}, entries...)
	if err != nil {
		err = &Damage{Reason: reasonManifest, Offset: p.Offset, End: p.Offset + int64(len(p.Text)), Err: err}
	}
	return err
}

const reasonManifest = "manifest"

// entries reads a manifest, which the key says that the object is, one entry at a time: it is too long for a JSON value,
// or breaks off. What stands behind it, or cannot be read, is damage: chunks of a manifest are no logs.
func (d *Decoder) entries(content *Content) error {
	start := d.window.Offset()
	e, ok := d.window.Envelope("entries")
	if !ok {
		return nil
	}
	list := firehose.Manifest{Entries: []firehose.Entry{}}
	last, err := d.addEntries(&list, e)
	if err == nil {
		_, _, err = e.Rest()
	}
	if err == nil && d.window.SkipSpace() {
		err = errors.New("a text stands behind the list of a manifest")
	}
	if fault := d.window.Err(); fault != nil && (err == nil || errors.Is(err, fault)) {
		return d.faultAt(fault, start)
	}
	content.IsManifest, content.Manifest = true, list.Entries
	switch {
	case err != nil:
		return &Damage{Reason: reasonManifest, Offset: last, End: -1, Err: errors.Join(list.Err(), err)}
	case list.Err() != nil:
		return &Damage{Reason: reasonManifest, Offset: start, End: d.window.Offset(), Err: list.Err()}
	}
	return nil
}

// addEntries adds the elements of e to the list, and returns where the last of them begins.
func (d *Decoder) addEntries(list *firehose.Manifest, e *lines.Envelope) (last int64, err error) {
	last = d.window.Offset()
	for {
		p, err := e.Element()
		if err == io.EOF {
			return last, nil
		}
		if err != nil {
			return last, err
		}
		last = p.Offset
		if !list.Add(p.Text) {
			return last, errors.New("the list goes on")
		}
	}
}
