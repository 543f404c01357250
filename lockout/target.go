package lockout

import (
	"strings"

	"halligan/entra"
	"halligan/lockout/facts"
)

// stageKind is the kind of target a stage of a goal has.
type stageKind int

const (
	stageResource stageKind = iota
	stageUserAction
	stageContext
)

// stage is one evaluation of Conditional Access on the way to a goal.
type stage struct {
	name      string // signIn, activation, signInWithRole, stepUp, userAction
	kind      stageKind
	audiences []entra.ID
	action    string
	context   string
	extra     entra.ID // role that is active in addition
	lowPriv   bool
}

const (
	armApp          = entra.ID("797f4846-ba00-4fd7-ba43-dac1f8f63013")
	aadGraph        = entra.ID("00000002-0000-0000-c000-000000000000")
	securityInfoAct = "urn:user:registersecurityinfo"
)

// targets says whether the stage is in the policy's target scope.
func (p *Prover) targets(pol *compiled, st *stage) ans {
	app := &pol.policy.Conditions.Applications
	var r ans
	switch st.kind {
	case stageContext:
		r = sure(pol.contexts[strings.ToLower(st.context)])
	case stageUserAction:
		r = sure(pol.actions[strings.ToLower(st.action)])
		if r.v == no && len(app.UserActions) == 0 && len(app.AuthContexts) == 0 {
			// Policies for all resources apply while security information is
			// registered (entra-docs concept-authentication-strength-how-it-works).
			r = p.anyAudience(pol, st)
			if len(st.audiences) == 0 && strings.EqualFold(st.action, securityInfoAct) && pol.allResources {
				r = sure(true)
			}
			if r.v == yes && !strings.EqualFold(st.action, securityInfoAct) {
				r = p.unknowns.open(Unknown{ID: "resources-in-other-actions", Subject: string(pol.policy.ID),
					What:   "whether a policy on resources acts during a user action other than registering security information is not documented",
					Settle: "exclude the account, or ask What-If for this account and action"})
			}
		}
	default:
		if len(app.UserActions) > 0 || len(app.AuthContexts) > 0 {
			r = sure(false)
		} else {
			r = p.anyAudience(pol, st)
		}
	}
	if pol.widenTarget {
		r = r.or(pol.unmodelledAns(p))
	}
	return r
}

// anyAudience: a policy applies if one of the audiences is in its scope
// (entra-docs troubleshoot-conditional-access, "Audience reporting").
func (p *Prover) anyAudience(pol *compiled, st *stage) ans {
	if st.lowPriv {
		return p.lowPrivilege(pol, st)
	}
	if p.fault(faultFirstAudienceOnly) && len(st.audiences) > 0 {
		return p.inScope(pol, st.audiences[0])
	}
	r := sure(false)
	for _, aud := range st.audiences {
		if r = r.or(p.inScope(pol, aud)); r.v == yes {
			break
		}
	}
	return r
}

// lowPrivilege judges a request for baseline scopes only. Until a tenant is
// moved, such a request escapes policies for all resources that exclude some;
// after it the audience is Azure AD Graph (entra-docs
// concept-enforcement-resource-exclusions).
func (p *Prover) lowPrivilege(pol *compiled, st *stage) ans {
	after := p.inScope(pol, aadGraph)
	plain := *st
	plain.lowPriv = false
	before := p.escapesLowPrivilege(pol).not()
	if before.v != no {
		before = before.and(p.anyAudience(pol, &plain))
	}
	flag := p.view.LowPrivilegeScopes
	switch {
	case flag != nil && *flag:
		return after
	case flag != nil:
		return before
	case after.v == before.v:
		return after
	}
	return p.unknowns.open(Unknown{ID: "low-privilege-scopes",
		What:   "whether the tenant enforces policies for all resources on baseline scopes was not read",
		Settle: "look it up in the portal (Conditional Access, Settings) and --suppose baseline-scopes=enforced"})
}

// escapesLowPrivilege says whether baseline scopes escape a policy in a tenant
// that is not moved.
func (p *Prover) escapesLowPrivilege(pol *compiled) ans {
	switch {
	case !pol.allResources || !pol.hasExclusion && !pol.mayHaveExclusion:
		return sure(false)
	case pol.hasExclusion && !pol.openTargetExclusions:
		return sure(true)
	}
	return p.unknowns.open(Unknown{ID: "low-privilege-exclusion", Subject: string(pol.policy.ID),
		What:   "whether baseline scopes escape a policy for all resources whose only exclusion is one of agent resources, or not certain, is not documented",
		Settle: "let the tenant enforce such policies on baseline scopes"})
}

// inScope says whether one audience is in the policy's resource scope.
func (p *Prover) inScope(pol *compiled, aud entra.ID) ans {
	k := aud.Key()
	inc := sure(pol.allResources || pol.include.covers(k))
	exc := sure(pol.exclude.covers(k))
	if f := pol.policy.Conditions.Applications.Filter; f != nil {
		m := p.appFilter(pol, aud)
		switch f.Mode {
		case entra.FilterInclude:
			inc = inc.or(m)
		case entra.FilterExclude:
			exc = exc.or(m)
		default:
			inc, exc = inc.or(pol.filterMode(p)), exc.or(pol.filterMode(p))
		}
	}
	if exc.v == yes && pol.openTargetExclusions {
		exc = pol.unmodelledAns(p)
	}
	return inc.and(exc.not())
}

// appScope is a list of application tokens with service groups expanded.
type appScope map[string]bool

func (s appScope) covers(key string) bool { return s[key] }

func newAppScope(tokens []entra.ID, skipGroups bool) appScope {
	s := appScope{}
	for _, t := range tokens {
		k := t.Key()
		switch k {
		case "all", "none", "allagentidresources":
			continue
		}
		s[k] = true
		if skipGroups {
			continue
		}
		if apps, ok := facts.ServiceGroup(string(t)); ok {
			for _, app := range apps {
				s[app.Key()] = true
			}
		}
	}
	return s
}

// appFilter evaluates an application filter on the service principal of an
// audience (entra-docs concept-filter-for-applications): strings only.
func (p *Prover) appFilter(pol *compiled, aud entra.ID) ans {
	open := func(what, settle string) ans {
		return p.unknowns.open(Unknown{ID: "application-filter", Subject: string(pol.policy.ID), What: what, Settle: settle})
	}
	if pol.appRule == nil {
		return open("the application filter cannot be parsed", "correct the rule in the policy")
	}
	sp := p.apps[aud.Key()]
	attributesRead := sp != nil && sp.AttributesRead || sp == nil && p.read(entra.PartApplications)
	t := pol.appRule.eval(func(a *atom) tern {
		if a.prefix != "customsecurityattribute" || !attributesRead || a.null {
			return unknown
		}
		var values []string
		if sp != nil {
			for name, vs := range sp.Attributes {
				if strings.EqualFold(name, a.prop) {
					values = vs
				}
			}
		}
		match := false
		for _, v := range values {
			match = match || a.matchString(v)
		}
		return ternOf(match != a.neg)
	})
	if t == unknown {
		return open("the custom security attributes of the application were not read, or the rule uses what is not described",
			"read servicePrincipals with customSecurityAttributes (CustomSecAttributeAssignment.Read.All)")
	}
	return ans{v: t}
}
