package facts_test

import (
	"slices"
	"testing"

	"halligan/entra"
	"halligan/lockout/facts"
)

const portal = entra.ID("c44b4083-3bb0-49c1-b47d-974e53cbdf3c")

func TestGoals(t *testing.T) {
	var names []string
	for _, g := range facts.Goals() {
		names = append(names, g.Name)
	}
	want := []string{"entraAdminCenter", "azurePortal", "m365AdminCenter", "graphPowerShell", "azureCliWrite"}
	if !slices.Equal(names, want) {
		t.Errorf("goals: got %v, want %v", names, want)
	}
	a, _ := facts.LookupGoal("entraAdminCenter")
	b, _ := facts.LookupGoal("azurePortal")
	if a.Client != portal || a.Client != b.Client || !slices.Equal(a.Audiences, b.Audiences) || len(a.Audiences) != 4 {
		t.Errorf("the Entra admin center and the Azure portal differ: %+v, %+v", a, b)
	}
	if a.MandatoryMFA != "phase1" || a.Status != facts.StatusInferred {
		t.Errorf("entraAdminCenter: got %q, %q", a.MandatoryMFA, a.Status)
	}
	a.Audiences[0] = "changed"
	if again, _ := facts.LookupGoal("entraAdminCenter"); again.Audiences[0] != portal {
		t.Error("a caller changed the data")
	}
	if _, ok := facts.LookupGoal("recover:entraAdminCenter"); ok {
		t.Error("a recover goal is no goal of its own")
	}
}

func TestStrengths(t *testing.T) {
	for id, n := range map[entra.ID]int{"00000000-0000-0000-0000-000000000002": 19, "00000000-0000-0000-0000-000000000003": 4, "00000000-0000-0000-0000-000000000004": 3} {
		s, ok := facts.BuiltInStrength(id)
		if !ok || len(s.Combinations) != n || s.PolicyType != "builtIn" || !s.ConfigurationsRead {
			t.Errorf("%s: got %d combinations, %+v", id, len(s.Combinations), s)
		}
	}
	if _, ok := facts.BuiltInStrength("00000000-0000-0000-0000-000000000001"); ok {
		t.Error("a strength that does not exist was found")
	}
	in := func(c ...entra.CombinationMode) bool {
		return slices.ContainsFunc(facts.MFACombinations(), func(x entra.Combination) bool { return slices.Equal(x, entra.Combination(c)) })
	}
	for _, m := range []entra.CombinationMode{"password", "sms", "qrCodePin", "email", "x509CertificateSingleFactor", "federatedSingleFactor"} {
		if in(m) {
			t.Errorf("%s alone is not multifactor authentication", m)
		}
	}
	if !in("fido2") || !in("password", "hardwareOath") || in("federatedSingleFactor", "x509CertificateMultiFactor") {
		t.Error("the multifactor combinations are not those of ca-semantics 3.2")
	}
	if !facts.GraphPagesOnly(entra.Combination{"x509CertificateSingleFactor", "password"}) || facts.GraphPagesOnly(entra.Combination{"fido2"}) {
		t.Error("GraphPagesOnly is about password and certificate only")
	}
}

func TestServiceGroupsNeverHoldTheAPIs(t *testing.T) {
	for _, token := range []string{"Office365", "microsoftadminportals"} {
		apps, ok := facts.ServiceGroup(token)
		if !ok || !slices.Contains(apps, "00000006-0000-0ff1-ce00-000000000000") {
			t.Errorf("%s: got %v, want it to hold the Microsoft 365 portal", token, apps)
		}
		for _, api := range []entra.ID{"00000003-0000-0000-c000-000000000000", "00000002-0000-0000-c000-000000000000", "797f4846-ba00-4fd7-ba43-dac1f8f63013"} {
			if slices.Contains(apps, api) {
				t.Errorf("%s holds the API %s", token, api)
			}
		}
		if slices.Contains(apps, portal) != (token != "Office365") {
			t.Errorf("%s and the Azure portal: got %v", token, apps)
		}
	}
	arm, _ := facts.ServiceGroup("797F4846-BA00-4FD7-BA43-DAC1F8F63013")
	if !slices.Contains(arm, portal) || len(arm) != 5 {
		t.Errorf("Windows Azure Service Management API: got %v", arm)
	}
	if _, ok := facts.ServiceGroup("All"); ok {
		t.Error("All is no service group")
	}
}

func TestRoles(t *testing.T) {
	if got := facts.RoleName("62E90394-69F5-4237-9190-012177145E10"); got != "Global Administrator" {
		t.Errorf("got %q", got)
	}
	if got := facts.RoleName("custom"); got != "custom" {
		t.Errorf("got %q", got)
	}
	rec := facts.RecoveryRoles()
	if len(rec) != 3 || rec[0] != "62e90394-69f5-4237-9190-012177145e10" {
		t.Errorf("recovery roles: got %v", rec)
	}
	n := 0
	for _, r := range facts.Roles() {
		if r.SecurityDefaultsMFA {
			n++
		}
	}
	if n != 17 || len(facts.Roles()) < 120 {
		t.Errorf("%d roles, %d asked for MFA by security defaults", len(facts.Roles()), n)
	}
}

func TestDates(t *testing.T) {
	for id, want := range map[string]string{"smsVoiceRetirement": "2027-02-01", "customControlsRetirement": "2027-01-01", "fido2LegacyProperties": "2027-10-15",
		"legacyRiskPoliciesRetired": "2026-10-01", "approvedClientAppReadOnly": "2026-06-30", "lowPrivilegeScopes": "2026-06-15"} {
		if d := facts.Date(id); d.Date != want || d.Text == "" || d.Source == "" || d.PageDate == "" {
			t.Errorf("%s: got %+v, want %s", id, d, want)
		}
	}
	list := facts.Dates()
	if !slices.IsSortedFunc(list, func(a, b facts.VendorDate) int {
		if a.Date < b.Date {
			return -1
		}
		return 0
	}) {
		t.Errorf("dates are not in order: %v", list)
	}
	defer func() {
		if recover() == nil {
			t.Error("a date that does not exist must not be read as never")
		}
	}()
	facts.Date("never")
}

func TestRules(t *testing.T) {
	for id, want := range map[string]string{"audience-set": "inferred", "two-keys-one-session": "unknown", "eligible-role-not-matched": "inferred", "unmodelled": "unknown"} {
		if r := facts.Rule(id); r.Status != want || r.Source == "" {
			t.Errorf("%s: got %+v, want %s", id, r, want)
		}
	}
	if r := facts.Rule("no-such-rule"); r.Status != facts.StatusUnknown || r.Text == "" {
		t.Errorf("a rule that is not described: got %+v", r)
	}
}

func TestStaleOn(t *testing.T) {
	if got := facts.StaleOn("2027-11-21"); len(got) != 0 {
		t.Errorf("twelve months to the day: got %v", got)
	}
	if got := facts.StaleOn("2027-11-22"); len(got) != 6 || got[0] != "data/dates.json" {
		t.Errorf("a day later: got %v", got)
	}
	for _, d := range []string{"", "soon"} {
		if got := facts.StaleOn(d); got != nil {
			t.Errorf("%q: got %v", d, got)
		}
	}
}
