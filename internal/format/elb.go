package format

import "bytes"

// isoColumn returns the millis of a log that has an ISO time in one column, which ends at a space or with the line. That
// is how load balancers write: ALB and CLB with microseconds and Z, NLB with seconds and no zone.
// Source: Elastic Load Balancing user guides, "Access log entries", "Connection log entries", "Health check log entries".
func isoColumn(n int) func(c *Clock, line []byte) int64 {
	return func(_ *Clock, line []byte) int64 {
		for range n {
			at := bytes.IndexByte(line, ' ')
			if at < 0 {
				return 0
			}
			line = line[at+1:]
		}
		ms, rest, ok := parseISO(line)
		if !ok || len(rest) > 0 && rest[0] != ' ' {
			return 0
		}
		return ms
	}
}
