package datadog

import "sluice/internal/jsonwalk"

// Bounds of what is made of one event, which EventBridge delivers with one finding, or up to a hundred. Each record has a
// copy of what is around the findings, so a crowded event could become very many bytes; it stays as it is.
const (
	maxFindings      = 1000
	maxFindingsBytes = 4 << 20
)

// splitFindings makes a text for each finding of an event, and none when the event has another shape.
// Format: Security Hub user guide, "EventBridge event formats for Security Hub".
func (s *Reshaper) splitFindings(event []byte) {
	detail, ok := placeOf(event, "detail")
	if !ok {
		return
	}
	inner := event[detail.value:detail.end]
	list, ok := placeOf(inner, "findings")
	if !ok || hasMember(inner, "finding") {
		return
	}
	head, tail := event[:detail.value+list.name], event[detail.value+list.end:]
	findings := event[detail.value+list.value : detail.value+list.end]
	if count := countObjects(findings); count == 0 || count > maxFindings ||
		len(findings)+count*(len(head)+len(tail)) > maxFindingsBytes {
		return
	}
	elements := jsonwalk.Array(findings)
	for elements.Next() {
		s.text = append(append(s.text, head...), `"finding":`...)
		s.text = s.appendFinding(s.text, elements.Value())
		s.text = append(s.text, tail...)
		s.ends = append(s.ends, len(s.text))
	}
}

// countObjects counts the elements of an array; none when one of them is no object.
func countObjects(array []byte) int {
	n := 0
	elements := jsonwalk.Array(array)
	for ; elements.Next(); n++ {
		if elements.First() != '{' {
			return 0
		}
	}
	return n
}

// appendFinding appends a finding with its resources by type.
func (s *Reshaper) appendFinding(dst, finding []byte) []byte {
	list, ok := placeOf(finding, "Resources")
	if !ok || hasMember(finding, "resources") {
		return append(dst, finding...)
	}
	base := len(s.entries.all)
	defer s.entries.reset(base)
	if !s.addAll(finding[list.value:list.end], "Type") || len(s.entries.all) == base {
		return append(dst, finding...)
	}
	dst = append(append(dst, finding[:list.name]...), `"resources":`...)
	dst = s.entries.appendObject(dst, base)
	return append(dst, finding[list.end:]...)
}
