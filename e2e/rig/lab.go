package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"sluice/e2e/stack"
	"sluice/e2e/stack/bucket"
)

// Function names a function of the module: its folder below functions/.
type Function string

// The functions.
const (
	CloudWatchFunction Function = "cloudwatch"
	KinesisFunction    Function = "kinesis"
	ObjectFunction     Function = "s3"
	FirehoseFunction   Function = "firehose"
	ReplayFunction     Function = "replay"
)

// Functions are all of them.
func Functions() []Function {
	return []Function{CloudWatchFunction, KinesisFunction, ObjectFunction, FirehoseFunction, ReplayFunction}
}

// Environment is one more execution environment of a function, with a process of its own: the second is number 2. It takes
// events of those who name it, such as Rig.InvokeReplay.
func (f Function) Environment(number int) Function {
	return Function(string(f) + environmentMark + strconv.Itoa(number))
}

const environmentMark = "#"

// base is the function that an environment is of.
func (f Function) base() Function {
	name, _, _ := strings.Cut(string(f), environmentMark)
	return Function(name)
}

// LabOptions say how functions are built.
type LabOptions struct {
	Module string   // folder of the functions' module; empty: found above the working directory
	Tags   []string // build tags beside those of a release, such as "failpoint"
}

// Lab is what the rigs of a process share: the built functions and one S3 server. It is safe for concurrent use.
type Lab struct {
	module string
	tags   []string
	s3     *bucket.Server
	rigs   atomic.Int64

	mu     sync.Mutex // guards what follows
	builds map[Function]func() (string, error)
}

// Open starts what rigs share. Close it.
func Open(ctx context.Context, o LabOptions) (*Lab, error) {
	l := &Lab{module: o.Module, tags: append([]string{"lambda.norpc"}, o.Tags...), builds: map[Function]func() (string, error){}}
	var err error
	if l.module == "" {
		if l.module, err = findModule(); err != nil {
			return nil, err
		}
	}
	if l.s3, err = bucket.Start(ctx); err != nil {
		return nil, fmt.Errorf("open the lab: %w", err)
	}
	return l, nil
}

// findModule is the folder of module sluice, above the working directory.
func findModule() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("look for the functions' module: %w", err)
	}
	for {
		text, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if err == nil && bytes.HasPrefix(text, []byte("module sluice\n")) {
			return folder, nil
		}
		above := filepath.Dir(folder)
		if above == folder {
			return "", errors.New("look for the functions' module: no go.mod of it above the working directory: set LabOptions.Module")
		}
		folder = above
	}
}

// Build builds functions now, all of them when none is named. Without it, each is built at its first event.
func (l *Lab) Build(functions ...Function) error {
	if len(functions) == 0 {
		functions = Functions()
	}
	for _, f := range functions {
		if _, err := l.binary(f); err != nil {
			return err
		}
	}
	return nil
}

// binary is the path of a function's executable. It is built once, and as long as that takes.
func (l *Lab) binary(f Function) (string, error) {
	f = f.base()
	l.mu.Lock()
	build := l.builds[f]
	if build == nil {
		build = sync.OnceValues(func() (string, error) {
			return stack.Build(context.Background(), l.module, "./functions/"+string(f), "-tags", strings.Join(l.tags, ","))
		})
		l.builds[f] = build
	}
	l.mu.Unlock()
	path, err := build()
	if err != nil {
		return "", fmt.Errorf("build functions/%s: %w", f, err)
	}
	return path, nil
}

// Close ends the S3 server. Close the rigs first.
func (l *Lab) Close() error {
	if err := l.s3.Close(); err != nil {
		return fmt.Errorf("close the lab: %w", err)
	}
	return nil
}
