package graph

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Claims are what an access token says about itself. They are decoded, not
// verified: only Graph can judge a token that is made for Graph. Source:
// entra-docs "Access token claims reference".
type Claims struct {
	Tenant      string    // tid
	Audience    string    // aud
	App         string    // appid or azp
	Object      string    // oid: the person or the service principal
	Name        string    // upn, unique_name or preferred_username; "" for an application
	Delegated   []string  // scp: what a person has lent the application
	Application []string  // roles: what the application holds itself
	Roles       []string  // wids: role templates of the person
	Issued      time.Time // iat
	Expires     time.Time // exp
	Continuous  bool      // xms_cc holds cp1: the token may be challenged (CAE)
}

// maxToken is the longest token that is read.
const maxToken = 64 << 10

// ReadClaims decodes the claims of a JSON Web Token. Tokens need not be such:
// an error means that nothing is known about it, not that it is wrong.
func ReadClaims(token string) (Claims, error) {
	parts := strings.Split(token, ".")
	if len(token) > maxToken || len(parts) != 3 {
		return Claims{}, fmt.Errorf("read the claims of a token: it is not a JSON Web Token")
	}
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return Claims{}, fmt.Errorf("read the claims of a token: they are not base64url")
	}
	var raw struct {
		TID               string   `json:"tid"`
		Aud               any      `json:"aud"`
		AppID             string   `json:"appid"`
		AZP               string   `json:"azp"`
		OID               string   `json:"oid"`
		UPN               string   `json:"upn"`
		UniqueName        string   `json:"unique_name"`
		PreferredUsername string   `json:"preferred_username"`
		SCP               string   `json:"scp"`
		Roles             []string `json:"roles"`
		WIDs              []string `json:"wids"`
		IAT               float64  `json:"iat"`
		EXP               float64  `json:"exp"`
		XMSCC             any      `json:"xms_cc"`
	}
	if json.Unmarshal(data, &raw) != nil {
		return Claims{}, fmt.Errorf("read the claims of a token: they are not the JSON of claims")
	}
	c := Claims{
		Tenant: clean(raw.TID, 80), App: clean(raw.AppID, 80), Object: clean(raw.OID, 80),
		Delegated: strings.Fields(raw.SCP), Application: raw.Roles, Roles: raw.WIDs,
	}
	if c.App == "" {
		c.App = clean(raw.AZP, 80)
	}
	for _, name := range []string{raw.UPN, raw.PreferredUsername, raw.UniqueName} {
		if c.Name == "" {
			c.Name = clean(name, 200)
		}
	}
	if aud := texts(raw.Aud); len(aud) > 0 {
		c.Audience = aud[0]
	}
	c.Continuous = slices.Contains(texts(raw.XMSCC), "cp1")
	if raw.IAT > 0 && raw.IAT < 1e11 {
		c.Issued = time.Unix(int64(raw.IAT), 0).UTC()
	}
	if raw.EXP > 0 && raw.EXP < 1e11 {
		c.Expires = time.Unix(int64(raw.EXP), 0).UTC()
	}
	return c, nil
}

// texts reads a claim that is one text or a list of them.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, e := range v {
			if s, is := e.(string); is {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// Granted returns the permissions that the token carries, sorted: delegated
// ones for a person, application ones for an application.
func (c Claims) Granted() []string {
	granted := slices.Concat(c.Delegated, c.Application)
	slices.Sort(granted)
	return slices.Compact(granted)
}

// Missing returns those of the wanted permissions that the token does not
// carry. A permission to write includes the one to read the same.
func (c Claims) Missing(wanted []string) []string {
	granted := c.Granted()
	var missing []string
	for _, w := range wanted {
		wider := strings.Replace(w, ".Read.", ".ReadWrite.", 1)
		if !slices.Contains(granted, w) && !slices.Contains(granted, wider) {
			missing = append(missing, w)
		}
	}
	return missing
}

// IsApplication reports whether an application signed in as itself.
func (c Claims) IsApplication() bool { return len(c.Delegated) == 0 }

// aadsts matches the codes of the sign-in service.
var aadsts = regexp.MustCompile(`AADSTS[0-9]{4,9}`)

// cures says what the commonest codes of the sign-in service mean. Source:
// entra-docs "Microsoft Entra authentication and authorization error codes".
var cures = map[string]struct{ why, cure string }{
	"AADSTS50034":   {"there is no such account in this tenant", "Check the name and --tenant."},
	"AADSTS50053":   {"the account is locked for a while", "Wait, or have an administrator look at the sign-ins of the account."},
	"AADSTS50057":   {"the account is disabled", "Sign in with another account, or have it enabled."},
	"AADSTS50076":   {"multifactor authentication is needed", "Sign in with `halligan login` and answer the second step."},
	"AADSTS50079":   {"a second factor has to be registered first", "Register one at https://mysignins.microsoft.com/security-info."},
	"AADSTS50105":   {"the account is not assigned to the application", "Have an administrator assign it, or use another application with --client-id."},
	"AADSTS50128":   {"there is no such tenant", "Check --tenant."},
	"AADSTS50173":   {"the session was revoked", "Sign in again with `halligan login`."},
	"AADSTS53003":   {"a Conditional Access policy blocks this sign-in", "Look at the sign-in log, or sign in from a place and device that the policy allows."},
	"AADSTS65001":   {"nobody has consented to the permissions", "Sign in with `halligan login`, or have an administrator consent."},
	"AADSTS65004":   {"consent was declined", "`halligan permissions` says what each permission is for. Without consent nothing can be read."},
	"AADSTS70008":   {"the sign-in is too old", "Sign in again with `halligan login`."},
	"AADSTS70016":   {"the code was not entered yet", "Enter the code, or start again with `halligan login`."},
	"AADSTS70020":   {"the code was not entered in time", "Start again with `halligan login --device-code`."},
	"AADSTS90002":   {"there is no such tenant", "Check --tenant and --cloud."},
	"AADSTS90072":   {"the account is of another tenant", "Sign in with an account of this tenant."},
	"AADSTS90094":   {"an administrator has to consent", "Have an administrator run `halligan login` once, or consent in the Entra admin center."},
	"AADSTS500011":  {"the application does not know this resource", "Check --cloud and --client-id."},
	"AADSTS700016":  {"the application is not in this tenant", "Check --client-id and --tenant."},
	"AADSTS7000229": {"the application is not in this tenant: consent was withdrawn, or never given", "Have an administrator of the tenant consent again, or take the tenant off the list."},
	"AADSTS700024":  {"the assertion is not valid at this time", "The clock is wrong: set it, then try again."},
	"AADSTS700027":  {"the certificate is not the one of the application", "Upload the certificate to the application, or name the right file."},
	"AADSTS700082":  {"the sign-in has ended because it was not used", "Sign in again with `halligan login`."},
	"AADSTS7000112": {"the application is disabled", "Have it enabled, or use another one with --client-id."},
	"AADSTS7000215": {"the client secret is wrong", "It may have been changed. Give the new one's value, not its id."},
	"AADSTS7000218": {"the application wants a secret or a certificate", "Allow public client flows on the application, or sign in with a certificate."},
	"AADSTS7000222": {"the client secret has expired", "Make a new one, or better use a certificate."},
}
