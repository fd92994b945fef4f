package agent

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The values of optionName. The agent's ADDEC2METADATA and USINGPLUGGIN need the host that it runs on.
const (
	SingleLine  = "SINGLELINE"
	CSVToJSON   = "CSVTOJSON"
	LogToJSON   = "LOGTOJSON"
	AddMetadata = "ADDMETADATA"
	AddBrackets = "ADDBRACKETS"
)

// The values of parseOptions.
const (
	NoTrim        = "NO_TRIM"
	EscapeNewLine = "ESCAPE_NEW_LINE"
)

// The values of jsonFormat.
const (
	Compact     = "COMPACT"
	PrettyPrint = "PRETTYPRINT"
)

// The values of logFormat.
const (
	CommonApacheLog   = "COMMONAPACHELOG"
	CombinedApacheLog = "COMBINEDAPACHELOG"
	ApacheErrorLog    = "APACHEERRORLOG"
	Syslog            = "SYSLOG"
	RFC3339Syslog     = "RFC3339SYSLOG"
)

const defaultDelimiter = ","

// Option is one entry of dataProcessingOptions. Each field is the member of that name; its zero value is a member that is
// not there. Members that have no effect beside the OptionName must not be there.
type Option struct {
	OptionName string

	ParseOptions []string // SINGLELINE: NoTrim, EscapeNewLine

	// CustomFieldNames name the columns of CSVTOJSON, or the groups of LOGTOJSON in place of the format's own names. Where a
	// name repeats, the last of its values stands at its first place.
	CustomFieldNames []string
	Delimiter        string // CSVTOJSON: a Java regular expression; empty stands for a comma
	LogFormat        string // LOGTOJSON: required even with a MatchPattern
	MatchPattern     string // LOGTOJSON: a Java regular expression for the whole record; it has a group for each name
	JSONFormat       string // empty stands for Compact

	Metadata  json.RawMessage // ADDMETADATA: any JSON value; nil stands for null
	Timestamp bool            // ADDMETADATA: with a member ts, the time of the conversion in UTC
}

// OptionError is one thing that is wrong with an option.
type OptionError struct {
	Place string // of the value in the list, such as [1].delimiter; empty for the list itself
	Text  string // what it is and what would be right
}

func (e OptionError) Error() string {
	if e.Place == "" {
		return e.Text
	}
	return e.Place + ": " + e.Text
}

// membersOf are the members that an option knows beside optionName.
func membersOf(optionName string) (names []string, known bool) {
	switch optionName {
	case SingleLine:
		return []string{"parseOptions"}, true
	case CSVToJSON:
		return []string{"customFieldNames", "delimiter", "jsonFormat"}, true
	case LogToJSON:
		return []string{"logFormat", "matchPattern", "customFieldNames", "jsonFormat"}, true
	case AddMetadata:
		return []string{"metadata", "timestamp", "jsonFormat"}, true
	case AddBrackets:
		return nil, true
	}
	return nil, false
}

// compile returns the step of an option; nil where something is wrong, which is reported.
func (o *Option) compile(at place) step {
	names, known := membersOf(o.OptionName)
	if !known {
		at.fail("optionName", nameProblem(o.OptionName))
		return nil
	}
	for _, name := range o.members() {
		if !slices.Contains(names, name) {
			at.fail(name, "has no effect in "+o.OptionName)
		}
	}
	pretty := oneOf(at, "jsonFormat", o.JSONFormat, "", Compact, PrettyPrint) == PrettyPrint
	before := at.count()
	var s step
	switch o.OptionName {
	case SingleLine:
		s = newSingleLine(o, at)
	case CSVToJSON:
		s = newCSVToJSON(o, pretty, at)
	case LogToJSON:
		s = newLogToJSON(o, pretty, at)
	case AddMetadata:
		s = newAddMetadata(o, pretty, at)
	case AddBrackets:
		s = addBrackets{}
	}
	if at.count() > before {
		return nil
	}
	return s
}

// members are those that are there, beside optionName.
func (o *Option) members() (names []string) {
	for _, m := range []struct {
		name  string
		there bool
	}{
		{"parseOptions", o.ParseOptions != nil},
		{"customFieldNames", o.CustomFieldNames != nil},
		{"delimiter", o.Delimiter != ""},
		{"logFormat", o.LogFormat != ""},
		{"matchPattern", o.MatchPattern != ""},
		{"jsonFormat", o.JSONFormat != ""},
		{"metadata", o.Metadata != nil},
		{"timestamp", o.Timestamp},
	} {
		if m.there {
			names = append(names, m.name)
		}
	}
	return names
}

func nameProblem(name string) string {
	const want = "want one of SINGLELINE, CSVTOJSON, LOGTOJSON, ADDMETADATA, ADDBRACKETS"
	switch name {
	case "":
		return "is missing: " + want
	case "ADDEC2METADATA", "USINGPLUGGIN":
		return name + " works on the agent's host alone: " + want
	}
	return quote(name) + ": " + want
}

// oneOf reports a value that is none of those allowed, and returns it.
func oneOf(at place, member, value string, allowed ...string) string {
	if !slices.Contains(allowed, value) {
		allowed = slices.DeleteFunc(allowed, func(s string) bool { return s == "" })
		at.fail(member, quote(value)+": want one of "+strings.Join(allowed, ", "))
	}
	return value
}

// quote returns text as a Go string, cut to what a message has room for.
func quote(text string) string {
	const most = 100
	if len(text) <= most {
		return fmt.Sprintf("%q", text)
	}
	cut := most
	for cut > most-utf8.UTFMax && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return fmt.Sprintf("%q…", text[:cut])
}
