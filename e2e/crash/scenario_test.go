package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// declared are the points that the functions have.
func declared(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../internal/failpoint/failpoint.go", nil, 0)
	require.NoError(t, err)
	var points []string
	ast.Inspect(file, func(n ast.Node) bool {
		if value, ok := n.(*ast.ValueSpec); ok {
			for _, expr := range value.Values {
				text, err := strconv.Unquote(expr.(*ast.BasicLit).Value)
				require.NoError(t, err)
				points = append(points, text)
			}
		}
		return true
	})
	require.NotEmpty(t, points)
	return points
}

// Every point of the functions is passed, in every way that a process can end there.
func TestMatrixIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range matrix() {
		if c.point != "" {
			seen[c.point+":"+c.action] = true
		}
	}
	points := declared(t)
	for _, point := range points {
		for _, action := range actions() {
			assert.True(t, seen[point+":"+action], "%s:%s", point, action)
		}
	}
	assert.Len(t, seen, len(points)*len(actions()), "and no other")
}

func TestShortPassesEachPointOnce(t *testing.T) {
	var points []string
	used := map[string]bool{}
	for _, c := range shortened(matrix()) {
		points = append(points, c.point)
		used[c.action] = true
	}
	assert.ElementsMatch(t, declared(t), points)
	assert.Len(t, used, len(actions()))
}

func TestNamesAreUnique(t *testing.T) {
	var names []string
	for _, c := range append(matrix(), schedules(1, 50)...) {
		names = append(names, c.name)
	}
	slices.Sort(names)
	assert.Equal(t, slices.Compact(slices.Clone(names)), names)
	assert.Greater(t, len(names), 200)
}

func TestMatching(t *testing.T) {
	names := func(list []testCase) (names []string) {
		for _, c := range list {
			names = append(names, c.name)
		}
		return names
	}
	got := matching(matrix(), regexp.MustCompile(`^firehose/decoded`))
	assert.Equal(t, []string{"firehose/decoded:exit:1", "firehose/decoded:panic:1", "firehose/decoded:hang:1"}, names(got))
	assert.Empty(t, matching(matrix(), regexp.MustCompile("no such case")))
	slowFirst(got)
	assert.Equal(t, "firehose/decoded:hang:1", got[0].name)
}

// Only the process that a fault is for gets it.
func TestArmed(t *testing.T) {
	p := plan{injections: []injection{{"s3", 1, "decoded", exit, 2}, {"replay", 1, "leased", hang, 1}}}
	assert.Equal(t, "decoded:exit:2", p.armed("s3", 1)["SLUICE_FAILPOINT"])
	assert.Equal(t, "leased:hang:1", p.armed("replay", 1)["SLUICE_FAILPOINT"])
	assert.NotContains(t, p.armed("cloudwatch", 1), "SLUICE_FAILPOINT")
	assert.NotContains(t, p.armed("s3", 2), "SLUICE_FAILPOINT")
	assert.Equal(t, "16384", p.armed("s3", 2)["SLUICE_FAILPOINT_BYTES"])
}
