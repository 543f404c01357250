package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"halligan/custody"
	"halligan/entra"
	"halligan/internal/app"
	"halligan/posture"
	"halligan/register"
)

// told are the findings about a part that do not lie ahead.
func (k *keeper) told(about string) string {
	k.t.Helper()
	var out []string
	for _, f := range app.ListHeld(k.Register, k.heldNow(), nil, k.now.Add(time.Second)).Findings {
		if !f.Due && strings.Contains(f.What, about) {
			out = append(out, string(f.Day)+" "+f.What)
		}
	}
	return strings.Join(out, "\n")
}

// answers are the answers of the checks, by id.
func (k *keeper) answers() map[string]posture.Status {
	k.t.Helper()
	users := `{"value":[{"id":"` + string(northAccount) + `","userPrincipalName":"ea-north@tidewater.example","accountEnabled":true}]}`
	snap, err := app.Snapshot(k.t.Context(), app.ProveRequest{Sources: []entra.Source{{Name: "users.json", Data: []byte(users)}}}, k.Register, nil)
	must(k.t, err)
	in := &posture.Input{Snapshot: snap, Register: k.Register, Records: k.heldNow().Records, Now: k.now, Accounts: []posture.Subject{{ID: northAccount}}}
	out := map[string]posture.Status{}
	for _, f := range posture.Judge(in) {
		out[f.Check.ID] = f.Status
	}
	return out
}

// passes has a change of custody asked for by ana and approved by ben.
func (k *keeper) passes(verb custody.Verb, change app.CustodyChange) {
	k.t.Helper()
	k.As("ben").Approves(k.As("ana").changes(verb, change))
	k.rereads()
	k.later(time.Hour)
}

var (
	keyWell  = app.Look{Part: "north key", Seal: "4401", State: app.PartIntact}
	keyOther = app.Look{Part: "north key", Seal: "4410", State: app.PartIntact}
	keyGone  = app.Look{Part: "north key", State: app.PartMissing}
	pinWell  = app.Look{Part: "north pin", Seal: "4402", State: app.PartIntact}
	pinBare  = app.Look{Part: "north pin", State: app.PartIntact}
	pinBad   = app.Look{Part: "north pin", Seal: "4402", State: app.PartBroken}
	bare     = app.CustodyChange{Part: "north pin", Unsealed: true}
)

func by(name string, l app.Look) app.Look { l.By = name; return l }

// A clock that is turned back, or a machine with another one, does not make an old look
// the last.
func TestLooksCountInTheOrderOfTheLog(t *testing.T) {
	k := kept(t)
	k.looks(keyWell)
	k.now = k.now.Add(-48 * time.Hour)
	k.looks(by("carol", keyGone))
	k.now = k.now.Add(96 * time.Hour)
	if got := k.told("north key"); got != "2026-11-19 north key: was found missing on 2026-11-19 by carol" {
		t.Errorf("got %q", got)
	}
	k.now = k.now.Add(-120 * time.Hour)
	k.looks(keyWell)
	k.now = k.now.Add(120 * time.Hour)
	if got := k.told("north key"); got != "" {
		t.Errorf("found again: %q", got)
	}
}

// Whoever found another number could have read the recorded one since, and come back
// with it.
func TestAnotherNumberIsClearedUpBySomebodyElse(t *testing.T) {
	k := kept(t)
	k.looks(pinWell)
	k.looks(keyOther)
	const stays = "2026-11-21 north key: the number on its seal was not the recorded one when ben looked on 2026-11-21: somebody other than ben must look"
	if got := k.told("north key"); got != stays {
		t.Errorf("got %q", got)
	}
	v, _, err := k.Verify(t.Context(), by("ben", keyWell))
	must(t, err)
	if v.Good || !v.Waits || !strings.Contains(strings.Join(v.Findings, ";"), "somebody other than ben must look") {
		t.Errorf("ben looks again: %+v", v)
	}
	if got := k.told("north key"); got != stays {
		t.Errorf("ben looked again: %q", got)
	}
	if got := k.answers()["cus-seal-intact"]; got != posture.Fail {
		t.Errorf("ben looked again: the check answers %s", got)
	}
	// One more finds another number; then each clears up what the other found.
	k.looks(by("carol", keyOther))
	k.looks(by("ben", keyWell))
	if got := k.told("north key"); !strings.Contains(got, stays) {
		t.Errorf("carol found the same: %q", got)
	}
	k.looks(by("carol", keyWell))
	if got := k.told("north key"); got != "" {
		t.Errorf("carol finds all well: %q", got)
	}
	if got := k.answers()["cus-seal-intact"]; got != posture.Pass {
		t.Errorf("carol finds all well: the check answers %s", got)
	}
	// So does a new seal, by an approved change, and a number written otherwise is none.
	k.looks(keyOther)
	k.passes(custody.VerbMove, app.CustodyChange{Part: "north key", Seal: "44 01"})
	if got := k.told("north key"); !strings.Contains(got, stays) {
		t.Errorf("the number written otherwise: %q", got)
	}
	k.passes(custody.VerbMove, app.CustodyChange{Part: "north key", Seal: "4403"})
	if got := k.told("north key"); !strings.HasSuffix(got, "nobody has looked at north key yet") || strings.Contains(got, "other than") {
		t.Errorf("under a new seal: %q", got)
	}
}

// A look against a file that somebody edited clears up nothing.
func TestALookAtAnEditedFileClearsUpNothing(t *testing.T) {
	k := kept(t)
	k.looks(keyOther)
	i, _ := k.Register.FindPart("north key")
	k.Register.Parts[i].Seal = "4410"
	k.looks(by("carol", keyOther))
	k.Register.Parts[i].Seal = "4401"
	if got := k.told("north key"); !strings.Contains(got, "somebody other than ben must look") {
		t.Errorf("got %q", got)
	}
}

func TestTakingTheSealAwayClearsUpNothing(t *testing.T) {
	k := kept(t)
	k.looks(keyWell)
	k.looks(pinBad)
	k.passes(custody.VerbMove, bare)
	const stays = "2026-11-21 north pin: its seal was found broken on 2026-11-21 by ben, and was taken away: somebody other than ben must look, or it takes a new seal and a look"
	for name, look := range map[string]*app.Look{"taken away": nil, "ben looks": &pinBare} {
		if look != nil {
			k.looks(*look)
		}
		if got := k.told("north pin"); got != stays {
			t.Errorf("%s: got %q", name, got)
		}
		if got := k.answers()["cus-seal-intact"]; got != posture.Fail {
			t.Errorf("%s: the check answers %s", name, got)
		}
	}
	k.passes(custody.VerbMove, app.CustodyChange{Part: "north pin", Seal: "4409"})
	if got := k.told("north pin"); got != "2026-11-21 north pin: its seal was found broken on 2026-11-21 by ben: somebody must look under the new one" {
		t.Errorf("under a new seal: %q", got)
	}
	k.looks(app.Look{Part: "north pin", Seal: "4409", State: app.PartIntact})
	if got := k.told("north pin"); got != "" {
		t.Errorf("found intact under a new seal: %q", got)
	}
	k.looks(app.Look{Part: "north pin", Seal: "4409", State: app.PartBroken})
	k.passes(custody.VerbMove, bare)
	k.looks(by("carol", pinBare))
	if got := k.told("north pin"); got != "" {
		t.Errorf("carol finds it intact without a seal: %q", got)
	}
	if got := k.answers()["cus-seal-intact"]; got != posture.Pass {
		t.Errorf("carol finds it intact without a seal: the check answers %s", got)
	}
}

// A part without a seal that is not there is told everywhere, whatever it is called.
func TestAMissingPartIsToldUnderAnyName(t *testing.T) {
	k := kept(t)
	k.passes(custody.VerbMove, bare)
	if got := k.told("north pin"); got != "" {
		t.Errorf("a part without a seal: %q", got)
	}
	before := k.answers()["cus-complete"]
	k.looks(app.Look{Part: "north pin", State: app.PartMissing})
	everywhere := func(when, name string) {
		t.Helper()
		says := name + " was found missing on 2026-11-21 by ben"
		if got := k.told(name); got != "2026-11-21 "+strings.Replace(says, name, name+":", 1) {
			t.Errorf("%s: the list has %q", when, got)
		}
		r, err := app.Survive(t.Context(), app.SurviveRequest{Register: k.Register, Held: k.heldNow()})
		must(t, err)
		if !slices.Contains(r.Remarks, says+", and counts as lost") || r.Holds != custody.No {
			t.Errorf("%s: survive says %s, %q", when, r.Holds, r.Remarks)
		}
		b, err := k.Binder(t.Context(), k.now)
		must(t, err)
		if !slices.Contains(b.Looks, says+", and counts as lost") {
			t.Errorf("%s: the binder has %q", when, b.Looks)
		}
		got := k.answers()
		if got["cus-complete"] != posture.Fail || got["cus-spof"] != posture.Fail || got["cus-seal-intact"] != posture.Fail {
			t.Errorf("%s: the checks answer %s, %s, %s (before: %s)", when, got["cus-complete"], got["cus-spof"], got["cus-seal-intact"], before)
		}
	}
	everywhere("looked at", "north pin")
	k.byHand("name: north pin", "name: the PIN")
	everywhere("renamed in the file", "the PIN")
	k.passes(custody.VerbCustody, app.CustodyChange{})
	everywhere("renamed", "the PIN")
	k.looks(app.Look{Part: "the PIN", State: app.PartIntact})
	if got := k.told("PIN"); got != "" {
		t.Errorf("found: %q", got)
	}
}

// Somebody else clears up nothing who finds something wrong, too.
func TestAnotherNumberStaysWhileSomethingElseIsWrong(t *testing.T) {
	k := kept(t)
	with := func(l app.Look, file string) app.Look { l.File = strings.Repeat(file, 32); return l }
	k.looks(with(keyWell, "ab"))
	k.looks(with(keyOther, "ab"))
	k.looks(by("carol", with(keyWell, "cd")))
	if got := k.told("north key"); !strings.Contains(got, "somebody other than ben must look") {
		t.Errorf("another file: %q", got)
	}
	k.looks(by("carol", with(keyWell, "ab")))
	if got := k.told("north key"); got != "" {
		t.Errorf("all well: %q", got)
	}
}

// A number is a part's own under any name that the part has.
func TestARenamedPartTakesItsOwnNumberBack(t *testing.T) {
	k := kept(t)
	k.looks(pinWell)
	k.passes(custody.VerbMove, app.CustodyChange{Part: "north pin", Seal: "4409"})
	k.byHand("name: north pin", "name: the PIN")
	k.passes(custody.VerbCustody, app.CustodyChange{})
	k.passes(custody.VerbMove, app.CustodyChange{Part: "the PIN", Seal: "4402"})
	if got := k.told("a number is used once"); got != "" {
		t.Errorf("got %q", got)
	}
}

// What else is wrong with a part is told where it bears no seal, too.
func TestAWrongFileIsToldOfAPartWithoutASeal(t *testing.T) {
	k := kept(t)
	k.passes(custody.VerbMove, bare)
	k.writes(func(r *register.Register) {
		i, _ := r.FindPart("north pin")
		r.Parts[i].Set = "3f9c01d2a4b5e6f7"
	})
	k.passes(custody.VerbCustody, app.CustodyChange{})
	k.looks(app.Look{Part: "north pin", State: app.PartIntact, File: strings.Repeat("ab", 32)})
	if got := k.told("north pin"); !strings.Contains(got, "the log has not sealed the set") {
		t.Errorf("got %q", got)
	}
}

// A part that bears a seal and is missing fails what asks for every part.
func TestAMissingPartIsNotWhollyRecorded(t *testing.T) {
	k := kept(t)
	if got := k.answers()["cus-complete"]; got != posture.Pass {
		t.Fatalf("before: %s", got)
	}
	k.looks(keyGone)
	if got := k.answers()["cus-complete"]; got != posture.Fail {
		t.Errorf("missing: %s", got)
	}
	k.looks(keyWell)
	if got := k.answers()["cus-complete"]; got != posture.Pass {
		t.Errorf("found again: %s", got)
	}
}

// One of two parts of a kind goes, and another comes: the one that stays is not it.
func TestTheSealTellsWhichPartWasRenamed(t *testing.T) {
	k := kept(t, func(w *world) {
		half := func(name, seal string) register.Part {
			return register.Part{Name: name, Kind: register.PartPasswordHalf, Account: northAccount, Holder: "ana", Place: "Bank", Seal: seal, Since: "2026-11-01"}
		}
		w.Register.Parts = []register.Part{half("first", "1"), half("second", "2")}
	})
	k.looks(app.Look{Part: "first", Seal: "1", State: app.PartBroken})
	k.looks(app.Look{Part: "second", State: app.PartMissing})
	k.byHand("name: first", "name: other")
	k.byHand("name: second", "name: new")
	k.passes(custody.VerbCustody, app.CustodyChange{})
	if broken, gone := k.told("other:"), k.told("new: was found"); !strings.Contains(broken, "found broken") || strings.Contains(broken, "\n") || !strings.Contains(gone, "found missing") || strings.Contains(gone, "broken") {
		t.Errorf("got %q and %q", broken, gone)
	}
}

// A number that somebody wrote into the file, and nobody approved, is not one that was
// put on: what was found stays.
func TestANumberInTheFileAloneClearsUpNothing(t *testing.T) {
	k := kept(t)
	k.looks(keyGone)
	k.looks(pinBad)
	k.byHand("\"4401\"", "\"4499\"")
	k.byHand("\"4402\"", "\"4498\"")
	if gone, bad := k.told("north key"), k.told("north pin"); !strings.Contains(gone, "was found missing on 2026-11-21 by ben") || !strings.Contains(bad, "broken on 2026-11-21 by ben") {
		t.Errorf("got %q, %q", gone, bad)
	}
	if got := k.answers()["cus-spof"]; got != posture.Fail {
		t.Errorf("the missing key counts as there: %s", got)
	}
}

// Parts without a name are numbered. When the first goes, the second has its name, and
// what was found of it.
func TestAPartThatMovesUpKeepsWhatWasFound(t *testing.T) {
	half := func(holder, seal string) register.Part {
		return register.Part{Kind: register.PartPasswordHalf, Account: northAccount, Holder: holder, Place: "Bank", Seal: seal, Since: "2026-11-01"}
	}
	for name, gone := range map[string]string{"the second": "password-half-2", "the first, which goes": "password-half"} {
		t.Run(name, func(t *testing.T) {
			k := kept(t, func(w *world) {
				w.Register.Parts = []register.Part{half("ana", "1"), half("ben", "2"), half("carol", "3")}
			})
			k.looks(app.Look{Part: gone, State: app.PartMissing})
			k.writes(func(r *register.Register) { r.Parts = r.Parts[1:] })
			wants := func(when string) {
				t.Helper()
				got := k.told("password-half:")
				if is := strings.Contains(got, "found missing"); is != (gone == "password-half-2") {
					t.Errorf("%s: %q", when, got)
				}
				if got := k.told("password-half-2"); strings.Contains(got, "missing") {
					t.Errorf("%s, the third: %q", when, got)
				}
			}
			wants("in the file")
			ask := k.As("ana").changes(custody.VerbCustody, app.CustodyChange{})
			if text := string(k.request(ask).Details); !strings.Contains(text, "part password-half: this is what was called password-half-2. What had the name goes") {
				t.Errorf("approvers read %s", text)
			}
			k.handsIn(ask, k.As("carol").prepares(k.request(ask)))
			k.As("ben").Approves(ask)
			k.rereads()
			wants("approved")
		})
	}
}

// An account is due for a drill so many days after its last sign-in.
func TestDrillsAreDueAfterTheLastSignIn(t *testing.T) {
	k := kept(t)
	for activity, want := range map[string]string{
		`{"lastSuccessfulSignInDateTime":"2026-10-01T08:00:00Z"}`: "2026-12-30 drill ea-north",
		`{"lastSuccessfulSignInDateTime":"2026-01-01T08:00:00Z"}`: "2026-04-01 drill ea-north",
		`null`: "2026-11-21 drill ea-north",
	} {
		users := `{"value":[{"id":"` + string(northAccount) + `","userPrincipalName":"ea-north@tidewater.example","accountEnabled":true,"signInActivity":` + activity + `}]}`
		snap, err := app.Snapshot(t.Context(), app.ProveRequest{Sources: []entra.Source{{Name: "users.json", Data: []byte(users)}}}, k.Register, nil)
		must(t, err)
		var got []string
		for _, f := range app.ListHeld(k.Register, k.heldNow(), snap, k.now).Findings {
			if strings.HasPrefix(f.What, "drill ") {
				got = append(got, string(f.Day)+" "+f.What)
			}
		}
		if len(got) != 1 || !strings.HasPrefix(got[0], want) || (activity == "null") != strings.HasSuffix(got[0], "for the first time") {
			t.Errorf("%s: %q", activity, got)
		}
	}
	for _, f := range app.ListHeld(k.Register, k.heldNow(), nil, k.now).Findings {
		if strings.HasPrefix(f.What, "drill ") {
			t.Errorf("nothing is known, and yet: %+v", f)
		}
	}
}
