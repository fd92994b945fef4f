package format

import (
	"strconv"

	"sluice/internal/record"
)

// key is what an attribute is called in each naming; empty where a standard has no name of its own for it. Keys of tables
// need no escapes.
type key [namings]string

// named is a key that has one name in all namings.
func named(name string) *key { return &key{AWS: name} }

// mapped is a key with names of its own in ECS and OpenTelemetry; empty for AWS's.
func mapped(aws, ecs, otel string) *key { return &key{AWS: aws, ECS: ecs, OTel: otel} }

func (k *key) name(naming Naming) string {
	if own := k[naming]; own != "" {
		return own
	}
	return k[AWS]
}

func appendKey(dst, name []byte) []byte {
	return append(record.AppendEscaped(append(dst, `,"`...), name), `":`...)
}

// writer makes a JSON object. The caller sees to it that no name repeats.
type writer struct {
	dst    []byte
	start  int // of the object
	naming Naming
}

// close ends the object.
func (w *writer) close() []byte {
	if len(w.dst) == w.start {
		return append(w.dst, "{}"...)
	}
	w.dst[w.start] = '{' // in place of the first comma
	return append(w.dst, '}')
}

// isAbsent reports whether a value stands for none.
func isAbsent(value []byte) bool { return len(value) == 0 || len(value) == 1 && value[0] == '-' }

// text writes a value as a string; nothing for an absent one.
func (w *writer) text(k *key, value []byte) {
	if !isAbsent(value) {
		w.name(k)
		w.string(value)
	}
}

// name writes the name of a member and what stands around it.
func (w *writer) name(k *key) {
	w.dst = append(append(append(w.dst, `,"`...), k.name(w.naming)...), `":`...)
}

// string writes a value as a string, whatever it is. Almost all values stand for themselves.
func (w *writer) string(value []byte) {
	w.dst = append(w.dst, '"')
	if isPlain(value) {
		w.dst = append(w.dst, value...)
	} else {
		w.dst = record.AppendEscaped(w.dst, value)
	}
	w.dst = append(w.dst, '"')
}

// number writes a value as a number, or as a string if it is none; nothing for an absent one.
func (w *writer) number(k *key, value []byte) {
	if isNumber(value) {
		w.raw(k, value)
	} else {
		w.text(k, value)
	}
}

// raw writes a value that is JSON.
func (w *writer) raw(k *key, value []byte) {
	w.name(k)
	w.dst = append(w.dst, value...)
}

// extra writes the value of a column that nobody has a name for; n is its place, from 1. It reports false for one column too
// many.
func (w *writer) extra(n int, value []byte) bool {
	if n > maxColumns {
		return false
	}
	if !isAbsent(value) {
		w.dst = strconv.AppendInt(append(w.dst, `,"`+extraPrefix...), int64(n), 10)
		w.dst = append(w.dst, `":`...)
		w.string(value)
	}
	return true
}

// extraPrefix is what the names of such columns begin with. No other name does.
const extraPrefix = "column_"

// maxNumberBytes is as long as a number may be that every reader of JSON takes as it is.
const maxNumberBytes = 15

// isNumber reports whether text is a JSON number of few digits, without an exponent.
func isNumber(text []byte) bool {
	if len(text) > 1 && text[0] == '-' {
		text = text[1:]
	}
	if len(text) == 0 || len(text) > maxNumberBytes || text[0]-'0' > 9 || text[0] == '0' && len(text) > 1 && text[1] != '.' {
		return false
	}
	point := false
	for i, c := range text {
		if c == '.' && !point && i+1 < len(text) {
			point = true
			continue
		}
		if c-'0' > 9 {
			return false
		}
	}
	return true
}
