package lockout

import (
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
)

const vectorDomain = "vector.onmicrosoft.com"

// vectorParts are all parts of a Snapshot: in a vector nothing is unread.
var vectorParts = []entra.Part{entra.PartPolicies, entra.PartLocations, entra.PartStrengths, entra.PartContexts, entra.PartMethodsPolicy,
	entra.PartSecurityDefaults, entra.PartAuthorization, entra.PartUsers, entra.PartGroups, entra.PartAccounts, entra.PartRoleAssignments,
	entra.PartRoleEligibility, entra.PartRolePolicies, entra.PartProtectedActions, entra.PartAgreements, entra.PartApplications,
	entra.PartDomains, entra.PartLicences}

// Snapshot returns the tenant of the vector. What the vector leaves out has the
// value that the conventions of ca-vectors/1 give it, and everything counts as
// read.
func (v *Vector) Snapshot() (*entra.Snapshot, error) {
	t := &v.tenant
	no := false
	c := entra.Content{
		Cloud:                t.cloud,
		Parts:                map[entra.Part]entra.PartState{},
		SecurityDefaults:     &t.securityDefaults,
		SSPRAllowed:          &no,
		LowPrivilegeScopes:   t.lowPriv,
		CampaignForced:       t.campaign,
		RegistrationRuledOut: true,
		LegacyMethods:        append([]entra.MethodType{}, t.legacy...),
		Domains:              []entra.Domain{{Name: vectorDomain, Initial: true, Authentication: "Managed"}},
		ServicePlans:         t.plans,
	}
	for _, p := range vectorParts {
		c.Parts[p] = entra.PartState{Status: entra.StatusRead}
	}
	for _, decode := range []func(*entra.Content) error{v.policies, v.locations, v.strengths, v.methodsPolicy} {
		if err := decode(&c); err != nil {
			return nil, fmt.Errorf("vector %s: %v", v.ID, err)
		}
	}
	v.terms(&c)
	v.contexts(&c)
	v.principals(&c)
	v.roles(&c)
	v.applications(&c)
	return entra.NewSnapshot(c), nil
}

func (v *Vector) policies(c *entra.Content) error {
	for i, raw := range v.tenant.policies {
		p, err := entra.DecodePolicy(raw)
		if err != nil {
			return fmt.Errorf("policy %d: %v", i+1, err)
		}
		c.Policies = append(c.Policies, p)
	}
	return nil
}

func (v *Vector) locations(c *entra.Content) error {
	for i, raw := range v.tenant.locations {
		l, err := entra.DecodeLocation(raw)
		if err != nil {
			return fmt.Errorf("named location %d: %v", i+1, err)
		}
		c.Locations = append(c.Locations, l)
	}
	return nil
}

// strengths are those of the tenant, and those that a policy spells out: a
// vector leaves nothing unread, so configurations that are absent do not exist.
func (v *Vector) strengths(c *entra.Content) error {
	for i, raw := range v.tenant.strengths {
		s, err := entra.DecodeStrength(raw)
		if err != nil {
			return fmt.Errorf("authentication strength %d: %v", i+1, err)
		}
		s.ConfigurationsRead, s.Raw = true, nil
		c.Strengths = append(c.Strengths, s)
	}
	for _, p := range c.Policies {
		s := p.Grant.Strength
		if s == nil || s.Combinations == nil || slices.ContainsFunc(c.Strengths, func(o entra.AuthStrength) bool { return o.ID.Equal(s.ID) }) {
			continue
		}
		spelled := *s
		spelled.ConfigurationsRead, spelled.Raw = true, nil
		c.Strengths = append(c.Strengths, spelled)
	}
	return nil
}

// terms are the agreements that the vector describes; any other that a policy
// asks for is accepted once, not on every device.
func (v *Vector) terms(c *entra.Content) {
	c.Agreements = slices.Clone(v.tenant.agreements)
	for _, p := range c.Policies {
		for _, id := range p.Grant.TermsOfUse {
			if !slices.ContainsFunc(c.Agreements, func(a entra.Agreement) bool { return a.ID.Equal(id) }) {
				c.Agreements = append(c.Agreements, entra.Agreement{ID: id, DisplayName: string(id)})
			}
		}
	}
}

func (v *Vector) contexts(c *entra.Content) {
	var names []string
	for _, p := range c.Policies {
		names = append(names, p.Conditions.Applications.AuthContexts...)
	}
	for action, context := range v.tenant.protected {
		names = append(names, context)
		c.ProtectedActions = append(c.ProtectedActions, entra.ProtectedAction{Action: action, Context: context})
	}
	slices.SortFunc(c.ProtectedActions, func(a, b entra.ProtectedAction) int { return strings.Compare(a.Action, b.Action) })
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		c.Contexts = append(c.Contexts, entra.AuthContext{ID: name, DisplayName: name, Available: true})
	}
}

func (v *Vector) principals(c *entra.Content) {
	for _, id := range v.tenant.groupIDs {
		no := false
		c.Groups = append(c.Groups, entra.Group{ID: entra.ID(id), DisplayName: id, RoleAssignable: &no,
			Members: ids[entra.ID](v.tenant.groups[id]), MembersRead: true})
	}
	no := false
	for i := range v.accounts {
		a := &v.accounts[i]
		c.Users = append(c.Users, entra.User{ID: entra.ID(a.id), UserPrincipalName: a.id + "@" + vectorDomain, DisplayName: a.id,
			UserType: a.userType, Enabled: &a.enabled, OnPremisesSync: &no})
		c.Accounts = append(c.Accounts, entra.Account{ID: entra.ID(a.id), Memberships: v.memberships(entra.ID(a.id)), MembersRead: true,
			Methods: slices.Clone(a.credentials), MethodsRead: true, PerUserMFA: a.perUserMFA})
	}
}

// memberships are the groups that hold the account, through any number of
// groups between.
func (v *Vector) memberships(account entra.ID) []entra.ID {
	inside := []entra.ID{account}
	for grown := true; grown; {
		grown = false
		for _, id := range v.tenant.groupIDs {
			if containsID(inside, entra.ID(id)) {
				continue
			}
			if slices.ContainsFunc(v.tenant.groups[id], func(m string) bool { return containsID(inside, entra.ID(m)) }) {
				inside, grown = append(inside, entra.ID(id)), true
			}
		}
	}
	groups := inside[1:]
	slices.Sort(groups)
	return groups
}

func containsID(list []entra.ID, id entra.ID) bool {
	return slices.ContainsFunc(list, id.Equal)
}

func (v *Vector) roles(c *entra.Content) {
	var eligible []entra.ID
	for _, a := range v.accounts {
		for _, r := range a.roles {
			c.RoleAssignments = append(c.RoleAssignments, r)
			if r.Assignment == entra.AssignmentEligible && !containsID(eligible, r.Role) {
				eligible = append(eligible, r.Role)
			}
		}
	}
	for role := range v.tenant.approval {
		if !containsID(eligible, entra.ID(role)) {
			eligible = append(eligible, entra.ID(role))
		}
	}
	slices.Sort(eligible)
	for _, role := range eligible {
		p := entra.RolePolicy{Role: role}
		for id, approval := range v.tenant.approval {
			if role.Equal(entra.ID(id)) {
				p.ApprovalRequired = approval
			}
		}
		c.RolePolicies = append(c.RolePolicies, p)
	}
}

// applications are those the vector describes; any other audience of the goal
// has no attributes, and that is known.
func (v *Vector) applications(c *entra.Content) {
	c.Applications = slices.Clone(v.tenant.applications)
	audiences := append([]entra.ID{v.Goal.Client}, v.Goal.Audiences...)
	if v.Goal.Stage != nil {
		audiences = append(audiences, v.Goal.Stage.Audiences...)
	}
	for _, id := range audiences {
		if id != "" && !slices.ContainsFunc(c.Applications, func(sp entra.ServicePrincipal) bool { return sp.AppID.Equal(id) }) {
			c.Applications = append(c.Applications, entra.ServicePrincipal{AppID: id, AttributesRead: true})
		}
	}
}

// Question returns what the vector asks about its first account.
func (v *Vector) Question(s *entra.Snapshot) (Question, error) {
	qs, err := v.Questions(s)
	if err != nil {
		return Question{}, err
	}
	return qs[0], nil
}

// Questions returns what the vector asks, one question for each account.
func (v *Vector) Questions(s *entra.Snapshot) ([]Question, error) {
	goal := v.Goal
	if slices.Contains(v.tenant.mandatoryOff, goal.MandatoryMFA) {
		goal.MandatoryMFA = "" // the tenant has postponed it, which Graph does not tell
	}
	var out []Question
	for _, id := range v.Ask {
		i := slices.IndexFunc(s.View().Accounts, func(a entra.Account) bool { return a.ID.Equal(id) })
		if i < 0 {
			return nil, fmt.Errorf("vector %s: no account %q in the snapshot", v.ID, id)
		}
		q := Question{Account: s.View().Accounts[i].ID, Goal: goal, Envelope: v.envelope, Holdings: map[string]Holding{}}
		for _, a := range v.accounts {
			if entra.ID(a.id).Equal(id) {
				q.Holdings = a.holdings
			}
		}
		out = append(out, q)
	}
	return out, nil
}

// methodsPolicy reads the methods policy; a method that is left out of it is
// enabled for everybody.
func (v *Vector) methodsPolicy(c *entra.Content) error {
	m := &entra.MethodsPolicy{MigrationState: "migrationComplete"}
	if v.tenant.methods != nil {
		given, err := entra.DecodeMethodsPolicy(v.tenant.methods)
		if err != nil {
			return fmt.Errorf("authentication methods policy: %v", err)
		}
		if given.MigrationState == "" {
			given.MigrationState = "preMigration" // not said to be complete
		}
		given.Raw = nil // methods are added below: the JSON is written anew
		m = &given
	}
	for _, id := range vectorMethods {
		if m.Method(id) == nil {
			m.Methods = append(m.Methods, entra.MethodConfiguration{ID: id, State: "enabled",
				Include: []entra.MethodTarget{{TargetType: "group", ID: "all_users"}}})
		}
	}
	c.MethodsPolicy = m
	return nil
}
