package forward

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"
)

// BenchmarkFirehose measures the way from the event of a transformation to its answer, with items for Datadog (pipeline),
// next to what cannot be avoided (limit). MB/s count the plain bytes of the records.
func BenchmarkFirehose(b *testing.B) {
	for _, s := range []*streamCorpus{payloadStream(), lineStream("vpc", 5_000, 1), lineStream("vpc-packed", 50, 100)} {
		b.Run(s.name+"/pipeline", func(b *testing.B) { benchmarkTransformation(b, s) })
		b.Run(s.name+"/limit", func(b *testing.B) { benchmarkTransformationLimit(b, s) })
	}
}

// streamCorpus is a batch of a delivery stream made for measuring: the same bytes in every run.
type streamCorpus struct {
	corpus // plain: all records behind one another
	data   [][]byte
	event  []byte
}

// payloadStream are records of CloudWatch Logs, as a log group that is busy makes them.
func payloadStream() *streamCorpus {
	s := &streamCorpus{corpus: corpus{name: "cloudwatch"}}
	for i := range 24 {
		c := newCorpus("", "/vpc/flow-logs", fmt.Sprintf("eni-%017x-all", i), 250, vpcLine)
		s.add(c.plain, c.packed, c.events)
	}
	return s.seal()
}

// lineStream are records of so many flow log lines each: one, as the log delivery service writes them, or many, as agents
// do. The former pay for a record with every line.
func lineStream(name string, records, lines int) *streamCorpus {
	s := &streamCorpus{corpus: corpus{name: name}}
	r := rand.New(rand.NewPCG(5, 6))
	for i := range records {
		var data []byte
		for j := range lines {
			data = append(append(data, vpcLine(r, i*lines+j)...), '\n')
		}
		s.add(data, data, lines)
	}
	return s.seal()
}

func (s *streamCorpus) add(plain, data []byte, events int) {
	s.plain = append(s.plain, plain...)
	s.data = append(s.data, data)
	s.events += events
}

// seal makes the event.
func (s *streamCorpus) seal() *streamCorpus {
	var b bytes.Buffer
	b.WriteString(`{"invocationId":"00000000-0000-4000-8000-000000000002","deliveryStreamArn":` +
		`"arn:aws:firehose:eu-west-1:123456789012:deliverystream/shop-logs","region":"eu-west-1","records":[`)
	for i, data := range s.data {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"recordId":"4964578%049d000000","approximateArrivalTimestamp":%d,"data":%q}`,
			i, 1_700_000_100_000+i, base64.StdEncoding.EncodeToString(data))
	}
	b.WriteString("]}")
	s.event = b.Bytes()
	return s
}

// texts are the records of the answer, before base64.
func (s *streamCorpus) texts(tb testing.TB) (texts [][]byte) {
	tb.Helper()
	answer, err := Firehose(newStreamRig(tb, nil).Forwarder)(context.Background(), s.event)
	require.NoError(tb, err)
	var got struct {
		Records []struct {
			Result string
			Data   []byte
		}
	}
	require.NoError(tb, json.Unmarshal(answer, &got))
	require.Len(tb, got.Records, len(s.data))
	lines := 0
	for _, r := range got.Records {
		require.Equal(tb, "Ok", r.Result)
		texts = append(texts, r.Data)
		lines += bytes.Count(r.Data, []byte("\n"))
	}
	require.Equal(tb, s.events, lines)
	return texts
}

func benchmarkTransformation(b *testing.B, s *streamCorpus) {
	b.Helper()
	s.texts(b) // says if the batch is not what the figures assume
	r := newStreamRig(b, nil)
	r.Forwarder.out = io.Discard
	handle := Firehose(r.Forwarder)
	measure(b, &s.corpus, func() {
		if _, err := handle(context.Background(), s.event); err != nil {
			b.Fatal(err)
		}
	})
}

// benchmarkTransformationLimit decodes the records from base64, gunzips those that are packed, copies the texts of the
// answer and encodes them in base64, with the libraries that everyone has and memory that is there already. It neither
// reads nor writes the JSON around them.
func benchmarkTransformationLimit(b *testing.B, s *streamCorpus) {
	b.Helper()
	texts := s.texts(b)
	var encoded [][]byte
	for _, data := range s.data {
		encoded = append(encoded, base64.StdEncoding.AppendEncode(nil, data))
	}
	var gz gzip.Reader
	var src bytes.Reader
	decoded, copied := make([]byte, 1<<20), make([]byte, 1<<20)
	inflated, answer := make([]byte, 32<<10), make([]byte, 0, answerBudget)
	total := 0
	measure(b, &s.corpus, func() {
		answer = answer[:0]
		for i, text := range encoded {
			n, err := base64.StdEncoding.Decode(decoded, text)
			if err != nil {
				b.Fatal(err)
			}
			if decoded[0] == 0x1f {
				src.Reset(decoded[:n])
				if err := gz.Reset(&src); err != nil {
					b.Fatal(err)
				}
				for err == nil {
					_, err = gz.Read(inflated)
				}
				if err != io.EOF {
					b.Fatal(err)
				}
			}
			answer = base64.StdEncoding.AppendEncode(answer, copied[:copy(copied, texts[i])])
		}
		total = len(answer)
	})
	b.ReportMetric(float64(total)/float64(len(s.plain)), "out/in")
}
