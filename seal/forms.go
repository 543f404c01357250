package seal

// ruleOf is the table of the forms. It is a function because what stands in it uses
// it: Go does not let a variable do so.
func ruleOf(f Form) formRule {
	return map[Form]formRule{
		FormPair:   {pairWrong, pairFiles, (*opening).pair, pairGuide},
		FormShares: {sharesWrong, shareFiles, (*opening).byShares, sharesGuide},
		FormHalves: {halvesWrong, holderFiles, (*opening).byHalves, halvesGuide},
	}[f]
}
