package tags

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"sluice/internal/record"
)

const (
	maxTagChars = 200 // of a tag's text (Datadog documentation, "Getting Started with Tags")
	maxTags     = 50  // of a resource (AWS General Reference, "Tag naming limits and requirements")
)

// Clean is a tag of AWS as the Datadog Forwarder writes it, `key:value`, or `key` when there is no value; empty when
// nothing is left of the key. Letters become small. What is no letter, digit, `_`, `:`, `-`, `.` or `/` becomes `_`, and
// so does `:` in a key. There is one `_` for a run of them, none at the end, and a key starts with neither `_` nor a
// digit. 200 characters are left. A text that is clean stays as it is.
func Clean(key, value string) string {
	key = cut(cleanWord(key, true), maxTagChars)
	if key == "" {
		return ""
	}
	value = cut(cleanWord(value, false), maxTagChars-utf8.RuneCountInString(key)-1)
	if value == "" {
		return key
	}
	return key + ":" + value
}

func cleanWord(text string, isKey bool) string {
	clean := make([]byte, 0, len(text))
	last := rune(0)
	for _, r := range text {
		r = unicode.ToLower(r)
		if !isTagChar(r) || isKey && r == ':' {
			r = '_'
		}
		if r == '_' && last == '_' {
			continue
		}
		if isKey && len(clean) == 0 && (r == '_' || unicode.IsDigit(r)) {
			continue
		}
		clean, last = utf8.AppendRune(clean, r), r
	}
	return strings.TrimRight(string(clean), "_")
}

func isTagChar(r rune) bool {
	switch r {
	case '_', ':', '-', '.', '/':
		return true
	}
	return unicode.IsLetter(r) || unicode.IsNumber(r)
}

// cut keeps the first chars of a text, and no `_` at the end.
func cut(text string, chars int) string {
	for i := range text {
		if chars <= 0 {
			return strings.TrimRight(text[:i], "_")
		}
		chars--
	}
	return text
}

// cleaned are the tags that texts stand for: sorted, each one once, and not more than a resource can have.
func cleaned(texts []string) record.Tags {
	slices.Sort(texts)
	texts = slices.DeleteFunc(slices.Compact(texts), func(text string) bool { return text == "" })
	texts = texts[:min(len(texts), maxTags)]
	if len(texts) == 0 {
		return nil
	}
	tags := make(record.Tags, len(texts))
	for i, text := range texts {
		tags[i] = record.ParseTag(text)
	}
	return slices.Clip(tags)
}
