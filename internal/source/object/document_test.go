package object

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/compress"
	"sluice/internal/lines"
	"sluice/internal/record"
)

const (
	manifestKey = "errors/manifests/2026/02/01/09/redshift-1-2026-02-01-09-30-00-11111111-2222-4333-8444-555555555555"
	failedKey   = "logs/splunk-failed/2026/02/01/09/shop-1-2026-02-01-09-30-00-11111111-2222-4333-8444-555555555555"
	header      = `{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"g","logStream":"s","subscriptionFilters":["f"],"logEvents":[`
)

func logEvent(text string) string {
	return `{"id":"1","timestamp":1769938200000,"message":"` + text + `"}`
}

func payloadOf(text string) string { return header + logEvent(text) + "]}" }

// breaking reads text and ends with a fault of its packing.
func breaking(text string) io.Reader {
	fault := &compress.CorruptError{Packing: "gzip", Err: errors.New("checksum")}
	return io.MultiReader(strings.NewReader(text), faulty{fault})
}

type faulty struct{ err error }

func (f faulty) Read([]byte) (int, error) { return 0, f.err }

// decoded is what comes of an object: its records, and its damage as `!reason from-to`.
func decoded(t *testing.T, in Input, key string) (Content, []string) {
	t.Helper()
	in.Origin = &record.Origin{Kind: record.S3, Bucket: "example-logs", Key: key, ETag: "e"}
	var d Decoder
	var all []string
	content, err := d.Enter(in)
	if err != nil {
		return content, append(all, damageOf(t, err))
	}
	if content.NotALog || content.IsManifest {
		return content, nil
	}
	seen := map[string]bool{}
	for r, err := range d.Records() {
		if err != nil {
			all = append(all, damageOf(t, err))
			continue
		}
		all = append(all, string(r.Message.AppendPlain(nil)))
		if r.Origin.Kind == record.S3 && len(r.Message.Bytes) > 0 {
			id := string(r.AppendID(nil))
			assert.False(t, seen[id], "two records have the same id")
			seen[id] = true
		}
	}
	return content, all
}

func damageOf(t *testing.T, err error) string {
	t.Helper()
	damage, ok := errors.AsType[*Damage](err)
	require.True(t, ok, "%v", err)
	require.True(t, damage.End == -1 || damage.End > damage.Offset, "damage is never empty")
	return fmt.Sprintf("!%s %d-%d", damage.Reason, damage.Offset, damage.End)
}

func TestWhatAnObjectIsTakesAllOfIt(t *testing.T) {
	const digest = `{"awsAccountId":"111122223333","digestStartTime":"x","digestS3Bucket":"b"}`
	for name, tc := range map[string]struct {
		text    string
		want    []string
		notALog bool
	}{
		"a digest":                        {digest + "\n \n", nil, true},
		"a line like a digest":            {digest + "\n{\"n\":1}\nimportant\n", []string{digest, `{"n":1}`, "important"}, false},
		"text that begins like Parquet":   {"PAR1 hello\nimportant\n", []string{"PAR1 hello", "important"}, false},
		"text that is the mark":           {"PAR1", []string{"PAR1"}, false},
		"Parquet":                         {"PAR1\x15\x04", []string{"!parquet 0--1"}, false},
		"bytes that begin like UTF-16":    {"\xff\xfeimportant one\nb\n", []string{"\uFFFD\uFFFDimportant one", "b"}, false},
		"UTF-16":                          {"\xff\xfea\x00b\x00\n\x00", []string{"ab"}, false},
		"an envelope without records":     {`{"Records":[]}`, []string{""}, false},
		"white space without end":         {strings.Repeat("\n", headBytes), []string{""}, false},
		"a text behind such white space":  {strings.Repeat("\n", headBytes) + "a", []string{"", "a"}, false},
		"a list like a manifest, by name": {`{"entries":[{"a":1}]}`, []string{`{"entries":[{"a":1}]}`}, false},
	} {
		t.Run(name, func(t *testing.T) {
			content, got := decoded(t, Input{Body: strings.NewReader(tc.text)}, "app/a.log")
			assert.Equal(t, tc.want, got)
			assert.Equal(t, tc.notALog, content.NotALog)
		})
	}
}

func TestDamageOfASubscriptionDocument(t *testing.T) {
	good := payloadOf("good")
	other := strings.Replace(payloadOf("x"), "DATA_MESSAGE", "OTHER", 1)
	badEvent := `,{"id":"2","timestamp":2,"message":"x"y},` + logEvent("c") + "]}\n"
	behindFirst := len(header + logEvent("a"))
	eventsFirst := `{"logEvents":[` + logEvent("x") + `],"messageType":"OTHER"}`
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"none was yielded: the whole document": {good + other + "\n", []string{"good", fmt.Sprintf("!undecodable %d-%d", len(good), len(good+other)+1)}},
		"events that came before their type":   {eventsFirst, []string{fmt.Sprintf("!undecodable 0-%d", len(eventsFirst))}},
		"behind the last event": {
			header + logEvent("a") + badEvent + good,
			[]string{"a", fmt.Sprintf("!undecodable %d-%d", behindFirst, len(header+logEvent("a")+badEvent)), "good"},
		},
		"nothing follows the last event": {header + logEvent("a"), []string{"a", fmt.Sprintf("!undecodable %d--1", behindFirst)}},
	} {
		t.Run(name, func(t *testing.T) {
			_, got := decoded(t, Input{Body: strings.NewReader(tc.text)}, "backup/a")
			assert.Equal(t, tc.want, got)
		})
	}
	_, got := decoded(t, Input{Body: breaking(eventsFirst[:60])}, "backup/a")
	assert.Equal(t, []string{"!corrupt 0--1"}, got)
}

func TestMembersAroundRecordsAreKept(t *testing.T) {
	const keep = `{"keep":"ME"}`
	for name, tc := range map[string]struct {
		in   io.Reader
		want []string
	}{
		"when all is well":             {strings.NewReader(`{"keep":"ME","Records":[{"n":1}],"b":2}`), []string{`{"n":1}`, `{"keep":"ME","b":2}`}},
		"when a record is broken":      {strings.NewReader(`{"keep":"ME","Records":[{"n":1},{broken`), []string{`{"n":1}`, keep, "{broken"}},
		"when the first is":            {strings.NewReader(`{"keep":"ME","Records":[{broken`), []string{keep, "{broken"}},
		"when a text stands behind":    {strings.NewReader(`{"keep":"ME","Records":[{"n":1}] oops`), []string{`{"n":1}`, keep, " oops"}},
		"when the object breaks off":   {breaking(`{"keep":"ME","Records":[{"n":1},{"n"`), []string{`{"n":1}`, keep, "!corrupt 32--1"}},
		"when its end breaks off":      {breaking(`{"keep":"ME","Records":[{"n":1}],"b`), []string{`{"n":1}`, keep, "!corrupt 32--1"}},
		"not when there are no others": {breaking(`{"Records":[{"n":1},`), []string{`{"n":1}`, "!corrupt 20--1"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, got := decoded(t, Input{Body: tc.in}, "a.json")
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestManifests(t *testing.T) {
	const entry = `{"url":"s3://example-logs/a","mandatory":true}`
	many := strings.Repeat(entry+",", 60_000)
	for name, tc := range map[string]struct {
		in   io.Reader
		want []string
		list int // -1 for none
	}{
		"whole":                       {strings.NewReader(`{"entries":[` + entry + `]}`), nil, 1},
		"empty":                       {strings.NewReader(`{"entries":[]}`), nil, 0},
		"a bad entry":                 {strings.NewReader(`{"entries":[` + entry + `,{"url":"ftp://x"}]}`), []string{"!manifest 0-78"}, 1},
		"only a bad one":              {strings.NewReader(`{"entries":[` + entry + `,{"url":"s3://x"}]}`), []string{"!manifest 0-77"}, 1},
		"breaks off":                  {strings.NewReader(`{"entries":[` + entry + `,`), []string{"!manifest 12--1"}, 1},
		"the packing is broken":       {breaking(`{"entries":[` + entry + `]}`), []string{"!corrupt 0--1"}, -1},
		"broken behind white space":   {breaking(" " + `{"entries":[` + entry + `]}` + "\n"), []string{"!corrupt 1--1"}, -1},
		"more than a value may have":  {strings.NewReader(`{"entries":[` + many + entry + `]}`), nil, 60_001},
		"more of them, and text":      {strings.NewReader(`{"entries":[` + many + entry + `]} x`), []string{fmt.Sprintf("!manifest %d--1", 12+len(many))}, 60_001},
		"more of them, one is bad":    {strings.NewReader(`{"entries":[` + many + `1]}`), []string{fmt.Sprintf("!manifest 0-%d", 12+len(many)+3)}, 60_000},
		"more of them, and no end":    {strings.NewReader(`{"entries":[` + many), []string{fmt.Sprintf("!manifest %d--1", 12+len(many)-len(entry)-1)}, 60_000},
		"more of them, broken":        {breaking(`{"entries":[` + many + `{"url`), []string{"!corrupt 0--1"}, -1},
		"more than are ever followed": {strings.NewReader(`{"entries":[` + many + many + entry + `]}`), []string{fmt.Sprintf("!manifest %d--1", 12+100_000*(len(entry)+1))}, 100_000},
	} {
		t.Run(name, func(t *testing.T) {
			content, got := decoded(t, Input{Body: tc.in}, manifestKey)
			assert.Equal(t, tc.want, got)
			assert.Equal(t, tc.list >= 0, content.IsManifest)
			assert.Len(t, content.Manifest, max(tc.list, 0))
			assert.Equal(t, content.IsManifest, content.Manifest != nil)
		})
	}
	oldKey := strings.Replace(manifestKey, "manifests/", "", 1)
	content, _ := decoded(t, Input{Body: strings.NewReader(`{"entries":[` + many + entry + `]}`)}, oldKey)
	assert.True(t, content.IsManifest, "the folder of 2016")
	_, got := decoded(t, Input{Body: strings.NewReader(`{"entries":[` + entry + "]}\nb\n")}, manifestKey)
	assert.Equal(t, []string{`{"entries":[` + entry + `]}`, "b"}, got, "a list among lines is a line")
}

func TestTextAndJSONInOneObject(t *testing.T) {
	start, err := lines.CompileStart(`\[?\d{4}`)
	require.NoError(t, err)
	joiner := &lines.Joiner{Start: start}
	payload := payloadOf("m")
	for name, tc := range map[string]struct {
		text   string
		joiner *lines.Joiner
		want   []string
	}{
		"lines in brackets are joined":            {"[2024-02-01] ERROR a\n\tat x\n\n[main]\n[2024-02-01] b\n", joiner, []string{"[2024-02-01] ERROR a\n\tat x\n\n[main]", "[2024-02-01] b"}},
		"lines behind a document are joined":      {"{\"boot\":1}\n2024 a\n\tat x\n2024 b\n{\"n\":1}\n2024 c\n\tat y", joiner, []string{`{"boot":1}`, "2024 a\n\tat x", "2024 b", `{"n":1}`, "2024 c\n\tat y"}},
		"brackets behind a document are joined":   {"{\"boot\":1}\n[2024] a\n\tat x\n{no JSON\n[1,2]\n[2024] b", joiner, []string{`{"boot":1}`, "[2024] a\n\tat x\n{no JSON", "1", "2", "[2024] b"}},
		"a payload behind text":                   {"text\n" + payload + payload + "\nmore\n", nil, []string{"text", "m", "m", "more"}},
		"a payload behind joined text":            {"2024 a\n b\n" + payload + "\n2024 c", joiner, []string{"2024 a\n b", "m", "2024 c"}},
		"records behind text":                     {"text\n" + `{"Records":[{"n":1},{"n":2}]}` + "\n", nil, []string{"text", `{"n":1}`, `{"n":2}`}},
		"a text that begins like an envelope":     {"text\n" + `{"Records":[no` + "\nmore\n", nil, []string{"text", `{"Records":[no`, "more"}},
		"JSON behind text stays a line":           {"text\n" + `  {"n":1} x` + "\n" + `{"n":2}`, nil, []string{"text", `  {"n":1} x`, `{"n":2}`}},
		"a list behind text, and text behind it":  {"text\n" + `{"items":[1],"n":2} x` + "\n" + `{"items":[1]}` + "\n", nil, []string{"text", `{"items":[1],"n":2} x`, "1"}},
		"a first line that looks like JSON":       {"{no JSON\n[main] x\n{\"n\":2}", nil, []string{"{no JSON", "[main] x", `{"n":2}`}},
		"JSON, text, and JSON over several lines": {"{\"n\":1}\ntext\n{\n\"n\":2}\n", nil, []string{`{"n":1}`, "text", "{\n\"n\":2}"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, got := decoded(t, Input{Body: strings.NewReader(tc.text), Lines: joinedBy(tc.joiner)}, "a.log")
			assert.Equal(t, tc.want, got)
		})
	}
}

// Lines that look like JSON for long cost no more than a bounded number of looks.
func TestLinesThatLookLikeJSONAreLookedAtForABoundedTime(t *testing.T) {
	long := strings.Repeat("1,", 16_000)
	for name, line := range map[string]string{
		"open lists":             "[[" + long,
		"closed lists":           "[[" + long + "1]x",
		"envelopes":              `{"rawData":"aGVsbG8K","errorCode":[` + long,
		"payloads":               `{"messageType":[` + long,
		"short lines that walk":  `{"messageType":[[[`,
		"short envelopes":        `{"attemptsMade":[[[`,
		"records that never end": `{"Records":[` + long,
		"lists that never end":   `{"items":[` + long,
	} {
		t.Run(name, func(t *testing.T) {
			const count = 300
			for _, first := range []string{"{}\n", "text\n", ""} {
				text := first + strings.Repeat(line+"\n", count)
				d := Decoder{}
				_, err := d.Enter(Input{Data: []byte(text), Origin: &record.Origin{Kind: record.S3, Key: "a"}})
				require.NoError(t, err)
				n := 0
				for _, err := range d.Records() {
					require.NoError(t, err)
					n++
				}
				assert.GreaterOrEqual(t, n, count)
				assert.Less(t, d.window.Scanned()+d.wasted, int64(4*maxWastedBytes+4*len(text)))
			}
		})
	}
}

// joinedBy makes rules of a joiner.
func joinedBy(joiner *lines.Joiner) func(*record.Origin) LineRules {
	return func(*record.Origin) LineRules { return LineRules{Joiner: joiner} }
}

func TestSkippedLines(t *testing.T) {
	text := "Name;Value\n\nsecond header\na;1\nb;2\n"
	for skip, want := range map[int][]bool{
		0: {false, false, false, false, false},
		2: {true, true, false, false, false},
		9: {true, true, true, true, true},
	} {
		var d Decoder
		in := Input{
			Body: strings.NewReader(text), Origin: &record.Origin{Kind: record.S3, Bucket: "b", Key: "a.csv"},
			Lines: func(o *record.Origin) LineRules {
				assert.Equal(t, "s3", o.Source, "it is known by then")
				return LineRules{Skip: skip}
			},
		}
		_, err := d.Enter(in)
		require.NoError(t, err)
		var headers []bool
		var whole []string
		for r, err := range d.Records() {
			require.NoError(t, err)
			headers, whole = append(headers, r.Header), append(whole, string(r.Message.Bytes))
		}
		assert.Equal(t, want, headers)
		assert.Equal(t, strings.Split(strings.TrimSuffix(text, "\n"), "\n"), whole)
	}
}
