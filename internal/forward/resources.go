package forward

import (
	"context"

	"sluice/internal/config"
	"sluice/internal/park"
	"sluice/internal/process"
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

	untagged map[tags.Status]int64 // records, since they were last taken
}

// tagKinds are those of package tags by those that package process asks for.
var tagKinds = [...]tags.Kind{
	process.LogGroup: tags.LogGroup, process.Function: tags.Function, process.Bucket: tags.Bucket, process.StateMachine: tags.StateMachine,
}

// Lookup returns the tags of a resource in the account and the region of an origin, where those are the function's own.
func (r *resources) Lookup(kind process.Resource, o *record.Origin, name string) (record.Tags, process.Knowledge) {
	in := r.own
	if o.Owner != "" {
		in.ID = o.Owner
	}
	if o.Region != "" {
		in.Region = o.Region
	}
	list, status := r.cache.Lookup(r.ctx, tagKinds[kind], in.ARN(tagKinds[kind], name))
	return list, knowledgeOf(status)
}

// knowledgeOf says what a status means for the records of an origin.
func knowledgeOf(s tags.Status) process.Knowledge {
	switch s {
	case tags.Pending:
		return process.Pending
	case tags.Failed:
		return process.Failed
	case tags.Off, tags.Foreign, tags.Fresh, tags.Stale:
	}
	return process.Known
}

// CountUntagged counts records that went without tags that they may have, see takeAsides.
func (r *resources) CountUntagged(why process.Knowledge, records int64) {
	status := tags.Pending
	if why == process.Failed {
		status = tags.Failed
	}
	if r.untagged == nil {
		r.untagged = make(map[tags.Status]int64)
	}
	r.untagged[status] += records
}
