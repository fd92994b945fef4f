package config

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const canary = "c4n4ry-0123456789abcdef"

// A secret may stand in many places, the right ones and wrong ones. None shows it.
func TestSecretsAreNeverShown(t *testing.T) {
	destination := func(kind, members string) string {
		return "SLUICE_CONFIG=destinations:\n- {id: x, type: " + kind + ", " + members + "}"
	}
	for name, pair := range map[string]string{
		"key":                             "DD_API_KEY=" + canary,
		"ciphertext":                      "DD_KMS_API_KEY=YzRuNHJ5LTAxMjM0NTY3ODlhYmNkZWY=",
		"ciphertext that is none":         "DD_KMS_API_KEY=" + canary,
		"key as an ARN":                   "DD_API_KEY_SECRET_ARN=arn:" + canary,
		"key as a name":                   "DD_API_KEY_SSM_NAME=" + canary + "!",
		"key as a reference":              "SLUICE_API_KEY=" + canary,
		"plain reference":                 "SLUICE_API_KEY=plain:" + canary,
		"password":                        "DD_URL=https://user:" + canary + "@example.com",
		"password of a broken URL":        "DD_URL=https://user:" + canary + "@exa mple.com",
		"path":                            "DD_URL=https://example.com/" + canary,
		"path of another scheme":          "SLUICE_URL=ftp://example.com/" + canary,
		"query":                           "DD_URL=https://example.com?key=" + canary,
		"fragment":                        "DD_URL=https://example.com#" + canary,
		"opaque":                          "DD_URL=https:" + canary + "://",
		"key in the document":             destination("datadog", "api_key: plain:"+canary),
		"key in the document, no prefix":  destination("datadog", "api_key: "+canary),
		"key without a space":             destination("datadog", "api_key:plain:"+canary),
		"key in a list":                   destination("datadog", "api_key: ["+canary+"]"),
		"key with a tag":                  destination("datadog", "api_key: !x "+canary),
		"key as an alias":                 destination("datadog", "api_key: *"+canary),
		"key as a wrong number":           destination("datadog", "api_key: !!int "+canary),
		"path in the document":            destination("http", "url: https://example.com/"+canary),
		"path in the clear":               destination("http", "url: http://example.com/"+canary),
		"header":                          destination("http", "url: https://example.com, headers: {A: "+canary+"}"),
		"header with a line break":        destination("http", `url: https://example.com, headers: {A: "`+canary+`\n\nx"}`),
		"header with a broken reference":  destination("http", "url: https://example.com, headers: {A: kms:"+canary+"}"),
		"header whose value is its name":  destination("http", "url: https://example.com, headers: {"+canary+"}"),
		"headers that are a text":         destination("http", "url: https://example.com, headers: "+canary),
		"a text instead of a document":    "SLUICE_CONFIG=" + canary,
		"a text instead of a destination": "SLUICE_CONFIG=destinations: [" + canary + "]",
		"a text instead of destinations":  "SLUICE_CONFIG=destinations: " + canary,
		"a document that is cut off":      `SLUICE_CONFIG={destinations: [{id: x, type: datadog, api_key: "` + canary,
	} {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, Environ([]string{"DD_API_KEY=x", pair}))
			out := ""
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				out += fmt.Sprintf(verb, c) + fmt.Sprintf(verb, err)
				if c != nil {
					out += fmt.Sprintf(verb, *c) + fmt.Sprintf(verb, c.Destinations[0]) + fmt.Sprintf(verb, c.Destinations[0].URL)
				}
			}
			asJSON, err := json.Marshal(c)
			require.NoError(t, err)
			asYAML, err := yaml.Marshal(c)
			require.NoError(t, err)
			out += string(asJSON) + string(asYAML)
			for _, form := range []string{canary, fmt.Sprintf("%x", canary), "YzRuNHJ5LTAxMjM0NTY3ODlhYmNkZWY="} {
				assert.NotContains(t, out, form)
			}
		})
	}
}
