// Command gateway serves the S3 API on a Unix socket, out of a folder, until its standard input ends. Then it removes
// the folder.
//
// It is a process of its own because the gateway's posix backend changes the working directory of its process and
// allows one instance in each. Its standard input ends with the process that started it, however that ends.
//
// Usage: gateway FOLDER REGION ACCESS-KEY SECRET. FOLDER holds the folders objects and versions; the socket is FOLDER/s3.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

const (
	maxConnections  = 4096
	maxParts        = 10_000  // of a multipart upload; Amazon S3 quotas
	copyObjectBytes = 5 << 30 // largest source of one CopyObject; Amazon S3 quotas
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("%d arguments: want FOLDER REGION ACCESS-KEY SECRET", len(args))
	}
	folder := args[0]
	defer os.RemoveAll(folder)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // an error is an end too
		cancel()
	}()

	objects := filepath.Join(folder, "objects")
	attributes := meta.XattrMeta{}
	if err := attributes.Test(objects); err != nil {
		return fmt.Errorf("keep attributes of objects in %s: %w; set TMPDIR to a folder that allows it", folder, err)
	}
	store, err := posix.New(objects, attributes, posix.PosixOpts{
		VersioningDir:       filepath.Join(folder, "versions"),
		CopyObjectThreshold: copyObjectBytes,
	})
	if err != nil {
		return fmt.Errorf("open the store in %s: %w", folder, err)
	}
	return embedgw.RunVersityGW(ctx, store, &embedgw.Config{
		Ports:             []string{filepath.Join(folder, "s3")},
		Region:            args[1],
		RootUserAccess:    args[2],
		RootUserSecret:    args[3],
		MaxConnections:    maxConnections,
		MaxRequests:       maxConnections,
		MultipartMaxParts: maxParts,
		KeepAlive:         true,
		Quiet:             true,
	})
}
