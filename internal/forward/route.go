package forward

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"sluice/internal/config"
	"sluice/internal/lines"
	"sluice/internal/process/agent"
	"sluice/internal/record"
	"sluice/internal/service"
	"sluice/internal/source/object"
)

// routes say how lines are read and joined. The last one holds for every object, and for all other logs if the settings say so.
type routes []route

// route is for the logs that match.
type route struct {
	match func(o *record.Origin) bool
	lines object.LineRules
}

func routesOf(cfg *config.Config) (routes, error) {
	list := make(routes, 0, len(cfg.Routes)+1)
	for i := range cfg.Routes {
		r := &cfg.Routes[i]
		match, err := matcherOf(r)
		if err != nil {
			return nil, fmt.Errorf("routes[%d]: %w", i, err)
		}
		rules, err := lineRulesOf(r.Multiline, r.Processing.Agent)
		if err != nil {
			return nil, fmt.Errorf("routes[%d]: %w", i, err)
		}
		rules.Log, rules.Columns = service.Log(r.Log), []byte(r.Columns)
		list = append(list, route{match: match, lines: rules})
	}
	rules, err := lineRulesOf(cfg.Multiline, cfg.Agent)
	if err != nil {
		return nil, err
	}
	return append(list, route{match: func(o *record.Origin) bool { return o.Kind == record.S3 || cfg.MultilineEvents }, lines: rules}), nil
}

func lineRulesOf(m config.Multiline, a config.Agent) (object.LineRules, error) {
	rules := object.LineRules{Skip: a.SkipHeader}
	var start *regexp.Regexp
	var err error
	switch {
	case a.Start != "":
		if start, err = agent.CompileStart(a.Start); err != nil {
			return rules, fmt.Errorf("agent.multiLineStartPattern: %w", err)
		}
	case m.Start != "":
		if start, err = lines.CompileStart(m.Start); err != nil {
			return rules, fmt.Errorf("multiline_start: %w", err)
		}
	default:
		return rules, nil
	}
	rules.Joiner = &lines.Joiner{Start: start, MaxLines: m.MaxLines, MaxBytes: m.MaxBytes}
	return rules, nil
}

// lines is what the first route that matches says about the lines of a log.
func (list routes) lines(o *record.Origin) object.LineRules {
	for i := range list {
		if list[i].match(o) {
			return list[i].lines
		}
	}
	return object.LineRules{}
}

// joins reports whether any line may be joined to another.
func (list routes) joins() bool {
	for i := range list {
		if list[i].lines.Joiner != nil {
			return true
		}
	}
	return false
}

// joiner is that of a log that comes record by record, which is not known yet: the first of the records tells.
func (list routes) joiner(first *record.Record) *lines.Joiner {
	known := *first.Origin
	switch known.Kind {
	case record.CloudWatch:
		known.Source = service.FromLogGroup(known.LogGroup, known.LogStream, first.Message.AppendPlain(nil)).Source
	case record.Kinesis: // whose reader has found it out
		known.Source = cmp.Or(known.Found.Source, known.Source)
	case record.Firehose, record.S3, record.SQS, record.SNS, record.EventBridge:
	}
	return list.lines(&known).Joiner
}

// eventJoiner is that of events of CloudWatch Logs; nil for all else.
func (list routes) eventJoiner(first *record.Record) *lines.Joiner {
	if first.Origin.Kind != record.CloudWatch {
		return nil
	}
	return list.joiner(first)
}

// matcherOf returns what a route asks of an origin: everything that it has a pattern for. What an origin does not have, no
// pattern matches.
func matcherOf(r *config.Route) (func(o *record.Origin) bool, error) {
	type condition struct {
		of      func(o *record.Origin) string
		matches func(text string) bool
	}
	var all []condition
	for _, p := range []struct {
		name, pattern string
		of            func(o *record.Origin) string
	}{
		{"log_group", r.LogGroup, func(o *record.Origin) string { return o.LogGroup }},
		{"log_stream", r.LogStream, func(o *record.Origin) string { return o.LogStream }},
		{"bucket", r.Bucket, func(o *record.Origin) string { return o.Bucket }},
		{"key", r.Key, func(o *record.Origin) string { return o.Key }},
		{"owner", r.Owner, func(o *record.Origin) string { return o.Owner }},
		{"from_source", r.FromSource, func(o *record.Origin) string { return o.Source }},
	} {
		if p.pattern == "" {
			continue
		}
		matches, err := patternOf(p.pattern)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		all = append(all, condition{p.of, matches})
	}
	if r.Stream != "" {
		matches, err := patternOf(r.Stream)
		if err != nil {
			return nil, fmt.Errorf("stream: %w", err)
		}
		all = append(all, condition{
			func(o *record.Origin) string { return o.StreamARN },
			func(arn string) bool { return matches(arn) || matches(nameIn(arn)) },
		})
	}
	return func(o *record.Origin) bool {
		for _, c := range all {
			if text := c.of(o); text == "" || !c.matches(text) {
				return false
			}
		}
		return true
	}, nil
}

// patternOf returns what a pattern matches: a regular expression behind a tilde, else text in which * stands for any text.
// An error does not quote it.
func patternOf(pattern string) (func(text string) bool, error) {
	expression, is := strings.CutPrefix(pattern, "~")
	if !is {
		return func(text string) bool { return matchesStar(pattern, text) }, nil
	}
	re, err := regexp.Compile(expression)
	if err != nil {
		return nil, errNoRegexp
	}
	return re.MatchString, nil
}

// nameIn is the name of a stream, queue or topic in its ARN.
func nameIn(arn string) string { return arn[strings.LastIndexAny(arn, ":/")+1:] }
