package delivery

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/loopback"
)

const accessKey = "an-invented-access-key"

// delivering is a stream that delivers to an endpoint.
func delivering(t *testing.T, change func(*HTTP)) (*Stream, *Endpoint, *memory) {
	t.Helper()
	e, err := StartEndpoint(accessKey, nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	s, m := rig(t, func(c *Config) {
		c.HTTP = &HTTP{URL: e.URL(), AccessKey: accessKey}
		if change != nil {
			change(c.HTTP)
		}
	})
	return s, e, m
}

func messages(e *Endpoint) []string {
	var list []string
	for _, entry := range e.Entries() {
		list = append(list, entry.Message)
	}
	return list
}

func TestDelivery(t *testing.T) {
	for name, tc := range map[string]struct {
		change   func(*HTTP)
		encoding string
		requests []int // records each
	}{
		"one request":         {requests: []int{3}},
		"gzip":                {change: func(h *HTTP) { h.Gzip = true }, encoding: "gzip", requests: []int{3}},
		"portions by records": {change: func(h *HTTP) { h.BufferRecords = 2 }, requests: []int{2, 1}},
		"portions by bytes":   {change: func(h *HTTP) { h.BufferBytes = 5 }, requests: []int{1, 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			s, e, m := delivering(t, func(h *HTTP) {
				h.Attributes = map[string]string{"env": "<test>", "team": "Łódź"}
				if tc.change != nil {
					tc.change(h)
				}
			})
			put(t, s, "one\ntwo\r\n", "\n", "three")
			require.NoError(t, s.Flush(t.Context()))

			assert.Equal(t, []string{"one", "two", "three"}, messages(e))
			var records []int
			for i, r := range e.Requests() {
				records = append(records, r.Records)
				assert.Equal(t, 200, r.Status, r.Reason)
				assert.Equal(t, tc.encoding, r.Encoding)
				assert.Equal(t, s.ARN(), r.Source)
				assert.Equal(t, intake.KeyOK, r.Key)
				assert.Equal(t, map[string]string{"env": "<test>", "team": "Łódź"}, r.Attributes)
				assert.Equal(t, s.Attempts()[i].RequestID, r.ID)
			}
			assert.Equal(t, tc.requests, records)
			assert.Empty(t, m.objects)
			assert.True(t, e.Entries()[0].Answered)
			assert.Equal(t, e.Requests()[0].ID, e.Entries()[0].Batch)
		})
	}
}

func TestDeliveryIsRetried(t *testing.T) {
	for name, tc := range map[string]struct {
		step Step
		code string
	}{
		"500":                     {Outage(), "HttpEndpoint.DestinationException"},
		"another success":         {Step{Status: 202}, "HttpEndpoint.DestinationException"},
		"a redirect":              {Step{Status: 302}, "HttpEndpoint.DestinationException"},
		"403":                     {Step{Status: 403, Message: "no"}, "HttpEndpoint.DestinationException"},
		"wrong JSON":              {WrongJSON(), "HttpEndpoint.InvalidResponseFromDestination"},
		"no JSON":                 {NotTheProtocol(200, "application/json", ""), "HttpEndpoint.InvalidResponseFromDestination"},
		"another content type":    {NotTheProtocol(200, "text/plain", "{}"), "HttpEndpoint.InvalidResponseFromDestination"},
		"a 413 without the form":  {NotTheProtocol(413, "text/html", "<html>"), "HttpEndpoint.InvalidResponseFromDestination"},
		"an answer over 1 MiB":    {NotTheProtocol(200, "application/json", strings.Repeat(" ", 1<<20+1)), "HttpEndpoint.ResponseTooLarge"},
		"a message over the form": {Step{Status: 500, Message: strings.Repeat("x", 8_193)}, "HttpEndpoint.InvalidResponseFromDestination"},
		"a connection that ends":  {Step{Reset: true}, "HttpEndpoint.ConnectionReset"},
	} {
		t.Run(name, func(t *testing.T) {
			s, e, m := delivering(t, nil)
			e.SetScript(Sequence(tc.step, tc.step))
			put(t, s, "line")
			require.NoError(t, s.Flush(t.Context()))

			attempts := s.Attempts()
			require.Len(t, attempts, 3)
			for i, a := range attempts {
				assert.Equal(t, attempts[0].RequestID, a.RequestID)
				assert.Equal(t, i+1, a.Attempt)
				assert.Equal(t, []string{"payload-line"}, a.Payloads)
			}
			assert.Equal(t, tc.code, attempts[1].Code)
			assert.Empty(t, attempts[2].Code)
			assert.InDelta(t, time.Second, attempts[1].At.Sub(attempts[0].At), float64(150*time.Millisecond))
			assert.InDelta(t, 2*time.Second, attempts[2].At.Sub(attempts[1].At), float64(300*time.Millisecond))
			assert.Equal(t, []string{"line"}, messages(e))
			assert.Empty(t, m.objects)
		})
	}
}

func TestAnAnswerThatIsLost(t *testing.T) {
	s, e, _ := delivering(t, nil)
	e.SetScript(Sequence(Step{Reset: true, Commit: true}))
	put(t, s, "line")
	require.NoError(t, s.Flush(t.Context()))

	entries := e.Entries()
	require.Len(t, entries, 2)
	assert.False(t, entries[0].Answered)
	assert.True(t, entries[1].Answered)
	assert.Equal(t, entries[0].Batch, entries[1].Batch)
}

func TestRetriesEnd(t *testing.T) {
	s, e, m := delivering(t, func(h *HTTP) { h.Retry = 10 * time.Minute })
	e.SetScript(Always(Outage()))
	put(t, s, "a", "b")
	require.NoError(t, s.Flush(t.Context()))

	attempts := s.Attempts()
	last := attempts[len(attempts)-1]
	assert.LessOrEqual(t, last.At.Sub(start), 10*time.Minute)
	assert.Greater(t, last.At.Sub(start), 7*time.Minute)
	for i := 8; i < len(attempts); i++ {
		assert.InDelta(t, 120*time.Second, attempts[i].At.Sub(attempts[i-1].At), float64(18*time.Second))
	}
	failed := envelopes(t, m.under("http-endpoint-failed/2024/06/10/06/to-here-1-2024-06-10-06-07-08-"))
	require.Len(t, failed, 2)
	assert.InDelta(t, len(attempts), failed[0]["attemptsMade"], 0)
	assert.Equal(t, "HttpEndpoint.DestinationException", failed[0]["errorCode"])
	assert.Contains(t, failed[0]["errorMessage"], `"errorMessage":"scripted"`)
	assert.Equal(t, "YQ==", failed[0]["rawData"])
	assert.Regexp(t, `^\d{56}\.0$`, failed[0]["dataId"])
	assert.Contains(t, failed[0], "subsequenceNumber")
	assert.Equal(t, HTTPEndpointFailed, s.Objects()[0].Kind)
	assert.Equal(t, []string{"payload-a", "payload-b"}, s.Objects()[0].Payloads)
	assert.Empty(t, s.Failures())
	assert.Zero(t, s.Pending())
}

func TestNoRetry(t *testing.T) {
	s, e, m := delivering(t, func(h *HTTP) { h.Retry = -1 })
	e.SetScript(Always(Outage()))
	put(t, s, "a")
	require.NoError(t, s.Flush(t.Context()))
	assert.Len(t, s.Attempts(), 1)
	assert.NotEmpty(t, m.under("http-endpoint-failed/"))
}

func TestTooLargeIsPermanentAndInNoObject(t *testing.T) {
	s, e, m := delivering(t, nil)
	e.SetScript(Sequence(TooLarge()))
	put(t, s, "a", "b")
	require.NoError(t, s.Flush(t.Context()))

	assert.Len(t, s.Attempts(), 1)
	assert.Empty(t, m.objects)
	require.Len(t, s.Failures(), 1)
	assert.Equal(t, []string{"payload-a", "payload-b"}, s.Failures()[0].Payloads)
	assert.Zero(t, s.Pending())
}

func TestASlowEndpoint(t *testing.T) {
	s, e, _ := delivering(t, func(h *HTTP) { h.Timeout = 200 * time.Millisecond })
	e.SetScript(Sequence(Slow(time.Hour)))
	put(t, s, "a")
	require.NoError(t, s.Flush(t.Context()))
	assert.Equal(t, "HttpEndpoint.RequestTimeout", s.Attempts()[0].Code)
	assert.Equal(t, []string{"a"}, messages(e), "who went away was not taken from")
}

func TestAnEndpointThatIsNotThere(t *testing.T) {
	server, err := loopback.Serve(http.NotFoundHandler())
	require.NoError(t, err)
	require.NoError(t, server.Close())
	s, _ := rig(t, func(c *Config) { c.HTTP = &HTTP{URL: server.URL(), Retry: -1} })
	put(t, s, "a")
	require.NoError(t, s.Flush(t.Context()))
	assert.Equal(t, "HttpEndpoint.ConnectionFailed", s.Attempts()[0].Code)
}

func TestDeliveryEndsWithItsContext(t *testing.T) {
	s, e, m := delivering(t, nil)
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	e.SetScript(func(intake.Arrival) Step { cancel(stop); return Slow(time.Hour) })
	put(t, s, "a")
	require.ErrorIs(t, s.Flush(ctx), stop)
	assert.Equal(t, 1, s.Pending())
	e.SetScript(Always(Step{}))
	require.NoError(t, s.Flush(t.Context()))
	assert.Equal(t, []string{"a"}, messages(e))
	assert.Empty(t, m.objects)
}

func TestEndpointRefusesWhatBreaksTheProtocol(t *testing.T) {
	const id = "0f0f0f0f-0000-4000-8000-000000000000"
	good := `{"requestId":"` + id + `","timestamp":1717999628009,"records":[{"data":"YQ=="}]}`
	for name, tc := range map[string]struct {
		body   string
		header map[string]string
		status int
	}{
		"the form":               {body: good, status: 200},
		"no key":                 {body: good, header: map[string]string{headerKey: ""}, status: 401},
		"a wrong key":            {body: good, header: map[string]string{headerKey: "x"}, status: 401},
		"another version":        {body: good, header: map[string]string{headerVersion: "2.0"}, status: 400},
		"no request id":          {body: good, header: map[string]string{headerRequestID: ""}, status: 400},
		"no source":              {body: good, header: map[string]string{headerSource: ""}, status: 400},
		"another content type":   {body: good, header: map[string]string{"Content-Type": "text/plain"}, status: 400},
		"another encoding":       {body: good, header: map[string]string{"Content-Encoding": "br"}, status: 400},
		"no gzip":                {body: good, header: map[string]string{"Content-Encoding": "gzip"}, status: 400},
		"bad attributes":         {body: good, header: map[string]string{headerAttributes: "{"}, status: 400},
		"an attribute too long":  {body: good, header: map[string]string{headerAttributes: `{"commonAttributes":{"a":"` + strings.Repeat("x", 1_025) + `"}}`}, status: 400},
		"another id in the body": {body: strings.Replace(good, id, "x", 1), status: 400},
		"no JSON":                {body: "{", status: 400},
		"no timestamp":           {body: strings.Replace(good, "timestamp", "time", 1), status: 400},
		"no records":             {body: strings.Replace(good, `{"data":"YQ=="}`, "", 1), status: 400},
		"null for data":          {body: strings.Replace(good, `"YQ=="`, "null", 1), status: 400},
		"bad base64":             {body: strings.Replace(good, `YQ==`, "YQ", 1), status: 400},
		"data too long":          {body: strings.Replace(good, `YQ==`, strings.Repeat("A", MaxRecordChars+4), 1), status: 400},
		"too many records":       {body: strings.Replace(good, `{"data":"YQ=="}`, strings.Repeat(`{"data":""},`, MaxRequestRecords)+`{"data":""}`, 1), status: 400},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := StartEndpoint(accessKey, nil)
			require.NoError(t, err)
			defer func() { assert.NoError(t, e.Close()) }()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.URL(), strings.NewReader(tc.body))
			require.NoError(t, err)
			header := map[string]string{
				headerKey: accessKey, headerVersion: "1.0", headerRequestID: id, headerSource: "arn:aws:firehose:x", "Content-Type": "application/json",
			}
			maps.Copy(header, tc.header)
			for _, name := range slices.Sorted(maps.Keys(header)) {
				r.Header.Set(name, header[name])
			}
			response, err := http.DefaultTransport.RoundTrip(r) //nolint:forbidigo // a loopback server of this test
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())

			assert.Equal(t, tc.status, response.StatusCode)
			assert.Equal(t, tc.status == 200, len(e.Entries()) == 1)
			assert.Equal(t, tc.status != 200, e.Requests()[0].Reason != "")
		})
	}
}

func TestLines(t *testing.T) {
	document := `{"messageType":"DATA_MESSAGE","owner":"123456789012","logEvents":[{"id":"7","timestamp":9,"message":"a\nb"},{"id":"8","message":""}]}`
	control := `{"messageType":"CONTROL_MESSAGE","logEvents":[{"id":"","message":"CWL CONTROL MESSAGE: Checking health"}]}`
	zipped, err := appendPacked(nil, []byte(document+control+document), Gzip, "")
	require.NoError(t, err)
	events := []intake.Entry{{Message: "a\nb", ID: "7", Millis: 9}, {ID: "8"}}
	for name, tc := range map[string]struct {
		data string
		want []intake.Entry
	}{
		"nothing":                    {"", nil},
		"text":                       {"a\r\n\nb", []intake.Entry{{Message: "a"}, {Message: "b"}}},
		"JSON without a message":     {`{"a":1}`, []intake.Entry{{Message: `{"a":1}`}}},
		"a Datadog item":             {`{"message":"m","ddsource":"s","hostname":"h","service":"v","ddtags":"t:1","id":"i","timestamp":5}`, []intake.Entry{{Message: "m", Source: "s", Host: "h", Service: "v", Tags: "t:1", ID: "i", Millis: 5}}},
		"documents that touch, gzip": {string(zipped), append(slices.Clone(events), events...)},
		"gzip that is cut":           {string(zipped[:30]), []intake.Entry{{Message: string(zipped[:30])}}},
		"a control message":          {control, nil},
		"JSON and then text":         {document + "x", []intake.Entry{{Message: document + "x"}}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tc.want, Lines([]byte(tc.data))) })
	}
}

// A request that is taken holds the same records after it was written again.
func FuzzReadDelivery(f *testing.F) {
	f.Add([]byte(`{"requestId":"1","timestamp":2,"records":[{"data":"YQ=="},{"data":""}]}`), "")
	f.Add([]byte(`{"requestId":"1","timestamp":2,"records":[{"data":null}]}`), `{"commonAttributes":{"a":"b"}}`)
	f.Fuzz(func(t *testing.T, body []byte, attributes string) {
		request := func(body []byte) *http.Request {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(string(body)))
			require.NoError(t, err)
			for name, value := range map[string]string{
				headerVersion: "1.0", headerRequestID: "1", headerSource: "arn:", "Content-Type": "application/json", headerAttributes: attributes,
			} {
				r.Header.Set(name, value)
			}
			return r
		}
		d, refused := readDelivery(request(body), "")
		if refused != nil {
			assert.Empty(t, d.data)
			return
		}
		again := deliveryBody{RequestID: "1"}
		for _, data := range d.data {
			again.Records = append(again.Records, deliveryRecord{data})
		}
		written, err := marshal(again)
		require.NoError(t, err)
		second, refused := readDelivery(request(written), "")
		require.Nil(t, refused)
		assert.Equal(t, d.data, second.data)
	})
}

// No line without a newline inside is lost: what has no JSON and no gzip comes back as it was.
func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nb\r\n"))
	f.Add([]byte(`{"message":"a"}{"message":"b"}`))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries := Lines(data)
		if strings.ContainsAny(string(data), "{\x1f") {
			return
		}
		want := slices.DeleteFunc(strings.Split(string(data), "\n"), func(s string) bool { return strings.TrimSuffix(s, "\r") == "" })
		require.Len(t, entries, len(want))
		for i, entry := range entries {
			assert.Equal(t, strings.TrimSuffix(want[i], "\r"), entry.Message)
		}
	})
}
