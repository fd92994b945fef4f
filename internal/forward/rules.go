package forward

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"sluice/internal/config"
	"sluice/internal/process"
	"sluice/internal/process/agent"
	"sluice/internal/process/redact"
	"sluice/internal/record"
	"sluice/internal/service"
)

// errNoRegexp does not quote the pattern: it tells what somebody wants to hide.
var errNoRegexp = errors.New("no regular expression of RE2")

// rulesOf returns what becomes of a record. Patterns were looked at when the settings were read.
func rulesOf(cfg *config.Config, function Function) (process.Rules, error) {
	rules := process.Rules{
		Tags:             tagsOf(cfg.Tags),
		Source:           cfg.Source,
		CoarseNames:      cfg.SourceNames == config.SourceNamesForwarder,
		ForwarderName:    function.Name,
		ForwarderVersion: Version,
		AllowedOwners:    cfg.AllowedOwners,
		OwnLogGroup:      function.LogGroup,
		TagRules: process.TagRules{
			Rename: cfg.TagRules.Rename, Allow: cfg.TagRules.Allow, Deny: cfg.TagRules.Deny, Max: cfg.TagRules.Max,
		},
	}
	var err error
	if rules.Steps, err = stepsOf(&cfg.Processing); err != nil {
		return process.Rules{}, err
	}
	if rules.Redact, err = redactionOf(cfg, cfg.Redact); err != nil {
		return process.Rules{}, err
	}
	rules.RedactAll = rules.Redact
	if all := everyRule(cfg); len(all) > len(cfg.Redact) {
		if rules.RedactAll, err = redactionOf(cfg, all); err != nil {
			return process.Rules{}, err
		}
	}
	for i := range cfg.Routes {
		r, err := processRoute(cfg, &cfg.Routes[i], rules.Steps)
		if err != nil {
			return process.Rules{}, fmt.Errorf("routes[%d]: %w", i, err)
		}
		rules.Routes = append(rules.Routes, r)
	}
	return rules, nil
}

// everyRule returns the rules of the top and of all routes, each once. Those of two routes may have one name, of which one
// gets another here.
func everyRule(cfg *config.Config) []config.RedactRule {
	all := slices.Clone(cfg.Redact)
	for i := range cfg.Routes {
		for _, r := range cfg.Routes[i].Processing.Redact {
			if slices.Contains(all, r) {
				continue
			}
			for n, name := 2, r.Name; hasRule(all, r.Name); n++ {
				r.Name = fmt.Sprintf("%.56s_%d", name, n) // 64 bytes are what a name may have
			}
			all = append(all, r)
		}
	}
	return all
}

func hasRule(rules []config.RedactRule, name string) bool {
	return slices.ContainsFunc(rules, func(r config.RedactRule) bool { return r.Name == name })
}

// processRoute returns what a route says, completed by what holds for all.
func processRoute(cfg *config.Config, r *config.Route, global process.Steps) (process.Route, error) {
	match, err := matcherOf(r)
	if err != nil {
		return process.Route{}, err
	}
	var rules []config.RedactRule
	if len(r.Processing.Redact) > 0 {
		rules = slices.Concat(cfg.Redact, r.Processing.Redact)
	}
	own, err := stepsOf(&r.Processing)
	if err != nil {
		return process.Route{}, err
	}
	if len(rules) > 0 {
		if own.Redact, err = redactionOf(cfg, rules); err != nil {
			return process.Route{}, err
		}
	}
	var columns []byte
	if r.Columns != "" {
		columns = []byte(r.Columns)
	}
	return process.Route{
		Match: match, Log: service.Log(r.Log), Columns: columns, Source: r.Source, Service: r.Service, Host: r.Host,
		Tags: tagsOf(r.Tags), Drop: r.Drop, Destinations: r.Destinations, Steps: withGlobal(global, own),
	}, nil
}

// withGlobal completes the steps of a route: patterns for messages are added to those that hold for all, anything else takes
// their place. What a route does not have it shares, as there may be a thousand routes.
func withGlobal(global, own process.Steps) process.Steps {
	own.Include = slices.Concat(global.Include, own.Include)
	own.Exclude = slices.Concat(global.Exclude, own.Exclude)
	own.Severity = own.Severity || global.Severity
	own.Sample = cmp.Or(own.Sample, global.Sample)
	own.Agent = cmp.Or(own.Agent, global.Agent)
	own.Truncate = cmp.Or(own.Truncate, global.Truncate)
	own.Redact = cmp.Or(own.Redact, global.Redact)
	if len(own.IncludeWhere) == 0 {
		own.IncludeWhere = global.IncludeWhere
	}
	if len(own.ExcludeWhere) == 0 {
		own.ExcludeWhere = global.ExcludeWhere
	}
	if len(own.Expand) == 0 {
		own.Expand = global.Expand
	}
	return own
}

// stepsOf returns steps without redaction.
func stepsOf(p *config.Processing) (process.Steps, error) {
	steps := process.Steps{Sample: p.Sample, Severity: p.Severity}
	if p.Expand != "" {
		steps.Expand = strings.Split(p.Expand, ".")
	}
	var errs [6]error
	steps.Include, errs[0] = compiled("include", p.Include)
	steps.Exclude, errs[1] = compiled("exclude", p.Exclude)
	steps.IncludeWhere, errs[2] = conditions("include_where", p.IncludeWhere)
	steps.ExcludeWhere, errs[3] = conditions("exclude_where", p.ExcludeWhere)
	if len(p.Agent.Options) > 0 {
		steps.Agent, errs[4] = agent.New(p.Agent.Options, p.Agent.Strict)
	}
	if p.Agent.Terminator != "" {
		steps.Truncate, errs[5] = agent.NewSplitter(agent.Splitting{TruncatedRecordTerminator: p.Agent.Terminator})
	}
	return steps, errors.Join(errs[:]...)
}

// redactionOf returns nil where nothing is to be redacted.
func redactionOf(cfg *config.Config, rules []config.RedactRule) (*redact.Rules, error) {
	var list []redact.Rule
	if cfg.RedactIP {
		list = append(list, redact.IP(config.RuleIP))
	}
	if cfg.RedactEmail {
		list = append(list, redact.Email(config.RuleEmail))
	}
	for _, r := range rules {
		list = append(list, redact.Rule{
			Name: r.Name, Pattern: r.Pattern, Replacement: r.Replacement, Member: r.Member, Attribute: r.Attribute,
		})
	}
	if len(list) == 0 {
		return nil, nil //nolint:nilnil // no rules are what is asked for
	}
	compiled, err := redact.Compile(list...)
	if err != nil {
		return nil, fmt.Errorf("redact: %w", err)
	}
	return compiled, nil
}

// compiled compiles regular expressions.
func compiled(setting string, patterns []string) ([]*regexp.Regexp, error) {
	var list []*regexp.Regexp
	for i, pattern := range patterns {
		re, err := regexp.Compile(pattern)
		if err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", setting, i, errNoRegexp)
		}
		list = append(list, re)
	}
	return list, nil
}

func conditions(setting string, where []config.Condition) ([]process.Condition, error) {
	var list []process.Condition
	for i, c := range where {
		re, err := regexp.Compile(c.Pattern)
		if err != nil {
			return nil, fmt.Errorf("%s[%d].matches: %w", setting, i, errNoRegexp)
		}
		list = append(list, process.Condition{Attribute: c.Attribute, Pattern: re})
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
