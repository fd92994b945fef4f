package sample

import (
	"fmt"
	"time"

	"sluice/e2e/stack/envelope"
)

// directEvent is an event of a CloudWatch Logs subscription with the function as its destination.
type directEvent struct {
	name string
	doc  document
}

var direct = []directEvent{
	{"cloudwatch-lambda.json", data(account, "/aws/lambda/orders", "2026/02/01/[$LATEST]94fa867e5374431291a7fc14e2f56ae7", 100,
		"START RequestId: 6234bffe-149a-4642-81ff-2e8e376d8aff Version: $LATEST\n",
		"2026-02-01T09:30:01.173Z\t6234bffe-149a-4642-81ff-2e8e376d8aff\tINFO\torder 1042 accepted\n",
		`{"timestamp":"2026-02-01T09:30:02.210Z","level":"ERROR","message":"card declined: \"insufficient funds\"",`+
			`"requestId":"6234bffe-149a-4642-81ff-2e8e376d8aff","amount":19.90}`+"\n",
		"END RequestId: 6234bffe-149a-4642-81ff-2e8e376d8aff\n",
		"REPORT RequestId: 6234bffe-149a-4642-81ff-2e8e376d8aff\tDuration: 46.84 ms\tBilled Duration: 47 ms\t"+
			"Memory Size: 192 MB\tMax Memory Used: 72 MB\t\n",
	)},
	{"cloudwatch-vpc-flow.json", vpcFlow()},
	{"cloudwatch-control.json", control("Lambda function")},
	{"cloudwatch-rds-postgresql.json", data(otherAccount, "/aws/rds/instance/shop-db/postgresql", "shop-db.0", 300,
		"2026-02-01 09:30:00 UTC:192.0.2.15(51234):shop@orders:[1234]:LOG:  duration: 1204.118 ms  statement: SELECT count(*) FROM items",
		"2026-02-01 09:30:01 UTC:192.0.2.15(51234):shop@orders:[1234]:ERROR:  relation \"itmes\" does not exist at character 22",
		"2026-02-01 09:30:02 UTC:192.0.2.15(51234):shop@orders:[1234]:STATEMENT:  SELECT count(*)\n\tFROM itmes\n\tWHERE sold",
		"2026-02-01 09:30:03 UTC::@:[390]:LOG:  checkpoint starting: time",
	)},
	{"cloudwatch-eks-audit.json", data(otherAccount, "/aws/eks/shop/cluster", "kube-apiserver-audit-0123456789abcdef0123456789abcdef", 400,
		audit("a001", "get", "pods", "web-7d9f", "system:serviceaccount:kube-system:coredns", 200),
		audit("a002", "delete", "secrets", "payment-key", "alice", 403),
	)},
	{"cloudwatch-cloudtrail.json", data(account, "aws-cloudtrail-logs", account+"_CloudTrail_eu-west-1", 500,
		trail("ConsoleLogin", "signin.amazonaws.com", "e001", `"additionalEventData":{"MFAUsed":"No"}`),
		trail("StopInstances", "ec2.amazonaws.com", "e002",
			`"requestParameters":{"instancesSet":{"items":[{"instanceId":"i-0123456789abcdef0"}]},"force":false}`),
	)},
	{"cloudwatch-ddtags.json", data(account, "checkout", "web/checkout/i-0123456789abcdef0", 600,
		`{"level":"info","message":"basket paid","price":1.10,"ddtags":"env:prod,team:payments,service:checkout"}`,
		`{"level":"warn","message":"Straße nicht gefunden: Zürich 8001 🚚","ddtags":"env:prod, version:1.2.3"}`,
	)},
}

// vpcFlow has what a filter pattern with field names and an account-level policy add.
func vpcFlow() document {
	d := data(account, "/aws/vpc/flow-logs", "eni-0123456789abcdef0-all", 200,
		"2 123456789012 eni-0123456789abcdef0 192.0.2.10 198.51.100.7 20641 22 6 20 4249 1769938170 1769938230 ACCEPT OK",
		"2 123456789012 eni-0123456789abcdef0 203.0.113.66 192.0.2.10 49761 3389 6 1 40 1769938170 1769938230 REJECT OK",
		"2 123456789012 eni-0123456789abcdef0 - - - - - - - 1769938170 1769938230 - NODATA",
	)
	d.PolicyLevel = "ACCOUNT_LEVEL_POLICY"
	for i, action := range []string{"ACCEPT", "REJECT", "-"} {
		d.LogEvents[i].Extracted = map[string]string{
			"version": "2", "account_id": account, "action": action, "@aws.account": account, "@aws.region": "eu-west-1",
		}
	}
	return d
}

func audit(id, verb, resource, object, user string, code int) string {
	return fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"00000000-0000-4000-8000-00000000%s",`+
		`"stage":"ResponseComplete","requestURI":"/api/v1/namespaces/shop/%s/%s","verb":%q,"user":{"username":%q,"groups":["system:authenticated"]},`+
		`"sourceIPs":["192.0.2.15"],"objectRef":{"resource":%q,"namespace":"shop","name":%q},"responseStatus":{"metadata":{},"code":%d},`+
		`"requestReceivedTimestamp":"2026-02-01T09:30:00.123456Z"}`, id, resource, object, verb, user, resource, object, code)
}

func trail(name, source, id, rest string) string {
	return fmt.Sprintf(`{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::%s:user/alice","accountId":%[1]q,`+
		`"userName":"alice"},"eventTime":"2026-02-01T09:30:00Z","eventSource":%q,"eventName":%q,"awsRegion":"eu-west-1",`+
		`"sourceIPAddress":"203.0.113.64","userAgent":"example/1.0",%s,"eventID":"00000000-0000-4000-8000-00000000%s",`+
		`"readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":%[1]q,"eventCategory":"Management"}`,
		account, source, name, rest, id)
}

type batch struct {
	name    string
	records []envelope.Record
}

// batches are what an event source mapping of a Kinesis stream hands over.
func batches() []batch {
	return []batch{
		{"kinesis-cloudwatch-cross-account.json", records(1000,
			data(account, "/aws/lambda/orders", "2026/02/01/[$LATEST]94fa867e5374431291a7fc14e2f56ae7", 700,
				"2026-02-01T09:30:00.173Z\t00000000-0000-4000-8000-000000000007\tINFO\torder 1043 accepted\n").gzip(),
			data(otherAccount, "CloudTrail/logs", otherAccount+"_CloudTrail_eu-west-1", 710,
				trail("AssumeRole", "sts.amazonaws.com", "e003", `"requestParameters":{"roleSessionName":"deploy"}`)).gzip(),
			control("Kinesis stream").gzip(),
		)},
		{"kinesis-plain-lines.json", records(2000,
			[]byte("2026-02-01T09:30:00Z worker-1 queue drained in 381 ms"),
			[]byte(`{"time":"2026-02-01T09:30:01Z","level":"warn","msg":"retrying","attempt":2,"host":"worker-2"}`),
			[]byte(`{"time":"2026-02-01T09:30:02Z","level":"info","msg":"naïve café ✓"}`),
		)},
		{"kinesis-kpl-aggregate.json", records(3000,
			Aggregate("orders",
				[]byte(`{"event":"order.created","order":1044,"total":12.50}`),
				[]byte(`{"event":"order.paid","order":1044}`),
				[]byte("order 1044 shipped by drone 7"),
			),
			[]byte("a record of its own between aggregates"),
		)},
	}
}

// records are consecutive records of one shard.
func records(first int, contents ...[]byte) []envelope.Record {
	list := make([]envelope.Record, 0, len(contents))
	for i, content := range contents {
		list = append(list, envelope.Record{
			Shard:        shard,
			Sequence:     fmt.Sprintf("49590338%048d", first+i),
			PartitionKey: fmt.Sprintf("%032x", first+i),
			Data:         content,
			Arrived:      moment.Add(time.Duration(i) * 250 * time.Millisecond),
		})
	}
	return list
}
