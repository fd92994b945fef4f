package template_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// allowedActions is all that a function may do. Source: the project's delivery contract, least privilege; writers do not
// delete or read what they keep.
var allowedActions = []string{
	"kinesis:DescribeStream",
	"kinesis:DescribeStreamSummary",
	"kinesis:GetRecords",
	"kinesis:GetShardIterator",
	"kinesis:ListShards",
	"kms:Decrypt",
	"kms:GenerateDataKey",
	"logs:CreateLogStream",
	"logs:PutLogEvents",
	"s3:ListBucket",
	"s3:PutObject",
	"secretsmanager:GetSecretValue",
}

// Patterns of names and values that the access checks go by.
var (
	secretName   = regexp.MustCompile(`(?i)(key|secret|token|password)`)
	secretRef    = regexp.MustCompile(`^(secretsmanager|ssm):\$\{\w+\}$`)
	oneResource  = regexp.MustCompile(`^\$\{\w+(\.Arn)?\}$`)
	failedPrefix = regexp.MustCompile(`^\$\{\w+\.Arn\}/aws/lambda/.*\w.*$`)
)

// checkSecrets complains of a secret that is passed by value: as a parameter or in the environment.
func checkSecrets(w world) []string {
	var complaints []string
	for name, parameter := range w.template.parameters {
		_, hidden := parameter["NoEcho"]
		if hidden || secretName.MatchString(name) && !strings.HasSuffix(name, "Arn") {
			complaints = append(complaints, name+": takes a secret, want the ARN of one")
		}
	}
	for _, name := range w.template.of(functionType) {
		for setting, value := range asObject(w.template.prop(name, "Environment", "Variables")) {
			if secretName.MatchString(setting) && !secretRef.MatchString(asText(value)) {
				complaints = append(complaints, fmt.Sprintf("%s: %s holds a secret, want a reference", name, setting))
			}
		}
	}
	return complaints
}

// checkRoles complains of a function without a role of its own and of a role that may do more than it must.
func checkRoles(w world) []string {
	var complaints []string
	users := map[string]string{}
	for _, name := range w.template.of(functionType) {
		role := strings.TrimSuffix(strings.TrimPrefix(asText(w.template.prop(name, "Role")), "${"), ".Arn}")
		if w.template.resources[role].kind != roleType || users[role] != "" || w.template.prop(name, "Policies") != nil {
			complaints = append(complaints, name+": wants a role of its own, and no other policies")
		}
		users[role] = name
	}
	for _, name := range w.template.of(roleType) {
		for _, wrong := range checkRole(w.template, name) {
			complaints = append(complaints, name+": "+wrong)
		}
	}
	return complaints
}

func checkRole(t template, name string) []string {
	var wrong []string
	if t.prop(name, "ManagedPolicyArns") != nil {
		wrong = append(wrong, "has managed policies, which are broad")
	}
	for _, statement := range asList(t.prop(name, "AssumeRolePolicyDocument", "Statement")) {
		if asText(at(statement, "Principal", "Service")) != "lambda.amazonaws.com" {
			wrong = append(wrong, "trusts more than Lambda")
		}
	}
	for _, policy := range asList(t.prop(name, "Policies")) {
		for _, item := range asList(at(policy, "PolicyDocument", "Statement")) {
			for _, statement := range either(item) {
				wrong = append(wrong, checkStatement(asObject(statement))...)
			}
		}
	}
	return wrong
}

// checkStatement complains of actions outside the list, of resources that are not one thing, and of keys that may be used
// for anything.
func checkStatement(statement object) []string {
	var wrong []string
	sid := asText(statement["Sid"])
	for _, key := range []string{"NotAction", "NotResource", "NotPrincipal"} {
		if statement[key] != nil {
			wrong = append(wrong, sid+" says what is not meant")
		}
	}
	for _, action := range asList(statement["Action"]) {
		if !slices.Contains(allowedActions, asText(action)) {
			wrong = append(wrong, fmt.Sprintf("%s may do %s, which no function needs", sid, action))
		}
		if strings.HasPrefix(asText(action), "kms:") && at(statement, "Condition", "StringEquals", "kms:ViaService") == nil {
			wrong = append(wrong, sid+" uses a key outside the service it is for, want kms:ViaService")
		}
	}
	resources := asList(statement["Resource"])
	if len(resources) == 0 {
		wrong = append(wrong, sid+" names no resource")
	}
	for _, resource := range resources {
		if text := asText(resource); !oneResource.MatchString(text) && !failedPrefix.MatchString(text) {
			wrong = append(wrong, fmt.Sprintf("%s reaches %s, want one resource", sid, text))
		}
	}
	return wrong
}

// checkPermissions complains of a policy on a resource that lets in a service on behalf of anyone.
func checkPermissions(w world) []string {
	var complaints []string
	for _, name := range w.template.of(permissionType) {
		if asText(w.template.prop(name, "SourceAccount")) != "${AWS::AccountId}" {
			complaints = append(complaints, name+": SourceAccount is not this account")
		}
		if !strings.Contains(asText(w.template.prop(name, "SourceArn")), ":${AWS::AccountId}:") {
			complaints = append(complaints, name+": SourceArn is not of this account")
		}
		if !strings.HasSuffix(asText(w.template.prop(name, "Principal")), ".amazonaws.com") {
			complaints = append(complaints, name+": Principal is no AWS service")
		}
	}
	for name, r := range w.template.resources {
		if r.kind == roleType {
			continue
		}
		for _, statement := range asList(at(r.properties, "PolicyDocument", "Statement")) {
			if asText(at(statement, "Effect")) != "Deny" && !fromHere(at(statement, "Condition")) {
				complaints = append(complaints, fmt.Sprintf("%s: %s lets in others, want aws:SourceArn and aws:SourceAccount",
					name, asText(at(statement, "Sid"))))
			}
		}
	}
	return complaints
}

// fromHere reports whether a condition asks for both the ARN and the account of the source.
func fromHere(condition any) bool {
	var keys []string
	for operator := range maps.Values(asObject(condition)) {
		keys = slices.AppendSeq(keys, maps.Keys(asObject(operator)))
	}
	return slices.Contains(keys, "aws:SourceArn") && slices.Contains(keys, "aws:SourceAccount")
}
