package template_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// allowedActions is all that a role, or a policy that roles share, may do. Source: the project's delivery contract, least
// privilege; writers do not delete or read what they keep.
var allowedActions = map[string][]string{
	"ReadApiKeyPolicy":   {"kms:Decrypt", "secretsmanager:GetSecretValue"},
	"ReadSecretsPolicy":  {"secretsmanager:GetSecretValue", "ssm:GetParameter"},
	"FailedEventsPolicy": {"s3:ListBucket"},
	"ParkPolicy":         {"kms:Decrypt", "kms:GenerateDataKey", "s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"},
	"SettingsPolicy":     {"logs:ListTagsForResource", "s3:GetObject", "s3:PutObject", "ssm:GetParameter", "tag:GetResources"},
	"ReadObjectsPolicy":  {"kms:Decrypt", "s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"},
	"ReadFailuresPolicy": {"kms:Decrypt", "s3:GetObject", "s3:ListBucket"},
	"CloudWatchRole":     {"logs:CreateLogStream", "logs:PutLogEvents", "s3:PutObject"},
	"KinesisRole": {
		"kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator",
		"kinesis:ListShards", "kms:Decrypt", "logs:CreateLogStream", "logs:PutLogEvents", "s3:PutObject",
	},
	"S3Role": {
		"logs:CreateLogStream", "logs:PutLogEvents", "s3:PutObject", "sqs:DeleteMessage", "sqs:GetQueueAttributes",
		"sqs:ReceiveMessage", "sqs:SendMessage",
	},
	replayRole: {
		"kms:Decrypt", "kms:GenerateDataKey", "logs:CreateLogStream", "logs:PutLogEvents", "s3:DeleteObject", "s3:GetObject",
		"s3:ListBucket", "s3:PutObject", "s3:PutObjectTagging",
	},
	"ReplayScheduleRole":  {"lambda:InvokeFunction"},
	"BatchOperationsRole": {"lambda:InvokeFunction", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"},
	"FirehoseRole": {
		"firehose:PutRecordBatch", "kinesis:PutRecords", "kms:GenerateDataKey", "logs:CreateLogStream", "logs:PutLogEvents",
	},
	// GetObject is among what Firehose asks for. Source: Firehose developer guide, "Controlling access".
	"FirehoseStreamRole": {
		"kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards", "kms:Decrypt",
		"kms:GenerateDataKey", "lambda:GetFunctionConfiguration", "lambda:InvokeFunction", "logs:PutLogEvents",
		"s3:AbortMultipartUpload", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:ListBucketMultipartUploads",
		"s3:PutObject", "secretsmanager:GetSecretValue",
	},
	"LogsToFirehoseRole": {"firehose:PutRecord", "firehose:PutRecordBatch"},
	"LogsToKinesisRole":  {"kinesis:PutRecord", "kms:GenerateDataKey"},
}

// Patterns of names and values that the access checks go by.
var (
	secretName = regexp.MustCompile(`(?i)(key|secret|token|password)`)
	notSecret  = []string{"SLUICE_FIREHOSE_PARTITION_KEYS"} // keys by which records are partitioned
	secretRef  = regexp.MustCompile(`^(secretsmanager|ssm):\$\{\w+\}$`)

	oneResource   = regexp.MustCompile(`^\$\{\w+(\.Arn)?\}$`)
	failedPrefix  = regexp.MustCompile(`^\$\{\w+\.Arn\}/aws/lambda/.*\w.*$`)
	parkPrefix    = regexp.MustCompile(`^\$\{\w+\.Arn\}/sluice/v1/\*$`)
	notePrefix    = regexp.MustCompile(`^\$\{\w+\.Arn\}/sluice/v1/(progress|breaker|tags)/\*$`)
	replayPrefix  = regexp.MustCompile(`^\$\{FailedEventsBucket\.Arn\}/aws/lambda/\*$`)
	sourceBucket  = regexp.MustCompile(`^arn:\$\{AWS::Partition\}:s3:::\$\{(Bucket\d)\}$`)
	sourceObjects = regexp.MustCompile(`^arn:\$\{AWS::Partition\}:s3:::\$\{Bucket\d\}/\$\{(BucketPrefix|ManifestDataPrefix)\}\*$`)
	processor     = regexp.MustCompile(`^\$\{\w+\.Arn\}:\$LATEST$`)
	failedObjects = regexp.MustCompile(`^\$\{FirehoseFailuresBucket\.Arn\}/failed/\*$`)
	ownStream     = regexp.MustCompile(`^arn:\$\{AWS::Partition\}:firehose:\$\{AWS::Region\}:\$\{AWS::AccountId\}:` +
		`deliverystream/\$\{AWS::StackName\}$`)
	oneParameter = regexp.MustCompile(`^arn:\$\{AWS::Partition\}:ssm:\$\{AWS::Region\}:\$\{AWS::AccountId\}:parameter\$\{ConfigParameterName\}$`)
	jobObjects   = regexp.MustCompile(`^arn:\$\{AWS::Partition\}:s3:::\$\{BatchOperationsLocation\}(reports/)?\*$`)
)

// anyResource are resources that are more than one thing, and the one action that may reach each. The resources whose tags
// are asked for are those that happen to log, and GetResources has no finer permission. Source: Service Authorization
// Reference, "Actions, resources, and condition keys for Amazon Resource Group Tagging API".
var anyResource = map[string]string{
	"*": "tag:GetResources",
	"arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*": "logs:ListTagsForResource",
}

// checkSecrets complains of a secret that is passed by value: as a parameter or in the environment.
func checkSecrets(w world) []string {
	var complaints []string
	for name, parameter := range w.template.parameters {
		_, hidden := parameter["NoEcho"]
		if hidden || secretName.MatchString(name) && !strings.HasSuffix(strings.TrimSuffix(name, "s"), "Arn") {
			complaints = append(complaints, name+": takes a secret, want the ARN of one")
		}
	}
	for _, name := range w.template.of(streamType) {
		if at(endpointOf(w.template, name), "EndpointConfiguration", "AccessKey") != nil {
			complaints = append(complaints, name+": has its access key in the template, want SecretsManagerConfiguration")
		}
	}
	for _, name := range w.template.of(functionType) {
		for setting, value := range asObject(w.template.prop(name, "Environment", "Variables")) {
			if slices.Contains(notSecret, setting) {
				continue
			}
			plain := func(text string) bool { return !secretRef.MatchString(text) }
			if secretName.MatchString(setting) && slices.ContainsFunc(choices(value), plain) {
				complaints = append(complaints, fmt.Sprintf("%s: %s holds a secret, want a reference", name, setting))
			}
		}
	}
	return complaints
}

// checkRoles complains of a function without a role of its own, and of a role or a policy that may do more than it must.
func checkRoles(w world) []string {
	var complaints []string
	users := map[string]string{}
	for _, name := range w.template.of(functionType) {
		role := strings.TrimSuffix(strings.TrimPrefix(asText(w.template.prop(name, "Role")), "${"), ".Arn}")
		if w.template.resources[role].kind != roleType || users[role] != "" || w.template.prop(name, "Policies") != nil {
			complaints = append(complaints, name+": wants a role of its own, and no other policies")
		}
		if trust(w.template, role) != "lambda.amazonaws.com" {
			complaints = append(complaints, role+": is not for Lambda")
		}
		if !parks(w.template, name, role) {
			complaints = append(complaints, role+": may not write where SLUICE_PARK_PREFIX says")
		}
		if complaint := checkKeyReader(w.template, name, role); complaint != "" {
			complaints = append(complaints, complaint)
		}
		users[role] = name
	}
	for _, name := range append(w.template.of(roleType), w.template.of(policyType)...) {
		for _, wrong := range append(checkTrust(w.template, name), checkStatements(w.template, name)...) {
			complaints = append(complaints, name+": "+wrong)
		}
	}
	return complaints
}

// secretsBesideKey is when a role may read the secrets of further destinations, by when it may read the key.
var secretsBesideKey = map[string]string{"HasApiKey": "HasSecrets", "TeesWithApiKey": "TeesWithSecrets", never: never}

// checkKeyReader returns a complaint where a function is given a key that its role may not read, or the other way round, and
// where one that delivers may not read the secrets of further destinations.
func checkKeyReader(t template, function, role string) string {
	given := presence(t.prop(function, "Environment", "Variables", "SLUICE_API_KEY"))
	if reads := attached(t, role, "ReadApiKeyPolicy"); given != reads {
		return fmt.Sprintf("%s: given a key: %s, may read it: %s", function, given, reads)
	}
	if reads, want := attached(t, role, "ReadSecretsPolicy"), secretsBesideKey[given]; reads != want {
		return fmt.Sprintf("%s: may read the secrets of further destinations: %s, want %s", function, reads, want)
	}
	return ""
}

// parks reports whether a role may write where its function parks, when it does. Source: the project's delivery contract,
// 2.7.
func parks(t template, function, role string) bool {
	variables := t.prop(function, "Environment", "Variables")
	bucket := at(variables, "SLUICE_PARK_BUCKET")
	when := presence(bucket)
	if when == never {
		return true
	}
	want := fmt.Sprintf("${%s.Arn}/%s/v1/*", resourceOf(either(bucket)[0]), asText(at(variables, "SLUICE_PARK_PREFIX")))
	for _, policy := range policiesOf(t, role) {
		if policy.allows("s3:PutObject", want) && (policy.when == always || policy.when == when) {
			return true
		}
	}
	return false
}

// trust returns the services that may assume a role.
func trust(t template, role string) string {
	var services []string
	for _, statement := range asList(t.prop(role, "AssumeRolePolicyDocument", "Statement")) {
		services = append(services, asText(at(statement, "Principal", "Service")))
	}
	return strings.Join(services, " ")
}

// checkTrust complains of a role that others can get at, and of policies that are not in this template.
func checkTrust(t template, name string) []string {
	var wrong []string
	for _, statement := range asList(t.prop(name, "AssumeRolePolicyDocument", "Statement")) {
		switch asText(at(statement, "Principal", "Service")) {
		case "lambda.amazonaws.com":
		case "batchoperations.s3.amazonaws.com":
			// IfExists is enough: a role can be passed to a service inside its own account only.
			if asText(at(statement, "Condition", "StringEqualsIfExists", "aws:SourceAccount")) != "${AWS::AccountId}" {
				wrong = append(wrong, "works for jobs of other accounts, want aws:SourceAccount")
			}
		case "firehose.amazonaws.com":
			if asText(at(statement, "Condition", "StringEquals", "sts:ExternalId")) != "${AWS::AccountId}" {
				wrong = append(wrong, "works for streams of other accounts, want sts:ExternalId")
			}
		case "scheduler.amazonaws.com":
			if !fromOwnSchedules(t, at(statement, "Condition", "StringEquals")) {
				wrong = append(wrong, "works for other schedules, want aws:SourceArn and aws:SourceAccount")
			}
		case "logs.${AWS::Region}.amazonaws.com":
			if !fromKnownAccounts(at(statement, "Condition")) {
				wrong = append(wrong, "works for log groups of any account, want aws:SourceArn")
			}
		default:
			wrong = append(wrong, "trusts more than the service it is for")
		}
	}
	for _, arn := range choices(t.prop(name, "ManagedPolicyArns")) {
		if t.resources[strings.Trim(arn, "${}")].kind != policyType {
			wrong = append(wrong, "has managed policies of others, which are broad")
		}
	}
	return wrong
}

// checkStatements complains of the statements of a role or of a policy.
func checkStatements(t template, name string) []string {
	documents := []any{t.prop(name, "PolicyDocument")}
	for _, policy := range asList(t.prop(name, "Policies")) {
		documents = append(documents, at(policy, "PolicyDocument"))
	}
	var wrong []string
	for _, document := range documents {
		for _, statement := range statements(document) {
			wrong = append(wrong, checkActions(statement, allowedActions[name])...)
			wrong = append(wrong, checkResources(name, statement)...)
		}
	}
	return wrong
}

// statements returns the statements that a policy document may have.
func statements(document any) []object {
	var all []object
	for _, item := range asList(at(document, "Statement")) {
		for _, statement := range either(item) {
			all = append(all, asObject(statement))
		}
	}
	return all
}

// checkActions complains of actions outside the list, and of those that want a condition and have none.
func checkActions(statement object, allowed []string) []string {
	var wrong []string
	sid := asText(statement["Sid"])
	for _, key := range []string{"NotAction", "NotResource", "NotPrincipal"} {
		if statement[key] != nil {
			wrong = append(wrong, sid+" says what is not meant")
		}
	}
	for _, action := range texts(statement["Action"]) {
		if !slices.Contains(allowed, action) {
			wrong = append(wrong, fmt.Sprintf("%s may do %s, which is not needed", sid, action))
		}
		if strings.HasPrefix(action, "kms:") && at(statement, "Condition", "StringEquals", "kms:ViaService") == nil {
			wrong = append(wrong, sid+" uses a key outside the service it is for, want kms:ViaService")
		}
		if action == "s3:ListBucket" && !inOwnAccount(statement, "StringEquals", "StringEqualsIfExists") {
			wrong = append(wrong, sid+" lists whoever has the name, want aws:ResourceAccount")
		}
	}
	return wrong
}

// checkResources complains of resources that are not one thing, of buckets that are known by their name alone, and of what
// is parked being read or deleted by others than replay.
func checkResources(name string, statement object) []string {
	var wrong []string
	sid := asText(statement["Sid"])
	actions := texts(statement["Action"])
	resources := choices(statement["Resource"])
	if len(resources) == 0 {
		wrong = append(wrong, sid+" names no resource")
	}
	for _, resource := range resources {
		known := anyResource[resource] != "" && slices.Equal(actions, []string{anyResource[resource]}) ||
			matchesOne(resource, oneResource, failedPrefix, parkPrefix, notePrefix, sourceBucket, sourceObjects, jobObjects,
				processor, failedObjects, ownStream, oneParameter)
		if !known && (name != replayRole || !replayPrefix.MatchString(resource)) {
			wrong = append(wrong, fmt.Sprintf("%s reaches %s, want one resource", sid, resource))
		}
		if parkPrefix.MatchString(resource) && slices.Contains(actions, "s3:GetObject") && name != replayRole {
			wrong = append(wrong, sid+" reads what is parked, which replay alone does")
		}
		if strings.Contains(resource, ":s3:::") && !inOwnAccount(statement, "StringEquals") {
			wrong = append(wrong, sid+" reaches whoever has the name of the bucket, want aws:ResourceAccount")
		}
		prefix := asText(at(statement, "Condition", "StringLike", "s3:prefix"))
		if sourceBucket.MatchString(resource) && prefix != "${BucketPrefix}*" && prefix != manifestData {
			wrong = append(wrong, sid+" lists the whole bucket, want s3:prefix")
		}
	}
	return wrong
}

// choices returns the texts that a value, or the items of a list, may have.
func choices(value any) []string {
	var all []string
	for _, item := range asList(value) {
		for _, choice := range either(item) {
			all = append(all, asText(choice))
		}
	}
	return all
}

func matchesOne(text string, patterns ...*regexp.Regexp) bool {
	return slices.ContainsFunc(patterns, func(p *regexp.Regexp) bool { return p.MatchString(text) })
}

// inOwnAccount reports whether a statement holds for resources of this account, or of the owner of the buckets, alone, by
// a condition with one of the operators.
func inOwnAccount(statement object, operators ...string) bool {
	return slices.ContainsFunc(operators, func(operator string) bool {
		return isOwner(at(statement, "Condition", operator, "aws:ResourceAccount"))
	})
}

// isOwner reports whether a value is this account, or the owner of the buckets where one is given.
func isOwner(value any) bool {
	choice := strings.Join(choices(value), " or ")
	return choice == "${AWS::AccountId}" || choice == "${BucketOwner} or ${AWS::AccountId}"
}

// checkPermissions complains of a policy on a resource that lets in a service on behalf of anyone.
func checkPermissions(w world) []string {
	var complaints []string
	for _, name := range w.template.of(permissionType) {
		if !isOwner(w.template.prop(name, "SourceAccount")) {
			complaints = append(complaints, name+": SourceAccount is not the account of the source")
		}
		// The ARN of a bucket has no account.
		source := asText(w.template.prop(name, "SourceArn"))
		if !strings.Contains(source, ":${AWS::AccountId}:") && !sourceBucket.MatchString(source) {
			complaints = append(complaints, name+": SourceArn is not of this account")
		}
		if !strings.HasSuffix(asText(w.template.prop(name, "Principal")), ".amazonaws.com") {
			complaints = append(complaints, name+": Principal is no AWS service")
		}
	}
	for name, r := range w.template.resources {
		if r.kind == roleType || r.kind == policyType {
			continue
		}
		for _, statement := range statements(r.properties["PolicyDocument"]) {
			if asText(statement["Effect"]) != "Deny" && !fromHere(statement) {
				complaints = append(complaints, fmt.Sprintf("%s: %s lets in others, want aws:SourceArn and aws:SourceAccount",
					name, asText(statement["Sid"])))
			}
		}
	}
	return complaints
}

// fromHere reports whether a statement lets in one service, and asks for both the ARN and the account of the source.
func fromHere(statement object) bool {
	keys := object{}
	for operator := range maps.Values(asObject(statement["Condition"])) {
		maps.Copy(keys, asObject(operator))
	}
	sources := choices(keys["aws:SourceArn"])
	loose := func(arn string) bool { return !matchesOne(arn, oneResource, sourceBucket) }
	return strings.HasSuffix(asText(at(statement, "Principal", "Service")), ".amazonaws.com") &&
		isOwner(keys["aws:SourceAccount"]) && len(sources) > 0 && !slices.ContainsFunc(sources, loose)
}
