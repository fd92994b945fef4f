package join

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/lines"
	"sluice/internal/record"
)

var errBroken = errors.New("broken")

// events yields records with these texts, over one buffer that each next one overwrites, and then an error if there is one.
func events(origin *record.Origin, err error, texts ...string) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) {
		var r record.Record
		var buf []byte
		for i, text := range texts {
			for j := range buf {
				buf[j] = '!'
			}
			buf = fmt.Appendf(buf[:0], "id%d", i)
			id := len(buf)
			if i%2 == 0 {
				buf = append(buf, text...)
			} else {
				buf = record.AppendEscaped(buf, text)
			}
			r = record.Record{
				Origin: origin, EventID: record.Plain(buf[:id]), TimeMillis: int64(1000 + i),
				Message: record.Text{Bytes: buf[id:], Escaped: i%2 == 1},
				Members: []record.Member{{Name: []byte("n"), Value: fmt.Append(nil, i)}},
			}
			if !yield(&r, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

func joiner(t *testing.T, pattern string, maxLines, maxBytes int) *lines.Joiner {
	t.Helper()
	start, err := lines.CompileStart(pattern)
	require.NoError(t, err)
	return &lines.Joiner{Start: start, MaxLines: maxLines, MaxBytes: maxBytes}
}

func TestRecords(t *testing.T) {
	for name, tc := range map[string]struct {
		in   []string
		most int
		size int
		want []string
	}{
		"nothing":                  {in: nil},
		"nothing matches":          {in: []string{"a", "b", " c"}, want: []string{"id0@1000 n=0: a", "id1@1001 n=1: b", "id2@1002 n=2:  c"}},
		"a stack trace":            {in: []string{"# oops", "  at x", "  at y", "# next"}, want: []string{"id0@1000 n=0: # oops\n  at x\n  at y", "id3@1003 n=3: # next"}},
		"before the first start":   {in: []string{"tail", "# one", "more"}, want: []string{"id0@1000 n=0: tail", "id1@1001 n=1: # one\nmore"}},
		"line feeds of their own":  {in: []string{"# a\n", "b\n", "c\n"}, want: []string{"id0@1000 n=0: # a\nb\nc\n"}},
		"a backslash and an n":     {in: []string{`# a\n`, `b\n`}, want: []string{"id0@1000 n=0: # a\\n\nb\\n"}},
		"quotes and unicode":       {in: []string{"# \"é\"", "\u2028\t"}, want: []string{"id0@1000 n=0: # \"é\"\n\u2028\t"}},
		"empty ones":               {in: []string{"# a", "", "b"}, want: []string{"id0@1000 n=0: # a\n\nb"}},
		"cut by lines":             {in: []string{"# a", "b", "c", "d"}, most: 2, want: []string{"id0@1000 n=0: # a\nb part 1", "id2@1002 n=2: c\nd part 2"}},
		"cut, then whole":          {in: []string{"# a", "b", "c", "# d"}, most: 2, want: []string{"id0@1000 n=0: # a\nb part 1", "id2@1002 n=2: c part 2", "id3@1003 n=3: # d"}},
		"cut by bytes":             {in: []string{"# aaaa", "bbbb", "cccc"}, size: 12, want: []string{"id0@1000 n=0: # aaaa\nbbbb part 1", "id2@1002 n=2: cccc part 2"}},
		"one is never cut in half": {in: []string{"# " + strings.Repeat("a", 99), "b"}, size: 12, want: []string{"id0@1000 n=0: # " + strings.Repeat("a", 99) + " part 1", "id1@1001 n=1: b part 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			j := joiner(t, "#", tc.most, tc.size)
			origin := &record.Origin{Kind: record.CloudWatch}
			for _, end := range []error{nil, errBroken} {
				got, err := texts(Records(events(origin, end, tc.in...), func(*record.Record) *lines.Joiner { return j }))
				assert.Equal(t, tc.want, got)
				assert.Equal(t, end, err, "what came before an error stands")
			}
		})
	}
}

// texts are the records as text, and the error that they ended with.
func texts(records iter.Seq2[*record.Record, error]) (list []string, err error) {
	for r, err := range records {
		if err != nil {
			return list, err
		}
		text := fmt.Sprintf("%s@%d n=%s: %s", r.EventID.AppendPlain(nil), r.TimeMillis, r.Members[0].Value, r.Message.AppendPlain(nil))
		if r.Marks == record.Chunked {
			text += fmt.Sprintf(" part %d", r.Part)
		}
		list = append(list, text)
	}
	return list, nil
}

func TestOriginsAreApart(t *testing.T) {
	j := joiner(t, "#", 0, 0)
	a, b, control := &record.Origin{LogGroup: "a"}, &record.Origin{LogGroup: "b"}, &record.Origin{LogGroup: "a", Control: true}
	all := func(yield func(*record.Record, error) bool) {
		for _, o := range []*record.Origin{a, b, control} {
			for r, err := range events(o, nil, "# x", "y") {
				if !yield(r, err) {
					return
				}
			}
		}
	}
	asked := 0
	got, err := texts(Records(all, func(first *record.Record) *lines.Joiner {
		asked++
		if first.Origin == b {
			return nil
		}
		return j
	}))
	require.NoError(t, err)
	assert.Equal(t, []string{
		"id0@1000 n=0: # x\ny", "id0@1000 n=0: # x", "id1@1001 n=1: y", "id0@1000 n=0: # x", "id1@1001 n=1: y",
	}, got)
	assert.Equal(t, 3, asked)
}

func TestStops(t *testing.T) {
	j := joiner(t, "#", 0, 0)
	for most := range 4 {
		var got int
		for range Records(events(&record.Origin{}, nil, "x", "# a", "b", "# c", "d"), func(*record.Record) *lines.Joiner { return j }) {
			if got++; got > most {
				break
			}
		}
		assert.Equal(t, min(most+1, 3), got)
	}
}

// FuzzRecords: whatever the texts are, what comes out is what went in, but for the line feeds between them.
func FuzzRecords(f *testing.F) {
	f.Add("# a|b|c|# d", 2, 10)
	f.Add("a\n|b\\n|\\", 0, 0)
	f.Fuzz(func(t *testing.T, text string, most, size int) {
		text = strings.ToValidUTF8(text, "?")
		in := strings.Split(text, "|")
		j := joiner(t, "#", max(most, 0), max(size, 0))
		var out strings.Builder
		n := 0
		for r, err := range Records(events(&record.Origin{}, nil, in...), func(*record.Record) *lines.Joiner { return j }) {
			require.NoError(t, err)
			out.Write(r.Message.AppendPlain(nil))
			n++
		}
		assert.LessOrEqual(t, n, len(in))
		bare := func(s string) string { return strings.ReplaceAll(s, "\n", "") }
		assert.Equal(t, bare(strings.Join(in, "")), bare(out.String()))
	})
}

// What was done to the text of one record was done to that of the whole. The whole is no JSON document any more, even where
// the first of its records is one; a record that nothing was joined to stays one.
func TestJoinedIsMarked(t *testing.T) {
	text := func(s string) record.Text { return record.Plain([]byte(s)) }
	origin := &record.Origin{}
	in := []record.Record{
		{Message: text("# {}"), Structured: true, Marks: record.UTF8Repaired},
		{Message: text("# {"), Structured: true},
		{Message: text("}"), Structured: true, Marks: record.BrokenEnvelope},
		{Message: text("}"), Marks: record.UTF8Repaired},
		{Message: text("# a")},
		{Message: text("b"), Marks: record.UTF8Repaired},
		{Message: text("c")},
		{Message: text("d")},
	}
	all := func(yield func(*record.Record, error) bool) {
		for i := range in {
			in[i].Origin = origin
			if !yield(&in[i], nil) {
				return
			}
		}
	}
	type joined struct {
		text       string
		marks      record.Marks
		structured bool
		part       int
	}
	var got []joined
	j := joiner(t, "#", 3, 0)
	for r, err := range Records(all, func(*record.Record) *lines.Joiner { return j }) {
		require.NoError(t, err)
		got = append(got, joined{string(r.Message.AppendPlain(nil)), r.Marks, r.Structured, r.Part})
	}
	assert.Equal(t, []joined{
		{"# {}", record.UTF8Repaired, true, 0},
		{"# {\n}\n}", record.UTF8Repaired | record.BrokenEnvelope, false, 0},
		{"# a\nb\nc", record.UTF8Repaired | record.Chunked, false, 1},
		{"d", record.Chunked, false, 2},
	}, got)
}

// An error between records ends the one before it, and nothing is joined over it.
func TestRecordsGoOnBehindAnError(t *testing.T) {
	j := joiner(t, "#", 0, 0)
	origin := &record.Origin{}
	all := func(yield func(*record.Record, error) bool) {
		_ = yield(nil, errBroken) &&
			each(events(origin, errBroken, "# a", "b"), yield) &&
			each(events(origin, nil, "c", "# d", "e"), yield)
	}
	for most := range 7 {
		var got []string
		for r, err := range Records(all, func(*record.Record) *lines.Joiner { return j }) {
			if err != nil {
				got = append(got, err.Error())
			} else {
				got = append(got, string(r.Message.AppendPlain(nil)))
			}
			if len(got) > most {
				break
			}
		}
		want := []string{"broken", "# a\nb", "broken", "c", "# d\ne"}
		assert.Equal(t, want[:min(most+1, len(want))], got)
	}
}

// each yields all records, and reports whether more are wanted.
func each(records iter.Seq2[*record.Record, error], yield func(*record.Record, error) bool) bool {
	for r, err := range records {
		if !yield(r, err) {
			return false
		}
	}
	return true
}
