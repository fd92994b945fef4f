// Package process makes a decoded record ready to be sent: it names the service that wrote it, gives it its tags, drops
// what is no log or is not wanted, and replaces what must not leave.
//
// A record goes through these steps, in this order:
//
//  1. control messages, empty lines, header lines and our own log are dropped;
//  2. the origin is completed by what its first record says that is left;
//  3. filters: a record that an Exclude matches is dropped, and one that no Include matches;
//  4. redaction, of the message and of the members beside it;
//  5. what the message, now redacted, says about its origin is added.
//
// So the filters see the text as it came, and nothing of the text goes on that was not redacted. The names of log groups,
// streams and objects are not redacted, nor are the names of members. A record is redacted by itself: what a source has cut
// into parts is looked at part by part.
//
// What holds for all records of an origin is done once per origin. A record whose own text says something else (`ddtags`
// in a JSON message, the account of a centralised log group) gets an origin derived from the common one; derived origins
// are kept, because such texts repeat.
package process

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"sluice/internal/ledger"
	"sluice/internal/process/redact"
	"sluice/internal/record"
	"sluice/internal/service"
)

// Rules are the settings that decide what becomes of a record. The zero value tags nothing and overrides nothing.
type Rules struct {
	Tags        record.Tags // put on every record, first
	Source      string      // replaces the recognised source; empty keeps it
	CoarseNames bool        // name sources as the Datadog Forwarder does

	ForwarderName    string // our function's name, for the tag forwardername
	ForwarderVersion string

	OwnLogGroup string // where our own function logs: forwarding that would feed itself

	Exclude []*regexp.Regexp // drop a record in whose message one of them matches
	Include []*regexp.Regexp // drop a record in whose message none of them matches; empty keeps all
	Redact  *redact.Rules    // replace text; nil replaces nothing. Shared by all processors
}

// Processor applies rules to the records of one invocation, in order. It is not safe for concurrent use.
type Processor struct {
	rules   Rules
	origin  *record.Origin            // the last one completed
	derived map[string]*record.Origin // from origin, by derivation key
	scratch []byte                    // plain text of a message
	key     []byte

	redactor *redact.Redactor // nil when nothing is to be redacted
	members  []record.Member  // of a record, some of them redacted
	values   []byte           // those of members that were redacted
}

// New returns a processor for one invocation.
func New(rules Rules) *Processor {
	p := &Processor{rules: rules}
	if rules.Redact != nil {
		p.redactor = redact.New(rules.Redact)
	}
	return p
}

// Apply completes the record. A record that is to be dropped is named by the rule that drops it; the rule is empty for
// one that is kept. What takes the place of redacted text is valid until the next call.
func (p *Processor) Apply(r *record.Record) ledger.Rule {
	switch {
	case r.Origin.Control:
		return ledger.ControlMessage
	case r.Origin.Kind != record.CloudWatch && len(r.Message.Bytes) == 0:
		return ledger.EmptyLine
	case r.Header:
		return ledger.HeaderLine
	case p.isOwn(r.Origin):
		return ledger.OwnLogGroup
	}
	if r.Origin != p.origin {
		p.complete(r.Origin, r.Message)
		p.origin = r.Origin
		clear(p.derived)
	}
	if p.isFiltered(r.Message) {
		return ledger.FilterExclude
	}
	if p.redactor != nil {
		p.redact(r)
	}
	p.derive(r)
	return ""
}

// isOwn reports whether an origin is our own log. Another account may have a log group of the same name.
func (p *Processor) isOwn(o *record.Origin) bool {
	if o.LogGroup == "" || o.LogGroup != p.rules.OwnLogGroup {
		return false
	}
	own := strings.SplitN(o.FunctionARN, ":", 6) // arn:partition:lambda:region:account:function:name
	return len(own) < 6 || own[4] == o.Owner
}

// complete fills in what is the same for all records of an origin; first is the message of its first record.
func (p *Processor) complete(o *record.Origin, first record.Text) {
	id := p.identify(o, first)
	o.Source, o.Service, o.Host = id.Source, id.Service, id.Host
	if p.rules.Source != "" {
		o.Source = p.rules.Source
	}
	if id.Function != "" {
		o.LambdaARN = lambdaARN(o, id.Function)
		o.Host = o.LambdaARN
	}
	o.Tags = p.tagsOf(o, id)
}

func (p *Processor) identify(o *record.Origin, first record.Text) service.Identity {
	switch {
	case o.Kind == record.S3 && p.rules.CoarseNames:
		return service.Identity{Source: service.CoarseObject(o.Key)}
	case o.Kind != record.CloudWatch:
		return service.Identity{Source: cmp.Or(o.Source, string(o.Kind)), Service: o.Service}
	case p.rules.CoarseNames:
		return service.Coarse(o.LogGroup, o.LogStream)
	}
	p.scratch = first.AppendPlain(p.scratch[:0])
	return service.FromLogGroup(o.LogGroup, o.LogStream, p.scratch)
}

// tagsOf gives the tags in the order of the Datadog Forwarder, and settles the service: a service tag of the settings,
// then what the log says, then the source.
func (p *Processor) tagsOf(o *record.Origin, id service.Identity) record.Tags {
	tags := make(record.Tags, 0, len(p.rules.Tags)+8)
	tags = append(tags, p.rules.Tags...)
	if p.rules.ForwarderName != "" {
		tags = append(tags, record.Tag{Key: "forwardername", Value: strings.ToLower(p.rules.ForwarderName)})
	}
	tags = append(tags, record.Tag{Key: "forwarder_version", Value: p.rules.ForwarderVersion})
	if p.rules.Source != "" {
		tags = append(tags, record.Tag{Key: "source_overridden", Value: "true"})
	}

	configured, tags := oneService(tags)
	switch {
	case configured != "":
		o.Service = configured
	case o.Service == "":
		o.Service = o.Source
	}
	if id.Function != "" {
		if _, has := tags.Get("env"); !has {
			tags = append(tags, record.Tag{Key: "env", Value: "none"})
		}
	}
	if isAccount(o.Owner) {
		tags = append(tags, record.Tag{Key: "aws_account", Value: o.Owner})
	}
	if id.Function != "" {
		tags = append(tags, record.Tag{Key: "functionname", Value: id.Function}, record.Tag{Key: "region", Value: o.Region})
		if configured == "" {
			tags = append(tags, record.Tag{Key: "service", Value: o.Service})
		}
	}
	return tags
}

// oneService returns the service that tags name first, "" when they name none, and tags without any further one. The tags
// given are overwritten.
func oneService(tags record.Tags) (name string, rest record.Tags) {
	rest = slices.DeleteFunc(tags, func(tag record.Tag) bool {
		if tag.Key != "service" || tag.Value == "" {
			return false
		}
		first := name == ""
		if first {
			name = tag.Value
		}
		return !first
	})
	return name, rest
}

// lambdaARN names the function that wrote a log: in the account that owns the log group, in the forwarder's partition.
func lambdaARN(o *record.Origin, function string) string {
	// arn:partition:lambda:region:account:function:name
	own := strings.SplitN(o.FunctionARN, ":", 6)
	partition, account := "aws", o.Owner
	if len(own) == 6 {
		partition = own[1]
		if !isAccount(account) {
			account = own[4]
		}
	}
	return strings.ToLower("arn:" + partition + ":lambda:" + o.Region + ":" + account + ":function:" + function)
}

// isAccount reports whether s is an AWS account id: 12 digits.
func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}
