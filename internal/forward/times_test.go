package forward

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

const (
	oldFlow    = "2 123456789012 eni-0abc 192.0.2.7 198.51.100.9 443 49152 6 10 840 1418530010 1418530070 ACCEPT OK"
	oldTime    = "2014-12-14T04:07:50.000Z"
	arrivedAt  = "2026-02-01T09:59:00.123Z" // of what batchOf makes
	customFlow = "192.0.2.1 198.51.100.2 1706745600 1706745660 eni-1"
	customTime = "2024-02-01T00:01:00.000Z"
	albFlow    = `https 2024-02-01T00:00:05.812345Z shop 192.0.2.1:1`
)

// timesOf are the times that lines are sent with, by their texts; nil for none.
func timesOf(t *testing.T, r *rig) map[string]any {
	t.Helper()
	times := map[string]any{}
	for _, item := range r.intake.items(t, archiveHost) {
		times[item["message"].(string)] = item["time"]
	}
	return times
}

// The log and the columns that a route names tell the time of lines, whatever way these come.
func TestRouteTellsTheTime(t *testing.T) {
	const flow = `log: vpc-flow, columns: 'srcaddr dstaddr start end interface-id'`
	type times = map[string]any
	for name, tc := range map[string]struct {
		settings, body string
		want           times // nil stands for that of the way
	}{
		"no route":                    {"", customFlow, times{customFlow: nil}},
		"columns of flow logs":        {flow, customFlow + "\n" + customFlow + " more\nother\n", times{customFlow: customTime, customFlow + " more": customTime, "other": nil}},
		"log alone":                   {"log: alb", albFlow, times{albFlow: "2024-02-01T00:00:05.812Z"}},
		"log in place of what it is":  {"log: alb", oldFlow + "\n" + albFlow, times{oldFlow: nil, albFlow: "2024-02-01T00:00:05.812Z"}},
		"columns of what it is":       {"columns: 'version a b c d e f g h i end'", oldFlow, times{oldFlow: "2014-12-14T04:06:50.000Z"}},
		"header is better":            {flow, "srcaddr end\n192.0.2.1 1706745660", times{"192.0.2.1 1706745660": customTime}},
		"header of a log that is set": {"log: vpc-flow", "x-a start\nsrcaddr end\n192.0.2.1 1706745660", times{"x-a start": nil, "192.0.2.1 1706745660": customTime}},
		"real-time log":               {"log: cloudfront-realtime, columns: 'c-ip timestamp'", "192.0.2.1\t1706745600.215", times{"192.0.2.1\t1706745600.215": "2024-02-01T00:00:00.215Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			for way, arrival := range map[string]any{"bucket": nil, "stream": arrivedAt} {
				document := httpWith("")
				if tc.settings != "" {
					document = with(`routes: [{`+way+`: '*', `+tc.settings+`}]`, document)
				}
				r := newRig(t, document)
				var err error
				if way == "bucket" {
					_, _, err = r.invoke(t, S3, inQueue(native(r.s3.put(logBucket, "a.log", []byte(tc.body)))))
				} else {
					_, _, err = r.invoke(t, Kinesis, batchOf([]byte(tc.body)))
				}
				require.NoError(t, err)
				want := times{}
				for text, at := range tc.want {
					if want[text] = at; at == nil {
						want[text] = arrival
					}
				}
				assert.Equal(t, want, timesOf(t, r), way)
			}
		})
	}
}

// A delivery stream's records have the times that a route tells, too.
func TestRouteTellsTheTimeInAStream(t *testing.T) {
	s := newStreamRig(t, map[string]string{
		"SLUICE_FIREHOSE_OUTPUT": "json",
		"SLUICE_CONFIG":          "routes: [{stream: '*', log: vpc-flow, columns: 'srcaddr dstaddr start end interface-id'}]",
	})
	answer, _, err := s.invoke(t, Firehose, transformationOf("", putTexts(customFlow, customFlow)))
	require.NoError(t, err)
	for _, v := range verdicts(t, answer) {
		var item struct{ Time string }
		require.NoError(t, json.Unmarshal([]byte(v.text()), &item))
		assert.Equal(t, customTime, item.Time)
	}
}

// A line in a Kinesis stream has the time that it states, and else the one at which the stream took it.
func TestKinesisTimes(t *testing.T) {
	type times = map[string]any
	const trail = `{"eventVersion":"1.08","eventTime":"2024-02-01T00:00:00Z","eventID":"1","awsRegion":"eu-west-1"}`
	for name, tc := range map[string]struct {
		records [][]byte
		want    times
	}{
		"plain text":            {[][]byte{[]byte("x\ny")}, times{"x": arrivedAt, "y": arrivedAt}},
		"flow log of 2014":      {[][]byte{[]byte(oldFlow)}, times{oldFlow: oldTime}},
		"line that says none":   {[][]byte{[]byte(oldFlow + "\nother")}, times{oldFlow: oldTime, "other": arrivedAt}},
		"packed":                {[][]byte{packed(t, []byte(oldFlow+"\n"+strings.Repeat("y", 200_000)))}, times{oldFlow: oldTime, strings.Repeat("y", 200_000): arrivedAt}},
		"aggregate":             {[][]byte{aggregate([]byte("x"), []byte(oldFlow), []byte(trail))}, times{"x": arrivedAt, oldFlow: oldTime, trail: "2024-02-01T00:00:00.000Z"}},
		"each its own":          {[][]byte{[]byte(trail), []byte("x"), []byte(oldFlow)}, times{trail: "2024-02-01T00:00:00.000Z", "x": arrivedAt, oldFlow: oldTime}},
		"behind an empty line":  {[][]byte{[]byte("\r\n" + oldFlow)}, times{oldFlow: oldTime}},
		"behind a mark":         {[][]byte{[]byte("\uFEFF" + oldFlow), packed(t, []byte("\uFEFF"+oldFlow+" "))}, times{oldFlow: oldTime, oldFlow + " ": oldTime}},
		"header":                {[][]byte{[]byte("srcaddr dstaddr end log-status\n192.0.2.1 192.0.2.2 1706745660 OK")}, times{"192.0.2.1 192.0.2.2 1706745660 OK": customTime}},
		"header of another one": {[][]byte{[]byte("srcaddr dstaddr end log-status\n"), []byte(oldFlow)}, times{oldFlow: oldTime}},
		"subscription":          {[][]byte{packed(t, document(t, oldFlow))}, times{oldFlow: "2026-02-01T09:59:59.000Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, httpWith(""))
			_, _, err := r.invoke(t, Kinesis, batchOf(tc.records...))
			require.NoError(t, err)
			assert.Equal(t, tc.want, timesOf(t, r))
		})
	}
}

// What a line of a stream says of its age counts for Datadog as that of any other line.
func TestKinesisOldLines(t *testing.T) {
	const millis = float64(1418530070_000)
	for name, tc := range map[string]struct {
		settings                       string
		timestamp, eventTime, lateness any
	}{
		"usual": {"", nil, millis, true},
		"sent":  {"late: send", millis, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, datadogWith(tc.settings))
			_, _, err := r.invoke(t, Kinesis, batchOf([]byte(oldFlow+"\nnow")))
			require.NoError(t, err)
			items := r.intake.items(t, datadogHost)
			require.Len(t, items, 2)
			assert.Equal(t, tc.timestamp, items[0]["timestamp"])
			assert.Equal(t, tc.eventTime, items[0]["event_time"])
			assert.Equal(t, tc.lateness, strings.Contains(items[0]["ddtags"].(string), "late:true"))
			assert.InDelta(t, float64(start.UnixMilli()-60_000+123), items[1]["timestamp"], 0)
			assert.NotContains(t, items[1]["ddtags"], "late:true")
		})
	}
}

// A byte order mark opens a text. Any other one is a part of its line, wherever a text that is unpacked is cut.
func TestKinesisByteOrderMarks(t *testing.T) {
	const lines = 100_000
	text := strings.Repeat("\uFEFFx\n", lines)
	for name, data := range map[string][]byte{"plain": []byte(text), "packed": packed(t, []byte(text))} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, httpWith(""))
			_, ledger, err := r.invoke(t, Kinesis, []byte(strings.ReplaceAll(string(batchOf(nil)), `"data":""`, `"data":"`+base64.StdEncoding.EncodeToString(data)+`"`)))
			require.NoError(t, err)
			counts := map[string]int{}
			for _, message := range r.intake.messages(t, archiveHost) {
				counts[message]++
			}
			assert.Equal(t, map[string]int{"x": 1, "\uFEFFx": lines - 1}, counts)
			assert.Equal(t, lines, ledger.Destinations["archive"].Delivered)
		})
	}
}

// Routes are tried once for a log in a stream, however many user records it has.
func TestStreamLogsAskRoutesOnce(t *testing.T) {
	asked := 0
	r := newRig(t, httpWith(""))
	r.objects.routes = routes{{match: func(*record.Origin) bool {
		asked++
		return false
	}}}
	_, _, err := r.invoke(t, Kinesis, batchOf([]byte(oldFlow), []byte("x\ny"), []byte(oldFlow+"\n"+oldFlow), []byte("z")))
	require.NoError(t, err)
	assert.Equal(t, 2, asked)
}

// How the lines of a stream are joined goes by the source that was found, also when the settings have replaced it since.
func TestStreamJoinsByTheSourceFound(t *testing.T) {
	r := newRig(t, with("source: other, routes: [{from_source: kinesis, multiline_start: start}]", httpWith("")))
	_, _, err := r.invoke(t, Kinesis, batchOf([]byte("start 1\n one"), []byte("start 2\n two"), []byte(oldFlow+"\nstart\n three")))
	require.NoError(t, err)
	assert.Equal(t, []string{"start 1\n one", "start 2\n two", oldFlow, "start", " three"}, r.intake.messages(t, archiveHost))
}
