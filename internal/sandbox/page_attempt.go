package sandbox

import (
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"strings"
)

func codeText(code int) string { return strconv.Itoa(code) }

// attempt makes a sign-in of what a browser sends and the person pretends.
func (p *pageHouse) attempt(r *http.Request, v *visitor, userID string) Attempt {
	a := Attempt{UserID: userID, ClientApp: "browser", UserAgent: r.UserAgent(), Used: v.used, CorrelationID: v.correlation, SessionID: v.session}
	a.UserAgent = a.UserAgent[:min(len(a.UserAgent), 512)]
	if v.security {
		a.AppID, a.Action = msSecurityInfo, "urn:user:registersecurityinfo"
	} else if f, ok := p.s.flow(v.flow); ok {
		a.AppID, a.Resource = f.ClientID, f.Resource
		if f.Device {
			a.Flow = "deviceCodeFlow"
		}
		a.ClientApp = clientAppOf(f)
		a.LowPrivilege = lowPrivilege(f.Scopes)
	}
	a.IP, _, _ = net.SplitHostPort(r.RemoteAddr)
	if v.where.IP != "" {
		a.IP = v.where.IP
	}
	a.Country, a.SignInRisk = v.where.Country, v.where.Risk
	a.Platform = v.where.Platform
	if a.Platform == "" {
		a.Platform = platformOf(a.UserAgent)
	}
	a.Device = pretended[v.where.Device]
	return a
}

// Devices that a person can pretend to sit at.
var pretended = map[string]Device{
	"registered": {ID: "00000000-0000-4000-8000-000000000001", TrustType: "Workplace"},
	"compliant":  {ID: "00000000-0000-4000-8000-000000000002", TrustType: "AzureAD", Managed: true, Compliant: true},
	"hybrid":     {ID: "00000000-0000-4000-8000-000000000003", TrustType: "ServerAD", Joined: true},
}

// clientAppOf: a public client comes back to this machine or waits for a code and
// is a desktop app to policies; the rest signs in for the web.
func clientAppOf(f *Flow) string {
	native := f.Device || strings.HasPrefix(f.RedirectURI, "http://localhost") || strings.HasPrefix(f.RedirectURI, "http://127.0.0.1") ||
		strings.Contains(f.RedirectURI, "/oauth2/nativeclient") || strings.HasPrefix(f.RedirectURI, "msal")
	if native {
		return "mobileAppsAndDesktopClients"
	}
	return "browser"
}

// Baseline scopes (entra-docs concept-conditional-access-cloud-apps).
var baselineScopes = map[string]bool{"openid": true, "profile": true, "email": true, "offline_access": true, "user.read": true, "people.read": true}

func lowPrivilege(scopes []string) bool {
	directory := false
	for _, s := range scopes {
		s = strings.ToLower(s[strings.LastIndexByte(s, '/')+1:])
		if !baselineScopes[s] {
			return false
		}
		directory = directory || strings.HasSuffix(s, ".read")
	}
	return directory
}

// platformOf reads the platform from the user agent, as Conditional Access does
// (entra-docs concept-conditional-access-conditions): unverified.
func platformOf(agent string) string {
	for _, p := range [][2]string{{"Windows Phone", "windowsPhone"}, {"Android", "android"}, {"iPhone", "iOS"}, {"iPad", "iOS"},
		{"Windows", "windows"}, {"CrOS", ""}, {"Macintosh", "macOS"}, {"Linux", "linux"}} {
		if strings.Contains(agent, p[0]) {
			return p[1]
		}
	}
	return ""
}

// context is the authentication context that a claims request asks for
// (entra-docs identity-platform/developer-guide-conditional-access-authentication-context).
func (p *pageHouse) context(v *visitor) string {
	f, ok := p.s.flow(v.flow)
	if !ok || f.Claims == "" {
		return ""
	}
	var claims map[string]map[string]struct {
		Value  string
		Values []string
	}
	if json.Unmarshal([]byte(f.Claims), &claims) != nil {
		return ""
	}
	for _, token := range []string{"id_token", "access_token"} {
		c := claims[token]["acrs"]
		if c.Value != "" {
			return c.Value
		}
		if len(c.Values) > 0 {
			return c.Values[0]
		}
	}
	return ""
}
