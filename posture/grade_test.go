package posture_test

import (
	"testing"

	"halligan/entra"
	"halligan/lockout"
	"halligan/posture"
	"halligan/register"
)

// One thing at a time keeps a tenant from being green.
func TestTheGradeIsNeverTooGood(t *testing.T) {
	proved := []lockout.Verdict{{Outcome: lockout.Proved}}
	good := func() (*posture.Input, []posture.Finding) {
		in := &posture.Input{Register: &register.Register{Accounts: []register.Account{{ID: "a"}, {ID: "b"}}},
			Accounts: []posture.Subject{{ID: "A", Verdicts: proved}, {ID: "b", Verdicts: proved}}}
		var findings []posture.Finding
		for _, s := range posture.Severities {
			findings = append(findings, posture.Finding{Check: &posture.Check{ID: string(s), Severity: s}, Result: posture.Result{Status: posture.Pass}})
		}
		return in, findings
	}
	status := func(severity int, s posture.Status) func(*posture.Input, []posture.Finding) {
		return func(_ *posture.Input, f []posture.Finding) { f[severity].Status = s }
	}
	for name, c := range map[string]struct {
		change func(*posture.Input, []posture.Finding)
		want   posture.Grade
	}{
		"nothing":                        {func(*posture.Input, []posture.Finding) {}, posture.Green},
		"a medium check fails":           {status(2, posture.Fail), posture.Green},
		"a low check cannot be told":     {status(3, posture.Indeterminate), posture.Green},
		"a critical check fails":         {status(0, posture.Fail), posture.Red},
		"a critical check is open":       {status(0, posture.Indeterminate), posture.Amber},
		"a critical check is attested":   {status(0, posture.Attested), posture.Amber},
		"a critical risk is accepted":    {status(0, posture.AcceptedRisk), posture.Amber},
		"a critical check is not set up": {status(0, posture.NotSetUp), posture.Amber},
		"a high check fails":             {status(1, posture.Fail), posture.Amber},
		"a high check is open":           {status(1, posture.Indeterminate), posture.Amber},
		"a high check is not set up":     {status(1, posture.NotSetUp), posture.Amber},
		"a high risk is accepted":        {status(1, posture.AcceptedRisk), posture.Amber},
		"an account can be locked out": {func(in *posture.Input, _ []posture.Finding) {
			in.Accounts[0].Verdicts = []lockout.Verdict{{Outcome: lockout.Proved}, {Outcome: lockout.Lockout}}
		}, posture.Red},
		"a verdict is open": {func(in *posture.Input, _ []posture.Finding) {
			in.Accounts[1].Verdicts = []lockout.Verdict{{Outcome: lockout.Undetermined}}
		}, posture.Amber},
		"a verdict is supposing": {func(in *posture.Input, _ []posture.Finding) {
			in.Accounts[1].Verdicts = []lockout.Verdict{{Outcome: lockout.Proved, Supposing: []entra.Supposition{{Expression: "key=any"}}}}
		}, posture.Amber},
		"an account was not proved":           {func(in *posture.Input, _ []posture.Finding) { in.Accounts[1].Verdicts = nil }, posture.Amber},
		"an account is a hypothesis":          {func(in *posture.Input, _ []posture.Finding) { in.Accounts[1].Hypothesis = true }, posture.Amber},
		"a registered account was not judged": {func(in *posture.Input, _ []posture.Finding) { in.Accounts = in.Accounts[:1] }, posture.Amber},
		"one person decides alone":            {func(in *posture.Input, _ []posture.Finding) { in.Register.Quorum.People = 1 }, posture.Amber},
		"one person decides, with somebody outside": {func(in *posture.Input, _ []posture.Finding) {
			in.Register.Quorum = register.Quorum{People: 1, Outside: "Notary Kern"}
		}, posture.Amber},
		"two people decide": {func(in *posture.Input, _ []posture.Finding) { in.Register.Quorum.People = 2 }, posture.Green},
		"nobody was judged": {func(in *posture.Input, _ []posture.Finding) { in.Accounts, in.Register = nil, nil }, posture.Amber},
	} {
		t.Run(name, func(t *testing.T) {
			in, findings := good()
			c.change(in, findings)
			got, reasons := posture.GradeOf(in, findings)
			if got != c.want || (got == posture.Green) != (len(reasons) == 0) {
				t.Errorf("got %s %q, want %s", got, reasons, c.want)
			}
		})
	}
}

// A person's word does not stand in for what could be read, and it ends.
func TestAnAttestationAnswersOnlyWhatDataCannot(t *testing.T) {
	base := baseWorld(t)
	for name, c := range map[string]struct {
		steps []step
		deny  []entra.Part
		want  posture.Status
	}{
		"valid":             {want: posture.Attested},
		"the day has come":  {steps: []step{{Place: "register/attestations/check=gov-iac-drift/until", To: "2026-11-20"}}, want: posture.Attested},
		"the day has gone":  {steps: []step{{Place: "register/attestations/check=gov-iac-drift/until", To: "2026-11-19"}}, want: posture.Indeterminate},
		"dated tomorrow":    {steps: []step{{Place: "register/attestations/check=gov-iac-drift/on", To: "2026-11-21"}}, want: posture.Indeterminate},
		"none":              {steps: []step{{Place: "register/attestations/check=gov-iac-drift", Remove: true}}, want: posture.Indeterminate},
		"about one account": {steps: []step{{Place: "register/attestations/check=gov-iac-drift/account", To: "11111111-1111-4111-8111-111111111111"}}, want: posture.Indeterminate},
	} {
		t.Run(name, func(t *testing.T) {
			got := judge(t, changed(t, base, checkCase{Name: name, Steps: c.steps, Deny: c.deny}))
			expect(t, name, worst(got, "gov-iac-drift"), c.want)
		})
	}
	// A check that reads is not attested away when the reading was denied.
	w := changed(t, base, checkCase{Steps: []step{
		{Place: "register/accounts/id=11111111-1111-4111-8111-111111111111/pattern", To: "oath"},
		{Place: "register/attestations", Add: map[string]any{"check": "am-oath-alternate", "by": "Olga Berg", "on": "2026-11-01", "until": "2027-01-01", "note": "looked"}},
	}, Deny: []entra.Part{entra.PartAccounts}})
	expect(t, "denied", worst(judge(t, w), "am-oath-alternate"), posture.Indeterminate)
}

// A risk is accepted from a day until a day, by somebody else than its owner,
// while what makes up for it passes.
func TestARiskIsAcceptedOnlyWhileItIsMadeUpFor(t *testing.T) {
	base := changed(t, baseWorld(t), checkCase{Steps: []step{
		{Place: "snapshot/objects/part=users,subject=11111111-1111-4111-8111-111111111111/raw/mail", To: "x@harbourlight.example"},
		{Place: "register/accepted", To: []any{map[string]any{"check": "id-no-licence", "reason": "on order", "owner": "Olga Berg", "approver": "Per Dahl", "on": "2026-11-01", "until": "2026-12-31", "compensating": []any{"id-enabled"}}}},
	}})
	for name, c := range map[string]struct {
		steps []step
		want  posture.Status
	}{
		"valid":                             {nil, posture.AcceptedRisk},
		"ended":                             {[]step{{Place: "register/accepted/0/until", To: "2026-11-19"}}, posture.Fail},
		"not begun":                         {[]step{{Place: "register/accepted/0/on", To: "2026-11-21"}}, posture.Fail},
		"approved by the owner":             {[]step{{Place: "register/accepted/0/approver", To: "olga  berg"}}, posture.Fail},
		"about another account":             {[]step{{Place: "register/accepted/0/account", To: "22222222-2222-4222-8222-222222222222"}}, posture.Fail},
		"what makes up for it fails":        {[]step{{Place: "snapshot/users/id=11111111-1111-4111-8111-111111111111/enabled", To: false}}, posture.Fail},
		"what makes up for it is unknown":   {[]step{{Place: "snapshot/users/id=11111111-1111-4111-8111-111111111111/enabled", Remove: true}}, posture.Fail},
		"another account's does not matter": {[]step{{Place: "snapshot/users/id=22222222-2222-4222-8222-222222222222/enabled", To: false}}, posture.AcceptedRisk},
		"nothing makes up for it":           {[]step{{Place: "register/accepted/0/compensating", To: []any{}}}, posture.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, name, worst(judge(t, changed(t, base, checkCase{Name: name, Steps: c.steps})), "id-no-licence"), c.want)
		})
	}
}
