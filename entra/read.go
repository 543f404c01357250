package entra

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Source is one thing that a person handed over: the bytes of a file or stream,
// or a folder.
type Source struct {
	// Name is what the source is called in messages, for example a path or
	// "stdin".
	Name string
	// Data are the bytes of a file: JSON or a zip archive of JSON files.
	Data []byte
	// FS is a folder; Data is then ignored.
	FS fs.FS
}

// Limits bound what Read accepts. What exceeds one is named as a Trouble, and
// the rest is read.
type Limits struct {
	FileBytes  int64 // of one file, unpacked
	TotalBytes int64 // of all files together
	Files      int   // in all folders and archives together
	Depth      int   // of nested JSON values
	Objects    int   // policies, locations, users and so on
	ZipRatio   int64 // unpacked to packed size of one archive member
}

// DefaultLimits are far above any tenant and far below what would exhaust a
// workstation.
var DefaultLimits = Limits{
	FileBytes:  256 << 20,
	TotalBytes: 1 << 30,
	Files:      50_000,
	Depth:      200,
	Objects:    2_000_000,
	ZipRatio:   1000,
}

// Read makes a Snapshot of everything in the sources, in whatever form it was
// exported, within DefaultLimits.
func Read(sources ...Source) (*Snapshot, error) { return DefaultLimits.Read(sources...) }

// Read makes a Snapshot of everything in the sources. What cannot be read is in
// the Snapshot's Troubles; the error is only for a call without a source.
func (l Limits) Read(sources ...Source) (*Snapshot, error) {
	if len(sources) == 0 {
		return nil, errors.New("read tenant: no source given")
	}
	r := newReader(l)
	for _, s := range sources {
		if s.FS != nil {
			r.folder(s.Name, s.FS)
		} else {
			r.file(s.Name, s.Data, true)
		}
	}
	return NewSnapshot(r.finish()), nil
}

// reader gathers the content of all sources.
type reader struct {
	limits  Limits
	kinds   []*kind
	byName  map[string]*kind
	content Content
	methods looseMethods

	otherRoles  *kind                   // roles of another service: left out
	treeGroups  map[ID][]ID             // members of groups in a tree of files
	methodLists map[string][]methodList // of each account
	accounts    map[string]int          // where each account is in the content
	tenantFile  string                  // the file that named the tenant

	files   int
	bytes   int64
	objects int
	inFile  int           // troubles in the current file
	nothing []string      // files of the current folder or archive without tenant data
	alone   bool          // the current file was named by a person
	owner   ID            // the account of which the current list is
	wrapper string        // name of the object around the current one, for templates
	seen    map[Part]bool // in the list that is being read
	lists   map[Part]bool // read as a whole
	some    map[Part]bool // given in part
	short   map[Part]string
}

func newReader(l Limits) *reader {
	r := &reader{limits: l, otherRoles: &kind{}, treeGroups: map[ID][]ID{}, kinds: kindTable(), byName: map[string]*kind{}, accounts: map[string]int{}, methodLists: map[string][]methodList{}, seen: map[Part]bool{}, lists: map[Part]bool{},
		some: map[Part]bool{}, short: map[Part]string{}}
	for _, k := range r.kinds {
		for _, name := range k.names {
			r.byName[name] = k
		}
	}
	return r
}

// listRead notes that all of a kind were read, where that can be known.
func (r *reader) listRead(k *kind) {
	if k.slice {
		r.some[k.part] = true
		return
	}
	r.lists[k.part] = true
}

func (r *reader) cut(p Part, why string) {
	if r.short[p] == "" {
		r.short[p] = why
	}
}

func (r *reader) trouble(doc *document, off int, what string) {
	switch r.inFile++; {
	case r.inFile > troublesPerFile:
		return
	case r.inFile == troublesPerFile:
		what += "; further troubles of this file are not listed"
	}
	line, column := doc.position(off)
	r.content.Troubles = append(r.content.Troubles, Trouble{File: doc.file, Line: line, Column: column, What: what})
}

// conflict is the trouble that another file has the same with other content.
func (r *reader) conflict(doc *document, off int, what, other string) {
	r.trouble(doc, off, what)
	if n := len(r.content.Troubles); n > 0 && r.inFile <= troublesPerFile {
		r.content.Troubles[n-1].Other = other
	}
}

// troublesPerFile is how many troubles of one file are listed.
const troublesPerFile = 1000

func (r *reader) fileTrouble(file, what string) {
	r.content.Troubles = append(r.content.Troubles, Trouble{File: file, What: what})
}

func (r *reader) note(file, what string) {
	r.content.Notes = append(r.content.Notes, Trouble{File: file, What: what})
}

// folder reads all JSON files and archives below a folder.
func (r *reader) folder(name string, fsys fs.FS) {
	var ignored []string
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		full := path.Join(name, p)
		if err != nil {
			r.fileTrouble(full, "cannot be read: "+err.Error())
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			if p != "." && strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
			return nil
		}
		if d.Type()&^fs.ModeSymlink != 0 { // a pipe or device: reading might never end
			ignored = append(ignored, p)
			return nil
		}
		if !readable(p) && !looksLikeTenantData(func() (io.ReadCloser, error) { return fsys.Open(p) }) {
			ignored = append(ignored, p)
			r.desiredState(fsys, p, full)
			return nil
		}
		if !r.admit(full) {
			return fs.SkipAll
		}
		if info, err := d.Info(); err == nil && info.Size() > r.limits.FileBytes {
			r.tooLarge(full)
			return nil
		}
		f, err := fsys.Open(p)
		if err != nil {
			r.fileTrouble(full, "cannot be read: "+err.Error())
			return nil
		}
		data, err := r.all(f)
		f.Close()
		if err != nil {
			r.fileTrouble(full, "cannot be read: "+err.Error())
			return nil
		}
		r.file(full, data, false)
		return nil
	})
	if err != nil {
		r.fileTrouble(name, "cannot be read: "+err.Error())
	}
	r.sayNothing(name)
	r.ignored(name, ignored, "neither JSON nor zip")
}

// ignored notes which files were not read.
func (r *reader) ignored(source string, names []string, why string) {
	switch n := len(names); {
	case n == 1:
		r.note(source, fmt.Sprintf("a file was not read, for it is %s: %s", why, names[0]))
	case n > 1:
		r.note(source, fmt.Sprintf("%d files were not read, for they are %s: %s", n, why, firstOf(names)))
	}
}

// firstOf names a few of many.
func firstOf(names []string) string {
	const few = 5
	if more := len(names) - few; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), more)
	}
	return strings.Join(names, ", ")
}

// looksLikeTenantData looks into a file whose name says nothing: JSON that speaks
// of conditions or Conditional Access is read whatever it is called.
func looksLikeTenantData(open func() (io.ReadCloser, error)) bool {
	f, err := open()
	if err != nil {
		return false
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return false
	}
	text := strings.ToLower(strings.ToValidUTF8(strings.ReplaceAll(string(head), "\x00", ""), "\ufffd")) // UTF-16 too
	start := strings.TrimLeftFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == unicode.ReplacementChar || r == 0xfeff })
	return (strings.HasPrefix(start, "{") || strings.HasPrefix(start, "[")) &&
		(strings.Contains(text, `"conditions"`) || strings.Contains(text, "conditionalaccess"))
}

// desiredState notes a Microsoft365DSC configuration, which holds policies in a
// form that is not read.
func (r *reader) desiredState(fsys fs.FS, p, full string) {
	if ext := strings.ToLower(path.Ext(p)); ext != ".ps1" && ext != ".psd1" {
		return
	}
	f, err := fsys.Open(p)
	if err != nil {
		return // it would not have been read anyway
	}
	defer f.Close()
	text, _ := io.ReadAll(io.LimitReader(f, 16<<20))
	if what := foreignFormat(toUTF8(text)); what != "" {
		r.note(full, what)
	}
}

var errTooLarge = errors.New("larger than the limit")

// all reads a file up to the limits.
func (r *reader) all(f io.Reader) ([]byte, error) {
	room := min(r.limits.FileBytes, r.limits.TotalBytes-r.bytes)
	data, err := io.ReadAll(io.LimitReader(f, room+1))
	if err == nil && int64(len(data)) > room {
		err = errTooLarge
	}
	return data, err
}

func (r *reader) admit(name string) bool {
	if r.files++; r.files > r.limits.Files {
		if r.files == r.limits.Files+1 {
			r.fileTrouble(name, fmt.Sprintf("more than %d files; this and all later ones were not read", r.limits.Files))
		}
		return false
	}
	return true
}

func (r *reader) tooLarge(name string) {
	r.fileTrouble(name, fmt.Sprintf("larger than the limit of %d bytes; not read", r.limits.FileBytes))
}

func readable(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".json", ".zip", ".ndjson", ".jsonl":
		return true
	}
	return false
}

// file reads one file. explicit says that a person named it, so that nothing in
// it is worth a Trouble too.
func (r *reader) file(name string, data []byte, explicit bool) {
	if explicit && !r.admit(name) {
		return
	}
	if int64(len(data)) > r.limits.FileBytes {
		r.tooLarge(name)
		return
	}
	if r.bytes += int64(len(data)); r.bytes > r.limits.TotalBytes {
		r.fileTrouble(name, fmt.Sprintf("together more than %d bytes; not read", r.limits.TotalBytes))
		return
	}
	if bytes.HasPrefix(data, []byte("PK\x03\x04")) || bytes.HasPrefix(data, []byte("PK\x05\x06")) {
		r.archive(name, data)
		if explicit {
			r.sayNothing(name)
		}
		return
	}
	text := toUTF8(data)
	if what := foreignFormat(text); what != "" {
		r.fileTrouble(name, what)
		return
	}
	doc, syntax := parse(name, text, r.limits.Depth)
	if syntax != nil {
		r.content.Troubles = append(r.content.Troubles, Trouble{File: name, Line: syntax.Line, Column: syntax.Column,
			What: "not valid JSON: " + syntax.Err.Error()})
	} else if len(doc.values) == 0 {
		r.fileTrouble(name, "the file is empty")
	}
	if !utf8.Valid(text) {
		r.note(name, "some bytes are not UTF-8; they were read as U+FFFD")
	}
	r.alone, r.inFile = explicit, 0
	before, troubles, lists := r.objects, len(r.content.Troubles), len(r.lists)
	if !r.treeMember(doc) {
		for i := range doc.values {
			r.visit(doc, &doc.values[i], hint{}, nil)
		}
	}
	if r.objects == before && len(r.lists) == lists && len(r.content.Troubles) == troubles && syntax == nil && len(doc.values) > 0 {
		r.nothing = append(r.nothing, name)
		if explicit {
			r.sayNothing(name)
		}
	}
}

// sayNothing notes the files in which nothing was found, all of a folder in one
// note: trees hold thousands that are about something else.
func (r *reader) sayNothing(source string) {
	switch n := len(r.nothing); {
	case n == 0:
	case n == 1:
		r.note(r.nothing[0], "no tenant data found")
	default:
		r.note(source, fmt.Sprintf("no tenant data found in %d JSON files: %s", n, firstOf(r.nothing)))
	}
	r.nothing = nil
}

// archive reads the JSON files of a zip archive.
func (r *reader) archive(name string, data []byte) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		r.fileTrouble(name, "zip archive cannot be read: "+err.Error())
		return
	}
	var ignored []string
	for _, f := range z.File {
		if f.FileInfo().IsDir() {
			continue
		}
		if strings.EqualFold(path.Ext(f.Name), ".zip") || !readable(f.Name) && !looksLikeTenantData(f.Open) {
			ignored = append(ignored, f.Name)
			continue
		}
		r.zipMember(name+"!"+f.Name, f)
	}
	r.ignored(name, ignored, "not JSON")
}

func (r *reader) zipMember(full string, f *zip.File) {
	if !r.admit(full) {
		return
	}
	if f.UncompressedSize64 > uint64(r.limits.FileBytes) {
		r.tooLarge(full)
		return
	}
	if f.UncompressedSize64 > 1<<20 && f.UncompressedSize64/max(f.CompressedSize64, 1) > uint64(r.limits.ZipRatio) {
		r.fileTrouble(full, fmt.Sprintf("unpacks to more than %d times its size; not read", r.limits.ZipRatio))
		return
	}
	rc, err := f.Open()
	if err != nil {
		r.fileTrouble(full, "cannot be unpacked: "+err.Error())
		return
	}
	defer rc.Close()
	data, err := r.all(rc)
	if err != nil {
		r.fileTrouble(full, "cannot be unpacked: "+err.Error())
		return
	}
	r.file(full, data, false)
}

// foreignFormat names a text that is plainly something else than JSON.
func foreignFormat(text []byte) string {
	head := bytes.TrimLeft(text[:min(len(text), 4096)], " \t\r\n")
	switch {
	case len(head) == 0 || head[0] == '{' || head[0] == '[':
		return ""
	case bytes.Contains(text, []byte("AADConditionalAccessPolicy ")) || bytes.Contains(head, []byte("Microsoft365DSC")):
		return "a Microsoft365DSC configuration is PowerShell, not JSON; export the policies from Graph as JSON instead"
	case head[0] == '<':
		return "HTML or XML, not JSON; give the JSON file of the same export"
	}
	return ""
}
