package kinesis

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Wire types of the protobuf encoding. Groups, 3 and 4, were never part of the aggregate's format and are refused.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// fieldReader visits the fields of one protobuf message, in the order of its bytes, checking every length against the
// bytes there are.
type fieldReader struct {
	buf []byte
	pos int
	err error // what stopped next before the end

	number uint64
	wire   uint64
	value  []byte // of a wireBytes field: a view of buf
}

// next moves to the next field and reports whether there is one.
func (r *fieldReader) next() bool {
	if r.err != nil || r.pos == len(r.buf) {
		return false
	}
	start := r.pos
	if r.err = r.read(); r.err != nil {
		r.err = fmt.Errorf("protobuf field at byte %d of %d: %w", start, len(r.buf), r.err)
		return false
	}
	return true
}

func (r *fieldReader) read() error {
	tag, err := r.varint()
	if err != nil {
		return err
	}
	r.number, r.wire, r.value = tag>>3, tag&7, nil
	if r.number == 0 {
		return errors.New("field number is 0")
	}
	switch r.wire {
	case wireVarint:
		_, err = r.varint()
	case wireFixed64:
		_, err = r.take(8)
	case wireFixed32:
		_, err = r.take(4)
	case wireBytes:
		var n uint64
		if n, err = r.varint(); err == nil {
			r.value, err = r.take(n)
		}
	default:
		err = fmt.Errorf("wire type %d is not known", r.wire)
	}
	return err
}

func (r *fieldReader) varint() (uint64, error) {
	v, n := binary.Uvarint(r.buf[r.pos:])
	if n == 0 {
		return 0, errors.New("number is cut short")
	}
	if n < 0 {
		return 0, errors.New("number is wider than 64 bits")
	}
	r.pos += n
	return v, nil
}

func (r *fieldReader) take(n uint64) ([]byte, error) {
	left := uint64(len(r.buf) - r.pos)
	if n > left {
		return nil, fmt.Errorf("value of %d bytes where %d are left", n, left)
	}
	end := r.pos + int(n)
	value := r.buf[r.pos:end:end]
	r.pos = end
	return value, nil
}
