package process

import (
	"bytes"
	"slices"

	"sluice/internal/record"
	"sluice/internal/service"
	"sluice/internal/tags"
)

// resourceTags are those of the resources that an origin is of, and whether one of them may be missing.
type resourceTags struct {
	bucket, group, function record.Tags
	status                  tags.Status // Pending or Failed when some are not known; else Off
}

// lookUp asks for the tags of the bucket, or of the log group and the function, that the records of an origin come from.
func (p *Processor) lookUp(o *record.Origin) resourceTags {
	var found resourceTags
	if p.rules.Resources == nil {
		return found
	}
	look := func(kind tags.Kind, name string) record.Tags {
		if name == "" {
			return nil
		}
		list, status := p.rules.Resources.Lookup(kind, o, name)
		found.status = worse(found.status, status)
		return list
	}
	switch o.Kind {
	case record.S3:
		found.bucket = look(tags.Bucket, o.Bucket)
	case record.CloudWatch:
		found.group = look(tags.LogGroup, o.LogGroup)
		found.function = look(tags.Function, p.identity.FunctionName)
	case record.Kinesis, record.Firehose, record.SQS, record.SNS, record.EventBridge:
	}
	return found
}

// worse is the status of two lookups together: that some tags are not known, or Off.
func worse(a, b tags.Status) tags.Status {
	for _, missing := range [...]tags.Status{tags.Failed, tags.Pending} {
		if a == missing || b == missing {
			return missing
		}
	}
	return tags.Off
}

// countUntagged hands over what was counted of records without tags.
func (p *Processor) countUntagged() {
	for _, status := range [...]tags.Status{tags.Pending, tags.Failed} {
		if n := p.untagged[status]; n > 0 {
			p.rules.Resources.CountUntagged(status, n)
			p.untagged[status] = 0
		}
	}
}

// maxMachineBytes bounds the ARN of a state machine, of whose name there are 80 characters at most.
const maxMachineBytes = 256

// runsOf returns the beginning of an execution's ARN that all executions of its state machine share, with the colon behind
// the state machine's name; nil where there is none.
func runsOf(executionARN []byte) []byte {
	const parts = 7 // arn:partition:states:region:account:execution:state machine:
	end := 0
	for range parts {
		n := bytes.IndexByte(executionARN[end:], ':')
		if n < 0 {
			return nil
		}
		end += n + 1
	}
	if end > maxMachineBytes {
		return nil
	}
	return executionARN[:end]
}

// machineTags are the tags of the state machine that executions are of. Another account's or region's are not asked for.
func (p *Processor) machineTags(o *record.Origin, runs []byte) (record.Tags, tags.Status) {
	if len(runs) == 0 {
		return nil, tags.Off
	}
	arn := tags.StateMachineOf(string(runs) + "x")
	own, err := tags.AccountOf(arn)
	if err != nil || own.ID != o.Owner || own.Region != o.Region {
		return nil, tags.Foreign
	}
	return p.rules.Resources.Lookup(tags.StateMachine, o, arn[len(own.ARN(tags.StateMachine, "x"))-1:])
}

// appendMachine gives an origin the tags of its state machine. A service among them is the service, as that of a function is.
func (p *Processor) appendMachine(o *record.Origin, machine record.Tags) {
	own, list := oneService(slices.Clone(machine))
	if own != "" {
		o.Service = own
		if p.plan.route != nil && p.plan.route.Service != "" {
			o.Service = p.plan.route.Service
		}
		if slices.ContainsFunc(o.Tags, isService) {
			list = slices.DeleteFunc(list, isService)
			setService(o.Tags, o.Service)
		}
		setService(list, o.Service)
	}
	o.Tags = append(o.Tags, list...)
}

// tagsWithoutFunction are the tags of an origin whose function is another one of the same name, of which nothing is known.
func (p *Processor) tagsWithoutFunction(o *record.Origin) record.Tags {
	function := p.found.function
	defer func() { p.found.function = function }()
	p.found.function = nil
	return p.tagsOf(o)
}

// mentionsExecution reports whether the text of a message may name an execution of a state machine whose tags are wanted.
func (p *Processor) mentionsExecution(text []byte) bool {
	return p.rules.Resources != nil && p.origin.Log == string(service.StepFunctions) && bytes.Contains(text, executionMember)
}

var executionMember = []byte("execution_arn")
