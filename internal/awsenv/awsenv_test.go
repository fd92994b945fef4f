package awsenv

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var ssm = Service{Name: "ssm", SDKID: "SSM", Target: "AmazonSSM"}

// environment has credentials, and what else is given as name, value, name, value.
func environment(pairs ...string) *Environment {
	vars := map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example", "AWS_SESSION_TOKEN": "token",
	}
	for i := 0; i < len(pairs); i += 2 {
		vars[pairs[i]] = pairs[i+1]
	}
	e := New(func(name string) string { return vars[name] })
	e.sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	return e
}

// service answers with one status and body after another, the last one for ever, and counts the requests.
func service(t *testing.T, answers ...answer) (url string, requests *[]*http.Request) {
	t.Helper()
	requests = new([]*http.Request)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := answers[min(len(*requests), len(answers)-1)]
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		r.Header.Set("Body", string(body))
		*requests = append(*requests, r)
		for name, value := range a.header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(a.status)
		_, err = io.WriteString(w, a.body)
		assert.NoError(t, err)
	}))
	t.Cleanup(server.Close)
	return server.URL, requests
}

type answer struct {
	status int
	body   string
	header map[string]string
}

func TestCall(t *testing.T) {
	url, requests := service(t, answer{status: 200, body: `{"Parameter":{"Value":"v"}}`})
	var out struct{ Parameter struct{ Value string } }
	err := environment("AWS_ENDPOINT_URL_SSM", url).Call(t.Context(), ssm, "", "GetParameter", map[string]string{"Name": "/n"}, &out)
	require.NoError(t, err)
	assert.Equal(t, "v", out.Parameter.Value)

	require.Len(t, *requests, 1)
	r := (*requests)[0]
	assert.Equal(t, "POST", r.Method)
	assert.Equal(t, "AmazonSSM.GetParameter", r.Header.Get("X-Amz-Target"))
	assert.Equal(t, "application/x-amz-json-1.1", r.Header.Get("Content-Type"))
	assert.JSONEq(t, `{"Name":"/n"}`, r.Header.Get("Body"))
	assert.Equal(t, "token", r.Header.Get("X-Amz-Security-Token"))
	assert.Regexp(t, `^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/\d{8}/eu-west-1/ssm/aws4_request, SignedHeaders=\S*content-type\S*x-amz-target`, r.Header.Get("Authorization"))
}

func TestCallInAnotherProtocol(t *testing.T) {
	url, requests := service(t, answer{status: 200, body: `{"MessageId":"m"}`})
	sqs := Service{Name: "sqs", SDKID: "SQS", Target: "AmazonSQS", Protocol: "1.0"}
	var out struct {
		ID string `json:"MessageId"`
	}
	require.NoError(t, environment("AWS_ENDPOINT_URL_SQS", url).Call(t.Context(), sqs, "us-east-1", "SendMessage", struct{}{}, &out))
	assert.Equal(t, "m", out.ID)
	require.Len(t, *requests, 1)
	r := (*requests)[0]
	assert.Equal(t, "application/x-amz-json-1.0", r.Header.Get("Content-Type"))
	assert.Equal(t, "AmazonSQS.SendMessage", r.Header.Get("X-Amz-Target"))
	assert.Contains(t, r.Header.Get("Authorization"), "/us-east-1/sqs/aws4_request")
}

func TestCallTriesAgain(t *testing.T) {
	good := answer{status: 200, body: `{}`}
	for name, tc := range map[string]struct {
		answers  []answer
		attempts string
		requests int
		code     string
	}{
		"server error, then well": {answers: []answer{{status: 500}, good}, requests: 2},
		"throttled by status":     {answers: []answer{{status: 429}, {status: 503}, good}, requests: 3},
		"throttled by code":       {answers: []answer{{status: 400, body: `{"__type":"ThrottlingException"}`}, good}, requests: 2},
		"for ever":                {answers: []answer{{status: 500}}, requests: 3, code: "Internal Server Error"},
		"as often as is set":      {answers: []answer{{status: 500}}, attempts: "5", requests: 5, code: "Internal Server Error"},
		"a refusal is final": {
			answers: []answer{{status: 400, body: `{"__type":"com.amazon#AccessDeniedException","Message":"no"}`}}, requests: 1, code: "AccessDeniedException",
		},
		"code in a header with a URL behind": {
			answers: []answer{{status: 400, header: map[string]string{"X-Amzn-Errortype": "ParameterNotFound:http://example.com/"}}}, requests: 1, code: "ParameterNotFound",
		},
		"an answer that is no JSON": {answers: []answer{{status: 403, body: "<html>"}}, requests: 1, code: "Forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			url, requests := service(t, tc.answers...)
			err := environment("AWS_ENDPOINT_URL", url, "AWS_MAX_ATTEMPTS", tc.attempts).Call(t.Context(), ssm, "", "GetParameter", struct{}{}, new(struct{}))
			assert.Len(t, *requests, tc.requests)
			if tc.code == "" {
				require.NoError(t, err)
				return
			}
			var api *APIError
			require.ErrorAs(t, err, &api)
			assert.Equal(t, tc.code, api.Code)
			assert.ErrorContains(t, err, "ssm GetParameter in eu-west-1")
		})
	}
}

func TestCallFails(t *testing.T) {
	url, _ := service(t, answer{status: 200, body: "secret canary"})
	call := func(e *Environment, out any) error {
		return e.Call(t.Context(), ssm, "", "GetParameter", struct{}{}, out)
	}
	err := call(environment("AWS_ENDPOINT_URL", url), new(struct{}))
	require.ErrorContains(t, err, "not the JSON")
	assert.NotContains(t, err.Error(), "canary")

	require.ErrorContains(t, call(environment("AWS_REGION", ""), nil), "AWS_REGION")
	require.ErrorContains(t, call(environment("AWS_ACCESS_KEY_ID", ""), nil), "AWS_ACCESS_KEY_ID")
	require.ErrorContains(t, call(environment("AWS_ENDPOINT_URL", "http://127.0.0.1:1"), nil), "refused")
	require.ErrorContains(t, call(environment("AWS_ENDPOINT_URL", ":"), nil), "no URL")
	require.Error(t, environment().Call(t.Context(), ssm, "", "GetParameter", func() {}, nil), "not JSON")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, environment("AWS_ENDPOINT_URL", url).Call(ctx, ssm, "", "GetParameter", struct{}{}, nil), context.Canceled)
}

func TestCallGivesUpWhileItWaits(t *testing.T) {
	url, requests := service(t, answer{status: 500})
	e := environment("AWS_ENDPOINT_URL", url)
	stopped := errors.New("stopped")
	e.sleep = func(context.Context, time.Duration) error { return stopped }
	require.ErrorIs(t, e.Call(t.Context(), ssm, "", "GetParameter", struct{}{}, nil), stopped)
	assert.Len(t, *requests, 1)
}

func TestURL(t *testing.T) {
	for name, tc := range map[string]struct {
		env    []string
		region string
		want   string
	}{
		"commercial":            {region: "eu-west-1", want: "https://ssm.eu-west-1.amazonaws.com/"},
		"GovCloud":              {region: "us-gov-west-1", want: "https://ssm.us-gov-west-1.amazonaws.com/"},
		"China":                 {region: "cn-north-1", want: "https://ssm.cn-north-1.amazonaws.com.cn/"},
		"iso":                   {region: "us-iso-east-1", want: "https://ssm.us-iso-east-1.c2s.ic.gov/"},
		"iso b":                 {region: "us-isob-east-1", want: "https://ssm.us-isob-east-1.sc2s.sgov.gov/"},
		"FIPS":                  {env: []string{"AWS_USE_FIPS_ENDPOINT", "true"}, region: "us-east-1", want: "https://ssm-fips.us-east-1.amazonaws.com/"},
		"for all services":      {env: []string{"AWS_ENDPOINT_URL", "http://a"}, region: "eu-west-1", want: "http://a"},
		"for this one":          {env: []string{"AWS_ENDPOINT_URL", "http://a", "AWS_ENDPOINT_URL_SSM", "http://b"}, region: "eu-west-1", want: "http://b"},
		"variables are ignored": {env: []string{"AWS_ENDPOINT_URL", "http://a", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"}, region: "eu-west-1", want: "https://ssm.eu-west-1.amazonaws.com/"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, environment(tc.env...).url(ssm, tc.region))
		})
	}
	assert.Equal(t, "http://c", environment("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://c").url(Service{SDKID: "Secrets Manager"}, "eu-west-1"))
}

func TestConfig(t *testing.T) {
	_, err := environment("AWS_REGION", "").Config()
	require.ErrorContains(t, err, "AWS_REGION")

	cfg, err := environment("AWS_REGION", "", "AWS_DEFAULT_REGION", "us-east-2").Config()
	require.NoError(t, err)
	assert.Equal(t, "us-east-2", cfg.Region)

	// What counts is that a client of the SDK takes it: its endpoint, its credentials, its number of attempts.
	url, requests := service(t, answer{status: 503})
	cfg, err = environment("AWS_ENDPOINT_URL_S3", url, "AWS_MAX_ATTEMPTS", "2").Config()
	require.NoError(t, err)
	_, err = s3.NewFromConfig(cfg, func(o *s3.Options) { o.RetryMode = aws.RetryModeStandard }).
		GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	require.Error(t, err)
	require.Len(t, *requests, 2)
	assert.Contains(t, (*requests)[0].Header.Get("Authorization"), "AKIDEXAMPLE")
	assert.Equal(t, "/b/k", (*requests)[0].URL.Path)

	cfg, err = environment("AWS_USE_FIPS_ENDPOINT", "true").Config()
	require.NoError(t, err)
	state, set, err := cfg.ConfigSources[0].(sources).GetUseFIPSEndpoint(t.Context())
	require.NoError(t, err)
	assert.True(t, set)
	assert.Equal(t, aws.FIPSEndpointStateEnabled, state)
}

func TestSleep(t *testing.T) {
	require.NoError(t, sleep(t.Context(), 0))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, sleep(ctx, time.Hour), context.Canceled)
}
