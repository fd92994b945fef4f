package template_test

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// object is a mapping of the template. Short forms (!Ref) have become long ones ({"Ref": …}).
type object = map[string]any

// template is template.yaml with the Globals merged into its functions.
type template struct {
	parameters map[string]object
	mappings   object
	rules      object
	conditions object
	resources  map[string]resource
	outputs    object
}

// resource is one member of Resources.
type resource struct {
	kind       string // Type
	condition  string
	body       object // all of it
	properties object
}

// parse reads a template.
func parse(text []byte) (template, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return template{}, err
	}
	if len(document.Content) != 1 {
		return template{}, errors.New("want one YAML document")
	}
	value, err := plain(document.Content[0])
	if err != nil {
		return template{}, err
	}
	whole := asObject(value)
	t := template{
		parameters: map[string]object{},
		mappings:   asObject(whole["Mappings"]),
		rules:      asObject(whole["Rules"]),
		conditions: asObject(whole["Conditions"]),
		resources:  map[string]resource{},
		outputs:    asObject(whole["Outputs"]),
	}
	for name, body := range asObject(whole["Parameters"]) {
		t.parameters[name] = asObject(body)
	}
	for name, body := range asObject(whole["Resources"]) {
		t.resources[name] = newResource(asObject(body), asObject(at(whole, "Globals", "Function")))
	}
	return t, nil
}

func newResource(body, globals object) resource {
	r := resource{body: body, kind: asText(body["Type"]), condition: asText(body["Condition"])}
	r.properties = asObject(body["Properties"])
	if r.kind == functionType {
		r.properties = merge(globals, r.properties)
	}
	return r
}

// merge lays one mapping over another, as SAM does with Globals. A function such as Ref is one value, and AWS::NoValue takes
// a member away.
func merge(under, over object) object {
	merged := maps.Clone(under)
	for key, value := range over {
		if inner, both := merged[key].(object); both && !isFunction(inner) {
			value = merge(inner, asObject(value))
		}
		merged[key] = value
		if asText(value) == "${AWS::NoValue}" {
			delete(merged, key)
		}
	}
	return merged
}

// isFunction reports whether a mapping is the long form of a function.
func isFunction(mapping object) bool {
	for key := range mapping {
		return len(mapping) == 1 && (key == "Ref" || strings.HasPrefix(key, "Fn::"))
	}
	return false
}

// plain turns a YAML node into mappings, lists and scalars, and a tag such as !Sub into the long form.
func plain(node *yaml.Node) (any, error) {
	value, err := untagged(node)
	if err != nil || strings.HasPrefix(node.Tag, "!!") {
		return value, err
	}
	name := strings.TrimPrefix(node.Tag, "!")
	switch name {
	case "Ref", "Condition":
		return object{name: value}, nil
	case "GetAtt":
		resource, attribute, _ := strings.Cut(asText(value), ".")
		return object{"Fn::GetAtt": []any{resource, attribute}}, nil
	default:
		return object{"Fn::" + name: value}, nil
	}
}

func untagged(node *yaml.Node) (any, error) {
	switch node.Kind {
	case yaml.MappingNode:
		return mapping(node)
	case yaml.SequenceNode:
		list := make([]any, 0, len(node.Content))
		for _, item := range node.Content {
			value, err := plain(item)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	case yaml.ScalarNode:
		if !strings.HasPrefix(node.Tag, "!!") {
			return node.Value, nil
		}
		var value any
		err := node.Decode(&value)
		return value, err
	default:
		return nil, fmt.Errorf("line %d: anchors and aliases are not for templates", node.Line)
	}
}

func mapping(node *yaml.Node) (object, error) {
	members := object{}
	for pair := range slices.Chunk(node.Content, 2) {
		if _, twice := members[pair[0].Value]; twice {
			return nil, fmt.Errorf("line %d: %s is there twice", pair[0].Line, pair[0].Value)
		}
		value, err := plain(pair[1])
		if err != nil {
			return nil, err
		}
		members[pair[0].Value] = value
	}
	return members, nil
}

// asObject returns a mapping, and an empty one for anything else.
func asObject(value any) object {
	members, ok := value.(object)
	if !ok {
		return object{}
	}
	return members
}

// asList returns a list, and any other value that is not nil as a list of one: IAM takes both.
func asList(value any) []any {
	switch value := value.(type) {
	case nil:
		return nil
	case []any:
		return value
	default:
		return []any{value}
	}
}

// asText returns a text, the text of a Sub, or "${Name}" and "${Name.Attribute}" for a Ref and a GetAtt.
func asText(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case object:
		if ref, ok := value["Ref"]; ok {
			return "${" + asText(ref) + "}"
		}
		if path := asList(value["Fn::GetAtt"]); len(path) == 2 {
			return "${" + asText(path[0]) + "." + asText(path[1]) + "}"
		}
		if sub := asList(value["Fn::Sub"]); len(sub) > 0 {
			return asText(sub[0])
		}
	}
	return fmt.Sprint(value)
}

// at follows the keys into nested mappings, and returns nil where one is missing.
func at(value any, keys ...string) any {
	for _, key := range keys {
		value = asObject(value)[key]
	}
	return value
}

// either returns the values that a value may have: those of both branches of an If, without AWS::NoValue.
func either(value any) []any {
	branches := asList(at(value, "Fn::If"))
	if len(branches) != 3 {
		if value == nil || asText(value) == "${AWS::NoValue}" {
			return nil
		}
		return []any{value}
	}
	return append(either(branches[1]), either(branches[2])...)
}

// placeholder is a ${Name} or ${Name.Attribute} of a Sub; ${!Name} stands for itself.
var placeholder = regexp.MustCompile(`\$\{([^!}][^}]*)\}`)

// references returns the names of the parameters, resources and conditions that a value mentions.
func references(value any) []string {
	var names []string
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			names = append(names, references(item)...)
		}
	case object:
		for key, item := range value {
			names = append(names, referencesOf(key, item)...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func referencesOf(key string, value any) []string {
	switch key {
	case "Ref", "Condition":
		if name, ok := value.(string); ok {
			return []string{name}
		}
	case "Fn::GetAtt":
		return []string{asText(asList(value)[0])}
	case "Fn::If":
		branches := asList(value)
		return append(references(branches[1:]), asText(branches[0]))
	case "Fn::Sub":
		return subReferences(asList(value))
	}
	return references(value)
}

// subReferences returns the names in a Sub that are not its own variables.
func subReferences(sub []any) []string {
	own := object{}
	if len(sub) > 1 {
		own = asObject(sub[1])
	}
	names := references(own)
	for _, match := range placeholder.FindAllStringSubmatch(asText(sub[0]), -1) {
		name, _, _ := strings.Cut(match[1], ".")
		if _, isOwn := own[name]; !isOwn {
			names = append(names, name)
		}
	}
	return names
}

func TestParse(t *testing.T) {
	for name, tc := range map[string]struct {
		yaml string
		want any
		err  string
	}{
		"ref":              {yaml: `!Ref A`, want: object{"Ref": "A"}},
		"condition":        {yaml: `!Condition A`, want: object{"Condition": "A"}},
		"attribute":        {yaml: `!GetAtt A.B.C`, want: object{"Fn::GetAtt": []any{"A", "B.C"}}},
		"sub of a text":    {yaml: `!Sub 1`, want: object{"Fn::Sub": "1"}},
		"nested functions": {yaml: `!If [A, !Ref B, 2]`, want: object{"Fn::If": []any{"A", object{"Ref": "B"}, 2}}},
		"scalars":          {yaml: `[1, true, "true", x]`, want: []any{1, true, "true", "x"}},
		"member twice":     {yaml: "a: 1\na: 2", err: "line 2: a is there twice"},
		"alias":            {yaml: "- &a 1\n- *a", err: "aliases"},
	} {
		t.Run(name, func(t *testing.T) {
			var document yaml.Node
			require.NoError(t, yaml.Unmarshal([]byte(tc.yaml), &document))
			got, err := plain(document.Content[0])
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestMerge(t *testing.T) {
	parsed, err := parse([]byte(`
Globals:
  Function:
    Timeout: !Ref Timeout
    Environment:
      Variables: {A: !Ref A, B: !Ref B, C: !Ref C}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Environment:
        Variables: {A: !Sub a, B: !Ref AWS::NoValue, D: d}
`))
	require.NoError(t, err)
	assert.Equal(t, object{
		"Timeout":     object{"Ref": "Timeout"},
		"Environment": object{"Variables": object{"A": object{"Fn::Sub": "a"}, "C": object{"Ref": "C"}, "D": "d"}},
	}, parsed.resources["F"].properties)
}

func TestReferences(t *testing.T) {
	var document yaml.Node
	require.NoError(t, yaml.Unmarshal([]byte(`
a: !If [Cond, !Ref Left, !GetAtt Right.Arn]
b: !Sub ["${Own}-${Free.Arn}-${!Not}", {Own: !Ref Value}]
c: !Not [!Condition Other]
d: !Sub "${AWS::Region}"
`), &document))
	value, err := plain(document.Content[0])
	require.NoError(t, err)
	assert.Equal(t, []string{"AWS::Region", "Cond", "Free", "Left", "Other", "Right", "Value"}, references(value))
}
