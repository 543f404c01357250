package app

import (
	"context"
	"slices"
	"strings"

	"halligan/custody"
	"halligan/entra"
	"halligan/lockout"
	"halligan/register"
)

// side answers for the tenant whether a way of custody gets in. It proves the repair
// of the policies with the credentials of that way alone: whatever else is registered
// for the account lies in nobody's custody.
type side struct {
	ctx  context.Context
	snap *entra.Snapshot
	reg  *register.Register
	now  lockout.Date
}

// surviveGoal is what must be reached for an account to be recovered with.
const surviveGoal = "recover:entraAdminCenter"

// services are the settings of the tenant that an account may rest on: the groups
// that hold it and that policies or methods name, and the policies.
func (s *side) services() []custody.Loss {
	var out []custody.Loss
	v := s.snap.View()
	for i := range v.Policies {
		p := &v.Policies[i]
		out = append(out, custody.PolicyLost(p.ID, p.DisplayName))
	}
	for i := range v.Groups {
		g := &v.Groups[i]
		holds := slices.ContainsFunc(s.reg.Accounts, func(a register.Account) bool {
			return slices.ContainsFunc(g.Members, a.ID.Equal) || slices.ContainsFunc(v.Accounts, func(f entra.Account) bool {
				return f.ID.Equal(a.ID) && slices.ContainsFunc(f.Memberships, g.ID.Equal)
			})
		})
		if l := custody.GroupLost(g.ID, g.DisplayName); holds && !slices.ContainsFunc(s.reg.Groups, func(x register.Group) bool { return x.ID.Equal(g.ID) }) {
			out = append(out, l)
		}
	}
	return out
}

// answer implements custody.Tenant. A proof is yes; a sign-in that surely fails is
// no, since nobody chooses the circumstances of an emergency. Whatever is lost more
// lets nothing in: a group that is gone ends what the account owes to it, and nothing
// that binds the account through it.
func (s *side) answer(w *custody.Way, lost []custody.Loss) custody.Answer {
	if s.ctx.Err() != nil {
		return custody.Maybe
	}
	out := custody.Yes
	content := s.snap.Content()
	kit := s.onlyKit(&content, w)
	var gone []entra.ID
	for _, l := range lost {
		switch l.Kind {
		case custody.LossDomain:
			return custody.No // the name with which one signs in is gone
		case custody.LossFederation:
			out = custody.Both(out, managed(&content, w.Account))
		case custody.LossPolicy:
			bind(&content, l.ID)
		case custody.LossGroup:
			gone = append(gone, entra.ID(l.ID))
		}
	}
	if kit == custody.No || out == custody.No {
		return custody.No
	}
	out = custody.Both(out, kit)
	groups := groupsGone(&content, w.Account, gone)
	if groups.unread {
		out = custody.Both(out, custody.Maybe)
	}
	prove := func(c *entra.Content) custody.Answer { return s.prove(c, w.Account) }
	ends := slices.Concat(groups.gone, groups.sure)
	if len(groups.perhaps) > 0 {
		harsh := entra.NewSnapshot(content).Content()
		if got := askWithout(&harsh, w.Account, slices.Concat(ends, groups.perhaps), prove); got != custody.Yes {
			out = custody.Both(out, custody.Maybe)
		}
	}
	return custody.Both(out, askWithout(&content, w.Account, ends, prove))
}

// prove asks the prover.
func (s *side) prove(c *entra.Content, account entra.ID) custody.Answer {
	goal, _ := lockout.ResolveGoal(surviveGoal)
	v, err := lockout.New(entra.NewSnapshot(*c)).Prove(lockout.Question{Account: account, Goal: goal, Now: s.now})
	switch {
	case err != nil || v.Outcome == lockout.Undetermined:
		return custody.Maybe
	case v.Outcome == lockout.Lockout:
		return custody.No
	}
	return custody.Yes
}

// bind makes a policy enabled and without exceptions.
func bind(c *entra.Content, id string) {
	for i := range c.Policies {
		p := &c.Policies[i]
		if p.ID.Key() == id || p.ID == "" && strings.EqualFold(strings.TrimSpace(p.DisplayName), id) {
			p.State, p.Raw = entra.StateEnabled, nil
			u := &p.Conditions.Users
			u.ExcludeUsers, u.ExcludeGroups, u.ExcludeRoles, u.ExcludeGuests = nil, nil, nil, nil
		}
	}
}

// managed reports whether Entra itself checks the credentials of an account.
func managed(c *entra.Content, account entra.ID) custody.Answer {
	for i := range c.Users {
		if !c.Users[i].ID.Equal(account) {
			continue
		}
		_, domain, _ := strings.Cut(c.Users[i].UserPrincipalName, "@")
		for _, d := range c.Domains {
			if strings.EqualFold(d.Name, domain) {
				switch d.Authentication {
				case "Managed":
					return custody.Yes
				case "Federated":
					return custody.No
				}
			}
		}
	}
	return custody.Maybe
}

// kitTypes are the methods of each way to sign in.
var kitTypes = map[register.Pattern][]entra.MethodType{
	register.PatternFIDO2:         {entra.MethodFIDO2},
	register.PatternCertificate:   {entra.MethodX509},
	register.PatternOATH:          {entra.MethodPassword, entra.MethodHardwareOath, entra.MethodSoftwareOath},
	register.PatternSplitPassword: {entra.MethodPassword},
	register.PatternVault:         {entra.MethodPassword},
}

// onlyKit leaves an account the methods of one way. No: the key of the way is not
// registered; Maybe: which of the registered ones it is cannot be told.
func (s *side) onlyKit(c *entra.Content, w *custody.Way) custody.Answer {
	at := slices.IndexFunc(c.Accounts, func(a entra.Account) bool { return a.ID.Equal(w.Account) })
	if at < 0 || !c.Accounts[at].MethodsRead {
		return custody.Yes // the prover says itself that it does not know
	}
	a := &c.Accounts[at]
	all := a.Methods
	a.Methods = nil
	for _, m := range all {
		if slices.Contains(kitTypes[w.Pattern], m.Type) {
			a.Methods = append(a.Methods, m)
		}
	}
	if w.Pattern != register.PatternFIDO2 {
		return custody.Yes
	}
	mine, sure := s.keyAmong(a, w)
	switch {
	case len(a.Methods) == 0, len(mine) == 0 && w.Of.ID != "":
		return custody.No
	case len(mine) == 0:
		return custody.Maybe
	}
	a.Methods = mine
	if !sure {
		return custody.Maybe
	}
	return custody.Yes
}

// keyAmong are the methods of an account that may be the key of a way, and whether that is
// sure. An id tells it alone, and one that is not there is not registered, whatever else
// is called alike. A label tells it where one method and one key bear it, and their models
// do not differ; a model where there is one of it.
func (s *side) keyAmong(a *entra.Account, w *custody.Way) (mine []entra.AuthMethod, sure bool) {
	pick := func(is func(entra.AuthMethod) bool) (out []entra.AuthMethod) {
		for _, m := range a.Methods {
			if is(m) {
				out = append(out, m)
			}
		}
		return out
	}
	if id := strings.TrimSpace(w.Of.ID); id != "" {
		mine = pick(func(m entra.AuthMethod) bool { return strings.EqualFold(string(m.ID), id) })
		return mine, len(mine) > 0
	}
	labelled := pick(func(m entra.AuthMethod) bool {
		return register.NameKey(w.Of.Label) != "" && register.NameKey(m.DisplayName) == register.NameKey(w.Of.Label)
	})
	alike := pick(func(m entra.AuthMethod) bool { return w.Of.AAGUID != "" && strings.EqualFold(m.AAGUID, w.Of.AAGUID) })
	switch {
	case len(labelled) == 0:
		return alike, s.onlyOfItsModel(a, w)
	case len(labelled) > 1 || s.keysLabelled(w) > 1:
		return labelled, false
	case w.Of.AAGUID != "" && labelled[0].AAGUID != "" && !strings.EqualFold(labelled[0].AAGUID, w.Of.AAGUID):
		return append(labelled, alike...), false // by the label this one, by the model those
	}
	return labelled, true
}

// keysLabelled is how many keys of the account the register calls as the key of a way.
func (s *side) keysLabelled(w *custody.Way) int {
	n := 0
	if of := s.reg.Account(w.Account); of != nil {
		for _, k := range of.Keys {
			if register.NameKey(k.Label) == register.NameKey(w.Of.Label) {
				n++
			}
		}
	}
	return n
}

// onlyOfItsModel reports whether the account has one method of the model of the key,
// and the register one key: then the two are the same. Otherwise a model tells which
// key it may be, and no more.
func (s *side) onlyOfItsModel(a *entra.Account, w *custody.Way) bool {
	there, known := 0, 0
	for _, m := range a.Methods {
		if strings.EqualFold(m.AAGUID, w.Of.AAGUID) {
			there++
		}
	}
	if of := s.reg.Account(w.Account); of != nil {
		for _, k := range of.Keys {
			if strings.EqualFold(k.AAGUID, w.Of.AAGUID) {
				known++
			}
		}
	}
	return there == 1 && known == 1
}
