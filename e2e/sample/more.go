package sample

// moreDirect are events of services whose logs are told by what they say, or by the name of their stream: the groups are a
// user's.
var moreDirect = []directEvent{
	{"cloudwatch-waf.json", data(account, "aws-waf-logs-shop", "eu-west-1_shop_0", 700,
		`{"timestamp":1769938200614,"formatVersion":1,"webaclId":"arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/shop/0a1b2c3d",`+
			`"terminatingRuleId":"sqli","terminatingRuleType":"REGULAR","action":"BLOCK","httpSourceName":"ALB","httpSourceId":"app/shop",`+
			`"ruleGroupList":[],"rateBasedRuleList":[{"rateBasedRuleName":"burst","limitValue":"100"}],"nonTerminatingMatchingRules":[],`+
			`"httpRequest":{"clientIp":"203.0.113.9","country":"CH","headers":[{"name":"Host","value":"shop.example.com"},`+
			`{"name":"User-Agent","value":"example/1.0"}],"uri":"/login","args":"id=1%20OR%201=1","httpMethod":"POST","requestId":"r-1"}}`,
	)},
	{"cloudwatch-stepfunctions.json", data(account, "/aws/vendedlogs/states/orders-Logs", "states/orders/2026-02-01-09-30/0a1b2c3d", 800,
		`{"id":"1","type":"ExecutionStarted","details":{"input":"{\"order\":1042}","roleArn":"arn:aws:iam::123456789012:role/orders"},`+
			`"previous_event_id":"0","event_timestamp":"1769938200123",`+
			`"execution_arn":"arn:aws:states:eu-west-1:123456789012:execution:orders:0a1b2c3d"}`,
		`{"id":"2","type":"ExecutionFailed","details":{"error":"States.TaskFailed","cause":"card declined"},"previous_event_id":"1",`+
			`"event_timestamp":"1769938201500","execution_arn":"arn:aws:states:eu-west-1:123456789012:execution:orders:0a1b2c3d"}`,
	)},
	{"cloudwatch-mysql-slow.json", data(account, "/aws/rds/cluster/shop/slowquery", "shop-1", 900,
		"# Time: 2026-02-01T09:30:00.204611Z\n# User@Host: shop[shop] @  [192.0.2.15]  Id:    42\n"+
			"# Query_time: 2.204118  Lock_time: 0.000042 Rows_sent: 1  Rows_examined: 1048576\nSET timestamp=1769938198;\n"+
			"SELECT count(*) FROM items WHERE sold = 1;",
	)},
	{"cloudwatch-msk-connect.json", data(account, "/shop/connect", "sink-0a1b2c3d", 1000,
		"[Worker-0bb8afa0b01391c41] [2026-02-01 09:30:00,151] WARN [Producer clientId=producer-1] Connection to node 1 "+
			"(b-1.shop.example.com/192.0.2.20:9098) could not be established. (org.apache.kafka.clients.NetworkClient:782)",
	)},
	{"cloudwatch-api-gateway.json", data(account, "/shop/api-access", "0a1b2c3d", 1100,
		`{"requestId":"6b1f6c1e-0000-4000-8000-00000000b001","extendedRequestId":"SBLqPHuyoAMFk_g=","ip":"203.0.113.7","caller":"-","user":"-",`+
			`"requestTime":"01/Feb/2026:09:30:00 +0000","httpMethod":"GET","resourcePath":"/pets","status":"200","protocol":"HTTP/1.1",`+
			`"responseLength":"1024"}`,
	)},
	{"cloudwatch-elasticache-slow.json", data(account, "/shop/carts", "carts-0001", 1200,
		`{"CacheClusterId":"carts-0001","CacheNodeId":"0001","Id":296,"Timestamp":1769938200,"Duration (us)":12044,`+
			`"Command":"KEYS ... (1 more arguments)","ClientAddress":"192.0.2.17:55452","ClientName":"web"}`,
	)},
}
