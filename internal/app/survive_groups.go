package app

import (
	"slices"

	"halligan/custody"
	"halligan/entra"
)

// without are groups that are gone: deleted, or emptied. What an account owes to them
// ends: exclusions, methods, roles. What binds it through them stays, since whoever
// empties a group can put the account back, and no loss may ever open a door.
type without struct {
	gone []entra.ID
	// sure are further groups that the account is in through these only, perhaps those
	// of which that cannot be told.
	sure, perhaps []entra.ID
	// unread: a group is gone that was not read, and that nothing names.
	unread bool
}

// groupsGone says what an account is no longer in when groups are gone.
func groupsGone(c *entra.Content, account entra.ID, gone []entra.ID) without {
	w := without{gone: gone}
	if len(gone) == 0 {
		return w
	}
	listed, reach := memberships(c, account), reachOf(c, account, nil)
	left := reachOf(c, account, gone)
	holds := false
	for _, g := range gone {
		in := reach[g.Key()] || slices.ContainsFunc(listed, g.Equal)
		holds = holds || in
		w.unread = w.unread || !in && groupOf(c, g) == nil && !named(c, g)
	}
	if !holds {
		return w
	}
	all := slices.Clone(listed)
	for i := range c.Groups {
		if g := c.Groups[i].ID; reach[g.Key()] && !slices.ContainsFunc(all, g.Equal) {
			all = append(all, g)
		}
	}
	for _, id := range all {
		g := groupOf(c, id)
		switch {
		case slices.ContainsFunc(gone, id.Equal), left[id.Key()]:
		case reach[id.Key()] && closed(c, id, map[string]bool{}):
			w.sure = append(w.sure, id)
		case !reach[id.Key()] && g != nil && g.RoleAssignable != nil && *g.RoleAssignable: // holds no groups
		default:
			w.perhaps = append(w.perhaps, id)
		}
	}
	return w
}

func groupOf(c *entra.Content, id entra.ID) *entra.Group {
	for i := range c.Groups {
		if c.Groups[i].ID.Equal(id) {
			return &c.Groups[i]
		}
	}
	return nil
}

// memberships are the groups that an account says it is in.
func memberships(c *entra.Content, account entra.ID) []entra.ID {
	for i := range c.Accounts {
		if c.Accounts[i].ID.Equal(account) {
			return c.Accounts[i].Memberships
		}
	}
	return nil
}

// reachOf are the groups that hold an account by their members, directly or nested, on
// paths that avoid some.
func reachOf(c *entra.Content, account entra.ID, avoid []entra.ID) map[string]bool {
	held := map[string]bool{account.Key(): true}
	for grows := true; grows; {
		grows = false
		for i := range c.Groups {
			g := &c.Groups[i]
			if !held[g.ID.Key()] && !slices.ContainsFunc(avoid, g.ID.Equal) && slices.ContainsFunc(g.Members, func(m entra.ID) bool { return held[m.Key()] }) {
				held[g.ID.Key()], grows = true, true
			}
		}
	}
	delete(held, account.Key())
	return held
}

// closed reports whether the members of a group, and of every group in it, were read.
func closed(c *entra.Content, id entra.ID, seen map[string]bool) bool {
	g := groupOf(c, id)
	if g == nil || !g.MembersRead {
		return false
	}
	seen[id.Key()] = true
	return !slices.ContainsFunc(g.Members, func(m entra.ID) bool {
		return !seen[m.Key()] && groupOf(c, m) != nil && !closed(c, m, seen)
	})
}

// named reports whether a policy or a method names a group.
func named(c *entra.Content, id entra.ID) bool {
	for i := range c.Policies {
		u := &c.Policies[i].Conditions.Users
		if slices.ContainsFunc(u.IncludeGroups, id.Equal) || slices.ContainsFunc(u.ExcludeGroups, id.Equal) {
			return true
		}
	}
	if c.MethodsPolicy == nil {
		return false
	}
	return slices.ContainsFunc(c.MethodsPolicy.Methods, func(m entra.MethodConfiguration) bool {
		return slices.ContainsFunc(slices.Concat(m.Include, m.Exclude), func(t entra.MethodTarget) bool { return id.Equal(t.ID) })
	})
}

// endGroups ends what the account owes to groups, in content that is asked of this
// account alone.
func endGroups(c *entra.Content, account entra.ID, groups []entra.ID) {
	if len(groups) == 0 {
		return
	}
	ends := func(id entra.ID) bool { return slices.ContainsFunc(groups, id.Equal) }
	roles := rolesEnding(c, account, ends)
	for i := range c.Policies {
		p := &c.Policies[i]
		u := &p.Conditions.Users
		if slices.ContainsFunc(u.ExcludeGroups, ends) || slices.ContainsFunc(u.ExcludeRoles, roles) {
			u.ExcludeGroups, u.ExcludeRoles, p.Raw = slices.DeleteFunc(u.ExcludeGroups, ends), slices.DeleteFunc(u.ExcludeRoles, roles), nil
		}
	}
	if c.MethodsPolicy == nil {
		return
	}
	c.MethodsPolicy.Raw = nil
	target := func(t entra.MethodTarget) bool { return ends(t.ID) }
	for i := range c.MethodsPolicy.Methods {
		m := &c.MethodsPolicy.Methods[i]
		m.Include = slices.DeleteFunc(m.Include, target)
	}
	if campaign := c.MethodsPolicy.Campaign; campaign != nil {
		campaign.Exclude = slices.DeleteFunc(campaign.Exclude, target)
	}
}

// rolesEnding tells the roles that an account has through some groups only.
func rolesEnding(c *entra.Content, account entra.ID, ends func(entra.ID) bool) func(entra.ID) bool {
	listed, reach := memberships(c, account), reachOf(c, account, nil)
	var lost, kept []entra.ID
	for _, r := range c.RoleAssignments {
		in := r.Principal.Equal(account) || reach[r.Principal.Key()] || slices.ContainsFunc(listed, r.Principal.Equal)
		switch {
		case in && ends(r.Principal):
			lost = append(lost, r.Role)
		case in:
			kept = append(kept, r.Role)
		}
	}
	return func(role entra.ID) bool {
		return slices.ContainsFunc(lost, role.Equal) && !slices.ContainsFunc(kept, role.Equal)
	}
}

// askWithout is what the tenant says when groups are gone: with the roles that came
// through them still binding the account, and without these roles.
func askWithout(c *entra.Content, account entra.ID, groups []entra.ID, ask func(*entra.Content) custody.Answer) custody.Answer {
	ends := func(r entra.RoleAssignment) bool { return slices.ContainsFunc(groups, r.Principal.Equal) }
	endGroups(c, account, groups)
	out := ask(c)
	if out == custody.No || !slices.ContainsFunc(c.RoleAssignments, ends) {
		return out
	}
	c.RoleAssignments = slices.DeleteFunc(c.RoleAssignments, ends)
	return custody.Both(out, ask(c))
}
