package posture

import (
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout"
	"halligan/lockout/facts"
)

// harm is what a policy does to the account, as the prover found it.
type harm struct {
	policy *entra.Policy
	// certain: the account is denied however what is not known turns out.
	certain  bool
	controls []string
	unknowns []lockout.Unknown
}

// unreadPolicies is the result when the policies were not read; nil when they
// were. Policies stay in force when a licence ends (entra-docs conditional-access
// overview, "License requirements"), so that those that are there are judged
// without a licence too.
func (c *Case) unreadPolicies() *Result {
	st := c.Snapshot.Status(entra.PartPolicies)
	lacks := c.Lacks(LicenceP1)
	switch {
	case lacks && len(c.View().Policies) == 0:
		r := notApplicable("the tenant has no licence for this (%s), and no policy", licenceName(LicenceP1))
		return &r
	case st.Status != entra.StatusRead:
		r := c.unread(entra.PartPolicies, st)
		return &r
	}
	return nil
}

// mostNamed is how many further counterexamples the prover gives (Verdict.Also);
// beyond them a policy that denies need not be among the causes.
const mostNamed = 20

// harms lists what the policies do to the account. A policy that denies only some
// of the account's keys or clients does no harm while the others get in: the
// prover names a policy as a cause only where no choice is left.
func harms(view *entra.Content, verdicts []lockout.Verdict) []harm {
	by := map[string]*harm{}
	var order []*harm
	add := func(id string, certain bool, controls []string, unknowns []lockout.Unknown) {
		h := by[id]
		if h == nil {
			p := policyOf(view, entra.ID(id))
			if p == nil {
				return // a cause outside the policies
			}
			h = &harm{policy: p}
			by[id], order = h, append(order, h)
		}
		if certain && !h.certain {
			h.certain, h.controls, h.unknowns = true, nil, nil
		}
		if certain || !h.certain {
			h.controls, h.unknowns = union(h.controls, controls), union(h.unknowns, unknowns)
		}
	}
	for i := range verdicts {
		v := &verdicts[i]
		if v.Outcome == lockout.Proved {
			continue
		}
		if v.Outcome == lockout.Lockout {
			for _, ce := range append([]*lockout.Counterexample{v.Counterexample}, v.Also...) {
				if ce == nil {
					continue
				}
				for _, cause := range ce.Causes {
					add(cause.Source, true, []string{cause.Control}, nil)
				}
			}
		}
		for _, l := range v.Policies {
			if l.Relation == lockout.RelBlocks && len(v.Also) >= mostNamed {
				add(l.Policy, true, l.Controls, nil) // the prover names no more
			}
			if l.Relation == lockout.RelUnknown || l.Relation == lockout.RelBlocks && v.Outcome == lockout.Undetermined {
				add(l.Policy, false, l.Controls, l.Unknowns)
			}
		}
	}
	var out []harm
	for _, h := range order {
		out = append(out, *h)
	}
	return out
}

func union[T comparable](a, b []T) []T {
	for _, x := range b {
		if !slices.Contains(a, x) {
			a = append(a, x)
		}
	}
	return a
}

// policyOf returns the policy with an id as the prover gives it, letter by letter.
func policyOf(v *entra.Content, id entra.ID) *entra.Policy {
	for i := range v.Policies {
		if v.Policies[i].ID == id {
			return &v.Policies[i]
		}
	}
	return nil
}

// The controls that belong to a check of their own, by the names that the prover
// gives them.
var (
	deviceControls = []string{string(entra.ControlCompliantDevice), string(entra.ControlDomainJoinedDevice), string(entra.ControlApprovedApplication),
		string(entra.ControlCompliantApplication), string(entra.ControlPasswordChange), "termsOfUse"}
	sessionControls = []string{"secureSignInSession", "signInFrequencyEveryTime", "cloudAppSecurity", "disableResilienceDefaults"}
)

// evidenceGoals are the goals that decide what a policy does to the account: to get
// into the admin center and to mend the policies. Others that were asked beside
// them are routes, not demands.
var evidenceGoals = []string{"entraAdminCenter", "recover:entraAdminCenter"}

// verdicts are those of the deciding goals, else all.
func (c *Case) verdicts() []lockout.Verdict {
	var out []lockout.Verdict
	for _, v := range c.Subject.Verdicts {
		if slices.Contains(evidenceGoals, v.Goal) {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		return c.Subject.Verdicts
	}
	return out
}

// conditionOwner is the check to which a policy belongs by what it is for,
// whatever it demands; "" none.
func conditionOwner(p *entra.Policy) string {
	switch cond := &p.Conditions; {
	case len(cond.Applications.AuthContexts) > 0:
		return "ca-authcontext"
	case len(cond.Applications.UserActions) > 0 || len(cond.Flows) > 0:
		return "ca-authflow-userAction"
	case len(cond.SignInRisk)+len(cond.UserRisk)+len(cond.InsiderRisk) > 0:
		return "risk-policies-excluded"
	}
	return ""
}

// owner is the one check that names a control of a policy that denies, so that
// one change is found once.
func owner(p *entra.Policy, control string) string {
	if by := conditionOwner(p); by != "" {
		return by
	}
	switch {
	case slices.Contains(deviceControls, control):
		return "ca-device-unmeetable"
	case slices.Contains(sessionControls, control):
		return "ca-session"
	case control == "authenticationStrength":
		return "ca-strength-fits"
	case control == "gpsLocation" || control == string(entra.ControlBlock) && p.Conditions.Locations != nil:
		return "ca-location"
	}
	return "ca-not-blocked"
}

// owned narrows harms to the controls that the check names.
func owned(list []harm, check string) []harm {
	var out []harm
	for _, h := range list {
		h.controls = slices.DeleteFunc(slices.Clone(h.controls), func(control string) bool { return owner(h.policy, control) != check })
		if len(h.controls) > 0 {
			out = append(out, h)
		}
	}
	return out
}

// results tells harms: surely denied is a failure, possibly denied is not known.
func (c *Case) results(list []harm) []Result {
	var out []Result
	for _, h := range list {
		if h.certain {
			out = append(out, fail("policy %q stops the account: it %s", h.policy.Label(), demands(h.controls)).on(policyEvidence(h.policy, strings.Join(h.controls, ", "))))
			continue
		}
		why := "what it rests on was not read"
		var ev []Evidence
		for i, u := range h.unknowns {
			if i == 0 {
				why = u.What
			}
			ev = append(ev, Evidence{ID: u.Subject, Detail: u.What + "; to settle it: " + u.Settle})
		}
		out = append(out, unknown("whether policy %q stops the account is not known: %s", h.policy.Label(), why).
			on(policyEvidence(h.policy, strings.Join(h.controls, ", "))).on(ev...))
	}
	return out
}

var demandWords = map[string]string{
	"block": "blocks", "mfa": "demands multifactor authentication, which no method of the account gives", "compliantDevice": "demands a compliant device",
	"domainJoinedDevice": "demands a hybrid joined device", "approvedApplication": "demands an approved app", "compliantApplication": "demands a protected app",
	"passwordChange": "demands a change of password", "termsOfUse": "demands that terms of use be accepted", "customAuthenticationFactor": "demands an answer of somebody else's service",
	"authenticationStrength": "demands an authentication strength that the account cannot meet", "gpsLocation": "asks the Authenticator app for the place",
	"secureSignInSession": "demands a device-bound token", "signInFrequencyEveryTime": "demands a sign-in every time", "cloudAppSecurity": "sends the session through Defender for Cloud Apps",
	"disableResilienceDefaults": "switches the resilience defaults off", "applicationEnforcedRestrictions": "leaves restrictions to the application", "unmodelled": "holds something that is not known here",
}

func demands(controls []string) string {
	var out []string
	for _, x := range controls {
		w := demandWords[x]
		if w == "" {
			w = "demands " + x
		}
		out = append(out, w)
	}
	return strings.Join(out, " and ")
}

// reach says whether a policy is for the account: included and not excluded,
// whatever its state, target and conditions.
func (c *Case) reach(p *entra.Policy) answer {
	u := &p.Conditions.Users
	if p.Conditions.Workload || len(p.Conditions.WorkloadRisk) > 0 {
		if len(u.IncludeUsers)+len(u.IncludeGroups)+len(u.IncludeRoles) == 0 || len(u.IncludeUsers) == 1 && u.IncludeUsers[0].Equal("None") {
			return no // for workload identities
		}
	}
	in, out := c.listed(u.IncludeUsers, u.IncludeGroups, u.IncludeRoles, u.IncludeGuests), c.listed(u.ExcludeUsers, u.ExcludeGroups, u.ExcludeRoles, u.ExcludeGuests)
	if slices.ContainsFunc(p.Unmodelled, func(x entra.Unmodelled) bool { return x.Area == entra.AreaUsers }) {
		// What the source says of people and is not known here may widen either list.
		in = either(in, maybe)
		if out == yes && slices.ContainsFunc(p.Unmodelled, func(x entra.Unmodelled) bool { return x.Area == entra.AreaUsers && x.Kind == "duplicate" }) {
			out = maybe
		}
	}
	return within(in, out)
}

func (c *Case) listed(users, groups, roles []entra.ID, guests *entra.Guests) answer {
	out := no
	for _, id := range users {
		switch {
		case id.Equal("All") || id.Equal(c.Subject.ID):
			return yes
		case id.Equal("GuestsOrExternalUsers"):
			out = either(out, c.isGuest())
		}
	}
	for _, id := range groups {
		out = either(out, c.holds(id))
	}
	for _, id := range roles {
		out = either(out, c.hasRole(id))
	}
	if guests != nil {
		if g := c.isGuest(); g != no {
			out = either(out, maybe) // which kind of guest is a matter of id-member-type
		}
	}
	return out
}

// holds reports whether a group has the account in it. The account's own list is
// whole where it was read; else the groups' members are walked.
func (c *Case) holds(group entra.ID) answer {
	if ids, read := c.Memberships(); read {
		if slices.ContainsFunc(ids, group.Equal) {
			return yes
		}
		return no
	}
	return c.inGroup(c.Subject.ID, group)
}

func (c *Case) isGuest() answer {
	u, ok := c.User()
	switch {
	case !ok || u.UserType == "":
		return maybe
	case strings.EqualFold(u.UserType, "Guest"):
		return yes
	}
	return no
}

// hasRole: the active assignments of built-in roles at tenant scope, through
// groups too; Conditional Access sees no others (entra-docs
// concept-conditional-access-users-groups).
func (c *Case) hasRole(role entra.ID) answer {
	v := c.View()
	out := no
	if c.Snapshot.Status(entra.PartRoleAssignments).Status != entra.StatusRead {
		out = maybe
	}
	for i := range v.RoleAssignments {
		a := &v.RoleAssignments[i]
		if !a.Role.Equal(role) || a.Assignment != entra.AssignmentActive || a.Scope != "/" && a.Scope != "" {
			continue
		}
		if a.Principal.Equal(c.Subject.ID) {
			return yes
		}
		if ids, read := c.Memberships(); read {
			if slices.ContainsFunc(ids, a.Principal.Equal) {
				return yes
			}
		} else if kind := principalKind(c.assignmentFields(a)); c.isGroup(a.Principal) || !c.isUser(a.Principal) && (kind == "" || kind == "group") {
			out = either(out, c.inGroup(c.Subject.ID, a.Principal)) // nobody read whether it is a group
		}
	}
	return out
}

// reaching lists the policies in one of the states that are or may be for the
// account.
func (c *Case) reaching(states ...entra.PolicyState) []*entra.Policy {
	v := c.View()
	var out []*entra.Policy
	for i := range v.Policies {
		if p := &v.Policies[i]; slices.Contains(states, p.State) && c.reach(p) != no {
			out = append(out, p)
		}
	}
	return out
}

// verdictOf says what the prover found of a policy: relations over all goals.
func (c *Case) verdictOf(p *entra.Policy) (relations []lockout.Relation, elsewhere bool) {
	elsewhere = true
	for _, v := range c.verdicts() {
		for _, l := range v.Policies {
			if l.Policy == string(p.ID) { // the prover took it from there
				relations = append(relations, l.Relation)
				// "its condition on …": the target fits and no sign-in does.
				elsewhere = elsewhere && l.Relation == lockout.RelNotInScope && !strings.HasPrefix(l.Why, "its condition on ")
			}
		}
	}
	return relations, elsewhere
}

// conditionFits is false where the prover found that no sign-in by the account
// meets the policy's conditions.
func (c *Case) conditionFits(p *entra.Policy) bool {
	relations, elsewhere := c.verdictOf(p)
	return elsewhere || slices.ContainsFunc(relations, func(r lockout.Relation) bool { return r != lockout.RelNotInScope })
}

// forLegacyClients: the policy is only for clients that no recovery uses.
func forLegacyClients(p *entra.Policy) bool {
	return len(p.Conditions.ClientAppTypes) > 0 && !slices.ContainsFunc(p.Conditions.ClientAppTypes, func(t entra.ClientAppType) bool {
		return t != entra.ClientEAS && t != entra.ClientOther && !strings.EqualFold(string(t), "easSupported")
	})
}

// touchesAdministration reports whether a policy is for one of the resources that
// an administrator's sign-in asks for, at any of the goals that are known.
func touchesAdministration(p *entra.Policy) bool {
	app := &p.Conditions.Applications
	for _, g := range facts.Goals() {
		for _, aud := range g.Audiences {
			if names(app.Include, aud) && !names(app.Exclude, aud) {
				return true
			}
		}
	}
	return app.Filter != nil
}

// names reports whether a list of applications covers one, by its id or by the
// name of a service group.
func names(list []entra.ID, app entra.ID) bool {
	return slices.ContainsFunc(list, func(x entra.ID) bool {
		group, _ := facts.ServiceGroup(string(x))
		return x.Equal("All") || x.Equal(app) || slices.ContainsFunc(group, app.Equal)
	})
}

// onlyFor reports whether a policy is for nobody but emergency accounts: it
// demands of them alone, and is no missing exclusion.
func (c *Case) onlyFor(p *entra.Policy) bool {
	u := &p.Conditions.Users
	if len(u.IncludeUsers)+len(u.IncludeGroups) == 0 || len(u.IncludeRoles) > 0 || u.IncludeGuests != nil {
		return false
	}
	groups := c.ExclusionGroups()
	return !slices.ContainsFunc(u.IncludeUsers, func(id entra.ID) bool { return !c.IsSubject(id) }) &&
		!slices.ContainsFunc(u.IncludeGroups, func(id entra.ID) bool {
			return !slices.ContainsFunc(groups, id.Equal) && !c.onlySubjects(id)
		})
}

// with is the Snapshot with other policies and no more than a proof needs. What
// NewSnapshot may touch is copied, the rest shared.
func (c *Case) with(policies []entra.Policy, change func(*entra.Content)) *entra.Snapshot {
	content := *c.View()
	content.Policies = policies
	content.Objects, content.Readings = nil, nil
	content.Locations, content.Strengths = slices.Clone(content.Locations), slices.Clone(content.Strengths)
	content.Groups, content.Accounts = slices.Clone(content.Groups), slices.Clone(content.Accounts)
	content.Troubles, content.Notes = slices.Clone(content.Troubles), slices.Clone(content.Notes)
	if m := content.MethodsPolicy; m != nil {
		own := *m
		content.MethodsPolicy = &own
	}
	if change != nil {
		change(&content)
	}
	return entra.NewSnapshot(content)
}

// prove asks the prover about the account on another Snapshot.
func (c *Case) prove(s *entra.Snapshot, goals ...lockout.Goal) ([]harm, error) {
	prover := lockout.New(s)
	var verdicts []lockout.Verdict
	for _, g := range goals {
		v, err := prover.Prove(lockout.Question{Account: c.Subject.ID, Goal: g, Now: lockout.Date(c.Today())})
		if err != nil {
			return nil, err
		}
		verdicts = append(verdicts, v)
	}
	return harms(s.View(), verdicts), nil
}

func goal(name string) lockout.Goal {
	g, _ := lockout.ResolveGoal(name) // the names are written here; a test asks for them
	return g
}

// besideExclusion says beside a finding that calls for an exclusion what an
// exclusion does not do (S84).
func (c *Case) besideExclusion(r Result) Result {
	if r.Status != Fail || !c.publicCloud() {
		return r
	}
	return r.on(Evidence{ID: "mandatoryMfa", Detail: "an exclusion does not exempt from mandatory MFA: " + strings.Join(c.mandatory(), "; ")})
}

// publicCloud: mandatory MFA is for the public cloud (entra-docs
// concept-mandatory-multifactor-authentication); a cloud that is not known is
// read as public.
func (c *Case) publicCloud() bool {
	cloud := c.View().Cloud
	return cloud == "" || strings.EqualFold(cloud, "public")
}

// mandatory lists the surfaces that demand MFA and since when (S83).
func (c *Case) mandatory() []string {
	var out []string
	for _, id := range []string{"mandatoryMfaPortals", "mandatoryMfaM365AdminCenter", "mandatoryMfaPhase2"} {
		d := facts.Date(id)
		text := strings.TrimPrefix(d.Text, "mandatory MFA, ")
		if d.Date > string(c.Today()) {
			text += " (still to come)"
		}
		out = append(out, text)
	}
	return out
}
