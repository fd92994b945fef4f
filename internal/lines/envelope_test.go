package lines

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEnvelope(t *testing.T) {
	for name, tc := range map[string]struct {
		text          string
		no            bool // it is no envelope
		want          []string
		err           string // of Element, empty for io.EOF
		before, after string
		restErr       string
		rest          string // what the window then stands at
	}{
		"records":                           {text: `{"Records":[{"a":1},{"b":[2]}]}`, want: []string{`{"a":1}`, `{"b":[2]}`}},
		"no records":                        {text: `{"Records":[]}`},
		"white space everywhere":            {text: "\n { \"Records\" : [ 1 ,\n2 ] } x", want: []string{"1", "2"}, rest: " x"},
		"any elements":                      {text: `{"Records":["a",1,-2.5,true,null,[],{}]}`, want: []string{`"a"`, `1`, `-2.5`, `true`, `null`, `[]`, `{}`}},
		"another name":                      {text: `{"logEvents":[1]}{`, want: []string{"1"}, rest: "{"},
		"members before":                    {text: `{"v":"1.0", "n":2,"b":null ,"Records":[1]}`, want: []string{"1"}, before: `"v":"1.0", "n":2,"b":null`},
		"members after":                     {text: `{"Records":[1] , "v":{"a":[2]},"w":3 }`, want: []string{"1"}, after: `"v":{"a":[2]},"w":3`},
		"members around":                    {text: `{"a":0,"Records":[1],"Records":[2]}`, want: []string{"1"}, before: `"a":0`, after: `"Records":[2]`},
		"a scalar of the name before":       {text: `{"Records":2,"Records":[1]}`, want: []string{"1"}, before: `"Records":2`},
		"an object that has no array":       {text: `{"a":1}`, no: true},
		"an empty object":                   {text: `{}`, no: true},
		"an array with another name":        {text: `{"other":[1]}`, no: true},
		"an array with another name before": {text: `{"other":[],"Records":[1]}`, no: true},
		"an object before":                  {text: `{"other":{},"Records":[1]}`, no: true},
		"a name with an escape":             {text: `{"\u0052ecords":[1]}`, no: true},
		"a name that goes on":               {text: `{"Records:":[1]}`, no: true},
		"an object named so":                {text: `{"Records":{"Records":[1]}}`, no: true},
		"no object":                         {text: `[{"Records":[1]}]`, no: true},
		"nothing":                           {text: "", no: true},
		"cut in the header":                 {text: `{"Records":`, no: true},
		"cut in the first name":             {text: `{"Rec`, no: true},
		"a header that is broken":           {text: `{"a":01,"Records":[1]}`, no: true},
		"a header that is too long":         {text: `{"a":"` + strings.Repeat("x", maxHeaderBytes) + `","Records":[1]}`, no: true},
		"an element that is broken":         {text: `{"Records":[{"a":1}, {"b":x}]}`, want: []string{`{"a":1}`}, err: "not JSON at byte 26: want a value", rest: `{"b":x}]}`},
		"an element that is cut":            {text: `{"Records":[{"a":1},{"b":`, want: []string{`{"a":1}`}, err: "at byte 25: the stream ends", rest: `{"b":`},
		"cut behind an element":             {text: `{"Records":[1`, want: []string{"1"}, err: "at byte 13: the stream ends", rest: ""},
		"cut behind a comma":                {text: `{"Records":[1, `, want: []string{"1"}, err: "at byte 15: the stream ends", rest: ""},
		"a comma missing":                   {text: `{"Records":[1 2]}`, want: []string{"1"}, err: "at byte 14: want a comma or the end of the array", rest: "2]}"},
		"a comma too many":                  {text: `{"Records":[1,]}`, want: []string{"1"}, err: "at byte 14: want a value", rest: "]}"},
		"a comma first":                     {text: `{"Records":[,1]}`, err: "at byte 12: want a value", rest: ",1]}"},
		"an element that is too long":       {text: `{"Records":[1,["` + strings.Repeat("x", MaxValueBytes) + `"]]}`, want: []string{"1"}, err: "more than 2097152 bytes from byte 14 on", rest: `["xx`},
		"members after that are broken":     {text: `{"a":1,"Records":[2],"b"}x`, want: []string{"2"}, before: `"a":1`, restErr: "at byte 24: want a colon", rest: `,"b"}x`},
		"an object that does not end":       {text: `{"Records":[1]`, want: []string{"1"}, restErr: "at byte 14: the stream ends", rest: ""},
		"an object that ends otherwise":     {text: `{"Records":[1]]`, want: []string{"1"}, restErr: "at byte 14: want a comma or the end of the object", rest: "]"},
		"members after that are too long":   {text: `{"Records":[1],"a":"` + strings.Repeat("x", MaxValueBytes) + `"}`, want: []string{"1"}, restErr: "too long", rest: `,"a"`},
	} {
		t.Run(name, func(t *testing.T) {
			ways := cuts()
			if len(tc.text) > 1000 {
				ways = map[string][]byte{"at once": nil, "in small reads": {255, 0, 3}}
			}
			for how, sizes := range ways {
				w := over(tc.text, io.EOF, sizes...)
				e, ok := w.Envelope("logEvents", "Records")
				require.Equal(t, tc.no, !ok, how)
				if !ok {
					assert.Zero(t, w.Offset(), how)
					continue
				}
				list, err := collect(e.Element)
				assert.Equal(t, tc.want, texts(list), how)
				for _, p := range list {
					assert.Equal(t, whole(tc.text[p.Offset:][:len(p.Text)], p.Offset), p, how)
				}
				_, again := e.Element()
				assert.Equal(t, err, again, how)
				before, after, restErr := e.Rest()
				if tc.err != "" {
					assert.ErrorContains(t, err, tc.err, how)
					assert.Equal(t, err, restErr, how)
				} else {
					assert.Equal(t, io.EOF, err, how)
					assert.Equal(t, tc.before, string(before), how)
					assert.Equal(t, tc.after, string(after), how)
					assert.Equal(t, tc.restErr != "", restErr != nil, how)
				}
				if tc.restErr != "" {
					assert.ErrorContains(t, restErr, tc.restErr, how)
				}
				assert.Contains(t, tc.text, `"`+e.Name()+`"`, how)
				if rest := string(w.Peek(100)); tc.rest == "" || len(rest) < 100 {
					assert.Equal(t, tc.rest, rest, how)
				} else {
					assert.True(t, strings.HasPrefix(rest, tc.rest), how)
				}
			}
		})
	}
}

func TestEnvelopeRestTwice(t *testing.T) {
	w := over(`{"a":1,"Records":[],"b":2},"c":3}`, io.EOF)
	e, ok := w.Envelope("Records")
	require.True(t, ok)
	_, _, err := e.Rest()
	assert.Equal(t, errElementsLeft, err)
	_, err = e.Element()
	require.Equal(t, io.EOF, err)
	_, after, err := e.Rest()
	require.NoError(t, err)
	assert.Equal(t, `"b":2`, string(after))
	before, after, err := e.Rest()
	require.NoError(t, err)
	assert.Equal(t, `"a":1`, string(before))
	assert.Empty(t, after)
	assert.Equal(t, "Records", e.Name())
	assert.Equal(t, `,"c":3}`, string(w.Peek(100)))
}

func TestEnvelopeBeforeAFault(t *testing.T) {
	for text, want := range map[string]struct {
		n    int // elements
		rest string
	}{
		`{"Records":[`:              {0, ""},
		`{"Records":[{"a":1}`:       {1, ""},
		`{"Records":[{"a":1},`:      {1, ""},
		`{"Records":[{"a":1},{"b"`:  {1, `{"b"`},
		`{"Records":[{"a":1}] , "b`: {1, ` , "b`},
	} {
		for how, sizes := range cuts() {
			w := over(text, errSource, sizes...)
			e, ok := w.Envelope("Records")
			require.True(t, ok, how)
			list, err := collect(e.Element)
			if strings.Contains(text, "]") {
				require.Equal(t, io.EOF, err, how)
				_, _, err = e.Rest()
			}
			assert.Equal(t, errSource, err, how)
			assert.Len(t, list, want.n, how)
			assert.Equal(t, want.rest, string(w.Peek(100)), how)
		}
	}
	_, ok := over(`{"Rec`, errSource).Envelope("Records")
	assert.False(t, ok)
}

func TestArray(t *testing.T) {
	long := strings.Repeat("x", MaxValueBytes)
	for name, tc := range map[string]struct {
		text string
		no   bool
		want []string
	}{
		"objects":                              {text: `[{"a":1},{"b":2}]`, want: []string{`{"a":1}`, `{"b":2}`}},
		"objects over lines":                   {text: "\n[\n {\"a\":1}\n,\n {\"b\":2}\n]\n", want: []string{`{"a":1}`, `{"b":2}`}},
		"one object, touched":                  {text: `[{"a":1}]{"b":2}`, want: []string{`{"a":1}`}},
		"one object, with text behind":         {text: `[{"a":1}] text`, want: []string{`{"a":1}`}},
		"objects, broken later":                {text: `[{"a":1},x`, want: []string{`{"a":1}`}},
		"objects, cut later":                   {text: `[{"a":1},{"b`, want: []string{`{"a":1}`}},
		"arrays":                               {text: `[[1],[2]]`, want: []string{`[1]`, `[2]`}},
		"strings":                              {text: `["a","b"]`, want: []string{`"a"`, `"b"`}},
		"one string":                           {text: `["a"]` + " \r\n", want: []string{`"a"`}},
		"nothing in it":                        {text: `[]`},
		"nothing in it, a line":                {text: "[ ]\r\n{}"},
		"numbers":                              {text: "[1, 2.5,-3] \t\r\nx", want: []string{"1", "2.5", "-3"}},
		"numbers at the end":                   {text: "[1,null]", want: []string{"1", "null"}},
		"a time of log4j":                      {text: "[2024-02-01 00:00:00,151] INFO started (kafka.server)", no: true},
		"a time that starts like two numbers":  {text: "[00,151] INFO", no: true},
		"a number of a thread":                 {text: "[12345] started", no: true},
		"a list of numbers with text behind":   {text: "[12,345] started\n", no: true},
		"a worker":                             {text: "[Worker-0a1b2c] [2024-02-01 00:00:00,151] INFO", no: true},
		"a word":                               {text: "[INFO] started", no: true},
		"a word that JSON has":                 {text: "[null] started", no: true},
		"a quoted word":                        {text: `["main"] started`, no: true},
		"empty brackets with text behind":      {text: "[] started", no: true},
		"empty brackets, touched":              {text: "[]{}", no: true},
		"brackets in brackets":                 {text: "[[12345] message]", no: true},
		"an object with text behind":           {text: `[{"a":1} x]`, no: true},
		"an object that is cut":                {text: `[{"a":1`, no: true},
		"an object with nothing behind":        {text: `[{"a":1}`, no: true},
		"an object that is too long":           {text: `[{"a":"` + long + `"}]`},
		"a text that is too long":              {text: `["` + long + `"]`, no: true},
		"numbers over lines":                   {text: "[1,\n2]", no: true},
		"numbers that are too long":            {text: "[" + strings.Repeat("1,", MaxValueBytes/2) + "1]", no: true},
		"numbers with NUL behind":              {text: "[1]\x00", no: true},
		"more white space than is looked at":   {text: "[" + strings.Repeat(" ", MaxPeekBytes+1) + "{}]", no: true},
		"more white space behind than that":    {text: "[{}" + strings.Repeat(" ", maxAheadBytes) + "]", no: true},
		"a bracket alone":                      {text: "[", no: true},
		"an object":                            {text: `{"a":[1]}`, no: true},
		"nothing":                              {text: " ", no: true},
		"a bracket that closes":                {text: "]", no: true},
		"a comma":                              {text: "[,1]", no: true},
		"objects deeper than a window may see": {text: `[` + nested(65) + `]`, no: true},
	} {
		t.Run(name, func(t *testing.T) {
			ways := cuts()
			if len(tc.text) > 1000 {
				ways = map[string][]byte{"at once": nil, "in small reads": {255, 0, 3}}
			}
			for how, sizes := range ways {
				w := over(tc.text, io.EOF, sizes...)
				e, ok := w.Array()
				require.Equal(t, tc.no, !ok, how)
				if !ok {
					line, err := w.Line()
					require.True(t, err == io.EOF || line.Offset == 0, how)
					continue
				}
				list, _ := collect(e.Element)
				assert.Equal(t, tc.want, texts(list), how)
				assert.Empty(t, e.Name(), how)
				before, after, err := e.Rest()
				assert.Empty(t, before, how)
				assert.Empty(t, after, how)
				assert.True(t, err == nil || errors.Is(err, ErrNotJSON) || errors.Is(err, ErrTooLong), how)
			}
		})
	}
	_, ok := over("[12]", errSource).Array()
	assert.False(t, ok, "text may follow behind the fault")
}

func TestElementsOf100MBInConstantMemory(t *testing.T) {
	element := `{"a":"` + strings.Repeat("x", 1000) + `"},`
	const count = 100_000
	var w Window
	readers := []io.Reader{strings.NewReader(`{"Records":[`)}
	for range count / 1000 {
		readers = append(readers, strings.NewReader(strings.Repeat(element, 1000)))
	}
	w.Reset(io.MultiReader(append(readers, strings.NewReader("0]}"))...))
	e, ok := w.Envelope("Records")
	require.True(t, ok)
	n := 0
	for _, err := e.Element(); err == nil; _, err = e.Element() {
		n++
	}
	assert.Equal(t, count+1, n)
	assert.Len(t, w.buf, firstBufferBytes)
	_, _, err := e.Rest()
	assert.NoError(t, err)
}

// referenceElements are the elements of the array in the first member named Records, as encoding/json sees them.
func referenceElements(text []byte) (list []string, ok bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, false
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, false
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return nil, false
		}
		if name == "Records" && value[0] == '[' {
			var all []json.RawMessage
			ok = json.Unmarshal(value, &all) == nil
			for _, v := range all {
				list = append(list, string(v))
			}
			return list, ok
		}
	}
	return nil, false
}

// FuzzEnvelope holds Envelope and Array against encoding/json, and against themselves with other reads.
func FuzzEnvelope(f *testing.F) {
	for _, text := range []string{
		`{"Records":[{"a":1}, {"b":"]"}]}`, `{"v":1,"Records":[1,"a",[]],"w":{}}`, `{"Records":[{"a":1},x]}`, `{"Records":[]}{`,
		`[{"a":1},{"b":2}]`, "[1,2]\n", "[2024-02-01 00:00:00,151] INFO", `["a","b"]`,
	} {
		f.Add([]byte(text), []byte{1, 0, 3})
	}
	f.Fuzz(func(t *testing.T, text, sizes []byte) {
		if !reading(sizes) {
			return
		}
		took, takes := takeEnvelope(over(string(text), io.EOF, sizes...))
		again, _ := takeEnvelope(over(string(text), io.EOF))
		require.Equal(t, again, took)
		if !takes {
			return
		}
		if took.err == nil { // all of it was valid JSON
			value, err := firstValue(text)
			require.NoError(t, err)
			want, ok := referenceElements(value)
			if took.name == "" {
				ok = json.Unmarshal(value, &[]json.RawMessage{}) == nil
				want, _ = referenceElements(fmt.Appendf(nil, `{"Records":%s}`, value))
			}
			require.True(t, ok)
			require.Equal(t, want, took.elements)
			require.True(t, json.Valid([]byte("{"+took.before+"}")))
			require.True(t, json.Valid([]byte("{"+took.after+"}")))
		}
	})
}

type taken struct {
	name, before, after string
	elements            []string
	err                 error
	offset              int64
}

func takeEnvelope(w *Window) (all taken, ok bool) {
	e, ok := w.Envelope("Records")
	if !ok {
		e, ok = w.Array()
	}
	if !ok {
		return taken{offset: w.Offset()}, false
	}
	list, _ := collect(e.Element)
	before, after, err := e.Rest()
	return taken{e.Name(), string(before), string(after), texts(list), err, w.Offset()}, true
}
