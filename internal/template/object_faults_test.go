package template_test

// objectFaults are those in what the S3 function needs: its buckets, queues, rule and jobs.
var objectFaults = map[string]fault{
	"condition that does not imply the other": {
		check: "conditions agree", after: "ObjectCreatedRule:", old: "Condition: NotifiesEventBridge", new: "Condition: HasBucketOwner",
		want: "ObjectCreatedRule: needs the condition ReadsObjects of ObjectQueue",
	},
	"reference outside the branch where the rule exists": {
		check: "conditions agree", after: "ObjectQueuePolicy:", old: "- NotifiesEventBridge", new: "- NotifiesQueue",
		want: "ObjectQueuePolicy: needs the condition NotifiesEventBridge of ObjectCreatedRule",
	},
	"command without the condition of its queue": {
		check: "conditions agree", after: "NotifyQueueCommand:", old: "Condition: NotifiesQueue", new: "Condition: HasBucketPrefix",
		want: "NotifyQueueCommand: needs the condition ReadsObjects of ObjectQueue",
	},
	"S3 function that is not deployed": {
		check: "every function has a main", old: "dist/arm64/s3.zip", new: "dist/arm64/kinesis.zip",
		want: "functions/s3: no function of the template runs it",
	},
	"misspelt setting of one function": {
		check: "every setting is documented", old: "SLUICE_PARK_BUCKET:", new: "SLUICE_PARKING:", want: "SLUICE_PARKING",
	},
	"concurrency that a mapping refuses": {
		check: "parameters are bounded", old: "MinValue: 2", new: "MinValue: 1", want: "ObjectConcurrency: allows",
	},
	"timeout beyond what Lambda has": {
		check: "parameters are bounded", old: "[60, 120, 300, 600, 900]", new: "[60, 120, 300, 600, 1200]", want: "ObjectTimeout: allows",
	},
	"any object of a source": {
		check: "roles are least privilege", old: "${Bucket3}/${BucketPrefix}*", new: "${Bucket3}/*", want: "ReadObjects reaches",
	},
	"any bucket": {
		check: "roles are least privilege", old: "s3:::${Bucket3}/${BucketPrefix}*", new: "s3:::*", want: "ReadObjects reaches",
	},
	"objects of whoever has the name": {
		check: "roles are least privilege", after: "ReadObjects",
		old:  "aws:ResourceAccount: !If [HasBucketOwner, !Ref BucketOwner, !Ref AWS::AccountId]",
		new:  "aws:PrincipalAccount: !Ref AWS::AccountId",
		want: "ReadObjects reaches whoever has the name",
	},
	"objects of the wrong account": {
		check: "roles are least privilege", after: "ReadObjects",
		old: "!If [HasBucketOwner, !Ref BucketOwner, !Ref AWS::AccountId]", new: "\"*\"",
		want: "ReadObjects reaches whoever has the name",
	},
	"list of a whole source": {
		check: "roles are least privilege", old: "s3:prefix: !Sub ${BucketPrefix}*", new: "s3:prefix: \"*\"",
		want: "TellGoneFromForbidden lists the whole bucket",
	},
	"list without a condition": {
		check: "roles are least privilege", after: "FindFailedEventsBucket", old: "aws:ResourceAccount", new: "aws:PrincipalAccount",
		want: "FailedEventsPolicy: FindFailedEventsBucket lists whoever has the name",
	},
	"reader that deletes": {
		check: "roles are least privilege", after: "ReadObjects", old: "- s3:GetObjectVersion", new: "- s3:DeleteObject",
		want: "ReadObjectsPolicy: ReadObjects may do s3:DeleteObject",
	},
	"what another function needs": {
		check: "roles are least privilege", after: "KinesisRole:", old: "- kinesis:GetRecords", new: "- s3:GetObject",
		want: "KinesisRole: ReadStream may do s3:GetObject",
	},
	"shared policy that does what one function needs": {
		check: "roles are least privilege", after: "FailedEventsPolicy:", old: "Action: s3:ListBucket", new: "Action: s3:PutObject",
		want: "FailedEventsPolicy: FindFailedEventsBucket may do s3:PutObject",
	},
	"key of the buckets for any service": {
		check: "roles are least privilege", after: "DecryptObjects", old: "kms:ViaService", new: "kms:CallerAccount",
		want: "DecryptObjects uses a key outside",
	},
	"park anywhere in the bucket": {
		check: "roles are least privilege", old: "${FailedEventsBucket.Arn}/sluice/v1/*", new: "${FailedEventsBucket.Arn}/*",
		want: "Park reaches",
	},
	"park where the function does not": {
		check: "roles are least privilege", old: "SLUICE_PARK_PREFIX: sluice", new: "SLUICE_PARK_PREFIX: parked",
		want: "S3Role: may not write where",
	},
	"jobs of other accounts": {
		check: "roles are least privilege", after: "BatchOperationsRole:", old: "aws:SourceAccount: !Ref AWS::AccountId",
		new: "aws:SourceAccount: \"*\"", want: "BatchOperationsRole: works for jobs of other accounts",
	},
	"role of jobs as the role of a function": {
		check: "roles are least privilege", old: "Role: !GetAtt S3Role.Arn", new: "Role: !GetAtt BatchOperationsRole.Arn",
		want: "BatchOperationsRole: is not for Lambda",
	},
	"manifests anywhere": {
		check: "roles are least privilege", after: "ReadManifests", old: "${BatchOperationsLocation}*", new: "*", want: "ReadManifests reaches",
	},
	"bucket of any account invokes": {
		check: "resource policies have conditions", after: "Bucket2Permission:",
		old:  "      SourceAccount: !If [HasBucketOwner, !Ref BucketOwner, !Ref AWS::AccountId]\n",
		want: "Bucket2Permission: SourceAccount",
	},
	"any bucket invokes": {
		check: "resource policies have conditions", after: "Bucket2Permission:", old: "s3:::${Bucket2}", new: "s3:::*",
		want: "Bucket2Permission: SourceArn",
	},
	"queue for buckets of any account": {
		check: "resource policies have conditions", after: "TakeFromBuckets", old: "aws:SourceAccount", new: "aws:PrincipalAccount",
		want: "ObjectQueuePolicy: TakeFromBuckets lets in others",
	},
	"queue for any bucket": {
		check: "resource policies have conditions", after: "TakeFromBuckets", old: "arn:${AWS::Partition}:s3:::${Bucket5}",
		new: "arn:${AWS::Partition}:s3:::*", want: "TakeFromBuckets lets in others",
	},
	"queue for any rule": {
		check: "resource policies have conditions", after: "TakeFromRule", old: "aws:SourceArn", new: "aws:PrincipalArn",
		want: "TakeFromRule lets in others",
	},
	"dead-letter queue for anyone": {
		check: "resource policies have conditions", after: "ObjectDeadLetterQueuePolicy:", old: "Service: events.amazonaws.com",
		new: "AWS: \"*\"", want: "ObjectDeadLetterQueuePolicy: TakeFromRule lets in others",
	},
	"all of a batch comes again": {
		check: "failures go somewhere", after: "ObjectMapping:", old: "      FunctionResponseTypes: [ReportBatchItemFailures]\n",
		want: "ObjectMapping: FunctionResponseTypes",
	},
	"direct events that fail go nowhere": {
		check: "failures go somewhere", after: "S3InvokeConfig:", old: "!Ref S3Function", new: "!Ref CloudWatchFunction",
		want: "S3Function: nothing says",
	},
	"park that expires": {
		check: "nothing that waits expires", old: "Prefix: sluice/v1/dead/", new: "Prefix: sluice/v1/", want: "sluice/v1/pending/",
	},
	"whole bucket that expires": {
		check: "nothing that waits expires", old: "            Prefix: aws/lambda/\n", want: "sluice/v1/pending/",
	},
	"raw input kept as long as the rest": {
		check: "nothing that waits expires", old: "ExpirationInDays: 14", new: "ExpirationInDays: 90", want: "sluice/v1/dead-raw/",
	},
	"rule that is off": {
		check: "nothing that waits expires", after: "- Id: expire-leases", old: "Status: Enabled", new: "Status: Disabled", want: "sluice/v1/lease/",
	},
	"message shown while it is worked on": {
		check: "queues give each message its time", old: "Visibility: 1805", new: "Visibility: 1804",
		want: "ObjectQueue: hides messages for 1804 s with a timeout of 300 s",
	},
	"timeout without a visibility": {
		check: "queues give each message its time", old: "\"600\":", new: "\"601\":", want: "ObjectQueue: hides messages for 0 s",
	},
	"visibility of another timeout": {
		check: "queues give each message its time", after: "ObjectQueue:", old: "!Ref ObjectTimeout", new: "!Ref Timeout",
		want: "ObjectQueue: hides messages for 0 s",
	},
	"window that nobody counted": {
		check: "queues give each message its time", after: "ObjectMapping:", old: "MaximumBatchingWindowInSeconds: 5",
		new: "MaximumBatchingWindowInSeconds: 300", want: "ObjectQueue: hides",
	},
	"function with the timeout of the others": {
		check: "queues give each message its time", old: "      Timeout: !Ref ObjectTimeout\n", want: "the timeout of its function",
	},
	"message given up at once": {
		check: "queues give each message its time", old: "maxReceiveCount: 5", new: "maxReceiveCount: 1", want: "maxReceiveCount",
	},
	"messages given up to nowhere": {
		check: "queues give each message its time", after: "RedrivePolicy:", old: "!GetAtt ObjectDeadLetterQueue.Arn", new: "!GetAtt ObjectQueue.Arn",
		want: "ObjectDeadLetterQueue: takes messages of other queues",
	},
	"messages forgotten early": {
		check: "queues give each message its time", old: "MessageRetentionPeriod: 345600", new: "MessageRetentionPeriod: 60",
		want: "ObjectQueue: keeps messages",
	},
	"dead letters forgotten early": {
		check: "queues give each message its time", old: "MessageRetentionPeriod: 1209600", new: "MessageRetentionPeriod: 345600",
		want: "ObjectDeadLetterQueue: keeps messages",
	},
	"dead letters of any queue": {
		check: "queues give each message its time", old: "redrivePermission: byQueue", new: "redrivePermission: allowAll",
		want: "ObjectDeadLetterQueue: takes messages of other queues",
	},
	"dead letters of a queue by another name": {
		check: "queues give each message its time", old: "QueueName: !Sub ${AWS::StackName}-objects\n", new: "QueueName: objects\n",
		want: "ObjectDeadLetterQueue: takes messages of other queues",
	},
	"messages readable at rest": {
		check: "queues give each message its time", old: "SqsManagedSseEnabled: true", new: "SqsManagedSseEnabled: false",
		want: "ObjectQueue: is not encrypted",
	},
	"messages in the clear": {
		check: "queues give each message its time", after: "ObjectDeadLetterQueuePolicy:", old: "aws:SecureTransport: \"false\"",
		new: "aws:SecureTransport: \"true\"", want: "ObjectDeadLetterQueue: takes requests without TLS",
	},
	"messages that wait unseen": {
		check: "queues give each message its time", after: "ObjectWaitAlarm:", old: "!GetAtt ObjectQueue.QueueName",
		new: "!GetAtt ObjectDeadLetterQueue.QueueName", want: "ObjectQueue: nobody notices",
	},
	"dead letters unseen": {
		check: "queues give each message its time", after: "ObjectDeadAlarm:", old: "ApproximateNumberOfMessagesVisible",
		new: "NumberOfMessagesSent", want: "ObjectDeadLetterQueue: nobody notices",
	},
	"queue that nothing polls": {
		check: "queues give each message its time", after: "ObjectMapping:", old: "!GetAtt ObjectQueue.Arn",
		new: "!GetAtt ObjectDeadLetterQueue.Arn", want: "ObjectQueue: nothing polls it",
	},
	"rule for anything in S3": {
		check: "notifications arrive", old: "[Object Created]", new: "[Object Created, Object Deleted]", want: "matches more than new objects",
	},
	"rule for any account": {
		check: "notifications arrive", after: "detail-type:", old: "        account:\n", new: "        region:\n", want: "events of other accounts",
	},
	"rule for any key": {
		check: "notifications arrive", after: "ObjectCreatedRule:", old: "- prefix: !Ref BucketPrefix", new: "- prefix: a",
		want: "objects that the function may not read",
	},
	"rule that is turned away": {
		check: "notifications arrive", after: "ObjectQueuePolicy:", old: "aws:SourceArn: !GetAtt ObjectCreatedRule.Arn",
		new: "aws:SourceArn: !GetAtt ObjectQueue.Arn", want: "queue \"ObjectQueue\" does not take its events",
	},
	"events that EventBridge drops": {
		check: "notifications arrive", after: "ObjectCreatedRule:", old: "DeadLetterConfig:", new: "SqsParameters:",
		want: "ObjectCreatedRule: queue \"\" does not take its events",
	},
	"setting without a bucket": {
		check: "every bucket is known everywhere", after: "SLUICE_BUCKETS:", old: "${Bucket4}=", new: "${Bucket3}=", want: "S3Function: knows",
	},
	"reads another bucket than is given": {
		check: "every bucket is known everywhere", after: "ReadObjects", old: "[HasBucket2,", new: "[HasBucket1,", want: "ReadObjectsPolicy ReadObjects: knows",
	},
	"queue that turns a bucket away": {
		check: "every bucket is known everywhere", after: "TakeFromBuckets", old: "${Bucket5}", new: "${Bucket4}", want: "ObjectQueue: knows",
	},
	"rule without a bucket": {
		check: "every bucket is known everywhere", after: "ObjectCreatedRule:", old: "!Ref Bucket4", new: "!Ref Bucket3", want: "ObjectCreatedRule: knows",
	},
	"bucket that may not invoke": {
		check: "every bucket is known everywhere", after: "Bucket4Permission:", old: "${Bucket4}", new: "${Bucket3}", want: "AWS::Lambda::Permission: knows",
	},
	"parked lines unseen": {
		check: "alarms watch every function", after: "S3ParkedAlarm:", old: "MetricName: LinesParked", new: "MetricName: LinesIn",
		want: "S3Function: no alarm on Sluice LinesParked",
	},
	"losses of objects unseen": {
		check: "alarms watch every function", after: "S3UnaccountedAlarm:", old: "!Ref S3Function", new: "!Ref KinesisFunction",
		want: "S3Function: no alarm on Sluice Unaccounted",
	},
}
