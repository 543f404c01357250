package app_test

import (
	"fmt"
	"testing"

	"halligan/custody"
	"halligan/entra"
	"halligan/internal/app"
	"halligan/register"
)

// The largest published set, with two registered accounts of which nothing but
// the policies was read: prove, and check, which proves too. The second is to
// take at most 1.5 times as long.
func BenchmarkLargestSet(b *testing.B) {
	sets := corpusSets(b)
	largest := sets[0]
	for _, s := range sets {
		if len(s.Policies) > len(largest.Policies) {
			largest = s
		}
	}
	req := app.ProveRequest{Now: "2026-11-21", Sources: largest.sources(b)}
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

// What a command pays that decides by a log with many acts: it believes none of
// them unless it verified the signatures itself.
func BenchmarkStanding(b *testing.B) {
	for _, acts := range []int{10, 100} {
		b.Run(fmt.Sprintf("%d acts", acts), func(b *testing.B) {
			w := begun(b)
			for range acts {
				w.As("ben").Approves(w.As("ana").Requests(custody.VerbAccept))
			}
			b.ResetTimer()
			for b.Loop() {
				w.standing()
			}
		})
	}
}
