package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"sluice/e2e/audit"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/owner"
)

const (
	replayAgent = "aws-sdk-go-v2/1.39.0 ua/2.1 exec-env/AWS_Lambda_provided.al2023-replay m/E"
	otherAgent  = "aws-sdk-go-v2/1.39.0 ua/2.1 exec-env/AWS_Lambda_provided.al2023-kinesis m/E"
)

// asks is a request of replay for the park bucket.
func asks(second float64, method, key string, status int) bucket.Request {
	return bucket.Request{Status: status, Count: 50, Arrival: bucket.Arrival{
		At: at(second), Method: method, Bucket: "example-park", Key: parkRoot + key, Agent: replayAgent,
	}}
}

// reads is a request of replay for an object.
func reads(second float64, key string) bucket.Request {
	return bucket.Request{Status: 200, Arrival: bucket.Arrival{
		At: at(second), Method: "GET", Bucket: "example-logs", Key: key, Agent: replayAgent,
	}}
}

func pointer(q bucket.Request) bucket.Request {
	q.Count = 0
	return q
}

func by(agent string, q bucket.Request) bucket.Request {
	q.Agent = agent
	return q
}

// The batch MZXW is of payload a and the start of b, and was sent as two halves by a replay from second 20 to 30.
func TestKeeping(t *testing.T) {
	const (
		old     = "pending/main/1769947100-MZXW.a01.jsonl.gz"
		part    = "pending/main/1769947200-MZXW.p0123456789ab.a02.jsonl.gz"
		dead    = "dead/main/http_400/2026/02/01/MZXW.p0123456789ab.a02.jsonl.gz"
		other   = "pending/main/1769947200-NBSW.a02.jsonl.gz" // of a batch that has come nowhere
		pointed = "pending/main/1769947200-ONXW.a02.jsonl.gz"
	)
	type requests = []bucket.Request
	both := []string{"a", "b"}
	for name, tc := range map[string]struct {
		requests requests
		ended    bool
		kept     []string
		doubled  []string
	}{
		"nothing is refused":               {requests: requests{asks(21, "PUT", part, 200), asks(22, "DELETE", old, 204)}},
		"the rest is refused":              {requests: requests{asks(21, "PUT", part, 500), asks(22, "PUT", part, 503)}, kept: both},
		"the rest is refused at first":     {requests: requests{asks(21, "PUT", part, 503), asks(22, "PUT", part, 200), asks(23, "DELETE", old, 204)}},
		"the rest is there already":        {requests: requests{asks(21, "PUT", part, 412), asks(22, "DELETE", old, 204)}},
		"the rest of another batch":        {requests: requests{asks(21, "PUT", other, 503)}},
		"the rest is refused to another":   {requests: requests{by(otherAgent, asks(21, "PUT", part, 503))}},
		"the rest is refused before":       {requests: requests{asks(19, "PUT", part, 503)}},
		"the rest is refused after":        {requests: requests{asks(31, "PUT", part, 503)}},
		"it cannot be read":                {requests: requests{asks(21, "GET", old, 503)}},
		"a lease is refused":               {requests: requests{asks(21, "PUT", "lease/MZXW.json", 503)}},
		"what is dead is refused":          {requests: requests{asks(21, "PUT", dead, 503)}, kept: both},
		"a part is parked, one is refused": {requests: requests{asks(21, "PUT", part, 200), asks(22, "PUT", dead, 503)}, kept: both, doubled: both},
		"it cannot be deleted":             {requests: requests{asks(21, "DELETE", old, 503)}, kept: both},
		"the rest is parked, and the old one cannot be deleted": {
			requests: requests{asks(21, "PUT", part, 200), asks(22, "DELETE", old, 503)}, kept: both, doubled: both,
		},
		"killed before the rest is parked":        {requests: requests{asks(21, "GET", old, 200)}, ended: true},
		"killed when the rest was parked":         {requests: requests{asks(21, "PUT", part, 200)}, ended: true, doubled: both},
		"killed while the rest was parked":        {requests: requests{asks(21, "PUT", part, 0)}, ended: true, doubled: both},
		"killed while it was deleted":             {requests: requests{asks(21, "PUT", part, 200), asks(22, "DELETE", old, 0)}, ended: true, doubled: both},
		"killed when it was deleted":              {requests: requests{asks(21, "PUT", part, 200), asks(22, "DELETE", old, 204)}, ended: true},
		"killed with the rest of another batch":   {requests: requests{asks(21, "PUT", other, 200)}, ended: true},
		"items are refused, and a pointer is not": {requests: requests{reads(20, keyOf("c")), asks(21, "PUT", part, 503)}, kept: both},
		"a pointer is refused": {
			requests: requests{reads(20, keyOf("c")), pointer(asks(21, "PUT", pointed, 503))}, kept: []string{"c"},
		},
		"a pointer to an object of a delivery stream is refused": {
			requests: requests{reads(20, "failed/x"), pointer(asks(21, "PUT", pointed, 503))}, kept: []string{"b", "c"},
		},
		"some batches of what a pointer names are parked, one is refused": {
			requests: requests{asks(21, "PUT", "pending/main/1769947200-PEER.a01.jsonl.gz", 200), asks(22, "PUT", part, 503)}, kept: both, doubled: []string{"b"},
		},
		"all batches of what a pointer names are parked": {
			requests: requests{asks(21, "PUT", "pending/main/1769947200-PEER.a01.jsonl.gz", 200), asks(22, "PUT", part, 200), asks(23, "DELETE", pointed, 204)},
		},
		"killed then": {
			requests: requests{asks(21, "PUT", "pending/main/1769947200-PEER.a01.jsonl.gz", 200), asks(22, "PUT", part, 200)}, ended: true,
			doubled: both,
		},
		"a pointer is refused, and the object was read earlier": {
			requests: requests{reads(19, keyOf("c")), pointer(asks(21, "PUT", pointed, 503))},
		},
	} {
		t.Run(name, func(t *testing.T) {
			replays := []audit.Replay{
				{Delivery: owner.Delivery{Started: at(0), Finished: at(10)}}, {Delivery: owner.Delivery{Started: at(20), Finished: at(30)}},
			}
			if tc.ended {
				replays[1].Outcome = owner.Ended
			}
			k := keeping{
				requests: tc.requests, park: "example-park", log: "example-logs", payloads: threePayloads(),
				intake:    []arrival{brings("MZXW.0", 20.5, lines(1, 60)), brings("MZXW", 40, lines(1, 100), lines(111, 20)), brings("PEER", 41, lines(131, 9))},
				announced: map[string][]string{"failed/x": {"b", "c"}},
			}

			k.note(replays)

			assert.Empty(t, replays[0].Kept)
			assert.Empty(t, replays[0].Doubled)
			assert.ElementsMatch(t, tc.kept, replays[1].Kept)
			assert.ElementsMatch(t, tc.doubled, replays[1].Doubled)
		})
	}
}

func TestBatchOf(t *testing.T) {
	for key, want := range map[string]string{
		parkRoot + "pending/main/1769947200-MZXW.a01.jsonl.gz":                 "MZXW",
		parkRoot + "pending/main/1769947200-MZXW.0.p0123456789ab.a03.jsonl.gz": "MZXW",
		parkRoot + "dead/main/exhausted/2026/02/01/MZXW.a13.jsonl.gz":          "MZXW",
		parkRoot + "lease/MZXW.json":                                           "",
		parkRoot + "breaker/main.json":                                         "",
		"aws/lambda/async/sluice-kinesis/x":                                    "",
		parkRoot + "pending":                                                   "",
	} {
		assert.Equal(t, want, batchOf(key), key)
	}
}

// A replay that delivers a half of a parked batch, and can neither deliver nor park the other one, leaves the object as it
// was: the next replay sends all of it.
func TestJoinOfAnObjectThatWasKept(t *testing.T) {
	half := brings("MZXW.0", 21, lines(1, 50))
	all := brings("MZXW", 41, lines(1, 100))
	half.sender, all.sender = replaySender, replaySender
	e := delivered()
	e.intake = append(e.intake[1:], half, all)
	e.replays = []audit.Replay{
		{Delivery: owner.Delivery{Started: at(20), Finished: at(30), Outcome: owner.Taken}},
		{Delivery: owner.Delivery{Started: at(40), Finished: at(50), Outcome: owner.Taken}},
	}
	assert.Equal(t, map[audit.Class]int{audit.Unexplained: 50}, e.join(1).Duplicates, "nothing was refused")

	e.replays[0].Kept = []string{"a"}
	c := e.join(1)
	assert.Equal(t, map[audit.Class]int{audit.D3: 50}, c.Duplicates)
	assert.Equal(t, 300, c.Delivered)
	assert.Empty(t, c.Problems)
}
