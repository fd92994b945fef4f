package format

import (
	"strconv"

	"sluice/internal/record"
)

// key is the name of an attribute as it stands in an object, `,"name":`, in each naming.
type key [namings]string

// named is a key that has one name in all namings.
func named(name string) *key { return mapped(name, "", "") }

// mapped is a key with names of its own in ECS and OpenTelemetry; empty for AWS's. Hundreds are made when a process starts.
func mapped(aws, ecs, otel string) *key {
	own := quotedName(aws)
	k := &key{AWS: own, ECS: own, OTel: own}
	if ecs != "" {
		k[ECS] = quotedName(ecs)
	}
	if otel != "" {
		k[OTel] = quotedName(otel)
	}
	return k
}

func quotedName(name string) string {
	if isPlain([]byte(name)) {
		return `,"` + name + `":`
	}
	return string(appendKey(nil, []byte(name)))
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
		w.quoted(k[w.naming], value)
	}
}

// quoted writes a value as a string, whatever it is. Almost all values stand for themselves.
func (w *writer) quoted(name string, value []byte) {
	need := len(name) + len(value) + len(`""`)
	if start := len(w.dst); cap(w.dst)-start >= need && isPlain(value) {
		out := w.dst[start : start+need]
		n := copy(out, name)
		out[n] = '"'
		copy(out[n+1:], value)
		out[need-1] = '"'
		w.dst = w.dst[:start+need]
		return
	}
	w.dst = append(append(w.dst, name...), '"')
	w.dst = append(record.AppendEscaped(w.dst, value), '"')
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
	w.dst = append(append(w.dst, k[w.naming]...), value...)
}

// extra writes the value of a column that nobody has a name for; n is its place, from 1. It reports false for one column too
// many.
func (w *writer) extra(n int, value []byte) bool {
	if n > maxColumns {
		return false
	}
	if !isAbsent(value) {
		w.dst = strconv.AppendInt(append(w.dst, `,"`+extraPrefix...), int64(n), 10)
		w.quoted(`":`, value)
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
