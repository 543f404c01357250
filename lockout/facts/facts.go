// Package facts holds what Microsoft publishes and a verdict leans on: goals
// with their audiences, built-in authentication strengths, the applications
// behind service groups, role templates, the dates on which something ends, and
// the rules that are inferred or unknown rather than documented.
//
// The data are JSON files, each with the pages it was taken from, the dates of
// those pages and the day on which we last checked them. Pages are paths in
// MicrosoftDocs/entra-docs unless they begin with the name of another source.
// When a day of checking lies over twelve months back, StaleOn says so.
//
// The files are embedded and read once, when first asked for. What is returned
// is a copy that the caller may keep and change. A broken file panics; a test
// reads them all.
package facts

import (
	"slices"

	"halligan/entra"
)

// The status of what is told here.
const (
	StatusDocumented = "documented" // Microsoft says so on the page named
	StatusInferred   = "inferred"   // follows from documented rules or observed data
	StatusUnknown    = "unknown"    // nobody says; both readings must be carried
)

// Goal is a place that an administrator must reach.
type Goal struct {
	Name           string
	Title          string
	Client         entra.ID
	Audiences      []entra.ID
	ClientAppTypes []entra.ClientAppType
	// MandatoryMFA is "phase1", "phase2" or "".
	MandatoryMFA string
	// Status tells whether the audiences are documented or inferred.
	Status string
	Source string
	Note   string
}

// Goals lists the goals, in the order in which they are told.
func Goals() []Goal {
	var out []Goal
	for _, g := range data().goals {
		out = append(out, g.clone())
	}
	return out
}

// LookupGoal returns the goal of a name.
func LookupGoal(name string) (Goal, bool) {
	for _, g := range data().goals {
		if g.Name == name {
			return g.clone(), true
		}
	}
	return Goal{}, false
}

func (g Goal) clone() Goal {
	g.Audiences, g.ClientAppTypes = slices.Clone(g.Audiences), slices.Clone(g.ClientAppTypes)
	return g
}

// BuiltInStrength returns a built-in authentication strength. A tenant's own
// reading of it goes first: Microsoft updates them.
func BuiltInStrength(id entra.ID) (entra.AuthStrength, bool) {
	for _, s := range data().strengths {
		if s.ID.Equal(id) {
			s.Combinations = cloneCombinations(s.Combinations)
			return s, true
		}
	}
	return entra.AuthStrength{}, false
}

// BuiltInStrengths lists the built-in authentication strengths by id.
func BuiltInStrengths() []entra.AuthStrength {
	out := slices.Clone(data().strengths)
	for i := range out {
		out[i].Combinations = cloneCombinations(out[i].Combinations)
	}
	return out
}

// StrengthMFA is the id of the strength that equals the grant control mfa.
const StrengthMFA = entra.ID("00000000-0000-0000-0000-000000000002")

// MFACombinations lists the combinations that count as multifactor
// authentication: those of the built-in strength.
func MFACombinations() []entra.Combination {
	s, _ := BuiltInStrength(StrengthMFA)
	return s.Combinations
}

// GraphPagesOnly reports whether a combination counts as multifactor
// authentication by the Graph pages alone: the table of the concept page leaves
// it out.
func GraphPagesOnly(c entra.Combination) bool {
	return slices.ContainsFunc(data().graphPagesOnly, func(x entra.Combination) bool { return sameModes(x, c) })
}

func sameModes(a, b entra.Combination) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func cloneCombinations(list []entra.Combination) []entra.Combination {
	out := make([]entra.Combination, len(list))
	for i, c := range list {
		out[i] = slices.Clone(c)
	}
	return out
}

// ServiceGroup returns the applications that a token of includeApplications
// stands for: Office365, MicrosoftAdminPortals, or the id of Windows Azure
// Service Management API, which is a group too. The token compares without
// case. No list is complete: Microsoft adds to them without notice.
func ServiceGroup(token string) ([]entra.ID, bool) {
	var out []entra.ID
	for _, m := range data().groups {
		if m.Token.Equal(entra.ID(token)) {
			out = append(out, m.App)
		}
	}
	return out, len(out) > 0
}

// GroupMember is one application of a service group.
type GroupMember struct {
	Token  entra.ID
	App    entra.ID
	Name   string
	Status string
	Source string
}

// GroupMembers lists the applications of every service group, in order.
func GroupMembers() []GroupMember { return slices.Clone(data().groups) }

// Role is a built-in directory role.
type Role struct {
	ID   entra.ID
	Name string
	// Recovery: at tenant scope the role may change Conditional Access policies.
	Recovery bool
	// SecurityDefaultsMFA: security defaults ask its holders for MFA at every
	// sign-in.
	SecurityDefaultsMFA bool
}

// Roles lists the built-in roles by name.
func Roles() []Role { return slices.Clone(data().roles) }

// RoleName returns the name of a role template, or the id when it is not one
// of the built-in roles.
func RoleName(id entra.ID) string {
	if name, is := data().roleNames[id.Key()]; is {
		return name
	}
	return string(id)
}

// RecoveryRoles lists the roles that may change Conditional Access policies:
// Global Administrator first.
func RecoveryRoles() []entra.ID {
	var out []entra.ID
	for _, r := range data().roles {
		if r.Recovery {
			out = append(out, r.ID)
		}
	}
	slices.SortStableFunc(out, func(a, b entra.ID) int { return rankRole(a) - rankRole(b) })
	return out
}

func rankRole(id entra.ID) int {
	if RoleName(id) == "Global Administrator" {
		return 0
	}
	return 1
}

// VendorDate is a day on which Microsoft changed something, or will.
type VendorDate struct {
	ID       string
	Date     string // 2027-02-01
	Text     string
	Source   string
	PageDate string // 2026-06
	Status   string
}

// Dates lists the dates, earliest first.
func Dates() []VendorDate {
	out := slices.Clone(data().dates)
	slices.SortStableFunc(out, func(a, b VendorDate) int {
		switch {
		case a.Date < b.Date:
			return -1
		case a.Date > b.Date:
			return 1
		}
		return 0
	})
	return out
}

// Date returns the date of an id. An id that is not known panics: the ids are
// written in our own code, and a missing date read as "never" would be unsafe.
func Date(id string) VendorDate {
	for _, d := range data().dates {
		if d.ID == id {
			return d
		}
	}
	panic("facts: there is no vendor date " + id)
}

// RuleInfo is a rule on which a verdict may lean and that Microsoft does not
// plainly document.
type RuleInfo struct {
	ID       string
	Status   string // inferred or unknown
	Text     string
	Source   string // the page that comes closest
	PageDate string
}

// Rules lists the rules by id.
func Rules() []RuleInfo { return slices.Clone(data().rules) }

// Rule returns the rule of an id. One that is not described is returned with
// status unknown, so that it is named and never passed over.
func Rule(id string) RuleInfo {
	for _, r := range data().rules {
		if r.ID == id {
			return r
		}
	}
	return RuleInfo{ID: id, Status: StatusUnknown, Text: "the rule " + id + " is not described"}
}
