package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/awsenv"
	"sluice/internal/queue"
)

const queueURL = "https://sqs.eu-west-1.amazonaws.com/123456789012/sluice"

// caller answers with a document or an error, and keeps what it was asked.
type caller struct {
	answer string
	err    error

	service   awsenv.Service
	region    string
	operation string
	in        map[string]string
	calls     int
}

func (c *caller) Call(_ context.Context, s awsenv.Service, region, operation string, in, out any) error {
	c.calls++
	c.service, c.region, c.operation = s, region, operation
	if c.err != nil {
		return c.err
	}
	doc, err := json.Marshal(in)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(doc, &c.in); err != nil {
		return err
	}
	return json.Unmarshal([]byte(c.answer), out)
}

const good = `{"MD5OfMessageBody":"fafb00f5732ab283681e124bf8747ed1","MessageId":"219f8380-5770-4cc2-8c3e-5c715e145f5e"}`

func TestSend(t *testing.T) {
	c := &caller{answer: good}
	body := "{\"a\":\"<é>\",\n\t\"b\":1}\r"
	require.NoError(t, queue.New(c, queueURL).Send(t.Context(), []byte(body)))
	assert.Equal(t, awsenv.Service{Name: "sqs", SDKID: "SQS", Target: "AmazonSQS", Protocol: "1.0"}, c.service)
	assert.Equal(t, "eu-west-1", c.region)
	assert.Equal(t, "SendMessage", c.operation)
	assert.Equal(t, map[string]string{"QueueUrl": queueURL, "MessageBody": body}, c.in)
}

func TestSendOfABodyThatSQSWouldNotTake(t *testing.T) {
	for name, tc := range map[string]struct{ body, err string }{
		"nothing":             {"", "the message is empty"},
		"a byte too many":     {strings.Repeat("s", queue.MaxMessageBytes+1), "the message has 1048577 bytes: SQS takes 1048576"},
		"no UTF-8":            {"secret\xff", "the message is not UTF-8"},
		"a control character": {"secret\x00", "the message has the character U+0000 at byte 6"},
		"U+FFFE":              {"secret\uFFFE", "the message has the character U+FFFE at byte 6"},
		"U+FFFF":              {"\uFFFF", "the message has the character U+FFFF at byte 0"},
	} {
		t.Run(name, func(t *testing.T) {
			c := &caller{answer: good}
			err := queue.New(c, queueURL).Send(t.Context(), []byte(tc.body))
			require.ErrorContains(t, err, tc.err)
			assert.ErrorContains(t, err, "send a message to "+queueURL)
			assert.NotContains(t, err.Error(), "secret")
			assert.Zero(t, c.calls)
		})
	}
	for name, body := range map[string]string{
		"the largest":                strings.Repeat("s", queue.MaxMessageBytes),
		"one byte":                   "s",
		"U+FFFD, in place or as one": "\uFFFD\U0001FFFF\x7f",
	} {
		assert.NoError(t, queue.New(&caller{answer: good}, queueURL).Send(t.Context(), []byte(body)), name)
	}
}

func TestSendThatFails(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"denied":             {&awsenv.APIError{Status: 403, Code: "AccessDenied"}, "; grant the function sqs:SendMessage on the queue"},
		"denied, exception":  {&awsenv.APIError{Status: 400, Code: "AccessDeniedException"}, "; grant the function sqs:SendMessage"},
		"denied by KMS":      {&awsenv.APIError{Status: 400, Code: "KmsAccessDenied"}, "; grant the function kms:GenerateDataKey and kms:Decrypt"},
		"KMS is busy":        {&awsenv.APIError{Status: 400, Code: "KmsThrottled"}, "aws answered 400 KmsThrottled: "},
		"no queue":           {&awsenv.APIError{Status: 400, Code: "QueueDoesNotExist"}, "; check the URL of the queue: its region, account and name"},
		"no queue, as Query": {&awsenv.APIError{Status: 400, Code: "AWS.SimpleQueueService.NonExistentQueue"}, "; check the URL"},
		"no address":         {&awsenv.APIError{Status: 404, Code: "InvalidAddress"}, "; check the URL"},
		"set to less":        {&awsenv.APIError{Status: 400, Code: "InvalidParameterValue"}, "; the queue may be set to smaller messages"},
		"busy":               {&awsenv.APIError{Status: 503, Code: "ServiceUnavailable"}, "aws answered 503 ServiceUnavailable: "},
		"no connection":      {errors.New("connection refused"), "connection refused"},
		"out of time":        {context.DeadlineExceeded, "context deadline exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			err := queue.New(&caller{err: tc.err}, queueURL).Send(t.Context(), []byte("secret"))
			require.ErrorIs(t, err, tc.err)
			assert.ErrorContains(t, err, "send a message of 6 bytes to "+queueURL+": ")
			assert.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "secret")
		})
	}
	for _, answer := range []string{`{}`, `{"MessageId":""}`} {
		err := queue.New(&caller{answer: answer}, queueURL).Send(t.Context(), []byte("x"))
		require.ErrorContains(t, err, "the answer names no message", "what confirms nothing has stored nothing")
	}
}

func TestURLOfAQueue(t *testing.T) {
	for name, tc := range map[string]struct{ url, region, err string }{
		"commercial":                  {url: queueURL, region: "eu-west-1"},
		"GovCloud":                    {url: "https://sqs.us-gov-west-1.amazonaws.com/123456789012/q", region: "us-gov-west-1"},
		"China":                       {url: "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q", region: "cn-north-1"},
		"sovereign":                   {url: "https://sqs.eusc-de-east-1.amazonaws.eu/123456789012/q", region: "eusc-de-east-1"},
		"isolated":                    {url: "https://sqs.us-iso-east-1.c2s.ic.gov/123456789012/q", region: "us-iso-east-1"},
		"FIPS":                        {url: "https://sqs-fips.us-east-1.amazonaws.com/123456789012/q", region: "us-east-1"},
		"both protocols":              {url: "https://sqs.us-east-1.api.aws/123456789012/q", region: "us-east-1"},
		"upper case":                  {url: "https://SQS.eu-west-1.AMAZONAWS.com/123456789012/q", region: "eu-west-1"},
		"legacy":                      {url: "https://queue.amazonaws.com/123456789012/q", region: "us-east-1"},
		"legacy with a region":        {url: "https://eu-west-1.queue.amazonaws.com/123456789012/q", region: "eu-west-1"},
		"legacy in China":             {url: "https://cn-north-1.queue.amazonaws.com.cn/123456789012/q", region: "cn-north-1"},
		"private endpoint":            {url: "https://vpce-0a1b-x.sqs.eu-west-1.vpce.amazonaws.com/123456789012/q", region: "eu-west-1"},
		"this machine":                {url: "http://127.0.0.1:4566/000000000000/q"},
		"this machine, IPv6":          {url: "http://[::1]:4566/000000000000/q"},
		"this machine by name":        {url: "http://localhost:4566/000000000000/q"},
		"this machine with TLS":       {url: "https://sqs.localhost/000000000000/q"},
		"the longest name":            {url: "http://localhost/123456789012/" + strings.Repeat("q", 80)},
		"all characters of a name":    {url: "http://localhost/123456789012/aZ0-_"},
		"nothing":                     {url: "", err: "the URL of the queue is not set"},
		"an ARN":                      {url: "arn:aws:sqs:eu-west-1:123456789012:q", err: "expected https://sqs."},
		"no URL":                      {url: "https://[", err: "the URL of the queue is none"},
		"credentials":                 {url: "https://u:secret@sqs.eu-west-1.amazonaws.com/123456789012/q", err: "has more than host and path"},
		"a query":                     {url: queueURL + "?secret", err: "has more than host and path"},
		"an empty query":              {url: queueURL + "?", err: "has more than host and path"},
		"a fragment":                  {url: queueURL + "#secret", err: "has more than host and path"},
		"in the clear":                {url: "http://sqs.eu-west-1.amazonaws.com/123456789012/q", err: `has "http://sqs.eu-west-1.amazonaws.com"`},
		"in the clear, another host":  {url: "http://192.0.2.1/123456789012/q", err: `has "http://192.0.2.1"`},
		"another scheme":              {url: "ftp://localhost/123456789012/q", err: `has "ftp://localhost"`},
		"another host":                {url: "https://example.com/123456789012/q", err: `has "https://example.com"`},
		"another service":             {url: "https://sns.eu-west-1.amazonaws.com/123456789012/q", err: "expected https://sqs."},
		"a host that only looks so":   {url: "https://sqs.eu-west-1.amazonaws.com.example.com/123456789012/q", err: "expected https://sqs."},
		"a host behind the port":      {url: "https://sqs.eu-west-1.amazonaws.com:8443/123456789012/q", err: "expected https://sqs."},
		"no region":                   {url: "https://sqs.amazonaws.com/123456789012/q", err: "expected https://sqs."},
		"what is no region":           {url: "https://sqs.europe.amazonaws.com/123456789012/q", err: "expected https://sqs."},
		"private without a region":    {url: "https://vpce-0a1b.sqs.vpce.amazonaws.com/123456789012/q", err: "expected https://sqs."},
		"private of another service":  {url: "https://vpce-0a1b.sns.eu-west-1.vpce.amazonaws.com/123456789012/q", err: "expected https://sqs."},
		"no path":                     {url: "https://sqs.eu-west-1.amazonaws.com", err: `has the path ""`},
		"no account":                  {url: "https://sqs.eu-west-1.amazonaws.com/q", err: `has the path "/q"`},
		"eleven digits":               {url: "https://sqs.eu-west-1.amazonaws.com/12345678901/q", err: "has the path"},
		"an account with a letter":    {url: "https://sqs.eu-west-1.amazonaws.com/12345678901x/q", err: "has the path"},
		"a path too long":             {url: queueURL + "/more", err: "has the path"},
		"no name":                     {url: "https://sqs.eu-west-1.amazonaws.com/123456789012/", err: `the queue is called ""`},
		"a name of 81":                {url: "http://localhost/123456789012/" + strings.Repeat("q", 81), err: "expected 1 to 80"},
		"a name with an escape":       {url: "http://localhost/123456789012/a%2Fb", err: `the queue is called "a%2Fb"`},
		"a name with a dot":           {url: "http://localhost/123456789012/a.b", err: "the queue is called"},
		"a FIFO queue":                {url: queueURL + ".fifo", err: `the queue "sluice.fifo" is a FIFO queue: use a standard one`},
		"a name that is a line break": {url: "http://localhost/123456789012/a%0Ab", err: "the queue is called"},
	} {
		t.Run(name, func(t *testing.T) {
			c := &caller{answer: good}
			err := queue.New(c, tc.url).Send(t.Context(), []byte("x"))
			if tc.err == "" {
				require.NoError(t, err)
				require.NoError(t, queue.CheckURL(tc.url))
				assert.Equal(t, tc.region, c.region)
				assert.Equal(t, tc.url, c.in["QueueUrl"], "as it was given")
				return
			}
			require.ErrorContains(t, err, tc.err)
			require.ErrorContains(t, queue.CheckURL(tc.url), tc.err)
			assert.NotContains(t, err.Error(), "secret")
			assert.Zero(t, c.calls)
		})
	}
}

// The environment decides where SQS is called, as for every other service.
func TestSendOverHTTP(t *testing.T) {
	var seen *http.Request
	var in map[string]string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.NoError(t, json.Unmarshal(body, &in))
		_, err = io.WriteString(w, good)
		assert.NoError(t, err)
	}))
	t.Cleanup(server.Close)
	for _, variable := range []string{"AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL"} {
		for url, region := range map[string]string{queueURL: "eu-west-1", server.URL + "/123456789012/q": "eu-central-1"} {
			vars := map[string]string{
				variable: server.URL, "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example",
			}
			seen, in = nil, nil
			q := queue.New(awsenv.New(func(name string) string { return vars[name] }), url)
			require.NoError(t, q.Send(t.Context(), []byte("hello")))
			require.NotNil(t, seen)
			assert.Equal(t, "POST /", seen.Method+" "+seen.URL.Path)
			assert.Equal(t, "application/x-amz-json-1.0", seen.Header.Get("Content-Type"))
			assert.Equal(t, "AmazonSQS.SendMessage", seen.Header.Get("X-Amz-Target"))
			assert.Contains(t, seen.Header.Get("Authorization"), "/"+region+"/sqs/aws4_request")
			assert.Equal(t, map[string]string{"QueueUrl": url, "MessageBody": "hello"}, in)
		}
	}
}

func FuzzURL(f *testing.F) {
	for _, seed := range []string{queueURL, "https://queue.amazonaws.com/123456789012/q", "http://[::1]:1/123456789012/q", "https://vpce-.sqs.eu-west-1.vpce.amazonaws.com/123456789012/q", "%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, url string) {
		if queue.CheckURL(url) != nil {
			return
		}
		assert.Regexp(t, `(?i)^https?://[^/?#@\s]+/[0-9]{12}/[A-Za-z0-9_-]{1,80}$`, url)
		c := &caller{answer: good}
		require.NoError(t, queue.New(c, url).Send(t.Context(), []byte("x")))
		assert.Regexp(t, `^([a-z]+(-[a-z]+)+-[0-9])?$`, c.region)
		if c.region == "" {
			assert.Regexp(t, `(?i)^https?://(127\.|\[|([^/]+\.)?localhost)`, url)
		}
	})
}
