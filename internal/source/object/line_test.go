package object

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
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
