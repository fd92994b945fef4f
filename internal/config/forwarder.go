package config

import (
	"strings"
)

// treatment is what becomes of a setting of the Datadog Forwarder that has no counterpart here.
type treatment int

const (
	ignored treatment = iota // plumbing of the Forwarder; one warning names all that are set
	refused                  // ignoring it could leak or lose data
)

// forwarderSetting is a setting of the Datadog Forwarder that has no counterpart here (datadog-compat, section 6).
type forwarderSetting struct {
	name      string
	treatment treatment
	neutral   string // value that changes nothing, in any letters; the empty one never does
	reason    string // why it is refused, and what to do; for plumbing empty

	isMet func(*Config) bool // another setting does what it asks for; nil: none does
}

// forwarderSettings returns the settings of the Datadog Forwarder that have no counterpart here.
func forwarderSettings() []forwarderSetting {
	return append([]forwarderSetting{
		{name: "DD_ADDITIONAL_TARGET_LAMBDAS", treatment: refused, reason: "Sluice invokes no other functions: give those " +
			"functions triggers of their own (subscription filters, notifications of buckets, rules), then unset it"},
		{name: "DD_FORWARD_LOG", treatment: refused, neutral: "true", reason: "Sluice forwards logs and nothing else: unset " +
			"it, or remove the trigger of the function"},
		{name: "DD_SKIP_SSL_VALIDATION", treatment: refused, neutral: "false", reason: "checks of certificates cannot be " +
			"switched off: name a file with the certificate of the intake's authority in SLUICE_CA_BUNDLE"},
		{
			name: "DD_STORE_FAILED_EVENTS", treatment: refused, neutral: "false",
			reason: "there is no bucket to keep in what cannot be delivered: name one in SLUICE_PARK_BUCKET (park_bucket), for " +
				"example that of DD_S3_BUCKET_NAME, and run functions/replay, which sends it",
			isMet: func(c *Config) bool { return c.ParkBucket.Name != "" },
		},
	}, plumbing()...)
}

// plumbing returns the settings that are ignored.
func plumbing() []forwarderSetting {
	names := []string{
		"DD_API_URL", "DD_ENHANCED_METRICS", "DD_ENRICH_CLOUDWATCH_TAGS", "DD_ENRICH_S3_TAGS",
		"DD_FLUSH_TO_LOG", "DD_LOG_LEVEL", "DD_MAX_WORKERS", "DD_S3_BUCKET_NAME",
		"DD_SQS_QUEUE_URL", "DD_STEP_FUNCTIONS_TRACE_ENABLED",
		"DD_TRACE_ENABLED", "DD_TRACE_INTAKE_URL", "DD_USE_VPC",
	}
	list := make([]forwarderSetting, len(names))
	for i, name := range names {
		list[i].name = name
	}
	return list
}

// checkForwarder reports what the environment of a Datadog Forwarder holds and Sluice does not do. Values are not shown:
// patterns tell what somebody wants to hide. c is nil when a document has more to say that could not be read.
func checkForwarder(env map[string]string, c *Config, to *problems) {
	var without []string
	for _, s := range forwarderSettings() {
		text := strings.TrimSpace(env[s.name])
		if text == "" || strings.EqualFold(text, s.neutral) {
			continue
		}
		if s.isMet != nil && (c == nil || s.isMet(c)) {
			continue
		}
		switch s.treatment {
		case refused:
			to.add(SettingError{Place: s.name, Text: s.reason})
		case ignored:
			without = append(without, s.name)
		}
	}
	if len(without) > 0 {
		to.warn(strings.Join(without, ", "), "settings of the Datadog Forwarder that have no effect here")
	}
}
