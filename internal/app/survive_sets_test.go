package app_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"halligan/custody"
	"halligan/entra"
	"halligan/internal/app"
	"halligan/posture"
	"halligan/register"
)

// sealedAt is the register of a world with a sealed file in a safe and paper shares.
func sealedAt(w *world, set string, papers ...string) *register.Register {
	reg := *w.Register
	reg.Accounts = []register.Account{{ID: north, Name: northName, Pattern: register.PatternVault}}
	reg.People = slices.Clone(reg.People)
	for i := range reg.People {
		reg.People[i].Reach = []string{"at the door"}
	}
	reg.Places = []register.Place{{Name: "Safe", Site: "Office", Access: []string{"carol", "mallory"}}}
	reg.Parts = []register.Part{{Account: north, Kind: register.PartPassword, Set: strings.ToUpper(set), Place: "Safe"}}
	for _, name := range papers {
		reg.Parts = append(reg.Parts, register.Part{Account: north, Kind: register.PartShare, Set: set, Holder: name})
	}
	return &reg
}

// survived judges it with what the log knows, or without.
func survived(t *testing.T, reg *register.Register, held *app.Held) *app.SurviveReport {
	t.Helper()
	r, err := app.Survive(t.Context(), app.SurviveRequest{Register: reg, Held: held})
	must(t, err)
	return r
}

func losses(list []custody.LossSet) (out []string) {
	for s := range lossNames(list) {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func teamsOf(list []custody.Opening) (out []string) {
	for _, o := range list {
		out = append(out, strings.Join(slices.Sorted(slices.Values(o.People)), " + "))
	}
	slices.Sort(out)
	return out
}

// The log knows who opens a sealed file: two of three, of whom one has the share on
// paper. Without the log, or for a set that it does not know, that is not known.
func TestTheLogSaysWhoOpensASealedPassword(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w, hash := agreed(t, keys, app.SealWish{Holders: []string{"ana", "ben", "victor"}, Need: 2})
	j := job(t)
	done, err := w.Seal(t.Context(), hash, j)
	must(t, err)
	held, err := w.Held(t.Context())
	must(t, err)
	reg := sealedAt(w, done.Sealed.Manifest.Set, "victor")
	if r := survived(t, reg, nil); r.Now[0].Works != custody.Maybe || len(r.Openings[0].Certain) != 0 {
		t.Errorf("without the log: %+v", r.Now)
	}
	if r := survived(t, sealedAt(w, "0123456789abcdef"), held); r.Now[0].Works != custody.Maybe {
		t.Errorf("a set that the log does not know: %+v", r.Now)
	}
	r := survived(t, reg, held)
	if now := r.Now[0]; now.Way != "the sealed password" || now.Works != custody.Yes {
		t.Errorf("as it is: %+v", now)
	}
	var pairs []string
	for _, s := range losses(r.Sets.Certain) {
		if !strings.Contains(s, "account") && strings.Count(s, " + ") == 1 {
			pairs = append(pairs, s)
		}
	}
	if want := []string{"ana + ben", "ana + share (victor)", "ana + victor", "ben + share (victor)", "ben + victor", "carol + mallory"}; !slices.Equal(pairs, want) {
		t.Errorf("pairs of losses that end it: %q", pairs)
	}
	want := []string{}
	for _, who := range []string{"ana + ben", "ana + victor", "ben + victor"} {
		for _, opens := range []string{"carol", "mallory"} {
			team := append(strings.Split(who, " + "), opens)
			slices.Sort(team)
			want = append(want, strings.Join(team, " + "))
		}
	}
	slices.Sort(want)
	if got := teamsOf(r.Openings[0].Certain); !slices.Equal(got, want) {
		t.Errorf("who could open it: %q, want %q", got, want)
	}
	w.Register = reg
	b, err := w.Binder(t.Context(), w.now)
	must(t, err)
	if takes := strings.Join(b.Ways[0].Takes, "; "); !strings.Contains(takes, "the sealed file in Safe (Office): carol or mallory") || !strings.Contains(takes, "the key of ana with ana") || !strings.Contains(takes, "the share of victor with victor") {
		t.Errorf("the binder: %q", takes)
	}
}

// The checks ask the same: by what the log knows nothing more is wanted than what is
// recorded.
func TestTheChecksKnowWhoOpensASealedPassword(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w, hash := agreed(t, keys, app.SealWish{Holders: []string{"ana", "ben", "victor"}, Need: 2})
	done, err := w.Seal(t.Context(), hash, job(t))
	must(t, err)
	held, err := w.Held(t.Context())
	must(t, err)
	reg := sealedAt(w, done.Sealed.Manifest.Set, "victor")
	for missing, records := range map[bool]posture.Records{false: held.Records, true: {}} {
		in := &posture.Input{Snapshot: entra.NewSnapshot(entra.Content{}), Register: reg, Records: records, Now: w.now, Accounts: []posture.Subject{{ID: reg.Accounts[0].ID}}}
		for _, f := range posture.Judge(in) {
			another := slices.ContainsFunc(f.Evidence, func(e posture.Evidence) bool { return e.Name == "another share" })
			if f.Check.ID == "cus-complete" && another != missing {
				t.Errorf("another share is missing: %v, want %v: %+v", another, missing, f.Result)
			}
		}
	}
}

// Of a pair that may not open it there is no file: it is no way in. A set whose place
// another took opens nothing.
func TestOnlyAllowedPairsOpenAndAVoidSetDoesNot(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w, hash := agreed(t, keys, app.SealWish{Holders: []string{"ana", "ben", "carol"}}, func(w *world) {
		w.Register.Quorum.Lines = register.LinesDistinct
		w.Register.People[2].Manager = "ben"
	})
	j := job(t)
	done, err := w.Seal(t.Context(), hash, j)
	must(t, err)
	held, err := w.Held(t.Context())
	must(t, err)
	var ways []string
	for _, now := range survived(t, sealedAt(w, done.Sealed.Manifest.Set), held).Now {
		ways = append(ways, now.Way+" "+now.Works.String())
	}
	if want := []string{"the sealed password by ana and ben yes", "the sealed password by ana and carol yes"}; !slices.Equal(ways, want) {
		t.Errorf("ways: %q", ways)
	}
	old, err := app.ReadSealed(j.Out)
	must(t, err)
	asked, err := w.As("ana").wishes(app.SealWish{Holders: []string{"ana", "carol"}, Void: app.VoidOf(old, "2026-11-21")})
	must(t, err)
	w.As("ben").Approves(asked.Request.Hash())
	next := job(t)
	next.Reseals = old.Manifest.Set
	_, err = w.Seal(t.Context(), asked.Request.Hash(), next)
	must(t, err)
	held, err = w.Held(t.Context())
	must(t, err)
	if r := survived(t, sealedAt(w, done.Sealed.Manifest.Set), held); r.Now[0].Way == "the sealed password" || r.Now[0].Works == custody.Yes || len(r.Openings[0].Certain) > 0 {
		t.Errorf("the void set: %+v, %+v", r.Now, r.Openings[0].Certain)
	}
}

// The halves of a password that were sealed to keys are in the sealed file alone: with
// it they are gone, and who opens the safe has nothing of them.
func TestTheLogSaysWhichHalvesLieInTheFile(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w, hash := agreed(t, keys, app.SealWish{First: []string{"ana"}, Second: []string{"ben"}})
	j := job(t)
	j.Secret = func(context.Context, *app.SealTask) ([]custody.Secret, error) {
		return []custody.Secret{custody.NewSecret([]byte("Hf7qwinter")), custody.NewSecret([]byte("9Kd2xyLm3n"))}, nil
	}
	done, err := w.Seal(t.Context(), hash, j)
	must(t, err)
	held, err := w.Held(t.Context())
	must(t, err)
	reg := sealedAt(w, done.Sealed.Manifest.Set, "ana", "ben")
	for i := range reg.Parts[1:] {
		reg.Parts[1+i].Kind = register.PartPasswordHalf
	}
	r := survived(t, reg, held)
	if len(r.Now) != 1 || r.Now[0].Way != "the password in parts by ana and ben" || r.Now[0].Works != custody.Yes {
		t.Errorf("as it is: %+v", r.Now)
	}
	if got := losses(r.Sets.Certain); !slices.Contains(got, "place Safe") {
		t.Errorf("what ends it: %q", got)
	}
	if got := teamsOf(r.Openings[0].Certain); !slices.Equal(got, []string{"ana + ben + carol", "ana + ben + mallory"}) || len(r.Openings[0].Possible) > 0 {
		t.Errorf("who could open it: %q, perhaps %+v", got, r.Openings[0].Possible)
	}
}

// Who opens a set is found by object id: under a new name it is the same person, with the
// same manager. Who is not in the register any more is counted on no more, whatever else
// bears that name.
func TestHoldersOfASetAreThoseOfTheRegisterNow(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w, hash := agreed(t, keys, app.SealWish{Holders: []string{"ana", "ben", "carol"}}, func(w *world) {
		for i := range w.Register.People {
			w.Register.People[i].ID = entra.ID(fmt.Sprintf("00000000-0000-4000-8000-00000000010%d", i))
		}
	})
	done, err := w.Seal(t.Context(), hash, job(t))
	must(t, err)
	held, err := w.Held(t.Context())
	must(t, err)
	set := done.Sealed.Manifest.Set
	at := func(change func(r *register.Register)) *register.Register {
		reg := sealedAt(w, set)
		reg.Places[0].Access = []string{"ana", "mallory"}
		change(reg)
		return reg
	}
	without := func(names ...string) func(*register.Register) {
		return func(r *register.Register) {
			r.People = slices.DeleteFunc(r.People, func(p register.Person) bool { return slices.Contains(names, p.Name) })
		}
	}
	named := func(name string, as register.Person) func(*register.Register) {
		return func(r *register.Register) {
			p := r.Person(name)
			as.Reach, as.Manager = p.Reach, "ana"
			*p = as
		}
	}
	ben := w.Register.Person("ben").ID
	for name, x := range map[string]struct {
		change    func(*register.Register)
		lost      string
		works     custody.Answer
		two       custody.Answer
		strangers []string
	}{
		"all are there":            {without(), "ana", custody.Yes, custody.Yes, nil},
		"two are gone":             {without("ben", "carol"), "ana", custody.Maybe, custody.Maybe, []string{"ben", "carol"}},
		"one reports to another":   {named("ben", register.Person{Name: "ben", ID: ben}), "ana", custody.Yes, custody.No, nil},
		"and has a new name":       {named("ben", register.Person{Name: "Benjamin", ID: ben}), "Benjamin", custody.Yes, custody.No, nil},
		"a new name without an id": {named("ben", register.Person{Name: "Benjamin"}), "ana", custody.Maybe, custody.Maybe, []string{"ben"}},
		"another of the same name": {named("ben", register.Person{Name: "ben", ID: "00000000-0000-4000-8000-000000000999"}), "ana", custody.Maybe, custody.Maybe, []string{"ben"}},
		"the name, without its id": {named("ben", register.Person{Name: "ben"}), "ana", custody.Yes, custody.No, nil},
		"the other two, by that id": {func(r *register.Register) {
			without("carol")(r)
			named("ben", register.Person{Name: "Benjamin", ID: ben})(r)
		}, "Benjamin", custody.Maybe, custody.No, []string{"carol"}},
	} {
		reg := at(x.change)
		survey := custody.CircleOf(reg, held.Sets(reg)...).Survey(custody.Outlook{})
		if got := survey.After(custody.PersonLost(x.lost)); got != x.works {
			t.Errorf("%s: without %s it is %v, want %v", name, x.lost, got, x.works)
		}
		r := survived(t, reg, held)
		if got := r.Openings[0].TwoPeople(); got != x.two {
			t.Errorf("%s: two people %v, want %v: %+v", name, got, x.two, r.Openings[0])
		}
		var found, want []string
		for _, f := range app.ListHeld(reg, held, nil, w.now).Findings {
			if strings.Contains(f.What, "is not in the register") {
				found = append(found, f.What)
			}
		}
		for _, who := range x.strangers {
			want = append(want, who+", who opens set "+set+", is not in the register")
		}
		if !slices.Equal(found, want) {
			t.Errorf("%s: findings %q, want %q", name, found, want)
		}
		in := &posture.Input{Snapshot: entra.NewSnapshot(entra.Content{}), Register: reg, Records: posture.Records{Sets: held.Sets(reg)}, Now: w.now}
		for _, f := range posture.Judge(in) {
			told := 0
			for _, e := range f.Evidence {
				if e.Detail == "set "+set {
					told++
				}
			}
			if f.Check.ID == "cus-holders-current" && (told != len(x.strangers) || told > 0 && f.Status != posture.Fail) {
				t.Errorf("%s: cus-holders-current is %v: %+v", name, f.Status, f.Evidence)
			}
		}
	}
}

// What is sealed and no password is told, since nobody counts on it.
func TestASealedPINIsTold(t *testing.T) {
	w := begun(t)
	reg := sealedAt(w, "5e7a5e7a5e7a5e7a")
	reg.Parts[0].Kind, reg.Parts[0].Name = register.PartPIN, "PIN of One"
	told := func() bool {
		return slices.ContainsFunc(survived(t, reg, nil).Remarks, func(s string) bool { return strings.HasPrefix(s, "PIN of One is sealed (set 5E7A") })
	}
	if !told() {
		t.Errorf("remarks: %q", survived(t, reg, nil).Remarks)
	}
	if reg.Parts[0].Set = ""; told() {
		t.Error("told of a PIN that is not sealed")
	}
}
