package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"

	"sluice/e2e/stack/bucket"
)

// pointer is what is parked of an object: where it has to be read again. Format: package park, Header.
type pointer struct {
	at     string // key in the park bucket
	Kind   string `json:"kind"`
	Reason struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"reason"`
	Sources []struct {
		Bucket string   `json:"bucket"`
		Key    string   `json:"key"`
		Bytes  [2]int64 `json:"byte_range"`
	} `json:"sources"`
}

// parked reads everything the functions parked for a person.
func parked(ctx context.Context, b *bucket.Server) ([]pointer, error) {
	var pointers []pointer
	var faults []error
	err := eachParked(ctx, b, parkRoot+"dead/", func(key string, body []byte) {
		p, err := readPointer(body)
		if err != nil {
			faults = append(faults, fmt.Errorf("read s3://%s/%s: %w", parkBucket, key, err))
		}
		p.at = key
		pointers = append(pointers, p)
	})
	return pointers, errors.Join(append(faults, err)...)
}

func readPointer(body []byte) (pointer, error) {
	var p pointer
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return p, fmt.Errorf("gunzip: %w", err)
	}
	header, err := io.ReadAll(r)
	if err != nil {
		return p, fmt.Errorf("gunzip: %w", err)
	}
	if err := json.Unmarshal(header, &p); err != nil {
		return p, fmt.Errorf("decode the header: %w", err)
	}
	if p.Kind != "pointer" || len(p.Sources) != 1 {
		return p, fmt.Errorf("%q with %d sources, want a pointer with one", p.Kind, len(p.Sources))
	}
	return p, nil
}

// showParked prints what waits in the park store.
func showParked(out io.Writer, pointers []pointer) {
	fmt.Fprintln(out, "\nparked, for a person to look at:")
	for _, p := range pointers {
		s := p.Sources[0]
		fmt.Fprintf(out, "\n  s3://%s/%s\n    of s3://%s/%s\n    from byte %d of what it holds decompressed: %s, %s\n",
			parkBucket, p.at, s.Bucket, s.Key, s.Bytes[0], p.Reason.Code, shorten(p.Reason.Message))
	}
}

// checkParked is nil when exactly the damaged objects are parked, each from behind its last complete line.
func checkParked(pointers []pointer, list []*object) error {
	want := map[string]int64{}
	for _, o := range list {
		if o.readable != whole {
			want[o.key] = o.readable
		}
	}
	var faults []error
	for _, p := range pointers {
		s := p.Sources[0]
		from, damaged := want[s.Key]
		delete(want, s.Key)
		if s.Bucket != logBucket || !damaged || s.Bytes[0] != from {
			faults = append(faults, fmt.Errorf("s3://%s/%s is parked from byte %d, want %d", s.Bucket, s.Key, s.Bytes[0], from))
		}
	}
	for key := range want {
		faults = append(faults, fmt.Errorf("s3://%s/%s is damaged and was not parked", logBucket, key))
	}
	return errors.Join(faults...)
}
