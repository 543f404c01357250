package seal

import (
	"regexp"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"
)

// Kind is what a holder has.
type Kind string

// The kinds. KindPaper is a holder without a key, who has a share or a half on
// paper. What a plugin of age does, package seal does not know.
const (
	KindUnknown Kind = ""
	KindAge     Kind = "age"
	KindHybrid  Kind = "age-post-quantum"
	KindSSH     Kind = "ssh"
	KindPlugin  Kind = "plugin"
	KindPaper   Kind = "paper"
)

var pluginKey = regexp.MustCompile(`^age1([a-z0-9+._-]+)1[02-9ac-hj-np-z]{6,}$`)

// KindOf tells the kind of a public key by its form; "" is a holder on paper.
func KindOf(key string) Kind {
	switch {
	case key == "":
		return KindPaper
	case strings.HasPrefix(key, "age1pq1"):
		return KindHybrid
	case strings.HasPrefix(key, "ssh-"):
		return KindSSH
	case pluginKey.MatchString(key):
		return KindPlugin
	case strings.HasPrefix(key, "age1"):
		return KindAge
	}
	return KindUnknown
}

// ParseRecipient reads a public key that needs no plugin: an X25519 or hybrid
// recipient of age, or one line of an SSH key of type ssh-ed25519 or ssh-rsa.
func ParseRecipient(key string) (age.Recipient, error) {
	var r age.Recipient
	var err error
	switch KindOf(key) {
	case KindAge:
		r, err = age.ParseX25519Recipient(key)
	case KindHybrid:
		r, err = age.ParseHybridRecipient(key)
	case KindSSH:
		r, err = agessh.ParseRecipient(key)
	default:
		return nil, refuse(ReasonPlan, "%.40q is no public key that can be encrypted to without a plugin", key)
	}
	if err != nil {
		return nil, refuse(ReasonPlan, "the public key %.40q: %v", key, err)
	}
	return r, nil
}

// Fingerprint is what people compare of a public key, and what the manifest has of
// it: that of OpenSSH for its keys, else the SHA-256 of the recipient as text. It is
// "" for paper.
func Fingerprint(key string) string {
	switch KindOf(key) {
	case KindPaper:
		return ""
	case KindSSH:
		if public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(key)); err == nil {
			return ssh.FingerprintSHA256(public)
		}
	}
	return digest([]byte(strings.TrimSpace(key)))
}
