package register

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"crypto/rsa"

	"filippo.io/age"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"golang.org/x/crypto/ssh"
)

// Of golang.org/x/crypto/ssh, filippo.io/age and webauthncose only what reads and
// verifies keys is used: bytes in, verdict out. The first could open connections;
// nothing here calls that.

// rsaBitsLeast is the least length of an RSA key that people sign with or receive
// by (BSI TR-02102-1: 3000 bits from 2024 on).
const rsaBitsLeast = 3072

// signingTypes are the SSH keys that may approve (OpenSSH PROTOCOL, PROTOCOL.u2f).
var signingTypes = []string{ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoSKECDSA256, ssh.KeyAlgoRSA}

// sshReceivingTypes are the SSH keys that age can encrypt to.
var sshReceivingTypes = []string{ssh.KeyAlgoED25519, ssh.KeyAlgoRSA}

// KeyError says why a public key is none that may be used.
type KeyError struct{ What, hint string }

// Error returns what is wrong with the key.
func (e *KeyError) Error() string { return e.What }

// Hint returns what to give in its place.
func (e *KeyError) Hint() string { return e.hint }

const (
	signingHint   = "give the one line of the .pub file, such as ssh-ed25519 AAAA… ; ssh-keygen -t ed25519 makes one, -t ed25519-sk one on a security key"
	receivingHint = "give the line that begins with age1 (age-keygen -y shows it), or an ssh-ed25519 or ssh-rsa public key"
)

// ParseSigningKey reads one line of an SSH public key with which a person may
// sign: Ed25519, ECDSA, RSA of 3072 bits or more, or one on a security key. A
// certificate, options before the key and a second line are refused.
func ParseSigningKey(line string) (ssh.PublicKey, error) {
	return parseSSH(line, signingTypes, signingHint)
}

func parseSSH(line string, types []string, hint string) (ssh.PublicKey, error) {
	if len(line) > 8<<10 || strings.ContainsAny(line, "\n\r") {
		return nil, &KeyError{"this is no single line of an SSH public key", hint}
	}
	key, _, options, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		return nil, &KeyError{"this is no SSH public key", hint}
	}
	switch {
	case len(options) > 0:
		return nil, &KeyError{"there are options before the public key", "remove what stands before " + key.Type()}
	case !slices.Contains(types, key.Type()):
		return nil, &KeyError{fmt.Sprintf("a key of type %s cannot be used here", shown(key.Type())), "use one of " + strings.Join(types, ", ")}
	}
	if of, is := key.(ssh.CryptoPublicKey); is {
		if k, is := of.CryptoPublicKey().(*rsa.PublicKey); is && k.N.BitLen() < rsaBitsLeast {
			return nil, &KeyError{fmt.Sprintf("an RSA key of %d bits is too short", k.N.BitLen()), fmt.Sprintf("use Ed25519, or RSA of %d bits or more", rsaBitsLeast)}
		}
	}
	return key, nil
}

// CheckReceivingKey reports what is wrong with a key to which something is to be
// encrypted: an age recipient (age-encryption.org/v1, X25519 or its post-quantum
// hybrid), one of a plugin, or an SSH public key.
func CheckReceivingKey(text string) error {
	if !strings.HasPrefix(text, "age1") {
		_, err := parseSSH(text, sshReceivingTypes, receivingHint)
		return err
	}
	if strings.HasPrefix(text, "age1pq1") {
		if _, err := age.ParseHybridRecipient(text); err != nil {
			return &KeyError{"this is no recipient of age: a letter is wrong or missing", receivingHint}
		}
		return nil
	}
	if pluginKey.MatchString(text) && len(text) <= 4<<10 && bech32Holds(text) {
		return nil // only its plugin can tell more
	}
	if _, err := age.ParseX25519Recipient(text); err != nil {
		return &KeyError{"this is no recipient of age: a letter is wrong or missing", receivingHint}
	}
	return nil
}

// pluginKey is the form of a recipient that a plugin of age encrypts to, such as
// age1yubikey1… (C2SP age-plugin).
var pluginKey = regexp.MustCompile(`^age1[a-z0-9+._-]+1[02-9ac-hj-np-z]{6,}$`)

// bech32Holds reports whether the checksum of a text in Bech32 is right (BIP 173).
func bech32Holds(text string) bool {
	at := strings.LastIndexByte(text, '1')
	sum := uint32(1)
	add := func(value byte) {
		top := sum >> 25
		sum = sum&0x1ffffff<<5 ^ uint32(value)
		for i, g := range [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			sum ^= g & -(top >> i & 1)
		}
	}
	for _, c := range []byte(text[:at]) {
		add(c >> 5)
	}
	add(0)
	for _, c := range []byte(text[:at]) {
		add(c & 31)
	}
	for _, c := range []byte(text[at+1:]) {
		add(byte(strings.IndexByte("qpzry9x8gf2tvdw0s3jn54khce6mua7l", c)))
	}
	return sum == 1
}

// coseKey and credential decode what a passkey is verified by.
func (p *Passkey) coseKey() ([]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(p.PublicKey)
	if err != nil || len(raw) > 4<<10 {
		return nil, &KeyError{"publicKey is no base64url", "copy it as the registration of the passkey gave it"}
	}
	if _, err := webauthncose.ParsePublicKey(raw); err != nil {
		return nil, &KeyError{"publicKey is no COSE key of a known kind", "copy it as the registration of the passkey gave it: base64url of the COSE key"}
	}
	return raw, nil
}

func (p *Passkey) credential() ([]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(p.CredentialID)
	if err != nil || len(raw) < 16 || len(raw) > 1023 { // WebAuthn Level 2, 4: at least 16 bytes, at most 1023
		return nil, &KeyError{"credentialId is no base64url of 16 to 1023 bytes", "copy it as the registration of the passkey gave it"}
	}
	return raw, nil
}

// Keys returns the credential id and the COSE key of a passkey.
func (p *Passkey) Keys() (credential, cose []byte, err error) {
	if credential, err = p.credential(); err != nil {
		return nil, nil, err
	}
	cose, err = p.coseKey()
	return credential, cose, err
}

// checkOrigin reports an origin that could not be that of the relying party
// (WebAuthn Level 2, 5.1.3: the id is the origin's domain or one above it).
func (p *Passkey) checkOrigin() error {
	const hint = "write the origin as https://approve.example.com, and its domain, or one above, as rpId"
	u, err := url.Parse(p.Origin)
	host := ""
	if err == nil {
		host = u.Hostname()
	}
	local := host == "localhost" && p.RPID == "localhost"
	switch {
	case err != nil, u.Scheme != "https" && !(u.Scheme == "http" && local), host == "", u.User != nil, u.Path != "", u.RawQuery != "", u.Fragment != "":
		return &KeyError{"this is no origin of a web page", hint}
	case p.RPID != strings.ToLower(p.RPID), host != p.RPID && !strings.HasSuffix(host, "."+p.RPID), !strings.Contains(p.RPID, ".") && !local:
		return &KeyError{"the origin is not of the domain rpId", hint}
	}
	return nil
}

// sshBody is a line of an SSH public key without its comment, so that one key
// under two comments is one.
func sshBody(line string) string {
	if fields := strings.Fields(line); len(fields) >= 2 {
		return fields[0] + " " + fields[1]
	}
	return line
}
