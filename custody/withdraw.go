package custody

import (
	"time"

	"halligan/register"
)

// Withdraw says whether a signature takes a request back: it is by who asked, for
// this request by its hash, in time, and verifies by the key that the approved
// register has of them. Nobody else takes a request back: one person could hold up
// the others with it. A request that was used, or has ended, is not taken back.
func (r *Rules) Withdraw(p *Pending, a *Approval) (*Signed, error) {
	s, refusal := r.withdraw(p, a)
	if refusal != nil {
		refusal.doing = "take the request back"
		return nil, refusal
	}
	return s, nil
}

func (r *Rules) withdraw(p *Pending, a *Approval) (*Signed, *Refusal) {
	switch {
	case a == nil || a.Act != ActWithdraw:
		return nil, refuse(ReasonForm, "", "it takes nothing back")
	case r.Used != nil && r.Used(p.Request.Hash()) && r.has(DefenceOnce):
		return nil, refuse(ReasonUsed, "", "%s", p.Request.Hash())
	case p.Withdrawn && r.has(DefenceWithdrawn):
		return nil, refuse(ReasonWithdrawn, "", "%s", p.Request.Hash())
	case !r.Now.Before(p.Request.Expires) && r.has(DefenceExpiry):
		return nil, refuse(ReasonExpired, "", "at %s", p.Request.Expires.Format(time.RFC3339))
	case !register.SamePerson(a.Person, p.Request.By) && r.has(DefenceAsker):
		return nil, refuse(ReasonNotAsker, "", "%s asked, and %s would take it back", Visible(p.Request.By), Visible(a.Person))
	}
	s, _, refusal := r.signed(p, a)
	return s, refusal
}
