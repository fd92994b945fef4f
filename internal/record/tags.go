package record

import (
	"slices"
	"strings"
)

// Tag is one label of a record. A tag without a value is a bare word.
type Tag struct {
	Key, Value string
}

// String gives the tag as `key:value`, or `key` when there is no value.
func (t Tag) String() string {
	if t.Value == "" {
		return t.Key
	}
	return t.Key + ":" + t.Value
}

// ParseTag cuts text at its first colon: values may hold further ones.
func ParseTag(text string) Tag {
	key, value, _ := strings.Cut(text, ":")
	return Tag{Key: key, Value: value}
}

// Tags is an ordered multimap: a key may stand several times, and order is kept.
type Tags []Tag

// ParseTags reads a comma-separated list such as `env:prod,team:a`. White space around a tag and empty entries are
// dropped.
func ParseTags(list string) Tags {
	var tags Tags
	for text := range strings.SplitSeq(list, ",") {
		if text = strings.TrimSpace(text); text != "" {
			tags = append(tags, ParseTag(text))
		}
	}
	return tags
}

// Get returns the first value of a key.
func (t Tags) Get(key string) (value string, ok bool) {
	for _, tag := range t {
		if tag.Key == key {
			return tag.Value, true
		}
	}
	return "", false
}

// Without returns a copy that has none of the tags with this key.
func (t Tags) Without(key string) Tags {
	return slices.DeleteFunc(slices.Clone(t), func(tag Tag) bool { return tag.Key == key })
}

// With returns a copy in which key has this one value.
func (t Tags) With(key, value string) Tags {
	return append(t.Without(key), Tag{Key: key, Value: value})
}
