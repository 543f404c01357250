package sandbox

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// tokenMill signs tokens with a key of its own, made at each start.
type tokenMill struct {
	key *rsa.PrivateKey
	kid string
}

func newTokenMill() (*tokenMill, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make the sandbox's signing key: %v", err)
	}
	return &tokenMill{key: key, kid: keyThumbprint(&key.PublicKey)}, nil
}

// keyThumbprint names a key by what it is.
func keyThumbprint(key *rsa.PublicKey) string {
	sum := sha256.Sum256(key.N.Bytes())
	return base64.RawURLEncoding.EncodeToString(sum[:20])
}

// keys is the JWK set of discovery/v2.0/keys.
func (m *tokenMill) keys(issuer string) map[string]any {
	return map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "use": "sig", "kid": m.kid, "x5t": m.kid, "issuer": issuer,
		"n": base64.RawURLEncoding.EncodeToString(m.key.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(m.key.E)).Bytes()),
	}}}
}

func (m *tokenMill) sign(claims jwt.MapClaims) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"], token.Header["x5t"] = m.kid, m.kid
	return token.SignedString(m.key)
}

// accessLife is the middle of the 60 to 90 minutes that entra-docs
// identity-platform/access-tokens gives; clients that handle claims challenges
// get up to 28 hours (identity/conditional-access/concept-continuous-access-evaluation).
const (
	accessLife = 75 * time.Minute
	caeLife    = 24 * time.Hour
)

// minting is one token to be made.
type minting struct {
	client   oidcClient
	acr      string // appidacr: 0 public, 1 secret, 2 certificate or assertion
	asked    *askedScope
	who      *Signed // nil: the application itself
	nonce    string
	cae      bool // the client said cp1
	answers  bool // asked with a claims challenge
	issuedAt time.Time
}

// issuerV1 is the issuer of access tokens of version 1.0, which Graph gets
// (entra-docs identity-platform/access-tokens).
func (s *Server) issuerV1(tenant string) string { return "https://sts.windows.net/" + tenant + "/" }

// issuerV2 is the issuer of id tokens, on the sandbox's own name so that clients
// find its keys.
func (s *Server) issuerV2(tenant string) string { return s.base() + "/" + tenant + "/v2.0" }

// mint makes an access token (entra-docs
// identity-platform/access-token-claims-reference) and says for how long.
func (s *Server) mint(m minting) (string, time.Duration, error) {
	var tenant string
	s.View(func(state *State) { tenant = state.ID })
	now, life := m.issuedAt, accessLife
	if m.cae {
		life = caeLife
	}
	uti := oidcID()
	claims := jwt.MapClaims{
		"aud": m.asked.audience, "iss": s.issuerV1(tenant), "tid": tenant, "ver": "1.0", "uti": uti,
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(life).Unix(),
		"appid": m.client.appID, "app_displayname": m.client.name, "appidacr": m.acr,
		"idp": s.issuerV1(tenant), "tenant_region_scope": "EU", "xms_tcdt": strconv.FormatInt(now.Unix(), 10),
	}
	if m.cae {
		claims["xms_cc"] = []string{"cp1"}
	}
	s.View(func(state *State) {
		if m.who == nil {
			sp := principalOf(state, m.client.appID)
			claims["oid"], claims["sub"], claims["idtyp"] = propText(sp, "id"), propText(sp, "id"), "app"
			if roles := appRoles(state, sp, m.asked.resource.appID); len(roles) > 0 {
				claims["roles"] = roles
			}
			claims["wids"] = append(roleTemplates(state, propText(sp, "id")), "0997a1d0-0d1d-4acb-b408-d5ca73121e90")
			return
		}
		user := state.Get("users", m.who.UserID)
		claims["oid"], claims["idtyp"] = propText(user, "id"), "user"
		claims["sub"] = pairwise(m.client.appID, propText(user, "id"))
		claims["upn"], claims["unique_name"] = user["userPrincipalName"], user["userPrincipalName"]
		claims["name"], claims["acct"] = user["displayName"], 0
		claims["scp"] = strings.Join(s.granting(state, &m.client, m.asked, m.who.UserID), " ")
		claims["wids"] = append(roleTemplates(state, m.who.UserID), "b79fbf4d-3ef9-4689-8143-76b194e85509")
		claims["amr"], claims["acr"] = m.who.Methods, "1"
		claims["signin_state"] = []string{"kmsi"}
		if m.who.SessionID != "" {
			claims["sid"] = m.who.SessionID
		}
		claims["auth_time"] = m.who.At.Unix()
	})
	s.falsify(claims)
	if m.answers {
		s.waiting.mu.Lock()
		keepBounded(s.waiting.answered, uti, true)
		s.waiting.mu.Unlock()
	}
	token, err := s.tokens.sign(claims)
	return token, life, err
}

// mintID makes an id token (entra-docs identity-platform/id-token-claims-reference).
func (s *Server) mintID(m minting) (string, error) {
	claims := jwt.MapClaims{}
	now := m.issuedAt
	s.View(func(state *State) {
		user := state.Get("users", m.who.UserID)
		claims["aud"], claims["iss"], claims["tid"] = m.client.appID, s.issuerV2(state.ID), state.ID
		claims["iat"], claims["nbf"], claims["exp"] = now.Unix(), now.Unix(), now.Add(time.Hour).Unix()
		claims["oid"], claims["sub"] = user["id"], pairwise(m.client.appID, propText(user, "id"))
		claims["preferred_username"], claims["name"] = user["userPrincipalName"], user["displayName"]
		claims["uti"], claims["ver"] = oidcID(), "2.0"
	})
	if m.nonce != "" {
		claims["nonce"] = m.nonce
	}
	if m.who.SessionID != "" {
		claims["sid"] = m.who.SessionID
	}
	return s.tokens.sign(claims)
}

// clientInfo names the account to MSAL.
func clientInfo(user, tenant string) string {
	data, _ := json.Marshal(map[string]string{"uid": user, "utid": tenant}) // two strings
	return base64.RawURLEncoding.EncodeToString(data)
}

// pairwise is the subject of a person for one application.
func pairwise(app, user string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(app + "/" + user)))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// appRoles are the application permissions that a service principal was granted
// on a resource (graph resources/approleassignment), named through the
// resource's appRoles.
func appRoles(state *State, sp Object, resourceApp string) []string {
	target := principalOf(state, resourceApp)
	var roles []string
	for _, a := range state.All("appRoleAssignments") {
		if !strings.EqualFold(propText(a, "principalId"), propText(sp, "id")) || !strings.EqualFold(propText(a, "resourceId"), propText(target, "id")) {
			continue
		}
		for _, role := range propList(target, "appRoles") {
			if strings.EqualFold(propText(role, "id"), propText(a, "appRoleId")) {
				roles = append(roles, propText(role, "value"))
			}
		}
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

// roleTemplates are the directory roles that a principal holds now over the
// whole tenant, directly or through a group.
func roleTemplates(state *State, principal string) []string {
	holders := map[string]bool{key(principal): true}
	for again := true; again; { // groups in groups
		again = false
		for group, members := range state.Links["groups/members"] {
			if !holders[group] && slices.ContainsFunc(members, func(m string) bool { return holders[m] }) {
				holders[group], again = true, true
			}
		}
	}
	var templates []string
	for _, set := range []string{"roleManagement/directory/roleAssignments", "roleManagement/directory/roleAssignmentScheduleInstances"} {
		for _, a := range state.All(set) {
			scope := propText(a, "directoryScopeId")
			if holders[key(propText(a, "principalId"))] && (scope == "/" || scope == "") {
				templates = append(templates, propText(a, "roleDefinitionId"))
			}
		}
	}
	slices.Sort(templates)
	return slices.Compact(templates)
}

// certificateThumbprints are how a client assertion names its certificate: x5t
// is SHA-1, x5t#S256 is SHA-256 (RFC 7515 section 4.1.7); MSAL pads.
func certificateThumbprints(der []byte) (s1, s256 string) {
	one, two := sha1.Sum(der), sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(one[:]), base64.RawURLEncoding.EncodeToString(two[:])
}
