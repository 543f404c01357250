package evidence

import "fmt"

// Fault says what is wrong with a log. The words are those of
// docs/evidence-format.md; every verifier uses the same.
type Fault string

// What may be wrong.
const (
	Altered    Fault = "altered"     // the entry, its hash, or all since the last good checkpoint was rewritten
	Deleted    Fault = "deleted"     // the entry is not there, others are
	Moved      Fault = "moved"       // the entry stands somewhere else
	Cut        Fault = "cut"         // one file ends here, another goes on
	RolledBack Fault = "rolled-back" // a checkpoint from outside has more entries
	Forked     Fault = "forked"      // a checkpoint from outside is of another history
	Unsigned   Fault = "signature"   // a signature is false, or none covers what follows
	OtherKey   Fault = "key"         // signed by a key that has no say here
	Malformed  Fault = "form"        // not in the form that the format prescribes
	WrongFile  Fault = "file"        // a file is missing, or does not belong into the folder
)

var faultWords = map[Fault]string{
	Altered:    "was altered",
	Deleted:    "was deleted",
	Moved:      "stands in another place",
	Cut:        "was cut off",
	RolledBack: "was rolled back: it is missing with all that followed",
	Forked:     "is not the one that a checkpoint from outside knows, or one soon after it is not",
	Unsigned:   "and what follows is covered by no good signature",
	OtherKey:   "and what follows is signed by a key that has no say here",
	Malformed:  "is not in the form of a log",
	WrongFile:  "cannot be judged: the folder is not an exported log",
}

// Finding is the first thing that is wrong with a log. It is a security failure:
// nothing that stands at Index or after it may be believed.
type Finding struct {
	Index uint64 // the first entry that is bad or that nothing good vouches for
	Fault Fault
	Why   string // what was seen
}

func (f *Finding) Error() string {
	return fmt.Sprintf("verify evidence: entry %d %s: %s", f.Index, faultWords[f.Fault], f.Why)
}

// Hint says what to do.
func (f *Finding) Hint() string {
	switch f.Fault {
	case OtherKey:
		return "give the key from the binder; when the key was replaced because it was lost, give the new one too"
	case WrongFile:
		return "verify a folder that holds entries.jsonl, hashes.txt and checkpoints.txt and nothing else"
	}
	return "keep this copy as it is, compare it with a backup and with the checkpoints that left the machine, and tell the other people"
}

// Machine returns the line that every verifier prints: "bad INDEX FAULT".
func (f *Finding) Machine() string { return fmt.Sprintf("bad %d %s", f.Index, f.Fault) }

// noKeyError is for a call that trusts nothing.
type noKeyError struct{}

func (noKeyError) Error() string { return "verify evidence: no key given" }

// Hint says where the key is.
func (noKeyError) Hint() string {
	return "give the public log key with --key; it is in the binder, never take it from the folder that you verify"
}
