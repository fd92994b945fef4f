package deliver_test

import (
	"bufio"
	"bytes"
	stdgzip "compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/deliver"
	"sluice/internal/destination"
)

// sendTo sends n batches of ten items, one at a time and without waiting, through a client as NewClient makes it.
func sendTo(t *testing.T, d *intake, n int, o deliver.Options) sent {
	t.Helper()
	client, err := deliver.NewClient(deliver.ClientOptions{URL: d.url})
	require.NoError(t, err)
	defer client.CloseIdleConnections()
	o.MaxInFlight, o.Jitter = 1, never
	return send(t.Context(), t, deliver.NewSender(d, client, o), deliver.FlightOptions{}, load{items: 10 * n, each: 10}.batches(d)...)
}

// serve starts a server that counts requests; handle gets the number of each, from 1, when its body has been read.
func serve(t *testing.T, handle func(http.ResponseWriter, *http.Request, int)) (server *httptest.Server, seen *atomic.Int32) {
	t.Helper()
	seen = new(atomic.Int32)
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		assert.NoError(t, err)
		handle(w, r, int(seen.Add(1)))
	}))
	t.Cleanup(server.Close)
	return server, seen
}

// hangUp ends the connection of a request: with a reset, or in the usual way.
func hangUp(t *testing.T, w http.ResponseWriter, reset bool) {
	t.Helper()
	conn, _, err := http.NewResponseController(w).Hijack()
	if !assert.NoError(t, err) {
		return
	}
	if reset {
		assert.NoError(t, conn.(*net.TCPConn).SetLinger(0))
	}
	conn.Close()
}

func TestAnswersOfAServer(t *testing.T) {
	for name, tc := range map[string]struct {
		answer func(t *testing.T, w http.ResponseWriter)
		body   int    // bytes of it that the destination gets to see
		reason string // "" when delivered
	}{
		"accepted, without a body": {
			answer: func(_ *testing.T, w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) },
		},
		"body of 10 MB is read as far as 64 KiB": {
			answer: func(_ *testing.T, w http.ResponseWriter) {
				w.WriteHeader(http.StatusNotFound)
				for range 10 { // the client may hang up before the end
					_, _ = w.Write(bytes.Repeat([]byte("x"), 1_000_000))
				}
			},
			body: 64 << 10, reason: "http_404",
		},
		"body that is packed is not unpacked": {
			answer: func(t *testing.T, w http.ResponseWriter) {
				t.Helper()
				var packed bytes.Buffer
				z := stdgzip.NewWriter(&packed)
				_, err := z.Write(make([]byte, 1<<20))
				assert.NoError(t, err)
				assert.NoError(t, z.Close())
				w.Header().Set("Content-Encoding", "gzip")
				w.WriteHeader(http.StatusNotFound)
				_, _ = w.Write(packed.Bytes()[:1000])
			},
			body: 1000, reason: "http_404",
		},
		"body that is no text": {
			answer: func(_ *testing.T, w http.ResponseWriter) {
				w.WriteHeader(http.StatusNotFound)
				_, _ = io.WriteString(w, "\xff\xfe\x00")
			},
			body: 3, reason: "http_404",
		},
		"success that breaks off behind its status line": {
			answer: func(_ *testing.T, w http.ResponseWriter) {
				w.Header().Set("Content-Length", "100")
				_, _ = io.WriteString(w, "{")
			},
			body: 1,
		},
		"refusal that breaks off behind its status line": {
			answer: func(_ *testing.T, w http.ResponseWriter) {
				w.Header().Set("Content-Length", "100")
				w.WriteHeader(http.StatusNotFound)
			},
			reason: "http_404",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server, seen := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) { tc.answer(t, w) })
			body := -1
			d := &intake{url: server.URL, outcome: func(resp *http.Response, answer []byte) destination.Outcome {
				body = len(answer)
				return (&intake{}).Outcome(resp, answer)
			}}
			got := sendTo(t, d, 1, deliver.Options{})
			assert.Equal(t, tc.body, body)
			assert.EqualValues(t, 1, seen.Load())
			assert.Equal(t, 1, got.Requests)
			if tc.reason == "" {
				assert.NoError(t, got.Err)
			} else {
				assert.Equal(t, map[string]int{tc.reason: 10}, got.Returned)
			}
		})
	}
}

// What a broken connection leaves open: the attempts that were counted are the requests that the server saw, and each
// that may have been taken is a possible duplicate.
func TestBrokenConnections(t *testing.T) {
	for name, tc := range map[string]struct {
		broken     []int // numbers of requests that get no answer
		reset      bool
		delivered  int
		duplicates int
		requests   int
	}{
		"first request of a new connection":           {broken: []int{1}, delivered: 30, duplicates: 10, requests: 4},
		"request of a connection that was kept":       {broken: []int{2}, delivered: 30, duplicates: 10, requests: 4},
		"kept connection is reset":                    {broken: []int{2}, reset: true, delivered: 30, duplicates: 10, requests: 4},
		"every other request":                         {broken: []int{1, 3, 5}, delivered: 30, duplicates: 30, requests: 6},
		"every request of a batch, with a reset each": {broken: []int{1, 2, 3, 4}, reset: true, delivered: 20, duplicates: 40, requests: 6},
	} {
		t.Run(name, func(t *testing.T) {
			server, seen := serve(t, func(w http.ResponseWriter, _ *http.Request, number int) {
				for _, n := range tc.broken {
					if n == number {
						hangUp(t, w, tc.reset)
					}
				}
			})
			got := sendTo(t, &intake{url: server.URL}, 3, deliver.Options{})
			assert.Equal(t, tc.delivered, got.Delivered)
			assert.Equal(t, tc.duplicates, got.PossibleDuplicates)
			assert.Equal(t, tc.requests, got.Requests)
			assert.EqualValues(t, got.Requests, seen.Load())
			if tc.delivered < 30 {
				assert.Equal(t, map[string]int{"reset": 10}, got.Returned)
			}
		})
	}
}

// A container was frozen, and the server has closed what was kept meanwhile. Nothing is lost or sent twice by that,
// whether the sender was told or finds out.
func TestConnectionsClosedMeanwhile(t *testing.T) {
	for name, told := range map[string]bool{"told": true, "finds out": false} {
		t.Run(name, func(t *testing.T) {
			server, seen := serve(t, func(http.ResponseWriter, *http.Request, int) {})
			d := &intake{url: server.URL}
			client, err := deliver.NewClient(deliver.ClientOptions{URL: d.url})
			require.NoError(t, err)
			s := deliver.NewSender(d, client, deliver.Options{Jitter: never, MaxInFlight: 1})
			for range 5 {
				got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 20, each: 10}.batches(d)...)
				assert.NoError(t, got.Err)
				server.CloseClientConnections()
				if told {
					s.CloseIdleConnections()
				}
			}
			assert.EqualValues(t, 10, seen.Load())
		})
	}
}

// dumb is a server that does with each connection what a test wants, below HTTP. It returns its URL, and the number of
// connections so far.
func dumb(t *testing.T, handle func(net.Conn)) (string, *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	seen := new(atomic.Int32)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			seen.Add(1)
			handle(conn)
		}
	}()
	return "http://" + listener.Addr().String(), seen
}

// closed returns the URL of a port that nobody listens on.
func closed(*testing.T) string {
	server := httptest.NewServer(nil)
	server.Close()
	return server.URL
}

func TestReasons(t *testing.T) {
	readRequest := func(conn net.Conn) {
		if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			_, _ = io.Copy(io.Discard, req.Body)
		}
	}
	for name, tc := range map[string]struct {
		url        func(t *testing.T) string
		reason     string
		duplicates int // -1: as it happens
	}{
		"nobody listens": {url: closed, reason: "connect"},
		"connection is closed without a word": {
			url: func(t *testing.T) string {
				t.Helper()
				url, _ := dumb(t, func(c net.Conn) { readRequest(c); c.Close() })
				return url
			},
			reason: "reset", duplicates: 40,
		},
		"answer is no HTTP": {
			url: func(t *testing.T) string {
				t.Helper()
				url, _ := dumb(t, func(c net.Conn) { readRequest(c); _, _ = io.WriteString(c, "SSH-2.0\r\n\r\n"); c.Close() })
				return url
			},
			reason: "transport", duplicates: 40,
		},
		"server is silent": {
			url: func(t *testing.T) string {
				t.Helper()
				url, _ := dumb(t, func(c net.Conn) { t.Cleanup(func() { c.Close() }) })
				return url
			},
			reason: "timeout", duplicates: -1,
		},
		"server does not speak TLS": {
			url: func(t *testing.T) string {
				t.Helper()
				server, _ := serve(t, func(http.ResponseWriter, *http.Request, int) {})
				return strings.Replace(server.URL, "http:", "https:", 1)
			},
			reason: "tls",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := &intake{url: tc.url(t)}
			var o deliver.Options
			if tc.reason == "timeout" {
				o.AttemptTimeout = 50 * time.Millisecond
			}
			got := sendTo(t, d, 1, o)
			assert.Equal(t, map[string]int{tc.reason: 10}, got.Returned)
			if tc.duplicates >= 0 {
				assert.Equal(t, tc.duplicates, got.PossibleDuplicates)
			}
			assert.Equal(t, 4, got.Requests)
			assert.NotContains(t, got.Err.Error(), "127.0.0.1", "an address can be a secret")
		})
	}
}

// The intake closes the connection before it has read the request: the body has not been taken.
func TestResetInTheMiddleOfTheBody(t *testing.T) {
	url, seen := dumb(t, func(conn net.Conn) {
		_, _ = io.ReadFull(conn, make([]byte, 1000))
		_ = conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	})
	d := &intake{url: url}
	client, err := deliver.NewClient(deliver.ClientOptions{URL: url})
	require.NoError(t, err)
	s := deliver.NewSender(d, client, deliver.Options{Jitter: never})
	got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 1, each: 1, size: 15 << 20}.batches(d)...)
	assert.Equal(t, map[string]int{"reset": 1}, got.Returned)
	assert.Zero(t, got.PossibleDuplicates, "half a body is certainly not taken")
	assert.EqualValues(t, got.Requests, seen.Load())
}

// An intake says that a body is too large before it has read it, and hangs up. That has to be heard over the noise of the
// broken connection, or the body would be sent again as it is.
func TestTooLargeBeforeTheBodyIsRead(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > 1<<20 {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
	}))
	defer server.Close()
	d := &intake{url: server.URL}
	client, err := deliver.NewClient(deliver.ClientOptions{URL: server.URL})
	require.NoError(t, err)
	s := deliver.NewSender(d, client, deliver.Options{Jitter: never})
	got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 16, each: 16, size: 256 << 10}.batches(d)...)
	assert.NoError(t, got.Err)
	assert.Zero(t, got.Retries)
}

// A redirect would take the credentials to another host.
func TestRedirectIsNotFollowed(t *testing.T) {
	other, otherSeen := serve(t, func(http.ResponseWriter, *http.Request, int) {})
	for _, code := range []int{301, 302, 303, 307, 308} {
		t.Run(http.StatusText(code), func(t *testing.T) {
			server, seen := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
				assert.Equal(t, "key", r.Header.Get("Api-Key"))
				w.Header().Set("Location", other.URL)
				w.WriteHeader(code)
			})
			got := sendTo(t, &intake{url: server.URL}, 1, deliver.Options{})
			assert.Equal(t, map[string]int{"http_" + strconv.Itoa(code): 10}, got.Returned)
			assert.EqualValues(t, 1, seen.Load())
			assert.Zero(t, otherSeen.Load())
		})
	}
}

// The flight ends while a server holds its answer back.
func TestFlightEndsDuringARequest(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	url, seen := dumb(t, func(c net.Conn) {
		t.Cleanup(func() { c.Close() })
		cancel()
	})
	d := &intake{url: url}
	client, err := deliver.NewClient(deliver.ClientOptions{URL: url})
	require.NoError(t, err)
	s := deliver.NewSender(d, client, deliver.Options{MaxInFlight: 1})
	got := send(ctx, t, s, deliver.FlightOptions{}, load{items: 30, each: 10}.batches(d)...)
	assert.Equal(t, map[string]int{"deadline": 30}, got.Returned)
	assert.EqualValues(t, 1, seen.Load(), "the others were not sent")
}
