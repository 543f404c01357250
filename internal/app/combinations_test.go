package app_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"halligan/custody"
	"halligan/internal/app"
	"halligan/posture"
	"halligan/register"
)

// opening is a circle in which ana opens the main safe, victor the bank, and carol has
// the combination of the main safe, which lies in the bank.
func opening(t *testing.T) *keeper {
	t.Helper()
	return kept(t, func(w *world) {
		w.Register.Places = []register.Place{
			{Name: "Main safe", Kind: "safe", Site: "Lisbon", Access: []string{"ana", "ben"}, CombinationChanged: "2026-11-01"},
			{Name: "Bank", Kind: "vault", Site: "Porto", Access: []string{"victor"}, CombinationChanged: "2026-11-01"},
			{Name: "Archive", Kind: "room", Site: "Porto", Access: []string{"ben", "victor"}},
		}
		w.Register.Parts = append(w.Register.Parts, register.Part{Name: "dial", Kind: register.PartCombination, Opens: "Main safe", Holder: "carol", Place: "Bank", Seal: "4404", Since: "2026-11-01"})
	})
}

// stale are the findings about combinations, and the answer of the check.
func (k *keeper) stale() (string, posture.Status) {
	k.t.Helper()
	var out []string
	for _, f := range app.ListHeld(k.Register, k.heldNow(), nil, k.now).Findings {
		if strings.Contains(f.What, "combination") {
			out = append(out, string(f.Day)+" "+f.What)
		}
	}
	worst := posture.Pass
	for _, s := range posture.StaleCombinations(k.Register, &k.heldNow().Records, k.now) {
		if worst = posture.Fail; !s.Known {
			worst = posture.Indeterminate
		}
	}
	return strings.Join(out, "\n"), worst
}

// writes changes the register in its file.
func (k *keeper) writes(change func(*register.Register)) {
	k.t.Helper()
	k.rereads()
	change(k.Register)
	text, err := k.Register.Write()
	must(k.t, err)
	must(k.t, os.WriteFile(k.path, text, 0o600))
	k.rereads()
}

// leaves takes somebody out of the people, and of all that they had, and has the first
// approved.
func (k *keeper) leaves(name string) {
	k.t.Helper()
	k.writes(func(r *register.Register) {
		r.People = slices.DeleteFunc(r.People, func(p register.Person) bool { return p.Name == name })
		for i := range r.Places {
			r.Places[i].Access = slices.DeleteFunc(r.Places[i].Access, func(n string) bool { return n == name })
		}
		for i := range r.Parts {
			if r.Parts[i].Holder == name {
				r.Parts[i].Holder = "ben"
			}
		}
	})
	k.As("ben").Approves(k.As("ana").Requests(custody.VerbRegister))
	k.later(time.Hour)
}

func (k *keeper) wants(when, want string, status posture.Status) {
	k.t.Helper()
	got, is := k.stale()
	if got != want || is != status {
		k.t.Errorf("%s: got %s\n%s\nwant %s\n%s", when, is, got, status, want)
	}
}

// Whoever leaves could open some places, and the combinations of these are due.
func TestALeaverIsAboutThePlacesThatTheyCouldOpen(t *testing.T) {
	k := opening(t)
	k.leaves("mallory")
	k.wants("mallory, who opened nothing", "", posture.Pass)
	k.leaves("carol")
	const due = "2026-11-21 carol has left, and the combination of Main safe was not changed since"
	k.wants("carol, who has the combination", due, posture.Fail)
	k.later(48 * time.Hour)
	k.passes(custody.VerbCustody, app.CustodyChange{})
	k.wants("recorded later that she has nothing", due, posture.Fail)
	k.passes(custody.VerbCustody, app.CustodyChange{Combination: "Main safe", Since: "2026-11-21"})
	k.wants("changed on the day on which she left", "", posture.Pass)
	// Victor opens the bank, where the combination of the main safe lies, and a room of
	// which nobody wrote down a combination.
	k.later(24 * time.Hour)
	k.leaves("victor")
	k.wants("victor", `2026-11-24 victor has left, and the combination of Archive was not changed since, if it has a combination
2026-11-24 victor has left, and the combination of Bank was not changed since
2026-11-24 victor has left, and the combination of Main safe was not changed since`, posture.Fail)
}

// Who stays and may not open a place any more knew its combination, too.
func TestACombinationIsDueWhenSomebodyMayNotOpenAPlaceAnyMore(t *testing.T) {
	k := opening(t)
	k.later(24 * time.Hour)
	ask := k.As("ana").changes(custody.VerbHandOver, app.CustodyChange{Part: "dial", Holder: "ben"})
	k.As("ben").Approves(ask)
	k.rereads()
	k.wants("carol gave the combination away", "2026-11-22 carol may not open Main safe any more, and its combination was not changed since", posture.Fail)
	k.passes(custody.VerbCustody, app.CustodyChange{Combination: "Main safe", Since: "2026-11-22"})
	k.wants("changed on that day", "", posture.Pass)

	k.later(24 * time.Hour)
	ask = k.As("ana").changes(custody.VerbHandOver, app.CustodyChange{Part: "dial", Holder: "victor"})
	k.As("carol").Approves(ask)
	k.As("victor").Approves(ask)
	k.rereads()
	safe := func(change func(p *register.Place)) func(*register.Register) {
		return func(r *register.Register) { change(&r.Places[0]) }
	}
	k.writes(safe(func(p *register.Place) { p.Access = []string{"ana"} }))
	k.wants("an edit that nobody approved", "", posture.Pass)
	k.passes(custody.VerbCustody, app.CustodyChange{})
	k.wants("ben is taken out", "2026-11-23 ben may not open Main safe any more, and its combination was not changed since", posture.Fail)
	k.writes(func(r *register.Register) {
		r.Places[0].Name = "Great safe"
		for i := range r.Parts {
			if p := &r.Parts[i]; p.Kind == register.PartCombination {
				p.Opens = "Great safe"
			} else if p.Place == "Main safe" {
				p.Place = "Great safe"
			}
		}
	})
	k.passes(custody.VerbCustody, app.CustodyChange{})
	k.wants("under another name", "2026-11-23 ben may not open Great safe any more, and its combination was not changed since", posture.Fail)
	k.writes(safe(func(p *register.Place) { p.Access = []string{"ana", "ben"} }))
	k.passes(custody.VerbCustody, app.CustodyChange{})
	k.wants("ben may open it again", "", posture.Pass)
	k.later(24 * time.Hour)
	k.writes(safe(func(p *register.Place) { p.Access, p.CombinationChanged = []string{"ana"}, "2027-11-21" }))
	k.passes(custody.VerbCustody, app.CustodyChange{})
	k.wants("a change that lies ahead", "2026-11-22 carol may not open Great safe any more, and the change of its combination is dated in the future\n2026-11-24 ben may not open Great safe any more, and the change of its combination is dated in the future", posture.Fail)
}

// Under another name, the same person opens what they did.
func TestWhoIsCalledOtherwiseHasNotLeft(t *testing.T) {
	const id = "07136d09-5e64-44ad-b232-46424538dc01"
	k := kept(t)
	k.writes(func(r *register.Register) { r.Person("victor").ID = id })
	k.As("ben").Approves(k.As("ana").Requests(custody.VerbRegister))
	k.writes(func(r *register.Register) {
		r.Person("victor").Name = "victor hugo"
		for i := range r.Places {
			for j, n := range r.Places[i].Access {
				r.Places[i].Access[j] = strings.Replace(n, "victor", "victor hugo", 1)
			}
		}
		for i := range r.Parts {
			r.Parts[i].Holder = strings.Replace(r.Parts[i].Holder, "victor", "victor hugo", 1)
		}
	})
	k.As("ben").Approves(k.As("ana").Requests(custody.VerbRegister))
	k.wants("called otherwise", "", posture.Pass)
	ask := k.As("ana").changes(custody.VerbCustody, app.CustodyChange{})
	k.As("ben").Approves(ask)
	k.handsIn(ask, k.As("victor").prepares(k.request(ask), func(a *custody.Approval) { a.Person = "victor hugo" }))
	must(t, k.Does(ask))
	if !k.stands().Stands() {
		t.Error("custody has the old name")
	}
	k.wants("called otherwise in custody, too", "", posture.Pass)
}

// A place that is called otherwise, and is said to be of another kind, is the same: the
// parts in it stay, and nobody changed the combination.
func TestAPlaceOfAnotherKindIsTheSamePlace(t *testing.T) {
	k := opening(t)
	k.leaves("carol")
	k.writes(func(r *register.Register) {
		for i := range r.Places {
			if p := &r.Places[i]; p.Name == "Main safe" {
				p.Name, p.Kind = "Wall safe", "strongbox"
			}
		}
		for i := range r.Parts {
			if p := &r.Parts[i]; p.Place == "Main safe" {
				p.Place = "Wall safe"
			} else if p.Opens == "Main safe" {
				p.Opens = "Wall safe"
			}
		}
	})
	ask := k.As("ana").changes(custody.VerbCustody, app.CustodyChange{})
	k.As("ben").Approves(ask)
	k.rereads()
	got, _ := k.stale()
	if !strings.Contains(got, "carol has left, and the combination of Wall safe was not changed since") {
		t.Errorf("got %q", got)
	}
}
