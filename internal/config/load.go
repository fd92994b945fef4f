package config

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Fetcher reads the document that a reference names: "ssm:/name", "s3://bucket/key" or "file:path". An error names the
// reference and quotes nothing of the document.
type Fetcher interface {
	Fetch(ctx context.Context, reference string) ([]byte, error)
}

const (
	destinationsKey = "destinations" // member of the document that holds the list of destinations
	routesKey       = "routes"       // and the one of the routes

	maxDestinations = 100 // every one has buffers and connections of its own
)

// Environ returns a process's environment, as os.Environ gives it, by name.
func Environ(pairs []string) map[string]string {
	env := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	return env
}

// Load reads the configuration from the environment and from the document that SLUICE_CONFIG holds or names; fetch is
// asked only in the second case. A variable that is empty is not set.
//
// For settings at the top of the document, a variable wins. For settings of a destination, variables are the defaults
// that the document may change; those of the Datadog Forwarder, and those for Datadog alone, count for Datadog
// destinations. When the document names no destination, variables make one of type datadog, with the id "datadog".
//
// An error joins a SettingError for everything that is wrong and prints a line for each.
func Load(ctx context.Context, env map[string]string, fetch Fetcher) (*Config, error) {
	return loadFor(ctx, env, fetch, true)
}

// LoadTransform is Load for the transformation function of a delivery stream. Without Firehose.Tee it sends nothing: it
// needs no destination and no key, and does not look at any. With it, it is Load.
func LoadTransform(ctx context.Context, env map[string]string, fetch Fetcher) (*Config, error) {
	return loadFor(ctx, env, fetch, false)
}

func loadFor(ctx context.Context, env map[string]string, fetch Fetcher, sends bool) (*Config, error) {
	l := &loader{env: env}
	root, readable := l.document(ctx, fetch)
	c, members := l.global(root)
	if readable && (sends || c.Firehose.Tee) {
		c.Destinations = l.destinations(members[destinationsKey])
	}
	if !sends {
		c.Firehose.readItems(members[itemsKey], env, &l.problems)
	}
	checkRoutes(members[routesKey], c)
	if !sends && c.Firehose.Output == OutputOriginal && c.Alters() {
		l.add(SettingError{Place: "firehose_output", Text: "original sends the bytes as they came, which filters, sampling, " +
			"redaction, conversion, allowed_owners and routes that drop do not reach: want datadog, json or message"})
	}
	l.checkNames()
	known := c
	if !readable {
		known = nil
	}
	checkForwarder(env, known, &l.problems)
	if err := l.err(); err != nil {
		return nil, err
	}
	c.Warnings = l.warnings
	return c, nil
}

// IsFetched reports whether the document is kept elsewhere than in the environment, so that reading it can fail.
func IsFetched(env map[string]string) bool { return isReference(env[documentVariable]) }

// loader is the state of one Load.
type loader struct {
	env map[string]string
	problems
}

// document returns the mapping at the top of the document, nil when there is none, and whether it could be read.
func (l *loader) document(ctx context.Context, fetch Fetcher) (root *yaml.Node, readable bool) {
	text := l.env[documentVariable]
	document := []byte(text)
	var err error
	if isReference(text) {
		reference := strings.TrimSpace(text)
		if unpinned(reference) {
			l.warn(documentVariable, "the object is not pinned; add ?owner=<account>&version=<version id>, so that nobody else's "+
				"object can take its place")
		}
		document, err = fetch.Fetch(ctx, reference)
	}
	if err == nil {
		root, err = parseDocument(document)
	}
	if err != nil {
		problem, known := errors.AsType[SettingError](err)
		if !known {
			problem = SettingError{Place: documentVariable, Text: err.Error()}
		}
		l.add(problem)
		return nil, false
	}
	if root != nil && root.Kind != yaml.MappingNode {
		f := documentField(documentVariable, root, &l.problems)
		f.wantInstead(f.shape(), "a mapping of settings, or where it is: ssm:<name>, s3://bucket/key or file:path")
		return nil, false
	}
	return root, true
}

// global returns the settings at the top of the document and its members by their names.
func (l *loader) global(root *yaml.Node) (c *Config, members map[string]field) {
	c, members = &Config{}, map[string]field{}
	settings := globalSettings()
	for _, s := range settings {
		if s.preset != "" {
			s.kind.read(c, variableField("default of "+s.key, s.preset, &l.problems))
		}
	}
	if root != nil {
		for _, f := range documentField(documentVariable, root, &l.problems).members() {
			members[f.name] = f
			if f.name != destinationsKey {
				l.setGlobal(c, settings, f)
			}
		}
	}
	for _, s := range settings {
		for _, v := range s.variables {
			if l.env[v.name] != "" {
				s.kind.read(c, variableField(v.name, l.env[v.name], &l.problems))
				break
			}
		}
	}
	return c, members
}

func (l *loader) setGlobal(c *Config, settings []setting[Config], f field) {
	known := []string{destinationsKey}
	for _, s := range settings {
		if s.key == f.name {
			s.kind.read(c, f)
			return
		}
		known = append(known, s.key)
	}
	f.fail(unknown(f.name, known))
}

// destinations returns those of the document, or the one that variables make.
func (l *loader) destinations(list field) []Destination {
	switch {
	case list.node == nil:
	case list.node.Kind != yaml.SequenceNode:
		list.wantInstead(list.shape(), "a list of destinations")
		return nil
	case len(list.node.Content) > maxDestinations:
		list.fail(fmt.Sprintf("has %d destinations: want at most %d", len(list.node.Content), maxDestinations))
		return nil
	}
	if list.node == nil || len(list.node.Content) == 0 {
		d := newDraft(TypeDatadog, l.env, &l.problems)
		d.ID = defaultID
		return []Destination{d.finish(l.env, &l.problems)}
	}
	var destinations []Destination
	ids := map[string]bool{}
	for _, f := range list.items() {
		if f.node.Kind != yaml.MappingNode {
			f.wantInstead(f.shape(), "a mapping with id and type")
			continue
		}
		d := l.destination(f)
		if id := d.from["id"]; ids[d.ID] && d.ID != "" {
			id.want("an id that no other destination has")
		}
		ids[d.ID] = true
		destinations = append(destinations, d.finish(l.env, &l.problems))
	}
	return destinations
}

func (l *loader) destination(f field) *draft {
	members := f.members()
	var kind Type
	for _, member := range members {
		if member.name == "type" {
			kind = Type(strings.TrimSpace(member.node.Value))
		}
	}
	env := l.env
	if kind != TypeDatadog {
		env = ours(env)
	}
	if kind != TypeDatadog && kind != TypeHTTP {
		kind = ""
	}
	d := newDraft(kind, env, &l.problems)
	d.whole = f
	d.document(members)
	d.require("id", "", &l.problems)
	d.require("type", "", &l.problems)
	return d
}

// ours returns the variables that Sluice has named. Those of the Datadog Forwarder are for Datadog destinations.
func ours(env map[string]string) map[string]string {
	list := map[string]string{}
	for name, value := range env {
		if strings.HasPrefix(name, prefix) {
			list[name] = value
		}
	}
	return list
}

// prefix starts the names of all variables of Sluice.
const prefix = "SLUICE_"

// checkNames reports variables that start like ours and are none.
func (l *loader) checkNames() {
	known := []string{documentVariable}
	for _, s := range globalSettings() {
		known = append(known, s.names()...)
	}
	for _, s := range destinationSettings() {
		known = append(known, s.names()...)
	}
	for _, name := range slices.Sorted(maps.Keys(l.env)) {
		if strings.HasPrefix(name, prefix) && !slices.Contains(known, name) {
			l.add(SettingError{Place: fmt.Sprintf("%.*s", 2*maxNameBytes, name), Text: unknown(name, known)})
		}
	}
}

// names returns the names of the variables that set s.
func (s setting[T]) names() []string {
	list := make([]string, len(s.variables))
	for i, v := range s.variables {
		list[i] = v.name
	}
	return list
}
