package app_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/app"
	"halligan/internal/store"
	"halligan/register"
)

// audited exports the log and decides everything in it once more.
func (w *world) audited() *app.AuditReport {
	w.t.Helper()
	folder := filepath.Join(w.t.TempDir(), "export")
	if err := w.db.Export(w.t.Context(), folder); err != nil {
		w.t.Fatal(err)
	}
	r, err := app.Audit(os.DirFS(folder))
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// busy is a log in which everything went by the rules.
func busy(t *testing.T) *world {
	w := begun(t)
	w.later(time.Hour)
	w.As("ben").Approves(w.As("ana").Requests(custody.VerbAccept))
	w.edits(func(r *register.Register) {
		r.People = append(r.People, register.Person{Name: "dora", Roles: []register.Role{register.RoleApprover}, Signing: w.As("dora").line()})
	})
	w.later(time.Hour)
	w.As("carol").Approves(w.As("ana").Requests(custody.VerbRegister))
	w.later(time.Hour)
	w.As("dora").Approves(w.As("ana").Requests(custody.VerbAccept))
	return w
}

func TestWhatWasApprovedPassesTheAudit(t *testing.T) {
	w := busy(t)
	if r := w.audited(); !r.Good() || r.Decided != 4 || r.Requests != 4 || len(r.Open) != 0 || r.Register != w.standing().Approved {
		t.Errorf("got %+v", r)
	}
	w = newWorld(t, func(w *world) {
		w.Register.Quorum = register.Quorum{People: 1}
		w.Register.People = []register.Person{{Name: "ana", Roles: []register.Role{register.RoleOperator, register.RoleApprover}, Signing: w.As("ana").line()}}
	})
	w.As("ana").Approves(w.As("ana").Requests(custody.VerbBegin))
	if r := w.audited(); !r.Good() || r.OnePerson != 1 {
		t.Errorf("one person: got %+v", r)
	}
}

// Mallory runs as the account of the tool, and writes into the log what the program
// would not. The log key signs it; nobody's key approves it.
func TestWhatWasWrittenPastTheRulesIsNamed(t *testing.T) {
	intent := func(w *world, hash string) evidence.Entry {
		return evidence.Entry{Kind: evidence.KindIntent, Tenant: tidewater, What: string(custody.VerbAccept), On: "check " + riskyPart, Subject: hash, Who: []string{"ana", "ben"}}
	}
	for name, tt := range map[string]struct {
		writes func(w *world)
		says   string
	}{
		"an act that nobody asked for": {func(w *world) { w.smuggles(intent(w, register.DigestOf([]byte("x")))) }, "nobody asked for it"},
		"an act that was asked for and not approved": {func(w *world) {
			w.smuggles(intent(w, w.As("mallory").Requests(custody.VerbAccept)))
		}, "too few people approved"},
		"an act a second time": {func(w *world) {
			hash := w.As("mallory").Requests(custody.VerbAccept)
			w.As("ben").Approves(hash)
			w.smuggles(intent(w, hash))
		}, "the request was used already"},
		"an approval of mallory's own": {func(w *world) {
			r := w.As("mallory").makes()
			hash := w.As("mallory").handsInRequest(r, "")
			w.handsIn(hash, w.As("mallory").prepares(r))
			w.smuggles(intent(w, hash))
		}, "nobody approves what they asked for"},
		"an approval in ben's name": {func(w *world) {
			r := w.As("mallory").makes()
			hash := w.As("mallory").handsInRequest(r, "")
			w.handsIn(hash, w.As("mallory").prepares(r, func(a *custody.Approval) { a.Person = "ben" }))
			w.smuggles(intent(w, hash))
		}, "the key is not the person's"},
		"a register": {func(w *world) {
			r := *w.Register
			r.Quorum.People = 1
			text, digest := r.Deciding()
			w.smuggles(evidence.Entry{Kind: evidence.KindRegister, Tenant: tidewater, What: "register", Before: w.standing().Approved, After: digest, Subject: register.DigestOf([]byte("x")),
				Data: jsonOf(w.t, map[string]string{"deciding": string(text)})})
		}, "a deciding part that nobody approved"},
		"a log key": {func(w *world) {
			w.smuggles(evidence.Entry{Kind: evidence.KindNote, What: "nothing"}) // the kind itself is refused by Append unless it is the last
			key, err := w.place.Keys.Load()
			must(w.t, err)
			other := malloryKey(w.t)
			e := evidence.Rotate(key.Public(), other.Public(), []byte(`[]`))
			_, err = w.db.Rotate(w.t.Context(), key, other, func(store.View) ([]evidence.Entry, error) { return []evidence.Entry{e}, nil })
			must(w.t, err)
		}, "another log key"},
		"an outcome of nothing": {func(w *world) {
			n := uint64(0)
			w.smuggles(evidence.Entry{Kind: evidence.KindOutcome, Tenant: tidewater, What: "open", Refers: &n})
		}, "never begun"},
	} {
		t.Run(name, func(t *testing.T) {
			w := busy(t)
			w.later(time.Hour)
			tt.writes(w)
			r := w.audited()
			if r.Good() || !slices.ContainsFunc(r.Findings, func(f app.AuditFinding) bool { return strings.Contains(f.Says, tt.says) }) {
				t.Errorf("got %+v, want a finding that says %q", r.Findings, tt.says)
			}
		})
	}
}

// A backup knows people and keys of long ago: nothing is decided in a restored log
// before two have approved that it goes on.
func TestARestoredLogDecidesNothingByItself(t *testing.T) {
	w := begun(t)
	backup := filepath.Join(t.TempDir(), "backup.db")
	must(t, w.db.Backup(t.Context(), backup))
	// Mallory loses the role, and brings the backup back in which mallory had it.
	w.edits(func(r *register.Register) {
		r.People = slices.DeleteFunc(r.People, func(p register.Person) bool { return p.Name == "mallory" })
	})
	w.later(time.Hour)
	w.As("ben").Approves(w.As("ana").Requests(custody.VerbRegister))
	before := *w.Register
	w.closes()
	w.place.Store = filepath.Join(t.TempDir(), "restored.db")
	must(t, store.Restore(t.Context(), backup, store.Options{URL: w.place.Store, Now: func() time.Time { return w.now }}, store.RestoreOptions{}))
	w.opens()
	w.edits(func(r *register.Register) {
		r.People = append(r.People, register.Person{Name: "mallory", Roles: []register.Role{register.RoleOperator, register.RoleApprover}, Signing: w.As("mallory").line()})
	})
	if _, err := w.Record(t.Context(), app.Record{Kind: evidence.KindNote, What: "the first entry after it"}); err != nil {
		t.Fatal(err)
	}
	refused := func(verb custody.Verb) {
		t.Helper()
		_, err := w.As("mallory").asks(verb)
		if _, is := errors.AsType[*app.RestoredError](err); !is {
			t.Errorf("%s: got %v, want a refusal: the log was restored", verb, err)
		}
	}
	refused(custody.VerbAccept)
	refused(custody.VerbLogKey)
	ask := w.As("mallory").Requests(custody.VerbRestore)
	if _, err := w.As("mallory").approves(ask); err == nil {
		t.Error("mallory approves the restore alone")
	}
	refused(custody.VerbAccept)
	w.As("ben").Approves(ask)
	*w.Register = before
	w.later(time.Hour)
	w.As("ben").Approves(w.As("ana").Requests(custody.VerbRegister)) // mallory is out again
	w.later(time.Hour)
	w.As("ben").Approves(w.As("ana").Requests(custody.VerbAccept))
	if r := w.audited(); !r.Good() {
		t.Errorf("got %+v", r.Findings)
	}
	if _, err := w.As("ana").asks(custody.VerbRestore); err == nil {
		t.Error("a restore was asked for twice")
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func malloryKey(t testing.TB) *evidence.LogKey {
	t.Helper()
	key, err := evidence.NewLogKey(strings.NewReader(strings.Repeat("k", 32)), "mallory-log-1")
	must(t, err)
	return key
}
