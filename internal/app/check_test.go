package app

import (
	"testing"

	"halligan/entra"
	"halligan/lockout"
)

func TestARefusedCertificateProvesNothing(t *testing.T) {
	p := entra.Policy{ID: "p1", DisplayName: "p1", State: entra.StateEnabled, Grant: entra.Grant{Controls: []entra.GrantControl{entra.ControlBlock}}}
	p.Conditions.Users.IncludeUsers, p.Conditions.Users.ExcludeUsers = []entra.ID{"All"}, []entra.ID{"bg1"}
	p.Conditions.Applications.Include = []entra.ID{"All"}
	s := entra.NewSnapshot(entra.Content{Parts: map[entra.Part]entra.PartState{entra.PartPolicies: {Status: entra.StatusRead}}, Policies: []entra.Policy{p}})
	s, err := lockout.Suppose(s, "bg1", []string{"member=none", "role=GA", "key=any", "methods=default", "ordinary"})
	if err != nil {
		t.Fatal(err)
	}
	g, _ := lockout.ResolveGoal("entraAdminCenter")
	q := lockout.Question{Account: "bg1", Goal: g}
	for _, c := range []struct {
		name  string
		spoil func(*lockout.Certificate)
		want  lockout.Outcome
	}{
		{"the proof as it is", func(*lockout.Certificate) {}, lockout.Proved},
		{"a proof about another policy", func(c *lockout.Certificate) { c.Lines[0].Policy = "p2" }, lockout.Undetermined},
		{"a proof with a route that does not exist", func(c *lockout.Certificate) { c.Lines[0].Route.ID = "g9" }, lockout.Undetermined},
		{"a proof of another Snapshot", func(c *lockout.Certificate) { c.Snapshot = "0000" }, lockout.Undetermined},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := lockout.New(s).Prove(q)
			if err != nil || v.Outcome != lockout.Proved {
				t.Fatalf("got %s %v, want PROVED", v.Outcome, err)
			}
			c.spoil(v.Certificate)
			if err := check(s, q, &v); err != nil {
				t.Fatal(err)
			}
			if v.Outcome != c.want || c.want == lockout.Undetermined && (v.Certificate != nil || len(v.Unknowns) != 1) {
				t.Errorf("got %s with certificate %v, want %s", v.Outcome, v.Certificate != nil, c.want)
			}
		})
	}
}
