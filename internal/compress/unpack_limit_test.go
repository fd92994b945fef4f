package compress

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUnpackerLimit(t *testing.T) {
	text := textOf(t)
	streams := packedText(t)
	streams["plain"] = text
	var u Unpacker
	for packing, packed := range streams {
		for _, limit := range []int64{1, 10, int64(len(text)) - 1, int64(len(text)), int64(len(text)) + 1, -1} {
			got, err := unpackAll(&u, bytes.NewReader(packed), "", limit)
			if limit < 0 || limit >= int64(len(text)) {
				require.NoError(t, err, "%s, %d", packing, limit)
				require.Equal(t, string(text), string(got))
				continue
			}
			require.Equal(t, string(text[:limit]), string(got), "%s, %d", packing, limit)
			require.Equal(t, &TooLargeError{LimitBytes: limit, Setting: "SLUICE_MAX_OBJECT_BYTES"}, err)
			require.EqualError(t, err, fmt.Sprintf("inflates to more than %d bytes (raise SLUICE_MAX_OBJECT_BYTES if this is no bomb)", limit))
		}
	}
	_, err := unpackAll(&u, broken(pack[PackingGzip](text), errConnection), "", int64(len(text)))
	require.Equal(t, errConnection, err, "an error at the limit is what it is")
}

func TestUnpackerBombs(t *testing.T) {
	zeros := func(n int) []byte { return make([]byte, n) }
	var u Unpacker
	for name, tc := range map[string]struct {
		in      []byte
		packing Packing
		least   int64 // that comes out before it is stopped; 0: all is read
	}{
		"gzip of zeros":                       {pack[PackingGzip](zeros(40 << 20)), PackingGzip, minBombBytes},
		"zip of zeros":                        {archive(zeros(40 << 20)), PackingZip, minBombBytes},
		"zstd of zeros":                       {zstandard(zeros(40 << 20)), PackingZstd, minBombBytes},
		"gzip of zeros, but not many":         {pack[PackingGzip](zeros(minBombBytes - 1)), "", 0},
		"gzip of zeros with some other bytes": {join(pack[PackingGzip](zeros(20<<20)), pack[PackingGzip](randomBytes(2000))), PackingGzip, minBombBytes},
		"the same, the other bytes first":     {join(pack[PackingGzip](randomBytes(2000)), pack[PackingGzip](zeros(20<<20))), "", 0},
		"a bomb behind a megabyte of noise":   {join(pack[PackingGzip](randomBytes(1<<20)), pack[PackingGzip](zeros(80<<20))), PackingGzip, 2 * minBombBytes},
		"gzip of zeros in gzip":               {pack[PackingGzip](pack[PackingGzip](zeros(40 << 20))), PackingGzip, minBombBytes},
	} {
		t.Run(name, func(t *testing.T) {
			u.Reset(bytes.NewReader(tc.in), "", Limits{})
			n, err := io.Copy(io.Discard, &u)
			if tc.least == 0 {
				require.NoError(t, err)
				return
			}
			var bomb *BombError
			require.ErrorAs(t, err, &bomb)
			assert.Equal(t, tc.packing, bomb.Packing)
			assert.GreaterOrEqual(t, n, tc.least)
			assert.Less(t, n, tc.least+1<<20+2*turnBytes)
			assert.LessOrEqual(t, bomb.PlainBytes, n)
			assert.Greater(t, bomb.PlainBytes, bomb.PackedBytes*maxRatio)
			assert.ErrorContains(t, err, "looks like a decompression bomb: ")
		})
	}
}
