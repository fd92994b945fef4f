package rig

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/delivery"
	"sluice/e2e/stack/envelope"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/notify"
	"sluice/e2e/stack/owner"
	"sluice/e2e/stack/secretstore"
	"sluice/e2e/stack/sqs"
)

const (
	parkPrefix = "sluice"
	parkRoot   = parkPrefix + "/v1/"
	queueName  = "log-objects"
	mappingID  = "01234567-89ab-4cde-8f01-23456789abcd"
	shardID    = "shardId-000000000000"
)

// Rig is one whole system. The stand-ins are public, so that they can be scripted and asked; what they may be asked while
// something runs, they say themselves. Feeding and draining one entry is for one goroutine at a time; different entries,
// Replay, Kill and the scripts may be used at once.
type Rig struct {
	S3          *bucket.Server // this rig's own endpoint: its script and log concern nobody else
	SecretStore *secretstore.Server
	SQS         *sqs.Server
	LogBucket   string
	ParkBucket  string

	// The owners of events. They are no concern of who only feeds and drains.
	Async   *owner.Async // of CloudWatch
	Mapping *owner.Mapping
	Objects *owner.Async // of S3
	Queue   *owner.Queue // of S3Queue, of what is left of objects, and of what Firehose failed with
	Stream  *delivery.Stream

	lab      *Lab
	options  Options
	intakes  map[string]*intake.Server // by destination
	keys     [senders]string           // API keys, by sender
	used     []string                  // every key there has been
	canary   string                    // in every line
	queueURL string
	started  time.Time

	mu        sync.Mutex // guards what follows
	functions map[Function]*stack.Function
	generate  *generate.Generator
	lines     []generate.Line
	shard     []envelope.Record // not drained
	objects   []stored
	raw       map[[sha256.Size]byte][]string // payload ids, by the bytes they may be kept as
	told      []told                         // messages, of which a part may be kept so
	given     map[string][sha256.Size]byte   // what Lambda gave up, by its key
	replays   []audit.Replay

	replaying    int     // replays at work
	endedReplays int     // since leases were last made to end
	expired      int     // how often leases were made to end under a replay at work
	faults       []error // that came up where no error can be returned

	turns map[Entry]*sync.Mutex // held while an entry is drained
}

// New makes a rig. Close it.
func (l *Lab) New(ctx context.Context, o Options) (*Rig, error) {
	o.setDefaults()
	n := l.rigs.Add(1)
	r := &Rig{
		lab: l, options: o, started: time.Now(),
		LogBucket: fmt.Sprintf("example-logs-%d", n), ParkBucket: fmt.Sprintf("example-park-%d", n),
		intakes: map[string]*intake.Server{}, functions: map[Function]*stack.Function{},
		generate: generate.New(o.Seed, o.EventTime), raw: map[[sha256.Size]byte][]string{}, given: map[string][sha256.Size]byte{},
		canary: "canary/" + randomHex(8) + "%+payload", turns: map[Entry]*sync.Mutex{},
	}
	for _, entry := range Entries() {
		r.turns[entry] = new(sync.Mutex)
	}
	r.newKeys()
	err := r.serve(ctx)
	if err == nil {
		err = r.own()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("set up %s: %w", o.Name, err), r.Close())
	}
	return r, nil
}

// newKeys makes API keys that nobody has had.
func (r *Rig) newKeys() {
	for i := range r.keys {
		r.keys[i] = randomHex(16)
	}
	r.used = append(r.used, r.keys[:]...)
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return hex.EncodeToString(b)
}

// serve starts what the functions talk to.
func (r *Rig) serve(ctx context.Context) error {
	var err error
	if r.S3, err = r.lab.s3.Door(); err != nil { //nolint:contextcheck // ctx is for the start, not for requests
		return err
	}
	for _, name := range []string{r.LogBucket, r.ParkBucket} {
		if err := r.S3.CreateBucket(ctx, name, r.options.Versioned && name == r.LogBucket); err != nil {
			return err
		}
	}
	if r.SecretStore, err = secretstore.Start(); err != nil {
		return err
	}
	r.putKeys()
	if r.SQS, err = sqs.Start(); err != nil {
		return err
	}
	r.queueURL = r.SQS.Queue(queueName, r.proceed)
	for _, d := range r.options.Destinations {
		if r.intakes[d.ID], err = r.startIntake(d); err != nil {
			return err
		}
	}
	return nil
}

// putKeys tells the secret store the keys.
func (r *Rig) putKeys() {
	for i, key := range r.keys {
		r.SecretStore.Put(fmt.Sprintf("%s-%d", secretName, i), key)
	}
}

func (r *Rig) startIntake(d Destination) (*intake.Server, error) {
	var s *intake.Server
	var err error
	switch {
	case d.HTTP:
		s, err = intake.StartHTTP()
	case d.TLS != nil:
		s, err = intake.StartDatadogTLS(d.TLS, r.keys[:]...)
	default:
		s, err = intake.StartDatadog(r.keys[:]...)
	}
	if err != nil {
		return nil, err
	}
	if r.options.Compact {
		s.Compact()
	}
	return s, nil
}

// own puts the owners of events in front of the functions.
func (r *Rig) own() error {
	keep := func(f Function) *owner.OnFailure {
		return &owner.OnFailure{Store: keeper{r}, Bucket: r.ParkBucket, Function: "sluice-" + string(f)}
	}
	r.Async = owner.NewAsync(invoker{r, CloudWatchFunction}, r.options.Async)
	r.Async.OnFailure = keep(CloudWatchFunction)
	r.Objects = owner.NewAsync(invoker{r, ObjectFunction}, r.options.Async)
	r.Objects.OnFailure = keep(ObjectFunction)

	mapping := r.options.Mapping
	mapping.Stream = envelope.Stream{
		ARN:    "arn:aws:kinesis:" + stack.Region + ":" + stack.Account + ":stream/logs",
		Region: stack.Region,
		Role:   "arn:aws:iam::" + stack.Account + ":role/sluice-kinesis",
	}
	mapping.Bisect = !r.options.NoBisect
	mapping.OnFailure = keep(KinesisFunction)
	mapping.OnFailure.Mapping = mappingID
	r.Mapping = owner.NewMapping(invoker{r, KinesisFunction}, mapping)

	queue := r.options.Queue
	queue.Queue = envelope.Queue{ARN: "arn:aws:sqs:" + stack.Region + ":" + stack.Account + ":" + queueName, Region: stack.Region}
	r.Queue = owner.NewQueue(invoker{r, ObjectFunction}, queue)

	var err error
	r.Stream, err = delivery.New(delivery.Config{
		Name: "logs", Seed: r.options.Seed, Transform: &delivery.Transform{Function: invoker{r, FirehoseFunction}},
		Objects: delivery.Objects{Store: r.S3, Bucket: r.LogBucket, Prefix: "delivered/", ErrorPrefix: "failed/!{firehose:error-output-type}/"},
		Written: r.written,
	})
	if err != nil {
		return fmt.Errorf("make a delivery stream: %w", err)
	}
	return nil
}

// keeper is where Lambda puts what it gives up. It goes past every fault.
type keeper struct{ *Rig }

// PutObject remembers what it puts: replay may keep that as input that could not be read.
func (k keeper) PutObject(
	ctx context.Context, name, key string, body io.Reader, changes ...func(*s3.PutObjectInput),
) (notify.Object, error) {
	text, err := io.ReadAll(body)
	if err != nil {
		return notify.Object{}, fmt.Errorf("read what is to be kept at %s: %w", key, err)
	}
	k.mu.Lock()
	k.given[key] = sha256.Sum256(text)
	k.mu.Unlock()
	return k.S3.PutObject(ctx, name, key, bytes.NewReader(text), changes...)
}

// invoker is a function as its owner sees it: built and started when it is needed, and another one after a change of its
// settings.
type invoker struct {
	rig  *Rig
	name Function
}

func (i invoker) Invoke(ctx context.Context, payload []byte, opts ...stack.Option) (stack.Result, error) {
	function, err := i.rig.Function(i.name) //nolint:contextcheck // a build is for all rigs
	if err != nil {
		return stack.Result{}, err
	}
	result, err := function.Invoke(ctx, payload, opts...)
	return afterPanic(function, result, err)
}

// Function is a function of the rig, built now unless it was. Its process starts with its first event.
func (r *Rig) Function(f Function) (*stack.Function, error) {
	r.mu.Lock()
	function := r.functions[f]
	r.mu.Unlock()
	if function != nil {
		return function, nil
	}
	binary, err := r.lab.binary(f) // which may take long
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.functions[f] == nil {
		if r.functions[f], err = r.newFunction(f, binary); err != nil {
			return nil, err
		}
	}
	return r.functions[f], nil
}

// running are the functions that have had an event.
func (r *Rig) running() map[Function]*stack.Function {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := map[Function]*stack.Function{}
	for name, function := range r.functions {
		if function.Usage().Starts > 0 {
			list[name] = function
		}
	}
	return list
}

// Kill ends the process of a function at once. One that has none is left alone.
func (r *Rig) Kill(f Function) error {
	if function := r.running()[f]; function != nil {
		return function.Kill()
	}
	return nil
}

// Configure changes the settings that functions are started with, and ends their processes: the next event of each starts
// one with the new settings. What concerns the stand-ins and owners stays as it was.
func (r *Rig) Configure(change func(*Options)) error {
	r.mu.Lock()
	change(&r.options)
	for name, function := range r.functions {
		function.Configure(r.env(name))
	}
	r.mu.Unlock()
	return r.killAll()
}

// killAll ends all processes.
func (r *Rig) killAll() error {
	running := r.running()
	faults := make([]error, 0, len(running))
	for name := range running {
		faults = append(faults, r.Kill(name))
	}
	return errors.Join(faults...)
}

// Rotate has the intakes accept new API keys alone. The secret store has them too, if told is true.
func (r *Rig) Rotate(told bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.newKeys()
	for _, s := range r.intakes {
		s.SetKeys(r.keys[:]...)
	}
	if told {
		r.putKeys()
	}
}

// Intake is that of a destination, or of the only one when none is named.
func (r *Rig) Intake(destination ...string) *intake.Server {
	if len(destination) == 0 {
		return r.intakes[r.options.Destinations[0].ID]
	}
	return r.intakes[destination[0]]
}

// Outage has every destination answer 503, until Heal.
func (r *Rig) Outage() {
	for _, s := range r.intakes {
		s.SetScript(intake.Always(intake.Refuse(503)))
	}
}

// Heal ends every fault: scripts, what is down, what hangs, and a rotation that nobody was told of.
func (r *Rig) Heal() error {
	faults := make([]error, 0, 2+len(r.intakes))
	faults = append(faults, r.S3.Up(), r.SQS.Up())
	r.S3.SetScript(bucket.Always(bucket.Step{}))
	r.SQS.SetScript(nil)
	r.SecretStore.SetScript(nil)
	r.putKeys()
	for _, s := range r.intakes {
		faults = append(faults, s.Up())
		s.SetScript(intake.Always(intake.Step{}))
	}
	return errors.Join(faults...)
}

// Close ends all processes and stand-ins, and removes the buckets.
func (r *Rig) Close() error {
	var faults []error
	r.mu.Lock()
	functions := r.functions
	r.mu.Unlock()
	for _, s := range r.intakes {
		s.Release()
	}
	for _, function := range functions {
		faults = append(faults, function.Close())
	}
	for _, s := range r.intakes {
		faults = append(faults, s.Close())
	}
	if r.SQS != nil {
		faults = append(faults, r.SQS.Close())
	}
	if r.SecretStore != nil {
		faults = append(faults, r.SecretStore.Close())
	}
	if r.S3 != nil {
		faults = append(faults, r.S3.Close(), r.S3.RemoveBucket(r.LogBucket), r.S3.RemoveBucket(r.ParkBucket))
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("close %s: %w", r.options.Name, err)
	}
	return nil
}

// fault remembers an error that came up where none can be returned.
func (r *Rig) fault(err error) {
	if err == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, err)
}
