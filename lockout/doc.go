// Package lockout says whether an emergency account gets in whatever happens:
// it proves it, shows the sign-in that fails, or says what is not known.
//
// A question is about one account of one Snapshot and one goal, over an
// envelope of sign-ins: for each dimension either every value must work, or the
// operator may choose. New prepares a Snapshot, Prove answers:
//
//   - PROVED with a Certificate that package lockout/verify checks against the
//     Snapshot's JSON without sharing code with the search;
//   - LOCKOUT with the nearest sign-in that fails, widened as far as it fails
//     alike, and every cause;
//   - UNDETERMINED with what is not known and what would settle it.
//
// Everything that was not read, is not modelled, or is not documented by
// Microsoft is evaluated twice, against the account and for it; only a verdict
// on which both readings agree is given. The rules are in docs/prover.md.
//
// The package is pure: no clock, no network, no files. Time is part of the
// question. What a person states in place of the tenant is a supposition
// (Suppose) and travels with the Snapshot into every verdict.
package lockout
