package tags

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/awsenv"
	"sluice/internal/record"
)

var own = Account{Partition: "aws", Region: "eu-west-1", ID: "123456789012"}

// fakeAWS answers as both APIs do, from a script. It is safe for concurrent use.
type fakeAWS struct {
	tags    map[string]map[string]string                         // by ARN
	latency time.Duration                                        // of a call
	deaf    bool                                                 // it does not hear that nobody waits any more
	refuse  func(operation string, arns []string) error          // instead of an answer
	answer  func(operation string, arns []string) (string, bool) // JSON, instead of what is in tags

	mu    sync.Mutex
	calls []call
	now   map[string]int // calls under way, by operation and kind of the first resource
	most  int            // of these at a time
}

type call struct {
	operation string
	region    string
	arns      []string
	at        time.Time
}

func (f *fakeAWS) Call(ctx context.Context, s awsenv.Service, region, operation string, in, out any) error {
	arns, err := f.asked(s, operation, in)
	if err != nil {
		return err
	}
	end := f.begun(call{operation, region, arns, time.Now()})
	defer end()
	timer := time.NewTimer(f.latency)
	defer timer.Stop()
	done := ctx.Done()
	if f.deaf {
		done = nil
	}
	select {
	case <-timer.C:
	case <-done:
		return fmt.Errorf("%s: %w", operation, ctx.Err())
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		if err := f.refuse(operation, arns); err != nil {
			return fmt.Errorf("%s: %w", operation, err)
		}
	}
	if f.answer != nil {
		if text, ok := f.answer(operation, arns); ok {
			return json.Unmarshal([]byte(text), out)
		}
	}
	return json.Unmarshal(f.truth(operation, arns), out)
}

// begun notes a call until it ends.
func (f *fakeAWS) begun(c call) (end func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, c)
	if f.now == nil {
		f.now = map[string]int{}
	}
	kind := c.operation + c.arns[0][:len("arn:aws:xx")]
	f.now[kind]++
	f.most = max(f.most, f.now[kind])
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.now[kind]--
	}
}

// asked reads a request as strictly as AWS does.
func (f *fakeAWS) asked(s awsenv.Service, operation string, in any) ([]string, error) {
	text, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	var request map[string]json.RawMessage
	if err := json.Unmarshal(text, &request); err != nil {
		return nil, err
	}
	if len(request) != 1 {
		return nil, fmt.Errorf("a request with %d members", len(request))
	}
	switch {
	case s.Name == "tagging" && s.Target == "ResourceGroupsTaggingAPI_20170126" && operation == "GetResources":
		var arns []string
		if err := json.Unmarshal(request["ResourceARNList"], &arns); err != nil {
			return nil, err
		}
		if len(arns) == 0 || len(arns) > 100 || len(slices.Compact(slices.Sorted(slices.Values(arns)))) != len(arns) {
			return nil, fmt.Errorf("a request for %d resources, or for one of them twice", len(arns))
		}
		return arns, nil
	case s.Name == "logs" && s.Target == "Logs_20140328" && operation == "ListTagsForResource":
		var arn string
		err := json.Unmarshal(request["resourceArn"], &arn)
		return []string{arn}, err
	}
	return nil, fmt.Errorf("there is no %s.%s of %s", s.Target, operation, s.Name)
}

// truth is what AWS answers.
func (f *fakeAWS) truth(operation string, arns []string) []byte {
	if operation == "ListTagsForResource" {
		text, _ := json.Marshal(map[string]any{"tags": f.tags[arns[0]]})
		return text
	}
	type tag struct{ Key, Value string }
	type mapping struct {
		ResourceARN string
		Tags        []tag
	}
	var out struct {
		PaginationToken        string
		ResourceTagMappingList []mapping
	}
	for _, arn := range arns {
		m := mapping{ResourceARN: arn}
		for key, value := range f.tags[arn] {
			m.Tags = append(m.Tags, tag{key, value})
		}
		if len(m.Tags) > 0 {
			out.ResourceTagMappingList = append(out.ResourceTagMappingList, m)
		}
	}
	text, _ := json.Marshal(out)
	return text
}

// made are the calls until now.
func (f *fakeAWS) made() []call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// set changes the script.
func (f *fakeAWS) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// fleet are n resources of a kind, each with its number as a tag.
func fleet(kind Kind, n int) (arns []string, aws *fakeAWS) {
	aws = &fakeAWS{tags: map[string]map[string]string{}, latency: 50 * time.Millisecond}
	for i := range n {
		arn := own.ARN(kind, "example-"+strconv.Itoa(i))
		arns = append(arns, arn)
		aws.tags[arn] = map[string]string{"Number": strconv.Itoa(i), "env": "prod"}
	}
	return arns, aws
}

// textOf is a list of tags as it is written in settings.
func textOf(tags record.Tags) string {
	texts := make([]string, len(tags))
	for i, tag := range tags {
		texts[i] = tag.String()
	}
	return strings.Join(texts, ",")
}

// newCache is a cache of all kinds whose jitter is 0.
func newCache(o Options) *Cache {
	if o.Kinds == nil {
		o.Kinds = []Kind{LogGroup, Function, Bucket, StateMachine}
	}
	c := New(o)
	c.jitter = func() float64 { return 0 }
	return c
}

// settle lets an invocation go on for some time.
func settle(d time.Duration) { time.Sleep(d) } // of the bubble's clock: it takes no time

// look is a lookup that must take no time.
func look(tb testing.TB, c *Cache, kind Kind, arn string) (text string, s Status) {
	tb.Helper()
	start := time.Now()
	tags, s := c.Lookup(tb.Context(), kind, arn)
	assert.Zero(tb, time.Since(start), "a lookup takes time")
	return textOf(tags), s
}

// hear looks up what may take a while.
func hear(tb testing.TB, c *Cache, kind Kind, arn string) (text string, s Status, took time.Duration) {
	tb.Helper()
	start := time.Now()
	tags, s := c.Lookup(tb.Context(), kind, arn)
	return textOf(tags), s, time.Since(start)
}

// stopwatch is how long something takes on the bubble's clock.
func stopwatch(do func()) time.Duration {
	start := time.Now()
	do()
	return time.Since(start)
}

// known looks resources up, in invocations that last some time, until all are fresh.
func known(tb testing.TB, c *Cache, kind Kind, arns []string) {
	tb.Helper()
	for range 1000 {
		c.Begin(tb.Context(), own)
		missing := 0
		for _, arn := range arns {
			if _, s := c.Lookup(tb.Context(), kind, arn); s != Fresh {
				missing++
			}
		}
		if missing == 0 {
			c.End()
			return
		}
		settle(time.Second)
		c.End()
	}
	require.Fail(tb, "they do not become known")
}

// passOn lets a cache share what it has learned.
func passOn(tb testing.TB, c *Cache) {
	tb.Helper()
	settle(time.Minute)
	c.Begin(tb.Context(), own)
	settle(time.Second)
	c.End()
}

// shelf is a store in memory.
type shelf struct {
	latency time.Duration
	get     error
	put     error
	faster  int // how often somebody else is

	mu     sync.Mutex
	bodies map[string][]byte
	gets   int
	puts   int
}

func (s *shelf) wait(ctx context.Context) error {
	timer := time.NewTimer(s.latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *shelf) Get(ctx context.Context, name string) ([]byte, string, error) {
	if err := s.wait(ctx); err != nil {
		return nil, "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gets++
	if s.get != nil {
		return nil, "", s.get
	}
	if body, ok := s.bodies[name]; ok {
		return body, s.version(body), nil
	}
	return nil, "", nil
}

func (s *shelf) version(body []byte) string { return fmt.Sprintf("%x", sha256.Sum256(body)) }

func (s *shelf) Put(ctx context.Context, name string, body []byte, version string) error {
	if err := s.wait(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.puts++
	if s.put != nil {
		return s.put
	}
	if s.faster > 0 {
		s.faster--
		return fmt.Errorf("put: %w", ErrChanged)
	}
	there, ok := s.bodies[name]
	if ok && s.version(there) != version || !ok && version != "" {
		return fmt.Errorf("put: %w", ErrChanged)
	}
	if s.bodies == nil {
		s.bodies = map[string][]byte{}
	}
	s.bodies[name] = body
	return nil
}

// lay puts a document into the store by hand.
func (s *shelf) lay(name, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bodies == nil {
		s.bodies = map[string][]byte{}
	}
	s.bodies[name] = []byte(body)
}

// arnsIn are the resources in a document.
func (s *shelf) arnsIn(tb testing.TB, name string) []string {
	tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var d document
	require.NoError(tb, json.Unmarshal(s.bodies[name], &d))
	arns := make([]string, 0, len(d.Resources))
	for arn := range d.Resources {
		arns = append(arns, arn)
	}
	slices.Sort(arns)
	return arns
}
