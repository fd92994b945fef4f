package format_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/format"
	"sluice/internal/service"
)

const (
	vpcHeader = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
	cfHeader  = "#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken"

	albHead  = `https 2024-02-01T00:00:05.812345Z app/edge/0123456789abcdef 203.0.113.50:36584 10.0.3.185:9002 0.000 0.023 0.000 200 200 588 429 `
	albTail  = ` TLS_AES_128_GCM_SHA256 TLSv1.3 arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/t/73e2d6bc24d8a067 "Root=1-65badf05" "api.example.com" "session-reused" 2 2024-02-01T00:00:05.788000Z "waf,forward" "https://example.com/\"x\"" "-" "10.0.3.185:9002" "200" "-" "-"`
	clbLine  = `2024-02-01T23:39:43.945958Z shop 203.0.113.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.38.0" - -`
	nlbLine  = `tls 2.0 2024-02-01T00:00:42 net/edge/c6e77e28c25b2234 g3d4b5e8bb8464cd 203.0.113.154:51341 198.51.100.185:443 5 2 98 246 - arn:aws:acm:us-east-2:123456789012:certificate/2a10 - ECDHE-RSA-AES128-SHA tlsv12 - edge.example.com h2 h2 "h2","http/1.1"`
	s3Head   = `79a59df9 shop-logs [29/Feb/2024:23:59:59 +0000] 192.0.2.3 arn:aws:iam::123456789012:user/web 3E57427F3EXAMPLE REST.GET.OBJECT a%2520b `
	s3Tail   = ` - s9lzHYrFp76= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader shop-logs.s3.us-east-2.amazonaws.com TLSv1.2 - Yes`
	userLine = "100 |awsuser | |alter|1|1|0|infinity |32453|1861|Thu, 1 Feb 2024 00:00:02:111"
	connLine = `authenticated |Thu, 1 Feb 2024 00:00:00:490|::ffff:10.0.0.2 |45242|32453|dev |awsuser |password |0|TLSv1.2 |ECDHE-RSA-AES256-GCM-SHA384 |0| | | |Amazon Redshift JDBC Driver 2.1.0 |Redshift JDBC Driver 2.1.0.9 |Linux 5.10 amd64 |none |`
)

// columnsOf are the attributes of a line, in its order: "name=value", numbers without quotes.
func columnsOf(t *testing.T, attributes *format.Attributes, log service.Log, header, line string) (members []string, ok bool) {
	t.Helper()
	var named []byte
	if header != "" {
		named = []byte(header)
	}
	given := []byte(line)
	out, ok := attributes.Append([]byte("before"), log, named, given)
	assert.Equal(t, line, string(given), "the line stays as it is")
	require.True(t, strings.HasPrefix(string(out), "before"))
	if out = out[len("before"):]; !ok {
		assert.Empty(t, out)
		return nil, false
	}
	require.True(t, json.Valid(out), "%s", out)
	for _, m := range inOrder(t, out) {
		members = append(members, m.name+"="+m.value)
	}
	return members, true
}

type namedValue struct{ name, value string }

// inOrder reads an object member by member.
func inOrder(t *testing.T, object []byte) (members []namedValue) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(object)))
	decoder.UseNumber()
	_, err := decoder.Token()
	require.NoError(t, err)
	for decoder.More() {
		name, err := decoder.Token()
		require.NoError(t, err)
		var value json.RawMessage
		require.NoError(t, decoder.Decode(&value))
		text := string(value)
		if text[0] == '"' {
			var plain string
			require.NoError(t, json.Unmarshal(value, &plain))
			text = "'" + plain + "'"
		}
		members = append(members, namedValue{name.(string), text})
	}
	return members
}

// TestColumns has, for each line, some members that it has to have; a name with nothing behind it has to be missing. A row
// without members is a line that stays a line.
func TestColumns(t *testing.T) {
	for name, tc := range map[string]struct {
		log          service.Log
		header, line string
		count        int // of members
		want         []string
	}{
		"VPC, default":                    {service.VPCFlow, "", vpcLine, 14, []string{"version=2", "account-id='123456789012'", "srcaddr='192.0.2.139'", "srcport=20641", "protocol=6", "bytes=4249", "start=1706745600", "action='ACCEPT'", "log-status='OK'"}},
		"VPC, CRLF":                       {service.VPCFlow, vpcHeader, vpcLine + "\r\n", 14, []string{"log-status='OK'"}},
		"VPC, no data":                    {service.VPCFlow, "", "2 unknown eni-1 - - - - - - - 1706745600 1706745660 - NODATA", 6, []string{"account-id='unknown'", "srcaddr", "action", "log-status='NODATA'"}},
		"VPC, two spaces":                 {service.VPCFlow, vpcHeader, strings.ReplaceAll(vpcLine, " ", "  "), 14, []string{"bytes=4249"}},
		"VPC, spaces around":              {service.VPCFlow, "", "  " + vpcLine + "  ", 14, []string{"version=2", "log-status='OK'"}},
		"VPC, IPv6":                       {service.VPCFlow, "", strings.Replace(vpcLine, "192.0.2.139", "2001:db8:1234:a100:8d6e:3477:df66:f105", 1), 14, []string{"srcaddr='2001:db8:1234:a100:8d6e:3477:df66:f105'"}},
		"VPC, custom order":               {service.VPCFlow, "end srcaddr start", "1706745660 192.0.2.1 1706745600", 3, []string{"end=1706745660", "srcaddr='192.0.2.1'", "start=1706745600"}},
		"VPC, names of a setting":         {service.VPCFlow, "${srcaddr} ${bytes}", "192.0.2.1 7", 2, []string{"srcaddr='192.0.2.1'", "bytes=7"}},
		"VPC, name that is new":           {service.VPCFlow, "srcaddr new-one", "192.0.2.1 7", 2, []string{"new-one='7'"}},
		"VPC, name twice":                 {service.VPCFlow, "srcaddr start srcaddr", "192.0.2.1 7 192.0.2.2", 3, []string{"srcaddr='192.0.2.1'", "column_3='192.0.2.2'"}},
		"VPC, name like an extra column":  {service.VPCFlow, "column_3 start", "a 7 c", 3, []string{"column_1='a'", "start=7", "column_3='c'"}},
		"VPC, extra columns":              {service.VPCFlow, vpcHeader, vpcLine + " vpc-1 - x", 16, []string{"column_15='vpc-1'", "column_16", "column_17='x'"}},
		"VPC, extra columns, no header":   {service.VPCFlow, "", vpcLine + " vpc-1", 0, nil},
		"VPC, cut":                        {service.VPCFlow, vpcHeader, vpcLine[:len(vpcLine)-3], 0, nil},
		"VPC, cut, no header":             {service.VPCFlow, "", vpcLine[:len(vpcLine)-3], 0, nil},
		"VPC, other status":               {service.VPCFlow, "", vpcLine[:len(vpcLine)-2] + "KO", 0, nil},
		"VPC, custom without a header":    {service.VPCFlow, "", "5 192.0.2.1 80", 0, nil},
		"VPC, wrapped":                    {service.VPCFlow, "", `{"message":"` + vpcLine + `\n"}`, 14, []string{"srcport=20641"}},
		"VPC, wrapped, below a header":    {service.VPCFlow, vpcHeader, ` {"message":"x"}`, 0, nil},
		"VPC, wrapped with more":          {service.VPCFlow, "", `{"message":"` + vpcLine + `","x":1}`, 0, nil},
		"VPC, wrapped and cut":            {service.VPCFlow, "", `{"message":"` + vpcLine + `"`, 0, nil},
		"VPC, quotes and unicode":         {service.VPCFlow, "srcaddr interface-id", "a\"b\\ \u00fc\u2028", 2, []string{`srcaddr='a"b\'`, "interface-id='ü\u2028'"}},
		"VPC, port that is no number":     {service.VPCFlow, "srcport dstport bytes", "http 080 12345678901234567890", 3, []string{"srcport='http'", "dstport='080'", "bytes='12345678901234567890'"}},
		"VPC, too many columns":           {service.VPCFlow, "srcaddr start", strings.Repeat("x ", 257), 0, nil},
		"VPC, header of too many names":   {service.VPCFlow, strings.Repeat("start ", 257), vpcLine, 0, nil},
		"VPC, header of no names":         {service.VPCFlow, "  ", vpcLine, 0, nil},
		"VPC, empty":                      {service.VPCFlow, "", "", 0, nil},
		"transit gateway":                 {service.VPCFlow, "", tgwLine, 34, []string{"version=6", "resource-type='TransitGateway'", "tgw-src-vpc-account-id='123456789012'", "packets-lost-no-route=0", "flow-direction='egress'", "pkt-src-aws-service"}},
		"transit gateway, header":         {service.VPCFlow, tgwHeader, tgwLine, 34, []string{"tgw-pair-attachment-id='tgw-attach-2'", "tcp-flags=2"}},
		"Global Accelerator":              {service.GlobalAccelerator, gaHeader, gaLine, 22, []string{"version='1.0'", "aws_account_id='123456789012'", "client_port=40112", "log-status='OK'", "vpc_id"}},
		"Global Accelerator, no header":   {service.GlobalAccelerator, "", gaLine, 22, []string{"direction='INGRESS'"}},
		"Global Accelerator, 1 below 2":   {service.GlobalAccelerator, gaHeader + " vpc_id", gaLine, 22, []string{"direction='INGRESS'"}},
		"Global Accelerator, 2 below 1":   {service.GlobalAccelerator, gaHeader, "2.0" + gaLine[3:] + " vpc-1", 23, []string{"version='2.0'", "vpc_id='vpc-1'"}},
		"Global Accelerator, 2":           {service.GlobalAccelerator, "", "2.0" + gaLine[3:] + " vpc-1", 23, []string{"vpc_id='vpc-1'"}},
		"Global Accelerator, no data":     {service.GlobalAccelerator, gaHeader + " vpc_id", "2.0 123456789012 1234abcd - - - - - - - - - - 1542931560 1542931620 - NODATA - - - - - -", 6, []string{"end_time=1542931620", "client_ip"}},
		"Global Accelerator, cut":         {service.GlobalAccelerator, gaHeader + " vpc_id", gaLine[:len(gaLine)-8], 0, nil},
		"ALB":                             {service.ALB, "", albLine, 29, []string{"type='h2'", "time='2024-02-01T00:00:05.812345Z'", "client_ip='203.0.113.50'", "client_port=36584", "target_ip='10.0.3.185'", "target_port=9002", "target_processing_time=0.023", "elb_status_code=200", "request_verb='POST'", "request_url='https://api.example.com:443/v1'", "request_proto='HTTP/2.0'", "user_agent='okhttp/4.12.0'", "chosen_cert_arn", "matched_rule_priority=0", "target:port_list='10.0.3.185:9002'", "target_status_code_list='200'", "conn_trace_id='TID_0a'"}},
		"ALB, CRLF":                       {service.ALB, "", albLine + "\r\n", 29, []string{"conn_trace_id='TID_0a'"}},
		"ALB, 33 columns":                 {service.ALB, "", albLine + ` "a.example.com" "/new?q=%22" "TransformSuccess"`, 32, []string{"transformed_host='a.example.com'", "transformed_uri='/new?q=%22'", "request_transform_status='TransformSuccess'"}},
		"ALB, columns to come":            {service.ALB, "", albLine + ` "-" "-" "-" "x y" z -`, 31, []string{"column_34='x y'", "column_35='z'", "column_36"}},
		"ALB, 25 columns":                 {service.ALB, "", before(albLine, ` "10.0.3.185:9002" "200"`), 26, []string{"actions_executed='forward'", "target:port_list"}},
		"ALB, no target":                  {service.ALB, "", strings.Replace(albLine, "10.0.3.185:9002 0.000 0.023 0.000 200 200", "- -1 -1 -1 502 -", 1), 26, []string{"target_ip", "target_port", "request_processing_time=-1", "elb_status_code=502", "target_status_code"}},
		"ALB, IPv6":                       {service.ALB, "", strings.Replace(albLine, "203.0.113.50:36584", "2001:db8:0:0:0:0:0:17:51820", 1), 29, []string{"client_ip='2001:db8:0:0:0:0:0:17'", "client_port=51820"}},
		"ALB, IPv6 in brackets":           {service.ALB, "", strings.Replace(albLine, "203.0.113.50:36584", "[2001:db8::17]:51820", 1), 29, []string{"client_ip='2001:db8::17'", "client_port=51820"}},
		"ALB, malformed request":          {service.ALB, "", albHead + `"- http://api.example.com:80- -" "-"` + albTail, 27, []string{"request_verb", "request_url='http://api.example.com:80-'", "request_proto", "user_agent"}},
		"ALB, spaces in the URL":          {service.ALB, "", albHead + `"GET https://example.com:443/a b c HTTP/1.1" "x"` + albTail, 30, []string{"request_verb='GET'", "request_url='https://example.com:443/a b c'", "request_proto='HTTP/1.1'"}},
		"ALB, request of one word":        {service.ALB, "", albHead + `"x" "y"` + albTail, 28, []string{"request_verb", "request_url='x'", "request_proto"}},
		"ALB, quotes with backslashes":    {service.ALB, "", albHead + `"GET https://example.com:443/?q=\" HTTP/1.1" "a \"b\" \\"` + albTail, 30, []string{`request_url='https://example.com:443/?q=\"'`, `user_agent='a \"b\" \\'`, "ssl_protocol='TLSv1.3'", `redirect_url='https://example.com/\"x\"'`}},
		"ALB, quotes as \\x22":            {service.ALB, "", albHead + `"GET https://example.com:443/ HTTP/1.1" "a \x22b\x22 c"` + albTail, 30, []string{`user_agent='a \x22b\x22 c'`}},
		"ALB, quotes as they came":        {service.ALB, "", albHead + `"GET https://example.com:443/?q="a" b HTTP/1.1" "say "hi" twice"` + albTail, 30, []string{`request_url='https://example.com:443/?q="a" b'`, `user_agent='say "hi" twice'`, "ssl_protocol='TLSv1.3'", "domain_name='api.example.com'"}},
		"ALB, agent ends in a backslash":  {service.ALB, "", albHead + `"GET https://example.com:443/ HTTP/1.1" "a\"` + albTail, 30, []string{`user_agent='a\'`, "ssl_protocol='TLSv1.3'"}},
		"ALB, forged columns":             {service.ALB, "", albHead + `"GET https://example.com:443/ HTTP/1.1" "x\" - - - \"y"` + albTail, 30, []string{`user_agent='x\" - - - \"y'`, "ssl_protocol='TLSv1.3'"}},
		"ALB, unicode":                    {service.ALB, "", albHead + `"GET https://example.com:443/ü HTTP/1.1" "日本\u2028"` + albTail, 30, []string{"request_url='https://example.com:443/ü'", `user_agent='日本\u2028'`}},
		"ALB, cut in the agent":           {service.ALB, "", albHead + `"GET https://example.com:443/ HTTP/1.1" "Mozi`, 0, nil},
		"ALB, cut in the columns":         {service.ALB, "", albHead + `"GET https://example.com:443/ HTTP/1.1" "x" -`, 0, nil},
		"ALB, no time":                    {service.ALB, "", strings.Replace(albLine, "2024-02-01T00:00:05.812345Z", "yesterday", 1), 0, nil},
		"ALB, huge agent":                 {service.ALB, "", albHead + `"GET https://example.com:443/ HTTP/1.1" "` + strings.Repeat("a b", 100_000) + `"` + albTail, 30, []string{"ssl_protocol='TLSv1.3'"}},
		"ALB, quotes without end":         {service.ALB, "", albHead + strings.Repeat(`" `, 50_000), 0, nil},
		"CLB":                             {service.CLB, "", clbLine, 17, []string{"elb='shop'", "backend_ip='10.0.0.1'", "backend_processing_time=0.001048", "backend_status_code=200", "received_bytes=0", "request_verb='GET'", "user_agent='curl/7.38.0'", "ssl_cipher"}},
		"CLB, 12 columns":                 {service.CLB, "", before(clbLine, ` "curl`), 16, []string{"request_proto='HTTP/1.1'", "user_agent"}},
		"CLB, TCP":                        {service.CLB, "", `2024-02-01T23:39:43.945958Z shop 203.0.113.39:2817 - -1 -1 -1 - - 82 305 "- - - " "-" ECDHE TLSv1.2`, 11, []string{"request_verb", "request_url", "request_proto", "elb_status_code", "sent_bytes=305", "ssl_protocol='TLSv1.2'"}},
		"CLB, quotes as they came":        {service.CLB, "", strings.Replace(clbLine, "curl/7.38.0", `a "b" c`, 1), 17, []string{`user_agent='a "b" c'`}},
		"CLB, cut":                        {service.CLB, "", clbLine[:60], 0, nil},
		"NLB":                             {service.NLB, "", nlbLine, 20, []string{"type='tls'", "version='2.0'", "client_ip='203.0.113.154'", "client_port=51341", "destination_port=443", "connection_time=5", "incoming_tls_alert", "alpn_fe_protocol='h2'", `alpn_client_preference_list='"h2","http/1.1"'`}},
		"NLB, creation time":              {service.NLB, "", nlbLine + " 2024-02-01T00:00:41 new", 22, []string{"tls_connection_creation_time='2024-02-01T00:00:41'", "column_23='new'"}},
		"NLB, cut":                        {service.NLB, "", nlbLine[:120], 0, nil},
		"ALB connections":                 {service.ELBConnection, "", `2024-02-01T17:05:15.514108Z 2001:db8::1 36280 443 TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 4.036 "CN=a.example.com,O="x" y" NotBefore=2023-09-21T22:43:21Z;NotAfter=2026-06-17T22:43:21Z FEF257372D5C14D4 Success TID_0a`, 12, []string{"client_ip='2001:db8::1'", "client_port=36280", "tls_handshake_latency=4.036", `leaf_client_cert_subject='CN=a.example.com,O="x" y'`, "tls_verify_status='Success'", "conn_trace_id='TID_0a'"}},
		"ALB connections, older":          {service.ELBConnection, "", `2024-02-01T17:05:15.514108Z 203.0.113.1 36280 443 - - - "-" - - Failed:UnmappedConnectionError`, 5, []string{"tls_verify_status='Failed:UnmappedConnectionError'"}},
		"ALB health checks":               {service.ELBHealthCheck, "", "http 2024-02-01T12:44:59.875678Z 0.019584011 192.0.2.97:80 targets PASS 200 -", 0, nil},
		"S3 access":                       {service.S3Access, "", s3Line, 18, []string{"bucket='shop-logs'", "time='29/Feb/2024:23:59:59 +0000'", "requester", "operation='REST.GET.OBJECT'", "key='a%2520b'", "request_uri='GET /shop-logs/a HTTP/1.1'", "http_status=200", "error_code", "bytes_sent=113", "total_time=7", "referer", "user_agent='S3Console/0.4'", "host_id='s9lzHYrFp76='", "tls_version='TLSv1.2'", "acl_required"}},
		"S3 access, 18 columns":           {service.S3Access, "", s3Head + `"GET /shop-logs/a HTTP/1.1" 200 - 113 - 7 - "-" "x" -`, 13, []string{"user_agent='x'", "version_id"}},
		"S3 access, 24 columns":           {service.S3Access, "", strings.TrimSuffix(s3Head+`"-" 200 - 113 - 7 5 "-" "-"`+s3Tail, " - Yes"), 18, []string{"tls_version='TLSv1.2'"}},
		"S3 access, columns to come":      {service.S3Access, "", s3Head + `"GET / HTTP/1.1" 200 - 113 - 7 - "-" "x"` + s3Tail + ` new "quoted one"`, 22, []string{"acl_required='Yes'", "user_agent='x'", "column_27='new'", "column_28='quoted one'"}},
		"S3 access, quotes as they came":  {service.S3Access, "", s3Head + `"GET /?q="a" b HTTP/1.1" 200 - 113 - 7 - "http://example.com/"x"" "say "hi" twice"` + s3Tail, 21, []string{`request_uri='GET /?q="a" b HTTP/1.1'`, `referer='http://example.com/"x"'`, `user_agent='say "hi" twice'`, "acl_required='Yes'"}},
		"S3 access, forged columns":       {service.S3Access, "", s3Head + `"GET / HTTP/1.1" 200 - 113 - 7 - "-" "x" - forged - - - - - - - "y"` + s3Tail, 20, []string{`user_agent='x" - forged - - - - - - - "y'`, "host_id='s9lzHYrFp76='"}},
		"S3 access, quotes, one to come":  {service.S3Access, "", s3Head + `"GET / HTTP/1.1" 200 - 113 - 7 - "-" "ua "q z""` + s3Tail + ` "new"`, 21, []string{`user_agent='ua "q z"'`, "version_id", "host_id='s9lzHYrFp76='", "acl_required='Yes'", "column_27='new'"}},
		"S3 access, quote, one to come":   {service.S3Access, "", s3Head + `"GET / HTTP/1.1" 200 - 113 - 7 - "-" "ua "q" z"` + s3Tail + ` "new"`, 21, []string{`user_agent='ua "q" z'`, "version_id", "host_id='s9lzHYrFp76='", "column_27='new'"}},
		"S3 access, quotes, none a tail":  {service.S3Access, "", s3Head + `"GET / HTTP/1.1" 200 - 113 - 7 - "-" "ua "q" z "w""` + s3Tail + ` "new"`, 21, []string{`user_agent='ua "q" z "w"'`, "host_id='s9lzHYrFp76='", "column_27='new'"}},
		"S3 access, quote in one to come": {service.S3Access, "", s3Head + `"GET / HTTP/1.1" 200 - 113 - 7 - "-" "a" b"` + s3Tail + ` x"new"`, 21, []string{`user_agent='a" b'`, "host_id='s9lzHYrFp76='", `column_27='x"new"'`}},
		"S3 access, words, no signature":  {service.S3Access, "", s3Head + `"GET / HTTP/1.1" 200 - 113 - 7 - "-" "x" a b c d e f - h i "y"` + s3Tail + ` "new"`, 21, []string{`user_agent='x" a b c d e f - h i "y'`, "host_id='s9lzHYrFp76='"}},
		"S3 access, words, no TLS":        {service.S3Access, "", s3Head + `"GET / HTTP/1.1" 200 - 113 - 7 - "-" "x" a b - d e f g h i "y"` + s3Tail + ` "new"`, 21, []string{`user_agent='x" a b - d e f g h i "y'`, "host_id='s9lzHYrFp76='"}},
		"S3 access, quote, more to come":  {service.S3Access, "", s3Head + `"GET / HTTP/1.1" 200 - 113 - 7 - "-" "a" b"` + s3Tail + ` 7 "new" x "-" "y"`, 24, []string{`user_agent='a" b'`, "acl_required='Yes'", "column_27='7'", "column_28='new'", "column_29='x'", "column_31='y'"}},
		"S3 access, one in quotes not la": {service.S3Access, "", s3Head + `"GET / HTTP/1.1" 200 - 113 - 7 - "-" "a" b"` + s3Tail + ` "new" x`, 22, []string{`user_agent='a" b'`, "column_27='new'", "column_28='x'"}},
		"S3 access, forged like a tail":   {service.S3Access, "", s3Head + `"GET / HTTP/1.1" 200 - 113 - 7 - "-" "x" - forged SigV4 c AuthHeader h TLSv1.3 - Yes "y"` + s3Tail, 20, []string{`user_agent='x" - forged SigV4 c AuthHeader h TLSv1.3 - Yes "y'`, "host_id='s9lzHYrFp76='"}},
		"S3 access, hyphens, not quoted":  {service.S3Access, "", s3Head + `- 204 - - - 7 - - -` + s3Tail, 17, []string{"request_uri", "http_status=204", "user_agent", "acl_required='Yes'"}},
		"S3 access, copy without version": {service.S3Access, "", strings.Replace(s3Head, "GET.OBJECT", "COPY.OBJECT_GET", 1) + `"GET /shop-logs/a" 200 - 113 - 7 - - -` + s3Tail, 19, []string{"operation='REST.COPY.OBJECT_GET'", "request_uri='GET /shop-logs/a'"}},
		"S3 access, no zone":              {service.S3Access, "", strings.Replace(s3Line, "[29", "29", 1), 0, nil},
		"S3 access, cut in the agent":     {service.S3Access, "", s3Head + `"GET / HTTP/1.1" 200 - 113 - 7 - "-" "Mozi`, 0, nil},
		"S3 access, cut in the request":   {service.S3Access, "", s3Head + `"GET /`, 0, nil},
		"CloudFront":                      {service.CloudFront, cfHeader, cfLine, 16, []string{"date='2024-02-01'", "sc-bytes=392", "cs(Host)='d111111abcdef8.cloudfront.net'", "sc-status=200", "cs(Referer)", "time-taken=0.001"}},
		"CloudFront, no header":           {service.CloudFront, "", cfLine, 16, []string{"c-ip='192.0.2.100'", "time-taken=0.001"}},
		"CloudFront, neither":             {service.CloudFront, "", strings.Replace(cfLine, "2024-02-01", "x", 1), 0, nil},
		"CloudFront, extra tab":           {service.CloudFront, cfHeader, cfLine + "\t", 16, []string{"column_20"}},
		"CloudFront, extra column":        {service.CloudFront, cfHeader, cfLine + "\tx y", 17, []string{"column_20='x y'"}},
		"CloudFront, cut":                 {service.CloudFront, cfHeader, cfLine[:60], 0, nil},
		"CloudFront, decoded once":        {service.CloudFront, "#Fields: cs(User-Agent) x-forwarded-for cs-uri-stem cs-cookie new", "a%2520b%22\t192.0.2.1,%20192.0.2.2\t/%e6%97%a5\t%2D\t%41", 5, []string{`cs(User-Agent)='a%20b"'`, "x-forwarded-for='192.0.2.1, 192.0.2.2'", "cs-uri-stem='/日'", "cs-cookie='-'", "new='A'"}},
		"CloudFront, not to be decoded":   {service.CloudFront, "#Fields: cs-uri-stem cs-uri-query cs(Cookie)", "/%ff%20\t%zz%2\t%0a%00", 3, []string{"cs-uri-stem='/%ff%20'", "cs-uri-query='%zz%2'", "cs(Cookie)='\n\x00'"}},
		"CloudFront, status 000":          {service.CloudFront, "#Fields: sc-status", "000", 1, []string{"sc-status='000'"}},
		"CloudFront as JSON":              {service.CloudFront, "", `{"date":"2024-02-01","c-ip":"192.0.2.1","sc-status":"200","cs-uri-stem":"/a%20b","cs(Cookie)":"-","x":null,"y":true,"c-ip":"192.0.2.2"}`, 5, []string{"sc-status=200", "cs-uri-stem='/a b'", "c-ip='192.0.2.2'", "y=true", "cs(Cookie)", "x"}},
		"CloudFront as JSON, nested":      {service.CloudFront, "", `{"date":{},"c-ip":"192.0.2.1","o":{"a":1, "b" : [ {}, "-" ],"a":2},"x":[ 1 ],"sc-status":"200"}`, 5, []string{"date={}", "c-ip='192.0.2.1'", `o={"b":[{},"-"],"a":2}`, "x=[1]", "sc-status=200"}},
		"CloudFront as JSON, too deep":    {service.CloudFront, "", `{"date":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `}`, 0, nil},
		"CloudFront as JSON, cut":         {service.CloudFront, "", `{"date":"2024`, 0, nil},
		"CloudFront, real-time":           {service.CloudFrontRealtime, "timestamp c-ip,sc-status\tcs-user-agent", "1706745600.123\t2001:db8::1\t200\tMozilla/5.0%20(X11)", 4, []string{"timestamp=1706745600.123", "c-ip='2001:db8::1'", "sc-status=200", "cs-user-agent='Mozilla/5.0 (X11)'"}},
		"CloudFront, real-time, no names": {service.CloudFrontRealtime, "", "1706745600.123\t192.0.2.1", 0, nil},
		"Spot":                            {service.EC2Spot, "", "2024-03-17 20:14:32 UTC\tSpotUsage:c5.large\tRunInstances:SV002\ti-0123456789abcdef0\tsir-1\t0.085 USD\t0.034 USD\t0.034 USD\t1", 9, []string{"Timestamp='2024-03-17 20:14:32 UTC'", "MyMaxPrice='0.085 USD'", "Version='1'"}},
		"Spot, header":                    {service.EC2Spot, "#Fields: Timestamp UsageType New", "2024-03-17 20:14:32 UTC\tSpotUsage\tx", 3, []string{"UsageType='SpotUsage'", "New='x'"}},
		"Spot, cut":                       {service.EC2Spot, "", "2024-03-17 20:14:32 UTC\tSpotUsage:c5.large", 0, nil},
		"Spot, no time":                   {service.EC2Spot, "", strings.Repeat("x\t", 9), 0, nil},
		"Redshift connections":            {service.Redshift, "", connLine, 16, []string{"event='authenticated'", "recordtime='Thu, 1 Feb 2024 00:00:00:490'", "remotehost='::ffff:10.0.0.2'", "remoteport=45242", "pid=32453", "duration=0", "iamauthguid", "application_name='Amazon Redshift JDBC Driver 2.1.0'", "os_version='Linux 5.10 amd64'", "plugin_name='none'"}},
		"Redshift connections, cut":       {service.Redshift, "", connLine[:70], 0, nil},
		"Redshift users":                  {service.Redshift, "", "100 |awsuser | |alter|1|1|0|infinity |32453|1861|Thu, 1 Feb 2024 00:00:02:111", 10, []string{"userid='100'", "oldusername", "action='alter'", "usecreatedb=1", "valuntil='infinity'", "pid=32453", "xid='1861'"}},
		"Redshift users, bar in a name":   {service.Redshift, "", "100 |aws|user | |alter|1|1|0|infinity |32453|1861|Thu, 1 Feb 2024 00:00:02:111", 0, nil},
		"Redshift user activity":          {service.Redshift, "", "'2024-02-01T00:00:05Z UTC [ db=dev user=awsuser pid=32453 userid=100 xid=1864 ]' LOG: select a,\n  'x'", 7, []string{"recordtime='2024-02-01T00:00:05Z'", "db='dev'", "user='awsuser'", "pid=32453", "userid='100'", "xid='1864'", "query='select a,\n  'x''"}},
		"Redshift, name like members":     {service.Redshift, "", "'2024-02-01T00:00:05Z UTC [ db=a pid=1 user=b xid=2 c pid=32453 userid=100 xid=1864 ]' LOG: x", 7, []string{"db='a pid=1'", "user='b xid=2 c'", "pid=32453", "xid='1864'"}},
		"Redshift users, one more":        {service.Redshift, "", userLine + "|8", 11, []string{"recordtime='Thu, 1 Feb 2024 00:00:02:111'", "column_12='8'"}},
		"Redshift users, several more":    {service.Redshift, "", userLine + "| |x y |", 11, []string{"column_12", "column_13='x y'"}},
		"Redshift users, far too many":    {service.Redshift, "", userLine + strings.Repeat("|x", 256), 0, nil},
		"Redshift, query goes on":         {service.Redshift, "", "from t where d = '2024-02-01T00:00:05Z'", 0, nil},
		"Redshift, activity cut":          {service.Redshift, "", "'2024-02-01T00:00:05Z UTC [ db=dev user=awsuser pid=", 0, nil},
		"Redshift, member missing":        {service.Redshift, "", "'2024-02-01T00:00:05Z UTC [ db=dev pid=32453 userid=100 xid=1864 ]' LOG: x", 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := columnsOf(t, format.NewAttributes(format.AWS), tc.log, tc.header, tc.line)
			if tc.want == nil {
				assert.False(t, ok, "%v", got)
				return
			}
			require.True(t, ok)
			assert.Len(t, got, tc.count)
			holds(t, got, tc.want)
			ended, _ := columnsOf(t, format.NewAttributes(format.AWS), tc.log, tc.header, strings.TrimRight(tc.line, "\r\n")+"\r\n")
			assert.Equal(t, got, ended, "with a line's end")
		})
	}
}

// before is what stands in front of a text in a line.
func before(line, text string) string {
	line, _, _ = strings.Cut(line, text)
	return line
}

// holds checks members; a name alone is one that must not be.
func holds(t *testing.T, got, want []string) {
	t.Helper()
	for _, member := range want {
		if strings.Contains(member, "=") {
			assert.Contains(t, got, member)
			continue
		}
		for _, m := range got {
			assert.False(t, strings.HasPrefix(m, member+"="), "%s is absent, but there is %s", member, m)
		}
	}
}

func TestColumnsInOtherNamings(t *testing.T) {
	for name, tc := range map[string]struct {
		naming       format.Naming
		log          service.Log
		header, line string
		want         []string
	}{
		"VPC, ECS":               {format.ECS, service.VPCFlow, "", vpcLine, []string{"source.ip='192.0.2.139'", "destination.port=22", "network.bytes=4249", "cloud.account.id='123456789012'", "event.action='ACCEPT'", "srcaddr"}},
		"VPC, OTel":              {format.OTel, service.VPCFlow, "", vpcLine, []string{"source.address='192.0.2.139'", "destination.port=22", "bytes=4249", "cloud.account.id='123456789012'"}},
		"VPC, ECS, name is used": {format.ECS, service.VPCFlow, "source.ip srcaddr srcaddr dstaddr", "a b c d", []string{"source.ip='a'", "srcaddr='b'", "column_3='c'", "destination.ip='d'"}},
		"ALB, ECS":               {format.ECS, service.ALB, "", albLine, []string{"source.ip='203.0.113.50'", "source.port=36584", "http.request.method='POST'", "url.original='https://api.example.com:443/v1'", "http.response.status_code=200", "user_agent.original='okhttp/4.12.0'"}},
		"ALB, OTel":              {format.OTel, service.ALB, "", albLine, []string{"client.address='203.0.113.50'", "client.port=36584", "url.full='https://api.example.com:443/v1'"}},
		"S3 access, OTel":        {format.OTel, service.S3Access, "", s3Line, []string{"client.address='192.0.2.3'", "http.response.status_code=200", "server.address='shop-logs.s3.us-east-2.amazonaws.com'"}},
		"CloudFront, two agents": {format.ECS, service.CloudFront, "#Fields: cs(User-Agent) c-ip", "a%20b\t192.0.2.1", []string{"user_agent.original='a b'", "source.ip='192.0.2.1'"}},
		"CloudFront as JSON":     {format.ECS, service.CloudFront, "", `{"c-ip":"192.0.2.1","source.ip":"x"}`, []string{"source.ip='x'"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := columnsOf(t, format.NewAttributes(tc.naming), tc.log, tc.header, tc.line)
			require.True(t, ok)
			holds(t, got, tc.want)
		})
	}
}

// What one line or header has left behind must not show in another.
func TestColumnsOneAfterAnother(t *testing.T) {
	attributes := format.NewAttributes(format.AWS)
	for range 2 {
		for _, step := range []struct {
			log                service.Log
			header, line, want string
		}{
			{service.VPCFlow, "srcaddr start", "192.0.2.1 7", "srcaddr='192.0.2.1'"},
			{service.ALB, "", albLine, "type='h2'"},
			{service.VPCFlow, "start srcaddr", "7 192.0.2.1", "srcaddr='192.0.2.1'"},
			{service.CloudFront, "#Fields: c-ip", "192.0.2.1", "c-ip='192.0.2.1'"},
			{service.GlobalAccelerator, gaHeader, gaLine, "direction='INGRESS'"},
			{service.GlobalAccelerator, gaHeader, "2.0" + gaLine[3:] + " vpc-1", "vpc_id='vpc-1'"},
			{service.VPCFlow, "", vpcLine, "bytes=4249"},
			{"no such log", "", vpcLine, ""},
		} {
			got, ok := columnsOf(t, attributes, step.log, step.header, step.line)
			if assert.Equal(t, step.want != "", ok) && ok {
				assert.Contains(t, got, step.want)
			}
		}
	}
	header := []byte("srcaddr start")
	_, ok := attributes.Append(nil, service.VPCFlow, header, []byte("192.0.2.1 7"))
	require.True(t, ok)
	copy(header, "dstaddr")
	out, ok := attributes.Append(nil, service.VPCFlow, header, []byte("192.0.2.1 7"))
	require.True(t, ok)
	assert.JSONEq(t, `{"dstaddr":"192.0.2.1","start":7}`, string(out))
}

// Every number of columns with every length of values: what is written in pieces has no trace of its neighbours.
func TestColumnsOfAllLengths(t *testing.T) {
	attributes := format.NewAttributes(format.AWS)
	for _, fill := range []string{"a", "7", `"`, "\x01", "ü", "-", "."} {
		for n := 1; n < 70; n++ {
			value := strings.Repeat(fill, n)
			for _, room := range []int{0, 40, 4096} {
				line := []byte(value + " " + value + " 1 " + value)
				out, ok := attributes.Append(make([]byte, 0, room), service.VPCFlow, []byte("srcaddr srcport bytes action"), line)
				require.True(t, ok)
				var got map[string]any
				require.NoError(t, json.Unmarshal(out, &got), "%s", out)
				assert.InDelta(t, 1, got["bytes"], 0)
				if value == "-" {
					assert.NotContains(t, got, "srcaddr")
					continue
				}
				assert.Equal(t, value, got["srcaddr"])
				assert.Equal(t, value, got["action"])
				if fill == "7" && n <= 15 {
					number, err := strconv.ParseFloat(value, 64)
					require.NoError(t, err)
					assert.InDelta(t, number, got["srcport"], 0)
				} else {
					assert.Equal(t, value, got["srcport"])
				}
			}
		}
	}
}

func TestColumnsAllocateNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		log          service.Log
		header, line string
	}{
		"VPC":         {service.VPCFlow, "", vpcLine},
		"VPC, header": {service.VPCFlow, vpcHeader, vpcLine},
		"ALB":         {service.ALB, "", albLine},
		"S3 access":   {service.S3Access, "", s3Line},
		"NLB":         {service.NLB, "", nlbLine},
		"CloudFront":  {service.CloudFront, cfHeader, cfLine + "%20"},
		"Redshift":    {service.Redshift, "", connLine},
	} {
		t.Run(name, func(t *testing.T) {
			attributes := format.NewAttributes(format.AWS)
			line, dst := []byte(tc.line), make([]byte, 0, 4096)
			var header []byte
			if tc.header != "" {
				header = []byte(tc.header)
			}
			assert.Zero(t, testing.AllocsPerRun(100, func() {
				if _, ok := attributes.Append(dst, tc.log, header, line); !ok {
					t.Error("no attributes")
				}
			}))
		})
	}
}

func TestFields(t *testing.T) {
	for log, want := range map[service.Log][]string{
		service.VPCFlow:           {"srcaddr", "tgw-id", "encryption-status"},
		service.GlobalAccelerator: {"aws_account_id", "vpc_id"},
		service.ALB:               {"client_ip", "target_port", "request_verb", "request_transform_status"},
		service.CloudFront:        {"date", "sc-range-end"},
		service.Redshift:          {"event", "userid", "query"},
		service.S3Access:          {"bucket_owner", "acl_required"},
	} {
		fields := format.Fields(log)
		assert.Subset(t, fields, want, "%s", log)
		seen := map[string]bool{}
		for _, name := range fields {
			assert.False(t, seen[name], "%s has %s twice", log, name)
			seen[name] = true
		}
		assert.NotEmpty(t, format.TimeOf(log), "%s", log)
	}
	assert.Len(t, format.Fields(service.CloudFront), 33)
	assert.Len(t, format.Fields(service.S3Access), 26)
	assert.Nil(t, format.Fields("no such log"))
	assert.Empty(t, format.TimeOf("no such log"))
	format.Fields(service.ALB)[0] = "x"
	assert.Equal(t, "type", format.Fields(service.ALB)[0], "each caller has its own")
}
