package redact

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"sluice/internal/re2"
)

// Rule is one thing to redact: a pattern of the user's, the value of a member, or what IP and Email return.
type Rule struct {
	Name        string // in counts and errors: letters, digits, `_`, `-` and `.`; at most 64 of them
	Pattern     string // RE2, as package regexp reads it; has to match at least one character
	Replacement string // may name groups, as Regexp.Expand reads it: ${1} or ${name}, and $$ for a dollar sign

	// Member is the name of members of JSON at any depth, in any letters, and Attribute the path of one from the top, with
	// dots. With one of them the rule is for the values of such members alone, and for all that is in them; without a pattern
	// it takes the whole value, but for null. The `value` of an object such as `{"name":"cookie","value":"x"}` is also one
	// of Member `cookie`, if the name stands before it, or right behind
	// a string.
	Member, Attribute string

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
	members    []int // those of list that are for a member by its name
	scoped     []int // those, and those for a path
	askWhere   bool  // one of them looks at where a value stands
}

// rule is a matcher with its name.
type rule struct {
	name string
	matcher
	scope  *scope   // nil: all text
	across *pattern // the matcher, if it may match the name of a member and its value together; else nil
}

// mayMatchIn is mayMatch for a whole document.
func (r *rule) mayMatchIn(doc []byte) bool {
	return (r.scope == nil || r.scope.gate.mayMatch(doc)) && r.mayMatch(doc)
}

// matcher finds and replaces the matches of one rule.
type matcher interface {
	// replace appends text with its matches replaced, and returns how many there were. It appends nothing when there is none.
	// When the text would grow by more than room bytes, it appends [tooLong] in its place.
	replace(dst, text []byte, room int, g *guard) (out []byte, hits int)
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
		c.add(r, fail)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &c, nil
}

// add compiles a rule and calls fail for each thing that is wrong with it.
func (c *Rules) add(r Rule, fail func(text string)) {
	made := rule{name: r.Name, matcher: r.known}
	var problem string
	if made.scope, problem = newScope(&r); problem != "" {
		fail(problem)
	}
	var problems []string
	switch {
	case r.known != nil:
	case made.scope != nil && r.Pattern == "":
		made.matcher, problems = compileEverything(r.Replacement)
	default:
		var p *pattern
		p, problems = compilePattern(r.Pattern, r.Replacement)
		if p.escaped == nil && (made.scope == nil || made.scope.gate == nil) {
			c.unfiltered = append(c.unfiltered, r.Name)
		}
		made.matcher = p
		if made.scope == nil && p.mayCross {
			made.across = p
		}
	}
	for _, problem := range problems {
		fail(problem)
	}
	if made.scope != nil {
		c.scoped = append(c.scoped, len(c.list))
		if made.scope.member != nil {
			c.members = append(c.members, len(c.list))
		}
	}
	c.askWhere = c.askWhere || made.scope != nil || made.across != nil
	c.list = append(c.list, made)
}

// ofMembers returns the rules that are for a member by its name.
func (c *Rules) ofMembers() *Rules {
	made := &Rules{askWhere: true}
	for n, i := range c.members {
		made.list = append(made.list, c.list[i])
		made.members, made.scoped = append(made.members, n), append(made.scoped, n)
	}
	return made
}

// Unfiltered names the rules whose patterns demand nothing that is quickly looked for. They run over every text, which
// costs several times the rest of the work: worth a warning.
func (c *Rules) Unfiltered() []string { return c.unfiltered }

// compilePattern compiles a rule of the user's, and returns everything that is wrong with it.
func compilePattern(expr, replacement string) (p *pattern, problems []string) {
	p = new(pattern)
	if expr == "" {
		problems = append(problems, "has nothing to look for: want a pattern, a member or an attribute")
	} else if problem := p.compile(expr); problem != "" {
		problems = append(problems, "pattern: "+problem)
	}
	if problem := p.setReplacement(replacement); problem != "" {
		problems = append(problems, "replacement: "+problem)
	}
	return p, problems
}

const refused = "cannot be compiled: want a regular expression of RE2" // for reasons that package re2 does not know

// compile sets all that follows from the pattern alone.
func (p *pattern) compile(expr string) (problem string) {
	if problem := re2.Problem(expr); problem != "" {
		return problem
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return refused
	}
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return refused
	}
	tree = tree.Simplify()
	prog, err := syntax.Compile(tree)
	if err != nil {
		return refused
	}
	demand := analysis{}.demandOf(tree)
	if demand.min == 0 {
		return "matches the empty text, so that something would be inserted everywhere: want a pattern that needs a character"
	}
	p.re = re
	p.once = prog.StartCond()&syntax.EmptyBeginText != 0
	p.looksBehind = looksBehind(tree)
	p.matchesQuote, p.mayCross = hasOneOf(tree, `"`), hasOneOf(tree, "\":[] \t\r\n")
	p.plain = newGate(demand)
	p.escaped = newGate(analysis{escaped: true}.demandOf(tree))
	return ""
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
