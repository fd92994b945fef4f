package forwarder_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/source/forwarder"
)

// read returns the logs of an object and what ended them. One that is wrapped starts with '!'.
func read(t *testing.T, r io.Reader) (items []string, err error) {
	t.Helper()
	for item, wrong := range forwarder.Records(r) {
		require.NoError(t, err, "nothing follows an error")
		if wrong != nil {
			assert.Empty(t, item)
			err = wrong
			continue
		}
		assert.Equal(t, len(items), item.Index)
		text := string(item.JSON)
		if item.Wrapped {
			text = "!" + text
		}
		items = append(items, text)
	}
	return items, err
}

func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(quoted)
}

func TestRecords(t *testing.T) {
	log := `{"message": "a \"b\" \u00e9", "ddtags": "env:none,forwardername:x",  "timestamp": 1700000000000}`
	for name, tc := range map[string]struct {
		content string
		want    []string
		err     string
	}{
		"texts, as they are stored":            {"[" + quote(log) + ", " + quote(`{"message": "2"}`) + "]", []string{log, `{"message": "2"}`}, ""},
		"one text":                             {"[" + quote(log) + "]", []string{log}, ""},
		"escapes of Python":                    {`["{\"message\": \"caf\u00e9 \ud83d\ude00\"}"]`, []string{`{"message": "café 😀"}`}, ""},
		"objects":                              {`[{"message": "1" },{}]`, []string{`{"message": "1" }`, `{}`}, ""},
		"texts and objects":                    {`[{"a":1},"{\"a\":2}"]`, []string{`{"a":1}`, `{"a":2}`}, ""},
		"text in a text":                       {"[" + quote(quote(log)) + "]", []string{log}, ""},
		"texts three deep":                     {"[" + quote(quote(quote(log))) + "]", []string{log}, ""},
		"texts four deep are a message":        {"[" + quote(quote(quote(quote(`{}`)))) + "]", []string{`!{"message":` + quote(`{}`) + `}`}, ""},
		"white space around a log":             {`["\n {\"a\":1} \n"]`, []string{`{"a":1}`}, ""},
		"no logs":                              {`[]`, nil, ""},
		"nothing":                              {``, nil, ""},
		"white space":                          {" \r\n\t", nil, ""},
		"white space around the array":         {" \n[ \"{}\" ]\n", []string{`{}`}, ""},
		"null is passed over":                  {`[null,"{}",null]`, []string{`{}`}, ""},
		"null for the array":                   {`null`, nil, ""},
		"a broken log is a message":            {`["{\"message\": \"xxxxx]","{}"]`, []string{`!{"message":"{\"message\": \"xxxxx]"}`, `{}`}, ""},
		"NaN, as Python writes it":             {`["{\"a\": NaN}"]`, []string{`!{"message":"{\"a\": NaN}"}`}, ""},
		"plain words":                          {`["plain <words>"]`, []string{`!{"message":"plain <words>"}`}, ""},
		"an empty text":                        {`[""]`, []string{`!{"message":""}`}, ""},
		"a text with an array":                 {`["[1]"]`, []string{`!{"message":"[1]"}`}, ""},
		"two objects in a text":                {`["{}{}"]`, []string{`!{"message":"{}{}"}`}, ""},
		"a number, a list, a flag":             {`[1.0,["a"],true]`, []string{`!{"message":"1.0"}`, `!{"message":"[\"a\"]"}`, `!{"message":"true"}`}, ""},
		"an object without an array":           {log, []string{log}, ""},
		"a text without an array":              {quote(log), []string{log}, ""},
		"lines of JSON":                        {log + "\n" + quote(`{"a":1}`) + "\n", []string{log, `{"a":1}`}, ""},
		"cut in a log: the ones before stand":  {`["{\"a\":1}", "{\"b\"`, []string{`{"a":1}`}, "at byte 13: unexpected EOF"},
		"cut behind a log":                     {`["{\"a\":1}"`, []string{`{"a":1}`}, "at byte 12: unexpected EOF"},
		"cut behind a comma":                   {`["{}", `, []string{`{}`}, "unexpected EOF"},
		"cut behind the bracket":               {`[`, nil, "at byte 1: unexpected EOF"},
		"cut in an object without an array":    {`{"a":`, nil, "unexpected EOF"},
		"something behind the array":           {`["{}"] ["{}"]`, []string{`{}`}, "there is something behind the array"},
		"garbage behind the array":             {`["{}"] secret`, []string{`{}`}, "this is not JSON"},
		"a comma too many":                     {`["{}",]`, []string{`{}`}, "this is not JSON"},
		"no comma":                             {`["{}" "{}"]`, []string{`{}`}, "this is not JSON"},
		"another bracket":                      {`["{}"}`, []string{`{}`}, "this is not JSON"},
		"no JSON at all":                       {`secret`, nil, "at byte 0: this is not JSON"},
		"an offset counts the space in front":  {"  [\"{}\",secret]", []string{`{}`}, "at byte 8: this is not JSON"},
		"gzip":                                 {"\x1f\x8b\x08\x00", nil, "this is not JSON"},
		"brackets without end":                 {strings.Repeat("[", 20000), nil, "this is not JSON"},
		"brackets without end in a text":       {`["` + strings.Repeat("[", 20000) + `"]`, []string{`!{"message":"` + strings.Repeat("[", 20000) + `"}`}, ""},
		"a control character in a text":        {"[\"{}\",\"\x01\"]", []string{`{}`}, "this is not JSON"},
		"a lone surrogate":                     {`["{\"a\":\"\ud800\"}"]`, []string{"{\"a\":\"\uFFFD\"}"}, ""},
		"an escape that stays one":             {`["{\"a\":\"\\u0000\"}"]`, []string{`{"a":"\u0000"}`}, ""},
		"duplicate members stay as they stand": {`[{"a":1,"a":2}]`, []string{`{"a":1,"a":2}`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range []io.Reader{
				strings.NewReader(tc.content), iotest.OneByteReader(strings.NewReader(tc.content)), iotest.DataErrReader(strings.NewReader(tc.content)),
			} {
				got, err := read(t, r)
				assert.Equal(t, tc.want, got)
				if tc.err == "" {
					require.NoError(t, err)
					continue
				}
				require.ErrorContains(t, err, tc.err)
				assert.ErrorContains(t, err, "read failed events of a Datadog Forwarder at byte ")
				assert.NotContains(t, err.Error(), "secret")
			}
		})
	}
}

func TestRecordsOfAStoredObject(t *testing.T) {
	file, err := os.Open(filepath.Join("testdata", "logs.json"))
	require.NoError(t, err)
	defer file.Close()
	items, err := read(t, file)
	require.NoError(t, err)
	require.Len(t, items, 3)
	for i, message := range []string{"START RequestId: 1", "{\"level\":\"info\",\"msg\":\"tab\there, café 😀\"}\n", "192.0.2.7 - - \"GET / HTTP/1.1\" 200"} {
		var log struct{ Message, DDTags, DDSource string }
		require.NoError(t, json.Unmarshal([]byte(items[i]), &log))
		assert.Equal(t, message, log.Message)
		assert.Contains(t, log.DDTags, "forwardername:datadogforwarder")
		assert.NotEmpty(t, log.DDSource)
	}
}

func TestOffsets(t *testing.T) {
	content := " \n" + `["{\"a\":1}", null,{} ]`
	var ends []int64
	for item, err := range forwarder.Records(strings.NewReader(content)) {
		require.NoError(t, err)
		ends = append(ends, item.Offset)
	}
	assert.Equal(t, []int64{14, 23}, ends)
}

func TestRecordsEndWhereTheCallerEnds(t *testing.T) {
	count := 0
	for range forwarder.Records(strings.NewReader(`["{}","{}",secret]`)) {
		count++
		break
	}
	assert.Equal(t, 1, count)
}

func TestFaultOfTheSource(t *testing.T) {
	fault := errors.New("the connection broke")
	for content, want := range map[string][]string{
		``:                 nil,
		` [`:               nil,
		`["{\"a\":1}","{`:  {`{"a":1}`},
		`["{\"a\":1}" `:    {`{"a":1}`},
		`["{\"a\":1}"]`:    {`{"a":1}`},
		`{"a":1}` + "\n{}": {`{"a":1}`, `{}`},
	} {
		got, err := read(t, io.MultiReader(strings.NewReader(content), iotest.ErrReader(fault)))
		require.ErrorIs(t, err, fault, content)
		assert.Equal(t, want, got)
	}
}

func TestObjectThatIsTooLarge(t *testing.T) {
	// large is an array of the given length: a log, and white space behind the array.
	large := func(size int) io.Reader {
		const logs = `["{}"]`
		return io.MultiReader(strings.NewReader(logs), io.LimitReader(spaces{}, int64(size-len(logs))))
	}
	got, err := read(t, large(forwarder.MaxObjectBytes))
	require.NoError(t, err)
	assert.Len(t, got, 1)

	got, err = read(t, large(forwarder.MaxObjectBytes+1))
	require.ErrorContains(t, err, "the object has more than 67108864 bytes")
	assert.Len(t, got, 1)

	_, err = read(t, spaces{})
	require.ErrorContains(t, err, "the object has more than 67108864 bytes")
}

// spaces is white space without end.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte(" "), len(p))), nil }

func TestParseKey(t *testing.T) {
	const function = "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"
	for key, want := range map[string]forwarder.Key{
		"failed_events/" + function + "/logs/1712345678.1234567":   {Kind: forwarder.Logs, Function: function, StoredMillis: 1712345678123},
		"failed_events/" + function + "/metrics/1712345678.5":      {Kind: forwarder.Metrics, Function: function, StoredMillis: 1712345678500},
		"failed_events/" + function + "/traces/1712345678":         {Kind: forwarder.Traces, Function: function, StoredMillis: 1712345678000},
		"failed_events/" + function + "/logs/lock":                 {Kind: forwarder.Lock, Function: function},
		"failed_events/" + function + "/traces/lock":               {Kind: forwarder.Lock, Function: function},
		"a/b/c/" + function + "/logs/1712345678.5":                 {Kind: forwarder.Logs, Function: function, StoredMillis: 1712345678500},
		function + "/logs/1712345678.5":                            {Kind: forwarder.Logs, Function: function, StoredMillis: 1712345678500},
		"failed_events/" + function + "/logs/copy-of-a-log":        {Kind: forwarder.Logs, Function: function},
		"failed_events/" + function + "/logs/NaN":                  {Kind: forwarder.Logs, Function: function},
		"failed_events/" + function + "/logs/-5":                   {Kind: forwarder.Logs, Function: function},
		"failed_events/" + function + "/logs/1e300":                {Kind: forwarder.Logs, Function: function},
		"failed_events/" + function + "/logs/":                     {},
		"failed_events/" + function + "/Logs/1712345678.5":         {},
		"failed_events/" + function + "/logs/1712345678.5/more":    {},
		"failed_events/" + function + "/others/1712345678.5":       {},
		"failed_events/" + function + "/lock":                      {},
		"failed_events/" + function + "/lock/lock":                 {},
		"cache/" + function + "_lambda.json":                       {},
		"logs/1712345678.5":                                        {},
		"":                                                         {},
		"//":                                                       {},
		"failed_events/" + function + "//1712345678.5":             {},
		"failed_events/../logs/1712345678.5":                       {Kind: forwarder.Logs, Function: "..", StoredMillis: 1712345678500},
		"failed_events/" + function + "/logs/1712345678.5\x00\xff": {Kind: forwarder.Logs, Function: function},
	} {
		assert.Equal(t, want, forwarder.ParseKey(key), key)
	}
}

// FuzzRecords holds the reader to encoding/json: each value of the array that is not null is a log, in order, and what was
// an object is that object.
func FuzzRecords(f *testing.F) {
	stored, err := os.ReadFile(filepath.Join("testdata", "logs.json"))
	require.NoError(f, err)
	f.Add(stored)
	for _, seed := range []string{
		`["{\"a\":1}", {"b":2}, null, "x", 1]`, `[]`, ``, `{}`, `{}"{}"`, `["{\"a\": NaN}"]`, ` ["\"{}\""] `, `["{}"`, `["{}",]`, `[[[`, `"\ud800"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		items, err := read(t, bytes.NewReader(content))
		again, errAgain := read(t, iotest.OneByteReader(bytes.NewReader(content)))
		assert.Equal(t, items, again, "however the source cuts its reads")
		assert.Equal(t, err == nil, errAgain == nil)
		for _, item := range items {
			text := strings.TrimPrefix(item, "!")
			assert.True(t, strings.HasPrefix(text, "{"))
			assert.True(t, json.Valid([]byte(text)))
		}
		var all []json.RawMessage
		if json.Unmarshal(content, &all) != nil || !bytes.HasPrefix(bytes.TrimSpace(content), []byte("[")) {
			return
		}
		require.NoError(t, err)
		n := 0
		for _, value := range all {
			var log map[string]any
			switch {
			case string(value) == "null":
				continue
			case json.Unmarshal(value, &log) == nil:
				assert.Equal(t, string(value), items[n])
			}
			n++
		}
		assert.Len(t, items, n)
	})
}
