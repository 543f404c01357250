package seal

import "slices"

// ruleOf is the table of the forms. It is a function because what stands in it uses
// it: Go does not let a variable do so.
func ruleOf(f Form) formRule {
	return map[Form]formRule{
		FormPair:   {pairWrong, pairFiles, (*opening).pair, pairGuide, pairEnough},
		FormShares: {sharesWrong, shareFiles, (*opening).byShares, sharesGuide, sharesEnough},
		FormHalves: {halvesWrong, holderFiles, (*opening).byHalves, halvesGuide, halvesEnough},
	}[f]
}

func pairEnough(m *Manifest, here map[int]bool) bool {
	return slices.ContainsFunc(m.Pairs, func(p Pair) bool { return here[p.First] && here[p.Second] })
}

func sharesEnough(m *Manifest, here map[int]bool) bool { return len(here) >= m.Need }

// halvesEnough: a half on paper is typed by hand, and one is opened here.
func halvesEnough(m *Manifest, here map[int]bool) bool {
	return len(here) > 0 && !slices.ContainsFunc([]int{1, 2}, func(half int) bool {
		return !slices.ContainsFunc(m.Holders, func(h Holder) bool { return h.Half == half && (h.Kind == KindPaper || here[h.Number]) })
	})
}
