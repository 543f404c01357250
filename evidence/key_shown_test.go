package evidence_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"halligan/evidence"
)

// Somebody in a hurry gives the file of the private key where the public one is
// meant. The error must not carry the key into a terminal's history or a ticket.
func TestPrivateKeyGivenForThePublicOneIsNotQuoted(t *testing.T) {
	k, err := evidence.NewLogKey(rand.Reader, "halligan-test-1")
	if err != nil {
		t.Fatal(err)
	}
	secret := string(k.Secret().Reveal())
	for name, given := range map[string]string{"alone": secret, "with a line before it": "# key\n" + secret} {
		err := evidence.CheckKey(given)
		if err == nil {
			t.Fatalf("%s: it was taken", name)
		}
		if at := strings.LastIndex(secret, "+"); strings.Contains(err.Error(), secret[at+1:]) || !strings.Contains(err.Error(), "private") {
			t.Errorf("%s: got %q", name, err)
		}
	}
}

// A page of text is no key, and is not repeated.
func TestWrongKeyIsQuotedInPart(t *testing.T) {
	err := evidence.CheckKey(strings.Repeat("some page ", 1000))
	if err == nil || len(err.Error()) > 200 {
		t.Errorf("got %d characters", len(err.Error()))
	}
}
