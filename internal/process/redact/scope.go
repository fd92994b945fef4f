package redact

import (
	"bytes"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxScopeBytes bounds the name or the path that a rule is for.
const maxScopeBytes = 200

// scope is the members that a rule is for.
type scope struct {
	member []byte // the name of members at any depth, in any letters; nil where there is a path
	path   []byte // from the top, with dots
	gate   *gate  // of what stands in every document with such a member
}

// newScope returns the scope of a rule, nil for one that is for all text.
func newScope(r *Rule) (s *scope, problem string) {
	switch {
	case r.Member == "" && r.Attribute == "":
		return nil, ""
	case r.Member != "" && r.Attribute != "":
		return new(scope), "has both a member and an attribute: want one of them"
	case r.Member != "":
		return &scope{member: []byte(r.Member), gate: gateOf(r.Member, true)}, nameProblem("member", r.Member)
	}
	longest := ""
	for name := range strings.SplitSeq(r.Attribute, ".") {
		if name == "" {
			return new(scope), "attribute: has an empty name between its dots"
		}
		if len(name) > len(longest) {
			longest = name
		}
	}
	return &scope{path: []byte(r.Attribute), gate: gateOf(longest, false)}, nameProblem("attribute", r.Attribute)
}

func nameProblem(which, name string) string {
	if len(name) > maxScopeBytes || !utf8.ValidString(name) {
		return which + ": want at most 200 bytes of UTF-8"
	}
	return ""
}

// gateOf returns a gate for a text that has name in it, as it stands inside a JSON string.
func gateOf(name string, anyCase bool) *gate {
	flags := syntax.Perl
	if anyCase {
		flags |= syntax.FoldCase
	}
	tree, err := syntax.Parse(regexp.QuoteMeta(name), flags)
	if err != nil {
		return nil
	}
	return newGate(analysis{escaped: true}.demandOf(tree.Simplify()))
}

// holds reports whether the last of names is a member of the scope. The others are those around it, from the outside in. A
// path may begin at the top, or below the path under.
func (s *scope) holds(names []name, under []byte, plain func(name) []byte) bool {
	if s.member != nil {
		return bytes.EqualFold(plain(names[len(names)-1]), s.member)
	}
	around, ok := above(names, s.path, plain)
	if !ok || len(around) == 0 || len(under) == 0 {
		return ok && len(around) == 0
	}
	around, ok = above(around, under, plain)
	return ok && len(around) == 0
}

// above returns those of names that are left when the last ones make up a path.
func above(names []name, path []byte, plain func(name) []byte) (rest []name, ok bool) {
	for i, n := range slices.Backward(names) {
		head, ok := bytes.CutSuffix(path, plain(n))
		switch {
		case !ok:
			return nil, false
		case len(head) == 0:
			return names[:i], true
		case !bytes.HasSuffix(head, []byte(".")):
			return nil, false
		}
		path = head[:len(head)-1]
	}
	return nil, false
}

// everything is the matcher of a rule without a pattern: it takes the whole text.
type everything struct{ replacement []byte }

func (m everything) replace(dst, text []byte, room int, g *guard) (out []byte, hits int) {
	switch {
	case bytes.Equal(text, m.replacement), g != nil && g.late:
		return dst, 0
	case len(m.replacement)-len(text) > room:
		return append(dst, tooLong...), 1
	}
	return append(dst, m.replacement...), 1
}

func (everything) mayMatch([]byte) bool { return true }

// compileEverything compiles a rule that has no pattern.
func compileEverything(replacement string) (m everything, problems []string) {
	p := pattern{re: regexp.MustCompile(`(?s).+`)}
	problem := p.setReplacement(replacement)
	if problem == "" && p.references > 0 {
		problem = "names a group, but there is no pattern"
	}
	if problem != "" {
		return m, []string{"replacement: " + problem}
	}
	return everything{p.replacement}, nil
}
