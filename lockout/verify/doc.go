// Package verify checks certificates of package lockout: the proofs that an
// emergency account gets in whatever happens.
//
// It shares no code with the search that found the proof, nor with the decoder
// that read the tenant; of this module it imports the vendor data only
// (lockout/facts). It reads the canonical JSON of the Snapshot (form
// halligan-snapshot/1) and in it the raw JSON of Graph, and checks each line of
// the certificate alone (docs/prover-certificate.md).
//
// Whatever is not known is read against the account: a group that was not read
// may hold the account where a policy includes it and does not where a policy
// excludes it; a key, member or type that has no meaning here may widen a policy
// and is never satisfied. What is not understood in the certificate is refused.
//
// A nil error therefore says: at every point of the question's envelope the
// operator's option that the certificate names gets in, if the Snapshot and the
// vendor data are true. It does not say that the Snapshot is complete about what
// nobody can read, nor anything about the suppositions in it, which stand in the
// Snapshot under "supposed".
package verify
