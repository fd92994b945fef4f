package stack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Build compiles the main package pkg of the module in dir for this machine, with the flags of a release (scripts/flags, there
// or above), and returns the path of the executable. Extra flags come after those, for example "-race".
//
// The path is named after the content, so a changed program never replaces a running one. The first build of a module
// with large dependencies takes minutes; later ones cost a link.
func Build(ctx context.Context, dir, pkg string, extra ...string) (string, error) {
	cache := filepath.Join(os.TempDir(), "sluice-e2e")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("make the build folder: %w", err)
	}
	work, err := os.MkdirTemp(cache, "build-")
	if err != nil {
		return "", fmt.Errorf("make a folder in %s: %w", cache, err)
	}
	defer os.RemoveAll(work)

	flags, err := releaseFlags(ctx, dir)
	if err != nil {
		return "", err
	}
	fresh := filepath.Join(work, "bootstrap")
	args := slices.Concat([]string{"build", "-o", fresh}, flags, extra, []string{pkg})
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s in %s: %w\n%s", pkg, dir, err, output)
	}
	return keep(fresh, cache)
}

func releaseFlags(ctx context.Context, dir string) ([]string, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", dir, err)
	}
	const script = "scripts/flags"
	for ; filepath.Dir(root) != root; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, script)); err == nil {
			break
		}
	}
	output, err := exec.CommandContext(ctx, filepath.Join(root, script)).Output()
	if err != nil {
		return nil, fmt.Errorf("run %s in %s or above: %w", script, dir, err)
	}
	return strings.Split(strings.TrimSpace(string(output)), "\n"), nil
}

// keep moves the executable to a folder of cache named after its content.
func keep(fresh, cache string) (string, error) {
	name, err := contentHash(fresh)
	if err != nil {
		return "", err
	}
	home := filepath.Join(cache, name)
	if err := os.MkdirAll(home, 0o755); err != nil {
		return "", fmt.Errorf("make %s: %w", home, err)
	}
	path := filepath.Join(home, "bootstrap")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("look for %s: %w", path, err)
	}
	if err := os.Rename(fresh, path); err != nil {
		return "", fmt.Errorf("keep the executable: %w", err)
	}
	return path, nil
}

func contentHash(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("hash the executable: %w", err)
	}
	defer file.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, file); err != nil {
		return "", fmt.Errorf("hash %s: %w", path, err)
	}
	return hex.EncodeToString(digest.Sum(nil))[:16], nil
}
