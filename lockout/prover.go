package lockout

import (
	"strings"

	"halligan/entra"
	"halligan/lockout/facts"
)

// Prover answers questions about one Snapshot. It is made once and keeps what
// does not depend on the account; it is not safe for concurrent use.
type Prover struct {
	snap     *entra.Snapshot
	view     *entra.Content
	unknowns *unknownTable
	policies []*compiled
	places   *places
	groups   map[string]*entra.Group
	users    map[string]bool
	apps     map[string]*entra.ServicePrincipal
	spaces   map[string]*compiledSpace

	injected fault // tests only

	// What margins take away.
	deletedGroups   map[string]bool
	disabledMethods map[string]bool
	revokedModels   map[string]bool
	lost            map[string]bool // method ids
}

// compiled is a policy prepared for judging.
type compiled struct {
	policy   *entra.Policy
	index    int
	enabled  ans
	contexts map[string]bool
	actions  map[string]bool
	include  appScope
	exclude  appScope
	// allResources: includeApplications holds "All".
	allResources bool
	// hasExclusion: some resource is excluded, by list or by filter;
	// mayHaveExclusion: the list names agent resources only, or the mode of the
	// filter is not known.
	hasExclusion, mayHaveExclusion bool
	appRule                        *rule
	deviceRule                     *rule
	strength                       *strength
	locInclude                     *locSet
	locExclude                     *locSet
	gps                            bool
	workloadToo                    bool
	dropped                        idSet // exclusion routes removed by a margin event

	// How what is not modelled widens the policy.
	widenUsers, widenTarget, widenConditions bool
	looseLocations                           bool
	// An exclusion list that is given twice with different values may be the
	// other one.
	openUserExclusions, openTargetExclusions bool
	unmodelled                               []int
	// mayDeny are the unmodelled parts that could be a demand of their own. A
	// grant control that is not known is an item of the grant instead, and the
	// retired conditions can only restrict.
	mayDeny []int
}

// New prepares a Snapshot for questions.
func New(s *entra.Snapshot) *Prover { return newProver(s, faultNone) }

func newProver(s *entra.Snapshot, f fault) *Prover {
	p := &Prover{snap: s, unknowns: &unknownTable{}, view: s.View(), injected: f, groups: map[string]*entra.Group{}, users: map[string]bool{},
		apps: map[string]*entra.ServicePrincipal{}, spaces: map[string]*compiledSpace{},
		deletedGroups: map[string]bool{}, disabledMethods: map[string]bool{}, revokedModels: map[string]bool{}, lost: map[string]bool{}}
	for i := range p.view.Groups {
		p.groups[p.view.Groups[i].ID.Key()] = &p.view.Groups[i]
	}
	for i := range p.view.Users {
		p.users[p.view.Users[i].ID.Key()] = true
	}
	for i := range p.view.Applications {
		p.apps[p.view.Applications[i].AppID.Key()] = &p.view.Applications[i]
	}
	p.places = p.makePlaces()
	for i := range p.view.Policies {
		p.policies = append(p.policies, p.compile(&p.view.Policies[i], i))
	}
	return p
}

func (p *Prover) read(part entra.Part) bool { return p.snap.Status(part).Status == entra.StatusRead }

func (p *Prover) compile(pol *entra.Policy, index int) *compiled {
	c := &compiled{policy: pol, index: index, contexts: map[string]bool{}, actions: map[string]bool{}}
	c.enabled = p.enabled(pol)
	app := &pol.Conditions.Applications
	for _, x := range app.AuthContexts {
		c.contexts[strings.ToLower(x)] = true
	}
	for _, x := range app.UserActions {
		c.actions[strings.ToLower(x)] = true
	}
	c.include, c.exclude = newAppScope(app.Include, p.fault(faultServiceGroupsIgnored)), newAppScope(app.Exclude, p.fault(faultServiceGroupsIgnored))
	for _, id := range app.Include {
		c.allResources = c.allResources || id.Key() == "all"
	}
	c.hasExclusion, c.mayHaveExclusion = len(c.exclude) > 0, len(app.Exclude) > 0
	if f := app.Filter; f != nil {
		if r, err := parseRule(f.Rule); err == nil {
			c.appRule = r
		}
		c.hasExclusion = c.hasExclusion || f.Mode == entra.FilterExclude
		c.mayHaveExclusion = c.mayHaveExclusion || f.Mode != entra.FilterInclude
	}
	if f := pol.Conditions.DeviceFilter; f != nil {
		if r, err := parseRule(f.Rule); err == nil {
			c.deviceRule = r
		}
	}
	c.strength = p.resolveStrength(pol.Grant.Strength)
	if l := pol.Conditions.Locations; l != nil && len(l.Include)+len(l.Exclude) > 0 {
		c.locInclude, c.locExclude = p.resolveLocations(c, l.Include), p.resolveLocations(c, l.Exclude)
		if len(l.Include) == 0 {
			c.locInclude.all = true
		}
		for _, id := range append(append([]entra.ID{}, l.Include...), l.Exclude...) {
			if loc := p.places.byID[id.Key()]; loc != nil && loc.GPS {
				c.gps = true
			}
		}
	}
	humans := len(pol.Conditions.Users.IncludeUsers)+len(pol.Conditions.Users.IncludeGroups)+len(pol.Conditions.Users.IncludeRoles) > 0 || pol.Conditions.Users.IncludeGuests != nil
	c.workloadToo = humans && (pol.Conditions.Workload || pol.Conditions.Agents || len(pol.Conditions.WorkloadRisk) > 0)
	p.widen(c)
	return c
}

func (p *Prover) enabled(pol *entra.Policy) ans {
	switch pol.State {
	case entra.StateEnabled:
		return sure(true)
	case entra.StateReportOnly:
		return sure(p.fault(faultReportOnlyEnforced))
	case entra.StateDisabled:
		return sure(p.fault(faultDisabledEnforced))
	}
	return p.unknowns.open(Unknown{ID: "policy-state", Subject: string(pol.ID), What: "the state of the policy is missing or not known",
		Settle: "export the policy from the tenant: a template has no state"})
}

// widen notes how unmodelled parts loosen what the policy matches. On the
// favourable reading a policy with an unmodelled condition does not apply.
func (p *Prover) widen(c *compiled) {
	if p.fault(faultUnmodelledIgnored) {
		return
	}
	for i := range c.policy.Unmodelled {
		u := &c.policy.Unmodelled[i]
		c.unmodelled = append(c.unmodelled, p.unknowns.add(Unknown{ID: "unmodelled", Subject: string(c.policy.ID) + " " + u.Path,
			What:   "policy \"" + c.policy.Label() + "\" holds " + u.Path + " (" + u.Kind + "), which is not modelled",
			Settle: "exclude the account from the policy, or remove the property"}))
		path := strings.ToLower(u.Path)
		if !(u.Area == entra.AreaGrant && u.Kind == "member") && !retiredCondition(path) {
			c.mayDeny = append(c.mayDeny, c.unmodelled[len(c.unmodelled)-1])
		}
		if u.Kind == "duplicate" {
			c.openUserExclusions = c.openUserExclusions || u.Area == entra.AreaUsers
			c.openTargetExclusions = c.openTargetExclusions || u.Area == entra.AreaTarget
		}
		c.looseLocations = c.looseLocations || strings.HasPrefix(path, "conditions.locations")
		switch u.Area {
		case entra.AreaUsers:
			c.widenUsers = c.widenUsers || !strings.Contains(path, "exclude")
			c.widenConditions = true
		case entra.AreaTarget:
			c.widenTarget = c.widenTarget || !strings.Contains(path, "exclude")
			c.widenConditions = true
		case entra.AreaConditions:
			c.widenConditions = true
		default:
			if path == "conditions" { // nobody can say whom and what it is for
				c.widenUsers, c.widenTarget, c.widenConditions = true, true, true
				c.openUserExclusions, c.openTargetExclusions, c.looseLocations = true, true, true
			}
		}
	}
}

// retiredCondition reports whether a path is one of the preview conditions that
// exports still carry (ca-semantics 2).
func retiredCondition(path string) bool {
	return strings.HasPrefix(path, "conditions.times") || strings.HasPrefix(path, "conditions.devicestates") || strings.HasPrefix(path, "conditions.devices.")
}

// unmodelledAns is "not known" because of what is not modelled in the policy.
func (c *compiled) unmodelledAns(p *Prover) ans { return ans{unknown, c.unmodelled} }

func (c *compiled) filterMode(p *Prover) ans {
	return p.unknowns.open(Unknown{ID: "filter-mode", Subject: string(c.policy.ID), What: "the mode of a filter is not known", Settle: "export the policy again"})
}

// federated says whether the account's password belongs to another identity
// provider. What is not known is a matter of the federation gate.
func (p *Prover) federated(a *account) bool {
	d := p.domainOf(a)
	return d != nil && strings.EqualFold(d.Authentication, "Federated")
}

func (p *Prover) domainOf(a *account) *entra.Domain {
	_, suffix, ok := strings.Cut(a.name, "@")
	if !ok {
		return nil
	}
	for i := range p.view.Domains {
		if strings.EqualFold(p.view.Domains[i].Name, suffix) {
			return &p.view.Domains[i]
		}
	}
	return nil
}

// ResolveGoal returns the goal of a name; "recover:NAME" is the goal NAME with
// the repair of the policies after it.
func ResolveGoal(name string) (Goal, bool) {
	base, recover := strings.CutPrefix(name, "recover:")
	g, ok := facts.LookupGoal(base)
	if !ok {
		return Goal{}, false
	}
	return Goal{Name: name, Client: g.Client, Audiences: g.Audiences, ClientAppTypes: g.ClientAppTypes, MandatoryMFA: g.MandatoryMFA, Recover: recover}, true
}
