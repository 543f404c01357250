package app_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"halligan/custody"
	"halligan/entra"
	"halligan/examples"
	"halligan/internal/app"
	"halligan/lockout"
	"halligan/register"
)

func groupID(n int) entra.ID {
	return entra.ID(fmt.Sprintf("00000000-0000-4000-9000-0000000000%02d", n))
}

// holding is a group with these members.
func groupWith(n int, members ...entra.ID) entra.Group {
	return entra.Group{ID: groupID(n), DisplayName: fmt.Sprint("G", n), Members: members, MembersRead: true}
}

// blocking is a policy that blocks the members of some groups but for those of others.
func blocking(include, exclude []entra.ID) entra.Policy {
	p := entra.Policy{ID: groupID(90), DisplayName: "blocks the groups", State: entra.StateEnabled, Grant: entra.Grant{Operator: entra.OperatorOr, Controls: []entra.GrantControl{entra.ControlBlock}}}
	p.Conditions.Applications.Include = []entra.ID{"All"}
	p.Conditions.ClientAppTypes = []entra.ClientAppType{"all"}
	p.Conditions.Users.IncludeGroups, p.Conditions.Users.ExcludeGroups = include, exclude
	return p
}

// harmless is a loss on which nothing rests by itself: it is not told.
func harmless(a custody.Answer) custody.Answer {
	if a < 0 {
		return custody.Yes
	}
	return a
}

// Two groups that only together shut the accounts out are found, also where the loss of a
// third would free them from the policy: nobody may count on that.
func TestAGroupThatAPolicyIncludesHidesNoLoss(t *testing.T) {
	r := tidewaterSurvives(t, func(c *entra.Content, reg *register.Register) {
		both := []entra.ID{reg.Accounts[0].ID, reg.Accounts[1].ID}
		for n := 1; n <= 3; n++ {
			c.Groups = append(c.Groups, groupWith(n, both...))
			for i := range c.Accounts {
				if slices.ContainsFunc(both, c.Accounts[i].ID.Equal) {
					c.Accounts[i].Memberships = append(c.Accounts[i].Memberships, groupID(n))
				}
			}
		}
		c.Policies = append(c.Policies, blocking([]entra.ID{groupID(1)}, []entra.ID{groupID(2), groupID(3)}))
	})
	var got []string
	for _, s := range r.Sets.Certain {
		if len(s.Lost) == 2 && s.Lost[0].Kind == custody.LossGroup && s.Lost[1].Kind == custody.LossGroup {
			got = append(got, s.Lost[0].Name+" + "+s.Lost[1].Name)
		}
	}
	if !slices.Equal(got, []string{"G2 + G3"}) {
		t.Errorf("pairs of groups that end it: %q", got)
	}
	for title, want := range map[string]custody.Answer{"group G1": custody.Yes, "group G2": custody.Yes, "policy blocks the groups": custody.No} {
		if got := harmless(after(r, title)); got != want {
			t.Errorf("after %s an account can be opened: %v, want %v", title, got, want)
		}
	}
}

// A group through which a methods policy lets the accounts sign in takes them with it,
// and so does one that holds an excluded group; what cannot be told is not known.
func TestWhatAGroupLetsInEndsWithIt(t *testing.T) {
	for name, of := range map[string]struct {
		change func(*entra.Content, []entra.ID)
		want   custody.Answer
	}{
		"methods policy": {func(c *entra.Content, both []entra.ID) {
			for i := range c.MethodsPolicy.Methods {
				if m := &c.MethodsPolicy.Methods[i]; entra.ID(m.ID).Equal("Fido2") {
					for j := range m.Include {
						m.Include[j].ID, m.Include[j].TargetType = groupID(1), "group"
					}
				}
			}
			c.MethodsPolicy.Raw = nil
		}, custody.No},
		"the roles": {func(c *entra.Content, both []entra.ID) {
			for i := range c.RoleAssignments {
				if r := &c.RoleAssignments[i]; slices.ContainsFunc(both, r.Principal.Equal) {
					r.Principal, r.Raw = groupID(1), nil
				}
			}
		}, custody.No},
		"a role that a policy excludes": {func(c *entra.Content, both []entra.ID) {
			const directoryReaders = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
			c.RoleAssignments = append(c.RoleAssignments, entra.RoleAssignment{Principal: groupID(1), Role: directoryReaders, Scope: "/", Assignment: entra.AssignmentActive})
			p := blocking([]entra.ID{groupID(1)}, nil)
			p.Conditions.Users.ExcludeRoles = []entra.ID{directoryReaders}
			c.Policies = append(c.Policies, p)
		}, custody.No},
		"nested": {func(c *entra.Content, both []entra.ID) {
			c.Groups = append(c.Groups, groupWith(2, groupID(1)))
			c.Policies = append(c.Policies, blocking([]entra.ID{groupID(1)}, []entra.ID{groupID(2)}))
		}, custody.No},
		"nested, and a member besides": {func(c *entra.Content, both []entra.ID) {
			c.Groups = append(c.Groups, groupWith(2, append([]entra.ID{groupID(1)}, both...)...))
			c.Policies = append(c.Policies, blocking([]entra.ID{groupID(1)}, []entra.ID{groupID(2)}))
		}, custody.Yes},
		"nested in a group that was not read": {func(c *entra.Content, both []entra.ID) {
			g := groupWith(2)
			g.MembersRead = false
			c.Groups = append(c.Groups, g)
			c.Policies = append(c.Policies, blocking([]entra.ID{groupID(1)}, []entra.ID{groupID(2)}))
		}, custody.Maybe},
	} {
		r := tidewaterSurvives(t, func(c *entra.Content, reg *register.Register) {
			both := []entra.ID{reg.Accounts[0].ID, reg.Accounts[1].ID}
			c.Groups = append(c.Groups, groupWith(1, both...))
			for i := range c.Accounts {
				if a := &c.Accounts[i]; slices.ContainsFunc(both, a.ID.Equal) {
					a.Memberships = append(a.Memberships, groupID(1), groupID(2))
					if !strings.HasPrefix(name, "nested") {
						a.Memberships = a.Memberships[:len(a.Memberships)-1]
					}
				}
			}
			of.change(c, both)
		})
		if now := r.Now[0].Works; now != custody.Yes {
			t.Errorf("%s: as it is, it works: %v (%s)", name, now, r.Now[0].Why)
		}
		if got := harmless(after(r, "group G1")); got != of.want {
			t.Errorf("%s: after group G1 it is %v, want %v", name, got, of.want)
		}
	}
}

// Whatever is lost in addition lets nothing in: what custody.Tenant promises, and the
// search for sets of losses rests on, over random tenants and losses.
func TestLosingMoreNeverLetsIn(t *testing.T) {
	rank := map[custody.Answer]int{custody.No: 0, custody.Maybe: 1, custody.Yes: 2}
	falls, names := map[string]int{}, []string{"no", "maybe", "yes"}
	snap, err := entra.Read(entra.Source{Name: "tidewater", FS: examples.Tidewater()})
	must(t, err)
	text, err := examples.Register("two-accounts.yaml")
	must(t, err)
	reg, err := app.ReadRegister("two-accounts.yaml", text)
	must(t, err)
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 11))
		content := snap.Content()
		if seed > 0 { // the first as it is
			randomGroups(r, &content, reg)
		}
		o := app.TenantSide(t.Context(), entra.NewSnapshot(content), reg, lockout.Date("2026-08-01"))
		services := append(slices.Clone(o.Services), custody.IdPDown, custody.GroupLost(reg.Groups[0].ID, reg.Groups[0].Name), custody.GroupLost(groupID(77), "that nobody read"))
		r.Shuffle(len(services), func(i, j int) { services[i], services[j] = services[j], services[i] })
		circle := custody.CircleOf(reg)
		ways, _ := circle.Ways(reg.Accounts[r.IntN(2)])
		way := &ways[r.IntN(len(ways))]
		before := rank[o.Tenant(way, nil)]
		for n := 1; n <= min(8, len(services)); n++ {
			now := rank[o.Tenant(way, services[:n])]
			if now > before {
				t.Fatalf("seed %d: after %v it is %s, with %v in addition %s", seed, services[:n-1], names[before], services[n-1], names[now])
			}
			if now < before {
				falls[names[before]+" to "+names[now]]++
			}
			before = now
		}
	}
	if falls["yes to maybe"] == 0 || falls["maybe to no"] == 0 || falls["yes to no"] == 0 {
		t.Errorf("the chains tell little: %v", falls)
	}
}

// randomGroups gives the accounts groups, nested, read or not, with roles, and policies
// and methods that include and exclude them.
func randomGroups(r *rand.Rand, c *entra.Content, reg *register.Register) {
	const n = 5
	yes := true
	for i := range n {
		g := groupWith(i)
		for _, a := range reg.Accounts {
			if r.IntN(2) == 0 {
				g.Members = append(g.Members, a.ID)
			}
		}
		for j := range i {
			if r.IntN(4) == 0 {
				g.Members = append(g.Members, groupID(j))
			}
		}
		g.MembersRead = r.IntN(6) > 0
		if r.IntN(2) == 0 && len(c.RoleAssignments) > 0 {
			g.RoleAssignable = &yes
			a := c.RoleAssignments[r.IntN(len(c.RoleAssignments))]
			a.Principal, a.Raw = g.ID, nil
			c.RoleAssignments = append(c.RoleAssignments, a)
			if r.IntN(2) == 0 { // through the group only
				c.RoleAssignments = slices.DeleteFunc(c.RoleAssignments, func(x entra.RoleAssignment) bool {
					return slices.ContainsFunc(reg.Accounts, func(acc register.Account) bool { return x.Principal.Equal(acc.ID) })
				})
			}
		}
		c.Groups = append(c.Groups, g)
	}
	holds := func(account entra.ID) (out []entra.ID) {
		held := map[entra.ID]bool{account: true}
		for i := range n { // a group holds only those before it
			for _, g := range c.Groups {
				if g.ID == groupID(i) && slices.ContainsFunc(g.Members, func(m entra.ID) bool { return held[m] }) {
					held[g.ID] = true
					out = append(out, g.ID)
				}
			}
		}
		return out
	}
	for i := range c.Accounts {
		c.Accounts[i].Memberships = append(c.Accounts[i].Memberships, holds(c.Accounts[i].ID)...)
	}
	for i := range c.Groups {
		if !c.Groups[i].MembersRead {
			c.Groups[i].Members = nil
		}
	}
	some := func() (out []entra.ID) {
		for i := range n {
			if r.IntN(2) == 0 {
				out = append(out, groupID(i))
			}
		}
		return out
	}
	for k := range 1 + r.IntN(3) {
		p := blocking(some(), some())
		p.ID, p.DisplayName = groupID(90+k), fmt.Sprint("P", k)
		if len(c.RoleAssignments) > 0 && r.IntN(2) == 0 {
			role := c.RoleAssignments[r.IntN(len(c.RoleAssignments))].Role
			if r.IntN(2) == 0 {
				p.Conditions.Users.IncludeRoles = []entra.ID{role}
			} else {
				p.Conditions.Users.ExcludeRoles = []entra.ID{role}
			}
		}
		c.Policies = append(c.Policies, p)
	}
	if r.IntN(3) == 0 {
		for i := range c.MethodsPolicy.Methods {
			m := &c.MethodsPolicy.Methods[i]
			for _, g := range some() {
				m.Include = append(m.Include, entra.MethodTarget{TargetType: "group", ID: g})
			}
			if len(m.Include) > 1 && r.IntN(2) == 0 {
				m.Include = m.Include[1:]
			}
		}
		c.MethodsPolicy.Raw = nil
	}
}

// A policy that binds by a role of one group and spares by a role of another binds for
// good once the second group is gone.
func TestARoleThatIsGoneFreesNobody(t *testing.T) {
	snap, err := entra.Read(entra.Source{Name: "tidewater", FS: examples.Tidewater()})
	must(t, err)
	text, err := examples.Register("two-accounts.yaml")
	must(t, err)
	reg, err := app.ReadRegister("two-accounts.yaml", text)
	must(t, err)
	content := snap.Content()
	p := blocking(nil, nil)
	for n, role := range []entra.ID{"88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "5d6b6bb7-de71-4623-b4af-96380a352509"} { // Directory Readers, Security Reader
		content.Groups = append(content.Groups, groupWith(n+1, reg.Accounts[0].ID))
		content.RoleAssignments = append(content.RoleAssignments, entra.RoleAssignment{Principal: groupID(n + 1), Role: role, Scope: "/", Assignment: entra.AssignmentActive})
		*[]*[]entra.ID{&p.Conditions.Users.ExcludeRoles, &p.Conditions.Users.IncludeRoles}[n] = []entra.ID{role}
	}
	for i := range content.Accounts {
		if a := &content.Accounts[i]; a.ID.Equal(reg.Accounts[0].ID) {
			a.Memberships = append(a.Memberships, groupID(1), groupID(2))
		}
	}
	content.Policies = append(content.Policies, p)
	side := app.TenantSide(t.Context(), entra.NewSnapshot(content), reg, lockout.Date("2026-08-01"))
	ways, _ := custody.CircleOf(reg).Ways(reg.Accounts[0])
	spares, binds := custody.GroupLost(groupID(1), ""), custody.GroupLost(groupID(2), "")
	for _, x := range []struct {
		lost []custody.Loss
		want custody.Answer
	}{{nil, custody.Yes}, {[]custody.Loss{spares}, custody.No}, {[]custody.Loss{binds}, custody.Yes}, {[]custody.Loss{spares, binds}, custody.No}} {
		if got := side.Tenant(&ways[0], x.lost); got != x.want {
			t.Errorf("after %v it is %v, want %v", x.lost, got, x.want)
		}
	}
}
