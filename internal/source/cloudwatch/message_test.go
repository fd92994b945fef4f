package cloudwatch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

// messageRow is a message as it stands between its quotes.
type messageRow struct {
	message  string
	want     string // plain
	repaired bool
	err      string
}

func messageRows() map[string]messageRow {
	pad := strings.Repeat("x", 37)
	return map[string]messageRow{
		"empty":                           {"", "", false, ""},
		"a line of Lambda":                {`START RequestId: 1\n`, "START RequestId: 1\n", false, ""},
		"JSON in JSON":                    {`{\"a\":\"b\\nc\",\"d\":\"\\\"\"}`, `{"a":"b\nc","d":"\""}`, false, ""},
		"every short escape":              {`\"\\\/\b\f\n\r\t`, "\"\\/\b\f\n\r\t", false, ""},
		"an escaped backslash at the end": {`C:\\`, `C:\`, false, ""},
		"backslashes, even and odd":       {`\\\\\"\\\\\\n`, `\\"\\\n`, false, ""},
		"a quote at every eighth byte":    {`1234567\"1234567\"123456\"1`, `1234567"1234567"123456"1`, false, ""},
		"a backslash ends a word":         {`1234567\\1234567\n`, "1234567\\1234567\n", false, ""},
		"control characters as escapes":   {`\u0000\u001f\u007f`, "\x00\x1f\x7f", false, ""},
		"NUL as an escape":                {`a\u0000b`, "a\x00b", false, ""},
		"beyond ASCII":                    {"é世😀\u2028", "é世😀\u2028", false, ""},
		"beyond ASCII as escapes":         {`\u00e9\u4E16\ud83d\ude00`, "é世😀", false, ""},
		"DEL":                             {"\x7f", "\x7f", false, ""},
		"U+FFFD as an escape is no wound": {`\ufffd\uFFFD\uFfFd`, "\uFFFD\uFFFD\uFFFD", false, ""},
		"U+FFFD itself is no wound":       {"\uFFFD", "\uFFFD", false, ""},
		"noncharacters are characters":    {`\uffff` + "\uFFFE", "\uFFFF\uFFFE", false, ""},
		"the last surrogate pair":         {`\udbff\udfff`, "\U0010FFFF", false, ""},
		"an escaped u is no escape":       {`\\ud83d`, `\ud83d`, false, ""},

		"high surrogate alone":            {`\ud83d`, "\uFFFD", true, ""},
		"low surrogate alone":             {`\ude00`, "\uFFFD", true, ""},
		"high in the middle":              {`a\ud83dbcdefghijkl`, "a\uFFFDbcdefghijkl", true, ""},
		"high before a high and a low":    {`\ud83d\ud83d\ude00`, "\uFFFD😀", true, ""},
		"low before a pair":               {`\ude00\ud83d\ude00`, "\uFFFD😀", true, ""},
		"a pair turned around":            {`\ude00\ud83d`, "\uFFFD\uFFFD", true, ""},
		"high before another escape":      {`\ud83d\n`, "\uFFFD\n", true, ""},
		"high before an escaped u":        {`\ud83d\\ude00`, "\uFFFD\\ude00", true, ""},
		"high before a quote":             {`\ud83d\"`, "\uFFFD\"", true, ""},
		"high at the end of a long one":   {pad + `\ud83d`, pad + "\uFFFD", true, ""},
		"good pairs beside a bad half":    {`\ud83d\ude00\ud83d-\ud83d\ude00`, "😀\uFFFD-😀", true, ""},
		"raw line break":                  {"a\nb", "a\nb", true, ""},
		"raw tab":                         {"a\tb", "a\tb", true, ""},
		"raw NUL":                         {"\x00", "\x00", true, ""},
		"raw escape character":            {pad + "\x1b[0m" + pad, pad + "\x1b[0m" + pad, true, ""},
		"a byte that is no UTF-8":         {"caf\xe9", "caf\uFFFD", true, ""},
		"an overlong slash":               {"\xc0\xaf", "\uFFFD\uFFFD", true, ""},
		"a surrogate in UTF-8":            {"\xed\xa0\xbd", "\uFFFD\uFFFD\uFFFD", true, ""},
		"beyond U+10FFFF":                 {"\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD", true, ""},
		"a character cut by the quote":    {"世\xe4\xb8", "世\uFFFD\uFFFD", true, ""},
		"a character cut by an escape":    {"\xe4\\n\xb8", "\uFFFD\n\uFFFD", true, ""},
		"wounds beside escapes":           {"\\\"\x01\\\"\xff\\\"é\\u0041", "\"\x01\"\uFFFD\"éA", true, ""},
		"a good message behind long text": {strings.Repeat(pad, 3) + "é" + `\"`, strings.Repeat(pad, 3) + `é"`, false, ""},

		"an unknown escape":            {`\x41`, "", false, "no JSON escape"},
		"an escaped quote of SQL":      {`\'`, "", false, "no JSON escape"},
		"an unknown escape, far away":  {pad + `\"` + pad + `\q`, "", false, "no JSON escape"},
		"a capital U":                  {`\U0041`, "", false, "no JSON escape"},
		"an escaped line break":        {"\\\n", "", false, "no JSON escape"},
		"an escaped letter of another": {"\\é", "", false, "no JSON escape"},
		"three digits":                 {`\u004`, "", false, "want four hex digits"},
		"no digits":                    {`\uzzzz 12345678`, "", false, "want four hex digits"},
		"bad digits behind a high":     {`\ud83d\u00zz 12345678`, "", false, "want four hex digits"},
	}
}

// messageEvent is the usual event around a message, or one whose members stand in another order.
func messageEvent(message string, usual bool) string {
	if usual {
		return `{"id":"e1","timestamp":1700000000001,"message":"` + message + `"}`
	}
	return `{"message":"` + message + `","id":"e1","timestamp":1700000000001}`
}

func TestRecordsMessage(t *testing.T) {
	var d Decoder
	for name, tc := range messageRows() {
		for _, usual := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/usual=%t", name, usual), func(t *testing.T) {
				payload := document(secondEvent, messageEvent(tc.message, usual), secondEvent)
				events, err := decode(t, &d, strings.NewReader(payload))
				require.GreaterOrEqual(t, len(events), 1)
				assert.Equal(t, secondLine, events[0].line, "its neighbour")
				if tc.err != "" {
					assert.Len(t, events, 1)
					assert.ErrorContains(t, err, tc.err)
					return
				}
				require.NoError(t, err)
				require.Len(t, events, 3)
				assert.Equal(t, secondLine, events[2].line, "its other neighbour")
				assert.Equal(t, tc.want, events[1].message)
				assert.Equal(t, tc.repaired, events[1].repaired)
			})
		}
	}
}

// TestRecordsMessageAtEveryOffset moves what is special over every place of the words that a scanner may look at, behind
// plain text and behind the escaped quotes of JSON in JSON.
func TestRecordsMessageAtEveryOffset(t *testing.T) {
	var d Decoder
	for name, tc := range messageRows() {
		for before := range 33 {
			for _, lead := range []string{"", `\"`, `\"y\"yyy\"`} {
				escaped := lead + strings.Repeat("y", before)
				plain := strings.ReplaceAll(escaped, `\`, "")
				events, err := decode(t, &d, strings.NewReader(document(messageEvent(escaped+tc.message+escaped, true))))
				if tc.err != "" {
					require.Error(t, err, "%s behind %s", name, escaped)
					continue
				}
				require.NoError(t, err, "%s behind %s", name, escaped)
				require.Equal(t, plain+tc.want+plain, events[0].message, "%s behind %s", name, escaped)
				require.Equal(t, tc.repaired, events[0].repaired, "%s behind %s", name, escaped)
			}
		}
	}
}

// TestRecordsEveryByteInMessage: one raw byte at every place of two words, against encoding/json.
func TestRecordsEveryByteInMessage(t *testing.T) {
	var d Decoder
	for c := range 256 {
		if c == '"' || c == '\\' {
			continue // they change where the string ends
		}
		for before := range 17 {
			raw := strings.Repeat("y", before) + string([]byte{byte(c)}) + strings.Repeat("z", 17-before)
			escaped := raw
			if c < 0x20 {
				escaped = strings.Replace(raw, string([]byte{byte(c)}), fmt.Sprintf(`\u%04x`, c), 1)
			}
			var want string
			require.NoError(t, json.Unmarshal([]byte(`"`+escaped+`"`), &want))

			events, err := decode(t, &d, strings.NewReader(document(messageEvent(raw, true))))
			require.NoError(t, err)
			require.Equal(t, want, events[0].message)
			require.Equal(t, c < 0x20 || c >= 0x80, events[0].repaired, "byte %#x", c)
		}
	}
}

// TestRecordsEveryEscape: a backslash and any other byte, at the places that matter to a word.
func TestRecordsEveryEscape(t *testing.T) {
	var d Decoder
	for c := range 256 {
		for before := range 9 {
			raw := `\"` + strings.Repeat("y", before) + `\` + string([]byte{byte(c)}) + strings.Repeat("0", 12)
			var want string
			wantErr := json.Unmarshal([]byte(`"`+raw+`"`), &want)

			events, err := decode(t, &d, strings.NewReader(document(messageEvent(raw, true))))
			if wantErr != nil {
				require.Error(t, err, "%q", raw)
				continue
			}
			require.NoError(t, err, "%q", raw)
			require.Equal(t, want, events[0].message)
			require.False(t, events[0].repaired)
		}
	}
}

func TestRecordsMessageSizes(t *testing.T) {
	var d Decoder
	for name, unit := range map[string]string{"plain": "x", "escapes": `\"`, "beyond ASCII": "世"} {
		for _, size := range []int{0, 70_000, 1_100_000, 5_000_000} {
			message := strings.Repeat(unit, size/len(unit))
			var kept record.Text
			var n int
			payload := document(firstEvent, messageEvent(message, true), secondEvent)
			for rec, err := range d.Records(strings.NewReader(payload), base()) {
				require.NoError(t, err)
				if n++; n == 2 {
					kept = record.Escaped(append([]byte(nil), rec.Message.Bytes...))
				}
			}
			require.Equal(t, 3, n, "%s of %d bytes", name, size)
			require.True(t, bytes.Equal(kept.Bytes, []byte(message)), "%s of %d bytes keeps its bytes", name, size)
		}
	}
}
