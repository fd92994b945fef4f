package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sluice/internal/process/redact"
)

// RedactRule is a pattern whose matches are replaced in messages, or members of JSON messages whose values are.
type RedactRule struct {
	Name        string // in counts and errors; unique
	Pattern     string // RE2; may be empty where there is a member or an attribute, whose whole value is replaced then
	Replacement string // may name groups of the pattern: ${1} or ${name}, and $$ for a dollar sign
	Member      string // the name of members at any depth; zero value: the rule is for all text, or for Attribute
	Attribute   string // the path of a member, with dots; zero value: the rule is for all text, or for Member
}

// Names of rules that settings other than `redact` make. A rule of the document has another one.
const (
	RuleIP       = "redact_ip"
	RuleEmail    = "redact_email"
	RuleVariable = "scrubbing_rule"
)

const (
	wantRules = "a list of mappings with name, pattern (RE2), replacement, and member or attribute; a variable holds one pattern"

	forwarderRule        = "DD_SCRUBBING_RULE"
	forwarderReplacement = "DD_SCRUBBING_RULE_REPLACEMENT" // in Python's spelling

	redactScope = " It is applied to each message (in a message that is JSON, to its values one by one) before anything is sent, " +
		"parked or logged. Input that cannot be read is kept without it (`dead_raw`)."
)

// addressSettings returns the settings of what is replaced without a pattern of the user's.
func addressSettings() []setting[Config] {
	return []setting[Config]{{
		key: "redact_ip", variables: variables("SLUICE_REDACT_IP", "REDACT_IP"), preset: "false",
		kind: toggle(func(c *Config) *bool { return &c.RedactIP }),
		meaning: "Replaces IPv4 addresses by `xxx.xxx.xxx.xxx`, and IPv6 addresses by `xxxx::xxxx` (the Datadog Forwarder leaves " +
			"those). What looks like one goes too: a hardware address of eight bytes, a name such as `a1::b2`." + redactScope,
	}, {
		key: "redact_email", variables: variables("SLUICE_REDACT_EMAIL", "REDACT_EMAIL"), preset: "false",
		kind:    toggle(func(c *Config) *bool { return &c.RedactEmail }),
		meaning: "Replaces e-mail addresses by `xxxxx@xxxxx.com`." + redactScope,
	}}
}

// replacementSetting returns the setting of the replacement of the variable's rule. It is read behind that rule.
func replacementSetting() setting[Config] {
	return setting[Config]{
		variables: variables("SLUICE_REDACT_REPLACEMENT", forwarderReplacement), otherwise: "the empty text",
		kind: kind[Config]{fmt.Sprintf("a text of at most %d bytes", redact.MaxReplacementBytes), variableReplacement},
		meaning: "What takes the place of a match of the rule that a variable holds. In the Datadog Forwarder's variable a group is " +
			"`\\1` or `\\g<name>`, as Python has it.",
	}
}

// redactRules reads a list of rules, to which a variable adds one.
func redactRules(list *[]RedactRule, f field) {
	if f.line == 0 {
		variableRule(list, f)
		return
	}
	items, ok := f.entries("rules", maxRegexps, "a list of mappings with name, pattern and replacement, or with member or attribute")
	if !ok {
		return
	}
	*list = nil
	for _, item := range items {
		*list = append(*list, readRule(item))
	}
	for _, problem := range compileRules(f, *list) {
		place := items[problem.Index]
		place.fail(problem.Text)
	}
}

// readRule reads the mapping of a rule. What is missing is reported when the rule is compiled.
func readRule(f field) RedactRule {
	var r RedactRule
	for _, member := range f.members() {
		at := map[string]*string{
			"name": &r.Name, "pattern": &r.Pattern, "replacement": &r.Replacement, "member": &r.Member, "attribute": &r.Attribute,
		}[member.name]
		if at == nil {
			member.fail(unknown(member.name, []string{"name", "pattern", "replacement", "member", "attribute"}))
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
func variableRule(list *[]RedactRule, f field) {
	rule := RedactRule{Name: RuleVariable, Pattern: f.node.Value}
	*list = append(*list, rule)
	if f.place == forwarderRule && wantsEscapedQuote(rule.Pattern) {
		f.to.warn(f.place, "wants a backslash before a quote, as every quote has one in a batch of the Datadog Forwarder: here a "+
			`pattern sees messages as they came; write \\?" for a quote with or without one`)
	}
	for _, problem := range compileRules(f, []RedactRule{rule}) {
		f.fail(strings.TrimPrefix(problem.Text, "pattern: "))
	}
}

// wantsEscapedQuote reports whether a pattern has a backslash that must stand before a quote, for there is none before those
// of a message in JSON.
func wantsEscapedQuote(pattern string) bool {
	return strings.Contains(pattern, `\\"`) || strings.Contains(pattern, `\\\"`)
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
		list[i] = redact.Rule{Name: r.Name, Pattern: r.Pattern, Replacement: r.Replacement, Member: r.Member, Attribute: r.Attribute}
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
	var list []*redact.RuleError
	for _, one := range parts(err) {
		if e, is := errors.AsType[*redact.RuleError](one); is {
			list = append(list, e)
		}
	}
	return list
}
