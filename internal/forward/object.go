package forward

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"sluice/internal/config"
	"sluice/internal/event"
	"sluice/internal/ledger"
	"sluice/internal/park"
	"sluice/internal/record"
	"sluice/internal/source/object"
)

// object forwards the lines of an object. follow says whether a manifest may lead on to others.
func (r *objectRun) object(unit int, o *event.Object, follow bool) {
	inv := r.inv
	r.begin(unit, o)
	if rule := r.refuses(o); rule != "" {
		r.drop(unit, rule)
		return
	}
	if r.begunInVain() {
		return
	}
	owner, _ := inv.f.buckets.owner(o, accountOf(inv.base.FunctionARN))
	getter, err := inv.f.objects.client()
	if err != nil {
		r.fail(unit, "s3_client", err)
		return
	}
	body, err := object.Open(inv.ctx, getter, object.Ref{
		Bucket: o.Bucket, Key: o.Key, VersionID: o.VersionID, ETag: o.ETag, SizeBytes: o.SizeBytes, Owner: owner, Region: o.Region,
	})
	if err != nil {
		r.fault(unit, o, err)
		return
	}
	defer body.Close()
	r.read(unit, o, body, follow)
}

// begunInVain sees to an object that need not be begun: there is no time, or no destination that takes it.
func (r *objectRun) begunInVain() bool {
	asked := r.opened()
	var down []*laneRun
	for _, lane := range asked {
		lane.down = lane.down || r.inv.f.park != nil && lane.flight.Troubled()
		if lane.down {
			down = append(down, lane)
		}
	}
	switch {
	case len(asked) == 0 && len(r.inv.lanes) > 0:
		r.fail(r.reader.unit, "unknown_destination", errUnknownDestination)
	case r.inv.reading.Err() != nil:
		r.give(asked, reasonDeadline, fmt.Errorf("s3 object not begun: %w", errDeadline))
	case len(down) > 0 && len(down) == len(asked):
		r.give(down, reasonDestination, errClosed)
	default:
		for _, lane := range down {
			lane.closed = true
		}
		if len(down) > 0 {
			r.leave(down, reasonDestination)
		}
		return false
	}
	return true
}

var errUnknownDestination = errors.New("the rest of an object is for destinations that the settings do not have any more: " +
	"add them again, or delete the message")

// give leaves the rest of an object to the owner of its message, where that gives it again and nothing of it has been
// taken. Otherwise a note is kept.
func (r *objectRun) give(lanes []*laneRun, reason string, err error) {
	unit := r.reader.unit
	if r.inv.f.park == nil && r.inv.f.queue == nil || r.patience[unit] && !r.touched[unit] {
		r.fail(unit, reason, err)
		return
	}
	r.leave(lanes, reason)
}

// refuses names the rule by which an object is not read at all; empty for one that is.
func (r *objectRun) refuses(o *event.Object) ledger.Rule {
	_, allowed := r.inv.f.buckets.owner(o, accountOf(r.inv.base.FunctionARN))
	switch {
	case !allowed:
		return ledger.NotAllowedSource
	case r.inv.f.park.owns(o.Bucket, o.Key):
		return ledger.OwnStoreObject
	case o.SizeBytes == 0:
		return ledger.EmptyLine // a folder's marker, or an object without a line
	}
	return ""
}

// read decodes an object that has been opened.
func (r *objectRun) read(unit int, o *event.Object, body *object.Body, follow bool) {
	inv := r.inv
	// What the event left open, S3 has said: an object has the same ids by whatever route it is announced.
	o.VersionID, o.ETag, o.SizeBytes = versionOf(cmp.Or(o.VersionID, body.VersionID)), body.ETag, body.SizeBytes
	if o.EventMillis == 0 && !body.LastModified.IsZero() {
		o.EventMillis = body.LastModified.UnixMilli()
	}
	origin := inv.base
	origin.Kind = record.S3
	origin.Bucket, origin.Key, origin.VersionID, origin.ETag = o.Bucket, o.Key, o.VersionID, o.ETag
	if o.Region != "" {
		origin.Region = o.Region
	}
	decoder, watch := &inv.f.objects.decoder, &watched{Reader: body}
	content, err := decoder.Enter(object.Input{
		Body: watch, ContentEncoding: body.ContentEncoding, Origin: &origin, Lines: inv.f.objects.routes.lines,
		Strict: inv.f.objects.strict, MaxPlainBytes: inv.f.objects.maxPlain,
	})
	inv.ledger.BytesIn(int(body.SizeBytes))
	r.catchUp()
	switch {
	case content.IsManifest: // before the error, which is about what could not be read of it
		r.drop(unit, ledger.NotALog)
		if follow && inv.f.objects.followManifests && err == nil {
			r.rests = r.rests[:r.reader.rests] // who takes nothing now is left what it lists, one by one
		}
		if err != nil {
			r.fault(unit, o, err)
		}
		r.manifest(unit, o, content, follow)
	case err != nil:
		r.fault(unit, o, err)
	case content.Empty:
		r.drop(unit, ledger.EmptyLine)
	case content.NotALog:
		r.drop(unit, ledger.NotALog)
	default:
		records := inv.joinedEvents(decoder.Records())
		if content.Joined || inv.f.objects.routes.joins() {
			records = watch.whole(records)
		}
		if err := inv.forward(r.sound(unit, o, records), unit); err != nil {
			r.fault(unit, o, err)
			return
		}
		r.finished()
	}
}

// watched notes what ended the reading of an object before its end.
type watched struct {
	io.Reader

	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err //nolint:wrapcheck // a reader hands on what it is given
}

// whole yields records up to where reading ended: those that still come may lack lines that are joined to them, and are
// read again with the rest.
func (w *watched) whole(records iter.Seq2[*record.Record, error]) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) {
		for rec, err := range records {
			if w.err != nil {
				yield(nil, w.err)
				return
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

// versionOf is the version that tells an object from others under its key: the one that S3 calls null is overwritten like an
// object in a bucket without versions.
func versionOf(id string) string {
	if id == object.NullVersion {
		return ""
	}
	return id
}

// drop counts an object that is not read.
func (r *objectRun) drop(unit int, rule ledger.Rule) {
	r.inv.drop(rule)
	r.dropped[unit] = rule
}

// maxDamages is how many damaged places of one object are noted one by one. Behind so many the object is given up.
const maxDamages = 100

// sound yields what can be read and was not forwarded before, and sees to the damage in between.
func (r *objectRun) sound(unit int, o *event.Object, records iter.Seq2[*record.Record, error]) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) {
		at, damages := &r.reader, 0
		for rec, err := range records {
			damage, damaged := errors.AsType[*object.Damage](err)
			if err != nil && !damaged {
				yield(nil, err)
				return
			}
			if at.at++; at.at <= at.skip {
				if at.at%skipCheckEvery == 0 && r.inv.reading.Err() != nil {
					yield(nil, errDeadline)
					return
				}
				continue
			}
			r.touched[unit] = true
			if damaged {
				damages++
			}
			if damaged && !r.pass(unit, o, damage, damages) || !damaged && !r.yield(rec, yield) {
				return
			}
		}
	}
}

// pass sees to damage, the nth of its object, and reports whether to read on.
func (r *objectRun) pass(unit int, o *event.Object, damage *object.Damage, nth int) bool {
	if nth == maxDamages {
		damage.End = park.ToEnd
	}
	r.damaged(unit, o, damage)
	r.reader.done = r.reader.at
	return nth < maxDamages
}

// skipCheckEvery is how many records that were forwarded before are passed over between two looks at the clock.
const skipCheckEvery = 8192

// yield hands a record on, and notes that it was taken.
func (r *objectRun) yield(rec *record.Record, next func(*record.Record, error) bool) bool {
	at := &r.reader
	at.offset, at.bytes = rec.Offset, at.bytes+len(rec.Message.Bytes)
	for _, lane := range r.inv.lanes {
		lane.at = at.at
	}
	if !next(rec, nil) {
		return false
	}
	at.done = at.at
	return true
}

// manifest goes on to the objects that a manifest lists, if the settings say so.
func (r *objectRun) manifest(unit int, from *event.Object, content object.Content, follow bool) {
	if !follow || !r.inv.f.objects.followManifests {
		return
	}
	for _, entry := range content.Manifest {
		o := event.Object{Bucket: entry.Bucket, Key: entry.Key, SizeBytes: -1, Region: from.Region}
		if o.Bucket != from.Bucket && !r.inv.f.buckets.named(o.Bucket) {
			r.inv.drop(ledger.NotAllowedSource)
			continue
		}
		r.object(unit, &o, false)
	}
}

// fault ends an object by what keeps it from being read: a rule drops it, or it is damaged, or its unit is given again.
func (r *objectRun) fault(unit int, o *event.Object, err error) {
	if damage, ok := errors.AsType[*object.Damage](err); ok {
		r.damaged(unit, o, damage)
		return
	}
	fault, ok := errors.AsType[*object.Fault](err)
	switch {
	case errors.Is(err, errClosed): // what is left has been noted
	case errors.Is(err, errDeadline):
		r.give(r.opened(), reasonDeadline, err)
	case !ok:
		r.fail(unit, reasonOf(err), fmt.Errorf("s3://%s: %w", o.Bucket, err))
	case fault.Kind == object.Gone:
		r.drop(unit, ledger.SourceGone)
	case fault.Kind == object.Overwritten:
		r.drop(unit, ledger.SourceOverwritten)
	case fault.Kind == object.Archived:
		r.damaged(unit, o, &object.Damage{Reason: string(fault.Kind), Offset: fault.Offset, End: -1, Err: err})
	case fault.Kind == object.Cancelled && r.inv.ctx.Err() != nil:
		r.give(r.opened(), reasonDeadline, fmt.Errorf("%w: %w", errDeadline, err))
	case r.keeps(unit):
		r.leave(r.opened(), string(fault.Kind))
	default:
		r.fail(unit, string(fault.Kind), err)
	}
}

// keeps reports whether a note is kept of an object that cannot be read for now: its owner gives it no more, or would give
// again what has been taken.
func (r *objectRun) keeps(unit int) bool {
	return r.inv.f.park != nil && (r.again != nil || r.insist || r.touched[unit] || r.reader.received > 0 && !r.patience[unit])
}

// damaged parks a note of what cannot be read of an object, so that the rest of it is done with. Where nothing can be
// parked, the unit is given again, and comes to rest where its owner keeps what fails.
func (r *objectRun) damaged(unit int, o *event.Object, damage *object.Damage) {
	source := r.sourceOf(o)
	source.ByteRange = &park.Range{damage.Offset, damage.End}
	reason := park.Reason{Code: damage.Reason, Class: classOf(true), Message: damage.Err.Error()}
	first := firstKnown(o.EventMillis, r.inv.started)
	for _, lane := range r.opened() {
		if r.inv.f.park == nil {
			r.fail(unit, damage.Reason, errors.Join(fmt.Errorf("s3://%s: %w", o.Bucket, damage), errNoPark))
			return
		}
		if err := r.inv.parkDead(r.inv.pointer(lane.lane, reason, source, first)); err != nil {
			r.fail(unit, damage.Reason, errors.Join(fmt.Errorf("s3://%s: %w", o.Bucket, damage), err))
			return
		}
	}
	for _, lane := range r.opened() {
		lane.account.In(1)
		lane.account.Parked(damage.Reason, 1)
	}
	r.parked[unit] = damage.Reason
}

// sourceBuckets are the buckets that may be read; none means all.
type sourceBuckets []config.Bucket

// owner returns the account that must own the bucket of an object, empty if that does not matter, and whether it may be
// read at all. own is the account of the function.
func (b sourceBuckets) owner(o *event.Object, own string) (account string, allowed bool) {
	if len(b) == 0 {
		return "", true
	}
	for _, bucket := range b {
		if !matchesStar(bucket.Name, o.Bucket) {
			continue
		}
		account = cmp.Or(bucket.Owner, own)
		if o.Account == "" || account == "" || o.Account == account {
			return account, true
		}
	}
	return "", false
}

// named reports whether the settings name a bucket.
func (b sourceBuckets) named(bucket string) bool {
	_, allowed := b.owner(&event.Object{Bucket: bucket}, "")
	return len(b) > 0 && allowed
}

// accountOf is the account in an ARN; empty when it is none.
func accountOf(arn string) string {
	const account = 4 // arn:partition:service:region:account:…
	parts := strings.SplitN(arn, ":", account+2)
	if len(parts) <= account {
		return ""
	}
	return parts[account]
}

// matchesStar reports whether text is what pattern says, in which each * stands for any text.
func matchesStar(pattern, text string) bool {
	first, rest, starred := strings.Cut(pattern, "*")
	text, ok := strings.CutPrefix(text, first)
	if !ok || !starred {
		return ok && text == ""
	}
	for {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(text, part)
		}
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text, rest = text[i+len(part):], after
	}
}
