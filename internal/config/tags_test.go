package config

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTagRules(t *testing.T) {
	for name, tc := range map[string]struct {
		rules string
		want  TagRules
		err   string
	}{
		"nothing":              {rules: "{}"},
		"rename":               {rules: "{rename: {Env: env, a b: ' c '}}", want: TagRules{Rename: map[string]string{"Env": "env", "a b": "c"}}},
		"allow":                {rules: "{allow: [env, 'team_*', env]}", want: TagRules{Allow: []string{"env", "team_*"}}},
		"deny":                 {rules: "{deny: 'aws*, secret'}", want: TagRules{Deny: []string{"aws*", "secret"}}},
		"most":                 {rules: "{max: 1000}", want: TagRules{Max: 1000}},
		"too many":             {rules: "{max: 1001}", err: `tag_rules.max (line 1): "1001": want a number from 1 to 1000`},
		"none":                 {rules: "{max: 0}", err: "tag_rules.max (line 1): "},
		"no mapping":           {rules: "[env]", err: "tag_rules (line 1): a list: want a mapping with rename, allow, deny and max"},
		"unknown":              {rules: "{dény: a, allowed: b}", err: "tag_rules.allowed (line 1): this name is unknown; did you mean allow?"},
		"tag in place of key":  {rules: "{allow: ['env:prod']}", err: `tag_rules.allow[0] (line 1): "env:prod": want keys of tags`},
		"empty key":            {rules: "{deny: 'a,,b'}", err: `tag_rules.deny (line 1): "": want keys of tags`},
		"renames as a list":    {rules: "{rename: [a, b]}", err: `tag_rules.rename (line 1): a list: want a mapping of "name: value"`},
		"renamed pattern":      {rules: "{rename: {'a*': b}}", err: "tag_rules.rename.(?) (line 1): want a key of a tag"},
		"renamed to a pattern": {rules: "{rename: {a: 'b*'}}", err: `tag_rules.rename.a (line 1): "b*": want a key of a tag`},
		"renamed to nothing":   {rules: "{rename: {a: ''}}", err: `tag_rules.rename.a (line 1): "": want a key of a tag`},
		"renamed to a list":    {rules: "{rename: {a: [b]}}", err: "tag_rules.rename.a (line 1): a list: want a key of a tag"},
		"long list":            {rules: "{allow: '" + list(1001) + "'}", err: "tag_rules.allow (line 1): has too many keys: want at most 1000"},
		"long mapping":         {rules: "{rename: {" + strings.ReplaceAll(list(1001), ",", ": a, ") + ": a}}", err: "tag_rules.rename (line 1): has 1001 keys: want at most 1000"},
		"several are wrong":    {rules: "{max: -1, allow: [':']}", err: "tag_rules.max (line 1): \"-1\": want a number from 1 to 1000\ntag_rules.allow[0] (line 1): "},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, with("SLUICE_CONFIG=tag_rules: "+tc.rules))
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			assertValid(t, c)
			assert.Equal(t, tc.want, c.TagRules)
		})
	}
}

// list is n different keys.
func list(n int) string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("k%d", i)
	}
	return strings.Join(keys, ",")
}

func TestResourceTags(t *testing.T) {
	const preset = 300 * time.Second
	for name, tc := range map[string]struct {
		env  []string
		want ResourceTags
		err  string
	}{
		"nothing":                    {want: ResourceTags{TTL: preset}},
		"functions":                  {env: []string{"SLUICE_FETCH_LAMBDA_TAGS=true"}, want: ResourceTags{Lambda: true, TTL: preset}},
		"log groups":                 {env: []string{"SLUICE_FETCH_LOG_GROUP_TAGS=true"}, want: ResourceTags{LogGroup: true, TTL: preset}},
		"buckets":                    {env: []string{"SLUICE_FETCH_S3_TAGS=true"}, want: ResourceTags{S3: true, TTL: preset}},
		"state machines":             {env: []string{"SLUICE_FETCH_STEP_FUNCTIONS_TAGS=true"}, want: ResourceTags{StepFunctions: true, TTL: preset}},
		"ours, switched off":         {env: []string{"SLUICE_FETCH_S3_TAGS=false", "DD_FETCH_S3_TAGS=true"}, want: ResourceTags{TTL: preset}},
		"the document, switched off": {env: []string{"SLUICE_CONFIG=fetch_lambda_tags: true", "DD_FETCH_LAMBDA_TAGS=False"}, want: ResourceTags{TTL: preset}},
		"time with a unit":           {env: []string{"SLUICE_TAGS_TTL=1h30m"}, want: ResourceTags{TTL: 90 * time.Minute}},
		"time in seconds":            {env: []string{"SLUICE_TAGS_TTL= 10 "}, want: ResourceTags{TTL: 10 * time.Second}},
		"longest time":               {env: []string{"DD_TAGS_CACHE_TTL_SECONDS=86400"}, want: ResourceTags{TTL: 24 * time.Hour}},
		"our time wins":              {env: []string{"SLUICE_TAGS_TTL=1m", "DD_TAGS_CACHE_TTL_SECONDS=600"}, want: ResourceTags{TTL: time.Minute}},
		"number in the document":     {env: []string{"SLUICE_CONFIG=tags_ttl: 60"}, want: ResourceTags{TTL: time.Minute}},
		"time too short":             {env: []string{"DD_TAGS_CACHE_TTL_SECONDS=9"}, err: `DD_TAGS_CACHE_TTL_SECONDS: "9": want a time such as 90s or 5m, or a number of seconds, from 10s to 24h`},
		"time too long":              {env: []string{"SLUICE_TAGS_TTL=24h1s"}, err: "SLUICE_TAGS_TTL: "},
		"time that overflows":        {env: []string{"DD_TAGS_CACHE_TTL_SECONDS=9223372036854775807"}, err: "DD_TAGS_CACHE_TTL_SECONDS: "},
		"time that is none":          {env: []string{"SLUICE_TAGS_TTL=soon"}, err: "SLUICE_TAGS_TTL: "},
		"switch that is none":        {env: []string{"DD_FETCH_LOG_GROUP_TAGS=1"}, err: `DD_FETCH_LOG_GROUP_TAGS: "1": want true or false`},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, with(tc.env...))
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				assert.NotContains(t, err.Error(), "\n", "one problem")
				return
			}
			require.NoError(t, err)
			assertValid(t, c)
			assert.Equal(t, tc.want, c.ResourceTags)
			want := tc.want
			want.TTL = 0
			assert.Equal(t, want != ResourceTags{}, c.NeedsResources())
			assert.Empty(t, c.Warnings)
		})
	}
}
