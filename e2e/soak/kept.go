package main

import (
	"net/http"
	"slices"
	"sort"
	"strings"

	"sluice/e2e/audit"
	"sluice/e2e/rig"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/owner"
)

// keeping tells which parked objects stayed although replay has seen to them, or a part of them: the park store refused what
// it had to write, or it ended before it deleted them.
type keeping struct {
	requests  []bucket.Request // to S3, in their order
	park, log string           // names of the buckets
	intake    []arrival
	payloads  []payload           // in the order of their lines
	announced map[string][]string // payloads, by the key of the object that a message announced
}

// note adds to each replay the payloads of such objects.
func (k *keeping) note(replays []audit.Replay) {
	all := slices.DeleteFunc(slices.Clone(k.requests), func(q bucket.Request) bool { return !byReplay(q.Agent) })
	for i := range replays {
		r := &replays[i]
		first := sort.Search(len(all), func(i int) bool { return !all[i].At.Before(r.Started) })
		after := sort.Search(len(all), func(i int) bool { return all[i].At.After(r.Finished) })
		asked := all[first:max(first, after)]
		w := k.writesOf(asked)
		r.Kept = k.payloadsOf(w.refused)
		if w.pointer {
			r.Kept = append(r.Kept, k.read(asked)...)
		}
		r.Doubled = k.payloadsOf(w.left())
		if r.Outcome != owner.Ended { // what it read was deleted, unless something was refused
			r.Doubled = slices.DeleteFunc(r.Doubled, func(id string) bool { return !slices.Contains(r.Kept, id) })
		}
	}
}

// byReplay tells by a User-Agent whether replay asks: the SDK says what environment it runs in.
func byReplay(userAgent string) bool {
	for word := range strings.FieldsSeq(userAgent) {
		if strings.HasPrefix(word, "exec-env/") {
			return strings.HasSuffix(word, "-"+string(rig.ReplayFunction))
		}
	}
	return false
}

// writes are what one replay has written below pending/ and dead/, by the ids of batches.
type writes struct {
	parked  map[string]bool // again, or nobody knows
	deleted map[string]bool
	refused map[string]bool // to park or to delete
	pointer bool            // what was refused may have been one
}

// writesOf goes by the last request for each write: a client asks again.
func (k *keeping) writesOf(asked []bucket.Request) writes {
	type write struct{ method, key string }
	last := map[write]bucket.Request{}
	for _, q := range asked {
		if q.Bucket == k.park {
			last[write{q.Method, q.Key}] = q
		}
	}
	w := writes{parked: map[string]bool{}, deleted: map[string]bool{}, refused: map[string]bool{}}
	for _, q := range last {
		batch := batchOf(q.Key)
		put, remove := q.Method == http.MethodPut, q.Method == http.MethodDelete
		switch {
		case batch == "" || !put && !remove:
		case q.Status >= http.StatusBadRequest && q.Status != http.StatusPreconditionFailed:
			w.refused[batch] = true
			w.pointer = w.pointer || q.Count == 0
		case put && q.Status != http.StatusPreconditionFailed:
			w.parked[batch] = true
		case remove && q.Status != 0:
			w.deleted[batch] = true
		}
	}
	return w
}

// left are the batches of which something was parked, and nothing deleted: of a batch that was read from what a pointer
// names, nothing is.
func (w *writes) left() map[string]bool {
	batches := map[string]bool{}
	for batch := range w.parked {
		batches[batch] = !w.deleted[batch]
	}
	return batches
}

// batchOf is the id of the batch that a parked object is of, without its parts; empty for anything else. Layout: delivery
// contract 2.7.
func batchOf(key string) string {
	rest, ours := strings.CutPrefix(key, parkRoot)
	folder, _, _ := strings.Cut(rest, "/")
	if !ours || folder != "pending" && folder != "dead" {
		return ""
	}
	name := rest[strings.LastIndexByte(rest, '/')+1:]
	if folder == "pending" {
		_, name, _ = strings.Cut(name, "-")
	}
	return rootOf(name)
}

// payloadsOf are those that some batches had lines of, each once.
func (k *keeping) payloadsOf(batches map[string]bool) []string {
	if len(batches) == 0 {
		return nil
	}
	var ids []string
	for i := range k.intake {
		if !batches[rootOf(k.intake[i].batch)] {
			continue
		}
		for _, run := range k.intake[i].runs {
			at := sort.Search(len(k.payloads), func(i int) bool { return k.payloads[i].first+k.payloads[i].n > run.first })
			for ; at < len(k.payloads) && k.payloads[at].first < run.first+run.n; at++ {
				ids = append(ids, k.payloads[at].id)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// read are the payloads of the objects that were read.
func (k *keeping) read(asked []bucket.Request) []string {
	var ids []string
	for _, q := range asked {
		if q.Method != http.MethodGet || q.Bucket != k.log {
			continue
		}
		if id, ours := payloadOf(q.Key); ours {
			ids = append(ids, id)
		}
		ids = append(ids, k.announced[q.Key]...)
	}
	return ids
}
