package custody

import (
	"slices"
	"strings"

	"halligan/register"
)

// SealedSet is what is known of a sealed set beside the register: who opens it. A set
// of which nothing is handed to CircleOf is opened by nobody knows whom.
type SealedSet struct {
	ID string
	// Need is how many of the Holders open it.
	Need    int
	Holders []SealedHolder
	// Pairs are the holders, counted from 0, who open it together; none: any so many as
	// Need, or one of each half.
	Pairs [][2]int
	// Voided: another set took its place, and nothing can be counted on that opens it.
	// Whoever kept its file and shares may still have the secret.
	Voided bool
}

// SealedHolder is somebody to whom a set was sealed.
type SealedHolder struct {
	Name string
	// ByKey: to a key of theirs, with which they open the sealed file; otherwise they
	// were given a share on paper.
	ByKey bool
	// Half is which half of a password they have, 1 or 2; 0 in sets of other forms. Of a
	// set of halves each half that is not on paper lies in the sealed file, and nowhere
	// else.
	Half int
	// Stranger: whether it is anybody of the register is not known, even where it has
	// somebody of that name.
	Stranger bool
}

// Stranger is a holder of a sealed set who is not known to be among the people of the
// register.
type Stranger struct{ Set, Name string }

// Strangers are those of the sets that are not void.
func (c *Circle) Strangers() (out []Stranger) {
	for i := range c.sealed {
		for _, h := range c.sealed[i].Holders {
			if !c.sealed[i].Voided && !c.knows(h) {
				out = append(out, Stranger{c.sealed[i].ID, h.Name})
			}
		}
	}
	return out
}

// knows reports whether a holder is among the people. Who is not may have left, or have
// another name: nobody counts on such a key, and it may be with anybody.
func (c *Circle) knows(h SealedHolder) bool { return !h.Stranger && c.reg.Person(h.Name) != nil }

func setKey(id string) string { return strings.ToLower(strings.TrimSpace(id)) }

// sealedSet is the set with an id, or nil.
func (c *Circle) sealedSet(id string) *SealedSet {
	for i := range c.sealed {
		if setKey(id) != "" && setKey(c.sealed[i].ID) == setKey(id) {
			return &c.sealed[i]
		}
	}
	return nil
}

// halves reports whether a set is the two halves of a password.
func (s *SealedSet) halves() bool {
	return slices.ContainsFunc(s.Holders, func(h SealedHolder) bool { return h.Half != 0 })
}

// couples are the holders, counted from 0, who open a set of halves together.
func (s *SealedSet) couples() (out [][2]int) {
	for i, one := range s.Holders {
		for j, other := range s.Holders {
			if one.Half == 1 && other.Half == 2 {
				out = append(out, [2]int{i, j})
			}
		}
	}
	return out
}

// whole reports whether a set says who opens it.
func (s *SealedSet) whole() bool {
	n := len(s.Holders)
	if s.halves() {
		neither := func(h SealedHolder) bool { return h.Half != 1 && h.Half != 2 }
		return len(s.couples()) > 0 && len(s.Pairs) == 0 && !slices.ContainsFunc(s.Holders, neither)
	}
	wrong := func(p [2]int) bool { return min(p[0], p[1]) < 0 || max(p[0], p[1]) >= n || p[0] == p[1] }
	return s.Need >= 2 && s.Need <= n && !slices.ContainsFunc(s.Pairs, wrong)
}

// sealedKinds are the parts that belong to sealed sets.
var sealedKinds = []register.PartKind{register.PartPassword, register.PartShare, register.PartPasswordHalf}

// Locked reports whether a part is sealed that is no password and no part of one, such as
// a PIN. Who opens it is not looked at: nobody counts on it, and who could take it may
// have it.
func Locked(p *register.Part) bool {
	return setKey(p.Set) != "" && !slices.Contains(sealedKinds, p.Kind)
}

// sealedWays are the ways through the sealed sets that an account names and that are
// known, and the ids of these sets.
func (c *Circle) sealedWays(a register.Account) (out []Way, taken map[string]bool) {
	taken = map[string]bool{}
	named := map[string]bool{}
	var open []*SealedSet
	for _, kind := range sealedKinds {
		for _, p := range c.Parts(a.ID, kind) {
			id := setKey(p.Set)
			s := c.sealedSet(id)
			if id == "" || taken[id] {
				continue
			}
			named[id] = true
			switch {
			case s == nil, !s.Voided && (kind == register.PartPasswordHalf && !s.halves() || !s.whole()):
			case s.Voided:
				taken[id] = true
			default:
				taken[id] = true
				open = append(open, s)
			}
		}
	}
	for _, s := range open {
		name := "the sealed password"
		if s.halves() {
			name = "the password in parts"
		}
		if len(named) > 1 {
			name += " of set " + setKey(s.ID)
		}
		out = append(out, c.waysThrough(a, s, name)...)
	}
	return out, taken
}

// waysThrough are the ways through one sealed set: the sealed file, and so many of its
// holders; or one way for each pair, where not every pair may. Halves that are both on
// paper take no file.
func (c *Circle) waysThrough(a register.Account, s *SealedSet, name string) []Way {
	var files, shares []*register.Part
	for _, p := range c.Parts(a.ID, register.PartPassword) {
		if setKey(p.Set) == setKey(s.ID) {
			files = append(files, p)
		}
	}
	kinds := []register.PartKind{register.PartShare}
	if s.halves() {
		kinds = append(kinds, register.PartPasswordHalf)
	}
	for _, kind := range kinds {
		for _, p := range c.Parts(a.ID, kind) {
			if setKey(p.Set) == setKey(s.ID) {
				shares = append(shares, p)
			}
		}
	}
	file := Need{What: "the sealed file", Copies: files}
	holders := c.holdersOf(a, s, shares)
	pairs := distinct(s.Pairs)
	if n := len(s.Holders); s.halves() {
		pairs = s.couples()
	} else if len(s.Pairs) == 0 || s.Need == 2 && len(pairs) == n*(n-1)/2 {
		return []Way{{Name: name, Key: -1, Needs: []Need{file}, Shares: holders, Enough: s.Need}}
	}
	var out []Way
	for _, p := range pairs {
		one, other := s.Holders[p[0]], s.Holders[p[1]]
		w := Way{Name: name + " by " + one.Name + " and " + other.Name, Key: -1, Needs: []Need{file, holders[p[0]], holders[p[1]]}}
		if s.halves() && !one.ByKey && !other.ByKey {
			w.Needs = w.Needs[1:]
		}
		out = append(out, w)
	}
	return out
}

// distinct are pairs without those that stand twice, in whatever order.
func distinct(pairs [][2]int) [][2]int {
	var out [][2]int
	for _, p := range pairs {
		p = [2]int{min(p[0], p[1]), max(p[0], p[1])}
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// holdersOf is a need for each holder of a set, which has some shares in the register.
func (c *Circle) holdersOf(a register.Account, s *SealedSet, shares []*register.Part) []Need {
	over := c.handedOver(s, shares)
	var out []Need
	for _, h := range s.Holders {
		own := under(shares, h.Name)
		self := &register.Part{Account: a.ID, Kind: register.PartShare, Set: s.ID, Holder: h.Name}
		n := Need{What: "the share of " + h.Name, Copies: own, OneOf: over.bare > 0 && len(own) > 1}
		if h.Half != 0 {
			n.What = "the half of " + h.Name
		}
		switch {
		case h.ByKey && !c.knows(h):
			n = Need{What: "the key of " + h.Name, Perhaps: append([]*register.Part{self}, own...)}
		case h.ByKey && len(own) == 0:
			n.What, n.Copies = "the key of "+h.Name, []*register.Part{self}
		case h.ByKey:
			n.Only, n.Perhaps = h.Name, append([]*register.Part{self}, own...)
		case len(own) > 0 && over.fits && s.alike():
			n.Copies, n.OneOf = own[:1:1], false // the others are those that were handed over
		case len(own) > 0:
		case over.fits && len(over.papers) > 0:
			n.Copies, over.papers = over.papers[0], over.papers[1:]
			n.OneOf = len(n.Copies) > 1
		default:
			n.Perhaps = []*register.Part{self}
			for _, list := range over.papers {
				n.Perhaps = append(n.Perhaps, list...)
			}
		}
		out = append(out, n)
	}
	return out
}

// under are the parts that the register has under a name.
func under(shares []*register.Part, name string) []*register.Part {
	return slices.DeleteFunc(slices.Clone(shares), func(p *register.Part) bool {
		return register.NameKey(p.Holder) != register.NameKey(name) || register.NameKey(name) == ""
	})
}

// alike reports whether any holder of a set does for any other.
func (s *SealedSet) alike() bool { return !s.halves() && len(s.Pairs) == 0 }

// handed are the papers of a set that were handed over by holders who have none any more.
type handed struct {
	bare int // so many holders on paper have none
	// papers are, for each that was handed over, those of which it is one.
	papers [][]*register.Part
	// fits: each may be that of one such holder; otherwise it is not known whose it is, or
	// whether it is a copy.
	fits bool
}

// handedOver finds the papers that are in no hands of a holder, and those that somebody
// has beside the own one. Where nobody is without, they are copies.
func (c *Circle) handedOver(s *SealedSet, shares []*register.Part) (out handed) {
	for _, p := range shares {
		if !slices.ContainsFunc(s.Holders, func(h SealedHolder) bool { return slices.Contains(under(shares, h.Name), p) }) {
			out.papers = append(out.papers, []*register.Part{p})
		}
	}
	for _, h := range s.Holders {
		own := under(shares, h.Name)
		if !h.ByKey && len(own) == 0 {
			out.bare++
		}
		if h.ByKey && !c.knows(h) {
			continue
		}
		for i := 1; i < len(own); i++ {
			if !h.ByKey && s.alike() {
				out.papers = append(out.papers, own[i:i+1:i+1])
			} else { // which of them is not known
				out.papers = append(out.papers, own)
			}
		}
	}
	// Of two holders who are not alike nobody wrote down whose it is.
	out.fits = len(out.papers) <= out.bare && (out.bare < 2 || s.alike())
	return out
}
