package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"sluice/e2e/rig"
)

// The actions at a fail point. What they do: package failpoint of the functions.
const (
	exit   = "exit"
	panics = "panic"
	hang   = "hang"
)

func actions() []string { return []string{exit, panics, hang} }

// injection is one event of a plan: the n-th time that a process of a function reaches a point, it ends there.
type injection struct {
	function rig.Function
	process  int // of the function, counts from 1
	point    string
	action   string
	nth      int
}

// String is the injection as the functions read it, with the process it is for.
func (i injection) String() string {
	return fmt.Sprintf("%s#%d %s", i.function, i.process, i.variable())
}

func (i injection) variable() string { return fmt.Sprintf("%s:%s:%d", i.point, i.action, i.nth) }

// feed is what one entry gets.
type feed struct {
	entry   rig.Entry
	events  int
	lines   int  // of each
	spoiled bool // no line of it can be read
}

// reading is how the bucket of logs hands over objects.
type reading int

const (
	steady  reading = iota
	halting         // with two long pauses, so that batches are durable before the object is read to its end
	stalled         // the first time, with one that outlasts the deadline
)

// plan is one run of the system from its start to its audit: what comes in, what goes wrong, what is injected. It is data, so
// that it can be printed, repeated and made smaller.
type plan struct {
	name       string
	seed       uint64
	feeds      []feed
	injections []injection

	outage       bool // every destination is down until the owners have nothing left
	replayOutage bool // likewise during the first run of replay
	oneDown      bool // there are two destinations, and only the second one fails
	poisoned     bool // the destination never takes one of the lines
	reading      reading
	noQueue      bool // the rest of an object cannot be handed to a queue
	plain        bool // the transformation of the delivery stream does not deliver
	broken       bool // the park store has an object that is no sound one
	impatient    bool // the mapping of the stream gives a batch up after its second attempt
}

// lines is how many come in.
func (p *plan) lines() int {
	n := 0
	for _, f := range p.feeds {
		n += f.events * f.lines
	}
	return n
}

// String is all that a person needs to see what a plan does.
func (p *plan) String() string {
	var b strings.Builder
	for _, f := range p.feeds {
		fmt.Fprintf(&b, "%s: %d x %d lines; ", f.entry, f.events, f.lines)
	}
	for _, trouble := range []struct {
		name string
		is   bool
	}{
		{"outage", p.outage},
		{"outage in replay", p.replayOutage},
		{"one destination down", p.oneDown},
		{"a line that is refused", p.poisoned},
		{"halting reads", p.reading == halting},
		{"a stalled read", p.reading == stalled},
		{"no queue", p.noQueue},
		{"no tee", p.plain},
		{"a broken object", p.broken},
		{"one retry", p.impatient},
	} {
		if trouble.is {
			b.WriteString(trouble.name + "; ")
		}
	}
	fmt.Fprintf(&b, "faults: %v", p.injections)
	return b.String()
}

// Times of a run. Of a short deadline, the functions keep half back.
const (
	ingestTimeout = 8 * time.Second
	replayTimeout = 10 * time.Second // a run of replay begins an object only when it may send for 3 s more
	askedToWait   = 6 * time.Second  // longer than any attempt may wait: a batch is given up at once
	halt          = 600 * time.Millisecond
)

// loweredBytes is from how many bytes on an object has a progress marker, and after how many bytes each.
const loweredBytes = 16 << 10

// settle is how long the owner of an event waits before a new process gets it: what the one before it has sent may still be on
// its way into the intakes. A service waits longer.
const settle = 300 * time.Millisecond

// armed is what a process of a function is started with.
func (p *plan) armed(f rig.Function, process int) map[string]string {
	if process > 1 {
		time.Sleep(settle)
	}
	env := map[string]string{}
	for _, i := range p.injections {
		if i.function == f && i.process == process {
			env = rig.FailAt(i.variable())
		}
	}
	env["SLUICE_FAILPOINT_BYTES"] = strconv.Itoa(loweredBytes)
	return env
}

// options are those of the rig that plays the plan.
func (p *plan) options() rig.Options {
	o := rig.Options{
		Name: p.name, Seed: p.seed, Timeout: ingestTimeout, ReplayTimeout: replayTimeout, EachStart: p.armed,
		Pad: pad, Env: map[string]string{}, Destinations: p.destinations(),
	}
	if p.noQueue {
		o.Env["SLUICE_CONTINUE_QUEUE"] = ""
	}
	if p.plain {
		o.FunctionEnv = map[rig.Function]map[string]string{rig.FirehoseFunction: {"SLUICE_FIREHOSE_TEE": ""}}
	}
	if p.impatient {
		o.Mapping.MaxRetries = 1
	}
	return o
}

// The destinations. The usual one takes few lines in a request, so that an event of few lines is several batches; the one
// that fails alone takes all of an event.
const (
	usual   = "main"
	failing = "second"
)

func (p *plan) destinations() []rig.Destination {
	list := []rig.Destination{{ID: usual, HTTP: true, Settings: []string{fmt.Sprintf("max_records: %d", batchLines)}}}
	if p.oneDown {
		list = append(list, rig.Destination{ID: failing})
	}
	return list
}
