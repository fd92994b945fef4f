package config

import (
	"fmt"
	"slices"
	"strings"

	"sluice/internal/format"
	"sluice/internal/re2"
	"sluice/internal/service"
)

// Route says what holds for some logs in place of what holds for all. It is for those for which all of its patterns that
// are not empty match.
type Route struct {
	// Patterns in which * stands for any text, or, behind a ~, regular expressions (RE2) that match somewhere: of the log
	// group, the log stream, the bucket, the decoded key, the name or the ARN of a Kinesis or delivery stream, queue or
	// topic, the account that owns the log, and the source that was found for it.
	LogGroup, LogStream, Bucket, Key, Stream, Owner, FromSource string

	Source, Service, Host string   // replace what was found; empty keeps it
	Log                   string   // replaces the shape of the lines that was found: a service.Log that has attributes
	Columns               string   // names of columns, spaces between them, of lines without a header; empty: as documented
	Tags                  []string // added behind Config.Tags
	Destinations          []string // ids; empty for all
	Drop                  bool     // nothing is sent

	Multiline  Multiline
	Processing Processing // Include, Exclude and Redact are added to those of Config, the others take their place if set
}

const (
	wantPattern = "a pattern of 1 to 1024 bytes, in which * stands for any text, or ~ and a regular expression of RE2"
	wantLog     = "a kind of log, as the page logs.md names them, such as vpc-flow"
	wantColumns = "1 to 256 names of columns with spaces between them, at most 16 KiB"
	wantIDs     = "ids of destinations: a list, or separated by commas"

	maxPatternBytes = 1024 // a key has no more; Amazon S3 user guide, "Naming Amazon S3 objects"
	maxRoutes       = 1000

	dropKey         = "drop" // of a route
	redactKey       = "redact"
	regexpCharacter = "~" // starts a pattern that is a regular expression
)

// routesSetting returns the setting of all routes.
func routesSetting() setting[Config] {
	return setting[Config]{
		key: routesKey, otherwise: "none",
		kind: kind[Config]{"a list of mappings, see Routes", readRoutes},
		meaning: "What holds for some logs instead: the first route counts all of whose patterns match. A route without a pattern " +
			"is for all logs and may only be the last.",
	}
}

// routeSettings returns the settings of a route.
func routeSettings() []setting[Route] {
	return slices.Concat(patternSettings(), labelSettings(),
		multilineSettings(func(r *Route) *Multiline { return &r.Multiline }, false),
		processingSettings(func(r *Route) *Processing { return &r.Processing }, false))
}

// patternSettings returns the settings that say for which logs a route is.
func patternSettings() []setting[Route] {
	one := func(key, meaning string, at func(*Route) *string) setting[Route] {
		return setting[Route]{key: key, otherwise: "all", kind: pattern(at), meaning: meaning}
	}
	return []setting[Route]{
		one("log_group", "The log group.", func(r *Route) *string { return &r.LogGroup }),
		one("log_stream", "The log stream.", func(r *Route) *string { return &r.LogStream }),
		one("bucket", "The bucket of an object.", func(r *Route) *string { return &r.Bucket }),
		one("key", "The key of an object, decoded.", func(r *Route) *string { return &r.Key }),
		one("stream", "The name or the ARN of the Kinesis or delivery stream, queue or topic.",
			func(r *Route) *string { return &r.Stream }),
		one("owner", "The account that owns the log.", func(r *Route) *string { return &r.Owner }),
		one("from_source", "The source name that was found.", func(r *Route) *string { return &r.FromSource }),
	}
}

// labelSettings returns the settings of what a route puts on records, and of where they go.
func labelSettings() []setting[Route] {
	name := func(at func(*Route) *string) kind[Route] { return word(wantName, at, isName) }
	return []setting[Route]{{
		key: "source", otherwise: "as found", kind: name(func(r *Route) *string { return &r.Source }),
		meaning: "Replaces the source name.",
	}, {
		key: "service", otherwise: "as found", kind: name(func(r *Route) *string { return &r.Service }),
		meaning: "Replaces the service name.",
	}, {
		key: "host", otherwise: "as found", kind: name(func(r *Route) *string { return &r.Host }),
		meaning: "Replaces the host.",
	}, {
		key: "log", otherwise: "as found", kind: words(wantLog, func(r *Route) *string { return &r.Log }, parseLog),
		meaning: "Replaces the kind of log that was found (logs.md), by which times, attributes and severities are read.",
	}, {
		key: "columns", otherwise: "those of the log's default format",
		kind: words(wantColumns, func(r *Route) *string { return &r.Columns }, parseColumns),
		meaning: "Names of the columns, in their order, of lines that have no header: a flow log with a format of its own, or a " +
			"real-time log of CloudFront. Attributes are named after them, and the time is read by them. Set `log` too where the " +
			"log is not recognised. AWS's own form of a format, `${version} ${vpc-id}`, works too. Such as: " +
			"`{log_group: /my/flow*, source: vpc, log: vpc-flow, columns: \"version vpc-id srcaddr dstaddr bytes start end action\"}`.",
	}, {
		key: "tags", otherwise: "none", kind: tagList(func(r *Route) *[]string { return &r.Tags }),
		meaning: "Tags put on the records, behind those of the top of the document.",
	}, {
		key: destinationsKey, otherwise: "all", kind: idList(func(r *Route) *[]string { return &r.Destinations }),
		meaning: "Where the records go; for the other destinations they are dropped and counted as `route_elsewhere`.",
	}, {
		key: dropKey, preset: "false", kind: toggle(func(r *Route) *bool { return &r.Drop }),
		meaning: "Drops the records and counts them as `route_drop`. Nothing but patterns stands beside it.",
	}}
}

// pattern reads a pattern of a route. It is not shown: it may be what somebody wants to hide.
func pattern(at func(*Route) *string) kind[Route] {
	return kind[Route]{wantPattern, func(r *Route, f field) {
		text, ok := f.text(wantPattern)
		if !ok {
			return
		}
		text = strings.TrimSpace(text)
		if problem := patternProblem(text); problem != "" {
			f.fail(problem)
			return
		}
		*at(r) = text
	}}
}

// patternProblem says what keeps a text from being a pattern of a route; "" if nothing does.
func patternProblem(text string) string {
	expr, is := strings.CutPrefix(text, regexpCharacter)
	if expr == "" || len(text) > maxPatternBytes {
		return "want " + wantPattern
	}
	if !is {
		return ""
	}
	if problem := re2.Problem(expr); problem != "" {
		return "the text behind the " + regexpCharacter + " " + problem
	}
	return ""
}

// parseLog accepts a log whose lines say something.
func parseLog(text string) (string, bool) { return text, format.Fields(service.Log(text)) != nil }

// parseColumns accepts names with spaces or commas between them, as AWS shows a format, and puts one space there.
func parseColumns(text string) (string, bool) {
	const most, mostBytes = 256, 16 << 10
	names := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\t' })
	return strings.Join(names, " "), len(names) > 0 && len(names) <= most && len(text) <= mostBytes
}

// idList reads "a,b" or a list of such texts.
func idList(at func(*Route) *[]string) kind[Route] {
	return kind[Route]{wantIDs, func(r *Route, f field) {
		var ids []string
		eachText(f, wantIDs, func(item field, id string) {
			if !isID(id) || slices.Contains(ids, id) {
				item.wantInstead(quote(id), wantIDs+", each once")
				return
			}
			ids = append(ids, id)
		})
		if f.shape() == aList && len(f.items()) == 0 {
			f.fail("is empty: want " + wantIDs)
		}
		*at(r) = ids
	}}
}

// readRoutes reads a list of routes.
func readRoutes(c *Config, f field) {
	items, ok := f.entries("routes", maxRoutes, "a list of routes")
	if !ok {
		return
	}
	c.Routes = nil
	for i, item := range items {
		c.Routes = append(c.Routes, readRoute(item, i == len(items)-1))
	}
}

// readRoute reads the mapping of a route. The last one may be for everything.
func readRoute(f field, last bool) (r Route) {
	if f.shape() != aMapping {
		f.wantInstead(f.shape(), "a mapping of patterns such as log_group or bucket, and of what holds then")
		return r
	}
	from := fill(&r, routeSettings(), f)
	var patterns []string
	narrow := false
	for _, s := range patternSettings() {
		patterns = append(patterns, s.key)
		_, set := from[s.key]
		narrow = narrow || set
	}
	if !narrow && !last {
		f.fail("has no pattern, so that no route behind it counts: want one of " + strings.Join(patterns, ", ") +
			", or make it the last")
	}
	if !r.Drop {
		return r
	}
	for _, s := range routeSettings() {
		if member, set := from[s.key]; set && s.key != dropKey && !slices.Contains(patterns, s.key) {
			member.fail("has no effect, as the route drops everything: leave this or drop out")
		}
	}
	return r
}

// checkRoutes checks what routes say of other settings, once all are read.
func checkRoutes(f field, c *Config) {
	if f.node == nil || f.shape() != aList || len(f.node.Content) != len(c.Routes) {
		return
	}
	warnOfHidden(f, c.Routes)
	taken := map[string]bool{}
	for _, rule := range c.Redact {
		taken[rule.Name] = true
	}
	for i, item := range f.items() {
		if ids, set := item.member(destinationsKey); set {
			checkIDs(ids, c.Destinations)
		}
		rules, set := item.member(redactKey)
		if !set || rules.shape() != aList {
			continue
		}
		// A name says which rule has replaced how much, and the rules of both places are applied together.
		for j, rule := range rules.items() {
			if names := c.Routes[i].Processing.Redact; j < len(names) && names[j].Name != "" && taken[names[j].Name] {
				rule.fail("has the name of a rule at the top of the document: give it another")
			}
		}
	}
}

// maxHidden bounds the routes that a warning names.
const maxHidden = 10

// warnOfHidden warns of routes that never count, since one before them matches whatever they match.
func warnOfHidden(f field, routes []Route) {
	var hidden []string
	for i := range routes {
		first := slices.IndexFunc(routes[:i], func(earlier Route) bool { return earlier.hides(&routes[i]) })
		if first < 0 {
			continue
		}
		if len(hidden) == maxHidden {
			hidden = append(hidden, "and more")
			break
		}
		hidden = append(hidden, fmt.Sprintf("routes[%d] behind routes[%d]", i, first))
	}
	if len(hidden) > 0 {
		f.to.warn(routesKey, "some never count, as a route before them has the same patterns, or some of them: "+
			strings.Join(hidden, ", ")+"; put them in front, or leave them out")
	}
}

// hides reports whether r matches all that a route behind it matches, as all its patterns are among that one's.
func (r *Route) hides(other *Route) bool {
	for _, pair := range [...][2]string{
		{r.LogGroup, other.LogGroup},
		{r.LogStream, other.LogStream},
		{r.Bucket, other.Bucket},
		{r.Key, other.Key},
		{r.Stream, other.Stream},
		{r.Owner, other.Owner},
		{r.FromSource, other.FromSource},
	} {
		if pair[0] != "" && pair[0] != pair[1] {
			return false
		}
	}
	return true
}

// checkIDs reports ids that no destination has. Without destinations there is nothing to compare with.
func checkIDs(f field, list []Destination) {
	if len(list) == 0 {
		return
	}
	ids := make([]string, len(list))
	for i, d := range list {
		ids[i] = d.ID
	}
	eachText(f, wantIDs, func(item field, id string) {
		if isID(id) && !slices.Contains(ids, id) {
			item.fail(quote(id) + ", as a destination: " + unknown(id, ids))
		}
	})
}
