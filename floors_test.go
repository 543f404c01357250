package halligan_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// room is what floors_test.go knows about one package.
type room struct {
	floor int
	may   []string // rooms it may import; nil means none of ours
}

const (
	nouns   = 0
	pure    = 1
	worlds  = 2 // one outside world each
	verbs   = 3
	command = 4
)

var (
	pureRooms  = []string{"entra", "register", "lockout", "lockout/facts", "lockout/verify", "custody", "plan", "evidence", "posture", "procedure", "seal"}
	worldRooms = []string{"internal/graph", "internal/azure", "internal/store", "internal/fido", "internal/watch",
		"internal/notify", "internal/print", "internal/sandbox"}
)

// floors is the map of the house: every package, and what it may import of ours.
// Rooms that do not exist yet are here so that the first file in them is already
// held to the plan. Change the map when the house must change, in a commit that
// says why.
var floors = map[string]room{
	".":        {nouns, nil},
	"entra":    {nouns, nil},
	"register": {nouns, []string{"entra"}},
	// What Microsoft documents and changes: goals, audiences, built-in strengths,
	// dates. Data that is checked against its source, kept apart from the
	// judgement that leans on it.
	"lockout/facts": {nouns, []string{"entra"}},
	"examples":      {nouns, nil}, // embeds its own files, for tests and the demo

	"lockout":   {pure, []string{"entra", "lockout/facts"}},
	"custody":   {pure, []string{"entra", "register"}},
	"plan":      {pure, []string{"entra", "lockout", "lockout/facts", "register"}},
	"evidence":  {pure, []string{"entra", "custody"}}, // custody for the type of a secret: the log key
	"seal":      {pure, []string{"custody"}},          // custody for the type of a secret
	"posture":   {pure, []string{"entra", "lockout", "lockout/facts", "custody", "plan", "register"}},
	"procedure": {pure, []string{"entra", "custody", "register"}},

	// The checker of certificates shares the data with the prover, and no code:
	// not even the nouns.
	"lockout/verify": {pure, []string{"lockout/facts"}},

	"internal/graph":   {worlds, pureRooms},
	"internal/azure":   {worlds, pureRooms},
	"internal/store":   {worlds, pureRooms},
	"internal/fido":    {worlds, pureRooms},
	"internal/watch":   {worlds, pureRooms},
	"internal/notify":  {worlds, pureRooms},
	"internal/print":   {worlds, pureRooms},
	"internal/sandbox": {worlds, pureRooms},

	"internal/testenv":  {worlds, nil}, // finds data for tests; only _test.go files import it
	"internal/contract": {worlds, nil}, // Microsoft's description of Graph, for tests; only _test.go files import it

	"internal/testbrowser": {verbs, []string{"internal/testenv"}}, // a real Chromium, for tests; only _test.go files import it

	// The suite of a store and the software key stand beside their world and
	// speak its language; only they and app may.
	"internal/storetest":        {verbs, slices.Concat(pureRooms, []string{"internal/store", "internal/testenv"})},
	"internal/storetest/writer": {command, []string{"internal/storetest"}}, // a program that the suite kills
	"internal/fidotest":         {verbs, slices.Concat(pureRooms, []string{"internal/fido"})},

	"internal/app": {verbs, slices.Concat(pureRooms, worldRooms, []string{"examples"})},
	"cmd/halligan": {command, slices.Concat(pureRooms, worldRooms, []string{"examples", "internal/app"})},

	// Tools of the release and of the documents; they know nothing of the product.
	"scripts/archive":    {command, nil},
	"scripts/inventory":  {command, nil},
	"scripts/transcript": {command, nil},
}

// outside lists what floors 0 and 1 must not import. A trailing slash means
// everything below. Each would let a verdict depend on something that is not in
// the arguments.
var outside = []string{
	"net", "net/", "os", "os/", "syscall", "plugin", "io/ioutil", "database/sql", "database/sql/",
	"log", "log/", "math/rand", "math/rand/", "C",
}

// harmless lists what the prefixes in outside catch by name only: values without I/O.
var harmless = []string{"net/netip", "net/url"}

// clock lists the functions of package time that read or wait for the clock.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer"}

func TestHouseKeepsItsFloors(t *testing.T) {
	for _, finding := range inspect(t, os.DirFS("."), "halligan", floors) {
		t.Error(finding)
	}
}

// The map itself can be wrong: it can allow an import that goes up, or a circle.
func TestMapGoesDownOnly(t *testing.T) {
	for name, r := range floors {
		for _, target := range r.may {
			other, known := floors[target]
			switch {
			case !known:
				t.Errorf("%s may import %s, which is not in the map", name, target)
			case other.floor > r.floor:
				t.Errorf("%s (floor %d) may import %s (floor %d): imports go down", name, r.floor, target, other.floor)
			case r.floor == worlds && other.floor == worlds:
				t.Errorf("%s may import its sibling %s: worlds meet in app, nowhere else", name, target)
			case slices.Contains(other.may, name):
				t.Errorf("%s and %s may import each other", name, target)
			}
		}
	}
}

// inspect parses every Go file below root, whatever its build constraints, and
// says what breaks the map. It parses in this process on purpose: the answer of
// a subprocess would be cached with the test and miss later changes.
func inspect(t *testing.T, root fs.FS, module string, rooms map[string]room) []string {
	t.Helper()
	var findings []string
	seen := map[string]bool{}
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return skipForeign(root, name)
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		home := path.Dir(name)
		r, known := rooms[home]
		if !known {
			if !seen[home] {
				findings = append(findings, fmt.Sprintf("package %s is not in the map: give it a floor in floors_test.go", home))
			}
			seen[home] = true
			return nil
		}
		if strings.HasSuffix(name, "_test.go") {
			return nil // a test may bring an oracle or an emulator from another floor
		}
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		found, err := inspectFile(name, source, module, home, r)
		findings = append(findings, found...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return findings
}

// skipForeign keeps the walk to the packages that the go command would build.
func skipForeign(root fs.FS, dir string) error {
	base := path.Base(dir)
	if dir == "." {
		return nil
	}
	if base == "testdata" || base == "vendor" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return fs.SkipDir
	}
	if _, err := fs.Stat(root, path.Join(dir, "go.mod")); err == nil {
		return fs.SkipDir // another module
	}
	return nil
}

func inspectFile(name string, source []byte, module, home string, r room) ([]string, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", name, err)
	}
	var findings []string
	report := func(node ast.Node, format string, args ...any) {
		findings = append(findings, fmt.Sprintf("%s: %s", fset.Position(node.Pos()), fmt.Sprintf(format, args...)))
	}
	timeNames := map[string]bool{}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
		if ours, is := strings.CutPrefix(imported, module+"/"); is && !slices.Contains(r.may, ours) {
			report(spec, "%s may not import %s", home, ours)
		}
		if imported == module {
			report(spec, "%s may not import the map itself", home)
		}
		if r.floor > pure {
			continue
		}
		if refused(imported) {
			report(spec, "%s is on floor %d and may not import %s", home, r.floor, imported)
		}
		if imported == "time" {
			local := "time"
			if spec.Name != nil {
				local = spec.Name.Name
			}
			if local == "." {
				report(spec, "%s is on floor %d and may not import time with a dot: its clock could not be told apart", home, r.floor)
			}
			timeNames[local] = true
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		selector, is := node.(*ast.SelectorExpr)
		if !is {
			return true
		}
		if x, is := selector.X.(*ast.Ident); is && timeNames[x.Name] && slices.Contains(clock, selector.Sel.Name) {
			report(selector, "%s is on floor %d and may not call time.%s: take the time as an argument", home, r.floor, selector.Sel.Name)
		}
		return true
	})
	return findings, nil
}

func refused(imported string) bool {
	if slices.Contains(harmless, imported) {
		return false
	}
	return slices.ContainsFunc(outside, func(o string) bool {
		return imported == o || strings.HasSuffix(o, "/") && strings.HasPrefix(imported, o)
	})
}

// The test above is silent when all is well, and would be as silent if it saw
// nothing. So each rule is shown a house that breaks it.
func TestFloorsAreNoticed(t *testing.T) {
	rooms := map[string]room{
		".":            {nouns, nil},
		"entra":        {nouns, nil},
		"lockout":      {pure, []string{"entra"}},
		"internal/app": {verbs, []string{"entra", "lockout"}},
	}
	tests := map[string]struct {
		file, source string
		want         string // part of the one finding; empty means none
	}{
		"a downward import is fine":            {"lockout/a.go", `package lockout; import _ "house/entra"`, ""},
		"an upward import":                     {"entra/a.go", `package entra; import _ "house/lockout"`, "entra may not import lockout"},
		"an import not in the map":             {"lockout/a.go", `package lockout; import _ "house/internal/app"`, "lockout may not import internal/app"},
		"a package missing from the map":       {"utility/a.go", `package utility`, "utility is not in the map"},
		"a package of tests only, missing":     {"suite/a_test.go", `package suite`, "suite is not in the map"},
		"the network":                          {"lockout/a.go", `package lockout; import _ "net/http"`, "may not import net/http"},
		"addresses and links are values":       {"lockout/a.go", `package lockout; import (_ "net/netip"; _ "net/url"; _ "io/fs")`, ""},
		"the disk":                             {"entra/a.go", `package entra; import _ "os"`, "may not import os"},
		"a process":                            {"entra/a.go", `package entra; import _ "os/exec"`, "may not import os/exec"},
		"a database":                           {"entra/a.go", `package entra; import _ "database/sql"`, "may not import database/sql"},
		"a log":                                {"entra/a.go", `package entra; import _ "log/slog"`, "may not import log/slog"},
		"chance":                               {"entra/a.go", `package entra; import _ "math/rand/v2"`, "may not import math/rand/v2"},
		"the clock":                            {"entra/a.go", `package entra; import "time"; var t = time.Now()`, "may not call time.Now"},
		"the clock under another name":         {"entra/a.go", `package entra; import clock "time"; var t = clock.Now`, "may not call time.Now"},
		"the clock through a dot":              {"entra/a.go", `package entra; import . "time"; var t = Now()`, "with a dot"},
		"the clock by way of a difference":     {"entra/a.go", `package entra; import "time"; var t = time.Since(time.Time{})`, "may not call time.Since"},
		"times as values":                      {"entra/a.go", `package entra; import "time"; var t = time.Unix(0, 0)`, ""},
		"a file for another system":            {"entra/a_windows.go", "//go:build windows\n\npackage entra\nimport _ \"os\"", "may not import os"},
		"the effects floor may use the system": {"internal/app/a.go", `package app; import ("os"; "time"); var _, _ = os.Args, time.Now`, ""},
		"a test may be looser":                 {"entra/a_test.go", `package entra_test; import (_ "os"; _ "house/lockout")`, ""},
		"test data is not ours":                {"entra/testdata/a.go", `package anything; import _ "os"`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := inspect(t, fstest.MapFS{tt.file: {Data: []byte(tt.source)}}, "house", rooms)
			if tt.want == "" {
				if len(got) != 0 {
					t.Errorf("got %q, want no finding", got)
				}
				return
			}
			if len(got) != 1 || !strings.Contains(got[0], tt.want) {
				t.Errorf("got %q, want one finding with %q", got, tt.want)
			}
		})
	}
}

// A map that no longer names the rooms of the house guards nothing.
func TestMapNamesTheHouse(t *testing.T) {
	for _, name := range slices.Concat(pureRooms, worldRooms) {
		if _, known := floors[name]; !known {
			t.Errorf("%s is missing; the map has %v", name, slices.Sorted(maps.Keys(floors)))
		}
	}
}
