package park

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPresentable(t *testing.T) {
	for name, tc := range map[string]struct{ message, want string }{
		"a text stays":             {"connection refused by 192.0.2.1:443", "connection refused by 192.0.2.1:443"},
		"a path goes":              {`Post "https://in.example.com/v1/SECRET?k=SECRET#SECRET": EOF`, `Post "https://in.example.com/…": EOF`},
		"a query goes":             {"http://in.example.com?k=SECRET", "http://in.example.com/…"},
		"credentials go":           {"https://u:SECRET@in.example.com:8088 is down", "https://in.example.com:8088 is down"},
		"an @ in a query is none":  {"https://in.example.com/?SECRET@x", "https://in.example.com/…"},
		"two addresses":            {"http://a/SECRET then http://b/SECRET", "http://a/… then http://b/…"},
		"the place of an object":   {`"s3://logs/a/b" at byte 7`, `"s3://logs/a/b" at byte 7`},
		"not UTF-8":                {"a\xffb", "a\uFFFDb"},
		"cut between characters":   {strings.Repeat("a", 511) + "é", strings.Repeat("a", 511)},
		"nothing behind the colon": {"https://", "https://"},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tc.want, presentable(tc.message)) })
	}
}

func TestClean(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"a name stays":           {"/aws/lambda/ü", "/aws/lambda/ü"},
		"not UTF-8":              {"a\xff\xfeb\xed\xa0\x80", "a\uFFFDb\uFFFD"},
		"as long as it may be":   {strings.Repeat("a", 1024), strings.Repeat("a", 1024)},
		"cut":                    {strings.Repeat("a", 1025), strings.Repeat("a", 1024)},
		"cut between characters": {strings.Repeat("a", 1023) + "é", strings.Repeat("a", 1023)},
		"cut after it has grown": {strings.Repeat("a", 1023) + "\xff", strings.Repeat("a", 1023)},
		"nothing":                {"", ""},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tc.want, clean(tc.text)) })
	}
}
