package plan_test

import (
	"slices"
	"strings"
	"testing"

	"halligan/entra"
)

// nested is an account in group inner, which is in group outer. How much of it
// was read differs from test to test.
type nested struct {
	inner, outer, other entra.Group
	memberships         []entra.ID
	membersRead         bool
	groupsRead          bool
}

func (n nested) snapshot() *entra.Snapshot {
	c := entra.Content{
		Users:    []entra.User{{ID: "account"}},
		Accounts: []entra.Account{{ID: "account", Memberships: n.memberships, MembersRead: n.membersRead}},
		RoleAssignments: []entra.RoleAssignment{{Principal: "inner", Role: "role", Scope: "/", Assignment: entra.AssignmentActive},
			{Principal: "account", Role: "own", Scope: "/", Assignment: entra.AssignmentActive}},
	}
	for _, g := range []entra.Group{n.inner, n.outer, n.other} {
		if g.ID != "" {
			c.Groups = append(c.Groups, g)
		}
	}
	if n.groupsRead {
		c.Parts = map[entra.Part]entra.PartState{entra.PartGroups: {Status: entra.StatusRead}}
	}
	return entra.NewSnapshot(c)
}

func TestDeletedGroupTakesNestedMembershipsWithIt(t *testing.T) {
	yes := true
	read := func(id string, members ...entra.ID) entra.Group {
		return entra.Group{ID: entra.ID(id), DisplayName: strings.ToUpper(id), Members: members, MembersRead: true}
	}
	tests := map[string]struct {
		before nested
		// want are the memberships that are left; complete says that there are
		// certainly no others.
		want     []entra.ID
		complete bool
	}{
		"only nested, all read": {
			nested{inner: read("inner", "account"), outer: read("outer", "inner"), memberships: []entra.ID{"inner", "outer"}, membersRead: true}, nil, true},
		"nested and direct": {
			nested{inner: read("inner", "account"), outer: read("outer", "inner", "account"), memberships: []entra.ID{"inner", "outer"}, membersRead: true}, []entra.ID{"outer"}, true},
		"nested by another way": {
			nested{inner: read("inner", "account"), outer: read("outer", "inner", "other"), other: read("other", "account"), memberships: []entra.ID{"inner", "other", "outer"}, membersRead: true}, []entra.ID{"other", "outer"}, true},
		"the outer group was not read": {
			nested{inner: read("inner", "account"), outer: entra.Group{ID: "outer"}, memberships: []entra.ID{"inner", "outer"}, membersRead: true}, nil, false},
		"the outer group is not even listed": {
			nested{inner: read("inner", "account"), memberships: []entra.ID{"inner", "outer"}, membersRead: true}, nil, false},
		"the outer group takes no groups": {
			nested{inner: read("inner", "account"), outer: entra.Group{ID: "outer", RoleAssignable: &yes}, memberships: []entra.ID{"inner", "outer"}, membersRead: true}, []entra.ID{"outer"}, true},
		"part of the outer group was read": {
			nested{inner: read("inner", "account"), outer: entra.Group{ID: "outer", Members: []entra.ID{"inner"}}, memberships: []entra.ID{"inner", "outer"}, membersRead: true}, nil, false},
		"an unread group in the outer one": {
			nested{inner: read("inner", "account"), outer: read("outer", "mystery"), memberships: []entra.ID{"inner", "outer"}, membersRead: true}, nil, false},
		"an unread group, listed, in the outer one": {
			nested{inner: read("inner", "account"), outer: read("outer", "other"), other: entra.Group{ID: "other"}, memberships: []entra.ID{"inner", "outer"}, membersRead: true, groupsRead: true}, nil, false},
		"no group but those that were read": {
			nested{inner: read("inner", "account"), outer: read("outer", "a-user"), memberships: []entra.ID{"inner", "outer"}, membersRead: true, groupsRead: true}, []entra.ID{"outer"}, true},
		"the account is not in the group": {
			nested{inner: read("inner"), outer: entra.Group{ID: "outer"}, memberships: []entra.ID{"outer"}, membersRead: true}, []entra.ID{"outer"}, true},
		"memberships were not read": {
			nested{inner: read("inner", "account"), outer: read("outer", "inner")}, nil, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			next := asIf(t, tt.before.snapshot(), "delete-group=INNER")
			a := next.View().Accounts[0]
			if !slices.Equal(a.Memberships, tt.want) && len(a.Memberships)+len(tt.want) > 0 || a.MembersRead != tt.complete {
				t.Errorf("got %v, complete %v; want %v, complete %v", a.Memberships, a.MembersRead, tt.want, tt.complete)
			}
			for _, g := range next.View().Groups {
				if slices.Contains(g.Members, "inner") || g.ID == "inner" && (len(g.Members) > 0 || !g.MembersRead) {
					t.Errorf("group %s: %v", g.ID, g.Members)
				}
			}
			if r := next.View().RoleAssignments; len(r) != 1 || r[0].Role != "own" {
				t.Errorf("role assignments: %v, want only the account's own", r)
			}
		})
	}
}

func TestGroupThatOnlyAPolicyNamesCanBeDeleted(t *testing.T) {
	s := made(t, `{"id":"11111111-1111-4111-8111-111111111111","displayName":"P","state":"enabled","conditions":{"users":{"includeUsers":["All"],"excludeGroups":["`+emergencyGroup+`"]}},"grantControls":{"operator":"OR","builtInControls":["block"]}}`)
	next := asIf(t, s, "delete-group="+strings.ToUpper(emergencyGroup))
	if g := next.View().Groups; len(g) != 1 || !g[0].MembersRead || len(g[0].Members) > 0 {
		t.Errorf("got %v, want the group, read and empty", g)
	}
	if got := next.View().Policies[0].Conditions.Users.ExcludeGroups; len(got) != 1 {
		t.Errorf("the policy names %v; a deleted id stays in it", got)
	}
}
