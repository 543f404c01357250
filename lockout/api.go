package lockout

import (
	"halligan/entra"
)

// Outcome is one of three answers.
type Outcome string

// The outcomes. Undetermined is never safe.
const (
	Proved       Outcome = "PROVED"
	Lockout      Outcome = "LOCKOUT"
	Undetermined Outcome = "UNDETERMINED"
)

// Dimension names one coordinate of a sign-in. The names are those of the
// vectors (ca-vectors/1).
type Dimension string

// The dimensions, in the fixed order in which points are compared and printed.
const (
	DimPlatform         Dimension = "platform"
	DimIP               Dimension = "ipLocations" // set of ip named locations that hold the address
	DimCountry          Dimension = "country"     // ISO code, "XX" any other, "unknown"
	DimGPSCountry       Dimension = "gpsCountry"
	DimCompliantNetwork Dimension = "compliantNetwork" // "false", "true"
	DimDevice           Dimension = "device"
	DimSignInRisk       Dimension = "signInRisk"
	DimUserRisk         Dimension = "userRisk"
	DimInsiderRisk      Dimension = "insiderRisk"
	DimClientApp        Dimension = "clientAppType"
	DimFlow             Dimension = "flow"
	DimSmartLockout     Dimension = "smartLockout" // "false", "true"
	DimAuthService      Dimension = "authService"  // normal, outageExistingSession, outageNewSession
	DimResourceIP       Dimension = "resourceSeenIp"
	// DimActivate is no dimension of a sign-in: in an Option it names the
	// eligible role that the operator activates.
	DimActivate Dimension = "activateRole"
)

// Dimensions lists every dimension in order.
var Dimensions = []Dimension{DimPlatform, DimIP, DimCountry, DimGPSCountry, DimCompliantNetwork, DimDevice,
	DimSignInRisk, DimUserRisk, DimInsiderRisk, DimClientApp, DimFlow, DimSmartLockout, DimAuthService, DimResourceIP}

// Quantifier says over which values of a dimension a question ranges, and who
// chooses among them.
type Quantifier struct {
	// Exists: the operator may choose. Otherwise the account must get in
	// whatever the value is.
	Exists bool
	// All values of the dimension ("*"); Values and Devices are then empty.
	All bool
	// Values of every dimension but device. A value of DimIP and
	// DimResourceIP is the comma-joined sorted list of location ids, "" outside
	// every location.
	Values []string
	// Devices of DimDevice.
	Devices []Device
}

// Device is one concrete device.
type Device struct {
	Registered bool `json:"registered"`
	// Managed: Intune-managed, compliant or hybrid joined; extension attributes
	// exist only then.
	Managed bool `json:"managed,omitempty"`
	// Attributes of the device by property name without "device.", for example
	// isCompliant "True", trustType "AzureAD", model "…"; physicalIds and
	// systemLabels may have several values.
	Attributes map[string][]string `json:"attributes,omitempty"`
}

// Stage is what a goal asks for after the sign-in: the performance of a user
// action.
type Stage struct {
	Kind      string     `json:"kind"`   // "userAction"
	Action    string     `json:"action"` // urn:user:registersecurityinfo
	Audiences []entra.ID `json:"audiences,omitempty"`
}

// Goal is what must be reached.
type Goal struct {
	Name           string                `json:"name"`
	Client         entra.ID              `json:"client"`
	Audiences      []entra.ID            `json:"audiences"`
	ClientAppTypes []entra.ClientAppType `json:"clientAppTypes"`
	MandatoryMFA   string                `json:"mandatoryMfa,omitempty"` // "phase1", "phase2", ""
	// LowPrivOnly: only baseline scopes are asked for, at least one of them a
	// directory scope such as User.Read.
	LowPrivOnly bool `json:"lowPrivOnly,omitempty"`
	// Recover: after the sign-in the account must be able to change the
	// Conditional Access policies (ca-semantics 4.6).
	Recover bool   `json:"recover,omitempty"`
	Stage   *Stage `json:"stage,omitempty"`
}

// Question is what is asked about one account.
type Question struct {
	Account entra.ID
	Goal    Goal
	// Envelope overrides the default quantifiers (ca-semantics 0).
	Envelope map[Dimension]Quantifier
	// Now is the time for which vendor dates are read; zero: as if before all
	// of them.
	Now Date
	// Holdings say where credentials are and who holds them, by method id; only
	// margins and independence use them.
	Holdings map[string]Holding
}

// Holding is where a credential lies and who can fetch it.
type Holding struct {
	Site       string
	Custodians []string
}

// Date is a day, "2027-02-01"; "" none. Dates compare as strings.
type Date string

// Verdict is the answer for one account and goal.
type Verdict struct {
	Account entra.ID `json:"account"`
	// AccountName is the user principal name, when it was read.
	AccountName string  `json:"accountName,omitempty"`
	Goal        string  `json:"goal"`
	Outcome     Outcome `json:"verdict"`
	// Supposing repeats the suppositions of the Snapshot. With any, PROVED is
	// only "PROVED supposing".
	Supposing []entra.Supposition `json:"supposing,omitempty"`
	Envelope  []EnvelopeLine      `json:"envelope"`
	// Counterexample is the sign-in that fails: certain when LOCKOUT; when
	// UNDETERMINED it fails on the unfavourable reading only.
	Counterexample *Counterexample `json:"counterexample,omitempty"`
	// Also are further counterexamples, so that every policy that surely denies
	// somewhere is named in one; LOCKOUT only, at most maxAlso.
	Also        []*Counterexample `json:"also,omitempty"`
	Certificate *Certificate      `json:"certificate,omitempty"` // PROVED only
	Unknowns    []Unknown         `json:"unknowns,omitempty"`    // UNDETERMINED only
	// LeansOn are the rules not documented by Microsoft, or ending on a date,
	// on which the verdict rests.
	LeansOn []Lean `json:"leansOn,omitempty"`
	// Warnings are things to know that do not change the verdict.
	Warnings []string `json:"warnings,omitempty"`
	// Policies says of every policy what it means for this account and goal.
	Policies []PolicyLine `json:"policies"`
	Gates    []GateLine   `json:"gates"`
	// Recovery is set for recover goals whose basic/update action is closed:
	// which other ways to repair are still open.
	Recovery []RecoveryPath `json:"recovery,omitempty"`
	// Blast is left empty by Prove; ask Prover.Blast for it.
	Blast *Blast `json:"blast,omitempty"`
}

// EnvelopeLine is one dimension of the envelope.
type EnvelopeLine struct {
	Dimension  Dimension `json:"dimension"`
	Quantifier string    `json:"quantifier"` // "forall" or "exists"
	Values     []string  `json:"values"`
}

// Cause is one thing that denies.
type Cause struct {
	// Source is a policy id, "tenant", "account" or "service".
	Source  string `json:"source"`
	Name    string `json:"name,omitempty"` // display name of the policy
	Control string `json:"control"`        // as named in the vectors' controlNames
	Stage   string `json:"stage"`          // signIn, activation, signInWithRole, stepUp, userAction
	// Because lists what is not known, when the denial is only possible.
	Because []Unknown `json:"because,omitempty"`
}

// Counterexample is a maximal box of sign-ins that all fail.
type Counterexample struct {
	// Point has one value for every dimension that is forall.
	Point map[Dimension]string `json:"point"`
	// Box has, for each forall dimension that matters, the values that fail
	// alike; a dimension that is absent may have any value.
	Box map[Dimension][]string `json:"box"`
	// Options has one entry for each choice of the operator.
	Options []OptionDenial `json:"options"`
	// Causes is the union over the options, without repetition, in the order
	// policy, tenant, account, service.
	Causes   []Cause `json:"causes"`
	Sentence string  `json:"sentence"`
}

// OptionDenial says why one choice of the operator fails.
type OptionDenial struct {
	Option Option  `json:"option"`
	Causes []Cause `json:"causes"`
}

// Option is one choice of the operator: the exists dimensions and a kit.
type Option struct {
	Choice map[Dimension]string `json:"choice"`
	// Kit are the ids of the credentials used in the session, sorted.
	Kit []string `json:"kit"`
}

// Unknown is something that was not read or that Microsoft does not document,
// and that the verdict turns on.
type Unknown struct {
	// ID is a stable slug, for example "group-membership".
	ID string `json:"id"`
	// What is the sentence.
	What string `json:"what"`
	// Settle is what would settle it: an export, a command, a supposition.
	Settle string `json:"settle"`
	// Subject is the policy, group, location … it is about; may be empty.
	Subject string `json:"subject,omitempty"`
}

// Lean is a rule the verdict rests on that is not plainly documented, or that
// ends on a date.
type Lean struct {
	Rule   string `json:"rule"`
	Status string `json:"status"` // "inferred", "unknown", "ends"
	Text   string `json:"text"`
	Source string `json:"source"`
	Until  Date   `json:"until,omitempty"`
}

// Relation is how a policy relates to an account and goal.
type Relation string

// The relations of the account × policy matrix.
const (
	RelNotEnabled Relation = "notEnabled"
	RelExcluded   Relation = "excluded"
	RelNotInScope Relation = "notInScope" // user, target or a condition does not match
	RelSatisfied  Relation = "satisfied"
	RelBlocks     Relation = "blocks"
	RelUnknown    Relation = "unknown"
)

// PolicyLine is one cell of the matrix.
type PolicyLine struct {
	Policy   string    `json:"policy"`
	Name     string    `json:"name"`
	State    string    `json:"state"`
	Relation Relation  `json:"relation"`
	Why      string    `json:"why"`
	Controls []string  `json:"controls,omitempty"` // that deny
	Unknowns []Unknown `json:"unknowns,omitempty"`
	Routes   []Route   `json:"routes,omitempty"` // every exclusion route that holds
	File     string    `json:"file,omitempty"`
	Line     int       `json:"line,omitempty"`
}

// Route is a way by which an account is excluded from (or included in) a
// policy.
type Route struct {
	Kind string `json:"kind"` // user, group, role, guest
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// GateLine is a hurdle outside the policies.
type GateLine struct {
	Gate     string    `json:"gate"`
	OK       bool      `json:"ok"`
	Why      string    `json:"why"`
	Unknowns []Unknown `json:"unknowns,omitempty"`
}

// RecoveryPath is another way to repair when editing policies is closed.
type RecoveryPath struct {
	Path string `json:"path"`
	Open string `json:"open"` // "yes", "no", "unknown"
	Why  string `json:"why"`
}

// Blast is how much of the sign-in space is denied.
type Blast struct {
	// Share is the exact share of the classes of sign-in that is denied.
	Share float64 `json:"share"`
	// Denied and Points are the exact counts behind Share.
	Denied uint64 `json:"denied"`
	Points uint64 `json:"points"`
	// Only lists, per policy, the share that only this policy denies.
	Only []BlastShare `json:"only,omitempty"`
}

// BlastShare is one policy's own part of a Blast.
type BlastShare struct {
	Policy string  `json:"policy"`
	Name   string  `json:"name"`
	Share  float64 `json:"share"`
}
