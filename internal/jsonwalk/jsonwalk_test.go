package jsonwalk_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/jsonwalk"
)

type member struct{ name, value string }

func collect(w jsonwalk.Walk) ([]member, error) {
	var all []member
	for w.Next() {
		all = append(all, member{string(w.Name()), string(w.Value())})
	}
	return all, w.Err()
}

func TestObject(t *testing.T) {
	for name, tc := range map[string]struct {
		doc  string
		want []member
		err  string
	}{
		"empty object":                     {doc: `{}`},
		"white space everywhere":           {doc: " {\n\"a\" :\t1 , \"b\"\r: [ 1 , 2 ] } ", want: []member{{"a", "1"}, {"b", "[ 1 , 2 ]"}}},
		"every type of value":              {doc: `{"s":"x","n":-1.5e3,"t":true,"z":null,"o":{"k":{}},"a":[[]]}`, want: []member{{"s", `"x"`}, {"n", "-1.5e3"}, {"t", "true"}, {"z", "null"}, {"o", `{"k":{}}`}, {"a", "[[]]"}}},
		"brackets and quotes in strings":   {doc: `{"a":{"b":"}]\"{"},"c":1}`, want: []member{{"a", `{"b":"}]\"{"}`}, {"c", "1"}}},
		"string ends in a backslash":       {doc: `{"a":"x\\","b":"y\\\""}`, want: []member{{"a", `"x\\"`}, {"b", `"y\\\""`}}},
		"escaped member name":              {doc: `{"a\u0062":1}`, want: []member{{"ab", "1"}}},
		"same name twice":                  {doc: `{"a":1,"a":2}`, want: []member{{"a", "1"}, {"a", "2"}}},
		"bytes after the end":              {doc: `{"a":1}{"b":2}`, want: []member{{"a", "1"}}},
		"nothing":                          {doc: ``, err: `json at byte 0 of 0: expected an object`},
		"an array":                         {doc: ` [1]`, err: `json at byte 1 of 4: expected an object`},
		"cut in a name":                    {doc: `{"a`, err: `json at byte 1 of 3: member name is not closed`},
		"cut in a value: member before it": {doc: `{"a":1,"b":"x`, want: []member{{"a", "1"}, {"b", ""}}, err: "byte 11 of 13: value is missing or not closed"},
		"cut in a nested value":            {doc: `{"b":{"x":[1`, want: []member{{"b", ""}}, err: "byte 5 of 12: value is missing"},
		"cut in a nested string":           {doc: `{"b":{"x`, want: []member{{"b", ""}}, err: "byte 5 of 8: value is missing"},
		"cut after a value":                {doc: `{"a":1`, want: []member{{"a", "1"}}, err: `byte 6 of 6: expected ',' or the closing bracket`},
		"no colon":                         {doc: `{"a" 1}`, err: `expected ':'`},
		"no value":                         {doc: `{"a":}`, want: []member{{"a", ""}}, err: `byte 5 of 6: value is missing`},
		"no comma":                         {doc: `{"a":1 "b":2}`, want: []member{{"a", "1"}}, err: `expected ',' or the closing bracket`},
		"trailing comma":                   {doc: `{"a":1,}`, want: []member{{"a", "1"}}, err: `expected a member name`},
		"leading comma":                    {doc: `{,"a":1}`, err: `expected a member name`},
		"name with a broken escape":        {doc: `{"\x":1}`, err: `escape that is not JSON`},
		"name is not a string":             {doc: `{a:1}`, err: `expected a member name`},
		"closed by the wrong bracket":      {doc: `{"a":1]`, want: []member{{"a", "1"}}, err: `expected ',' or the closing bracket`},
		"quote escaped up to the end":      {doc: `{"a":"\"`, want: []member{{"a", ""}}, err: `not closed`},
		"name that opens with a backslash": {doc: `{"\"":1}`, want: []member{{`"`, "1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := collect(jsonwalk.Object([]byte(tc.doc)))
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
			} else {
				require.NoError(t, err)
			}
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestArray(t *testing.T) {
	got, err := collect(jsonwalk.Array([]byte(` [ {"a":"]"} ,"x", 3 ] `)))
	require.NoError(t, err)
	assert.Equal(t, []member{{"", `{"a":"]"}`}, {"", `"x"`}, {"", "3"}}, got)

	_, err = collect(jsonwalk.Array([]byte(`{"a":1}`)))
	require.ErrorContains(t, err, `expected an array`)
}

func TestValuesNotAskedForAreSkipped(t *testing.T) {
	w := jsonwalk.Object([]byte(`{"skip":{"a":["}"]},"take":"x"}`))
	require.True(t, w.Next())
	assert.Equal(t, byte('{'), w.First())
	require.True(t, w.Next())
	assert.Equal(t, "take", string(w.Name()))
	assert.Equal(t, `"x"`, string(w.Value()))
	assert.Equal(t, `"x"`, string(w.Value()), "asked for twice")
	assert.Equal(t, byte('"'), w.First(), "after the value was read")
	require.False(t, w.Next())
	require.False(t, w.Next(), "past the end")
	require.NoError(t, w.Err())
}

func TestFirstAtTheEndOfTheDocument(t *testing.T) {
	w := jsonwalk.Object([]byte(`{"a":`))
	require.True(t, w.Next())
	assert.Zero(t, w.First())
	require.False(t, w.Next())
	require.Error(t, w.Err())
}

func TestText(t *testing.T) {
	for name, tc := range map[string]struct {
		value string
		want  string
		ok    bool
	}{
		"plain":            {`"abc"`, "abc", true},
		"empty":            {`""`, "", true},
		"escaped":          {`"a\/b\u002b\n"`, "a/b+\n", true},
		"broken escape":    {`"a\q"`, "", false},
		"number":           {`12`, "", false},
		"null":             {`null`, "", false},
		"nothing":          {``, "", false},
		"one quote":        {`"`, "", false},
		"raw control byte": {"\"a\x01b\"", "a\x01b", true},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := jsonwalk.Text([]byte(tc.value))
			assert.Equal(t, tc.ok, ok)
			assert.Equal(t, tc.want, string(got))
		})
	}
}

func TestWalkDoesNotAllocate(t *testing.T) {
	doc := []byte(`{"a":"text","b":{"c":[1,2,3]},"d":4}`)
	allocs := testing.AllocsPerRun(100, func() {
		w := jsonwalk.Object(doc)
		for w.Next() {
			w.Value()
		}
		if w.Err() != nil {
			t.Fatal(w.Err())
		}
	})
	assert.Zero(t, allocs)
}

// FuzzObject holds the walk to encoding/json's decoder: a valid document in UTF-8 has the same members in the same order.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1,"b":[{"c":"}\""}]}`, ` {"\u0061" : null , "a":"\\"} `, `{"a":"`, `[1]`, `{"a":1,}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, err := collect(jsonwalk.Object(doc))
		if !json.Valid(doc) || !utf8.Valid(doc) || !bytes.HasPrefix(bytes.TrimLeft(doc, " \t\r\n"), []byte("{")) {
			return
		}
		require.NoError(t, err)
		assert.Equal(t, slowly(t, doc), got)
	})
}

func slowly(t *testing.T, doc []byte) []member {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(doc))
	_, err := dec.Token()
	require.NoError(t, err)
	var all []member
	for dec.More() {
		name, err := dec.Token()
		require.NoError(t, err)
		var value json.RawMessage
		require.NoError(t, dec.Decode(&value))
		all = append(all, member{name.(string), string(value)})
	}
	return all
}

func BenchmarkObjectPastALargeString(b *testing.B) {
	doc := []byte(`{"skip":"` + strings.Repeat("QUJD", 64<<10) + `","take":1}`)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		w := jsonwalk.Object(doc)
		for w.Next() {
		}
		if w.Err() != nil {
			b.Fatal(w.Err())
		}
	}
}
