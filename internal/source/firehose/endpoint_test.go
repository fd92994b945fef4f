package firehose_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/secret"
	"sluice/internal/source/firehose"
)

const (
	deliveryID  = "5b1e7c3d-0c9d-4f6e-91a4-8f5b2a6d7d01"
	deliveryARN = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/app-logs"
	accessKey   = "an access key of example.com"
)

// deliveryHeader is what Firehose sends, changed by the pairs that follow; an empty value removes a header.
func deliveryHeader(changes ...string) http.Header {
	h := http.Header{}
	h.Set("X-Amz-Firehose-Protocol-Version", "1.0")
	h.Set("X-Amz-Firehose-Request-Id", deliveryID)
	h.Set("X-Amz-Firehose-Source-Arn", deliveryARN)
	h.Set("X-Amz-Firehose-Access-Key", accessKey)
	h.Set("X-Amz-Firehose-Common-Attributes", `{"commonAttributes":{"env":"staging","team":""}}`)
	h.Set("Content-Type", "application/json")
	for i := 0; i < len(changes); i += 2 {
		if h.Set(changes[i], changes[i+1]); changes[i+1] == "" {
			h.Del(changes[i])
		}
	}
	return h
}

func deliveryBody(records ...string) string {
	return `{"requestId":"` + deliveryID + `","timestamp":1718000000123,"records":[` + strings.Join(records, ",") + `]}`
}

// delivered is what Records yields, with the error behind the bytes where there is one.
func delivered(d *firehose.Delivery) []string {
	list := []string{}
	for data, err := range d.Records() {
		text := string(data)
		if err != nil {
			text += " | " + err.Error()
		}
		list = append(list, text)
	}
	return list
}

func TestReadDelivery(t *testing.T) {
	packed := gzipped(payload)
	body := deliveryBody(`{"data":"aGVsbG8="}`, `{"data":"`+base64.StdEncoding.EncodeToString([]byte(packed))+`"}`, `{"data":""}`)
	for name, tc := range map[string]struct {
		header http.Header
		body   io.Reader
	}{
		"plain":                             {deliveryHeader(), strings.NewReader(body)},
		"plain, with its length":            {deliveryHeader("Content-Length", fmt.Sprint(len(body))), strings.NewReader(body)},
		"plain, with a length that lies":    {deliveryHeader("Content-Length", "7"), strings.NewReader(body)},
		"plain, byte by byte":               {deliveryHeader(), iotest.OneByteReader(strings.NewReader(body))},
		"gzip":                              {deliveryHeader("Content-Encoding", "gzip"), strings.NewReader(gzipped(body))},
		"gzip in two members":               {deliveryHeader("Content-Encoding", "GZIP"), strings.NewReader(gzipped(body[:50]) + gzipped(body[50:]))},
		"gzip that the header forgot":       {deliveryHeader(), strings.NewReader(gzipped(body))},
		"gzip that was unpacked on the way": {deliveryHeader("Content-Encoding", "gzip"), strings.NewReader(body)},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := firehose.ReadDelivery(tc.header, tc.body, firehose.DeliveryLimits{})
			require.NoError(t, err)
			assert.Equal(t, deliveryID, d.RequestID)
			assert.EqualValues(t, 1718000000123, d.TimestampMillis)
			assert.Equal(t, deliveryARN, d.StreamARN)
			assert.True(t, d.AccessKey.Equal(secret.NewValue(accessKey)))
			assert.NotContains(t, fmt.Sprintf("%v %+v %#v", *d, *d, *d), accessKey)
			assert.Equal(t, []firehose.Attribute{{Name: "env", Value: "staging"}, {Name: "team"}}, d.CommonAttributes)
			assert.Equal(t, 3, d.Len())
			assert.Equal(t, []string{"hello", packed, ""}, delivered(d))
			assert.Equal(t, []string{"hello", packed, ""}, delivered(d), "once more")
		})
	}
}

func TestReadDeliveryHeader(t *testing.T) {
	const attributes = "X-Amz-Firehose-Common-Attributes"
	for name, tc := range map[string]struct {
		changes []string
		want    []firehose.Attribute
		err     string
	}{
		"no version":                  {changes: []string{"X-Amz-Firehose-Protocol-Version", ""}, err: "firehose delivery: no header X-Amz-Firehose-Protocol-Version"},
		"version 2":                   {changes: []string{"X-Amz-Firehose-Protocol-Version", "2.0"}, err: `X-Amz-Firehose-Protocol-Version is "2.0": only 1.0 can be read`},
		"no request id":               {changes: []string{"X-Amz-Firehose-Request-Id", ""}, err: "no header X-Amz-Firehose-Request-Id"},
		"request id without end":      {changes: []string{"X-Amz-Firehose-Request-Id", strings.Repeat("x", 257)}, err: "has 257 bytes: at most 256"},
		"another request id":          {changes: []string{"X-Amz-Firehose-Request-Id", "another"}, err: "its requestId is not that of the header"},
		"unknown coding":              {changes: []string{"Content-Encoding", "br"}, err: `Content-Encoding "br": only gzip can be read`},
		"no key, no stream":           {changes: []string{"X-Amz-Firehose-Access-Key", "", "X-Amz-Firehose-Source-Arn", "", attributes, ""}},
		"attributes in order":         {changes: []string{attributes, `{"x":1,"commonAttributes":{"z":"1","a":"é","\"":"\n"}}`}, want: []firehose.Attribute{{"z", "1"}, {"a", "é"}, {"\"", "\n"}}},
		"attribute named twice":       {changes: []string{attributes, `{"commonAttributes":{"z":"1","a":"","z":"2"}}`}, want: []firehose.Attribute{{"z", "2"}, {"a", ""}}},
		"attributes of other types":   {changes: []string{attributes, `{"commonAttributes":{"n":7,"t":true,"o":null}}`}, want: []firehose.Attribute{{"n", "7"}, {"t", "true"}, {"o", ""}}},
		"attributes null":             {changes: []string{attributes, `{"commonAttributes":null}`}},
		"no attributes in it":         {changes: []string{attributes, `{}`}},
		"attributes are no UTF-8":     {changes: []string{attributes, "{\"commonAttributes\":{\"k\xff\":\"v\xff\"}}"}, want: []firehose.Attribute{{"k\uFFFD", "v\uFFFD"}}},
		"attribute that is an object": {changes: []string{attributes, `{"commonAttributes":{"a":"1","b":{}}}`}, err: "header X-Amz-Firehose-Common-Attributes: commonAttributes: value 1, from 0, is no text"},
		"attributes are a list":       {changes: []string{attributes, `{"commonAttributes":[]}`}, err: "commonAttributes: json at byte 0 of 2: expected an object"},
		"attributes are no JSON":      {changes: []string{attributes, `{"commonAttributes":{"a":"1"}`}, err: "no JSON, as seen when 29 of 29 bytes were read"},
		"too many attributes":         {changes: []string{attributes, manyAttributes(51)}, err: "more than 50 of them"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := firehose.ReadDelivery(deliveryHeader(tc.changes...), strings.NewReader(deliveryBody()), firehose.DeliveryLimits{})
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				assert.Nil(t, d)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tc.want, d.CommonAttributes)
		})
	}
}

func manyAttributes(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"k%d":"v"`, i)
	}
	return `{"commonAttributes":{` + strings.Join(list, ",") + `}}`
}

func TestReadDeliveryBody(t *testing.T) {
	small := firehose.DeliveryLimits{BodyBytes: 300, Records: 2}
	oneRecord := []string{"a"}
	for name, tc := range map[string]struct {
		body string
		want []string
		err  string
	}{
		"no records":                           {body: deliveryBody(), want: []string{}},
		"records null":                         {body: `{"records":null}`, want: []string{}},
		"members in another order":             {body: `{"records":[{"x":[1],"data":"YQ=="}],"timestamp":"1718000000123","requestId":"` + deliveryID + `"}`, want: oneRecord},
		"no request id, no time":               {body: `{"records":[{"data":"YQ=="}]}`, want: oneRecord},
		"white space around":                   {body: "\n " + deliveryBody(`{"data":"YQ=="}`) + "\n", want: oneRecord},
		"record without data":                  {body: deliveryBody(`{}`, `{"data":null}`), want: []string{"", ""}},
		"a broken record leaves its neighbour": {body: deliveryBody(`{"data":"Y*=="}`, `{"data":"YQ=="}`), want: []string{`{"data":"Y*=="} | records[0] of 15 bytes: data: decode 4 bytes of base64: illegal base64 data at input byte 1`, "a"}},
		"data is a number":                     {body: deliveryBody(`{"data":7}`), want: []string{`{"data":7} | records[0] of 10 bytes: data is not a string: expected base64`}},
		"record is text":                       {body: deliveryBody(`"x"`, `null`), want: []string{`"x" | records[0] of 3 bytes: json at byte 0 of 3: expected an object`, `null | records[1] of 4 bytes: json at byte 0 of 4: expected an object`}},
		"as many records as allowed":           {body: deliveryBody(`{}`, `{}`), want: []string{"", ""}},
		"too many records":                     {body: deliveryBody(`{}`, `{}`, `{}`), err: "it has more than 2 records"},
		"as long as allowed":                   {body: deliveryBody(`{}`) + strings.Repeat(" ", 300-len(deliveryBody(`{}`))), want: []string{""}},
		"too long":                             {body: deliveryBody(`{}`) + strings.Repeat(" ", 301-len(deliveryBody(`{}`))), err: "body has more than 300 bytes"},
		"inflates too far":                     {body: gzipped(strings.Repeat(" ", 100_000)), err: "body has more than 300 bytes"},
		"gzip is cut":                          {body: gzipped(deliveryBody())[:20], err: "unexpected EOF"},
		"gzip has the wrong checksum":          {body: flipped(gzipped(deliveryBody())), err: "checksum"},
		"no records member":                    {body: `{"requestId":"` + deliveryID + `"}`, err: `body of 52 bytes: it has no "records"`},
		"records are an object":                {body: `{"records":{}}`, err: "it is JSON, but no object with a list of records"},
		"a list":                               {body: `[]`, err: "it is JSON, but no object with a list of records"},
		"empty":                                {body: ``, err: "no JSON, as seen when 0 of 0 bytes were read"},
		"cut":                                  {body: `{"records":[{"data":"YQ=="}`, err: "no JSON, as seen when 27 of 27 bytes were read"},
		"no comma between records":             {body: `{"records":[{} {}]}`, err: "no JSON, as seen when 16 of 19 bytes were read"},
		"more behind the end":                  {body: `{"records":[]}{}`, err: "no JSON, as seen when 15 of 16 bytes were read"},
		"HTML":                                 {body: `<html>secret</html>`, err: "no JSON, as seen when 1 of 19 bytes were read"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := firehose.ReadDelivery(deliveryHeader(), strings.NewReader(tc.body), small)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				require.ErrorContains(t, err, "firehose delivery \""+deliveryID+"\": ")
				assert.NotContains(t, err.Error(), "secret")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tc.want, delivered(d))
			assert.Equal(t, len(tc.want), d.Len())
		})
	}
}

// flipped is packed with another checksum.
func flipped(packed string) string {
	b := []byte(packed)
	b[len(b)-8] ^= 1
	return string(b)
}

func TestReadDeliveryWhoseConnectionBreaks(t *testing.T) {
	broken := errors.New("connection reset")
	body := io.MultiReader(strings.NewReader(deliveryBody()[:20]), iotest.ErrReader(broken))
	_, err := firehose.ReadDelivery(deliveryHeader(), body, firehose.DeliveryLimits{})
	require.ErrorIs(t, err, broken)
	assert.ErrorContains(t, err, "body behind byte 20: ")
}

func TestReadDeliveryLimitsOfFirehose(t *testing.T) {
	const record = `{"data":"YQ=="},`
	full := strings.TrimSuffix(strings.Repeat(record, firehose.MaxDeliveryRecords), ",")
	d, err := firehose.ReadDelivery(deliveryHeader(), strings.NewReader(deliveryBody(full)), firehose.DeliveryLimits{})
	require.NoError(t, err)
	assert.Equal(t, firehose.MaxDeliveryRecords, d.Len())

	_, err = firehose.ReadDelivery(deliveryHeader(), strings.NewReader(deliveryBody(full, `{}`)), firehose.DeliveryLimits{})
	assert.ErrorContains(t, err, "more than 10000 records")

	_, err = firehose.ReadDelivery(deliveryHeader("Content-Encoding", "gzip"),
		strings.NewReader(gzipped(strings.Repeat(" ", firehose.MaxDeliveryBytes+1))), firehose.DeliveryLimits{})
	assert.ErrorContains(t, err, "body has more than 67108864 bytes")
}

func TestDeliveryRecordsCanBeLeft(t *testing.T) {
	d, err := firehose.ReadDelivery(deliveryHeader(), strings.NewReader(deliveryBody(`{"data":"YQ=="}`, `{"data":"Yg=="}`)), firehose.DeliveryLimits{})
	require.NoError(t, err)
	for data := range d.Records() {
		assert.Equal(t, "a", string(data))
		break
	}
}

func TestAppendDeliveryAnswer(t *testing.T) {
	at := time.UnixMilli(1718000001456).In(time.FixedZone("", 7200))
	for name, tc := range map[string]struct {
		id, message, want string
	}{
		"success":                        {deliveryID, "", `{"requestId":"` + deliveryID + `","timestamp":1718000001456}`},
		"failure":                        {deliveryID, "the intake is away", `{"requestId":"` + deliveryID + `","timestamp":1718000001456,"errorMessage":"the intake is away"}`},
		"what JSON needs escaped":        {`a"b`, "\"\n\xff", `{"requestId":"a\"b","timestamp":1718000001456,"errorMessage":"\"\n` + "\uFFFD" + `"}`},
		"as long as allowed":             {"1", strings.Repeat("é", 8192), `{"requestId":"1","timestamp":1718000001456,"errorMessage":"` + strings.Repeat("é", 8192) + `"}`},
		"longer":                         {"1", strings.Repeat("é", 8193), `{"requestId":"1","timestamp":1718000001456,"errorMessage":"` + strings.Repeat("é", 8192) + `"}`},
		"characters of two UTF-16 units": {"1", "a" + strings.Repeat("😀", 5000), `{"requestId":"1","timestamp":1718000001456,"errorMessage":"a` + strings.Repeat("😀", 4095) + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := firehose.AppendDeliveryAnswer([]byte("kept:"), tc.id, at, tc.message)
			assert.Equal(t, "kept:"+tc.want, string(got))
			assert.Less(t, len(got), 1<<20)
			assert.True(t, json.Valid(got[len("kept:"):]))
		})
	}
}

// FuzzReadDelivery holds the reader to encoding/json: a valid body has as many records, each with the same bytes, and one
// that is accepted as gzip is the same as plain.
func FuzzReadDelivery(f *testing.F) {
	for _, seed := range []string{
		deliveryBody(`{"data":"aGVsbG8="}`, `{"data":""}`), deliveryBody(`null`, `{"data":1}`), `{"records":{}}`, `{"records":null}`, "\x1f\x8b\x08",
		`{"records":[{"data":"YQ==","data":"Yg"}],"records":[]}`, gzipped(deliveryBody(`{"data":"aGVsbG8="}`)),
	} {
		f.Add([]byte(seed), `{"commonAttributes":{"env":"staging"}}`)
	}
	f.Add([]byte(deliveryBody()), `{"commonAttributes":{"\ud800":[]}}`)
	f.Fuzz(func(t *testing.T, body []byte, attributes string) {
		header := deliveryHeader("X-Amz-Firehose-Common-Attributes", attributes)
		limits := firehose.DeliveryLimits{BodyBytes: 1 << 20}
		d, err := firehose.ReadDelivery(header, bytes.NewReader(body), limits)
		if err != nil {
			require.Nil(t, d)
			if attributes == "" {
				checkRefused(t, body)
			}
			return
		}
		for _, a := range d.CommonAttributes {
			require.True(t, utf8.ValidString(a.Name) && utf8.ValidString(a.Value))
		}
		list := delivered(d)
		require.Len(t, list, d.Len())
		if bytes.HasPrefix(body, []byte("\x1f\x8b")) {
			return
		}
		again, err := firehose.ReadDelivery(header, strings.NewReader(gzipped(string(body))), limits)
		require.NoError(t, err)
		require.Equal(t, list, delivered(again))
		checkDelivered(t, body, d)
	})
}

// checkRefused makes sure that no good body is refused.
func checkRefused(t *testing.T, body []byte) {
	t.Helper()
	var want struct {
		RequestID *string           `json:"requestId"`
		Records   []json.RawMessage `json:"records"`
	}
	if err := json.Unmarshal(body, &want); err == nil && want.Records != nil && len(want.Records) <= firehose.MaxDeliveryRecords {
		require.True(t, want.RequestID != nil && *want.RequestID != deliveryID)
	}
}

func checkDelivered(t *testing.T, body []byte, d *firehose.Delivery) {
	t.Helper()
	var outer map[string]json.RawMessage
	var list []json.RawMessage
	if json.Unmarshal(body, &outer) != nil {
		return // jsonwalk does not look into what it passes by
	}
	require.NoError(t, json.Unmarshal(outer["records"], &list))
	require.Equal(t, len(list), d.Len())
	i := 0
	for data, err := range d.Records() {
		var members map[string]json.RawMessage
		var text *string
		if json.Unmarshal(list[i], &members) != nil || members == nil || members["data"] != nil && json.Unmarshal(members["data"], &text) != nil {
			require.Error(t, err)
			require.Equal(t, string(list[i]), string(data))
		} else if text != nil {
			if want, decodeErr := base64.StdEncoding.DecodeString(*text); decodeErr == nil {
				require.NoError(t, err)
				require.Equal(t, string(want), string(data))
			}
		}
		i++
	}
}

func BenchmarkReadDelivery(b *testing.B) {
	body := deliveryBody(strings.TrimSuffix(strings.Repeat(`{"data":"`+strings.Repeat("QUJD", 250)+`"},`, 4000), ","))
	header := deliveryHeader("Content-Length", fmt.Sprint(len(body)))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		d, err := firehose.ReadDelivery(header, strings.NewReader(body), firehose.DeliveryLimits{})
		if err != nil {
			b.Fatal(err)
		}
		for _, err := range d.Records() {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
