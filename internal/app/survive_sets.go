package app

import (
	"maps"
	"slices"

	"halligan/custody"
	"halligan/seal"
)

// opensSet is what the evidence has of who opens a set.
type opensSet struct {
	Form    seal.Form   `json:"form"`
	Need    int         `json:"need"`
	Holders []setHolder `json:"holders,omitempty"`
	// Pairs are the holders, counted from 1, who open it together.
	Pairs [][2]int `json:"pairs,omitempty"`
}

// setHolder is a holder of a set, in the order of its manifest.
type setHolder struct {
	Name string    `json:"name"`
	Kind seal.Kind `json:"kind"`
}

// opensOf is who opens a set, as it stands in its manifest.
func opensOf(m *seal.Manifest) opensSet {
	out := opensSet{Form: m.Form, Need: m.Need}
	for _, h := range m.Holders {
		out.Holders = append(out.Holders, setHolder{h.Name, h.Kind})
	}
	for _, p := range m.Pairs {
		out.Pairs = append(out.Pairs, [2]int{p.First, p.Second})
	}
	return out
}

// Sets are the sealed sets as package custody takes them: those that are void, and those
// that a sealed file and its holders open. The halves of a password stand in the
// register, and nothing else opens them.
func (h *Held) Sets() []custody.SealedSet {
	if h == nil {
		return nil
	}
	var out []custody.SealedSet
	for _, id := range slices.Sorted(maps.Keys(h.sets)) {
		s := h.sets[id]
		one := custody.SealedSet{ID: id, Voided: s.void != ""}
		switch {
		case s.opens.Form != seal.FormPair && s.opens.Form != seal.FormShares, len(s.opens.Holders) == 0:
			if !one.Voided {
				continue // not known
			}
		default:
			one.Need = s.opens.Need
			for _, of := range s.opens.Holders {
				one.Holders = append(one.Holders, custody.SealedHolder{Name: of.Name, ByKey: of.Kind != seal.KindPaper && of.Kind != seal.KindUnknown})
			}
			for _, p := range s.opens.Pairs {
				one.Pairs = append(one.Pairs, [2]int{p[0] - 1, p[1] - 1})
			}
		}
		out = append(out, one)
	}
	return out
}
