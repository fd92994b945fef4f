package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// canary stands for secrets, which are never shown.
const canary = "c4n4ry0123456789c4n4ry0123456789"

func check(t *testing.T, text string, env map[string]string, flags ...string) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "settings.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	if env == nil {
		env = map[string]string{}
	}
	var out bytes.Buffer
	err := run(t.Context(), append(flags, path), env, &out)
	return out.String(), err
}

func TestSettingsThatAreRight(t *testing.T) {
	const twoDestinations = "destinations:\n- {id: main, type: datadog, api_key: 'ssm:/a'}\n" +
		"- {id: archive, type: http, url: 'https://example.com/in', headers: {Authorization: 'secretsmanager:b'}}\n"
	for name, tc := range map[string]struct {
		text  string
		env   map[string]string
		flags []string
		want  string
	}{
		"secrets stay references": {text: twoDestinations, want: "settings are right: destinations main (datadog), archive (http)\n"},
		"variables count": {
			text: "tags: [a:b]", env: map[string]string{"SLUICE_API_KEY": "kms:AAAA", "SLUICE_CONFIG": "s3://elsewhere/file"},
			want: "settings are right: destinations datadog (datadog)\n",
		},
		"a warning": {
			text: "tags: [a:b]", env: map[string]string{"DD_API_KEY": canary, "DD_LOG_LEVEL": "debug"},
			want: "warning: ",
		},
		"transformation": {text: "tags: [a:b]", flags: []string{"-transform"}, want: "settings are right: no destinations\n"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := check(t, tc.text, tc.env, tc.flags...)
			require.NoError(t, err)
			if name == "a warning" {
				assert.Contains(t, out, "DD_LOG_LEVEL")
				assert.Contains(t, out, "settings are right: destinations datadog (datadog)\n")
				assert.NotContains(t, out, canary)
				return
			}
			assert.Equal(t, tc.want, out)
		})
	}
}

func TestSettingsThatAreWrong(t *testing.T) {
	key := map[string]string{"SLUICE_API_KEY": "plain:" + canary, "SLUICE_SITTE": "x"}
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"everything at once": {
			"colour: red\nredact: [{name: pw}]\nroutes: [{log_group: a, exclude: [\"\\bDEBUG\\b\"], redact_ip: true}]",
			[]string{
				"settings are wrong:\n", "colour (line 1): this name is unknown", "redact[0] (line 2): has nothing to look for",
				"routes[0].exclude[0] (line 3): has the control character U+0008 at character 1", "write the pattern in single quotes",
				"routes[0].redact_ip (line 3): belongs at the top of the document", "SLUICE_SITTE: this name is unknown",
			},
		},
		"no YAML":     {"a: b: c", []string{"SLUICE_CONFIG (line 1): "}},
		"a reference": {"ssm:/sluice/config", []string{"nothing is fetched"}},
		"an object":   {"s3://bucket/key", []string{"nothing is fetched"}},
		"nothing":     {" \n", []string{"settings.yaml is empty"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := check(t, tc.text, maps.Clone(key))
			require.Error(t, err)
			for _, want := range tc.want {
				assert.ErrorContains(t, err, want)
			}
			assert.NotContains(t, err.Error(), canary)
			assert.Empty(t, out)
		})
	}
}

func TestWrongArguments(t *testing.T) {
	for _, args := range [][]string{nil, {"a", "b"}, {""}, {"-no", "a"}} {
		assert.ErrorContains(t, run(t.Context(), args, map[string]string{}, nil), "check: want the path of a settings file")
	}
	gone := filepath.Join(t.TempDir(), "gone.yaml")
	assert.ErrorIs(t, run(t.Context(), []string{gone}, map[string]string{}, nil), os.ErrNotExist)
}
