package evidence

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"halligan/custody"
)

// maxName is the most characters that a name of a key may have.
const maxName = 100

// keyName is what a name of a key may be: it stands in signed notes, where
// blanks and plus signs have a meaning.
var keyName = regexp.MustCompile(`^[!-*,-~]{1,100}$`)

// LogKey signs the checkpoints of a log (Ed25519, C2SP signed-note). It does not
// print, log or marshal.
type LogKey struct {
	public string
	hidden *hiddenKey
	before *LogKey // signs first, see After
}

// hiddenKey is behind a pointer because package fmt prints the private fields of
// a struct without asking their types.
type hiddenKey struct {
	secret custody.Secret
	signer note.Signer
}

// NewLogKey makes a key from 32 bytes of rand. The name says whose log it is, for
// example "tidewater-log-1"; it has no blank and no plus sign.
func NewLogKey(rand io.Reader, name string) (*LogKey, error) {
	if !keyName.MatchString(name) {
		return nil, fmt.Errorf("make log key %q: a name is 1 to 100 ASCII characters without blank and plus sign", name)
	}
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(rand, seed); err != nil {
		return nil, fmt.Errorf("make log key %q: read randomness: %w", name, err)
	}
	public, err := note.NewEd25519VerifierKey(name, ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey))
	if err != nil {
		return nil, fmt.Errorf("make log key %q: %w", name, err)
	}
	id := public[:len(name)+10] // "name+hash+"
	secret := "PRIVATE+KEY+" + id + base64.StdEncoding.EncodeToString(append([]byte{1}, seed...))
	return ParseLogKey(custody.NewSecret([]byte(secret)))
}

// ParseLogKey reads what Secret gave. The error does not show it.
func ParseLogKey(secret custody.Secret) (*LogKey, error) {
	text := strings.TrimSpace(string(secret.Reveal()))
	parts := strings.SplitN(text, "+", 5)
	signer, err := note.NewSigner(text)
	if err != nil || len(parts) != 5 || !keyName.MatchString(parts[2]) {
		return nil, errors.New("read log key: not a private log key (PRIVATE+KEY+name+hash+key)")
	}
	raw, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return nil, errors.New("read log key: not a private log key (PRIVATE+KEY+name+hash+key)")
	}
	public, err := note.NewEd25519VerifierKey(parts[2], ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey))
	if err != nil {
		return nil, fmt.Errorf("read log key: %w", err)
	}
	return &LogKey{public: public, hidden: &hiddenKey{custody.NewSecret([]byte(text)), signer}}, nil
}

// Public returns the public half in the form name+hash+base64 (C2SP signed-note).
func (k *LogKey) Public() string { return k.public }

// Secret returns the private half, for the key store or a file of mode 0600.
func (k *LogKey) Secret() custody.Secret { return k.hidden.secret }

// After returns a key that signs as both: first the old key, then this one. It
// signs the one checkpoint that follows an entry of kind log-key.
func (k *LogKey) After(old *LogKey) *LogKey {
	both := *k
	both.before = old
	return &both
}

// Format hides the key from every verb: only the public half is shown.
func (k LogKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "log key "+k.public) }

// MarshalText hides the key from JSON, YAML and logs.
func (k LogKey) MarshalText() ([]byte, error) { return []byte("log key " + k.public), nil }

// CheckKey reports what is wrong with the public half of a log key.
func CheckKey(public string) error {
	_, err := parsePublic(public)
	return err
}

// parsePublic reads a public key in the one spelling of it.
func parsePublic(public string) (note.Verifier, error) {
	v, err := note.NewVerifier(public)
	if err != nil || !keyName.MatchString(v.Name()) {
		return nil, keyError{public}
	}
	raw, err := base64.StdEncoding.DecodeString(public[len(v.Name())+10:])
	if err != nil || public != fmt.Sprintf("%s+%08x+%s", v.Name(), v.KeyHash(), base64.StdEncoding.EncodeToString(raw)) {
		return nil, keyError{public}
	}
	return v, nil
}

type keyError struct{ given string }

// privatePrefix begins a private key (golang.org/x/mod/sumdb/note).
const privatePrefix = "PRIVATE+KEY+"

func (e keyError) isPrivate() bool { return strings.Contains(e.given, privatePrefix) }

// Error quotes the beginning of what was given, and nothing of a private key: one
// that is given by mistake must not end in a log or a ticket.
func (e keyError) Error() string {
	if e.isPrivate() {
		return "read log key: this is a private log key, and the public one is needed"
	}
	return fmt.Sprintf("read log key %.60q: not a public log key", e.given)
}

// Hint says where the key is found.
func (e keyError) Hint() string {
	if e.isPrivate() {
		return "give the public key from the binder. Whoever saw the private one can sign a false log: if it was shown to anybody, change it (halligan request log-key)"
	}
	return "give the whole line from the binder: name+8 digits+44 characters"
}
