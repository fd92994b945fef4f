package event_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/event"
)

func TestTransformAnswer(t *testing.T) {
	for name, tc := range map[string]struct {
		write func(a *event.TransformAnswer)
		want  string
	}{
		"no records": {func(*event.TransformAnswer) {}, `{"records":[]}`},
		"Ok with data": {func(a *event.TransformAnswer) {
			a.Ok("49650000000011", []byte("{\"message\":\"GET /cart\"}\n"), nil)
		}, `{"records":[{"recordId":"49650000000011","result":"Ok","data":"eyJtZXNzYWdlIjoiR0VUIC9jYXJ0In0K"}]}`},
		"Ok without data": {func(a *event.TransformAnswer) {
			a.Ok("1", nil, nil)
		}, `{"records":[{"recordId":"1","result":"Ok","data":""}]}`},
		"Ok with partition keys, sorted": {func(a *event.TransformAnswer) {
			a.Ok("1", []byte("a"), []event.PartitionKey{{Name: "year", Value: "2024"}, {Name: "source", Value: "vpc"}})
		}, `{"records":[{"recordId":"1","result":"Ok","data":"YQ==","metadata":{"partitionKeys":{"source":"vpc","year":"2024"}}}]}`},
		"the last partition key of a name counts": {func(a *event.TransformAnswer) {
			a.Ok("1", nil, []event.PartitionKey{{Name: "k", Value: "1"}, {Name: "a", Value: ""}, {Name: "k", Value: "2"}})
		}, `{"records":[{"recordId":"1","result":"Ok","data":"","metadata":{"partitionKeys":{"a":"","k":"2"}}}]}`},
		"dropped and failed carry no data": {func(a *event.TransformAnswer) {
			a.Dropped("1")
			a.ProcessingFailed("2")
		}, `{"records":[{"recordId":"1","result":"Dropped"},{"recordId":"2","result":"ProcessingFailed"}]}`},
		"what JSON needs escaped": {func(a *event.TransformAnswer) {
			a.Ok("a\"\\\né\xff", nil, []event.PartitionKey{{Name: "\"", Value: "\x00"}})
			a.Dropped("b\"")
		}, `{"records":[{"recordId":"a\"\\\u000aé` + "\uFFFD" + `","result":"Ok","data":"","metadata":{"partitionKeys":{"\"":"\u0000"}}},` +
			`{"recordId":"b\"","result":"Dropped"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			a := event.NewTransformAnswer([]byte("kept:"))
			tc.write(a)
			assert.Equal(t, "kept:"+tc.want, string(a.Bytes()))
			assert.Equal(t, len(tc.want), a.Size())
		})
	}
}

func TestTransformAnswerGoesOnAfterBytes(t *testing.T) {
	a := event.NewTransformAnswer(make([]byte, 0, 1000))
	a.Dropped("1")
	assert.JSONEq(t, `{"records":[{"recordId":"1","result":"Dropped"}]}`, string(a.Bytes()))
	a.Dropped("2")
	assert.JSONEq(t, `{"records":[{"recordId":"1","result":"Dropped"},{"recordId":"2","result":"Dropped"}]}`, string(a.Bytes()))
}

func TestTransformAnswerDoesNotSortTheCallersKeys(t *testing.T) {
	keys := []event.PartitionKey{{Name: "b"}, {Name: "a"}, {Name: "b"}}
	event.NewTransformAnswer(nil).Ok("1", nil, keys)
	assert.Equal(t, []event.PartitionKey{{Name: "b"}, {Name: "a"}, {Name: "b"}}, keys)
}

func TestTransformAnswerAllocatesNothing(t *testing.T) {
	const id = "49650000000000000000000000000000000000000000000000000011000000"
	keys := []event.PartitionKey{{Name: "year", Value: "2024"}, {Name: "source", Value: "vpc"}}
	data := bytes.Repeat([]byte("line\n"), 100)
	a := event.NewTransformAnswer(make([]byte, 0, 1<<20))
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if a.SizeOfOk(id, len(data), keys) > 0 {
			a.Ok(id, data, keys)
		}
		a.Dropped(id)
		a.ProcessingFailed(id)
		_ = a.Bytes()
	}))
}

// answered is the document as Firehose reads it.
type answered struct {
	Records []struct {
		RecordID string  `json:"recordId"`
		Result   string  `json:"result"`
		Data     *[]byte `json:"data"`
		Metadata *struct {
			PartitionKeys map[string]string `json:"partitionKeys"`
		} `json:"metadata"`
	} `json:"records"`
}

// FuzzTransformAnswer writes any batch: the document is valid JSON and as large as announced, names each id once and in
// order, and its Ok data are what was given.
func FuzzTransformAnswer(f *testing.F) {
	f.Add(uint64(1), "49650000000011", []byte("line\n"), "source", "vpc")
	f.Add(uint64(2), "\x00\xff\"", []byte{}, "\"", "\u2028<")
	f.Add(uint64(3), "", []byte("\xff\xfe"), "", "\\")
	f.Fuzz(func(t *testing.T, seed uint64, id string, data []byte, key, value string) {
		checkAnswer(t, rand.New(rand.NewPCG(seed, seed)), id, data, event.PartitionKey{Name: key, Value: value})
	})
}

func checkAnswer(t *testing.T, rng *rand.Rand, id string, data []byte, key event.PartitionKey) {
	t.Helper()
	type given struct {
		id, result string
		data       []byte
		keys       map[string]string
	}
	var batch []given
	a := event.NewTransformAnswer(nil)
	for i := range rng.IntN(20) {
		one := given{id: fmt.Sprint(id, i)}
		before, promised := a.Size(), 0
		switch rng.IntN(3) {
		case 0:
			one.result, one.data = "Ok", data[:rng.IntN(len(data)+1)]
			var keys []event.PartitionKey
			for n := range rng.IntN(4) {
				pair := event.PartitionKey{Name: key.Name + strings.Repeat("x", rng.IntN(3)), Value: fmt.Sprint(key.Value, n)}
				keys = append(keys, pair)
				if one.keys == nil {
					one.keys = map[string]string{}
				}
				one.keys[repaired(pair.Name)] = repaired(pair.Value)
			}
			promised = a.SizeOfOk(one.id, len(one.data), keys)
			a.Ok(one.id, one.data, keys)
		case 1:
			one.result = "Dropped"
			a.Dropped(one.id)
			require.Less(t, a.Size()-before, a.SizeOfProcessingFailed(one.id))
		default:
			one.result = "ProcessingFailed"
			promised = a.SizeOfProcessingFailed(one.id)
			a.ProcessingFailed(one.id)
		}
		if i == 0 {
			promised-- // there is no comma before the first
		}
		if one.result != "Dropped" {
			require.Equal(t, promised, a.Size()-before)
		}
		batch = append(batch, one)
	}

	doc := a.Bytes()
	require.True(t, json.Valid(doc))
	require.Len(t, doc, a.Size())
	var got answered
	require.NoError(t, json.Unmarshal(doc, &got))
	require.Len(t, got.Records, len(batch))
	for i, want := range batch {
		r := got.Records[i]
		require.Equal(t, repaired(want.id), r.RecordID)
		require.Equal(t, want.result, r.Result)
		require.Equal(t, want.result == "Ok", r.Data != nil)
		if r.Data != nil {
			require.Equal(t, string(want.data), string(*r.Data))
		}
		require.Equal(t, want.keys != nil, r.Metadata != nil)
		if r.Metadata != nil {
			require.Equal(t, want.keys, r.Metadata.PartitionKeys)
		}
	}
}

// repaired is text with U+FFFD for each byte that is no UTF-8.
func repaired(text string) string { return string([]rune(text)) }

func TestTransformAnswerOfAnyBatch(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for range 10_000 {
		id := make([]byte, rng.IntN(12))
		data := make([]byte, rng.IntN(50))
		for i := range id {
			id[i] = byte(rng.Uint32())
		}
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		checkAnswer(t, rng, string(id), data, event.PartitionKey{Name: string(id), Value: string(data)})
	}
}

func BenchmarkTransformAnswer(b *testing.B) {
	const id = "49650000000000000000000000000000000000000000000000000011000000"
	for _, size := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("Ok of %d bytes", size), func(b *testing.B) {
			data := bytes.Repeat([]byte("x"), size)
			buf := make([]byte, 0, 5_500_000)
			records := 4_000_000 / (size + 100)
			b.SetBytes(int64(records * size))
			b.ReportAllocs()
			for b.Loop() {
				a := event.NewTransformAnswer(buf)
				for range records {
					a.Ok(id, data, nil)
				}
			}
		})
	}
}

func TestUndropAnswersOneRecordAnew(t *testing.T) {
	a := event.NewTransformAnswer([]byte("before"))
	a.Dropped("a")
	first := a.Size()
	a.Ok("b", []byte("x"), nil)
	a.Dropped("c")
	last := a.Size()
	a.Dropped("d")
	a.Undrop(last) // from the end, as the sizes before stay right
	a.Undrop(first)
	assert.JSONEq(t, `{"records":[{"recordId":"a","result":"ProcessingFailed"},{"recordId":"b","result":"Ok","data":"eA=="},
		{"recordId":"c","result":"ProcessingFailed"},{"recordId":"d","result":"Dropped"}]}`, string(a.Bytes()[len("before"):]))
	assert.Equal(t, a.Size(), len(a.Bytes())-len("before"))
}
