package event

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAppendBase64(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for size := range 200 {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		assert.Equal(t, base64.StdEncoding.AppendEncode([]byte("before"), data), appendBase64([]byte("before"), data))
		room := make([]byte, 0, base64.StdEncoding.EncodedLen(size))
		assert.Equal(t, base64.StdEncoding.EncodeToString(data), string(appendBase64(room, data)), "no room to spare")
	}
}

// TestIsPlain puts every byte into every place of a text.
func TestIsPlain(t *testing.T) {
	const text = "0123456789abcdefghi"
	for c := range 256 {
		want := c >= ' ' && c < 0x80 && !strings.ContainsRune(`"\`, rune(c))
		for at := range len(text) {
			changed := []byte(text)
			changed[at] = byte(c)
			assert.Equal(t, want, isPlain(string(changed)), "%q", changed)
		}
	}
	assert.True(t, isPlain(""))
}

func BenchmarkAppendBase64(b *testing.B) {
	data, out := make([]byte, 10_000), make([]byte, 0, 20_000)
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			out = appendBase64(out[:0], data)
		}
	})
	b.Run("standard", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			out = base64.StdEncoding.AppendEncode(out[:0], data)
		}
	})
}
