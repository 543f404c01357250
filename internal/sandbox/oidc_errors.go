package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"time"
)

// errorPage is where the numbers and texts of the table come from.
const errorPage = "entra-docs identity-platform/reference-error-codes"

// stsError is one error of the sign-in service.
type stsError struct {
	code   int
	oauth  string // RFC 6749 section 5.2
	status int
	text   string // %s are filled by fail
	source string // where it is documented, when not on errorPage
}

const (
	deviceFlowPage     = "entra-docs identity-platform/v2-oauth2-device-code"
	assertionPage      = "entra-docs identity-platform/certificate-credentials"
	clientCredsPage    = "entra-docs identity-platform/v2-oauth2-client-creds-grant-flow"
	federationPage     = "entra-docs workload-id/workload-identity-federation-troubleshoot"
	authCodePage       = "entra-docs identity-platform/v2-oauth2-auth-code-flow"
	deviceFlowStandard = "RFC 8628 section 3.5"
)

// Errors whose AADSTS number no page tells: they go out without one.
const (
	declined = -1 - iota
	slowDown
)

// stsErrors are the errors that this sandbox gives, by AADSTS number.
var stsErrors = stsTable([]stsError{
	{16000, "interaction_required", 400, "User account does not exist in tenant '%s' and cannot access the application '%s' in that tenant.", ""},
	{28000, "invalid_request", 400, "Provided value for the input parameter scope is not valid because it contains more than one resource. Scope %s is not valid.", authCodePage},
	{50000, "temporarily_unavailable", 500, "There was an error issuing a token or an issue with our sign-in service.", ""},
	{50011, "invalid_request", 400, "The redirect URI '%s' specified in the request does not match the redirect URIs configured for the application '%s'.", ""},
	{50012, "invalid_client", 401, "Authentication failed: %s.", ""},
	{50034, "invalid_grant", 400, "The user account %s does not exist in the %s directory.", ""},
	{50057, "invalid_grant", 400, "The user account is disabled.", ""},
	{50058, "login_required", 400, "A silent sign-in request was sent but no user is signed in.", ""},
	{50059, "invalid_request", 400, "No tenant-identifying information found in either the request or implied by any provided credentials.", ""},
	{50173, "invalid_grant", 400, "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.", ""},
	{50126, "invalid_grant", 400, "Error validating credentials due to invalid username or password.", ""},
	{54005, "invalid_grant", 400, "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.", ""},
	{65001, "invalid_grant", 400, "The user or administrator has not consented to use the application with ID '%s' named '%s'. Send an interactive authorization request for this user and resource.", ""},
	{65002, "invalid_request", 400, "Consent between first party application '%s' and first party resource '%s' must be configured via preauthorization.", ""},
	{65004, "access_denied", 400, "User declined to consent to access the app.", ""},
	{70000, "invalid_grant", 400, "The provided value for the '%s' is not valid.", ""},
	{70003, "unsupported_grant_type", 400, "The app requested an unsupported grant type '%s'.", ""},
	{70005, "unsupported_response_type", 400, "response_type '%s' is not supported for the application.", ""},
	{70007, "unsupported_response_type", 400, "'%s' is not a supported value of 'response_mode'.", ""},
	{70008, "invalid_grant", 400, "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.", ""},
	{70011, "invalid_scope", 400, "The provided value for the input parameter 'scope' is not valid. The scope %s is not valid.", ""},
	{70016, "authorization_pending", 400, "OAuth 2.0 device flow error. Authorization is pending. Continue polling.", ""},
	{70018, "bad_verification_code", 400, "Bad Verification Code. Device or user code is invalid.", ""},
	{70019, "expired_token", 400, "Verification code expired. Have the user retry the sign-in.", ""},
	{70021, "invalid_client", 401, "No matching federated identity record found for presented assertion. Assertion Issuer: '%s'. Assertion Subject: '%s'. Assertion Audience: '%s'.", federationPage},
	{70043, "invalid_grant", 400, "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access.", ""},
	{90002, "invalid_request", 400, "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.", ""},
	{90014, "invalid_request", 400, "The required field '%s' is missing from the credential. Ensure that you have all the necessary parameters for the login request.", ""},
	{90033, "temporarily_unavailable", 503, "A transient error has occurred. Please try again.", ""},
	{90055, "temporarily_unavailable", 429, "The server is terminating the request because there are too many tenant requests.", ""},
	{90094, "consent_required", 400, "An administrator of %s has set a policy that prevents you from granting %s the permissions it is requesting. Contact an administrator of %s who can grant permissions to this application on your behalf.", ""},
	{declined, "authorization_declined", 400, "The user declined the sign-in, or it was refused.", deviceFlowPage},
	{slowDown, "slow_down", 400, "The device is polling too often. Wait five seconds longer between two requests.", deviceFlowStandard},
	{500011, "invalid_resource", 400, "The resource principal named %s was not found in the tenant named %s.", ""},
	{501481, "invalid_grant", 400, "The Code_Verifier does not match the code_challenge supplied in the authorization request.", ""},
	{501491, "invalid_request", 400, "Invalid size or method of Code_Challenge parameter.", ""},
	{700016, "unauthorized_client", 400, "Application with identifier '%s' was not found in the directory '%s'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.", ""},
	{700023, "invalid_client", 401, "Client assertion audience claim does not match Realm issuer.", assertionPage},
	{700024, "invalid_client", 401, "Client assertion is not within its valid time range.", assertionPage},
	{700025, "invalid_client", 401, "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.", ""},
	{700027, "invalid_client", 401, "The certificate with identifier used to sign the client assertion is not registered on application, or the signature is wrong. [Reason - %s]", ""},
	{700054, "unsupported_response_type", 400, "response_type 'id_token' is not enabled for the application.", ""},
	{700211, "invalid_client", 401, "No matching federated identity record found for presented assertion issuer '%s'.", federationPage},
	{700212, "invalid_client", 401, "No matching federated identity record found for presented assertion audience '%s'.", federationPage},
	{700213, "invalid_client", 401, "No matching federated identity record found for presented assertion subject '%s'.", federationPage},
	{1002012, "invalid_scope", 400, "The provided value for scope %s is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).", clientCredsPage},
	{7000112, "unauthorized_client", 400, "Application '%s' is disabled.", ""},
	{7000215, "invalid_client", 401, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", ""},
	{7000218, "invalid_client", 401, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.", ""},
	{7000229, "unauthorized_client", 401, "The client application %s is missing service principal in the tenant %s.", clientCredsPage},
	{7000222, "invalid_client", 401, "The provided client secret keys for app '%s' are expired.", ""},
})

func stsTable(list []stsError) map[int]stsError {
	out := make(map[int]stsError, len(list))
	for _, e := range list {
		e.source = cmp.Or(e.source, errorPage)
		out[e.code] = e
	}
	return out
}

// refusal is an error on its way to the client.
type refusal struct {
	stsError
	description string
}

func (e *refusal) Error() string { return fmt.Sprintf("AADSTS%d: %s", e.code, e.description) }

// deny makes the refusal of one number.
func deny(code int, args ...any) *refusal {
	e, known := stsErrors[code]
	if !known { // the number came from the judgement of a sign-in
		return &refusal{stsError{code: code, oauth: "interaction_required", status: http.StatusBadRequest}, fmt.Sprint(args...)}
	}
	if len(args) == 0 {
		return &refusal{e, e.text}
	}
	return &refusal{e, fmt.Sprintf(e.text, args...)}
}

// deniedBy is the refusal of an attempt that was judged.
func deniedBy(o Outcome) *refusal {
	if e, known := stsErrors[o.Code]; known && e.text != "" && o.Reason == "" {
		return &refusal{e, e.text}
	}
	e := stsErrors[o.Code]
	if e.code == 0 {
		// Interaction may help when there is something to show (50076, 50072,
		// 53000); 53003 and the rest are final.
		e = stsError{code: o.Code, oauth: "invalid_grant", status: http.StatusBadRequest}
		if len(o.Wants) > 0 {
			e.oauth = "interaction_required"
		}
	}
	return &refusal{e, o.Reason}
}

// full is the description as Entra writes it, with what support asks for.
func (e *refusal) full(trace, correlation string, at time.Time) string {
	if e.code <= 0 {
		return fmt.Sprintf("%s Trace ID: %s Correlation ID: %s Timestamp: %s", e.description, trace, correlation, at.Format(stsTime))
	}
	return fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s",
		e.code, e.description, trace, correlation, at.Format(stsTime))
}

const stsTime = "2006-01-02 15:04:05Z"

// writeRefusal answers a machine: the shape is of errorPage.
func (s *Server) writeRefusal(w http.ResponseWriter, r *http.Request, e *refusal) {
	trace, correlation, at := oidcID(), correlationOf(r), s.now()
	body := map[string]any{
		"error": e.oauth, "error_description": e.full(trace, correlation, at), "error_codes": []int{},
		"timestamp": at.Format(stsTime), "trace_id": trace, "correlation_id": correlation,
	}
	if e.code > 0 {
		body["error_codes"], body["error_uri"] = []int{e.code}, fmt.Sprintf("%s/error?code=%d", s.base(), e.code)
	}
	oidcJSON(w, e.status, body)
}

var refusalPage = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in</title></head>
<body><main><h1>Sorry, but we’re having trouble signing you in.</h1>
<p id="error">{{.}}</p></main></body></html>
`))

// showRefusal answers a person whom no redirect can take back.
func (s *Server) showRefusal(w http.ResponseWriter, r *http.Request, e *refusal) {
	guardOIDCPage(w)
	w.WriteHeader(e.status)
	_ = refusalPage.Execute(w, e.full(oidcID(), correlationOf(r), s.now()))
}

// guardOIDCPage sets the headers of a page that holds no script and is framed by nobody.
func guardOIDCPage(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
}

func oidcJSON(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "the sandbox could not write its answer", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store, no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(data)
}

// correlationOf is the id by which the client names its request.
func correlationOf(r *http.Request) string {
	id := r.Header.Get("client-request-id")
	if len(id) != len("00000000-0000-0000-0000-000000000000") {
		return oidcID()
	}
	return id
}
