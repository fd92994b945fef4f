package forward

import (
	"time"

	"sluice/internal/config"
	"sluice/internal/destination/datadog"
	"sluice/internal/destination/httpjson"
	"sluice/internal/event"
	"sluice/internal/record"
)

// transformer says what the transformation makes of a line.
type transformer struct {
	whole   bool                                      // nothing: a record stays as it is
	reshape func(r *record.Record) []*record.Record   // what is sent in place of a record; nil for the record itself
	append  func(dst []byte, r *record.Record) []byte // the item of a record
	keys    []config.PartitionKey

	attributes func(dst []byte, r *record.Record) (out []byte, ok bool) // of a line; nil for none
	bare       bool                                                     // they are left out
	adorned    int                                                      // lines that have had some, ever
}

// transformerOf returns what makes the output of the settings. Items are those of a destination of the type that takes them.
func transformerOf(cfg *config.Config, now func() time.Time) *transformer {
	t := &transformer{keys: cfg.Firehose.PartitionKeys}
	items := cfg.Firehose.Items
	switch cfg.Firehose.Output {
	case config.OutputOriginal:
		t.whole = true
	case config.OutputMessage:
		t.append = func(dst []byte, r *record.Record) []byte { return withoutNewline(r.Message.AppendPlain(dst), len(dst)) }
	case config.OutputJSON:
		t.attributes = attributesOf(items.Attributes, cfg.Redacts())
		t.append = httpjson.NewItems(t.optional(), maxTransformedBytes-len("\n")).Append
	case config.OutputDatadog:
		o := datadogItems(items, cfg.Redacts())
		t.attributes = o.Attributes
		o.Attributes, o.Now = t.optional(), now
		t.reshape, t.append = reshaperOf(items), datadog.New(o).Append
	}
	return t
}

// optional returns what appends the attributes of a line unless they are left out; nil where there are never any.
func (t *transformer) optional() func(dst []byte, r *record.Record) (out []byte, ok bool) {
	if t.attributes == nil {
		return nil
	}
	return func(dst []byte, r *record.Record) ([]byte, bool) {
		if t.bare {
			return dst, false
		}
		out, ok := t.attributes(dst, r)
		if ok {
			t.adorned++
		}
		return out, ok
	}
}

// withoutNewline takes away the line feed that a text ends with, as one is put behind it. start is where the text begins.
func withoutNewline(dst []byte, start int) []byte {
	if n := len(dst); n > start && dst[n-1] == '\n' {
		return dst[:n-1]
	}
	return dst
}

// unknownKey stands for what a line does not say: a key that is missing would fail the whole record.
const unknownKey = "unknown"

// keysOf appends what a record is partitioned by, of its first line.
func (t *transformer) keysOf(keys []event.PartitionKey, r *record.Record) []event.PartitionKey {
	for _, key := range t.keys {
		value := attributeOf(key, r)
		if value == "" {
			value = unknownKey
		}
		keys = append(keys, event.PartitionKey{Name: string(key), Value: value})
	}
	return keys
}

func attributeOf(key config.PartitionKey, r *record.Record) string {
	o := r.Origin
	switch key {
	case config.BySource:
		return o.Source
	case config.ByService:
		return o.Service
	case config.ByAccount:
		return o.Owner
	case config.ByRegion:
		return o.Region
	case config.ByLogGroup:
		return o.LogGroup
	case config.ByYear, config.ByMonth, config.ByDay, config.ByHour:
	}
	if r.TimeMillis == 0 {
		return ""
	}
	return r.Time().Format(layoutOf(key))
}

// layoutOf is how package time writes a part of the time.
func layoutOf(key config.PartitionKey) string {
	switch key {
	case config.ByYear:
		return "2006"
	case config.ByMonth:
		return "01"
	case config.ByDay:
		return "02"
	default:
		return "15"
	}
}
