package object

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"

	"sluice/internal/record"
)

// TestDataIsReadAsBody holds what is in memory to what is streamed: the same records, contents and faults, also when one
// decoder reads them in turn.
func TestDataIsReadAsBody(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write([]byte("packed\nlines\n"))
	assert.NoError(t, err)
	assert.NoError(t, w.Close())
	payload := `{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"g","logStream":"s","subscriptionFilters":["f"],` +
		`"logEvents":[{"id":"1","timestamp":1769938200000,"message":"one"}]}`
	var one Decoder
	for name, data := range map[string]string{
		"nothing":                 "",
		"text":                    "one\ntwo\r\n\nthree",
		"text of one byte":        "x",
		"a mark of UTF-8":         "\xEF\xBB\xBFone\ntwo",
		"UTF-16":                  "\xFF\xFEa\x00\n\x00b\x00",
		"no UTF-8":                "caf\xe9\n",
		"gzip":                    packed.String(),
		"gzip that is cut short":  packed.String()[:20],
		"JSON":                    `{"a":1}{"b":2}` + "\n" + `{"c":3}`,
		"JSON that is cut short":  `{"a":1}{"b":`,
		"an array":                `[{"a":1},{"b":2}]`,
		"payloads":                payload + payload,
		"a payload, cut short":    payload[:len(payload)-5],
		"records":                 `{"Records":[{"eventVersion":"1.09","eventTime":"2026-02-01T09:29:10Z","eventSource":"sts.amazonaws.com"}]}`,
		"a flow log line":         "2 123456789012 eni-0a1b2c3d 192.0.2.10 198.51.100.7 1 2 6 1 40 1769938170 1769938199 REJECT OK",
		"a flow log line in JSON": `{"message":"2 123456789012 eni-0a1b2c3d 192.0.2.10 198.51.100.7 1 2 6 1 40 1769938170 1769938199 REJECT OK"}`,
		"a long line":             strings.Repeat("x", 3<<20),
		"more than may be":        strings.Repeat("line\n", 1<<20),
		"Parquet":                 "PAR1\x15\x04..",
		"zero bytes":              "\x00\x00\x00\x10\x00\x00\x00\x04text",
	} {
		t.Run(name, func(t *testing.T) {
			streamed := told(new(Decoder), Input{Body: strings.NewReader(data)})
			assert.Equal(t, streamed, told(new(Decoder), Input{Data: []byte(data)}))
			assert.Equal(t, streamed, told(&one, Input{Data: []byte(data)}), "whatever was read before")
			assert.Equal(t, streamed, told(&one, Input{Body: strings.NewReader(data)}), "whatever was read before")
		})
	}
}

// told is all that comes out of an input.
func told(d *Decoder, in Input) []string {
	in.Origin, in.Name, in.MaxPlainBytes = &record.Origin{Kind: record.Firehose}, "shop-logs", 4<<20
	content, err := d.Enter(in)
	list := []string{fmt.Sprintf("%+v %v %s", content, err, in.Origin.Source)}
	if err != nil {
		return list
	}
	for r, err := range d.Records() {
		if err != nil {
			list = append(list, err.Error())
			continue
		}
		list = append(list, fmt.Sprintf("%s %d %d %d %v %d", r.Message.AppendPlain(nil), r.Offset, r.Index, r.TimeMillis, r.Marks, r.Part))
	}
	return list
}

// A batch of a delivery stream has thousands of small records, so none of them may cost memory.
func TestSmallDataAllocatesNothing(t *testing.T) {
	var d Decoder
	origin := record.Origin{Kind: record.Firehose}
	data := []byte("2 123456789012 eni-0a1b2c3d 192.0.2.10 198.51.100.7 1 2 6 1 40 1769938170 1769938199 REJECT OK\n")
	lines := 0
	take := func(*record.Record, error) bool { lines++; return true }
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := d.Enter(Input{Data: data, Origin: &origin, Name: "shop-logs", MaxPlainBytes: 1 << 20}); err != nil {
			t.Fatal(err)
		}
		d.Each(take)
	}))
	assert.Equal(t, 101, lines)
}
