package template_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checkNotifications complains of a rule whose events are turned away, that matches what others send, or that drops what
// it cannot deliver.
func checkNotifications(w world) []string {
	var complaints []string
	for _, rule := range w.template.of(ruleType) {
		for _, wrong := range checkPattern(w.template, w.template.prop(rule, "EventPattern")) {
			complaints = append(complaints, rule+": "+wrong)
		}
		for _, target := range asList(w.template.prop(rule, "Targets")) {
			for _, arn := range []any{at(target, "Arn"), at(target, "DeadLetterConfig", "Arn")} {
				if queue := resourceOf(arn); !takesFrom(w.template, queue, rule) {
					complaints = append(complaints, fmt.Sprintf("%s: queue %q does not take its events", rule, queue))
				}
			}
		}
	}
	return complaints
}

// checkPattern complains of a pattern for more than the new objects that the function may read.
func checkPattern(t template, pattern any) []string {
	var wrong []string
	if asText(at(pattern, "source")) != "[aws.s3]" || asText(at(pattern, "detail-type")) != "[Object Created]" {
		wrong = append(wrong, "matches more than new objects")
	}
	if !isOwner(at(pattern, "account")) {
		wrong = append(wrong, "matches events of other accounts")
	}
	prefix := "${BucketPrefix}"
	if ownBucket(t, pattern) != "" {
		prefix = failures
	}
	keys := either(at(pattern, "detail", "object"))
	if len(keys) != 1 || first(asList(at(keys[0], "key")), "prefix") != prefix {
		wrong = append(wrong, "matches objects that the function may not read")
	}
	return wrong
}

// ownBucket returns the bucket of this stack that a pattern is for, or nothing.
func ownBucket(t template, pattern any) string {
	names := texts(at(pattern, "detail", "bucket", "name"))
	if len(names) != 1 {
		return ""
	}
	if bucket := strings.Trim(names[0], "${}"); t.resources[bucket].kind == bucketType {
		return bucket
	}
	return ""
}

// takesFrom reports whether the policy of a queue lets EventBridge send for a rule.
func takesFrom(t template, queue, rule string) bool {
	return slices.ContainsFunc(queueStatements(t, queue), func(statement object) bool {
		return asText(statement["Effect"]) == "Allow" && asText(statement["Action"]) == "sqs:SendMessage" &&
			refers(statement["Resource"], queue) && asText(at(statement, "Principal", "Service")) == "events.amazonaws.com" &&
			asText(at(statement, "Condition", "ArnEquals", "aws:SourceArn")) == "${"+rule+".Arn}"
	})
}

// checkSources complains of a place that does not know each bucket which may be given, each on the condition that it is.
func checkSources(w world) []string {
	want := map[string]string{} // bucket → condition
	for name := range w.template.parameters {
		if sourceBucket.MatchString("arn:${AWS::Partition}:s3:::${" + name + "}") {
			want[name] = "Has" + name
		}
	}
	var complaints []string
	complain := func(place string, got map[string]string) {
		if !maps.Equal(got, want) {
			complaints = append(complaints, fmt.Sprintf("%s: knows the buckets %v, want %v", place, got, want))
		}
	}
	for place, value := range sourcePlaces(w.template) {
		got := map[string]string{}
		guarded(value, nil, func(name string, given []string) {
			if _, bucket := want[name]; bucket && len(given) > 0 {
				got[name] = given[len(given)-1]
			}
		})
		complain(place, got)
	}
	complain(permissionType, invokers(w.template))
	return complaints
}

// invokers returns the buckets that may invoke a function, each with the condition that it is given.
func invokers(t template) map[string]string {
	buckets := map[string]string{}
	for _, name := range t.of(permissionType) {
		match := sourceBucket.FindStringSubmatch(asText(t.prop(name, "SourceArn")))
		if len(match) == 2 && t.implies(t.resources[name].condition, "Has"+match[1]) {
			buckets[match[1]] = "Has" + match[1]
		}
	}
	return buckets
}

// sourcePlaces returns the values that list the buckets, by their place.
func sourcePlaces(t template) map[string]any {
	places := map[string]any{}
	for _, function := range t.of(functionType) {
		if buckets := t.prop(function, "Environment", "Variables", "SLUICE_BUCKETS"); buckets != nil {
			places[function] = buckets
			maps.Copy(places, readPlaces(t, resourceOf(t.prop(function, "Role"))))
		}
	}
	for _, queue := range t.of(queueType) {
		for _, statement := range queueStatements(t, queue) {
			if asText(at(statement, "Principal", "Service")) == "s3.amazonaws.com" {
				places[queue] = at(statement, "Condition", "ArnEquals", "aws:SourceArn")
			}
		}
	}
	for _, rule := range t.of(ruleType) {
		if pattern := t.prop(rule, "EventPattern"); ownBucket(t, pattern) == "" {
			places[rule] = at(pattern, "detail", "bucket", "name")
		}
	}
	return places
}

// readPlaces returns the resources of the statements of a role that are about buckets of others.
func readPlaces(t template, role string) map[string]any {
	places := map[string]any{}
	for _, policy := range policiesOf(t, role) {
		for _, statement := range statements(policy.document) {
			if strings.Contains(strings.Join(choices(statement["Resource"]), " "), ":s3:::") {
				places[policy.name+" "+asText(statement["Sid"])] = statement["Resource"]
			}
		}
	}
	return places
}
