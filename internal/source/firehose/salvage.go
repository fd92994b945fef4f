package firehose

import (
	"bytes"
	"fmt"
	"strings"

	"sluice/internal/jsonwalk"
)

// salvage searches a broken envelope for what was not read before the break: its record and the time of arrival. A record
// is taken only if there is just one, whoever wrote it: a message with bare quotes may repeat another.
func (p *Parser) salvage(doc []byte, f *Failed) {
	text, count := rawDataTexts(doc)
	switch {
	case count > 1:
		p.refused = errManyRecords
	case p.refused != nil || p.raw != nil:
	case count == 0:
		p.refused = fmt.Errorf("no rawData to be saved from an %w", f.Broken)
	default:
		p.raw = text
	}
	if f.ArrivalMillis == 0 {
		f.ArrivalMillis = leadingCount(afterMember(doc, "arrivalTimestamp"))
	}
}

// rawDataTexts returns the last string that is a rawData in doc, and how many there are.
func rawDataTexts(doc []byte) (text []byte, count int) {
	for doc = afterMember(doc, "rawData"); doc != nil; doc = afterMember(doc, "rawData") {
		if len(doc) > 0 && doc[0] == '"' {
			text, doc = cutBase64(doc)
			count++
		}
	}
	return text, count
}

// afterMember returns doc from the value of the first member with this name, in any case of letters, at any depth; nil when
// there is none. A name in quotes that are escaped is not one.
func afterMember(doc []byte, name string) []byte {
	for {
		quote := bytes.IndexByte(doc, '"')
		if quote < 0 {
			return nil
		}
		doc = doc[quote+1:]
		if len(doc) <= len(name) || doc[len(name)] != '"' || !strings.EqualFold(string(doc[:len(name)]), name) {
			continue
		}
		value, isMember := bytes.CutPrefix(trimSpace(doc[len(name)+1:]), []byte(":"))
		if isMember {
			return trimSpace(value)
		}
	}
}

// cutBase64 reads the string at the start of text, and returns what stands behind it. Of a string that is not closed it
// takes what makes whole bytes.
func cutBase64(text []byte) (run, rest []byte) {
	if end := bytes.IndexByte(text[1:], '"'); end >= 0 {
		if run, isString := jsonwalk.Text(text[:end+2]); isString {
			return run, text[end+2:]
		}
		return text[1 : end+1], text[end+2:]
	}
	run = bytes.TrimRight(text[1:], " \t\r\n\\")
	if bytes.IndexByte(run, '\\') >= 0 {
		run = bytes.ReplaceAll(run, []byte(`\/`), []byte("/"))
	}
	if len(run)%4 == 1 { // six bits of a byte
		run = run[:len(run)-1]
	}
	return run, nil
}

// leadingCount reads the number that text starts with, in quotes or not; 0 when there is none.
func leadingCount(text []byte) int64 {
	text = bytes.TrimPrefix(text, []byte(`"`))
	end := 0
	for end < len(text) && isDigit(text[end]) {
		end++
	}
	n, _ := readCount(text[:end])
	return n
}

func trimSpace(text []byte) []byte { return bytes.TrimLeft(text, " \t\r\n") }
