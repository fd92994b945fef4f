package sample

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"sluice/e2e/stack/envelope"
	"sluice/e2e/stack/notify"
)

// Object is an object of S3 that a sample event announces.
type Object struct {
	Bucket, Key string // the key as it is
	VersionID   string // empty in a bucket without versions
	Body        []byte
}

// ETag is what S3 calls an object that was put at once: the MD5 of its bytes.
func (o Object) ETag() string {
	sum := md5.Sum(o.Body)
	return hex.EncodeToString(sum[:])
}

// announced is the object as events name it.
func (o Object) announced() notify.Object {
	return notify.Object{
		Bucket: o.Bucket, Key: o.Key, Size: int64(len(o.Body)), ETag: o.ETag(), VersionID: o.VersionID,
		Sequencer: "0065BA2F0F9A3C1B27", Time: moment.Add(15 * time.Second),
	}
}

const (
	bucketName = "example-logs"
	backupTime = "2026-02-01-09-30-00-11111111-2222-4333-8444-555555555555"
)

// The objects, of one bucket.
var (
	flowLog = Object{
		Bucket: bucketName, VersionID: "096fKKXTRTtl3on89fVO.nfljtsv6qko",
		Key: "AWSLogs/" + account + "/vpcflowlogs/eu-west-1/2026/02/01/" + account + "_vpcflowlogs_eu-west-1_fl-1234abcd_20260201T0930Z_fe123456.log.gz",
		Body: packed("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status",
			"2 123456789012 eni-0123456789abcdef0 192.0.2.10 198.51.100.7 20641 22 6 20 4249 1769938170 1769938230 ACCEPT OK",
			"2 123456789012 eni-0123456789abcdef0 203.0.113.66 192.0.2.10 49761 3389 6 1 40 1769938170 1769938230 REJECT OK",
			"2 123456789012 eni-0123456789abcdef0 - - - - - - - 1769938170 1769938230 - NODATA"),
	}
	oddKey = Object{
		Bucket: bucketName, Key: "my app/a+b/naïve (copy) 100%.log",
		Body: plain(`{"time":"2026-02-01T09:30:00Z","level":"info","msg":"basket paid","price":1.10}`, "no JSON, just \ta line ✓", "", "the last"),
	}
	trailLog = Object{
		Bucket: bucketName,
		Key: "AWSLogs/" + account + "/CloudTrail/eu-west-1/2026/02/01/" + account +
			"_CloudTrail_eu-west-1_20260201T0930Z_Mu0KsOhtH1ar15ZZ.json.gz",
		Body: gzipped([]byte(`{"Records":[` + trail("ConsoleLogin", "signin.amazonaws.com", "e011", `"additionalEventData":{"MFAUsed":"No"}`) + "," +
			trail("StopInstances", "ec2.amazonaws.com", "e012", `"requestParameters":{"force":false}`) + `]}`)),
	}
	balancerLog = Object{
		Bucket: bucketName,
		Key: "AWSLogs/" + account + "/elasticloadbalancing/eu-west-1/2026/02/01/" + account +
			"_elasticloadbalancing_eu-west-1_app.shop.50dc6c495c0c9188_20260201T0930Z_192.0.2.20_1a2b3c4d.log.gz",
		Body: packed(`https 2026-02-01T09:30:00.186641Z app/shop/50dc6c495c0c9188 203.0.113.9:2817 192.0.2.30:8080 0.000 0.001 0.000 200 200 34 366 ` +
			`"GET https://www.example.com:443/orders/7 HTTP/2.0" "curl/8.5.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 ` +
			`arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop/73e2d6bc24d8a067 "Root=1-58337262-36d228ad5d99923122bbe354" ` +
			`"www.example.com" "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-4000-8000-000000000001" 0 ` +
			`2026-02-01T09:30:00.185000Z "forward" "-" "-" "192.0.2.30:8080" "200" "-" "-"`),
	}
	firewallLog = Object{
		Bucket: "aws-waf-logs-example",
		Key: "AWSLogs/" + account + "/WAFLogs/eu-west-1/shop/2026/02/01/09/30/" + account +
			"_waflogs_eu-west-1_shop_20260201T0930Z_0a1b2c3d.log.gz",
		Body: packed(`{"timestamp":1769938200123,"formatVersion":1,"webaclId":"arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/shop/a1b2c3d4",` +
			`"terminatingRuleId":"rate","action":"BLOCK","httpRequest":{"clientIp":"203.0.113.66","country":"DE","uri":"/login","httpMethod":"POST"}}`),
	}
	plusKey    = Object{Bucket: bucketName, Key: "my app/a+b.log", Body: plain("2026-02-01 09:30:00 INFO started", "2026-02-01 09:30:01 WARN slow")}
	failedSend = Object{
		Bucket: bucketName, Key: "errors/splunk-failed/2026/02/01/09/app-logs-3-" + backupTime,
		Body: plain(failed("Splunk.InvalidToken", []byte("order 1045 packed\norder 1045 sent\n")),
			failed("Splunk.AckTimeout", gzipped([]byte(`{"event":"order.paid","order":1046}`)))),
	}
	frontLog = Object{
		Bucket: bucketName, Key: "cdn/E2EXAMPLE12345.2026-02-01-09.0a1b2c3d.gz",
		Body: packed("#Version: 1.0", "#Fields: date time x-edge-location sc-bytes c-ip cs-method",
			"2026-02-01\t09:30:00\tFRA56-P1\t2390\t203.0.113.10\tGET", "2026-02-01\t09:30:01\tFRA56-P1\t1110\t203.0.113.11\tHEAD"),
	}
	backup = Object{
		Bucket: bucketName, Key: "backup/2026/02/01/09/cwl-to-s3-1-" + backupTime,
		Body: append(data(account, "/aws/lambda/orders", "2026/02/01/[$LATEST]94fa867e5374431291a7fc14e2f56ae7", 800,
			"2026-02-01T09:30:00.173Z\t00000000-0000-4000-8000-000000000008\tINFO\torder 1047 accepted\n").gzip(),
			data(otherAccount, "checkout", "web", 810, "basket 7 left").gzip()...),
	}
	deleted = Object{Bucket: bucketName, Key: "app/deleted before it was read.log"}
)

// Objects are all those that the sample events announce and that are still there.
func Objects() []Object {
	return []Object{flowLog, oddKey, trailLog, balancerLog, firewallLog, plusKey, failedSend, frontLog, backup}
}

var objectQueue = envelope.Queue{ARN: "arn:aws:sqs:eu-west-1:" + account + ":log-objects", Region: "eu-west-1"}

// announcements are the events that announce objects, by each way there is.
func announcements() ([]File, error) {
	at := moment.Add(16 * time.Second)
	files := []File{
		{"s3-put.json", notify.Native(flowLog.announced())},
		{"s3-put-encoded-key.json", notify.Native(oddKey.announced())},
		{"s3-test-event.json", notify.TestEvent(bucketName, moment)},
		{"sns-s3.json", notify.SNS(at, notify.Native(trailLog.announced()))},
		{"eventbridge-s3.json", notify.EventBridge(failedSend.announced())},
		{"s3-batch-1.json", notify.BatchOperations1("invocation-1", frontLog.announced())},
		{"s3-batch-2.json", notify.BatchOperations2("invocation-2", map[string]string{"reason": "backfill"}, backup.announced(), deleted.announced())},
	}
	for _, queued := range []struct {
		name   string
		bodies [][]byte
	}{
		{"sqs-s3.json", [][]byte{notify.Native(balancerLog.announced()), notify.Native(plusKey.announced(), flowLog.announced())}},
		{"sqs-sns-s3.json", [][]byte{notify.SNSBody(at, notify.Native(firewallLog.announced()))}},
		{"sqs-eventbridge-s3.json", [][]byte{notify.EventBridge(plusKey.announced())}},
	} {
		messages := make([]envelope.Message, len(queued.bodies))
		for i, body := range queued.bodies {
			messages[i] = envelope.Message{
				ID: fmt.Sprintf("059f36b4-87a3-44ab-83d2-%012d", i), Body: string(body), Receives: 1, Sent: at, FirstReceived: at,
			}
		}
		event, err := envelope.SQS(objectQueue, messages)
		if err != nil {
			return nil, err
		}
		files = append(files, File{queued.name, event})
	}
	return files, nil
}

// plain is lines of text.
func plain(lines ...string) []byte { return []byte(strings.Join(lines, "\n") + "\n") }

// packed is lines of text as most services write them.
func packed(lines ...string) []byte { return gzipped(plain(lines...)) }

// gzipped is one member; its header carries no time.
func gzipped(text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(text) // into a buffer
	_ = w.Close()
	return b.Bytes()
}

// failed is the envelope of a record that Firehose could not deliver. Format: Firehose developer guide, "Handle data
// delivery failures".
func failed(code string, record []byte) string {
	return fmt.Sprintf(`{"attemptsMade":4,"arrivalTimestamp":%d,"errorCode":%q,"errorMessage":"The data could not be delivered.",`+
		`"attemptEndingTimestamp":%d,"rawData":%q,"EventId":"49567737200000000000.0"}`,
		moment.UnixMilli(), code, moment.Add(time.Minute).UnixMilli(), base64.StdEncoding.EncodeToString(record))
}
