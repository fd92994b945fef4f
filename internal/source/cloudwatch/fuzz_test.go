package cloudwatch

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

// payloads are the samples and every payload of the tables.
func payloads(tb testing.TB) map[string][]byte {
	tb.Helper()
	all := map[string][]byte{}
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(tb, err)
	require.NotEmpty(tb, files)
	for _, file := range files {
		all[file], err = os.ReadFile(file)
		require.NoError(tb, err)
	}
	for name, r := range documentRows() {
		all["document: "+name] = []byte(r.payload)
	}
	for name, r := range memberRows() {
		all["member: "+name] = []byte(r.payload)
	}
	for name, r := range messageRows() {
		for _, usual := range []bool{true, false} {
			all[fmt.Sprintf("message: %s, usual=%t", name, usual)] = []byte(document(firstEvent, messageEvent(r.message, usual)))
		}
	}
	return all
}

// asReference gives an event of the decoder the form that those of the reference have.
func asReference(e event) event {
	e.line = ""
	if e.jsonID {
		e.id = canonical([]byte(e.id))
	}
	if e.jsonMessage {
		e.message = canonical([]byte(e.message))
	}
	members := e.members
	e.members = nil
	for _, m := range members {
		e.members = append(e.members, member{string(record.AppendUnescaped(nil, []byte(m.name))), canonical([]byte(m.value))})
	}
	return e
}

// matchReference holds the decoder against the reference, and against itself when it is fed byte by byte.
func matchReference(t *testing.T, payload []byte) {
	t.Helper()
	want, wantErr := referenceEvents(payload)
	var d Decoder
	got, err := decode(t, &d, bytes.NewReader(payload))
	require.Equal(t, wantErr == nil, err == nil, "the reference says %v, the decoder %v", wantErr, err)
	require.Len(t, got, len(want), "the reference ends with %v, the decoder with %v", wantErr, err)
	for i := range want {
		require.Equal(t, want[i], asReference(got[i]), "record %d", i)
	}

	slow, slowErr := decode(t, &d, iotest.OneByteReader(bytes.NewReader(payload)))
	require.Equal(t, got, slow)
	require.Equal(t, err, slowErr)
}

func TestRecordsMatchReference(t *testing.T) {
	for name, payload := range payloads(t) {
		t.Run(name, func(t *testing.T) { matchReference(t, payload) })
	}
}

func FuzzRecords(f *testing.F) {
	for _, payload := range payloads(f) {
		f.Add(payload)
	}
	f.Fuzz(matchReference)
}
