package forward

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
	"sluice/internal/source/kinesis"
)

// traceOf is a record of so many lines, which are told apart by their numbers.
func traceOf(name string, lines int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "start %s", name)
	for i := range lines - 1 {
		fmt.Fprintf(&b, "\n at %s frame %06d", name, i)
	}
	return b.String()
}

// outlines tell texts apart that are too long to be shown.
func outlines(texts ...string) []string {
	list := make([]string, len(texts))
	for i, text := range texts {
		list[i] = fmt.Sprintf("%.12s... of %d lines, %d bytes, %08x", text, strings.Count(text, "\n")+1, len(text), crc32.ChecksumIEEE([]byte(text)))
	}
	return list
}

// Lines are joined within one user record, packed or not and however long it is, and never beyond it.
func TestKinesisJoins(t *testing.T) {
	long, longer, next := traceOf("long", 300), traceOf("longer", 20_000), traceOf("next", 2)
	all := strings.Join([]string{"before", long, longer, next}, "\n")
	parts := []string{"before", long, longer, next}
	require.Greater(t, len(longer), 3*pieceBytes, "it reaches over pieces")
	gz := packed(t, []byte(all))
	for name, tc := range map[string]struct {
		event []byte
		want  []string
	}{
		"plain":                   {batchOf([]byte(all)), parts},
		"packed, beyond the head": {batchOf(packed(t, []byte(long))), []string{long}},
		"packed, many pieces":     {batchOf(gz), parts},
		"stored":                  {batchOf(stored(t, []byte(all))), parts},
		"in two members":          {batchOf(joined(packed(t, []byte(all[:9000])), packed(t, []byte(all[9000:])))), parts},
		"with a last line's end":  {batchOf(packed(t, []byte(long+"\r\n"))), []string{long}},
		"aggregated":              {batchOf(aggregate([]byte(next), gz, []byte(" at rest"))), append(append([]string{next}, parts...), " at rest")},
		"records are apart":       {batchOf([]byte("start"), []byte(" at x")), []string{"start", " at x"}},
		"packed ones too":         {batchOf(packed(t, []byte(long)), packed(t, []byte(" at x"))), []string{long, " at x"}},
		"in an aggregate too":     {batchOf(aggregate([]byte("start"), []byte(" at x"))), []string{"start", " at x"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, with(`multiline_start: start, multiline_events: true, multiline_max_lines: 100000, multiline_max_bytes: 1MiB`, httpWith("")))
			answer, _, err := r.invoke(t, Kinesis, tc.event)
			require.NoError(t, err)
			assert.JSONEq(t, allTaken, answer)
			got := r.intake.messages(t, archiveHost)
			assert.Equal(t, outlines(tc.want...), outlines(got...))
		})
	}
}

// What is joined is cut at the settings' bounds, so that a text without a second start is not gathered as a whole.
func TestKinesisJoinsWithinBounds(t *testing.T) {
	trace := traceOf("x", 5000)
	r := newRig(t, with(`multiline_start: start, multiline_events: true, multiline_max_lines: 100`, httpWith("")))
	_, _, err := r.invoke(t, Kinesis, batchOf(packed(t, []byte(trace))))
	require.NoError(t, err)
	got := r.intake.messages(t, archiveHost)
	require.Len(t, got, 50)
	for _, text := range got {
		assert.Equal(t, 99, strings.Count(text, "\n"))
	}
	assert.Equal(t, outlines(trace), outlines(strings.Join(got, "\n")), "nothing is lost or repeated")
}

// What stands before a fault is forwarded, the record that was being joined too.
func TestKinesisJoinsBeforeAFault(t *testing.T) {
	trace := traceOf("x", 5000)
	r := newRig(t, with(`multiline_start: start, multiline_events: true, multiline_max_lines: 100000`, httpWith("")))
	answer, ledger, err := r.invoke(t, Kinesis, batchOf([]byte("first"), broken(packed(t, []byte(trace+"\nstart\n")), -8), []byte("behind")))
	require.NoError(t, err)
	assert.Equal(t, from(1), answer)
	assert.Equal(t, map[string]int{"decode": 1}, ledger.Destinations["archive"].Returned)
	got := r.intake.messages(t, archiveHost)
	assert.Equal(t, outlines("first", trace, "start"), outlines(got...), "the whole of it")
}

// numberedLines are records as text, with their numbers, and the error that they ended with.
func numberedLines(records iter.Seq2[*record.Record, error]) (list []string, err error) {
	for r, err := range records {
		if err != nil {
			return list, err
		}
		list = append(list, fmt.Sprintf("%d %s", r.Index, r.Message.AppendPlain(nil)))
	}
	return list, nil
}

func TestPiecesOf(t *testing.T) {
	broke := errors.New("broke")
	line := strings.Repeat("x", 99) + "\n"
	for name, tc := range map[string]struct {
		text  io.Reader
		bytes int
		most  int // bytes of a piece
		err   string
	}{
		"nothing":             {strings.NewReader(""), 0, 0, ""},
		"short lines":         {strings.NewReader(strings.Repeat(line, 40_000)), 4_000_000, pieceBytes, ""},
		"a long line":         {strings.NewReader(strings.Repeat("x", 1<<20) + "\n" + line), 1<<20 + 101, 1 << 21, ""},
		"the longest line":    {strings.NewReader(strings.Repeat("x", maxTextBytes-1)), maxTextBytes - 1, maxTextBytes, ""},
		"too long a line":     {strings.NewReader(line + strings.Repeat("x", 2*maxTextBytes+pieceBytes)), 100, 100, "a line of more than 16777216 bytes"},
		"no end":              {strings.NewReader(line + "x"), 101, 101, ""},
		"a fault in a line":   {io.MultiReader(strings.NewReader(line+"x"), iotest.ErrReader(broke)), 100, 100, "lines: broke"},
		"a fault at the head": {iotest.ErrReader(broke), 0, 0, "lines: broke"},
		"with the last bytes": {iotest.DataErrReader(strings.NewReader(line + line + "x")), 201, 201, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, most, failed := 0, 0, ""
			for piece, err := range piecesOf(tc.text) {
				require.Empty(t, failed, "an error is the last")
				if err != nil {
					failed = err.Error()
					continue
				}
				got, most = got+len(piece), max(most, len(piece))
			}
			assert.Equal(t, tc.bytes, got)
			assert.LessOrEqual(t, most, tc.most)
			assert.Equal(t, tc.err, failed)
		})
	}
}

func TestLinesOfStops(t *testing.T) {
	for most := 1; most <= 3; most++ {
		got := 0
		for _, err := range linesOf(iotest.OneByteReader(strings.NewReader("a\nb\nc")), &kinesis.UserRecord{}) {
			require.NoError(t, err)
			if got++; got == most {
				break
			}
		}
		assert.Equal(t, most, got)
	}
}

// FuzzLinesOf: the lines of a text and their numbers do not depend on how much of it comes at a time.
func FuzzLinesOf(f *testing.F) {
	f.Add([]byte("a\r\nb\n\nc"), uint16(1), 3)
	f.Add([]byte("\uFEFFa\n\xff\xfe\n"), uint16(4), 0)
	f.Add([]byte("a\n\uFEFFb\n"), uint16(0), 0)
	f.Add(bytes.Repeat([]byte("0123456789\n"), 300), uint16(1000), 0)
	f.Fuzz(func(t *testing.T, data []byte, size uint16, first int) {
		want, err := numberedLines(kinesis.Records(kinesis.UserRecord{Data: data, FirstIndex: first}))
		require.NoError(t, err)
		text := kinesis.UserRecord{FirstIndex: first}
		got, err := numberedLines(linesOf(&smallReads{bytes.NewReader(data), int(size) + 1}, &text))
		require.NoError(t, err)
		assert.Equal(t, want, got)
		assert.Equal(t, first+len(want), text.FirstIndex, "where the next user record goes on")
	})
}

// smallReads reads no more than so many bytes at a time.
type smallReads struct {
	io.Reader
	most int
}

func (r *smallReads) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(len(p), r.most)]) }
