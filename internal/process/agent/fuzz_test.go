package agent

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

var formatNames = []string{CommonApacheLog, CombinedApacheLog, ApacheErrorLog, Syslog, RFC3339Syslog}

// javaTexts are the texts of testdata/java.json of a kind.
func javaTexts(f *testing.F, kind string) (cases []javaCase) {
	f.Helper()
	text, err := os.ReadFile("testdata/java.json")
	require.NoError(f, err)
	var all []javaCase
	require.NoError(f, json.Unmarshal(text, &all))
	for _, tc := range all {
		if tc.Kind == kind {
			cases = append(cases, tc)
		}
	}
	return cases
}

// The matchers by hand agree with the regular expressions of the oracle.
func FuzzFormats(f *testing.F) {
	for _, tc := range javaTexts(f, "format") {
		f.Add([]byte(tc.Text))
	}
	f.Add([]byte(errorLine))
	f.Fuzz(func(t *testing.T, line []byte) {
		line = bytes.ToValidUTF8(line, []byte("\uFFFD"))
		for _, name := range formatNames {
			format, _ := formatOf(name)
			groups := make([]span, len(format.names))
			want := oracle[name].FindSubmatchIndex(line)
			if format.match(line, groups) != (want != nil) {
				t.Fatalf("%s of %q: want %t", name, line, want != nil)
			}
			if want == nil {
				continue
			}
			for i, g := range groups {
				if (span{want[2*i+2], want[2*i+3]}) != g {
					t.Fatalf("%s of %q: group %d is %v, want %v", name, line, i, g, want[2*i+2:2*i+4])
				}
			}
		}
	})
}

// Whatever the record is, it is whole: converted into one JSON object where that is promised, or kept, or named.
func FuzzAppend(f *testing.F) {
	lists := []string{
		`[{"optionName":"SINGLELINE"}]`,
		`[{"optionName":"SINGLELINE","parseOptions":["NO_TRIM"]}]`,
		`[{"optionName":"SINGLELINE","parseOptions":["ESCAPE_NEW_LINE"]},{"optionName":"ADDBRACKETS"}]`,
		`[{"optionName":"CSVTOJSON","customFieldNames":["a","b","a","c"]}]`,
		`[{"optionName":"CSVTOJSON","customFieldNames":["a","b","c"],"delimiter":"\\s*[|,]?","jsonFormat":"PRETTYPRINT"}]`,
		`[{"optionName":"SINGLELINE"},{"optionName":"LOGTOJSON","logFormat":"COMMONAPACHELOG"},{"optionName":"SINGLELINE"}]`,
		`[{"optionName":"LOGTOJSON","logFormat":"COMBINEDAPACHELOG"},{"optionName":"ADDMETADATA","metadata":{"a":1}}]`,
		`[{"optionName":"LOGTOJSON","logFormat":"APACHEERRORLOG"}]`,
		`[{"optionName":"LOGTOJSON","logFormat":"SYSLOG","jsonFormat":"PRETTYPRINT"}]`,
		`[{"optionName":"LOGTOJSON","logFormat":"SYSLOG","matchPattern":"(?s)(.)(.*?)(\\s.*)?","customFieldNames":["a","b","c"]}]`,
	}
	var converters [2][]*Converter
	for _, list := range lists {
		for i := range converters {
			c, err := New(options(f, list), i == 1)
			require.NoError(f, err)
			converters[i] = append(converters[i], c)
		}
	}
	for _, line := range []string{accessLine, accessLine + ` "-" "curl"`, errorLine, mailLine, "a,b|c", "{\n \"a\": 1\n}\n", "\xff\xfe,\x00\n\n"} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		before := bytes.Clone(record)
		for i := range lists {
			kept, outcome := converters[0][i].Append([]byte("before"), record)
			strict, strictly := converters[1][i].Append([]byte("before"), record)
			switch {
			case !bytes.Equal(before, record):
				t.Fatal("the record was changed")
			case !strings.HasPrefix(string(kept), "before"), !strings.HasPrefix(string(strict), "before"):
				t.Fatal("what stands before it was changed")
			case outcome == Raw && !bytes.Equal(kept[6:], record):
				t.Fatalf("kept as %q, not as it came", kept[6:])
			case outcome == Raw && (strictly != NoMatch || len(strict) > 6), outcome == NoMatch:
				t.Fatalf("%v, strictly %v", outcome, strictly)
			case outcome == Converted && (strictly != Converted || !bytes.Equal(kept, strict)):
				t.Fatalf("strictly %v", strictly)
			}
			if outcome == Converted {
				checkConverted(t, converters[0][i], kept[6:])
			}
		}
	})
}

// checkConverted checks what holds for everything that is converted.
func checkConverted(t *testing.T, c *Converter, out []byte) {
	t.Helper()
	switch {
	case !utf8.Valid(out):
		t.Fatalf("no UTF-8: %q", out)
	case c.Structured() && (!json.Valid(out) || out[0] != '{'):
		t.Fatalf("no JSON object: %q", out)
	}
	if s, is := c.steps[0].(singleLine); is && len(c.steps) == 1 && !s.escape {
		again, outcome := c.Append(nil, out)
		if outcome != Converted || !bytes.Equal(again, out) || bytes.Count(out, []byte("\n")) != 1 {
			t.Fatalf("%q is one line, and not as it is again: %q", out, again)
		}
	}
}

// Whatever is accepted compiles, and everything else says where and why. Nothing of a text in the wrong place is shown.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`[{"optionName":"CSVTOJSON","customFieldNames":["a"],"delimiter":"[,;]+"}]`,
		`[{"optionName":"LOGTOJSON","logFormat":"SYSLOG","matchPattern":"(.)","customFieldNames":["a"],"jsonFormat":"PRETTYPRINT"}]`,
		`[{"optionName":"ADDMETADATA","metadata":{"a":[1,{"b":null}]},"timestamp":"true","jsonFormat":"PRETTYPRINT"}]`,
		`[{"optionName":"SINGLELINE","parseOptions":["NO_TRIM"]},{"optionName":"ADDBRACKETS"}]`, `[1,null,{}]`, `{`, `[{"optionName":null}]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := Parse(text)
		if err != nil {
			if list != nil || err.Error() == "" {
				t.Fatal(list, err)
			}
			return
		}
		c, err := New(list, false)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		out, outcome := c.Append(nil, []byte("a,b\n\"c\"\n"))
		if c.Structured() && outcome == Converted && !json.Valid(out) {
			t.Fatalf("%s makes %q", text, out)
		}
	})
}

// Patterns that are accepted compile to what matches at the start, and never crash.
func FuzzPattern(f *testing.F) {
	for _, kind := range []string{"match", "split", "start"} {
		for _, tc := range javaTexts(f, kind) {
			f.Add(tc.Pattern, tc.Text)
		}
	}
	f.Add(`(?i-s:[^\]a-f\p{Lu}]{1,2}?)\Q.\E(?<x>.)`, "xx.\n")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if start, err := CompileStart(pattern); err == nil {
			if at := start.FindStringIndex(text); len(at) > 0 && at[0] != 0 {
				t.Fatalf("%q matches %q at %d", pattern, text, at[0])
			}
		}
		d, err := newDelimiter(pattern)
		if err != nil {
			return
		}
		text = strings.ToValidUTF8(text, "?")
		columns := make([]span, len(text)+2)
		previous := 0
		for _, c := range columns[:split(d, []byte(text), columns)] {
			if c.start < previous || c.end < c.start || c.end > len(text) {
				t.Fatalf("%q cuts %q at %v", pattern, text, c)
			}
			previous = c.end
		}
	})
}

// The pieces of a stream are the stream, they do not depend on how it is read, and they are what a plain loop over all of
// its lines finds.
func FuzzSplit(f *testing.F) {
	f.Add([]byte("x\t1\ty\ncontinued\nz\t22\tw\n"), 0, true)
	f.Add([]byte("#\n[a\n b\r\n[c"), 1, true)
	f.Add([]byte("\n\n[\n"), 2, false)
	f.Fuzz(func(t *testing.T, text []byte, header int, ofLines bool) {
		s := Splitting{SkipHeaderLines: header & 3}
		if ofLines {
			s.MultiLineStartPattern = `\[|.*\d`
		}
		list, err := pieces(t, s, bytes.NewReader(text))
		require.Equal(t, io.EOF, err)
		slowly, err := pieces(t, s, iotest.OneByteReader(bytes.NewReader(text)))
		require.Equal(t, io.EOF, err)
		require.Equal(t, list, slowly)
		require.Equal(t, plainly(t, s, text), described(list))
		var whole []byte
		for _, p := range list {
			whole = append(whole, p.Text...)
		}
		require.Equal(t, string(text), string(whole))
	})
}

// plainly describes the pieces of a text that has no runaways.
func plainly(t *testing.T, s Splitting, text []byte) (want []string) {
	t.Helper()
	start, err := CompileStart(s.MultiLineStartPattern)
	require.NoError(t, err)
	open := false
	for i, line := range strings.SplitAfter(string(text), "\n") {
		switch {
		case line == "":
		case i < s.SkipHeaderLines:
			want = append(want, "header "+line)
		case open && s.MultiLineStartPattern != "" && !start.MatchString(line):
			want[len(want)-1] += line
		default:
			open = true
			want = append(want, line)
		}
	}
	if n := len(want); open && !strings.Contains(want[n-1], "\n") {
		want[n-1] = "unended " + want[n-1]
	}
	return want
}
