package format_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"sluice/internal/format"
	"sluice/internal/service"
)

// TestMillisThroughCloudWatch has the logs that do not come from S3.
func TestMillisThroughCloudWatch(t *testing.T) {
	for name, tc := range map[string]struct {
		log  service.Log
		line string
		want string
	}{
		"Step Functions":                  {service.StepFunctions, `{"id":"1","details":{"event_timestamp":"1"},"event_timestamp":"1706745600123"}`, "2024-02-01T00:00:00.123Z"},
		"Ground Truth":                    {service.SageMakerWorker, `{"event_type":"TasksSubmitted","event_timestamp":"1565798464"}`, "2019-08-14T16:01:04Z"},
		"Storage Gateway":                 {service.StorageGateway, `{"severity":"ERROR","timestamp":"1565740862516"}`, "2019-08-14T00:01:02.516Z"},
		"Enhanced Monitoring":             {service.RDSOSMetrics, `{"engine":"MYSQL","timestamp":"2024-02-01T00:00:00Z"}`, "2024-02-01T00:00:00Z"},
		"audit event":                     {service.EKSAudit, `{"stageTimestamp":"2024-02-01T00:00:00.130000Z","requestReceivedTimestamp":"2024-02-01T00:00:00.123456Z"}`, "2024-02-01T00:00:00.123Z"},
		"audit event, stage alone":        {service.EKSAudit, `{"stageTimestamp":"2024-02-01T00:00:00.130000Z"}`, "2024-02-01T00:00:00.130Z"},
		"Security Hub":                    {service.SecurityHub, `{"version":"0","time":"2024-02-01T00:00:00Z","detail":{"findings":[]}}`, "2024-02-01T00:00:00Z"},
		"Firehose":                        {service.FirehoseErrors, `{"deliveryStreamARN":"x","errorCode":"y"}`, ""},
		"application":                     {"", `{"timestamp":"2024-02-01T00:00:00Z"}`, ""},
		"slow log":                        {service.ElastiCacheSlow, "a,0001,1605631822,30,GET x,192.0.2.1:1,", "2020-11-17T16:50:22Z"},
		"slow log, JSON":                  {service.ElastiCacheSlow, `{"CacheClusterId":"a","Timestamp":1605631822}`, "2020-11-17T16:50:22Z"},
		"slow log, text":                  {service.ElastiCacheSlow, "a,b,c", ""},
		"engine log":                      {service.ElastiCacheEngine, "a/0001:M 29 Oct 2020 20:12:20.499 UTC * x", "2020-10-29T20:12:20.499Z"},
		"engine log, JSON":                {service.ElastiCacheEngine, `{"Time":"12 Nov 2020 01:28:57.994 UTC"}`, "2020-11-12T01:28:57.994Z"},
		"engine log, no such day":         {service.ElastiCacheEngine, `{"Time":"31 Nov 2020 01:28:57.994 UTC"}`, ""},
		"engine log, another zone":        {service.ElastiCacheEngine, `{"Time":"12 Nov 2020 01:28:57.994 CET"}`, ""},
		"engine log, colon":               {service.ElastiCacheEngine, `{"Time":"12 Nov 2020 01:28:57:994 UTC"}`, ""},
		"CLF":                             {service.APIGatewayAccess, clfLine, "2024-02-01T00:00:01Z"},
		"CSV":                             {service.APIGatewayAccess, csvLine, "2024-02-01T00:00:02Z"},
		"XML":                             {service.APIGatewayAccess, xmlLine, "2024-02-01T00:00:00Z"},
		"JSON":                            {service.APIGatewayAccess, `{"requestTime":"01/Feb/2024:01:00:00 +0100"}`, "2024-02-01T00:00:00Z"},
		"JSON, epoch":                     {service.APIGatewayAccess, `{"requestTime":"01/Feb/2024:00:00:00 +0000","requestTimeEpoch":"1706745600123"}`, "2024-02-01T00:00:00.123Z"},
		"template of another kind":        {service.APIGatewayAccess, "hello", ""},
		"execution":                       {service.APIGatewayExecution, "(b4e1ab3b) x", ""},
		"PostgreSQL":                      {service.PostgreSQL, pgLine, "2024-02-01T00:00:01Z"},
		"PostgreSQL, another zone":        {service.PostgreSQL, strings.Replace(pgLine, "UTC", "CET", 1), ""},
		"PostgreSQL, cut short":           {service.PostgreSQL, pgLine[:19], ""},
		"slow query":                      {service.MySQLSlow, slowLine, "2024-02-01T00:00:07.246Z"},
		"slow query, MariaDB":             {service.MySQLSlow, mariaLog, ""},
		"error log":                       {service.MySQLError, "2024-02-01T00:00:05.000001Z 12 [Note] x", "2024-02-01T00:00:05Z"},
		"error log, MariaDB":              {service.MySQLError, mariaError, "2024-02-01T00:00:05Z"},
		"error log, MariaDB, late":        {service.MySQLError, "2024-02-01 23:59:59 0 [Note] x", "2024-02-01T23:59:59Z"},
		"error log, MariaDB, no space":    {service.MySQLError, "2024-02-01  0:00:059 0 [Note] x", ""},
		"error log, MariaDB, no such day": {service.MySQLError, "2023-02-29  0:00:05 0 [Note] x", ""},
		"error log, MariaDB, no hour":     {service.MySQLError, "2024-02-01   :00:05 0 [Note] x", ""},
		"PostgreSQL, connection received": {service.PostgreSQL, pgConnection, "2024-02-01T00:00:00Z"},
		"audit":                           {service.MySQLAudit, "20240229 23:59:59,x", "2024-02-29T23:59:59Z"},
		"audit, no such day":              {service.MySQLAudit, "20230229 23:59:59,x", ""},
		"audit, Aurora":                   {service.MySQLAudit, "1706745602123456,x", "2024-02-01T00:00:02.123Z"},
		"audit, sixteen, not all numbers": {service.MySQLAudit, "170674560212345x,x", ""},
		"audit, text":                     {service.MySQLAudit, "from a,b", ""},
		"klog has no year":                {service.EKSKlog, klogLine, ""},
		"authenticator":                   {service.EKSAuthenticator, authLine, "2024-02-01T00:00:01Z"},
		"authenticator, no time":          {service.EKSAuthenticator, `level=info time="2024-02-01T00:00:01Z"`, ""},
		"Lambda Node.js":                  {service.Lambda, "2024-02-01T00:00:00.173Z\t" + requestID + "\tINFO\thello", "2024-02-01T00:00:00.173Z"},
		"Lambda Python":                   {service.Lambda, "[INFO]\t2024-02-01T00:00:00.173Z\t" + requestID + "\thello", "2024-02-01T00:00:00.173Z"},
		"Lambda timeout":                  {service.Lambda, "2024-02-01T00:00:03.000Z " + requestID + " Task timed out after 3.00 seconds", "2024-02-01T00:00:03Z"},
		"Lambda report":                   {service.Lambda, "REPORT RequestId: " + requestID + "\tDuration: 46.84 ms", ""},
		"Lambda JSON":                     {service.Lambda, `{"timestamp":"2024-02-01T00:00:00.215Z","level":"INFO"}`, "2024-02-01T00:00:00.215Z"},
		"Lambda platform":                 {service.Lambda, `{"time":"2024-02-01T00:00:00.001Z","type":"platform.start"}`, "2024-02-01T00:00:00.001Z"},
		"Lambda, a time of its own":       {service.Lambda, "2024-02-01T00:00:00.001 hello", ""},
		"public hosted zone":              {service.Route53Public, "1.0 2017-12-13T08:16:02.130Z Z1 example.com A NOERROR UDP FRA6 192.0.2.1 -", "2017-12-13T08:16:02.130Z"},
		"SageMaker":                       {service.SageMaker, "2024-02-01 00:00:00,123 x INFO y", "2024-02-01T00:00:00.123Z"},
		"SageMaker model server":          {service.SageMaker, "2024-02-01T00:00:03,456 [INFO ] x", "2024-02-01T00:00:03.456Z"},
		"SageMaker, text":                 {service.SageMaker, "epoch=1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			clock := format.NewClock(tc.log)
			assert.Equal(t, at(t, tc.want), clock.Millis([]byte(tc.line)))
			assert.Equal(t, at(t, tc.want), clock.Millis([]byte(tc.line+"\r\n")))
		})
	}
}
