package owner

import (
	"bytes"
	"encoding/json"
)

// reportedItems reads the response of a function to a batch of messages: the ids it reports as failed. A response that
// makes the whole batch a failure is not ok: no JSON object, a list of another shape, an item without an identifier or
// with one that is empty, null or not of this batch. An empty, null or missing list or response is success. Member names
// are compared as they are ("Using Lambda with Amazon SQS", success and failure conditions).
func reportedItems(response []byte, batch []message) (reported map[string]bool, ok bool) {
	if len(bytes.TrimSpace(response)) == 0 {
		return nil, true
	}
	var answer map[string]json.RawMessage // a struct would take names in another case
	if json.Unmarshal(response, &answer) != nil {
		return nil, false
	}
	list, found := answer["batchItemFailures"]
	if !found {
		return nil, true
	}
	var items []map[string]json.RawMessage
	if json.Unmarshal(list, &items) != nil {
		return nil, false
	}
	known := make(map[string]bool, len(batch))
	for _, m := range batch {
		known[m.ID] = true
	}
	reported = map[string]bool{}
	for _, item := range items {
		var id string
		if json.Unmarshal(item["itemIdentifier"], &id) != nil || !known[id] {
			return nil, false
		}
		reported[id] = true
	}
	return reported, true
}
