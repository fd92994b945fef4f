package main

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"sluice/e2e/generate"
	"sluice/e2e/rig"
	"sluice/e2e/stack"
	"sluice/e2e/stack/notify"
)

// F24.
func trifles() row {
	return row{
		id: "F24", fault: "empty payloads, records and objects, headers alone, s3:TestEvent, keys of folders",
		end: "success, and a rule with a name for each",
		cells: []cell{
			{
				on: []path{cloudWatch}, what: "no events; no records", feed: among(noEvents, invoked(`{"Records":[]}`)),
				then: []expectation{acknowledged, deliveredAtOnce, deliveredAll},
			},
			{
				on: []path{kinesis}, what: "no data; no records; no events", feed: among(noData, noEvents, invoked(`{"Records":[]}`)),
				then: []expectation{acknowledged, deliveredAtOnce, neverDead, deliveredAll},
			},
			{
				on: []path{transform, tee}, what: "no data; no events", feed: among(noData, noEvents),
				then: []expectation{acknowledged, deliveredAtOnce, neverDead, deliveredAll},
			},
			{
				on: ofObjects(), short: []path{s3Queue}, what: "seven of them", feed: among(emptyObjects),
				then: []expectation{
					acknowledged, deliveredAtOnce, neverDead, deliveredAll,
					droppedAs(map[string]int{"empty_line": 4, "s3_test_event": 1, "not_object_created": 1, "header_line": 1}),
				},
			},
			{
				on: []path{replay}, short: []path{replay}, what: "nothing is parked", feed: nothing, deliver: replayNothing,
				then: []expectation{func(r *run) {
					r.expect(r.mid.ReplayInvocations == 2 && r.mid.Requests == 0, "%d replays, %d requests", r.mid.ReplayInvocations, r.mid.Requests)
				}},
			},
		},
	}
}

// droppedAs wants lines dropped by these rules alone.
func droppedAs(want map[string]int) expectation {
	return func(r *run) {
		got := r.dropped()
		r.expect(maps.Equal(got, want), "dropped %s instead of %s", shown(got), shown(want))
	}
}

// noEvents sends a document without log events.
func noEvents(r *run) error {
	return r.Send(r.ctx, r.source(), rig.Payload{ID: "no-events", Data: packed(subscription("checkout", nil))})
}

// noData sends a record without a byte.
func noData(r *run) error {
	return r.Send(r.ctx, r.source(), rig.Payload{ID: "no-data", Data: []byte{}})
}

// invoked invokes the function with an event that its owner would not make. It has to succeed, or to be kept.
func invoked(event string) step {
	return func(r *run) error {
		r.spoiled++
		id := "event " + event
		r.Expect(rig.Payload{ID: id, Data: []byte(event)})
		function, err := r.Function(r.path.function())
		if err != nil {
			return err
		}
		result, err := function.Invoke(r.ctx, []byte(event))
		if err != nil {
			return err
		}
		r.expect(result.Error == nil, "the event %s was answered with %v", event, result.Error)
		return nil
	}
}

// emptyObjects announces what is in no need of being read.
func emptyObjects(r *run) error {
	e := r.path.entry()
	header := "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"
	for key, body := range map[string][]byte{
		"app/empty.log": {}, "app/empty.log.gz": packed(nil), "app/folder/": {}, "app/newline.log": []byte("\n"),
		flowLogKey: packed([]byte(header)),
	} {
		put, err := r.S3.PutObject(r.ctx, r.LogBucket, key, bytes.NewReader(body))
		if err != nil {
			return err
		}
		if err := r.Announce(e, notify.Native(put)); err != nil {
			return err
		}
	}
	removed := notify.Object{Bucket: r.LogBucket, Key: "app/removed.log", Time: time.Now()}
	for _, body := range [][]byte{notify.TestEvent(r.LogBucket, time.Now()), notify.Removed(removed), []byte(`{"Records":[]}`)} {
		if err := r.Announce(e, body); err != nil {
			return err
		}
	}
	return nil
}

const flowLogKey = "AWSLogs/123456789012/vpcflowlogs/eu-west-1/2026/02/01/" +
	"123456789012_vpcflowlogs_eu-west-1_fl-0123456789abcdef0_20260201T0000Z_01234567.log.gz"

// replayNothing replays by hand and as the scheduler does.
func replayNothing(r *run) error {
	for _, event := range []string{rig.PendingEvent, rig.ScheduledEvent} {
		result, err := r.InvokeReplay(r.ctx, event)
		if err != nil {
			return err
		}
		r.expect(result.Error == nil, "a replay of nothing was answered with %v", result.Error)
	}
	return nil
}

// F26.
func forgeries() row {
	return row{
		id: "F26", fault: "events that nobody knows; announcements with another bucket, owner or region; payloads of another account",
		end: "kept as they came; dropped(not_allowed_source) without a GET; no region of a message becomes a host",
		cells: []cell{
			{
				on: []path{cloudWatch, kinesis}, short: []path{cloudWatch}, what: "an unknown event", feed: among(invokedRaw(`{"detail":{"a":1}}`)),
				then: []expectation{acknowledged, othersDelivered, rawObjects(1)},
			},
			{
				on: ofObjects(), short: []path{s3Direct}, what: "bucket, owner, region; an unknown event", feed: among(forged),
				then: []expectation{acknowledged, othersDelivered, unknownKept, nothingAsked, func(r *run) {
					got := r.dropped()[ruleNotAllowed]
					r.expect(got == 2, "%d announcements dropped as %s instead of 2", got, ruleNotAllowed)
				}},
			},
			{
				on: slices.Concat(ofPayloads(), ofObjects()), short: []path{kinesis, transform}, what: "a payload of another account",
				options: owned, feed: among(sent(foreign)),
				then: []expectation{acknowledged, deliveredAtOnce, deliveredAll, neverDead, droppedBy(ruleNotAllowed, spoiledLines)},
			},
		},
		not: []exception{
			{[]path{replay}, "only the scheduler and people invoke it; unit tests have what it refuses"},
		},
	}
}

// invokedRaw is invoked with an event that stands for a line.
func invokedRaw(event string) step {
	return func(r *run) error {
		r.Expect(rig.Payload{ID: "raw", Data: []byte(event), Lines: []generate.Line{{Message: "raw " + event}}})
		return invoked(event)(r)
	}
}

const (
	foreignBucket = "someone-elses-logs"
	forgedKey     = "app/forged.log"
	foreignOwner  = "999999999999"
	knownOwners   = stack.Account + ",111122223333" // of the lines that are usual
	forgedRegion  = "attacker.example.com"
)

// forged announces what must not be read, and an event that says nothing.
func forged(r *run) error {
	object := notify.Object{Bucket: r.LogBucket, Key: forgedKey, Size: 100, ETag: "0123456789abcdef0123456789abcdef", Time: time.Now()}
	elsewhere := object
	elsewhere.Bucket = foreignBucket
	owner := bytes.ReplaceAll(notify.EventBridge(object), []byte(stack.Account), []byte(foreignOwner))
	unknown := []byte(`{"detail":{"a":1}}`)
	r.spoiled++
	r.Expect(rig.Payload{ID: "raw", Data: unknown, Lines: []generate.Line{{Message: string(unknown)}}})
	e := r.path.entry()
	for _, body := range [][]byte{notify.Native(elsewhere), owner} {
		if err := r.Announce(e, body); err != nil {
			return err
		}
	}
	if err := r.Announce(e, unknown, "raw"); err != nil {
		return err
	}
	p := r.Next(e, spoiledLines)
	p.Key = "app/region.log.gz"
	put, err := r.Put(r.ctx, p)
	if err != nil {
		return err
	}
	r.Expect(p)
	return r.Announce(e, bytes.ReplaceAll(notify.Native(put), []byte(`"`+stack.Region+`"`), []byte(`"`+forgedRegion+`"`)), p.ID)
}

const ruleNotAllowed = "not_allowed_source"

// owned allows the accounts of the lines that are usual.
func owned(_ *run, o *rig.Options) error {
	o.Env = map[string]string{"SLUICE_ALLOWED_OWNERS": knownOwners}
	return nil
}

// foreign is a payload of an account that is not allowed.
func foreign(r *run) rig.Payload {
	var p generate.Payload
	r.Generate(func(g *generate.Generator, pad generate.Pad) { p = whole(g, pad) })
	for i := range p.Lines {
		p.Lines[i].Rule = ruleNotAllowed
	}
	const owner = `"owner":"`
	head, tail, _ := bytes.Cut(p.Document, []byte(owner))
	document := slices.Concat(head, []byte(owner+foreignOwner), tail[len(foreignOwner):])
	return rig.Payload{ID: p.ID, Data: packed(document), Lines: p.Lines}
}

// unknownKept wants an event that nobody knows kept as it came. A message of a queue that announces nothing is a log itself.
func unknownKept(r *run) {
	if r.path == s3Queue {
		deliveredAll(r)
		return
	}
	rawObjects(1)(r)
}

// nothingAsked wants no request for what was forged, and the owner named with each.
func nothingAsked(r *run) {
	for _, q := range r.S3.Requests() {
		r.expect(q.Bucket != foreignBucket && q.Key != forgedKey, "%s s3://%s/%s was asked for", q.Method, q.Bucket, q.Key)
		if q.Method == http.MethodGet && q.Bucket == r.LogBucket && !strings.Contains(q.Query, "list-type") {
			r.expect(q.ExpectedOwner == stack.Account, "a GET of %s names the owner %q", q.Key, q.ExpectedOwner)
		}
	}
}
