package ledger_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"sluice/internal/ledger"
)

func TestGauges(t *testing.T) {
	g := ledger.Gauges{PendingObjects: 3, PendingOldest: 90*time.Second + 500*time.Millisecond, DeadObjects: 2}
	line, ended := strings.CutSuffix(string(g.AppendEMF(nil, "replay", time.UnixMilli(1_700_000_000_000))), "\n")
	assert.True(t, ended)
	assert.JSONEq(t, `{"_aws":{"Timestamp":1700000000000,"CloudWatchMetrics":[{"Namespace":"Sluice","Dimensions":[["FunctionName"]],`+
		`"Metrics":[{"Name":"PendingObjects","Unit":"Count"},{"Name":"PendingOldestSeconds","Unit":"Seconds"},`+
		`{"Name":"DeadObjects","Unit":"Count"}]}]},"FunctionName":"replay","PendingObjects":3,"PendingOldestSeconds":90.5,"DeadObjects":2}`, line)
}
