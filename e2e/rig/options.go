package rig

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/owner"
)

// Entry is a way by which lines come in.
type Entry string

// The entries.
const (
	CloudWatch Entry = "cloudwatch" // a subscription that invokes the function
	Kinesis    Entry = "kinesis"    // a stream, through an event source mapping
	S3         Entry = "s3"         // a bucket that invokes the function
	S3Queue    Entry = "s3-sqs"     // a bucket that fills a queue
	Firehose   Entry = "firehose"   // a delivery stream whose transformation delivers too
	Parked     Entry = "replay"     // the park store: lines are put there first, see Rig.Feed
)

// Entries are all of them.
func Entries() []Entry { return []Entry{CloudWatch, Kinesis, S3, S3Queue, Firehose, Parked} }

// Options are what a rig differs by from the usual one: one Datadog intake that works, functions with their defaults and a
// park store, owners that never wait.
type Options struct {
	Name string // for people
	Seed uint64 // of the generated lines; 0 means 1

	// Env is over the usual settings of every function, FunctionEnv over it for one. An empty value removes a variable.
	Env         map[string]string
	FunctionEnv map[Function]map[string]string

	// EachStart is what a process of a function gets beside, by its number, which counts from 1. It is how the first process
	// gets a fail point (see FailAt) and the next one does not. Audit ends all processes.
	EachStart func(f Function, number int) map[string]string

	MemoryMiB int           // of every function; 0 means 256
	Timeout   time.Duration // of an invocation; 0 means 25 s

	// ReplayTimeout is that of functions/replay; 0 means 25 s. It begins no object unless it has three seconds for it beside
	// its reserve, so less than 6 s does nothing. Its leases last as long.
	ReplayTimeout time.Duration

	Destinations []Destination // nil means one, of type datadog, with the id "main"
	Secrets      bool          // the API key is in the secret store, where Rotate changes it, and not in the environment
	NoPark       bool          // functions have no park store; what is given up lies in the same bucket

	// The owners. Stream, Queue, Bisect and OnFailure are filled in. MaxRetries 0 means 10, below 0 none; MaxReceives 0
	// means 5.
	Mapping  owner.MappingConfig
	NoBisect bool
	Queue    owner.QueueConfig
	Async    owner.Backoff

	// What is generated.
	LinesPerPayload int          // of a payload, object or record; 0 means 250
	Pad             generate.Pad // what fills the lines; nil means generate.Mixed
	EventTime       time.Time    // shortly after the events; zero means now
	Versioned       bool         // the bucket of logs keeps what is overwritten
	Compact         bool         // intakes keep the marks of lines and not their texts, for long runs
}

const failPointVariable = "SLUICE_FAILPOINT" // of package failpoint

// FailAt is what a process has to get to end at a fail point: "<point>:<exit, panic or hang>", perhaps with ":<n>" for the
// n-th time it is reached. It takes a lab with the build tag failpoint.
func FailAt(point string) map[string]string { return map[string]string{failPointVariable: point} }

// Destination is one destination and the intake at its other end.
type Destination struct {
	ID       string      // 1 to 32 of a-z, 0-9 and -
	HTTP     bool        // of type http, JSON lines; else datadog
	URL      string      // instead of the intake's, such as one that nobody resolves
	TLS      *tls.Config // the intake's certificate; nil means plain HTTP
	Settings []string    // lines of YAML, such as "max_in_flight: 1"
}

const (
	defaultTimeout = 25 * time.Second
	defaultRetries = 10 // delivery contract 2.1, MaximumRetryAttempts
	defaultLines   = 250
	defaultID      = "main"
	maxReceives    = 5
)

func (o *Options) setDefaults() {
	o.Seed = cmp.Or(o.Seed, 1)
	o.Timeout = cmp.Or(o.Timeout, defaultTimeout)
	o.ReplayTimeout = cmp.Or(o.ReplayTimeout, defaultTimeout)
	o.LinesPerPayload = cmp.Or(o.LinesPerPayload, defaultLines)
	o.Mapping.MaxRetries = max(0, cmp.Or(o.Mapping.MaxRetries, defaultRetries))
	o.Queue.MaxReceives = cmp.Or(o.Queue.MaxReceives, maxReceives)
	if o.Pad == nil {
		o.Pad = generate.Mixed
	}
	if o.EventTime.IsZero() {
		o.EventTime = time.Now()
	}
	if len(o.Destinations) == 0 {
		o.Destinations = []Destination{{ID: defaultID}}
	}
}

// kind is the type of the destination in the settings.
func (d *Destination) kind() string {
	if d.HTTP {
		return "http"
	}
	return "datadog"
}

// The secrets of the functions, by who sends: the intakes tell replay's requests from the others by them.
const (
	ownSender    = 0
	replaySender = 1
	senders      = 2

	keyVariable    = "RIG_API_KEY"
	senderVariable = "RIG_SENDER"
	secretName     = "rig/api-key"

	executionEnv = "AWS_Lambda_provided.al2023-" // and the function, so that S3 knows who asks
)

// settings is the document of all destinations. The function does not matter unless the key is in the secret store.
func (r *Rig) settings(f Function) string {
	key := "env:" + keyVariable
	if r.options.Secrets {
		key = "secretsmanager:" + secretName + "-" + strconv.Itoa(senderOf(f))
	}
	var b strings.Builder
	b.WriteString("destinations:\n")
	for _, d := range r.options.Destinations {
		url := cmp.Or(d.URL, r.intakes[d.ID].URL())
		fmt.Fprintf(&b, "  - id: %s\n    type: %s\n    url: %q\n", d.ID, d.kind(), url)
		if d.HTTP {
			fmt.Fprintf(&b, "    format: json_lines\n    headers:\n      X-Sender: env:%s\n", senderVariable)
		} else {
			fmt.Fprintf(&b, "    api_key: %q\n", key)
		}
		for _, line := range d.Settings {
			fmt.Fprintf(&b, "    %s\n", line)
		}
	}
	return b.String()
}

func senderOf(f Function) int {
	if f.base() == ReplayFunction {
		return replaySender
	}
	return ownSender
}

// env is the environment of a function.
func (r *Rig) env(f Function) map[string]string {
	env := r.S3.Env()
	maps.Copy(env, r.SQS.Env())
	maps.Copy(env, map[string]string{
		"AWS_EXECUTION_ENV":                executionEnv + string(f.base()),
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": r.SecretStore.URL(),
		"AWS_ENDPOINT_URL_SSM":             r.SecretStore.URL(),
		keyVariable:                        r.keys[senderOf(f)],
		senderVariable:                     strconv.Itoa(senderOf(f)),
		"SLUICE_CONFIG":                    r.settings(f),
		"SLUICE_TAGS":                      "env:rig",
		"SLUICE_BUCKETS":                   r.LogBucket,
		"SLUICE_PARK_BUCKET":               r.ParkBucket,
		"SLUICE_PARK_PREFIX":               parkPrefix,
		"SLUICE_CONTINUE_QUEUE":            r.queueURL,
		"SLUICE_MAX_RECEIVES":              strconv.Itoa(r.options.Queue.MaxReceives),
	})
	if f.base() == FirehoseFunction {
		env["SLUICE_FIREHOSE_TEE"] = "true"
	}
	if r.options.NoPark {
		delete(env, "SLUICE_PARK_BUCKET")
		delete(env, "SLUICE_PARK_PREFIX")
	}
	for _, more := range []map[string]string{r.options.Env, r.options.FunctionEnv[f.base()]} {
		for name, value := range more {
			env[name] = value
			if value == "" {
				delete(env, name)
			}
		}
	}
	return env
}

// newFunction is a function without a process. The caller holds mu.
func (r *Rig) newFunction(f Function, binary string) (*stack.Function, error) {
	cfg := stack.Config{
		Binary: binary, Name: "sluice-" + string(f.base()), MemoryMiB: r.options.MemoryMiB, Timeout: r.options.Timeout, Env: r.env(f),
	}
	if f.base() == ReplayFunction {
		cfg.Timeout = r.options.ReplayTimeout
	}
	if each := r.options.EachStart; each != nil {
		cfg.EachStart = func(number int) map[string]string { return each(f, number) }
	}
	function, err := stack.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("set functions/%s up: %w", f, err)
	}
	return function, nil
}
