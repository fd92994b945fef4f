package template_test

import (
	"fmt"
	"slices"
	"strings"
)

// What the delivery contract (section 2.1) asks of Lambda when a function fails.
var (
	asyncRetries = map[string]string{"MaximumRetryAttempts": "2", "MaximumEventAgeInSeconds": "21600", "Qualifier": "$LATEST"}
	streamPolicy = map[string]string{
		"FunctionResponseTypes":      "[ReportBatchItemFailures]",
		"BisectBatchOnFunctionError": "true",
		"MaximumRetryAttempts":       "10",
		"MaximumRecordAgeInSeconds":  "43200",
	}
	queuePolicy = map[string]string{"FunctionResponseTypes": "[ReportBatchItemFailures]", "BatchSize": "10"}
)

// checkLogs complains of a function whose log is kept for ever, is loud, or may be fed back to the function.
func checkLogs(w world) []string {
	var complaints []string
	for _, name := range w.template.of(functionType) {
		group := strings.Trim(asText(w.template.prop(name, "LoggingConfig", "LogGroup")), "${}")
		if w.template.resources[group].kind != logGroupType {
			complaints = append(complaints, name+": has no log group of its own")
		}
		format := asText(w.template.prop(name, "LoggingConfig", "LogFormat"))
		if level := asText(w.template.prop(name, "LoggingConfig", "SystemLogLevel")); format != "JSON" || level != "WARN" {
			complaints = append(complaints, name+": logs what Lambda has to say, want JSON and WARN")
		}
	}
	for _, name := range w.template.of(logGroupType) {
		if asText(w.template.prop(name, "RetentionInDays")) == "" {
			complaints = append(complaints, name+": is kept for ever, want RetentionInDays")
		}
		if strings.HasPrefix(asText(w.template.prop(name, "LogGroupName")), "/aws/") {
			complaints = append(complaints, name+": is under /aws/, where subscriptions of many groups find it")
		}
	}
	return complaints
}

// checkFailures complains of a function whose failed events are retried too little, too long, or end nowhere.
func checkFailures(w world) []string {
	var complaints []string
	for _, name := range w.template.of(functionType) {
		configs, mappings := w.template.about(invokeConfigType, name), w.template.about(mappingType, name)
		for _, config := range configs {
			if scheduled(w.template, name) {
				complaints = append(complaints, checkProperties(w.template, config, scheduledRetries)...)
				continue
			}
			complaints = append(complaints, checkProperties(w.template, config, asyncRetries)...)
			complaints = append(complaints, checkOnFailure(w.template, config)...)
		}
		for _, mapping := range mappings {
			complaints = append(complaints, checkMapping(w.template, mapping)...)
		}
		permissions := w.template.about(permissionType, name)
		if transforms(w.template, name) && len(permissions)+len(configs)+len(mappings) == 0 {
			continue // Firehose waits for the answer; checkStreams sees to what it fails
		}
		if len(configs)+len(mappings) == 0 || len(permissions) > 0 && len(configs) == 0 {
			complaints = append(complaints, name+": nothing says what happens to events it fails")
		}
	}
	return complaints
}

// about returns the resources of a type whose FunctionName is the function.
func (t template) about(kind, function string) []string {
	return slices.DeleteFunc(t.of(kind), func(name string) bool { return !refers(t.prop(name, "FunctionName"), function) })
}

// checkMapping complains of a mapping that loses what the function returns. A queue keeps it itself; checkQueues sees to that.
func checkMapping(t template, name string) []string {
	if t.resources[resourceOf(t.prop(name, "EventSourceArn"))].kind == queueType {
		return checkProperties(t, name, queuePolicy)
	}
	return append(checkProperties(t, name, streamPolicy), checkOnFailure(t, name)...)
}

// resourceOf returns the name in a Ref or a GetAtt of the ARN.
func resourceOf(value any) string {
	return strings.TrimSuffix(strings.Trim(asText(value), "${}"), ".Arn")
}

func checkProperties(t template, name string, policy map[string]string) []string {
	var complaints []string
	for property, want := range policy {
		if got := asText(t.prop(name, property)); got != want {
			complaints = append(complaints, fmt.Sprintf("%s: %s is %q, want %q", name, property, got, want))
		}
	}
	return complaints
}

func checkOnFailure(t template, name string) []string {
	var complaints []string
	bucket := resourceOf(t.prop(name, "DestinationConfig", "OnFailure", "Destination"))
	if t.resources[bucket].kind != bucketType {
		complaints = append(complaints, name+": OnFailure is no bucket of this stack, and only S3 gets the whole payload")
	}
	return complaints
}

// checkBuckets complains of a bucket that is open, readable at rest, or gone with the stack.
func checkBuckets(w world) []string {
	var complaints []string
	for _, name := range w.template.of(bucketType) {
		for _, wrong := range checkBucket(w.template, name) {
			complaints = append(complaints, name+": "+wrong)
		}
	}
	return complaints
}

func checkBucket(t template, name string) []string {
	var wrong []string
	for _, block := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
		if asText(t.prop(name, "PublicAccessBlockConfiguration", block)) != "true" {
			wrong = append(wrong, block+" is not on")
		}
	}
	if first(asList(t.prop(name, "OwnershipControls", "Rules")), "ObjectOwnership") != "BucketOwnerEnforced" {
		wrong = append(wrong, "objects may belong to others")
	}
	encryption := asList(t.prop(name, "BucketEncryption", "ServerSideEncryptionConfiguration"))
	if first(encryption, "ServerSideEncryptionByDefault", "SSEAlgorithm") != "aws:kms" {
		wrong = append(wrong, "is not encrypted with KMS")
	}
	if body := t.resources[name].body; body["DeletionPolicy"] != "Retain" || body["UpdateReplacePolicy"] != "Retain" {
		wrong = append(wrong, "goes with the stack")
	}
	if !refusesPlainHTTP(t, name) {
		wrong = append(wrong, "takes requests without TLS 1.2")
	}
	return wrong
}

// lifetimes is for how many days each bucket keeps each kind of object, 0 for ever. Source: the project's delivery contract,
// 2.7; what Firehose failed has to outlast its message, which waits 4 days and then 14.
var lifetimes = map[string]map[string]int{
	"FailedEventsBucket": {
		"aws/lambda/async/stack-s3/2026/01/02/a": 90,
		"aws/lambda/a/shardId-000000000000/a":    90,
		"sluice/v1/pending/datadog/1789999999-a": 0,
		"sluice/v1/dead/datadog/http_400/a":      90,
		"sluice/v1/dead-raw/s3/2026/01/02/a":     14,
		"sluice/v1/progress/a":                   7,
		"sluice/v1/lease/a":                      7,
		"sluice/v1/breaker/datadog.json":         7,
	},
	"FirehoseFailuresBucket": {
		"failed/processing-failed/2026/01/02/03/a":    30,
		"failed/http-endpoint-failed/2026/01/02/03/a": 30,
		"failed/records/2026/01/02/03/a":              30,
	},
}

// checkLifetimes complains of a bucket that drops what waits to be sent, or keeps for ever what nobody will fetch.
func checkLifetimes(w world) []string {
	var complaints []string
	for _, name := range w.template.of(bucketType) {
		if lifetimes[name] == nil {
			complaints = append(complaints, name+": nothing says how long its objects are kept")
		}
		for key, want := range lifetimes[name] {
			if got := lifetime(w.template, name, key); got != want {
				complaints = append(complaints, fmt.Sprintf("%s: %s expires after %d days, want %d (0: never)", name, key, got, want))
			}
		}
	}
	return complaints
}

// lifetime returns after how many days an object expires, or 0.
func lifetime(t template, bucket, key string) int {
	days := 0
	for _, rule := range asList(t.prop(bucket, "LifecycleConfiguration", "Rules")) {
		expires, ok := at(rule, "ExpirationInDays").(int)
		if !ok || asText(at(rule, "Status")) != "Enabled" || !strings.HasPrefix(key, asText(at(rule, "Prefix"))) {
			continue
		}
		if days == 0 || expires < days {
			days = expires
		}
	}
	return days
}

// first returns the text at a path in the first item of a list.
func first(list []any, keys ...string) string {
	if len(list) == 0 {
		return ""
	}
	return asText(at(list[0], keys...))
}

// refusesPlainHTTP reports whether a policy denies everyone everything in the bucket without TLS and with an old TLS.
func refusesPlainHTTP(t template, bucket string) bool {
	var plain, old bool
	for _, policy := range t.of("AWS::S3::BucketPolicy") {
		if !refers(t.prop(policy, "Bucket"), bucket) {
			continue
		}
		for _, statement := range asList(t.prop(policy, "PolicyDocument", "Statement")) {
			if !deniesAll(statement, bucket) {
				continue
			}
			plain = plain || asText(at(statement, "Condition", "Bool", "aws:SecureTransport")) == "false"
			old = old || asText(at(statement, "Condition", "NumericLessThan", "s3:TlsVersion")) == "1.2"
		}
	}
	return plain && old
}

func deniesAll(statement any, bucket string) bool {
	return asText(at(statement, "Effect")) == "Deny" && asText(at(statement, "Principal")) == "*" &&
		asText(at(statement, "Action")) == "s3:*" &&
		fmt.Sprint(texts(at(statement, "Resource"))) == fmt.Sprintf("[${%[1]s.Arn} ${%[1]s.Arn}/*]", bucket)
}

func texts(value any) []string {
	var all []string
	for _, item := range asList(value) {
		all = append(all, asText(item))
	}
	return all
}

// ownLogMetric is above zero once in the life of a container: its lines are reported at first sight only, because each
// report would be one more line of the function's own log.
const ownLogMetric = "OwnLogGroup"

// checkAlarms complains of a function whose losses or returned lines nobody would notice, of an alarm that watches
// nothing, and of one that cannot fire.
func checkAlarms(w world) []string {
	var complaints []string
	for _, function := range w.template.of(functionType) {
		for _, metric := range alarming(w.template, function) {
			if !watched(w.template, function, metric) {
				complaints = append(complaints, fmt.Sprintf("%s: no alarm on %s", function, metric))
			}
		}
	}
	for _, name := range w.template.of(alarmType) {
		if len(either(w.template.prop(name, "AlarmActions"))) == 0 {
			complaints = append(complaints, name+": tells nobody, ever")
		}
		metric := asText(w.template.prop(name, "MetricName"))
		_, exists := w.metrics[metric]
		if w.template.prop(name, "Namespace") == "Sluice" && !exists {
			complaints = append(complaints, fmt.Sprintf("%s: the ledger has no metric %s", name, metric))
		}
		if metric == ownLogMetric && asText(w.template.prop(name, "EvaluationPeriods")) != "1" {
			complaints = append(complaints, name+": waits for a second datapoint, which never comes")
		}
	}
	return complaints
}

// alarming returns the metrics of a function that have to be watched. What replay parks again was parked before.
func alarming(t template, function string) []string {
	metrics := []string{"Sluice Unaccounted", "Sluice LinesReturned", "AWS/Lambda Errors"}
	if scheduled(t, function) {
		return append(metrics, "Sluice DeadObjects")
	}
	if !transforms(t, function) {
		metrics = append(metrics, "AWS/Lambda DestinationDeliveryFailures")
	}
	if t.prop(function, "Environment", "Variables", "SLUICE_PARK_BUCKET") != nil {
		metrics = append(metrics, "Sluice LinesParked")
	}
	if len(t.about(permissionType, function))+len(t.about(mappingType, function)) > 0 && !takesMessages(t, function) {
		metrics = append(metrics, "Sluice "+ownLogMetric)
	}
	if t.prop(function, "Environment", "Variables", "SLUICE_CONTINUE_QUEUE") != nil {
		metrics = append(metrics, "AWS/Lambda RecursiveInvocationsDropped")
	}
	return metrics
}

// takesMessages reports whether a queue invokes a function.
func takesMessages(t template, function string) bool {
	return slices.ContainsFunc(t.about(mappingType, function), func(mapping string) bool {
		return t.resources[resourceOf(t.prop(mapping, "EventSourceArn"))].kind == queueType
	})
}

// watched reports whether an alarm fires as soon as a metric of a function is above zero.
func watched(t template, function, metric string) bool {
	for _, alarm := range t.of(alarmType) {
		dimension := asList(t.prop(alarm, "Dimensions"))
		if asText(t.prop(alarm, "Namespace"))+" "+asText(t.prop(alarm, "MetricName")) == metric &&
			first(dimension, "Name") == "FunctionName" && first(dimension, "Value") == "${"+function+"}" &&
			t.prop(alarm, "ComparisonOperator") == "GreaterThanThreshold" && t.prop(alarm, "Threshold") == 0 {
			return true
		}
	}
	return false
}
