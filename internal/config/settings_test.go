package config

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite golden files and docs/settings.md")

// golden compares got with a file, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "go test ./internal/config -update rewrites %s", path)
}

func TestDocumentation(t *testing.T) {
	golden(t, filepath.Join("..", "..", "docs", "settings.md"), documentation())
}

// The comments of Config and of what is in it name the variables that set it.
func TestCommentsNameTheVariables(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var comments strings.Builder
	for _, path := range paths {
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		for line := range strings.Lines(string(source)) {
			if text, is := strings.CutPrefix(strings.TrimSpace(line), "//"); is && !strings.HasSuffix(path, "_test.go") {
				comments.WriteString(text + "\n")
			}
		}
	}
	for _, name := range variableNames() {
		assert.Regexp(t, `\b`+name+`\b`, comments.String())
	}
}

func TestNamesAreUnique(t *testing.T) {
	seen := map[string]bool{documentVariable: true}
	names := variableNames()
	for _, s := range forwarderSettings() {
		names = append(names, s.name)
	}
	for _, name := range names {
		assert.False(t, seen[name], name)
		seen[name] = true
	}
}

func variableNames() []string {
	var names []string
	for _, s := range globalSettings() {
		names = append(names, s.names()...)
	}
	for _, s := range destinationSettings() {
		names = append(names, s.names()...)
	}
	return names
}

const introduction = `# Settings

<!-- Generated from internal/config: go test ./internal/config -update -->

A setting comes from an environment variable, from one YAML document, or from both. The document is for what does not fit
into a variable, such as several destinations. ` + "`SLUICE_CONFIG`" + ` holds it, or says where it is:

| ` + "`SLUICE_CONFIG`" + ` | read from | the function's role needs |
|---|---|---|
| the document itself | the variable | nothing |
| ` + "`ssm:/name`" + `, ` + "`ssm:<ARN>`" + ` | Parameter Store | ` + "`ssm:GetParameter`" + ` |
| ` + "`s3://bucket/key?owner=<account>&version=<version id>`" + ` | S3; without owner and version it works and gives a warning | ` + "`s3:GetObject`, `s3:GetObjectVersion`" + ` |
| ` + "`file:path`" + ` | a file | nothing |

` + "```yaml" + `
tags: [env:prod]
destinations:
  - id: datadog
    type: datadog
    site: datadoghq.eu
    api_key: secretsmanager:datadog/api-key
  - id: archive
    type: http
    url: https://logs.example.com/ingest
    headers:
      Authorization: ssm:/archive/authorization
` + "```" + `

A variable that is empty is not set. Everything that is wrong is reported at once, names that are unknown included; a
function with a wrong configuration returns its events to AWS.

A reference to a secret is one of:

| reference | where the secret is | the function's role needs |
|---|---|---|
| ` + "`secretsmanager:<name or ARN>[#member]`" + `, or the ARN alone | Secrets Manager: a text, or a JSON object. Of an object: the member that is named, else ` + "`DD_API_KEY`" + `, else the only string | ` + "`secretsmanager:GetSecretValue`" + ` |
| ` + "`ssm:<name or ARN>`" + ` | Parameter Store, decrypted | ` + "`ssm:GetParameter`" + ` |
| ` + "`kms:<base64>`" + ` | the reference itself, encrypted with a KMS key and no encryption context | ` + "`kms:Decrypt`" + ` |
| ` + "`env:<NAME>`" + ` | another environment variable | nothing |
| ` + "`plain:<text>`" + ` | the reference itself | nothing |

Where a key of your own encrypts a secret or a parameter, the role needs ` + "`kms:Decrypt`" + ` on that key too. The region is that of
the ARN, else the function's. Secrets are read again every five minutes, and when a destination refuses one.
`

const globalPreface = `
## Everywhere

At the top of the document. A variable wins over the document. A record is filtered first (` + "`exclude`, `include`" + `, then
` + "`exclude_where`, `include_where`" + `), then sampled, converted (` + "`agent`, `expand`" + `) and redacted; its severity is found last.
`

const routePreface = `
## Routes

In a member of ` + "`routes`" + `, a list. A pattern is a text in which ` + "`*`" + ` stands for any text, or ` + "`~`" + ` and a regular
expression (RE2) that matches somewhere. All patterns of a route have to match; one for what a log does not have, such as a
` + "`bucket`" + ` for a log group, does not match. The first route that matches counts, and no other.

` + "```yaml" + `
routes:
  - {log_group: /aws/lambda/noisy-*, drop: true}
  - log_group: ~^/aws/rds/.*/audit$
    tags: [audit:true]
    destinations: [archive]
  - {bucket: my-logs, key: app/*, service: app, multiline_start: '\d{4}-'}
` + "```" + `

Beside what is below, a route may have these settings of the top of the document: %s.
Its ` + "`include`, `exclude` and `redact`" + ` are added to those of the top. The others take the place of those of the top: the
` + "`multiline_*`" + ` ones always, so that a route without them reads line by line, and the rest where the route has them.
`

const agentPreface = `
## The Kinesis Agent's options

In ` + "`agent`" + `, at the top of the document or in a route. ` + "`dataProcessingOptions`" + ` can be copied from the agent's configuration as it
stands: JSON is YAML.
`

const tagRulesPreface = `
## Tag rules

In ` + "`tag_rules`" + `. They are applied in this order, to the tags of all records.
`

const destinationPreface = `
## Every destination

In a member of ` + "`destinations`" + `. The document wins over a variable, which is the default for all destinations; variables of
the Datadog Forwarder and those for Datadog alone count for Datadog destinations only. A document without destinations
gives the one that variables describe: of type ` + "`datadog`" + ` and with the id ` + "`datadog`" + `.
`

const forwarderPreface = `
## Settings of the Datadog Forwarder without a counterpart

A setting whose neglect could leak or lose data is refused. Plumbing of the Forwarder is accepted and ignored, with one
warning that names what is set. Other variables that start with ` + "`DD_`" + ` belong to other programs and are left alone.

| Datadog Forwarder | here |
|---|---|
`

func documentation() string {
	var b strings.Builder
	b.WriteString(introduction + globalPreface)
	table(&b, globalSettings(), "")
	own := slices.Concat(patternSettings(), labelSettings())
	var others []string
	for _, s := range routeSettings()[len(own):] {
		others = append(others, s.key)
	}
	fmt.Fprintf(&b, routePreface, code(others...))
	table(&b, own, "")
	b.WriteString(agentPreface)
	table(&b, agentSettings(), "")
	b.WriteString(tagRulesPreface)
	table(&b, tagRuleSettings(), "")
	b.WriteString(destinationPreface)
	table(&b, destinationSettings(), "")
	b.WriteString("\n## Destinations of type `datadog`\n")
	table(&b, destinationSettings(), TypeDatadog)
	b.WriteString("\n## Destinations of type `http`\n")
	table(&b, destinationSettings(), TypeHTTP)
	b.WriteString(forwarderPreface)
	for _, s := range forwarderSettings() {
		here := map[treatment]string{ignored: "ignored", refused: "refused"}[s.treatment]
		if s.neutral != "" {
			here += fmt.Sprintf(" unless `%s`", s.neutral)
		}
		if s.isMet != nil {
			here += " or another setting does it"
		}
		if s.reason != "" {
			here += ": " + s.reason
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", s.name, here)
	}
	return b.String()
}

// table writes the settings of one scope.
func table[T any](b *strings.Builder, settings []setting[T], scope Type) {
	b.WriteString("\n| document | variable | meaning | value | unit | default | Datadog Forwarder |\n|---|---|---|---|---|---|---|\n")
	for _, s := range settings {
		if s.scope != scope {
			continue
		}
		var ours, theirs []string
		for _, name := range s.names() {
			if strings.HasPrefix(name, prefix) {
				ours = append(ours, name)
				continue
			}
			theirs = append(theirs, name)
		}
		preset := s.otherwise
		if s.preset != "" {
			preset = code(s.preset)
		}
		allowed := strings.NewReplacer("<", "&lt;", "|", `\|`, "#", "&#35;", "`", "&#96;", "*", `\*`).Replace(s.kind.allowed)
		cells := []string{code(s.key), code(ours...), s.meaning, allowed, s.unit, preset, code(theirs...)}
		for i, cell := range cells {
			cells[i] = cmp.Or(cell, "–")
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
	}
}

func code(texts ...string) string {
	var list []string
	for _, text := range texts {
		if text != "" {
			list = append(list, "`"+text+"`")
		}
	}
	return strings.Join(list, ", ")
}
