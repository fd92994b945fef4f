package httpjson_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/destination/httpjson"
	"sluice/internal/record"
)

// says returns attributes that are always the same; empty for a line that is not known.
func says(object string) func([]byte, *record.Record) ([]byte, bool) {
	return func(dst []byte, _ *record.Record) ([]byte, bool) { return append(dst, object...), object != "" }
}

// members makes members of names and values, all as they stand in JSON.
func members(pairs ...string) []record.Member {
	var list []record.Member
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, record.Member{Name: []byte(pairs[i]), Value: []byte(pairs[i+1])})
	}
	return list
}

func TestAttributes(t *testing.T) {
	for name, tc := range map[string]struct {
		attributes string
		fields     map[string]string
		record     record.Record
		want       string
	}{
		"of a line":           {attributes: `{"a":1.50,"b":"\u00e9"}`, want: `{"message":"","attrs":{"a":1.50,"b":"\u00e9"}}`},
		"nothing is known":    {want: `{"message":""}`},
		"line without any":    {attributes: `{}`, want: `{"message":"","attrs":{}}`},
		"renamed":             {attributes: `{"a":1}`, fields: map[string]string{"attrs": "x"}, want: `{"message":"","x":{"a":1}}`},
		"left out":            {attributes: `{"a":1}`, fields: map[string]string{"attrs": ""}, want: `{"message":""}`},
		"line breaks":         {attributes: "{\n\"a\":\r\n\"\\n\"}", want: `{"message":"","attrs":{ "a":  "\n"}}`},
		"in front of marks":   {attributes: `{"a":1}`, record: record.Record{Marks: record.Redacted}, want: `{"message":"","attrs":{"a":1},"marks":["redacted"]}`},
		"a line that was cut": {attributes: `{"a":1}`, record: record.Record{Marks: record.Truncated, Members: members("m", "1")}, want: `{"message":"","attrs":{"m":1},"marks":["truncated"]}`},
		"a piece of a line":   {attributes: `{"a":1}`, record: record.Record{Marks: record.Chunked}, want: `{"message":"","marks":["chunked"]}`},
		"behind the source's": {attributes: `{"a":1,"b":2}`, record: record.Record{Members: members("m", "3", "n", "4")}, want: `{"message":"","attrs":{"m":3,"n":4,"a":1,"b":2}}`},
		"names of both": {
			attributes: `{"a":1,"b":2,"c":3}`, record: record.Record{Members: members("b", "4", "c", "5")},
			want: `{"message":"","attrs":{"b":4,"c":5,"a":1}}`,
		},
		"names of both, each with escapes of its own": {
			attributes: `{"\u0061":1,"\"":2,"é":3,"n":4}`, record: record.Record{Members: members("a", "5", `\u0022`, "6", `\u00e9`, "7")},
			want: `{"message":"","attrs":{"a":5,"\u0022":6,"\u00e9":7,"n":4}}`,
		},
		"the source's alone": {record: record.Record{Members: members("m", "1")}, want: `{"message":"","attrs":{"m":1}}`},
		"line without any, behind the source's": {
			attributes: `{ }`, record: record.Record{Members: members("m", "1")}, want: `{"message":"","attrs":{"m":1}}`,
		},
		"line breaks, behind the source's": {
			attributes: "{\"a\":\n[\n1]}", record: record.Record{Members: members("m", "1")}, want: `{"message":"","attrs":{"m":1,"a":[ 1]}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := withoutID()
			maps.Copy(o.Fields, tc.fields)
			o.Attributes = says(tc.attributes)
			d := newDestination(t, o)
			tc.record.Origin = &record.Origin{Kind: record.CloudWatch}
			for range 2 {
				got := string(d.Append([]byte("before"), &tc.record))
				assert.Equal(t, "before"+tc.want, got)
				assert.True(t, json.Valid([]byte(strings.TrimPrefix(got, "before"))))
			}
		})
	}
}

// However many members a source gives, none of its names is written again; and the next record knows nothing of them.
func TestAttributesOfManyNames(t *testing.T) {
	for _, n := range []int{1, 8, 9, 5000} {
		var list []string
		var object []string
		for i := range n {
			list = append(list, fmt.Sprintf(`\u006e%d`, i), "0")
			object = append(object, fmt.Sprintf(`"n%d":1`, i))
		}
		o := withoutID()
		o.Attributes = says("{" + strings.Join(object, ",") + `,"other":1}`)
		o.Limits.RecordBytes, o.Limits.BodyBytes = 1_000_000, 1_000_000
		d := newDestination(t, o)
		origin := &record.Origin{Kind: record.CloudWatch}
		got := d.Append(nil, &record.Record{Origin: origin, Members: members(list...)})
		assert.Equal(t, 1, bytes.Count(got, []byte(":1")), n)
		got = d.Append(nil, &record.Record{Origin: origin, Members: members("m", "0")})
		assert.Equal(t, n+1, bytes.Count(got, []byte(":1")), n)
	}
}

// Attributes go before any text does: an item has them as long as it fits with them, wherever in a body it stands.
func TestAttributesThatMakeAnItemTooLarge(t *testing.T) {
	o := withoutID()
	r := record.Record{Origin: &record.Origin{Kind: record.CloudWatch}, Message: record.Plain([]byte("line")), Marks: record.Redacted}
	plain := string(newDestination(t, o).Append(nil, &r))
	o.Attributes = says(`{"a":1}`)
	whole := string(newDestination(t, o).Append(nil, &r))
	require.Greater(t, len(whole), len(plain))
	for limit, want := range map[int]string{len(whole): whole, len(whole) - 1: plain, 1: plain} {
		o.Limits.RecordBytes = limit
		got := newDestination(t, o).Append(bytes.Repeat([]byte("x"), 1000), &r)
		assert.Equal(t, want, string(got[1000:]), limit)
	}
}

// Items that are sent otherwise have the attributes that those of a destination have.
func TestAttributesOfItems(t *testing.T) {
	o := options()
	r := record.Record{Origin: &record.Origin{Kind: record.CloudWatch}, Message: record.Plain([]byte("line"))}
	o.Attributes = nil
	plain := string(newDestination(t, o).Append(nil, &r))
	o.Attributes = says(`{"a":1}`)
	whole := string(newDestination(t, o).Append(nil, &r))
	assert.Equal(t, plain, string(httpjson.NewItems(nil, 0).Append(nil, &r)))
	for limit, want := range map[int]string{len(whole): whole, len(whole) - 1: plain} {
		got := httpjson.NewItems(o.Attributes, limit).Append([]byte("before"), &r)
		assert.Equal(t, "before"+want, string(got), limit)
	}
}

func TestSeverity(t *testing.T) {
	r := record.Record{Origin: &record.Origin{Kind: record.CloudWatch, Source: "s"}, Severity: record.Warning}
	for name, tc := range map[string]struct {
		fields map[string]string
		want   string
	}{
		"behind the message": {nil, `{"message":"","severity":"warning","source":"s"}`},
		"renamed":            {map[string]string{"severity": "level"}, `{"message":"","level":"warning","source":"s"}`},
		"left out":           {map[string]string{"severity": ""}, `{"message":"","source":"s"}`},
	} {
		o := withoutID()
		maps.Copy(o.Fields, tc.fields)
		assert.Equal(t, tc.want, string(newDestination(t, o).Append(nil, &r)), name)
	}
	assert.Contains(t, string(httpjson.NewItems(nil, 0).Append(nil, &r)), `"severity":"warning"`)
}

func TestAttributesAllocateNothing(t *testing.T) {
	o := options()
	o.Attributes = says(`{"a":1,"b":2}`)
	d := newDestination(t, o)
	for name, r := range map[string]record.Record{
		"of a line":     {Origin: lambdaOrigin(), Severity: record.Error},
		"of both":       {Origin: lambdaOrigin(), Members: members("b", "3", `\u0061`, "4")},
		"of the source": {Origin: lambdaOrigin(), Marks: record.Truncated, Members: members("b", "3")},
	} {
		dst := d.Append(make([]byte, 0, 4096), &r)
		assert.Zero(t, testing.AllocsPerRun(100, func() { d.Append(dst[:0], &r) }), name)
	}
}

// FuzzAttributes: an item has the members of the source and those of the line that the source has not given.
func FuzzAttributes(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":[1e999]}`), "a", "c")
	f.Add([]byte("{\n\"\\u0061\":\"\\n\"\r}"), "\"\\", "a")
	f.Add([]byte(`{"":{},"é":null}`), "", "\xff")
	f.Fuzz(func(t *testing.T, object []byte, first, second string) {
		var line map[string]any
		if len(object) > 1<<10 || !utf8.Valid(object) || unmarshal(object, &line) != nil || !json.Valid(object) || line == nil {
			return // package format gives valid objects
		}
		o := options()
		o.Attributes = says(string(object))
		r := record.Record{Origin: lambdaOrigin()}
		want := line
		if first != second && utf8.ValidString(first) && utf8.ValidString(second) {
			for _, name := range []string{first, second} {
				escaped, _ := record.AppendRepaired(nil, []byte(name))
				r.Members = append(r.Members, record.Member{Name: escaped, Value: []byte(`"source"`)})
				want[name] = "source"
			}
		}
		got := newDestination(t, o).Append(nil, &r)
		require.True(t, json.Valid(got), "%s", got)
		require.NotContains(t, string(got), "\n")
		require.NotContains(t, string(got), "\r")
		var read item
		require.NoError(t, unmarshal(got, &read))
		require.Equal(t, want, read.Attrs, "%s", got)
	})
}
