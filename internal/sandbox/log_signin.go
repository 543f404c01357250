package sandbox

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"time"
)

// newRecordID makes a random UUID.
func newRecordID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// signInRecord is one signIn as Graph shows it (Graph v1.0 and beta resource
// signIn), with the properties that only beta has; logView leaves them out.
func signInRecord(state *State, a *Attempt, out *Outcome, at time.Time) Object {
	id := newRecordID()
	user := state.Get("users", a.UserID)
	userID := wireText(user["id"])
	if userID == "" {
		userID = "00000000-0000-0000-0000-000000000000"
	}
	client := appNameOf(state, a.AppID)
	resource, resourceName := loggedResource(state, a)
	record := Object{
		"id": id, "createdDateTime": at.UTC().Format(time.RFC3339),
		"userDisplayName": wireText(user["displayName"]), "userPrincipalName": strings.ToLower(wireText(user["userPrincipalName"])), "userId": userID,
		"appId": a.AppID, "appDisplayName": client, "ipAddress": a.IP, "clientAppUsed": clientLabel(a.ClientApp), "userAgent": a.UserAgent,
		"correlationId": out.CorrelationID, "isInteractive": !a.NonInteractive,
		"resourceId": resource, "resourceDisplayName": resourceName, "homeTenantId": state.ID, "resourceTenantId": state.ID,
		"status": signInStatus(out), "location": signInLocation(a), "deviceDetail": signInDevice(a),
		"conditionalAccessStatus":          caStatus(out),
		"appliedConditionalAccessPolicies": appliedRecords(out),
		"riskDetail":                       "none", "riskLevelAggregated": shownRisk(state, a.SignInRisk), "riskLevelDuringSignIn": shownRisk(state, a.SignInRisk),
		"riskState": shownRiskState(a.SignInRisk), "riskEventTypes": []any{}, "riskEventTypes_v2": []any{},
		"servicePrincipalId": "", "servicePrincipalName": nil,
	}
	for k, v := range signInBeta(a, out, state, user, at) {
		record[k] = v
	}
	return record
}

// signInBeta are the properties that beta alone has.
func signInBeta(a *Attempt, out *Outcome, state *State, user Object, at time.Time) Object {
	requirement := "singleFactorAuthentication"
	if out.MFA || out.Code == 50076 || out.Code == 50079 || out.Code == 500121 {
		requirement = "multiFactorAuthentication"
	}
	event := "interactiveUser"
	if a.NonInteractive {
		event = "nonInteractiveUser"
	}
	protocol := "none"
	switch {
	case a.Flow == "deviceCodeFlow":
		protocol = "deviceCode"
	case a.PasswordGrant:
		protocol = "ropc"
	}
	transfer := "none"
	if a.Flow != "" {
		transfer = a.Flow
	}
	guest := "member"
	if wireSame(wireText(user["userType"]), "Guest") {
		guest = "guest"
	}
	contexts := []any{}
	if a.Context != "" {
		contexts = append(contexts, Object{"id": a.Context, "detail": "required"})
	}
	token, _ := hex.DecodeString(strings.ReplaceAll(newRecordID(), "-", ""))
	session := a.SessionID
	if session == "" {
		session = newRecordID()
	}
	return Object{
		"authenticationRequirement": requirement, "authenticationRequirementPolicies": []any{}, "authenticationDetails": authenticationDetails(a, out, at),
		"authenticationProcessingDetails": []any{}, "authenticationMethodsUsed": []any{}, "authenticationProtocol": protocol,
		"authenticationContextClassReferences": contexts, "originalTransferMethod": transfer,
		"signInEventTypes": []any{event}, "uniqueTokenIdentifier": base64.RawURLEncoding.EncodeToString(token), "originalRequestId": "",
		"sessionId": session, "incomingTokenType": "none", "tokenIssuerName": "", "tokenIssuerType": "AzureAD", "processingTimeInMilliseconds": 120,
		"crossTenantAccessType": "none", "userType": guest, "mfaDetail": nil, "networkLocationDetails": networkDetails(state, a),
		"signInIdentifier": wireText(user["userPrincipalName"]), "signInIdentifierType": "userPrincipalName",
		"conditionalAccessAudiences": wireStrings(audiences(a)), "flaggedForReview": false, "isTenantRestricted": false, "autonomousSystemNumber": nil,
		"sessionLifetimePolicies": []any{}, "appliedEventListeners": []any{}, "resourceServicePrincipalId": nil,
	}
}

// logBeta names what v1.0 does not show of a record.
var logBeta = func() map[string]bool {
	out := map[string]bool{}
	for k := range signInBeta(&Attempt{}, &Outcome{}, NewState("", "", ""), nil, time.Time{}) {
		out[k] = true
	}
	return out
}()

// logView is a sign-in record as a version of Graph shows it. Beta has dropped
// riskEventTypes for riskEventTypes_v2.
func logView(o Object, version string) Object {
	out := Object{}
	for k, v := range o {
		if version == "beta" && k != "riskEventTypes" || version != "beta" && !logBeta[k] {
			out[k] = v
		}
	}
	return out
}

func wireStrings(list []string) []any {
	out := []any{}
	for _, s := range list {
		out = append(out, s)
	}
	return out
}

func signInStatus(out *Outcome) Object {
	o := Object{"errorCode": out.Code, "failureReason": reasonText(out.Code), "additionalDetails": nil}
	if out.Allowed && out.MFA {
		o["additionalDetails"] = "MFA completed in Azure AD"
	}
	return o
}

func authenticationDetails(a *Attempt, out *Outcome, at time.Time) []any {
	list := []any{}
	steps := a.Used
	if a.Wrong != "" {
		steps = append(slices.Clone(steps), Shown{Mode: a.Wrong})
	}
	for i, s := range steps {
		m := methodModes[strings.ToLower(s.Mode)]
		requirement := "Primary authentication"
		if i > 0 {
			requirement = "MFA"
		}
		detail := ""
		if m.name == "password" {
			detail = "Password in the cloud"
		}
		refused := a.Wrong != "" && i == len(steps)-1
		text := "methodSucceeded"
		if refused {
			text = reasonText(out.Code)
		} else if i > 0 {
			text = "MFA successfully completed"
		}
		list = append(list, Object{"authenticationStepDateTime": at.UTC().Format(time.RFC3339), "authenticationMethod": m.log,
			"authenticationMethodDetail": detail, "succeeded": !refused, "authenticationStepResultDetail": text, "authenticationStepRequirement": requirement})
	}
	return list
}

func appliedRecords(out *Outcome) []any {
	list := []any{}
	for _, p := range out.Policies {
		r := Object{"id": p.ID, "displayName": p.Name, "result": p.Result, "enforcedGrantControls": []any{}, "enforcedSessionControls": []any{}}
		if p.Applies {
			r["enforcedGrantControls"] = wireStrings(p.Grant)
			for _, s := range p.Session {
				label := sessionLabels[s]
				if label == "" {
					label = s
				}
				r["enforcedSessionControls"] = append(r["enforcedSessionControls"].([]any), label)
			}
		}
		list = append(list, r)
	}
	return list
}

// Labels of session controls as published records show them.
var sessionLabels = map[string]string{"signInFrequency": "SignInFrequency", "cloudAppSecurity": "CloudAppSecurity",
	"applicationEnforcedRestrictions": "AppEnforcedRestrictions", "persistentBrowser": "PersistentBrowserSessionMode",
	"continuousAccessEvaluation": "ContinuousAccessEvaluation", "secureSignInSession": "TokenProtection"}

// caStatus: failure when a policy that applies is not satisfied.
func caStatus(out *Outcome) string {
	worst := "notApplied"
	for _, p := range out.Policies {
		if p.Result == "failure" {
			return "failure"
		}
		if p.Result == "success" {
			worst = "success"
		}
	}
	return worst
}

// level is hidden where the licence does not show risk (Graph signIn).
func shownRisk(state *State, risk string) string {
	if state.Plan != "P2" {
		return "hidden"
	}
	if risk == "" {
		return "none"
	}
	return risk
}

func shownRiskState(risk string) string {
	if risk == "" || risk == "none" {
		return "none"
	}
	return "atRisk"
}

func signInLocation(a *Attempt) Object {
	return Object{"city": "", "state": "", "countryOrRegion": a.Country,
		"geoCoordinates": Object{"altitude": nil, "latitude": nil, "longitude": nil}}
}

var trustLabels = map[string]string{"azuread": "Azure AD joined", "serverad": "Hybrid Azure AD joined", "workplace": "Azure AD registered"}

func signInDevice(a *Attempt) Object {
	o := Object{"deviceId": a.Device.ID, "displayName": a.Device.Properties["displayName"], "operatingSystem": systemOf(a), "browser": browserOf(a.UserAgent),
		"isCompliant": a.Device.Compliant, "isManaged": a.Device.Managed, "trustType": trustLabels[strings.ToLower(a.Device.TrustType)]}
	return o
}

var platformLabels = map[string]string{"windows": "Windows", "macos": "MacOs", "ios": "Ios", "android": "Android", "linux": "Linux", "windowsphone": "WindowsPhone"}

func systemOf(a *Attempt) string {
	if strings.Contains(a.UserAgent, "Windows NT 10.0") {
		return "Windows10"
	}
	return platformLabels[strings.ToLower(a.Platform)]
}

var browserPattern = regexp.MustCompile(`(Edg|OPR|Firefox|Chrome|Version)/([0-9]+(?:\.[0-9]+){0,2})`)

var browserNames = map[string]string{"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Version": "Safari"}

func browserOf(agent string) string {
	best := ""
	for _, m := range browserPattern.FindAllStringSubmatch(agent, 8) {
		name := browserNames[m[1]] + " " + m[2]
		if best == "" || m[1] == "Edg" || m[1] == "OPR" {
			best = name
		}
	}
	return best
}

func clientLabel(client string) string {
	switch strings.ToLower(client) {
	case "", "browser":
		return "Browser"
	case "exchangeactivesync", "eassupported":
		return "Exchange ActiveSync"
	case "other":
		return "Other clients"
	}
	return "Mobile Apps and Desktop clients"
}

// Names of Microsoft's applications as the log shows them.
var appNames = map[string]string{msPortal: "Azure Portal", msM365: "Microsoft Office 365 Portal", msARM: "Windows Azure Service Management API",
	msGraph: "Microsoft Graph", msDirectory: "Windows Azure Active Directory", msCLI: "Microsoft Azure CLI", msPowerShell: "Microsoft Azure PowerShell",
	msSecurityInfo: "My Signins", "14d82eec-204b-4c2f-b7e8-296a70dab67e": "Microsoft Graph Command Line Tools"}

func appNameOf(state *State, app string) string {
	for _, set := range []string{"servicePrincipals", "applications"} {
		for _, o := range state.All(set) {
			if wireSame(wireText(o["appId"]), app) {
				return wireText(o["displayName"])
			}
		}
	}
	return appNames[strings.ToLower(app)]
}

func loggedResource(state *State, a *Attempt) (id, name string) {
	id = a.Resource
	if list := audiences(a); id == "" && len(list) > 0 {
		id = list[0]
		if wireSame(a.AppID, msPortal) {
			id = msARM
		}
	}
	return id, appNameOf(state, id)
}

// networkDetails name the named locations that hold the address.
func networkDetails(state *State, a *Attempt) []any {
	out := []any{}
	w := &World{state: state}
	q := w.question(a, &signer{})
	for _, raw := range state.All("identity/conditionalAccess/namedLocations") {
		pl := w.readPlace(raw)
		if len(pl.ranges) == 0 || w.inside("", pl, q, q.ip, false) != yes {
			continue
		}
		kind := "namedNetwork"
		if pl.trusted {
			kind = "trustedNamedLocation"
		}
		out = append(out, Object{"networkType": kind, "networkNames": []any{wireText(raw["displayName"])}})
	}
	return out
}
