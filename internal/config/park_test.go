package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParkDefaults(t *testing.T) {
	c, err := load(t, with())
	require.NoError(t, err)
	assert.Zero(t, c.ParkBucket)
	assert.Equal(t, "sluice", c.ParkPrefix)
	assert.Empty(t, c.ParkKMSKey)
	assert.True(t, c.DeadRaw)
	assert.Empty(t, c.ContinueQueue)
	assert.Equal(t, 5, c.MaxReceives)
}

func TestParkSettings(t *testing.T) {
	const account = "123456789012"
	for name, tc := range map[string]struct {
		env string
		got func(*Config) any
		bad bool
	}{
		"key by its id":             {env: "SLUICE_PARK_KMS_KEY=1234abcd-12ab-34cd-56ef-1234567890ab", got: parkKey},
		"key of many regions":       {env: "SLUICE_PARK_KMS_KEY=mrk-1234abcd12ab34cd56ef1234567890ab", got: parkKey},
		"key by an alias":           {env: "SLUICE_PARK_KMS_KEY=alias/aws/s3", got: parkKey},
		"key by its ARN":            {env: "SLUICE_PARK_KMS_KEY=arn:aws-cn:kms:cn-north-1:" + account + ":key/1234abcd", got: parkKey},
		"key by an alias' ARN":      {env: "SLUICE_PARK_KMS_KEY=arn:aws:kms:eu-west-1:" + account + ":alias/logs", got: parkKey},
		"ARN of something else":     {env: "SLUICE_PARK_KMS_KEY=arn:aws:s3:::logs", bad: true},
		"ARN without a key":         {env: "SLUICE_PARK_KMS_KEY=arn:aws:kms:eu-west-1:" + account + ":logs", bad: true},
		"ARN without an account":    {env: "SLUICE_PARK_KMS_KEY=arn:aws:kms:eu-west-1::key/1234abcd", bad: true},
		"key with a line break":     {env: "SLUICE_PARK_KMS_KEY=1234\nabcd", bad: true},
		"key that has no end":       {env: "SLUICE_PARK_KMS_KEY=" + strings.Repeat("a", 2049), bad: true},
		"raw input is not kept":     {env: "SLUICE_DEAD_RAW=False", got: func(c *Config) any { return map[bool]string{false: "False"}[c.DeadRaw] }},
		"queue":                     {env: "SLUICE_CONTINUE_QUEUE=https://sqs.eu-west-1.amazonaws.com/" + account + "/Log_s-1", got: queue},
		"queue of China":            {env: "SLUICE_CONTINUE_QUEUE=https://sqs.cn-north-1.amazonaws.com.cn/" + account + "/q", got: queue},
		"queue behind an endpoint":  {env: "SLUICE_CONTINUE_QUEUE=https://vpce-0-1.sqs.eu-west-1.vpce.amazonaws.com/" + account + "/q", got: queue},
		"queue on this machine":     {env: "SLUICE_CONTINUE_QUEUE=http://127.0.0.1:9324/" + account + "/q", got: queue},
		"queue in the clear":        {env: "SLUICE_CONTINUE_QUEUE=http://sqs.eu-west-1.amazonaws.com/" + account + "/q", bad: true},
		"ARN of a queue":            {env: "SLUICE_CONTINUE_QUEUE=arn:aws:sqs:eu-west-1:" + account + ":q", bad: true},
		"queue without an account":  {env: "SLUICE_CONTINUE_QUEUE=https://sqs.eu-west-1.amazonaws.com/q", bad: true},
		"queue with another path":   {env: "SLUICE_CONTINUE_QUEUE=https://sqs.eu-west-1.amazonaws.com/" + account + "/q/", bad: true},
		"queue that is ordered":     {env: "SLUICE_CONTINUE_QUEUE=https://sqs.eu-west-1.amazonaws.com/" + account + "/q.fifo", bad: true},
		"queue with a long name":    {env: "SLUICE_CONTINUE_QUEUE=https://sqs.eu-west-1.amazonaws.com/" + account + "/" + strings.Repeat("q", 81), bad: true},
		"queue with a query":        {env: "SLUICE_CONTINUE_QUEUE=https://sqs.eu-west-1.amazonaws.com/" + account + "/q?a=b", bad: true},
		"queue with an empty query": {env: "SLUICE_CONTINUE_QUEUE=https://sqs.eu-west-1.amazonaws.com/" + account + "/q?", bad: true},
		"queue with an escape":      {env: "SLUICE_CONTINUE_QUEUE=https://sqs.eu-west-1.amazonaws.com/" + account + "/%71", bad: true},
		"queue with a password":     {env: "SLUICE_CONTINUE_QUEUE=https://u:" + canary + "@sqs.eu-west-1.amazonaws.com/" + account + "/q", bad: true},
		"fewest receives":           {env: "SLUICE_MAX_RECEIVES=2", got: receives},
		"most receives":             {env: "SLUICE_MAX_RECEIVES=1000", got: receives},
		"one receive":               {env: "SLUICE_MAX_RECEIVES=1", bad: true},
		"too many receives":         {env: "SLUICE_MAX_RECEIVES=1001", bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, with(tc.env))
			variable, value, _ := strings.Cut(tc.env, "=")
			if tc.bad {
				require.ErrorContains(t, err, variable+": ")
				require.ErrorContains(t, err, "want ")
				return
			}
			require.NoError(t, err)
			assertValid(t, c)
			assert.Equal(t, value, tc.got(c))
		})
	}
}

func parkKey(c *Config) any { return c.ParkKMSKey }

func queue(c *Config) any { return c.ContinueQueue }

func receives(c *Config) any { return map[int]string{2: "2", 1000: "1000"}[c.MaxReceives] }

// The transformation needs destinations only when it delivers to them.
func TestLoadTransform(t *testing.T) {
	const document = "SLUICE_CONFIG=destinations: [{id: a, type: http, url: 'https://a.example.com'}]"
	for name, tc := range map[string]struct {
		env  []string
		want []string
		err  string
	}{
		"without":                  {},
		"without, what is there":   {env: []string{"SLUICE_API_KEY=x", document}},
		"tee":                      {env: []string{"SLUICE_FIREHOSE_TEE=true", "SLUICE_API_KEY=ssm:/key"}, want: []string{"datadog"}},
		"tee by the document":      {env: []string{document + "\nfirehose_tee: true"}, want: []string{"a"}},
		"a variable switches it":   {env: []string{document + "\nfirehose_tee: true", "SLUICE_FIREHOSE_TEE=false"}},
		"tee without a key":        {env: []string{"SLUICE_FIREHOSE_TEE=true"}, err: "SLUICE_API_KEY: is missing"},
		"tee, document unreadable": {env: []string{"SLUICE_FIREHOSE_TEE=true", "SLUICE_CONFIG=ssm:/missing"}, err: "no such document"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := LoadTransform(t.Context(), Environ(tc.env), stub{})
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			var ids []string
			for _, d := range c.Destinations {
				ids = append(ids, d.ID)
			}
			assert.Equal(t, tc.want, ids)
			assert.Equal(t, tc.want != nil, c.Firehose.Tee)
		})
	}
}
