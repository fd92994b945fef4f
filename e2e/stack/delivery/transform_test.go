package delivery

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/stack"
	"sluice/e2e/stack/envelope"
	"sluice/e2e/stack/owner"
)

func TestEvent(t *testing.T) {
	const source = "arn:aws:kinesis:eu-west-1:123456789012:stream/in"
	id := fmt.Sprintf("4965%046d000000", 1)
	head := `{"invocationId":"ID","deliveryStreamArn":"arn:aws:firehose:eu-west-1:123456789012:deliverystream/to-here",`
	record := KinesisRecord{Record: envelope.Record{
		Shard: "shardId-000000000000", Sequence: "4964", PartitionKey: "k", Data: []byte("<a&b>"), Arrived: start.Add(-time.Second),
	}, Subsequence: 3}
	for name, tc := range map[string]struct {
		source string
		asText bool
		want   string
	}{
		"Direct PUT": {want: head + `"region":"eu-west-1","records":[` +
			`{"recordId":"` + id + `","approximateArrivalTimestamp":1717999628009,"data":"PGEmYj4="}]}`},
		"Kinesis": {source: source, want: head + `"sourceKinesisStreamArn":"` + source + `","region":"eu-west-1","records":[` +
			`{"recordId":"` + id + `","approximateArrivalTimestamp":1717999628009,"data":"PGEmYj4=","kinesisRecordMetadata":` +
			`{"shardId":"shardId-000000000000","partitionKey":"k","approximateArrivalTimestamp":1717999627009,` +
			`"sequenceNumber":"4964","subsequenceNumber":3}}]}`},
		"Kinesis with texts": {source: source, asText: true, want: head + `"sourceKinesisStreamArn":"` + source +
			`","region":"eu-west-1","records":[{"recordId":"` + id + `","approximateArrivalTimestamp":1717999628009,"data":"PGEmYj4=",` +
			`"kinesisRecordMetadata":{"shardId":"shardId-000000000000","partitionKey":"k",` +
			`"approximateArrivalTimestamp":"2024-06-10T06:07:07.009Z","sequenceNumber":"4964","subsequenceNumber":""}}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			s, m := rig(t, func(c *Config) {
				c.Source, c.AsText = tc.source, tc.asText
				c.Transform = &Transform{Function: invoker(func(payload []byte) (stack.Result, error) {
					got = string(payload)
					return each("Ok", same)(payload)
				})}
			})
			if tc.source == "" {
				put(t, s, "<a&b>")
			} else {
				require.NoError(t, s.Read(record))
			}
			require.NoError(t, s.Flush(t.Context()))

			invocations := s.Invocations()
			require.Len(t, invocations, 1)
			assert.Equal(t, strings.Replace(tc.want, `"ID"`, `"`+invocations[0].ID+`"`, 1), got)
			assert.Equal(t, "<a&b>", m.under("2024/06/10/06/"))
		})
	}
}

func TestAnEmptyRecordIsNoNull(t *testing.T) {
	s, _ := rig(t, func(c *Config) {
		c.Transform = &Transform{Function: invoker(func(payload []byte) (stack.Result, error) {
			assert.Contains(t, string(payload), `"data":""`)
			return each("Dropped", same)(payload)
		})}
	})
	_, err := s.Put("", nil)
	require.NoError(t, err)
	require.NoError(t, s.Flush(t.Context()))
}

func TestInvocationsAreRetried(t *testing.T) {
	failing := stack.Result{Error: &stack.FunctionError{Type: "errorString", Message: "no"}}
	for name, tc := range map[string]struct {
		result  stack.Result
		code    string
		outcome owner.Outcome
	}{
		"an error":                  {failing, "Lambda.FunctionError", owner.Failed},
		"a timeout":                 {stack.Result{TimedOut: true, Error: failing.Error}, "Lambda.FunctionError", owner.Ended},
		"an exit":                   {stack.Result{Exited: true}, "Lambda.FunctionError", owner.Ended},
		"an answer after 5 minutes": {stack.Result{Response: []byte(`{}`), Duration: 5*time.Minute + 1}, "Lambda.FunctionError", owner.Failed},
		"an answer over 6 MB":       {stack.Result{Response: make([]byte, stack.MaxSyncBytes+1)}, "Lambda.FunctionError", owner.Failed},
		"a throttle":                {stack.Result{Error: &stack.FunctionError{Type: "TooManyRequestsException"}}, "Lambda.InvokeLimitExceeded", owner.Failed},
		"no JSON":                   {stack.Result{Response: []byte(`{`)}, "Lambda.JsonProcessingException", owner.Failed},
		"no list":                   {stack.Result{Response: []byte(`{"records":7}`)}, "Lambda.JsonProcessingException", owner.Failed},
		"an id that is a number":    {stack.Result{Response: []byte(`{"records":[{"recordId":7}]}`)}, "Lambda.JsonProcessingException", owner.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			var events []sent
			s, m := rig(t, func(c *Config) {
				c.Transform = &Transform{Function: invoker(func(payload []byte) (stack.Result, error) {
					var e sent
					require.NoError(t, json.Unmarshal(payload, &e))
					events = append(events, e)
					return tc.result, nil
				})}
			})
			put(t, s, "a", "b")
			require.NoError(t, s.Flush(t.Context()))

			require.Len(t, events, 4)
			for i, inv := range s.Invocations() {
				assert.Equal(t, i+1, inv.Attempt)
				assert.Equal(t, tc.outcome, inv.Outcome)
				assert.Equal(t, tc.code, inv.Code)
				assert.Equal(t, []string{"payload-a", "payload-b"}, inv.Payloads)
				assert.Equal(t, events[0].Records, events[i].Records)
				if i > 0 {
					assert.NotEqual(t, events[i-1].InvocationID, events[i].InvocationID)
				}
			}
			failed := envelopes(t, m.under("processing-failed/2024/06/10/06/"))
			require.Len(t, failed, 2)
			assert.InDelta(t, 4, failed[1]["attemptsMade"], 0)
			assert.Equal(t, tc.code, failed[1]["errorCode"])
			assert.Equal(t, "Yg==", failed[1]["rawData"])
			assert.Equal(t, "arn:aws:lambda:eu-west-1:123456789012:function:transform:$LATEST", failed[1]["lambdaARN"])
			assert.Zero(t, s.Pending())
			assert.Len(t, s.History(), 4)
		})
	}
}

func TestARetryMayWork(t *testing.T) {
	n := 0
	s, m := rig(t, func(c *Config) {
		c.Transform = &Transform{Function: invoker(func(payload []byte) (stack.Result, error) {
			if n++; n < 4 {
				return stack.Result{TimedOut: true}, nil
			}
			return each("Ok", func(b []byte) []byte { return append(b, '!') })(payload)
		})}
	})
	put(t, s, "a")
	require.NoError(t, s.Flush(t.Context()))
	assert.Equal(t, "a!", m.under(""))
	assert.Equal(t, 4, n)
}

func TestJudgement(t *testing.T) {
	// In the answers, A, B and C stand for the ids.
	for name, tc := range map[string]struct {
		answer string
		good   string
		failed map[string]string // code by data
	}{
		"all are Ok in any order": {
			answer: `[{"recordId":"B","result":"Ok","data":"Mg=="},{"recordId":"C","result":"Ok","data":"Mw=="},{"recordId":"A","result":"Ok","data":"MQ=="}]`,
			good:   "123",
		},
		"a dropped one needs no data": {
			answer: `[{"recordId":"A","result":"Dropped"},{"recordId":"B","result":"Dropped","data":null},{"recordId":"C","result":"Ok","data":""}]`,
		},
		"a failed one comes back as it was": {
			answer: `[{"recordId":"A","result":"ProcessingFailed","data":"MQ=="},{"recordId":"B","result":"Ok","data":"Mg=="},{"recordId":"C","result":"Dropped"}]`,
			good:   "2", failed: map[string]string{"a": "Lambda.ProcessingFailedStatus"},
		},
		"a missing one fails alone": {
			answer: `[{"recordId":"A","result":"Ok","data":"MQ=="},{"recordId":"C","result":"Ok","data":"Mw=="}]`,
			good:   "13", failed: map[string]string{"b": "Lambda.MissingRecordId"},
		},
		"an invented id is a missing one": {
			answer: `[{"recordId":"A","result":"Ok","data":"MQ=="},{"recordId":"x","result":"Ok","data":"Mg=="},{"recordId":"C","result":"Ok","data":"Mw=="}]`,
			good:   "13", failed: map[string]string{"b": "Lambda.MissingRecordId"},
		},
		"a repeated one fails alone": {
			answer: `[{"recordId":"A","result":"Ok","data":"MQ=="},{"recordId":"B","result":"Ok","data":"Mg=="},{"recordId":"A","result":"Dropped"},{"recordId":"C","result":"Dropped"}]`,
			good:   "2", failed: map[string]string{"a": "Lambda.DuplicatedRecordId"},
		},
		"an unknown result fails the batch": {
			answer: `[{"recordId":"A","result":"ok","data":"MQ=="},{"recordId":"B","result":"Ok","data":"Mg=="},{"recordId":"C","result":"Ok","data":"Mw=="}]`,
			failed: map[string]string{"a": "Lambda.FunctionError", "b": "Lambda.FunctionError", "c": "Lambda.FunctionError"},
		},
		"bad base64 fails alone": {
			answer: `[{"recordId":"A","result":"Ok","data":"MQ"},{"recordId":"B","result":"Ok","data":"_-=="},{"recordId":"C","result":"Ok","data":"Mw=="}]`,
			good:   "3", failed: map[string]string{"a": "Lambda.FunctionError", "b": "Lambda.FunctionError"},
		},
		"Ok without data fails": {
			answer: `[{"recordId":"A","result":"Ok"},{"recordId":"B","result":"Ok","data":null},{"recordId":"C","result":"Dropped"}]`,
			failed: map[string]string{"a": "Lambda.FunctionError", "b": "Lambda.FunctionError"},
		},
		"names in another case are other names": {
			answer: `[{"RecordId":"A","result":"Dropped"},{"recordId":"B","result":"Dropped"},{"recordId":"C","result":"Dropped"}]`,
			failed: map[string]string{"a": "Lambda.MissingRecordId"},
		},
		"an empty list lacks all": {
			answer: `[]`,
			failed: map[string]string{"a": "Lambda.MissingRecordId", "b": "Lambda.MissingRecordId", "c": "Lambda.MissingRecordId"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var ids []string
			s, m := rig(t, func(c *Config) {
				c.Transform = &Transform{Function: invoker(func([]byte) (stack.Result, error) {
					answer := strings.NewReplacer(`"A"`, `"`+ids[0]+`"`, `"B"`, `"`+ids[1]+`"`, `"C"`, `"`+ids[2]+`"`).Replace(tc.answer)
					return stack.Result{Response: []byte(`{"records":` + answer + `}`)}, nil
				})}
			})
			ids = put(t, s, "a", "b", "c")
			require.NoError(t, s.Flush(t.Context()))

			assert.Equal(t, tc.good, m.under("2024/"))
			failed := map[string]string{}
			for _, e := range envelopes(t, m.under("processing-failed/")) {
				assert.InDelta(t, 1, e["attemptsMade"], 0, "an answer that parses is final")
				var data []byte
				require.NoError(t, json.Unmarshal([]byte(`"`+e["rawData"].(string)+`"`), &data))
				failed[string(data)] = e["errorCode"].(string)
			}
			if tc.failed == nil {
				tc.failed = map[string]string{}
			}
			assert.Equal(t, tc.failed, failed)
			require.Len(t, s.Invocations(), 1)
			assert.Equal(t, len(failed) > 0, s.Invocations()[0].Outcome == owner.Partly)
		})
	}
}

func TestBuffers(t *testing.T) {
	var batches []int
	counting := invoker(func(payload []byte) (stack.Result, error) {
		var e sent
		require.NoError(t, json.Unmarshal(payload, &e))
		batches = append(batches, len(e.Records))
		assert.LessOrEqual(t, len(payload), stack.MaxSyncBytes)
		return each("Dropped", func([]byte) []byte { return nil })(payload)
	})
	for name, tc := range map[string]struct {
		transform Transform
		records   int
		size      int
		full      []int // after Deliver
		all       []int // after Flush
	}{
		"by bytes":                 {Transform{BufferBytes: 200 << 10}, 5, 100 << 10, []int{2, 2}, []int{2, 2, 1}},
		"before it would overflow": {Transform{BufferBytes: 200 << 10}, 3, 150 << 10, []int{1, 1}, []int{1, 1, 1}},
		"one record may be larger": {Transform{BufferBytes: 200 << 10}, 2, 300 << 10, []int{1, 1}, []int{1, 1}},
		"by records":               {Transform{BufferRecords: 2}, 5, 1, []int{2, 2}, []int{2, 2, 1}},
		"by what an event holds":   {Transform{BufferBytes: 3 << 20}, 40_000, 1, []int{38_337}, []int{38_337, 1_663}},
	} {
		t.Run(name, func(t *testing.T) {
			batches = nil
			s, _ := rig(t, func(c *Config) {
				c.Transform = &tc.transform
				c.Transform.Function = counting
			})
			for range tc.records {
				_, err := s.Put("", make([]byte, tc.size))
				require.NoError(t, err)
			}
			require.NoError(t, s.Deliver(t.Context()))
			assert.Equal(t, tc.full, batches)
			require.NoError(t, s.Flush(t.Context()))
			assert.Equal(t, tc.all, batches)
			assert.Zero(t, s.Pending())
		})
	}
}

func TestWhatTheFunctionPutsBackIsTransformedLater(t *testing.T) {
	var s *Stream
	var api *API
	round := 0
	s, m := rig(t, func(c *Config) {
		c.Transform = &Transform{Function: invoker(func(payload []byte) (stack.Result, error) {
			if round++; round == 1 {
				status, _ := call(t, api, "PutRecordBatch",
					`{"DeliveryStreamName":"to-here","Records":[{"Data":"YQ=="},{"Data":"bmV3"}]}`, nil)
				assert.Equal(t, 200, status)
				return each("Dropped", same)(payload)
			}
			return each("Ok", same)(payload)
		})}
	})
	api, err := StartAPI(s)
	require.NoError(t, err)
	defer func() { assert.NoError(t, api.Close()) }()
	assert.Equal(t, map[string]string{"AWS_ENDPOINT_URL_FIREHOSE": api.URL()}, api.Env())
	put(t, s, "a", "b")

	require.NoError(t, s.Flush(t.Context()))
	assert.Equal(t, 2, s.Pending())
	require.NoError(t, s.Drain(t.Context()))

	assert.Equal(t, "anew", m.under(""))
	objects := s.Objects()
	require.Len(t, objects, 1)
	assert.Equal(t, []string{"payload-a", "payload-b"}, objects[0].Payloads, "the unknown bytes carry all ids of their batch")
	assert.Equal(t, []string{"payload-a", "payload-b"}, s.History()[0].Payloads)
}

func TestDrainEndsACircle(t *testing.T) {
	var s *Stream
	s, _ = rig(t, func(c *Config) {
		c.Transform = &Transform{Function: invoker(func(payload []byte) (stack.Result, error) {
			_, err := s.Put("", []byte("again"))
			require.NoError(t, err)
			return each("Dropped", same)(payload)
		})}
	})
	put(t, s, "a")
	assert.ErrorContains(t, s.Drain(t.Context()), "circle")
}

func TestNothingIsLostWhenTheSurroundingsFail(t *testing.T) {
	fails := true
	s, m := rig(t, func(c *Config) {
		c.Transform = &Transform{Function: invoker(func(payload []byte) (stack.Result, error) {
			if fails {
				return stack.Result{}, errors.New("no function")
			}
			return each("Ok", same)(payload)
		})}
	})
	put(t, s, "a")
	require.ErrorContains(t, s.Flush(t.Context()), "no function")
	assert.Equal(t, 1, s.Pending())
	fails, m.fails = false, 2
	require.ErrorContains(t, s.Flush(t.Context()), "slow down")
	require.ErrorContains(t, s.Flush(t.Context()), "slow down")
	require.NoError(t, s.Flush(t.Context()))
	assert.Equal(t, "a", m.under(""))
	assert.Zero(t, s.Pending())
}

// Whatever a function answers, every record is delivered, failed or dropped, once.
func FuzzJudge(f *testing.F) {
	f.Add([]byte(`{"records":[{"recordId":"1","result":"Ok","data":"YQ=="},{"recordId":"2","result":"Dropped"}]}`))
	f.Add([]byte(`{"records":[{"recordId":"1","result":"ProcessingFailed"},{"recordId":"1","result":"Ok"}]}`))
	f.Add([]byte(`{"records":[{"recordId":"3","result":"Ok","data":"~","metadata":{"partitionKeys":{"a":"b"}}}]}`))
	f.Fuzz(func(t *testing.T, response []byte) {
		answer, err := readAnswer(response)
		if err != nil {
			return
		}
		s, err := New(Config{
			Name: "fuzz", Now: clock, Objects: Objects{Store: &memory{}, Bucket: "example-logs"},
			Transform: &Transform{Function: each("Ok", same)},
		})
		require.NoError(t, err)
		batch := []*record{{id: "1"}, {id: "2"}, {id: "3"}}
		good, bad := s.judge(batch, answer, 1)
		count := map[string]int{}
		for _, r := range good {
			count[r.id]++
		}
		for _, r := range bad {
			count[r.id]++
		}
		for _, a := range answer {
			if a.result == resultDropped && count[a.id] == 0 {
				count[a.id]++
			}
		}
		for _, r := range batch {
			assert.Equal(t, 1, count[r.id], "record %s", r.id)
		}
	})
}
