package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	for name, tc := range map[string]struct {
		in   string
		want []string // the fields of every line after the heading
	}{
		"median of an odd number of runs, whatever their order": {
			in: `goos: linux
BenchmarkCloudWatch/vpc/pipeline   100   900 ns/op   300.00 MB/s   0.010 allocs/event   64 B/op   2 allocs/op
BenchmarkCloudWatch/vpc/pipeline   100   900 ns/op   100.00 MB/s   0.030 allocs/event   64 B/op   2 allocs/op
BenchmarkCloudWatch/vpc/pipeline   100   900 ns/op   180.00 MB/s   0.020 allocs/event   64 B/op   2 allocs/op
BenchmarkCloudWatch/vpc/limit      100   900 ns/op   200.00 MB/s
BenchmarkCloudWatch/vpc/naive      100   900 ns/op    36.00 MB/s
PASS
`,
			want: []string{"CloudWatch/vpc 180.0 200.0 36.0 0.90 5.00 0.020"},
		},
		"median of an even number of runs lies between the middle two": {
			in: `BenchmarkCloudWatch/app/pipeline 1 1 ns/op 100 MB/s
BenchmarkCloudWatch/app/pipeline 1 1 ns/op 200 MB/s
`,
			want: []string{"CloudWatch/app 150.0 - - - - -"},
		},
		"parts of the path have names of their own": {
			in: `BenchmarkMiss/app/ssn/redact 1 10 ns/op 300 MB/s 0 B/op 1 allocs/op
BenchmarkMiss/app/ssn/regexp 1 10 ns/op 100 MB/s 0 B/op 7 allocs/op
BenchmarkMiss/app/ssn/message 1 10 ns/op 900 MB/s 0 B/op 7 allocs/op
BenchmarkAttributesVPC/ours 1 10 ns/op 300 MB/s 0 B/op 0 allocs/op
BenchmarkAttributesVPC/baseline 1 10 ns/op 50 MB/s
`,
			want: []string{"AttributesVPC 300.0 - 50.0 - 6.00 0.000", "Miss/app/ssn 300.0 - 100.0 - 3.00 1.000"},
		},
		"a second is one of CPU time where that is known": {
			in: `BenchmarkCloudWatch/vpc/pipeline 1 2000 ns/op 100 MB/s 1000 cpu-ns/op 0.5 allocs/event
BenchmarkCloudWatch/vpc/limit 1 5000 ns/op 50 MB/s 1250 cpu-ns/op
`,
			want: []string{"CloudWatch/vpc 200.0 200.0 - 1.00 - 0.500"},
		},
		"rows are sorted, a number of processors is no part of the variant": {
			in: `BenchmarkS3/alb/limit-2 1 1 ns/op 100 MB/s
BenchmarkCloudWatch/json-app/pipeline-16 1 1 ns/op 50 MB/s
BenchmarkS3/alb/pipeline-2 1 1 ns/op 99 MB/s
`,
			want: []string{"CloudWatch/json-app 50.0 - - - - -", "S3/alb 99.0 100.0 - 0.99 - -"},
		},
		"other benchmarks and a torn last line are passed over": {
			in: `BenchmarkGunzip/vpc 1 1 ns/op 900 MB/s
BenchmarkCloudWatch/vpc/other 1 1 ns/op 900 MB/s
BenchmarkCloudWatch/vpc/limit 1 1 ns/op 100 MB/s 5`,
			want: []string{"CloudWatch/vpc - 100.0 - - - -"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			require.NoError(t, run(strings.NewReader(tc.in), &out))
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			var got []string
			for _, line := range lines[1:] {
				got = append(got, strings.Join(strings.Fields(line), " "))
			}
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestRunFailsWithoutResults(t *testing.T) {
	var out strings.Builder
	require.ErrorContains(t, run(strings.NewReader("PASS\nok sluice/internal/forward 0.1s\n"), &out), "no result")
	assert.Empty(t, out.String())
}
