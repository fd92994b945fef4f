package delivery

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// answered is one record of the function's answer.
type answered struct {
	id     string
	result string
	data   *string // nil when absent or null
	keys   map[string]string
}

// readAnswer reads the function's answer. Member names are compared as they are. An answer that is no JSON object with a
// list of records of the right types is an error and failed the invocation; any other is final.
func readAnswer(response []byte) ([]answered, error) {
	var document map[string]json.RawMessage // a struct would take names in another case
	if err := json.Unmarshal(response, &document); err != nil {
		return nil, errors.New("the answer is not a JSON object")
	}
	var records []map[string]json.RawMessage
	if raw, found := document["records"]; found && json.Unmarshal(raw, &records) != nil {
		return nil, errors.New("records is not a list of objects")
	}
	list := make([]answered, len(records))
	for i, members := range records {
		if err := list[i].read(members); err != nil {
			return nil, fmt.Errorf("records[%d]: %w", i, err)
		}
	}
	return list, nil
}

func (a *answered) read(members map[string]json.RawMessage) error {
	var meta map[string]json.RawMessage
	for _, m := range []struct {
		name   string
		target any
	}{{"recordId", &a.id}, {"result", &a.result}, {"data", &a.data}, {"metadata", &meta}} {
		if raw, found := members[m.name]; found && json.Unmarshal(raw, m.target) != nil {
			return errors.New(m.name + " has another type")
		}
	}
	if raw, found := meta["partitionKeys"]; found && json.Unmarshal(raw, &a.keys) != nil {
		return errors.New("metadata.partitionKeys are not texts")
	}
	return nil
}

// The results a function may give, spelled as they are.
const (
	resultOK      = "Ok"
	resultDropped = "Dropped"
	resultFailed  = "ProcessingFailed"
)

// judge compares an answer with its batch, record by record, in the order of the batch. A result nobody knows fails the
// whole batch; a record that is missing, repeated or not base64 fails alone. Records that were never sent are ignored.
func (s *Stream) judge(batch []*record, answer []answered, attempt int) (good []*record, bad []*failedRecord) {
	byID := make(map[string][]answered, len(answer))
	for _, a := range answer {
		if a.result != resultOK && a.result != resultDropped && a.result != resultFailed {
			return nil, s.failAll(batch, attempt, "Lambda.FunctionError", "The answer has a result that is not known.")
		}
		byID[a.id] = append(byID[a.id], a)
	}
	for _, r := range batch {
		kept, failed := s.verdict(r, byID[r.id])
		switch {
		case failed != nil:
			bad = append(bad, s.processingFailed(r, attempt, failed.code, failed.message))
		case kept != nil:
			good = append(good, kept)
		}
	}
	return good, bad
}

// verdict is what becomes of one record: it is delivered, it failed, or, with neither, it was dropped.
func (s *Stream) verdict(r *record, answers []answered) (*record, *reason) {
	switch len(answers) {
	case 0:
		return nil, &reason{"Lambda.MissingRecordId", "The answer does not have the record."}
	case 1:
	default:
		return nil, &reason{"Lambda.DuplicatedRecordId", "The answer has the record more than once."}
	}
	a := answers[0]
	var data []byte
	if a.data != nil {
		var err error
		if data, err = base64.StdEncoding.Strict().DecodeString(*a.data); err != nil {
			return nil, &reason{"Lambda.FunctionError", "The data of the record is not base64."}
		}
	}
	switch {
	case a.result == resultDropped:
		return nil, nil
	case a.result == resultFailed:
		return nil, &reason{"Lambda.ProcessingFailedStatus", "The function gave the record up."}
	case a.data == nil:
		return nil, &reason{"Lambda.FunctionError", "The record has no data."}
	}
	for _, name := range s.prefix.good.partitionKeys() {
		if a.keys[name] == "" {
			return nil, &reason{"DynamicPartitioning.MetadataExtractionFailed", "The answer lacks the partition key " + name + "."}
		}
	}
	done := *r
	done.data, done.keys = data, a.keys
	return &done, nil
}
