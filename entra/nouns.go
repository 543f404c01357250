package entra

import (
	"encoding/json"
	"net/netip"
	"time"
)

// LocationKind is the kind of a named location.
type LocationKind int

// The kinds of named locations.
const (
	LocationUnknown          LocationKind = iota // a kind we do not know: matches or not, nobody can say
	LocationIP                                   // #microsoft.graph.ipNamedLocation
	LocationCountry                              // #microsoft.graph.countryNamedLocation
	LocationCompliantNetwork                     // #microsoft.graph.compliantNetworkNamedLocation
)

// NamedLocation is a named location of the tenant.
type NamedLocation struct {
	ID          ID
	DisplayName string
	Kind        LocationKind
	Trusted     bool
	Ranges      []IPRange
	// Countries are ISO 3166 codes, upper case.
	Countries []string
	// IncludeUnknown: addresses without a country belong to the location.
	IncludeUnknown bool
	// GPS is true when the country comes from the Authenticator app
	// (countryLookupMethod authenticatorAppGps).
	GPS        bool
	Unmodelled []Unmodelled
	Origin     Origin
	Raw        json.RawMessage
}

// IPRange is a closed range of addresses of one family.
type IPRange struct{ First, Last netip.Addr }

// CombinationMode is one authenticationMethodMode, for example "fido2".
type CombinationMode string

// The modes that Graph v1.0 names.
const (
	ModePassword            CombinationMode = "password"
	ModeVoice               CombinationMode = "voice"
	ModeHardwareOath        CombinationMode = "hardwareOath"
	ModeSoftwareOath        CombinationMode = "softwareOath"
	ModeSMS                 CombinationMode = "sms"
	ModeFIDO2               CombinationMode = "fido2"
	ModeWindowsHello        CombinationMode = "windowsHelloForBusiness"
	ModeAuthenticatorPush   CombinationMode = "microsoftAuthenticatorPush"
	ModeDeviceBasedPush     CombinationMode = "deviceBasedPush"
	ModeTAPOneTime          CombinationMode = "temporaryAccessPassOneTime"
	ModeTAPMultiUse         CombinationMode = "temporaryAccessPassMultiUse"
	ModeEmail               CombinationMode = "email"
	ModeX509Single          CombinationMode = "x509CertificateSingleFactor"
	ModeX509Multi           CombinationMode = "x509CertificateMultiFactor"
	ModeFederatedSingle     CombinationMode = "federatedSingleFactor"
	ModeFederatedMulti      CombinationMode = "federatedMultiFactor"
	ModeQRCodePin           CombinationMode = "qrCodePin"
	ModeUnknownFutureMember CombinationMode = "unknownFutureValue"
)

// Combination is a set of modes that must be used together.
type Combination []CombinationMode

// AuthStrength is an authentication strength policy.
type AuthStrength struct {
	ID          ID
	DisplayName string
	// PolicyType is "builtIn" or "custom"; "" unknown.
	PolicyType string
	// Combinations is nil when the source gives only the id.
	Combinations []Combination
	// Configurations restrict combinations; meaningful only when
	// ConfigurationsRead.
	Configurations     []CombinationConfiguration
	ConfigurationsRead bool
	Unmodelled         []Unmodelled
	Origin             Origin
	Raw                json.RawMessage
}

// CombinationConfiguration restricts the combinations it names.
type CombinationConfiguration struct {
	// AppliesTo are the combinations bound by this configuration.
	AppliesTo []Combination
	// AAGUIDs is the allow-list of key models; nil when the configuration is
	// not about FIDO2 keys.
	AAGUIDs []string
	// IssuerSKIs and PolicyOIDs restrict certificates: OR within a list, AND
	// between the lists; empty: no restriction.
	IssuerSKIs []string
	PolicyOIDs []string
	// Unknown is true for a configuration of a type we do not know.
	Unknown bool
}

// AuthContext is an authentication context class reference, c1 to c99.
type AuthContext struct {
	ID          string
	DisplayName string
	Available   bool
	Raw         json.RawMessage
}

// MethodsPolicy is the authentication methods policy.
type MethodsPolicy struct {
	// MigrationState is "preMigration", "migrationInProgress",
	// "migrationComplete" or "" unknown.
	MigrationState string
	Methods        []MethodConfiguration
	Campaign       *RegistrationCampaign
	Unmodelled     []Unmodelled
	Origin         Origin
	Raw            json.RawMessage
}

// Method returns the configuration of a method by id ("Fido2",
// "TemporaryAccessPass", …), without case, or nil.
func (m *MethodsPolicy) Method(id string) *MethodConfiguration {
	if m == nil {
		return nil
	}
	for i := range m.Methods {
		if ID(m.Methods[i].ID).Equal(ID(id)) {
			return &m.Methods[i]
		}
	}
	return nil
}

// MethodConfiguration is one method of the authentication methods policy.
type MethodConfiguration struct {
	// ID is Graph's id: Fido2, MicrosoftAuthenticator, Sms, Voice, Email,
	// SoftwareOath, HardwareOath, TemporaryAccessPass, X509Certificate,
	// QRCodePin, or the id of an external method.
	ID string
	// State is "enabled", "disabled" or "" unknown.
	State   string
	Include []MethodTarget
	Exclude []MethodTarget
	// FIDO2 only.
	KeyRestrictions     *KeyRestrictions
	AttestationEnforced bool
	PasskeyProfiles     []PasskeyProfile
	DefaultProfile      ID
	// TAP only.
	TAPOneTimeOnly       bool
	TAPMaxLifetimeMinute int
	// External is true for an external authentication method.
	External   bool
	Unmodelled []Unmodelled
}

// MethodTarget is a user or group in the scope of a method; group id
// "all_users" is everybody.
type MethodTarget struct {
	TargetType string // "group" or "user"
	ID         ID
	// Profiles are the passkey profiles allowed for this target.
	Profiles []ID
	// Method is campaign only: targetedAuthenticationMethod.
	Method string
}

// KeyRestrictions limit FIDO2 key models, at registration and at sign-in
// (entra-docs how-to-enable-passkey-fido2).
type KeyRestrictions struct {
	Enforced bool
	// Enforcement is "allow" or "block"; "" unknown.
	Enforcement string
	AAGUIDs     []string
}

// PasskeyProfile is one passkey profile.
type PasskeyProfile struct {
	ID              ID
	Name            string
	PasskeyTypes    []string // deviceBound, synced
	KeyRestrictions *KeyRestrictions
	Attestation     string // disabled, registrationOnly
}

// RegistrationCampaign nudges, and may force, people to register a method.
type RegistrationCampaign struct {
	State      string // "enabled", "disabled", "default"
	SnoozeDays int
	// Enforce is enforceRegistrationAfterAllowedSnoozes; nil when the source
	// does not say (v1.0 lacks it): read as true.
	Enforce *bool
	Include []MethodTarget
	Exclude []MethodTarget
}

// User is an account.
type User struct {
	ID                ID
	UserPrincipalName string
	DisplayName       string
	UserType          string // "Member", "Guest", "" unknown
	Enabled           *bool  // nil unknown
	OnPremisesSync    *bool
	PasswordPolicies  string
	Deleted           bool
	Unmodelled        []Unmodelled
	Origin            Origin
	Raw               json.RawMessage
}

// Group is a group that decides about an account or a policy.
type Group struct {
	ID             ID
	DisplayName    string
	RoleAssignable *bool
	Dynamic        bool
	// Members are direct members, users and groups; meaningful only when
	// MembersRead.
	Members     []ID
	MembersRead bool
	Origin      Origin
	Raw         json.RawMessage
}

// Assignment says how a role is held.
type Assignment string

// The ways to hold a role.
const (
	AssignmentActive   Assignment = "active"
	AssignmentEligible Assignment = "eligible"
)

// RoleAssignment is one role held by one principal.
type RoleAssignment struct {
	Principal ID // user or group
	// Role is the template id of a built-in role, or the id of a custom one.
	Role       ID
	Scope      string // directoryScopeId; "/" is the tenant
	Assignment Assignment
	End        *time.Time
	Activated  bool // active by activation of an eligibility, ends with it
	Raw        json.RawMessage
}

// RolePolicy is what PIM asks for before an eligible role becomes active.
type RolePolicy struct {
	Role             ID
	ApprovalRequired bool
	Approvers        []ID
	MFARequired      bool
	// AuthContext is the context asked for at activation; "" none.
	AuthContext string
	Raw         json.RawMessage
}

// AuthMethod is a method registered for a user.
type AuthMethod struct {
	// ID is Graph's id of the method, or a name given by a supposition.
	ID ID
	// Type is one of the MethodType constants.
	Type        MethodType
	DisplayName string
	// FIDO2.
	AAGUID      string
	PasskeyType string // deviceBound, synced, "" unknown
	// TAP.
	UsableOnce bool
	// Certificate. MultiFactor is its protection level.
	IssuerSKI   string
	PolicyOIDs  []string
	MultiFactor bool
	Created     *time.Time
	Raw         json.RawMessage
}

// MethodType is the type of a registered method.
type MethodType string

// The types of methods; the names are those that the vectors use.
const (
	MethodUnknown           MethodType = ""
	MethodPassword          MethodType = "password"
	MethodFIDO2             MethodType = "fido2"
	MethodTAP               MethodType = "temporaryAccessPass"
	MethodHardwareOath      MethodType = "hardwareOath"
	MethodSoftwareOath      MethodType = "softwareOath"
	MethodX509              MethodType = "x509"
	MethodSMS               MethodType = "sms"
	MethodVoice             MethodType = "voice"
	MethodAuthenticatorPush MethodType = "microsoftAuthenticatorPush"
	MethodPhoneSignIn       MethodType = "deviceBasedPush"
	MethodWindowsHello      MethodType = "windowsHelloForBusiness"
	MethodPlatform          MethodType = "platformCredential"
	MethodEmail             MethodType = "email"
	MethodQRCodePin         MethodType = "qrCodePin"
	MethodExternal          MethodType = "external"
)

// Account gathers what was read about one judged account. Each list has a
// companion that says whether it was read.
type Account struct {
	ID          ID
	Memberships []ID // transitive, groups only
	MembersRead bool
	Methods     []AuthMethod
	MethodsRead bool
	// PerUserMFA is "disabled", "enabled", "enforced" or "" not read.
	PerUserMFA string
}

// Agreement is a terms-of-use agreement.
type Agreement struct {
	ID          ID
	DisplayName string
	PerDevice   bool
	Raw         json.RawMessage
}

// ServicePrincipal carries what application filters ask of an application.
type ServicePrincipal struct {
	AppID       ID
	DisplayName string
	// Attributes maps "set_attribute" to its values; nil with AttributesRead
	// true means that it has none.
	Attributes     map[string][]string
	AttributesRead bool
	Raw            json.RawMessage
}

// Domain is a domain of the tenant.
type Domain struct {
	Name           string
	Initial        bool
	Authentication string // "Managed", "Federated", "" unknown
	// IdpMFA is federatedIdpMfaBehavior; "" unknown.
	IdpMFA string
	Raw    json.RawMessage
}

// ProtectedAction binds a resource action to an authentication context.
type ProtectedAction struct {
	Action  string // microsoft.directory/conditionalAccessPolicies/basic/update
	Context string // c1 …; "" not protected
	Raw     json.RawMessage
}

// ServicePlan is a licence the tenant holds, by service plan name, for example
// "AAD_PREMIUM_P2".
type ServicePlan string
