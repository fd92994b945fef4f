package format

import (
	"slices"

	"sluice/internal/service"
)

// Fields returns the names of the attributes that a line of a log may have, as the documentation of the service calls
// them and in its order; nil for a log without attributes, or whose names are up to its users.
func Fields(log service.Log) []string { return slices.Clone(layouts[log].fields) }

// TimeOf says in a few words where the event time of a log comes from; empty where it is the log event's own.
func TimeOf(log service.Log) string { return layouts[log].time }
