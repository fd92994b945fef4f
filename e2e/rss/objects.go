package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/gzip"

	"sluice/e2e/generate"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/notify"
)

const (
	bucketName  = "example-logs"
	objectBytes = 64_000_000 // before compression, about
)

// content is a kind of object.
type content struct {
	key       string
	lineBytes int
	style     generate.Style
}

func contents() []content {
	const (
		short   = 1_000
		long    = 250_000
		huge    = 3_000_000 // over what a record may hold, in every intake
		longest = objectBytes
	)
	return []content{
		{"noise", short, generate.Text("INFO ", short)},
		{"long noise", long, generate.JSONLines(generate.Random(long))},
		{"repetition", short, generate.JSONLines(generate.Repetitive(short))},
		{"long repetition", long, generate.JSONLines(generate.Repetitive(long))},
		{"huge lines", huge, generate.JSONLines(generate.Repetitive(huge))},
		{"huge noise", huge, generate.JSONLines(generate.Random(huge))},
		{"one line", longest, generate.JSONLines(generate.Repetitive(longest))},
		{"mixed", short, generate.JSONLines(generate.Mixed)},
	}
}

// largeObjects puts one object of each kind into a bucket, and returns S3's event for each.
func largeObjects(ctx context.Context, store *bucket.Server) ([][]byte, error) {
	if err := store.CreateBucket(ctx, bucketName, false); err != nil {
		return nil, err
	}
	g := generate.New(1, time.Now())
	var events [][]byte
	for _, c := range contents() {
		reader, writer := io.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			writer.CloseWithError(c.write(writer, g))
		}()
		put, err := store.PutObject(ctx, bucketName, c.key+".log.gz", reader)
		reader.Close() // ends the other side if the object was refused
		<-done         // the generator is for one goroutine at a time
		if err != nil {
			return nil, err
		}
		events = append(events, notify.Native(put))
	}
	return events, nil
}

// write writes the packed object, a line at a time.
func (c content) write(w io.Writer, g *generate.Generator) error {
	packer := gzip.NewWriter(w)
	if _, err := g.WriteObject(packer, objectBytes/c.lineBytes, c.style); err != nil {
		return fmt.Errorf("make the object %s: %w", c.key, err)
	}
	if err := packer.Close(); err != nil {
		return fmt.Errorf("end the object %s: %w", c.key, err)
	}
	return nil
}
