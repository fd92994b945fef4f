package sample

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"sluice/e2e/generate"
	"sluice/e2e/stack/envelope"
)

// Event is a sample invocation and the lines it holds.
type Event struct {
	Name    string
	Body    []byte
	Stream  bool              // a Kinesis batch, not a direct CloudWatch Logs event
	Records []envelope.Record // of a Kinesis batch
	Lines   []generate.Line   // their payload is the sequence number, or the name of a direct event
}

// Read reads every *.json file of a folder, in order of their names, but those that announce objects and those of
// delivery streams.
func Read(dir string) ([]Event, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no *.json in %s: write the samples with go generate ./sample", dir)
	}
	var events []Event
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read a sample: %w", err)
		}
		if announcesObjects(body) || isTransformation(body) {
			continue
		}
		e, err := parse(filepath.Base(path), body)
		if err != nil {
			return nil, fmt.Errorf("sample %s: %w", path, err)
		}
		events = append(events, e)
	}
	return events, nil
}

// announcesObjects reports whether an event is one for the function that reads objects.
func announcesObjects(body []byte) bool {
	var shape struct {
		Event      string            `json:"Event"`
		DetailType string            `json:"detail-type"`
		Tasks      []json.RawMessage `json:"tasks"`
		Records    []struct {
			Source string `json:"eventSource"` // SNS spells it with a capital, which makes no difference here
		} `json:"Records"`
	}
	if json.Unmarshal(body, &shape) != nil {
		return false
	}
	for _, r := range shape.Records {
		if r.Source != "aws:s3" && r.Source != "aws:sns" && r.Source != "aws:sqs" {
			return false
		}
	}
	return len(shape.Records) > 0 || shape.Event == "s3:TestEvent" || shape.DetailType != "" || len(shape.Tasks) > 0
}

func parse(name string, body []byte) (Event, error) {
	var shape struct {
		AWSLogs *struct {
			Data []byte `json:"data"`
		} `json:"awslogs"`
		Records []struct {
			EventID string `json:"eventID"`
			Kinesis struct {
				Sequence     string  `json:"sequenceNumber"`
				PartitionKey string  `json:"partitionKey"`
				Data         []byte  `json:"data"`
				Arrival      float64 `json:"approximateArrivalTimestamp"`
			} `json:"kinesis"`
		} `json:"Records"`
	}
	if err := json.Unmarshal(body, &shape); err != nil {
		return Event{}, fmt.Errorf("decode: %w", err)
	}
	e := Event{Name: name, Body: body}
	if shape.AWSLogs != nil {
		lines, err := contentLines(name, shape.AWSLogs.Data)
		e.Lines = lines
		return e, err
	}
	if len(shape.Records) == 0 {
		return Event{}, errors.New("neither awslogs nor Records: not an event of these functions")
	}
	e.Stream = true
	for _, r := range shape.Records {
		lines, err := contentLines(r.Kinesis.Sequence, r.Kinesis.Data)
		if err != nil {
			return Event{}, fmt.Errorf("record %s: %w", r.EventID, err)
		}
		e.Lines = append(e.Lines, lines...)
		shardID, _, _ := strings.Cut(r.EventID, ":")
		e.Records = append(e.Records, envelope.Record{
			Shard: shardID, Sequence: r.Kinesis.Sequence, PartitionKey: r.Kinesis.PartitionKey, Data: r.Kinesis.Data,
			Arrived: time.UnixMilli(int64(r.Kinesis.Arrival * 1000)),
		})
	}
	return e, nil
}

// contentLines are the lines of one payload: a gzipped subscription document, or records of another producer.
func contentLines(payload string, data []byte) ([]generate.Line, error) {
	if bytes.HasPrefix(data, []byte("\x1f\x8b")) {
		return documentLines(payload, data)
	}
	records, err := userRecords(data)
	if err != nil {
		return nil, err
	}
	lines := make([]generate.Line, len(records))
	for i, record := range records {
		lines[i] = generate.Line{Payload: payload, Message: string(record)}
		if len(record) == 0 {
			lines[i].Rule = generate.RuleEmptyLine
		}
	}
	return lines, nil
}

func documentLines(payload string, data []byte) ([]generate.Line, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("gunzip: %w", err)
	}
	var doc document
	dec := json.NewDecoder(r)
	if err := dec.Decode(&doc); err != nil {
		return nil, fmt.Errorf("decode the subscription document: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one subscription document")
	}
	if doc.MessageType == "CONTROL_MESSAGE" {
		return []generate.Line{{Payload: payload, Rule: generate.RuleControlMessage}}, nil
	}
	lines := make([]generate.Line, len(doc.LogEvents))
	for i, e := range doc.LogEvents {
		lines[i] = generate.Line{Payload: payload, EventID: e.ID, Message: e.Message}
	}
	return lines, nil
}
