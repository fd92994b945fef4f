package kinesis_test

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/source/kinesis"
)

const magic = "\xf3\x89\x9a\xc2"

// sealed puts a protobuf message between the magic number and its checksum.
func sealed(message []byte) []byte {
	sum := md5.Sum(message)
	return slices.Concat([]byte(magic), message, sum[:])
}

func bytesField(dst []byte, number uint64, value []byte) []byte {
	dst = binary.AppendUvarint(dst, number<<3|2)
	dst = binary.AppendUvarint(dst, uint64(len(value)))
	return append(dst, value...)
}

func varintField(dst []byte, number, value uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(dst, number<<3), value)
}

// aggregate packs user records as the producer library does: key tables first, then the records with all their fields.
func aggregate(records ...[]byte) []byte {
	message := bytesField(nil, 1, []byte("partition-key"))
	message = bytesField(message, 2, []byte("170141183460469231731687303715884105728"))
	for _, data := range records {
		record := varintField(nil, 1, 0)
		record = varintField(record, 2, 0)
		record = bytesField(record, 3, data)
		record = bytesField(record, 4, bytesField(nil, 1, []byte("tag")))
		message = bytesField(message, 3, record)
	}
	return sealed(message)
}

func deaggregated(t *testing.T, data []byte) []string {
	t.Helper()
	records, _, err := kinesis.Deaggregate(data)
	require.NoError(t, err)
	var got []string
	for r := range records {
		got = append(got, string(r))
	}
	return got
}

func TestDeaggregate(t *testing.T) {
	record := func(data string) []byte { return bytesField(nil, 3, []byte(data)) }
	for name, tc := range map[string]struct {
		data       []byte
		want       []string
		aggregated bool
	}{
		"ordinary record is its own user record": {data: []byte("line\n"), want: []string{"line\n"}},
		"empty record":                           {data: nil, want: []string{""}},
		"part of the magic number":               {data: []byte(magic[:3]), want: []string{magic[:3]}},
		"magic number later in the record":       {data: []byte("x" + magic), want: []string{"x" + magic}},
		"three user records in order":            {data: aggregate([]byte("a"), []byte("bb"), []byte("c\n")), want: []string{"a", "bb", "c\n"}, aggregated: true},
		"empty user record":                      {data: aggregate([]byte{}, []byte("b")), want: []string{"", "b"}, aggregated: true},
		"no user records":                        {data: aggregate(), aggregated: true},
		"empty message":                          {data: sealed(nil), aggregated: true},
		"user record longer than one length byte": {
			data: aggregate(bytes.Repeat([]byte("x"), 70_000)), want: []string{strings.Repeat("x", 70_000)}, aggregated: true,
		},
		"user record that is itself an aggregate stays packed": {
			data: aggregate(aggregate([]byte("a"))), want: []string{string(aggregate([]byte("a")))}, aggregated: true,
		},
		"fields of a later version are skipped": {
			data: sealed(slices.Concat(
				varintField(nil, 9, 1<<63),
				bytesField(nil, 3, slices.Concat([]byte{0x2d, 1, 2, 3, 4}, record("a"))), // field 5, 32 bits
				[]byte{0x31, 1, 2, 3, 4, 5, 6, 7, 8},                                     // field 6, 64 bits
				varintField(nil, 3, 7),                                                   // field 3 of another type
				bytesField(nil, 3, slices.Concat(record("b"), varintField(nil, 3, 7))),   // data of another type
				bytesField(nil, 200, []byte("unknown")), bytesField(nil, 3, slices.Concat(record("old"), record("c"))))),
			want: []string{"a", "b", "c"}, aggregated: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			records, aggregated, err := kinesis.Deaggregate(tc.data)
			require.NoError(t, err)
			assert.Equal(t, tc.aggregated, aggregated)
			for range 2 {
				var got []string
				for r := range records {
					got = append(got, string(r))
				}
				assert.Equal(t, tc.want, got)
			}
		})
	}
}

func TestDeaggregateRefuses(t *testing.T) {
	whole := aggregate([]byte("a"), []byte("b"))
	flipped := bytes.Clone(whole)
	flipped[len(magic)+2] ^= 1
	wrongSum := bytes.Clone(whole)
	wrongSum[len(wrongSum)-1] ^= 1

	for name, tc := range map[string]struct {
		data []byte
		err  string
	}{
		"nothing after the magic number": {[]byte(magic), "kpl aggregate of 4 bytes: too short for a checksum"},
		"one byte short of a checksum":   {[]byte(magic + strings.Repeat("x", 15)), "too short for a checksum"},
		"content changed":                {flipped, "checksum is not that of its content"},
		"checksum changed":               {wrongSum, "checksum is not that of its content"},
		"cut at the end":                 {whole[:len(whole)-1], "checksum is not that of its content"},
		"record without data":            {sealed(bytesField(nil, 3, varintField(nil, 1, 0))), "record that ends at byte 4: it has no data"},
		"length past the end":            {sealed([]byte{3<<3 | 2, 5, 'x'}), "protobuf field at byte 0 of 3: value of 5 bytes where 1 are left"},
		"length of 64 bits":              {sealed(binary.AppendUvarint([]byte{3<<3 | 2}, 1<<64-1)), "value of 18446744073709551615 bytes where 0 are left"},
		"number wider than 64 bits":      {sealed(append([]byte{1 << 3}, bytes.Repeat([]byte{0xff}, 11)...)), "number is wider than 64 bits"},
		"number cut short":               {sealed([]byte{1 << 3, 0x80}), "number is cut short"},
		"tag cut short":                  {sealed([]byte{0x80}), "number is cut short"},
		"length cut short":               {sealed([]byte{3<<3 | 2}), "number is cut short"},
		"64 bits cut short":              {sealed([]byte{6<<3 | 1, 1, 2}), "value of 8 bytes where 2 are left"},
		"32 bits cut short":              {sealed([]byte{6<<3 | 5, 1, 2}), "value of 4 bytes where 2 are left"},
		"field number 0":                 {sealed([]byte{2, 0}), "field number is 0"},
		"group":                          {sealed([]byte{1<<3 | 3}), "wire type 3 is not known"},
		"broken inside a record":         {sealed(bytesField(nil, 3, []byte{3<<3 | 2, 9})), "record that ends at byte 4: protobuf field at byte 0 of 2: value of 9 bytes"},
		"last record broken: none yielded": {
			sealed(slices.Concat(bytesField(nil, 3, bytesField(nil, 3, []byte("a"))), []byte{3<<3 | 2, 9})), "value of 9 bytes where 0 are left",
		},
	} {
		t.Run(name, func(t *testing.T) {
			records, aggregated, err := kinesis.Deaggregate(tc.data)
			require.ErrorContains(t, err, tc.err)
			assert.True(t, aggregated)
			assert.Nil(t, records)
		})
	}
}

func TestDeaggregateYieldsViewsThatCannotGrowIntoTheirNeighbour(t *testing.T) {
	data := aggregate([]byte("first"), []byte("second"))
	records, _, err := kinesis.Deaggregate(data)
	require.NoError(t, err)
	for r := range records {
		assert.Same(t, &data[bytes.Index(data, []byte("first"))], &r[0])
		assert.Equal(t, len(r), cap(r))
		break // a consumer may stop early
	}
}

func TestUserRecordsAreSniffedOnTheirOwn(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write([]byte(`{"messageType":"DATA_MESSAGE","logEvents":[]}`))
	require.NoError(t, err)
	require.NoError(t, w.Close())

	data := aggregate(packed.Bytes(), []byte(`{"messageType":"DATA_MESSAGE","logEvents":[]}`), []byte("text\n"))
	var kinds []kinesis.Kind
	for _, r := range deaggregated(t, data) {
		kinds = append(kinds, kinesis.Sniff([]byte(r)))
	}
	assert.Equal(t, []kinesis.Kind{kinesis.Gzip, kinesis.Subscription, kinesis.Lines}, kinds)
}

// FuzzDeaggregate packs what it is given in two pieces and gets both back; it also reads the bytes as they are, and as a
// message with a right checksum, which must not panic and must yield only bytes that are there.
func FuzzDeaggregate(f *testing.F) {
	f.Add([]byte("line\n"), 2)
	f.Add(aggregate([]byte("a"), []byte("b")), 7)
	f.Add(bytesField(nil, 3, bytesField(nil, 3, []byte("x"))), 0)
	f.Add([]byte{0x1a, 0x85, 0x80}, 1)
	f.Fuzz(func(t *testing.T, data []byte, cut int) {
		cut = max(0, min(cut, len(data)))
		require.Equal(t, []string{string(data[:cut]), string(data[cut:])}, deaggregated(t, aggregate(data[:cut], data[cut:])))

		for _, doc := range [][]byte{data, sealed(data)} {
			records, aggregated, err := kinesis.Deaggregate(doc)
			require.Equal(t, bytes.HasPrefix(doc, []byte(magic)), aggregated)
			if err != nil {
				require.True(t, aggregated)
				continue
			}
			total := 0
			for r := range records {
				total += len(r)
			}
			require.LessOrEqual(t, total, len(doc))
		}
	})
}

func BenchmarkDeaggregate(b *testing.B) {
	records := slices.Repeat([][]byte{bytes.Repeat([]byte("x"), 400)}, 2000)
	data := aggregate(records...)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		records, _, err := kinesis.Deaggregate(data)
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for range records {
			n++
		}
		if n != 2000 {
			b.Fatal(n)
		}
	}
}
