package entra

import (
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"sync"
	"time"
)

// Part names one part of a Snapshot.
type Part string

// The parts of a Snapshot. The names are the keys of its JSON form.
const (
	PartPolicies         Part = "conditionalAccessPolicies"
	PartLocations        Part = "namedLocations"
	PartStrengths        Part = "authenticationStrengthPolicies"
	PartContexts         Part = "authenticationContextClassReferences"
	PartMethodsPolicy    Part = "authenticationMethodsPolicy"
	PartSecurityDefaults Part = "securityDefaults"
	PartAuthorization    Part = "authorizationPolicy"
	PartUsers            Part = "users"
	PartGroups           Part = "groups"
	PartAccounts         Part = "accounts" // memberships, methods, per-user MFA of the judged accounts
	PartRoleAssignments  Part = "roleAssignments"
	PartRoleEligibility  Part = "roleEligibility"
	PartRolePolicies     Part = "roleManagementPolicies"
	PartProtectedActions Part = "protectedActions"
	PartAgreements       Part = "agreements"
	PartApplications     Part = "servicePrincipals"
	PartDomains          Part = "domains"
	PartLicences         Part = "subscribedSkus"
)

// Status says how much of a part is there.
type Status string

// The statuses of a part. Only StatusRead allows a conclusion from absence.
const (
	StatusNotAsked Status = "notAsked"
	StatusRead     Status = "read"
	StatusDenied   Status = "denied"
	StatusCutShort Status = "cutShort"
)

// PartState is the status of a part and, unless it was read, the reason.
type PartState struct {
	Status Status `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// Content is what a Snapshot is made of. It is the mutable form: build one,
// then hand it to NewSnapshot.
type Content struct {
	TenantID ID
	// Cloud is "public", "usgov", "china", or "" unknown (read as public).
	Cloud string
	Taken time.Time // zero unknown
	Parts map[Part]PartState

	Policies         []Policy
	Locations        []NamedLocation
	Strengths        []AuthStrength
	Contexts         []AuthContext
	MethodsPolicy    *MethodsPolicy
	SecurityDefaults *bool
	SSPRAllowed      *bool // authorizationPolicy.allowedToUseSSPR
	Users            []User
	Groups           []Group
	Accounts         []Account
	RoleAssignments  []RoleAssignment // active and eligible
	RolePolicies     []RolePolicy
	ProtectedActions []ProtectedAction
	Agreements       []Agreement
	Applications     []ServicePrincipal
	Domains          []Domain
	ServicePlans     []ServicePlan

	// Objects are objects as Graph gave them, and Readings how much of the parts
	// that are read for one subject at a time was read for whom.
	Objects  []Object
	Readings []Reading

	// LegacyMethods are the methods still enabled in the legacy MFA settings,
	// nil when nobody said. Graph does not tell; a person does.
	LegacyMethods []MethodType
	// LowPrivilegeScopes is the tenant's choice for baseline scopes (entra-docs
	// concept-enforcement-resource-exclusions); nil unknown or customized.
	LowPrivilegeScopes *bool
	// CampaignForced, when not nil, is a registration campaign whose skips are
	// used up, as a person or a vector states it.
	CampaignForced *RegistrationCampaign

	// RegistrationRuledOut: a person stated that the accounts are outside the
	// scope of SSPR registration and of the ID Protection registration policy.
	RegistrationRuledOut bool

	// Supposed are the statements by which a person filled in what was not read,
	// already applied to the parts above. A verdict on a Snapshot that has any is
	// "supposing" them.
	Supposed []Supposition

	// Troubles are what could not be read or decoded; a Snapshot with any is
	// incomplete.
	Troubles []Trouble
	// Notes are peculiarities of the source that changed nothing.
	Notes []Trouble
}

// Trouble is one thing that could not be read or decoded.
type Trouble struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`   // 1-based; 0 unknown
	Column int    `json:"column,omitempty"` // 1-based, in bytes; 0 unknown
	What   string `json:"what"`
	// Other is the file that has the same object with other content, or nothing
	// when the trouble is another one. JSON has it in the words only.
	Other string `json:"-"`
}

// Supposition is one statement of a person about the tenant.
type Supposition struct {
	// Expression is what the person wrote, for example "member=GROUP".
	Expression string `json:"expression"`
	// Meaning is the whole statement as a sentence, with everything it implies.
	Meaning string `json:"meaning"`
}

// Snapshot is an immutable reading of a tenant. Make one with NewSnapshot or
// Read. All its methods may be called from several goroutines.
type Snapshot struct {
	content Content
	once    sync.Once // fills json and digest
	json    []byte
	digest  string

	indexOnce sync.Once // fills indexed
	indexed   *objectIndex
}

// NewSnapshot makes a Snapshot of the content and takes ownership of it. Parts
// without a state are StatusNotAsked. Policies without an id get one of their
// own; what was given twice is kept once, with a Note; objects that share an id
// and differ are all kept, with a Trouble.
func NewSnapshot(c Content) *Snapshot {
	c.settle()
	return &Snapshot{content: c}
}

// JSON returns the canonical JSON of the Snapshot (docs/snapshot.md): UTF-8, no
// white space, keys of every object in bytewise order. Read takes it back to a
// Snapshot with the same digest. It must not be changed.
func (s *Snapshot) JSON() []byte {
	s.once.Do(func() {
		n := snapshotNode(&s.content)
		s.json = n.canonical(make([]byte, 0, 1<<16))
		sum := sha256.Sum256(s.json)
		s.digest = hex.EncodeToString(sum[:])
	})
	return s.json
}

// Digest returns the SHA-256 of the canonical JSON in lower-case hexadecimal.
func (s *Snapshot) Digest() string {
	s.JSON()
	return s.digest
}

// Content returns a copy of the content that may be changed, all of it. Whoever
// changes an object that carries Raw clears Raw, and NewSnapshot writes it anew.
func (s *Snapshot) Content() Content {
	return deepCopy(reflect.ValueOf(s.content)).Interface().(Content)
}

// View returns the content for reading. It and everything it points to must
// not be changed; Content returns a copy that may be.
func (s *Snapshot) View() *Content { return &s.content }

// Status returns the state of a part.
func (s *Snapshot) Status(p Part) PartState {
	if st, ok := s.content.Parts[p]; ok {
		return st
	}
	return PartState{Status: StatusNotAsked}
}

// Incomplete reports whether something that was to be read could not be: there
// is a Trouble, or a part that was denied or cut short.
func (s *Snapshot) Incomplete() bool {
	if len(s.content.Troubles) > 0 {
		return true
	}
	for _, st := range s.content.Parts {
		if st.Status == StatusDenied || st.Status == StatusCutShort {
			return true
		}
	}
	return false
}

// PoliciesRead returns how many policies were read.
func (s *Snapshot) PoliciesRead() int { return len(s.content.Policies) }
