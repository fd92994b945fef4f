package intake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
)

// dialect is what one kind of intake accepts.
type dialect interface {
	limitBytes() int
	success() int // status of an accepted request
	admit(r *http.Request, key KeyState) *Answer
	decode(plain []byte) ([]Entry, *Answer)
}

// Limits of the Datadog Logs API v2 ("Send logs").
const (
	keyHeader      = "DD-API-KEY"
	maxBodyBytes   = 5_000_000 // uncompressed
	maxItems       = 1_000
	maxRecordBytes = 1_000_000 // larger ones are accepted and cut
	maxWireBytes   = 64 << 20  // ours: what is read before decoding
)

type datadog struct{}

func (datadog) limitBytes() int { return maxBodyBytes }
func (datadog) success() int    { return http.StatusAccepted }

func (datadog) admit(r *http.Request, key KeyState) *Answer {
	switch {
	case r.URL.Path != "/api/v2/logs":
		return refuse(http.StatusNotFound, "no such path")
	case r.Method != http.MethodPost:
		return refuse(http.StatusMethodNotAllowed, "not a POST")
	case key == KeyNone:
		return refuse(http.StatusUnauthorized, "no key")
	case key == KeyBad:
		return refuse(http.StatusForbidden, "unknown key")
	case mediaType(r) != "application/json":
		return refuse(http.StatusUnsupportedMediaType, "content type is not application/json")
	}
	return nil
}

func (datadog) decode(plain []byte) ([]Entry, *Answer) {
	items, err := splitArray(plain)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, err.Error())
	}
	if len(items) > maxItems {
		return nil, refuse(http.StatusRequestEntityTooLarge, "over 1000 items")
	}
	entries := make([]Entry, len(items))
	for i, item := range items {
		entries[i] = datadogEntry(item)
	}
	return entries, nil
}

func datadogEntry(i item) Entry {
	return Entry{
		Message:   text(i.members["message"]),
		ID:        text(i.members["id"]),
		Millis:    max(millis(i.members["timestamp"]), millis(i.members["event_time"])),
		Host:      firstText(i.members, "host", "hostname"),
		Service:   text(i.members["service"]),
		Source:    text(i.members["ddsource"]),
		Tags:      text(i.members["ddtags"]),
		Truncated: i.bytes > maxRecordBytes,
	}
}

// generic is the intake of the http destination.
type generic struct{}

func (generic) limitBytes() int { return maxWireBytes }
func (generic) success() int    { return http.StatusOK }

func (generic) admit(r *http.Request, _ KeyState) *Answer {
	switch {
	case r.Method != http.MethodPost:
		return refuse(http.StatusMethodNotAllowed, "not a POST")
	case mediaType(r) != "application/json" && mediaType(r) != "application/x-ndjson":
		return refuse(http.StatusUnsupportedMediaType, "content type is neither JSON nor JSON lines")
	}
	return nil
}

func (generic) decode(plain []byte) ([]Entry, *Answer) {
	split := splitLines
	if bytes.HasPrefix(bytes.TrimLeft(plain, " \t\r\n"), []byte("[")) {
		split = splitArray
	}
	items, err := split(plain)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, err.Error())
	}
	entries := make([]Entry, len(items))
	for i, item := range items {
		entries[i] = genericEntry(item)
	}
	return entries, nil
}

func genericEntry(i item) Entry {
	return Entry{
		Message: text(i.members["message"]),
		ID:      text(i.members["id"]),
		Host:    text(i.members["host"]),
		Service: text(i.members["service"]),
		Source:  text(i.members["source"]),
		Tags:    string(i.members["tags"]),
	}
}

// Item reads one item of a body as the intake of a destination type reads it: "datadog" or "http".
func Item(kind string, raw []byte) (Entry, error) {
	it, err := nextItem(json.NewDecoder(bytes.NewReader(raw)))
	if err != nil {
		return Entry{}, fmt.Errorf("read an item for %s: %w", kind, err)
	}
	switch kind {
	case "datadog":
		return datadogEntry(it), nil
	case "http":
		return genericEntry(it), nil
	default:
		return Entry{}, fmt.Errorf("read an item: there is no intake for a destination of type %.40q", kind)
	}
}

func mediaType(r *http.Request) string {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

// text is the string a member holds, or its JSON when it is no string.
func text(member json.RawMessage) string {
	var s string
	if len(member) == 0 || member[0] != '"' || json.Unmarshal(member, &s) != nil {
		return string(member)
	}
	return s
}

func firstText(members map[string]json.RawMessage, names ...string) string {
	for _, name := range names {
		if s := text(members[name]); s != "" {
			return s
		}
	}
	return ""
}

func millis(member json.RawMessage) int64 {
	var n int64
	if json.Unmarshal(member, &n) != nil {
		return 0
	}
	return n
}
