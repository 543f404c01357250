package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout"
	"halligan/posture"
	"halligan/register"
)

// InitRequest asks for a register.
type InitRequest struct {
	Sources []entra.Source
	// Tenant is read in place of Sources, when not nil.
	Tenant Tenant
	// Accounts are ids or user principal names of the emergency accounts; none:
	// those of the neighbours' lists.
	Accounts   []string
	Neighbours []*register.Neighbours
	Now        lockout.Date
}

// Initial is a register made by Init, and what a person must know of it.
type Initial struct {
	Register *register.Register
	// Says are sentences: what was put in, and from where.
	Says []string
	// Open is what was not read and must be completed by hand.
	Open []string
}

// Init makes the first register of a tenant of what was read. It takes only
// accounts that a person named, on the command line or in a neighbour's list;
// without any it refuses and tells the proposals.
func Init(ctx context.Context, req InitRequest) (*Initial, error) {
	snap := entra.NewSnapshot(entra.Content{})
	anything := req.Tenant != nil || len(req.Sources) > 0
	if anything {
		var err error
		live := ProveRequest{Sources: req.Sources, Tenant: req.Tenant, Accounts: req.Accounts}
		if snap, err = live.read(ctx, nil); err != nil {
			return nil, err
		}
	}
	out := &Initial{Register: &register.Register{Version: register.Version}}
	r := out.Register
	r.Tenant.ID = snap.View().TenantID
	names, groups := slices.Clone(req.Accounts), []entra.ID(nil)
	for _, n := range req.Neighbours {
		r.Neighbours.Maester = append(r.Neighbours.Maester, n.Maester...)
		r.Neighbours.ScubaGear = append(r.Neighbours.ScubaGear, n.ScubaGear...)
		users, in := n.EmergencyAccounts()
		groups = append(groups, in...)
		if len(req.Accounts) == 0 {
			names = append(names, users...)
		}
	}
	if len(names) == 0 {
		return nil, nobodyNamed(snap)
	}
	for _, name := range names {
		if err := out.account(snap, name, anything); err != nil {
			return nil, err
		}
	}
	if len(r.Accounts) == 0 {
		return nil, refuse("give the accounts by object id, --account OBJECT-ID, or an export of the tenant in which their names are, --from PATH", "none of the accounts could be found by its name")
	}
	out.groups(snap, groups)
	if err := out.policies(ctx, snap, &req); err != nil {
		return nil, err
	}
	return out, nil
}

// nobodyNamed refuses to guess and tells what it would propose.
func nobodyNamed(snap *entra.Snapshot) error {
	var near []string
	for _, p := range posture.Proposals(snap) {
		if len(near) == maxCandidates {
			break
		}
		if p.Kind == "user" {
			near = append(near, fmt.Sprintf("%s %s (%s)", p.ID, p.Name, strings.Join(p.Signs, "; ")))
		}
	}
	hint := "name them: --account OBJECT-ID, once for each"
	if len(near) > 0 {
		hint += "\nit may be " + strings.Join(near, "\nor ")
	}
	return refuse(hint, "nobody said which accounts are the emergency accounts, and Microsoft Entra does not know (S3)")
}

// account adds one account, with what was read of its keys.
func (out *Initial) account(snap *entra.Snapshot, name string, read bool) error {
	r := out.Register
	id := entra.ID(strings.TrimSpace(name))
	if read || id == "" {
		found, err := resolveAccounts(snap, name)
		if err != nil {
			return err
		}
		if len(found) > 1 {
			return refuse("give the object id of the one that is meant", "%d users have the name %q", len(found), name)
		}
		id = found[0]
	}
	if !id.IsGUID() {
		out.Open = append(out.Open, fmt.Sprintf("%s is a name: give its object id, names change owners", id))
		return nil
	}
	if r.Account(id) != nil {
		return nil
	}
	a := register.Account{ID: id}
	v := snap.View()
	known := false
	for i := range v.Users {
		if v.Users[i].ID.Equal(id) {
			a.ID, a.Name, known = v.Users[i].ID, v.Users[i].UserPrincipalName, true
		}
	}
	if !known && (len(v.Users) > 0 || snap.Status(entra.PartUsers).Status == entra.StatusRead) {
		out.Open = append(out.Open, fmt.Sprintf("no user with this id was read: %s; is it the object id of the account?", id))
	}
	out.Open = append(out.Open, fmt.Sprintf("what became of the password of %s: write password: discarded, split or vaulted", cmp.Or(a.Name, string(a.ID))))
	if !inventory(v, &a) {
		out.Open = append(out.Open, fmt.Sprintf("the methods of %s were not read: fill in its keys", cmp.Or(a.Name, string(a.ID))))
	}
	r.Accounts = append(r.Accounts, a)
	return nil
}

// inventory puts down the keys and certificates of an account, all that
// am-key-registry-match compares with; false when its methods were not read.
func inventory(v *entra.Content, a *register.Account) bool {
	read := false
	for i := range v.Accounts {
		if !v.Accounts[i].ID.Equal(a.ID) {
			continue
		}
		read = v.Accounts[i].MethodsRead
		for _, m := range v.Accounts[i].Methods {
			switch m.Type {
			case entra.MethodFIDO2:
				a.Pattern = register.PatternFIDO2
			case entra.MethodX509:
				a.Pattern = cmp.Or(a.Pattern, register.PatternCertificate)
			default:
				continue
			}
			a.Keys = append(a.Keys, register.Key{ID: string(m.ID), Label: m.DisplayName, AAGUID: m.AAGUID})
		}
	}
	return read
}

// groups adds the groups through which policies exclude the accounts, and those
// of neighbours.
func (out *Initial) groups(snap *entra.Snapshot, given []entra.ID) {
	r := out.Register
	v := snap.View()
	add := func(id entra.ID) {
		if slices.ContainsFunc(r.Groups, func(g register.Group) bool { return g.ID.Equal(id) }) {
			return
		}
		g := register.Group{ID: id, Use: register.GroupExclusion}
		for i := range v.Groups {
			if v.Groups[i].ID.Equal(id) {
				g.Name = v.Groups[i].DisplayName
			}
		}
		r.Groups = append(r.Groups, g)
	}
	for _, id := range given {
		add(id)
	}
	in := func(group entra.ID) bool {
		for i := range v.Accounts {
			if r.Account(v.Accounts[i].ID) != nil && slices.ContainsFunc(v.Accounts[i].Memberships, group.Equal) {
				return true
			}
		}
		for i := range v.Groups {
			if v.Groups[i].ID.Equal(group) && slices.ContainsFunc(v.Groups[i].Members, func(m entra.ID) bool { return r.Account(m) != nil }) {
				return true
			}
		}
		return false
	}
	for i := range v.Policies {
		for _, id := range v.Policies[i].Conditions.Users.ExcludeGroups {
			if in(id) {
				add(id)
			}
		}
	}
	if len(r.Groups) > 0 {
		out.Says = append(out.Says, count(len(r.Groups), "exclusion group", "exclusion groups"))
	}
}

// policies proposes what is intended, policy by policy, from how it is now: a
// policy that excludes every account is meant to, one that is for the accounts
// only is meant to include them. The rest is judged, not intended.
func (out *Initial) policies(ctx context.Context, snap *entra.Snapshot, req *InitRequest) error {
	r := out.Register
	if snap.PoliciesRead() == 0 {
		return nil
	}
	names := []string{}
	for _, a := range r.Accounts {
		names = append(names, string(a.ID))
	}
	goals, infos, err := resolveGoals([]string{DefaultGoals[0]})
	if err != nil {
		return err
	}
	var subjects []subject
	for _, a := range r.Accounts {
		subjects = append(subjects, subject{id: a.ID})
	}
	report, err := proveOn(ctx, ProveRequest{Accounts: names, Now: req.Now}, snap, goals, infos, subjects, nil)
	if err != nil {
		return err
	}
	of := map[register.Treatment]int{}
	v := snap.View()
	for i := range v.Policies {
		p := &v.Policies[i]
		treatment := register.TreatmentUnknown
		switch {
		case p.State == entra.StateDisabled: // it does nothing, and nobody need mean anything by it
		case out.onlyFor(p):
			treatment = register.TreatmentIncluded
		case excludesAll(report, p.ID):
			treatment = register.TreatmentExcluded
		}
		if treatment == register.TreatmentUnknown {
			continue
		}
		of[treatment]++
		r.Policies = append(r.Policies, register.Policy{ID: p.ID, Name: p.DisplayName, Treatment: treatment})
	}
	slices.SortStableFunc(r.Policies, func(a, b register.Policy) int { return strings.Compare(a.Name, b.Name) })
	if n := of[register.TreatmentExcluded]; n > 0 {
		out.Says = append(out.Says, count(n, "policy excludes", "policies exclude")+" every account: put down as intended")
	}
	if n := of[register.TreatmentIncluded]; n > 0 {
		out.Says = append(out.Says, count(n, "policy is", "policies are")+" for the accounts only: put down as intended")
	}
	return nil
}

// onlyFor reports whether a policy includes nobody but registered accounts and
// groups.
func (out *Initial) onlyFor(p *entra.Policy) bool {
	r, u := out.Register, &p.Conditions.Users
	if len(u.IncludeUsers)+len(u.IncludeGroups) == 0 || len(u.IncludeRoles) > 0 || u.IncludeGuests != nil {
		return false
	}
	return !slices.ContainsFunc(u.IncludeUsers, func(id entra.ID) bool { return r.Account(id) == nil }) &&
		!slices.ContainsFunc(u.IncludeGroups, func(id entra.ID) bool {
			return !slices.ContainsFunc(r.Groups, func(g register.Group) bool { return g.ID.Equal(id) })
		})
}

func excludesAll(r *Report, policy entra.ID) bool {
	for _, a := range r.Accounts {
		for _, g := range a.Goals {
			i := slices.IndexFunc(g.Policies, func(l lockout.PolicyLine) bool { return policy.Equal(entra.ID(l.Policy)) })
			if i < 0 || len(g.Policies[i].Routes) == 0 {
				return false
			}
		}
	}
	return len(r.Accounts) > 0
}
