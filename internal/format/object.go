package format

import (
	"bytes"
	"sync"

	"sluice/internal/jsontoken"
	"sluice/internal/jsonwalk"
)

// maxDepth bounds how deep objects and arrays may stand in each other. Readers of JSON that backends are built on stop at
// 1,000, and a backend's own document is around ours.
const maxDepth = 500

// renames are the members of a log's objects that a standard has other names for. Members inside of members keep theirs.
type renames struct {
	keys   []*key
	once   sync.Once
	byName map[string]*key // made when a line comes that needs it
	// absent reports whether a hyphen as the value of a member is absence; nil where it never is. depth is 1 for the members
	// of the line's own object, 2 for those of objects in it.
	absent func(name []byte, depth int) bool
}

func renamed(keys ...*key) *renames { return &renames{keys: keys} }

// without sets absent.
func (r *renames) without(absent func(name []byte, depth int) bool) *renames {
	r.absent = absent
	return r
}

// of returns the key of a member; nil where it keeps its name.
func (r *renames) of(name []byte) *key {
	r.once.Do(func() {
		r.byName = make(map[string]*key, len(r.keys))
		for _, k := range r.keys {
			r.byName[k[AWS]] = k
		}
	})
	return r.byName[string(name)]
}

// objects copies JSON objects, in one pass, and sees to it that the copies can be relied on: valid, on one line, no name
// twice in an object. Numbers and texts are copied byte for byte. It keeps its memory from line to line.
type objects struct {
	doc  []byte
	at   int // where it stands in doc
	from int // behind what has been copied
	dst  []byte
	open []container
	seen nameSet
	last uint64 // object that was opened

	absent func(name []byte, depth int) bool // of the renames
	named  int                               // where the name stands in doc that was passed last
	member int                               // where its member begins in dst, or will
	// repeats says that a name may stand twice in its object.
	repeats bool
}

// container is an object or an array that has not been closed yet.
type container struct {
	closer byte
	id     uint64 // of an object
}

// append writes the members of the object in doc. It reports false when doc is anything but one JSON object.
func (o *objects) append(w *writer, doc []byte, names *renames) bool {
	if o.absent = nil; names != nil {
		o.absent = names.absent
	}
	if w.naming == AWS {
		names = nil
	}
	o.doc, o.at, o.from, o.dst, o.open, o.last, o.repeats = doc, 0, 0, w.dst, o.open[:0], 0, false
	o.seen.begin()
	ok := o.document(names, w.naming)
	w.dst = o.dst
	o.doc, o.dst = nil, nil
	if !ok {
		return false
	}
	o.reopen(w)
	return true
}

// settle sees to it that no name stands twice in what w has, for names that a line brought along.
func (o *objects) settle(w *writer) {
	w.dst = w.close()
	o.seen.begin()
	o.repeats = false
	members := jsonwalk.Object(w.dst[w.start:])
	for members.Next() {
		if !o.seen.add(0, o.seen.hash(members.Name())) {
			o.repeats = true
		}
	}
	o.reopen(w)
}

// reopen turns the whole object that w has into one that members may be added to.
func (o *objects) reopen(w *writer) {
	if o.repeats {
		w.dst = dropRepeated(w.dst, w.start)
	}
	w.dst = w.dst[:len(w.dst)-len("}")]
	if len(w.dst) == w.start+len("{") {
		w.dst = w.dst[:w.start]
	}
}

// document copies all of doc.
func (o *objects) document(names *renames, naming Naming) bool {
	if o.space(); o.peek() != '{' {
		return false
	}
	for {
		opened, ok := o.value()
		if !ok || !opened && !o.behindValue() {
			return false
		}
		if len(o.open) == 0 {
			o.dst = append(o.dst, o.doc[o.from:o.at]...)
			return o.at == len(o.doc)
		}
		if o.open[len(o.open)-1].closer == '}' && !o.name(names, naming) {
			return false
		}
	}
}

// value passes a scalar, or the opening bracket of anything else; opened says that its members or elements follow.
func (o *objects) value() (opened, ok bool) {
	switch c := o.peek(); c {
	case '{', '[':
		if len(o.open) == maxDepth {
			return false, false
		}
		o.last++
		o.open = append(o.open, container{closer: c + 2, id: o.last}) // in ASCII, `}` stands two behind `{`, `]` two behind `[`
		o.at++
		o.space()
		return o.peek() != c+2, true
	case '"':
		start := o.at
		if o.at = jsontoken.PastString(o.doc, o.at); o.absent != nil && o.at == start+len(`"-"`) && o.doc[start+1] == '-' {
			o.drop()
		}
	default:
		o.at = jsontoken.PastScalar(o.doc, o.at)
	}
	return false, o.at >= 0
}

// drop takes back the member whose value has been passed, a hyphen, with one of the commas around it, if that is absence.
func (o *objects) drop() {
	depth := len(o.open)
	name, _, _ := bytes.Cut(o.doc[o.named+len(`"`):], []byte(`"`))
	if o.open[depth-1].closer != '}' || !o.absent(name, depth) {
		return
	}
	o.dst = append(o.dst, o.doc[o.from:o.at]...)
	o.dst, o.from = o.dst[:o.member], o.at
	if last := len(o.dst) - len(","); o.dst[last] == ',' {
		o.dst = o.dst[:last]
		return
	}
	if o.space(); o.peek() == ',' { // it was the first
		o.from = o.at + len(",")
	}
}

// behindValue passes the brackets that close behind a value, or in place of one, and the comma behind them.
func (o *objects) behindValue() bool {
	for {
		o.space()
		last := len(o.open) - 1
		if last < 0 {
			return true
		}
		switch o.peek() {
		case o.open[last].closer:
			o.open = o.open[:last]
			o.at++
		case ',':
			o.at++
			o.space()
			return true
		default:
			return false
		}
	}
}

// name passes a name and its colon, and gives the name that the standard has for it.
func (o *objects) name(names *renames, naming Naming) bool {
	start := o.at
	if o.peek() != '"' {
		return false
	}
	if o.at = jsontoken.PastString(o.doc, o.at); o.at < 0 {
		return false
	}
	o.named, o.member = start, len(o.dst)+start-o.from
	k := o.note(o.doc[start+1:o.at-1], names, naming)
	if k != nil {
		o.dst = append(append(o.dst, o.doc[o.from:start]...), '"')
		o.dst = append(append(o.dst, k.name(naming)...), `":`...)
		o.from = o.at
	}
	if o.space(); o.peek() != ':' {
		return false
	}
	o.at++
	if k != nil {
		o.from = o.at
	}
	o.space()
	return true
}

// note remembers a name and returns the key that it goes by, nil for its own.
func (o *objects) note(name []byte, names *renames, naming Naming) *key {
	if len(o.open) == 1 && names != nil {
		if k := names.of(name); k != nil {
			o.repeats = !o.seen.add(o.open[0].id, o.seen.hashString(k.name(naming))) || o.repeats
			return k
		}
	}
	isPlain := bytes.IndexByte(name, '\\') < 0 // the same name may be written with and without escapes
	o.repeats = !o.seen.add(o.open[len(o.open)-1].id, o.seen.hash(name)) || !isPlain || o.repeats
	return nil
}

// peek returns the byte it stands at; at the end 0, which JSON has no place for.
func (o *objects) peek() byte { return jsontoken.At(o.doc, o.at) }

// space passes white space, which is not copied.
func (o *objects) space() {
	if !jsontoken.IsSpace(o.peek()) {
		return
	}
	o.dst = append(o.dst, o.doc[o.from:o.at]...)
	o.at = jsontoken.PastSpace(o.doc, o.at)
	o.from = o.at
}
