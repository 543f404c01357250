package main

import (
	"os"
	"path/filepath"
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

// Where no evidence is found, the checks tell a register that never had any from one
// whose evidence was moved away, or is looked for in the wrong place.
func TestEvidenceThatMustBeSomewhereWasNotRead(t *testing.T) {
	const tenant = "8c1f2a30-4b5d-4e6f-8a7b-9c0d1e2f3a4b"
	people := register.Register{Tenant: register.Tenant{ID: tenant}, Quorum: register.Quorum{People: 2}, People: []register.Person{{Name: "Ana Weiss", Roles: []register.Role{register.RoleApprover}}},
		Parts: []register.Part{{Kind: register.PartShare, Set: "monthly"}}}
	signing, sets, elsewhere := people, people, people
	signing.People = []register.Person{{Name: "Ana Weiss", Signing: "ssh-ed25519 AAAA"}}
	sets.Parts = []register.Part{{Kind: register.PartShare, Set: "0011AABB22cc33dd"}}
	elsewhere.Evidence.Store = "/srv/evidence.db"
	for name, tt := range map[string]struct {
		r     register.Register
		store string
		seen  bool // this account has a file of the logs that it knows
		want  string
	}{
		"nothing tells of evidence":       {r: people},
		"no tenant":                       {r: register.Register{}},
		"the register says where":         {r: elsewhere, want: "there is none in /srv/evidence.db"},
		"somebody says where":             {r: people, store: "postgres://ana:secret@db.example/evidence", want: "there is none in postgres://"},
		"this account has seen it":        {r: people, seen: true, want: "this account has seen it before"},
		"it sealed a set":                 {r: sets, want: "names sealed sets"},
		"it keeps requests of signatures": {r: signing, want: "keys with which requests are signed"},
	} {
		home := t.TempDir()
		if tt.seen {
			if err := os.MkdirAll(filepath.Join(home, tenant), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(home, tenant, "known-logs.json"), []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c := &console{getenv: func(name string) string { return map[string]string{"HALLIGAN_HOME": home}[name] }}
		got := c.begunElsewhere(&tt.r, &placeFlags{store: tt.store})
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) || strings.Contains(got, "secret") {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
