package tags

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestARN(t *testing.T) {
	china := Account{Partition: "aws-cn", Region: "cn-north-1", ID: "123456789012"}
	for name, tc := range map[string]struct {
		account    Account
		kind       Kind
		name, want string
	}{
		"log group":                  {own, LogGroup, "/aws/lambda/My_f.n#1-x", "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/My_f.n#1-x"},
		"function":                   {own, Function, "MyFunc-1_x", "arn:aws:lambda:eu-west-1:123456789012:function:MyFunc-1_x"},
		"bucket":                     {own, Bucket, "example.com-logs", "arn:aws:s3:::example.com-logs"},
		"state machine":              {own, StateMachine, "Hello(World)", "arn:aws:states:eu-west-1:123456789012:stateMachine:Hello(World)"},
		"another partition":          {china, Bucket, "example", "arn:aws-cn:s3:::example"},
		"an account of 11 digits":    {Account{"aws", "eu-west-1", "12345678901"}, Function, "f", ""},
		"an account of letters":      {Account{"aws", "eu-west-1", "12345678901x"}, Function, "f", ""},
		"no region":                  {Account{"aws", "", "123456789012"}, Bucket, "example", ""},
		"a region with a slash":      {Account{"aws", "eu/west", "123456789012"}, Function, "f", ""},
		"no partition":               {Account{"", "eu-west-1", "123456789012"}, Function, "f", ""},
		"no kind":                    {own, kinds, "f", ""},
		"no name":                    {own, LogGroup, "", ""},
		"a wildcard":                 {own, LogGroup, "*", ""},
		"a name with a colon":        {own, Function, "f:1", ""},
		"a name with a line feed":    {own, LogGroup, "a\nb", ""},
		"a name with a quote":        {own, StateMachine, `a"b`, ""},
		"a name that is no UTF-8":    {own, LogGroup, "a\xff", ""},
		"letters outside of ASCII":   {own, StateMachine, "ü", ""},
		"a bucket of two characters": {own, Bucket, "ab", ""},
		"longer than can be":         {own, Function, strings.Repeat("f", 65), ""},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tc.want, tc.account.ARN(tc.kind, tc.name)) })
	}
}

func TestOwned(t *testing.T) {
	const group, function = "arn:aws:logs:eu-west-1:123456789012:log-group:/g", "arn:aws:lambda:eu-west-1:123456789012:function:F"
	for name, tc := range map[string]struct {
		kind      Kind
		arn, want string
	}{
		"log group":                 {LogGroup, group, group},
		"log group and its streams": {LogGroup, group + ":*", group},
		"function":                  {Function, function, function},
		"version of a function":     {Function, function + ":$LATEST", function},
		"bucket":                    {Bucket, "arn:aws:s3:::example", "arn:aws:s3:::example"},
		"bucket of a region":        {Bucket, "arn:aws:s3:eu-west-1:123456789012:example", ""},
		"object":                    {Bucket, "arn:aws:s3:::example/key", ""},
		"version of a machine":      {StateMachine, own.ARN(StateMachine, "m") + ":1", own.ARN(StateMachine, "m")},
		"another kind":              {Function, group, ""},
		"another account":           {LogGroup, strings.Replace(group, "123456789012", "111122223333", 1), ""},
		"another region":            {LogGroup, strings.Replace(group, "eu-west-1", "us-east-1", 1), ""},
		"another partition":         {LogGroup, strings.Replace(group, "aws", "aws-cn", 1), ""},
		"no ARN":                    {LogGroup, "/g", ""},
		"nothing":                   {LogGroup, "", ""},
		"stream of a log group":     {LogGroup, group + ":log-stream:s", ""},
	} {
		t.Run(name, func(t *testing.T) {
			arn, ok := own.owned(tc.kind, tc.arn)
			assert.Equal(t, tc.want, arn)
			assert.Equal(t, tc.want != "", ok)
		})
	}
	_, ok := Account{}.owned(LogGroup, "arn::logs:::log-group:g")
	assert.False(t, ok, "an account that is not known")
}

func TestAccountOf(t *testing.T) {
	a, err := AccountOf("arn:aws:lambda:eu-west-1:123456789012:function:name:alias")
	require.NoError(t, err)
	assert.Equal(t, own, a)
	for _, arn := range []string{"", "name", "arn:aws:s3:::example", "urn:aws:lambda:eu-west-1:123456789012:function:f", "arn:aws:lambda:EU:123456789012:f"} {
		a, err := AccountOf(arn)
		require.Error(t, err, arn)
		assert.Zero(t, a)
	}
	_, err = AccountOf(strings.Repeat("x", 1<<20))
	assert.Less(t, len(err.Error()), 300)
}

func TestStateMachineOf(t *testing.T) {
	const machine = "arn:aws:states:us-east-1:123456789012:stateMachine:HelloWorld"
	for arn, want := range map[string]string{
		"arn:aws:states:us-east-1:123456789012:execution:HelloWorld:e":      machine,
		"arn:aws:states:us-east-1:123456789012:express:HelloWorld:e:5c":     machine,
		"arn:aws:states:us-east-1:123456789012:stateMachine:HelloWorld":     "",
		"arn:aws:states:us-east-1:123456789012:execution:HelloWorld":        "",
		"arn:aws:lambda:us-east-1:123456789012:execution:HelloWorld:e":      "",
		"arn:aws:states:us-east-1:123456789012:execution:Hello World:e":     "",
		"arn:aws:x:us-east-1:123456789012::states:us-east-1:123456789012:e": "",
		"": "",
	} {
		assert.Equal(t, want, StateMachineOf(arn), arn)
	}
}

func FuzzOwned(f *testing.F) {
	f.Add(uint8(0), "arn:aws:logs:eu-west-1:123456789012:log-group:/g:*")
	f.Add(uint8(1), "arn:aws:lambda:eu-west-1:123456789012:function:f:1")
	f.Add(uint8(2), "arn:aws:s3:::example")
	f.Add(uint8(3), "arn:aws:states:eu-west-1:123456789012:stateMachine:m")
	f.Fuzz(func(t *testing.T, kind uint8, arn string) {
		k := Kind(kind % uint8(kinds))
		spelled, ok := own.owned(k, arn)
		if !ok {
			assert.Empty(t, spelled)
			return
		}
		assert.True(t, strings.HasPrefix(arn, spelled), "what is asked for is what was named")
		assert.Less(t, len(spelled), 700)
		assert.Equal(t, -1, strings.IndexFunc(spelled, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' || r == '*' }))
		again, ok := own.owned(k, spelled)
		assert.True(t, ok)
		assert.Equal(t, spelled, again)
		StateMachineOf(arn)
	})
}
