package forward

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/klauspost/compress/gzip"

	"sluice/internal/record"
)

// corpus is a subscription payload or an object made for measuring: the same bytes in every run.
type corpus struct {
	name   string
	key    string // of the object; empty for a payload
	events int
	plain  []byte // the JSON document, or the lines
	packed []byte // gzip of it, as AWS writes it: level 6
}

// event is the Lambda event that carries the payload.
func (c *corpus) event() []byte {
	return []byte(`{"awslogs":{"data":"` + base64.StdEncoding.EncodeToString(c.packed) + `"}}`)
}

func newCorpus(name, group, stream string, events int, line func(r *rand.Rand, i int) string) *corpus {
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":%q,"logStream":%q,"subscriptionFilters":["sluice"],"logEvents":[`, group, stream)
	at := int64(1_700_000_000_000)
	for i := range events {
		if i > 0 {
			b.WriteByte(',')
		}
		at += r.Int64N(50)
		// The service's ids are timestamp × 2^144 and a counter: 56 digits, of which the first 17 or so follow the time.
		fmt.Fprintf(&b, `{"id":"%017d%039d","timestamp":%d,"message":"`, at*22_300, r.Uint64(), at)
		b.Write(record.AppendEscaped(nil, line(r, i)))
		b.WriteString(`"}`)
	}
	b.WriteString("]}")
	return &corpus{name: name, events: events, plain: b.Bytes(), packed: gzipped(b.Bytes())}
}

func gzipped(plain []byte) []byte {
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, 6)
	_, _ = w.Write(plain)
	_ = w.Close()
	return packed.Bytes()
}

// vpcCorpus has flow log lines of about 115 bytes.
func vpcCorpus() *corpus {
	return newCorpus("vpc", "/vpc/flow-logs", "eni-0a1b2c3d4e5f60718-all", 10_000, vpcLine)
}

func vpcLine(r *rand.Rand, i int) string {
	start := 1_700_000_000 + i/100
	return fmt.Sprintf("2 123456789012 eni-%017x 10.0.%d.%d 192.0.2.%d %d %d 6 %d %d %d %d %s OK",
		r.IntN(40)*7919, r.IntN(4), r.IntN(256), r.IntN(256), 1024+r.IntN(60000), oneOf(r, 443, 80, 22, 5432),
		1+r.IntN(40), 40+r.IntN(60000), start, start+60, oneOf(r, "ACCEPT", "ACCEPT", "ACCEPT", "REJECT"))
}

func oneOf[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// appCorpus has JSON application logs of about 400 bytes, full of quotes to be escaped.
func appCorpus() *corpus {
	return newCorpus("app", "/aws/lambda/checkout", "2023/11/14/[$LATEST]94fa867e5374431291a7fc14e2f56ae7", 5_000, appLine())
}

// appLine makes a function of its own, because the words are split once.
func appLine() func(r *rand.Rand, _ int) string {
	words := strings.Fields("order payment checkout inventory customer shipped accepted declined retried cached expired")
	return func(r *rand.Rand, _ int) string {
		word := func() string { return words[r.IntN(len(words))] }
		return fmt.Sprintf(`{"level":"%s","time":"2023-11-14T22:13:%02d.%03dZ","requestId":"%08x-%04x-4%03x-9%03x-%012x","logger":"com.example.%s.%sService",`+
			`"message":"%s %s for %s %d","duration_ms":%d.%02d,"http":{"method":"POST","path":"/api/v1/%s/%d","status":%d},`+
			`"user":{"id":%d,"tier":"%s"},"trace_id":"%016x","span_id":"%016x","tags":["%s","%s"]}`,
			oneOf(r, "INFO", "INFO", "DEBUG", "WARN"), r.IntN(60), r.IntN(1000), r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<12), r.Uint64()>>16,
			word(), word(), word(), word(), word(), r.IntN(100000), r.IntN(900), r.IntN(100), word(), r.IntN(1000000), oneOf(r, 200, 201, 404, 500),
			r.IntN(1000000), word(), r.Uint64(), r.Uint64(), word(), word())
	}
}

// newObject is an object of begin, as many lines as reach sizeBytes, and end.
func newObject(name, key string, sizeBytes int, begin, between, end string, line func(r *rand.Rand, i int) string) *corpus {
	r := rand.New(rand.NewPCG(3, 4))
	c := &corpus{name: name, key: key}
	b := bytes.NewBufferString(begin)
	for ; b.Len() < sizeBytes; c.events++ {
		if c.events > 0 {
			b.WriteString(between)
		}
		b.WriteString(line(r, c.events))
	}
	b.WriteString(end)
	c.plain = b.Bytes()
	c.packed = gzipped(c.plain)
	return c
}

const bucketKey = "AWSLogs/123456789012/"

// albObject is an access log of a load balancer, of lines of about 613 bytes.
func albObject(sizeBytes int) *corpus {
	const key = bucketKey + "elasticloadbalancing/eu-west-1/2023/11/14/" +
		"123456789012_elasticloadbalancing_eu-west-1_app.edge.0123456789abcdef_20231114T2215Z_192.0.2.10_2c3d4e5f.log.gz"
	return newObject("alb", key, sizeBytes, "", "\n", "\n", albLine)
}

func albLine(r *rand.Rand, i int) string {
	at := fmt.Sprintf("2023-11-14T22:%02d:%02d", i/6000%60, i/100%60)
	target := fmt.Sprintf("10.0.%d.%d:8080", r.IntN(4), r.IntN(60))
	status := oneOf(r, 200, 200, 200, 200, 201, 204, 304, 404, 500)
	url := fmt.Sprintf("https://shop.example.com:443/api/v1/%s/%d?session=%08x&page=%d",
		oneOf(r, "orders", "payments", "customers", "inventory"), r.IntN(1_000_000), r.Uint32(), r.IntN(50))
	agent := oneOf(r,
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15",
		"okhttp/4.12.0", "curl/8.4.0")
	return fmt.Sprintf(`https %s.%06dZ app/edge/0123456789abcdef 198.51.100.%d:%d %s 0.%03d 0.%03d 0.000 %d %d %d %d "%s %s HTTP/2.0" "%s" `+
		`TLS_AES_128_GCM_SHA256 TLSv1.3 arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop/0f1e2d3c4b5a6978 `+
		`"Root=1-6553f%03x-%016x%08x" "shop.example.com" `+
		`"arn:aws:acm:eu-west-1:123456789012:certificate/%08x-1111-4222-8333-444455556666" %d %s.%06dZ "waf,forward" "-" "-" "%s" "%d" "-" "-"`,
		at, r.IntN(1_000_000), r.IntN(256), 1024+r.IntN(60_000), target, r.IntN(3), r.IntN(800), status, status, 100+r.IntN(3000), r.IntN(60_000),
		oneOf(r, "GET", "GET", "GET", "POST"), url, agent, i/100%4096, r.Uint64(), r.Uint32(),
		oneOf(r, 0x1a2b3c4d, 0x5e6f7081), r.IntN(4), at, r.IntN(1_000_000), target, status)
}

// vpcObject is a flow log, which begins with the names of its columns.
func vpcObject(sizeBytes int) *corpus {
	const key = bucketKey + "vpcflowlogs/eu-west-1/2023/11/14/123456789012_vpcflowlogs_eu-west-1_fl-0123456789abcdef0_20231114T2215Z_2c3d4e5f.log.gz"
	const columns = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"
	return newObject("vpc", key, sizeBytes, columns, "\n", "\n", vpcLine)
}

// appObject is what an application has written, a JSON object a line, below a key that tells nothing.
func appObject(sizeBytes int) *corpus {
	return newObject("jsonl", "shop/2023/11/14/checkout-7.gz", sizeBytes, "", "\n", "\n", appLine())
}

// trailObject is a document of CloudTrail, of records of about 1.4 kB.
func trailObject(sizeBytes int) *corpus {
	const key = bucketKey + "CloudTrail/eu-west-1/2023/11/14/123456789012_CloudTrail_eu-west-1_20231114T2215Z_Mu0KsOhtH1ar15ZZ.json.gz"
	return newObject("cloudtrail", key, sizeBytes, `{"Records":[`, ",", "]}", trailRecord)
}

func trailRecord(r *rand.Rand, i int) string {
	service := oneOf(r, "ec2", "s3", "kms", "sts", "dynamodb", "lambda")
	role := oneOf(r, "deploy", "shop", "reporting", "audit")
	session := oneOf(r, fmt.Sprintf("session-%d", r.IntN(50)), fmt.Sprintf("i-%017x", r.IntN(20)*7919)) // half of them EC2 instances
	at := fmt.Sprintf("2023-11-14T22:%02d:%02dZ", i/600%60, i/10%60)
	return fmt.Sprintf(`{"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE%08x:%s",`+
		`"arn":"arn:aws:sts::123456789012:assumed-role/%s/%s","accountId":"123456789012","accessKeyId":"ASIAEXAMPLE%09x",`+
		`"sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE%08x","arn":"arn:aws:iam::123456789012:role/%s",`+
		`"accountId":"123456789012","userName":"%s"},"attributes":{"creationDate":"2023-11-14T21:00:%02dZ","mfaAuthenticated":"false"}}},`+
		`"eventTime":"%s","eventSource":"%s.amazonaws.com","eventName":"%s","awsRegion":"eu-west-1","sourceIPAddress":"198.51.100.%d",`+
		`"userAgent":"aws-sdk-go-v2/1.24.0 os/linux lang/go#1.21.5 md/GOOS#linux md/GOARCH#arm64 api/%s#1.47.5",`+
		`"requestParameters":{"bucketName":"shop-%d","key":"orders/2023/11/14/%08x.json","Host":"%s.eu-west-1.amazonaws.com"},`+
		`"responseElements":null,"additionalEventData":{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":%d,`+
		`"AuthenticationMethod":"AuthHeader","bytesTransferredOut":%d},"requestID":"%016X","eventID":"%08x-1111-4222-8333-%012x","readOnly":%t,`+
		`"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"123456789012","eventCategory":"Data",`+
		`"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"%s.eu-west-1.amazonaws.com"}}`,
		r.IntN(40)*7919, session, role, session, r.IntN(1<<30), r.IntN(40)*7919, role, role, r.IntN(60),
		at, service, oneOf(r, "GetObject", "PutObject", "Decrypt", "AssumeRole", "DescribeInstances"), r.IntN(256), service,
		r.IntN(9), r.Uint32(), service, r.IntN(100_000), r.IntN(100_000), r.Uint64(), r.Uint32(), r.Uint64()>>16, r.IntN(3) > 0, service)
}
