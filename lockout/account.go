package lockout

import (
	"fmt"
	"strings"

	"halligan/entra"
	"halligan/lockout/facts"
)

// maxGroups is the number of groups beyond which an account "may be blocked"
// (entra-docs concept-conditional-access-users-groups).
const maxGroups = 2048

// account is what a Snapshot says about the judged account, resolved once per
// question.
type account struct {
	id    entra.ID
	key   string
	name  string // user principal name, "" unknown
	user  *entra.User
	facts *entra.Account
	// groups the account is in, transitively; complete when groupsRead.
	groups     idSet
	groupsRead bool
	// contested are groups of which one source says that they hold the account
	// and another that they do not.
	contested idSet
	// excluded groups by margin events: a deleted group matches nobody.
	active       idSet // role template ids, active and tenant-wide
	activeVia    map[string]entra.ID
	eligible     idSet
	eligibleIDs  []entra.ID
	rolesRead    bool
	eligibleRead bool
	guest        ans
	enabled      ans
	// matches are answers of usersMatch: stages, readings and lines ask again.
	matches map[match][2]ans
}

// match is one question to usersMatch.
type match struct {
	pol   *compiled
	extra entra.ID
}

func (p *Prover) account(id entra.ID) *account {
	c := p.view
	a := &account{id: id, key: id.Key(), groups: idSet{}, active: idSet{}, eligible: idSet{}, activeVia: map[string]entra.ID{}}
	for i := range c.Users {
		if c.Users[i].ID.Key() == a.key || strings.EqualFold(c.Users[i].UserPrincipalName, string(id)) && id != "" {
			a.user = &c.Users[i]
			a.id, a.key, a.name = c.Users[i].ID, c.Users[i].ID.Key(), c.Users[i].UserPrincipalName
		}
	}
	for i := range c.Accounts {
		if c.Accounts[i].ID.Key() == a.key {
			a.facts = &c.Accounts[i]
		}
	}
	p.resolveGroups(a)
	p.resolveRoles(a)
	a.guest, a.enabled = p.openUser("user-type", "whether the account is a guest"), p.openUser("account-enabled", "whether the account is enabled")
	if a.user != nil {
		switch strings.ToLower(a.user.UserType) {
		case "member":
			a.guest = sure(false)
		case "guest":
			a.guest = sure(true)
		}
		if a.user.Deleted {
			a.enabled = sure(false)
		} else if a.user.Enabled != nil {
			a.enabled = sure(*a.user.Enabled)
		}
	}
	return a
}

func (p *Prover) openUser(id, what string) ans {
	return p.unknowns.open(Unknown{ID: id, What: what + " was not read",
		Settle: "export the account (GET /users/{id}?$select=id,userPrincipalName,userType,accountEnabled,onPremisesSyncEnabled) or --suppose ordinary"})
}

// resolveGroups collects the groups that hold the account, directly and
// nested (transitive: entra-docs concept-conditional-access-users-groups).
func (p *Prover) resolveGroups(a *account) {
	if a.facts != nil {
		a.groupsRead = a.facts.MembersRead
		for _, g := range a.facts.Memberships {
			a.groups[g.Key()] = true
		}
	}
	// Upwards through the groups that were read: a fixed point.
	holders := map[string]bool{a.key: true}
	for g := range a.groups {
		holders[g] = true
	}
	if !p.fault(faultNestingLost) {
		for changed := true; changed; {
			changed = false
			for i := range p.view.Groups {
				g := &p.view.Groups[i]
				if holders[g.ID.Key()] || !p.holdsAny(g, holders) {
					continue
				}
				holders[g.ID.Key()], a.groups[g.ID.Key()], changed = true, true, true
			}
		}
	}
	for g := range p.deletedGroups {
		delete(a.groups, g)
	}
	if p.fault(faultNestingLost) {
		for g := range a.groups {
			if gr := p.groups[g]; gr != nil && !contains(gr.Members, a.key) {
				delete(a.groups, g)
			}
		}
	}
	p.contest(a)
}

// contest compares the account's own list of groups with the members of the
// groups that were read.
func (p *Prover) contest(a *account) {
	if a.facts == nil || p.fault(faultNestingLost) {
		return
	}
	listed := newIDSet(a.facts.Memberships)
	holders := map[string]bool{a.key: true}
	for changed := true; changed; {
		changed = false
		for i := range p.view.Groups {
			if g := &p.view.Groups[i]; !holders[g.ID.Key()] && p.holdsAny(g, holders) {
				holders[g.ID.Key()], changed = true, true
			}
		}
	}
	a.contested = idSet{}
	for g := range a.groups {
		if listed[g] && !holders[g] && p.groupClosed(g, map[string]bool{}) || !listed[g] && holders[g] && a.groupsRead {
			a.contested[g] = true
		}
	}
}

func (p *Prover) holdsAny(g *entra.Group, holders map[string]bool) bool {
	if p.deletedGroups[g.ID.Key()] {
		return false
	}
	for _, m := range g.Members {
		if holders[m.Key()] {
			return true
		}
	}
	return false
}

// memberOf says whether the account is in a group.
func (p *Prover) memberOf(a *account, g entra.ID) ans {
	k := g.Key()
	if p.deletedGroups[k] {
		return sure(false) // an id that no longer resolves matches nobody
	}
	if a.contested[k] {
		return p.unknowns.open(Unknown{ID: "membership-contradiction", Subject: string(g),
			What:   fmt.Sprintf("the account's list of groups and the members of group %s contradict each other", p.groupLabel(g)),
			Settle: "export both again, at the same time"})
	}
	if a.groups[k] {
		return sure(true)
	}
	if a.groupsRead {
		return sure(false)
	}
	if p.groupClosed(k, map[string]bool{}) {
		return sure(false)
	}
	return p.unknowns.open(Unknown{ID: "group-membership", Subject: string(g),
		What:   fmt.Sprintf("whether the account is a member of group %s was not read", p.groupLabel(g)),
		Settle: "export the account's groups (GET /users/{id}/transitiveMemberOf) or --suppose member=GROUP"})
}

// groupClosed reports whether the members of a group and of all groups nested
// in it were read, so that absence means "not a member".
func (p *Prover) groupClosed(key string, seen map[string]bool) bool {
	if seen[key] {
		return true
	}
	seen[key] = true
	g := p.groups[key]
	if g == nil || !g.MembersRead {
		return false
	}
	for _, m := range g.Members {
		if sub := p.groups[m.Key()]; sub != nil && !p.groupClosed(m.Key(), seen) {
			return false
		}
		// A member that is neither a known user nor a known group could be a
		// group whose members were not read.
		if p.groups[m.Key()] == nil && !p.users[m.Key()] && p.view.Parts[entra.PartGroups].Status != entra.StatusRead {
			return false
		}
	}
	return true
}

func (p *Prover) groupLabel(id entra.ID) string {
	if g := p.groups[id.Key()]; g != nil && g.DisplayName != "" {
		return fmt.Sprintf("%q (%s)", g.DisplayName, id)
	}
	return string(id)
}

// resolveRoles collects active and eligible built-in roles at tenant scope.
// Roles scoped to an administrative unit or object are not matched by
// Conditional Access (entra-docs concept-conditional-access-users-groups).
func (p *Prover) resolveRoles(a *account) {
	a.rolesRead = p.read(entra.PartRoleAssignments)
	a.eligibleRead = p.read(entra.PartRoleEligibility)
	for i := range p.view.RoleAssignments {
		r := &p.view.RoleAssignments[i]
		mine := r.Principal.Key() == a.key
		viaGroup := !mine && a.groups[r.Principal.Key()]
		if !mine && !viaGroup {
			if !p.users[r.Principal.Key()] && !a.groupsRead && !p.groupClosed(r.Principal.Key(), map[string]bool{}) {
				a.rolesRead = false // a role of what may be a group that holds the account
			}
			continue
		}
		if r.Scope != "/" && !p.fault(faultScopedRoleCounts) {
			continue
		}
		k := r.Role.Key()
		switch {
		case r.Assignment == entra.AssignmentActive, p.fault(faultEligibleCounts):
			a.active[k] = true
			if viaGroup {
				a.activeVia[k] = r.Principal
			} else {
				delete(a.activeVia, k)
			}
		case r.Assignment == entra.AssignmentEligible && !a.eligible[k]:
			a.eligible[k] = true
			a.eligibleIDs = append(a.eligibleIDs, r.Role)
		}
	}
}

// holdsRole says whether the account holds a role actively at tenant scope;
// extra is a role activated for the stage.
func (p *Prover) holdsRole(a *account, role entra.ID, extra entra.ID) ans {
	if a.active.has(role) || extra != "" && extra.Equal(role) {
		return sure(true)
	}
	if a.rolesRead {
		return sure(false)
	}
	return p.unknowns.open(Unknown{ID: "role-assignments", Subject: string(role),
		What:   fmt.Sprintf("whether the account actively holds role %s was not read", facts.RoleName(role)),
		Settle: "export the role assignments (GET /roleManagement/directory/roleAssignmentScheduleInstances) or --suppose role=GlobalAdministrator"})
}

// usersMatch says whether the policy's users include the account and whether
// an exclusion holds, by any route (exclude wins).
func (p *Prover) usersMatch(a *account, pol *compiled, extra entra.ID) (include, exclude ans) {
	key := match{pol, extra}
	if known, is := a.matches[key]; is {
		return known[0], known[1]
	}
	include, exclude = p.matchUsers(a, pol, extra)
	if a.matches == nil {
		a.matches = map[match][2]ans{}
	}
	a.matches[key] = [2]ans{include, exclude}
	return include, exclude
}

func (p *Prover) matchUsers(a *account, pol *compiled, extra entra.ID) (include, exclude ans) {
	u := &pol.policy.Conditions.Users
	include = p.anyRoute(a, u.IncludeUsers, u.IncludeGroups, u.IncludeRoles, u.IncludeGuests, extra, nil, pol)
	if pol.widenUsers {
		include = include.or(pol.unmodelledAns(p))
	}
	if include.v == no && !pol.activeSyncForAll() {
		return include, sure(false) // nobody asks for the exclusion
	}
	exclude = p.anyRoute(a, u.ExcludeUsers, u.ExcludeGroups, u.ExcludeRoles, u.ExcludeGuests, extra, pol.dropped, pol)
	if exclude.v == yes && pol.openUserExclusions {
		exclude = pol.unmodelledAns(p)
	}
	if p.fault(faultExcludeIgnored) {
		exclude = sure(false)
	}
	if pol.workloadToo && include.v == yes {
		include = p.unknowns.open(Unknown{ID: "workload-and-users", Subject: string(pol.policy.ID),
			What:   "the policy names workload or agent identities beside users; what it does to people is not documented",
			Settle: "split the policy, or ask What-If for this account"})
	}
	return include, exclude
}

const adminLiteral = "current administrator will be excluded"

func (p *Prover) anyRoute(a *account, users, groups, roles []entra.ID, guests *entra.Guests, extra entra.ID, dropped idSet, pol *compiled) ans {
	r := sure(false)
	for _, id := range users {
		k := id.Key()
		if dropped[k] {
			continue
		}
		switch {
		case k == "all", k == a.key, a.name != "" && k == strings.ToLower(a.name):
			return sure(true)
		case k == "none":
		case k == "guestsorexternalusers":
			r = r.or(a.guest)
		case k == adminLiteral:
			r = r.or(p.unknowns.open(Unknown{ID: "template-literal", Subject: string(pol.policy.ID),
				What:   "the policy holds the portal's words \"Current administrator will be excluded\" where an id belongs",
				Settle: "export the policy as it is in the tenant"}))
		}
		if r.v == yes {
			return r
		}
	}
	for _, g := range groups {
		if dropped[g.Key()] {
			continue
		}
		if r = r.or(p.memberOf(a, g)); r.v == yes {
			return r
		}
	}
	for _, role := range roles {
		if dropped[role.Key()] {
			continue
		}
		if r = r.or(p.holdsRole(a, role, extra)); r.v == yes {
			return r
		}
	}
	if guests != nil && hasGuestType(guests, entra.GuestInternal) {
		// A guest account of this tenant counts as internal guest (inferred).
		// Lists of tenants are about external ones.
		g := a.guest
		if !guests.AllTenants && g.v == yes {
			g = p.unknowns.open(Unknown{ID: "guest-of-listed-tenants", Subject: string(pol.policy.ID),
				What: "whether an internal guest belongs to a list of external tenants is not documented", Settle: "make the account a member"})
		}
		r = r.or(g)
	}
	return r
}

func hasGuestType(g *entra.Guests, t entra.GuestType) bool {
	for _, x := range g.Types {
		if strings.EqualFold(string(x), string(t)) {
			return true
		}
	}
	return false
}
