package config

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every variable of the Datadog Forwarder (datadog-compat, section 6), set alone, has its effect, is refused, or is named by
// one warning.
func TestEachForwarderVariable(t *testing.T) {
	const ignored = ": settings of the Datadog Forwarder that have no effect here"
	datadog := func(c *Config) Destination { return c.Destinations[0] }
	key := func(c *Config) any { return datadog(c).Datadog.APIKey.String() }
	rule := func(c *Config) any { return c.Redact }
	for name, tc := range map[string]struct {
		value string
		got   func(*Config) any
		want  any
		err   string
		warn  string // how the only warning starts
	}{
		"DD_API_KEY_SECRET_ARN": {value: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:k", got: key, want: "secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:k"},
		"DD_API_KEY_SSM_NAME":   {value: "/datadog/key", got: key, want: "ssm:/datadog/key"},
		"DD_KMS_API_KEY":        {value: "QUJD", got: key, want: "kms:[redacted]"},
		"DD_API_KEY":            {value: canary, got: key, want: "plain:[redacted]", warn: "DD_API_KEY: holds the API key itself"},

		"DD_SITE":                {value: "datadoghq.eu", got: func(c *Config) any { return datadog(c).Datadog.Site }, want: "datadoghq.eu"},
		"DD_URL":                 {value: "proxy.example.com", got: func(c *Config) any { return datadog(c).URL.Reveal() }, want: "https://proxy.example.com"},
		"DD_PORT":                {value: "8443", got: func(c *Config) any { return datadog(c).URL.Reveal() }, want: "https://http-intake.logs.datadoghq.com:8443"},
		"DD_NO_SSL":              {value: "true", err: "DD_NO_SSL: \"http://http-intake.logs.datadoghq.com:443\": want https"},
		"DD_SKIP_SSL_VALIDATION": {value: "true", err: "DD_SKIP_SSL_VALIDATION: checks of certificates cannot be switched off"},
		"DD_API_URL":             {value: "https://api.example.com", warn: "DD_API_URL" + ignored},
		"DD_TRACE_INTAKE_URL":    {value: "https://trace.example.com", warn: "DD_TRACE_INTAKE_URL" + ignored},
		"DD_FORWARD_LOG":         {value: "false", err: "DD_FORWARD_LOG: Sluice forwards logs and nothing else"},
		"DD_USE_COMPRESSION":     {value: "false", got: func(c *Config) any { return datadog(c).Compression }, want: CompressionNone},
		"DD_COMPRESSION_LEVEL":   {value: "9", got: func(c *Config) any { return datadog(c).CompressionLevel }, want: 9},
		"DD_MAX_WORKERS":         {value: "20", warn: "DD_MAX_WORKERS" + ignored},

		"DD_TAGS":   {value: "env:prod,team:a", got: func(c *Config) any { return c.Tags }, want: []string{"env:prod", "team:a"}},
		"DD_SOURCE": {value: "app", got: func(c *Config) any { return c.Source }, want: "app"},

		"DD_MULTILINE_LOG_REGEX_PATTERN": {value: `\d{4}-\d{2}-\d{2}`, got: func(c *Config) any { return c.Multiline }, want: Multiline{Start: `\d{4}-\d{2}-\d{2}`, MaxLines: 500, MaxBytes: 256 << 10}},
		"INCLUDE_AT_MATCH":               {value: "ERROR", got: func(c *Config) any { return c.Include }, want: []string{"ERROR"}},
		"EXCLUDE_AT_MATCH":               {value: "DEBUG", got: func(c *Config) any { return c.Exclude }, want: []string{"DEBUG"}},
		"REDACT_IP":                      {value: "true", got: func(c *Config) any { return c.RedactIP }, want: true},
		"REDACT_EMAIL":                   {value: "true", got: func(c *Config) any { return c.RedactEmail }, want: true},
		"DD_SCRUBBING_RULE":              {value: "password=.*", got: rule, want: []RedactRule{{Name: "scrubbing_rule", Pattern: "password=.*"}}},
		"DD_SCRUBBING_RULE_REPLACEMENT":  {value: "xxx", got: rule, want: []RedactRule(nil), warn: "DD_SCRUBBING_RULE_REPLACEMENT: has no effect without a pattern"},

		"DD_FETCH_LAMBDA_TAGS":         {value: "true", got: resources, want: ResourceTags{Lambda: true, TTL: 300 * time.Second}},
		"DD_FETCH_LOG_GROUP_TAGS":      {value: "true", got: resources, want: ResourceTags{LogGroup: true, TTL: 300 * time.Second}},
		"DD_FETCH_S3_TAGS":             {value: "true", got: resources, want: ResourceTags{S3: true, TTL: 300 * time.Second}},
		"DD_FETCH_STEP_FUNCTIONS_TAGS": {value: "true", got: resources, want: ResourceTags{StepFunctions: true, TTL: 300 * time.Second}},
		"DD_TAGS_CACHE_TTL_SECONDS":    {value: "600", got: resources, want: ResourceTags{TTL: 10 * time.Minute}},
		"DD_ENRICH_S3_TAGS":            {value: "true", warn: "DD_ENRICH_S3_TAGS" + ignored},
		"DD_ENRICH_CLOUDWATCH_TAGS":    {value: "true", warn: "DD_ENRICH_CLOUDWATCH_TAGS" + ignored},

		"DD_S3_BUCKET_NAME":               {value: "forwarder-bucket", warn: "DD_S3_BUCKET_NAME" + ignored},
		"DD_STORE_FAILED_EVENTS":          {value: "true", err: "DD_STORE_FAILED_EVENTS: there is no bucket to keep in what cannot be delivered: name one in SLUICE_PARK_BUCKET"},
		"DD_SQS_QUEUE_URL":                {value: "https://sqs.eu-west-1.amazonaws.com/123456789012/q", warn: "DD_SQS_QUEUE_URL" + ignored},
		"DD_ADDITIONAL_TARGET_LAMBDAS":    {value: "arn:aws:lambda:eu-west-1:123456789012:function:f", err: "DD_ADDITIONAL_TARGET_LAMBDAS: Sluice invokes no other functions: give those functions triggers of their own"},
		"DD_STEP_FUNCTIONS_TRACE_ENABLED": {value: "true", warn: "DD_STEP_FUNCTIONS_TRACE_ENABLED" + ignored},
		"DD_USE_VPC":                      {value: "true", warn: "DD_USE_VPC" + ignored},
		"DD_LOG_LEVEL":                    {value: "WARN", warn: "DD_LOG_LEVEL" + ignored},
		"DD_ENHANCED_METRICS":             {value: "true", warn: "DD_ENHANCED_METRICS" + ignored},
		"DD_TRACE_ENABLED":                {value: "true", warn: "DD_TRACE_ENABLED" + ignored},
	} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{name: tc.value}
			isKey := strings.Contains(name, "API_KEY")
			if !isKey {
				env["SLUICE_API_KEY"] = "ssm:/key"
			}
			c, err := load(t, env)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			assertValid(t, c)
			if tc.warn == "" {
				assert.Empty(t, c.Warnings)
			} else {
				require.Len(t, c.Warnings, 1)
				assert.True(t, strings.HasPrefix(c.Warnings[0], tc.warn), c.Warnings[0])
			}
			if tc.got == nil {
				return
			}
			assert.Equal(t, tc.want, tc.got(c))
			if !isKey && tc.warn == "" {
				without := maps.Clone(env)
				delete(without, name)
				c, err = load(t, without)
				require.NoError(t, err)
				assert.NotEqual(t, tc.want, tc.got(c), "the variable makes the difference")
			}
		})
	}
}

// What the Forwarder's bucket was for, another setting may do; and nobody is told twice that a document cannot be read.
func TestStoreFailedEvents(t *testing.T) {
	const variable, problem = "DD_STORE_FAILED_EVENTS=true", "DD_STORE_FAILED_EVENTS: there is no bucket"
	for name, tc := range map[string]struct {
		env  []string
		want string
	}{
		"not asked for":                  {[]string{"DD_STORE_FAILED_EVENTS=False"}, ""},
		"a park bucket":                  {[]string{variable, "SLUICE_PARK_BUCKET=example-parked"}, ""},
		"a park bucket, in the document": {[]string{variable, "SLUICE_CONFIG=park_bucket: example-parked"}, ""},
		"the Forwarder's bucket":         {[]string{variable, "DD_S3_BUCKET_NAME=example-forwarder"}, problem},
		"a document without":             {[]string{variable, "SLUICE_CONFIG=redact_ip: true"}, problem},
		"a document that is broken":      {[]string{variable, "SLUICE_CONFIG=[" + canary}, "SLUICE_CONFIG"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, with(tc.env...))
			if tc.want == "" {
				require.NoError(t, err)
				assert.Empty(t, c.Warnings)
				return
			}
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "\n", "one problem")
		})
	}
}

func resources(c *Config) any { return c.ResourceTags }
