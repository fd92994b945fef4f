package config

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseURL(t *testing.T) {
	for name, tc := range map[string]struct {
		text     string
		shown    string // of an accepted one
		insecure bool
		problem  string // starts like this; empty for an accepted one
	}{
		"origin":                                 {text: "https://logs.example.com", shown: "https://logs.example.com"},
		"root":                                   {text: "https://logs.example.com/", shown: "https://logs.example.com/"[:len("https://logs.example.com")]},
		"path":                                   {text: "https://logs.example.com/" + canary, shown: "https://logs.example.com/…"},
		"query":                                  {text: "https://logs.example.com?" + canary, shown: "https://logs.example.com/…"},
		"port":                                   {text: "https://logs.example.com:8443", shown: "https://logs.example.com:8443"},
		"capitals":                               {text: "HTTPS://Logs.Example.com", shown: "https://Logs.Example.com"},
		"address":                                {text: "https://192.0.2.1", shown: "https://192.0.2.1"},
		"IPv6 address":                           {text: "https://[2001:db8::1]:8443", shown: "https://[2001:db8::1]:8443"},
		"in the clear":                           {text: "http://192.0.2.1", shown: "http://192.0.2.1", insecure: true},
		"in the clear to localhost":              {text: "http://LOCALHOST:1", shown: "http://LOCALHOST:1"},
		"in the clear to 127.0.0.0/8":            {text: "http://127.1.2.3", shown: "http://127.1.2.3"},
		"in the clear to ::1":                    {text: "http://[::1]", shown: "http://[::1]"},
		"in the clear to a mapped 127.0.0.1":     {text: "http://[::ffff:127.0.0.1]", shown: "http://[::ffff:127.0.0.1]"},
		"a mapped address of another machine":    {text: "http://[::ffff:192.0.2.1]", shown: "http://[::ffff:192.0.2.1]", insecure: true},
		"another way to write 127.0.0.1":         {text: "http://0x7f.1", shown: "http://0x7f.1", insecure: true},
		"a name that starts with localhost":      {text: "http://localhost.example.com", shown: "http://localhost.example.com", insecure: true},
		"any address":                            {text: "http://0.0.0.0", shown: "http://0.0.0.0", insecure: true},
		"nothing":                                {text: "", problem: "want https"},
		"no scheme":                              {text: canary, problem: "want https"},
		"another scheme":                         {text: "ftp://logs.example.com/" + canary, problem: `"ftp://logs.example.com": want https`},
		"no host":                                {text: "https:///" + canary, problem: "want https"},
		"port alone":                             {text: "https://:8443", problem: "want https"},
		"opaque":                                 {text: "https:" + canary, problem: "want https"},
		"user":                                   {text: "https://" + canary + "@logs.example.com", problem: `"https://logs.example.com": want https`},
		"empty user":                             {text: "https://@logs.example.com", problem: `"https://logs.example.com": want https`},
		"fragment":                               {text: "https://logs.example.com#" + canary, problem: `"https://logs.example.com": want https`},
		"empty fragment":                         {text: "https://logs.example.com#", problem: `"https://logs.example.com": want https`},
		"port 0":                                 {text: "https://logs.example.com:0", problem: "want https"},
		"port too high":                          {text: "https://logs.example.com:65536", problem: "want https"},
		"empty port":                             {text: "https://logs.example.com:", problem: "want https"},
		"zone":                                   {text: "https://[fe80::1%25eth0]", problem: "want https"},
		"name outside ASCII":                     {text: "https://bücher.example.com", problem: "want https"},
		"empty label":                            {text: "https://logs..example.com", problem: "want https"},
		"line break":                             {text: "https://logs.example.com/\n" + canary, problem: "want https"},
		"backslash, which some take for a slash": {text: `https://logs.example.com\` + canary, problem: "want https"},
		"percent encoding in the name of a host": {text: "https://logs%2eexample.com/" + canary, problem: "want https"},
		"a name that is longer than a name may be": {text: "https://" + fmt.Sprintf("%0254d", 1), problem: "want https"},
	} {
		t.Run(name, func(t *testing.T) {
			u, problem := parseURL(tc.text, wholeURL)
			assert.NotContains(t, problem, canary)
			if tc.problem != "" {
				assert.True(t, u.IsZero())
				assert.Regexp(t, "^"+tc.problem, problem)
				return
			}
			require.Empty(t, problem)
			assert.Equal(t, tc.text, u.Reveal())
			assert.Equal(t, tc.shown, u.String())
			assert.Equal(t, tc.insecure, u.insecure())
		})
	}
	_, problem := parseURL("https://logs.example.com?"+canary, baseURL)
	assert.Regexp(t, `^"https://logs.example.com": want https`, problem)
}

// FuzzParseURL holds that an accepted URL is one for everybody, and that nothing of it is shown but its origin.
func FuzzParseURL(f *testing.F) {
	for _, seed := range []string{"https://a.example.com:1/b?c", "http://[::1]", "https://u:p@h#f", "https:opaque", "//h"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, problem := parseURL(text, wholeURL)
		if problem != "" {
			assert.True(t, u.IsZero())
			return
		}
		parsed, err := url.Parse(u.Reveal())
		require.NoError(t, err)
		assert.Contains(t, []string{"http", "https"}, parsed.Scheme)
		assert.NotEmpty(t, parsed.Hostname())
		assert.Nil(t, parsed.User)
		assert.Contains(t, []string{parsed.Scheme + "://" + parsed.Host, parsed.Scheme + "://" + parsed.Host + "/…"}, u.String())
	})
}
