package custody

import (
	"encoding/json"
	"slices"

	"halligan/register"
)

// Handing is what the details of a request about custody say of people, beside
// what the verb needs.
type Handing struct {
	// Receivers are given what another held. Each signs for it, by approving the
	// request, where the approved register has a key of theirs.
	Receivers []string `json:"receivers,omitempty"`
	// Holders are said to hold what nobody was said to hold before.
	Holders []string `json:"holders,omitempty"`
}

// inCustody are the verbs whose details are read as a Handing.
var inCustody = map[Verb]bool{VerbCustody: true, VerbMove: true, VerbHandOver: true}

// Handing returns who is given something by a request; nobody for a verb that is
// not about custody.
func (r *Request) Handing() Handing {
	var h Handing
	if inCustody[r.What] && json.Unmarshal(r.Details, &h) != nil {
		return Handing{}
	}
	return h
}

func (r *Request) receives(name string) bool {
	return slices.ContainsFunc(r.Handing().Receivers, func(n string) bool { return register.SamePerson(n, name) })
}

// signsFor reports whether somebody is given something by a request, or said to hold it:
// their signature is the receipt, also without the right to approve.
func (r *Request) signsFor(name string) bool {
	return r.receives(name) || slices.ContainsFunc(r.Handing().Holders, func(n string) bool { return register.SamePerson(n, name) })
}

// receivers refuses a request by which somebody would give to themselves, under
// whatever name, and one that gives to nobody in the register.
func (r *Rules) receivers(req *Request) error {
	asking := r.asking(&Pending{Request: req})
	for _, name := range req.Handing().Receivers {
		person := r.Register.Person(name)
		if person == nil {
			return refuse(ReasonPerson, name, "the approved register has nobody of that name")
		}
		alone := r.Register.Or().Quorum.People == 1
		if own := register.SamePerson(asking.Name, name) && !alone; (own || r.distinct(asking, nil, person) != nil) && r.has(DefenceReceiver) {
			return refuse(ReasonReceiver, "", "%s asks, and %s would receive", Visible(req.By), Visible(name))
		}
	}
	return nil
}

// onlyReceipt: the signature of who receives or is to hold something and may not approve. It
// is a receipt, and no approval.
func (r *Rules) onlyReceipt(p *Pending, a *Approval) bool {
	return a != nil && p.Request.signsFor(a.Person) && !May(r.Register.Person(a.Person), VerbApprove)
}

// receipts sees who signed for what they receive.
func (r *Rules) receipts(p *Pending, d *Decision) {
	signed := func(name string) bool {
		if d.Asked != nil && register.SamePerson(p.Request.By, name) {
			return true
		}
		for _, a := range p.Approvals {
			if a == nil || a.Act != ActApprove || !register.SamePerson(a.Person, name) {
				continue
			}
			if _, _, refusal := r.signed(p, a); refusal == nil {
				return true
			} else if r.onlyReceipt(p, a) {
				d.Refused = append(d.Refused, refusal)
			}
		}
		return false
	}
	h, without := p.Request.Handing(), false
	for _, name := range h.Receivers {
		person := r.Register.Person(name)
		switch {
		case signed(name):
		case person != nil && (person.Signing != "" || person.Passkey.CredentialID != "") && r.has(DefenceReceipt):
			d.Unsigned = append(d.Unsigned, name)
			without = true
		default:
			without = true
		}
	}
	without = without || slices.ContainsFunc(h.Holders, func(name string) bool { return !signed(name) })
	if without {
		d.Marks = append(d.Marks, MarkNoReceipt)
	}
}

// Missing is how many more signatures it takes at least.
func (d *Decision) Missing() int { return max(d.Needed-len(d.Approved), len(d.Unsigned), 0) }
