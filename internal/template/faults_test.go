package template_test

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fault breaks one place of the template: the first occurrence of a text after a line.
type fault struct {
	check string
	after string // a line, or the start of one; the whole template when empty
	old   string
	new   string
	want  string // part of the complaint
}

var faults = map[string]fault{
	"ref to nothing": {
		check: "references lead somewhere", old: "Role: !GetAtt CloudWatchRole.Arn", new: "Role: !GetAtt CloudwatchRole.Arn",
		want: "CloudWatchFunction: nothing is called CloudwatchRole",
	},
	"placeholder of a sub that is nothing": {
		check: "references lead somewhere", old: "log-group:${LogGroupPattern}", new: "log-group:${LogGroup}",
		want: "CloudWatchPermission: nothing is called LogGroup",
	},
	"condition that is nothing": {
		check: "references lead somewhere", old: "[HasTags, !Ref Tags", new: "[HasTag, !Ref Tags",
		want: "nothing is called HasTag",
	},
	"resource without the condition of what it uses": {
		check: "conditions agree", after: "KinesisMapping:", old: "Condition: FunctionReadsKinesis", new: "DependsOn: KinesisRole",
		want: "KinesisMapping: needs the condition FunctionReadsKinesis",
	},
	"output without the condition of what it shows": {
		check: "conditions agree", after: "KinesisFunctionArn:", old: "Condition: FunctionReadsKinesis", new: "Export: {Name: a}",
		want: "KinesisFunctionArn: needs the condition",
	},
	"archive of no function": {
		check: "every function has a main", old: "dist/arm64/kinesis.zip", new: "dist/arm64/stream.zip",
		want: "functions/stream/main.go is not there",
	},
	"function that is not deployed": {
		check: "every function has a main", old: "dist/arm64/kinesis.zip", new: "dist/arm64/cloudwatch.zip",
		want: "functions/kinesis: no function of the template runs it",
	},
	"archive for the other processor": {
		check: "every function has a main", old: "dist/arm64/kinesis.zip", new: "dist/amd64/kinesis.zip",
		want: "CodeUri",
	},
	"other processor": {
		check: "every function runs on arm64", old: "[arm64]", new: "[x86_64]", want: "Architectures",
	},
	"old runtime": {
		check: "every function runs on arm64", old: "provided.al2023", new: "provided.al2", want: "Runtime",
	},
	"handler of another runtime": {
		check: "every function runs on arm64", old: "Handler: bootstrap", new: "Handler: main", want: "Handler",
	},
	"loops are not stopped": {
		check: "every function runs on arm64", old: "RecursiveLoop: Terminate", new: "RecursiveLoop: Allow", want: "RecursiveLoop",
	},
	"misspelt setting": {
		check: "every setting is documented", old: "SLUICE_SITE: !Ref", new: "SLUICE_STIE: !Ref", want: "SLUICE_STIE",
	},
	"key as a hidden parameter": {
		check: "secrets are references", after: "DatadogSite:", old: "Type: String", new: "Type: String\n    NoEcho: true",
		want: "DatadogSite: takes a secret",
	},
	"key as a parameter": {
		check: "secrets are references", after: "Parameters:", old: "DatadogSite:", new: "DatadogApiKey:",
		want: "DatadogApiKey: takes a secret",
	},
	"key in the environment": {
		check: "secrets are references", old: `!Sub "secretsmanager:${ApiKeySecretArn}"`, new: `!Sub "plain:${ApiKeySecretArn}"`,
		want: "SLUICE_API_KEY holds a secret",
	},
	"memory beyond what Lambda has": {
		check: "parameters are bounded", old: "MaxValue: 3008", new: "MaxValue: 20480", want: "MemorySize: allows",
	},
	"number without an upper end": {
		check: "parameters are bounded", old: "    MaxValue: 900\n", new: "", want: "Timeout: wants",
	},
	"default outside its range": {
		check: "parameters are bounded", after: "Timeout:", old: "Default: 120", new: "Default: 10", want: "Timeout: wants",
	},
	"default that is not allowed": {
		check: "parameters are bounded", old: "Default: 14", new: "Default: 13", want: "LogRetentionDays: the default",
	},
	"pattern with open ends": {
		check: "parameters are bounded", after: "DatadogSite:", old: "(\\.[a-z0-9-]+)+$", new: "(\\.[a-z0-9-]+)+", want: "DatadogSite: has no pattern",
	},
	"default that does not match": {
		check: "parameters are bounded", old: "Default: datadoghq.com", new: "Default: https://datadoghq.com",
		want: "DatadogSite: the default",
	},
	"parameter without a description": {
		check: "parameters are bounded", old: "Description: Batches of one shard", new: "ConstraintDescription: Batches of one shard",
		want: "ParallelizationFactor: has no description",
	},
	"any resource": {
		check: "roles are least privilege", after: "ReadApiKeyPolicy:", old: "Resource: !Ref ApiKeySecretArn", new: "Resource: \"*\"",
		want: "ReadApiKey reaches *",
	},
	"any secret of the account": {
		check: "roles are least privilege", after: "ReadApiKeyPolicy:", old: "Resource: !Ref ApiKeySecretArn",
		new:  "Resource: !Sub arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:*",
		want: "ReadApiKey reaches arn",
	},
	"any secret at all": {
		check: "roles are least privilege", after: "ReadSecretsPolicy:", old: "Resource: !Ref SecretArns", new: "Resource: \"*\"",
		want: "ReadSecrets reaches *",
	},
	"secrets of destinations that are written": {
		check: "roles are least privilege", after: "ReadSecretsPolicy:", old: "- ssm:GetParameter", new: "- ssm:PutParameter",
		want: "ReadSecrets may do ssm:PutParameter",
	},
	"function that delivers without the secrets of destinations": {
		check: "roles are least privilege", after: "ReplayRole:", old: "        - !If [HasSecrets, !Ref ReadSecretsPolicy, !Ref AWS::NoValue]\n",
		want: "may read the secrets of further destinations: ",
	},
	"transformation that sends nothing and reads secrets": {
		check: "roles are least privilege", after: "FirehoseRole:", old: "TeesWithSecrets", new: "HasSecrets",
		want: "may read the secrets of further destinations: HasSecrets, want TeesWithSecrets",
	},
	"any object of the bucket": {
		check: "roles are least privilege", old: "/aws/lambda/*/shardId-*", new: "/*", want: "KeepFailedBatches reaches",
	},
	"any object of Lambda's": {
		check: "roles are least privilege", old: "/aws/lambda/*/shardId-*", new: "/aws/lambda/*", want: "KeepFailedBatches reaches",
	},
	"any action": {
		check: "roles are least privilege", old: "Action: s3:PutObject", new: "Action: s3:*", want: "may do s3:*",
	},
	"writer that deletes": {
		check: "roles are least privilege", old: "- logs:PutLogEvents", new: "- s3:DeleteObject", want: "may do s3:DeleteObject",
	},
	"all actions but one": {
		check: "roles are least privilege", old: "Action: s3:PutObject", new: "NotAction: s3:DeleteObject", want: "what is not meant",
	},
	"statement without a resource": {
		check: "roles are least privilege", after: "ReadApiKey", old: "Resource:", new: "Comment:", want: "names no resource",
	},
	"key for any service": {
		check: "roles are least privilege", after: "DecryptStream", old: "kms:ViaService", new: "kms:CallerAccount",
		want: "DecryptStream uses a key outside",
	},
	"role for anyone": {
		check: "roles are least privilege", old: "Service: lambda.amazonaws.com", new: "AWS: \"*\"", want: "trusts more than the service it is for",
	},
	"managed policy": {
		check: "roles are least privilege", after: "KinesisRole:", old: "- !Ref FailedEventsPolicy",
		new:  "- arn:aws:iam::aws:policy/AmazonS3FullAccess",
		want: "KinesisRole: has managed policies of others",
	},
	"role of another function": {
		check: "roles are least privilege", old: "!GetAtt KinesisRole.Arn", new: "!GetAtt CloudWatchRole.Arn",
		want: "KinesisFunction: wants a role of its own",
	},
	"permission for any account": {
		check: "resource policies have conditions", old: "      SourceAccount: !Ref AWS::AccountId\n", new: "", want: "SourceAccount",
	},
	"permission for any source": {
		check: "resource policies have conditions", old: "SourceArn: !Sub", new: "EventSourceToken: !Sub", want: "SourceArn",
	},
	"permission for a source of another account": {
		check: "resource policies have conditions", after: "SourceArn:", old: "${AWS::AccountId}", new: "*", want: "SourceArn",
	},
	"permission for anyone": {
		check: "resource policies have conditions", old: "Principal: !Sub logs.${AWS::Region}.amazonaws.com", new: "Principal: \"*\"",
		want: "Principal",
	},
	"bucket policy that lets in": {
		check: "resource policies have conditions", after: "FailedEventsBucketPolicy:", old: "Effect: Deny", new: "Effect: Allow",
		want: "FailedEventsBucketPolicy: RefusePlainHttp lets in others",
	},
	"log kept for ever": {
		check: "logs are kept for a while", old: "      RetentionInDays: !Ref LogRetentionDays\n", new: "", want: "CloudWatchLogGroup: is kept for ever",
	},
	"log where Lambda puts it": {
		check: "logs are kept for a while", old: "LogGroup: !Ref KinesisLogGroup", new: "ApplicationLogLevel: INFO",
		want: "KinesisFunction: has no log group",
	},
	"log that a subscription of all functions takes in": {
		check: "logs are kept for a while", old: "/sluice/${AWS::StackName}/cloudwatch", new: "/aws/lambda/${AWS::StackName}-cloudwatch",
		want: "CloudWatchLogGroup: is under /aws/",
	},
	"log of every invocation": {
		check: "logs are kept for a while", old: "SystemLogLevel: WARN", new: "SystemLogLevel: INFO", want: "want JSON and WARN",
	},
	"no retry": {
		check: "failures go somewhere", old: "MaximumRetryAttempts: 2", new: "MaximumRetryAttempts: 0", want: "CloudWatchInvokeConfig: MaximumRetryAttempts",
	},
	"given up early": {
		check: "failures go somewhere", old: "MaximumEventAgeInSeconds: 21600", new: "MaximumEventAgeInSeconds: 60", want: "MaximumEventAgeInSeconds",
	},
	"answer that Lambda ignores": {
		check: "failures go somewhere", old: "      FunctionResponseTypes: [ReportBatchItemFailures]\n", new: "", want: "FunctionResponseTypes",
	},
	"killer record takes its batch along": {
		check: "failures go somewhere", old: "BisectBatchOnFunctionError: true", new: "BisectBatchOnFunctionError: false", want: "Bisect",
	},
	"shard blocked until the records expire": {
		check: "failures go somewhere", old: "MaximumRetryAttempts: 10", new: "MaximumRetryAttempts: -1", want: "KinesisMapping: MaximumRetryAttempts",
	},
	"records held too long": {
		check: "failures go somewhere", old: "MaximumRecordAgeInSeconds: 43200", new: "MaximumRecordAgeInSeconds: -1", want: "MaximumRecordAgeInSeconds",
	},
	"failed batches keep only their metadata": {
		check: "failures go somewhere", after: "KinesisMapping:", old: "!GetAtt FailedEventsBucket.Arn", new: "!Ref AlarmTopicArn",
		want: "KinesisMapping: OnFailure",
	},
	"failures of another function": {
		check: "failures go somewhere", after: "CloudWatchInvokeConfig:", old: "!Ref CloudWatchFunction", new: "!Ref KinesisFunction",
		want: "CloudWatchFunction: nothing says",
	},
	"public bucket": {
		check: "buckets are closed", old: "RestrictPublicBuckets: true", new: "RestrictPublicBuckets: false", want: "RestrictPublicBuckets",
	},
	"objects of others": {
		check: "buckets are closed", old: "BucketOwnerEnforced", new: "ObjectWriter", want: "belong to others",
	},
	"other encryption": {
		check: "buckets are closed", old: "SSEAlgorithm: aws:kms", new: "SSEAlgorithm: AES256", want: "not encrypted",
	},
	"failed events kept for ever": {
		check: "nothing that waits expires", old: "ExpirationInDays: 90", new: "ExpirationInDays: 9000", want: "aws/lambda/async",
	},
	"bucket that goes with the stack": {
		check: "buckets are closed", after: "FailedEventsBucket:", old: "DeletionPolicy: Retain", new: "DeletionPolicy: Delete", want: "goes with the stack",
	},
	"plain HTTP": {
		check: "buckets are closed", after: "FailedEventsBucketPolicy:",
		old: "aws:SecureTransport: \"false\"", new: "aws:SecureTransport: \"true\"", want: "TLS",
	},
	"old TLS": {
		check: "buckets are closed", old: "s3:TlsVersion: \"1.2\"", new: "s3:TlsVersion: \"1.0\"", want: "TLS",
	},
	"policy for the bucket but not for its objects": {
		check: "buckets are closed", after: "RefusePlainHttp", old: "              - !Sub ${FailedEventsBucket.Arn}/*\n", new: "", want: "TLS",
	},
	"losses unseen": {
		check: "alarms watch every function", after: "KinesisUnaccountedAlarm:", old: "MetricName: Unaccounted", new: "MetricName: LinesIn",
		want: "KinesisFunction: no alarm on Sluice Unaccounted",
	},
	"outage of the destination unseen with direct events": {
		check: "alarms watch every function", after: "CloudWatchReturnedAlarm:", old: "MetricName: LinesReturned", new: "MetricName: LinesIn",
		want: "CloudWatchFunction: no alarm on Sluice LinesReturned",
	},
	"outage of the destination unseen with a stream": {
		check: "alarms watch every function", after: "KinesisReturnedAlarm:", old: "MetricName: LinesReturned", new: "MetricName: LinesIn",
		want: "KinesisFunction: no alarm on Sluice LinesReturned",
	},
	"alarm that waits for what comes once": {
		check: "alarms watch every function", after: "CloudWatchOwnLogAlarm:", old: "EvaluationPeriods: 1", new: "EvaluationPeriods: 3",
		want: "CloudWatchOwnLogAlarm: waits for a second datapoint",
	},
	"metric that the ledger does not have": {
		check: "alarms watch every function", old: "MetricName: OwnLogGroup", new: "MetricName: OwnGroup", want: "the ledger has no metric OwnGroup",
	},
	"alarm that waits for more than one": {
		check: "alarms watch every function", after: "CloudWatchLostAlarm:", old: "Threshold: 0", new: "Threshold: 10",
		want: "CloudWatchFunction: no alarm on AWS/Lambda DestinationDeliveryFailures",
	},
	"alarm of another function": {
		check: "alarms watch every function", after: "KinesisErrorAlarm:", old: "!Ref KinesisFunction", new: "!Ref CloudWatchFunction",
		want: "KinesisFunction: no alarm on AWS/Lambda Errors",
	},
	"alarm that tells nobody": {
		check: "alarms watch every function", after: "KinesisWaitAlarm:",
		old: "AlarmActions: !If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]", new: "ActionsEnabled: true",
		want: "KinesisWaitAlarm: tells nobody",
	},
}

func allFaults() map[string]fault {
	all := maps.Clone(faults)
	maps.Copy(all, objectFaults)
	maps.Copy(all, manifestFaults)
	maps.Copy(all, firehoseFaults)
	maps.Copy(all, replayFaults)
	return all
}

func TestPlantedFaults(t *testing.T) {
	sound := read(t, "template.yaml")
	around := tree(t)
	for name, planted := range allFaults() {
		t.Run(name, func(t *testing.T) {
			w := around.with(t, planted.in(t, sound))
			require.Contains(t, checks, planted.check)
			assert.Contains(t, strings.Join(checks[planted.check](w), "\n"), planted.want)
		})
	}
}

// in returns the template with the fault.
func (f fault) in(t *testing.T, text string) string {
	t.Helper()
	start := 0
	if f.after != "" {
		place := regexp.MustCompile(`(?m)^ *(- Sid: )?` + regexp.QuoteMeta(f.after)).FindStringIndex(text)
		require.NotNil(t, place, "no line %q", f.after)
		start = place[1]
	}
	require.Contains(t, text[start:], f.old, "the fault no longer fits the template")
	return text[:start] + strings.Replace(text[start:], f.old, f.new, 1)
}

func TestEveryCheckHasAPlantedFault(t *testing.T) {
	for name := range checks {
		found := false
		for _, planted := range allFaults() {
			found = found || planted.check == name
		}
		assert.True(t, found, name)
	}
}

func TestParameterPatterns(t *testing.T) {
	const (
		secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:datadog/key-a1B2c3"
		key    = "arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012"
	)
	parsed, err := parse([]byte(read(t, "template.yaml")))
	require.NoError(t, err)
	for name, tc := range map[string]struct{ good, bad []string }{
		"ApiKeySecretArn": {
			good: []string{"", secret, "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:k-a1B2c3"},
			bad:  []string{"0123456789abcdef0123456789abcdef", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:datadog", secret + "*"},
		},
		"SecretArns": {
			good: []string{"", secret, "arn:aws:ssm:eu-west-1:123456789012:parameter/archive/authorization"},
			bad:  []string{"*", "0123456789abcdef", secret + "*", "arn:aws:ssm:eu-west-1:123456789012:parameter/*", key},
		},
		"ApiKeyKmsKeyArn": {good: []string{"", key}, bad: []string{"*", "arn:aws:kms:eu-west-1:123456789012:alias/a", "arn:aws:kms:eu-west-1:123456789012:key/*"}},
		"DatadogSite":     {good: []string{"us5.datadoghq.com", "ddog-gov.com"}, bad: []string{"", "localhost", "https://datadoghq.com", "datadoghq.com/"}},
		"IntakeUrl": {
			good: []string{"", "https://intake.example.com", "https://intake.example.com:8443/api/v2/logs"},
			bad:  []string{"http://intake.example.com", "https://user@intake.example.com", "https://intake.example.com/?a=b", "https://intake.example.com/#a"},
		},
		"Tags": {good: []string{"", "env:prod", "env:prod,team:web"}, bad: []string{"env:prod, team:web", ",", "env:prod,"}},
		"FirehoseEndpointUrl": {
			good: []string{"", "https://logs.example.com", "https://logs.example.com:443/a/v1?kind=firehose"},
			bad:  []string{"http://logs.example.com", "https://logs.example.com:8443/", "https://user@logs.example.com", "https://logs.example.com/#a"},
		},
		"FirehoseAccessKeySecretArn": {good: []string{"", secret}, bad: []string{"0123456789abcdef0123456789abcdef", secret + "*"}},
		"FirehoseTag1":               {good: []string{"", "env:prod", "team:web/eu-1"}, bad: []string{"env", "env:", ":prod", "env:a:b", "env:a b", "env:prod,team:web"}},
		"FirehosePartitionBy":        {good: []string{"", "source", "source,year,month"}, bad: []string{"source,", "host", "source, year"}},
		"SenderAccountIds": {
			good: []string{"", "111122223333", "111122223333,123456789012"},
			bad:  []string{"*", "111122223333,", "111122223333, 123456789012", "1111222233334", `111122223333","*`},
		},
		"AllowedOwners": {
			good: []string{"", "111122223333", "111122223333,123456789012"},
			bad:  []string{"*", "111122223333,", "111122223333, 123456789012", "1111222233334"},
		},
		"LogGroupPattern":    {good: []string{"*", "/aws/lambda/*", "API-Gateway-Execution-Logs_a/prod"}, bad: []string{"", "arn:aws:logs:eu-west-1:111122223333:log-group:a", "a b"}},
		"KinesisStreamArn":   {good: []string{"", "arn:aws:kinesis:eu-west-1:123456789012:stream/logs"}, bad: []string{"logs", "arn:aws:kinesis:eu-west-1:123456789012:stream/*"}},
		"Bucket1":            {good: []string{"", "example-logs", "logs.example.com"}, bad: []string{"*", "a", "s3://logs", "logs/a", "Logs", "logs,more"}},
		"BucketPrefix":       {good: []string{"", "AWSLogs/", "a=b/c"}, bad: []string{"*", "a?", "a b", "a'b", "${aws:username}", "a\\b"}},
		"ManifestDataPrefix": {good: []string{"", "data/", "2024/", "a=b/c"}, bad: []string{"*", "a?", "a b", "a'b", "${aws:username}", "a\\b"}},
		"BucketOwner":        {good: []string{"", "123456789012"}, bad: []string{"*", "12345", "1234567890123"}},
		"BucketKmsKeyArn":    {good: []string{"", key}, bad: []string{"*", "alias/aws/s3"}},
		"MultilinePattern":   {good: []string{"", `^\d{4}-\d{2}-\d{2}`}, bad: []string{"a\nb", "é"}},
		"BatchOperationsLocation": {
			good: []string{"", "example-jobs/", "example-jobs/sluice/a/"},
			bad:  []string{"example-jobs", "example-jobs/a", "*/", "example-jobs/*/", "example-jobs//"},
		},
		"AlarmTopicArn": {good: []string{"", "arn:aws:sns:eu-west-1:123456789012:alarms"}, bad: []string{"alarms", "arn:aws:sns:eu-west-1:123456789012:alarms.fifo"}},
	} {
		pattern, err := regexp.Compile(asText(parsed.parameters[name]["AllowedPattern"]))
		require.NoError(t, err)
		for _, value := range tc.good {
			assert.Regexp(t, pattern, value, name)
		}
		for _, value := range tc.bad {
			assert.NotRegexp(t, pattern, value, name)
		}
	}
}
