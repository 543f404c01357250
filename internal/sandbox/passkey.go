package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// keyring is a user's passkeys by method id, as go-webauthn keeps them.
type keyring map[string]webauthn.Credential

// bearer is a user to go-webauthn.
type bearer struct {
	id, name, display string
	keys              keyring
}

func (b *bearer) WebAuthnID() []byte          { return []byte(b.id) }
func (b *bearer) WebAuthnName() string        { return b.name }
func (b *bearer) WebAuthnDisplayName() string { return b.display }

func (b *bearer) WebAuthnCredentials() []webauthn.Credential {
	var out []webauthn.Credential
	for _, c := range b.keys {
		out = append(out, c)
	}
	return out
}

func bearerOf(state *State, userID string) *bearer {
	u := state.Get("users", userID)
	if u == nil {
		return nil
	}
	b := &bearer{id: key(userID), name: wireText(u["userPrincipalName"]), display: wireText(u["displayName"]), keys: keyring{}}
	if c := state.Credentials[key(userID)]; c != nil && len(c.Passkeys) > 0 {
		_ = json.Unmarshal(c.Passkeys, &b.keys) // what does not decode is no key
	}
	return b
}

// relyingParty is this server to a passkey: Entra's is login.microsoft.com, here
// it is the host alone.
func (s *Server) relyingParty() (*webauthn.WebAuthn, error) {
	host := s.config.Host
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	return webauthn.New(&webauthn.Config{RPID: name, RPDisplayName: "Halligan sandbox", RPOrigins: []string{"https://" + host}})
}

// keyRules are the rules for registering a passkey (entra-docs
// identity/authentication/how-to-enable-passkey-fido2).
type keyRules struct {
	allowed, attested bool
	why               string
	world             *World
	who               *signer
}

func readKeyRules(state *State, userID string, at time.Time) keyRules {
	w := NewWorld(state, at)
	r := keyRules{world: w, who: w.signer(userID)}
	c := w.methods["fido2"]
	switch {
	case r.who == nil || w.modeUsable(r.who, "fido2") != yes:
		r.why = "Passkeys are not turned on for you."
	case c != nil && c["isSelfServiceRegistrationAllowed"] == false:
		r.why = "Your organization does not let people register passkeys themselves."
	default:
		r.allowed = true
	}
	r.attested = wireBool(c["isAttestationEnforced"])
	return r
}

var (
	errKeyModel    = errors.New("register a passkey: your organization does not allow this model of key")
	errKeyAttested = errors.New("register a passkey: your organization wants the key to prove its model, and it did not")
)

// addKey stores a passkey that was made in a ceremony, and shows it as Graph does.
func addKey(state *State, userID, name string, c *webauthn.Credential, rules keyRules, at time.Time) (Object, error) {
	aaguid := uuidText(c.Authenticator.AAGUID)
	synced := c.Flags.BackupEligible
	attested := c.AttestationFormat != "none" && c.AttestationFormat != ""
	if rules.world.keyAllowed(rules.who, aaguid, synced) != yes {
		return nil, errKeyModel
	}
	if rules.attested && !attested {
		return nil, errKeyAttested
	}
	b := bearerOf(state, userID)
	id := base64.RawURLEncoding.EncodeToString(c.ID)
	b.keys[id] = *c
	data, err := json.Marshal(b.keys)
	if err != nil {
		return nil, fmt.Errorf("store passkey: %w", err)
	}
	credentialsOf(state, userID).Passkeys = data
	method := Object{"@odata.type": "#microsoft.graph.fido2AuthenticationMethod", "id": id, "displayName": name, "createdDateTime": at.UTC().Format(time.RFC3339),
		"aaGuid": aaguid, "model": "Unknown model", "attestationCertificates": []any{}, "attestationLevel": "notAttested", "passkeyType": "deviceBound"}
	if attested {
		method["attestationLevel"] = "attested"
	}
	if synced {
		method["passkeyType"] = "synced"
	}
	state.Put("users/"+key(userID)+"/authentication/methods", id, method)
	return method, nil
}

// usedKey stores a key's new signature counter and tells how it was shown.
func usedKey(state *State, userID string, c *webauthn.Credential) Shown {
	b := bearerOf(state, userID)
	id := base64.RawURLEncoding.EncodeToString(c.ID)
	b.keys[id] = *c
	if data, err := json.Marshal(b.keys); err == nil {
		credentialsOf(state, userID).Passkeys = data
	}
	return Shown{Mode: "fido2", MethodID: id, AAGUID: uuidText(c.Authenticator.AAGUID), Synced: c.Flags.BackupEligible}
}

// removeKey forgets the key behind a deleted method.
func removeKey(state *State, userID, methodID string) {
	b := bearerOf(state, userID)
	for id := range b.keys {
		if wireSame(id, methodID) {
			delete(b.keys, id)
		}
	}
	if data, err := json.Marshal(b.keys); err == nil {
		credentialsOf(state, userID).Passkeys = data
	}
}

// credentialsOf replaces a user's credentials by a copy, which may be changed.
func credentialsOf(state *State, userID string) *Credentials {
	c := Credentials{}
	if have := state.Credentials[key(userID)]; have != nil {
		c = *have
	}
	state.Credentials[key(userID)] = &c
	return &c
}

func uuidText(b []byte) string {
	if len(b) != 16 {
		return ""
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// passkeyFailure is what a person is told of a ceremony that failed.
func passkeyFailure(err error) string {
	if e, ok := errors.AsType[*protocol.Error](err); ok && strings.Contains(strings.ToLower(e.DevInfo+e.Details), "verif") {
		return "The key did not check that it was you (PIN or fingerprint)."
	}
	return "The passkey could not be verified."
}
