package seal

import (
	"archive/zip"
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strings"
)

// Names of members.
const (
	manifestName = "manifest.json"
	sumsName     = "SHA256SUMS"
	guideName    = "OPEN.txt"
	combineName  = "combine.py"
	secretName   = "secret.age"
)

// File is a sealed file that was read.
type File struct {
	Manifest Manifest
	// Digest is the SHA-256 of the whole file, sha256: and 64 hexadecimal digits.
	Digest  string
	members map[string][]byte
	// damaged is what is not as the file itself says, nil nothing; of a file that was
	// read to be opened.
	damaged error
}

// isMember reports whether a name is one of a member: lower case letters, digits
// and few signs, no folder. The pages have capitals.
func isMember(name string) bool {
	return len(name) > 0 && len(name) <= 80 && (strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == "" && !strings.HasPrefix(name, ".") || name == guideName || name == sumsName)
}

// order is the order of the members in the archive.
func (m *Manifest) order() []string {
	return slices.Concat([]string{manifestName}, slices.Sorted(maps.Keys(m.Pages)), ruleOf(m.Form).members(m), []string{sumsName})
}

// sums are the lines of SHA256SUMS, as sha256sum -c reads them.
func sums(order []string, members map[string][]byte) []byte {
	var b bytes.Buffer
	for _, name := range order {
		if name != sumsName {
			fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(members[name]), name)
		}
	}
	return b.Bytes()
}

// archive writes the members without compression and with one date, so that the
// same members are the same file.
func archive(order []string, members map[string][]byte) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range order {
		data := members[name]
		h := &zip.FileHeader{Name: name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(data), CompressedSize64: uint64(len(data)), UncompressedSize64: uint64(len(data))}
		//lint:ignore SA1019 Modified writes a second date into an extra field, and CreateRaw takes no notice of it
		h.ModifiedDate = 1<<5 | 1 // 1 January 1980, the first day that the format has
		h.ReaderVersion = 10
		to, err := w.CreateRaw(h)
		if err == nil {
			_, err = to.Write(data)
		}
		if err != nil {
			return nil, fmt.Errorf("write a sealed file: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("write a sealed file: %w", err)
	}
	return b.Bytes(), nil
}

// Parse reads a sealed file, and refuses whatever it does not know in it, and one that
// is damaged. Nothing is decrypted.
func Parse(data []byte) (*File, error) {
	f, err := ParseToOpen(data)
	if err != nil {
		return nil, err
	}
	if f.damaged != nil {
		return nil, f.damaged
	}
	return f, nil
}

// ParseToOpen reads a sealed file as Parse does, and one that is damaged as well: what
// was encrypted proves itself, so that damage to a page, or to what nobody here needs,
// keeps nobody out. Open tells of it.
func ParseToOpen(data []byte) (*File, error) {
	if len(data) > FileMost {
		return nil, refuse(ReasonForm, "it has more than %d bytes", FileMost)
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, refuse(ReasonForm, "it is no archive, or was cut off")
	}
	if len(r.File) > membersMost || r.Comment != "" {
		return nil, refuse(ReasonForm, "an archive of %d members", len(r.File))
	}
	f := &File{Digest: digest(data), members: map[string][]byte{}}
	var names []string
	for _, m := range r.File {
		if !isMember(m.Name) || m.Method != zip.Store || m.UncompressedSize64 > memberMost || m.UncompressedSize64 != m.CompressedSize64 {
			return nil, refuse(ReasonForm, "the member %.80q cannot be one", m.Name)
		}
		if f.members[m.Name], err = readMember(m); err != nil && f.damaged == nil {
			f.damaged = refuse(ReasonDamaged, "%s", m.Name)
		}
		names = append(names, m.Name)
	}
	manifest, err := parseManifest(f.members[manifestName])
	if err != nil {
		return nil, cmp.Or(f.damaged, err)
	}
	f.Manifest = *manifest
	if want := manifest.order(); !slices.Equal(want, names) {
		return nil, refuse(ReasonForm, "it has the members %s, and the manifest tells of %s", strings.Join(names, " "), strings.Join(want, " "))
	}
	if f.damaged == nil {
		f.damaged = f.sound()
	}
	return f, nil
}

func readMember(m *zip.File) ([]byte, error) {
	in, err := m.Open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, memberMost+1))
	if err == nil && len(data) > memberMost {
		err = io.ErrShortBuffer
	}
	if data == nil {
		data = []byte{}
	}
	return data, err
}

// sound compares every member with the digest that the file has of it.
func (f *File) sound() error {
	order := f.Manifest.order()
	given := strings.Split(string(f.members[sumsName]), "\n")
	want := strings.Split(string(sums(order, f.members)), "\n")
	for i := range min(len(given), len(want)) {
		if given[i] != want[i] && i < len(order)-1 {
			return refuse(ReasonDamaged, "%s does not have the SHA-256 that stands in %s", order[i], sumsName)
		}
	}
	if !slices.Equal(given, want) {
		return refuse(ReasonDamaged, "%s", sumsName)
	}
	for name, page := range f.Manifest.Pages {
		if digest(f.members[name]) != page {
			return refuse(ReasonDamaged, "%s does not have the SHA-256 that stands in %s", name, manifestName)
		}
	}
	return nil
}
