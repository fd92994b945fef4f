package lines

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func nested(depth int) string {
	return strings.Repeat(`[`, depth) + strings.Repeat(`]`, depth)
}

func TestValue(t *testing.T) {
	for name, tc := range map[string]struct {
		text   string
		want   []string
		err    string // after them; empty for io.EOF
		offset int64  // where the window stands then
	}{
		"nothing":                       {"", nil, "", 0},
		"white space":                   {" \n\t\r\n ", nil, "", 6},
		"an object":                     {`{}`, []string{`{}`}, "", 2},
		"objects that touch":            {`{"a":1}{"b":{}}[]`, []string{`{"a":1}`, `{"b":{}}`, `[]`}, "", 17},
		"objects in lines":              {"{\"a\":1}\r\n\n{\"b\":2}\n", []string{`{"a":1}`, `{"b":2}`}, "", 18},
		"an object over lines":          {"{\n \"a\" : [ 1 , 2 ] ,\n\"b\":\tnull }\n", []string{"{\n \"a\" : [ 1 , 2 ] ,\n\"b\":\tnull }"}, "", 33},
		"brackets in strings":           {`{"}":"]{[","a":"\"}"}x`, []string{`{"}":"]{[","a":"\"}"}`}, "byte 21: want a value", 21},
		"every escape":                  {`["\"\\\/\b\f\n\r\t\u00eF\uD800"]`, []string{`["\"\\\/\b\f\n\r\t\u00eF\uD800"]`}, "", 32},
		"numbers":                       {`[0,-0,1.5,-12.25e+7,1E-9,0e0,120]`, []string{`[0,-0,1.5,-12.25e+7,1E-9,0e0,120]`}, "", 33},
		"literals":                      {`[true,false,null]`, []string{`[true,false,null]`}, "", 17},
		"scalars at the top":            {"1 \"two\"\ntrue", []string{`1`, `"two"`, `true`}, "", 12},
		"scalars that touch":            {`12{"a":1}`, nil, "byte 2: text stands behind", 0},
		"string with a colon behind":    {`"a": 1`, nil, "byte 3: text stands behind", 0},
		"a date is no number":           {"2024-02-01 00:00:00", nil, "byte 4: text stands behind", 0},
		"an address is no number":       {"192.0.2.1 - -", nil, "byte 5: text stands behind", 0},
		"a word":                        {"nothing", nil, "byte 0: want a value", 0},
		"a word that starts well":       {"nul", nil, "byte 0: the stream ends", 0},
		"a word in a list":              {"[truth]", nil, "byte 1: want a value", 0},
		"bytes that are no UTF-8":       {"[\"\xff\xed\xa0\x80\"]", []string{"[\"\xff\xed\xa0\x80\"]"}, "", 8},
		"a raw tab in a string":         {"[\"a\tb\"]", nil, "byte 3: raw control", 0},
		"a raw NUL in a long string":    {"[\"abcdefghijklmnop\x00\"]", nil, "byte 18: raw control", 0},
		"DEL is no control character":   {"[\"\x7f\"]", []string{"[\"\x7f\"]"}, "", 5},
		"an escape that JSON has not":   {`["\x41"]`, nil, "byte 2: malformed escape", 0},
		"an escape with three digits":   {`["\u123"]`, nil, "byte 2: malformed escape", 0},
		"an escape with a strange byte": {"[\"\\u12\x00\x1034\"]", nil, "byte 2: malformed escape", 0},
		"a number with a leading zero":  {`[01]`, nil, "byte 1: malformed number", 0},
		"a number without a fraction":   {`[1.]`, nil, "byte 3: malformed number", 0},
		"a number without an exponent":  {`[1e+]`, nil, "byte 4: malformed number", 0},
		"a sign alone":                  {`[-]`, nil, "byte 2: malformed number", 0},
		"a plus sign":                   {`[+1]`, nil, "byte 1: want a value", 0},
		"a comma at the end":            {`[1,]`, nil, "byte 3: want a value", 0},
		"a comma at the end of members": {`{"a":1,}`, nil, "byte 7: want a member name", 0},
		"a comma alone":                 {`[,]`, nil, "byte 1: want a value", 0},
		"a comma missing":               {`[1 2]`, nil, "byte 3: want a comma or the end of the array", 0},
		"a comma of members missing":    {`{"a":1 "b":2}`, nil, "byte 7: want a comma or the end of the object", 0},
		"a name that is no string":      {`{a:1}`, nil, "byte 1: want a member name", 0},
		"a colon missing":               {`{"a" 1}`, nil, "byte 5: want a colon", 0},
		"a value missing":               {`{"a":}`, nil, "byte 5: want a value", 0},
		"brackets of the wrong kind":    {`[{"a":1]}`, nil, "byte 7: want a comma or the end of the object", 0},
		"brackets of the other kind":    {`{"a":[1}]`, nil, "byte 7: want a comma or the end of the array", 0},
		"a bracket too many":            {`{}}`, []string{`{}`}, "byte 2: want a value", 2},
		"cut in an object":              {`{"a":1}{"b":`, []string{`{"a":1}`}, "byte 12: the stream ends", 7},
		"cut in a string":               {`{"a":"b`, nil, "byte 7: the stream ends", 0},
		"cut in an escape":              {`{"a":"\u00`, nil, "byte 6: the stream ends", 0},
		"cut behind a backslash":        {`["\`, nil, "byte 2: the stream ends", 0},
		"cut in a number":               {`-`, nil, "byte 1: the stream ends", 0},
		"cut in a name":                 {`{"a":1, "b`, nil, "byte 10: the stream ends", 0},
		"as deep as may be":             {nested(64), []string{nested(64)}, "", 128},
		"deeper":                        {nested(65), nil, "byte 64: nested deeper", 0},
		"objects, as deep as may be":    {strings.Repeat(`{"a":`, 64) + "1" + strings.Repeat("}", 64), []string{strings.Repeat(`{"a":`, 64) + "1" + strings.Repeat("}", 64)}, "", 385},
		"deep twice":                    {`[[[]],[[{}]]]`, []string{`[[[]],[[{}]]]`}, "", 13},
		"indentation stays for Line":    {"\n\n \n  at Example", nil, "byte 6: want a value", 4},
		"byte order mark":               {"\uFEFF{}", nil, "byte 0: want a value", 0},
	} {
		t.Run(name, func(t *testing.T) {
			for how, sizes := range cuts() {
				w := over(tc.text, io.EOF, sizes...)
				list, err := collect(w.Value)
				assert.Equal(t, tc.want, texts(list), how)
				if tc.err == "" {
					assert.Equal(t, io.EOF, err, how)
				} else {
					assert.ErrorIs(t, err, ErrNotJSON, how)
					assert.ErrorContains(t, err, tc.err, how)
				}
				assert.Equal(t, tc.offset, w.Offset(), how)
				for _, p := range list {
					assert.Equal(t, whole(tc.text[p.Offset:][:len(p.Text)], p.Offset), p, how)
					assert.True(t, json.Valid([]byte(p.Text)), how)
				}
			}
		})
	}
}

func TestValueBeforeAFault(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"at the start":                 {"", nil},
		"inside an object":             {`{"a":1}{"b":`, []string{`{"a":1}`}},
		"behind an object":             {`{"a":1}`, []string{`{"a":1}`}},
		"a number may go on":           {`12`, nil},
		"a string needs its separator": {`"a"`, nil},
		"a number that is separated":   {`12 `, []string{`12`}},
	} {
		t.Run(name, func(t *testing.T) {
			for how, sizes := range cuts() {
				w := over(tc.text, errSource, sizes...)
				list, err := collect(w.Value)
				assert.Equal(t, errSource, err, how)
				assert.Equal(t, tc.want, texts(list), how)
				assert.Equal(t, int64(len(strings.Join(tc.want, ""))), w.Offset(), how)
			}
		})
	}
}

func TestValueAtItsLimit(t *testing.T) {
	object := func(size int) string { return `{"a":"` + strings.Repeat("x", size-8) + `"}` }
	text := func(size int) string { return `"` + strings.Repeat("x", size-2) + `"` }
	digits := func(size int) string { return strings.Repeat("1", size) }
	for name, tc := range map[string]struct {
		text    string
		tooLong bool
	}{
		"an object":                            {object(MaxValueBytes), false},
		"an object, touched":                   {object(MaxValueBytes) + "{}", false},
		"an object of one byte more":           {object(MaxValueBytes + 1), true},
		"an object far longer":                 {object(3 * MaxValueBytes), true},
		"an object far longer that is broken":  {object(3*MaxValueBytes) + "}", true},
		"a string":                             {text(MaxValueBytes), false},
		"a string of one byte more":            {text(MaxValueBytes + 1), true},
		"a number":                             {digits(MaxValueBytes), false},
		"a number of one byte more":            {digits(MaxValueBytes + 1), true},
		"an escape across the limit":           {`["` + strings.Repeat("x", MaxValueBytes-3) + `\u0041"]`, true},
		"a backslash at the limit":             {`["` + strings.Repeat("x", MaxValueBytes-2) + `\n"]`, true},
		"white space before it does not count": {strings.Repeat(" ", 1000) + object(MaxValueBytes), false},
	} {
		t.Run(name, func(t *testing.T) {
			for how, sizes := range map[string][]byte{"at once": nil, "in small reads": {200, 255, 0, 1}} {
				w := over(tc.text, io.EOF, sizes...)
				p, err := w.Value()
				if tc.tooLong {
					require.ErrorIs(t, err, ErrTooLong, how)
					require.ErrorContains(t, err, "from byte 0 on", how)
					require.Zero(t, w.Offset(), how)
				} else {
					require.NoError(t, err, how)
					require.Len(t, p.Text, MaxValueBytes, how)
				}
				require.LessOrEqual(t, len(w.buf), MaxValueBytes+2*readAheadBytes, how)
			}
		})
	}
}

// firstValue is what encoding/json reads as the first value of text.
func firstValue(text []byte) (json.RawMessage, error) {
	var v json.RawMessage
	err := json.NewDecoder(bytes.NewReader(text)).Decode(&v)
	return v, err
}

func bracketDepth(value []byte) (deepest int) {
	d := json.NewDecoder(bytes.NewReader(value))
	depth := 0
	for {
		token, err := d.Token()
		if err != nil {
			return deepest
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		deepest = max(deepest, depth)
	}
}

// FuzzValue holds Value against encoding/json, and against itself with other reads.
func FuzzValue(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,-2.5e+3,"\u00e9\n",true,null]} {}`, `"text" 12`, " \n [ { } , [ ] ]", `{"a":"}"}{`, "[\"\x01\"]", nested(65),
		`{"level":"info","message":"shipped \"now\" to \\ 42","elapsed":0.5}`,
	} {
		f.Add([]byte(text), []byte{1, 0, 3}, false)
	}
	f.Fuzz(func(t *testing.T, text, sizes []byte, faulty bool) {
		if !reading(sizes) {
			return
		}
		end := io.EOF
		if faulty {
			end = errSource
		}
		w := over(string(text), end, sizes...)
		p, err := w.Value()
		again, againErr := over(string(text), end).Value()
		require.Equal(t, keep(again), keep(p))
		require.Equal(t, againErr, err)
		want, wantErr := firstValue(text)
		switch {
		case err == nil:
			require.NoError(t, wantErr)
			require.Equal(t, string(want), string(p.Text))
			require.Equal(t, p.Offset+int64(len(p.Text)), w.Offset())
			require.True(t, json.Valid(p.Text))
			require.LessOrEqual(t, bracketDepth(p.Text), MaxDepth)
		case errors.Is(err, ErrNotJSON) && wantErr == nil:
			alone := len(bytes.TrimLeft(bytes.TrimLeft(text, " \t\r\n")[len(want):][:1], " \t\r\n")) == 0
			require.True(t, bracketDepth(want) > MaxDepth || !isBracket(want[0]) && !alone, "%v", err)
		case err == io.EOF:
			require.Empty(t, bytes.TrimLeft(text, " \t\r\n"))
		case errors.Is(err, errSource):
			require.True(t, faulty)
			require.True(t, wantErr != nil || !isBracket(want[0]))
		}
	})
}

// FuzzTextRun holds the search by words against one by bytes.
func FuzzTextRun(f *testing.F) {
	f.Add([]byte("plain text\" and more"))
	f.Add([]byte("\xff\xa2\xdc\x80 !#\x1f"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for i := range b {
			want := i
			for want < len(b) && b[want] >= 0x20 && b[want] != '"' && b[want] != '\\' {
				want++
			}
			require.Equal(t, want, textRun(b, i))
		}
	})
}

func TestIsJSON(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want bool
	}{
		"nothing":                       {"", false},
		"an object":                     {`{"a":1} x`, true},
		"an indented one":               {"\n  {\n}", true},
		"an object that does not end":   {`{"a":1`, false},
		"an array of objects":           {`[{"a":1},`, true},
		"a text in brackets":            {`[main] started`, false},
		"a text":                        {"text", false},
		"a value that is no object":     {"17", false},
		"an object of more than may be": {`{"a":"` + strings.Repeat("x", MaxValueBytes) + `"}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			for how, sizes := range cuts() {
				var w Window
				w.Reset(&source{data: []byte(tc.text), sizes: sizes, end: io.EOF})
				assert.Equal(t, tc.want, w.IsJSON(), how)
				line, _ := w.Line()
				first, _, _ := strings.Cut(strings.TrimPrefix(tc.text, "\n"), "\n")
				assert.True(t, strings.HasPrefix(first, string(line.Text)), "nothing is taken but empty lines")
			}
		})
	}
}

func TestScannedCountsEveryLook(t *testing.T) {
	var w Window
	w.Reset(strings.NewReader(`{"a":1}`))
	assert.Zero(t, w.Scanned())
	assert.True(t, w.IsJSON())
	assert.Equal(t, int64(7), w.Scanned())
	_, err := w.Value()
	assert.NoError(t, err)
	assert.Equal(t, int64(14), w.Scanned())
	w.Reset(strings.NewReader(`{"a":` + strings.Repeat("[", 1000)))
	assert.False(t, w.IsJSON())
	assert.Positive(t, w.Scanned())
}

func TestFirst(t *testing.T) {
	var w Window
	assert.Zero(t, w.First())
	w.Reset(strings.NewReader("{} x"))
	assert.Equal(t, byte('{'), w.First())
	_, err := w.Document().Read(make([]byte, 1))
	assert.NoError(t, err)
	assert.Equal(t, byte(' '), w.First(), "what is left of a document is passed over")
}
