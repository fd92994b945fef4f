package template_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// senders are accounts that the parameter SenderAccountIds may hold.
var senders = []string{"111122223333", "123456789012"}

// joined returns the text of a Sub with the senders in it, as CloudFormation would join them.
func joined(value any) string {
	sub := asList(at(value, "Fn::Sub"))
	if len(sub) != 2 {
		return asText(value)
	}
	text := asText(sub[0])
	for name, variable := range asObject(sub[1]) {
		join := asList(at(variable, "Fn::Join"))
		if len(join) == 2 {
			text = strings.ReplaceAll(text, "${"+name+"}", strings.Join(senders, asText(join[0])))
		}
	}
	return text
}

// logSource is what aws:SourceArn has for log groups of one account.
var logSource = regexp.MustCompile(`^arn:(aws\*|\$\{AWS::Partition\}):logs:(\*|\$\{AWS::Region\}):(\$\{AWS::AccountId\}|\d{12}):\*$`)

const regionalLogs = "arn:${AWS::Partition}:logs:${AWS::Region}:"

// fromKnownAccounts reports whether a condition holds for log groups of this account and of senders, in this region, alone.
// A star of StringLike may stand for several parts of an ARN, so nothing may be open before the account there.
func fromKnownAccounts(condition any) bool {
	parts, text := sourceARNs(condition, "ArnLike"), sourceARNs(condition, "StringLike")
	here := func(arn string) bool { return strings.HasPrefix(arn, regionalLogs) }
	switch {
	case all(text, here) && all(text, logSource.MatchString):
		return true
	case all(parts, logSource.MatchString):
		return all(parts, here) || all(text, here)
	}
	return false
}

// sourceARNs returns the patterns that an operator of a condition has for the source.
func sourceARNs(condition any, operator string) []string {
	arns := at(condition, operator, "aws:SourceArn")
	if split := asList(at(arns, "Fn::Split")); len(split) == 2 {
		return strings.Split(joined(split[1]), asText(split[0]))
	}
	return texts(arns)
}

// all reports whether there are texts, and each is as it should be.
func all(list []string, good func(string) bool) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(text string) bool { return !good(text) })
}

// checkSenders complains of a destination that other accounts than the senders may subscribe to, or that does not write to
// the stream.
func checkSenders(w world) []string {
	var complaints []string
	for _, name := range w.template.of(destinationType) {
		role := resourceOf(w.template.prop(name, "RoleArn"))
		if !may(w.template, role, "kinesis:PutRecord", asText(w.template.prop(name, "TargetArn"))) {
			complaints = append(complaints, name+": may not write to its stream")
		}
		for _, wrong := range checkDestinationPolicy(w.template, name) {
			complaints = append(complaints, name+": "+wrong)
		}
	}
	return complaints
}

func checkDestinationPolicy(t template, name string) []string {
	var policy struct {
		Statement []struct {
			Effect    string
			Principal struct{ AWS []string }
			Action    []string
			Resource  string
		}
	}
	if err := json.Unmarshal([]byte(joined(t.prop(name, "DestinationPolicy"))), &policy); err != nil {
		return []string{"its policy is no JSON: " + err.Error()}
	}
	var wrong []string
	own := "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:destination:" + asText(t.prop(name, "DestinationName"))
	for _, statement := range policy.Statement {
		if !slices.Equal(statement.Principal.AWS, senders) || statement.Resource != own || statement.Effect != "Allow" {
			wrong = append(wrong, "lets in others than the senders, or elsewhere")
		}
		for _, action := range statement.Action {
			if action != "logs:PutSubscriptionFilter" && action != "logs:PutAccountPolicy" {
				wrong = append(wrong, "lets senders do "+action)
			}
		}
	}
	if len(policy.Statement) == 0 {
		wrong = append(wrong, "lets nobody in")
	}
	return wrong
}

func TestFromKnownAccounts(t *testing.T) {
	const here = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"
	for name, tc := range map[string]struct {
		text, parts any
		want        bool
	}{
		"this account":                     {here, nil, true},
		"another one by name":              {regionalLogs + "111122223333:*", nil, true},
		"any account":                      {regionalLogs + "*:*", nil, false},
		"one of several is any":            {[]any{here, regionalLogs + "*:*"}, nil, false},
		"any region":                       {nil, "arn:aws*:logs:*:111122223333:*", false},
		"any region, and then this":        {regionalLogs + "*", "arn:aws*:logs:*:111122223333:*", true},
		"a star that may hold an account":  {"arn:aws*:logs:*:111122223333:*", regionalLogs + "*:*", false},
		"this region of any account":       {regionalLogs + "*", nil, false},
		"another service":                  {"arn:aws:events:${AWS::Region}:111122223333:*", nil, false},
		"an account that only starts like": {regionalLogs + "11112222*:*", nil, false},
		"no condition":                     {nil, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			condition := object{"StringLike": object{"aws:SourceArn": tc.text}, "ArnLike": object{"aws:SourceArn": tc.parts}}
			assert.Equal(t, tc.want, fromKnownAccounts(condition))
		})
	}
}
