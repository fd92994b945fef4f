package datadog

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

func TestJoinTags(t *testing.T) {
	letters := strings.Repeat("é", maxTagRunes)
	for name, tc := range map[string]struct {
		tags [][2]string // key and value
		want string
	}{
		"none":                            {nil, ""},
		"in order, a key may repeat":      {[][2]string{{"b", "1"}, {"a", "2"}, {"b", "3"}}, "b:1,a:2,b:3"},
		"no value":                        {[][2]string{{"canary", ""}}, "canary"},
		"comma in a value":                {[][2]string{{"a", "1,env:prod"}}, "a:1_env:prod"},
		"comma in a key":                  {[][2]string{{"a,b", "c"}}, "a_b:c"},
		"comma alone":                     {[][2]string{{",", ""}}, "_"},
		"colon in a value":                {[][2]string{{"url", "http://example.com:80/a.b-c_d"}}, "url:http://example.com:80/a.b-c_d"},
		"spaces within":                   {[][2]string{{"team", "a b"}}, "team:a_b"},
		"spaces around":                   {[][2]string{{" team", "a \n"}}, "team:a"},
		"control characters":              {[][2]string{{"a", "1\x00\x1b\n2"}}, "a:1___2"},
		"quotes and backslashes":          {[][2]string{{"a", `"\`}}, "a:__"},
		"letters of any script":           {[][2]string{{"ort", "Zürich東京"}}, "ort:Zürich東京"},
		"digits of any script":            {[][2]string{{"n", "٣"}}, "n:٣"},
		"emoji and line separators":       {[][2]string{{"a", "\u2028🚚"}}, "a:__"},
		"no UTF-8":                        {[][2]string{{"a", "x\xffy"}}, "a:x_y"},
		"nothing but space":               {[][2]string{{"  ", ""}, {"a", "1"}}, "a:1"},
		"empty key":                       {[][2]string{{"", "v"}}, ":v"},
		"200 characters":                  {[][2]string{{letters, ""}}, letters},
		"201 characters":                  {[][2]string{{letters + "x", ""}}, letters},
		"200 characters, key and value":   {[][2]string{{"k", letters}}, "k:" + strings.Repeat("é", maxTagRunes-2)},
		"what is cut counts as it became": {[][2]string{{strings.Repeat("\xff", maxTagRunes+1), ""}}, strings.Repeat("_", maxTagRunes)},
	} {
		t.Run(name, func(t *testing.T) {
			var tags record.Tags
			for _, pair := range tc.tags {
				tags = append(tags, record.Tag{Key: pair[0], Value: pair[1]})
			}
			assert.Equal(t, tc.want, JoinTags(tags))
		})
	}
}

// FuzzJoinTags: no text in a tag ends it or starts another one.
func FuzzJoinTags(f *testing.F) {
	f.Add("a", "1,b:2")
	f.Add(" ", "\xff\x00é")
	f.Fuzz(func(t *testing.T, key, value string) {
		got := JoinTags(record.Tags{{Key: key, Value: value}, {Key: "end", Value: "1"}})
		require.LessOrEqual(t, strings.Count(got, ","), 1)
		require.True(t, got == "end:1" || strings.HasSuffix(got, ",end:1"))
		require.True(t, utf8.ValidString(got))
		require.LessOrEqual(t, utf8.RuneCountInString(got), maxTagRunes+len(",end:1"))
	})
}
