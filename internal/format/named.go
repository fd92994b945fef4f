package format

import "bytes"

// Name tells c the columns of lines that have no header, in their order, as a setting says them: names with spaces, tabs or
// commas between them. A header that is met later takes their place. It does nothing for a log without such columns, and for
// more than 16 KiB. The names are not kept.
func (c *Clock) Name(columns []byte) {
	if c == nil || c.layout == nil || c.layout.name == nil || len(columns) == 0 || len(columns) > maxHeaderBytes {
		return
	}
	c.named, c.names = true, c.layout.name(columns)
}

// name finds the best of the columns that tell the time.
func (f *flow) name(columns []byte) names {
	at := names{date: -1, time: -1, epoch: -1, unit: inSeconds}
	n, rank := 0, len(f.times)
	for name := range bytes.FieldsFuncSeq(columns, isSeparator) {
		for i, wanted := range f.times[:rank] {
			if string(unwrappedName(name)) == wanted {
				at.epoch, rank = n, i
			}
		}
		n++
	}
	return at
}

// cloudFrontNames finds date and time, or an epoch time, of which the one in ms is the better.
func cloudFrontNames(columns []byte) names {
	at := names{date: -1, time: -1, epoch: -1}
	n := 0
	for name := range bytes.FieldsFuncSeq(columns, isSeparator) {
		switch string(unwrappedName(name)) {
		case "date":
			at.date = n
		case "time":
			at.time = n
		case "timestamp":
			if at.epoch < 0 {
				at.epoch, at.unit = n, inSeconds
			}
		case "timestamp(ms)":
			at.epoch, at.unit = n, inMillis
		}
		n++
	}
	return at
}

// realtimeMillis reads a real-time log. Of its columns nothing is known but what it is told; else the time is the first,
// which is how such a line is recognised, if it is seconds of this century with a fraction, and not a duration or a size.
// Source: CloudFront developer guide, "Use real-time access logs", fields: the time has a fraction of ms.
func realtimeMillis(c *Clock, line []byte) int64 {
	if c.named {
		return tabbedEpoch(line, c.names)
	}
	const digits = len("1706745600")
	if byteAt(line, digits) != '.' {
		return 0
	}
	return tabbedEpoch(line, names{date: -1, time: -1, epoch: 0, unit: inSeconds})
}

// tabbedEpoch reads the epoch time of columns that tabs separate; 0 where there is none.
func tabbedEpoch(line []byte, at names) int64 {
	if at.epoch < 0 {
		return 0
	}
	text, _ := column(line, at.epoch, '\t')
	ms, ok := parseEpoch(text, at.unit)
	if !ok {
		return 0
	}
	return ms
}
