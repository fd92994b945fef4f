package event

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxTransformAnswerBytes is the largest document Firehose can be answered with: the limit of a synchronous response
// (Lambda developer guide, "Lambda quotas"). One byte more fails the whole batch.
const MaxTransformAnswerBytes = 6_291_456

// PartitionKey is a pair of metadata.partitionKeys, for dynamic partitioning.
type PartitionKey struct{ Name, Value string }

// TransformAnswer writes the answer to a Firehose transformation, {"records":[…]}, record by record.
//
// Each answerable record of the batch must be named exactly once, best in the batch's order: a record that is not named
// fails, and so does one that is named twice. The writer keeps no list of them. It writes on whatever its size is; ask
// SizeOfOk before Ok, and leave room for SizeOfProcessingFailed of every record that has no answer yet.
//
// Only an Ok carries data. Firehose drops a record, or puts the original into processing-failed/, without being told its
// bytes again, and the functions AWS publishes leave them out as well. There is no member for a reason.
// Format: Firehose developer guide, "Required parameters for data transformation".
type TransformAnswer struct {
	doc  []byte
	from int // where in doc the document starts
	keys []PartitionKey
}

// The pieces of a document. After recordOpen comes the id with its quotes; okKeys and okKeysEnd stand around partition
// keys, if there are any.
const (
	answerOpen  = `{"records":[`
	answerEnd   = `]}`
	recordOpen  = `{"recordId":`
	okData      = `,"result":"Ok","data":"`
	okDataEnd   = `"`
	okKeys      = `,"metadata":{"partitionKeys":{`
	okKeysEnd   = `}}`
	recordEnd   = `}`
	droppedRest = `,"result":"Dropped"}`
	failedRest  = `,"result":"ProcessingFailed"}`
)

// NewTransformAnswer starts an answer behind the bytes of dst, which belongs to the answer from then on. Give it the
// capacity for all that will be written: growing copies the document.
func NewTransformAnswer(dst []byte) *TransformAnswer {
	return &TransformAnswer{doc: append(dst, answerOpen...), from: len(dst)}
}

// Ok answers that data takes the place of the record. keys may be nil; they are written in the order of their names, the
// last of those that have the same name. Nothing that is passed is changed or needed later. What is no UTF-8 in id and
// keys becomes U+FFFD.
func (a *TransformAnswer) Ok(id string, data []byte, keys []PartitionKey) {
	a.open(id)
	a.doc = append(a.doc, okData...)
	a.doc = appendBase64(a.doc, data)
	a.doc = append(a.doc, okDataEnd...)
	if len(keys) > 0 {
		a.doc = append(a.doc, okKeys...)
		comma := ""
		for _, key := range a.sorted(keys) {
			a.doc = append(a.doc, comma...)
			a.doc = append(appendQuoted(a.doc, key.Name), ':')
			a.doc = appendQuoted(a.doc, key.Value)
			comma = ","
		}
		a.doc = append(a.doc, okKeysEnd...)
	}
	a.doc = append(a.doc, recordEnd...)
}

// Dropped answers that the record is done with. It is gone: Firehose counts it as delivered and stores it nowhere.
func (a *TransformAnswer) Dropped(id string) {
	a.open(id)
	a.doc = append(a.doc, droppedRest...)
}

// ProcessingFailed answers that the record could not be transformed. Firehose writes the original to processing-failed/.
func (a *TransformAnswer) ProcessingFailed(id string) {
	a.open(id)
	a.doc = append(a.doc, failedRest...)
}

// Undrop makes of a record that was answered with Dropped one that is answered with ProcessingFailed. size is what Size
// returned behind that Dropped, and stays right for the records before it.
func (a *TransformAnswer) Undrop(size int) {
	end := a.from + size - len(answerEnd)
	a.doc = slices.Replace(a.doc, end-len(droppedRest), end, []byte(failedRest)...)
}

// Size is the length in bytes of the document as Bytes would return it now, without what stood in dst before it.
func (a *TransformAnswer) Size() int { return len(a.doc) - a.from + len(answerEnd) }

// SizeOfOk is by how many bytes Ok would raise Size for a record of n bytes. It counts the comma before the record, which
// the first of a document does without.
func (a *TransformAnswer) SizeOfOk(id string, n int, keys []PartitionKey) int {
	size := sizeOfOpen(id) + len(okData) + base64.StdEncoding.EncodedLen(n) + len(okDataEnd) + len(recordEnd)
	if len(keys) == 0 {
		return size
	}
	size += len(okKeys) + len(okKeysEnd)
	written := a.sorted(keys)
	for _, key := range written {
		size += quotedSize(key.Name) + len(":") + quotedSize(key.Value)
	}
	return size + (len(written)-1)*len(",")
}

// SizeOfProcessingFailed is by how many bytes ProcessingFailed would raise Size, counted as SizeOfOk counts. Dropped takes
// less. It does not depend on what has been written, so the sum for a batch can be taken beforehand.
func (*TransformAnswer) SizeOfProcessingFailed(id string) int {
	return sizeOfOpen(id) + len(failedRest)
}

// Bytes returns dst with the whole document behind it. It is valid until the answer is written on, which is allowed.
func (a *TransformAnswer) Bytes() []byte { return append(a.doc, answerEnd...) }

// open starts the answer for one record.
func (a *TransformAnswer) open(id string) {
	if len(a.doc) > a.from+len(answerOpen) {
		a.doc = append(a.doc, ',')
	}
	a.doc = appendQuoted(append(a.doc, recordOpen...), id)
}

func sizeOfOpen(id string) int { return len(",") + len(recordOpen) + quotedSize(id) }

// sorted returns keys in the order of their names, no name twice: the last counts. The list is keys itself or is valid
// until the next call.
func (a *TransformAnswer) sorted(keys []PartitionKey) []PartitionKey {
	ascends := func(i int) bool { return keys[i-1].Name < keys[i].Name }
	i := 1
	for i < len(keys) && ascends(i) {
		i++
	}
	if i == len(keys) {
		return keys
	}
	a.keys = append(a.keys[:0], keys...)
	slices.Reverse(a.keys) // so that the last of a name becomes the first, which is kept
	slices.SortStableFunc(a.keys, func(one, other PartitionKey) int { return strings.Compare(one.Name, other.Name) })
	a.keys = slices.CompactFunc(a.keys, func(one, other PartitionKey) bool { return one.Name == other.Name })
	return a.keys
}

// appendQuoted is appendText, faster for what needs no escape: ids do not, and a batch may have thousands.
func appendQuoted(dst []byte, s string) []byte {
	if !isPlain(s) {
		return appendText(dst, s)
	}
	dst = append(append(dst, '"'), s...)
	return append(dst, '"')
}

// quotedSize is how many bytes appendQuoted appends for s.
func quotedSize(s string) int {
	size := len(`""`)
	if isPlain(s) {
		return size + len(s)
	}
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			size += len(`\"`)
		case r < ' ':
			size += len(`\u0000`)
		default:
			size += utf8.RuneLen(r)
		}
	}
	return size
}

// isPlain reports whether s is ASCII that stands for itself inside a JSON string.
func isPlain(s string) bool {
	const ones, high = 0x0101_0101_0101_0101, 0x8080_8080_8080_8080
	for ; len(s) >= 8; s = s[8:] { // eight bytes at once: the high bit of one that is none of these is set
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		quote, backslash := w^ones*'"', w^ones*'\\'
		if (w|(w-ones*' ')&^w|(quote-ones)&^quote|(backslash-ones)&^backslash)&high != 0 {
			return false
		}
	}
	for i := range len(s) {
		if !plainBytes[s[i]] {
			return false
		}
	}
	return true
}

var plainBytes = func() (plain [256]bool) {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()
