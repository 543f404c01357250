package app

import (
	"halligan/entra"
	"halligan/lockout"
	"halligan/plan"
)

// ProveSchema names the JSON form of a Report. It is documented in
// docs/prove-json.md and docs/prove.schema.json.
const ProveSchema = "halligan-prove/1"

// TenantReport names the tenant of a report; what was not read is empty.
type TenantReport struct {
	ID   entra.ID `json:"id,omitempty"`
	Name string   `json:"name,omitempty"`
	// Taken is when it was read, in UTC (RFC 3339).
	Taken string `json:"taken,omitempty"`
}

// Report is what Prove found.
type Report struct {
	Schema string `json:"schema"`
	// Tool is the program and its version, as the request gave it.
	Tool string `json:"tool"`
	// Date is the day for which vendor dates were read.
	Date lockout.Date `json:"date,omitempty"`
	// Verdict is the worst of the accounts; UNDETERMINED when there is none.
	Verdict lockout.Outcome `json:"verdict"`
	// Hypothesis: no account was named, and those judged are proposals.
	Hypothesis bool `json:"hypothesis"`
	// PoliciesRead counts the policies in the sources, before any change.
	PoliciesRead int `json:"policiesRead"`
	// Incomplete: something that was to be read could not be.
	Incomplete bool `json:"incomplete"`
	// Snapshot is the SHA-256 of the canonical JSON of what was read.
	Snapshot string `json:"snapshot"`
	// Tenant is which tenant the report is about.
	Tenant   TenantReport     `json:"tenant"`
	Parts    []PartReport     `json:"parts"`
	Troubles []entra.Trouble  `json:"troubles"`
	Notes    []entra.Trouble  `json:"notes"`
	Goals    []GoalInfo       `json:"goals"`
	Accounts []*AccountReport `json:"accounts"`
	// Independence is set when margins were asked for and two or more named
	// accounts were judged.
	Independence *lockout.Independence `json:"independence,omitempty"`
	Change       *ChangeReport         `json:"change,omitempty"`
	// Next are the steps that would bring the answer forward, best first.
	Next []Step `json:"next"`
	// Names are what objects of the tenant are called, by the Key of their id.
	Names map[string]string `json:"-"`
	// StaleData names vendor data that nobody checked for over a year.
	StaleData []string `json:"staleData"`
}

// PartReport says how much of one part of the tenant was read.
type PartReport struct {
	Part   entra.Part   `json:"part"`
	Status entra.Status `json:"status"`
	Detail string       `json:"detail,omitempty"`
}

// GoalInfo describes one goal that was asked for.
type GoalInfo struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	// Counts: the goal decides the verdict of an account. One that does not is
	// another way in, told beside it.
	Counts bool `json:"counts"`
}

// AccountReport is the answer for one account.
type AccountReport struct {
	Account entra.ID `json:"account"`
	Name    string   `json:"name,omitempty"`
	// Hypothesis: nobody said that this is an emergency account.
	Hypothesis bool               `json:"hypothesis"`
	Candidate  *lockout.Candidate `json:"candidate,omitempty"`
	// Verdict is the worst over the goals that count.
	Verdict lockout.Outcome `json:"verdict"`
	// Supposing: PROVED is only as good as what was supposed.
	Supposing    bool                `json:"supposing"`
	Suppositions []entra.Supposition `json:"suppositions"`
	Goals        []*GoalReport       `json:"goals"`
	// Settle lists what is not known, over all goals, the most telling first.
	Settle []Settlement    `json:"settle"`
	Margin *lockout.Margin `json:"margin,omitempty"`
}

// Label returns what a person calls the account: its name, else its id.
func (a *AccountReport) Label() string {
	switch {
	case a.Candidate != nil && a.Candidate.Kind == CandidateNobody:
		return "an account that no policy names"
	case a.Candidate != nil && a.Candidate.Kind == "group" && a.Candidate.Name != "":
		return "a member of " + a.Candidate.Name
	case a.Candidate != nil && a.Candidate.Kind == "group":
		return "a member of " + string(a.Candidate.ID)
	case a.Name != "":
		return a.Name
	}
	return string(a.Account)
}

// GoalReport is a verdict of the prover with what the report adds.
type GoalReport struct {
	lockout.Verdict
	// Counts repeats GoalInfo.Counts.
	Counts bool `json:"counts"`
	// Claim is the verdict in words; Sentence adds the reason.
	Claim    string `json:"claim"`
	Sentence string `json:"sentence"`
}

// Settlement is one thing that is not known and what would settle it.
type Settlement struct {
	// ID is the id of the unknowns gathered here.
	ID   string `json:"id"`
	What string `json:"what"`
	How  string `json:"how"`
	// Suppose is the expression that states it, when one can.
	Suppose string `json:"suppose,omitempty"`
	// Touches counts the policies and gates that wait for it.
	Touches int `json:"touches"`
	// Subjects are the policies, groups or locations it is about.
	Subjects []string `json:"subjects"`
}

// Step is one thing to do next.
type Step struct {
	Do  string `json:"do"`
	Why string `json:"why"`
	// Command: Do is a command line.
	Command bool `json:"command"`
}

// ChangeReport compares the tenant before and after a change.
type ChangeReport struct {
	// Source says what was changed: the files and the as-if expressions.
	Source []string `json:"source"`
	// Worse: some verdict got worse.
	Worse    bool           `json:"worse"`
	Policies []PolicyChange `json:"changedPolicies"`
	// Others are changes of other objects and what could not be read of the
	// change.
	Others   []string        `json:"otherChanges"`
	Verdicts []VerdictChange `json:"verdicts"`
	// Unknowns are values of a Terraform plan that are not known yet.
	Unknowns []plan.Unknown `json:"unknowns"`
	// Troubles are what could not be read of the change.
	Troubles []entra.Trouble `json:"troubles"`

	unread bool // something of the files could not be taken as a change
}

// PolicyChange is one policy that a change touches.
type PolicyChange struct {
	Policy string `json:"policy"`
	Name   string `json:"name"`
	// Kind is added, removed or changed; affected for a policy that stays as it
	// is and that the change makes deny, or no longer deny.
	Kind string `json:"kind"`
	// Fields are the paths that differ, for changed.
	Fields []string `json:"fields,omitempty"`

	was string // its id before the change
}

// VerdictChange is one verdict before and after.
type VerdictChange struct {
	Account entra.ID        `json:"account"`
	Name    string          `json:"name,omitempty"`
	Goal    string          `json:"goal"`
	Before  lockout.Outcome `json:"before"`
	After   lockout.Outcome `json:"after"`
	// Supposing: both verdicts rest on suppositions.
	Supposing bool `json:"supposing"`
	Worse     bool `json:"worse"`
	// Because names what makes the difference.
	Because []PolicyChange `json:"because"`
	// Alone: undoing any one of Because restores the verdict before. Otherwise
	// no single one does, and Because are those that deny.
	Alone bool `json:"alone"`
}

// rank orders outcomes by how bad they are.
func rank(o lockout.Outcome) int {
	switch o {
	case lockout.Proved:
		return 0
	case lockout.Lockout:
		return 2
	}
	return 1
}

func worst(a, b lockout.Outcome) lockout.Outcome {
	if rank(b) > rank(a) {
		return b
	}
	return a
}

// Trouble reports whether trouble was found: a lockout, or a change that makes
// something worse.
func (r *Report) Trouble() bool {
	if r.Change != nil && r.Change.Worse {
		return true
	}
	for _, a := range r.Accounts {
		if a.Verdict == lockout.Lockout {
			return true
		}
	}
	return false
}

// Settled reports whether the question was answered for named accounts and on
// everything that was to be read. A hypothesis settles nothing.
func (r *Report) Settled() bool {
	return !r.Hypothesis && !r.Incomplete && r.Verdict != lockout.Undetermined
}
