package posture

import (
	"time"

	"halligan/custody"
	"halligan/entra"
	"halligan/register"
)

// Records are what people and the product did, as plain values. A list that is
// nil means that the capability was never set up; one that is empty, that it was
// and nothing has happened yet.
type Records struct {
	// Drills are finished drills, in any order.
	Drills []Drill
	// AlertTests are tests of alert channels.
	AlertTests []AlertTest
	// Watch is the state of the watcher; nil: nothing watches.
	Watch *Watch
	// Seals are verifications of seals.
	Seals []SealCheck
	// Windows are declared windows: enrolments, drills, emergencies.
	Windows []Window
	// Uses are uses of an account outside drills, from the release on.
	Uses []Use
	// RunbookReviewed and BinderPrinted are the last days; zero never.
	RunbookReviewed time.Time
	BinderPrinted   time.Time
	// BinderDigest is the digest of the register (register.Digest) that the binder
	// was printed of; "" not known.
	BinderDigest string
	// RegisterChanged is when the register last changed; zero not known.
	RegisterChanged time.Time
	// Changes are events that ask for an extra drill: staff, subscription,
	// policy, method or key changes.
	Changes []ChangeEvent
	// Knew are those who could open a place and should not any more.
	Knew []Knower
	// Found are parts with which something was found wrong that is still open.
	Found []PartFound
	// Sets are the sealed sets of which the evidence says who opens them.
	Sets []custody.SealedSet
	// Unread is why the evidence, from which all that is about custody is known, could
	// not be read, or was not found where it must be; "" it was read, or there is none.
	Unread string
	// Disagreements are policies of which Microsoft's own evaluation says something
	// else than the proof (check --cross-check).
	Disagreements []Disagreement
}

// Disagreement is one policy at one sign-in on which Microsoft's evaluation and
// the proof differ.
type Disagreement struct {
	Account, Policy entra.ID
	Name            string
	Says            string
}

// Drill is one account and key that were proved by a sign-in.
type Drill struct {
	Account entra.ID
	// Key is Graph's id of the method, or its label in the register.
	Key string
	At  time.Time
	// People are the two or more who carried it out.
	People []string
	// Scenario that was exercised: idpDown, mfaDown, phonesDown, keyPersonGone;
	// "" the plain sign-in.
	Scenario string
	OK       bool
	// AlertAt and AcknowledgedAt are zero when no alert or acknowledgement came.
	AlertAt        time.Time
	AcknowledgedAt time.Time
	// AdminTask: a harmless administrative action was done, and logged.
	AdminTask bool
	// Rotated, TAPRemoved, SessionsRevoked, Resealed: what was finished after.
	Rotated, TAPRemoved, SessionsRevoked, Resealed bool
}

// AlertTest is one alert sent through a channel on purpose.
type AlertTest struct {
	Channel      string
	At           time.Time
	DeliveredAt  time.Time // zero never
	Acknowledged bool
}

// Watch is what the watcher says of itself.
type Watch struct {
	// Last is the last complete poll; Gap the longest interval without one.
	Last time.Time
	Gap  time.Duration
	// SignIns are the kinds of sign-in that raise an alert: interactive,
	// nonInteractive, failed. Objects are the kinds of change that do: user,
	// password, methods, tap, roles, groups, units, policies, and sessions for a
	// drift of signInSessionsValidFromDateTime.
	SignIns []string
	Objects []string
	// Accounts that are watched.
	Accounts []entra.ID
	// ReevaluateMinutes is within how many minutes a changed policy is judged
	// anew; 0 never.
	ReevaluateMinutes int
	// RetentionDays is how long own copies of log records are kept; 0 none.
	RetentionDays int
	// DeadMan: a dead watcher pages.
	DeadMan bool
}

// SealCheck is one verification of a seal.
type SealCheck struct {
	Seal   string
	At     time.Time
	Intact bool
	// Release is the id of the release that broke it; "" none.
	Release string
}

// PartFound is what was found wrong with a part, and not cleared up since.
type PartFound struct {
	Part string // name, as register.PartNames has it
	What string
	At   time.Time
	// Missing: it was not where it is recorded.
	Missing bool
}

// about is what was found wrong with a part; nil nothing.
func (r *Records) about(part string) *PartFound {
	for i := range r.Found {
		if register.NameKey(r.Found[i].Part) == register.NameKey(part) {
			return &r.Found[i]
		}
	}
	return nil
}

// Window is a declared time in which something unusual is expected.
type Window struct {
	Account  entra.ID
	Kind     string // enrolment, drill, emergency
	From, To time.Time
}

// covers reports whether a time lies in the window. One without a beginning covers
// nothing, else it would explain all that ever was.
func (w Window) covers(at time.Time) bool {
	return !w.From.IsZero() && !at.Before(w.From) && at.Before(w.To)
}

// Use is one use of an account.
type Use struct {
	Account entra.ID
	At      time.Time
	Closed  bool
}

// ChangeEvent is an event that asks for an extra drill.
type ChangeEvent struct {
	Kind string // staff, subscription, policy, method, key
	What string
	At   time.Time
}
