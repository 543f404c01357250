package lockout

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"halligan/entra"
)

func TestTry(t *testing.T) {
	root := os.Getenv("HALLIGAN_CORPUS")
	b, _ := os.ReadFile(filepath.Join(root, "conditional-access/sets.json"))
	var sets []struct {
		Repo, Source string
		Policies     []string
	}
	json.Unmarshal(b, &sets)
	for i, s := range sets {
		var src []entra.Source
		for _, p := range s.Policies {
			d, err := os.ReadFile(filepath.Join(root, "conditional-access", p))
			if err != nil {
				t.Fatal(err)
			}
			src = append(src, entra.Source{Name: p, Data: d})
		}
		snap, err := entra.Read(src...)
		if err != nil {
			t.Fatal(err)
		}
		cands := Candidates(snap, 1)
		if len(cands) == 0 {
			fmt.Println(i, s.Repo, "no candidates", len(snap.View().Policies))
			cands = []Candidate{{Kind: "user", ID: "nobody"}}
		}
		c := cands[0]
		for _, sup := range [][]string{nil, append(append([]string{}, c.Suppose...), "role=GA", "key=any", "methods=default", "ordinary")} {
			if sup != nil && c.Kind == "user" {
				sup = append(sup, "member=none")
			}
			s2, err := Suppose(snap, c.Account(), sup)
			if err != nil {
				t.Fatal(err)
			}
			g, _ := ResolveGoal("entraAdminCenter")
			v, err := New(s2).Prove(Question{Account: c.Account(), Goal: g, Now: "2026-11-21"})
			if err != nil {
				t.Error(i, err)
				continue
			}
			sent := ""
			if v.Counterexample != nil {
				sent = v.Counterexample.Sentence
			}
			if len(sent) > 230 {
				sent = sent[:230]
			}
			fmt.Println(i, s.Repo, len(snap.View().Policies), len(s.Policies), c.Kind, c.Excluded, "/", c.Enabled, v.Outcome, len(v.Unknowns), sent)
		}
	}
}
