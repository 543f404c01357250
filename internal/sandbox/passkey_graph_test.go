package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
)

// softKey is a security key of software that shows no attestation.
type softKey struct {
	aaguid  string
	private *ecdsa.PrivateKey
	id      []byte
}

func newSoftKey(t *testing.T, aaguid string) softKey {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 32)
	_, _ = rand.Read(id)
	return softKey{aaguid, private, id}
}

func cborBytes(b []byte) []byte { return append(cborHead(2, len(b)), b...) }

func cborText(s string) []byte { return append(cborHead(3, len(s)), s...) }

func cborHead(major byte, n int) []byte {
	if n < 24 {
		return []byte{major<<5 | byte(n)}
	}
	if n < 256 {
		return []byte{major<<5 | 24, byte(n)}
	}
	return append([]byte{major<<5 | 25}, byte(n>>8), byte(n))
}

// registration answers a challenge for a relying party and origin (WebAuthn 6.5).
func (k softKey) registration(t *testing.T, party, origin, challenge string) string {
	t.Helper()
	client, _ := json.Marshal(map[string]any{"type": "webauthn.create", "challenge": challenge, "origin": origin, "crossOrigin": false})
	point, err := k.private.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	cose := []byte{0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21}
	cose = append(append(cose, cborBytes(point[1:33])...), 0x22)
	cose = append(cose, cborBytes(point[33:65])...)
	hash := sha256.Sum256([]byte(party))
	data := append(hash[:], 0x45) // user present, user verified, attested data
	data = binary.BigEndian.AppendUint32(data, 0)
	aaguid, err := hex.DecodeString(strings.ReplaceAll(k.aaguid, "-", ""))
	if err != nil {
		t.Fatal(err)
	}
	data = append(data, aaguid...)
	data = binary.BigEndian.AppendUint16(data, uint16(len(k.id)))
	data = append(append(data, k.id...), cose...)
	object := append(cborHead(5, 3), cborText("fmt")...)
	object = append(append(object, cborText("none")...), cborText("attStmt")...)
	object = append(append(object, 0xa0), cborText("authData")...)
	object = append(object, cborBytes(data)...)
	enc := base64.RawURLEncoding.EncodeToString
	body, _ := json.Marshal(map[string]any{"displayName": "Key " + enc(k.id[:4]), "publicKeyCredential": map[string]any{"id": enc(k.id),
		"response": map[string]any{"clientDataJSON": enc(client), "attestationObject": enc(object)}}})
	return string(body)
}

func (b *bench) options(user string) string {
	b.t.Helper()
	r := b.must(200, "GET", user+"/authentication/fido2Methods/creationOptions", "")
	if text(r.body, "publicKey", "rp", "id") != relyingParty || r.body["value"] != nil {
		b.t.Fatalf("creation options: %s", r.text)
	}
	return text(r.body, "publicKey", "challenge")
}

func TestKeyIsRegisteredOnBehalf(t *testing.T) {
	b := newBench(t, "contoso-p2")
	user := "/v1.0/users/" + b.id("ada.holm@"+exampleCustom)
	const origin = "https://login.microsoftonline.com"
	key := newSoftKey(t, yubikey)
	body := key.registration(t, relyingParty, origin, b.options(user))
	r := b.must(201, "POST", user+"/authentication/fido2Methods", body)
	if text(r.body, "aaGuid") != yubikey || text(r.body, "attestationLevel") != "notAttested" || text(r.body, "passkeyType") != "deviceBound" {
		t.Errorf("the new method: %s", r.text)
	}
	if r := b.must(400, "POST", user+"/authentication/fido2Methods", strings.Replace(body, `"displayName":"`, `"displayName":"again `, 1)); !strings.Contains(r.text, "challenge") {
		t.Errorf("a challenge used twice: %s", r.text)
	}
	other := newSoftKey(t, yubikey)
	for name, body := range map[string]string{
		"another origin":         other.registration(t, relyingParty, "https://login.evil.example", b.options(user)),
		"another relying party":  other.registration(t, "evil.example", origin, b.options(user)),
		"a challenge of its own": other.registration(t, relyingParty, origin, base64.RawURLEncoding.EncodeToString([]byte("01234567890123456789012345678901"))),
	} {
		if r := b.do("POST", user+"/authentication/fido2Methods", body); r.status != 400 {
			t.Errorf("%s: got %d %s", name, r.status, r.text)
		}
	}
	b.must(204, "DELETE", user+"/authentication/fido2Methods/"+text(r.body, "id"), "")
	b.g.View(func(st *State) {
		if n := len(passkeys(st.Credentials[b.id("ada.holm@"+exampleCustom)].Passkeys)); n != 0 {
			t.Errorf("%d keys are left after the method was deleted", n)
		}
	})
}

// The passkey policy decides whether a key may be registered.
func TestKeyPolicyRefuses(t *testing.T) {
	config := "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/Fido2"
	const typ = `"@odata.type":"#microsoft.graph.fido2AuthenticationMethodConfiguration"`
	for name, c := range map[string]struct{ patch, says string }{
		"attestation enforced":     {`"isAttestationEnforced":true`, "shows no attestation"},
		"another model allowed":    {`"keyRestrictions":{"isEnforced":true,"enforcementType":"allow","aaGuids":["` + epass + `"]}`, "key restrictions"},
		"this model blocked":       {`"keyRestrictions":{"isEnforced":true,"enforcementType":"block","aaGuids":["` + yubikey + `"]}`, "key restrictions"},
		"a profile of synced ones": {`"passkeyProfiles":[{"id":"44444444-4444-4444-8444-444444444444","name":"p","passkeyTypes":"synced","attestationEnforcement":"disabled"}],"defaultPasskeyProfile":"44444444-4444-4444-8444-444444444444"`, "deviceBound"},
	} {
		b := newBench(t, "contoso-p2")
		user := "/v1.0/users/" + b.id("ada.holm@"+exampleCustom)
		b.must(204, "PATCH", config, "{"+typ+","+c.patch+"}")
		r := b.do("POST", user+"/authentication/fido2Methods", newSoftKey(t, yubikey).registration(t, relyingParty, "https://login.microsoftonline.com", b.options(user)))
		if r.status != 400 || !strings.Contains(r.text, c.says) {
			t.Errorf("%s: got %d %s", name, r.status, r.text)
		}
	}
	b := newBench(t, "contoso-p2")
	user := "/v1.0/users/" + b.id("ada.holm@"+exampleCustom)
	b.must(204, "PATCH", config, "{"+typ+`,"isSelfServiceRegistrationAllowed":false}`)
	b.must(400, "GET", user+"/authentication/fido2Methods/creationOptions", "")
	b.must(204, "PATCH", config, "{"+typ+`,"isSelfServiceRegistrationAllowed":true,"state":"disabled"}`)
	b.must(400, "GET", user+"/authentication/fido2Methods/creationOptions", "")
	b.must(400, "GET", "/beta/users/"+b.id("ada.holm@"+exampleCustom)+"/authentication/fido2Methods/creationOptions(challengeTimeoutInMinutes=4)", "")
}

// A hardware token is put into the inventory, given to a person and shown to work.
func TestHardwareTokenIsAssignedAndActivated(t *testing.T) {
	b := newBench(t, "contoso-p2")
	b.must(204, "PATCH", "/beta/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/hardwareOath", `{"@odata.type":"#microsoft.graph.hardwareOathAuthenticationMethodConfiguration","state":"enabled"}`)
	const devices = "/beta/directory/authenticationMethodDevices/hardwareOathDevices"
	secret := "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
	r := b.must(201, "POST", devices, `{"serialNumber":"S1","manufacturer":"M","model":"T","secretKey":"`+secret+`","timeIntervalInSeconds":30,"hashFunction":"hmacsha1"}`)
	if strings.Contains(r.text, secret) || text(r.body, "status") != "available" {
		t.Errorf("the token: %s", r.text)
	}
	b.must(400, "POST", devices, `{"serialNumber":"S2","manufacturer":"M","model":"T","secretKey":"not base32!","timeIntervalInSeconds":30}`)
	b.must(409, "POST", devices, `{"serialNumber":"S1","manufacturer":"M","model":"T","secretKey":"`+secret+`","timeIntervalInSeconds":30}`)
	methods := "/beta/users/" + b.id("ada.holm@"+exampleCustom) + "/authentication/hardwareOathMethods"
	m := text(b.must(201, "POST", methods, `{"device":{"id":"`+text(r.body, "id")+`"}}`).body, "id")
	b.must(400, "POST", methods+"/"+m+"/activate", `{"verificationCode":"000000"}`)
	raw, _ := base32Decode(secret)
	b.must(204, "POST", methods+"/"+m+"/activate", `{"verificationCode":"`+oneTimeCode(raw, newSHA1, b.at.Unix()/30)+`"}`)
	if r := b.must(200, "GET", devices+"/"+text(r.body, "id"), ""); text(r.body, "status") != "activated" {
		t.Errorf("after activation: %s", r.text)
	}
	b.must(400, "DELETE", devices+"/"+text(r.body, "id"), "")
	b.must(204, "DELETE", methods+"/"+m, "")
	b.must(204, "DELETE", devices+"/"+text(r.body, "id"), "")
}
