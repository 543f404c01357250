package app

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
	"filippo.io/age/plugin"
	"golang.org/x/crypto/ssh"

	"halligan/custody"
	"halligan/seal"
)

// Talk is how a person is asked and told while keys are used.
type Talk struct {
	// Ask asks for a passphrase or PIN, which is not shown.
	Ask func(prompt string) (custody.Secret, error)
	// AskOpen asks for what may be seen.
	AskOpen func(prompt string) (string, error)
	Say     func(text string)
}

// ErrNobodyToAsk is that a passphrase is needed, and nobody can be asked.
var ErrNobodyToAsk = errors.New("there is nobody to ask")

func (t *Talk) ask(prompt string) (custody.Secret, error) {
	if t == nil || t.Ask == nil {
		return custody.Secret{}, ErrNobodyToAsk
	}
	return t.Ask(prompt)
}

// ui is a Talk as a plugin of age has it. The plugin is a program of its own, on
// PATH: age-plugin-NAME.
func (t *Talk) ui() *plugin.ClientUI {
	say := func(text string) {
		if t != nil && t.Say != nil {
			t.Say(custody.Visible(text))
		}
	}
	return &plugin.ClientUI{
		DisplayMessage: func(name, message string) error { say(name + ": " + message); return nil },
		RequestValue: func(name, prompt string, secret bool) (string, error) {
			if !secret && t != nil && t.AskOpen != nil {
				return t.AskOpen(custody.Visible(name + ": " + prompt))
			}
			given, err := t.ask(custody.Visible(name + ": " + prompt))
			return string(given.Reveal()), err
		},
		Confirm: func(name, prompt, yes, no string) (bool, error) {
			if t == nil || t.AskOpen == nil {
				return false, ErrNobodyToAsk
			}
			answer, err := t.AskOpen(custody.Visible(fmt.Sprintf("%s: %s [%s, or %s]", name, prompt, yes, no)))
			return strings.EqualFold(strings.TrimSpace(answer), yes), err
		},
		WaitTimer: func(name string) { say("waiting for " + name + ": touch the key, or plug it in") },
	}
}

func pluginRecipient(key string, t *Talk) (age.Recipient, error) {
	r, err := plugin.NewRecipient(key, t.ui())
	if err != nil {
		return nil, fmt.Errorf("read the recipient of a plugin: %w", err)
	}
	return r, nil
}

const mostIdentity = 64 << 10

// readMost reads a file that must not be larger.
func readMost(path string, most int64) ([]byte, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, most+1))
	if err == nil && int64(len(data)) > most {
		return nil, fmt.Errorf("%s has more than %d bytes", path, most)
	}
	return data, err
}

// LoadKeys reads a file of private keys: those of age, one to a line, also of its
// plugins; such a file under a passphrase; or an SSH key.
func LoadKeys(path string, t *Talk) ([]seal.Key, error) {
	text, err := readMost(path, mostIdentity)
	if err != nil {
		return nil, &hinted{fmt.Errorf("read the key: %w", err), "give the file of a private key: of age, or of SSH"}
	}
	defer clear(text)
	keys, err := keysIn(path, text, t)
	if err != nil {
		return nil, fmt.Errorf("read the key %s: %w", path, err)
	}
	return keys, nil
}

func keysIn(path string, text []byte, t *Talk) ([]seal.Key, error) {
	begins := func(with string) bool { return bytes.HasPrefix(bytes.TrimSpace(text), []byte(with)) }
	switch {
	case begins("age-encryption.org/"), begins(armor.Header):
		inner, err := underPassphrase(path, text, t)
		if err != nil {
			return nil, err
		}
		defer clear(inner)
		return ageKeys(path, inner, t)
	case begins("-----BEGIN"):
		return sshKey(path, text, t)
	}
	return ageKeys(path, text, t)
}

func underPassphrase(path string, text []byte, t *Talk) ([]byte, error) {
	passphrase, err := t.ask("Passphrase of " + path + ": ")
	if err != nil {
		return nil, err
	}
	defer passphrase.Wipe()
	identity, err := age.NewScryptIdentity(string(passphrase.Reveal()))
	if err != nil {
		return nil, err
	}
	var in io.Reader = bytes.NewReader(text)
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte(armor.Header)) {
		in = armor.NewReader(in)
	}
	out, err := age.Decrypt(in, identity)
	if err != nil {
		return nil, &hinted{errors.New("the passphrase is not right, or the file is not a key under a passphrase"), "type it again"}
	}
	return io.ReadAll(io.LimitReader(out, mostIdentity))
}

// ageKeys reads keys of age, one to a line; empty lines and those that begin with #
// are none.
func ageKeys(path string, text []byte, t *Talk) (out []seal.Key, err error) {
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		k := seal.Key{From: path}
		switch {
		case strings.HasPrefix(line, "AGE-SECRET-KEY-PQ-1"):
			var i *age.HybridIdentity
			if i, err = age.ParseHybridIdentity(line); err == nil {
				k.Identity, k.Public = i, i.Recipient().String()
			}
		case strings.HasPrefix(line, "AGE-SECRET-KEY-1"):
			var i *age.X25519Identity
			if i, err = age.ParseX25519Identity(line); err == nil {
				k.Identity, k.Public = i, i.Recipient().String()
			}
		case strings.HasPrefix(line, "AGE-PLUGIN-"):
			k.Identity, err = plugin.NewIdentity(line, t.ui())
		default:
			return nil, &hinted{errors.New("this is no private key of age or SSH"), "give the private key: of age it begins with AGE-SECRET-KEY-, of SSH with -----BEGIN; the file that ends in .pub is not it"}
		}
		if err != nil { // what age says may quote the key
			return nil, &hinted{errors.New("a letter of the key is wrong or missing"), "take another copy of the key file"}
		}
		out = append(out, k)
	}
	if len(out) == 0 {
		return nil, &hinted{errors.New("there is no key in it"), "give the file of a private key: of age, or of SSH"}
	}
	return out, nil
}

func sshKey(path string, text []byte, t *Talk) ([]seal.Key, error) {
	raw, err := ssh.ParseRawPrivateKey(text)
	if _, locked := errors.AsType[*ssh.PassphraseMissingError](err); locked {
		passphrase, askErr := t.ask("Passphrase of " + path + ": ")
		if askErr != nil {
			return nil, askErr
		}
		defer passphrase.Wipe()
		if raw, err = ssh.ParseRawPrivateKeyWithPassphrase(text, passphrase.Reveal()); err != nil {
			return nil, &hinted{errors.New("the passphrase is not right"), "type it again"}
		}
	}
	if err != nil {
		return nil, &hinted{errors.New("this is no private key of SSH that can be read"), "give the private key, not the one that ends in .pub; a key on a security key cannot decrypt"}
	}
	var identity age.Identity
	var signer ssh.Signer
	switch k := raw.(type) {
	case *ed25519.PrivateKey:
		identity, err = agessh.NewEd25519Identity(*k)
	case ed25519.PrivateKey:
		identity, err = agessh.NewEd25519Identity(k)
	case *rsa.PrivateKey:
		identity, err = agessh.NewRSAIdentity(k)
	default:
		err = errors.New("age decrypts with Ed25519 and RSA keys alone")
	}
	if err == nil {
		signer, err = ssh.NewSignerFromKey(raw)
	}
	if err != nil {
		return nil, &hinted{err, "give an Ed25519 or RSA key, or a key of age"}
	}
	public := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	return []seal.Key{{From: path, Identity: identity, Public: public}}, nil
}
