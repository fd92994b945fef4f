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
	whole  bool // nothing: a record stays as it is
	append func(dst []byte, r *record.Record) []byte
	keys   []config.PartitionKey
}

func transformerOf(cfg *config.Config, now func() time.Time) *transformer {
	t := &transformer{keys: cfg.Firehose.PartitionKeys}
	switch cfg.Firehose.Output {
	case config.OutputOriginal:
		t.whole = true
	case config.OutputMessage:
		t.append = func(dst []byte, r *record.Record) []byte { return withoutNewline(r.Message.AppendPlain(dst), len(dst)) }
	case config.OutputJSON:
		t.append = httpjson.NewItems().Append
	case config.OutputDatadog:
		t.append = datadog.New(datadog.Options{Version: Version, Now: now}).Append
	}
	return t
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
