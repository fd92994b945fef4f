package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"sluice/internal/secret"
)

const (
	minPort = 1
	maxPort = 65535

	maxTextBytes = 200 // of a tag or a source name; what Datadog takes of a tag
)

// kind is a way to read a value into a T: what is allowed, for problems and for the documentation, and the reading,
// which reports what is not.
type kind[T any] struct {
	allowed string
	read    func(*T, field)
}

// words reads one text with parse, which says whether it is allowed. White space around the text is no part of it. What
// is not allowed leaves the T as it was.
func words[T, V any](allowed string, at func(*T) *V, parse func(text string) (V, bool)) kind[T] {
	return kind[T]{allowed, func(t *T, f field) {
		text, ok := f.text(allowed)
		if !ok {
			return
		}
		value, ok := parse(strings.TrimSpace(text))
		if !ok {
			f.want(allowed)
			return
		}
		*at(t) = value
	}}
}

// word reads a text that is allowed as it is, or not at all.
func word[T any](allowed string, at func(*T) *string, is func(text string) bool) kind[T] {
	return words(allowed, at, func(text string) (string, bool) { return text, is(text) })
}

func number[T any](low, high int, at func(*T) *int) kind[T] {
	return words(fmt.Sprintf("a number from %d to %d", low, high), at, func(text string) (int, bool) {
		n, err := strconv.Atoi(text)
		return n, err == nil && n >= low && n <= high
	})
}

func toggle[T any](at func(*T) *bool) kind[T] {
	return words("true or false", at, func(text string) (bool, bool) {
		on := strings.EqualFold(text, "true")
		return on, on || strings.EqualFold(text, "false")
	})
}

// choice reads one of at least two values.
func choice[T any, E ~string](at func(*T) *E, values ...E) kind[T] {
	names := make([]string, len(values))
	for i, value := range values {
		names[i] = string(value)
	}
	last := len(names) - 1
	return words(strings.Join(names[:last], ", ")+" or "+names[last], at, func(text string) (E, bool) {
		return E(text), slices.Contains(values, E(text))
	})
}

func period[T any](low, high time.Duration, at func(*T) *time.Duration) kind[T] {
	allowed := fmt.Sprintf("a time such as 1500ms or 15s, from %gs to %gs", low.Seconds(), high.Seconds())
	return words(allowed, at, func(text string) (time.Duration, bool) {
		d, err := time.ParseDuration(text)
		return d, err == nil && d >= low && d <= high
	})
}

// units are the suffixes of a number of bytes.
var units = []struct {
	suffix string
	bytes  int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"", 1}}

func size[T any, N int | int64](low, high string, at func(*T) *N) kind[T] {
	least, _ := parseBytes(low)
	most, _ := parseBytes(high)
	allowed := fmt.Sprintf("a number of bytes such as 65536, 64KiB or 2MB, from %s to %s", low, high)
	return words(allowed, at, func(text string) (N, bool) {
		n, ok := parseBytes(text)
		return N(n), ok && n >= least && n <= most
	})
}

func parseBytes(text string) (int64, bool) {
	for _, unit := range units {
		digits, found := strings.CutSuffix(text, unit.suffix)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/unit.bytes {
			return 0, false
		}
		return n * unit.bytes, true
	}
	return 0, false
}

const wantName = "a text of 1 to 200 bytes without control characters"

// isName reports whether text has 1 to maxTextBytes bytes and no control characters.
func isName(text string) bool {
	return text != "" && len(text) <= maxTextBytes && !strings.ContainsFunc(text, unicode.IsControl)
}

const wantTags = "tags, each name:value or a name: a list, a comma list, or a mapping"

// tagList reads "a:b,c", [a:b, c] or {a: b}.
func tagList[T any](at func(*T) *[]string) kind[T] {
	return kind[T]{wantTags, func(t *T, f field) {
		var tags []string
		add := func(f field, tag string) {
			tag = strings.TrimSpace(tag)
			if !isName(tag) || strings.Contains(tag, ",") {
				f.want(fmt.Sprintf("a tag of 1 to %d bytes without commas and control characters", maxTextBytes))
				return
			}
			tags = append(tags, tag)
		}
		eachTag(f, add)
		*at(t) = tags
	}}
}

func eachTag(f field, add func(f field, tag string)) {
	switch f.shape() {
	case aList:
		for _, item := range f.items() {
			if text, ok := item.text("a tag"); ok {
				add(item, text)
			}
		}
	case aMapping:
		for _, member := range f.members() {
			if text, ok := member.text("the value of a tag"); ok {
				add(member, member.name+":"+text)
			}
		}
	default:
		text, _ := f.text(wantTags)
		for tag := range strings.SplitSeq(text, ",") {
			if strings.TrimSpace(tag) != "" {
				add(f, tag)
			}
		}
	}
}

// reference reads a reference to a secret; prefix is put before the text. The text never appears in a problem.
func reference[T any](prefix secret.Kind, at func(*T) *secret.Ref) kind[T] {
	const allowed = "a reference: secretsmanager:<name or ARN>[#member], ssm:<name or ARN>, kms:<base64>, env:<NAME> or " +
		"plain:<text>"
	return kind[T]{allowed, func(t *T, f field) {
		text, ok := f.text(allowed)
		if !ok {
			return
		}
		if prefix != "" {
			text = string(prefix) + ":" + text
		}
		ref, err := secret.ParseRef(text)
		if err != nil {
			f.fail(err.Error())
			return
		}
		*at(t) = ref
	}}
}

// address reads a URL. Of the text no more than the origin appears in a problem.
func address[T any](form urlForm, at func(*T) *URL) kind[T] {
	return kind[T]{form.allowed, func(t *T, f field) {
		text, ok := f.text(form.allowed)
		if !ok {
			return
		}
		u, problem := parseURL(strings.TrimSpace(text), form)
		if problem != "" {
			f.fail(problem)
			return
		}
		*at(t) = u
	}}
}
