package app_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"halligan/custody"
	"halligan/entra"
	"halligan/evidence"
	"halligan/internal/app"
	"halligan/internal/store"
	"halligan/register"
)

// A world is a tenant with its people, a store on a disk and a clock that stands
// still. Each test tells a story:
//
//	ask := w.As("ana").Requests(custody.VerbRegister)
//	w.As("ben").Approves(ask)
type world struct {
	*app.App
	t      testing.TB
	place  app.Place
	db     *store.DB
	now    time.Time
	people map[string]*actor
}

const (
	tidewater = entra.ID("8c1f2a30-4b5d-4e6f-8a7b-9c0d1e2f3a4b")
	elsewhere = entra.ID("3e9d5c71-6a4b-4f2e-8d1c-0b9a8f7e6d5c")
	riskyPart = "authentication-methods" // the check whose risk is accepted
)

// actor is somebody with a key, in the register or not.
type actor struct {
	w      *world
	name   string
	signer ssh.Signer
}

// setUp changes a world before it begins.
type setUp func(*world)

// lacking switches a defence off.
func lacking(d ...custody.Defence) setUp {
	return func(w *world) {
		for _, d := range d {
			w.Without[d] = true
		}
	}
}

// sharing lets two worlds have the same people.
func sharing(other *world) setUp {
	return func(w *world) {
		for name, a := range other.people {
			w.people[name] = &actor{w, name, a.signer}
		}
	}
}

// quorum says how many others must approve.
func quorum(n int) setUp { return func(w *world) { w.Register.Quorum.Approvals = n } }

// newWorld: ana operates and approves; ben and carol approve; mallory operates and
// approves, and is the insider; victor looks on. One approval is enough, so that a
// story turns on one thing. The log has begun, and nothing is approved yet.
func newWorld(t testing.TB, set ...setUp) *world {
	t.Helper()
	folder := t.TempDir()
	w := &world{t: t, now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), people: map[string]*actor{},
		place: app.Place{Store: filepath.Join(folder, "evidence.db"), Side: filepath.Join(folder, "side"), Socket: filepath.Join(folder, "s.sock"), Keys: app.KeyFile{Path: filepath.Join(folder, "log.key")}}}
	w.place.Now = func() time.Time { return w.now }
	w.App = &app.App{RegisterName: "halligan.yaml", Now: func() time.Time { return w.now }, Chance: rand.Reader, Account: "os:tool@host", Keys: w.place.Keys, Without: map[custody.Defence]bool{},
		Register: &register.Register{Version: register.Version, Tenant: register.Tenant{ID: tidewater}, Quorum: register.Quorum{People: 5, Approvals: 1},
			Accepted: []register.Accepted{{Check: riskyPart, Reason: "a new key is under way", Owner: "ana", Approver: "ben", On: "2026-11-21", Until: "2026-12-21"}}}}
	for _, s := range set {
		s(w)
	}
	if w.Register.People == nil {
		for _, p := range []struct {
			name  string
			roles []register.Role
		}{
			{"ana", []register.Role{register.RoleOperator, register.RoleApprover}}, {"ben", []register.Role{register.RoleApprover}}, {"carol", []register.Role{register.RoleApprover}},
			{"mallory", []register.Role{register.RoleOperator, register.RoleApprover}}, {"victor", []register.Role{register.RoleViewer}},
		} {
			w.Register.People = append(w.Register.People, register.Person{Name: p.name, Roles: p.roles, Signing: w.As(p.name).line()})
		}
	}
	if _, begun, err := app.BeginLedger(t.Context(), w.place, tidewater, w.Account); err != nil || !begun {
		t.Fatal(begun, err)
	}
	w.opens()
	t.Cleanup(func() { w.db.Close() })
	return w
}

// begun is a world whose register two people have approved.
func begun(t testing.TB, set ...setUp) *world {
	t.Helper()
	w := newWorld(t, set...)
	ask := w.As("ana").Requests(custody.VerbBegin)
	for _, name := range []string{"ben", "carol"}[:w.Register.Quorum.Needed()] {
		w.As(name).Approves(ask)
	}
	if s := w.standing(); !s.Stands() {
		t.Fatalf("the register does not stand: %+v", s)
	}
	return w
}

// opens opens the store as its owner, as a new command does.
func (w *world) opens() {
	w.t.Helper()
	key, err := w.place.Keys.Load()
	if err != nil {
		w.t.Fatal(err)
	}
	w.db, err = store.Open(w.t.Context(), store.Options{URL: w.place.Store, Now: func() time.Time { return w.now }})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Ledger = app.Owned{DB: w.db, Key: key}
}

func (w *world) closes() {
	w.t.Helper()
	if err := w.db.Close(); err != nil {
		w.t.Fatal(err)
	}
}

// later lets time pass.
func (w *world) later(d time.Duration) { w.now = w.now.Add(d) }

func (w *world) standing() *app.Standing {
	w.t.Helper()
	s, err := w.Standing(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// edits changes halligan.yaml: a copy, as every command reads it anew.
func (w *world) edits(change func(*register.Register)) {
	r := *w.Register
	r.People = slices.Clone(r.People)
	change(&r)
	w.Register = &r
}

// As returns somebody with a key of their own; in the register or not.
func (w *world) As(name string) *actor {
	if a := w.people[name]; a != nil {
		return a
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		w.t.Fatal(err)
	}
	a := &actor{w, name, signer}
	w.people[name] = a
	return a
}

func (a *actor) line() string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(a.signer.PublicKey())))
}

func (a *actor) armoured(text []byte) string {
	a.w.t.Helper()
	s, err := sshsig.Sign(bytes.NewReader(text), a.signer, sshsig.HashSHA512, custody.Namespace)
	if err != nil {
		a.w.t.Fatal(err)
	}
	return string(sshsig.Armor(s))
}

// sign is what the program has a person sign with.
func (a *actor) sign(_ context.Context, text []byte, _ string) (app.Signature, error) {
	return app.Signature{Method: custody.MethodSSH, Text: a.armoured(text)}, nil
}

// Requests asks for something, and signs it.
func (a *actor) Requests(verb custody.Verb) string {
	a.w.t.Helper()
	asked, err := a.asks(verb)
	if err != nil {
		a.w.t.Fatal(err)
	}
	return asked.Request.Hash()
}

func (a *actor) asks(verb custody.Verb) (*app.Asked, error) {
	return a.w.Ask(a.w.t.Context(), app.Question{Verb: verb, On: riskyPart, Why: "incident 4711", By: a.name, Sign: a.sign})
}

// Approves approves a request, which is carried out when that is enough.
func (a *actor) Approves(hash string) *app.Approved {
	a.w.t.Helper()
	out, err := a.approves(hash)
	if err != nil {
		a.w.t.Fatal(err)
	}
	return out
}

func (a *actor) approves(hash string) (*app.Approved, error) {
	return a.w.Approve(a.w.t.Context(), hash, a.name, time.Time{}, a.sign)
}

// Does carries a request out.
func (w *world) Does(hash string) error {
	_, err := w.CarryOut(w.t.Context(), hash)
	return err
}

// request reads a request from the log.
func (w *world) request(hash string) *custody.Request {
	w.t.Helper()
	r, err := w.Request(w.t.Context(), hash)
	if err != nil {
		w.t.Fatal(err)
	}
	return r.Request
}

// entries are those of a kind about a subject.
func (w *world) entries(kind evidence.Kind, subject string) []evidence.Entry {
	w.t.Helper()
	return entriesOf(w.t, w.Ledger, kind, subject)
}

func entriesOf(t testing.TB, l interface {
	View(context.Context, func(store.View) error) error
}, kind evidence.Kind, subject string) []evidence.Entry {
	t.Helper()
	var out []evidence.Entry
	if err := l.View(context.WithoutCancel(t.Context()), func(v store.View) error {
		for e, err := range v.Find(kind, subject) {
			if err != nil {
				return err
			}
			out = append(out, e)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// smuggles puts entries into the log past the corridor: whoever runs as the
// account of the tool can.
func (w *world) smuggles(entries ...evidence.Entry) {
	w.t.Helper()
	if _, err := w.Ledger.Append(w.t.Context(), func(store.View) ([]evidence.Entry, error) { return slices.Clone(entries), nil }); err != nil {
		w.t.Fatal(err)
	}
}

// prepares signs an approval and hands nothing in.
func (a *actor) prepares(r *custody.Request, change ...func(*custody.Approval)) *custody.Approval {
	return a.signs(custody.NewApproval(r, custody.ActApprove, a.name, r.Register, a.w.now), r, change...)
}

func (a *actor) signs(s *custody.Approval, r *custody.Request, change ...func(*custody.Approval)) *custody.Approval {
	a.w.t.Helper()
	for _, c := range change {
		c(s)
	}
	s.Method, s.Signature = custody.MethodSSH, a.armoured(s.Text(r))
	return s
}

// handsIn puts an approval into the log past the program, under a request.
func (w *world) handsIn(hash string, s *custody.Approval) {
	w.t.Helper()
	w.smuggles(evidence.Entry{Kind: evidence.KindApproval, Tenant: tidewater, Who: []string{s.Person}, What: "approve", Subject: hash, Data: jsonOf(w.t, map[string]any{"approval": string(s.Canonical()), "key": "by hand"})})
}

// makes is a request made without the program, to accept the risk, and handsInRequest
// puts it into the log.
func (a *actor) makes(change ...func(*custody.Request)) *custody.Request {
	a.w.t.Helper()
	r := custody.Request{Tenant: tidewater, Store: a.w.Ledger.Identity().ID, What: custody.VerbAccept, On: "check " + riskyPart, Why: "incident 4711", By: a.name, Register: a.w.standing().Approved,
		Details: []byte(`{}`), Made: a.w.now, Expires: a.w.now.Add(time.Hour)}
	for _, c := range change {
		c(&r)
	}
	made, err := custody.NewRequest(rand.Reader, r)
	if err != nil {
		a.w.t.Fatal(err)
	}
	return made
}

func (a *actor) handsInRequest(r *custody.Request, proposal string) string {
	a.w.t.Helper()
	data := map[string]any{"request": string(r.Canonical()), "proposal": proposal}
	if register.SamePerson(r.By, a.name) {
		data["asked"] = string(a.signs(custody.NewApproval(r, custody.ActRequest, a.name, r.Register, r.Made), r).Canonical())
	}
	a.w.smuggles(evidence.Entry{Kind: evidence.KindRequest, Tenant: tidewater, Who: []string{r.By}, What: string(r.What), Subject: r.Hash(), Data: jsonOf(a.w.t, data)})
	return r.Hash()
}

func jsonOf(t testing.TB, v any) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func hinted(t *testing.T, err error) {
	t.Helper()
	h, is := errors.AsType[interface {
		error
		Hint() string
	}](err)
	if !is || h.Hint() == "" {
		t.Errorf("no hint: %v", err)
	}
}

func TestTheFirstRegisterIsApprovedByTwo(t *testing.T) {
	w := newWorld(t)
	if s := w.standing(); s.Stands() || s.Approved != "" {
		t.Fatalf("a register stands that nobody approved: %+v", s)
	}
	if _, err := w.As("ana").asks(custody.VerbAccept); !errors.Is(err, custody.ReasonNotBegun) {
		t.Fatalf("before anything was approved a risk may be accepted: %v", err)
	}
	asked, err := w.As("ana").asks(custody.VerbBegin)
	if err != nil || asked.Needed != 1 {
		t.Fatalf("%+v, %v", asked, err)
	}
	if err := w.Does(asked.Request.Hash()); !errors.Is(err, custody.ReasonTooFew) {
		t.Fatalf("nobody else approved: %v", err)
	}
	got := w.As("ben").Approves(asked.Request.Hash())
	if got.Missing != 0 || got.Done == nil {
		t.Fatalf("%+v", got)
	}
	if s := w.standing(); !s.Stands() {
		t.Fatalf("%+v", s)
	}
	intent, outcome := w.entries(evidence.KindIntent, asked.Request.Hash()), w.entries(evidence.KindOutcome, asked.Request.Hash())
	if len(intent) != 1 || len(outcome) != 1 || outcome[0].Refers == nil || *outcome[0].Refers != intent[0].Index || intent[0].Index != got.Done.Intent || outcome[0].Index != got.Done.Outcome {
		t.Fatalf("intent %+v, outcome %+v, done %+v", intent, outcome, got.Done)
	}
	if !slices.Equal(intent[0].Who, []string{"ana", "ben"}) || len(intent[0].Marks) > 0 {
		t.Errorf("who stands for it: %q, marks %q", intent[0].Who, intent[0].Marks)
	}
	w.edits(silence)
	if _, err := w.As("ana").asks(custody.VerbBegin); !errors.Is(err, custody.ReasonBegun) {
		t.Errorf("a log begins twice: %v", err)
	}
}

func TestOnePersonDecidesAloneAndItIsMarked(t *testing.T) {
	w := newWorld(t, func(w *world) {
		w.Register.Quorum = register.Quorum{People: 1}
		w.Register.People = []register.Person{{Name: "ana", Roles: []register.Role{register.RoleOperator, register.RoleApprover}, Signing: w.As("ana").line()}}
	})
	begin := w.As("ana").Requests(custody.VerbBegin)
	if got := w.As("ana").Approves(begin); got.Done == nil || !slices.Contains(got.Done.Marks, custody.MarkOnePerson) {
		t.Fatalf("%+v", got.Done)
	}
	accept := w.As("ana").Requests(custody.VerbAccept)
	w.As("ana").Approves(accept)
	for _, hash := range []string{begin, accept} {
		for _, kind := range []evidence.Kind{evidence.KindRequest, evidence.KindApproval, evidence.KindIntent, evidence.KindOutcome} {
			for _, e := range w.entries(kind, hash) {
				if !slices.Contains(e.Marks, custody.MarkOnePerson) {
					t.Errorf("entry %d (%s) is not marked", e.Index, e.Kind)
				}
			}
		}
	}
}

// With halligan.yaml edited, reading goes on and only what mends it is heard.
func TestAnEditedRegisterStopsEverythingButItsApproval(t *testing.T) {
	w := begun(t)
	before := w.As("ana").Requests(custody.VerbAccept)
	w.edits(func(r *register.Register) {
		r.Silences = []register.Silence{{ID: tidewater, From: "2026-11-21", Until: "2026-11-22", Why: "maintenance"}}
	})
	if _, err := w.As("ana").asks(custody.VerbAccept); !errors.Is(err, custody.ReasonRegister) {
		t.Errorf("asked: %v", err)
	} else {
		hinted(t, err)
	}
	if _, err := w.As("ben").approves(before); !errors.Is(err, custody.ReasonRegister) {
		t.Errorf("approved: %v", err)
	}
	w.handsIn(before, w.As("ben").prepares(w.request(before)))
	if err := w.Does(before); !errors.Is(err, custody.ReasonRegister) {
		t.Errorf("carried out: %v", err)
	}
	list, err := w.App.Requests(t.Context())
	if err != nil || len(list) != 2 || list[0].State != app.RequestRefused {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := w.Checkpoint(t.Context()); err != nil {
		t.Error(err)
	}
	written, err := w.Record(t.Context(), app.Record{Kind: evidence.KindCheck, What: "check"})
	if err != nil || !slices.Contains(written[0].Marks, app.MarkUnapproved) {
		t.Errorf("%+v, %v", written, err)
	}
	// The log key may have to change just then.
	key := w.As("ana").Requests(custody.VerbLogKey)
	if got := w.As("ben").Approves(key); got.Done == nil {
		t.Errorf("%+v", got)
	}
	change := w.As("ana").Requests(custody.VerbRegister)
	w.As("ben").Approves(change)
	if s := w.standing(); !s.Stands() {
		t.Fatalf("%+v", s)
	}
	if err := w.Does(before); err != nil {
		t.Errorf("after the change: %v", err)
	}
}

func TestTwoChangesOfTheRegisterDoNotMix(t *testing.T) {
	w := begun(t)
	silence := func(why string) func(r *register.Register) {
		return func(r *register.Register) {
			r.Silences = []register.Silence{{ID: tidewater, From: "2026-11-21", Until: "2026-11-22", Why: why}}
		}
	}
	w.edits(silence("first"))
	first := w.As("ana").Requests(custody.VerbRegister)
	w.edits(silence("second"))
	second := w.As("mallory").Requests(custody.VerbRegister)
	w.As("carol").Approves(second)
	if _, err := w.As("ben").approves(first); err == nil || !strings.Contains(err.Error(), "another change") {
		t.Fatalf("the second change was made from a register that holds no more: %v", err)
	}
	if s := w.standing(); !s.Stands() {
		t.Errorf("%+v", s)
	}
}

// A false approval is refused, and worth knowing about.
func TestAFalseApprovalLeavesATrace(t *testing.T) {
	w := begun(t)
	ask := w.As("ana").Requests(custody.VerbAccept)
	if _, err := w.Approve(t.Context(), ask, "ben", time.Time{}, w.As("mallory").sign); !errors.Is(err, custody.ReasonKey) {
		t.Fatal(err)
	}
	e := w.entries(evidence.KindRefusal, ask)
	if len(e) != 1 || !slices.Equal(e[0].Who, []string{w.Account}) || !strings.Contains(e[0].Why, "ben") || !strings.Contains(e[0].Why, string(custody.ReasonKey)) {
		t.Errorf("%+v", e)
	}
	if len(w.entries(evidence.KindApproval, ask)) != 0 {
		t.Error("it is in the log")
	}
	w.As("ben").Approves(ask)
}

func TestAnUnsignedRequestTakesTwoOthers(t *testing.T) {
	w := begun(t)
	asked, err := w.Ask(t.Context(), app.Question{Verb: custody.VerbAccept, On: riskyPart, Why: "incident 4711", By: "ana"})
	if err != nil || asked.Needed != 2 {
		t.Fatalf("%+v, %v", asked, err)
	}
	hash := asked.Request.Hash()
	if got := w.As("mallory").Approves(hash); got.Missing != 1 || got.Done != nil {
		t.Fatalf("%+v", got)
	}
	if got := w.As("ben").Approves(hash); got.Done == nil || !slices.Contains(got.Done.Marks, custody.MarkUnsigned) {
		t.Fatalf("%+v", got)
	}
	for _, kind := range []evidence.Kind{evidence.KindRequest, evidence.KindIntent, evidence.KindOutcome} {
		for _, e := range w.entries(kind, hash) {
			if !slices.Contains(e.Marks, custody.MarkUnsigned) {
				t.Errorf("entry %d (%s) is not marked", e.Index, e.Kind)
			}
		}
	}
}

func TestRequestsAreNamedByTheBeginningOfTheirHash(t *testing.T) {
	w := begun(t)
	ask := w.As("ana").Requests(custody.VerbAccept)
	bare := ask[len("sha256:"):]
	for _, given := range []string{ask, bare, bare[:6]} {
		if r, err := w.Request(t.Context(), given); err != nil || r.Hash != ask || r.State != app.RequestOpen || r.Needed != 1 {
			t.Errorf("%s: %+v, %v", given, r, err)
		}
	}
	for _, given := range []string{"", bare[:5], "zzzzzz", bare + "00", strings.ToUpper(bare), "sha256:" + bare[:8]} {
		_, err := w.As("ben").approves(given)
		if _, is := errors.AsType[*app.NoRequestError](err); !is {
			t.Errorf("%q: %v", given, err)
		} else {
			hinted(t, err)
		}
	}
	_, err := w.As("anna").asks(custody.VerbAccept)
	if nobody, is := errors.AsType[*app.NoPersonError](err); !is || nobody.Near != "ana" {
		t.Errorf("%v", err)
	}
	if _, err := w.As("ana").asks("rule"); !errors.Is(err, custody.ReasonVerb) {
		t.Errorf("%v", err)
	}
}

// Where a request stands is told from the log.
func TestWhereARequestStands(t *testing.T) {
	w := begun(t)
	state := func(hash string, want app.RequestState) {
		t.Helper()
		if r, err := w.Request(t.Context(), hash); err != nil || r.State != want {
			t.Errorf("%+v, %v, want %s", r, err, want)
		}
	}
	open, ready, used := w.As("ana").Requests(custody.VerbAccept), w.As("ana").Requests(custody.VerbAccept), w.As("ana").Requests(custody.VerbAccept)
	w.handsIn(ready, w.As("ben").prepares(w.request(ready)))
	w.As("ben").Approves(used)
	state(open, app.RequestOpen)
	state(ready, app.RequestReady)
	state(used, app.RequestUsed)
	w.later(24 * time.Hour)
	state(open, app.RequestExpired)
	state(ready, app.RequestExpired)
	state(used, app.RequestUsed)
}

// An act that is decided in the last moment of its request is written a little
// later, and the log is believed all the same.
func TestAnActInTheLastMomentIsBelieved(t *testing.T) {
	w := begun(t)
	ask := w.As("ana").Requests(custody.VerbAccept)
	w.handsIn(ask, w.As("ben").prepares(w.request(ask)))
	end := w.request(ask).Expires
	w.now = end.Add(2 * time.Millisecond) // by which the store tells the time
	w.Now = func() time.Time { return end.Add(-time.Millisecond) }
	if err := w.Does(ask); err != nil {
		t.Fatal(err)
	}
	w.Now = func() time.Time { return w.now }
	w.As("ben").Approves(w.As("ana").Requests(custody.VerbAccept))
}
