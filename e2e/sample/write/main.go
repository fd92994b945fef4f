// Command write writes the sample invocations.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"sluice/e2e/sample"
)

func main() {
	dir := flag.String("dir", filepath.Join("..", "events"), "folder to write to")
	flag.Parse()
	if err := write(*dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(dir string) error {
	files, err := sample.Files()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Body, 0o644); err != nil {
			return fmt.Errorf("write a sample: %w", err)
		}
	}
	return nil
}
