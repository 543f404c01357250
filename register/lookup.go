package register

import (
	"strings"

	"halligan/entra"
)

// Treatment returns what is intended for the accounts in a policy, and whether
// the register states it. For a policy that the register does not name it is
// what Settings.Policies says: TreatmentExcluded, or TreatmentUnknown where the
// policy is judged.
func (r *Register) Treatment(p *entra.Policy) (t Treatment, stated bool) {
	if named := r.Policy(p); named != nil {
		return named.Treatment, true
	}
	if r != nil && r.Settings.Settled().Policies == string(TreatmentExcluded) {
		return TreatmentExcluded, false
	}
	return TreatmentUnknown, false
}

// Policy returns what the register says of a policy, or nil. The id decides. The
// display name, letter by letter, counts where one of the two has no id: an entry
// without one, or a policy from an export without ids.
func (r *Register) Policy(p *entra.Policy) *Policy {
	if r == nil || p == nil {
		return nil
	}
	if p.ID != "" {
		for i := range r.Policies {
			if r.Policies[i].ID != "" && r.Policies[i].ID.Equal(p.ID) {
				return &r.Policies[i]
			}
		}
	}
	if p.DisplayName == "" {
		return nil
	}
	for i := range r.Policies {
		if r.Policies[i].Name == p.DisplayName && (r.Policies[i].ID == "" || !p.ID.IsGUID()) {
			return &r.Policies[i]
		}
	}
	return nil
}

// AttestationFor returns what a person stated about a check, or nil. An account
// has its own statements and those for the tenant; no account has only the
// latter. A statement that holds on the day wins over one that has expired, and
// among equals the one that holds longest. One that begins later than the day is
// none.
func (r *Register) AttestationFor(check string, account entra.ID, on Day) (a *Attestation, expired bool) {
	if r == nil || !on.IsDay() {
		return nil, false
	}
	for i := range r.Attestations {
		next := &r.Attestations[i]
		if strings.EqualFold(next.Check, check) && concerns(next.Account, account) && next.On <= on && (a == nil || next.Until > a.Until) {
			a = next
		}
	}
	return a, a != nil && a.Until < on
}

// AcceptedFor returns the accepted risk of a check, or nil, by the rules of
// AttestationFor.
func (r *Register) AcceptedFor(check string, account entra.ID, on Day) (a *Accepted, expired bool) {
	if r == nil || !on.IsDay() {
		return nil, false
	}
	for i := range r.Accepted {
		next := &r.Accepted[i]
		if strings.EqualFold(next.Check, check) && concerns(next.Account, account) && next.On <= on && (a == nil || next.Until > a.Until) {
			a = next
		}
	}
	return a, a != nil && a.Until < on
}

func concerns(stated, account entra.ID) bool { return stated == "" || stated.Equal(account) }

// SamePerson reports whether two names are of one person, as far as names tell:
// case and blanks make no difference.
func SamePerson(a, b string) bool { return foldName(a) == foldName(b) }

// Place returns the place with a name, or nil.
func (r *Register) Place(name string) *Place {
	if r == nil {
		return nil
	}
	for i := range r.Places {
		if r.Places[i].Name == name {
			return &r.Places[i]
		}
	}
	return nil
}
