package config

import (
	"fmt"
	"regexp"
	"strings"
)

// Bucket is a bucket whose objects may be read.
type Bucket struct {
	Name  string // a whole name, or the start of names followed by *
	Owner string // account that owns it; empty for the function's own
}

// Multiline says which lines of an S3 object are one record.
type Multiline struct {
	// Start is a regular expression for the first line of a record, matched at the line's beginning. Empty: every line is
	// a record.
	Start string
	// MaxLines and MaxBytes bound a record. What is longer is cut into several.
	MaxLines, MaxBytes int
}

// Route says what holds for some objects in place of what holds for all.
type Route struct {
	Bucket, Key string // patterns in which * stands for any text; empty for all
	Multiline   Multiline
}

const (
	wantBuckets = "bucket names, each name or name=account, where the name may end in * and the account is its owner's: a " +
		"list, or separated by commas"
	wantPattern = "a pattern of at most 1024 bytes, in which * stands for any text"
	wantStart   = "a regular expression that package regexp of Go takes (no look-around, no back-references)"

	maxPatternBytes = 1024 // a key has no more; Amazon S3 user guide, "Naming Amazon S3 objects"
	maxRoutes       = 1000

	presetMultilineLines = "500"
	presetMultilineBytes = "256KiB"
)

// objectSettings returns the settings of what is read from S3.
func objectSettings() []setting[Config] {
	multiline := func(c *Config) *Multiline { return &c.Multiline }
	return append([]setting[Config]{{
		key: "buckets", variables: variables("SLUICE_BUCKETS"), otherwise: "every bucket that the role may read",
		kind: bucketList(),
		meaning: "The buckets whose objects are read. A notification about another one is dropped and counted, without a " +
			"request. The owner is the function's own account unless it stands behind the name; S3 is asked to make sure of it.",
	}, {
		key: "max_object_bytes", variables: variables("SLUICE_MAX_OBJECT_BYTES"), preset: "16GiB", unit: "bytes",
		kind: size("1MiB", "1024GiB", func(c *Config) *int64 { return &c.MaxObjectBytes }),
		meaning: "The most that one S3 object may hold after decompression. Of a larger one, the lines up to there are sent " +
			"and the rest is parked.",
	}, {
		key: "follow_manifests", variables: variables("SLUICE_FOLLOW_MANIFESTS"), preset: "false",
		kind: toggle(func(c *Config) *bool { return &c.FollowManifests }),
		meaning: "Reads the objects that a Redshift manifest of Firehose lists, in the bucket of the manifest or in one of " +
			"`buckets`. For buckets whose data objects are not announced themselves: else their lines are sent twice.",
	}}, append(multilineSettings(multiline, true), setting[Config]{
		key: "routes", otherwise: "none",
		kind: kind[Config]{"a list of mappings with bucket, key, multiline_start, multiline_max_lines and multiline_max_bytes", routes},
		meaning: "What holds for some objects instead: the first route counts whose `bucket` and `key` match, patterns in " +
			"which `*` stands for any text. A route without `multiline_start` reads line by line.",
	})...)
}

// multilineSettings returns the three settings of a Multiline. Those of the top have variables.
func multilineSettings[T any](at func(*T) *Multiline, top bool) []setting[T] {
	list := []setting[T]{{
		key: "multiline_start", otherwise: "every line is a record",
		kind: words(wantStart, func(t *T) *string { return &at(t).Start }, parseStart),
		meaning: "A regular expression for the first line of a record, matched at the line's beginning: the lines up to the " +
			"next such line belong to it. Where no line matches, every line is a record. Lines of S3 objects only.",
	}, {
		key: "multiline_max_lines", preset: presetMultilineLines, unit: "lines",
		kind:    number(2, 100_000, func(t *T) *int { return &at(t).MaxLines }),
		meaning: "The most lines that are joined; a longer record is cut into several, which are marked.",
	}, {
		key: "multiline_max_bytes", preset: presetMultilineBytes, unit: "bytes",
		kind:    size("1kB", "1MiB", func(t *T) *int { return &at(t).MaxBytes }),
		meaning: "The same in bytes.",
	}}
	if top {
		list[0].variables = variables("SLUICE_MULTILINE_START", "DD_MULTILINE_LOG_REGEX_PATTERN")
		list[1].variables = variables("SLUICE_MULTILINE_MAX_LINES")
		list[2].variables = variables("SLUICE_MULTILINE_MAX_BYTES")
	}
	return list
}

// routeSettings returns the settings of a route.
func routeSettings() []setting[Route] {
	pattern := func(at func(*Route) *string) kind[Route] {
		return words(wantPattern, at, func(text string) (string, bool) { return text, len(text) <= maxPatternBytes })
	}
	return append([]setting[Route]{
		{key: "bucket", kind: pattern(func(r *Route) *string { return &r.Bucket })},
		{key: "key", kind: pattern(func(r *Route) *string { return &r.Key })},
	}, multilineSettings(func(r *Route) *Multiline { return &r.Multiline }, false)...)
}

// routes reads a list of routes.
func routes(c *Config, f field) {
	if f.shape() != aList {
		f.wantInstead(f.shape(), "a list of routes")
		return
	}
	items := f.items()
	if len(items) > maxRoutes {
		f.fail(fmt.Sprintf("has %d routes: want at most %d", len(items), maxRoutes))
		return
	}
	c.Routes = nil
	for _, item := range items {
		if item.shape() != aMapping {
			item.wantInstead(item.shape(), "a mapping with bucket or key")
			continue
		}
		c.Routes = append(c.Routes, readRoute(item))
	}
}

func readRoute(f field) Route {
	var r Route
	settings := routeSettings()
	var known []string
	for _, s := range settings {
		known = append(known, s.key)
		if s.preset != "" {
			s.kind.read(&r, variableField("default of "+s.key, s.preset, f.to))
		}
	}
next:
	for _, member := range f.members() {
		for _, s := range settings {
			if s.key == member.name {
				s.kind.read(&r, member)
				continue next
			}
		}
		member.fail(unknown(member.name, known))
	}
	return r
}

// bucketList reads "a,b=123456789012,c-*" or a list of such texts.
func bucketList() kind[Config] {
	return kind[Config]{wantBuckets, func(c *Config, f field) {
		c.Buckets = nil
		eachText(f, wantBuckets, func(item field, text string) {
			bucket, ok := parseBucket(text)
			if !ok {
				item.want(wantBuckets)
				return
			}
			c.Buckets = append(c.Buckets, bucket)
		})
	}}
}

// parseBucket reads name or name=account.
func parseBucket(text string) (Bucket, bool) {
	name, owner, owned := strings.Cut(text, "=")
	b := Bucket{Name: strings.TrimSpace(name), Owner: strings.TrimSpace(owner)}
	whole := strings.TrimSuffix(b.Name, "*")
	wild := len(whole) < len(b.Name)
	named := isBucketName(whole) || wild && (whole == "" || isBucketName(whole+"xx"))
	return b, named && (!owned || isAccount(b.Owner))
}

// isBucketName knows the names that S3 gives today, and those of us-east-1 of old, which may be longer and have capitals.
func isBucketName(name string) bool {
	const most = 255
	return len(name) >= 3 && len(name) <= most && strings.Trim(name, nameCharacters+".") == ""
}

func isAccount(text string) bool { return len(text) == 12 && strings.Trim(text, "0123456789") == "" }

// parseStart accepts what can be compiled.
func parseStart(text string) (string, bool) {
	_, err := regexp.Compile(text)
	return text, err == nil && text != "" && len(text) <= maxPatternBytes
}
