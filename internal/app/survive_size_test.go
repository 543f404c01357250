package app_test

import (
	"fmt"
	"strings"
	"testing"

	"halligan/custody"
	"halligan/internal/app"
	"halligan/register"
)

// A register of many shares is told in little: what each loss leaves does not tell every
// share again. That of few is told in full.
func TestTheReportDoesNotGrowWithTheSquareOfTheParts(t *testing.T) {
	const account = "00000000-0000-4000-8000-000000000001"
	for _, n := range []int{20, 400} {
		r := &register.Register{Accounts: []register.Account{{ID: account, Pattern: register.PatternSplitPassword}}, People: []register.Person{{Name: "Ana"}, {Name: "Ben"}, {Name: "Cleo"}}}
		for i := range n {
			p := register.Part{Name: fmt.Sprint("share ", i), Kind: register.PartShare, Account: account, Needed: 3}
			if n == 20 || i%2 == 0 {
				p.Holder = r.People[i%3].Name
			}
			r.Parts = append(r.Parts, p)
		}
		report, err := app.Survive(t.Context(), app.SurviveRequest{Register: r})
		must(t, err)
		conformsToSurvive(t, report)
		with, works := 0, 0
		for _, l := range report.Losses {
			for _, w := range l.Ways {
				with += len(w.With)
				if w.Works != custody.No {
					works++
				}
				if w.Label == "" || n > 100 && len(w.Why) > 420 || w.Works != custody.Yes && w.Why == "" {
					t.Errorf("%d shares, %s: %+v", n, l.Title, w)
				}
			}
		}
		if many := n > 100; works == 0 || many != (with == 0) || len(report.Now) == 0 || len(report.Now[0].With) < n/2 {
			t.Errorf("%d shares: %d ways work, losses tell %d parts, as it is now %d: %s", n, works, with, len(report.Now[0].With), strings.Join(report.Now[0].With, "; "))
		}
	}
}
