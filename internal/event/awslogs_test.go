package event_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/event"
)

func TestAwsLogsData(t *testing.T) {
	for name, tc := range map[string]struct {
		payload string
		want    string
		err     string
	}{
		"as documented":                       {payload: `{"awslogs":{"data":"H4sIAAAA"}}`, want: "H4sIAAAA"},
		"white space and unknown members":     {payload: "{\n \"v\" : [1,{\"data\":\"no\"}],\n \"awslogs\" : { \"x\":null, \"data\" : \"YWI=\" , \"y\":{} } , \"z\":\"}\" }\n", want: "YWI="},
		"escaped slash":                       {payload: `{"awslogs":{"data":"a\/b="}}`, want: "a/b="},
		"escaped plus":                        {payload: `{"awslogs":{"data":"a\u002bb="}}`, want: "a+b="},
		"escaped member names":                {payload: `{"\u0061wslogs":{"d\u0061ta":"YWI="}}`, want: "YWI="},
		"empty data":                          {payload: `{"awslogs":{"data":""}}`, want: ""},
		"last of two awslogs counts":          {payload: `{"awslogs":{"data":"YQ=="},"awslogs":{"data":"Yg=="}}`, want: "Yg=="},
		"an S3 or Kinesis event":              {payload: `{"Records":[{"data":"secret"}]}`, err: `event has members [Records]: expected "awslogs"`},
		"an EventBridge event":                {payload: `{"version":"0","detail-type":"x","source":"aws.s3","detail":{}}`, err: `event has members [version, detail-type, source, detail]: expected "awslogs"; give events of EventBridge to functions/s3`},
		"an empty event":                      {payload: `{}`, err: `event has members []: expected "awslogs"`},
		"member names are escaped":            {payload: `{"a\nb\u00e9\u202e\"":1}`, err: `event has members [a\nb\u00e9\u202e\"]: expected "awslogs"`},
		"wrong letter case is another member": {payload: `{"AwsLogs":{"data":"YQ=="}}`, err: `event has members [AwsLogs]`},
		"awslogs without data":                {payload: `{"awslogs":{"Data":"YQ=="}}`, err: `awslogs has members [Data]: expected "data"`},
		"awslogs is null":                     {payload: `{"awslogs":null}`, err: `read awslogs: json at byte 0 of 4: expected an object`},
		"data is null":                        {payload: `{"awslogs":{"data":null}}`, err: `awslogs.data is not a JSON string`},
		"data is a number":                    {payload: `{"awslogs":{"data":12}}`, err: `awslogs.data is not a JSON string`},
		"data has a broken escape":            {payload: `{"awslogs":{"data":"\q"}}`, err: `awslogs.data is not a JSON string`},
		"a list":                              {payload: `[{"awslogs":{}}]`, err: `read CloudWatch Logs event of 16 bytes: json at byte 0 of 16: expected an object`},
		"nothing":                             {payload: ``, err: `read CloudWatch Logs event of 0 bytes`},
		"cut short":                           {payload: `{"awslogs":{"data":"H4sI`, err: `value is missing or not closed`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := event.AwsLogsData([]byte(tc.payload))
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				assert.Nil(t, got)
				assert.NotContains(t, err.Error(), "secret")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tc.want, string(got))
		})
	}
}

func TestAwsLogsDataIsAViewOfTheEvent(t *testing.T) {
	payload := []byte(`{"awslogs":{"data":"H4sIAAAA"}}`)
	got, err := event.AwsLogsData(payload)
	require.NoError(t, err)
	assert.Same(t, &payload[bytes.Index(payload, []byte("H4sI"))], &got[0])
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := event.AwsLogsData(payload); err != nil {
			t.Fatal(err)
		}
	}))
}

func TestAwsLogsDataNamesAtMost256BytesOfMembers(t *testing.T) {
	for name, payload := range map[string]string{
		"many members":    `{"` + strings.Repeat(`member":1,"`, 1000) + `last":2}`,
		"one long member": `{"` + strings.Repeat("é", 10_000) + `":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := event.AwsLogsData([]byte(payload))
			require.Error(t, err)
			_, list, found := strings.Cut(err.Error(), "[")
			require.True(t, found)
			list, _, found = strings.Cut(list, "]")
			require.True(t, found)
			assert.LessOrEqual(t, len(list), 256)
			assert.True(t, strings.HasSuffix(list, "..."), list)
		})
	}
}

// FuzzAwsLogsData holds the reader to encoding/json: where a valid event has the member, both find the same text.
func FuzzAwsLogsData(f *testing.F) {
	for _, seed := range []string{
		`{"awslogs":{"data":"H4sI"}}`, `{"awslogs":{"data":"\u002b\/"},"x":[]}`, `{"awslogs":{"data":1}}`,
		`{"Records":[]}`, `{"awslogs":{"data":"a"},"awslogs":{}}`, `{"awslogs":`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		got, err := event.AwsLogsData(payload)
		if !json.Valid(payload) || !utf8.Valid(payload) {
			return
		}
		var outer, inner map[string]json.RawMessage
		var want *string
		if json.Unmarshal(payload, &outer) != nil ||
			json.Unmarshal(outer["awslogs"], &inner) != nil ||
			json.Unmarshal(inner["data"], &want) != nil || want == nil {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		assert.Equal(t, *want, string(got))
	})
}

// BenchmarkDirectEvent unwraps an event at the limit of an asynchronous invocation of 256 KiB, up to the gzip bytes.
func BenchmarkDirectEvent(b *testing.B) {
	gzipped := make([]byte, 192<<10)
	source := rand.New(rand.NewPCG(1, 2))
	for i := range gzipped {
		gzipped[i] = byte(source.Uint32())
	}
	text := base64.StdEncoding.EncodeToString(gzipped)
	for name, payload := range map[string]string{
		"plain":   `{"awslogs":{"data":"` + text + `"}}`,
		"escaped": `{"awslogs":{"data":"` + strings.ReplaceAll(text, "/", `\/`) + `"}}`,
	} {
		b.Run(name, func(b *testing.B) {
			event256k := []byte(payload)
			var buf []byte
			b.SetBytes(int64(len(event256k)))
			b.ReportAllocs()
			for b.Loop() {
				data, err := event.AwsLogsData(event256k)
				if err != nil {
					b.Fatal(err)
				}
				if buf, err = event.DecodeBase64(buf[:0], data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
