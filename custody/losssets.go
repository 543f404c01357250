package custody

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// reading is one of two ways to take what is not known.
type reading bool

const (
	favourable reading = true  // none of it is lost
	adverse    reading = false // all of it is
)

// state is what is lost, read in one way.
type state struct {
	s    *Survey
	lost []bool
	read reading
	// steps counts how much was looked at.
	steps int
}

func (st *state) any(list []int) bool {
	return slices.ContainsFunc(list, func(i int) bool { return st.lost[i] })
}

// person reports whether somebody can be counted on.
func (st *state) person(p *personLeaf) bool {
	if st.lost[p.id] {
		return false
	}
	if st.read == favourable {
		return true
	}
	return len(p.reach) == 0 || slices.ContainsFunc(p.reach, func(by []int) bool { return !st.any(by) })
}

// there reports whether a copy is where it should be.
func (st *state) there(l *leaf) bool {
	return l.gone == "" && !st.any(l.dies) && (st.read == favourable || !l.perhaps && !st.any(l.may))
}

func (st *state) leaf(l *leaf) bool {
	if !st.there(l) {
		return false
	}
	if l.free || slices.ContainsFunc(l.by.people, st.person) {
		return true
	}
	if len(l.by.combinations) == 0 { // who fetches it may not be recorded
		return len(l.by.people) == 0 && st.read == favourable
	}
	_, opens := st.route(l.by, nil)
	return opens
}

// route finds how something is opened: what that rests on. seen are openings that were
// tried before.
func (st *state) route(o *opening, seen *[]*opening) (own []int, opens bool) {
	if seen == nil {
		seen = &[]*opening{}
	}
	if slices.Contains(*seen, o) {
		return nil, false
	}
	*seen = append(*seen, o)
	if at := slices.IndexFunc(o.people, st.person); at >= 0 {
		who := o.people[at]
		own = []int{who.id}
		if st.read == adverse {
			if i := slices.IndexFunc(who.reach, func(by []int) bool { return !st.any(by) }); i >= 0 {
				own = append(own, who.reach[i]...)
			}
		}
		return own, true
	}
	for i := range o.combinations {
		l := &o.combinations[i]
		if !st.there(l) {
			continue
		}
		if rest, opens := st.route(l.by, seen); opens {
			return append(st.rests(l), rest...), true
		}
	}
	return nil, len(o.people)+len(o.combinations) == 0 && st.read == favourable
}

// rests is what a copy that is there rests on by itself.
func (st *state) rests(l *leaf) []int {
	own := slices.Clone(l.dies)
	if st.read == adverse {
		own = append(own, l.may...)
	}
	return own
}

func (st *state) branch(b *branch) bool {
	if b.open && st.read == favourable {
		return true
	}
	if b.all > 0 && st.read == adverse {
		for i := range b.leaves[:b.all] {
			if !st.leaf(&b.leaves[i]) {
				return false
			}
		}
		return true
	}
	for i := range b.leaves {
		if st.leaf(&b.leaves[i]) {
			return true
		}
	}
	return false
}

func (st *state) path(p *path) bool {
	if p.never == No || st.any(p.dies) || st.read == adverse && (p.never == Maybe || st.any(p.may)) {
		return false
	}
	for i := range p.needs {
		if !st.branch(&p.needs[i]) {
			return false
		}
	}
	met := 0
	for i := range p.shares {
		if st.branch(&p.shares[i]) {
			met++
		}
	}
	if met < st.take(p) {
		return false
	}
	if p.box == nil {
		return true
	}
	a := p.box.answer(st.s, st.lost)
	return a == Yes || a == Maybe && st.read == favourable
}

// take is how many shares a way takes.
func (st *state) take(p *path) int {
	if st.read == favourable {
		return p.least
	}
	return p.sure
}

func (st *state) alive() bool {
	for i := range st.s.accounts {
		for _, p := range st.s.accounts[i].paths {
			if st.path(p) {
				return true
			}
		}
	}
	return false
}

// --- witnesses --------------------------------------------------------------

// support is what a way that works rests on: as long as none of it is lost, the way
// works. So whatever ends the way holds some of it.
func (st *state) support(p *path) []int {
	out := slices.Clone(p.dies)
	if st.read == adverse {
		out = append(out, p.may...)
	}
	for i := range p.needs {
		out = append(out, st.supportOf(&p.needs[i])...)
	}
	var each [][]int
	for i := range p.shares {
		if st.branch(&p.shares[i]) {
			each = append(each, st.supportOf(&p.shares[i]))
		}
	}
	slices.SortStableFunc(each, func(a, b []int) int { return cmp.Compare(len(a), len(b)) })
	for _, list := range each[:st.take(p)] {
		out = append(out, list...)
	}
	if p.box != nil {
		out = append(out, p.box.support(st, out)...)
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(i int) bool { return st.lost[i] })
}

// supportOf is the smallest support of one of the copies that is left, or of all where
// it is not known which is wanted.
func (st *state) supportOf(b *branch) []int {
	if b.open && st.read == favourable {
		return nil
	}
	var best []int
	found := false
	for i := range b.leaves {
		l := &b.leaves[i]
		if !st.leaf(l) {
			continue
		}
		own := st.rests(l)
		if !l.free {
			by, _ := st.route(l.by, nil)
			own = append(own, by...)
		}
		switch {
		case b.all > 0 && st.read == adverse:
			best = append(best, own...)
		case !found || len(own) < len(best):
			best, found = own, true
		}
	}
	return best
}

// weakest is the smallest support of a way that works, without what is kept. ok is
// false where nothing works; an empty one cannot be taken away.
func (st *state) weakest(kept []bool) (best []int, ok bool) {
	for i := range st.s.accounts {
		for _, p := range st.s.accounts[i].paths {
			st.steps += p.size
			if !st.path(p) {
				continue
			}
			own := st.support(p)
			if kept != nil {
				own = slices.DeleteFunc(own, func(i int) bool { return kept[i] })
			}
			if !ok || len(own) < len(best) {
				best, ok = own, true
			}
			if len(best) == 0 {
				return best, true
			}
		}
	}
	return best, ok
}

// --- search -----------------------------------------------------------------

// stepsMost bounds a search, in people and things looked at; what was left out is said
// to be.
const stepsMost = 200_000_000

// search finds every smallest set of at most limit losses after which nothing works.
//
// Whatever ends recoverability holds one of the supports of each way that works. So
// one such support is taken, and each of its elements tried in turn, those before it
// being kept: every set is met once, and none is passed over. Supports that have
// nothing in common need an element each, which bounds from below how many are still
// wanted.
type search struct {
	state
	kept  []bool
	limit int
	set   []int
	found [][]int
	first bool // the first will do
}

func (x *search) run() {
	if x.steps > stepsMost || x.first && len(x.found) > 0 {
		return
	}
	among, alive := x.weakest(x.kept)
	if !alive {
		if x.smallest() {
			x.found = append(x.found, slices.Sorted(slices.Values(x.set)))
		}
		return
	}
	if x.limit-len(x.set) < x.atLeast() {
		return
	}
	for i, at := range among {
		x.lost[at] = true
		x.set = append(x.set, at)
		x.run()
		x.set = x.set[:len(x.set)-1]
		x.lost[at] = false
		x.kept[at] = true
		if i == len(among)-1 {
			for _, j := range among {
				x.kept[j] = false
			}
		}
	}
}

// smallest reports whether every element of the set is wanted.
func (x *search) smallest() bool {
	for _, at := range x.set {
		x.lost[at] = false
		alive := x.alive()
		x.lost[at] = true
		if !alive {
			return false
		}
	}
	return true
}

// atLeast counts supports that have nothing in common, to one more than is allowed.
func (x *search) atLeast() int {
	var taken []int
	n := 0
	for n <= x.limit-len(x.set) {
		own, alive := x.weakest(x.kept)
		if !alive {
			break
		}
		if len(own) == 0 {
			n = x.limit + 1 // never
			break
		}
		n++
		for _, at := range own {
			x.lost[at] = true
		}
		taken = append(taken, own...)
	}
	for _, at := range taken {
		x.lost[at] = false
	}
	return n
}

// LossSet is a set of losses that ends recoverability, none of which can be left
// out.
type LossSet struct {
	Lost []Loss `json:"lost"`
	// Why says of each way what takes it.
	Why []string `json:"why"`
}

// LossSets is what ends recoverability.
type LossSets struct {
	// Limit is the size up to which all sets are told.
	Limit int `json:"limit"`
	// Certain end it whatever is not known. Possible end it where something not
	// known is as bad as it can be, and are not certain.
	Certain  []LossSet `json:"certain"`
	Possible []LossSet `json:"possible"`
	// Least is the size of the smallest certain set, LeastPossible of the smallest
	// of all; -1: no set does, -2: not found with bounded work.
	Least         int `json:"least"`
	LeastPossible int `json:"leastPossible"`
	// Cut: the work was bounded, and sets may be missing.
	Cut bool `json:"cut,omitempty"`
}

// LossSets finds all minimal sets of at most limit losses after which no account can
// be opened, and the size of the smallest whatever it is.
func (s *Survey) LossSets(limit int) *LossSets {
	out := &LossSets{Limit: limit}
	sets, cut := s.sets(favourable, limit)
	out.Certain, out.Cut = s.tell(sets, favourable), cut
	out.Least = s.least(favourable, limit, sets)
	sets, cut = s.sets(adverse, limit)
	out.LeastPossible = s.least(adverse, limit, sets)
	out.Cut = out.Cut || cut
	sets = slices.DeleteFunc(sets, func(set []int) bool { return !s.with(favourable, set).alive() })
	out.Possible = s.tell(sets, adverse)
	return out
}

// with is the state in which a set is lost.
func (s *Survey) with(r reading, set []int) *state {
	st := &state{s: s, lost: make([]bool, len(s.losses)), read: r}
	for _, i := range set {
		st.lost[i] = true
	}
	return st
}

func (s *Survey) sets(r reading, limit int) (found [][]int, cut bool) {
	x := &search{state: *s.with(r, nil), kept: make([]bool, len(s.losses)), limit: limit}
	x.run()
	slices.SortFunc(x.found, func(a, b []int) int { return cmp.Or(cmp.Compare(len(a), len(b)), slices.Compare(a, b)) })
	return x.found, x.steps > stepsMost
}

// least is the size of the smallest set, of which those up to limit are known.
func (s *Survey) least(r reading, limit int, sets [][]int) int {
	if len(sets) > 0 {
		return len(sets[0])
	}
	steps := 0
	for size := limit + 1; size <= len(s.losses); size++ {
		x := &search{state: *s.with(r, nil), kept: make([]bool, len(s.losses)), limit: size, first: true}
		if x.never() {
			return -1
		}
		x.steps = steps
		x.run()
		switch {
		case len(x.found) > 0:
			return len(x.found[0])
		case x.steps > stepsMost:
			return -2
		}
		steps = x.steps
	}
	return -1
}

// never reports whether some way works that nothing can take.
func (x *search) never() bool {
	own, alive := x.weakest(nil)
	return alive && len(own) == 0
}

func (s *Survey) tell(sets [][]int, r reading) []LossSet {
	out := []LossSet{}
	for _, set := range sets {
		one := LossSet{Lost: []Loss{}, Why: append([]string{}, s.why(set, r)...)}
		for _, i := range set {
			one.Lost = append(one.Lost, s.losses[i])
		}
		out = append(out, one)
	}
	return out
}

// why says of each way what in the set takes it; ways that are taken alike are told
// together.
func (s *Survey) why(set []int, r reading) []string {
	st := s.with(r, set)
	var reasons []string
	ways := map[string][]string{}
	for i := range s.accounts {
		for _, p := range s.accounts[i].paths {
			reason := st.reason(p)
			if ways[reason] == nil {
				reasons = append(reasons, reason)
			}
			ways[reason] = append(ways[reason], s.label(&s.accounts[i], p))
		}
	}
	for i, reason := range reasons {
		reasons[i] = strings.Join(ways[reason], ", ") + ": " + reason
	}
	return reasons
}

// label names a way among those of all accounts.
func (s *Survey) label(a *surveyed, p *path) string {
	for i := range s.accounts {
		for _, q := range s.accounts[i].paths {
			if p != q && strings.EqualFold(p.way.Name, q.way.Name) {
				name, _, _ := strings.Cut(a.Name, "@")
				return p.way.Name + " of " + cmp.Or(name, string(a.ID))
			}
		}
	}
	return p.way.Name
}

// reason says why a way does not work.
func (st *state) reason(p *path) string {
	name := func(i int) string { return st.s.losses[i].String() }
	switch {
	case p.never == No:
		return "the tenant does not let it in as it is"
	case p.never == Maybe && st.read == adverse:
		return "whether it works at all is not known"
	}
	for _, i := range p.dies {
		if st.lost[i] {
			return "gone with " + name(i)
		}
	}
	if st.read == adverse {
		for _, i := range p.may {
			if st.lost[i] {
				return "perhaps gone with " + name(i)
			}
		}
	}
	var gone []string
	for i := range p.needs {
		if b := &p.needs[i]; !st.branch(b) {
			gone = append(gone, st.gone(b))
		}
	}
	var shares []string
	met := 0
	for i := range p.shares {
		if b := &p.shares[i]; st.branch(b) {
			met++
		} else {
			shares = append(shares, st.gone(b))
		}
	}
	if take := st.take(p); met < take {
		gone = append(gone, strconv.Itoa(met)+" of the "+strconv.Itoa(take)+" shares that it takes are left: "+strings.Join(shares, ", "))
	}
	if len(gone) > 0 {
		return strings.Join(gone, ", ")
	}
	return "the tenant does not let it in after all of these together"
}

// gone says why no copy of a need is left.
func (st *state) gone(b *branch) string {
	if len(b.leaves) == 0 {
		return b.what + " is not recorded"
	}
	var why []string
	for i := range b.leaves {
		l := &b.leaves[i]
		if st.leaf(l) {
			continue // and whether it is this one is not known
		}
		say := ""
		if l.gone != "" {
			say = b.what + " " + l.gone
		}
		for _, at := range l.dies {
			if l := st.s.losses[at]; st.lost[at] && say == "" {
				switch {
				case l.Kind == LossPart:
					say = b.what + " is lost"
				case l.Kind == LossInternet:
					say = "no internet at " + l.Name
				default:
					say = b.what + " gone with " + l.String()
				}
			}
		}
		switch {
		case say != "":
		case l.perhaps && Locked(l.part):
			say = b.what + " is sealed, and whether it can be had is not known"
		case l.perhaps:
			say = "whether a part is " + b.what + " is not recorded"
		case st.any(l.may):
			say = "where " + b.what + " lies is not recorded"
		default:
			say = st.unfetched(l.by, b.what)
		}
		if !slices.Contains(why, say) {
			why = append(why, say)
		}
	}
	return strings.Join(why, " and ")
}

// unfetched says why nobody fetches something.
func (st *state) unfetched(o *opening, what string) string {
	recorded, somebody, combination := true, false, false
	o.each(func(o *opening) {
		recorded = recorded && len(o.people)+len(o.combinations) > 0
		somebody = somebody || slices.ContainsFunc(o.people, func(p *personLeaf) bool { return !st.lost[p.id] })
		combination = combination || slices.ContainsFunc(o.combinations, func(l leaf) bool { return !st.there(&l) })
	})
	switch {
	case !recorded:
		return "who fetches " + what + " is not recorded"
	case combination:
		return "nobody left to open where " + what + " lies, and a combination is gone"
	case somebody:
		return "who fetches " + what + " may not be reached"
	}
	return "nobody left to fetch " + what
}
