package print_test

import (
	"strings"
	"testing"

	"halligan/internal/print"
	"halligan/register"
)

// circle is a register with people of every kind, in the worst order.
func circle() *register.Register {
	return &register.Register{Version: 1, Tenant: register.Tenant{ID: "8c1f2a30-4b5d-4e6f-8a7b-9c0d1e2f3a4b"},
		People: []register.Person{
			{Name: "Viktor View", Roles: []register.Role{register.RoleViewer}, Reach: []string{"+1 1111"}},
			{Name: "Nora Nothing", Reach: []string{"+1 2222"}},
			{Name: "Ana Approver", Roles: []register.Role{register.RoleApprover}, Manager: "Max Boss"},
			{Name: "Cara Safe", Reach: []string{"+1 3333"}},
			{Name: "Otto Operator", Roles: []register.Role{register.RoleOperator}, Reach: []string{"+1 4444"}},
			{Name: "Ben Approver", Roles: []register.Role{register.RoleApprover}, Reach: []string{"+1 5555"}},
			{Name: "Dora Both", Roles: []register.Role{register.RoleApprover}, Reach: []string{"+1 6666", "dora@private.example"}},
			{Name: "Max Boss", Reach: []string{"+1 9999"}},
		},
		Places: []register.Place{{Name: "Main safe", Access: []string{"Cara Safe"}}},
		Parts:  []register.Part{{Kind: register.PartBinder, Holder: "Dora Both", Place: "Main safe", Seal: "4410"}}}
}

// called are the names of the first table under a heading.
func called(t *testing.T, d *print.Document, heading string, column int) (names []string, table print.Table) {
	t.Helper()
	under := false
	for _, b := range d.Blocks {
		if h, is := b.(print.Heading); is {
			under = h.Text == heading
		} else if table, is := b.(print.Table); is && under {
			for _, row := range table.Rows {
				names = append(names, row[column])
			}
			return names, table
		}
	}
	t.Fatalf("nothing stands under %q", heading)
	return nil, table
}

// Who can open something and be reached is called first; who has no number comes
// last, and it is seen; who neither decides nor holds anything is left out. Managers
// stand apart.
func TestWhoHelpsIsCalledFirst(t *testing.T) {
	b := binderOf(circle())
	want := "Dora Both, Ben Approver, Otto Operator, Cara Safe, Ana Approver"
	for name, d := range map[string]*print.Document{"binder": b.Document(), "card": b.Card()} {
		column := 0
		if name == "binder" {
			column = 1
		}
		names, table := called(t, d, "Whom to call", column)
		want := want
		if name == "card" {
			want = "Dora Both, Ben Approver, Otto Operator (fetches, does not decide), Cara Safe (fetches, does not decide), Ana Approver"
		}
		if got := strings.Join(names, ", "); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if last := table.Rows[len(table.Rows)-1]; last[column+1] != "NO NUMBER RECORDED" {
			t.Errorf("%s: of who has no number it says %q", name, last)
		}
		page := string(printed(t, d, "html", print.Options{}))
		if !strings.Contains(page, `class="boxed" dir="auto">No number is recorded of Ana Approver.`) || strings.Contains(page, "+1 1111") || strings.Contains(page, "+1 2222") {
			t.Errorf("%s: no frame says whose number is missing, or somebody is named who cannot help", name)
		}
	}
	if names, _ := called(t, b.Document(), "Their managers, when somebody does not answer", 0); strings.Join(names, ", ") != "Max Boss" {
		t.Errorf("the managers are %s", names)
	}
}

// Who opens a sealed file by their own key has no part and opens no place, and nothing
// is opened without them: they are called, also where they are there as a manager.
func TestWhoOpensASealedFileIsCalled(t *testing.T) {
	b := binderOf(circle())
	b.Sealed = []print.SealedFile{{Set: "0123456789abcdef", Opens: "2 of Nora Nothing, max  boss", Holders: []string{"Nora Nothing", "max  boss"}}}
	for name, d := range map[string]*print.Document{"binder": b.Document(), "card": b.Card()} {
		column := 0
		if name == "binder" {
			column = 1
		}
		names, _ := called(t, d, "Whom to call", column)
		all := strings.Join(names, ", ")
		want := []string{"Nora Nothing", "Max Boss"}
		if name == "card" {
			want = want[:1] // it names five
		}
		for _, who := range want {
			if !strings.Contains(all, who) {
				t.Errorf("%s: %s is not called: %s", name, who, all)
			}
		}
		if strings.Contains(all, "Viktor View") {
			t.Errorf("%s: who holds nothing is called: %s", name, all)
		}
	}
	if names, _ := called(t, b.Document(), "Who decides", 0); !strings.Contains(strings.Join(names, ", "), "Max Boss") {
		t.Errorf("who opens a sealed file is not among the people: %s", names)
	}
	page := string(printed(t, b.Document(), "html", print.Options{}))
	if strings.Contains(page, "Their managers, when somebody does not answer") {
		t.Error("who is called stands among the managers, too")
	}
}

// What the steps of the card refer to stands on it: where a copy of the binder lies,
// and the number of its seal; or that it is not known, and room for a pen.
func TestTheCardSaysWhereTheBinderLies(t *testing.T) {
	if _, table := called(t, binderOf(circle()).Card(), "Where the binder lies", 0); table.Rows[0][1] != "4410" {
		t.Errorf("it says %q", table.Rows)
	}
	r := circle()
	r.Parts[0].Seal = ""
	if _, table := called(t, binderOf(r).Card(), "Where the binder lies", 0); table.Rows[0][1] != "NO SEAL RECORDED" {
		t.Errorf("of a binder without a seal it says %q", table.Rows)
	}
	r.Parts = nil
	card := binderOf(r).Card()
	if _, table := called(t, card, "Where the binder lies", 0); table.Write == 0 || !strings.Contains(string(printed(t, card, "html", print.Options{})), "No copy of the binder is recorded.") {
		t.Error("without a binder there is no room to write where it lies")
	}
}

// What must not be used says so beside the part and where it lies.
func TestWhatIsWrongWithAPartStandsAtItsPlaceToo(t *testing.T) {
	b := binderOf(circle())
	b.Marks = []string{"VOID since 2026-11-21: do not use"}
	page := string(printed(t, b.Document(), "html", print.Options{}))
	if got := strings.Count(page, b.Marks[0]); got != 2 {
		t.Errorf("it stands there %d times", got)
	}
}
