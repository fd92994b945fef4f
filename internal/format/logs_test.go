package format

import (
	"flag"
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/service"
)

var update = flag.Bool("update", false, "rewrite docs/logs.md")

// TestLogsDocument holds docs/logs.md to the tables that it is made from.
func TestLogsDocument(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "logs.md")
	got := logsDocument(t, service.Catalog())
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "go test ./internal/format -run TestLogsDocument -update rewrites %s", path)
}

func TestLogsDocumentHasEveryLog(t *testing.T) {
	document := logsDocument(t, service.Catalog())
	logs := constantsOfLogs(t)
	assert.Greater(t, len(logs), 40, "the constants of log.go")
	logs = slices.AppendSeq(logs, maps.Keys(layouts))
	for _, log := range logs {
		if log == "" {
			continue // any other
		}
		row := strings.Contains(document, " | `"+string(log)+"` | ")
		assert.True(t, row, "%s has no row in the table", log)
		if l := layouts[log]; l != nil && l.attributes != nil {
			section := strings.Contains(document, "\n### `"+string(log)+"`\n")
			assert.True(t, section, "%s has attributes and no section: are there fields in its layout?", log)
		}
	}
}

func TestDocumentedFieldsAreWritten(t *testing.T) {
	for log := range layouts {
		seen := standardNames(t, log)
		for _, name := range Fields(log) {
			assert.Contains(t, seen, name, "%s: no line has this attribute: add one to examples", log)
		}
	}
}

func TestWhereMergesChannels(t *testing.T) {
	got := where([]service.Way{
		{Channel: service.ByMessage, Tells: "JSON with `a`"},
		{Channel: service.ByContent, Tells: "JSON with `a`"},
		{Channel: service.ByLogGroup, Tells: "log group is `b`"},
		{Channel: service.ByContent, Tells: "values between `|`"},
		{Channel: service.ByLogGroup, Tells: "log group is `c`"},
	})
	assert.Equal(t, "**CloudWatch Logs**: log group is `b`; or log group is `c`<br>**CloudWatch Logs, S3**, by content: JSON with `a`<br>"+
		"**S3**, by content: values between `\\|`", got)
}

func TestArrivalsHaveEveryChannel(t *testing.T) {
	known := map[service.Channel]bool{}
	for _, a := range arrivals {
		known[a.channel] = true
	}
	for _, e := range service.Catalog() {
		for _, way := range e.Ways {
			assert.True(t, known[way.Channel], "the document leaves out %s: add it to arrivals", way.Channel)
		}
	}
}

// constantsOfLogs are the names of all logs that package service knows.
func constantsOfLogs(t *testing.T) (logs []service.Log) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "service", "log.go"), nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			logs = append(logs, service.Log(strings.Trim(literal.Value, `"`)))
		}
		return true
	})
	return logs
}

// logsDocument fills in the template, which has what no table says.
func logsDocument(t *testing.T, catalog []service.Entry) string {
	t.Helper()
	page, err := template.ParseFiles(filepath.Join("testdata", "logs.md.tmpl"))
	require.NoError(t, err)
	var table, attributes, out strings.Builder
	table.WriteString("| source | service | log | where it arrives, and what tells it | time of a line |\n|---|---|---|---|---|\n")
	for _, e := range catalog {
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s | %s |\n", e.Source, code(serviceName(e)), code(string(e.Log)), where(e.Ways), timeOf(e))
	}
	for _, log := range slices.Sorted(maps.Keys(layouts)) {
		if len(Fields(log)) > 0 {
			writeAttributes(t, &attributes, log, sourcesOf(log, catalog))
		}
	}
	require.NoError(t, page.Execute(&out, map[string]string{
		"Steps": orderOfSteps(t), "Severities": logsWithSeverity(), "Table": table.String(), "Attributes": attributes.String(),
	}))
	return out.String()
}

// orderOfSteps is the list in the comment of package process.
func orderOfSteps(t *testing.T) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "process", "process.go"), nil, parser.ParseComments|parser.PackageClauseOnly)
	require.NoError(t, err)
	var b strings.Builder
	for _, block := range new(comment.Parser).Parse(file.Doc.Text()).Content {
		list, ok := block.(*comment.List)
		if !ok {
			continue
		}
		for _, item := range list.Items {
			text := new(comment.Printer).Text(&comment.Doc{Content: item.Content})
			fmt.Fprintf(&b, "%s. %s\n", item.Number, strings.Join(strings.Fields(string(text)), " "))
		}
	}
	require.Contains(t, b.String(), "\n9. redaction", "the steps")
	return b.String()
}

func logsWithSeverity() string {
	var names []string
	for _, log := range slices.Sorted(maps.Keys(severities)) {
		if log != "" {
			names = append(names, code(string(log)))
		}
	}
	return strings.Join(names, ", ")
}

func serviceName(e service.Entry) string {
	if e.Log == service.Lambda {
		return "<function>"
	}
	return e.Service
}

func sourcesOf(log service.Log, catalog []service.Entry) string {
	var sources []string
	for _, e := range catalog {
		if e.Log == log {
			sources = append(sources, "`"+e.Source+"`")
		}
	}
	return strings.Join(slices.Compact(sources), ", ")
}

// arrivals are the ways that logs may come, by what tells them there.
var arrivals = []struct {
	channel   service.Channel
	name      string
	byContent bool // and not by a name
}{
	{service.ByLogGroup, "CloudWatch Logs", false},
	{service.ByKey, "S3", false},
	{service.ByStream, "Kinesis and Firehose", false},
	{service.ByEvent, "EventBridge", false},
	{service.ByMessage, "CloudWatch Logs", true},
	{service.ByContent, "S3", true},
	{service.ByRecord, "Kinesis and Firehose", true},
}

// where says in a cell of a table what tells a log: names first, and then content, each with the ways that it may come.
func where(ways []service.Way) string {
	var labels []string
	tells := map[string][]string{} // by label
	for _, a := range arrivals {
		for _, way := range ways {
			if way.Channel != a.channel {
				continue
			}
			label := arrivalsOf(ways, way.Tells, a.byContent)
			if tells[label] == nil {
				labels = append(labels, label)
			}
			if !slices.Contains(tells[label], way.Tells) {
				tells[label] = append(tells[label], way.Tells)
			}
		}
	}
	for i, label := range labels {
		labels[i] = label + " " + cell(strings.Join(tells[label], "; or "))
	}
	return strings.Join(labels, "<br>")
}

// arrivalsOf names the ways that are told by the same test.
func arrivalsOf(ways []service.Way, tells string, byContent bool) string {
	var names []string
	for _, a := range arrivals {
		if a.byContent == byContent && slices.Contains(ways, service.Way{Channel: a.channel, Tells: tells}) {
			names = append(names, a.name)
		}
	}
	label := "**" + strings.Join(names, ", ") + "**"
	if byContent {
		label += ", by content"
	}
	return label + ":"
}

func timeOf(e service.Entry) string {
	switch text := TimeOf(e.Log); {
	case e.NotALog:
		return "not a log: dropped and counted as `not_a_log`"
	case text == "":
		return "–"
	case !strings.Contains(text, " "):
		return code(text)
	default:
		return cell(text)
	}
}

func code(text string) string {
	if text == "" {
		return "–"
	}
	return "`" + cell(text) + "`"
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// writeAttributes writes the section of one log: all names, and a table of those that a standard has other names for.
func writeAttributes(t *testing.T, b *strings.Builder, log service.Log, sources string) {
	t.Helper()
	standards := standardNames(t, log)
	var names, rows []string
	for _, name := range Fields(log) {
		names = append(names, "`"+name+"`")
		known := standards[name]
		if known[ECS] == name && known[OTel] == name {
			continue
		}
		row := "| `" + name + "`"
		for _, other := range known[ECS:] {
			if other == name {
				other = ""
			}
			row += " | " + code(other)
		}
		rows = append(rows, row+" |\n")
	}
	fmt.Fprintf(b, "\n### `%s`\n\nSource %s.\n\n%s\n", log, sources, strings.Join(names, ", "))
	if len(rows) > 0 {
		b.WriteString("\n| `aws` | `ecs` | `otel` |\n|---|---|---|\n" + strings.Join(rows, ""))
	}
}
