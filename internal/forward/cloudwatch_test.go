package forward

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// joined puts byte slices behind each other.
func joined(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// broken returns data with a byte flipped, counted from the end if at is negative.
func broken(data []byte, at int) []byte {
	data = slices.Clone(data)
	if at < 0 {
		at += len(data)
	}
	data[at] ^= 0x55
	return data
}

// However an event is packed, all of its lines arrive, once and in order.
func TestCloudWatchDelivers(t *testing.T) {
	two := document(t, numbered(2)...)
	control := documentOf(t, "CONTROL_MESSAGE", "", "CWL CONTROL MESSAGE: Checking health of destination.")
	for name, tc := range map[string]struct {
		event   []byte
		want    []string
		dropped int
	}{
		"one document":                 {direct(packed(t, two)), numbered(2), 0},
		"two documents":                {direct(packed(t, joined(two, document(t, "x", "y")))), append(numbered(2), "x", "y"), 0},
		"two gzip members":             {direct(joined(packed(t, two), packed(t, document(t, "x")))), append(numbered(2), "x"), 0},
		"a document in two members":    {direct(joined(packed(t, two[:100]), packed(t, two[100:]))), numbered(2), 0},
		"not compressed":               {direct(two), numbered(2), 0},
		"no padding, URL alphabet":     {fmt.Appendf(nil, `{"awslogs":{"data":%q}}`, base64.RawURLEncoding.EncodeToString(packed(t, two))), numbered(2), 0},
		"other members in the event":   {fmt.Appendf(nil, `{"x":{"awslogs":1},"awslogs":{"y":2,"data":%q}}`, base64.StdEncoding.EncodeToString(packed(t, two))), numbered(2), 0},
		"no events":                    {direct(packed(t, document(t))), []string{}, 0},
		"control message":              {direct(packed(t, control)), []string{}, 1},
		"control message among others": {direct(packed(t, joined(two, control, document(t, "x")))), append(numbered(2), "x"), 1},
		"an empty message is a line":   {direct(packed(t, document(t, "", "x"))), []string{"", "x"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, both)
			answer, ledger, err := r.invoke(t, CloudWatch, tc.event)
			require.NoError(t, err)
			assert.Equal(t, "null", answer)
			for id, host := range map[string]string{"archive": archiveHost, "datadog": datadogHost} {
				assert.Equal(t, tc.want, r.intake.messages(t, host))
				assert.Equal(t, len(tc.want)+tc.dropped, ledger.Destinations[id].In)
				assert.Equal(t, len(tc.want), ledger.Destinations[id].Delivered)
				assert.Equal(t, tc.dropped, ledger.Destinations[id].Dropped["control_message"])
			}
		})
	}
}

// Whatever is wrong with an event, the lines before the fault are delivered, the rest counts as one line that goes back,
// and the event is returned with an error that says what is wrong and where.
func TestCloudWatchDecodeFaults(t *testing.T) {
	const lines = 300
	doc := document(t, numbered(lines)...)
	gz := packed(t, doc)
	half := stored(t, doc)
	half = half[:len(half)/2]
	text := func(data string) []byte { return fmt.Appendf(nil, `{"awslogs":{"data":%q}}`, data) }

	for name, tc := range map[string]struct {
		event  []byte
		err    []string // all in the error
		reason string
		least  int // lines that are delivered
		most   int
	}{
		"no base64":                  {text("****" + canary), []string{"awslogs.data", "base64", "byte 0"}, "decode", 0, 0},
		"base64 breaks off":          {text(base64.StdEncoding.EncodeToString(gz)[:101]), []string{"awslogs.data", "byte 101"}, "decode", 0, 0},
		"gzip breaks off":            {direct(half), []string{"byte", "gunzip", "unexpected EOF"}, "decode", lines/2 - 10, lines / 2},
		"gzip breaks off at once":    {direct(gz[:5]), []string{"gunzip", "unexpected EOF"}, "decode", 0, 0},
		"gzip without its trailer":   {direct(gz[:len(gz)-8]), []string{"gunzip", "unexpected EOF"}, "decode", lines, lines},
		"wrong checksum":             {direct(broken(gz, -8)), []string{"gunzip", "checksum"}, "decode", lines, lines},
		"wrong length":               {direct(broken(gz, -4)), []string{"gunzip"}, "decode", lines, lines},
		"second member broken":       {direct(joined(gz, broken(packed(t, document(t, "x")), -8))), []string{"gunzip", "checksum"}, "decode", lines, lines + 1},
		"rubbish behind the member":  {direct(joined(gz, []byte(canary))), []string{"gunzip"}, "decode", lines, lines},
		"not JSON":                   {direct(packed(t, []byte(canary+" is no JSON"))), []string{"byte 0", "JSON object"}, "decode", 0, 0},
		"text, not compressed":       {direct([]byte(canary)), []string{"byte 0", "JSON object"}, "decode", 0, 0},
		"another shape":              {direct(packed(t, []byte(`{"Records":["`+canary+`"]}`))), []string{"no logEvents"}, "decode", 0, 0},
		"second document broken":     {direct(packed(t, joined(doc, []byte(`{"logEvents":[`+canary)))), []string{"byte"}, "decode", lines, lines},
		"an event is no object":      {direct(packed(t, bytes.Replace(doc, []byte(`,{"id":"`+fmt.Sprintf("%056d", 200)), []byte(`,7,{"id":"`), 1))), []string{"byte", "no object"}, "decode", 200, 200},
		"unknown message type":       {direct(packed(t, documentOf(t, "OTHER_MESSAGE", "shop", canary))), []string{"DATA_MESSAGE"}, "decode", 0, 0},
		"no data":                    {text(""), []string{"awslogs.data is empty"}, "decode", 0, 0},
		"data is no text":            {[]byte(`{"awslogs":{"data":7}}`), []string{"awslogs.data", "base64"}, "decode", 0, 0},
		"no data member":             {[]byte(`{"awslogs":{"payload":"` + canary + `"}}`), []string{`expected "data"`, "payload"}, "decode", 0, 0},
		"an event of another kind":   {[]byte(`{"Records":[{"s3":"` + canary + `"}]}`), []string{`expected "awslogs"`, "Records"}, "decode", 0, 0},
		"an event without a member":  {[]byte(`{}`), []string{`expected "awslogs"`}, "decode", 0, 0},
		"an event that is no object": {[]byte(`"` + canary + `"`), []string{"CloudWatch Logs event", "object"}, "decode", 0, 0},
		"an event that breaks off":   {direct(gz)[:100], []string{"CloudWatch Logs event", "byte"}, "decode", 0, 0},
		"nothing at all":             {nil, []string{"CloudWatch Logs event"}, "decode", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, both)
			_, ledger, err := r.invoke(t, CloudWatch, tc.event)
			for _, part := range tc.err {
				require.ErrorContains(t, err, part)
			}
			for id, host := range map[string]string{"archive": archiveHost, "datadog": datadogHost} {
				got, c := r.intake.messages(t, host), ledger.Destinations[id]
				assert.Equal(t, append(numbered(lines), "x")[:len(got)], got, "lines before the fault stand")
				assert.GreaterOrEqual(t, len(got), tc.least)
				assert.LessOrEqual(t, len(got), tc.most)
				assert.Equal(t, len(got), c.Delivered)
				assert.Equal(t, map[string]int{tc.reason: 1}, c.Returned, "the rest is one line")
			}
		})
	}
}

func TestCloudWatchBomb(t *testing.T) {
	lines := make([]string, 1000)
	for i := range lines {
		lines[i] = strings.Repeat("x", 2000)
	}
	event := direct(packed(t, document(t, lines...)))
	require.Less(t, len(event), 100_000)

	r := newRigOf(t, map[string]string{"SLUICE_CONFIG": both, "SLUICE_MAX_INFLATED_BYTES": "1MiB"})
	_, ledger, err := r.invoke(t, CloudWatch, event)
	require.ErrorContains(t, err, "more than 1048576 bytes (raise SLUICE_MAX_INFLATED_BYTES")
	for id := range ledger.Destinations {
		assert.InDelta(t, 1<<20/2100, ledger.Destinations[id].Delivered, 25, "lines within the limit stand")
		assert.Equal(t, map[string]int{"decode_bomb": 1}, ledger.Destinations[id].Returned)
	}

	r = newRigOf(t, map[string]string{"SLUICE_CONFIG": both, "SLUICE_MAX_INFLATED_BYTES": "4MiB"})
	_, ledger, err = r.invoke(t, CloudWatch, event)
	require.NoError(t, err)
	assert.Equal(t, len(lines), ledger.Destinations["datadog"].Delivered)
}

// A container that met a fault is as good as new.
func TestCloudWatchAfterAFault(t *testing.T) {
	r := newRig(t, both)
	gz := packed(t, document(t, numbered(50)...))
	for _, event := range [][]byte{direct(gz[:len(gz)-20]), direct(broken(gz, 30)), []byte("{"), direct(packed(t, []byte("[")))} {
		_, _, err := r.invoke(t, CloudWatch, event)
		require.Error(t, err)
		r.intake.got = nil
		_, ledger, err := r.invoke(t, CloudWatch, direct(gz))
		require.NoError(t, err)
		assert.Equal(t, numbered(50), r.intake.messages(t, archiveHost))
		assert.Equal(t, 50, ledger.Destinations["archive"].In)
	}
}
