package process

import (
	"strings"

	"sluice/internal/process/agent"
	"sluice/internal/process/redact"
	"sluice/internal/record"
)

// plan is what becomes of the records of an origin: the steps of the rules or of a route, ready to be used.
type plan struct {
	route     *Route // nil where none holds
	steps     *Steps
	converter *agent.Converter // nil converts nothing
	redactor  *redact.Redactor // nil redacts nothing
	expands   string           // the path of the array whose elements become records; empty for none
	alters    bool             // there is a step
}

func (p *Processor) planOf(s *Steps, route *Route) plan {
	made := plan{route: route, steps: s, redactor: p.redactorOf(s.Redact), expands: strings.Join(s.Expand, ".")}
	if s.Agent != nil {
		made.converter = s.Agent.Clone()
	}
	made.alters = route != nil && route.Drop || s.Agent != nil || s.Truncate != nil || s.Redact != nil || s.Severity || s.Sample > 0 ||
		len(s.Exclude)+len(s.Include)+len(s.ExcludeWhere)+len(s.IncludeWhere)+len(s.Expand) > 0
	return made
}

// redactorOf returns the redactor of these rules, which the routes that share them share, for it keeps large buffers.
func (p *Processor) redactorOf(rules *redact.Rules) *redact.Redactor {
	if rules == nil {
		return nil
	}
	redactor := p.redactors[rules]
	if redactor == nil {
		redactor = redact.New(rules)
		if p.redactors == nil {
			p.redactors = make(map[*redact.Rules]*redact.Redactor)
		}
		p.redactors[rules] = redactor
	}
	return redactor
}

// choose returns the plan for an origin: that of the first route that matches.
func (p *Processor) choose(o *record.Origin) *plan {
	for i := range p.rules.Routes {
		route := &p.rules.Routes[i]
		if !route.Match(o) {
			continue
		}
		if p.routed[i] == nil {
			made := p.planOf(&route.Steps, route)
			p.routed[i] = &made
		}
		return p.routed[i]
	}
	return &p.common
}
