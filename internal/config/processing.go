package config

import (
	"slices"
	"strconv"
	"strings"

	"sluice/internal/re2"
)

// Processing says what happens to a record before it is sent.
type Processing struct {
	// Include and Exclude are regular expressions (RE2). A message that one of Exclude matches somewhere is left out, and so is
	// one that none of Include matches. Zero value of Include: every message is kept. They are printed as they are.
	// Setting: include, exclude; SLUICE_INCLUDE, SLUICE_EXCLUDE; Datadog: INCLUDE_AT_MATCH, EXCLUDE_AT_MATCH.
	Include, Exclude []string

	// IncludeWhere and ExcludeWhere say the same of attributes. Setting: include_where, exclude_where.
	IncludeWhere, ExcludeWhere []Condition

	// Sample is the share of records that is kept, above 0 and up to 1; 0: all. Setting: sample, SLUICE_SAMPLE.
	Sample float64

	// Expand is the path, with dots, of an array in JSON messages whose elements become records. Zero value: none.
	// Setting: expand.
	Expand string

	// Severity says that the severity of records is found. Setting: severity, SLUICE_SEVERITY.
	Severity bool

	// Redact are rules, applied in this order after those for IP and e-mail addresses; package redact takes them as they are.
	// They are printed as they are. Zero value: none. Setting: redact, SLUICE_REDACT, SLUICE_REDACT_REPLACEMENT; Datadog:
	// DD_SCRUBBING_RULE, DD_SCRUBBING_RULE_REPLACEMENT.
	Redact []RedactRule

	// Agent are the options of the Kinesis Agent. Setting: agent.
	Agent Agent
}

// Condition is a pattern (RE2) for an attribute, an inner one by its path with dots.
type Condition struct{ Attribute, Pattern string }

const (
	wantRegexps    = "a regular expression of RE2 (no look-around, no back-references), or a list of them; a variable holds one"
	wantRegexp     = "want a regular expression of RE2 of at most 8192 bytes (no look-around, no back-references)"
	wantConditions = "a list of mappings with attribute and matches (RE2)"
	wantPath       = "the name of a member, an inner one by its path with dots, of at most 200 bytes"

	maxRegexpBytes = 8 << 10 // Lambda takes 4 KB of variables; a document may say more
	maxRegexps     = 100     // of a setting: each is tried on every message
)

// Alters reports whether a message may be left out, or sent as another one than came.
func (c *Config) Alters() bool {
	return c.RedactIP || c.RedactEmail || len(c.AllowedOwners) > 0 || c.alters() ||
		slices.ContainsFunc(c.Routes, func(r Route) bool { return r.Drop || r.Processing.alters() })
}

// Redacts reports whether text of some logs is replaced.
func (c *Config) Redacts() bool {
	return c.RedactIP || c.RedactEmail || len(c.Redact) > 0 ||
		slices.ContainsFunc(c.Routes, func(r Route) bool { return len(r.Processing.Redact) > 0 })
}

func (p *Processing) alters() bool {
	return len(p.Include)+len(p.Exclude)+len(p.IncludeWhere)+len(p.ExcludeWhere)+len(p.Redact) > 0 ||
		p.Sample > 0 && p.Sample < 1 || p.Expand != "" || len(p.Agent.Options) > 0 || p.Agent.Terminator != ""
}

// processingSettings returns the settings of a Processing. Those of the top have variables.
func processingSettings[T any](at func(*T) *Processing, top bool) []setting[T] {
	list := append(filterSettings(at), shapeSettings(at)...)
	for i := range list {
		if !top {
			list[i].variables = nil
		}
	}
	return list
}

// filterSettings returns the settings of what is left out.
func filterSettings[T any](at func(*T) *Processing) []setting[T] {
	return []setting[T]{{
		key: "include", variables: variables("SLUICE_INCLUDE", "INCLUDE_AT_MATCH"), otherwise: "every message",
		kind: regexps(func(t *T) *[]string { return &at(t).Include }),
		meaning: "Only messages that one of these matches somewhere are kept; the others are dropped and counted as " +
			"`filter_exclude`.",
	}, {
		key: "exclude", variables: variables("SLUICE_EXCLUDE", "EXCLUDE_AT_MATCH"), otherwise: "none",
		kind:    regexps(func(t *T) *[]string { return &at(t).Exclude }),
		meaning: "Messages that one of these matches somewhere are dropped and counted as `filter_exclude`, also those of `include`.",
	}, {
		key: "include_where", otherwise: "every record",
		kind: conditions(func(t *T) *[]Condition { return &at(t).IncludeWhere }),
		meaning: "Only records of which an `attribute` `matches` somewhere are kept, for one of these; the others are dropped and " +
			"counted as `filter_exclude`. An attribute is a member of a JSON message (`a.b` is one inside of another), a column of " +
			"a line under the name that its service gives it, or a member beside the message.",
	}, {
		key: "exclude_where", otherwise: "none",
		kind:    conditions(func(t *T) *[]Condition { return &at(t).ExcludeWhere }),
		meaning: "Records of which an `attribute` `matches` somewhere, for one of these, are dropped, also those of `include_where`.",
	}, {
		key: "sample", variables: variables("SLUICE_SAMPLE"), otherwise: "all",
		kind: share(func(t *T) *float64 { return &at(t).Sample }),
		meaning: "The share of records that is kept; the others are dropped and counted as `filter_sampled`. The id of a record " +
			"decides, so it is the same whenever the record comes.",
	}}
}

// shapeSettings returns the settings of what records are turned into.
func shapeSettings[T any](at func(*T) *Processing) []setting[T] {
	return []setting[T]{{
		key: "agent", otherwise: "as they come",
		kind: kind[T]{"a mapping, see The Kinesis Agent's options", func(t *T, f field) { at(t).Agent = readAgent(f) }},
		meaning: "What the Kinesis Agent would do with the records before they are sent, with its options under its names. A record " +
			"that an option does not match is kept as it came, and marked.",
	}, {
		key: "expand", otherwise: "none",
		kind: word(wantPath, func(t *T) *string { return &at(t).Expand }, isPath),
		meaning: "The array in JSON messages whose elements become records of their own. Messages without it, or with " +
			"an empty one, stay as they are; so does one with more than 10,000 elements, or with too much beside it, which is marked.",
	}, {
		key: "severity", variables: variables("SLUICE_SEVERITY"), preset: "false",
		kind: toggle(func(t *T) *bool { return &at(t).Severity }),
		meaning: "Says how grave a record is, where its message tells: such as a level `ERROR` at its start, or in its " +
			"members `level`, `severity`, `log.level` or `levelname`.",
	}, {
		key: redactKey, variables: variables("SLUICE_REDACT", "DD_SCRUBBING_RULE"), otherwise: "none",
		kind: kind[T]{wantRules, func(t *T, f field) { redactRules(&at(t).Redact, f) }},
		meaning: "Replaces what a pattern matches, after `redact_ip` and `redact_email`, in this order and last the variable's, " +
			"which adds the rule `scrubbing_rule`. `${1}` or `${name}` in a replacement is a group of the pattern, `$$` a dollar sign." +
			redactScope + " Names of members stay. A pattern across a name and its value, such as `\"password\":\\s*\"\\w+`, matches in " +
			"a JSON message too: of what it matches only the value is replaced, in an array each element, and it reaches no " +
			"further than that one member. With `member: password` a rule is for the values of members of that name, at any " +
			"depth, in any letters, in JSON that stands in strings, and for the `value` of an object whose `name` it is; with " +
			"`attribute: user.password` for the one at that path, as in `include_where`. Such a rule replaces what its pattern matches in the value, or in all values that it holds; " +
			"without a pattern the value as a whole, also an object or an array, but not null. It is for messages that are JSON, " +
			"and for members beside the message: it does nothing to other text. Unlike in `include_where`, the columns of a line of " +
			"text (ALB, VPC, PostgreSQL and so on) are not reached, nor the `attrs` that are made of them: give a rule a pattern " +
			"alone for these. Write patterns in single quotes: in double quotes YAML eats backslashes.",
	}}
}

// regexps reads one regular expression or a list of them. None is shown: patterns tell what somebody wants to hide. White
// space is a part of them.
func regexps[T any](at func(*T) *[]string) kind[T] {
	return kind[T]{wantRegexps, func(t *T, f field) {
		items := []field{f}
		if f.shape() == aList {
			var ok bool
			if items, ok = f.entries("patterns", maxRegexps, wantRegexps); !ok {
				return
			}
		}
		*at(t) = nil
		for _, item := range items {
			if text, ok := readRegexp(item, wantRegexps); ok {
				*at(t) = append(*at(t), text)
			}
		}
	}}
}

// readRegexp reads a regular expression, or reports what is wrong with it and what would be right.
func readRegexp(f field, want string) (string, bool) {
	text, ok := f.text(want)
	if !ok {
		return "", false
	}
	if text == "" || len(text) > maxRegexpBytes {
		f.fail(wantRegexp)
		return "", false
	}
	if problem := re2.Problem(text); problem != "" {
		f.fail(problem)
		return "", false
	}
	return text, true
}

// conditions reads a list of mappings. Like all patterns, theirs are not shown.
func conditions[T any](at func(*T) *[]Condition) kind[T] {
	return kind[T]{wantConditions, func(t *T, f field) {
		items, ok := f.entries("conditions", maxRegexps, wantConditions)
		if !ok {
			return
		}
		*at(t) = nil
		for _, item := range items {
			*at(t) = append(*at(t), readCondition(item))
		}
	}}
}

func readCondition(f field) (c Condition) {
	if f.shape() != aMapping {
		f.wantInstead(f.shape(), "a mapping with attribute and matches")
		return c
	}
	settings := []setting[Condition]{
		{key: "attribute", kind: word(wantPath, func(c *Condition) *string { return &c.Attribute }, isPath)},
		{key: "matches", kind: kind[Condition]{wantRegexp, func(c *Condition, f field) {
			c.Pattern, _ = readRegexp(f, "a regular expression of RE2")
		}}},
	}
	from := fill(&c, settings, f)
	for _, s := range settings {
		if _, set := from[s.key]; !set {
			f.fail("has no " + s.key + ": want a mapping with attribute and matches")
		}
	}
	return c
}

// share reads a part of 1.
func share[T any](at func(*T) *float64) kind[T] {
	return words("a number above 0 and up to 1", at, func(text string) (float64, bool) {
		x, err := strconv.ParseFloat(text, 64)
		return x, err == nil && x > 0 && x <= 1
	})
}

// isPath knows names with dots between them, none of which is empty.
func isPath(text string) bool {
	return isName(text) && !slices.Contains(strings.Split(text, "."), "")
}
