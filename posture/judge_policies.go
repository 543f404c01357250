package posture

import (
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout"
	"halligan/lockout/facts"
	"halligan/register"
)

// judgeHarms answers for the harms that belong to the check.
func (c *Case) judgeHarms(good Result, more ...Result) Result {
	results := append(c.results(owned(harms(c.View(), c.verdicts()), c.Check.ID)), more...)
	return c.besideExclusion(merge(good, results...))
}

// unjudged is the result when the prover did not answer, nil when it did.
func (c *Case) unjudged() *Result {
	if r := c.unreadPolicies(); r != nil {
		return r
	}
	if len(c.Subject.Verdicts) == 0 {
		r := unknown("the account was not judged by the prover")
		return &r
	}
	return nil
}

func judgeNotBlocked(c *Case) Result {
	if r := c.unjudged(); r != nil {
		return *r
	}
	var more []Result
	excluded := 0
	for _, v := range c.verdicts() {
		n := 0
		for _, l := range v.Policies {
			if l.Relation == lockout.RelExcluded {
				n++
			}
		}
		excluded = max(excluded, n)
		for _, u := range v.Unknowns {
			if u.ID == "incomplete-read" || u.ID == "search-limit" {
				more = append(more, unknown("%s", u.What).on(Evidence{ID: u.Subject, Detail: u.Settle}))
			}
		}
	}
	if t := c.View().Troubles; len(t) > 0 {
		more = append(more, unknown("not all that was given could be read: %s", t[0].What))
	}
	good := pass("no policy stops the account")
	if excluded > 0 {
		good = pass("no policy stops the account; %d exclude it, which does not exempt from mandatory MFA", excluded)
	}
	return c.judgeHarms(good, more...)
}

func judgeIntended(c *Case) Result {
	if r := c.unreadPolicies(); r != nil {
		return *r
	}
	if c.Register == nil || len(c.Register.Policies) == 0 && c.Settings.Policies != string(register.TreatmentExcluded) {
		return notSetUp("the register says of no policy what is intended")
	}
	var out []Result
	v := c.View()
	for i := range c.Register.Policies {
		named := &c.Register.Policies[i]
		if !slices.ContainsFunc(v.Policies, func(p entra.Policy) bool { return c.Register.Policy(&p) == named }) {
			out = append(out, fail("the register names a policy that does not exist: %s", clauseOr(named.Name, string(named.ID))).
				on(Evidence{ID: string(named.ID), Name: named.Name, Detail: "intended: " + string(named.Treatment)}).
				then("make the policy anew where it is meant to be there, or take it out of policies: in halligan.yaml"))
		}
	}
	for i := range v.Policies {
		p := &v.Policies[i]
		treatment, stated := c.Register.Treatment(p)
		switch treatment {
		case register.TreatmentIncluded:
			out = append(out, c.included(p))
		case register.TreatmentExcluded:
			if stated || p.State != entra.StateDisabled && !c.onlyFor(p) {
				out = append(out, c.excluded(p))
			}
		}
	}
	return c.besideExclusion(merge(pass("every policy treats the account as intended"), out...))
}

// included: the policy acts and is for the account. What it demands is judged by
// ca-strength-fits and ca-not-blocked.
func (c *Case) included(p *entra.Policy) Result {
	reach := c.reach(p)
	switch {
	case p.State == entra.StateUnknown:
		return unknown("the state of policy %q is not known", p.Label()).on(policyEvidence(p, ""))
	case p.State != entra.StateEnabled:
		return fail("policy %q is meant to include the account and does not act: it is %s", p.Label(), p.State).on(policyEvidence(p, "state "+string(p.State)))
	case reach == no:
		return fail("policy %q is meant to include the account and does not", p.Label()).on(policyEvidence(p, "intended: included"))
	case reach == maybe:
		return c.unreachable(p)
	}
	return pass("policy %q includes the account", p.Label())
}

func (c *Case) excluded(p *entra.Policy) Result {
	switch c.reach(p) {
	case yes:
		return fail("policy %q is meant to exclude the account and is for it", p.Label()).on(policyEvidence(p, "intended: excluded"))
	case maybe:
		return c.unreachable(p)
	}
	return pass("policy %q excludes the account", p.Label())
}

// unreachable: nobody can say whether a policy is for the account.
func (c *Case) unreachable(p *entra.Policy) Result {
	return c.unreadGroups(fmt.Sprintf("whether policy %q is for the account", p.Label())).on(policyEvidence(p, ""))
}

func judgeFallback(c *Case) Result {
	if r := c.unreadPolicies(); r != nil {
		return *r
	}
	switch {
	case c.Settings.Policies == string(register.TreatmentExcluded):
		return notApplicable("the accounts are meant to be excluded from every policy (setting policies); Microsoft's mandatory MFA remains")
	case c.Settings.MFA == "excluded":
		return notApplicable("the accounts are meant to be without multifactor policies (setting mfa); Microsoft's mandatory MFA remains")
	}
	var open []Result
	for _, p := range c.reaching(entra.StateEnabled) {
		strong, r := c.demandsStrong(p)
		switch {
		case r != nil:
			open = append(open, *r)
		case !strong || conditional(p):
		case c.reach(p) == yes:
			return pass("policy %q demands it of every sign-in", p.Label())
		default:
			open = append(open, c.unreachable(p))
		}
	}
	if len(open) > 0 {
		return merge(open[0], open...)
	}
	return fail("no policy demands phishing-resistant multifactor authentication of the account at every sign-in").on(c.user(c.Subject.ID, "excluded, or asked for less"))
}

// demandsStrong reports whether a policy cannot be met without a
// phishing-resistant method; with the pattern oath accepted, without MFA.
func (c *Case) demandsStrong(p *entra.Policy) (bool, *Result) {
	g := &p.Grant
	others := len(g.TermsOfUse) + len(g.CustomFactors) + len(g.Controls)
	if g.Operator != entra.OperatorAnd && others > 0 && g.Strength != nil {
		return false, nil // one of several will do
	}
	if g.Strength == nil {
		only := len(g.Controls) == 1 && others == 1 || g.Operator == entra.OperatorAnd
		return c.oathAccepted() && only && slices.Contains(g.Controls, entra.ControlMFA), nil
	}
	s := c.strength(g.Strength)
	if s.combinations == nil {
		r := c.missing(entra.PartStrengths, "allowedCombinations", "").on(policyEvidence(p, string(g.Strength.ID)))
		return false, &r
	}
	return c.oathAccepted() || s.phishingResistant(), nil
}

// conditional reports whether a policy leaves out some sign-ins to the admin
// portals.
func conditional(p *entra.Policy) bool {
	cond := &p.Conditions
	clients := cond.ClientAppTypes
	everyClient := len(clients) == 0 || slices.Contains(clients, entra.ClientAll) || slices.Contains(clients, entra.ClientBrowser) && slices.Contains(clients, entra.ClientNative)
	everyPlatform := cond.Platforms == nil || len(cond.Platforms.Exclude) == 0 && (len(cond.Platforms.Include) == 0 || slices.Contains(cond.Platforms.Include, entra.PlatformAll))
	return !everyClient || !everyPlatform || cond.Locations != nil || cond.DeviceFilter != nil || conditionOwner(p) != "" || len(p.Unmodelled) > 0 ||
		!slices.ContainsFunc(cond.Applications.Include, coversPortals) || slices.ContainsFunc(cond.Applications.Exclude, coversPortals) || cond.Applications.Filter != nil
}

// coversPortals: all resources, the admin portals, or Windows Azure Service
// Management API, which covers the Azure portal and with it the Entra admin
// center (entra-docs concept-conditional-access-cloud-apps).
func coversPortals(app entra.ID) bool {
	g, _ := facts.LookupGoal("entraAdminCenter")
	return slices.ContainsFunc(g.Audiences, func(aud entra.ID) bool { return names([]entra.ID{app}, aud) })
}

// switchedOnTogether is how many policies are proved at once. Of more than
// mostNamed that deny, the prover names the rest in its lines only.
const switchedOnTogether = 64

func judgeReportOnly(c *Case) Result {
	if r := c.unreadPolicies(); r != nil {
		return *r
	}
	candidates := c.reaching(entra.StateReportOnly, entra.StateDisabled)
	if len(candidates) == 0 {
		return pass("no policy that is off or report-only is for the account")
	}
	if _, read := c.Methods(); c.Subject.Hypothesis && !read {
		// A proof for each, and all of them open: not worth a reader's time.
		return c.missing(entra.PartAccounts, "the list of methods", "").on(policyEvidence(candidates[0], fmt.Sprintf("one of %d that are off or report-only and for the account", len(candidates))))
	}
	var found []harm
	for part := range slices.Chunk(candidates, switchedOnTogether) {
		var on []entra.Policy
		for _, p := range part {
			copied := *p
			copied.State, copied.Raw = entra.StateEnabled, nil
			on = append(on, copied)
		}
		more, err := c.prove(c.with(on, nil), goal("recover:entraAdminCenter")) // the sign-in is part of it
		if err != nil {
			return unknown("the prover did not answer: %v", err)
		}
		found = append(found, more...)
	}
	var out []Result
	for _, h := range found {
		p := policyOf(c.View(), h.policy.ID)
		switch {
		case noMethodToMeet(c, h):
			// With no method at all every demand for MFA stops it: am-phish-resistant.
		case h.certain:
			out = append(out, fail("policy %q would stop the account when it is switched on: it %s", p.Label(), demands(h.controls)).on(policyEvidence(p, "state "+string(p.State))))
		default:
			out = append(out, unknown("whether policy %q would stop the account when it is switched on is not known", p.Label()).on(policyEvidence(p, "state "+string(p.State))))
		}
	}
	return c.besideExclusion(merge(pass("%d policies that are off or report-only are for the account, and none would stop it", len(candidates)), out...))
}

// noMethodToMeet reports whether a policy does harm only because the account has
// no method for what everybody must have.
func noMethodToMeet(c *Case, h harm) bool {
	return c.multifactor() == no && !slices.ContainsFunc(h.controls, func(x string) bool { return x != "mfa" && x != "authenticationStrength" })
}

func judgeLocation(c *Case) Result {
	if r := c.unjudged(); r != nil {
		return *r
	}
	return c.judgeHarms(pass("no policy keeps the account out anywhere"))
}

func judgeDevice(c *Case) Result {
	if r := c.unjudged(); r != nil {
		return *r
	}
	var more []Result
	for _, p := range c.reaching(entra.StateEnabled) {
		needed := needsDevice(p)
		if len(needed) == 0 || conditionOwner(p) != "" || forLegacyClients(p) || !c.conditionFits(p) {
			continue
		}
		relations, elsewhere := c.verdictOf(p)
		switch {
		case elsewhere && !touchesAdministration(p):
			continue
		case slices.Contains(relations, lockout.RelUnknown) && !slices.Contains(relations, lockout.RelBlocks):
			continue // the prover says what is not known
		case c.reach(p) == maybe:
			more = append(more, c.unreachable(p))
			continue
		}
		more = append(more, fail("policy %q is for the account and %s", p.Label(), demands(needed)).on(policyEvidence(p, strings.Join(needed, ", "))))
	}
	if slices.ContainsFunc(more, func(r Result) bool { return r.Status == Fail }) {
		return c.besideExclusion(merge(Result{}, more...)) // the same policies, once
	}
	return c.judgeHarms(pass("no policy demands a device, an app, terms of use or a new password"), more...)
}

// needsDevice are the controls of that kind that a policy cannot be met without.
func needsDevice(p *entra.Policy) []string {
	var needed []string
	g := &p.Grant
	others := g.Strength != nil || len(g.CustomFactors) > 0
	for _, x := range g.Controls {
		if slices.Contains(deviceControls, string(x)) {
			needed = append(needed, string(x))
		} else {
			others = true
		}
	}
	if len(g.TermsOfUse) > 0 {
		needed = append(needed, "termsOfUse")
	}
	if others && g.Operator == entra.OperatorOr {
		return nil
	}
	return needed
}

func judgeSession(c *Case) Result {
	if r := c.unjudged(); r != nil {
		return *r
	}
	var more []Result
	for _, p := range c.reaching(entra.StateEnabled) {
		found := sessionHazards(p)
		if t, stated := c.Register.Or().Treatment(p); stated && t == register.TreatmentIncluded {
			// The register means the account to be asked there, each time anew too.
			found = slices.DeleteFunc(found, func(x string) bool { return x == "signInFrequencyEveryTime" })
		}
		if len(found) == 0 || conditionOwner(p) != "" || forLegacyClients(p) || !c.conditionFits(p) {
			continue
		}
		if c.reach(p) == maybe {
			more = append(more, c.unreachable(p))
			continue
		}
		more = append(more, fail("policy %q is for the account and %s", p.Label(), demands(found)).on(policyEvidence(p, strings.Join(found, ", "))))
	}
	if slices.ContainsFunc(more, func(r Result) bool { return r.Status == Fail }) {
		return merge(Result{}, more...)
	}
	return c.judgeHarms(pass("no session control that can break a recovery"), more...)
}

func sessionHazards(p *entra.Policy) []string {
	s := &p.Session
	var out []string
	for name, on := range map[string]bool{
		"applicationEnforcedRestrictions": s.AppEnforcedRestrictions,
		"cloudAppSecurity":                s.CloudAppSecurity != "" && !strings.EqualFold(s.CloudAppSecurity, "monitorOnly"),
		"disableResilienceDefaults":       s.DisableResilienceDefaults,
		"secureSignInSession":             s.SecureSignInSession,
		"signInFrequencyEveryTime":        s.SignInFrequency != nil && s.SignInFrequency.EveryTime,
	} {
		if on {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

const registerSecurityInfo = "urn:user:registersecurityinfo"

func judgeAuthFlow(c *Case) Result {
	if r := c.unjudged(); r != nil {
		return *r
	}
	var actions []entra.Policy
	for _, p := range c.reaching(entra.StateEnabled, entra.StateUnknown) {
		if slices.ContainsFunc(p.Conditions.Applications.UserActions, func(a string) bool { return strings.EqualFold(a, registerSecurityInfo) }) {
			actions = append(actions, *p)
		}
	}
	var more []Result
	if len(actions) > 0 {
		g := goal("entraAdminCenter")
		g.Name, g.Stage = "register security information", &lockout.Stage{Kind: "userAction", Action: registerSecurityInfo}
		found, err := c.prove(c.with(actions, nil), g)
		if err != nil {
			return unknown("the prover did not answer: %v", err)
		}
		more = c.results(slices.DeleteFunc(found, func(h harm) bool { return noMethodToMeet(c, h) }))
	}
	return c.judgeHarms(pass("the account can register a key and needs no special flow"), more...)
}

func judgeAuthContext(c *Case) Result {
	if r := c.unjudged(); r != nil {
		return *r
	}
	contexts := map[string][]string{}
	var order []string
	for _, a := range c.View().ProtectedActions {
		if key := strings.ToLower(a.Context); a.Context != "" {
			if contexts[key] == nil {
				order = append(order, key)
			}
			contexts[key] = append(contexts[key], a.Action)
		}
	}
	var more []Result
	for _, id := range order {
		more = append(more, c.context(id, contexts[id])...)
	}
	if len(order) == 0 {
		return c.judgeHarms(pass("no action is protected"))
	}
	return c.judgeHarms(pass("the account can meet the policies of %d contexts", len(order)), more...)
}

// context judges the policies of one authentication context as the prover judges
// those of the action that edits policies.
func (c *Case) context(id string, actions []string) []Result {
	on, known := false, true
	var policies []entra.Policy
	v := c.View()
	for i := range v.Policies {
		p := &v.Policies[i]
		if !slices.ContainsFunc(p.Conditions.Applications.AuthContexts, func(x string) bool { return strings.EqualFold(x, id) }) {
			continue
		}
		on = on || p.State == entra.StateEnabled
		known = known && p.State != entra.StateUnknown
		if (p.State == entra.StateEnabled || p.State == entra.StateUnknown) && c.reach(p) != no {
			policies = append(policies, *p)
		}
	}
	ev := Evidence{ID: id, Detail: strings.Join(actions, ", ")}
	switch {
	case !on && !known:
		return []Result{unknown("the state of the policy for context %s is not known", id).on(ev)}
	case !on:
		return []Result{fail("the context %s protects actions and has no enabled policy: nobody can perform them", id).on(ev)}
	case len(policies) == 0:
		return nil // enabled, and not for the account: it passes (entra-docs protected-actions-overview)
	}
	s := c.with(policies, func(x *entra.Content) {
		x.ProtectedActions = []entra.ProtectedAction{{Action: "microsoft.directory/conditionalAccessPolicies/basic/update", Context: id}}
	})
	found, err := c.prove(s, goal("recover:entraAdminCenter"))
	if err != nil {
		return []Result{unknown("the prover did not answer: %v", err)}
	}
	var out []Result
	for _, r := range c.results(slices.DeleteFunc(found, func(h harm) bool { return noMethodToMeet(c, h) })) {
		out = append(out, r.on(ev))
	}
	return out
}
