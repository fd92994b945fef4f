package template_test

import (
	"fmt"
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
		invokedBy := 0
		for _, config := range w.template.of(invokeConfigType) {
			if refers(w.template.prop(config, "FunctionName"), name) {
				invokedBy++
				complaints = append(complaints, checkFailure(w.template, config, asyncRetries)...)
			}
		}
		for _, mapping := range w.template.of(mappingType) {
			if refers(w.template.prop(mapping, "FunctionName"), name) {
				invokedBy++
				complaints = append(complaints, checkFailure(w.template, mapping, streamPolicy)...)
			}
		}
		if invokedBy == 0 {
			complaints = append(complaints, name+": nothing says what happens to events it fails")
		}
	}
	return complaints
}

func checkFailure(t template, name string, policy map[string]string) []string {
	var complaints []string
	for property, want := range policy {
		if got := asText(t.prop(name, property)); got != want {
			complaints = append(complaints, fmt.Sprintf("%s: %s is %q, want %q", name, property, got, want))
		}
	}
	bucket := strings.TrimSuffix(strings.Trim(asText(t.prop(name, "DestinationConfig", "OnFailure", "Destination")), "${}"), ".Arn")
	if t.resources[bucket].kind != bucketType {
		complaints = append(complaints, name+": OnFailure is no bucket of this stack, and only S3 gets the whole payload")
	}
	return complaints
}

// checkBuckets complains of a bucket that is open, readable at rest, kept for ever, or gone with the stack.
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
	if first(asList(t.prop(name, "LifecycleConfiguration", "Rules")), "ExpirationInDays") != "90" {
		wrong = append(wrong, "does not expire after 90 days")
	}
	if body := t.resources[name].body; body["DeletionPolicy"] != "Retain" || body["UpdateReplacePolicy"] != "Retain" {
		wrong = append(wrong, "goes with the stack")
	}
	if !refusesPlainHTTP(t, name) {
		wrong = append(wrong, "takes requests without TLS 1.2")
	}
	return wrong
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
		for _, metric := range []string{
			"Sluice Unaccounted", "Sluice LinesReturned", "AWS/Lambda Errors", "AWS/Lambda DestinationDeliveryFailures",
		} {
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
