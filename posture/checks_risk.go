package posture

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"halligan/entra"
	"halligan/lockout/facts"
	"halligan/register"
)

const pageRiskPolicies = "entra-docs concept-identity-protection-policies"

var checksRisk = []Check{
	{ID: "risk-user-state", Theme: ThemeRisk, Severity: Critical, PerAccount: true, Licence: LicenceP2,
		Title:      "Nobody takes the account for compromised",
		Why:        []string{"S62", "petri.com/microsoft-entra-id-mace-credential-revocation-lockouts", "entra-docs howto-identity-protection-remediate-unblock"},
		References: []string{"SCuBA MS.AAD.2.2 (notify)"},
		Reads:      []entra.Part{entra.PartRiskyUsers, entra.PartRiskDetections},
		Fix: Fix{Portal: []string{"Entra admin center > ID Protection > Risky users > the account: look at the detections, treat a leaked credential as an incident", "when it is a false alarm: Dismiss user risk", "change the password, enrol the keys anew if one was touched"},
			Graph: []string{`POST /identityProtection/riskyUsers/dismiss {"userIds": ["…"]}`}},
		Judge: judgeRiskState},
	{ID: "risk-policies-excluded", Theme: ThemeRisk, Severity: Critical, PerAccount: true, Licence: LicenceP2, Attestable: true,
		Title:      "No policy on risk stops the account",
		Why:        []string{"S62: a false alarm must not lock out", pageRiskPolicies, "github.com/maester365/maester/issues/94"},
		References: []string{"Maester pull request 2173 (tolerates)", "Guardrails GR2", "ASD Blueprint issue 8"},
		Fix: Fix{Portal: []string{exclude, "ID Protection > User risk policy and Sign-in risk policy (retired): off, or exclude the accounts"},
			Graph: []string{graphExcl}, Command: []string{proveIt, `halligan attest risk-policies-excluded --by NAME --until DATE --note "looked at the legacy risk policies"`}},
		Judge: judgeRiskPolicies},
	{ID: "risk-signin-fails", Theme: ThemeRisk, Severity: High, PerAccount: true, Licence: LicenceP1, Setting: "failedSignIns",
		Title:      "Nobody tries the account's password",
		Why:        []string{"S87", "entra-docs howto-password-smart-lockout: ten failures lock the password"},
		References: []string{"azd-emergency-access"},
		Reads:      []entra.Part{entra.PartSignIns},
		Fix: Fix{Portal: []string{"Entra admin center > Users > the account > Sign-in logs: from where, with what", "open an incident; rename the account if its name is known outside"},
			Graph: []string{"GET /auditLogs/signIns?$filter=userId eq '{id}' and status/errorCode ne 0", `PATCH /users/{id} {"userPrincipalName": "…"}`}},
		Judge: judgeFailedSignIns},
}

// riskEnded are the states in which a risk no longer counts (graph: riskState).
var riskEnded = []string{"none", "confirmedSafe", "remediated", "dismissed"}

func judgeRiskState(c *Case) Result {
	var out []Result
	users, _ := c.Snapshot.Of(entra.PartRiskyUsers, c.Subject.ID)
	for _, u := range users {
		state := u.Str("riskState")
		ev := c.user(c.Subject.ID, fmt.Sprintf("riskState %s, riskLevel %s, %s", state, u.Str("riskLevel"), u.Str("riskDetail")))
		switch {
		case strings.EqualFold(state, "atRisk"), strings.EqualFold(state, "confirmedCompromised"):
			out = append(out, fail("the account counts as %s", state).on(ev))
		case state == "":
			out = append(out, c.missing(entra.PartRiskyUsers, "riskState", ""))
		case !slices.ContainsFunc(riskEnded, func(x string) bool { return strings.EqualFold(x, state) }):
			out = append(out, unknown("the risk state %q is not known here", state).on(ev))
		}
	}
	detections, _ := c.Snapshot.Of(entra.PartRiskDetections, c.Subject.ID)
	for _, d := range detections {
		kind, state := d.Str("riskEventType"), d.Str("riskState")
		switch {
		case kind == "":
			out = append(out, c.missing(entra.PartRiskDetections, "riskEventType", ""))
		case !strings.EqualFold(kind, "leakedCredentials"):
		case state == "":
			out = append(out, c.missing(entra.PartRiskDetections, "riskState", ""))
		case !slices.ContainsFunc(riskEnded, func(x string) bool { return strings.EqualFold(x, state) }):
			out = append(out, fail("the account's password was found among leaked credentials").
				on(Evidence{ID: string(d.ID()), Name: kind, Detail: "detected " + d.Str("detectedDateTime") + ", " + state}))
		}
	}
	return merge(pass("no risk is known"), out...)
}

// judgeRiskPolicies: a policy on risk that the account's key satisfies stops
// nobody. A demanded change of password is another thing: it asks for a password
// that was discarded, or makes the sealed copy stale.
func judgeRiskPolicies(c *Case) Result {
	if r := c.unjudged(); r != nil {
		return *r
	}
	var more []Result
	for _, p := range c.reaching(entra.StateEnabled) {
		if conditionOwner(p) != c.Check.ID || !slices.Contains(p.Grant.Controls, entra.ControlPasswordChange) || !c.conditionFits(p) {
			continue
		}
		if c.reach(p) == maybe {
			more = append(more, c.unreachable(p))
			continue
		}
		what := "makes the sealed copy stale"
		if c.Registered.Password == register.PasswordDiscarded {
			what = "asks for a password that nobody has"
		}
		more = append(more, fail("policy %q demands a change of password at risk, which %s", p.Label(), what).on(policyEvidence(p, "passwordChange")))
	}
	// No Graph property tells of the legacy policies; Microsoft has retired them.
	if d := facts.Date("legacyRiskPoliciesRetired"); d.Date > string(c.Today()) {
		more = append(more, unknown("whether the legacy risk policies of ID Protection reach the account is not in Graph until they are retired").
			on(vendorDate("legacyRiskPoliciesRetired")))
	}
	return c.judgeHarms(pass("no policy on risk stops the account"), more...)
}

// interrupts are codes of sign-ins that go on: a second factor, a device, consent
// or another method is asked for, or the person is asked to stay signed in
// (entra-docs reference-error-codes).
var interrupts = []int{50055, 50072, 50074, 50076, 50079, 50097, 50125, 50129, 50140, 50143, 50144, 50158, 65001}

// signInDays is how far back failed sign-ins count: what Microsoft Entra keeps
// without a licence, so that every tenant is judged alike.
const signInDays = 7

func judgeFailedSignIns(c *Case) Result {
	list, _ := c.Snapshot.Of(entra.PartSignIns, c.Subject.ID)
	most := c.Settings.FailedSignIns
	failed, addresses, open := 0, map[string]int{}, ""
	for _, s := range list {
		at, known := s.Time("createdDateTime")
		if !known || at.IsZero() {
			open = "createdDateTime"
			continue
		}
		code, known := s.Int("status.errorCode")
		switch {
		case c.Now.Sub(at) > signInDays*24*time.Hour:
		case !known:
			open = "status.errorCode"
		case code == 0 || slices.Contains(interrupts, code) || c.declared(at):
		default:
			failed++
			addresses[s.Str("ipAddress")]++
		}
	}
	switch {
	case failed >= most:
		r := fail("%d failed sign-ins within %d days", failed, signInDays)
		for ip, n := range addresses {
			r = r.on(Evidence{ID: ip, Detail: fmt.Sprintf("%d failures", n)})
		}
		slices.SortFunc(r.Evidence, func(a, b Evidence) int { return strings.Compare(a.ID, b.ID) })
		return r
	case open != "":
		return c.missing(entra.PartSignIns, open, "")
	}
	return pass("%d failed sign-ins within %d days, fewer than %d", failed, signInDays, most)
}

// declared reports whether a time lies in a window that was announced for the
// account: people mistype in drills too.
func (c *Case) declared(at time.Time) bool {
	return slices.ContainsFunc(c.Records.Windows, func(w Window) bool {
		return w.Account.Equal(c.Subject.ID) && w.covers(at)
	})
}
