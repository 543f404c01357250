package custody

import (
	"fmt"
	"io"
)

// Secret holds a secret. The zero value holds none.
//
// The text is behind a function: package fmt and others look into private fields
// without asking for their Format or String, and a function shows them nothing. It
// also makes a Secret impossible to compare.
type Secret struct{ text func() []byte }

// hidden is what is shown in place of a secret.
const hidden = "[secret]"

// NewSecret takes the text over; it is the caller's no more.
func NewSecret(text []byte) Secret { return Secret{func() []byte { return text }} }

// Empty reports whether there is no secret.
func (s Secret) Empty() bool { return len(s.Reveal()) == 0 }

// Reveal returns the secret itself, for the one call that needs it. It must not be
// changed or kept.
func (s Secret) Reveal() []byte {
	if s.text == nil {
		return nil
	}
	return s.text()
}

// Wipe clears the bytes. Go may have copied them elsewhere before.
func (s Secret) Wipe() { clear(s.Reveal()) }

// String hides the secret.
func (Secret) String() string { return hidden }

// GoString hides the secret.
func (Secret) GoString() string { return hidden }

// Format hides the secret from every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText hides the secret from JSON, YAML and logs.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
