package process

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMember(t *testing.T) {
	for name, tc := range map[string]struct {
		text, want string
		ok         bool
	}{
		"first":                       {`{"k":1,"b":2}`, `1`, true},
		"last, white space":           {"{ \"b\" : [ {} ] ,\n\"k\" :\t\"v\" } ", `"v"`, true},
		"behind brackets in a text":   {`{"a":"}]{","k":true}`, `true`, true},
		"behind an escaped quote":     {`{"a":"\\\"","k":{"k":[1]}}`, `{"k":[1]}`, true},
		"list":                        {`{"k":[1,"]",{"a":2}]}`, `[1,"]",{"a":2}]`, true},
		"of two, the first":           {`{"k":1,"k":2}`, `1`, true},
		"not there":                   {`{"a":{"k":1}}`, ``, false},
		"empty object":                {`{}`, ``, false},
		"list of objects":             {`[{"k":1}]`, ``, false},
		"text":                        {`"k"`, ``, false},
		"nothing":                     {``, ``, false},
		"brace alone":                 {`{`, ``, false},
		"not closed":                  {`{"k":1`, ``, false},
		"closed twice":                {`{"k":1}}`, ``, false},
		"text not closed":             {`{"k":"v}`, ``, false},
		"name not closed":             {`{"k}`, ``, false},
		"no colon":                    {`{"k" 1}`, ``, false},
		"no value":                    {`{"k":}`, ``, false},
		"value missing, others after": {`{"k":,"a":1}`, ``, false},
		"name is no text":             {`{1:2,"k":3}`, ``, false},
		"brackets do not balance":     {`{"a":[1,"k":2}`, ``, false},
		"brackets are only counted":   {`{"a":[1},"k":2}`, `2`, true},
	} {
		t.Run(name, func(t *testing.T) {
			value, ok := member([]byte(tc.text), "k")
			assert.Equal(t, tc.ok, ok)
			assert.Equal(t, tc.want, string(value))
		})
	}
}

func TestMentionsTags(t *testing.T) {
	for text, want := range map[string]bool{
		"ddtags": true, `{"ddtags":1}`: true, "xddtagsx": true, "dddtags": true, "ddtagddtags": true, "gggggddtags": true,
		"": false, "ddtag": false, "dtags": false, "DDTAGS": false, "ddta": false, "ddtag s": false, "gs": false, "ddtaggs": false,
	} {
		assert.Equal(t, want, mentionsTags([]byte(text)), text)
	}
}

func FuzzMentionsTags(f *testing.F) {
	f.Add([]byte("gddtagddtags"))
	f.Fuzz(func(t *testing.T, text []byte) {
		require.Equal(t, bytes.Contains(text, []byte("ddtags")), mentionsTags(text))
	})
}

// rawMembers are the members of a valid JSON object that are called name, by encoding/json. ok is false for what is no
// object.
func rawMembers(t *testing.T, text []byte, name string) (values []json.RawMessage, ok bool) {
	t.Helper()
	if len(text) == 0 || text[0] != '{' {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	_, err := d.Token()
	require.NoError(t, err)
	for d.More() {
		key, err := d.Token()
		require.NoError(t, err)
		var value json.RawMessage
		require.NoError(t, d.Decode(&value))
		if key == name {
			values = append(values, value)
		}
	}
	return values, true
}

// FuzzMember holds member against encoding/json: on valid JSON they find the same bytes, on anything else member finds a
// piece of the text or nothing.
func FuzzMember(f *testing.F) {
	for _, seed := range []string{
		`{"ddtags":"a:1"}`, `{"a":[{"ddtags":1}],"ddtags":["b"]}`, `{"dd\u0074ags":1}`, `{"a":"\\","ddtags":-1.5e3 }`, `{}`, `[`, `{"ddtags":{}`,
		`{"x":"\"ddtags\":1","ddtags":null,"ddtags":2}`, "{\"a\":1 ,\n\t\"ddtags\" : true}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		const name = "ddtags"
		got, found := member(text, name)
		require.True(t, found || got == nil)
		require.True(t, bytes.Contains(text, got))
		liftedTags(got)
		if !json.Valid(text) {
			return
		}
		values, ok := rawMembers(t, bytes.TrimSpace(text), name)
		if !ok {
			return
		}
		require.Equal(t, len(values) > 0, found)
		if found {
			require.Equal(t, string(values[0]), string(got))
		}
	})
}
