package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	maxProblems   = 100 // in one error: nobody mends more at a time, and a log line has an end
	maxShownBytes = 100 // of a value in a problem; outside text is kept short (delivery contract, threat S11)
	maxNameBytes  = 40  // of a name in a place
)

// SettingError is one thing that is wrong, in one line. It holds no secret.
type SettingError struct {
	Place string // variable, or path in the document
	Line  int    // in the document, from 1; 0 for a variable
	Text  string // the value, unless it may be a secret, and what would be right
}

func (p SettingError) Error() string {
	if p.Line == 0 {
		return p.Place + ": " + p.Text
	}
	return fmt.Sprintf("%s (line %d): %s", p.Place, p.Line, p.Text)
}

// problems collects what is wrong, and what is merely worth saying, each once.
type problems struct {
	list     []SettingError // at most maxProblems
	more     bool           // there are more than list holds
	warnings []string
}

func (p *problems) add(problem SettingError) {
	switch {
	case slices.Contains(p.list, problem):
	case len(p.list) == maxProblems:
		p.more = true
	default:
		p.list = append(p.list, problem)
	}
}

func (p *problems) warn(place, text string) {
	if warning := place + ": " + text; !slices.Contains(p.warnings, warning) {
		p.warnings = append(p.warnings, warning)
	}
}

// err joins the problems; it prints a line for each.
func (p *problems) err() error {
	errs := make([]error, 0, len(p.list)+1)
	for _, problem := range p.list {
		errs = append(errs, problem)
	}
	if p.more {
		errs = append(errs, fmt.Errorf("and more than these %d", maxProblems))
	}
	return errors.Join(errs...)
}

// field is a value that has not been understood yet, and where it stands.
type field struct {
	place string
	line  int // in the document, from 1; 0 for a variable
	name  string
	node  *yaml.Node
	to    *problems
}

// variableField is the value of an environment variable.
func variableField(name, text string, to *problems) field {
	return field{place: name, node: &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}, to: to}
}

// documentField is a value in the document. Aliases are followed here, so no other code sees one.
func documentField(place string, node *yaml.Node, to *problems) field {
	line := node.Line
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	return field{place: place, line: line, node: node, to: to}
}

// fail reports text, without the value.
func (f field) fail(text string) { f.to.add(SettingError{Place: f.place, Line: f.line, Text: text}) }

// want reports the value, which is a text, and what would be right.
func (f field) want(what string) { f.wantInstead(quote(f.node.Value), what) }

// wantInstead reports what would be right beside a text that stands for the value, which itself must not be shown.
func (f field) wantInstead(shown, what string) {
	f.fail(shown + ": want " + what)
}

// text returns the value when it is a single one, such as a string or a number. Otherwise it reports what would be right,
// without the value.
func (f field) text(what string) (string, bool) {
	if f.node.Kind == yaml.ScalarNode {
		switch f.node.ShortTag() {
		case "!!str", "!!int", "!!float", "!!bool", "!!timestamp":
			return f.node.Value, true
		}
	}
	f.wantInstead(f.shape(), what)
	return "", false
}

// The shapes of a value.
const (
	aMapping = "a mapping"
	aList    = "a list"
	aText    = "a text" // or a number, or anything else that is one word
	nothing  = "nothing"
)

// shape says what a value is, for places where its text may be anything.
func (f field) shape() string {
	switch {
	case f.node.Kind == yaml.MappingNode:
		return aMapping
	case f.node.Kind == yaml.SequenceNode:
		return aList
	case f.node.ShortTag() == "!!null":
		return nothing
	}
	return aText
}

// members returns the members of a mapping in their order. Names that are no texts, that repeat, or that have no value are
// reported and left out: what has no value is often a text in the wrong place, so it is not shown.
func (f field) members() []field {
	if f.node.Kind != yaml.MappingNode {
		f.wantInstead(f.shape(), `a mapping of "name: value"`)
		return nil
	}
	var list []field
	seen := map[string]bool{}
	for i := 0; i+1 < len(f.node.Content); i += 2 {
		key := documentField(f.place, f.node.Content[i], f.to)
		value := documentField("", f.node.Content[i+1], f.to)
		value.line = key.line
		name := key.node.Value
		switch {
		case key.node.Kind != yaml.ScalarNode || name == "":
			key.fail("want a text as a name")
			continue
		case value.shape() == nothing:
			key.fail(`want "name: value", have a name without a value`)
			continue
		}
		value.name, value.place = name, join(f.place, name)
		if seen[name] {
			value.fail("is there already")
			continue
		}
		seen[name] = true
		list = append(list, value)
	}
	return list
}

// items returns the members of a list in their order.
func (f field) items() []field {
	list := make([]field, 0, len(f.node.Content))
	for i, node := range f.node.Content {
		list = append(list, documentField(fmt.Sprintf("%s[%d]", f.place, i), node, f.to))
	}
	return list
}

// member returns a member of a mapping, if it is there; of several the first. It reports nothing.
func (f field) member(name string) (field, bool) {
	if f.node.Kind != yaml.MappingNode {
		return field{}, false
	}
	for i := 0; i+1 < len(f.node.Content); i += 2 {
		if key := f.node.Content[i]; key.Value == name {
			member := documentField(join(f.place, name), f.node.Content[i+1], f.to)
			member.line, member.name = key.Line, name
			return member, true
		}
	}
	return field{}, false
}

// entries returns the members of a list, unless there are too many. what names them.
func (f field) entries(what string, most int, want string) ([]field, bool) {
	if f.shape() != aList {
		f.wantInstead(f.shape(), want)
		return nil, false
	}
	if n := len(f.node.Content); n > most {
		f.failTooMany(n, what, most)
		return nil, false
	}
	return f.items(), true
}

func (f field) failTooMany(n int, what string, most int) {
	f.fail(fmt.Sprintf("has %d %s: want at most %d", n, what, most))
}

// join makes the place of a member; at the top of the document that is its name. A name that does not look like one is
// not shown.
func join(place, name string) string {
	if len(name) > maxNameBytes || strings.Trim(name, nameCharacters) != "" {
		name = "(?)"
	}
	if place == documentVariable {
		return name
	}
	return place + "." + name
}

// quote returns text as a Go string, cut to maxShownBytes.
func quote(text string) string {
	if len(text) <= maxShownBytes {
		return fmt.Sprintf("%q", text)
	}
	cut := maxShownBytes
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return fmt.Sprintf("%q…", text[:cut])
}
