package datadog

import "sluice/internal/jsonwalk"

// shape says what a value of a WAF log becomes.
type shape uint8

const (
	asItIs    shape = iota
	request         // an object with headers in it
	headers         // an object of values by name
	rules           // an object of rules by ruleId
	rateRules       // an object of rules by rateBasedRuleName
	groups          // an object of rule groups by ruleGroupId
)

// Members that name what they stand in, and so become its name.
// Format: WAF developer guide, "Log fields for web ACL traffic".
const (
	ruleID   = "ruleId"
	rateName = "rateBasedRuleName"
	groupID  = "ruleGroupId"
)

func shapeInLog(name []byte) shape {
	switch string(name) {
	case "httpRequest":
		return request
	case "nonTerminatingMatchingRules":
		return rules
	case "rateBasedRuleList":
		return rateRules
	case "ruleGroupList":
		return groups
	}
	return asItIs
}

func shapeInRequest(name []byte) shape {
	if string(name) == "headers" {
		return headers
	}
	return asItIs
}

// isRuleList reports whether a member of a rule group holds rules.
func isRuleList(name []byte) bool {
	switch string(name) {
	case "terminatingRule", "nonTerminatingMatchingRules", "excludedRules":
		return true
	}
	return false
}

// reshapeWAF makes the new text of a log.
func (s *Reshaper) reshapeWAF(doc []byte) {
	var ok bool
	if s.text, ok = s.appendMembers(s.text, doc, shapeInLog); ok {
		s.ends = append(s.ends, len(s.text))
	}
}

// appendMembers appends an object with some of its members in another shape. It reports false when there is none.
func (s *Reshaper) appendMembers(dst, object []byte, shapeOf func(name []byte) shape) (out []byte, ok bool) {
	copied := 0
	for m := spansOf(object); m.next(); {
		shape := shapeOf(m.Name())
		if shape == asItIs {
			continue
		}
		before := len(dst)
		dst = append(dst, object[copied:m.value]...)
		if dst, ok = s.appendShaped(dst, m.Value(), shape); !ok {
			dst = dst[:before]
			continue
		}
		copied = m.end
	}
	if copied == 0 {
		return dst, false
	}
	return append(dst, object[copied:]...), true
}

// appendShaped appends a value in another shape. It reports false when the value is not what is expected; what it has
// appended then does not count.
func (s *Reshaper) appendShaped(dst, value []byte, to shape) (out []byte, ok bool) {
	base := len(s.entries.all)
	defer s.entries.reset(base)
	switch to {
	case request:
		return s.appendMembers(dst, value, shapeInRequest)
	case headers:
		ok = s.addAll(value, "")
	case rules:
		ok = s.addAll(value, ruleID)
	case rateRules:
		ok = s.addAll(value, rateName)
	case groups:
		if !s.addAll(value, groupID) || len(s.entries.all) == base {
			return dst, false
		}
		return s.appendGroups(dst, base)
	case asItIs:
	}
	if !ok || len(s.entries.all) == base {
		return dst, false
	}
	return s.entries.appendObject(dst, base), true
}

// addAll adds the elements of an array, objects that the member `by` names, or pairs if that is empty. It reports whether
// all of them are.
func (s *Reshaper) addAll(array []byte, by string) bool {
	elements := jsonwalk.Array(array)
	for elements.Next() {
		var ok bool
		if by == "" {
			ok = s.entries.addPair(elements.Value())
		} else {
			ok = s.entries.addNamed(elements.Value(), by)
		}
		if !ok {
			return false
		}
	}
	return elements.Err() == nil
}

// appendGroups appends the rule groups that are the entries from base on. A log may name a group several times, for each
// of its rules that had a say.
func (s *Reshaper) appendGroups(dst []byte, base int) (out []byte, ok bool) {
	s.entries.link(base)
	start := len(dst)
	for i, end := base, len(s.entries.all); i < end; i++ {
		if !s.entries.all[i].isFirst {
			continue
		}
		dst = append(append(append(dst, ','), s.entries.all[i].key...), ':')
		if dst, ok = s.appendGroup(dst, i); !ok {
			return dst, false
		}
	}
	return closeObject(dst, start), true
}

// appendGroup appends what the chain of entries from first on says of one group.
func (s *Reshaper) appendGroup(dst []byte, first int) (out []byte, ok bool) {
	base := len(s.entries.all)
	defer s.entries.reset(base)
	for i := first; i != none; i = s.entries.all[i].next {
		for m := spansOf(s.entries.all[i].body); m.next(); {
			if string(m.Name()) != groupID {
				s.entries.all = append(s.entries.all, entry{name: m.Name(), key: m.key(), body: m.Value()})
			}
		}
	}
	s.entries.link(base)
	start := len(dst)
	for i, end := base, len(s.entries.all); i < end; i++ {
		e := s.entries.all[i]
		if !e.isFirst {
			continue
		}
		dst = append(append(append(dst, ','), e.key...), ':')
		if !isRuleList(e.name) {
			dst = s.entries.last(i).appendBody(dst)
			continue
		}
		if dst, ok = s.appendRules(dst, i); !ok {
			return dst, false
		}
	}
	return closeObject(dst, start), true
}

// appendRules appends the rules in the chain of entries from first on, each of which is a rule, an array of rules, or
// null.
func (s *Reshaper) appendRules(dst []byte, first int) (out []byte, ok bool) {
	base := len(s.entries.all)
	defer s.entries.reset(base)
	isNull := true
	for i := first; i != none; i = s.entries.all[i].next {
		value := s.entries.all[i].body
		switch value[0] {
		case 'n':
			continue
		case '{':
			ok = s.entries.addNamed(value, ruleID)
		default:
			ok = s.addAll(value, ruleID)
		}
		if !ok {
			return dst, false
		}
		isNull = false
	}
	if isNull {
		return append(dst, "null"...), true
	}
	return s.entries.appendObject(dst, base), true
}
