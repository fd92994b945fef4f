package cloudwatch

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

// documentRows are payloads by the shape of their documents.
func documentRows() map[string]row {
	twoEvents := `[` + firstEvent + `,` + secondEvent + `]`
	both := []string{firstLine, secondLine}
	spaced := strings.NewReplacer(`{`, " \n{\t", `}`, " }\r\n ", `[`, " [ ", `]`, "\t]\n", `":`, "\" \n:\r\t", `,`, " ,\n")
	return map[string]row{
		"usual order":                      {payload: document(firstEvent, secondEvent), want: both},
		"no events":                        {payload: document()},
		"white space everywhere":           {payload: spaced.Replace(document(firstEvent, secondEvent)), want: both},
		"white space between events":       {payload: document(firstEvent, " "+secondEvent), want: both},
		"line break behind each event":     {payload: document(firstEvent+"\n", "\n"+secondEvent+"\n"), want: both},
		"nothing":                          {err: "empty"},
		"white space alone":                {payload: " \r\n\t", err: "empty"},
		"a log group without end":          {payload: `{"messageType":"DATA_MESSAGE","logGroup":"` + strings.Repeat("x", 5000) + `"}`, err: "logGroup has 5000 bytes: want at most 4096"},
		"two documents that touch":         {payload: document(firstEvent) + document(secondEvent), want: both},
		"two documents, a line each":       {payload: document(firstEvent) + "\n" + document(secondEvent) + "\n", want: both},
		"white space before the document":  {payload: "\r\n\t " + document(firstEvent), want: both[:1]},
		"logEvents null":                   {payload: head + `null}`},
		"logEvents null, later an array":   {payload: head + `null,"logEvents":` + twoEvents + `}`, want: both},
		"logEvents twice, none is lost":    {payload: head + `[` + firstEvent + `],"logEvents":[` + secondEvent + `]}`, want: both},
		"logEvents around the header":      {payload: `{"logEvents":[` + firstEvent + `],` + head[1:] + `[` + secondEvent + `]}`, want: both},
		"unknown members anywhere":         {payload: `{"a":{"b":[1,{"logEvents":[2]}]},` + head[1:] + twoEvents + `,"policyLevel":"ACCOUNT_LEVEL_POLICY","z":[]}`, want: both},
		"an escaped name is the name":      {payload: strings.Replace(document(firstEvent), `"logGroup"`, `"log\u0047roup"`, 1), want: both[:1]},
		"an escaped name of the events":    {payload: strings.Replace(document(firstEvent), `"logEvents"`, `"\u006cogEvents"`, 1), want: both[:1]},
		"missing owner and stream":         {payload: `{"messageType":"DATA_MESSAGE","logGroup":"g","logEvents":` + twoEvents + `}`, want: both},
		"null header members":              {payload: `{"messageType":"DATA_MESSAGE","owner":null,"logGroup":null,"logStream":null,"logEvents":` + twoEvents + `}`, want: both},
		"control beside data":              {payload: strings.Replace(document(firstEvent), "DATA", "CONTROL", 1) + document(secondEvent), want: both},
		"first document good, second cut":  {payload: document(firstEvent) + head + `[` + secondEvent + `,{"id`, want: both, err: "unexpected end"},
		"first document good, then text":   {payload: document(firstEvent) + "rest", want: both[:1], err: fmt.Sprintf("byte %d: want a JSON object", len(document(firstEvent)))},
		"header behind the events, broken": {payload: `{"logEvents":` + twoEvents + `,` + strings.Replace(head[1:], `:"s"`, `:x`, 1) + `[]}`, err: "want a JSON value"},

		"unknown messageType":            {payload: strings.Replace(document(firstEvent), "DATA_MESSAGE", "OTHER", 1), err: "messageType is neither DATA_MESSAGE nor CONTROL_MESSAGE"},
		"unknown messageType, no events": {payload: strings.Replace(document(), "DATA_MESSAGE", "OTHER", 1), err: "messageType is neither DATA_MESSAGE nor CONTROL_MESSAGE"},
		"a long messageType is not said": {payload: strings.Replace(document(), "DATA_MESSAGE", strings.Repeat("é", 40), 1), err: "messageType is neither DATA_MESSAGE nor CONTROL_MESSAGE"},
		"messageType missing":            {payload: `{"owner":"123456789012","logEvents":` + twoEvents + `}`, err: "messageType is neither DATA_MESSAGE nor CONTROL_MESSAGE"},
		"messageType null":               {payload: `{"messageType":null,"logEvents":[]}`, err: "messageType is neither DATA_MESSAGE nor CONTROL_MESSAGE"},
		"messageType a number":           {payload: `{"messageType":7,"logEvents":[]}`, err: "byte 16: messageType is no string"},
		"logGroup an object":             {payload: `{"logGroup":{},"logEvents":[]}`, err: "logGroup is no string"},
		"no logEvents":                   {payload: `{"messageType":"DATA_MESSAGE"}`, err: "no logEvents"},
		"an empty object":                {payload: `{}`, err: "byte 2: the document has no logEvents"},
		"logEvents an object":            {payload: head + `{}}`, err: fmt.Sprintf("byte %d: logEvents is no array", len(head))},
		"logEvents a string":             {payload: head + `"x"}`, err: "logEvents is no array"},
		"logEvents neither null":         {payload: head + `nul}`, err: "want a JSON value"},
		"an event is a number":           {payload: head + `[` + firstEvent + `,1]}`, want: both[:1], err: "a log event is no object"},
		"an event is null":               {payload: head + `[null]}`, err: "a log event is no object"},
		"an array of documents":          {payload: `[` + document(firstEvent) + `]`, err: "byte 0: want a JSON object"},
		"a number":                       {payload: `1`, err: "byte 0: want a JSON object"},
		"a string":                       {payload: ` "x"`, err: "byte 1: want a JSON object"},
		"a byte order mark":              {payload: "\uFEFF" + document(firstEvent), err: "byte 0: want a JSON object"},

		"no comma between events":   {payload: head + `[` + firstEvent + secondEvent + `]}`, want: both[:1], err: "want a comma"},
		"two commas between events": {payload: head + `[` + firstEvent + `,,` + secondEvent + `]}`, want: both[:1], err: "a log event is no object"},
		"a comma behind the events": {payload: head + `[` + firstEvent + `,]}`, want: both[:1], err: "a log event is no object"},
		"a comma before the events": {payload: head + `[,` + firstEvent + `]}`, err: "a log event is no object"},
		"the wrong bracket":         {payload: head + `[` + firstEvent + `}}`, want: both[:1], err: "want a comma"},
		"no comma between members":  {payload: `{"owner":"1" "logGroup":"g"}`, err: "byte 13: want a comma"},
		"a comma behind the header": {payload: `{"logEvents":[],}`, err: "byte 16: want a member name"},
		"a name without quotes":     {payload: `{owner:"1"}`, err: "byte 1: want a member name"},
		"a name without a colon":    {payload: `{"owner" "1"}`, err: "byte 9: want a colon"},
		"a member without a value":  {payload: `{"owner":}`, err: "byte 9: want a JSON value"},
		"a bad word":                {payload: `{"owner":nil}`, err: "byte 9: want a JSON value"},
		"a comment":                 {payload: `{/**/"owner":"1"}`, err: "byte 1: want a member name"},
	}
}

func TestRecords(t *testing.T) { run(t, documentRows()) }

// TestRecordsEveryOrder: AWS promises no order of members, so no order may change what comes out.
func TestRecordsEveryOrder(t *testing.T) {
	parts := []string{
		`"messageType":"DATA_MESSAGE"`, `"owner":"123456789012"`, `"logGroup":"/aws/lambda/f"`, `"logStream":"s"`,
		`"subscriptionFilters":["a","b\"\u00e9"]`, `"logEvents":[` + firstEvent + `,` + secondEvent + `]`,
	}
	want := *base()
	want.Kind, want.Owner, want.LogGroup, want.LogStream = record.CloudWatch, "123456789012", "/aws/lambda/f", "s"
	want.SubscriptionFilters = []string{"a", `b"é`}

	var d Decoder
	for order := range permutations(parts) {
		payload := `{` + strings.Join(order, ",") + `}`
		events, err := decode(t, &d, strings.NewReader(payload+payload))
		require.NoError(t, err, payload)
		require.Equal(t, []string{firstLine, secondLine, firstLine, secondLine}, lines(events), payload)
		for _, e := range events {
			require.Equal(t, want, e.origin, payload)
		}
	}
}

// permutations yields every order of items (Heap's algorithm).
func permutations(items []string) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		items := slices.Clone(items)
		var arrange func(n int) bool
		arrange = func(n int) bool {
			if n <= 1 {
				return yield(items)
			}
			for i := range n {
				if !arrange(n - 1) {
					return false
				}
				if n%2 == 0 {
					items[i], items[n-1] = items[n-1], items[i]
				} else {
					items[0], items[n-1] = items[n-1], items[0]
				}
			}
			return true
		}
		arrange(len(items))
	}
}

func TestRecordsOrigin(t *testing.T) {
	for name, tc := range map[string]struct {
		header string
		want   record.Origin
	}{
		"data": {
			`"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"g","logStream":"s","subscriptionFilters":["a","b"]`,
			record.Origin{Owner: "123456789012", LogGroup: "g", LogStream: "s", SubscriptionFilters: []string{"a", "b"}},
		},
		"control": {
			`"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"","logStream":"","subscriptionFilters":[]`,
			record.Origin{Owner: "CloudwatchLogs", Control: true},
		},
		"nothing but the type": {`"messageType":"DATA_MESSAGE"`, record.Origin{}},
		"names come escaped": {
			`"messageType":"DATA\u005fMESSAGE","owner":"\u0031","logGroup":"\/aws\/é","logStream":"[$LATEST]\ud83d\ude00"`,
			record.Origin{Owner: "1", LogGroup: "/aws/é", LogStream: "[$LATEST]😀"},
		},
		"of two members with one name the first counts": {
			`"messageType":"DATA_MESSAGE","messageType":"CONTROL_MESSAGE","owner":"1","owner":"2","logGroup":"g","logGroup":"h",` +
				`"logStream":"s","logStream":7,"subscriptionFilters":["a"],"subscriptionFilters":["b"]`,
			record.Origin{Owner: "1", LogGroup: "g", LogStream: "s", SubscriptionFilters: []string{"a"}},
		},
		"null is the empty text": {
			`"messageType":"DATA_MESSAGE","owner":null,"owner":"2","logGroup":"g","logStream":null,"subscriptionFilters":null`,
			record.Origin{LogGroup: "g"},
		},
		"filters that are no array":         {`"messageType":"DATA_MESSAGE","subscriptionFilters":"a"`, record.Origin{}},
		"filters that are not all strings":  {`"messageType":"DATA_MESSAGE","subscriptionFilters":["a",1]`, record.Origin{}},
		"filters that hold an empty string": {`"messageType":"DATA_MESSAGE","subscriptionFilters":[ "" , "a,]" ]`, record.Origin{SubscriptionFilters: []string{"", "a,]"}}},
		"an invalid name is repaired":       {`"messageType":"DATA_MESSAGE","logGroup":"g` + "\xff" + `"`, record.Origin{LogGroup: "g\uFFFD"}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.want.Kind, tc.want.StreamARN, tc.want.Region = record.CloudWatch, base().StreamARN, base().Region
			for how, payload := range map[string]string{
				"events last":  `{` + tc.header + `,"logEvents":[` + firstEvent + `]}`,
				"events first": `{"logEvents":[` + firstEvent + `],` + tc.header + `}`,
			} {
				events, err := decode(t, new(Decoder), strings.NewReader(payload))
				require.NoError(t, err, how)
				require.Len(t, events, 1, how)
				assert.Equal(t, tc.want, events[0].origin, how)
			}
		})
	}
}

func TestRecordsShareAnOrigin(t *testing.T) {
	shared := base()
	// An origin that has hashed its own coordinates must not lend that hash to a document's.
	(&record.Record{Origin: shared}).AppendID(nil)

	origins := map[*record.Origin]int{}
	ids := map[string]bool{}
	for rec, err := range new(Decoder).Records(strings.NewReader(document(firstEvent, secondEvent)+document(firstEvent)), shared) {
		require.NoError(t, err)
		origins[rec.Origin]++
		ids[string(rec.AppendID(nil))] = true
	}
	assert.Len(t, origins, 2, "an origin a document")
	assert.NotContains(t, origins, shared)
	assert.Len(t, ids, 2, "the same event of two documents has one id")

	fresh := &record.Origin{Kind: record.CloudWatch, Owner: "123456789012", LogGroup: "/aws/lambda/f", LogStream: "s"}
	want := (&record.Record{Origin: fresh, EventID: record.Plain([]byte("e1"))}).AppendID(nil)
	assert.Contains(t, ids, string(want))
}
