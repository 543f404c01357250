package app

import (
	"testing"

	"halligan/entra"
	"halligan/lockout"
)

// A proof that the checker refuses is no proof, whatever the prover says.
func TestRefusedCertificateIsNoProof(t *testing.T) {
	text := `{"value":[{"id":"p1","displayName":"CA001","state":"enabled","conditions":{"users":{"includeUsers":["All"],"excludeUsers":["bg1"]},
		"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["block"]}}]}`
	read, err := entra.Read(entra.Source{Name: "policies.json", Data: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	snap, err := lockout.Suppose(read, "bg1", []string{"member=none", "role=GlobalAdministrator", "key=any", "methods=default", "ordinary"})
	if err != nil {
		t.Fatal(err)
	}
	goal, _ := lockout.ResolveGoal("entraAdminCenter")
	q := lockout.Question{Account: "bg1", Goal: goal}
	for name, falsify := range map[string]func(*lockout.Certificate){
		"as it is":           func(*lockout.Certificate) {},
		"a line is left out": func(c *lockout.Certificate) { c.Lines = c.Lines[1:] },
		"another route":      func(c *lockout.Certificate) { c.Lines[0].Route.ID = "bg2" },
	} {
		t.Run(name, func(t *testing.T) {
			v, err := lockout.New(snap).Prove(q)
			if err != nil || v.Outcome != lockout.Proved {
				t.Fatalf("got %s, %v; want PROVED", v.Outcome, err)
			}
			falsify(v.Certificate)
			if err := check(snap, q, &v); err != nil {
				t.Fatal(err)
			}
			if name == "as it is" {
				if v.Outcome != lockout.Proved || v.Certificate == nil {
					t.Errorf("got %s, want it PROVED still", v.Outcome)
				}
				return
			}
			if v.Outcome != lockout.Undetermined || v.Certificate != nil || len(v.Unknowns) != 1 || v.Unknowns[0].ID != "certificate-refused" {
				t.Errorf("got %s with %+v, want UNDETERMINED because it was refused", v.Outcome, v.Unknowns)
			}
		})
	}
}
