package sandbox

import "context"

// Attempt is one concrete sign-in: one point, nothing left open.
type Attempt struct {
	UserID string
	AppID  string // the client
	// Resource is the application id of what is asked for.
	Resource  string
	Action    string // user action, "" none: urn:user:registersecurityinfo
	Context   string // authentication context, "" none: c1
	ClientApp string // browser, mobileAppsAndDesktopClients, exchangeActiveSync, other
	Platform  string // windows, macOS, iOS, android, linux, "" unknown
	IP        string
	Country   string // ISO 3166 alpha-2, "" unknown
	UserAgent string
	Device    Device
	// Flow is deviceCodeFlow, authenticationTransfer or "".
	Flow        string
	UserRisk    string // none, low, medium, high
	SignInRisk  string
	InsiderRisk string
	// Used are the combinations' modes that the person has shown, as
	// authenticationMethodModes: password, fido2, softwareOath.
	Used []Shown
	// Password: the resource owner password grant, which can show nothing else.
	PasswordGrant bool
}

// Device is the machine of an attempt; the zero value is a bare one.
type Device struct {
	ID, TrustType       string
	Compliant, Joined   bool // compliant; hybrid joined
	Properties          map[string]string
	ApprovedApp, AppMAM bool
}

// Shown is a method that was used, and the registered method it belongs to.
type Shown struct {
	Mode     string // authenticationMethodMode
	MethodID string
	AAGUID   string
	// Issuer and Policies are of a certificate.
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
	LogID string
}

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
}

// signIn judges an attempt against the tenant as it is and writes the record.
func (s *Server) signIn(ctx context.Context, a Attempt) Outcome { return Outcome{} }

// whatIf answers POST /identity/conditionalAccess/evaluate.
func (s *Server) whatIf(state *State, body Object) ([]Object, error) { return nil, nil }

// Change is one change for the audit log.
type Change struct {
	By       Caller
	Activity string // "Update conditional access policy"
	Category string // Policy, UserManagement, RoleManagement …
	Service  string // loggedByService
	Target   Object // after; nil deleted
	Before   Object // nil created
	Type     string // User, Group, Policy, ServicePrincipal …
	Failed   string // resultReason; "" succeeded
}

// audit writes one record of the audit log. The caller holds the state.
func (s *Server) audit(state *State, c Change) {}
