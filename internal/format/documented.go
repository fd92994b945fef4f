package format

import (
	"slices"

	"sluice/internal/service"
)

// Fields returns the names of the attributes that a line of a log may have, as the documentation of the service calls
// them and in its order; nil for a log without attributes, or whose names are up to its users.
func Fields(log service.Log) []string {
	l := layouts[log]
	if l == nil {
		return nil
	}
	names := slices.Clone(l.fields)
	for _, t := range l.columns {
		for _, name := range t.attributes() {
			if !slices.Contains(names, name) { // lines of one log that are of several kinds have columns in common
				names = append(names, name)
			}
		}
	}
	if l.standard > 0 {
		names = names[:l.standard]
	}
	return names
}

// TimeOf says in a few words where the event time of a log comes from; empty where it is the log event's own.
func TimeOf(log service.Log) string {
	if l := layouts[log]; l != nil {
		return l.time
	}
	return ""
}
