package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sluice/internal/jsonwalk"
)

// State is a part of what can be replayed.
type State string

// The states. StateScheduled is that of an event without wishes: all that is pending and due, and Lambda's failures.
const (
	StateScheduled    State = ""
	StatePending      State = "pending"
	StateDead         State = "dead"
	StateDeadRaw      State = "dead-raw"
	StateFailures     State = "failures"      // what Lambda has kept of failed invocations
	StateFailedEvents State = "failed-events" // what a Datadog Forwarder has stored
)

// states are those that can be asked for.
func states() []State {
	return []State{StatePending, StateDead, StateDeadRaw, StateFailures, StateFailedEvents}
}

// Replay is what a replay is asked for. The zero value is a scheduled one.
type Replay struct {
	State  State
	Dest   string     // id of the one destination that is meant; empty for all
	Reason string     // the one reason that is meant; empty for all
	Limit  int        // of objects; 0 for no limit
	DryRun bool       // tell what would be done, and do nothing
	All    bool       // do not wait for not_before
	From   S3Location // with StateFailedEvents alone, and always with it
}

// S3Location is a part of a bucket.
type S3Location struct {
	Bucket string // spelled as a bucket can be; whether it may be read is for the caller to decide
	Prefix string // 1 to 1024 bytes
}

const maxReasonBytes = 40

// ParseReplay reads the event of the replay function. An empty one is the schedule's, and so is one of EventBridge, which has
// "detail-type" and "source", whatever else is in it. A person's has the member "replay", and no other:
//
//	{"replay":{"dest":"","state":"pending","reason":"","limit":0,"dry_run":true,"all":false,"from":"s3://bucket/prefix"}}
//
// Each of its members may be left out, be null or empty. The state is then pending; a dry run is what dead and dead-raw are
// unless dry_run is false, and what the others are when it is true. It is read strictly, as what it starts cannot be
// taken back: the error names each member that is unknown, stands twice, or has a value that is not allowed.
// Format: ours; delivery contract 2.8.
func ParseReplay(raw []byte) (Replay, error) {
	raw = bytes.TrimSpace(raw)
	if !isObject(raw) {
		return Replay{}, nil
	}
	if !json.Valid(raw) {
		return Replay{}, fmt.Errorf("the replay event of %d bytes is not JSON", len(raw))
	}
	wish, err := findWish(raw)
	if wish == nil || err != nil {
		return Replay{}, err
	}
	var w replayWish
	w.read(wish)
	r := w.replay()
	if err := errors.Join(w.problems...); err != nil {
		return Replay{}, fmt.Errorf("read replay event: %w", err)
	}
	return r, nil
}

// findWish returns the member "replay" of an event, nil when it has none. Another member is an error, unless the event is of
// EventBridge: who has left "replay" out would start a run that was not meant.
func findWish(doc []byte) (wish []byte, err error) {
	var kind, source bool // EventBridge's events have both; EventBridge user guide, "Events"
	var stranger string
	strangers := 0
	members := jsonwalk.Object(doc)
	for members.Next() {
		switch name := string(members.Name()); {
		case name == "replay" && wish != nil:
			return nil, errors.New(`event has "replay" twice`)
		case name == "replay":
			wish = members.Value()
		case strings.EqualFold(name, "replay"):
			return nil, fmt.Errorf(`event has %+q: write "replay"`, name)
		default:
			kind, source = kind || name == "detail-type", source || name == "source"
			if strangers == 0 {
				stranger = name
			}
			strangers++
		}
	}
	if strangers > 0 && (!kind || !source) {
		return nil, fmt.Errorf(`event has the unknown member %+.40q: expected {"replay":{…}}`, stranger)
	}
	return wish, nil
}

// replayWish is the member "replay" as it was written.
type replayWish struct {
	Replay

	dryRun   *bool // nil when it does not say
	seen     []string
	problems []error
}

// maxReplayProblems bounds what an error tells.
const maxReplayProblems = 16

func (w *replayWish) wrong(format string, a ...any) {
	if len(w.problems) < maxReplayProblems {
		w.problems = append(w.problems, fmt.Errorf(format, a...))
	}
}

func (w *replayWish) read(doc []byte) {
	members := jsonwalk.Object(doc)
	for members.Next() {
		name, value := string(members.Name()), members.Value()
		if slices.Contains(w.seen, name) {
			w.wrong("replay.%s stands twice", name)
			continue
		}
		if !w.member(name, value) {
			w.wrong("replay has the unknown member %+.40q: expected dest, state, reason, limit, dry_run, all or from", name)
			continue
		}
		w.seen = append(w.seen, name)
	}
	if err := members.Err(); err != nil {
		w.wrong("replay: %w", err)
	}
}

// member reads one member and reports whether it is known.
func (w *replayWish) member(name string, value []byte) bool {
	switch name {
	case "state":
		w.State = State(w.text(name, value))
	case "dest":
		w.Dest = w.text(name, value)
	case "reason":
		w.Reason = w.text(name, value)
	case "from":
		w.readFrom(w.text(name, value))
	case "limit":
		w.readLimit(value)
	case "dry_run":
		w.dryRun = w.flag(name, value)
	case "all":
		all := w.flag(name, value)
		w.All = all != nil && *all
	default:
		return false
	}
	return true
}

func (w *replayWish) text(name string, value []byte) string {
	if isNull(value) {
		return ""
	}
	t, ok := jsonwalk.Text(value)
	if !ok {
		w.wrong("replay.%s is no text", name)
	}
	return string(t)
}

func (w *replayWish) flag(name string, value []byte) *bool {
	var flag bool
	switch string(value) {
	case "null":
		return nil
	case "true":
		flag = true
	case "false":
	default:
		w.wrong("replay.%s is %+.40q: expected true or false", name, value)
	}
	return &flag
}

func (w *replayWish) readLimit(value []byte) {
	if isNull(value) {
		return
	}
	n, err := whole(value, "replay.limit")
	if err != nil {
		w.wrong("%w", err)
	}
	w.Limit = int(n)
}

// readFrom reads s3://bucket/prefix. The whole of a bucket is not taken: it holds more than failed events.
func (w *replayWish) readFrom(url string) {
	if url == "" {
		return
	}
	path, ok := strings.CutPrefix(url, "s3://")
	bucket, prefix, _ := strings.Cut(path, "/")
	if !ok || bucket == "" || prefix == "" || len(prefix) > maxKeyBytes {
		w.wrong("replay.from is %+.80q: expected s3://bucket/prefix", url)
		return
	}
	if !isBucketName(bucket) {
		w.wrong("replay.from is %+.80q: expected a bucket's name of 3 to 63 letters, digits, dots and hyphens", url)
		return
	}
	w.From = S3Location{Bucket: bucket, Prefix: prefix}
}

// replay checks what the members say together and fills in what they leave out.
func (w *replayWish) replay() Replay {
	r := w.Replay
	if r.State == StateScheduled {
		r.State = StatePending
	}
	if !slices.Contains(states(), r.State) {
		w.wrong("replay.state is %+.40q: expected one of %q", r.State, states())
	}
	if r.Dest != "" && !isDestinationID(r.Dest) {
		w.wrong("replay.dest is %+.40q: expected 1 to %d of a-z, 0-9 and '-'", r.Dest, maxDestBytes)
	}
	if len(r.Reason) > maxReasonBytes || strings.Trim(r.Reason, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		w.wrong("replay.reason is %+.48q: expected 1 to %d of a-z, 0-9 and '_'", r.Reason, maxReasonBytes)
	}
	asked := r.From != S3Location{}
	switch {
	case asked && r.State != StateFailedEvents:
		w.wrong("replay.from is for the state %q alone", StateFailedEvents)
	case !asked && r.State == StateFailedEvents && len(w.problems) == 0:
		w.wrong("replay.from is missing: the state %q needs s3://bucket/prefix", StateFailedEvents)
	}
	r.DryRun = r.State == StateDead || r.State == StateDeadRaw
	if w.dryRun != nil {
		r.DryRun = *w.dryRun
	}
	return r
}
