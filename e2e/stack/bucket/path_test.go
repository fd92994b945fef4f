package bucket

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/envelope"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/notify"
	"sluice/e2e/stack/owner"
)

const destination = "here"

// forwarder is the least that can stand for a function: it reads announced objects by the SDK and keeps their lines.
type forwarder struct {
	client  *s3.Client
	entries []intake.Entry
	ledgers []stack.Ledger
}

type announcements struct {
	Records []struct {
		ID   string `json:"messageId"`
		Body string
		S3   struct {
			Bucket struct{ Name string }
			Object struct{ Key, ETag string }
		}
	}
}

func (f *forwarder) Invoke(ctx context.Context, payload []byte, _ ...stack.Option) (stack.Result, error) {
	result := stack.Result{Started: time.Now()}
	var batch announcements
	if err := json.Unmarshal(payload, &batch); err != nil {
		return result, err
	}
	failures := []map[string]string{}
	lines := 0
	for _, m := range batch.Records {
		n, err := f.message(ctx, m.Body)
		if err != nil {
			failures = append(failures, map[string]string{"itemIdentifier": m.ID})
		}
		lines += n
	}
	f.ledgers = append(f.ledgers, stack.Ledger{
		Destinations: map[string]stack.Destination{destination: {In: lines, Delivered: lines}},
	})
	var err error
	result.Response, err = json.Marshal(map[string]any{"batchItemFailures": failures})
	return result, err
}

func (f *forwarder) message(ctx context.Context, body string) (int, error) {
	var event announcements
	if err := json.Unmarshal([]byte(body), &event); err != nil {
		return 0, err
	}
	lines := 0
	for _, r := range event.Records {
		key, err := url.QueryUnescape(r.S3.Object.Key)
		if err != nil {
			return lines, err
		}
		plain, err := read(ctx, f.client, &s3.GetObjectInput{
			Bucket: &r.S3.Bucket.Name, Key: &key, IfMatch: aws.String(`"` + r.S3.Object.ETag + `"`),
			ExpectedBucketOwner: aws.String(stack.Account),
		})
		if err != nil {
			return lines, err
		}
		for line := range strings.Lines(string(plain)) {
			f.entries = append(f.entries, intake.Entry{
				Message: strings.TrimSuffix(line, "\n"), At: time.Now(), Batch: "batch", Answered: true,
			})
			lines++
		}
	}
	return lines, nil
}

// The parts fit: an object is put, announced through a queue that fails and repeats, read through faults, and every line
// of it is found.
func TestFromObjectToAudit(t *testing.T) {
	s := start(t)
	f := &forwarder{client: client(s)}
	g := generate.New(1, time.Now())
	queue := owner.NewQueue(f, owner.QueueConfig{
		Queue:   envelope.Queue{ARN: "arn:aws:sqs:eu-west-1:123456789012:log-objects", Region: stack.Region},
		Shuffle: true, Repeat: 0.5, Seed: 3,
	})
	s.SetScript(Rules(
		Rule{Key: "a b/1+1.log", Nth: 1, Step: SlowDown()},
		Rule{Method: http.MethodGet, Key: "2.log", Nth: 1, Step: ShortAfter(1_000)},
	))
	var lines []generate.Line
	for key, style := range map[string]generate.Style{
		"a b/1+1.log": generate.ALB, "2.log": generate.JSONLines(generate.Mixed), "3.log": generate.Text("INFO ", 100),
	} {
		o := g.Object(200, style)
		lines = append(lines, o.Lines...)
		put, err := s.PutObject(t.Context(), logs, key, bytes.NewReader(o.Body))
		require.NoError(t, err)
		_, err = queue.Send(notify.Native(put), o.ID)
		require.NoError(t, err)
	}

	require.NoError(t, queue.Drain(t.Context()))

	report := audit.Join(audit.Evidence{
		Destination: destination, Lines: lines, Entries: f.entries, Ledgers: f.ledgers,
		History: queue.History, Failures: queue.Failures,
	})
	require.NoError(t, report.Verdict())
	assert.Equal(t, len(lines), report.Delivered)
	assert.Equal(t, report.TotalDuplicates(), report.Duplicates[audit.D4])
	assert.GreaterOrEqual(t, len(s.RequestsOf(logs, "a b/1+1.log")), 2)
}
