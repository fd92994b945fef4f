package forward

import (
	"bytes"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/batch"
	"sluice/internal/config"
	"sluice/internal/record"
)

// loses has the first destination lose what it is given without a word, as a bug in our encoding might.
func (r *rig) loses() *rig {
	l := r.lanes[0]
	l.reshape = func(rec *record.Record) []*record.Record {
		l.builder.Start(func(*batch.Batch) {})
		return []*record.Record{rec}
	}
	return r
}

// Whoever owns the event, all of it comes again when its lines cannot be accounted for: neither the results of other
// units nor an answer that has been made already tell more.
func TestOwnersKeepWhatDoesNotBalance(t *testing.T) {
	given := handlers(t)
	for name, tc := range map[string]struct {
		handler func(*Forwarder) Handler
		event   func(r *rig) []byte
		answer  string // empty for an error
	}{
		"cloudwatch": {CloudWatch, func(*rig) []byte { return given["cloudwatch"].event }, ""},
		"kinesis":    {Kinesis, func(*rig) []byte { return given["kinesis"].event }, from(0)},
		"S3":         {S3, func(r *rig) []byte { return []byte(native(r.s3.lines("a.log", "a"))) }, ""},
		"a queue": {S3, func(r *rig) []byte {
			return inQueue(native(r.s3.lines("a.log", "a")), native(r.s3.lines("b.log", "b")))
		}, ""},
		"a queue with a message that failed": {S3, func(r *rig) []byte {
			return inQueue(native(r.s3.lines("a.log", "a")), `{"Records":[{"eventSource":"aws:s3"}]}`)
		}, ""},
		"a job":             {S3, func(r *rig) []byte { return batchJob("2.0", r.s3.lines("a.log", "a", "b")) }, ""},
		"a delivery stream": {Firehose, func(*rig) []byte { return transformationOf("", putTexts("a", "b")) }, ""},
		"replay of a note":  {Replay, func(*rig) []byte { return []byte(`{"replay":{}}`) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP("dead_raw: false,"))
				switch name {
				case "a delivery stream":
					r = newTeeRig(t, config.OutputDatadog, "")
				case "replay of a note":
					r.shelvePointer(t, r.s3.lines("a.log", "a", "b"), 0, nil)
				}
				r.loses().ticking()
				answer, err := tc.handler(r.Forwarder).Invoke(lambdaContext(t), tc.event(r))
				if tc.answer == "" {
					require.ErrorContains(t, err, "does not balance")
				} else {
					require.NoError(t, err)
				}
				assert.Equal(t, tc.answer, string(answer))
				assert.Empty(t, r.intake.taken(t, hostOfLane("a")), "the lines are lost, else nothing is tested")
				line, _, _ := bytes.Cut(r.out.Bytes(), []byte("\n"))
				assert.Contains(t, string(line), `destination \"a\" does not balance`)
				assert.NotContains(t, string(line), `"Unaccounted":0,`)
			})
		})
	}
}
