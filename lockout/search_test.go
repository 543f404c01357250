package lockout

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// randomInstance makes a small space and lists of random boxes in it.
func randomInstance(r *rand.Rand) (*space, [][]denial) {
	var dims []dim
	for i := range 2 + r.IntN(4) {
		d := dim{name: Dimensions[i]}
		for v := range 1 + r.IntN(5) {
			d.values = append(d.values, string(rune('a'+v)))
		}
		dims = append(dims, d)
	}
	// One dimension of more than a word.
	wide := dim{name: Dimensions[len(dims)]}
	for v := range 60 + r.IntN(20) {
		wide.values = append(wide.values, string(rune('A'+v)))
	}
	sp := newSpace(append(dims, wide))
	bad := make([][]denial, 1+r.IntN(4))
	for o := range bad {
		for range r.IntN(9) {
			b := sp.clone(sp.full)
			for i := range sp.dims {
				if r.IntN(3) == 0 {
					continue
				}
				sp.clear(b, i)
				for v := range sp.dims[i].values {
					if r.IntN(2) == 0 {
						sp.set(b, i, v)
					}
				}
			}
			if !sp.empty(b) {
				bad[o] = append(bad[o], denial{box: b})
			}
		}
	}
	return sp, bad
}

// nearestByEnumeration looks at every point.
func nearestByEnumeration(sp *space, bad [][]denial) (best []int, denied uint64) {
	point := make([]int, len(sp.dims))
	bestAway := 0
	var walk func(i int)
	walk = func(i int) {
		if i < len(sp.dims) {
			for v := range sp.dims[i].values {
				point[i] = v
				walk(i + 1)
			}
			return
		}
		for _, list := range bad {
			if !slices.ContainsFunc(list, func(d denial) bool { return holds(sp, d.box, point) }) {
				return
			}
		}
		denied++
		away := 0
		for _, v := range point {
			if v != 0 {
				away++
			}
		}
		if best == nil || away < bestAway {
			best, bestAway = slices.Clone(point), away
		}
	}
	walk(0)
	return best, denied
}

func away(p []int) int {
	n := 0
	for _, v := range p {
		if v != 0 {
			n++
		}
	}
	return n
}

func TestSearchGridAndEnumerationAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	found := 0
	for i := range 800 {
		sp, bad := randomInstance(r)
		want, count := nearestByEnumeration(sp, bad)
		in := newInstance(sp, bad)
		got, ok := in.find()
		if ok != (want != nil) {
			t.Fatalf("instance %d: the search says %v, enumeration %v", i, ok, want != nil)
		}
		if n, _, fits := in.count(); !fits || n != count {
			t.Fatalf("instance %d: counted %d denied points (%v), enumeration %d", i, n, fits, count)
		}
		if len(in.bad) > 0 {
			if g, gridOK := in.grid(); gridOK != ok || ok && away(g) != away(got) {
				t.Fatalf("instance %d: the grid says %v %v, the search %v %v", i, gridOK, g, ok, got)
			}
		}
		if !ok {
			continue
		}
		found++
		if away(got) != away(want) {
			t.Fatalf("instance %d: the point %v is %d away from the baseline, the nearest is %d (%v)", i, got, away(got), away(want), want)
		}
		for _, list := range bad {
			if !slices.ContainsFunc(list, func(d denial) bool { return holds(sp, d.box, got) }) {
				t.Fatalf("instance %d: the point %v is not denied by every option", i, got)
			}
		}
	}
	if found < 50 || found > 750 {
		t.Errorf("%d of 800 instances have a denied point: the generator no longer tests both answers", found)
	}
}

func TestTheSearchGivesUpLoudly(t *testing.T) {
	sp, bad := randomInstance(rand.New(rand.NewPCG(3, 4)))
	in := newInstance(sp, bad)
	s := in.searcher()
	s.fresh()
	s.nodes = maxNodes
	s.within(0, s.root, len(s.levels), make([]int, len(sp.dims)))
	if st := s.state(0, s.root); st == 0 && !in.over {
		t.Error("a search past its bound must say so")
	}
}

func TestSubtractLeavesWhatIsOutside(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		sp, bad := randomInstance(r)
		if len(bad[0]) < 2 {
			continue
		}
		a, b := bad[0][0].box, bad[0][1].box
		pieces := sp.subtract(a, b)
		point := make([]int, len(sp.dims))
		for range 200 {
			for i := range point {
				point[i] = r.IntN(len(sp.dims[i].values))
			}
			n := 0
			for _, p := range pieces {
				if holds(sp, p, point) {
					n++
				}
			}
			want := 0
			if holds(sp, a, point) && !holds(sp, b, point) {
				want = 1
			}
			if n != want {
				t.Fatalf("point %v lies in %d pieces of a\\b, want %d", point, n, want)
			}
		}
	}
}
