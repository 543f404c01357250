package entra

import "encoding/json"

// PolicyState is the state of a Conditional Access policy.
type PolicyState string

// The states of a policy. StateUnknown stands for a state that is missing (a
// template) or spelled in a way we do not know.
const (
	StateUnknown    PolicyState = ""
	StateEnabled    PolicyState = "enabled"
	StateReportOnly PolicyState = "enabledForReportingButNotEnforced"
	StateDisabled   PolicyState = "disabled"
)

// Policy is one Conditional Access policy
// (graph: microsoft.graph.conditionalAccessPolicy).
type Policy struct {
	ID          ID // empty in templates; Snapshot gives such a policy an id of its own
	DisplayName string
	State       PolicyState
	TemplateID  ID
	// Managed is true for a policy that Microsoft created and may switch on
	// by itself; its display name says so ("Microsoft-managed: …").
	Managed    bool
	Conditions Conditions
	Grant      Grant
	Session    Session
	// Unmodelled lists what was found non-null in the policy and is not
	// represented above.
	Unmodelled []Unmodelled
	// Foreign lists keys that a tool, not Graph, put beside the policy. They
	// carry no meaning for the sign-in.
	Foreign []string
	Origin  Origin
	// Raw is the policy as it was read, in canonical form: UTF-8, keys of
	// every object sorted, no white space; spelling of keys kept.
	Raw json.RawMessage
}

// Label returns what a person calls the policy: its display name, else its id.
func (p *Policy) Label() string {
	if p.DisplayName != "" {
		return p.DisplayName
	}
	if p.ID != "" {
		return string(p.ID)
	}
	return "(policy without a name)"
}

// Origin says where an object was read.
type Origin struct {
	File string // as the reader named it; a zip member is "archive.zip!member"
	Line int    // 1-based line at which the object begins; 0 unknown
	Path string // JSON path inside the file, for example ".value[3]"
}

// Area tells which part of a policy an unmodelled item belongs to; it decides
// how a prover widens the policy.
type Area int

// The areas of a policy.
const (
	AreaOther      Area = iota // top level, or anything not below
	AreaUsers                  // conditions.users
	AreaTarget                 // conditions.applications
	AreaConditions             // any other condition
	AreaGrant                  // grantControls
	AreaSession                // sessionControls
)

// Unmodelled is something in the source that has no place in our types.
type Unmodelled struct {
	Area Area
	// Path of the key, dotted, as the source spells it, for example
	// "conditions.times" or "grantControls.builtInControls[1]".
	Path string
	// Value is the JSON of the value, cut at 200 bytes.
	Value string
	// Kind is "key", "member" (an enum member), "type" (a value of a type
	// we did not expect) or "duplicate" (a key given twice with different
	// values).
	Kind string
}

// Conditions are the assignments of a policy. All of them must match.
type Conditions struct {
	Users          Users
	Applications   Applications
	ClientAppTypes []ClientAppType // empty: all
	Platforms      *Platforms      // nil: no condition
	Locations      *Locations      // nil: no condition
	DeviceFilter   *Filter         // nil: no condition
	SignInRisk     []RiskLevel     // empty: no condition
	UserRisk       []RiskLevel
	InsiderRisk    []InsiderRisk
	// Flows are conditions.authenticationFlows.transferMethods; empty: no
	// condition.
	Flows []AuthFlow
	// WorkloadRisk is servicePrincipalRiskLevels: policies for workload
	// identities only.
	WorkloadRisk []RiskLevel
	// Workload is true when clientApplications names service principals or
	// agent identities, or a filter over them.
	Workload bool
	// Agents is true when one of agents, agentContext, agentIdRiskLevels is
	// set to something.
	Agents bool
}

// Users says whom a policy includes and excludes. An exclusion by any route
// wins over every inclusion.
type Users struct {
	// IncludeUsers holds ids, "All", "None" or "GuestsOrExternalUsers".
	IncludeUsers, ExcludeUsers   []ID
	IncludeGroups, ExcludeGroups []ID
	// IncludeRoles, ExcludeRoles hold template ids of built-in roles.
	IncludeRoles, ExcludeRoles   []ID
	IncludeGuests, ExcludeGuests *Guests
}

// Guests is guestsOrExternalUsers: kinds of guests, and of which tenants.
type Guests struct {
	// Types are the members of the comma string guestOrExternalUserTypes.
	Types []GuestType
	// AllTenants is false when only the tenants in Tenants are meant.
	AllTenants bool
	Tenants    []ID
}

// GuestType is one kind of guest or external user.
type GuestType string

// The kinds of guests.
const (
	GuestInternal         GuestType = "internalGuest"
	GuestB2BCollaboration GuestType = "b2bCollaborationGuest"
	GuestB2BMember        GuestType = "b2bCollaborationMember"
	GuestB2BDirect        GuestType = "b2bDirectConnectUser"
	GuestOther            GuestType = "otherExternalUser"
	GuestServiceProvider  GuestType = "serviceProvider"
)

// Applications says for which targets a policy is meant.
type Applications struct {
	// Include holds application ids, "All", "None", "Office365",
	// "MicrosoftAdminPortals" or "AllAgentIdResources".
	Include, Exclude []ID
	Filter           *Filter
	UserActions      []string // urn:user:registersecurityinfo, …
	AuthContexts     []string // c1 … c99
	// GlobalSecureAccess is true when the policy targets network traffic
	// profiles (networkAccess, globalSecureAccess).
	GlobalSecureAccess bool
}

// Filter is a rule over devices, applications or service principals.
type Filter struct {
	Mode FilterMode
	Rule string
}

// FilterMode says what a filter does with those it matches.
type FilterMode string

// The modes of a filter.
const (
	FilterUnknown FilterMode = ""
	FilterInclude FilterMode = "include"
	FilterExclude FilterMode = "exclude"
)

// ClientAppType is the kind of program that signs in.
type ClientAppType string

// The kinds of client. ClientEAS contains easSupported.
const (
	ClientAll     ClientAppType = "all"
	ClientBrowser ClientAppType = "browser"
	ClientNative  ClientAppType = "mobileAppsAndDesktopClients"
	ClientEAS     ClientAppType = "exchangeActiveSync"
	ClientOther   ClientAppType = "other"
)

// Platforms is the device platform condition.
type Platforms struct{ Include, Exclude []Platform }

// Platform is a device platform as Conditional Access reads it from the user
// agent.
type Platform string

// The platforms. PlatformUnknown is a sign-in whose user agent names none of
// the others; PlatformAll includes it.
const (
	PlatformAll          Platform = "all"
	PlatformWindows      Platform = "windows"
	PlatformMacOS        Platform = "macOS"
	PlatformLinux        Platform = "linux"
	PlatformAndroid      Platform = "android"
	PlatformIOS          Platform = "iOS"
	PlatformWindowsPhone Platform = "windowsPhone"
	PlatformUnknown      Platform = "unknown"
)

// Locations is the network condition: ids of named locations, "All" or
// "AllTrusted".
type Locations struct{ Include, Exclude []ID }

// RiskLevel is a level of sign-in, user or service principal risk.
type RiskLevel string

// The levels of risk a policy can name.
const (
	RiskNone   RiskLevel = "none"
	RiskLow    RiskLevel = "low"
	RiskMedium RiskLevel = "medium"
	RiskHigh   RiskLevel = "high"
)

// InsiderRisk is a level of insider risk (Purview adaptive protection).
type InsiderRisk string

// The levels of insider risk.
const (
	InsiderNone     InsiderRisk = "none"
	InsiderMinor    InsiderRisk = "minor"
	InsiderModerate InsiderRisk = "moderate"
	InsiderElevated InsiderRisk = "elevated"
)

// AuthFlow is an authentication flow (transferMethods).
type AuthFlow string

// The flows. FlowNone is an ordinary sign-in.
const (
	FlowNone       AuthFlow = "none"
	FlowDeviceCode AuthFlow = "deviceCodeFlow"
	FlowTransfer   AuthFlow = "authenticationTransfer"
)

// Grant is what a policy asks for. A zero Grant asks for nothing.
type Grant struct {
	// Operator is "AND", "OR", or "" when the source does not say.
	Operator GrantOperator
	// Controls are builtInControls in Graph's spelling; a member that we do
	// not know is kept as spelled.
	Controls []GrantControl
	// Strength is the authentication strength, at least its id.
	Strength      *AuthStrength
	TermsOfUse    []ID
	CustomFactors []string
}

// GrantOperator joins the items of a grant.
type GrantOperator string

// The operators.
const (
	OperatorUnknown GrantOperator = ""
	OperatorAnd     GrantOperator = "AND"
	OperatorOr      GrantOperator = "OR"
)

// GrantControl is a built-in grant control.
type GrantControl string

// The built-in controls of Graph v1.0.
const (
	ControlBlock                 GrantControl = "block"
	ControlMFA                   GrantControl = "mfa"
	ControlCompliantDevice       GrantControl = "compliantDevice"
	ControlDomainJoinedDevice    GrantControl = "domainJoinedDevice"
	ControlApprovedApplication   GrantControl = "approvedApplication"
	ControlCompliantApplication  GrantControl = "compliantApplication"
	ControlPasswordChange        GrantControl = "passwordChange"
	ControlRiskRemediation       GrantControl = "riskRemediation"
	ControlUnknownFutureValue    GrantControl = "unknownFutureValue"
	ControlCompliantNetworkGrant GrantControl = "compliantNetwork" // seen in exports, not in the metadata: not modelled
)

// Session holds the session controls that are switched on. Objects whose
// members are all null, or that say isEnabled false, are off.
type Session struct {
	SignInFrequency *SignInFrequency
	// PersistentBrowser is the mode, "always" or "never"; "" off.
	PersistentBrowser string
	// CloudAppSecurity is the type, "mcasConfigured", "monitorOnly",
	// "blockDownloads" or another; "" off.
	CloudAppSecurity           string
	AppEnforcedRestrictions    bool
	DisableResilienceDefaults  bool
	SecureSignInSession        bool
	ContinuousAccessEvaluation string // "strictLocation", "disabled", "strictEnforcement"; "" default
	GlobalSecureAccess         bool   // globalSecureAccessFilteringProfile, networkAccessSecurity
}

// SignInFrequency is how often the person must sign in again.
type SignInFrequency struct {
	EveryTime bool
	Value     int    // with Unit, when not EveryTime
	Unit      string // "hours" or "days"
	// AuthenticationType is "primaryAndSecondaryAuthentication" or
	// "secondaryAuthentication".
	AuthenticationType string
}
