package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pieces are those of a stream, whatever it ends with.
func pieces(t *testing.T, s Splitting, src io.Reader) (list []Piece, end error) {
	t.Helper()
	sp, err := NewSplitter(s)
	require.NoError(t, err)
	records := sp.Records(src)
	for offset := int64(0); ; {
		require.Equal(t, offset, records.Offset())
		p, err := records.Next()
		if err != nil {
			again, same := records.Next()
			assert.Equal(t, err, same)
			assert.Empty(t, again)
			return list, err
		}
		require.Equal(t, offset, p.Offset)
		require.NotEmpty(t, p.Text)
		offset += int64(len(p.Text))
		p.Text = bytes.Clone(p.Text)
		list = append(list, p)
	}
}

// described are pieces, one a line: the kind's letter, then the text.
func described(list []Piece) (lines []string) {
	for _, p := range list {
		line := map[Kind]string{Data: "", Header: "header ", Unended: "unended ", Runaway: "runaway "}[p.Kind]
		if !p.Last {
			line += "part "
		}
		lines = append(lines, line+string(p.Text))
	}
	return lines
}

func TestSplit(t *testing.T) {
	t.Parallel()
	const stamp = `.+\t\d+\t`
	for name, tc := range map[string]struct {
		splitting Splitting
		text      string
		want      []string
	}{
		"lines":                          {Splitting{}, "a\nb\r\n\nc\n", []string{"a\n", "b\r\n", "\n", "c\n"}},
		"nothing":                        {Splitting{}, "", nil},
		"last line without end":          {Splitting{}, "a\nb", []string{"a\n", "unended b"}},
		"nothing but a line end":         {Splitting{}, "\n", []string{"\n"}},
		"a carriage return ends no line": {Splitting{}, "a\rb\n", []string{"a\rb\n"}},

		"header":                            {Splitting{SkipHeaderLines: 2}, "#1\n\na\n", []string{"header #1\n", "header \n", "a\n"}},
		"header alone":                      {Splitting{SkipHeaderLines: 2}, "#1\n#2\n", []string{"header #1\n", "header #2\n"}},
		"header that is too short":          {Splitting{SkipHeaderLines: 3}, "#1\n#2", []string{"header #1\n", "header #2"}},
		"header before records of lines":    {Splitting{SkipHeaderLines: 1, MultiLineStartPattern: "a"}, "a\nb\na\n", []string{"header a\n", "b\n", "a\n"}},
		"header that does not end, no more": {Splitting{SkipHeaderLines: 1}, "#", []string{"header #"}},

		"records of lines":                  {Splitting{MultiLineStartPattern: stamp}, "x\t1\ty\ncontinued\nz\t22\tw\n", []string{"x\t1\ty\ncontinued\n", "z\t22\tw\n"}},
		"lines before the first start":      {Splitting{MultiLineStartPattern: stamp}, "a\nb\nx\t1\ty\n", []string{"a\nb\n", "x\t1\ty\n"}},
		"no start at all":                   {Splitting{MultiLineStartPattern: stamp}, "a\nb\n", []string{"a\nb\n"}},
		"start in the middle of a line":     {Splitting{MultiLineStartPattern: `\[`}, "[a\n [b\n[c\n", []string{"[a\n [b\n", "[c\n"}},
		"alternatives are anchored too":     {Splitting{MultiLineStartPattern: `a|b`}, "a\nxb\nb\n", []string{"a\nxb\n", "b\n"}},
		"pattern that looks at the end":     {Splitting{MultiLineStartPattern: `a$`}, "a\nab\na\r\na\n", []string{"a\nab\n", "a\r\n", "a\n"}},
		"pattern that sees the line feed":   {Splitting{MultiLineStartPattern: `\n`}, "a\n\nb\n", []string{"a\n", "\nb\n"}},
		"a dot stays in the line":           {Splitting{MultiLineStartPattern: `a.*b`}, "a\nb\nab\n", []string{"a\nb\n", "ab\n"}},
		"record whose last line has no end": {Splitting{MultiLineStartPattern: `\[`}, "[a\nb", []string{"[a\nb"}},
		"last start has no end":             {Splitting{MultiLineStartPattern: `\[`}, "[a\n[b", []string{"[a\n", "unended [b"}},
		"no line end in records of lines":   {Splitting{MultiLineStartPattern: `\[`}, "[a", []string{"unended [a"}},
		"CRLF in records of lines":          {Splitting{MultiLineStartPattern: `\S`}, "a\r\n b\r\nc\r\n", []string{"a\r\n b\r\n", "c\r\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for form, src := range map[string]io.Reader{
				"at once": strings.NewReader(tc.text), "byte by byte": iotest.OneByteReader(strings.NewReader(tc.text)),
				"data with the end": iotest.DataErrReader(strings.NewReader(tc.text)),
			} {
				list, err := pieces(t, tc.splitting, src)
				assert.Equal(t, io.EOF, err, form)
				assert.Equal(t, tc.want, described(list), form)
			}
		})
	}
}

// A document of pretty-printed JSON, as CloudTrail's are: two lines to skip, a start at the depth of the elements.
func TestSplitPrettyPrinted(t *testing.T) {
	t.Parallel()
	const n = 58
	var in, want strings.Builder
	in.WriteString("{  \n  \"Records\":[  \n")
	for i := range n {
		comma := ","
		if i == n-1 {
			comma = ""
		}
		fmt.Fprintf(&in, "    {  \n      \"eventName\":\"GetObject\",\n      \"userIdentity\":{  \n        \"type\":\"Role\"\n      },\n      \"eventID\":%d\n    }%s\n", i, comma)
		fmt.Fprintf(&want, `{"eventName":"GetObject","userIdentity":{"type":"Role"},"eventID":%d}%s`, i, comma)
		if i < n-1 {
			want.WriteByte('\n')
		}
	}
	in.WriteString("  ]\n}\n")
	want.WriteString("]}\n")
	list, err := pieces(t, Splitting{MultiLineStartPattern: `    \{`, SkipHeaderLines: 2}, strings.NewReader(in.String()))
	assert.Equal(t, io.EOF, err)
	require.Len(t, list, 2+n)
	c, err := New([]Option{{OptionName: SingleLine}}, true)
	require.NoError(t, err)
	var got []byte
	for _, p := range list[2:] {
		assert.Equal(t, Data, p.Kind)
		got, _ = c.Append(got, p.Text)
	}
	assert.Equal(t, want.String(), string(got))
}

func TestRunaway(t *testing.T) {
	t.Parallel()
	line := strings.Repeat("x", 1<<20-1) + "\n"
	long := strings.Repeat("é", 3<<20) // 6 MiB
	for name, tc := range map[string]struct {
		splitting Splitting
		text      string
		want      []Piece // lengths in Offset
	}{
		"line": {Splitting{}, "a\n" + long + "\nb\n", []Piece{
			{nil, 2, Data, true}, {nil, bufferBytes, Data, false}, {nil, 2<<20 + 1, Runaway, true}, {nil, 2, Data, true},
		}},
		"line cut between characters": {Splitting{}, "a" + long + "\n", []Piece{
			{nil, bufferBytes - 1, Data, false}, {nil, 2<<20 + 3, Runaway, true},
		}},
		"line of three parts": {Splitting{}, long + long, []Piece{
			{nil, bufferBytes, Data, false}, {nil, bufferBytes, Runaway, false}, {nil, bufferBytes, Runaway, true},
		}},
		"line of 4 MiB and its line feed": {Splitting{}, strings.Repeat("x", bufferBytes) + "\na\n", []Piece{
			{nil, bufferBytes, Data, false}, {nil, 1, Runaway, true}, {nil, 2, Data, true},
		}},
		"line of 4 MiB": {Splitting{}, strings.Repeat("x", bufferBytes-1) + "\na\n", []Piece{
			{nil, bufferBytes, Data, true}, {nil, 2, Data, true},
		}},
		"line that fits": {Splitting{}, strings.Repeat(line, 3) + line[1:] + line, []Piece{
			{nil, 1 << 20, Data, true}, {nil, 1 << 20, Data, true}, {nil, 1 << 20, Data, true}, {nil, 1<<20 - 1, Data, true}, {nil, 1 << 20, Data, true},
		}},
		"header": {Splitting{SkipHeaderLines: 1}, long + "\na\n", []Piece{
			{nil, bufferBytes, Header, false}, {nil, 2<<20 + 1, Header, true}, {nil, 2, Data, true},
		}},
		"record of lines, cut between two": {Splitting{MultiLineStartPattern: `\[`}, strings.Repeat(line, 5) + "[a\n", []Piece{
			{nil, bufferBytes - 1, Data, false}, {nil, 1<<20 + 1, Runaway, true}, {nil, 3, Data, true},
		}},
		"the next record begins at the cut": {Splitting{MultiLineStartPattern: `\[`}, strings.Repeat(line, 4) + "[a\n", []Piece{
			{nil, bufferBytes - 1, Data, false}, {nil, 1, Runaway, true}, {nil, 3, Data, true},
		}},
		"a start in the rest of a line is none": {Splitting{MultiLineStartPattern: `é`}, "x" + long + "\ny\né\n", []Piece{
			{nil, bufferBytes - 1, Data, false}, {nil, 2<<20 + 5, Runaway, true}, {nil, 3, Data, true},
		}},
		"no UTF-8": {Splitting{}, strings.Repeat("\x80", bufferBytes+1), []Piece{
			{nil, bufferBytes, Data, false}, {nil, 1, Runaway, true},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list, err := pieces(t, tc.splitting, strings.NewReader(tc.text))
			assert.Equal(t, io.EOF, err)
			var whole []byte
			for i := range list {
				whole = append(whole, list[i].Text...)
				list[i] = Piece{Offset: int64(len(list[i].Text)), Kind: list[i].Kind, Last: list[i].Last}
			}
			assert.Equal(t, tc.want, list)
			assert.Zero(t, strings.Compare(tc.text, string(whole)), "no byte is lost") // Equal would print megabytes
		})
	}
}

var errSource = errors.New("reset by peer")

func TestSplitFaults(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		pattern, text string
		want          []string
	}{
		"between lines":                     {"", "a\nb\n", []string{"a\n", "b\n"}},
		"in a line":                         {"", "a\nb", []string{"a\n"}},
		"behind a record that may go on":    {`\[`, "[a\n[b\n", []string{"[a\n"}},
		"in a line that looks like a start": {`\[`, "[a\n[b", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list, err := pieces(t, Splitting{MultiLineStartPattern: tc.pattern}, io.MultiReader(strings.NewReader(tc.text), iotest.ErrReader(errSource)))
			assert.Equal(t, errSource, err)
			assert.Equal(t, tc.want, described(list))
		})
	}
	_, err := pieces(t, Splitting{}, noProgress{})
	assert.Equal(t, io.ErrNoProgress, err)
}

type noProgress struct{}

func (noProgress) Read([]byte) (int, error) { return 0, nil }

func TestRecordsAgain(t *testing.T) {
	sp, err := NewSplitter(Splitting{SkipHeaderLines: 1})
	require.NoError(t, err)
	records := sp.Records(strings.NewReader("#\na\nb"))
	_, err = records.Next()
	require.NoError(t, err)
	src := strings.NewReader("#\na\n")
	allocated := testing.AllocsPerRun(10, func() {
		src.Reset("#\na\n")
		records.Reset(src)
		for err = nil; err == nil; {
			_, err = records.Next()
		}
	})
	assert.Equal(t, io.EOF, err)
	assert.Zero(t, allocated)
}

func TestTruncate(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		splitting Splitting
		length    int
		end       string
		cut       bool
	}{
		"fits":                  {Splitting{}, FirehoseRecordBytes, "xxx\n", false},
		"one byte too long":     {Splitting{}, FirehoseRecordBytes + 1, "xxxx\n", true},
		"very long":             {Splitting{}, 3 << 20, "xxxx\n", true},
		"terminator":            {Splitting{TruncatedRecordTerminator: "…\n"}, FirehoseRecordBytes + 1, "x…\n", true},
		"fits a Kinesis stream": {Splitting{MaxRecordBytes: KinesisRecordBytes}, KinesisRecordBytes, "xx\n", false},
		"too long for one":      {Splitting{MaxRecordBytes: KinesisRecordBytes}, KinesisRecordBytes + 1, "xx\n", true},
		"nothing":               {Splitting{}, 0, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sp, err := NewSplitter(tc.splitting)
			require.NoError(t, err)
			record := []byte(strings.Repeat("x", max(0, tc.length-1)) + "\n")[:tc.length]
			got, cut := sp.Truncate(record)
			assert.Equal(t, tc.cut, cut)
			assert.True(t, strings.HasSuffix(string(got), tc.end))
			assert.Len(t, got, min(tc.length, max(tc.splitting.MaxRecordBytes, FirehoseRecordBytes)))
		})
	}
}

func TestSplittingProblems(t *testing.T) {
	t.Parallel()
	_, err := NewSplitter(Splitting{
		MultiLineStartPattern: "(?=x)", SkipHeaderLines: -1, TruncatedRecordTerminator: "xxx", MaxRecordBytes: 3,
	})
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 3)
	assert.Contains(t, lines[0], `multiLineStartPattern: "(?=x)": look-around`)
	assert.Equal(t, "skipHeaderLines: -1: want a number of lines from 0 on", lines[1])
	assert.Equal(t, "truncatedRecordTerminator: 3 bytes: want fewer than the 3 of the largest record", lines[2])
	for _, n := range []int{-1, bufferBytes + 1} {
		_, err = NewSplitter(Splitting{MaxRecordBytes: n})
		assert.ErrorContains(t, err, "the largest record")
	}
}
