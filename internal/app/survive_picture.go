package app

import (
	"cmp"
	"slices"

	"halligan/custody"
	"halligan/internal/print"
	"halligan/register"
)

// twoPeopleMarks tell whether an account takes two people.
var twoPeopleMarks = map[custody.Answer]string{custody.Yes: "✓ takes two people", custody.No: "✗ not two people", custody.Maybe: "? not known"}

// worksMarks tell whether a way works.
var worksMarks = map[custody.Answer]string{custody.Yes: "✓", custody.No: "✗", custody.Maybe: "?"}

// SurvivePicture is the picture of a report: who holds what where.
func SurvivePicture(r *SurviveReport) *print.Holdings {
	p := &print.Holdings{Title: "Who holds what where: accounts, ways in, parts, holders and places"}
	index := map[string]int{}
	for _, at := range r.Circle.Places() {
		index[register.NameKey(at.Name)] = len(p.Places)
		p.Places = append(p.Places, print.HoldingsPlace{Name: at.Name, Site: at.Site, OffSite: at.OffSite, People: at.Access})
	}
	for _, a := range r.Accounts {
		one := print.HoldingsAccount{Name: cmp.Or(a.Name, string(a.ID)), Mark: twoPeopleMarks[r.Circle.Openings(a).TwoPeople()]}
		ways, _ := r.Circle.Ways(a)
		for i := range ways {
			way := print.HoldingsWay{Name: ways[i].Name}
			for _, now := range r.Now {
				if now.Account.Equal(a.ID) && now.Way == way.Name {
					way.Mark = worksMarks[now.Works]
				}
			}
			for _, n := range ways[i].All() {
				for j, part := range slices.Concat(n.Copies, n.Perhaps) {
					name := n.What
					if j > 0 {
						name = "or " + name // one copy is enough
					}
					if j >= len(n.Copies) {
						name = "perhaps " + n.What
					}
					at, known := index[register.NameKey(part.Place)]
					if !known {
						at = -1
					}
					way.Parts = append(way.Parts, print.HoldingsPart{Name: name, Holder: part.Holder, Place: at})
				}
				if len(n.Copies)+len(n.Perhaps) == 0 {
					way.Parts = append(way.Parts, print.HoldingsPart{Name: n.What, Place: -1, Missing: true})
				}
			}
			one.Ways = append(one.Ways, way)
		}
		p.Accounts = append(p.Accounts, one)
	}
	return p
}
