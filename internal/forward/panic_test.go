package forward

import (
	"bytes"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/batch"
	"sluice/internal/deliver"
	"sluice/internal/destination"
	"sluice/internal/record"
)

// panicking is a destination with a bug that some line meets.
type panicking struct {
	destination.Destination
	at    string // the line that does it
	value any    // nil for a fault that the runtime finds
}

func (p panicking) Append(dst []byte, r *record.Record) []byte {
	if bytes.Contains(r.Message.Bytes, []byte(p.at)) {
		if p.value != nil {
			panic(p.value)
		}
		_ = dst[cap(dst):][len(r.Message.Bytes)]
	}
	return p.Destination.Append(dst, r)
}

// breakLane puts a bug into the first destination.
func breakLane(r *rig, p panicking) {
	sender := r.lanes[0].sender
	p.Destination = sender.Destination()
	r.lanes[0] = newLane(deliver.NewSender(p, &http.Client{Transport: r.intake}, deliver.Options{}), "test", batch.Truncate)
}

// A panic costs an event a second delivery, and no more: the process lives and the next event is as good as any.
func TestPanicReturnsTheEvent(t *testing.T) {
	for name, p := range map[string]panicking{
		"our own words":          {at: "line 1", value: "boom " + canary},
		"an error with the line": {at: "line 1", value: errors.New(canary)},
		"the runtime's":          {at: "line 1"},
		"at the first line":      {at: "line 0", value: canary},
		"at the last line":       {at: "line 2", value: canary},
	} {
		for entry, h := range handlers(t) {
			t.Run(name+", "+entry, func(t *testing.T) {
				r := newRig(t, both)
				usual := r.lanes[0]
				breakLane(r, p)
				answer, ledger, err := r.invoke(t, h.handler, h.event)
				require.ErrorContains(t, err, "panic", "the whole event comes again: lines before the panic were not sent")
				assert.Empty(t, answer)
				assert.Contains(t, ledger.Error, "panic")
				for id, c := range ledger.Destinations {
					assert.Positive(t, c.Returned["panic"], id)
					assert.Zero(t, c.Delivered, id)
				}

				r.lanes[0] = usual
				answer, ledger, err = r.invoke(t, h.handler, h.event)
				require.NoError(t, err)
				assert.Equal(t, h.taken, answer)
				assert.Equal(t, numbered(3), r.intake.messages(t, datadogHost))
				assert.Equal(t, numbered(3), r.intake.messages(t, archiveHost))
				assert.Equal(t, 3, ledger.Destinations["datadog"].In)
			})
		}
	}
}

// What was sent before a panic counts as sent.
func TestPanicAfterBatches(t *testing.T) {
	r := newRig(t, oneHTTP)
	breakLane(r, panicking{at: "line 7", value: "boom"})
	_, ledger, err := r.invoke(t, CloudWatch, direct(packed(t, document(t, numbered(10)...))))
	require.ErrorContains(t, err, "panic")
	c := ledger.Destinations["archive"]
	assert.Equal(t, 6, c.Delivered, "a line is sent when the next one does not fit any more")
	assert.Len(t, r.intake.messages(t, archiveHost), 6)
	assert.Equal(t, map[string]int{"panic": c.In - 6}, c.Returned)
}
