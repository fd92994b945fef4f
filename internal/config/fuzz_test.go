package config

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/process/agent"
	"sluice/internal/process/redact"
	"sluice/internal/secret"
)

// FuzzLoad holds that no document makes Load panic, that what it accepts is valid, and that it is the same every time.
func FuzzLoad(f *testing.F) {
	paths, err := filepath.Glob(filepath.Join("testdata", "*", "*.yaml"))
	require.NoError(f, err)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, document string) {
		env := with("SLUICE_CONFIG="+document, "TOKEN="+canary)
		c, err := load(t, env)
		again, errAgain := load(t, env)
		assert.Equal(t, fmt.Sprintf("%+v %v", c, err), fmt.Sprintf("%+v %v", again, errAgain))
		if err != nil {
			assert.Nil(t, c)
			return
		}
		assertValid(t, c)
	})
}

// assertValid holds what Config promises, in other words than the code that makes it.
func assertValid(t *testing.T, c *Config) {
	t.Helper()
	assert.Contains(t, []SourceNames{"sluice", "datadog-forwarder"}, c.SourceNames)
	assert.True(t, c.MaxInflatedBytes >= 1<<20 && c.MaxInflatedBytes <= 1<<30)
	for _, tag := range c.Tags {
		assert.NotEmpty(t, tag)
		assert.NotContains(t, tag, ",")
	}
	assert.Regexp(t, `^[A-Za-z0-9_.-][A-Za-z0-9_./-]{0,198}[A-Za-z0-9_.-]?$`, c.ParkPrefix)
	assert.Regexp(t, `^[A-Za-z0-9_/:-]*$`, c.ParkKMSKey)
	assert.Regexp(t, `^(https?://[^/?#@\s]+/[0-9]{12}/[A-Za-z0-9_-]{1,80})?$`, c.ContinueQueue)
	assert.True(t, c.MaxReceives >= 2 && c.MaxReceives <= 1000)
	assert.Regexp(t, `^([0-9]{12}(,|$))*$`, strings.Join(c.AllowedOwners, ","))
	assertValidProcessing(t, c.Processing, nil)
	assert.True(t, c.ResourceTags.TTL >= 10*time.Second && c.ResourceTags.TTL <= 24*time.Hour)
	assert.True(t, c.TagRules.Max >= 0 && c.TagRules.Max <= 1000)
	for _, key := range slices.Concat(c.TagRules.Allow, c.TagRules.Deny, slices.Collect(maps.Values(c.TagRules.Rename))) {
		assert.NotEmpty(t, key)
		assert.NotContains(t, key, ":")
	}
	assert.NotEmpty(t, c.Destinations)
	ids := map[string]bool{}
	for _, d := range c.Destinations {
		assert.Regexp(t, `^[a-z0-9-]{1,32}$`, d.ID)
		assert.False(t, ids[d.ID])
		ids[d.ID] = true
		assertValidDestination(t, d)
	}
	for i, r := range c.Routes {
		patterns := []string{r.LogGroup, r.LogStream, r.Bucket, r.Key, r.Stream, r.Owner, r.FromSource}
		assert.True(t, strings.Join(patterns, "") != "" || i == len(c.Routes)-1)
		for _, pattern := range patterns {
			expr, is := strings.CutPrefix(pattern, "~")
			_, err := regexp.Compile(expr)
			assert.False(t, is && (err != nil || expr == ""))
			assert.LessOrEqual(t, len(pattern), 1024)
		}
		for _, id := range r.Destinations {
			assert.True(t, ids[id])
		}
		assert.True(t, r.Multiline.MaxLines >= 2 && r.Multiline.MaxBytes >= 1000)
		assertValidProcessing(t, r.Processing, c.Redact)
	}
}

// assertValidProcessing holds it of what is applied together with the rules of the top.
func assertValidProcessing(t *testing.T, p Processing, top []RedactRule) {
	t.Helper()
	for _, pattern := range slices.Concat(p.Include, p.Exclude) {
		_, err := regexp.Compile(pattern)
		assert.NoError(t, err)
		assert.NotEmpty(t, pattern)
	}
	for _, condition := range slices.Concat(p.IncludeWhere, p.ExcludeWhere) {
		_, err := regexp.Compile(condition.Pattern)
		assert.NoError(t, err)
		assert.NotEmpty(t, condition.Pattern)
		assert.NotContains(t, strings.Split(condition.Attribute, "."), "")
	}
	assert.True(t, p.Sample >= 0 && p.Sample <= 1)
	assert.True(t, p.Expand == "" || !slices.Contains(strings.Split(p.Expand, "."), ""))
	rules := make([]redact.Rule, 0, len(top)+len(p.Redact))
	for _, r := range slices.Concat(top, p.Redact) {
		assert.NotContains(t, []string{RuleIP, RuleEmail}, r.Name)
		rules = append(rules, redact.Rule{Name: r.Name, Pattern: r.Pattern, Replacement: r.Replacement, Member: r.Member, Attribute: r.Attribute})
	}
	_, err := redact.Compile(rules...)
	assert.NoError(t, err)
	_, err = agent.New(p.Agent.Options, p.Agent.Strict)
	assert.NoError(t, err)
	_, err = agent.NewSplitter(agent.Splitting{
		MultiLineStartPattern: p.Agent.Start, SkipHeaderLines: p.Agent.SkipHeader, TruncatedRecordTerminator: p.Agent.Terminator,
	})
	assert.NoError(t, err)
}

func assertValidDestination(t *testing.T, d Destination) {
	t.Helper()
	assert.Contains(t, []Compression{"auto", "zstd", "gzip", "none"}, d.Compression)
	assert.True(t, d.CompressionLevel >= 0 && d.CompressionLevel <= 9)
	assert.Contains(t, []Attributes{"off", "aws", "ecs", "otel"}, d.Attributes)
	assert.Contains(t, []Oversize{"truncate", "split"}, d.Oversize)
	assert.True(t, d.MaxInFlight >= 1 && d.MaxInFlight <= 64)
	assert.True(t, d.AttemptTimeout >= time.Second && d.AttemptTimeout <= time.Minute)
	if !d.URL.IsZero() {
		request, err := http.NewRequest(http.MethodPost, d.URL.Reveal(), http.NoBody)
		require.NoError(t, err)
		assert.NotEmpty(t, request.URL.Hostname())
		assert.Nil(t, request.URL.User)
		assert.Empty(t, request.URL.Fragment)
		assert.True(t, request.URL.Scheme == "https" || request.URL.Scheme == "http" && (d.AllowInsecureHTTP || d.URL.local))
	}
	switch d.Type {
	case TypeDatadog:
		assert.Regexp(t, `^[A-Za-z0-9_.-]+$`, d.Datadog.Site)
		assert.False(t, d.Datadog.APIKey.IsZero())
		assert.Contains(t, []Late{"drop-date", "send"}, d.Datadog.Late)
		assert.Contains(t, []EventID{"full", "short", "none"}, d.Datadog.EventID)
		assert.Empty(t, d.HTTP)
	case TypeHTTP:
		assert.False(t, d.URL.IsZero())
		assert.Empty(t, d.Datadog)
		assertValidHTTP(t, d.HTTP)
	default:
		assert.Fail(t, "type", d.Type)
	}
}

func assertValidHTTP(t *testing.T, h HTTP) {
	t.Helper()
	assert.Contains(t, []string{"POST", "PUT"}, h.Method)
	assert.Contains(t, []Format{"json_array", "json_lines"}, h.Format)
	assert.True(t, h.MaxBodyBytes >= 1000 && h.MaxBodyBytes <= 32_000_000)
	assert.True(t, h.MaxRecordBytes >= 1000 && h.MaxRecordBytes <= h.MaxBodyBytes)
	assert.True(t, h.MaxRecords >= 1 && h.MaxRecords <= 100_000)
	names := map[string]bool{}
	for _, header := range h.Headers {
		assert.Regexp(t, "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", header.Name)
		assert.False(t, names[strings.ToLower(header.Name)])
		names[strings.ToLower(header.Name)] = true
		if header.Value.Kind() == secret.Plain {
			value, err := secret.NewStores(nil, nil).Fetch(t.Context(), header.Value)
			require.NoError(t, err)
			assert.NotRegexp(t, `[\x00-\x08\x0a-\x1f\x7f]`, value.Reveal())
		}
	}
	for _, name := range []string{"Host", "Content-Length", "Transfer-Encoding", "Connection"} {
		assert.False(t, names[strings.ToLower(name)])
	}
	theirs := map[string]bool{"": false}
	for _, usual := range []string{"id", "time", "message", "source", "service", "host", "tags", "aws", "attrs", "marks", "part", "parts"} {
		name, renamed := h.Fields[usual]
		if !renamed {
			name = usual
		}
		assert.False(t, theirs[name])
		theirs[name] = name != ""
	}
	assert.NotEmpty(t, h.SuccessCodes)
	for _, r := range h.SuccessCodes {
		assert.LessOrEqual(t, r.First, r.Last)
		assert.True(t, r.First >= 200 && r.Last <= 299 || r == CodeRange{409, 409})
	}
}
