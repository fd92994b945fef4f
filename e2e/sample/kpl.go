package sample

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"errors"
)

// The Kinesis Producer Library's aggregated record: a magic number, a protobuf message, the MD5 of the message.
// Format: "KPL Aggregated Record Format" in the library's repository.
const (
	kplMagic = "\xf3\x89\x9a\xc2"

	fieldPartitionKeys = 1 // AggregatedRecord
	fieldRecords       = 3
	fieldKeyIndex      = 1 // Record
	fieldData          = 3

	wireVarint = 0
	wireBytes  = 2
)

// Aggregate packs user records that share a partition key into one stream record.
func Aggregate(partitionKey string, userRecords ...[]byte) []byte {
	message := appendField(nil, fieldPartitionKeys, []byte(partitionKey))
	for _, data := range userRecords {
		record := append(binary.AppendUvarint(nil, fieldKeyIndex<<3|wireVarint), 0)
		message = appendField(message, fieldRecords, appendField(record, fieldData, data))
	}
	sum := md5.Sum(message)
	return append(append([]byte(kplMagic), message...), sum[:]...)
}

func appendField(dst []byte, number uint64, value []byte) []byte {
	dst = binary.AppendUvarint(dst, number<<3|wireBytes)
	dst = binary.AppendUvarint(dst, uint64(len(value)))
	return append(dst, value...)
}

// userRecords are the records inside an aggregate; any other record is its own only one.
func userRecords(data []byte) ([][]byte, error) {
	if !bytes.HasPrefix(data, []byte(kplMagic)) {
		return [][]byte{data}, nil
	}
	if len(data) < len(kplMagic)+md5.Size {
		return nil, errors.New("aggregate without a checksum")
	}
	message, sum := data[len(kplMagic):len(data)-md5.Size], data[len(data)-md5.Size:]
	if md5.Sum(message) != [md5.Size]byte(sum) {
		return nil, errors.New("aggregate with a wrong checksum")
	}
	var records [][]byte
	packed, err := fields(message, fieldRecords)
	if err != nil {
		return nil, err
	}
	for _, record := range packed {
		content, err := fields(record, fieldData)
		if err != nil {
			return nil, err
		}
		records = append(records, content...)
	}
	return records, nil
}

// fields are the values of one length-delimited field of a protobuf message that has only those and varints.
func fields(message []byte, number uint64) ([][]byte, error) {
	var values [][]byte
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		size, m := binary.Uvarint(message[max(n, 0):])
		if n <= 0 || m <= 0 {
			return nil, errors.New("protobuf message cut short")
		}
		message = message[n+m:]
		if tag&7 != wireBytes {
			continue // the varint was the value
		}
		if size > uint64(len(message)) {
			return nil, errors.New("protobuf field longer than its message")
		}
		if tag>>3 == number {
			values = append(values, message[:size])
		}
		message = message[size:]
	}
	return values, nil
}
