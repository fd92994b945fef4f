package forward

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"sluice/internal/batch"
	"sluice/internal/config"
	"sluice/internal/deliver"
	"sluice/internal/park"
	"sluice/internal/record"
)

// parking keeps what cannot be forwarded. A nil one keeps nothing.
type parking struct {
	options park.Options
	names   *park.Store // knows which objects are its own; it cannot put any
	client  func() (s3Client, error)
	config  string // fingerprint of the settings
	raw     bool   // keep input that cannot be read

	mu    sync.Mutex
	store *park.Store // made when it is first needed
}

// newParking returns nil when the settings name no bucket.
func newParking(cfg *config.Config, client func() (s3Client, error), fingerprint string) *parking {
	if cfg.ParkBucket.Name == "" {
		return nil
	}
	o := park.Options{
		Bucket: cfg.ParkBucket.Name, Prefix: cfg.ParkPrefix, Owner: cfg.ParkBucket.Owner, KMSKey: cfg.ParkKMSKey,
	}
	return &parking{options: o, names: park.New(nil, o), client: client, config: fingerprint, raw: cfg.DeadRaw}
}

// owns reports whether an object is what was parked, or what Lambda keeps in the same bucket.
func (p *parking) owns(bucket, key string) bool { return p != nil && p.names.Owns(bucket, key) }

var errNoPark = errors.New("nothing can be parked: name a bucket in SLUICE_PARK_BUCKET")

// opened returns the store. own is the account of the function, which must own the bucket unless the settings name another.
func (p *parking) opened(own string) (*park.Store, error) {
	if p == nil {
		return nil, errNoPark
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.store != nil {
		return p.store, nil
	}
	client, err := p.client()
	if err != nil {
		return nil, err
	}
	o := p.options
	o.Owner = cmp.Or(o.Owner, own)
	p.store = park.New(client, o)
	return p.store, nil
}

// firstWait is how long what is parked for the first time is left alone, unless the destination asked for longer.
const firstWait = time.Minute

// laneParker parks what one destination did not get in an invocation.
type laneParker struct {
	inv  *invocation
	lane *lane
}

// Park implements [deliver.Parker].
func (p *laneParker) Park(ctx context.Context, g *deliver.GivenUp) error {
	inv := p.inv
	store, err := inv.f.park.opened(accountOf(inv.base.FunctionARN))
	if err != nil {
		return err
	}
	items, err := givenUpItems(g)
	if err != nil {
		return err
	}
	now := inv.f.now()
	span := g.Batch.Span()
	items.Destination, items.FirstFailed, items.LastFailed = p.lane.place, inv.started, now
	items.MaxAge = p.lane.maxAge(span, now)
	items.Sources = []park.Source{sourceOf(inv.entry, span)}
	items.RequestID, items.Forwarder, items.ConfigSHA = inv.requestID, Version, inv.f.park.config
	state, notBefore := park.Pending, now.Add(waitOf(g))
	if g.Permanent {
		state, notBefore = park.Dead, time.Time{}
	}
	key, err := store.PutItems(ctx, state, items, notBefore)
	if err == nil {
		inv.written.add(state, key)
	}
	return inv.stored(err)
}

// stored counts what the store could not keep.
func (inv *invocation) stored(err error) error {
	if err != nil {
		inv.ledger.StoreFailed()
	}
	return err
}

// waitOf is how long what was given up is left alone: not at all when it only ran out of time.
func waitOf(g *deliver.GivenUp) time.Duration {
	if g.Reason == reasonDeadline {
		return g.Wait
	}
	return max(g.Wait, firstWait)
}

const reasonDeadline = "deadline"

// givenUpItems says what was given up, and why.
func givenUpItems(g *deliver.GivenUp) (park.Items, error) {
	items := park.Items{
		BatchID: g.Batch.ID, Partial: len(g.Parts) != 1 || g.Parts[0].Count() != g.Batch.Count(),
		Reason: park.Reason{
			Code: g.Reason, Class: classOf(g.Permanent), HTTPStatus: g.Status, RetryAfterSeconds: int(g.Wait / time.Second),
		},
	}
	var parts []iter.Seq[[]byte]
	for _, part := range g.Parts {
		list, err := part.Items()
		if err != nil {
			return items, fmt.Errorf("park: %w", err)
		}
		parts = append(parts, list)
		items.Count += part.Count()
		items.Bytes += int64(part.PlainBytes())
	}
	items.Lines = func(yield func([]byte) bool) {
		for _, part := range parts {
			for item := range part {
				if !yield(item) {
					return
				}
			}
		}
	}
	return items, nil
}

func classOf(permanent bool) string {
	if permanent {
		return "permanent"
	}
	return "retriable"
}

// maxAge is when the destination takes a batch no more; zero when it always does. What was too old from the start has
// been sent without its date, so its age does not count.
func (l *lane) maxAge(span *batch.Span, now time.Time) time.Time {
	if l.ages == 0 {
		return time.Time{}
	}
	oldest := now
	if span != nil && span.OldestMillis != 0 {
		if at := time.UnixMilli(span.OldestMillis); at.Before(now) && now.Before(at.Add(l.ages)) {
			oldest = at
		}
	}
	return oldest.Add(l.ages)
}

// sourceOf says where the records of a batch came from, by its first and its last.
func sourceOf(entry string, span *batch.Span) park.Source {
	s := park.Source{Entry: entry}
	if span == nil {
		return s
	}
	o := &span.First
	s.Owner, s.Region = o.Owner, o.Region
	switch o.Kind {
	case record.S3:
		s.Bucket, s.Key, s.VersionID, s.ETag = o.Bucket, o.Key, o.VersionID, o.ETag
		return s
	case record.CloudWatch:
		s.LogGroup, s.LogStream = o.LogGroup, o.LogStream
	default:
	}
	s.StreamARN = o.StreamARN
	s.EventIDs = [2]string{span.FirstEvent, span.LastEvent}
	return s
}

// parkDead notes what a destination will not get unless a person sees to it.
func (inv *invocation) parkDead(p park.Pointer) error {
	store, err := inv.f.park.opened(accountOf(inv.base.FunctionARN))
	if err != nil {
		return err
	}
	key, err := store.PutDead(inv.store, p)
	if err == nil {
		inv.written.add(park.Dead, key)
	}
	return inv.stored(err)
}

// parkPending notes what is to be read again for a destination.
func (inv *invocation) parkPending(p park.Pointer, notBefore time.Time) error {
	store, err := inv.f.park.opened(accountOf(inv.base.FunctionARN))
	if err != nil {
		return err
	}
	key, err := store.PutPending(inv.store, p, notBefore)
	if err == nil {
		inv.written.add(park.Pending, key)
	}
	return inv.stored(err)
}

func (inv *invocation) pointer(l *lane, reason park.Reason, source park.Source, first time.Time) park.Pointer {
	return park.Pointer{
		Destination: l.place, Reason: reason, FirstFailed: first, LastFailed: inv.started, Source: source,
		RequestID: inv.requestID, Forwarder: Version, ConfigSHA: inv.f.park.config,
	}
}

// parkRaw keeps input that cannot be read, and counts it as one line. It reports false when that is not possible or not
// wanted: the input has to go back to its owner.
func (inv *invocation) parkRaw(raw []byte, cause error) bool {
	switch reasonOf(cause) {
	case "panic", reasonDeadline:
		return false // it may be read at another attempt
	}
	return inv.keepRaw(raw, cause)
}

// keepRaw is parkRaw for input that nobody gives again, whatever kept it from being read.
func (inv *invocation) keepRaw(raw []byte, cause error) bool {
	if inv.f.park == nil || !inv.f.park.raw || inv.unkept || len(raw) == 0 {
		return false
	}
	reason := reasonOf(cause)
	store, err := inv.f.park.opened(accountOf(inv.base.FunctionARN))
	if err != nil {
		return false
	}
	_, err = store.PutRaw(inv.store, park.Raw{
		Entry: inv.entry, Reason: park.Reason{Code: reason, Class: classOf(true), Message: cause.Error()}, At: inv.started,
		RequestID: inv.requestID, Payload: raw,
	})
	if inv.stored(err) != nil {
		return false
	}
	for _, lane := range inv.lanes {
		lane.account.In(1)
		lane.account.Parked(reason, 1)
	}
	return true
}

// sharedHint is what the functions tell each other about a destination, in the park store.
type sharedHint struct {
	park        *parking
	destination string
}

// Until implements [deliver.Hint].
func (h sharedHint) Until(ctx context.Context) (time.Time, error) {
	store, err := h.park.opened(accountIn(ctx))
	if err != nil {
		return time.Time{}, err
	}
	return store.Hint(ctx, h.destination)
}

// Hold implements [deliver.Hint].
func (h sharedHint) Hold(ctx context.Context, until time.Time, reason string) error {
	store, err := h.park.opened(accountIn(ctx))
	if err != nil {
		return err
	}
	return store.PutHint(ctx, h.destination, until, reason)
}

func accountIn(ctx context.Context) string {
	lc, ok := lambdacontext.FromContext(ctx)
	if !ok {
		return ""
	}
	return accountOf(lc.InvokedFunctionArn)
}

// firstKnown is when an object was announced or written: a time that is the same at each attempt to read it, so that it is
// noted once.
func firstKnown(millis int64, otherwise time.Time) time.Time {
	if at := time.UnixMilli(millis); millis > 0 && at.Before(otherwise.AddDate(0, 0, 1)) { // else it is forged, or not known
		return at
	}
	return otherwise
}

// hostOf is the host of a URL, which says where something was to be sent without telling a token.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
