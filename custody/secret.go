package custody

import (
	"fmt"
	"io"
)

// Secret holds a secret. The zero value holds none.
type Secret struct {
	text []byte
	_    [0]func() // not comparable
}

// hidden is what is shown in place of a secret.
const hidden = "[secret]"

// NewSecret takes the text over; it is the caller's no more.
func NewSecret(text []byte) Secret { return Secret{text: text} }

// Empty reports whether there is no secret.
func (s Secret) Empty() bool { return len(s.text) == 0 }

// Reveal returns the secret itself, for the one call that needs it. It must not be
// changed or kept.
func (s Secret) Reveal() []byte { return s.text }

// String hides the secret.
func (Secret) String() string { return hidden }

// GoString hides the secret.
func (Secret) GoString() string { return hidden }

// Format hides the secret from every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText hides the secret from JSON, YAML and logs.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
