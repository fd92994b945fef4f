package template_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Types of resources that the checks look for.
const (
	functionType     = "AWS::Serverless::Function"
	invokeConfigType = "AWS::Lambda::EventInvokeConfig"
	mappingType      = "AWS::Lambda::EventSourceMapping"
	permissionType   = "AWS::Lambda::Permission"
	logGroupType     = "AWS::Logs::LogGroup"
	queueType        = "AWS::SQS::Queue"
	queuePolicyType  = "AWS::SQS::QueuePolicy"
	ruleType         = "AWS::Events::Rule"
	roleType         = "AWS::IAM::Role"
	policyType       = "AWS::IAM::ManagedPolicy"
	bucketType       = "AWS::S3::Bucket"
	alarmType        = "AWS::CloudWatch::Alarm"
	streamType       = "AWS::KinesisFirehose::DeliveryStream"
	logStreamType    = "AWS::Logs::LogStream"
	destinationType  = "AWS::Logs::Destination"
	scheduleType     = "AWS::Scheduler::Schedule"
	groupType        = "AWS::Scheduler::ScheduleGroup"
)

// of returns the names of the resources of a type, sorted.
func (t template) of(kind string) []string {
	var names []string
	for name, r := range t.resources {
		if r.kind == kind {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// prop returns what is at a path in the properties of a resource, or nil.
func (t template) prop(resource string, keys ...string) any {
	return at(t.resources[resource].properties, keys...)
}

// refers reports whether a value is a Ref to, or an attribute of, the resource.
func refers(value any, resource string) bool {
	text := asText(value)
	return text == "${"+resource+"}" || text == "${"+resource+".Arn}"
}

// checkReferences complains of a name that nothing in the template has.
func checkReferences(w world) []string {
	known := func(name string) bool {
		_, parameter := w.template.parameters[name]
		_, condition := w.template.conditions[name]
		_, resource := w.template.resources[name]
		return parameter || condition || resource || strings.HasPrefix(name, "AWS::")
	}
	used := map[string]any{"Conditions": w.template.conditions, "Outputs": w.template.outputs, "Rules": w.template.rules}
	for name, r := range w.template.resources {
		used[name] = []any{r.body, r.properties}
	}
	var complaints []string
	for place, value := range used {
		for _, name := range references(value) {
			if !known(name) {
				complaints = append(complaints, fmt.Sprintf("%s: nothing is called %s", place, name))
			}
		}
	}
	return complaints
}

// codeURI is the archive that scripts/build makes of functions/<name>.
var codeURI = regexp.MustCompile(`^dist/arm64/([a-z0-9]+)\.zip$`)

func checkMains(w world) []string {
	var complaints []string
	var deployed []string
	for _, name := range w.template.of(functionType) {
		archive := codeURI.FindStringSubmatch(asText(w.template.prop(name, "CodeUri")))
		if archive == nil {
			complaints = append(complaints, name+": CodeUri is not dist/arm64/<function>.zip")
			continue
		}
		deployed = append(deployed, archive[1])
		if !slices.Contains(w.mains, archive[1]) {
			complaints = append(complaints, fmt.Sprintf("%s: functions/%s/main.go is not there", name, archive[1]))
		}
	}
	for _, main := range w.mains {
		if !slices.Contains(deployed, main) {
			complaints = append(complaints, fmt.Sprintf("functions/%s: no function of the template runs it", main))
		}
	}
	return complaints
}

func checkRuntimes(w world) []string {
	var complaints []string
	for _, name := range w.template.of(functionType) {
		for property, want := range map[string]string{
			"Architectures": "[arm64]", "Runtime": "provided.al2023", "Handler": "bootstrap", "RecursiveLoop": "Terminate",
		} {
			if got := asText(w.template.prop(name, property)); got != want {
				complaints = append(complaints, fmt.Sprintf("%s: %s is %q, want %q", name, property, got, want))
			}
		}
	}
	return complaints
}

func checkSettings(w world) []string {
	var complaints []string
	for _, name := range w.template.of(functionType) {
		for setting := range asObject(w.template.prop(name, "Environment", "Variables")) {
			if _, documented := w.settings[setting]; !documented {
				complaints = append(complaints, fmt.Sprintf("%s: docs/settings.md has no %s", name, setting))
			}
		}
	}
	return complaints
}

// limits are what Lambda takes for the properties that numeric parameters end in. Source: AWS::Lambda::Function and
// AWS::Lambda::EventSourceMapping in the CloudFormation template reference.
var limits = map[string][2]int{
	"MemorySize":            {128, 10240}, // MB
	"Timeout":               {1, 900},     // s
	"ObjectTimeout":         {1, 900},     // s
	"ParallelizationFactor": {1, 10},
	"ObjectConcurrency":     {2, 1000},
}

func checkParameters(w world) []string {
	var complaints []string
	for _, name := range slices.Sorted(maps.Keys(w.template.parameters)) {
		parameter := w.template.parameters[name]
		if asText(parameter["Description"]) == "" {
			complaints = append(complaints, name+": has no description")
		}
		wrong := checkText(parameter)
		if parameter["Type"] == "Number" {
			wrong = checkNumber(name, parameter)
		}
		if wrong != "" {
			complaints = append(complaints, name+": "+wrong)
		}
	}
	return complaints
}

// checkText returns what is wrong with a parameter that is a text, or nothing.
func checkText(parameter object) string {
	if values := asList(parameter["AllowedValues"]); values != nil {
		if !slices.Contains(values, parameter["Default"]) {
			return "the default is not among the allowed values"
		}
		return ""
	}
	pattern := asText(parameter["AllowedPattern"])
	matcher, err := regexp.Compile(pattern)
	if err != nil || !strings.HasPrefix(pattern, "^") || !strings.HasSuffix(pattern, "$") {
		return "has no pattern for the whole value"
	}
	if byDefault, ok := parameter["Default"]; ok && !matcher.MatchString(asText(byDefault)) {
		return "the default does not match the pattern"
	}
	return ""
}

// checkNumber returns what is wrong with a parameter that is a number, or nothing.
func checkNumber(name string, parameter object) string {
	if values := asList(parameter["AllowedValues"]); values != nil {
		limit, limited := limits[name]
		outside := func(value any) bool {
			number, ok := value.(int)
			return !ok || limited && (number < limit[0] || number > limit[1])
		}
		if slices.ContainsFunc(values, outside) {
			return "allows what Lambda does not"
		}
		return checkText(parameter)
	}
	low, hasLow := parameter["MinValue"].(int)
	high, hasHigh := parameter["MaxValue"].(int)
	byDefault, hasDefault := parameter["Default"].(int)
	if !hasLow || !hasHigh || !hasDefault || byDefault < low || byDefault > high {
		return "wants a default between MinValue and MaxValue"
	}
	if limit, ok := limits[name]; ok && (low < limit[0] || high > limit[1]) {
		return fmt.Sprintf("allows what Lambda does not, want %d to %d at most", limit[0], limit[1])
	}
	return ""
}
