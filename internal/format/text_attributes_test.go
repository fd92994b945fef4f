package format_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"sluice/internal/format"
	"sluice/internal/service"
)

const (
	requestID = "6234bffe-149a-b642-81ff-2e8e376d8aff"

	clfLine      = `203.0.113.8 AIDAEXAMPLE alice [01/Feb/2024:00:00:01 +0000] "POST /pets HTTP/1.1" 201 88 6b1f6c1e-0000-4a4a-9b9b-c0ffee000002 SBLqQFwNoAMFXyQ=`
	csvLine      = `2001:db8::8,-,-,01/Feb/2024:00:00:02 +0000,GET,/pets/{petId},HTTP/1.1,504,41,6b1f6c1e-0000-4a4a-9b9b-c0ffee000003,SBLqRGPTIAMFmCQ=`
	xmlLine      = `<request id="6b1f6c1e-0000-4a4a-9b9b-c0ffee000001"> <extendedRequestId>SBLq=</extendedRequestId> <ip>203.0.113.7</ip> <caller>-</caller> <user>-</user> <requestTime>01/Feb/2024:00:00:00 +0000</requestTime> <httpMethod>GET</httpMethod> <resourcePath>/pets</resourcePath> <status>200</status> <protocol>HTTP/1.1</protocol> <responseLength>1024</responseLength> </request>`
	klogLine     = `E0201 00:00:02.654321      11 authentication.go:73] "Unable to authenticate" err="[invalid bearer token, [x] y]"`
	authLine     = `time="2024-02-01T00:00:01Z" level=warning msg="access \"denied\"" arn="arn:aws:iam::111122223333:role/other" client="127.0.0.1:40313" method=POST path=/authenticate empty= none=-`
	slowLine     = "# Time: 2024-02-01T00:00:07.246083Z\n# User@Host: admin[admin] @  [10.0.0.12]  Id:    13\n# Query_time: 10.000221  Lock_time: 0.000000 Rows_sent: 1  Rows_examined: 0\nuse app;\nSET timestamp=1706745597;\nselect sleep(10)\n  from \"t\";\n"
	mariaLog     = "# Time: 240201  0:00:07\r\n# User@Host: bob[bob] @ web.example.com [192.0.2.7]\r\n# Thread_id: 5  Schema: shop  QC_hit: No\r\n# Query_time: 1.5  Lock_time: 0.1  Rows_sent: 0  Rows_examined: 4\r\n# Rows_affected: 0  Bytes_sent: 11\r\nSET timestamp=1706745597;\r\nselect 1;\r\n"
	pgConnection = `2024-02-01 00:00:00 UTC:10.0.0.5(51234):[unknown]@[unknown]:[1234]:LOG:  connection received: host=10.0.0.5 port=51234`
	mariaError   = `2024-02-01  0:00:05 12 [Warning] Aborted connection 12 to db: 'shop' user: 'bob' host: '192.0.2.7' (Got timeout reading communication packets)`
	pgLine       = `2024-02-01 00:00:01 UTC:10.0.0.5(51234):postgres@mydb:[1234]:ERROR:  relation "nope" does not exist at character 15`
)

// freeLines are lines that are no columns, for fuzzing.
var freeLines = []string{
	clfLine, csvLine, xmlLine, klogLine, authLine, slowLine, mariaLog, pgLine, pgConnection, mariaError,
	"[Worker-0bb8] [2021-09-06 16:02:54,151] WARN lost (b-1/IP) it. (org.apache.kafka.clients.NetworkClient:782)",
	"a,0001,1605631822,30,MSET a,\"b\" ...,192.0.2.1:55452,", "a/0001:C 01 Feb 2024 00:00:05.500 UTC # x",
	"2024-02-01T00:00:05.000001Z 12 [Warning] [MY-010055] [Server] x", "(b4e1ab3b-0000-4a4a-9b9b-c0ffee00abcd) x",
	`20240201 00:00:02,ip-10-0-0-1,admin,10.0.0.5,123,457,QUERY,mydb,'select \'a,b\'',1064,x`,
	"REPORT RequestId: " + requestID + "\tDuration: 46.84 ms\tDuration: 47 ms\t\nXRAY TraceId: 1-5\tSampled: true\t",
	"2024-02-01T00:00:00.173Z\t" + requestID + "\tINFO\thello", "[INFO]\t2024-02-01T00:00:00.173Z\t\thello",
	"1.0 2017-12-13T08:16:03.983Z Z1 example.com A NOERROR UDP FRA6 192.0.2.1 - x",
	"2024-02-01T00:00:03,456 [WARN ] W-9000 MODEL_LOG - x", `#metrics {"a":1,"a":{"b":[2]}}`,
	`{"eventName":"x","event.action":{"a":1,"\u0061":2},"level":50,"requestTimeEpoch":1}`,
}

func TestTextAttributes(t *testing.T) {
	for name, tc := range map[string]struct {
		log        service.Log
		line, want string
	}{
		"CLF":                            {service.APIGatewayAccess, clfLine + "\r\n", `{"ip":"203.0.113.8","caller":"AIDAEXAMPLE","user":"alice","requestTime":"01/Feb/2024:00:00:01 +0000","httpMethod":"POST","resourcePath":"/pets","protocol":"HTTP/1.1","status":201,"responseLength":88,"extendedRequestId":"SBLqQFwNoAMFXyQ=","requestId":"6b1f6c1e-0000-4a4a-9b9b-c0ffee000002"}`},
		"CLF, ids the other way round":   {service.APIGatewayAccess, `192.0.2.1 - - [01/Feb/2024:00:00:01 +0000] "GET / HTTP/1.1" 200 - SBLq= ` + requestID, `{"ip":"192.0.2.1","requestTime":"01/Feb/2024:00:00:01 +0000","httpMethod":"GET","resourcePath":"/","protocol":"HTTP/1.1","status":200,"extendedRequestId":"SBLq=","requestId":"` + requestID + `"}`},
		"CLF, extended id first":         {service.APIGatewayAccess, `SBLq= 2001:db8::8 - - [01/Feb/2024:00:00:01 +0000] "GET /a b HTTP/1.1" 200 7 ` + requestID, `{"extendedRequestId":"SBLq=","ip":"2001:db8::8","requestTime":"01/Feb/2024:00:00:01 +0000","httpMethod":"GET","resourcePath":"/a b","protocol":"HTTP/1.1","status":200,"responseLength":7,"requestId":"` + requestID + `"}`},
		"CLF, columns behind":            {service.APIGatewayAccess, clfLine + " é 7", `{"ip":"203.0.113.8","caller":"AIDAEXAMPLE","user":"alice","requestTime":"01/Feb/2024:00:00:01 +0000","httpMethod":"POST","resourcePath":"/pets","protocol":"HTTP/1.1","status":201,"responseLength":88,"extendedRequestId":"SBLqQFwNoAMFXyQ=","requestId":"6b1f6c1e-0000-4a4a-9b9b-c0ffee000002","column_10":"é","column_11":"7"}`},
		"CLF, cut in the request":        {service.APIGatewayAccess, clfLine[:70], ""},
		"CLF, cut behind the request":    {service.APIGatewayAccess, `192.0.2.1 - - [01/Feb/2024:00:00:01 +0000] "GET / HTTP/1.1" `, ""},
		"CLF, no time":                   {service.APIGatewayAccess, `192.0.2.1 - - [-] "GET / HTTP/1.1" 200 1 a b`, ""},
		"CSV":                            {service.APIGatewayAccess, csvLine + "\n", `{"ip":"2001:db8::8","requestTime":"01/Feb/2024:00:00:02 +0000","httpMethod":"GET","resourcePath":"/pets/{petId}","protocol":"HTTP/1.1","status":504,"responseLength":41,"requestId":"6b1f6c1e-0000-4a4a-9b9b-c0ffee000003","extendedRequestId":"SBLqRGPTIAMFmCQ="}`},
		"CSV, more columns":              {service.APIGatewayAccess, csvLine + `,say "hi",`, `{"ip":"2001:db8::8","requestTime":"01/Feb/2024:00:00:02 +0000","httpMethod":"GET","resourcePath":"/pets/{petId}","protocol":"HTTP/1.1","status":504,"responseLength":41,"requestId":"6b1f6c1e-0000-4a4a-9b9b-c0ffee000003","extendedRequestId":"SBLqRGPTIAMFmCQ=","column_12":"say \"hi\""}`},
		"CSV, cut short":                 {service.APIGatewayAccess, csvLine[:70], ""},
		"XML":                            {service.APIGatewayAccess, xmlLine, `{"requestId":"6b1f6c1e-0000-4a4a-9b9b-c0ffee000001","extendedRequestId":"SBLq=","ip":"203.0.113.7","requestTime":"01/Feb/2024:00:00:00 +0000","httpMethod":"GET","resourcePath":"/pets","status":200,"protocol":"HTTP/1.1","responseLength":1024}`},
		"XML, own and repeated elements": {service.APIGatewayAccess, `<request id="x"><agent>say "</hi>" & go</agent><a-1>2</a-1><ip>192.0.2.1</ip><ip>192.0.2.2</ip></request>`, `{"requestId":"x","agent":"say \"</hi>\" & go","a-1":"2","ip":"192.0.2.2"}`},
		"XML, cut short":                 {service.APIGatewayAccess, xmlLine[:200], ""},
		"XML, text behind":               {service.APIGatewayAccess, xmlLine + " x", ""},
		"XML, an element in the name":    {service.APIGatewayAccess, `<request id="x"><a b>1</a b></request>`, ""},
		"execution":                      {service.APIGatewayExecution, `(b4e1ab3b-0000-4a4a-9b9b-c0ffee00abcd) Method request headers: {Accept=*/*, "x"}`, `{"requestId":"b4e1ab3b-0000-4a4a-9b9b-c0ffee00abcd","message":"Method request headers: {Accept=*/*, \"x\"}"}`},
		"execution, no id":               {service.APIGatewayExecution, `(see below) text`, ""},
		"execution, text":                {service.APIGatewayExecution, `text (a) b`, ""},

		"broker":                      {service.MSKBroker, "[2024-02-01 00:00:01,002] WARN [ReplicaFetcher replicaId=1] Error in response (type=FetchRequest) (kafka.server.ReplicaFetcherThread)", `{"timestamp":"2024-02-01 00:00:01,002","level":"WARN","message":"[ReplicaFetcher replicaId=1] Error in response (type=FetchRequest)","logger":"kafka.server.ReplicaFetcherThread"}`},
		"broker, stack trace":         {service.MSKBroker, "[2024-02-01 00:00:01,003] ERROR Oh (kafka.network.Acceptor)\n\tat a.B.c(D.scala:460)\n", `{"timestamp":"2024-02-01 00:00:01,003","level":"ERROR","message":"Oh (kafka.network.Acceptor)\n\tat a.B.c(D.scala:460)","logger":"kafka.network.Acceptor"}`},
		"broker, no class":            {service.MSKBroker, "[2024-02-01 00:00:01,003] INFO took (12 ms)", `{"timestamp":"2024-02-01 00:00:01,003","level":"INFO","message":"took (12 ms)"}`},
		"broker, class alone":         {service.MSKBroker, "[2024-02-01 00:00:01,003] INFO (a.b)", `{"timestamp":"2024-02-01 00:00:01,003","level":"INFO","logger":"a.b"}`},
		"broker, level alone":         {service.MSKBroker, "[2024-02-01 00:00:01,003] INFO", `{"timestamp":"2024-02-01 00:00:01,003","level":"INFO"}`},
		"broker, continuation":        {service.MSKBroker, "\tat a.B.c(D.scala:460)", ""},
		"broker, no level":            {service.MSKBroker, "[2024-02-01 00:00:01,003] hello", ""},
		"broker, time alone":          {service.MSKBroker, "[2024-02-01 00:00:01,003]", ""},
		"worker":                      {service.MSKConnect, "[Worker-0bb8] [2021-09-06 16:02:54,151] WARN [Producer] lost (b-1/IP) it. (org.apache.kafka.clients.NetworkClient:782)\r\n", `{"worker":"0bb8","timestamp":"2021-09-06 16:02:54,151","level":"WARN","message":"[Producer] lost (b-1/IP) it.","logger":"org.apache.kafka.clients.NetworkClient","line":782}`},
		"worker, continuation":        {service.MSKConnect, "[Worker-05e6] aws.region = us-east-1", `{"worker":"05e6","message":"aws.region = us-east-1"}`},
		"worker alone":                {service.MSKConnect, "[Worker-05e6]", ""},
		"worker, none":                {service.MSKConnect, "[2021-09-06 16:02:54,151] WARN x", ""},
		"slow log":                    {service.ElastiCacheSlow, "logslow,0001,1605631822,30,GET ... (1 more arguments),192.168.12.104:55452,logslow##", `{"CacheClusterId":"logslow","CacheNodeId":"0001","Timestamp":1605631822,"Duration (us)":30,"Command":"GET ... (1 more arguments)","ClientAddress":"192.168.12.104:55452","ClientName":"logslow##"}`},
		"slow log, commas in command": {service.ElastiCacheSlow, `a,0001,1605631822,30,MSET a,"b",c ...,[2001:db8::1]:55452,`, `{"CacheClusterId":"a","CacheNodeId":"0001","Timestamp":1605631822,"Duration (us)":30,"Command":"MSET a,\"b\",c ...","ClientAddress":"[2001:db8::1]:55452"}`},
		"slow log, six columns":       {service.ElastiCacheSlow, `a,0001,1605631822,30,GET,x`, ""},
		"slow log, no number":         {service.ElastiCacheSlow, `a,0001,yesterday,30,GET,x,y`, ""},
		"engine log":                  {service.ElastiCacheEngine, "example-redis/0001:C 01 Feb 2024 00:00:05.500 UTC # Background saving error", `{"CacheClusterId":"example-redis","CacheNodeId":"0001","LogLevel":"WARNING","Role":"C","Time":"01 Feb 2024 00:00:05.500 UTC","Message":"Background saving error"}`},
		"engine log, no message":      {service.ElastiCacheEngine, "example-redis/0001:C 01 Feb 2024 00:00:05.500 UTC - ", `{"CacheClusterId":"example-redis","CacheNodeId":"0001","LogLevel":"VERBOSE","Role":"C","Time":"01 Feb 2024 00:00:05.500 UTC"}`},
		"engine log, other mark":      {service.ElastiCacheEngine, "example-redis/0001:C 01 Feb 2024 00:00:05.500 UTC ! x", ""},
		"engine log, other zone":      {service.ElastiCacheEngine, "example-redis/0001:C 01 Feb 2024 00:00:05.500 CET * x", ""},
		"engine log, cut short":       {service.ElastiCacheEngine, "example-redis/0001:C 01 Feb 2024 00:00", ""},

		"PostgreSQL":                          {service.PostgreSQL, pgLine, `{"timestamp":"2024-02-01 00:00:01 UTC","remote_host":"10.0.0.5","remote_port":51234,"user":"postgres","dbname":"mydb","pid":1234,"error_severity":"ERROR","message":"relation \"nope\" does not exist at character 15"}`},
		"PostgreSQL, statement":               {service.PostgreSQL, "2024-02-01 00:00:01 UTC:2001:db8::5(51234):a@example.com@mydb:[1234]:STATEMENT:  SELECT *\n\tFROM nope\n", `{"timestamp":"2024-02-01 00:00:01 UTC","remote_host":"2001:db8::5","remote_port":51234,"user":"a@example.com","dbname":"mydb","pid":1234,"statement":"SELECT *\n\tFROM nope"}`},
		"PostgreSQL, background":              {service.PostgreSQL, "2024-02-01 00:00:05 UTC::@:[390]:LOG:  checkpoint starting: time", `{"timestamp":"2024-02-01 00:00:05 UTC","pid":390,"error_severity":"LOG","message":"checkpoint starting: time"}`},
		"PostgreSQL, local":                   {service.PostgreSQL, "2024-02-01 00:00:05 UTC:[local]:rdsadmin@rdsadmin:[390]:FATAL:  é", `{"timestamp":"2024-02-01 00:00:05 UTC","remote_host":"[local]","user":"rdsadmin","dbname":"rdsadmin","pid":390,"error_severity":"FATAL","message":"é"}`},
		"PostgreSQL, connection received":     {service.PostgreSQL, pgConnection, `{"timestamp":"2024-02-01 00:00:00 UTC","remote_host":"10.0.0.5","remote_port":51234,"user":"[unknown]","dbname":"[unknown]","pid":1234,"error_severity":"LOG","message":"connection received: host=10.0.0.5 port=51234"}`},
		"PostgreSQL, local, unknown user":     {service.PostgreSQL, "2024-02-01 00:00:05 UTC:[local]:[unknown]@[unknown]:[390]:LOG:  x", `{"timestamp":"2024-02-01 00:00:05 UTC","remote_host":"[local]","user":"[unknown]","dbname":"[unknown]","pid":390,"error_severity":"LOG","message":"x"}`},
		"PostgreSQL, brackets in names":       {service.PostgreSQL, "2024-02-01 00:00:05 UTC:10.0.0.5(1):a:[b]:[12@[3]:[4:[]:[390]:LOG:  :[7]:x", `{"timestamp":"2024-02-01 00:00:05 UTC","remote_host":"10.0.0.5","remote_port":1,"user":"a:[b]:[12","dbname":"[3]:[4:[]","pid":390,"error_severity":"LOG","message":":[7]:x"}`},
		"PostgreSQL, no process":              {service.PostgreSQL, "2024-02-01 00:00:05 UTC:10.0.0.5(1):[unknown]@[unknown]:[390:LOG:  x:[", ""},
		"PostgreSQL, continuation":            {service.PostgreSQL, "\tFROM nope", ""},
		"PostgreSQL, another prefix":          {service.PostgreSQL, "2024-02-01 00:00:05 UTC [390] LOG:  x", ""},
		"PostgreSQL, cut short":               {service.PostgreSQL, "2024-02-01 00:00:05 UTC:10.0.0.5(51234):postgres@my", ""},
		"slow query":                          {service.MySQLSlow, slowLine, `{"time":"2024-02-01T00:00:07.246083Z","user":"admin","ip":"10.0.0.12","thread_id":13,"query_time":10.000221,"lock_time":0.000000,"rows_sent":1,"rows_examined":0,"db":"app","timestamp":1706745597,"sql_text":"select sleep(10)\n  from \"t\";"}`},
		"slow query, MariaDB, CRLF":           {service.MySQLSlow, mariaLog, `{"time":"240201  0:00:07","user":"bob","host":"web.example.com","ip":"192.0.2.7","thread_id":5,"schema":"shop","qc_hit":"No","query_time":1.5,"lock_time":0.1,"rows_sent":0,"rows_examined":4,"rows_affected":0,"bytes_sent":11,"timestamp":1706745597,"sql_text":"select 1;"}`},
		"slow query, a name twice":            {service.MySQLSlow, "# User@Host: a[a] @ h []  Id: 1\n# Query_time: 1  Query_time: 2 User: x\nselect 1", `{"host":"h","thread_id":1,"query_time":2,"user":"x","sql_text":"select 1"}`},
		"slow query, no statement":            {service.MySQLSlow, "# User@Host: a[a] @ h []  Id: 1\n# Query_time: 1", `{"user":"a","host":"h","thread_id":1,"query_time":1}`},
		"slow query, banner":                  {service.MySQLSlow, "/rdsdbbin/mysql/bin/mysqld, Version: 8.0.35. started with:\nTcp port: 3306", ""},
		"slow query, first line alone":        {service.MySQLSlow, "# Time: 2024-02-01T00:00:07.246083Z", ""},
		"error log":                           {service.MySQLError, "2024-02-01T00:00:05.000001Z 12 [Warning] [MY-010055] [Server] IP address '192.0.2.15' could not be resolved", `{"timestamp":"2024-02-01T00:00:05.000001Z","thread_id":12,"level":"Warning","error_code":"MY-010055","subsystem":"Server","message":"IP address '192.0.2.15' could not be resolved"}`},
		"error log, 5.7":                      {service.MySQLError, "2024-02-01T00:00:05.000001Z 0 [Note] [x] Event: \"a\"", `{"timestamp":"2024-02-01T00:00:05.000001Z","thread_id":0,"level":"Note","message":"[x] Event: \"a\""}`},
		"error log, MariaDB":                  {service.MySQLError, mariaError, `{"timestamp":"2024-02-01  0:00:05","thread_id":12,"level":"Warning","message":"Aborted connection 12 to db: 'shop' user: 'bob' host: '192.0.2.7' (Got timeout reading communication packets)"}`},
		"error log, MariaDB, late":            {service.MySQLError, "2024-02-01 23:00:05 139651251140544 [Note] x", `{"timestamp":"2024-02-01 23:00:05","thread_id":139651251140544,"level":"Note","message":"x"}`},
		"error log, MariaDB, cut short":       {service.MySQLError, "2024-02-01  0:00:05", ""},
		"error log, no such hour":             {service.MySQLError, "2024-02-01  :00:005 1 [Note] x", ""},
		"error log, text behind the time":     {service.MySQLError, "2024-02-01  0:00:059 1 [Note] x", ""},
		"error log, no level":                 {service.MySQLError, "2024-02-01T00:00:05.000001Z 0 mysqld: ready", ""},
		"error log, no thread":                {service.MySQLError, "2024-02-01T00:00:05.000001Z [Note] x", ""},
		"error log, level cut short":          {service.MySQLError, "2024-02-01T00:00:05.000001Z 0 [No", ""},
		"audit":                               {service.MySQLAudit, `20240201 00:00:02,ip-10-0-0-1,admin,10.0.0.5,123,457,QUERY,mydb,'select \'a,b\', "\\n"` + "\n" + ` \n',1064`, `{"timestamp":"20240201 00:00:02","serverhost":"ip-10-0-0-1","username":"admin","host":"10.0.0.5","connectionid":123,"queryid":457,"operation":"QUERY","database":"mydb","object":"select 'a,b', \"\\n\"\n \n","retcode":1064}`},
		"audit, no object":                    {service.MySQLAudit, `20240201 00:00:01,ip-10-0-0-1,admin,10.0.0.5,123,0,CONNECT,,,0`, `{"timestamp":"20240201 00:00:01","serverhost":"ip-10-0-0-1","username":"admin","host":"10.0.0.5","connectionid":123,"queryid":0,"operation":"CONNECT","retcode":0}`},
		"audit, Aurora, more columns":         {service.MySQLAudit, `1706745602123456,aurora-1,admin,10.0.0.5,123,457,QUERY,mydb,'select 1',0,TCP/IP,`, `{"timestamp":"1706745602123456","serverhost":"aurora-1","username":"admin","host":"10.0.0.5","connectionid":123,"queryid":457,"operation":"QUERY","database":"mydb","object":"select 1","retcode":0,"column_11":"TCP/IP"}`},
		"audit, an object that is not closed": {service.MySQLAudit, `20240201 00:00:02,ip-10-0-0-1,admin,10.0.0.5,123,457,QUERY,mydb,'select \',1064`, ""},
		"audit, no retcode":                   {service.MySQLAudit, `20240201 00:00:02,ip-10-0-0-1,admin,10.0.0.5,123,457,QUERY,mydb,'select 1'`, ""},
		"audit, a line of a statement":        {service.MySQLAudit, `from a,b,c,d,e,f,g,h,i,j`, ""},
		"klog":                                {service.EKSKlog, klogLine, `{"level":"ERROR","time":"0201 00:00:02.654321","thread":11,"file":"authentication.go","line":73,"message":"\"Unable to authenticate\" err=\"[invalid bearer token, [x] y]\""}`},
		"klog, other letter":                  {service.EKSKlog, "X" + klogLine[1:], ""},
		"klog, text":                          {service.EKSKlog, "Flag --insecure-port has been deprecated: x] y", ""},
		"klog, cut short":                     {service.EKSKlog, klogLine[:40], ""},
		"authenticator":                       {service.EKSAuthenticator, authLine + "\n", `{"time":"2024-02-01T00:00:01Z","level":"warning","msg":"access \"denied\"","arn":"arn:aws:iam::111122223333:role/other","client":"127.0.0.1:40313","method":"POST","path":"/authenticate"}`},
		"authenticator, a name twice":         {service.EKSAuthenticator, `time="2024-02-01T00:00:01Z" level=info a=1 a="\u00e9\xff"`, `{"time":"2024-02-01T00:00:01Z","level":"info","a":"é�"}`},
		"authenticator, quote not closed":     {service.EKSAuthenticator, `time="2024-02-01T00:00:01Z" level=info msg="a`, ""},
		"authenticator, bad escape":           {service.EKSAuthenticator, `time="2024-02-01T00:00:01Z" level=info msg="\q"`, ""},
		"authenticator, a word":               {service.EKSAuthenticator, `time="2024-02-01T00:00:01Z" hello level=info`, ""},
		"authenticator, no time":              {service.EKSAuthenticator, `level=info msg=x`, ""},

		"Lambda init":             {service.Lambda, "INIT_START Runtime Version: provided:al2023.v41\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:example\n", `{"type":"platform.initStart","runtimeVersion":"provided:al2023.v41","runtimeVersionArn":"arn:aws:lambda:us-east-1::runtime:example"}`},
		"Lambda init report":      {service.Lambda, "INIT_REPORT Init Duration: 9999.12 ms\tPhase: init\tStatus: timeout", `{"type":"platform.initReport","initDurationMs":9999.12,"phase":"init","status":"timeout"}`},
		"Lambda start":            {service.Lambda, "START RequestId: " + requestID + " Version: $LATEST\n", `{"type":"platform.start","requestId":"` + requestID + `","version":"$LATEST"}`},
		"Lambda end":              {service.Lambda, "END RequestId: " + requestID + "\n", `{"type":"platform.end","requestId":"` + requestID + `"}`},
		"Lambda report":           {service.Lambda, "REPORT RequestId: " + requestID + "\tDuration: 46.84 ms\tBilled Duration: 47 ms\tMemory Size: 192 MB\tMax Memory Used: 72 MB\tInit Duration: 155.01 ms\t\nXRAY TraceId: 1-5e1b4151-5ac6c58f5b5b3d5f7b5b3d5f\tSegmentId: 4a5b\tSampled: true\t\n", `{"type":"platform.report","requestId":"` + requestID + `","durationMs":46.84,"billedDurationMs":47,"memorySizeMB":192,"maxMemoryUsedMB":72,"initDurationMs":155.01,"xrayTraceId":"1-5e1b4151-5ac6c58f5b5b3d5f7b5b3d5f","segmentId":"4a5b","sampled":"true"}`},
		"Lambda report, new ones": {service.Lambda, "REPORT RequestId: " + requestID + "\tDuration: 3000.00 ms\tGPU Time: 7 h\tDuration: 3001 ms\tStatus: error\tError Type: Runtime.ExitError", `{"type":"platform.report","requestId":"` + requestID + `","gpuTime":"7 h","durationMs":3001,"status":"error","errorType":"Runtime.ExitError"}`},
		"Lambda report, text":     {service.Lambda, "REPORT RequestId: " + requestID + "\thello", ""},
		"Lambda, starts so":       {service.Lambda, "START of it", ""},
		"Lambda Node.js":          {service.Lambda, "2024-02-01T00:00:00.173Z\t" + requestID + "\tINFO\thello\r  \"world\"\t\n", `{"timestamp":"2024-02-01T00:00:00.173Z","requestId":"` + requestID + `","level":"INFO","message":"hello\r  \"world\"\t"}`},
		"Lambda Node.js, init":    {service.Lambda, "2024-02-01T00:00:00.173Z\tundefined\tERROR\tUncaught", `{"timestamp":"2024-02-01T00:00:00.173Z","level":"ERROR","message":"Uncaught"}`},
		"Lambda Python":           {service.Lambda, "[WARNING]\t2024-02-01T00:00:00.173Z\t" + requestID + "\thello\n", `{"timestamp":"2024-02-01T00:00:00.173Z","requestId":"` + requestID + `","level":"WARNING","message":"hello"}`},
		"Lambda Python, init":     {service.Lambda, "[INFO]\t2024-02-01T00:00:00.173Z\t\thello", `{"timestamp":"2024-02-01T00:00:00.173Z","level":"INFO","message":"hello"}`},
		"Lambda Python, error":    {service.Lambda, "[ERROR] ValueError: bad\nTraceback (most recent call last):\n", `{"level":"ERROR","message":"ValueError: bad\nTraceback (most recent call last):"}`},
		"Lambda timeout":          {service.Lambda, "2024-02-01T00:00:03.000Z " + requestID + " Task timed out after 3.00 seconds\n\n", `{"timestamp":"2024-02-01T00:00:03.000Z","requestId":"` + requestID + `","status":"timeout","message":"Task timed out after 3.00 seconds"}`},
		"Lambda exit":             {service.Lambda, "RequestId: " + requestID + " Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n", `{"requestId":"` + requestID + `","message":"Error: Runtime exited with error: signal: killed\nRuntime.ExitError"}`},
		"Lambda Go":               {service.Lambda, "2024/02/01 00:00:00 plain line", ""},
		"Lambda, brackets":        {service.Lambda, "[GIN] 2024/02/01 - 00:00:00 | 200 |", ""},
		"Lambda JSON":             {service.Lambda, `{"timestamp":"2024-02-01T00:00:00.215Z","level":"ERROR","requestId":"r","message":{"stackTrace":["  File \"/var/task/app.py\"\n"]}}` + "\n", `{"timestamp":"2024-02-01T00:00:00.215Z","level":"ERROR","requestId":"r","message":{"stackTrace":["  File \"/var/task/app.py\"\n"]}}`},

		"public hosted zone":          {service.Route53Public, "1.0 2017-12-13T08:16:03.983Z Z123412341234 example.com ANY NOERROR UDP FRA6 2001:db8::1234 2001:db8:abcd::/48", `{"version":"1.0","query_timestamp":"2017-12-13T08:16:03.983Z","hosted_zone_id":"Z123412341234","query_name":"example.com","query_type":"ANY","rcode":"NOERROR","protocol":"UDP","edge_location":"FRA6","resolver_ip":"2001:db8::1234","edns_client_subnet":"2001:db8:abcd::/48"}`},
		"public hosted zone, more":    {service.Route53Public, "1.0 2017-12-13T08:16:03.983Z Z1 \"\\\" A NOERROR UDP FRA6 192.0.2.1 - x -", `{"version":"1.0","query_timestamp":"2017-12-13T08:16:03.983Z","hosted_zone_id":"Z1","query_name":"\"\\\"","query_type":"A","rcode":"NOERROR","protocol":"UDP","edge_location":"FRA6","resolver_ip":"192.0.2.1","column_11":"x"}`},
		"public hosted zone, cut":     {service.Route53Public, "1.0 2017-12-13T08:16:03.983Z Z1 example.com A", ""},
		"public hosted zone, text":    {service.Route53Public, "a b c d e f g h i j", ""},
		"SageMaker toolkit":           {service.SageMaker, "2024-02-01 00:00:00,123 sagemaker-training-toolkit INFO     Imported framework x", `{"timestamp":"2024-02-01 00:00:00,123","level":"INFO","logger":"sagemaker-training-toolkit","message":"Imported framework x"}`},
		"SageMaker model server":      {service.SageMaker, "2024-02-01T00:00:03,456 [WARN ] W-9000-model_1.0-stderr MODEL_LOG - slow - path", `{"timestamp":"2024-02-01T00:00:03,456","level":"WARN","thread":"W-9000-model_1.0-stderr","logger":"MODEL_LOG","message":"slow - path"}`},
		"SageMaker metrics":           {service.SageMaker, `#metrics {"StartTime": 1706745601.5, "Metrics": {"loss": {"sum": 0.25}}}`, `{"metrics":{"StartTime":1706745601.5,"Metrics":{"loss":{"sum":0.25}}}}`},
		"SageMaker metrics, not JSON": {service.SageMaker, `#metrics {"StartTime": `, ""},
		"SageMaker, text":             {service.SageMaker, "epoch=1 loss=0.2500 acc=0.91", ""},
		"SageMaker, time and text":    {service.SageMaker, "2024-02-01 00:00:00,123 hello world", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := attributesOf(t, format.AWS, tc.log, tc.line)
			assert.Equal(t, tc.want, got)
			assert.Equal(t, tc.want, attributesOf(t, format.AWS, tc.log, strings.TrimRight(tc.line, "\r\n")+"\r\n"))
			assertDocumented(t, tc.log, got)
			for _, naming := range []format.Naming{format.ECS, format.OTel} {
				renamed := attributesOf(t, naming, tc.log, tc.line)
				assert.Equal(t, got == "", renamed == "")
				if got != "" {
					want, _ := decoded([]byte(got))
					have, _ := decoded([]byte(renamed))
					assert.GreaterOrEqual(t, len(have), len(want), "as many by other names")
				}
			}
		})
	}
}

// ofTheirOwn are members that lines of TestTextAttributes bring along.
var ofTheirOwn = []string{"agent", "a-1", "a", "schema", "qc_hit", "rows_affected", "bytes_sent", "phase", "gpuTime", "stackTrace"}

// assertDocumented holds the members of attributes to the documented ones.
func assertDocumented(t *testing.T, log service.Log, attributes string) {
	t.Helper()
	members, _ := decoded([]byte(attributes))
	for name := range members {
		if !strings.HasPrefix(name, "column_") && !slices.Contains(ofTheirOwn, name) {
			assert.Contains(t, format.Fields(log), name)
		}
	}
}

func TestTextNaming(t *testing.T) {
	assert.JSONEq(t, `{"source.ip":"203.0.113.8","caller":"AIDAEXAMPLE","user.name":"alice","requestTime":"01/Feb/2024:00:00:01 +0000","http.request.method":"POST","resourcePath":"/pets","protocol":"HTTP/1.1","http.response.status_code":201,"http.response.body.bytes":88,"extendedRequestId":"SBLqQFwNoAMFXyQ=","http.request.id":"6b1f6c1e-0000-4a4a-9b9b-c0ffee000002"}`,
		attributesOf(t, format.ECS, service.APIGatewayAccess, clfLine))
	assert.JSONEq(t, `{"timestamp":"2024-02-01 00:00:01 UTC","client.address":"10.0.0.5","client.port":51234,"user.name":"postgres","db.namespace":"mydb","process.pid":1234,"error_severity":"ERROR","message":"relation \"nope\" does not exist at character 15"}`,
		attributesOf(t, format.OTel, service.PostgreSQL, pgLine))
}
