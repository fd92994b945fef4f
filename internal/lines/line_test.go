package lines

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLine(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want []kept
	}{
		"nothing":                       {"", nil},
		"a line without its end":        {"a", []kept{whole("a", 0)}},
		"a line with its end":           {"a\n", []kept{whole("a", 0)}},
		"two lines":                     {"a\nbc", []kept{whole("a", 0), whole("bc", 2)}},
		"empty lines are lines":         {"\n\na\n\n", []kept{whole("", 0), whole("", 1), whole("a", 2), whole("", 4)}},
		"lines as Windows ends them":    {"a\r\nb\r\n", []kept{whole("a", 0), whole("b", 3)}},
		"carriage returns inside":       {"a\rb\r\r\n", []kept{whole("a\rb\r", 0)}},
		"carriage return at the end":    {"\r\n\r", []kept{whole("", 0), whole("", 2)}},
		"bytes that are no text":        {"\x00\xff\n\xfe", []kept{whole("\x00\xff", 0), whole("\xfe", 3)}},
		"other separators separate not": {"a\vb\u2028c\n", []kept{whole("a\vb\u2028c", 0)}},
	} {
		t.Run(name, func(t *testing.T) {
			for how, sizes := range cuts() {
				w := over(tc.text, io.EOF, sizes...)
				got, err := collect(w.Line)
				assert.Equal(t, io.EOF, err, how)
				assert.Equal(t, tc.want, got, how)
				assert.Equal(t, int64(len(tc.text)), w.Offset(), how)
				assert.NoError(t, w.Err(), how)
			}
		})
	}
}

func TestLineAtItsLimit(t *testing.T) {
	line := strings.Repeat("x", MaxLineBytes)
	const q = PartBytes
	parts := func(sizes ...int) (list []kept) {
		offset := int64(0)
		for i, size := range sizes {
			list = append(list, kept{strings.Repeat("x", size), offset, i + 1, i == len(sizes)-1})
			offset += int64(size)
		}
		return list
	}
	for name, tc := range map[string]struct {
		text string
		want []kept
	}{
		"whole, at the end":                     {line, []kept{whole(line, 0)}},
		"whole, with '\\n'":                     {line + "\n", []kept{whole(line, 0)}},
		"whole, with '\\r\\n'":                  {line + "\r\n", []kept{whole(line, 0)}},
		"whole, with '\\r' at the end":          {line + "\r", []kept{whole(line, 0)}},
		"one byte more":                         {line + "x", parts(q, q, q, q, 1)},
		"one byte more, with '\\r\\n'":          {line + "x\r\n", parts(q, q, q, q, 1)},
		"one byte more, with '\\r' at the end":  {line + "x\r", parts(q, q, q, q, 1)},
		"parts that are full":                   {line + line[:q] + "\n", parts(q, q, q, q, q)},
		"full parts and '\\r\\n'":               {line + line[:q] + "\r\n", parts(q, q, q, q, q)},
		"full parts at the end":                 {line + line[:q], parts(q, q, q, q, q)},
		"a line behind it":                      {line + "x\ny", append(parts(q, q, q, q, 1), whole("y", MaxLineBytes+2))},
		"two long lines count their own parts":  {line + "x\n" + line, append(parts(q, q, q, q, 1), whole(line, MaxLineBytes+2))},
		"carriage returns at the end are parts": {line + "\r\r\n", []kept{parts(q, q, q, q, 1)[0], parts(q, q, q, q, 1)[1], parts(q, q, q, q, 1)[2], parts(q, q, q, q, 1)[3], {"\r", MaxLineBytes, 5, true}}},
	} {
		t.Run(name, func(t *testing.T) {
			for how, sizes := range map[string][]byte{"at once": nil, "in small reads": {200, 1, 0, 255}} {
				w := over(tc.text, io.EOF, sizes...)
				got, err := collect(w.Line)
				require.Equal(t, io.EOF, err, how)
				require.True(t, assert.ObjectsAreEqual(tc.want, got), "%s: other lines: want %d, got %d", how, len(tc.want), len(got))
				assert.Equal(t, int64(len(tc.text)), w.Offset(), how)
			}
		})
	}
}

func TestLinePartsEndBetweenCharacters(t *testing.T) {
	for name, char := range map[string]string{"two bytes": "é", "three bytes": "€", "four bytes": "😀"} {
		t.Run(name, func(t *testing.T) {
			for shift := range 4 {
				text := strings.Repeat("x", shift) + strings.Repeat(char, 2*MaxLineBytes/len(char))
				list, err := collect(over(text, io.EOF).Line)
				require.Equal(t, io.EOF, err)
				require.Equal(t, text, strings.Join(texts(list), ""))
				for _, p := range list {
					require.True(t, utf8.ValidString(p.Text))
					require.LessOrEqual(t, len(p.Text), PartBytes)
					require.True(t, p.Last || len(p.Text) > PartBytes-utf8.UTFMax)
				}
			}
		})
	}
	text := strings.Repeat("\x80", 2*MaxLineBytes)
	list, err := collect(over(text, io.EOF).Line)
	require.Equal(t, io.EOF, err)
	require.Equal(t, text, strings.Join(texts(list), ""), "what is no UTF-8 is cut too")
	require.Len(t, list, 8)
}

func TestLineBeforeAFault(t *testing.T) {
	long := strings.Repeat("x", MaxLineBytes+2*PartBytes)
	for name, tc := range map[string]struct {
		text   string
		lines  int
		offset int64
	}{
		"at the start":              {"", 0, 0},
		"inside a line":             {"a\nbc", 1, 2},
		"between lines":             {"a\nbc\n", 2, 5},
		"behind a carriage return":  {"a\nbc\r", 1, 2},
		"inside a line of 1 MiB":    {long[:MaxLineBytes], 0, 0},
		"inside a part":             {long, 5, 5 * PartBytes},
		"inside a part, a bit more": {long + "xx", 6, 6 * PartBytes},
	} {
		t.Run(name, func(t *testing.T) {
			for how, sizes := range map[string][]byte{"at once": nil, "in small reads": {200, 1, 0, 255}} {
				w := over(tc.text, errSource, sizes...)
				list, err := collect(w.Line)
				assert.Equal(t, errSource, err, how)
				assert.Len(t, list, tc.lines, how)
				assert.Equal(t, tc.offset, w.Offset(), how)
				_, err = w.Line()
				assert.Equal(t, errSource, err, how)
				assert.Equal(t, errSource, w.Err(), how)
			}
		})
	}
}

// endless yields n bytes without a line end.
type endless struct{ n int }

func (e *endless) Read(p []byte) (int, error) {
	if e.n == 0 {
		return 0, io.EOF
	}
	n := min(len(p), e.n)
	for i := range p[:n] {
		p[i] = 'x'
	}
	e.n -= n
	return n, nil
}

func TestLineOf300MBInConstantMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 300 MB")
	}
	const size = 300 << 20
	var w Window
	w.Reset(&endless{n: size})
	n, last := 0, 0
	for {
		p, err := w.Line()
		if err != nil {
			require.Equal(t, io.EOF, err)
			break
		}
		last++
		n += len(p.Text)
		require.Equal(t, last, p.Part)
		require.Equal(t, n == size, p.Last)
	}
	assert.Equal(t, size, n)
	assert.LessOrEqual(t, len(w.buf), MaxLineBytes+2*readAheadBytes)
}

// The limit holds also where Value has already read more than a line may have.
func TestLineBehindAValueThatFailed(t *testing.T) {
	for size, parts := range map[int]int{MaxLineBytes: 1, MaxLineBytes + 1: 5} {
		w := over(`["`+strings.Repeat("x", size-2)+"\n", io.EOF)
		_, err := w.Value()
		require.ErrorIs(t, err, ErrNotJSON)
		list, err := collect(w.Line)
		require.Equal(t, io.EOF, err)
		assert.Len(t, list, parts)
		assert.Equal(t, int64(size+1), w.Offset())
	}
}

// A caller that leaves a long line between its parts goes on in the middle of it.
func TestLineLeftBetweenParts(t *testing.T) {
	w := over(strings.Repeat("x", MaxLineBytes+5)+"\ny", io.EOF)
	p, err := w.Line()
	require.NoError(t, err)
	assert.Equal(t, 1, p.Part)
	w.Skip(3*PartBytes + 5 - 2)
	p, err = w.Line()
	require.NoError(t, err)
	assert.Equal(t, 0, p.Part)
}

// FuzzLine holds Line to the law of conservation: the lines and their separators are the text, and the same lines whatever
// the reads. The text is stretched, so that lines and parts reach their limits.
func FuzzLine(f *testing.F) {
	f.Add([]byte("a\nb\r\n\n\xff"), []byte{1}, uint8(0), false)
	f.Add([]byte("a\nb\r\n\ncde\r"), []byte{0, 2, 255}, uint8(248), true)
	f.Add([]byte("€\r\nuro"), []byte{}, uint8(255), false)
	f.Fuzz(func(t *testing.T, text, sizes []byte, stretch uint8, faulty bool) {
		if !reading(sizes) {
			return
		}
		scale := 1
		if stretch >= 240 { // seldom, because it is slow
			middle := len(text) / 2
			long := bytes.Repeat([]byte("é"), int(stretch-240)*PartBytes/4)
			text, scale = slices.Concat(text[:middle], long, text[middle:]), 1000
		}
		end := io.EOF
		if faulty {
			end = errSource
		}
		var w Window
		w.Reset(&source{data: text, sizes: sizes, scale: scale, end: end})
		got, err := collect(w.Line)
		require.Equal(t, end, err)
		at := int64(0)
		for i, p := range got {
			require.Equal(t, at, p.Offset, "line %d", i)
			require.Equal(t, p.Text, string(text[at:][:len(p.Text)]), "line %d", i)
			at += int64(len(p.Text))
			if p.Last {
				at += int64(len(separator(text[at:])))
			}
			require.NotContains(t, p.Text, "\n")
			require.LessOrEqual(t, len(p.Text), MaxLineBytes)
			require.True(t, p.Part == 0 || len(p.Text) <= PartBytes && p.Text != "")
		}
		require.Equal(t, at, w.Offset())
		if !faulty {
			require.Equal(t, int64(len(text)), at)
		}
		again, err := collect(over(string(text), end).Line)
		require.Equal(t, end, err)
		require.Equal(t, again, got)
	})
}

// reading reports whether reads of these sizes get anywhere.
func reading(sizes []byte) bool {
	return len(sizes) == 0 || len(sizes) < maxEmptyReads && len(bytes.Trim(sizes, "\x00")) > 0
}

// separator is what ends a line at the start of text.
func separator(text []byte) []byte {
	for _, s := range []string{"\r\n", "\n"} {
		if bytes.HasPrefix(text, []byte(s)) {
			return []byte(s)
		}
	}
	if string(text) == "\r" {
		return text
	}
	return nil
}
