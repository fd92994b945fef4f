package format_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"sluice/internal/format"
	"sluice/internal/service"
)

// The straightforward way that the benchmarks compare with: split a line into strings and put them into a map.

func splitSpaces(line string) []string { return strings.Fields(line) }

// splitQuoted splits at spaces outside of quotes and brackets.
func splitQuoted(line string) []string {
	var out []string
	for line != "" {
		var value string
		switch line[0] {
		case '"':
			value, line, _ = strings.Cut(line[1:], `"`)
			line = strings.TrimPrefix(line, " ")
		case '[':
			value, line, _ = strings.Cut(line[1:], "]")
			line = strings.TrimPrefix(line, " ")
		default:
			value, line, _ = strings.Cut(line, " ")
		}
		out = append(out, value)
	}
	return out
}

func intoMap(names, values []string) map[string]string {
	attributes := make(map[string]string, len(names))
	for i, value := range values {
		if i < len(names) && value != "-" {
			attributes[names[i]] = value
		}
	}
	return attributes
}

// measured runs do over and over, and reports the processor time of the process beside the time on the clock: these machines
// are shared.
func measured(b *testing.B, do func(i int)) {
	b.Helper()
	b.ReportAllocs()
	before := cpuTime(b)
	for i := 0; b.Loop(); i++ {
		do(i)
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// cpuTime is the processor time that the process has used, in ns.
func cpuTime(b *testing.B) int64 {
	b.Helper()
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return used.Utime.Nano() + used.Stime.Nano()
}

func benchmarkAttributes(b *testing.B, log service.Log, lines, names []string, split func(string) []string) {
	b.Helper()
	total := 0
	for _, line := range lines {
		total += len(line)
	}
	each := func(b *testing.B, do func(i int)) {
		b.Helper()
		b.SetBytes(int64(total / len(lines)))
		measured(b, func(i int) { do(i % len(lines)) })
	}
	b.Run("ours", func(b *testing.B) {
		plain := make([][]byte, len(lines))
		for i, line := range lines {
			plain[i] = []byte(line)
		}
		attributes := format.NewAttributes(format.AWS)
		var dst []byte
		each(b, func(i int) {
			var ok bool
			if dst, ok = attributes.Append(dst[:0], log, nil, plain[i]); !ok {
				b.Fatalf("no attributes in %q", lines[i])
			}
		})
	})
	b.Run("baseline", func(b *testing.B) {
		each(b, func(i int) {
			if len(intoMap(names, split(lines[i]))) == 0 {
				b.Fatal("nothing")
			}
		})
	})
	b.Run("baseline-json", func(b *testing.B) {
		each(b, func(i int) {
			if _, err := json.Marshal(intoMap(names, split(lines[i]))); err != nil {
				b.Fatal(err)
			}
		})
	})
}

var agents = []string{
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
	"curl/8.5.0", "-", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Mobile/15E148 Safari/604.1",
	"aws-sdk-go-v2/1.24.0 os/linux lang/go#1.21.5 md/GOOS#linux md/GOARCH#amd64 api/s3#1.47.5",
}

// generated are lines of a log as it comes: no two alike.
func generated(line func(r *rand.Rand) string) []string {
	r := rand.New(rand.NewPCG(1, 2))
	lines := make([]string, 512)
	for i := range lines {
		lines[i] = line(r)
	}
	return lines
}

func oneOf[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

func host(r *rand.Rand) string {
	return fmt.Sprintf("10.%d.%d.%d", r.IntN(256), r.IntN(256), r.IntN(256))
}

func vpcLines() []string {
	return generated(func(r *rand.Rand) string {
		start := 1_706_745_600 + r.IntN(86_400)
		if r.IntN(50) == 0 {
			return fmt.Sprintf("2 123456789012 eni-%017x - - - - - - - %d %d - NODATA", r.Uint64()>>8, start, start+60)
		}
		return fmt.Sprintf("2 123456789012 eni-%017x %s %s %d %d %d %d %d %d %d %s OK", r.Uint64()>>8, host(r), host(r),
			1024+r.IntN(60_000), oneOf(r, 22, 53, 443, 5432, 8080), oneOf(r, 6, 17), 1+r.IntN(4000), 40+r.IntN(4_000_000),
			start, start+60, oneOf(r, "ACCEPT", "REJECT"))
	})
}

func albLines() []string {
	return generated(func(r *rand.Rand) string {
		second := r.IntN(60)
		return fmt.Sprintf(`https 2024-02-01T00:00:%02d.%06dZ app/edge/0123456789abcdef %s:%d %s:80 0.%03d 0.%03d 0.000 %d %d %d %d "%s https://api.example.com:443/v1/items/%d?page=%d HTTP/2.0" "%s" TLS_AES_128_GCM_SHA256 TLSv1.3 arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/items/73e2d6bc24d8a067 "Root=1-%08x-%024x" "api.example.com" "arn:aws:acm:us-east-2:123456789012:certificate/12345678-1234-1234-1234-123456789012" %d 2024-02-01T00:00:%02d.000000Z "forward" "-" "-" "%s:80" "200" "-" "-" TID_%032x "-" "-" "-"`,
			second, r.IntN(1_000_000), host(r), 1024+r.IntN(60_000), host(r), r.IntN(1000), r.IntN(1000),
			oneOf(r, 200, 200, 304, 404), 200, r.IntN(10_000), r.IntN(100_000), oneOf(r, "GET", "POST"), r.IntN(1_000_000),
			r.IntN(100), oneOf(r, agents...), r.Uint32(), r.Uint64(), r.IntN(100), second, host(r), r.Uint64())
	})
}

func accessLines() []string {
	return generated(func(r *rand.Rand) string {
		return fmt.Sprintf(`79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be shop-assets [01/Feb/2024:00:%02d:%02d +0000] %s arn:aws:sts::123456789012:assumed-role/web/%016x %016X REST.GET.OBJECT img/%d/front%%2520view.jpg "GET /img/%d/front%%20view.jpg HTTP/1.1" %d %s %d %d %d %d "https://www.example.com/items/%d" "%s" - %064x= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader shop-assets.s3.us-east-2.amazonaws.com TLSv1.3 - -`,
			r.IntN(60), r.IntN(60), host(r), r.Uint64(), r.Uint64(), r.IntN(1_000_000), r.IntN(1_000_000), oneOf(r, 200, 206, 304),
			oneOf(r, "-", "-", "NoSuchKey"), r.IntN(1_000_000), r.IntN(1_000_000), r.IntN(1000), r.IntN(1000), r.IntN(1_000_000),
			oneOf(r, agents...), r.Uint64())
	})
}

func BenchmarkAttributesVPC(b *testing.B) {
	benchmarkAttributes(b, service.VPCFlow, vpcLines(), format.Fields(service.VPCFlow)[:14], splitSpaces)
}

// The straightforward way does not split addresses and requests, so it has fewer names to write.
func BenchmarkAttributesALB(b *testing.B) {
	names := strings.Fields("type time elb client:port target:port request_processing_time target_processing_time " +
		"response_processing_time elb_status_code target_status_code received_bytes sent_bytes request user_agent " +
		"ssl_cipher ssl_protocol target_group_arn trace_id domain_name chosen_cert_arn matched_rule_priority " +
		"request_creation_time actions_executed redirect_url error_reason target:port_list target_status_code_list " +
		"classification classification_reason conn_trace_id transformed_host transformed_uri request_transform_status")
	benchmarkAttributes(b, service.ALB, albLines(), names, splitQuoted)
}

func BenchmarkAttributesS3Access(b *testing.B) {
	benchmarkAttributes(b, service.S3Access, accessLines(), format.Fields(service.S3Access), splitQuoted)
}
