package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/register"
)

// sources opens what a person named with --from or --with. The caller closes
// what it returns after the last use.
type sources struct {
	list  []entra.Source
	roots []*os.Root
}

func (s *sources) close() {
	for _, root := range s.roots {
		_ = root.Close() // opened for reading only
	}
}

// open opens paths; flag is the flag under which they were given.
func (c *console) open(ctx context.Context, flag string, paths []string) (*sources, error) {
	s := &sources{}
	if first := slices.Index(paths, "-"); first >= 0 && slices.Contains(paths[first+1:], "-") {
		return nil, misused("", "%s - can be given only once", flag)
	}
	for _, path := range paths {
		var err error
		if path == "-" {
			err = s.stream(ctx, c.stdin)
		} else {
			err = s.path(flag, path)
		}
		if err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// stream reads all of stdin. Whoever waits there for somebody to type can be
// interrupted; the read is then left behind, and ends with the program.
func (s *sources) stream(ctx context.Context, r io.Reader) error {
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		data, err := limited(r)
		done <- result{data, err}
	}()
	var data []byte
	var err error
	select {
	case <-ctx.Done():
		return fmt.Errorf("read stdin: %w", ctx.Err())
	case got := <-done:
		data, err = got.data, got.err
	}
	if err != nil {
		return fmt.Errorf("read stdin: %w", err)
	}
	if len(data) == 0 {
		return &fault{exitFailed, errors.New("read stdin: it is empty"), "pipe an export into halligan, or give a path instead of -"}
	}
	s.list = append(s.list, entra.Source{Name: "stdin", Data: data})
	return nil
}

func (s *sources) path(flag, path string) error {
	if path == "" {
		return misused("", "%s needs a path", flag)
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &fault{exitFailed, fmt.Errorf("open %s: no such file or folder", path), nearPath(path)}
	}
	if err != nil {
		return fmt.Errorf("open %s: %v", path, err)
	}
	if info.IsDir() {
		// A root refuses links that lead out of the folder: an export that
		// somebody sent must not make us read what lies beside it.
		root, err := os.OpenRoot(path)
		if err != nil {
			return fmt.Errorf("open folder %s: %v", path, err)
		}
		s.roots = append(s.roots, root)
		s.list = append(s.list, entra.Source{Name: filepath.ToSlash(filepath.Clean(path)), FS: root.FS()})
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open %s: %v", path, err)
	}
	defer file.Close()
	data, err := limited(file)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	s.list = append(s.list, entra.Source{Name: filepath.ToSlash(path), Data: data})
	return nil
}

// limited reads everything up to the size that the decoder accepts, and one byte
// more so that the decoder notices.
func limited(r io.Reader) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, entra.DefaultLimits.FileBytes+1))
}

// nearPath helps with a path that does not exist: what stands beside it under
// almost the same name.
func nearPath(path string) string {
	return nearName(path, "give a file, a folder, a zip archive, or - for stdin")
}

// nearName is nearPath for a path of another kind.
func nearName(path, otherwise string) string {
	dir, base := filepath.Split(filepath.Clean(path))
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "the folder " + strings.TrimSuffix(dir, string(filepath.Separator)) + " does not exist either"
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if near := register.Nearest(base, names); near != "" && near != base {
		return fmt.Sprintf("did you mean %s?", filepath.Join(dir, near))
	}
	return otherwise
}
