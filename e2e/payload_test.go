package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/generate"
	"sluice/e2e/stack/envelope"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

// sendData queues one event with any bytes in awslogs.data. All lines that are in it belong to the event id.
func (r *rig) sendData(id string, data []byte) {
	r.t.Helper()
	event, err := envelope.CloudWatch(data)
	require.NoError(r.t, err)
	require.NoError(r.t, r.queue.Send(id, event))
	for i := range r.lines {
		r.lines[i].Payload = id
	}
}

// Shapes of a payload that lenient readers lose a part of.
func TestUnusualPayloads(t *testing.T) {
	for name, data := range map[string]func(a, b generate.Payload) []byte{
		"two gzip members":           func(a, b generate.Payload) []byte { return append(a.Gzip(), b.Gzip()...) },
		"two documents in one":       func(a, b generate.Payload) []byte { return joined(a, b, "").Gzip() },
		"two documents on two lines": func(a, b generate.Payload) []byte { return joined(a, b, "\n").Gzip() },
		"not compressed":             func(a, b generate.Payload) []byte { return joined(a, b, "").Document },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, setup{})
			r.sendData("event", data(r.payload(100), r.payload(100)))
			r.drain()

			report := r.audit()

			assert.Equal(t, deliverable(r.lines), report.Delivered)
			assert.Zero(t, report.TotalDuplicates())
		})
	}
}

func joined(a, b generate.Payload, between string) generate.Payload {
	a.Document = append(append(append([]byte{}, a.Document...), between...), b.Document...)
	return a
}

// What cannot be read is never acknowledged, and does no harm to the events around it.
func TestUnreadablePayloads(t *testing.T) {
	for name, data := range map[string]func(generate.Payload) []byte{
		"gzip cut short":   func(p generate.Payload) []byte { return p.Gzip()[:200] },
		"a wrong checksum": func(p generate.Payload) []byte { z := p.Gzip(); z[len(z)-6] ^= 1; return z },
		"nothing":          func(generate.Payload) []byte { return nil },
		"not JSON":         func(generate.Payload) []byte { return []byte("hello") },
		"JSON cut short":   func(p generate.Payload) []byte { return p.Document[:len(p.Document)/2] },
		"another message type": func(p generate.Payload) []byte {
			return []byte(strings.Replace(string(p.Document), "DATA_MESSAGE", "NEW_MESSAGE", 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, setup{})
			r.sendData("event", data(r.payload(50)))
			r.send(50)
			r.drain()

			require.Len(t, r.queue.Failures, 1)
			assert.Equal(t, []string{"event"}, r.queue.Failures[0].Payloads)
			report := r.audit()
			assert.Equal(t, deliverable(r.lines), report.Delivered+report.Returned)
			assert.GreaterOrEqual(t, report.Delivered, 50, "the other event")
		})
	}
}

// An intake that cuts what is too large must not get it: the record is made to fit here, and marked.
func TestMessageOverTheRecordLimit(t *testing.T) {
	const size = 1_500_000
	doc, err := json.Marshal(map[string]any{
		"messageType": "DATA_MESSAGE", "owner": "123456789012", "logGroup": "g", "logStream": "s", "subscriptionFilters": []string{"f"},
		"logEvents": []map[string]any{{
			"id": strings.Repeat("7", 56), "timestamp": 1_769_938_200_000, "message": strings.Repeat("long line ", size/10),
		}},
	})
	require.NoError(t, err)
	r := newRig(t, setup{})
	r.sendData("event", generate.Payload{Document: doc}.Gzip())

	d := r.step()

	require.Equal(t, owner.Taken, d.Outcome)
	entries := r.intake.Entries()
	require.Len(t, entries, 1)
	assert.False(t, entries[0].Truncated, "by the intake")
	assert.Greater(t, len(entries[0].Message), 900_000)
	assert.True(t, strings.HasPrefix(entries[0].Message, "long line long line "))
	assert.Equal(t, 1, r.ledger(d).Destinations[defaultDest].Marked["truncated"])
}

// An outage costs few requests, however many events come.
func TestOutageDoesNotMultiplyRequests(t *testing.T) {
	const events = 40
	r := newRig(t, setup{})
	r.intake.SetScript(intake.Always(intake.Refuse(http.StatusServiceUnavailable)))
	for range events {
		r.send(20)
	}
	r.drain()

	report := r.audit()

	assert.Equal(t, deliverable(r.lines), report.Returned)
	assert.LessOrEqual(t, len(r.intake.Requests()), events*12/10, "delivery contract 2.5: 1.2 times the requests")
}
