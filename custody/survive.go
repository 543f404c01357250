package custody

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"halligan/entra"
	"halligan/register"
)

// Tenant says whether the tenant lets a way in when some of its services or
// settings are lost: groups, policies, domains, federation and what Outlook.Services
// adds. With nothing lost it says whether the way works now. What is lost in addition
// must never let it in again.
type Tenant func(w *Way, lost []Loss) Answer

// Outlook is what Survey is asked for beside the register.
type Outlook struct {
	// Tenant is the tenant's side. nil: the register alone; whatever it does not
	// tell about the tenant is then not known.
	Tenant Tenant
	// Services are further losses of which Tenant is asked, such as policies.
	Services []Loss
	// Closed are accounts that open nothing, because they are disabled or deleted.
	Closed []entra.ID
	// Gone are parts that are not where they are recorded, by their place among the
	// parts of the register: in words, how that is known.
	Gone map[int]string
}

// Survey answers what survives which loss. It is made by Circle.Survey.
//
// A way survives when nothing that it needs is lost: its account, method, model and
// key; for each need one copy that is itself not lost, in a place that is not, with
// one person left who can fetch it; and, where the tenant is asked, when that lets it
// in. Each answer is the same as that of two readings, one in which everything not
// known is lost and one in which none of it is: where they differ it is Maybe.
type Survey struct {
	circle   *Circle
	losses   []Loss
	at       map[[2]string]int
	accounts []surveyed
	people   map[string]*personLeaf
	gone     map[int]string
}

type surveyed struct {
	register.Account
	known bool
	paths []*path
}

// path is a way, compiled to what takes it.
type path struct {
	way         *Way
	dies, may   []int // any of these takes it, surely or perhaps
	needs       []branch
	shares      []branch
	sure, least int // how many shares it takes, on the reading against it and on that for it
	box         *blackBox
	size        int    // of all that is looked at for it
	never       Answer // No: never works; Maybe: not known whether it does
}

// branch is a need: one of its leaves is enough.
type branch struct {
	what   string
	leaves []leaf
	open   bool // not recorded, or something else may do
}

// leaf is one copy.
type leaf struct {
	part   *register.Part // nil: no thing
	dies   []int
	may    []int // any of these takes it, perhaps
	people []*personLeaf
	free   bool   // nobody has to fetch it
	gone   string // how it is known that it is not there; "" it is
}

// personLeaf is somebody who fetches something: reached while the person is there,
// and perhaps not when the networks are down by which they are.
type personLeaf struct {
	name string
	id   int
	any  []int // one of these networks is enough; none: none is needed
	all  []int // each of these may be the only one: how to reach them is not recorded
}

// Survey compiles the circle. Tenant is asked once for each way with nothing lost, each
// single loss and all harmless ones together; only where these together are not
// harmless is it asked again.
func (c *Circle) Survey(o Outlook) *Survey {
	s := &Survey{circle: c, at: map[[2]string]int{}, people: map[string]*personLeaf{}, gone: o.Gone}
	for _, p := range c.People() {
		s.person(p.Key, p.Name)
	}
	for i := range c.reg.Places {
		p := &c.reg.Places[i]
		s.id(PlaceLost(p.Name))
		if p.Site != "" {
			s.id(SiteLost(p.Site))
		}
	}
	for _, a := range c.reg.Accounts {
		if slices.ContainsFunc(o.Closed, a.ID.Equal) {
			continue
		}
		ways, known := c.Ways(a)
		one := surveyed{Account: a, known: known}
		if !known {
			ways = []Way{{Account: a.ID, Name: "a way that was not recorded", Pattern: a.Pattern, Key: -1}}
		}
		for i := range ways {
			p := s.path(a, &ways[i])
			if !known {
				p.never = Maybe
			}
			one.paths = append(one.paths, p)
		}
		s.accounts = append(s.accounts, one)
	}
	s.sites()
	s.tenant(&o)
	for i := range s.accounts {
		for _, p := range s.accounts[i].paths {
			p.size = p.weigh()
		}
	}
	for _, l := range []Loss{MFADown, PhonesDown, MailDown, IdPDown, HalliganDown} {
		s.id(l)
	}
	return s
}

// weigh counts the people and things of a way.
func (p *path) weigh() int {
	n := 1 + len(p.dies) + len(p.may)
	for _, b := range slices.Concat(p.needs, p.shares) {
		for i := range b.leaves {
			n += 1 + len(b.leaves[i].dies) + len(b.leaves[i].people)
		}
	}
	return n
}

// id returns the number of a loss, a new one for a new loss.
func (s *Survey) id(l Loss) int {
	k := [2]string{string(l.Kind), l.ID}
	if i, has := s.at[k]; has {
		return i
	}
	s.at[k] = len(s.losses)
	s.losses = append(s.losses, l)
	return len(s.losses) - 1
}

func (s *Survey) ids(list ...Loss) []int {
	var out []int
	for _, l := range list {
		out = append(out, s.id(l))
	}
	return out
}

func (s *Survey) person(key, name string) *personLeaf {
	if p := s.people[key]; p != nil {
		return p
	}
	p := &personLeaf{name: name, id: s.id(PersonLost(cmp.Or(name, key)))}
	s.people[key] = p
	var reach []string
	for _, h := range s.circle.reg.People {
		if register.NameKey(h.Name) == key {
			reach = append(reach, h.Reach...)
		}
	}
	for _, r := range reach {
		by := reachedBy(r)
		if len(by) == 0 {
			p.any = nil
			return p
		}
		p.any = append(p.any, s.ids(by...)...)
	}
	if len(reach) == 0 {
		p.all = s.ids(PhonesDown, MailDown)
	}
	return p
}

// path compiles a way as far as the register tells.
func (s *Survey) path(a register.Account, w *Way) *path {
	p := &path{way: w, never: Yes}
	p.sure, p.least = w.shares()
	p.dies = append(p.dies, s.id(Loss{LossAccount, a.ID.Key(), cmp.Or(a.Name, string(a.ID))}))
	if m, has := methodsOf[w.Pattern]; has {
		p.dies = append(p.dies, s.id(m))
	}
	switch w.Pattern {
	case register.PatternFIDO2:
		if model := modelOf(w.Of); w.Key < 0 {
			break // not recorded
		} else if model.ID != "" {
			p.dies = append(p.dies, s.id(model))
		} else {
			p.may = append(p.may, s.id(model))
		}
	case register.PatternCertificate:
		p.may = append(p.may, s.id(pkiDown))
	case register.PatternOATH:
		p.dies = append(p.dies, s.id(MFADown))
	case register.PatternAccountReset:
		p.may = append(p.may, s.ids(MFADown, MailDown)...) // S108: the reset comes by mail
	default:
		p.may = append(p.may, s.id(MFADown)) // what else the sign-in asks for is not recorded
	}
	if w.Key >= 0 {
		lost := s.id(KeyLost(w.Account, w.Of, w.Key))
		if w.Of == (register.Key{}) && len(w.Needs[0].Copies) > 1 {
			p.may = append(p.may, lost) // parts without a name may be copies, or different keys
		} else {
			p.dies = append(p.dies, lost)
		}
	}
	for i, n := range w.Needs {
		p.needs = append(p.needs, s.branch(n, w.Key >= 0 && i == 0 && w.Of != (register.Key{})))
	}
	for _, n := range w.Shares {
		p.shares = append(p.shares, s.branch(n, false))
	}
	return p
}

// branch compiles a need.
func (s *Survey) branch(n Need, isKey bool) branch {
	b := branch{what: n.What, open: len(n.Copies) == 0}
	for _, part := range n.Copies {
		b.leaves = append(b.leaves, s.leaf(part, isKey))
	}
	return b
}

// leaf compiles a copy. A key is lost as a key and not as a part.
func (s *Survey) leaf(p *register.Part, isKey bool) leaf {
	l := leaf{part: p}
	for i, why := range s.gone {
		if &s.circle.reg.Parts[i] == p {
			return leaf{part: p, gone: why} // nothing more can take it
		}
	}
	if !isKey {
		name := words[p.Kind]
		if p.Key != "" {
			name += " of " + p.Key
		}
		if p.Place != "" || p.Holder != "" {
			name += " (" + cmp.Or(p.Place, p.Holder) + ")"
		}
		for i := range s.circle.reg.Parts {
			if &s.circle.reg.Parts[i] == p {
				l.dies = append(l.dies, s.id(Loss{LossPart, strconv.Itoa(i), name}))
			}
		}
	}
	if p.Place != "" {
		l.dies = append(l.dies, s.id(PlaceLost(p.Place)))
		switch at := s.circle.Place(p.Place); {
		case at != nil && at.Site != "":
			l.dies = append(l.dies, s.id(SiteLost(at.Site)))
		default: // it may be at any of them
			for _, other := range s.circle.reg.Places {
				if other.Site != "" {
					l.may = append(l.may, s.id(SiteLost(other.Site)))
				}
			}
		}
	}
	for _, k := range s.circle.Openers(p) {
		l.people = append(l.people, s.person(k, k))
	}
	return l
}

// internet is the need that is no part of a credential.
const internet = "internet"

// sites gives every way the need of internet at one site; what lies elsewhere may
// be carried to some other connection, so that it is never known to be wanting. It
// also makes keys whose model was not recorded depend on every model, perhaps.
func (s *Survey) sites() {
	b := branch{what: internet, open: true}
	seen := map[string]bool{}
	for _, p := range s.circle.reg.Places {
		if k := register.NameKey(p.Site); k != "" && !seen[k] {
			seen[k] = true
			b.leaves = append(b.leaves, leaf{free: true, dies: s.ids(Loss{LossInternet, k, strings.TrimSpace(p.Site)}, SiteLost(p.Site))})
		}
	}
	var models []int
	for i, l := range s.losses {
		if l.Kind == LossModel && l.ID != "" {
			models = append(models, i)
		}
	}
	for i := range s.accounts {
		for _, p := range s.accounts[i].paths {
			if p.way.Pattern == register.PatternFIDO2 && modelOf(p.way.Of).ID == "" && p.way.Key >= 0 {
				p.may = append(p.may, models...)
			}
			if len(b.leaves) > 0 {
				p.needs = append(p.needs, b)
			}
		}
	}
}
