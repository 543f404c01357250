package app

import (
	"maps"
	"slices"

	"halligan/custody"
	"halligan/entra"
	"halligan/register"
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
// of which it is known who opens them. A holder goes by the name that the register has
// for them now, by their object id when the set was sealed.
func (h *Held) Sets(r *register.Register) []custody.SealedSet {
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
				name, found := holderNow(r, h.idOf(of.Name, s.index), of.Name)
				one.Holders = append(one.Holders, custody.SealedHolder{Name: name, Stranger: !found, ByKey: of.Kind != seal.KindPaper && of.Kind != seal.KindUnknown, Half: of.Half})
			}
			for _, p := range s.opens.Pairs {
				one.Pairs = append(one.Pairs, [2]int{p[0] - 1, p[1] - 1})
			}
		}
		out = append(out, one)
	}
	return out
}

// idOf is the object id of somebody as the people were recorded before some entry, or
// first after it; "" it was never recorded.
func (h *Held) idOf(name string, index uint64) (id entra.ID) {
	for _, e := range h.staff {
		if p := e.people.Person(name); p != nil && p.ID != "" && (id == "" || e.index < index) {
			id = p.ID
		}
	}
	return id
}

// holderNow finds in a register whom a set was sealed to: by their id, and by the name
// where no id speaks against that.
func holderNow(r *register.Register, id entra.ID, name string) (now string, found bool) {
	p := r.Person(name)
	if id != "" {
		for _, q := range r.Or().People {
			if q.ID.Equal(id) {
				return q.Name, true
			}
		}
		return name, p != nil && p.ID == ""
	}
	return name, p != nil
}
