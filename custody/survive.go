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
	places   map[string]*opening
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
	open   bool // not recorded, or something else may do, or nothing is wanted
	unsure bool // whether it is wanted is not known
	all    int  // so many of the first leaves are wanted on the reading against it: it is one of them
}

// leaf is one copy.
type leaf struct {
	part    *register.Part // nil: no thing
	dies    []int
	may     []int // any of these takes it, perhaps
	by      *opening
	perhaps bool   // whether it is a copy, or opens, is not known
	free    bool   // nobody has to fetch it
	gone    string // how it is known that it is not there; "" it is
}

// opening is how one gets at what lies somewhere: by a person, or by a combination,
// which must be fetched in turn. Without either it is not recorded.
type opening struct {
	people       []*personLeaf
	combinations []leaf
}

// personLeaf is somebody who fetches something: reached while the person is there,
// and perhaps not when the networks are down by which they are.
type personLeaf struct {
	name string
	id   int
	// reach are the ways to reach them, one of which is enough; each takes all of its
	// networks. none: none is needed.
	reach [][]int
}

// Survey compiles the circle. Tenant is asked once for each way with nothing lost, each
// single loss and all harmless ones together; only where these together are not
// harmless is it asked again.
func (c *Circle) Survey(o Outlook) *Survey {
	s := &Survey{circle: c, at: map[[2]string]int{}, people: map[string]*personLeaf{}, places: map[string]*opening{}, gone: o.Gone}
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
	s.alike()
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
			n += 1 + len(b.leaves[i].dies)
			b.leaves[i].by.each(func(o *opening) { n += len(o.people) + len(o.combinations) })
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
			p.reach = nil
			return p
		}
		p.reach = append(p.reach, s.ids(by...))
	}
	if len(reach) == 0 { // it may be by either
		p.reach = [][]int{s.ids(PhonesDown, MailDown)}
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
		if model := s.circle.modelOf(w.Of); w.Key < 0 {
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
		lost := s.keyLost(w)
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
	b := branch{what: n.What, open: len(n.Copies) == 0 || n.Unsure, unsure: n.Unsure}
	for _, part := range n.Copies {
		l := s.leaf(part, isKey)
		if n.Only != "" && l.gone == "" { // carried to nobody else
			who := s.person(register.NameKey(n.Only), n.Only)
			l.perhaps = !slices.Contains(l.by.people, who)
			l.by = &opening{people: []*personLeaf{who}}
		}
		b.leaves = append(b.leaves, l)
	}
	if n.OneOf {
		b.all = len(b.leaves)
	}
	for _, part := range n.Perhaps {
		l := s.leaf(part, isKey)
		l.perhaps = true
		b.leaves = append(b.leaves, l)
	}
	return b
}

// keyLost is the number of the loss of the key on which a way rests, by whichever of
// its names it is asked for.
func (s *Survey) keyLost(w *Way) int {
	own, _ := s.circle.keyLost(w.Account, w.Of, w.Key)
	id := s.id(own)
	if alias := [2]string{string(LossKey), KeyLost(w.Account, w.Of, w.Key).ID}; !s.has(alias) {
		s.at[alias] = id
	}
	return id
}

func (s *Survey) has(name [2]string) bool {
	_, has := s.at[name]
	return has
}

// leaf compiles a copy. A key is lost as a key and not as a part.
func (s *Survey) leaf(p *register.Part, isKey bool) leaf {
	l := leaf{part: p, perhaps: Locked(p)}
	for i, why := range s.gone {
		if &s.circle.reg.Parts[i] == p {
			return leaf{part: p, gone: why} // nothing more can take it
		}
	}
	if !isKey {
		name := words[p.Kind]
		if of := cmp.Or(p.Key, p.Opens); of != "" {
			name += " of " + of
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
	l.by = s.opening(p)
	return l
}

// opening is how one gets at a part: as its place is opened, or by its holder where
// nothing is recorded of that.
func (s *Survey) opening(p *register.Part) *opening {
	at := register.NameKey(p.Place)
	access, combinations := s.circle.opens(at)
	if len(access)+len(combinations) == 0 {
		o := &opening{}
		if k := register.NameKey(p.Holder); k != "" {
			o.people = []*personLeaf{s.person(k, p.Holder)}
		}
		return o
	}
	if o := s.places[at]; o != nil {
		return o
	}
	o := &opening{}
	s.places[at] = o // a combination may lie where it opens
	for _, a := range access {
		if who := s.person(register.NameKey(a), a); !slices.Contains(o.people, who) {
			o.people = append(o.people, who)
		}
	}
	for _, c := range combinations {
		o.combinations = append(o.combinations, s.leaf(c, false))
	}
	return o
}

// each calls f with every opening on the way, once.
func (o *opening) each(f func(*opening)) {
	var all []*opening
	for next := []*opening{o}; len(next) > 0; next = next[1:] {
		at := next[0]
		if at == nil || slices.Contains(all, at) {
			continue
		}
		all = append(all, at)
		f(at)
		for i := range at.combinations {
			next = append(next, at.combinations[i].by)
		}
	}
}

// internet is the need that is no part of a credential.
const internet = "internet"

// sites gives every way the need of internet at one site; what lies elsewhere may
// be carried to some other connection, so that it is never known to be wanting.
func (s *Survey) sites() {
	b := branch{what: internet, open: true}
	seen := map[string]bool{}
	for _, p := range s.circle.reg.Places {
		if k := register.NameKey(p.Site); k != "" && !seen[k] {
			seen[k] = true
			b.leaves = append(b.leaves, leaf{free: true, dies: s.ids(Loss{LossInternet, k, strings.TrimSpace(p.Site)}, SiteLost(p.Site))})
		}
	}
	for i := range s.accounts {
		for _, p := range s.accounts[i].paths {
			if len(b.leaves) > 0 {
				p.needs = append(p.needs, b)
			}
		}
	}
}

// alike makes keys depend, perhaps, on losses that may be of their model, or of the key
// itself under another entry of the register.
func (s *Survey) alike() {
	type known struct {
		of model
		id int
	}
	var models []known
	each := func(f func(*path)) {
		for i := range s.accounts {
			for _, p := range s.accounts[i].paths {
				if p.way.Key >= 0 {
					f(p)
				}
			}
		}
	}
	each(func(p *path) {
		of := s.circle.models.of(p.way.Of)
		if p.way.Pattern == register.PatternFIDO2 && of != (model{}) && !slices.ContainsFunc(models, func(k known) bool { return k.of == of }) {
			models = append(models, known{of, s.id(s.circle.modelOf(p.way.Of))})
		}
	})
	each(func(p *path) {
		_, may := s.circle.keyLost(p.way.Account, p.way.Of, p.way.Key)
		for _, id := range may {
			if at, is := s.at[[2]string{string(LossKey), id}]; is {
				p.may = append(p.may, at)
			}
		}
		if p.way.Pattern != register.PatternFIDO2 {
			return
		}
		for _, k := range models {
			if s.circle.models.differ(k.of, s.circle.models.of(p.way.Of)) == Maybe {
				p.may = append(p.may, k.id)
			}
		}
	})
}
