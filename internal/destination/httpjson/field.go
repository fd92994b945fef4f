package httpjson

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/internal/record"
)

// field is a member of an item that can have another name.
type field uint8

// The fields, in the order in which an item has them.
const (
	fieldID field = iota
	fieldTime
	fieldMessage
	fieldSeverity
	fieldSource
	fieldService
	fieldHost
	fieldTags
	fieldAWS
	fieldAttrs
	fieldMarks
	fieldTruncatedBytes
	fieldPart
	fieldParts
	fieldCount
)

// fieldNames are the names a field has unless the settings say otherwise.
var fieldNames = [fieldCount]string{
	fieldID:             "id",
	fieldTime:           "time",
	fieldMessage:        "message",
	fieldSeverity:       "severity",
	fieldSource:         "source",
	fieldService:        "service",
	fieldHost:           "host",
	fieldTags:           "tags",
	fieldAWS:            "aws",
	fieldAttrs:          "attrs",
	fieldMarks:          "marks",
	fieldTruncatedBytes: "truncated_bytes",
	fieldPart:           "part",
	fieldParts:          "parts",
}

// keys are the fields as they stand in an item: a comma, the quoted name and a colon. The key of a field that is left
// out is empty.
type keys [fieldCount]string

// keysOf applies a renaming to the usual names. It reports names that are not ours, and two fields with one name.
func keysOf(renamed map[string]string) (keys, error) {
	var k keys
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(renamed)) {
		if !slices.Contains(fieldNames[:], name) {
			errs = append(errs, fmt.Errorf("fields: no field %q, want one of %s", name, strings.Join(fieldNames[:], ", ")))
		}
	}
	owner := make(map[string]string, len(k))
	for i, name := range fieldNames {
		theirs, ok := renamed[name]
		if !ok {
			theirs = name
		}
		if theirs == "" {
			continue
		}
		if first, taken := owner[theirs]; taken {
			errs = append(errs, fmt.Errorf("fields: %s and %s are both called %q", first, name, theirs))
		}
		owner[theirs] = name
		k[i] = keyOf(theirs)
	}
	return k, errors.Join(errs...)
}

// keyOf makes a key of a name, which may be any text.
func keyOf(name string) string {
	return string(append(appendQuoted([]byte{','}, name), ':'))
}

// appendQuoted appends text as a JSON string. It takes text that nobody has validated; what is no UTF-8 becomes U+FFFD.
func appendQuoted(dst []byte, text string) []byte {
	dst = append(dst, '"')
	dst = record.AppendEscaped(dst, strings.ToValidUTF8(text, "\uFFFD"))
	return append(dst, '"')
}
