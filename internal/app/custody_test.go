package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"halligan/custody"
	"halligan/entra"
	"halligan/evidence"
	"halligan/internal/app"
	"halligan/posture"
	"halligan/register"
)

// A keeper is a world whose halligan.yaml is a file, in which what is held where was
// approved: ana has a key in the main safe, victor its PIN in the bank.
type keeper struct {
	*world
	path string
	// spoils runs before an edit; loses makes an edit fail after it was written.
	spoils func()
	loses  error
}

const northAccount = entra.ID("2786d9fb-aa4e-4778-8abb-11a546852728")

// Read implements app.RegisterFile.
func (k *keeper) Read() ([]byte, error) { return os.ReadFile(k.path) }

// Edit implements app.RegisterFile.
func (k *keeper) Edit(_ context.Context, edit func([]byte) ([]byte, error)) error {
	if k.spoils != nil {
		k.spoils()
	}
	text, err := k.Read()
	if err != nil {
		return err
	}
	if text, err = edit(text); err != nil {
		return err
	}
	return errors.Join(os.WriteFile(k.path, text, 0o600), k.loses)
}

// keeping begins a keeper whose parts nobody has approved yet; kept has them approved.
func keeping(t testing.TB, set ...setUp) *keeper {
	t.Helper()
	w := begun(t, append([]setUp{func(w *world) {
		w.Register.Accepted = nil
		w.Register.Accounts = []register.Account{{ID: northAccount, Name: "ea-north@tidewater.example", Keys: []register.Key{{Label: "North 1"}}}}
		w.Register.Places = []register.Place{{Name: "Main safe", Site: "Lisbon", Access: []string{"ana"}}, {Name: "Bank", Site: "Porto", Access: []string{"victor"}}}
		w.Register.Parts = []register.Part{
			{Name: "north key", Kind: register.PartKey, Account: northAccount, Key: "North 1", Holder: "ana", Place: "Main safe", Seal: "4401", Since: "2026-11-01"},
			{Name: "north pin", Kind: register.PartPIN, Account: northAccount, Key: "North 1", Holder: "victor", Place: "Bank", Seal: "4402", Since: "2026-11-01"},
			{Name: "binder", Kind: register.PartBinder, Holder: "ana", Place: "Bank"}}
	}}, set...)...)
	k := &keeper{world: w, path: filepath.Join(t.TempDir(), "halligan.yaml")}
	text, err := w.Register.Write()
	must(t, err)
	must(t, os.WriteFile(k.path, text, 0o600))
	w.File = k
	k.rereads()
	return k
}

func kept(t testing.TB, set ...setUp) *keeper {
	t.Helper()
	k := keeping(t, set...)
	k.As("ben").Approves(k.As("ana").changes(custody.VerbCustody, app.CustodyChange{}))
	k.later(time.Minute)
	return k
}

// rereads reads the file anew, as every command does.
func (k *keeper) rereads() {
	k.t.Helper()
	text, err := k.Read()
	must(k.t, err)
	r, err := app.ReadRegister("halligan.yaml", text)
	must(k.t, err)
	k.Register = r
}

// byHand edits the file with an editor.
func (k *keeper) byHand(old, new string) {
	k.t.Helper()
	text, err := k.Read()
	must(k.t, err)
	if !strings.Contains(string(text), old) {
		k.t.Fatalf("the file has no %q:\n%s", old, text)
	}
	must(k.t, os.WriteFile(k.path, []byte(strings.Replace(string(text), old, new, 1)), 0o600))
	k.rereads()
}

// partNamed is a part as the file has it.
func (k *keeper) partNamed(name string) register.Part {
	k.t.Helper()
	k.rereads()
	i, err := k.Register.FindPart(name)
	must(k.t, err)
	return k.Register.Parts[i]
}

func (a *actor) asksFor(verb custody.Verb, change app.CustodyChange) (*app.Asked, error) {
	q := app.Question{Verb: verb, Why: "incident 4711", By: a.name, Sign: a.sign}
	if change != (app.CustodyChange{}) {
		var err error
		if q, err = change.Question(q); err != nil {
			a.w.t.Fatal(err)
		}
	}
	return a.w.Ask(a.w.t.Context(), q)
}

// changes asks for a change of custody.
func (a *actor) changes(verb custody.Verb, change app.CustodyChange) string {
	a.w.t.Helper()
	asked, err := a.asksFor(verb, change)
	if err != nil {
		a.w.t.Fatal(err)
	}
	return asked.Request.Hash()
}

func (k *keeper) stands() *app.CustodyStanding {
	k.t.Helper()
	s, err := k.CustodyStanding(k.t.Context())
	must(k.t, err)
	return s
}

var (
	toBank = app.CustodyChange{Part: "north key", To: "Bank", Seal: "4403", Since: "2026-11-21"}
	toBen  = app.CustodyChange{Part: "north key", Holder: "ben", Since: "2026-11-21"}
	toVic  = app.CustodyChange{Part: "north key", Holder: "victor", Since: "2026-11-21"}
)

func TestAPartIsMovedAndTheLogKnows(t *testing.T) {
	k := kept(t)
	before := k.stands()
	if !before.Stands() || before.Recorded == "" {
		t.Fatalf("%+v", before)
	}
	ask := k.As("ana").changes(custody.VerbMove, toBank)
	if k.partNamed("north key").Place != "Main safe" {
		t.Error("moved before it was approved")
	}
	out := k.As("ben").Approves(ask)
	if p := k.partNamed("north key"); p.Place != "Bank" || p.Seal != "4403" || p.Since != "2026-11-21" || p.Holder != "ana" {
		t.Errorf("the file has %+v", p)
	}
	entries := k.entries(evidence.KindCustody, ask)
	after := k.stands()
	if len(entries) != 1 || entries[0].Before != before.Recorded || entries[0].After != after.Recorded || !after.Stands() || after.Since != entries[0].Index || !slices.Equal(entries[0].Who, []string{"ana", "ben"}) {
		t.Errorf("%+v\n%+v", entries, after)
	}
	outcome := k.entries(evidence.KindOutcome, ask)
	if len(outcome) != 1 || outcome[0].Index != out.Done.Outcome || outcome[0].Before != before.Current || outcome[0].After != after.Current {
		t.Errorf("%+v", outcome)
	}
	if r := k.audited(); !r.Good() || len(r.Open) != 0 {
		t.Errorf("%+v", r)
	}
}

func TestAHandOverTakesTheReceipt(t *testing.T) {
	k := kept(t)
	ask := k.As("ana").changes(custody.VerbHandOver, toVic) // victor may only look
	out := k.As("ben").Approves(ask)
	if out.Done != nil || out.Missing != 1 || !strings.Contains(strings.Join(out.Warnings, ""), "victor") {
		t.Errorf("without the receipt: %+v", out)
	}
	if r, err := k.Request(t.Context(), ask); err != nil || r.State != app.RequestOpen || !slices.Equal(r.Unsigned, []string{"victor"}) {
		t.Errorf("%+v, %v", r, err)
	}
	if err := k.Does(ask); !errors.Is(err, custody.ReasonReceipt) {
		t.Errorf("carried out: %v", err)
	}
	hinted(t, k.Does(ask))
	if out = k.As("victor").Approves(ask); out.Done == nil || slices.Contains(out.Done.Marks, custody.MarkNoReceipt) {
		t.Errorf("with the receipt: %+v", out)
	}
	if k.partNamed("north key").Holder != "victor" {
		t.Error("the file has another holder")
	}
	if r := k.audited(); !r.Good() {
		t.Errorf("%+v", r)
	}
}

func TestWithoutAKeyAHandOverIsMarked(t *testing.T) {
	k := kept(t, func(w *world) {
		for _, name := range []string{"ana", "ben", "carol", "mallory", "victor"} {
			w.Register.People = append(w.Register.People, register.Person{Name: name, Roles: []register.Role{register.RoleOperator, register.RoleApprover}, Signing: w.As(name).line()})
		}
		w.Register.People = append(w.Register.People, register.Person{Name: "dora"})
	})
	ask := k.As("ana").changes(custody.VerbHandOver, app.CustodyChange{Part: "binder", Holder: "dora"})
	if out := k.As("ben").Approves(ask); out.Done == nil || !slices.Contains(out.Done.Marks, custody.MarkNoReceipt) {
		t.Errorf("%+v", out)
	}
	if e := k.entries(evidence.KindCustody, ask); len(e) != 1 || !slices.Contains(e[0].Marks, custody.MarkNoReceipt) {
		t.Errorf("%+v", e)
	}
}

func TestPartsAndPlacesAreWrittenDown(t *testing.T) {
	k := kept(t)
	place := app.CustodyChange{Place: &register.Place{Name: "Notary", Kind: "vault", OffSite: true, Access: []string{"carol"}}}
	k.As("ben").Approves(k.As("ana").changes(custody.VerbCustody, place))
	k.rereads()
	add := app.CustodyChange{Add: &register.Part{Kind: register.PartCombination, Opens: "Notary", Holder: "ana"}}
	ask := k.As("ana").changes(custody.VerbCustody, add)
	if r := k.request(ask); r.On != "part combination-notary" || !slices.Equal(r.Handing().Holders, []string{"ana"}) {
		t.Errorf("%+v", r)
	}
	k.As("ben").Approves(ask)
	k.rereads()
	k.As("ben").Approves(k.As("ana").changes(custody.VerbCustody, app.CustodyChange{Combination: "Notary", Since: "2026-11-21"}))
	k.rereads()
	if p := k.Register.Place("Notary"); p == nil || p.CombinationChanged != "2026-11-21" || !k.stands().Stands() {
		t.Errorf("%+v", p)
	}
	for name, tt := range map[string]struct {
		verb   custody.Verb
		change app.CustodyChange
		says   string
	}{
		"a holder that is nobody":   {custody.VerbCustody, app.CustodyChange{Add: &register.Part{Name: "x", Kind: register.PartBinder, Holder: "bem"}}, "no person has the name"},
		"a place that is none":      {custody.VerbMove, app.CustodyChange{Part: "binder", To: "Notari"}, "no place"},
		"a part that is none":       {custody.VerbMove, app.CustodyChange{Part: "bindr", To: "Notary"}, "the register has none"},
		"to where it is":            {custody.VerbMove, app.CustodyChange{Part: "binder", To: "Bank"}, "nothing would change"},
		"to who has it":             {custody.VerbHandOver, app.CustodyChange{Part: "binder", Holder: "ana", To: "Main safe"}, "stay with who has it"},
		"a move to another holder":  {custody.VerbMove, toBen, "changes nothing else"},
		"a hand-over to a stranger": {custody.VerbHandOver, app.CustodyChange{Part: "binder", Holder: "trent"}, "nobody in the register"},
		"a combination of no place": {custody.VerbCustody, app.CustodyChange{Combination: "Notari", Since: "2026-11-21"}, "no place"},
		"what stands there already": {custody.VerbCustody, app.CustodyChange{}, "what was last approved"},
	} {
		_, err := k.As("ana").asksFor(tt.verb, tt.change)
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		hinted(t, err)
	}
}

// A first change where nothing was approved: what stands in the file comes first.
func TestWhatStandsInTheFileIsApprovedFirst(t *testing.T) {
	k := keeping(t)
	if s := k.stands(); s.Stands() || s.Recorded != "" || len(s.Changes) != 5 {
		t.Errorf("%+v", s)
	}
	_, err := k.As("ana").asksFor(custody.VerbMove, toBank)
	if _, is := errors.AsType[*app.UnrecordedError](err); !is {
		t.Fatal(err)
	}
	hinted(t, err)
	ask := k.As("ana").changes(custody.VerbCustody, app.CustodyChange{})
	if out := k.As("ben").Approves(ask); out.Done == nil || !slices.Contains(out.Done.Marks, custody.MarkNoReceipt) {
		t.Errorf("%+v", out)
	}
	if s := k.stands(); !s.Stands() {
		t.Errorf("%+v", s)
	}
}

// What mallory tries with what is held where: each is refused, and the file stays.
func TestMalloryDoesNotGetAPart(t *testing.T) {
	for name, tt := range map[string]struct {
		reason error
		tries  func(k *keeper) error
	}{
		"hands it over to mallory": {custody.ReasonReceiver, func(k *keeper) error {
			_, err := k.As("mallory").asksFor(custody.VerbHandOver, app.CustodyChange{Part: "north key", Holder: "mallory"})
			return err
		}},
		"approves mallory's own hand-over": {custody.ReasonOwn, func(k *keeper) error {
			_, err := k.As("mallory").approves(k.As("mallory").changes(custody.VerbHandOver, toBen))
			return err
		}},
		"signs the receipt in ben's name": {custody.ReasonReceipt, func(k *keeper) error {
			ask := k.As("mallory").changes(custody.VerbHandOver, toBen)
			k.As("carol").Approves(ask)
			k.handsIn(ask, k.As("mallory").prepares(k.request(ask), func(a *custody.Approval) { a.Person = "ben" }))
			return k.Does(ask)
		}},
		"carries a hand-over out twice": {custody.ReasonUsed, func(k *keeper) error {
			ask := k.As("ana").changes(custody.VerbHandOver, toBen)
			k.As("ben").Approves(ask)
			k.rereads()
			k.As("carol").Approves(k.As("ana").changes(custody.VerbMove, toBank))
			k.rereads()
			return k.Does(ask)
		}},
		"leaves out who receives": {nil, func(k *keeper) error {
			ask := k.lies(custody.VerbHandOver, func(r *register.Register) { r.Parts[0].Holder = "mallory" }, func(d map[string]any) { d["changes"] = []string{"part north key: holder ana -> mallory"} })
			k.handsIn(ask, k.As("ben").prepares(k.request(ask)))
			return k.Does(ask)
		}},
		"tells another change than is made": {nil, func(k *keeper) error {
			ask := k.lies(custody.VerbMove, func(r *register.Register) { r.Parts[0].Place = "Bank" }, func(d map[string]any) { d["changes"] = []string{"part binder: place Bank -> Main safe"} })
			k.handsIn(ask, k.As("ben").prepares(k.request(ask)))
			return k.Does(ask)
		}},
		"changes a holder by a move": {nil, func(k *keeper) error {
			ask := k.lies(custody.VerbMove, func(r *register.Register) { r.Parts[0].Holder = "mallory" }, func(d map[string]any) { d["changes"] = []string{"part north key: holder ana -> mallory"} })
			k.handsIn(ask, k.As("ben").prepares(k.request(ask)))
			return k.Does(ask)
		}},
		"brings another proposal than was approved": {custody.ReasonOther, func(k *keeper) error {
			ask := k.lies(custody.VerbMove, func(r *register.Register) { r.Parts[0].Place = "Bank" }, func(d map[string]any) { d["to"] = register.DigestOf([]byte("x")) })
			k.handsIn(ask, k.As("ben").prepares(k.request(ask)))
			return k.Does(ask)
		}},
		"keeps an approved move for later": {nil, func(k *keeper) error {
			ask := k.As("mallory").changes(custody.VerbMove, toBank)
			k.handsIn(ask, k.As("carol").prepares(k.request(ask)))
			k.As("ben").Approves(k.As("ana").changes(custody.VerbMove, app.CustodyChange{Part: "north key", Seal: "4409"}))
			k.rereads()
			return k.Does(ask)
		}},
		"edits the file, and goes on from there": {&app.UnrecordedError{}, func(k *keeper) error {
			k.byHand("holder: ana", "holder: mallory")
			_, err := k.As("mallory").asksFor(custody.VerbMove, toBank)
			k.byHand("holder: mallory", "holder: ana")
			return err
		}},
		"edits the file, and has that approved without ben": {custody.ReasonReceipt, func(k *keeper) error {
			k.byHand("holder: ana", "holder: ben")
			ask := k.As("mallory").changes(custody.VerbCustody, app.CustodyChange{})
			k.As("carol").Approves(ask)
			err := k.Does(ask)
			k.byHand("holder: ben", "holder: ana")
			return err
		}},
		"edits the file so that mallory has it, and has that approved": {custody.ReasonReceiver, func(k *keeper) error {
			k.byHand("holder: ana", "holder: mallory")
			_, err := k.As("mallory").asksFor(custody.VerbCustody, app.CustodyChange{})
			k.byHand("holder: mallory", "holder: ana")
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			k := kept(t)
			err := tt.tries(k)
			if err == nil {
				t.Fatal("nothing stopped it")
			}
			if _, unrecorded := tt.reason.(*app.UnrecordedError); unrecorded {
				if _, is := errors.AsType[*app.UnrecordedError](err); !is {
					t.Errorf("got %v", err)
				}
			} else if tt.reason != nil && !errors.Is(err, tt.reason) {
				t.Errorf("got %v, want: %v", err, tt.reason)
			}
			hinted(t, err)
			if holder := k.partNamed("north key").Holder; holder == "mallory" {
				t.Error("mallory has it")
			}
			if !k.stands().Stands() {
				t.Error("the file is not what is recorded")
			}
			if r := k.audited(); !r.Good() {
				t.Errorf("%+v", r.Findings)
			}
		})
	}
	for _, d := range []custody.Defence{custody.DefenceReceiver} {
		k := kept(t, lacking(d))
		k.As("ben").Approves(k.As("mallory").changes(custody.VerbHandOver, app.CustodyChange{Part: "north key", Holder: "mallory"}))
		if k.partNamed("north key").Holder != "mallory" {
			t.Errorf("without %q it is refused by something else", d)
		}
	}
	k := kept(t, lacking(custody.DefenceReceipt))
	k.As("carol").Approves(k.As("mallory").changes(custody.VerbHandOver, toBen))
	if k.partNamed("north key").Holder != "ben" {
		t.Error("without the receipt it is refused by something else")
	}
}

// lies makes a request about custody whose details are not what it would bring about.
func (k *keeper) lies(verb custody.Verb, change func(*register.Register), lie func(map[string]any)) string {
	k.t.Helper()
	r := *k.Register
	r.Parts = slices.Clone(r.Parts)
	change(&r)
	text, to := r.Custody()
	d := map[string]any{"from": k.stands().Recorded, "to": to, "changes": []string{"part north key: place Main safe -> Bank"}}
	lie(d)
	made := k.As("mallory").makesOf(verb, "part north key", jsonOf(k.t, d))
	return k.As("mallory").handsInRequest(made, string(text))
}

// makesOf is a request made without the program.
func (a *actor) makesOf(verb custody.Verb, on string, details json.RawMessage) *custody.Request {
	a.w.t.Helper()
	made, err := custody.NewRequest(a.w.Chance, custody.Request{Tenant: tidewater, Store: a.w.Ledger.Identity().ID, What: verb, On: on, Why: "incident 4711", By: a.name, Register: a.w.standing().Approved,
		Details: details, Made: a.w.now, Expires: a.w.now.Add(time.Hour)})
	must(a.w.t, err)
	return made
}

// Nobody is asked to sign a change that lies.
func TestALieAboutCustodyIsNotShownToSign(t *testing.T) {
	k := kept(t)
	ask := k.lies(custody.VerbMove, func(r *register.Register) { r.Parts[0].Holder = "mallory" }, func(d map[string]any) { d["changes"] = []string{"part north key: holder ana -> mallory"} })
	signed := false
	_, err := k.Approve(t.Context(), ask, "ben", time.Time{}, func(ctx context.Context, text []byte, c string) (app.Signature, error) {
		signed = true
		return k.As("ben").sign(ctx, text, c)
	})
	if err == nil || signed {
		t.Errorf("%v, %v", signed, err)
	}
	hinted(t, err)
}

// Whoever runs as the account of the tool has the log key, and can write a custody
// part into the log. It is not believed.
func TestACustodyPartThatNobodyApprovedIsNotBelieved(t *testing.T) {
	entry := func(k *keeper, subject string) evidence.Entry {
		r := *k.Register
		r.Parts = slices.Clone(r.Parts)
		r.Parts[0].Holder = "mallory"
		text, digest := r.Custody()
		return evidence.Entry{Kind: evidence.KindCustody, Tenant: tidewater, What: "hand-over", Subject: subject, Before: k.stands().Recorded, After: digest, Data: jsonOf(k.t, map[string]string{"custody": string(text)})}
	}
	for name, smuggle := range map[string]func(k *keeper){
		"without any request": func(k *keeper) { k.smuggles(entry(k, "")) },
		"under a request for something else": func(k *keeper) {
			k.edits(silence)
			ask := k.As("mallory").Requests(custody.VerbRegister)
			k.As("ben").Approves(ask)
			k.smuggles(entry(k, ask))
		},
		"under one that was carried out": func(k *keeper) {
			ask := k.As("mallory").changes(custody.VerbMove, toBank)
			k.As("ben").Approves(ask)
			k.smuggles(entry(k, ask))
		},
		"once more": func(k *keeper) {
			k.As("ben").Approves(k.As("ana").changes(custody.VerbMove, toBank))
			old := k.entries(evidence.KindCustody, "")[0]
			old.Time = time.Time{}
			k.smuggles(old)
		},
		"after it had failed": func(k *keeper) {
			ask := k.As("mallory").changes(custody.VerbMove, toBank)
			k.spoils = func() { _ = os.WriteFile(k.path, []byte("version: 2\n"), 0o600) }
			text, _ := k.Read()
			_, err := k.As("ben").approves(ask)
			if err == nil {
				k.t.Error("nothing failed")
			}
			must(k.t, os.WriteFile(k.path, text, 0o600))
			k.rereads()
			k.smuggles(entry(k, ask))
		},
		"with a digest that is not its own": func(k *keeper) {
			e := entry(k, "")
			e.After = register.DigestOf([]byte("x"))
			k.smuggles(e)
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := kept(t)
			smuggle(k)
			_, err := k.As("ana").asksFor(custody.VerbMove, toBank)
			if _, is := errors.AsType[*app.SmuggledError](err); !is {
				t.Errorf("got %v", err)
			}
			if _, err := k.CustodyStanding(t.Context()); err == nil {
				t.Error("it is said to be recorded")
			}
			if r := k.audited(); r.Good() {
				t.Error("the audit finds nothing")
			}
		})
	}
}

// What the file has become decides what the evidence says.
func TestWhatBecameOfTheFileIsReadBack(t *testing.T) {
	for name, tt := range map[string]struct {
		spoils  func(k *keeper)
		loses   error
		result  string
		changed bool // the file is
	}{
		"somebody edits it meanwhile": {func(k *keeper) { k.byHand("seal: \"4402\"", "seal: \"4499\"") }, nil, "unknown", false},
		"who decides is edited": {func(k *keeper) {
			k.byHand("name: victor", "name: victor\n    title: x\n    receiving: "+k.As("victor").line())
		}, nil, "failed", false},
		"the answer is lost": {nil, errors.New("the disk was pulled"), "done", true},
		"the file is gone":   {func(k *keeper) { must(k.t, os.Remove(k.path)) }, nil, "unknown", false},
	} {
		t.Run(name, func(t *testing.T) {
			k := kept(t)
			text, err := k.Read()
			must(t, err)
			ask := k.As("ana").changes(custody.VerbMove, toBank)
			k.loses = tt.loses
			if tt.spoils != nil {
				k.spoils = func() { tt.spoils(k) }
			}
			_, err = k.As("ben").approves(ask)
			if (err == nil) != (tt.result == "done") {
				t.Errorf("got %v", err)
			}
			e := k.entries(evidence.KindOutcome, ask)
			if len(e) != 1 || result(t, e[0]) != tt.result {
				t.Fatalf("%+v", e)
			}
			if n := len(k.entries(evidence.KindCustody, ask)); (n == 1) != (tt.result == "done") {
				t.Errorf("%d entries of custody", n)
			}
			if !tt.changed {
				must(t, os.WriteFile(k.path, text, 0o600))
			}
			if moved := k.partNamed("north key").Place == "Bank"; moved != tt.changed {
				t.Errorf("moved: %v", moved)
			}
			if !k.stands().Stands() {
				t.Error("the log knows something else")
			}
		})
	}
}

// The log goes away between the edit and its record: what became of it comes in by a
// side log, and the part is approved once more as it stands.
func TestAMoveThatTheLogDidNotTake(t *testing.T) {
	k := kept(t)
	k.SideLog = func(entries []evidence.Entry) (string, error) {
		key, err := k.place.Keys.Load()
		must(t, err)
		return app.WriteSide(k.place.Side, key, k.now, entries)
	}
	ask := k.As("ana").changes(custody.VerbMove, toBank)
	k.spoils = k.closes
	out, err := k.As("ben").approves(ask)
	if err == nil || out == nil || out.Done == nil || out.Done.Late == "" {
		t.Fatalf("%+v, %v", out, err)
	}
	k.spoils = nil
	k.opens()
	k.rereads()
	if k.partNamed("north key").Place != "Bank" || k.stands().Stands() {
		t.Error("the file does not have what the log lacks")
	}
	k.merges(out.Done.Late)
	if e := k.entries(evidence.KindOutcome, ask); len(e) != 1 || result(t, e[0]) != "done" {
		t.Errorf("%+v", e)
	}
	if k.stands().Stands() {
		t.Error("a side log rules")
	}
	k.As("ben").Approves(k.As("ana").changes(custody.VerbCustody, app.CustodyChange{}))
	if !k.stands().Stands() {
		t.Errorf("%+v", k.stands())
	}
	if r := k.audited(); !r.Good() {
		t.Errorf("%+v", r)
	}
}

func TestLookingAtAPart(t *testing.T) {
	k := kept(t)
	digest := k.Register.Digest()
	for name, tt := range map[string]struct {
		look app.Look
		says string
	}{
		"as recorded":               {app.Look{Part: "North  Key", Seal: " 44 01", State: app.PartIntact}, ""},
		"another number":            {app.Look{Part: "north key", Seal: "4410", State: app.PartIntact}, "not the recorded one"},
		"no number":                 {app.Look{Part: "north key", State: app.PartIntact}, "was not read"},
		"broken":                    {app.Look{Part: "north key", Seal: "4401", State: app.PartBroken}, "broken"},
		"not there":                 {app.Look{Part: "north key", State: app.PartMissing}, "not where it is recorded"},
		"a binder":                  {app.Look{Part: "binder", State: app.PartIntact, Binder: strings.ToUpper(digest)}, ""},
		"an old binder":             {app.Look{Part: "binder", State: app.PartIntact, Binder: "0123456789abcdef"}, "not of the register as it is now"},
		"a binder that nobody read": {app.Look{Part: "binder", State: app.PartIntact}, "was not read"},
		"a seal that is none":       {app.Look{Part: "binder", State: app.PartIntact, Binder: digest, Seal: "1"}, "none is recorded"},
	} {
		tt.look.By = "ben"
		v, e, err := k.Verify(t.Context(), tt.look)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		says := strings.Join(v.Findings, "; ")
		if v.Good != (tt.says == "") || !strings.Contains(says, tt.says) || strings.Contains(says, "4401") {
			t.Errorf("%s: %+v", name, v)
		}
		if e.Kind != evidence.KindCustodyVerified || len(k.entries(evidence.KindCustodyVerified, "")) == 0 || e.On != "part "+v.Part {
			t.Errorf("%s: %+v", name, e)
		}
	}
	for name, look := range map[string]app.Look{"no such part": {Part: "nort key", By: "ben", State: app.PartIntact}, "nobody": {Part: "binder", By: "bem", State: app.PartIntact}, "no state": {Part: "binder", By: "ben"}} {
		_, _, err := k.Verify(t.Context(), look)
		if err == nil {
			t.Errorf("%s: recorded", name)
			continue
		}
		hinted(t, err)
	}
}

func (k *keeper) looks(l app.Look) {
	k.t.Helper()
	l.By = "ben"
	_, _, err := k.Verify(k.t.Context(), l)
	must(k.t, err)
	k.later(time.Hour)
}

func (k *keeper) heldNow() *app.Held {
	k.t.Helper()
	h, err := k.Held(k.t.Context())
	must(k.t, err)
	return h
}

// A number that was misread heals when it is read again; a broken seal does not.
func TestWhatTheChecksAreTold(t *testing.T) {
	k := kept(t)
	if h := k.heldNow(); h.Records.Seals == nil || len(h.Records.Seals) != 0 || !h.Records.BinderPrinted.IsZero() || h.Records.RegisterChanged.IsZero() || h.Records.Changes != nil {
		t.Errorf("%+v", h.Records)
	}
	k.looks(app.Look{Part: "north key", Seal: "4410", State: app.PartIntact})
	k.looks(app.Look{Part: "north pin", Seal: "4402", State: app.PartBroken})
	intact := func() map[string]bool {
		out := map[string]bool{"4401": true, "4402": true}
		for _, s := range k.heldNow().Records.Seals {
			out[s.Seal] = out[s.Seal] && s.Intact
		}
		return out
	}
	if got := intact(); got["4401"] || got["4402"] {
		t.Errorf("%v", got)
	}
	k.looks(app.Look{Part: "north key", Seal: "4401", State: app.PartIntact})
	k.looks(app.Look{Part: "north pin", Seal: "4402", State: app.PartIntact})
	if got := intact(); !got["4401"] || got["4402"] {
		t.Errorf("read again: %v", got)
	}
	_, err := k.Record(t.Context(), app.RecordOfBinder(k.Register, "7"))
	must(t, err)
	printed := k.heldNow()
	if printed.Binder == nil || printed.Binder.Version != "7" || printed.Records.BinderDigest != k.Register.Digest() || !printed.Records.BinderPrinted.Equal(k.now) {
		t.Errorf("%+v", printed)
	}
	// Somebody leaves: what they could open needs a new combination.
	text, err := register.RemovePerson(func() []byte { b, _ := k.Read(); return b }(), "carol")
	must(t, err)
	must(t, os.WriteFile(k.path, text, 0o600))
	k.rereads()
	k.As("ben").Approves(k.As("ana").Requests(custody.VerbRegister))
	if c := k.heldNow().Records.Changes; len(c) != 1 || c[0].What != "carol" || c[0].Kind != "staff" {
		t.Errorf("%+v", c)
	}
}

func TestEveryClockRuns(t *testing.T) {
	k := kept(t)
	at := func(snap *entra.Snapshot) string {
		var out []string
		for _, f := range app.ListHeld(k.Register, k.heldNow(), snap, k.now).Findings {
			sign := "! "
			if f.Due {
				sign = "  "
			}
			out = append(out, sign+string(f.Day)+" "+f.What)
		}
		return strings.Join(out, "\n")
	}
	want := func(text string, snap *entra.Snapshot) {
		t.Helper()
		if got := at(snap); got != strings.TrimSpace(text) {
			t.Errorf("got\n%s\nwant\n%s", got, text)
		}
	}
	want("! 2026-11-21 nobody has looked at binder yet\n! 2026-11-21 nobody has looked at north key yet\n! 2026-11-21 nobody has looked at north pin yet", nil)
	k.looks(app.Look{Part: "north key", Seal: "4401", State: app.PartIntact})
	k.looks(app.Look{Part: "north pin", Seal: "4402", State: app.PartBroken})
	k.looks(app.Look{Part: "binder", State: app.PartIntact, Binder: k.Register.Digest()})
	if got := at(nil); !strings.HasPrefix(got, "! 2026-11-21 north pin: the seal or the envelope is broken\n  2027-02-19 look at binder\n  2027-02-19 look at north key") {
		t.Errorf("got\n%s", got)
	}
	k.later(91 * 24 * time.Hour)
	if got := at(nil); !strings.Contains(got, "! 2027-02-19 look at north key") {
		t.Errorf("got\n%s", got)
	}
	// Printed, then moved.
	_, err := k.Record(t.Context(), app.RecordOfBinder(k.Register, "1"))
	must(t, err)
	k.As("ben").Approves(k.As("ana").changes(custody.VerbMove, toBank))
	k.rereads()
	got := at(nil)
	for _, line := range []string{"! 2027-02-20 the binder was printed on 2027-02-20, and the register has changed since", "! 2027-02-20 nobody has looked at north key yet"} {
		if !strings.Contains(got, line) {
			t.Errorf("lacks %q:\n%s", line, got)
		}
	}
	report := app.ListHeld(k.Register, nil, nil, k.now)
	if report.Overdue() || len(report.Parts) != 3 || report.Parts[1].Place != "Bank" && report.Parts[0].Place != "Bank" {
		t.Errorf("without evidence: %+v", report)
	}
}

// The holders are compared with the directory.
func TestHoldersWhoLeaveAreTold(t *testing.T) {
	k := kept(t)
	id := func(n string) entra.ID { return entra.ID("07136d09-5e64-44ad-b232-46424538dc" + n) }
	for i := range k.Register.People {
		switch p := &k.Register.People[i]; p.Name {
		case "ana":
			p.ID = id("01")
		case "ben":
			p.ID = id("02")
		case "victor":
			p.ID = id("03")
		}
	}
	users := `{"value":[{"id":"` + string(id("01")) + `","userPrincipalName":"ana@x.example","accountEnabled":false},
		{"id":"` + string(id("03")) + `","userPrincipalName":"victor@x.example","accountEnabled":true,"employeeLeaveDateTime":"2026-12-24T00:00:00Z"}]}`
	snap, err := app.Snapshot(t.Context(), app.ProveRequest{Sources: []entra.Source{{Name: "users.json", Data: []byte(users)}}}, k.Register, nil)
	must(t, err)
	r := app.ListHeld(k.Register, nil, snap, k.now)
	var got []string
	for _, f := range r.Findings {
		got = append(got, string(f.Day)+" "+f.What)
	}
	all := strings.Join(got, "\n")
	for _, line := range []string{"2026-11-21 the account of ana is disabled in the directory", "2026-12-24 victor leaves", "carol has no object id in the register"} {
		if !strings.Contains(all, line) {
			t.Errorf("lacks %q:\n%s", line, all)
		}
	}
	if !strings.Contains(all, "2026-11-21 ben is gone from the directory") && !strings.Contains(all, "whether ben still works here is not known") {
		t.Errorf("ben is not told:\n%s", all)
	}
	if !r.Overdue() || !r.Directory {
		t.Error("nothing is overdue")
	}
}

// The checks answer from the log.
func TestTheChecksOfCustodyAnswerFromTheLog(t *testing.T) {
	k := kept(t)
	k.looks(app.Look{Part: "north key", Seal: "4401", State: app.PartIntact})
	k.looks(app.Look{Part: "north pin", Seal: "4402", State: app.PartIntact})
	_, err := k.Record(t.Context(), app.RecordOfBinder(k.Register, "1"))
	must(t, err)
	answers := func(r posture.Records) map[string]posture.Status {
		out := map[string]posture.Status{}
		snap, err := app.Snapshot(t.Context(), app.ProveRequest{Sources: []entra.Source{{Name: "users.json", Data: []byte(`{"value":[{"id":"` + string(northAccount) + `","userPrincipalName":"ea-north@tidewater.example"}]}`)}}}, k.Register, nil)
		must(t, err)
		in := &posture.Input{Snapshot: snap, Register: k.Register, Records: r, Now: k.now, Accounts: []posture.Subject{{ID: northAccount}}}
		for _, f := range posture.Judge(in) {
			out[f.Check.ID] = f.Status
		}
		return out
	}
	got := answers(k.heldNow().Records)
	if got["cus-seal-intact"] != posture.Pass || got["cus-offline"] != posture.Pass || got["cus-complete"] != posture.Pass {
		t.Errorf("got %v %v %v", got["cus-seal-intact"], got["cus-offline"], got["cus-complete"])
	}
	k.looks(app.Look{Part: "north pin", Seal: "4402", State: app.PartBroken})
	k.As("ben").Approves(k.As("ana").changes(custody.VerbMove, toBank))
	k.rereads()
	got = answers(k.heldNow().Records)
	if got["cus-seal-intact"] != posture.Fail || got["cus-offline"] != posture.Fail {
		t.Errorf("got %v %v", got["cus-seal-intact"], got["cus-offline"])
	}
	got = answers(posture.Records{Unread: "the store is locked"})
	if got["cus-seal-intact"] != posture.Indeterminate || got["cus-offline"] != posture.Indeterminate {
		t.Errorf("unread: got %v %v", got["cus-seal-intact"], got["cus-offline"])
	}
	if got = answers(posture.Records{}); got["cus-seal-intact"] == posture.Pass || got["cus-offline"] == posture.Pass {
		t.Errorf("without a log: got %v %v", got["cus-seal-intact"], got["cus-offline"])
	}
}
