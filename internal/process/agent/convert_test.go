package agent

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	accessLine = `192.0.2.10 - - [07/Mar/2004:16:10:02 -0800] "GET /cart?a=1&b=2 HTTP/1.1" 200 6291`
	accessJSON = `{"host":"192.0.2.10","ident":null,"authuser":null,"datetime":"07/Mar/2004:16:10:02 -0800",` +
		`"request":"GET /cart?a=1&b=2 HTTP/1.1","response":"200","bytes":"6291"}` + "\n"
	errorLine = `[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 4328636416] [client 192.0.2.187] File does not exist: /srv/www/favicon.ico`
	mailLine  = "Mar 12 12:00:08 mail2 postfix/smtpd[308]: connect from client.example.com[192.0.2.1] "
)

// options are those of a text, which must be right.
func options(tb testing.TB, text string) []Option {
	tb.Helper()
	list, err := Parse([]byte(text))
	require.NoError(tb, err, text)
	return list
}

func TestConvert(t *testing.T) {
	t.Parallel()
	const (
		single   = `[{"optionName":"SINGLELINE"}]`
		csv      = `[{"optionName":"CSVTOJSON","customFieldNames":["a","b","c"]}]`
		tabs     = `[{"optionName":"CSVTOJSON","customFieldNames":["a","b","c"],"delimiter":"\\t"}]`
		common   = `[{"optionName":"LOGTOJSON","logFormat":"COMMONAPACHELOG"}]`
		combined = `[{"optionName":"LOGTOJSON","logFormat":"COMBINEDAPACHELOG"}]`
		errors   = `[{"optionName":"LOGTOJSON","logFormat":"APACHEERRORLOG"}]`
		syslog   = `[{"optionName":"LOGTOJSON","logFormat":"SYSLOG"}]`
		rfc3339  = `[{"optionName":"LOGTOJSON","logFormat":"RFC3339SYSLOG"}]`
		pattern  = `[{"optionName":"LOGTOJSON","logFormat":"COMMONAPACHELOG","matchPattern":` +
			`"^([\\d.]+) (\\S+) (\\S+) \\[([\\w:/]+\\s[+\\-]\\d{4})\\] \"(.+?)\" (\\d{3})","customFieldNames":["f1","f2","f3","f4","f5","f6"]}]`
	)
	for name, tc := range map[string]struct{ options, record, want string }{
		"no options": {`[]`, "x\n", "x\n"},

		"single line": {single, "{\n   \"a\": 1,\n   \"b\": 2\n}\n", `{"a": 1,"b": 2}` + "\n"},
		"single line with line ends escaped": {
			`[{"optionName":"SINGLELINE","parseOptions":["ESCAPE_NEW_LINE"]}]`, "{\n   \"a\": 1\n }\n", `{\\n"a": 1\\n}` + "\n",
		},
		"single line not trimmed": {
			`[{"optionName":"SINGLELINE","parseOptions":["NO_TRIM"]}]`, "{\n   \"a\": 1\n }\n", `{   "a": 1 }` + "\n",
		},
		"single line, CRLF":                    {single, "a\r\nb\r\n", "ab\n"},
		"single line trims controls, not NBSP": {single, "\x00a\x1f\n\u00a0b\u00a0\n", "a\u00a0b\u00a0\n"},
		"single line of nothing":               {single, "", "\n"},
		"single line, no UTF-8":                {single, "a\xffb\xe2\x82", "a\uFFFDb\uFFFD\uFFFD\n"},

		"columns":                             {csv, "v1,v2,v3\n", `{"a":"v1","b":"v2","c":"v3"}` + "\n"},
		"columns keep spaces":                 {csv, " v1, v2 ,v3 ", `{"a":" v1","b":" v2 ","c":"v3 "}` + "\n"},
		"columns keep line ends":              {csv, "v1,v\n2,v3\n\n", `{"a":"v1","b":"v\n2","c":"v3\n"}` + "\n"},
		"columns with CRLF":                   {csv, "v1,v2,v3\r\n", `{"a":"v1","b":"v2","c":"v3\r"}` + "\n"},
		"too few columns":                     {csv, "v1\n", `{"a":"v1","b":null,"c":null}` + "\n"},
		"too many columns":                    {csv, "v1,v2,v3,v4,v5\n", `{"a":"v1","b":"v2","c":"v3"}` + "\n"},
		"empty columns at the end":            {csv, "v1,,\n", `{"a":"v1","b":null,"c":null}` + "\n"},
		"empty columns before the names end":  {csv, "v1,,v3,\n", `{"a":"v1","b":"","c":"v3"}` + "\n"},
		"empty column that a later one keeps": {csv, "v1,,,,v5\n", `{"a":"v1","b":"","c":""}` + "\n"},
		"nothing but delimiters":              {csv, ",,\n", `{"a":null,"b":null,"c":null}` + "\n"},
		"no columns":                          {csv, "", `{"a":"","b":null,"c":null}` + "\n"},
		"quotes mean nothing":                 {csv, `"v,1",v"2`, `{"a":"\"v","b":"1\"","c":"v\"2"}` + "\n"},
		"escapes":                             {csv, "\x01\t\\,/<>&,\u2028é", `{"a":"\u0001\t\\","b":"/<>&","c":"` + "\u2028é\"}\n"},
		"columns, no UTF-8":                   {csv, "\xff,b", `{"a":"` + "\uFFFD" + `","b":"b","c":null}` + "\n"},
		"tabs":                                {tabs, "v1\t v,2\t\tv4\n", `{"a":"v1","b":" v,2","c":""}` + "\n"},
		"name twice: last value, first place": {
			`[{"optionName":"CSVTOJSON","customFieldNames":["a","b","a"]}]`, "1,2,3", `{"a":"3","b":"2"}` + "\n",
		},
		"name twice, last value is missing": {
			`[{"optionName":"CSVTOJSON","customFieldNames":["a","b","a","b"]}]`, "1,2,3", `{"a":"3","b":null}` + "\n",
		},
		"name that needs escapes": {
			`[{"optionName":"CSVTOJSON","customFieldNames":["a\"\n"]}]`, "1", `{"a\"\n":"1"}` + "\n",
		},
		"pretty": {
			`[{"optionName":"CSVTOJSON","customFieldNames":["a","b"],"jsonFormat":"PRETTYPRINT"}]`, "1", "{\n  \"a\" : \"1\",\n  \"b\" : null\n}\n",
		},
		"compact": {`[{"optionName":"CSVTOJSON","customFieldNames":["a"],"jsonFormat":"COMPACT"}]`, "1", `{"a":"1"}` + "\n"},

		"common":                     {common, accessLine + "\n", accessJSON},
		"common without line feed":   {common, accessLine, accessJSON},
		"common with more behind it": {common, accessLine + ` "-" "curl/8.4.0"` + "\n", accessJSON},
		"common, another host":       {common, strings.Replace(accessLine, "192.0.2.10", "crawl-1.example.com.", 1), strings.Replace(accessJSON, "192.0.2.10", "crawl-1.example.com.", 1)},
		"common, no bytes":           {common, strings.Replace(accessLine, "6291", "-", 1), strings.Replace(accessJSON, `"6291"`, "null", 1)},
		"common, other names": {
			`[{"optionName":"LOGTOJSON","logFormat":"COMMONAPACHELOG","customFieldNames":["f1","f2","f3","f4","f5","f6","f7"]}]`, accessLine + "\n",
			`{"f1":"192.0.2.10","f2":null,"f3":null,"f4":"07/Mar/2004:16:10:02 -0800","f5":"GET /cart?a=1&b=2 HTTP/1.1","f6":"200","f7":"6291"}` + "\n",
		},
		"combined": {
			combined, accessLine + ` "-" "Mozilla/5.0 (X11; Linux)" "anything"` + "\n",
			strings.TrimSuffix(accessJSON, "}\n") + `,"referer":null,"agent":"Mozilla/5.0 (X11; Linux)"}` + "\n",
		},
		"error log": {
			errors, errorLine, `{"timestamp":"Fri Sep 09 10:42:29.902022 2011","module":"core","severity":"error","processid":"35708",` +
				`"threadid":"4328636416","client":"192.0.2.187","message":"File does not exist: /srv/www/favicon.ico"}` + "\n",
		},
		"error log without thread and module, with port": {
			errors, `[Fri Sep 09 10:42:29 2011] [notice] [pid 1] [client 192.0.2.1:80] -`,
			`{"timestamp":"Fri Sep 09 10:42:29 2011","module":null,"severity":"notice","processid":"1","threadid":null,` +
				`"client":"192.0.2.1:80","message":null}` + "\n",
		},
		"syslog": {
			syslog, mailLine + "\n", `{"timestamp":"Mar 12 12:00:08","hostname":"mail2","program":"postfix/smtpd","processid":"308",` +
				`"message":"connect from client.example.com[192.0.2.1] "}` + "\n",
		},
		"syslog: a dash stays": {
			syslog, "Mar  7 1:00:08 - -: -", `{"timestamp":"Mar  7 1:00:08","hostname":"-","program":"-","processid":null,"message":"-"}` + "\n",
		},
		"syslog with facility": {
			syslog, "Mar 7 12:00:08 <4.6> h p: ", `{"timestamp":"Mar 7 12:00:08","hostname":"h","program":"p","processid":null,"message":""}` + "\n",
		},
		"syslog of RFC 3339": {
			rfc3339, "2024-02-01T00:00:05.123+01:00 h p[1]: m", `{"timestamp":"2024-02-01T00:00:05.123+01:00","hostname":"h","program":"p","processid":"1","message":"m"}` + "\n",
		},
		"pattern": {
			pattern, `192.0.2.9 - - [27/Oct/2000:09:27:09 -0400] "GET /a HTTP/1.0" 200`,
			`{"f1":"192.0.2.9","f2":null,"f3":null,"f4":"27/Oct/2000:09:27:09 -0400","f5":"GET /a HTTP/1.0","f6":"200"}` + "\n",
		},
		"pattern with SYSLOG: a dash stays, a group without part is null": {
			`[{"optionName":"LOGTOJSON","logFormat":"SYSLOG","matchPattern":"(.)(x)?","customFieldNames":["a","b"]}]`, "-\n", `{"a":"-","b":null}` + "\n",
		},
		"pattern that matches nothing at all": {
			`[{"optionName":"LOGTOJSON","logFormat":"SYSLOG","matchPattern":"(a*)","customFieldNames":["a"]}]`, "", `{"a":""}` + "\n",
		},
		"several lines, then columns": {
			`[{"optionName":"SINGLELINE"},{"optionName":"CSVTOJSON","customFieldNames":["a","b","c"],"delimiter":"\\t"}]`,
			"[SEQUENCE=1]\tfirst\n  half\tsecond\n", `{"a":"[SEQUENCE=1]","b":"firsthalf","c":"second"}` + "\n",
		},
		"four options": {
			`[{"optionName":"SINGLELINE"},{"optionName":"LOGTOJSON","logFormat":"SYSLOG"},{"optionName":"ADDMETADATA","metadata":{"a":1}},{"optionName":"ADDBRACKETS"}]`,
			"Mar 7 12:00:08 h p: a\n  b\n",
			`{{"metadata":{"a":1},"data":"{\"timestamp\":\"Mar 7 12:00:08\",\"hostname\":\"h\",\"program\":\"p\",\"processid\":null,\"message\":\"ab\"}"}` + "\n}",
		},
		"metadata": {
			`[{"optionName":"ADDMETADATA","metadata":{"key": "value", "foo": {"bar": [1, 2.50]}}}]`, "a \"line\"\n",
			`{"metadata":{"key":"value","foo":{"bar":[1,2.50]}},"data":"a \"line\""}` + "\n",
		},
		"no metadata": {`[{"optionName":"ADDMETADATA"}]`, "x\n\n", `{"metadata":null,"data":"x\n"}` + "\n"},
		"metadata with timestamp": {
			`[{"optionName":"ADDMETADATA","metadata":[],"timestamp":"true"}]`, "x", `{"ts":"2024-02-01T00:00:05.007Z","metadata":[],"data":"x"}` + "\n",
		},
		"metadata, pretty": {
			`[{"optionName":"ADDMETADATA","jsonFormat":"PRETTYPRINT","timestamp":true,"metadata":{"a":[{"b":{}},[],"é\n"],"c":{"d":null}}}]`, "x",
			"{\n  \"ts\" : \"2024-02-01T00:00:05.007Z\",\n  \"metadata\" : {\n    \"a\" : [ {\n      \"b\" : { }\n    }, [ ], \"é\\n\" ],\n" +
				"    \"c\" : {\n      \"d\" : null\n    }\n  },\n  \"data\" : \"x\"\n}\n",
		},
		"brackets":                  {`[{"optionName":"ADDBRACKETS"}]`, "\"a\":1", `{"a":1}`},
		"brackets around line feed": {`[{"optionName":"ADDBRACKETS"}]`, "x\n", "{x\n}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, strict := range []bool{false, true} {
				c, err := New(options(t, tc.options), strict)
				require.NoError(t, err)
				c.Now = func() time.Time { return time.Date(2024, 2, 1, 1, 0, 5, 7_999_999, time.FixedZone("", 3600)) }
				for _, converter := range []*Converter{c, c, c.Clone()} { // used again
					out, outcome := converter.Append([]byte("before "), []byte(tc.record))
					assert.Equal(t, "before "+tc.want, string(out))
					assert.Equal(t, Converted, outcome)
				}
				if c.Structured() {
					assert.True(t, json.Valid([]byte(tc.want)), "structured")
				}
			}
		})
	}
}

func TestNotConverted(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ format, record string }{
		"no bytes column":           {CommonApacheLog, strings.TrimSuffix(accessLine, " 6291") + "\n"},
		"no request":                {CommonApacheLog, strings.Replace(accessLine, `"GET /cart?a=1&b=2 HTTP/1.1"`, `""`, 1)},
		"quotes in the request":     {CommonApacheLog, strings.Replace(accessLine, "cart", `c\"art`, 1)},
		"IPv6 client":               {CommonApacheLog, strings.Replace(accessLine, "192.0.2.10", "2001:db8::1", 1)},
		"user with an at sign":      {CommonApacheLog, strings.Replace(accessLine, "- - ", "- a@example.com ", 1)},
		"CRLF":                      {CommonApacheLog, accessLine + "\r\n"},
		"two lines":                 {CommonApacheLog, accessLine + "\n" + accessLine + "\n"},
		"two line feeds":            {CommonApacheLog, accessLine + "\n\n"},
		"next line behind it":       {CommonApacheLog, accessLine + "\u0085"},
		"line separator":            {Syslog, mailLine + "\u2028"},
		"paragraph separator":       {Syslog, mailLine + "\u2029"},
		"text before it":            {CommonApacheLog, " " + accessLine},
		"nothing":                   {CommonApacheLog, ""},
		"no agent":                  {CombinedApacheLog, accessLine + ` "-"`},
		"empty referer":             {CombinedApacheLog, accessLine + ` "" "curl"`},
		"IPv6 client in error log":  {ApacheErrorLog, strings.Replace(errorLine, "192.0.2.187", "2001:db8::1", 1)},
		"colon as the guide has it": {ApacheErrorLog, strings.Replace(errorLine, "client ", "client: ", 1)},
		"process 0":                 {Syslog, strings.Replace(mailLine, "308", "0", 1)},
		"priority of two digits":    {Syslog, strings.Replace(mailLine, "mail2", "<34> mail2", 1)},
		"priority in front":         {Syslog, "<34>" + mailLine},
		"time of another format":    {RFC3339Syslog, mailLine},
		"no UTF-8 in a host":        {Syslog, strings.Replace(mailLine, "mail2", "\xffmail2", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := []Option{{OptionName: SingleLine, ParseOptions: []string{NoTrim, EscapeNewLine}}, {OptionName: LogToJSON, LogFormat: tc.format}, {OptionName: AddBrackets}}
			if strings.Count(tc.record, "\n") > 1 || !strings.HasSuffix(tc.record, "\n") {
				list = list[1:]
			}
			for _, list := range [][]Option{list, list[:len(list)-1]} {
				c, err := New(list, false)
				require.NoError(t, err)
				out, outcome := c.Append([]byte("before "), []byte(tc.record))
				assert.Equal(t, Raw, outcome)
				assert.Equal(t, "before "+tc.record, string(out), "as it came")

				c, err = New(list, true)
				require.NoError(t, err)
				out, outcome = c.Append([]byte("before "), []byte(tc.record))
				assert.Equal(t, NoMatch, outcome)
				assert.Equal(t, "before ", string(out))
			}
		})
	}
}

func TestNamesOfMonthsAndDays(t *testing.T) {
	t.Parallel()
	for month := time.January; month <= time.December; month++ {
		for _, name := range []string{month.String(), month.String()[:3]} {
			assert.True(t, matchSyslog([]byte(name+" 1 0:00:00 h p: m"), make([]span, 5)), name)
			assert.False(t, matchSyslog([]byte(name+"x 1 0:00:00 h p: m"), make([]span, 5)), name)
		}
	}
	for day := time.Sunday; day <= time.Saturday; day++ {
		for _, name := range []string{day.String(), day.String()[:3]} {
			assert.True(t, matchApacheError([]byte(strings.Replace(errorLine, "Fri", name, 1)), make([]span, 7)), name)
			assert.False(t, matchApacheError([]byte(strings.Replace(errorLine, "Fri", name+"x", 1)), make([]span, 7)), name)
		}
	}
}

// What an option makes too large goes as it came, and is dropped in no case: it did match.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	quotes := strings.Repeat(`"`, 1<<20)
	for n, want := range map[int]Outcome{2: Converted, 3: Raw, 4: Raw} { // each makes two bytes of a quotation mark or a backslash
		list := []Option{{OptionName: CSVToJSON, CustomFieldNames: []string{"a"}}}
		for len(list) < n {
			list = append(list, Option{OptionName: AddMetadata})
		}
		c, err := New(list, true)
		require.NoError(t, err)
		out, outcome := c.Append(nil, []byte(quotes))
		assert.Equal(t, want, outcome, "%d options", n)
		assert.Equal(t, want == Raw, string(out) == quotes, "%d options", n)
		assert.LessOrEqual(t, cap(c.work.between[0])+cap(c.work.between[1]), 2*keptBytes, "large buffers are let go")
	}
}

// What is too large on the way is so even if the next option makes little of it.
func TestTooLargeOnTheWay(t *testing.T) {
	t.Parallel()
	add, cut := Option{OptionName: AddMetadata}, Option{OptionName: CSVToJSON, CustomFieldNames: []string{"a"}}
	c, err := New([]Option{add, add, add, cut}, true)
	require.NoError(t, err)
	out, outcome := c.Append(nil, []byte(strings.Repeat(`"`, 1<<19)))
	assert.Equal(t, Converted, outcome)
	assert.Len(t, out, len(`{"a":"{\"metadata\":null"}`+"\n"), "up to the first comma")
	_, outcome = c.Append(nil, []byte(strings.Repeat(`"`, 1<<20)))
	assert.Equal(t, Raw, outcome)
}

func TestStructured(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`[]`:                             false,
		`[{"optionName":"SINGLELINE"}]`:  false,
		`[{"optionName":"ADDMETADATA"}]`: true,
		`[{"optionName":"CSVTOJSON","customFieldNames":["a"],"jsonFormat":"PRETTYPRINT"},{"optionName":"SINGLELINE"}]`:                                    true,
		`[{"optionName":"CSVTOJSON","customFieldNames":["a"],"jsonFormat":"PRETTYPRINT"},{"optionName":"SINGLELINE","parseOptions":["NO_TRIM"]}]`:         true,
		`[{"optionName":"CSVTOJSON","customFieldNames":["a"],"jsonFormat":"PRETTYPRINT"},{"optionName":"SINGLELINE","parseOptions":["ESCAPE_NEW_LINE"]}]`: false,
		`[{"optionName":"LOGTOJSON","logFormat":"SYSLOG"},{"optionName":"ADDBRACKETS"}]`:                                                                  false,
	} {
		c, err := New(options(t, text), false)
		require.NoError(t, err)
		assert.Equal(t, want, c.Structured(), text)
	}
}

func TestNoAllocation(t *testing.T) {
	for name, tc := range map[string]struct{ options, record string }{
		"common":   {`[{"optionName":"LOGTOJSON","logFormat":"COMMONAPACHELOG"}]`, accessLine},
		"error":    {`[{"optionName":"LOGTOJSON","logFormat":"APACHEERRORLOG"}]`, errorLine},
		"syslog":   {`[{"optionName":"LOGTOJSON","logFormat":"SYSLOG"}]`, mailLine},
		"chain":    {`[{"optionName":"SINGLELINE"},{"optionName":"CSVTOJSON","customFieldNames":["a","b"],"delimiter":"\\s+"},{"optionName":"ADDMETADATA","timestamp":true}]`, "a\nb c"},
		"no UTF-8": {`[{"optionName":"CSVTOJSON","customFieldNames":["a","b"]}]`, "a\xff,b"},
	} {
		c, err := New(options(t, tc.options), true)
		require.NoError(t, err)
		var dst []byte
		record := []byte(tc.record)
		got := testing.AllocsPerRun(100, func() { dst, _ = c.Append(dst[:0], record) })
		assert.Zero(t, got, name)
	}
}
