package secret

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	secretARN    = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:datadog/key-AbCdEf"
	parameterARN = "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/datadog/key"
)

func TestParseRef(t *testing.T) {
	for name, tc := range map[string]struct {
		text    string
		kind    Kind
		locator string
		region  string
		prints  string // as text when empty
	}{
		"secret by name":             {text: "secretsmanager:datadog/key", kind: SecretsManager, locator: "datadog/key"},
		"secret by name with member": {text: "secretsmanager:datadog#token", kind: SecretsManager, locator: "datadog"},
		"secret by ARN":              {text: "secretsmanager:" + secretARN, kind: SecretsManager, locator: secretARN, region: "eu-west-1"},
		"bare ARN": {
			text: secretARN + "#token", kind: SecretsManager, locator: secretARN, region: "eu-west-1",
			prints: "secretsmanager:" + secretARN + "#token",
		},
		"bare ARN of another partition": {
			text: "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:k", kind: SecretsManager,
			locator: "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:k", region: "us-gov-west-1",
			prints: "secretsmanager:arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:k",
		},
		"parameter by name":           {text: "ssm:/datadog/key", kind: ParameterStore, locator: "/datadog/key"},
		"parameter with a version":    {text: "ssm:/datadog/key:3", kind: ParameterStore, locator: "/datadog/key:3"},
		"parameter by ARN":            {text: "ssm:" + parameterARN, kind: ParameterStore, locator: parameterARN, region: "cn-north-1"},
		"ciphertext":                  {text: "kms:" + "AQICAHg=", kind: KMS, prints: "kms:[redacted]"},
		"variable":                    {text: "env:MY_KEY2", kind: Environment, locator: "MY_KEY2"},
		"text":                        {text: "plain:abc", kind: Plain, prints: "plain:[redacted]"},
		"text with colons and hashes": {text: "plain:a:b#c", kind: Plain, prints: "plain:[redacted]"},
		"white space around it":       {text: " env:K\n", kind: Environment, locator: "K", prints: "env:K"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.True(t, HasPrefix(tc.text))
			ref, err := ParseRef(tc.text)
			require.NoError(t, err)
			assert.Equal(t, tc.kind, ref.Kind())
			assert.Equal(t, tc.locator, ref.Locator())
			assert.Equal(t, tc.region, ref.Region())
			assert.False(t, ref.IsZero())
			if tc.prints == "" {
				tc.prints = tc.text
			}
			assert.Equal(t, tc.prints, ref.String())
		})
	}
	assert.True(t, Ref{}.IsZero())
	assert.Empty(t, Ref{}.String())
}

func TestParseRefRefuses(t *testing.T) {
	const key = "0123456789abcdef0123456789abcdef"
	for name, tc := range map[string]struct {
		text, want string
	}{
		"nothing":                             {text: "", want: "want secretsmanager:"},
		"a bare key":                          {text: key, want: "want secretsmanager:"},
		"an unknown kind":                     {text: "vault:" + key, want: "want secretsmanager:"},
		"a kind in capitals":                  {text: "PLAIN:" + key, want: "want secretsmanager:"},
		"another service's ARN":               {text: "arn:aws:iam::123456789012:role/" + key, want: "want secretsmanager:"},
		"secret without a name":               {text: "secretsmanager:", want: "name of a secret"},
		"secret with a space":                 {text: "secretsmanager:a " + key, want: "name of a secret"},
		"secret with an empty member":         {text: "secretsmanager:" + key + "#", want: "after #"},
		"ARN of another service after a kind": {text: "secretsmanager:" + parameterARN, want: "want an ARN such as arn:aws:secretsmanager:"},
		"ARN whose region is a host":          {text: "arn:aws:secretsmanager:eu-west-1.example.com/x-y-z:123456789012:secret:k", want: "want an ARN"},
		"ARN whose region is empty":           {text: "arn:aws:secretsmanager::123456789012:secret:k", want: "want an ARN"},
		"ARN with a short account":            {text: "arn:aws:secretsmanager:eu-west-1:12345:secret:k", want: "want an ARN"},
		"ARN with a container's member":       {text: secretARN + ":member::", want: "name of a secret"},
		"parameter ARN of another resource":   {text: "ssm:arn:aws:ssm:eu-west-1:123456789012:document/x", want: "want an ARN such as arn:aws:ssm:"},
		"parameter with a bad selector":       {text: "ssm:/a:", want: "name of a parameter"},
		"parameter with a bad name":           {text: "ssm:/a?" + key, want: "name of a parameter"},
		"ciphertext that is not base64":       {text: "kms:" + key + "!", want: "base64"},
		"no ciphertext":                       {text: "kms:", want: "base64"},
		"variable that starts with a digit":   {text: "env:" + key, want: "environment variable"},
		"no text":                             {text: "plain: ", want: "after plain:"},
	} {
		t.Run(name, func(t *testing.T) {
			ref, err := ParseRef(tc.text)
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), key)
			assert.True(t, ref.IsZero())
		})
	}
}

func TestHasPrefix(t *testing.T) {
	for text, want := range map[string]bool{
		"Bearer abc":          false,
		"":                    false,
		"environment:x":       false,
		"arn:aws:s3:::bucket": false,
		"ssm:":                true,
		" plain:x":            true,
		"arn:x:secretsmanager:broken, and claims to be one": true,
	} {
		assert.Equal(t, want, HasPrefix(text), text)
	}
}

func FuzzParseRef(f *testing.F) {
	for _, seed := range []string{"secretsmanager:a#b", secretARN, "ssm:" + parameterARN, "kms:AA==", "env:A", "plain:x", "arn:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ref, err := ParseRef(text)
		if err != nil {
			return
		}
		assert.True(t, HasPrefix(text))
		if ref.Kind() == Plain || ref.Kind() == KMS {
			assert.Equal(t, string(ref.Kind())+":"+redacted, ref.String())
			return
		}
		again, err := ParseRef(ref.String())
		require.NoError(t, err, "what is printed can be read again")
		assert.Equal(t, ref.String(), again.String())
		assert.Equal(t, ref.Region(), again.Region())
	})
}
