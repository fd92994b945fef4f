package forward

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/config"
	"sluice/internal/event"
	"sluice/internal/record"
)

// Results, for tables.
const (
	ok      = "Ok"
	dropped = "Dropped"
	failed  = "ProcessingFailed"
)

// TestFirehoseBadRecords puts a bad record between two good ones: it costs nobody but itself.
func TestFirehoseBadRecords(t *testing.T) {
	good := packed(t, flowPayload(flowText))
	torn := good[:len(good)-9]
	sum := bytes.Clone(good)
	sum[len(sum)-6] ^= 1
	own := bytes.ReplaceAll(flowPayload("ours"), []byte("/vpc/flow-logs"), []byte(ownLogGroup))
	own = bytes.ReplaceAll(own, []byte("111122223333"), []byte("123456789012"))
	type tally = map[string]int
	none := tally{}
	for name, tc := range map[string]struct {
		bad               put
		want              string // result; empty: no answer
		dropped, returned tally
	}{
		"not base64":                         {put{id: "x", raw: `"*"`}, failed, none, tally{"decode": 1}},
		"data is a number":                   {put{id: "x", raw: "42"}, failed, none, tally{"decode": 1}},
		"data is null":                       {put{id: "x", raw: "null"}, dropped, tally{"empty_line": 1}, none},
		"gzip that is cut short":             {put{id: "x", data: torn}, failed, none, tally{"corrupt": 1}},
		"gzip with a wrong checksum":         {put{id: "x", data: sum}, failed, none, tally{"corrupt": 1}},
		"a payload that is cut short":        {put{id: "x", data: flowPayload("one")[:160]}, failed, none, tally{"undecodable": 1}},
		"a good payload, then a broken one":  {put{id: "x", data: append(flowPayload("one"), flowPayload("two")[:160]...)}, failed, none, tally{"undecodable": 1}},
		"more than may be inflated":          {put{id: "x", data: packed(t, bytes.Repeat([]byte("\n"), 3<<20))}, failed, none, tally{"too_large": 1}},
		"a Parquet file":                     {put{id: "x", data: []byte("PAR1\x15\x04\x15")}, failed, none, tally{"parquet": 1}},
		"no id":                              {put{data: []byte("line")}, "", none, tally{"no_record_id": 1}},
		"the id of the one before":           {put{id: recordID(0), data: []byte("line")}, "", none, tally{"duplicate_record_id": 1}},
		"our own log":                        {put{id: "x", data: own}, dropped, tally{"own_log_group": 1}, none},
		"a payload without events":           {put{id: "x", data: flowPayload()}, dropped, tally{"empty_line": 1}, none},
		"a message type that nobody knows":   {put{id: "x", data: bytes.ReplaceAll(flowPayload("one"), []byte("DATA_M"), []byte("NEW_M"))}, failed, none, tally{"undecodable": 1}},
		"a log group of our name, elsewhere": {put{id: "x", data: bytes.ReplaceAll(flowPayload("theirs"), []byte("/vpc/flow-logs"), []byte(ownLogGroup))}, ok, none, none},
	} {
		for _, form := range forms {
			t.Run(name+", "+string(form), func(t *testing.T) {
				r := newStreamRig(t, map[string]string{"SLUICE_FIREHOSE_OUTPUT": string(form), "SLUICE_MAX_INFLATED_BYTES": "2MiB"})
				batch := puts(good, nil, good)
				batch[1] = tc.bad
				got, c := r.transformAll(t, batch)
				want := []string{ok, tc.want, ok}
				if tc.want == "" {
					want = []string{ok, ok}
				}
				require.Equal(t, want, resultsOf(got))
				assert.Equal(t, got[0].text(), got[len(got)-1].text())
				assert.Equal(t, tc.dropped, c.Dropped)
				assert.Equal(t, tc.returned, c.Returned)
			})
		}
	}
}

func TestFirehoseBomb(t *testing.T) {
	got, c := newFormRig(t, config.OutputDatadog).transformAll(t, puts(packed(t, bytes.Repeat([]byte("\n"), 20<<20)), []byte("line")))
	assert.Equal(t, []string{failed, ok}, resultsOf(got))
	assert.Equal(t, map[string]int{"bomb": 1}, c.Returned, "long before the limit of 64 MiB")
}

// A panic costs the record in whose midst it comes, and no other.
func TestFirehosePanic(t *testing.T) {
	for name, value := range map[string]any{"our own words": canary, "an error with the line": errors.New(canary), "the runtime's": nil} {
		t.Run(name, func(t *testing.T) {
			r := newFormRig(t, config.OutputDatadog)
			usual := r.transformer.append
			r.transformer.append = func(dst []byte, rec *record.Record) []byte {
				dst = usual(dst, rec)
				if bytes.Contains(rec.Message.Bytes, []byte("boom")) {
					if value == nil {
						_ = dst[cap(dst):][1]
					}
					panic(value)
				}
				return dst
			}
			payload := packed(t, flowPayload("one", "two"))
			got, c := r.transformAll(t, puts(payload, packed(t, flowPayload("one", "boom "+canary, "two")), payload, []byte("a\nboom\nb"), []byte("line")))
			assert.Equal(t, []string{ok, failed, ok, failed, ok}, resultsOf(got))
			assert.Equal(t, got[0].text(), got[2].text())
			assert.Equal(t, 5, c.Delivered)
			assert.Equal(t, map[string]int{"panic": 2}, c.Returned)
		})
	}
}

func TestFirehoseDeadline(t *testing.T) {
	for name, tc := range map[string]struct {
		left time.Duration // of the function; 0: it has no end
		ok   int           // records of 30 s each
	}{
		"the function's time":          {2 * time.Minute, 4},
		"the time that Firehose gives": {0, 10},
		"hardly any":                   {time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newFormRig(t, config.OutputMessage)
				usual := r.transformer.append
				r.transformer.append = func(dst []byte, rec *record.Record) []byte {
					time.Sleep(30 * time.Second)
					return usual(dst, rec)
				}
				ctx := lambdaContext(t)
				if tc.left > 0 {
					ctx = within(t, tc.left)
				}
				batch := putTexts(make([]string, 12)...)
				for i := range batch {
					batch[i].data = []byte("line")
				}
				answer, ledger, err := r.invokeWithin(ctx, t, Firehose, transformationOf("", batch))
				require.NoError(t, err)
				var want []string
				for i := range batch {
					want = append(want, []string{failed, ok}[min(1, max(0, tc.ok-i))])
				}
				assert.Equal(t, want, resultsOf(verdicts(t, answer)))
				assert.Equal(t, map[string]int{"deadline": len(batch) - tc.ok}, ledger.Destinations[streamAccount].Returned)
			})
		})
	}
}

// A text of n bytes in the answer.
func sized(n int) string { return strings.Repeat("x", n-1) }

func TestFirehoseBudget(t *testing.T) {
	large, small := sized(1_000_000), sized(50_000)
	for name, tc := range map[string]struct {
		texts    []string
		want     []string
		returned map[string]int
	}{
		"what fits": {[]string{large, large, large, large}, []string{ok, ok, ok, ok}, map[string]int{}},
		"a later and smaller one still has room": {
			[]string{large, large, large, large, large, small, large, small, small},
			[]string{ok, ok, ok, ok, failed, ok, failed, ok, failed},
			map[string]int{"response_budget": 3},
		},
		"the most that a record may have": {[]string{sized(1_024_000)}, []string{ok}, map[string]int{}},
		"a byte more":                     {[]string{sized(1_024_001), small}, []string{failed, ok}, map[string]int{"record_too_large": 1}},
		"lines that are too much together": {
			[]string{large + "\n" + small, small}, []string{failed, ok}, map[string]int{"record_too_large": 1},
		},
	} {
		for _, form := range []config.Output{config.OutputMessage, config.OutputOriginal} {
			t.Run(name+", "+string(form), func(t *testing.T) {
				batch := putTexts(tc.texts...)
				for i := range batch {
					batch[i].data = append(batch[i].data, '\n') // so that both forms are as large
				}
				r := newFormRig(t, form)
				answer, ledger, err := r.invoke(t, Firehose, transformationOf("", batch))
				require.NoError(t, err)
				assert.Equal(t, tc.want, resultsOf(verdicts(t, answer)))
				assert.LessOrEqual(t, len(answer), answerBudget)
				assert.Equal(t, tc.returned, ledger.Destinations[streamAccount].Returned)
				again, _, err := r.invoke(t, Firehose, transformationOf("", batch))
				require.NoError(t, err)
				assert.Equal(t, answer, again, "the same ones every time")
			})
		}
	}
}

// Every record of a batch of many small ones has its answer, whatever the others take.
func TestFirehoseManyRecords(t *testing.T) {
	texts := make([]string, 40_000)
	for i := range texts {
		texts[i] = "line"
	}
	got, c := newFormRig(t, config.OutputDatadog).transformAll(t, putTexts(texts...))
	require.Len(t, got, len(texts))
	assert.Positive(t, c.Delivered)
	assert.Equal(t, map[string]int{"response_budget": len(texts) - c.Delivered}, c.Returned)
}

func TestFirehoseEvents(t *testing.T) {
	for name, tc := range map[string]struct{ event, answer, err string }{
		"no records":                  {event: `{"records":[]}`, answer: `{"records":[]}`},
		"records is null":             {event: `{"deliveryStreamArn":"` + shopStream + `","records":null}`, answer: `{"records":[]}`},
		"only a record without id":    {event: `{"records":[{"data":"bGluZQ=="}]}`, answer: `{"records":[]}`},
		"elements that are no record": {event: `{"records":[null,1,"x",{"recordId":"1","data":""}]}`, answer: `{"records":[{"recordId":"1","result":"Dropped"}]}`},
		"a subscription":              {event: `{"awslogs":{"data":"H4sI"}}`, err: "looks like a CloudWatch Logs subscription"},
		"a Kinesis event":             {event: `{"Records":[{"eventSource":"aws:kinesis","kinesis":{}}]}`, err: "looks like a Kinesis event"},
		"no JSON":                     {event: `{"records":[`, err: "transformation"},
		"nothing":                     {event: ``, err: "transformation"},
		"records is no list":          {event: `{"records":{}}`, err: "transformation"},
	} {
		t.Run(name, func(t *testing.T) {
			answer, ledger, err := newFormRig(t, config.OutputDatadog).invoke(t, Firehose, []byte(tc.event))
			assert.Equal(t, tc.answer, answer)
			if tc.err == "" {
				require.NoError(t, err)
				assert.LessOrEqual(t, len(answer), event.MaxTransformAnswerBytes)
				return
			}
			require.ErrorContains(t, err, tc.err)
			assert.Equal(t, map[string]int{"decode": 1}, ledger.Destinations[streamAccount].Returned)
		})
	}
}

func TestFirehoseRefuses(t *testing.T) {
	_, err := config.LoadTransform(t.Context(), map[string]string{"SLUICE_FIREHOSE_OUTPUT": "xml"}, nil)
	require.Error(t, err)
	answer, err := Firehose(Refusing(err))(lambdaContext(t), transformationOf("", putTexts("line")))
	require.ErrorContains(t, err, "not configured")
	require.ErrorContains(t, err, "SLUICE_FIREHOSE_OUTPUT")
	assert.Nil(t, answer, "Firehose keeps the batch and asks again")
}
