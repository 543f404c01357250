package app_test

import (
	"context"
	"errors"
	"fmt"
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
	if s := k.stands(); s.Stands() || s.Recorded != "" || len(s.Changes) != 6 {
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
			if now, err := k.Read(); err == nil && !tt.changed && strings.Contains(string(now), "4403") {
				t.Errorf("it was written:\n%s", now)
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

// A request holds so many lines, and the evidence so many parts: what to do is said, and
// helps.
func TestManyPartsAreWrittenDownInSteps(t *testing.T) {
	parts := func(n int) []register.Part {
		var out []register.Part
		for i := range n {
			out = append(out, register.Part{Name: fmt.Sprintf("north key %03d", i), Kind: register.PartKey, Account: northAccount, Key: fmt.Sprintf("North %03d", i), Holder: "ana", Place: "Main safe",
				Seal: fmt.Sprintf("%06d", i), Since: "2026-11-01"})
		}
		return out
	}
	k := keeping(t)
	k.Register.Parts = parts(130)
	_, err := k.As("ana").asksFor(custody.VerbCustody, app.CustodyChange{})
	if err == nil || !strings.Contains(err.Error(), "the change has 133 lines, and a request holds about ") || !strings.Contains(hintOf(t, err), "in steps: put a # before all but about ") {
		t.Fatalf("got %v", err)
	}
	var lines, fit int
	if _, err := fmt.Sscanf(err.Error()[strings.Index(err.Error(), "the change has"):], "the change has %d lines, and a request holds about %d", &lines, &fit); err != nil || fit < 90 {
		t.Fatalf("%d fit: %v", fit, err)
	}
	for _, n := range []int{fit - 3, 130} { // beside two places and an account
		k.Register.Parts = parts(n)
		k.As("ben").Approves(k.As("ana").changes(custody.VerbCustody, app.CustodyChange{}))
		if !k.stands().Stands() {
			t.Fatalf("%d parts do not stand", n)
		}
	}
	if r := k.audited(); !r.Good() {
		t.Errorf("%+v", r.Findings)
	}
	k.Register.Parts = parts(300)
	_, err = k.As("ana").asksFor(custody.VerbCustody, app.CustodyChange{})
	if err == nil || !strings.Contains(err.Error(), "the 300 parts, with places and accounts, take ") || !strings.Contains(hintOf(t, err), "another halligan.yaml") {
		t.Errorf("got %v", err)
	}
	t.Log(err)
}

func hintOf(t *testing.T, err error) string {
	t.Helper()
	hinted(t, err)
	h, _ := errors.AsType[interface {
		error
		Hint() string
	}](err)
	return h.Hint()
}
