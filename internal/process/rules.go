package process

import (
	"regexp"

	"sluice/internal/process/agent"
	"sluice/internal/process/redact"
	"sluice/internal/record"
	"sluice/internal/service"
)

// Rules are the settings that decide what becomes of a record. The zero value tags nothing and overrides nothing.
type Rules struct {
	Tags        record.Tags // put on every record, first
	Source      string      // replaces the recognised source; empty keeps it
	CoarseNames bool        // name sources as the Datadog Forwarder does

	ForwarderName    string // our function's name, for the tag forwardername
	ForwarderVersion string

	// AllowedOwners are the accounts whose payloads of CloudWatch Logs are taken; empty for all.
	AllowedOwners []string
	OwnLogGroup   string // where our own function logs: forwarding that would feed itself

	Steps             // for the records of origins without a route
	Routes    []Route // tried in order; the first whose Match holds for an origin counts
	TagRules  TagRules
	Resources Resources // nil: no tags of resources are looked up

	// RedactAll are the redaction rules of the steps and of all routes, for items of which nobody knows any more where they
	// came from; nil replaces nothing.
	RedactAll *redact.Rules
}

// Steps are what a record goes through. The zero value changes nothing.
type Steps struct {
	Exclude []*regexp.Regexp // drop a record in whose message one of them matches
	Include []*regexp.Regexp // drop a record in whose message none of them matches; empty keeps all
	// ExcludeWhere drops a record of which one condition holds, IncludeWhere one of which none holds; empty keeps all.
	ExcludeWhere, IncludeWhere []Condition
	Sample                     float64          // the share of records that is kept, above 0 and up to 1; 0 keeps all
	Agent                      *agent.Converter // nil converts nothing. Cloned for each processor
	Truncate                   *agent.Splitter  // cuts what is too large, behind Redact; nil cuts nothing
	Expand                     []string         // names of members, from the outside in, that lead to an array; nil expands nothing
	Redact                     *redact.Rules    // replace text; nil replaces nothing. Shared by all processors
	Severity                   bool             // say how grave a record is, where its message tells
}

// Condition holds for a record one of whose attributes has a text that the pattern matches. An attribute is a member of the
// message, a column of its line under the name that its service gives it, or a member beside the message; inner ones are
// named by their path with dots. Of an array any element counts. Objects, arrays in arrays and null have no text.
type Condition struct {
	Attribute string
	Pattern   *regexp.Regexp
}

// Route says what becomes of the records of some origins.
type Route struct {
	// Match is asked once for records of an origin that follow each other. The origin has the source, the service and the log
	// that were found for it, and neither host nor tags.
	Match                 func(o *record.Origin) bool
	Source, Service, Host string      // replace what was found; empty keeps it
	Log                   service.Log // replaces the shape of the lines; empty keeps it
	Columns               []byte      // names the columns of lines without a header; nil for those of the log
	Tags                  record.Tags // put behind those of the rules
	Drop                  bool        // nothing is sent
	Destinations          []string    // their ids; nil for all
	Steps                             // in place of those of the rules
}

// TagRules say which tags a record may have. They are applied once per origin, in this order. The zero value keeps all.
type TagRules struct {
	Rename map[string]string // keys, by the key they had
	Allow  []string          // keys, in which * stands for any text; empty for all
	Deny   []string          // likewise
	Max    int               // tags of a record; 0 for any number. The last ones go
}

// Resources knows the tags of resources in AWS.
type Resources interface {
	// Lookup returns the tags of the resource of this kind and name in the account and region of an origin. They are not
	// changed.
	Lookup(kind Resource, o *record.Origin, name string) (record.Tags, Knowledge)
	// CountUntagged counts records that went without the tags of a resource. why is Pending or Failed.
	CountUntagged(why Knowledge, records int64)
}

// Resource is a kind of resource that has tags.
type Resource uint8

// The kinds of resources that records come from.
const (
	LogGroup Resource = iota
	Function
	Bucket
	StateMachine
)

// Knowledge says whether the tags of a resource are known.
type Knowledge uint8

// What may be known of tags, from the best to the worst.
const (
	Known   Knowledge = iota // there are no others, or nobody asks for them
	Pending                  // there may be some: nobody has said so far
	Failed                   // there may be some: asking has failed
)
