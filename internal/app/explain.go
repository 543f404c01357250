package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout"
	"halligan/lockout/facts"
)

// ExplainSchema names the JSON form of an Explanation.
const ExplainSchema = "halligan-explain/1"

// Explanation tells one policy or one account.
type Explanation struct {
	Schema string `json:"schema"`
	Kind   string `json:"kind"` // policy or account
	ID     string `json:"id"`
	Name   string `json:"name,omitempty"`
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	// Says are sentences: what the policy asks of whom, or what is known of the
	// account.
	Says []string `json:"says"`
	// Unmodelled are the parts of the policy that the prover reads against the
	// account because it does not know them.
	Unmodelled []string `json:"unmodelled,omitempty"`
	// Relations are the policy against each judged account and goal.
	Relations []Relation `json:"relations,omitempty"`
	// Account is the judged account; its policies and gates are within.
	Account *AccountReport `json:"account,omitempty"`
	Goals   []GoalInfo     `json:"goals"`
	// Troubles are what could not be read.
	Troubles []entra.Trouble `json:"troubles"`
	// Unread are what was not read of the account: user, groups, roles, methods.
	Unread []string `json:"unread,omitempty"`
	// Names are those of the Report.
	Names map[string]string `json:"-"`
}

// Relation is what a policy means for one account and goal.
type Relation struct {
	Account    entra.ID `json:"account"`
	Name       string   `json:"name,omitempty"`
	Label      string   `json:"label"`
	Hypothesis bool     `json:"hypothesis"`
	Goal       string   `json:"goal"`
	lockout.PolicyLine
}

// Explain tells a policy, named by id, display name or a part of it that fits
// one only, or an account, named by id or user principal name.
func Explain(ctx context.Context, req ProveRequest, what string) (*Explanation, error) {
	reading := req
	if strings.Contains(what, "@") || entra.ID(what).IsGUID() {
		reading.Accounts = append(slices.Clone(req.Accounts), what) // perhaps an account, and then it is to be read
	}
	snap, err := reading.read(ctx, nil)
	if err != nil {
		return nil, err
	}
	p, err := findPolicy(snap, what)
	if err != nil {
		return nil, err
	}
	if p == nil {
		ids, err := resolveAccounts(snap, what)
		if err != nil {
			return nil, neither(snap, what)
		}
		if len(ids) > 1 {
			return several(snap, what, ids), nil
		}
		req.Accounts = []string{string(ids[0])}
	}
	req.Margin = false
	r, err := Prove(ctx, req)
	if err != nil {
		return nil, err
	}
	e := &Explanation{Schema: ExplainSchema, Kind: "account", Says: []string{}, Goals: r.Goals, Troubles: r.Troubles, Names: r.Names}
	if p == nil {
		e.Account = r.Accounts[0]
		e.ID, e.Name = string(e.Account.Account), e.Account.Name
		view, err := lockout.Suppose(snap, e.Account.Account, req.Suppose)
		if err != nil {
			return nil, err
		}
		e.Says = accountSays(view, e.Account.Account)
		e.Unread = unreadOf(view, e.Account.Account)
		return e, nil
	}
	e.Kind, e.ID, e.Name, e.File, e.Line = "policy", string(p.ID), p.DisplayName, p.Origin.File, p.Origin.Line
	e.Says = policySays(snap, p)
	for _, u := range p.Unmodelled {
		e.Unmodelled = append(e.Unmodelled, u.Path+" ("+u.Kind+"): "+u.Value)
	}
	for _, a := range r.Accounts {
		for _, g := range a.Goals {
			i := slices.IndexFunc(g.Policies, func(l lockout.PolicyLine) bool { return entra.ID(l.Policy).Equal(p.ID) })
			if i >= 0 {
				e.Relations = append(e.Relations, Relation{a.Account, a.Name, a.Label(), a.Hypothesis, g.Goal, g.Policies[i]})
			}
		}
	}
	return e, nil
}

// several is what can be told of a name that more than one user has.
func several(snap *entra.Snapshot, name string, ids []entra.ID) *Explanation {
	trouble := sharedName(snap, name, ids)
	e := &Explanation{Schema: ExplainSchema, Kind: "account", ID: name, Says: []string{}, Goals: []GoalInfo{}, Troubles: append(orEmpty(snap.View().Troubles), trouble)}
	for _, id := range ids {
		e.Says = append(e.Says, "it may be "+string(id)+": ask for it by this id")
	}
	return e
}

// unreadOf names what of an account was neither read nor supposed.
func unreadOf(snap *entra.Snapshot, id entra.ID) []string {
	v := snap.View()
	var a entra.Account
	if i := slices.IndexFunc(v.Accounts, func(a entra.Account) bool { return a.ID.Equal(id) }); i >= 0 {
		a = v.Accounts[i]
	}
	var out []string
	for _, part := range []struct {
		name string
		read bool
	}{
		{"user", slices.ContainsFunc(v.Users, func(u entra.User) bool { return u.ID.Equal(id) })}, {"groups", a.MembersRead},
		{"roles", snap.Status(entra.PartRoleAssignments).Status == entra.StatusRead}, {"methods", a.MethodsRead},
	} {
		if !part.read {
			out = append(out, part.name)
		}
	}
	return out
}

// findPolicy returns the policy that is meant, or nil when none is.
func findPolicy(snap *entra.Snapshot, what string) (*entra.Policy, error) {
	v := snap.View()
	what = strings.TrimSpace(what)
	fold := strings.ToLower(what)
	var part, begins []int
	for i := range v.Policies {
		p := &v.Policies[i]
		if p.ID.Equal(entra.ID(what)) || strings.EqualFold(p.DisplayName, what) {
			return p, nil
		}
		if fold != "" && strings.Contains(strings.ToLower(p.DisplayName), fold) {
			part = append(part, i)
			if strings.HasPrefix(strings.ToLower(strings.TrimSpace(p.DisplayName)), fold) {
				begins = append(begins, i)
			}
		}
	}
	if len(begins) == 1 { // the number of a policy may stand in the name of another too
		part = begins
	}
	switch {
	case len(part) == 0:
		return nil, nil
	case len(part) > 1:
		var names []string
		for _, i := range part[:min(len(part), 5)] {
			names = append(names, fmt.Sprintf("%q", v.Policies[i].Label()))
		}
		return nil, refuse("give the whole name or the id; it may be "+strings.Join(names, ", "), "%q fits %d policies", what, len(part))
	}
	return &v.Policies[part[0]], nil
}

func neither(snap *entra.Snapshot, what string) error {
	var near []string
	v := snap.View()
	for i := range v.Policies {
		near = append(near, v.Policies[i].Label())
	}
	for i := range v.Users {
		near = append(near, v.Users[i].UserPrincipalName)
	}
	return &RequestError{Err: fmt.Errorf("no policy or account %q in what was read", what), Near: near, Word: what,
		hint: "give the id or name of a policy, or the object id or user principal name of an account"}
}

// accountSays tells what is known of an account.
func accountSays(snap *entra.Snapshot, id entra.ID) []string {
	v := snap.View()
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if i := slices.IndexFunc(v.Users, func(u entra.User) bool { return u.ID.Equal(id) }); i >= 0 {
		u := &v.Users[i]
		say("it is %s", strings.Join(userWords(u), ", "))
	} else {
		say("the account itself was not read")
	}
	n := namer{v}
	i := slices.IndexFunc(v.Accounts, func(a entra.Account) bool { return a.ID.Equal(id) })
	var a entra.Account
	if i >= 0 {
		a = v.Accounts[i]
	}
	switch {
	case !a.MembersRead:
		say("its groups were not read")
	case len(a.Memberships) == 0:
		say("it is in no group")
	default:
		say("it is in %s", strings.Join(n.all(a.Memberships), ", "))
	}
	out = append(out, roleSays(snap, n, id, a.Memberships)...)
	switch {
	case !a.MethodsRead:
		say("its authentication methods were not read")
	case len(a.Methods) == 0:
		say("it has no authentication method")
	}
	for i := range a.Methods {
		say("it has %s", methodWords(&a.Methods[i]))
	}
	if a.PerUserMFA != "" {
		say("its per-user MFA is %s", a.PerUserMFA)
	}
	return out
}

func userWords(u *entra.User) []string {
	var words []string
	yesNo := func(b *bool, yes, no, unread string) {
		switch {
		case b == nil:
			words = append(words, unread)
		case *b:
			words = append(words, yes)
		default:
			words = append(words, no)
		}
	}
	yesNo(u.Enabled, "enabled", "disabled", "enabled or not: not read")
	switch {
	case u.UserType == "":
		words = append(words, "member or guest: not read")
	default:
		words = append(words, "a "+strings.ToLower(u.UserType))
	}
	yesNo(u.OnPremisesSync, "synchronised from on premises", "cloud-only", "synchronised or not: not read")
	if u.Deleted {
		words = append(words, "deleted")
	}
	return words
}

func roleSays(snap *entra.Snapshot, n namer, id entra.ID, groups []entra.ID) []string {
	if snap.Status(entra.PartRoleAssignments).Status != entra.StatusRead {
		return []string{"its roles were not read"}
	}
	var out []string
	for i := range n.v.RoleAssignments {
		r := &n.v.RoleAssignments[i]
		via := ""
		if !r.Principal.Equal(id) {
			if !slices.ContainsFunc(groups, r.Principal.Equal) {
				continue
			}
			via = " through group " + n.one(r.Principal)
		}
		scope := ""
		if r.Scope != "" && r.Scope != "/" {
			scope = " in " + r.Scope
		}
		out = append(out, fmt.Sprintf("it holds role %s, %s%s%s", facts.RoleName(r.Role), r.Assignment, scope, via))
	}
	if len(out) == 0 {
		return []string{"it holds no role"}
	}
	return out
}

func methodWords(m *entra.AuthMethod) string {
	s := string(m.Type)
	if s == "" {
		s = "a method of a type that is not known"
	}
	if m.DisplayName != "" {
		s += fmt.Sprintf(" %q", m.DisplayName)
	}
	var extra []string
	if m.AAGUID != "" {
		extra = append(extra, "model "+m.AAGUID)
	}
	if m.PasskeyType != "" {
		extra = append(extra, m.PasskeyType)
	}
	if m.UsableOnce {
		extra = append(extra, "usable once")
	}
	if len(extra) > 0 {
		s += " (" + strings.Join(extra, ", ") + ")"
	}
	return s
}
