package forward

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"time"

	"sluice/internal/config"
	"sluice/internal/event"
	"sluice/internal/park"
	"sluice/internal/source/object"
)

// parking keeps a note of what cannot be forwarded. A nil one keeps nothing.
type parking struct {
	options park.Options
	names   *park.Store // knows which objects are its own; it cannot put any
	client  func() (s3Client, error)
	store   *park.Store // made with the first note
	config  string      // fingerprint of the settings
}

// newParking returns nil when the settings name no bucket.
func newParking(cfg *config.Config, client func() (s3Client, error), fingerprint string) *parking {
	if cfg.ParkBucket.Name == "" {
		return nil
	}
	o := park.Options{Bucket: cfg.ParkBucket.Name, Prefix: cfg.ParkPrefix, Owner: cfg.ParkBucket.Owner}
	return &parking{options: o, names: park.New(nil, o), client: client, config: fingerprint}
}

// owns reports whether an object is what was parked, or what Lambda keeps in the same bucket.
func (p *parking) owns(bucket, key string) bool { return p != nil && p.names.Owns(bucket, key) }

var errNoPark = errors.New("nothing can be parked: name a bucket in SLUICE_PARK_BUCKET")

// damage notes for every destination what cannot be read of an object. It waits for a person: reading it again would
// find the same.
func (p *parking) damage(ctx context.Context, inv *invocation, o *event.Object, d *object.Damage) error {
	if p == nil {
		return errNoPark
	}
	store, err := p.opened(accountOf(inv.base.FunctionARN))
	if err != nil {
		return err
	}
	owner, _ := inv.f.buckets.owner(o, accountOf(inv.base.FunctionARN))
	for _, l := range inv.f.lanes {
		_, err := store.PutDead(ctx, park.Pointer{
			Destination: l.place,
			Reason:      park.Reason{Code: d.Reason, Class: "permanent", Message: d.Err.Error()},
			FirstFailed: firstKnown(o, inv.started), LastFailed: inv.started,
			Source: park.Source{
				Entry: park.EntryS3, Owner: owner, Region: o.Region,
				Bucket: o.Bucket, Key: o.Key, VersionID: o.VersionID, ETag: o.ETag, Sequencer: o.Sequencer,
				SizeBytes: max(o.SizeBytes, 0), ByteRange: &park.Range{d.Offset, d.End},
			},
			RequestID: inv.requestID, Forwarder: Version, ConfigSHA: p.config,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// opened returns the store. own is the account of the function, which must own the bucket unless the settings name another.
func (p *parking) opened(own string) (*park.Store, error) {
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

// firstKnown is when an object was announced or written: a time that is the same at each attempt to read it, so that it is
// noted once.
func firstKnown(o *event.Object, otherwise time.Time) time.Time {
	if o.EventMillis == 0 {
		return otherwise
	}
	return time.UnixMilli(o.EventMillis)
}

// hostOf is the host of a URL, which says where something was to be sent without telling a token.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
