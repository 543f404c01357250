package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
)

var at = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func sum(fill byte) string {
	return "h1:" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, 32))
}

// binary returns what a binary for a system says about itself.
func binary(goos string, modules ...*debug.Module) *debug.BuildInfo {
	return &debug.BuildInfo{
		GoVersion: "go1.26.8",
		Main:      debug.Module{Path: "halligan"},
		Deps:      modules,
		Settings:  []debug.BuildSetting{{Key: "GOARCH", Value: "amd64"}, {Key: "GOOS", Value: goos}},
	}
}

func module(path, version string, fill byte) *debug.Module {
	return &debug.Module{Path: path, Version: version, Sum: sum(fill)}
}

func release(t *testing.T) parts {
	t.Helper()
	p, err := collect([]*debug.BuildInfo{
		binary("windows", module("example.test/Upper", "v1.0.0", 1), module("example.test/mouse", "v2.0.0+incompatible", 2)),
		binary("linux", module("example.test/Upper", "v1.0.0", 1)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestBillNamesEveryModuleWithItsHash(t *testing.T) {
	content, err := spdx("1.2.3", at, release(t))
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := json.Unmarshal(content, &d); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range d.Packages {
		line := p.Name + " " + p.Version
		for _, c := range p.Checksums {
			line += " " + c.Value[:4]
		}
		for _, r := range p.References {
			line += " " + r.Locator
		}
		got = append(got, line)
	}
	want := []string{
		"halligan 1.2.3",
		"stdlib 1.26.8 pkg:golang/stdlib@1.26.8",
		"example.test/Upper v1.0.0 0101 pkg:golang/example.test/upper@v1.0.0",
		"example.test/mouse v2.0.0+incompatible 0202 pkg:golang/example.test/mouse@v2.0.0%2Bincompatible",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if only := d.Packages[3].Comment; !strings.Contains(only, "Only in the binaries for windows/amd64.") {
		t.Errorf("got comment %q, want it to say that only Windows has the module", only)
	}
	if everywhere := d.Packages[2].Comment; strings.Contains(everywhere, "Only in") {
		t.Errorf("got comment %q for a module that all binaries hold", everywhere)
	}
}

// What SPDX 2.3 asks of every document, so that other people's tools read ours.
func TestBillIsWellFormed(t *testing.T) {
	content, err := spdx("1.2.3", at, release(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults(t, content) {
		t.Error(fault)
	}
	for name, spoil := range map[string]func(string) string{
		"another version of SPDX": func(s string) string { return strings.Replace(s, `"SPDX-2.3"`, `"SPDX-3.0"`, 1) },
		"a relation to nothing": func(s string) string {
			return strings.Replace(s, `"relatedSpdxElement": "`, `"relatedSpdxElement": "x`, 1)
		},
		"an identifier with a slash":     func(s string) string { return strings.ReplaceAll(s, "Package-example", "Package/example") },
		"a checksum that is too short":   func(s string) string { return strings.Replace(s, `"0101`, `"`, 1) },
		"a reference of no known kind":   func(s string) string { return strings.Replace(s, "PACKAGE-MANAGER", "REGISTRY", 1) },
		"a date that is none":            func(s string) string { return strings.Replace(s, "2026-01-02T", "yesterday", 1) },
		"a package without a download":   func(s string) string { return strings.Replace(s, `"downloadLocation"`, `"elsewhere"`, 1) },
		"a document that describes none": func(s string) string { return strings.Replace(s, "DESCRIBES", "OTHER", 1) },
	} {
		spoiled := spoil(string(content))
		if spoiled == string(content) || len(faults(t, []byte(spoiled))) == 0 {
			t.Errorf("%s was not noticed", name)
		}
	}
}

// faults says where content breaks SPDX 2.3, reading it as JSON without our types.
func faults(t *testing.T, content []byte) []string {
	t.Helper()
	var d struct {
		SPDXVersion, DataLicense, SPDXID, Name, DocumentNamespace string
		CreationInfo                                              struct {
			Created  string
			Creators []string
		}
		Packages      []map[string]any
		Relationships []map[string]string
	}
	if err := json.Unmarshal(content, &d); err != nil {
		return []string{err.Error()}
	}
	var found []string
	check := func(ok bool, what string) {
		if !ok {
			found = append(found, what)
		}
	}
	check(d.SPDXVersion == "SPDX-2.3", "spdxVersion")
	check(d.DataLicense == "CC0-1.0", "dataLicense")
	check(d.SPDXID == "SPDXRef-DOCUMENT", "SPDXID of the document")
	check(d.Name != "", "name")
	check(regexp.MustCompile(`^https://[^#\s]+$`).MatchString(d.DocumentNamespace), "documentNamespace: an absolute URI without a fragment")
	_, err := time.Parse("2006-01-02T15:04:05Z", d.CreationInfo.Created)
	check(err == nil, "created")
	check(len(d.CreationInfo.Creators) > 0 && strings.HasPrefix(d.CreationInfo.Creators[0], "Tool: "), "creators")

	ids := map[string]bool{d.SPDXID: true}
	for _, p := range d.Packages {
		id, _ := p["SPDXID"].(string)
		check(regexp.MustCompile(`^SPDXRef-[A-Za-z0-9.-]+$`).MatchString(id), "SPDXID "+id)
		check(!ids[id], "two elements with id "+id)
		ids[id] = true
		for _, field := range []string{"name", "versionInfo", "downloadLocation", "licenseConcluded", "licenseDeclared", "copyrightText"} {
			text, _ := p[field].(string)
			check(text != "", id+": "+field)
		}
		check(p["filesAnalyzed"] == false, id+": filesAnalyzed without a verification code")
		check(p["primaryPackagePurpose"] == "APPLICATION" || p["primaryPackagePurpose"] == "LIBRARY", id+": primaryPackagePurpose")
		references, _ := p["externalRefs"].([]any)
		for _, r := range references {
			ref, _ := r.(map[string]any)
			locator, _ := ref["referenceLocator"].(string)
			check(ref["referenceCategory"] == "PACKAGE-MANAGER" && ref["referenceType"] == "purl" && strings.HasPrefix(locator, "pkg:golang/"), id+": package URL "+locator)
		}
		sums, _ := p["checksums"].([]any)
		for _, s := range sums {
			c, _ := s.(map[string]any)
			value, _ := c["checksumValue"].(string)
			raw, err := hex.DecodeString(value)
			check(c["algorithm"] == "SHA256" && err == nil && len(raw) == 32, id+": checksum "+value)
		}
	}
	described := 0
	for _, r := range d.Relationships {
		check(ids[r["spdxElementId"]] && ids[r["relatedSpdxElement"]], "relationship to an unknown element")
		if r["relationshipType"] == "DESCRIBES" && r["spdxElementId"] == d.SPDXID {
			described++
		}
	}
	check(described == 1, "the document must describe one product")
	check(len(d.Relationships) == len(d.Packages), "every package stands in one relationship")
	return found
}

func TestBillOfTheSameBinariesIsTheSame(t *testing.T) {
	a, b := binary("linux", module("example.test/a", "v1.0.0", 1), module("example.test/b", "v1.0.0", 2)),
		binary("windows", module("example.test/b", "v1.0.0", 2), module("example.test/a", "v1.0.0", 1))
	var bills []string
	for _, order := range [][]*debug.BuildInfo{{a, b}, {b, a}} {
		p, err := collect(order)
		if err != nil {
			t.Fatal(err)
		}
		content, err := spdx("1.2.3", at, p)
		if err != nil {
			t.Fatal(err)
		}
		bills = append(bills, string(content))
	}
	if bills[0] != bills[1] {
		t.Error("the bill depends on the order in which binaries are given")
	}
	other, err := spdx("1.2.4", at, release(t))
	if err != nil {
		t.Fatal(err)
	}
	namespace := regexp.MustCompile(`"documentNamespace": ".*"`)
	if namespace.FindString(bills[0]) == namespace.FindString(string(other)) {
		t.Error("two different bills have the same namespace")
	}
}

func TestBinariesOfDifferentReleasesAreRefused(t *testing.T) {
	older := binary("darwin", module("example.test/Upper", "v0.9.0", 1))
	otherGo := binary("darwin")
	otherGo.GoVersion = "go1.25.0"
	otherHash := binary("darwin", module("example.test/Upper", "v1.0.0", 7))
	for name, second := range map[string]*debug.BuildInfo{"a module": older, "Go": otherGo, "a hash": otherHash} {
		if _, err := collect([]*debug.BuildInfo{binary("linux", module("example.test/Upper", "v1.0.0", 1)), second}); err == nil {
			t.Errorf("got no error for binaries that differ in %s", name)
		}
	}
}

func TestReplacedModuleIsNamedAsWhatReplacesIt(t *testing.T) {
	replaced := module("example.test/old", "v1.0.0", 1)
	replaced.Replace = module("example.test/new", "v2.0.0", 2)
	p, err := collect([]*debug.BuildInfo{binary("linux", replaced)})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.modules) != 1 || p.modules[0].path != "example.test/new" {
		t.Errorf("got %v, want the module that was linked", p.modules)
	}
}

func TestModuleThatGoSumDoesNotVouchForIsRefused(t *testing.T) {
	p := release(t)
	good := "example.test/Upper v1.0.0 " + sum(1) + "\nexample.test/mouse v2.0.0+incompatible " + sum(2) + "\n"
	if err := p.agreeWith([]byte(good)); err != nil {
		t.Errorf("got %v, want no error", err)
	}
	if err := p.agreeWith([]byte(strings.Replace(good, sum(2), sum(3), 1))); err == nil {
		t.Error("got no error for a hash that differs from go.sum")
	}
}

func TestLicenceTextsAreComplete(t *testing.T) {
	home := t.TempDir()
	places := map[string]string{}
	for _, file := range []string{"stdlib/LICENSE", "upper/LICENSE.txt", "upper/NOTICE", "upper/main.go", "mouse/COPYING", "upper/notice_response.go", "upper/lower/LICENSE"} {
		name := filepath.Join(home, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("text of "+file+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	places["stdlib"] = filepath.Join(home, "stdlib")
	places["example.test/Upper"] = filepath.Join(home, "upper")
	places["example.test/mouse"] = filepath.Join(home, "mouse")
	var b bytes.Buffer
	if err := licenceTexts(&b, release(t), places, map[string][]string{"example.test/Upper": {filepath.Join(home, "upper", "lower")}}); err != nil {
		t.Fatal(err)
	}
	want := `==== the Go standard library go1.26.8: LICENSE

text of stdlib/LICENSE

==== example.test/Upper v1.0.0: LICENSE.txt

text of upper/LICENSE.txt

==== example.test/Upper v1.0.0: NOTICE

text of upper/NOTICE

==== example.test/Upper v1.0.0: lower/LICENSE

text of upper/lower/LICENSE

==== example.test/mouse v2.0.0+incompatible: COPYING

text of mouse/COPYING

`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	if err := os.Remove(filepath.Join(home, "mouse", "COPYING")); err != nil {
		t.Fatal(err)
	}
	if err := licenceTexts(&b, release(t), places, map[string][]string{"example.test/Upper": {filepath.Join(home, "upper", "lower")}}); err == nil {
		t.Error("got no error for a module without a licence file")
	}
}

// What lies in every archive beside the program: its licence, and the texts of all
// that is in it, those of the fonts that every PDF carries on, too.
func TestArchivesHaveTheLicencesOfTheFonts(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	places, err := folders()
	if err != nil {
		t.Fatal(err)
	}
	within, err := withinModules([]string{runtime.GOOS + "/" + runtime.GOARCH})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := licenceTexts(&b, parts{goVersion: "1", modules: []part{{path: "github.com/go-fonts/dejavu"}, {path: "codeberg.org/go-pdf/fpdf"}, {path: "github.com/wneessen/go-mail"}}}, places, within); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Copyright (c) 2003 by Bitstream, Inc. All Rights Reserved.", "Copyright (c) 2006 by Tavmjong Bah. All Rights Reserved.", ": LICENSE-DejaVu\n", ": smtp/LICENSE\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the texts of licences lack %q", want)
		}
	}
	script, err := os.ReadFile(filepath.Join("scripts", "release"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`-licences "$bin/THIRD-PARTY-LICENSES.txt"`, `cp LICENSE "$bin/THIRD-PARTY-LICENSES.txt" "$folder/"`} {
		if !strings.Contains(string(script), want) {
			t.Errorf("scripts/release does not say %s, so the archives lack it", want)
		}
	}
	// Whoever has the program alone can still read them: halligan version --licences.
	shown, err := os.ReadFile(filepath.Join("internal", "print", "LICENSE-DejaVu.txt"))
	if err != nil || !strings.Contains(b.String(), string(bytes.TrimSpace(shown))) {
		t.Errorf("internal/print has another licence of the fonts than their module (%v)", err)
	}
}
