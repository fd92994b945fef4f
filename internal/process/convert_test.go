package process

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/process/agent"
	"sluice/internal/process/redact"
	"sluice/internal/record"
)

// truncating are rules that redact a number of 16 digits, and cut what is larger than a stream takes.
func truncating(t *testing.T, streamBytes int) Rules {
	t.Helper()
	r := rules("")
	var err error
	r.Redact, err = redact.Compile(redact.Rule{Name: "canary", Pattern: `CANARY-[0-9]{16}`, Replacement: "gone"})
	require.NoError(t, err)
	r.Truncate, err = agent.NewSplitter(agent.Splitting{TruncatedRecordTerminator: "~\n", MaxRecordBytes: streamBytes})
	require.NoError(t, err)
	return r
}

// The agent's truncation leaves no half of what redaction would have replaced.
func TestTruncationIsBehindRedaction(t *testing.T) {
	const canary, limit = "CANARY-1234567890123456", 40
	redacted := record.Redacted | record.Truncated
	for name, tc := range map[string]struct {
		options, message, want string
		bytes                  int
		marks                  record.Marks
	}{
		"cut behind it":       {"", canary + strings.Repeat("x", 50), "gone" + strings.Repeat("x", 34) + "~", 15, redacted},
		"fits once it is so":  {"", strings.Repeat("x", 20) + canary, strings.Repeat("x", 20) + "gone", 0, record.Redacted},
		"half of it was left": {"", strings.Repeat("x", 25) + canary + strings.Repeat("y", 20), strings.Repeat("x", 25) + "gone" + strings.Repeat("y", 9) + "~", 10, redacted},
		"what stands for it is cut": {
			"", strings.Repeat("x", 36) + canary, strings.Repeat("x", 36) + "go~", 1, redacted,
		},
		"converted": {
			`[{"optionName":"SINGLELINE"}]`, strings.Repeat("x", 20) + "\n" + canary + "\n" + strings.Repeat("y", 20),
			strings.Repeat("x", 20) + "gone" + strings.Repeat("y", 14) + "~", 5, redacted,
		},
		"JSON is no longer": {"", `{"a":"` + canary + `","b":"` + strings.Repeat("y", 30) + `"}`, `{"a":"gone","b":"` + strings.Repeat("y", 21) + "~", 10, redacted},
	} {
		for form, text := range map[string]record.Text{
			"plain":   record.Plain([]byte(tc.message)),
			"escaped": record.Escaped(record.AppendEscaped(nil, tc.message)),
		} {
			t.Run(name+", "+form, func(t *testing.T) {
				r := truncating(t, limit)
				if tc.options != "" {
					r.Agent = converter(t, tc.options, false)
				}
				p := New(r)
				for range 2 {
					one := record.Record{Origin: origin("shop", "s"), Message: text}
					require.Empty(t, ruleOf(p, &one))
					assert.Equal(t, tc.want, string(one.Message.AppendPlain(nil)))
					assert.Equal(t, tc.marks, one.Marks)
					assert.Equal(t, tc.bytes, one.TruncatedBytes)
				}
			})
		}
	}
}

// At the size of a Firehose record, as a user has it.
func TestTruncationOfAStream(t *testing.T) {
	r := truncating(t, 0)
	message := strings.Repeat("x", agent.FirehoseRecordBytes-18) + "CANARY-1234567890123456 tail"
	one := record.Record{Origin: &record.Origin{Kind: record.Kinesis}, Message: record.Plain([]byte(message))}
	require.Empty(t, ruleOf(New(r), &one))
	assert.NotContains(t, string(one.Message.Bytes), "CANARY")
	assert.Equal(t, record.Redacted, one.Marks, "it fits now")
}

// Each element of an array that is expanded is cut by itself, and no other one changes by it.
func TestTruncationOfElements(t *testing.T) {
	r := truncating(t, 20)
	r.Expand = []string{"a"}
	long := func(letter string) string { return `"` + strings.Repeat(letter, 30) + `"` }
	elements := []string{long("x"), `"b"`, `{"c":"CANARY-1234567890123456"}`, long("y"), `"` + strings.Repeat("z", 17) + `"`}
	want := []string{`"` + strings.Repeat("x", 17) + "~", `"b"`, `{"c":"gone"}`, `"` + strings.Repeat("y", 17) + "~", elements[4]}
	p := New(r)
	for _, options := range []string{"", `[{"optionName":"SINGLELINE"}]`} {
		if options != "" {
			r.Agent = converter(t, options, false)
			p = New(r)
		}
		for range 2 {
			one := record.Record{Origin: origin("shop", "s"), Structured: true, Message: record.Plain([]byte(`{"a":[` + strings.Join(elements, ",") + `]}`))}
			out, rule := p.Apply(&one)
			require.Empty(t, rule)
			var got []string
			for i, element := range out {
				got = append(got, string(element.Message.AppendPlain(nil)))
				assert.Equal(t, i == 0 || i == 3, element.Marks&record.Truncated != 0, i)
				assert.Equal(t, element.Marks&record.Truncated != 0, element.TruncatedBytes == len(long("x"))+len("\n")-20)
			}
			assert.Equal(t, want, got)
		}
	}
}

// What brackets stand around has no line feed behind it, so none counts.
func TestTruncationWithoutLineFeed(t *testing.T) {
	const options, made = `[{"optionName":"ADDBRACKETS"}]`, `{"a":"xxxx"}`
	for limit, want := range map[int]string{len(made): made, len(made) - 1: made[:len(made)-3] + "~"} {
		r := truncating(t, limit)
		r.Agent = converter(t, options, false)
		one := record.Record{Origin: origin("shop", "s"), Message: record.Plain([]byte(`"a":"xxxx"`))}
		require.Empty(t, ruleOf(New(r), &one))
		assert.Equal(t, want, string(one.Message.Bytes))
	}
}

// A processor that has seen a large record is no different for the next one.
func TestTruncationForgets(t *testing.T) {
	r := truncating(t, 10)
	r.Agent = converter(t, `[{"optionName":"ADDBRACKETS"}]`, false)
	r.Routes = []Route{{Match: inGroup("plain"), Steps: Steps{Truncate: r.Truncate}}}
	p := New(r)
	for range 2 {
		first := record.Record{Origin: origin("shop", "s"), Message: record.Plain([]byte("xxxx"))}
		require.Empty(t, ruleOf(p, &first))
		second := record.Record{Origin: origin("plain", "s"), Message: record.Plain([]byte("0123456789"))}
		require.Empty(t, ruleOf(p, &second))
		assert.Equal(t, "01234567~", string(second.Message.Bytes), "with its line feed it is too large")
	}
}
