package httpjson_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/compress"
	"sluice/internal/destination"
	"sluice/internal/destination/httpjson"
)

func TestNewRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*httpjson.Options)
		want   []string // all of them in one error
	}{
		"no id": {
			change: func(o *httpjson.Options) { o.ID = "" },
			want:   []string{"id: want a name"},
		},
		"relative URL": {
			change: func(o *httpjson.Options) { o.URL = "/logs" },
			want:   []string{`destination "archive": url: want an absolute`},
		},
		"URL without a host": {
			change: func(o *httpjson.Options) { o.URL = "https://:443/logs" },
			want:   []string{"url: want an absolute"},
		},
		"URL of another scheme": {
			change: func(o *httpjson.Options) { o.URL = "ftp://intake.example.com" },
			want:   []string{"url: want an absolute"},
		},
		"method that has no body": {
			change: func(o *httpjson.Options) { o.Method = http.MethodGet },
			want:   []string{`method "GET": want POST or PUT`},
		},
		"unknown format": {
			change: func(o *httpjson.Options) { o.Format = 2 },
			want:   []string{"format 2: want"},
		},
		"no codec": {
			change: func(o *httpjson.Options) { o.Codecs = nil },
			want:   []string{"codecs: want at least one"},
		},
		"user agent that ends its header": {
			change: func(o *httpjson.Options) { o.UserAgent = "a\r\nb: c" },
			want:   []string{"user agent"},
		},
		"no limits": {
			change: func(o *httpjson.Options) { o.Limits = destination.Limits{} },
			want:   []string{"limits", "above 0"},
		},
		"record that no body holds": {
			change: func(o *httpjson.Options) { o.Limits.RecordBytes = o.Limits.BodyBytes + 1 },
			want:   []string{"limits", "does not fit"},
		},
		"no success": {
			change: func(o *httpjson.Options) { o.SuccessCodes = httpjson.StatusSet{} },
			want:   []string{"success codes: want at least one"},
		},
		"success that is no final answer": {
			change: func(o *httpjson.Options) { o.SuccessCodes = httpjson.StatusSet{{100, 299}} },
			want:   []string{"success codes 100-299"},
		},
		"success the wrong way round": {
			change: func(o *httpjson.Options) { o.SuccessCodes = httpjson.StatusSet{{204, 200}} },
			want:   []string{"success codes 204-200"},
		},
		"field that is not ours": {
			change: func(o *httpjson.Options) { o.Fields = map[string]string{"observed": "seen"} },
			want:   []string{`fields: no field "observed", want one of id, time, message`},
		},
		"two fields with one new name": {
			change: func(o *httpjson.Options) { o.Fields = map[string]string{"id": "x", "host": "x"} },
			want:   []string{`fields: id and host are both called "x"`},
		},
		"new name that another field has": {
			change: func(o *httpjson.Options) { o.Fields = map[string]string{"message": "host"} },
			want:   []string{`fields: message and host are both called "host"`},
		},
		"headers": {
			change: func(o *httpjson.Options) {
				o.Headers = []httpjson.Header{
					{Name: "X Y", Value: constant("tok3n")},
					{Name: "", Value: constant("tok3n")},
					{Name: "content-encoding", Value: constant("tok3n")},
					{Name: "X-Once", Value: constant("tok3n")},
					{Name: "x-once", Value: constant("tok3n")},
					{Name: "X-Empty"},
				}
			},
			want: []string{
				`header "X Y": no name`, `header "": no name`, "header Content-Encoding: is set for each request",
				"header X-Once: given twice", "header X-Empty: want a value",
			},
		},
		"several things at once, and no secret is quoted": {
			change: func(o *httpjson.Options) {
				o.URL, o.Method, o.Fields = "https://user:tok3n/@x:y", "get", map[string]string{"nope": "a", "none": "b"}
			},
			want: []string{"url: ", `method "get"`, `no field "none"`, `no field "nope"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := options()
			tc.change(&o)
			_, err := httpjson.New(o)
			require.Error(t, err)
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
			assert.NotContains(t, err.Error(), "tok3n")
		})
	}
}

func TestDestinationTellsItsOptions(t *testing.T) {
	o := options()
	d := newDestination(t, o)
	assert.Equal(t, "archive", d.ID())
	assert.Equal(t, o.Limits, d.Limits())
	assert.Equal(t, o.Codecs, d.Codecs())
	assert.Equal(t, destination.Frame{Open: "[", Separator: ",", Close: "]"}, d.Frame())
	o.Format = httpjson.JSONLines
	assert.Equal(t, destination.Frame{Separator: "\n", Close: "\n"}, newDestination(t, o).Frame())
}

// What an intake on the loopback gets, as opposed to what we meant to send.
func TestRequestOnTheWire(t *testing.T) {
	packer, err := compress.Gzip(2)
	require.NoError(t, err)
	type arrival struct {
		header http.Header
		length int64
		body   []byte
	}
	arrivals := make(chan arrival, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		arrivals <- arrival{header: r.Header, length: r.ContentLength, body: body}
	}))
	defer server.Close()

	o := options()
	o.URL, o.Codecs, o.UserAgent = server.URL, []compress.Codec{packer}, ""
	d := newDestination(t, o)
	body := plainBody(d, sample())
	plain := body.Bytes
	body.Codec, body.Bytes = packer, packer.Append(nil, plain)
	req, err := d.Request(t.Context(), body)
	require.NoError(t, err)
	resp, err := server.Client().Do(req)
	require.NoError(t, err)
	resp.Body.Close()

	got := <-arrivals
	unpacked, err := packer.Unpack(nil, got.body)
	require.NoError(t, err)
	assert.Equal(t, string(plain), string(unpacked))
	assert.EqualValues(t, len(got.body), got.length)
	assert.Equal(t, "gzip", got.header.Get("Content-Encoding"))
	assert.Equal(t, "application/json", got.header.Get("Content-Type"))
	assert.NotContains(t, got.header, "User-Agent", "an empty one is not sent")
	assert.Nil(t, req.GetBody, "net/http must not be able to send it again")
}

func TestRequestWithoutCredentials(t *testing.T) {
	cause := errors.New("no permission")
	for name, tc := range map[string]struct {
		value func(context.Context) (string, error)
		cause error
		want  string
	}{
		"secret that cannot be read": {
			value: func(context.Context) (string, error) { return "", cause },
			cause: cause,
			want:  `header X-Key of destination "archive": no permission`,
		},
		"secret that would end its header": {
			value: constant("tok3n\nX-Other: 1"),
			want:  `header X-Key of destination "archive": its value has a control character`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := options()
			o.Headers = []httpjson.Header{{Name: "X-Key", Value: tc.value}}
			_, err := newDestination(t, o).Request(t.Context(), destination.Body{Codec: compress.Plain{}})
			require.EqualError(t, err, tc.want)
			if tc.cause != nil {
				require.ErrorIs(t, err, tc.cause)
			}
		})
	}
}

func TestReauthorize(t *testing.T) {
	cause := errors.New("store does not answer")
	type refresh = func(context.Context) (bool, error)
	same := func(context.Context) (bool, error) { return false, nil }
	other := func(context.Context) (bool, error) { return true, nil }
	fails := func(context.Context) (bool, error) { return false, cause }
	for name, tc := range map[string]struct {
		refreshes []refresh
		changed   bool
		err       string
	}{
		"constants alone":                    {refreshes: []refresh{nil, nil}},
		"no headers":                         {},
		"secret is what it was":              {refreshes: []refresh{nil, same}},
		"one of two secrets changed":         {refreshes: []refresh{other, same}, changed: true},
		"one fails, the other changed still": {refreshes: []refresh{fails, other}, changed: true, err: "header X-A"},
		"one fails":                          {refreshes: []refresh{same, fails}, err: "header X-B"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options()
			for i, r := range tc.refreshes {
				name := "X-" + string(rune('A'+i))
				o.Headers = append(o.Headers, httpjson.Header{Name: name, Value: constant("v"), Refresh: r})
			}
			changed, err := newDestination(t, o).Reauthorize(t.Context())
			assert.Equal(t, tc.changed, changed)
			if tc.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, cause)
			require.ErrorContains(t, err, tc.err)
		})
	}
}

func TestOutcome(t *testing.T) {
	type outcome = destination.Outcome
	now := time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC)
	for name, tc := range map[string]struct {
		success httpjson.StatusSet
		status  int
		header  http.Header
		body    string
		want    outcome
	}{
		"200": {status: 200, want: outcome{Verdict: destination.Delivered}},
		"204": {status: 204, want: outcome{Verdict: destination.Delivered}},
		"207 reports on each item and is not read": {
			status: 207, want: outcome{Verdict: destination.Refused, Reason: "http_207"},
		},
		"260 takes nothing": {
			status: 260, want: outcome{Verdict: destination.Refused, Reason: "http_260"},
		},
		"260 where the settings trust it": {
			success: httpjson.StatusSet{{260, 260}}, status: 260, want: outcome{Verdict: destination.Delivered},
		},
		"200 where only 204 is success": {
			success: httpjson.StatusSet{{204, 204}}, status: 200,
			want: outcome{Verdict: destination.Refused, Reason: "http_200"},
		},
		"409 where it means that the batch is known": {
			success: httpjson.StatusSet{{200, 299}, {409, 409}}, status: 409, want: outcome{Verdict: destination.Delivered},
		},
		"200 with a login page": {
			status: 200, body: "<!doctype html><title>Sign in</title>",
			want: outcome{Verdict: destination.Refused, Reason: "html_answer"},
		},
		"200 with XML": {
			status: 200, header: http.Header{"Content-Type": {"application/xml"}}, body: "<ok/>",
			want: outcome{Verdict: destination.Delivered},
		},
		"503 with a gateway's page is still transient": {
			status: 503, body: "<html>", want: outcome{Verdict: destination.Retry, Reason: "http_503"},
		},
		"429 until a date": {
			status: 429, header: http.Header{"Retry-After": {"Fri, 02 Jan 2026 03:04:15 GMT"}},
			want: outcome{Verdict: destination.Retry, Reason: "http_429", Wait: 10 * time.Second, Throttled: true},
		},
		"413": {status: 413, want: outcome{Verdict: destination.TooLarge, Reason: "http_413"}},
		"400": {status: 400, want: outcome{Verdict: destination.Invalid, Reason: "http_400"}},
		"401": {status: 401, want: outcome{Verdict: destination.Unauthorized, Reason: "http_401"}},
		"415": {status: 415, want: outcome{Verdict: destination.Unsupported, Reason: "http_415"}},
		"307": {status: 307, want: outcome{Verdict: destination.Refused, Reason: "http_307"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := options()
			o.SuccessCodes = tc.success
			o.Now = func() time.Time { return now }
			resp := &http.Response{StatusCode: tc.status, Header: tc.header}
			assert.Equal(t, tc.want, newDestination(t, o).Outcome(resp, []byte(tc.body)))
		})
	}
}

func TestDefaultSuccess(t *testing.T) {
	set := httpjson.DefaultSuccess()
	for status := 100; status < 600; status++ {
		want := status/100 == 2 && status != 207 && status != 260
		assert.Equal(t, want, set.Has(status), status)
	}
}
