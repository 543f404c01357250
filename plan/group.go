package plan

import (
	"slices"
	"strings"

	"halligan/entra"
)

// deleteGroup takes a group away: nobody is in it any more, and nobody is in
// another group, or holds a role, because of it. Policies go on naming it; an id
// that no longer resolves matches nobody. The group itself stays in the Snapshot,
// read and empty, because a group that is missing there would only be unread.
func (e *edit) deleteGroup(c *Change) error {
	id, err := e.findGroup(c.Subject)
	if err != nil {
		return err
	}
	for i := range e.c.Accounts {
		e.leave(&e.c.Accounts[i], id)
	}
	e.c.Groups = slices.DeleteFunc(e.c.Groups, func(g entra.Group) bool { return g.ID.Equal(id) })
	for i := range e.c.Groups {
		g := &e.c.Groups[i]
		g.Members = slices.DeleteFunc(g.Members, id.Equal)
	}
	e.c.Groups = append(e.c.Groups, entra.Group{ID: id, DisplayName: "(deleted) " + c.label(), MembersRead: true})
	e.c.RoleAssignments = slices.DeleteFunc(e.c.RoleAssignments, func(r entra.RoleAssignment) bool { return r.Principal.Equal(id) })
	return nil
}

// findGroup finds a group by its id or display name. A group that was not read
// counts when something names its id.
func (e *edit) findGroup(ref string) (entra.ID, error) {
	missing := &ReferenceError{Noun: "group", Plural: "groups", Ref: ref}
	var names []string
	for i := range e.c.Groups {
		g := &e.c.Groups[i]
		if g.ID.Equal(entra.ID(ref)) {
			return g.ID, nil
		}
		if strings.EqualFold(strings.TrimSpace(g.DisplayName), strings.TrimSpace(ref)) && g.DisplayName != "" {
			missing.Matches = append(missing.Matches, string(g.ID))
		}
		names = append(names, g.DisplayName, string(g.ID))
	}
	switch len(missing.Matches) {
	case 1:
		return entra.ID(missing.Matches[0]), nil
	case 0:
	default:
		return "", missing
	}
	mentioned := e.mentionedGroups()
	for _, id := range mentioned {
		if id.Equal(entra.ID(ref)) {
			return id, nil
		}
		names = append(names, string(id))
	}
	missing.Among, missing.Near = max(len(e.c.Groups), len(mentioned)), near(ref, names)
	return "", missing
}

// mentionedGroups lists the ids of groups that policies, methods and memberships
// name.
func (e *edit) mentionedGroups() []entra.ID {
	var out []entra.ID
	for i := range e.c.Policies {
		u := &e.c.Policies[i].Conditions.Users
		out = append(append(out, u.IncludeGroups...), u.ExcludeGroups...)
	}
	for i := range e.c.Accounts {
		out = append(out, e.c.Accounts[i].Memberships...)
	}
	if m := e.c.MethodsPolicy; m != nil {
		for i := range m.Methods {
			for _, t := range slices.Concat(m.Methods[i].Include, m.Methods[i].Exclude) {
				if t.TargetType == "group" && t.ID != "all_users" {
					out = append(out, t.ID)
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b entra.ID) int { return strings.Compare(a.Key(), b.Key()) })
	return slices.CompactFunc(out, entra.ID.Equal)
}

// leave takes an account out of the group, and out of those groups in which it
// was, or may have been, only through it.
func (e *edit) leave(a *entra.Account, gone entra.ID) {
	if !slices.ContainsFunc(a.Memberships, gone.Equal) {
		return
	}
	direct := e.reach(a.ID, gone)
	through := e.reach(gone, "")
	a.Memberships = slices.DeleteFunc(a.Memberships, func(g entra.ID) bool {
		if g.Equal(gone) {
			return true
		}
		if direct[g.Key()] {
			return false
		}
		if through[g.Key()] {
			// Nested in this way for certain, in another perhaps.
			a.MembersRead = a.MembersRead && e.closed(g, map[string]bool{})
			return true
		}
		if e.cannotNest(g) {
			return false
		}
		// Nobody can say whether the membership came through the group.
		a.MembersRead = false
		return true
	})
}

// reach returns the groups that hold an object, directly or nested, on paths
// that avoid one group.
func (e *edit) reach(id, avoid entra.ID) map[string]bool {
	held := map[string]bool{id.Key(): true}
	for changed := true; changed; {
		changed = false
		for i := range e.c.Groups {
			g := &e.c.Groups[i]
			if held[g.ID.Key()] || avoid != "" && g.ID.Equal(avoid) {
				continue
			}
			if slices.ContainsFunc(g.Members, func(m entra.ID) bool { return held[m.Key()] }) {
				held[g.ID.Key()], changed = true, true
			}
		}
	}
	return held
}

func (e *edit) group(id entra.ID) *entra.Group {
	for i := range e.c.Groups {
		if e.c.Groups[i].ID.Equal(id) {
			return &e.c.Groups[i]
		}
	}
	return nil
}

// cannotNest reports whether no group can be nested in the group: a
// role-assignable one takes none (entra-docs roles groups-concept), and one whose
// members were all read holds those.
func (e *edit) cannotNest(id entra.ID) bool {
	g := e.group(id)
	return g != nil && (g.RoleAssignable != nil && *g.RoleAssignable || e.closed(id, map[string]bool{}))
}

// closed reports whether the members of the group, and of every group in it,
// were read.
func (e *edit) closed(id entra.ID, seen map[string]bool) bool {
	if seen[id.Key()] {
		return true
	}
	seen[id.Key()] = true
	g := e.group(id)
	if g == nil || !g.MembersRead {
		return false
	}
	for _, m := range g.Members {
		if e.isUser(m) {
			continue
		}
		if e.group(m) != nil && !e.closed(m, seen) || e.group(m) == nil && e.c.Parts[entra.PartGroups].Status != entra.StatusRead {
			return false
		}
	}
	return true
}

func (e *edit) isUser(id entra.ID) bool {
	return slices.ContainsFunc(e.c.Users, func(u entra.User) bool { return u.ID.Equal(id) }) ||
		slices.ContainsFunc(e.c.Accounts, func(a entra.Account) bool { return a.ID.Equal(id) })
}
