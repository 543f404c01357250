package lockout

import (
	"math/bits"
	"slices"
)

// instance is the bare question: is there a point that lies in some box of
// every list? A list is what one option of the operator cannot pass.
type instance struct {
	sp   *space
	bad  [][]box
	over bool // the search gave up (never seen on real policies)
}

// maxNodes bounds the search; deciding is NP-hard in the number of options and
// dimensions. Past it the grid decides if the space is small enough.
const (
	maxNodes = 1 << 21
	maxGrid  = 1 << 26
)

// newInstance reduces the lists: equal and contained boxes go, and options
// whose list contains another's.
func newInstance(sp *space, bad [][]denial) *instance {
	in := &instance{sp: sp}
	for _, list := range bad {
		boxes := make([]box, 0, len(list))
		for i := range list {
			boxes = append(boxes, list[i].box)
		}
		in.bad = append(in.bad, sp.maximal(boxes))
	}
	in.dropOptions()
	return in
}

// maximal returns the boxes that lie in no other, in a fixed order.
func (s *space) maximal(boxes []box) []box {
	if len(boxes) < 2 {
		return boxes
	}
	sorted := slices.Clone(boxes)
	slices.SortFunc(sorted, func(a, b box) int {
		if c := popcount(b) - popcount(a); c != 0 {
			return c
		}
		return slices.Compare(a, b)
	})
	sorted = slices.CompactFunc(sorted, func(a, b box) bool { return slices.Equal(a, b) })
	if len(sorted) > 4096 {
		return sorted
	}
	out := sorted[:0:0]
next:
	for _, b := range sorted {
		for _, k := range out {
			if inside(b, k) {
				continue next
			}
		}
		out = append(out, b)
	}
	return out
}

func popcount(b box) int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// dropOptions removes option i when some kept option j has every box inside one
// box of i: the intersection is unchanged.
func (in *instance) dropOptions() {
	kept := in.bad[:0:0]
	for i, list := range in.bad {
		drop := false
		for j, other := range in.bad {
			if i == j || len(other) > 512 || len(list) > 512 {
				continue
			}
			if covers(list, other) && !(covers(other, list) && j > i) {
				drop = true
				break
			}
		}
		if !drop {
			kept = append(kept, list)
		}
	}
	in.bad = kept
}

// covers reports whether every box of b lies in one box of a.
func covers(a, b []box) bool {
	for _, y := range b {
		if !slices.ContainsFunc(a, func(x box) bool { return inside(y, x) }) {
			return false
		}
	}
	return true
}

// level is one dimension of the search: the distinct remainders ("classes") of
// all boxes from this dimension on. Two boxes of one option with the same
// remainder are one class, which is what keeps adversarial sets small.
type level struct {
	at     int // dimension
	next   []int
	full   []uint64   // classes that cover everything from here on
	of     [][]uint64 // per option: its classes
	groups []group
	words  int
}

// group is a set of values of the dimension that no class tells apart.
type group struct {
	value  int // the lowest
	weight int
	has    []uint64 // classes that hold the values
}

type searcher struct {
	in     *instance
	levels []level
	root   []uint64
	nodes  int
	memo   []map[string]uint64 // per level; meaning depends on the question
}

func (in *instance) searcher() *searcher {
	sp := in.sp
	s := &searcher{in: in}
	var dims []int
	for i := range sp.dims {
		if sp.dims[i].exists || len(sp.dims[i].values) < 2 {
			continue
		}
		restricted := false
		for _, list := range in.bad {
			restricted = restricted || slices.ContainsFunc(list, func(b box) bool { return !sp.isFull(b, i) })
		}
		if restricted {
			dims = append(dims, i)
		}
	}
	type classKey struct {
		option, next int
		mask         string
	}
	type flat struct{ option, class int }
	var boxes []box
	var cur []flat
	for o, list := range in.bad {
		for _, b := range list {
			boxes = append(boxes, b)
			cur = append(cur, flat{o, o}) // class at the end: one per option
		}
	}
	s.levels = make([]level, len(dims)+1)
	last := &s.levels[len(dims)]
	last.build(len(in.bad), len(in.bad))
	for o := range in.bad {
		last.next = append(last.next, -1)
		setBit(last.of[o], o)
		setBit(last.full, o)
	}
	for k := len(dims) - 1; k >= 0; k-- {
		lv := &s.levels[k]
		lv.at = dims[k]
		index := map[classKey]int{}
		var masks [][]uint64
		var opt []int
		for i, b := range boxes {
			seg := sp.seg(b, dims[k])
			key := classKey{cur[i].option, cur[i].class, maskKey(seg)}
			id, ok := index[key]
			if !ok {
				id = len(masks)
				index[key] = id
				masks = append(masks, seg)
				opt = append(opt, cur[i].option)
				lv.next = append(lv.next, cur[i].class)
			}
			cur[i].class = id
		}
		lv.build(len(masks), len(in.bad))
		for id, m := range masks {
			setBit(lv.of[opt[id]], id)
			if slices.Equal(m, sp.seg(sp.full, dims[k])) && getBit(s.levels[k+1].full, lv.next[id]) {
				setBit(lv.full, id)
			}
		}
		lv.collapse(masks, len(sp.dims[dims[k]].values))
	}
	s.root = make([]uint64, s.levels[0].words)
	for i := range cur {
		setBit(s.root, cur[i].class)
	}
	return s
}

func (lv *level) build(classes, options int) {
	lv.words = (classes + 63) / 64
	lv.full = make([]uint64, lv.words)
	lv.of = make([][]uint64, options)
	for o := range lv.of {
		lv.of[o] = make([]uint64, lv.words)
	}
}

// collapse groups the values of the dimension by the classes that hold them.
func (lv *level) collapse(masks [][]uint64, values int) {
	seen := map[string]int{}
	col := make([]uint64, lv.words)
	for v := range values {
		clear(col)
		for id, m := range masks {
			if m[v/64]>>uint(v%64)&1 == 1 {
				setBit(col, id)
			}
		}
		k := maskKey(col)
		if g, ok := seen[k]; ok {
			lv.groups[g].weight++
			continue
		}
		seen[k] = len(lv.groups)
		lv.groups = append(lv.groups, group{v, 1, slices.Clone(col)})
	}
}

func setBit(b []uint64, i int)      { b[i/64] |= 1 << uint(i%64) }
func getBit(b []uint64, i int) bool { return b[i/64]>>uint(i%64)&1 == 1 }

func maskKey(m []uint64) string {
	b := make([]byte, 0, len(m)*8)
	for _, w := range m {
		b = append(b, byte(w), byte(w>>8), byte(w>>16), byte(w>>24), byte(w>>32), byte(w>>40), byte(w>>48), byte(w>>56))
	}
	return string(b)
}

func meet(a, b []uint64) bool {
	for w := range a {
		if a[w]&b[w] != 0 {
			return true
		}
	}
	return false
}

// state of a node: -1 some option has nothing left, +1 every option has a class
// that covers the rest, 0 look further.
func (s *searcher) state(k int, alive []uint64) int {
	lv := &s.levels[k]
	all := true
	for _, of := range lv.of {
		some, full := false, false
		for w := range alive {
			x := alive[w] & of[w]
			some = some || x != 0
			full = full || x&lv.full[w] != 0
		}
		if !some {
			return -1
		}
		all = all && full
	}
	if all {
		return 1
	}
	return 0
}

// step returns the classes alive at the next level under a group of values.
func (s *searcher) step(k int, alive []uint64, g *group) []uint64 {
	lv := &s.levels[k]
	out := make([]uint64, s.levels[k+1].words)
	for w := range alive {
		x := alive[w] & g.has[w]
		for x != 0 {
			i := w*64 + bits.TrailingZeros64(x)
			x &= x - 1
			setBit(out, lv.next[i])
		}
	}
	return out
}

func (s *searcher) fresh() {
	s.memo = make([]map[string]uint64, len(s.levels))
	for i := range s.memo {
		s.memo[i] = map[string]uint64{}
	}
}

// within looks for a common point with at most budget coordinates away from
// the baseline (class 0), and writes its classes into point.
func (s *searcher) within(k int, alive []uint64, budget int, point []int) bool {
	switch s.state(k, alive) {
	case -1:
		return false
	case 1:
		for ; k < len(s.levels)-1; k++ {
			point[s.levels[k].at] = 0
		}
		return true
	}
	key := maskKey(alive)
	if seen, ok := s.memo[k][key]; ok && int(seen) > budget {
		return false // failed before with this budget or more
	}
	if s.nodes++; s.nodes > maxNodes {
		s.in.over = true
		return false
	}
	lv := &s.levels[k]
	for i := range lv.groups {
		g := &lv.groups[i]
		rest := budget
		if g.value != 0 {
			if rest--; rest < 0 {
				break
			}
		}
		if !meet(alive, g.has) {
			continue
		}
		if s.within(k+1, s.step(k, alive, g), rest, point) {
			point[lv.at] = g.value
			return true
		}
	}
	s.memo[k][key] = uint64(budget) + 1
	return false
}

// find returns the common point with the fewest coordinates away from the
// baseline, ties broken by the order of dimensions and classes; ok is false
// when there is none.
func (in *instance) find() (point []int, ok bool) {
	if len(in.bad) == 0 || slices.ContainsFunc(in.bad, func(l []box) bool { return len(l) == 0 }) {
		return nil, false
	}
	point = make([]int, len(in.sp.dims))
	if len(in.bad) == 1 {
		return in.nearest(in.bad[0]), true
	}
	s := in.searcher()
	s.fresh()
	// Does any point exist at all? Then deepen, to have the nearest.
	if !s.within(0, s.root, len(s.levels), point) {
		if in.over {
			return in.grid()
		}
		return nil, false
	}
	for budget := 0; budget < len(s.levels); budget++ {
		s.fresh()
		s.nodes = 0
		clear(point)
		if s.within(0, s.root, budget, point) {
			break
		}
	}
	return point, true
}

// nearest is find for one option: the box nearest to the baseline.
func (in *instance) nearest(list []box) []int {
	sp := in.sp
	var best []int
	bestAway := 0
	for _, b := range list {
		p := make([]int, len(sp.dims))
		away := 0
		for i := range sp.dims {
			if sp.dims[i].exists || sp.has(b, i, 0) {
				continue
			}
			p[i] = lowest(sp.seg(b, i))
			away++
		}
		if best == nil || away < bestAway || away == bestAway && slices.Compare(p, best) < 0 {
			best, bestAway = p, away
		}
	}
	return best
}

func lowest(seg []uint64) int {
	for w, x := range seg {
		if x != 0 {
			return w*64 + bits.TrailingZeros64(x)
		}
	}
	return -1
}

// count returns how many forall points lie in some box of every list, and how
// many there are; exact, unless it overflows 64 bits, when ok is false.
func (in *instance) count() (denied, points uint64, ok bool) {
	points = 1
	for i := range in.sp.dims {
		if !in.sp.dims[i].exists {
			hi, lo := bits.Mul64(points, uint64(len(in.sp.dims[i].values)))
			if hi != 0 {
				return 0, 0, false
			}
			points = lo
		}
	}
	if len(in.bad) == 0 || slices.ContainsFunc(in.bad, func(l []box) bool { return len(l) == 0 }) {
		return 0, points, true
	}
	s := in.searcher()
	s.fresh()
	used := uint64(1)
	for k := range s.levels[:len(s.levels)-1] {
		used *= uint64(len(in.sp.dims[s.levels[k].at].values))
	}
	n := s.measure(0, s.root)
	return n * (points / used), points, !in.over
}

func (s *searcher) measure(k int, alive []uint64) uint64 {
	switch s.state(k, alive) {
	case -1:
		return 0
	case 1:
		n := uint64(1)
		for ; k < len(s.levels)-1; k++ {
			n *= uint64(len(s.in.sp.dims[s.levels[k].at].values))
		}
		return n
	}
	key := maskKey(alive)
	if n, ok := s.memo[k][key]; ok {
		return n
	}
	if s.nodes++; s.nodes > maxNodes {
		s.in.over = true
		return 0
	}
	var n uint64
	lv := &s.levels[k]
	for i := range lv.groups {
		g := &lv.groups[i]
		if meet(alive, g.has) {
			n += uint64(g.weight) * s.measure(k+1, s.step(k, alive, g))
		}
	}
	s.memo[k][key] = n
	return n
}

// grid decides by one bit per forall point, for spaces that the search gives
// up on and as a second opinion in tests. When the space is too large, over
// stays set.
func (in *instance) grid() (point []int, ok bool) {
	sp := in.sp
	n := 1
	var dims []int
	for i := range sp.dims {
		if sp.dims[i].exists {
			continue
		}
		dims = append(dims, i)
		if n *= len(sp.dims[i].values); n > maxGrid {
			in.over = true
			return nil, false
		}
	}
	in.over = false
	var all []uint64
	for _, list := range in.bad {
		bm := make([]uint64, (n+63)/64)
		for _, b := range list {
			in.raster(b, dims, 0, 0, bm)
		}
		if all == nil {
			all = bm
			continue
		}
		for w := range all {
			all[w] &= bm[w]
		}
	}
	best := -1
	var bestPoint []int
	for w, x := range all {
		for x != 0 {
			i := w*64 + bits.TrailingZeros64(x)
			x &= x - 1
			p, away := make([]int, len(sp.dims)), 0
			for j := len(dims) - 1; j >= 0; j-- {
				size := len(sp.dims[dims[j]].values)
				p[dims[j]] = i % size
				i /= size
				if p[dims[j]] != 0 {
					away++
				}
			}
			if best < 0 || away < best || away == best && slices.Compare(p, bestPoint) < 0 {
				best, bestPoint = away, p
			}
		}
	}
	return bestPoint, best >= 0
}

func (in *instance) raster(b box, dims []int, k, at int, bm []uint64) {
	if k == len(dims) {
		setBit(bm, at)
		return
	}
	d := &in.sp.dims[dims[k]]
	for v := range d.values {
		if in.sp.has(b, dims[k], v) {
			in.raster(b, dims, k+1, at*len(d.values)+v, bm)
		}
	}
}
