package posture

import (
	"slices"
	"strings"

	"halligan/entra"
)

// answer is yes, no, or not known; the zero value is not known, so that what was
// not read never decides.
type answer int

const (
	maybe answer = iota
	no
	yes
)

// either is yes when one of two is, and not known when one of them is not.
func either(a, b answer) answer {
	switch {
	case a == yes || b == yes:
		return yes
	case a == no && b == no:
		return no
	}
	return maybe
}

// within is yes for what is included and not excluded: exclusion wins.
func within(in, out answer) answer {
	switch {
	case in == no || out == yes:
		return no
	case in == yes && out == no:
		return yes
	}
	return maybe
}

// inGroup reports whether a user is in a group, nested ones included. What either
// of the two sources (the account's transitive memberships, the groups' direct
// members) says in favour of membership counts.
func (c *Case) inGroup(user, group entra.ID) answer {
	a := accountOf(c.View(), user)
	if a != nil && slices.ContainsFunc(a.Memberships, group.Equal) {
		return yes
	}
	found := c.walkMembers(user, group, map[string]bool{})
	if found == maybe && a != nil && a.MembersRead {
		return no
	}
	return found
}

// walkMembers looks for a user among the members of a group and of the groups in
// it. A member that is neither a known group nor a known user may be a group that
// nobody read.
func (c *Case) walkMembers(user, group entra.ID, seen map[string]bool) answer {
	if seen[group.Key()] {
		return no // a circle of groups, already looked at
	}
	seen[group.Key()] = true
	g, ok := c.Group(group)
	if !ok {
		return maybe
	}
	found := maybe
	if g.MembersRead {
		found = no
	}
	for _, m := range g.Members {
		switch {
		case m.Equal(user):
			return yes
		case c.isGroup(m):
			found = either(found, c.walkMembers(user, m, seen))
		case !c.isUser(m):
			found = either(found, maybe)
		}
		if found == yes {
			return yes
		}
	}
	return found
}

func (c *Case) isGroup(id entra.ID) bool { _, ok := c.Group(id); return ok }

func (c *Case) isUser(id entra.ID) bool {
	return c.IsSubject(id) || slices.ContainsFunc(c.View().Users, func(u entra.User) bool { return u.ID.Equal(id) })
}

// usersIn returns the users in a group, nested ones included, and whether these
// are known to be all.
func (c *Case) usersIn(group entra.ID) (ids []entra.ID, sure bool) {
	sure = true
	seen := map[string]bool{}
	var walk func(id entra.ID)
	walk = func(id entra.ID) {
		if seen[id.Key()] {
			return
		}
		seen[id.Key()] = true
		g, ok := c.Group(id)
		if !ok {
			sure = false
			return
		}
		sure = sure && g.MembersRead
		for _, m := range g.Members {
			switch {
			case c.isGroup(m):
				walk(m)
			case c.isUser(m):
				ids = append(ids, m)
			default:
				ids = append(ids, m)
				sure = false
			}
		}
	}
	walk(group)
	return ids, sure
}

// wholeGroup reports whether every member of a group was read, those of the groups
// in it too.
func (c *Case) wholeGroup(group entra.ID) bool {
	seen := map[string]bool{}
	var walk func(id entra.ID) bool
	walk = func(id entra.ID) bool {
		if seen[id.Key()] {
			return true
		}
		seen[id.Key()] = true
		g, ok := c.Group(id)
		return ok && g.MembersRead && !slices.ContainsFunc(g.Members, func(m entra.ID) bool { return c.isGroup(m) && !walk(m) })
	}
	return walk(group)
}

// targets reports whether a list of targets of the authentication methods policy
// holds the account.
func (c *Case) targets(list []entra.MethodTarget) answer {
	out := no
	for _, t := range list {
		out = either(out, c.target(t))
	}
	return out
}

func (c *Case) target(t entra.MethodTarget) answer {
	switch {
	case t.ID.Equal("all_users"):
		return yes
	case strings.EqualFold(t.TargetType, "user"):
		if t.ID.Equal(c.Subject.ID) {
			return yes
		}
		return no
	}
	return c.inGroup(c.Subject.ID, t.ID)
}

// inScope reports whether a method that is enabled reaches the account: included,
// and not excluded, for exclusion wins (entra-docs concept-authentication-methods-manage).
func (c *Case) inScope(include, exclude []entra.MethodTarget) answer {
	return within(c.targets(include), c.targets(exclude))
}

// unreadGroups is the result when the members of groups decide and were not read.
func (c *Case) unreadGroups(what string) Result {
	r := c.missing(entra.PartAccounts, "memberships", "GroupMember.Read.All")
	r.Says = what + " depends on groups whose members were not read"
	return r
}

// method returns the configuration of a method in the authentication methods
// policy, or the result that says why there is none.
func (c *Case) method(id string) (*entra.MethodConfiguration, *Result) {
	m := c.View().MethodsPolicy.Method(id)
	switch {
	case m == nil:
		r := c.missing(entra.PartMethodsPolicy, "the configuration of "+id, "")
		return nil, &r
	case m.State == "":
		r := c.missing(entra.PartMethodsPolicy, "the state of "+id, "")
		return nil, &r
	case len(m.Unmodelled) > 0:
		r := unknown("the configuration of %s holds something that is not known here: %s", id, m.Unmodelled[0].Path)
		return nil, &r
	case !strings.EqualFold(m.State, "enabled"):
		return m, nil
	}
	raw := c.rawMethod(id)
	for _, p := range []string{"includeTargets", "excludeTargets"} {
		if !raw.Known(p) { // an absent list is not an empty one
			r := c.missing(entra.PartMethodsPolicy, p+" of "+id, "")
			return nil, &r
		}
	}
	return m, nil
}

// rawMethod is the configuration of a method as Graph gave it.
func (c *Case) rawMethod(id string) entra.Fields {
	p := c.View().MethodsPolicy
	if p == nil {
		return entra.Fields{}
	}
	list, _ := entra.ParseFields(p.Raw).List("authenticationMethodConfigurations")
	for _, m := range list {
		if m.ID().Equal(entra.ID(id)) || m.ID() == "" && strings.EqualFold(m.ODataType(), id+"AuthenticationMethodConfiguration") {
			return m
		}
	}
	return entra.Fields{}
}

// unreadMethods is the result when the account's methods were not all read.
func (c *Case) unreadMethods() Result {
	return c.missing(entra.PartAccounts, "methods", "")
}

// enrolling reports whether a declared enrolment window of the account is open.
func (c *Case) enrolling() (Window, bool) {
	for _, w := range c.Records.Windows {
		if w.Account.Equal(c.Subject.ID) && w.Kind == "enrolment" && w.covers(c.Now) {
			return w, true
		}
	}
	return Window{}, false
}

// certified reports whether the account has or may use a certificate.
func (c *Case) certified() (is, known bool) {
	if certs, _ := c.MethodsOf(entra.MethodX509); len(certs) > 0 {
		return true, true
	}
	ids, ok := c.UserFields().Texts("authorizationInfo.certificateUserIds")
	return len(ids) > 0, ok
}
