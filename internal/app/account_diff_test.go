package app_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"halligan/custody"
	"halligan/internal/app"
	"halligan/register"
)

const northUPN = "ea-north@tidewater.example"

// What survives which loss rests on the keys of an account: an edit of them is told in
// words, stops further changes, and is approved like any other.
func TestAnEditOfAnAccountIsToldAndApproved(t *testing.T) {
	for name, tt := range map[string]struct {
		edit func(a *register.Account)
		says string
	}{
		"a model":     {func(a *register.Account) { a.Keys[0].Model = "YubiKey Bio" }, `account ea-north@tidewater.example: key "North 1" model YubiKey 5 -> YubiKey Bio`},
		"a label":     {func(a *register.Account) { a.Keys[0].Label = "North 9" }, `account ea-north@tidewater.example: key "North 1" label North 1 -> North 9`},
		"a key more":  {func(a *register.Account) { a.Keys = append(a.Keys, register.Key{Label: "Spare", Model: "Titan, v2"}) }, `account ea-north@tidewater.example: + key "Spare" (model "Titan, v2")`},
		"a key less":  {func(a *register.Account) { a.Keys = a.Keys[:1] }, `account ea-north@tidewater.example: - key "North 2" (AAGUID 2fc0579f-8113-47ea-b116-bb5a8db9202a, serial 12)`},
		"a new order": {func(a *register.Account) { slices.Reverse(a.Keys) }, `account ea-north@tidewater.example: the keys in another order`},
		"its pattern": {func(a *register.Account) { a.Pattern = register.PatternAccountReset }, `account ea-north@tidewater.example: pattern none -> accountReset`},
		"its name":    {func(a *register.Account) { a.Name = "x@tidewater.example" }, `account ` + string(northAccount) + `: name ea-north@tidewater.example -> x@tidewater.example`},
	} {
		t.Run(name, func(t *testing.T) {
			k := kept(t, func(w *world) {
				w.Register.Accounts[0].Keys = []register.Key{{ID: "k1", Label: "North 1", Model: "YubiKey 5"}, {Label: "North 2", AAGUID: "2fc0579f-8113-47ea-b116-bb5a8db9202a", Serial: "12"}}
			})
			edited := *k.Register.Account(northAccount)
			edited.Keys = slices.Clone(edited.Keys)
			tt.edit(&edited)
			k.Register.Accounts[0] = edited
			s := k.stands()
			if s.Stands() || !slices.Equal(s.Changes, []string{tt.says}) {
				t.Fatalf("got  %q\nwant %q", s.Changes, tt.says)
			}
			_, err := k.As("ana").asksFor(custody.VerbMove, toBank)
			if _, is := errors.AsType[*app.UnrecordedError](err); !is {
				t.Errorf("a move goes on from there: %v", err)
			}
			ask := k.As("ana").changes(custody.VerbCustody, app.CustodyChange{})
			k.As("ben").Approves(ask)
			if !k.stands().Stands() {
				t.Error("approved, it does not stand")
			}
			if r := k.audited(); !r.Good() {
				t.Errorf("%+v", r.Findings)
			}
		})
	}
}

// A log of before accounts were part of custody asks once, and tells them as new.
func TestAccountsAreNewToALogThatKnowsNone(t *testing.T) {
	k := keeping(t, func(w *world) {
		w.Register.Accounts = nil
		w.Register.Parts = []register.Part{{Name: "binder", Kind: register.PartBinder, Holder: "ana", Place: "Bank"}}
	})
	k.As("ben").Approves(k.As("ana").changes(custody.VerbCustody, app.CustodyChange{}))
	if !k.stands().Stands() {
		t.Fatal("it does not stand")
	}
	k.byHand("people:", "accounts:\n  - id: "+string(northAccount)+"\n    name: "+northUPN+"\n    pattern: fido2\n    keys:\n      - label: North 1\n        model: YubiKey 5\npeople:")
	k.As("ben").Approves(k.As("ana").Requests(custody.VerbRegister))
	s := k.stands()
	want := `+ account ea-north@tidewater.example: id ` + string(northAccount) + `, name ea-north@tidewater.example, pattern fido2, key "North 1" (model YubiKey 5)`
	if s.Stands() || !slices.Equal(s.Changes, []string{want}) {
		t.Fatalf("got  %q\nwant %q", s.Changes, want)
	}
	k.As("ben").Approves(k.As("ana").changes(custody.VerbCustody, app.CustodyChange{}))
	if !k.stands().Stands() {
		t.Error("approved, it does not stand")
	}
	if r := k.audited(); !r.Good() {
		t.Errorf("%+v", r.Findings)
	}
}

func TestAMoveDoesNotChangeAnAccount(t *testing.T) {
	for _, verb := range []custody.Verb{custody.VerbMove, custody.VerbHandOver} {
		k := kept(t)
		ask := k.lies(verb, func(r *register.Register) {
			r.Accounts = slices.Clone(r.Accounts)
			r.Accounts[0].Pattern = register.PatternVault
			if r.Parts[0].Place = "Bank"; verb == custody.VerbHandOver {
				r.Parts[0].Place, r.Parts[0].Holder = "Main safe", "ben"
			}
		}, func(d map[string]any) {
			d["changes"] = []string{"part north key: place Main safe -> Bank", "account " + northUPN + ": pattern none -> vault"}
			if verb == custody.VerbHandOver {
				d["changes"] = []string{"part north key: holder ana -> ben", "account " + northUPN + ": pattern none -> vault"}
				d["receivers"] = []string{"ben"}
				d["notes"] = []string{"part north key: ben cannot open Main safe, where it lies: ana can"}
			}
		})
		k.handsIn(ask, k.As("ben").prepares(k.request(ask)))
		if err := k.Does(ask); err == nil || !strings.Contains(err.Error(), "of one part that is written down, and nothing else") {
			t.Errorf("%s: %v", verb, err)
		}
	}
}

// Titles and ways to reach people decide what a loss cuts off: approvers read them.
func TestTitlesAndWaysToReachAreApproved(t *testing.T) {
	k := kept(t)
	i := slices.IndexFunc(k.Register.People, func(p register.Person) bool { return p.Name == "victor" })
	k.Register.People[i].Title, k.Register.People[i].Reach = "CISO", []string{"+351 900 000 001", "a, b"}
	if k.standing().Stands() {
		t.Error("it stands unseen")
	}
	ask := k.As("ana").Requests(custody.VerbRegister)
	r, err := k.Request(t.Context(), ask)
	must(t, err)
	if told := string(r.Request.Details); !strings.Contains(told, "title CISO") || !strings.Contains(told, `reach +351 900 000 001, \"a, b\"`) {
		t.Errorf("approvers read %s", told)
	}
	k.As("ben").Approves(ask)
	if !k.standing().Stands() {
		t.Error("approved, it does not stand")
	}
}
