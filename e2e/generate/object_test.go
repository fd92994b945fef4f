package generate

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryLineOfAnObjectCanBeRecognised(t *testing.T) {
	for name, style := range map[string]Style{
		"JSON of every kind":    JSONLines(Mixed),
		"load balancer lines":   ALB,
		"text with a long tail": Text("2026-02-01 12:00:00 INFO request ", 5_000),
	} {
		t.Run(name, func(t *testing.T) {
			o := New(1, now).Object(300, style)

			lines := strings.Split(strings.TrimSuffix(string(o.Body), "\n"), "\n")
			require.Len(t, lines, 300)
			for i, line := range lines {
				mark, found, intact := FindMark(line)
				require.True(t, found && intact, "line %d: %q", i, line)
				require.Equal(t, Line{Payload: o.ID, Mark: mark}, o.Lines[i])
			}
		})
	}
}

func TestALBLinesHaveTheDocumentedFields(t *testing.T) {
	line := strings.TrimSuffix(string(New(1, now).Object(1, ALB).Body), "\n")
	fields, quoted := 1, false
	for _, c := range line {
		switch {
		case c == '"':
			quoted = !quoted
		case c == ' ' && !quoted:
			fields++
		}
	}
	assert.Equal(t, 29, fields, "%s", line)
	assert.Contains(t, line, ` "Mozilla/5.0 (seq:1; src:s3; crc:`)
}

func TestObjectsAndPayloadsShareTheirNumbers(t *testing.T) {
	g := New(1, now)
	a, p, b := g.Object(2, ALB), g.Payload(1), g.Object(1, ALB)
	assert.Len(t, map[string]bool{a.ID: true, p.ID: true, b.ID: true}, 3)
	assert.Equal(t, []Line{{Payload: a.ID, Mark: Mark{"s3", 1}}, {Payload: a.ID, Mark: Mark{"s3", 2}}}, a.Lines)
	assert.Equal(t, Mark{"s3", 4}, b.Lines[0].Mark)
}

func TestSameSeedSameObject(t *testing.T) {
	a := New(7, now).Object(50, JSONLines(Mixed))
	assert.Equal(t, a, New(7, now).Object(50, JSONLines(Mixed)))

	var b bytes.Buffer
	written, err := New(7, now).WriteObject(&b, 50, JSONLines(Mixed))
	require.NoError(t, err)
	assert.Equal(t, a.Body, b.Bytes())
	assert.Equal(t, a.Lines, written.Lines)
	assert.Nil(t, written.Body)
}

func TestObjectGzip(t *testing.T) {
	o := New(1, now).Object(10, ALB)
	r, err := gzip.NewReader(bytes.NewReader(o.Gzip()))
	require.NoError(t, err)
	plain, err := io.ReadAll(r)
	require.NoError(t, err)
	assert.Equal(t, o.Body, plain)
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestWriteObjectSaysWhatWasNotWritten(t *testing.T) {
	_, err := New(1, now).WriteObject(broken{}, 1, ALB)
	assert.ErrorContains(t, err, "write line s3/1 of object-000001")
	assert.ErrorIs(t, err, io.ErrClosedPipe)
}

func TestFindMark(t *testing.T) {
	text := Mark{Src: "s3", Seq: 41}.text("GET / ", " 200")
	for name, tc := range map[string]struct {
		message       string
		found, intact bool
	}{
		"a JSON message":                     {message: Mark{Src: "s3", Seq: 41}.message(`"a":1`, ""), found: true, intact: true},
		"a text":                             {message: text, found: true, intact: true},
		"a text with a byte changed":         {message: strings.Replace(text, "200", "201", 1), found: true},
		"a text with its line ending":        {message: text + "\r", found: true},
		"a text cut behind its mark":         {message: text[:len(text)-1], found: true},
		"a text cut inside its checksum":     {message: text[:30]},
		"a text whose head is gone":          {message: text[4:], found: true},
		"a mark without a source":            {message: "(seq:1; src:; crc:00000000)"},
		"a mark whose number is none":        {message: "(seq:x; src:s3; crc:00000000)"},
		"a text without a mark":              {message: "GET / 200"},
		"another use of the opening bracket": {message: "(seq:1) and ; src:x"},
	} {
		t.Run(name, func(t *testing.T) {
			mark, found, intact := FindMark(tc.message)
			assert.Equal(t, tc.found, found)
			assert.Equal(t, tc.intact, intact)
			if found {
				assert.Equal(t, Mark{Src: "s3", Seq: 41}, mark)
			}
		})
	}
}

func FuzzFindMark(f *testing.F) {
	f.Add("GET / ", " 200", 41)
	f.Add("", "", 0)
	f.Add("(seq:", "; crc:", 7)
	f.Fuzz(func(t *testing.T, head, rest string, seq int) {
		message := Mark{Src: "s3", Seq: seq}.text(head, rest)
		mark, found, intact := FindMark(message)
		if found && intact {
			assert.Equal(t, Mark{Src: "s3", Seq: seq}, mark)
		}
		assert.True(t, found && intact || strings.Contains(head, "(seq:") || strings.HasPrefix(head, `{"seq":`),
			"only a head that looks like a mark hides one")
	})
}
