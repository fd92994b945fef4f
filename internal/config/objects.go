package config

import (
	"strings"

	"sluice/internal/re2"
)

// Bucket is a bucket whose objects may be read.
type Bucket struct {
	Name  string // a whole name, or the start of names followed by *
	Owner string // account that owns it; empty for the function's own
}

// Multiline says which lines are one record: lines of an S3 object, events of a log stream in one payload of CloudWatch
// Logs, or lines within one record of a stream.
type Multiline struct {
	// Start is a regular expression for the first line of a record, matched at the line's beginning. Empty: every line is
	// a record.
	Start string
	// MaxLines and MaxBytes bound a record. What is longer is cut into several.
	MaxLines, MaxBytes int
}

const (
	wantBuckets = "bucket names, each name or name=account, where the name may end in * and the account is its owner's: a " +
		"list, or separated by commas"
	wantStart = "a regular expression of RE2 of at most 1024 bytes (no look-around, no back-references)"

	presetMultilineLines = "500"
	presetMultilineBytes = "256KiB"
)

// objectSettings returns the settings of what is read from S3.
func objectSettings() []setting[Config] {
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
	}}, append(multilineSettings(func(c *Config) *Multiline { return &c.Multiline }, true), setting[Config]{
		key: "multiline_events", variables: variables("SLUICE_MULTILINE_EVENTS"), preset: "false",
		kind: toggle(func(c *Config) *bool { return &c.MultilineEvents }),
		meaning: "Whether the multiline settings at the top hold for events of CloudWatch Logs and for lines of streams too, and " +
			"not for S3 objects alone, as the Datadog Forwarder has it. Those of a route hold for all logs of the route.",
	})...)
}

// multilineSettings returns the three settings of a Multiline. Those of the top have variables.
func multilineSettings[T any](at func(*T) *Multiline, top bool) []setting[T] {
	list := []setting[T]{{
		key: "multiline_start", otherwise: "every line is a record",
		kind: startLine(func(t *T) *string { return &at(t).Start }),
		meaning: "A regular expression for the first line of a record, matched at the line's beginning: the lines up to the " +
			"next such line belong to it. Where no line matches, every line is a record. A line is one of an S3 object, an event of " +
			"a log stream in one payload of CloudWatch Logs, or a line within one record of a stream; nothing is joined beyond those.",
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

// startLine reads the regular expression for the first line of a record. It is not shown.
func startLine[T any](at func(*T) *string) kind[T] {
	return kind[T]{wantStart, func(t *T, f field) {
		text, ok := f.text(wantStart)
		if !ok {
			return
		}
		text = strings.TrimSpace(text)
		if problem := startProblem(text); problem != "" {
			f.fail(problem)
			return
		}
		*at(t) = text
	}}
}

// startProblem says what keeps a text from being compiled, alone and as package lines does, in a group; "" if nothing does.
func startProblem(text string) string {
	if text == "" || len(text) > maxPatternBytes {
		return "want " + wantStart
	}
	if problem := re2.Problem(text); problem != "" {
		return problem
	}
	if re2.Problem("^(?:"+text+")") != "" {
		return `has a \Q that is not closed: close it with \E`
	}
	return ""
}
