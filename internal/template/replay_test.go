package template_test

import (
	"fmt"
	"slices"
)

// replayRole is the one role that may read and delete what is parked.
const replayRole = "ReplayRole"

// What the delivery contract asks of replay (sections 2.1, 2.8 and 2.10).
const (
	replayRate        = "rate(5 minutes)"
	maxPendingSeconds = 9 * 3600 // half of what Datadog takes at its date
)

// replayActions are what replay does in the park bucket, by prefix.
var replayActions = map[string][]string{
	"sluice/v1/*":  {"s3:DeleteObject", "s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"},
	"aws/lambda/*": {"s3:DeleteObject", "s3:GetObject"},
}

// scheduledRetries are those of a function that the next schedule invokes anyway.
var scheduledRetries = map[string]string{
	"MaximumRetryAttempts": "0", "MaximumEventAgeInSeconds": "300", "Qualifier": "$LATEST", "DestinationConfig": "",
}

// scheduled reports whether a schedule invokes a function.
func scheduled(t template, function string) bool {
	return slices.ContainsFunc(t.of(scheduleType), func(schedule string) bool {
		return refers(t.prop(schedule, "Target", "Arn"), function)
	})
}

// fromOwnSchedules reports whether a condition holds for the schedules of a group of this stack alone.
func fromOwnSchedules(t template, condition any) bool {
	group := resourceOf(at(condition, "aws:SourceArn"))
	return t.resources[group].kind == groupType && asText(at(condition, "aws:SourceAccount")) == "${AWS::AccountId}"
}

// When something is there: in each stack, in none, or on the condition of that name.
const (
	always = "always"
	never  = "never"
)

// presence returns when a value is there.
func presence(value any) string {
	branches := asList(at(value, "Fn::If"))
	switch {
	case len(either(value)) == 0:
		return never
	case len(branches) == 3 && len(either(branches[2])) == 0:
		return asText(branches[0])
	}
	return always
}

// policyOf is a policy of a role, with the name of the resource that holds it.
type policyOf struct {
	name     string
	when     string // a presence
	document any
}

// policiesOf returns the policies of a role: its own, and those of this template that it shares.
func policiesOf(t template, role string) []policyOf {
	var all []policyOf
	for _, policy := range asList(t.prop(role, "Policies")) {
		all = append(all, policyOf{name: role, when: always, document: at(policy, "PolicyDocument")})
	}
	for _, item := range asList(t.prop(role, "ManagedPolicyArns")) {
		for _, arn := range either(item) {
			name := resourceOf(arn)
			all = append(all, policyOf{name: name, when: presence(item), document: t.prop(name, "PolicyDocument")})
		}
	}
	return all
}

func (p policyOf) allows(action, resource string) bool {
	return slices.ContainsFunc(statements(p.document), func(statement object) bool {
		return slices.Contains(texts(statement["Action"]), action) && slices.Contains(choices(statement["Resource"]), resource)
	})
}

// may reports whether a role allows an action on a resource, in some stack at least.
func may(t template, role, action, resource string) bool {
	return slices.ContainsFunc(policiesOf(t, role), func(policy policyOf) bool { return policy.allows(action, resource) })
}

// attached returns when a role has a policy of this template.
func attached(t template, role, policy string) string {
	for _, p := range policiesOf(t, role) {
		if p.name == policy {
			return p.when
		}
	}
	return never
}

// checkReplay complains of what is parked staying where it is: not invoked, not read, not sent, not noticed.
func checkReplay(w world) []string {
	var complaints []string
	schedules := w.template.of(scheduleType)
	if len(schedules) == 0 {
		return []string{"nothing invokes replay"}
	}
	for _, schedule := range schedules {
		wrong := checkSchedule(w.template, schedule)
		function := resourceOf(w.template.prop(schedule, "Target", "Arn"))
		wrong = append(wrong, checkReplayRole(w.template, function)...)
		wrong = append(wrong, checkReplayAlarms(w.template, function)...)
		for _, text := range wrong {
			complaints = append(complaints, schedule+": "+text)
		}
	}
	return complaints
}

// checkSchedule complains of a schedule that does not invoke its function, or invokes it too often or too seldom.
func checkSchedule(t template, schedule string) []string {
	var wrong []string
	function := resourceOf(t.prop(schedule, "Target", "Arn"))
	if t.prop(schedule, "ScheduleExpression") != replayRate || t.prop(schedule, "State") != nil {
		wrong = append(wrong, "is not on at "+replayRate)
	}
	role := resourceOf(t.prop(schedule, "Target", "RoleArn"))
	if trust(t, role) != "scheduler.amazonaws.com" || !may(t, role, "lambda:InvokeFunction", "${"+function+".Arn}") {
		wrong = append(wrong, "may not invoke its function")
	}
	group := t.prop(schedule, "GroupName")
	for _, statement := range asList(t.prop(role, "AssumeRolePolicyDocument", "Statement")) {
		if !refers(at(statement, "Condition", "StringEquals", "aws:SourceArn"), resourceOf(group)) {
			wrong = append(wrong, "is in a group that its role does not trust")
		}
	}
	if reserved := either(t.prop(function, "ReservedConcurrentExecutions")); len(reserved) != 1 || asText(reserved[0]) != "1" {
		wrong = append(wrong, "its function may run twice at once")
	}
	return wrong
}

// checkReplayRole complains of a role that cannot do for the park store what replay does, or reads other objects than the
// function that parked parts of them.
func checkReplayRole(t template, function string) []string {
	var wrong []string
	role := resourceOf(t.prop(function, "Role"))
	bucket := resourceOf(t.prop(function, "Environment", "Variables", "SLUICE_PARK_BUCKET"))
	for prefix, actions := range replayActions {
		for _, action := range actions {
			if !may(t, role, action, "${"+bucket+".Arn}/"+prefix) {
				wrong = append(wrong, fmt.Sprintf("its function may not do %s below %s", action, prefix))
			}
		}
		if !lists(t, role, bucket, prefix) {
			wrong = append(wrong, "its function may not list "+prefix+", and that alone")
		}
	}
	for _, reader := range t.of(functionType) {
		if t.prop(reader, "Environment", "Variables", "SLUICE_CONTINUE_QUEUE") == nil {
			continue
		}
		for _, policy := range []string{"ReadObjectsPolicy", "ReadFailuresPolicy"} {
			readerRole := resourceOf(t.prop(reader, "Role"))
			if when := attached(t, role, policy); when == never || when != attached(t, readerRole, policy) {
				wrong = append(wrong, fmt.Sprintf("its function and %s do not both have %s", reader, policy))
			}
		}
	}
	return wrong
}

// lists reports whether a role may list the keys of a bucket below a prefix, among a few others.
func lists(t template, role, bucket, prefix string) bool {
	for _, policy := range policiesOf(t, role) {
		for _, statement := range statements(policy.document) {
			if slices.Contains(texts(statement["Action"]), "s3:ListBucket") && refers(statement["Resource"], bucket) {
				return slices.Contains(texts(at(statement, "Condition", "StringLike", "s3:prefix")), prefix)
			}
		}
	}
	return false
}

// checkReplayAlarms complains of nobody hearing that what is parked gets old, or that replay does not run.
func checkReplayAlarms(t template, function string) []string {
	var old, silent bool
	for _, alarm := range t.of(alarmType) {
		dimension := asList(t.prop(alarm, "Dimensions"))
		if first(dimension, "Value") != "${"+function+"}" || first(dimension, "Name") != "FunctionName" {
			continue
		}
		switch threshold, _ := t.prop(alarm, "Threshold").(int); t.prop(alarm, "MetricName") {
		case "PendingOldestSeconds":
			old = threshold > 0 && threshold <= maxPendingSeconds && t.prop(alarm, "Statistic") == "Maximum"
		case "Invocations":
			silent = t.prop(alarm, "TreatMissingData") == "missing" && len(either(t.prop(alarm, "InsufficientDataActions"))) > 0
		}
	}
	var wrong []string
	if !old {
		wrong = append(wrong, fmt.Sprintf("nobody hears that something has been parked for %d s", maxPendingSeconds))
	}
	if !silent {
		wrong = append(wrong, "nobody hears that it does not invoke its function")
	}
	return wrong
}
