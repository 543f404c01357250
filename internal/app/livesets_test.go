package app_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/app"
	"halligan/register"
	"halligan/seal"
)

// sealedAnew seals by a wish that ben approves.
func (w *world) sealedAnew(wish app.SealWish) *app.SealDone {
	w.t.Helper()
	asked, err := w.As("ana").wishes(wish)
	must(w.t, err)
	w.As("ben").Approves(asked.Request.Hash())
	done, err := w.Seal(w.t.Context(), asked.Request.Hash(), job(w.t))
	must(w.t, err)
	return done
}

func TestANewSecretMakesTheOldSetVoid(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w, hash := agreed(t, keys, pairOfTwo)
	j := job(t)
	first, err := w.Seal(t.Context(), hash, j)
	must(t, err)
	old, err := app.ReadSealed(j.Out)
	must(t, err)
	id := first.Sealed.Manifest.Set
	asked, err := w.As("ana").wishes(app.SealWish{Holders: []string{"ben", "carol"}, Replaces: []string{strings.ToUpper(id)}})
	must(t, err)
	if !strings.Contains(string(asked.Request.Details), `"replaces":["`+id+`"]`) || !strings.HasPrefix(app.NextStep(asked.Request), "halligan seal ") {
		t.Errorf("what approvers read: %s; next %s", asked.Request.Details, app.NextStep(asked.Request))
	}
	w.As("ben").Approves(asked.Request.Hash())
	wrong := job(t)
	wrong.Reseals = id
	if _, err := w.Seal(t.Context(), asked.Request.Hash(), wrong); err == nil {
		t.Fatal("the old secret was sealed again in place of a new one")
	}
	next, err := w.Seal(t.Context(), asked.Request.Hash(), job(t))
	must(t, err)
	if v := next.Sealed.Manifest.Voided; len(v) != 1 || v[0].Set != id || !slices.Equal(v[0].Holders, []string{"ana", "ben"}) {
		t.Errorf("the manifest voids %+v", v)
	}
	opened, err := seal.Open(old, brought(keys, "ana", "ben"), nil)
	must(t, err)
	_, against, err := w.RecordOpening(t.Context(), app.OpeningOf(old, opened, w.now, "", w.Account))
	if err != nil || !strings.Contains(against, "set "+id+" is void") {
		t.Errorf("the old file: %q %v", against, err)
	}
	held, err := w.Held(t.Context())
	must(t, err)
	if live := held.Live(w.Register, nil); len(live) != 1 || live[0].Set != next.Sealed.Manifest.Set {
		t.Errorf("live: %+v", live)
	}
	for name, replaces := range map[string][]string{"void before": {id}, "never sealed": {"0123456789abcdef"}, "twice": {next.Sealed.Manifest.Set, next.Sealed.Manifest.Set}} {
		if _, err := w.As("ana").wishes(app.SealWish{Holders: []string{"ben", "carol"}, Replaces: replaces}); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
	w.Register.Accounts = append(w.Register.Accounts, register.Account{ID: "11111111-2222-4333-8444-555555555555", Name: "ea-other@example.com"})
	wish := app.SealWish{Account: "ea-other@example.com", What: "the password", Holders: []string{"ben", "carol"}, Replaces: []string{next.Sealed.Manifest.Set}}
	if _, err := w.As("ana").wishesAsIs(wish); err == nil || !strings.Contains(err.Error(), "it is of account") {
		t.Errorf("a set of another account: %v", err)
	}
}

// tellsSealed writes into the log that a set was sealed, as the program does.
func (w *world) tellsSealed(set string, tells map[string]any) {
	w.t.Helper()
	tells["set"], tells["result"] = set, "done"
	w.merges(w.writes(w.key(), evidence.Entry{Kind: evidence.KindOutcome, What: string(custody.VerbSeal), On: "the password of account 1", After: register.DigestOf([]byte(set)), Data: jsonOf(w.t, tells)}))
}

// Whoever opens a file that is void hears which set is live now, and not of one that is
// void as well.
func TestWhoOpensAVoidFileIsSentToTheLiveSet(t *testing.T) {
	const a, b, c, d = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb", "cccccccccccccccc", "dddddddddddddddd"
	type tells = map[string]any
	for name, tt := range map[string]struct {
		sealed map[string]tells
		want   string // "" nothing is said
	}{
		"nothing took its place": {map[string]tells{b: {}}, ""},
		"sealed again":           {map[string]tells{b: {"voids": a}}, "set " + a + " is void: set " + b + " took its place (entry N). Open that one"},
		"in capitals":            {map[string]tells{b: {"voids": strings.ToUpper(a)}}, "set " + a + " is void: set " + b + " took its place (entry N). Open that one"},
		"sealed again, then a new secret": {map[string]tells{b: {"voids": a}, c: {"replaces": []string{b}}},
			"set " + a + " is void: set " + c + " took its place (entry N), with a new secret: if that was set in Entra, the secret of this file is out of date. Open that one"},
		"a new secret, sealed again twice": {map[string]tells{b: {"replaces": []string{a}}, c: {"voids": b}, d: {"voids": c}},
			"set " + a + " is void: set " + d + " took its place (entry N), with a new secret: if that was set in Entra, the secret of this file is out of date. Open that one"},
		"two took its place, of which one is void": {map[string]tells{b: {"voids": a}, c: {"voids": a}, d: {"voids": c}},
			"set " + a + " is void: set " + b + " and set " + d + " took its place (entries N and N). Open one of those"},
		"in a circle": {map[string]tells{b: {"voids": a}, c: {"voids": b}, d: {"replaces": []string{c}}, a: {"voids": d}},
			"set " + a + " is void, and by the log every set that took its place is void as well, with a new secret: if that was set in Entra, the secret of this file is out of date. Ask those who seal for this account which one holds (halligan custody list)"},
	} {
		t.Run(name, func(t *testing.T) {
			w := begun(t)
			w.tellsSealed(a, tells{})
			for _, set := range slices.Sorted(maps.Keys(tt.sealed)) {
				w.tellsSealed(set, tt.sealed[set])
			}
			o := w.opening(a)
			o.Set = a
			_, against, err := w.RecordOpening(t.Context(), o)
			if got := regexp.MustCompile(`\b\d{1,4}\b`).ReplaceAllString(against, "N"); err != nil || got != tt.want {
				t.Errorf("got %q %v\nwant %q", got, err, tt.want)
			}
		})
	}
}

func TestSeveralLiveSetsOfAnAccountAreTold(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w := begun(t, holding(keys, "ana", "ben", "carol"))
	list := func() (out []app.HeldFinding) {
		held, err := w.Held(t.Context())
		must(t, err)
		for _, f := range app.ListHeld(w.Register, held, nil, w.now).Findings {
			if strings.Contains(f.What, "no set is void") {
				out = append(out, f)
			}
		}
		return out
	}
	first := w.sealedAnew(pairOfTwo)
	if got := list(); len(got) > 0 {
		t.Errorf("one live set: %+v", got)
	}
	asked, err := w.As("ana").wishes(pairOfTwo)
	must(t, err)
	if want := "--replaces " + first.Sealed.Manifest.Set; !strings.Contains(string(asked.Request.Details), want) {
		t.Errorf("approvers do not read that another set is live: %s", asked.Request.Details)
	}
	second := w.sealedAnew(pairOfTwo)
	got := list()
	if len(got) != 1 || !strings.Contains(got[0].What, first.Sealed.Manifest.Set) || !strings.Contains(got[0].Do, "--replaces "+second.Sealed.Manifest.Set) {
		t.Errorf("two live sets: %+v", got)
	}
	w.sealedAnew(app.SealWish{Holders: []string{"ben", "carol"}, Replaces: []string{first.Sealed.Manifest.Set, second.Sealed.Manifest.Set}})
	if got := list(); len(got) > 0 {
		t.Errorf("both are replaced: %+v", got)
	}
}

// survive counts no password where the register says that the account signs in by a
// key: who asks and who approves hear it before.
func TestASealedPasswordThatIsNoWayInIsTold(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	for pattern, told := range map[register.Pattern]bool{register.PatternFIDO2: true, register.PatternCertificate: true, register.PatternVault: false, register.PatternSplitPassword: false} {
		w := begun(t, holding(keys, "ana", "ben"), func(w *world) {
			for i := range w.Register.Accounts {
				w.Register.Accounts[i].Pattern = pattern
			}
		})
		asked, err := w.As("ana").wishes(pairOfTwo)
		must(t, err)
		if strings.Contains(string(asked.Request.Details), "will not count this set") != told {
			t.Errorf("%s: %s", pattern, asked.Request.Details)
		}
	}
}
