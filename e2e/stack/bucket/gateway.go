package bucket

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"sluice/e2e/stack"
)

const (
	gatewayPackage = "sluice/e2e/stack/bucket/gateway"
	pollInterval   = 2 * time.Millisecond // between two looks for the socket
	closeTime      = 10 * time.Second     // for the gateway to end by itself
	readBytes      = 64 << 10             // buffer of an answer
)

// gateway is the process that keeps the objects, reached over a socket in a folder of its own.
type gateway struct {
	cmd    *exec.Cmd
	input  io.Closer // the process ends when it is closed
	output bytes.Buffer
	folder string
	ended  chan struct{} // closed once the process is gone; output and err stand then
	err    error
}

// executable is the path of the gateway in the go command's build cache, where it is put first if it is not there. It is a
// tool of the module, so it costs a build and a link once a version, and half a second to look once a process.
var executable = sync.OnceValues(func() (string, error) {
	cmd := exec.CommandContext(context.Background(), "go", "tool", "-n", gatewayPackage)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	path, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("build %s: %w; it takes the go command and a working directory in the module\n%s",
			gatewayPackage, err, complaints.Bytes())
	}
	return string(bytes.TrimSpace(path)), nil
})

// startGateway starts the process and waits until it takes connections.
func startGateway(ctx context.Context) (*gateway, error) {
	folder, err := os.MkdirTemp("", "sluice-s3-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for objects: %w", err)
	}
	g := &gateway{folder: folder, ended: make(chan struct{})}
	if err := g.start(ctx); err != nil {
		close(g.ended) // nothing runs
		return nil, errors.Join(err, g.close())
	}
	if err := g.ready(ctx); err != nil {
		return nil, errors.Join(err, g.close())
	}
	return g, nil
}

func (g *gateway) start(ctx context.Context) error {
	for _, name := range []string{"objects", "versions"} {
		if err := os.Mkdir(filepath.Join(g.folder, name), 0o700); err != nil {
			return fmt.Errorf("make a folder for objects: %w", err)
		}
	}
	path, err := executable()
	if err != nil {
		return err
	}
	g.cmd = exec.CommandContext(context.WithoutCancel(ctx), path, g.folder, stack.Region, AccessKey, Secret)
	g.cmd.Stdout, g.cmd.Stderr = &g.output, &g.output
	input, err := g.cmd.StdinPipe()
	if err == nil {
		g.input = input
		err = g.cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("start %s: %w", gatewayPackage, err)
	}
	go func() {
		defer close(g.ended)
		g.err = g.cmd.Wait()
	}()
	return nil
}

// ready waits until the socket answers or the process ended.
func (g *gateway) ready(ctx context.Context) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		if conn, err := g.dial(ctx, "", ""); err == nil {
			return conn.Close()
		}
		select {
		case <-tick.C:
		case <-g.ended:
			return fmt.Errorf("the S3 gateway ended before it served: %w", errors.Join(g.err, g.said()))
		case <-ctx.Done():
			return fmt.Errorf("wait for the S3 gateway: %w", context.Cause(ctx))
		}
	}
}

// said is what the process printed, once it ended.
func (g *gateway) said() error { return fmt.Errorf("it printed %q", g.output.Bytes()) }

// dial connects to the gateway, whatever address is asked for.
func (g *gateway) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	var dialer net.Dialer
	return dialer.DialContext(ctx, "unix", filepath.Join(g.folder, "s3"))
}

// ask hands on a request as it is, on a connection of its own: the Host header and the spelling of the path are part of
// the signature. Close the body of the answer.
//
// A gateway that refuses early does not read a large body to its end. So the answer is read whatever becomes of the body,
// which a http.Transport does not promise.
func (g *gateway) ask(r *http.Request) (*http.Response, error) {
	conn, err := g.dial(r.Context(), "", "")
	if err != nil {
		return nil, fmt.Errorf("connect to the S3 gateway: %w", err)
	}
	stop := context.AfterFunc(r.Context(), func() { conn.Close() })
	out := r.Clone(r.Context())
	out.Close = true         // the connection is for one request
	out.Header.Del("Expect") // reading the body tells the client to go on
	out.Body = nil           // no body at all, unless there is one
	if r.ContentLength != 0 {
		out.Body = io.NopCloser(r.Body) // what is left is drained below
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_ = out.Write(conn) // the answer tells what came of it
	}()
	resp, err := http.ReadResponse(bufio.NewReaderSize(conn, readBytes), out)
	if err != nil {
		stop()
		conn.Close()
		return nil, fmt.Errorf("read the answer of the S3 gateway: %w", err)
	}
	<-sent // a gateway that has answered reads the rest or hangs up
	drain(r)
	resp.Header.Del("Connection")
	resp.Body = answerBody{resp.Body, conn, stop}
	return resp, nil
}

// answerBody is the body of an answer with the connection it comes on.
type answerBody struct {
	io.Reader
	conn net.Conn
	stop func() bool // watching the context
}

// Close ends the connection.
func (b answerBody) Close() error {
	b.stop()
	return b.conn.Close()
}

// close ends the process and removes what it kept.
func (g *gateway) close() error {
	if g.input != nil {
		_ = g.input.Close() // a process that is gone has closed it already
	}
	timer := time.NewTimer(closeTime)
	defer timer.Stop()
	var err error
	select {
	case <-g.ended:
		if g.err != nil {
			err = fmt.Errorf("the S3 gateway ended badly: %w", errors.Join(g.err, g.said()))
		}
	case <-timer.C:
		err = fmt.Errorf("the S3 gateway did not end within %s", closeTime)
		_ = g.cmd.Process.Kill() // it is late, or just gone
		<-g.ended
	}
	return errors.Join(err, os.RemoveAll(g.folder))
}
