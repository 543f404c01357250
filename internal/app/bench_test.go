package app_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"halligan/entra"
	"halligan/internal/app"
	"halligan/internal/testenv"
	"halligan/register"
)

// The largest published set, with two registered accounts of which nothing but
// the policies was read: prove, and check, which proves too. The second is to
// take at most 1.5 times as long.
func BenchmarkLargestSet(b *testing.B) {
	root := filepath.Join(testenv.Folder(b, "HALLIGAN_CORPUS"), "conditional-access")
	text, err := os.ReadFile(filepath.Join(root, "sets.json"))
	if err != nil {
		b.Fatal(err)
	}
	var sets []struct{ Policies []string }
	if err := json.Unmarshal(text, &sets); err != nil {
		b.Fatal(err)
	}
	largest := sets[0].Policies
	for _, s := range sets {
		if len(s.Policies) > len(largest) {
			largest = s.Policies
		}
	}
	req := app.ProveRequest{Now: "2026-11-21"}
	for _, name := range largest {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			b.Fatal(err)
		}
		req.Sources = append(req.Sources, entra.Source{Name: name, Data: data})
	}
	r := &register.Register{Version: 1}
	for _, id := range []entra.ID{"0a0a0a0a-0000-4000-8000-000000000001", "0a0a0a0a-0000-4000-8000-000000000002"} {
		r.Accounts = append(r.Accounts, register.Account{ID: id})
		req.Accounts = append(req.Accounts, string(id))
	}
	b.Run("prove", func(b *testing.B) {
		for b.Loop() {
			if _, err := app.Prove(b.Context(), req); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			if _, err := app.Check(b.Context(), app.CheckRequest{ProveRequest: req, Register: r, Time: checkDay}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
