package secret

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPick(t *testing.T) {
	for name, tc := range map[string]struct {
		text, member string
		want         string
		err          string
	}{
		"plain text":                                {text: " abc\n", want: "abc"},
		"a member of a plain text":                  {text: canary, member: "token", err: `member "token", have a plain text`},
		"the member asked for":                      {text: `{"DD_API_KEY":"a","token":"b"}`, member: "token", want: "b"},
		"DD_API_KEY before others":                  {text: `{"x":"a","DD_API_KEY":"b"}`, want: "b"},
		"the only string":                           {text: `{"n":1,"x":"a","none":null,"list":["b"]}`, want: "a"},
		"an escaped string":                         {text: `{"x":"a\u0062\n"}`, want: "ab\n"},
		"two strings, none of them DD_API_KEY":      {text: `{"b":"` + canary + `","a":"y"}`, err: `it has "a", "b": name one with #member`},
		"no strings":                                {text: `{}`, err: "it has no members"},
		"the member asked for is missing":           {text: `{"a":"` + canary + `"}`, member: "token", err: `no member "token"; it has "a"`},
		"the member asked for is a number":          {text: `{"token":1}`, member: "token", err: `"token" of its JSON object is not a string`},
		"the member asked for is null":              {text: `{"token":null}`, member: "token", err: `"token" of its JSON object is not a string`},
		"broken JSON is not taken for a plain text": {text: `{"DD_API_KEY":"` + canary, err: "starts like a JSON object and is none"},
		"control characters in a name are escaped":  {text: `{"a\n":"x","b":"y"}`, err: `"a\n"`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := pick(tc.text, tc.member)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				assert.NotContains(t, err.Error(), canary)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestPickNamesAtMostTwenty(t *testing.T) {
	text := `{"a":"x"`
	for i := range 30 {
		text += fmt.Sprintf(`,"m%d":"x"`, i)
	}
	_, err := pick(text+"}", "")
	require.ErrorContains(t, err, "11 more")
}
