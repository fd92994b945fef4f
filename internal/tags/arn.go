package tags

import (
	"fmt"
	"strings"
)

// Account is where a resource is: an account in one region.
type Account struct {
	Partition string // "aws", "aws-cn", "aws-us-gov"
	Region    string
	ID        string // 12 digits
}

// AccountOf reads the account out of an ARN that names one, such as that of the function.
// Format: AWS General Reference, "Amazon Resource Names (ARNs)".
func AccountOf(arn string) (Account, error) {
	const parts = 6 // arn:partition:service:region:account:resource
	p := strings.SplitN(arn, ":", parts)
	if len(p) < parts || p[0] != "arn" {
		return Account{}, fmt.Errorf("%.100q is no ARN: want arn:partition:service:region:account:resource", arn)
	}
	a := Account{Partition: p[1], Region: p[3], ID: p[4]}
	if !a.valid() {
		return Account{}, fmt.Errorf("%.100q names no account in a region: want one such as "+
			"arn:aws:lambda:eu-west-1:123456789012:function:name", arn)
	}
	return a, nil
}

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"

	accountDigits  = 12
	maxRegionBytes = 32 // twice the longest there is
)

func (a Account) valid() bool {
	return len(a.ID) == accountDigits && isMadeOf(a.ID, digits) && len(a.Region) <= maxRegionBytes && isMadeOf(a.Region, lower+digits+"-") &&
		strings.HasPrefix(a.Partition, "aws") && len(a.Partition) <= maxRegionBytes && isMadeOf(a.Partition, lower+"-")
}

func isMadeOf(text, letters string) bool { return text != "" && strings.Trim(text, letters) == "" }

// grammar is how the ARNs of a kind are made, and which names it can have.
type grammar struct {
	service, resource string
	global            bool   // there is neither region nor account in the ARN
	suffix            string // that AWS adds in some places, and does not take in these calls
	qualified         bool   // a version or an alias may follow, after a colon
	marks             string // what names may hold beside letters and digits
	least, most       int    // characters of a name
}

// grammars are those of the kinds, in their order. Names are checked because they come from events, and one that AWS does
// not take fails a call for many.
//
// Formats: CloudWatch Logs API reference, "CreateLogGroup"; Lambda API reference, "CreateFunction"; Amazon S3 user guide,
// "Bucket naming rules", and older buckets that do not follow them; Step Functions API reference, "CreateStateMachine",
// whose names outside of ASCII are left out.
var grammars = [kinds]grammar{
	LogGroup:     {service: "logs", resource: "log-group:", suffix: ":*", marks: "_-/.#", least: 1, most: 512},
	Function:     {service: "lambda", resource: "function:", qualified: true, marks: "-_", least: 1, most: 64},
	Bucket:       {service: "s3", global: true, marks: ".-_", least: 3, most: 255},
	StateMachine: {service: "states", resource: "stateMachine:", qualified: true, marks: "-_.+!@()='", least: 1, most: 80},
}

// ARN is that of a resource with a name, spelled as AWS spells it, in capitals and small letters; empty when there can be
// no such resource. The name of a bucket belongs to no account.
func (a Account) ARN(kind Kind, name string) string {
	if kind >= kinds || !a.valid() {
		return ""
	}
	g := &grammars[kind]
	if len(name) < g.least || len(name) > g.most || !isMadeOf(name, lower+upper+digits+g.marks) {
		return ""
	}
	return a.prefix(g) + name
}

func (a Account) prefix(g *grammar) string {
	if g.global {
		return "arn:" + a.Partition + ":" + g.service + ":::" + g.resource
	}
	return "arn:" + a.Partition + ":" + g.service + ":" + a.Region + ":" + a.ID + ":" + g.resource
}

// owned reports whether arn is that of a resource that may be in this account and region, and spells it as AWS takes it.
func (a Account) owned(kind Kind, arn string) (string, bool) {
	if !a.valid() {
		return "", false
	}
	g := &grammars[kind]
	name, ok := strings.CutPrefix(arn, a.prefix(g))
	if !ok {
		return "", false
	}
	if name = strings.TrimSuffix(name, g.suffix); g.qualified {
		name, _, _ = strings.Cut(name, ":")
	}
	arn = a.ARN(kind, name)
	return arn, arn != ""
}

// StateMachineOf is the ARN of the state machine that an execution belongs to; empty when it is not that of an execution.
// Formats: Step Functions developer guide, `execution_arn` in "Logging using CloudWatch Logs": of standard workflows
// `…:states:<region>:<account>:execution:<state machine>:<execution>`, of express ones `express` in place of `execution`.
func StateMachineOf(executionARN string) string {
	own, err := AccountOf(executionARN)
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(executionARN, ":states:"+own.Region+":"+own.ID+":")
	kind, rest, _ := strings.Cut(rest, ":")
	name, _, ok := strings.Cut(rest, ":")
	if !ok || kind != "execution" && kind != "express" {
		return ""
	}
	return own.ARN(StateMachine, name)
}
