// Package custody holds who may do what, what people approve, who holds what where and
// what of it survives which loss, and how secrets are handled.
//
// A Request says what somebody wants done: in which tenant and store, what, on
// what, why, by whom, until when. Its Hash names it, once and for all. People
// approve a Request by signing a text (Pending.Text) that says the same in plain words and
// carries the hash: with an SSH key (OpenSSH PROTOCOL.sshsig, namespace
// Namespace) or with a passkey (WebAuthn, the challenge is the SHA-256 of the
// text). Rules.Decide says whether what came together is enough: the right, the
// register, the signatures, the number of distinct people, the time. What is
// refused is a Refusal with a Reason and a hint.
//
// Rules that hold whatever the register says: an approval is for one request, by
// its hash; a request is used once; it ends; nobody approves what they asked for,
// under whatever name; people and keys are those of the register that was
// approved, as they are now. The one exception is a tenant with one person
// (quorum.people: 1), and everything done so is marked.
//
// A request about custody names those who are given something (Handing). Each of
// them signs for it where there is a key of theirs, and nobody gives to themselves.
//
// A Circle is who holds what where. Circle.Ways says how each account is opened: all
// needs of one way, and of each one copy. Circle.Survey says what survives which loss
// (Survey.After, LossSets, Scenarios), and Circle.Openings who could open an account.
// What is not recorded is read twice, as lost and as not lost; where the readings
// differ the answer is Maybe, and Maybe is never taken for Yes. The sets are minimal and
// exact; a search that would take too long is cut and says so. The tenant's side is a
// function value (Tenant). The rules are in docs/survive.md.
//
// A Secret is text that must not be seen: it does not print, format, log or
// marshal, and whoever needs it asks for it by name (Reveal). It cannot be
// compared by mistake. Go may copy memory when it collects garbage, so a secret
// cannot be wiped for sure; it is kept for as short as may be.
//
// The package is pure: the time, chance and what the log knows are arguments. Of
// golang.org/x/crypto/ssh, which could open connections, and of go-webauthn only
// parsing and verification are used.
package custody
