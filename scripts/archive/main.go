// Archive packs a folder into a .tar.gz or .zip whose bytes depend on nothing
// but names, contents, executable bits and the given time: two people who build
// the same release get the same file. The tools of the system put in owners,
// locale order and their own version.
package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
)

func main() {
	out := flag.String("out", "", "the `file` to write, .tar.gz or .zip")
	prefix := flag.String("prefix", "", "the `folder` in the archive that holds everything")
	epoch := flag.Int64("epoch", 0, "the time of every file, in `seconds` since 1970")
	flag.Parse()
	if flag.NArg() != 1 || *out == "" || *prefix == "" {
		fmt.Fprintln(os.Stderr, "usage: archive -out FILE -prefix NAME -epoch SECONDS FOLDER")
		os.Exit(2)
	}
	if err := write(*out, *prefix, time.Unix(*epoch, 0).UTC(), os.DirFS(flag.Arg(0))); err != nil {
		fmt.Fprintf(os.Stderr, "error: write %s: %v\n", *out, err)
		os.Exit(1)
	}
}

// packer is what the two formats have in common.
type packer interface {
	add(name string, executable bool, content []byte) error
	Close() error
}

func write(out, prefix string, at time.Time, folder fs.FS) (err error) {
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	var p packer
	switch {
	case strings.HasSuffix(out, ".tar.gz"):
		p = newTarball(file, at)
	case strings.HasSuffix(out, ".zip"):
		p = &zipped{zip.NewWriter(file), at}
	default:
		return errors.New("want a name that ends in .tar.gz or .zip")
	}
	if err := pack(p, prefix, folder); err != nil {
		return err
	}
	return p.Close()
}

// pack adds every file of folder, in the order of fs.WalkDir, which is lexical.
func pack(p packer, prefix string, folder fs.FS) error {
	return fs.WalkDir(folder, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is not a regular file", name)
		}
		content, err := fs.ReadFile(folder, name)
		if err != nil {
			return err
		}
		return p.add(path.Join(prefix, name), info.Mode()&0o111 != 0, content)
	})
}

func mode(executable bool) fs.FileMode {
	if executable {
		return 0o755
	}
	return 0o644
}

type tarball struct {
	*tar.Writer
	gzip *gzip.Writer
	at   time.Time
}

func newTarball(w io.Writer, at time.Time) *tarball {
	compressed := gzip.NewWriter(w) // its header holds no name and no time unless told
	return &tarball{tar.NewWriter(compressed), compressed, at}
}

func (t *tarball) add(name string, executable bool, content []byte) error {
	err := t.WriteHeader(&tar.Header{
		Name: name, Mode: int64(mode(executable)), Size: int64(len(content)), ModTime: t.at,
		Typeflag: tar.TypeReg, Format: tar.FormatUSTAR,
	})
	if err != nil {
		return err
	}
	_, err = t.Write(content)
	return err
}

func (t *tarball) Close() error {
	if err := t.Writer.Close(); err != nil {
		return err
	}
	return t.gzip.Close()
}

type zipped struct {
	*zip.Writer
	at time.Time
}

func (z *zipped) add(name string, executable bool, content []byte) error {
	header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: z.at}
	header.SetMode(mode(executable))
	w, err := z.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = w.Write(content)
	return err
}
