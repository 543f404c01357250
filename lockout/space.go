package lockout

import (
	"math/bits"
	"slices"
)

// dim is one dimension of a space with its classes. Every dimension is present
// in every space; one that does not matter has a single class or is full in
// every box.
type dim struct {
	name    Dimension
	exists  bool
	values  []string
	devices []Device // DimDevice: in the order of values
	off     int      // first word in a box
	words   int
}

// index returns the class of a value, or -1.
func (d *dim) index(v string) int { return slices.Index(d.values, v) }

// space is the product of the dimensions, forall and exists alike.
type space struct {
	dims  []dim // in the order of Dimensions
	words int
	full  box
}

// box is a product of one set of classes per dimension, laid out as one flat
// bit mask. A box with an empty dimension is empty and is never kept.
type box []uint64

func newSpace(dims []dim) *space {
	s := &space{dims: dims}
	for i := range s.dims {
		d := &s.dims[i]
		d.off = s.words
		d.words = (len(d.values) + 63) / 64
		s.words += d.words
	}
	s.full = make(box, s.words)
	for i := range s.dims {
		s.fill(s.full, i)
	}
	return s
}

// at returns the position of a dimension in s.dims.
func (s *space) at(name Dimension) int {
	for i := range s.dims {
		if s.dims[i].name == name {
			return i
		}
	}
	return -1
}

func (s *space) dim(name Dimension) *dim { return &s.dims[s.at(name)] }

func (s *space) seg(b box, i int) []uint64 {
	d := &s.dims[i]
	return b[d.off : d.off+d.words]
}

func (s *space) fill(b box, i int) {
	seg := s.seg(b, i)
	n := len(s.dims[i].values)
	for w := range seg {
		seg[w] = ^uint64(0)
		if rest := n - w*64; rest < 64 {
			seg[w] = 1<<uint(rest) - 1
		}
	}
}

func (s *space) clear(b box, i int) { clear(s.seg(b, i)) }

func (s *space) set(b box, i, v int) { b[s.dims[i].off+v/64] |= 1 << uint(v%64) }

func (s *space) has(b box, i, v int) bool { return b[s.dims[i].off+v/64]>>uint(v%64)&1 == 1 }

func (s *space) count(b box, i int) int {
	n := 0
	for _, w := range s.seg(b, i) {
		n += bits.OnesCount64(w)
	}
	return n
}

// isFull reports whether the dimension is unrestricted in the box.
func (s *space) isFull(b box, i int) bool {
	return slices.Equal(s.seg(b, i), s.seg(s.full, i))
}

// clone returns a copy of the full box to be narrowed.
func (s *space) clone(b box) box { return slices.Clone(b) }

// and stores a ∩ b in dst and reports whether it is not empty.
func (s *space) and(dst, a, b box) bool {
	for i := range s.dims {
		d := &s.dims[i]
		var any uint64
		for w := d.off; w < d.off+d.words; w++ {
			dst[w] = a[w] & b[w]
			any |= dst[w]
		}
		if any == 0 {
			return false
		}
	}
	return true
}

// meets reports whether a ∩ b is not empty.
func (s *space) meets(a, b box) bool {
	for i := range s.dims {
		d := &s.dims[i]
		var any uint64
		for w := d.off; w < d.off+d.words; w++ {
			any |= a[w] & b[w]
		}
		if any == 0 {
			return false
		}
	}
	return true
}

// inside reports whether a ⊆ b.
func inside(a, b box) bool {
	for w := range a {
		if a[w]&^b[w] != 0 {
			return false
		}
	}
	return true
}

// empty reports whether some dimension of the box holds nothing.
func (s *space) empty(b box) bool {
	for i := range s.dims {
		if s.count(b, i) == 0 {
			return true
		}
	}
	return false
}

// subtract returns a \ b as disjoint boxes.
func (s *space) subtract(a, b box) []box {
	if !s.meets(a, b) {
		return []box{a}
	}
	var out []box
	rest := s.clone(a)
	for i := range s.dims {
		d := &s.dims[i]
		piece := s.clone(rest)
		var left uint64
		for w := d.off; w < d.off+d.words; w++ {
			piece[w] = rest[w] &^ b[w]
			left |= piece[w]
			rest[w] &= b[w]
		}
		if left != 0 {
			out = append(out, piece)
		}
	}
	return out
}

// subtractAll returns what of a lies in none of the boxes, as disjoint boxes.
func (s *space) subtractAll(a box, boxes []box) []box {
	pieces := []box{a}
	for _, b := range boxes {
		var next []box
		for _, p := range pieces {
			next = append(next, s.subtract(p, b)...)
		}
		pieces = next
	}
	return pieces
}

// cut splits a region along the first dimension in which b holds some of its
// classes and not others; ok is false when there is none.
func (s *space) cut(region, b box) (in, over box, ok bool) {
	for i := range s.dims {
		d := &s.dims[i]
		var held, rest uint64
		for w := d.off; w < d.off+d.words; w++ {
			held |= region[w] & b[w]
			rest |= region[w] &^ b[w]
		}
		if held == 0 || rest == 0 {
			continue
		}
		in, over = s.clone(region), s.clone(region)
		for w := d.off; w < d.off+d.words; w++ {
			in[w] &= b[w]
			over[w] &^= b[w]
		}
		return in, over, true
	}
	return nil, nil, false
}
