package posture

import (
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/register"
)

// Finding is the answer of one check for one account, or for the tenant.
type Finding struct {
	Check *Check
	// Account is empty for a check of the tenant.
	Account     entra.ID
	AccountName string
	// Hypothesis: about an account that nobody registered.
	Hypothesis bool
	Result
	// Attestation and Accepted stand behind those statuses; Lapsed says why one
	// that the register has does not count.
	Attestation *register.Attestation
	Accepted    *register.Accepted
	Lapsed      string
}

// Catalogue returns every check, in the order of the themes.
func Catalogue() []*Check { return catalogue }

// Lookup returns the check with an id, or nil.
func Lookup(id string) *Check {
	for _, c := range catalogue {
		if strings.EqualFold(c.ID, strings.TrimSpace(id)) {
			return c
		}
	}
	return nil
}

// Judge asks every check. The findings stand in the order of the catalogue, and
// of Input.Accounts within a check.
func Judge(in *Input) []Finding {
	settings := in.Register.Or().Settings.Settled()
	var out []Finding
	for _, check := range catalogue {
		c := Case{Input: in, Check: check, Settings: settings}
		if !check.PerAccount {
			out = append(out, Finding{Check: check, Result: c.judge()})
			continue
		}
		for i := range in.Accounts {
			c.Subject = &in.Accounts[i]
			c.Registered = register.Account{ID: c.Subject.ID}
			if a := in.Register.Account(c.Subject.ID); a != nil {
				c.Registered = *a
			}
			out = append(out, Finding{Check: check, Account: c.Subject.ID, AccountName: c.Subject.Name,
				Hypothesis: c.Subject.Hypothesis, Result: c.judge()})
		}
	}
	attest(in, out)
	accept(in, out)
	return out
}

// judge asks one check, unless the licence rules it out or a part is missing.
func (c *Case) judge() Result {
	if l := c.Check.Licence; l != "" && !c.Check.EvenWithout && c.Lacks(l) {
		return notApplicable("the tenant has no licence for this (%s)", licenceName(l))
	}
	if c.Check.Judge == nil {
		return unknown("only a person can know this")
	}
	if c.Subject != nil && c.Subject.StandIn && c.Check.Theme != ThemePolicies && c.Check.Theme != ThemeRisk {
		return unknown("this stands for any member of a group: register the accounts themselves")
	}
	for _, p := range c.Check.Reads {
		if st := c.part(p); st.Status != entra.StatusRead {
			return c.unread(p, st)
		}
	}
	return c.Check.Judge(c)
}

func licenceName(l string) string {
	switch l {
	case LicenceP1, LicenceP2:
		return "Microsoft Entra ID " + l
	case LicenceGovernance:
		return "Microsoft Entra ID Governance"
	}
	return l
}

// attest lets a valid attestation stand in for what nobody could read.
func attest(in *Input, findings []Finding) {
	if in.Register == nil {
		return
	}
	today := register.DayOf(in.Now)
	for i := range findings {
		f := &findings[i]
		if f.Status != Indeterminate && f.Status != NotSetUp {
			continue
		}
		a, expired := in.Register.AttestationFor(f.Check.ID, f.Account, today)
		if a == nil {
			a, _ = in.Register.AttestationFor(f.Check.ID, f.Account, endOfDays) // one that begins later
		}
		switch {
		case a == nil:
		case !f.Check.Attestable:
			f.Lapsed = "an attestation does not count: this check is read from data"
		case len(f.Missing) > 0:
			// What could be read is not for a person to say.
			f.Lapsed = fmt.Sprintf("the attestation by %s does not replace reading %s", a.By, f.Missing[0].Part.Info().What)
		case a.On > today:
			f.Lapsed = fmt.Sprintf("the attestation by %s is dated %s, after today", a.By, a.On)
		case expired:
			f.Lapsed = fmt.Sprintf("the attestation by %s ended on %s", a.By, a.Until)
		default:
			f.Status, f.Attestation = Attested, a
			f.Says = fmt.Sprintf("%s attests until %s: %s", a.By, a.Until, a.Note)
		}
	}
}

// endOfDays is a day on which everything has begun.
const endOfDays register.Day = "9999-12-31"

// accept turns failures into accepted risks where the register says so, the day
// has not passed and every compensating check passes for the same account.
func accept(in *Input, findings []Finding) {
	if in.Register == nil {
		return
	}
	today := register.DayOf(in.Now)
	passes := func(id string, account entra.ID) bool {
		found := false
		for i := range findings {
			f := &findings[i]
			if !strings.EqualFold(f.Check.ID, id) || account != "" && f.Account != "" && !f.Account.Equal(account) {
				continue
			}
			if f.Status != Pass {
				return false
			}
			found = true
		}
		return found
	}
	// All are decided on the statuses before any was accepted.
	type accepted struct {
		f *Finding
		a *register.Accepted
	}
	var by []accepted
	for i := range findings {
		f := &findings[i]
		if f.Status != Fail {
			continue
		}
		for j := range in.Register.Accepted {
			a := &in.Register.Accepted[j]
			if !strings.EqualFold(a.Check, f.Check.ID) || a.Account != "" && !a.Account.Equal(f.Account) {
				continue
			}
			bad := slices.IndexFunc(a.Compensating, func(id string) bool { return !passes(id, f.Account) })
			switch {
			case a.Until < today:
				f.Lapsed = fmt.Sprintf("the risk was accepted by %s until %s", a.Approver, a.Until)
			case a.On > today:
				f.Lapsed = fmt.Sprintf("the risk was accepted by %s from %s, after today", a.Approver, a.On)
			case register.SamePerson(a.Owner, a.Approver):
				f.Lapsed = "the risk has no approver beside its owner"
			case len(a.Compensating) == 0:
				f.Lapsed = "the accepted risk names no compensating check"
			case bad >= 0:
				f.Lapsed = fmt.Sprintf("the risk was accepted, but the compensating check %s does not pass", a.Compensating[bad])
			default:
				f.Lapsed = ""
				by = append(by, accepted{f, a})
			}
			if f.Lapsed == "" {
				break
			}
		}
	}
	for _, x := range by {
		x.f.Status, x.f.Accepted = AcceptedRisk, x.a
	}
}
