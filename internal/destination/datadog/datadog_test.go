package datadog

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/compress"
	"sluice/internal/destination"
	"sluice/internal/record"
	"sluice/internal/secret"
)

var _ destination.Destination = (*Destination)(nil)

var update = flag.Bool("update", false, "rewrite the golden files")

const testKey = "0123456789abcdef0123456789abcdef"

// store is a place of secrets: it gives one text after the other, the last one for good.
type store struct {
	texts []string
	err   error
}

func (s *store) Fetch(context.Context, secret.Ref) (secret.Value, error) {
	if s.err != nil {
		return secret.Value{}, s.err
	}
	text := s.texts[0]
	if len(s.texts) > 1 {
		s.texts = s.texts[1:]
	}
	return secret.NewValue(text), nil
}

func newDestination(t *testing.T, s *store) *Destination {
	t.Helper()
	ref, err := secret.ParseRef("ssm:/datadog/api-key")
	require.NoError(t, err)
	return New(Options{
		ID: "datadog", URL: "https://http-intake.logs.datadoghq.eu/api/v2/logs", APIKey: secret.New(ref, s, time.Hour),
		Codecs: []compress.Codec{compress.Plain{}}, UserAgent: "sluice/9.9.9", Version: "9.9.9", Now: clock,
	})
}

func body(d *Destination, records ...record.Record) destination.Body {
	frame := d.Frame()
	items := []byte(frame.Open)
	for i := range records {
		if i > 0 {
			items = append(items, frame.Separator...)
		}
		items = d.Append(items, &records[i])
	}
	return destination.Body{
		Bytes: append(items, frame.Close...), Codec: d.Codecs()[0], BatchID: "MZXW6YTBOI2DKNRXHA4TAMJSGM.0", Records: len(records), Attempt: 2,
	}
}

func TestRequestGolden(t *testing.T) {
	d := newDestination(t, &store{texts: []string{testKey}})
	id := record.Escaped([]byte(eventID))
	req, err := d.Request(t.Context(), body(d,
		record.Record{Origin: lambdaOrigin(), EventID: id, TimeMillis: event, Message: record.Escaped([]byte(`{\"level\":\"info\"}\n`))},
		record.Record{Origin: groupOrigin(), EventID: id, TimeMillis: 1, Message: record.Escaped([]byte(`late`))},
		record.Record{Origin: streamOrigin(), EventID: record.Plain([]byte("shardId-000000000000:1")), Message: record.Plain([]byte("línea"))},
		record.Record{Origin: objectOrigin(), Offset: 1024, TimeMillis: event, Message: record.Plain([]byte("a \"b\"\t c"))},
		record.Record{Origin: objectOrigin(), Index: 1, TimeMillis: event, Structured: true, Message: record.Plain([]byte(trail))},
	))
	require.NoError(t, err)
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s\nContent-Length: %d\n", req.Method, req.URL, req.ContentLength)
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(req.Header[name], ", "))
	}
	b.WriteByte('\n')
	_, err = io.Copy(&b, req.Body)
	require.NoError(t, err)

	const path = "testdata/request.http"
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, b.Bytes(), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), b.String())
}

func TestRequestKey(t *testing.T) {
	for name, tc := range map[string]struct{ stored, want, err string }{
		"as it is":                    {testKey, testKey, ""},
		"white space around":          {" \t" + testKey + "\r\n", testKey, ""},
		"line break within":           {testKey + "\n" + testKey, "", "not printable"},
		"control character":           {testKey + "\x00", "", "not printable"},
		"not ASCII":                   {"clé" + testKey, "", "not printable"},
		"white space alone":           {" \n", "", ""},
		"zero-width space at the end": {testKey + "\u200b", "", "not printable"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDestination(t, &store{texts: []string{tc.stored}})
			req, err := d.Request(t.Context(), body(d))
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				assert.ErrorContains(t, err, "api key of datadog")
				assert.NotContains(t, err.Error(), testKey[:8])
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tc.want, req.Header.Get("DD-API-KEY"))
		})
	}
}

func TestRequestWithoutAKey(t *testing.T) {
	refused := errors.New("access denied")
	d := newDestination(t, &store{err: refused})
	_, err := d.Request(t.Context(), body(d))
	assert.ErrorIs(t, err, refused)
	assert.ErrorContains(t, err, "api key of datadog")
	_, err = d.Reauthorize(t.Context())
	assert.ErrorIs(t, err, refused)
}

func TestRequestURL(t *testing.T) {
	d := newDestination(t, &store{texts: []string{testKey}})
	d.o.URL = "https://token@\x7f"
	_, err := d.Request(t.Context(), body(d))
	require.ErrorContains(t, err, "destination datadog")
	assert.NotContains(t, err.Error(), "token")
}

func TestReauthorize(t *testing.T) {
	d := newDestination(t, &store{texts: []string{"old", "new"}})
	key := func() string {
		req, err := d.Request(t.Context(), body(d))
		require.NoError(t, err)
		return req.Header.Get("DD-API-KEY")
	}
	assert.Equal(t, "old", key())
	changed, err := d.Reauthorize(t.Context())
	require.NoError(t, err)
	assert.True(t, changed)
	assert.Equal(t, "new", key())
}

func TestOutcome(t *testing.T) {
	d := newDestination(t, &store{texts: []string{testKey}})
	html := http.Header{"Content-Type": {"text/html; charset=utf-8"}}
	for name, tc := range map[string]struct {
		status int
		header http.Header
		body   string
		want   destination.Outcome
	}{
		"202":                   {202, nil, `{}`, destination.Outcome{Verdict: destination.Delivered}},
		"202, no body":          {202, nil, ``, destination.Outcome{Verdict: destination.Delivered}},
		"200, of a proxy":       {200, nil, ``, destination.Outcome{Verdict: destination.Delivered}},
		"200, a login page":     {200, html, `<!doctype html>`, destination.Outcome{Verdict: destination.Refused, Reason: "html_answer"}},
		"202, undeclared page":  {202, nil, ` <html>`, destination.Outcome{Verdict: destination.Refused, Reason: "html_answer"}},
		"201":                   {201, nil, `{}`, destination.Outcome{Verdict: destination.Refused, Reason: "http_201"}},
		"204 confirms nothing":  {204, nil, ``, destination.Outcome{Verdict: destination.Refused, Reason: "http_204"}},
		"207":                   {207, nil, ``, destination.Outcome{Verdict: destination.Refused, Reason: "http_207"}},
		"redirect":              {307, http.Header{"Location": {"https://example.com"}}, ``, destination.Outcome{Verdict: destination.Refused, Reason: "http_307"}},
		"not changed":           {304, nil, ``, destination.Outcome{Verdict: destination.Refused, Reason: "http_304"}},
		"malformed":             {400, nil, `{"errors":["x"]}`, destination.Outcome{Verdict: destination.Invalid, Reason: "http_400"}},
		"no key":                {401, nil, ``, destination.Outcome{Verdict: destination.Unauthorized, Reason: "http_401"}},
		"wrong key":             {403, nil, ``, destination.Outcome{Verdict: destination.Unauthorized, Reason: "http_403"}},
		"not found":             {404, html, `<html>`, destination.Outcome{Verdict: destination.Refused, Reason: "http_404"}},
		"timeout":               {408, nil, ``, destination.Outcome{Verdict: destination.Retry, Reason: "http_408"}},
		"too large":             {413, nil, ``, destination.Outcome{Verdict: destination.TooLarge, Reason: "http_413"}},
		"content coding":        {415, nil, ``, destination.Outcome{Verdict: destination.Unsupported, Reason: "http_415"}},
		"throttled":             {429, nil, ``, destination.Outcome{Verdict: destination.Retry, Reason: "http_429", Throttled: true}},
		"throttled for a while": {429, http.Header{"Retry-After": {"3"}}, ``, destination.Outcome{Verdict: destination.Retry, Reason: "http_429", Throttled: true, Wait: 3 * time.Second}},
		"until a date": {
			503,
			http.Header{"Retry-After": {now.Add(90 * time.Second).UTC().Format(http.TimeFormat)}},
			``,
			destination.Outcome{Verdict: destination.Retry, Reason: "http_503", Wait: 90 * time.Second},
		},
		"server":         {500, nil, ``, destination.Outcome{Verdict: destination.Retry, Reason: "http_500"}},
		"gateway":        {502, html, `<html>`, destination.Outcome{Verdict: destination.Retry, Reason: "http_502"}},
		"edge":           {529, nil, ``, destination.Outcome{Verdict: destination.Retry, Reason: "http_529"}},
		"not a function": {501, nil, ``, destination.Outcome{Verdict: destination.Refused, Reason: "http_501"}},
	} {
		t.Run(name, func(t *testing.T) {
			header := tc.header
			if header == nil {
				header = http.Header{}
			}
			assert.Equal(t, tc.want, d.Outcome(&http.Response{StatusCode: tc.status, Header: header}, []byte(tc.body)))
		})
	}
}

func TestLimits(t *testing.T) {
	d := newDestination(t, &store{texts: []string{testKey}})
	assert.Equal(t, destination.Limits{BodyBytes: 4_750_000, Records: 1000, RecordBytes: 1_000_000}, d.Limits(), "5 % below 5,000,000 bytes")
	assert.Equal(t, destination.Frame{Open: "[", Separator: ",", Close: "]"}, d.Frame())
	assert.Equal(t, "datadog", d.ID())
}
