package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	html "html/template"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"halligan/custody"
	"halligan/register"
)

// PasskeyPage is a page on this machine on which a person makes a passkey, or signs
// with it. A browser counts http://localhost as a place where passkeys are safe
// (W3C Secure Contexts 3.1); nothing leaves the machine. It lives as long as one
// ceremony, answers to one name and one address that nobody can guess, and shows
// what is signed. What is done there counts with the code that stands in the
// terminal: other accounts of the machine see neither.
type PasskeyPage struct {
	// Port is where passkeys are made and used; the register keeps it with each.
	Port int
	// Open shows the person the page, and the code.
	Open func(PasskeyVisit) error
}

// PasskeyVisit is how a person comes to the page.
type PasskeyVisit struct {
	// File forwards to the page. It belongs to this account alone, and its name may
	// stand where others see it, as in the arguments of a browser.
	File string
	// Address is the page. Nobody but the person may see it.
	Address string
	// Code is typed in on the page.
	Code string
}

// PasskeyPort is the port of PasskeyPage by itself.
const PasskeyPort = 8477

const ceremonyTime = 5 * time.Minute

func (p *PasskeyPage) origin() string { return fmt.Sprintf("http://localhost:%d", p.Port) }

// ceremony is what the page does, in the browser's own words.
type ceremony struct {
	Title, Says, Text, Button string
	Create                    bool
	Options                   html.JS // JSON made here, of no text from outside
	Nonce                     string
}

// Make has a person make a passkey, and returns what the register keeps of it.
func (p *PasskeyPage) Make(ctx context.Context, name string) (*register.Passkey, error) {
	party, err := webauthn.New(&webauthn.Config{RPID: "localhost", RPDisplayName: "Halligan", RPOrigins: []string{p.origin()}})
	if err != nil {
		return nil, fmt.Errorf("make a passkey: %w", err)
	}
	who := &passkeyUser{id: make([]byte, 32), name: name}
	if _, err := io.ReadFull(rand.Reader, who.id); err != nil {
		return nil, fmt.Errorf("make a passkey: %w", err)
	}
	options, session, err := party.BeginRegistration(who, webauthn.WithConveyancePreference(protocol.PreferNoAttestation),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired}))
	if err != nil {
		return nil, fmt.Errorf("make a passkey: %w", err)
	}
	answer, err := p.hold(ctx, ceremony{Title: "Make a passkey", Says: "For " + custody.Visible(name) + ", to approve requests with. The key asks for its PIN or a finger.", Button: "Make the passkey", Create: true}, options.Response)
	if err != nil {
		return nil, fmt.Errorf("make a passkey: %w", err)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return nil, fmt.Errorf("make a passkey: the browser's answer: %w", err)
	}
	made, err := party.CreateCredential(who, *session, parsed)
	if err != nil {
		return nil, fmt.Errorf("make a passkey: %w", err)
	}
	return &register.Passkey{RPID: "localhost", Origin: p.origin(), CredentialID: base64.RawURLEncoding.EncodeToString(made.ID), PublicKey: base64.RawURLEncoding.EncodeToString(made.PublicKey)}, nil
}

// passkeyUser is a person to go-webauthn.
type passkeyUser struct {
	id   []byte
	name string
}

func (u *passkeyUser) WebAuthnID() []byte                         { return u.id }
func (u *passkeyUser) WebAuthnName() string                       { return u.name }
func (u *passkeyUser) WebAuthnDisplayName() string                { return u.name }
func (u *passkeyUser) WebAuthnCredentials() []webauthn.Credential { return nil }

// PasskeyFingerprint shortens the public key of a passkey, as the register has it,
// to what people compare.
func PasskeyFingerprint(publicKey string) string {
	raw, err := base64.RawURLEncoding.DecodeString(publicKey)
	if err != nil {
		return "passkey " + publicKey
	}
	sum := sha256.Sum256(raw)
	return "passkey SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// Sign has a person sign a text with their passkey.
func (p *PasskeyPage) Sign(ctx context.Context, key register.Passkey, text []byte, challenge string) (Signature, error) {
	origin, err := url.Parse(key.Origin)
	if err != nil || origin.Hostname() != "localhost" || origin.Scheme != "http" {
		return Signature{}, &hinted{fmt.Errorf("sign with a passkey: this one is for %.80q", key.Origin), "sign on the page where it was made, or use a key made here: halligan person add --passkey"}
	}
	port := PasskeyPort
	if _, err := fmt.Sscanf(origin.Port(), "%d", &port); err != nil {
		return Signature{}, fmt.Errorf("sign with a passkey: no port in %.80q", key.Origin)
	}
	here := PasskeyPage{Port: port, Open: p.Open}
	options := map[string]any{"challenge": challenge, "rpId": key.RPID, "userVerification": "required", "timeout": ceremonyTime.Milliseconds(),
		"allowCredentials": []any{map[string]any{"type": "public-key", "id": key.CredentialID}}}
	title := "Approve"
	if strings.HasPrefix(string(text), "halligan request\n") {
		title = "Ask for this"
	}
	answer, err := here.hold(ctx, ceremony{Title: title, Says: "Read it. With the passkey you sign exactly this:", Text: string(text), Button: "Sign with the passkey"}, options)
	if err != nil {
		return Signature{}, fmt.Errorf("sign with a passkey: %w", err)
	}
	return Signature{Method: custody.MethodPasskey, Text: string(answer)}, nil
}
