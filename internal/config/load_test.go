package config

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// stub is a Fetcher that holds documents by reference.
type stub map[string]string

func (s stub) Fetch(_ context.Context, reference string) ([]byte, error) {
	text, found := s[reference]
	if !found {
		return nil, errors.New("read " + reference + ": no such document")
	}
	return []byte(text), nil
}

func load(t *testing.T, env map[string]string) (*Config, error) {
	t.Helper()
	return Load(t.Context(), env, stub{})
}

// with returns the least environment that is enough, and what is added to it.
func with(pairs ...string) map[string]string {
	env := map[string]string{"SLUICE_API_KEY": "secretsmanager:datadog"}
	maps.Copy(env, Environ(pairs))
	return env
}

func TestFixtures(t *testing.T) {
	for _, kind := range []string{"good", "bad"} {
		paths, err := filepath.Glob(filepath.Join("testdata", kind, "*.yaml"))
		require.NoError(t, err)
		require.NotEmpty(t, paths)
		for _, path := range paths {
			t.Run(kind+"/"+filepath.Base(path), func(t *testing.T) {
				document, err := os.ReadFile(path)
				require.NoError(t, err)
				c, err := load(t, with("SLUICE_CONFIG="+string(document), "TOKEN="+canary))
				var out string
				if kind == "good" {
					require.NoError(t, err)
					assertValid(t, c)
					text, err := yaml.Marshal(c)
					require.NoError(t, err)
					out = string(text)
				} else {
					require.Error(t, err)
					out = err.Error() + "\n"
				}
				assert.NotContains(t, out, canary)
				golden(t, strings.TrimSuffix(path, ".yaml")+".golden", out)
			})
		}
	}
}

func TestLoadFromVariables(t *testing.T) {
	for name, tc := range map[string]struct {
		env  []string
		got  func(*Config) any
		want any
	}{
		"id":                             {got: func(c *Config) any { return c.Destinations[0].ID }, want: "datadog"},
		"type":                           {got: func(c *Config) any { return c.Destinations[0].Type }, want: TypeDatadog},
		"tags":                           {env: []string{"DD_TAGS=a:b, c,"}, got: func(c *Config) any { return c.Tags }, want: []string{"a:b", "c"}},
		"our name wins":                  {env: []string{"DD_TAGS=a", "SLUICE_TAGS=b"}, got: func(c *Config) any { return c.Tags }, want: []string{"b"}},
		"a variable wins at the top":     {env: []string{"SLUICE_CONFIG=source: a", "DD_SOURCE=b"}, got: func(c *Config) any { return c.Source }, want: "b"},
		"an empty variable is not set":   {env: []string{"SLUICE_SOURCE=", "DD_SOURCE=b"}, got: func(c *Config) any { return c.Source }, want: "b"},
		"source names":                   {env: []string{"SLUICE_SOURCE_NAMES=datadog-forwarder"}, got: func(c *Config) any { return c.SourceNames }, want: SourceNamesForwarder},
		"inflated bytes":                 {env: []string{"SLUICE_MAX_INFLATED_BYTES=1GiB"}, got: func(c *Config) any { return c.MaxInflatedBytes }, want: int64(1 << 30)},
		"site":                           {env: []string{"DD_SITE= datadoghq.eu "}, got: func(c *Config) any { return c.Destinations[0].Datadog.Site }, want: "datadoghq.eu"},
		"in flight":                      {env: []string{"SLUICE_MAX_IN_FLIGHT=1"}, got: func(c *Config) any { return c.Destinations[0].MaxInFlight }, want: 1},
		"timeout":                        {env: []string{"SLUICE_ATTEMPT_TIMEOUT=1s"}, got: func(c *Config) any { return c.Destinations[0].AttemptTimeout }, want: time.Second},
		"late":                           {env: []string{"SLUICE_LATE=send"}, got: func(c *Config) any { return c.Destinations[0].Datadog.Late }, want: LateSend},
		"event id":                       {env: []string{"SLUICE_EVENT_ID=none"}, got: func(c *Config) any { return c.Destinations[0].Datadog.EventID }, want: EventIDNone},
		"oversize":                       {env: []string{"SLUICE_OVERSIZE=split"}, got: func(c *Config) any { return c.Destinations[0].Oversize }, want: OversizeSplit},
		"private networks":               {env: []string{"SLUICE_ALLOW_PRIVATE=TRUE"}, got: func(c *Config) any { return c.Destinations[0].AllowPrivate }, want: true},
		"compression on":                 {env: []string{"DD_USE_COMPRESSION=True"}, got: func(c *Config) any { return c.Destinations[0].Compression }, want: CompressionAuto},
		"compression off":                {env: []string{"DD_USE_COMPRESSION=false"}, got: func(c *Config) any { return c.Destinations[0].Compression }, want: CompressionNone},
		"our compression wins":           {env: []string{"DD_USE_COMPRESSION=false", "SLUICE_COMPRESSION=gzip"}, got: func(c *Config) any { return c.Destinations[0].Compression }, want: CompressionGzip},
		"a level alone leaves the codec": {env: []string{"DD_COMPRESSION_LEVEL=9"}, got: func(c *Config) any { d := c.Destinations[0]; return []any{d.Compression, d.CompressionLevel} }, want: []any{CompressionAuto, 9}},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, with(tc.env...))
			require.NoError(t, err)
			assertValid(t, c)
			assert.Equal(t, tc.want, tc.got(c))
			assert.Empty(t, c.Warnings)
		})
	}
}

func TestDatadogURL(t *testing.T) {
	for name, tc := range map[string]struct {
		env  []string
		want string // empty for the intake of the site
		err  string
		warn string
	}{
		"nothing":                              {},
		"the Forwarder's defaults":             {env: []string{"DD_PORT=443", "DD_NO_SSL=false"}},
		"host":                                 {env: []string{"DD_URL=proxy.example.com"}, want: "https://proxy.example.com"},
		"host and port":                        {env: []string{"DD_URL=proxy.example.com", "DD_PORT=8443"}, want: "https://proxy.example.com:8443"},
		"host with a port":                     {env: []string{"DD_URL=proxy.example.com:8443"}, want: "https://proxy.example.com:8443"},
		"host with a port in the clear":        {env: []string{"DD_URL=localhost:8080", "DD_NO_SSL=true"}, want: "http://localhost:8080"},
		"IPv6 address and port":                {env: []string{"DD_URL=[::1]", "DD_PORT=8080", "DD_NO_SSL=true"}, want: "http://[::1]:8080"},
		"port alone":                           {env: []string{"DD_SITE=datadoghq.eu", "DD_PORT=10516"}, want: "https://http-intake.logs.datadoghq.eu:10516"},
		"in the clear the port stays 443":      {env: []string{"DD_URL=127.0.0.1", "DD_NO_SSL=true"}, want: "http://127.0.0.1:443"},
		"whole URL":                            {env: []string{"SLUICE_URL=https://a.example.com/b"}, want: "https://a.example.com/b"},
		"a base has no query":                  {env: []string{"DD_URL=https://a.example.com/b?c"}, err: `DD_URL: "https://a.example.com": want https://host[:port][/path] without`},
		"whole URL in DD_URL":                  {env: []string{"DD_URL=https://a.example.com/b"}, want: "https://a.example.com/b"},
		"our host wins":                        {env: []string{"SLUICE_URL=a.example.com", "DD_URL=b.example.com"}, want: "https://a.example.com"},
		"whole URL and a port":                 {env: []string{"DD_URL=https://a.example.com", "DD_PORT=8443"}, want: "https://a.example.com", warn: "DD_PORT, DD_NO_SSL: have no effect, because DD_URL is a whole URL"},
		"in the clear to another machine":      {env: []string{"DD_URL=a.example.com", "DD_NO_SSL=true"}, err: `DD_URL: "http://a.example.com:443": want https`},
		"in the clear to Datadog":              {env: []string{"DD_NO_SSL=true"}, err: `DD_NO_SSL: "http://http-intake.logs.datadoghq.com:443": want https`},
		"in the clear, allowed":                {env: []string{"SLUICE_URL=http://a.example.com", "SLUICE_ALLOW_INSECURE_HTTP=true"}, want: "http://a.example.com"},
		"two ports":                            {env: []string{"DD_URL=a.example.com:1", "DD_PORT=2"}, err: "DD_URL: names a port, and so does DD_PORT"},
		"port that is none":                    {env: []string{"DD_PORT=abc"}, err: `DD_PORT: "abc": want a number from 1 to 65535`},
		"host with a password":                 {env: []string{"DD_URL=u:" + canary + "@a.example.com"}, err: "DD_URL: want a host name or https://"},
		"host with a path":                     {env: []string{"DD_URL=a.example.com/" + canary}, err: "DD_URL: want a host name or https://"},
		"host with a space":                    {env: []string{"DD_URL=a b"}, err: "DD_URL: want https://"},
		"site that is no host":                 {env: []string{"DD_SITE=a/b"}, err: `DD_SITE: "a/b": want a site`},
		"site of the document, URL of another": {env: []string{"DD_URL=a.example.com", "DD_PORT=1", "SLUICE_CONFIG=destinations: [{id: x, type: datadog, site: datadoghq.eu}]"}},
		"URL of a variable as default":         {env: []string{"DD_URL=a.example.com", "SLUICE_CONFIG=destinations: [{id: x, type: datadog}]"}, want: "https://a.example.com"},
		"URL of the document":                  {env: []string{"DD_PORT=1", "SLUICE_CONFIG=destinations: [{id: x, type: datadog, url: 'https://b.example.com'}]"}, want: "https://b.example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, with(tc.env...))
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				assert.NotContains(t, err.Error(), canary)
				return
			}
			require.NoError(t, err)
			assertValid(t, c)
			assert.Equal(t, tc.want, c.Destinations[0].URL.Reveal())
			assert.Equal(t, tc.warn, strings.Join(c.Warnings, "\n"))
		})
	}
}

func TestDatadogKey(t *testing.T) {
	const arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:k"
	all := map[string]string{
		"SLUICE_API_KEY": "ssm:/ours", "DD_API_KEY_SECRET_ARN": arn, "DD_API_KEY_SSM_NAME": "/theirs",
		"DD_KMS_API_KEY": "QUJD", "DD_API_KEY": canary,
	}
	for _, step := range []struct{ name, want string }{
		{"SLUICE_API_KEY", "ssm:/ours"},
		{"DD_API_KEY_SECRET_ARN", "secretsmanager:" + arn},
		{"DD_API_KEY_SSM_NAME", "ssm:/theirs"},
		{"DD_KMS_API_KEY", "kms:[redacted]"},
		{"DD_API_KEY", "plain:[redacted]"},
	} {
		c, err := load(t, all)
		require.NoError(t, err)
		assert.Equal(t, step.want, c.Destinations[0].Datadog.APIKey.String())
		assert.Equal(t, step.name == "DD_API_KEY", len(c.Warnings) == 1)
		delete(all, step.name) // the next one counts
	}
	_, err := load(t, all)
	require.ErrorContains(t, err, "SLUICE_API_KEY: is missing: want a reference")
}

func TestVariablesAreDefaultsOfDestinations(t *testing.T) {
	c, err := load(t, map[string]string{
		"DD_API_KEY": canary, "DD_SITE": "datadoghq.eu", "DD_COMPRESSION_LEVEL": "9", "SLUICE_MAX_IN_FLIGHT": "4",
		"SLUICE_CONFIG": `
destinations:
  - {id: a, type: datadog}
  - {id: b, type: datadog, site: datadoghq.com, api_key: ssm:/b, max_in_flight: 2}
  - {id: c, type: http, url: "https://c.example.com"}`,
	})
	require.NoError(t, err)
	a, b, other := c.Destinations[0], c.Destinations[1], c.Destinations[2]
	assert.Equal(t, []any{"datadoghq.eu", "plain:[redacted]", 4}, []any{a.Datadog.Site, a.Datadog.APIKey.String(), a.MaxInFlight})
	assert.Equal(t, []any{"datadoghq.com", "ssm:/b", 2}, []any{b.Datadog.Site, b.Datadog.APIKey.String(), b.MaxInFlight})
	assert.Equal(t, []any{Datadog{}, 4, 0}, []any{other.Datadog, other.MaxInFlight, other.CompressionLevel}, "Datadog's variables are for Datadog")
	assert.Len(t, c.Warnings, 1, "the plain key is worth one warning")
}

func TestEverythingWrongIsReportedAtOnce(t *testing.T) {
	_, err := load(t, map[string]string{
		"DD_PORT": "abc", "SLUICE_SITTE": "x", "SLUICE_": "x", "REDACT_IP": "yes", "DD_FORWARD_LOG": "False", "SLUICE_TAGS": "a\x00",
		"SLUICE_CONFIG": "colour: red\ndestinations:\n- {id: a, type: datadog, api_key: " + canary + "}",
	})
	require.Error(t, err)
	assert.Equal(t, []string{
		"colour (line 1): this name is unknown",
		`SLUICE_TAGS: "a\x00": want a tag of 1 to 200 bytes without commas and control characters`,
		`REDACT_IP: "yes": want true or false`,
		`DD_PORT: "abc": want a number from 1 to 65535`,
		"destinations[0].api_key (line 3): want secretsmanager:<name or ARN>[#member], ssm:<name or ARN>, kms:<base64 ciphertext>, env:<NAME> or plain:<text>",
		"SLUICE_: this name is unknown",
		"SLUICE_SITTE: this name is unknown; did you mean SLUICE_SITE?",
		"DD_FORWARD_LOG: Sluice forwards logs and nothing else: unset it, or remove the trigger of the function",
	}, strings.Split(err.Error(), "\n"))
	var problem SettingError
	require.ErrorAs(t, err, &problem)
	assert.Equal(t, SettingError{Place: "colour", Line: 1, Text: "this name is unknown"}, problem)
}

func TestProblemsHaveAnEnd(t *testing.T) {
	_, err := load(t, with("SLUICE_CONFIG=tags: ["+strings.Repeat("[], ", 1000)+"]"))
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	assert.Len(t, lines, maxProblems+1)
	assert.Equal(t, "and more than these 100", lines[maxProblems])

	_, err = load(t, with("SLUICE_CONFIG=destinations: ["+strings.Repeat("{}, ", 1000)+"]"))
	require.EqualError(t, err, "destinations (line 1): has 1000 destinations: want at most 100")
}

func TestForwarderSettings(t *testing.T) {
	for name, tc := range map[string]struct {
		env  []string
		err  string
		warn string
	}{
		"neutral values":      {env: []string{"REDACT_IP=false", "REDACT_EMAIL=False", "DD_FORWARD_LOG=true", "DD_SKIP_SSL_VALIDATION=false", "INCLUDE_AT_MATCH="}},
		"filters and rules":   {env: []string{"INCLUDE_AT_MATCH=a", "EXCLUDE_AT_MATCH=b", "REDACT_IP=true", "REDACT_EMAIL=true", "DD_SCRUBBING_RULE=token", "DD_SCRUBBING_RULE_REPLACEMENT=x"}},
		"certificates":        {env: []string{"DD_SKIP_SSL_VALIDATION=true"}, err: "SLUICE_CA_BUNDLE"},
		"plumbing":            {env: []string{"DD_USE_VPC=true", "DD_LOG_LEVEL=WARN"}, warn: "DD_LOG_LEVEL, DD_USE_VPC: settings of the Datadog Forwarder that have no effect here"},
		"of another program":  {env: []string{"DD_ENV=prod", "DD_VERSION=1", "AWS_REGION=eu-west-1"}},
		"level without codec": {env: []string{"DD_USE_COMPRESSION=false", "DD_COMPRESSION_LEVEL=6"}, warn: "DD_COMPRESSION_LEVEL: has no effect without compression"},
		"key in the clear":    {env: []string{"SLUICE_API_KEY=plain:" + canary}, warn: "SLUICE_API_KEY: holds the API key itself; keep it in Secrets Manager or Parameter Store and name it with SLUICE_API_KEY"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, with(tc.env...))
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				assert.NotContains(t, err.Error(), canary)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tc.warn, strings.Join(c.Warnings, "\n"))
		})
	}
}

func TestDocumentByReference(t *testing.T) {
	documents := stub{"ssm:/a": "source: a", "s3://b/k": "source: b", "s3://b/k?owner=123456789012&version=1": "source: c", "file:d": "source: d"}
	for name, tc := range map[string]struct {
		reference, want, err, warn string
	}{
		"parameter":          {reference: "ssm:/a", want: "a"},
		"object":             {reference: "s3://b/k", want: "b", warn: "SLUICE_CONFIG: the object is not pinned"},
		"object, pinned":     {reference: " s3://b/k?owner=123456789012&version=1\n", want: "c"},
		"file":               {reference: "file:d", want: "d"},
		"missing":            {reference: "file:e", err: "SLUICE_CONFIG: read file:e: no such document"},
		"a path is no YAML":  {reference: "/etc/sluice.yaml", err: `SLUICE_CONFIG (line 1): a text: want a mapping of settings, or where it is`},
		"more than a MiB":    {reference: strings.Repeat("#", maxDocumentBytes+1), err: "more than 1048576 bytes"},
		"YAML with a prefix": {reference: "file:\n  a: b", err: "file (line 1): this name is unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Load(t.Context(), with("SLUICE_CONFIG="+tc.reference), documents)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tc.want, c.Source)
			assert.True(t, strings.HasPrefix(strings.Join(c.Warnings, "\n"), tc.warn))
			assert.Equal(t, tc.warn == "", len(c.Warnings) == 0)
		})
	}
	_, err := Load(t.Context(), map[string]string{"SLUICE_CONFIG": "file:e", "DD_PORT": "abc", "SLUICE_TAGS": "\x00"}, documents)
	require.ErrorContains(t, err, "file:e")
	require.ErrorContains(t, err, "SLUICE_TAGS")
	assert.NotContains(t, err.Error(), "SLUICE_API_KEY", "what the document could hold is not called missing")
}

func TestCABundle(t *testing.T) {
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	for name, tc := range map[string]struct {
		path, err string
	}{
		"certificates":    {path: bundle},
		"no such file":    {path: bundle + "x", err: "no such file"},
		"no certificates": {path: "load.go", err: "there is no certificate in it"},
		"a directory":     {path: ".", err: "it is no file"},
		"a device":        {path: "/dev/zero", err: "it is no file"},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(bundle, certificate(t), 0o600))
			c, err := load(t, with("SLUICE_CA_BUNDLE="+tc.path))
			if tc.err != "" {
				require.ErrorContains(t, err, "SLUICE_CA_BUNDLE: ")
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, bundle, c.CABundle)
		})
	}
}

func TestEnviron(t *testing.T) {
	assert.Equal(t, map[string]string{"A": "b=c", "D": ""}, Environ([]string{"A=b=c", "D="}))
}

// What is no YAML is found on its line, the first one too, and the message says what to do.
func TestDocumentSyntax(t *testing.T) {
	const quotes = "a text that starts with * has to stand in quotes"
	for name, tc := range map[string]struct{ document, want string }{
		"list, line 1":                   {"tags: [a", "(line 1): did not find expected ',' or ']'"},
		"list, line 2":                   {"source: a\ntags: [a", "(line 2): did not find expected ',' or ']'"},
		"mapping, line 1":                {"tag_rules: {max: 1", "(line 1): did not find expected ',' or '}'"},
		"bracket that closes nothing":    {"source: a\n\n\ntags: }", "(line 4): did not find expected node content"},
		"list behind a mapping":          {"source: a\n- b", "(line 2): did not find expected key"},
		"two colons, line 1":             {"source: a: b", `(line 1): mapping values are not allowed in this context: a text with ": " in it has to stand in quotes`},
		"two colons, line 3":             {"\n\nsource: a: b", "(line 3): mapping values are not allowed in this context"},
		"star as a text, line 1":         {"include: *" + canary, "(line 1): unknown anchor '…' referenced: " + quotes},
		"star as a text, line 3":         {"source: a*" + canary + "\ntags: [b, '*c" + canary + "']\nexclude: [*" + canary + "]", "(line 3): unknown anchor '…' referenced: " + quotes},
		"star of a longer name":          {"source: a # *" + canary + "s\ninclude: *" + canary, "(line 2): unknown anchor '…' referenced: " + quotes},
		"star and a dot, line 1":         {"include: *.log", "(line 1): did not find expected alphabetic or numeric character: a text that starts with * or & has to stand in quotes"},
		"star and a dot, line 2":         {"source: a\ninclude: *.log", "(line 2): did not find expected alphabetic or numeric character"},
		"backslash in quotes, line 1":    {`include: "\d` + canary + `"`, `(line 1): found unknown escape character: in double quotes a backslash is \\, in single quotes it stands for itself`},
		"backslash in quotes, line 2":    {"source: a\n" + `include: "\d` + canary + `"`, `(line 2): found unknown escape character`},
		"character that starts no text":  {"include: @" + canary, "(line 1): found character that cannot start any token: a text that starts with @, %"},
		"tab":                            {"tag_rules:\n\tmax: 1", "(line 2): found character that cannot start any token"},
		"control character, line 1":      {"source: \x01" + canary, "(line 1): control characters are not allowed"},
		"control character, line 3":      {"source: é\n\ntags: \x7f" + canary, "(line 3): control characters are not allowed"},
		"no UTF-8":                       {"source: a\ntags: \xff" + canary, "(line 2): invalid leading UTF-8 octet"},
		"quotes that are not closed":     {"source: '" + canary, "(line 1): found unexpected end of stream"},
		"second document":                {"source: a\n---\ntags: " + canary, "(line 2): want one YAML document, have more after it"},
		"second document that is broken": {"source: a\n---\ntags: [" + canary, "(line 3): did not find expected ',' or ']'"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, with("SLUICE_CONFIG="+tc.document))
			require.ErrorContains(t, err, "SLUICE_CONFIG "+tc.want)
			assert.NotContains(t, err.Error(), canary)
			assert.NotContains(t, err.Error(), "\n", "one problem")
		})
	}
}
