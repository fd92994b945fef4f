package forward

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/config"
	"sluice/internal/secret"
)

const (
	shopStream = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/shop-logs"
	shopSource = "arn:aws:kinesis:eu-west-1:123456789012:stream/shop"

	// arrived is when the records of these tests came to Firehose.
	arrived = 1_769_938_200_000 // 2026-02-01T09:30:00Z

	trailText = `{"eventVersion":"1.09","eventTime":"2026-02-01T09:29:10Z","eventSource":"sts.amazonaws.com","eventName":"AssumeRole",` +
		`"awsRegion":"eu-west-1","sourceIPAddress":"198.51.100.7","eventID":"%s","eventType":"AwsApiCall","recipientAccountId":"123456789012"}`
	aclText = `{"timestamp":1769938150000,"formatVersion":1,"webaclId":"arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/shop/0a1b",` +
		`"terminatingRuleId":"Default_Action","action":"ALLOW","nonTerminatingMatchingRules":[{"ruleId":"count-bots","action":"COUNT"}],` +
		`"httpRequest":{"clientIp":"198.51.100.7","headers":[{"name":"Host","value":"shop.example.com"},{"name":"Accept","value":"*/*"}],` +
		`"uri":"/","httpMethod":"GET"}}`
	flowText = "2 123456789012 eni-0a1b2c3d4e5f60718 192.0.2.10 198.51.100.7 44321 443 6 10 5200 1769938140 1769938199 ACCEPT OK"
)

var forms = []config.Output{config.OutputDatadog, config.OutputJSON, config.OutputMessage, config.OutputOriginal}

// newStreamRig wires the transformation of a delivery stream with these variables.
func newStreamRig(tb testing.TB, env map[string]string) *rig {
	tb.Helper()
	cfg, err := config.LoadTransform(tb.Context(), env, nil)
	require.NoError(tb, err)
	r := &rig{intake: &intake{}, s3: &fakeS3{}, sqs: &fakeQueue{}, now: start}
	outside := r.world(secret.NewStores(func(name string) string { return env[name] }, nil))
	r.Forwarder, err = build(tb.Context(), cfg, outside, Function{Name: "Sluice", Version: "$LATEST", Region: "eu-west-1", LogGroup: ownLogGroup})
	require.NoError(tb, err)
	r.Forwarder.now = time.Now // what deadlines are measured by; the clock of the items is the rig's
	return r
}

// newFormRig is newStreamRig with an output.
func newFormRig(tb testing.TB, form config.Output) *rig {
	tb.Helper()
	return newStreamRig(tb, map[string]string{"SLUICE_FIREHOSE_OUTPUT": string(form), "SLUICE_TAGS": "env:test"})
}

// put is a record that is put into the stream.
type put struct {
	id   string // empty: the element has none
	data []byte
	raw  string // the JSON value of data, in place of what data is in base64
	key  string // of the Kinesis stream
}

// puts are records with ids as Firehose makes them.
func puts(data ...[]byte) []put {
	list := make([]put, len(data))
	for i, d := range data {
		list[i] = put{id: recordID(i), data: d}
	}
	return list
}

func putTexts(texts ...string) []put {
	data := make([][]byte, len(texts))
	for i, text := range texts {
		data[i] = []byte(text)
	}
	return puts(data...)
}

func recordID(i int) string { return fmt.Sprintf("4964578%049d000000", i) }

// transformation makes the event of a batch. source is the Kinesis stream behind the delivery stream, or empty.
func transformationOf(source string, records []put) []byte {
	b := fmt.Appendf(nil, `{"invocationId":"00000000-0000-4000-8000-000000000002","deliveryStreamArn":%q,"region":"eu-west-1",`, shopStream)
	if source != "" {
		b = fmt.Appendf(b, `"sourceKinesisStreamArn":%q,`, source)
	}
	b = append(b, `"records":[`...)
	for i, r := range records {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		if r.id != "" {
			b = fmt.Appendf(b, `"recordId":%q,`, r.id)
		}
		if r.key != "" {
			b = fmt.Appendf(b, `"kinesisRecordMetadata":{"partitionKey":%q},`, r.key)
		}
		b = fmt.Appendf(b, `"approximateArrivalTimestamp":%d,"data":`, int64(arrived))
		if r.raw != "" {
			b = append(b, r.raw...)
		} else {
			b = append(base64.StdEncoding.AppendEncode(append(b, '"'), r.data), '"')
		}
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

// verdict is what an answer says of one record.
type verdict struct {
	ID       string  `json:"recordId"`
	Result   string  `json:"result"`
	Data     *[]byte `json:"data"` // encoding/json takes standard base64 only
	Metadata struct {
		Keys map[string]string `json:"partitionKeys"`
	} `json:"metadata"`
}

func (v verdict) text() string {
	if v.Data == nil {
		return ""
	}
	return string(*v.Data)
}

// verdicts reads an answer strictly: it has these members and no other.
func verdicts(tb testing.TB, answer string) []verdict {
	tb.Helper()
	var all struct {
		Records []verdict `json:"records"`
	}
	d := json.NewDecoder(strings.NewReader(answer))
	d.DisallowUnknownFields()
	require.NoError(tb, d.Decode(&all))
	require.Equal(tb, int64(len(answer)), d.InputOffset(), "one document and nothing behind it")
	require.NotNil(tb, all.Records, "records is a list")
	for _, v := range all.Records {
		switch v.Result {
		case "Ok":
			require.NotNil(tb, v.Data)
		case "Dropped", "ProcessingFailed":
			require.Nil(tb, v.Data, "no wasted bytes")
		default:
			require.Fail(tb, "no result", v.Result)
		}
	}
	return all.Records
}

// resultsOf are the results alone.
func resultsOf(all []verdict) []string {
	list := make([]string, len(all))
	for i, v := range all {
		list[i] = v.Result
	}
	return list
}

// transformAll answers a batch of which nothing may fail as a whole.
func (r *rig) transformAll(t *testing.T, records []put) ([]verdict, counts) {
	t.Helper()
	answer, ledger, err := r.invoke(t, Firehose, transformationOf("", records))
	require.NoError(t, err)
	require.LessOrEqual(t, len(answer), answerBudget)
	return verdicts(t, answer), ledger.Destinations[streamAccount]
}

// flowPayload is a subscription payload of a flow log; trail is a document of CloudTrail.
func flowPayload(lines ...string) []byte {
	b := []byte(`{"messageType":"DATA_MESSAGE","owner":"111122223333","logGroup":"/vpc/flow-logs","logStream":"eni-all",` +
		`"subscriptionFilters":["to-firehose"],"logEvents":[`)
	for i, line := range lines {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"id":"%056d","timestamp":%d,"message":%s}`, i, arrived-5_000+i, jsonText(line))
	}
	return append(b, "]}"...)
}

func jsonText(text string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a text always encodes
	return bytes.TrimSpace(b.Bytes())
}

func trail(ids ...string) []byte {
	var list []string
	for _, id := range ids {
		list = append(list, fmt.Sprintf(trailText, id))
	}
	return []byte(`{"Records":[` + strings.Join(list, ",") + `]}`)
}

const controlPayload = `{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"","logStream":"","subscriptionFilters":[],` +
	`"logEvents":[{"id":"","timestamp":1510254469274,"message":"CWL CONTROL MESSAGE: Checking health of destination Firehose."}]}`

// kinds is a batch with a record of each kind, by the names of the kinds.
func kinds(t *testing.T) (names []string, records []put) {
	t.Helper()
	add := func(name string, data []byte) {
		names = append(names, name)
		records = append(records, put{id: recordID(len(records)), data: data})
	}
	payload := flowPayload(flowText, "REJECT \"quoted\"\n")
	add("payload of CloudWatch Logs", packed(t, payload))
	add("the same, decompressed", payload)
	add("two payloads in two members", append(packed(t, flowPayload("one")), packed(t, flowPayload("two"))...))
	add("control message", packed(t, []byte(controlPayload)))
	add("control message between two payloads", packed(t, bytes.Join([][]byte{flowPayload("before"), []byte(controlPayload), flowPayload("behind")}, nil)))
	add("extracted message", []byte("START RequestId: 1\nEND RequestId: 1\n"))
	add("extracted control message", nil)
	add("flow log line", []byte(flowText))
	add("flow log line in JSON", []byte(`{"message":"`+flowText+`"}`))
	add("header of a flow log", []byte("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"))
	add("JSON", []byte(`{"level":"INFO", "text":"a <tag> & more"}`))
	add("two JSON values", []byte("{\"n\":1}{\"n\":2}\n"))
	add("CloudTrail", trail("0a1b", "2c3d"))
	add("WAF", []byte(aclText))
	add("text without an end", []byte("plain text"))
	add("text packed by its producer", packed(t, []byte("packed text\n")))
	add("bytes that are no UTF-8", []byte("caf\xe9\n"))
	add("only line ends", []byte("\n\n"))
	return names, records
}

// TestFirehoseForms shows what becomes of a record of each kind in each form.
func TestFirehoseForms(t *testing.T) {
	names, records := kinds(t)
	for _, form := range forms {
		t.Run(string(form), func(t *testing.T) {
			got, tally := newFormRig(t, form).transformAll(t, records)
			require.Len(t, got, len(records))
			var b bytes.Buffer
			for i, v := range got {
				fmt.Fprintf(&b, "== %s: %s\n%s", names[i], v.Result, v.readable(t))
			}
			fmt.Fprintf(&b, "== delivered %d, dropped %v, returned %v, marked %v\n", tally.Delivered, tally.Dropped, tally.Returned, tally.Marked)
			compare(t, "testdata/firehose/forms-"+string(form)+".txt", b.Bytes())
		})
	}
}

// readable is the text, unpacked if it is packed, ending in a line end.
func (v verdict) readable(t *testing.T) string {
	t.Helper()
	text := v.text()
	if strings.HasPrefix(text, "\x1f\x8b") {
		text = string(unpacked(t, []byte(text))) + " (packed)"
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += " (no line end)\n"
	}
	return text
}

func unpacked(tb testing.TB, data []byte) []byte {
	tb.Helper()
	gz, err := gzip.NewReader(bytes.NewReader(data))
	require.NoError(tb, err)
	plain, err := io.ReadAll(gz)
	require.NoError(tb, err)
	return plain
}

func TestFirehosePartitionKeys(t *testing.T) {
	noTime := put{id: recordID(0), raw: `"bm8gdGltZSBhdCBhbGw=","approximateArrivalTimestamp":null`} // the last one counts
	for name, tc := range map[string]struct {
		record put
		want   map[string]string
	}{
		"a payload says all of it": {
			putTexts(string(flowPayload(flowText)))[0],
			map[string]string{
				"source": "vpc", "service": "vpc", "account": "111122223333", "region": "eu-west-1", "log_group": "/vpc/flow-logs",
				"year": "2026", "month": "02", "day": "01", "hour": "09",
			},
		},
		"text says little, and came at some time": {
			putTexts("plain text")[0],
			map[string]string{
				"source": "firehose", "service": "firehose", "account": "unknown", "region": "eu-west-1", "log_group": "unknown",
				"year": "2026", "month": "02", "day": "01", "hour": "09",
			},
		},
		"the first line that is kept counts": {
			putTexts("\n" + strings.ReplaceAll(flowText, "1769938199", "1735689600") + "\n" + flowText)[0],
			map[string]string{
				"source": "vpc", "service": "vpc", "account": "unknown", "region": "eu-west-1", "log_group": "unknown",
				"year": "2025", "month": "01", "day": "01", "hour": "00",
			},
		},
		"a record without any time": {
			noTime,
			map[string]string{
				"source": "firehose", "service": "firehose", "account": "unknown", "region": "eu-west-1", "log_group": "unknown",
				"year": "unknown", "month": "unknown", "day": "unknown", "hour": "unknown",
			},
		},
	} {
		for _, form := range forms {
			t.Run(name+", "+string(form), func(t *testing.T) {
				r := newStreamRig(t, map[string]string{
					"SLUICE_FIREHOSE_OUTPUT":         string(form),
					"SLUICE_FIREHOSE_PARTITION_KEYS": "source,service,account,region,log_group,year,month,day,hour",
				})
				got, _ := r.transformAll(t, []put{tc.record, putTexts("\n", "\n")[1]})
				require.Equal(t, []string{"Ok", "Dropped"}, resultsOf(got))
				assert.Equal(t, tc.want, got[0].Metadata.Keys)
				assert.Nil(t, got[1].Metadata.Keys, "what is dropped is in no partition")
			})
		}
	}
}

// A record that is no payload of CloudWatch Logs has ids of its own, the time at which it came unless it states one, and
// the tags of the settings.
func TestFirehoseItems(t *testing.T) {
	for form, want := range map[config.Output]map[string]any{
		config.OutputDatadog: {
			"timestamp": float64(arrived), "message": "plain text", "ddsource": "firehose", "service": "firehose",
			"ddtags": "env:test,forwardername:sluice,forwarder_version:" + Version,
		},
		config.OutputJSON: {"message": "plain text", "source": "firehose", "service": "firehose"},
	} {
		t.Run(string(form), func(t *testing.T) {
			r := newFormRig(t, form)
			got, _ := r.transformAll(t, putTexts("plain text\nother", "plain text", flowText))
			again, _ := newFormRig(t, form).transformAll(t, putTexts("plain text\nother", "plain text", flowText))
			assert.Equal(t, got, again, "the same batch gives the same ids")
			ids := map[any]bool{}
			for _, v := range got {
				for _, item := range itemsOf(t, v.text()) {
					ids[item["id"]] = true
				}
			}
			assert.Len(t, ids, 4, "no two lines have the same id")
			item := itemsOf(t, got[0].text())[0]
			for member, value := range want {
				assert.Equal(t, value, item[member], member)
			}
			assert.Contains(t, got[0].text(), "env:test")
			assert.Contains(t, got[1].text(), "firehose")
			assert.Contains(t, got[2].text(), "vpc")
		})
	}
}

// itemsOf are the JSON objects of a text, one a line.
func itemsOf(tb testing.TB, text string) (items []map[string]any) {
	tb.Helper()
	for line := range strings.Lines(text) {
		require.True(tb, strings.HasSuffix(line, "\n"), "every line has its end")
		var item map[string]any
		require.NoError(tb, json.Unmarshal([]byte(line), &item))
		items = append(items, item)
	}
	return items
}
