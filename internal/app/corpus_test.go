package app_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"halligan/entra"
	"halligan/internal/testenv"
)

// policySet is one published tenant export or baseline.
type policySet struct {
	Repo, Source string
	Policies     []string

	root string
}

// corpusSets are the published sets.
func corpusSets(t testing.TB) []policySet {
	t.Helper()
	root := filepath.Join(testenv.Folder(t, "HALLIGAN_CORPUS"), "conditional-access")
	text, err := os.ReadFile(filepath.Join(root, "sets.json"))
	if err != nil {
		t.Fatal(err)
	}
	var sets []policySet
	if err := json.Unmarshal(text, &sets); err != nil {
		t.Fatal(err)
	}
	for i := range sets {
		sets[i].root = root
	}
	return sets
}

// sources are the files of the set.
func (s policySet) sources(t testing.TB) []entra.Source {
	t.Helper()
	var out []entra.Source
	for _, name := range s.Policies {
		data, err := os.ReadFile(filepath.Join(s.root, name))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, entra.Source{Name: name, Data: data})
	}
	return out
}
