package contract_test

// quirks lists the documented examples that differ from the description, with
// the rules they break and why. The documentation is wrong in each, or older
// than the description.
var quirks = []struct{ why, rules, files string }{}
