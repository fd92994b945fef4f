package secret

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/awsenv"
)

// answer is what an AWS service says, in the JSON 1.1 protocol.
type answer struct {
	status int
	code   string // of an error; sent as the header and as the member __type
	body   string
}

// request is what the service was asked.
type request struct {
	target, authorization string
	body                  map[string]any
}

// service starts a stand-in for an AWS service on the loopback interface and points the SDK at it through variable.
func service(t *testing.T, variable string, a answer) *[]request {
	t.Helper()
	var seen []request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Equal(t, "application/x-amz-json-1.1", r.Header.Get("Content-Type"))
		got := request{target: r.Header.Get("X-Amz-Target"), authorization: r.Header.Get("Authorization")}
		assert.NoError(t, json.Unmarshal(raw, &got.body))
		seen = append(seen, got)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if a.code != "" {
			w.Header().Set("X-Amzn-Errortype", a.code)
		}
		w.WriteHeader(a.status)
		_, err = io.WriteString(w, a.body)
		assert.NoError(t, err)
	}))
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		variable: server.URL, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
		"AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	return &seen
}

func fetch(t *testing.T, text string) (Value, error) {
	t.Helper()
	ref, err := ParseRef(text)
	require.NoError(t, err)
	return NewStores(func(string) string { return "" }, awsenv.New(os.Getenv)).Fetch(t.Context(), ref)
}

func TestFetchFromAWS(t *testing.T) {
	for name, tc := range map[string]struct {
		ref, variable string
		body          string
		target        string
		asked         map[string]any
		region        string
	}{
		"secret by name, region of the process": {
			ref: "secretsmanager:k", variable: "AWS_ENDPOINT_URL", body: `{"SecretString":"` + canary + `\n"}`,
			target: "secretsmanager.GetSecretValue", asked: map[string]any{"SecretId": "k"}, region: "/us-east-1/secretsmanager/",
		},
		"secret by ARN, region of the ARN": {
			ref: secretARN + "#token", variable: "AWS_ENDPOINT_URL_SECRETS_MANAGER", body: `{"SecretString":"{\"token\":\"` + canary + `\"}"}`,
			target: "secretsmanager.GetSecretValue", asked: map[string]any{"SecretId": secretARN}, region: "/eu-west-1/secretsmanager/",
		},
		"binary secret": {
			ref: "secretsmanager:k", variable: "AWS_ENDPOINT_URL", body: `{"SecretBinary":"YzRuNHJ5LTAxMjM0NTY3ODlhYmNkZWY="}`,
			target: "secretsmanager.GetSecretValue", asked: map[string]any{"SecretId": "k"}, region: "/us-east-1/secretsmanager/",
		},
		"parameter, decrypted": {
			ref: "ssm:/k", variable: "AWS_ENDPOINT_URL_SSM", body: `{"Parameter":{"Value":"` + canary + `"}}`,
			target: "AmazonSSM.GetParameter", asked: map[string]any{"Name": "/k", "WithDecryption": true}, region: "/us-east-1/ssm/",
		},
		"parameter by ARN, region of the ARN": {
			ref: "ssm:" + parameterARN, variable: "AWS_ENDPOINT_URL", body: `{"Parameter":{"Value":"` + canary + `"}}`,
			target: "AmazonSSM.GetParameter", asked: map[string]any{"Name": parameterARN, "WithDecryption": true}, region: "/cn-north-1/ssm/",
		},
		"ciphertext": {
			ref: "kms:QUJD", variable: "AWS_ENDPOINT_URL_KMS", body: `{"Plaintext":"YzRuNHJ5LTAxMjM0NTY3ODlhYmNkZWY="}`,
			target: "TrentService.Decrypt", asked: map[string]any{"CiphertextBlob": "QUJD"}, region: "/us-east-1/kms/",
		},
	} {
		t.Run(name, func(t *testing.T) {
			seen := service(t, tc.variable, answer{status: 200, body: tc.body})
			value, err := fetch(t, tc.ref)
			require.NoError(t, err)
			assert.Equal(t, canary, value.Reveal())
			require.Len(t, *seen, 1)
			assert.Equal(t, tc.target, (*seen)[0].target)
			assert.Equal(t, tc.asked, (*seen)[0].body)
			assert.Contains(t, (*seen)[0].authorization, tc.region)
		})
	}
}

func TestFetchFromAWSFails(t *testing.T) {
	const kmsARN = "kms:QUJD"
	for name, tc := range map[string]struct {
		ref    string
		answer answer
		want   []string
	}{
		"secret not allowed": {
			ref: "secretsmanager:k", answer: answer{status: 400, code: "AccessDeniedException", body: `{"Message":"no"}`},
			want: []string{"read secretsmanager:k: ", "secretsmanager:GetSecretValue"},
		},
		"secret missing": {
			ref: "secretsmanager:k", answer: answer{status: 400, code: "ResourceNotFoundException", body: `{}`},
			want: []string{"check name, account and region"},
		},
		"secret's key not allowed": {
			ref: "secretsmanager:k", answer: answer{status: 400, code: "DecryptionFailure", body: `{}`},
			want: []string{"kms:Decrypt"},
		},
		"parameter not allowed": {
			ref: "ssm:/k", answer: answer{status: 400, code: "AccessDeniedException", body: `{}`},
			want: []string{"read ssm:/k: ", "ssm:GetParameter"},
		},
		"parameter missing": {
			ref: "ssm:/k", answer: answer{status: 400, code: "ParameterNotFound", body: `{}`},
			want: []string{"check name, account and region"},
		},
		"answer without a parameter": {ref: "ssm:/k", answer: answer{status: 200, body: `{}`}, want: []string{"no parameter"}},
		"key not allowed": {
			ref: kmsARN, answer: answer{status: 400, code: "AccessDeniedException", body: `{}`},
			want: []string{"read kms:[redacted]: ", "kms:Decrypt on the key"},
		},
		"ciphertext of another key": {
			ref: kmsARN, answer: answer{status: 400, code: "InvalidCiphertextException", body: `{}`},
			want: []string{"encryption context"},
		},
		"empty secret":        {ref: "secretsmanager:k", answer: answer{status: 200, body: `{"SecretString":" \n"}`}, want: []string{"white space"}},
		"empty answer":        {ref: "secretsmanager:k", answer: answer{status: 200, body: `{}`}, want: []string{"white space"}},
		"service unavailable": {ref: "secretsmanager:k", answer: answer{status: 500, body: canary}, want: []string{"read secretsmanager:k: "}},
		"answer cut off": {
			ref: "secretsmanager:k", answer: answer{status: 200, body: `{"SecretString":"` + canary}, want: []string{"read secretsmanager:k: "},
		},
		"answer of another shape": {
			ref: "secretsmanager:k", answer: answer{status: 200, body: `{"SecretString":["` + canary + `"]}`},
			want: []string{"read secretsmanager:k: "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			service(t, "AWS_ENDPOINT_URL", tc.answer)
			_, err := fetch(t, tc.ref)
			require.Error(t, err)
			for _, want := range tc.want {
				assert.ErrorContains(t, err, want)
			}
			assert.NotContains(t, err.Error(), canary)
			assert.NotContains(t, err.Error(), "QUJD")
		})
	}
}

// calling is a caller that does this.
type calling func() error

func (c calling) Call(context.Context, awsenv.Service, string, string, any, any) error { return c() }

func TestFetchWithoutAWS(t *testing.T) {
	env := func(name string) string { return map[string]string{"SET": canary + "\n", "BLANK": " "}[name] }
	stores := NewStores(env, calling(func() error {
		t.Error("AWS was called")
		return nil
	}))
	for name, tc := range map[string]struct {
		ref, err string
	}{
		"text":              {ref: "plain:" + canary},
		"variable":          {ref: "env:SET"},
		"variable missing":  {ref: "env:UNSET", err: "read env:UNSET: the environment variable is not set"},
		"variable is blank": {ref: "env:BLANK", err: "read env:BLANK: nothing but white space"},
	} {
		t.Run(name, func(t *testing.T) {
			ref, err := ParseRef(tc.ref)
			require.NoError(t, err)
			value, err := stores.Fetch(t.Context(), ref)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, canary, value.Reveal())
		})
	}
	_, err := stores.Fetch(t.Context(), Ref{})
	require.ErrorContains(t, err, "names nothing")
}

func TestFetchWithoutAConfiguration(t *testing.T) {
	errConfig := errors.New("no credentials")
	stores := NewStores(nil, calling(func() error { return errConfig }))
	_, err := stores.Fetch(t.Context(), Ref{kind: SecretsManager, locator: "k"})
	require.ErrorIs(t, err, errConfig)
	require.ErrorContains(t, err, "secretsmanager:k")
}

func TestParameter(t *testing.T) {
	service(t, "AWS_ENDPOINT_URL", answer{status: 200, body: `{"Parameter":{"Value":"  a: 1\n"}}`})
	stores := NewStores(nil, awsenv.New(os.Getenv))
	text, err := stores.Parameter(t.Context(), Ref{kind: ParameterStore, locator: "/k"})
	require.NoError(t, err)
	assert.Equal(t, "  a: 1\n", text, "white space is kept")

	_, err = stores.Parameter(t.Context(), Ref{kind: Plain, hidden: NewValue(canary)})
	require.ErrorContains(t, err, "read plain:[redacted]: want an ssm: reference")
}
