package audit

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"sort"
	"strings"

	"sluice/e2e/generate"
	"sluice/e2e/stack/intake"
)

// Source is an object of a bucket that a pointer may name.
type Source struct {
	Bucket, Key, VersionID, ETag string

	Lines  []generate.Line // in order
	Starts []int64         // where each of them starts in the decompressed content; nil: nobody can say
}

// Store reads a park store, object by object, as it lies in its bucket. Layout: delivery contract 2.7. It shares no code
// with what wrote it.
type Store struct {
	root  string // of its keys, "<prefix>/v1/"
	index *index
	lines map[string][]generate.Line // by payload
	raw   map[[sha256.Size]byte][]string
	told  []told
	from  []Source
	dests map[string]*ParkStore
	dead  []generate.Line // of raw input, which is for all destinations

	// What lies there, by the folder below the root: pending, dead, dead-raw, progress, lease, breaker.
	Objects map[string]int
	// Corrupt are objects that a replay has put aside as broken.
	Corrupt  int
	Problems []string
}

// NewStore returns a store that holds nothing. Lines are all that may be in it.
func NewStore(root string, lines []generate.Line, from []Source) *Store {
	s := &Store{
		root: root, index: newIndex(lines), lines: map[string][]generate.Line{}, raw: map[[sha256.Size]byte][]string{},
		from: from, dests: map[string]*ParkStore{}, Objects: map[string]int{},
	}
	for _, line := range lines {
		s.lines[line.Payload] = append(s.lines[line.Payload], line)
	}
	return s
}

// Knows says of what payloads the bytes with this SHA-256 are: a form in which they may be kept as input that could not be
// read.
func (s *Store) Knows(sum [sha256.Size]byte, payloads ...string) { s.raw[sum] = payloads }

// told is a message and the payloads it announces.
type told struct {
	body     []byte
	payloads []string
}

// Announced says of what payloads a message tells: a part of it may be kept as input that could not be read.
func (s *Store) Announced(body []byte, payloads ...string) {
	s.told = append(s.told, told{body, payloads})
}

// payloadsOf are those that raw input is of.
func (s *Store) payloadsOf(raw []byte) (ids []string, known bool) {
	if ids, known = s.raw[sha256.Sum256(raw)]; known || len(raw) == 0 {
		return ids, known
	}
	for _, t := range s.told {
		if bytes.Contains(t.body, raw) {
			return t.payloads, true
		}
	}
	return nil, false
}

// Of is what the store holds for a destination.
func (s *Store) Of(destination string) *ParkStore {
	p := *s.of(destination)
	p.Raw = s.dead
	p.Objects += s.Objects["dead-raw"]
	return &p
}

func (s *Store) of(destination string) *ParkStore {
	if s.dests[destination] == nil {
		s.dests[destination] = &ParkStore{}
	}
	return s.dests[destination]
}

const storeCorrupt = "store_corrupt" // reason of what replay puts aside because it is broken

// Add reads one object. What is wrong with it is a problem of the store.
func (s *Store) Add(key string, body []byte) {
	name, ours := strings.CutPrefix(key, s.root)
	folder, name, _ := strings.Cut(name, "/")
	if !ours {
		return // Lambda's, or a stranger's
	}
	s.Objects[folder]++
	var err error
	switch folder {
	case "pending", "dead":
		if folder == "dead" && strings.Contains(name, "/"+storeCorrupt+"/") {
			s.Corrupt++
			return
		}
		err = s.parked(folder, name, body)
	case "dead-raw":
		err = s.rawInput(body)
	case "progress", "lease", "breaker", "tags":
	default:
		err = fmt.Errorf("there is no folder %q in the layout", folder)
	}
	if err != nil {
		s.Problems = append(s.Problems, fmt.Sprintf("park store, %s: %s", key, err))
	}
}

// parked reads an object of pending/ or dead/.
func (s *Store) parked(folder, name string, body []byte) error {
	o, err := readObject(body)
	if err != nil {
		return err
	}
	if err := o.checkName(folder, name); err != nil {
		return err
	}
	held, err := s.contents(o)
	if err != nil {
		return err
	}
	p := s.of(o.header.Dest.ID)
	p.Objects++
	switch {
	case held.loose:
		p.Loose = append(p.Loose, held.lines...)
	case folder == "pending":
		p.Pending = append(p.Pending, held.lines...)
	default:
		p.Dead = append(p.Dead, held.lines...)
	}
	return nil
}

// contained is what an object stands for. Loose lines are those of which only a part may be meant.
type contained struct {
	lines []generate.Line
	loose bool
}

func (s *Store) contents(o *object) (contained, error) {
	if o.header.Kind == "pointer" {
		return s.pointedAt(&o.header.Sources[0])
	}
	var c contained
	for i, item := range o.items {
		entry, err := intake.Item(o.header.Dest.Type, item)
		if err != nil {
			return c, fmt.Errorf("item %d: %w", i+1, err)
		}
		at, found, intact := s.index.find(entry)
		if !found || !intact {
			return c, fmt.Errorf("item %d is no line that was generated, or not a whole one", i+1)
		}
		c.lines = append(c.lines, s.index.lines[at])
	}
	return c, nil
}

// pointedAt are the lines that start in the bytes a pointer is of, and of these the records it is of.
func (s *Store) pointedAt(p *source) (contained, error) {
	for i := range s.from {
		from := &s.from[i]
		if from.Bucket != p.Bucket || from.Key != p.Key || from.VersionID != p.VersionID || p.ETag != "" && from.ETag != p.ETag {
			continue
		}
		if from.Starts == nil {
			return contained{lines: from.Lines, loose: true}, nil
		}
		return contained{lines: p.part(from)}, nil
	}
	return contained{}, fmt.Errorf("it points to s3://%s/%s, which has never been there", p.Bucket, p.Key)
}

// part is the lines of an object that a pointer is of.
func (p *source) part(from *Source) []generate.Line {
	lines := from.Lines
	if r := p.ByteRange; r != nil {
		first, last := sort.Search(len(lines), func(i int) bool { return from.Starts[i] >= r[0] }), len(lines)
		if r[1] >= 0 {
			last = sort.Search(len(lines), func(i int) bool { return from.Starts[i] >= r[1] })
		}
		lines = lines[first:max(first, last)]
	}
	if r := p.Lines; r != nil {
		first, last := max(0, min(r[0], int64(len(lines)))), int64(len(lines))
		if r[1] >= 0 {
			last = min(r[1], last)
		}
		lines = lines[first:max(first, last)]
	}
	return lines
}

// rawInput reads an object of dead-raw/.
func (s *Store) rawInput(body []byte) error {
	payload, err := readRaw(body)
	if err != nil {
		return err
	}
	ids, known := s.payloadsOf(payload)
	if !known {
		return fmt.Errorf("its payload of %d bytes is nothing that was sent", len(payload))
	}
	for _, id := range ids {
		s.dead = append(s.dead, s.lines[id]...)
	}
	return nil
}
