package lockout

import "halligan/entra"

// CertificateSchema names the form of a certificate. The form is documented in
// docs/prover.md so that others can write a checker.
const CertificateSchema = "halligan-certificate/1"

// Certificate is a proof that can be checked line by line against the canonical
// JSON of the Snapshot, without trusting the search that found it.
//
// The claim: for every forall-point of the envelope, the leaf whose region
// holds the point names an option (an operator's choice and a kit) under which
// no policy and no gate denies, on the unfavourable reading of everything that
// is not known.
type Certificate struct {
	Schema   string   `json:"schema"`
	Snapshot string   `json:"snapshot"` // SHA-256 of the canonical JSON
	Account  entra.ID `json:"account"`
	Goal     Goal     `json:"goal"`
	Now      Date     `json:"now,omitempty"`
	// Supposing repeats the suppositions of the Snapshot.
	Supposing []entra.Supposition `json:"supposing,omitempty"`
	// Dimensions are the forall dimensions with all their classes, in order.
	Dimensions []CertDimension `json:"dimensions"`
	Options    []Option        `json:"options"` // only those that leaves name
	// Leaves partition the forall space. With one option there is one leaf whose
	// region is empty (everything).
	Leaves []Leaf     `json:"leaves"`
	Lines  []CertLine `json:"lines"`
	Gates  []CertGate `json:"gates"`
}

// CertDimension is a forall dimension and its classes.
type CertDimension struct {
	Dimension Dimension `json:"dimension"`
	Values    []string  `json:"values"`
	Devices   []Device  `json:"devices,omitempty"` // DimDevice: in the order of Values
}

// Leaf is a box of forall-points and the option that works in it.
type Leaf struct {
	// Region maps a dimension to the values inside; an absent dimension is
	// unrestricted.
	Region map[Dimension][]string `json:"region,omitempty"`
	Option int                    `json:"option"` // index into Options
}

// The reasons of a CertLine.
const (
	ReasonNotEnabled      = "notEnabled"      // state is report-only or disabled
	ReasonUserNotIncluded = "userNotIncluded" // no include route reaches the account
	ReasonExcluded        = "excluded"        // Route holds
	ReasonTarget          = "targetNotInGoal" // no audience or action of the stage is in scope
	ReasonDisjoint        = "disjoint"        // the condition Condition matches no sign-in of the leaf
	ReasonSatisfied       = "satisfied"       // wherever it applies in the leaf, what it asks for is met
)

// CertLine is one policy in one stage and leaf.
type CertLine struct {
	Policy string `json:"policy"`
	Stage  string `json:"stage"`
	// Leaf is the index of the leaf the line is about; -1: all of them.
	Leaf   int    `json:"leaf"`
	Reason string `json:"reason"`
	// State for ReasonNotEnabled.
	State string `json:"state,omitempty"`
	// Route for ReasonExcluded.
	Route *Route `json:"route,omitempty"`
	// Condition for ReasonDisjoint: platforms, locations, clientAppTypes,
	// devices, signInRisk, userRisk, insiderRisk, authenticationFlows.
	Condition string `json:"condition,omitempty"`
	// Items for ReasonSatisfied: the items of the grant that are met and by
	// what. With operator OR at least one, with AND all. Empty when the policy
	// asks for nothing.
	Items []CertItem `json:"items,omitempty"`
}

// CertItem is one satisfied item of a grant.
type CertItem struct {
	Control string `json:"control"` // as in Cause.Control
	// Credential ids whose modes make up Combination; empty for device
	// controls, terms of use and supersession.
	Credentials []string                `json:"credentials,omitempty"`
	Combination []entra.CombinationMode `json:"combination,omitempty"`
	// By names what satisfies it when that is no credential: "device",
	// "browser" (terms of use), or the id of the risk remediation policy that
	// supersedes a password change.
	By string `json:"by,omitempty"`
}

// CertGate is one gate in one leaf.
type CertGate struct {
	Gate string `json:"gate"`
	Leaf int    `json:"leaf"` // -1: all
	// Reason is a short word per gate, see docs/prover.md.
	Reason      string                  `json:"reason"`
	Credentials []string                `json:"credentials,omitempty"`
	Combination []entra.CombinationMode `json:"combination,omitempty"`
	Detail      string                  `json:"detail,omitempty"`
}
