package compress

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestIsPlain holds the answer to what an Unpacker does with the same bytes: every first byte, and every magic.
func TestIsPlain(t *testing.T) {
	texts := [][]byte{nil, []byte("text"), []byte("BZ"), []byte("BZh"), []byte("PK"), {0}, {0, 0, 0, 0}}
	for c := range 256 {
		texts = append(texts, []byte{byte(c)}, append([]byte{byte(c)}, " and some text"...))
	}
	for _, m := range magics {
		opening := bytes.ReplaceAll([]byte(m.opening), []byte("?"), []byte("9"))
		texts = append(texts, opening, append(opening, "rest"...), opening[:len(opening)-1], append([]byte(" "), opening...))
	}
	for _, text := range texts {
		var u Unpacker
		u.Reset(bytes.NewReader(text), "", Limits{})
		_, _ = io.ReadAll(&u) // what is inside matters not
		assert.Equal(t, len(u.Packings()) == 0, IsPlain(text), "%q", text)
	}
}
