package forward

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/config"
	"sluice/internal/record"
)

const otherStream = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/other"

// errorLine is what Firehose says of a delivery that failed.
func errorLine(stream string) string {
	return fmt.Sprintf(`{"deliveryStreamARN":%q,"destination":"https://logs.example.com/ingest","deliveryStreamVersionId":1,`+
		`"message":"The endpoint did not answer in time.","errorCode":"HttpEndpoint.RequestTimeout"}`, stream)
}

// errorLog is a payload of a log group of an account.
func errorLog(group, owner string, lines ...string) []byte {
	payload := bytes.ReplaceAll(flowPayload(lines...), []byte("/vpc/flow-logs"), []byte(group))
	return bytes.ReplaceAll(payload, []byte(otherAccount), []byte(owner))
}

// What Firehose says about a stream does not go into that stream: it would say it of its own words too. What it says about
// others goes, and so does what only looks like it.
func TestFirehoseDropsItsOwnErrors(t *testing.T) {
	const group, custom = "/aws/kinesisfirehose/shop-logs", "/sluice/shop/firehose-stream"
	own, others := errorLine(shopStream), errorLine(otherStream)
	noCode := strings.Replace(own, "errorCode", "code", 1)
	for name, tc := range map[string]struct {
		data []byte
		kept []string // lines
		own  int      // dropped
	}{
		"its log group":                        {errorLog(group, ownAccount, own, "no JSON"), nil, 2},
		"its log group, packed":                {packed(t, errorLog(group, ownAccount, own)), nil, 1},
		"a group of that name, elsewhere":      {errorLog(group, otherAccount, "theirs"), []string{"theirs"}, 0},
		"the group of another stream":          {errorLog(group+"-2", ownAccount, others), []string{others}, 0},
		"the group of all streams":             {errorLog("/aws/kinesisfirehose/", ownAccount, "x"), []string{"x"}, 0},
		"a group of any name":                  {errorLog(custom, ownAccount, own, own), nil, 2},
		"one that gathers from other accounts": {errorLog(custom, otherAccount, own), nil, 1},
		"a group of many streams":              {errorLog(custom, ownAccount, own, others, own), []string{others}, 2},
		"no errors of a stream":                {errorLog(custom, ownAccount, noCode, "["+own+"]", `{"event":`+own+`}`), []string{noCode, "[" + own + "]", `{"event":` + own + `}`}, 0},
		"a line that breaks off":               {errorLog(custom, ownAccount, own[:len(own)-50]), []string{own[:len(own)-50]}, 0},
		"one that breaks off behind its code":  {errorLog(custom, ownAccount, own[:len(own)-3]), nil, 1},
		"two payloads in one record":           {joined(errorLog(group, ownAccount, "a"), errorLog("shop", ownAccount, "b"), errorLog(custom, ownAccount, own)), []string{"b"}, 2},
		"messages that Firehose has unpacked":  {[]byte(own + "\n" + others + "\n" + own), []string{others}, 2},
		"one such message":                     {[]byte(own), nil, 1},
	} {
		for _, form := range forms {
			t.Run(name+"/"+string(form), func(t *testing.T) {
				r := newTeeRig(t, form, "")
				answer, ledger, err := r.invoke(t, Firehose, transformationOf("", puts([]byte("before"), tc.data, []byte("after"))))
				require.NoError(t, err)
				got, c, a := verdicts(t, answer), ledger.Destinations[streamAccount], ledger.Destinations["a"]
				want := ok
				if tc.kept == nil {
					want = dropped
				} else {
					assert.Equal(t, tc.own, a.Dropped["own_log_group"], "what stays is read for the destinations too")
				}
				require.Equal(t, []string{ok, want, ok}, resultsOf(got))
				switch form {
				case config.OutputMessage:
					assert.Equal(t, strings.Join(tc.kept, "\n"), strings.TrimSuffix(got[1].text(), "\n"))
				case config.OutputOriginal:
					assert.Equal(t, tc.kept != nil, got[1].text() == string(tc.data))
				case config.OutputDatadog, config.OutputJSON:
					assert.Equal(t, len(tc.kept), strings.Count(got[1].text(), "\n"))
				}
				assert.Equal(t, tc.own, c.Dropped["own_log_group"])
				assert.Equal(t, len(tc.kept)+2, c.Delivered)
				assert.Equal(t, append(append([]string{"before"}, tc.kept...), "after"), r.intake.taken(t, hostOfLane("a")), "tee")
			})
		}
	}
}

// The name of a stream may say what all its records are. Each of them is looked at all the same.
func TestFirehoseDropsItsOwnErrorsWhateverItsName(t *testing.T) {
	const waf = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/aws-waf-logs-shop"
	event := transformationOf("", putTexts(aclText, errorLine(waf), errorLine(shopStream), aclText))
	answer, ledger, err := newFormRig(t, config.OutputMessage).invoke(t, Firehose, bytes.ReplaceAll(event, []byte(shopStream+`","region`), []byte(waf+`","region`)))
	require.NoError(t, err)
	assert.Equal(t, []string{ok, dropped, ok, ok}, resultsOf(verdicts(t, answer)))
	assert.Equal(t, tally{"own_log_group": 1}, ledger.Destinations[streamAccount].Dropped)
}

// An event of nothing else is told of once: the line about it could be the next event.
func TestFirehoseIsSilentAboutItsOwnErrors(t *testing.T) {
	r := newFormRig(t, config.OutputJSON)
	event := transformationOf("", puts(errorLog("/aws/kinesisfirehose/shop-logs", ownAccount, "a", "b")))
	_, ledger, err := r.invoke(t, Firehose, event)
	require.NoError(t, err)
	assert.Equal(t, tally{"own_log_group": 2}, ledger.Destinations[streamAccount].Dropped)
	r.out.Reset()
	_, err = Firehose(r.Forwarder)(lambdaContext(t), event)
	require.NoError(t, err)
	assert.Empty(t, r.out.String())
}

// They are not joined to what is kept, nor put back into the stream where an answer has no room.
func TestFirehoseKeepsItsOwnErrorsOut(t *testing.T) {
	own := errorLine(shopStream)
	r := newStreamRig(t, map[string]string{
		"SLUICE_FIREHOSE_OUTPUT": "message", "SLUICE_MULTILINE_START": "start", "SLUICE_MULTILINE_EVENTS": "true",
	})
	got, c := r.transformAll(t, puts(errorLog("x", ownAccount, own, "start", " a", own, " b")))
	assert.Equal(t, "start\n a\n b\n", got[0].text())
	assert.Equal(t, tally{"own_log_group": 2}, c.Dropped)
	assert.Equal(t, 1, c.Delivered)

	s := &streams{}
	large := own[:len(own)-2] + strings.Repeat("x", 300_000) + `"}`
	batch := overflow(2)
	batch[4].data = errorLog("x", ownAccount, large, large)
	got, c = newReingestRig(t, config.OutputMessage, s).transformAll(t, batch)
	assert.Equal(t, []string{ok, ok, ok, ok, dropped, dropped, ok}, resultsOf(got))
	assert.Equal(t, tally{"own_log_group": 2}, c.Dropped)
	assert.Equal(t, tally{"reingested": 1}, c.Returned)
	assert.Len(t, s.packed, 1)
}

// An event that does not say which stream it is of has nothing that could be its own.
func TestNoStreamHasNoErrors(t *testing.T) {
	for arn, want := range map[string]bool{"": false, "shop-logs": false, "deliverystream/shop-logs": true, shopStream: true} {
		e := streamErrorsOf(arn)
		o := &record.Origin{Kind: record.CloudWatch, LogGroup: "/aws/kinesisfirehose/shop-logs", Owner: ownAccount}
		assert.Equal(t, want, e.has(&record.Record{Origin: o}), arn)
		bare := &record.Origin{Kind: record.CloudWatch, LogGroup: "/aws/kinesisfirehose/"}
		assert.False(t, e.has(&record.Record{Origin: bare}), arn)
		assert.False(t, e.has(&record.Record{Origin: &record.Origin{}, Message: record.Plain([]byte(errorLine("")))}), arn)
	}
}
