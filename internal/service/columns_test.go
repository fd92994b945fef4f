package service

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestSingleSpaces holds the count of columns to that of the standard library, with a byte of any kind in any place.
func TestSingleSpaces(t *testing.T) {
	const line = "2 123456789012 eni-0a1b 192.0.2.10 - 443 6 OK"
	check := func(text []byte) {
		spaces, ok := singleSpaces(text)
		if ok {
			assert.Len(t, bytes.Fields(text), spaces+1, "%q", text)
			assert.Equal(t, bytes.Count(text, []byte(" ")), spaces, "%q", text)
		}
		simple := len(text) > 0 && !bytes.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) &&
			!bytes.Contains(text, []byte("  ")) && text[0] != ' ' && text[len(text)-1] != ' '
		if simple {
			assert.True(t, ok, "%q", text)
		}
	}
	for end := range len(line) + 1 {
		check([]byte(line[:end]))
		for _, c := range []byte(" \t\n\x00\x1f\x7f\x80\x85\xa0\xffx") {
			for at := range end {
				changed := []byte(line[:end])
				changed[at] = c
				check(changed)
			}
		}
	}
}

// TestKey holds contents under one key to what each says alone, in any order.
func TestKey(t *testing.T) {
	contents := [][]byte{
		nil, []byte("text"), []byte("2 123456789012 eni-0a1b2c3d 192.0.2.10 198.51.100.7 1 2 6 1 40 1769938170 1769938199 REJECT OK"), []byte(`{"a":1}`),
		[]byte(`{"Records":[{"eventVersion":"1.09","eventTime":"2026-02-01T09:29:10Z"}]}`), []byte("text again"),
	}
	for _, key := range []string{"", "shop-logs", "aws-waf-logs-shop", "AWSLogs/123456789012/x/eu-west-1/y", "123456789012_vpcflowlogs_eu-west-1_a"} {
		k := ForKey(key)
		for _, content := range contents {
			assert.Equal(t, FromObject(key, content), k.Object(content), "%s: %s", key, content)
		}
	}
}
