package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// link carries the bytes of connections to a server, and damages them on demand. It knows nothing of HTTP.
type link struct {
	listener net.Listener
	url      string

	mu     sync.Mutex // guards what follows
	target string     // host and port
	damage damage
	open   map[net.Conn]bool
	cut    int // connections
	closed bool
}

// damage is what happens to each connection. The zero damage is none.
type damage struct {
	resetUp   int64         // RST to the client when so many bytes of it were taken; 0: none
	resetDown int64         // likewise when so many bytes of the answer were given
	slowUp    time.Duration // between two bytes taken of the client
	slowDown  time.Duration // between two bytes given to it
	times     int           // connections that it happens to, then no more; 0: to all
}

const spareBytes = 4 << 10 // taken at once of a client whose bytes are taken slowly: its head fits

// newLink listens. Close it.
func newLink(ctx context.Context) (*link, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for a link: %w", err)
	}
	l := &link{listener: listener, url: "http://" + listener.Addr().String(), open: map[net.Conn]bool{}}
	go l.accept() //nolint:contextcheck // ctx is for the start: a connection lives as long as its client
	return l, nil
}

// to says where connections lead.
func (l *link) to(url string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, l.target, _ = strings.Cut(url, "://")
}

// set changes what happens to connections, those that are open included: they are ended.
func (l *link) set(d damage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.damage = d
	for conn := range l.open {
		conn.Close()
	}
}

func (l *link) count() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut++
}

// cuts is how many connections were cut.
func (l *link) cuts() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut
}

func (l *link) close() error {
	l.set(damage{})
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	if err := l.listener.Close(); err != nil {
		return fmt.Errorf("close a link: %w", err)
	}
	return nil
}

func (l *link) accept() {
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			return
		}
		go l.carry(conn)
	}
}

// next is what happens to the next connection, and where it leads.
func (l *link) next() (damage, string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.damage
	if d.times > 0 {
		if l.damage.times--; l.damage.times == 0 {
			l.damage = damage{}
		}
	}
	return d, l.target
}

// track remembers a connection, and says whether it may be used.
func (l *link) track(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[conn] = true
	return !l.closed
}

func (l *link) forget(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, conn)
}

// carry takes one connection to its end.
func (l *link) carry(client net.Conn) {
	defer client.Close()
	if !l.track(client) {
		return
	}
	defer l.forget(client)
	d, target := l.next()
	server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", target) // it lives as long as the client's
	if err != nil {
		reset(client)
		return
	}
	defer server.Close()
	var both sync.WaitGroup
	pipe := func(to, from net.Conn, p pace) {
		if errors.Is(p.pass(to, from), errCut) {
			l.count()
			reset(client)
			reset(server)
		}
		client.Close()
		server.Close()
	}
	both.Go(func() { pipe(server, client, pace{most: d.resetUp, free: spareBytes, wait: d.slowUp}) })
	both.Go(func() { pipe(client, server, pace{most: d.resetDown, wait: d.slowDown}) })
	both.Wait()
}

var errCut = errors.New("cut")

// pace is how bytes are copied.
type pace struct {
	most int64         // errCut when so many were copied; 0: no end
	free int64         // that are copied at once, where
	wait time.Duration // is between two of the others; 0: all are copied at once
}

// pass copies until the end of one side.
func (p pace) pass(to io.Writer, from io.Reader) error {
	at := p.free
	switch {
	case p.most > 0:
		at = p.most
	case p.wait == 0:
		_, err := io.Copy(to, from)
		return err // whether it is errCut is all that matters
	}
	if n, err := io.CopyN(to, from, at); err != nil {
		return fmt.Errorf("end after %d bytes: %w", n, err)
	}
	if p.most > 0 {
		return errCut
	}
	for {
		if _, err := io.CopyN(to, from, 1); err != nil {
			return fmt.Errorf("end: %w", err)
		}
		time.Sleep(p.wait)
	}
}

// reset has a connection end by RST.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // one that is closed already ends otherwise
	}
	conn.Close()
}
