// Inventory says what the binaries of a release are made of: a bill of materials
// in SPDX 2.3 JSON, and the licence texts that must go with them.
//
// It reads the binaries, not go.mod: what the linker left out is not in the
// product. Hashes are those of go.sum, and a binary that disagrees with go.sum
// is refused. The same binaries give the same bytes.
package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

func main() {
	var (
		version  = flag.String("version", "", "the `version` of the release")
		epoch    = flag.Int64("epoch", 0, "the time of the release, in `seconds` since 1970")
		bill     = flag.String("sbom", "", "the `file` for the bill of materials")
		licences = flag.String("licences", "", "the `file` for the licence texts")
	)
	flag.Parse()
	if *version == "" || *bill == "" || *licences == "" || flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: inventory -version VERSION -epoch SECONDS -sbom FILE -licences FILE BINARY...")
		os.Exit(2)
	}
	if err := write(*version, time.Unix(*epoch, 0).UTC(), *bill, *licences, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func write(version string, at time.Time, billFile, licenceFile string, binaries []string) error {
	var infos []*debug.BuildInfo
	for _, binary := range binaries {
		info, err := buildinfo.ReadFile(binary)
		if err != nil {
			return fmt.Errorf("read build information: %w", err)
		}
		infos = append(infos, info)
	}
	parts, err := collect(infos)
	if err != nil {
		return err
	}
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		return err
	}
	if err := parts.agreeWith(sums); err != nil {
		return err
	}
	document, err := spdx(version, at, parts)
	if err != nil {
		return err
	}
	if err := os.WriteFile(billFile, document, 0o644); err != nil {
		return err
	}
	places, err := folders()
	if err != nil {
		return err
	}
	var texts bytes.Buffer
	within, err := withinModules(parts.allTargets)
	if err != nil {
		return err
	}
	if err := licenceTexts(&texts, parts, places, within); err != nil {
		return err
	}
	return os.WriteFile(licenceFile, texts.Bytes(), 0o644)
}

// part is a module that is linked into at least one binary.
type part struct {
	path, version string
	sum           string   // as in go.sum: "h1:" and base64
	targets       []string // the systems whose binary holds it, sorted
}

// parts is everything that the binaries of one release are made of.
type parts struct {
	module     string // ours
	goVersion  string // such as "1.26.8"
	allTargets []string
	modules    []part // sorted by path
}

// collect joins what the binaries say about themselves. They must be one release:
// built by one Go, and holding one version of each module.
func collect(infos []*debug.BuildInfo) (parts, error) {
	if len(infos) == 0 {
		return parts{}, errors.New("no binaries")
	}
	all := parts{module: infos[0].Main.Path, goVersion: strings.TrimPrefix(infos[0].GoVersion, "go")}
	byPath := map[string]*part{}
	for _, info := range infos {
		target := setting(info, "GOOS") + "/" + setting(info, "GOARCH")
		all.allTargets = append(all.allTargets, target)
		if info.Main.Path != all.module || strings.TrimPrefix(info.GoVersion, "go") != all.goVersion {
			return parts{}, fmt.Errorf("binary for %s: got %s built with %s, the first was %s built with go%s",
				target, info.Main.Path, info.GoVersion, all.module, all.goVersion)
		}
		for _, module := range info.Deps {
			if module.Replace != nil {
				module = module.Replace
			}
			known := byPath[module.Path]
			if known == nil {
				known = &part{path: module.Path, version: module.Version, sum: module.Sum}
				byPath[module.Path] = known
			}
			if known.version != module.Version || known.sum != module.Sum {
				return parts{}, fmt.Errorf("binary for %s: got %s %s, another holds %s", target, module.Path, module.Version, known.version)
			}
			known.targets = append(known.targets, target)
		}
	}
	for _, known := range byPath {
		slices.Sort(known.targets)
		all.modules = append(all.modules, *known)
	}
	slices.Sort(all.allTargets)
	slices.SortFunc(all.modules, func(a, b part) int { return strings.Compare(a.path, b.path) })
	return all, nil
}

func setting(info *debug.BuildInfo, key string) string {
	for _, s := range info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return "unknown"
}

// agreeWith refuses a binary that was not built from the modules that the
// repository vouches for.
func (p parts) agreeWith(goSum []byte) error {
	vouched := map[string]bool{}
	for line := range strings.Lines(string(goSum)) {
		vouched[strings.TrimSpace(line)] = true
	}
	for _, module := range p.modules {
		if line := module.path + " " + module.version + " " + module.sum; !vouched[line] {
			return fmt.Errorf("a binary holds %q, which is not in go.sum", line)
		}
	}
	return nil
}

// folders asks the go command where the sources of each module lie.
func folders() (map[string]string, error) {
	out, err := exec.Command("go", "list", "-m", "-json", "all").Output()
	if err != nil {
		return nil, fmt.Errorf("go list -m -json all: %w", err)
	}
	places := map[string]string{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var module struct{ Path, Dir string }
		if err := decoder.Decode(&module); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("read go list: %w", err)
		}
		places[module.Path] = module.Dir
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	places["stdlib"] = strings.TrimSpace(string(root))
	return places, nil
}

// withinModules asks the go command in which folders below the root of its module each
// linked package lies, on any of the targets. The folders above a package count.
func withinModules(targets []string) (map[string][]string, error) {
	within, seen := map[string][]string{}, map[string]bool{}
	for _, target := range targets {
		system, arch, _ := strings.Cut(target, "/")
		list := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}\t{{.Dir}}{{end}}\t{{.Dir}}", "./cmd/halligan")
		list.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+arch, "CGO_ENABLED=0")
		out, err := list.Output()
		if err != nil {
			return nil, fmt.Errorf("go list -deps for %s: %w", target, err)
		}
		for line := range strings.Lines(string(out)) {
			fields := strings.Split(strings.TrimSpace(line), "\t")
			if len(fields) != 3 { // the standard library
				continue
			}
			for folder := fields[2]; strings.HasPrefix(folder, fields[1]+string(filepath.Separator)); folder = filepath.Dir(folder) {
				if !seen[folder] {
					seen[folder], within[fields[0]] = true, append(within[fields[0]], folder)
				}
			}
		}
	}
	for _, list := range within {
		slices.Sort(list)
	}
	return within, nil
}

// licenceTexts copies the licence and notice files of everything that is linked,
// which nearly every licence asks for. A part without one is an error: someone
// must look before it is given to others.
// within are the folders of linked packages below the root of their module, by
// module: some have a licence of their own.
func licenceTexts(w io.Writer, p parts, places map[string]string, within map[string][]string) error {
	all := append([]part{{path: "stdlib", version: "go" + p.goVersion}}, p.modules...)
	for _, module := range all {
		files, err := licenceFiles(places[module.path])
		if err != nil {
			return fmt.Errorf("licence of %s: %w", module.path, err)
		}
		for _, folder := range within[module.path] {
			more, err := licencesIn(folder)
			if err != nil {
				return fmt.Errorf("licence of %s: %w", module.path, err)
			}
			files = append(files, more...)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return fmt.Errorf("licence of %s: %w", module.path, err)
			}
			name := module.path
			if name == "stdlib" {
				name = "the Go standard library"
			}
			_, err = fmt.Fprintf(w, "==== %s %s: %s\n\n%s\n\n", name, module.version, nameWithin(places[module.path], file), bytes.TrimSpace(text))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func licenceFiles(folder string) ([]string, error) {
	if folder == "" {
		return nil, errors.New("its sources are not on this machine")
	}
	files, err := licencesIn(folder)
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no licence file in its sources")
	}
	return files, err
}

// nameWithin is the name of a file in its module.
func nameWithin(root, file string) string {
	if name, err := filepath.Rel(root, file); err == nil {
		return filepath.ToSlash(name)
	}
	return filepath.Base(file)
}

func licencesIn(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder) // sorted by name
	if err != nil {
		return nil, err
	}
	var files []string
	for _, entry := range entries {
		name := strings.ToUpper(entry.Name())
		for _, prefix := range []string{"LICENSE", "LICENCE", "COPYING", "NOTICE"} {
			if strings.HasPrefix(name, prefix) && entry.Type().IsRegular() && filepath.Ext(name) != ".GO" {
				files = append(files, filepath.Join(folder, entry.Name()))
				break
			}
		}
	}
	return files, nil
}
