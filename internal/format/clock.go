// Package format knows how the lines of AWS services' logs are laid out: when each happened, what it says as attributes,
// and how grave it says it is.
//
// It promises a time that the line states, or none: never a guess from the clock or from the object's key. For a time it
// reads the few columns or members that it needs and passes over the rest without decoding, and, for lines of columns,
// allocates nothing. Attributes are valid JSON in which no name stands twice, with the numbers and texts of the line as
// they are. A line that is not as its log's lines should be has no time and no attributes, and does no harm.
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
	layout *layout // nil where nothing is known
	named  bool    // a header has been seen, or the columns were told
	header []byte
	names  names // what either said
}

// layout is how one log writes its lines. The functions get lines without their end and keep nothing of them.
type layout struct {
	// millis returns the event time of a line in ms since the epoch; what is out of range counts as none.
	millis func(c *Clock, line []byte) int64
	// isHeader reports whether a line names columns or is a comment, and remembers the columns. nil where a log has none.
	isHeader func(c *Clock, line []byte) bool
	// name finds the time in columns that a setting names. nil where lines have their columns in one order alone.
	name func(columns []byte) names
	// attributes writes what a line says; false when it is not as the log's lines are. nil where nothing is known.
	attributes func(a *Attributes, w *writer, header, line []byte) bool
	fields     []string // the documented names of its attributes, AWS's own, where they are not those of columns
	columns    []*table // what its lines are made of
	standard   int      // how many columns there are unless a user has chosen others; 0 for all
	time       string   // where the event time comes from, in words; empty where it is the log event's own
}

// names are the columns, from 0, in which a header has put the time; -1 for those it does not name.
type names struct {
	date, time int // CloudFront: yyyy-mm-dd, hh:mm:ss
	epoch      int
	unit       unit // of the epoch column
}

// layouts has every log whose times are known. Its functions stand in one file for each family of logs.
var layouts = map[service.Log]*layout{
	// elb_attributes.go
	service.CLB:            &clbLog,
	service.ALB:            &albLog,
	service.NLB:            &nlbLog,
	service.ELBConnection:  &connectionLog,
	service.ELBHealthCheck: &healthCheckLog,
	// flow_attributes.go
	service.VPCFlow:           &vpcFlowLog,
	service.GlobalAccelerator: &acceleratorFlowLog,
	// extended_attributes.go
	service.CloudFront:         &cloudFrontLog,
	service.CloudFrontRealtime: &realtimeLog,
	service.EC2Spot:            &spotLog,
	// access.go, kafka.go, redshift.go, text.go
	service.S3Access:         &accessLog,
	service.MSKBroker:        &mskBrokerLog,
	service.MSKConnect:       &mskConnectLog,
	service.Redshift:         &redshiftLog,
	service.CloudWatchExport: {millis: isoColumn(0), time: "what the line begins with"},
	// json_attributes.go
	service.CloudTrail:        &cloudTrailLog,
	service.CloudTrailInsight: &cloudTrailInsightLog,
	service.WAF:               &wafLog,
	service.NetworkFirewall:   &networkFirewallLog,
	service.Route53Resolver:   &route53ResolverLog,
	service.GuardDuty:         &guardDutyLog,
	service.SecurityHub:       &securityHubLog,
	service.Evidently:         &evidentlyLog,
	service.Chime:             &chimeLog,
	service.Config:            &configItemLog,
	// json_attributes_cloudwatch.go
	service.StepFunctions:   &stepFunctionsLog,
	service.SageMakerWorker: &sageMakerWorkerLog,
	service.StorageGateway:  &storageGatewayLog,
	service.RDSOSMetrics:    &rdsOSMetricsLog,
	service.EKSAudit:        &eksAuditLog,
	service.FirehoseErrors:  &firehoseErrorsLog,
	"":                      &applicationLog,
	// one file each
	service.APIGatewayAccess:    &apiGatewayAccessLog,
	service.APIGatewayExecution: &apiGatewayExecutionLog,
	service.EKSKlog:             &klogLog,
	service.EKSAuthenticator:    &authenticatorLog,
	service.ElastiCacheSlow:     &elastiCacheSlowLog,
	service.ElastiCacheEngine:   &elastiCacheEngineLog,
	service.Lambda:              &lambdaLog,
	service.MySQLSlow:           &mySQLSlowLog,
	service.MySQLError:          &mySQLErrorLog,
	service.MySQLAudit:          &mySQLAuditLog,
	service.PostgreSQL:          &postgreSQLLog,
	service.Route53Public:       &route53PublicLog,
	service.SageMaker:           &sageMakerLog,
}

// NewClock returns the clock for the lines of a log. Logs that are documents, CloudTrail's and those of Config, have their
// records read, not the document.
func NewClock(log service.Log) *Clock { return &Clock{log: log, layout: layouts[log]} }

// Reset makes c a new clock for the lines of a log.
func (c *Clock) Reset(log service.Log) {
	if c.log != log {
		*c = *NewClock(log)
	}
	c.named, c.names, c.header = false, names{}, nil
}

// IsHeader reports whether a line names columns or is a comment of the format, for the caller to drop, and remembers the
// columns for the lines after it. A line that could be data is none. A reader that starts in the middle of an object shows
// the object's first line to its clock before.
func (c *Clock) IsHeader(line []byte) bool {
	if c == nil || c.layout == nil || c.layout.isHeader == nil {
		return false
	}
	line = trimEnd(line)
	before := c.named
	c.named = false
	is := c.layout.isHeader(c, line)
	switch {
	case !c.named:
	case len(line) > maxHeaderBytes:
		c.header = nil // it names what nobody can use, and would be kept for as long as the object is read
	default:
		c.header = bytes.Clone(line)
	}
	c.named = c.named || before
	return is
}

// Columns returns the header that names the columns of the lines to come, without its end; nil when there was none, or it has
// more than 16 KiB. It stays as it is: another header is another slice.
func (c *Clock) Columns() []byte {
	if c == nil {
		return nil
	}
	return c.header
}

// Millis returns when the event of a line happened, in milliseconds since the Unix epoch, cut down; 0 when the line does
// not say, or says it in a way that is not its log's. A time without a zone is UTC. A leap second counts as the first of
// the next minute. Years are 1970 to 9999.
func (c *Clock) Millis(line []byte) int64 {
	if c == nil || c.layout == nil || c.layout.millis == nil {
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
