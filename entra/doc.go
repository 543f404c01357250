// Package entra holds the nouns of the field: what a Microsoft Entra tenant
// says about Conditional Access, authentication methods, roles, groups and the
// few accounts that are judged, and the one value that carries them all, the
// Snapshot.
//
// A Snapshot is immutable. It is a slice of the tenant, not all of it, and it
// says of every part whether that part was read, denied, cut short or never
// asked for; a part that was not read is never an empty part. Everything in it
// is kept twice: typed, for those who judge, and as the raw JSON it came in,
// for those who verify a judgement without trusting our typed decoding.
//
// Read takes whatever people export, in any mixture, and makes a Snapshot of it;
// what cannot be read is a Trouble with its place, and the rest goes on. The
// Snapshot's JSON, which Read takes back, is described in docs/snapshot.md.
//
// Whatever the decoder does not understand (a key, an enum member, a condition
// or a control) is recorded by path in Unmodelled and never dropped: a prover
// must read it against the account.
//
// Names and enum spellings are those of Microsoft Graph v1.0 (types of August
// 2026). Ids compare without case. Lists of "all" are spelled out by whoever
// uses them; an absent condition is nil or empty and means "no restriction",
// except for users and applications, where empty includes nobody and nothing.
package entra
