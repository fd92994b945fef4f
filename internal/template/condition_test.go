package template_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// checkConditions complains of a resource or output that needs a resource which may not be there.
func checkConditions(w world) []string {
	var complaints []string
	check := func(place, condition string, value any) {
		guarded(value, []string{condition}, func(name string, given []string) {
			needs := w.template.resources[name].condition
			implied := func(condition string) bool { return w.template.implies(condition, needs) }
			if needs != "" && !slices.ContainsFunc(given, implied) {
				complaints = append(complaints, fmt.Sprintf("%s: needs the condition %s of %s", place, needs, name))
			}
		})
	}
	for name, r := range w.template.resources {
		check(name, r.condition, r.properties)
	}
	for name, output := range w.template.outputs {
		check(name, asText(at(output, "Condition")), at(output, "Value"))
	}
	return complaints
}

// implies reports whether a condition holds only if another does: it is that one, or an And of which a part implies it, or
// implies a part of the other, which is an Or.
func (t template) implies(condition, other string) bool {
	if condition == other {
		return true
	}
	ofOther := func(part any) bool {
		named := asText(at(part, "Condition"))
		return named != "" && t.implies(condition, named)
	}
	if slices.ContainsFunc(asList(at(t.conditions[other], "Fn::Or")), ofOther) {
		return true
	}
	if parts := asList(at(t.conditions[condition], "Fn::Or")); parts != nil {
		return !slices.ContainsFunc(parts, func(part any) bool {
			named := asText(at(part, "Condition"))
			return named == "" || !t.implies(named, other)
		})
	}
	return slices.ContainsFunc(asList(at(t.conditions[condition], "Fn::And")), func(part any) bool {
		named := asText(at(part, "Condition"))
		return named != "" && t.implies(named, other)
	})
}

// guarded visits the names that a value mentions, each with the conditions that hold there: those given, and those of the
// Ifs around it.
func guarded(value any, given []string, visit func(name string, given []string)) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			guarded(item, given, visit)
		}
	case object:
		for key, item := range value {
			switch key {
			case "Fn::If":
				branches := asList(item)
				guarded(branches[1], append(slices.Clone(given), asText(branches[0])), visit)
				guarded(branches[2], given, visit)
			case "Ref", "Fn::GetAtt", "Fn::Sub":
				for _, name := range referencesOf(key, item) {
					visit(name, given)
				}
			default:
				guarded(item, given, visit)
			}
		}
	}
}

func TestImplies(t *testing.T) {
	parsed, err := parse([]byte(`
Conditions:
  A: !Equals [!Ref P, a]
  B: !And [!Condition A, !Equals [!Ref Q, b]]
  C: !And [!Not [!Condition A], !Condition B]
  D: !Or [!Condition A, !Condition B]
  E: !Not [!Condition A]
  F: !Or [!Condition B, !Equals [!Ref R, c]]
  G: !Not [!Equals [!Ref P, c]]
  H: !Or [!Condition B, !Condition C]
`))
	require.NoError(t, err)
	for name, tc := range map[string]struct {
		condition, other string
		want             bool
	}{
		"a condition implies itself":                {"A", "A", true},
		"a part of an And is implied":               {"B", "A", true},
		"and the parts of that part":                {"C", "A", true},
		"an And is not implied by its part":         {"A", "B", false},
		"an Or of what implies is implied":          {"B", "D", true},
		"an Or implies what all its parts do":       {"H", "A", true},
		"a part of an Or is not implied":            {"F", "B", false},
		"an Or of other things is not implied":      {"E", "D", false},
		"what is negated is not implied":            {"E", "A", false},
		"no condition implies nothing":              {"", "A", false},
		"a condition that is not there is no other": {"X", "A", false},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, parsed.implies(tc.condition, tc.other))
		})
	}
}

func TestGuarded(t *testing.T) {
	parsed, err := parse([]byte(`
Outputs:
  a: !If [A, !Ref Left, !GetAtt Right.Arn]
  b: [!If [A, !If [B, !Sub "${Both}", x], !Ref AWS::NoValue]]
  c: !Ref Free
`))
	require.NoError(t, err)
	got := map[string]string{}
	guarded(parsed.outputs, []string{"Given"}, func(name string, given []string) { got[name] = strings.Join(given, " ") })
	assert.Equal(t, map[string]string{
		"Left": "Given A", "Right": "Given", "Both": "Given A B", "AWS::NoValue": "Given", "Free": "Given",
	}, got)
}
