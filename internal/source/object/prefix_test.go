package object

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

var errBroken = errors.New("connection broken")

// drops is a body that comes in small pieces and ends in a fault.
type drops struct {
	text  string
	most  int // bytes of a piece
	rng   *rand.Rand
	fault error
}

func (d *drops) Read(p []byte) (int, error) {
	if d.text == "" {
		return 0, d.fault
	}
	n := min(len(p), len(d.text), 1+d.rng.IntN(d.most))
	n = copy(p[:n], d.text)
	d.text = d.text[n:]
	return n, nil
}

// whatIsRead returns the records and damages of a body, and the fault that ended it.
func whatIsRead(body io.Reader) (read []string, fault error) {
	var d Decoder
	if _, err := d.Enter(Input{Body: body, Origin: &record.Origin{Kind: record.S3, Key: "k"}}); err != nil {
		return nil, err
	}
	for r, err := range d.Records() {
		damage, damaged := errors.AsType[*Damage](err)
		switch {
		case damaged:
			read = append(read, fmt.Sprintf("%s %d-%d", damage.Reason, damage.Offset, damage.End))
		case err != nil:
			return read, err
		default:
			read = append(read, fmt.Sprintf("%d/%d/%d %s", r.Offset, r.Index, r.Part, r.Message.AppendPlain(nil)))
		}
	}
	return read, nil
}

// TestRecordsBeforeAFault: wherever a connection breaks, what was read before are the first records of the whole object. The
// next attempt passes over as many, so it would lose one for each that the object does not have.
func TestRecordsBeforeAFault(t *testing.T) {
	pieces := []string{
		`{"records":[{"a":1},{"b":2},"x",[1,2]]}`, `{"records":[{"a":1}],"z":1}`, `{"v":"1","Records":[{"q":1},{"q":2}],"w":[3]}`,
		`{"items":[1,2,3]}`, `{"fileVersion":"1.0","configurationItems":[{"c":1},{"c":2}]}`, "plain text", "\n", "\n\n", " ", "\r\n",
		"[1] hi", `[{"a":1},{"b":2}]`, `["a","b","c"]`, `{"a":1}`, `{"logs":[{"a":1},{"b"`, `{"logs" : [ {"a":1} , {"b":2} ] } `,
		`{"events":[]}`, `{"Records":[]}`, `{"x":1,"Records":[]}`, `{"attemptsMade":1,"rawData":"b25l","errorCode":"x"}`,
	}
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var b strings.Builder
		for range 1 + rng.IntN(5) {
			b.WriteString(pieces[rng.IntN(len(pieces))])
			if rng.IntN(3) > 0 {
				b.WriteString("\n")
			}
		}
		whole, err := whatIsRead(strings.NewReader(b.String()))
		require.NoError(t, err)
		got, err := whatIsRead(&drops{b.String(), 9, rng, io.EOF})
		require.NoError(t, err)
		require.Equal(t, whole, got, "%q, seed %d", b.String(), seed)
		for cut := range b.Len() + 1 {
			got, err := whatIsRead(&drops{b.String()[:cut], 40, rng, errBroken})
			require.ErrorIs(t, err, errBroken)
			require.LessOrEqual(t, len(got), len(whole), "%q, cut at %d", b.String(), cut)
			require.Equal(t, whole[:len(got)], append([]string{}, got...), "%q, cut at %d", b.String(), cut)
		}
	}
}
