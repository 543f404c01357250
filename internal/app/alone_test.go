package app_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"halligan/custody"
	"halligan/internal/app"
	"halligan/register"
)

// Where after a change somebody can open an account alone who could not before, those
// who approve read it; and the list tells it until it is so no more.
func TestWhoCouldOpenAloneIsTold(t *testing.T) {
	const victor, ana = "after this victor alone can open ea-north@tidewater.example", "after this ana alone can open ea-north@tidewater.example"
	for name, tt := range map[string]struct {
		verb   custody.Verb
		change app.CustodyChange
		want   []string
	}{
		"a move to where the PIN lies":       {custody.VerbMove, toBank, []string{victor}},
		"a hand-over to who has the PIN":     {custody.VerbHandOver, toVic, []string{victor}},
		"a copy of the PIN for who has both": {custody.VerbCustody, app.CustodyChange{Add: &register.Part{Name: "second pin", Kind: register.PartPIN, Account: northAccount, Key: "North 1", Holder: "ana"}}, []string{ana}},
		"another seal":                       {custody.VerbMove, app.CustodyChange{Part: "north key", Seal: "4409"}, nil},
		"a hand-over to a third":             {custody.VerbHandOver, toBen, nil},
	} {
		k := kept(t)
		asked, err := k.As("ana").asksFor(tt.verb, tt.change)
		must(t, err)
		var d struct{ Alone []string }
		must(t, json.Unmarshal(asked.Request.Details, &d))
		if !slices.Equal(d.Alone, tt.want) {
			t.Errorf("%s: %q", name, d.Alone)
		}
	}
	// Who may open a place, written by hand; before and after that the list.
	k := kept(t)
	listed := func() bool {
		return slices.ContainsFunc(app.ListHeld(k.Register, k.heldNow(), nil, k.now).Findings, func(f app.HeldFinding) bool {
			return !f.Due && f.Day == "2026-11-21" && f.What == "ana alone can open ea-north@tidewater.example"
		})
	}
	if listed() {
		t.Error("the list tells it before")
	}
	k.byHand("- victor", "- ana\n      - victor")
	ask := k.As("mallory").changes(custody.VerbCustody, app.CustodyChange{})
	if got := string(k.request(ask).Details); !strings.Contains(got, ana) {
		t.Errorf("access: %s", got)
	}
	if !listed() {
		t.Error("the list does not tell it")
	}
}

// A request that leaves it out, made past the program, is neither approved nor carried
// out by it.
func TestARequestThatHidesWhoOpensAloneIsRefused(t *testing.T) {
	k := kept(t)
	asked, err := k.As("ana").asksFor(custody.VerbMove, toBank)
	must(t, err)
	first, err := k.Request(t.Context(), asked.Request.Hash())
	must(t, err)
	var d map[string]any
	must(t, json.Unmarshal(asked.Request.Details, &d))
	delete(d, "alone")
	text, err := json.Marshal(d)
	must(t, err)
	ask := k.As("ana").handsInRequest(k.As("ana").makesOf(custody.VerbMove, asked.Request.On, text), first.Proposal)
	_, err = k.As("ben").approves(ask)
	if err == nil || !strings.Contains(err.Error(), "does not tell who could open an account alone") {
		t.Errorf("approved: %v", err)
	}
	hinted(t, err)
	k.handsIn(ask, k.As("ben").prepares(k.request(ask)))
	if err := k.Does(ask); err == nil || errors.Is(err, custody.ReasonTooFew) || k.partNamed("north key").Place == "Bank" {
		t.Errorf("carried out: %v", err)
	}
}

// A look against a file that somebody edited is not one against what was approved: it
// says so, and clears nothing up, whatever was edited.
func TestALookAtAnEditedFileClearsNothingUp(t *testing.T) {
	for name, edit := range map[string][2]string{"another part": {`seal: "4402"`, `seal: "4499"`}, "who decides": {"name: victor", "name: victor\n    title: x"}} {
		t.Run(name, func(t *testing.T) {
			k := kept(t)
			k.looks(app.Look{Part: "north key", State: app.PartMissing})
			k.byHand(edit[0], edit[1])
			found := app.Look{Part: "north key", By: "carol", Seal: "4401", State: app.PartIntact}
			v, _, err := k.Verify(t.Context(), found)
			must(t, err)
			if v.Good || !v.Unapproved || len(v.Findings) != 1 || !strings.HasPrefix(v.Findings[0], "halligan.yaml is not what was approved, so this look clears nothing up") {
				t.Errorf("%+v", v)
			}
			k.byHand(edit[1], edit[0])
			missing := func() bool {
				return slices.ContainsFunc(app.ListHeld(k.Register, k.heldNow(), nil, k.now).Findings, func(f app.HeldFinding) bool { return strings.Contains(f.What, "found missing") })
			}
			if !missing() {
				t.Error("it cleared up what was missing")
			}
			if v, _, err := k.Verify(t.Context(), found); err != nil || !v.Good || missing() {
				t.Errorf("under the approved file: %+v, %v", v, err)
			}
		})
	}
}
