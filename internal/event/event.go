// Package event reads the envelopes in which AWS hands work to a Lambda function: which records are inside, who sent them,
// and where their bytes are.
//
// Envelopes are read leniently, as AWS adds to them: unknown members are ignored, missing and null ones are accepted, and
// numbers may come as strings. One record that cannot be read never fails its neighbours. Large texts are views of the
// event's bytes, decoded when asked for.
//
// What is of our own making is read strictly: continuations, see AppendContinuation, and the wishes of a replay.
//
// It does not look inside the records: what the bytes of a record are is for the packages below source.
package event

import (
	"strconv"

	"sluice/internal/jsonwalk"
)

// maxNamesBytes bounds what an error repeats of an event: enough names to know its shape, too few to flood a log.
const maxNamesBytes = 256

// memberNames lists the member names of the object in doc for an error message: escaped, separated by commas, cut at
// maxNamesBytes. It shows no value.
func memberNames(doc []byte) string {
	const cut = "..."
	var list []byte
	members := jsonwalk.Object(doc)
	for members.Next() {
		name := strconv.QuoteToASCII(string(members.Name()))
		name = name[1 : len(name)-1]
		if len(list)+len(", ")+len(name) > maxNamesBytes-len(", "+cut) {
			return string(append(list, ", "+cut...))
		}
		if len(list) > 0 {
			list = append(list, ", "...)
		}
		list = append(list, name...)
	}
	return string(list)
}

// scalar returns the text of a string or a number, and "" for anything else.
func scalar(value []byte) string {
	if text, ok := jsonwalk.Text(value); ok {
		return string(text)
	}
	if len(value) > 0 && (value[0] == '-' || '0' <= value[0] && value[0] <= '9') {
		return string(value)
	}
	return ""
}

func isNull(value []byte) bool { return string(value) == "null" }
