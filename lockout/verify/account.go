package verify

import (
	"fmt"
	"slices"
	"strings"

	"halligan/lockout/facts"
)

// account is the judged account as the Snapshot has it.
type account struct {
	t    *tenant
	id   string // folded
	name string // user principal name, folded; "" not known
	user *value
	own  *value // its entry under accounts
	// groups that surely hold it, nested ones too.
	groups     map[string]bool
	groupsRead bool
	active     map[string]bool // role templates, active and tenant-wide
	eligible   map[string]bool
	maybe      map[string]bool // roles of groups that may hold it
	federated  bool
	domain     *value
}

// account finds the account of a certificate; the question may name it by its
// user principal name.
func (t *tenant) account(id string) (*account, error) {
	a := &account{t: t, id: key(id), groups: map[string]bool{}, active: map[string]bool{}, eligible: map[string]bool{}, maybe: map[string]bool{}}
	a.user = t.users[a.id]
	a.name = key(a.user.str("userPrincipalName"))
	for _, e := range t.root.list("accounts") {
		if key(e.str("id")) != a.id {
			continue
		}
		if a.own != nil {
			return nil, fmt.Errorf("account %q is in the Snapshot twice", id)
		}
		a.own = e
	}
	a.groupsRead = a.own.is("membershipsRead")
	a.findGroups()
	a.findRoles()
	_, suffix, _ := strings.Cut(a.name, "@")
	for _, d := range t.domains {
		if suffix != "" && key(d.str("name")) == suffix {
			a.domain = d
		}
	}
	a.federated = key(a.domain.str("authentication")) == "federated"
	return a, nil
}

func (a *account) findGroups() {
	for _, g := range fold(a.own.strs("memberships")) {
		a.groups[g] = true
	}
	holders := map[string]bool{a.id: true}
	for again := true; again; {
		again = false
		for id, g := range a.t.groups {
			if !a.groups[id] && slices.ContainsFunc(g.members, func(m string) bool { return holders[m] || a.groups[m] }) {
				a.groups[id], again = true, true
			}
		}
	}
}

// inGroup reports whether the account is surely a member.
func (a *account) inGroup(group string) bool { return a.groups[group] }

// mayBeIn reports whether the account may be a member: it is, or its groups and
// the members of this one were not read to the end.
func (a *account) mayBeIn(group string) bool {
	return a.groups[group] || !a.groupsRead && !a.closed(group, map[string]bool{})
}

// closed reports whether the members of a group and of the groups in it were
// read to the end.
func (a *account) closed(group string, seen map[string]bool) bool {
	if seen[group] {
		return true
	}
	seen[group] = true
	g := a.t.groups[group]
	if g == nil || !g.read {
		return false
	}
	for _, m := range g.members {
		switch {
		case a.t.groups[m] != nil:
			if !a.closed(m, seen) {
				return false
			}
		case a.t.users[m] == nil && !a.t.read("groups"):
			return false // it could be a group that was not read
		}
	}
	return true
}

func (a *account) findRoles() {
	for _, r := range a.t.assignments {
		who, role := key(r.str("principal")), key(r.str("role"))
		if r.str("scope") != "/" {
			continue // administrative units and objects are not matched
		}
		mine := who == a.id || a.inGroup(who)
		switch r.str("assignment") {
		case "active":
			if mine {
				a.active[role] = true
			} else if a.t.users[who] == nil && a.mayBeIn(who) {
				a.maybe[role] = true
			}
		case "eligible":
			if mine {
				a.eligible[role] = true
			}
		}
	}
}

// mayHold reports whether the account may hold a role actively; extra is a role
// that was activated on the way.
func (a *account) mayHold(role, extra string) bool {
	return a.holds(role, extra) || a.maybe[role] || !a.t.read("roleAssignments")
}

func (a *account) holds(role, extra string) bool {
	return a.active[role] || extra != "" && role == extra
}

// guest is yes, no or not known.
func (a *account) guest() (is, known bool) {
	switch key(a.user.str("userType")) {
	case "guest":
		return true, true
	case "member":
		return false, true
	}
	return false, false
}

// isMe reports whether an entry of a list of users names the account.
func (a *account) isMe(entry string) bool { return entry == a.id || a.name != "" && entry == a.name }

// mayInclude reports whether a policy may include the account by any route.
func (a *account) mayInclude(p *policy, extra string) bool {
	guest, known := a.guest()
	mayBeGuest := guest || !known
	if p.mayInclude {
		return true
	}
	for _, u := range p.includeUsers {
		switch {
		case u == "all", a.isMe(u), u == "guestsorexternalusers" && mayBeGuest:
			return true
		case a.name == "" && strings.Contains(u, "@"):
			return true // a name that nobody can compare
		}
	}
	return slices.ContainsFunc(p.includeGroups, a.mayBeIn) ||
		slices.ContainsFunc(p.includeRoles, func(r string) bool { return a.mayHold(r, extra) }) ||
		p.includeGuests != nil && p.includeGuests.internal && mayBeGuest
}

// surelyIncludes reports whether a policy includes the account for certain.
func (a *account) surelyIncludes(p *policy, extra string) bool {
	guest, _ := a.guest()
	return slices.ContainsFunc(p.includeUsers, func(u string) bool { return u == "all" || a.isMe(u) || u == "guestsorexternalusers" && guest }) ||
		slices.ContainsFunc(p.includeGroups, a.inGroup) ||
		slices.ContainsFunc(p.includeRoles, func(r string) bool { return a.holds(r, extra) }) ||
		p.includeGuests != nil && p.includeGuests.internal && p.includeGuests.allTenants && guest
}

// mayExclude reports whether some exclusion may hold.
func (a *account) mayExclude(p *policy, extra string) bool {
	guest, known := a.guest()
	for _, u := range p.excludeUsers {
		if u == "all" || a.isMe(u) || u == "guestsorexternalusers" && (guest || !known) || a.name == "" && strings.Contains(u, "@") || strings.Contains(u, " ") {
			return true
		}
	}
	return p.exclusionsOpen || p.never || slices.ContainsFunc(p.excludeGroups, a.mayBeIn) ||
		slices.ContainsFunc(p.excludeRoles, func(r string) bool { return a.mayHold(r, extra) }) ||
		p.excludeGuests != nil && p.excludeGuests.internal && (guest || !known)
}

// excluded checks a named route of exclusion; nil says that it holds.
func (a *account) excluded(p *policy, r *Route, extra string) error {
	if r == nil {
		return fmt.Errorf("it names no route")
	}
	if p.exclusionsOpen {
		return fmt.Errorf("the policy's users are told twice")
	}
	id := key(r.ID)
	listed, holds := false, false
	switch r.Kind {
	case "user":
		listed, holds = slices.Contains(p.excludeUsers, id), a.isMe(id) || id == "all"
	case "group":
		listed, holds = slices.Contains(p.excludeGroups, id), a.inGroup(id)
	case "role":
		listed, holds = slices.Contains(p.excludeRoles, id), a.holds(id, extra)
	case "guest":
		guest, _ := a.guest()
		listed = id == "internalguest" && (p.excludeGuests != nil && p.excludeGuests.internal && p.excludeGuests.allTenants ||
			slices.Contains(p.excludeUsers, "guestsorexternalusers"))
		holds = guest
	}
	switch {
	case !listed:
		return fmt.Errorf("the policy excludes no %s %q", r.Kind, r.ID)
	case !holds:
		return fmt.Errorf("the account is not surely excluded through %s %q", r.Kind, r.ID)
	}
	return nil
}

// recoveryRoles are the roles that may change policies, folded.
func recoveryRoles() []string {
	var out []string
	for _, r := range facts.RecoveryRoles() {
		out = append(out, key(string(r)))
	}
	return out
}
