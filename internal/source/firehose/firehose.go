// Package firehose reads what Amazon Data Firehose writes to S3, apart from the records themselves: the names of its
// objects, the envelopes of records that it could not transform or deliver, and the manifests it writes for Redshift.
//
// Everything is decided by content first; a key is a hint, as prefixes are free. The package promises that an envelope
// either gives its record's bytes, says that it has none, or is an error, in which case the caller keeps the line as it
// is. It does no I/O, never panics on bad input, and quotes no record and no destination's message in an error.
//
// It does not decompress or split objects, does not read the records inside an envelope (these are sniffed as if they were
// fresh), and knows nothing of Firehose's transformation events (package event does).
package firehose

import (
	"strings"
	"time"
)

// Limits of names that Firehose sets: Firehose API reference, CreateDeliveryStream and ExtendedS3DestinationConfiguration.
const (
	maxStreamBytes    = 64  // DeliveryStreamName
	maxExtensionBytes = 128 // FileExtension
)

// Shapes of the parts of a name: '0' stands for a decimal digit, 'x' for a lower-case hex digit, others for themselves.
const (
	timeShape = "0000-00-00-00-00-00"
	idShape   = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
	nameShape = "-" + timeShape + "-" + idShape
)

// Name is what the key of an object tells.
type Name struct {
	// Stream is the delivery stream. A prefix that ends without a slash cannot be told from it and is then part of it, up to
	// the 64 bytes that a stream's name may have; an error folder is told and cut off.
	Stream string
	// Version is the decimal version of the stream's configuration, which grows with each change; empty when the key has
	// none. A stream whose name ends in a number seems to have a version in such a key.
	Version string
	// At is when the oldest record in the object arrived. Firehose writes UTC unless the stream has a time zone of its own;
	// the key does not tell, and it is read as UTC.
	At time.Time
	// ErrorType is the error folder in the key, spelled as ErrorType spells it; empty when there is none.
	ErrorType string
	// Prefix is what stands before the stream's name.
	Prefix string
}

// ParseKey reads the key of an object, which must not be URL-encoded, and reports whether Firehose could have given it:
//
//	<prefix><stream>-<version>-<yyyy>-<MM>-<dd>-<HH>-<mm>-<ss>-<uuid><extension>
//
// The version may be missing, and so may the extension. Nothing is copied: the texts share the key's memory.
// Format: Firehose developer guide, "Configure Amazon S3 object name format".
func ParseKey(key string) (Name, bool) {
	folder := strings.LastIndexByte(key, '/') + 1
	base := key[folder:]
	for at := len(base) - len(nameShape); at > 0; at-- { // from the right: an extension may look like a time, too
		if !hasShape(base[at:], nameShape) || !isExtension(base[at+len(nameShape):]) {
			continue
		}
		when, err := time.Parse("2006-01-02-15-04-05", base[at+1:at+1+len(timeShape)])
		if err != nil {
			continue
		}
		head, version := cutVersion(base[:at])
		found := findErrorType(key)
		stream := streamName(head, found.end-folder)
		if stream == "" {
			continue
		}
		start := folder + len(head) - len(stream)
		return Name{Stream: stream, Version: version, At: when, ErrorType: found.name, Prefix: key[:start]}, true
	}
	return Name{}, false
}

// cutVersion splits `stream-12` into the stream and the version.
func cutVersion(text string) (head, version string) {
	start := len(text)
	for start > 0 && isDigit(text[start-1]) {
		start--
	}
	if start == len(text) || start < 2 || text[start-1] != '-' || !isStreamByte(text[start-2]) {
		return text, ""
	}
	return text[:start-1], text[start:]
}

// streamName returns the stream at the end of text: the longest run of bytes that a name may have, without the error
// folder that ends at offset folderEnd, if it ends in the run.
func streamName(text string, folderEnd int) string {
	start := len(text)
	for start > 0 && isStreamByte(text[start-1]) {
		start--
	}
	if start < folderEnd && folderEnd < len(text) && !isSeparator(text[folderEnd]) {
		start = folderEnd
	}
	return text[max(start, len(text)-maxStreamBytes):]
}

// hasShape reports whether text, which is no shorter, starts with bytes of the shape.
func hasShape(text, shape string) bool {
	for i := range len(shape) {
		c := text[i]
		switch shape[i] {
		case '0':
			if !isDigit(c) {
				return false
			}
		case 'x':
			if !isDigit(c) && (c < 'a' || c > 'f') {
				return false
			}
		default:
			if c != shape[i] {
				return false
			}
		}
	}
	return true
}

// isExtension reports whether text is nothing, or a dot and what Firehose allows behind it.
func isExtension(text string) bool {
	if text == "" {
		return true
	}
	if text[0] != '.' || len(text) < 2 || len(text) > maxExtensionBytes {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if !isDigit(c) && (c < 'a' || c > 'z') && strings.IndexByte("!-_.*'()", c) < 0 {
			return false
		}
	}
	return true
}

func isStreamByte(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isSeparator(c)
}

func isSeparator(c byte) bool { return c == '-' || c == '_' || c == '.' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
