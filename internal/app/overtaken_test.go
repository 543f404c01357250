package app_test

import (
	"slices"
	"strings"
	"testing"

	"halligan/custody"
	"halligan/internal/app"
	"halligan/register"
)

// Of two changes asked from one state the second is over when the first is approved: it
// says so, and nobody is asked to approve it.
func TestARequestThatWasOvertakenIsOver(t *testing.T) {
	k := kept(t)
	first, second := k.As("ana").changes(custody.VerbMove, toBank), k.As("ana").changes(custody.VerbMove, app.CustodyChange{Part: "binder", To: "Main safe"})
	is := func(ask string, want app.RequestState) {
		t.Helper()
		r, err := k.Request(t.Context(), ask)
		must(t, err)
		if r.State != want || r.State.Over() != (want != app.RequestOpen) || want == app.RequestOvertaken && r.Why != "another change was approved meanwhile; ask anew" {
			t.Errorf("%s: %+v", r.State, r)
		}
	}
	is(second, app.RequestOpen)
	k.As("ben").Approves(first)
	k.rereads()
	is(first, app.RequestUsed)
	is(second, app.RequestOvertaken)

	w := begun(t)
	w.edits(func(r *register.Register) { r.Person("victor").Title = "one" })
	first = w.As("mallory").Requests(custody.VerbRegister)
	w.edits(func(r *register.Register) { r.Person("victor").Title = "two" })
	other := w.As("mallory").Requests(custody.VerbRegister)
	w.As("ben").Approves(other)
	r, err := w.Request(t.Context(), first)
	must(t, err)
	if r.State != app.RequestOvertaken {
		t.Errorf("of the register: %s", r.State)
	}
}

// Who is to hold what nobody held is named while their receipt can still come; they sign
// for it also without the right to approve, and then it is no approval.
func TestWhoIsToHoldSomethingCanSignForIt(t *testing.T) {
	k := kept(t)
	asked, err := k.As("ana").asksFor(custody.VerbCustody, app.CustodyChange{Add: &register.Part{Name: "red binder", Kind: register.PartBinder, Holder: "victor"}})
	must(t, err)
	ask := asked.Request.Hash()
	r, err := k.Request(t.Context(), ask)
	must(t, err)
	if !slices.Equal(asked.Holders, []string{"victor"}) || !slices.Equal(r.Holders, []string{"victor"}) {
		t.Errorf("asked %v, shown %v", asked.Holders, r.Holders)
	}
	if out := k.As("victor").Approves(ask); out.Done != nil || out.Missing != 1 {
		t.Errorf("the receipt counts as approval: %+v", out)
	}
	if r, err = k.Request(t.Context(), ask); err != nil || len(r.Holders) != 0 {
		t.Errorf("after the receipt: %v, %v", r.Holders, err)
	}
	if out := k.As("ben").Approves(ask); out.Done == nil || slices.Contains(out.Done.Marks, custody.MarkNoReceipt) {
		t.Errorf("with it: %+v", out)
	}
	if r := k.audited(); !r.Good() {
		t.Errorf("%+v", r)
	}
}

// What was found missing comes before what is due for longer.
func TestWhatIsMissingComesFirst(t *testing.T) {
	k := kept(t)
	k.looks(app.Look{Part: "north pin", State: app.PartMissing})
	list := app.ListHeld(k.Register, k.heldNow(), nil, k.now).Findings
	if len(list) < 2 || !list[0].Worse || !strings.Contains(list[0].What, "north pin was found missing") && !strings.Contains(list[0].What, "north pin: was found missing") || list[1].Worse {
		t.Errorf("%+v", list)
	}
}

// A hand-over that waits for who receives says the whole command.
func TestAReceiptIsAskedForByTheWholeCommand(t *testing.T) {
	k := kept(t)
	ask := k.As("ana").changes(custody.VerbHandOver, toVic)
	want := "halligan approve " + strings.TrimPrefix(ask, "sha256:")[:12] + ` --as "victor" --key FILE`
	if out := k.As("ben").Approves(ask); !strings.Contains(strings.Join(out.Warnings, ""), want) {
		t.Errorf("%q", out.Warnings)
	}
}

// A side log waits until it was merged, and its folder stays.
func TestAMergedSideLogDoesNotWait(t *testing.T) {
	w := begun(t)
	one, two := w.writes(nil, note("one")), w.writes(w.key(), note("two"))
	waiting := func() []string {
		t.Helper()
		out, err := w.WaitingSides(t.Context(), w.place.Side)
		must(t, err)
		return out
	}
	if got := waiting(); len(got) != 2 {
		t.Errorf("before: %q", got)
	}
	w.merges(one)
	if got := waiting(); !slices.Equal(got, []string{two}) {
		t.Errorf("one is merged: %q", got)
	}
	w.merges(two)
	if got := waiting(); len(got) != 0 {
		t.Errorf("both are: %q", got)
	}
	if all, err := app.SideLogs(w.place.Side); err != nil || len(all) != 2 {
		t.Errorf("%q, %v", all, err)
	}
}
