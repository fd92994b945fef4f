// Package generate makes CloudWatch Logs subscription payloads whose every line can be recognised and checked wherever
// it ends up.
//
// It promises the same payloads for the same seed and time, event ids that are unique within a generator, and lines in
// the sizes, scripts and escapes that logs have. It keeps no manifest itself: each payload carries its lines.
package generate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"time"

	"github.com/klauspost/compress/gzip"

	"sluice/e2e/stack/envelope"
)

// Rules a generated line may be dropped by; the names are the delivery contract's.
const (
	RuleEmptyLine      = "empty_line"
	RuleControlMessage = "control_message"
)

// Line is one log event as it went in.
type Line struct {
	Payload string // id of the payload that carries it
	EventID string
	Mark    Mark   // zero when the message carries none
	Message string // kept only when there is no mark to find the line by; may be empty
	Rule    string // the rule it has to be dropped by, "" when it has to be delivered
}

// Payload is one subscription document.
type Payload struct {
	ID       string // unique; its shape is that of a Kinesis sequence number
	Document []byte
	Lines    []Line
}

// Generator makes payloads. It is not safe for use by several goroutines.
type Generator struct {
	random   *rand.Rand
	now      time.Time
	payloads int
	seq      int
}

// New returns a generator whose events happened shortly before now.
func New(seed uint64, now time.Time) *Generator {
	return &Generator{random: rand.New(rand.NewPCG(seed, 0)), now: now}
}

// document is a subscription payload, in the member order CloudWatch Logs writes.
type document struct {
	MessageType         string   `json:"messageType"`
	Owner               string   `json:"owner"`
	LogGroup            string   `json:"logGroup"`
	LogStream           string   `json:"logStream"`
	SubscriptionFilters []string `json:"subscriptionFilters"`
	LogEvents           []event  `json:"logEvents"`
}

type event struct {
	ID      string `json:"id"`
	Millis  int64  `json:"timestamp"`
	Message string `json:"message"`
}

// Payload returns the next payload: n lines of one log stream, every kind of content.
func (g *Generator) Payload(n int) Payload { return g.Filled(n, Mixed) }

// Filled returns the next payload with lines padded by pad.
func (g *Generator) Filled(n int, pad Pad) Payload {
	origin := origins[g.payloads%len(origins)]
	p := Payload{ID: g.nextID()}
	doc := document{
		MessageType:         "DATA_MESSAGE",
		Owner:               origin.owner,
		LogGroup:            origin.group,
		LogStream:           origin.stream,
		SubscriptionFilters: []string{"to-sluice"},
		LogEvents:           make([]event, 0, n),
	}
	for range n {
		e, line := g.line(origin, pad)
		line.Payload = p.ID
		doc.LogEvents = append(doc.LogEvents, e)
		p.Lines = append(p.Lines, line)
	}
	p.Document = encode(doc)
	return p
}

// Control returns the probe CloudWatch Logs sends to a new destination.
func (g *Generator) Control() Payload {
	p := Payload{ID: g.nextID()}
	p.Document = encode(document{
		MessageType:         "CONTROL_MESSAGE",
		Owner:               "CloudwatchLogs",
		SubscriptionFilters: []string{},
		LogEvents: []event{{
			Millis: g.now.UnixMilli(), Message: "CWL CONTROL MESSAGE: Checking health of destination Kinesis stream.",
		}},
	})
	p.Lines = []Line{{Payload: p.ID, Rule: RuleControlMessage}}
	return p
}

// line makes the next log event. Now and then it is empty, as print statements are.
func (g *Generator) line(o origin, pad Pad) (event, Line) {
	g.seq++
	millis := g.now.UnixMilli() - int64(g.random.IntN(60_000))
	id := eventID(millis, g.seq)
	if g.random.IntN(500) == 0 {
		return event{ID: id, Millis: millis}, Line{EventID: id}
	}
	mark := Mark{Src: o.src, Seq: g.seq}
	message := mark.message(pad(g.random), o.tail)
	return event{ID: id, Millis: millis, Message: message}, Line{EventID: id, Mark: mark}
}

// eventID has the shape seen in CloudWatch Logs: 56 digits, milliseconds times 2^144 plus a counter.
func eventID(millis int64, counter int) string {
	id := new(big.Int).Lsh(big.NewInt(millis), 144)
	return id.Add(id, big.NewInt(int64(counter))).String()
}

func (g *Generator) nextID() string {
	g.payloads++
	return fmt.Sprintf("49645780%048d", g.payloads)
}

// encode writes JSON the way CloudWatch Logs does: <, > and & stand as they are.
func encode(doc document) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(doc) // strings and numbers always encode
	return bytes.TrimRight(b.Bytes(), "\n")
}

// Gzip is the document as it travels. The header carries no time, so equal documents give equal bytes.
func (p Payload) Gzip() []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(p.Document) // a buffer does not fail
	_ = w.Close()
	return b.Bytes()
}

// Event is the payload as a direct CloudWatch Logs event.
func (p Payload) Event() ([]byte, error) { return envelope.CloudWatch(p.Gzip()) }

// Record is the payload as a record of a Kinesis stream. Its sequence number is the payload's id.
func (p Payload) Record(shard string, arrived time.Time) envelope.Record {
	return envelope.Record{
		Shard:        shard,
		Sequence:     p.ID,
		PartitionKey: p.ID[len(p.ID)-32:],
		Data:         p.Gzip(),
		Arrived:      arrived,
	}
}
