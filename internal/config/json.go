package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
)

const (
	maxJSONBytes = 64 << 10 // aliases may make a short document long
	maxJSONDepth = 50       // a value may contain itself by an alias
)

var (
	errJSONBytes = fmt.Errorf("has more than %d bytes: want less", maxJSONBytes)
	errJSONDepth = fmt.Errorf("is nested deeper than %d levels, or contains itself: want less", maxJSONDepth)
)

// asJSON returns what a YAML value is in JSON: members in their order, and numbers as they are written where JSON writes
// them so. An error quotes nothing.
func asJSON(node *yaml.Node) ([]byte, error) { return appendJSON(nil, node, 0) }

func appendJSON(dst []byte, node *yaml.Node, depth int) ([]byte, error) {
	if len(dst) > maxJSONBytes {
		return nil, errJSONBytes
	}
	if depth > maxJSONDepth {
		return nil, errJSONDepth
	}
	switch node.Kind {
	case yaml.AliasNode:
		return appendJSON(dst, node.Alias, depth+1)
	case yaml.MappingNode:
		return appendJSONObject(dst, node, depth)
	case yaml.SequenceNode:
		dst = append(dst, '[')
		for i, element := range node.Content {
			if i > 0 {
				dst = append(dst, ',')
			}
			var err error
			if dst, err = appendJSON(dst, element, depth+1); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	default:
		return appendJSONScalar(dst, node)
	}
}

func appendJSONObject(dst []byte, node *yaml.Node, depth int) ([]byte, error) {
	dst = append(dst, '{')
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i]
		if name.Kind != yaml.ScalarNode {
			return nil, errors.New(lineOf(name) + "want a text as a name")
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendJSONText(dst, name.Value), ':')
		var err error
		if dst, err = appendJSON(dst, node.Content[i+1], depth+1); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

func appendJSONScalar(dst []byte, node *yaml.Node) ([]byte, error) {
	const plain = 0 // neither quoted nor tagged
	if node.Style == plain && isJSONNumber(node.Value) {
		return append(dst, node.Value...), nil // YAML takes 1e400 for a text
	}
	switch node.ShortTag() {
	case "!!null":
		return append(dst, "null"...), nil
	case "!!str", "!!timestamp":
		return appendJSONText(dst, node.Value), nil
	case "!!int", "!!float", "!!bool":
	default:
		return nil, errors.New(lineOf(node) + "has a tag of YAML that JSON does not have")
	}
	var value any
	err := node.Decode(&value)
	var text []byte
	if err == nil {
		text, err = json.Marshal(value)
	}
	if err != nil {
		return nil, errors.New(lineOf(node) + "JSON has no such value")
	}
	return append(dst, text...), nil
}

func lineOf(node *yaml.Node) string { return fmt.Sprintf("line %d: ", node.Line) }

func isJSONNumber(text string) bool {
	return text != "" && (text[0] == '-' || text[0] >= '0' && text[0] <= '9') && json.Valid([]byte(text))
}

// appendJSONText leaves <, > and & as they are: what is in metadata is sent with every record.
func appendJSONText(dst []byte, text string) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil { // a text can always be encoded
		return append(dst, `""`...)
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}
