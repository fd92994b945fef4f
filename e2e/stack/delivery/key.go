package delivery

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// A prefix is literal text and expressions, `!{namespace:value}`. Developer guide, "Custom prefixes for Amazon S3 objects".
type template []part

type part struct {
	literal string
	what    expression
	layout  javaTime // of a timestamp
	name    string   // of a partition key
}

type expression int

const (
	exprLiteral expression = iota
	exprTimestamp
	exprRandom
	exprErrorType
	exprPartitionKey
)

const (
	timePath      = "2006/01/02/15/" // what is appended to a prefix without expressions
	randomLength  = 11
	randomLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)

// parseTemplate reads a prefix.
func parseTemplate(text string) (template, error) {
	var t template
	for rest := text; rest != ""; {
		literal, after, found := strings.Cut(rest, "!{")
		if literal != "" {
			t = append(t, part{literal: literal})
		}
		if !found {
			break
		}
		body, tail, closed := strings.Cut(after, "}")
		if !closed {
			return nil, fmt.Errorf("%q: an expression does not end", text)
		}
		p, err := parseExpression(body)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		t = append(t, p)
		rest = tail
	}
	return t, nil
}

func parseExpression(body string) (part, error) {
	namespace, value, _ := strings.Cut(body, ":")
	switch {
	case namespace == "timestamp":
		layout, err := parseJavaTime(value)
		return part{what: exprTimestamp, layout: layout}, err
	case body == "firehose:random-string":
		return part{what: exprRandom}, nil
	case body == "firehose:error-output-type":
		return part{what: exprErrorType}, nil
	case namespace == "partitionKeyFromLambda" && value != "":
		return part{what: exprPartitionKey, name: value}, nil
	}
	return part{}, fmt.Errorf("the expression !{%s} is not played here", body)
}

func (t template) has(what expression) bool {
	for _, p := range t {
		if p.what == what {
			return true
		}
	}
	return false
}

func (t template) expressive() bool {
	for _, p := range t {
		if p.what != exprLiteral {
			return true
		}
	}
	return false
}

func (t template) partitioned() bool { return t.has(exprPartitionKey) }

// partitionKeys are the names of the keys a record must have.
func (t template) partitionKeys() []string {
	var names []string
	for _, p := range t {
		if p.what == exprPartitionKey {
			names = append(names, p.name)
		}
	}
	return names
}

// place is what a template is evaluated for.
type place struct {
	at   time.Time // in the zone of the keys
	kind Kind      // of an error object
	keys map[string]string
}

func (t template) evaluate(p place, random *rand.Rand) string {
	var b strings.Builder
	for _, part := range t {
		switch part.what {
		case exprTimestamp:
			b.WriteString(part.layout.format(p.at))
		case exprRandom:
			for range randomLength {
				b.WriteByte(randomLetters[random.IntN(len(randomLetters))])
			}
		case exprErrorType:
			b.WriteString(string(p.kind))
		case exprPartitionKey:
			b.WriteString(p.keys[part.name])
		default:
			b.WriteString(part.literal)
		}
	}
	return b.String()
}

// prefixes are the evaluated settings of one place for objects.
type prefixes struct {
	good template
	bad  template
}

// newPrefixes reads both prefixes. Without expressions the time path is appended as it is, with no slash before it; an
// error prefix gets the error type first.
func newPrefixes(o Objects) (prefixes, error) {
	good, err := parseTemplate(o.Prefix)
	if err != nil {
		return prefixes{}, fmt.Errorf("Prefix %w", err)
	}
	bad, err := parseTemplate(o.ErrorPrefix)
	if err != nil {
		return prefixes{}, fmt.Errorf("ErrorPrefix %w", err)
	}
	switch {
	case good.has(exprErrorType):
		return prefixes{}, errors.New("Prefix: the error type is for ErrorPrefix")
	case bad.partitioned():
		return prefixes{}, errors.New("ErrorPrefix: partition keys are for Prefix")
	case good.expressive() && o.ErrorPrefix == "":
		return prefixes{}, errors.New("ErrorPrefix: set it, as Prefix has expressions")
	case bad.expressive() && !bad.has(exprErrorType):
		return prefixes{}, errors.New("ErrorPrefix: add !{firehose:error-output-type}")
	}
	if o.ErrorPrefix == "" {
		bad = good
	}
	hours := part{what: exprTimestamp, layout: javaTime{{layout: timePath}}}
	if !bad.expressive() {
		bad = append(append(template{}, bad...), part{what: exprErrorType}, part{literal: "/"}, hours)
	}
	if !good.expressive() {
		good = append(append(template{}, good...), hours)
	}
	return prefixes{good: good, bad: bad}, nil
}

// name is the last part of a key. Developer guide, "Amazon S3 object name format".
func (s *Stream) name(at time.Time, extension string) string {
	return fmt.Sprintf("%s-%d-%s-%s%s", s.cfg.Name, s.cfg.Version, at.Format("2006-01-02-15-04-05"), s.uuid(), extension)
}
