package sandbox

import "time"

// What Microsoft publishes and the evaluator leans on. It is held here a second
// time on purpose: a wrong fact in the prover's tables must not agree with itself.

// Applications by id.
const (
	msPortal       = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c" // Azure portal; Entra and Intune admin centers
	msM365         = "00000006-0000-0ff1-ce00-000000000000" // Microsoft 365 admin center
	msARM          = "797f4846-ba00-4fd7-ba43-dac1f8f63013" // Windows Azure Service Management API
	msGraph        = "00000003-0000-0000-c000-000000000000"
	msDirectory    = "00000002-0000-0000-c000-000000000000"
	msCLI          = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	msPowerShell   = "1950a258-227b-4e31-a9cf-717495945fc2"
	msSecurityInfo = "19db86c3-b2b9-44cc-b339-36da233a3be2" // My Sign-Ins, which holds the security-info page
)

// What a sign-in to a portal asks for beside itself (entra-docs
// identity/conditional-access/troubleshoot-conditional-access, "Audience
// reporting"; the sets are inferred).
var audiencesOf = map[string][]string{
	msPortal: {msPortal, msARM, msGraph, msDirectory},
	msM365:   {msM365, msARM, msGraph, msDirectory},
}

// Names that stand for several applications in a policy (entra-docs
// identity/conditional-access/concept-conditional-access-cloud-apps and
// reference-office-365-application-contents; application ids of the names there
// from verify-first-party-apps-sign-in).
var appGroups = map[string][]string{
	"microsoftadminportals": {msPortal, msM365, "497effe9-df71-4043-a8bb-14cf78c4b63b", "80ccca67-54bd-44ab-8625-4b79c4dc7775"},
	msARM: {msPortal, "e9f49c6b-5ce5-44c8-925d-015017e9f7ad", "f5c26e74-f226-4ae8-85f0-b4af0080ac9e",
		"ca7f3f0b-7d91-482c-8e09-c5d840d0eac5"},
	"office365": {
		"00000002-0000-0ff1-ce00-000000000000", "00000003-0000-0ff1-ce00-000000000000", "00000004-0000-0ff1-ce00-000000000000",
		"00000005-0000-0ff1-ce00-000000000000", msM365, "00000007-0000-0ff1-ce00-000000000000",
		"0f698dd4-f011-4d23-a33e-b36416dcb1e6", "08e18876-6177-487e-b8b5-cf950c1e598c", "1fec8e78-bce4-4aaf-ab1b-5451cc387264",
		"243c63a3-247d-41c5-9d83-7788c43f1c43", "2d4d3d8e-2be3-4bef-9f87-7875a61c29de", "4345a7b9-9a63-4910-a426-35363201d503",
		"4765445b-32c6-49b0-83e6-1d93765276ca", "4b233688-031c-404b-9a80-a4f3f2351f90", "5e3ce6c0-2b1f-4285-8d4b-75ee78787346",
		"66a88757-258c-4c72-893c-3e8bed4d6899", "80ccca67-54bd-44ab-8625-4b79c4dc7775", "89bee1f7-5e6e-4d8a-9f3d-ecd601259da7",
		"905fcf26-4eb7-48a0-9ff0-8dcc7194b5ba", "93d53678-613d-4013-afc1-62e9e444a0a5", "94c63fef-13a3-47bc-8074-75af8c65887a",
		"944f0bd1-117b-4b1c-af26-804ed95e767e", "0cd196ee-71bf-4fd6-a57c-b491ffd4fb1e", "95de633a-083e-42f5-b444-a4295d8e9314",
		"ab9b8c07-8f02-4f72-87fa-80105867a763", "c9a559d2-7aab-4f13-a6ed-e7e9c52aec87", "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe",
		"cf53fce8-def6-4aeb-8d30-b158e7b1cf83", "d3590ed6-52b3-4102-aeff-aad2292ab01c"},
}

// Locations that are no objects of the tenant (entra-docs
// identity/conditional-access/concept-assignment-network).
const (
	placeAll        = "all"
	placeAllTrusted = "alltrusted"
	placeMFATrusted = "00000000-0000-0000-0000-000000000000" // the MFA trusted IPs, whose ranges Graph does not show
	placeCompliant  = "3d46dbda-8382-466a-856d-eb00cbc6b910" // all compliant network locations
)

// Dates of what Microsoft enforces on everyone (entra-docs
// identity/authentication/concept-mandatory-multifactor-authentication;
// concept-sms-voice-retirement; conditional-access/how-to-migrate-custom-controls-external-mfa,
// where "early 2027" is read as its first day).
var (
	mandatoryPortals  = time.Date(2024, 10, 1, 0, 0, 0, 0, time.UTC)
	mandatoryM365     = time.Date(2025, 2, 1, 0, 0, 0, 0, time.UTC)
	mandatoryClients  = time.Date(2025, 10, 1, 0, 0, 0, 0, time.UTC)
	mandatoryNoDelay  = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	telephonyEnds     = time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)
	customControlsEnd = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Roles that do MFA at every sign-in under security defaults (entra-docs
// fundamentals/security-defaults).
var securityDefaultsRoles = map[string]bool{
	"62e90394-69f5-4237-9190-012177145e10": true, // Global Administrator
	"9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": true, // Application Administrator
	"c4e39bd9-1100-46d3-8c65-fb160da0071f": true, // Authentication Administrator
	"0526716b-113d-4c15-b2c8-68e3c22b9f80": true, // Authentication Policy Administrator
	"b0f54661-2d74-4c50-afa3-1ec803f12efe": true, // Billing Administrator
	"158c047a-c907-4556-b7ef-446551a6b5f7": true, // Cloud Application Administrator
	"b1be1c3e-b65d-4f19-8427-f6fa0d97feb9": true, // Conditional Access Administrator
	"29232cdf-9323-42fd-ade2-1d097af3e4de": true, // Exchange Administrator
	"729827e3-9c14-49f7-bb1b-9608f156bbb8": true, // Helpdesk Administrator
	"45d8d3c5-c802-45c6-b32a-1d70b5e1e86e": true, // Identity Governance Administrator
	"966707d0-3269-4727-9be2-8c3a10f19b9d": true, // Password Administrator
	"7be44c8a-adaf-4e2a-84d6-ab2649e08a13": true, // Privileged Authentication Administrator
	"e8611ab8-c189-46e8-94e1-60213ab1f814": true, // Privileged Role Administrator
	"194ae4cb-b126-40b2-bd5b-6091b380977d": true, // Security Administrator
	"f28a1f50-f6e7-4571-818b-6a12f2af6b6c": true, // SharePoint Administrator
	"69091246-20e8-4a56-aa4d-066075b2a7a8": true, // Teams Administrator
	"fe930be7-5e62-47db-91af-98c3a49a38b1": true, // User Administrator
}

// Built-in authentication strengths, for a tenant whose state does not spell
// them out (Graph authenticationStrengthPolicy; entra-docs
// identity/authentication/concept-authentication-strengths).
var judgedStrengths = map[string][]string{
	"00000000-0000-0000-0000-000000000002": {"windowshelloforbusiness", "fido2", "x509certificatemultifactor", "devicebasedpush",
		"temporaryaccesspassonetime", "temporaryaccesspassmultiuse", "password,microsoftauthenticatorpush", "password,softwareoath",
		"password,hardwareoath", "password,x509certificatesinglefactor", "password,x509certificatemultifactor", "password,sms",
		"password,voice", "federatedmultifactor", "federatedsinglefactor,microsoftauthenticatorpush",
		"federatedsinglefactor,softwareoath", "federatedsinglefactor,hardwareoath", "federatedsinglefactor,sms",
		"federatedsinglefactor,voice"},
	"00000000-0000-0000-0000-000000000003": {"windowshelloforbusiness", "fido2", "x509certificatemultifactor", "devicebasedpush"},
	"00000000-0000-0000-0000-000000000004": {"windowshelloforbusiness", "fido2", "x509certificatemultifactor"},
}

const strengthMFA = "00000000-0000-0000-0000-000000000002"

// methodMode says of an authentication method mode which method configuration rules
// it, which kind of registered method it needs, and what it can do.
type methodMode struct {
	name    string // as authenticationMethodModes spells it
	config  string // authenticationMethodConfiguration id; "" none
	kind    string // @odata.type of the registered method, without prefix and suffix; "" none
	primary bool
	legacy  bool   // the legacy MFA settings can enable it too, until the migration is complete
	amr     string // amr value of a token
	log     string // authenticationDetails.authenticationMethod of a sign-in record
}

// methodModes by name in lower case (Graph authenticationMethodModes; entra-docs
// identity/authentication/concept-authentication-methods-manage).
var methodModes = map[string]methodMode{
	"password":                     {"password", "", "password", true, false, "pwd", "Password"},
	"fido2":                        {"fido2", "fido2", "fido2", true, false, "fido", "Passkey (device-bound)"},
	"windowshelloforbusiness":      {"windowsHelloForBusiness", "", "windowsHelloForBusiness", true, false, "hwk", "Windows Hello for Business"},
	"x509certificatemultifactor":   {"x509CertificateMultiFactor", "x509Certificate", "", true, false, "rsa", "X.509 Certificate"},
	"x509certificatesinglefactor":  {"x509CertificateSingleFactor", "x509Certificate", "", true, false, "rsa", "X.509 Certificate"},
	"temporaryaccesspassonetime":   {"temporaryAccessPassOneTime", "temporaryAccessPass", "temporaryAccessPass", true, false, "otp", "Temporary Access Pass"},
	"temporaryaccesspassmultiuse":  {"temporaryAccessPassMultiUse", "temporaryAccessPass", "temporaryAccessPass", true, false, "otp", "Temporary Access Pass"},
	"devicebasedpush":              {"deviceBasedPush", "microsoftAuthenticator", "microsoftAuthenticator", true, false, "ngcmfa", "Passwordless phone sign-in"},
	"microsoftauthenticatorpush":   {"microsoftAuthenticatorPush", "microsoftAuthenticator", "microsoftAuthenticator", false, true, "mfa", "Mobile app notification"},
	"softwareoath":                 {"softwareOath", "softwareOath", "softwareOath", false, true, "otp", "OATH verification code"},
	"hardwareoath":                 {"hardwareOath", "hardwareOath", "hardwareOath", false, true, "otp", "OATH hardware token"},
	"sms":                          {"sms", "sms", "phone", false, true, "sms", "Text message"},
	"voice":                        {"voice", "voice", "phone", false, true, "tel", "Phone call approval"},
	"federatedsinglefactor":        {"federatedSingleFactor", "", "", true, false, "fed", "Federated"},
	"federatedmultifactor":         {"federatedMultiFactor", "", "", true, false, "fed", "Federated"},
	"qrcodepin":                    {"qrCodePin", "qrCodePin", "qrCodePin", true, false, "otp", "QR code"},
	"externalauthenticationmethod": {"externalAuthenticationMethod", "", "", false, false, "mfa", "External authentication method"},
}
