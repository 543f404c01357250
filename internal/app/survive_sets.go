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
	// Half is 1 or 2 in the form halves; 0 also where it was not recorded.
	Half int `json:"half,omitempty"`
}

// opensOf is who opens a set, as it stands in its manifest.
func opensOf(m *seal.Manifest) opensSet {
	out := opensSet{Form: m.Form, Need: m.Need}
	for _, h := range m.Holders {
		out.Holders = append(out.Holders, setHolder{h.Name, h.Kind, h.Half})
	}
	for _, p := range m.Pairs {
		out.Pairs = append(out.Pairs, [2]int{p.First, p.Second})
	}
	return out
}

// forms are those of which custody knows who opens them.
var forms = []seal.Form{seal.FormPair, seal.FormShares, seal.FormHalves}

// known reports whether the evidence says wholly who opens a set. Sets of halves of
// before have no word of which half is whose; and a half of which it is not known
// whether it is on paper may be in the file alone.
func (o *opensSet) known() bool {
	unsaid := func(h setHolder) bool {
		return (h.Half == 0) == (o.Form == seal.FormHalves) || h.Half != 0 && h.Kind == seal.KindUnknown
	}
	return slices.Contains(forms, o.Form) && len(o.Holders) > 0 && !slices.ContainsFunc(o.Holders, unsaid)
}

// Sets are the sealed sets as package custody takes them: those that are void, and those
// of which it is known who opens them.
func (h *Held) Sets() []custody.SealedSet {
	if h == nil {
		return nil
	}
	var out []custody.SealedSet
	for _, id := range slices.Sorted(maps.Keys(h.sets)) {
		s := h.sets[id]
		one := custody.SealedSet{ID: id, Voided: s.void != ""}
		switch {
		case !s.opens.known():
			if !one.Voided {
				continue // not known
			}
		default:
			one.Need = s.opens.Need
			for _, of := range s.opens.Holders {
				one.Holders = append(one.Holders, custody.SealedHolder{Name: of.Name, ByKey: of.Kind != seal.KindPaper && of.Kind != seal.KindUnknown, Half: of.Half})
			}
			for _, p := range s.opens.Pairs {
				one.Pairs = append(one.Pairs, [2]int{p[0] - 1, p[1] - 1})
			}
		}
		out = append(out, one)
	}
	return out
}
