package forward

import (
	"context"

	"sluice/internal/config"
	"sluice/internal/park"
	"sluice/internal/record"
	"sluice/internal/tags"
)

// tagCacheOf returns what knows the tags of resources in AWS; nil where none are asked for. What one container has learned,
// others read from the bucket of the park store, if there is one.
func tagCacheOf(cfg *config.Config, outside world) *tags.Cache {
	var kinds []tags.Kind
	for kind, on := range map[tags.Kind]bool{
		tags.LogGroup: cfg.ResourceTags.LogGroup, tags.Function: cfg.ResourceTags.Lambda,
		tags.Bucket: cfg.ResourceTags.S3, tags.StateMachine: cfg.ResourceTags.StepFunctions,
	} {
		if on {
			kinds = append(kinds, kind)
		}
	}
	if len(kinds) == 0 {
		return nil
	}
	o := tags.Options{Kinds: kinds, AWS: outside.aws, TTL: cfg.ResourceTags.TTL}
	if cfg.ParkBucket.Name != "" {
		if client, err := outside.s3(); err == nil { // else the same failure is met, and told, where objects are parked
			o.Store = tags.NewObjects(client, tags.ObjectsOptions{
				Bucket: cfg.ParkBucket.Name, Prefix: cfg.ParkPrefix, Owner: cfg.ParkBucket.Owner, KMSKey: cfg.ParkKMSKey,
			})
		}
	}
	return tags.New(o)
}

var _ tags.GetPutter = park.Client(nil)

// resources looks tags up during one invocation.
type resources struct {
	ctx   context.Context //nolint:containedctx // that of an invocation, which package process does not know
	cache *tags.Cache
	own   tags.Account
}

// Lookup returns the tags of a resource in the account and the region of an origin, where those are the function's own.
func (r *resources) Lookup(kind tags.Kind, o *record.Origin, name string) (record.Tags, tags.Status) {
	in := r.own
	if o.Owner != "" {
		in.ID = o.Owner
	}
	if o.Region != "" {
		in.Region = o.Region
	}
	return r.cache.Lookup(r.ctx, kind, in.ARN(kind, name))
}

// CountUntagged counts records that went without tags that they may have.
func (r *resources) CountUntagged(s tags.Status, records int64) { r.cache.CountUntagged(s, records) }
