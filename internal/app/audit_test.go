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
	r, err := app.Audit(os.DirFS(folder), evidence.OriginPrefix+w.Ledger.Identity().ID)
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
		// auditOnly: it takes the times of all entries to see it, which the program
		// does not read before each decision.
		auditOnly bool
	}{
		"an act that nobody asked for": {func(w *world) { w.smuggles(intent(w, register.DigestOf([]byte("x")))) }, "nobody asked for it", false},
		"an act that was asked for and not approved": {func(w *world) {
			w.smuggles(intent(w, w.As("mallory").Requests(custody.VerbAccept)))
		}, "too few people approved", false},
		"an act a second time": {func(w *world) {
			hash := w.As("mallory").Requests(custody.VerbAccept)
			w.As("ben").Approves(hash)
			w.smuggles(intent(w, hash))
		}, "the request was used already", false},
		"an approval of mallory's own": {func(w *world) {
			r := w.As("mallory").makes()
			hash := w.As("mallory").handsInRequest(r, "")
			w.handsIn(hash, w.As("mallory").prepares(r))
			w.smuggles(intent(w, hash))
		}, "nobody approves what they asked for", false},
		"an approval in ben's name": {func(w *world) {
			r := w.As("mallory").makes()
			hash := w.As("mallory").handsInRequest(r, "")
			w.handsIn(hash, w.As("mallory").prepares(r, func(a *custody.Approval) { a.Person = "ben" }))
			w.smuggles(intent(w, hash))
		}, "the key is not the person's", false},
		"a register": {func(w *world) {
			r := *w.Register
			r.Quorum.People = 1
			text, digest := r.Deciding()
			w.smuggles(evidence.Entry{Kind: evidence.KindRegister, Tenant: tidewater, What: "register", Before: w.standing().Approved, After: digest, Subject: register.DigestOf([]byte("x")),
				Data: jsonOf(w.t, map[string]string{"deciding": string(text)})})
		}, "a deciding part that nobody approved", false},
		"a log key": {func(w *world) {
			w.smuggles(evidence.Entry{Kind: evidence.KindNote, What: "nothing"}) // the kind itself is refused by Append unless it is the last
			key, err := w.place.Keys.Load()
			must(w.t, err)
			other := malloryKey(w.t)
			e := evidence.Rotate(key.Public(), other.Public(), []byte(`[]`))
			_, err = w.db.Rotate(w.t.Context(), key, other, func(store.View) ([]evidence.Entry, error) { return []evidence.Entry{e}, nil })
			must(w.t, err)
		}, "another log key", false},
		"an act under a request for something else": {func(w *world) {
			hash := w.As("mallory").Requests(custody.VerbAccept)
			w.handsIn(hash, w.As("ben").prepares(w.request(hash)))
			e := intent(w, hash)
			e.What, e.On = string(custody.VerbOpen), "seal ea-north"
			w.smuggles(e)
		}, "was carried out, and", false},
		"an old register once more, long after": {func(w *world) {
			old := w.entries(evidence.KindRegister, "")[0]
			old.Time = time.Time{}
			w.smuggles(old)
		}, "a deciding part that nobody approved", false},
		"an old register with its act, dated back": {func(w *world) {
			subject := w.entries(evidence.KindRegister, "")[1].Subject
			w.smuggles(append(w.entries(evidence.KindIntent, subject), w.entries(evidence.KindRegister, subject)...)...)
		}, "the request was used already", false},
		"an expired request, dated back": {func(w *world) {
			r := w.As("mallory").makes()
			hash := w.As("mallory").handsInRequest(r, "")
			w.handsIn(hash, w.As("ben").prepares(r))
			w.later(400 * 24 * time.Hour)
			w.smuggles(evidence.Entry{Kind: evidence.KindNote, What: "time goes by"})
			e := intent(w, hash)
			e.Time = r.Made.Add(time.Minute)
			w.smuggles(e)
		}, "the request has expired", true},
		"a register of which the approvers read something else": {func(w *world) {
			r := *w.Register
			r.Quorum.People = 1
			text, digest := r.Deciding()
			made := w.As("mallory").makes(func(q *custody.Request) {
				q.What, q.On = custody.VerbRegister, "halligan.yaml, deciding part"
				q.Details = jsonOf(w.t, map[string]any{"from": w.standing().Approved, "to": digest, "changes": []string{"+ channels: name Pager"}})
			})
			hash := w.As("mallory").handsInRequest(made, string(text))
			w.handsIn(hash, w.As("ben").prepares(made))
			e := intent(w, hash)
			e.What, e.On = string(made.What), made.On
			w.smuggles(e, evidence.Entry{Kind: evidence.KindRegister, Tenant: tidewater, What: "register", Before: w.standing().Approved, After: digest, Subject: hash,
				Data: jsonOf(w.t, map[string]string{"deciding": string(text)})})
		}, "does not tell the change", false},
		"an accepted risk": {func(w *world) {
			w.smuggles(evidence.Entry{Kind: evidence.KindAcceptedRisk, Tenant: tidewater, What: "accept a risk", On: "check x", Subject: register.DigestOf([]byte("x")), After: register.DigestOf([]byte("y"))})
		}, "an accepted risk that nobody approved", false},
		"an outcome of nothing": {func(w *world) {
			n := uint64(0)
			w.smuggles(evidence.Entry{Kind: evidence.KindOutcome, Tenant: tidewater, What: "open", Refers: &n})
		}, "never begun", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := busy(t)
			w.later(time.Hour)
			tt.writes(w)
			if _, err := w.As("ana").asks(custody.VerbAccept); err == nil {
				if !tt.auditOnly {
					t.Error("the program goes on deciding in this log")
				}
			} else if smuggled, is := errors.AsType[*app.SmuggledError](err); !is || !smuggled.Security() {
				t.Errorf("got %v, want the entry that nobody approved", err)
			}
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

// A clock that is turned back makes no request fresh again.
func TestAClockThatIsTurnedBackRevivesNothing(t *testing.T) {
	w := begun(t)
	ask := w.As("mallory").Requests(custody.VerbAccept)
	w.later(400 * 24 * time.Hour)
	_, err := w.Record(t.Context(), app.Record{Kind: evidence.KindNote, What: "a year later"})
	must(t, err)
	w.later(-400 * 24 * time.Hour)
	if _, err := w.As("ben").approves(ask); !errors.Is(err, custody.ReasonExpired) {
		t.Errorf("got %v, want that it has expired", err)
	}
	// What is asked for now is dated by what the log has seen, and works.
	w.As("ben").Approves(w.As("ana").Requests(custody.VerbAccept))
	if r := w.audited(); !r.Good() {
		t.Errorf("%+v", r.Findings)
	}
}

// A side log cannot say that a restore was approved, nor close what was begun.
func TestASideLogRulesNothing(t *testing.T) {
	w := busy(t)
	first := w.entries(evidence.KindIntent, "")[0]
	side, err := app.WriteSide(w.place.Side, nil, w.now, []evidence.Entry{
		{Kind: evidence.KindOutcome, Tenant: tidewater, What: string(custody.VerbRestore), Subject: first.Subject},
		{Kind: evidence.KindOutcome, Tenant: tidewater, What: first.What, Subject: first.Subject, Refers: &first.Index}})
	must(t, err)
	if _, err := w.MergeSide(t.Context(), side); err != nil {
		t.Fatal(err)
	}
	for _, e := range w.entries(evidence.KindOutcome, "") {
		if slices.Contains(e.Marks, app.MarkSide) && (e.Refers != nil || !slices.Contains(e.Marks, custody.MarkUnsigned)) {
			t.Errorf("entry %d came in as %+v", e.Index, e)
		}
	}
	if r := w.audited(); !r.Good() {
		t.Errorf("the log is spoilt: %+v", r.Findings)
	}
	elsewhereLog, err := app.WriteSide(w.place.Side, nil, w.now, []evidence.Entry{{Kind: evidence.KindNote, Tenant: elsewhere, What: "of another tenant"}})
	must(t, err)
	if _, err := w.MergeSide(t.Context(), elsewhereLog); err == nil {
		t.Error("a side log of another tenant was merged")
	}
}

// A register under which nobody could decide any more is not even asked about.
func TestARegisterThatNobodyCouldChangeIsRefused(t *testing.T) {
	w := begun(t)
	w.edits(func(r *register.Register) {
		r.Quorum = register.Quorum{People: 3, Approvals: 2}
		r.People = slices.DeleteFunc(r.People, func(p register.Person) bool { return p.Name != "ana" && p.Name != "ben" })
	})
	_, err := w.As("ana").asks(custody.VerbRegister)
	if err == nil || !strings.Contains(err.Error(), "nobody could decide anything any more") {
		t.Errorf("got %v", err)
	}
	hinted(t, err)
	w.edits(func(r *register.Register) { r.Quorum = register.Quorum{People: 2} })
	w.As("ben").Approves(w.As("ana").Requests(custody.VerbRegister))
}

// An accepted risk counts as approved as it was approved, and not otherwise.
func TestAcceptedRisksThatNobodyApprovedAreTold(t *testing.T) {
	w := begun(t)
	told := func(want int) {
		t.Helper()
		if got, err := w.UnapprovedRisks(t.Context()); err != nil || len(got) != want {
			t.Errorf("got %v, %v, want %d", got, err, want)
		}
	}
	told(1)
	w.As("ben").Approves(w.As("ana").Requests(custody.VerbAccept))
	told(0)
	w.edits(func(r *register.Register) {
		r.Accepted = slices.Clone(r.Accepted)
		r.Accepted[0].Until = "2027-12-21"
	})
	told(1)
}
