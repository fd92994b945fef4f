// Package sample makes and reads the sample invocations in the folder events: one file per shape a function is invoked
// with. Objects are what the events of S3 announce.
//
// Files and Objects promise the same bytes at every run. Read takes any file of these shapes, also ones put there by hand,
// and says which lines it holds, so that an audit can look for them; it leaves out events that announce objects, which hold
// none, and those of delivery streams, whose lines go back where they came from. All data is invented, with documentation
// accounts, addresses and names.
package sample

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/klauspost/compress/gzip"

	"sluice/e2e/stack/envelope"
)

//go:generate go run ./write -events ../../events -objects ../../internal/forward/testdata/objects

// File is one sample invocation.
type File struct {
	Name string
	Body []byte // indented JSON
}

const (
	account      = "123456789012"
	otherAccount = "111122223333"
	shard        = "shardId-000000000000"
)

// moment is when the sample events happened.
var moment = time.Date(2026, 2, 1, 9, 30, 0, 0, time.UTC)

var stream = envelope.Stream{
	ARN:    "arn:aws:kinesis:eu-west-1:" + account + ":stream/logs",
	Region: "eu-west-1",
	Role:   "arn:aws:iam::" + account + ":role/sluice-kinesis",
}

// Files are all samples, by name.
func Files() ([]File, error) {
	var files []File
	for _, d := range slices.Concat(direct, moreDirect) {
		body, err := envelope.CloudWatch(d.doc.gzip())
		if err != nil {
			return nil, err
		}
		files = append(files, File{Name: d.name, Body: body})
	}
	for _, b := range batches() {
		body, err := envelope.Kinesis(stream, b.records)
		if err != nil {
			return nil, err
		}
		files = append(files, File{Name: b.name, Body: body})
	}
	announced, err := announcements()
	if err != nil {
		return nil, err
	}
	files = append(files, announced...)
	streamed := transformations()
	for _, name := range slices.Sorted(maps.Keys(streamed)) {
		body, err := json.Marshal(streamed[name])
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", name, err)
		}
		files = append(files, File{Name: name, Body: body})
	}
	for i, f := range files {
		var indented bytes.Buffer
		if err := json.Indent(&indented, f.Body, "", "  "); err != nil {
			return nil, fmt.Errorf("indent %s: %w", f.Name, err)
		}
		files[i].Body = append(indented.Bytes(), '\n')
	}
	return files, nil
}

// document is a subscription payload.
type document struct {
	MessageType         string   `json:"messageType"`
	Owner               string   `json:"owner"`
	LogGroup            string   `json:"logGroup"`
	LogStream           string   `json:"logStream"`
	SubscriptionFilters []string `json:"subscriptionFilters"`
	LogEvents           []event  `json:"logEvents"`
	PolicyLevel         string   `json:"policyLevel,omitempty"`
}

type event struct {
	ID        string            `json:"id"`
	Millis    int64             `json:"timestamp"`
	Message   string            `json:"message"`
	Extracted map[string]string `json:"extractedFields,omitempty"`
}

// gzip is the document as it travels; the header carries no time.
func (d document) gzip() []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(d) // into a buffer, of a type that always encodes
	_ = w.Close()
	return b.Bytes()
}

// data is a document of log events one second apart. first is the number of the first event, which makes its id.
func data(owner, group, logStream string, first int, messages ...string) document {
	d := document{
		MessageType: "DATA_MESSAGE", Owner: owner, LogGroup: group, LogStream: logStream, SubscriptionFilters: []string{"to-sluice"},
	}
	for i, message := range messages {
		d.LogEvents = append(d.LogEvents, event{
			ID:      fmt.Sprintf("3945678901234567890123456789012345678901234567890123%04d", first+i),
			Millis:  moment.Add(time.Duration(i) * time.Second).UnixMilli(),
			Message: message,
		})
	}
	return d
}

func control(kind string) document {
	return document{
		MessageType: "CONTROL_MESSAGE", Owner: "CloudwatchLogs", SubscriptionFilters: []string{},
		LogEvents: []event{{
			Millis: moment.UnixMilli(), Message: "CWL CONTROL MESSAGE: Checking health of destination " + kind + ".",
		}},
	}
}
