package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout"
	"halligan/lockout/facts"
)

// ProveRequest is a question about one tenant.
type ProveRequest struct {
	Sources []entra.Source
	// Tenant is read in place of Sources, when not nil; TenantName is what people
	// call it.
	Tenant     Tenant
	TenantName string
	// Evaluator, when not nil, is asked about sampled sign-ins, and its answers are
	// compared with the proof's (Check only).
	Evaluator Evaluator
	// Azure: read the tenant's Azure resources too: alert rules, workspaces.
	Azure bool
	// With are drafts, Terraform plans or a second export, AsIf expressions;
	// with any, the tenant is judged before and after.
	With []entra.Source
	AsIf []string
	// Accounts are ids or user principal names; none: candidates are proposed.
	Accounts []string
	// Goals are names of goals; none: DefaultGoals.
	Goals    []string
	Suppose  []string
	Envelope map[lockout.Dimension]lockout.Quantifier
	Now      lockout.Date
	Margin   bool
	Tool     string
	// Keep are the words of the question that a follow-up command must repeat:
	// goals, changes, the envelope, the date.
	Keep []string
	// Progress, when not nil, is told what is being worked on.
	Progress func(what string)
}

// DefaultGoals are judged when none is named: the sign-in, the repair, and
// another way in that does not count.
var DefaultGoals = []string{"entraAdminCenter", "recover:entraAdminCenter", "graphPowerShell"}

const defaultCounting = 2 // of DefaultGoals

// CandidateNobody is the kind of the stand-in that is judged when no policy
// excludes anybody.
const CandidateNobody = "nobody"

const maxCandidates = 5

// RequestError is a request that cannot be answered as it was put.
type RequestError struct {
	Err error
	// Near is what was probably meant; may be empty.
	Near []string
	// Word is what was written where one of Near was meant.
	Word string
	hint string
}

func (e *RequestError) Error() string { return e.Err.Error() }
func (e *RequestError) Unwrap() error { return e.Err }

// Hint returns what to ask instead.
func (e *RequestError) Hint() string { return e.hint }

func refuse(hint, format string, args ...any) error {
	return &RequestError{Err: fmt.Errorf(format, args...), hint: hint}
}

// subject is one account to be judged, and under what.
type subject struct {
	id        entra.ID
	candidate *lockout.Candidate
	suppose   []string
	// name is what the register calls it, for when the user was not read.
	name string
}

// Prove answers the request. The error is for a request that makes no sense; what
// was found is in the report.
func Prove(ctx context.Context, req ProveRequest) (*Report, error) {
	goals, infos, err := resolveGoals(req.Goals)
	if err != nil {
		return nil, err
	}
	snap, err := req.read(ctx, nil)
	if err != nil {
		return nil, err
	}
	subjects, twice, err := resolveSubjects(snap, &req)
	if err != nil {
		return nil, err
	}
	return proveOn(ctx, req, snap, goals, infos, subjects, twice)
}

// proveOn answers the request for some subjects on what was read; twice are the
// troubles with the names of the subjects.
func proveOn(ctx context.Context, req ProveRequest, snap *entra.Snapshot, goals []lockout.Goal, infos []GoalInfo, subjects []subject, twice []entra.Trouble) (*Report, error) {
	r := newReport(&req, snap, infos)
	r.Troubles, r.Incomplete = append(r.Troubles, twice...), r.Incomplete || len(twice) > 0
	r.Hypothesis = len(req.Accounts) == 0
	j := &judge{req: &req, goals: goals, infos: infos}
	changes, err := r.readChange(&req, snap)
	if err != nil {
		return nil, err
	}
	before, after := supposed(snap, nil), supposed(snap, changes)
	if r.Change != nil && r.Change.unread {
		after = unreadable(after)
	}
	if r.Accounts, err = j.all(ctx, after, subjects); err != nil {
		return nil, err
	}
	if r.Change != nil && len(subjects) > 0 {
		if err := r.compare(ctx, j, before, after, changes, subjects); err != nil {
			return nil, err
		}
	}
	if req.Margin && !r.Hypothesis && len(subjects) > 1 {
		req.say("what would take all accounts at once")
		if r.Independence, err = j.independence(snap, changes, subjects); err != nil {
			return nil, err
		}
	}
	r.conclude(&req)
	return r, nil
}

func (req *ProveRequest) say(what string) {
	if req.Progress != nil {
		req.Progress(what)
	}
}

func newReport(req *ProveRequest, snap *entra.Snapshot, infos []GoalInfo) *Report {
	v := snap.View()
	r := &Report{Tenant: tenantOf(snap), Schema: ProveSchema, Tool: req.Tool, Date: req.Now, Verdict: lockout.Undetermined,
		PoliciesRead: snap.PoliciesRead(), Incomplete: snap.Incomplete(), Snapshot: snap.Digest(),
		Parts: []PartReport{}, Troubles: orEmpty(v.Troubles), Notes: orEmpty(v.Notes), Goals: infos,
		Accounts: []*AccountReport{}, Next: []Step{}, Names: namesIn(v), StaleData: orEmpty(facts.StaleOn(string(req.Now)))}
	for _, part := range slices.Sorted(maps.Keys(v.Parts)) {
		st := v.Parts[part]
		r.Parts = append(r.Parts, PartReport{part, st.Status, st.Detail})
	}
	if snap.Status(entra.PartPolicies).Status != entra.StatusRead {
		r.Incomplete = true
		st := snap.Status(entra.PartPolicies)
		switch {
		case st.Status == entra.StatusDenied:
			r.Troubles = append(r.Troubles, entra.Trouble{File: req.sourceNames(), What: "the Conditional Access policies may not be read by whoever is signed in: " + st.Detail})
		case st.Status == entra.StatusCutShort && req.Tenant != nil:
			r.Troubles = append(r.Troubles, entra.Trouble{File: req.sourceNames(), What: "the Conditional Access policies were not read to the end: " + st.Detail})
		case st.Status == entra.StatusNotAsked && st.Detail != "" && req.Tenant != nil: // no licence for them
		case len(r.Troubles) == 0:
			r.Troubles = append(r.Troubles, entra.Trouble{File: req.sourceNames(), What: "no Conditional Access policy was found"})
		}
	}
	return r
}

// tenantOf says which tenant a report is about, as far as that was read.
func tenantOf(snap *entra.Snapshot) TenantReport {
	v := snap.View()
	t := TenantReport{ID: v.TenantID}
	for _, o := range snap.Objects(entra.PartOrganization) {
		t.Name = o.Str("displayName")
	}
	if !v.Taken.IsZero() {
		t.Taken = v.Taken.UTC().Format("2006-01-02T15:04:05Z")
	}
	return t
}

func (r *ProveRequest) sourceNames() string {
	if r.Tenant != nil {
		return r.TenantName
	}
	var names []string
	for _, s := range r.Sources {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

// orEmpty makes nil into an empty list, which JSON readers need not tell apart
// from a missing one.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// GoalNames lists every goal that can be asked for.
func GoalNames() []string {
	var out []string
	for _, g := range facts.Goals() {
		out = append(out, g.Name)
	}
	for _, g := range facts.Goals() {
		out = append(out, "recover:"+g.Name)
	}
	return out
}

func resolveGoals(names []string) ([]lockout.Goal, []GoalInfo, error) {
	counting := len(names)
	if len(names) == 0 {
		names, counting = DefaultGoals, defaultCounting
	}
	var goals []lockout.Goal
	var infos []GoalInfo
	for i, name := range names {
		g, ok := lockout.ResolveGoal(name)
		if !ok {
			return nil, nil, &RequestError{Err: fmt.Errorf("no goal %q", name), Near: GoalNames(), Word: name, hint: "goals: " + strings.Join(GoalNames(), ", ")}
		}
		if slices.ContainsFunc(infos, func(x GoalInfo) bool { return x.Name == g.Name }) {
			continue
		}
		base := strings.TrimPrefix(name, "recover:")
		title := base
		if f, ok := facts.LookupGoal(base); ok && f.Title != "" {
			title = f.Title
		}
		goals = append(goals, g)
		infos = append(infos, GoalInfo{Name: g.Name, Title: title, Counts: i < counting})
	}
	return goals, infos, nil
}

// resolveSubjects finds the accounts that are meant, or proposes some. Of a name
// that several users have, all are judged, and that is trouble.
func resolveSubjects(snap *entra.Snapshot, req *ProveRequest) ([]subject, []entra.Trouble, error) {
	if len(req.Accounts) == 0 {
		return candidates(snap, req), nil, nil
	}
	var out []subject
	var twice []entra.Trouble
	for _, name := range req.Accounts {
		ids, err := resolveAccounts(snap, name)
		if err != nil {
			return nil, nil, err
		}
		if len(ids) > 1 {
			twice = append(twice, sharedName(snap, name, ids))
		}
		for _, id := range ids {
			if !slices.ContainsFunc(out, func(s subject) bool { return s.id.Equal(id) }) {
				out = append(out, subject{id: id, suppose: req.Suppose})
			}
		}
	}
	return out, twice, nil
}

// sharedName is the trouble that several users have one user principal name,
// which no tenant allows.
func sharedName(snap *entra.Snapshot, name string, ids []entra.ID) entra.Trouble {
	t := entra.Trouble{What: fmt.Sprintf("%d users have the name %s, which no tenant allows: %s; each is told for itself", len(ids), strings.TrimSpace(name), some(texts(ids)))}
	for i := range snap.View().Users {
		if u := &snap.View().Users[i]; u.ID.Equal(ids[len(ids)-1]) {
			t.File, t.Line = u.Origin.File, u.Origin.Line
		}
	}
	return t
}

func texts(ids []entra.ID) []string {
	var out []string
	for _, id := range ids {
		out = append(out, string(id))
	}
	return out
}

// resolveAccounts returns the id under which an account stands in the Snapshot,
// or those of all users who have the name.
func resolveAccounts(snap *entra.Snapshot, name string) ([]entra.ID, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		return nil, refuse("give an object id or a user principal name", "an account needs a name")
	}
	v := snap.View()
	var near []string
	var byName []entra.ID
	for i := range v.Users {
		u := &v.Users[i]
		if u.ID.Equal(entra.ID(name)) {
			return []entra.ID{u.ID}, nil
		}
		if strings.EqualFold(u.UserPrincipalName, name) {
			byName = append(byName, u.ID)
		}
		if u.UserPrincipalName != "" {
			near = append(near, u.UserPrincipalName)
		}
	}
	if len(byName) > 0 {
		return byName, nil
	}
	if _, asked := snap.Of(entra.PartUsers, entra.ID(name)); asked.Status == entra.StatusRead { // and nobody came
		return nil, &RequestError{Err: fmt.Errorf("no user %q in this tenant", name), Near: near, Word: name, hint: "give the user principal name or the object id of an account"}
	}
	if namedAsGroup(v, entra.ID(name)) {
		return nil, &RequestError{Err: fmt.Errorf("%q is a group in the policies that were read, not an account", name),
			hint: "judge an account that is in it: --account OBJECT-ID --suppose " + quote("member="+name)}
	}
	if entra.ID(name).IsGUID() || namedByPolicy(v, entra.ID(name)) {
		return []entra.ID{entra.ID(name)}, nil
	}
	if len(v.Troubles) > 0 { // it may be in what could not be read
		return []entra.ID{entra.ID(name)}, nil
	}
	hint := "give its object id: policies name accounts by id, and nobody was read whose user principal name this is"
	return nil, &RequestError{Err: fmt.Errorf("no account %q in what was read", name), Near: near, Word: name, hint: hint}
}

// namedAsGroup reports whether policies name an id as a group, and none as a
// user.
func namedAsGroup(v *entra.Content, id entra.ID) bool {
	if namedByPolicy(v, id) {
		return false
	}
	return slices.ContainsFunc(v.Policies, func(p entra.Policy) bool {
		u := &p.Conditions.Users
		return slices.ContainsFunc(u.IncludeGroups, id.Equal) || slices.ContainsFunc(u.ExcludeGroups, id.Equal)
	}) || slices.ContainsFunc(v.Groups, func(g entra.Group) bool { return g.ID.Equal(id) })
}

// namedByPolicy: some exports hold names where ids belong.
func namedByPolicy(v *entra.Content, id entra.ID) bool {
	for i := range v.Policies {
		u := &v.Policies[i].Conditions.Users
		for _, list := range [][]entra.ID{u.IncludeUsers, u.ExcludeUsers} {
			if slices.ContainsFunc(list, id.Equal) {
				return true
			}
		}
	}
	return slices.ContainsFunc(v.Accounts, func(a entra.Account) bool { return a.ID.Equal(id) })
}

// candidates proposes whom to judge when nobody was named. Those that far fewer
// policies exclude than the first are not worth a reader's time.
func candidates(snap *entra.Snapshot, req *ProveRequest) []subject {
	if snap.PoliciesRead() == 0 {
		return nil
	}
	list := lockout.Candidates(snap, maxCandidates)
	if len(list) == 0 {
		list = []lockout.Candidate{{Kind: CandidateNobody, ID: "account-that-no-policy-names"}}
	}
	var out []subject
	for i := range list {
		if list[i].Excluded*2 < list[0].Excluded {
			break
		}
		for _, c := range members(snap.View(), list[i]) {
			c.Suppose = orEmpty(c.Suppose)
			s := subject{id: c.Account(), candidate: &c, suppose: slices.Concat(c.Suppose, req.Suppose)}
			if len(out) < maxCandidates && !slices.ContainsFunc(out, func(x subject) bool { return x.id.Equal(s.id) }) {
				out = append(out, s)
			}
		}
	}
	return out
}

// members puts the accounts that are known to be in a candidate group in its
// place: a real account says more than a stand-in for any member.
func members(v *entra.Content, group lockout.Candidate) []lockout.Candidate {
	if group.Kind != "group" {
		return []lockout.Candidate{group}
	}
	inside := map[string]bool{}
	for i := range v.Groups {
		for _, id := range v.Groups[i].Members {
			inside[id.Key()] = inside[id.Key()] || v.Groups[i].ID.Equal(group.ID)
		}
	}
	for i := range v.Accounts {
		if slices.ContainsFunc(v.Accounts[i].Memberships, group.ID.Equal) {
			inside[v.Accounts[i].ID.Key()] = true
		}
	}
	var out []lockout.Candidate
	for i := range v.Users {
		if u := &v.Users[i]; inside[u.ID.Key()] {
			c := group
			c.Kind, c.ID, c.Name, c.Suppose = "user", u.ID, u.UserPrincipalName, nil
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return []lockout.Candidate{group}
	}
	return out
}
