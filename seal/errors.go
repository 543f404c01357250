package seal

import "fmt"

// Reason is why something is refused. errors.Is(err, reason) finds it in an Error.
type Reason string

// Error returns the reason itself.
func (r Reason) Error() string { return string(r) }

// The reasons. None of them depends on a secret.
const (
	ReasonPlan     Reason = "this cannot be sealed so"
	ReasonForm     Reason = "this is no sealed file that can be read"
	ReasonDamaged  Reason = "the sealed file is damaged"
	ReasonNoShare  Reason = "this is no share"
	ReasonTyped    Reason = "a word is mistyped"
	ReasonAltered  Reason = "the share was altered"
	ReasonOtherSet Reason = "the share is of another set"
	ReasonVoid     Reason = "the share is of a set that is void"
	ReasonTwice    Reason = "the same share is given twice"
	ReasonTooFew   Reason = "too few holders are here"
	ReasonStranger Reason = "the key is of nobody who holds this"
	ReasonKey      Reason = "the key does not open what is encrypted to it"
	ReasonPayload  Reason = "what is inside is not what was sealed here"
)

// hints are what to do about each reason.
var hints = map[Reason]string{
	ReasonPlan:     "change the holders, the form or how many are needed, and ask anew",
	ReasonForm:     "give the file that halligan seal wrote, whole; compare its SHA-256 with the binder",
	ReasonDamaged:  "take another copy of the file, and compare its SHA-256 with the binder",
	ReasonNoShare:  "type the words of the page row by row, or the text under the QR code, which begins with " + sharePrefix,
	ReasonTyped:    "compare the row with the page, and type it again",
	ReasonAltered:  "compare it with the page, letter by letter; if it is as printed, somebody changed the page: take another holder's share",
	ReasonOtherSet: "take the page or the file of the same set; the set stands on both",
	ReasonVoid:     "take the share of the new set; destroy this one",
	ReasonTwice:    "give shares of different holders",
	ReasonTooFew:   "bring one more holder, with a key or the page",
	ReasonStranger: "give the key of one of the holders that are named",
	ReasonKey:      "the file may be damaged, or was replaced by whoever knows the public keys: take another copy and compare its SHA-256 with the binder",
	ReasonPayload:  "treat it as an incident: whoever knows the public keys can make such a file. Compare its SHA-256 with the binder, and take another copy",
}

// Error says what was refused, and why.
type Error struct {
	Reason Reason
	Detail string
	hint   string
}

func (e *Error) Error() string {
	if e.Detail == "" {
		return string(e.Reason)
	}
	return string(e.Reason) + ": " + e.Detail
}

// Is reports whether the target is the reason.
func (e *Error) Is(target error) bool { return target == e.Reason }

// Hint says what to do next.
func (e *Error) Hint() string {
	if e.hint != "" {
		return e.hint
	}
	return hints[e.Reason]
}

func refuse(r Reason, format string, args ...any) *Error {
	return &Error{Reason: r, Detail: fmt.Sprintf(format, args...)}
}
