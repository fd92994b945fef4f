package forward

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"sluice/internal/compress"
	"sluice/internal/event"
	"sluice/internal/park"
)

// CloudWatch answers the invocations of a CloudWatch Logs subscription, which are asynchronous: nil when every line is
// accounted for, else an error, and Lambda gives the whole event again.
func CloudWatch(f *Forwarder) Handler {
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		f := f.ready()
		if f.refusal != nil {
			return nil, f.refusal
		}
		inv, end := f.begin(ctx, plan{entry: park.EntryCloudWatch})
		defer end()
		if err := inv.cloudWatch(payload); err != nil {
			return nil, err
		}
		return []byte("null"), nil
	}
}

// cloudWatch forwards an event, or keeps what it is if it cannot be read: reading it again would find the same.
func (inv *invocation) cloudWatch(payload []byte) error {
	return inv.finish(inv.takeSubscription(payload)).err
}

func (inv *invocation) takeSubscription(payload []byte) failure {
	inv.readOn()
	err := guarded(func() error { return inv.subscription(payload) })
	switch {
	case err == nil:
	case inv.parkRaw(payload, err):
		err = nil
	default:
		inv.unreadable(reasonOf(err))
	}
	return failure{err: err}
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
		return inv.forward(inv.joined(inv.f.decoder.Records(bytes.NewReader(inv.f.packed), &inv.base)), 0)
	}
	if err := inv.f.gunzip.Reset(inv.f.packed, inv.f.maxInflated); err != nil {
		return err
	}
	return inv.forward(inv.joined(inv.f.decoder.Records(&inv.f.gunzip, &inv.base)), 0)
}
