package process

import (
	"bytes"
	"encoding/json"
	"strings"

	"sluice/internal/jsonwalk"
	"sluice/internal/record"
)

// member returns the value of a member of the JSON object that text is, as JSON text; the first, if the name repeats. It
// finds nothing in text whose brackets do not balance, or that has more than the object. It does not validate: the value
// may be no JSON.
func member(text []byte, name string) (value []byte, ok bool) {
	members := jsonwalk.Object(text)
	for members.Next() {
		if !ok && string(members.Name()) == name {
			value, ok = members.Value(), true
		}
	}
	rest := members.Rest()
	if rest == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, false
	}
	return value, ok
}

// firstMember is member for text that is known to be valid JSON: it looks at nothing behind the member.
func firstMember(text []byte, name string) (value []byte, ok bool) {
	members := jsonwalk.Object(text)
	for members.Next() {
		if string(members.Name()) == name {
			return members.Value(), true
		}
	}
	return nil, false
}

// liftedTags reads the value of `ddtags`: a string of tags, or a list of strings. White space in it means nothing. There
// are no tags in anything else.
func liftedTags(value []byte) record.Tags {
	var text string
	var list []string
	switch {
	case json.Unmarshal(value, &text) == nil:
	case json.Unmarshal(value, &list) == nil:
		text = strings.Join(list, ",")
	}
	return record.ParseTags(strings.ReplaceAll(text, " ", ""))
}

// textMember is member for a string, of which it returns the text.
func textMember(text []byte, name string) []byte {
	value, _ := member(text, name)
	return plainString(value)
}

// plainString returns the text of a JSON string; nil for any other value. A string with an escape is none of those that we
// look for: it counts as missing.
func plainString(value []byte) []byte {
	if len(value) < 2 || value[0] != '"' || bytes.IndexByte(value, '\\') >= 0 {
		return nil
	}
	return value[1 : len(value)-1]
}

// systemFields returns the account and region that CloudWatch Logs adds to the events of a centralised log group; both
// are empty for any other event.
func systemFields(members []record.Member) (account, region []byte) {
	for _, m := range members {
		if string(m.Name) == "extractedFields" && bytes.Contains(m.Value, []byte(`"@aws.`)) {
			account, region = textMember(m.Value, "@aws.account"), textMember(m.Value, "@aws.region")
		}
	}
	return account, region
}
