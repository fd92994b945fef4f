package event

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

const (
	maxKeyBytes = 1024 // S3 user guide, "Naming Amazon S3 objects": UTF-8, at most 1,024 bytes

	// S3 user guide, "General purpose bucket naming rules": 3 to 63 characters, lower case. Buckets of us-east-1 older than
	// March 2018 have up to 255, with upper case and underscores.
	minBucketBytes = 3
	maxBucketBytes = 255
)

// decodeKey resolves the form encoding that S3 gives the keys of native notifications and batch tasks: '+' is a space.
// A key that is not encoded so is taken as it stands, which is right for events made by hand.
func decodeKey(key string) string {
	decoded, err := url.QueryUnescape(key)
	if err != nil {
		return key
	}
	return decoded
}

// check tells what keeps o from being asked for.
func (o *Object) check() error {
	switch {
	case o.Bucket == "":
		return errors.New("the bucket has no name")
	case !isBucketName(o.Bucket):
		return fmt.Errorf("bucket name %+.80q of %d bytes is none that S3 allows", o.Bucket, len(o.Bucket))
	case o.Key == "":
		return errors.New("the object has no key")
	case len(o.Key) > maxKeyBytes:
		return fmt.Errorf("the object's key has %d bytes: S3 allows %d", len(o.Key), maxKeyBytes)
	}
	return nil
}

func isBucketName(name string) bool {
	if len(name) < minBucketBytes || len(name) > maxBucketBytes {
		return false
	}
	for _, c := range []byte(name) {
		if !isLetterOrDigit(c) && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func isLetterOrDigit(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// knownRegion returns name when it is spelled like a region, (letters) - (letters)... - (digit) as in us-gov-west-1 or
// eusc-de-east-1, and "" otherwise: what a message says must not shape a host name.
func knownRegion(name string) string {
	const maxRegionBytes = 32 // the longest today has 16
	words := strings.Split(name, "-")
	last := len(words) - 1
	if len(name) > maxRegionBytes || last < 2 || len(words[last]) != 1 || !isDigit(words[last][0]) {
		return ""
	}
	if len(words[0]) < 2 || len(words[0]) > 4 {
		return ""
	}
	for _, word := range words[:last] {
		if word == "" || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") != "" {
			return ""
		}
	}
	return name
}

// knownAccount returns id when it is an account, twelve digits, and "" otherwise.
func knownAccount(id string) string {
	if len(id) != 12 || strings.Trim(id, "0123456789") != "" {
		return ""
	}
	return id
}
