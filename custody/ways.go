package custody

import (
	"cmp"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/register"
)

// Circle is who holds what where: a register, read for how its accounts are
// opened. It is made by CircleOf and does not change.
type Circle struct{ reg *register.Register }

// CircleOf reads a register; nil is an empty one. The register must not change
// while the Circle is used.
func CircleOf(r *register.Register) *Circle { return &Circle{r.Or()} }

// Way is one way to sign in with an account: every need is to be met, and so many of
// the shares, and for each one of its copies is enough.
type Way struct {
	Account entra.ID
	Name    string
	Pattern register.Pattern
	Needs   []Need
	// Key is the key that the way rests on, the so many-th of the account, and Of
	// what is known of it; -1 for ways without one.
	Key int
	Of  register.Key
	// Of the Shares so many as Enough suffice; 0: how many is not recorded, and never
	// one.
	Shares []Need
	Enough int
	// Brief: it opens the account while it lasts and cannot be counted on: a
	// Temporary Access Pass.
	Brief bool
}

// Need is one part of a way, in one or more copies. One without copies is needed
// and was not recorded: whoever holds the rest may have it.
type Need struct {
	What   string
	Copies []*register.Part
}

// KeyIs reports whether a key is called by a name: its label, serial or id.
func KeyIs(k register.Key, name string) bool {
	name = strings.TrimSpace(name)
	return name != "" && (strings.EqualFold(k.Label, name) || strings.EqualFold(k.Serial, name) || strings.EqualFold(k.ID, name))
}

// words name the kinds of parts for people.
var words = map[register.PartKind]string{register.PartKey: "key", register.PartPIN: "PIN", register.PartPassword: "password", register.PartPasswordHalf: "half of the password",
	register.PartShare: "share", register.PartToken: "token", register.PartCertificate: "certificate", register.PartTAP: "pass", register.PartBinder: "binder"}

// Parts returns the parts of an account of one kind.
func (c *Circle) Parts(account entra.ID, kind register.PartKind) []*register.Part {
	var out []*register.Part
	parts := c.reg.Parts
	for i := range parts {
		if parts[i].Account.Equal(account) && parts[i].Kind == kind {
			out = append(out, &parts[i])
		}
	}
	return out
}

// about picks the parts that belong to a key; one that names no key belongs to all.
func about(parts []*register.Part, k register.Key) []*register.Part {
	var out []*register.Part
	for _, p := range parts {
		if p.Key == "" || KeyIs(k, p.Key) {
			out = append(out, p)
		}
	}
	return out
}

// Keys are the keys of an account: those registered, and those that only custody
// knows.
func (c *Circle) Keys(a register.Account) []register.Key {
	keys := slices.Clone(a.Keys)
	for _, p := range slices.Concat(c.Parts(a.ID, register.PartKey), c.Parts(a.ID, register.PartCertificate)) {
		if !slices.ContainsFunc(keys, func(k register.Key) bool { return p.Key == "" || KeyIs(k, p.Key) }) {
			keys = append(keys, register.Key{Label: p.Key})
		}
	}
	return keys
}

// Ways lists the lasting ways to sign in with an account as its pattern has them.
// known is false where the register does not say how the account signs in, or
// where no part of custody opens it.
func (c *Circle) Ways(a register.Account) (out []Way, known bool) {
	pattern := a.Pattern
	if pattern == register.PatternUnknown && len(a.Keys) > 0 {
		pattern = register.PatternFIDO2
	}
	switch pattern {
	case register.PatternFIDO2, register.PatternCertificate:
		out = c.keyWays(a, pattern)
	case register.PatternOATH:
		for _, w := range c.passwordWays(a) {
			w.Needs = append(w.Needs, Need{"the token", c.Parts(a.ID, register.PartToken)})
			w.Name += " and the token"
			out = append(out, w)
		}
	case register.PatternSplitPassword, register.PatternVault:
		out = c.passwordWays(a)
	default:
		return nil, false
	}
	for i := range out {
		out[i].Account, out[i].Pattern = a.ID, pattern
	}
	return out, len(out) > 0
}

// BriefWays are the ways that open an account while they last: passes.
func (c *Circle) BriefWays(a register.Account) []Way {
	var out []Way
	for _, p := range c.Parts(a.ID, register.PartTAP) {
		out = append(out, Way{Account: a.ID, Name: "the Temporary Access Pass", Pattern: a.Pattern, Key: -1, Brief: true, Needs: []Need{{"the pass", []*register.Part{p}}}})
	}
	return out
}

// keyWays are one way for each key. Entra asks a key for user verification, so the
// PIN is always a part of it.
func (c *Circle) keyWays(a register.Account, pattern register.Pattern) []Way {
	kind := register.PartKey
	if pattern == register.PatternCertificate {
		kind = register.PartCertificate
	}
	var out []Way
	pins := c.Parts(a.ID, register.PartPIN)
	keys := c.Keys(a)
	for i, k := range keys {
		name := cmp.Or(k.Label, k.Serial, k.ID, string(kind))
		own := about(c.Parts(a.ID, kind), k)
		if len(keys) > 1 {
			// A part that names no key is one of them, not all.
			own = slices.DeleteFunc(own, func(p *register.Part) bool { return p.Key == "" })
		}
		out = append(out, Way{Name: name, Key: i, Of: k, Needs: []Need{{string(kind) + " " + name, own}, {"the PIN of " + name, about(pins, k)}}})
	}
	return out
}

// set is what belongs together: halves or shares of one sealed set.
type set struct {
	kind  register.PartKind
	name  string // what tells it from others, "" when there is one
	parts []*register.Part
}

// sets are the halves and shares of an account by the sealed set to which they
// belong: those of two sets open nothing together. Parts that name none are one.
func (c *Circle) sets(account entra.ID) []set {
	var out []set
	for _, kind := range []register.PartKind{register.PartPasswordHalf, register.PartShare} {
		var own []set
		for _, p := range c.Parts(account, kind) {
			key := strings.ToLower(strings.TrimSpace(p.Set))
			i := slices.IndexFunc(own, func(s set) bool { return s.name == key })
			if i < 0 {
				i, own = len(own), append(own, set{kind, key, nil})
			}
			own[i].parts = append(own[i].parts, p)
		}
		for i := range own {
			switch {
			case len(own) == 1:
				own[i].name = ""
			case own[i].name == "":
				own[i].name = " of no set that is recorded"
			default:
				own[i].name = " of set " + own[i].name
			}
		}
		out = append(out, own...)
	}
	return out
}

// sameSet reports whether two parts name one sealed set.
func sameSet(a, b *register.Part) bool {
	return strings.TrimSpace(a.Set) != "" && strings.EqualFold(strings.TrimSpace(a.Set), strings.TrimSpace(b.Set))
}

// passwordWays are the ways to the password: whole, from halves, from shares.
func (c *Circle) passwordWays(a register.Account) []Way {
	var out []Way
	var plain, sealed []*register.Part
	for _, p := range c.Parts(a.ID, register.PartPassword) {
		if strings.TrimSpace(p.Set) == "" {
			plain = append(plain, p)
		} else {
			sealed = append(sealed, p)
		}
	}
	if len(plain) > 0 {
		out = append(out, Way{Name: "the password", Key: -1, Needs: []Need{{"the password", plain}}})
	}
	sets := c.sets(a.ID)
	if alone := slices.DeleteFunc(slices.Clone(sealed), func(p *register.Part) bool {
		return slices.ContainsFunc(sets, func(s set) bool { return sameSet(s.parts[0], p) })
	}); len(alone) > 0 { // the register does not say who opens it
		out = append(out, Way{Name: "the sealed password", Key: -1, Needs: []Need{{"the sealed password", alone}, {What: "the keys or shares that open it"}}})
	}
	for _, of := range sets {
		w := Way{Name: "the password in parts" + of.name, Key: -1}
		for _, p := range of.parts {
			w.Needs = append(w.Needs, Need{words[of.kind], []*register.Part{p}})
			w.Enough = max(w.Enough, p.Needed)
		}
		if len(w.Needs) == 0 {
			continue
		}
		// One share never opens, so others are somewhere.
		for len(w.Needs) < max(w.Enough, 2) {
			w.Needs = append(w.Needs, Need{What: "another " + words[of.kind]})
		}
		// Of three halves two are copies of each other, or it is three thirds.
		if of.kind == register.PartShare || w.Enough > 0 || len(w.Needs) > 2 {
			w.Needs, w.Shares = nil, w.Needs
		}
		// They open the sealed file, wherever copies of it are recorded.
		if files := slices.DeleteFunc(slices.Clone(sealed), func(p *register.Part) bool { return !sameSet(of.parts[0], p) }); len(files) > 0 {
			w.Needs = append(w.Needs, Need{"the sealed password", files})
		}
		out = append(out, w)
	}
	if len(out) == 0 {
		out = append(out, Way{Name: "the password", Key: -1, Needs: []Need{{What: "the password"}}})
	}
	return out
}
