package lockout

import (
	"slices"
	"strings"

	"halligan/entra"
)

// ans is a three-valued answer with the reasons why it is not known. Reasons
// are indices into the table of a Prover.
type ans struct {
	v   tern
	why []int
}

func sure(b bool) ans { return ans{v: ternOf(b)} }

func (a ans) not() ans { return ans{-a.v, a.why} }

// and joins two answers; a sure no needs no reasons, and reasons survive only
// where the answer stays open.
func (a ans) and(b ans) ans {
	switch {
	case a.v == no || b.v == no:
		return ans{v: no}
	case a.v == yes:
		return b
	case b.v == yes:
		return a
	}
	return ans{unknown, join(a.why, b.why)}
}

func (a ans) or(b ans) ans { return a.not().and(b.not()).not() }

// on reads an answer: adversely, whatever is not known counts as yes.
func (a ans) may(adverse bool) bool {
	if adverse {
		return a.v >= unknown
	}
	return a.v == yes
}

func join(a, b []int) []int {
	if len(a) == 0 {
		return b
	}
	if len(b) == 0 {
		return a
	}
	out := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

// unknownTable interns what is not known.
type unknownTable struct {
	list  []Unknown
	index map[string]int
}

func (t *unknownTable) add(u Unknown) int {
	key := u.ID + "\x00" + u.Subject
	if i, ok := t.index[key]; ok {
		return i
	}
	if t.index == nil {
		t.index = map[string]int{}
	}
	t.index[key] = len(t.list)
	t.list = append(t.list, u)
	return len(t.list) - 1
}

// open returns the answer "not known" with its reason.
func (t *unknownTable) open(u Unknown) ans { return ans{unknown, []int{t.add(u)}} }

func (t *unknownTable) pick(why []int) []Unknown {
	var out []Unknown
	for _, i := range why {
		out = append(out, t.list[i])
	}
	slices.SortFunc(out, func(a, b Unknown) int {
		if c := strings.Compare(a.ID, b.ID); c != 0 {
			return c
		}
		return strings.Compare(a.Subject, b.Subject)
	})
	return out
}

// idSet is a set of ids that compare without case.
type idSet map[string]bool

func newIDSet[T ~string](ids []T) idSet {
	s := make(idSet, len(ids))
	for _, id := range ids {
		s[entra.ID(id).Key()] = true
	}
	return s
}

func (s idSet) has(id entra.ID) bool { return s[id.Key()] }
