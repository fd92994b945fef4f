package template_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// What the delivery contract (sections 2.1 and S16) asks of the queues.
const (
	receives        = "5"       // before a message is given up
	queueRetention  = "345600"  // s, 4 days
	deadRetention   = "1209600" // s, 14 days, the most that SQS keeps
	timeoutsVisible = 6         // a message is hidden for as many timeouts of its function, and the batching window
	maxVisibility   = 43200     // s; SQS API, SetQueueAttributes
)

// checkQueues complains of a queue that is open or readable at rest, that gives a message twice while it is worked on, and
// that drops it in the end.
func checkQueues(w world) []string {
	var complaints []string
	for _, name := range w.template.of(queueType) {
		wrong := checkQueue(w.template, name)
		if w.template.prop(name, "RedrivePolicy") != nil {
			wrong = append(wrong, checkRedrive(w.template, name)...)
			wrong = append(wrong, checkVisibility(w.template, name)...)
			wrong = append(wrong, checkContinuation(w.template, name)...)
		} else {
			wrong = append(wrong, checkDeadLetters(w.template, name)...)
		}
		for _, text := range wrong {
			complaints = append(complaints, name+": "+text)
		}
	}
	return complaints
}

// checkQueue complains of what holds for every queue.
func checkQueue(t template, name string) []string {
	var wrong []string
	if asText(t.prop(name, "SqsManagedSseEnabled")) != "true" {
		wrong = append(wrong, "is not encrypted")
	}
	refuses := func(statement object) bool {
		return asText(statement["Effect"]) == "Deny" && asText(statement["Principal"]) == "*" &&
			asText(statement["Action"]) == "sqs:*" && refers(statement["Resource"], name) &&
			asText(at(statement, "Condition", "Bool", "aws:SecureTransport")) == "false"
	}
	if !slices.ContainsFunc(queueStatements(t, name), refuses) {
		wrong = append(wrong, "takes requests without TLS")
	}
	return wrong
}

// queueStatements returns the statements of the policies of a queue.
func queueStatements(t template, queue string) []object {
	var all []object
	for _, policy := range t.of(queuePolicyType) {
		if slices.Contains(texts(t.prop(policy, "Queues")), "${"+queue+"}") {
			all = append(all, statements(t.prop(policy, "PolicyDocument"))...)
		}
	}
	return all
}

// checkRedrive complains of a queue that gives a message up too early or too late, or to nowhere.
func checkRedrive(t template, name string) []string {
	var wrong []string
	if got := asText(t.prop(name, "RedrivePolicy", "maxReceiveCount")); got != receives {
		wrong = append(wrong, fmt.Sprintf("maxReceiveCount is %q, want %s", got, receives))
	}
	dead := resourceOf(t.prop(name, "RedrivePolicy", "deadLetterTargetArn"))
	if t.resources[dead].kind != queueType || t.prop(dead, "RedriveAllowPolicy") == nil {
		wrong = append(wrong, "has no dead-letter queue of this stack")
	}
	if got := asText(t.prop(name, "MessageRetentionPeriod")); got != queueRetention {
		wrong = append(wrong, fmt.Sprintf("keeps messages for %q s, want %s", got, queueRetention))
	}
	if !queueWatched(t, name, "ApproximateAgeOfOldestMessage") {
		wrong = append(wrong, "nobody notices that messages wait")
	}
	return wrong
}

// checkDeadLetters complains of a dead-letter queue that forgets, that takes from any queue, or that nobody looks at.
func checkDeadLetters(t template, name string) []string {
	var wrong []string
	if got := asText(t.prop(name, "MessageRetentionPeriod")); got != deadRetention {
		wrong = append(wrong, fmt.Sprintf("keeps messages for %q s, want %s", got, deadRetention))
	}
	var sources []string
	for _, queue := range t.of(queueType) {
		if refers(t.prop(queue, "RedrivePolicy", "deadLetterTargetArn"), name) {
			sources = append(sources, "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:"+asText(t.prop(queue, "QueueName")))
		}
	}
	allow := t.prop(name, "RedriveAllowPolicy")
	if asText(at(allow, "redrivePermission")) != "byQueue" || !slices.Equal(texts(at(allow, "sourceQueueArns")), sources) {
		wrong = append(wrong, "takes messages of other queues than "+strings.Join(sources, " "))
	}
	if !queueWatched(t, name, "ApproximateNumberOfMessagesVisible") {
		wrong = append(wrong, "nobody notices that messages are in it")
	}
	return wrong
}

// queueWatched reports whether an alarm watches a metric of a queue.
func queueWatched(t template, queue, metric string) bool {
	return slices.ContainsFunc(t.of(alarmType), func(alarm string) bool {
		dimension := asList(t.prop(alarm, "Dimensions"))
		return t.prop(alarm, "Namespace") == "AWS/SQS" && t.prop(alarm, "MetricName") == metric &&
			t.prop(alarm, "ComparisonOperator") == "GreaterThanThreshold" && t.prop(alarm, "Statistic") == "Maximum" &&
			first(dimension, "Name") == "QueueName" && first(dimension, "Value") == "${"+queue+".QueueName}"
	})
}

// checkVisibility complains of a queue that shows a message to others while a function may still be at work on it.
func checkVisibility(t template, queue string) []string {
	polled := false
	var wrong []string
	for _, mapping := range t.of(mappingType) {
		if !refers(t.prop(mapping, "EventSourceArn"), queue) {
			continue
		}
		polled = true
		window, _ := t.prop(mapping, "MaximumBatchingWindowInSeconds").(int)
		parameter := resourceOf(t.prop(resourceOf(t.prop(mapping, "FunctionName")), "Timeout"))
		for _, value := range asList(t.parameters[parameter]["AllowedValues"]) {
			timeout, _ := value.(int)
			hidden := visibility(t, queue, parameter, timeout)
			if least := timeoutsVisible*timeout + window; hidden < least || hidden > maxVisibility {
				wrong = append(wrong, fmt.Sprintf("hides messages for %d s with a timeout of %d s, want %d to %d",
					hidden, timeout, least, maxVisibility))
			}
		}
		if t.parameters[parameter]["AllowedValues"] == nil {
			wrong = append(wrong, "the timeout of its function is not one of a few, so nothing says how long to hide messages")
		}
	}
	if !polled {
		wrong = append(wrong, "nothing polls it")
	}
	return wrong
}

// checkContinuation complains of a function that cannot send the rest of an object to its queue, or that does not know
// after how many receives the queue gives up.
func checkContinuation(t template, queue string) []string {
	var wrong []string
	for _, mapping := range t.of(mappingType) {
		if !refers(t.prop(mapping, "EventSourceArn"), queue) {
			continue
		}
		function := resourceOf(t.prop(mapping, "FunctionName"))
		variables := t.prop(function, "Environment", "Variables")
		if !refers(at(variables, "SLUICE_CONTINUE_QUEUE"), queue) ||
			!may(t, resourceOf(t.prop(function, "Role")), "sqs:SendMessage", "${"+queue+".Arn}") {
			wrong = append(wrong, "does not get the rest of an object back")
		}
		if got := asText(at(variables, "SLUICE_MAX_RECEIVES")); got != asText(t.prop(queue, "RedrivePolicy", "maxReceiveCount")) {
			wrong = append(wrong, fmt.Sprintf("its function thinks that it gives up after %q receives", got))
		}
	}
	return wrong
}

// visibility returns the timeout of a queue in seconds, which is looked up by a parameter, and 0 where it is not.
func visibility(t template, queue, parameter string, value int) int {
	find := asList(at(t.prop(queue, "VisibilityTimeout"), "Fn::FindInMap"))
	if len(find) != 3 || asText(find[1]) != "${"+parameter+"}" {
		return 0
	}
	seconds, _ := at(t.mappings, asText(find[0]), strconv.Itoa(value), asText(find[2])).(int)
	return seconds
}
