package config

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// TagRules say which tags a record may have. The zero value keeps all. Setting: tag_rules.
type TagRules struct {
	Rename      map[string]string // rename: keys, by the key they had
	Allow, Deny []string          // allow, deny: keys, in which * stands for any text
	Max         int               // max: tags of a record; 0 for any number
}

// ResourceTags say whose tags in AWS are put on records, and for how long they are known.
type ResourceTags struct {
	// Lambda, LogGroup, S3 and StepFunctions: tags of the function, log group, bucket or state machine that a record is of.
	// Default false. Setting: fetch_lambda_tags, fetch_log_group_tags, fetch_s3_tags, fetch_step_functions_tags;
	// SLUICE_FETCH_LAMBDA_TAGS, SLUICE_FETCH_LOG_GROUP_TAGS, SLUICE_FETCH_S3_TAGS, SLUICE_FETCH_STEP_FUNCTIONS_TAGS; Datadog:
	// DD_FETCH_LAMBDA_TAGS, DD_FETCH_LOG_GROUP_TAGS, DD_FETCH_S3_TAGS, DD_FETCH_STEP_FUNCTIONS_TAGS.
	Lambda, LogGroup, S3, StepFunctions bool

	// TTL is how long an answer holds, 10 s to 24 h. Default 300 s. Setting: tags_ttl, SLUICE_TAGS_TTL; Datadog:
	// DD_TAGS_CACHE_TTL_SECONDS, a number of seconds.
	TTL time.Duration
}

const (
	wantTagKey     = "a key of a tag: 1 to 200 bytes without commas, colons and control characters, and whole, without *"
	wantTagKeys    = "keys of tags, in which * stands for any text: a list, or separated by commas"
	wantTagRenames = "a mapping of keys of tags to other keys"

	maxTagKeys = 1000 // of a list: each is compared with every tag of an origin

	minTagsTTL, maxTagsTTL = 10 * time.Second, 24 * time.Hour
)

// NeedsResources reports whether tags are looked up in AWS.
func (c *Config) NeedsResources() bool {
	r := c.ResourceTags
	return r.Lambda || r.LogGroup || r.S3 || r.StepFunctions
}

// tagSettings returns the settings of which tags records have.
func tagSettings() []setting[Config] {
	fetch := func(key, of, ours, theirs string, at func(*ResourceTags) *bool) setting[Config] {
		return setting[Config]{
			key: key, variables: variables(ours, theirs), preset: "false",
			kind: toggle(func(c *Config) *bool { return at(&c.ResourceTags) }),
			meaning: "Puts the tags in AWS of the " + of + " that a record is of on it. They are looked up beside the delivery, which " +
				"never waits for more than half a second, once in the life of a process.",
		}
	}
	return []setting[Config]{
		{
			key: "tag_rules", otherwise: "all tags, as they are",
			kind:    kind[Config]{"a mapping, see Tag rules", func(c *Config, f field) { c.TagRules = readTagRules(f) }},
			meaning: "Which tags a record may have.",
		},
		fetch("fetch_lambda_tags", "function", "SLUICE_FETCH_LAMBDA_TAGS", "DD_FETCH_LAMBDA_TAGS",
			func(r *ResourceTags) *bool { return &r.Lambda }),
		fetch("fetch_log_group_tags", "log group", "SLUICE_FETCH_LOG_GROUP_TAGS", "DD_FETCH_LOG_GROUP_TAGS",
			func(r *ResourceTags) *bool { return &r.LogGroup }),
		fetch("fetch_s3_tags", "bucket", "SLUICE_FETCH_S3_TAGS", "DD_FETCH_S3_TAGS",
			func(r *ResourceTags) *bool { return &r.S3 }),
		fetch("fetch_step_functions_tags", "state machine", "SLUICE_FETCH_STEP_FUNCTIONS_TAGS", "DD_FETCH_STEP_FUNCTIONS_TAGS",
			func(r *ResourceTags) *bool { return &r.StepFunctions }),
		{
			key: "tags_ttl", variables: variables("SLUICE_TAGS_TTL", "DD_TAGS_CACHE_TTL_SECONDS"), preset: "300s", unit: "seconds",
			kind:    seconds(minTagsTTL, maxTagsTTL, func(c *Config) *time.Duration { return &c.ResourceTags.TTL }),
			meaning: "How long tags that were looked up hold, and up to 100 s on top, so that not all are looked up at once.",
		},
	}
}

// seconds reads a time, in seconds where it has no unit.
func seconds[T any](low, high time.Duration, at func(*T) *time.Duration) kind[T] {
	const allowed = "a time such as 90s or 5m, or a number of seconds, from 10s to 24h"
	return words(allowed, at, func(text string) (time.Duration, bool) {
		if _, err := strconv.Atoi(text); err == nil {
			text += "s"
		}
		d, err := time.ParseDuration(text)
		return d, err == nil && d >= low && d <= high
	})
}

// tagRuleSettings returns the settings of tag_rules, in the order in which they are applied.
func tagRuleSettings() []setting[TagRules] {
	return []setting[TagRules]{{
		key: "rename", kind: kind[TagRules]{wantTagRenames, readRenames}, otherwise: "none",
		meaning: "Gives tags another key. A tag that is called `service` then names the service of its records, and one that was " +
			"called so does not any more.",
	}, {
		key: "allow", kind: tagKeys(func(r *TagRules) *[]string { return &r.Allow }), otherwise: "all",
		meaning: "Only tags with one of these keys are kept.",
	}, {
		key: "deny", kind: tagKeys(func(r *TagRules) *[]string { return &r.Deny }), otherwise: "none",
		meaning: "Tags with one of these keys are left out.",
	}, {
		key: "max", kind: number(1, 1000, func(r *TagRules) *int { return &r.Max }), otherwise: "any number", unit: "tags",
		meaning: "The most tags a record may have; the last ones are left out.",
	}}
}

func readTagRules(f field) (r TagRules) {
	if f.shape() != aMapping {
		f.wantInstead(f.shape(), "a mapping with rename, allow, deny and max")
		return r
	}
	fill(&r, tagRuleSettings(), f)
	return r
}

// readRenames reads a mapping of keys to keys.
func readRenames(r *TagRules, f field) {
	members := f.members()
	if len(members) > maxTagKeys {
		f.failTooMany(len(members), "keys", maxTagKeys)
		return
	}
	r.Rename = nil
	for _, member := range members {
		key, ok := member.text(wantTagKey)
		key = strings.TrimSpace(key)
		switch {
		case !ok:
		case !isWholeKey(member.name):
			member.fail("want " + wantTagKey)
		case !isWholeKey(key):
			member.wantInstead(quote(key), wantTagKey)
		default:
			if r.Rename == nil {
				r.Rename = map[string]string{}
			}
			r.Rename[member.name] = key
		}
	}
}

// tagKeys reads "env,team_*" or a list of such texts.
func tagKeys(at func(*TagRules) *[]string) kind[TagRules] {
	return kind[TagRules]{wantTagKeys, func(r *TagRules, f field) {
		var keys []string
		eachText(f, wantTagKeys, func(item field, key string) {
			switch {
			case len(keys) >= maxTagKeys:
				f.fail("has too many keys: want at most " + strconv.Itoa(maxTagKeys))
			case !isTagKey(key):
				item.wantInstead(quote(key), wantTagKeys)
			case !slices.Contains(keys, key):
				keys = append(keys, key)
			}
		})
		*at(r) = keys
	}}
}

func isWholeKey(text string) bool { return isTagKey(text) && !strings.Contains(text, "*") }

func isTagKey(text string) bool { return isName(text) && !strings.ContainsAny(text, ",:") }
