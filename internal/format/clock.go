// Package format knows how the lines of AWS services' logs are laid out, as far as is needed to say when each happened.
//
// It promises a time that the line states, or none: never a guess from the clock or from the object's key. It reads the
// few columns or members that it needs and passes over the rest without decoding, and, for lines of columns, allocates
// nothing. A line that is not as its log's lines should be has no time and does no harm.
//
// It does not split objects into lines, tell which log a line belongs to (package service does), or drop anything.
package format

import (
	"bytes"

	"sluice/internal/service"
)

// Clock finds the event time in the lines of one log, from the first to the last of an object. The zero Clock, a nil Clock,
// and that of a log without known times find none. It is not safe for concurrent use.
type Clock struct {
	log    service.Log
	layout layout
	named  bool  // a header has been seen
	names  names // what it said
}

// layout is how one log writes its lines. The functions get lines without their end and keep nothing of them.
type layout struct {
	// millis returns the event time of a line in ms since the epoch; what is out of range counts as none.
	millis func(c *Clock, line []byte) int64
	// isHeader reports whether a line names columns or is a comment, and remembers the columns. nil where a log has none.
	isHeader func(c *Clock, line []byte) bool
}

// names are the columns, from 0, in which a header has put the time; -1 for those it does not name.
type names struct {
	date, time int // CloudFront: yyyy-mm-dd, hh:mm:ss
	epoch      int
	unit       unit // of the epoch column
}

// layouts has every log whose times are known. Its functions stand in one file for each family of logs.
var layouts = map[service.Log]layout{
	// elb.go
	service.CLB:            {millis: isoColumn(0)},
	service.ALB:            {millis: isoColumn(1)},
	service.NLB:            {millis: isoColumn(2)},
	service.ELBConnection:  {millis: isoColumn(0)},
	service.ELBHealthCheck: {millis: isoColumn(1)},
	// flow.go
	service.VPCFlow:           {millis: vpcFlow.millis, isHeader: vpcFlow.isHeader},
	service.GlobalAccelerator: {millis: acceleratorFlow.millis, isHeader: acceleratorFlow.isHeader},
	// extended.go
	service.CloudFront: {millis: cloudFrontMillis, isHeader: isCloudFrontHeader},
	service.EC2Spot:    {millis: spotMillis, isHeader: isDirective},
	// text.go
	service.S3Access:         {millis: accessMillis},
	service.MSKBroker:        {millis: log4jMillis},
	service.MSKConnect:       {millis: log4jMillis},
	service.Redshift:         {millis: redshiftMillis},
	service.CloudWatchExport: {millis: isoColumn(0)},
	// json.go
	service.CloudTrail:        {millis: isoMember("eventTime")},
	service.CloudTrailInsight: {millis: isoMember("eventTime")},
	service.WAF:               {millis: epochMember("timestamp", inMillis)},
	service.NetworkFirewall:   {millis: epochMember("event_timestamp", inSeconds)},
	service.Route53Resolver:   {millis: isoMember("query_timestamp")},
	service.GuardDuty:         {millis: isoMember("updatedAt")},
	service.Evidently:         {millis: epochMember("event_timestamp", inMillis)},
	service.Chime:             {millis: epochMember("event_timestamp", inMillis)},
	service.Config:            {millis: isoMember("configurationItemCaptureTime")},
}

// NewClock returns the clock for the lines of a log. Logs that are documents, CloudTrail's and those of Config, have their
// records read, not the document.
func NewClock(log service.Log) *Clock { return &Clock{log: log, layout: layouts[log]} }

// Reset makes c a new clock for the lines of a log.
func (c *Clock) Reset(log service.Log) {
	if c.log != log {
		*c = *NewClock(log)
	}
	c.named, c.names = false, names{}
}

// IsHeader reports whether a line names columns or is a comment of the format, for the caller to drop, and remembers the
// columns for the lines after it. A line that could be data is none. A reader that starts in the middle of an object shows
// the object's first line to its clock before.
func (c *Clock) IsHeader(line []byte) bool {
	if c == nil || c.layout.isHeader == nil {
		return false
	}
	return c.layout.isHeader(c, trimEnd(line))
}

// Millis returns when the event of a line happened, in milliseconds since the Unix epoch, cut down; 0 when the line does
// not say, or says it in a way that is not its log's. A time without a zone is UTC. A leap second counts as the first of
// the next minute. Years are 1970 to 9999.
func (c *Clock) Millis(line []byte) int64 {
	if c == nil || c.layout.millis == nil {
		return 0
	}
	ms := c.layout.millis(c, trimEnd(line))
	if ms < 0 || ms > maxMillis {
		return 0
	}
	return ms
}

// trimEnd cuts off a line's end.
func trimEnd(line []byte) []byte {
	for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r') {
		line = line[:len(line)-1]
	}
	return line
}

// column returns the text of a column, from 0, and what follows it; nil where the line has too few. Any two columns have
// one separator between them.
func column(line []byte, n int, separator byte) (text, rest []byte) {
	for ; n > 0; n-- {
		at := bytes.IndexByte(line, separator)
		if at < 0 {
			return nil, nil
		}
		line = line[at+1:]
	}
	if at := bytes.IndexByte(line, separator); at >= 0 {
		return line[:at], line[at+1:]
	}
	return line, nil
}
