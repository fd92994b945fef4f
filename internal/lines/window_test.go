package lines

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errSource = errors.New("connection reset")

// source hands out data in reads of changing sizes, and then end.
type source struct {
	data  []byte
	sizes []byte // of the reads, in turn; 0 reads nothing; all there is when empty
	scale int    // of the sizes; 0 stands for 1
	end   error
	reads int
}

func (s *source) Read(p []byte) (int, error) {
	if len(s.data) == 0 {
		return 0, s.end
	}
	n := len(p)
	if len(s.sizes) > 0 {
		n = min(n, int(s.sizes[s.reads%len(s.sizes)])*max(s.scale, 1))
		s.reads++
	}
	n = copy(p[:n], s.data)
	s.data = s.data[n:]
	if len(s.data) == 0 && s.reads%2 == 1 {
		return n, s.end // with the last bytes, as readers may
	}
	return n, nil
}

// over returns a window over text that ends with end.
func over(text string, end error, sizes ...byte) *Window {
	w := new(Window)
	w.Reset(&source{data: []byte(text), sizes: sizes, end: end})
	return w
}

// cuts are ways to hand out a text.
func cuts() map[string][]byte {
	return map[string][]byte{"at once": nil, "byte by byte": {1}, "in threes": {3}, "now and then": {0, 1, 0, 7, 2, 0, 31}}
}

// kept is a piece whose text is a copy.
type kept struct {
	Text   string
	Offset int64
	Part   int
	Last   bool
}

func keep(p Piece) kept { return kept{string(p.Text), p.Offset, p.Part, p.Last} }

func whole(text string, offset int64) kept { return kept{Text: text, Offset: offset, Last: true} }

// collect takes pieces up to the error.
func collect(next func() (Piece, error)) (list []kept, err error) {
	for {
		p, err := next()
		if err != nil {
			return list, err
		}
		list = append(list, keep(p))
	}
}

func texts(list []kept) []string {
	var all []string
	for _, p := range list {
		all = append(all, p.Text)
	}
	return all
}

func TestWindowOfNothing(t *testing.T) {
	var w Window
	for range 2 {
		_, err := w.Line()
		assert.Equal(t, io.EOF, err)
		_, err = w.Value()
		assert.Equal(t, io.EOF, err)
		_, err = io.ReadAll(w.Document())
		assert.NoError(t, err)
		_, ok := w.Envelope("Records")
		assert.False(t, ok)
		_, ok = w.Array()
		assert.False(t, ok)
		assert.False(t, w.SkipSpace())
		assert.Empty(t, w.Peek(8))
		w.Skip(8)
		assert.Zero(t, w.Offset())
		assert.NoError(t, w.Err())
	}
}

func TestPeek(t *testing.T) {
	for how, sizes := range cuts() {
		w := over("# header\n  \n line", errSource, sizes...)
		assert.Equal(t, "# hea", string(w.Peek(5)), how)
		assert.Equal(t, "#", string(w.Peek(1)), how)
		assert.Empty(t, w.Peek(-1), how)
		assert.Zero(t, w.Offset(), how)
		w.Skip(2)
		assert.Equal(t, "header", string(w.Peek(6)), how)
		assert.Equal(t, int64(2), w.Offset(), how)
		w.Skip(6)
		assert.True(t, w.SkipSpace(), how)
		assert.Equal(t, int64(13), w.Offset(), how)
		assert.Equal(t, "line", string(w.Peek(MaxPeekBytes+1)), "%s: all before the fault", how)
		assert.ErrorIs(t, w.Err(), errSource, how)
		w.Skip(100)
		assert.Equal(t, int64(17), w.Offset(), "%s: nothing is skipped that was not there", how)
	}
	w := over(strings.Repeat("x", 3*MaxPeekBytes), io.EOF, 255)
	assert.Len(t, w.Peek(4*MaxPeekBytes), MaxPeekBytes)
}

func TestErrOfASourceThatNeverReads(t *testing.T) {
	w := over("text", io.EOF, 0)
	_, err := w.Line()
	assert.Equal(t, io.ErrNoProgress, err)
	assert.Equal(t, io.ErrNoProgress, w.Err())
}

// A wrapped io.EOF is a fault: a decompressor may say so of a stream that was cut off.
func TestErrOfAWrappedEnd(t *testing.T) {
	w := over("text", errors.Join(io.EOF))
	_, err := w.Line()
	assert.ErrorIs(t, err, io.EOF)
	assert.Error(t, w.Err())
	assert.Zero(t, w.Offset())
}

func TestResetKeepsABufferThatIsNotTooLarge(t *testing.T) {
	var w Window
	w.Reset(strings.NewReader("a\n"))
	_, err := w.Line()
	require.NoError(t, err)
	small := &w.buf[0]
	w.Reset(strings.NewReader("b\n"))
	p, err := w.Line()
	require.NoError(t, err)
	assert.Equal(t, whole("b", 0), keep(p))
	assert.Same(t, small, &w.buf[0])

	w.Reset(strings.NewReader(strings.Repeat("x", MaxLineBytes)))
	_, err = w.Line()
	require.NoError(t, err)
	assert.Greater(t, len(w.buf), MaxLineBytes)
	w.Reset(nil)
	assert.Empty(t, w.buf)
	_, err = w.Line()
	assert.Equal(t, io.EOF, err)
}

// All steps in turn on one stream: each goes on where the one before has ended.
func TestStepsInTurn(t *testing.T) {
	const text = "#Version: 1.0\r\n" + ` {"a":1}{"b":[2]} x` + "\n" + `{"big":[1,{"c":"}"}]}` + "\n  indented\n" + `[{"d":1},{"d":2}]"end"`
	for how, sizes := range cuts() {
		w := over(text, io.EOF, sizes...)
		var got []string
		step := func(p Piece, err error) {
			require.NoError(t, err, how)
			require.Equal(t, string(p.Text), text[p.Offset:][:len(p.Text)], how)
			got = append(got, string(p.Text))
		}
		step(w.Line())
		step(w.Value())
		step(w.Value())
		_, err := w.Value()
		require.ErrorIs(t, err, ErrNotJSON, how)
		step(w.Line())
		d := w.Document()
		some := make([]byte, 4)
		_, err = io.ReadFull(d, some)
		require.NoError(t, err, how)
		_, err = w.Value() // passes over the rest of the document
		require.ErrorIs(t, err, ErrNotJSON, how)
		step(w.Line())
		_, err = d.Read(some)
		require.ErrorIs(t, err, errPassedOver, how)
		e, ok := w.Array()
		require.True(t, ok, how)
		step(e.Element())
		step(e.Element())
		_, err = e.Element()
		require.Equal(t, io.EOF, err, how)
		step(w.Value())
		assert.Equal(t, []string{"#Version: 1.0", `{"a":1}`, `{"b":[2]}`, " x", "  indented", `{"d":1}`, `{"d":2}`, `"end"`}, got, how)
		assert.Equal(t, int64(len(text)), w.Offset(), how)
	}
}

// Indentation beyond the limit is passed in blocks, whatever the reads are.
func TestEndlessIndentation(t *testing.T) {
	text := "\n" + strings.Repeat(" ", 3*MaxPeekBytes+5) + "x"
	for how, sizes := range map[string][]byte{"at once": nil, "in small reads": {1, 255, 9}} {
		w := over(text, io.EOF, sizes...)
		_, err := w.Value()
		require.ErrorIs(t, err, ErrNotJSON, how)
		p, err := w.Line()
		require.NoError(t, err, how)
		assert.Equal(t, whole("     x", int64(len(text)-6)), keep(p), how)
		assert.LessOrEqual(t, len(w.buf), 2*firstBufferBytes, how)
	}
}

func TestStepsDoNotAllocate(t *testing.T) {
	line, value := bytes.Repeat([]byte("a line of text\n"), 1000), bytes.Repeat([]byte(`{"a":[1,"b"]}`), 1000)
	var w Window
	src := bytes.NewReader(nil)
	for name, run := range map[string]func(){
		"Line": func() {
			src.Reset(line)
			w.Reset(src)
			for _, err := w.Line(); err == nil; _, err = w.Line() { //nolint:revive // Line does the work
			}
		},
		"Value": func() {
			src.Reset(value)
			w.Reset(src)
			for _, err := w.Value(); err == nil; _, err = w.Value() { //nolint:revive // Value does the work
			}
		},
	} {
		assert.Zero(t, testing.AllocsPerRun(3, run), name)
	}
}
