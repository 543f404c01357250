// Package posture holds the checks of a tenant's emergency accounts: what the
// sources and the field ask for beyond the proof that an account gets in.
//
// A check is a row of a table by theme (checks_*.go) and a pure function of a
// Snapshot, the register, the records of what people did (drills, alert tests,
// seals) and the time given. It answers with one Result for each account, or one
// for the tenant:
//
//	pass           the data says that it is so
//	fail           the data says that it is not so
//	indeterminate  what it needs was not read, denied, cut short or not selected
//	notApplicable  the licence, the pattern or a setting rules it out; it says why
//	notSetUp       it is about a capability that this tenant has not set up yet
//	attested       a person said so, until a day; never a pass
//	acceptedRisk   it fails, and somebody answers for that until a day, while the
//	               compensating checks pass
//
// A check never passes on what was not read: Judge runs only when the parts it
// names were read, and a property that nobody selected is Missing. An account
// that nobody registered is judged as a hypothesis, and its findings say so.
package posture
