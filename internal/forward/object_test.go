package forward

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	trailKey  = "AWSLogs/123456789012/CloudTrail/eu-west-1/2026/02/01/123456789012_CloudTrail_eu-west-1_20260201T0930Z_Mu0KsOhtH1ar15ZZ.json.gz"
	digestKey = "AWSLogs/123456789012/CloudTrail-Digest/eu-west-1/2026/02/01/" +
		"123456789012_CloudTrail-Digest_eu-west-1_trail_eu-west-1_20260201T093000Z.json.gz"
	flowKey  = "AWSLogs/123456789012/vpcflowlogs/eu-west-1/2026/02/01/123456789012_vpcflowlogs_eu-west-1_fl-0123abcd_20260201T0930Z_fe123456.log.gz"
	frontKey = "cdn/E2EXAMPLE12345.2026-02-01-09.0a1b2c3d.gz"
)

func trailCall(name string) string {
	return `{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","userName":"alice"},"eventTime":"2026-02-01T09:30:00Z",` +
		`"eventSource":"ec2.amazonaws.com","eventName":"` + name + `","awsRegion":"eu-west-1","recipientAccountId":"123456789012"}`
}

// What the content of an object is read as.
func TestObjectContents(t *testing.T) {
	subscription := func(message string) []byte { return packed(t, document(t, message)) }
	for name, tc := range map[string]struct {
		key     string
		body    []byte
		lines   []string
		dropped tally
		marked  tally
	}{
		"lines":                        {"a", []byte("a\nb\n"), []string{"a", "b"}, nil, nil},
		"no line feed at the end":      {"a", []byte("a\nb"), []string{"a", "b"}, nil, nil},
		"empty lines":                  {"a", []byte("\na\n\nb\n"), []string{"a", "b"}, tally{"empty_line": 2}, nil},
		"CRLF":                         {"a", []byte("a\r\nb\r\n"), []string{"a", "b"}, nil, nil},
		"byte order mark":              {"a", []byte("\uFEFFa\nb"), []string{"a", "b"}, nil, nil},
		"UTF-16, little end first":     {"a", utf16Of(false, "aü\nb\n"), []string{"aü", "b"}, nil, nil},
		"UTF-16, big end first":        {"a", utf16Of(true, "aü\r\nb\r\n"), []string{"aü", "b"}, nil, nil},
		"NUL":                          {"a", []byte("a\x00b\nc\n"), []string{"a\x00b", "c"}, nil, nil},
		"invalid UTF-8":                {"a", []byte("a\xff\xfeb\nc\n"), []string{"a\uFFFD\uFFFDb", "c"}, nil, tally{"utf8_repaired": 1}},
		"gzip":                         {"a", packed(t, []byte("a\nb\n")), []string{"a", "b"}, nil, nil},
		"gzip twice":                   {"a", packed(t, packed(t, []byte("a\nb\n"))), []string{"a", "b"}, nil, nil},
		"gzip by another name":         {"a.txt", packed(t, []byte("a\n")), []string{"a"}, nil, nil},
		"plain by the name of gzip":    {"a.gz", []byte("a\n"), []string{"a"}, nil, nil},
		"gzip, two members":            {"a", joined(packed(t, []byte("a\nb")), packed(t, []byte("c\n"))), []string{"a", "bc"}, nil, nil},
		"zip":                          {"a.zip", zipOf(t, []byte("a\nb\n")), []string{"a", "b"}, nil, nil},
		"zstd":                         {"a.zst", zstdOf(t, []byte("a\nb\n")), []string{"a", "b"}, nil, nil},
		"JSON lines":                   {"a", []byte("{\"n\":1}\n{\"n\":2}\n"), []string{`{"n":1}`, `{"n":2}`}, nil, nil},
		"JSON that touches":            {"a", []byte(`{"n":1}{"n":2}`), []string{`{"n":1}`, `{"n":2}`}, nil, nil},
		"a JSON array":                 {"a", []byte(`[{"n":1},{"n":2}]`), []string{`{"n":1}`, `{"n":2}`}, nil, nil},
		"Records":                      {"a", []byte(`{"Records":[{"n":1},{"n":2}]}`), []string{`{"n":1}`, `{"n":2}`}, nil, nil},
		"a line that is broken JSON":   {"a", []byte("{\"n\":1}\n{\"n\":\n{\"n\":3}\n"), []string{`{"n":1}`, `{"n":`, `{"n":3}`}, nil, nil},
		"JSON and text":                {"a", []byte("{\"n\":1}\ntext\n{\"n\":2}"), []string{`{"n":1}`, "text", `{"n":2}`}, nil, nil},
		"CloudTrail":                   {trailKey, packed(t, []byte(`{"Records":[`+trailCall("A")+","+trailCall("B")+`]}`)), []string{trailCall("A"), trailCall("B")}, nil, nil},
		"digest of CloudTrail":         {digestKey, packed(t, []byte(`{"awsAccountId":"123456789012","logFiles":[]}`)), nil, tally{"not_a_log": 1}, nil},
		"test file of a load balancer": {"AWSLogs/123456789012/ELBAccessLogTestFile", []byte("Enable AccessLog for ELB"), nil, tally{"not_a_log": 1}, nil},
		"flow log": {
			flowKey, packed(t, []byte("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"+
				"2 123456789012 eni-0a 192.0.2.1 198.51.100.1 1 443 6 1 40 1769938170 1769938230 ACCEPT OK\n")),
			[]string{"2 123456789012 eni-0a 192.0.2.1 198.51.100.1 1 443 6 1 40 1769938170 1769938230 ACCEPT OK"},
			tally{"header_line": 1},
			nil,
		},
		"flow log, only its header": {
			flowKey, packed(t, []byte("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n")),
			nil,
			tally{"header_line": 1},
			nil,
		},
		"CloudFront": {
			frontKey, packed(t, []byte("#Version: 1.0\n#Fields: date time x-edge-location sc-bytes\n2026-02-01\t09:30:00\tFRA2\t1024\n")),
			[]string{"2026-02-01\t09:30:00\tFRA2\t1024"},
			tally{"header_line": 2},
			nil,
		},
		"payloads of CloudWatch Logs, members that touch": {
			"backup/2026/02/01/09/cwl-1-2026-02-01-09-30-00-11111111-2222-4333-8444-555555555555",
			joined(subscription("m1"), subscription("m2")),
			[]string{"m1", "m2"},
			nil, nil,
		},
		"payloads of CloudWatch Logs, packed once more": {
			"a", packed(t, joined(subscription("m1"), subscription("m2"))), []string{"m1", "m2"}, nil, nil,
		},
		"a control message in between": {
			"a", joined(subscription("m1"), packed(t, documentOf(t, "CONTROL_MESSAGE", "", "CWL CONTROL MESSAGE: Checking health"))),
			[]string{"m1"},
			tally{"control_message": 1},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, parkingBoth)
			o := r.s3.put(logBucket, tc.key, tc.body)
			_, ledger, err := r.invoke(t, S3, inQueue(native(o)))
			require.NoError(t, err)
			assert.Equal(t, append([]string{}, tc.lines...), r.intake.messages(t, archiveHost))
			assert.Len(t, r.intake.items(t, datadogHost), len(tc.lines))
			for _, c := range ledger.Destinations {
				assert.Equal(t, sum(tc.dropped), sum(c.Dropped))
				assert.Subset(t, c.Dropped, notNilTally(tc.dropped))
				assert.Subset(t, c.Marked, notNilTally(tc.marked))
				assert.Empty(t, c.Parked)
			}
			assert.Empty(t, ledger.Error)
		})
	}
}

func notNilTally(some tally) tally {
	if some == nil {
		return tally{}
	}
	return some
}

// utf16Of is text in UTF-16 with a byte order mark.
func utf16Of(bigEndian bool, text string) []byte {
	var b []byte
	for _, unit := range utf16.Encode([]rune("\uFEFF" + text)) {
		if bigEndian {
			b = append(b, byte(unit>>8), byte(unit))
		} else {
			b = append(b, byte(unit), byte(unit>>8))
		}
	}
	return b
}

// Records of CloudTrail stand at the root of a Datadog item, or in its message by the setting.
func TestCloudTrailIsStructured(t *testing.T) {
	body := packed(t, []byte(`{"Records":[`+trailCall("StopInstances")+`]}`))
	item := func(settings string) map[string]any {
		r := newRig(t, datadogWith(settings))
		_, _, err := r.invoke(t, S3, []byte(native(r.s3.put(logBucket, trailKey, body))))
		require.NoError(t, err)
		return r.intake.items(t, datadogHost)[0]
	}
	fields := item("")
	assert.Subset(t, fields, map[string]any{
		"ddsource": "cloudtrail", "eventName": "StopInstances", "userIdentity": map[string]any{"type": "IAMUser", "userName": "alice"},
	})
	assert.NotContains(t, fields, "message")
	text := item("structured: message")
	assert.Equal(t, trailCall("StopInstances"), text["message"])
	assert.NotContains(t, text, "eventName")
	for _, one := range []map[string]any{fields, text} {
		assert.Equal(t, map[string]any{"bucket": logBucket, "key": trailKey}, one["aws"].(map[string]any)["s3"])
		assert.Contains(t, one["ddtags"], "aws_account:123456789012")
	}
}

func TestCloudTrailInsightIsStructured(t *testing.T) {
	insight := `{"eventVersion":"1.07","eventTime":"2026-02-01T09:30:00Z","awsRegion":"eu-west-1","eventID":"1","eventType":"AwsCloudTrailInsight",` +
		`"recipientAccountId":"123456789012","insightDetails":{"state":"Start","eventSource":"ec2.amazonaws.com","eventName":"RunInstances"},"eventCategory":"Insight"}`
	r := newRig(t, both)
	key := strings.ReplaceAll(trailKey, "CloudTrail", "CloudTrail-Insight")
	_, _, err := r.invoke(t, S3, []byte(native(r.s3.put(logBucket, key, packed(t, []byte(`{"Records":[`+insight+`]}`))))))
	require.NoError(t, err)
	item := r.intake.items(t, datadogHost)[0]
	assert.NotContains(t, item, "message")
	assert.Subset(t, item, map[string]any{
		"ddsource": "cloudtrail", "eventType": "AwsCloudTrailInsight", "eventCategory": "Insight",
		"insightDetails": map[string]any{"state": "Start", "eventSource": "ec2.amazonaws.com", "eventName": "RunInstances"},
	})
}

// Payloads of CloudWatch Logs that Firehose has kept have the ids, and all else, that they have when Logs sends them.
func TestBackupKeepsTheIDsOfCloudWatch(t *testing.T) {
	payload := packed(t, document(t, numbered(3)...))
	logs := newRig(t, both)
	_, _, err := logs.invoke(t, CloudWatch, direct(payload))
	require.NoError(t, err)
	r := newRig(t, both)
	_, _, err = r.invoke(t, S3, []byte(native(r.s3.put(logBucket, "backup/a", payload))))
	require.NoError(t, err)
	for _, host := range []string{archiveHost, datadogHost} {
		want, got := logs.intake.items(t, host), r.intake.items(t, host)
		require.Len(t, got, 3)
		for i := range want {
			for _, name := range []string{"id", "message", "time", "timestamp", "source", "ddsource", "service", "ddtags"} {
				assert.Equal(t, want[i][name], got[i][name], "%s at %s", name, host)
			}
		}
	}
}

// idsOf are the ids of the lines that an event leads to.
func idsOf(t *testing.T, r *rig, event string) (ids []any) {
	t.Helper()
	r.intake.got = nil
	_, _, err := r.invoke(t, S3, []byte(event))
	require.NoError(t, err)
	for _, item := range r.intake.items(t, archiveHost) {
		ids = append(ids, item["id"])
	}
	return ids
}

// A line's id depends on its object and its place in it alone: not on the route, not on how the object is packed.
func TestObjectIDs(t *testing.T) {
	r := newRig(t, both)
	o := r.s3.lines("a b+c.log", "x", "y", "z")
	ids := idsOf(t, r, native(o))
	require.Len(t, ids, 3)
	assert.NotEqual(t, ids[0], ids[1])
	for route, event := range map[string]string{
		"again": native(o), "SNS": topic(native(o)), "EventBridge": bridged(o), "SQS": string(inQueue(bridged(o))),
		"a job, which knows no ETag": string(batchJob("2.0", o)),
	} {
		assert.Equal(t, ids, idsOf(t, r, event), route)
	}
	longer := newRig(t, both)
	copied := longer.s3.put(logBucket, o.Key, packed(t, o.body))
	copied.ETag = o.ETag
	assert.Equal(t, ids, idsOf(t, longer, native(copied)), "packed otherwise")

	suspended := newRig(t, both)
	unversioned := suspended.s3.put(logBucket, o.Key, o.body)
	unversioned.Version = "null"
	assert.Equal(t, ids, idsOf(t, suspended, native(unversioned)), "versions are suspended: it is overwritten like one without")
	assert.Equal(t, ids, idsOf(t, suspended, strings.Replace(native(unversioned), `,"versionId":"null"`, "", 1)), "also where the event does not say so")
	changed := suspended.s3.lines(o.Key, "x", "y", "w")
	changed.Version = "null"
	assert.NotEqual(t, ids[0], idsOf(t, suspended, native(changed))[0], "another object with that version")

	other := newRig(t, both)
	versioned := other.s3.put(logBucket, o.Key, o.body)
	versioned.Version = "v1"
	first := idsOf(t, other, native(versioned))
	assert.NotEqual(t, ids, first, "a version is another object")
	assert.Equal(t, first, idsOf(t, other, strings.Replace(native(versioned), `,"versionId":"v1"`, "", 1)), "also where the event does not say so")
	assert.Empty(t, other.s3.gets[0].IfMatch)
	assert.Equal(t, "v1", other.s3.gets[0].Version)
	versioned.Version = "v2"
	assert.NotEqual(t, first, idsOf(t, other, native(versioned)))
}

// A key is taken as its route spells it, and never cleaned up.
func TestKeys(t *testing.T) {
	for _, key := range []string{
		"my app/a+b/naïve (copy).log", "100%25 <x>&y=1:2.log", "a//b///c.log", "/leading", "../up/./and/../down", "日本語/🚚.log",
		"%2F", "a+b c%20d", `quote".log`, "tab\tand\x01control", strings.Repeat("k", 1024),
	} {
		for route, event := range map[string]func(*s3Object) string{
			"S3": func(o *s3Object) string { return native(o) }, "EventBridge": bridged,
			"SNS in SQS": func(o *s3Object) string { return string(inQueue(notification(native(o)))) },
			"job":        func(o *s3Object) string { return string(batchJob("1.0", o)) },
		} {
			t.Run(route+" "+key[:min(len(key), 20)], func(t *testing.T) {
				r := newRig(t, both)
				o := r.s3.lines(key, "x")
				r.s3.lines(formKey(key)+"/decoy", "decoy")
				_, _, err := r.invoke(t, S3, []byte(event(o)))
				require.NoError(t, err)
				require.Len(t, r.s3.gets, 1)
				assert.Equal(t, key, r.s3.gets[0].Key)
				assert.Equal(t, []string{"x"}, r.intake.messages(t, archiveHost))
				assert.Equal(t, map[string]any{"bucket": logBucket, "key": key}, r.intake.items(t, datadogHost)[0]["aws"].(map[string]any)["s3"])
			})
		}
	}
}

// Records that Firehose could not deliver are forwarded as what they are, with what became of them.
func TestFailedObjects(t *testing.T) {
	const arrived = 1_769_938_200_123
	envelope := func(data []byte, code string) string {
		return fmt.Sprintf(`{"attemptsMade":4,"arrivalTimestamp":%d,"errorCode":%q,"errorMessage":"it says no","attemptEndingTimestamp":%d,"rawData":%q}`,
			arrived, code, arrived+1, base64.StdEncoding.EncodeToString(data))
	}
	for _, folder := range []string{
		"processing-failed", "decompression-failed", "format-conversion-failed", "elasticsearch-failed", "elasticsearch_failed",
		"AmazonOpenSearchService-failed", "AmazonOpenSearchService_failed", "AmazonOpenSearchServerlessService-failed", "splunk-failed",
		"http-endpoint-failed", "snowflake-failed", "iceberg-failed",
	} {
		t.Run(folder, func(t *testing.T) {
			r := newRig(t, both)
			text := envelope([]byte("a\nb\n"), "Some.Code") + "\n" + envelope(packed(t, []byte("c")), "Other.Code") + "\n" +
				envelope(packed(t, document(t, "d")), "Some.Code") + "\n" + envelope([]byte("{\"n\":1}\n{\"n\":2}"), "Some.Code") + "\n"
			o := r.s3.put(logBucket, "errors/"+folder+"/2026/02/01/09/app-logs-3-2026-02-01-09-30-00-11111111-2222-4333-8444-555555555555", []byte(text))
			r.comesTo(t, []byte(native(o)), ending{
				answer: "null", lines: []string{"a", "b", "c", "d", `{"n":1}`, `{"n":2}`}, gets: 1,
			})
			items := r.intake.items(t, archiveHost)
			for i, code := range []string{"Some.Code", "Some.Code", "Other.Code", "Some.Code", "Some.Code", "Some.Code"} {
				assert.NotContains(t, items[i], "marks", "nothing was broken")
				firehose := items[i]["attrs"].(map[string]any)["firehose"].(map[string]any)
				assert.Subset(t, firehose, map[string]any{
					"error_code": code, "error_message": "it says no", "attempts_made": 4.0, "delivery_stream": "app-logs", "stream_version": "3",
				})
			}
			assert.Equal(t, "2026-02-01T09:30:00.123Z", items[0]["time"], "when it arrived")
			assert.Equal(t, start.Add(-1e9).Format("2006-01-02T15:04:05.000Z"), items[3]["time"], "its own time goes before that")
			assert.Len(t, uniqueIDs(items), 6)
		})
	}
}

func uniqueIDs(items []map[string]any) map[any]bool {
	ids := map[any]bool{}
	for _, item := range items {
		ids[item["id"]] = true
	}
	return ids
}

// What stands in an envelope that is broken is forwarded as far as it goes, marked, and its neighbours are not touched.
func TestBrokenEnvelope(t *testing.T) {
	const key = "errors/splunk-failed/app-logs-1-2026-02-01-09-30-00-11111111-2222-4333-8444-555555555555"
	good := `{"attemptsMade":1,"arrivalTimestamp":1769938200123,"errorCode":"x","rawData":"Z29vZA=="}`
	for name, tc := range map[string]struct {
		line    string
		lines   []string
		dropped tally
		parked  tally
	}{
		"no JSON":                  {`{"attemptsMade":1,` + canary, []string{`{"attemptsMade":1,` + canary}, nil, nil},
		"no base64":                {`{"attemptsMade":1,"arrivalTimestamp":1,"errorCode":"x","rawData":"**"}`, []string{`{"attemptsMade":1,"arrivalTimestamp":1,"errorCode":"x","rawData":"**"}`}, nil, nil},
		"no record":                {`{"attemptsMade":1,"arrivalTimestamp":1,"errorCode":"x","rawData":""}`, nil, tally{"empty_line": 1}, nil},
		"a record that is saved":   {`{"attemptsMade":1,"errorCode":"Splunk.AckTimeout","errorMessage":"it said "no"","rawData":"c2F2ZWQ="}`, []string{"saved"}, nil, nil},
		"a record that is corrupt": {`{"attemptsMade":1,"arrivalTimestamp":1,"errorCode":"x","rawData":"` + base64.StdEncoding.EncodeToString(broken(packed(t, []byte("x")), -8)) + `"}`, nil, nil, tally{"undecodable": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, parkingBoth)
			o := r.s3.put(logBucket, key, []byte(good+"\n"+tc.line+"\n"+good+"\n"))
			_, ledger, err := r.invoke(t, S3, []byte(native(o)))
			require.NoError(t, err)
			got := r.intake.messages(t, archiveHost)
			require.GreaterOrEqual(t, len(got), 2)
			assert.Equal(t, "good", got[0])
			assert.Equal(t, "good", got[len(got)-1])
			c := ledger.Destinations["archive"]
			if tc.parked == nil {
				assert.Equal(t, tc.lines, append([]string(nil), got[1:len(got)-1]...))
			} else {
				require.Len(t, r.s3.parked, 2)
				from, to := int64(len(good)+1), int64(len(good)+1+len(tc.line))
				assert.Equal(t, [2]int64{from, to}, [2]int64(*r.s3.parked[0].Header.Sources[0].ByteRange), "the envelope")
			}
			assert.Equal(t, sum(tc.dropped), sum(c.Dropped))
			assert.Equal(t, sum(tc.parked), sum(c.Parked))
			if tc.lines != nil {
				assert.Equal(t, tally{"broken_envelope": 1}, c.Marked)
				item := r.intake.items(t, archiveHost)[1]
				assert.Equal(t, []any{"broken_envelope"}, item["marks"])
				if tc.lines[0] == "saved" {
					assert.Equal(t, "Splunk.AckTimeout", item["attrs"].(map[string]any)["firehose"].(map[string]any)["error_code"])
				}
			}
		})
	}
}

// Where text is to be redacted, an envelope that cannot be read is not sent: it may hold the text packed.
func TestBrokenEnvelopeOfWhatIsRedacted(t *testing.T) {
	const key = "errors/splunk-failed/app-logs-1-2026-02-01-09-30-00-11111111-2222-4333-8444-555555555555"
	good := `{"attemptsMade":1,"arrivalTimestamp":1769938200123,"errorCode":"x","rawData":"Z29vZA=="}`
	for name, line := range map[string]string{
		"no JSON":   `{"attemptsMade":1,MTkyLjAuMi4x`,
		"no base64": `{"attemptsMade":1,"arrivalTimestamp":1,"errorCode":"x","rawData":"MTkyLjAuMi4x**"}`,
		"long":      `{"attemptsMade":1,` + strings.Repeat("MTkyLjAuMi4x", 200_000),
	} {
		for _, rules := range []string{"redact_ip: true", "routes: [{bucket: other, redact: [{name: a, pattern: b}]}]"} {
			t.Run(name+", "+rules, func(t *testing.T) {
				r := newRig(t, with(rules, parkingBoth))
				o := r.s3.put(logBucket, key, []byte(good+"\n"+line+"\n"+good+"\n"))
				_, ledger, err := r.invoke(t, S3, []byte(native(o)))
				require.NoError(t, err)
				assert.Equal(t, []string{"good", "good"}, r.intake.messages(t, archiveHost))
				assert.Equal(t, tally{"undecodable": 1}, ledger.Destinations["archive"].Parked)
				require.Len(t, r.s3.parked, 2)
				from := int64(len(good) + 1)
				assert.Equal(t, from, r.s3.parked[0].Header.Sources[0].ByteRange[0])
				assert.InDelta(t, from+int64(len(line)), r.s3.parked[0].Header.Sources[0].ByteRange[1], 1, "with its line feed or without")
			})
		}
	}
}
