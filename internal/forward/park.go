package forward

import (
	"context"
	"errors"
	"net/url"

	"sluice/internal/config"
	"sluice/internal/event"
	"sluice/internal/park"
	"sluice/internal/source/object"
)

// parking keeps a note of what cannot be forwarded. A nil one keeps nothing.
type parking struct {
	options park.Options
	store   *park.Store // its client is made with the first note
	client  func() (s3Client, error)
	config  string // fingerprint of the settings
}

// newParking returns nil when the settings name no bucket.
func newParking(cfg *config.Config, client func() (s3Client, error), fingerprint string) *parking {
	if cfg.ParkBucket.Name == "" {
		return nil
	}
	o := park.Options{Bucket: cfg.ParkBucket.Name, Prefix: cfg.ParkPrefix, Owner: cfg.ParkBucket.Owner}
	return &parking{options: o, store: park.New(nil, o), client: client, config: fingerprint}
}

// owns reports whether an object is what was parked, or what Lambda keeps in the same bucket.
func (p *parking) owns(bucket, key string) bool { return p != nil && p.store.Owns(bucket, key) }

var errNoPark = errors.New("nothing can be parked: name a bucket in SLUICE_PARK_BUCKET")

// damage notes for every destination what cannot be read of an object. It waits for a person: reading it again would
// find the same.
func (p *parking) damage(ctx context.Context, inv *invocation, o *event.Object, d *object.Damage) error {
	if p == nil {
		return errNoPark
	}
	client, err := p.client()
	if err != nil {
		return err
	}
	store := park.New(client, p.options)
	owner, _ := inv.f.buckets.owner(o, accountOf(inv.base.FunctionARN))
	for _, l := range inv.f.lanes {
		_, err := store.PutDead(ctx, park.Pointer{
			Destination: l.place,
			Reason:      park.Reason{Code: d.Reason, Class: "permanent", Message: d.Err.Error()},
			FirstFailed: inv.started,
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

// hostOf is the host of a URL, which says where something was to be sent without telling a token.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
