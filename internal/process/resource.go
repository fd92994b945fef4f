package process

import (
	"bytes"
	"slices"
	"strings"

	"sluice/internal/record"
	"sluice/internal/service"
)

// resourceTags are those of the resources that an origin is of, and whether one of them may be missing.
type resourceTags struct {
	bucket, group, function record.Tags
	known                   Knowledge // the worst of them
}

// lookUp asks for the tags of the bucket, or of the log group and the function, that the records of an origin come from.
func (p *Processor) lookUp(o *record.Origin) resourceTags {
	var found resourceTags
	if p.rules.Resources == nil {
		return found
	}
	look := func(kind Resource, name string) record.Tags {
		if name == "" {
			return nil
		}
		list, known := p.rules.Resources.Lookup(kind, o, name)
		found.known = max(found.known, known)
		return list
	}
	switch o.Kind {
	case record.S3:
		found.bucket = look(Bucket, o.Bucket)
	case record.CloudWatch:
		found.group = look(LogGroup, o.LogGroup)
		found.function = look(Function, p.identity.FunctionName)
	case record.Kinesis, record.Firehose, record.SQS, record.SNS, record.EventBridge:
	}
	return found
}

// countUntagged hands over what was counted of records without tags.
func (p *Processor) countUntagged() {
	for _, why := range [...]Knowledge{Pending, Failed} {
		if n := p.untagged[why]; n > 0 {
			p.rules.Resources.CountUntagged(why, n)
			p.untagged[why] = 0
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
func (p *Processor) machineTags(o *record.Origin, runs []byte) (record.Tags, Knowledge) {
	name := machineOf(o, string(runs))
	if name == "" {
		return nil, Known
	}
	return p.rules.Resources.Lookup(StateMachine, o, name)
}

// machineOf is the name of the state machine that executions are of; empty where it is none of the account and region of an
// origin.
// Format: Step Functions developer guide, "Logging using CloudWatch Logs": the ARN of an execution has express in place of
// execution in an express workflow.
func machineOf(o *record.Origin, runs string) string {
	const parts = 8 // arn:partition:states:region:account:execution:state machine:
	p := strings.SplitN(runs, ":", parts)
	if len(p) < parts || p[0] != "arn" || !strings.HasPrefix(p[1], "aws") || p[2] != "states" {
		return ""
	}
	if p[5] != "execution" && p[5] != "express" || !isAccount(p[4]) || p[4] != o.Owner || p[3] != o.Region {
		return ""
	}
	return p[6]
}

// appendMachine gives an origin the tags of its state machine. A service among them is the service, as that of a function is.
func (p *Processor) appendMachine(o *record.Origin, machine record.Tags) {
	rules := &p.rules.TagRules
	own, list := rules.oneService(slices.Clone(machine))
	if own != "" {
		o.Service = own
		if p.plan.route != nil && p.plan.route.Service != "" {
			o.Service = p.plan.route.Service
		}
		if slices.ContainsFunc(o.Tags, rules.isService) {
			list = slices.DeleteFunc(list, rules.isService)
			rules.setService(o.Tags, o.Service)
		}
		rules.setService(list, o.Service)
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
