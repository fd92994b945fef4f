package rig

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
)

// search looks for words that must not stand somewhere, in every form they may have taken on the way.
type search struct {
	secrets  [][]byte // forms of the API keys
	payloads [][]byte // forms of the word that is in every line
	hits     []string // where, and which of them
}

// search is a search for the keys of the rig and its lines' canary.
func (r *Rig) search() *search {
	s := &search{payloads: formsOf(r.canary)}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range r.used {
		s.secrets = append(s.secrets, formsOf(key)...)
	}
	return s
}

// formsOf are a word as it is, and in hex, base64 and URL encoding. In base64 it may start at any of three places.
func formsOf(word string) [][]byte {
	raw := []byte(word)
	lower := hex.EncodeToString(raw)
	forms := make([]string, 0, 13)
	forms = append(forms,
		word, lower, strings.ToUpper(lower), url.QueryEscape(word), url.PathEscape(word),
		percent(lower), percent(strings.ToUpper(lower)),
	)
	for _, coding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 {
			text := coding.EncodeToString(append(make([]byte, shift), raw...))
			first, last := (shift*8+5)/6, (shift+len(raw))*8/6 // characters that depend on the word alone
			forms = append(forms, text[first:last])
		}
	}
	slices.Sort(forms)
	forms = slices.Compact(forms)
	list := make([][]byte, 0, len(forms))
	for _, form := range forms {
		list = append(list, []byte(form))
	}
	return list
}

// percent writes every byte of hex digits as "%41".
func percent(digits string) string {
	var b strings.Builder
	for i := 0; i < len(digits); i += 2 {
		b.WriteByte('%')
		b.WriteString(digits[i : i+2])
	}
	return b.String()
}

// look searches a text. Lines may hold the canary, keys stand nowhere.
func (s *search) look(where string, text []byte, holdsLines bool) {
	if containsAny(text, s.secrets) {
		s.hits = append(s.hits, where+" holds an API key")
	}
	if !holdsLines && containsAny(text, s.payloads) {
		s.hits = append(s.hits, where+" holds a line's text")
	}
}

func containsAny(text []byte, forms [][]byte) bool {
	return slices.ContainsFunc(forms, func(form []byte) bool { return bytes.Contains(text, form) })
}

// stored searches an object of the park bucket with its key and its metadata. Lines' text stands in items and in raw input
// alone, and in what Lambda put there, which is not ours.
func (s *search) stored(key string, body []byte, metadata map[string]string) {
	s.look("the key "+key, []byte(key), false)
	for name, value := range metadata {
		s.look("the metadata of "+key, []byte(name+"="+value), false)
	}
	folder, _, _ := strings.Cut(strings.TrimPrefix(key, parkRoot), "/")
	switch {
	case !strings.HasPrefix(key, parkRoot):
		s.look(key, body, true)
	case folder == "pending" || folder == "dead":
		head, items := unpacked(body)
		s.look("the header of "+key, head, false)
		s.look("an item of "+key, items, true)
	case folder == "dead-raw":
		s.look("the header of "+key, withoutPayload(body), false)
		s.look(key, body, true)
	default:
		s.look(key, body, false)
	}
}

// unpacked are the header and the items of a parked object; what is none is all header.
func unpacked(body []byte) (head, items []byte) {
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return body, nil
	}
	plain, _ := io.ReadAll(r) // the part that can be read
	head, items, _ = bytes.Cut(plain, []byte("\n"))
	return head, items
}

// withoutPayload is raw input without the input.
func withoutPayload(body []byte) []byte {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return body
	}
	delete(members, "payload")
	rest, err := json.Marshal(members)
	if err != nil {
		return body
	}
	return rest
}

// searchRest searches what the functions printed, and what the intakes saw beside bodies and keys.
func (r *Rig) searchRest(s *search) {
	for name, function := range r.running() {
		for i, line := range function.Output() {
			s.look(fmt.Sprintf("line %d of the output of functions/%s", i+1, name), []byte(line), false)
		}
	}
	for i, d := range r.History() {
		s.look(fmt.Sprintf("the error of delivery %d", i+1), []byte(d.Error), false)
	}
	for id, server := range r.intakes {
		for _, q := range server.Requests() {
			for name, values := range q.Header {
				s.look(fmt.Sprintf("header %s of request %d to %s", name, q.Number, id), []byte(strings.Join(values, "\n")), false)
			}
		}
	}
	for _, q := range r.S3.Requests() {
		s.look("a request to S3", []byte(q.Key+"?"+q.Query), false)
	}
}
