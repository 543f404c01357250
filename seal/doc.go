// Package seal makes and opens sealed files, so that no one person can read the
// secret of an emergency account, and so that enough people together can, on any
// machine, without this program, a network, a tenant or a server of ours.
//
// A sealed file is an archive (ZIP, nothing compressed) of a manifest, a page that
// tells how to open it by hand, and what age (age-encryption.org/v1) encrypted.
// docs/sealed-format.md is the format, in the words of whoever reads it without us.
// There are three forms:
//
//   - pair: two of at most five holders. For each two that may open together there
//     is one file, encrypted to the one and then to the other.
//   - shares: k of n holders. The secret is encrypted to a fresh key of age, and
//     that key is split by Shamir's method. A holder has a share as a file encrypted
//     to them, or on paper, as a QR code and as words.
//   - halves: a password whose two halves two sides hold. No side has both.
//
// A share carries the set it belongs to, how many are needed and a checksum, and
// the manifest the SHA-256 of each: whatever is wrong with one is named. What is
// said of a share, a key or a file follows from what is public, so that nobody
// learns from an error what only an opened file tells.
//
// Inside stands, beside the secret, who is told of an opening. This package tells
// nobody: it hands that out with the secret.
//
// Whatever is wrong and superfluous keeps nobody from opening: it is named beside what
// was opened, and is the error only where the rest are too few.
//
// The package has no clock, no disk and no chance of its own. Chance is an argument
// where keys, shares and passwords are made here; package age takes the chance for
// its own keys from the system. Secrets are custody.Secret, and their bytes are
// cleared after use where they are ours to clear.
//
// It refuses: a set that one person could open, members that it does not know,
// anything over its limits. It does not say who sealed a file: age has no
// signatures, and whoever knows the public keys can make another file. The SHA-256
// of the whole file, which the evidence and the binder have, says that it is the one.
package seal
