package lockout

import (
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout/facts"
)

func roleName(id entra.ID) string { return facts.RoleName(id) }

// lines tells of every policy and gate what it means for the account: the row
// of the account × policy matrix.
func (p *Prover) lines(q *Question, a *account, adverse *problem, v *Verdict) {
	denies := map[string][]denialNote{}
	for o, list := range adverse.bad {
		for i := range list {
			c := &adverse.causes[list[i].cause]
			denies[c.Source] = append(denies[c.Source], denialNote{o, c, list[i].why})
		}
	}
	blocking := map[string]bool{}
	if v.Counterexample != nil && v.Outcome == Lockout {
		for _, c := range v.Counterexample.Causes {
			blocking[c.Source] = true
		}
	}
	for _, pol := range p.policies {
		v.Policies = append(v.Policies, p.policyLine(q, a, adverse, pol, denies[string(pol.policy.ID)], blocking[string(pol.policy.ID)]))
	}
	p.gateLines(q, a, adverse, denies, v)
}

type denialNote struct {
	option int
	cause  *Cause
	why    []int
}

func (p *Prover) policyLine(q *Question, a *account, pr *problem, pol *compiled, notes []denialNote, blocking bool) PolicyLine {
	l := PolicyLine{Policy: string(pol.policy.ID), Name: pol.policy.Label(), State: string(pol.policy.State), File: pol.policy.Origin.File, Line: pol.policy.Origin.Line}
	if l.State == "" {
		l.State = "unknown"
	}
	l.Routes = p.routes(a, pol, "")
	for _, n := range notes {
		if !slices.Contains(l.Controls, n.cause.Control) {
			l.Controls = append(l.Controls, n.cause.Control)
		}
	}
	var why []int
	certain := false
	everyOption := map[int]bool{}
	for _, n := range notes {
		why = join(why, n.why)
		certain = certain || len(n.why) == 0
		everyOption[n.option] = true
	}
	l.Unknowns = p.unknowns.pick(why)
	switch {
	case len(notes) > 0 && (certain || blocking):
		l.Relation = RelBlocks
		l.Why = "where it applies, it " + controlsPhrase(l.Controls)
		if certain && len(l.Unknowns) > 0 && !blocking {
			l.Unknowns = nil
		}
		if len(everyOption) < len(pr.options) {
			l.Why += fmt.Sprintf(" (in %d of %d choices of kit, client or role)", len(everyOption), len(pr.options))
		}
	case len(notes) > 0:
		l.Relation = RelUnknown
		l.Why = "not known: " + l.Unknowns[0].What
	default:
		p.harmless(q, a, pr, pol, &l)
	}
	return l
}

func controlsPhrase(controls []string) string {
	var out []string
	for _, c := range controls {
		phrase := controlPhrases[c]
		if phrase == "" {
			phrase = "demands " + c + ", which is not modelled"
		}
		out = append(out, phrase)
	}
	return strings.Join(out, "; ")
}

// harmless says why a policy denies nothing.
func (p *Prover) harmless(q *Question, a *account, pr *problem, pol *compiled, l *PolicyLine) {
	l.Controls = nil
	inc, exc := p.usersMatch(a, pol, "")
	target := sure(false)
	stages := p.stages(q, a, "")
	for i := range stages {
		target = target.or(p.targets(pol, &stages[i]))
	}
	w := &denialWriter{p: p, pr: pr, q: q, a: a, o: &pr.options[0]}
	switch {
	case pol.enabled.v == no:
		l.Relation, l.Why = RelNotEnabled, "it is "+stateName(pol.policy.State)
	case exc.v == yes && len(l.Routes) > 0:
		l.Relation = RelExcluded
		var via []string
		for _, r := range l.Routes {
			via = append(via, r.String())
		}
		l.Why = "excluded " + strings.Join(via, " and ")
		if inc.v == no {
			l.Why = "not included; also " + l.Why
		}
	case inc.v == no:
		l.Relation, l.Why = RelNotInScope, "it does not include the account"
	case target.v == no:
		l.Relation, l.Why = RelNotInScope, "it is for other applications or actions"
	default:
		leaf := &certLeaf{region: pr.cs.full}
		if c := p.disjoint(w, pr, pol, leaf); c != "" {
			l.Relation, l.Why = RelNotInScope, "its condition on "+c+" matches no sign-in of the envelope"
			return
		}
		l.Relation = RelSatisfied
		items, _ := p.certItems(w, pr, &stages[0], pol, leaf)
		l.Why = satisfiedPhrase(items)
		if inc.v == unknown || target.v == unknown || exc.v == unknown {
			l.Why += " (if it applies)"
		}
	}
}

// String tells a route in words.
func (r Route) String() string {
	name := r.Name
	if name == "" {
		name = r.ID
	}
	switch r.Kind {
	case "user":
		return "directly"
	case "group":
		return fmt.Sprintf("through group %q", name)
	case "role":
		return fmt.Sprintf("through role %q", name)
	}
	return "as a guest"
}

func stateName(s entra.PolicyState) string {
	switch s {
	case entra.StateReportOnly:
		return "report-only"
	case entra.StateDisabled:
		return "disabled"
	case entra.StateEnabled:
		return "enabled"
	}
	return "in an unknown state"
}

func satisfiedPhrase(items []CertItem) string {
	if len(items) == 0 {
		return "it asks for nothing that stops a sign-in"
	}
	var out []string
	for _, it := range items {
		by := it.By
		if len(it.Credentials) > 0 {
			by = strings.Join(it.Credentials, " + ")
		}
		s := it.Control
		if by != "" {
			s += " by " + by
		}
		out = append(out, s)
	}
	return "satisfied: " + strings.Join(out, ", ")
}

// gateTitles are the gates in the words of a person.
var gateTitles = map[string]string{
	"accountEnabled": "account enabled", "usableCredential": "usable credential", "groupLimit": "group limit", "federation": "domain not federated",
	"passRegistration": "registration after a pass", "mandatoryMfa": "Microsoft's mandatory MFA", "securityDefaults": "security defaults",
	"perUserMfa": "per-user MFA", "registrationCampaign": "registration campaign", "authService": "sign-in service", "recoveryRole": "role that may change policies",
	"pimActivation": "role activation", "protectedAction": "protected action",
}

// gateLines judges every gate for the option with the fewest denials.
func (p *Prover) gateLines(q *Question, a *account, pr *problem, _ map[string][]denialNote, v *Verdict) {
	best := 0
	for o := range pr.bad {
		if len(pr.bad[o]) < len(pr.bad[best]) {
			best = o
		}
	}
	w := &denialWriter{p: p, pr: pr, q: q, a: a, o: &pr.options[best]}
	for i := range gates {
		g := &gates[i]
		if !q.Goal.Recover && slices.Contains([]string{"recoveryRole", "pimActivation", "protectedAction"}, g.name) {
			continue
		}
		line := GateLine{Gate: g.name, OK: true}
		var why []int
		control := ""
		w.momentsOf([]Dimension{DimClientApp, DimFlow, DimSmartLockout}, func(m *moment, _ box) {
			r := g.judge(w, m)
			if r.only != "" && !slices.ContainsFunc(pr.cs.dim(r.only).values, r.onlyValue) {
				return
			}
			if r.fails {
				line.OK, control, why = false, r.control, join(why, r.why)
			}
		})
		line.Unknowns = p.unknowns.pick(why)
		if line.OK {
			m := p.someMoment(w, pr.cs.full)
			reason, creds, _, _ := g.pass(w, m)
			line.Why = gateTitles[g.name] + ": " + passPhrase(reason, creds)
		} else {
			line.Why = gateTitles[g.name] + ": " + controlPhrases[control]
			if len(line.Unknowns) > 0 {
				line.Why = gateTitles[g.name] + ": not known: " + line.Unknowns[0].What
			}
		}
		v.Gates = append(v.Gates, line)
	}
}

func passPhrase(reason string, creds []string) string {
	words := map[string]string{
		"enabled": "yes", "primary": "begins with", "withinLimit": "within the limit", "managedDomain": "yes", "otherPrimary": "does not begin with a pass only",
		"outOfScope": "ruled out by the operator", "notBrowser": "only after a sign-in in a browser", "notRequired": "not required", "mfa": "met by", "off": "off", "disabled": "off", "noCampaign": "none in scope",
		"notForced": "does not force a method on the account", "noOutage": "no outage assumed", "active": "active", "eligible": "eligible, to be activated",
		"notNeeded": "not needed", "contextPolicies": "by the policies of its context", "contextHasPolicy": "its context has an enabled policy", "notProtected": "policies are not protected",
		"notAsked": "not asked",
	}
	s := words[reason]
	if s == "" {
		s = reason
	}
	if len(creds) > 0 {
		s += " " + strings.Join(creds, " + ")
	}
	return s
}

// recoveryPaths: when editing policies is closed, what else is open
// (ca-semantics 4.6).
func (p *Prover) recoveryPaths(q *Question, a *account, v *Verdict) []RecoveryPath {
	if v.Counterexample == nil || !slices.ContainsFunc(v.Counterexample.Causes, func(c Cause) bool { return c.Stage == "stepUp" }) {
		return nil
	}
	var out []RecoveryPath
	for _, alt := range []struct{ path, action string }{
		{"delete the policy", "microsoft.directory/conditionalAccessPolicies/delete"},
		{"create a policy for the context", "microsoft.directory/conditionalAccessPolicies/create"},
		{"take the protection off the action", "microsoft.directory/resourceNamespaces/resourceActions/authenticationContext/update"},
	} {
		r := RecoveryPath{Path: alt.path}
		switch ctx := p.protectedBy(alt.action); {
		case ctx == "" && p.read(entra.PartProtectedActions):
			r.Open, r.Why = "yes", alt.action+" is not protected"
		case ctx == "":
			r.Open, r.Why = "unknown", "protected actions were not read"
		case strings.EqualFold(ctx, p.protectedBy(actionUpdate)):
			r.Open, r.Why = "no", "protected by the same context "+ctx
		default:
			r.Open, r.Why = "unknown", "protected by context "+ctx
		}
		out = append(out, r)
	}
	join := RecoveryPath{Path: "join an exclusion group of the policy", Open: "no", Why: "no policy of the context excludes a group"}
	for _, pol := range p.policies {
		if pol.contexts[strings.ToLower(p.protectedBy(actionUpdate))] && len(pol.policy.Conditions.Users.ExcludeGroups) > 0 {
			join.Open, join.Why = "yes", fmt.Sprintf("policy %q excludes a group that a Global Administrator can edit (not one in a restricted management unit)", pol.policy.Label())
		}
	}
	return append(out, join)
}
