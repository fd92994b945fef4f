package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sluice/internal/jsonwalk"
)

// Parse reads dataProcessingOptions as they stand in the agent's configuration: a JSON list of objects with a member
// optionName. Unlike the agent, it takes no comments, no numbers for texts, and no members that have no effect; null is a
// member that is not there, as with the agent.
//
// An error joins an [OptionError] for everything that is wrong, the faults that New finds among them, and prints a line for
// each. Of metadata it shows nothing.
func Parse(text []byte) ([]Option, error) {
	if err := checkJSON(text); err != nil {
		return nil, err
	}
	var (
		found   problems
		options []Option
	)
	list := jsonwalk.Array(text)
	if list.Err() != nil {
		return nil, OptionError{Text: `want a list of options, such as [{"optionName":"SINGLELINE"}]`}
	}
	for list.Next() {
		at := found.at(len(options))
		option, whole := parseOption(list.Value(), at)
		if whole {
			option.compile(at)
		}
		options = append(options, option)
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	return options, nil
}

// checkJSON reports where text is no JSON.
func checkJSON(text []byte) error {
	if json.Valid(text) {
		return nil
	}
	var whole any
	var syntax *json.SyntaxError
	if err := json.Unmarshal(text, &whole); errors.As(err, &syntax) {
		return OptionError{Text: fmt.Sprintf("is not JSON from byte %d on: want a list of options", syntax.Offset)}
	}
	return OptionError{Text: "is not JSON: want a list of options"}
}

// parseOption reads one entry. It reports whether there are no problems with its shape that would make others of it.
func parseOption(text []byte, at place) (o Option, whole bool) {
	before := at.count()
	members := jsonwalk.Object(text)
	if members.Err() != nil {
		at.fail("", `want an object such as {"optionName":"SINGLELINE"}`)
		return o, false
	}
	var seen []string
	for members.Next() {
		name, value := string(members.Name()), members.Value()
		switch {
		case slices.Contains(seen, name):
			at.fail(shown(name), "is there already")
		case string(value) != "null":
			o.set(name, value, at)
		}
		seen = append(seen, name)
	}
	return o, at.count() == before
}

// set gives the member of this name its value, which is JSON.
func (o *Option) set(name string, value []byte, at place) {
	switch name {
	case "optionName":
		o.OptionName = parseText(name, value, at)
	case "parseOptions":
		o.ParseOptions = parseTexts(name, value, at)
	case "customFieldNames":
		o.CustomFieldNames = parseTexts(name, value, at)
	case "delimiter":
		o.Delimiter = parseText(name, value, at)
	case "logFormat":
		o.LogFormat = parseText(name, value, at)
	case "matchPattern":
		o.MatchPattern = parseText(name, value, at)
	case "jsonFormat":
		o.JSONFormat = parseText(name, value, at)
	case "metadata":
		o.Metadata = slices.Clone(value)
	case "timestamp":
		o.Timestamp = parseTruth(name, value, at)
	default:
		at.fail(shown(name), "is not known: want one of "+strings.Join(o.knownMembers(), ", "))
	}
}

// knownMembers are the members that the entry may have, as far as its name has been read.
func (o *Option) knownMembers() []string {
	if names, known := membersOf(o.OptionName); known {
		return append([]string{"optionName"}, names...)
	}
	return []string{
		"optionName", "parseOptions", "customFieldNames", "delimiter", "logFormat", "matchPattern", "jsonFormat", "metadata",
		"timestamp",
	}
}

// parseText reads a text that is not empty: an empty one means another thing to the agent than one that is not there.
func parseText(name string, value []byte, at place) string {
	var text string
	if value[0] != '"' || json.Unmarshal(value, &text) != nil {
		at.fail(name, "want a text in quotation marks")
		return ""
	}
	if text == "" {
		at.fail(name, "is empty: want a text, or leave it out")
	}
	return text
}

func parseTexts(name string, value []byte, at place) []string {
	texts := []string{}
	list := jsonwalk.Array(value)
	if list.Err() != nil {
		at.fail(name, "want a list of texts")
		return texts
	}
	for list.Next() {
		text, element := "", list.Value()
		if element[0] != '"' || json.Unmarshal(element, &text) != nil {
			at.fail(fmt.Sprintf("%s[%d]", name, len(texts)), "want a text in quotation marks")
		}
		texts = append(texts, text)
	}
	return texts
}

// parseTruth reads true or false, as they are or, as the agent wants them, in quotation marks.
func parseTruth(name string, value []byte, at place) bool {
	switch string(value) {
	case "true", `"true"`:
		return true
	case "false", `"false"`:
	default:
		at.fail(name, `want true or false`)
	}
	return false
}

// shown is a member's name for a message. One that does not look like a name is not shown.
func shown(name string) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."
	const most = 40
	if name == "" || len(name) > most || strings.Trim(name, letters) != "" {
		return "(?)"
	}
	return name
}
