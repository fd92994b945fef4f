package kinesis

import (
	"bytes"
	"crypto/md5" //nolint:gosec // the format has an MD5; it guards against accidents, not against people
	"errors"
	"fmt"
	"iter"
)

// aggregateMagic opens a record that the Kinesis Producer Library has packed from several user records.
const aggregateMagic = "\xf3\x89\x9a\xc2"

// Field numbers of the protobuf messages AggregatedRecord and Record.
const (
	fieldRecords = 3 // AggregatedRecord: repeated Record
	fieldData    = 3 // Record: bytes
)

// Deaggregate yields the user records inside a record, in order, and reports whether it was an aggregate. A record that
// does not open with the library's magic number is its own and only user record.
//
// The user records are views of data. The sequence may be ranged over more than once. The whole aggregate is checked
// before the first user record is yielded: an error, for a checksum that is wrong or a message that cannot be read, means
// that none of it may be used, and the sequence is then nil. Partition and hash keys are skipped.
// Format: Kinesis Producer Library, "KPL Aggregated Record Format": magic number, protobuf message, MD5 of the message.
func Deaggregate(data []byte) (records iter.Seq[[]byte], aggregated bool, err error) {
	if !bytes.HasPrefix(data, []byte(aggregateMagic)) {
		return func(yield func([]byte) bool) { yield(data) }, false, nil
	}
	message, err := checkedMessage(data)
	if err == nil {
		err = eachRecord(message, func([]byte) bool { return true })
	}
	if err != nil {
		return nil, true, fmt.Errorf("kpl aggregate of %d bytes: %w", len(data), err)
	}
	return func(yield func([]byte) bool) {
		_ = eachRecord(message, yield) // cannot fail: the same bytes were read to their end above
	}, true, nil
}

// checkedMessage returns the protobuf message between the magic number and its checksum.
func checkedMessage(data []byte) ([]byte, error) {
	if len(data) < len(aggregateMagic)+md5.Size {
		return nil, errors.New("too short for a checksum")
	}
	end := len(data) - md5.Size
	message := data[len(aggregateMagic):end]
	if md5.Sum(message) != [md5.Size]byte(data[end:]) { //nolint:gosec // see the import
		return nil, errors.New("its checksum is not that of its content")
	}
	return message, nil
}

// eachRecord calls yield with the data of each record in an AggregatedRecord, until yield returns false.
func eachRecord(message []byte, yield func([]byte) bool) error {
	r := fieldReader{buf: message}
	for r.next() {
		if r.number != fieldRecords || r.wire != wireBytes {
			continue
		}
		data, err := recordData(r.value)
		if err != nil {
			return fmt.Errorf("record that ends at byte %d: %w", r.pos, err)
		}
		if !yield(data) {
			return nil
		}
	}
	return r.err
}

// recordData returns the data of one Record; as everywhere in protobuf, the last of several counts.
func recordData(record []byte) ([]byte, error) {
	var data []byte
	found := false
	r := fieldReader{buf: record}
	for r.next() {
		if r.number == fieldData && r.wire == wireBytes {
			data, found = r.value, true
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	if !found {
		return nil, errors.New("it has no data, which is a required field")
	}
	return data, nil
}
