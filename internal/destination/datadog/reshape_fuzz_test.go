package datadog

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

// FuzzReshape compares with a slow way over maps. Of a document that names a member twice, which a map does not hold, only
// what has to hold for all is asked: valid JSON becomes valid JSON, and all else stays.
func FuzzReshape(f *testing.F) {
	for _, text := range []string{
		wafLog, ` {"a":[1e999, {"b" : null}] , "detail":{"x":1,"findings":[{"Resources":[{"Type":"t","y":"\ud800"}]},{}]}} `,
		`{"httpRequest":{"headers":[{"name":"a","value":{}},{"value":[],"name":"\u0061"}]}}`, `{"detail":{"findings":[{"resources":1,"Resources":[{"Type":"a"}]}]}}`,
		`{"ruleGroupList":[{"ruleGroupId":"g","terminatingRule":[{"ruleId":"a"}],"x":{"ruleId":1}},{"ruleGroupId":"g","excludedRules":null,"terminatingRule":{"ruleId":"a","ruleid":2}}]}`,
		`[`, `"a"`, `{"httpRequest":{"headers":[{"name":"a","value":1,"value":2}]}}`, `{"ruleGroupList":[{"ruleGroupId":"\ud800","":""},{"ruleGroupId":"\ufffd","":1}]}`,
	} {
		f.Add([]byte(text), true, false)
		f.Add([]byte(text), false, true)
	}
	f.Fuzz(func(t *testing.T, text []byte, isHub, escaped bool) {
		if len(text) > 1<<12 || !utf8.Valid(text) {
			return // a source gives valid UTF-8; larger ones nest too deep for maps
		}
		r := wafRecord(record.Plain(text))
		if isHub {
			r = hubRecord(record.Plain(text))
		}
		if escaped {
			r.Message = record.Escaped(record.AppendEscaped(nil, text))
		}
		before := bytes.Clone(r.Message.Bytes)
		var s Reshaper
		got := s.Each(&r)
		require.NotEmpty(t, got)
		require.Equal(t, before, r.Message.Bytes)
		require.Empty(t, s.entries.all)
		if !json.Valid(text) {
			require.Same(t, &r, got[0])
			return
		}
		for i, one := range got {
			require.Equal(t, i, one.Index-r.Index)
			require.True(t, json.Valid(one.Message.AppendPlain(nil)), "%s", texts(got))
		}
		if !namesRepeat(text) {
			requireShape(t, text, got, isHub)
		}
	})
}

// requireShape compares what was made of a text with what maps make of it.
func requireShape(t *testing.T, text []byte, got []*record.Record, isHub bool) {
	t.Helper()
	want := []any{wafByMaps(decode(t, text))}
	if isHub {
		want = hubByMaps(t, text)
	}
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, want[i], decode(t, got[i].Message.AppendPlain(nil)), "%s", texts(got))
	}
}

func decode(t *testing.T, text []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var v any
	require.NoError(t, decoder.Decode(&v))
	return v
}

// namesRepeat reports whether an object in a valid document has two members of one name.
func namesRepeat(text []byte) bool {
	type level struct {
		names    map[any]bool // nil in an array
		wantName bool
	}
	var levels []level
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err != nil {
			return err != io.EOF
		}
		if n := len(levels); n > 0 && levels[n-1].names != nil && token != json.Delim('}') {
			top := &levels[n-1]
			if top.wantName {
				if top.names[token] {
					return true
				}
				top.names[token] = true
			}
			top.wantName = !top.wantName
			if !top.wantName {
				continue
			}
		}
		switch token {
		case json.Delim('{'):
			levels = append(levels, level{names: make(map[any]bool), wantName: true})
		case json.Delim('['):
			levels = append(levels, level{})
		case json.Delim('}'), json.Delim(']'):
			levels = levels[:len(levels)-1]
		}
	}
}

func wafByMaps(v any) any {
	log, ok := v.(map[string]any)
	if !ok {
		return v
	}
	if request, ok := log["httpRequest"].(map[string]any); ok {
		replace(request, "headers", pairsByMaps)
	}
	replace(log, "nonTerminatingMatchingRules", func(list any) (map[string]any, bool) { return namedByMaps(list, ruleID) })
	replace(log, "rateBasedRuleList", func(list any) (map[string]any, bool) { return namedByMaps(list, rateName) })
	replace(log, "ruleGroupList", groupsByMaps)
	return log
}

// replace puts an object in the place of a member, if there is one to be made of it.
func replace(object map[string]any, name string, by func(any) (map[string]any, bool)) {
	if list, isList := object[name].([]any); isList && len(list) > 0 {
		if made, ok := by(list); ok {
			object[name] = made
		}
	}
}

func pairsByMaps(v any) (map[string]any, bool) {
	made := make(map[string]any)
	for _, element := range v.([]any) {
		pair, _ := element.(map[string]any)
		name, _ := pair["name"].(string)
		value, has := pair["value"]
		if name == "" || !has || len(pair) != 2 {
			return nil, false
		}
		made[name] = value
	}
	return made, true
}

// namedByMaps makes an object of an array, or of the one element that stands in its place.
func namedByMaps(v any, by string) (map[string]any, bool) {
	list, isList := v.([]any)
	if !isList {
		list = []any{v}
	}
	made := make(map[string]any)
	for _, element := range list {
		object, _ := element.(map[string]any)
		name, _ := object[by].(string)
		if name == "" {
			return nil, false
		}
		rest := make(map[string]any)
		for k, v := range object {
			if k != by {
				rest[k] = v
			}
		}
		made[name] = rest
	}
	return made, true
}

func groupsByMaps(v any) (map[string]any, bool) {
	made := make(map[string]any)
	for _, element := range v.([]any) {
		object, _ := element.(map[string]any)
		id, _ := object[groupID].(string)
		if id == "" {
			return nil, false
		}
		group, _ := made[id].(map[string]any)
		if group == nil {
			group = make(map[string]any)
			made[id] = group
		}
		for name, value := range object {
			switch name {
			case groupID:
			case "terminatingRule", "nonTerminatingMatchingRules", "excludedRules":
				if !mergeByMaps(group, name, value) {
					return nil, false
				}
			default:
				group[name] = value
			}
		}
	}
	return made, true
}

// mergeByMaps adds rules to those that the group has.
func mergeByMaps(group map[string]any, name string, value any) bool {
	if value == nil {
		if _, has := group[name]; !has {
			group[name] = nil
		}
		return true
	}
	made, ok := namedByMaps(value, ruleID)
	if known, has := group[name].(map[string]any); has {
		maps.Copy(known, made)
		return ok
	}
	group[name] = made
	return ok
}

func hubByMaps(t *testing.T, text []byte) []any {
	t.Helper()
	whole := decode(t, text)
	event, _ := whole.(map[string]any)
	detail, _ := event["detail"].(map[string]any)
	findings, _ := detail["findings"].([]any)
	_, taken := detail["finding"]
	for _, finding := range findings {
		if _, ok := finding.(map[string]any); !ok {
			taken = true
		}
	}
	if taken || len(findings) == 0 {
		return []any{whole}
	}
	var events []any
	for i := range findings {
		event := decode(t, text).(map[string]any)
		detail := event["detail"].(map[string]any)
		finding := detail["findings"].([]any)[i].(map[string]any)
		delete(detail, "findings")
		if list, isList := finding["Resources"].([]any); isList && len(list) > 0 {
			if _, taken := finding["resources"]; !taken {
				if made, ok := namedByMaps(list, "Type"); ok {
					delete(finding, "Resources")
					finding["resources"] = made
				}
			}
		}
		detail["finding"] = finding
		events = append(events, event)
	}
	return events
}
