package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"

	"sluice/e2e/generate"
	"sluice/e2e/stack/loopback"
)

const maxBodyBytes = 5_000_000 // uncompressed; Datadog Logs API v2

// tally is the intake of the large object. It reads every line, checks it by its mark and counts it, but keeps no text: a
// byte for each line is all it holds. It has no outage.
type tally struct {
	server *loopback.Server

	mu     sync.Mutex
	copies []uint8 // intact copies of each line by its number, counted from 1; at most 255
	alien  int     // records that are no intact line of the object
}

func startTally(lines int) (*tally, error) {
	t := &tally{copies: make([]uint8, lines)}
	var err error
	if t.server, err = loopback.Serve(t); err != nil {
		return nil, fmt.Errorf("start the counting intake: %w", err)
	}
	return t, nil
}

func (t *tally) close() error { return t.server.Close() }

// ServeHTTP takes a request as a whole or not at all.
func (t *tally) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	items, status := decode(r)
	if pause(r.Context(), networkDelay) != nil {
		return // the client went away and has no answer: nothing is taken
	}
	t.count(items)
	w.WriteHeader(status)
}

// item is what is read of a record.
type item struct {
	Message string `json:"message"`
}

// decode returns the records of a request and 202, or none and the status that refuses it.
func decode(r *http.Request) ([]item, int) {
	switch {
	case r.Header.Get("DD-API-KEY") != apiKey:
		return nil, http.StatusForbidden
	case r.Header.Get("Content-Encoding") != "gzip":
		return nil, http.StatusUnsupportedMediaType
	}
	plain, err := inflate(r.Body)
	switch {
	case err != nil:
		return nil, http.StatusBadRequest
	case len(plain) > maxBodyBytes:
		return nil, http.StatusRequestEntityTooLarge
	}
	var items []item
	if json.Unmarshal(plain, &items) != nil {
		return nil, http.StatusBadRequest
	}
	return items, http.StatusAccepted
}

// inflate returns a body unpacked, or one byte more than is allowed.
func inflate(body io.Reader) ([]byte, error) {
	r, err := gzip.NewReader(body)
	if err != nil {
		return nil, fmt.Errorf("gunzip a request: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxBodyBytes+1))
	if err != nil {
		return nil, fmt.Errorf("gunzip a request: %w", err)
	}
	return plain, nil
}

func (t *tally) count(items []item) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, it := range items {
		mark, found, intact := generate.FindMark(it.Message)
		if !found || !intact || mark.Src != largeSource || mark.Seq < 1 || mark.Seq > len(t.copies) {
			t.alien++
			continue
		}
		if at := &t.copies[mark.Seq-1]; *at < 255 {
			*at++
		}
	}
}

// counts are the lines that arrived, their copies beyond the first, and the records that are no line of the object.
func (t *tally) counts() (arrived, surplus, alien int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range t.copies {
		if n > 0 {
			arrived++
			surplus += int(n) - 1
		}
	}
	return arrived, surplus, t.alien
}
