// Package process makes a decoded record ready to be sent: it names the service that wrote it, gives it its tags, drops
// what is no log or is not wanted, and replaces what must not leave.
//
// A record goes through these steps, in this order:
//
//  1. control messages, empty lines, header lines, our own log and logs of an account that is not allowed are dropped;
//  2. the origin is completed: the service by what the first record says that is left, the route, the tags;
//  3. a route may drop all of it;
//  4. filters on the message: a record that an Exclude matches is dropped, and one that no Include matches;
//  5. filters on attributes, likewise;
//  6. sampling by the record's id, so that the same records are kept whatever path they take and however often;
//  7. the options of the Kinesis Agent;
//  8. expansion: each element of an array becomes a record of its own;
//  9. redaction, of the message and of the members beside it;
//  10. the truncation of the Kinesis Agent: behind redaction, which would not know half of a secret;
//  11. what the message, now redacted, says about its origin is added;
//  12. the severity, of the message as it is now.
//
// Steps 4 to 10 and 12 are those of the route where one holds. So the filters see the text as it came, and nothing of the
// text goes on that was not redacted. The names of log groups, streams and objects are not redacted, nor are the names of
// members. A record is redacted by itself: what a source has cut into parts is looked at part by part.
//
// No record is lost in it: Apply either names the rule that drops a record or returns at least one.
//
// What holds for all records of an origin is done once for those that follow each other. A record whose own text says
// something else (`ddtags` in a JSON message, the account of a centralised log group, a state machine) gets an origin
// derived from the common one; derived origins are kept, because such texts repeat.
//
// It does not change the shape of a record for a destination, nor say what its line holds beside the text.
package process

import (
	"bytes"

	"sluice/internal/format"
	"sluice/internal/ledger"
	"sluice/internal/process/redact"
	"sluice/internal/record"
	"sluice/internal/service"
)

// Processor applies rules to the records of one invocation, in order. It is not safe for concurrent use.
type Processor struct {
	rules  Rules
	common plan    // for origins without a route
	routed []*plan // for those with one, by its place; nil until an origin has it

	judged   *record.Origin // the last one that isForeign was asked about
	foreign  bool           // of judged
	origin   *record.Origin // the last one completed
	plan     *plan          // of origin
	identity service.Identity
	found    resourceTags
	tags     record.Tags        // of origin, before TagRules
	derived  map[string]derived // from origin, by derivation key
	key      []byte
	untagged [Failed + 1]int64 // records since they were last counted, by what is known

	out     []*record.Record
	scratch []byte // plain text of a message

	attributes *format.Attributes // nil until a condition asks
	members    []record.Member    // of a record, some of them redacted
	values     []byte             // those of members that were redacted
	name       []byte             // of a member of an item
	columns    []byte             // attributes of a line
	converted  []byte             // a message behind the agent's options
	unended    bool               // they have put no line feed behind it
	document   []byte             // plain text of a message that is expanded
	elements   []record.Record    // of an array
	redacted   []byte             // their messages
	cut        []byte             // messages that were too large
	redactors  map[*redact.Rules]*redact.Redactor
}

// New returns a processor for one invocation.
func New(rules Rules) *Processor {
	p := &Processor{rules: rules, routed: make([]*plan, len(rules.Routes))}
	p.common = p.planOf(&p.rules.Steps, nil)
	return p
}

// Apply completes the record and returns what becomes of it: usually itself, or one record for each element of an array in
// it. A record that is to be dropped is named by the rule that drops it; the rule is empty for one that is kept. The list,
// its records other than r, and text that has been changed are valid until the next call.
func (p *Processor) Apply(r *record.Record) (out []*record.Record, rule ledger.Rule) {
	if rule := p.ruleFor(r); rule != "" {
		return nil, rule
	}
	if r.Origin.Kind == record.CloudWatch {
		r.Index = 0 // where the event lay in an object says nothing: it is the same on every path
	}
	if r.Origin != p.origin {
		p.enter(r)
	}
	if p.plan.route != nil && r.Columns == nil {
		r.Columns = p.plan.route.Columns
	}
	p.out = append(p.out[:0], r)
	if !p.plan.alters { // most records, and so without a loop
		p.derive(r)
		return p.out, ""
	}
	if rule := p.alter(r); rule != "" {
		return nil, rule
	}
	for _, r := range p.out {
		p.derive(r)
	}
	if p.plan.steps.Severity {
		p.judge()
	}
	return p.out, ""
}

// ruleFor names the rule by which a record is no log that anybody wants.
func (p *Processor) ruleFor(r *record.Record) ledger.Rule {
	switch {
	case r.Origin.Control:
		return ledger.ControlMessage
	case r.Origin.Kind != record.CloudWatch && len(r.Message.Bytes) == 0:
		return ledger.EmptyLine
	case r.Header:
		return ledger.HeaderLine
	case p.isOwn(r.Origin):
		return ledger.OwnLogGroup
	case len(p.rules.AllowedOwners) > 0 && p.isForeign(r.Origin):
		return ledger.NotAllowedSource
	}
	return ""
}

// enter completes the origin of a record, which is the first of those that follow.
func (p *Processor) enter(r *record.Record) {
	p.complete(r.Origin, r.Message)
	p.origin = r.Origin
	clear(p.derived)
}

// alter takes a record through the steps of its route, up to truncation. The result is in p.out.
func (p *Processor) alter(r *record.Record) ledger.Rule {
	s := p.plan.steps
	switch {
	case p.plan.route != nil && p.plan.route.Drop:
		return ledger.RouteDrop
	case p.isFiltered(r):
		return ledger.FilterExclude
	case s.Sample > 0 && s.Sample < 1 && !p.isSampled(r):
		return ledger.FilterSampled
	}
	p.unended = false
	if p.plan.converter != nil && !p.convert(r) {
		return ledger.AgentNoMatch
	}
	if p.plan.redactor != nil {
		p.redactMembers(r)
	}
	if len(s.Expand) > 0 {
		p.expand(r)
	}
	if p.plan.redactor != nil {
		p.redactMessages()
	}
	if s.Truncate != nil {
		p.truncateMessages()
	}
	return ""
}

// judge says how grave the records are.
func (p *Processor) judge() {
	log := service.Log(p.origin.Log)
	for _, r := range p.out {
		r.Severity = format.Severity(log, p.plain(r.Message))
	}
}

// plain is the plain text of a message: its own bytes, or a view of a buffer that is valid until it is used again.
func (p *Processor) plain(message record.Text) []byte {
	if !message.Escaped || bytes.IndexByte(message.Bytes, '\\') < 0 {
		return message.Bytes
	}
	p.scratch = message.AppendPlain(p.scratch[:0])
	return p.scratch
}

// Destinations are the ids of those that the last record is for, if it was kept: those that its route names; nil for all.
func (p *Processor) Destinations() []string {
	if p.plan == nil || p.plan.route == nil {
		return nil
	}
	return p.plan.route.Destinations
}

// TakeRedactions returns how often each redaction rule has replaced something since it was last asked, by the rule's name,
// without those that have not; nil when there are none.
func (p *Processor) TakeRedactions() map[string]int {
	var counts map[string]int
	for _, redactor := range p.redactors {
		for name, n := range redactor.Counts {
			if n == 0 {
				continue
			}
			if counts == nil {
				counts = make(map[string]int)
			}
			counts[name] += n
		}
		redactor.Reset()
	}
	return counts
}

// Close hands over what has been counted of records without tags. Whoever applies rules calls it behind the last record.
func (p *Processor) Close() { p.countUntagged() }
