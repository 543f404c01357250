package custody

import (
	"cmp"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/register"
)

// Losses lists everything that the survey knows as something to lose.
func (s *Survey) Losses() []Loss { return slices.Clone(s.losses) }

// After says whether some account can still be opened when things are lost. Losses
// that nothing rests on change nothing.
func (s *Survey) After(lost ...Loss) Answer {
	set := s.known(lost)
	switch {
	case s.with(adverse, set).alive():
		return Yes
	case s.with(favourable, set).alive():
		return Maybe
	}
	return No
}

// known are the numbers of losses, as far as anything rests on them.
func (s *Survey) known(lost []Loss) []int {
	var out []int
	for _, l := range lost {
		if i, has := s.at[[2]string{string(l.Kind), l.ID}]; has {
			out = append(out, i)
		}
	}
	return out
}

// Standing is what is left of a way after some loss.
type Standing struct {
	Account entra.ID `json:"account"`
	Name    string   `json:"name,omitempty"`
	Way     string   `json:"way"`
	// Label names the way among those of all accounts.
	Label string `json:"label"`
	Works Answer `json:"works"`
	// With says for each part who fetches it where; nothing for a way that is lost.
	With []string `json:"with,omitempty"`
	// Why says what takes the way, or may.
	Why string `json:"why,omitempty"`
}

// Standings tells every way after some loss.
func (s *Survey) Standings(lost ...Loss) []Standing {
	set := s.known(lost)
	kind, harsh := s.with(favourable, set), s.with(adverse, set)
	out := []Standing{}
	for i := range s.accounts {
		a := &s.accounts[i]
		for _, p := range a.paths {
			one := Standing{Account: a.ID, Name: a.Name, Way: p.way.Name, Label: s.label(a, p), Works: No}
			switch {
			case harsh.path(p):
				one.Works, one.With = Yes, harsh.with(p)
			case kind.path(p):
				one.Works, one.With, one.Why = Maybe, kind.with(p), harsh.reason(p)
			default:
				one.Why = kind.reason(p)
			}
			out = append(out, one)
		}
	}
	return out
}

// with says who fetches each part of a way, where.
func (st *state) with(p *path) []string {
	out := []string{}
	for i := range p.needs {
		b := &p.needs[i]
		if b.what == internet {
			continue
		}
		switch say := st.fetch(b); {
		case say == "" && b.unsure:
			out = append(out, b.what+": gone, and whether it is wanted is not recorded")
		default:
			out = append(out, cmp.Or(say, b.what+": not recorded"))
		}
	}
	for i := range p.shares {
		if say := st.fetch(&p.shares[i]); say != "" {
			out = append(out, say)
		}
	}
	return out
}

// fetch says where the copies that are left lie, and who fetches them; "" none is.
func (st *state) fetch(b *branch) string {
	var from []string
	for j := range b.leaves {
		l := &b.leaves[j]
		if !st.leaf(l) {
			continue
		}
		who := st.who(l.by)
		text := "with " + cmp.Or(strings.Join(who, " or "), "nobody recorded")
		if l.part.Place != "" {
			where := l.part.Place
			if at := st.s.circle.Place(where); at != nil && at.Site != "" && register.NameKey(at.Site) != register.NameKey(at.Name) {
				where += " (" + at.Site + ")"
			}
			text = "in " + where + ": " + cmp.Or(strings.Join(who, " or "), "nobody recorded")
		}
		if l.perhaps {
			text = "perhaps " + text
		}
		from = append(from, text)
	}
	if from == nil {
		return ""
	}
	return b.what + " " + strings.Join(from, ", or ")
}

// who are those who open something now, and how where it is not by themselves.
func (st *state) who(o *opening) []string {
	var out []string
	seen := []*opening{o}
	for i := 0; i < len(seen); i++ {
		for _, p := range seen[i].people {
			if name := p.name + " with the combination"; i > 0 && st.person(p) && !slices.Contains(out, p.name) && !slices.Contains(out, name) {
				out = append(out, name)
			} else if i == 0 && st.person(p) {
				out = append(out, p.name)
			}
		}
		for j := range seen[i].combinations {
			if l := &seen[i].combinations[j]; st.there(l) && !slices.Contains(seen, l.by) {
				seen = append(seen, l.by)
			}
		}
	}
	return out
}
