package record

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestParseTags(t *testing.T) {
	for name, tc := range map[string]struct {
		list string
		want Tags
	}{
		"nothing":                      {"", nil},
		"only commas and white space":  {" , ,\t", nil},
		"one":                          {"env:prod", Tags{{"env", "prod"}}},
		"a bare word has no value":     {"canary", Tags{{"canary", ""}}},
		"a value may hold colons":      {"url:https://example.com:8080", Tags{{"url", "https://example.com:8080"}}},
		"white space around is cut":    {" env:prod ,\tteam:a b ", Tags{{"env", "prod"}, {"team", "a b"}}},
		"a key may repeat, in order":   {"team:b,env:x,team:a", Tags{{"team", "b"}, {"env", "x"}, {"team", "a"}}},
		"empty entries are dropped":    {",a,,b,", Tags{{"a", ""}, {"b", ""}}},
		"an empty key is still a tag":  {":v", Tags{{"", "v"}}},
		"a colon without a value goes": {"env:", Tags{{"env", ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, ParseTags(tc.list))
		})
	}
}

func TestTagString(t *testing.T) {
	for want, tag := range map[string]Tag{
		"env:prod": {"env", "prod"},
		"canary":   {"canary", ""},
		"a:b:c":    {"a", "b:c"},
	} {
		assert.Equal(t, want, tag.String())
		assert.Equal(t, tag, ParseTag(want))
	}
}

func TestTagsGet(t *testing.T) {
	tags := ParseTags("team:b,canary,team:a")
	value, ok := tags.Get("team")
	assert.True(t, ok)
	assert.Equal(t, "b", value, "the first counts")

	value, ok = tags.Get("canary")
	assert.True(t, ok)
	assert.Empty(t, value)

	_, ok = tags.Get("env")
	assert.False(t, ok)
}

func TestTagsWithout(t *testing.T) {
	tags := ParseTags("team:b,env:x,team:a")
	assert.Equal(t, ParseTags("env:x"), tags.Without("team"))
	assert.Equal(t, ParseTags("team:b,env:x,team:a"), tags.Without("service"))
	assert.Equal(t, ParseTags("team:b,env:x,team:a"), tags, "the list itself is not changed")
}
