package format

import "hash/maphash"

// Sizes of a nameSet, in names. What one huge line has made it grow to is given back.
const (
	fewNames  = 256
	manyNames = 16_384
)

// nameSet tells whether a name has been seen in its object before. It keeps hashes, so two names may be taken for one.
type nameSet struct {
	seed  maphash.Seed
	slots []slot // twice as many as names, or more; a power of two
	line  uint32 // slots of other lines are free
	used  int
}

type slot struct {
	name uint64
	line uint32
}

// begin forgets all names.
func (s *nameSet) begin() {
	s.used = 0
	if s.line++; s.line == 0 || len(s.slots) > 2*manyNames || s.slots == nil {
		*s = nameSet{seed: maphash.MakeSeed(), slots: make([]slot, 2*fewNames), line: 1}
	}
}

func (s *nameSet) hash(name []byte) uint64 { return maphash.Bytes(s.seed, name) }

func (s *nameSet) hashString(name string) uint64 { return maphash.String(s.seed, name) }

// add adds the name of a hash in an object and reports whether it is new there.
func (s *nameSet) add(object, hash uint64) bool {
	const golden = 0x9e3779b97f4a7c15 // spreads the objects over all hashes
	if 2*s.used >= len(s.slots) {
		s.grow()
	}
	return s.put(hash ^ object*golden)
}

func (s *nameSet) put(name uint64) bool {
	mask := uint64(len(s.slots) - 1)
	for i := name & mask; ; i = (i + 1) & mask {
		switch at := &s.slots[i]; {
		case at.line != s.line:
			*at = slot{name: name, line: s.line}
			s.used++
			return true
		case at.name == name:
			return false
		}
	}
}

func (s *nameSet) grow() {
	old := s.slots
	s.slots, s.used = make([]slot, 2*len(old)), 0
	for _, at := range old {
		if at.line == s.line {
			s.put(at.name)
		}
	}
}
