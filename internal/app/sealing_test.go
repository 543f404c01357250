package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/hiddeco/sshsig"

	"halligan/custody"
	"halligan/entra"
	"halligan/evidence"
	"halligan/internal/app"
	"halligan/internal/store"
	"halligan/register"
	"halligan/seal"
)

const (
	north     = entra.ID("2786d9fb-aa4e-4778-8abb-11a546852728")
	northName = "ea-north@tidewaterinstruments.onmicrosoft.com"
	password  = "Hf7q-winter-9Kd2"
)

// holding gives people keys to receive by, and the tenant an account.
func holding(keys map[string]*age.X25519Identity, names ...string) setUp {
	return func(w *world) {
		w.Register.Accounts = []register.Account{{ID: north, Name: northName}}
		for _, p := range []register.Person{
			{Name: "ana", Roles: []register.Role{register.RoleOperator, register.RoleApprover}, Reach: []string{"+44 20 7946 0001"}}, {Name: "ben", Roles: []register.Role{register.RoleApprover}},
			{Name: "carol", Roles: []register.Role{register.RoleApprover}}, {Name: "mallory", Roles: []register.Role{register.RoleOperator, register.RoleApprover}}, {Name: "victor", Roles: []register.Role{register.RoleViewer}},
		} {
			p.Signing = w.As(p.Name).line()
			if slices.Contains(names, p.Name) {
				i, err := age.GenerateX25519Identity()
				if err != nil {
					w.t.Fatal(err)
				}
				keys[p.Name], p.Receiving = i, i.Recipient().String()
			}
			w.Register.People = append(w.Register.People, p)
		}
	}
}

// brought are what some people bring.
func brought(keys map[string]*age.X25519Identity, names ...string) (out []seal.Key) {
	for _, n := range names {
		out = append(out, seal.Key{From: n, Identity: keys[n], Public: keys[n].Recipient().String()})
	}
	return out
}

// wishes asks to have something sealed.
func (a *actor) wishes(wish app.SealWish) (*app.Asked, error) {
	a.w.t.Helper()
	wish.Account, wish.What = northName, "the password"
	return a.wishesAsIs(wish)
}

func (a *actor) wishesAsIs(wish app.SealWish) (*app.Asked, error) {
	a.w.t.Helper()
	subject, err := wish.Subject()
	if err != nil {
		a.w.t.Fatal(err)
	}
	return a.w.Ask(a.w.t.Context(), app.Question{Verb: custody.VerbSeal, On: subject, Why: "incident 4711", By: a.name, Sign: a.sign})
}

// agreed is a world in which ben approved what ana wants sealed.
func agreed(t *testing.T, keys map[string]*age.X25519Identity, wish app.SealWish, set ...setUp) (*world, string) {
	t.Helper()
	w := begun(t, append([]setUp{holding(keys, "ana", "ben", "carol")}, set...)...)
	asked, err := w.As("ana").wishes(wish)
	if err != nil {
		t.Fatal(err)
	}
	if out := w.As("ben").Approves(asked.Request.Hash()); out.Done != nil || out.Missing != 0 {
		t.Fatalf("the approval carried it out: %+v", out)
	}
	return w, asked.Request.Hash()
}

// job seals a typed password into a new file.
func job(t testing.TB) *app.SealJob {
	return &app.SealJob{Out: filepath.Join(t.TempDir(), "account.sealed"), Secret: func(context.Context, *app.SealTask) ([]custody.Secret, error) {
		return []custody.Secret{custody.NewSecret([]byte(password))}, nil
	}}
}

var pairOfTwo = app.SealWish{Holders: []string{"ana", "ben"}}

func TestWhatWasSealedStandsInTheEvidenceAndOpens(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w, hash := agreed(t, keys, app.SealWish{Holders: []string{"ana", "ben", "victor"}, Need: 2})
	j := job(t)
	done, err := w.Seal(t.Context(), hash, j)
	if err != nil {
		t.Fatal(err)
	}
	out := w.entries(evidence.KindOutcome, hash)
	if len(out) != 1 || out[0].After != done.Sealed.Digest || result(t, out[0]) != "done" || !strings.Contains(string(out[0].Data), done.Sealed.Manifest.Set) || !strings.Contains(string(out[0].Data), done.Sealed.Manifest.Holders[2].Share) {
		t.Fatalf("%+v", out)
	}
	info, err := os.Stat(j.Out)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	f, err := app.ReadSealed(j.Out)
	if err != nil || !slices.Contains(f.Manifest.Call, "ana: +44 20 7946 0001") {
		t.Fatalf("%v %+v", err, f)
	}
	o, err := seal.Open(f, brought(keys, "ben"), []seal.Given{{From: "page", Text: done.Sealed.Papers[0].Words}})
	if err != nil || string(o.Secret.Reveal()) != password || o.Account != northName || done.Sealed.Papers[0].Holder != "victor" {
		t.Fatalf("%+v %v", o, err)
	}
	if _, err := w.Seal(t.Context(), hash, job(t)); !errors.Is(err, custody.ReasonUsed) {
		t.Errorf("a second time: %v", err)
	}
	for _, e := range w.entries("", "") {
		line, err := e.Line()
		if err != nil || bytes.Contains(line, []byte(password)) {
			t.Errorf("entry %d: %v %s", e.Index, err, line)
		}
	}
	done.Wipe()
	if bytes.Contains(done.Secrets[0].Reveal(), []byte("winter")) {
		t.Error("the secret was not wiped")
	}
}

func TestNothingIsSealedWithoutApprovalNorOverAFile(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w := begun(t, holding(keys, "ana", "ben"))
	asked, err := w.As("ana").wishes(pairOfTwo)
	if err != nil {
		t.Fatal(err)
	}
	j := job(t)
	prompted := false
	j.Secret = func(context.Context, *app.SealTask) ([]custody.Secret, error) {
		prompted = true
		return nil, errors.New("asked")
	}
	if _, err := w.Seal(t.Context(), asked.Request.Hash(), j); !errors.Is(err, custody.ReasonTooFew) || prompted {
		t.Errorf("without approval: %v, asked for the secret: %v", err, prompted)
	}
	w.As("ben").Approves(asked.Request.Hash())
	if err := os.WriteFile(j.Out, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Seal(t.Context(), asked.Request.Hash(), j); err == nil || prompted || len(w.entries(evidence.KindIntent, asked.Request.Hash())) > 0 {
		t.Errorf("over a file: %v", err)
	}
	if err := w.Does(asked.Request.Hash()); err == nil || len(w.entries(evidence.KindIntent, asked.Request.Hash())) > 0 {
		t.Errorf("carried out without a secret: %v", err)
	}
}

// What was approved names keys by their fingerprints: the register cannot put others
// in their place meanwhile, approved or not.
func TestAKeyThatChangedAfterTheApprovalIsNotSealedTo(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w, hash := agreed(t, keys, pairOfTwo)
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	w.edits(func(r *register.Register) { r.People[1].Receiving = other.Recipient().String() })
	j := job(t)
	if _, err := w.Seal(t.Context(), hash, j); err == nil {
		t.Fatal("sealed to a key that nobody approved")
	}
	change := w.As("ana").Requests(custody.VerbRegister)
	w.As("carol").Approves(change)
	if _, err := w.Seal(t.Context(), hash, j); err == nil || !strings.Contains(err.Error(), "does not say any more what was approved") {
		t.Errorf("sealed to a key that was approved for something else: %v", err)
	}
	if _, err := os.Stat(j.Out); err == nil {
		t.Error("there is a file")
	}
}

func TestPeopleWhoAreNotIndependentAreRefused(t *testing.T) {
	lines := func(l register.Lines) setUp {
		return func(w *world) {
			w.Register.Quorum.Lines = l
			w.Register.People[1].Manager, w.Register.People[2].Manager = "victor", "ben"
		}
	}
	keys := map[string]*age.X25519Identity{}
	for name, c := range map[string]struct {
		wish  app.SealWish
		lines register.Lines
		says  string // part of the error, or of the note when it begins with +
	}{
		"twice":                             {app.SealWish{Holders: []string{"ana", "ANA"}}, "", "that is one person"},
		"both halves":                       {app.SealWish{First: []string{"ana", "ben"}, Second: []string{"carol", "ben"}}, "", "one person would hold both halves"},
		"one line, told":                    {app.SealWish{Holders: []string{"ben", "carol"}}, "", "+ben and carol: they are in one line of managers"},
		"one line, distinct":                {app.SealWish{Holders: []string{"ben", "carol"}}, register.LinesDistinct, "they are in one line of managers and could open it together"},
		"shares within one line, distinct":  {app.SealWish{Holders: []string{"ana", "ben", "victor"}}, register.LinesDistinct, "they are in one line of managers and could open it together"},
		"halves within one line, distinct":  {app.SealWish{First: []string{"ben"}, Second: []string{"carol"}}, register.LinesDistinct, "they are in one line of managers and could open it together"},
		"a line that is too short":          {app.SealWish{Holders: []string{"ana", "ben", "victor"}, Need: 3}, register.LinesDistinct, "+"},
		"a whole line of three, of shares":  {app.SealWish{Holders: []string{"ana", "ben", "victor", "carol"}, Need: 3}, register.LinesDistinct, "they are in one line of managers"},
		"pairs of which one is in the line": {app.SealWish{Holders: []string{"ana", "ben", "carol"}}, register.LinesDistinct, "+"},
		"a stranger":                        {app.SealWish{Holders: []string{"ana", "nobody"}}, "", "nobody in the register"},
		"halves and holders":                {app.SealWish{Holders: []string{"ana"}, First: []string{"ben"}, Second: []string{"carol"}}, "", "exclude each other"},
		"an odd length of halves":           {app.SealWish{First: []string{"ana"}, Second: []string{"carol"}, Make: &app.Made{Alphabet: "letters", Length: 31}}, "", "31 letters"},
	} {
		t.Run(name, func(t *testing.T) {
			w := begun(t, holding(keys, "ana", "ben", "carol"), lines(c.lines))
			asked, err := w.As("ana").wishes(c.wish)
			want, allowed := strings.CutPrefix(c.says, "+")
			if (err == nil) != allowed || err != nil && !strings.Contains(err.Error(), want) {
				t.Fatalf("got %v, want %q", err, c.says)
			}
			if allowed && !strings.Contains(string(asked.Request.Details), want) {
				t.Errorf("the request does not note %q: %s", want, asked.Request.Details)
			}
		})
	}
	t.Run("pairs of one line have no file", func(t *testing.T) {
		w, hash := agreed(t, keys, app.SealWish{Holders: []string{"ana", "ben", "carol"}}, lines(register.LinesDistinct))
		done, err := w.Seal(t.Context(), hash, job(t))
		if err != nil || len(done.Sealed.Manifest.Pairs) != 2 {
			t.Errorf("%v %+v", err, done)
		}
	})
}

func TestOnePersonSealsWithSomebodyOutsideAndItIsMarked(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w := begun(t, holding(keys, "ana"), func(w *world) {
		w.Register.Quorum = register.Quorum{People: 1, Outside: "Notary Quist"}
	})
	asked, err := w.As("ana").wishes(app.SealWish{Holders: []string{"ana", "notary quist"}})
	if err != nil {
		t.Fatal(err)
	}
	w.As("ana").Approves(asked.Request.Hash())
	done, err := w.Seal(t.Context(), asked.Request.Hash(), job(t))
	if err != nil || !slices.Equal(done.Sealed.Manifest.Marks, []string{custody.MarkOnePerson}) || len(done.Sealed.Papers) != 1 || done.Sealed.Papers[0].Holder != "Notary Quist" || !slices.Contains(done.Marks, custody.MarkOnePerson) {
		t.Fatalf("%v %+v", err, done)
	}
}

// A folder that takes nothing is noticed while the request is still good, and before
// anybody gives a secret.
func TestAFolderThatTakesNothingIsNoticedBeforeTheRequestIsUsed(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w, hash := agreed(t, keys, pairOfTwo)
	j := job(t)
	secret, good := j.Secret, j.Out
	j.Secret = func(context.Context, *app.SealTask) ([]custody.Secret, error) {
		t.Error("it asks for a secret")
		return nil, errors.New("asked")
	}
	folder, file := t.TempDir(), filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, out := range map[string]string{
		"missing": filepath.Join(folder, "no", "such", "folder", "x.sealed"), "a file": filepath.Join(file, "x.sealed"), "unwritable": filepath.Join(unwritable(t), "x.sealed"),
	} {
		j.Out = out
		_, err := w.Seal(t.Context(), hash, j)
		hinted, is := errors.AsType[interface {
			error
			Hint() string
		}](err)
		if !is || !strings.Contains(hinted.Hint(), "the request stays approved") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if out := w.entries(evidence.KindIntent, hash); len(out) > 0 {
		t.Errorf("the request is used: %+v", out)
	}
	j.Secret, j.Out = secret, good
	if _, err := w.Seal(t.Context(), hash, j); err != nil {
		t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(good), ".halligan-*")); err != nil || len(left) > 0 {
		t.Errorf("left %v %v", left, err)
	}
}

// A disk that takes nothing any more: the request is used, which is said, the evidence
// says failed, and no half of a file is left.
func TestAFileThatCannotBeWrittenIsToldAndNothingIsLeft(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w, hash := agreed(t, keys, pairOfTwo)
	j := job(t)
	j.Out = filepath.Join(t.TempDir(), "folder", "x.sealed")
	if err := os.Mkdir(filepath.Dir(j.Out), 0o700); err != nil {
		t.Fatal(err)
	}
	secret := j.Secret
	j.Secret = func(ctx context.Context, task *app.SealTask) ([]custody.Secret, error) {
		if err := os.Remove(filepath.Dir(j.Out)); err != nil {
			t.Error(err)
		}
		return secret(ctx, task)
	}
	_, err := w.Seal(t.Context(), hash, j)
	used, is := errors.AsType[*app.UsedError](err)
	if !is || !strings.Contains(used.Hint(), "the approvals are used") || !strings.Contains(used.Hint(), "ask anew") {
		t.Fatalf("%v", err)
	}
	if out := w.entries(evidence.KindOutcome, hash); len(out) != 1 || result(t, out[0]) != "failed" {
		t.Errorf("%+v", out)
	}
}

// unwritable is a folder that takes no file, for anybody.
func unwritable(t *testing.T) string {
	t.Helper()
	const none = "/proc/self" // also for root
	if _, err := os.Stat(none); err == nil {
		return none
	}
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o500); err != nil {
		t.Fatal(err)
	}
	return folder
}

// The papers of a file that is there must not be lost because the log took nothing.
func TestPapersAreGivenOutThoughTheOutcomeIsLate(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w, hash := agreed(t, keys, app.SealWish{Holders: []string{"ana", "ben", "victor"}})
	w.SideLog = func(entries []evidence.Entry) (string, error) { return w.writes(nil, entries...), nil }
	j := job(t)
	w.Ledger = &failing{Owned: w.Ledger.(app.Owned), after: 1}
	done, err := w.Seal(t.Context(), hash, j)
	if err == nil || done == nil || len(done.Sealed.Papers) != 1 || done.Late == "" {
		t.Fatalf("%+v %v", done, err)
	}
	if _, err := app.ReadSealed(j.Out); err != nil {
		t.Error(err)
	}
}

// failing is a log that takes so many appends, and then none.
type failing struct {
	app.Owned
	after int
}

func (f *failing) Append(ctx context.Context, draft store.Draft) ([]evidence.Entry, error) {
	if f.after--; f.after < 0 {
		return nil, errors.New("the disk is full")
	}
	return f.Owned.Append(ctx, draft)
}

// opening is the record of an opening, signed by some.
func (w *world) opening(text string, by ...*actor) *app.Opening {
	w.t.Helper()
	o := &app.Opening{Set: "0123456789abcdef", File: register.DigestOf([]byte(text)), Label: "account 1", What: "the password", Openers: []string{"ana", "ben"}, At: w.now, Why: "fire", Account: "os:tool@host"}
	for _, a := range by {
		s, err := sshsig.Sign(bytes.NewReader(o.Text()), a.signer, sshsig.HashSHA512, app.OpeningNamespace)
		if err != nil {
			w.t.Fatal(err)
		}
		o.Signatures = append(o.Signatures, string(sshsig.Armor(s)))
	}
	return o
}

func TestASetThatAnotherTookThePlaceOfIsTold(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w, hash := agreed(t, keys, pairOfTwo)
	j := job(t)
	first, err := w.Seal(t.Context(), hash, j)
	if err != nil {
		t.Fatal(err)
	}
	old, err := app.ReadSealed(j.Out)
	if err != nil {
		t.Fatal(err)
	}
	asked, err := w.As("ana").wishes(app.SealWish{Holders: []string{"ben", "carol"}, Void: app.VoidOf(old, "2026-11-21")})
	if err != nil {
		t.Fatal(err)
	}
	w.As("ben").Approves(asked.Request.Hash())
	next := job(t)
	if _, err := w.Seal(t.Context(), asked.Request.Hash(), next); err == nil {
		t.Fatal("another secret took the place of the set without its being opened")
	}
	next.Reseals = old.Manifest.Set
	if _, err := w.Seal(t.Context(), asked.Request.Hash(), next); err != nil {
		t.Fatal(err)
	}
	opened, err := seal.Open(old, brought(keys, "ana", "ben"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, against, err := w.RecordOpening(t.Context(), app.OpeningOf(old, opened, w.now, "", w.Account))
	if err != nil || !strings.Contains(against, "set "+first.Sealed.Manifest.Set+" is void") {
		t.Errorf("%q %v", against, err)
	}
}

// A part of a set has the file that was sealed for it, at the first look too; the file
// of a set that is void is wrong.
func TestTheFileOfASetIsTheOneThatWasSealed(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w, hash := agreed(t, keys, pairOfTwo)
	first := job(t)
	done, err := w.Seal(t.Context(), hash, first)
	must(t, err)
	old, err := app.ReadSealed(first.Out)
	must(t, err)
	w.Register.Parts = []register.Part{{Name: "north half", Kind: register.PartPasswordHalf, Account: north, Seal: "1", Set: strings.ToUpper(done.Sealed.Manifest.Set)}, {Name: "south half", Kind: register.PartPasswordHalf, Account: north, Seal: "2", Set: "0123456789abcdef"}}
	looks := func(part, seal, file string) string {
		t.Helper()
		v, _, err := w.Verify(t.Context(), app.Look{Part: part, By: "ben", Seal: seal, State: app.PartIntact, File: strings.TrimPrefix(file, "sha256:")})
		must(t, err)
		return strings.Join(v.Findings, "; ")
	}
	if got := looks("north half", "1", register.DigestOf([]byte("another"))); !strings.HasPrefix(got, "the sealed file is not the one that was sealed for its set") {
		t.Errorf("replaced before the first look: %q", got)
	}
	if got := looks("south half", "2", done.Sealed.Digest); !strings.HasPrefix(got, "the log has not sealed the set") {
		t.Errorf("a set that the log does not know: %q", got)
	}
	if got := looks("south half", "2", ""); !strings.HasPrefix(got, "the sealed file was not looked at") {
		t.Errorf("paper: %q", got)
	}
	if got := looks("north half", "1", done.Sealed.Digest); !strings.HasPrefix(got, "halligan.yaml is not what was approved") { // and nothing else
		t.Errorf("the right file: %q", got)
	}
	asked, err := w.As("ana").wishes(app.SealWish{Holders: []string{"ben", "carol"}, Void: app.VoidOf(old, "2026-11-21")})
	must(t, err)
	w.As("ben").Approves(asked.Request.Hash())
	next := job(t)
	next.Reseals = old.Manifest.Set
	_, err = w.Seal(t.Context(), asked.Request.Hash(), next)
	must(t, err)
	if got := looks("north half", "1", done.Sealed.Digest); !strings.HasPrefix(got, "the set is void: set ") {
		t.Errorf("void: %q", got)
	}
	held, err := w.Held(t.Context())
	must(t, err)
	if r := app.ListHeld(w.Register, held, nil, w.now); !slices.ContainsFunc(r.Findings, func(f app.HeldFinding) bool {
		return !f.Due && strings.HasPrefix(f.What, "north half: the set is void")
	}) {
		t.Errorf("the list: %+v", r.Findings)
	}
}

// A drill has time to ask. What was approved is one file, and the intent stands in the
// evidence before anything is decrypted.
func TestAnOpeningThatWasApprovedIsOfThatFileAlone(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w, hash := agreed(t, keys, pairOfTwo)
	j := job(t)
	if _, err := w.Seal(t.Context(), hash, j); err != nil {
		t.Fatal(err)
	}
	f, err := app.ReadSealed(j.Out)
	if err != nil {
		t.Fatal(err)
	}
	subject, err := app.OpenSubject(f)
	if err != nil {
		t.Fatal(err)
	}
	asked, err := w.Ask(t.Context(), app.Question{Verb: custody.VerbOpen, On: subject, Why: "drill", By: "ana", Sign: w.As("ana").sign})
	if err != nil {
		t.Fatal(err)
	}
	hash = asked.Request.Hash()
	w.As("ben").Approves(hash)
	other := *f
	other.Digest = register.DigestOf([]byte("another"))
	open := func() (*seal.Opened, error) {
		if len(w.entries(evidence.KindIntent, hash)) != 1 {
			t.Error("it is opened before the intent stands in the evidence")
		}
		return seal.Open(f, brought(keys, "ana", "ben"), nil)
	}
	if _, _, err := w.OpenApproved(t.Context(), hash, &other, open); err == nil || len(w.entries(evidence.KindIntent, hash)) > 0 {
		t.Errorf("another file: %v", err)
	}
	opened, done, err := w.OpenApproved(t.Context(), hash, f, open)
	if err != nil || string(opened.Secret.Reveal()) != password || done.Outcome == 0 {
		t.Fatalf("%v %+v", err, done)
	}
	if _, _, err := w.OpenApproved(t.Context(), hash, f, open); !errors.Is(err, custody.ReasonUsed) {
		t.Errorf("again: %v", err)
	}
}

// Whatever stands in the file of a key that cannot be used, the error tells what to
// do, and nothing of the key.
func TestKeysThatCannotBeUsedAreTold(t *testing.T) {
	i, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	broken := i.String()[:40] + "Q" + i.String()[41:]
	if broken == i.String() {
		broken = i.String()[:40] + "P" + i.String()[41:]
	}
	for name, c := range map[string]struct{ text, says string }{
		"a public key":        {i.Recipient().String(), "this is no private key of age or SSH"},
		"a letter is wrong":   {broken, "a letter of the key is wrong"},
		"nothing":             {"# only a remark\n", "there is no key in it"},
		"a broken SSH key":    {"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "no private key of SSH"},
		"too much":            {strings.Repeat("# x\n", 1<<15), "more than"},
		"under a passphrase":  {"-----BEGIN AGE ENCRYPTED FILE-----\n", "there is nobody to ask"},
		"a broken plugin key": {"AGE-PLUGIN-X-1QQQQ", "a letter of the key is wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := app.LoadKeys(path, nil)
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(strings.ToUpper(err.Error()), broken[16:40]) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

func TestADetailThatIsNotTheWishIsRefused(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w := begun(t, holding(keys, "ana", "ben", "mallory"))
	asked, err := w.As("ana").wishes(pairOfTwo)
	if err != nil {
		t.Fatal(err)
	}
	// Mallory asks by hand, and hides in the details that one person is enough.
	var d map[string]any
	if err := json.Unmarshal(asked.Request.Details, &d); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(){
		"one is enough": func() { d["need"] = 1 },
		"a holder's key is not": func() {
			d["need"] = 2
			d["holders"].([]any)[1].(map[string]any)["key"] = "sha256:" + strings.Repeat("0", 64)
		},
	} {
		change()
		details, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		mallory := w.As("mallory")
		hash := mallory.handsInRequest(mallory.makes(func(r *custody.Request) {
			r.What, r.On, r.Details = custody.VerbSeal, asked.Request.On, details
		}), "")
		w.As("ben").Approves(hash)
		if _, err := w.Seal(t.Context(), hash, job(t)); err == nil {
			t.Errorf("%s: sealed", name)
		}
	}
}
