package store

import (
	"fmt"
	"time"
)

// NewerError says that the store was written by a newer release.
type NewerError struct {
	Name       string
	Have, Know int64 // the format of the store; the newest that this program knows
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("open store %s: it has format %d and this program knows formats up to %d", e.Name, e.Have, e.Know)
}

// Hint says what to do next.
func (e *NewerError) Hint() string {
	return "use the release of halligan that wrote the store, or a newer one; an older one never touches it"
}

// OlderError says that a store that is only read has an old format.
type OlderError struct {
	Name       string
	Have, Know int64
}

func (e *OlderError) Error() string {
	return fmt.Sprintf("read store %s: it has format %d and this program reads format %d", e.Name, e.Have, e.Know)
}

// Hint says what to do next.
func (e *OlderError) Hint() string {
	return "of a backup: halligan store restore makes a store of the newest format from it. Of the store itself: make a backup with the old release, then run a command that writes with this one, for example halligan check --record"
}

// OwnedError says that another process owns the store.
type OwnedError struct {
	Name  string
	PID   int
	Host  string
	Since time.Time // zero when the owner could not be read
	Hangs bool      // it serves the store and does not answer
}

func (e *OwnedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("open store %s: another process owns it and does not say which", e.Name)
	}
	text := fmt.Sprintf("open store %s: process %d on %s owns it since %s", e.Name, e.PID, e.Host, e.Since.UTC().Format(time.RFC3339))
	if e.Hangs {
		text += " and does not answer"
	}
	return text
}

// Hint says what to do next.
func (e *OwnedError) Hint() string {
	if e.PID == 0 {
		return "wait until the other halligan command ends, or send this command to halligan serve on that host"
	}
	if e.Hangs {
		return fmt.Sprintf("end it on %s (kill %d), or let it go on if it was stopped (kill -CONT %d); then give the command again", e.Host, e.PID, e.PID)
	}
	return fmt.Sprintf("send this command to the halligan that runs on %s, or end it there (kill %d); a process that hangs keeps the store until it is ended", e.Host, e.PID)
}

// ReaderError says that somebody reads the store for so long that its new owner
// cannot make it sound after a crash.
type ReaderError struct{ Name string }

func (e *ReaderError) Error() string {
	return fmt.Sprintf("open store %s: it has to be tidied up after a crash, and another process is reading it", e.Name)
}

// Hint says what to do next.
func (e *ReaderError) Hint() string {
	return "wait until the backup, export or check that reads it has ended, or end it; then try again"
}

// FencedError says that a newer owner has taken the store over while this
// process could not be seen.
type FencedError struct {
	Name         string
	Ours, Newest int64
}

func (e *FencedError) Error() string {
	return fmt.Sprintf("write to store %s: a newer owner took it over (owner number %d, ours is %d)", e.Name, e.Newest, e.Ours)
}

// Hint says what to do next.
func (e *FencedError) Hint() string {
	return "end this process: it lost the database for a while and another one writes now. Nothing of it was written since"
}

// PoisonedError says that a write or a flush failed, and that nothing more is
// written until the store is opened anew.
type PoisonedError struct {
	Name string
	Why  error
	// InDoubt says that the entries of the failed append may stand in the log all
	// the same: the failure came while they were made durable.
	InDoubt bool
}

func (e *PoisonedError) Error() string {
	doubt := ""
	if e.InDoubt {
		doubt = "; its last entries may or may not be written"
	}
	return fmt.Sprintf("write to store %s: refused since a write failed (%v)%s", e.Name, e.Why, doubt)
}

// Hint says what to do next.
func (e *PoisonedError) Hint() string {
	return "look at the disk (full? errors?) or the database server; then run halligan store check and start again. Nothing that was acknowledged is lost"
}

// ForeignError says that the database is not a store of this program.
type ForeignError struct{ Name, Why string }

func (e *ForeignError) Error() string {
	return fmt.Sprintf("open store %s: %s", e.Name, e.Why)
}

// Hint says what to do next.
func (e *ForeignError) Hint() string {
	return "check the path or the address: this is not the store of halligan. Nothing was changed in it"
}

// DamagedError says that the store contradicts itself.
type DamagedError struct{ Name, Why string }

func (e *DamagedError) Error() string {
	return fmt.Sprintf("open store %s: %s", e.Name, e.Why)
}

// Hint says what to do next.
func (e *DamagedError) Hint() string {
	return "keep the damaged files as they are; run halligan store check to see what is wrong, and halligan store restore with the newest backup into another place"
}

// ForkError says that the witness place knows another log than this one: a
// restored copy and its original both ran, or somebody replaced the log by an
// older or another one. It ends the trust in this store, not only the call.
type ForkError struct {
	Name, Witness string
	Size          uint64 // of this log
	Known         uint64 // of the log that the witness knows
	RolledBack    bool   // the witness knows more entries than there are here
}

func (e *ForkError) Error() string {
	if e.RolledBack {
		return fmt.Sprintf("write to store %s: the witness place %s knows %d entries and here are %d: entries were lost or removed", e.Name, e.Witness, e.Known, e.Size)
	}
	return fmt.Sprintf("write to store %s: the witness place %s knows another log of %d entries: the log was forked", e.Name, e.Witness, e.Known)
}

// Hint says what to do next.
func (e *ForkError) Hint() string {
	if e.RolledBack {
		return "stop; find out where the newer log is. Was this an old copy? Then use the original. Is the original gone for good? Then restore the backup again and say so (halligan store restore --original-gone)"
	}
	return "stop both; keep both files; compare them (halligan evidence verify with the checkpoints of each) and let two people decide which one goes on"
}

// Security says that this is a finding about trust, not a fault of the system.
func (e *ForkError) Security() bool { return true }

// OtherWitnessError says that a store has another witness place than the one that
// was given: to leave a witness out must not silence it.
type OtherWitnessError struct{ Name, Known, Given string }

func (e *OtherWitnessError) Error() string {
	return fmt.Sprintf("open store %s: its witness place is %s, and %s was given", e.Name, e.Known, e.Given)
}

// Hint says what to do next.
func (e *OtherWitnessError) Hint() string {
	return "leave --witness out, and have evidence: witness: in halligan.yaml say " + e.Known + "; to give the store another place: halligan store witness FOLDER --why TEXT"
}

// WitnessError says that the witness place cannot be used or was tampered with.
type WitnessError struct {
	Place string
	Why   error
	// Written says that the entries are in the log all the same.
	Written bool
	// Unasked says that the place could not be reached, so that nothing is known
	// about it.
	Unasked bool
}

func (e *WitnessError) Error() string {
	if e.Written {
		return fmt.Sprintf("tell the witness place %s: %v; the entries are written", e.Place, e.Why)
	}
	return fmt.Sprintf("ask the witness place %s: %v", e.Place, e.Why)
}

// Hint says what to do next.
func (e *WitnessError) Hint() string {
	return "make the folder reachable and writable again, with the file it held before; without it a forked log cannot be found. Is it lost for good? halligan store witness FOLDER --old-gone --why TEXT gives the store another"
}

// Unwrap gives the cause, for errors.Is with those of io/fs.
func (e *WitnessError) Unwrap() error { return e.Why }

// KeyError says that checkpoints of this log are signed by another key.
type KeyError struct{ Name, Given string }

func (e *KeyError) Error() string {
	return fmt.Sprintf("write to store %s: the log key %s did not sign its newest checkpoint", e.Name, e.Given)
}

// Hint says what to do next.
func (e *KeyError) Hint() string {
	return "use the log key that belongs to this store; a new key is brought in by two people: halligan request log-key, or halligan request log-key-lost"
}
