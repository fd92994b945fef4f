package tags

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Store keeps what containers share: one small document for each kind. It need not keep anything for ever.
type Store interface {
	// Get returns a document of at most MaxDocumentBytes and its version; a version that is empty says that there is none.
	Get(ctx context.Context, name string) (document []byte, version string, err error)
	// Put writes a document over the version that was got, and creates it when that is empty. It returns ErrChanged when
	// another version is there by now.
	Put(ctx context.Context, name string, document []byte, version string) error
}

// ErrChanged says that a document has changed since it was got.
var ErrChanged = errors.New("somebody else has written it since it was read")

// MaxDocumentBytes is how large a document can be. Only what was learned last is shared when it does not fit.
const MaxDocumentBytes = 2 << 20

const (
	schema = 1
	// What nobody has asked for again in this time is not shared on: the resource may be gone.
	shareFor = 24 * time.Hour
)

// document is what is shared of one kind.
type document struct {
	Schema    int                 `json:"schema"`
	Resources map[string]resource `json:"resources"` // by ARN
}

// resource is an entry in a document.
type resource struct {
	At   int64    `json:"at"`   // when AWS said so, in s since the Unix epoch
	Tags []string `json:"tags"` // clean; none: it has none, or there is no such resource
}

// documentName tells accounts, regions and kinds apart. All of its parts are made of small letters, digits and dashes.
func (c *Cache) documentName(k *keeper) string {
	return fmt.Sprintf("%s/%s/%s/%s", c.own.Partition, c.own.ID, c.own.Region, k.kind)
}

// decodeDocument reads the entries of a document, which anybody who may write to the store may have written. What cannot
// be is left out.
func (c *Cache) decodeDocument(kind Kind, own Account, data []byte, now time.Time) ([]*entry, error) {
	if len(data) > MaxDocumentBytes {
		return nil, fmt.Errorf("it has %d bytes, want at most %d", len(data), MaxDocumentBytes)
	}
	var d document
	if json.Unmarshal(data, &d) != nil || d.Schema != schema {
		return nil, fmt.Errorf("its %d bytes are not the JSON of shared tags, schema %d", len(data), schema)
	}
	entries := make([]*entry, 0, len(d.Resources))
	for arn, r := range d.Resources {
		at := time.Unix(r.At, 0)
		if at.After(now) { // another one's clock is ahead
			at = now.Truncate(time.Second)
		}
		if spelled, ok := own.owned(kind, arn); !ok || spelled != arn || now.Sub(at) > shareFor {
			continue
		}
		if slices.ContainsFunc(r.Tags, func(text string) bool { return !isClean(text) }) {
			continue
		}
		entries = append(entries, &entry{arn: arn, tags: cleaned(r.Tags), at: at, staleAt: c.staleAt(at)})
	}
	return entries, nil
}

// isClean reports whether Clean can have made this text.
func isClean(text string) bool {
	key, value, _ := strings.Cut(text, ":")
	return text != "" && Clean(key, value) == text
}

// encodeDocument writes entries, the newest ones if not all of them fit.
func encodeDocument(entries []*entry) []byte {
	slices.SortFunc(entries, func(a, b *entry) int {
		return cmp.Or(b.at.Compare(a.at), strings.Compare(a.arn, b.arn))
	})
	const tail = "}}\n"
	text := fmt.Appendf(nil, `{"schema":%d,"resources":{`, schema)
	for i, e := range entries {
		start := len(text)
		if i > 0 {
			text = append(text, ',')
		}
		text = appendResource(text, e)
		if len(text)+len(tail) > MaxDocumentBytes {
			text = text[:start]
			break
		}
	}
	return append(text, tail...)
}

// appendResource appends the member of a document that an entry is. Neither ARNs that are asked for nor clean tags hold
// anything that JSON wants escaped.
func appendResource(text []byte, e *entry) []byte {
	text = fmt.Appendf(text, `"%s":{"at":%d`, e.arn, e.at.Unix())
	for i, tag := range e.tags {
		before := `","`
		if i == 0 {
			before = `,"tags":["`
		}
		text = append(append(text, before...), tag.String()...)
	}
	if len(e.tags) > 0 {
		text = append(text, `"]`...)
	}
	return append(text, '}')
}

// read takes over what others have learned. It returns that, and its version. A document that is not sound is none, to be
// written over.
func (c *Cache) read(ctx context.Context, k *keeper) (theirs []*entry, version string, err error) {
	c.mu.Lock()
	own, name := c.own, c.documentName(k)
	c.mu.Unlock()
	data, version, err := c.store.Get(ctx, name)
	var unsound error
	if err == nil && version != "" {
		theirs, unsound = c.decodeDocument(k.kind, own, data, wall())
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.StoreReads++
	c.heard(k, err)
	if unsound != nil {
		k.storeErr = unsound
		c.counts.StoreFailures++
	}
	for _, e := range theirs {
		k.known.offer(e)
	}
	k.announce()
	return theirs, version, err
}

// share writes what is known for others to read. Who is disturbed by another one tries once more, and then later.
func (c *Cache) share(ctx context.Context, k *keeper) {
	const tries = 2
	for range tries {
		theirs, version, err := c.read(ctx, k)
		if err != nil || !errors.Is(c.write(ctx, k, theirs, version), ErrChanged) {
			return
		}
	}
}

// write writes what others have shared together with what is newer here, if there is such a thing.
func (c *Cache) write(ctx context.Context, k *keeper, theirs []*entry, version string) error {
	c.mu.Lock()
	name, merged := c.documentName(k), news(theirs, k.known.all(), wall())
	k.unshared = merged != nil
	c.mu.Unlock()
	if merged == nil {
		return nil
	}
	err := c.store.Put(ctx, name, encodeDocument(merged), version)

	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.StoreWrites++
	c.heard(k, err)
	if k.unshared = err != nil; err == nil {
		k.storeCircuit.succeed()
	}
	return err
}

// heard takes note of how a request to the store ended. That it can be read says nothing about whether it can be written,
// so only a write makes its failures forgotten. The lock is held.
func (c *Cache) heard(k *keeper, err error) {
	k.storeErr = err
	if err == nil {
		return
	}
	c.counts.StoreFailures++
	k.storeCircuit.fail(wall(), false, c.jitter())
}

// news is what others have shared together with what is newer here; nil when nothing is.
func news(theirs, ours []*entry, now time.Time) []*entry {
	byARN := make(map[string]*entry, len(theirs)+len(ours))
	for _, e := range theirs {
		byARN[e.arn] = e
	}
	newer := false
	for _, e := range ours {
		if there := byARN[e.arn]; now.Sub(e.at) <= shareFor && (there == nil || e.at.After(there.at)) {
			byARN[e.arn], newer = e, true
		}
	}
	if !newer {
		return nil
	}
	return slices.Collect(maps.Values(byARN))
}
