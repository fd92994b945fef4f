package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sluice/e2e/stack/delivery"
	"sluice/e2e/stack/notify"
)

// Where the delivery stream writes.
const (
	deliveredPrefix = "delivered/"
	failedPrefix    = "failed/"
)

// archive is the bucket behind the delivery stream. Objects of what the stream delivered are read as they are put, and are
// not kept: their lines are at the end of their way. What the stream failed with is stored.
type archive struct {
	store    delivery.Putter
	arrivals *arrivals
	now      func() time.Time
}

// PutObject implements delivery.Putter.
func (a *archive) PutObject(
	ctx context.Context, bucket, key string, body io.Reader, changes ...func(*s3.PutObjectInput),
) (notify.Object, error) {
	if !strings.HasPrefix(key, deliveredPrefix) {
		return a.store.PutObject(ctx, bucket, key, body, changes...)
	}
	plain, err := io.ReadAll(body)
	if err != nil {
		return notify.Object{}, fmt.Errorf("read %s: %w", key, err)
	}
	items, err := splitLines(plain)
	if err != nil {
		a.arrivals.fault(fmt.Sprintf("%s: %s", key, err))
	}
	now := a.now()
	arrived := arrival{number: a.arrivals.next(), at: now, batch: key, answered: true}
	a.arrivals.readItems(items, &arrived)
	a.arrivals.take(arrived)
	return notify.Object{Bucket: bucket, Key: key, Size: int64(len(plain)), Time: now}, nil
}
