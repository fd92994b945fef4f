package config

import (
	"cmp"
	"slices"
	"strings"
)

// Firehose is what the transformation function of a delivery stream does.
type Firehose struct {
	// Output is what a record becomes. Never empty; default OutputDatadog.
	Output Output
	// PartitionKeys name what a record is partitioned by, for streams with dynamic partitioning. Zero value: nothing.
	PartitionKeys []PartitionKey
	// Reingest says that records for which the answer has no room are put into the stream again. Default false.
	Reingest bool
	// Tee says that records are delivered to the destinations too. Default false.
	Tee bool

	// Items are those of a destination, of TypeDatadog for OutputDatadog and of TypeHTTP for OutputJSON. Zero for other
	// outputs, and of Load. Setting: firehose_items, and the variables of destinations.
	Items Items
}

// Items say what the items of a destination look like. All but Attributes is zero where it is not of TypeDatadog.
type Items struct {
	Attributes Attributes
	Late       Late
	Structured Structured
	Reshape    bool
	EventID    EventID
}

// Items returns what the items of the destination look like.
func (d *Destination) Items() Items {
	return Items{
		Attributes: d.Attributes, Late: d.Datadog.Late, Structured: d.Datadog.Structured, Reshape: d.Datadog.Reshape,
		EventID: d.Datadog.EventID,
	}
}

// Output is what a record of a delivery stream becomes.
type Output string

// The outputs.
const (
	OutputDatadog  Output = "datadog"  // items as Datadog takes them, one a line
	OutputJSON     Output = "json"     // normalised JSON objects, one a line
	OutputMessage  Output = "message"  // the texts alone, one a line
	OutputOriginal Output = "original" // the bytes as they came
)

// PartitionKey names an attribute of the first line of a record.
type PartitionKey string

// The attributes a record can be partitioned by. The last four are of the time of the event, in UTC.
const (
	BySource   PartitionKey = "source"
	ByService  PartitionKey = "service"
	ByAccount  PartitionKey = "account"
	ByRegion   PartitionKey = "region"
	ByLogGroup PartitionKey = "log_group"
	ByYear     PartitionKey = "year"
	ByMonth    PartitionKey = "month"
	ByDay      PartitionKey = "day"
	ByHour     PartitionKey = "hour"
)

var partitionKeys = []PartitionKey{BySource, ByService, ByAccount, ByRegion, ByLogGroup, ByYear, ByMonth, ByDay, ByHour}

// firehoseSettings returns the settings of the transformation function.
func firehoseSettings() []setting[Config] {
	return []setting[Config]{{
		key: "firehose_output", variables: variables("SLUICE_FIREHOSE_OUTPUT"), preset: string(OutputDatadog),
		kind: choice(func(c *Config) *Output { return &c.Firehose.Output },
			OutputDatadog, OutputJSON, OutputMessage, OutputOriginal),
		meaning: "What the transformation function makes of a record: items as Datadog takes them or normalised JSON, one a " +
			"line, the texts alone, or the bytes as they came, without what is no log.",
	}, {
		key: itemsKey, otherwise: "what the variables of these settings say", kind: itemMapping(),
		meaning: "What the items of the outputs `datadog` and `json` look like, as of a destination of type `datadog` or `http`: its " +
			"`attributes`, and for `datadog` its `late`, `structured`, `reshape` and `event_id`. They win over their variables.",
	}, {
		key: "firehose_partition_keys", variables: variables("SLUICE_FIREHOSE_PARTITION_KEYS"), otherwise: "none",
		kind: partitionKeyList(),
		meaning: "What records are partitioned by, for a stream with dynamic partitioning: each is a key of " +
			"`!{partitionKeyFromLambda:…}`. The first line of a record counts; what it does not say is `unknown`.",
	}, {
		key: "firehose_reingest", variables: variables("SLUICE_FIREHOSE_REINGEST"), preset: "false",
		kind: toggle(func(c *Config) *bool { return &c.Firehose.Reingest }),
		meaning: "Puts records for which an answer has no room into the stream again, or into the Kinesis stream behind it, " +
			"three times at most. Otherwise Firehose writes them to its error prefix, from where `functions/s3` sends them. Not " +
			"for streams that decompress: they refuse such records.",
	}, {
		key: "firehose_tee", variables: variables("SLUICE_FIREHOSE_TEE"), preset: "false",
		kind: toggle(func(c *Config) *bool { return &c.Firehose.Tee }),
		meaning: "Delivers the records of the transformation to the destinations too, which are then needed there. What a " +
			"destination does not take is parked and stays in the stream. Firehose repeats an invocation that failed: its lines " +
			"are then delivered twice.",
	}}
}

// itemKeys are the settings that Items are read from.
func itemKeys() []string { return []string{"attributes", "late", "structured", "reshape", "event_id"} }

// itemsKey is the member of the document that says what items look like.
const itemsKey = "firehose_items"

// itemMapping checks what the document says of items; readItems reads it, when it is known what they are.
func itemMapping() kind[Config] {
	const want = "a mapping of settings of a destination: attributes, late, structured, reshape, event_id"
	return kind[Config]{want, func(_ *Config, f field) {
		if f.shape() != aMapping {
			f.wantInstead(f.shape(), want)
			return
		}
		d := &draft{from: map[string]field{}}
		for _, member := range f.members() {
			if !slices.Contains(itemKeys(), member.name) {
				member.fail(unknown(member.name, itemKeys()))
				continue
			}
			d.set(member)
		}
	}}
}

// readItems completes what items look like. Of variables, the document and all there is to a destination, only what is
// about them is looked at.
func (f *Firehose) readItems(document field, env map[string]string, to *problems) {
	var kind Type
	switch f.Output {
	case OutputDatadog:
		kind = TypeDatadog
	case OutputJSON:
		kind = TypeHTTP
	case OutputMessage, OutputOriginal:
		return
	}
	d := newDraft(kind, env, to, itemKeys()...)
	for _, s := range destinationSettings() {
		if document.node == nil || s.scope != "" && s.scope != kind || !slices.Contains(itemKeys(), s.key) {
			continue
		}
		if member, is := document.member(s.key); is {
			s.kind.read(d, member)
		}
	}
	f.Items = d.Items()
	f.Items.Attributes = cmp.Or(d.Attributes, usualAttributes(kind))
}

// partitionKeyList reads "source,year" or a list of such texts.
func partitionKeyList() kind[Config] {
	names := make([]string, len(partitionKeys))
	for i, key := range partitionKeys {
		names[i] = string(key)
	}
	allowed := "names out of " + strings.Join(names, ", ") + ": a list, or separated by commas"
	return kind[Config]{allowed, func(c *Config, f field) {
		c.Firehose.PartitionKeys = nil
		eachText(f, allowed, func(item field, text string) {
			key := PartitionKey(text)
			if !slices.Contains(partitionKeys, key) || slices.Contains(c.Firehose.PartitionKeys, key) {
				item.want(allowed)
				return
			}
			c.Firehose.PartitionKeys = append(c.Firehose.PartitionKeys, key)
		})
	}}
}

// eachText reads a list, or a text of parts separated by commas.
func eachText(f field, allowed string, add func(item field, text string)) {
	items := []field{f}
	if f.shape() == aList {
		items = f.items()
	}
	for _, item := range items {
		text, ok := item.text(allowed)
		if !ok {
			continue
		}
		for part := range strings.SplitSeq(text, ",") {
			add(item, strings.TrimSpace(part))
		}
	}
}
