package tags

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

func TestClean(t *testing.T) {
	long := strings.Repeat("x", 300)
	for name, tc := range map[string]struct{ key, value, want string }{
		"as it is":                             {"env", "prod", "env:prod"},
		"small letters":                        {"CostCenter", "ACME-42", "costcenter:acme-42"},
		"small letters of other scripts":       {"ÄPFEL", "ДА", "äpfel:да"},
		"no value":                             {"canary", "", "canary"},
		"a value of which nothing is left":     {"canary", "__ _", "canary"},
		"no key":                               {"", "value", ""},
		"a key of which nothing is left":       {"_1_2_", "value", ""},
		"a colon in a key":                     {"aws:cloudformation:stack-name", "s", "aws_cloudformation_stack-name:s"},
		"a colon in a value":                   {"url", "http://192.0.2.1:80/", "url:http://192.0.2.1:80/"},
		"a value that is a colon":              {"k", ":", "k::"},
		"what is no letter":                    {"a b+c=d@e", "x,y;\"z\"\\\n", "a_b_c_d_e:x_y_z"},
		"runs of underscores":                  {"a__b", "c _ d", "a_b:c_d"},
		"digits in front of a key":             {"2024_budget", "1", "budget:1"},
		"underscores in front of a key":        {"__a", "b", "a:b"},
		"digits and underscores of a value":    {"k", "_1a", "k:_1a"},
		"underscores at the end":               {"key_", "value__", "key:value"},
		"numbers of other scripts are letters": {"kⅧ", "½", "kⅷ:½"},
		"a mark that is no letter":             {"cafe\u0301", "v", "cafe:v"},
		"bytes that are no text":               {"a\xffb", "\xff\xfe", "a_b"},
		"200 characters":                       {"k", long, "k:" + long[:198]},
		"200 characters of many bytes":         {"k", strings.Repeat("ü", 300), "k:" + strings.Repeat("ü", 198)},
		"a key that is too long":               {long, "v", long[:200]},
		"a key that leaves room for a colon":   {long[:199], "v", long[:199]},
		"a key that leaves room for a letter":  {long[:198], "vw", long[:198] + ":v"},
		"no underscore at the cut":             {"k", long[:197] + "_" + long, "k:" + long[:197]},
		"no underscore at the cut of a key":    {long[:199] + "_" + long, "", long[:199]},
		"nothing but an underscore fits":       {long[:198], "_v", long[:198]},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tc.want, Clean(tc.key, tc.value)) })
	}
}

// TestCleanLetters: a letter that is made small stays as it is from then on. What is shared is checked by that.
func TestCleanLetters(t *testing.T) {
	const last = 0x3FFFF // no letters are behind it
	for r := rune(0); r <= last; r++ {
		for _, once := range []string{Clean("k", string(r)), Clean("k"+string(r), "")} {
			if again(once) != once {
				require.Equal(t, once, again(once), "%U", r)
			}
		}
	}
}

func again(text string) string {
	key, value, _ := strings.Cut(text, ":")
	return Clean(key, value)
}

// The steps of the Datadog Forwarder, one after the other (datadog-compat, section 7).
var (
	otherChars = regexp.MustCompile(`[^\p{L}\p{N}_:\-./]`)
	underlines = regexp.MustCompile(`_+`)
	beginnings = regexp.MustCompile(`^[_\p{Nd}]*`)
)

func slowWord(text string) string {
	runes := []rune(text)
	for i, r := range runes {
		runes[i] = unicode.ToLower(r)
	}
	return underlines.ReplaceAllString(otherChars.ReplaceAllString(string(runes), "_"), "_")
}

func slowClean(key, value string) string {
	key = strings.TrimRight(beginnings.ReplaceAllString(slowWord(strings.ReplaceAll(key, ":", "_")), ""), "_")
	value = strings.TrimRight(slowWord(value), "_")
	if key == "" {
		return ""
	}
	text := []rune(key + ":" + value)
	cut := strings.TrimRight(string(text[:min(len(text), 200)]), "_")
	if left, rest, _ := strings.Cut(cut, ":"); rest == "" {
		return left
	}
	return cut
}

func FuzzClean(f *testing.F) {
	f.Add("env", "prod")
	f.Add("aws:cloudformation:stack-name", "My Stack__")
	f.Add("12_İ", "ǅ:Ⅷ½٣")
	f.Add(strings.Repeat("kü_", 70), strings.Repeat("v:", 200))
	f.Add("\xff\xc0", "\x00\u2028")
	f.Fuzz(func(t *testing.T, key, value string) {
		clean := Clean(key, value)
		assert.Equal(t, slowClean(key, value), clean)
		assert.Equal(t, clean, again(clean))
		assert.LessOrEqual(t, utf8.RuneCountInString(clean), 200)
		assert.True(t, utf8.ValidString(clean))
		assert.NotContains(t, clean, ",")
		assert.Equal(t, clean, record.ParseTag(clean).String())
		assert.Equal(t, clean != "", isClean(clean))
	})
}

func TestCleaned(t *testing.T) {
	assert.Nil(t, cleaned([]string{"", ""}))
	assert.Equal(t, record.Tags{{Key: "a"}, {Key: "b", Value: "x:y"}}, cleaned([]string{"b:x:y", "a", "", "a"}))
	var many []string
	for i := range 300 {
		many = append(many, Clean("k", strings.Repeat("x", i)))
	}
	assert.Len(t, cleaned(many), 50)
	tags := cleaned([]string{"a", "b"})
	assert.Equal(t, len(tags), cap(tags), "who appends to tags does not write into those of others")
}
