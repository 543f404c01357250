package posture

import (
	"halligan/entra"
)

// Status is the answer of a check.
type Status string

// The statuses, the worst first (rank).
const (
	Fail          Status = "fail"
	Indeterminate Status = "indeterminate"
	AcceptedRisk  Status = "acceptedRisk"
	NotSetUp      Status = "notSetUp"
	Attested      Status = "attested"
	Pass          Status = "pass"
	NotApplicable Status = "notApplicable"
)

// Statuses lists every status, the worst first.
var Statuses = []Status{Fail, Indeterminate, AcceptedRisk, NotSetUp, Attested, Pass, NotApplicable}

// Words returns the status as people read it.
func (s Status) Words() string {
	switch s {
	case AcceptedRisk:
		return "accepted risk"
	case NotSetUp:
		return "not set up"
	case NotApplicable:
		return "not applicable"
	}
	return string(s)
}

// Severity says how bad a failed check is.
type Severity string

// The severities. Critical: a lock-out or a take-over is possible now.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
)

// Severities lists every severity, the worst first.
var Severities = []Severity{Critical, High, Medium, Low}

// Theme groups checks, as the catalogue does.
type Theme string

// The themes.
const (
	ThemeIdentity   Theme = "identity"
	ThemeRoles      Theme = "roles"
	ThemeMethods    Theme = "methods"
	ThemePasswords  Theme = "passwords"
	ThemePolicies   Theme = "conditional access"
	ThemeRisk       Theme = "risk"
	ThemeGroups     Theme = "groups"
	ThemeMonitoring Theme = "monitoring"
	ThemeCustody    Theme = "custody"
	ThemeDrills     Theme = "drills"
	ThemeGovernance Theme = "governance"
	ThemeAbuse      Theme = "abuse"
)

// Licences that a check may need.
const (
	LicenceP1         = "P1"
	LicenceP2         = "P2"
	LicenceGovernance = "Governance"
	LicenceAzure      = "Azure"
)

// Check is one row of the catalogue.
type Check struct {
	ID       string
	Theme    Theme
	Severity Severity
	// Title says what the check asserts, as a sentence without a full stop.
	Title string
	// PerAccount: judged once for each account, else once for the tenant.
	PerAccount bool
	// Why are the reasons: "S70", "entra-docs security-emergency-access", an
	// address, or a sentence.
	Why []string
	// References are the ids under which other frameworks and tools ask for the
	// same, "CIS M365 1.1.2", "SCuBA MS.AAD.7.1", "ISM-1614", "Maester MT.1005".
	References []string
	// Conflict is the contradiction between the sources that a setting of the
	// register decides, "C1" to "C9"; Setting is the key of that setting, or of
	// the threshold that the check uses.
	Conflict string
	Setting  string
	// Licence without which Microsoft does not offer what is checked. With a
	// licence that the tenant is known not to have, the check is not applicable,
	// unless EvenWithout.
	Licence     string
	EvenWithout bool
	// Reads are the parts that must have been read before Judge is asked.
	Reads []entra.Part
	// Asks are further parts, of which Judge itself says for whom they are missing:
	// exports never tell that they hold all users or all groups.
	Asks []entra.Part
	// Attestable: only a person can know, and may say so (halligan attest). An
	// attestation takes the place of indeterminate and notSetUp, never of fail.
	Attestable bool
	Fix        Fix
	// Judge decides. It is nil for what only a person can know.
	Judge func(*Case) Result
}

// Fix is how to mend what failed: steps in the portal, calls of Graph, commands of
// halligan. Each is an ordered list; any may be empty, not all.
type Fix struct {
	Portal  []string `json:"portal,omitempty"`
	Graph   []string `json:"graph,omitempty"`
	Command []string `json:"command,omitempty"`
}

// Result is the answer of a check for one account or the tenant.
type Result struct {
	Status Status
	// Says is one sentence: what was found.
	Says     string
	Evidence []Evidence
	// Missing is what could not be read; with Indeterminate.
	Missing []Missing
	// Step is the next step that fits just this finding; "" the first of Fix.
	Step string
}

// Evidence is one object on which a finding rests.
type Evidence struct {
	ID     string `json:"id,omitempty"`
	Name   string `json:"name,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// Missing is something that was needed and not read.
type Missing struct {
	Part entra.Part `json:"part"`
	// Property that was not selected or not shown; "" the whole part.
	Property string       `json:"property,omitempty"`
	Status   entra.Status `json:"status"`
	Detail   string       `json:"detail,omitempty"`
	// Permission by which it could be read.
	Permission string `json:"permission"`
	Request    string `json:"request,omitempty"`
}
