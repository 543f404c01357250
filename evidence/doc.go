// Package evidence is a log that cannot be rewritten without being caught.
//
// An [Entry] is one line of JSON in one fixed form. The lines are the leaves of a
// Merkle tree (RFC 6962 2.1), a [Checkpoint] is the signed root of the first Size
// entries (C2SP tlog-checkpoint), and [Verify] reads an exported folder and names
// the first entry that is not what was signed. docs/evidence-format.md is the
// normative description of all of it, so that others can write a verifier;
// examples/evidence/verify.py is one.
//
// What it promises: whoever holds a checkpoint can tell, for every entry below its
// size, whether it was altered, deleted, moved or cut off since. It promises
// nothing about entries that were false when they were written, nothing against
// the holder of the log key before a checkpoint left the machine, and nothing
// about what no checkpoint covers.
//
// Keys come from the caller and never from the log. Entry 0 says with which key
// the log begins ([Begin]); a new key is an entry of its own ([Rotate], [Lose])
// and the last entry of its batch, and the checkpoint right after it is signed by
// the old and the new key ([LogKey.After]), or by the new one alone when the old
// one is lost. A key that took over from a lost one is believed only when the
// caller gives it.
//
// The package is pure: time and randomness are arguments, files are an fs.FS.
package evidence
