package forward

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"sluice/internal/compress"
	"sluice/internal/deliver"
	"sluice/internal/event"
)

// CloudWatch answers the invocations of a CloudWatch Logs subscription, which are asynchronous: nil when every line is
// accounted for, else an error, and Lambda gives the whole event again.
func CloudWatch(f *Forwarder) Handler {
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		f := f.ready()
		if f.refusal != nil {
			return nil, f.refusal
		}
		inv, end := f.begin(ctx, deliver.FlightOptions{})
		defer end()

		err := guarded(func() error { return inv.subscription(payload) })
		if err != nil {
			inv.unreadable(reasonOf(err))
		}
		if at := inv.finish(failure{err: err}); at.err != nil {
			return nil, at.err
		}
		return []byte("null"), nil
	}
}

// subscription forwards the payload of a direct invocation.
func (inv *invocation) subscription(payload []byte) error {
	encoded, err := event.AwsLogsData(payload)
	if err != nil {
		return fmt.Errorf("cloudwatch logs event: %w", err)
	}
	if inv.f.packed, err = event.DecodeBase64(inv.f.packed[:0], encoded); err != nil {
		return fmt.Errorf("awslogs.data: %w", err)
	}
	if len(inv.f.packed) == 0 {
		return errors.New("awslogs.data is empty: expected a subscription payload")
	}
	inv.ledger.BytesIn(len(inv.f.packed))
	if !compress.IsGzip(inv.f.packed) { // events made by hand
		return inv.forward(inv.f.decoder.Records(bytes.NewReader(inv.f.packed), &inv.base), 0)
	}
	if err := inv.f.gunzip.Reset(inv.f.packed, inv.f.maxInflated); err != nil {
		return err
	}
	return inv.forward(inv.f.decoder.Records(&inv.f.gunzip, &inv.base), 0)
}
