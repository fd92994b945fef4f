package template_test

// replayFaults are those in what parks, and in what sends it again.
var replayFaults = map[string]fault{
	"replay that is not deployed": {
		check: "every function has a main", old: "dist/arm64/replay.zip", new: "dist/arm64/s3.zip",
		want: "functions/replay: no function of the template runs it",
	},
	"misspelt setting of all functions": {
		check: "every setting is documented", old: "SLUICE_DEAD_RAW:", new: "SLUICE_RAW:", want: "SLUICE_RAW",
	},
	"writer that may not park": {
		check: "roles are least privilege", after: "KinesisRole:", old: "        - !Ref ParkPolicy\n",
		want: "KinesisRole: may not write where",
	},
	"tee that may not park": {
		check: "roles are least privilege", old: "!If [TeesFirehose, !Ref ParkPolicy,", new: "!If [HasBuckets, !Ref ParkPolicy,",
		want: "FirehoseRole: may not write where",
	},
	"writer that reads what is parked": {
		check: "roles are least privilege", after: "ParkPolicy:", old: "- s3:PutObjectTagging", new: "- s3:GetObject",
		want: "ParkPolicy: Park reads what is parked",
	},
	"writer that deletes what is parked": {
		check: "roles are least privilege", after: "ParkPolicy:", old: "- s3:PutObjectTagging", new: "- s3:DeleteObject",
		want: "ParkPolicy: Park may do s3:DeleteObject",
	},
	"writer that reads pointers": {
		check: "roles are least privilege", old: "/sluice/v1/progress/*", new: "/sluice/v1/pending/*", want: "ReadNotes reaches",
	},
	"writer that reads failed events": {
		check: "roles are least privilege", old: "/sluice/v1/progress/*", new: "/aws/lambda/*", want: "ReadNotes reaches",
	},
	"settings that are any parameter": {
		check: "roles are least privilege", old: ":parameter${ConfigParameterName}", new: ":parameter/*", want: "ReadConfig reaches",
	},
	"tags that are written": {
		check: "roles are least privilege", old: "Action: tag:GetResources", new: "Action: tag:TagResources", want: "ReadResourceTags may do tag:TagResources",
	},
	"tags that are anything in the bucket": {
		check: "roles are least privilege", old: "/sluice/v1/tags/*", new: "/sluice/v1/pending/*", want: "ShareTags reaches",
	},
	"replay anywhere in the bucket": {
		check: "roles are least privilege", after: "- Sid: Replay", old: "/aws/lambda/*", new: "/*", want: "ReplayRole: TakeFailedEvents reaches",
	},
	"storage key for any service": {
		check: "roles are least privilege", after: "ParkPolicy:", old: "kms:ViaService", new: "kms:CallerAccount",
		want: "ParkPolicy: UseStorageKey uses a key outside",
	},
	"schedules of other accounts": {
		check: "roles are least privilege", after: "ReplayScheduleRole:", old: "aws:SourceAccount", new: "aws:PrincipalAccount",
		want: "ReplayScheduleRole: works for other schedules",
	},
	"any schedule of the account": {
		check: "roles are least privilege", after: "ReplayScheduleRole:", old: "aws:SourceArn: !GetAtt ReplayScheduleGroup.Arn",
		new: "aws:SourceArn: \"*\"", want: "ReplayScheduleRole: works for other schedules",
	},
	"schedule that invokes anything": {
		check: "roles are least privilege", after: "InvokeReplay", old: "!GetAtt ReplayFunction.Arn", new: "\"*\"", want: "InvokeReplay reaches *",
	},
	"replay that is repeated": {
		check: "failures go somewhere", after: "ReplayInvokeConfig:", old: "MaximumRetryAttempts: 0", new: "MaximumRetryAttempts: 2",
		want: "ReplayInvokeConfig: MaximumRetryAttempts",
	},
	"runs that queue up": {
		check: "failures go somewhere", after: "ReplayInvokeConfig:", old: "MaximumEventAgeInSeconds: 300", new: "MaximumEventAgeInSeconds: 21600",
		want: "ReplayInvokeConfig: MaximumEventAgeInSeconds",
	},
	"hint kept for ever": {
		check: "nothing that waits expires", after: "- Id: expire-breakers", old: "Status: Enabled", new: "Status: Disabled",
		want: "sluice/v1/breaker/",
	},
	"rest of an object into another queue": {
		check: "queues give each message its time", old: "SLUICE_CONTINUE_QUEUE: !Ref ObjectQueue",
		new: "SLUICE_CONTINUE_QUEUE: !Ref ObjectDeadLetterQueue", want: "ObjectQueue: does not get the rest",
	},
	"rest of an object that may not be sent": {
		check: "queues give each message its time", after: "- Sid: Continue", old: "sqs:SendMessage", new: "sqs:ReceiveMessage",
		want: "ObjectQueue: does not get the rest",
	},
	"receives that differ": {
		check: "queues give each message its time", old: "SLUICE_MAX_RECEIVES: \"5\"", new: "SLUICE_MAX_RECEIVES: \"6\"",
		want: "ObjectQueue: its function thinks",
	},
	"replay that nothing invokes": {
		check: "what is parked is sent", old: "Type: AWS::Scheduler::Schedule\n", new: "Type: AWS::Events::Rule\n", want: "nothing invokes replay",
	},
	"schedule that is off": {
		check: "what is parked is sent", after: "ReplaySchedule:", old: "ScheduleExpression:", new: "State: DISABLED\n      ScheduleExpression:",
		want: "is not on at",
	},
	"schedule once a day": {
		check: "what is parked is sent", old: "rate(5 minutes)", new: "rate(1 day)", want: "is not on at",
	},
	"schedule with the role of another": {
		check: "what is parked is sent", old: "!GetAtt ReplayScheduleRole.Arn", new: "!GetAtt ReplayRole.Arn", want: "may not invoke its function",
	},
	"schedule in a group that is not trusted": {
		check: "what is parked is sent", old: "GroupName: !Ref ReplayScheduleGroup", new: "GroupName: default", want: "does not trust",
	},
	"replay twice at once": {
		check: "what is parked is sent", after: "ReplayFunction:", old: "!If [HasReservedConcurrency, 1,", new: "!If [HasReservedConcurrency, 5,",
		want: "may run twice at once",
	},
	"replay that leaves what it sent": {
		check: "what is parked is sent", after: "- Sid: Replay", old: "- s3:DeleteObject", new: "- s3:DeleteObjectTagging",
		want: "may not do s3:DeleteObject below sluice/v1/*",
	},
	"replay that leaves failed events": {
		check: "what is parked is sent", after: "TakeFailedEvents", old: "- s3:DeleteObject", new: "- s3:PutObject",
		want: "may not do s3:DeleteObject below aws/lambda/*",
	},
	"replay that sees no failed events": {
		check: "what is parked is sent", after: "FindParked", old: "                      - aws/lambda/*\n", want: "may not list aws/lambda/*",
	},
	"replay that does not read a bucket": {
		check: "what is parked is sent", after: "ReplayRole:", old: "        - !If [HasBuckets, !Ref ReadObjectsPolicy, !Ref AWS::NoValue]\n",
		want: "S3Function do not both have ReadObjectsPolicy",
	},
	"what gets old unseen": {
		check: "what is parked is sent", after: "ReplayPendingAlarm:", old: "Threshold: 14400", new: "Threshold: 64800", want: "has been parked for",
	},
	"replay that stands still unseen": {
		check: "what is parked is sent", after: "ReplaySilentAlarm:", old: "TreatMissingData: missing", new: "TreatMissingData: notBreaching",
		want: "does not invoke its function",
	},
	"dead unseen": {
		check: "alarms watch every function", after: "ReplayDeadAlarm:", old: "MetricName: DeadObjects", new: "MetricName: PendingObjects",
		want: "ReplayFunction: no alarm on Sluice DeadObjects",
	},
	"parked lines of an event unseen": {
		check: "alarms watch every function", after: "CloudWatchParkedAlarm:", old: "!Ref CloudWatchFunction", new: "!Ref S3Function",
		want: "CloudWatchFunction: no alarm on Sluice LinesParked",
	},
	"loop over the queue unseen": {
		check: "alarms watch every function", after: "S3LoopAlarm:", old: "RecursiveInvocationsDropped", new: "Throttles",
		want: "S3Function: no alarm on AWS/Lambda RecursiveInvocationsDropped",
	},
	"own log over the stream unseen": {
		check: "alarms watch every function", after: "KinesisOwnLogAlarm:", old: "MetricName: OwnLogGroup", new: "MetricName: LinesDropped",
		want: "KinesisFunction: no alarm on Sluice OwnLogGroup",
	},
}
