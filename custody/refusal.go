package custody

import (
	"fmt"
	"strings"
)

// Reason is why a request or an approval is refused. errors.Is(err, reason) finds
// it in a Refusal and in what the Refusal rests on.
type Reason string

// Error returns the reason itself.
func (r Reason) Error() string { return string(r) }

// The reasons.
const (
	ReasonForm         Reason = "the form is wrong"
	ReasonVerb         Reason = "nobody may do this"
	ReasonTenant       Reason = "it is for another tenant"
	ReasonStore        Reason = "it is for another store"
	ReasonRegister     Reason = "the register is not the one that was approved"
	ReasonNotBegun     Reason = "nothing was approved in this log yet"
	ReasonBegun        Reason = "this log has begun with an approved register already"
	ReasonExpired      Reason = "the request has expired"
	ReasonUsed         Reason = "the request was used already"
	ReasonHidden       Reason = "the request has letters that cannot be seen"
	ReasonAlike        Reason = "the request has words that look like others"
	ReasonMayNotAsk    Reason = "who asks may not"
	ReasonUnsigned     Reason = "who asks did not sign"
	ReasonOther        Reason = "the approval is for another request"
	ReasonPerson       Reason = "the person is not in the register"
	ReasonOwn          Reason = "nobody approves what they asked for"
	ReasonRight        Reason = "the person may not approve"
	ReasonUnknownRules Reason = "the person saw a register that was never approved"
	ReasonEarly        Reason = "the approval is older than the request"
	ReasonFuture       Reason = "the approval is from the future"
	ReasonLate         Reason = "the approval came after the request had expired"
	ReasonKey          Reason = "the key is not the person's in the register"
	ReasonNamespace    Reason = "the signature is for something else"
	ReasonSignature    Reason = "the signature does not verify"
	ReasonPresence     Reason = "nobody touched the security key"
	ReasonVerified     Reason = "the passkey did not verify the person"
	ReasonTwice        Reason = "one person approves once"
	ReasonSameKey      Reason = "two names, one key"
	ReasonSameID       Reason = "two names, one account in the directory"
	ReasonSamePasskey  Reason = "two names, one passkey"
	ReasonLine         Reason = "the people are of one line of managers"
	ReasonTooFew       Reason = "too few people approved"
	ReasonReceiver     Reason = "who asks for a hand-over does not receive"
	ReasonReceipt      Reason = "who receives has not signed for it"
	ReasonWithdrawn    Reason = "the request was taken back by who asked"
	ReasonNotAsker     Reason = "only who asked takes a request back"
	ReasonUntold       Reason = "the request does not tell what it would bring about"
)

// hints are what to do about each reason.
var hints = map[Reason]string{
	ReasonForm:         "have it written by halligan, and pass it on whole",
	ReasonVerb:         "update halligan, or ask for one of the verbs of the table of rights",
	ReasonTenant:       "ask anew while you are signed in to the tenant that is meant",
	ReasonStore:        "ask anew where the evidence of this tenant is kept",
	ReasonRegister:     "compare halligan.yaml with the approved one; undo the change, or ask for its approval: halligan request list",
	ReasonNotBegun:     "have the register approved first: halligan request begin",
	ReasonBegun:        "ask for the change instead: halligan request register",
	ReasonExpired:      "ask anew",
	ReasonUsed:         "each use needs a request of its own: ask anew. If nobody of you used it, treat it as an incident",
	ReasonHidden:       "do not approve it. Ask who made it; it may be meant to look like another",
	ReasonAlike:        "do not approve it. Compare the name letter by letter with the register",
	ReasonMayNotAsk:    "have somebody ask who has the role for it, or have the role approved: halligan person list",
	ReasonUnsigned:     "who asks signs the request, or two others approve it: otherwise one person could ask in another's name",
	ReasonOther:        "sign the text of this request: halligan approve",
	ReasonPerson:       "an approval counts for people of the approved register as it is now: halligan person list",
	ReasonOwn:          "have somebody else approve it",
	ReasonRight:        "have somebody approve who has the role approver: halligan person list",
	ReasonUnknownRules: "bring halligan.yaml back to what was approved, or have the change of it approved first (halligan request register); then sign anew",
	ReasonEarly:        "approve it again. If your clock is right, somebody prepared this approval before the request: treat it as an incident",
	ReasonFuture:       "set the clocks right, and approve it again",
	ReasonLate:         "ask anew",
	ReasonKey:          "sign with the key that stands in the register, or have the new key approved first",
	ReasonNamespace:    "sign with ssh-keygen -Y sign -n " + Namespace,
	ReasonSignature:    "sign exactly the text that halligan approve shows, and pass the signature on whole",
	ReasonPresence:     "make a key that wants to be touched (ssh-keygen -t ed25519-sk, without -O no-touch-required)",
	ReasonVerified:     "unlock the passkey with its PIN or a finger when you approve",
	ReasonTwice:        "have another person approve",
	ReasonSameKey:      "give each person a key of their own. If nobody knows why two names have one, treat it as an incident",
	ReasonSameID:       "one person stands once in the register: remove the second entry, and ask who made it",
	ReasonSamePasskey:  "give each person a passkey of their own. If nobody knows why two names have one, treat it as an incident",
	ReasonLine:         "have somebody approve who is neither above nor below who asked: quorum.lines is distinct",
	ReasonTooFew:       "have more people approve it: halligan approve",
	ReasonReceiver:     "have whoever gives it away ask, or a third person",
	ReasonWithdrawn:    "ask anew, where it is wanted after all: halligan request",
	ReasonNotAsker:     "do not approve it, and tell the others; it ends by itself. Who asked can take it back: halligan request withdraw",
	ReasonUntold:       "do not approve it, and ask who made it: it may be meant to look like another. What is meant honestly is asked for anew",
	ReasonReceipt:      "whoever receives a part signs for it with their own key, by halligan approve; nobody can do that for them",
}

// Refusal says why something is refused.
type Refusal struct {
	Reason Reason
	// Who it is about, by name; empty for the request.
	Who string
	// Detail says more; it is safe to show.
	Detail string
	// Causes are the approvals that were refused, where too few were left.
	Causes []*Refusal

	doing string // what was attempted, where that is not using a request
}

// Error returns what was refused and why.
func (r *Refusal) Error() string {
	what := "use the request"
	if r.Reason == ReasonReceipt {
		return "hand over to " + Visible(r.Who) + ": " + string(r.Reason)
	}
	if r.Who != "" {
		what = "count the approval of " + Visible(r.Who)
	}
	if r.doing != "" {
		what = r.doing
	}
	return what + ": " + r.Why()
}

// Why returns the reason alone, without what was refused.
func (r *Refusal) Why() string {
	text := string(r.Reason)
	if r.Detail != "" {
		text += " (" + r.Detail + ")"
	}
	for _, c := range r.Causes {
		text += "; " + c.Error()
	}
	return text
}

// Hint returns what to do about it, and about what it rests on.
func (r *Refusal) Hint() string {
	lines := []string{hints[r.Reason]}
	for _, c := range r.Causes {
		if h := c.Hint(); h != lines[0] {
			lines = append(lines, h)
		}
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the reason and what the refusal rests on; callers may rely on it.
func (r *Refusal) Unwrap() []error {
	out := []error{r.Reason}
	for _, c := range r.Causes {
		out = append(out, c)
	}
	return out
}

func refuse(reason Reason, who, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Who: who, Detail: fmt.Sprintf(format, args...)}
}

// Defence names one thing that is demanded of a request or an approval.
type Defence string

// The defences. Rules without any in Without have them all.
const (
	DefenceTenant      Defence = "a request is for this tenant"
	DefenceStore       Defence = "a request is for this store"
	DefenceRegister    Defence = "the register's deciding part was approved"
	DefenceExpiry      Defence = "a request ends"
	DefenceOnce        Defence = "a request is used once"
	DefenceHidden      Defence = "everything in a request can be seen"
	DefenceAlike       Defence = "names in a request are what they look like"
	DefenceAsk         Defence = "who asks has the right"
	DefenceSigned      Defence = "who asks is known, or two others approve"
	DefenceHash        Defence = "an approval is for the request, by its hash"
	DefencePerson      Defence = "an approver is in the register now"
	DefenceRequester   Defence = "nobody approves what they asked for"
	DefenceRight       Defence = "an approver has the right"
	DefenceKnown       Defence = "an approver saw approved rules"
	DefenceOrder       Defence = "an approval is not older than its request"
	DefenceFuture      Defence = "an approval is not from the future"
	DefenceLate        Defence = "an approval came in time"
	DefenceKey         Defence = "the key is the one in the register"
	DefenceNamespace   Defence = "a signature is for approvals"
	DefenceSignature   Defence = "a signature verifies"
	DefenceVerified    Defence = "a passkey verifies its owner"
	DefencePeople      Defence = "one person counts once"
	DefenceKeys        Defence = "one key counts once"
	DefenceIDs         Defence = "one directory account counts once"
	DefenceCredentials Defence = "one passkey counts once"
	DefenceLines       Defence = "people of one line do not decide together, where the register says so"
	DefenceCount       Defence = "the number of approvals is reached"
	DefenceReceiver    Defence = "who asks does not receive"
	DefenceReceipt     Defence = "who receives signs for it"
	DefenceWithdrawn   Defence = "what was taken back is not used"
	DefenceAsker       Defence = "who asked takes a request back, and nobody else"
	DefenceTold        Defence = "a request tells what it would bring about" // judged where it is carried out
)
