package custody

import (
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"halligan/entra"
	"halligan/register"
)

// Rules are what a request is judged by: the register as it stands, what the log
// knows, and the time.
type Rules struct {
	// Register is judged by. Its deciding part must be the approved one; a change
	// of it is judged by the old one (register.FromDeciding).
	Register *register.Register
	// Approved is the digest of the deciding part that was approved last; empty
	// before the first approval, when only VerbBegin is heard.
	Approved string
	// Former are digests that were approved before.
	Former map[string]bool
	Tenant entra.ID
	Store  string
	Now    time.Time
	// Used reports whether a request was used, by its hash.
	Used func(hash string) bool
	// Counters are the last sign counters, by Signed.Key.
	Counters map[string]uint32
	// Without switches defences off. It is for tests, which show by it that each
	// one is needed.
	Without map[Defence]bool
}

// Pending is a request with what came in for it.
type Pending struct {
	Request *Request
	// Recorded is when the log took the request in: no approval is older.
	Recorded time.Time
	// Asked is the signature of who asks; nil when there is none.
	Asked     *Approval
	Approvals []*Approval
	// Withdrawn: who asked took it back (Rules.Withdraw), and it is not used any more.
	Withdrawn bool
}

// Decision is what came together.
type Decision struct {
	Hash string
	// Needed is how many approvals by others it takes.
	Needed   int
	Asked    *Signed // nil when who asks did not sign
	Approved []*Signed
	// Refused are approvals that do not count.
	Refused []*Refusal
	// Unsigned are people who receive something, have a key, and have not signed
	// for it yet: the request waits for each of them.
	Unsigned []string
	// Marks go into evidence: "one person", "unsigned claim", "no receipt".
	Marks []string
	// Warnings are for people to know.
	Warnings []string
}

// The marks.
const (
	MarkOnePerson = "one person"
	MarkUnsigned  = "unsigned claim"
	MarkNoReceipt = "no receipt" // somebody was given something, and did not sign for it
)

// clockSlack is how far the clock of who signs may be ahead.
const clockSlack = 5 * time.Minute

func (r *Rules) has(d Defence) bool { return !r.Without[d] }

// Decide says whether a request may be used now. The error is a *Refusal; the
// Decision tells what came together in either case, as far as it was looked at.
func (r *Rules) Decide(p *Pending) (*Decision, error) {
	d := &Decision{Hash: p.Request.Hash()}
	if err := r.CheckPending(p); err != nil {
		return d, err
	}
	right := RightOf(p.Request.What)
	one := r.Register.Or().Quorum.People == 1
	d.Needed = right.Needed(r.Register.Or().Quorum)
	if err := r.asked(p, d); err != nil {
		return d, err
	}
	if d.Needed > 0 && d.Asked == nil && !one && r.has(DefenceSigned) {
		d.Needed = max(d.Needed, 2)
	}
	who := r.asking(p)
	counted := []*register.Person{}
	for _, a := range p.Approvals {
		if r.onlyReceipt(p, a) {
			continue // receipts looks at it
		}
		s, person, refusal := r.admit(p, a)
		if refusal == nil {
			refusal = r.distinct(who, counted, person)
		}
		line := ""
		if refusal == nil {
			line, refusal = r.line(who, counted, person)
		}
		if refusal != nil {
			d.Refused = append(d.Refused, refusal)
			continue
		}
		counted = append(counted, person)
		d.Approved = append(d.Approved, s)
		d.Warnings = append(d.Warnings, s.Notes...)
		if line != "" {
			d.Warnings = append(d.Warnings, line)
		}
	}
	if d.Needed > 0 && one {
		d.Marks = append(d.Marks, MarkOnePerson)
	}
	r.receipts(p, d)
	if len(d.Approved) < d.Needed && r.has(DefenceCount) || len(d.Unsigned) > 0 {
		refusal := refuse(ReasonTooFew, "", "%d of %d", len(d.Approved), d.Needed)
		for _, name := range d.Unsigned {
			refusal.Causes = append(refusal.Causes, &Refusal{Reason: ReasonReceipt, Who: name})
		}
		if d.Needed > right.Needed(r.Register.Or().Quorum) {
			refusal.Causes = append(refusal.Causes, refuse(ReasonUnsigned, "", "%s", Visible(p.Request.By)))
		}
		refusal.Causes = append(refusal.Causes, d.Refused...)
		return d, refusal
	}
	return d, nil
}

// CheckRequest says whether a request can be taken in, before anybody approves:
// right, register, tenant, time, and that it is what it looks like.
func (r *Rules) CheckRequest(req *Request) error {
	if err := req.form(); err != nil {
		return err
	}
	_, digest := r.Register.Deciding()
	right := RightOf(req.What)
	switch {
	case right == nil:
		return refuse(ReasonVerb, "", "%s", Visible(string(req.What)))
	case r.Used != nil && r.Used(req.Hash()) && r.has(DefenceOnce): // before all that has changed since
		return refuse(ReasonUsed, "", "%s", req.Hash())
	case r.Approved == "" && req.What != VerbBegin && r.has(DefenceRegister):
		return refuse(ReasonNotBegun, "", "")
	case r.Approved != "" && req.What == VerbBegin && r.has(DefenceRegister):
		return refuse(ReasonBegun, "", "")
	case !r.registerApproved(req, digest) && r.has(DefenceRegister):
		return refuse(ReasonRegister, "", "halligan.yaml has %s", digest)
	case !req.Tenant.Equal(r.Tenant) && r.has(DefenceTenant):
		return refuse(ReasonTenant, "", "%s", req.Tenant.Key())
	case req.Store != r.Store && r.has(DefenceStore):
		return refuse(ReasonStore, "", "%s", req.Store)
	case !r.Now.Before(req.Expires) && r.has(DefenceExpiry):
		return refuse(ReasonExpired, "", "at %s", req.Expires.Format(time.RFC3339))
	case req.Made.After(r.Now.Add(clockSlack)) && r.has(DefenceFuture):
		return refuse(ReasonFuture, "", "made at %s", req.Made.Format(time.RFC3339))
	}
	for _, t := range req.texts() {
		if odd := Hidden(t.text); len(odd) > 0 && r.has(DefenceHidden) {
			return refuse(ReasonHidden, "", "%s: %s", t.key, odd[0])
		}
		if odd := Alike(t.text); len(odd) > 0 && t.name && r.has(DefenceAlike) {
			return refuse(ReasonAlike, "", "%s: %s", t.key, odd[0])
		}
	}
	by := r.Register.Person(req.By)
	if r.has(DefenceAsk) && (by == nil || !May(by, VerbAsk) || !May(by, req.What)) {
		return refuse(ReasonMayNotAsk, "", "%s may not ask for %s", Visible(req.By), req.What)
	}
	return r.receivers(req)
}

// CheckPending is CheckRequest for a request of the log, which says whether it was
// taken back.
func (r *Rules) CheckPending(p *Pending) error {
	used := r.Used != nil && r.Used(p.Request.Hash())
	if p.Withdrawn && !used && r.has(DefenceWithdrawn) {
		return refuse(ReasonWithdrawn, "", "%s", p.Request.Hash())
	}
	return r.CheckRequest(p.Request)
}

// registerApproved: what is judged by was approved, and so was what the request
// was made under. Before the first approval both are the register itself.
func (r *Rules) registerApproved(req *Request, digest string) bool {
	if r.Approved == "" {
		return req.What == VerbBegin && req.Register == digest && digest != ""
	}
	return digest == r.Approved && req.What != VerbBegin && r.approvedOnce(req.Register)
}

func (r *Rules) approvedOnce(digest string) bool {
	return digest == r.Approved || r.Former[digest]
}

// asked verifies the signature of who asks. One that does not verify is worse
// than none: somebody asks in another's name.
func (r *Rules) asked(p *Pending, d *Decision) error {
	if p.Asked == nil {
		d.Marks = append(d.Marks, MarkUnsigned)
		return nil
	}
	if p.Asked.Act != ActRequest || !register.SamePerson(p.Asked.Person, p.Request.By) {
		return refuse(ReasonUnsigned, p.Asked.Person, "the signature is not of who asks")
	}
	s, _, refusal := r.signed(p, p.Asked)
	if refusal != nil {
		return refusal
	}
	d.Asked = s
	d.Warnings = append(d.Warnings, s.Notes...)
	return nil
}

// asking is the person who asks, as the register has them.
func (r *Rules) asking(p *Pending) *register.Person {
	if by := r.Register.Person(p.Request.By); by != nil {
		return by
	}
	return &register.Person{Name: p.Request.By}
}

// Admit says whether one approval counts, by itself: it is for CheckRequest's
// request, in time, by a person who may, and the signature verifies. Whether
// enough distinct people approved is for Decide.
func (r *Rules) Admit(p *Pending, a *Approval) (*Signed, error) {
	if err := r.CheckPending(p); err != nil {
		return nil, err
	}
	s, person, refusal := r.admit(p, a)
	if refusal == nil {
		refusal = r.distinct(r.asking(p), nil, person)
	}
	if refusal == nil {
		var line string
		if line, refusal = r.line(r.asking(p), nil, person); line != "" {
			s.Notes = append(s.Notes, line)
		}
	}
	if refusal != nil {
		return nil, refusal
	}
	return s, nil
}

func (r *Rules) admit(p *Pending, a *Approval) (*Signed, *register.Person, *Refusal) {
	if a == nil || a.Act != ActApprove {
		who := ""
		if a != nil {
			who = a.Person
		}
		return nil, nil, refuse(ReasonForm, who, "it is no approval")
	}
	s, person, refusal := r.signed(p, a)
	if refusal == nil && !May(person, VerbApprove) && !p.Request.signsFor(person.Name) && r.has(DefenceRight) {
		refusal = refuse(ReasonRight, a.Person, "no role allows it")
	}
	return s, person, refusal
}

// signed checks everything about a signature but who else signed.
func (r *Rules) signed(p *Pending, a *Approval) (*Signed, *register.Person, *Refusal) {
	if refusal := a.form(); refusal != nil {
		return nil, nil, refusal
	}
	person := r.Register.Person(a.Person)
	if person == nil && !r.has(DefencePerson) {
		person = r.stranger(a)
	}
	from := p.Request.Made
	if recorded := p.Recorded.UTC().Truncate(time.Second); recorded.After(from) && a.Act == ActApprove {
		from = recorded
	}
	var refusal *Refusal
	switch {
	case a.Request != p.Request.Hash() && r.has(DefenceHash):
		refusal = refuse(ReasonOther, a.Person, "%s", a.Request)
	case person == nil:
		refusal = refuse(ReasonPerson, a.Person, "the approved register has nobody of that name")
	case r.Approved != "" && !r.approvedOnce(a.Register) && r.has(DefenceKnown), r.Approved == "" && a.Register != p.Request.Register && r.has(DefenceKnown):
		refusal = refuse(ReasonUnknownRules, a.Person, "%s", a.Register)
	case a.Time.Before(from) && r.has(DefenceOrder):
		refusal = refuse(ReasonEarly, a.Person, "signed at %s, asked at %s", a.Time.Format(time.RFC3339), from.Format(time.RFC3339))
	case a.Time.After(r.Now.Add(clockSlack)) && r.has(DefenceFuture):
		refusal = refuse(ReasonFuture, a.Person, "signed at %s", a.Time.Format(time.RFC3339))
	case !a.Time.Before(p.Request.Expires) && r.has(DefenceLate):
		refusal = refuse(ReasonLate, a.Person, "signed at %s", a.Time.Format(time.RFC3339))
	}
	if refusal != nil {
		return nil, nil, refusal
	}
	s, refusal := r.verify(p.Request, a, person)
	return s, person, refusal
}

// stranger is what a careless program would take for a person: whoever the
// approval names, with the key of the signature.
func (r *Rules) stranger(a *Approval) *register.Person {
	p := &register.Person{Name: a.Person, Roles: []register.Role{register.RoleApprover}}
	if s, err := ParseSSHSignature(a.Signature); err == nil {
		p.Signing = s.PublicKey.Type() + " " + base64.StdEncoding.EncodeToString(s.PublicKey.Marshal())
	}
	return p
}

// distinct refuses who is the same as somebody who signed before, under whatever
// name. Who asks is one of them, unless there is only one person.
func (r *Rules) distinct(asking *register.Person, before []*register.Person, p *register.Person) *Refusal {
	if r.Register.Or().Quorum.People == 1 && register.SamePerson(asking.Name, p.Name) {
		asking = nil
	}
	if asking != nil {
		if register.SamePerson(asking.Name, p.Name) && r.has(DefenceRequester) {
			return refuse(ReasonOwn, p.Name, "asked by %s", Visible(asking.Name))
		}
		if !register.SamePerson(asking.Name, p.Name) {
			before = append(slices.Clone(before), asking)
		}
	}
	key, _ := register.ParseSigningKey(p.Signing)
	for _, other := range before {
		otherKey, _ := register.ParseSigningKey(other.Signing)
		with := fmt.Sprintf("%s and %s", Visible(other.Name), Visible(p.Name))
		switch {
		case register.SamePerson(other.Name, p.Name) && r.has(DefencePeople):
			return refuse(ReasonTwice, p.Name, "%s", with)
		case register.SamePerson(other.Name, p.Name):
		case key != nil && otherKey != nil && string(key.Marshal()) == string(otherKey.Marshal()) && r.has(DefenceKeys):
			return refuse(ReasonSameKey, p.Name, "%s", with)
		case p.ID != "" && p.ID.Equal(other.ID) && r.has(DefenceIDs):
			return refuse(ReasonSameID, p.Name, "%s", with)
		case p.Passkey.CredentialID != "" && (p.Passkey.CredentialID == other.Passkey.CredentialID || p.Passkey.PublicKey == other.Passkey.PublicKey) && r.has(DefenceCredentials):
			return refuse(ReasonSamePasskey, p.Name, "%s", with)
		}
	}
	return nil
}

// line tells of somebody who stands above or below who signed before: one can
// order the other. Where the register says that lines are distinct, it refuses.
func (r *Rules) line(asking *register.Person, before []*register.Person, p *register.Person) (warning string, refusal *Refusal) {
	for _, other := range append([]*register.Person{asking}, before...) {
		if register.SamePerson(other.Name, p.Name) || !r.Register.InOneLine(other.Name, p.Name) {
			continue
		}
		text := fmt.Sprintf("%s and %s are in one line of managers", Visible(other.Name), Visible(p.Name))
		if r.Register.Quorum.Lines == register.LinesDistinct && r.has(DefenceLines) {
			return "", refuse(ReasonLine, p.Name, "%s", text)
		}
		return text, nil
	}
	return "", nil
}
