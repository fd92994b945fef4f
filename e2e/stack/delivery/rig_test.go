package delivery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"sluice/e2e/stack"
	"sluice/e2e/stack/notify"
)

var start = time.Date(2024, 6, 10, 6, 7, 8, 9_000_000, time.UTC)

func clock() time.Time { return start }

// stored is an object as the store got it.
type stored struct {
	key, encoding, contentType string
	body                       []byte
}

// memory is a store that keeps objects and fails as often as it is told.
type memory struct {
	objects []stored
	fails   int
}

func (m *memory) PutObject(
	_ context.Context, bucket, key string, body io.Reader, changes ...func(*s3.PutObjectInput),
) (notify.Object, error) {
	if m.fails > 0 {
		m.fails--
		return notify.Object{}, errors.New("slow down")
	}
	var in s3.PutObjectInput
	for _, change := range changes {
		change(&in)
	}
	all, err := io.ReadAll(body)
	m.objects = append(m.objects, stored{key, aws.ToString(in.ContentEncoding), aws.ToString(in.ContentType), all})
	return notify.Object{Bucket: bucket, Key: key, Size: int64(len(all)), Time: start}, err
}

// under are the bodies of the objects whose key starts with prefix.
func (m *memory) under(prefix string) string {
	var b strings.Builder
	for _, o := range m.objects {
		if strings.HasPrefix(o.key, prefix) {
			b.Write(o.body)
		}
	}
	return b.String()
}

// invoker plays a function.
type invoker func(payload []byte) (stack.Result, error)

func (f invoker) Invoke(_ context.Context, payload []byte, _ ...stack.Option) (stack.Result, error) {
	result, err := f(payload)
	result.Started = start
	return result, err
}

// sent is the event as a function reads it.
type sent struct {
	InvocationID string `json:"invocationId"`
	Records      []struct {
		ID   string `json:"recordId"`
		Data []byte `json:"data"`
	} `json:"records"`
}

// each answers every record with a result and its data changed.
func each(result string, change func([]byte) []byte) invoker {
	return func(payload []byte) (stack.Result, error) {
		var event sent
		if err := json.Unmarshal(payload, &event); err != nil {
			return stack.Result{}, err
		}
		type one struct {
			ID     string `json:"recordId"`
			Result string `json:"result"`
			Data   []byte `json:"data"`
		}
		answer := map[string][]one{"records": {}}
		for _, r := range event.Records {
			answer["records"] = append(answer["records"], one{r.ID, result, change(r.Data)})
		}
		response, err := json.Marshal(answer)
		return stack.Result{Response: response}, err
	}
}

func same(data []byte) []byte { return data }

// rig is a stream with a store in memory.
func rig(t *testing.T, change func(*Config)) (*Stream, *memory) {
	t.Helper()
	m := &memory{}
	cfg := Config{Name: "to-here", Seed: 1, Now: clock, Objects: Objects{Store: m, Bucket: "example-logs"}}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	require.NoError(t, err)
	return s, m
}

func put(t *testing.T, s *Stream, records ...string) []string {
	t.Helper()
	var ids []string
	for _, r := range records {
		id, err := s.Put("payload-"+r, []byte(r))
		require.NoError(t, err)
		ids = append(ids, id)
	}
	return ids
}

// envelopes reads the lines of a failed object.
func envelopes(t *testing.T, object string) []map[string]any {
	t.Helper()
	var list []map[string]any
	for line := range bytes.Lines([]byte(object)) {
		var e map[string]any
		require.NoError(t, json.Unmarshal(line, &e))
		list = append(list, e)
	}
	return list
}
