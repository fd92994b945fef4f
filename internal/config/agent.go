package config

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/process/agent"
)

// Agent is what the Kinesis Agent would do with records, under its own names. The zero value does nothing.
type Agent struct {
	Options    []agent.Option // dataProcessingOptions
	Strict     bool           // agentStrict: records that do not match are dropped
	Start      string         // multiLineStartPattern, a Java regular expression; in place of Multiline.Start
	SkipHeader int            // skipHeaderLines, of an object
	Terminator string         // truncatedRecordTerminator; empty: records are not cut
}

const (
	wantOptions    = "the list of options as it stands in the agent's configuration"
	wantStartJava  = "a Java regular expression without look-around and back-references"
	wantTerminator = "a text, such as a line feed"

	optionsKey = "dataProcessingOptions"
)

// agentPatterns are the members whose values are patterns. Those are not shown in problems.
var agentPatterns = []string{"delimiter", "matchPattern", "multiLineStartPattern"}

// agentSettings returns the settings of the Kinesis Agent, under its names.
func agentSettings() []setting[Agent] {
	return []setting[Agent]{{
		key: optionsKey, kind: kind[Agent]{wantOptions, readOptions}, otherwise: "none",
		meaning: "The agent's options `SINGLELINE`, `CSVTOJSON`, `LOGTOJSON`, `ADDMETADATA` and `ADDBRACKETS`, with its members: " +
			"`parseOptions`; `customFieldNames` and `delimiter`; `logFormat` (`COMMONAPACHELOG`, `COMBINEDAPACHELOG`, `APACHEERRORLOG`, " +
			"`SYSLOG`, `RFC3339SYSLOG`), `matchPattern` and `customFieldNames`; `metadata` and `timestamp`; `jsonFormat`. They " +
			"are applied in this order.",
	}, {
		key: "agentStrict", kind: toggle(func(a *Agent) *bool { return &a.Strict }), preset: "false",
		meaning: "Drops records that a `LOGTOJSON` does not match, as the agent does, and counts them as `agent_no_match`.",
	}, {
		key: "multiLineStartPattern", otherwise: "`multiline_start`",
		kind: kind[Agent]{wantStartJava, func(a *Agent, f field) { a.Start = unchanged(f, wantStartJava) }},
		meaning: "What the first line of a record matches at its beginning, in Java's syntax; in place of `multiline_start`. " +
			"`multiline_max_lines` and `multiline_max_bytes` hold.",
	}, {
		key: "skipHeaderLines", kind: number(0, 1_000_000, func(a *Agent) *int { return &a.SkipHeader }), preset: "0", unit: "lines",
		meaning: "How many lines at the start of an S3 object are no records.",
	}, {
		key: "truncatedRecordTerminator", otherwise: "records are not cut",
		kind:    kind[Agent]{wantTerminator, func(a *Agent, f field) { a.Terminator = unchanged(f, wantTerminator) }},
		meaning: "Cuts records of more than 1,024,000 bytes, as the agent does for Firehose, and writes this text over their end.",
	}}
}

// unchanged reads a text whose white space is a part of it.
func unchanged(f field, want string) string {
	text, ok := f.text(want)
	if ok && text == "" {
		f.fail("is empty: want " + want + ", or leave it out")
	}
	return text
}

// readAgent reads the mapping of the agent's options.
func readAgent(f field) (a Agent) {
	if f.shape() != aMapping {
		f.wantInstead(f.shape(), "a mapping of the Kinesis Agent's options")
		return a
	}
	from := fill(&a, agentSettings(), f)
	if len(f.node.Content) == 0 {
		f.fail("is empty: want " + optionsKey + " or another option of the Kinesis Agent, or leave it out")
	}
	_, err := agent.New(a.Options, a.Strict)
	optionProblems(from[optionsKey], err)
	_, err = agent.NewSplitter(agent.Splitting{
		MultiLineStartPattern: a.Start, SkipHeaderLines: a.SkipHeader, TruncatedRecordTerminator: a.Terminator,
	})
	for _, one := range parts(err) {
		name, text, _ := strings.Cut(one.Error(), ": ")
		at, set := from[name]
		if !set {
			at = f
		}
		at.fail(withoutPattern(name, text))
	}
	return a
}

// readOptions reads dataProcessingOptions, which is JSON that may be written as YAML.
func readOptions(a *Agent, f field) {
	if f.shape() != aList {
		f.wantInstead(f.shape(), wantOptions)
		return
	}
	text, err := asJSON(f.node)
	if err != nil {
		f.fail(err.Error())
		return
	}
	options, err := agent.Parse(text)
	optionProblems(f, err)
	a.Options = options
}

// optionProblems reports what is wrong with options at its place in the list.
func optionProblems(list field, err error) {
	for _, one := range parts(err) {
		problem, is := errors.AsType[agent.OptionError](one)
		if !is {
			list.fail(one.Error())
			continue
		}
		at := list.inside(problem.Place)
		at.fail(withoutPattern(at.name, problem.Text))
	}
}

// inside returns the value at a place in a list such as [1].delimiter or [1].customFieldNames[0], as near as its line is
// known.
func (f field) inside(place string) field {
	number, rest, _ := strings.Cut(strings.TrimPrefix(place, "["), "]")
	if i, err := strconv.Atoi(number); err == nil && i < len(f.node.Content) {
		f = f.items()[i]
		name, _, _ := strings.Cut(strings.TrimPrefix(rest, "."), "[")
		whole := f.place + rest
		if member, is := f.member(name); is {
			f = member
		}
		f.place = whole
		return f
	}
	f.place += place
	return f
}

// withoutPattern leaves out of a problem the pattern that it is about, as far as it quotes it.
func withoutPattern(name, text string) string {
	if !slices.Contains(agentPatterns, name) {
		return text
	}
	if quoted, err := strconv.QuotedPrefix(text); err == nil {
		text = strings.TrimPrefix(text[len(quoted):], "…")
	}
	text, _, _ = strings.Cut(text, ": error parsing regexp") // what follows quotes a part of it
	text = strings.TrimLeft(text, ": ")
	if text == "" {
		return "want " + wantStartJava
	}
	return text
}

// parts returns the errors that err joins, or the one that it is.
func parts(err error) []error {
	if err == nil {
		return nil
	}
	if joined, is := err.(interface{ Unwrap() []error }); is {
		return joined.Unwrap()
	}
	return []error{err}
}
