package lines

import (
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCompileStart(t *testing.T) {
	for name, tc := range map[string]struct {
		pattern string
		match   []string
		no      []string
		problem string
	}{
		"a date":                   {pattern: `\d{4}-\d\d`, match: []string{"2024-02-01"}, no: []string{" 2024-02", "x", ""}},
		"alternatives":             {pattern: `a|b`, match: []string{"a", "bc"}, no: []string{"ca", "xb"}},
		"anchored already":         {pattern: `^a`, match: []string{"ab"}, no: []string{"ba"}},
		"lines of its own":         {pattern: `(?m)^a`, match: []string{"ab"}, no: []string{"ba"}},
		"what matches nothing":     {pattern: ``, match: []string{"", "a"}},
		"a group that is closed":   {pattern: `a)|(b`, problem: "unexpected )"},
		"a group that is open":     {pattern: `(a`, problem: "missing closing )"},
		"a quotation that is open": {pattern: `\Qa`, problem: `close what \Q opens`},
		"what RE2 does not know":   {pattern: `(?=a)`, problem: "write it as RE2"},
	} {
		t.Run(name, func(t *testing.T) {
			start, err := CompileStart(tc.pattern)
			if tc.problem != "" {
				require.ErrorContains(t, err, tc.problem)
				require.Nil(t, start)
				return
			}
			require.NoError(t, err)
			for _, text := range tc.match {
				assert.True(t, start.MatchString(text), text)
			}
			for _, text := range tc.no {
				assert.False(t, start.MatchString(text), text)
			}
		})
	}
}

func mustStart(tb testing.TB, pattern string) *regexp.Regexp {
	tb.Helper()
	start, err := CompileStart(pattern)
	require.NoError(tb, err)
	return start
}

func TestJoin(t *testing.T) {
	for name, tc := range map[string]struct {
		text               string
		maxLines, maxBytes int
		want               []kept
	}{
		"nothing":                    {text: ""},
		"a record":                   {text: "> a\n b\n c", want: []kept{whole("> a\n b\n c", 0)}},
		"records":                    {text: "> a\n b\n> c\n> d\ne\n", want: []kept{whole("> a\n b", 0), whole("> c", 7), whole("> d\ne", 11)}},
		"lines before the first":     {text: "x\ny\n> a\n b", want: []kept{whole("x", 0), whole("y", 2), whole("> a\n b", 4)}},
		"no start at all":            {text: "x\n\ny", want: []kept{whole("x", 0), whole("", 2), whole("y", 3)}},
		"empty lines are joined":     {text: "> a\n\n\nb\n\n", want: []kept{whole("> a\n\n\nb\n", 0)}},
		"carriage returns":           {text: "> a\r\nb\r\n> c\r\n", want: []kept{whole("> a\nb", 0), whole("> c", 8)}},
		"a start later in a line":    {text: "> a\nb > c", want: []kept{whole("> a\nb > c", 0)}},
		"lines at their limit":       {text: "> a\nb\n> c\nd", maxLines: 2, want: []kept{whole("> a\nb", 0), whole("> c\nd", 6)}},
		"too many lines":             {text: "> a\nb\nc\nd\ne\n> f", maxLines: 2, want: []kept{{"> a\nb", 0, 1, false}, {"c\nd", 6, 2, false}, {"e", 10, 3, true}, whole("> f", 12)}},
		"bytes at their limit":       {text: "> a\nbcd", maxBytes: 7, want: []kept{whole("> a\nbcd", 0)}},
		"too many bytes":             {text: "> a\nbcd\ne", maxBytes: 6, want: []kept{{"> a", 0, 1, false}, {"bcd\ne", 4, 2, true}}},
		"a line is longer than that": {text: "> abcdefgh\nx\n> b", maxBytes: 5, want: []kept{{"> abcdefgh", 0, 1, false}, {"x", 11, 2, true}, whole("> b", 13)}},
		"one line a record":          {text: "> a\nb\n> c", maxLines: 1, want: []kept{{"> a", 0, 1, false}, {"b", 4, 2, true}, whole("> c", 6)}},
	} {
		t.Run(name, func(t *testing.T) {
			j := &Joiner{Start: mustStart(t, "> "), MaxLines: tc.maxLines, MaxBytes: tc.maxBytes}
			for how, sizes := range cuts() {
				for _, end := range []error{io.EOF, errSource} {
					text := tc.text
					faulty := errors.Is(end, errSource)
					if faulty && text != "" {
						text = strings.TrimSuffix(text, "\n") + "\n" // whole lines
					}
					got, err := collect(j.Join(over(text, end, sizes...).Line))
					assert.Equal(t, end, err, how)
					if !faulty || text == tc.text || !strings.HasSuffix(tc.text, "\n") {
						assert.Equal(t, tc.want, got, how)
					}
				}
			}
		})
	}
}

func TestJoinOfLongLines(t *testing.T) {
	long := strings.Repeat("x", MaxLineBytes+10)
	sizes := func(list []kept) (all []int) {
		for _, p := range list {
			all = append(all, len(p.Text))
		}
		return all
	}
	const q = PartBytes
	for name, tc := range map[string]struct {
		text     string
		maxBytes int
		want     []int // sizes
	}{
		"no record is open":                      {long + "\n> a", 0, []int{q, q, q, q, 10, 3}},
		"a long line starts a record":            {"> " + long + "\nb\n> a", 0, []int{4 * q, 14, 3}},
		"a long line in a record":                {"> a\n" + long + "\nb", 0, []int{4 + 3*q, q + 12}},
		"a record of one part each":              {"> a\n" + long + "\nb", q, []int{3, q, q, q, q, 12}},
		"a record that takes all":                {"> a\n" + long + "\nb", 4 * MaxLineBytes, []int{MaxLineBytes + 16}},
		"a start in a long line does not matter": {"> a\n" + strings.Repeat("x", q) + "> " + long, 4 * MaxLineBytes, []int{MaxLineBytes + q + 16}},
	} {
		t.Run(name, func(t *testing.T) {
			j := &Joiner{Start: mustStart(t, "> "), MaxBytes: tc.maxBytes}
			list, err := collect(j.Join(over(tc.text, io.EOF).Line))
			require.Equal(t, io.EOF, err)
			require.Equal(t, tc.want, sizes(list))
			for _, p := range list {
				require.Equal(t, tc.text[p.Offset:][:len(p.Text)], p.Text)
			}
			requireParts(t, list)
		})
	}
}

// requireParts holds the numbers of parts to their meaning.
func requireParts(t *testing.T, list []kept) {
	t.Helper()
	part := 0
	for i, p := range list {
		require.Equal(t, part == 0 && p.Last, p.Part == 0, "piece %d", i)
		if p.Part > 0 {
			require.Equal(t, part+1, p.Part, "piece %d", i)
		}
		part = p.Part
		if p.Last {
			part = 0
		}
	}
	require.Zero(t, part, "the last piece is the last part")
}

// FuzzJoin holds Join to the law of conservation, and each record to its bounds.
func FuzzJoin(f *testing.F) {
	f.Add("x\n> a\n b\n\n> c\nd", uint8(2), uint8(5))
	f.Add("> a\nbbbbbbb\nc\n", uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, text string, maxLines, maxBytes uint8) {
		j := &Joiner{Start: mustStart(t, "> "), MaxLines: int(maxLines), MaxBytes: int(maxBytes)}
		all, err := collect(over(text, io.EOF).Line)
		require.Equal(t, io.EOF, err)
		got, err := collect(j.Join(over(text, io.EOF).Line))
		require.Equal(t, io.EOF, err)
		require.Equal(t, strings.Join(texts(all), "\n"), strings.Join(texts(got), "\n"))
		requireParts(t, got)
		started := false
		for _, p := range got {
			list := strings.Split(p.Text, "\n")
			started = started || strings.HasPrefix(p.Text, "> ")
			require.True(t, started || len(list) == 1 && p.Part == 0, "lines before the first start are records")
			require.Equal(t, started && p.Part <= 1, strings.HasPrefix(p.Text, "> "))
			for _, line := range list[1:] {
				require.False(t, strings.HasPrefix(line, "> "))
			}
			require.True(t, maxLines == 0 || len(list) <= int(maxLines))
			require.True(t, maxBytes == 0 || len(list) == 1 || len(p.Text) <= int(maxBytes))
			require.True(t, strings.HasPrefix(text[p.Offset:], list[0]))
		}
	})
}
