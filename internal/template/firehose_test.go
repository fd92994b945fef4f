package template_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// What the delivery contract (sections 2.1 and 2.2) asks of Firehose, and what Firehose takes.
const (
	failures           = "failed/" // where the keys of what failed start
	errorPrefix        = failures + "!{firehose:error-output-type}/"
	processorRetries   = "3"
	processorInterval  = "60" // s
	maxProcessorBuffer = 1.0  // MiB; the rest is headroom for what records become
	minProcessorBuffer = 0.2  // MiB; Firehose API, ProcessorParameter
	transformSeconds   = 300  // for which Firehose waits for an answer
)

// requestBuffer is what a request to Datadog should have, in MiB. Source: Datadog's guide of its Firehose destination.
var requestBuffer = [2]int{1, 4}

// endpointOf returns the destination of a delivery stream.
func endpointOf(t template, stream string) any {
	return t.prop(stream, "HttpEndpointDestinationConfiguration")
}

// processorOf returns the parameters of the one Lambda processor of a delivery stream, or nothing.
func processorOf(t template, stream string) map[string]any {
	processors := asList(at(endpointOf(t, stream), "ProcessingConfiguration", "Processors"))
	if len(processors) != 1 || asText(at(processors[0], "Type")) != "Lambda" {
		return nil
	}
	parameters := map[string]any{}
	for _, parameter := range asList(at(processors[0], "Parameters")) {
		parameters[asText(at(parameter, "ParameterName"))] = at(parameter, "ParameterValue")
	}
	return parameters
}

// processing returns the function that transforms the records of a delivery stream.
func processing(t template, stream string) string {
	function, latest := strings.CutSuffix(asText(processorOf(t, stream)["LambdaArn"]), ".Arn}:$LATEST")
	if !latest {
		return ""
	}
	return strings.TrimPrefix(function, "${")
}

// transforms reports whether a function is the processor of a delivery stream.
func transforms(t template, function string) bool {
	return slices.ContainsFunc(t.of(streamType), func(stream string) bool { return processing(t, stream) == function })
}

// checkStreams complains of a delivery stream that overruns the answer of its function, gives up early, forgets what
// fails, or is not for vended logs.
func checkStreams(w world) []string {
	var complaints []string
	for _, name := range w.template.of(streamType) {
		wrong := checkProcessor(w.template, name)
		wrong = append(wrong, checkRequests(w.template, name)...)
		wrong = append(wrong, checkBackup(w.template, name)...)
		wrong = append(wrong, checkStreamLogs(w.template, name)...)
		wrong = append(wrong, checkDirect(w.template, name)...)
		for _, text := range wrong {
			complaints = append(complaints, name+": "+text)
		}
	}
	return complaints
}

// checkProcessor complains of a transformation that does not run, or is given more than it can answer.
func checkProcessor(t template, stream string) []string {
	function := processing(t, stream)
	if t.resources[function].kind != functionType || asText(at(endpointOf(t, stream), "ProcessingConfiguration", "Enabled")) != "true" {
		return []string{"is not transformed by a function of this stack"}
	}
	var wrong []string
	if timeout, ok := t.prop(function, "Timeout").(int); !ok || timeout > transformSeconds {
		wrong = append(wrong, "its function works on when nobody waits for the answer")
	}
	parameters := processorOf(t, stream)
	if asText(parameters["NumberOfRetries"]) != processorRetries || asText(parameters["BufferIntervalInSeconds"]) != processorInterval {
		wrong = append(wrong, "wants 3 retries of the transformation and 60 s of records")
	}
	sizes := asList(parameters["BufferSizeInMBs"])
	if parameter := t.parameters[resourceOf(parameters["BufferSizeInMBs"])]; parameter != nil {
		sizes = asList(parameter["AllowedValues"])
	}
	outside := func(size string) bool {
		number, err := strconv.ParseFloat(size, 64)
		return err != nil || number < minProcessorBuffer || number > maxProcessorBuffer
	}
	if len(sizes) == 0 || slices.ContainsFunc(texts(sizes), outside) {
		wrong = append(wrong, "gives the transformation more than its answer has room for")
	}
	return wrong
}

// checkRequests complains of requests that the endpoint would refuse, or that are sent in the clear.
func checkRequests(t template, stream string) []string {
	var wrong []string
	endpoint := endpointOf(t, stream)
	size := t.parameters[resourceOf(at(endpoint, "BufferingHints", "SizeInMBs"))]
	if size["MinValue"] != requestBuffer[0] || size["MaxValue"] != requestBuffer[1] ||
		asText(at(endpoint, "BufferingHints", "IntervalInSeconds")) != "60" {
		wrong = append(wrong, "sends other than 1 to 4 MiB or 60 s at once")
	}
	if asText(at(endpoint, "RequestConfiguration", "ContentEncoding")) != "GZIP" {
		wrong = append(wrong, "sends requests without compression")
	}
	for _, url := range either(at(endpoint, "EndpointConfiguration", "Url")) {
		text := asText(url)
		if parameter := t.parameters[resourceOf(url)]; parameter != nil {
			text = strings.TrimPrefix(strings.TrimPrefix(asText(parameter["AllowedPattern"]), "^$|"), "^")
		}
		if !strings.HasPrefix(text, "https://") {
			wrong = append(wrong, "sends in the clear")
		}
	}
	if len(asList(at(endpoint, "RequestConfiguration", "CommonAttributes"))) == 0 {
		wrong = append(wrong, "has no place for tags")
	}
	return wrong
}

// checkBackup complains of a stream that does not keep what fails, and that alone.
func checkBackup(t template, stream string) []string {
	backup := at(endpointOf(t, stream), "S3Configuration")
	bucket := resourceOf(at(backup, "BucketARN"))
	if asText(at(endpointOf(t, stream), "S3BackupMode")) != "FailedDataOnly" || t.resources[bucket].kind != bucketType {
		return []string{"does not keep what fails in a bucket of this stack"}
	}
	var wrong []string
	if !strings.HasPrefix(asText(at(backup, "ErrorOutputPrefix")), errorPrefix) || !strings.HasPrefix(asText(at(backup, "Prefix")), failures) {
		wrong = append(wrong, "keeps what fails where nobody looks, want "+errorPrefix)
	}
	role := resourceOf(at(backup, "RoleARN"))
	if !may(t, role, "s3:PutObject", "${"+bucket+".Arn}/"+failures+"*") {
		wrong = append(wrong, "may not write where it keeps what fails")
	}
	if function := processing(t, stream); !may(t, role, "lambda:InvokeFunction", "${"+function+".Arn}:$LATEST") {
		wrong = append(wrong, "may not invoke its function")
	}
	return wrong
}

// checkStreamLogs complains of errors that Firehose tells nobody. It makes no log streams.
func checkStreamLogs(t template, stream string) []string {
	var wrong []string
	for _, place := range []any{endpointOf(t, stream), at(endpointOf(t, stream), "S3Configuration")} {
		options := at(place, "CloudWatchLoggingOptions")
		group, logStream := resourceOf(at(options, "LogGroupName")), resourceOf(at(options, "LogStreamName"))
		if asText(at(options, "Enabled")) != "true" || t.resources[group].kind != logGroupType ||
			t.resources[logStream].kind != logStreamType || !refers(t.prop(logStream, "LogGroupName"), group) {
			wrong = append(wrong, "does not log its errors to a stream of a group of this stack")
		}
	}
	return wrong
}

// checkDirect complains of a stream that vended logs may not be sent to, or that holds records in the clear.
func checkDirect(t template, stream string) []string {
	var wrong []string
	open := slices.ContainsFunc(either(t.prop(stream, "Tags")), func(tags any) bool {
		return first(asList(tags), "Key") == "LogDeliveryEnabled" && first(asList(tags), "Value") == "true"
	})
	if !open {
		wrong = append(wrong, "is not for vended logs, want the tag LogDeliveryEnabled")
	}
	if len(either(t.prop(stream, "DeliveryStreamEncryptionConfigurationInput"))) == 0 {
		wrong = append(wrong, "is not encrypted")
	}
	return wrong
}

// checkComeback complains of a delivery stream whose failures are not sent in the end: the bucket tells EventBridge, a rule
// the queue, and the queue a function that may read it.
func checkComeback(w world) []string {
	var complaints []string
	for _, stream := range w.template.of(streamType) {
		bucket := resourceOf(at(endpointOf(w.template, stream), "S3Configuration", "BucketARN"))
		if asText(w.template.prop(bucket, "NotificationConfiguration", "EventBridgeConfiguration", "EventBridgeEnabled")) != "true" {
			complaints = append(complaints, bucket+": tells nobody of new objects")
		}
		function := readerOf(w.template, bucket)
		if function == "" {
			complaints = append(complaints, bucket+": no rule takes its events to a queue that is polled")
			continue
		}
		role := resourceOf(w.template.prop(function, "Role"))
		if !may(w.template, role, "s3:GetObject", "${"+bucket+".Arn}/"+failures+"*") || !may(w.template, role, "s3:ListBucket", "${"+bucket+".Arn}") {
			complaints = append(complaints, role+": may not read "+bucket)
		}
		for _, buckets := range either(w.template.prop(function, "Environment", "Variables", "SLUICE_BUCKETS")) {
			known := asList(at(buckets, "Fn::Join"))
			if len(known) == 2 && !slices.Contains(choices(known[1]), "${"+bucket+"}=${AWS::AccountId}") {
				complaints = append(complaints, function+": does not know "+bucket)
			}
		}
	}
	return complaints
}

// readerOf returns the function that a rule and a queue take the events of a bucket to, or nothing.
func readerOf(t template, bucket string) string {
	for _, rule := range t.of(ruleType) {
		targets := asList(t.prop(rule, "Targets"))
		if ownBucket(t, t.prop(rule, "EventPattern")) != bucket || len(targets) != 1 {
			continue
		}
		for _, mapping := range t.of(mappingType) {
			if refers(t.prop(mapping, "EventSourceArn"), resourceOf(at(targets[0], "Arn"))) {
				return resourceOf(t.prop(mapping, "FunctionName"))
			}
		}
	}
	return ""
}

// streamAlarms are the metrics of a delivery stream that somebody has to watch. Source: Firehose developer guide,
// "Implement best practices with CloudWatch Alarms", and what the closed loop needs.
var streamAlarms = []string{
	"ExecuteProcessing.Success", "DeliveryToHttpEndpoint.Success", "DeliveryToHttpEndpoint.DataFreshness", "ThrottledRecords",
	"KinesisMillisBehindLatest", "BackupToS3.Success",
}

// checkStreamAlarms complains of a delivery stream whose troubles nobody would notice.
func checkStreamAlarms(w world) []string {
	var complaints []string
	for _, stream := range w.template.of(streamType) {
		for _, metric := range streamAlarms {
			if !streamWatched(w.template, stream, metric) {
				complaints = append(complaints, fmt.Sprintf("%s: no alarm on %s", stream, metric))
			}
		}
	}
	for _, rule := range w.template.of(ruleType) {
		if ownBucket(w.template, w.template.prop(rule, "EventPattern")) != "" && !ruleWatched(w.template, rule) {
			complaints = append(complaints, rule+": nobody notices that something failed")
		}
	}
	return complaints
}

// streamWatched reports whether an alarm watches a metric of a delivery stream. A rate of success is watched from below.
func streamWatched(t template, stream, metric string) bool {
	operator := "GreaterThanThreshold"
	if strings.HasSuffix(metric, ".Success") {
		operator = "LessThanThreshold"
	}
	return slices.ContainsFunc(t.of(alarmType), func(alarm string) bool {
		dimension := asList(t.prop(alarm, "Dimensions"))
		return t.prop(alarm, "Namespace") == "AWS/Firehose" && t.prop(alarm, "MetricName") == metric &&
			t.prop(alarm, "ComparisonOperator") == operator &&
			first(dimension, "Name") == "DeliveryStreamName" && first(dimension, "Value") == "${"+stream+"}"
	})
}

// ruleWatched reports whether an alarm fires as soon as a rule has sent something.
func ruleWatched(t template, rule string) bool {
	return slices.ContainsFunc(t.of(alarmType), func(alarm string) bool {
		dimension := asList(t.prop(alarm, "Dimensions"))
		return t.prop(alarm, "Namespace") == "AWS/Events" && t.prop(alarm, "MetricName") == "Invocations" &&
			t.prop(alarm, "Threshold") == 0 && first(dimension, "Name") == "RuleName" && first(dimension, "Value") == "${"+rule+"}"
	})
}
