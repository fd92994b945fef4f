package format

// Layouts of JSON logs that come through CloudWatch Logs.
var (
	// Source: Step Functions developer guide, "Using CloudWatch Logs". Input and output are JSON inside of a string, which
	// the service cuts off.
	stepFunctionsLog = layout{
		millis:     epochMember("event_timestamp", inMillis),
		attributes: objectOf(renamed(mapped("type", "event.action", ""))),
		fields: []string{
			"id", "type", "details", "previous_event_id", "event_timestamp", "execution_arn", "redrive_count",
		},
		time: "event_timestamp",
	}
	// Source: SageMaker developer guide, "Ground Truth: monitoring private workforces".
	sageMakerWorkerLog = layout{
		millis:     epochMember("event_timestamp", inSeconds),
		attributes: objectOf(renamed(mapped("event_type", "event.action", ""))),
		fields: []string{
			"worker_id", "cognito_user_pool_id", "cognito_sub_id", "task_accepted_time", "task_submitted_time",
			"task_returned_time", "task_declined_time", "workteam_arn", "labeling_job_arn",
			"work_requester_account_id", "job_reference_code", "job_type", "event_type", "event_timestamp",
		},
		time: "event_timestamp",
	}
	// Source: Storage Gateway user guide, "Understanding file share audit logs" and "health logs".
	storageGatewayLog = layout{
		millis: epochMember("timestamp", inMillis),
		attributes: objectOf(renamed(
			mapped("severity", "log.level", ""),
			mapped("operation", "event.action", ""),
			mapped("sourceAddress", "source.ip", "client.address"),
			mapped("accountName", "user.name", "user.name"),
			mapped("accountDomain", "user.domain", ""),
		)),
		fields: []string{
			"severity", "bucket", "roleArn", "source", "type", "operation", "key", "gateway", "timestamp",
			"accessMode", "accountDomain", "accountName", "clientGid", "clientUid", "ctime", "groupId",
			"fileSizeInBytes", "mtime", "newObjectName", "objectName", "objectType", "ownerId", "securityDescriptor",
			"shareName", "sourceAddress", "status", "version",
		},
		time: "timestamp",
	}
	// Source: RDS user guide, "OS metrics in Enhanced Monitoring".
	rdsOSMetricsLog = layout{
		millis:     isoMember("timestamp"),
		attributes: objectOf(nil),
		fields: []string{
			"engine", "instanceID", "instanceResourceID", "timestamp", "version", "uptime", "numVCPUs",
			"cpuUtilization", "loadAverageMinute", "memory", "tasks", "swap", "network", "diskIO", "fileSys",
			"processList",
		},
		time: "timestamp",
	}
	// Source: Kubernetes, API reference of audit.k8s.io/v1, "Event".
	eksAuditLog = layout{
		millis: firstOf(isoMember("requestReceivedTimestamp"), isoMember("stageTimestamp")),
		attributes: objectOf(renamed(
			mapped("auditID", "event.id", ""),
			mapped("verb", "event.action", ""),
			mapped("requestURI", "url.original", ""),
			mapped("userAgent", "user_agent.original", "user_agent.original"),
		)),
		fields: []string{
			"kind", "apiVersion", "level", "auditID", "stage", "requestURI", "verb", "user", "impersonatedUser",
			"sourceIPs", "userAgent", "objectRef", "responseStatus", "requestObject", "responseObject",
			"requestReceivedTimestamp", "stageTimestamp", "annotations",
		},
		time: "requestReceivedTimestamp, else stageTimestamp",
	}
	// Source: Firehose developer guide, "Monitoring Amazon Data Firehose using CloudWatch Logs".
	firehoseErrorsLog = layout{
		attributes: objectOf(renamed(mapped("errorCode", "error.code", "error.type"))),
		fields: []string{
			"deliveryStreamARN", "destination", "deliveryStreamVersionId", "message", "errorCode", "processor",
		},
	}
	// applicationLog is any other log whose lines are JSON objects.
	applicationLog = layout{attributes: objectOf(nil)}
)

// firstOf returns the millis of a log that may say them in several places: the first that there is.
func firstOf(places ...func(c *Clock, line []byte) int64) func(c *Clock, line []byte) int64 {
	return func(c *Clock, line []byte) int64 {
		for _, millis := range places {
			if ms := millis(c, line); ms != 0 {
				return ms
			}
		}
		return 0
	}
}
