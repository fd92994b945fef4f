package format_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"sluice/internal/format"
	"sluice/internal/record"
	"sluice/internal/service"
)

func TestSeverity(t *testing.T) {
	for name, tc := range map[string]struct {
		log  service.Log
		line string
		want record.Severity
	}{
		"word":                           {"", "ERROR something", record.Error},
		"word and colon":                 {"", "Error: something", record.Error},
		"lower case and colon":           {"", "warning: x", record.Warning},
		"Python":                         {"", "INFO:root:hello", record.Info},
		"word alone":                     {"", "FATAL\r\n", record.Critical},
		"a sentence":                     {"", "Error handling is hard", ""},
		"notice in a sentence":           {"", "Notice that it is so", ""},
		"in the middle":                  {"", "there was an ERROR", ""},
		"a longer word":                  {"", "ERRORS: 3", ""},
		"a word with a dash":             {"", "ERROR-42 x", ""},
		"log: is no level":               {"", "log: x", ""},
		"behind a time":                  {"", "2024-02-01 00:00:00,123 WARN x", record.Warning},
		"behind an ISO time":             {"", "2024-02-01T00:00:00.123Z DEBUG x", record.Debug},
		"behind an ISO time with a zone": {"", "2024-02-01T00:00:00+01:00 NOTICE: x", record.Notice},
		"behind a number":                {"", "42 ERROR", ""},
		"Spring":                         {"", "2024-02-01T00:00:00.123Z  INFO 1 --- [main] c.e.App : x", record.Info},
		"log4j 2":                        {"", "00:00:00.123 [main] ERROR a.B - x", record.Error},
		"nginx":                          {"", "2024/02/01 00:00:00 [error] 31#31: *1 open() failed", record.Error},
		"Apache":                         {"", "[Thu Feb 01 00:00:00.123456 2024] [core:error] [pid 35708:tid 1] x", record.Error},
		"brackets":                       {"", "[2024-02-01 00:00:00] [main] [Warning] x", record.Warning},
		"time and level in brackets":     {"", "[02/01/2024 00:00:01 INFO 139637890000128] x", record.Info},
		"padded":                         {"", "[INFO ] x", record.Info},
		"five brackets":                  {"", "[a] [b] [c] [d] [ERROR] x", ""},
		"bracket not closed":             {"", "[ERROR x", ""},
		"pairs":                          {"", `time="2024-02-01T00:00:00Z" level=error msg=x`, record.Error},
		"pairs, level first":             {"", `level=warn msg="level=error"`, record.Warning},
		"pairs without a level":          {"", `time=1 msg=x`, ""},
		"klog":                           {"", klogLine, record.Error},
		"far behind":                     {"", strings.Repeat(" ", 300) + "ERROR x", ""},
		"empty":                          {"", "", ""},
		"spaces":                         {"", "   ", ""},
		"JSON":                           {"", `{"a":{"level":"debug"},"level":"Error"}`, record.Error},
		"JSON, other names":              {"", ` {"SEVERITY":"CRITICAL"}`, record.Critical},
		"JSON, levelname":                {"", `{"levelname":"WARNING"}`, record.Warning},
		"JSON, ECS":                      {"", `{"log.level":"trace"}`, record.Debug},
		"JSON, ECS nested":               {"", `{"log":{"logger":"x","level":"info"}}`, record.Info},
		"JSON, pino":                     {"", `{"level":50,"msg":"x"}`, record.Error},
		"JSON, pino as text":             {"", `{"level":"60","msg":"x"}`, record.Critical},
		"JSON, syslog":                   {"", `{"severity":5}`, record.Notice},
		"JSON, unknown number":           {"", `{"level":55}`, ""},
		"JSON, unknown word, then known": {"", `{"level":"Metadata","severity":"info"}`, record.Info},
		"JSON, null":                     {"", `{"level":null}`, ""},
		"JSON, an object":                {"", `{"level":{"level":"error"}}`, ""},
		"JSON, in the text":              {"", `{"message":"\"level\":\"error\""}`, ""},
		"JSON, cut short":                {"", `{"level":"error","message":"x`, record.Error},
		"JSON, cut in the level":         {"", `{"level":"err`, ""},

		"Lambda Node.js":            {service.Lambda, "2024-02-01T00:00:00.173Z\t" + requestID + "\tWARN\thello", record.Warning},
		"Lambda Python":             {service.Lambda, "[CRITICAL]\t2024-02-01T00:00:00.173Z\t" + requestID + "\thello", record.Critical},
		"Lambda Python, error":      {service.Lambda, "[ERROR] ValueError: bad", record.Error},
		"Lambda timeout":            {service.Lambda, "2024-02-01T00:00:03.000Z " + requestID + " Task timed out after 3.00 seconds\n\n", record.Error},
		"Lambda exit":               {service.Lambda, "RequestId: " + requestID + " Error: Runtime exited", record.Error},
		"Lambda report":             {service.Lambda, "REPORT RequestId: " + requestID + "\tDuration: 46.84 ms\t", ""},
		"Lambda report, failed":     {service.Lambda, "REPORT RequestId: " + requestID + "\tDuration: 46.84 ms\t" + strings.Repeat("X: 1 ms\t", 40) + "Status: timeout", record.Error},
		"Lambda start":              {service.Lambda, "START RequestId: " + requestID + " Version: $LATEST", ""},
		"Lambda Go":                 {service.Lambda, "2024/02/01 00:00:00 ERROR x", record.Error},
		"Lambda JSON":               {service.Lambda, `{"timestamp":"2024-02-01T00:00:00.215Z","level":"FATAL","message":"x"}`, record.Critical},
		"Lambda platform":           {service.Lambda, `{"type":"platform.report","record":{"status":"success"}}`, ""},
		"Lambda platform, failed":   {service.Lambda, `{"type":"platform.runtimeDone","record":{"requestId":"r","status":"failure"}}`, record.Error},
		"PostgreSQL":                {service.PostgreSQL, pgLine, record.Error},
		"PostgreSQL, log":           {service.PostgreSQL, "2024-02-01 00:00:05 UTC::@:[390]:LOG:  x", record.Info},
		"PostgreSQL, statement":     {service.PostgreSQL, "2024-02-01 00:00:05 UTC::@:[390]:STATEMENT:  x", ""},
		"PostgreSQL, debug":         {service.PostgreSQL, "2024-02-01 00:00:05 UTC::@:[390]:DEBUG2:  x", record.Debug},
		"PostgreSQL, panic":         {service.PostgreSQL, "2024-02-01 00:00:05 UTC::@:[390]:PANIC:  x", record.Critical},
		"PostgreSQL, connection":    {service.PostgreSQL, pgConnection + "\r\n", record.Info},
		"MariaDB error log":         {service.MySQLError, mariaError + "\r\n", record.Warning},
		"PostgreSQL, text":          {service.PostgreSQL, "ERROR x", ""},
		"MySQL error":               {service.MySQLError, "2024-02-01T00:00:05.000001Z 12 [ERROR] [MY-010055] [Server] x", record.Error},
		"MySQL note":                {service.MySQLError, "2024-02-01T00:00:05.000001Z 12 [Note] x", record.Info},
		"MySQL system":              {service.MySQLError, "2024-02-01T00:00:05.000001Z 12 [System] x", record.Info},
		"broker":                    {service.MSKBroker, "[2024-02-01 00:00:01,002] WARN x", record.Warning},
		"broker, continuation":      {service.MSKBroker, "ERROR x", ""},
		"worker":                    {service.MSKConnect, "[Worker-1] [2024-02-01 00:00:01,002] FATAL x", record.Critical},
		"worker, cut short":         {service.MSKConnect, "[Worker-1]", ""},
		"Redis warning":             {service.ElastiCacheEngine, "a/0001:C 01 Feb 2024 00:00:05.500 UTC # x", record.Warning},
		"Redis verbose":             {service.ElastiCacheEngine, "a/0001:C 01 Feb 2024 00:00:05.500 UTC - x", record.Debug},
		"Redis JSON":                {service.ElastiCacheEngine, `{"CacheClusterId":"a","LogLevel":"NOTICE"}`, record.Notice},
		"klog warning":              {service.EKSKlog, "W" + klogLine[1:], record.Warning},
		"klog fatal":                {service.EKSKlog, "F" + klogLine[1:], record.Critical},
		"klog text":                 {service.EKSKlog, "ERROR x", ""},
		"authenticator":             {service.EKSAuthenticator, authLine, record.Warning},
		"authenticator, cut short":  {service.EKSAuthenticator, `time="2024`, ""},
		"SageMaker toolkit":         {service.SageMaker, "2024-02-01 00:00:00,123 sagemaker-training-toolkit INFO     x", record.Info},
		"SageMaker model server":    {service.SageMaker, "2024-02-01T00:00:03,456 [ERROR] W-9000 X - x", record.Error},
		"SageMaker, other":          {service.SageMaker, "ERROR x", record.Error},
		"Storage Gateway":           {service.StorageGateway, `{"severity":"ERROR","type":"InaccessibleStorageClass"}`, record.Error},
		"Firehose":                  {service.FirehoseErrors, `{"deliveryStreamARN":"x","errorCode":"S3.AccessDenied"}`, record.Error},
		"export":                    {service.CloudWatchExport, "2024-02-01T00:00:00.123Z ERROR x", record.Error},
		"export of JSON":            {service.CloudWatchExport, `2024-02-01T00:00:00.123Z {"level":"info"}`, record.Info},
		"CloudTrail says nothing":   {service.CloudTrail, `{"level":"error"}`, ""},
		"a finding says nothing":    {service.GuardDuty, `{"severity":5}`, ""},
		"audit levels are no level": {service.EKSAudit, `{"level":"Request"}`, ""},
		"ALB says nothing":          {service.ALB, albLine, ""},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, format.Severity(tc.log, []byte(tc.line)))
		})
	}
}

func TestSeverityDoesNotAllocate(t *testing.T) {
	for _, line := range []string{"2024-02-01 00:00:00,123 [main] ERROR x", `{"a":1,"level":"info"}`, strings.Repeat("text ", 1000)} {
		b := []byte(line)
		assert.Zero(t, testing.AllocsPerRun(100, func() { format.Severity("", b) }), line)
	}
}

// FuzzSeverity holds that a severity is one of few, and that of text behind the start of a line nothing counts.
func FuzzSeverity(f *testing.F) {
	logs := []service.Log{
		"", service.Lambda, service.PostgreSQL, service.MySQLError, service.MSKBroker, service.MSKConnect,
		service.ElastiCacheEngine, service.EKSKlog, service.EKSAuthenticator, service.SageMaker, service.StorageGateway,
		service.FirehoseErrors, service.CloudWatchExport, service.APIGatewayAccess, service.ALB,
	}
	for i := range logs {
		for _, line := range []string{"[a] [ERROR] x", `{"level":50}`, klogLine, authLine, pgLine, "ERROR: x", "REPORT RequestId: \tStatus: error"} {
			f.Add(uint(i), []byte(line))
		}
	}
	known := []record.Severity{"", record.Debug, record.Info, record.Notice, record.Warning, record.Error, record.Critical}
	f.Fuzz(func(t *testing.T, n uint, line []byte) {
		log := logs[n%uint(len(logs))]
		got := format.Severity(log, line)
		assert.Contains(t, known, got)
		if log == "" && len(line) >= 256 && !strings.HasPrefix(strings.TrimLeft(string(line), " \t\r\n"), "{") {
			assert.Equal(t, got, format.Severity(log, append(line[:256:256], " ERROR: [ERROR]"...)))
		}
	})
}

func BenchmarkSeverity(b *testing.B) {
	for name, line := range map[string]string{
		"none":   strings.Repeat("some text that says nothing ", 40),
		"text":   "2024-02-01 00:00:00,123 [main] ERROR a.B - " + strings.Repeat("x", 200),
		"json":   `{"timestamp":"2024-02-01T00:00:00.215Z","level":"INFO","message":"` + strings.Repeat("x", 200) + `"}`,
		"nolevl": `{"timestamp":"2024-02-01T00:00:00.215Z","message":"` + strings.Repeat("x", 1000) + `"}`,
	} {
		b.Run(name, func(b *testing.B) {
			text := []byte(line)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				format.Severity("", text)
			}
		})
	}
}
