package seal_test

import (
	"bytes"
	"testing"

	"halligan/seal"
)

// Damage anywhere in a file ends in an error or in the secret with a word about it.
// What nobody here needs keeps nobody out: the pages, and what was encrypted to others.
func TestDamageToWhatIsNotNeededKeepsNobodyOut(t *testing.T) {
	ana, ben, cleo := classic(t, "Ana Weiss"), classic(t, "Ben Ode"), classic(t, "Cleo Marsh")
	for form, superfluous := range map[seal.Form][]string{
		seal.FormPair:   {"OPEN.txt", "SHA256SUMS", "pair-1-3-ana-weiss-cleo-marsh.age", "pair-2-3-ben-ode-cleo-marsh.age"},
		seal.FormShares: {"OPEN.txt", "SHA256SUMS", "combine.py", "share-3-cleo-marsh.age"},
	} {
		s := sealed(t, plan(t, form, 2, ana, ben, cleo), theSecret)
		keys := []seal.Key{ana.key(), ben.key()}
		for _, name := range superfluous {
			at := bytes.Index(s.Bytes, member(t, s, name))
			if at < 0 {
				t.Fatalf("no %s", name)
			}
			data := flipped(s.Bytes, at+len(member(t, s, name))/2)
			if _, err := seal.Parse(data); err == nil {
				t.Errorf("%s: %s: Parse took it", form, name)
			}
			f, err := seal.ParseToOpen(data)
			must(t, err)
			opened, err := seal.Open(f, keys, nil)
			if err != nil || string(opened.Secret.Reveal()) != theSecret || len(opened.Altered) == 0 {
				t.Errorf("%s: damage to %s: %v", form, name, err)
			}
		}
		for at := 0; at < len(s.Bytes); at += 97 {
			data := flipped(s.Bytes, at)
			_, strict := seal.Parse(data)
			f, err := seal.ParseToOpen(data)
			if err != nil {
				continue
			}
			opened, err := seal.Open(f, keys, nil)
			if err == nil && (string(opened.Secret.Reveal()) != theSecret || strict != nil && len(opened.Altered) == 0) {
				t.Errorf("%s: byte %d: opened without a word", form, at)
			}
		}
	}
}

// What is needed and damaged is named as damage, with where to go on.
func TestDamageToWhatIsNeededIsNamed(t *testing.T) {
	ana, ben := classic(t, "Ana Weiss"), classic(t, "Ben Ode")
	s := sealed(t, plan(t, seal.FormPair, 2, ana, ben), theSecret)
	pair := member(t, s, "pair-1-2-ana-weiss-ben-ode.age")
	for _, byte := range []int{60, len(pair) - 1} { // the header of age, and what it protects
		f, err := seal.ParseToOpen(flipped(s.Bytes, bytes.Index(s.Bytes, pair)+byte))
		must(t, err)
		_, err = seal.Open(f, []seal.Key{ana.key(), ben.key()}, nil)
		refused(t, err, seal.ReasonDamaged, "pair-1-2-ana-weiss-ben-ode.age", "another copy")
		_, err = seal.Open(f, nil, nil)
		refused(t, err, seal.ReasonTooFew, "Ben Ode")
	}
}
