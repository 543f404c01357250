// Package halligan is the map of the house. It holds no code.
//
// Halligan is a tool for emergency access to Microsoft Entra ID. Everything read
// from a tenant becomes one immutable [halligan/entra.Snapshot]; everything wise
// is a pure function of it; everything dangerous is a [halligan/plan.Change].
//
// # Rooms
//
//	entra         the nouns of the field and the Snapshot; decodes the forms in which people export policies
//	register      halligan.yaml as values: which accounts, what is intended, who holds and decides what
//	lockout       does an account get in whatever happens: Proved, Lockout or Undetermined, with the reasons
//	              facts below it holds what Microsoft documents and changes, as data with source and date
//	plan          changes as values, and what a Snapshot becomes when one is made
//	posture       the checks, as tables, and the grade
//	custody       who may do what, requests and approvals, how secrets are handled
//	seal          sealed files: made and opened by several people together, with or without this program
//	procedure     what to do in which emergency, step by step: the runbooks
//	evidence      a log that cannot be rewritten unseen: entries, checkpoints, Verify
//	internal/graph    a live tenant: signing in, reading, following, changing with read-back
//	internal/sandbox  an emulated tenant: sign-in, Graph, logs, faults; never imports graph
//	internal/store    the evidence on a disk or in PostgreSQL: one owner, nothing acknowledged is lost
//	internal/notify   telling people on a channel: mail and webhooks, in bounded time, with a receipt
//	internal/print    what must be on paper: envelopes, the binder, the card; PDF and HTML
//	internal/storetest  its suite, on both kinds of store
//	internal/contract, internal/testbrowser, internal/testenv
//	              for tests alone: Microsoft's description of Graph, a real browser, data from elsewhere
//	internal/app  the verbs: what the command line does, without flags and exit codes
//	cmd/halligan  the command line: flags, streams, exit codes
//	scripts       makes the release files and checks the transcripts in the documents
//
// # Floors
//
//	4   cmd/halligan                    flags, wiring, opening paths and streams, exit codes
//	3   internal/app                    the verbs
//	2   (internal/...)                  one outside world each; siblings never meet
//	1   lockout, plan, posture,         value in, value out
//	    custody, seal, evidence,
//	    procedure
//	0   entra, register, lockout/facts  nouns, and facts as data
//
// Imports go down. The two lowest floors touch no network, no disk, no process,
// no clock and no randomness: what they need arrives as an argument, so that an
// auditor can run them again and get the same answer. floors_test.go holds the
// whole table and fails when a package is not in it; a new room starts there.
package halligan
