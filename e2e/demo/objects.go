package main

import (
	"bytes"
	"fmt"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"sluice/e2e/generate"
	"sluice/e2e/stack/notify"
)

const (
	objectLines = 4_000
	ruleHeader  = "header_line" // the function's names of rules
	ruleGone    = "source_gone"
	whole       = -1
)

// object is one object of the bucket, how it is announced, and what goes wrong with it. Its key is its id in the audit.
type object struct {
	what  string // for people
	key   string
	route route
	content

	goneBefore bool  // deleted after it was announced
	cutAfter   int64 // bytes after which the connection of its first reading ends; 0: none
	put        notify.Object
}

// content is what an object holds.
type content struct {
	body  []byte
	lines []generate.Line
	// readable is where reading has to stop, in bytes after decompression; whole, unless the body is damaged.
	readable int64
}

// objects are all but the large one: each format, route and fault once.
func objects(g *generate.Generator, now time.Time) ([]*object, error) {
	failed, err := failedDelivery(g, now)
	if err != nil {
		return nil, err
	}
	access := func() content { return gzipped(text(g, generate.ALB)) }
	truncated, err := truncate(access())
	if err != nil {
		return nil, err
	}
	const logs = "AWSLogs/123456789012/"
	day := now.UTC().Format("2006/01/02")
	balancer := func(n int) string {
		return fmt.Sprintf("%selasticloadbalancing/eu-west-1/%s/123456789012_elasticloadbalancing_eu-west-1_"+
			"app.shop.50dc6c495c0c9188_%s_192.0.2.%d_4dsz%04d.log.gz", logs, day, now.UTC().Format("20060102T1504Z"), n, n)
	}
	return named([]*object{
		{what: "ALB access log, gzip", key: balancer(1), route: byS3, content: access()},
		{
			what: "VPC flow log with its header, gzip", route: bySNS, content: flowLog(now),
			key: logs + "vpcflowlogs/eu-west-1/" + day + "/123456789012_vpcflowlogs_eu-west-1_fl-0123456789abcdef0_0001.log.gz",
		},
		{
			what: `CloudTrail {"Records":[…]}, gzip`, route: bySQS, content: trail(now),
			key: logs + "CloudTrail/eu-west-1/" + day + "/123456789012_CloudTrail_eu-west-1_0001.json.gz",
		},
		{
			what: "JSON lines, zstd", key: "app/a b+c/" + day + "/0001.json", route: bySNSToSQS,
			content: zstandard(text(g, generate.JSONLines(generate.Mixed))),
		},
		{
			what: "Firehose backup of CloudWatch payloads", key: "backup/" + day + "/logs-to-sluice-1-0001", route: byEventBridge,
			content: backup(g),
		},
		{
			what: "Firehose http-endpoint-failed", key: "http-endpoint-failed/" + day + "/logs-to-sluice-1-0002", route: byJob,
			content: failed,
		},
		{what: "ALB, gzip cut short", key: balancer(2), route: bySQS, content: truncated},
		{what: "gone before it is read", key: balancer(3), route: bySQS, content: gone(), goneBefore: true},
		{what: "ALB, connection cut in the middle", key: balancer(4), route: byBridgeToSQS, content: access(), cutAfter: 50_000},
	}), nil
}

// named makes the keys the ids of the lines, also of those that the generator knew as part of something else.
func named(list []*object) []*object {
	for _, o := range list {
		for i := range o.lines {
			o.lines[i].Payload = o.key
		}
	}
	return list
}

// text is marked lines, as they are.
func text(g *generate.Generator, style generate.Style) content {
	o := g.Object(objectLines, style)
	return content{body: o.Body, lines: o.Lines, readable: whole}
}

func gzipped(c content) content {
	c.body = generate.Object{Body: c.body}.Gzip()
	return c
}

func zstandard(c content) content {
	w, _ := zstd.NewWriter(nil) // the default options are good
	c.body = w.EncodeAll(c.body, nil)
	return c
}

// flowLog is a file of the default format: names of columns, then lines that are told apart by their whole text.
func flowLog(now time.Time) content {
	const header = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action" +
		" log-status"
	c := content{body: []byte(header + "\n"), lines: []generate.Line{{Rule: ruleHeader}}, readable: whole}
	for i := range objectLines {
		start := now.Unix() - int64(i%600)
		line := fmt.Sprintf("2 123456789012 eni-0123456789abcdef0 192.0.2.%d 198.51.100.%d %d 443 6 %d %d %d %d ACCEPT OK",
			i%256, i%251, 1024+i, 1+i%40, 100+i, start-60, start)
		c.add(line, line+"\n")
	}
	return gzipped(c)
}

// trail is a file of CloudTrail: one JSON document.
func trail(now time.Time) content {
	c := content{body: []byte(`{"Records":[`), readable: whole}
	for i := range objectLines {
		event := fmt.Sprintf(`{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::123456789012:user/alice",`+
			`"accountId":"123456789012","userName":"alice"},"eventTime":%q,"eventSource":"s3.amazonaws.com","eventName":"GetObject",`+
			`"awsRegion":"eu-west-1","sourceIPAddress":"203.0.113.%d","userAgent":"[aws-cli/2.17.0]","requestParameters":`+
			`{"bucketName":"example-data","key":"a/%d"},"responseElements":null,"eventID":"00000000-0000-4000-8000-%012d",`+
			`"readOnly":true,"eventType":"AwsApiCall","recipientAccountId":"123456789012"}`,
			now.Add(-time.Duration(i)*time.Millisecond).UTC().Format(time.RFC3339), i%256, i, i)
		separator := ","
		if i == 0 {
			separator = ""
		}
		c.add(event, separator+event)
	}
	c.body = append(c.body, "]}"...)
	return gzipped(c)
}

// add appends a line without a mark; encoded is what stands in the object.
func (c *content) add(message, encoded string) {
	c.body = append(c.body, encoded...)
	c.lines = append(c.lines, generate.Line{Message: message})
}

// gone is an object nobody can read: the function accounts for it as one.
func gone() content {
	return content{body: []byte("nobody reads this\n"), lines: []generate.Line{{Rule: ruleGone}}, readable: whole}
}

// truncate cuts a gzip body as a writer that died does. The lines up to there have to arrive; the rest, whatever it held,
// is accounted for as one.
func truncate(c content) (content, error) {
	c.body = c.body[:len(c.body)*3/5]
	r, err := gzip.NewReader(bytes.NewReader(c.body))
	if err != nil {
		return content{}, fmt.Errorf("read the start of a truncated object: %w", err)
	}
	var plain bytes.Buffer
	if _, err := plain.ReadFrom(r); err == nil {
		return content{}, fmt.Errorf("the truncated object of %d bytes is whole: cut more", len(c.body))
	}
	complete := plain.Bytes()[:bytes.LastIndexByte(plain.Bytes(), '\n')+1]
	c.readable = int64(len(complete))
	c.lines = append(c.lines[:bytes.Count(complete, []byte("\n"))],
		generate.Line{Message: "the rest, which is in the park store and never a message"})
	return c, nil
}
