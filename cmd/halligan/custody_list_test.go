package main

import (
	"strings"
	"testing"

	"halligan/entra"
	"halligan/internal/app"
	"halligan/register"
)

// Each account has one heading, in whatever order its parts were written down.
func TestAnAccountHasOneHeading(t *testing.T) {
	p := &page{look: look{columns: 100}}
	north, south := entra.ID("2786d9fb-aa4e-4778-8abb-11a546852728"), entra.ID("2786d9fb-aa4e-4778-8abb-11a546852729")
	r := &app.HeldReport{Evidence: true, Parts: []app.HeldPart{{Name: "one", Kind: register.PartKey, Account: north, AccountName: "ea-north@x.example"}, {Name: "two", Kind: register.PartKey, Account: south},
		{Name: "three", Kind: register.PartPIN, Account: north, AccountName: "ea-north@x.example"}, {Name: "four", Kind: register.PartBinder}}}
	p.held(r, "halligan.yaml")
	got := p.b.String()
	if strings.Count(got, "ea-north@x.example") != 1 || strings.Index(got, "three:") > strings.Index(got, "two:") || !strings.Contains(got, "No account") {
		t.Errorf("got\n%s", got)
	}
}
