package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"halligan/entra"
)

// FromDraft reads drafts of policies, named locations and authentication
// strengths in Graph's form, in any wrapping that package entra reads. A draft
// that has the id of an object in the tenant updates it as PATCH does; any other
// creates an object. What cannot be read is an error: half a draft would prove
// the wrong thing.
func FromDraft(sources ...entra.Source) ([]Change, error) {
	s, err := entra.Read(sources...)
	if err != nil {
		return nil, err
	}
	return fromDrafts(s)
}

func fromDrafts(s *entra.Snapshot) ([]Change, error) {
	c := s.View()
	if len(c.Troubles) > 0 {
		return nil, &TroubleError{c.Troubles}
	}
	var out []Change
	for i := range shelves {
		shelf := &shelves[i]
		for j := range shelf.len(c) {
			f := shelf.at(c, j)
			out = append(out, Change{Verb: VerbPut, Kind: shelf.kind, Subject: ownID(*f.raw), Name: *f.name,
				Object: *f.raw, Origin: *f.origin})
		}
	}
	if len(out) == 0 {
		return nil, errNoDraft
	}
	return out, nil
}

var errNoDraft = &FormatError{What: "holds no policy, named location or authentication strength",
	hint: "give a draft in Graph's JSON, a second export, or the output of terraform show -json"}

// ownID returns the id that the JSON of an object says; not the one that a
// Snapshot gave to an object without.
func ownID(raw json.RawMessage) string {
	o, err := parseObject(raw)
	if err != nil {
		return ""
	}
	if id := o.text("id"); id != "" {
		return id
	}
	if n, ok := o.get("id").(json.Number); ok {
		return n.String()
	}
	return ""
}

// TroubleError is what could not be read of the sources of a change.
type TroubleError struct{ Troubles []entra.Trouble }

func (e *TroubleError) Error() string {
	t := e.Troubles[0]
	text := t.What
	switch {
	case t.File != "" && t.Line > 0:
		text = fmt.Sprintf("%s:%d:%d: %s", t.File, t.Line, t.Column, text)
	case t.File != "":
		text = t.File + ": " + text
	}
	if more := len(e.Troubles) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

// FromSnapshot returns the changes that make of a tenant what a second export of
// it says: objects removed, added and changed, in that order, then the parts
// that are not objects (methods, memberships, roles and so on), as far as the
// second export read them. What it did not read stays as it was. An object
// counts as removed only when nothing says that its part of the second export is
// incomplete.
func FromSnapshot(base, next *entra.Snapshot) []Change {
	var removed, added, changed []Change
	b, n := base.View(), next.View()
	for i := range shelves {
		s := &shelves[i]
		m := match(s, b, n)
		for _, j := range m.removed {
			if f := s.at(b, j); whole(next, s) {
				removed = append(removed, Change{Verb: VerbDelete, Kind: s.kind, Subject: string(*f.id), Name: *f.name, Origin: *f.origin})
			}
		}
		for _, j := range m.added {
			f := s.at(n, j)
			added = append(added, Change{Verb: VerbCreate, Kind: s.kind, Subject: string(*f.id), Name: *f.name, Object: *f.raw, Origin: *f.origin})
		}
		for _, p := range m.pairs {
			f, was := s.at(n, p[1]), s.at(b, p[0])
			if !bytes.Equal(*f.raw, *was.raw) {
				changed = append(changed, Change{Verb: VerbReplace, Kind: s.kind, Subject: string(*was.id), Name: *f.name, Object: *f.raw, Origin: *f.origin})
			}
		}
	}
	return slices.Concat(removed, added, changed, takeParts(base, next))
}

// whole reports whether the second export may be taken for all objects of the
// kind.
func whole(next *entra.Snapshot, s *shelf) bool {
	switch next.Status(s.part).Status {
	case entra.StatusRead:
		return true
	case entra.StatusDenied, entra.StatusCutShort:
		return false
	}
	return s.len(next.View()) > 0 // a folder of single files never says that it is all
}

// part is one part of a Snapshot that a second export replaces.
type part struct {
	name entra.Part
	noun string
	// take puts the part of the other content into this one; whole says that it
	// is all of it.
	take func(to, from *entra.Content, whole bool)
}

var parts = []part{
	{entra.PartContexts, "authentication contexts", func(to, from *entra.Content, whole bool) {
		to.Contexts = over(to.Contexts, from.Contexts, whole, func(x *entra.AuthContext) string { return x.ID })
	}},
	{entra.PartMethodsPolicy, "authentication methods policy", func(to, from *entra.Content, _ bool) {
		if from.MethodsPolicy != nil {
			m := *from.MethodsPolicy // a Snapshot writes into what it is made of
			to.MethodsPolicy = &m
		}
	}},
	{entra.PartSecurityDefaults, "security defaults", func(to, from *entra.Content, _ bool) {
		if from.SecurityDefaults != nil {
			to.SecurityDefaults = from.SecurityDefaults
		}
	}},
	{entra.PartAuthorization, "authorization policy", func(to, from *entra.Content, _ bool) {
		if from.SSPRAllowed != nil {
			to.SSPRAllowed = from.SSPRAllowed
		}
	}},
	{entra.PartUsers, "users", func(to, from *entra.Content, whole bool) {
		to.Users = over(to.Users, from.Users, whole, func(x *entra.User) string { return x.ID.Key() })
	}},
	{entra.PartGroups, "groups", func(to, from *entra.Content, whole bool) {
		to.Groups = over(to.Groups, from.Groups, whole, func(x *entra.Group) string { return x.ID.Key() })
	}},
	{entra.PartAccounts, "memberships and methods of accounts", func(to, from *entra.Content, whole bool) {
		to.Accounts = over(to.Accounts, from.Accounts, whole, func(x *entra.Account) string { return x.ID.Key() })
	}},
	{entra.PartRoleAssignments, "active role assignments", takeRoles(entra.AssignmentActive)},
	{entra.PartRoleEligibility, "eligible role assignments", takeRoles(entra.AssignmentEligible)},
	{entra.PartRolePolicies, "rules for activating roles", func(to, from *entra.Content, whole bool) {
		to.RolePolicies = over(to.RolePolicies, from.RolePolicies, whole, func(x *entra.RolePolicy) string { return x.Role.Key() })
	}},
	{entra.PartProtectedActions, "protected actions", func(to, from *entra.Content, whole bool) {
		to.ProtectedActions = over(to.ProtectedActions, from.ProtectedActions, whole, func(x *entra.ProtectedAction) string { return x.Action })
	}},
	{entra.PartAgreements, "terms of use", func(to, from *entra.Content, whole bool) {
		to.Agreements = over(to.Agreements, from.Agreements, whole, func(x *entra.Agreement) string { return x.ID.Key() })
	}},
	{entra.PartApplications, "service principals", func(to, from *entra.Content, whole bool) {
		to.Applications = over(to.Applications, from.Applications, whole, func(x *entra.ServicePrincipal) string { return x.AppID.Key() })
	}},
	{entra.PartDomains, "domains", func(to, from *entra.Content, whole bool) {
		to.Domains = over(to.Domains, from.Domains, whole, func(x *entra.Domain) string { return x.Name })
	}},
	{entra.PartLicences, "licences", func(to, from *entra.Content, whole bool) {
		to.ServicePlans = over(to.ServicePlans, from.ServicePlans, whole, func(x *entra.ServicePlan) string { return string(*x) })
	}},
}

// over returns the newer list, completed by what only the older one has unless
// the newer is all there is.
func over[T any](older, newer []T, whole bool, key func(*T) string) []T {
	out := slices.Clone(newer)
	if whole {
		return out
	}
	seen := map[string]bool{}
	for i := range newer {
		seen[key(&newer[i])] = true
	}
	for i := range older {
		if !seen[key(&older[i])] {
			out = append(out, older[i])
		}
	}
	return out
}

func takeRoles(how entra.Assignment) func(to, from *entra.Content, whole bool) {
	return func(to, from *entra.Content, whole bool) {
		other := func(list []entra.RoleAssignment, want bool) []entra.RoleAssignment {
			return slices.DeleteFunc(slices.Clone(list), func(r entra.RoleAssignment) bool { return (r.Assignment == how) != want })
		}
		to.RoleAssignments = append(other(to.RoleAssignments, false), over(other(to.RoleAssignments, true), other(from.RoleAssignments, true), whole,
			func(r *entra.RoleAssignment) string { return r.Principal.Key() + " " + r.Role.Key() + " " + r.Scope })...)
	}
}

// takeParts lists the parts that the second export read otherwise.
func takeParts(base, next *entra.Snapshot) []Change {
	var out []Change
	for i := range parts {
		p := &parts[i]
		var before, after entra.Content // this part only
		p.take(&before, base.View(), true)
		p.take(&after, base.View(), true)
		p.put(&after, next)
		before.Parts = map[entra.Part]entra.PartState{p.name: base.Status(p.name)}
		if after.Parts == nil {
			after.Parts = before.Parts
		}
		if !bytes.Equal(entra.NewSnapshot(before).JSON(), entra.NewSnapshot(after).JSON()) {
			out = append(out, Change{Verb: VerbTakePart, Subject: string(p.name), Name: p.noun, next: next})
		}
	}
	return out
}

func (p *part) put(to *entra.Content, next *entra.Snapshot) {
	status := next.Status(p.name)
	p.take(to, next.View(), status.Status == entra.StatusRead)
	if status.Status == entra.StatusRead {
		to.Parts = maps.Clone(to.Parts)
		if to.Parts == nil {
			to.Parts = map[entra.Part]entra.PartState{}
		}
		to.Parts[p.name] = status
	}
}

func (e *edit) takePart(c *Change) error {
	i := slices.IndexFunc(parts, func(p part) bool { return string(p.name) == c.Subject })
	if i < 0 || c.next == nil {
		return fmt.Errorf("there is no part %q to take", c.Subject)
	}
	parts[i].put(&e.c, entra.NewSnapshot(c.next.Content())) // a later change may write into what is taken
	return nil
}
