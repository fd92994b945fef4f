package format_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/format"
	"sluice/internal/jsonwalk"
	"sluice/internal/service"
)

// TestAbsentMembers holds that a hyphen is absence in the members of which that is documented, and in no other.
func TestAbsentMembers(t *testing.T) {
	const api, waf = service.APIGatewayAccess, service.WAF
	for name, tc := range map[string]struct {
		log        service.Log
		line, want string
	}{
		"in the middle":      {api, `{"ip":"192.0.2.1","caller":"-","user":"alice"}`, `{"ip":"192.0.2.1","user":"alice"}`},
		"the first":          {api, `{"caller":"-","user":"alice"}`, `{"user":"alice"}`},
		"the first of some":  {api, `{"caller":"-","user":"-","ip":"192.0.2.1"}`, `{"ip":"192.0.2.1"}`},
		"the last":           {api, `{"ip":"192.0.2.1","user":"-"}`, `{"ip":"192.0.2.1"}`},
		"all":                {api, `{"caller":"-","user":"-"}`, `{}`},
		"white space":        {api, " {\t\"caller\" : \"-\" ,\r\n \"ip\" : \"192.0.2.1\" ,\t\"user\" :\t\"-\" } ", `{"ip":"192.0.2.1"}`},
		"white space, alone": {api, " { \"caller\" : \"-\" } ", `{}`},
		"a name of its own":  {api, `{"my":"-","n":-1,"t":"--","e":""}`, `{"n":-1,"t":"--","e":""}`},
		"deeper":             {api, `{"o":{"user":"-"},"a":["-"],"user":"-"}`, `{"o":{"user":"-"},"a":["-"]}`},
		"behind an object":   {api, `{"user":{"a":1},"b":"-","c":[{"d":2},"-"],"e":"-","f":3}`, `{"user":{"a":1},"c":[{"d":2},"-"],"f":3}`},
		"a name twice":       {api, `{"ip":"192.0.2.1","user":"-","ip":"192.0.2.2","x":1}`, `{"ip":"192.0.2.2","x":1}`},
		"an escaped name":    {api, `{"us\"er":"-","ip":"192.0.2.1"}`, `{"ip":"192.0.2.1"}`},
		"no comma behind":    {api, `{"user":"-" "ip":"192.0.2.1"}`, ""},
		"a comma too many":   {api, `{"user":"-",,"ip":"192.0.2.1"}`, ""},
		"a comma at the end": {api, `{"user":"-",}`, ""},

		"WAF": {
			waf, `{"action":"ALLOW","httpSourceName":"-","httpSourceId":"-","httpRequest":{"clientIp":"192.0.2.44","country":"-","uri":"-"}}`,
			`{"action":"ALLOW","httpRequest":{"clientIp":"192.0.2.44","uri":"-"}}`,
		},
		"WAF, country alone": {waf, `{"httpRequest":{"country":"-"}}`, `{"httpRequest":{}}`},
		"WAF, known": {
			waf, `{"httpSourceName":"ALB","httpSourceId":"app/shop","httpRequest":{"country":"DE"}}`,
			`{"httpSourceName":"ALB","httpSourceId":"app/shop","httpRequest":{"country":"DE"}}`,
		},
		"WAF, headers": {
			waf, `{"action":"-","httpRequest":{"headers":[{"name":"country","value":"-"},{"country":"-"}]},"country":"-"}`,
			`{"action":"-","httpRequest":{"headers":[{"name":"country","value":"-"},{"country":"-"}]},"country":"-"}`,
		},
		"WAF, an array": {waf, `{"httpRequest":{"country":{"a":1}},"country":["-"]}`, `{"httpRequest":{"country":{"a":1}},"country":["-"]}`},
		"other logs":    {service.CloudTrail, `{"userAgent":"-","user":"-"}`, `{"userAgent":"-","user":"-"}`},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, attributesOf(t, format.AWS, tc.log, tc.line))
			assert.Equal(t, tc.want, attributesOf(t, format.AWS, tc.log, tc.line+"\r\n"))
		})
	}
	assert.JSONEq(t, `{"source.ip":"192.0.2.1","http.request.method":"GET"}`,
		attributesOf(t, format.ECS, api, `{"requestId" : "-","ip":"192.0.2.1", "user": "-","httpMethod":"GET","extendedRequestId":"-"}`))
}

// FuzzAbsentMembers holds that what API Gateway's log leaves out of an object are the members that are a hyphen, and nothing
// else: the rest is what any other log has.
func FuzzAbsentMembers(f *testing.F) {
	for _, doc := range []string{
		`{"caller":"-","user":"-"}`, ` { "a" : "-" , "b" : { "c" : "-" } , "d" : [ "-" ] , "e" : "-" } `, `{"a":"-","a":1}`,
		`{"a":{"b":1},"c":"-","d":"--","-":"-"}`, `{"a\"":"-","\u0061":"\u002d"}`, "{\r\n}", `{"a":"-",}`, `{"a":"-"`, `{"a":"-"}x`,
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		if !utf8.Valid(doc) {
			t.Skip("lines are valid UTF-8")
		}
		all := attributesOf(t, format.AWS, "", string(doc))
		if all == "" {
			if strings.HasPrefix(strings.TrimLeft(string(doc), " \t\r\n"), "{") {
				assert.Empty(t, attributesOf(t, format.AWS, service.APIGatewayAccess, string(doc)))
			}
			return
		}
		var want []string
		before, left := 0, jsonwalk.Object(doc)
		for left.Next() {
			before++
		}
		for members := jsonwalk.Object([]byte(all)); members.Next(); before-- {
			if value := string(members.Value()); value != `"-"` {
				want = append(want, string(members.Name())+":"+value)
			}
		}
		if before != 0 {
			t.Skip("a name stands twice: which of them counts is not settled where one is absent")
		}
		var got []string
		left = jsonwalk.Object([]byte(attributesOf(t, format.AWS, service.APIGatewayAccess, string(doc))))
		for left.Next() {
			got = append(got, string(left.Name())+":"+string(left.Value()))
		}
		require.NoError(t, left.Err())
		assert.Equal(t, want, got)
	})
}
