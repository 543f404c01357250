package print_test

import (
	"strings"
	"testing"

	"halligan/internal/print"
)

// Paper whose register somebody may have changed alone says so where people rely on
// it, and on every page; the card stays one page. What was not compared says that.
func TestPaperSaysThatItIsNotApproved(t *testing.T) {
	b := binderOf(many())
	b.Unapproved = []string{"what decides in halligan.yaml is not what was approved", "what halligan.yaml says of parts is not what was last approved"}
	for name, d := range map[string]*print.Document{"binder": b.Document(), "card": b.Card()} {
		page := string(printed(t, d, "html", print.Options{}))
		said, want := "somebody may have changed", 4
		if name == "card" {
			said, want = "check each name and number elsewhere", 1
		}
		if got := strings.Count(page, "NOT APPROVED as it stands: "+said); got != want {
			t.Errorf("%s: %d sections are marked", name, got)
		}
		if !strings.HasPrefix(d.Version, "NOT APPROVED as it stands · version ") {
			t.Errorf("%s: each page says %q", name, d.Version)
		}
		if name == "binder" && (!strings.Contains(page, "NOT APPROVED as it stands: "+b.Unapproved[0]) || !strings.Contains(page, "NOT APPROVED as it stands: "+b.Unapproved[1])) {
			t.Error("the title page does not say what")
		}
	}
	unapproved := b.Card()
	b.Unapproved, b.Uncompared = nil, "no evidence was at hand"
	for _, paper := range print.Papers {
		for name, d := range map[string]*print.Document{"not approved": unapproved, "not compared": b.Card()} {
			if n := pagesOf(printed(t, d, "pdf", print.Options{Paper: paper})); n != 1 {
				t.Errorf("%s: the card on %s has %d pages", name, paper, n)
			}
		}
	}
	for name, d := range map[string]*print.Document{"binder": b.Document(), "card": b.Card()} {
		if page := string(printed(t, d, "html", print.Options{})); !strings.Contains(page, "NOT COMPARED with what was approved: no evidence was at hand") || strings.Contains(page, "NOT APPROVED") {
			t.Errorf("%s: it does not say that it was not compared", name)
		}
	}
}
