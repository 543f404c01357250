package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
	"time"
)

var at = time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)

// folder returns the same release, lying on two people's disks.
func folder(touched time.Time) fstest.MapFS {
	return fstest.MapFS{
		"halligan":         {Data: []byte("program"), Mode: 0o700, ModTime: touched},
		"LICENSE":          {Data: []byte("licence"), Mode: 0o600, ModTime: touched},
		"man/man1/h.1":     {Data: []byte("page"), Mode: 0o664, ModTime: touched},
		"man/man1/h-sub.1": {Data: []byte("sub"), Mode: 0o644, ModTime: touched},
	}
}

var want = []string{
	"h/LICENSE -rw-r--r-- licence",
	"h/halligan -rwxr-xr-x program",
	"h/man/man1/h-sub.1 -rw-r--r-- sub",
	"h/man/man1/h.1 -rw-r--r-- page",
}

func TestArchiveHoldsTheFolderAndNothingOfTheMachine(t *testing.T) {
	for ending, list := range map[string]func(*testing.T, []byte) []string{".tar.gz": listTarball, ".zip": listZip} {
		t.Run(ending, func(t *testing.T) {
			var made [][]byte
			for i, touched := range []time.Time{at, at.Add(time.Hour)} {
				out := filepath.Join(t.TempDir(), fmt.Sprint(i)+ending)
				if err := write(out, "h", at, folder(touched)); err != nil {
					t.Fatal(err)
				}
				content, err := os.ReadFile(out)
				if err != nil {
					t.Fatal(err)
				}
				made = append(made, content)
			}
			if !bytes.Equal(made[0], made[1]) {
				t.Error("the same folder gave two different archives")
			}
			if got := list(t, made[0]); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestUnknownEndingIsRefused(t *testing.T) {
	if err := write(filepath.Join(t.TempDir(), "a.rar"), "h", at, folder(at)); err == nil {
		t.Error("got no error for an ending that means no format")
	}
}

func TestLinkIsRefused(t *testing.T) {
	linked := folder(at)
	linked["copy"] = &fstest.MapFile{Data: []byte("LICENSE"), Mode: os.ModeSymlink | 0o777}
	if err := write(filepath.Join(t.TempDir(), "a.zip"), "h", at, linked); err == nil {
		t.Error("got no error for a symbolic link: it would pack what lies elsewhere")
	}
}

func listTarball(t *testing.T, content []byte) []string {
	t.Helper()
	plain, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for r := tar.NewReader(plain); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if !header.ModTime.Equal(at) || header.Uid != 0 || header.Uname != "" {
			t.Errorf("%s: got time %v, owner %d %q; want the time given and no owner", header.Name, header.ModTime, header.Uid, header.Uname)
		}
		found = append(found, fmt.Sprintf("%s %v %s", header.Name, header.FileInfo().Mode(), readAll(t, r)))
	}
}

func listZip(t *testing.T, content []byte) []string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range r.File {
		if !file.Modified.Equal(at) {
			t.Errorf("%s: got time %v, want the time given", file.Name, file.Modified)
		}
		body, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, fmt.Sprintf("%s %v %s", file.Name, file.Mode(), readAll(t, body)))
	}
	return found
}

func readAll(t *testing.T, r io.Reader) []byte {
	t.Helper()
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
