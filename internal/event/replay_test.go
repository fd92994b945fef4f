package event_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/event"
)

func TestParseReplay(t *testing.T) {
	for name, tc := range map[string]struct {
		raw  string
		want event.Replay
	}{
		"the schedule":                {`{}`, event.Replay{}},
		"the schedule of EventBridge": {string(load(t, "eventbridge-guardduty")), event.Replay{}},
		"anything":                    {`"anything"`, event.Replay{}},
		"null":                        {`null`, event.Replay{}},
		"nothing":                     {``, event.Replay{}},
		"a list":                      {`[{"replay":{"state":"dead"}}]`, event.Replay{}},
		"replay further inside":       {`{"source":"a","detail-type":"b","detail":{"replay":{"state":"dead"}}}`, event.Replay{}},
		"the schedule of Scheduler":   {`{"version":"0","id":"00000000-0000-4000-8000-000000000001","detail-type":"Scheduled Event","source":"aws.scheduler","account":"123456789012","time":"2026-02-01T09:30:00Z","region":"eu-west-1","resources":["arn:aws:scheduler:eu-west-1:123456789012:schedule/a/b"],"detail":"{}"}`, event.Replay{}},
		"more than EventBridge has":   {`{"new":1,"source":"a","detail-type":"b"}`, event.Replay{}},
		"no wishes":                   {`{"replay":{}}`, event.Replay{State: event.StatePending}},
		"in white space":              {" \n{\"replay\" : { } }\n", event.Replay{State: event.StatePending}},
		"all empty":                   {`{"replay":{"dest":"","state":"","reason":"","limit":0,"dry_run":false,"all":false,"from":""}}`, event.Replay{State: event.StatePending}},
		"all null":                    {`{"replay":{"dest":null,"state":null,"reason":null,"limit":null,"dry_run":null,"all":null,"from":null}}`, event.Replay{State: event.StatePending}},
		"all there is": {
			`{"replay":{"dest":"dd-main","state":"pending","reason":"http_503","limit":7,"dry_run":true,"all":true}}`,
			event.Replay{State: event.StatePending, Dest: "dd-main", Reason: "http_503", Limit: 7, DryRun: true, All: true},
		},
		"dead is a dry run":             {`{"replay":{"state":"dead"}}`, event.Replay{State: event.StateDead, DryRun: true}},
		"dead in earnest":               {`{"replay":{"state":"dead","dry_run":false}}`, event.Replay{State: event.StateDead}},
		"dead with dry_run null":        {`{"replay":{"dry_run":null,"state":"dead"}}`, event.Replay{State: event.StateDead, DryRun: true}},
		"dead-raw is a dry run":         {`{"replay":{"state":"dead-raw"}}`, event.Replay{State: event.StateDeadRaw, DryRun: true}},
		"dead-raw in earnest":           {`{"replay":{"dry_run":false,"state":"dead-raw"}}`, event.Replay{State: event.StateDeadRaw}},
		"failures":                      {`{"replay":{"state":"failures"}}`, event.Replay{State: event.StateFailures}},
		"failures as a dry run":         {`{"replay":{"state":"failures","dry_run":true}}`, event.Replay{State: event.StateFailures, DryRun: true}},
		"beside other members":          {`{"version":"0","replay":{"limit":1},"source":"x","detail-type":"y"}`, event.Replay{State: event.StatePending, Limit: 1}},
		"names with escapes":            {`{"re\u0070lay":{"st\u0061te":"de\u0061d"}}`, event.Replay{State: event.StateDead, DryRun: true}},
		"the longest destination":       {`{"replay":{"dest":"` + strings.Repeat("d", 32) + `"}}`, event.Replay{State: event.StatePending, Dest: strings.Repeat("d", 32)}},
		"the longest reason":            {`{"replay":{"reason":"` + strings.Repeat("r", 40) + `"}}`, event.Replay{State: event.StatePending, Reason: strings.Repeat("r", 40)}},
		"failed events of Datadog":      {`{"replay":{"state":"failed-events","from":"s3://logs/failed_events/"}}`, event.Replay{State: event.StateFailedEvents, From: event.S3Location{Bucket: "logs", Prefix: "failed_events/"}}},
		"failed events, for one":        {`{"replay":{"from":"s3://logs/a","state":"failed-events","dest":"a","limit":1}}`, event.Replay{State: event.StateFailedEvents, Dest: "a", Limit: 1, From: event.S3Location{Bucket: "logs", Prefix: "a"}}},
		"failed events, the path as is": {`{"replay":{"from":"s3://logs//a%20b+c","state":"failed-events"}}`, event.Replay{State: event.StateFailedEvents, From: event.S3Location{Bucket: "logs", Prefix: "/a%20b+c"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := event.ParseReplay([]byte(tc.raw))
			require.NoError(t, err)
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestReplayThatIsNotAllowed(t *testing.T) {
	for name, tc := range map[string]struct{ wish, err string }{
		"unknown member":            {`{"dest":"a","dryrun":true}`, `replay has the unknown member "dryrun": expected dest, state, reason, limit, dry_run, all or from`},
		"unknown spelling":          {`{"Dest":"a"}`, `unknown member "Dest"`},
		"unknown without a name":    {`{"":1}`, `unknown member ""`},
		"unknown that would flood":  {`{"` + strings.Repeat("x", 500) + `":1}`, `unknown member "` + strings.Repeat("x", 40) + `":`},
		"two unknown members":       {`{"b":1,"c":2}`, "unknown member \"b\": expected dest, state, reason, limit, dry_run, all or from\nreplay has the unknown member \"c\""},
		"a member twice":            {`{"dry_run":true,"dry_run":false}`, "replay.dry_run stands twice"},
		"no object":                 {`true`, "replay: json at byte 0 of 4: expected an object"},
		"null":                      {`null`, "expected an object"},
		"a list":                    {`[]`, "expected an object"},
		"destination in upper case": {`{"dest":"A"}`, `replay.dest is "A": expected 1 to 32 of a-z, 0-9 and '-'`},
		"destination is a path":     {`{"dest":"../a"}`, "replay.dest is"},
		"destination of 33":         {`{"dest":"` + strings.Repeat("d", 33) + `"}`, "replay.dest is"},
		"destination is a number":   {`{"dest":1}`, "replay.dest is no text"},
		"unknown state":             {`{"state":"gone"}`, `replay.state is "gone": expected one of ["pending" "dead" "dead-raw" "failures" "failed-events"]`},
		"state in upper case":       {`{"state":"DEAD"}`, "replay.state is"},
		"state of a list":           {`{"state":["dead"]}`, "replay.state is no text"},
		"reason with a dash":        {`{"reason":"http-503"}`, `replay.reason is "http-503": expected 1 to 40 of a-z, 0-9 and '_'`},
		"reason of 41":              {`{"reason":"` + strings.Repeat("r", 41) + `"}`, "replay.reason is"},
		"limit below zero":          {`{"limit":-1}`, `replay.limit is "-1": expected a whole number, 0 or more`},
		"limit with a fraction":     {`{"limit":1.0}`, "replay.limit is"},
		"limit as a text":           {`{"limit":"1"}`, "replay.limit is"},
		"limit that does not fit":   {`{"limit":99999999999999999999}`, "replay.limit is"},
		"dry_run as a text":         {`{"dry_run":"false"}`, `replay.dry_run is "\"false\"": expected true or false`},
		"dry_run as a number":       {`{"dry_run":0}`, "replay.dry_run is"},
		"all as a text":             {`{"all":"true"}`, "replay.all is"},
		"from without its state":    {`{"from":"s3://logs/a"}`, `replay.from is for the state "failed-events" alone`},
		"from with another state":   {`{"from":"s3://logs/a","state":"failures"}`, `replay.from is for the state "failed-events" alone`},
		"failed events of nowhere":  {`{"state":"failed-events"}`, "replay.from is missing"},
		"from a whole bucket":       {`{"state":"failed-events","from":"s3://logs/"}`, `replay.from is "s3://logs/": expected s3://bucket/prefix`},
		"from a bucket alone":       {`{"state":"failed-events","from":"s3://logs"}`, "replay.from is"},
		"from no bucket":            {`{"state":"failed-events","from":"s3:///a"}`, "replay.from is"},
		"from what is no bucket":    {`{"state":"failed-events","from":"s3://a b/c"}`, `replay.from is "s3://a b/c": expected a bucket's name of 3 to 63 letters`},
		"from a short bucket":       {`{"state":"failed-events","from":"s3://x/y"}`, `replay.from is "s3://x/y": expected a bucket's name of 3 to 63 letters, digits, dots and hyphens`},
		"from the web":              {`{"state":"failed-events","from":"https://logs/a"}`, "replay.from is"},
		"from a path":               {`{"state":"failed-events","from":"logs/a"}`, "replay.from is"},
		"from too far":              {`{"state":"failed-events","from":"s3://logs/` + strings.Repeat("a", 1025) + `"}`, "replay.from is"},
		"from a number":             {`{"state":"failed-events","from":1}`, "replay.from is no text"},
		"several things at once":    {`{"limit":-1,"dest":"A","reason":"R"}`, "replay.limit"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := event.ParseReplay([]byte(`{"replay":` + tc.wish + `}`))
			require.ErrorContains(t, err, tc.err)
			assert.Empty(t, got)
			assert.Less(t, len(err.Error()), 400)
		})
	}
	for raw, want := range map[string]string{
		`{"Replay":{"state":"dead"}}`:                  `event has "Replay": write "replay"`,
		`{"state":"dead"}`:                             `event has the unknown member "state": expected {"replay":{…}}`,
		`{"replay":{},"dry_run":true}`:                 `unknown member "dry_run"`,
		`{"a":1,"state":"dead"}`:                       `unknown member "a"`,
		`{"":1}`:                                       `unknown member ""`,
		`{"source":"x","state":"dead"}`:                `unknown member "source"`,
		`{"detail-type":"x","state":"dead"}`:           `unknown member "detail-type"`,
		`{"detail":{"replay":{"state":"dead"}}}`:       `unknown member "detail"`,
		`{"` + strings.Repeat("x", 500) + `":1}`:       `unknown member "` + strings.Repeat("x", 40) + `":`,
		`{"replay":{"dry_run":true},"replay":{}}`:      `event has "replay" twice`,
		`{"replay":{"state":"dead"`:                    "the replay event of 25 bytes is not JSON",
		`{"replay":{"state":"dead"}} {"x":1}`:          "is not JSON",
		`{"replay":{"limit":-1,"dest":"A","all":1}}`:   "replay.dest",
		`{"replay":{"limit":-1,"dest":"A","all":1 }}`:  "replay.all",
		`{"replay":{"limit":-1,"dest":"A","all":1  }}`: "replay.limit",
	} {
		got, err := event.ParseReplay([]byte(raw))
		require.ErrorContains(t, err, want)
		assert.Empty(t, got)
	}
}

func TestErrorOfAReplayIsBounded(t *testing.T) {
	var wish strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&wish, `"x%d":1,`, i)
	}
	_, err := event.ParseReplay([]byte(`{"replay":{` + strings.TrimSuffix(wish.String(), ",") + `}}`))
	require.ErrorContains(t, err, `"x0"`)
	assert.Equal(t, 16, strings.Count(err.Error(), "unknown member"))
}

// FuzzParseReplay holds the reader to a strict decoder: what is taken has no unknown member, and means the same.
func FuzzParseReplay(f *testing.F) {
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"replay":{}}`))
	f.Add([]byte(`{"replay":{"dest":"dd-main","state":"dead","reason":"http_503","limit":7,"dry_run":false,"all":true}}`))
	f.Add([]byte(`{"replay":{"state":"failed-events","from":"s3://logs/failed_events/"}}`))
	f.Add([]byte(`{"replay":{"state":"dead-raw","Limit":1}}`))
	f.Add([]byte(`{"state":"dead"}`))
	f.Add([]byte(`{"detail-type":"Scheduled Event","source":"aws.events"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := event.ParseReplay(raw)
		if err != nil {
			assert.Empty(t, got)
			return
		}
		var outer map[string]json.RawMessage
		if json.Unmarshal(raw, &outer) != nil || outer["replay"] == nil {
			assert.Empty(t, got, "a scheduled event has no wishes")
			assert.True(t, len(outer) == 0 || outer["detail-type"] != nil && outer["source"] != nil)
			return
		}
		var all map[string]any
		require.NoError(t, json.Unmarshal(outer["replay"], &all))
		for name := range all {
			assert.Contains(t, []string{"dest", "state", "reason", "limit", "dry_run", "all", "from"}, name)
		}
		assert.Contains(t, []event.State{"pending", "dead", "dead-raw", "failures", "failed-events"}, got.State)
		assert.Regexp(t, `^[a-z0-9-]{0,32}$`, got.Dest)
		assert.Regexp(t, `^[a-z0-9_]{0,40}$`, got.Reason)
		assert.GreaterOrEqual(t, got.Limit, 0)
		assert.Equal(t, got.State == event.StateFailedEvents, got.From != event.S3Location{})
		dry, said := all["dry_run"].(bool)
		assert.Equal(t, got.DryRun, said && dry || !said && strings.HasPrefix(string(got.State), "dead"))
	})
}
