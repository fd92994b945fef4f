package redact

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// Rule is one thing to redact: a pattern of the user's, or what IPv4, IPv6 and Email return.
type Rule struct {
	Name        string // in counts and errors: letters, digits, `_`, `-` and `.`; at most 64 of them
	Pattern     string // RE2, as package regexp reads it; has to match at least one character
	Replacement string // may name groups, as Regexp.Expand reads it: ${1} or ${name}, and $$ for a dollar sign

	known matcher // instead of a pattern
}

// MaxReplacementBytes bounds a replacement: a line of a thousand matches becomes no more than a thousand times as long.
const MaxReplacementBytes = 1 << 10

const (
	maxNameBytes   = 64
	nameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."
)

// Rules are compiled rules, in the order in which they are applied. They do not change and are safe for concurrent use.
type Rules struct {
	list       []rule
	unfiltered []string
}

// rule is a matcher with its name.
type rule struct {
	name string
	matcher
}

// matcher finds and replaces the matches of one rule.
type matcher interface {
	// replace appends text with its matches replaced, and returns how many there were. It appends nothing when there is none.
	// When the text would grow by more than room bytes, it appends [tooLong] in its place.
	replace(dst, text []byte, room int) (out []byte, hits int)
	// mayMatch reports false only if there is no match in text, in the text that it stands for as the inside of a JSON
	// string, or in a value of the JSON that either of them is. The text holds no escape that hides a character.
	mayMatch(text []byte) bool
}

// RuleError is one thing that is wrong with a rule. It shows neither the pattern nor the replacement, which may hold what
// is to be kept secret.
type RuleError struct {
	Index int    // of the rule, from 0
	Name  string // empty when that is what is wrong
	Text  string // what is wrong and what would be right
}

func (e *RuleError) Error() string {
	if e.Name == "" {
		return fmt.Sprintf("redaction rule %d: %s", e.Index+1, e.Text)
	}
	return fmt.Sprintf("redaction rule %d (%s): %s", e.Index+1, e.Name, e.Text)
}

// Compile compiles rules. Its error joins one *RuleError for each thing that is wrong.
func Compile(rules ...Rule) (*Rules, error) {
	c := Rules{list: make([]rule, 0, len(rules))}
	var errs []error
	places := map[string]int{}
	for i, r := range rules {
		fail := func(text string) { errs = append(errs, &RuleError{Index: i, Name: r.Name, Text: text}) }
		if r.Name == "" || len(r.Name) > maxNameBytes || strings.Trim(r.Name, nameCharacters) != "" {
			r.Name = ""
			fail("want a name of 1 to 64 letters, digits, underscores, hyphens and dots")
		} else if first, is := places[r.Name]; is {
			fail(fmt.Sprintf("has the name of rule %d: give it another", first+1))
		} else {
			places[r.Name] = i
		}
		m := r.known
		if m == nil {
			p, problems := compilePattern(r.Pattern, r.Replacement)
			for _, problem := range problems {
				fail(problem)
			}
			if p.escaped == nil {
				c.unfiltered = append(c.unfiltered, r.Name)
			}
			m = p
		}
		c.list = append(c.list, rule{name: r.Name, matcher: m})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &c, nil
}

// Unfiltered names the rules whose patterns demand nothing that is quickly looked for. They run over every text, which
// costs several times the rest of the work: worth a warning.
func (r *Rules) Unfiltered() []string { return r.unfiltered }

// compilePattern compiles a rule of the user's, and returns everything that is wrong with it.
func compilePattern(expr, replacement string) (p *pattern, problems []string) {
	p = new(pattern)
	if expr == "" {
		problems = append(problems, "pattern: is empty: want a regular expression of RE2")
	} else if problem := p.compile(expr); problem != "" {
		problems = append(problems, "pattern: "+problem)
	}
	if problem := p.setReplacement(replacement); problem != "" {
		problems = append(problems, "replacement: "+problem)
	}
	return p, problems
}

// compile sets all that follows from the pattern alone.
func (p *pattern) compile(expr string) (problem string) {
	re, err := regexp.Compile(expr)
	if err != nil {
		return describe(err, expr)
	}
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return describe(err, expr)
	}
	tree = tree.Simplify()
	prog, err := syntax.Compile(tree)
	if err != nil {
		return describe(err, expr)
	}
	demand := analysis{}.demandOf(tree)
	if demand.min == 0 {
		return "matches the empty text, so that something would be inserted everywhere: want a pattern that needs a character"
	}
	p.re = re
	p.once = prog.StartCond()&syntax.EmptyBeginText != 0
	p.looksBehind = looksBehind(tree)
	p.plain = newGate(demand)
	p.escaped = newGate(analysis{escaped: true}.demandOf(tree))
	return ""
}

// describe says what is wrong with a pattern, and where, without showing any of it.
func describe(err error, expr string) string {
	var e *syntax.Error
	if !errors.As(err, &e) {
		return "is no regular expression of RE2"
	}
	at := strings.Index(expr, e.Expr)
	if at < 0 || e.Expr == "" || e.Expr == expr {
		return fmt.Sprintf("is no regular expression of RE2: %s", e.Code)
	}
	return fmt.Sprintf("is no regular expression of RE2: %s at character %d", e.Code, utf8.RuneCountInString(expr[:at])+1)
}

// looksBehind reports whether a match may depend on the character before it.
func looksBehind(tree *syntax.Regexp) bool {
	switch tree.Op {
	case syntax.OpBeginLine, syntax.OpBeginText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	default:
		return slices.ContainsFunc(tree.Sub, looksBehind)
	}
}
