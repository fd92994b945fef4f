package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sluice/e2e/audit"
	"sluice/e2e/rig"
	"sluice/e2e/stack"
	"sluice/e2e/stack/delivery"
	"sluice/e2e/stack/notify"
	"sluice/e2e/stack/owner"
)

const (
	destination = "main"
	secretName  = "soak/api-key"
	queueName   = "log-objects" // of the rig: what functions send to it is taken here
	lifeName    = "SOAK_PROCESS"

	// timeout of an invocation: a slow intake makes large objects longer than that.
	timeout = 12 * time.Second

	ingestSender = 0
	replaySender = 1
)

// queueFunction is functions/s3 once more, with a process of its own, for objects that are announced through a queue.
var queueFunction = rig.ObjectFunction.Environment(2)

// functions are all that have a process.
func functions() []rig.Function {
	return []rig.Function{
		rig.CloudWatchFunction, rig.KinesisFunction, rig.FirehoseFunction, rig.ObjectFunction, queueFunction, rig.ReplayFunction,
	}
}

// system is everything that runs: a rig whose functions send to a sink, with a delivery stream and a queue of our own.
type system struct {
	lab      *rig.Lab
	rig      *rig.Rig
	sink     *sink
	archived *arrivals // at the end of the delivery stream
	manifest *manifest

	failed atomic.Int64 // objects of what Firehose failed with

	mu        sync.Mutex // guards what follows
	keys      [2]string  // API keys, by sender
	configs   int        // settings so far
	announced map[string]notify.Object
	replays   []audit.Replay
	answers   map[string]string // of replays, by request id
	lives     []moment          // starts and ends of processes
}

// open builds and starts everything but the processes of the functions. Close it.
func open(ctx context.Context, seed uint64) (*system, error) {
	s := &system{archived: &arrivals{}, manifest: &manifest{}, announced: map[string]notify.Object{}, answers: map[string]string{}}
	s.newKeys()
	err := s.start(ctx, seed)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *system) start(ctx context.Context, seed uint64) error {
	var err error
	if s.sink, err = startSink(s.keys[:]...); err != nil { //nolint:contextcheck // ctx is for the start, not for requests
		return err
	}
	if s.lab, err = rig.Open(ctx, rig.LabOptions{}); err != nil {
		return err
	}
	if err := s.lab.Build(); err != nil { //nolint:contextcheck // a build is used by others too
		return err
	}
	s.rig, err = s.lab.New(ctx, rig.Options{
		Name: "soak", Seed: seed,
		Env:         s.settings(ingestSender),
		FunctionEnv: s.settingsOf(),
		EachStart: func(f rig.Function, number int) map[string]string {
			s.live("process %s/%d starts", f, number)
			return map[string]string{lifeName: string(f) + "/" + strconv.Itoa(number)}
		},
		Timeout: timeout, Async: seconds(1), Mapping: owner.MappingConfig{Backoff: seconds(0.2)},
	})
	if err != nil {
		return err
	}
	s.tellKeys()
	return s.own(seed) //nolint:contextcheck // everything is built
}

// seconds is a backoff that grows by so much with every attempt.
func seconds(each float64) owner.Backoff {
	return func(attempt int) time.Duration {
		return time.Duration(float64(attempt-1) * each * float64(time.Second))
	}
}

// own puts a queue and a delivery stream of our own in the place of the rig's: the queue has a process for itself, and the
// stream delivers into the archive, with nothing sent by its transformation. A transformation that was killed is not
// invoked again, so that its records come back as an object.
func (s *system) own(seed uint64) error {
	function, err := s.rig.Function(queueFunction)
	if err != nil {
		return err
	}
	s.rig.Queue = owner.NewQueue(function, owner.QueueConfig{Seed: seed, Visibility: func(receive int) time.Duration {
		return time.Second << max(0, receive-2)
	}})
	s.rig.SQS.Queue(queueName, s.proceed)

	transform, err := s.rig.Function(rig.FirehoseFunction)
	if err != nil {
		return err
	}
	s.rig.Stream, err = delivery.New(delivery.Config{
		Name: "logs", Seed: seed, Transform: &delivery.Transform{Function: transform, Retries: -1},
		Objects: delivery.Objects{
			Store:  &archive{store: s.rig.S3, arrivals: s.archived, now: time.Now},
			Bucket: s.rig.LogBucket, Prefix: deliveredPrefix, ErrorPrefix: failedPrefix + "!{firehose:error-output-type}/",
		},
		Written: func(w delivery.Written) {
			if w.Kind != delivery.Delivered {
				_ = s.announce(w.Object, w.Payloads...) // a short text that the queue takes
				s.failed.Add(1)
			}
		},
	})
	if err != nil {
		return fmt.Errorf("make a delivery stream: %w", err)
	}
	return nil
}

// announce puts a notification about an object into the queue.
func (s *system) announce(o notify.Object, payloads ...string) error {
	s.mu.Lock()
	s.announced[strings.Join(payloads, " ")] = o
	s.mu.Unlock()
	_, err := s.rig.Queue.Send(notify.Native(o), payloads...)
	return err
}

// messages are the payloads that were announced, by the key of their object.
func (s *system) messages() map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make(map[string][]string, len(s.announced))
	for payloads, o := range s.announced {
		list[o.Key] = strings.Fields(payloads)
	}
	return list
}

// redrive puts what is in the dead-letter queue into the queue again, from the given place on, as a person does when the
// trouble is over. It returns how much is there now.
func (s *system) redrive(from int) (int, error) {
	dead := s.rig.Queue.Failures
	for _, failure := range dead[from:] {
		s.mu.Lock()
		o, known := s.announced[strings.Join(failure.Payloads, " ")]
		s.mu.Unlock()
		if !known {
			return 0, fmt.Errorf("redrive the message of %s: nobody has announced it", strings.Join(failure.Payloads, ", "))
		}
		if err := s.announce(o, failure.Payloads...); err != nil {
			return 0, err
		}
	}
	return len(dead), nil
}

// proceed takes a message that a function sends: the rest of an object.
func (s *system) proceed(body []byte) (string, error) {
	var rest struct {
		Source struct {
			Key string `json:"key"`
		} `json:"src"`
	}
	if err := json.Unmarshal(body, &rest); err != nil {
		return "", fmt.Errorf("read a continuation: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if id, ours := payloadOf(rest.Source.Key); ours {
		return s.rig.Queue.Continue(body, id)
	}
	for payloads, o := range s.announced {
		if o.Key == rest.Source.Key {
			return s.rig.Queue.Continue(body, strings.Fields(payloads)...)
		}
	}
	return "", errors.New("a continuation of an object that nobody has announced")
}

const (
	objectPrefix = "app/"
	objectSuffix = ".log.gz"
)

// keyOf is where the object of a payload lies.
func keyOf(payload string) string { return objectPrefix + payload + objectSuffix }

// payloadOf is the other way round.
func payloadOf(key string) (string, bool) {
	rest, found := strings.CutPrefix(key, objectPrefix)
	id, ended := strings.CutSuffix(rest, objectSuffix)
	return id, found && ended
}

// settings are the variables of functions that send with the key of one sender. What a configuration change changes comes
// from how many there were.
func (s *system) settings(sender int) map[string]string {
	codings := []string{"auto", "gzip", "zstd"}
	const leastInFlight, spread = 4, 13
	document := fmt.Sprintf(
		"destinations:\n  - id: %s\n    type: datadog\n    url: %q\n    api_key: \"secretsmanager:%s-%d\"\n    compression: %s\n    max_in_flight: %d\n",
		destination, s.sink.URL(), secretName, sender, codings[s.configs%len(codings)], leastInFlight+s.configs*5%spread)
	return map[string]string{
		"SLUICE_CONFIG": document, "SLUICE_TAGS": fmt.Sprintf("env:soak,generation:%d", s.configs), "SLUICE_FIREHOSE_TEE": "",
	}
}

func (s *system) settingsOf() map[rig.Function]map[string]string {
	return map[rig.Function]map[string]string{
		rig.ReplayFunction:   s.settings(replaySender),
		rig.FirehoseFunction: {"SLUICE_FIREHOSE_TEE": ""}, // the delivery stream alone has its lines
	}
}

// live notes the start or the end of a process.
func (s *system) live(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lives = append(s.lives, moment{time.Now(), fmt.Sprintf(format, args...)})
}

// Kill ends the process of a function.
func (s *system) Kill(f rig.Function) error {
	s.live("process of %s is killed", f)
	err := s.rig.Kill(f)
	s.live("process of %s is gone", f)
	return err
}

// Reconfigure starts every function anew with other settings.
func (s *system) Reconfigure() error {
	s.live("all processes are killed for other settings")
	s.mu.Lock()
	s.configs++
	s.mu.Unlock()
	return s.rig.Configure(func(o *rig.Options) {
		o.Env = s.settings(ingestSender)
		o.FunctionEnv = s.settingsOf()
	})
}

// newKeys makes API keys that nobody has had.
func (s *system) newKeys() {
	const bytes = 16
	for i := range s.keys {
		b := make([]byte, bytes)
		_, _ = rand.Read(b) // never fails, see crypto/rand
		s.keys[i] = hex.EncodeToString(b)
	}
}

// tellKeys puts the keys into the secret store.
func (s *system) tellKeys() {
	for sender, key := range s.keys {
		s.rig.SecretStore.Put(fmt.Sprintf("%s-%d", secretName, sender), key)
	}
}

// Rotate has the intake accept new API keys alone, which are in the secret store.
func (s *system) Rotate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newKeys()
	s.tellKeys()
	s.sink.SetKeys(s.keys[:]...)
}

// Replay invokes functions/replay once. Its answer is in the result.
func (s *system) Replay(ctx context.Context, event string) (stack.Result, error) {
	function, err := s.rig.Function(rig.ReplayFunction) //nolint:contextcheck // likewise
	if err != nil {
		return stack.Result{}, err
	}
	result, err := function.Invoke(ctx, []byte(event))
	if err != nil {
		return result, fmt.Errorf("replay: %w", err)
	}
	done := audit.Replay{Delivery: owner.Delivery{
		Attempt: 1, RequestID: result.RequestID, Started: result.Started, Finished: result.Started.Add(result.Duration),
		Outcome: owner.Taken,
	}}
	if result.Error != nil {
		done.Outcome, done.Error = owner.Failed, result.Error.Message
	}
	if result.TimedOut || result.Exited {
		done.Outcome = owner.Ended
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replays = append(s.replays, done)
	s.answers[result.RequestID] = string(result.Response)
	return result, nil
}

// Replays are those so far.
func (s *system) Replays() []audit.Replay {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.replays)
}

// Pending is how many objects wait to be sent again, and how many events that Lambda has given up.
func (s *system) Pending(ctx context.Context) (parked, failures int, err error) {
	keys, err := s.rig.Pending(ctx)
	if err != nil {
		return 0, 0, err
	}
	list, err := s.rig.S3.List(ctx, s.rig.ParkBucket, owner.LambdaRoot)
	if err != nil {
		return 0, 0, err
	}
	return len(keys), len(list), nil
}

// Close ends everything.
func (s *system) Close() error {
	var errs []error
	if s.rig != nil {
		errs = append(errs, s.rig.Close())
	}
	if s.lab != nil {
		errs = append(errs, s.lab.Close())
	}
	if s.sink != nil {
		errs = append(errs, s.sink.Close())
	}
	return errors.Join(errs...)
}
