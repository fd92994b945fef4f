// Command write writes the sample invocations, and the objects that they announce.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"sluice/e2e/sample"
)

func main() {
	events := flag.String("events", filepath.Join("..", "events"), "folder for the events")
	objects := flag.String("objects", filepath.Join("..", "internal", "forward", "testdata", "objects"), "folder for the objects")
	flag.Parse()
	if err := errors.Join(sample.WriteEvents(*events), sample.WriteObjects(*objects)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
