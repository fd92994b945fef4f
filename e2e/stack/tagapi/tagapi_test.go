package tagapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	function = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
	group    = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/orders"
	bare     = "arn:aws:logs:eu-west-1:123456789012:log-group:bare"
)

func start(t *testing.T) *Server {
	t.Helper()
	s, err := Start()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	s.Put(function, map[string]string{"team": "blue", "env": "prod"})
	s.Put(group, map[string]string{"old": "tag"})
	s.Put(group, map[string]string{"cost": "42"})
	s.Put(bare, nil)
	return s
}

// ask makes a call, signed for service.
func ask(ctx context.Context, s *Server, op Operation, service, body string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL(), strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("X-Amz-Target", string(op))
	if service != "" {
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=example/20260201/eu-west-1/"+service+"/aws4_request, Signature=00")
	}
	resp, err := new(http.Client).Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	var answer json.RawMessage
	err = json.NewDecoder(resp.Body).Decode(&answer)
	return resp.StatusCode, string(answer), err
}

func TestCalls(t *testing.T) {
	tooMany := `{"ResourceARNList":["` + strings.Repeat(function+`","`, maxResources) + function + `"]}`
	for name, tc := range map[string]struct {
		op      Operation
		service string
		body    string
		status  int
		want    string // text the answer holds
		asked   int    // resources
	}{
		"tags of a function":          {GetResources, "tagging", `{"ResourceARNList":["` + function + `"]}`, 200, `"Tags":[{"Key":"env","Value":"prod"},{"Key":"team","Value":"blue"}]`, 1},
		"no such function":            {GetResources, "tagging", `{"ResourceARNList":["` + function + `2"]}`, 200, `"ResourceTagMappingList":[]`, 1},
		"a resource without tags":     {GetResources, "tagging", `{"ResourceARNList":["` + bare + `","` + group + `"]}`, 200, `[{"ResourceARN":"` + group + `"`, 2},
		"too many functions":          {GetResources, "tagging", tooMany, 400, "InvalidParameterException", 101},
		"no functions":                {GetResources, "tagging", `{"ResourceARNList":[]}`, 400, "InvalidParameterException", 0},
		"nothing":                     {GetResources, "tagging", `{}`, 400, "InvalidParameterException", 0},
		"a name":                      {GetResources, "tagging", `{"ResourceARNList":["orders"]}`, 400, "InvalidParameterException", 1},
		"a list and a filter":         {GetResources, "tagging", `{"ResourceARNList":["` + function + `"],"TagFilters":[]}`, 400, "InvalidParameterException", 1},
		"tags of a log group":         {ListTagsForResource, "logs", `{"resourceArn":"` + group + `"}`, 200, `{"tags":{"cost":"42"}}`, 1},
		"a log group without tags":    {ListTagsForResource, "logs", `{"resourceArn":"` + bare + `"}`, 200, `{"tags":{}}`, 1},
		"no such log group":           {ListTagsForResource, "logs", `{"resourceArn":"` + group + `2"}`, 400, "ResourceNotFoundException", 1},
		"a log group and its streams": {ListTagsForResource, "logs", `{"resourceArn":"` + group + `:*"}`, 400, "InvalidParameterException", 1},
		"a function as a log group":   {ListTagsForResource, "logs", `{"resourceArn":"` + function + `"}`, 400, "InvalidParameterException", 1},
		"signed for another service":  {ListTagsForResource, "tagging", `{"resourceArn":"` + group + `"}`, 400, "InvalidSignatureException", 1},
		"not signed":                  {GetResources, "", `{"ResourceARNList":["` + function + `"]}`, 400, "MissingAuthenticationTokenException", 1},
		"a body that is not JSON":     {GetResources, "tagging", `{`, 400, "SerializationException", 0},
		"a list of numbers":           {GetResources, "tagging", `{"ResourceARNList":7}`, 400, "SerializationException", 0},
		"another operation":           {"Logs_20140328.TagResource", "logs", `{"resourceArn":"` + group + `"}`, 400, "UnknownOperationException", 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			status, answer, err := ask(t.Context(), s, tc.op, tc.service, tc.body)
			require.NoError(t, err)
			assert.Equal(t, tc.status, status)
			assert.Contains(t, answer, tc.want)
			calls := s.Calls()
			require.Len(t, calls, 1)
			assert.Len(t, calls[0].Resources, tc.asked)
			assert.Equal(t, tc.op, calls[0].Operation)
			assert.Equal(t, tc.status, calls[0].Status)
			assert.False(t, calls[0].Ended.Before(calls[0].At))
		})
	}
}

func TestScript(t *testing.T) {
	s := start(t)
	s.SetScript(func(c Call) Step {
		return map[int]Step{1: Throttle(), 2: Fail(), 3: Deny(), 4: Slow(time.Nanosecond)}[c.Number]
	})
	var told []string
	for range 5 {
		status, answer, err := ask(t.Context(), s, ListTagsForResource, "logs", `{"resourceArn":"`+group+`"}`)
		require.NoError(t, err)
		var e struct {
			Kind string `json:"__type"`
		}
		require.NoError(t, json.Unmarshal([]byte(answer), &e))
		told = append(told, http.StatusText(status)+" "+e.Kind)
	}
	assert.Equal(t, []string{
		"Bad Request ThrottlingException", "Internal Server Error InternalServiceException", "Bad Request AccessDeniedException", "OK ", "OK ",
	}, told)
	assert.Equal(t, map[string]int{group: 5}, s.Asked())
}

// A call that hangs is in the ledger while it does, and ends with its client or when it is released.
func TestHang(t *testing.T) {
	for name, release := range map[string]bool{"released": true, "the client goes away": false} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			held := make(chan struct{}, 1)
			s.SetScript(func(Call) Step {
				held <- struct{}{}
				return Hang()
			})
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			done := make(chan int, 1)
			go func() {
				status, _, _ := ask(ctx, s, ListTagsForResource, "logs", `{"resourceArn":"`+group+`"}`)
				done <- status
			}()
			<-held
			assert.Zero(t, s.Calls()[0].Ended)
			want := 0
			if release {
				want = http.StatusOK
				s.Release()
			} else {
				leave()
			}
			assert.Equal(t, want, <-done)
			require.Eventually(t, func() bool { return !s.Calls()[0].Ended.IsZero() }, 30*time.Second, time.Millisecond)
			assert.Equal(t, want, s.Calls()[0].Status)
		})
	}
}

func TestDown(t *testing.T) {
	s := start(t)
	require.NoError(t, s.Down())
	_, _, err := ask(t.Context(), s, GetResources, "tagging", `{}`)
	require.ErrorContains(t, err, "refused")
	assert.Empty(t, s.Calls())
	require.NoError(t, s.Up())
	status, _, err := ask(t.Context(), s, GetResources, "tagging", `{"ResourceARNList":["`+function+`"]}`)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status)
}

func TestEnv(t *testing.T) {
	s := start(t)
	env := s.Env()
	assert.Equal(t, s.URL(), env["AWS_ENDPOINT_URL_RESOURCE_GROUPS_TAGGING_API"])
	assert.Equal(t, s.URL(), env["AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"])
}
