package secretstore

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCalls(t *testing.T) {
	for name, tc := range map[string]struct {
		op       Operation
		body     string
		unsigned bool
		status   int
		want     string // text the answer holds
	}{
		"a secret":                        {op: GetSecretValue, body: `{"SecretId":"key"}`, status: 200, want: `"SecretString":"blue"`},
		"a secret that is not there":      {op: GetSecretValue, body: `{"SecretId":"other"}`, status: 400, want: "ResourceNotFoundException"},
		"a parameter":                     {op: GetParameter, body: `{"Name":"key","WithDecryption":true}`, status: 200, want: `"Value":"blue"`},
		"a parameter left encrypted":      {op: GetParameter, body: `{"Name":"key"}`, status: 200, want: "still-encrypted"},
		"a parameter that is not there":   {op: GetParameter, body: `{"Name":"other"}`, status: 400, want: "ParameterNotFound"},
		"a request without a signature":   {op: GetSecretValue, body: `{"SecretId":"key"}`, unsigned: true, status: 400, want: "MissingAuthenticationTokenException"},
		"a body that is not JSON":         {op: GetSecretValue, body: `{`, status: 400, want: "SerializationException"},
		"an operation nobody asked for":   {op: "AmazonSSM.PutParameter", body: `{}`, status: 400, want: "UnknownOperationException"},
		"the value a rotation has put in": {op: GetSecretValue, body: `{"SecretId":"rotated"}`, status: 200, want: `"SecretString":"new"`},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Start()
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, s.Close()) })
			s.Put("key", "blue")
			s.Put("rotated", "old")
			s.Put("rotated", "new")
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL(), strings.NewReader(tc.body))
			require.NoError(t, err)
			req.Header.Set("X-Amz-Target", string(tc.op))
			if !tc.unsigned {
				req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=example")
			}

			resp, err := new(http.Client).Do(req)

			require.NoError(t, err)
			defer resp.Body.Close()
			var answer json.RawMessage
			require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
			assert.Equal(t, tc.status, resp.StatusCode)
			assert.Contains(t, string(answer), tc.want)
			assert.Equal(t, 1, s.Calls(tc.op))
		})
	}
}

func TestScript(t *testing.T) {
	s, err := Start()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	s.Put("key", "blue")
	s.SetScript(func(call int) *Refusal {
		if call == 2 {
			return &Refusal{Status: http.StatusServiceUnavailable, Kind: "InternalServiceError"}
		}
		return nil
	})
	var statuses []int
	for range 3 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL(), strings.NewReader(`{"SecretId":"key"}`))
		require.NoError(t, err)
		req.Header.Set("X-Amz-Target", string(GetSecretValue))
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=example")
		resp, err := new(http.Client).Do(req)
		require.NoError(t, err)
		statuses = append(statuses, resp.StatusCode)
		require.NoError(t, resp.Body.Close())
	}
	assert.Equal(t, []int{200, 503, 200}, statuses)
}
