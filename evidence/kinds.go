package evidence

import "slices"

// Kind says what an entry is about. A kind that is not in Kinds is read and
// shown, because a newer Halligan may have written it, but never written.
type Kind string

// The kinds that this version writes.
const (
	KindLogBegun     Kind = "log-begun"
	KindLogKey       Kind = "log-key"
	KindLogKeyLost   Kind = "log-key-lost"
	KindCheckpoint   Kind = "checkpoint-given"
	KindRestored     Kind = "restored"
	KindSideLog      Kind = "side-log"
	KindRegister     Kind = "register"
	KindRequest      Kind = "request"
	KindApproval     Kind = "approval"
	KindWithdrawal   Kind = "withdrawal"
	KindRefusal      Kind = "refusal"
	KindIntent       Kind = "intent"
	KindOutcome      Kind = "outcome"
	KindCheck        Kind = "check"
	KindProve        Kind = "prove"
	KindAttest       Kind = "attest"
	KindAcceptedRisk Kind = "accepted-risk"
	KindOpened       Kind = "opened"
	KindAnnounced    Kind = "announced"
	KindNote         Kind = "note"

	// What is held where.
	KindCustody         Kind = "custody"
	KindCustodyVerified Kind = "custody-verified"
	KindBinderPrinted   Kind = "binder-printed"
	KindSurvive         Kind = "survive"
)

// KindInfo describes a kind for people.
type KindInfo struct {
	Kind Kind
	Doc  string
}

// Kinds is the table of the kinds that may be written.
var Kinds = []KindInfo{
	{KindLogBegun, "the log begins, with the key that signs it; entry 0 and no other"},
	{KindLogKey, "a new key signs the log from here on; the old one agrees"},
	{KindLogKeyLost, "the key of the log is lost; a new one signs from here on"},
	{KindCheckpoint, "a checkpoint left the machine: where it went"},
	{KindRestored, "the store was restored from a backup of the named size and root"},
	{KindSideLog, "what was written while the store could not be reached, merged later"},
	{KindRegister, "the deciding part of the register has this digest from here on"},
	{KindRequest, "somebody asks for something that needs others to agree"},
	{KindApproval, "somebody agrees to a request"},
	{KindWithdrawal, "who asked takes a request back: nothing is done by it any more"},
	{KindRefusal, "something was refused, and why"},
	{KindIntent, "something is about to be done"},
	{KindOutcome, "what became of an intent"},
	{KindCheck, "the checks were run, with this result"},
	{KindProve, "a way in was proved or found wanting"},
	{KindAttest, "somebody states that something is so"},
	{KindAcceptedRisk, "a risk was accepted, by whom and until when"},
	{KindOpened, "a sealed credential was opened: which set, by whom, and who signed that"},
	{KindAnnounced, "who was told of an opening at once, when and with what answer, and who could not be told"},
	{KindNote, "a remark"},
	{KindCustody, "the custody part of the register, who holds what where, has this digest from here on"},
	{KindCustodyVerified, "somebody went there and looked at a part: its seal, its place, a printed binder"},
	{KindBinderPrinted, "the binder was printed, with this version and digest of the register"},
	{KindSurvive, "what survives which loss, and who could open an account, was worked out, with this result"},
}

// Known reports whether this version may write entries of the kind.
func (k Kind) Known() bool {
	return slices.ContainsFunc(Kinds, func(i KindInfo) bool { return i.Kind == k })
}

// spelled reports whether the kind has the form of one: lower-case words joined
// by hyphens, at most 40 characters.
func (k Kind) spelled() bool {
	if len(k) == 0 || len(k) > 40 || k[0] == '-' || k[len(k)-1] == '-' {
		return false
	}
	for i := range len(k) {
		if c := k[i]; c != '-' && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}
