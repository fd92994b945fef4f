package secret

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

const (
	// keyMember is the member a Datadog Forwarder's secret has (datadog-compat, section 6).
	keyMember = "DD_API_KEY"

	// maxNamesShown bounds the names in an error.
	maxNamesShown = 20
)

// pick returns the secret in what Secrets Manager holds: the text itself or, of a JSON object, the member that is asked
// for, else DD_API_KEY, else the only string there is. Errors name members and never quote a value; the JSON decoder's
// own words are left out because they quote what they stumble over.
func pick(text, member string) (string, error) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") {
		if member != "" {
			return "", fmt.Errorf("want a JSON object with the member %q, have a plain text", member)
		}
		return text, nil
	}
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &object) != nil {
		return "", errors.New("starts like a JSON object and is none")
	}
	texts := map[string]string{}
	for name, raw := range object {
		var value string
		if raw[0] == '"' && json.Unmarshal(raw, &value) == nil {
			texts[name] = value
		}
	}
	if member == "" {
		member = defaultMember(texts)
	}
	return choose(texts, member, object)
}

// defaultMember returns DD_API_KEY, unless there is one string only and it has another name.
func defaultMember(texts map[string]string) string {
	if _, found := texts[keyMember]; found || len(texts) != 1 {
		return keyMember
	}
	return slices.Collect(maps.Keys(texts))[0]
}

// choose returns the string named member. object has all members, for the error.
func choose(texts map[string]string, member string, object map[string]json.RawMessage) (string, error) {
	value, found := texts[member]
	if found {
		return value, nil
	}
	if _, other := object[member]; other {
		return "", fmt.Errorf("the member %q of its JSON object is not a string", member)
	}
	return "", fmt.Errorf("its JSON object has no member %q; it has %s: name one with #member", member, names(object))
}

func names(object map[string]json.RawMessage) string {
	if len(object) == 0 {
		return "no members"
	}
	var quoted []string
	for _, name := range slices.Sorted(maps.Keys(object)) {
		quoted = append(quoted, fmt.Sprintf("%q", name))
	}
	if more := len(quoted) - maxNamesShown; more > 0 {
		quoted = append(quoted[:maxNamesShown], fmt.Sprintf("%d more", more))
	}
	return strings.Join(quoted, ", ")
}
