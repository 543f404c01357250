package posture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"halligan/entra"
	"halligan/lockout"
	"halligan/register"
)

// Input is all that the checks are a function of.
type Input struct {
	Snapshot *entra.Snapshot
	// Register is nil when there is none.
	Register *register.Register
	Records  Records
	// Now is the time for which the tenant is judged.
	Now time.Time
	// Accounts are judged, in this order: those of the register, else hypotheses.
	Accounts []Subject
}

// Subject is one account to be judged.
type Subject struct {
	ID   entra.ID
	Name string
	// Hypothesis: nobody registered it.
	Hypothesis bool
	// StandIn: no account of its own, but any member of a group that may hold
	// the emergency accounts.
	StandIn bool
	// Verdicts of the prover for the goals that count and others beside.
	Verdicts []lockout.Verdict
}

// Case is what one check sees: the input, and for a check per account the account.
type Case struct {
	*Input
	Check *Check
	// Subject is nil for a check of the tenant.
	Subject *Subject
	// Settings are those of the register with the defaults filled in.
	Settings register.Settings
	// Registered is the account's entry in the register; an empty one for a
	// hypothesis or a check of the tenant.
	Registered register.Account
}

// View returns the content of the Snapshot.
func (c *Case) View() *entra.Content { return c.Snapshot.View() }

// Today is the day of Now in UTC.
func (c *Case) Today() register.Day { return register.DayOf(c.Now) }

// --- results ----------------------------------------------------------------

func pass(format string, args ...any) Result {
	return Result{Status: Pass, Says: fmt.Sprintf(format, args...)}
}

func fail(format string, args ...any) Result {
	return Result{Status: Fail, Says: fmt.Sprintf(format, args...)}
}

// unknown is for what was read and still does not tell.
func unknown(format string, args ...any) Result {
	return Result{Status: Indeterminate, Says: fmt.Sprintf(format, args...)}
}

func notApplicable(format string, args ...any) Result {
	return Result{Status: NotApplicable, Says: fmt.Sprintf(format, args...)}
}

func notSetUp(format string, args ...any) Result {
	return Result{Status: NotSetUp, Says: fmt.Sprintf(format, args...)}
}

// on adds evidence.
func (r Result) on(e ...Evidence) Result {
	r.Evidence = append(r.Evidence, e...)
	return r
}

// then gives a result the next step that fits it better than the check's own.
func (r Result) then(step string) Result {
	r.Step = step
	return r
}

// missing is the result for a property that was not selected or not shown.
func (c *Case) missing(p entra.Part, property, permission string) Result {
	info := p.Info()
	if permission == "" {
		permission = info.Permission
	}
	what := property + " was not read of " + info.What
	return Result{Status: Indeterminate, Says: what, Missing: []Missing{{Part: p, Property: property, Status: entra.StatusNotAsked, Permission: permission, Request: info.Request}}}
}

// unread is the result for a part that was not read.
func (c *Case) unread(p entra.Part, st entra.PartState) Result {
	info := p.Info()
	word := map[entra.Status]string{entra.StatusDenied: "may not be read", entra.StatusCutShort: "not read to the end"}[st.Status]
	if word == "" {
		word = "not read"
	}
	says := word + ": " + info.What
	if st.Detail != "" && st.Status == entra.StatusNotAsked {
		says += " (" + st.Detail + ")"
	}
	return Result{Status: Indeterminate, Says: says,
		Missing: []Missing{{Part: p, Status: st.Status, Detail: st.Detail, Permission: info.Permission, Request: info.Request}}}
}

// merge makes one result of those of several objects: the worst status wins, in the order
// fail, indeterminate, pass; evidence and what is missing are kept of those that
// decide. Without results it is the one given.
func merge(none Result, results ...Result) Result {
	if len(results) == 0 {
		return none
	}
	worst := slices.MinFunc(results, func(a, b Result) int { return rank(a.Status) - rank(b.Status) })
	out := Result{Status: worst.Status}
	var says []string
	for _, r := range results {
		if r.Status != worst.Status {
			continue
		}
		if r.Says != "" && !slices.Contains(says, r.Says) {
			says = append(says, r.Says)
		}
		out.Evidence = append(out.Evidence, r.Evidence...)
		out.Missing = append(out.Missing, r.Missing...)
		out.Step = cmp.Or(out.Step, r.Step)
	}
	if len(says) > 3 {
		says = append(says[:3], fmt.Sprintf("and %d more", len(says)-3))
	}
	out.Says = strings.Join(says, "; ")
	return out
}

func rank(s Status) int { return slices.Index(Statuses, s) }

// --- what was read ------------------------------------------------------------

// part says whether a part was read: for parts read per subject, for the account.
func (c *Case) part(p entra.Part) entra.PartState {
	info := p.Info()
	switch {
	case p == entra.PartUsers && c.Subject != nil:
		if _, ok := c.User(); ok {
			return entra.PartState{Status: entra.StatusRead}
		}
		_, st := c.Snapshot.Of(p, c.Subject.ID)
		return st
	case p == entra.PartAccounts && c.Subject != nil:
		if c.account() != nil {
			return entra.PartState{Status: entra.StatusRead}
		}
		return notRead(c.Snapshot.Status(p), "nothing was read of this account's groups and methods")
	case info.PerSubject && c.Subject != nil:
		_, st := c.Snapshot.Of(p, c.Subject.ID)
		return st
	case p == entra.PartGroups && len(c.View().Groups) > 0 && c.Snapshot.Status(p).Status == entra.StatusNotAsked:
		return entra.PartState{Status: entra.StatusRead} // some were read; a check asks for the one it means
	}
	return c.Snapshot.Status(p)
}

// absent reports whether a user or group is known not to exist: it was asked for
// by its id and did not come, or all of them were read.
func (c *Case) absent(p entra.Part, id entra.ID) bool {
	if !c.Snapshot.Details(p, id).Empty() {
		return false
	}
	_, st := c.Snapshot.Of(p, id)
	return st.Status == entra.StatusRead
}

// notRead is a state that is not read even where the part as a whole is.
func notRead(st entra.PartState, detail string) entra.PartState {
	if st.Status == entra.StatusRead {
		return entra.PartState{Status: entra.StatusNotAsked, Detail: detail}
	}
	return st
}

// User returns the account's user object.
func (c *Case) User() (*entra.User, bool) {
	v := c.View()
	i := slices.IndexFunc(v.Users, func(u entra.User) bool { return u.ID.Equal(c.Subject.ID) })
	if i < 0 {
		return nil, false
	}
	return &v.Users[i], true
}

// UserFields are the account's user object as Graph gave it.
func (c *Case) UserFields() entra.Fields { return c.Snapshot.Details(entra.PartUsers, c.Subject.ID) }

func (c *Case) account() *entra.Account { return accountOf(c.View(), c.Subject.ID) }

func accountOf(v *entra.Content, id entra.ID) *entra.Account {
	for i := range v.Accounts {
		if v.Accounts[i].ID.Equal(id) {
			return &v.Accounts[i]
		}
	}
	return nil
}

// Methods returns the account's registered methods, and whether all were read.
func (c *Case) Methods() ([]entra.AuthMethod, bool) {
	a := c.account()
	if a == nil {
		return nil, false
	}
	return a.Methods, a.MethodsRead
}

// MethodsOf returns the account's methods of some types.
func (c *Case) MethodsOf(types ...entra.MethodType) ([]entra.AuthMethod, bool) {
	all, read := c.Methods()
	var out []entra.AuthMethod
	for _, m := range all {
		if slices.Contains(types, m.Type) {
			out = append(out, m)
		}
	}
	return out, read
}

// Memberships returns the ids of the groups the account is in, nested ones too,
// and whether all were read.
func (c *Case) Memberships() ([]entra.ID, bool) {
	a := c.account()
	if a == nil {
		return nil, false
	}
	return a.Memberships, a.MembersRead
}

// Group returns a group that was read.
func (c *Case) Group(id entra.ID) (*entra.Group, bool) {
	v := c.View()
	i := slices.IndexFunc(v.Groups, func(g entra.Group) bool { return g.ID.Equal(id) })
	if i < 0 {
		return nil, false
	}
	return &v.Groups[i], true
}

// GroupName returns the name of a group, else its id.
func (c *Case) GroupName(id entra.ID) string {
	if g, ok := c.Group(id); ok && g.DisplayName != "" {
		return g.DisplayName
	}
	return string(id)
}

// ExclusionGroups are the groups of the register that exclude the accounts. With
// none registered: the groups that policies exclude and that hold an emergency
// account.
func (c *Case) ExclusionGroups() []entra.ID {
	var out []entra.ID
	add := func(id entra.ID) {
		if !slices.ContainsFunc(out, id.Equal) {
			out = append(out, id)
		}
	}
	if c.Register != nil {
		for _, g := range c.Register.Groups {
			if g.Use == register.GroupExclusion {
				add(g.ID)
			}
		}
	}
	if len(out) > 0 {
		return out
	}
	v := c.View()
	for i := range v.Policies {
		for _, id := range v.Policies[i].Conditions.Users.ExcludeGroups {
			for _, s := range c.emergency() {
				if c.inGroup(s.ID, id) == yes {
					add(id)
				}
			}
		}
	}
	return out
}

// IsSubject reports whether an id is an emergency account: registered or judged.
func (c *Case) IsSubject(id entra.ID) bool {
	return c.Register.Account(id) != nil || slices.ContainsFunc(c.Accounts, func(s Subject) bool { return s.ID.Equal(id) })
}

// emergency returns the emergency accounts of the tenant: those of the register,
// of which perhaps not all are judged, else the judged ones.
func (c *Case) emergency() []Subject {
	var out []Subject
	for _, a := range c.Register.Or().Accounts {
		i := slices.IndexFunc(c.Accounts, func(s Subject) bool { return s.ID.Equal(a.ID) })
		if i < 0 {
			out = append(out, Subject{ID: a.ID, Name: a.Name})
		} else {
			out = append(out, c.Accounts[i])
		}
	}
	if len(out) == 0 {
		return c.Accounts
	}
	return out
}

// licencePlans are the service plans that give a licence.
var licencePlans = map[string][]string{
	LicenceP1:         {"AAD_PREMIUM", "AAD_PREMIUM_P2"},
	LicenceP2:         {"AAD_PREMIUM_P2"},
	LicenceGovernance: {"Entra_Identity_Governance", "ENTRA_ID_GOVERNANCE", "AAD_GOVERNANCE"},
}

// Lacks reports whether the tenant is known not to have a licence.
func (c *Case) Lacks(licence string) bool { return Lacks(c.Snapshot, licence) }

// Lacks reports whether a tenant is known not to have a licence.
func Lacks(s *entra.Snapshot, licence string) bool {
	plans, ok := licencePlans[licence]
	if !ok || s.Status(entra.PartLicences).Status != entra.StatusRead {
		return false
	}
	return !slices.ContainsFunc(s.View().ServicePlans, func(p entra.ServicePlan) bool {
		return slices.ContainsFunc(plans, func(x string) bool { return strings.EqualFold(x, string(p)) })
	})
}

// NoPoliciesByLicence reports whether a tenant is known to have no licence for
// Conditional Access, and no policy was read.
func NoPoliciesByLicence(s *entra.Snapshot) bool {
	return Lacks(s, LicenceP1) && s.PoliciesRead() == 0
}

// GlobalAdministrator is the template id of the role.
const GlobalAdministrator entra.ID = "62e90394-69f5-4237-9190-012177145e10"

// userName returns the name under which people know an account or object.
func (c *Case) userName(id entra.ID) string {
	v := c.View()
	for i := range v.Users {
		if v.Users[i].ID.Equal(id) && v.Users[i].UserPrincipalName != "" {
			return v.Users[i].UserPrincipalName
		}
	}
	for _, s := range c.emergency() {
		if s.ID.Equal(id) && s.Name != "" {
			return s.Name
		}
	}
	return ""
}

// user is evidence about a user.
func (c *Case) user(id entra.ID, detail string) Evidence {
	return Evidence{ID: string(id), Name: c.userName(id), Detail: detail}
}

// policy is evidence about a policy.
func policyEvidence(p *entra.Policy, detail string) Evidence {
	return Evidence{ID: string(p.ID), Name: p.DisplayName, Detail: detail}
}

// group is evidence about a group.
func (c *Case) group(id entra.ID, detail string) Evidence {
	e := Evidence{ID: string(id), Detail: detail}
	if g, ok := c.Group(id); ok {
		e.Name = g.DisplayName
	}
	return e
}

// days is the time between two instants in whole days.
func days(from, to time.Time) int { return int(to.Sub(from).Hours() / 24) }
