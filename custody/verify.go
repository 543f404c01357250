package custody

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"

	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"halligan/register"
)

// Signed is what a signature that verifies says.
type Signed struct {
	Person string
	Method Method
	// Key is the fingerprint of the SSH key (SHA256:…), or the id of the passkey.
	Key string
	// Verified: the key asked for a PIN or a finger, beyond a touch.
	Verified bool
	// Counter of a security key or passkey; 0 where there is none.
	Counter uint32
	// Notes are what people should know, such as a counter that went backwards.
	Notes []string
}

// verify checks the signature of an approval by a person of the register.
func (r *Rules) verify(req *Request, a *Approval, p *register.Person) (*Signed, *Refusal) {
	if a.Method == MethodPasskey {
		return r.verifyPasskey(req, a, p)
	}
	return r.verifySSH(req, a, p)
}

// armour are the lines about an armoured signature (OpenSSH PROTOCOL.sshsig, 2).
const armourBegin, armourEnd = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"

// ParseSSHSignature reads an armoured signature. Anything before, after or between
// is refused.
func ParseSSHSignature(text string) (*sshsig.Signature, error) {
	body, begun := strings.CutPrefix(strings.TrimSpace(text), armourBegin)
	body, ended := strings.CutSuffix(body, armourEnd)
	if !begun || !ended || len(text) > signatureMost || strings.Trim(body, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n") != "" {
		return nil, refuse(ReasonSignature, "", "this is no armoured SSH signature")
	}
	s, err := sshsig.Unarmor([]byte(armourBegin + body + armourEnd + "\n"))
	if err != nil {
		return nil, refuse(ReasonSignature, "", "this is no SSH signature")
	}
	return s, nil
}

func (r *Rules) verifySSH(req *Request, a *Approval, p *register.Person) (*Signed, *Refusal) {
	s, err := ParseSSHSignature(a.Signature)
	if err != nil {
		return nil, refuse(ReasonSignature, a.Person, "this is no SSH signature")
	}
	key, err := register.ParseSigningKey(p.Signing)
	if err != nil && r.has(DefenceKey) {
		return nil, refuse(ReasonKey, a.Person, "the register has no SSH key for signing")
	}
	if !r.has(DefenceKey) {
		key = s.PublicKey
	}
	namespace := Namespace
	if !r.has(DefenceNamespace) {
		namespace = s.Namespace
	}
	switch {
	case !bytes.Equal(key.Marshal(), s.PublicKey.Marshal()):
		return nil, refuse(ReasonKey, a.Person, "signed by %s", ssh.FingerprintSHA256(s.PublicKey))
	case s.Namespace != namespace:
		return nil, refuse(ReasonNamespace, a.Person, "namespace %q", Visible(s.Namespace))
	}
	out := &Signed{Person: p.Name, Method: MethodSSH, Key: ssh.FingerprintSHA256(key)}
	if strings.HasPrefix(key.Type(), "sk-") {
		// OpenSSH PROTOCOL.u2f: one byte of flags (1: present, 4: verified) and the
		// counter stand behind the signature.
		if len(s.Signature.Rest) != 5 {
			return nil, refuse(ReasonSignature, a.Person, "flags and counter of the security key are missing")
		}
		flags := s.Signature.Rest[0]
		if flags&1 == 0 {
			return nil, refuse(ReasonPresence, a.Person, "flags %d", flags)
		}
		out.Verified, out.Counter = flags&4 != 0, binary.BigEndian.Uint32(s.Signature.Rest[1:])
		r.counter(out)
	}
	if err := sshsig.Verify(bytes.NewReader(a.Text(req)), s, key, s.HashAlgorithm, namespace); err != nil && r.has(DefenceSignature) {
		return nil, refuse(ReasonSignature, a.Person, "it is not by this key for this text")
	}
	return out, nil
}

// verifyPasskey follows WebAuthn Level 2, 7.2; go-webauthn does the work. Which
// credential, whether it verified its owner, and the counter are ours to judge.
func (r *Rules) verifyPasskey(req *Request, a *Approval, p *register.Person) (*Signed, *Refusal) {
	pass, err := protocol.ParseCredentialRequestResponseBytes([]byte(a.Signature))
	if err != nil {
		return nil, refuse(ReasonSignature, a.Person, "this is no assertion of a passkey")
	}
	credential, cose, err := p.Passkey.Keys()
	if err != nil {
		return nil, refuse(ReasonKey, a.Person, "the register has no passkey for signing")
	}
	auth := pass.Response.AuthenticatorData
	switch {
	case !bytes.Equal(credential, pass.RawID):
		return nil, refuse(ReasonKey, a.Person, "signed by another passkey")
	case !auth.Flags.HasUserPresent():
		return nil, refuse(ReasonPresence, a.Person, "the passkey says that nobody was present")
	case !auth.Flags.HasUserVerified() && r.has(DefenceVerified):
		return nil, refuse(ReasonVerified, a.Person, "neither PIN nor finger")
	}
	err = pass.Verify(a.Challenge(req), p.Passkey.RPID, "", []string{p.Passkey.Origin}, nil, nil, protocol.TopOriginExplicitVerificationMode, false, r.has(DefenceVerified), true, cose, protocol.SignaturePolicy{})
	if err != nil && r.has(DefenceSignature) {
		return nil, refuse(ReasonSignature, a.Person, "it is not by this passkey for this text, from %s", p.Passkey.Origin)
	}
	out := &Signed{Person: p.Name, Method: MethodPasskey, Key: base64.RawURLEncoding.EncodeToString(credential), Verified: auth.Flags.HasUserVerified(), Counter: auth.Counter}
	r.counter(out)
	return out, nil
}

// counter tells of a counter that did not rise: the key may have been copied
// (WebAuthn Level 2, 6.1.1). Keys without one say 0 for ever.
func (r *Rules) counter(s *Signed) {
	if last, known := r.Counters[s.Key]; known && s.Counter <= last && (s.Counter != 0 || last != 0) {
		s.Notes = append(s.Notes, "the sign counter of the key of "+Visible(s.Person)+" did not rise: there may be a copy of it")
	}
}
