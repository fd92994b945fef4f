package main

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRunGivesTheSameBytesInEveryFolder(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	for _, dir := range []string{first, second} {
		place(t, dir, "bootstrap", "program")
		place(t, dir, "notice", "text")
	}
	// What a second checkout changes: the time, the mode and the order in which files are named.
	require.NoError(t, os.Chtimes(filepath.Join(second, "bootstrap"), time.Unix(1, 0), time.Unix(1, 0)))
	require.NoError(t, os.Chmod(filepath.Join(second, "notice"), 0o600))

	require.NoError(t, run(filepath.Join(first, "f.zip"), []string{
		filepath.Join(first, "bootstrap"), filepath.Join(first, "notice"),
	}))
	require.NoError(t, run(filepath.Join(second, "f.zip"), []string{
		filepath.Join(second, "notice"), filepath.Join(second, "bootstrap"),
	}))

	want, err := os.ReadFile(filepath.Join(first, "f.zip"))
	require.NoError(t, err)
	got, err := os.ReadFile(filepath.Join(second, "f.zip"))
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestRunMakesAnArchiveThatLambdaCanStart(t *testing.T) {
	dir := t.TempDir()
	place(t, dir, "bootstrap", "program")
	out := filepath.Join(dir, "f.zip")
	place(t, dir, "f.zip", "an older archive is replaced")

	require.NoError(t, run(out, []string{filepath.Join(dir, "bootstrap")}))

	archive, err := zip.OpenReader(out)
	require.NoError(t, err)
	defer archive.Close()
	require.Len(t, archive.File, 1)
	entry := archive.File[0]
	assert.Equal(t, "bootstrap", entry.Name)
	assert.Equal(t, os.FileMode(0o755), entry.Mode())
	body, err := entry.Open()
	require.NoError(t, err)
	content, err := io.ReadAll(body)
	require.NoError(t, err)
	assert.Equal(t, "program", string(content))
}

func TestRunLeavesNothingBehindWhenItFails(t *testing.T) {
	for name, files := range map[string][]string{
		"no file":        nil,
		"file missing":   {"missing"},
		"file is folder": {"."},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			require.Error(t, run("f.zip", files))
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Empty(t, left)
		})
	}
}

func place(t *testing.T, dir, name, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o755))
}
