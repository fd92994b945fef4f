package tags

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/awsenv"
)

// TestOverHTTP speaks to a server as to AWS.
func TestOverHTTP(t *testing.T) {
	group, function := own.ARN(LogGroup, "/g"), own.ARN(Function, "F")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		answer := ""
		switch target := r.Header.Get("X-Amz-Target"); target {
		case "ResourceGroupsTaggingAPI_20170126.GetResources":
			assert.JSONEq(t, `{"ResourceARNList":["`+function+`"]}`, string(body))
			assert.Contains(t, r.Header.Get("Authorization"), "/eu-west-1/tagging/aws4_request")
			answer = `{"PaginationToken":"","ResourceTagMappingList":[{"ResourceARN":"` + function +
				`","Tags":[{"Key":"stage","Value":"dev"},{"Key":"bare"}],"ComplianceDetails":null}]}`
		case "Logs_20140328.ListTagsForResource":
			assert.JSONEq(t, `{"resourceArn":"`+group+`"}`, string(body))
			assert.Contains(t, r.Header.Get("Authorization"), "/eu-west-1/logs/aws4_request")
			answer = `{"tags":{"stage":"dev","bare":""}}`
		default:
			assert.Fail(t, target)
		}
		_, err = io.WriteString(w, answer)
		assert.NoError(t, err)
	}))
	defer server.Close()
	vars := map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example",
		"AWS_ENDPOINT_URL_RESOURCE_GROUPS_TAGGING_API": server.URL, "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": server.URL,
	}
	env := awsenv.New(func(name string) string { return vars[name] })
	for kind, arn := range map[Kind]string{LogGroup: group, Function: function} {
		a, err := apiOf(kind).ask(t.Context(), env, own.Region, []string{arn})
		require.NoError(t, err)
		assert.True(t, a.whole)
		assert.Equal(t, "bare,stage:dev", textOf(a.tags[arn]))
	}
}

// respond looks two functions up, whose call has an answer, and says what became of them.
func respond(t *testing.T, answer string) (c *Cache, aws *fakeAWS, arns []string) {
	t.Helper()
	arns, aws = fleet(Function, 2)
	aws.answer = func(string, []string) (string, bool) { return answer, true }
	c = newCache(Options{AWS: aws, Wait: -1})
	c.Begin(t.Context(), own)
	for _, arn := range arns {
		look(t, c, Function, arn)
	}
	settle(time.Minute)
	return c, aws, arns
}

func TestAnswers(t *testing.T) {
	first, second := own.ARN(Function, "example-0"), own.ARN(Function, "example-1")
	named := func(arn, tags string) string { return `{"ResourceARN":"` + arn + `","Tags":` + tags + `}` }
	list := func(mappings ...string) string {
		return `{"ResourceTagMappingList":[` + strings.Join(mappings, ",") + `]}`
	}
	var huge []string
	for i := range 10_000 {
		huge = append(huge, named(own.ARN(Function, fmt.Sprintf("other-%d", i)), `[{"Key":"k","Value":"v"}]`))
	}
	var many []string
	for i := range 300 {
		many = append(many, fmt.Sprintf(`{"Key":"key%03d","Value":%q}`, i, strings.Repeat("v", 10_000)))
	}
	for name, tc := range map[string]struct {
		answer string
		want   string // tags of the first; those of the second are none
		check  func(*testing.T, string)
	}{
		"nothing":                             {answer: `{}`},
		"null":                                {answer: `{"ResourceTagMappingList":null,"PaginationToken":null}`},
		"no tags":                             {answer: list(named(first, `null`), named(second, `[]`))},
		"a token, and all that was asked for": {answer: `{"PaginationToken":"t",` + list(named(first, `null`), named(second, `[]`))[1:]},
		"the same resource twice":             {answer: list(named(first, `[{"Key":"a","Value":"1"}]`), named(first, `[{"Key":"b"},{"Key":"A","Value":"1"}]`)), want: "a:1,b"},
		"the same key twice":                  {answer: list(named(first, `[{"Key":"a","Value":"2"},{"Key":"a","Value":"1"}]`)), want: "a:1,a:2"},
		"resources nobody asked for":          {answer: list(append(huge, named(first, `[{"Key":"a"}]`))...), want: "a"},
		"another spelling":                    {answer: list(named(strings.ToUpper(first), `[{"Key":"a"}]`))},
		"no name":                             {answer: list(`{"Tags":[{"Key":"a"}]}`)},
		"tags that try to be others":          {answer: list(named(first, `[{"Key":"a,env:prod","Value":"x,y\n\u0000,\"z"}]`)), want: "a_env_prod:x_y_z"},
		"keys of which nothing is left":       {answer: list(named(first, `[{"Key":"***","Value":"x"},{"Value":"y"},{}]`))},
		"more tags than can be": {answer: list(named(first, "["+strings.Join(many, ",")+"]")), check: func(t *testing.T, text string) {
			t.Helper()
			tags := strings.Split(text, ",")
			assert.Len(t, tags, 50)
			for _, tag := range tags {
				assert.Len(t, tag, 200)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _, arns := respond(t, tc.answer)
				defer c.End()
				tags, s := look(t, c, Function, arns[0])
				assert.Equal(t, Fresh, s)
				if tc.check != nil {
					tc.check(t, tags)
				} else {
					assert.Equal(t, tc.want, tags)
				}
				tags, s = look(t, c, Function, arns[1])
				assert.Equal(t, Fresh, s, "that it has none is known")
				assert.Empty(t, tags)
			})
		})
	}
}

// TestAnswersThatAreNone: they are failures, and few.
func TestAnswersThatAreNone(t *testing.T) {
	for name, answer := range map[string]string{
		"no JSON":              `<html>`,
		"another type":         `{"ResourceTagMappingList":"x"}`,
		"a token and nothing":  `{"PaginationToken":"t"}`,
		"a token, and another": `{"PaginationToken":"t","ResourceTagMappingList":[{"ResourceARN":"arn:aws:s3:::other","Tags":[]}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, aws, arns := respond(t, answer)
				defer c.End()
				_, s := look(t, c, Function, arns[0])
				assert.Equal(t, Failed, s)
				assert.Less(t, len(aws.made()), 10, "in a minute")
				require.Error(t, c.Trouble())
			})
		})
	}
}

// TestPages: what an answer with a token leaves out is asked for by name, and the token is not.
func TestPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(Function, 95)
		aws.tags[arns[3]] = nil
		const page = 10
		aws.answer = func(_ string, asked []string) (string, bool) {
			if len(asked) <= page {
				return "", false
			}
			var whole map[string]any
			if json.Unmarshal(aws.truth("GetResources", asked[:page]), &whole) != nil {
				return "", false
			}
			whole["PaginationToken"] = "the same one for ever"
			text, err := json.Marshal(whole)
			return string(text), err == nil
		}
		c := newCache(Options{AWS: aws, Wait: -1})
		c.Begin(t.Context(), own)
		for _, arn := range arns {
			look(t, c, Function, arn)
		}
		settle(time.Minute)
		for i, arn := range arns {
			tags, s := look(t, c, Function, arn)
			assert.Equal(t, Fresh, s)
			assert.Equal(t, i != 3, tags != "")
		}
		c.End()
		assert.Less(t, len(aws.made()), 15)
		require.NoError(t, c.Trouble())
	})
}

// TestOneThatSpoilsTheCall: the others are known all the same.
func TestOneThatSpoilsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(StateMachine, 100)
		bad := []string{arns[17], arns[63], arns[64]}
		aws.refuse = func(_ string, asked []string) error {
			for _, arn := range bad {
				if slices.Contains(asked, arn) {
					return invalid
				}
			}
			return nil
		}
		c := newCache(Options{AWS: aws, Wait: -1})
		c.Begin(t.Context(), own)
		for _, arn := range arns {
			look(t, c, StateMachine, arn)
		}
		settle(20 * time.Second)
		for i, arn := range arns {
			tags, s := look(t, c, StateMachine, arn)
			assert.Equal(t, Fresh, s, i)
			assert.Equal(t, slices.Contains(bad, arn), tags == "", i)
		}
		c.End()
		assert.Less(t, len(aws.made()), 60)
		require.NoError(t, c.Trouble())
	})
}

// TestAnswersThatAreTooLarge: fewer are asked for at a time.
func TestAnswersThatAreTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(Bucket, 200)
		aws.refuse = func(_ string, asked []string) error {
			if len(asked) > 30 {
				return errors.New("aws answered 1048576 bytes that are not the JSON of this operation")
			}
			return nil
		}
		c := newCache(Options{AWS: aws})
		known(t, c, Bucket, arns)
		assert.Less(t, len(aws.made()), 25)
	})
}

func TestLogGroups(t *testing.T) {
	for name, tc := range map[string]struct {
		answer string
		err    error
		want   string
		status Status
	}{
		"tags":                 {answer: `{"tags":{"B":"2","a":"1"}}`, want: "a:1,b:2", status: Fresh},
		"null":                 {answer: `{"tags":null}`, status: Fresh},
		"a value that is null": {answer: `{"tags":{"a":null}}`, want: "a", status: Fresh},
		"keys that are the same when they are clean": {answer: `{"tags":{"a b":"1","a+b":"1","a_b":"2"}}`, want: "a_b:1,a_b:2", status: Fresh},
		"it is gone":      {err: &awsenv.APIError{Status: 400, Code: "ResourceNotFoundException"}, status: Fresh},
		"it is no name":   {err: invalid, status: Fresh},
		"a list of tags":  {answer: `{"tags":[]}`, status: Failed},
		"AWS is not well": {err: broken, status: Failed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				aws := &fakeAWS{latency: time.Millisecond, refuse: always(tc.err)}
				aws.answer = func(string, []string) (string, bool) { return tc.answer, true }
				c := newCache(Options{AWS: aws})
				c.Begin(t.Context(), own)
				tags, s, _ := hear(t, c, LogGroup, own.ARN(LogGroup, "/g"))
				assert.Equal(t, tc.want, tags)
				assert.Equal(t, tc.status, s)
				c.End()
			})
		})
	}
}

// TestCallsAreFew: 10 at once and 5 a second, one at a time, whatever comes.
func TestCallsAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(LogGroup, 5000)
		aws.latency = time.Millisecond
		c := newCache(Options{AWS: aws, Wait: -1, TTL: 24 * time.Hour})
		start := time.Now()
		for n := range 100 {
			c.Begin(t.Context(), own)
			for i := range 40 {
				look(t, c, LogGroup, arns[(n*25+i)%len(arns)])
			}
			settle(time.Second)
			c.End()
			settle(time.Second)
		}
		calls := aws.made()
		for i, call := range calls {
			assert.LessOrEqual(t, i+1, 10+int(5*call.at.Sub(start).Seconds())+1)
		}
		assert.Greater(t, len(calls), 480, "as many as may be")
		assert.Equal(t, 1, aws.most)
	})
}

// TestHuge: 10,000 functions take 100 calls or so, and not more memory than there is.
func TestHuge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(Function, 10_000)
		store := &shelf{}
		c := newCache(Options{AWS: aws, Store: store, Wait: -1, TTL: 24 * time.Hour})
		asked := map[string]int{}
		for n := 0; n < len(arns); n += 500 {
			c.Begin(t.Context(), own)
			for _, arn := range arns[n : n+500] {
				look(t, c, Function, arn)
			}
			settle(5 * time.Second)
			c.End()
		}
		for _, call := range aws.made() {
			for _, arn := range call.arns {
				asked[arn]++
			}
		}
		assert.Len(t, asked, len(arns))
		assert.Less(t, len(aws.made()), 130)
		c.mu.Lock()
		assert.LessOrEqual(t, c.keepers[Function].known.bytes, maxMemoryBytes)
		c.mu.Unlock()
		_, s := look(t, c, Function, arns[len(arns)-1])
		assert.Equal(t, Fresh, s)
		for _, body := range store.bodies {
			assert.LessOrEqual(t, len(body), MaxDocumentBytes)
		}
	})
}
