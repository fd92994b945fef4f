package process

import (
	"cmp"
	"slices"
	"strings"

	"sluice/internal/record"
	"sluice/internal/service"
)

// complete fills in what is the same for all records of an origin; first is the message of its first record.
func (p *Processor) complete(o *record.Origin, first record.Text) {
	p.countUntagged()
	found := p.identify(o, first)
	o.Source, o.Service, o.Host, o.Log = found.Source, found.Service, found.Host, string(found.Log)
	o.Found.Source, o.Found.Service = found.Source, found.Service
	p.plan = p.choose(o)

	p.identity = p.named(o, found)
	id := &p.identity
	o.Source, o.Service, o.Host = id.Source, id.Service, id.Host
	route := p.plan.route
	if route != nil && route.Drop {
		p.found, p.tags = resourceTags{}, nil
		return // nobody sees what else it is
	}
	if route != nil && route.Log != "" {
		o.Log = string(route.Log)
	}
	if source := p.sourceRule(); source != "" {
		o.Source = source
	}
	if id.Function != "" {
		o.LambdaARN = lambdaARN(o, id.Function)
		o.Host = o.LambdaARN
	}
	if route != nil && route.Host != "" {
		o.Host = route.Host
	}
	p.found = p.lookUp(o)
	p.tags = p.tagsOf(o)
	o.Tags = p.rules.TagRules.apply(p.tags)
}

// sourceRule is the source that the settings have for an origin; empty when they have none.
func (p *Processor) sourceRule() string {
	if p.plan.route != nil && p.plan.route.Source != "" {
		return p.plan.route.Source
	}
	return p.rules.Source
}

// identify says who wrote the log. What a reader has found counts, as it was before the settings replaced it.
func (p *Processor) identify(o *record.Origin, first record.Text) service.Identity {
	switch {
	case o.Kind == record.CloudWatch:
		return service.FromLogGroup(o.LogGroup, o.LogStream, p.plain(first))
	case o.Found.Source != "":
		return service.Identity{Source: o.Found.Source, Service: o.Found.Service, Log: service.Log(o.Log)}
	}
	id := service.Identity{Source: o.Source, Service: o.Service, Log: service.Log(o.Log)}
	switch {
	case (o.Kind == record.Kinesis || o.Kind == record.Firehose) && o.Source == "":
		known := service.FromStream(o.StreamARN, p.plain(first))
		id = service.Identity{Source: known.Source, Service: cmp.Or(id.Service, known.Service), Log: known.Log}
	case o.Kind == record.EventBridge && o.Log == "":
		id.Log = service.FromEvent("aws." + o.Source).Log
	}
	id.Source = cmp.Or(id.Source, string(o.Kind))
	return id
}

// named is who wrote the log, by the names that the settings want. Routes go by the finer ones in any case.
func (p *Processor) named(o *record.Origin, found service.Identity) service.Identity {
	if !p.rules.CoarseNames {
		return found
	}
	coarse := found
	switch o.Kind {
	case record.CloudWatch:
		coarse = service.Coarse(o.LogGroup, o.LogStream)
		coarse.Log = found.Log
	case record.S3:
		coarse.Source, coarse.Service = service.CoarseObject(o.Key), ""
	case record.Kinesis, record.Firehose:
		coarse.Source = string(o.Kind)
	case record.SQS, record.SNS, record.EventBridge:
	}
	return coarse
}

// isOwn reports whether an origin is our own log. Another account may have a log group of the same name.
func (p *Processor) isOwn(o *record.Origin) bool {
	if o.LogGroup == "" || o.LogGroup != p.rules.OwnLogGroup {
		return false
	}
	own := strings.SplitN(o.FunctionARN, ":", 6) // arn:partition:lambda:region:account:function:name
	return len(own) < 6 || own[4] == o.Owner
}

// isForeign reports whether a payload of CloudWatch Logs is of an account that is not allowed. One that names none is: who
// sends it would otherwise only have to leave the name out.
func (p *Processor) isForeign(o *record.Origin) bool {
	if o != p.judged {
		p.judged = o
		p.foreign = o.Kind == record.CloudWatch && !slices.Contains(p.rules.AllowedOwners, o.Owner)
	}
	return p.foreign
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
