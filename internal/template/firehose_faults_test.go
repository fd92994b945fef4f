package template_test

// firehoseFaults are those in what Firehose needs: its function, stream, roles and bucket, and the senders of logs.
var firehoseFaults = map[string]fault{
	"rule about no parameter": {
		check: "references lead somewhere", after: "SendersNeedStream:", old: "!Ref KinesisStreamArn", new: "!Ref StreamArn",
		want: "Rules: nothing is called StreamArn",
	},
	"stream without the condition of its queue": {
		check: "conditions agree", old: "ReadsObjects: !Or [!Condition HasBuckets, !Condition HasDeliveryStream]",
		new: "ReadsObjects: !Or [!Condition HasBuckets, !Condition DeliversDirect]", want: "FirehoseFailuresRule: needs the condition ReadsObjects",
	},
	"role for senders without senders": {
		check: "conditions agree", after: "SenderDestination:", old: "Condition: HasSenders", new: "Condition: HasKinesisStream",
		want: "SenderDestination: needs the condition HasSenders of LogsToKinesisRole",
	},
	"transformation that is not deployed": {
		check: "every function has a main", old: "dist/arm64/firehose.zip", new: "dist/arm64/s3.zip",
		want: "functions/firehose: no function of the template runs it",
	},
	"misspelt setting of the transformation": {
		check: "every setting is documented", old: "SLUICE_FIREHOSE_OUTPUT:", new: "SLUICE_FIREHOSE_OUT:", want: "SLUICE_FIREHOSE_OUT",
	},
	"access key by value": {
		check: "secrets are references", after: "EndpointConfiguration:", old: "Name: !If", new: "AccessKey: !If",
		want: "FirehoseStream: has its access key in the template",
	},
	"access key as a parameter": {
		check: "secrets are references", after: "Parameters:", old: "FirehoseAccessKeySecretArn:", new: "FirehoseAccessKey:",
		want: "FirehoseAccessKey: takes a secret",
	},
	"transformation that is given a key": {
		check: "roles are least privilege", old: "          SLUICE_API_KEY: !If [TeesWithApiKey,", new: "          SLUICE_API_KEY: !If [HasTransform,",
		want: "FirehoseFunction: given a key: HasTransform, may read it: TeesWithApiKey",
	},
	"transformation that may read the key": {
		check: "roles are least privilege", after: "FirehoseRole:", old: "!If [TeesWithApiKey, !Ref ReadApiKeyPolicy, !Ref AWS::NoValue]",
		new:  "!Ref ReadApiKeyPolicy",
		want: "FirehoseFunction: given a key: TeesWithApiKey, may read it: always",
	},
	"transformation that reads the stream": {
		check: "roles are least privilege", after: "FirehoseRole:", old: "Action: kinesis:PutRecords", new: "Action: kinesis:GetRecords",
		want: "FirehoseRole: ReingestIntoSource may do kinesis:GetRecords",
	},
	"transformation that writes into any stream": {
		check: "roles are least privilege", after: "ReingestIntoStream", old: "deliverystream/${AWS::StackName}", new: "deliverystream/*",
		want: "FirehoseRole: ReingestIntoStream reaches",
	},
	"any version of the function": {
		check: "roles are least privilege", after: "InvokeTransformation", old: "${FirehoseFunction.Arn}:$LATEST", new: "${FirehoseFunction.Arn}:*",
		want: "InvokeTransformation reaches",
	},
	"failures anywhere in the bucket": {
		check: "roles are least privilege", after: "KeepFailures", old: "${FirehoseFailuresBucket.Arn}/failed/*",
		new: "${FirehoseFailuresBucket.Arn}/*", want: "KeepFailures reaches",
	},
	"reader of all that failed": {
		check: "roles are least privilege", after: "ReadFailures", old: "${FirehoseFailuresBucket.Arn}/failed/*",
		new: "${FirehoseFailuresBucket.Arn}/*", want: "ReadFailures reaches",
	},
	"Firehose that deletes": {
		check: "roles are least privilege", after: "KeepFailures", old: "- s3:AbortMultipartUpload", new: "- s3:DeleteObject",
		want: "FirehoseStreamRole: KeepFailures may do s3:DeleteObject",
	},
	"streams of other accounts": {
		check: "roles are least privilege", old: "sts:ExternalId: !Ref AWS::AccountId", new: "sts:ExternalId: \"*\"",
		want: "FirehoseStreamRole: works for streams of other accounts",
	},
	"any secret for the stream": {
		check: "roles are least privilege", after: "ReadAccessKey", old: "Resource: !Ref FirehoseAccessKeySecretArn", new: "Resource: \"*\"",
		want: "ReadAccessKey reaches *",
	},
	"key of the secret for any service": {
		check: "roles are least privilege", after: "DecryptAccessKey", old: "kms:ViaService", new: "kms:CallerAccount",
		want: "DecryptAccessKey uses a key outside",
	},
	"log groups of any account into the delivery stream": {
		check: "roles are least privilege", after: "LogsToFirehoseRole:", old: "${AWS::AccountId}:*", new: "*:*",
		want: "LogsToFirehoseRole: works for log groups of any account",
	},
	"log groups of any account into Kinesis": {
		check: "roles are least privilege", after: "LogsToKinesisRole:", old: "logs:*:${Senders}:*", new: "logs:*:*:*",
		want: "LogsToKinesisRole: works for log groups of any account",
	},
	"senders joined by something else": {
		check: "roles are least privilege", after: "LogsToKinesisRole:", old: "!Join [\":*,arn:aws*:logs:*:\"", new: "!Join [\",\"",
		want: "LogsToKinesisRole: works for log groups of any account",
	},
	"senders of any region": {
		check: "roles are least privilege", after: "LogsToKinesisRole:", old: "StringLike:", new: "StringLikeIfExists:",
		want: "LogsToKinesisRole: works for log groups of any account",
	},
	"senders by a star that may hold an account": {
		check: "roles are least privilege", after: "LogsToKinesisRole:", old: "ArnLike:", new: "ForAnyValue:StringLike:",
		want: "LogsToKinesisRole: works for log groups of any account",
	},
	"queue for any failure": {
		check: "resource policies have conditions", after: "TakeFromFailuresRule", old: "aws:SourceAccount", new: "aws:PrincipalAccount",
		want: "ObjectQueuePolicy: TakeFromFailuresRule lets in others",
	},
	"log of the stream kept for ever": {
		check: "logs are kept for a while", after: "FirehoseStreamLogGroup:", old: "      RetentionInDays: !Ref LogRetentionDays\n",
		want: "FirehoseStreamLogGroup: is kept for ever",
	},
	"transformation that no stream waits for": {
		check: "failures go somewhere", after: "- ParameterName: LambdaArn", old: "${FirehoseFunction.Arn}", new: "${S3Function.Arn}",
		want: "FirehoseFunction: nothing says",
	},
	"failures that go with the stack": {
		check: "buckets are closed", after: "FirehoseFailuresBucket:", old: "DeletionPolicy: Retain", new: "DeletionPolicy: Delete",
		want: "FirehoseFailuresBucket: goes with the stack",
	},
	"failures in the clear": {
		check: "buckets are closed", after: "FirehoseFailuresBucketPolicy:", old: "aws:SecureTransport: \"false\"",
		new: "aws:SecureTransport: \"true\"", want: "FirehoseFailuresBucket: takes requests without TLS",
	},
	"failures that expire before their message": {
		check: "nothing that waits expires", old: "ExpirationInDays: 30", new: "ExpirationInDays: 14", want: "FirehoseFailuresBucket: failed/",
	},
	"failures kept for ever": {
		check: "nothing that waits expires", after: "- Id: expire-failures", old: "Prefix: failed/", new: "Prefix: failure/",
		want: "FirehoseFailuresBucket: failed/",
	},
	"bucket without a rule": {
		check: "nothing that waits expires", after: "Resources:", old: "  FirehoseFailuresBucket:", new: "  FirehoseErrorsBucket:",
		want: "FirehoseErrorsBucket: nothing says",
	},
	"rule for other keys of the failures": {
		check: "notifications arrive", after: "FirehoseFailuresRule:", old: "- prefix: failed/", new: "- prefix: fail",
		want: "FirehoseFailuresRule: matches objects",
	},
	"queue that turns the failures away": {
		check: "notifications arrive", after: "TakeFromFailuresRule", old: "!GetAtt FirehoseFailuresRule.Arn", new: "!GetAtt ObjectQueue.Arn",
		want: "FirehoseFailuresRule: queue \"ObjectQueue\" does not take",
	},
	"records as they came": {
		check: "delivery streams lose nothing", after: "ProcessingConfiguration:", old: "Enabled: true", new: "Enabled: false",
		want: "FirehoseStream: is not transformed",
	},
	"answer that cannot fit": {
		check: "delivery streams lose nothing", old: "\"0.5\", \"1\"]", new: "\"0.5\", \"3\"]", want: "more than its answer has room for",
	},
	"answer of the default buffer": {
		check: "delivery streams lose nothing", old: "ParameterName: BufferSizeInMBs", new: "ParameterName: BufferSize",
		want: "more than its answer has room for",
	},
	"transformation tried once": {
		check: "delivery streams lose nothing", after: "- ParameterName: NumberOfRetries", old: "\"3\"", new: "\"0\"", want: "wants 3 retries",
	},
	"function that works on": {
		check: "delivery streams lose nothing", old: "Timeout: 300", new: "Timeout: 900", want: "nobody waits",
	},
	"requests that Datadog refuses": {
		check: "delivery streams lose nothing", after: "FirehoseBufferSize:", old: "MaxValue: 4", new: "MaxValue: 64", want: "other than 1 to 4 MiB",
	},
	"requests without compression": {
		check: "delivery streams lose nothing", old: "ContentEncoding: GZIP", new: "ContentEncoding: NONE", want: "without compression",
	},
	"intake in the clear": {
		check: "delivery streams lose nothing", old: "https://aws-kinesis-http-intake", new: "http://aws-kinesis-http-intake", want: "in the clear",
	},
	"endpoint in the clear": {
		check: "delivery streams lose nothing", after: "FirehoseEndpointUrl:", old: "^$|^https://", new: "^$|^https?://", want: "in the clear",
	},
	"no tags": {
		check: "delivery streams lose nothing", old: "          CommonAttributes:\n", new: "          Attributes:\n", want: "no place for tags",
	},
	"everything is kept": {
		check: "delivery streams lose nothing", old: "FailedDataOnly", new: "AllData", want: "does not keep what fails",
	},
	"failures in the bucket of another": {
		check: "delivery streams lose nothing", old: "BucketARN: !GetAtt FirehoseFailuresBucket.Arn",
		new: "BucketARN: !Sub arn:aws:s3:::${Bucket1}", want: "does not keep what fails",
	},
	"failures by no kind": {
		check: "delivery streams lose nothing", old: "failed/!{firehose:error-output-type}/", new: "failed/", want: "where nobody looks",
	},
	"records beside the failures": {
		check: "delivery streams lose nothing", old: "Prefix: failed/records/", new: "Prefix: records/", want: "where nobody looks",
	},
	"stream that may not invoke": {
		check: "delivery streams lose nothing", after: "InvokeTransformation", old: "- lambda:InvokeFunction", new: "- lambda:GetFunction",
		want: "may not invoke its function",
	},
	"stream that may not write": {
		check: "delivery streams lose nothing", after: "KeepFailures", old: "- s3:PutObject", new: "- s3:PutObjectAcl", want: "may not write",
	},
	"errors that nobody reads": {
		check: "delivery streams lose nothing", after: "S3Configuration:", old: "Enabled: true", new: "Enabled: false", want: "does not log its errors",
	},
	"log stream that Firehose would have to make": {
		check: "delivery streams lose nothing", old: "LogStreamName: !Ref FirehoseEndpointLogStream", new: "LogStreamName: endpoint",
		want: "does not log its errors",
	},
	"closed to vended logs": {
		check: "delivery streams lose nothing", old: "Key: LogDeliveryEnabled", new: "Key: LogDelivery", want: "not for vended logs",
	},
	"records readable at rest": {
		check: "delivery streams lose nothing", old: "DeliveryStreamEncryptionConfigurationInput:", new: "Encryption:", want: "is not encrypted",
	},
	"bucket that is silent": {
		check: "what Firehose fails comes back", old: "EventBridgeEnabled: true", new: "EventBridgeEnabled: false",
		want: "FirehoseFailuresBucket: tells nobody",
	},
	"rule for another bucket": {
		check: "what Firehose fails comes back", after: "FirehoseFailuresRule:", old: "!Ref FirehoseFailuresBucket", new: "!Ref FailedEventsBucket",
		want: "FirehoseFailuresBucket: no rule",
	},
	"queue that is not polled": {
		check: "what Firehose fails comes back", after: "FirehoseFailuresRule:", old: "!GetAtt ObjectQueue.Arn", new: "!GetAtt ObjectDeadLetterQueue.Arn",
		want: "FirehoseFailuresBucket: no rule",
	},
	"function that may not read the failures": {
		check: "what Firehose fails comes back", after: "ReadFailures", old: "Action: s3:GetObject", new: "Action: s3:GetObjectVersion",
		want: "S3Role: may not read FirehoseFailuresBucket",
	},
	"function that does not know the bucket": {
		check: "what Firehose fails comes back", after: "SLUICE_BUCKETS:", old: "${FirehoseFailuresBucket}=${AWS::AccountId}",
		new:  "${FailedEventsBucket}=${AWS::AccountId}",
		want: "S3Function: does not know FirehoseFailuresBucket",
	},
	"destination for everyone": {
		check: "logs come from known accounts", old: "{\"AWS\":[\"${Senders}\"]}", new: "{\"AWS\":[\"*\"]}",
		want: "SenderDestination: lets in others",
	},
	"destination policy that is broken by a list": {
		check: "logs come from known accounts", old: "!Join ['\",\"'", new: "!Join ['\" \"'", want: "SenderDestination: its policy is no JSON",
	},
	"policy for another destination": {
		check: "logs come from known accounts", old: "destination:${AWS::StackName}", new: "destination:*", want: "SenderDestination: lets in others",
	},
	"senders that change the destination": {
		check: "logs come from known accounts", old: "\"logs:PutAccountPolicy\"", new: "\"logs:PutDestinationPolicy\"",
		want: "lets senders do logs:PutDestinationPolicy",
	},
	"destination that may not write": {
		check: "logs come from known accounts", after: "SenderDestination:", old: "LogsToKinesisRole", new: "LogsToFirehoseRole",
		want: "SenderDestination: may not write",
	},
	"losses of the transformation unseen": {
		check: "alarms watch every function", after: "FirehoseUnaccountedAlarm:", old: "!Ref FirehoseFunction", new: "!Ref S3Function",
		want: "FirehoseFunction: no alarm on Sluice Unaccounted",
	},
	"records returned unseen": {
		check: "alarms watch every function", after: "FirehoseReturnedAlarm:", old: "MetricName: LinesReturned", new: "MetricName: LinesIn",
		want: "FirehoseFunction: no alarm on Sluice LinesReturned",
	},
	"old records unseen": {
		check: "alarms watch every stream", old: "DeliveryToHttpEndpoint.DataFreshness", new: "DeliveryToS3.DataFreshness",
		want: "FirehoseStream: no alarm on DeliveryToHttpEndpoint.DataFreshness",
	},
	"success that rings": {
		check: "alarms watch every stream", after: "FirehoseBackupAlarm:", old: "LessThanThreshold", new: "GreaterThanThreshold",
		want: "FirehoseStream: no alarm on BackupToS3.Success",
	},
	"records turned away unseen": {
		check: "alarms watch every stream", after: "FirehoseThrottledAlarm:", old: "Name: DeliveryStreamName", new: "Name: StreamName",
		want: "FirehoseStream: no alarm on ThrottledRecords",
	},
	"failures unseen": {
		check: "alarms watch every stream", after: "FirehoseFailuresAlarm:", old: "!Ref FirehoseFailuresRule", new: "!Ref ObjectCreatedRule",
		want: "FirehoseFailuresRule: nobody notices",
	},
}
