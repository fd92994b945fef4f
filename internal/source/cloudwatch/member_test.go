package cloudwatch

import (
	"fmt"
	"strings"
	"testing"
)

// memberRows are payloads by the members of their events.
func memberRows() map[string]row {
	nested := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	objects := func(depth int) string { return strings.Repeat(`{"a":`, depth-1) + "{}" + strings.Repeat("}", depth-1) }
	members := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"m%d":1`, i)
		}
		return b.String()
	}
	one := func(event string) string { return document(event, secondEvent) }
	good := func(want string) []string { return []string{want, secondLine} }

	return map[string]row{
		"members in another order":          {payload: one(`{"message":"one","id":"e1","timestamp":1700000000001}`), want: good(firstLine)},
		"white space inside":                {payload: one(" {\t\"id\" :\n\"e1\" , \"timestamp\":\r1700000000001 ,\"message\" : \"one\" } "), want: good(firstLine)},
		"an empty event":                    {payload: one(`{}`), want: good("@0 ")},
		"an empty event with white space":   {payload: one("{ \n}"), want: good("@0 ")},
		"message missing":                   {payload: one(`{"id":"e1","timestamp":1}`), want: good("e1@1 ")},
		"members null":                      {payload: one(`{"id":null,"timestamp":null,"message":null,"extractedFields":null}`), want: good("@0 ")},
		"names escaped":                     {payload: one(`{"\u0069d":"e1","times\u0074amp":1700000000001,"\u006dessage":"one"}`), want: good(firstLine)},
		"an escaped id":                     {payload: one(`{"id":"a\"\u00e9","timestamp":1,"message":"m"}`), want: good(`a"é@1 m`)},
		"an id beyond ASCII":                {payload: one(`{"id":"é","timestamp":1,"message":"m"}`), want: good(`é@1 m`)},
		"an id with a wound":                {payload: one(`{"id":"` + "\xff" + `","timestamp":1,"message":"m"}`), want: good("\uFFFD@1 m (repaired)")},
		"an id that is a number":            {payload: one(`{"id":17,"timestamp":1,"message":"m"}`), want: good(`17@1 m`)},
		"a message that is a number":        {payload: one(`{"id":"e1","timestamp":1,"message":-1.5e+3}`), want: good(`e1@1 -1.5e+3`)},
		"a message that is an object":       {payload: one(`{"id":"e1","timestamp":1,"message":{ "a" : [ 1 , "\n" ] }}`), want: good(`e1@1 {"a":[1,"\n"]}`)},
		"a message that is false":           {payload: one(`{"id":"e1","timestamp":1,"message":false}`), want: good(`e1@1 false`)},
		"further members are kept":          {payload: one(`{"id":"e1","timestamp":1,"message":"m","extractedFields":{"@aws.account":"1","a":"b"},"policyLevel":"ACCOUNT_LEVEL_POLICY"}`), want: good(`e1@1 m +extractedFields={"@aws.account":"1","a":"b"} +policyLevel="ACCOUNT_LEVEL_POLICY"`)},
		"white space in members goes":       {payload: one(`{"id":"e1","timestamp":1,"message":"m","x":[ 1 , { "a b" : " c " , "d" : [ ] } , { } , true ]}`), want: good(`e1@1 m +x=[1,{"a b":" c ","d":[]},{},true]`)},
		"wounds in members are repaired":    {payload: one(`{"id":"e1","timestamp":1,"message":"m","x":{"` + "k\xff" + `":"` + "\x01" + `\ud800"}}`), want: good("e1@1 m +x={\"k\uFFFD\":\"\\u0001\uFFFD\"} (repaired)")},
		"a wound in a member that goes":     {payload: one(`{"id":"e1","timestamp":1,"message":"m","id":"` + "\xff" + `"}`), want: good("e1@1 m (repaired)")},
		"of one name the first counts":      {payload: one(`{"id":"e1","id":"e2","timestamp":1,"timestamp":2,"message":"m","message":"n","x":1,"x":2}`), want: good("e1@1 m +x=1")},
		"of one name the usual ones count":  {payload: one(`{"id":"e1","timestamp":1,"message":"m","message":"n","timestamp":2,"id":"e2"}`), want: good("e1@1 m")},
		"null counts as missing":            {payload: one(`{"id":null,"id":"e1","timestamp":null,"timestamp":1,"message":null,"message":"m","x":null,"x":2}`), want: good("e1@1 m +x=2")},
		"names that differ by their escape": {payload: one(`{"message":"m","m\u0065ssage":"n","x":1,"\u0078":2,"y\/":1,"y/":2}`), want: good("@0 m +x=1 +y/=1")},
		"an empty name":                     {payload: one(`{"id":"e1","timestamp":1,"message":"m","":0}`), want: good(`e1@1 m +=0`)},
		"a name that needs its escape":      {payload: one(`{"id":"e1","timestamp":1,"message":"m","a\"\u000a":0}`), want: good(`e1@1 m +a\"\n=0`)},

		"timestamp as a string":           {payload: one(`{"id":"e1","timestamp":"1700000000001","message":"one"}`), want: good(firstLine)},
		"timestamp as an escaped string":  {payload: one(`{"id":"e1","timestamp":"\u0031700000000001","message":"one"}`), want: good(firstLine)},
		"timestamp with a fraction":       {payload: one(`{"id":"e1","timestamp":1700000000001.9,"message":"one"}`), want: good(firstLine)},
		"timestamp with an exponent":      {payload: one(`{"id":"e1","timestamp":1.700000000001e12,"message":"one"}`), want: good(firstLine)},
		"timestamp zero":                  {payload: one(`{"id":"e1","timestamp":0,"message":"one"}`), want: good("e1@0 one")},
		"timestamp below zero":            {payload: one(`{"id":"e1","timestamp":-5,"message":"one"}`), want: good("e1@-5 one")},
		"timestamp of 18 digits":          {payload: one(`{"id":"e1","timestamp":123456789012345678,"message":"one"}`), want: good("e1@123456789012345678 one")},
		"timestamp of 19 digits":          {payload: one(`{"id":"e1","timestamp":1234567890123456789,"message":"one"}`), want: good("e1@1234567890123456789 one")},
		"timestamp beyond an int64":       {payload: one(`{"id":"e1","timestamp":12345678901234567890,"message":"one"}`), want: good("e1@0 one")},
		"timestamp beyond a float":        {payload: one(`{"id":"e1","timestamp":1e999,"message":"one"}`), want: good("e1@0 one")},
		"timestamp no number":             {payload: one(`{"id":"e1","timestamp":"yesterday","message":"one"}`), want: good("e1@0 one")},
		"timestamp a quoted string":       {payload: one(`{"id":"e1","timestamp":"\"17\"","message":"one"}`), want: good("e1@0 one")},
		"timestamp hexadecimal":           {payload: one(`{"id":"e1","timestamp":"0x1p4","message":"one"}`), want: good("e1@0 one")},
		"timestamp an object":             {payload: one(`{"id":"e1","timestamp":{},"message":"one"}`), want: good("e1@0 one")},
		"timestamp with a leading zero":   {payload: one(`{"id":"e1","timestamp":017,"message":"one"}`), err: "want a JSON value"},
		"timestamp with a plus sign":      {payload: one(`{"id":"e1","timestamp":+17,"message":"one"}`), err: "want a JSON value"},
		"timestamp with a point too much": {payload: one(`{"id":"e1","timestamp":17.,"message":"one"}`), err: "want a JSON value"},
		"timestamp an empty exponent":     {payload: one(`{"id":"e1","timestamp":17e,"message":"one"}`), err: "want a JSON value"},
		"timestamp a sign alone":          {payload: one(`{"id":"e1","timestamp":-,"message":"one"}`), err: "want a JSON value"},
		"timestamp missing its value":     {payload: one(`{"id":"e1","timestamp":,"message":"one"}`), err: "want a JSON value"},

		"64 arrays deep":                  {payload: one(`{"id":"e1","timestamp":1,"message":"m","x":` + nested(64) + `}`), want: good("e1@1 m +x=" + nested(64))},
		"65 arrays deep":                  {payload: one(`{"id":"e1","timestamp":1,"message":"m","x":` + nested(65) + `}`), err: "nested deeper than 64"},
		"64 objects deep":                 {payload: one(`{"id":"e1","timestamp":1,"message":"m","x":` + objects(64) + `}`), want: good("e1@1 m +x=" + objects(64))},
		"65 objects deep":                 {payload: one(`{"id":"e1","timestamp":1,"message":"m","x":` + objects(65) + `}`), err: "nested deeper than 64"},
		"65 deep around the events":       {payload: `{"x":` + nested(65) + `,` + head[1:] + `[]}`, err: "nested deeper than 64"},
		"as many members as there may be": {payload: one(`{` + members(maxMembers)[1:] + `}`), want: good("@0 " + strings.ReplaceAll(strings.ReplaceAll(members(maxMembers), `,"`, ` +`), `":`, `=`))},
		"one member more":                 {payload: one(`{` + members(maxMembers + 1)[1:] + `}`), err: "more than 1000 members"},

		"no comma between members":     {payload: document(secondEvent, `{"id":"e1" "timestamp":1}`), want: []string{secondLine}, err: "want a comma"},
		"a comma behind the members":   {payload: document(secondEvent, `{"id":"e1",}`), want: []string{secondLine}, err: "want a member name"},
		"a comma before the members":   {payload: document(secondEvent, `{,"id":"e1"}`), want: []string{secondLine}, err: "want a member name"},
		"a name that is a number":      {payload: document(secondEvent, `{1:"e1"}`), want: []string{secondLine}, err: "want a member name"},
		"a name without a colon":       {payload: document(secondEvent, `{"id","e1"}`), want: []string{secondLine}, err: "want a colon"},
		"a bracket closes a brace":     {payload: document(secondEvent, `{"x":{"a":1]}`), want: []string{secondLine}, err: "want a comma"},
		"a brace closes a bracket":     {payload: document(secondEvent, `{"x":[1}}`), want: []string{secondLine}, err: "want a comma"},
		"a comma behind an element":    {payload: document(secondEvent, `{"x":[1,]}`), want: []string{secondLine}, err: "want a JSON value"},
		"a comma behind a member":      {payload: document(secondEvent, `{"x":{"a":1,}}`), want: []string{secondLine}, err: "want a member name"},
		"two values side by side":      {payload: document(secondEvent, `{"x":[1 2]}`), want: []string{secondLine}, err: "want a comma"},
		"two strings that touch":       {payload: document(secondEvent, `{"x":["a""b"]}`), want: []string{secondLine}, err: "want a comma"},
		"a word with a tail":           {payload: document(secondEvent, `{"x":trueish}`), want: []string{secondLine}, err: "want a JSON value"},
		"a bad escape in a member":     {payload: document(secondEvent, `{"x":{"a":"\q"}}`), want: []string{secondLine}, err: "no JSON escape"},
		"a bad escape in a name":       {payload: document(secondEvent, `{"x":{"\q":1}}`), want: []string{secondLine}, err: "no JSON escape"},
		"NaN is no number":             {payload: document(secondEvent, `{"x":NaN}`), want: []string{secondLine}, err: "want a JSON value"},
		"a raw byte outside a string":  {payload: document(secondEvent, "{\x00}"), want: []string{secondLine}, err: "want a member name"},
		"no space of another alphabet": {payload: document(secondEvent, "{\u00a0}"), want: []string{secondLine}, err: "want a member name"},
	}
}

func TestRecordsMembers(t *testing.T) { run(t, memberRows()) }
