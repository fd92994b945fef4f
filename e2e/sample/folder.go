package sample

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// indexFile says which file is which object: keys are no names of files.
const indexFile = "index.json"

// objectFile is a line of the index.
type objectFile struct {
	Bucket    string `json:"bucket"`
	Key       string `json:"key"`
	VersionID string `json:"version_id,omitempty"`
	File      string `json:"file"` // below the folder, with slashes
}

// file is where an object is kept: below its bucket, by the end of its key, spelled with letters that any disk takes.
func (o Object) file() objectFile {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r) {
			return r
		}
		return '_'
	}, o.Key[strings.LastIndexByte(o.Key, '/')+1:])
	return objectFile{Bucket: o.Bucket, Key: o.Key, VersionID: o.VersionID, File: o.Bucket + "/" + name}
}

// WriteEvents writes Files to a folder.
func WriteEvents(dir string) error {
	files, err := Files()
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := write(filepath.Join(dir, f.Name), f.Body); err != nil {
			return err
		}
	}
	return nil
}

// WriteObjects writes Objects to a folder, with the index of their names.
func WriteObjects(dir string) error {
	var index []objectFile
	for _, o := range Objects() {
		f := o.file()
		if err := write(filepath.Join(dir, filepath.FromSlash(f.File)), o.Body); err != nil {
			return err
		}
		index = append(index, f)
	}
	text, err := json.MarshalIndent(index, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the index of objects: %w", err)
	}
	return write(filepath.Join(dir, indexFile), append(text, '\n'))
}

func write(path string, body []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make the folder of a sample: %w", err)
	}
	if err := os.WriteFile(path, body, 0o644); err != nil {
		return fmt.Errorf("write a sample: %w", err)
	}
	return nil
}
