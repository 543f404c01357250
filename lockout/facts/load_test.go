package facts

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// TestBrokenFiles breaks each data file in one way: the loader must say so.
func TestBrokenFiles(t *testing.T) {
	breaks := []struct{ name, file, old, new string }{
		{"another schema", "goals", "halligan-facts/1", "halligan-facts/2"},
		{"a day that does not exist", "roles", "2026-11-21", "2026-11-31"},
		{"an unknown key", "dates", `"text"`, `"texts"`},
		{"a source that the head does not name", "rules", `"source": "docs/identity/`, `"source": "docs/identities/`},
		{"a rule that is documented", "rules", `"status": "unknown"`, `"status": "documented"`},
		{"a status that does not exist", "service-groups", `"inferred"`, `"guessed"`},
		{"an id that is no GUID", "service-groups", `"app": "00000002-`, `"app": "2-`},
		{"an id told twice", "roles", "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", "194ae4cb-b126-40b2-bd5b-6091b380977d"},
		{"a goal without audiences", "goals", `"audiences": ["00000003-0000-0000-c000-000000000000"]`, `"audiences": []`},
		{"a date that is none", "dates", "2027-02-01", "February 2027"},
		{"a page without a date", "strengths", `"date": "2026-06"`, `"date": ""`},
		{"half a file", "strengths", "\n ]", ""},
		{"something after the value", "strengths", "\n}\n", "\n}\n{}"},
		{"nothing", "dates", "", ""},
	}
	for _, b := range breaks {
		t.Run(b.name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			names, _ := fs.Glob(files, "data/*.json")
			for _, n := range names {
				raw, err := fs.ReadFile(files, n)
				if err != nil {
					t.Fatal(err)
				}
				text := string(raw)
				if strings.HasSuffix(n, b.file+".json") {
					if b.old == "" {
						continue
					}
					if text = strings.Replace(text, b.old, b.new, 1); text == string(raw) {
						t.Fatalf("%s does not hold %q", n, b.old)
					}
				}
				fsys[n] = &fstest.MapFile{Data: []byte(text)}
			}
			if _, err := load(fsys); err == nil {
				t.Error("the loader took it")
			} else {
				t.Log(err)
			}
		})
	}
	if _, err := load(files); err != nil {
		t.Errorf("the files as they are: %v", err)
	}
}

// TestRulesOfTheProver: every rule that the prover leans on by name is
// described here.
func TestRulesOfTheProver(t *testing.T) {
	sources, _ := filepath.Glob("../*.go")
	call := regexp.MustCompile(`(?:\badd|facts\.Rule)\("([a-z0-9-]+)"\)`)
	n := 0
	for _, name := range sources {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllSubmatch(raw, -1) {
			n++
			if Rule(string(m[1])).Source == "" {
				t.Errorf("%s leans on rule %q, which is not described", name, m[1])
			}
		}
	}
	t.Logf("%d uses of rules", n)
}
