package object

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/lines"
	"sluice/internal/record"
)

func TestIsUTF8IsValidOfThePackage(t *testing.T) {
	for _, piece := range []string{"", "é", "語", "🚀", "\xff", "\xe8\xaa", "\x80"} {
		for before := range 70 {
			for _, after := range []int{0, 1, 31, 32, 33, 64} {
				text := []byte(strings.Repeat("a", before) + piece + strings.Repeat("b", after))
				assert.Equal(t, utf8.Valid(text), isUTF8(text), "%d bytes, %q, %d bytes", before, piece, after)
			}
		}
	}
}

func TestEveryPartOfAHeaderIsOne(t *testing.T) {
	text := "#Version: 1.0\n#Fields: date x-edge-location " + strings.Repeat("x", 2*lines.MaxLineBytes) + "\n2026-02-01\t09:30:00\tA\n"
	var d Decoder
	_, err := d.Enter(Input{Body: strings.NewReader(text), Origin: &record.Origin{Kind: record.S3, Key: "E1.2026-02-01-09.abcd"}})
	require.NoError(t, err)
	headers, others := 0, 0
	for r, err := range d.Records() {
		require.NoError(t, err)
		if r.Header {
			headers++
		} else {
			others++
		}
	}
	assert.Greater(t, headers, 8)
	assert.Equal(t, 1, others)
}
