package forward

import (
	"fmt"
	"regexp"

	"sluice/internal/config"
	"sluice/internal/process"
	"sluice/internal/process/redact"
	"sluice/internal/record"
)

// rulesOf returns what becomes of a record. Patterns were looked at when the settings were read.
func rulesOf(cfg *config.Config, function Function) (process.Rules, error) {
	rules := process.Rules{
		Tags:             tagsOf(cfg.Tags),
		Source:           cfg.Source,
		CoarseNames:      cfg.SourceNames == config.SourceNamesForwarder,
		ForwarderName:    function.Name,
		ForwarderVersion: Version,
		OwnLogGroup:      function.LogGroup,
	}
	var err error
	if rules.Include, err = compiled(cfg.Include); err != nil {
		return process.Rules{}, fmt.Errorf("include: %w", err)
	}
	if rules.Exclude, err = compiled(cfg.Exclude); err != nil {
		return process.Rules{}, fmt.Errorf("exclude: %w", err)
	}
	var list []redact.Rule
	if cfg.RedactIP {
		list = append(list, redact.IPv4(config.RuleIP))
	}
	if cfg.RedactEmail {
		list = append(list, redact.Email(config.RuleEmail))
	}
	for _, r := range cfg.Redact {
		list = append(list, redact.Rule{Name: r.Name, Pattern: r.Pattern, Replacement: r.Replacement})
	}
	if len(list) == 0 {
		return rules, nil
	}
	rules.Redact, err = redact.Compile(list...)
	return rules, err
}

// compiled compiles regular expressions. An error does not quote them: patterns tell what somebody wants to hide.
func compiled(patterns []string) ([]*regexp.Regexp, error) {
	var list []*regexp.Regexp
	for i, pattern := range patterns {
		re, err := regexp.Compile(pattern)
		if err != nil {
			return nil, fmt.Errorf("pattern %d is no regular expression of RE2", i+1)
		}
		list = append(list, re)
	}
	return list, nil
}

func tagsOf(texts []string) record.Tags {
	tags := make(record.Tags, 0, len(texts))
	for _, text := range texts {
		tags = append(tags, record.ParseTag(text))
	}
	return tags
}
