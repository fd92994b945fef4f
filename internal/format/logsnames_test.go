package format

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/jsonwalk"
	"sluice/internal/service"
)

const exampleID = "6234bffe-149a-b642-81ff-2e8e376d8aff"

// examples are lines of logs that are neither columns nor JSON alone. Together they have each attribute of their log.
var examples = map[service.Log][]string{
	service.APIGatewayAccess: {
		`192.0.2.8 AIDAEXAMPLE alice [01/Feb/2024:00:00:01 +0000] "POST /pets HTTP/1.1" 201 88 ` + exampleID + ` SBLqQFwNoAMFXyQ=`,
	},
	service.APIGatewayExecution: {"(" + exampleID + ") Method completed with status: 200"},
	service.EKSKlog:             {`E0201 00:00:02.654321      11 authentication.go:73] "Unable to authenticate"`},
	service.EKSAuthenticator: {
		`time="2024-02-01T00:00:01Z" level=warning msg="access denied" arn="arn:aws:iam::123456789012:role/x" client="127.0.0.1:40313" ` +
			`groups="[a]" method=POST path=/authenticate sts=sts.example.com uid="x:y" username="x" error="y"`,
	},
	service.ElastiCacheSlow: {
		"a,0001,1605631822,30,GET,192.0.2.1:55452,b",
		`{"CacheClusterId":"a","CacheNodeId":"0001","Id":1,"Timestamp":1605631822,"Duration (us)":30,"Command":"GET","ClientAddress":"192.0.2.1:1"}`,
	},
	service.ElastiCacheEngine: {"a/0001:C 01 Feb 2024 00:00:05.500 UTC # Background saving error"},
	service.Lambda: {
		"START RequestId: " + exampleID + " Version: $LATEST",
		"END RequestId: " + exampleID,
		"REPORT RequestId: " + exampleID + "\tDuration: 46.84 ms\tBilled Duration: 47 ms\tMemory Size: 128 MB\tMax Memory Used: 70 MB\t" +
			"Init Duration: 100.5 ms\tRestore Duration: 7 ms\tStatus: error\tError Type: Runtime.ExitError\t\n" +
			"XRAY TraceId: 1-5\tSegmentId: 4\tSampled: true\t",
		"INIT_START Runtime Version: nodejs:20.v1\tRuntime Version ARN: arn:aws:lambda:us-east-2::runtime:x",
		"2024-02-01T00:00:00.173Z\t" + exampleID + "\tINFO\thello",
		`{"time":"2024-02-01T00:00:00.173Z","type":"platform.start","record":{"requestId":"x"}}`,
		`{"timestamp":"2024-02-01T00:00:00.173Z","level":"INFO","message":"x","logger":"root","requestId":"x"}`,
	},
	service.MSKBroker:  {"[2024-02-01 00:00:01,002] WARN lost (kafka.server.ReplicaFetcherThread)"},
	service.MSKConnect: {"[Worker-0bb8] [2021-09-06 16:02:54,151] WARN lost it (org.apache.kafka.clients.NetworkClient:782)"},
	service.MySQLAudit: {"20240201 00:00:02,ip-10-0-0-1,admin,10.0.0.5,123,457,QUERY,mydb,'select 1',1064"},
	service.MySQLError: {"2024-02-01T00:00:05.000001Z 12 [Warning] [MY-010055] [Server] x"},
	service.MySQLSlow: {
		"# Time: 2024-02-01T00:00:07.246083Z\n# User@Host: admin[admin] @ web.example.com [10.0.0.12]  Id:    13\n" +
			"# Query_time: 10.1  Lock_time: 0.1 Rows_sent: 1  Rows_examined: 0\nuse app;\nSET timestamp=1706745597;\nselect 1;",
	},
	service.PostgreSQL: {
		`2024-02-01 00:00:01 UTC:10.0.0.5(51234):postgres@mydb:[1234]:ERROR:  relation "nope" does not exist`,
		"2024-02-01 00:00:01 UTC:10.0.0.5(51234):postgres@mydb:[1234]:STATEMENT:  select 1",
		"2024-02-01 00:00:01 UTC:10.0.0.5(51234):postgres@mydb:[1234]:DETAIL:  x",
		"2024-02-01 00:00:01 UTC:10.0.0.5(51234):postgres@mydb:[1234]:HINT:  x",
		"2024-02-01 00:00:01 UTC:10.0.0.5(51234):postgres@mydb:[1234]:CONTEXT:  x",
	},
	service.Route53Public: {"1.0 2017-12-13T08:16:03.983Z Z1 example.com A NOERROR UDP FRA6 192.0.2.1 192.0.2.0/24"},
	service.SageMaker: {
		"2024-02-01T00:00:03,456 [WARN ] W-9000 MODEL_LOG - x",
		`#metrics {"Metrics":{"a":1}}`,
	},
}

// standardNames returns what each attribute of a log is called in all namings, by AWS's name, as found in lines.
func standardNames(t *testing.T, log service.Log) map[string][namings]string {
	t.Helper()
	found := map[string][namings]string{}
	inColumns := layouts[log] != nil && layouts[log].columns != nil
	if inColumns {
		for _, t := range layouts[log].columns {
			addColumns(found, t)
		}
	}
	for _, line := range examples[log] {
		names := namesIn(t, log, line)
		require.NotEmpty(t, names, "%s: not a line of its: %s", log, line)
		addNames(t, found, names)
	}
	for _, name := range Fields(log) {
		names := namesIn(t, log, `{"`+name+`":"1"}`) // one by one, as two may have one name in a standard
		if _, ok := names[name]; ok && len(names) == 1 && !inColumns {
			addNames(t, found, names)
		}
	}
	return found
}

// addColumns adds the names of what the columns of a table become.
func addColumns(found map[string][namings]string, t *table) {
	for i := range t.in(AWS) {
		var heads [namings][]head
		for naming := range namings {
			f := t.in(naming)[i]
			heads[naming] = append([]head{f.head}, f.more...)
		}
		for j := range heads[AWS] {
			found[heads[AWS][j].name()] = [namings]string{heads[AWS][j].name(), heads[ECS][j].name(), heads[OTel][j].name()}
		}
	}
}

// addNames adds names to those found. A log that has JSON and text may have other names in one of them alone.
func addNames(t *testing.T, found, names map[string][namings]string) {
	t.Helper()
	for name, more := range names {
		known, ok := found[name]
		if !ok {
			known = more
		}
		for naming := range namings {
			if known[naming] == name {
				known[naming] = more[naming]
			}
			if more[naming] != name {
				assert.Equal(t, known[naming], more[naming], "%s has two names in one standard", name)
			}
		}
		found[name] = known
	}
}

// namesIn returns the names of the attributes of one line in all namings; nil where it is not one of the log's.
func namesIn(t *testing.T, log service.Log, line string) map[string][namings]string {
	t.Helper()
	var lists [namings][]string
	for naming := range namings {
		out, ok := NewAttributes(naming).Append(nil, log, nil, []byte(line))
		if !ok {
			return nil
		}
		members := jsonwalk.Object(out)
		for members.Next() {
			lists[naming] = append(lists[naming], string(members.Name()))
		}
	}
	names := map[string][namings]string{}
	for i, name := range lists[AWS] {
		require.Len(t, lists[ECS], len(lists[AWS]), "%s: names fall together: %s", log, line)
		require.Len(t, lists[OTel], len(lists[AWS]), "%s: names fall together: %s", log, line)
		names[name] = [namings]string{name, lists[ECS][i], lists[OTel][i]}
	}
	return names
}
