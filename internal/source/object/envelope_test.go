package object

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/lines"
	"sluice/internal/record"
)

func TestEveryNameOfAnEnvelope(t *testing.T) {
	for _, name := range []string{
		"Records", "configurationItems", "records", "Events", "events", "Findings", "findings", "Logs", "logs", "Items", "items",
	} {
		t.Run(name, func(t *testing.T) {
			one := fmt.Sprintf(`{"%s":[{"n":1},{"n":2}]}`, name)
			records := []string{`{"n":1}`, `{"n":2}`}
			_, got := decoded(t, Input{Body: strings.NewReader(one)}, "a.json")
			assert.Equal(t, records, got)
			_, got = decoded(t, Input{Body: strings.NewReader(one + one + "\n" + one)}, "a.json")
			assert.Equal(t, slices.Concat(records, records, records), got, "several documents")
			_, got = decoded(t, Input{Body: strings.NewReader("text\n" + one + "\nmore")}, "a.log")
			assert.Equal(t, slices.Concat([]string{"text"}, records, []string{"more"}), got, "behind a text")
		})
	}
	_, got := decoded(t, Input{Body: strings.NewReader(`{"others":[{"n":1},{"n":2}]}`)}, "a.json")
	assert.Equal(t, []string{`{"others":[{"n":1},{"n":2}]}`}, got)
}

// A line of JSON is one record, whatever its members are called, if it is short enough to be one.
func TestALineWithAListIsOneRecord(t *testing.T) {
	for _, name := range []string{"records", "Events", "events", "Findings", "findings", "Logs", "logs", "Items", "items"} {
		for where, line := range map[string]string{
			"between":        `{"level":"info","%s":[{"sku":1},{"sku":2}],"msg":"order"}`,
			"first":          `{"%s":[{"sku":1},{"sku":2}],"level":"info"}`,
			"last":           `{"level":"info","%s":[{"sku":1},{"sku":2}]}`,
			"before another": `{"%s":[{"sku":1}],"Records":[{"n":1}]}`,
			"of two":         `{"%s":[{"sku":1}],"logs":[{"n":1}]}`,
			"as long as may": `{"%s":[{"sku":1},{"sku":2}],"a":"` + strings.Repeat("x", lines.MaxValueBytes-1000) + `"}`,
		} {
			line = fmt.Sprintf(line, name)
			t.Run(name+"/"+where, func(t *testing.T) {
				_, got := decoded(t, Input{Body: strings.NewReader(line + "\n" + line + "\n")}, "a.json")
				assert.Equal(t, []string{line, line}, got)
				if len(line) <= lines.MaxLineBytes { // else a text has it in parts
					_, got = decoded(t, Input{Body: strings.NewReader("text\n" + line + "\n" + line)}, "a.log")
					assert.Equal(t, []string{"text", line, line}, got, "behind a text")
				}
				_, got = decoded(t, Input{Data: []byte(line)}, "")
				assert.Equal(t, []string{line}, got, "alone")
			})
		}
	}
}

func TestAnEnvelopeThatIsLongIsStreamed(t *testing.T) {
	const size = 1000
	element := `{"a":"` + strings.Repeat("x", size-len(`{"a":""}`)) + `"}`
	const count = 10 * lines.MaxValueBytes / size
	for name, tc := range map[string]struct {
		before, after string
		want          []string // behind the elements
	}{
		"CloudTrail":                      {`{"Records":[`, `]}`, nil},
		"AWS Config":                      {`{"fileVersion":"1.0","configSnapshotId":"x","configurationItems":[`, `]}`, []string{`{"fileVersion":"1.0","configSnapshotId":"x"}`}},
		"an export":                       {`{"events":[`, `]}`, nil},
		"a line that is no line any more": {`{"level":"info","items":[`, `],"msg":"order"}`, []string{`{"level":"info","msg":"order"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			readers := []io.Reader{strings.NewReader(tc.before)}
			for range count - 1 {
				readers = append(readers, strings.NewReader(element+","))
			}
			readers = append(readers, strings.NewReader(element+tc.after+"\n{\"n\":1}\n"))
			_, got := decoded(t, Input{Body: io.MultiReader(readers...)}, "a.json")
			require.Len(t, got, count+len(tc.want)+1)
			for _, text := range got[:count] {
				require.Equal(t, element, text)
			}
			assert.Equal(t, append(tc.want, `{"n":1}`), got[count:])
		})
	}
}

// AWS Config developer guide, "Example configuration history from AWS Config": members stand in front of the items.
func TestConfigurationItems(t *testing.T) {
	const head = `{"fileVersion":"1.0","configSnapshotId":"16ecd4a8-0a1b-4c2d-8e3f-0123456789ab"`
	first := `{"configurationItemVersion":"1.3","awsAccountId":"123456789012","resourceType":"AWS::EC2::Instance"}`
	second := `{"configurationItemVersion":"1.3","awsAccountId":"123456789012","resourceType":"AWS::S3::Bucket","tags":{}}`
	_, got := decoded(t, Input{Body: strings.NewReader(head + `,"configurationItems":[` + first + "," + second + "]}")}, "a.json.gz")
	assert.Equal(t, []string{first, second, head + "}"}, got)
}

func TestAListThatIsBrokenIsALine(t *testing.T) {
	for name, text := range map[string]string{
		"broken":     `{"items":[{"sku":1},{"sku"],"msg":"order"}`,
		"breaks off": `{"items":[{"sku":1},{"sku":2}],"msg":"or`,
	} {
		_, got := decoded(t, Input{Body: strings.NewReader(text + "\nmore\n")}, "a.json")
		assert.Equal(t, []string{text, "more"}, got, name)
	}
	_, got := decoded(t, Input{Body: breaking(`{"items":[{"sku":1},{"sku":2}],"msg":"or`)}, "a.json")
	assert.Equal(t, []string{"!corrupt 0--1"}, got)
}

func TestAnElementThatIsTooLong(t *testing.T) {
	long := `{"eventTime":"2026-02-01T09:29:10Z","a":"` + strings.Repeat("é", 3<<19) + `"}`
	for name, tc := range map[string]struct {
		before, behind string
		want           []string
	}{
		"among records": {`{"Records":[1,`, `,3,4],"x":5}`, []string{"1", long, "3", "4", `{"x":5}`}},
		"the first":     {`{"Records":[`, `,3,4]}` + "\n{}", []string{long, "3", "4", "{}"}},
		"the last":      {`{"Records":[1,`, `]}`, []string{"1", long}},
		"two":           {`{"Records":[1,` + long + ",", `,3]}`, []string{"1", long, long, "3"}},
		"of an array":   {`[{"n":1},`, `,{"n":3},{"n":4}]`, []string{`{"n":1}`, long, `{"n":3}`, `{"n":4}`}},
		"of a list":     {`{"events":[{"n":1},`, `,{"n":3}]}`, []string{`{"n":1}`, long, `{"n":3}`}},
		"of a line":     {`[`, `,{"n":3}]`, []string{long, `{"n":3}`}},
	} {
		t.Run(name, func(t *testing.T) {
			var d Decoder
			origin := &record.Origin{Kind: record.S3, Bucket: "example-logs", Key: "AWSLogs/123456789012/CloudTrail/eu-west-1/2026/02/01/123456789012_CloudTrail_eu-west-1_20260201T0930Z_abcdefghijklmnop.json.gz", ETag: "e"}
			_, err := d.Enter(Input{Body: strings.NewReader(tc.before + long + tc.behind), Origin: origin})
			require.NoError(t, err)
			var got []string
			part, seen := 0, map[string]bool{}
			for r, err := range d.Records() {
				require.NoError(t, err)
				id := string(r.AppendID(nil))
				assert.False(t, seen[id], "two records have the same id")
				seen[id] = true
				text := string(r.Message.AppendPlain(nil))
				if r.Part <= 1 {
					got = append(got, text)
				} else {
					require.Equal(t, part+1, r.Part)
					got[len(got)-1] += text
				}
				part = r.Part
				if part > 0 {
					assert.Equal(t, record.Chunked, r.Marks)
					assert.Equal(t, int64(1769938150000), r.TimeMillis)
					assert.False(t, r.Structured, "a part is no JSON")
				}
			}
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestAnElementThatIsTooLongAndBreaksOff(t *testing.T) {
	long := `{"a":"` + strings.Repeat("x", 2*lines.MaxValueBytes)
	_, got := decoded(t, Input{Body: breaking(`{"v":1,"Records":[1,` + long)}, "a.json")
	parts := len(long) / lines.PartBytes
	require.Len(t, got, 1+parts+2)
	assert.Equal(t, []string{`{"v":1}`, fmt.Sprintf("!corrupt %d--1", 20+parts*lines.PartBytes)}, got[1+parts:])

	_, got = decoded(t, Input{Body: strings.NewReader(`{"Records":[1,` + long + "\n{\"n\":2}\n")}, "a.json")
	require.Len(t, got, 1+parts+2)
	assert.Equal(t, long, strings.Join(got[1:parts+2], ""))
	assert.Equal(t, `{"n":2}`, got[parts+2], "what follows is read as what it is")
}

func TestWhatIsPackedTooOften(t *testing.T) {
	packed := []byte("log\n")
	for range 3 {
		packed = gzipOf(t, packed)
	}
	_, got := decoded(t, Input{Body: bytes.NewReader(packed)}, "a.gz")
	assert.Equal(t, []string{"log"}, got)
	packed = gzipOf(t, packed)
	_, got = decoded(t, Input{Body: bytes.NewReader(packed)}, "a.gz")
	assert.Equal(t, []string{"!undecodable 0--1"}, got)
	failed := envelopeOf(string(packed))
	_, got = decoded(t, Input{Body: strings.NewReader(failed + envelopeOf("b"))}, failedKey)
	assert.Equal(t, []string{fmt.Sprintf("!undecodable 0-%d", len(failed)), "b"}, got)
}

func gzipOf(t *testing.T, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(plain)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func TestFormatsWithoutLines(t *testing.T) {
	for name, tc := range map[string]struct {
		head, reason, message string
	}{
		"ORC, zlib":                           {"ORC\x24\x00\x00\xe3\x62\x62\x16", "orc", "an ORC file"},
		"ORC, zlib, a longer chunk":           {"ORC\x25\x00\x00\x0a\x06\x12\x04\x08", "orc", "an ORC file"},
		"ORC, of which a chunk has 16 KiB":    {"ORC\x41\x80\x00abcdefghijklmnop", "orc", "an ORC file"},
		"ORC, not packed":                     {"ORC\x0a\x0e\x0a\x02\x08\x01\x12\x08", "orc", "an ORC file"},
		"ORC, a control character is late":    {"ORC\n~~~~~~~~~~~~~~\x02", "orc", "an ORC file"},
		"Parquet":                             {"PAR1\x15\x04\x15\x10", "parquet", "a Parquet file"},
		"Parquet, encrypted":                  {"PARE\x2c\x00\x00\x00abcdefgh", "parquet", "an encrypted Parquet file"},
		"Avro":                                {"Obj\x01\x04\x14avro.codec", "avro", "an Avro container file"},
		"a text about ORC":                    {"ORC report of 2026\nok\n", "", ""},
		"a text about ORC, in German":         {"ORC\tübergeben\r\nok\n", "", ""},
		"a text with colours":                 {"ORC \x1b[31mfailed\x1b[0m\n", "", ""},
		"a text with a zero behind its start": {"ORC a text of logs\n\x00\n", "", ""},
		"a word alone":                        {"ORC", "", ""},
		"a text that begins like Parquet":     {"PAR1\n", "", ""},
		"a text that begins like encrypted":   {"PARENT 12 died\n", "", ""},
		"a text that begins like Avro":        {"Object 1\n", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var d Decoder
			_, err := d.Enter(Input{Body: strings.NewReader(tc.head), Origin: &record.Origin{Kind: record.S3, Key: "a"}})
			if tc.reason == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, "!"+tc.reason+" 0--1", damageOf(t, err))
			assert.ErrorContains(t, err, tc.message)
		})
	}
}
