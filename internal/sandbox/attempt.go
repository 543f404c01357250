package sandbox

// Attempt is one concrete sign-in: one point, nothing left open. A member left
// at its zero value is a fact too: no risk, a bare device, an unknown country.
type Attempt struct {
	UserID string
	AppID  string // the client
	// Resource is the application id of what is asked for.
	Resource string
	// Audiences are all resources that the sign-in asks for; nil: those that are
	// known for the client, and Resource.
	Audiences []string
	// LowPrivilege: nothing but baselineScopes scopes is asked for (User.Read, openid …).
	LowPrivilege bool
	// Writes: the client is about to create, update or delete.
	Writes    bool
	Action    string // user action, "" none: urn:user:registersecurityinfo
	Context   string // authentication context, "" none: c1
	ClientApp string // browser, mobileAppsAndDesktopClients, exchangeActiveSync, other
	Platform  string // windows, macOS, iOS, android, linux, windowsPhone, "" unknown
	IP        string
	// ResourceIP is the address that the resource sees; "" as IP.
	ResourceIP string
	Country    string // ISO 3166 alpha-2, "" unknown
	// GPSCountry is what Microsoft Authenticator says of the place; "" not shared.
	GPSCountry       string
	CompliantNetwork bool // through the tenant's Global Secure Access
	UserAgent        string
	Device           Device
	// Flow is deviceCodeFlow, authenticationTransfer or "".
	Flow        string
	UserRisk    string // none, low, medium, high
	SignInRisk  string
	InsiderRisk string // none, minor, moderate, elevated
	// Used are the combinations' modes that the person has shown, as
	// authenticationMethodModes: password, fido2, softwareOath; and
	// externalAuthenticationMethod. The first is the primary method.
	Used []Shown
	// Wrong is the mode of a method that was shown and did not verify: the wrong
	// password, an old code. Such an attempt is refused.
	Wrong string
	// PasswordGrant: the resource owner password grant, which can show nothing else.
	PasswordGrant bool
	// Custom: the third party of a custom control said yes.
	Custom bool
	// LockedOut: smart lockout holds the account's password.
	LockedOut bool
	// CorrelationID joins the records of one sign-in; "" makes a new one.
	CorrelationID string
	SessionID     string
	// NonInteractive: a client renews a token without the person.
	NonInteractive bool
	// Outage is "", existingSession (the backup authentication service renews a
	// session) or newSession (it serves none).
	Outage string
}

// Device is the machine of an attempt; the zero value is a bare one.
type Device struct {
	ID, TrustType string // AzureAD, ServerAD, Workplace
	Managed       bool   // by Intune
	// Compliant; hybrid joined.
	Compliant, Joined bool
	// Properties are what a filter for devices sees, by Microsoft's name; several
	// values (physicalIds, systemLabels) are joined by commas.
	Properties map[string]string
	// ApprovedApp, AppMAM: an approved client app; one under an app protection policy.
	ApprovedApp, AppMAM bool
}

func (d *Device) registered() bool { return d.ID != "" || d.TrustType != "" || d.Joined || d.Managed }

func (d *Device) hybrid() bool { return d.Joined || wireSame(d.TrustType, "ServerAD") }

// Shown is a method that was used, and the registered method it belongs to.
type Shown struct {
	Mode     string // authenticationMethodMode
	MethodID string
	AAGUID   string
	// Synced: a passkey that its provider copies.
	Synced bool
	// Issuer (subject key identifier) and Policies (OIDs) are of a certificate.
	Issuer   string
	Policies []string
}

// Outcome is what becomes of an attempt.
type Outcome struct {
	Allowed bool
	// Code is the AADSTS number, 0 when allowed: 50126, 53003, 50076.
	Code   int
	Reason string
	// Wants are combinations of modes of which one would go on; empty when
	// nothing can.
	Wants    [][]string
	Policies []Applied
	// LogID is the id of the record in the sign-in log; "" when only judged.
	LogID         string
	CorrelationID string
	// Blockers are everything that denies, in the order in which it was met.
	Blockers []Blocker
	// Unsure names the behaviours met on the way that Microsoft does not document,
	// sorted: World.Against decided them. A comparison with another judge skips
	// such a point, or judges it both ways.
	Unsure []string
	// MFA: what was shown is multifactor.
	MFA bool
}

// Blocker is one thing that denies: a policy's id, tenant, account or service,
// and the control by Microsoft's name.
type Blocker struct{ Source, Control string }

// Applied is what one policy did, as appliedConditionalAccessPolicies has it.
type Applied struct {
	ID, Name string
	Applies  bool
	// Result is success, failure, notApplied, notEnabled,
	// reportOnlySuccess, reportOnlyFailure, reportOnlyNotApplied,
	// reportOnlyInterrupted.
	Result string
	// Reasons are What-If's analysisReasons of one that does not apply.
	Reasons []string
	Grant   []string
	Session []string
}
