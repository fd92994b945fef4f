package kinesis_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/format"
	"sluice/internal/record"
	"sluice/internal/service"
	"sluice/internal/source/kinesis"
)

// read returns the records of a user record; their texts are copies.
func read(t *testing.T, u kinesis.UserRecord) []record.Record {
	t.Helper()
	var list []record.Record
	for r, err := range kinesis.Records(u) {
		require.NoError(t, err)
		kept := *r
		kept.Message.Bytes = append([]byte(nil), r.Message.Bytes...)
		list = append(list, kept)
	}
	return list
}

func TestRecords(t *testing.T) {
	for name, tc := range map[string]struct {
		data  string
		want  []string // as the inside of a JSON string
		marks record.Marks
	}{
		"nothing":                     {"", nil, 0},
		"one line":                    {"a", []string{"a"}, 0},
		"ended line":                  {"a\n", []string{"a"}, 0},
		"lines":                       {"a\nb\nc", []string{"a", "b", "c"}, 0},
		"empty lines":                 {"\n\na\n\n", []string{"", "", "a", ""}, 0},
		"Windows":                     {"a\r\nb\r\n", []string{"a", "b"}, 0},
		"carriage returns in a line":  {"a\rb\r\r\n", []string{`a\rb\r`}, 0},
		"line of a carriage return":   {"\r\n\r", []string{"", ""}, 0},
		"byte order marks":            {"\uFEFFa\n\uFEFFb", []string{"\uFEFFa", "\uFEFFb"}, 0},
		"what JSON escapes":           {"\"\\\x00\t\x7f\u2028<", []string{"\\\"\\\\\\u0000\\t\x7f\u2028<"}, 0},
		"bytes that are no UTF-8":     {"a\xff\"\xc3", []string{"a\uFFFD\\\"\uFFFD"}, record.UTF8Repaired},
		"half a pair of UTF-16":       {"\xed\xa0\x80", []string{"\uFFFD\uFFFD\uFFFD"}, record.UTF8Repaired},
		"a line of another separator": {"a\vb\fc\u0085d", []string{`a\u000bb\fc` + "\u0085d"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			o := &record.Origin{Kind: record.Kinesis}
			list := read(t, kinesis.UserRecord{Origin: o, EventID: "shard:7", FirstIndex: 3, TimeMillis: 11, Data: []byte(tc.data)})
			var got []string
			for i, r := range list {
				got = append(got, string(r.Message.AppendJSON(nil)))
				assert.Same(t, o, r.Origin)
				assert.Equal(t, "shard:7", string(r.EventID.AppendPlain(nil)))
				assert.Equal(t, 3+i, r.Index)
				assert.Equal(t, int64(11), r.TimeMillis)
				assert.Equal(t, tc.marks, r.Marks)
			}
			assert.Equal(t, tc.want, got)
			assert.Equal(t, len(list), kinesis.CountLines([]byte(tc.data)))
		})
	}
}

func TestText(t *testing.T) {
	for data, want := range map[string]string{
		"": "", "a": "a", "\uFEFF": "", "\uFEFFa\n\uFEFFb": "a\n\uFEFFb", "\uFEFF\uFEFFa": "\uFEFFa", "\xef\xbba": "\xef\xbba", "a\uFEFF": "a\uFEFF",
	} {
		assert.Equal(t, want, string(kinesis.Text([]byte(data))))
	}
}

// A line has the time that it states, else that of its user record, and knows the header above it.
func TestRecordsTimes(t *testing.T) {
	const took = 11
	type line struct {
		millis  int64
		header  bool
		columns string
	}
	flow := line{1706745660_000, false, ""}
	for name, tc := range map[string]struct {
		log     service.Log
		columns string
		data    string
		want    []line
	}{
		"no clock":          {"none", "", "2 123456789012 eni-1 - - - - - - - 1706745600 1706745660 - NODATA", []line{{took, false, ""}}},
		"log not known":     {"", "", "2 123456789012 eni-1 - - - - - - - 1706745600 1706745660 - NODATA", []line{{took, false, ""}}},
		"flow lines":        {service.VPCFlow, "", "2 123456789012 eni-1 - - - - - - - 1706745600 1706745660 - NODATA\r\nother\n\n", []line{flow, {took, false, ""}, {took, false, ""}}},
		"named columns":     {service.VPCFlow, "srcaddr end", "192.0.2.1 1706745660\n192.0.2.1 x", []line{flow, {took, false, ""}}},
		"header":            {service.VPCFlow, "", "srcaddr end\n192.0.2.1 1706745660\n", []line{{took, true, "srcaddr end"}, {1706745660_000, false, "srcaddr end"}}},
		"bytes of no UTF-8": {service.VPCFlow, "srcaddr end", "\xff 1706745660\n", []line{flow}},
	} {
		t.Run(name, func(t *testing.T) {
			u := kinesis.UserRecord{Origin: &record.Origin{}, TimeMillis: took, Data: []byte(tc.data)}
			if tc.log != "none" {
				u.Clock = format.NewClock(tc.log)
				u.Clock.Name([]byte(tc.columns))
			}
			var got []line
			for _, r := range read(t, u) {
				got = append(got, line{r.TimeMillis, r.Header, string(r.Columns)})
			}
			assert.Equal(t, tc.want, got)
		})
	}
}

// One bad line does not mark its neighbours.
func TestRecordsMarksOneLine(t *testing.T) {
	list := read(t, kinesis.UserRecord{Origin: &record.Origin{}, Data: []byte("a\n\xff\nb\n\xfe")})
	marks := make([]record.Marks, len(list))
	for i, r := range list {
		marks[i] = r.Marks
	}
	assert.Equal(t, []record.Marks{0, record.UTF8Repaired, 0, record.UTF8Repaired}, marks)
}

func TestRecordsStops(t *testing.T) {
	assert.NotPanics(t, func() { // as a sequence that went on would
		for range kinesis.Records(kinesis.UserRecord{Origin: &record.Origin{}, Data: []byte("a\nb")}) {
			break
		}
	})
}

// An event id comes from an envelope that nobody has validated, and leaves in JSON.
func TestRecordsEventID(t *testing.T) {
	list := read(t, kinesis.UserRecord{Origin: &record.Origin{}, EventID: "a\xff", Data: []byte("x")})
	assert.Equal(t, "a\uFFFD", string(list[0].EventID.Bytes))
}

// FuzzCountLines: the lines that are counted are those that are read.
func FuzzCountLines(f *testing.F) {
	for _, seed := range []string{"", "\n", "a\nb", "\uFEFF\n", "\r\n\r", "\xff\n\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		require.Len(t, read(t, kinesis.UserRecord{Origin: &record.Origin{}, Data: data}), kinesis.CountLines(data))
	})
}
