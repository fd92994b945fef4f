package forward

import (
	"bytes"
	stdgzip "compress/gzip"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// document is a subscription payload of these messages, each with the canary in it.
func document(t *testing.T, messages ...string) []byte {
	t.Helper()
	return documentOf(t, "DATA_MESSAGE", "shop", messages...)
}

func documentOf(t *testing.T, messageType, group string, messages ...string) []byte {
	t.Helper()
	type event struct {
		ID        string `json:"id"`
		Timestamp int64  `json:"timestamp"`
		Message   string `json:"message"`
	}
	events := []event{}
	for i, message := range messages {
		events = append(events, event{fmt.Sprintf("%056d", i), start.UnixMilli() - 1000, message})
	}
	doc, err := json.Marshal(map[string]any{
		"messageType": messageType, "owner": "123456789012", "logGroup": group, "logStream": "main",
		"subscriptionFilters": []string{"sluice"},
	})
	require.NoError(t, err)
	list, err := json.Marshal(events)
	require.NoError(t, err)
	doc = append(doc[:len(doc)-1], `,"logEvents":`...) // last, as the service writes it
	return append(append(doc, list...), '}')
}

// numbered are n different messages.
func numbered(n int) []string {
	messages := make([]string, n)
	for i := range messages {
		messages[i] = fmt.Sprintf("line %d %s", i, canary)
	}
	return messages
}

// packed is data as one gzip member.
func packed(t *testing.T, data []byte) []byte {
	t.Helper()
	return packedAt(t, data, stdgzip.DefaultCompression)
}

// stored is a gzip member whose bytes are not compressed, so that it can be cut anywhere.
func stored(t *testing.T, data []byte) []byte {
	t.Helper()
	return packedAt(t, data, stdgzip.NoCompression)
}

func packedAt(t *testing.T, data []byte, level int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := stdgzip.NewWriterLevel(&b, level)
	require.NoError(t, err)
	_, err = w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// direct is the event of a direct invocation.
func direct(data []byte) []byte {
	return fmt.Appendf(nil, `{"awslogs":{"data":%q}}`, base64.StdEncoding.EncodeToString(data))
}

const streamARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/s"

// sequence is the sequence number of the record with this number.
func sequence(i int) string {
	return fmt.Sprintf("4959033827149025660855969253836157109592157598913658%04d", i)
}

// batchOf is an event of the records' bytes, with sequence numbers that count from 0.
func batchOf(records ...[]byte) []byte {
	texts := make([]string, len(records))
	for i, data := range records {
		texts[i] = base64.StdEncoding.EncodeToString(data)
	}
	return batchOfTexts(texts...)
}

// batchOfTexts is batchOf for data that is base64 already, or is not.
func batchOfTexts(texts ...string) []byte {
	event := []byte(`{"Records":[`)
	for i, text := range texts {
		if i > 0 {
			event = append(event, ',')
		}
		event = fmt.Appendf(event, `{"kinesis":{"sequenceNumber":%q,"data":%q,"approximateArrivalTimestamp":%d.123},`+
			`"eventID":"shardId-000000000000:%s","eventSourceARN":%q,"awsRegion":"eu-west-1"}`,
			sequence(i), text, start.Unix()-60, sequence(i), streamARN)
	}
	return append(event, "]}"...)
}

// aggregate packs user records as the Kinesis Producer Library does.
func aggregate(users ...[]byte) []byte {
	var message []byte
	field := func(dst []byte, number byte, data []byte) []byte {
		dst = append(dst, number<<3|2)
		n := len(data)
		for ; n >= 0x80; n >>= 7 {
			dst = append(dst, byte(n)|0x80)
		}
		return append(append(dst, byte(n)), data...)
	}
	message = field(message, 1, []byte("key"))
	for _, data := range users {
		message = field(message, 3, field([]byte{1 << 3, 0}, 3, data))
	}
	sum := md5.Sum(message)
	return append(append([]byte("\xf3\x89\x9a\xc2"), message...), sum[:]...)
}
