package seal

import (
	"fmt"
	"io"
	"strings"

	"halligan/custody"
)

// Alphabet is what a password is made of.
type Alphabet struct {
	Name, Doc string
	// Kinds are letters of one kind each; a password has at least one of each.
	Kinds []string
}

// Alphabets are those that there are; the first is the usual one. None has letters
// that look like others: no 0 O o, 1 l I |, B 8, S 5 (requirements of people who
// type it when tense).
var Alphabets = []Alphabet{
	{"letters", "capitals, small letters and digits that do not look like each other", []string{"ACDEFGHJKLMNPQRTUVWXYZ", "abcdefghijkmnpqrstuvwxyz", "234679"}},
	{"digits", "digits alone, for a PIN", []string{"0123456789"}},
}

// AlphabetOf returns an alphabet by its name, or nil.
func AlphabetOf(name string) *Alphabet {
	for i := range Alphabets {
		if Alphabets[i].Name == name {
			return &Alphabets[i]
		}
	}
	return nil
}

// Lengths of a secret that is made here.
const (
	MadeLeast = 6
	MadeMost  = 256 // Entra takes no longer password
)

// Make makes a password by chance. Every letter is as likely as any other, and
// each kind of the alphabet is there.
func Make(chance io.Reader, a *Alphabet, length int) (custody.Secret, error) {
	if length < MadeLeast || length > MadeMost {
		return custody.Secret{}, refuse(ReasonPlan, "a secret of %d letters; %d to %d are made", length, MadeLeast, MadeMost)
	}
	letters := strings.Join(a.Kinds, "")
	out := make([]byte, length)
	for range 1000 {
		for i := range out {
			at, err := below(chance, len(letters))
			if err != nil {
				return custody.Secret{}, fmt.Errorf("make a secret: read random bytes: %w", err)
			}
			out[i] = letters[at]
		}
		if a.whole(string(out)) {
			return custody.NewSecret(out), nil
		}
	}
	return custody.Secret{}, fmt.Errorf("make a secret: the source of chance repeats itself")
}

func (a *Alphabet) whole(text string) bool {
	for _, kind := range a.Kinds {
		if !strings.ContainsAny(text, kind) {
			return false
		}
	}
	return true
}

// below is a number from 0 to n-1 by chance, each as likely as any other.
func below(chance io.Reader, n int) (int, error) {
	var b [1]byte
	for {
		if _, err := io.ReadFull(chance, b[:]); err != nil {
			return 0, err
		}
		if v := int(b[0]); v < 256/n*n {
			return v % n, nil
		}
	}
}

// Groups writes a secret in groups of four for whoever types it; the blanks are not
// part of it. A secret that has blanks or other than plain letters is left as it is.
func Groups(s custody.Secret) custody.Secret {
	text := s.Reveal()
	out := make([]byte, 0, len(text)*5/4+1)
	for i, b := range text {
		if b <= ' ' || b > '~' {
			return s
		}
		if i > 0 && i%4 == 0 {
			out = append(out, ' ')
		}
		out = append(out, b)
	}
	return custody.NewSecret(out)
}
