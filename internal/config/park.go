package config

import (
	"net/url"
	"strings"
)

const (
	wantKMSKey = "the id or the ARN of a KMS key, or of an alias of one"
	wantQueue  = "the URL of a standard SQS queue, such as https://sqs.eu-west-1.amazonaws.com/123456789012/sluice; " +
		"http:// on this machine alone"

	maxKMSKeyBytes = 2048 // AWS KMS API reference, KeyId

	maxQueueNameBytes = 80 // Amazon SQS developer guide, "Amazon SQS standard queue quotas"

	presetMaxReceives = "5" // delivery contract 2.1
)

// parkSettings returns the settings of what cannot be delivered or read.
func parkSettings() []setting[Config] {
	return []setting[Config]{{
		key: "park_bucket", variables: variables("SLUICE_PARK_BUCKET"), otherwise: "none: it goes back to AWS",
		kind: words("a bucket name, or name=account where another account owns it",
			func(c *Config) *Bucket { return &c.ParkBucket }, parseWholeBucket),
		meaning: "Where everything is kept that could not be delivered or read, so that all else is sent once and the event " +
			"is done with. `functions/replay` sends what a destination did not take when it is due. The owner is the function's " +
			"own account unless it stands behind the name; S3 is asked to make sure of it.",
	}, {
		key: "park_prefix", variables: variables("SLUICE_PARK_PREFIX"), preset: "sluice",
		kind: word("1 to 200 of a-z, A-Z, 0-9, -, _, . and /, not at the ends",
			func(c *Config) *string { return &c.ParkPrefix }, isKeyPrefix),
		meaning: "What the keys in the park bucket start with; the same for all functions that `functions/replay` is for. " +
			"Objects below it are never read as logs.",
	}, {
		key: "park_kms_key", variables: variables("SLUICE_PARK_KMS_KEY"), otherwise: "as the bucket encrypts",
		kind:    word(wantKMSKey, func(c *Config) *string { return &c.ParkKMSKey }, isKMSKey),
		meaning: "The KMS key that parked objects are encrypted with.",
	}, {
		key: "dead_raw", variables: variables("SLUICE_DEAD_RAW"), preset: "true",
		kind: toggle(func(c *Config) *bool { return &c.DeadRaw }),
		meaning: "Keeps input that cannot be read below `dead-raw/` in the park bucket. It is kept as it came, before any " +
			"redaction. Off: it goes back to AWS, as without a park bucket.",
	}, {
		key: "continue_queue", variables: variables("SLUICE_CONTINUE_QUEUE"), otherwise: "none: the rest is parked",
		kind: word(wantQueue, func(c *Config) *string { return &c.ContinueQueue }, isQueueURL),
		meaning: "The SQS queue that `functions/s3` sends the rest of an object to which it has no time for: usually the one " +
			"that it is invoked by.",
	}, {
		key: "max_receives", variables: variables("SLUICE_MAX_RECEIVES"), preset: presetMaxReceives, unit: "receives",
		kind: number(2, 1000, func(c *Config) *int { return &c.MaxReceives }),
		meaning: "`maxReceiveCount` of the queue that invokes `functions/s3`: on the last but one receive, what still cannot be " +
			"delivered or read is parked, and not left to the dead-letter queue.",
	}}
}

func parseWholeBucket(text string) (Bucket, bool) {
	b, ok := parseBucket(text)
	return b, ok && !strings.HasSuffix(b.Name, "*")
}

func isKeyPrefix(text string) bool {
	return isName(text) && strings.Trim(text, nameCharacters+"./") == "" && strings.Trim(text, "/") == text
}

// isKMSKey knows the shapes that S3 takes, and not which keys there are.
func isKMSKey(text string) bool {
	if text == "" || len(text) > maxKMSKeyBytes || strings.Trim(text, nameCharacters+"/:") != "" {
		return false
	}
	if !strings.Contains(text, ":") {
		return true
	}
	parts := strings.Split(text, ":") // arn:partition:kms:region:account:key/id
	return len(parts) == 6 && parts[0] == "arn" && parts[2] == "kms" && isAccount(parts[4]) && strings.Contains(parts[5], "/")
}

// isQueueURL knows https://host/account/name, whatever the host is: an endpoint of a region, of a VPC, or a proxy. A FIFO
// queue has a dot in its name.
func isQueueURL(text string) bool {
	form := urlForm{allowed: wantQueue, forbidden: "?#%"}
	u, problem := parseURL(text, form)
	if problem != "" || u.insecure() {
		return false
	}
	parsed, err := url.Parse(text)
	if err != nil {
		return false
	}
	account, name, _ := strings.Cut(strings.TrimPrefix(parsed.Path, "/"), "/")
	return isAccount(account) && name != "" && len(name) <= maxQueueNameBytes && strings.Trim(name, nameCharacters) == ""
}
