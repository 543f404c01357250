package entra

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// settle makes the content independent of the order and the repetition in which
// it was read: ids for policies that have none, JSON for what has none, one copy
// of what was read twice, a fixed order.
func (c *Content) settle() {
	c.Parts = maps.Clone(c.Parts)
	if c.Parts == nil {
		c.Parts = map[Part]PartState{}
	}
	c.namePolicies()
	c.writeRaw()
	for i := range c.Policies {
		p := &c.Policies[i]
		p.Unmodelled = sortedUnmodelled(p.Unmodelled)
		p.Foreign = slices.Compact(slices.Sorted(slices.Values(p.Foreign)))
	}
	for i := range c.Locations {
		c.Locations[i].Unmodelled = sortedUnmodelled(c.Locations[i].Unmodelled)
	}
	for i := range c.Strengths {
		c.Strengths[i].Unmodelled = sortedUnmodelled(c.Strengths[i].Unmodelled)
	}
	for i := range c.Groups {
		c.Groups[i].Members = uniqueIDs(c.Groups[i].Members)
	}
	say := speak(c)
	c.Policies = settle(say, c.Policies, sorting[Policy]{"policy",
		func(p *Policy) thing { return thing{p.ID.Key(), p.Label(), &p.Origin, p.Raw} }, oneOf(samePolicy)})
	c.Locations = settle(say, c.Locations, sorting[NamedLocation]{"named location",
		func(l *NamedLocation) thing { return thing{l.ID.Key(), l.DisplayName, &l.Origin, l.Raw} }, nil})
	c.Strengths = settle(say, c.Strengths, sorting[AuthStrength]{"authentication strength",
		func(s *AuthStrength) thing { return thing{s.ID.Key(), s.DisplayName, &s.Origin, s.Raw} }, nil})
	c.Contexts = settle(say, c.Contexts, small("authentication context", func(x *AuthContext) string { return ID(x.ID).Key() }, contextNode, nil))
	c.Users = settle(say, c.Users, small("user", func(x *User) string { return x.ID.Key() }, userNode, mergeUsers))
	c.Groups = settle(say, c.Groups, small("group", func(x *Group) string { return x.ID.Key() }, groupNode, mergeGroups))
	for i := range c.Accounts {
		a := &c.Accounts[i]
		a.Memberships = uniqueIDs(a.Memberships)
		a.Methods = settle(say, a.Methods, small("method", func(m *AuthMethod) string { return m.ID.Key() }, methodNode, nil))
	}
	c.Accounts = settle(say, c.Accounts, small("account", func(x *Account) string { return x.ID.Key() }, accountNode, nil))
	c.RoleAssignments = settle(say, c.RoleAssignments, small("role assignment", assignmentKey, assignmentNode, mergeAssignments))
	c.RolePolicies = settle(say, c.RolePolicies, small("role policy", func(x *RolePolicy) string { return x.Role.Key() }, rolePolicyNode, nil))
	c.ProtectedActions = settle(say, c.ProtectedActions, small("protected action", func(x *ProtectedAction) string { return ID(x.Action).Key() }, actionNode, nil))
	c.Agreements = settle(say, c.Agreements, small("agreement", func(x *Agreement) string { return x.ID.Key() }, agreementNode, nil))
	c.Applications = settle(say, c.Applications, small("service principal", func(x *ServicePrincipal) string { return x.AppID.Key() }, applicationNode, nil))
	c.Domains = settle(say, c.Domains, small("domain", func(x *Domain) string { return ID(x.Name).Key() }, domainNode, nil))
	c.settleObjects()
	c.ServicePlans = slices.Compact(slices.Sorted(slices.Values(c.ServicePlans)))
	if c.LegacyMethods != nil {
		c.LegacyMethods = slices.Compact(slices.AppendSeq([]MethodType{}, slices.Values(slices.Sorted(slices.Values(c.LegacyMethods)))))
	}
}

func sortedUnmodelled(list []Unmodelled) []Unmodelled {
	return slices.Compact(slices.SortedFunc(slices.Values(list), func(a, b Unmodelled) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Kind, b.Kind), cmp.Compare(a.Area, b.Area), strings.Compare(a.Value, b.Value))
	}))
}

// thing is what settling asks of an object.
type thing struct {
	key    string
	label  string
	origin *Origin
	raw    []byte
}

// sorting says how to settle a list of one kind of object.
type sorting[T any] struct {
	name string
	of   func(*T) thing
	// merge makes one of two readings of one object that do not contradict each
	// other; nil: they must be equal.
	merge func(a, b *T) (T, bool)
}

// small settles objects that have no JSON of their own in the Snapshot.
func small[T any](name string, key func(*T) string, write func(*T) node, merge func(a, b *T) (T, bool)) sorting[T] {
	return sorting[T]{name, func(x *T) thing {
		n := write(x)
		k := key(x)
		return thing{k, k, &Origin{}, n.canonical(nil)}
	}, merge}
}

func oneOf[T any](same func(a, b *T) bool) func(a, b *T) (T, bool) {
	return func(a, b *T) (T, bool) { return *a, same(a, b) }
}

// settle sorts a list, drops what was read twice, and names objects that share
// an id and differ: nobody can say which of them is in force, so all stay.
func settle[T any](say *speech, list []T, k sorting[T]) []T {
	type item struct {
		x *T
		thing
	}
	items := make([]*item, len(list))
	for i := range list {
		items[i] = &item{&list[i], k.of(&list[i])}
	}
	slices.SortStableFunc(items, func(a, b *item) int {
		return cmp.Or(strings.Compare(a.key, b.key), bytes.Compare(a.raw, b.raw), strings.Compare(a.origin.File, b.origin.File),
			cmp.Compare(a.origin.Line, b.origin.Line), strings.Compare(a.origin.Path, b.origin.Path))
	})
	out := items[:0]
	for _, it := range items {
		if it.key == "" || len(out) == 0 || out[len(out)-1].key != it.key {
			out = append(out, it)
			continue
		}
		last := out[len(out)-1]
		same := bytes.Equal(last.raw, it.raw)
		if !same && k.merge != nil {
			var both T
			if both, same = k.merge(last.x, it.x); same {
				last.x = &both
			}
		}
		at := Trouble{File: it.origin.File, Line: it.origin.Line}
		switch {
		case !same:
			at.What = fmt.Sprintf("%s %s (%q) is also in %s with other content; both are kept", k.name, it.key, it.label, place(last.origin))
			at.Other = last.origin.File
			say.trouble(at)
			out = append(out, it)
		case at.File != "":
			at.What = fmt.Sprintf("%s %s (%q) is also in %s; read once", k.name, it.key, it.label, place(last.origin))
			say.note(at)
		}
	}
	if len(out) == 0 {
		return nil
	}
	settled := make([]T, len(out))
	for i := range out {
		settled[i] = *out[i].x
	}
	return settled
}

// speech adds troubles and notes that were not there before: a Snapshot that is
// read again has them already.
type speech struct {
	c               *Content
	troubles, notes map[Trouble]bool
}

func speak(c *Content) *speech {
	s := &speech{c, make(map[Trouble]bool, len(c.Troubles)), make(map[Trouble]bool, len(c.Notes))}
	for _, t := range c.Troubles {
		t.Other = "" // a Snapshot that was read again has only the words
		s.troubles[t] = true
	}
	for _, n := range c.Notes {
		s.notes[n] = true
	}
	return s
}

func (s *speech) trouble(t Trouble) {
	words := t
	words.Other = ""
	if !s.troubles[words] {
		s.troubles[words] = true
		s.c.Troubles = append(s.c.Troubles, t)
	}
}

func (s *speech) note(n Trouble) {
	if !s.notes[n] {
		s.notes[n] = true
		s.c.Notes = append(s.c.Notes, n)
	}
}

func place(o *Origin) string {
	switch {
	case o.File == "":
		return "another source"
	case o.Line == 0:
		return o.File
	}
	return o.File + ":" + strconv.Itoa(o.Line)
}

// samePolicy reports whether two readings of a policy say the same, for example
// one by PowerShell and one by Graph.
func samePolicy(a, b *Policy) bool { return reflect.DeepEqual(meaning(a), meaning(b)) }

func meaning(p *Policy) Policy {
	m := *p
	m.Raw, m.Origin, m.Foreign, m.ID = nil, Origin{}, nil, ""
	if s := m.Grant.Strength; s != nil {
		c := *s
		c.Raw, c.Origin = nil, Origin{}
		m.Grant.Strength = &c
	}
	return m
}

// mergeUsers fills what one reading of a user leaves open from the other.
func mergeUsers(a, b *User) (User, bool) {
	u := *a
	ok := fill(&u.UserPrincipalName, b.UserPrincipalName) && fill(&u.DisplayName, b.DisplayName) && fill(&u.UserType, b.UserType) &&
		fill(&u.PasswordPolicies, b.PasswordPolicies) && fillFlag(&u.Enabled, b.Enabled) && fillFlag(&u.OnPremisesSync, b.OnPremisesSync) &&
		u.Deleted == b.Deleted
	u.Unmodelled = union(slices.Clone(u.Unmodelled), b.Unmodelled)
	return u, ok
}

func mergeGroups(a, b *Group) (Group, bool) {
	g := *a
	ok := fill(&g.DisplayName, b.DisplayName) && fillFlag(&g.RoleAssignable, b.RoleAssignable)
	g.Dynamic = a.Dynamic || b.Dynamic
	switch {
	case !a.MembersRead && !b.MembersRead:
		g.Members = uniqueIDs(slices.Concat(a.Members, b.Members))
	case !a.MembersRead:
		g.Members, g.MembersRead = b.Members, true
	case b.MembersRead:
		ok = ok && slices.EqualFunc(uniqueIDs(a.Members), uniqueIDs(b.Members), ID.Equal)
	}
	return g, ok
}

func assignmentKey(a *RoleAssignment) string {
	return strings.Join([]string{a.Principal.Key(), a.Role.Key(), strings.ToLower(a.Scope), string(a.Assignment)}, " ")
}

// mergeAssignments: a plain role assignment and its schedule instance are the
// same; the instance knows when it ends.
func mergeAssignments(a, b *RoleAssignment) (RoleAssignment, bool) {
	m := *a
	if m.End == nil {
		m.End = b.End
	}
	m.Activated = a.Activated || b.Activated
	return m, a.End == nil || b.End == nil || a.End.Equal(*b.End)
}

func fill(to *string, from string) bool {
	if *to == "" {
		*to = from
	}
	return from == "" || strings.EqualFold(*to, from)
}

func fillFlag(to **bool, from *bool) bool {
	if *to == nil {
		*to = from
	}
	return from == nil || **to == *from
}

// uniqueIDs sorts ids and keeps each once.
func uniqueIDs(ids []ID) []ID {
	out := slices.Clone(ids)
	slices.SortFunc(out, func(a, b ID) int {
		return cmp.Or(strings.Compare(a.Key(), b.Key()), strings.Compare(string(a), string(b)))
	})
	return slices.CompactFunc(out, ID.Equal)
}

// writeRaw writes Graph's JSON for objects that were made or changed here.
func (c *Content) writeRaw() {
	write := func(raw *json.RawMessage, n func() node) {
		if len(*raw) == 0 {
			v := n()
			*raw = v.canonical(nil)
		}
	}
	for i := range c.Policies {
		write(&c.Policies[i].Raw, func() node { return graphPolicy(&c.Policies[i]) })
	}
	for i := range c.Locations {
		write(&c.Locations[i].Raw, func() node { return graphLocation(&c.Locations[i]) })
	}
	for i := range c.Strengths {
		write(&c.Strengths[i].Raw, func() node { return graphStrength(&c.Strengths[i]) })
	}
	if m := c.MethodsPolicy; m != nil {
		m.Unmodelled = sortedUnmodelled(m.Unmodelled)
		write(&m.Raw, func() node { return graphMethodsPolicy(m) })
	}
}

// namePolicies gives policies without an id one of their own, the same whenever
// the same files are read: "file:NAME" when the policy is alone in its file,
// else "policy-" and a hash of its display name or, without one, of its JSON.
func (c *Content) namePolicies() {
	perFile, taken, used := map[string]int{}, map[string]bool{}, map[string]int{}
	for i := range c.Policies {
		perFile[c.Policies[i].Origin.File]++
		taken[c.Policies[i].ID.Key()] = true
	}
	for i := range c.Policies {
		p := &c.Policies[i]
		if p.ID != "" {
			continue
		}
		base := path.Base(strings.ReplaceAll(p.Origin.File, `\`, "/"))
		name := "file:" + strings.TrimSuffix(base, path.Ext(base))
		if p.Origin.File == "" || perFile[p.Origin.File] > 1 {
			from := []byte(p.DisplayName)
			if len(from) == 0 {
				from = p.Raw
			}
			sum := sha256.Sum256(from)
			name = "policy-" + hex.EncodeToString(sum[:4])
		}
		id := ID(name)
		for taken[id.Key()] {
			used[name] = max(used[name], 1) + 1
			id = ID(name + "-" + strconv.Itoa(used[name]))
		}
		taken[id.Key()] = true
		p.ID = id
	}
}
