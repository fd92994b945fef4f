package deliver_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"sluice/internal/deliver"
	"sluice/internal/ledger"
)

// instant answers every request at once.
type instant struct{}

func (instant) RoundTrip(req *http.Request) (*http.Response, error) {
	_ = req.Body.Close()
	return &http.Response{
		StatusCode: http.StatusAccepted, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: req,
	}, nil
}

// BenchmarkFlight measures what sending costs beside the network: a flight of 100 batches, to an intake that takes no
// time. It is paid once per batch, never per line.
func BenchmarkFlight(b *testing.B) {
	d := &intake{}
	s := deliver.NewSender(d, &http.Client{Transport: instant{}}, deliver.Options{})
	batches := load{items: 10_000, each: 100, size: 100}.batches(d)
	bytes := 0
	for _, batch := range batches {
		bytes += batch.PlainBytes()
	}
	b.SetBytes(int64(bytes))
	b.ReportAllocs()
	for b.Loop() {
		flight := s.Start(b.Context(), deliver.FlightOptions{Account: ledger.New().Account("intake")})
		for _, batch := range batches {
			flight.Submit(batch)
		}
		if err := flight.Wait().Err; err != nil {
			b.Fatal(err)
		}
	}
}
