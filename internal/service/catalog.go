package service

import (
	"cmp"
	"slices"
	"strings"
)

// Channel is what of a log's way to us tells who wrote it.
type Channel string

// The channels, in the order of a reader. What a message tells holds for all ways that it may come: a shape that log groups,
// objects and streams share is named for each.
const (
	ByLogGroup Channel = "log group"      // the names of a log group and a log stream of CloudWatch Logs
	ByMessage  Channel = "log message"    // the first message of a payload of CloudWatch Logs, where the names do not tell
	ByKey      Channel = "object key"     // of S3
	ByContent  Channel = "object content" // of S3, where the key does not tell
	ByStream   Channel = "stream"         // the name of a Kinesis or Firehose stream
	ByRecord   Channel = "stream record"  // of Kinesis or Firehose, where the stream does not tell
	ByEvent    Channel = "event"          // the source of an event of EventBridge
)

// Entry is one log of one service, and all that tells it.
type Entry struct {
	Log     Log    // "" where the lines have no shape that is known
	Source  string // never empty
	Service string // "" where it is the source, and for Lambda, whose logs go by the function's name
	NotALog bool   // AWS writes it for itself: nothing of it is forwarded
	Ways    []Way  // in the order in which they are tried on a channel
}

// Way says in plain words what tells a log on one channel. Fixed parts stand in backquotes, as in Markdown; those of keys
// and log groups count in any letter case. Of a message, the content of an object and a record it says what they begin with,
// in the same words where it is the same test.
type Way struct {
	Channel Channel
	Tells   string // such as "log group starts with `/aws/rds/` and ends with `/postgresql`", or "JSON with `a` and `b`"
}

// Catalog returns what the tables of this package say, in words: an entry for each log, source and service, sorted by source.
// It is made from the tables that decide, for documentation. The caller may change it.
func Catalog() []Entry {
	var c catalog
	for _, r := range nameRules {
		c.add(Entry{Log: r.log, Source: r.source, Service: r.service}, ByLogGroup, r.tells())
	}
	for _, r := range hintRules {
		c.add(Entry{Log: r.log, Source: r.source, Service: r.service}, ByLogGroup, r.tells()+", and the message tells no other log")
	}
	c.addTexts(textShapes[:], ByMessage, ByContent, ByRecord)
	for i := range jsonShapes {
		s := &jsonShapes[i]
		e := Entry{Log: s.log, Source: s.source, NotALog: s.log == CloudTrailDigest}
		if !s.inS3 {
			c.add(e, ByMessage, s.about())
		}
		c.add(e, ByContent, s.about())
		c.add(e, ByRecord, s.about())
	}
	for _, r := range keyRules {
		c.add(Entry{Log: r.log, Source: r.source, Service: r.service, NotALog: r.notALog}, ByKey, r.tells())
	}
	c.addTexts(documentShapes[:], ByContent, ByRecord)
	c.addTexts(directiveShapes[:], ByContent, ByRecord)
	c.addTexts(lineShapes[:], ByContent, ByRecord)
	for _, r := range streamRules {
		c.add(Entry{Log: r.log, Source: r.source}, ByStream, "name of the stream starts with "+quoted(r.name))
	}
	for _, r := range eventRules {
		c.add(Entry{Log: r.log, Source: r.source}, ByEvent, "source of the event is "+quoted(r.event))
	}
	slices.SortFunc(c.entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Log, b.Log), cmp.Compare(a.Service, b.Service))
	})
	return c.entries
}

// catalog collects ways by what they tell.
type catalog struct{ entries []Entry }

func (c *catalog) add(e Entry, channel Channel, tells string) {
	at := slices.IndexFunc(c.entries, func(known Entry) bool {
		return known.Log == e.Log && known.Source == e.Source && known.Service == e.Service && known.NotALog == e.NotALog
	})
	if at < 0 {
		at = len(c.entries)
		c.entries = append(c.entries, e)
	}
	c.entries[at].Ways = append(c.entries[at].Ways, Way{Channel: channel, Tells: tells})
}

func (c *catalog) addTexts(shapes []textShape, channels ...Channel) {
	for _, s := range shapes {
		for _, channel := range channels {
			c.add(Entry{Log: s.log, Source: s.source, Service: s.service}, channel, s.about)
		}
	}
}

// tells says what a log group and a stream have to be called for the rule to hold.
func (r *rule) tells() string {
	var tests []string
	switch {
	case r.whole:
		tests = append(tests, "is "+quoted(r.group))
	case r.group != "":
		tests = append(tests, "starts with "+quoted(r.group))
	}
	if r.word != "" {
		tests = append(tests, "contains "+quoted(r.word))
	}
	if r.end != "" {
		tests = append(tests, "ends with "+quoted(r.end))
	}
	text := ""
	if len(tests) > 0 {
		text = "log group " + strings.Join(tests, " and ")
	}
	stream := ""
	switch {
	case r.stream != "":
		stream = "log stream starts with " + quoted(r.stream)
	case r.shape != nil:
		stream = "log stream is " + r.about
	}
	if text != "" && stream != "" {
		text += ", "
	}
	text += stream
	if r.several {
		text += ", and the message tells no other log of this source"
	}
	return text
}

// tells says what a key has to be for the rule to hold.
func (r *keyRule) tells() string {
	var tests []string
	if r.folder != "" {
		tests = append(tests, "object key has a folder "+quoted(r.folder))
	}
	if r.part != "" {
		tests = append(tests, "file name is "+quoted("<account>_"+r.part+"_…"))
	}
	if r.word != "" {
		tests = append(tests, "object key contains "+quoted(r.word))
	}
	if r.file != "" {
		tests = append(tests, "file name is "+quoted(r.file))
	}
	if r.shape != nil {
		tests = append(tests, r.about)
	}
	if r.name != "" {
		tests = append(tests, "file name contains "+quoted(r.name))
	}
	return strings.Join(tests, ", and ")
}

// about says what a message has to be to have the shape.
func (s *jsonShape) about() string {
	names := make([]string, 0, len(s.members))
	for _, member := range s.members {
		names = append(names, strings.ReplaceAll(quoted(member), "|", "` or `"))
	}
	text := "JSON with " + names[0]
	if last := len(names) - 1; last > 0 {
		text = "JSON with " + strings.Join(names[:last], ", ") + " and " + names[last]
	}
	if s.text != "" {
		text += ", and " + quoted(s.text) + " in it"
	}
	return text
}

func quoted(fixed string) string { return "`" + fixed + "`" }
