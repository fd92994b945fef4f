package agent

import (
	"fmt"

	"sluice/internal/record"
)

// span is a part of a text; start is negative where there is none.
type span struct {
	start, end int
}

// none is the span of a group that took no part in a match, or of a column that is not there.
var none = span{-1, -1}

// object writes parts of a text as the members of a JSON object, and a line feed.
type object struct {
	members []member
	tail    string
}

// member is a name that stands once in the object.
type member struct {
	head  string // all that stands between the value before it and its own
	value int    // which of the parts is its value
}

// newObject lays out an object whose i-th name stands for the i-th part. A name that repeats stands at its first place and
// has the last of its values.
func newObject(names []string, pretty bool) object {
	o := object{tail: objectTail(pretty)}
	at := make(map[string]int, len(names)) // where a name stands among the members
	for i, name := range names {
		if m, there := at[name]; there {
			o.members[m].value = i
			continue
		}
		at[name] = len(o.members)
		o.members = append(o.members, member{head: memberHead(name, len(o.members) == 0, pretty), value: i})
	}
	return o
}

// memberHead is all that stands in front of a member's value. Pretty objects look as Jackson's DefaultPrettyPrinter makes
// them.
func memberHead(name string, first, pretty bool) string {
	text := `"` + string(record.AppendEscaped(nil, name)) + `"`
	switch {
	case pretty && first:
		return "{\n  " + text + " : "
	case pretty:
		return ",\n  " + text + " : "
	case first:
		return "{" + text + ":"
	}
	return "," + text + ":"
}

func objectTail(pretty bool) string {
	if pretty {
		return "\n}\n"
	}
	return "}\n"
}

// append appends the object. Parts that are missing are null.
func (o *object) append(dst, text []byte, parts []span) []byte {
	for i := range o.members {
		m := &o.members[i]
		dst = append(dst, m.head...)
		if p := parts[m.value]; p.start < 0 {
			dst = append(dst, "null"...)
		} else {
			dst = append(dst, '"')
			dst = record.AppendEscaped(dst, text[p.start:p.end])
			dst = append(dst, '"')
		}
	}
	return append(dst, o.tail...)
}

// checkNames reports what is wrong with customFieldNames.
func checkNames(names []string, at place) {
	if len(names) == 0 {
		at.fail("customFieldNames", "is empty: want a name at least")
	}
	if len(names) > maxNames {
		at.fail("customFieldNames", fmt.Sprintf("has %d names: want %d at most", len(names), maxNames))
	}
}

const maxNames = 1000 // in one option: every record has them all
