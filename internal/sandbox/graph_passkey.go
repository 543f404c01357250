package sandbox

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6238
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// keyChallenge waits for a passkey to be registered for a user.
type keyChallenge struct {
	user    string
	expires time.Time
	session webauthn.SessionData
}

// relyingParty is the id of Microsoft Entra as a WebAuthn relying party (graph.md
// section 3): who registers on behalf of a user makes the key believe that it
// speaks with this name.
const relyingParty = "login.microsoftonline.com"

// relyingParties are the ids that a registration may be for: Microsoft's, and
// the sandbox's own name.
func (g *graph) relyingParties() []string {
	host, _, _ := strings.Cut(g.config.Host, ":")
	return []string{relyingParty, "login.microsoft.com", host}
}

// webauthnUser is a user as the library wants it.
type webauthnUser struct {
	id, name, display string
	keys              []webauthn.Credential
}

func (u webauthnUser) WebAuthnID() []byte                         { return []byte(u.id) }
func (u webauthnUser) WebAuthnName() string                       { return u.name }
func (u webauthnUser) WebAuthnDisplayName() string                { return u.display }
func (u webauthnUser) WebAuthnCredentials() []webauthn.Credential { return u.keys }

// passkeys are the keys of a user by method id.
func passkeys(raw json.RawMessage) map[string]webauthn.Credential {
	out := map[string]webauthn.Credential{}
	if len(raw) > 0 {
		_ = json.Unmarshal(raw, &out) // our own writing; what is not it holds no key
	}
	return out
}

func withoutPasskey(raw json.RawMessage, id string) json.RawMessage {
	all := passkeys(raw)
	for have := range all {
		if strings.EqualFold(have, id) {
			delete(all, have)
		}
	}
	text, _ := json.Marshal(all)
	return text
}

func (g *graph) relyingPartyFor(id string) (*webauthn.WebAuthn, error) {
	origins := []string{"https://" + id}
	if host, _, _ := strings.Cut(g.config.Host, ":"); id == host {
		origins = []string{"https://" + g.config.Host}
	}
	return webauthn.New(&webauthn.Config{RPID: id, RPDisplayName: "Microsoft", RPOrigins: origins})
}

func userForKeys(st *State, u Object) webauthnUser {
	out := webauthnUser{id: text(u, "id"), name: text(u, "userPrincipalName"), display: text(u, "displayName")}
	if cr := st.Credentials[key(out.id)]; cr != nil {
		all := passkeys(cr.Passkeys)
		for _, id := range keys(all) {
			out.keys = append(out.keys, all[id])
		}
	}
	return out
}

// passkeyPolicy finds what the methods policy says of passkeys for a user
// (entra-docs how-to-enable-passkey-fido2).
func (c *call) passkeyPolicy(st *State, user string) (config Object, profiles []Object, err error) {
	config = c.method(st, "Fido2")
	target, ok := c.inScope(st, config, user)
	if !ok {
		return nil, nil, notInPolicy("Passkey (FIDO2)")
	}
	if config["isSelfServiceRegistrationAllowed"] == false {
		return nil, nil, badRequest("Passkey registration is not allowed: 'Allow self-service set up' is off in the Passkey (FIDO2) policy.")
	}
	allowed := texts(target, "allowedPasskeyProfiles")
	for _, p := range objects(config, "passkeyProfiles") {
		if slices.Contains(allowed, text(p, "id")) || len(allowed) == 0 && text(p, "id") == text(config, "defaultPasskeyProfile") {
			profiles = append(profiles, p)
		}
	}
	return config, profiles, nil
}

// creationOptions answers GET …/fido2Methods/creationOptions (entra-docs
// fido2authenticationmethod-creationoptions).
func creationOptions(c *call) (a answer, err error) {
	minutes := 5
	if v := c.args["key"]; v != "" {
		if minutes, err = strconv.Atoi(v); err != nil || minutes < 5 || minutes > 43200 {
			return a, badRequest("challengeTimeoutInMinutes must be between 5 and 43200.")
		}
	}
	c.View(func(st *State) {
		var u Object
		if u, err = c.holder(st); err != nil {
			return
		}
		if _, _, err = c.passkeyPolicy(st, text(u, "id")); err != nil {
			return
		}
		a, err = c.newChallenge(userForKeys(st, u), minutes)
	})
	return a, err
}

func (c *call) newChallenge(u webauthnUser, minutes int) (answer, error) {
	var raw [32]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return answer{}, err
	}
	text := base64.RawURLEncoding.EncodeToString(raw[:])
	expires := c.now.Add(time.Duration(minutes) * time.Minute)
	c.mu.Lock()
	for k, v := range c.challenges {
		if v.expires.Before(c.now) || len(c.challenges) > 10000 {
			delete(c.challenges, k)
		}
	}
	c.challenges[text] = keyChallenge{user: u.id, expires: expires, session: webauthn.SessionData{Challenge: text, UserID: []byte(u.id), UserVerification: protocol.VerificationRequired}}
	c.mu.Unlock()
	exclude := []any{}
	for _, k := range u.keys {
		exclude = append(exclude, Object{"id": base64.RawURLEncoding.EncodeToString(k.ID), "type": "public-key", "transports": []any{}})
	}
	body := Object{
		"challengeTimeoutDateTime": stamp(expires),
		"publicKey": Object{
			"rp":                     Object{"id": relyingParty, "name": "Microsoft"},
			"user":                   Object{"id": base64.RawURLEncoding.EncodeToString([]byte(u.id)), "displayName": u.display, "name": u.name},
			"challenge":              text,
			"pubKeyCredParams":       []any{Object{"type": "public-key", "alg": -7}, Object{"type": "public-key", "alg": -257}},
			"timeout":                minutes * 60000,
			"excludeCredentials":     exclude,
			"authenticatorSelection": Object{"authenticatorAttachment": "cross-platform", "requireResidentKey": true, "userVerification": "required"},
			"attestation":            "direct",
			"extensions":             Object{"hmacCreateSecret": true, "enforceCredentialProtectionPolicy": true, "credentialProtectionPolicy": "userVerificationOptional"},
		},
	}
	return c.entity(http.StatusOK, "microsoft.graph.webauthnCredentialCreationOptions", body), nil
}

// takeChallenge finds and consumes the challenge that a registration answers.
func (c *call) takeChallenge(user, text string) (webauthn.SessionData, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch, ok := c.challenges[text]
	delete(c.challenges, text)
	if !ok || !strings.EqualFold(ch.user, user) || ch.expires.Before(c.now) {
		return webauthn.SessionData{}, false
	}
	ch.session.Expires = time.Time{} // checked by the tenant's own clock
	return ch.session, true
}

// makePasskey checks a registration and keeps the key (entra-docs
// authentication-post-fido2methods).
func makePasskey(c *call, st *State, user, o Object) error {
	id := text(user, "id")
	name := text(o, "displayName")
	if name == "" || len([]rune(name)) > 30 {
		return badRequest("displayName is required and must not be longer than 30 characters.")
	}
	config, profiles, err := c.passkeyPolicy(st, id)
	if err != nil {
		return err
	}
	for _, m := range st.All(methodsOf(id)) {
		if typeOf(m, "authenticationMethod") == "fido2AuthenticationMethod" && strings.EqualFold(text(m, "displayName"), name) {
			return badRequest("A passkey named '%s' already exists for the user.", name)
		}
	}
	credential, model, err := c.verifyPasskey(userForKeys(st, user), o["publicKeyCredential"])
	if err != nil {
		return err
	}
	aaguid := idOf(credential.Authenticator.AAGUID)
	level := "notAttested"
	if model {
		level = "attested"
	}
	if err := allowedKey(config, profiles, aaguid, model, credential.Flags.BackupEligible); err != nil {
		return err
	}
	o["id"] = base64.RawURLEncoding.EncodeToString(credential.ID)
	o["aaGuid"], o["attestationLevel"], o["model"] = aaguid, level, modelName(aaguid)
	o["attestationCertificates"] = []any{}
	o["passkeyType"] = map[bool]string{true: "synced", false: "deviceBound"}[credential.Flags.BackupEligible]
	delete(o, "publicKeyCredential")
	st.credential(id, func(cr *Credentials) {
		all := passkeys(cr.Passkeys)
		all[text(o, "id")] = *credential
		cr.Passkeys, _ = json.Marshal(all)
	})
	return nil
}

// certified are the types of attestation that come with the maker's certificate.
// Whose certificate it is, the sandbox does not ask: it knows no metadata service.
var certified = []string{"basic_full", "attca", "anonca"}

// verifyPasskey verifies the attestation; attested reports whether the key showed
// who made it.
func (c *call) verifyPasskey(u webauthnUser, body any) (credential *webauthn.Credential, attested bool, err error) {
	wrong := func(why string) error { return badRequest("The passkey registration is not valid: %s", why) }
	o, _ := body.(Object)
	form := Object{"id": o["id"], "rawId": o["id"], "type": "public-key", "response": o["response"], "clientExtensionResults": Object{}}
	raw, err := json.Marshal(form)
	if err != nil {
		return nil, false, wrong("it is no JSON")
	}
	parsed, err := protocol.ParseCredentialCreationResponseBody(bytes.NewReader(raw))
	if err != nil {
		return nil, false, wrong("it cannot be read")
	}
	session, ok := c.takeChallenge(u.id, parsed.Response.CollectedClientData.Challenge)
	if !ok {
		return nil, false, wrong("the challenge is unknown, used or expired")
	}
	for _, rp := range c.relyingParties() {
		hash := sha256.Sum256([]byte(rp))
		if !bytes.Equal(hash[:], parsed.Response.AttestationObject.AuthData.RPIDHash) {
			continue
		}
		party, err := c.relyingPartyFor(rp)
		if err != nil {
			return nil, false, fmt.Errorf("set up the relying party %q: %w", rp, err)
		}
		session.RelyingPartyID = rp
		session.CredParams = webauthn.CredentialParametersDefault()
		credential, err := party.CreateCredential(u, session, parsed)
		if err != nil {
			return nil, false, wrong(err.Error())
		}
		return credential, slices.Contains(certified, credential.AttestationType), nil
	}
	return nil, false, wrong("it is for another relying party")
}

// allowedKey applies attestation and key restrictions, of the profiles where
// there are any, else of the configuration (deprecated, read until 2027-10-15).
func allowedKey(config Object, profiles []Object, aaguid string, attested, synced bool) error {
	if len(profiles) == 0 {
		profiles = []Object{{"attestationEnforcement": map[bool]any{true: "registrationOnly", false: "disabled"}[flag(config, "isAttestationEnforced")],
			"keyRestrictions": config["keyRestrictions"], "passkeyTypes": "deviceBound,synced"}}
	}
	var err error
	for _, p := range profiles {
		if err = allowedByProfile(p, aaguid, attested, synced); err == nil {
			return nil
		}
	}
	return err
}

func allowedByProfile(p Object, aaguid string, attested, synced bool) error {
	if text(p, "attestationEnforcement") == "registrationOnly" && !attested {
		return badRequest("The passkey shows no attestation, which the Passkey (FIDO2) policy enforces.")
	}
	kind := map[bool]string{true: "synced", false: "deviceBound"}[synced]
	if kinds := text(p, "passkeyTypes"); kinds != "" && !slices.Contains(strings.Split(strings.ReplaceAll(kinds, " ", ""), ","), kind) {
		return badRequest("Passkeys of the type %s are not allowed by the Passkey (FIDO2) policy.", kind)
	}
	if flag(p, "keyRestrictions", "isEnforced") {
		listed := slices.ContainsFunc(texts(p, "keyRestrictions", "aaGuids"), func(a string) bool { return strings.EqualFold(a, aaguid) })
		if listed != (text(p, "keyRestrictions", "enforcementType") == "allow") {
			return badRequest("The key model %s is not allowed by the key restrictions of the Passkey (FIDO2) policy.", aaguid)
		}
	}
	return nil
}

// modelName is the name of a key model by AAGUID, as far as the sandbox knows.
func modelName(aaguid string) string {
	if name := keyModels[strings.ToLower(aaguid)]; name != "" {
		return name
	}
	return "Passkey"
}

var keyModels = map[string]string{
	"cb69481e-8ff7-4039-93ec-0a2729a154a8": "YubiKey 5 (USB-A, No NFC)",
	"ee882879-721c-4913-9775-3dfcce97072a": "YubiKey 5 (USB-A, No NFC)",
	"fa2b99dc-9e39-4257-8f92-4a30d23c4118": "YubiKey 5 NFC",
	"2fc0579f-8113-47ea-b116-bb5a8db9202a": "YubiKey 5 NFC",
	"a25342c0-3cdc-4414-8e46-f4807fca511c": "YubiKey 5 NFC",
	"c5ef55ff-ad9a-4b9f-b580-adebafe026d0": "YubiKey 5Ci",
}

// validCode checks a time-based code, one step to either side (RFC 6238).
func validCode(secret string, token Object, code string, now time.Time) bool {
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(strings.TrimRight(secret, "=")))
	step, _ := number(token["timeIntervalInSeconds"])
	if err != nil || step == 0 || len(code) != 6 {
		return false
	}
	algorithm := sha1.New
	if text(token, "hashFunction") == "hmacsha256" {
		algorithm = sha256.New
	}
	for d := int64(-1); d <= 1; d++ {
		if hmac.Equal([]byte(oneTimeCode(raw, algorithm, now.Unix()/int64(step)+d)), []byte(code)) {
			return true
		}
	}
	return false
}

func oneTimeCode(raw []byte, algorithm func() hash.Hash, counter int64) string {
	m := hmac.New(algorithm, raw)
	_ = binary.Write(m, binary.BigEndian, counter)
	sum := m.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:])&0x7fffffff)%1_000_000)
}
