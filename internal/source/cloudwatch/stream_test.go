package cloudwatch

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/compress"
)

// TestRecordsTruncatedAtEveryByte: the records that are whole stand, and there is an error with a place unless the cut is
// between documents.
func TestRecordsTruncatedAtEveryByte(t *testing.T) {
	other := `{"message":"th\u0072ee","timestamp":"3","id":"e3","x":[1,{"a":null}]}`
	otherLine := `e3@3 three +x=[1,{"a":null}]`
	first := document(firstEvent, other, secondEvent)
	payload := first + " " + document(secondEvent)
	ends := map[int]string{ // of the events in the payload
		strings.Index(payload, firstEvent) + len(firstEvent):       firstLine,
		strings.Index(payload, other) + len(other):                 otherLine,
		strings.Index(payload, secondEvent) + len(secondEvent):     secondLine,
		strings.LastIndex(payload, secondEvent) + len(secondEvent): secondLine,
	}

	var d Decoder
	var want []string
	for cut := 1; cut < len(payload); cut++ {
		if text, ok := ends[cut]; ok {
			want = append(want, text)
		}
		events, err := decode(t, &d, strings.NewReader(payload[:cut]))
		require.Equal(t, want, lines(events), "cut at %d: %s", cut, payload[:cut])
		if cut == len(first) || cut == len(first)+1 {
			require.NoError(t, err, "cut at %d", cut)
			continue
		}
		var placed *Error
		require.ErrorAs(t, err, &placed, "cut at %d", cut)
		require.LessOrEqual(t, placed.Offset, int64(cut))
		require.ErrorIs(t, err, errShort, "cut at %d", cut)
	}
}

func TestRecordsTruncatedBeforeTheHeader(t *testing.T) {
	payload := `{"logEvents":[` + firstEvent + `],` + head[1:] + `[` + secondEvent + `]}`
	for cut := 1; cut < len(payload); cut++ {
		events, err := decode(t, new(Decoder), strings.NewReader(payload[:cut]))
		require.Empty(t, events, "no record before its origin is known")
		require.ErrorIs(t, err, errShort)
	}
}

// manyEvents is a payload of several windows, in which events meet the ends of windows at many places.
func manyEvents(n int) (payload string, want []string) {
	events := make([]string, n)
	for i := range events {
		text := fmt.Sprintf("é line %d ", i) + strings.Repeat("x", i%97)
		events[i] = fmt.Sprintf(`{"id":"%d","timestamp":%d,"message":"%s\n"}`, i, i+1, text)
		want = append(want, fmt.Sprintf("%d@%d %s\n", i, i+1, text))
	}
	return document(events...), want
}

// eventsFirst turns a payload of the usual order around.
func eventsFirst(payload string) string {
	return `{"logEvents":` + strings.TrimPrefix(payload[:len(payload)-1], head) + `,` + head[1:] + `null}`
}

func TestRecordsOfEveryReader(t *testing.T) {
	payload, want := manyEvents(3000)
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"as it comes":     func(r io.Reader) io.Reader { return r },
		"a byte a time":   iotest.OneByteReader,
		"half of the ask": iotest.HalfReader,
		"data with EOF":   iotest.DataErrReader,
		"nothing, often":  func(r io.Reader) io.Reader { return &hesitant{r: r} },
	} {
		t.Run(name, func(t *testing.T) {
			events, err := decode(t, new(Decoder), wrap(strings.NewReader(payload)))
			require.NoError(t, err)
			assert.Equal(t, want, lines(events))
		})
	}
}

// hesitant reads nothing every second time.
type hesitant struct {
	r    io.Reader
	turn int
}

func (h *hesitant) Read(p []byte) (int, error) {
	if h.turn++; h.turn%2 == 0 {
		return 0, nil
	}
	return h.r.Read(p)
}

// silent never reads anything and never ends.
type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }

func TestRecordsReaderFails(t *testing.T) {
	broken := errors.New("connection reset")
	payload, want := manyEvents(3000)
	for name, tc := range map[string]struct {
		r    io.Reader
		want int // records before the error
		err  error
	}{
		"at once":                {iotest.ErrReader(broken), 0, broken},
		"in the header":          {io.MultiReader(strings.NewReader(payload[:20]), iotest.ErrReader(broken)), 0, broken},
		"between documents":      {io.MultiReader(strings.NewReader(payload), iotest.ErrReader(broken)), 3000, broken},
		"in the last event":      {io.MultiReader(strings.NewReader(payload[:len(payload)-4]), iotest.ErrReader(broken)), 2999, broken},
		"with data":              {iotest.DataErrReader(io.MultiReader(strings.NewReader(payload[:len(payload)-4]), iotest.ErrReader(broken))), 2999, broken},
		"never a byte more":      {io.MultiReader(strings.NewReader(payload[:len(payload)-4]), silent{}), 2999, io.ErrNoProgress},
		"never a byte":           {silent{}, 0, io.ErrNoProgress},
		"timeout of the network": {iotest.TimeoutReader(iotest.HalfReader(strings.NewReader(payload))), 0, iotest.ErrTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			events, err := decode(t, new(Decoder), tc.r)
			require.ErrorIs(t, err, tc.err)
			var placed *Error
			require.ErrorAs(t, err, &placed)
			if tc.want > 0 {
				assert.Equal(t, want[:tc.want], lines(events))
			}
		})
	}
}

func packed(text string) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return out.Bytes()
}

func TestRecordsGunzip(t *testing.T) {
	whole := packed(document(firstEvent))
	wrongSum := bytes.Clone(whole)
	wrongSum[len(wrongSum)-8] ^= 1
	for name, tc := range map[string]struct {
		packed []byte
		limit  int64
		want   []string
		err    string
	}{
		"one member":                                  {whole, 1 << 20, []string{firstLine}, ""},
		"two members, two documents":                  {append(bytes.Clone(whole), packed(document(secondEvent))...), 1 << 20, []string{firstLine, secondLine}, ""},
		"a document cut by two members":               {append(packed(head[:30]), packed(head[30:]+`[`+firstEvent+`]}`)...), 1 << 20, []string{firstLine}, ""},
		"checksum wrong: records before it stand":     {wrongSum, 1 << 20, []string{firstLine}, "gunzip: gzip: invalid checksum"},
		"checksum of the second of two wrong":         {append(bytes.Clone(whole), wrongSum...), 1 << 20, []string{firstLine, firstLine}, "invalid checksum"},
		"truncated behind the last byte of plain":     {whole[:len(whole)-8], 1 << 20, []string{firstLine}, "unexpected EOF"},
		"text behind the member":                      {append(bytes.Clone(whole), "text behind it"...), 1 << 20, []string{firstLine}, "invalid header"},
		"over the cap in the second document":         {append(bytes.Clone(whole), whole...), int64(len(document(firstEvent)) + 20), []string{firstLine}, "inflates to more than"},
		"a cap that is met exactly":                   {whole, int64(len(document(firstEvent))), []string{firstLine}, ""},
		"a cap that is met but for the last brace":    {whole, int64(len(document(firstEvent)) - 1), []string{firstLine}, "inflates to more than"},
		"empty members before and behind a document":  {append(append(packed(""), whole...), packed("")...), 1 << 20, []string{firstLine}, ""},
		"a member of white space behind the document": {append(bytes.Clone(whole), packed(" \n")...), 1 << 20, []string{firstLine}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var g compress.Gunzip
			require.NoError(t, g.Reset(tc.packed, tc.limit))
			events, err := decode(t, new(Decoder), &g)
			assert.Equal(t, tc.want, lines(events))
			if tc.err == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, tc.err)
			}
		})
	}
}

func TestRecordsConsumerStops(t *testing.T) {
	payload, want := manyEvents(50)
	var d Decoder
	for name, text := range map[string]string{"events last": payload, "events first": eventsFirst(payload)} {
		for stop := range want {
			var got []string
			for rec, err := range d.Records(strings.NewReader(text+text), base()) {
				require.NoError(t, err, name)
				if got = append(got, eventOf(t, rec).line); len(got) > stop {
					break
				}
			}
			require.Equal(t, want[:stop+1], got, name)
		}
	}
	for _, err := range d.Records(strings.NewReader("no document"), base()) {
		require.Error(t, err)
		break // at the error
	}
	events, err := decode(t, &d, strings.NewReader(payload))
	require.NoError(t, err, "and the decoder is as good as new")
	assert.Equal(t, want, lines(events))
}

func TestRecordsWindow(t *testing.T) {
	long := strings.Repeat("x", maxWindowBytes)
	for name, tc := range map[string]struct {
		payload string
		want    int
	}{
		"a message that does not fit": {document(firstEvent, messageEvent(long, true), secondEvent), 1},
		"a member that does not fit":  {`{"x":"` + long + `",` + head[1:] + `[]}`, 0},
		"a word that does not end":    {`{"x":` + long, 0},
		"white space without an end":  {head + `[` + strings.Repeat(" ", maxWindowBytes+1) + `]}`, 0},
		"events before their header":  {`{"logEvents":[` + firstEvent + `,` + messageEvent(long, true) + `],` + head[1:] + `null}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var d Decoder
			events, err := decode(t, &d, strings.NewReader(tc.payload))
			assert.Len(t, events, tc.want)
			assert.ErrorContains(t, err, fmt.Sprintf("more than %d bytes to be held at once", maxWindowBytes))
			assert.LessOrEqual(t, len(d.win.buf), maxWindowBytes)

			_, err = decode(t, &d, strings.NewReader(document(firstEvent)))
			require.NoError(t, err)
			assert.Len(t, d.win.buf, firstWindowBytes, "a giant's buffer is not kept")
			assert.LessOrEqual(t, cap(d.copy.out), keptBytes, "nor is its copy")
		})
	}

	t.Run("events before their header that fit just so", func(t *testing.T) {
		deferred := `{"logEvents":[` + firstEvent + `],"x":"`
		rest := `",` + head[1:] + `null}`
		payload := deferred + long[:maxWindowBytes-len(deferred)-len(rest)] + rest
		events, err := decode(t, new(Decoder), strings.NewReader(payload))
		require.NoError(t, err)
		assert.Equal(t, []string{firstLine}, lines(events))
	})
	t.Run("many documents are no reason to hold them", func(t *testing.T) {
		usual, want := manyEvents(500)
		var d Decoder
		events, err := decode(t, &d, strings.NewReader(strings.Repeat(eventsFirst(usual)+usual, 40)))
		require.NoError(t, err)
		assert.Len(t, events, 80*len(want))
		assert.LessOrEqual(t, len(d.win.buf), 4*firstWindowBytes)
	})
}

func TestRecordsAllocateByDocumentOnly(t *testing.T) {
	var d Decoder
	allocs := func(payload string) float64 {
		r, origin := strings.NewReader(payload), base()
		return testing.AllocsPerRun(20, func() {
			r.Reset(payload)
			for _, err := range d.Records(r, origin) {
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	few, _ := manyEvents(10)
	many, _ := manyEvents(3000)
	assert.InDelta(t, allocs(few), allocs(many), 1)

	member := `{"id":"e1","timestamp":1,"message":"m","extractedFields":{"a":"b"}}`
	assert.InDelta(t, allocs(document(member)), allocs(document(slices.Repeat([]string{member}, 300)...)), 1, "with further members")
}
