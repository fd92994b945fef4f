// Package oracle holds our Datadog bodies against the official client's own types.
//
// It is a module of its own because compiling those types takes minutes and gigabytes: the functions must not depend on
// them, and neither must the usual tests. Run it with make oracle.
package oracle

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/compress"
	"sluice/internal/destination/datadog"
	"sluice/internal/event"
	"sluice/internal/process"
	"sluice/internal/record"
	"sluice/internal/source/cloudwatch"
)

// TestItems encodes the log events of every sample event for CloudWatch Logs and reads them back with the client's type:
// it has to understand each item, and lose nothing of it.
func TestItems(t *testing.T) {
	files, err := filepath.Glob("../events/cloudwatch-*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	read := 0
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			for _, item := range items(t, file) {
				var got datadogV2.HTTPLogItem
				require.NoError(t, json.Unmarshal(item, &got))
				require.Nil(t, got.UnparsedObject, "the client does not understand the item")
				assert.NotNil(t, got.Ddsource)
				assert.NotNil(t, got.Ddtags)
				assert.NotNil(t, got.Service)
				again, err := json.Marshal(got)
				require.NoError(t, err)
				assert.JSONEq(t, string(item), string(again))
				read++
			}
		})
	}
	require.Greater(t, read, len(files)-2, "items that were read")
}

// items encodes the log events in a sample event.
func items(t *testing.T, file string) [][]byte {
	t.Helper()
	payload, err := os.ReadFile(file)
	require.NoError(t, err)
	encoded, err := event.AwsLogsData(payload)
	require.NoError(t, err)
	packed, err := event.DecodeBase64(nil, encoded)
	require.NoError(t, err)
	var gunzip compress.Gunzip
	require.NoError(t, gunzip.Reset(packed, 1<<20))
	plain, err := io.ReadAll(&gunzip)
	require.NoError(t, err)

	dest := datadog.New(datadog.Options{ID: "datadog", Now: time.Now})
	processor := process.New(process.Rules{Tags: record.ParseTags("env:prod"), ForwarderName: "sluice", ForwarderVersion: "0"})
	base := &record.Origin{Region: "eu-west-1", FunctionARN: "arn:aws:lambda:eu-west-1:123456789012:function:sluice"}
	var all [][]byte
	var decoder cloudwatch.Decoder
	for r, err := range decoder.Records(bytes.NewReader(plain), base) {
		require.NoError(t, err)
		kept, _ := processor.Apply(r)
		for _, r := range kept {
			all = append(all, dest.Append(nil, r))
		}
	}
	return all
}
