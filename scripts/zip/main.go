// Command zip writes the deployment archive of one Lambda function, byte for byte the same on every machine.
//
//	zip -o dist/arm64/kinesis.zip dist/arm64/kinesis/bootstrap
//
// Every file becomes an entry at the top of the archive under its base name, executable, with the same time, in the
// order of the names. Nothing is written unless every file could be read. Folders are refused.
package main

import (
	"archive/zip"
	"bytes"
	"cmp"
	"compress/flate"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// entryMode lets Lambda run the file; it starts the entry named bootstrap as any user.
const entryMode = 0o755

// entryTime is the same for every entry: the first moment that the format can hold.
var entryTime = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

func main() {
	out := flag.String("o", "", "archive to write")
	flag.Parse()
	if err := run(*out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "zip:", err)
		os.Exit(1)
	}
}

// run builds the archive in memory (a function is some ten megabytes) and then writes it to out.
func run(out string, files []string) error {
	if out == "" || len(files) == 0 {
		return errors.New("usage: zip -o ARCHIVE FILE...")
	}
	var archive bytes.Buffer
	if err := write(&archive, files); err != nil {
		return err
	}
	return os.WriteFile(out, archive.Bytes(), 0o644)
}

// write writes an archive of the files to w. It reorders files.
func write(w io.Writer, files []string) error {
	slices.SortFunc(files, func(a, b string) int { return cmp.Compare(filepath.Base(a), filepath.Base(b)) })
	archive := zip.NewWriter(w)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	for _, file := range files {
		if err := add(archive, file); err != nil {
			return fmt.Errorf("add %s: %w", file, err)
		}
	}
	return archive.Close()
}

// add copies one file into the archive.
func add(archive *zip.Writer, file string) error {
	from, err := os.Open(file)
	if err != nil {
		return err
	}
	defer from.Close()
	header := &zip.FileHeader{Name: filepath.Base(file), Method: zip.Deflate, Modified: entryTime}
	header.SetMode(entryMode)
	to, err := archive.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return err
}
