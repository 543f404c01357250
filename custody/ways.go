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
type Circle struct {
	reg    *register.Register
	sealed []SealedSet
	models modelNames
}

// CircleOf reads a register; nil is an empty one. sets are what is known of sealed
// sets beside it. Neither must change while the Circle is used.
func CircleOf(r *register.Register, sets ...SealedSet) *Circle {
	return &Circle{r.Or(), sets, namesOf(r.Or())}
}

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
	// Of the Shares so many as Enough suffice; 0: how many is not recorded: all do, and
	// perhaps so many as Least, or two.
	Shares []Need
	Enough int
	Least  int
	// Brief: it opens the account while it lasts and cannot be counted on: a
	// Temporary Access Pass.
	Brief bool
	// Doubted: whether the tenant lets it in is not known, since the account is meant to
	// be opened otherwise, or the set is void: nobody opens the account by it for certain.
	Doubted bool
}

// Need is one part of a way, in one or more copies. One without copies is needed
// and was not recorded: whoever holds the rest may have it.
type Need struct {
	What   string
	Copies []*register.Part
	// Perhaps are parts of which nobody wrote down whether they are copies: a PIN that
	// names no key, or by a name that two keys have. They count where what is not known
	// is taken for the better, and for those who might open an account.
	Perhaps []*register.Part
	// Only is who alone can use the copies, because they are sealed to a key of theirs;
	// "" whoever has one.
	Only string
	// OneOf: it is one of the copies, and which of them is not known.
	OneOf bool
	// Unsure: whether the way takes it at all is not known.
	Unsure bool
}

// KeyIs reports whether a key is called by a name: its label, serial or id.
func KeyIs(k register.Key, name string) bool {
	name = strings.TrimSpace(name)
	return name != "" && (strings.EqualFold(k.Label, name) || strings.EqualFold(k.Serial, name) || strings.EqualFold(k.ID, name))
}

// words name the kinds of parts for people.
var words = map[register.PartKind]string{register.PartKey: "key", register.PartPIN: "PIN", register.PartPassword: "password", register.PartPasswordHalf: "half of the password",
	register.PartShare: "share", register.PartToken: "token", register.PartCertificate: "certificate", register.PartTAP: "pass", register.PartBinder: "binder", register.PartCombination: "combination"}

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

// about picks the parts that belong to one of some keys, and those that perhaps do: a
// part that names no key, or names several, is of one of them, and nobody knows which.
func about(parts []*register.Part, k register.Key, keys []register.Key) (sure, perhaps []*register.Part) {
	for _, p := range parts {
		may := 0
		for _, other := range keys {
			if mayBeOf(p, other) {
				may++
			}
		}
		switch {
		case !mayBeOf(p, k):
		case may > 1:
			perhaps = append(perhaps, p)
		default:
			sure = append(sure, p)
		}
	}
	return sure, perhaps
}

// mayBeOf reports whether nothing says that a part is of another key.
func mayBeOf(p *register.Part, k register.Key) bool {
	return strings.TrimSpace(p.Key) == "" || KeyIs(k, p.Key)
}

// Keys are the keys of an account: those registered, and those that only custody
// knows.
func (c *Circle) Keys(a register.Account) []register.Key {
	keys := slices.Clone(a.Keys)
	for _, p := range slices.Concat(c.Parts(a.ID, register.PartKey), c.Parts(a.ID, register.PartCertificate)) {
		if !slices.ContainsFunc(keys, func(k register.Key) bool { return mayBeOf(p, k) }) {
			keys = append(keys, register.Key{Label: p.Key})
		}
	}
	return keys
}

// Ways lists the lasting ways to sign in with an account as its pattern has them.
// known is false where the register does not say how the account signs in, or
// where no part of custody opens it.
func (c *Circle) Ways(a register.Account) (out []Way, known bool) {
	pattern := patternOf(a)
	switch pattern {
	case register.PatternFIDO2, register.PatternCertificate:
		out = c.keyWays(a, pattern)
	case register.PatternOATH:
		out = withToken(c.passwordWays(a), c.Parts(a.ID, register.PartToken))
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

// withToken are ways to a password that take a token besides.
func withToken(ways []Way, tokens []*register.Part) []Way {
	for i := range ways {
		ways[i].Needs = append(ways[i].Needs, Need{What: "the token", Copies: tokens})
		ways[i].Name += " and the token"
	}
	return ways
}

// BriefWays are the ways that open an account while they last: passes.
func (c *Circle) BriefWays(a register.Account) []Way {
	var out []Way
	for _, p := range c.Parts(a.ID, register.PartTAP) {
		out = append(out, Way{Account: a.ID, Name: "the Temporary Access Pass", Pattern: a.Pattern, Key: -1, Brief: true, Needs: []Need{{What: "the pass", Copies: []*register.Part{p}}}})
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
		thing, pin := Need{What: string(kind) + " " + name}, Need{What: "the PIN of " + name}
		thing.Copies, thing.Perhaps = about(c.Parts(a.ID, kind), k, keys)
		pin.Copies, pin.Perhaps = about(pins, k, keys)
		if i >= len(a.Keys) && !thing.recorded() {
			continue // recorded as a part of another kind alone
		}
		out = append(out, Way{Name: name, Key: i, Of: k, Needs: []Need{thing, pin}})
	}
	return out
}

// set is what belongs together: halves or shares of one sealed set.
type set struct {
	kind  register.PartKind
	id    string // of the sealed set, "" none is named
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
			key := setKey(p.Set)
			i := slices.IndexFunc(own, func(s set) bool { return s.id == key })
			if i < 0 {
				i, own = len(own), append(own, set{kind, key, "", nil})
			}
			own[i].parts = append(own[i].parts, p)
		}
		for i := range own {
			switch {
			case len(own) == 1:
			case own[i].id == "":
				own[i].name = " of no set that is recorded"
			default:
				own[i].name = " of set " + own[i].id
			}
		}
		out = append(out, own...)
	}
	return out
}

// passwordWays are the ways to the password: whole, from halves, from shares, and out
// of sealed sets.
func (c *Circle) passwordWays(a register.Account) []Way {
	out, taken := c.sealedWays(a)
	var plain, sealed []*register.Part
	for _, p := range c.Parts(a.ID, register.PartPassword) {
		switch id := setKey(p.Set); {
		case id == "":
			plain = append(plain, p)
		case !taken[id]:
			sealed = append(sealed, p)
		}
	}
	sets := c.sets(a.ID)
	shared := func(p *register.Part) bool {
		return slices.ContainsFunc(sets, func(s set) bool { return s.id == setKey(p.Set) })
	}
	if alone := slices.DeleteFunc(slices.Clone(sealed), shared); len(alone) > 0 { // nobody says who opens it
		out = append([]Way{{Name: "the sealed password", Key: -1, Needs: []Need{{What: "the sealed password", Copies: alone}, {What: "the keys or shares that open it"}}}}, out...)
	}
	if len(plain) > 0 {
		out = append([]Way{{Name: "the password", Key: -1, Needs: []Need{{What: "the password", Copies: plain}}}}, out...)
	}
	for _, of := range sets {
		if taken[of.id] && (of.kind == register.PartShare || c.sealedSet(of.id).Voided || c.sealedSet(of.id).halves()) {
			continue
		}
		w := Way{Name: "the password in parts" + of.name, Key: -1}
		for _, p := range of.parts {
			w.Needs = append(w.Needs, Need{What: words[of.kind], Copies: []*register.Part{p}})
			w.Enough = max(w.Enough, p.Needed)
		}
		// One share never opens, so others are somewhere.
		for len(w.Needs) < max(w.Enough, 2) {
			w.Needs = append(w.Needs, Need{What: "another " + words[of.kind]})
		}
		// Of three halves two are copies of each other, or it is three thirds. Of more than
		// the password has, which are copies of which nobody wrote down.
		if of.kind == register.PartPasswordHalf {
			w.Least, w.Enough = w.Enough, 0
		}
		if of.kind == register.PartShare || len(w.Needs) > 2 {
			w.Needs, w.Shares = nil, w.Needs
		}
		// Shares open the sealed file of their set, and nothing without it. Halves lie in
		// it, but for those on paper, and nobody wrote down which are.
		if files := slices.DeleteFunc(slices.Clone(sealed), func(p *register.Part) bool { return setKey(p.Set) != of.id }); len(files) > 0 {
			w.Needs = append(w.Needs, Need{What: "the sealed password", Copies: files, Unsure: of.kind == register.PartPasswordHalf})
		}
		out = append(out, w)
	}
	if len(out) == 0 {
		out = append(out, passwordAlone())
	}
	return out
}

// passwordAlone is the way by a password of which nothing is recorded.
func passwordAlone() Way {
	return Way{Name: "the password", Key: -1, Needs: []Need{{What: "the password"}}}
}
