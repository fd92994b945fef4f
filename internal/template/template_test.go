// Package template_test holds template.yaml against the code and against the delivery contract: functions and their
// mains, settings that exist, least privilege, retries that lose nothing, storage that is closed, alarms that exist.
//
// It promises that each check finds the fault it is there for: TestPlantedFaults breaks a copy of the template in one
// place a row. It does not know the schema of every resource; cfn-lint does, and make lint runs it where it is installed.
package template_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/ledger"
)

const root = "../.." // of the repository

// world is everything that the checks compare.
type world struct {
	template template
	mains    []string            // names of the folders in functions/ that have a main
	settings map[string]struct{} // names of environment variables that docs/settings.md has
	metrics  map[string]struct{} // names of metrics that a ledger line carries
}

// checks are the questions asked of the template. Each returns its complaints, "<resource>: <what is wrong>".
var checks = map[string]func(world) []string{
	"references lead somewhere":         checkReferences,
	"conditions agree":                  checkConditions,
	"every function has a main":         checkMains,
	"every function runs on arm64":      checkRuntimes,
	"every setting is documented":       checkSettings,
	"secrets are references":            checkSecrets,
	"parameters are bounded":            checkParameters,
	"roles are least privilege":         checkRoles,
	"resource policies have conditions": checkPermissions,
	"logs are kept for a while":         checkLogs,
	"failures go somewhere":             checkFailures,
	"buckets are closed":                checkBuckets,
	"nothing that waits expires":        checkLifetimes,
	"queues give each message its time": checkQueues,
	"notifications arrive":              checkNotifications,
	"every bucket is known everywhere":  checkSources,
	"manifests can be followed":         checkManifests,
	"delivery streams lose nothing":     checkStreams,
	"what Firehose fails comes back":    checkComeback,
	"logs come from known accounts":     checkSenders,
	"alarms watch every function":       checkAlarms,
	"alarms watch every stream":         checkStreamAlarms,
	"what is parked is sent":            checkReplay,
}

func TestTemplate(t *testing.T) {
	w := tree(t).with(t, read(t, "template.yaml"))
	for name, check := range checks {
		t.Run(name, func(t *testing.T) {
			assert.Empty(t, check(w))
		})
	}
}

// tree reads what the template is compared with.
func tree(t *testing.T) world {
	t.Helper()
	return world{mains: mains(t), settings: settings(t), metrics: metrics(t)}
}

// with returns the same world with the template of a text.
func (w world) with(t *testing.T, text string) world {
	t.Helper()
	parsed, err := parse([]byte(text))
	require.NoError(t, err)
	w.template = parsed
	return w
}

func mains(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "functions", "*", "main.go"))
	require.NoError(t, err)
	require.NotEmpty(t, paths, "no function has a main")
	var names []string
	for _, path := range paths {
		names = append(names, filepath.Base(filepath.Dir(path)))
	}
	return names
}

// settings returns the names that docs/settings.md has in backquotes.
func settings(t *testing.T) map[string]struct{} {
	t.Helper()
	names := map[string]struct{}{}
	for _, name := range regexp.MustCompile("`([A-Z][A-Z0-9_]+)`").FindAllStringSubmatch(read(t, "docs/settings.md"), -1) {
		names[name[1]] = struct{}{}
	}
	return names
}

// metrics returns the names of the metrics in the ledger's own golden file, and of what replay says of the park store.
func metrics(t *testing.T) map[string]struct{} {
	t.Helper()
	names := map[string]struct{}{}
	gauges := ledger.Gauges{}.AppendEMF(nil, "replay", time.Unix(0, 0))
	for _, text := range []string{read(t, "internal/ledger/testdata/emf.golden"), string(gauges)} {
		var line struct {
			Metadata struct {
				CloudWatchMetrics []struct{ Metrics []struct{ Name string } }
			} `json:"_aws"`
		}
		require.NoError(t, json.Unmarshal([]byte(text), &line))
		for _, set := range line.Metadata.CloudWatchMetrics {
			for _, metric := range set.Metrics {
				names[metric.Name] = struct{}{}
			}
		}
	}
	return names
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	require.NoError(t, err)
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}
