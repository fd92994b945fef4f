package object

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sluice/internal/lines"
	"sluice/internal/record"
)

// pieces are what an object is made of for the fuzz test; each M becomes a text that stands nowhere else.
var pieces = []string{
	`{"a":"M"}`, "\n", "M\n", `[{"a":"M"},{"b":"M"}]`, `{"Records":[{"a":"M"},{"a":"M"}]}`, `{"Records":[{"a":"M"}],"x":"M"}`,
	`{"x":"M","Records":[{"a":"M"}`, `{"a":"M`, `["M"]`, `"`, "  ", "\r\n", ",", "]", "}", "[", "{", "2024 M\n", "[2024 M\n",
	payloadOf("M"), header + logEvent("M") + "," + logEvent("M"), strings.Replace(payloadOf("M"), "DATA_MESSAGE", "OTHER", 1),
	strings.Repeat(" ", 65_530), strings.Repeat("x", 70_000) + "M", `{"rawData":"aGVsbG8K","errorCode":"M","attemptsMade":1}`,
	`{"rawData":"","errorCode":"M","attemptsMade":1,"arrivalTimestamp":17}`, `{"entries":[{"url":"s3://b/M"}]}`,
	`{"awsAccountId":"M","digestStartTime":"x","digestS3Bucket":"b"}`, "PAR1 M\n",
	"M" + strings.Repeat("y", 262_200) + "M" + strings.Repeat("z", 800_000) + "M",
	`{"items":[{"a":"M"},{"a":"M"}]}`, `{"x":"M","items":[{"a":"M"}],"y":"M"}`, `{"items":[{"a":"M"}],"y":"M"}`, `{"events":[{"a":"M"},`,
	`{"Records":[{"a":"M"},{"a":"` + strings.Repeat("M"+strings.Repeat("x", 300_000), 8) + `M"},{"a":"M"}]}`,
}

// FuzzNothingIsLost makes an object of pieces, which may break off, and finds every text of it in a record or in damage.
func FuzzNothingIsLost(f *testing.F) {
	for i := range pieces {
		f.Add([]byte{byte(i), 1, 0}, uint16(0), false)
		f.Add([]byte{2, byte(i), 2, byte(i)}, uint16(i), true)
	}
	f.Add([]byte{20, 12, 25, 18, 18}, uint16(19), true) // a text in the name of a member, which is no attribute of its own
	start, err := lines.CompileStart(`\[?2024`)
	require.NoError(f, err)
	var d Decoder
	f.Fuzz(func(t *testing.T, which []byte, short uint16, joins bool) {
		plain, marks := objectOf(which[:min(len(which), 12)])
		var body io.Reader = strings.NewReader(plain)
		if short > 0 {
			plain = plain[:max(0, len(plain)-int(short))]
			body = breaking(plain)
		}
		in := Input{Body: body, Origin: &record.Origin{Kind: record.S3, Bucket: "example-logs", Key: "k", ETag: "e"}}
		if joins {
			in.Lines = joinedBy(&lines.Joiner{Start: start})
		}
		got, isLog := gathered(t, &d, in, plain)
		for i := range marks {
			mark := fmt.Sprintf("M%dM", i)
			require.True(t, !isLog || !strings.Contains(plain, mark) || bytes.Contains(got, []byte(mark)), "%s is lost", mark)
		}
	})
}

// objectOf joins pieces and returns how many texts there are in them.
func objectOf(which []byte) (plain string, marks int) {
	var b strings.Builder
	for _, i := range which {
		for j, part := range strings.Split(pieces[int(i)%len(pieces)], "M") {
			if j > 0 && !strings.HasPrefix(part, "ESSAGE") && !strings.HasSuffix(b.String(), "_") {
				fmt.Fprintf(&b, "M%dM", marks)
				marks++
			} else if j > 0 {
				b.WriteByte('M')
			}
			b.WriteString(part)
		}
	}
	return b.String(), marks
}

// gathered is all that comes of an object: the text of its records, the names and values of their members, and the bytes
// that are damage. An object that is no log has nothing.
func gathered(t *testing.T, d *Decoder, in Input, plain string) (got []byte, isLog bool) {
	t.Helper()
	lost := func(err error) {
		damage, ok := errors.AsType[*Damage](err)
		require.True(t, ok, "%v", err)
		end := damage.End
		if end < 0 {
			end = int64(len(plain))
		} else {
			require.Greater(t, end, damage.Offset)
		}
		got = append(append(got, plain[damage.Offset:end]...), '\n')
	}
	content, err := d.Enter(in)
	if err != nil {
		lost(err)
		return got, true
	}
	if content.NotALog || content.IsManifest {
		return nil, false
	}
	seen := map[string]bool{}
	for r, err := range d.Records() {
		if err != nil {
			lost(err)
			continue
		}
		got = append(r.Message.AppendPlain(got), '\n')
		for _, m := range r.Members {
			got = append(append(append(append(got, m.Name...), ' '), m.Value...), '\n')
		}
		if r.Origin.Kind == record.S3 && len(r.Message.Bytes) > 0 {
			id := string(r.AppendID(nil))
			require.False(t, seen[id], "two records have the same id")
			seen[id] = true
		}
	}
	return got, true
}
