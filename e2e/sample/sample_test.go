package sample

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/generate"
)

var (
	eventsDir  = filepath.Join("..", "..", "events")
	objectsDir = filepath.Join("..", "..", "internal", "forward", "testdata", "objects")
)

func TestFilesAreInTheEventsFolder(t *testing.T) {
	files, err := Files()
	require.NoError(t, err)
	for _, f := range files {
		t.Run(f.Name, func(t *testing.T) {
			body, err := os.ReadFile(filepath.Join(eventsDir, f.Name))
			require.NoError(t, err, "write it with go generate ./sample")
			assert.Equal(t, string(f.Body), string(body), "write it again with go generate ./sample")
		})
	}
}

func TestObjectsAreInTheirFolder(t *testing.T) {
	var index []objectFile
	for _, o := range Objects() {
		t.Run(o.Key, func(t *testing.T) {
			f := o.file()
			body, err := os.ReadFile(filepath.Join(objectsDir, f.File))
			require.NoError(t, err, "write it with go generate ./sample")
			assert.Equal(t, o.Body, body, "write it again with go generate ./sample")
			index = append(index, f)
		})
	}
	body, err := os.ReadFile(filepath.Join(objectsDir, indexFile))
	require.NoError(t, err)
	var got []objectFile
	require.NoError(t, json.Unmarshal(body, &got))
	assert.Equal(t, index, got)
}

// An object is announced as it is, by whatever way.
func TestObjectsAreAnnounced(t *testing.T) {
	files, err := announcements()
	require.NoError(t, err)
	var all strings.Builder
	for _, f := range files {
		assert.True(t, announcesObjects(f.Body), f.Name)
		all.Write(f.Body)
	}
	for _, o := range Objects() {
		assert.Contains(t, all.String(), o.Bucket)
		if o.Key != backup.Key && o.Key != frontLog.Key { // of tasks, which know no ETag
			assert.Contains(t, all.String(), o.ETag(), o.Key)
		}
	}
}

func TestRead(t *testing.T) {
	events, err := Read(eventsDir)
	require.NoError(t, err)
	type shape struct {
		lines, records int
		rule           string // of the last line
	}
	got := map[string]shape{}
	for _, e := range events {
		got[e.Name] = shape{len(e.Lines), len(e.Records), e.Lines[len(e.Lines)-1].Rule}
		assert.Equal(t, e.Stream, len(e.Records) > 0)
	}
	assert.NotContains(t, got, "s3-put.json", "it holds no lines")
	assert.NotContains(t, got, "firehose-direct-put.json", "its lines go back where they came from")
	for name, want := range map[string]shape{
		"cloudwatch-lambda.json":                {lines: 5},
		"cloudwatch-vpc-flow.json":              {lines: 3},
		"cloudwatch-control.json":               {lines: 1, rule: generate.RuleControlMessage},
		"cloudwatch-rds-postgresql.json":        {lines: 4},
		"cloudwatch-eks-audit.json":             {lines: 2},
		"cloudwatch-cloudtrail.json":            {lines: 2},
		"cloudwatch-ddtags.json":                {lines: 2},
		"cloudwatch-waf.json":                   {lines: 1},
		"cloudwatch-stepfunctions.json":         {lines: 2},
		"cloudwatch-mysql-slow.json":            {lines: 1},
		"cloudwatch-msk-connect.json":           {lines: 1},
		"cloudwatch-api-gateway.json":           {lines: 1},
		"cloudwatch-elasticache-slow.json":      {lines: 1},
		"kinesis-cloudwatch-cross-account.json": {lines: 3, records: 3, rule: generate.RuleControlMessage},
		"kinesis-plain-lines.json":              {lines: 3, records: 3},
		"kinesis-kpl-aggregate.json":            {lines: 4, records: 2},
	} {
		assert.Equal(t, want, got[name], name)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ body, err string }{
		"no JSON":                  {`{`, "decode"},
		"an event of another kind": {`{"detail":{}}`, "not an event of these functions"},
		"a broken gzip payload":    {`{"awslogs":{"data":"H4sIAAAAAAAA"}}`, "gunzip"},
		"a broken aggregate":       {`{"Records":[{"eventID":"s:1","kinesis":{"data":"84mawgA="}}]}`, "record s:1: aggregate without a checksum"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse("x.json", []byte(tc.body))
			assert.ErrorContains(t, err, tc.err)
		})
	}
}

func TestAggregateRoundTrip(t *testing.T) {
	want := [][]byte{[]byte("one"), {}, make([]byte, 300)}
	packed := Aggregate("key", want...)
	got, err := userRecords(packed)
	require.NoError(t, err)
	assert.Equal(t, want, got)

	packed[8] ^= 1
	_, err = userRecords(packed)
	assert.ErrorContains(t, err, "wrong checksum")
}
