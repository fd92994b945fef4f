package forward

import (
	"sluice/internal/config"
	"sluice/internal/destination/datadog"
	"sluice/internal/record"
)

// datadogItems says how items for Datadog look, wherever they go. redacted says that text of some logs is replaced.
func datadogItems(items config.Items, redacted bool) datadog.Options {
	o := datadog.Options{
		Version: Version, Attributes: attributesOf(items.Attributes, redacted), AsText: items.Structured == config.StructuredText,
	}
	if items.Late == config.LateSend {
		o.Late = datadog.KeepDate
	}
	switch items.EventID {
	case config.EventIDShort:
		o.EventID = datadog.ShortID
	case config.EventIDNone:
		o.EventID = datadog.NoID
	case config.EventIDFull:
	}
	return o
}

// reshaperOf returns what gives records the shape that Datadog wants; nil where they stay as they are.
func reshaperOf(items config.Items) func(r *record.Record) []*record.Record {
	if !items.Reshape {
		return nil
	}
	return new(datadog.Reshaper).Each
}
