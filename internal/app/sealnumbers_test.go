package app_test

import (
	"slices"
	"strings"
	"testing"

	"halligan/custody"
	"halligan/internal/app"
	"halligan/register"
)

// A number of a seal is used once: whoever asks for one that is or was in use is told
// before, those who approve read it, and the list has it until there is another.
func TestANumberOfASealIsUsedOnce(t *testing.T) {
	k := kept(t)
	told := func(change app.CustodyChange) string {
		t.Helper()
		q, err := change.Question(app.Question{})
		must(t, err)
		out, err := k.SealWarnings(t.Context(), q.On)
		must(t, err)
		return strings.Join(out, "; ")
	}
	listed := func(what string) bool {
		return slices.ContainsFunc(app.ListHeld(k.Register, k.heldNow(), nil, k.now).Findings, func(f app.HeldFinding) bool {
			return !f.Due && strings.Contains(f.What, what) && strings.Contains(f.Do, " --seal NEW")
		})
	}
	if got := told(app.CustodyChange{Part: "north key", Seal: "4409"}) + told(app.CustodyChange{Part: "north key", To: "Bank"}) + told(app.CustodyChange{}); got != "" {
		t.Errorf("a new number: %q", got)
	}
	// In another place lies a part with the number.
	twice := app.CustodyChange{Add: &register.Part{Name: "red binder", Kind: register.PartBinder, Holder: "ana", Place: "Bank", Seal: "44 01"}}
	if got := told(twice); !strings.HasPrefix(got, "seal 44 01: the number is on north key in Main safe, too") {
		t.Errorf("a number in use: %q", got)
	}
	asked, err := k.As("ana").asksFor(custody.VerbCustody, twice)
	must(t, err)
	if got := string(asked.Request.Details); !strings.Contains(got, "part red binder: the number of its seal is on north key in Main safe, too") || !strings.Contains(got, "part red binder: ana cannot open Bank, where it lies: victor can") {
		t.Errorf("the request: %s", got)
	}
	k.As("ben").Approves(asked.Request.Hash())
	k.rereads()
	if !listed("red binder: the number of its seal is on north key in Main safe, too") || !listed("north key: the number of its seal is on red binder in Bank, too") {
		t.Error("the list does not have a number that is used twice")
	}
	// It came off another part; and it was broken there.
	k.As("ben").Approves(k.As("ana").changes(custody.VerbMove, app.CustodyChange{Part: "north key", Seal: "4403"}))
	k.rereads()
	if !listed("red binder: its number was on north key until 2026-11-21, and a number is used once") {
		t.Error("the list does not have a number that was used before")
	}
	if got := told(app.CustodyChange{Part: "north pin", Seal: "4401"}); !strings.Contains(got, "its number was on north key until 2026-11-21") || strings.Contains(got, "red binder") {
		t.Errorf("a number that was used: %q", got) // north pin lies where the binder does
	}
	if got := told(app.CustodyChange{Part: "north key", To: "Bank", Seal: "4401"}); got != "" {
		t.Errorf("back to its own: %q", got)
	}
	k.looks(app.Look{Part: "north pin", Seal: "4402", State: app.PartBroken})
	if got := told(app.CustodyChange{Part: "north key", To: "Bank", Seal: "4402"}); !strings.Contains(got, "found broken on 2026-11-21 by ben, on north pin") {
		t.Errorf("a number that was broken elsewhere: %q", got)
	}
	if got := told(app.CustodyChange{Part: "north pin", Seal: "4402"}); !strings.Contains(got, "its seal was found broken on 2026-11-21 by ben") {
		t.Errorf("the broken one again: %q", got)
	}
}

// Who is given what they cannot get at is told to those who approve.
func TestWhoCannotOpenThePlaceIsNoted(t *testing.T) {
	for name, tt := range map[string]struct {
		change app.CustodyChange
		note   bool
	}{"ben, for the safe of ana": {toBen, true}, "victor, in the bank": {app.CustodyChange{Part: "north key", Holder: "victor", To: "Bank"}, false}} {
		k := kept(t)
		asked, err := k.As("ana").asksFor(custody.VerbHandOver, tt.change)
		must(t, err)
		if got := strings.Contains(string(asked.Request.Details), "part north key: ben cannot open Main safe, where it lies: ana can"); got != tt.note {
			t.Errorf("%s: %s", name, asked.Request.Details)
		}
	}
}
