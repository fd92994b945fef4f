package format_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/format"
	"sluice/internal/service"
)

const (
	albLine = `h2 2024-02-01T00:00:05.812345Z app/edge/0123456789abcdef 203.0.113.50:36584 10.0.3.185:9002 0.000 0.023 0.000 200 200 588 429 "POST https://api.example.com:443/v1 HTTP/2.0" "okhttp/4.12.0" TLS_AES_128_GCM_SHA256 TLSv1.3 arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/t/73e2d6bc24d8a067 "Root=1-65badf05" "api.example.com" "-" 0 2024-02-01T00:00:05.789000Z "forward" "-" "-" "10.0.3.185:9002" "200" "-" "-" TID_0a`
	vpcLine = "2 123456789012 eni-1235b8ca123456789 192.0.2.139 198.51.100.21 20641 22 6 20 4249 1706745600 1706745660 ACCEPT OK"
	s3Line  = `59a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be shop-logs [29/Feb/2024:23:59:59 +0000] 192.0.2.3 - 3E57427F3EXAMPLE REST.GET.OBJECT a%2520b "GET /shop-logs/a HTTP/1.1" 200 - 113 - 7 - "-" "S3Console/0.4" - s9lzHYrFp76= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader shop-logs.s3.us-east-2.amazonaws.com TLSv1.2 - -`
	cfLine  = "2024-02-01\t21:02:31\tLAX1\t392\t192.0.2.100\tGET\td111111abcdef8.cloudfront.net\t/index.html\t200\t-\tcurl/8.5.0\t-\t-\tHit\tSOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==\td111111abcdef8.cloudfront.net\thttps\t23\t0.001"
	wafLine = `{"timestamp":1706745600001,"formatVersion":1,"webaclId":"arn:aws:wafv2:us-east-2:123456789012:regional/webacl/shop/1","action":"ALLOW","httpRequest":{"clientIp":"192.0.2.44","timestamp":1}}`

	tgwHeader = "version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-account-id tgw-dst-vpc-account-id tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni tgw-src-az-id tgw-dst-az-id tgw-pair-attachment-id srcaddr dstaddr srcport dstport protocol packets bytes start end log-status type packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded packets-lost-ttl-expired tcp-flags region flow-direction pkt-src-aws-service pkt-dst-aws-service"
	tgwLine   = "6 TransitGateway 123456789012 tgw-1 tgw-attach-1 123456789012 123456789012 vpc-1 vpc-2 subnet-1 subnet-2 eni-1 eni-2 use2-az1 use2-az2 tgw-attach-2 192.0.2.1 198.51.100.1 443 51000 6 10 1000 1706745600 1706745660 OK IPv4 0 0 0 0 2 us-east-2 egress - -"

	gaHeader = "version aws_account_id accelerator_id client_ip client_port accelerator_ip accelerator_port endpoint_ip endpoint_port protocol ip_address_type packets bytes start_time end_time action log-status globalaccelerator_source_ip globalaccelerator_source_port endpoint_region globalaccelerator_region direction"
	gaLine   = "1.0 123456789012 1234abcd 203.0.113.21 40112 198.51.100.4 80 192.0.2.80 80 6 IPv4 5 640 1706745600 1706745660 ACCEPT OK 198.51.100.201 38211 us-east-1 LHR62 INGRESS"
)

// at is the time of a line, in RFC 3339; "" for none.
func at(t *testing.T, text string) int64 {
	t.Helper()
	if text == "" {
		return 0
	}
	want, err := time.Parse(time.RFC3339Nano, text)
	require.NoError(t, err)
	return want.UnixMilli()
}

func TestMillis(t *testing.T) {
	for name, tc := range map[string]struct {
		log  service.Log
		line string
		want string
	}{
		"ALB":                             {service.ALB, albLine, "2024-02-01T00:00:05.812Z"},
		"ALB, CRLF":                       {service.ALB, albLine + "\r\n", "2024-02-01T00:00:05.812Z"},
		"ALB, cut behind the time":        {service.ALB, albLine[:30], "2024-02-01T00:00:05.812Z"},
		"ALB, cut in the zone":            {service.ALB, albLine[:29], "2024-02-01T00:00:05.812Z"}, // as if it had none
		"ALB, cut in the second":          {service.ALB, albLine[:21], ""},
		"ALB, type alone":                 {service.ALB, "http", ""},
		"ALB, text behind the zone":       {service.ALB, "http 2024-02-01T00:00:05.812345Zulu app/x", ""},
		"ALB, leap second":                {service.ALB, "http 2016-12-31T23:59:60.500000Z app/x", "2017-01-01T00:00:00.5Z"},
		"ALB, leap day":                   {service.ALB, "http 2024-02-29T00:00:00.000000Z app/x", "2024-02-29T00:00:00Z"},
		"ALB, leap day of a century":      {service.ALB, "http 2000-02-29T00:00:00.000000Z app/x", "2000-02-29T00:00:00Z"},
		"ALB, no leap day in 2023":        {service.ALB, "http 2023-02-29T00:00:00.000000Z app/x", ""},
		"ALB, no leap day in 2100":        {service.ALB, "http 2100-02-29T00:00:00.000000Z app/x", ""},
		"ALB, 31 April":                   {service.ALB, "http 2024-04-31T00:00:00.000000Z app/x", ""},
		"ALB, month 13":                   {service.ALB, "http 2024-13-01T00:00:00.000000Z app/x", ""},
		"ALB, month 0":                    {service.ALB, "http 2024-00-01T00:00:00.000000Z app/x", ""},
		"ALB, day 0":                      {service.ALB, "http 2024-01-00T00:00:00.000000Z app/x", ""},
		"ALB, hour 24":                    {service.ALB, "http 2024-01-01T24:00:00.000000Z app/x", ""},
		"ALB, minute 60":                  {service.ALB, "http 2024-01-01T00:60:00.000000Z app/x", ""},
		"ALB, second 61":                  {service.ALB, "http 2024-01-01T00:00:61.000000Z app/x", ""},
		"ALB, year 9999":                  {service.ALB, "http 9999-12-31T23:59:59.999999Z app/x", "9999-12-31T23:59:59.999Z"},
		"ALB, year 1969":                  {service.ALB, "http 1969-12-31T23:59:59.999999Z app/x", ""},
		"ALB, zone takes it before 1970":  {service.ALB, "http 1970-01-01T00:00:00+01:00 app/x", ""},
		"ALB, zone takes it after 9999":   {service.ALB, "http 9999-12-31T23:59:59-01:00 app/x", ""},
		"ALB, letters for digits":         {service.ALB, "http 2024-0a-01T00:00:00.000000Z app/x", ""},
		"ALB, dot without a fraction":     {service.ALB, "http 2024-01-01T00:00:00.Z app/x", ""},
		"NLB, no zone":                    {service.NLB, "tls 2.0 2024-02-01T00:00:42 net/edge/0 x", "2024-02-01T00:00:42Z"},
		"CLB":                             {service.CLB, "2024-02-01T23:39:43.945958Z shop 203.0.113.39:2817 - -1 -1 -1 504 0 0 0", "2024-02-01T23:39:43.945Z"},
		"ALB connections":                 {service.ELBConnection, "2024-02-01T17:05:15.514108Z 203.0.113.1 36280 443 TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 4.036 - - - - TID_0a", "2024-02-01T17:05:15.514Z"},
		"ALB health checks":               {service.ELBHealthCheck, "http 2024-02-01T12:44:59.875678Z 0.019584011 192.0.2.97:80 targets PASS 200 -", "2024-02-01T12:44:59.875Z"},
		"VPC, default format":             {service.VPCFlow, vpcLine, "2024-02-01T00:01:00Z"},
		"VPC, no data":                    {service.VPCFlow, "2 unknown eni-1 - - - - - - - 1706745600 1706745660 - NODATA", "2024-02-01T00:01:00Z"},
		"VPC, two spaces":                 {service.VPCFlow, "2 123456789012  eni-1 - - - - - - - 1706745600 1706745660 - SKIPDATA", "2024-02-01T00:01:00Z"},
		"VPC, spaces around":              {service.VPCFlow, "  2 123456789012 eni-1 - - - - - - - 1706745600 1706745660 - SKIPDATA ", "2024-02-01T00:01:00Z"},
		"VPC, wrapped for Firehose":       {service.VPCFlow, `{"message":"` + vpcLine + `\n"}`, "2024-02-01T00:01:00Z"},
		"VPC, wrapped nothing":            {service.VPCFlow, `{"message":7}`, ""},
		"VPC, custom without a header":    {service.VPCFlow, "5 1706745600 1706745660 192.0.2.1", ""},
		"VPC, 13 columns":                 {service.VPCFlow, vpcLine[:len(vpcLine)-3], ""},
		"VPC, 15 columns":                 {service.VPCFlow, vpcLine + " x", ""},
		"VPC, other last column":          {service.VPCFlow, vpcLine[:len(vpcLine)-2] + "KO", ""},
		"VPC, end is not a number":        {service.VPCFlow, "2 1 eni-1 - - - - - - - 1706745600 - - NODATA", ""},
		"transit gateway, default format": {service.VPCFlow, tgwLine, "2024-02-01T00:01:00Z"},
		"Global Accelerator, no header":   {service.GlobalAccelerator, gaLine, "2024-02-01T00:01:00Z"},
		"Global Accelerator, version 2":   {service.GlobalAccelerator, "2.0" + gaLine[3:] + " vpc-1", "2024-02-01T00:01:00Z"},
		"CloudFront, no header":           {service.CloudFront, cfLine, "2024-02-01T21:02:31Z"},
		"CloudFront, date and time alone": {service.CloudFront, "2024-02-01\t21:02:31", "2024-02-01T21:02:31Z"},
		"CloudFront, space for a tab":     {service.CloudFront, "2024-02-01 21:02:31\tLAX1", ""},
		"CloudFront, date alone":          {service.CloudFront, "2024-02-01", ""},
		"CloudFront as JSON":              {service.CloudFront, `{"date":"2024-02-01","c-ip":"192.0.2.1","time":"21:02:31","sc-status":"200"}`, "2024-02-01T21:02:31Z"},
		"CloudFront as JSON, no time":     {service.CloudFront, `{"date":"2024-02-01"}`, ""},
		"Spot":                            {service.EC2Spot, "2024-03-17 20:14:32 UTC\tSpotUsage:c5.large\tRunInstances:SV002", "2024-03-17T20:14:32Z"},
		"Spot, another zone":              {service.EC2Spot, "2024-03-17 20:14:32 CET\tSpotUsage:c5.large", ""},
		"S3 access":                       {service.S3Access, s3Line, "2024-02-29T23:59:59Z"},
		"S3 access, ahead of UTC":         {service.S3Access, "o b [01/Mar/2024:01:29:59 +0130] 192.0.2.3", "2024-02-29T23:59:59Z"},
		"S3 access, behind UTC":           {service.S3Access, "o b [29/Feb/2024:16:59:59 -0700]", "2024-02-29T23:59:59Z"},
		"S3 access, month in capitals":    {service.S3Access, "o b [29/FEB/2024:16:59:59 -0700]", ""},
		"S3 access, colon in the zone":    {service.S3Access, "o b [29/Feb/2024:16:59:5 -07:00]", ""},
		"S3 access, no such zone":         {service.S3Access, "o b [29/Feb/2024:16:59:59 -2400]", ""},
		"S3 access, two columns":          {service.S3Access, "o b", ""},
		"MSK broker":                      {service.MSKBroker, "[2024-02-01 00:00:00,151] INFO x (kafka.server.KafkaServer)", "2024-02-01T00:00:00.151Z"},
		"MSK broker, continuation":        {service.MSKBroker, "\tat kafka.network.Acceptor.accept(SocketServer.scala:460)", ""},
		"MSK broker, dot for a comma":     {service.MSKBroker, "[2024-02-01 00:00:00.151] INFO x", ""},
		"MSK Connect":                     {service.MSKConnect, "[Worker-0bb8afa0b01391c41] [2024-02-01 16:02:54,151] WARN x", "2024-02-01T16:02:54.151Z"},
		"MSK Connect, continuation":       {service.MSKConnect, "[Worker-05e6586a48b5f331b] aws.region = us-east-2", ""},
		"MSK Connect, worker alone":       {service.MSKConnect, "[Worker-05e6586a48b5f331b]", ""},
		"Redshift connections":            {service.Redshift, "authenticated |Thu, 1 Feb 2024 00:00:00:490|::ffff:10.0.0.2 |45242|32453|dev |awsuser |password |0|TLSv1.2 |", "2024-02-01T00:00:00.490Z"},
		"Redshift connections, padded":    {service.Redshift, "authenticated |Mon, 12 Feb 2024 23:59:59:001   |10.0.0.2 |", "2024-02-12T23:59:59.001Z"},
		"Redshift users":                  {service.Redshift, "100 |awsuser | |alter|1|1|0|infinity |32453|1861|Thu, 1 Feb 2024 00:00:02:111", "2024-02-01T00:00:02.111Z"},
		"Redshift users, more columns":    {service.Redshift, userLine + "|8\r\n", "2024-02-01T00:00:02.111Z"},
		"Redshift user activity":          {service.Redshift, "'2024-02-01T00:00:05Z UTC [ db=dev user=awsuser pid=32453 userid=100 xid=1864 ]' LOG: select 1", "2024-02-01T00:00:05Z"},
		"Redshift, query goes on":         {service.Redshift, "from t where d = '2024-02-01T00:00:05Z'", ""},
		"Redshift, no such weekday":       {service.Redshift, "x|Thx, 1 Feb 2024 00:00:00:490|", ""},
		"Redshift, letters of two days":   {service.Redshift, "x|onT, 1 Feb 2024 00:00:00:490|", ""},
		"export of a log group":           {service.CloudWatchExport, "2024-02-01T00:00:00.123Z START RequestId: x", "2024-02-01T00:00:00.123Z"},
		"export, empty message":           {service.CloudWatchExport, "2024-02-01T00:00:00.123Z", "2024-02-01T00:00:00.123Z"},
		"export, line of a long message":  {service.CloudWatchExport, "\tat main", ""},
		"CloudTrail":                      {service.CloudTrail, `{"eventVersion":"1.08","userIdentity":{"eventTime":"2020-01-01T00:00:00Z"},"eventTime":"2024-02-01T00:00:00Z"}`, "2024-02-01T00:00:00Z"},
		"CloudTrail, cut behind the time": {service.CloudTrail, `{"eventVersion":"1.08","eventTime":"2024-02-01T00:00:00Z","req`, "2024-02-01T00:00:00Z"},
		"CloudTrail, escaped":             {service.CloudTrail, `{"eventTim\u0065":"2024-02-01T00:00:0\u0030Z"}`, "2024-02-01T00:00:00Z"},
		"CloudTrail, number":              {service.CloudTrail, `{"eventTime":1706745600}`, ""},
		"CloudTrail, document":            {service.CloudTrail, `{"Records":[{"eventTime":"2024-02-01T00:00:00Z"}]}`, ""},
		"CloudTrail Insight":              {service.CloudTrailInsight, `{"eventVersion":"1.07","eventTime":"2024-02-01T00:51:00Z"}`, "2024-02-01T00:51:00Z"},
		"WAF":                             {service.WAF, wafLine, "2024-02-01T00:00:00.001Z"},
		"WAF, string":                     {service.WAF, `{"timestamp":"1706745600001"}`, "2024-02-01T00:00:00.001Z"},
		"WAF, null":                       {service.WAF, `{"timestamp":null}`, ""},
		"WAF, negative":                   {service.WAF, `{"timestamp":-1}`, ""},
		"WAF, too big":                    {service.WAF, `{"timestamp":253402300800000}`, ""},
		"WAF, much too big":               {service.WAF, `{"timestamp":99999999999999999999999999}`, ""},
		"WAF, object":                     {service.WAF, `{"timestamp":{}}`, ""},
		"WAF, not JSON":                   {service.WAF, `timestamp 1706745600001`, ""},
		"Network Firewall":                {service.NetworkFirewall, `{"firewall_name":"edge","event_timestamp":"1706745600","event":{"timestamp":"2024-02-01T00:00:00.100200+0000"}}`, "2024-02-01T00:00:00Z"},
		"Network Firewall, number":        {service.NetworkFirewall, `{"event_timestamp":1706745600.25}`, "2024-02-01T00:00:00.25Z"},
		"Network Firewall, ISO":           {service.NetworkFirewall, `{"event_timestamp":"2024-02-01T01:00:00.100200+0100"}`, "2024-02-01T00:00:00.1Z"},
		"Resolver":                        {service.Route53Resolver, `{"version":"1.100000","query_timestamp":"2024-02-01T00:00:01Z"}`, "2024-02-01T00:00:01Z"},
		"GuardDuty":                       {service.GuardDuty, `{"createdAt":"2024-01-01T00:00:00.000Z","updatedAt":"2024-02-01T00:05:00.250Z"}`, "2024-02-01T00:05:00.25Z"},
		"Evidently":                       {service.Evidently, `{"event_timestamp":1706745600215}`, "2024-02-01T00:00:00.215Z"},
		"Chime":                           {service.Chime, `{"event_timestamp":1706745600215}`, "2024-02-01T00:00:00.215Z"},
		"Config":                          {service.Config, `{"configurationItemCaptureTime":"2024-02-01T23:47:08.918Z"}`, "2024-02-01T23:47:08.918Z"},
		"digest has no events":            {service.CloudTrailDigest, `{"digestStartTime":"2024-02-01T00:00:00Z"}`, ""},
		"log not known":                   {"", albLine, ""},
		"empty line":                      {service.ALB, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			clock := format.NewClock(tc.log)
			assert.Equal(t, at(t, tc.want), clock.Millis([]byte(tc.line)))
			assert.False(t, clock.IsHeader([]byte(tc.line)), "data is not a header")
		})
	}
}

func TestMillisAfterHeader(t *testing.T) {
	for name, tc := range map[string]struct {
		log          service.Log
		header, line string
		want         string
	}{
		"VPC, default format":                {service.VPCFlow, "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status", vpcLine, "2024-02-01T00:01:00Z"},
		"VPC, custom order":                  {service.VPCFlow, "end srcaddr start\r\n", "1706745660 192.0.2.1 1706745600", "2024-02-01T00:01:00Z"},
		"VPC, start alone":                   {service.VPCFlow, "srcaddr start", "192.0.2.1 1706745600", "2024-02-01T00:00:00Z"},
		"VPC, no time":                       {service.VPCFlow, "srcaddr dstaddr action", "192.0.2.1 1706745600 ACCEPT", ""},
		"VPC, no time, not read as default":  {service.VPCFlow, "srcaddr dstaddr action", vpcLine, ""},
		"VPC, columns of later versions":     {service.VPCFlow, "start end srcaddr new-one newer-one", "1706745600 1706745660 192.0.2.1 - -", "2024-02-01T00:01:00Z"},
		"VPC, line too short":                {service.VPCFlow, "srcaddr start end", "192.0.2.1 1706745600", ""},
		"VPC, two spaces":                    {service.VPCFlow, "srcaddr start end", "192.0.2.1  1706745600  1706745660", "2024-02-01T00:01:00Z"},
		"VPC, many spaces":                   {service.VPCFlow, "srcaddr start end", "          192.0.2.1          1706745600          1706745660          ", "2024-02-01T00:01:00Z"},
		"transit gateway":                    {service.VPCFlow, tgwHeader, tgwLine, "2024-02-01T00:01:00Z"},
		"Global Accelerator":                 {service.GlobalAccelerator, gaHeader, gaLine, "2024-02-01T00:01:00Z"},
		"Global Accelerator, both versions":  {service.GlobalAccelerator, gaHeader + " vpc_id", gaLine, "2024-02-01T00:01:00Z"},
		"CloudFront":                         {service.CloudFront, "#Fields: date time x-edge-location sc-bytes", cfLine, "2024-02-01T21:02:31Z"},
		"CloudFront, other order":            {service.CloudFront, "#Fields: c-ip time date", "192.0.2.1\t21:02:31\t2024-02-01", "2024-02-01T21:02:31Z"},
		"CloudFront, epoch time":             {service.CloudFront, "#Fields: c-ip timestamp", "192.0.2.1\t1706745600", "2024-02-01T00:00:00Z"},
		"CloudFront, epoch time in ms":       {service.CloudFront, "#Fields: c-ip timestamp timestamp(ms)", "192.0.2.1\t1706745600\t1706745600215", "2024-02-01T00:00:00.215Z"},
		"CloudFront, epoch time not a digit": {service.CloudFront, "#Fields: c-ip timestamp", "192.0.2.1\t-", ""},
		"CloudFront, no time":                {service.CloudFront, "#Fields: c-ip date", cfLine, ""},
		"CloudFront, version says nothing":   {service.CloudFront, "#Version: 1.0", cfLine, "2024-02-01T21:02:31Z"},
		"Spot":                               {service.EC2Spot, "#Fields: Timestamp UsageType Operation", "2024-03-17 20:14:32 UTC\tSpotUsage", "2024-03-17T20:14:32Z"},
	} {
		t.Run(name, func(t *testing.T) {
			clock := format.NewClock(tc.log)
			require.True(t, clock.IsHeader([]byte(tc.header)))
			assert.Zero(t, clock.Millis([]byte(tc.header)))
			assert.False(t, clock.IsHeader([]byte(tc.line)))
			assert.Equal(t, at(t, tc.want), clock.Millis([]byte(tc.line)))
		})
	}
}

// A setting names the columns of lines that have no header.
func TestMillisOfNamedColumns(t *testing.T) {
	const flow = "192.0.2.1 198.51.100.2 1706745600 1706745660 eni-1"
	for name, tc := range map[string]struct {
		log           service.Log
		columns, line string
		want          string
	}{
		"VPC":                              {service.VPCFlow, "srcaddr dstaddr start end interface-id", flow, "2024-02-01T00:01:00Z"},
		"VPC, start alone":                 {service.VPCFlow, "srcaddr dstaddr start", flow, "2024-02-01T00:00:00Z"},
		"VPC, as AWS shows a format":       {service.VPCFlow, "${srcaddr} ${dstaddr} ${start} ${end} ${interface-id}", flow, "2024-02-01T00:01:00Z"},
		"VPC, commas":                      {service.VPCFlow, "srcaddr,dstaddr, start,\tend", flow, "2024-02-01T00:01:00Z"},
		"VPC, names that nobody knows":     {service.VPCFlow, "a b c end", flow, "2024-02-01T00:01:00Z"},
		"VPC, one column":                  {service.VPCFlow, "end", "1706745660", "2024-02-01T00:01:00Z"},
		"VPC, no time":                     {service.VPCFlow, "srcaddr dstaddr a b interface-id", flow, ""},
		"VPC, not read as default":         {service.VPCFlow, "srcaddr dstaddr", vpcLine, ""},
		"VPC, line too short":              {service.VPCFlow, "a b c d e end", flow, ""},
		"VPC, wrapped":                     {service.VPCFlow, "srcaddr dstaddr start end", `{"message":"` + flow + `"}`, "2024-02-01T00:01:00Z"},
		"VPC, no columns":                  {service.VPCFlow, "", vpcLine, "2024-02-01T00:01:00Z"},
		"VPC, too many":                    {service.VPCFlow, strings.Repeat("end ", 4097), vpcLine, "2024-02-01T00:01:00Z"},
		"Global Accelerator":               {service.GlobalAccelerator, "client_ip end_time", "192.0.2.1 1706745660", "2024-02-01T00:01:00Z"},
		"CloudFront":                       {service.CloudFront, "c-ip time date", "192.0.2.1\t21:02:31\t2024-02-01", "2024-02-01T21:02:31Z"},
		"CloudFront, epoch time in ms":     {service.CloudFront, "timestamp c-ip timestamp(ms)", "1\t192.0.2.1\t1706745600215", "2024-02-01T00:00:00.215Z"},
		"real-time":                        {service.CloudFrontRealtime, "timestamp c-ip", "1706745600.215\t192.0.2.1", "2024-02-01T00:00:00.215Z"},
		"real-time, elsewhere":             {service.CloudFrontRealtime, "c-ip timestamp", "192.0.2.1\t1706745600.215", "2024-02-01T00:00:00.215Z"},
		"real-time, no time":               {service.CloudFrontRealtime, "time-to-first-byte c-ip", "0.001\t192.0.2.1", ""},
		"real-time, no columns":            {service.CloudFrontRealtime, "", "1706745600.215\t192.0.2.1", "2024-02-01T00:00:00.215Z"},
		"real-time, the only column":       {service.CloudFrontRealtime, "", "1706745600.215\r\n", "2024-02-01T00:00:00.215Z"},
		"real-time, a duration first":      {service.CloudFrontRealtime, "", "0.215\t192.0.2.1", ""},
		"real-time, a size first":          {service.CloudFrontRealtime, "", "1706745600\t192.0.2.1", ""},
		"real-time, a version first":       {service.CloudFrontRealtime, "", "1706745600.2.1\t192.0.2.1", ""},
		"real-time, time not first":        {service.CloudFrontRealtime, "", "192.0.2.1\t1706745600.215", ""},
		"real-time, other lines":           {service.CloudFrontRealtime, "c-ip timestamp", "1706745600.215", ""},
		"ALB has them in one order":        {service.ALB, "a time", albLine, "2024-02-01T00:00:05.812Z"},
		"log not known":                    {"", "end", "1706745660", ""},
		"log of JSON, whatever they claim": {service.WAF, "end", wafLine, "2024-02-01T00:00:00.001Z"},
	} {
		t.Run(name, func(t *testing.T) {
			clock := format.NewClock(tc.log)
			clock.Name([]byte(tc.columns))
			assert.Equal(t, at(t, tc.want), clock.Millis([]byte(tc.line)))
			assert.Nil(t, clock.Columns(), "no line has named them")
			clock.Reset(tc.log)
			assert.Equal(t, format.NewClock(tc.log).Millis([]byte(tc.line)), clock.Millis([]byte(tc.line)), "they are forgotten with the object")
		})
	}
	var none *format.Clock
	assert.NotPanics(t, func() { none.Name([]byte("end")) })
}

// A header knows better than a setting.
func TestHeaderTakesThePlaceOfNamedColumns(t *testing.T) {
	clock := format.NewClock(service.VPCFlow)
	clock.Name([]byte("end start"))
	require.True(t, clock.IsHeader([]byte("srcaddr start end")))
	assert.Equal(t, at(t, "2024-02-01T00:01:00Z"), clock.Millis([]byte("192.0.2.1 1706745600 1706745660")))
	assert.Equal(t, "srcaddr start end", string(clock.Columns()))
}

func TestHeaderDetectorEatsNoData(t *testing.T) {
	for name, tc := range map[string]struct {
		log  service.Log
		line string
	}{
		"VPC, interface first":             {service.VPCFlow, "eni-1235b8ca ACCEPT OK"},
		"VPC, hyphens":                     {service.VPCFlow, "- - -"},
		"VPC, names only":                  {service.VPCFlow, "us-east-2 use2-az1 ingress"},
		"VPC, one column":                  {service.VPCFlow, "start"},
		"VPC, cluster called region":       {service.VPCFlow, "region web arn-like"},
		"VPC, two known of three":          {service.VPCFlow, "start end web"},
		"VPC, three known of seven":        {service.VPCFlow, "start end type a b c d"},
		"VPC, known but in capitals":       {service.VPCFlow, "START END TYPE"},
		"VPC, a number at the end":         {service.VPCFlow, "srcaddr dstaddr start 7"},
		"Global Accelerator, other names":  {service.GlobalAccelerator, "alpha beta gamma"},
		"CloudFront, hash in a value":      {service.CloudFront, "2024-02-01\t21:02:31\t#Fields: x"},
		"CloudFront, hash without a colon": {service.CloudFront, "#hello"},
		"CloudFront, hash and a tab":       {service.CloudFront, "#a\tb: c"},
		"CloudFront, hash and colon":       {service.CloudFront, "#: c"},
		"ALB has no header":                {service.ALB, "#Fields: date time"},
		"log not known":                    {"", "#Fields: date time"},
		"empty line":                       {service.VPCFlow, ""},
		"spaces":                           {service.VPCFlow, "   "},
	} {
		t.Run(name, func(t *testing.T) {
			assert.False(t, format.NewClock(tc.log).IsHeader([]byte(tc.line)))
		})
	}
}

func TestSecondHeaderCounts(t *testing.T) {
	clock := format.NewClock(service.CloudFront)
	require.True(t, clock.IsHeader([]byte("#Fields: date time c-ip")))
	require.True(t, clock.IsHeader([]byte("#Version: 1.0")))
	require.True(t, clock.IsHeader([]byte("#Fields: c-ip date time")))
	assert.Equal(t, at(t, "2024-02-01T21:02:31Z"), clock.Millis([]byte("192.0.2.1\t2024-02-01\t21:02:31")))
}

func TestClockOfNothing(t *testing.T) {
	var none *format.Clock
	assert.Zero(t, none.Millis([]byte(albLine)))
	assert.False(t, none.IsHeader([]byte("#Version: 1.0")))
	var zero format.Clock
	assert.Zero(t, zero.Millis([]byte(albLine)))
	assert.False(t, zero.IsHeader([]byte("#Version: 1.0")))
}

// Every day of a Gregorian cycle of 400 years, and days of the others, against the calendar of package time.
func TestCalendar(t *testing.T) {
	clock := format.NewClock(service.CloudFront)
	line := []byte("2006-01-02\t15:04:05")
	step := 1
	for day := time.Unix(1, 0).UTC(); day.Year() < 10_000; day = day.AddDate(0, 0, step) {
		if day.Year() > 2370 {
			step = 29
		}
		line = day.AppendFormat(line[:0], "2006-01-02\t15:04:05")
		if got := clock.Millis(line); got != day.UnixMilli() {
			require.Equal(t, day.UnixMilli(), got, "%s", line)
		}
	}
}

func TestMillisAllocatesNothing(t *testing.T) {
	for _, s := range samples {
		clock := format.NewClock(s.log)
		line := []byte(s.line)
		require.NotZero(t, clock.Millis(line))
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			clock.IsHeader(line)
			clock.Millis(line)
		}), s.log)
	}
}

// samples are lines in the logs that come in the greatest numbers.
var samples = []struct {
	log  service.Log
	line string
}{
	{service.ALB, albLine},
	{service.VPCFlow, vpcLine},
	{service.S3Access, s3Line},
	{service.CloudFront, cfLine},
	{service.WAF, wafLine},
}

func BenchmarkMillis(b *testing.B) {
	for _, s := range samples {
		b.Run(string(s.log), func(b *testing.B) {
			clock := format.NewClock(s.log)
			line := []byte(s.line)
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				if clock.Millis(line) == 0 {
					b.Fatal("no time")
				}
			}
		})
	}
	b.Run("vpc-flow after a header", func(b *testing.B) {
		clock := format.NewClock(service.VPCFlow)
		clock.IsHeader([]byte("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"))
		line := []byte(vpcLine)
		b.SetBytes(int64(len(line)))
		b.ReportAllocs()
		for b.Loop() {
			if clock.IsHeader(line) || clock.Millis(line) == 0 {
				b.Fatal("no time")
			}
		}
	})
}
