package firehose

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"sluice/internal/jsonwalk"
)

// Limits of a manifest; ours. A COPY of so many objects has never been seen.
const (
	maxEntries     = 100_000
	maxEntryErrors = 100 // reported one by one
	maxQuotedURL   = 80  // bytes of a bad URL in an error
)

const s3Scheme = "s3://"

// The folders of manifests, in today's Firehose guide and in that of 2016.
const (
	manifestFolder    = "errors/manifests/"
	oldManifestFolder = "errors/"
)

// Entry is an object that a manifest lists: intact data that a Redshift COPY did not load.
type Entry struct {
	Bucket, Key string // the key as it is: a manifest does not encode it
	// Mandatory says that COPY has to fail without the object.
	Mandatory bool
}

// IsManifest reports whether an object is a manifest for a Redshift COPY, which holds no records. doc is its text or, when
// entries is the first member, the beginning of it with at least one whole entry.
//
// The key has to be one below `errors/manifests/`, or a Firehose name below `errors/`, and the first entry an object with
// an s3:// URL; or the list be empty. With another key, nothing may be in the document but a list of entries, and nothing in
// these but an s3:// url, mandatory and meta.
// Format: Firehose developer guide, "Handle data delivery failures", Amazon Redshift; Redshift database developer guide,
// "Using a manifest to specify data files".
func IsManifest(key string, doc []byte) bool {
	list, alone := findEntries(doc)
	if list == nil {
		return false
	}
	byKey := IsManifestKey(key)
	if !byKey && !alone {
		return false
	}
	seen := 0
	entries := jsonwalk.Array(list)
	for entries.Next() {
		entry := entries.Value()
		if entry == nil {
			break // doc ends in it
		}
		located, strict := looksLikeEntry(entry)
		if !located || !byKey && !strict {
			return false
		}
		if byKey {
			return true
		}
		seen++
	}
	return seen > 0 || byKey && entries.Err() == nil
}

// IsManifestKey reports whether a key could be that of a manifest.
func IsManifestKey(key string) bool {
	if strings.Contains(key, manifestFolder) {
		return true
	}
	_, named := ParseKey(key)
	return named && strings.Contains(key, oldManifestFolder)
}

// findEntries returns the list of entries, and whether it is all there is in the document as far as that goes. A list that
// does not end is found only as the first member.
func findEntries(doc []byte) (list []byte, alone bool) {
	alone = true
	members := jsonwalk.Object(doc)
	for i := 0; members.Next(); i++ {
		if string(members.Name()) != "entries" || members.First() != '[' || list != nil {
			alone = false
			continue
		}
		list = listValue(doc, &members, i)
	}
	return list, alone && len(trimSpace(members.Rest())) == 0
}

// listValue returns the current member's value, a list; of the first member even if it does not end.
func listValue(doc []byte, members *jsonwalk.Walk, index int) []byte {
	value := members.Value()
	if value == nil && index == 0 && members.First() == '[' {
		return doc[bytes.IndexByte(doc, '['):] // the name before it has no bracket
	}
	return value
}

// looksLikeEntry reports whether an entry has an s3:// URL, and whether it has nothing that no manifest has.
func looksLikeEntry(entry []byte) (located, strict bool) {
	strict = true
	members := jsonwalk.Object(entry)
	for members.Next() {
		switch string(members.Name()) {
		case "url":
			url, _ := jsonwalk.Text(members.Value())
			located = hasScheme(string(url))
		case "mandatory", "meta":
		default:
			strict = false
		}
	}
	return located, strict && members.Err() == nil
}

// ParseManifest reads the entries of a manifest, up to 100,000.
//
// The error names each bad entry by its index, from 0, up to a hundred of them, and says what else is wrong with the
// document. The entries that could be read are returned with it.
func ParseManifest(doc []byte) ([]Entry, error) {
	var m Manifest
	found := false
	members := jsonwalk.Object(doc)
	for i := 0; members.Next(); i++ {
		if string(members.Name()) == "entries" {
			found = true
			m.read(listValue(doc, &members, i))
		}
	}
	if err := members.Err(); err != nil {
		m.fault(err)
	} else if rest := trimSpace(members.Rest()); len(rest) > 0 {
		m.fault(fmt.Errorf("%d bytes stand behind its end", len(rest)))
	}
	if !found {
		m.fault(errors.New("it has no entries"))
	}
	if err := m.Err(); err != nil {
		return m.Entries, fmt.Errorf("redshift manifest of %d bytes: %w", len(doc), err)
	}
	return m.Entries, nil
}

// Manifest is what has been read of one. The zero value is ready, for a manifest that is too long for ParseManifest: its
// entries are then added one by one.
type Manifest struct {
	Entries []Entry // the good ones

	errs  []error
	count int // of entries, bad ones included
	bad   int
	more  int // bad entries that are not in errs
}

// Add reads one more entry, a JSON text that it does not keep. It reports false, and leaves the entry out, when there are
// 100,000 already.
func (m *Manifest) Add(text []byte) bool {
	if m.count == maxEntries {
		m.fault(fmt.Errorf("entries beyond the first %d are not read: backfill the rest", maxEntries))
		return false
	}
	entry, err := readEntry(text)
	if err == nil {
		m.Entries = append(m.Entries, entry)
	} else if m.bad++; m.bad > maxEntryErrors {
		m.more++
	} else {
		m.fault(fmt.Errorf("entries[%d]: %w", m.count, err))
	}
	m.count++
	return true
}

// Err says what was wrong with the entries: each bad one by its index, from 0, up to a hundred of them.
func (m *Manifest) Err() error {
	errs := m.errs
	if m.more > 0 {
		errs = append(slices.Clip(errs), fmt.Errorf("%d further entries are bad", m.more))
	}
	return errors.Join(errs...)
}

func (m *Manifest) fault(err error) { m.errs = append(m.errs, err) }

func (m *Manifest) read(list []byte) {
	entries := jsonwalk.Array(list)
	for entries.Next() {
		if !m.Add(entries.Value()) {
			return
		}
	}
	if err := entries.Err(); err != nil {
		m.fault(fmt.Errorf("list of entries, after %d of them: %w", m.count, err))
	}
}

func readEntry(text []byte) (Entry, error) {
	var e Entry
	var url []byte
	hasURL := false
	members := jsonwalk.Object(text)
	for members.Next() {
		switch string(members.Name()) {
		case "url":
			if !utf8.Valid(members.Value()) {
				return Entry{}, errors.New("its url is not UTF-8, as every key is")
			}
			url, hasURL = jsonwalk.Text(members.Value())
		case "mandatory":
			value := string(members.Value())
			e.Mandatory = value == "true" || value == `"true"`
		}
	}
	if err := members.Err(); err != nil {
		return Entry{}, err
	}
	if !hasURL {
		return Entry{}, errors.New("it has no url, which has to be a string s3://bucket/key")
	}
	if !hasScheme(string(url)) {
		return Entry{}, notAnObject(url)
	}
	e.Bucket, e.Key, _ = strings.Cut(string(url[len(s3Scheme):]), "/")
	if e.Bucket == "" || e.Key == "" {
		return Entry{}, notAnObject(url)
	}
	return e, nil
}

func notAnObject(url []byte) error {
	return fmt.Errorf("url %q is not s3://bucket/key", firstBytes(string(url), maxQuotedURL))
}

func hasScheme(url string) bool {
	return len(url) >= len(s3Scheme) && strings.EqualFold(url[:len(s3Scheme)], s3Scheme)
}
