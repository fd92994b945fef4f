package sqs

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newServer(t *testing.T) (s *Server, url string, sent *[]string) {
	t.Helper()
	s, err := Start()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	sent = new([]string)
	url = s.Queue("objects", func(body []byte) (string, error) {
		if string(body) == "refused" {
			return "", errors.New("no room")
		}
		*sent = append(*sent, string(body))
		return "m-1", nil
	})
	return s, url, sent
}

func call(t *testing.T, s *Server, change func(*http.Request), body string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Env()["AWS_ENDPOINT_URL_SQS"], strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("X-Amz-Target", sendMessage)
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=EXAMPLE/20260201/eu-west-1/sqs/aws4_request, Signature=0")
	if change != nil {
		change(req)
	}
	return new(http.Client).Do(req)
}

func message(t *testing.T, url, body string) string {
	t.Helper()
	text, err := json.Marshal(map[string]string{"QueueUrl": url, "MessageBody": body})
	require.NoError(t, err)
	return string(text)
}

func TestSendMessage(t *testing.T) {
	for name, tc := range map[string]struct {
		queue, body string
		change      func(*http.Request)
		raw         string
		status      int
		want        string // text the answer holds
	}{
		"a message":                       {body: `{"a":"ü"}`, status: 200, want: `{"MD5OfMessageBody":"f38091feea732597cbc589916142c339","MessageId":"m-1"}`},
		"the real host of a queue":        {queue: "https://sqs.eu-west-1.amazonaws.com/123456789012/objects", body: "x", status: 200, want: "m-1"},
		"no such queue":                   {queue: "https://sqs.eu-west-1.amazonaws.com/123456789012/others", body: "x", status: 400, want: "QueueDoesNotExist"},
		"another account":                 {queue: "https://sqs.eu-west-1.amazonaws.com/111122223333/objects", body: "x", status: 400, want: "QueueDoesNotExist"},
		"an empty message":                {status: 400, want: "MissingParameter"},
		"as much as a message may hold":   {body: strings.Repeat("x", maxMessageBytes), status: 200, want: "m-1"},
		"a byte more":                     {body: strings.Repeat("x", maxMessageBytes+1), status: 400, want: "InvalidParameterValue"},
		"a character that XML has not":    {body: "\x00", status: 400, want: "InvalidMessageContents"},
		"no JSON":                         {raw: "{", status: 400, want: "SerializationException"},
		"another operation":               {body: "x", change: func(r *http.Request) { r.Header.Set("X-Amz-Target", "AmazonSQS.PurgeQueue") }, status: 400, want: "UnknownOperation"},
		"the protocol of before":          {body: "x", change: func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, status: 400, want: "UnknownOperation"},
		"no signature":                    {body: "x", change: func(r *http.Request) { r.Header.Del("Authorization") }, status: 403, want: "MissingAuthenticationToken"},
		"a signature for another service": {body: "x", change: func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 /s3/aws4_request") }, status: 403, want: "MissingAuthenticationToken"},
		"a queue that takes nothing":      {body: "refused", status: 500, want: "InternalFailure"},
	} {
		t.Run(name, func(t *testing.T) {
			s, url, sent := newServer(t)
			if tc.queue != "" {
				url = tc.queue
			}
			body := tc.raw
			if body == "" {
				body = message(t, url, tc.body)
			}

			resp, err := call(t, s, tc.change, body)

			require.NoError(t, err)
			defer resp.Body.Close()
			var answer json.RawMessage
			require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
			assert.Equal(t, tc.status, resp.StatusCode)
			assert.Contains(t, string(answer), tc.want)
			assert.Equal(t, 1, s.Calls())
			if tc.status == http.StatusOK {
				assert.Equal(t, []string{tc.body}, *sent)
			} else {
				assert.Empty(t, *sent)
			}
		})
	}
}

func TestScript(t *testing.T) {
	s, url, sent := newServer(t)
	s.SetScript(func(call int) *Refusal {
		return []*Refusal{{Status: 503, Kind: "ServiceUnavailable"}, {Lost: true}, nil}[call-1]
	})

	refused, err := call(t, s, nil, message(t, url, "first"))
	require.NoError(t, err)
	require.NoError(t, refused.Body.Close())
	lost, err := call(t, s, nil, message(t, url, "second"))
	if err == nil {
		lost.Body.Close()
	}
	require.Error(t, err, "the answer is lost")
	taken, err := call(t, s, nil, message(t, url, "third"))
	require.NoError(t, err)
	require.NoError(t, taken.Body.Close())

	assert.Equal(t, 503, refused.StatusCode)
	assert.Equal(t, 200, taken.StatusCode)
	assert.Equal(t, []string{"second", "third"}, *sent)
}
