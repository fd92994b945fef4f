package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"sluice/internal/process/redact"
)

// RedactRule is a pattern whose matches are replaced in messages.
type RedactRule struct {
	Name        string // in counts and errors; unique
	Pattern     string // RE2
	Replacement string // may name groups of the pattern: ${1} or ${name}, and $$ for a dollar sign
}

// Names of rules that settings other than `redact` make. A rule of the document has another one.
const (
	RuleIP       = "redact_ip"
	RuleEmail    = "redact_email"
	RuleVariable = "scrubbing_rule"
)

const (
	wantRegexps = "a regular expression of RE2 (no look-around, no back-references), or a list of them; a variable holds one"
	wantRegexp  = "want a regular expression of RE2 of at most 8192 bytes (no look-around, no back-references)"
	wantRules   = "a list of mappings with name, pattern (RE2) and replacement; a variable holds one pattern"

	maxRegexpBytes = 8 << 10 // Lambda takes 4 KB of variables; a document may say more
	maxRegexps     = 100     // of a setting: each is tried on every message

	forwarderReplacement = "DD_SCRUBBING_RULE_REPLACEMENT" // in Python's spelling
)

// Alters reports whether a message may be left out, or sent as another one than came.
func (c *Config) Alters() bool {
	return c.RedactIP || c.RedactEmail || len(c.Include)+len(c.Exclude)+len(c.Redact) > 0
}

// redactSettings returns the settings of what is left out and what is replaced.
func redactSettings() []setting[Config] {
	const scope = " It is applied to each message (in a message that is JSON, to its values one by one) before anything is sent, " +
		"parked or logged. Input that cannot be read is kept without it (`dead_raw`)."
	return []setting[Config]{{
		key: "include", variables: variables("SLUICE_INCLUDE", "INCLUDE_AT_MATCH"), otherwise: "every message",
		kind: regexps(func(c *Config) *[]string { return &c.Include }),
		meaning: "Only messages that one of these matches somewhere are kept; the others are dropped and counted as " +
			"`filter_exclude`.",
	}, {
		key: "exclude", variables: variables("SLUICE_EXCLUDE", "EXCLUDE_AT_MATCH"), otherwise: "none",
		kind:    regexps(func(c *Config) *[]string { return &c.Exclude }),
		meaning: "Messages that one of these matches somewhere are dropped and counted as `filter_exclude`, also those of `include`.",
	}, {
		key: "redact_ip", variables: variables("SLUICE_REDACT_IP", "REDACT_IP"), preset: "false",
		kind:    toggle(func(c *Config) *bool { return &c.RedactIP }),
		meaning: "Replaces IPv4 addresses by `xxx.xxx.xxx.xxx`." + scope,
	}, {
		key: "redact_email", variables: variables("SLUICE_REDACT_EMAIL", "REDACT_EMAIL"), preset: "false",
		kind:    toggle(func(c *Config) *bool { return &c.RedactEmail }),
		meaning: "Replaces e-mail addresses by `xxxxx@xxxxx.com`." + scope,
	}, {
		key: "redact", variables: variables("SLUICE_REDACT", "DD_SCRUBBING_RULE"), otherwise: "none",
		kind: kind[Config]{wantRules, redactRules},
		meaning: "Replaces what a pattern matches, after `redact_ip` and `redact_email`, in this order and last the variable's, " +
			"which adds the rule `scrubbing_rule`. `${1}` or `${name}` in a replacement is a group of the pattern, `$$` a dollar sign." +
			scope + " Names of members stay, so a pattern across a name and its value does not match inside a JSON message.",
	}, {
		variables: variables("SLUICE_REDACT_REPLACEMENT", forwarderReplacement), otherwise: "the empty text",
		kind: kind[Config]{fmt.Sprintf("a text of at most %d bytes", redact.MaxReplacementBytes), variableReplacement},
		meaning: "What takes the place of a match of the rule that a variable holds. In the Datadog Forwarder's variable a group is " +
			"`\\1` or `\\g<name>`, as Python has it.",
	}}
}

// regexps reads one regular expression or a list of them. None is shown: patterns tell what somebody wants to hide. White
// space is a part of them.
func regexps(at func(*Config) *[]string) kind[Config] {
	return kind[Config]{wantRegexps, func(c *Config, f field) {
		items := []field{f}
		if f.shape() == aList {
			items = f.items()
		}
		if len(items) > maxRegexps {
			f.fail(fmt.Sprintf("has %d patterns: want at most %d", len(items), maxRegexps))
			return
		}
		*at(c) = nil
		for _, item := range items {
			text, ok := item.text(wantRegexps)
			if !ok {
				continue
			}
			if _, err := regexp.Compile(text); err != nil || text == "" || len(text) > maxRegexpBytes {
				item.fail(wantRegexp)
				continue
			}
			*at(c) = append(*at(c), text)
		}
	}}
}

// redactRules reads a list of rules, to which a variable adds one.
func redactRules(c *Config, f field) {
	if f.line == 0 {
		variableRule(c, f)
		return
	}
	if f.shape() != aList {
		f.wantInstead(f.shape(), "a list of mappings with name, pattern and replacement")
		return
	}
	items := f.items()
	if len(items) > maxRegexps {
		f.fail(fmt.Sprintf("has %d rules: want at most %d", len(items), maxRegexps))
		return
	}
	c.Redact = nil
	for _, item := range items {
		c.Redact = append(c.Redact, readRule(item))
	}
	for _, problem := range compileRules(f, c.Redact) {
		place := items[problem.Index]
		place.fail(problem.Text)
	}
}

// readRule reads the mapping of a rule. What is missing is reported when the rule is compiled.
func readRule(f field) RedactRule {
	var r RedactRule
	for _, member := range f.members() {
		at := map[string]*string{"name": &r.Name, "pattern": &r.Pattern, "replacement": &r.Replacement}[member.name]
		if at == nil {
			member.fail(unknown(member.name, []string{"name", "pattern", "replacement"}))
			continue
		}
		*at, _ = member.text("a text")
	}
	if slices.Contains([]string{RuleIP, RuleEmail, RuleVariable}, r.Name) {
		f.fail("has the name of a rule that another setting makes: give it another")
	}
	return r
}

// variableRule reads the one pattern that a variable holds.
func variableRule(c *Config, f field) {
	rule := RedactRule{Name: RuleVariable, Pattern: f.node.Value}
	c.Redact = append(c.Redact, rule)
	for _, problem := range compileRules(f, []RedactRule{rule}) {
		f.fail(strings.TrimPrefix(problem.Text, "pattern: "))
	}
}

// variableReplacement reads what takes the place of a match of the variable's pattern. White space is a part of it.
func variableReplacement(c *Config, f field) {
	i := slices.IndexFunc(c.Redact, func(r RedactRule) bool { return r.Name == RuleVariable })
	if i < 0 {
		f.to.warn(f.place, "has no effect without a pattern in SLUICE_REDACT or DD_SCRUBBING_RULE")
		return
	}
	text := f.node.Value
	if f.place == forwarderReplacement {
		var ok bool
		if text, ok = fromPython(text); !ok {
			f.fail(`has a backslash that Python does not know: want \1, \g<name>, or \\ for a backslash`)
			return
		}
	}
	c.Redact[i].Replacement = text
	for _, problem := range compileRules(f, c.Redact[i:i+1]) {
		if what, is := strings.CutPrefix(problem.Text, "replacement: "); is {
			f.fail(what)
		}
	}
}

// compileRules returns what is wrong with rules. It warns of those that run over every message.
func compileRules(f field, rules []RedactRule) []*redact.RuleError {
	list := make([]redact.Rule, len(rules))
	var problems []*redact.RuleError
	for i, r := range rules {
		list[i] = redact.Rule{Name: r.Name, Pattern: r.Pattern, Replacement: r.Replacement}
		if len(r.Pattern) > maxRegexpBytes {
			problems = append(problems, &redact.RuleError{Index: i, Text: fmt.Sprintf("pattern: want at most %d bytes", maxRegexpBytes)})
		}
	}
	if len(problems) > 0 {
		return problems
	}
	compiled, err := redact.Compile(list...)
	if err == nil {
		if names := compiled.Unfiltered(); len(names) > 0 && f.place != forwarderReplacement {
			f.to.warn(f.place, "the patterns of these rules run over every message, which is slow, as they need no certain "+
				"characters: "+strings.Join(names, ", "))
		}
		return nil
	}
	return ruleErrors(err)
}

// ruleErrors returns those that Compile has joined. They quote no pattern.
func ruleErrors(err error) []*redact.RuleError {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var list []*redact.RuleError
	for _, one := range joined.Unwrap() {
		if e, is := errors.AsType[*redact.RuleError](one); is {
			e.Text = strings.Replace(e.Text, "of RE2:", "of RE2 (no look-around, no back-references):", 1)
			list = append(list, e)
		}
	}
	return list
}
