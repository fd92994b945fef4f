package deliver_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sluice/internal/batch"
	"sluice/internal/compress"
	"sluice/internal/deliver"
	"sluice/internal/destination"
	"sluice/internal/ledger"
	"sluice/internal/record"
)

// coding is a content coding that costs nothing: it puts its name before the bytes.
type coding string

func (c coding) Encoding() string              { return string(c) }
func (c coding) Append(dst, src []byte) []byte { return append(append(dst, c...), src...) }

func (c coding) Unpack(dst, src []byte) ([]byte, error) {
	plain, ok := strings.CutPrefix(string(src), string(c))
	if !ok {
		return dst, errors.New("another coding")
	}
	return append(dst, plain...), nil
}

const (
	zstd = coding("zstd")
	gzip = coding("gzip")
)

// intake is a destination whose items are JSON strings that start with a number. What a test leaves nil is as most
// destinations have it.
type intake struct {
	url         string
	codecs      []compress.Codec
	request     func() error
	reauthorize func(context.Context) (bool, error)
	outcome     func(*http.Response, []byte) destination.Outcome
}

func (d *intake) ID() string { return "intake" }

func (d *intake) Limits() destination.Limits {
	return destination.Limits{BodyBytes: 32 << 20, Records: 1 << 20, RecordBytes: 16 << 20}
}

func (d *intake) Frame() destination.Frame {
	return destination.Frame{Open: "[", Separator: ",", Close: "]"}
}

func (d *intake) Codecs() []compress.Codec {
	if d.codecs == nil {
		return []compress.Codec{compress.Plain{}}
	}
	return d.codecs
}

func (d *intake) Append(dst []byte, r *record.Record) []byte {
	return append(r.Message.AppendJSON(append(dst, '"')), '"')
}

func (d *intake) Request(ctx context.Context, body destination.Body) (*http.Request, error) {
	if d.request != nil {
		if err := d.request(); err != nil {
			return nil, err
		}
	}
	url := d.url
	if url == "" {
		url = "https://intake.example.com/"
	}
	req, err := destination.NewRequest(ctx, http.MethodPost, url, body)
	if err == nil {
		req.Header.Set("Api-Key", "key")
	}
	return req, err
}

func (d *intake) Reauthorize(ctx context.Context) (bool, error) {
	if d.reauthorize != nil {
		return d.reauthorize(ctx)
	}
	return false, nil
}

func (d *intake) Outcome(resp *http.Response, body []byte) destination.Outcome {
	if d.outcome != nil {
		return d.outcome(resp, body)
	}
	return destination.Answer(destination.OfStatus(resp.StatusCode), resp, time.Now())
}

// message is item number n, of at least size bytes.
func message(n, size int) []byte {
	text := strconv.Itoa(n) + ":"
	return []byte(text + strings.Repeat("x", max(size-len(text), 0)))
}

// numbers reads the items of a plain body.
func numbers(plain []byte) ([]int, error) {
	var items []string
	if err := json.Unmarshal(plain, &items); err != nil {
		return nil, err
	}
	all := make([]int, len(items))
	for i, item := range items {
		number, _, _ := strings.Cut(item, ":")
		n, err := strconv.Atoi(number)
		if err != nil {
			return nil, err
		}
		all[i] = n
	}
	return all, nil
}

// stubborn is an intake that takes no item as large as the one it always writes.
type stubborn struct{ intake }

func (d *stubborn) Limits() destination.Limits {
	return destination.Limits{BodyBytes: 100, Records: 10, RecordBytes: 50}
}

func (d *stubborn) Append(dst []byte, _ *record.Record) []byte {
	return append(append(append(dst, '"'), message(0, 100)...), '"')
}

// load is what a test sends: items of size bytes in batches of each. Every item is a unit of its own, so that the unit
// tells the item.
type load struct {
	items, each, size int
	codec             compress.Codec // nil for the destination's first
}

func (l load) batches(d destination.Destination) []*batch.Batch {
	if l.codec == nil {
		l.codec = d.Codecs()[0]
	}
	return pack(d, l.codec, l.items, l.each, func(int) int { return l.size })
}

// pack makes batches of items, each of its own size.
func pack(d destination.Destination, codec compress.Codec, items, each int, size func(int) int) []*batch.Batch {
	return packAll(d, codec, items, each, size, func(n int) int { return n })
}

// packUnits makes batches of items that belong to units.
func packUnits(d destination.Destination, items, each int, unit func(int) int) []*batch.Batch {
	return packAll(d, d.Codecs()[0], items, each, func(int) int { return 0 }, unit)
}

func packAll(d destination.Destination, codec compress.Codec, items, each int, size, unit func(int) int) []*batch.Batch {
	var all []*batch.Batch
	builder := batch.NewBuilder(batch.Options{Destination: d, Codec: func() compress.Codec { return codec }})
	builder.Start(func(b *batch.Batch) { all = append(all, b) })
	origin := &record.Origin{Kind: record.CloudWatch}
	for n := range items {
		builder.Add(&record.Record{
			Origin: origin, EventID: record.Plain([]byte(strconv.Itoa(n))), Message: record.Plain(message(n, size(n))),
		}, unit(n))
		if (n+1)%each == 0 {
			builder.Flush()
		}
	}
	builder.Flush()
	return all
}

// sent is what became of a load.
type sent struct {
	deliver.Result
	ledger.Counts
	elapsed time.Duration
}

// send takes batches through a flight, and checks what holds for every flight.
func send(ctx context.Context, t *testing.T, s *deliver.Sender, o deliver.FlightOptions, batches ...*batch.Batch) sent {
	t.Helper()
	start := time.Now()
	accounts := ledger.New()
	o.Account = accounts.Account("intake")
	flight := s.Start(ctx, o)
	for _, b := range batches {
		o.Account.In(b.Count())
		flight.Submit(b) //nolint:contextcheck // the flight has it
	}
	result := flight.Wait()
	require.NoError(t, accounts.Check())
	counts := o.Account.Counts()
	require.Equal(t, sum(counts.Returned) > 0, result.Err != nil, "%v", result.Err)
	require.Equal(t, result.Err != nil, flight.Failed())
	require.Equal(t, len(batches), flight.Submitted())
	require.Equal(t, len(batches), flight.Settled())
	require.Equal(t, result.Err != nil, len(result.Units) > 0)
	if result.Err != nil {
		require.Equal(t, result.FirstUnit, result.Units[0])
		require.IsIncreasing(t, append([]int{-1}, result.Units...), "in order, each once")
	}
	return sent{result, counts, time.Since(start)}
}

func sum(tally map[string]int) (n int) {
	for _, some := range tally {
		n += some
	}
	return n
}

// never is a jitter that makes every wait 0.
func never() float64 { return 0 }

// always is a jitter that makes every wait as long as it can be.
func always() float64 { return 1 }
