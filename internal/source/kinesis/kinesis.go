// Package kinesis tells what the bytes of a Kinesis data stream record are and takes apart the records that a producer has
// packed together.
//
// A stream that carries CloudWatch Logs subscriptions may carry anything else too, so each record is looked at on its own:
// Deaggregate first, then Sniff for each user record. Both are pure, share the caller's bytes and copy nothing.
//
// The package does not read the Lambda event (package event) and does not gunzip or parse a subscription payload (package
// cloudwatch).
package kinesis

import (
	"bytes"

	"sluice/internal/jsonwalk"
	"sluice/internal/source/cloudwatch"
)

// Kind says how the bytes of a record are to be read.
type Kind uint8

const (
	// Lines is text, one log a line: plain text, JSON lines, CloudFront real-time lines. It is what is left when a record
	// is nothing else, an empty record included.
	Lines Kind = iota
	// Gzip is a gzip stream. Subscriptions write their payload so; other producers compress lines.
	Gzip
	// Subscription is a CloudWatch Logs payload that is not compressed, as a stream with decompression hands it on.
	Subscription
)

// Sniff tells the kind of a record from its content; no name or header is to be trusted.
func Sniff(data []byte) Kind {
	switch {
	case len(data) >= 2 && data[0] == 0x1f && data[1] == 0x8b: // RFC 1952, section 2.3.1
		return Gzip
	case cloudwatch.IsPayload(data):
		return Subscription
	default:
		return Lines
	}
}

// IsOpen reports whether data starts with a JSON object that does not end in it: there may be members behind that tell
// more.
func IsOpen(data []byte) bool {
	members := jsonwalk.Object(data)
	for members.Next() { // to the end
	}
	return members.Rest() == nil && bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{"))
}
