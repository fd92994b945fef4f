package ledger

import (
	"cmp"
	"strings"
	"time"
)

// Names of the embedded metric format. An alarm or a dashboard finds a metric by namespace, dimension and name.
const (
	namespace     = "Sluice"
	dimension     = "FunctionName"
	latencyMetric = "LatencyMs"

	unitCount        = "Count"
	unitBytes        = "Bytes"
	unitMilliseconds = "Milliseconds"
	unitSeconds      = "Seconds"

	// unknownFunction stands in where there is no function name: a dimension value must not be empty.
	unknownFunction = "unknown"
)

// Invocation is what the line says of the invocation besides the counts.
type Invocation struct {
	FunctionName    string // the dimension of every metric; "unknown" when blank
	FunctionVersion string
	RequestID       string
	At              time.Time     // time of the metrics; CloudWatch takes two weeks back to two hours ahead
	Remaining       time.Duration // until the deadline of Lambda; less than 0 after it
	Elapsed         time.Duration // since the invocation began
	ColdStart       bool          // first invocation of this process
	Error           string        // empty when all went well; 256 bytes of it are written; no payload, no header value
}

// metric is one number of the line. CloudWatch keeps every value as a float64.
type metric struct {
	name, unit string
	value      float64
}

// AppendEMF appends one line of CloudWatch embedded metric format, line feed included, and returns the longer slice. The
// same counts give the same bytes: members have a fixed order, names are sorted.
//
// Counts and BytesSent at the root are sums over the destinations; "destinations" has them one by one.
// LatencyMs has a value per HTTP attempt, up to 100, so that CloudWatch can give percentiles: with more attempts it is an
// even sample that includes the slowest, and Requests is the number of attempts. It is left out when there was none.
// Format: CloudWatch user guide, "Specification: Embedded metric format".
func (l *Ledger) AppendEMF(dst []byte, inv Invocation) []byte {
	statements := l.statements()
	metrics := append(lineMetrics(statements), transferMetrics(statements)...)
	metrics = append(metrics,
		metric{"StorePutErrors", unitCount, float64(l.unstored.Load())},
		metric{"BytesIn", unitBytes, float64(l.bytesIn.Load())},
		metric{"RemainingMs", unitMilliseconds, millis(inv.Remaining)},
		metric{"DurationMs", unitMilliseconds, millis(inv.Elapsed)},
	)
	metrics = append(metrics, l.sideMetrics()...)
	attempts := l.latencies.sorted()

	dst = append(dst, '{')
	dst = appendDirective(dst, inv.At, metrics, len(attempts) > 0)
	dst = appendText(appendKey(dst, dimension), cmp.Or(strings.TrimSpace(inv.FunctionName), unknownFunction))
	dst = appendText(appendKey(dst, "function_version"), inv.FunctionVersion)
	dst = appendText(appendKey(dst, "request_id"), inv.RequestID)
	dst = appendBool(appendKey(dst, "cold_start"), inv.ColdStart)
	if inv.Error != "" {
		dst = appendText(appendKey(dst, "error"), inv.Error)
	}
	for _, m := range metrics {
		dst = appendFloat(appendKey(dst, m.name), m.value)
	}
	dst = appendLatencies(dst, attempts)
	dst = l.appendSide(dst)
	dst = appendDestinations(dst, statements)
	return append(dst, '}', '\n')
}

// lineMetrics are the identity, summed over the destinations, and the two rules that have an alarm of their own.
func lineMetrics(statements []statement) []metric {
	var in, delivered, dropped, parked, returned, handedOn, ownLogGroup, notAllowed int
	for _, s := range statements {
		in += s.counts.In
		delivered += s.counts.Delivered
		dropped += sum(s.counts.Dropped)
		parked += sum(s.counts.Parked)
		onward := s.counts.Returned[Continued] + s.counts.Returned[Reingested]
		handedOn += onward
		returned += sum(s.counts.Returned) - onward
		ownLogGroup += s.counts.Dropped[OwnLogGroup]
		notAllowed += s.counts.Dropped[NotAllowedSource]
	}
	return []metric{
		{"LinesIn", unitCount, float64(in)},
		{"LinesDelivered", unitCount, float64(delivered)},
		{"LinesDropped", unitCount, float64(dropped)},
		{"LinesParked", unitCount, float64(parked)},
		{"LinesReturned", unitCount, float64(returned)},
		{"LinesHandedOn", unitCount, float64(handedOn)},
		{"Unaccounted", unitCount, float64(unaccounted(statements))},
		{"OwnLogGroup", unitCount, float64(ownLogGroup)},
		{"NotAllowedSource", unitCount, float64(notAllowed)},
	}
}

// transferMetrics are the HTTP attempts, summed over the destinations.
func transferMetrics(statements []statement) []metric {
	var requests, retries, duplicates, bytesSent int
	for _, s := range statements {
		requests += s.counts.Requests
		retries += s.counts.Retries
		duplicates += s.counts.PossibleDuplicates
		bytesSent += s.counts.BytesSent
	}
	return []metric{
		{"Requests", unitCount, float64(requests)},
		{"Retries", unitCount, float64(retries)},
		{"PossibleDuplicates", unitCount, float64(duplicates)},
		{"BytesSent", unitBytes, float64(bytesSent)},
	}
}

// appendDirective appends the member "_aws", which tells CloudWatch what members of the root are metrics.
func appendDirective(dst []byte, at time.Time, metrics []metric, latency bool) []byte {
	dst = append(appendKey(dst, "_aws"), '{')
	dst = appendInt(appendKey(dst, "Timestamp"), at.UnixMilli())
	dst = append(appendKey(dst, "CloudWatchMetrics"), "[{"...)
	dst = appendText(appendKey(dst, "Namespace"), namespace)
	dst = append(appendKey(dst, "Dimensions"), "[["...)
	dst = append(appendText(dst, dimension), "]]"...)
	dst = append(appendKey(dst, "Metrics"), '[')
	for _, m := range metrics {
		dst = appendDefinition(dst, m.name, m.unit)
	}
	if latency {
		dst = appendDefinition(dst, latencyMetric, unitMilliseconds)
	}
	return append(dst, "]}]}"...)
}

func appendDefinition(dst []byte, name, unit string) []byte {
	dst = append(appendComma(dst), '{')
	dst = appendText(appendKey(dst, "Name"), name)
	dst = appendText(appendKey(dst, "Unit"), unit)
	return append(dst, '}')
}

func appendLatencies(dst []byte, attempts []time.Duration) []byte {
	if len(attempts) == 0 {
		return dst
	}
	dst = append(appendKey(dst, latencyMetric), '[')
	for _, d := range attempts {
		dst = appendFloat(appendComma(dst), millis(d))
	}
	return append(dst, ']')
}

func appendDestinations(dst []byte, statements []statement) []byte {
	dst = append(appendKey(dst, "destinations"), '{')
	for _, s := range statements {
		dst = appendCounts(appendKey(dst, s.destination), s.counts)
	}
	return append(dst, '}')
}

func appendCounts(dst []byte, c Counts) []byte {
	dst = append(dst, '{')
	dst = appendInt(appendKey(dst, "in"), int64(c.In))
	dst = appendInt(appendKey(dst, "delivered"), int64(c.Delivered))
	dst = appendTally(appendKey(dst, "dropped"), c.Dropped)
	dst = appendTally(appendKey(dst, "parked"), c.Parked)
	dst = appendTally(appendKey(dst, "returned"), c.Returned)
	dst = appendTally(appendKey(dst, "marked"), c.Marked)
	dst = appendInt(appendKey(dst, "requests"), int64(c.Requests))
	dst = appendInt(appendKey(dst, "retries"), int64(c.Retries))
	dst = appendInt(appendKey(dst, "possible_duplicates"), int64(c.PossibleDuplicates))
	dst = appendInt(appendKey(dst, "bytes_sent"), int64(c.BytesSent))
	return append(dst, '}')
}

// millis returns d in milliseconds, to the microsecond.
func millis(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}
