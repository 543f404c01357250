package lockout_test

import (
	"errors"
	"strings"
	"testing"

	"halligan/entra"
	"halligan/lockout"
)

func onePolicy(edit func(*entra.Policy)) *entra.Snapshot {
	p := entra.Policy{ID: "p1", DisplayName: "p1", State: entra.StateEnabled, Grant: entra.Grant{Operator: entra.OperatorOr, Controls: []entra.GrantControl{entra.ControlBlock}}}
	p.Conditions.Users.IncludeUsers = []entra.ID{"All"}
	p.Conditions.Users.ExcludeGroups = []entra.ID{"g1"}
	p.Conditions.Applications.Include = []entra.ID{"All"}
	if edit != nil {
		edit(&p)
	}
	return entra.NewSnapshot(entra.Content{Parts: map[entra.Part]entra.PartState{entra.PartPolicies: {Status: entra.StatusRead}}, Policies: []entra.Policy{p}})
}

func proveSupposing(t *testing.T, s *entra.Snapshot, exprs ...string) lockout.Verdict {
	t.Helper()
	s, err := lockout.Suppose(s, "bg1", exprs)
	if err != nil {
		t.Fatal(err)
	}
	g, _ := lockout.ResolveGoal("entraAdminCenter")
	v, err := lockout.New(s).Prove(lockout.Question{Account: "bg1", Goal: g})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSuppositionsFillInWhatWasNotRead(t *testing.T) {
	all := []string{"member=g1", "role=GlobalAdministrator", "key=any", "methods=default", "ordinary"}
	for i := range all {
		some := append(append([]string{}, all[:i]...), all[i+1:]...)
		v := proveSupposing(t, onePolicy(nil), some...)
		if all[i] == "role=GlobalAdministrator" { // a plain sign-in asks for no role here
			continue
		}
		if v.Outcome != lockout.Undetermined || len(v.Unknowns) == 0 {
			t.Errorf("without %s: got %s with %d unknowns, want UNDETERMINED that says what is missing", all[i], v.Outcome, len(v.Unknowns))
		}
	}
	v := proveSupposing(t, onePolicy(nil), all...)
	if v.Outcome != lockout.Proved || len(v.Supposing) != len(all) {
		t.Errorf("got %s supposing %d, want PROVED supposing %d", v.Outcome, len(v.Supposing), len(all))
	}
	for _, s := range v.Supposing {
		if len(s.Meaning) < 10 {
			t.Errorf("supposition %q has no meaning: %q", s.Expression, s.Meaning)
		}
	}
	if v := proveSupposing(t, onePolicy(nil), "member=none", "role=none", "key=any", "methods=default", "ordinary"); v.Outcome != lockout.Lockout {
		t.Errorf("a member of no group: got %s, want LOCKOUT", v.Outcome)
	}
}

func TestASupposedLocationSettlesAnUnreadOne(t *testing.T) {
	s := onePolicy(func(p *entra.Policy) {
		p.Conditions.Locations = &entra.Locations{Include: []entra.ID{"All"}, Exclude: []entra.ID{"hq"}}
	})
	base := []string{"member=none", "role=GA", "key=any", "methods=default", "ordinary"}
	if v := proveSupposing(t, s, base...); v.Outcome != lockout.Undetermined {
		t.Errorf("unread location: got %s", v.Outcome)
	}
	v := proveSupposing(t, s, append(base, "location=hq:198.51.100.0/24+2001:db8::/32:trusted")...)
	if v.Outcome != lockout.Lockout || v.Counterexample.Point[lockout.DimIP] != "" {
		t.Errorf("supposed location: got %s at %v, want LOCKOUT outside it", v.Outcome, v.Counterexample)
	}
}

func TestWhatCannotBeSupposed(t *testing.T) {
	read := entra.NewSnapshot(entra.Content{
		Parts:         map[entra.Part]entra.PartState{entra.PartRoleAssignments: {Status: entra.StatusRead}},
		Accounts:      []entra.Account{{ID: "bg1", MembersRead: true, MethodsRead: true}},
		MethodsPolicy: &entra.MethodsPolicy{}, Locations: []entra.NamedLocation{{ID: "hq"}},
	})
	for _, expr := range []string{"", "membr=g1", "member", "member=", "ordinary=yes", "role=Emperor", "key=12", "method=telepathy", "methods=strict", "licence=E9",
		"location=hq", "location=x:300.0.0.0/8", "location=x:1.2.3.0/24+DE", "terms=never", "baseline-scopes=maybe", "registration=in-scope", "strength=x"} {
		_, err := lockout.Suppose(onePolicy(nil), "bg1", []string{expr})
		var se *lockout.SupposeError
		if !errors.As(err, &se) || se.Hint() == "" {
			t.Errorf("%q: got %v, want an error with a hint", expr, err)
		}
	}
	for _, expr := range []string{"member=g1", "role=GA", "key=any", "method=password", "methods=default", "location=hq:1.2.3.0/24"} {
		if _, err := lockout.Suppose(read, "bg1", []string{expr}); err == nil || !strings.Contains(err.Error(), "read") {
			t.Errorf("%q overrules what was read: %v", expr, err)
		}
	}
}

func TestSuppositionsLeaveTheSnapshotAlone(t *testing.T) {
	s := onePolicy(nil)
	before := s.Digest()
	if _, err := lockout.Suppose(s, "bg1", []string{"member=g1", "key=any", "ordinary", "methods=default", "role=GA"}); err != nil {
		t.Fatal(err)
	}
	if again := entra.NewSnapshot(s.Content()); again.Digest() != before {
		t.Error("a supposition changed the Snapshot it was made on")
	}
}

func FuzzSuppose(f *testing.F) {
	for _, form := range lockout.SuppositionForms() {
		f.Add(form[0])
	}
	f.Add("location=a:10.0.0.0/8:trusted")
	f.Fuzz(func(t *testing.T, expr string) {
		s, err := lockout.Suppose(onePolicy(nil), "bg1", []string{expr})
		if err == nil && len(s.View().Supposed) != 1 {
			t.Errorf("%q was accepted and is not printed", expr)
		}
	})
}

func TestCandidatesAreProposedByExclusion(t *testing.T) {
	s := onePolicy(func(p *entra.Policy) { p.Conditions.Users.ExcludeUsers = []entra.ID{"All", "u1", "None"} })
	got := lockout.Candidates(s, 5)
	if len(got) != 2 || got[0].ID != "g1" && got[1].ID != "g1" {
		t.Errorf("got %+v, want group g1 and user u1", got)
	}
	if len(lockout.Candidates(s, 1)) != 1 {
		t.Error("the limit is not kept")
	}
}
