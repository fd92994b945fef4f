package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// splitArray is the items of a JSON array with nothing behind it, one item at least. They are views of body.
func splitArray(body []byte) ([][]byte, error) {
	var items []json.RawMessage
	dec := json.NewDecoder(bytes.NewReader(body))
	if err := dec.Decode(&items); err != nil {
		return nil, fmt.Errorf("read an array of items: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read an array of items: something follows it")
	}
	if len(items) == 0 {
		return nil, errors.New("read an array of items: it is empty")
	}
	list := make([][]byte, len(items))
	for i, item := range items {
		list[i] = item
	}
	return list, nil
}

// splitLines is the items of a body with one in each line, the last of which has an end too.
func splitLines(body []byte) ([][]byte, error) {
	if !bytes.HasSuffix(body, []byte("\n")) {
		return nil, errors.New("read lines of items: the last one has no end")
	}
	return bytes.Split(bytes.TrimSuffix(body, []byte("\n")), []byte("\n")), nil
}
