package park

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Entry is an object as a list shows it.
type Entry struct {
	Key          string
	ETag         string // as S3 writes it
	Size         int64  // bytes, as stored
	LastModified time.Time
	State        State     // empty: foreign
	Dest         string    // destination; of what is dead-raw, the entry that it came in by; empty: foreign
	Reason       string    // of what is dead
	ID           string    // what to take a lease on: the batch's id, the source's, or one made of the key
	Attempt      int       // 0: its name does not say
	NotBefore    time.Time // from when on it is due; zero: at once, or its name does not say
}

// fileExt ends the names of what is parked.
const fileExt = ".jsonl.gz"

// entryOf reads what the key of an object under the store's root says.
func (s *Store) entryOf(state State, o *types.Object) Entry {
	e := foreignEntry(o)
	e.State = state
	parts := strings.Split(strings.TrimPrefix(e.Key, s.root), "/") // state, destination or entry, ..., name
	if len(parts) < 3 {
		return e
	}
	e.Dest = parts[1]
	name := parts[len(parts)-1]
	switch state {
	case Dead:
		e.Reason = parts[2]
	case Pending:
		due, _, _ := strings.Cut(name, "-")
		if at, err := strconv.ParseInt(due, 10, 64); err == nil && len(parts) == 3 && at >= minNotBefore && at <= maxNotBefore {
			e.NotBefore = time.Unix(at, 0).UTC()
		}
	case DeadRaw:
		if id := strings.TrimSuffix(name, ".json"); id != name && isBatchID(id) {
			e.ID = id
		}
		return e
	default:
	}
	if id, attempt, ok := parseName(name); ok {
		e.ID, e.Attempt = id, attempt
	}
	return e
}

// parseName takes "<anything>-<id>.a<attempt>.jsonl.gz" apart; what is in front of the id may be missing.
func parseName(name string) (id string, attempt int, ok bool) {
	name, ok = strings.CutSuffix(name[strings.LastIndexByte(name, '-')+1:], fileExt)
	i := strings.LastIndex(name, ".a")
	if !ok || i < 0 || !isBatchID(name[:i]) {
		return "", 0, false
	}
	attempt, err := strconv.Atoi(name[i+len(".a"):])
	if err != nil || attempt < 1 || attempt > maxAttempt {
		return "", 0, false
	}
	return name[:i], attempt, true
}

// fileName is the name to bury it under: its own without the time that it was due at, if a store has made it.
func (e *Entry) fileName() string {
	name := e.Key[strings.LastIndexByte(e.Key, '/')+1:]
	if _, _, ok := parseName(name); ok && isMadeOf(strings.ToLower(name), "-.", 2*maxBatchIDBytes) {
		return name[strings.LastIndexByte(name, '-')+1:]
	}
	return e.ID + ".object"
}

func foreignEntry(o *types.Object) Entry {
	key := aws.ToString(o.Key)
	return Entry{
		Key: key, ETag: aws.ToString(o.ETag), Size: aws.ToInt64(o.Size), LastModified: aws.ToTime(o.LastModified), ID: keyID(key),
	}
}

// keyID makes an id of a key.
func keyID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:])[:idLength]
}

// hexOf tells bytes apart.
func hexOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:6])
}

// Destinations returns the ids of those that something is parked for; of what is dead-raw, the entries it came in by.
// Folders with other names are not the store's and are left out.
func (s *Shelf) Destinations(ctx context.Context, state State) ([]string, error) {
	prefix, err := s.stateRoot(state)
	if err != nil {
		return nil, err
	}
	var ids []string
	for page, err := range s.pages(ctx, prefix, "/") {
		if err != nil {
			return nil, err
		}
		for _, folder := range page.CommonPrefixes {
			id := strings.TrimSuffix(strings.TrimPrefix(aws.ToString(folder.Prefix), prefix), "/")
			if isMadeOf(id, "-", maxIDBytes) || state == DeadRaw && isEntry(id) {
				ids = append(ids, id)
			}
		}
	}
	return ids, nil
}

// Entries yields what is parked for a destination, or for all of them when dest is empty, in the order of keys, page by
// page. A reason, which only what is dead is ordered by, lets only its objects through; empty: all.
//
// Of what is pending it stops at the first key that is not due at a time; zero: it yields all. That needs a destination:
// only then is the order of keys that of time. Other states are always due. What has an unusual name is yielded too, as due
// at once. An error ends the list.
func (s *Shelf) Entries(ctx context.Context, state State, dest, reason string, due time.Time) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		prefix, err := s.prefixOf(state, dest, reason)
		if err == nil && state == Pending && dest == "" && !due.IsZero() {
			err = errors.New("list what is due: name a destination")
		}
		if err != nil {
			yield(Entry{}, err)
			return
		}
		for o, err := range s.objects(ctx, prefix) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			e := s.store.entryOf(state, o)
			if state == Pending && !due.IsZero() && e.NotBefore.After(due) {
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Foreign yields the objects below another prefix of the bucket, in the order of keys; those of the store itself are left
// out. An error ends the list.
func (s *Shelf) Foreign(ctx context.Context, prefix string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for o, err := range s.objects(ctx, prefix) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if e := foreignEntry(o); !strings.HasPrefix(e.Key, s.store.root) && !yield(e, nil) {
				return
			}
		}
	}
}

func (s *Shelf) stateRoot(state State) (string, error) {
	switch state {
	case Pending, Dead, DeadRaw:
		return s.store.root + string(state) + "/", nil
	default:
		return "", fmt.Errorf("list: the state is %.40q, want %q, %q or %q", state, Pending, Dead, DeadRaw)
	}
}

func (s *Shelf) prefixOf(state State, dest, reason string) (string, error) {
	prefix, err := s.stateRoot(state)
	switch {
	case err != nil:
		return "", err
	case reason != "" && (state != Dead || dest == "" || !isMadeOf(reason, "_", maxCodeBytes)):
		return "", fmt.Errorf("list by the reason %.40q: only what is dead for one destination can be listed so", reason)
	case dest == "":
		return prefix, nil
	case !isMadeOf(dest, "-", maxIDBytes) && (state != DeadRaw || !isEntry(dest)):
		return "", fmt.Errorf("list: the destination is %.40q, want 1 to %d of a-z, 0-9 and -", dest, maxIDBytes)
	}
	prefix += dest + "/"
	if reason != "" {
		prefix += reason + "/"
	}
	return prefix, nil
}

// objects yields what a prefix has, without the marks that consoles set for folders.
func (s *Shelf) objects(ctx context.Context, prefix string) iter.Seq2[*types.Object, error] {
	return func(yield func(*types.Object, error) bool) {
		for page, err := range s.pages(ctx, prefix, "") {
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range page.Contents {
				if o := &page.Contents[i]; !strings.HasSuffix(aws.ToString(o.Key), "/") && !yield(o, nil) {
					return
				}
			}
		}
	}
}

// pages yields one answer of S3 after another.
func (s *Shelf) pages(ctx context.Context, prefix, delimiter string) iter.Seq2[*s3.ListObjectsV2Output, error] {
	return func(yield func(*s3.ListObjectsV2Output, error) bool) {
		if s.store.o.Bucket == "" {
			yield(nil, errNoBucket)
			return
		}
		in := &s3.ListObjectsV2Input{
			Bucket: &s.store.o.Bucket, Prefix: &prefix, Delimiter: optional(delimiter), ExpectedBucketOwner: optional(s.store.o.Owner),
		}
		for {
			page, err := s.client.ListObjectsV2(ctx, in)
			if err != nil {
				yield(nil, s.store.explain(listing, prefix, err))
				return
			}
			if !yield(page, nil) || !aws.ToBool(page.IsTruncated) || aws.ToString(page.NextContinuationToken) == "" {
				return
			}
			in.ContinuationToken = page.NextContinuationToken
		}
	}
}
