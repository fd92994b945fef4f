package config

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"sluice/internal/secret"
)

// methods are what a generic HTTP destination may be asked with.
var methods = []string{http.MethodPost, http.MethodPut}

// fieldNames are the members of an item that can have another name (http-intakes, section 12): those that package
// httpjson writes.
var fieldNames = []string{
	"id", "time", "message", "severity", "source", "service", "host", "tags", "aws", "attrs", "marks",
	"truncated_bytes", "part", "parts",
}

// reservedHeaders are those that Sluice or the connection sets: what describes the body, what belongs to one hop
// (RFC 9110, section 7.6.1), and what identifies a batch.
var reservedHeaders = []string{
	"Host", "Content-Encoding", "Content-Length", "Accept-Encoding", "Expect",
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade",
	"Idempotency-Key",
}

// reservedPrefix starts the names of headers that describe a batch.
const reservedPrefix = "X-Forwarder-"

// tokenExtra are the characters of a header's name beside letters and digits (RFC 9110, section 5.6.2).
const tokenExtra = "!#$%&'*+-.^_`|~" //nolint:gosec // characters, no credentials

// headers reads a mapping of names to values. No value appears in a problem.
func headers() kind[draft] {
	const allowed = "a mapping of names to texts and references to secrets"
	return kind[draft]{allowed, func(d *draft, f field) {
		seen := map[string]bool{}
		d.HTTP.Headers = nil
		for _, member := range f.members() {
			name := http.CanonicalHeaderKey(member.name)
			switch {
			case !isToken(member.name):
				member.fail("want the name of a header: letters, digits and " + tokenExtra)
				continue
			case slices.Contains(reservedHeaders, name) || strings.HasPrefix(name, reservedPrefix):
				member.fail("is set by Sluice or by the connection: leave it out")
				continue
			case seen[name]:
				member.fail("is there already, in other letters")
				continue
			}
			seen[name] = true
			if ref, ok := headerValue(member); ok {
				d.HTTP.Headers = append(d.HTTP.Headers, Header{Name: member.name, Value: ref})
			}
		}
	}}
}

// headerValue reads a text as it may stand in a header (RFC 9110, section 5.5), or a reference to one.
func headerValue(f field) (secret.Ref, bool) {
	const allowed = "a text without control characters, or a reference to a secret"
	text, ok := f.text(allowed)
	if !ok {
		return secret.Ref{}, false
	}
	text = strings.TrimSpace(text)
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r != '\t' && unicode.IsControl(r) }) {
		f.fail("want " + allowed)
		return secret.Ref{}, false
	}
	if !secret.HasPrefix(text) {
		text = string(secret.Plain) + ":" + text
	}
	ref, err := secret.ParseRef(text)
	if err != nil {
		f.fail(err.Error())
		return secret.Ref{}, false
	}
	return ref, true
}

func isToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		letter := 'a' <= r|0x20 && r|0x20 <= 'z'
		return !letter && (r < '0' || r > '9') && !strings.ContainsRune(tokenExtra, r)
	})
}

// fields reads a mapping of our names to theirs.
func fields() kind[draft] {
	const name = "a name of at most 200 bytes without control characters, or an empty one"
	return kind[draft]{"a mapping of " + strings.Join(fieldNames, ", ") + " to other names", func(d *draft, f field) {
		d.HTTP.Fields = map[string]string{}
		for _, member := range f.members() {
			text, ok := member.text(name)
			switch {
			case !ok:
			case !slices.Contains(fieldNames, member.name):
				member.fail(unknown(member.name, fieldNames))
			case text != "" && !isName(text):
				member.want(name)
			default:
				d.HTTP.Fields[member.name] = text
			}
		}
	}}
}

// checkHTTP completes and checks what depends on more than one setting, or on more than one member of one.
func (d *draft) checkHTTP() {
	owner := map[string]string{}
	for _, name := range fieldNames {
		theirs, renamed := d.HTTP.Fields[name]
		if !renamed {
			theirs = name
		}
		if other, taken := owner[theirs]; taken && theirs != "" {
			d.from["fields"].fail(fmt.Sprintf("%s and %s are both named %s: want different names", other, name, quote(theirs)))
		}
		owner[theirs] = name
	}
	if d.HTTP.MaxRecordBytes == 0 {
		d.HTTP.MaxRecordBytes = d.HTTP.MaxBodyBytes
	}
	if d.HTTP.MaxRecordBytes > d.HTTP.MaxBodyBytes {
		d.from["max_record_bytes"].want(fmt.Sprintf("no more than max_body_bytes, %d", d.HTTP.MaxBodyBytes))
	}
}

// Codes is a set of HTTP status codes.
type Codes []CodeRange

// CodeRange is the codes from First to Last, both included.
type CodeRange struct{ First, Last int }

// wantCodes says which codes may mean delivered. Others never do: taking a 429 for a success would lose records.
const wantCodes = "codes and ranges from 200 to 299, such as 200 or 200-204, or 409 of an intake that knows a record " +
	"already"

// codes reads "200-206,208", [200, 201-299] or 200.
func codes() kind[draft] {
	return kind[draft]{wantCodes, func(d *draft, f field) {
		d.HTTP.SuccessCodes = nil
		items := []field{f}
		if f.shape() == aList {
			items = f.items()
		}
		for _, item := range items {
			text, ok := item.text(wantCodes)
			if !ok {
				continue
			}
			for part := range strings.SplitSeq(text, ",") {
				r, ok := parseCodes(part)
				if !ok {
					item.want(wantCodes)
					continue
				}
				d.HTTP.SuccessCodes = append(d.HTTP.SuccessCodes, r)
			}
		}
		if len(items) == 0 {
			f.fail("want " + wantCodes)
		}
	}}
}

func parseCodes(text string) (CodeRange, bool) {
	low, high, ranged := strings.Cut(strings.TrimSpace(text), "-")
	if !ranged {
		high = low
	}
	first, err1 := strconv.Atoi(strings.TrimSpace(low))
	last, err2 := strconv.Atoi(strings.TrimSpace(high))
	r := CodeRange{First: first, Last: last}
	ok := err1 == nil && err2 == nil && (200 <= first && first <= last && last <= 299 || r == CodeRange{409, 409})
	return r, ok
}
