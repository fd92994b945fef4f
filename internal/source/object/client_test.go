package object

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const serverETag = "9bb58f26192e4ba00f01e2e7b136bbd8"

// s3Server speaks as much S3 as reading one object takes. script says what becomes of each request; past its end all is
// well.
type s3Server struct {
	*httptest.Server

	content []byte
	script  []func(w http.ResponseWriter, r *http.Request, s *s3Server)

	mu       sync.Mutex
	requests []*http.Request
}

func newS3Server(t *testing.T, content []byte, script ...func(http.ResponseWriter, *http.Request, *s3Server)) *s3Server {
	t.Helper()
	s := &s3Server{content: content, script: script}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *s3Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	n := len(s.requests)
	s.requests = append(s.requests, r)
	s.mu.Unlock()
	if n < len(s.script) {
		s.script[n](w, r, s)
		return
	}
	s.answer(w, r, -1)
}

// seen is what was asked so far.
func (s *s3Server) seen() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*http.Request(nil), s.requests...)
}

// answer gives the object, or the range that is asked for; of that only so many bytes, unless it is -1.
func (s *s3Server) answer(w http.ResponseWriter, r *http.Request, gives int) {
	if match := r.Header.Get("If-Match"); match != "" && match != `"`+serverETag+`"` {
		refuse(http.StatusPreconditionFailed, "PreconditionFailed", "")(w, r, s)
		return
	}
	start, status := 0, http.StatusOK
	h := w.Header()
	if span := r.Header.Get("Range"); span != "" {
		start, _ = strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(span, "bytes="), "-"))
		status = http.StatusPartialContent
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, len(s.content)-1, len(s.content)))
	}
	rest := s.content[start:]
	h.Set("Content-Length", strconv.Itoa(len(rest)))
	h.Set("ETag", `"`+serverETag+`"`)
	h.Set("Content-Type", "text/plain")
	h.Set("Content-Encoding", "gzip")
	h.Set("Last-Modified", "Wed, 01 Jul 2026 10:00:00 GMT")
	h.Set("X-Amz-Checksum-Crc32", "AAAAAA==") // wrong, and not ours to check
	w.WriteHeader(status)
	if gives >= 0 {
		rest = rest[:min(gives, len(rest))]
	}
	_, _ = w.Write(rest)
}

// short ends the connection after so many bytes of the body.
func short(gives int) func(http.ResponseWriter, *http.Request, *s3Server) {
	return func(w http.ResponseWriter, r *http.Request, s *s3Server) {
		s.answer(w, r, gives)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// silent gives so many bytes of the body and no more, until the client goes away.
func silent(gives int) func(http.ResponseWriter, *http.Request, *s3Server) {
	return func(w http.ResponseWriter, r *http.Request, s *s3Server) {
		s.answer(w, r, gives)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

func refuse(status int, code, message string) func(http.ResponseWriter, *http.Request, *s3Server) {
	return func(w http.ResponseWriter, _ *http.Request, _ *s3Server) {
		w.Header().Set("X-Amz-Request-Id", "4442587FB7D0A2F9")
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		if code != "" {
			fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>%s</Message></Error>`, code, message)
		}
	}
}

func (s *s3Server) client(options ...func(*s3.Options)) *s3.Client {
	return NewClient(aws.Config{
		Region: "eu-west-1", BaseEndpoint: &s.URL,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "example", SessionToken: "token"}, nil
		}),
	}, append([]func(*s3.Options){func(o *s3.Options) {
		o.Retryer = retry.AddWithMaxBackoffDelay(o.Retryer, time.Millisecond)
	}}, options...)...)
}

// quick waits for nothing.
var quick = reading{stall: 100 * time.Millisecond, jitter: func() float64 { return 0 }}

func TestClientReadsOverHTTP(t *testing.T) {
	content := randomBytes(300_000)
	type script = []func(http.ResponseWriter, *http.Request, *s3Server)
	for name, tc := range map[string]struct {
		script   script
		got      int
		kind     FaultKind
		message  string
		requests int
	}{
		"in one piece":       {got: 300_000, requests: 1},
		"busy at first":      {script: script{refuse(503, "SlowDown", ""), refuse(500, "InternalError", "")}, got: 300_000, requests: 3},
		"busy":               {script: script{refuse(503, "SlowDown", "Slower"), refuse(503, "SlowDown", "Slower"), refuse(503, "SlowDown", "Slower")}, kind: Throttled, requests: 3, message: `at byte 0: SlowDown "Slower" (request "4442587FB7D0A2F9")`},
		"cut three times":    {script: script{short(1), short(100_000), short(0)}, got: 300_000, requests: 4},
		"cut four times":     {script: script{short(1), short(9), short(0), short(5)}, got: 15, requests: 4, kind: Broken, message: "at byte 15: unexpected EOF (after 3 resumes)"},
		"stalled twice":      {script: script{silent(150_000), silent(0)}, got: 300_000, requests: 3},
		"gone":               {script: script{refuse(404, "NoSuchKey", "The specified key does not exist.")}, kind: Gone, requests: 1},
		"gone, says nothing": {script: script{refuse(404, "", "")}, kind: Gone, requests: 1},
		"no bucket":          {script: script{refuse(404, "NoSuchBucket", "")}, kind: NoBucket, requests: 1},
		"delete marker":      {script: script{refuse(405, "MethodNotAllowed", "")}, kind: Gone, requests: 1},
		"denied":             {script: script{refuse(403, "AccessDenied", "Access Denied")}, kind: Forbidden, requests: 1, message: "s3:ListBucket"},
		"denied by KMS":      {script: script{refuse(403, "AccessDenied", "not authorized to perform: kms:Decrypt")}, kind: KMSDenied, requests: 1},
		"archived":           {script: script{refuse(403, "InvalidObjectState", "")}, kind: Archived, requests: 1},
		"overwritten":        {script: script{refuse(412, "PreconditionFailed", "")}, kind: Overwritten, requests: 1},
		"replaced meanwhile": {script: script{short(1000), refuse(412, "PreconditionFailed", "")}, got: 1000, kind: Overwritten, requests: 2},
		"deleted meanwhile":  {script: script{short(1000), refuse(404, "NoSuchKey", "")}, got: 1000, kind: Gone, requests: 2},
		"a redirect":         {script: script{redirect}, kind: WrongRegion, requests: 1},
		"an answer that is no XML": {script: script{func(w http.ResponseWriter, _ *http.Request, _ *s3Server) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, "<html>")
		}}, kind: Refused, requests: 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newS3Server(t, content, tc.script...)
			r := Ref{Bucket: "logs", Key: "AWSLogs/a b+c.gz", ETag: serverETag, SizeBytes: -1}
			body, err := quick.open(t.Context(), s.client(), r)
			var got []byte
			if err == nil {
				got, err = readBySteps(body, 32<<10)
				require.NoError(t, body.Close())
			}
			require.True(t, bytes.Equal(content[:tc.got], got), "got %d bytes", len(got))
			assert.Len(t, s.seen(), tc.requests)
			if tc.kind == "" {
				require.NoError(t, err)
				return
			}
			fault, ok := errors.AsType[*Fault](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, tc.kind, fault.Kind, "%v", err)
			require.ErrorContains(t, err, tc.message)
			assert.NotContains(t, err.Error(), "%20", "the URL is in no message")
		})
	}
}

// redirect sends the client to itself, where all would be well.
func redirect(w http.ResponseWriter, r *http.Request, _ *s3Server) {
	w.Header().Set("Location", r.URL.String())
	refuse(http.StatusTemporaryRedirect, "TemporaryRedirect", "")(w, r, nil)
}

func TestClientWhatIsSent(t *testing.T) {
	s := newS3Server(t, []byte("0123456789"), short(4))
	body, err := quick.open(t.Context(), s.client(), Ref{
		Bucket: "my.logs", Key: "a b/ü+%/../c", VersionID: "3HL4", Owner: "111122223333", Region: "ap-south-2",
	})
	require.NoError(t, err)
	got, err := io.ReadAll(body)
	require.NoError(t, err)
	assert.Equal(t, "0123456789", string(got))
	assert.Equal(t, int64(10), body.SizeBytes)
	assert.Equal(t, "gzip", body.ContentEncoding)
	assert.Equal(t, "text/plain", body.ContentType)
	assert.Equal(t, serverETag, body.ETag)
	assert.True(t, body.LastModified.Equal(time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)))

	requests := s.seen()
	require.Len(t, requests, 2)
	for _, r := range requests {
		assert.Equal(t, "/my.logs/a%20b/%C3%BC%2B%25/../c", r.URL.EscapedPath())
		assert.Equal(t, "3HL4", r.URL.Query().Get("versionId"))
		assert.Equal(t, "111122223333", r.Header.Get("X-Amz-Expected-Bucket-Owner"))
		assert.Contains(t, r.Header.Get("Authorization"), "/ap-south-2/s3/aws4_request")
		assert.Equal(t, "identity", r.Header.Get("Accept-Encoding"))
		assert.Empty(t, r.Header.Get("X-Amz-Checksum-Mode"))
		assert.Equal(t, "HTTP/1.1", r.Proto)
	}
	assert.Empty(t, requests[0].Header.Get("Range"))
	assert.Empty(t, requests[0].Header.Get("If-Match"))
	assert.Equal(t, "bytes=4-", requests[1].Header.Get("Range"))
	assert.Equal(t, `"`+serverETag+`"`, requests[1].Header.Get("If-Match"))
}

// A key is asked for as it is: nothing in it is cleaned up on the way, though it reads like a path.
func TestClientSendsKeysAsTheyAre(t *testing.T) {
	for key, want := range map[string]string{
		"a//b///c.log":  "a//b///c.log",
		"/leading":      "/leading",
		"//":            "//",
		"../up":         "../up",
		"a/../b":        "a/../b",
		"a/./b":         "a/./b",
		"./a":           "./a",
		".":             ".",
		"a/..":          "a/..",
		"tail/":         "tail/",
		"tail//x":       "tail//x",
		"%2F/%2e%2e/":   "%252F/%252e%252e/",
		"a?b#c":         "a%3Fb%23c",
		"a+b c=d&e;f":   "a%2Bb%20c%3Dd%26e%3Bf",
		"日本語/naïve":     "%E6%97%A5%E6%9C%AC%E8%AA%9E/na%C3%AFve",
		`back\slash`:    "back%5Cslash",
		"new\nline\x01": "new%0Aline%01",
	} {
		t.Run(key, func(t *testing.T) {
			s := newS3Server(t, []byte("x"))
			body, err := quick.open(t.Context(), s.client(), Ref{Bucket: "logs", Key: key})
			require.NoError(t, err)
			require.NoError(t, body.Close())
			require.Len(t, s.seen(), 1)
			assert.Equal(t, "/logs/"+want+"?x-id=GetObject", s.seen()[0].RequestURI, "on the line of the request")

			var asked *url.URL
			ofAWS := s3Server{Server: &httptest.Server{}}
			client := ofAWS.client(func(o *s3.Options) {
				o.BaseEndpoint = nil
				o.HTTPClient = roundTrip(func(r *http.Request) (*http.Response, error) {
					asked = r.URL
					return nil, io.ErrUnexpectedEOF
				})
			})
			_, err = quick.open(t.Context(), client, Ref{Bucket: "logs", Key: key})
			require.Error(t, err)
			assert.Equal(t, "logs.s3.eu-west-1.amazonaws.com", asked.Host)
			assert.Equal(t, "/"+want+"?x-id=GetObject", asked.RequestURI(), "with the bucket in the name of the host")
		})
	}
}

func TestClientTakesTheEndpointOfTheRegion(t *testing.T) {
	for name, tc := range map[string]struct {
		endpoint, bucket, want string
	}{
		"of AWS":               {"", "logs", "logs.s3.ap-south-2.amazonaws.com"},
		"a bucket with dots":   {"", "my.logs", "s3.ap-south-2.amazonaws.com"},
		"an address":           {"http://192.0.2.7:9000", "logs", "192.0.2.7:9000"},
		"an IPv6 address":      {"http://[2001:db8::1]:9000", "logs", "[2001:db8::1]:9000"},
		"localhost":            {"http://localhost:9000", "logs", "localhost:9000"},
		"below localhost":      {"http://s3.localhost", "logs", "s3.localhost"},
		"a container":          {"http://storage:9000", "logs", "storage:9000"},
		"a host":               {"https://s3.example.com", "logs", "logs.s3.example.com"},
		"an endpoint of a VPC": {"https://bucket.vpce-1.s3.eu-west-1.vpce.example.com", "logs", "logs.bucket.vpce-1.s3.eu-west-1.vpce.example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked *url.URL
			stop := errors.New("stop")
			server := s3Server{Server: &httptest.Server{URL: tc.endpoint}}
			client := server.client(func(o *s3.Options) {
				o.HTTPClient = roundTrip(func(r *http.Request) (*http.Response, error) {
					asked = r.URL
					return nil, stop
				})
			}, func(o *s3.Options) {
				if tc.endpoint == "" {
					o.BaseEndpoint = nil
				}
			})
			_, err := quick.open(t.Context(), client, Ref{Bucket: tc.bucket, Key: "k", Region: "ap-south-2"})
			require.ErrorIs(t, err, stop)
			assert.Equal(t, tc.want, asked.Host)
		})
	}
	assert.False(t, hasNoSubdomains(":"))
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) Do(r *http.Request) (*http.Response, error) { return f(r) }

func TestClientRefusedConnection(t *testing.T) {
	s := newS3Server(t, nil)
	client := s.client()
	s.Close()
	_, err := quick.open(t.Context(), client, Ref{Bucket: "logs", Key: "secret key"})
	fault, ok := errors.AsType[*Fault](err)
	require.True(t, ok)
	assert.Equal(t, Broken, fault.Kind)
	assert.Regexp(t, `^"s3://logs/secret key" at byte 0: dial tcp 127\.0\.0\.1:\d+: connect: connection refused: try again later$`, err.Error())
}

func TestClientEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newS3Server(t, randomBytes(1000), silent(10))
	slow := reading{stall: time.Minute, jitter: quick.jitter}
	body, err := slow.open(ctx, s.client(), Ref{Bucket: "logs", Key: "k"})
	require.NoError(t, err)
	_, err = io.ReadFull(body, make([]byte, 10))
	require.NoError(t, err)
	cancel()
	_, err = body.Read(make([]byte, 1))
	require.ErrorIs(t, err, context.Canceled)

	_, err = slow.open(ctx, s.client(), Ref{Bucket: "logs", Key: "k"})
	require.ErrorIs(t, err, context.Canceled)
	fault, ok := errors.AsType[*Fault](err)
	require.True(t, ok)
	assert.Equal(t, Cancelled, fault.Kind)
	require.NoError(t, body.Close())
}

func TestClientUsesItsConnectionAgain(t *testing.T) {
	s := newS3Server(t, randomBytes(100_000))
	client := s.client()
	for range 3 {
		body, err := quick.open(t.Context(), client, Ref{Bucket: "logs", Key: "k"})
		require.NoError(t, err)
		_, err = readBySteps(body, 4096)
		require.NoError(t, err)
		require.NoError(t, body.Close())
	}
	peers := map[string]bool{}
	for _, r := range s.seen() {
		peers[r.RemoteAddr] = true
	}
	assert.Len(t, peers, 1)
}

// TestClientGivesEachByteOnce cuts real connections at random bytes.
func TestClientGivesEachByteOnce(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 2))
		content := randomBytes(r.IntN(500_000))
		var script []func(http.ResponseWriter, *http.Request, *s3Server)
		for range r.IntN(4) {
			script = append(script, short(r.IntN(len(content)+1)))
		}
		s := newS3Server(t, content, script...)
		body, err := quick.open(t.Context(), s.client(), Ref{Bucket: "logs", Key: "k"})
		require.NoError(t, err)
		got, err := readBySteps(body, 1+r.IntN(70_000))
		require.NoError(t, err, "seed %d", seed)
		require.True(t, bytes.Equal(content, got), "seed %d", seed)
		require.NoError(t, body.Close())
	}
}

// BenchmarkBody reads 16 MiB from a server on this machine.
func BenchmarkBody(b *testing.B) {
	s := &s3Server{content: randomBytes(16 << 20)}
	s.Server = httptest.NewServer(s)
	b.Cleanup(s.Close)
	client := s.client()
	p := make([]byte, 64<<10)
	b.SetBytes(16 << 20)
	b.ReportAllocs()
	for b.Loop() {
		body, err := Open(b.Context(), client, Ref{Bucket: "logs", Key: "k"})
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = body.Read(p)
		}
		if !errors.Is(err, io.EOF) {
			b.Fatal(err)
		}
	}
}
