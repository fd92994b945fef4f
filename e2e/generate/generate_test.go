package generate

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var now = time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)

func TestSameSeedSamePayloads(t *testing.T) {
	a, b, other := New(7, now), New(7, now), New(8, now)
	for range origins {
		first, second := a.Payload(50), b.Payload(50)
		assert.Equal(t, first, second)
		assert.Equal(t, first.Gzip(), second.Gzip())
		assert.NotEqual(t, first.Document, other.Payload(50).Document)
	}
}

func TestEveryLineCanBeRecognised(t *testing.T) {
	g := New(1, now)
	ids, payloads, empty := map[string]bool{}, map[string]bool{}, 0
	for range 20 {
		p := g.Payload(200)
		payloads[p.ID] = true
		var doc document
		require.NoError(t, json.Unmarshal(p.Document, &doc))
		require.Len(t, doc.LogEvents, len(p.Lines))
		for i, e := range doc.LogEvents {
			line := p.Lines[i]
			require.Equal(t, p.ID, line.Payload)
			require.Equal(t, e.ID, line.EventID)
			require.Regexp(t, `^\d{56}$`, e.ID)
			require.WithinRange(t, time.UnixMilli(e.Millis), now.Add(-time.Minute), now)
			ids[e.ID] = true
			if line.Mark == (Mark{}) {
				require.Empty(t, e.Message)
				empty++
				continue
			}
			mark, found, intact := ReadMark(e.Message)
			require.True(t, found && intact, "line %d: %q", i, e.Message)
			require.Equal(t, line.Mark, mark)
			require.True(t, utf8.ValidString(e.Message))
			require.True(t, json.Valid([]byte(e.Message)), "%q", e.Message)
		}
	}
	assert.Len(t, ids, 20*200)
	assert.Len(t, payloads, 20)
	assert.Positive(t, empty)
}

func TestControl(t *testing.T) {
	p := New(1, now).Control()
	var doc document
	require.NoError(t, json.Unmarshal(p.Document, &doc))
	assert.Equal(t, "CONTROL_MESSAGE", doc.MessageType)
	assert.Equal(t, []Line{{Payload: p.ID, Rule: RuleControlMessage}}, p.Lines)
}

func TestReadMark(t *testing.T) {
	whole := Mark{Src: "lambda", Seq: 41}.message(`"pad":"x"`, "\n")
	for name, tc := range map[string]struct {
		message       string
		found, intact bool
	}{
		"as it was":                   {message: whole, found: true, intact: true},
		"without its last newline":    {message: whole[:len(whole)-1], found: true},
		"a byte changed":              {message: string(bytes.Replace([]byte(whole), []byte(`"x"`), []byte(`"y"`), 1)), found: true},
		"cut inside its checksum":     {message: whole[:32], found: true},
		"cut inside its mark":         {message: whole[:12]},
		"another message":             {message: "hello"},
		"spaces where there are none": {message: `{ "seq":1,"src":"a","crc":"00000000"}`},
	} {
		t.Run(name, func(t *testing.T) {
			mark, found, intact := ReadMark(tc.message)
			assert.Equal(t, tc.found, found)
			assert.Equal(t, tc.intact, intact)
			if found {
				assert.Equal(t, Mark{Src: "lambda", Seq: 41}, mark)
			}
		})
	}
}

func TestEnvelopesCarryTheDocument(t *testing.T) {
	p := New(1, now).Payload(10)
	record := p.Record("shardId-000000000000", now)
	assert.Equal(t, p.ID, record.Sequence)
	r, err := gzip.NewReader(bytes.NewReader(record.Data))
	require.NoError(t, err)
	plain, err := io.ReadAll(r)
	require.NoError(t, err)
	assert.Equal(t, p.Document, plain)

	body, err := p.Event()
	require.NoError(t, err)
	var event struct {
		AWSLogs struct{ Data []byte } `json:"awslogs"`
	}
	require.NoError(t, json.Unmarshal(body, &event))
	assert.Equal(t, record.Data, event.AWSLogs.Data)
}

func TestPadsCompressAsTheySay(t *testing.T) {
	g := New(1, now)
	assert.Greater(t, len(g.Filled(200, Random(2_000)).Gzip()), 200*2_000*7/10)
	assert.Less(t, len(g.Filled(200, Repetitive(2_000)).Gzip()), 200*2_000/20)
}
